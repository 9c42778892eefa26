/* error_kind_test.c -- what becomes of an upstream's error: of its status, its type and its
 * code, for clients of the three dialects; and that nothing of an error about the gateway's
 * credentials is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "ir/event.h"
#include "triglot/dialect.h"

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

static const char *const names[] = {"chat", "responses", "messages"};

static const char *
body_of(const char *type, const char *code)
{
    static char body[512];

    (void)snprintf(body, sizeof body,
                   "{\"type\":\"error\",\"error\":{\"message\":\"m\",\"type\":\"%s\"%s}}", type,
                   code);
    return body;
}

static void
expect(const struct dialect *to, const struct tg_err *err, unsigned status, const char *part,
       const char *what)
{
    struct buf b;

    buf_init(&b, 32768);
    assert_int_equal(to->encode_error(err, &b), TG_OK);
    if (to->error_status(err) != status || !memmem(b.p, b.n, part, strlen(part)))
        fail_msg("%s: for a client of %s want %u %s, got %u %.*s", what, to->name, status, part,
                 to->error_status(err), STR_ARG(buf_str(&b)));
    buf_fini(&b);
}

/* Types that say nothing do not hide what the status says. */
static void
the_status_says_more_than_a_general_type(void **state)
{
    static const char *const types[] = {"invalid_request_error", "api_error", "server_error",
                                        "a_new_type"};
    static const struct {
        unsigned status;
        enum tg_err_kind kind;
        unsigned openai;
        const char *code;
        unsigned messages;
        const char *type;
    } rows[] = {
        {400, TG_ERR_INVALID_REQUEST, 400, "\"code\":null", 400, "invalid_request_error"},
        {402, TG_ERR_QUOTA, 429, "\"code\":\"insufficient_quota\"", 402, "billing_error"},
        {403, TG_ERR_PERMISSION, 403, "\"type\":\"permission_error\"", 403, "permission_error"},
        {404, TG_ERR_NOT_FOUND, 404, "\"code\":\"not_found\"", 404, "not_found_error"},
        {409, TG_ERR_INVALID_REQUEST, 409, "\"code\":\"conflict\"", 409, "conflict_error"},
        {413, TG_ERR_TOO_LARGE, 413, "\"code\":\"request_too_large\"", 413,
         "request_too_large"},
        {422, TG_ERR_INVALID_REQUEST, 400, "\"code\":null", 400, "invalid_request_error"},
        {429, TG_ERR_RATE_LIMIT, 429, "\"code\":\"rate_limit_exceeded\"", 429,
         "rate_limit_error"},
        {500, TG_ERR_UPSTREAM, 502, "\"type\":\"server_error\"", 502, "api_error"},
        {502, TG_ERR_UPSTREAM, 502, "\"type\":\"server_error\"", 502, "api_error"},
        {503, TG_ERR_OVERLOADED, 503, "\"code\":\"server_is_overloaded\"", 529,
         "overloaded_error"},
        {504, TG_ERR_TIMEOUT, 504, "\"code\":\"timeout\"", 504, "timeout_error"},
        {529, TG_ERR_OVERLOADED, 503, "\"code\":\"server_is_overloaded\"", 529,
         "overloaded_error"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t t = 0; t < COUNT(types); t++)
            for (size_t u = 0; u < COUNT(names); u++) {
                struct tg_err err = {0};
                char what[128];

                (void)snprintf(what, sizeof what, "%s %u %s", names[u], rows[i].status,
                               types[t]);
                dialect_find(str_z(names[u]))
                    ->decode_error(rows[i].status, str_z(body_of(types[t], "")), &err);
                if (err.kind != rows[i].kind)
                    fail_msg("%s: want kind %d, got %d", what, rows[i].kind, err.kind);
                assert_string_equal(err.msg, "m");
                expect(dialect_find(STR("chat")), &err, rows[i].openai, rows[i].code, what);
                expect(dialect_find(STR("responses")), &err, rows[i].openai, rows[i].code,
                       what);
                expect(dialect_find(STR("messages")), &err, rows[i].messages, rows[i].type,
                       what);
            }
}

static void
words_of_the_body(void **state)
{
    static const struct {
        unsigned status;
        const char *body;
        enum tg_err_kind kind;
        const char *code; /* for a client of Chat */
    } rows[] = {
        {404,
         "{\"error\":{\"message\":\"The model `x` does not exist\",\"type\":"
         "\"invalid_request_error\",\"code\":null}}",
         TG_ERR_NOT_FOUND, "\"code\":\"model_not_found\""},
        {400, "{\"error\":{\"message\":\"m\",\"code\":\"model_not_found\"}}", TG_ERR_NOT_FOUND,
         "\"code\":\"model_not_found\""},
        {429, "{\"error\":{\"message\":\"m\",\"type\":\"insufficient_quota\"}}", TG_ERR_QUOTA,
         "\"code\":\"insufficient_quota\""},
        {413,
         "{\"error\":{\"message\":\"over the maximum context length\",\"type\":"
         "\"invalid_request_error\"}}",
         TG_ERR_CONTEXT_LENGTH, "\"code\":\"context_length_exceeded\""},
        /* a code of the upstream's own, where clients look for none of ours */
        {400,
         "{\"error\":{\"message\":\"m\",\"type\":\"invalid_request_error\",\"code\":"
         "\"string_above_max_length\"}}",
         TG_ERR_INVALID_REQUEST, "\"code\":\"string_above_max_length\""},
        {429, "{\"error\":{\"message\":\"m\",\"code\":\"vendor_limit\"}}", TG_ERR_RATE_LIMIT,
         "\"code\":\"rate_limit_exceeded\""},
        {400, "{\"error\":{\"message\":\"m\",\"code\":\"not \\u0001 clean\"}}",
         TG_ERR_INVALID_REQUEST, "\"code\":null"},
        {400,
         "{\"error\":{\"message\":\"m\",\"code\":\"a123456789b123456789c123456789"
         "d123456789e123456789f123456789g123456789\"}}",
         TG_ERR_INVALID_REQUEST, "\"code\":null"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t u = 0; u < 2; u++) {
            const struct dialect *chat = dialect_find(STR("chat"));
            struct tg_err err = {0};

            dialect_find(str_z(names[u]))
                ->decode_error(rows[i].status, str_z(rows[i].body), &err);
            if (err.kind != rows[i].kind)
                fail_msg("%s: want kind %d, got %d", rows[i].body, rows[i].kind, err.kind);
            expect(chat, &err, chat->error_status(&err), rows[i].code, rows[i].body);
        }
}

static void
is_hidden(const struct tg_err *err, const char *what)
{
    if (err->kind != TG_ERR_UPSTREAM || err->raw.n || strstr(err->msg, "sk-1") || !err->code ||
        strcmp(err->code, "upstream_auth") != 0 || err->origin != TG_FROM_UPSTREAM)
        fail_msg("%s: kind %d, code %s, %s", what, err->kind, err->code ? err->code : "-",
                 err->msg);
    for (size_t i = 0; i < COUNT(names); i++)
        expect(dialect_find(str_z(names[i])), err, 502, "refused the gateway's credentials",
               what);
}

static tg_rc
swallow(struct ir_sink *sink, const struct ir_event *ev)
{
    (void)sink;
    (void)ev;
    return TG_OK;
}

/* The three ways in which an error comes under a status that says nothing. */
static void
hide(const struct dialect *d, const char *body)
{
    for (int way = 0; way < 3; way++) {
        struct ir_sink sink = {.put = swallow};
        struct dialect_tap tap = {.usage = IR_USAGE_UNKNOWN};
        struct tg_err err = {0};
        struct arena a;
        struct dialect_dec dec;
        bool over = false;

        arena_init(&a);
        dec = (struct dialect_dec){.sink = &sink,
                                   .arena = &a,
                                   .err = &err,
                                   .hold_max = 1 << 20,
                                   .state = arena_alloc(&a, d->dec_size, 16)};
        if (way == 0)
            assert_int_not_equal(d->decode_record(&dec, STR("error"), str_z(body), &over),
                                 TG_OK);
        else if (way == 1)
            assert_int_not_equal(d->decode_res(&dec, str_z(body)), TG_OK);
        else
            assert_int_equal(d->tap_record(&tap, STR("error"), str_z(body), &err),
                             DIALECT_FAILED);
        is_hidden(&err, body);
        arena_fini(&a);
    }
}

static void
credentials_are_never_told(void **state)
{
    static const char *const errors[] = {
        "\"type\":\"authentication_error\"",
        "\"type\":\"invalid_request_error\",\"code\":\"invalid_api_key\"",
        "\"type\":\"api_error\",\"code\":\"invalid_api_key\"",
    };
    static const char failed[] =
        "{\"type\":\"response.failed\",\"sequence_number\":1,\"response\":{\"status\":"
        "\"failed\",\"error\":{\"code\":\"invalid_api_key\",\"message\":\"bad key sk-1\"}}}";
    static const unsigned statuses[] = {400, 401, 403, 429, 500};
    struct tg_err err = {0};

    (void)state;
    for (size_t u = 0; u < COUNT(names); u++)
        for (size_t i = 0; i < COUNT(errors); i++) {
            const struct dialect *d = dialect_find(str_z(names[u]));
            char body[256];

            (void)snprintf(body, sizeof body,
                           "{\"type\":\"error\",\"error\":{\"message\":\"bad key sk-1\",%s}}",
                           errors[i]);
            hide(d, body);
            for (size_t s = 0; s < COUNT(statuses); s++) {
                err = (struct tg_err){0};
                d->decode_error(statuses[s], str_z(body), &err);
                is_hidden(&err, body);
            }
        }
    dialect_find(STR("chat"))
        ->decode_error(400, STR("{\"error\":{\"message\":\"API key not valid: sk-1\"}}"), &err);
    is_hidden(&err, "words alone");
    for (int way = 0; way < 2; way++) {
        const struct dialect *d = dialect_find(STR("responses"));
        struct dialect_tap tap = {.usage = IR_USAGE_UNKNOWN};
        struct ir_sink sink = {.put = swallow};
        struct arena a;
        bool over = false;

        arena_init(&a);
        err = (struct tg_err){0};
        struct dialect_dec dec = {.sink = &sink,
                                  .arena = &a,
                                  .err = &err,
                                  .hold_max = 1 << 20,
                                  .state = arena_alloc(&a, d->dec_size, 16)};
        if (way)
            assert_int_not_equal(
                d->decode_record(&dec, STR("response.failed"), str_z(failed), &over), TG_OK);
        else
            assert_int_equal(d->tap_record(&tap, STR("response.failed"), str_z(failed), &err),
                             DIALECT_FAILED);
        is_hidden(&err, "response.failed");
        arena_fini(&a);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_status_says_more_than_a_general_type),
        cmocka_unit_test(words_of_the_body),
        cmocka_unit_test(credentials_are_never_told),
    };

    return cmocka_run_group_tests_name("error_kind", tests, NULL, NULL);
}
