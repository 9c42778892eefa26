/* adapt_int.h -- what the steps of adapt.c share.
 *
 * A step looks at the request as the steps before it left it (fit->out), replaces the lists
 * that it must change by copies of its own, and leaves in fit->adapt what the answer needs.
 */
#ifndef IR_ADAPT_INT_H
#define IR_ADAPT_INT_H

#include "ir/adapt.h"

/* The way of a request. */
struct adapt_fit {
    struct arena *a;
    const struct ir_req *req; /* the client's                          */
    const char *to;           /* name of the upstream's dialect        */
    const struct dialect_route *route;
    struct ir_req *out;     /* the request so far                    */
    struct ir_adapt *adapt; /* NULL = nothing to undo yet            */
    struct ir_drops *drops;
    struct tg_err *err;
};

/* fit->adapt, made when it is not there yet. */
struct ir_adapt *adapt_undo(struct adapt_fit *fit);
/* The name that the client's dialect has for a thing. */
struct str adapt_said(const struct adapt_fit *fit, const char *chat, const char *responses,
                      const char *messages);
/* TG_EINVAL with that place. */
tg_rc adapt_refuse(const struct adapt_fit *fit, struct str path, const char *why);
/* The texts one behind the other, in the arena. */
struct str adapt_join(struct arena *a, const struct str *parts, unsigned n);
/* A block of the kind, copied from b when that is not NULL; next is NULL. */
struct ir_block *adapt_block(struct arena *a, enum ir_kind kind, const struct ir_block *b);

/* lower.c */

/* Tools; TG_EINVAL when a strict route would lose a grammar. */
TG_MUST_USE tg_rc adapt_lower_tools(struct adapt_fit *fit);
/* Must this call or result of the history become another?  Then adapt_lower_block does it. */
bool adapt_lowers(const struct adapt_fit *fit, const struct ir_block *b);
void adapt_lower_block(const struct adapt_fit *fit, struct ir_block *b);

/* name.c */

struct adapt_name {
    struct str name, shown; /* as the client has it, as the model sees it */
};
void adapt_name_tools(struct adapt_fit *fit);
/* Can the model take this name?  Else it sees adapt_shown. */
bool adapt_name_fits(const struct adapt_fit *fit, struct str name);
struct str adapt_shown(const struct adapt_fit *fit, struct str name);
/* The client's name for what the model called shown. */
struct str adapt_restored(const struct ir_adapt *ad, struct str shown);

/* pair.c; TG_EINVAL as the route's caps have it, and when a strict route would lose a result.
 */
TG_MUST_USE tg_rc adapt_pair(struct adapt_fit *fit);

/* format.c; TG_EINVAL when the route is strict. */
TG_MUST_USE tg_rc adapt_format(struct adapt_fit *fit);

/* unwrap.c: the text of a free-form tool out of the arguments that it came in. */

enum { ADAPT_WRAP_MAX = 64, ADAPT_PIECE_MAX = 1024 };

struct adapt_unwrap {
    uint8_t state;
    uint8_t n_held, n_form, n_hex;
    uint16_t unit;             /* of a \u escape that is being read               */
    uint16_t high;             /* the first half of a pair, 0 = none              */
    char held[ADAPT_WRAP_MAX]; /* what was read while it may still be the wrapping */
    char out[ADAPT_PIECE_MAX]; /* text to be put                                  */
    uint16_t n_out;
};

/* Puts what text adds as DELTA events of the block that place names; *u was zeroed at the
 * block's beginning.  S */
TG_MUST_USE tg_rc adapt_unwrap(struct adapt_unwrap *u, const struct ir_event *place,
                               struct str text, struct ir_sink *next);
/* The same for the end of the block.  S */
TG_MUST_USE tg_rc adapt_unwrap_end(struct adapt_unwrap *u, const struct ir_event *place,
                                   struct ir_sink *next);

/* stop.c */

/* A sequence that is looked for. */
struct adapt_stop {
    struct str text;
    uint32_t *back; /* for every prefix the length of its longest border */
};

/* A token's log probabilities whose text is held back. */
struct adapt_token {
    struct str element; /* raw JSON, in room */
    char *room;         /* of n_room bytes in the arena; used again with the token */
    size_t n_room;
    uint64_t end; /* bytes of the block's text up to its end */
    struct adapt_token *next;
};

/* The state of one TEXT block. */
struct adapt_scan {
    uint32_t at[IR_STOP_MAX]; /* how much of each sequence the text ends with */
    uint64_t seen, sent;      /* bytes that came, that were put               */
    uint64_t told;            /* bytes up to the end of the last token kept   */
    struct adapt_token *tokens, **tokens_tail;
};

/* Takes out of the request what the route cannot, for the answer to be searched. */
void adapt_stops(struct adapt_fit *fit);
/* Puts what may be put of a DELTA; *ret_hit becomes the sequence that was found, with all text
 * before it put, else NULL.  S */
TG_MUST_USE tg_rc adapt_scan(struct ir_adapt *ad, struct adapt_scan *s,
                             const struct ir_event *ev, const struct adapt_stop **ret_hit);
/* Puts what is held back, for the block that place names ends.  S */
TG_MUST_USE tg_rc adapt_scan_end(struct ir_adapt *ad, struct adapt_scan *s,
                                 const struct ir_event *place);

/* Gives back what *s holds; the block is over. */
void adapt_scan_leave(struct ir_adapt *ad, struct adapt_scan *s);

/* An open block that something is to be done with.  Used again for later blocks, as its room
 * is; so an answer takes memory for the blocks that are open at once, not for all. */
struct adapt_open {
    uint32_t choice, block;
    struct adapt_unwrap *unwrap, *unwrap_room; /* or NULL */
    struct adapt_scan *scan, *scan_room;       /* or NULL */
    struct adapt_open *next;
};

struct ir_adapt {
    const struct ir_req *req; /* the client's */
    struct arena *arena;
    struct adapt_name *names; /* of tools whose two names differ, in order of the client's */
    size_t n_names;
    bool lowered; /* free-form tools became functions */
    struct adapt_stop stops[IR_STOP_MAX];
    unsigned n_stops;

    /* of an answer */
    struct ir_sink sink, *next;
    bool whole, over;
    bool *ended; /* for each choice: it has stopped, here or upstream */
    bool *cut;   /* ... here                                          */
    unsigned n_ended;
    struct adapt_open *open; /* what was opened last first */
    struct adapt_open *spare_open;
    struct adapt_token *spare_tokens;
    char *probs; /* n_probs bytes for the log probabilities of one event */
    size_t n_probs;
};

#endif
