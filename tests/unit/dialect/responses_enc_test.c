/* responses_enc_test.c -- what the Responses encoders write, apart from the answers in the
 * golden cases: the rules that SDK helpers throw on, full buffers, events that break the
 * grammar, errors of every kind. */
#include "triglot/dialect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "support/shapes.h"
#include "json/scan.h"

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

static const struct dialect *responses;

static const struct ir_block think = {.kind = IR_THINK};
static const struct ir_block proof = {
    .kind = IR_THINK, .sig = {"S", 1}, .origin = "messages", .summary = true};
static const struct ir_block text = {.kind = IR_TEXT};
static const struct ir_block refusal = {.kind = IR_REFUSAL};
static const struct ir_block call = {.kind = IR_CALL, .id = {"call_1", 6}, .name = {"f", 1}};
static const struct ir_block custom = {
    .kind = IR_CALL, .id = {"call_2", 6}, .name = {"p", 1}, .freeform = true};
static const struct ir_block spaced = {
    .kind = IR_CALL, .id = {"call_3", 6}, .name = {"crm__find", 9}};
#define LOGPROBS "[{\"token\":\"a\",\"logprob\":-1,\"bytes\":[97],\n\"top_logprobs\":[]}]"
static const struct ir_note note = {.url = {"https://h.example/", 18}, .start = -1, .end = -1};
static const struct ir_usage usage = {9, 8, 7, 6, 5};

#define OPEN(n, h)                                                                             \
    {                                                                                          \
        .kind = IR_EV_OPEN, .block = (n), .head = &(h)                                         \
    }
#define DELTA(n, t)                                                                            \
    {                                                                                          \
        .kind = IR_EV_DELTA, .block = (n), .text = {(t), sizeof(t) - 1 }                       \
    }
#define LOGGED(n, t, l)                                                                        \
    {                                                                                          \
        .kind = IR_EV_DELTA, .block = (n), .text = {(t), sizeof(t) - 1}, .logprobs = {         \
            (l),                                                                               \
            sizeof(l) - 1                                                                      \
        }                                                                                      \
    }
#define CLOSE(n)                                                                               \
    {                                                                                          \
        .kind = IR_EV_CLOSE, .block = (n)                                                      \
    }

static const struct ir_event everything[] = {
    {.kind = IR_EV_START},
    OPEN(0, think),
    DELTA(0, "Hm. \"\\"),
    DELTA(0, "é"),
    {.kind = IR_EV_CLOSE, .block = 0, .head = &proof},
    OPEN(1, think),
    {.kind = IR_EV_CLOSE, .block = 1, .head = &proof},
    OPEN(2, text),
    DELTA(2, "a"),
    {.kind = IR_EV_NOTE, .block = 2, .note = &note},
    DELTA(2, ""),
    DELTA(2, "\n\x01z"),
    CLOSE(2),
    OPEN(3, refusal),
    DELTA(3, "No."),
    CLOSE(3),
    OPEN(4, call),
    CLOSE(4),
    OPEN(5, call),
    DELTA(5, "{\"a\":"),
    DELTA(5, " 1.0}"),
    CLOSE(5),
    OPEN(6, custom),
    DELTA(6, "raw"),
    CLOSE(6),
    OPEN(7, spaced),
    DELTA(7, "{}"),
    CLOSE(7),
    OPEN(8, text),
    LOGGED(8, "a", LOGPROBS),
    LOGGED(8, "", LOGPROBS),
    DELTA(8, "b"),
    LOGGED(8, "c", "[ ]"),
    CLOSE(8),
    OPEN(9, text),
    CLOSE(9),
    {.kind = IR_EV_STOP, .stop = IR_STOP_CALLS},
    {.kind = IR_EV_USAGE, .usage = &usage},
    {.kind = IR_EV_END},
};

/* A request with a tool of a namespace. */
static struct ir_tool find = {.name = {"crm__find", 9}, .space = {"crm", 3}, .allowed = true};
static const struct ir_req request = {.parallel_calls = true,
                                      .max_tokens = -1,
                                      .seed = -1,
                                      .choices = 1,
                                      .top_logprobs = -1,
                                      .think_budget = -1,
                                      .tools = &find};

static struct str
at(struct str json, const char *path)
{
    struct json_member m;

    if (!json_path(json, path, &m))
        fail_msg("no %s in %.*s", path, STR_ARG(json));
    return m.value;
}

static struct dialect_enc
encoder(struct arena *a)
{
    return (struct dialect_enc){.req = &request,
                                .id = STR("resp_A1"),
                                .model = STR("m\"x"),
                                .created = 1700000000,
                                .usage = IR_USAGE_UNKNOWN,
                                .arena = a,
                                .state = arena_alloc(a, responses->enc_size, 16)};
}

static void
encode_all(struct arena *a, struct buf *b)
{
    struct dialect_enc e = encoder(a);

    for (size_t i = 0; i < COUNT(everything); i++)
        assert_int_equal(responses->encode_ev(&e, &everything[i], b), TG_OK);
}

/* What SDK helpers throw on, held against every record: the order of records (pitfalls C2),
 * parts that are announced, with one id (C3), likewise reasoning (C4) with its summary (C5),
 * nothing before response.created (C6), every field of the shape (C7), names in the first
 * record of a call (D6). */
static void
helpers_find_nothing_to_throw_on(void **state)
{
    struct arena a;
    struct buf b;
    const char *why;

    (void)state;
    arena_init(&a);
    buf_init(&b, 1 << 20);
    encode_all(&a, &b);
    why = shape_responses(&a, buf_str(&b));
    if (why)
        fail_msg("%s", why);
    buf_fini(&b);
    arena_fini(&a);
}

/* pitfall C1: a stream that breaks at any point ends with one terminal event, everything that
 * was open closed. */
static void
a_break_at_any_point_is_a_failed_answer(void **state)
{
    (void)state;
    for (size_t n = 1; n < COUNT(everything) - 1; n++) {
        struct tg_err err = {0};
        struct arena a;
        struct buf b;
        const char *why;

        (void)tg_fail(&err, TG_EPROTO, TG_ERR_UPSTREAM, NULL, "gone");
        arena_init(&a);
        buf_init(&b, 1 << 20);
        struct dialect_enc e = encoder(&a);

        for (size_t i = 0; i < n; i++)
            assert_int_equal(responses->encode_ev(&e, &everything[i], &b), TG_OK);
        assert_int_equal(
            responses->encode_ev(&e, &(struct ir_event){.kind = IR_EV_ERROR, .err = &err}, &b),
            TG_OK);
        why = shape_responses(&a, buf_str(&b));
        if (why)
            fail_msg("after %zu events: %s", n, why);
        buf_fini(&b);
        arena_fini(&a);
    }
}

static void
a_full_buffer_is_left_as_it_was_and_forgotten(void **state)
{
    struct arena a;
    struct buf whole, out;
    unsigned refused = 0;

    (void)state;
    arena_init(&a);
    buf_init(&whole, 1 << 20);
    encode_all(&a, &whole);
    buf_init(&out, 1 << 20);
    struct dialect_enc e = encoder(&a);

    for (size_t i = 0; i < COUNT(everything); i++) {
        tg_rc rc = TG_ELIMIT;

        for (size_t max = 1; rc == TG_ELIMIT; max += 61) {
            struct buf small;

            buf_init(&small, max);
            assert_int_equal(buf_putc(&small, '#'), TG_OK);
            rc = responses->encode_ev(&e, &everything[i], &small);
            if (rc == TG_OK) {
                assert_int_equal(buf_append(&out, str_from(buf_str(&small), 1)), TG_OK);
            } else {
                refused++;
                assert_int_equal(rc, TG_ELIMIT);
                assert_true(str_eq(buf_str(&small), STR("#")));
            }
            buf_fini(&small);
        }
    }
    assert_true(refused > 100);
    assert_true(str_eq(buf_str(&whole), buf_str(&out)));
    buf_fini(&whole);
    buf_fini(&out);
    arena_fini(&a);
}

static void
events_out_of_order_are_refused(void **state)
{
    static const struct ir_block media = {.kind = IR_MEDIA};
    static const struct {
        struct ir_event before[2], ev;
        tg_rc rc;
    } rows[] = {
        {{{.kind = IR_EV_START}, OPEN(0, text)}, DELTA(1, "x"), TG_EPROTO},
        {{{.kind = IR_EV_START}, OPEN(0, text)}, OPEN(1, text), TG_EPROTO},
        {{{.kind = IR_EV_START}, OPEN(0, text)}, CLOSE(1), TG_EPROTO},
        {{{.kind = IR_EV_START}, OPEN(0, text)}, {.kind = IR_EV_STOP}, TG_EPROTO},
        {{{.kind = IR_EV_START}, OPEN(0, text)}, {.kind = IR_EV_USAGE}, TG_EPROTO},
        {{{.kind = IR_EV_START}, OPEN(0, text)},
         {.kind = IR_EV_DELTA, .choice = 1, .text = {"x", 1}},
         TG_EPROTO},
        {{{.kind = IR_EV_START}, OPEN(0, call)},
         {.kind = IR_EV_NOTE, .block = 0, .note = &note},
         TG_EPROTO},
        {{{.kind = IR_EV_START}, {.kind = IR_EV_STOP}}, OPEN(0, text), TG_EPROTO},
        {{{.kind = IR_EV_START}, {.kind = IR_EV_USAGE, .usage = &usage}},
         OPEN(0, media),
         TG_EINVAL},
    };
    struct arena a;
    struct buf b;

    (void)state;
    arena_init(&a);
    buf_init(&b, 1 << 16);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dialect_enc e = encoder(&a);
        size_t before;

        assert_int_equal(responses->encode_ev(&e, &rows[i].before[0], &b), TG_OK);
        assert_int_equal(responses->encode_ev(&e, &rows[i].before[1], &b), TG_OK);
        before = b.n;
        assert_int_equal(responses->encode_ev(&e, &rows[i].ev, &b), rows[i].rc);
        assert_int_equal(b.n, before);
    }
    struct dialect_enc e = encoder(&a);

    assert_int_equal(responses->encode_ev(&e, &everything[1], &b), TG_EPROTO);
    buf_fini(&b);
    arena_fini(&a);
}

/* Both shapes of an error record at once, because no two clients agree. */
static void
every_kind_of_error(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 4096);
    for (int kind = TG_ERR_AUTH; kind < TG_ERR_KIND_N; kind++) {
        struct tg_err err = {0};
        struct str data;

        (void)tg_fail(&err, TG_EINTERNAL, (enum tg_err_kind)kind, NULL, "it \"broke\"");
        assert_int_equal(responses->error_status(&err), tg_err_http((enum tg_err_kind)kind));
        assert_int_equal(responses->encode_error(&err, &b), TG_OK);
        assert_true(responses->error_fits(buf_str(&b)));
        buf_clear(&b);
        assert_int_equal(responses->encode_error_record(&err, &b), TG_OK);
        assert_true(str_starts(buf_str(&b), STR("event: error\ndata: {")));
        assert_true(str_ends(buf_str(&b), STR("}\n\n")));
        data = str_from(buf_str(&b), strlen("event: error\ndata: "));
        data.n -= 2;
        assert_int_equal(json_check(data, JSON_DEPTH_MAX, NULL), TG_OK);
        assert_true(str_eq(at(data, "type"), STR("\"error\"")));
        assert_true(str_eq(at(data, "code"), at(data, "error.code")));
        assert_true(str_eq(at(data, "message"), at(data, "error.message")));
        assert_true(str_eq(at(data, "param"), STR("null")));
        buf_clear(&b);
    }
    buf_fini(&b);
}

/* pitfall G10: one client reads the delay out of the words. */
static void
a_rate_limit_says_when_to_try_again(void **state)
{
    struct tg_err err = {0};
    struct arena a;
    struct buf b;

    (void)state;
    (void)tg_fail(&err, TG_EUNAVAIL, TG_ERR_RATE_LIMIT, NULL, "Slow down.");
    err.retry_after_ms = 1500;
    arena_init(&a);
    buf_init(&b, 1 << 16);
    struct dialect_enc e = encoder(&a);

    assert_int_equal(responses->encode_ev(&e, &everything[0], &b), TG_OK);
    buf_clear(&b);
    assert_int_equal(
        responses->encode_ev(&e, &(struct ir_event){.kind = IR_EV_ERROR, .err = &err}, &b),
        TG_OK);
    assert_non_null(memmem(b.p, b.n, "rate_limit_exceeded", 19));
    assert_non_null(memmem(b.p, b.n, "try again in 1500ms", 19));
    buf_fini(&b);
    arena_fini(&a);
}

static void
one_answer_only(void **state)
{
    struct ir_answer answers[2] = {0};
    struct ir_res res = {.answers = answers, .n_answers = 2};
    struct arena a;
    struct buf b;

    (void)state;
    arena_init(&a);
    buf_init(&b, 1 << 16);
    struct dialect_enc e = encoder(&a);

    assert_int_equal(responses->encode_res(&e, &res, &b), TG_EINVAL);
    res.n_answers = 1;
    assert_int_equal(responses->encode_res(&e, &res, &b), TG_OK);
    buf_clear(&b);
    b.max = 100;
    assert_int_equal(responses->encode_res(&e, &res, &b), TG_ELIMIT);
    assert_int_equal(b.n, 0);
    buf_fini(&b);
    arena_fini(&a);
}

/* Every key that strict clients want, in every object. */
static void
the_object_is_complete(void **state)
{
    static const char *const keys[] = {"id",
                                       "object",
                                       "created_at",
                                       "status",
                                       "completed_at",
                                       "error",
                                       "incomplete_details",
                                       "instructions",
                                       "metadata",
                                       "model",
                                       "output",
                                       "parallel_tool_calls",
                                       "temperature",
                                       "tool_choice",
                                       "tools",
                                       "top_p",
                                       "text.format.type",
                                       "previous_response_id",
                                       "truncation",
                                       "presence_penalty",
                                       "frequency_penalty",
                                       "top_logprobs",
                                       "reasoning",
                                       "usage",
                                       "max_output_tokens",
                                       "max_tool_calls",
                                       "store",
                                       "background",
                                       "service_tier",
                                       "safety_identifier",
                                       "prompt_cache_key",
                                       "access_programs"};
    struct arena a;
    struct buf b;
    struct str rest;
    struct shape_record r;
    unsigned objects = 0;

    (void)state;
    arena_init(&a);
    buf_init(&b, 1 << 20);
    encode_all(&a, &b);
    rest = buf_str(&b);
    while (shape_next(&a, &rest, &r)) {
        struct json_member m;

        if (!json_path(r.data, "response", &m))
            continue;
        objects++;
        for (size_t i = 0; i < COUNT(keys); i++)
            (void)at(m.value, keys[i]);
        assert_true(str_eq(at(m.value, "store"), STR("false")));
    }
    assert_int_equal(objects, 3);
    buf_fini(&b);
    arena_fini(&a);
}

/* pitfalls C6, C7, H2: a typed sign of life has the next number of the stream, and none before
 * the stream has begun; in a stream that is relayed the numbers are not ours. */
static void
signs_of_life_are_counted(void **state)
{
    struct arena a;
    struct buf b, small;
    struct str rest;
    struct shape_record r;
    int64_t n = 0;
    unsigned alive = 0;

    (void)state;
    arena_init(&a);
    buf_init(&b, 1 << 20);
    buf_init(&small, 10);
    struct dialect_enc e = encoder(&a);

    assert_int_equal(responses->encode_alive(&e, &b), TG_EPROTO);
    assert_int_equal(b.n, 0);
    for (size_t i = 0; i < COUNT(everything); i++) {
        assert_int_equal(responses->encode_ev(&e, &everything[i], &b), TG_OK);
        assert_int_equal(responses->encode_alive(&e, &small), TG_ELIMIT);
        assert_int_equal(small.n, 0);
        if (i % 3 == 0 && i + 1 < COUNT(everything))
            assert_int_equal(responses->encode_alive(&e, &b), TG_OK);
    }
    rest = buf_str(&b);
    while (shape_next(&a, &rest, &r)) {
        int64_t number = -1;

        if (str_eq(r.data, STR("[DONE]")))
            continue;
        assert_int_equal(json_i64(at(r.data, "sequence_number"), &number), TG_OK);
        assert_int_equal(number, n++);
        assert_true(str_eq(str_of(at(r.data, "type").p + 1, r.event.n), r.event));
        alive += str_eq(r.event, STR("keepalive"));
    }
    assert_true(alive > 10);
    buf_clear(&b);
    assert_int_equal(responses->encode_alive(NULL, &b), TG_OK);
    assert_true(
        str_eq(buf_str(&b), STR("event: keepalive\ndata: {\"type\":\"keepalive\"}\n\n")));
    buf_fini(&small);
    buf_fini(&b);
    arena_fini(&a);
}

/* Those of a part are the same in the three records that repeat it, and all there. */
static void
log_probabilities_are_repeated_whole(void **state)
{
    static const char *const paths[] = {"logprobs", "part.logprobs", "item.content.0.logprobs",
                                        "response.output.7.content.0.logprobs"};
    static const char *const events[] = {"response.output_text.done",
                                         "response.content_part.done",
                                         "response.output_item.done", "response.completed"};
    struct arena a;
    struct buf b;
    struct str rest;
    struct shape_record r;
    unsigned found = 0;

    (void)state;
    arena_init(&a);
    buf_init(&b, 1 << 20);
    encode_all(&a, &b);
    rest = buf_str(&b);
    while (shape_next(&a, &rest, &r))
        for (size_t i = 0; i < COUNT(paths); i++) {
            struct json_member m;
            struct json_iter it;
            unsigned n = 0;

            if (!str_eq(r.event, str_z(events[i])) || !json_path(r.data, paths[i], &m))
                continue;
            assert_int_equal(json_array(&it, m.value), TG_OK);
            while (json_next(&it, &m)) {
                assert_true(str_eq(at(m.value, "token"), STR("\"a\"")));
                n++;
            }
            found += n == 2;
            assert_true(n == 0 || n == 2);
        }
    assert_int_equal(found, 4);
    buf_fini(&b);
    arena_fini(&a);
}

/* Only an answer that is complete has a time at which it was. */
static void
the_time_of_completion(void **state)
{
    static const struct {
        enum ir_stop stop;
        int64_t now;
        const char *completed;
    } rows[] = {
        {IR_STOP_END, 1700000042, "1700000042"},   {IR_STOP_CALLS, 1700000042, "1700000042"},
        {IR_STOP_PAUSE, 1700000042, "1700000042"}, {IR_STOP_SEQUENCE, 0, "1700000000"},
        {IR_STOP_END, 1600000000, "1700000000"},   {IR_STOP_LENGTH, 1700000042, "null"},
        {IR_STOP_FILTER, 1700000042, "null"},
    };
    struct arena a;
    struct buf b;

    (void)state;
    arena_init(&a);
    buf_init(&b, 1 << 16);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ir_answer answer = {.stop = rows[i].stop};
        struct ir_res res = {.answers = &answer, .n_answers = 1};
        struct dialect_enc e = encoder(&a);

        e.now = rows[i].now;
        assert_int_equal(responses->encode_ev(&e, &everything[0], &b), TG_OK);
        assert_non_null(memmem(b.p, b.n, "\"completed_at\":null", 19));
        buf_clear(&b);
        assert_int_equal(responses->encode_res(&e, &res, &b), TG_OK);
        assert_true(str_eq(at(buf_str(&b), "completed_at"), str_z(rows[i].completed)));
        buf_clear(&b);
    }
    buf_fini(&b);
    arena_fini(&a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(helpers_find_nothing_to_throw_on),
        cmocka_unit_test(a_break_at_any_point_is_a_failed_answer),
        cmocka_unit_test(a_full_buffer_is_left_as_it_was_and_forgotten),
        cmocka_unit_test(events_out_of_order_are_refused),
        cmocka_unit_test(every_kind_of_error),
        cmocka_unit_test(a_rate_limit_says_when_to_try_again),
        cmocka_unit_test(one_answer_only),
        cmocka_unit_test(the_object_is_complete),
        cmocka_unit_test(signs_of_life_are_counted),
        cmocka_unit_test(log_probabilities_are_repeated_whole),
        cmocka_unit_test(the_time_of_completion),
    };

    responses = dialect_find(STR("responses"));
    return cmocka_run_group_tests_name("responses_enc", tests, NULL, NULL);
}
