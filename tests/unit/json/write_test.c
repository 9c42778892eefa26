/* write_test.c -- the writer: shape, escaping, pieces, the bound that sticks. */
#include "json/write.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/prng.h"
#include "json/scan.h"

static struct buf b;
static struct json_out o;

static int
set_up(void **state)
{
    (void)state;
    buf_init(&b, 100000);
    json_begin(&o, &b);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    buf_fini(&b);
    return 0;
}

static void
assert_out(const char *want)
{
    assert_int_equal(json_end(&o), TG_OK);
    if (!str_eq(buf_str(&b), str_z(want)))
        fail_msg("got %.*s, want %s", STR_ARG(buf_str(&b)), want);
}

static void
test_shape(void **state)
{
    (void)state;
    json_open(&o, '{');
    json_key(&o, "a");
    json_open(&o, '[');
    json_int(&o, 1);
    json_open(&o, '{');
    json_close(&o);
    json_open(&o, '[');
    json_close(&o);
    json_null(&o);
    json_close(&o);
    json_kv_str(&o, "b", STR("x"));
    json_kv_int(&o, "c", -5);
    json_kv_bool(&o, "d", true);
    json_kv_bool(&o, "e", false);
    json_kv_null(&o, "f");
    json_kv_raw(&o, "g", STR("[1.50 ,2]"));
    json_kv_raw(&o, "h", str_of(NULL, 0));
    json_key_str(&o, STR("q\"k\n"));
    json_raw(&o, STR("9007199254740993"));
    json_key(&o, "i");
    json_open(&o, '{');
    json_kv_str(&o, "", STR(""));
    json_close(&o);
    json_close(&o);
    assert_out("{\"a\":[1,{},[],null],\"b\":\"x\",\"c\":-5,\"d\":true,\"e\":false,\"f\":null,"
               "\"g\":[1.50 ,2],\"h\":null,\"q\\\"k\\n\":9007199254740993,\"i\":{\"\":\"\"}}");
    assert_int_equal(json_check(buf_str(&b), 128, NULL), TG_OK);
}

static void
test_escape(void **state)
{
    static const struct {
        struct str in;
        const char *out;
    } rows[] = {
        {STR(""), ""},
        {STR("plain / text"), "plain / text"},
        {STR("\"\\"), "\\\"\\\\"},
        {STR("\b\f\n\r\t"), "\\b\\f\\n\\r\\t"},
        {STR("\0\x01\x1f\x7f"), "\\u0000\\u0001\\u001f\x7f"},
        {STR("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"), "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
        {STR("a\xff"
             "b"),
         "a\xef\xbf\xbd"
         "b"},
        {STR("a\xc3"), "a\xef\xbf\xbd"},
        {STR("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {STR("sixteen bytes and more \xc3\xa9 and then\n some more to go"),
         "sixteen bytes and more \xc3\xa9 and then\\n some more to go"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        buf_clear(&b);
        assert_int_equal(json_escape(&b, rows[i].in), TG_OK);
        assert_true(str_eq(buf_str(&b), str_z(rows[i].out)));
    }
}

/* A text in pieces, cut at each pair of places, is written as the whole. */
static void
test_parts(void **state)
{
    struct str s = STR("a\xc3\xa9\"\xe2\x82\xac\n\xf0\x9f\x98\x80z");
    const char *want = "[\"a\xc3\xa9\\\"\xe2\x82\xac\\n\xf0\x9f\x98\x80z\",1]";

    (void)state;
    for (size_t i = 0; i <= s.n; i++) {
        for (size_t k = i; k <= s.n; k++) {
            buf_clear(&b);
            json_begin(&o, &b);
            json_open(&o, '[');
            json_str_open(&o);
            json_str_part(&o, str_of(s.p, i));
            json_str_part(&o, str_of(s.p + i, k - i));
            json_str_part(&o, str_of(NULL, 0));
            json_str_part(&o, str_of(s.p + k, s.n - k));
            json_str_close(&o);
            json_int(&o, 1);
            json_close(&o);
            assert_out(want);
        }
    }
}

/* Bytes that are not UTF-8, in pieces of random length: always one valid JSON string, and the
 * well-formed neighbours survive. */
static void
test_parts_of_rubbish(void **state)
{
    struct prng r = {404};

    (void)state;
    for (int i = 0; i < 20000; i++) {
        char bytes[40];
        size_t n = prng_below(&r, sizeof bytes), at = 0;

        for (size_t k = 0; k < n; k++)
            bytes[k] =
                "ab\"\\\n\x80\xbf\xc3\xe2\x82\xac\xf0\x9f\xff\xed\xa0"[prng_below(&r, 16)];
        buf_clear(&b);
        json_begin(&o, &b);
        json_str_open(&o);
        json_str_part(&o, STR("<"));
        while (at < n) {
            size_t k = 1 + prng_below(&r, 5);

            k = k < n - at ? k : n - at;
            json_str_part(&o, str_of(bytes + at, k));
            at += k;
        }
        json_str_part(&o, STR(">"));
        json_str_close(&o);
        assert_int_equal(json_end(&o), TG_OK);
        assert_int_equal(json_check(buf_str(&b), 1, NULL), TG_OK);
        assert_true(str_starts(buf_str(&b), STR("\"<")) && str_ends(buf_str(&b), STR(">\"")));
    }
}

static void
test_part_left_open(void **state)
{
    (void)state;
    json_str_open(&o);
    json_str_part(&o, STR("a\xe2\x82"));
    json_str_close(&o);
    assert_out("\"a\xef\xbf\xbd\"");
}

static void
test_numbers(void **state)
{
    static const struct {
        double v;
        const char *text;
    } rows[] = {
        {0, "0"},
        {-0.0, "-0"},
        {0.7, "0.7"},
        {1, "1"},
        {-2.5, "-2.5"},
        {1e21, "1e+21"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1e308, "1e+308"},
        {5e-324, "4.94065645841247e-324"},
        {INFINITY, "null"},
        {-INFINITY, "null"},
    };
    struct prng r = {6};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        buf_clear(&b);
        json_begin(&o, &b);
        json_double_put(&o, rows[i].v);
        assert_out(rows[i].text);
    }
    buf_clear(&b);
    json_begin(&o, &b);
    json_open(&o, '[');
    json_int(&o, INT64_MIN);
    json_int(&o, INT64_MAX);
    json_int(&o, 0);
    json_double_put(&o, (double)NAN);
    json_close(&o);
    assert_out("[-9223372036854775808,9223372036854775807,0,null]");
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = prng_next(&r);
        double v, back;

        memcpy(&v, &bits, sizeof v);
        if (!isfinite(v))
            continue;
        buf_clear(&b);
        json_begin(&o, &b);
        json_double_put(&o, v);
        assert_int_equal(json_end(&o), TG_OK);
        assert_int_equal(json_double(buf_str(&b), &back), TG_OK);
        assert_true(back == v);
    }
}

static void
write_all(struct json_out *out)
{
    json_open(out, '{');
    json_kv_str(out, "text", STR("with \"escapes\" and \xc3\xa9"));
    json_kv_int(out, "n", 12345);
    json_key(out, "list");
    json_open(out, '[');
    json_bool_put(out, true);
    json_null(out);
    json_double_put(out, 0.5);
    json_close(out);
    json_key_str(out, STR("k"));
    json_str_open(out);
    json_str_part(out, STR("in "));
    json_str_part(out, STR("parts\xff"));
    json_str_close(out);
    json_close(out);
}

/* Every bound below what is needed fails once and for all; nothing passes the bound. */
static void
test_bound_sticks(void **state)
{
    size_t need;

    (void)state;
    write_all(&o);
    assert_int_equal(json_end(&o), TG_OK);
    assert_int_equal(json_check(buf_str(&b), 128, NULL), TG_OK);
    need = b.n;
    for (size_t max = 0; max <= need; max++) {
        struct buf small;
        struct json_out out;

        buf_init(&small, max);
        json_begin(&out, &small);
        write_all(&out);
        assert_int_equal(json_end(&out), max == need ? TG_OK : TG_ELIMIT);
        assert_true(small.n <= max);
        assert_memory_equal(buf_str(&small).p ? buf_str(&small).p : "", b.p, small.n);
        buf_fini(&small);
    }
}

/* Random calls make valid JSON; nesting to the full depth. */
static void
test_random_calls(void **state)
{
    struct prng r = {55};

    (void)state;
    for (int i = 0; i < 2000; i++) {
        char open[JSON_OUT_DEPTH];
        unsigned depth = 0, steps = (unsigned)prng_below(&r, 60);
        struct tg_err err;

        buf_clear(&b);
        json_begin(&o, &b);
        json_open(&o, '[');
        open[depth++] = '[';
        while (steps-- > 0 || depth > 0) {
            uint64_t what = steps > 60 ? 9 : prng_below(&r, 10);

            if (what == 9 || depth == 0) {
                json_close(&o);
                if (--depth == 0)
                    break;
                continue;
            }
            if (open[depth - 1] == '{')
                json_key_str(&o, STR("k\t"));
            if (what < 4 && depth < JSON_OUT_DEPTH) {
                open[depth] = what < 2 ? '{' : '[';
                json_open(&o, open[depth++]);
            } else if (what < 6) {
                json_str(&o, STR("\x01\xff\""));
            } else if (what < 7) {
                json_raw(&o, STR("{\"r\":[]}"));
            } else {
                json_int(&o, (int64_t)prng_next(&r));
            }
        }
        assert_int_equal(json_end(&o), TG_OK);
        if (json_check(buf_str(&b), 128, &err) != TG_OK)
            fail_msg("%s: %.*s", err.msg, STR_ARG(buf_str(&b)));
    }
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_shape),          CASE(test_escape),
        CASE(test_parts),          CASE(test_parts_of_rubbish),
        CASE(test_part_left_open), CASE(test_numbers),
        CASE(test_bound_sticks),   CASE(test_random_calls),
    };

    return cmocka_run_group_tests_name("json/write", tests, NULL, NULL);
}
