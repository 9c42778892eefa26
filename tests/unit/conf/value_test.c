/* value_test.c -- durations, sizes, truth, and variables in text. */
#include "conf/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void
test_seconds(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
        tg_rc rc;
    } cases[] = {
        {"15", 15000, TG_OK},
        {"0", 0, TG_OK},
        {"0.5", 500, TG_OK},
        {"500ms", 500, TG_OK},
        {"15s", 15000, TG_OK},
        {"1.5 s", 1500, TG_OK},
        {"2m", 120000, TG_OK},
        {"0.5m", 30000, TG_OK},
        {"1h", 3600000, TG_OK},
        {"0.0010", 1, TG_OK},
        {"0.0005", 0, TG_EINVAL},
        {"0.5ms", 0, TG_EINVAL},
        {"5x", 0, TG_EINVAL},
        {"-1", 0, TG_EINVAL},
        {"", 0, TG_EINVAL},
        {"s", 0, TG_EINVAL},
        {"1e3", 0, TG_EINVAL},
        {"1m30s", 0, TG_EINVAL},
        {"99999999999999999999", 0, TG_ELIMIT},
        {"9000000000000h", 0, TG_ELIMIT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t ms = -7;
        tg_rc rc = value_seconds(str_z(cases[i].text), &ms);

        if (rc != cases[i].rc || ms != (rc == TG_OK ? cases[i].ms : -7))
            fail_msg("%s: %s, %lld", cases[i].text, tg_rc_name(rc), (long long)ms);
    }
}

static void
test_bytes(void **state)
{
    static const struct {
        const char *text;
        int64_t n;
        tg_rc rc;
    } cases[] = {
        {"65536", 65536, TG_OK},
        {"64KiB", 65536, TG_OK},
        {"64 MiB", 67108864, TG_OK},
        {"1GiB", 1073741824, TG_OK},
        {"12B", 12, TG_OK},
        {"64KB", 0, TG_EINVAL},
        {"64k", 0, TG_EINVAL},
        {"0.5KiB", 0, TG_EINVAL},
        {"KiB", 0, TG_EINVAL},
        {"-1", 0, TG_EINVAL},
        {"9999999999GiB", 0, TG_ELIMIT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t n = -7;
        tg_rc rc = value_bytes(str_z(cases[i].text), &n);

        if (rc != cases[i].rc || n != (rc == TG_OK ? cases[i].n : -7))
            fail_msg("%s: %s, %lld", cases[i].text, tg_rc_name(rc), (long long)n);
    }
}

/* What is printed is the shortest text, and reads back. */
static void
test_print(void **state)
{
    static const struct {
        int64_t v;
        const char *seconds, *bytes;
    } cases[] = {
        {0, "0", "0"},
        {500, "0.5", "500"},
        {15000, "15", "15000"},
        {1001, "1.001", "1001"},
        {600000, "600", "600000"},
        {65536, "65.536", "64KiB"},
        {1536, "1.536", "1536"},
        {67108864, "67108.864", "64MiB"},
        {1 << 30, "1073741.824", "1GiB"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[VALUE_TEXT_MAX];
        int64_t back;

        value_put_seconds(cases[i].v, text);
        assert_string_equal(text, cases[i].seconds);
        assert_int_equal(value_seconds(str_z(text), &back), TG_OK);
        assert_int_equal(back, cases[i].v);
        value_put_bytes(cases[i].v, text);
        assert_string_equal(text, cases[i].bytes);
        assert_int_equal(value_bytes(str_z(text), &back), TG_OK);
        assert_int_equal(back, cases[i].v);
    }
}

static void
test_bool(void **state)
{
    bool v = false;

    (void)state;
    assert_int_equal(value_bool(STR("true"), &v), TG_OK);
    assert_true(v);
    assert_int_equal(value_bool(STR("yes"), &v), TG_EINVAL);
    assert_int_equal(value_bool(STR("TRUE"), &v), TG_EINVAL);
    assert_true(v);
    assert_int_equal(value_bool(STR("false"), &v), TG_OK);
    assert_false(v);
}

static tg_rc
expand(const char *text, char *out, size_t n, char *names, struct tg_err *err)
{
    struct buf b;
    tg_rc rc;

    buf_init(&b, 64);
    rc = value_expand(str_z(text), &b, names, 32, err);
    snprintf(out, n, "%.*s", STR_ARG(buf_str(&b)));
    buf_fini(&b);
    return rc;
}

static void
test_expand(void **state)
{
    static const struct {
        const char *text, *out, *names;
    } good[] = {
        {"plain", "plain", ""},
        {"", "", ""},
        {"${TG_T}", "value", "TG_T"},
        {"a${TG_T}b${TG_T}", "avaluebvalue", "TG_T, TG_T"},
        {"${TG_NONE:-x y}", "x y", "TG_NONE"},
        {"${TG_NONE:-}", "", "TG_NONE"},
        {"${TG_EMPTY}", "", "TG_EMPTY"},
        {"${TG_EMPTY:-d}", "d", "TG_EMPTY"},
        {"${TG_T:-d}", "value", "TG_T"},
        {"$$", "$", ""},
        {"$${TG_T}", "${TG_T}", ""},
        {"$$$${x", "$${x", ""},
        {"a$b$", "a$b$", ""},
        {"${TG_DOLLAR}", "${TG_T}$$", "TG_DOLLAR"},
    };
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"${TG_NONE}",
         "environment variable TG_NONE is not set; set it, or write ${TG_NONE:-} if "
         "it may be missing"},
        {"x${TG_T", "\"${\" has no closing brace; a dollar sign before a brace is written $${"},
        {"${}", "expected ${NAME} or ${NAME:-default}, got ${}"},
        {"${1A}", "expected ${NAME} or ${NAME:-default}, got ${1A}"},
        {"${A B}", "expected ${NAME} or ${NAME:-default}, got ${A B}"},
        {"${TG_T:x}", "expected ${NAME} or ${NAME:-default}, got ${TG_T:x}"},
        {"${TG_T-x}", "expected ${NAME} or ${NAME:-default}, got ${TG_T-x}"},
        {"${A:-${B}}", "a variable inside the default of another is not supported: ${A:-${B}"},
    };
    char out[128], names[32];
    struct tg_err err;

    (void)state;
    setenv("TG_T", "value", 1);
    setenv("TG_EMPTY", "", 1);
    setenv("TG_DOLLAR", "${TG_T}$$", 1);
    unsetenv("TG_NONE");
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(expand(good[i].text, out, sizeof out, names, &err), TG_OK);
        assert_string_equal(out, good[i].out);
        assert_string_equal(names, good[i].names);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(expand(bad[i].text, out, sizeof out, names, &err), TG_ECONFIG);
        assert_string_equal(err.msg, bad[i].message);
    }
}

/* The names are cut, the value is refused; neither runs over. */
static void
test_expand_bounds(void **state)
{
    char text[512] = "", out[128], names[32];
    struct tg_err err;

    (void)state;
    setenv("TG_T", "value", 1);
    for (int i = 0; i < 12; i++)
        memcpy(text + strlen(text), "${TG_T}", 8);
    assert_int_equal(expand(text, out, sizeof out, names, &err), TG_OK);
    assert_int_equal(strlen(out), 60);
    assert_int_equal(strlen(names), 31);
    memcpy(text + strlen(text), "${TG_T}", 8);
    assert_int_equal(expand(text, out, sizeof out, names, &err), TG_ELIMIT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seconds), cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_print),   cmocka_unit_test(test_bool),
        cmocka_unit_test(test_expand),  cmocka_unit_test(test_expand_bounds),
    };

    return cmocka_run_group_tests_name("conf/value", tests, NULL, NULL);
}
