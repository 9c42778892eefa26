/* fold.h -- a stream of events folded into a whole response. */
#ifndef IR_FOLD_H
#define IR_FOLD_H

#include "base/arena.h"
#include "triglot/ir.h"

struct ir_fold {
    struct ir_sink sink; /* give it the events */
    struct arena *arena;
    struct ir_res res;  /* complete after IR_EV_END */
    struct tg_err *err; /* filled when IR_EV_ERROR came; put then returns its rc */
    size_t bytes, bytes_max;
    void *state;
};

/* bytes_max bounds the text held: TG_ELIMIT past it. */
void ir_fold_init(struct ir_fold *f, struct arena *a, unsigned choices, size_t bytes_max,
                  struct tg_err *err);

#endif
