/* timer.c -- timers, and sleeping.
 *
 * All timers of a thread are in one heap, whose smallest key is the time until which the ring
 * waits.  A timer that is moved to a later time stays where it is: only `at` changes, and when
 * the old key comes up the timer is put back with the new one.  Idle timers are moved for every
 * byte of a stream and fire almost never, so they cost one heap operation a period instead of
 * one a byte.  The price is a wake-up at the old time that does nothing.
 */
#include "co/co_int.h"

void
co_timer_init(struct co_timer *t, void (*fire)(struct co_timer *))
{
    *t = (struct co_timer){.at = CO_NEVER, .fire = fire};
}

void
co_timer_set(struct co_timer *t, co_time at)
{
    if (at == CO_NEVER) {
        co_timer_clear(t);
        return;
    }
    t->at = at;
    if (!heap_has(&t->node) || at < t->node.key)
        heap_set(&co_self->timers, &t->node, at);
}

void
co_timer_clear(struct co_timer *t)
{
    t->at = CO_NEVER;
    if (heap_has(&t->node))
        heap_remove(&co_self->timers, &t->node);
}

/* A timer that is set again to a time already past waits for the next turn: at most as many
 * timers as there are now are looked at. */
void
co_timers_fire(struct co_sched *s)
{
    struct heap_node *node;
    struct co_timer *t;
    size_t n = s->timers.n;

    while (n-- > 0 && (node = heap_min(&s->timers)) != NULL && node->key <= s->now) {
        t = LIST_ITEM(node, struct co_timer, node);
        if (t->at > s->now) {
            heap_set(&s->timers, node, t->at);
            continue;
        }
        heap_remove(&s->timers, node);
        t->at = CO_NEVER;
        t->fire(t);
    }
}

struct sleeper {
    struct co_timer timer;
    struct co *co;
};

static void
sleep_over(struct co_timer *t)
{
    co_wake(LIST_ITEM(t, struct sleeper, timer)->co, TG_OK);
}

static void
sleep_interrupt(struct co *c, tg_rc why)
{
    struct sleeper *sl = c->waits_on;

    co_timer_clear(&sl->timer);
    co_wake(c, why);
}

tg_rc
co_sleep_until(co_time at)
{
    struct co *c = co_cur();
    tg_rc rc = co_reason(c);
    struct sleeper sl;

    if (rc != TG_OK)
        return rc;
    if (at <= co_self->now)
        return co_yield();
    co_timer_init(&sl.timer, sleep_over);
    sl.co = c;
    co_timer_set(&sl.timer, at);
    return co_park(c, sleep_interrupt, &sl);
}
