/* event.c -- events: one waiter, one kept signal.
 *
 * The signal takes the waiter off and makes it ready, so a cancel that comes between the signal
 * and the waiter's run finds nothing to interrupt and the signal wins.
 */
#include "co/co_int.h"

static void
event_interrupt(struct co *c, tg_rc why)
{
    struct co_event *e = c->waits_on;

    e->waiter = NULL;
    co_wake(c, why);
}

tg_rc
co_event_wait_until(struct co_event *e, co_time until)
{
    struct co *c = co_cur();
    tg_rc rc = co_reason(c);

    if (rc != TG_OK)
        return rc;
    if (e->set) {
        e->set = false;
        return TG_OK;
    }
    if (until <= co_self->now)
        return TG_EDEADLINE;
    assert(!e->waiter && "an event has one waiter");
    e->waiter = c;
    c->wait_until = until;
    co_deadline_by(c, until);
    rc = co_park(c, event_interrupt, e);
    c->wait_until = CO_NEVER;
    return rc;
}

tg_rc
co_event_wait(struct co_event *e)
{
    return co_event_wait_until(e, CO_NEVER);
}

void
co_event_wait_sure(struct co_event *e)
{
    struct co *c = co_cur();

    if (e->set) {
        e->set = false;
        return;
    }
    assert(!e->waiter && "an event has one waiter");
    e->waiter = c;
    (void)co_park(c, NULL, NULL);
}

void
co_event_signal(struct co_event *e)
{
    struct co *c = e->waiter;

    if (!c) {
        e->set = true;
        return;
    }
    e->waiter = NULL;
    co_wake(c, TG_OK);
}
