/* check_test.c -- what json_check takes and refuses, with tables and against cJSON. */
#include "json/scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <cjson/cJSON.h>

#include "base/utf8.h"
#include "support/json_gen.h"

/* A copy that ends where its allocation ends, so that reading past it is found by ASan. */
static tg_rc
check_exact(struct str text, unsigned depth_max, struct tg_err *err)
{
    char *copy = malloc(text.n ? text.n : 1);
    tg_rc rc;

    if (text.n)
        memcpy(copy, text.p, text.n);
    rc = json_check(str_of(copy, text.n), depth_max, err);
    free(copy);
    return rc;
}

static void
test_good(void **state)
{
    static const char *const rows[] = {
        "null",
        "true",
        "false",
        "0",
        "-0",
        "-0.0",
        "1e400",
        "9007199254740993",
        "1E-5",
        "1e+5",
        "\"\"",
        "[]",
        "{}",
        " [ ] ",
        "\n{\t}\r ",
        "[1,2,3]",
        "[[],[[]],{}]",
        "{\"a\":1}",
        "{\"a\":1,\"a\":2}",
        "{\"\":\"\"}",
        "{ \"a\" : [ 1 , { \"b\" : null } ] , \"c\" : -1 }",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "\"\\udc00\\ud800\"",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00AF\"",
        "\"\x7f\"",
        "\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\"",
        "\"\xef\xbb\xbf\"",
        "\"a long run of text that passes sixteen bytes, then \\u0041, then more of it\"",
        "1234567890123456789012345678901234567890123456789012345678901234567890.5",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tg_err err;

        if (check_exact(str_z(rows[i]), 128, &err) != TG_OK)
            fail_msg("%s: %s", rows[i], err.msg);
    }
}

static const struct {
    struct str text;
    const char *msg; /* behind "invalid JSON " */
} bad_rows[] = {
    {{"", 0}, "at byte 0: there is no value"},
    {{NULL, 0}, "at byte 0: there is no value"},
    {STR("  \n"), "at byte 3: there is no value"},
    {STR("nul"), "at byte 0: expected a value"},
    {STR("nullx"), "at byte 4: something follows the value"},
    {STR("True"), "at byte 0: expected a value"},
    {STR("NaN"), "at byte 0: expected a value"},
    {STR("'a'"), "at byte 0: expected a value"},
    {STR("// c\n1"), "at byte 0: expected a value"},
    {STR("\0"), "at byte 0: expected a value"},
    {STR("1\0"), "at byte 1: something follows the value"},
    {STR("1 2"), "at byte 2: something follows the value"},
    {STR("[] []"), "at byte 3: something follows the value"},
    {STR("}"), "at byte 0: expected a value"},
    {STR("]"), "at byte 0: expected a value"},
    {STR("["), "at byte 1: the text ends inside an array"},
    {STR("[1"), "at byte 2: the text ends inside an array"},
    {STR("[1,"), "at byte 3: the text ends inside an array"},
    {STR("[1,]"), "at byte 3: expected a value"},
    {STR("[,1]"), "at byte 1: expected a value"},
    {STR("[1 2]"), "at byte 3: expected ',' or ']'"},
    {STR("[1}"), "at byte 2: expected ',' or ']'"},
    {STR("[\"a\":1]"), "at byte 4: expected ',' or ']'"},
    {STR("{"), "at byte 1: the text ends inside an object"},
    {STR("{\"a\""), "at byte 4: the text ends inside an object"},
    {STR("{\"a\":"), "at byte 5: the text ends inside an object"},
    {STR("{\"a\":1"), "at byte 6: the text ends inside an object"},
    {STR("{\"a\":1,}"), "at byte 7: expected a key in double quotes"},
    {STR("{,}"), "at byte 1: expected a key in double quotes"},
    {STR("{a:1}"), "at byte 1: expected a key in double quotes"},
    {STR("{1:1}"), "at byte 1: expected a key in double quotes"},
    {STR("{\"a\" 1}"), "at byte 5: expected ':' after a key"},
    {STR("{\"a\"::1}"), "at byte 5: expected a value"},
    {STR("{\"a\":}"), "at byte 5: expected a value"},
    {STR("{\"a\":1]"), "at byte 6: expected ',' or '}'"},
    {STR("{\"a\":1 \"b\":2}"), "at byte 7: expected ',' or '}'"},
    {STR("[{]"), "at byte 2: expected a key in double quotes"},
    {STR("01"), "at byte 0: not a JSON number"},
    {STR("-"), "at byte 0: not a JSON number"},
    {STR("-a"), "at byte 0: not a JSON number"},
    {STR("1."), "at byte 0: not a JSON number"},
    {STR("1.e5"), "at byte 0: not a JSON number"},
    {STR("1e"), "at byte 0: not a JSON number"},
    {STR("1e+"), "at byte 0: not a JSON number"},
    {STR("-01"), "at byte 0: not a JSON number"},
    {STR("+1"), "at byte 0: expected a value"},
    {STR(".5"), "at byte 0: expected a value"},
    {STR("0x10"), "at byte 1: something follows the value"},
    {STR("\""), "at byte 1: the text ends inside a string"},
    {STR("\"a"), "at byte 2: the text ends inside a string"},
    {STR("\"\\"), "at byte 2: the text ends inside a string"},
    {STR("\"\\\""), "at byte 3: the text ends inside a string"},
    {STR("\"\\u00"), "at byte 5: the text ends inside a string"},
    {STR("\"\\x\""), "at byte 1: no such escape in a string"},
    {STR("\"\\'\""), "at byte 1: no such escape in a string"},
    {STR("\"\\u12g4\""), "at byte 1: \\u must be followed by four hexadecimal digits"},
    {STR("\"\\u123\""), "at byte 1: \\u must be followed by four hexadecimal digits"},
    {STR("\"\\u-123\""), "at byte 1: \\u must be followed by four hexadecimal digits"},
    {STR("\"a\nb\""), "at byte 2: a control character in a string must be escaped"},
    {STR("\"a\0b\""), "at byte 2: a control character in a string must be escaped"},
    {STR("\"\xff\""), "at byte 1: a string is not valid UTF-8"},
    {STR("\"\xc0\x80\""), "at byte 1: a string is not valid UTF-8"},
    {STR("\"\xed\xa0\x80\""), "at byte 1: a string is not valid UTF-8"},
    {STR("\"\xf4\x90\x80\x80\""), "at byte 1: a string is not valid UTF-8"},
    {STR("\"\xe2\x82\""), "at byte 1: a string is not valid UTF-8"},
    {STR("\"\xe2\x82"), "at byte 1: a string is not valid UTF-8"},
    {STR("{\"\xff\":1}"), "at byte 2: a string is not valid UTF-8"},
    {STR("\xc2\xa0"
         "1"),
     "at byte 0: expected a value"},
    {STR("\v1"), "at byte 0: expected a value"},
};

static void
test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_rows / sizeof *bad_rows; i++) {
        struct tg_err err;
        char want[200];

        assert_int_equal(check_exact(bad_rows[i].text, 128, &err), TG_EINVAL);
        assert_int_equal(json_check(bad_rows[i].text, 128, NULL), TG_EINVAL);
        snprintf(want, sizeof want, "invalid JSON %s", bad_rows[i].msg);
        assert_string_equal(err.msg, want);
        assert_int_equal(err.rc, TG_EINVAL);
        assert_int_equal(err.kind, TG_ERR_INVALID_REQUEST);
        assert_string_equal(err.code, "invalid_json");
    }
}

static void
test_bom(void **state)
{
    static const struct str rows[] = {STR("\xef\xbb\xbf{}"), STR("\xff\xfe{\0}\0"),
                                      STR("\xfe\xff\0{\0}"), STR("\xef\xbb\xbf")};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tg_err err;

        assert_int_equal(check_exact(rows[i], 128, &err), TG_EINVAL);
        assert_non_null(strstr(err.msg, "BOM"));
    }
}

/* `depth` containers around a value, of a kind that the bits of `kinds` choose. */
static struct str
nested(char *out, size_t depth, uint64_t kinds)
{
    char *p = out;

    for (size_t i = 0; i < depth; i++)
        p += sprintf(p, "%s", kinds >> (i % 64) & 1 ? "{\"k\":" : "[");
    *p++ = '0';
    for (size_t i = depth; i-- > 0;)
        *p++ = kinds >> (i % 64) & 1 ? '}' : ']';
    return str_of(out, (size_t)(p - out));
}

static void
test_depth(void **state)
{
    static const uint64_t kinds[] = {0, UINT64_MAX, UINT64_C(0x5a5a5a5a12345678)};
    static const unsigned limits[] = {0, 1, 2, 63, 64, 65, 127, 128};
    static char text[2000];

    (void)state;
    for (size_t k = 0; k < 3; k++) {
        for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
            struct tg_err err;
            struct str s = nested(text, limits[i], kinds[k]);

            assert_int_equal(check_exact(s, limits[i], &err), TG_OK);
            s = nested(text, limits[i] + 1, kinds[k]);
            assert_int_equal(check_exact(s, limits[i], &err), TG_ELIMIT);
            assert_int_equal(json_check(s, limits[i], NULL), TG_ELIMIT);
            assert_int_equal(err.rc, TG_ELIMIT);
            assert_int_equal(err.origin, TG_FROM_CLIENT);
            assert_int_equal(err.http, 400);
            assert_string_equal(err.code, "json_too_deep");
        }
        /* More than 128 is never allowed, whatever is asked for. */
        assert_int_equal(json_check(nested(text, 129, kinds[k]), 100000, NULL), TG_ELIMIT);
    }
    memset(text, '[', sizeof text);
    assert_int_equal(json_check(str_of(text, sizeof text), 128, NULL), TG_ELIMIT);
}

/* Brackets of the wrong kind at every level, on both words of the bit stack. */
static void
test_mismatched_brackets(void **state)
{
    static char text[2000];

    (void)state;
    for (size_t depth = 1; depth <= 128; depth++) {
        struct str s = nested(text, depth, UINT64_C(0xf0f0aaaa5555cccc));

        for (size_t i = s.n - depth; i < s.n; i++) {
            text[i] ^= ']' ^ '}';
            assert_int_equal(json_check(s, 128, NULL), TG_EINVAL);
            text[i] ^= ']' ^ '}';
        }
        assert_int_equal(json_check(s, 128, NULL), TG_OK);
    }
}

/* No proper prefix of an object is JSON, and none is read past its end. */
static void
test_truncated_everywhere(void **state)
{
    struct str s =
        STR("{\"a\":[1.5e+3,-0,true,false,null,{\"b\\u00e9\\n\":\"\xc3\xa9\xe2\x82\xac"
            "\xf0\x9f\x98\x80 a longer run of plain text in here \\ud83d\\ude00\"}],"
            "\"c\" : { } , \"d\":[ ] }");

    (void)state;
    assert_int_equal(check_exact(s, 128, NULL), TG_OK);
    for (size_t n = 0; n < s.n; n++)
        assert_int_equal(check_exact(str_of(s.p, n), 128, NULL), TG_EINVAL);
}

static void
test_generated(void **state)
{
    struct prng r = {42};
    struct buf b;

    (void)state;
    buf_init(&b, 1 << 20);
    for (int i = 0; i < 3000; i++) {
        struct tg_err err;

        buf_clear(&b);
        json_gen(&r, &b, 6);
        if (check_exact(buf_str(&b), 128, &err) != TG_OK)
            fail_msg("%.*s: %s", STR_ARG(buf_str(&b)), err.msg);
    }
    buf_fini(&b);
}

/* Where cJSON's verdict is not that of RFC 8259: it takes control characters and bad UTF-8 in
 * strings, control bytes as white space, numbers that strtod takes, and a byte order mark; it
 * refuses half a surrogate pair and long numbers. */
static bool
cjson_is_lax(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c < 0x20 && c != '\n' && c != '\r' && c != '\t')
            return true;
        if (c == '+' || c == '.' || c == '-' || c == 'e' || c == 'E' || c == '0')
            return true;
    }
    return !utf8_valid(s);
}

static bool
cjson_takes(struct str s)
{
    const char *end;
    cJSON *doc = cJSON_ParseWithLengthOpts(s.p, s.n, &end, false);
    bool ok = doc != NULL;

    while (ok && end < s.p + s.n) {
        if (*end != ' ' && *end != '\n' && *end != '\r' && *end != '\t')
            ok = false;
        end++;
    }
    cJSON_Delete(doc);
    return ok;
}

/* A raw line end or tab inside a string is the one laxness that needs a look at the place. */
static bool
control_in_string(struct str s)
{
    bool inside = false;

    for (size_t i = 0; i < s.n; i++) {
        if (inside && (unsigned char)s.p[i] < 0x20)
            return true;
        if (inside && s.p[i] == '\\')
            i++;
        else if (s.p[i] == '"')
            inside = !inside;
    }
    return false;
}

/* Generated texts with a byte changed, removed or doubled: both parsers must agree. */
static void
test_mutations_against_cjson(void **state)
{
    static const char bytes[] = "{}[],:\"\\ \n1a29nt/u";
    struct prng r = {1001};
    unsigned good = 0, bad = 0, skipped = 0;
    struct buf b;

    (void)state;
    buf_init(&b, 1 << 20);
    for (int i = 0; i < 60000; i++) {
        size_t at;
        bool ours, theirs;

        buf_clear(&b);
        json_gen(&r, &b, 3);
        at = prng_below(&r, b.n);
        switch (prng_below(&r, 3)) {
        case 0:
            b.p[at] = bytes[prng_below(&r, sizeof bytes - 1)];
            break;
        case 1:
            memmove(b.p + at, b.p + at + 1, b.n - at - 1);
            b.n--;
            break;
        default:
            assert_int_equal(buf_putc(&b, 'x'), TG_OK);
            memmove(b.p + at + 1, b.p + at, b.n - at - 1);
        }
        if (b.n == 0 || cjson_is_lax(buf_str(&b)) || control_in_string(buf_str(&b)) ||
            memmem(b.p, b.n, "\\u", 2)) {
            skipped++;
            continue;
        }
        ours = check_exact(buf_str(&b), 128, NULL) == TG_OK;
        theirs = cjson_takes(buf_str(&b));
        if (ours != theirs)
            fail_msg("%.*s: we %d, cJSON %d", STR_ARG(buf_str(&b)), ours, theirs);
        good += ours;
        bad += !ours;
    }
    assert_true(good > 2000 && bad > 2000);
    assert_true(skipped < 50000);
    buf_fini(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_bom),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_mismatched_brackets),
        cmocka_unit_test(test_truncated_everywhere),
        cmocka_unit_test(test_generated),
        cmocka_unit_test(test_mutations_against_cjson),
    };

    return cmocka_run_group_tests_name("json/check", tests, NULL, NULL);
}
