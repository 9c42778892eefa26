/* num_test.c -- numbers from text. */
#include "base/num.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { KEPT = 777 };

static void
test_u64(void **state)
{
    static const struct {
        const char *text;
        uint64_t max;
        tg_rc rc;
        uint64_t v;
    } rows[] = {
        {"0", 9, TG_OK, 0},
        {"007", 9, TG_OK, 7},
        {"9", 9, TG_OK, 9},
        {"10", 9, TG_ELIMIT, 0},
        {"18446744073709551615", UINT64_MAX, TG_OK, UINT64_MAX},
        {"18446744073709551616", UINT64_MAX, TG_ELIMIT, 0},
        {"99999999999999999999", UINT64_MAX, TG_ELIMIT, 0},
        {"99999999999999999999x", UINT64_MAX, TG_EINVAL, 0},
        {"000000000000000000000000000001", 1, TG_OK, 1},
        {"", 9, TG_EINVAL, 0},
        {"-1", 9, TG_EINVAL, 0},
        {"+1", 9, TG_EINVAL, 0},
        {" 1", 9, TG_EINVAL, 0},
        {"1 ", 9, TG_EINVAL, 0},
        {"0x1", 9, TG_EINVAL, 0},
        {"1.0", 9, TG_EINVAL, 0},
        {"\xd9\xa1", 9, TG_EINVAL, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t v = KEPT;

        assert_int_equal(num_u64(str_z(rows[i].text), rows[i].max, &v), rows[i].rc);
        assert_true(v == (rows[i].rc == TG_OK ? rows[i].v : KEPT));
    }
    assert_int_equal(num_u64(STR("1\0"), 9, &(uint64_t){0}), TG_EINVAL);
}

static void
test_i64(void **state)
{
    static const struct {
        const char *text;
        tg_rc rc;
        int64_t v;
    } rows[] = {
        {"0", TG_OK, 0},
        {"-0", TG_OK, 0},
        {"-12", TG_OK, -12},
        {"9223372036854775807", TG_OK, INT64_MAX},
        {"9223372036854775808", TG_ELIMIT, 0},
        {"-9223372036854775808", TG_OK, INT64_MIN},
        {"-9223372036854775809", TG_ELIMIT, 0},
        {"-", TG_EINVAL, 0},
        {"--1", TG_EINVAL, 0},
        {"+1", TG_EINVAL, 0},
        {"", TG_EINVAL, 0},
        {"1-", TG_EINVAL, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t v = KEPT;

        assert_int_equal(num_i64(str_z(rows[i].text), &v), rows[i].rc);
        assert_true(v == (rows[i].rc == TG_OK ? rows[i].v : KEPT));
    }
}

static void
test_milli(void **state)
{
    static const struct {
        const char *text;
        tg_rc rc;
        uint64_t v;
    } rows[] = {
        {"15", TG_OK, 15000},
        {"0.25", TG_OK, 250},
        {"0.2", TG_OK, 200},
        {"0.1239", TG_OK, 123},
        {"1.0009", TG_OK, 1000},
        {"100", TG_OK, 100000},
        {"100.001", TG_ELIMIT, 0},
        {"100.0009", TG_OK, 100000},
        {"18446744073709551615", TG_ELIMIT, 0},
        {".5", TG_EINVAL, 0},
        {"5.", TG_EINVAL, 0},
        {".", TG_EINVAL, 0},
        {"", TG_EINVAL, 0},
        {"1.2.3", TG_EINVAL, 0},
        {"1.23456x", TG_EINVAL, 0},
        {"1e3", TG_EINVAL, 0},
        {"-1", TG_EINVAL, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t v = KEPT;

        assert_int_equal(num_milli(str_z(rows[i].text), 100000, &v), rows[i].rc);
        assert_true(v == (rows[i].rc == TG_OK ? rows[i].v : KEPT));
    }
}

static void
digits(void **state)
{
    static const struct {
        uint64_t v;
        unsigned least;
        const char *want;
    } rows[] = {{0, 0, ""},    {0, 1, "0"},    {7, 1, "7"},
                {10, 1, "10"}, {42, 3, "042"}, {UINT64_MAX, 1, "18446744073709551615"}};
    char text[NUM_DIGITS], *end = text + sizeof text;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *p = num_digits(end, rows[i].v, rows[i].least);

        assert_true(str_eq(str_of(p, (size_t)(end - p)), str_z(rows[i].want)));
    }
}

static void
test_hex_digit(void **state)
{
    static const char digits[] = "0123456789abcdef";
    unsigned found = 0;

    (void)state;
    for (int i = 0; i < 16; i++)
        assert_int_equal(num_hex_digit(digits[i]), i);
    assert_int_equal(num_hex_digit('A'), 10);
    assert_int_equal(num_hex_digit('F'), 15);
    for (int c = 0; c < 256; c++)
        found += num_hex_digit((char)c) >= 0;
    assert_int_equal(found, 22);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digits),         cmocka_unit_test(test_u64),
        cmocka_unit_test(test_i64),       cmocka_unit_test(test_milli),
        cmocka_unit_test(test_hex_digit),
    };

    return cmocka_run_group_tests_name("base/num", tests, NULL, NULL);
}
