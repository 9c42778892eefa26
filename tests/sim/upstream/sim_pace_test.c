/* sim_pace_test.c -- the simulated model's schedule, in virtual time: exact, without drift, and
 * cancelled at once. */
#include "upstream/sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/list.h"
#include "co/co.h"
#include "support/co_test.h"
#include "support/ring_sim.h"

enum { TIMES_MAX = 4096 };

struct run {
    struct ir_sink sink;
    struct sim_params p;
    struct ir_req req;
    int64_t slow_ns; /* what the sink takes for a delta */
    co_time begin, deadline;
    co_time at[TIMES_MAX]; /* of the deltas */
    unsigned n;
    co_time start_at, end_at;
    tg_rc rc;
    struct tg_err err;
};

static tg_rc
put(struct ir_sink *sink, const struct ir_event *ev)
{
    struct run *r = LIST_ITEM(sink, struct run, sink);

    if (ev->kind == IR_EV_START)
        r->start_at = co_now() - r->begin;
    if (ev->kind == IR_EV_END)
        r->end_at = co_now() - r->begin;
    if (ev->kind != IR_EV_DELTA)
        return TG_OK;
    assert_true(r->n < TIMES_MAX);
    r->at[r->n++] = co_now() - r->begin;
    return r->slow_ns ? co_sleep_until(co_now() + r->slow_ns) : TG_OK;
}

static tg_rc
body(void *arg)
{
    struct run *r = arg;
    struct co_scope sc;
    struct arena a;

    arena_init(&a);
    r->begin = co_now_exact();
    co_scope_open(&sc, r->deadline ? r->begin + r->deadline : CO_NEVER);
    r->rc = sim_generate(&a, &r->p, &r->req, &r->sink, &r->err);
    r->end_at = r->end_at ? r->end_at : co_now() - r->begin;
    co_scope_close(&sc);
    arena_fini(&a);
    return TG_OK;
}

static void
init(struct run *r, int64_t first_ms, int64_t rate, int64_t tokens)
{
    memset(r, 0, sizeof *r);
    r->sink.put = put;
    r->p = (struct sim_params){
        .first_token_ms = first_ms, .tokens_per_second = rate, .tokens = tokens, .cut = -1};
    r->req = (struct ir_req){.max_tokens = -1, .seed = -1, .choices = 1};
    ring_sim_seed(7);
}

/* Virtual time jumps to the due time; what comes on top is the simulated kernel's own delay. */
static void
near(int64_t got, int64_t want)
{
    if (got < want || got > want + 5 * NS_PER_MS)
        fail_msg("%lld ns, expected %lld", (long long)got, (long long)want);
}

static void
tokens_come_on_time(void **state)
{
    static struct run r;

    (void)state;
    init(&r, 200, 50, 1000);
    assert_int_equal(co_test_run(body, &r), TG_OK);
    assert_int_equal(r.rc, TG_OK);
    assert_int_equal(r.n, 1000);
    near(r.start_at, 200 * NS_PER_MS);
    for (unsigned i = 0; i < r.n; i++)
        near(r.at[i], 200 * NS_PER_MS + i * (NS_PER_S / 50));
}

/* A sink that takes 15 of the 20 ms each time does not shift what comes after. */
static void
a_slow_sink_does_not_add_up(void **state)
{
    static struct run r;

    (void)state;
    init(&r, 0, 50, 500);
    r.slow_ns = 15 * NS_PER_MS;
    assert_int_equal(co_test_run(body, &r), TG_OK);
    assert_int_equal(r.n, 500);
    near(r.at[499], 499 * (NS_PER_S / 50));
}

static void
without_a_pace_only_the_first_token_waits(void **state)
{
    static struct run r;

    (void)state;
    init(&r, 300, 0, 2000);
    assert_int_equal(co_test_run(body, &r), TG_OK);
    assert_int_equal(r.n, 2000);
    near(r.at[0], 300 * NS_PER_MS);
    near(r.at[1999], 300 * NS_PER_MS);
}

static void
errors_come_after_the_first_delay(void **state)
{
    static struct run r;

    (void)state;
    init(&r, 250, 0, 10);
    r.p.error_status = 429;
    assert_int_equal(co_test_run(body, &r), TG_OK);
    assert_int_equal(r.err.kind, TG_ERR_RATE_LIMIT);
    near(r.end_at, 250 * NS_PER_MS);
}

static void
cancelled_at_once(void **state)
{
    static const int64_t deadlines_ms[] = {1, 99, 101, 350, 1111};
    static struct run r;

    (void)state;
    for (size_t i = 0; i < sizeof(deadlines_ms) / sizeof(deadlines_ms[0]); i++) {
        init(&r, 100, 10, 1000);
        r.deadline = deadlines_ms[i] * NS_PER_MS;
        assert_int_equal(co_test_run(body, &r), TG_OK);
        assert_int_equal(r.rc, TG_EDEADLINE);
        near(r.end_at, deadlines_ms[i] * NS_PER_MS);
    }
}

struct count_turns {
    struct run *r;
    unsigned turns, turns_at_end;
    bool over;
};

static tg_rc
count_turns(void *arg)
{
    struct count_turns *t = arg;
    tg_rc rc = TG_OK;

    while (rc == TG_OK && !t->over) {
        t->turns++;
        rc = co_yield();
    }
    return TG_OK;
}

static tg_rc
beside(void *arg)
{
    struct count_turns *t = arg;
    struct co_scope sc;
    tg_rc rc;

    co_scope_open(&sc, CO_NEVER);
    rc = co_spawn(&sc, "turns", count_turns, t);
    if (rc == TG_OK)
        rc = body(t->r);
    t->turns_at_end = t->turns;
    t->over = true;
    co_scope_close(&sc);
    return rc;
}

/* Going as fast as possible it still lets others run, once in 64 events. */
static void
others_get_their_turns(void **state)
{
    static struct run r;
    struct count_turns t = {.r = &r};

    (void)state;
    init(&r, 0, 0, 4000);
    assert_int_equal(co_test_run(beside, &t), TG_OK);
    assert_int_equal(r.n, 4000);
    assert_in_range(t.turns_at_end, 4000 / 64, 4000 / 64 + 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_come_on_time),
        cmocka_unit_test(a_slow_sink_does_not_add_up),
        cmocka_unit_test(without_a_pace_only_the_first_token_waits),
        cmocka_unit_test(errors_come_after_the_first_delay),
        cmocka_unit_test(cancelled_at_once),
        cmocka_unit_test(others_get_their_turns),
    };
    int failed = cmocka_run_group_tests_name("upstream/sim pace", tests, NULL, NULL);

    arena_thread_fini();
    return failed;
}
