/* op.c -- one ring operation, waited for.
 *
 * The operation's struct lies in the waiting coroutine's frame, which therefore stays suspended
 * until the completion is here, also when it is cancelled: the cancel is only asked for, and
 * whichever comes first in the kernel decides.
 */
#include "co/co_int.h"

#include <errno.h>

struct co_op {
    struct ring_op op;
    struct co *co;
    int32_t res;
};

static void
op_done(struct ring_op *op, int32_t res, unsigned flags, unsigned bid)
{
    struct co_op *o = LIST_ITEM(op, struct co_op, op);

    (void)flags, (void)bid;
    o->res = res;
    co_wake(o->co, TG_OK);
}

static void
op_interrupt(struct co *c, tg_rc why)
{
    struct co_op *o = c->waits_on;

    (void)why;
    ring_cancel(co_self->ring, &o->op);
}

/* After the operation has been submitted: *ret_res is its result when TG_OK is returned. */
static tg_rc
op_wait(struct co_op *o, int32_t *ret_res, int *ret_errno)
{
    tg_rc rc;

    (void)co_park(o->co, op_interrupt, o);
    if (o->res == -ECANCELED && (rc = co_reason(o->co)) != TG_OK)
        return rc;
    if (o->res < 0) {
        *ret_errno = -o->res;
        return TG_EIO;
    }
    *ret_res = o->res;
    return TG_OK;
}

static tg_rc
op_init(struct co_op *o)
{
    *o = (struct co_op){.op = {.done = op_done}, .co = co_cur()};
    return co_reason(o->co);
}

tg_rc
co_connect(int fd, const struct sockaddr *sa, socklen_t len, int *ret_errno)
{
    struct co_op o;
    int32_t res;
    tg_rc rc = op_init(&o);

    if (rc != TG_OK)
        return rc;
    ring_connect(co_self->ring, &o.op, fd, sa, len);
    return op_wait(&o, &res, ret_errno);
}

tg_rc
co_poll(int fd, unsigned events, unsigned *ret_revents)
{
    struct co_op o;
    int32_t res;
    int eno;
    tg_rc rc = op_init(&o);

    if (rc != TG_OK)
        return rc;
    ring_poll(co_self->ring, &o.op, fd, events);
    rc = op_wait(&o, &res, &eno);
    if (rc == TG_OK)
        *ret_revents = (unsigned)res;
    return rc;
}

tg_rc
co_read(int fd, void *p, size_t n, size_t *ret_n, int *ret_errno)
{
    struct co_op o;
    int32_t res;
    int eno = 0;
    tg_rc rc;

    do {
        rc = op_init(&o);
        if (rc != TG_OK)
            return rc;
        ring_read(co_self->ring, &o.op, fd, p, n);
        rc = op_wait(&o, &res, &eno);
    } while (rc == TG_EIO && eno == EINTR);
    if (rc == TG_OK)
        *ret_n = (size_t)res;
    else if (rc == TG_EIO)
        *ret_errno = eno;
    return rc;
}

tg_rc
co_write_all(int fd, const void *p, size_t n, int *ret_errno)
{
    const char *at = p;
    struct co_op o;
    int32_t res;
    int eno = 0;
    tg_rc rc;

    while (n > 0) {
        rc = op_init(&o);
        if (rc != TG_OK)
            return rc;
        ring_write(co_self->ring, &o.op, fd, at, n);
        rc = op_wait(&o, &res, &eno);
        if (rc == TG_EIO && eno == EINTR)
            continue;
        if (rc == TG_EIO)
            *ret_errno = eno;
        if (rc != TG_OK)
            return rc;
        at += res;
        n -= (size_t)res;
    }
    return TG_OK;
}
