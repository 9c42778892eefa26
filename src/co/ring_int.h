/* ring_int.h -- what the files of the ring by liburing share and nobody else sees. */
#ifndef CO_RING_INT_H
#define CO_RING_INT_H

#include <liburing.h>
#include <stdatomic.h>

#include "co/ring.h"

/* user_data of what is not an operation; addresses are greater. */
enum { RING_TAG_CANCEL = 1, RING_TAG_WAKE, RING_TAG_EVENT, RING_TAG_LAST };

struct ring_taken {
    uint64_t user_data;
    int32_t res;
    uint32_t flags;
};

struct ring {
    struct io_uring u;
    unsigned in_flight;
    bool accept_many; /* multishot accept is sound on this kernel */
    bool woken_here;  /* ring_wake by the ring's own thread */
    bool event_armed;
    atomic_bool wake_pending;
    int event_fd;
    uint64_t event_count;
    struct io_uring_buf_ring *buf_ring;
    unsigned char *buf_mem;
    unsigned buf_n, buf_bytes, buf_free;
    struct ring_taken *stash;
    unsigned n_stash, cap_stash;
    struct ring_stats stats;
};

/* All buffers are of one group. */
enum { RING_BUFFER_GROUP = 0 };

/* ring.c: makes room in a full submission queue; ends the process if the kernel takes nothing
 * any more. */
struct io_uring_sqe *ring_sqe_full(struct ring *r);

/* The next entry to fill; it goes to the kernel with the next turn. */
static inline struct io_uring_sqe *
ring_sqe(struct ring *r)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&r->u);

    return __builtin_expect(sqe != NULL, 1) ? sqe : ring_sqe_full(r);
}

/* ring_setup.c */

/* Asks for a ring with the newest features that the kernel has.  0 or -errno. */
int ring_setup(struct io_uring *u, unsigned entries, unsigned cq_entries);
bool ring_has_recv_many(struct io_uring *u);
bool ring_has_accept_many(const struct io_uring *u);

/* ring_sender.c: sends RING_TAG_WAKE to another thread's ring; waits until the kernel has
 * delivered it, which is at once.  false: it cannot. */
bool ring_send_wake(int ring_fd);

#endif
