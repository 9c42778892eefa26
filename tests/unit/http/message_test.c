/* message_test.c -- look-ups in heads. */
#include "http/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
test_headers(void **state)
{
    struct http_header headers[] = {
        {STR("Connection"), STR("keep-alive , Upgrade")},
        {STR("X-A"), STR("")},
        {STR("connection"), STR(",,TE,")},
    };
    struct http_head h = {.headers = headers, .n_headers = 3};

    (void)state;
    assert_true(str_eq(http_header_get(&h, STR("CONNECTION")), STR("keep-alive , Upgrade")));
    assert_non_null(http_header_get(&h, STR("x-a")).p);
    assert_null(http_header_get(&h, STR("x-b")).p);
    assert_int_equal(http_header_count(&h, STR("connection")), 2);
    assert_int_equal(http_header_count(&h, STR("x")), 0);
    assert_true(http_header_has_token(&h, STR("connection"), STR("upgrade")));
    assert_true(http_header_has_token(&h, STR("connection"), STR("te")));
    assert_false(http_header_has_token(&h, STR("connection"), STR("keep")));
    assert_false(http_header_has_token(&h, STR("x-a"), STR("te")));
}

static void
test_values(void **state)
{
    (void)state;
    assert_true(http_value_ok(STR("")));
    assert_true(http_value_ok(STR("a b\t\x80\xff~")));
    assert_false(http_value_ok(STR("a\rb")));
    assert_false(http_value_ok(STR("a\n")));
    assert_false(http_value_ok(STR("\0")));

    /* Every byte at every place of a text longer than what is looked at together. */
    for (unsigned c = 0; c < 256; c++)
        for (unsigned at = 0; at < 20; at++) {
            char text[20];
            bool control = (c < 0x20 && c != '\t') || c == 0x7f;

            memset(text, 'a', sizeof text);
            text[at] = (char)c;
            assert_int_equal(http_value_ok(str_of(text, sizeof text)), !control);
        }
    assert_false(http_value_ok(STR("\x7f")));
    assert_false(http_value_ok(STR("\x1f")));
}

static void
test_reasons(void **state)
{
    (void)state;
    assert_true(str_eq(http_reason(200), STR("OK")));
    assert_true(str_eq(http_reason(529), STR("Overloaded")));
    assert_true(str_eq(http_reason(299), STR("Unknown")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_reasons),
    };

    return cmocka_run_group_tests_name("http/message", tests, NULL, NULL);
}
