/* ring_ops.c -- the operations: one entry of the submission queue for each.
 *
 * The operation's address is its user_data.  A cancel request asks for no completion of its own
 * unless it fails, and that is ignored: -ENOENT and -EALREADY mean that the target was faster.
 */
#include <assert.h>

#include "co/ring_int.h"

static struct io_uring_sqe *
begin(struct ring *r, struct ring_op *op)
{
    assert(!op->in_flight && op->done);
    op->in_flight = true;
    op->cancelling = false;
    r->in_flight++;
    r->stats.submitted++;
    return ring_sqe(r);
}

static void
end(struct io_uring_sqe *sqe, struct ring_op *op)
{
    io_uring_sqe_set_data(sqe, op);
}

void
ring_accept(struct ring *r, struct ring_op *op, int fd)
{
    struct io_uring_sqe *sqe = begin(r, op);

    if (r->accept_many)
        io_uring_prep_multishot_accept(sqe, fd, NULL, NULL, SOCK_CLOEXEC);
    else
        io_uring_prep_accept(sqe, fd, NULL, NULL, SOCK_CLOEXEC);
    end(sqe, op);
}

void
ring_connect(struct ring *r, struct ring_op *op, int fd, const struct sockaddr *sa,
             socklen_t len)
{
    struct io_uring_sqe *sqe = begin(r, op);

    io_uring_prep_connect(sqe, fd, sa, len);
    end(sqe, op);
}

void
ring_recv_many(struct ring *r, struct ring_op *op, int fd)
{
    struct io_uring_sqe *sqe = begin(r, op);

    assert(r->buf_ring);
    io_uring_prep_recv_multishot(sqe, fd, NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = RING_BUFFER_GROUP;
    end(sqe, op);
}

void
ring_recv_once(struct ring *r, struct ring_op *op, int fd)
{
    struct io_uring_sqe *sqe = begin(r, op);

    assert(r->buf_ring);
    io_uring_prep_recv(sqe, fd, NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = RING_BUFFER_GROUP;
    end(sqe, op);
}

void
ring_recv(struct ring *r, struct ring_op *op, int fd, void *p, size_t n)
{
    struct io_uring_sqe *sqe = begin(r, op);

    io_uring_prep_recv(sqe, fd, p, n, 0);
    end(sqe, op);
}

void
ring_send(struct ring *r, struct ring_op *op, int fd, const void *p, size_t n)
{
    struct io_uring_sqe *sqe = begin(r, op);

    io_uring_prep_send(sqe, fd, p, n, MSG_NOSIGNAL);
    end(sqe, op);
}

void
ring_poll(struct ring *r, struct ring_op *op, int fd, unsigned events)
{
    struct io_uring_sqe *sqe = begin(r, op);

    io_uring_prep_poll_add(sqe, fd, events);
    end(sqe, op);
}

/* The length of a read or write is 32 bits wide in the kernel's interface. */
static unsigned
clamp(size_t n)
{
    return n > INT32_MAX ? INT32_MAX : (unsigned)n;
}

void
ring_read(struct ring *r, struct ring_op *op, int fd, void *p, size_t n)
{
    struct io_uring_sqe *sqe = begin(r, op);

    io_uring_prep_read(sqe, fd, p, clamp(n), UINT64_MAX);
    end(sqe, op);
}

void
ring_write(struct ring *r, struct ring_op *op, int fd, const void *p, size_t n)
{
    struct io_uring_sqe *sqe = begin(r, op);

    io_uring_prep_write(sqe, fd, p, clamp(n), UINT64_MAX);
    end(sqe, op);
}

void
ring_cancel(struct ring *r, struct ring_op *op)
{
    struct io_uring_sqe *sqe;

    if (!op->in_flight || op->cancelling)
        return;
    op->cancelling = true;
    sqe = ring_sqe(r);
    io_uring_prep_cancel64(sqe, (uintptr_t)op, 0);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    io_uring_sqe_set_data64(sqe, RING_TAG_CANCEL);
}
