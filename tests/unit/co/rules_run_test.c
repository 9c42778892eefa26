/* rules_run_test.c -- rules 8 to 14 of coroutines: who runs when, deadlines and shields, the
 * watchdog, channels, callbacks, errno.  The others are in rules_test.c.
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
#include "co/co_int.h"
#include "co/ring.h"
#include "support/co_test.h"

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
    co_test_yields(1);
    note(arg, 'A');
    return TG_OK;
}

static tg_rc
notes_b(void *arg)
{
    note(arg, 'b');
    co_test_yields(1);
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
    co_test_yields(100);
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
shows_itself(void *arg)
{
    *(struct co **)arg = co_cur();
    return co_test_wait_forever(NULL);
}

/* The one between the two wake-ups would fall off the list. */
static tg_rc
woken_twice_body(void *arg)
{
    struct co *a, *b;
    struct co_scope s;

    (void)arg;
    co_scope_open(&s, CO_NEVER);
    if (co_spawn(&s, "a", shows_itself, &a) == TG_OK &&
        co_spawn(&s, "b", shows_itself, &b) == TG_OK && co_yield() == TG_OK) {
        co_wake(a, TG_OK);
        co_wake(b, TG_OK);
        co_wake(a, TG_OK);
        (void)!co_yield();
    }
    return co_scope_close(&s);
}

static void
rule_08_a_second_wake_up_is_found_out(void **state)
{
    char said[512];

    (void)state;
    assert_int_equal(co_test_co_dies(woken_twice_body, said, sizeof said), SIGABRT);
    assert_non_null(strstr(said, "ssertion"));
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
    assert_int_equal(co_test_wait_forever(NULL), TG_EDEADLINE);
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
    co_test_yields(3);
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
    co_test_yields(2);
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
    assert_int_equal(co_spawn(&innermost, "kid", co_test_wait_forever, NULL), TG_OK);
    co_test_yields(3);
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
    return co_test_wait_forever(NULL);
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
    co_test_yields(1);
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
        cmocka_unit_test(rule_08_completions_only_make_ready),
        cmocka_unit_test(rule_08_a_second_wake_up_is_found_out),
        cmocka_unit_test(rule_09_deadlines_come_from_scopes),
        cmocka_unit_test(rule_10_a_shield_bounds_cleanup),
        cmocka_unit_test(rule_11_long_turns_are_counted_by_name),
        cmocka_unit_test(rule_12_channels_instead_of_locks),
        cmocka_unit_test(rule_13_only_coroutines_suspend),
        cmocka_unit_test(rule_14_errno_does_not_survive_a_suspension),
    };

    return cmocka_run_group_tests_name("co rules 8 to 14", tests, NULL, NULL);
}
