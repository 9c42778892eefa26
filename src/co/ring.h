/* ring.h -- the kernel's completion ring, seen from the scheduler and from sockets.
 *
 * Two implementations, chosen when linking: src/co/ring*.c (liburing) and
 * tests/support/ring_sim.c (seeded, virtual time, short reads, reordering, faults).
 *
 * Rules
 *  (1) A ring belongs to the thread that opened it; only ring_wake may be called elsewhere.
 *  (2) A struct ring_op belongs to the caller, who keeps it and all memory named with it until
 *      its last completion (the call of done without RING_MORE).  Its address is the user_data.
 *  (3) done() is called from ring_turn only.  It must not suspend and must not free the op's
 *      memory unless this completion is the last one.  It may submit other operations, and the
 *      same op again when this completion was the last.
 *  (4) ring_cancel asks; the op still completes by itself, with -ECANCELED or with its result.
 *  (5) Submitting never fails: a full submission queue is flushed and retried.
 *  (6) A completion with RING_BUFFER hands over buffer `bid`, whatever res says; it must be
 * given back with ring_buffer_return, exactly once.
 */
#ifndef CO_RING_H
#define CO_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "triglot/err.h"

struct ring;
struct ring_op;

enum {
    RING_MORE = 1,   /* a multishot goes on: more completions follow  */
    RING_BUFFER = 2, /* bid is a provided buffer that is now the caller's */
};

/* res: result or -errno, as the system call of the same name would give. */
typedef void ring_done_fn(struct ring_op *op, int32_t res, unsigned flags, unsigned bid);

struct ring_op {
    ring_done_fn *done;
    bool in_flight;  /* submitted and the last completion not yet seen */
    bool cancelling; /* ring_cancel was asked for this flight */
};

struct ring_conf {
    unsigned entries;      /* submission queue, power of two; 0 = 1024                    */
    unsigned cq_entries;   /* completion queue, power of two; 0 = 16 * entries            */
    unsigned buffers;      /* provided receive buffers, power of two <= 32768; 0 = none   */
    unsigned buffer_bytes; /* size of each                                                */
};

/* Opens a ring for the calling thread.  When the kernel refuses, err says what is the likely
 * cause (kernel.io_uring_disabled, seccomp, RLIMIT_MEMLOCK, kernel too old) and the remedy. */
TG_MUST_USE tg_rc ring_open(struct ring **ret, const struct ring_conf *conf,
                            struct tg_err *err);
/* No operation may be in flight. */
void ring_close(struct ring *r);

/* Monotonic nanoseconds; virtual in the simulator. */
int64_t ring_now(struct ring *r);

/* Prepares an operation; it is submitted at the latest by the next ring_turn. */
void ring_accept(struct ring *r, struct ring_op *op, int fd); /* multishot where it is sound */
void ring_connect(struct ring *r, struct ring_op *op, int fd, const struct sockaddr *sa,
                  socklen_t len);
/* Multishot into provided buffers.  -ENOBUFS ends it: re-arm when buffers have come back. */
void ring_recv_many(struct ring *r, struct ring_op *op, int fd);
/* One receive into one of them.  -ENOBUFS as above. */
void ring_recv_once(struct ring *r, struct ring_op *op, int fd);
void ring_recv(struct ring *r, struct ring_op *op, int fd, void *p, size_t n);
void ring_send(struct ring *r, struct ring_op *op, int fd, const void *p, size_t n);
void ring_poll(struct ring *r, struct ring_op *op, int fd, unsigned events); /* one shot */
void ring_read(struct ring *r, struct ring_op *op, int fd, void *p, size_t n);
void ring_write(struct ring *r, struct ring_op *op, int fd, const void *p, size_t n);
/* No-op unless in flight and not yet asked. */
void ring_cancel(struct ring *r, struct ring_op *op);

unsigned char *ring_buffer(struct ring *r, unsigned bid);
void ring_buffer_return(struct ring *r, unsigned bid);
unsigned ring_buffer_bytes(const struct ring *r);
unsigned ring_buffers_free(const struct ring *r); /* not now in a caller's hands */

/* Submits, waits for a completion, a ring_wake or the time `until` (INT64_MIN: does not wait),
 * and calls done for every completion there is.  A lost completion (CQ overflow that the kernel
 * could not keep) is TG_EINTERNAL: the worker must end. */
TG_MUST_USE tg_rc ring_turn(struct ring *r, int64_t until, struct tg_err *err);
/* From any thread: the ring's current or next ring_turn returns.  By MSG_RING. */
void ring_wake(struct ring *r);

/* Operations submitted whose last completion has not been seen (wake-ups and cancel requests do
 * not count). */
unsigned ring_in_flight(const struct ring *r);

struct ring_stats {
    uint64_t turns, submitted, completed, cq_overflows, enobufs, wakes;
};
const struct ring_stats *ring_stats(const struct ring *r);

/* One line for --version: kernel release and the io_uring features found ("multishot recv
 * yes"). */
void ring_describe(char *out, size_t n);

#endif
