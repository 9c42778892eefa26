/* responses_dec_test.c -- answers of upstreams that leave things out or send them again.
 *
 * The dialect says everything up to four times.  Whatever of that is taken away or repeated,
 * the answer must be the same; so one stream is made by the encoder, thinned out in every way
 * that servers are known for, decoded and folded, and the dumps are compared. */
#include "triglot/dialect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "ir/dump.h"
#include "ir/event.h"
#include "ir/fold.h"
#include "ir/seq.h"
#include "ir/unfold.h"
#include "support/shapes.h"
#include "json/scan.h"

enum { TEXT_MAX = 1 << 20 };

static const struct dialect *responses;

struct collect {
    struct ir_sink sink;
    struct dialect_enc enc;
    struct buf *out;
};

static tg_rc
collect_put(struct ir_sink *sink, const struct ir_event *ev)
{
    struct collect *c = (struct collect *)sink;

    return responses->encode_ev(&c->enc, ev, c->out);
}

/* An answer with every kind of block. */
static void
make_stream(struct arena *a, struct buf *out)
{
    static struct ir_block blocks[] = {
        {.kind = IR_THINK,
         .text = {"Hm.\n\nYes \xc3\xa9.", 12},
         .sig = {"AbC=", 4},
         .sig_id = {"rs_1", 4},
         .origin = "responses",
         .summary = true},
        {.kind = IR_THINK,
         .sig = {"D", 1},
         .sig_id = {"rs_2", 4},
         .origin = "responses",
         .redacted = true},
        {.kind = IR_TEXT, .text = {"One \"moment\".", 13}},
        {.kind = IR_REFUSAL, .text = {"No.", 3}},
        {.kind = IR_CALL, .id = {"call_1", 6}, .name = {"f", 1}, .text = {"{\"a\": 1.0}", 10}},
        {.kind = IR_CALL,
         .id = {"call_2", 6},
         .name = {"p", 1},
         .text = {"raw", 3},
         .freeform = true},
        {.kind = IR_TEXT, .text = {"Done.", 5}},
    };
    static struct ir_note note = {
        .url = {"https://h.example/", 18}, .title = {"T", 1}, .start = 0, .end = 3};
    struct ir_answer answer = {.blocks = blocks, .stop = IR_STOP_CALLS};
    static const struct str logprobs =
        STR("[{\"token\":\"One\",\"logprob\":-0.5},{\"token\":\" moment\",\"logprob\":-1}]");
    struct ir_res res = {.answers = &answer, .n_answers = 1, .usage = {9, 8, 7, 6, 5}};
    struct collect c = {.sink = {collect_put},
                        .enc = {.id = STR("resp_A"),
                                .model = STR("m"),
                                .usage = IR_USAGE_UNKNOWN,
                                .arena = a,
                                .state = arena_alloc(a, responses->enc_size, 16)},
                        .out = out};

    for (size_t i = 0; i + 1 < sizeof blocks / sizeof blocks[0]; i++)
        blocks[i].next = &blocks[i + 1];
    blocks[2].notes = &note;
    blocks[2].logprobs = logprobs;
    assert_int_equal(ir_unfold(&res, &c.sink), TG_OK);
}

/* Which records go through, and how often. */
typedef unsigned (*choose)(struct str type);

static tg_rc
decode(struct arena *a, struct str stream, choose times, bool names, struct buf *dump,
       struct tg_err *err)
{
    struct ir_check *check = arena_new(a, struct ir_check);
    struct ir_fold fold;
    struct dialect_dec dec = {.sink = &check->sink,
                              .arena = a,
                              .err = err,
                              .hold_max = TEXT_MAX,
                              .state = arena_alloc(a, responses->dec_size, 16)};
    struct shape_record r;
    bool over = false;
    tg_rc rc = TG_OK;

    ir_fold_init(&fold, a, 1, TEXT_MAX, err);
    ir_check_init(check, 1, &fold.sink, err);
    while (rc == TG_OK && shape_next(a, &stream, &r)) {
        struct json_member m;
        struct str type = {NULL, 0};

        if (json_get(r.data, STR("type"), &m))
            assert_int_equal(json_string(a, m.value, &type), TG_OK);
        for (unsigned n = times(type); n > 0 && rc == TG_OK; n--)
            rc = responses->decode_record(&dec, names ? r.event : (struct str){NULL, 0}, r.data,
                                          &over);
    }
    if (rc == TG_OK)
        rc = responses->decode_eof(&dec);
    if (rc == TG_OK)
        rc = ir_dump_res(&fold.res, dump);
    return rc;
}

static unsigned
all(struct str type)
{
    (void)type;
    return 1;
}

static unsigned
no_deltas(struct str type)
{
    return !str_ends(type, STR(".delta"));
}

static unsigned
no_repetitions(struct str type)
{
    return !str_ends(type, STR("_text.done")) && !str_ends(type, STR("part.done")) &&
           !str_ends(type, STR("arguments.done")) && !str_ends(type, STR("input.done")) &&
           !str_ends(type, STR("refusal.done"));
}

static unsigned
items_only(struct str type)
{
    return str_eq(type, STR("response.output_item.done")) ||
           str_eq(type, STR("response.completed"));
}

static unsigned
end_only(struct str type)
{
    return str_eq(type, STR("response.completed"));
}

static unsigned
parts_only(struct str type)
{
    return no_deltas(type) && !str_ends(type, STR("part.added"));
}

static unsigned
done_twice(struct str type)
{
    return str_ends(type, STR(".done")) && !str_ends(type, STR("item.done")) ? 2 : 1;
}

/* pitfalls C8, C9: whatever carries the arguments or the text, they arrive, and once. */
static void
nothing_is_lost_and_nothing_comes_twice(void **state)
{
    static const struct {
        const char *name;
        choose times;
    } rows[] = {{"no deltas", no_deltas},   {"no repetitions", no_repetitions},
                {"items only", items_only}, {"the end only", end_only},
                {"parts only", parts_only}, {"done twice", done_twice}};
    struct arena a;
    struct buf stream, want, got;

    (void)state;
    arena_init(&a);
    buf_init(&stream, TEXT_MAX);
    buf_init(&want, TEXT_MAX);
    buf_init(&got, TEXT_MAX);
    make_stream(&a, &stream);
    {
        struct tg_err err = {0};

        assert_int_equal(decode(&a, buf_str(&stream), all, true, &want, &err), TG_OK);
    }
    assert_non_null(memmem(want.p, want.n, "Done.", 5));
    assert_non_null(memmem(want.p, want.n, "AbC=", 4));
    assert_non_null(memmem(want.p, want.n, "https://h.example/", 18));
    assert_non_null(memmem(want.p, want.n, "moment\",\"logprob\":-1}]", 22));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int names = 0; names < 2; names++) {
            struct tg_err err = {0};

            if (decode(&a, buf_str(&stream), rows[i].times, names, &got, &err) != TG_OK)
                fail_msg("%s: %s", rows[i].name, err.msg);
            if (!str_eq(buf_str(&want), buf_str(&got)))
                fail_msg("%s:\n%.*s", rows[i].name, STR_ARG(buf_str(&got)));
            buf_clear(&got);
        }
    }
    buf_fini(&stream);
    buf_fini(&want);
    buf_fini(&got);
    arena_fini(&a);
}

/* pitfall C1: a stream that ends before its end is never a short answer. */
static void
a_stream_cut_after_any_record_is_truncated(void **state)
{
    struct arena a;
    struct buf stream, got;
    struct str rest, all_of_it;
    struct shape_record r;
    unsigned cuts = 0;

    (void)state;
    arena_init(&a);
    buf_init(&stream, TEXT_MAX);
    buf_init(&got, TEXT_MAX);
    make_stream(&a, &stream);
    rest = all_of_it = buf_str(&stream);
    while (shape_next(&a, &rest, &r) && !str_eq(r.event, STR("response.completed"))) {
        struct tg_err err = {0};
        struct str cut = {all_of_it.p, all_of_it.n - rest.n};

        cuts++;
        assert_int_equal(decode(&a, cut, all, true, &got, &err), TG_EPROTO);
        assert_string_equal(err.code, "upstream_truncated");
        assert_int_equal(err.origin, TG_FROM_UPSTREAM);
    }
    assert_true(cuts > 20);
    buf_fini(&stream);
    buf_fini(&got);
    arena_fini(&a);
}

/* Items announced have ids of their own, and are done under the same; returns how many. */
static unsigned
check_ids(struct arena *a, struct str stream)
{
    struct str ids[8], id;
    struct shape_record r;
    struct json_member m;
    unsigned n = 0, done = 0;

    while (shape_next(a, &stream, &r)) {
        if (!json_path(r.data, "item.id", &m))
            continue;
        assert_int_equal(json_string(a, m.value, &id), TG_OK);
        if (str_eq(r.event, STR("response.output_item.done"))) {
            assert_true(str_eq(id, ids[done++]));
            continue;
        }
        assert_true(n < 8 && id.n > 0);
        for (unsigned i = 0; i < n; i++)
            assert_false(str_eq(ids[i], id));
        ids[n++] = id;
    }
    assert_int_equal(n, done);
    return n;
}

/* pitfall C13: a second round in one stream begins anew with its ids and places; towards the
 * client they go on, and each item has one id, the same at its beginning, at its end and in the
 * last record. */
static void
two_rounds_are_one_answer(void **state)
{
    static const char *const records[] = {
        "{\"type\":\"response.created\",\"response\":{\"id\":\"r1\"}}",
        "{\"type\":\"response.output_item.added\",\"output_index\":0,\"item\":{\"type\":"
        "\"message\",\"id\":\"\"}}",
        "{\"type\":\"response.output_text.delta\",\"output_index\":0,\"item_id\":\"m1\","
        "\"delta\":\"First.\"}",
        "{\"type\":\"response.output_item.done\",\"output_index\":0,\"item\":{\"type\":"
        "\"message\",\"id\":\"m1\",\"content\":[]}}",
        "{\"type\":\"response.output_item.done\",\"output_index\":1,\"item\":{\"type\":"
        "\"function_call\",\"id\":\"f\",\"call_id\":\"c\",\"name\":\"f\",\"arguments\":"
        "\"{}\"}}",
        "{\"type\":\"response.created\",\"response\":{\"id\":\"r2\"}}",
        "{\"type\":\"response.output_item.added\",\"output_index\":0,\"item\":{\"type\":"
        "\"message\",\"id\":\"m2\"}}",
        "{\"type\":\"response.output_text.delta\",\"output_index\":0,\"delta\":\"Second.\"}",
        "{\"type\":\"response.output_item.done\",\"output_index\":1,\"item\":{\"type\":"
        "\"function_call\",\"id\":\"f2\",\"call_id\":\"c\",\"name\":\"f\",\"arguments\":"
        "\"{}\"}}",
        "{\"type\":\"response.completed\",\"response\":{\"id\":\"r2\",\"status\":"
        "\"completed\",\"output\":[]}}",
    };
    struct tg_err err = {0};
    const char *why;
    bool over = false;
    struct arena a;
    struct buf out;

    (void)state;
    arena_init(&a);
    buf_init(&out, TEXT_MAX);
    struct collect c = {.sink = {collect_put},
                        .enc = {.id = STR("resp_A"),
                                .model = STR("m"),
                                .usage = IR_USAGE_UNKNOWN,
                                .arena = &a,
                                .state = arena_alloc(&a, responses->enc_size, 16)},
                        .out = &out};
    struct ir_seq seq;
    struct ir_check check = {0};
    struct dialect_dec dec = {.sink = &check.sink,
                              .arena = &a,
                              .err = &err,
                              .hold_max = TEXT_MAX,
                              .state = arena_alloc(&a, responses->dec_size, 16)};

    ir_seq_init(&seq, &a, TEXT_MAX, &c.sink, &err);
    ir_check_init(&check, 1, &seq.sink, &err);
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++)
        if (responses->decode_record(&dec, STR(""), str_z(records[i]), &over) != TG_OK)
            fail_msg("record %zu: %s", i, err.msg);
    assert_true(over);
    why = shape_responses(&a, buf_str(&out));
    if (why)
        fail_msg("%s", why);
    assert_int_equal(check_ids(&a, buf_str(&out)), 4);
    ir_seq_fini(&seq);
    buf_fini(&out);
    arena_fini(&a);
}

/* A server may announce items without end; what is remembered of them is bounded. */
static void
items_are_bounded(void **state)
{
    struct tg_err err = {0};
    struct ir_fold fold;
    struct ir_check *check;
    struct arena a;
    struct dialect_dec dec;
    bool over = false;
    tg_rc rc = TG_OK;
    unsigned n = 0;

    (void)state;
    arena_init(&a);
    check = arena_new(&a, struct ir_check);
    ir_fold_init(&fold, &a, 1, TEXT_MAX, &err);
    ir_check_init(check, 1, &fold.sink, &err);
    dec = (struct dialect_dec){.sink = &check->sink,
                               .arena = &a,
                               .err = &err,
                               .hold_max = TEXT_MAX,
                               .state = arena_alloc(&a, responses->dec_size, 16)};
    while (rc == TG_OK && n++ < 100000)
        rc = responses->decode_record(
            &dec, STR(""),
            STR("{\"type\":\"response.output_item.added\",\"output_index\":0,\"item\":{"
                "\"type\":\"web_search_call\",\"id\":\"w\"}}"),
            &over);
    assert_int_equal(rc, TG_EPROTO);
    assert_true(n < 10000);
    arena_fini(&a);
}

/* What an upstream says in an error answer, and what its status says when it is silent. */
static void
error_answers(void **state)
{
    static const struct {
        unsigned status;
        const char *body;
        enum tg_err_kind kind;
        const char *code;
    } rows[] = {
        {400, "{\"error\":{\"message\":\"m\",\"type\":\"invalid_request_error\"}}",
         TG_ERR_INVALID_REQUEST, NULL},
        {400, "{\"error\":{\"message\":\"prompt is too long\"}}", TG_ERR_CONTEXT_LENGTH,
         "context_length_exceeded"},
        {401, "{\"error\":{\"message\":\"Incorrect key sk-1\",\"code\":\"invalid_api_key\"}}",
         TG_ERR_UPSTREAM, "upstream_auth"},
        {429, "{\"error\":{\"message\":\"m\",\"code\":\"insufficient_quota\"}}", TG_ERR_QUOTA,
         "insufficient_quota"},
        {429, "nonsense", TG_ERR_RATE_LIMIT, "rate_limit_exceeded"},
        {404, "{\"detail\":\"no such thing\"}", TG_ERR_NOT_FOUND, "not_found"},
        {503, "", TG_ERR_OVERLOADED, "server_is_overloaded"},
        {500, "[{\"error\":\"x\"}]", TG_ERR_UPSTREAM, "upstream_error"},
        {504, "<html>", TG_ERR_TIMEOUT, "timeout"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tg_err err = {0};

        responses->decode_error(rows[i].status, str_z(rows[i].body), &err);
        assert_int_equal(err.kind, rows[i].kind);
        assert_int_equal(err.origin, TG_FROM_UPSTREAM);
        assert_true(err.rc != TG_OK && err.msg[0]);
        assert_null(strstr(err.msg, "sk-1"));
        if (rows[i].code)
            assert_string_equal(err.code, rows[i].code);
        else
            assert_null(err.code);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost_and_nothing_comes_twice),
        cmocka_unit_test(a_stream_cut_after_any_record_is_truncated),
        cmocka_unit_test(two_rounds_are_one_answer),
        cmocka_unit_test(items_are_bounded),
        cmocka_unit_test(error_answers),
    };

    responses = dialect_find(STR("responses"));
    return cmocka_run_group_tests_name("responses_dec", tests, NULL, NULL);
}
