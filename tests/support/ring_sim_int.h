/* ring_sim_int.h -- what the files of the simulated ring share. */
#ifndef TESTS_SUPPORT_RING_SIM_INT_H
#define TESTS_SUPPORT_RING_SIM_INT_H

#include <stdatomic.h>

#include "co/ring.h"
#include "support/ring_sim.h"

enum sim_kind {
    SIM_ACCEPT,
    SIM_CONNECT,
    SIM_RECV_MANY,
    SIM_RECV_ONCE, /* into a shared buffer too */
    SIM_RECV,
    SIM_SEND,
    SIM_POLL
};

/* An operation in flight. */
struct sim_rec {
    struct ring_op *op; /* NULL: it is over */
    enum sim_kind kind;
    int fd;
    char *p;
    size_t n;
    unsigned events, port;
    int64_t ripe_at, cancel_at; /* cancel_at INT64_MAX: not asked */
    int fault;                  /* errno to fail with, 0 = none */
};

struct sim_result {
    struct ring_op *op;
    int32_t res;
    unsigned flags, bid;
};

enum sim_state { SIM_CLOSED, SIM_FRESH, SIM_LISTENING, SIM_CONNECTED };

struct sim_sock {
    enum sim_state state;
    int peer; /* index, -1: gone */
    unsigned port;
    char *rx; /* bytes sent to it */
    size_t rx_n, rx_cap;
    bool rx_eof, reset, closing, spared;
    int *backlog;
    unsigned n_backlog;
};

struct ring {
    unsigned char *buffers;
    unsigned char *buffer_out; /* one flag a buffer: in a caller's hands */
    unsigned buf_n, buf_bytes, buf_free;
    unsigned in_flight;
    struct ring_stats stats;
};

enum sim_plan { SIM_NO_FAULT, SIM_SUBMIT, SIM_COMPLETE, SIM_SHORT, SIM_SOCKET };

/* One network, one clock, at most one ring. */
struct sim_world {
    uint64_t rng;
    int64_t now;
    struct ring_sim_knobs knobs;
    struct sim_sock **socks;
    int n_socks;
    struct sim_rec *recs;
    size_t n_recs, cap_recs;
    struct sim_result *results;
    size_t n_results, cap_results;
    uint64_t ops;
    struct {
        enum sim_plan what;
        uint64_t left; /* things of that kind until it happens, 0 = it has */
        int sys_errno;
        char hit[48]; /* in words */
    } plan;
    ring_sim_write_fn *on_write;
    void *on_write_arg;
    struct ring *ring;
    atomic_bool woken;
};
extern struct sim_world sim_world;

/* ring_sim.c */

/* From libc itself, also where the program's own allocations are made to fail. */
void *sim_grow(void *p, size_t n);
void sim_drop(void *p);
/* A random moment at which what is ready now completes. */
int64_t sim_soon(void);
/* An operation on fd is in flight. */
bool sim_busy(int fd);

/* ring_sim_sock.c */
struct sim_sock *sim_sock_of(int fd); /* NULL: no such socket */
/* Would the operation complete by itself now?  Changes nothing. */
bool sim_ready(const struct ring *r, const struct sim_rec *c);
/* Completes it; most: bytes it may move, 0 = as many as it likes. */
void sim_perform(struct ring *r, struct sim_rec *c, size_t most, struct sim_result *ret);
/* Closes what waited for its last operation. */
void sim_close_waiting(void);
void sim_forget_socks(void);

/* ring_sim_fault.c */

/* On a descriptor that is the test's own. */
bool sim_spared(const struct sim_rec *c);
/* Whether the planned fault is this operation's, its completion's, this
 * socket's; each call counts one. */
void sim_fault_submitted(struct sim_rec *c);
int sim_fault_completes(const struct sim_rec *c);
size_t sim_fault_most(const struct sim_rec *c);
int sim_fault_socket(void);

#endif
