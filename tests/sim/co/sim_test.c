/* sim_test.c -- the simulated ring keeps ring.h's promises, and the runtime holds under faults.
 *
 * Time is virtual, so deadlines are tested exactly.  The transfer test is a property: for many
 * seeds, with every operation failed in turn and cancelled at many moments, bytes arrive in
 * order and nothing is left in flight.
 */
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "co/ring.h"
#include "support/co_test.h"
#include "support/ring_sim.h"

static tg_rc
waits(void *arg)
{
    return co_event_wait(arg);
}

struct nap {
    co_time at, woke;
    tg_rc rc;
};

static tg_rc
naps(void *arg)
{
    struct nap *n = arg;

    n->rc = co_sleep_until(n->at);
    n->woke = co_now();
    return TG_OK;
}

static tg_rc
sleep_body(void *arg)
{
    struct nap n[20];
    struct co_scope s;
    co_time start = co_now();
    unsigned i;

    (void)arg;
    co_scope_open(&s, start + 15 * NS_PER_S);
    for (i = 0; i < 20; i++) {
        n[i].at = start + (co_time)((i * 7) % 20) * NS_PER_S;
        assert_int_equal(co_spawn(&s, "naps", naps, &n[i]), TG_OK);
    }
    assert_int_equal(co_join(&s), TG_EDEADLINE);
    assert_true(co_now() >= start + 15 * NS_PER_S);
    assert_int_equal(co_scope_close(&s), TG_EDEADLINE);
    for (i = 0; i < 20; i++) {
        if (n[i].at < start + 15 * NS_PER_S) {
            assert_int_equal(n[i].rc, TG_OK);
            assert_true(n[i].woke >= n[i].at && n[i].woke <= n[i].at + 10000);
        } else if (n[i].at > start + 15 * NS_PER_S) {
            assert_int_equal(n[i].rc, TG_EDEADLINE);
        }
    }
    return TG_OK;
}

static void
sleeping_takes_no_time(void **state)
{
    (void)state;
    ring_sim_seed(1);
    assert_int_equal(co_test_run(sleep_body, NULL), TG_OK);
}

static tg_rc
nested_deadline_body(void *arg)
{
    struct co_event e = CO_EVENT_INIT;
    struct co_scope a, b, c;
    co_time start = co_now();

    (void)arg;
    co_scope_open(&a, start + 30 * NS_PER_S);
    co_scope_open(&b, start + 10 * NS_PER_S);
    co_scope_open(&c, start + 20 * NS_PER_S);
    assert_true(c.deadline == start + 10 * NS_PER_S);
    assert_int_equal(co_event_wait(&e), TG_EDEADLINE);
    assert_true(co_now() - start < 11 * NS_PER_S);
    assert_int_equal(co_scope_close(&c), TG_EDEADLINE);

    /* Cleanup under a shield has its own time, whatever the scope's. */
    co_shield(co_now() + 2 * NS_PER_S);
    assert_int_equal(co_sleep_until(co_now() + NS_PER_S), TG_OK);
    co_scope_open(&c, CO_NEVER);
    assert_true(c.deadline <= start + 13 * NS_PER_S);
    assert_int_equal(co_event_wait(&e), TG_EDEADLINE);
    assert_true(co_now() - start >= 12 * NS_PER_S && co_now() - start < 13 * NS_PER_S);
    assert_int_equal(co_scope_close(&c), TG_EDEADLINE);
    assert_int_equal(co_scope_close(&b), TG_EDEADLINE);

    assert_int_equal(co_event_wait(&e), TG_EDEADLINE);
    assert_true(co_now() - start >= 30 * NS_PER_S && co_now() - start < 31 * NS_PER_S);
    return co_scope_close(&a) == TG_EDEADLINE ? TG_OK : TG_EINTERNAL;
}

static void
the_soonest_deadline_holds(void **state)
{
    (void)state;
    ring_sim_seed(2);
    assert_int_equal(co_test_run(nested_deadline_body, NULL), TG_OK);
}

struct idle {
    struct co_timer t;
    unsigned fired;
};

static void
idle_fired(struct co_timer *t)
{
    LIST_ITEM(t, struct idle, t)->fired++;
}

static tg_rc
lazy_timer_body(void *arg)
{
    struct idle d = {.fired = 0};
    uint64_t turns;
    unsigned i;

    (void)arg;
    co_timer_init(&d.t, idle_fired);
    turns = ring_stats(co_ring())->turns;
    for (i = 0; i < 1000; i++) { /* an idle timer pushed on, a thousand times in 10 s */
        co_timer_set(&d.t, co_now() + 5 * NS_PER_S);
        assert_int_equal(co_sleep_until(co_now() + 10 * NS_PER_MS), TG_OK);
    }
    assert_int_equal(d.fired, 0);
    assert_true(d.t.node.key < d.t.at); /* still at an older place in the heap */
    /* One idle wake-up or two in all that time, not one for every move. */
    assert_in_range(ring_stats(co_ring())->turns - turns, 1000, 1010);
    assert_int_equal(co_sleep_until(co_now() + 5 * NS_PER_S), TG_OK);
    assert_int_equal(d.fired, 1);
    return TG_OK;
}

static void
moving_a_timer_on_is_cheap(void **state)
{
    (void)state;
    ring_sim_seed(3);
    assert_int_equal(co_test_run(lazy_timer_body, NULL), TG_OK);
}

/* The timer of the scopes stands too early most of the time: that must cost next to nothing,
 * cancel nothing, and lose no deadline that is due later. */
static tg_rc
deadline_apiece_body(void *arg)
{
    struct co_scope whole, piece;
    co_time start = co_now();
    uint64_t turns = ring_stats(co_ring())->turns;
    unsigned i;

    (void)arg;
    co_scope_open(&whole, start + 15 * NS_PER_S);
    for (i = 0; i < 1000; i++) { /* in 10 s */
        co_scope_open(&piece, co_now() + 2 * NS_PER_S);
        assert_int_equal(co_sleep_until(co_now() + 10 * NS_PER_MS), TG_OK);
        assert_int_equal(co_scope_close(&piece), TG_OK);
    }
    assert_in_range(ring_stats(co_ring())->turns - turns, 1000, 1010);

    /* A sooner one than the timer stands at, then the outer one, which it has never stood at.
     */
    co_scope_open(&piece, co_now() + NS_PER_MS);
    assert_int_equal(co_sleep_until(CO_NEVER), TG_EDEADLINE);
    assert_true(co_now() - start < 11 * NS_PER_S);
    assert_int_equal(co_scope_close(&piece), TG_EDEADLINE);
    assert_int_equal(co_sleep_until(CO_NEVER), TG_EDEADLINE);
    assert_true(co_now() - start >= 15 * NS_PER_S && co_now() - start < 16 * NS_PER_S);
    assert_int_equal(co_scope_close(&whole), TG_EDEADLINE);

    /* One that passes behind a shield is seen when the shield ends, not before. */
    start = co_now();
    co_scope_open(&whole, start + NS_PER_S);
    co_shield(start + 5 * NS_PER_S);
    co_scope_open(&piece, start + 3 * NS_PER_S);
    assert_int_equal(co_sleep_until(start + 2 * NS_PER_S), TG_OK);
    assert_int_equal(whole.cancelled, TG_EDEADLINE);
    assert_int_equal(co_sleep_until(CO_NEVER), TG_EDEADLINE);
    assert_true(co_now() - start >= 3 * NS_PER_S && co_now() - start < 4 * NS_PER_S);
    assert_int_equal(co_scope_close(&piece), TG_EDEADLINE);
    assert_int_equal(co_cancelled(), TG_OK);
    co_unshield();
    assert_int_equal(co_cancelled(), TG_EDEADLINE);
    return co_scope_close(&whole) == TG_EDEADLINE ? TG_OK : TG_EINTERNAL;
}

static tg_rc
signal_later(void *arg)
{
    tg_rc rc = co_sleep_until(co_now() + NS_PER_S);

    co_event_signal(arg);
    return rc;
}

/* A wait with a limit of its own: the limit passes, or the signal comes first, or a scope's
 * deadline does; each time the next wait begins afresh. */
static tg_rc
limited_wait_body(void *arg)
{
    struct co_event e = CO_EVENT_INIT;
    struct co_scope s;
    co_time start = co_now();
    uint64_t turns = ring_stats(co_ring())->turns;

    (void)arg;
    assert_int_equal(co_event_wait_until(&e, start), TG_EDEADLINE);
    co_event_signal(&e);
    assert_int_equal(co_event_wait_until(&e, start), TG_OK); /* it was there already */
    assert_int_equal(co_event_wait_until(&e, start + NS_PER_S), TG_EDEADLINE);
    assert_true(co_now() - start >= NS_PER_S && co_now() - start < 2 * NS_PER_S);
    assert_null(e.waiter);
    assert_int_equal(co_cancelled(), TG_OK);

    start = co_now();
    co_scope_open(&s, start + 10 * NS_PER_S);
    for (unsigned i = 1; i <= 3; i++) {
        assert_int_equal(co_spawn(&s, "signal", signal_later, &e), TG_OK);
        assert_int_equal(co_event_wait_until(&e, co_now() + 5 * NS_PER_S), TG_OK);
        assert_true(co_now() - start < (i + 1) * NS_PER_S);
    }
    /* The limits of the waits that are over do nothing to this one. */
    assert_int_equal(co_event_wait_until(&e, start + 20 * NS_PER_S), TG_EDEADLINE);
    assert_true(co_now() - start >= 10 * NS_PER_S && co_now() - start < 11 * NS_PER_S);
    assert_int_equal(co_cancelled(), TG_EDEADLINE);
    assert_int_equal(co_scope_close(&s), TG_EDEADLINE);
    assert_int_equal(co_cancelled(), TG_OK);
    assert_in_range(ring_stats(co_ring())->turns - turns, 1, 20);
    return TG_OK;
}

static void
a_wait_has_a_limit_of_its_own(void **state)
{
    (void)state;
    ring_sim_seed(3);
    assert_int_equal(co_test_run(limited_wait_body, NULL), TG_OK);
}

static void
a_deadline_for_every_piece_is_cheap(void **state)
{
    (void)state;
    ring_sim_seed(3);
    assert_int_equal(co_test_run(deadline_apiece_body, NULL), TG_OK);
}

static void
deadlocks(void)
{
    struct co_conf conf = {.recv_buffers = 0};
    struct co_event e = CO_EVENT_INIT;
    struct tg_err err;

    ring_sim_seed(4);
    if (co_run(&conf, "test", waits, &e, &err) == TG_EINTERNAL)
        (void)fprintf(stderr, "%s\n", err.msg);
}

static void
a_deadlock_is_told(void **state)
{
    char text[512];

    (void)state;
    assert_int_equal(co_test_dies(deadlocks, text, sizeof text), 0);
    assert_true(strncmp(text, "deadlock: ", 10) == 0);
}

static tg_rc
socket_body(void *arg)
{
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(80)};
    unsigned revents = 0;
    char buf[8];
    size_t n;
    int fds[2], fd, lfd, eno = 0;

    (void)arg;
    ring_sim_knobs()->short_pct = 0;
    ring_sim_pair(fds);
    assert_int_equal(co_write_all(fds[0], "abc", 3, &eno), TG_OK);
    assert_int_equal(ring_sim_waiting(fds[1]), 3);
    assert_int_equal(co_poll(fds[1], POLLIN, &revents), TG_OK);
    assert_true(revents & POLLIN);
    ring_sim_shutdown(fds[0]);
    assert_int_equal(co_read(fds[1], buf, 8, &n, &eno), TG_OK);
    assert_int_equal(n, 3);
    assert_int_equal(co_read(fds[1], buf, 8, &n, &eno), TG_OK);
    assert_int_equal(n, 0);
    assert_int_equal(co_write_all(fds[1], "x", 1, &eno), TG_OK); /* half closed only */
    ring_sim_close(fds[0]);
    assert_int_equal(co_write_all(fds[1], "x", 1, &eno), TG_EIO);
    assert_int_equal(eno, EPIPE);
    ring_sim_close(fds[1]);
    assert_int_equal(co_read(fds[1], buf, 8, &n, &eno), TG_EIO);
    assert_int_equal(eno, EBADF);

    ring_sim_pair(fds);
    assert_int_equal(co_write_all(fds[0], "abc", 3, &eno), TG_OK);
    ring_sim_reset(fds[0]);
    assert_int_equal(co_read(fds[1], buf, 8, &n, &eno), TG_EIO);
    assert_int_equal(eno, ECONNRESET);
    ring_sim_close(fds[1]);

    fd = ring_sim_socket();
    assert_int_equal(co_connect(fd, (struct sockaddr *)&sin, sizeof sin, &eno), TG_EIO);
    assert_int_equal(eno, ECONNREFUSED);
    lfd = ring_sim_listen(80);
    assert_int_equal(co_connect(fd, (struct sockaddr *)&sin, sizeof sin, &eno), TG_OK);
    assert_int_equal(co_poll(lfd, POLLIN, &revents), TG_OK);
    ring_sim_close(fd);
    ring_sim_close(lfd);
    assert_int_equal(ring_sim_open(), 0);
    return TG_OK;
}

static void
simulated_sockets_behave(void **state)
{
    (void)state;
    ring_sim_seed(5);
    assert_int_equal(co_test_run(socket_body, NULL), TG_OK);
}

struct accepting {
    struct ring_op op;
    struct co_event e;
    int fds[4];
    unsigned n, without_more;
};

static void
accepted(struct ring_op *op, int32_t res, unsigned flags, unsigned bid)
{
    struct accepting *a = LIST_ITEM(op, struct accepting, op);

    (void)bid;
    if (res >= 0)
        a->fds[a->n++] = res;
    if (!(flags & RING_MORE))
        a->without_more++;
    co_event_signal(&a->e);
}

static tg_rc
accept_body(void *arg)
{
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(443)};
    struct accepting a = {.op = {.done = accepted}, .e = CO_EVENT_INIT};
    int lfd = ring_sim_listen(443), eno, i;

    ring_sim_knobs()->accept_once = *(bool *)arg;
    ring_accept(co_ring(), &a.op, lfd);
    for (i = 0; i < 4; i++) {
        assert_int_equal(
            co_connect(ring_sim_socket(), (struct sockaddr *)&sin, sizeof sin, &eno), TG_OK);
        while (a.n == (unsigned)i)
            assert_int_equal(co_event_wait(&a.e), TG_OK);
        if (!a.op.in_flight)
            ring_accept(co_ring(), &a.op, lfd);
    }
    assert_int_equal(a.without_more, *(bool *)arg ? 4 : 0);
    ring_cancel(co_ring(), &a.op);
    while (a.op.in_flight)
        co_event_wait_sure(&a.e);
    return TG_OK;
}

static void
accepts_once_or_many(void **state)
{
    bool once;

    (void)state;
    for (once = false;; once = true) {
        ring_sim_seed(6);
        assert_int_equal(co_test_run(accept_body, &once), TG_OK);
        if (once)
            break;
    }
}

struct stuffed {
    int fd;
    size_t sent;
};

static tg_rc
stuffs(void *arg)
{
    struct stuffed *x = arg;
    int eno;
    tg_rc rc;

    for (;;) {
        rc = co_write_all(x->fd, "0123456789", 10, &eno);
        if (rc != TG_OK)
            return rc;
        x->sent += 10;
    }
}

static tg_rc
backpressure_body(void *arg)
{
    struct stuffed x = {.sent = 0};
    struct co_scope s;
    int fds[2];

    (void)arg;
    ring_sim_pair(fds);
    ring_sim_knobs()->socket_bytes = 1000;
    x.fd = fds[0];
    co_scope_open(&s, co_now() + NS_PER_S);
    assert_int_equal(co_spawn(&s, "stuffs", stuffs, &x), TG_OK);
    assert_int_equal(co_sleep_until(CO_NEVER), TG_EDEADLINE);
    assert_int_equal(co_scope_close(&s), TG_EDEADLINE);
    assert_int_equal(ring_sim_waiting(fds[1]), 1000);
    assert_in_range(x.sent, 990, 1000);
    return TG_OK;
}

static void
a_reader_that_stops_stops_the_writer(void **state)
{
    (void)state;
    ring_sim_seed(7);
    assert_int_equal(co_test_run(backpressure_body, NULL), TG_OK);
}

struct forced {
    struct co_scope s;
    int fd;
    tg_rc rc;
    size_t n;
};

static tg_rc
reads(void *arg)
{
    struct forced *f = arg;
    char buf[16];
    int eno;

    f->n = 0;
    return f->rc = co_read(f->fd, buf, sizeof buf, &f->n, &eno);
}

static tg_rc
forced_body(void *arg)
{
    struct forced f;
    int fds[2], eno;

    ring_sim_knobs()->cancel = *(enum ring_sim_cancel *)arg;
    ring_sim_knobs()->short_pct = 0;
    ring_sim_knobs()->delay_max_ns = 0;
    ring_sim_pair(fds);
    f.fd = fds[1];
    co_scope_open(&f.s, CO_NEVER);
    assert_int_equal(co_spawn(&f.s, "reads", reads, &f), TG_OK);
    assert_int_equal(co_yield(), TG_OK);
    assert_int_equal(co_write_all(fds[0], "", 0, &eno), TG_OK);
    /* Bytes and cancel in the same turn; the writer does not wait for its own completion. */
    co_cancel(&f.s, TG_EGONE);
    co_shield(co_now() + NS_PER_S);
    assert_int_equal(co_write_all(fds[0], "data", 4, &eno), TG_OK);
    co_unshield();
    assert_int_equal(co_scope_close(&f.s), TG_EGONE);
    if (*(enum ring_sim_cancel *)arg == RING_SIM_CANCEL_WINS) {
        assert_int_equal(f.rc, TG_EGONE);
        assert_int_equal(ring_sim_waiting(fds[1]), 4); /* and no byte is lost */
    }
    assert_int_equal(f.rc == TG_OK ? f.n : ring_sim_waiting(fds[1]), 4);
    return f.rc == TG_OK ? TG_EGONE : TG_OK;
}

static void
cancel_and_result_in_one_turn(void **state)
{
    enum ring_sim_cancel how;
    unsigned seed, won = 0, lost = 0;

    (void)state;
    for (how = RING_SIM_CANCEL_RACE; how <= RING_SIM_CANCEL_LOSES; how++) {
        for (seed = 0; seed < 40; seed++) {
            ring_sim_seed(seed);
            if (co_test_run(forced_body, &how) == TG_OK)
                won++;
            else
                lost++;
        }
    }
    assert_true(won >= 40); /* all of those where it wins */
    assert_true(lost >= 5); /* and some where the bytes were first */
}

enum { TRANSFER = 3000 };

struct transfer {
    int fds[2];
    struct ring_op op;
    struct co_event e;
    size_t got;
    bool eof, bad;
    int32_t end;
    struct co_scope s;
    co_time cancel_at;
    unsigned held[64], n_held;
    tg_rc send_rc, recv_rc;
};

static unsigned char
byte_at(size_t i)
{
    return (unsigned char)(i * 31 + i / 251);
}

static void
transfer_done(struct ring_op *op, int32_t res, unsigned flags, unsigned bid)
{
    struct transfer *t = LIST_ITEM(op, struct transfer, op);
    const unsigned char *p;
    int32_t i;

    if (flags & RING_BUFFER) {
        p = ring_buffer(co_ring(), bid);
        for (i = 0; i < res; i++)
            if (p[i] != byte_at(t->got++))
                t->bad = true;
        t->held[t->n_held++] = bid; /* kept for a while, so that buffers run out */
    }
    if (!(flags & RING_MORE))
        t->end = res;
    co_event_signal(&t->e);
}

static void
give_back(struct transfer *t)
{
    while (t->n_held > 0)
        ring_buffer_return(co_ring(), t->held[--t->n_held]);
}

/* As a socket does it: re-armed after ENOBUFS, cancelled and waited for at the end. */
static tg_rc
receives(void *arg)
{
    struct transfer *t = arg;
    tg_rc rc = TG_OK;

    ring_recv_many(co_ring(), &t->op, t->fds[1]);
    while (rc == TG_OK) {
        rc = co_event_wait(&t->e);
        if (rc == TG_OK)
            rc = co_sleep_until(co_now() + (co_time)ring_sim_random(100000));
        give_back(t);
        if (rc != TG_OK || t->op.in_flight)
            continue;
        if (t->end == -ENOBUFS)
            ring_recv_many(co_ring(), &t->op, t->fds[1]);
        else
            rc = t->end == 0 ? TG_EGONE : TG_EIO;
    }
    ring_cancel(co_ring(), &t->op);
    while (t->op.in_flight)
        co_event_wait_sure(&t->e);
    give_back(t);
    t->eof = rc == TG_EGONE && t->end == 0;
    return t->recv_rc = rc;
}

static tg_rc
sends(void *arg)
{
    struct transfer *t = arg;
    unsigned char buf[TRANSFER];
    size_t i;
    int eno;

    for (i = 0; i < sizeof buf; i++)
        buf[i] = byte_at(i);
    t->send_rc = co_write_all(t->fds[0], buf, sizeof buf, &eno);
    ring_sim_close(t->fds[0]);
    return TG_OK;
}

static tg_rc
cancels(void *arg)
{
    struct transfer *t = arg;
    tg_rc rc = co_sleep_until(t->cancel_at);

    if (rc == TG_OK)
        co_cancel(&t->s, TG_ELIMIT);
    return rc;
}

static tg_rc
transfer_body(void *arg)
{
    struct transfer *t = arg;

    ring_sim_pair(t->fds);
    ring_sim_knobs()->socket_bytes = 700;
    t->op.done = transfer_done;
    co_scope_open(&t->s, CO_NEVER);
    assert_int_equal(co_spawn(&t->s, "receives", receives, t), TG_OK);
    assert_int_equal(co_spawn(&t->s, "sends", sends, t), TG_OK);
    if (t->cancel_at)
        assert_int_equal(co_spawn(&t->s, "cancels", cancels, t), TG_OK);
    (void)!co_join(&t->s);
    if (t->cancel_at == 0 && t->recv_rc == TG_OK)
        while (t->s.n_live > 0 && co_yield() == TG_OK) {
        }
    (void)co_scope_close(&t->s);
    ring_sim_close(t->fds[0]);
    ring_sim_close(t->fds[1]);
    assert_int_equal(ring_in_flight(co_ring()), 0);
    assert_int_equal(ring_buffers_free(co_ring()), 4);
    assert_int_equal(ring_sim_open(), 0);
    assert_false(t->bad);
    assert_true(t->got <= TRANSFER);
    return TG_OK;
}

static void
transfer(uint64_t seed, uint64_t fail_at, int fail_errno, co_time cancel_after,
         struct transfer *ret)
{
    struct co_conf conf = {.recv_buffers = 4, .recv_buffer_bytes = 100};

    *ret = (struct transfer){.e = CO_EVENT_INIT};
    ring_sim_seed(seed);
    ring_sim_fail(fail_at, fail_errno);
    if (cancel_after)
        ret->cancel_at = NS_PER_S + cancel_after;
    assert_int_equal(co_test_run_conf(&conf, transfer_body, ret), TG_OK);
}

static void
bytes_arrive_in_order(void **state)
{
    struct transfer t;
    uint64_t seed;

    (void)state;
    for (seed = 0; seed < 200; seed++) {
        transfer(seed, 0, 0, 0, &t);
        assert_int_equal(t.got, TRANSFER);
        assert_true(t.eof);
        assert_int_equal(t.send_rc, TG_OK);
    }
}

static void
every_operation_may_fail(void **state)
{
    static const int errnos[] = {EINTR, ECONNRESET, ENOBUFS, EPIPE};
    struct transfer t;
    uint64_t n;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof errnos / sizeof errnos[0]; i++) {
        n = 0;
        do
            transfer(12, ++n, errnos[i], 0, &t);
        while (ring_sim_ops() >= n); /* until a run has no n-th operation */
        assert_true(n > 5);
    }
}

static void
every_moment_may_bring_a_cancel(void **state)
{
    struct transfer t;
    unsigned i, cut = 0, whole = 0;

    (void)state;
    for (i = 1; i < 300; i++) {
        transfer(i, 0, 0, (co_time)i * 10000, &t);
        if (t.got == TRANSFER)
            whole++;
        else
            cut++;
    }
    assert_true(cut > 20);
    assert_true(whole > 20);
}

static tg_rc
log_body(void *arg)
{
    struct transfer t = {.e = CO_EVENT_INIT};

    (void)transfer_body(&t);
    *(int64_t *)arg = co_now();
    return TG_OK;
}

static void
the_same_seed_gives_the_same_run(void **state)
{
    struct co_conf conf = {.recv_buffers = 4, .recv_buffer_bytes = 100};
    int64_t end[3];
    int i;

    (void)state;
    for (i = 0; i < 3; i++) {
        ring_sim_seed(i == 2 ? 100 : 99);
        assert_int_equal(co_test_run_conf(&conf, log_body, &end[i]), TG_OK);
    }
    assert_true(end[0] == end[1]);
    assert_true(end[0] != end[2]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sleeping_takes_no_time),
        cmocka_unit_test(the_soonest_deadline_holds),
        cmocka_unit_test(moving_a_timer_on_is_cheap),
        cmocka_unit_test(a_deadline_for_every_piece_is_cheap),
        cmocka_unit_test(a_wait_has_a_limit_of_its_own),
        cmocka_unit_test(a_deadlock_is_told),
        cmocka_unit_test(simulated_sockets_behave),
        cmocka_unit_test(accepts_once_or_many),
        cmocka_unit_test(a_reader_that_stops_stops_the_writer),
        cmocka_unit_test(cancel_and_result_in_one_turn),
        cmocka_unit_test(bytes_arrive_in_order),
        cmocka_unit_test(every_operation_may_fail),
        cmocka_unit_test(every_moment_may_bring_a_cancel),
        cmocka_unit_test(the_same_seed_gives_the_same_run),
    };

    return cmocka_run_group_tests_name("co on the simulated ring", tests, NULL, NULL);
}
