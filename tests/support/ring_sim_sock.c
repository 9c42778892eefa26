/* ring_sim_sock.c -- sockets of the simulated network: who is connected to whom, what is on the
 * way, and what an operation on one of them does.
 *
 * Whether an operation could complete (sim_ready) is asked apart from completing it
 * (sim_perform), so that a fault may take the place of a completion that was about to come.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/ring_sim_int.h"

struct sim_sock *
sim_sock_of(int fd)
{
    int i = fd - RING_SIM_FD;

    if (i < 0 || i >= sim_world.n_socks || sim_world.socks[i]->state == SIM_CLOSED)
        return NULL;
    return sim_world.socks[i];
}

static struct sim_sock *
peer_of(const struct sim_sock *s)
{
    return s->peer < 0 ? NULL : sim_world.socks[s->peer];
}

void
sim_forget_socks(void)
{
    int i;

    for (i = 0; i < sim_world.n_socks; i++) {
        sim_drop(sim_world.socks[i]->rx);
        sim_drop(sim_world.socks[i]->backlog);
        sim_drop(sim_world.socks[i]);
    }
    sim_drop(sim_world.socks);
    sim_world.socks = NULL;
    sim_world.n_socks = 0;
}

/* Numbers are never used twice, so a stale descriptor is noticed. */
static int
sock_new(enum sim_state state)
{
    struct sim_sock *s = sim_grow(NULL, sizeof *s);

    *s = (struct sim_sock){.state = state, .peer = -1};
    sim_world.socks =
        sim_grow(sim_world.socks, (size_t)(sim_world.n_socks + 1) * sizeof *sim_world.socks);
    sim_world.socks[sim_world.n_socks] = s;
    return sim_world.n_socks++;
}

static void
join_socks(int a, int b)
{
    sim_world.socks[a]->peer = b;
    sim_world.socks[b]->peer = a;
    sim_world.socks[a]->state = sim_world.socks[b]->state = SIM_CONNECTED;
}

void
ring_sim_pair(int ret_fds[2])
{
    int a = sock_new(SIM_FRESH), b = sock_new(SIM_FRESH);

    join_socks(a, b);
    ret_fds[0] = RING_SIM_FD + a;
    ret_fds[1] = RING_SIM_FD + b;
}

int
ring_sim_socket(void)
{
    return RING_SIM_FD + sock_new(SIM_FRESH);
}

int
ring_sim_listen(unsigned port)
{
    int i = sock_new(SIM_LISTENING);

    sim_world.socks[i]->port = port;
    return RING_SIM_FD + i;
}

static void
close_now(struct sim_sock *s)
{
    struct sim_sock *peer = peer_of(s);
    unsigned i;

    if (peer) {
        peer->rx_eof = true;
        peer->peer = -1;
    }
    for (i = 0; i < s->n_backlog; i++)
        close_now(sim_world.socks[s->backlog[i]]);
    sim_drop(s->backlog);
    sim_drop(s->rx);
    *s = (struct sim_sock){.state = SIM_CLOSED, .peer = -1};
}

void
ring_sim_close(int fd)
{
    struct sim_sock *s = sim_sock_of(fd);

    if (!s)
        return;
    if (sim_busy(fd))
        s->closing = true;
    else
        close_now(s);
}

void
ring_sim_reset(int fd)
{
    struct sim_sock *s = sim_sock_of(fd), *peer = s ? peer_of(s) : NULL;

    if (peer) {
        peer->reset = true;
        peer->rx_n = 0;
    }
    ring_sim_close(fd);
}

void
ring_sim_shutdown(int fd)
{
    struct sim_sock *s = sim_sock_of(fd), *peer = s ? peer_of(s) : NULL;

    if (peer)
        peer->rx_eof = true;
}

size_t
ring_sim_waiting(int fd)
{
    struct sim_sock *s = sim_sock_of(fd);

    return s ? s->rx_n : 0;
}

unsigned
ring_sim_open(void)
{
    unsigned n = 0;
    int i;

    for (i = 0; i < sim_world.n_socks; i++)
        n += sim_world.socks[i]->state != SIM_CLOSED;
    return n;
}

void
sim_close_waiting(void)
{
    int i;

    for (i = 0; i < sim_world.n_socks; i++)
        if (sim_world.socks[i]->closing && !sim_busy(RING_SIM_FD + i))
            close_now(sim_world.socks[i]);
}

/* How much of n is moved: all, or by chance less. */
static size_t
cut(size_t n, size_t most)
{
    if (most > 0 && n > most)
        return most;
    if (n > 1 && ring_sim_random(100) < sim_world.knobs.short_pct)
        return 1 + (size_t)ring_sim_random(n - 1);
    return n;
}

static bool
recv_ready(const struct sim_sock *s)
{
    return s->reset || s->rx_n > 0 || s->rx_eof || s->state != SIM_CONNECTED;
}

static int32_t
do_recv(struct sim_sock *s, void *p, size_t n, size_t most)
{
    if (s->reset) {
        s->reset = false;
        s->rx_eof = true;
        return -ECONNRESET;
    }
    if (s->rx_n == 0)
        return s->rx_eof ? 0 : -ENOTCONN;
    n = cut(n < s->rx_n ? n : s->rx_n, most);
    memcpy(p, s->rx, n);
    s->rx_n -= n;
    memmove(s->rx, s->rx + n, s->rx_n);
    return (int32_t)n;
}

/* Into a shared buffer: a multishot, or once. */
static void
do_recv_shared(struct ring *r, struct sim_rec *c, struct sim_sock *s, size_t most,
               struct sim_result *ret)
{
    unsigned bid;

    if (r->buf_free == 0) {
        ret->res = -ENOBUFS;
        return;
    }
    do
        bid = (unsigned)ring_sim_random(r->buf_n);
    while (r->buffer_out[bid]);
    ret->res = do_recv(s, r->buffers + (size_t)bid * r->buf_bytes, r->buf_bytes, most);
    if (ret->res > 0) {
        r->buffer_out[bid] = 1;
        r->buf_free--;
        ret->bid = bid;
        ret->flags = RING_BUFFER;
        if (c->kind == SIM_RECV_MANY) {
            ret->flags |= RING_MORE;
            c->ripe_at = sim_soon();
        }
    }
}

static size_t
send_room(const struct sim_sock *peer)
{
    size_t max = sim_world.knobs.socket_bytes;

    return max > peer->rx_n ? max - peer->rx_n : 0;
}

static bool
send_ready(const struct sim_sock *s, size_t n)
{
    const struct sim_sock *peer = peer_of(s);

    return !peer || peer->closing || n == 0 || send_room(peer) > 0;
}

static int32_t
do_send(struct sim_sock *s, const void *p, size_t n, size_t most)
{
    struct sim_sock *peer = peer_of(s);

    if (!peer || peer->closing)
        return s->reset ? -ECONNRESET : s->state == SIM_CONNECTED ? -EPIPE : -ENOTCONN;
    if (n == 0)
        return 0;
    n = cut(n < send_room(peer) ? n : send_room(peer), most);
    if (peer->rx_n + n > peer->rx_cap) {
        peer->rx_cap = 2 * (peer->rx_n + n);
        peer->rx = sim_grow(peer->rx, peer->rx_cap);
    }
    memcpy(peer->rx + peer->rx_n, p, n);
    peer->rx_n += n;
    return (int32_t)n;
}

static unsigned
poll_events(const struct sim_sock *s, unsigned events)
{
    const struct sim_sock *peer = peer_of(s);
    unsigned have = 0;

    if (s->rx_n > 0 || s->rx_eof || s->n_backlog > 0)
        have |= POLLIN;
    if (s->rx_eof)
        have |= POLLRDHUP;
    if (s->state == SIM_CONNECTED && !peer)
        have |= POLLHUP;
    if (s->reset)
        have |= POLLERR | POLLHUP;
    if (peer && send_room(peer) > 0)
        have |= POLLOUT;
    return have & (events | POLLHUP | POLLERR);
}

static int32_t
do_connect(const struct sim_rec *c)
{
    struct sim_sock *l;
    int i, far;

    for (i = 0; i < sim_world.n_socks; i++)
        if (sim_world.socks[i]->state == SIM_LISTENING && sim_world.socks[i]->port == c->port)
            break;
    if (i == sim_world.n_socks)
        return -ECONNREFUSED;
    l = sim_world.socks[i];
    far = sock_new(SIM_FRESH);
    sim_world.socks[far]->spared = l->spared;
    join_socks(c->fd - RING_SIM_FD, far);
    l->backlog = sim_grow(l->backlog, (l->n_backlog + 1) * sizeof *l->backlog);
    l->backlog[l->n_backlog++] = far;
    return 0;
}

static void
do_accept(struct sim_rec *c, struct sim_sock *s, struct sim_result *ret)
{
    ret->res = RING_SIM_FD + s->backlog[0];
    s->n_backlog--;
    memmove(s->backlog, s->backlog + 1, s->n_backlog * sizeof *s->backlog);
    if (!sim_world.knobs.accept_once) {
        ret->flags = RING_MORE;
        c->ripe_at = sim_soon();
    }
}

/* Small descriptors are the kernel's: files and pipes of the test. */
static bool
is_real(const struct sim_rec *c)
{
    return c->fd < RING_SIM_FD && (c->kind == SIM_RECV || c->kind == SIM_SEND);
}

static int32_t
do_real(struct sim_rec *c, size_t most)
{
    size_t want = most > 0 && c->n > most ? most : c->n;
    ssize_t n;

    if (c->kind == SIM_SEND && sim_world.on_write) {
        sim_world.on_write(sim_world.on_write_arg, c->fd, c->p, want);
        return (int32_t)want;
    }
    n = c->kind == SIM_SEND ? write(c->fd, c->p, want) : read(c->fd, c->p, want);
    return n < 0 ? -errno : (int32_t)n;
}

bool
sim_ready(const struct ring *r, const struct sim_rec *c)
{
    const struct sim_sock *s = sim_sock_of(c->fd);

    if (is_real(c) || !s)
        return true;
    switch (c->kind) {
    case SIM_ACCEPT:
        return s->n_backlog > 0;
    case SIM_CONNECT:
        return true;
    case SIM_RECV_MANY:
    case SIM_RECV_ONCE:
        return r->buf_free == 0 || recv_ready(s);
    case SIM_RECV:
        return recv_ready(s);
    case SIM_SEND:
        return send_ready(s, c->n);
    case SIM_POLL:
        return poll_events(s, c->events) != 0;
    }
    abort();
}

void
sim_perform(struct ring *r, struct sim_rec *c, size_t most, struct sim_result *ret)
{
    struct sim_sock *s = sim_sock_of(c->fd);

    if (is_real(c)) {
        ret->res = do_real(c, most);
        return;
    }
    if (!s) {
        ret->res = -EBADF;
        return;
    }
    switch (c->kind) {
    case SIM_ACCEPT:
        do_accept(c, s, ret);
        break;
    case SIM_CONNECT:
        ret->res = do_connect(c);
        break;
    case SIM_RECV_MANY:
    case SIM_RECV_ONCE:
        do_recv_shared(r, c, s, most, ret);
        break;
    case SIM_RECV:
        ret->res = do_recv(s, c->p, c->n, most);
        break;
    case SIM_SEND:
        ret->res = do_send(s, c->p, c->n, most);
        break;
    case SIM_POLL:
        ret->res = (int32_t)poll_events(s, c->events);
        break;
    }
}
