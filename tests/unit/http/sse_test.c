/* sse_test.c -- the SSE reader on streams cut everywhere, its bounds, and the writer. */
#include "http/sse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/prng.h"
#include "support/sse_log.h"

enum { RECORD_MAX = 1 << 16 };

struct sample {
    const char *name;
    struct str stream;
    const char *log;
};

#define BOM "\xef\xbb\xbf"

static const struct sample samples[] = {
    {"nothing", STR(""), ""},
    {"one", STR("data: a\n\n"), "event <> data <a>\n"},
    {"named", STR("event: e\ndata: a\n\n"), "event <e> data <a>\n"},
    {"two", STR("data: a\n\ndata: b\n\n"), "event <> data <a>\nevent <> data <b>\n"},
    {"CRLF", STR("event: e\r\ndata: a\r\n\r\ndata: b\r\n\r\n"),
     "event <e> data <a>\nevent <> data <b>\n"},
    {"CR", STR("event: e\rdata: a\r\rdata: b\r\r"), "event <e> data <a>\nevent <> data <b>\n"},
    {"CR then LF", STR("data: a\r\ndata: b\r\rdata: c\n\r\ndata: d\r\n\n"),
     "event <> data <a\nb>\nevent <> data <c>\nevent <> data <d>\n"},
    {"LF CR", STR("data: a\n\rdata: b\n\r"), "event <> data <a>\nevent <> data <b>\n"},
    {"CR CR LF", STR("data: a\r\r\ndata: b\r\r\n"), "event <> data <a>\nevent <> data <b>\n"},
    {"many lines", STR("data: a\ndata:\ndata: b\ndata\ndata:  c\n\n"),
     "event <> data <a\n\nb\n\n c>\n"},
    {"empty lines of data", STR("data\ndata\ndata:\n\n"), "event <> data <\n\n>\n"},
    {"empty data", STR("data:\n\n"), "event <> data <>\n"},
    {"no colon", STR("data\n\n"), "event <> data <>\n"},
    {"no space", STR("data:a\nevent:e\n\n"), "event <e> data <a>\n"},
    {"one space of two", STR("data:  a\n\n"), "event <> data < a>\n"},
    {"tab is no space", STR("data:\ta\n\n"), "event <> data <\ta>\n"},
    {"colons", STR("data: : OPENROUTER\n\n"), "event <> data <: OPENROUTER>\n"},
    {"comment", STR(": ping\n\n"), "comment\n"},
    {"bare colon", STR(":\n\n"), "comment\n"},
    {"comment in an event", STR(": x\ndata: a\n:y\n\n"), "event <> data <a>\n"},
    {"comment without blank line", STR(": x\ndata: a\n\n: y\n"),
     "event <> data <a>\ncomment\n"},
    {"blank lines", STR("\n\r\n\rdata: a\n\n\n"),
     "comment\ncomment\ncomment\nevent <> data <a>\ncomment\n"},
    {"id and retry", STR("id: 1\ndata: a\n\nretry: 5\n\nid\n\n"),
     "event <> id data <a>\nevent <> id\nevent <> id\n"},
    {"unknown field", STR("foo: bar\n\nfoo\ndata: a\n\n"), "event <>\nevent <> data <a>\n"},
    {"case and space in names", STR("Data: a\n data: b\ndata : c\n\n"), "event <>\n"},
    {"last event wins", STR("event: a\nevent: b\nevent\ndata: x\n\n"), "event <> data <x>\n"},
    {"event only", STR("event: ping\n\n"), "event <ping>\n"},
    {"EOF in the blank line", STR("data: a\n"), "event <> data <a>\n"},
    {"EOF in a line", STR("event: e\ndata: a"), "event <e> data <a>\n"},
    {"EOF behind CR", STR("data: a\r"), "event <> data <a>\n"},
    {"EOF in a name", STR("dat"), "event <>\n"},
    {"EOF in a comment", STR("data: a\n\n: x"), "event <> data <a>\ncomment\n"},
    {"BOM", STR(BOM "data: a\n\n"), "event <> data <a>\n"},
    {"BOM twice", STR(BOM BOM "data: a\n\n"), "event <>\n"},
    {"BOM later", STR("data: a\n\n" BOM "data: b\n\n"), "event <> data <a>\nevent <>\n"},
    {"BOM only", STR(BOM), ""},
    {"BOM and blank", STR(BOM "\n\n"), "comment\ncomment\n"},
    {"part of a BOM", STR("\xef\xbb"), "event <>\n"},
    {"not a BOM",
     STR("\xef\xbb"
         "data: a\ndata: b\n\n"),
     "event <> data <b>\n"},
    {"half a BOM",
     STR("\xef"
         "data: a\n\n"),
     "event <>\n"},
    {"UTF-8", STR("data: \xe2\x82\xac\xf0\x9f\x98\x80\n\n"),
     "event <> data <\xe2\x82\xac\xf0\x9f\x98\x80>\n"},
    {"JSON", STR("data: {\"a\":\"b\\n\"}\n\ndata: [DONE]\n\n"),
     "event <> data <{\"a\":\"b\\n\"}>\nevent <> data <[DONE]>\n"},
};

/* These hold NUL, so their logs have lengths. */
static const struct {
    struct str stream, log;
} with_nul[] = {
    {STR("data: a\0b\n\n"), STR("event <> data <a\0b>\n")},
    {STR("\0\n\ndata\0: a\n\n"), STR("event <>\nevent <>\n")},
    {STR("id: a\0\ndata: x\n\n"), STR("event <> id data <x>\n")},
};

static void
check_cuts(const char *name, struct str stream, struct str expected, const size_t *cuts,
           size_t n)
{
    struct buf log, raws;

    buf_init(&log, 1 << 20);
    buf_init(&raws, 1 << 20);
    assert_int_equal(sse_log(&log, &raws, stream, RECORD_MAX, cuts, n), TG_OK);
    if (!str_eq(buf_str(&log), expected))
        fail_msg("%s, %zu cuts, first at %zu:\n%.*s", name, n, n ? cuts[0] : 0,
                 STR_ARG(buf_str(&log)));
    if (!sse_raws_ok(buf_str(&raws), stream, cuts, n))
        fail_msg("%s, %zu cuts, first at %zu: raw bytes differ", name, n, n ? cuts[0] : 0);
    buf_fini(&log);
    buf_fini(&raws);
}

/* Whole, at every offset, at every pair of offsets, and behind every byte. */
static void
check_all_cuts(const char *name, struct str s, struct str expected)
{
    size_t *all = malloc((s.n + 1) * sizeof *all), n = 0;

    check_cuts(name, s, expected, NULL, 0);
    for (size_t a = 0; a <= s.n; a++) {
        check_cuts(name, s, expected, &a, 1);
        for (size_t b = a; b <= s.n; b++) {
            size_t cuts[2] = {a, b};

            check_cuts(name, s, expected, cuts, 2);
        }
    }
    for (size_t i = 1; i < s.n; i++)
        all[n++] = i;
    check_cuts(name, s, expected, all, n);
    free(all);
}

static void
test_streams(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++)
        check_all_cuts(samples[i].name, samples[i].stream, str_z(samples[i].log));
    for (size_t i = 0; i < sizeof with_nul / sizeof with_nul[0]; i++)
        check_all_cuts("NUL", with_nul[i].stream, with_nul[i].log);
}

/* All samples but those that end without a blank line or begin with a BOM, one behind the
 * other. */
static void
test_random_cuts(void **state)
{
    struct prng r = {7};
    struct buf stream, log;

    (void)state;
    buf_init(&stream, 1 << 20);
    buf_init(&log, 1 << 20);
    for (int round = 0; round < 300; round++) {
        size_t cuts[16], n = prng_below(&r, 16);

        buf_clear(&stream);
        buf_clear(&log);
        for (int i = 0; i < 20; i++) {
            const struct sample *s =
                &samples[prng_below(&r, sizeof samples / sizeof samples[0])];

            if (strncmp(s->name, "EOF", 3) == 0 || strstr(s->name, "BOM") ||
                strcmp(s->name, "comment without blank line") == 0)
                continue;
            /* A stream that begins with LF would end the CRLF of one that ends with CR. */
            if (stream.n && stream.p[stream.n - 1] == '\r' && s->stream.n &&
                s->stream.p[0] == '\n')
                continue;
            assert_int_equal(buf_append(&stream, s->stream), TG_OK);
            assert_int_equal(buf_append(&log, str_z(s->log)), TG_OK);
        }
        for (size_t i = 0; i < n; i++)
            cuts[i] =
                (i ? cuts[i - 1] : 0) + prng_below(&r, stream.n - (i ? cuts[i - 1] : 0) + 1);
        check_cuts("random", buf_str(&stream), buf_str(&log), cuts, n);
    }
    buf_fini(&stream);
    buf_fini(&log);
}

/* A record that ends with CR at the end of a piece does not wait for the next byte. */
static void
test_final_cr_at_once(void **state)
{
    struct sse_record r;
    struct sse s;

    (void)state;
    sse_init(&s, RECORD_MAX);
    sse_input(&s, STR("data: a\r\n\r"));
    assert_int_equal(sse_next(&s, &r, NULL), TG_OK);
    assert_int_equal(r.kind, SSE_EVENT);
    assert_true(str_eq(r.raw, STR("data: a\r\n\r")));
    assert_int_equal(sse_next(&s, &r, NULL), TG_OK);
    assert_int_equal(r.kind, SSE_NEED_MORE);
    sse_input(&s, STR("\n"));
    assert_int_equal(sse_next(&s, &r, NULL), TG_OK);
    assert_int_equal(r.kind, SSE_NEED_MORE);
    sse_input(&s, STR("\ndata: b\n\n"));
    assert_int_equal(sse_next(&s, &r, NULL), TG_OK);
    assert_int_equal(r.kind, SSE_COMMENT);
    assert_int_equal(sse_next(&s, &r, NULL), TG_OK);
    assert_true(str_eq(r.raw, STR("data: b\n\n")));
    sse_fini(&s);
}

/* Records that lie in the piece are spans of it, and cost no memory. */
static void
test_zero_copy(void **state)
{
    static const struct str piece = STR("event: a\ndata: b\n\n: c\n\ndata: d\r\n\r\n");
    struct sse_record r;
    struct sse s;
    size_t seen = 0;

    (void)state;
    sse_init(&s, RECORD_MAX);
    sse_input(&s, piece);
    while (sse_next(&s, &r, NULL) == TG_OK && r.kind != SSE_NEED_MORE) {
        assert_ptr_equal(r.raw.p, piece.p + seen);
        assert_true(r.data.n == 0 || (r.data.p > r.raw.p && r.data.p < r.raw.p + r.raw.n));
        seen += r.raw.n;
    }
    assert_int_equal(seen, piece.n);
    assert_int_equal(s.hold.cap, 0);
    assert_int_equal(s.joined.cap, 0);
    sse_fini(&s);
}

/* The bound is on the record without the LF of its last CRLF, wherever the cuts are. */
static void
test_record_max(void **state)
{
    static const struct {
        struct str stream;
        size_t largest; /* record */
        const char *log;
    } cases[] = {
        {STR("data: a\n\ndata: abcd\n\n"), 12, "event <> data <a>\nevent <> data <abcd>\n"},
        {STR("data: a\r\n\r\n"), 10, "event <> data <a>\n"},
        {STR("data: a\r\n\r\ndata: ab\r\r"), 10, "event <> data <a>\nevent <> data <ab>\n"},
        {STR("data: a\n\ndata: abcdefg"), 13, "event <> data <a>\nevent <> data <abcdefg>\n"},
        {STR(": abcdef\n\n"), 10, "comment\n"},
        {STR("data\ndata\ndata\n\n"), 16, "event <> data <\n\n>\n"},
    };
    struct buf log;

    (void)state;
    buf_init(&log, 1 << 16);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t cut = 0; cut <= cases[i].stream.n; cut++) {
            struct str s = cases[i].stream;

            buf_clear(&log);
            assert_int_equal(sse_log(&log, NULL, s, cases[i].largest, &cut, 1), TG_OK);
            assert_true(str_eq(buf_str(&log), str_z(cases[i].log)));
            buf_clear(&log);
            assert_int_equal(sse_log(&log, NULL, s, cases[i].largest - 1, &cut, 1), TG_ELIMIT);
            assert_true(str_ends(buf_str(&log), STR("too large\n")));
        }
    buf_fini(&log);
}

/* An endless line is refused when it passes the bound, not when it ends. */
static void
test_endless(void **state)
{
    static const char filler[1000];
    struct sse_record r;
    struct tg_err err;
    struct sse s;
    tg_rc rc = TG_OK;
    int pieces = 0;

    (void)state;
    sse_init(&s, 100 * 1000);
    while (rc == TG_OK && pieces < 1000) {
        sse_input(&s, str_of(filler, sizeof filler));
        rc = sse_next(&s, &r, &err);
        pieces++;
    }
    assert_int_equal(rc, TG_ELIMIT);
    assert_int_equal(pieces, 101);
    assert_int_equal(err.kind, TG_ERR_UPSTREAM);
    assert_string_equal(err.code, "event_too_large");
    assert_true(s.hold.cap <= 126 * 1000);
    sse_fini(&s);
}

/* Memory for one large record goes back when the record has been used. */
static void
test_memory_goes_back(void **state)
{
    char *line = malloc(RECORD_MAX);
    struct sse_record r;
    struct sse s;

    (void)state;
    memset(line, 'x', RECORD_MAX);
    memcpy(line, "data: ", 6);
    line[29999] = line[29998] = '\n';
    sse_init(&s, RECORD_MAX);
    sse_input(&s, str_of(line, 20000));
    assert_int_equal(sse_next(&s, &r, NULL), TG_OK);
    assert_int_equal(r.kind, SSE_NEED_MORE);
    sse_input(&s, str_of(line + 20000, 10000));
    assert_int_equal(sse_next(&s, &r, NULL), TG_OK);
    assert_int_equal(r.data.n, 30000 - 8);
    assert_int_equal(sse_next(&s, &r, NULL), TG_OK);
    assert_int_equal(s.hold.cap, 0);
    sse_fini(&s);
    free(line);
}

static void
test_write(void **state)
{
    static const struct {
        struct str event, data, out;
    } cases[] = {
        {STR(""), STR("a"), STR("data: a\n\n")},
        {STR("e"), STR("a"), STR("event: e\ndata: a\n\n")},
        {STR(""), STR(""), STR("data: \n\n")},
        {STR(""), STR("a\nb"), STR("data: a\ndata: b\n\n")},
        {STR(""), STR("a\r\nb\rc\n\rd\n"),
         STR("data: a\ndata: b\ndata: c\ndata: \ndata: d\ndata: \n\n")},
        {STR("e\ndata: x"), STR("a\r"), STR("event: e\ndata: a\ndata: \n\n")},
    };
    struct buf b;

    (void)state;
    buf_init(&b, 64);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        buf_clear(&b);
        assert_int_equal(sse_write(&b, cases[i].event, cases[i].data), TG_OK);
        assert_true(str_eq(buf_str(&b), cases[i].out));
    }
    buf_clear(&b);
    assert_int_equal(buf_append(&b, STR("before")), TG_OK);
    for (size_t n = 0; n < 60; n++) {
        static const char text[60];

        if (sse_write(&b, STR("e"), str_of(text, n)) == TG_OK) {
            assert_true(n + 17 + 6 <= 64);
            buf_truncate(&b, 6);
        } else {
            assert_true(n + 17 + 6 > 64);
            assert_true(str_eq(buf_str(&b), STR("before")));
        }
    }
    buf_fini(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streams),          cmocka_unit_test(test_random_cuts),
        cmocka_unit_test(test_final_cr_at_once), cmocka_unit_test(test_zero_copy),
        cmocka_unit_test(test_record_max),       cmocka_unit_test(test_endless),
        cmocka_unit_test(test_memory_goes_back), cmocka_unit_test(test_write),
    };

    return cmocka_run_group_tests_name("http/sse", tests, NULL, NULL);
}
