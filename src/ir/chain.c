/* chain.c -- an answer's sinks, put together from the last to the first.
 *
 * The checker stands first, so that nothing behind it meets events that break the grammar; the
 * sequencer stands behind what turns the answer back, because that may end a block earlier than
 * the upstream does.
 */
#include "ir/chain.h"

#include "ir/event.h"

void
ir_chain_open(struct ir_chain *c, struct arena *a, const struct ir_chain_conf *conf)
{
    struct ir_sink *last = conf->stream;

    *c = (struct ir_chain){0};
    if (!conf->stream) {
        c->fold = arena_new(a, struct ir_fold);
        ir_fold_init(c->fold, a, conf->choices, conf->bytes_max, conf->err);
        last = &c->fold->sink;
    } else if (conf->one_open) {
        c->seq = arena_new(a, struct ir_seq);
        ir_seq_init(c->seq, a, conf->bytes_max, last, conf->err);
        last = &c->seq->sink;
    }
    last = ir_adapt_sink(conf->adapt, conf->arrived, last);
    c->sink = ir_check_new(a, conf->choices, last, conf->err);
}

void
ir_chain_close(struct ir_chain *c)
{
    if (c->seq)
        ir_seq_fini(c->seq);
}
