/* enc_int.h -- what the files that tell an answer to a client share. */
#ifndef DIALECT_RESPONSES_ENC_INT_H
#define DIALECT_RESPONSES_ENC_INT_H

#include "dialect/record.h"
#include "dialect/responses/responses_int.h"
#include "json/write.h"

/* output.c: a text that grows in pieces, so that it can be repeated when it is whole. */
struct responses_piece {
    const char *p;
    size_t n, cap; /* cap 0: p is borrowed */
    struct responses_piece *next;
};
struct responses_text {
    struct responses_piece *first, *last;
    size_t n;
};
void responses_text_add(struct arena *a, struct responses_text *t, struct str s);
/* All of it in one span; in the arena where it lies in several pieces. */
struct str responses_text_join(struct arena *a, const struct responses_text *t);
void responses_put_text(struct json_out *o, const struct responses_text *t);

/* A content part of a message item. */
struct responses_part {
    enum ir_kind kind; /* TEXT or REFUSAL */
    struct responses_text text;
    struct responses_text logprobs; /* elements of the array, commas between them */
    struct responses_text held;     /* those of them that no delta has told yet   */
    struct str logs;                /* the array, once the part is whole          */
    struct ir_note *notes, **notes_tail;
    unsigned n_notes;
    struct responses_part *next;
};

/* An output item. */
struct responses_item {
    enum ir_kind kind; /* TEXT stands for a message, THINK, CALL */
    uint32_t index;
    struct str id;
    struct str call_id, name, space; /* CALL */
    bool custom;                     /* CALL of a free-form tool */
    bool cut;                        /* incomplete */
    struct responses_text text;      /* CALL, THINK */
    struct str proof;                /* THINK: encrypted_content */
    struct responses_part *parts, *last_part;
    unsigned n_parts;
    struct responses_item *next;
};

/* What the encoder of a stream remembers.  Begins as zeroes.  Copied and put back when a buffer
 * turns out to be full, so what hangs on it is only ever added to. */
struct responses_enc {
    uint64_t seq;
    struct responses_item *items, *last; /* in output order; last may be unfinished */
    unsigned n_items;
    bool begun, stopped;
    bool item_open;  /* last has not been said to be done      */
    bool block_open; /* of the block that block names          */
    uint32_t block;
    struct str delta_head; /* what stands between a delta's number and its text */
    size_t bytes;          /* of text kept */
    enum ir_stop stop;
};

/* Makes an item for a block: its id, names, space. */
struct responses_item *responses_new_item(const struct dialect_enc *e,
                                          const struct responses_enc *st,
                                          const struct ir_block *head);
/* Links it in as the last one. */
void responses_link_item(struct responses_enc *st, struct responses_item *it);
struct responses_part *responses_add_part(struct arena *a, struct responses_item *it,
                                          enum ir_kind kind);
/* The part is whole: its log probabilities become one array. */
void responses_end_part(struct arena *a, struct responses_part *p);
/* encrypted_content for a THINK block: its own proof, or a foreign one sealed; or empty. */
struct str responses_proof(struct arena *a, const struct ir_block *think);
void responses_put_part(struct json_out *o, const struct responses_part *p, bool begun);
void responses_put_note(struct json_out *o, const struct ir_note *n);
/* begun: as in output_item.added, with nothing in it yet. */
void responses_put_item(struct json_out *o, const struct responses_item *it, bool begun);
/* What stands between the brackets of a JSON array, without blanks around it. */
struct str responses_elements(struct str array);

/* object.c: the response object. */
enum responses_status {
    RESPONSES_IN_PROGRESS,
    RESPONSES_COMPLETED,
    RESPONSES_INCOMPLETE,
    RESPONSES_FAILED
};
/* err: of FAILED.  Output items are those of st, but for RESPONSES_IN_PROGRESS. */
void responses_put_object(struct json_out *o, const struct dialect_enc *e,
                          const struct responses_enc *st, enum responses_status status,
                          const struct tg_err *err);
enum responses_status responses_status_of(enum ir_stop stop);
/* echo.c: the members that repeat what the request asked for.  req may be NULL. */
void responses_put_echo(struct json_out *o, const struct ir_req *req);

/* event_put.c: records.  One is begun, its members are written, and it is ended. */
struct responses_out {
    struct dialect_enc *e;
    struct responses_enc *st;
    struct record r;
};
/* event: name and "type". */
void responses_put_item_record(struct responses_out *out, const char *event,
                               const struct responses_item *it, bool begun);
void responses_put_part_record(struct responses_out *out, const char *event,
                               const struct responses_item *it, const struct responses_part *p,
                               bool begun);
void responses_put_summary_record(struct responses_out *out, const char *event,
                                  const struct responses_item *it, bool begun);
void responses_put_note_record(struct responses_out *out, const struct responses_item *it,
                               const struct ir_note *n);
void responses_put_object_record(struct responses_out *out, const char *event,
                                 enum responses_status status, const struct tg_err *err);
/* More of the text that the item speaks last; st->delta_head is of the same block.  logprobs:
 * an array, or "". */
void responses_put_delta(struct responses_out *out, const struct responses_item *it,
                         struct str text, struct str logprobs);
/* The record that repeats that text. */
void responses_put_text_done(struct responses_out *out, const struct responses_item *it);
/* What all deltas of the item's last block have in common, in the arena. */
struct str responses_delta_head(const struct responses_out *out,
                                const struct responses_item *it);

#endif
