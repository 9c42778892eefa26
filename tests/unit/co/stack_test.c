/* stack_test.c -- switching, stacks, limits, the overflow message, the census. */
#include <cmocka.h>
#include <execinfo.h>
#include <fenv.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "co/fiber.h" /* which sanitizer this is */
#include "support/co_test.h"

/* ThreadSanitizer has room for 8,000 fibers. */
#ifdef CO_TSAN
enum { MANY = 2000 };
#else
enum { MANY = 10000 };
#endif

static tg_rc
waits(void *arg)
{
    return co_event_wait(arg);
}

/* More live values than there are registers that a callee keeps, and some floating point. */
static __attribute__((noinline)) uint64_t
mixes(unsigned seed, bool yields)
{
    uint64_t a = seed, b = seed * 3, c = seed * 5, d = seed * 7, e = seed * 11, f = seed * 13;
    double x = seed;
    unsigned i;

    for (i = 0; i < 50; i++) {
        if (yields)
            assert_int_equal(co_yield(), TG_OK);
        a += b ^ i, b += c * 3, c ^= d + seed, d += e * 5, e ^= f + 7, f += a;
        x = x * 1.25 + (double)(a & 15);
    }
    return a ^ b ^ c ^ d ^ e ^ f ^ (uint64_t)(x / 1e4);
}

struct mix {
    unsigned seed;
    uint64_t result;
};

static tg_rc
computes(void *arg)
{
    struct mix *m = arg;

    m->result = mixes(m->seed, true);
    return TG_OK;
}

static tg_rc
registers_body(void *arg)
{
    struct mix m[50];
    struct co_scope s;
    unsigned i;

    (void)arg;
    co_scope_open(&s, CO_NEVER);
    for (i = 0; i < 50; i++) {
        m[i].seed = i * i + 1;
        assert_int_equal(co_spawn(&s, "computes", computes, &m[i]), TG_OK);
    }
    assert_int_equal(co_join(&s), TG_OK);
    for (i = 0; i < 50; i++)
        assert_true(m[i].result == mixes(m[i].seed, false));
    return co_scope_close(&s);
}

static void
values_live_across_switches(void **state)
{
    (void)state;
    assert_int_equal(co_test_run(registers_body, NULL), TG_OK);
}

static tg_rc
rounds_up(void *arg)
{
    (void)arg;
    assert_int_equal(fegetround(), FE_TONEAREST); /* the spawner's */
    assert_int_equal(fesetround(FE_UPWARD), 0);
    assert_int_equal(co_yield(), TG_OK);
    assert_int_equal(fegetround(), FE_UPWARD);
    assert_int_equal(co_yield(), TG_OK);
    assert_int_equal(fegetround(), FE_UPWARD);
    return TG_OK;
}

static tg_rc
rounding_body(void *arg)
{
    struct co_scope s;

    (void)arg;
    co_scope_open(&s, CO_NEVER);
    assert_int_equal(co_spawn(&s, "rounds", rounds_up, NULL), TG_OK);
    assert_int_equal(co_yield(), TG_OK);
    assert_int_equal(fegetround(), FE_TONEAREST);
    assert_int_equal(co_join(&s), TG_OK);
    assert_int_equal(fegetround(), FE_TONEAREST);
    return co_scope_close(&s);
}

static void
rounding_mode_belongs_to_the_coroutine(void **state)
{
    (void)state;
    assert_int_equal(co_test_run(rounding_body, NULL), TG_OK);
}

static tg_rc
aligned(void *arg)
{
    char buf[64] __attribute__((aligned(16)));

    *(uintptr_t *)arg = (uintptr_t)__builtin_frame_address(0);
    (void)snprintf(buf, sizeof buf, "%.3f %Lf", 1.5, (long double)2.25);
    assert_string_equal(buf, "1.500 2.250000");
    assert_string_equal(co_name(), "aligned");
    return TG_OK;
}

static tg_rc
alignment_body(void *arg)
{
    uintptr_t frames[20];
    struct co_scope s;
    unsigned i;

    (void)arg;
    co_scope_open(&s, CO_NEVER);
    for (i = 0; i < 20; i++)
        assert_int_equal(co_spawn(&s, "aligned", aligned, &frames[i]), TG_OK);
    assert_int_equal(co_join(&s), TG_OK);
    return co_scope_close(&s);
}

static void
stacks_are_aligned_for_the_abi(void **state)
{
    (void)state;
    assert_int_equal(co_test_run(alignment_body, NULL), TG_OK);
}

static tg_rc
looks_back(void *arg)
{
    void *frames[64];

    *(int *)arg = backtrace(frames, 64);
    return TG_OK;
}

static tg_rc
backtrace_body(void *arg)
{
    struct co_scope s;

    co_scope_open(&s, CO_NEVER);
    assert_int_equal(co_spawn(&s, "looks back", looks_back, arg), TG_OK);
    assert_int_equal(co_join(&s), TG_OK);
    return co_scope_close(&s);
}

/* The unwinder finds the frame that has no caller, and stops there. */
static void
backtraces_end(void **state)
{
    int n = 0;

    (void)state;
    assert_int_equal(co_test_run(backtrace_body, &n), TG_OK);
    assert_in_range(n, 2, 6);
}

static tg_rc
many_body(void *arg)
{
    static struct co_event events[MANY];
    struct co_scope s;
    unsigned i, round;

    (void)arg;
    for (round = 0; round < 2; round++) {
        co_scope_open(&s, CO_NEVER);
        for (i = 0; i < MANY; i++)
            assert_int_equal(co_spawn(&s, "one of many", waits, &events[i]), TG_OK);
        assert_int_equal(co_yield(), TG_OK);
        assert_int_equal(co_stats(co_sched_self())->live, MANY + 1);
        for (i = 0; i < MANY; i += 2)
            co_event_signal(&events[i]);
        while (s.n_live > MANY / 2)
            assert_int_equal(co_yield(), TG_OK);
        assert_int_equal(co_scope_close(&s), TG_OK);
        assert_int_equal(co_stats(co_sched_self())->live, 1);
    }
    assert_int_equal(co_stats(co_sched_self())->live_max, MANY + 1);
    assert_true(co_stats(co_sched_self())->stacks_pooled >= MANY);
    return TG_OK;
}

static void
many_thousand_coroutines(void **state)
{
    (void)state;
    assert_int_equal(co_test_run(many_body, NULL), TG_OK);
}

static tg_rc
limit_body(void *arg)
{
    struct co_event e[4] = {CO_EVENT_INIT};
    struct co_scope s;
    unsigned i;

    (void)arg;
    co_scope_open(&s, CO_NEVER);
    for (i = 0; i < 4; i++)
        assert_int_equal(co_spawn(&s, "kid", waits, &e[i]), TG_OK);
    assert_int_equal(co_spawn(&s, "too many", waits, &e[0]), TG_ELIMIT);
    assert_int_equal(co_yield(), TG_OK);
    co_event_signal(&e[0]);
    while (s.n_live == 4)
        assert_int_equal(co_yield(), TG_OK);
    assert_int_equal(co_spawn(&s, "again", waits, &e[0]), TG_OK);
    return co_scope_close(&s);
}

static void
spawning_is_bounded(void **state)
{
    struct co_conf conf = {.coroutines_max = 5};

    (void)state;
    assert_int_equal(co_test_run_conf(&conf, limit_body, NULL), TG_OK);
}

/* Resident pages of the `n` bytes up to and including p's page. */
static unsigned
resident(const char *p, size_t n)
{
    unsigned char map[64];
    uintptr_t end = ((uintptr_t)p | 4095) + 1;
    unsigned i, k = 0;

    assert_true(n / 4096 <= sizeof map);
    if (mincore((void *)(end - n), n, map) != 0)
        return 0;
    for (i = 0; i < n / 4096; i++)
        k += map[i] & 1;
    return k;
}

enum { CROWD = 1000 };

struct crowd {
    struct co_event e;
    const char *at;
};

static tg_rc
tells_where(void *arg)
{
    struct crowd *c = arg;

    c->at = __builtin_frame_address(0);
    return co_event_wait(&c->e);
}

static unsigned
crowd_pages(const struct crowd *c)
{
    unsigned i, n = 0;

    for (i = 0; i < CROWD; i++)
        n += resident(c[i].at, 4096);
    return n;
}

static tg_rc
pool_body(void *arg)
{
    static struct crowd c[CROWD];
    struct co_scope s;
    unsigned i;

    (void)arg;
    co_scope_open(&s, CO_NEVER);
    for (i = 0; i < CROWD; i++)
        assert_int_equal(co_spawn(&s, "crowd", tells_where, &c[i]), TG_OK);
    assert_int_equal(co_yield(), TG_OK);
    assert_int_equal(crowd_pages(c), CROWD);
    assert_int_equal(co_scope_close(&s), TG_OK);
    assert_int_equal(co_sleep_until(co_now() + NS_PER_MS), TG_OK); /* a turn */
    assert_int_equal(crowd_pages(c), CROWD);
    co_stacks_give_back();
    for (i = 0; i < 1000 && crowd_pages(c) > CROWD / 4; i++)
        assert_int_equal(co_sleep_until(co_now() + NS_PER_MS), TG_OK);
    assert_in_range(crowd_pages(c), 1, CROWD / 4);
    return TG_OK;
}

static void
unused_stacks_lose_their_pages_when_asked(void **state)
{
    (void)state;
    assert_int_equal(co_test_run(pool_body, NULL), TG_OK);
}

static __attribute__((noinline)) int
digs(int depth)
{
    volatile char pad[1024];
    int k = depth == 0 ? 0 : digs(depth - 1);

    pad[0] = (char)k;
    return k + pad[0];
}

struct sleeper {
    struct co_event woken;
    struct co_scope scope;
    const char *here; /* in its deepest frame that lives */
    bool waits;
};

static tg_rc
digs_and_sleeps(void *arg)
{
    struct sleeper *s = arg;
    volatile char kept[1024] = {7};
    char here;
    tg_rc rc;

    co_scope_open(&s->scope, CO_NEVER);
    assert_int_equal(digs(30), 0);
    s->here = &here;
    s->waits = true;
    rc = co_event_wait(&s->woken);
    assert_int_equal(kept[0], 7);
    assert_int_equal(kept[1], 0);
    assert_int_equal(digs(30), 0);
    (void)co_scope_close(&s->scope);
    return rc;
}

static tg_rc
trim_body(void *arg)
{
    struct sleeper s = {.woken = CO_EVENT_INIT};
    struct co_scope sc;
    unsigned before, after;

    (void)arg;
    co_scope_open(&sc, CO_NEVER);
    assert_int_equal(co_spawn(&sc, "sleeper", digs_and_sleeps, &s), TG_OK);
    while (!s.waits)
        assert_int_equal(co_yield(), TG_OK);
    before = resident(s.here, 8 * 4096);
    co_stack_trim(&s.scope);
    after = resident(s.here, 8 * 4096);
    co_event_signal(&s.woken);
    assert_int_equal(co_join(&sc), TG_OK);
    assert_int_equal(co_scope_close(&sc), TG_OK);
#if !defined(CO_PAINT) && !defined(CO_ASAN) && !defined(CO_TSAN)
    assert_int_equal(before, 8);
    assert_in_range(after, 1, 2);
#else
    (void)before, (void)after;
#endif
    return TG_OK;
}

static void
trimming_gives_pages_back(void **state)
{
    (void)state;
    assert_int_equal(co_test_run(trim_body, NULL), TG_OK);
}

static __attribute__((noinline)) int
recurses(volatile int *depth)
{
    volatile char pad[512];

    pad[0] = (char)++*depth;
    return *depth < 1 << 20 ? recurses(depth) + pad[0] : 0;
}

static tg_rc
overflows(void *arg)
{
    volatile int depth = 0;

    (void)arg;
    return recurses(&depth) == 1 ? TG_OK : TG_EIO;
}

static tg_rc
overflow_body(void *arg)
{
    struct co_scope s;

    (void)arg;
    co_scope_open(&s, CO_NEVER);
    assert_int_equal(co_spawn(&s, "deep thought", overflows, NULL), TG_OK);
    (void)!co_join(&s);
    return co_scope_close(&s);
}

static void
an_overflow_names_the_coroutine(void **state)
{
    char text[4096];

    (void)state;
    assert_int_equal(co_test_co_dies(overflow_body, text, sizeof text), SIGABRT);
    assert_non_null(
        strstr(text, "triglot: coroutine deep thought overflowed its stack of 65536 bytes\n"));
}

static tg_rc
null_body(void *arg)
{
    *(volatile char *)arg = 1;
    return TG_OK;
}

static void
another_fault_is_not_called_an_overflow(void **state)
{
    char text[4096];

    (void)state;
    (void)co_test_co_dies(null_body, text, sizeof text);
    assert_null(strstr(text, "overflowed its stack"));
}

static tg_rc
shallow(void *arg)
{
    (void)arg;
    return co_yield();
}

static tg_rc
deep(void *arg)
{
    (void)arg;
    return digs(20);
}

static tg_rc
census_body(void *arg)
{
    struct co_scope s;

    (void)arg;
    co_scope_open(&s, CO_NEVER);
    assert_int_equal(co_spawn(&s, "census shallow", shallow, NULL), TG_OK);
    assert_int_equal(co_spawn(&s, "census deep", deep, NULL), TG_OK);
    assert_int_equal(co_join(&s), TG_OK);
    return co_scope_close(&s);
}

struct census {
    size_t shallow, deep, last;
    unsigned rows;
    bool sorted;
};

static void
row(void *arg, const char *name, size_t bytes_max)
{
    struct census *c = arg;

    c->rows++;
    if (bytes_max > c->last)
        c->sorted = false;
    c->last = bytes_max;
    if (strcmp(name, "census shallow") == 0)
        c->shallow = bytes_max;
    if (strcmp(name, "census deep") == 0)
        c->deep = bytes_max;
}

static void
census_by_name(void **state)
{
    struct census c = {.last = SIZE_MAX, .sorted = true};

    (void)state;
    assert_int_equal(co_test_run(census_body, NULL), TG_OK);
    co_stack_census(row, &c);
#ifdef CO_PAINT
    assert_true(c.sorted);
    assert_true(c.shallow > 0);
    assert_true(c.deep >= c.shallow + 16 * 1024);
    assert_true(c.deep < 65536);
#else
    assert_int_equal(c.rows, 0);
#endif
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_live_across_switches),
        cmocka_unit_test(rounding_mode_belongs_to_the_coroutine),
        cmocka_unit_test(stacks_are_aligned_for_the_abi),
        cmocka_unit_test(backtraces_end),
        cmocka_unit_test(many_thousand_coroutines),
        cmocka_unit_test(spawning_is_bounded),
        cmocka_unit_test(unused_stacks_lose_their_pages_when_asked),
        cmocka_unit_test(trimming_gives_pages_back),
        cmocka_unit_test(an_overflow_names_the_coroutine),
        cmocka_unit_test(another_fault_is_not_called_an_overflow),
        cmocka_unit_test(census_by_name),
    };

    return cmocka_run_group_tests_name("co stacks", tests, NULL, NULL);
}
