/* responses_int.h -- what the files of the Responses dialect share. */
#ifndef DIALECT_RESPONSES_RESPONSES_INT_H
#define DIALECT_RESPONSES_RESPONSES_INT_H

#include "base/arena.h"
#include "base/buf.h"
#include "triglot/dialect.h"
#include "json/field.h"
#include "json/scan.h"
#include "json/write.h"

#define RESPONSES_COUNT(v) (sizeof(v) / sizeof((v)[0]))

extern const struct dialect dialect_responses;

/* The dialect's name, where a block's origin is compared with it. */
bool responses_is_own(const char *origin);

/* scan.c, tap.c */
tg_rc responses_scan_req(struct arena *a, enum dialect_call call, struct str body,
                         struct dialect_view *ret, struct tg_err *err);
void responses_relay_req(struct arena *a, const struct dialect_view *view, struct str model,
                         struct str ret[DIALECT_PIECES_MAX], int *ret_n);
enum dialect_seen responses_tap_record(struct dialect_tap *t, struct str event, struct str data,
                                       struct tg_err *err);
bool responses_tap_whole(struct dialect_tap *t, enum dialect_call call, struct str body);
/* The text of a record's "type", or empty.  Borrowed from data, which must be JSON. */
struct str responses_type_of(struct str data);
/* Reads a "usage" value; a figure that is not there keeps its value. */
void responses_read_usage(struct str usage, struct ir_usage *u);

struct responses_reader {
    struct field_reader in;
    struct ir_req *req;
    struct ir_msg **tail;    /* where the next message is hooked in */
    struct ir_msg *last;     /* the newest message                  */
    struct ir_block **block; /* of the newest message, when it is the model's: a place at
                                or before the end of its blocks   */
    bool spoke, called;      /* and what stands before that place   */
    struct ir_tool **tools;  /* where the next tool is hooked in    */
    unsigned n_tools;
};

tg_rc responses_decode_req(struct arena *a, struct str body, struct ir_req *ret,
                           struct tg_err *err);
/* Appends a message. */
struct ir_msg *responses_add_msg(struct responses_reader *r, enum ir_role role);
/* "space__name", or name where there is no space. */
struct str responses_flat_name(struct arena *a, struct str space, struct str name);
tg_rc responses_read_input(struct responses_reader *r, const struct json_member *input);
/* A text, or an array of content parts, as blocks at *to. */
tg_rc responses_read_parts(struct responses_reader *r, const struct field_at *at,
                           const struct json_member *content, struct ir_block **to);
/* Appends the tools of an array to the request's. */
tg_rc responses_read_tools(struct responses_reader *r, const struct field_at *at,
                           const struct json_member *tools);
/* Checked against the tools, which are read first. */
tg_rc responses_read_tool_choice(struct responses_reader *r, const struct json_member *choice);

struct responses_writer {
    struct arena *a;
    const struct ir_req *req;
    const struct dialect_route *route;
    struct json_out o;
    struct ir_drops *drops;
    struct tg_err *err;
};

void responses_caps(enum caps_server server, struct str model, struct ir_caps *ret);
tg_rc responses_encode_req(struct arena *a, const struct ir_req *req,
                           const struct dialect_route *route, struct buf *b,
                           struct ir_drops *drops, struct tg_err *err);
/* The value of "input": every message but the first `skip`. */
tg_rc responses_write_input(struct responses_writer *w, unsigned skip);
/* The fields "tools", "tool_choice" and "parallel_tool_calls". */
tg_rc responses_write_tools(struct responses_writer *w);
/* A drop, or a refusal on a strict route; the name is printed into the arena. */
tg_rc responses_drop(struct responses_writer *w, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* A block that an upstream's answer has, or may yet have. */
struct responses_block {
    uint32_t place; /* content_index; reasoning: of the part that is running */
    enum ir_kind kind;
    uint32_t number; /* once it has been opened */
    bool opened, closed;
    bool whole;    /* all of its text has been said to be there */
    bool summary;  /* reasoning: the text is of summary parts   */
    size_t n;      /* bytes of the running text put so far ...  */
    uint64_t hash; /* ... and what they were                    */
    unsigned notes;
    struct responses_block *next;
};

/* An output item of an upstream. */
struct responses_seen {
    uint32_t index;
    enum ir_kind kind; /* TEXT stands for a message, OPAQUE for what is passed over */
    bool done;
    struct str id;
    struct responses_block *blocks;
    struct responses_seen *older;
};

/* What the decoder of a stream remembers.  Begins as zeroes. */
struct responses_dec {
    bool started, over;
    bool called; /* there was a call */
    uint32_t next_block;
    unsigned n_items;
    struct responses_seen *newest;
};

/* dec_item.c: what an item says, in pieces and whole.  text is borrowed for the call; tmp is
 * for what lives no longer than a record. */
tg_rc responses_start(struct dialect_dec *d);
tg_rc responses_broken(struct dialect_dec *d, const char *why);
tg_rc responses_on_added(struct dialect_dec *d, struct arena *tmp, uint32_t index,
                         struct str item);
tg_rc responses_on_item(struct dialect_dec *d, struct arena *tmp, uint32_t index,
                        struct str item);
/* Text of a message's part or of a call; whole: all of it, else the next piece. */
tg_rc responses_on_text(struct dialect_dec *d, uint32_t index, uint32_t place,
                        enum ir_kind kind, struct str text, bool whole);
tg_rc responses_on_thought(struct dialect_dec *d, uint32_t index, uint32_t place, bool summary,
                           struct str text, bool whole);
tg_rc responses_on_part(struct dialect_dec *d, struct arena *tmp, uint32_t index,
                        uint32_t place, struct str part);
tg_rc responses_on_note(struct dialect_dec *d, struct arena *tmp, uint32_t index,
                        uint32_t place, struct str note);
/* The items of the whole answer: says what has not been said, and closes what is open. */
tg_rc responses_on_output(struct dialect_dec *d, struct arena *tmp, struct str output);

tg_rc responses_decode_record(struct dialect_dec *d, struct str event, struct str data,
                              bool *ret_over);
tg_rc responses_decode_eof(struct dialect_dec *d);
tg_rc responses_decode_res(struct dialect_dec *d, struct str body);

/* A text that grows in pieces, so that it can be repeated when it is whole. */
struct responses_piece {
    const char *p;
    size_t n, cap; /* cap 0: p is borrowed */
    struct responses_piece *next;
};
struct responses_text {
    struct responses_piece *first, *last;
    size_t n;
};

/* A content part of a message item. */
struct responses_part {
    enum ir_kind kind; /* TEXT or REFUSAL */
    struct responses_text text;
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
    bool wrapped;                    /* its text comes as {"input": text} */
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

tg_rc responses_encode_ev(struct dialect_enc *e, const struct ir_event *ev, struct buf *b);
tg_rc responses_encode_res(struct dialect_enc *e, const struct ir_res *res, struct buf *b);

/* output.c: items and their texts. */
void responses_text_add(struct arena *a, struct responses_text *t, struct str s);
/* All of it in one span; in the arena where it lies in several pieces. */
struct str responses_text_join(struct arena *a, const struct responses_text *t);
void responses_put_text(struct json_out *o, const struct responses_text *t);
/* Makes an item for a block: id, names, what its tool is. */
struct responses_item *responses_new_item(const struct dialect_enc *e,
                                          const struct responses_enc *st,
                                          const struct ir_block *head);
/* Links it in as the last one. */
void responses_link_item(struct responses_enc *st, struct responses_item *it);
struct responses_part *responses_add_part(struct arena *a, struct responses_item *it,
                                          enum ir_kind kind);
/* encrypted_content for a THINK block: its own proof, or a foreign one sealed; or empty. */
struct str responses_proof(struct arena *a, const struct ir_block *think);
/* Takes the text of a free-form call out of the function form it was lowered to. */
void responses_unwrap(struct arena *a, struct responses_item *it);
void responses_put_part(struct json_out *o, const struct responses_part *p, bool begun);
void responses_put_note(struct json_out *o, const struct ir_note *n);
/* begun: as in output_item.added, with nothing in it yet. */
void responses_put_item(struct json_out *o, const struct responses_item *it, bool begun);

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

/* err.c */
tg_rc responses_encode_error_record(const struct tg_err *err, struct buf *b);

#endif
