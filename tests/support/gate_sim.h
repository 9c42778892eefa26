/* gate_sim.h -- a whole gateway worker in a simulated network, in virtual time.
 *
 * The worker is the daemon's own, started as the daemon starts it, with settings from text and
 * one listener; its ring is the simulated one, so everything else in the network (clients,
 * upstreams) is coroutines of the test in the same scheduler.  Needs the simulated ring and the
 * --wrap list of the gate's simulations.
 */
#ifndef TESTS_SUPPORT_GATE_SIM_H
#define TESTS_SUPPORT_GATE_SIM_H

#include "gate/worker.h"

enum { GATE_SIM_PORT = 8080 };

/* Runs a worker; script(arg) is a coroutine of its own named "script".  When it has returned
 * the worker is drained unless it has ended by itself.  Ends the program with a message unless
 * then everything is gone: connections, operations, shared buffers, simulated sockets, libc's
 * blocks.  Names of hosts resolve to loopback.  Returns what the worker ended with. */
tg_rc gate_sim_run(const char *yaml, uint64_t seed, co_fn *script, void *arg);

/* This fault is armed before the worker starts, in the next run only. */
struct gate_fault;
void gate_sim_arm(const struct gate_fault *f);

/* For the script. */
struct worker *gate_sim_worker(void);
/* Waits, at most this long, until the gateway serves and has nothing to do: no client
 * connection, no upstream connection that is not idle in its pool, no operation but the accept
 * and one receive for each idle connection.  Returns what there still is, or NULL.  S */
const char *gate_sim_quiet(co_time ns);
/* Upstream connections idle in the pools. */
unsigned gate_sim_idle(void);

/* What is being run, for messages. */
void gate_sim_title(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Says the title and this, and aborts. */
void gate_sim_die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
#define GATE_EXPECT(cond)                                                                      \
    do {                                                                                       \
        if (!(cond))                                                                           \
            gate_sim_die("%s:%d: %s", __FILE__, __LINE__, #cond);                              \
    } while (0)

#endif
