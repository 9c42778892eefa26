/* error_raw_test.c -- C-05: what an upstream of the maker of Chat and Responses said of its
 * error, beside our own words for a client of Messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "triglot/dialect.h"
#include "json/scan.h"

static void
expect(const char *upstream, unsigned status, const char *body, const char *want)
{
    const struct dialect *from = dialect_find(str_z(upstream));
    const struct dialect *to = dialect_find(STR("messages"));
    struct tg_err err = {0};
    struct buf b;

    buf_init(&b, 32768);
    from->decode_error(status, str_z(body), &err);
    assert_int_equal(to->encode_error(&err, &b), TG_OK);
    assert_int_equal(json_check(buf_str(&b), JSON_DEPTH_MAX, NULL), TG_OK);
    if (!str_eq(buf_str(&b), str_z(want)))
        fail_msg("%s %u %s\nwant %s\ngot  %.*s", upstream, status, body, want,
                 STR_ARG(buf_str(&b)));
    buf_fini(&b);
}

#define OUT(type, message, more)                                                               \
    "{\"type\":\"error\",\"error\":{\"type\":\"" type "\",\"message\":\"" message "\"" more    \
    "},\"request_id\":null}"
#define OPENAI(values) ",\"openai\":{" values "}"

static void
said_again(void **state)
{
    static const char *const ups[] = {"chat", "responses"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        expect(ups[i], 429,
               "{\"error\":{\"code\":\"rate_limit_exceeded\",\"x\":1,\"param\":null,\"type\":"
               "\"tokens\",\"message\":\"Slow \\\"down\\\".\"}}",
               OUT("rate_limit_error", "Slow \\\"down\\\".",
                   OPENAI("\"message\":\"Slow \\\"down\\\".\",\"type\":\"tokens\",\"param\":"
                          "null,\"code\":\"rate_limit_exceeded\"")));
        /* what is missing is null; numbers stay as written */
        expect(ups[i], 500, "{\"error\":{\"message\":\"m\",\"code\":500.0}}",
               OUT("api_error", "m",
                   OPENAI("\"message\":\"m\",\"type\":null,\"param\":null,\"code\":500.0")));
        /* older servers of open models */
        expect(ups[i], 400, "{\"object\":\"error\",\"message\":\"m\",\"type\":\"T\"}",
               OUT("invalid_request_error", "m",
                   OPENAI("\"message\":\"m\",\"type\":\"T\",\"param\":null,\"code\":null")));
        /* half of a surrogate pair is no text */
        expect(ups[i], 400, "{\"error\":{\"message\":\"m\",\"param\":\"\\ud800\"}}",
               OUT("invalid_request_error", "m",
                   OPENAI("\"message\":\"m\",\"type\":null,\"param\":null,\"code\":null")));
    }
}

static void
not_said(void **state)
{
    static const char refused[] = "the upstream refused the gateway's credentials";
    char want[256];

    (void)state;
    (void)snprintf(want, sizeof want, OUT("api_error", "%s", ""), refused);
    expect("chat", 401, "{\"error\":{\"message\":\"bad key sk-1\",\"code\":null}}", want);
    expect("responses", 400,
           "{\"error\":{\"message\":\"bad key sk-1\",\"code\":\"invalid_api_key\"}}", want);
    expect("chat", 400, "{\"error\":\"m\"}", OUT("invalid_request_error", "m", ""));
    expect("chat", 400, "{\"error\":{}}",
           OUT("invalid_request_error", "the upstream reported an error without saying which",
               ""));
    expect("messages", 429,
           "{\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\",\"message\":\"m\"}}",
           OUT("rate_limit_error", "m", ""));
}

/* Each value has its bound, cut between characters. */
static void
bounded(void **state)
{
    const struct dialect *to = dialect_find(STR("messages"));
    struct json_member m;
    struct tg_err err = {0};
    char body[8192];
    struct buf b;

    (void)state;
    (void)snprintf(body, sizeof body,
                   "{\"error\":{\"message\":\"a%0*d\xc3\xa9\",\"type\":\"%0*d\",\"param\":%0*d,"
                   "\"code\":[%*d]}}",
                   1022, 0, 257, 0, 1, 0, 300, 7);
    dialect_find(STR("chat"))->decode_error(400, str_z(body), &err);
    buf_init(&b, 32768);
    assert_int_equal(to->encode_error(&err, &b), TG_OK);
    assert_true(json_path(buf_str(&b), "error.openai.message", &m));
    assert_int_equal(m.value.n, 1023 + 2);
    assert_true(json_path(buf_str(&b), "error.openai.type", &m));
    assert_int_equal(m.value.n, 256 + 2);
    assert_true(json_path(buf_str(&b), "error.openai.param", &m));
    assert_true(str_eq(m.value, STR("0")));
    assert_true(json_path(buf_str(&b), "error.openai.code", &m));
    assert_int_equal(m.kind, JSON_NULL);
    buf_fini(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(said_again), cmocka_unit_test(not_said),
                                       cmocka_unit_test(bounded)};

    return cmocka_run_group_tests_name("error_raw", tests, NULL, NULL);
}
