/* relief_test.c -- when the memory of a crowd is given back, in virtual time. */
#include "gate/relief.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "support/co_test.h"

enum { MANY = 1000 };

static struct relief r;

static void
come(unsigned n)
{
    while (n-- > 0)
        relief_came(&r);
}

static void
leave(unsigned n)
{
    while (n-- > 0)
        relief_left(&r);
}

static void
pass(int64_t seconds)
{
    assert_int_equal(co_sleep_until(co_now() + seconds * NS_PER_S), TG_OK);
}

static tg_rc
no_crowd_body(void *arg)
{
    (void)arg;
    come(255);
    pass(30);
    leave(255);
    pass(30);
    assert_int_equal(r.given_back, 0);
    return TG_OK;
}

static tg_rc
once_body(void *arg)
{
    (void)arg;
    come(MANY);
    pass(60);
    assert_int_equal(r.given_back, 0);
    leave(MANY / 2 - 1); /* more than half of it stays */
    pass(60);
    assert_int_equal(r.given_back, 0);
    leave(1);
    pass(21); /* the look in the midst of which they left, and the next */
    assert_int_equal(r.given_back, 1);
    pass(60);
    assert_int_equal(r.given_back, 1);
    leave(MANY / 2); /* what is left is a crowd of its own */
    pass(21);
    assert_int_equal(r.given_back, 2);
    pass(60);
    assert_int_equal(r.given_back, 2);
    return TG_OK;
}

static tg_rc
comes_back_body(void *arg)
{
    (void)arg;
    for (int i = 0; i < 30; i++) {
        come(MANY);
        pass(1);
        leave(MANY);
        pass(4);
    }
    assert_int_equal(r.given_back, 0);
    pass(21);
    assert_int_equal(r.given_back, 1);
    come(MANY); /* and the next crowd is one again */
    pass(11);
    leave(MANY);
    pass(21);
    assert_int_equal(r.given_back, 2);
    return TG_OK;
}

static tg_rc
beside_relief(void *body)
{
    struct co_scope sc;
    tg_rc rc;

    r = (struct relief){.busy = 0};
    co_scope_open(&sc, CO_NEVER);
    assert_int_equal(co_spawn(&sc, "relief", relief_run, &r), TG_OK);
    rc = (*(co_fn **)body)(NULL);
    assert_int_equal(co_scope_close(&sc), TG_OK);
    return rc;
}

static void
run(co_fn *body)
{
    assert_int_equal(co_offload_start(0, 16, NULL), TG_OK);
    assert_int_equal(co_test_run(beside_relief, &body), TG_OK);
    co_offload_stop();
}

static void
no_crowd_no_relief(void **state)
{
    (void)state;
    run(no_crowd_body);
}

static void
relieved_once(void **state)
{
    (void)state;
    run(once_body);
}

static void
a_crowd_that_comes_back_keeps_it(void **state)
{
    (void)state;
    run(comes_back_body);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_crowd_no_relief),
        cmocka_unit_test(relieved_once),
        cmocka_unit_test(a_crowd_that_comes_back_keeps_it),
    };

    return cmocka_run_group_tests_name("gate, relief", tests, NULL, NULL);
}
