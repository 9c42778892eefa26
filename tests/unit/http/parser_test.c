/* parser_test.c -- the parser's interface: steps, borrowing, bounds.  What it accepts and
 * refuses is in smuggling_test.c.
 */
#include "http/parser.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define HOST "Host: a\r\n"

/* Feeds all of s and expects the step, with `rest` bytes left over. */
static struct str
expect(struct http_parser *p, struct str *s, enum http_step step, size_t rest)
{
    enum http_step got = HTTP_NEED_MORE;
    struct str data = {NULL, 0};
    struct tg_err err;

    if (http_parser_feed(p, s, &got, &data, &err) != TG_OK)
        fail_msg("%s", err.msg);
    assert_int_equal(got, step);
    assert_int_equal(s->n, rest);
    return data;
}

static void
test_steps(void **state)
{
    struct str s =
        STR("POST /a HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nabcdGET /b HTTP/1.1");
    struct http_parser *p;
    struct http_head *h;
    struct arena a;
    struct str data;

    (void)state;
    arena_init(&a);
    p = http_parser_request(&a, 1000);
    assert_false(http_parser_begun(p));
    expect(p, &s, HTTP_GOT_HEAD, 4 + 15);
    assert_true(http_parser_begun(p));
    h = http_parser_head(p);
    assert_true(str_eq(h->path, STR("/a")));
    assert_int_equal(h->length, 4);
    data = expect(p, &s, HTTP_DATA, 15);
    assert_true(str_eq(data, STR("abcd")));
    assert_ptr_equal(data.p + 4, s.p); /* where it lay */
    expect(p, &s, HTTP_END, 15);
    expect(p, &s, HTTP_END, 15); /* and stays there */
    arena_fini(&a);
}

/* Empty lines before a request are not its beginning: they may be the end of the last one. */
static void
test_begun(void **state)
{
    struct str s = STR("\r\n\r\n");
    struct http_parser *p;
    struct arena a;

    (void)state;
    arena_init(&a);
    p = http_parser_request(&a, 1000);
    expect(p, &s, HTTP_NEED_MORE, 0);
    assert_false(http_parser_begun(p));
    s = STR("G");
    expect(p, &s, HTTP_NEED_MORE, 0);
    assert_true(http_parser_begun(p));
    arena_fini(&a);
}

/* The head outlives the bytes it was read from. */
static void
test_head_is_copied(void **state)
{
    static const char text[] = "GET /path?q HTTP/1.1\r\n" HOST "Name: value\r\n\r\n";

    (void)state;
    for (size_t cut = 1; cut < sizeof text - 1; cut++) {
        enum http_step step = HTTP_NEED_MORE;
        struct http_parser *p;
        struct http_head *h;
        struct str data;
        struct arena a;

        arena_init(&a);
        p = http_parser_request(&a, 1000);
        for (int part = 0; part < 2; part++) {
            size_t n = part ? sizeof text - 1 - cut : cut;
            char *piece = malloc(n);
            struct str s = str_of(piece, n);

            memcpy(piece, part ? text + cut : text, n);
            assert_int_equal(http_parser_feed(p, &s, &step, &data, NULL), TG_OK);
            memset(piece, '!', n);
            free(piece);
        }
        assert_int_equal(step, HTTP_GOT_HEAD);
        h = http_parser_head(p);
        assert_true(str_eq(h->method, STR("GET")));
        assert_true(str_eq(h->target, STR("/path?q")));
        assert_true(str_eq(h->path, STR("/path")));
        assert_true(str_eq(h->query, STR("q")));
        assert_int_equal(h->n_headers, 2);
        assert_true(str_eq(h->headers[1].name, STR("Name")));
        assert_true(str_eq(h->headers[1].value, STR("value")));
        arena_fini(&a);
    }
}

static void
test_eof(void **state)
{
    static const struct {
        struct str bytes;
        tg_rc rc;
    } cases[] = {
        {STR(""), TG_EGONE},
        {STR("HTTP/1.1 200 OK\r\n"), TG_EGONE},
        {STR("HTTP/1.1 200 OK\r\n\r\n"), TG_OK},
        {STR("HTTP/1.1 200 OK\r\n\r\nabc"), TG_OK},
        {STR("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"), TG_EGONE},
        {STR("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na"), TG_OK},
        {STR("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"), TG_EGONE},
        {STR("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), TG_OK},
        {STR("HTTP/1.1 200 OK\n"), TG_EPROTO},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum http_step step = HTTP_NEED_MORE;
        struct str s = cases[i].bytes, data;
        struct http_parser *p;
        struct arena a;
        tg_rc rc = TG_OK;

        arena_init(&a);
        p = http_parser_response(&a, 1000, false);
        do
            rc = http_parser_feed(p, &s, &step, &data, NULL);
        while (rc == TG_OK && step != HTTP_NEED_MORE && step != HTTP_END);
        assert_int_equal(http_parser_eof(p, &step, NULL), cases[i].rc);
        if (cases[i].rc == TG_OK)
            assert_int_equal(step, HTTP_END);
        arena_fini(&a);
    }
}

/* The bound is exact, and trailers count with the head. */
static void
test_head_max(void **state)
{
    static const struct str head =
        STR("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
    static const struct str tail = STR("0\r\nA: b\r\n\r\n");
    size_t all = head.n + tail.n - 3; /* the size line is not a header */

    (void)state;
    for (size_t max = head.n - 2; max <= all + 2; max++) {
        enum http_step step = HTTP_NEED_MORE;
        struct http_parser *p;
        struct str s = head, data;
        struct tg_err err;
        struct arena a;
        tg_rc rc;

        arena_init(&a);
        p = http_parser_request(&a, max);
        rc = http_parser_feed(p, &s, &step, &data, &err);
        assert_int_equal(rc, max < head.n ? TG_ELIMIT : TG_OK);
        s = tail;
        if (rc == TG_OK)
            rc = http_parser_feed(p, &s, &step, &data, &err);
        assert_int_equal(rc, max < all ? TG_ELIMIT : TG_OK);
        if (rc != TG_OK) {
            assert_int_equal(err.http, 431);
            assert_int_equal(http_parser_eof(p, &step, &err), TG_ELIMIT);
        } else {
            assert_int_equal(step, HTTP_END);
        }
        arena_fini(&a);
    }
}

struct outcome {
    tg_rc rc;
    enum http_step step;
    size_t n;
    char data[256];
};

/* Of a chunked response with that body, which comes in pieces that end at `cut` and then every
 * `each` bytes. */
static struct outcome
chunked_outcome(struct str body, size_t cut, size_t each)
{
    struct str s = STR("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), data;
    struct outcome o = {.step = HTTP_NEED_MORE};
    struct http_parser *p;
    struct arena a;

    arena_init(&a);
    p = http_parser_response(&a, 1000, false);
    o.rc = http_parser_feed(p, &s, &o.step, &data, NULL);
    while (body.n && o.rc == TG_OK && o.step != HTTP_END) {
        s = str_of(body.p, cut < body.n ? cut : body.n);
        body = str_from(body, s.n);
        cut = each;
        do {
            o.rc = http_parser_feed(p, &s, &o.step, &data, NULL);
            if (o.rc == TG_OK && o.step == HTTP_DATA) {
                assert_true(o.n + data.n <= sizeof o.data);
                memcpy(o.data + o.n, data.p, data.n);
                o.n += data.n;
            }
        } while (o.rc == TG_OK && o.step == HTTP_DATA);
    }
    arena_fini(&a);
    return o;
}

/* Chunks that come whole take a shorter way: it must lead to the same place, for good input and
 * for bad. */
static void
test_whole_chunks(void **state)
{
    static const struct str bodies[] = {
        STR("3\r\nabc\r\n4\r\ndefg\r\n1\r\nh\r\n0\r\n\r\n"),
        STR("3\r\nabc\r\n0000004\r\ndefg\r\n00000001\r\nh\r\n0\r\nA: b\r\n\r\n"),
        STR("1\r\na\r\nA\r\n0123456789\r\nb\r\n0123456789a\r\n0\r\n\r\n"),
        STR("1\r\na\r\n2;x=y\r\nbc\r\n2\r\n\r\n\r\n0\r\n\r\n"),
        STR("1\r\na\r\n2\r\nbc\r\n000\r\n\r\n"),
        STR("1\r\na\r\n2\r\nbcd\r\n0\r\n\r\n"),
        STR("1\r\na\r\n2\r\nbc\n0\r\n\r\n"),
        STR("1\r\na\r\n2\nbc\r\n0\r\n\r\n"),
        STR("1\r\na\r\n 2\r\nbc\r\n0\r\n\r\n"),
        STR("1\r\na\r\n2\r\nbc\r\n-1\r\nd\r\n0\r\n\r\n"),
        STR("1\r\na\r\ng\r\nbc\r\n0\r\n\r\n"),
        STR("1\r\na\r\n\r\nbc\r\n0\r\n\r\n"),
        STR("1\r\na\r\nfffffffffffffffff\r\nbc\r\n0\r\n\r\n"),
        STR("1\r\na\r\n2\r\nbc"),
    };
    static const size_t good = 5;

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct outcome want = chunked_outcome(bodies[i], 1, 1);

        assert_true(i >= good || (want.rc == TG_OK && want.step == HTTP_END && want.n >= 3));
        assert_true(i < good || want.rc != TG_OK || want.step == HTTP_NEED_MORE);
        for (size_t cut = 1; cut <= bodies[i].n; cut++) {
            struct outcome got = chunked_outcome(bodies[i], cut, bodies[i].n);

            assert_int_equal(got.rc, want.rc);
            assert_int_equal(got.step == HTTP_END, want.step == HTTP_END);
            assert_int_equal(got.n, want.n);
            assert_memory_equal(got.data, want.data, want.n);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps),          cmocka_unit_test(test_begun),
        cmocka_unit_test(test_head_is_copied), cmocka_unit_test(test_eof),
        cmocka_unit_test(test_head_max),       cmocka_unit_test(test_whole_chunks),
    };

    return cmocka_run_group_tests_name("http/parser", tests, NULL, NULL);
}
