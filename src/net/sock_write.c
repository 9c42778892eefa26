/* sock_write.c -- sending: a bounded queue and one send in flight.
 *
 * Bytes are copied into pooled blocks.  Each send is the contiguous piece in front, so what is
 * put while a send is under way leaves with the next one, in one go.  A short send is normal:
 * the rest stays in front.  When a send fails the queue is dropped and every later put is
 * TG_EGONE; the receiving side is left alone, because the peer's last words may still be there
 * to read.
 */
#include "net/sock_int.h"

#include <assert.h>
#include <errno.h>

static struct sock *
send_sock(struct ring_op *op)
{
    return LIST_ITEM(op, struct sock, send);
}

static void
send_more(struct sock *s)
{
    struct str front;

    if (s->send.in_flight || s->out.n == 0)
        return;
    front = block_queue_front(&s->out);
    ring_send(s->ring, &s->send, s->fd, front.p, front.n);
}

void
sock_drop_output(struct sock *s)
{
    sock_thread.stats.unsent_bytes -= s->out.n;
    s->stalled_since = CO_NEVER;
    /* The front piece is the kernel's while a send is in flight; sock_unpin clears it then. */
    if (!s->send.in_flight)
        block_queue_clear(&s->out);
}

static void
send_failed(struct sock *s)
{
    s->write_failed = true;
    sock_drop_output(s);
    sock_tell_gone(s, false);
}

static void
sent(struct sock *s, int32_t res)
{
    if (res > 0) {
        block_queue_consume(&s->out, (size_t)res);
        s->bytes_out += (uint64_t)res;
        sock_thread.stats.unsent_bytes -= (uint64_t)res;
        s->stalled_since = s->out.n > 0 ? co_now() : CO_NEVER;
    } else if (res != -EINTR && !(res == -EAGAIN && sock_make_blocking(s))) {
        send_failed(s);
    }
}

void
sock_send_done(struct ring_op *op, int32_t res, unsigned flags, unsigned bid)
{
    struct sock *s = send_sock(op);

    (void)flags;
    (void)bid;
    sock_pin(s);
    if (!s->closed)
        sent(s, res);
    if (!s->closed) {
        send_more(s);
        /* A send that failed has emptied the queue. */
        if (s->writer_here && s->out.n <= s->wake_at)
            co_event_signal(&s->writable);
        if (s->draining && s->out.n == 0)
            sock_close(s);
    }
    sock_unpin(s);
}

/* Until at most mark bytes are unsent. */
static tg_rc
wait_unsent(struct sock *s, size_t mark)
{
    tg_rc rc = TG_OK;

    while (s->out.n > mark && !s->write_failed && rc == TG_OK) {
        assert(!s->writer_here);
        s->wake_at = (uint32_t)mark;
        s->writer_here = true;
        rc = co_event_wait(&s->writable);
        s->writer_here = false;
    }
    if (s->write_failed)
        return TG_EGONE;
    return s->out.n <= mark ? TG_OK : rc;
}

tg_rc
sock_putv_now(struct sock *s, const struct str *v, int n)
{
    size_t before = s->out.n;

    assert(!s->closed && !s->draining);
    if (s->write_failed)
        return TG_EGONE;
    for (int i = 0; i < n; i++)
        block_queue_append(&s->out, v[i]);
    sock_thread.stats.unsent_bytes += s->out.n - before;
    if (before == 0 && s->out.n > 0)
        s->stalled_since = co_now();
    send_more(s);
    return TG_OK;
}

tg_rc
sock_put_now(struct sock *s, struct str bytes)
{
    return sock_putv_now(s, &bytes, 1);
}

tg_rc
sock_wait_low(struct sock *s)
{
    if (s->write_failed)
        return TG_EGONE;
    return s->out.n > s->write_high ? wait_unsent(s, s->write_low) : TG_OK;
}

tg_rc
sock_putv(struct sock *s, const struct str *v, int n)
{
    tg_rc rc = sock_putv_now(s, v, n);

    return rc == TG_OK ? sock_wait_low(s) : rc;
}

tg_rc
sock_put(struct sock *s, struct str bytes)
{
    return sock_putv(s, &bytes, 1);
}

tg_rc
sock_flush(struct sock *s)
{
    return wait_unsent(s, 0);
}

size_t
sock_unsent(const struct sock *s)
{
    return s->write_failed ? 0 : s->out.n;
}

bool
sock_writable(const struct sock *s)
{
    return !s->write_failed;
}

co_time
sock_stalled_since(const struct sock *s)
{
    return s->stalled_since;
}
