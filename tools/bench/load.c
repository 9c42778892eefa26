/* load.c -- one load: calls begun in time.
 *
 * Closed loop: a coroutine for each connection makes one call after the other.  Open loop: one
 * coroutine starts a caller for every call that is due, and a call's time begins when it was
 * due, not when a caller came free; so what a slow server keeps waiting is measured too
 * (no coordinated omission).
 *
 * A caller keeps its connection between calls; idle callers are taken last in, first out.
 */
#include "bench/load.h"

#include <math.h>

#include "base/clock.h"
#include "base/mem.h"
#include "bench/call.h"

#define PAUSE                                                                                  \
    (50 * NS_PER_MS) /* after a failed connect, so that a dead server is not hammered */

void
load_failed(struct load *l, enum fail f, unsigned status, struct str words)
{
    struct tally *t = &l->tally;

    l->fails++;
    if (!t->first_error[0]) {
        size_t n = words.n < TALLY_WORDS - 1 ? words.n : TALLY_WORDS - 1;

        for (size_t i = 0; i < n; i++)
            t->first_error[i] = words.p[i] >= ' ' && words.p[i] <= '~' ? words.p[i] : ' ';
    }
    if (!l->counting) {
        t->warmup_fails++;
    } else {
        t->failed++;
        t->fails[f]++;
        if (f == FAIL_STATUS)
            t->status[status < TALLY_STATUS_N ? status : 0]++;
    }
    co_event_signal(l->wake);
}

void
load_window_open(struct load *l)
{
    l->counting = true;
    l->tally.open_at_start = l->open;
}

void
load_window_close(struct load *l)
{
    if (l->counting)
        l->tally.open_at_end = l->open;
    l->counting = false;
}

/* May another call begin?  Counts it. */
static bool
begin_call(struct load *l)
{
    if (l->over)
        return false;
    if (l->counting && l->o->requests && --l->left == 0)
        l->over = true;
    l->tally.started += l->counting;
    l->open++;
    return true;
}

/* S */
static enum fail
make_call(struct load *l, struct caller *c, int64_t due_ns)
{
    enum fail f = call_run(c, due_ns);

    l->open--;
    return f;
}

struct lane {
    struct load *l;
    co_time begin;
};

static tg_rc
lane_run(void *arg)
{
    struct lane *lane = arg;
    struct load *l = lane->l;
    struct caller *c;
    tg_rc rc = co_sleep_until(lane->begin);

    if (rc != TG_OK)
        return TG_OK;
    c = caller_new(l);
    while (rc == TG_OK && begin_call(l)) {
        if (make_call(l, c, co_now_exact()) == FAIL_CONNECT)
            rc = co_sleep_until(co_now() + PAUSE);
        else
            rc = co_cancelled();
    }
    caller_free(c);
    return TG_OK;
}

/* S */
static tg_rc
run_closed(struct load *l)
{
    uint64_t n = l->o->connections ? l->o->connections : 1;
    struct lane *lanes = mem_array(n, sizeof *lanes);
    tg_rc rc = TG_OK;

    for (uint64_t i = 0; i < n && rc == TG_OK; i++) {
        lanes[i] = (struct lane){
            l, l->begin + (co_time)((double)l->o->ramp_ms * NS_PER_MS * (double)i / (double)n)};
        rc = co_spawn(&l->scope, "caller", lane_run, &lanes[i]);
    }
    if (rc == TG_OK)
        rc = co_join(&l->scope);
    (void)co_scope_close(&l->scope);
    mem_free(lanes);
    return rc;
}

static tg_rc
due_run(void *arg)
{
    struct caller *c = arg;
    struct load *l = c->load;

    (void)make_call(l, c, c->due_ns);
    if (c->conn) {
        list_add_head(&l->idle, &c->node);
    } else {
        caller_free(c);
    }
    co_event_signal(&l->freed);
    return TG_OK;
}

/* When call number i is due.  While the rate rises evenly from 0 to R over T, R t^2 / 2T calls
 * are due by t. */
static co_time
due_at(const struct load *l, uint64_t i)
{
    double rate = (double)l->o->rate_milli / 1000, ramp = (double)l->o->ramp_ms / 1000,
           n = (double)i, s;

    if (n < rate * ramp / 2)
        s = sqrt(2 * ramp * n / rate);
    else
        s = ramp / 2 + n / rate;
    return l->begin + (co_time)(s * NS_PER_S);
}

static struct caller *
take_caller(struct load *l)
{
    struct list *node = list_first(&l->idle);

    if (!node)
        return caller_new(l);
    list_del(node);
    return LIST_ITEM(node, struct caller, node);
}

/* S */
static tg_rc
run_open(struct load *l)
{
    uint64_t most = l->o->connections ? l->o->connections : OPTIONS_CONNECTIONS_MAX;
    tg_rc rc = TG_OK;

    for (uint64_t i = 0; rc == TG_OK; i++) {
        co_time at = due_at(l, i);
        struct caller *c;

        if (at > co_now())
            rc = co_sleep_until(at);
        while (rc == TG_OK && l->open >= most)
            rc = co_event_wait(&l->freed);
        if (rc != TG_OK || !begin_call(l))
            break;
        c = take_caller(l);
        c->due_ns = at;
        rc = co_spawn(&l->scope, "caller", due_run, c);
        if (rc != TG_OK) {
            l->open--;
            caller_free(c);
        }
    }
    if (rc == TG_OK)
        rc = co_join(&l->scope);
    (void)co_scope_close(&l->scope);
    while (!list_empty(&l->idle))
        caller_free(take_caller(l));
    return rc;
}

tg_rc
load_run(void *arg)
{
    struct load *l = arg;
    tg_rc rc;

    co_scope_open(&l->scope, CO_NEVER);
    l->begun = true;
    rc = l->o->rate_milli ? run_open(l) : run_closed(l);
    load_window_close(l);
    l->ended = true;
    co_event_signal(l->wake);
    return rc == TG_ECANCELED || rc == TG_EDEADLINE ? TG_OK : rc;
}
