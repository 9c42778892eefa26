/* relief.c -- when to give memory back: stacks, and pages of the heap.
 *
 * To go through a heap of 40 MB takes some milliseconds, so it is done by another thread.
 * Meanwhile this one waits only if it asks the heap for memory, which the events of a relayed
 * stream do not: what begins just then may wait.  A crowd that comes and goes every few seconds
 * is left its memory, and so is a small one.
 */
#include "gate/relief.h"

#include "base/clock.h"
#include "base/mem.h"

enum { CROWD = 256 };

#define LOOK_NS (10 * NS_PER_S)

void
relief_came(struct relief *r)
{
    r->busy++;
    if (r->busy > r->busy_max)
        r->busy_max = r->busy;
    if (r->busy == CROWD)
        co_event_signal(&r->many);
}

void
relief_left(struct relief *r)
{
    r->busy--;
}

static tg_rc
give_back(void *arg)
{
    (void)arg;
    mem_give_back();
    return TG_OK;
}

static tg_rc
look(struct relief *r)
{
    unsigned lately = r->busy_max;
    tg_rc rc = TG_OK;

    r->busy_max = r->busy;
    if (lately > r->crowd / 2) {
        if (lately > r->crowd)
            r->crowd = lately;
        return TG_OK;
    }
    co_stacks_give_back();
    rc = co_offload(give_back, NULL);
    if (rc == TG_EUNAVAIL) /* the threads are busy: at the next look */
        return TG_OK;
    if (rc == TG_OK) {
        r->given_back++;
        r->crowd = lately;
    }
    return rc;
}

tg_rc
relief_run(void *arg)
{
    struct relief *r = arg;
    tg_rc rc;

    while ((rc = co_event_wait(&r->many)) == TG_OK) {
        r->crowd = r->busy_max;
        while (rc == TG_OK && r->crowd >= CROWD) {
            rc = co_sleep_until(co_now() + LOOK_NS);
            if (rc == TG_OK)
                rc = look(r);
        }
        if (rc != TG_OK)
            break;
    }
    return rc;
}
