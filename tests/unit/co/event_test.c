/* event_test.c -- events, channels, timers and scopes among coroutines. */
#include <cmocka.h>
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "support/co_test.h"

static void
yields(unsigned n)
{
    while (n-- > 0)
        assert_int_equal(co_yield(), TG_OK);
}

static tg_rc
event_body(void *arg)
{
    struct co_event e = CO_EVENT_INIT;
    struct co_scope s;

    (void)arg;
    co_event_signal(&e);
    co_event_signal(&e); /* kept once */
    assert_int_equal(co_event_wait(&e), TG_OK);
    assert_false(e.set);
    co_scope_open(&s, co_now() + NS_PER_MS);
    assert_int_equal(co_event_wait(&e), TG_EDEADLINE);
    assert_null(e.waiter);
    /* A signal that comes after the waiter gave up is kept for the next. */
    co_event_signal(&e);
    assert_int_equal(co_event_wait(&e), TG_EDEADLINE);
    assert_int_equal(co_scope_close(&s), TG_EDEADLINE);
    return co_event_wait(&e);
}

static void
signals_are_kept_once(void **state)
{
    (void)state;
    assert_int_equal(co_test_run(event_body, NULL), TG_OK);
}

struct sure {
    struct co_event e;
    struct co_scope s;
    bool over;
};

static tg_rc
waits_sure(void *arg)
{
    struct sure *x = arg;

    co_event_wait_sure(&x->e);
    x->over = true;
    return co_cancelled();
}

static tg_rc
sure_body(void *arg)
{
    struct sure *x = arg;

    co_scope_open(&x->s, CO_NEVER);
    assert_int_equal(co_spawn(&x->s, "sure", waits_sure, x), TG_OK);
    yields(1);
    co_cancel(&x->s, TG_EGONE);
    co_shield(co_now() + NS_PER_S);
    yields(5);
    assert_false(x->over);
    co_event_signal(&x->e);
    co_unshield();
    assert_int_equal(co_scope_close(&x->s), TG_EGONE);
    assert_true(x->over);
    return TG_OK;
}

static void
a_sure_wait_outlasts_a_cancel(void **state)
{
    struct sure x = {.e = CO_EVENT_INIT};

    (void)state;
    assert_int_equal(co_test_run(sure_body, &x), TG_OK);
}

static tg_rc
two_waiters_body(void *arg)
{
    struct sure *x = arg, mine = {.e = CO_EVENT_INIT};

    x = &mine;
    co_scope_open(&x->s, CO_NEVER);
    assert_int_equal(co_spawn(&x->s, "one", waits_sure, x), TG_OK);
    yields(1);
    return co_event_wait(&x->e);
}

static void
an_event_has_one_waiter(void **state)
{
    char text[2048];

    (void)state;
    assert_int_equal(co_test_co_dies(two_waiters_body, text, sizeof text), SIGABRT);
    assert_non_null(strstr(text, "an event has one waiter"));
}

struct chan {
    struct co_chan ch;
    char slots[2];
    struct co_scope s, quick;
    char got[32];
    unsigned n_got;
    tg_rc rc[8];
    unsigned n_rc;
};

struct sender {
    struct chan *x;
    char c;
};

static tg_rc
sends(void *arg)
{
    struct sender *snd = arg;
    tg_rc rc = co_chan_send(&snd->x->ch, &snd->c);

    snd->x->rc[snd->x->n_rc++] = rc;
    return TG_OK;
}

static tg_rc
receives_one(void *arg)
{
    struct chan *x = arg;
    char c;
    tg_rc rc = co_chan_recv(&x->ch, &c);

    if (rc == TG_OK)
        x->got[x->n_got++] = c;
    x->rc[x->n_rc++] = rc;
    return TG_OK;
}

static tg_rc
order_body(void *arg)
{
    struct chan *x = arg;
    struct sender snd[5];
    unsigned i;
    char c;

    co_chan_init(&x->ch, x->slots, 1, 2);
    co_scope_open(&x->s, CO_NEVER);
    for (i = 0; i < 5; i++) {
        snd[i] = (struct sender){x, (char)('a' + i)};
        assert_int_equal(co_spawn(&x->s, "sender", sends, &snd[i]), TG_OK);
    }
    yields(1);
    assert_int_equal(x->n_rc, 2); /* two have room, three wait */
    assert_int_equal(co_chan_try_send(&x->ch, "z"), TG_EUNAVAIL);
    for (i = 0; i < 5; i++) {
        assert_int_equal(co_chan_recv(&x->ch, &c), TG_OK);
        assert_int_equal(c, 'a' + i);
    }
    assert_int_equal(co_join(&x->s), TG_OK);
    assert_int_equal(x->n_rc, 5);

    /* Waiting receivers are served first come, first served. */
    x->n_rc = 0;
    for (i = 0; i < 3; i++)
        assert_int_equal(co_spawn(&x->s, "receiver", receives_one, x), TG_OK);
    yields(1);
    for (i = 0; i < 3; i++)
        assert_int_equal(co_chan_try_send(&x->ch, &"123"[i]), TG_OK);
    assert_int_equal(co_join(&x->s), TG_OK);
    assert_string_equal(x->got, "123");
    return co_scope_close(&x->s);
}

static void
channels_keep_order(void **state)
{
    struct chan x = {.n_got = 0};

    (void)state;
    assert_int_equal(co_test_run(order_body, &x), TG_OK);
}

static tg_rc
close_body(void *arg)
{
    struct chan *x = arg;
    struct sender snd[3];
    unsigned i;
    char c;

    co_chan_init(&x->ch, x->slots, 1, 2);
    co_scope_open(&x->s, CO_NEVER);
    for (i = 0; i < 3; i++) {
        snd[i] = (struct sender){x, (char)('a' + i)};
        assert_int_equal(co_spawn(&x->s, "sender", sends, &snd[i]), TG_OK);
    }
    yields(1);
    co_chan_close(&x->ch);
    assert_int_equal(co_join(&x->s), TG_OK);
    assert_int_equal(x->rc[2], TG_EGONE);
    assert_int_equal(co_chan_send(&x->ch, "z"), TG_EGONE);
    assert_int_equal(co_chan_recv(&x->ch, &c), TG_OK); /* what was accepted is delivered */
    assert_int_equal(co_chan_recv(&x->ch, &c), TG_OK);
    assert_int_equal(c, 'b');
    assert_int_equal(co_chan_recv(&x->ch, &c), TG_EGONE);

    x->n_rc = 0;
    co_chan_init(&x->ch, x->slots, 1, 2);
    for (i = 0; i < 2; i++)
        assert_int_equal(co_spawn(&x->s, "receiver", receives_one, x), TG_OK);
    yields(1);
    co_chan_close(&x->ch);
    assert_int_equal(co_join(&x->s), TG_OK);
    assert_int_equal(x->rc[0], TG_EGONE);
    assert_int_equal(x->rc[1], TG_EGONE);
    return co_scope_close(&x->s);
}

static void
closing_a_channel_wakes_all(void **state)
{
    struct chan x = {.n_got = 0};

    (void)state;
    assert_int_equal(co_test_run(close_body, &x), TG_OK);
}

static tg_rc
chan_cancel_body(void *arg)
{
    struct chan *x = arg;
    char c;

    co_chan_init(&x->ch, x->slots, 1, 2);
    co_scope_open(&x->s, CO_NEVER);
    co_scope_open(&x->quick, CO_NEVER);
    assert_int_equal(co_spawn(&x->s, "first", receives_one, x), TG_OK);
    assert_int_equal(co_spawn(&x->quick, "cancelled", receives_one, x), TG_OK);
    assert_int_equal(co_spawn(&x->s, "last", receives_one, x), TG_OK);
    yields(1);
    assert_int_equal(co_scope_close(&x->quick), TG_OK);
    assert_int_equal(x->rc[0], TG_ECANCELED);
    assert_int_equal(co_chan_try_send(&x->ch, "1"), TG_OK);
    assert_int_equal(co_chan_try_send(&x->ch, "2"), TG_OK);
    assert_int_equal(co_chan_try_send(&x->ch, "3"), TG_OK);
    assert_int_equal(co_join(&x->s), TG_OK);
    assert_string_equal(x->got, "12");
    assert_int_equal(co_chan_recv(&x->ch, &c), TG_OK);
    assert_int_equal(c, '3');
    return co_scope_close(&x->s);
}

static void
a_cancelled_receiver_takes_nothing(void **state)
{
    struct chan x = {.n_got = 0};

    (void)state;
    assert_int_equal(co_test_run(chan_cancel_body, &x), TG_OK);
}

static tg_rc
fails(void *arg)
{
    tg_rc rc = co_yield();

    return rc != TG_OK ? rc : *(tg_rc *)arg;
}

static tg_rc
sleeps(void *arg)
{
    (void)arg;
    return co_sleep_until(CO_NEVER);
}

static tg_rc
join_body(void *arg)
{
    tg_rc bad = TG_EPROTO, fine = TG_OK;
    struct co_scope s;

    (void)arg;
    co_scope_open(&s, CO_NEVER);
    assert_int_equal(co_join(&s), TG_OK); /* nobody to wait for */
    assert_int_equal(co_spawn(&s, "fine", fails, &fine), TG_OK);
    assert_int_equal(co_spawn(&s, "sleeps", sleeps, NULL), TG_OK);
    assert_int_equal(co_spawn(&s, "bad", fails, &bad), TG_OK);
    assert_int_equal(co_join(&s), TG_EPROTO); /* does not wait for the sleeper */
    assert_int_equal(s.n_live, 1);
    assert_int_equal(co_scope_close(&s), TG_EPROTO);

    co_scope_open(&s, CO_NEVER);
    assert_int_equal(co_spawn(&s, "sleeps", sleeps, NULL), TG_OK);
    /* Children that end because close cancels them are no failure. */
    assert_int_equal(co_scope_close(&s), TG_OK);
    return TG_OK;
}

static void
join_returns_the_first_failure(void **state)
{
    (void)state;
    assert_int_equal(co_test_run(join_body, NULL), TG_OK);
}

static tg_rc
shield_hides_join(void *arg)
{
    struct co_scope *outer = arg;
    tg_rc rc;

    co_shield(co_now() + NS_PER_MS);
    rc = co_sleep_until(CO_NEVER);
    assert_int_equal(rc, TG_ELIMIT);
    assert_int_equal(outer->cancelled, TG_ELIMIT);
    return rc;
}

static tg_rc
shielded_child_body(void *arg)
{
    struct co_scope s;

    (void)arg;
    co_scope_open(&s, CO_NEVER);
    assert_int_equal(co_spawn(&s, "shielded", shield_hides_join, &s), TG_OK);
    yields(1);
    co_cancel(&s, TG_ELIMIT);
    assert_int_equal(s.n_live, 1);
    assert_int_equal(co_scope_close(&s), TG_ELIMIT); /* waits until the shield is over */
    return TG_OK;
}

static void
close_waits_for_a_shielded_child(void **state)
{
    (void)state;
    assert_int_equal(co_test_run(shielded_child_body, NULL), TG_OK);
}

static tg_rc
late_start(void *arg)
{
    *(tg_rc *)arg = co_yield();
    return TG_OK;
}

static tg_rc
unstarted_body(void *arg)
{
    tg_rc seen = TG_OK;
    struct co_scope s;

    (void)arg;
    co_scope_open(&s, CO_NEVER);
    assert_int_equal(co_spawn(&s, "late", late_start, &seen), TG_OK);
    assert_int_equal(co_scope_close(&s), TG_OK);
    assert_int_equal(seen, TG_ECANCELED);
    return TG_OK;
}

static void
a_child_not_yet_started_still_runs(void **state)
{
    (void)state;
    assert_int_equal(co_test_run(unstarted_body, NULL), TG_OK);
}

struct ticker {
    struct co_timer t;
    struct co_event e;
    unsigned fired;
    co_time at;
};

static void
tick(struct co_timer *t)
{
    struct ticker *k = LIST_ITEM(t, struct ticker, t);

    k->fired++;
    k->at = co_now();
    co_event_signal(&k->e);
}

static tg_rc
timer_body(void *arg)
{
    struct ticker k = {.e = CO_EVENT_INIT};
    co_time start = co_now();

    (void)arg;
    co_timer_init(&k.t, tick);
    co_timer_set(&k.t, start + NS_PER_MS);
    co_timer_set(&k.t, start + 3 * NS_PER_MS); /* later: stays in its place */
    assert_int_equal(co_event_wait(&k.e), TG_OK);
    assert_int_equal(k.fired, 1);
    assert_true(k.at >= start + 3 * NS_PER_MS);
    assert_true(k.t.at == CO_NEVER);

    co_timer_set(&k.t, co_now() + 3600 * NS_PER_S);
    co_timer_set(&k.t, co_now()); /* sooner: moves */
    assert_int_equal(co_event_wait(&k.e), TG_OK);
    assert_int_equal(k.fired, 2);

    co_timer_set(&k.t, co_now() + NS_PER_MS);
    co_timer_set(&k.t, CO_NEVER);
    assert_int_equal(co_sleep_until(co_now() + 3 * NS_PER_MS), TG_OK);
    assert_int_equal(k.fired, 2);
    co_timer_clear(&k.t);
    return TG_OK;
}

static void
timers_move_and_disarm(void **state)
{
    (void)state;
    assert_int_equal(co_test_run(timer_body, NULL), TG_OK);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signals_are_kept_once),
        cmocka_unit_test(a_sure_wait_outlasts_a_cancel),
        cmocka_unit_test(an_event_has_one_waiter),
        cmocka_unit_test(channels_keep_order),
        cmocka_unit_test(closing_a_channel_wakes_all),
        cmocka_unit_test(a_cancelled_receiver_takes_nothing),
        cmocka_unit_test(join_returns_the_first_failure),
        cmocka_unit_test(close_waits_for_a_shielded_child),
        cmocka_unit_test(a_child_not_yet_started_still_runs),
        cmocka_unit_test(timers_move_and_disarm),
    };

    return cmocka_run_group_tests_name("co events", tests, NULL, NULL);
}
