/* join_test.c -- many pieces become one text, at a cost that grows as they do. */
#include "base/join.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void
pieces_become_one_text(void **state)
{
    struct join j = {.n = 0};
    struct arena a;
    char one[] = "one";

    (void)state;
    arena_init(&a);
    assert_int_equal(join_text(&a, &j).n, 0);
    join_add(&a, &j, STR(""));
    join_add(&a, &j, str_z(one));
    assert_ptr_equal(join_text(&a, &j).p, one);
    join_add(&a, &j, STR(""));
    join_add(&a, &j, STR(", two"));
    assert_true(str_eq(join_text(&a, &j), STR("one, two")));
    join_add(&a, &j, STR("."));
    assert_int_equal(j.n, 9);
    assert_true(str_eq(join_text(&a, &j), STR("one, two.")));
    arena_fini(&a);
}

static size_t
cost(unsigned n)
{
    struct join j = {.n = 0};
    struct arena a;
    size_t used;

    arena_init(&a);
    for (unsigned i = 0; i < n; i++)
        join_add(&a, &j, STR("0123456789"));
    assert_int_equal(join_text(&a, &j).n, 10 * n);
    used = a.used;
    arena_fini(&a);
    return used;
}

static void
twice_the_pieces_cost_twice_as_much(void **state)
{
    (void)state;
    assert_in_range(cost(2000), cost(1000), 2 * cost(1000) + 64);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(pieces_become_one_text),
                                       cmocka_unit_test(twice_the_pieces_cost_twice_as_much)};

    return cmocka_run_group_tests_name("join", tests, NULL, NULL);
}
