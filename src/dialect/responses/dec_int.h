/* dec_int.h -- what the files that read an upstream's answer share. */
#ifndef DIALECT_RESPONSES_DEC_INT_H
#define DIALECT_RESPONSES_DEC_INT_H

#include "dialect/alike.h"
#include "dialect/responses/responses_int.h"
#include "json/scan.h"

/* A block that an upstream's answer has, or may yet have. */
struct responses_block {
    uint32_t place; /* content_index; reasoning: of the part that is running */
    enum ir_kind kind;
    uint32_t number; /* once it has been opened */
    bool opened, closed;
    bool whole;               /* all of its text has been said to be there */
    bool summary;             /* reasoning: the text is of summary parts   */
    size_t n;                 /* bytes of the running text put so far ...  */
    uint64_t hash;            /* ... and what they were                    */
    unsigned notes, logprobs; /* how many of each have been put */
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

    /* A record that was the next piece of a text, and of which one. */
    struct alike alike;
    struct responses_like {
        const struct responses_kind *kind;
        uint32_t index, place;
    } like;
};

/* Text, and what was said with it.  Borrowed for the call. */
struct responses_said {
    struct str text;
    struct str logprobs; /* raw JSON array, "" = none */
    bool whole;          /* all of it, else the next piece */
};

tg_rc responses_start(struct dialect_dec *d);
tg_rc responses_broken(struct dialect_dec *d, const char *why);

/* dec_block.c: blocks, and what has been put of each. */
struct responses_block *responses_need_block(struct dialect_dec *d, struct responses_seen *it,
                                             uint32_t place, enum ir_kind kind);
tg_rc responses_open_block(struct dialect_dec *d, struct responses_block *b,
                           struct ir_block *head);
/* Nothing where the block is not open.  head: proof of reasoning, or NULL. */
tg_rc responses_close_block(struct dialect_dec *d, struct responses_block *b,
                            const struct ir_block *head);
/* Puts what has not been put before. */
tg_rc responses_put_said(struct dialect_dec *d, struct responses_block *b,
                         const struct responses_said *said);
/* The next part of a summary: its text begins anew, behind an empty line. */
tg_rc responses_next_part(struct dialect_dec *d, struct responses_block *b, uint32_t place,
                          bool apart);

/* dec_item.c: the newest item at that place in the output, or NULL. */
struct responses_seen *responses_find_item(const struct responses_dec *st, uint32_t index,
                                           enum ir_kind kind);
/* The text of that member, or empty; into tmp where it has escapes. */
struct str responses_text_of(struct arena *tmp, const struct json_member *m);
/* What an item says, in pieces and whole.  tmp is for what lives no longer than a
 * record. */
tg_rc responses_on_added(struct dialect_dec *d, struct arena *tmp, uint32_t index,
                         struct str item);
tg_rc responses_on_item(struct dialect_dec *d, struct arena *tmp, uint32_t index,
                        struct str item);
/* Text of a message's part or of a call. */
tg_rc responses_on_text(struct dialect_dec *d, uint32_t index, uint32_t place,
                        enum ir_kind kind, const struct responses_said *said);
tg_rc responses_on_thought(struct dialect_dec *d, uint32_t index, uint32_t place, bool summary,
                           const struct responses_said *said);
/* The items of the whole answer: says what has not been said, and closes what is open. */
tg_rc responses_on_output(struct dialect_dec *d, struct arena *tmp, struct str output);
/* dec_part.c: a part repeated, the end of its block; a citation in it. */
tg_rc responses_on_part(struct dialect_dec *d, struct arena *tmp, uint32_t index,
                        uint32_t place, struct str part);
tg_rc responses_on_note(struct dialect_dec *d, struct arena *tmp, uint32_t index,
                        uint32_t place, struct str note);

#endif
