/* value_test.c -- strings, integers and doubles out of their text. */
#include "json/scan.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "support/prng.h"
#include "json/write.h"

enum { KEPT = 4242 };

static void
test_string_good(void **state)
{
    static const struct {
        const char *in;
        struct str out;
        bool borrowed;
    } rows[] = {
        {"\"\"", STR(""), true},
        {"\"plain\"", STR("plain"), true},
        {" \"trimmed\"\n", STR("trimmed"), true},
        {"\"\xc3\xa9\"", STR("\xc3\xa9"), true},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", STR("\"\\/\b\f\n\r\t"), false},
        {"\"a\\u0041b\"", STR("aAb"), false},
        {"\"\\u0000\"", STR("\0"), false},
        {"\"\\u00e9\\u20AC\"", STR("\xc3\xa9\xe2\x82\xac"), false},
        {"\"x\\ud83d\\uDE00y\"", STR("x\xf0\x9f\x98\x80y"), false},
        {"\"\\ud800\\udc00\\udbff\\udfff\"", STR("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"), false},
        {"\"\\ud7ff\\ue000\"", STR("\xed\x9f\xbf\xee\x80\x80"), false},
        {"\"a run that is longer than sixteen bytes\\n\"",
         STR("a run that is longer than sixteen bytes\n"), false},
    };
    struct arena a;

    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t used = a.used;
        struct str s;

        assert_int_equal(json_string(&a, str_z(rows[i].in), &s), TG_OK);
        assert_true(str_eq(s, rows[i].out));
        assert_int_equal(a.used == used, rows[i].borrowed);
    }
    arena_fini(&a);
    arena_thread_fini();
}

static void
test_string_bad(void **state)
{
    static const char *const rows[] = {
        "",
        "\"",
        "a",
        "1",
        "null",
        "\"a",
        "\"a\"b\"",
        "\"a\\\"",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\\ud800x\"",
        "\"\\ud800\\n\"",
        "\"\\ud800\\ud800\"",
        "\"\\ud83d\\u0041\"",
        "\"\\udc00\\ud800\"",
        "\"\\ud83d\\ude0\"",
        "\"\\u00\"",
        "\"\\x\"",
        "\"a\" \"b\"",
    };
    struct arena a;

    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct str s = {"kept", 4};

        if (json_string(&a, str_z(rows[i]), &s) != TG_EINVAL)
            fail_msg("%s", rows[i]);
        assert_true(str_eq(s, STR("kept")));
    }
    arena_fini(&a);
    arena_thread_fini();
}

/* Whatever text is escaped comes back as it was. */
static void
test_string_round_trip(void **state)
{
    struct prng r = {61};
    struct buf b;
    struct arena a;

    (void)state;
    buf_init(&b, 10000);
    arena_init(&a);
    for (int i = 0; i < 5000; i++) {
        char text[400];
        size_t n = 0;
        struct json_out o;
        struct str s;

        for (uint64_t k = prng_below(&r, 90); k > 0; k--) {
            static const uint32_t bounds[] = {0x20, 0x80, 0x80, 0x80, 0x800, 0x10000, 0x110000};

            n += utf8_put(text + n, (uint32_t)prng_below(&r, bounds[prng_below(&r, 7)]));
        }
        buf_clear(&b);
        json_begin(&o, &b);
        json_str(&o, str_of(text, n));
        assert_int_equal(json_end(&o), TG_OK);
        assert_int_equal(json_check(buf_str(&b), 1, NULL), TG_OK);
        assert_int_equal(json_string(&a, buf_str(&b), &s), TG_OK);
        assert_true(str_eq(s, str_of(text, n)));
        arena_reset(&a);
    }
    arena_fini(&a);
    buf_fini(&b);
    arena_thread_fini();
}

static void
test_bool(void **state)
{
    bool v;

    (void)state;
    assert_int_equal(json_bool(STR("true"), &v), TG_OK);
    assert_true(v);
    assert_int_equal(json_bool(STR(" false "), &v), TG_OK);
    assert_false(v);
    assert_int_equal(json_bool(STR("null"), &v), TG_EINVAL);
    assert_int_equal(json_bool(STR("tru"), &v), TG_EINVAL);
    assert_int_equal(json_bool(STR("\"true\""), &v), TG_EINVAL);
    assert_int_equal(json_bool(STR(""), &v), TG_EINVAL);
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
        {"-0.0e99", TG_OK, 0},
        {"0e999999999999999999999999", TG_OK, 0},
        {"0e-999999999999999999999999", TG_OK, 0},
        {"1.0", TG_OK, 1},
        {"1e3", TG_OK, 1000},
        {"1.5e1", TG_OK, 15},
        {"-15e-1", TG_EINVAL, 0},
        {"150e-1", TG_OK, 15},
        {"1.5", TG_EINVAL, 0},
        {"1e-400", TG_EINVAL, 0},
        {"1e400", TG_ELIMIT, 0},
        {"1e99999999999999999999999999", TG_ELIMIT, 0},
        {"1e-99999999999999999999999999", TG_EINVAL, 0},
        {"9007199254740993", TG_OK, INT64_C(9007199254740993)},
        {"9007199254740993.000", TG_OK, INT64_C(9007199254740993)},
        {"9223372036854775807", TG_OK, INT64_MAX},
        {"9223372036854775808", TG_ELIMIT, 0},
        {"-9223372036854775808", TG_OK, INT64_MIN},
        {"-9223372036854775809", TG_ELIMIT, 0},
        {"9.223372036854775807e18", TG_OK, INT64_MAX},
        {"1e18", TG_OK, INT64_C(1000000000000000000)},
        {"1e19", TG_ELIMIT, 0},
        {"18446744073709551616", TG_ELIMIT, 0},
        {"0.00000000000000000000000000001e29", TG_OK, 1},
        {"100000000000000000000000000000e-29", TG_OK, 1},
        {" 7\n", TG_OK, 7},
        {"", TG_EINVAL, 0},
        {"-", TG_EINVAL, 0},
        {"01", TG_EINVAL, 0},
        {"1.", TG_EINVAL, 0},
        {"1e", TG_EINVAL, 0},
        {"+1", TG_EINVAL, 0},
        {"1 2", TG_EINVAL, 0},
        {"\"1\"", TG_EINVAL, 0},
        {"null", TG_EINVAL, 0},
        {"true", TG_EINVAL, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t v = KEPT;

        if (json_i64(str_z(rows[i].text), &v) != rows[i].rc)
            fail_msg("%s", rows[i].text);
        assert_true(v == (rows[i].rc == TG_OK ? rows[i].v : KEPT));
    }
}

/* Numbers with more digits than are kept. */
static void
test_long_numbers(void **state)
{
    static char text[5000];
    int64_t v;
    double d;

    (void)state;
    snprintf(text, sizeof text, "1%03000de-3000", 0);
    assert_int_equal(json_i64(str_z(text), &v), TG_OK);
    assert_int_equal(v, 1);
    assert_int_equal(json_double(str_z(text), &d), TG_OK);
    assert_true(d == 1.0);
    snprintf(text, sizeof text, "0.%03000d7e3001", 0);
    assert_int_equal(json_i64(str_z(text), &v), TG_OK);
    assert_int_equal(v, 7);
    snprintf(text, sizeof text, "7.%03000d1", 0);
    assert_int_equal(json_i64(str_z(text), &v), TG_EINVAL);
    assert_int_equal(json_double(str_z(text), &d), TG_OK);
    assert_true(d == 7.0);
    snprintf(text, sizeof text, "1%03000d", 0);
    assert_int_equal(json_i64(str_z(text), &v), TG_ELIMIT);
    assert_int_equal(json_double(str_z(text), &d), TG_ELIMIT);
    snprintf(text, sizeof text, "1%03000d1e-3001", 0);
    assert_int_equal(json_i64(str_z(text), &v), TG_EINVAL);
    assert_int_equal(json_double(str_z(text), &d), TG_OK);
    assert_true(d == 1.0);
    /* 1 + 2^-53 lies half way between two doubles and goes to the even one, 1; a digit far
     * behind it decides for the other. */
    snprintf(text, sizeof text, "1.00000000000000011102230246251565404236316680908203125");
    assert_int_equal(json_double(str_z(text), &d), TG_OK);
    assert_true(d == 1.0);
    snprintf(text, sizeof text,
             "1.00000000000000011102230246251565404236316680908203125%02000d1", 0);
    assert_int_equal(json_double(str_z(text), &d), TG_OK);
    assert_true(d == 1.0 + 0x1p-52);
}

static void
test_double(void **state)
{
    static const struct {
        const char *text;
        tg_rc rc;
        double v;
    } rows[] = {
        {"0", TG_OK, 0},
        {"0.7", TG_OK, 0.7},
        {"-1.5e-3", TG_OK, -1.5e-3},
        {"9007199254740993", TG_OK, 9007199254740992.0},
        {"1e400", TG_ELIMIT, 0},
        {"-1e400", TG_ELIMIT, 0},
        {"1e-400", TG_OK, 0},
        {"1e99999999999999999999", TG_ELIMIT, 0},
        {"1e-99999999999999999999", TG_OK, 0},
        {"0e99999999999999999999", TG_OK, 0},
        {"1.7976931348623157e308", TG_OK, 1.7976931348623157e308},
        {"1.7976931348623159e308", TG_ELIMIT, 0},
        {"4.9e-324", TG_OK, 4.9e-324},
        {"123456.0", TG_OK, 123456},
        {"1.2.3", TG_EINVAL, 0},
        {"0x10", TG_EINVAL, 0},
        {"NaN", TG_EINVAL, 0},
        {"Infinity", TG_EINVAL, 0},
        {"", TG_EINVAL, 0},
    };
    double minus_zero;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double v = KEPT;

        if (json_double(str_z(rows[i].text), &v) != rows[i].rc)
            fail_msg("%s", rows[i].text);
        if (v != (rows[i].rc == TG_OK ? rows[i].v : KEPT))
            fail_msg("%s gave %.17g", rows[i].text, v);
    }
    assert_int_equal(json_double(STR("-0"), &minus_zero), TG_OK);
    assert_true(minus_zero == 0 && signbit(minus_zero));
}

/* Random doubles in every exponent, in several spellings, against strtod. */
static void
test_double_against_libc(void **state)
{
    struct prng r = {90};

    (void)state;
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = prng_next(&r);
        char text[700];
        double v, got;

        memcpy(&v, &bits, sizeof v);
        if (!isfinite(v))
            continue;
        switch (prng_below(&r, 5)) {
        case 0:
            snprintf(text, sizeof text, "%.17g", v);
            break;
        case 1:
            snprintf(text, sizeof text, "%.3e", v);
            break;
        case 2:
            snprintf(text, sizeof text, "%.30e", v);
            break;
        case 3:
            snprintf(text, sizeof text, "%.0f", v);
            break;
        default:
            snprintf(text, sizeof text, "%.25f", v);
        }
        assert_int_equal(json_double(str_z(text), &got),
                         isfinite(strtod(text, NULL)) ? TG_OK : TG_ELIMIT);
        if (isfinite(strtod(text, NULL)))
            assert_true(got == strtod(text, NULL));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_string_good),
        cmocka_unit_test(test_string_bad),
        cmocka_unit_test(test_string_round_trip),
        cmocka_unit_test(test_bool),
        cmocka_unit_test(test_i64),
        cmocka_unit_test(test_long_numbers),
        cmocka_unit_test(test_double),
        cmocka_unit_test(test_double_against_libc),
    };

    return cmocka_run_group_tests_name("json/value", tests, NULL, NULL);
}
