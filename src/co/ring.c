/* ring.c -- the kernel's completion ring by liburing: opened, turned, woken, closed; and the
 * receive buffers that it fills.
 *
 * One io_uring_enter a turn submits what was prepared, waits, and runs the kernel's deferred
 * work; a turn that need not wait and has nothing to submit skips it when the kernel says that
 * no work is pending.  All completions are taken in each turn.
 *
 * user_data says what has completed: an operation by its address, or one of the small numbers
 * of ring_int.h.
 *
 * Wake-ups from other threads are messages (ring_sender.c), or, when the kernel refuses those,
 * a write to an eventfd of which a read is kept in flight.  At most one wake-up is on its way
 * (wake_pending).  The flag is cleared when the wake-up is taken, which is before the scheduler
 * looks at its posts.
 *
 * When the kernel's completion queue is full it keeps overflowing completions aside and may
 * refuse submissions with EBUSY.  Completions are then copied into the stash, to be handled by
 * the next turn, because done functions run in turns only.
 */
#include "co/ring.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "co/ring_int.h"
#include "co/ring_refused.h"

enum { ENTRIES = 1024, CQ_FACTOR = 16, SUBMIT_TRIES = 10000 };

static _Thread_local struct ring *own; /* the calling thread's ring */

static int
open_buffers(struct ring *r, unsigned n, unsigned bytes)
{
    unsigned i;
    int rc = 0;

    r->buf_mem = mmap(NULL, (size_t)n * bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (r->buf_mem == MAP_FAILED) {
        r->buf_mem = NULL;
        return -ENOMEM;
    }
    (void)madvise(r->buf_mem, (size_t)n * bytes, MADV_NOHUGEPAGE);
    (void)madvise(r->buf_mem, (size_t)n * bytes, MADV_DONTFORK);
    r->buf_n = n;
    r->buf_bytes = bytes;
    r->buf_ring = io_uring_setup_buf_ring(&r->u, n, RING_BUFFER_GROUP, 0, &rc);
    if (!r->buf_ring)
        return rc;
    for (i = 0; i < n; i++)
        io_uring_buf_ring_add(r->buf_ring, r->buf_mem + (size_t)i * bytes, bytes,
                              (unsigned short)i, io_uring_buf_ring_mask(n), (int)i);
    io_uring_buf_ring_advance(r->buf_ring, (int)n);
    r->buf_free = n;
    return 0;
}

static void
close_all(struct ring *r)
{
    if (r->buf_ring)
        (void)io_uring_free_buf_ring(&r->u, r->buf_ring, r->buf_n, RING_BUFFER_GROUP);
    io_uring_queue_exit(&r->u);
    if (r->buf_mem)
        munmap(r->buf_mem, (size_t)r->buf_n * r->buf_bytes);
    if (r->event_fd >= 0)
        close(r->event_fd);
    mem_free(r->stash);
    mem_free(r);
    own = NULL;
}

static void
arm_event(struct ring *r)
{
    struct io_uring_sqe *sqe = ring_sqe(r);

    io_uring_prep_read(sqe, r->event_fd, &r->event_count, sizeof r->event_count, 0);
    io_uring_sqe_set_data64(sqe, RING_TAG_EVENT);
    r->event_armed = true;
}

tg_rc
ring_open(struct ring **ret, const struct ring_conf *conf, struct tg_err *err)
{
    unsigned entries = conf->entries ? conf->entries : ENTRIES;
    struct ring *r;
    int rc;

    assert(!own && "a thread has one ring");
    assert((conf->buffers & (conf->buffers - 1)) == 0 && conf->buffers <= 32768);
    r = mem_new(struct ring);
    r->event_fd = -1;
    rc = ring_setup(&r->u, entries, conf->cq_entries ? conf->cq_entries : CQ_FACTOR * entries);
    if (rc < 0) {
        mem_free(r);
        return ring_refused(-rc, err);
    }
    if (!ring_has_recv_many(&r->u))
        rc = -EINVAL;
    if (rc == 0 && conf->buffers > 0)
        rc = open_buffers(r, conf->buffers, conf->buffer_bytes);
    if (rc == 0) {
        r->event_fd = eventfd(0, EFD_CLOEXEC);
        rc = r->event_fd < 0 ? -errno : 0;
    }
    if (rc < 0) {
        close_all(r);
        return ring_refused(-rc, err);
    }
    /* Saves a table look-up in each enter; a kernel that will not is fine. */
    (void)io_uring_register_ring_fd(&r->u);
    (void)io_uring_ring_dontfork(&r->u);
    r->accept_many = ring_has_accept_many(&r->u);
    own = r;
    arm_event(r);
    *ret = r;
    return TG_OK;
}

void
ring_close(struct ring *r)
{
    struct io_uring_sqe *sqe;
    struct tg_err err;

    assert(r == own && r->in_flight == 0);
    sqe = ring_sqe(r);
    io_uring_prep_cancel64(sqe, RING_TAG_EVENT, 0);
    io_uring_sqe_set_data64(sqe, RING_TAG_CANCEL);
    while (r->event_armed && ring_turn(r, INT64_MAX, &err) == TG_OK) {
    }
    close_all(r);
}

int64_t
ring_now(struct ring *r)
{
    (void)r;
    return clock_monotonic_ns();
}

/* Copies all completions out of the kernel's queue. */
static void
stash(struct ring *r)
{
    struct io_uring_cqe *cqe;
    unsigned head, n = 0;

    io_uring_for_each_cqe(&r->u, head, cqe)
    {
        if (r->n_stash == r->cap_stash) {
            r->cap_stash = r->cap_stash ? 2 * r->cap_stash : 256;
            r->stash = mem_grow(r->stash, r->cap_stash * sizeof(*r->stash));
        }
        r->stash[r->n_stash++] = (struct ring_taken){cqe->user_data, cqe->res, cqe->flags};
        n++;
    }
    io_uring_cq_advance(&r->u, n);
}

__attribute__((noinline)) struct io_uring_sqe *
ring_sqe_full(struct ring *r)
{
    struct io_uring_sqe *sqe;
    int rc = 0, tries;

    for (tries = 0; tries < SUBMIT_TRIES; tries++) {
        rc = io_uring_submit(&r->u);
        sqe = io_uring_get_sqe(&r->u);
        if (sqe)
            return sqe;
        if (rc == -EBUSY || rc == -EAGAIN) {
            stash(r);
            (void)io_uring_get_events(&r->u);
            stash(r);
        } else if (rc < 0 && rc != -EINTR) {
            break;
        }
    }
    (void)fprintf(stderr, "triglot: the kernel takes no more ring operations: %s\n",
                  strerror(-rc));
    abort();
}

unsigned char *
ring_buffer(struct ring *r, unsigned bid)
{
    assert(bid < r->buf_n);
    return r->buf_mem + (size_t)bid * r->buf_bytes;
}

void
ring_buffer_return(struct ring *r, unsigned bid)
{
    assert(bid < r->buf_n && r->buf_free < r->buf_n);
    r->buf_free++;
    io_uring_buf_ring_add(r->buf_ring, r->buf_mem + (size_t)bid * r->buf_bytes, r->buf_bytes,
                          (unsigned short)bid, io_uring_buf_ring_mask(r->buf_n), 0);
    io_uring_buf_ring_advance(r->buf_ring, 1);
}

unsigned
ring_buffer_bytes(const struct ring *r)
{
    return r->buf_bytes;
}

unsigned
ring_buffers_free(const struct ring *r)
{
    return r->buf_free;
}

static void
woken(struct ring *r)
{
    atomic_store(&r->wake_pending, false);
    r->stats.wakes++;
}

static void
handle(struct ring *r, struct ring_taken t)
{
    unsigned flags = 0, bid = 0;
    struct ring_op *op;

    if (t.user_data < RING_TAG_LAST) {
        if (t.user_data == RING_TAG_WAKE)
            woken(r);
        if (t.user_data == RING_TAG_EVENT) {
            r->event_armed = false;
            if (t.res > 0)
                woken(r);
            if (t.res != -ECANCELED)
                arm_event(r);
        }
        return;
    }
    op = (struct ring_op *)(uintptr_t)t.user_data;
    r->stats.completed++;
    if (t.flags & IORING_CQE_F_BUFFER) {
        bid = t.flags >> IORING_CQE_BUFFER_SHIFT;
        flags |= RING_BUFFER;
        r->buf_free--;
    }
    if (t.res == -ENOBUFS)
        r->stats.enobufs++;
    if (t.flags & IORING_CQE_F_MORE) {
        flags |= RING_MORE;
    } else {
        op->in_flight = false;
        r->in_flight--;
    }
    op->done(op, t.res, flags, bid);
}

/* Each completion is taken off the queue before it is handled, because handling may stash. */
static void
reap(struct ring *r)
{
    unsigned i, head, tail = io_uring_smp_load_acquire(r->u.cq.ktail);
    const struct io_uring_cqe *cqe;
    struct ring_taken t;

    for (i = 0; i < r->n_stash; i++)
        handle(r, r->stash[i]);
    r->n_stash = 0;
    while ((int)(tail - (head = *r->u.cq.khead)) > 0) {
        cqe = &r->u.cq.cqes[(head & r->u.cq.ring_mask) << io_uring_cqe_shift(&r->u)];
        t = (struct ring_taken){cqe->user_data, cqe->res, cqe->flags};
        io_uring_smp_store_release(r->u.cq.khead, head + 1);
        handle(r, t);
    }
}

static unsigned
kernel_flags(const struct ring *r)
{
    return IO_URING_READ_ONCE(*r->u.sq.kflags);
}

static int
enter(struct ring *r, int64_t until)
{
    struct io_uring_cqe *cqe;
    struct __kernel_timespec ts;
    int64_t left = 0;

    if (until != INT64_MIN && until != INT64_MAX)
        left = until - clock_monotonic_ns();
    if (r->woken_here || r->n_stash > 0 || (left <= 0 && until != INT64_MAX)) {
        r->woken_here = false;
        if (io_uring_sq_ready(&r->u) == 0 &&
            !(kernel_flags(r) & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)))
            return 0;
        return io_uring_submit_and_get_events(&r->u);
    }
    if (until == INT64_MAX)
        return io_uring_submit_and_wait_timeout(&r->u, &cqe, 1, NULL, NULL);
    ts = (struct __kernel_timespec){.tv_sec = left / NS_PER_S, .tv_nsec = left % NS_PER_S};
    return io_uring_submit_and_wait_timeout(&r->u, &cqe, 1, &ts, NULL);
}

tg_rc
ring_turn(struct ring *r, int64_t until, struct tg_err *err)
{
    int rc = enter(r, until);

    assert(r == own);
    r->stats.turns++;
    for (;;) {
        /* Nothing came, a signal, or the kernel wants its completions taken first. */
        if (rc == -ETIME || rc == -EINTR || rc == -EAGAIN || rc == -EBUSY)
            rc = 0;
        if (rc == -EBADR)
            return tg_fail(err, TG_EINTERNAL, TG_ERR_INTERNAL, "completion_lost",
                           "the kernel lost a completion of the ring: its queue overflowed and "
                           "there was no memory to keep it");
        if (rc < 0)
            return tg_fail_sys(err, -rc, "io_uring_enter failed");
        reap(r);
        if (!(kernel_flags(r) & IORING_SQ_CQ_OVERFLOW))
            return TG_OK;
        r->stats.cq_overflows++;
        rc = io_uring_get_events(&r->u);
    }
}

void
ring_wake(struct ring *r)
{
    uint64_t one = 1;

    if (r == own) {
        r->woken_here = true;
        return;
    }
    if (atomic_exchange(&r->wake_pending, true))
        return;
    if (!ring_send_wake(r->u.ring_fd))
        (void)!write(r->event_fd, &one, sizeof one);
}

unsigned
ring_in_flight(const struct ring *r)
{
    return r->in_flight;
}

const struct ring_stats *
ring_stats(const struct ring *r)
{
    return &r->stats;
}
