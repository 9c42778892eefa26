/* utf8_test.c -- UTF-8 against a decoder written from the definition. */
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "support/prng.h"

/* Decodes by the bit patterns of RFC 3629 section 3 and then asks whether that many bytes were
 * needed and whether the result is a character. */
static size_t
seq_slow(const unsigned char *p, size_t n)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len = p[0] < 0x80             ? 1
                 : (p[0] & 0xe0) == 0xc0 ? 2
                 : (p[0] & 0xf0) == 0xe0 ? 3
                 : (p[0] & 0xf8) == 0xf0 ? 4
                                         : 0;
    uint32_t cp;

    if (len == 0 || len > n)
        return 0;
    if (len == 1)
        return 1;
    cp = p[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        cp = cp << 6 | (p[i] & 0x3f);
    }
    return cp >= least[len] && cp <= 0x10ffff && !(cp >= 0xd800 && cp <= 0xdfff) ? len : 0;
}

/* All pairs of first bytes with telling third and fourth ones, at every length. */
static void
test_seq_exhaustive(void **state)
{
    static const unsigned char tails[] = {0x00, 0x7f, 0x80, 0xbf, 0xc0, 0xff};

    (void)state;
    for (unsigned ab = 0; ab < 0x10000; ab++) {
        for (unsigned t = 0; t < 36; t++) {
            unsigned char b[4] = {(unsigned char)(ab >> 8), (unsigned char)ab, tails[t / 6],
                                  tails[t % 6]};

            for (size_t n = 1; n <= 4; n++) {
                const char *p = (const char *)b;

                if (utf8_seq(p, p + n) != seq_slow(b, n))
                    fail_msg("%02x %02x %02x %02x, %zu bytes", b[0], b[1], b[2], b[3], n);
            }
        }
    }
}

static void
test_put_reads_back(void **state)
{
    char out[4];

    (void)state;
    for (uint32_t cp = 0; cp <= 0x10ffff; cp++) {
        size_t n = utf8_put(out, cp);

        if (cp >= 0xd800 && cp <= 0xdfff) {
            assert_int_equal(n, 0);
            continue;
        }
        if (n == 0 || utf8_seq(out, out + n) != n)
            fail_msg("U+%04X", cp);
    }
    assert_int_equal(utf8_put(out, 0x110000), 0);
    assert_int_equal(utf8_put(out, UINT32_MAX), 0);
    assert_int_equal(utf8_put(out, 0x20ac), 3);
    assert_memory_equal(out, "\xe2\x82\xac", 3);
    assert_int_equal(utf8_put(out, 0x1f600), 4);
    assert_memory_equal(out, "\xf0\x9f\x98\x80", 4);
}

static void
test_valid(void **state)
{
    struct prng r = {5};

    (void)state;
    assert_true(utf8_valid(str_of(NULL, 0)));
    assert_true(
        utf8_valid(STR("plain ascii of more than eight bytes, \xc3\xa9 and more of it")));
    assert_false(utf8_valid(STR("plain ascii of more than eight\xc3")));
    assert_true(utf8_valid(STR("\0\0")));
    for (int i = 0; i < 50000; i++) {
        unsigned char b[24];
        size_t n = prng_below(&r, sizeof b + 1), at = 0;

        for (size_t k = 0; k < n; k++)
            b[k] = prng_below(&r, 3)
                       ? (unsigned char)('a' + k)
                       : (unsigned char)"\x80\xc3\xe2\xf0\x90\xbf"[prng_below(&r, 6)];
        while (at < n) {
            size_t k = seq_slow(b + at, n - at);

            if (k == 0)
                break;
            at += k;
        }
        assert_int_equal(utf8_valid(str_of((char *)b, n)), at == n);
    }
}

static void
test_floor(void **state)
{
    struct str s = STR("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z");
    static const size_t want[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};

    (void)state;
    for (size_t n = 0; n < sizeof want / sizeof *want; n++)
        assert_int_equal(utf8_floor(s, n), want[n]);
    /* The end of the text counts as much as the cut. */
    for (size_t n = 0; n <= s.n; n++)
        assert_int_equal(utf8_floor(str_of(s.p, n), n), want[n]);
    /* What is no beginning of anything is not held back. */
    assert_int_equal(utf8_floor(STR("\x80\x80\x80\x80"), 4), 4);
    assert_int_equal(utf8_floor(STR("a\xff"), 2), 2);
    assert_int_equal(utf8_floor(STR("a\xc0"), 2), 2);
    assert_int_equal(utf8_floor(str_of(NULL, 0), 5), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seq_exhaustive),
        cmocka_unit_test(test_put_reads_back),
        cmocka_unit_test(test_valid),
        cmocka_unit_test(test_floor),
    };

    return cmocka_run_group_tests_name("base/utf8", tests, NULL, NULL);
}
