/* chat_enc_test.c -- what the Chat encoders write, apart from the answers in the golden cases:
 * errors of every kind, models, embeddings, full buffers, events that break the grammar. */
#include "triglot/dialect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "json/scan.h"

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

static const struct dialect *chat;

static void
expect(struct buf *b, const char *want)
{
    struct str got = buf_str(b);

    if (!str_eq(got, str_z(want)))
        fail_msg("\n%.*s\n%s", STR_ARG(got), want);
    buf_clear(b);
}

static void
every_kind_of_error(void **state)
{
    static const struct {
        enum tg_err_kind kind;
        unsigned http;
        const char *type, *code;
    } rows[] = {
        {TG_ERR_AUTH, 401, "authentication_error", "\"invalid_api_key\""},
        {TG_ERR_PERMISSION, 403, "permission_error", "\"permission_denied\""},
        {TG_ERR_NOT_FOUND, 404, "invalid_request_error", "\"not_found\""},
        {TG_ERR_TOO_LARGE, 413, "invalid_request_error", "\"request_too_large\""},
        {TG_ERR_RATE_LIMIT, 429, "rate_limit_error", "\"rate_limit_exceeded\""},
        {TG_ERR_OVERLOADED, 503, "service_unavailable_error", "\"server_is_overloaded\""},
        {TG_ERR_CONTEXT_LENGTH, 400, "invalid_request_error", "\"context_length_exceeded\""},
        {TG_ERR_QUOTA, 429, "insufficient_quota", "\"insufficient_quota\""},
        {TG_ERR_INVALID_REQUEST, 400, "invalid_request_error", "null"},
        {TG_ERR_TIMEOUT, 504, "server_error", "\"timeout\""},
        {TG_ERR_UPSTREAM, 502, "server_error", "\"upstream_error\""},
        {TG_ERR_INTERNAL, 500, "server_error", "\"internal_error\""},
    };
    struct buf b;

    (void)state;
    buf_init(&b, 4096);
    assert_int_equal(COUNT(rows), TG_ERR_KIND_N - 1);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tg_err err = {0};
        char want[512];

        (void)tg_fail(&err, TG_EINTERNAL, rows[i].kind, NULL, "it \"broke\"");
        assert_int_equal(chat->error_status(&err), rows[i].http);
        err.http = 0;
        assert_int_equal(chat->error_status(&err), rows[i].http);
        err.http = 418;
        assert_int_equal(chat->error_status(&err), 418);
        assert_int_equal(chat->encode_error(&err, &b), TG_OK);
        assert_true(chat->error_fits(buf_str(&b)));
        (void)snprintf(
            want, sizeof want,
            "{\"error\":{\"message\":\"it \\\"broke\\\"\",\"type\":\"%s\",\"param\":null,"
            "\"code\":%s}}",
            rows[i].type, rows[i].code);
        expect(&b, want);
    }
    buf_fini(&b);
}

static void
errors_keep_their_code_and_param(void **state)
{
    struct tg_err err = {0};
    struct buf b;

    (void)state;
    buf_init(&b, 4096);
    (void)tg_refuse(&err, "invalid_value", "messages.0.role", "no");
    assert_int_equal(chat->encode_error_record(&err, &b), TG_OK);
    expect(&b, "data: {\"error\":{\"message\":\"no\",\"type\":\"invalid_request_error\","
               "\"param\":\"messages.0.role\",\"code\":\"invalid_value\"}}\n\n");
    /* an error that nobody described is still one */
    err = (struct tg_err){0};
    assert_int_equal(chat->error_status(&err), 500);
    assert_int_equal(chat->encode_error(&err, &b), TG_OK);
    assert_true(chat->error_fits(buf_str(&b)));
    buf_fini(&b);
}

static void
models(void **state)
{
    const struct ir_model v[] = {{STR("a/b:c"), STR("sim"), 5}, {STR("d"), STR("up"), 6}};
    struct buf b;

    (void)state;
    buf_init(&b, 4096);
    assert_int_equal(chat->encode_models(v, 2, &b), TG_OK);
    expect(
        &b,
        "{\"object\":\"list\",\"data\":[{\"id\":\"a/b:c\",\"object\":\"model\",\"created\":5,"
        "\"owned_by\":\"sim\"},{\"id\":\"d\",\"object\":\"model\",\"created\":6,"
        "\"owned_by\":\"up\"}]}");
    assert_int_equal(chat->encode_models(v, 0, &b), TG_OK);
    expect(&b, "{\"object\":\"list\",\"data\":[]}");
    assert_int_equal(chat->encode_model(v, &b), TG_OK);
    expect(&b, "{\"id\":\"a/b:c\",\"object\":\"model\",\"created\":5,\"owned_by\":\"sim\"}");
    buf_fini(&b);
}

static void
embeddings(void **state)
{
    float values[] = {1, -0.5F, 0.1F, 0, 2, 3};
    const struct dialect_enc enc = {.model = STR("e")};
    struct ir_embed_res res = {values, 2, 3, {7, 0, 0, 0, -1}};
    struct ir_embed_req req = {.n_inputs = 2};
    struct buf b;

    (void)state;
    buf_init(&b, 4096);
    assert_int_equal(chat->encode_embed(&enc, &req, &res, &b), TG_OK);
    expect(&b, "{\"object\":\"list\",\"data\":["
               "{\"object\":\"embedding\",\"index\":0,\"embedding\":[1,-0.5,0.100000001]},"
               "{\"object\":\"embedding\",\"index\":1,\"embedding\":[0,2,3]}],"
               "\"model\":\"e\",\"usage\":{\"prompt_tokens\":7,\"total_tokens\":7}}");
    /* The base64 texts were made by another program; all three lengths of padding. */
    req.base64 = true;
    res.n = 1;
    assert_int_equal(chat->encode_embed(&enc, &req, &res, &b), TG_OK);
    assert_non_null(memmem(buf_str(&b).p, b.n, "\"AACAPwAAAL/NzMw9\"", 18));
    buf_clear(&b);
    res.dimensions = 2;
    assert_int_equal(chat->encode_embed(&enc, &req, &res, &b), TG_OK);
    assert_non_null(memmem(buf_str(&b).p, b.n, "\"AACAPwAAAL8=\"", 14));
    buf_clear(&b);
    res.dimensions = 1;
    assert_int_equal(chat->encode_embed(&enc, &req, &res, &b), TG_OK);
    assert_non_null(memmem(buf_str(&b).p, b.n, "\"AACAPw==\"", 10));
    buf_fini(&b);
}

/* With every bound from nothing up, an event is written whole or not at all, and the state is
 * such that a second try works. */
static void
full_buffers_take_nothing(void **state)
{
    static const struct ir_block text = {.kind = IR_TEXT};
    static const struct ir_block call = {.kind = IR_CALL, .id = STR("i"), .name = STR("n")};
    static const struct ir_usage usage = {1, 2, 3, 4, 5};
    const struct ir_event events[] = {
        {.kind = IR_EV_START},
        {.kind = IR_EV_OPEN, .head = &text},
        {.kind = IR_EV_DELTA, .text = STR("a\"b")},
        {.kind = IR_EV_CLOSE},
        {.kind = IR_EV_OPEN, .block = 1, .head = &call},
        {.kind = IR_EV_CLOSE, .block = 1},
        {.kind = IR_EV_STOP, .stop = IR_STOP_CALLS},
        {.kind = IR_EV_STOP, .choice = 1, .stop = IR_STOP_END},
        {.kind = IR_EV_USAGE, .usage = &usage},
        {.kind = IR_EV_END},
    };
    struct dialect_enc enc = {.id = STR("i"), .model = STR("m"), .stream_usage = true};
    struct dialect_enc other = enc;
    struct buf want, got;
    struct arena a;

    (void)state;
    arena_init(&a);
    enc.arena = other.arena = &a;
    enc.state = calloc(1, chat->enc_size);
    other.state = calloc(1, chat->enc_size);
    assert_non_null(enc.state);
    assert_non_null(other.state);
    for (size_t i = 0; i < COUNT(events); i++) {
        buf_init(&want, 4096);
        buf_init(&got, 0);
        assert_int_equal(chat->encode_ev(&enc, &events[i], &want), TG_OK);
        for (got.max = 0; got.max < want.n; got.max++) {
            assert_int_equal(chat->encode_ev(&other, &events[i], &got), TG_ELIMIT);
            assert_int_equal(got.n, 0);
        }
        assert_int_equal(chat->encode_ev(&other, &events[i], &got), TG_OK);
        assert_true(str_eq(buf_str(&want), buf_str(&got)));
        buf_fini(&want);
        buf_fini(&got);
    }
    free(enc.state);
    free(other.state);
    arena_fini(&a);
}

/* A head that does not fit the encoder's memory is written anew each time. */
static void
long_model_names(void **state)
{
    static const struct ir_block text = {.kind = IR_TEXT};
    const struct ir_event open = {.kind = IR_EV_OPEN, .head = &text};
    const struct ir_event delta = {.kind = IR_EV_DELTA, .text = STR("x")};
    char model[400];
    struct dialect_enc enc = {.id = STR("i"), .model = str_of(model, sizeof model)};
    struct json_member m;
    struct arena kept;
    struct buf b;

    (void)state;
    arena_init(&kept);
    enc.arena = &kept;
    memset(model, '"', sizeof model);
    enc.state = calloc(1, chat->enc_size);
    buf_init(&b, 8192);
    assert_int_equal(chat->encode_ev(&enc, &open, &b), TG_OK);
    for (int i = 0; i < 3; i++) {
        struct arena a;
        struct str s = {NULL, 0};

        buf_clear(&b);
        assert_int_equal(chat->encode_ev(&enc, &delta, &b), TG_OK);
        assert_true(json_get(str_from(buf_str(&b), 6), STR("model"), &m));
        arena_init(&a);
        assert_int_equal(json_string(&a, m.value, &s), TG_OK);
        assert_true(str_eq(s, enc.model));
        arena_fini(&a);
    }
    buf_fini(&b);
    free(enc.state);
    arena_fini(&kept);
}

static void
ungrammatical_events_do_no_harm(void **state)
{
    static const struct ir_block text = {.kind = IR_TEXT}, media = {.kind = IR_MEDIA};
    const struct {
        struct ir_event ev;
        tg_rc rc;
    } rows[] = {
        {{.kind = IR_EV_DELTA, .text = STR("x")}, TG_EPROTO},
        {{.kind = IR_EV_CLOSE}, TG_EPROTO},
        {{.kind = IR_EV_OPEN}, TG_EPROTO},
        {{.kind = IR_EV_USAGE}, TG_EPROTO},
        {{.kind = IR_EV_ERROR}, TG_EPROTO},
        {{.kind = IR_EV_OPEN, .choice = IR_CHOICES_MAX, .head = &text}, TG_EPROTO},
        {{.kind = IR_EV_STOP, .choice = UINT32_MAX}, TG_EPROTO},
        {{.kind = IR_EV_OPEN, .head = &media}, TG_EINVAL},
    };
    struct dialect_enc enc = {.id = STR("i"), .model = STR("m"), .stream_usage = true};
    struct arena a;
    struct buf b;

    (void)state;
    arena_init(&a);
    enc.arena = &a;
    enc.state = calloc(1, chat->enc_size);
    buf_init(&b, 4096);
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(chat->encode_ev(&enc, &rows[i].ev, &b), rows[i].rc);
        assert_int_equal(b.n, 0);
    }
    buf_fini(&b);
    free(enc.state);
    arena_fini(&a);
}

static int
setup(void **state)
{
    (void)state;
    chat = dialect_find(STR("chat"));
    return chat ? 0 : -1;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_error),
        cmocka_unit_test(errors_keep_their_code_and_param),
        cmocka_unit_test(models),
        cmocka_unit_test(embeddings),
        cmocka_unit_test(full_buffers_take_nothing),
        cmocka_unit_test(long_model_names),
        cmocka_unit_test(ungrammatical_events_do_no_harm),
    };
    int failed = cmocka_run_group_tests_name("dialect/chat/enc", tests, setup, NULL);

    arena_thread_fini();
    return failed;
}
