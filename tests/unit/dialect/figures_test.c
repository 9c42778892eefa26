/* figures_test.c -- counts of a usage object: where they stand, which are taken, which win. */
#include "dialect/figures.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct counts {
    int64_t in, out, cached, written;
};

static struct counts
read_counts(const char *usage)
{
    struct counts c = {-1, -1, -1, -1};
    const struct figure rows[] = {
        {STR("in"), STR(""), &c.in},
        {STR("out"), STR(""), &c.out},
        {STR("hit"), STR(""), &c.cached},
        {STR("details"), STR("cached"), &c.cached},
        {STR("details"), STR("written"), &c.written},
    };

    figures_read(str_z(usage), rows, sizeof rows / sizeof *rows);
    return c;
}

static void
assert_counts(const char *usage, int64_t in, int64_t out, int64_t cached, int64_t written)
{
    struct counts c = read_counts(usage);

    assert_int_equal(c.in, in);
    assert_int_equal(c.out, out);
    assert_int_equal(c.cached, cached);
    assert_int_equal(c.written, written);
}

static void
finds_outer_and_inner_ones(void **state)
{
    (void)state;
    assert_counts("{\"in\":3,\"x\":[1],\"details\":{\"written\":5,\"cached\":4},\"out\":7}", 3,
                  7, 4, 5);
    assert_counts("{}", -1, -1, -1, -1);
}

static void
later_row_wins_wherever_it_stands(void **state)
{
    (void)state;
    assert_counts("{\"details\":{\"cached\":4},\"hit\":9}", -1, -1, 4, -1);
    assert_counts("{\"hit\":9,\"details\":{}}", -1, -1, 9, -1);
}

static void
leaves_what_is_no_count(void **state)
{
    (void)state;
    assert_counts("{\"in\":-1,\"out\":\"7\",\"hit\":null,\"details\":[1]}", -1, -1, -1, -1);
    assert_counts("{\"in\":1.5,\"out\":9223372036854775807,\"details\":null}", -1, -1, -1, -1);
    assert_counts("[3]", -1, -1, -1, -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_outer_and_inner_ones),
        cmocka_unit_test(later_row_wins_wherever_it_stands),
        cmocka_unit_test(leaves_what_is_no_count),
    };

    return cmocka_run_group_tests_name("figures", tests, NULL, NULL);
}
