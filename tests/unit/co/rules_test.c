/* rules_test.c -- the fourteen rules of coroutines, scopes and cancellation, one test or more
 * each.
 *
 * Every body runs as a coroutine on the real ring.  Where order matters it is made by events
 * and yields, never by waiting for a while.
 */
#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "co/ring.h"
#include "support/co_test.h"

static tg_rc
wait_forever(void *arg)
{
    struct co_event never = CO_EVENT_INIT;

    (void)arg;
    return co_event_wait(&never);
}

static void
yields(unsigned n)
{
    while (n-- > 0)
        assert_int_equal(co_yield(), TG_OK);
}

static tg_rc
rule_01_body(void *arg)
{
    struct co_scope s;
    int i;

    (void)arg;
    co_scope_open(&s, CO_NEVER);
    for (i = 0; i < 3; i++)
        assert_int_equal(co_spawn(&s, "kid", wait_forever, NULL), TG_OK);
    assert_int_equal(s.n_live, 3);
    assert_int_equal(co_stats(co_sched_self())->live, 4);
    assert_int_equal(co_scope_close(&s), TG_OK);
    assert_int_equal(co_stats(co_sched_self())->live, 1);
    return TG_OK;
}

static void
rule_01_children_end_with_their_scope(void **state)
{
    (void)state;
    assert_int_equal(co_test_run(rule_01_body, NULL), TG_OK);
}

static tg_rc
leaves_scope_open(void *arg)
{
    struct co_scope s;

    (void)arg;
    co_scope_open(&s, CO_NEVER);
    return TG_OK;
}

static tg_rc
closes_out_of_order(void *arg)
{
    struct co_scope a, b;

    (void)arg;
    co_scope_open(&a, CO_NEVER);
    co_scope_open(&b, CO_NEVER);
    return co_scope_close(&a);
}

static void
rule_02_scopes_close_in_order(void **state)
{
    char text[2048];

    (void)state;
    assert_int_equal(co_test_co_dies(leaves_scope_open, text, sizeof text), SIGABRT);
    assert_non_null(strstr(text, "a coroutine ended with a scope still open"));
    assert_int_equal(co_test_co_dies(closes_out_of_order, text, sizeof text), SIGABRT);
    assert_non_null(strstr(text, "reverse order of opening"));
}

struct reach {
    struct co_scope top;
    tg_rc grandkid, kid_nested, opener_nested, outside;
};

static tg_rc
grandkid(void *arg)
{
    struct reach *r = arg;

    return r->grandkid = wait_forever(NULL);
}

static tg_rc
kid_with_scopes(void *arg)
{
    struct reach *r = arg;
    struct co_scope a, b;

    co_scope_open(&a, CO_NEVER);
    co_scope_open(&b, CO_NEVER);
    assert_int_equal(co_spawn(&b, "grandkid", grandkid, r), TG_OK);
    r->kid_nested = wait_forever(NULL);
    assert_int_equal(b.cancelled, TG_EGONE);
    assert_int_equal(co_scope_close(&b), TG_EGONE);
    assert_int_equal(co_scope_close(&a), TG_EGONE);
    return r->kid_nested;
}

static tg_rc
canceller(void *arg)
{
    struct reach *r = arg;

    yields(3);
    co_cancel(&r->top, TG_EGONE);
    co_cancel(&r->top, TG_EIO); /* the first reason stays */
    return TG_OK;
}

static tg_rc
rule_03_body(void *arg)
{
    struct reach *r = arg;
    struct co_scope outer, inner;

    co_scope_open(&outer, CO_NEVER);
    co_scope_open(&r->top, CO_NEVER);
    assert_int_equal(co_spawn(&r->top, "kid", kid_with_scopes, r), TG_OK);
    assert_int_equal(co_spawn(&outer, "canceller", canceller, r), TG_OK);
    co_scope_open(&inner, CO_NEVER);
    r->opener_nested = wait_forever(NULL);
    assert_int_equal(co_scope_close(&inner), TG_EGONE);
    assert_int_equal(co_scope_close(&r->top), TG_EGONE);
    r->outside = co_cancelled();
    assert_int_equal(co_join(&outer), TG_OK);
    return co_scope_close(&outer);
}

static void
rule_03_cancel_reaches_opener_children_and_nested(void **state)
{
    struct reach r = {.outside = 1};

    (void)state;
    assert_int_equal(co_test_run(rule_03_body, &r), TG_OK);
    assert_int_equal(r.grandkid, TG_EGONE);
    assert_int_equal(r.kid_nested, TG_EGONE);
    assert_int_equal(r.opener_nested, TG_EGONE);
    assert_int_equal(r.outside, TG_OK);
}

static tg_rc
rule_04_body(void *arg)
{
    struct co_event e = CO_EVENT_INIT;
    struct co_scope s;
    struct co_chan ch;
    char slot, c = 'x';
    unsigned revents;
    size_t n;
    int eno, i;

    (void)arg;
    co_chan_init(&ch, &slot, 1, 1);
    co_scope_open(&s, CO_NEVER);
    co_cancel(&s, TG_EDEADLINE);
    for (i = 0; i < 3; i++) {
        assert_int_equal(co_yield(), TG_EDEADLINE);
        assert_int_equal(co_sleep_until(co_now() + NS_PER_S), TG_EDEADLINE);
        assert_int_equal(co_event_wait(&e), TG_EDEADLINE);
        assert_int_equal(co_chan_send(&ch, &c), TG_EDEADLINE);
        assert_int_equal(co_chan_recv(&ch, &c), TG_EDEADLINE);
        assert_int_equal(co_poll(0, POLLIN, &revents), TG_EDEADLINE);
        assert_int_equal(co_read(0, &c, 1, &n, &eno), TG_EDEADLINE);
        assert_int_equal(co_write_all(1, &c, 1, &eno), TG_EDEADLINE);
        assert_int_equal(co_spawn(&s, "no", wait_forever, NULL), TG_EDEADLINE);
        assert_int_equal(co_cancelled(), TG_EDEADLINE);
    }
    assert_int_equal(co_scope_close(&s), TG_EDEADLINE);
    assert_int_equal(co_cancelled(), TG_OK);
    return co_yield();
}

static void
rule_04_cancel_stays_until_the_scope_is_closed(void **state)
{
    (void)state;
    assert_int_equal(co_test_run(rule_04_body, NULL), TG_OK);
}

struct race {
    struct co_scope s;
    struct co_event e;
    struct co_chan ch;
    char slot;
    tg_rc first, second;
};

static tg_rc
event_waiter(void *arg)
{
    struct race *r = arg;

    r->first = co_event_wait(&r->e);
    r->second = co_event_wait(&r->e);
    return TG_OK;
}

static tg_rc
chan_waiter(void *arg)
{
    struct race *r = arg;
    char c = 0;

    r->first = co_chan_recv(&r->ch, &c);
    if (r->first == TG_OK)
        assert_int_equal(c, 'x');
    r->second = co_chan_recv(&r->ch, &c);
    return TG_OK;
}

static tg_rc
rule_05_body(void *arg)
{
    struct race *r = arg;

    co_chan_init(&r->ch, &r->slot, 1, 1);
    co_scope_open(&r->s, CO_NEVER);
    assert_int_equal(co_spawn(&r->s, "event", event_waiter, r), TG_OK);
    yields(1);
    co_event_signal(&r->e);
    co_cancel(&r->s, TG_EGONE);
    assert_int_equal(co_scope_close(&r->s), TG_EGONE);
    assert_int_equal(r->first, TG_OK);
    assert_int_equal(r->second, TG_EGONE);

    co_scope_open(&r->s, CO_NEVER);
    assert_int_equal(co_spawn(&r->s, "chan", chan_waiter, r), TG_OK);
    yields(1);
    assert_int_equal(co_chan_send(&r->ch, "x"), TG_OK);
    co_cancel(&r->s, TG_EGONE);
    assert_int_equal(co_scope_close(&r->s), TG_EGONE);
    assert_int_equal(r->first, TG_OK);
    assert_int_equal(r->second, TG_EGONE);
    return TG_OK;
}

static void
rule_05_a_result_wins_over_a_cancel(void **state)
{
    struct race r = {.e = CO_EVENT_INIT};

    (void)state;
    assert_int_equal(co_test_run(rule_05_body, &r), TG_OK);
}

struct kernel_op {
    struct co_scope s;
    int fd;
    tg_rc rc;
    char bytes[8];
    size_t n;
};

static tg_rc
reader(void *arg)
{
    struct kernel_op *k = arg;
    int eno;

    return k->rc = co_read(k->fd, k->bytes, sizeof k->bytes, &k->n, &eno);
}

static tg_rc
rule_06_body(void *arg)
{
    struct kernel_op *k = arg;
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    k->fd = fds[0];
    co_scope_open(&k->s, CO_NEVER);
    assert_int_equal(co_spawn(&k->s, "reader", reader, k), TG_OK);
    yields(2);
    assert_int_equal(ring_in_flight(co_ring()), 1);
    co_cancel(&k->s, TG_EGONE);
    /* Asked for, not over: the frame is the kernel's until the completion. */
    assert_int_equal(ring_in_flight(co_ring()), 1);
    assert_int_equal(k->s.n_live, 1);
    assert_int_equal(co_scope_close(&k->s), TG_EGONE);
    assert_int_equal(ring_in_flight(co_ring()), 0);
    assert_int_equal(k->rc, TG_EGONE);

    /* The bytes are there before the cancel is: they are delivered. */
    co_scope_open(&k->s, CO_NEVER);
    assert_int_equal(co_spawn(&k->s, "reader", reader, k), TG_OK);
    assert_int_equal(write(fds[1], "abc", 3), 3);
    yields(1);
    co_cancel(&k->s, TG_EGONE);
    assert_int_equal(co_scope_close(&k->s), TG_EGONE);
    assert_int_equal(k->rc, TG_OK);
    assert_int_equal(k->n, 3);
    close(fds[0]);
    close(fds[1]);
    return TG_OK;
}

static void
rule_06_a_cancelled_operation_is_waited_for(void **state)
{
    struct kernel_op k = {.fd = -1};

    (void)state;
    assert_int_equal(co_test_run(rule_06_body, &k), TG_OK);
}

struct multishot {
    struct ring_op op;
    struct co_event e;
    unsigned calls, with_more, bytes;
    int32_t last;
};

static void
multishot_done(struct ring_op *op, int32_t res, unsigned flags, unsigned bid)
{
    struct multishot *m = LIST_ITEM(op, struct multishot, op);

    m->calls++;
    if (flags & RING_MORE)
        m->with_more++;
    if (flags & RING_BUFFER)
        ring_buffer_return(co_ring(), bid);
    if (res > 0)
        m->bytes += (unsigned)res;
    m->last = res;
    co_event_signal(&m->e);
}

static tg_rc
rule_07_body(void *arg)
{
    struct multishot m = {.op = {.done = multishot_done}, .e = CO_EVENT_INIT};
    int fds[2], i;

    (void)arg;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    ring_recv_many(co_ring(), &m.op, fds[0]);
    for (i = 0; i < 3; i++) {
        assert_int_equal(write(fds[1], "ab", 2), 2);
        assert_int_equal(co_event_wait(&m.e), TG_OK);
        assert_true(m.op.in_flight);
    }
    assert_int_equal(m.bytes, 6);
    assert_int_equal(m.with_more, m.calls);
    ring_cancel(co_ring(), &m.op);
    co_event_wait_sure(&m.e);
    assert_false(m.op.in_flight);
    assert_int_equal(m.last, -ECANCELED);
    assert_int_equal(m.with_more, m.calls - 1);
    /* The cancel request's own completion is nobody's: the count is exact. */
    assert_int_equal(ring_stats(co_ring())->completed, m.calls);
    close(fds[0]);
    close(fds[1]);
    return TG_OK;
}

static void
rule_07_multishots_end_without_more(void **state)
{
    (void)state;
    assert_int_equal(co_test_run(rule_07_body, NULL), TG_OK);
}

struct order {
    struct co_event e;
    char log[64];
    unsigned n;
    bool in_callback;
    struct co_timer t;
};

static void
note(struct order *o, char c)
{
    o->log[o->n++] = c;
    o->log[o->n] = '\0';
}

static tg_rc
waits_for_event(void *arg)
{
    struct order *o = arg;
    tg_rc rc = co_event_wait(&o->e);

    assert_false(o->in_callback);
    note(o, 'w');
    return rc;
}

static void
signals_from_callback(struct co_timer *t)
{
    struct order *o = LIST_ITEM(t, struct order, t);

    o->in_callback = true;
    note(o, '(');
    co_event_signal(&o->e);
    note(o, ')');
    o->in_callback = false;
}

static tg_rc
notes_a(void *arg)
{
    note(arg, 'a');
    yields(1);
    note(arg, 'A');
    return TG_OK;
}

static tg_rc
notes_b(void *arg)
{
    note(arg, 'b');
    yields(1);
    note(arg, 'B');
    return TG_OK;
}

static tg_rc
rule_08_body(void *arg)
{
    struct order *o = arg;
    struct co_scope s;
    uint64_t turns;

    co_scope_open(&s, CO_NEVER);
    assert_int_equal(co_spawn(&s, "a", notes_a, o), TG_OK);
    assert_int_equal(co_spawn(&s, "b", notes_b, o), TG_OK);
    assert_int_equal(co_join(&s), TG_OK);
    assert_string_equal(o->log, "abAB");

    o->n = 0;
    assert_int_equal(co_spawn(&s, "waiter", waits_for_event, o), TG_OK);
    co_timer_init(&o->t, signals_from_callback);
    co_timer_set(&o->t, co_now());
    assert_int_equal(co_join(&s), TG_OK);
    assert_string_equal(o->log, "()w");

    /* A busy coroutine does not keep the ring from being looked at. */
    turns = ring_stats(co_ring())->turns;
    yields(100);
    assert_in_range(ring_stats(co_ring())->turns - turns, 9, 11);
    return co_scope_close(&s);
}

static void
rule_08_completions_only_make_ready(void **state)
{
    struct order o = {.e = CO_EVENT_INIT};
    struct co_conf conf = {.turn_budget = 10};

    (void)state;
    assert_int_equal(co_test_run_conf(&conf, rule_08_body, &o), TG_OK);
}

static tg_rc
rule_09_body(void *arg)
{
    struct co_scope outer, inner;
    co_time soon = co_now() + 2 * NS_PER_MS;
    uint64_t submitted = ring_stats(co_ring())->submitted;

    (void)arg;
    co_scope_open(&outer, soon);
    co_scope_open(&inner, CO_NEVER);
    assert_true(inner.deadline == soon);
    assert_int_equal(wait_forever(NULL), TG_EDEADLINE);
    assert_true(co_now() >= soon);
    assert_int_equal(co_scope_close(&inner), TG_EDEADLINE);
    assert_int_equal(co_scope_close(&outer), TG_EDEADLINE);
    /* The ring's own wait was bounded; no operation was submitted for it. */
    assert_true(ring_stats(co_ring())->submitted == submitted);

    co_scope_open(&outer, CO_NEVER);
    co_scope_open(&inner, co_now() + NS_PER_MS);
    assert_int_equal(co_sleep_until(CO_NEVER), TG_EDEADLINE);
    assert_int_equal(co_scope_close(&inner), TG_EDEADLINE);
    assert_int_equal(co_cancelled(), TG_OK);

    co_scope_open(&inner, co_now() - 1);
    assert_int_equal(co_yield(), TG_EDEADLINE);
    assert_int_equal(co_scope_close(&inner), TG_EDEADLINE);
    return co_scope_close(&outer);
}

static void
rule_09_deadlines_come_from_scopes(void **state)
{
    (void)state;
    assert_int_equal(co_test_run(rule_09_body, NULL), TG_OK);
}

static tg_rc
says_ok(void *arg)
{
    (void)arg;
    return co_yield();
}

static tg_rc
rule_10_body(void *arg)
{
    struct co_event e = CO_EVENT_INIT;
    struct co_scope s, inner;

    (void)arg;
    co_scope_open(&s, CO_NEVER);
    co_cancel(&s, TG_EGONE);
    assert_int_equal(co_yield(), TG_EGONE);

    co_shield(co_now() + 60 * NS_PER_S);
    yields(3);
    assert_int_equal(co_cancelled(), TG_OK);
    /* A scope opened under the shield lives, has children, and is cancelled by its own. */
    co_scope_open(&inner, CO_NEVER);
    assert_int_equal(co_spawn(&inner, "kid", says_ok, NULL), TG_OK);
    assert_int_equal(co_join(&inner), TG_OK);
    co_cancel(&inner, TG_ELIMIT);
    assert_int_equal(co_yield(), TG_ELIMIT);
    assert_int_equal(co_scope_close(&inner), TG_ELIMIT);
    co_unshield();
    assert_int_equal(co_yield(), TG_EGONE);

    /* It ends by itself, and whoever is suspended then is interrupted. */
    co_shield(co_now() + 2 * NS_PER_MS);
    assert_int_equal(co_event_wait(&e), TG_EGONE);

    /* The scope it was put up in may be closed under it. */
    co_scope_open(&inner, CO_NEVER);
    co_shield(co_now() + 60 * NS_PER_S);
    assert_int_equal(co_scope_close(&inner), TG_EGONE);
    yields(2);
    co_unshield();
    assert_int_equal(co_yield(), TG_EGONE);

    /* What was opened under it inherits the cancel when it ends. */
    co_shield(co_now() + 2 * NS_PER_MS);
    co_scope_open(&inner, CO_NEVER);
    assert_int_equal(co_event_wait(&e), TG_EGONE);
    assert_int_equal(inner.cancelled, TG_EGONE);
    assert_int_equal(co_scope_close(&inner), TG_EGONE);
    assert_int_equal(co_scope_close(&s), TG_EGONE);
    return TG_OK;
}

static tg_rc
cancels_arg(void *arg)
{
    co_cancel(arg, TG_EGONE);
    return TG_OK;
}

/* The cancel comes while the shield is up and scopes are open under it. */
static tg_rc
rule_10_later_body(void *arg)
{
    struct co_scope top, mid, s, inner, innermost;
    bool outer = *(bool *)arg;

    co_scope_open(&top, CO_NEVER);
    co_scope_open(&mid, CO_NEVER);
    co_scope_open(&s, CO_NEVER);
    assert_int_equal(co_spawn(&top, "cancels", cancels_arg, outer ? &mid : &s), TG_OK);
    co_shield(co_now() + 60 * NS_PER_S);
    co_scope_open(&inner, CO_NEVER);
    co_scope_open(&innermost, CO_NEVER);
    assert_int_equal(co_spawn(&innermost, "kid", wait_forever, NULL), TG_OK);
    yields(3);
    assert_int_equal(s.cancelled, TG_EGONE);
    assert_int_equal(inner.cancelled, TG_OK);
    assert_int_equal(innermost.cancelled, TG_OK);
    assert_int_equal(innermost.n_live, 1);
    co_unshield();
    assert_int_equal(inner.cancelled, TG_EGONE);
    assert_int_equal(innermost.cancelled, TG_EGONE);
    assert_int_equal(co_yield(), TG_EGONE);
    assert_int_equal(co_scope_close(&innermost), TG_EGONE);
    assert_int_equal(co_scope_close(&inner), TG_EGONE);
    assert_int_equal(co_scope_close(&s), TG_EGONE);
    assert_int_equal(co_scope_close(&mid), outer ? TG_EGONE : TG_OK);
    return co_scope_close(&top);
}

static tg_rc
unbounded_shield(void *arg)
{
    (void)arg;
    co_shield(CO_NEVER);
    return TG_OK;
}

static void
rule_10_a_shield_bounds_cleanup(void **state)
{
    char text[2048];

    (void)state;
    assert_int_equal(co_test_run(rule_10_body, NULL), TG_OK);
    assert_int_equal(co_test_run(rule_10_later_body, &(bool){false}), TG_OK);
    assert_int_equal(co_test_run(rule_10_later_body, &(bool){true}), TG_OK);
    assert_int_equal(co_test_co_dies(unbounded_shield, text, sizeof text), SIGABRT);
    assert_non_null(strstr(text, "bounded in time"));
}

static tg_rc
hogs(void *arg)
{
    int64_t until = clock_monotonic_ns() + 12 * NS_PER_MS;

    (void)arg;
    while (clock_monotonic_ns() < until) {
    }
    return TG_OK;
}

static void
find_hog(void *arg, const char *name, uint64_t count)
{
    if (strcmp(name, "hog") == 0)
        *(uint64_t *)arg += count;
}

static tg_rc
rule_11_body(void *arg)
{
    const struct co_stats *stats = co_stats(co_sched_self());
    uint64_t count = 0;
    struct co_scope s;

    (void)arg;
    co_scope_open(&s, CO_NEVER);
    assert_int_equal(co_spawn(&s, "hog", hogs, NULL), TG_OK);
    assert_int_equal(co_spawn(&s, "hog", hogs, NULL), TG_OK);
    assert_int_equal(co_join(&s), TG_OK);
    assert_true(stats->long_turns >= 2);
    assert_true(stats->longest_ns >= 10 * NS_PER_MS);
    co_long_turns(co_sched_self(), find_hog, &count);
    assert_int_equal(count, 2);
    return co_scope_close(&s);
}

static void
rule_11_long_turns_are_counted_by_name(void **state)
{
    (void)state;
    assert_int_equal(co_test_run(rule_11_body, NULL), TG_OK);
}

struct pipeline {
    struct co_chan ch;
    int slots[4];
    int sum;
};

static tg_rc
produces(void *arg)
{
    struct pipeline *p = arg;
    int i;

    for (i = 1; i <= 100; i++)
        assert_int_equal(co_chan_send(&p->ch, &i), TG_OK);
    co_chan_close(&p->ch);
    return TG_OK;
}

static tg_rc
rule_12_body(void *arg)
{
    struct pipeline *p = arg;
    struct co_scope s;
    int v;
    tg_rc rc;

    co_chan_init(&p->ch, p->slots, sizeof *p->slots, 4);
    co_scope_open(&s, CO_NEVER);
    assert_int_equal(co_spawn(&s, "producer", produces, p), TG_OK);
    while ((rc = co_chan_recv(&p->ch, &v)) == TG_OK)
        p->sum += v;
    assert_int_equal(rc, TG_EGONE);
    return co_scope_close(&s);
}

static void
rule_12_channels_instead_of_locks(void **state)
{
    struct pipeline p = {.sum = 0};

    (void)state;
    assert_int_equal(co_test_run(rule_12_body, &p), TG_OK);
    assert_int_equal(p.sum, 5050);
}

static void
suspends_in_callback(struct co_timer *t)
{
    (void)t;
    (void)!co_yield();
}

static tg_rc
rule_13_child(void *arg)
{
    struct co_timer t;

    (void)arg;
    co_timer_init(&t, suspends_in_callback);
    co_timer_set(&t, co_now());
    return wait_forever(NULL);
}

static void
suspends_outside(void)
{
    (void)!co_yield();
}

static void
rule_13_only_coroutines_suspend(void **state)
{
    char text[2048];

    (void)state;
    assert_int_equal(co_test_co_dies(rule_13_child, text, sizeof text), SIGABRT);
    assert_non_null(strstr(text, "outside of a coroutine"));
    assert_int_equal(co_test_dies(suspends_outside, text, sizeof text), SIGABRT);
    assert_non_null(strstr(text, "outside of a coroutine"));
}

static tg_rc
sets_errno(void *arg)
{
    (void)arg;
    errno = ENOTTY;
    return TG_OK;
}

static tg_rc
rule_14_body(void *arg)
{
    struct co_scope s;
    char c;
    size_t n;
    int eno = 0;

    (void)arg;
    co_scope_open(&s, CO_NEVER);
    assert_int_equal(co_spawn(&s, "errno", sets_errno, NULL), TG_OK);
    errno = 0;
    yields(1);
    assert_int_equal(errno, ENOTTY); /* so errno is nobody's over a suspension */
    /* and calls that suspend say what went wrong by another way. */
    assert_int_equal(co_read(-1, &c, 1, &n, &eno), TG_EIO);
    assert_int_equal(eno, EBADF);
    return co_scope_close(&s);
}

static void
rule_14_errno_does_not_survive_a_suspension(void **state)
{
    (void)state;
    assert_int_equal(co_test_run(rule_14_body, NULL), TG_OK);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_01_children_end_with_their_scope),
        cmocka_unit_test(rule_02_scopes_close_in_order),
        cmocka_unit_test(rule_03_cancel_reaches_opener_children_and_nested),
        cmocka_unit_test(rule_04_cancel_stays_until_the_scope_is_closed),
        cmocka_unit_test(rule_05_a_result_wins_over_a_cancel),
        cmocka_unit_test(rule_06_a_cancelled_operation_is_waited_for),
        cmocka_unit_test(rule_07_multishots_end_without_more),
        cmocka_unit_test(rule_08_completions_only_make_ready),
        cmocka_unit_test(rule_09_deadlines_come_from_scopes),
        cmocka_unit_test(rule_10_a_shield_bounds_cleanup),
        cmocka_unit_test(rule_11_long_turns_are_counted_by_name),
        cmocka_unit_test(rule_12_channels_instead_of_locks),
        cmocka_unit_test(rule_13_only_coroutines_suspend),
        cmocka_unit_test(rule_14_errno_does_not_survive_a_suspension),
    };

    return cmocka_run_group_tests_name("co rules", tests, NULL, NULL);
}
