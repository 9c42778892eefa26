/* chan.c -- bounded queues between coroutines of one thread.
 *
 * An element goes straight from the sender to a waiting receiver, and a receiver that makes
 * room takes the first waiting sender's element into the queue itself.  So whoever is woken has
 * already been served: nobody can come in between, and order is first come, first served.
 *
 * Invariant: receivers wait only while the queue is empty, senders only while it is full.
 */
#include "co/co_int.h"

#include <string.h>

struct chan_wait {
    struct list node;
    struct co *co;
    void *elem; /* a sender's is only read */
};

void
co_chan_init(struct co_chan *c, void *storage, size_t size, unsigned cap)
{
    assert(cap > 0 && size > 0);
    *c = (struct co_chan){.slots = storage, .size = size, .cap = cap};
    list_init(&c->senders);
    list_init(&c->receivers);
}

static void
chan_interrupt(struct co *c, tg_rc why)
{
    struct chan_wait *w = c->waits_on;

    list_del(&w->node);
    co_wake(c, why);
}

static tg_rc
wait_in(struct list *queue, struct co *co, void *elem)
{
    struct chan_wait w = {.co = co, .elem = elem};

    list_add_tail(queue, &w.node);
    return co_park(co, chan_interrupt, &w);
}

static struct chan_wait *
first_of(struct list *queue)
{
    struct list *node = list_first(queue);

    if (!node)
        return NULL;
    list_del(node);
    return LIST_ITEM(node, struct chan_wait, node);
}

static void
push(struct co_chan *c, const void *elem)
{
    unsigned at = c->head + c->n;

    if (at >= c->cap)
        at -= c->cap;
    memcpy(c->slots + at * c->size, elem, c->size);
    c->n++;
}

tg_rc
co_chan_try_send(struct co_chan *c, const void *elem)
{
    struct chan_wait *w;

    if (c->closed)
        return TG_EGONE;
    w = first_of(&c->receivers);
    if (w) {
        memcpy(w->elem, elem, c->size);
        co_wake(w->co, TG_OK);
        return TG_OK;
    }
    if (c->n == c->cap)
        return TG_EUNAVAIL;
    push(c, elem);
    return TG_OK;
}

tg_rc
co_chan_send(struct co_chan *c, const void *elem)
{
    struct co *co = co_cur();
    tg_rc rc = co_reason(co);

    if (rc != TG_OK)
        return rc;
    rc = co_chan_try_send(c, elem);
    if (rc != TG_EUNAVAIL)
        return rc;
    return wait_in(&c->senders, co, (void *)elem);
}

tg_rc
co_chan_recv(struct co_chan *c, void *elem)
{
    struct co *co = co_cur();
    struct chan_wait *w;
    tg_rc rc = co_reason(co);

    if (rc != TG_OK)
        return rc;
    if (c->n == 0)
        return c->closed ? TG_EGONE : wait_in(&c->receivers, co, elem);
    memcpy(elem, c->slots + c->head * c->size, c->size);
    if (++c->head == c->cap)
        c->head = 0;
    c->n--;
    w = first_of(&c->senders);
    if (w) {
        push(c, w->elem);
        co_wake(w->co, TG_OK);
    }
    return TG_OK;
}

void
co_chan_close(struct co_chan *c)
{
    struct chan_wait *w;

    c->closed = true;
    while ((w = first_of(&c->senders)) || (w = first_of(&c->receivers)))
        co_wake(w->co, TG_EGONE);
}
