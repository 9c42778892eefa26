/* chain.h -- the sinks that an answer's events pass through, in order: grammar checker, what
 * turns the answer back (adapt.h), then for a stream the sequencer and the caller's own sink,
 * for a whole answer the fold. */
#ifndef IR_CHAIN_H
#define IR_CHAIN_H

#include "ir/adapt.h"
#include "ir/fold.h"
#include "ir/seq.h"

struct ir_chain {
    struct ir_sink *sink; /* give it the events                        */
    struct ir_fold *fold; /* whole answers: complete after IR_EV_END   */
    struct ir_seq *seq;   /* NULL = not needed                         */
};

struct ir_chain_conf {
    struct ir_adapt *adapt; /* of the request, or NULL                                    */
    uint32_t choices;       /* how many the request asked for                             */
    struct ir_sink *stream; /* where a stream ends; NULL: the answer is wanted whole      */
    bool one_open;          /* the stream's dialect allows one open block at a time       */
    bool arrived;           /* the upstream's answer is read whole before it is decoded   */
    size_t bytes_max;       /* of text that may be held                                   */
    struct tg_err *err;     /* borrowed; filled by whoever fails                          */
};

/* Everything lies in the arena, and only what is needed of it.  ir_chain_close afterwards,
 * whatever the outcome. */
void ir_chain_open(struct ir_chain *c, struct arena *a, const struct ir_chain_conf *conf);
/* Accepts a zeroed *c.  Not while a put() is suspended. */
void ir_chain_close(struct ir_chain *c);

#endif
