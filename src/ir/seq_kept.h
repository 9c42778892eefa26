/* seq_kept.h -- a block that has to wait until those before it have closed.
 *
 * s->held counts every byte kept, bookkeeping included, so that a block without text costs too;
 * it never exceeds held_max.
 */
#ifndef IR_SEQ_KEPT_H
#define IR_SEQ_KEPT_H

#include "base/list.h"
#include "ir/seq.h"

struct seq_kept {
    struct list list; /* of the blocks kept, in order of opening */
    uint32_t number;  /* the source's */
    struct ir_block head;
    struct ir_block *proof; /* the head of its CLOSE, or NULL */
    bool closed;
    struct buf text;
    struct list marks;
    size_t cost; /* of everything but the marks */
};

/* The source's blocks are in no order that makes sense: TG_EPROTO. */
tg_rc seq_broken(struct ir_seq *s, const char *why);

/* Keeps the block that an OPEN begins, at the end of `to`.  TG_ELIMIT. */
tg_rc seq_keep(struct ir_seq *s, struct list *to, const struct ir_event *ev);
/* Keeps more of it: a DELTA, a NOTE or its CLOSE.  TG_ELIMIT, TG_EPROTO. */
tg_rc seq_keep_more(struct ir_seq *s, struct seq_kept *k, const struct ir_event *ev);
/* Gives its text, log probabilities and citations to s->next in the order they came, under a
 * number of downstream.  Suspends where that does. */
tg_rc seq_kept_put(struct ir_seq *s, const struct seq_kept *k, uint32_t number);
void seq_kept_free(struct ir_seq *s, struct seq_kept *k);

#endif
