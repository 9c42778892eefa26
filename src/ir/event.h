/* event.h -- the event grammar, checked on every stream in every build. */
#ifndef IR_EVENT_H
#define IR_EVENT_H

#include "triglot/ir.h"

/* Blocks that may be open at once, all choices together: one for every choice, and some calls.
 */
enum { IR_OPEN_MAX = IR_CHOICES_MAX + 32 };

/* A sink in front of another one: passes events on that keep the grammar, fails with TG_EPROTO
 * (kind upstream, code "upstream_protocol_error") on the first that does not.  Zero it, then
 * ir_check_init. */
struct ir_check {
    struct ir_sink sink;
    struct ir_sink *next;
    struct tg_err *err;
    uint8_t phase;
    uint32_t choices; /* how many the request asked for     */
    uint32_t n_open, n_stopped;
    struct {
        uint32_t choice, block;
        enum ir_kind kind;
    } open[IR_OPEN_MAX];
    uint32_t next_block[IR_CHOICES_MAX];
    uint8_t stopped[IR_CHOICES_MAX];
};

/* next receives what passes; err (borrowed) is filled on a breach. */
void ir_check_init(struct ir_check *c, uint32_t choices, struct ir_sink *next,
                   struct tg_err *err);

#endif
