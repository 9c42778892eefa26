/* sock_read.c -- receiving: the multishot, shared buffers, the spill, pausing, starving.
 *
 * A completion brings a shared buffer.  While a reader waits (or has been woken and has not run
 * yet) the buffer itself is queued for it, up to SOCK_SHARED_MAX; otherwise, and whenever
 * shared buffers are scarce, the bytes are copied into the spill and the buffer goes back at
 * once.  So a stream whose reader is held up elsewhere cannot take buffers from the others.
 *
 * Order: all queued shared chunks precede the spill; once the spill has bytes, new ones go
 * there.
 *
 * Pausing: a spill of read_high or more cancels the multishot.  The kernel's window then closes
 * and the peer stops.  What was already under way still arrives and is kept.  A poll for the
 * peer's leaving stands in for the receive until the spill has drained to half of read_high.  A
 * reader that is on its way is given more credit, for it is about to drain the spill.
 *
 * What is under way may be much: a multishot brings up to thirty-two buffers before anybody is
 * asked.  So a sock begins by receiving one buffer at a time, and does so again after a pause.
 * The multishot, which is cheaper, is for one whose reader keeps up: a few receives in a row
 * found it waiting and left the kernel with nothing.
 *
 * Lazy acknowledgements: when the kernel puts one off and no second segment comes in time, it
 * sends it and goes back to its usual way, for good.  A pause in the stream does that, and so
 * does a peer that waits for the acknowledgement.  So it is asked again after some receives,
 * and after twice as many each time that it was in vain.  It is not asked before as many have
 * come either: the beginning of a stream is waited for.
 *
 * Starving: -ENOBUFS ends a multishot although nothing is wrong with the connection.  The sock
 * queues up and is armed again when a buffer is free, first come, first served.  It is tried at
 * once too, because the buffers may have come back before this completion was looked at, and
 * then no later return would wake it.
 */
#include "net/sock_int.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>

enum {
    CREDIT = 4,        /* times read_high, for a reader on its way */
    ACKS_LOOK = 32,    /* receives between two looks at how the kernel acknowledges */
    ACKS_LOST_MAX = 10 /* times that this is doubled */
};

static struct sock *
recv_sock(struct ring_op *op)
{
    return LIST_ITEM(op, struct sock, recv);
}

static struct sock *
poll_sock(struct ring_op *op)
{
    return LIST_ITEM(op, struct sock, poll);
}

void
sock_arm(struct sock *s)
{
    if (s->closed || s->draining || s->eof || s->read_errno != 0 || s->paused ||
        s->recv.in_flight || !list_empty(&s->starved))
        return;
    if (s->calm < SOCK_CALM)
        ring_recv_once(s->ring, &s->recv, s->fd);
    else
        ring_recv_many(s->ring, &s->recv, s->fd);
}

/* Arms the starved socks, oldest first, when there is a buffer to be had.  All of them: those
 * that have nothing to receive take no buffer, and those that come too late queue up again in
 * order. */
static void
serve_starved(struct ring *ring)
{
    struct list *starved = &sock_thread.starved;

    while (!list_empty(starved) && ring_buffers_free(ring) > 0) {
        struct sock *s = LIST_ITEM(list_first(starved), struct sock, starved);

        list_del(&s->starved);
        sock_arm(s);
    }
}

static void
starve(struct sock *s)
{
    sock_thread.stats.starved++;
    if (s->paused)
        return;
    list_add_tail(&sock_thread.starved, &s->starved);
    serve_starved(s->ring);
}

static void
give_back(struct ring *ring, unsigned bid)
{
    ring_buffer_return(ring, bid);
    serve_starved(ring);
}

static bool
buffers_scarce(const struct sock *s)
{
    return ring_buffers_free(s->ring) < sock_thread.free_max / 4;
}

static void
watch_peer(struct sock *s)
{
    if (!s->poll.in_flight && !s->left && !s->broken)
        ring_poll(s->ring, &s->poll, s->fd, POLLRDHUP);
}

static void
pause_input(struct sock *s)
{
    s->paused = true;
    s->calm = 0;
    sock_thread.stats.paused++;
    list_del(&s->starved);
    ring_cancel(s->ring, &s->recv);
    watch_peer(s);
}

static void
resume_input(struct sock *s)
{
    s->paused = false;
    /* A cancel under way arms again when it completes. */
    sock_arm(s);
}

void
sock_ack_lazily(struct sock *s)
{
    if (s->acks_lazily)
        return;
    s->acks_lazily = true;
    s->acks_left = ACKS_LOOK;
}

/* Fails on a socket that is not TCP, which is then none the worse. */
static __attribute__((noinline)) void
look_at_acks(struct sock *s)
{
    int at_once = 0, lazily = 0;
    socklen_t n = sizeof at_once;

    (void)getsockopt(s->fd, IPPROTO_TCP, TCP_QUICKACK, &at_once, &n);
    if (!at_once)
        s->acks_lost = 0;
    else if (s->acks_asked && s->acks_lost < ACKS_LOST_MAX)
        s->acks_lost++;
    if (at_once)
        (void)setsockopt(s->fd, IPPROTO_TCP, TCP_QUICKACK, &lazily, sizeof lazily);
    s->acks_asked = true;
    s->acks_left = (uint16_t)(ACKS_LOOK << s->acks_lost);
}

/* Takes the received bytes out of a shared buffer, or the buffer itself. */
static void
take_chunk(struct sock *s, unsigned bid, uint32_t n)
{
    bool here = s->reader_here;

    s->bytes_in += n;
    if (s->acks_lazily && --s->acks_left == 0)
        look_at_acks(s);
    if (!here || s->spill.n > 0 || s->n_shared > 0 || n == ring_buffer_bytes(s->ring))
        s->calm = 0;
    else if (s->calm < SOCK_CALM)
        s->calm++;
    if (here && s->spill.n == 0 && s->n_shared < SOCK_SHARED_MAX && !buffers_scarce(s)) {
        s->shared[s->n_shared++] = (struct sock_chunk){bid, n};
        return;
    }
    block_queue_append(&s->spill, str_of((char *)ring_buffer(s->ring, bid), n));
    sock_thread.stats.held_bytes += n;
    give_back(s->ring, bid);
    if (s->spill.n / (here ? CREDIT : 1) >= s->read_high && !s->paused)
        pause_input(s);
}

/* The multishot has ended without bytes to show for it. */
static void
recv_ended(struct sock *s, int32_t res)
{
    if (res == 0) {
        s->eof = true;
        sock_tell_gone(s, true);
    } else if (res == -ENOBUFS) {
        starve(s);
    } else if (res == -ECANCELED || res == -EINTR ||
               (res == -EAGAIN && sock_make_blocking(s))) {
        sock_arm(s);
    } else {
        s->read_errno = -res;
        sock_tell_gone(s, false);
    }
}

void
sock_recv_done(struct ring_op *op, int32_t res, unsigned flags, unsigned bid)
{
    struct sock *s = recv_sock(op);

    sock_pin(s);
    if (flags & RING_BUFFER) {
        if (res > 0 && !s->closed && !s->draining)
            take_chunk(s, bid, (uint32_t)res);
        else
            give_back(s->ring, bid);
    }
    if (!s->closed && !s->draining && !s->eof) {
        if (res <= 0)
            recv_ended(s, res);
        else if (!(flags & RING_MORE))
            sock_arm(s);
        if (s->reader_here)
            co_event_signal(&s->readable);
    }
    sock_unpin(s);
}

void
sock_poll_done(struct ring_op *op, int32_t res, unsigned flags, unsigned bid)
{
    struct sock *s = poll_sock(op);

    (void)flags;
    (void)bid;
    sock_pin(s);
    if (!s->closed && !s->draining && res > 0) {
        if (res & (POLLERR | POLLHUP)) {
            s->broken = true;
            sock_tell_gone(s, false);
        } else if (res & POLLRDHUP) {
            s->left = true;
            sock_tell_gone(s, true);
        }
    }
    sock_unpin(s);
}

static bool
connection_lost(int e)
{
    switch (e) {
    case ECONNRESET:
    case EPIPE:
    case ETIMEDOUT:
    case ECONNABORTED:
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENETDOWN:
    case ENOTCONN:
        return true;
    default:
        return false;
    }
}

/* What can be returned without waiting: TG_OK with bytes or EOF, an error, or TG_EUNAVAIL. */
static tg_rc
read_now(const struct sock *s, struct str *ret)
{
    if (s->n_shared > 0) {
        const struct sock_chunk *c = &s->shared[0];

        *ret =
            str_of((char *)ring_buffer(s->ring, c->bid) + s->shared_off, c->n - s->shared_off);
        return TG_OK;
    }
    if (s->spill.n > 0) {
        *ret = block_queue_front(&s->spill);
        return TG_OK;
    }
    if (s->read_errno != 0)
        return connection_lost(s->read_errno) ? TG_EGONE : TG_EIO;
    if (s->eof) {
        *ret = str_of(NULL, 0);
        return TG_OK;
    }
    return TG_EUNAVAIL;
}

tg_rc
sock_read_until(struct sock *s, co_time until, struct str *ret)
{
    tg_rc rc, rc_wait = TG_OK;

    assert(!s->closed && !s->reader_here);
    for (;;) {
        rc = read_now(s, ret);
        if (rc != TG_EUNAVAIL)
            break;
        rc = rc_wait;
        if (rc != TG_OK)
            break;
        s->reader_here = true;
        rc_wait = co_event_wait_until(&s->readable, until);
        s->reader_here = false;
    }
    return rc;
}

tg_rc
sock_read(struct sock *s, struct str *ret)
{
    return sock_read_until(s, CO_NEVER, ret);
}

void
sock_consume(struct sock *s, size_t n)
{
    if (n == 0)
        return;
    if (s->n_shared > 0) {
        struct sock_chunk c = s->shared[0];

        assert(n <= c.n - s->shared_off);
        s->shared_off += (uint32_t)n;
        if (s->shared_off < c.n)
            return;
        s->shared_off = 0;
        if (--s->n_shared > 0)
            memmove(s->shared, s->shared + 1, s->n_shared * sizeof s->shared[0]);
        give_back(s->ring, c.bid);
        return;
    }
    block_queue_consume(&s->spill, n);
    sock_thread.stats.held_bytes -= n;
    if (s->paused && s->spill.n <= s->read_high / 2)
        resume_input(s);
}

bool
sock_readable(const struct sock *s)
{
    return s->n_shared > 0 || s->spill.n > 0 || s->eof || s->read_errno != 0 || s->left ||
           s->broken;
}

void
sock_drop_input(struct sock *s)
{
    while (s->n_shared > 0)
        give_back(s->ring, s->shared[--s->n_shared].bid);
    s->shared_off = 0;
    sock_thread.stats.held_bytes -= s->spill.n;
    block_queue_clear(&s->spill);
}
