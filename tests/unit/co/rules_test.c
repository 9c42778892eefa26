/* rules_test.c -- rules 1 to 7 of coroutines: scopes, cancellation, operations in the kernel.
 * The others are in rules_run_test.c.
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
rule_01_body(void *arg)
{
    struct co_scope s;
    int i;

    (void)arg;
    co_scope_open(&s, CO_NEVER);
    for (i = 0; i < 3; i++)
        assert_int_equal(co_spawn(&s, "kid", co_test_wait_forever, NULL), TG_OK);
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

    return r->grandkid = co_test_wait_forever(NULL);
}

static tg_rc
kid_with_scopes(void *arg)
{
    struct reach *r = arg;
    struct co_scope a, b;

    co_scope_open(&a, CO_NEVER);
    co_scope_open(&b, CO_NEVER);
    assert_int_equal(co_spawn(&b, "grandkid", grandkid, r), TG_OK);
    r->kid_nested = co_test_wait_forever(NULL);
    assert_int_equal(b.cancelled, TG_EGONE);
    assert_int_equal(co_scope_close(&b), TG_EGONE);
    assert_int_equal(co_scope_close(&a), TG_EGONE);
    return r->kid_nested;
}

static tg_rc
canceller(void *arg)
{
    struct reach *r = arg;

    co_test_yields(3);
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
    r->opener_nested = co_test_wait_forever(NULL);
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
        assert_int_equal(co_spawn(&s, "no", co_test_wait_forever, NULL), TG_EDEADLINE);
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
    co_test_yields(1);
    co_event_signal(&r->e);
    co_cancel(&r->s, TG_EGONE);
    assert_int_equal(co_scope_close(&r->s), TG_EGONE);
    assert_int_equal(r->first, TG_OK);
    assert_int_equal(r->second, TG_EGONE);

    co_scope_open(&r->s, CO_NEVER);
    assert_int_equal(co_spawn(&r->s, "chan", chan_waiter, r), TG_OK);
    co_test_yields(1);
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
    co_test_yields(2);
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
    co_test_yields(1);
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
    };

    return cmocka_run_group_tests_name("co rules 1 to 7", tests, NULL, NULL);
}
