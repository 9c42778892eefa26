/* base64_test.c -- base64url: the vectors of RFC 4648 section 10, and its two own digits. */
#include "base/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
test_put(void **state)
{
    static const struct {
        struct str bytes;
        const char *text;
    } rows[] = {
        {{NULL, 0}, ""},
        {{"f", 1}, "Zg"},
        {{"fo", 2}, "Zm8"},
        {{"foo", 3}, "Zm9v"},
        {{"foob", 4}, "Zm9vYg"},
        {{"fooba", 5}, "Zm9vYmE"},
        {{"foobar", 6}, "Zm9vYmFy"},
        {{"\xfb\xff\xbf", 3}, "-_-_"},
        {{"\0\xff", 2}, "AP8"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[16] = {0};
        char *end = base64url_put(out, rows[i].bytes);

        assert_string_equal(out, rows[i].text);
        assert_ptr_equal(end, out + strlen(rows[i].text));
        assert_true(strlen(rows[i].text) <= BASE64URL_SIZE(rows[i].bytes.n));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_put)};

    return cmocka_run_group_tests_name("base64", tests, NULL, NULL);
}
