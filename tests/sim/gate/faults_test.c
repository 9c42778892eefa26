/* faults_test.c -- whatever fails, in a whole gateway: five exchanges, one fault a run.
 *
 * A client and an upstream are scripted in the gateway's own simulated network.  The exchanges
 * are a stream of the same dialect, a translated stream (Messages in front, Chat behind), two
 * short calls on one connection, a request too large for one burst, and one that waits while
 * others have the only connection upstream.  What must hold after each run is in gate_run.h.  A
 * hang shows as 60 s of virtual time, or as the simulator's deadlock.
 *
 * Each series fails the first thing of a kind in its first run, the second in its second, until
 * a run ends without having met its fault: ring operations as they are submitted, completions
 * in place of what they were to bring, transfers of one byte, and what has a bound of its own
 * (buffers, stacks, jobs for offload threads, descriptors).
 *
 * Allocations: libc having no memory ends the process by contract (base/mem.h), at whatever
 * allocation, with one line and nothing else; the series over the heap, each run in a child,
 * sees to that.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "support/co_test.h"
#include "support/gate_run.h"
#include "support/gate_sim.h"

static void
without_a_fault(void **state)
{
    struct gate_fault none = {.kind = GATE_FAULT_NONE};
    static struct gate_run r;

    (void)state;
    for (unsigned i = 0; i < GATE_KINDS; i++)
        for (uint64_t seed = 1; seed <= 40; seed++) {
            gate_sim_title("%s, seed %llu", gate_kinds[i].name, (unsigned long long)seed);
            gate_run(&r, &gate_kinds[i], &none, seed);
            GATE_EXPECT(r.beaten == (gate_kinds[i].end != NULL));
            GATE_EXPECT(r.held || !gate_kinds[i].end);
        }
}

static void
errnos_series(const char *what, enum gate_fault_kind kind)
{
    static const int errnos[] = {ECONNRESET, ENOBUFS, ECANCELED, EPIPE,
                                 ETIMEDOUT,  EINTR,   EMFILE};
    char name[64];

    for (size_t i = 0; i < sizeof errnos / sizeof errnos[0]; i++) {
        (void)snprintf(name, sizeof name, "%s, %s", what, strerrorname_np(errnos[i]));
        gate_run_series(name, (struct gate_fault){.kind = kind, .sys_errno = errnos[i]}, 10, 1);
    }
}

static void
operations_fail(void **state)
{
    (void)state;
    errnos_series("operation", GATE_FAULT_SUBMIT);
}

static void
completions_fail(void **state)
{
    (void)state;
    errnos_series("completion", GATE_FAULT_RESULT);
}

static void
transfers_are_short(void **state)
{
    (void)state;
    gate_run_series("short", (struct gate_fault){.kind = GATE_FAULT_SHORT}, 10, 1);
}

static void
bounds_are_met(void **state)
{
    (void)state;
    gate_run_series("bound", (struct gate_fault){.kind = GATE_FAULT_BOUND}, 3, 1);
    gate_run_series("stack", (struct gate_fault){.kind = GATE_FAULT_STACK}, 1, 1);
    gate_run_series("offload", (struct gate_fault){.kind = GATE_FAULT_OFFLOAD}, 1, 1);
    gate_run_series("socket",
                    (struct gate_fault){.kind = GATE_FAULT_SOCKET, .sys_errno = EMFILE}, 1, 1);
}

/* Starting a worker: it serves, or ends and says why, and nothing is left either way. */
static tg_rc
start_script(void *arg)
{
    bool *ret_serves = arg;
    const char *what = gate_sim_quiet(5 * NS_PER_S);

    *ret_serves = what == NULL;
    if (what && gate_sim_worker()->rc == TG_OK && gate_sim_worker()->drain_stage == 0 &&
        strcmp(what, "the worker has ended") != 0)
        gate_sim_die("it neither serves nor ends: %s", what);
    return TG_OK;
}

static void
starting_fails(void **state)
{
    struct gate_fault f = {.kind = GATE_FAULT_STACK};
    bool serves = false;

    (void)state;
    while (!serves) {
        tg_rc rc;

        f.n += f.n == 1 ? 2 : 1; /* the second is the script's */
        gate_sim_title("start, stack %llu", (unsigned long long)f.n);
        gate_sim_arm(&f);
        rc = gate_sim_run(gate_kinds_settings, 1, start_script, &serves);
        if ((rc == TG_OK) != serves)
            gate_sim_die("it ended with %s and %s", tg_rc_name(rc),
                         serves ? "served" : "did not");
        GATE_EXPECT(f.n < 10);
    }
    GATE_EXPECT(f.n == 7); /* main, script, log, relief, accepting, accept */
}

static struct {
    unsigned kind;
    struct gate_fault fault;
} heap;

static void
run_once(void)
{
    static struct gate_run r;

    gate_run(&r, &gate_kinds[heap.kind], &heap.fault, gate_run_seed());
}

/* Each run in a child, which is expected to end with one line and no more. */
static void
the_heap_ends(void **state)
{
    static const char line[] = "triglot: out of memory: ";
    char text[1024];
    int sig;

    (void)state;
    for (unsigned i = 0; i < GATE_KINDS; i++) {
        heap.kind = i;
        heap.fault = (struct gate_fault){.kind = GATE_FAULT_HEAP};
        do {
            heap.fault.n++;
            gate_sim_title("%s, allocation %llu", gate_kinds[i].name,
                           (unsigned long long)heap.fault.n);
            sig = co_test_dies(run_once, text, sizeof text);
            if (sig != 0 && (sig != SIGABRT || strncmp(text, line, sizeof line - 1) != 0 ||
                             strchr(text, '\n') != text + strlen(text) - 1))
                gate_sim_die("signal %d, and it said: %s", sig, text);
        } while (sig != 0);
        GATE_EXPECT(heap.fault.n > 10);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_fault),  cmocka_unit_test(operations_fail),
        cmocka_unit_test(completions_fail), cmocka_unit_test(transfers_are_short),
        cmocka_unit_test(bounds_are_met),   cmocka_unit_test(starting_fails),
        cmocka_unit_test(the_heap_ends),
    };

    gate_kinds_init();
    return cmocka_run_group_tests_name("gate, faults", tests, NULL, NULL);
}
