/* sock.c -- life and death of a socket on the ring.
 *
 * A sock has up to three operations in flight: one multishot receive, one send, one poll.
 * Closing shuts the connection down, asks the kernel to cancel all of them and drops what is
 * held; the struct, the blocks of a send under way and the descriptor go when the last
 * completion is in.  So neither memory named in an operation nor a descriptor number is reused
 * under the kernel's hands.
 *
 * Callbacks that call out (the gone hook) pin the struct, because the hook may close it.
 *
 * States    open -> closed -> freed, or open -> draining -> closed -> freed (sock_close_sent).
 */
#include "net/sock_int.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

enum {
    READ_HIGH = 8192,
    WRITE_HIGH = 65536,
    WRITE_LOW = 16384,
    PEER_TEXT = 64,
};

#define DRAIN_NS NS_PER_S

_Thread_local struct sock_thread sock_thread;

static struct sock *
drain_timer_sock(struct co_timer *t)
{
    return LIST_ITEM(t, struct sock, drain_timer);
}

static void
drain_expired(struct co_timer *t)
{
    sock_close(drain_timer_sock(t));
}

static uint32_t
mark_or(size_t n, uint32_t usual)
{
    if (n == 0)
        return usual;
    return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

struct sock *
sock_open(int fd, const struct sock_conf *conf)
{
    static const struct sock_conf usual;
    struct sock *s = mem_new_lines(struct sock);
    unsigned n_free;
    int one = 1;

    if (!conf)
        conf = &usual;
    s->fd = fd;
    s->ring = co_ring();
    assert(s->ring && ring_buffer_bytes(s->ring) > 0);
    s->recv.done = sock_recv_done;
    s->send.done = sock_send_done;
    s->poll.done = sock_poll_done;
    s->read_high = mark_or(conf->read_high, READ_HIGH);
    s->write_high = mark_or(conf->write_high, WRITE_HIGH);
    s->write_low = mark_or(conf->write_low, WRITE_LOW);
    if (s->write_low > s->write_high)
        s->write_low = s->write_high;
    s->stalled_since = CO_NEVER;
    list_init(&s->starved);
    co_timer_init(&s->drain_timer, drain_expired);

    if (!sock_thread.starved.next)
        list_init(&sock_thread.starved);
    n_free = ring_buffers_free(s->ring);
    if (sock_thread.live == 0 || n_free > sock_thread.free_max)
        sock_thread.free_max = n_free;
    sock_thread.live++;

    /* Fails on a socket that is not TCP, which is then none the worse. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    sock_arm(s);
    return s;
}

void
sock_pin(struct sock *s)
{
    s->pins++;
}

void
sock_unpin(struct sock *s)
{
    s->pins--;
    if (!s->closed || s->pins > 0 || s->recv.in_flight || s->send.in_flight ||
        s->poll.in_flight)
        return;
    block_queue_clear(&s->out);
    close(s->fd);
    sock_thread.live--;
    mem_free(s->peer);
    mem_free(s);
}

void
sock_close(struct sock *s)
{
    if (!s)
        return;
    assert(!s->closed && !s->reader_here && !s->writer_here);
    s->closed = true;
    s->gone = NULL;
    co_timer_clear(&s->drain_timer);
    sock_pin(s);
    list_del(&s->starved);
    sock_drop_input(s);
    sock_drop_output(s);
    shutdown(s->fd, SHUT_RDWR);
    ring_cancel(s->ring, &s->recv);
    ring_cancel(s->ring, &s->send);
    ring_cancel(s->ring, &s->poll);
    sock_unpin(s);
}

void
sock_close_sent(struct sock *s)
{
    if (!s)
        return;
    if (s->out.n == 0 || s->write_failed || s->read_errno != 0) {
        sock_close(s);
        return;
    }
    assert(!s->closed && !s->reader_here && !s->writer_here);
    s->gone = NULL;
    s->draining = true;
    sock_drop_input(s);
    ring_cancel(s->ring, &s->recv);
    co_timer_set(&s->drain_timer, co_now() + DRAIN_NS);
}

void
sock_linger(struct sock *s, co_time until)
{
    struct co_scope sc;
    struct str bytes;

    co_scope_open(&sc, until);
    if (sock_flush(s) == TG_OK) {
        shutdown(s->fd, SHUT_WR);
        while (sock_read(s, &bytes) == TG_OK && bytes.n > 0)
            sock_consume(s, bytes.n);
    }
    co_scope_close(&sc);
}

void
sock_tell_gone(struct sock *s, bool eof)
{
    /* A reader will find out, save that nothing can be sent any more. */
    if ((s->reader_here && !s->write_failed) || !s->gone || (eof ? s->told_eof : s->told_error))
        return;
    if (eof)
        s->told_eof = true;
    else
        s->told_error = true;
    sock_pin(s);
    s->gone(s->gone_arg, eof);
    sock_unpin(s);
}

void
sock_on_gone(struct sock *s, sock_gone_fn *fn, void *arg)
{
    s->gone = fn;
    s->gone_arg = arg;
    s->told_eof = s->told_error = false;
    if (s->write_failed || s->read_errno != 0 || s->broken)
        sock_tell_gone(s, false);
    else if (s->eof || s->left)
        sock_tell_gone(s, true);
}

bool
sock_make_blocking(struct sock *s)
{
    int flags;

    if (s->blocking_tried)
        return false;
    s->blocking_tried = true;
    flags = fcntl(s->fd, F_GETFL);
    return flags != -1 && fcntl(s->fd, F_SETFL, flags & ~O_NONBLOCK) == 0;
}

int
sock_fd(const struct sock *s)
{
    return s->fd;
}

uint64_t
sock_bytes_in(const struct sock *s)
{
    return s->bytes_in;
}

uint64_t
sock_bytes_out(const struct sock *s)
{
    return s->bytes_out;
}

struct str
sock_peer(struct sock *s)
{
    union {
        struct sockaddr sa;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_storage room;
    } u = {0};
    socklen_t n = sizeof u;
    char host[INET6_ADDRSTRLEN] = "", text[PEER_TEXT];

    if (s->peer)
        return str_z(s->peer);
    if (getpeername(s->fd, &u.sa, &n) == 0 && u.sa.sa_family == AF_INET) {
        inet_ntop(AF_INET, &u.in.sin_addr, host, sizeof host);
        snprintf(text, sizeof text, "%s:%u", host, ntohs(u.in.sin_port));
    } else if (u.sa.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &u.in6.sin6_addr, host, sizeof host);
        snprintf(text, sizeof text, "[%s]:%u", host, ntohs(u.in6.sin6_port));
    } else {
        snprintf(text, sizeof text, "-");
    }
    s->peer = mem_dup_z(str_z(text));
    return str_z(s->peer);
}

unsigned
sock_live(void)
{
    return sock_thread.live;
}

const struct sock_stats *
sock_stats(void)
{
    return &sock_thread.stats;
}

void
sock_thread_fini(void)
{
    assert(sock_thread.live == 0);
    block_thread_fini();
    sock_thread.free_max = 0;
}
