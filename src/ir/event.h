/* event.h -- the event grammar, checked on every stream in every build. */
#ifndef IR_EVENT_H
#define IR_EVENT_H

#include "base/arena.h"
#include "triglot/ir.h"

/* Blocks that may be open at once, all choices together: one for every choice, and some calls.
 */
enum { IR_OPEN_MAX = IR_CHOICES_MAX + 32 };

/* A sink in front of another one: passes events on that keep the grammar, fails with TG_EPROTO
 * (kind upstream, code "upstream_protocol_error") on the first that does not. */
struct ir_grammar {
    struct ir_sink sink;
    struct ir_sink *next;
    struct tg_err *err;
    uint8_t phase;
    uint32_t choices; /* how many the request asked for     */
    uint32_t n_open, cap_open, n_stopped;
    struct ir_grammar_open {
        uint32_t block;
        uint8_t choice;
        uint8_t kind; /* enum ir_kind */
    } * open;
    struct ir_grammar_choice {
        uint32_t next_block;
        bool stopped;
    } * of;
    struct arena *arena; /* for more room; NULL = there is room for all */
};

/* One with all the room it may ever need: zero it, then ir_check_init. */
struct ir_check {
    union {
        struct ir_grammar grammar;
        struct {
            struct ir_sink sink, *next;
            struct tg_err *err;
        };
    };
    struct ir_grammar_open open[IR_OPEN_MAX];
    struct ir_grammar_choice of[IR_CHOICES_MAX];
};

/* next receives what passes; err (borrowed) is filled on a breach.  *c may not be moved. */
void ir_check_init(struct ir_check *c, uint32_t choices, struct ir_sink *next,
                   struct tg_err *err);
/* One that lies in the arena and takes of it only what the answer needs. */
struct ir_sink *ir_check_new(struct arena *a, uint32_t choices, struct ir_sink *next,
                             struct tg_err *err) __attribute__((returns_nonnull));

#endif
