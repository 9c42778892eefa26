/* ring_sim.c -- the simulated ring: operations in flight, turns, virtual time; see ring_sim.h.
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
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/ring_sim_int.h"

#define KNOBS                                                                                  \
    {                                                                                          \
        .short_pct = 30, .delay_max_ns = 50000, .socket_bytes = 65536                          \
    }

struct sim_world sim_world = {.rng = 1, .now = 1000000000, .knobs = KNOBS};

void *__real_realloc(void *p, size_t n) __attribute__((weak));
void __real_free(void *p) __attribute__((weak));

void *
sim_grow(void *p, size_t n)
{
    n = n ? n : 1;
    p = __real_realloc ? __real_realloc(p, n) : realloc(p, n);
    if (!p)
        abort();
    return p;
}

void
sim_drop(void *p)
{
    if (__real_free)
        __real_free(p);
    else
        free(p);
}

uint64_t
ring_sim_random(uint64_t n)
{
    uint64_t z = (sim_world.rng += UINT64_C(0x9E3779B97F4A7C15));

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (z ^ (z >> 31)) % n;
}

int64_t
sim_soon(void)
{
    uint64_t span = (uint64_t)sim_world.knobs.delay_max_ns + 1;

    return sim_world.now + (int64_t)ring_sim_random(span);
}

void
ring_sim_seed(uint64_t seed)
{
    assert(!sim_world.ring);
    sim_forget_socks();
    sim_world.rng = seed;
    sim_world.now = 1000000000;
    sim_world.ops = 0;
    sim_world.n_recs = sim_world.n_results = 0;
    sim_world.knobs = (struct ring_sim_knobs)KNOBS;
    ring_sim_fail(0, 0);
}

struct ring_sim_knobs *
ring_sim_knobs(void)
{
    return &sim_world.knobs;
}

uint64_t
ring_sim_ops(void)
{
    return sim_world.ops;
}

unsigned
ring_sim_in_flight(void)
{
    unsigned n = 0;
    size_t i;

    for (i = 0; i < sim_world.n_recs; i++)
        n += sim_world.recs[i].op && !sim_spared(&sim_world.recs[i]);
    return n;
}

void
ring_sim_on_write(ring_sim_write_fn *fn, void *arg)
{
    sim_world.on_write = fn;
    sim_world.on_write_arg = arg;
}

bool
sim_busy(int fd)
{
    size_t i;

    for (i = 0; i < sim_world.n_recs; i++)
        if (sim_world.recs[i].op && sim_world.recs[i].fd == fd)
            return true;
    return false;
}

/* Whether the operation completes now, and how. */
static bool
step(struct ring *r, struct sim_rec *c, struct sim_result *ret)
{
    bool cancel = c->cancel_at <= sim_world.now, ripe = c->ripe_at <= sim_world.now;
    bool first = sim_world.knobs.cancel == RING_SIM_CANCEL_RACE
                     ? ring_sim_random(2) != 0
                     : sim_world.knobs.cancel == RING_SIM_CANCEL_WINS;

    *ret = (struct sim_result){.op = c->op};
    if (cancel && first) {
        ret->res = -ECANCELED;
        return true;
    }
    if (c->fault && ripe) {
        ret->res = -c->fault;
        return true;
    }
    if ((ripe || cancel) && sim_ready(r, c)) {
        int eno = sim_fault_completes(c);

        if (eno)
            ret->res = -eno;
        else
            sim_perform(r, c, sim_fault_most(c), ret);
        return true;
    }
    ret->res = -ECANCELED;
    return cancel;
}

tg_rc
ring_open(struct ring **ret, const struct ring_conf *conf, struct tg_err *err)
{
    struct ring *r = sim_grow(NULL, sizeof *r);

    (void)err;
    assert(!sim_world.ring && "one simulated ring at a time");
    *r = (struct ring){
        .buf_n = conf->buffers, .buf_bytes = conf->buffer_bytes, .buf_free = conf->buffers};
    r->buffers = sim_grow(NULL, (size_t)r->buf_n * r->buf_bytes);
    r->buffer_out = sim_grow(NULL, r->buf_n);
    memset(r->buffer_out, 0, r->buf_n);
    sim_world.ring = r;
    *ret = r;
    return TG_OK;
}

void
ring_close(struct ring *r)
{
    assert(r == sim_world.ring && r->in_flight == 0);
    assert(r->buf_free == r->buf_n && "every buffer has come back");
    sim_drop(r->buffers);
    sim_drop(r->buffer_out);
    sim_drop(r);
    sim_drop(sim_world.recs);
    sim_drop(sim_world.results);
    sim_world.recs = NULL;
    sim_world.results = NULL;
    sim_world.n_recs = sim_world.cap_recs = sim_world.n_results = sim_world.cap_results = 0;
    sim_world.ring = NULL;
}

int64_t
ring_now(struct ring *r)
{
    (void)r;
    return sim_world.now;
}

static struct sim_rec *
submit(struct ring *r, struct ring_op *op, enum sim_kind kind, int fd)
{
    struct sim_rec *c;

    assert(!op->in_flight && op->done);
    op->in_flight = true;
    op->cancelling = false;
    r->in_flight++;
    r->stats.submitted++;
    if (sim_world.n_recs == sim_world.cap_recs) {
        sim_world.cap_recs = sim_world.cap_recs ? 2 * sim_world.cap_recs : 64;
        sim_world.recs = sim_grow(sim_world.recs, sim_world.cap_recs * sizeof *sim_world.recs);
    }
    c = &sim_world.recs[sim_world.n_recs++];
    *c = (struct sim_rec){
        .op = op, .kind = kind, .fd = fd, .ripe_at = sim_soon(), .cancel_at = INT64_MAX};
    sim_world.ops++;
    sim_fault_submitted(c);
    return c;
}

void
ring_accept(struct ring *r, struct ring_op *op, int fd)
{
    (void)submit(r, op, SIM_ACCEPT, fd);
}

void
ring_connect(struct ring *r, struct ring_op *op, int fd, const struct sockaddr *sa,
             socklen_t len)
{
    struct sim_rec *c = submit(r, op, SIM_CONNECT, fd);
    struct sockaddr_in6 in = {.sin6_port = 0};

    /* The port stands at the same place in both families. */
    memcpy(&in, sa, len < sizeof in ? len : sizeof in);
    c->port = ntohs(in.sin6_port);
}

void
ring_recv_many(struct ring *r, struct ring_op *op, int fd)
{
    assert(r->buf_n > 0);
    (void)submit(r, op, SIM_RECV_MANY, fd);
}

void
ring_recv_once(struct ring *r, struct ring_op *op, int fd)
{
    assert(r->buf_n > 0);
    (void)submit(r, op, SIM_RECV_ONCE, fd);
}

void
ring_recv(struct ring *r, struct ring_op *op, int fd, void *p, size_t n)
{
    struct sim_rec *c = submit(r, op, SIM_RECV, fd);

    c->p = p;
    c->n = n;
}

void
ring_send(struct ring *r, struct ring_op *op, int fd, const void *p, size_t n)
{
    struct sim_rec *c = submit(r, op, SIM_SEND, fd);

    c->p = (char *)p;
    c->n = n;
}

void
ring_poll(struct ring *r, struct ring_op *op, int fd, unsigned events)
{
    submit(r, op, SIM_POLL, fd)->events = events;
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
    for (i = 0; i < sim_world.n_recs; i++)
        if (sim_world.recs[i].op == op)
            sim_world.recs[i].cancel_at = sim_soon();
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
add_result(const struct sim_result *res)
{
    if (sim_world.n_results == sim_world.cap_results) {
        sim_world.cap_results = sim_world.cap_results ? 2 * sim_world.cap_results : 64;
        sim_world.results =
            sim_grow(sim_world.results, sim_world.cap_results * sizeof *sim_world.results);
    }
    sim_world.results[sim_world.n_results++] = *res;
}

static void
drop_finished(void)
{
    size_t i, k = 0;

    for (i = 0; i < sim_world.n_recs; i++)
        if (sim_world.recs[i].op)
            sim_world.recs[k++] = sim_world.recs[i];
    sim_world.n_recs = k;
}

/* Executes what can complete now, in random order. */
static void
execute(struct ring *r)
{
    struct sim_rec tmp;
    struct sim_result res;
    size_t i, k;

    for (i = sim_world.n_recs; i > 1; i--) {
        k = (size_t)ring_sim_random(i);
        tmp = sim_world.recs[i - 1];
        sim_world.recs[i - 1] = sim_world.recs[k];
        sim_world.recs[k] = tmp;
    }
    for (i = 0; i < sim_world.n_recs; i++) {
        if (!step(r, &sim_world.recs[i], &res))
            continue;
        add_result(&res);
        if (!(res.flags & RING_MORE))
            sim_world.recs[i].op = NULL;
    }
    drop_finished();
    sim_close_waiting();
}

static void
call_back(struct ring *r)
{
    struct sim_result res;
    size_t i;

    /* Callbacks submit, which never adds results. */
    for (i = 0; i < sim_world.n_results; i++) {
        res = sim_world.results[i];
        r->stats.completed++;
        if (res.res == -ENOBUFS)
            r->stats.enobufs++;
        if (!(res.flags & RING_MORE)) {
            res.op->in_flight = false;
            r->in_flight--;
        }
        res.op->done(res.op, res.res, res.flags, res.bid);
    }
    sim_world.n_results = 0;
}

/* The next moment after now at which an operation ripens or a cancel arrives. */
static int64_t
next_moment(void)
{
    int64_t at = INT64_MAX;
    size_t i;

    for (i = 0; i < sim_world.n_recs; i++) {
        if (sim_world.recs[i].ripe_at > sim_world.now && sim_world.recs[i].ripe_at < at)
            at = sim_world.recs[i].ripe_at;
        if (sim_world.recs[i].cancel_at > sim_world.now && sim_world.recs[i].cancel_at < at)
            at = sim_world.recs[i].cancel_at;
    }
    return at;
}

tg_rc
ring_turn(struct ring *r, int64_t until, struct tg_err *err)
{
    int64_t next;

    r->stats.turns++;
    sim_world.now += 100; /* running code takes time */
    for (;;) {
        execute(r);
        if (sim_world.n_results > 0)
            break;
        if (atomic_exchange(&sim_world.woken, false)) {
            r->stats.wakes++;
            return TG_OK;
        }
        if (until <= sim_world.now)
            return TG_OK;
        next = next_moment();
        if (next == INT64_MAX && until == INT64_MAX)
            return tg_fail(err, TG_EINTERNAL, TG_ERR_INTERNAL, "deadlock",
                           "deadlock: nothing can happen any more; %u operations in flight",
                           r->in_flight);
        sim_world.now = next < until ? next : until;
    }
    call_back(r);
    return TG_OK;
}

void
ring_wake(struct ring *r)
{
    (void)r;
    atomic_store(&sim_world.woken, true);
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
