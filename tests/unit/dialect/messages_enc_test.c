/* messages_enc_test.c -- answers for clients of the Messages dialect: proofs, bounds, errors,
 * models.
 *
 * Streams are read back by a model of what the official helpers throw on: names of records that
 * are missing, deltas outside a block, numbers that leave a gap, a message that never ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "ir/envelope.h"
#include "triglot/dialect.h"
#include "json/scan.h"

struct enc {
    const struct dialect *d;
    struct dialect_enc e;
    struct arena a;
    struct buf b;
};

static void
begin(struct enc *t, size_t max)
{
    *t = (struct enc){.d = dialect_find(STR("messages"))};
    arena_init(&t->a);
    buf_init(&t->b, max);
    t->e = (struct dialect_enc){.id = STR("msg_1"),
                                .model = STR("m"),
                                .usage = IR_USAGE_UNKNOWN,
                                .arena = &t->a,
                                .state = arena_alloc(&t->a, t->d->enc_size, 16)};
}

static void
end(struct enc *t)
{
    buf_fini(&t->b);
    arena_fini(&t->a);
    arena_thread_fini();
}

static tg_rc
put(struct enc *t, struct ir_event ev)
{
    return t->d->encode_ev(&t->e, &ev, &t->b);
}

static void
put_ok(struct enc *t, struct ir_event ev)
{
    assert_int_equal(put(t, ev), TG_OK);
}

static const char *
text_of(struct enc *t)
{
    return arena_dup(&t->a, buf_str(&t->b)).p;
}

/* What a stream helper knows while it reads. */
struct client {
    bool begun, over, reason, open;
    int64_t blocks;
};

static void
client_record(struct client *c, struct str name, struct str data)
{
    struct json_member m, delta;
    int64_t index = -1;

    assert_int_equal(json_check(data, JSON_DEPTH_MAX, NULL), TG_OK);
    assert_true(json_get(data, STR("type"), &m));
    assert_true(str_eq(str_of(m.value.p + 1, m.value.n - 2), name));
    assert_false(c->over);
    if (json_get(data, STR("index"), &m))
        assert_int_equal(json_i64(m.value, &index), TG_OK);
    if (str_eq(name, STR("message_start"))) {
        assert_false(c->begun);
        assert_true(json_path(data, "message.usage.input_tokens", &m) && m.kind == JSON_NUMBER);
        assert_true(json_path(data, "message.usage.output_tokens", &m));
        assert_true(json_path(data, "message.content", &m) && m.kind == JSON_ARRAY);
        c->begun = true;
        return;
    }
    assert_true(c->begun);
    if (str_eq(name, STR("content_block_start"))) {
        assert_false(c->open);
        assert_int_equal(index, c->blocks);
        c->open = true;
    } else if (str_eq(name, STR("content_block_delta"))) {
        assert_true(c->open && index == c->blocks);
        assert_true(json_get(data, STR("delta"), &delta));
    } else if (str_eq(name, STR("content_block_stop"))) {
        assert_true(c->open && index == c->blocks);
        c->open = false;
        c->blocks++;
    } else if (str_eq(name, STR("message_delta"))) {
        assert_true(!c->open && !c->reason);
        assert_true(json_path(data, "usage.output_tokens", &m) && m.kind == JSON_NUMBER);
        assert_true(json_path(data, "delta.stop_reason", &m) && m.kind == JSON_STRING);
        c->reason = true;
    } else {
        assert_true(str_eq(name, STR("message_stop")) && c->reason);
        c->over = true;
    }
}

static struct client
client_read(struct str stream)
{
    struct client c = {.blocks = 0};

    while (stream.n) {
        struct str name = str_cut(stream, '\n', &stream);
        struct str data = str_cut(stream, '\n', &stream);

        assert_true(str_starts(name, STR("event: ")) && str_starts(data, STR("data: ")));
        assert_int_equal(str_cut(stream, '\n', &stream).n, 0);
        client_record(&c, str_from(name, 7), str_from(data, 6));
    }
    return c;
}

static void
think(struct enc *t, uint32_t block, struct str text, const struct ir_block *proof)
{
    const struct ir_block head = {.kind = IR_THINK};

    put_ok(t, (struct ir_event){.kind = IR_EV_OPEN, .block = block, .head = &head});
    put_ok(t, (struct ir_event){.kind = IR_EV_DELTA, .block = block, .text = text});
    put_ok(t, (struct ir_event){.kind = IR_EV_CLOSE, .block = block, .head = proof});
}

/* Pitfalls E2, E3, E4, E9. */
static void
proofs_travel(void **state)
{
    const struct ir_block own = {.kind = IR_THINK, .sig = STR("S+/="), .origin = "messages"};
    const struct ir_block redacted = {
        .kind = IR_THINK, .sig = STR("R"), .origin = "messages", .redacted = true};
    const struct ir_block foreign = {
        .kind = IR_THINK, .sig = STR("gAAA"), .sig_id = STR("rs_1"), .origin = "responses"};
    const struct ir_block sealed = {
        .kind = IR_THINK, .sig = STR("tg1:chat:e30"), .origin = "messages"};
    struct ir_block again = {.kind = IR_THINK};
    struct client c;
    struct enc t;
    const char *s;

    (void)state;
    begin(&t, 1 << 20);
    put_ok(&t, (struct ir_event){.kind = IR_EV_START});
    think(&t, 0, STR("Hm"), &own);
    think(&t, 1, STR(""), &own);
    think(&t, 2, STR(""), &redacted);
    think(&t, 3, STR("Plan"), &foreign);
    think(&t, 4, STR(""), &foreign);
    think(&t, 5, STR(""), NULL);
    think(&t, 6, STR("x"), &sealed);
    put_ok(&t, (struct ir_event){.kind = IR_EV_STOP, .stop = IR_STOP_END});
    put_ok(&t, (struct ir_event){.kind = IR_EV_END});
    c = client_read(buf_str(&t.b));
    assert_true(c.over);
    assert_int_equal(c.blocks, 6); /* the one with nothing in it is none */
    s = text_of(&t);
    assert_non_null(strstr(s, "\"index\":0,\"delta\":{\"type\":\"signature_delta\","
                              "\"signature\":\"S+/=\"}"));
    assert_non_null(strstr(s,
                           "\"index\":1,\"content_block\":{\"type\":\"thinking\",\"thinking\":"
                           "\"\",\"signature\":\"\"}"));
    assert_non_null(strstr(s, "\"index\":2,\"content_block\":{\"type\":\"redacted_thinking\","
                              "\"data\":\"R\"}"));
    assert_non_null(strstr(s, "\"index\":4,\"content_block\":{\"type\":\"redacted_thinking\","
                              "\"data\":\"tg1:responses:"));
    assert_null(strstr(s, "gAAA"));
    /* An own proof that looks sealed comes back as it was. */
    s = strstr(s, "\"signature\":\"tg1:messages:");
    assert_non_null(s);
    s += strlen("\"signature\":\"");
    assert_true(ir_unseal(&t.a, str_of(s, strcspn(s, "\"")), &again));
    assert_true(str_eq(again.sig, sealed.sig));
    end(&t);
}

static void
a_sequence_is_named(void **state)
{
    struct enc t;

    (void)state;
    begin(&t, 1 << 20);
    put_ok(&t, (struct ir_event){.kind = IR_EV_START});
    put_ok(&t, (struct ir_event){
                   .kind = IR_EV_STOP, .stop = IR_STOP_SEQUENCE, .text = STR("END\"")});
    put_ok(&t, (struct ir_event){.kind = IR_EV_END});
    assert_true(client_read(buf_str(&t.b)).over);
    assert_non_null(
        strstr(text_of(&t), "\"stop_reason\":\"stop_sequence\",\"stop_sequence\":\"END\\\"\""));
    end(&t);
}

/* Pitfalls A10, A11: how an answer ended, in a stream and in a message; never null. */
static void
every_end_has_its_reason(void **state)
{
    static const struct {
        enum ir_stop stop;
        const char *reason, *reason_after_call;
    } rows[] = {{IR_STOP_NONE, "end_turn", "tool_use"},
                {IR_STOP_END, "end_turn", "tool_use"},
                {IR_STOP_SEQUENCE, "stop_sequence", "stop_sequence"},
                {IR_STOP_LENGTH, "max_tokens", "max_tokens"},
                {IR_STOP_CALLS, "tool_use", "tool_use"},
                {IR_STOP_FILTER, "refusal", "refusal"},
                {IR_STOP_PAUSE, "pause_turn", "pause_turn"}};
    struct ir_block call = {.kind = IR_CALL, .id = STR("t"), .name = STR("f")};

    (void)state;
    for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
        bool called = i % 2;
        struct ir_answer answer = {.stop = rows[i / 2].stop, .blocks = called ? &call : NULL};
        struct ir_res res = {.answers = &answer, .n_answers = 1, .usage = IR_USAGE_UNKNOWN};
        struct str reason;
        struct enc t;

        begin(&t, 1 << 16);
        reason = arena_printf(&t.a, "\"stop_reason\":\"%s\"",
                              called ? rows[i / 2].reason_after_call : rows[i / 2].reason);
        put_ok(&t, (struct ir_event){.kind = IR_EV_START});
        if (called) {
            put_ok(&t, (struct ir_event){.kind = IR_EV_OPEN, .head = &call});
            put_ok(&t, (struct ir_event){.kind = IR_EV_CLOSE});
        }
        put_ok(&t, (struct ir_event){.kind = IR_EV_STOP, .stop = answer.stop});
        put_ok(&t, (struct ir_event){.kind = IR_EV_END});
        assert_true(client_read(buf_str(&t.b)).over);
        assert_non_null(strstr(text_of(&t), reason.p));
        buf_clear(&t.b);
        assert_int_equal(t.d->encode_res(&t.e, &res, &t.b), TG_OK);
        assert_non_null(strstr(text_of(&t), reason.p));
        end(&t);
    }
}

/* Pitfalls A13, F4. */
static void
known_usage_stands_in_the_start(void **state)
{
    const struct ir_usage usage = {
        .input = 100, .output = 7, .cached = 60, .cache_write = 10, .reasoning = -1};
    struct enc t;

    (void)state;
    begin(&t, 1 << 20);
    t.e.usage.input = 90;
    put_ok(&t, (struct ir_event){.kind = IR_EV_START});
    put_ok(&t, (struct ir_event){.kind = IR_EV_STOP, .stop = IR_STOP_END});
    put_ok(&t, (struct ir_event){.kind = IR_EV_USAGE, .usage = &usage});
    put_ok(&t, (struct ir_event){.kind = IR_EV_END});
    assert_non_null(strstr(text_of(&t), "\"usage\":{\"input_tokens\":90,"));
    assert_non_null(strstr(text_of(&t),
                           "\"usage\":{\"input_tokens\":30,\"cache_creation_input_tokens\":10,"
                           "\"cache_read_input_tokens\":60,\"output_tokens\":7,"));
    assert_int_equal(t.e.usage.output, 7);
    end(&t);
}

static void
an_empty_id_gets_a_name(void **state)
{
    const struct ir_block head = {.kind = IR_CALL, .name = STR("f")};
    struct enc t;

    (void)state;
    begin(&t, 1 << 20);
    put_ok(&t, (struct ir_event){.kind = IR_EV_OPEN, .head = &head});
    assert_non_null(strstr(text_of(&t), "\"id\":\"toolu_"));
    end(&t);
}

/* The whole sequence into buffers of every size: what does not fit leaves no trace, and can be
 * put again. */
static void
records_are_whole_or_not_there(void **state)
{
    const struct ir_block call = {.kind = IR_CALL, .id = STR("c"), .name = STR("f")};
    const struct ir_block thought = {.kind = IR_THINK};
    const struct ir_block proof = {.kind = IR_THINK, .sig = STR("S"), .origin = "chat"};
    const struct ir_event events[] = {
        {.kind = IR_EV_START},
        {.kind = IR_EV_OPEN, .head = &thought},
        {.kind = IR_EV_DELTA, .text = STR("Hm")},
        {.kind = IR_EV_CLOSE, .head = &proof},
        {.kind = IR_EV_OPEN, .block = 1, .head = &call},
        {.kind = IR_EV_DELTA, .block = 1, .text = STR("{}")},
        {.kind = IR_EV_CLOSE, .block = 1},
        {.kind = IR_EV_STOP, .stop = IR_STOP_CALLS},
        {.kind = IR_EV_END},
    };
    struct str want = {NULL, 0};
    struct enc whole;

    (void)state;
    begin(&whole, 1 << 20);
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
        put_ok(&whole, events[i]);
    want = buf_str(&whole.b);
    assert_true(client_read(want).over);
    for (size_t max = 0; max < 700; max++) {
        struct buf all;
        struct enc t;

        begin(&t, max);
        buf_init(&all, 1 << 20);
        for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
            if (put(&t, events[i]) == TG_ELIMIT) {
                assert_int_equal(t.b.n, 0);
                t.b.max = 1 << 20; /* room was made */
                put_ok(&t, events[i]);
                t.b.max = max;
            }
            assert_int_equal(buf_append(&all, buf_str(&t.b)), TG_OK);
            buf_clear(&t.b);
        }
        assert_true(str_eq(buf_str(&all), want));
        buf_fini(&all);
        end(&t);
    }
    end(&whole);
}

static void
the_grammar_is_kept(void **state)
{
    const struct ir_block text = {.kind = IR_TEXT}, media = {.kind = IR_MEDIA};
    struct enc t;

    (void)state;
    begin(&t, 1 << 20);
    assert_int_equal(put(&t, (struct ir_event){.kind = IR_EV_DELTA}), TG_EPROTO);
    assert_int_equal(put(&t, (struct ir_event){.kind = IR_EV_CLOSE}), TG_EPROTO);
    assert_int_equal(put(&t, (struct ir_event){.kind = IR_EV_OPEN}), TG_EPROTO);
    assert_int_equal(put(&t, (struct ir_event){.kind = IR_EV_END}), TG_EPROTO);
    assert_int_equal(put(&t, (struct ir_event){.kind = IR_EV_USAGE}), TG_EPROTO);
    assert_int_equal(put(&t, (struct ir_event){.kind = IR_EV_OPEN, .head = &media}), TG_EINVAL);
    assert_int_equal(put(&t, (struct ir_event){.kind = IR_EV_OPEN, .choice = 1, .head = &text}),
                     TG_EPROTO);
    put_ok(&t, (struct ir_event){.kind = IR_EV_OPEN, .head = &text});
    assert_int_equal(put(&t, (struct ir_event){.kind = IR_EV_OPEN, .block = 1, .head = &text}),
                     TG_EPROTO);
    assert_int_equal(put(&t, (struct ir_event){.kind = IR_EV_DELTA, .block = 1}), TG_EPROTO);
    assert_int_equal(t.b.n, 0);
    end(&t);
}

static void
whole_messages(void **state)
{
    struct ir_block blocks[] = {
        {.kind = IR_THINK, .text = STR("Hm"), .sig = STR("S"), .origin = "messages"},
        {.kind = IR_THINK, .sig = STR("R"), .origin = "messages", .redacted = true},
        {.kind = IR_TEXT, .text = STR("")},
        {.kind = IR_CALL, .name = STR("f"), .text = STR("")},
    };
    struct ir_answer answer = {
        .blocks = blocks, .stop = IR_STOP_SEQUENCE, .stop_text = STR("END")};
    struct ir_res res = {.answers = &answer, .n_answers = 1, .usage = IR_USAGE_UNKNOWN};
    struct enc t;

    (void)state;
    for (int i = 0; i < 3; i++)
        blocks[i].next = &blocks[i + 1];
    begin(&t, 1 << 20);
    assert_int_equal(t.d->encode_res(&t.e, &res, &t.b), TG_OK);
    assert_int_equal(json_check(buf_str(&t.b), JSON_DEPTH_MAX, NULL), TG_OK);
    assert_non_null(strstr(text_of(&t),
                           "\"content\":[{\"type\":\"thinking\",\"thinking\":\"Hm\","
                           "\"signature\":\"S\"},{\"type\":\"redacted_thinking\",\"data\":"
                           "\"R\"},{\"type\":\"tool_use\",\"id\":\"toolu_"));
    assert_non_null(
        strstr(text_of(&t), "\"stop_reason\":\"stop_sequence\",\"stop_sequence\":\"END\""));
    blocks[2].kind = IR_OPAQUE;
    buf_clear(&t.b);
    assert_int_equal(t.d->encode_res(&t.e, &res, &t.b), TG_EINVAL);
    blocks[2].kind = IR_TEXT;
    t.b.max = 100;
    assert_int_equal(t.d->encode_res(&t.e, &res, &t.b), TG_ELIMIT);
    assert_int_equal(t.b.n, 0);
    end(&t);
}

/* Pitfall G11, G12, G14. */
static void
errors_have_their_type_and_status(void **state)
{
    static const struct {
        enum tg_err_kind kind;
        unsigned status;
        const char *type;
    } rows[] = {
        {TG_ERR_AUTH, 401, "authentication_error"},
        {TG_ERR_PERMISSION, 403, "permission_error"},
        {TG_ERR_NOT_FOUND, 404, "not_found_error"},
        {TG_ERR_TOO_LARGE, 413, "request_too_large"},
        {TG_ERR_RATE_LIMIT, 429, "rate_limit_error"},
        {TG_ERR_OVERLOADED, 529, "overloaded_error"},
        {TG_ERR_CONTEXT_LENGTH, 400, "invalid_request_error"},
        {TG_ERR_QUOTA, 402, "billing_error"},
        {TG_ERR_INVALID_REQUEST, 400, "invalid_request_error"},
        {TG_ERR_TIMEOUT, 504, "timeout_error"},
        {TG_ERR_UPSTREAM, 502, "api_error"},
        {TG_ERR_INTERNAL, 500, "api_error"},
    };
    struct enc t;

    (void)state;
    begin(&t, 1 << 16);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tg_err err;
        struct json_member m;

        (void)tg_fail(&err, TG_EIO, rows[i].kind, NULL, "so it \"is\"");
        assert_int_equal(t.d->error_status(&err), rows[i].status);
        buf_clear(&t.b);
        assert_int_equal(t.d->encode_error(&err, &t.b), TG_OK);
        assert_true(t.d->error_fits(buf_str(&t.b)));
        assert_true(json_path(buf_str(&t.b), "error.type", &m));
        assert_true(str_eq(str_of(m.value.p + 1, m.value.n - 2), str_z(rows[i].type)));
        assert_true(json_get(buf_str(&t.b), STR("request_id"), &m));
    }
    end(&t);
}

static void
an_error_names_the_field(void **state)
{
    struct tg_err err = {0};
    struct enc t;

    (void)state;
    begin(&t, 1 << 16);
    (void)tg_refuse(&err, "x", "messages.0.content.1", "no");
    assert_int_equal(t.d->encode_error(&err, &t.b), TG_OK);
    assert_non_null(strstr(text_of(&t), "\"message\":\"messages.0.content.1: no\""));
    buf_clear(&t.b);
    (void)tg_refuse(&err, "x", "n", "'n': no");
    err.http = 409;
    assert_int_equal(t.d->error_status(&err), 409);
    assert_int_equal(t.d->encode_error_record(&err, &t.b), TG_OK);
    assert_string_equal(text_of(&t),
                        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":"
                        "\"conflict_error\",\"message\":\"'n': no\"},\"request_id\":null}\n\n");
    t.b.max = 20;
    buf_clear(&t.b);
    assert_int_equal(t.d->encode_error_record(&err, &t.b), TG_ELIMIT);
    assert_int_equal(t.b.n, 0);
    end(&t);
}

static void
models_are_listed(void **state)
{
    static const struct {
        int64_t seconds;
        const char *time;
    } rows[] = {{0, "1970-01-01T00:00:00Z"},
                {951782399, "2000-02-28T23:59:59Z"},
                {951782400, "2000-02-29T00:00:00Z"},
                {951868800, "2000-03-01T00:00:00Z"},
                {1700000000, "2023-11-14T22:13:20Z"},
                {1735689599, "2024-12-31T23:59:59Z"},
                {INT64_C(4107542400), "2100-03-01T00:00:00Z"},
                {-5, "1970-01-01T00:00:00Z"},
                {INT64_MAX, "9999-12-31T23:59:59Z"}};
    const struct ir_model two[] = {{.id = STR("a"), .created = 0}, {.id = STR("b\"")}};
    struct enc t;

    (void)state;
    begin(&t, 1 << 16);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct ir_model m = {.id = STR("x"), .created = rows[i].seconds};

        buf_clear(&t.b);
        assert_int_equal(t.d->encode_model(&m, &t.b), TG_OK);
        assert_non_null(strstr(text_of(&t), rows[i].time));
    }
    buf_clear(&t.b);
    assert_int_equal(t.d->encode_models(two, 2, &t.b), TG_OK);
    assert_string_equal(
        text_of(&t),
        "{\"data\":[{\"type\":\"model\",\"id\":\"a\",\"display_name\":\"a\",\"created_at\":"
        "\"1970-01-01T00:00:00Z\"},{\"type\":\"model\",\"id\":\"b\\\"\",\"display_name\":"
        "\"b\\\"\",\"created_at\":\"1970-01-01T00:00:00Z\"}],\"has_more\":false,\"first_id\":"
        "\"a\",\"last_id\":\"b\\\"\"}");
    buf_clear(&t.b);
    assert_int_equal(t.d->encode_models(NULL, 0, &t.b), TG_OK);
    assert_string_equal(text_of(&t),
                        "{\"data\":[],\"has_more\":false,\"first_id\":null,\"last_id\":null}");
    end(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(proofs_travel),
        cmocka_unit_test(a_sequence_is_named),
        cmocka_unit_test(every_end_has_its_reason),
        cmocka_unit_test(known_usage_stands_in_the_start),
        cmocka_unit_test(an_empty_id_gets_a_name),
        cmocka_unit_test(records_are_whole_or_not_there),
        cmocka_unit_test(the_grammar_is_kept),
        cmocka_unit_test(whole_messages),
        cmocka_unit_test(errors_have_their_type_and_status),
        cmocka_unit_test(an_error_names_the_field),
        cmocka_unit_test(models_are_listed),
    };

    return cmocka_run_group_tests_name("dialect/messages_enc", tests, NULL, NULL);
}
