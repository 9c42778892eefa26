/* seq.c -- one open block at a time.
 *
 * At any moment at most one block is open downstream, the front.  What comes for it passes;
 * what comes for a block that was opened later is kept with that block (seq_kept.c).  When the
 * front closes, the oldest kept block is opened downstream and what was kept of it follows; if
 * it had closed already it closes, and the next one's turn comes at once.
 *
 * Empty deltas end here: some sources send them, and no client is any the wiser for one.
 *
 * Numbers downstream are our own count of the blocks opened there, so they are dense and in
 * order of opening.  An answer's stop cannot come before all its blocks have closed, and when
 * all have closed none is kept any more: so stop, usage and end wait for nothing, and nothing
 * passes them.  An error passes at once, and what is kept then is thrown away: the answer is
 * lost, and its rest would only delay the news.
 *
 * Invariant: the front was opened before every kept block, and the list is in order of opening.
 */
#include "ir/seq.h"

#include "ir/seq_kept.h"

struct seq_state {
    bool front_open;
    uint32_t front;  /* the source's number of it      */
    uint32_t opened; /* blocks opened downstream       */
    struct list kept;
};

/* The oldest kept blocks, up to and with the first that is still open: that one becomes the
 * front.  What fails stays kept for ir_seq_fini. */
static tg_rc
let_out(struct ir_seq *s)
{
    struct seq_state *st = s->state;
    struct list *first;

    while (!st->front_open && (first = list_first(&st->kept))) {
        struct seq_kept *k = LIST_ITEM(first, struct seq_kept, list);
        struct ir_event ev = {.kind = IR_EV_OPEN, .block = st->opened++, .head = &k->head};
        tg_rc rc = s->next->put(s->next, &ev);

        if (rc == TG_OK)
            rc = seq_kept_put(s, k, ev.block);
        if (rc == TG_OK && k->closed) {
            ev.kind = IR_EV_CLOSE;
            ev.head = k->proof;
            rc = s->next->put(s->next, &ev);
        }
        if (rc != TG_OK)
            return rc;
        st->front_open = !k->closed;
        st->front = k->number;
        seq_kept_free(s, k);
    }
    return TG_OK;
}

static tg_rc
on_open(struct ir_seq *s, const struct ir_event *ev)
{
    struct seq_state *st = s->state;
    struct ir_event out = *ev;

    if (!ev->head)
        return seq_broken(s, "a block without a head");
    if (st->front_open)
        return seq_keep(s, &st->kept, ev);
    st->front_open = true;
    st->front = ev->block;
    out.block = st->opened++;
    return s->next->put(s->next, &out);
}

static tg_rc
on_more(struct ir_seq *s, const struct ir_event *ev)
{
    struct seq_state *st = s->state;
    struct ir_event out = *ev;
    tg_rc rc;

    if (ev->kind == IR_EV_DELTA && ev->text.n == 0 && ev->logprobs.n == 0)
        return TG_OK;
    if (st->front_open && st->front == ev->block) {
        out.block = st->opened - 1;
        if (ev->kind != IR_EV_CLOSE)
            return s->next->put(s->next, &out);
        st->front_open = false;
        rc = s->next->put(s->next, &out);
        return rc == TG_OK ? let_out(s) : rc;
    }
    for (struct list *it = st->kept.prev; it != &st->kept; it = it->prev) {
        struct seq_kept *k = LIST_ITEM(it, struct seq_kept, list);

        if (k->number == ev->block && !k->closed)
            return seq_keep_more(s, k, ev);
    }
    return seq_broken(s, "more of a block that is not open");
}

static void
forget(struct ir_seq *s)
{
    struct seq_state *st = s->state;

    if (!st)
        return;
    LIST_FOREACH_SAFE (it, tmp, &st->kept)
        seq_kept_free(s, LIST_ITEM(it, struct seq_kept, list));
}

static tg_rc
put(struct ir_sink *sink, const struct ir_event *ev)
{
    struct ir_seq *s = LIST_ITEM(sink, struct ir_seq, sink);
    struct seq_state *st = s->state;

    if (ev->kind >= IR_EV_OPEN && ev->kind <= IR_EV_STOP && ev->choice != 0)
        return seq_broken(s, "a choice that was not asked for");
    switch (ev->kind) {
    case IR_EV_OPEN:
        return on_open(s, ev);
    case IR_EV_DELTA:
    case IR_EV_NOTE:
    case IR_EV_CLOSE:
        return on_more(s, ev);
    case IR_EV_STOP:
    case IR_EV_USAGE:
    case IR_EV_END:
        if (st->front_open || !list_empty(&st->kept))
            return seq_broken(s, "it ended with a block open");
        break;
    case IR_EV_ERROR:
        forget(s);
        break;
    case IR_EV_START:
    case IR_EV_KIND_N:
        break;
    }
    return s->next->put(s->next, ev);
}

void
ir_seq_init(struct ir_seq *s, struct arena *a, size_t held_max, struct ir_sink *next,
            struct tg_err *err)
{
    struct seq_state *st = arena_new(a, struct seq_state);

    list_init(&st->kept);
    *s = (struct ir_seq){
        .sink = {put}, .next = next, .arena = a, .err = err, .held_max = held_max, .state = st};
}

void
ir_seq_fini(struct ir_seq *s)
{
    forget(s);
}
