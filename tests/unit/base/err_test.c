/* err_test.c -- errors: statuses, cleaning, cutting, joining. */
#include "triglot/err.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/utf8.h"

static void
test_fail_fills_all(void **state)
{
    struct tg_err e;
    tg_rc rc;

    (void)state;
    memset(&e, 0xee, sizeof e);
    rc = tg_fail(&e, TG_EUNAVAIL, TG_ERR_OVERLOADED, "busy", "%d of %s", 3, "four");
    assert_int_equal(rc, TG_EUNAVAIL);
    assert_int_equal(e.rc, TG_EUNAVAIL);
    assert_int_equal(e.kind, TG_ERR_OVERLOADED);
    assert_int_equal(e.origin, TG_FROM_US);
    assert_int_equal(e.http, 503);
    assert_int_equal(e.sys_errno, 0);
    assert_int_equal(e.retry_after_ms, 0);
    assert_string_equal(e.code, "busy");
    assert_string_equal(e.param, "");
    assert_string_equal(e.msg, "3 of four");
}

static void
test_refuse(void **state)
{
    struct tg_err e;

    (void)state;
    assert_int_equal(tg_refuse(&e, "bad", "messages.0.role", "no role \"%s\"", "x"), TG_EINVAL);
    assert_int_equal(e.rc, TG_EINVAL);
    assert_int_equal(e.kind, TG_ERR_INVALID_REQUEST);
    assert_int_equal(e.origin, TG_FROM_CLIENT);
    assert_int_equal(e.http, 400);
    assert_string_equal(e.param, "messages.0.role");
    assert_string_equal(e.msg, "no role \"x\"");
    assert_int_equal(tg_refuse(&e, "bad", NULL, "no"), TG_EINVAL);
    assert_string_equal(e.param, "");
    /* The arguments may come out of the error that is overwritten. */
    assert_int_equal(tg_refuse(&e, "bad", "a.b", "first"), TG_EINVAL);
    assert_int_equal(tg_refuse(&e, "bad", e.param, "%s again", e.msg), TG_EINVAL);
    assert_string_equal(e.param, "a.b");
    assert_string_equal(e.msg, "first again");
}

static void
test_null_is_fine(void **state)
{
    (void)state;
    assert_int_equal(tg_fail(NULL, TG_EPROTO, TG_ERR_UPSTREAM, NULL, "x"), TG_EPROTO);
    assert_int_equal(tg_refuse(NULL, NULL, NULL, "x"), TG_EINVAL);
    assert_int_equal(tg_fail_sys(NULL, ENOENT, "x"), TG_EIO);
    tg_err_prefix(NULL, "x");
}

static void
test_control_bytes(void **state)
{
    struct tg_err e;

    (void)state;
    (void)tg_refuse(&e, NULL, "a\nb", "x\r\ny\t\x1b[1m\x7f \xc3\xa9");
    assert_string_equal(e.msg, "x??y??[1m? \xc3\xa9");
    assert_string_equal(e.param, "a?b");
}

/* A long message of characters of each length ends in front of a character. */
static void
test_cut_at_character(void **state)
{
    static const char *const chars[] = {"a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};

    (void)state;
    for (size_t k = 0; k < 4; k++) {
        for (size_t lead = 0; lead < 4; lead++) {
            char text[800] = "";
            struct tg_err e;
            size_t n;

            memset(text, '.', lead);
            for (n = lead; n < 700; n += strlen(chars[k]))
                memcpy(text + n, chars[k], strlen(chars[k]));
            text[n] = '\0';
            (void)tg_refuse(&e, NULL, text, "%s", text);
            assert_true(utf8_valid(str_z(e.msg)));
            assert_true(strlen(e.msg) < sizeof e.msg);
            assert_true(strlen(e.msg) + strlen(chars[k]) >= sizeof e.msg);
            assert_true(utf8_valid(str_z(e.param)));
            assert_true(strlen(e.param) + strlen(chars[k]) >= sizeof e.param);
            tg_err_prefix(&e, "p");
            assert_true(utf8_valid(str_z(e.msg)));
            (void)tg_fail_sys(&e, ENOENT, "%s", text);
            assert_true(utf8_valid(str_z(e.msg)));
            assert_true(str_ends(str_z(e.msg), STR(": No such file or directory")));
            assert_true(strlen(e.msg) + strlen(chars[k]) >= sizeof e.msg);
        }
    }
}

static void
test_sys(void **state)
{
    struct tg_err e;

    (void)state;
    assert_int_equal(tg_fail_sys(&e, EACCES, "open %s", "f"), TG_EIO);
    assert_int_equal(e.rc, TG_EIO);
    assert_int_equal(e.sys_errno, EACCES);
    assert_int_equal(e.kind, TG_ERR_INTERNAL);
    assert_int_equal(e.http, 500);
    assert_string_equal(e.msg, "open f: Permission denied");
}

static void
test_prefix(void **state)
{
    struct tg_err e;
    char text[400];

    (void)state;
    (void)tg_fail(&e, TG_EIO, TG_ERR_INTERNAL, "c", "inner");
    tg_err_prefix(&e, "provider %d", 7);
    assert_string_equal(e.msg, "provider 7: inner");
    assert_int_equal(e.rc, TG_EIO);
    assert_string_equal(e.code, "c");
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    tg_err_prefix(&e, "%s", text);
    assert_int_equal(strlen(e.msg), sizeof e.msg - 1);
}

static void
test_tables(void **state)
{
    static const struct {
        enum tg_err_kind kind;
        int http;
    } rows[] = {
        {TG_ERR_AUTH, 401},       {TG_ERR_PERMISSION, 403},
        {TG_ERR_NOT_FOUND, 404},  {TG_ERR_TOO_LARGE, 413},
        {TG_ERR_RATE_LIMIT, 429}, {TG_ERR_OVERLOADED, 503},
        {TG_ERR_QUOTA, 429},      {TG_ERR_CONTEXT_LENGTH, 400},
        {TG_ERR_TIMEOUT, 504},    {TG_ERR_INVALID_REQUEST, 400},
        {TG_ERR_UPSTREAM, 502},   {TG_ERR_INTERNAL, 500},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(tg_err_http(rows[i].kind), rows[i].http);
    for (int k = TG_ERR_AUTH; k < TG_ERR_KIND_N; k++)
        assert_true(tg_err_http((enum tg_err_kind)k) >= 400);
    assert_int_equal(tg_err_http((enum tg_err_kind)1000), 500);
    assert_string_equal(tg_rc_name(TG_OK), "TG_OK");
    assert_string_equal(tg_rc_name(TG_EGONE), "TG_EGONE");
    assert_string_equal(tg_rc_name(TG_EINTERNAL), "TG_EINTERNAL");
    for (tg_rc rc = TG_OK; rc >= TG_EINTERNAL; rc--)
        assert_string_not_equal(tg_rc_name(rc), "TG_UNKNOWN");
    assert_string_equal(tg_rc_name(-1000), "TG_UNKNOWN");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fail_fills_all),   cmocka_unit_test(test_refuse),
        cmocka_unit_test(test_null_is_fine),     cmocka_unit_test(test_control_bytes),
        cmocka_unit_test(test_cut_at_character), cmocka_unit_test(test_sys),
        cmocka_unit_test(test_prefix),           cmocka_unit_test(test_tables),
    };

    return cmocka_run_group_tests_name("base/err", tests, NULL, NULL);
}
