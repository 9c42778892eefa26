/* seq.h -- puts interleaved blocks back in line for clients that allow one open block at a
 * time.
 *
 * The first open block passes straight through.  Events of any other block are kept, bounded,
 * and replayed when its turn comes, in the order the blocks were opened.
 */
#ifndef IR_SEQ_H
#define IR_SEQ_H

#include "base/arena.h"
#include "base/buf.h"
#include "triglot/ir.h"

struct ir_seq {
    struct ir_sink sink; /* give it the events */
    struct ir_sink *next;
    struct arena *arena;
    struct tg_err *err;
    size_t held, held_max; /* bytes kept now, what keeps them included */
    void *state;
};

/* Only for one choice (the dialects that need it have one); stands behind the grammar checker,
 * and answers what it could not make sense of with TG_EPROTO.  Past held_max bytes kept:
 * TG_ELIMIT, kind upstream, code "upstream_protocol_error".  Borrows all its arguments; err may
 * be NULL. put() suspends where next does. */
void ir_seq_init(struct ir_seq *s, struct arena *a, size_t held_max, struct ir_sink *next,
                 struct tg_err *err);
/* Frees what is still kept; also after a failure, and of a zeroed *s.  Not while a put() is
 * suspended. */
void ir_seq_fini(struct ir_seq *s);

#endif
