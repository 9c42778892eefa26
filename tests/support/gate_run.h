/* gate_run.h -- an exchange with one fault in a simulated gateway, then one without.
 *
 * After each run, or the program ends with a message: the client was told what is right
 * (gate_kinds.h); a client that left was noticed upstream within 100 ms; all upstream
 * connections are closed or idle in the pool; nothing of the gateway's is under way; there are
 * as many access lines as exchanges; the exchange without a fault came out whole; and once the
 * worker has been drained nothing is left at all (gate_sim.h).
 */
#ifndef TESTS_SUPPORT_GATE_RUN_H
#define TESTS_SUPPORT_GATE_RUN_H

#include "support/gate_fault.h"
#include "support/gate_kinds.h"

struct gate_run {
    const struct gate_kind *k;
    struct gate_fault fault;
    uint64_t seed;
    bool then_again; /* the worker is to serve once more */
    bool hit;        /* the fault has happened */
    co_time left_at; /* when the client left, 0 = it did not */
    struct gate_client client, others[2];
    bool must; /* private: the answers have to be right */
    struct gate_upstream up;
    unsigned answers; /* that the client had the head of */
    unsigned lines;   /* in the access log before */
    bool beaten;      /* without a fault: a heartbeat came with an answer */
    bool held;        /* without a fault: the queue for the client was at its high mark */
};

void gate_run(struct gate_run *r, const struct gate_kind *k, const struct gate_fault *f,
              uint64_t seed);
/* For each kind of exchange: the first thing that may fail fails, then the second, until a run
 * does not meet its fault.  There must be at least that many.  The whole of it for so many
 * seeds, one after the other from gate_run_seed.  f's arg is the run. */
void gate_run_series(const char *what, struct gate_fault f, uint64_t least, unsigned seeds);
/* GATE_SEED of the environment, or one that is known to find much. */
uint64_t gate_run_seed(void);

#endif
