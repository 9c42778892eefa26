/* base64_test.c -- the vectors of RFC 4648 section 10 and the digits of both alphabets, written
 * and read; what is refused. */
#include "base/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct {
    struct str bytes;
    const char *text, *padded;
} rows[] = {
    {{NULL, 0}, "", ""},
    {{"f", 1}, "Zg", "Zg=="},
    {{"fo", 2}, "Zm8", "Zm8="},
    {{"foo", 3}, "Zm9v", "Zm9v"},
    {{"foob", 4}, "Zm9vYg", "Zm9v\r\nYg=="},
    {{"fooba", 5}, "Zm9vYmE", "Zm9vYmE="},
    {{"foobar", 6}, "Zm9vYmFy", "Zm9v\nYmFy\n"},
    {{"\xfb\xff\xbf", 3}, "-_-_", "+/+/"},
    {{"\0\xff", 2}, "AP8", "AP8="},
};

enum { ROWS = sizeof rows / sizeof rows[0] };

static void
test_put(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        char out[16] = {0};
        char *end = base64url_put(out, rows[i].bytes);

        assert_string_equal(out, rows[i].text);
        assert_ptr_equal(end, out + strlen(rows[i].text));
        assert_true(strlen(rows[i].text) <= BASE64URL_SIZE(rows[i].bytes.n));
    }
}

static void
test_get(void **state)
{
    struct arena a;
    struct str got;

    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < ROWS; i++) {
        bool plain = strcmp(rows[i].text, rows[i].padded) == 0;

        assert_true(base64url_get(&a, str_z(rows[i].text), &got));
        assert_true(str_eq(got, rows[i].bytes));
        assert_true(base64_get(&a, str_z(rows[i].text), &got));
        assert_true(str_eq(got, rows[i].bytes));
        assert_true(base64_get(&a, str_z(rows[i].padded), &got));
        assert_true(str_eq(got, rows[i].bytes));
        assert_int_equal(base64url_get(&a, str_z(rows[i].padded), &got), plain);
    }
    arena_fini(&a);
}

static void
test_get_refuses(void **state)
{
    static const struct str neither[] = {{"Z!", 2}, {"Zg\0", 3}, {"Zg==Zg", 6}, {"Z\xc3", 2}};
    static const char *const not_ours[] = {"Z", "Zm9vY", "Zh", "Zm9", "Zm9v ", "+/+/"};
    struct arena a;
    struct str got;

    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < sizeof neither / sizeof neither[0]; i++) {
        assert_false(base64_get(&a, neither[i], &got));
        assert_false(base64url_get(&a, neither[i], &got));
    }
    for (size_t i = 0; i < sizeof not_ours / sizeof not_ours[0]; i++)
        assert_false(base64url_get(&a, str_z(not_ours[i]), &got));
    arena_fini(&a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_put), cmocka_unit_test(test_get),
                                       cmocka_unit_test(test_get_refuses)};

    return cmocka_run_group_tests_name("base64", tests, NULL, NULL);
}
