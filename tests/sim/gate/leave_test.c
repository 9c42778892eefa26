/* leave_test.c -- somebody leaves, or somebody stops it, at each suspension of an exchange.
 *
 * The n-th time a coroutine of the gateway suspends, the client or the upstream ends or resets
 * its connection, the exchange is stopped by a drain's end or by its total time, idle
 * connections are closed, or the worker is told to end: at once, when nothing else has happened
 * yet, and late, in the same turn as what the coroutine was waiting for.  What must hold after
 * each run is in gate_run.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gate/conn.h"
#include "support/gate_run.h"
#include "support/gate_sim.h"

static void
client_ends(void *arg)
{
    struct gate_run *r = arg;

    r->left_at = co_now();
    gate_client_leave(&r->client, false);
}

static void
client_resets(void *arg)
{
    struct gate_run *r = arg;

    r->left_at = co_now();
    gate_client_leave(&r->client, true);
}

static void
upstream_ends(void *arg)
{
    gate_upstream_leave(&((struct gate_run *)arg)->up, false);
}

static void
upstream_resets(void *arg)
{
    gate_upstream_leave(&((struct gate_run *)arg)->up, true);
}

static void
all_are_stopped(void *arg)
{
    (void)arg;
    conn_stop_all(gate_sim_worker());
}

static void
idle_are_closed(void *arg)
{
    (void)arg;
    conn_close_idle(gate_sim_worker());
}

static void
time_is_up(void *arg)
{
    (void)arg;
    LIST_FOREACH (it, &gate_sim_worker()->conns) {
        struct conn_in *c = LIST_ITEM(it, struct conn_in, node);

        if (c->x.working)
            exchange_stop(&c->x, END_TOTAL_TIMEOUT, TG_EDEADLINE);
    }
}

static void
worker_drains(void *arg)
{
    struct gate_run *r = arg;

    r->then_again = false;
    worker_drain(gate_sim_worker());
}

static void
worker_drains_fast(void *arg)
{
    struct gate_run *r = arg;

    r->then_again = false;
    worker_drain_fast(gate_sim_worker());
}

static void
cancel_series(const char *what, void (*act)(void *arg))
{
    char name[64];

    for (int late = 0; late < 2; late++) {
        (void)snprintf(name, sizeof name, "%s%s", what, late ? ", late" : "");
        gate_run_series(name,
                        (struct gate_fault){.kind = GATE_FAULT_PARK, .act = act, .late = late},
                        10, 2);
    }
}

static void
peers_leave(void **state)
{
    (void)state;
    cancel_series("the client ends", client_ends);
    cancel_series("the client resets", client_resets);
    cancel_series("the upstream ends", upstream_ends);
    cancel_series("the upstream resets", upstream_resets);
}

static void
scopes_are_cancelled(void **state)
{
    (void)state;
    cancel_series("stopped", all_are_stopped);
    cancel_series("idle closed", idle_are_closed);
    cancel_series("time is up", time_is_up);
    cancel_series("drain", worker_drains);
    cancel_series("fast drain", worker_drains_fast);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peers_leave),
        cmocka_unit_test(scopes_are_cancelled),
    };

    gate_kinds_init();
    return cmocka_run_group_tests_name("gate, leaving", tests, NULL, NULL);
}
