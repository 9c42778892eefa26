/* find_test.c -- the fast searches (scan_int.h, skip.c) against plain ones.
 *
 * Every byte value at every place of a window, the ends at every distance from it.  The text
 * ends where its allocation ends, so that reading past it is found by a sanitizer.
 */
#include "json/scan_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/json_gen.h"

typedef const char *finder(const char *p, const char *end);

static const struct {
    const char *name;
    finder *find;
    bool (*is)(unsigned char c);
} sets[] = {
    {"special", json_find_special, json_byte_special},
    {"special, words", json_findw_special, json_byte_special},
    {"quote", json_find_quote, json_byte_quote},
    {"quote, words", json_findw_quote, json_byte_quote},
    {"bracket", json_find_bracket, json_byte_bracket},
    {"bracket, words", json_findw_bracket, json_byte_bracket},
};

enum { SETS = sizeof sets / sizeof *sets };

static void
test_sets_by_name(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        bool quote = c == '"' || c == '\\';
        bool bracket = c == '"' || c == '{' || c == '}' || c == '[' || c == ']';

        assert_int_equal(json_byte_quote((unsigned char)c), quote);
        assert_int_equal(json_byte_special((unsigned char)c), quote || c < 0x20 || c > 0x7f);
        assert_int_equal(json_byte_bracket((unsigned char)c), bracket);
    }
}

static void
test_each_byte_at_each_place(void **state)
{
    (void)state;
    for (size_t n = 0; n <= 50; n++) {
        char *text = malloc(n ? n : 1);

        for (size_t at = 0; at < n; at++) {
            for (int c = 0; c < 256; c++) {
                memset(text, 'a', n);
                text[at] = (char)c;
                for (size_t k = 0; k < SETS; k++) {
                    size_t want = sets[k].is((unsigned char)c) ? at : n;

                    if (sets[k].find(text, text + n) != text + want)
                        fail_msg("%s: byte %d at %zu of %zu", sets[k].name, c, at, n);
                }
            }
        }
        free(text);
    }
}

/* Neighbours must not disturb each other: words carry borrows from byte to byte. */
static void
test_random_bytes(void **state)
{
    static const char likely[] = "\"\\[]{}\x1f\x20\x21\x7f\x80\xff\x00#;|~";
    struct prng r = {2024};

    (void)state;
    for (int i = 0; i < 100000; i++) {
        size_t n = prng_below(&r, 40), k = prng_below(&r, SETS), want = 0;
        char *text = malloc(n ? n : 1);

        for (size_t at = 0; at < n; at++) {
            text[at] = prng_below(&r, 4) ? 'a' + (char)prng_below(&r, 26)
                                         : likely[prng_below(&r, sizeof likely)];
        }
        while (want < n && !sets[k].is((unsigned char)text[want]))
            want++;
        assert_ptr_equal(sets[k].find(text, text + n), text + want);
        free(text);
    }
}

/* Both ways past an object or array agree on good texts, at every alignment to a block, and on
 * each of their prefixes find no end. */
static void
test_skip_nested(void **state)
{
    struct prng r = {12};
    unsigned skipped = 0;
    struct buf b;

    (void)state;
    buf_init(&b, 1 << 20);
    for (int i = 0; i < 4000; i++) {
        const char *p, *end, *after;
        char *copy;

        buf_clear(&b);
        json_gen(&r, &b, 5);
        p = json_skip_space(b.p, b.p + b.n);
        if (*p != '{' && *p != '[')
            continue;
        end = b.p + b.n;
        while (json_is_space(end[-1]))
            end--;
        after = json_skip_nested_plain(p, b.p + b.n);
        assert_ptr_equal(after, end);
        assert_ptr_equal(json_skip_nested(p, b.p + b.n), end);
        assert_ptr_equal(json_skip_nested(p, end), end);
        for (int k = 0; k < 20; k++) {
            size_t n = prng_below(&r, (size_t)(end - p));

            copy = malloc(n ? n : 1);
            memcpy(copy, p, n);
            assert_null(json_skip_nested(copy, copy + n));
            assert_null(json_skip_nested_plain(copy, copy + n));
            free(copy);
        }
        skipped++;
    }
    assert_true(skipped > 1000);
    buf_fini(&b);
}

/* Runs of backslashes of each length, the quote behind them at each place of a block. */
static void
test_skip_backslashes(void **state)
{
    (void)state;
    for (size_t lead = 0; lead < 130; lead++) {
        for (size_t run = 0; run < 70; run++) {
            char text[300], *p = text;

            *p++ = '[';
            *p++ = '"';
            memset(p, 'a', lead);
            p += lead;
            memset(p, '\\', run);
            p += run;
            if (run % 2)
                *p++ = '"'; /* escaped */
            *p++ = ']';
            *p++ = '"';
            *p++ = ']';
            assert_ptr_equal(json_skip_nested(text, p), p);
            assert_ptr_equal(json_skip_nested(text, p - 1), NULL);
            assert_ptr_equal(json_skip_nested_plain(text, p), p);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sets_by_name),     cmocka_unit_test(test_each_byte_at_each_place),
        cmocka_unit_test(test_random_bytes),     cmocka_unit_test(test_skip_nested),
        cmocka_unit_test(test_skip_backslashes),
    };

    return cmocka_run_group_tests_name("json/find", tests, NULL, NULL);
}
