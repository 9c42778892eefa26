/* drops_test.c -- what was dropped is named once, the list is bounded, a strict route refuses.
 */
#include "ir/drops.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"

static void
each_name_stands_once(void **state)
{
    struct ir_drops d = {.n = 0};

    (void)state;
    ir_drop(&d, STR("seed"));
    ir_drop(&d, STR("logit_bias"));
    ir_drop(&d, STR("seed"));
    ir_drop(&d, STR("see"));
    assert_int_equal(d.n, 3);
    assert_true(str_eq(d.name[0], STR("seed")));
    assert_true(str_eq(d.name[1], STR("logit_bias")));
    assert_true(str_eq(d.name[2], STR("see")));
    assert_false(d.more);
}

static void
the_list_is_bounded_and_says_so(void **state)
{
    struct ir_drops d = {.n = 0};
    struct arena a;

    (void)state;
    arena_init(&a);
    for (int i = 0; i < IR_DROPS_MAX; i++)
        ir_drop(&d, arena_printf(&a, "field%d", i));
    assert_int_equal(d.n, IR_DROPS_MAX);
    ir_drop(&d, STR("field3"));
    assert_false(d.more);
    ir_drop(&d, STR("one too many"));
    assert_int_equal(d.n, IR_DROPS_MAX);
    assert_true(d.more);
    arena_fini(&a);
}

/* A client's own field names go into a header. */
static void
names_are_fit_for_a_header(void **state)
{
    struct ir_drops d = {.n = 0};
    char name[30000];

    (void)state;
    memset(name, 'x', sizeof name);
    ir_drop(&d, str_of(name, sizeof name));
    ir_drop(&d, STR("a\nb,c \xff"));
    assert_int_equal(d.n, 2);
    assert_int_equal(d.name[0].n, IR_DROP_BYTES_MAX);
    assert_true(str_eq(d.name[1], STR("a?b?c??")));
    memset(name, 'y', sizeof name);
    for (int i = 0; i < IR_DROPS_MAX; i++) {
        name[0] = (char)('a' + i % 26);
        name[1] = (char)('a' + i / 26);
        ir_drop(&d, str_of(name, sizeof name));
    }
    assert_true(d.more);
    assert_true(d.n < IR_DROPS_MAX);
}

static void
a_lenient_route_drops(void **state)
{
    struct ir_drops d = {.n = 0};
    struct dialect_route route = {.strict = false};
    struct tg_err err = {0};

    (void)state;
    assert_int_equal(ir_drop_or_refuse(&route, &d, &err, STR("seed")), TG_OK);
    assert_int_equal(d.n, 1);
    assert_int_equal(err.rc, TG_OK);
}

static void
a_strict_route_refuses_by_name(void **state)
{
    struct ir_drops d = {.n = 0};
    struct dialect_route route = {.strict = true};
    struct tg_err err = {0};
    char path[200];

    (void)state;
    assert_int_equal(ir_drop_or_refuse(&route, &d, &err, STR("messages.2.name")), TG_EINVAL);
    assert_int_equal(d.n, 0);
    assert_string_equal(err.param, "messages.2.name");
    assert_string_equal(err.code, "unsupported_parameter");
    assert_int_equal(err.kind, TG_ERR_INVALID_REQUEST);
    assert_int_equal(err.http, 400);
    /* A name longer than the error holds is cut, not written past. */
    memset(path, 'x', sizeof path);
    assert_int_equal(ir_drop_or_refuse(&route, &d, &err, str_of(path, sizeof path)), TG_EINVAL);
    assert_int_equal(strlen(err.param), sizeof err.param - 1);
    assert_int_equal(ir_drop_or_refuse(&route, &d, NULL, STR("seed")), TG_EINVAL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_name_stands_once),
        cmocka_unit_test(the_list_is_bounded_and_says_so),
        cmocka_unit_test(names_are_fit_for_a_header),
        cmocka_unit_test(a_lenient_route_drops),
        cmocka_unit_test(a_strict_route_refuses_by_name),
    };
    int failed = cmocka_run_group_tests_name("ir/drops", tests, NULL, NULL);

    arena_thread_fini();
    return failed;
}
