/* full_test.c -- the ring's queues full on both sides: nothing is lost, and it is counted.
 *
 * Queues of 8 and 16 entries, and hundreds of operations that complete while nobody looks.
 * Completions beyond the queue are the kernel's to keep until it is asked for them; operations
 * beyond the other queue are submitted from wherever they are made, also from done functions.
 */
#include <cmocka.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "co/ring.h"
#include "support/co_test.h"

enum { OPS = 300, AGAIN = 20 };

static const struct co_conf small = {
    .ring_entries = 8, .ring_cq_entries = 16, .turn_budget = 1};

struct repeated {
    struct ring_op op;
    int fd;
    unsigned left, failed;
};

/* A poll that is ready at once, submitted again by its own completion. */
static void
repeat(struct ring_op *op, int32_t res, unsigned flags, unsigned bid)
{
    struct repeated *r = LIST_ITEM(op, struct repeated, op);

    (void)flags, (void)bid;
    r->failed += res <= 0;
    if (--r->left > 0)
        ring_poll(co_ring(), &r->op, r->fd, POLLIN);
}

static tg_rc
until_none_in_flight(void)
{
    co_time until = co_now() + 10 * NS_PER_S;

    while (ring_in_flight(co_ring()) > 0 && co_now() < until)
        assert_int_equal(co_yield(), TG_OK);
    return ring_in_flight(co_ring()) == 0 ? TG_OK : TG_EDEADLINE;
}

static tg_rc
repeated_body(void *arg)
{
    static struct repeated r[OPS];
    struct ring *ring = co_ring();
    int fds[2];

    (void)arg;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    for (unsigned i = 0; i < OPS; i++) {
        r[i] = (struct repeated){.op = {.done = repeat}, .fd = fds[0], .left = AGAIN};
        ring_poll(ring, &r[i].op, r[i].fd, POLLIN);
    }
    assert_int_equal(ring_in_flight(ring), OPS);
    assert_int_equal(write(fds[1], "x", 1), 1);
    assert_int_equal(until_none_in_flight(), TG_OK);
    for (unsigned i = 0; i < OPS; i++) {
        assert_int_equal(r[i].left, 0);
        assert_int_equal(r[i].failed, 0);
    }
    assert_int_equal(ring_stats(ring)->completed, OPS * AGAIN);
    assert_int_equal(ring_stats(ring)->submitted, OPS * AGAIN);
    assert_true(ring_stats(ring)->cq_overflows > 0);
    close(fds[0]);
    close(fds[1]);
    return TG_OK;
}

static void
operations_submitted_by_completions(void **state)
{
    (void)state;
    assert_int_equal(co_test_run_conf(&small, repeated_body, NULL), TG_OK);
}

struct sleeper {
    int fd;
    co_time at;
    unsigned *woken;
};

/* Sleeps beside the operations: timers are served although the queue overflows. */
static tg_rc
sleeps(void *arg)
{
    struct sleeper *s = arg;
    tg_rc rc = co_sleep_until(s->at);

    ++*s->woken;
    return rc;
}

static tg_rc
reads(void *arg)
{
    struct sleeper *s = arg;
    char c;
    size_t n = 0;
    int eno;
    tg_rc rc = co_read(s->fd, &c, 1, &n, &eno);

    *s->woken += n == 1;
    return rc;
}

static tg_rc
stalled_body(void *arg)
{
    static struct sleeper s[OPS], t[OPS];
    unsigned n_read = 0, n_slept = 0;
    struct co_scope sc;
    static int fds[OPS][2];

    (void)arg;
    co_scope_open(&sc, co_now() + 20 * NS_PER_S);
    for (unsigned i = 0; i < OPS; i++) {
        assert_int_equal(pipe(fds[i]), 0);
        s[i] = (struct sleeper){.fd = fds[i][0], .woken = &n_read};
        t[i] = (struct sleeper){.at = co_now() + NS_PER_MS, .woken = &n_slept};
        assert_int_equal(co_spawn(&sc, "reads", reads, &s[i]), TG_OK);
        assert_int_equal(co_spawn(&sc, "sleeps", sleeps, &t[i]), TG_OK);
    }
    while (ring_in_flight(co_ring()) < OPS)
        assert_int_equal(co_yield(), TG_OK);
    /* All become ready while this thread is not in the kernel to take them. */
    for (unsigned i = 0; i < OPS; i++)
        assert_int_equal(write(fds[i][1], "x", 1), 1);
    assert_int_equal(co_join(&sc), TG_OK);
    assert_int_equal(co_scope_close(&sc), TG_OK);
    assert_int_equal(n_read, OPS);
    assert_int_equal(n_slept, OPS);
    assert_true(ring_stats(co_ring())->cq_overflows > 0);
    for (unsigned i = 0; i < OPS; i++) {
        close(fds[i][0]);
        close(fds[i][1]);
    }
    return TG_OK;
}

static void
coroutines_all_at_once(void **state)
{
    (void)state;
    assert_int_equal(co_test_run_conf(&small, stalled_body, NULL), TG_OK);
}

/* Cancelled while the completions of others fill the queue. */
static tg_rc
cancelled_body(void *arg)
{
    static struct sleeper s[OPS];
    static int fds[OPS][2];
    unsigned n_read = 0;
    struct co_scope sc;

    (void)arg;
    for (unsigned round = 0; round < 3; round++) {
        co_scope_open(&sc, CO_NEVER);
        for (unsigned i = 0; i < OPS; i++) {
            assert_int_equal(pipe(fds[i]), 0);
            s[i] = (struct sleeper){.fd = fds[i][0], .woken = &n_read};
            assert_int_equal(co_spawn(&sc, "reads", reads, &s[i]), TG_OK);
        }
        while (ring_in_flight(co_ring()) < OPS)
            assert_int_equal(co_yield(), TG_OK);
        for (unsigned i = 0; i < OPS; i += 2)
            assert_int_equal(write(fds[i][1], "x", 1), 1);
        (void)co_scope_close(&sc);
        assert_int_equal(ring_in_flight(co_ring()), 0);
        for (unsigned i = 0; i < OPS; i++) {
            close(fds[i][0]);
            close(fds[i][1]);
        }
    }
    assert_true(n_read <= 3 * OPS / 2);
    assert_int_equal(ring_stats(co_ring())->completed, ring_stats(co_ring())->submitted);
    return TG_OK;
}

static void
cancels_between_completions(void **state)
{
    (void)state;
    assert_int_equal(co_test_run_conf(&small, cancelled_body, NULL), TG_OK);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations_submitted_by_completions),
        cmocka_unit_test(coroutines_all_at_once),
        cmocka_unit_test(cancels_between_completions),
    };

    return cmocka_run_group_tests_name("co, full queues", tests, NULL, NULL);
}
