/* ring_sim.c -- the simulated ring; see ring_sim.h.
 *
 * Each submitted operation is a record that becomes ripe at a random time after submission and
 * completes when it is ripe and its socket allows it.  A turn looks at all ripe records in
 * random order, executes those that can complete, and only then calls their done functions,
 * again in that order; so callbacks see what a kernel could have shown them, not more.  When
 * nothing can complete, time jumps to the next moment at which a record ripens or to the
 * caller's `until`.
 *
 * A multishot record completes at most once a turn and ripens anew.
 */
#include "support/ring_sim.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "co/ring.h"

enum op_kind { ACCEPT, CONNECT, RECV_MANY, RECV, SEND, POLL };

struct rec {
    struct ring_op *op; /* NULL: the record is over */
    enum op_kind kind;
    int fd;
    char *p;
    size_t n;
    unsigned events, port;
    int64_t ripe_at, cancel_at; /* cancel_at INT64_MAX: not asked */
    int fault;
};

struct result {
    struct ring_op *op;
    int32_t res;
    unsigned flags, bid;
};

enum sock_state { CLOSED, FRESH, LISTENING, CONNECTED };

struct sock {
    enum sock_state state;
    int peer; /* index, -1: gone */
    unsigned port;
    char *rx; /* bytes sent to it */
    size_t rx_n, rx_cap;
    bool rx_eof, reset, closing;
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

static struct {
    uint64_t rng;
    int64_t now;
    struct ring_sim_knobs knobs;
    struct sock **socks;
    int n_socks;
    struct rec *recs;
    size_t n_recs, cap_recs;
    struct result *results;
    size_t n_results, cap_results;
    uint64_t ops, fail_at;
    int fail_errno;
    struct ring *ring;
    atomic_bool woken;
} sim = {.rng = 1,
         .now = 1000000000,
         .knobs = {.short_pct = 30, .delay_max_ns = 50000, .socket_bytes = 65536}};

static void *
grow(void *p, size_t n)
{
    p = realloc(p, n ? n : 1);
    if (!p)
        abort();
    return p;
}

uint64_t
ring_sim_random(uint64_t n)
{
    uint64_t z = (sim.rng += UINT64_C(0x9E3779B97F4A7C15));

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (z ^ (z >> 31)) % n;
}

static int64_t
soon(void)
{
    return sim.now + (int64_t)ring_sim_random((uint64_t)sim.knobs.delay_max_ns + 1);
}

static struct sock *
sock_of(int fd)
{
    int i = fd - RING_SIM_FD;

    if (i < 0 || i >= sim.n_socks || sim.socks[i]->state == CLOSED)
        return NULL;
    return sim.socks[i];
}

static struct sock *
peer_of(const struct sock *s)
{
    return s->peer < 0 ? NULL : sim.socks[s->peer];
}

void
ring_sim_seed(uint64_t seed)
{
    int i;

    assert(!sim.ring);
    for (i = 0; i < sim.n_socks; i++) {
        free(sim.socks[i]->rx);
        free(sim.socks[i]->backlog);
        free(sim.socks[i]);
    }
    free(sim.socks);
    sim.socks = NULL;
    sim.n_socks = 0;
    sim.rng = seed;
    sim.now = 1000000000;
    sim.ops = sim.fail_at = 0;
    sim.n_recs = sim.n_results = 0;
    sim.knobs =
        (struct ring_sim_knobs){.short_pct = 30, .delay_max_ns = 50000, .socket_bytes = 65536};
}

struct ring_sim_knobs *
ring_sim_knobs(void)
{
    return &sim.knobs;
}

/* Numbers are never used twice, so a stale descriptor is noticed. */
static int
sock_new(enum sock_state state)
{
    struct sock *s = grow(NULL, sizeof *s);

    *s = (struct sock){.state = state, .peer = -1};
    sim.socks = grow(sim.socks, (size_t)(sim.n_socks + 1) * sizeof *sim.socks);
    sim.socks[sim.n_socks] = s;
    return sim.n_socks++;
}

static void
join_socks(int a, int b)
{
    sim.socks[a]->peer = b;
    sim.socks[b]->peer = a;
    sim.socks[a]->state = sim.socks[b]->state = CONNECTED;
}

void
ring_sim_pair(int ret_fds[2])
{
    int a = sock_new(FRESH), b = sock_new(FRESH);

    join_socks(a, b);
    ret_fds[0] = RING_SIM_FD + a;
    ret_fds[1] = RING_SIM_FD + b;
}

int
ring_sim_socket(void)
{
    return RING_SIM_FD + sock_new(FRESH);
}

int
ring_sim_listen(unsigned port)
{
    int i = sock_new(LISTENING);

    sim.socks[i]->port = port;
    return RING_SIM_FD + i;
}

static bool
busy(int fd)
{
    size_t i;

    for (i = 0; i < sim.n_recs; i++)
        if (sim.recs[i].op && sim.recs[i].fd == fd)
            return true;
    return false;
}

static void
close_now(struct sock *s)
{
    struct sock *peer = peer_of(s);
    unsigned i;

    if (peer) {
        peer->rx_eof = true;
        peer->peer = -1;
    }
    for (i = 0; i < s->n_backlog; i++)
        close_now(sim.socks[s->backlog[i]]);
    free(s->backlog);
    free(s->rx);
    *s = (struct sock){.state = CLOSED, .peer = -1};
}

void
ring_sim_close(int fd)
{
    struct sock *s = sock_of(fd);

    if (!s)
        return;
    if (busy(fd))
        s->closing = true;
    else
        close_now(s);
}

void
ring_sim_reset(int fd)
{
    struct sock *s = sock_of(fd), *peer = s ? peer_of(s) : NULL;

    if (peer) {
        peer->reset = true;
        peer->rx_n = 0;
    }
    ring_sim_close(fd);
}

void
ring_sim_shutdown(int fd)
{
    struct sock *s = sock_of(fd), *peer = s ? peer_of(s) : NULL;

    if (peer)
        peer->rx_eof = true;
}

size_t
ring_sim_waiting(int fd)
{
    struct sock *s = sock_of(fd);

    return s ? s->rx_n : 0;
}

unsigned
ring_sim_open(void)
{
    unsigned n = 0;
    int i;

    for (i = 0; i < sim.n_socks; i++)
        n += sim.socks[i]->state != CLOSED;
    return n;
}

void
ring_sim_fail(uint64_t n, int sys_errno)
{
    sim.fail_at = n ? sim.ops + n : 0;
    sim.fail_errno = sys_errno;
}

uint64_t
ring_sim_ops(void)
{
    return sim.ops;
}

/* How much of n is moved: all, or by chance less. */
static size_t
cut(size_t n)
{
    if (n > 1 && ring_sim_random(100) < sim.knobs.short_pct)
        return 1 + (size_t)ring_sim_random(n - 1);
    return n;
}

static size_t
take_rx(struct sock *s, void *to, size_t n)
{
    n = cut(n < s->rx_n ? n : s->rx_n);
    memcpy(to, s->rx, n);
    s->rx_n -= n;
    memmove(s->rx, s->rx + n, s->rx_n);
    return n;
}

static bool
try_recv(struct sock *s, void *p, size_t n, int32_t *ret)
{
    if (s->reset) {
        s->reset = false;
        s->rx_eof = true;
        *ret = -ECONNRESET;
    } else if (s->rx_n > 0) {
        *ret = (int32_t)take_rx(s, p, n);
    } else if (s->rx_eof) {
        *ret = 0;
    } else if (s->state != CONNECTED) {
        *ret = -ENOTCONN;
    } else {
        return false;
    }
    return true;
}

static bool
try_recv_many(struct ring *r, struct rec *c, struct sock *s, struct result *ret)
{
    unsigned bid;

    if (r->buf_free == 0) {
        ret->res = -ENOBUFS;
        return true;
    }
    do
        bid = (unsigned)ring_sim_random(r->buf_n);
    while (r->buffer_out[bid]);
    if (!try_recv(s, r->buffers + (size_t)bid * r->buf_bytes, r->buf_bytes, &ret->res))
        return false;
    if (ret->res > 0) {
        r->buffer_out[bid] = 1;
        r->buf_free--;
        ret->bid = bid;
        ret->flags = RING_BUFFER | RING_MORE;
        c->ripe_at = soon();
    }
    return true;
}

static bool
try_send(struct sock *s, const void *p, size_t n, int32_t *ret)
{
    struct sock *peer = peer_of(s);
    size_t room;

    if (!peer || peer->closing) {
        *ret = s->reset ? -ECONNRESET : s->state == CONNECTED ? -EPIPE : -ENOTCONN;
        return true;
    }
    if (n == 0) {
        *ret = 0;
        return true;
    }
    room = sim.knobs.socket_bytes > peer->rx_n ? sim.knobs.socket_bytes - peer->rx_n : 0;
    if (room == 0)
        return false;
    n = cut(n < room ? n : room);
    if (peer->rx_n + n > peer->rx_cap) {
        peer->rx_cap = 2 * (peer->rx_n + n);
        peer->rx = grow(peer->rx, peer->rx_cap);
    }
    memcpy(peer->rx + peer->rx_n, p, n);
    peer->rx_n += n;
    *ret = (int32_t)n;
    return true;
}

static bool
try_poll(struct sock *s, unsigned events, int32_t *ret)
{
    struct sock *peer = peer_of(s);
    unsigned have = 0;

    if (s->rx_n > 0 || s->rx_eof || s->n_backlog > 0)
        have |= POLLIN;
    if (s->rx_eof)
        have |= POLLRDHUP;
    if (s->state == CONNECTED && !peer)
        have |= POLLHUP;
    if (s->reset)
        have |= POLLERR | POLLHUP;
    if (peer && peer->rx_n < sim.knobs.socket_bytes)
        have |= POLLOUT;
    have &= events | POLLHUP | POLLERR;
    *ret = (int32_t)have;
    return have != 0;
}

static bool
try_connect(struct rec *c, int32_t *ret)
{
    struct sock *l;
    int i, far;

    for (i = 0; i < sim.n_socks; i++)
        if (sim.socks[i]->state == LISTENING && sim.socks[i]->port == c->port)
            break;
    if (i == sim.n_socks) {
        *ret = -ECONNREFUSED;
        return true;
    }
    l = sim.socks[i];
    far = sock_new(FRESH);
    join_socks(c->fd - RING_SIM_FD, far);
    l->backlog = grow(l->backlog, (l->n_backlog + 1) * sizeof *l->backlog);
    l->backlog[l->n_backlog++] = far;
    *ret = 0;
    return true;
}

static bool
try_accept(struct rec *c, struct sock *s, struct result *ret)
{
    if (s->n_backlog == 0)
        return false;
    ret->res = RING_SIM_FD + s->backlog[0];
    s->n_backlog--;
    memmove(s->backlog, s->backlog + 1, s->n_backlog * sizeof *s->backlog);
    if (!sim.knobs.accept_once) {
        ret->flags = RING_MORE;
        c->ripe_at = soon();
    }
    return true;
}

/* Small descriptors are the kernel's: files and pipes of the test. */
static bool
try_real(struct rec *c, int32_t *ret)
{
    ssize_t n = c->kind == SEND ? write(c->fd, c->p, c->n) : read(c->fd, c->p, c->n);

    *ret = n < 0 ? -errno : (int32_t)n;
    return true;
}

static bool
try_op(struct ring *r, struct rec *c, struct result *ret)
{
    struct sock *s = sock_of(c->fd);

    if (c->fd < RING_SIM_FD && (c->kind == RECV || c->kind == SEND))
        return try_real(c, &ret->res);
    if (!s) {
        ret->res = -EBADF;
        return true;
    }
    switch (c->kind) {
    case ACCEPT:
        return try_accept(c, s, ret);
    case CONNECT:
        return try_connect(c, &ret->res);
    case RECV_MANY:
        return try_recv_many(r, c, s, ret);
    case RECV:
        return try_recv(s, c->p, c->n, &ret->res);
    case SEND:
        return try_send(s, c->p, c->n, &ret->res);
    case POLL:
        return try_poll(s, c->events, &ret->res);
    }
    abort();
}

/* Whether the operation completes now, and how. */
static bool
step(struct ring *r, struct rec *c, struct result *ret)
{
    bool cancel = c->cancel_at <= sim.now;
    bool first = sim.knobs.cancel == RING_SIM_CANCEL_RACE
                     ? ring_sim_random(2) != 0
                     : sim.knobs.cancel == RING_SIM_CANCEL_WINS;

    *ret = (struct result){.op = c->op};
    if (cancel && first) {
        ret->res = -ECANCELED;
        return true;
    }
    if (c->fault && c->ripe_at <= sim.now) {
        ret->res = -c->fault;
        return true;
    }
    if ((c->ripe_at <= sim.now || cancel) && try_op(r, c, ret))
        return true;
    ret->res = -ECANCELED;
    return cancel;
}

tg_rc
ring_open(struct ring **ret, const struct ring_conf *conf, struct tg_err *err)
{
    struct ring *r = grow(NULL, sizeof *r);

    (void)err;
    assert(!sim.ring && "one simulated ring at a time");
    *r = (struct ring){
        .buf_n = conf->buffers, .buf_bytes = conf->buffer_bytes, .buf_free = conf->buffers};
    r->buffers = grow(NULL, (size_t)r->buf_n * r->buf_bytes);
    r->buffer_out = grow(NULL, r->buf_n);
    memset(r->buffer_out, 0, r->buf_n);
    sim.ring = r;
    *ret = r;
    return TG_OK;
}

void
ring_close(struct ring *r)
{
    assert(r == sim.ring && r->in_flight == 0);
    free(r->buffers);
    free(r->buffer_out);
    free(r);
    free(sim.recs);
    free(sim.results);
    sim.recs = NULL;
    sim.results = NULL;
    sim.n_recs = sim.cap_recs = sim.n_results = sim.cap_results = 0;
    sim.ring = NULL;
}

int64_t
ring_now(struct ring *r)
{
    (void)r;
    return sim.now;
}

static struct rec *
submit(struct ring *r, struct ring_op *op, enum op_kind kind, int fd)
{
    struct rec *c;

    assert(!op->in_flight && op->done);
    op->in_flight = true;
    op->cancelling = false;
    r->in_flight++;
    r->stats.submitted++;
    if (sim.n_recs == sim.cap_recs) {
        sim.cap_recs = sim.cap_recs ? 2 * sim.cap_recs : 64;
        sim.recs = grow(sim.recs, sim.cap_recs * sizeof *sim.recs);
    }
    c = &sim.recs[sim.n_recs++];
    *c = (struct rec){
        .op = op, .kind = kind, .fd = fd, .ripe_at = soon(), .cancel_at = INT64_MAX};
    if (++sim.ops == sim.fail_at)
        c->fault = sim.fail_errno;
    return c;
}

void
ring_accept(struct ring *r, struct ring_op *op, int fd)
{
    (void)submit(r, op, ACCEPT, fd);
}

void
ring_connect(struct ring *r, struct ring_op *op, int fd, const struct sockaddr *sa,
             socklen_t len)
{
    struct rec *c = submit(r, op, CONNECT, fd);
    struct sockaddr_in6 in = {.sin6_port = 0};

    /* The port stands at the same place in both families. */
    memcpy(&in, sa, len < sizeof in ? len : sizeof in);
    c->port = ntohs(in.sin6_port);
}

void
ring_recv_many(struct ring *r, struct ring_op *op, int fd)
{
    assert(r->buf_n > 0);
    (void)submit(r, op, RECV_MANY, fd);
}

void
ring_recv(struct ring *r, struct ring_op *op, int fd, void *p, size_t n)
{
    struct rec *c = submit(r, op, RECV, fd);

    c->p = p;
    c->n = n;
}

void
ring_send(struct ring *r, struct ring_op *op, int fd, const void *p, size_t n)
{
    struct rec *c = submit(r, op, SEND, fd);

    c->p = (char *)p;
    c->n = n;
}

void
ring_poll(struct ring *r, struct ring_op *op, int fd, unsigned events)
{
    submit(r, op, POLL, fd)->events = events;
}

void
ring_read(struct ring *r, struct ring_op *op, int fd, void *p, size_t n)
{
    ring_recv(r, op, fd, p, n);
}

void
ring_write(struct ring *r, struct ring_op *op, int fd, const void *p, size_t n)
{
    ring_send(r, op, fd, p, n);
}

void
ring_cancel(struct ring *r, struct ring_op *op)
{
    size_t i;

    (void)r;
    if (!op->in_flight || op->cancelling)
        return;
    op->cancelling = true;
    for (i = 0; i < sim.n_recs; i++)
        if (sim.recs[i].op == op)
            sim.recs[i].cancel_at = soon();
}

unsigned char *
ring_buffer(struct ring *r, unsigned bid)
{
    assert(bid < r->buf_n && r->buffer_out[bid]);
    return r->buffers + (size_t)bid * r->buf_bytes;
}

void
ring_buffer_return(struct ring *r, unsigned bid)
{
    assert(bid < r->buf_n && r->buffer_out[bid] && "a buffer is given back once");
    r->buffer_out[bid] = 0;
    r->buf_free++;
    /* Whoever still reads it sees rubbish, not the old bytes. */
    memset(r->buffers + (size_t)bid * r->buf_bytes, 0xDB, r->buf_bytes);
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
add_result(const struct result *res)
{
    if (sim.n_results == sim.cap_results) {
        sim.cap_results = sim.cap_results ? 2 * sim.cap_results : 64;
        sim.results = grow(sim.results, sim.cap_results * sizeof *sim.results);
    }
    sim.results[sim.n_results++] = *res;
}

static void
drop_finished(void)
{
    size_t i, k = 0;

    for (i = 0; i < sim.n_recs; i++)
        if (sim.recs[i].op)
            sim.recs[k++] = sim.recs[i];
    sim.n_recs = k;
}

static void
close_waiting(void)
{
    int i;

    for (i = 0; i < sim.n_socks; i++)
        if (sim.socks[i]->closing && !busy(RING_SIM_FD + i))
            close_now(sim.socks[i]);
}

/* Executes what can complete now, in random order. */
static void
execute(struct ring *r)
{
    struct rec tmp;
    struct result res;
    size_t i, k;

    for (i = sim.n_recs; i > 1; i--) {
        k = (size_t)ring_sim_random(i);
        tmp = sim.recs[i - 1];
        sim.recs[i - 1] = sim.recs[k];
        sim.recs[k] = tmp;
    }
    for (i = 0; i < sim.n_recs; i++) {
        if (!step(r, &sim.recs[i], &res))
            continue;
        add_result(&res);
        if (!(res.flags & RING_MORE))
            sim.recs[i].op = NULL;
    }
    drop_finished();
    close_waiting();
}

static void
call_back(struct ring *r)
{
    struct result res;
    size_t i;

    /* Callbacks submit, which never adds results. */
    for (i = 0; i < sim.n_results; i++) {
        res = sim.results[i];
        r->stats.completed++;
        if (res.res == -ENOBUFS)
            r->stats.enobufs++;
        if (!(res.flags & RING_MORE)) {
            res.op->in_flight = false;
            r->in_flight--;
        }
        res.op->done(res.op, res.res, res.flags, res.bid);
    }
    sim.n_results = 0;
}

/* The next moment after now at which an operation ripens or a cancel arrives. */
static int64_t
next_moment(void)
{
    int64_t at = INT64_MAX;
    size_t i;

    for (i = 0; i < sim.n_recs; i++) {
        if (sim.recs[i].ripe_at > sim.now && sim.recs[i].ripe_at < at)
            at = sim.recs[i].ripe_at;
        if (sim.recs[i].cancel_at > sim.now && sim.recs[i].cancel_at < at)
            at = sim.recs[i].cancel_at;
    }
    return at;
}

tg_rc
ring_turn(struct ring *r, int64_t until, struct tg_err *err)
{
    int64_t next;

    r->stats.turns++;
    sim.now += 100; /* running code takes time */
    for (;;) {
        execute(r);
        if (sim.n_results > 0)
            break;
        if (atomic_exchange(&sim.woken, false)) {
            r->stats.wakes++;
            return TG_OK;
        }
        if (until <= sim.now)
            return TG_OK;
        next = next_moment();
        if (next == INT64_MAX && until == INT64_MAX)
            return tg_fail(err, TG_EINTERNAL, TG_ERR_INTERNAL, "deadlock",
                           "deadlock: nothing can happen any more; %u operations in flight",
                           r->in_flight);
        sim.now = next < until ? next : until;
    }
    call_back(r);
    return TG_OK;
}

void
ring_wake(struct ring *r)
{
    (void)r;
    atomic_store(&sim.woken, true);
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

void
ring_describe(char *out, size_t n)
{
    (void)snprintf(out, n, "simulated ring");
}

int __real_close(int fd) __attribute__((weak));
int __real_shutdown(int fd, int how) __attribute__((weak));
int __real_setsockopt(int fd, int level, int name, const void *v, socklen_t n)
    __attribute__((weak));
int __real_getsockopt(int fd, int level, int name, void *v, socklen_t *n) __attribute__((weak));
int __wrap_close(int fd);
int __wrap_shutdown(int fd, int how);
int __wrap_setsockopt(int fd, int level, int name, const void *v, socklen_t n);
int __wrap_getsockopt(int fd, int level, int name, void *v, socklen_t *n);

int
__wrap_close(int fd)
{
    if (fd < RING_SIM_FD)
        return __real_close(fd);
    if (!sock_of(fd)) {
        errno = EBADF;
        return -1;
    }
    ring_sim_close(fd);
    return 0;
}

int
__wrap_shutdown(int fd, int how)
{
    if (fd < RING_SIM_FD)
        return __real_shutdown(fd, how);
    if (how != SHUT_RD)
        ring_sim_shutdown(fd);
    return 0;
}

int
__wrap_setsockopt(int fd, int level, int name, const void *v, socklen_t n)
{
    return fd < RING_SIM_FD ? __real_setsockopt(fd, level, name, v, n) : 0;
}

int
__wrap_getsockopt(int fd, int level, int name, void *v, socklen_t *n)
{
    if (fd < RING_SIM_FD)
        return __real_getsockopt(fd, level, name, v, n);
    memset(v, 0, *n);
    return 0;
}
