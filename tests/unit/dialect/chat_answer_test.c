/* chat_answer_test.c -- answers of a Chat upstream.
 *
 * What single streams become is in the golden cases.  Here: that it does not matter how an
 * answer was cut into records, that the short way for records that are alike says the same as
 * the long one, that a long stream costs no memory, what is held is bounded, that proofs come
 * back through a client unchanged, and the errors with a status.
 */
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
#include "json/scan.h"
#include "json/write.h"

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

static const struct dialect *chat;
static const struct str no_name = {NULL, 0};

/* A decoder behind whose grammar check events are dumped, folded or counted. */
struct rig {
    struct ir_sink sink; /* dump or count */
    struct buf *out;     /* NULL: count */
    uint64_t n;
    struct arena a, answer;
    struct ir_check check;
    struct ir_fold fold;
    struct tg_err err;
    struct dialect_dec dec;
};

static tg_rc
rig_put(struct ir_sink *sink, const struct ir_event *ev)
{
    struct rig *r = (struct rig *)sink;

    r->n++;
    return r->out ? ir_dump_event(ev, r->out) : TG_OK;
}

static void
rig_init(struct rig *r, struct buf *out, bool fold)
{
    memset(r, 0, sizeof *r);
    r->sink.put = rig_put;
    r->out = out;
    arena_init(&r->a);
    arena_init(&r->answer);
    ir_fold_init(&r->fold, &r->answer, 1, 1 << 20, &r->err);
    ir_check_init(&r->check, 1, fold ? &r->fold.sink : &r->sink, &r->err);
    r->dec = (struct dialect_dec){.sink = &r->check.sink,
                                  .arena = &r->a,
                                  .err = &r->err,
                                  .hold_max = 4096,
                                  .state = calloc(1, chat->dec_size)};
    assert_non_null(r->dec.state);
}

static void
rig_fini(struct rig *r)
{
    free(r->dec.state);
    arena_fini(&r->a);
    arena_fini(&r->answer);
}

static tg_rc
feed(struct rig *r, struct str data)
{
    bool over = false;
    char *exact = malloc(data.n ? data.n : 1);
    tg_rc rc;

    assert_non_null(exact);
    memcpy(exact, data.p, data.n);
    rc = chat->decode_record(&r->dec, no_name, str_of(exact, data.n), &over);
    free(exact);
    return rc;
}

#define RECORD(delta)                                                                          \
    "{\"id\":\"a\",\"choices\":[{\"index\":0,\"delta\":" delta ",\"finish_reason\":null}]}"

/* One record with this text at this place of the delta. */
static void
feed_text(struct rig *r, const char *before, struct str text, const char *behind)
{
    struct buf b;

    buf_init(&b, 1 << 16);
    assert_int_equal(
        buf_printf(&b, "{\"id\":\"a\",\"choices\":[{\"index\":0,\"delta\":{%s\"", before),
        TG_OK);
    assert_int_equal(json_escape(&b, text), TG_OK);
    assert_int_equal(buf_printf(&b, "\"%s},\"finish_reason\":null}]}", behind), TG_OK);
    assert_int_equal(feed(r, buf_str(&b)), TG_OK);
    buf_fini(&b);
}

/* The answer in pieces of n bytes, whole characters each. */
static void
feed_answer(struct rig *r, size_t n)
{
    static const struct {
        const char *before, *text, *behind;
    } parts[] = {
        {"\"reasoning_content\":", "First \"this\",\nthen that.", ""},
        {"\"content\":",
         "Gr\xc3\xbc\xc3\x9f"
         "e \\ \xf0\x9f\x98\x80 to all",
         ""},
        {"\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":",
         "{\"q\":\"a\\\"}b\",\"n\":9007199254740993}", "}}]"},
        {"\"tool_calls\":[{\"index\":1,\"function\":{\"arguments\":", "{\"z\":[[]]}", "}}]"},
    };

    for (size_t i = 0; i < COUNT(parts); i++) {
        struct str rest = str_z(parts[i].text);

        if (i >= 2) {
            char open[256];

            (void)snprintf(open, sizeof open,
                           RECORD("{\"tool_calls\":[{\"index\":%zu,\"id\":\"c%zu\","
                                  "\"function\":{\"name\":\"f\",\"arguments\":\"\"}}]}"),
                           i - 2, i);
            assert_int_equal(feed(r, str_z(open)), TG_OK);
        }
        while (rest.n) {
            size_t k = n < rest.n ? n : rest.n;

            while (k < rest.n && ((unsigned char)rest.p[k] & 0xc0) == 0x80)
                k++;
            feed_text(r, parts[i].before, str_of(rest.p, k), parts[i].behind);
            rest = str_from(rest, k);
        }
    }
    assert_int_equal(
        feed(r, STR("{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}")),
        TG_OK);
    assert_int_equal(feed(r, STR("[DONE]")), TG_OK);
}

static void
cutting_does_not_matter(void **state)
{
    struct buf want, got;
    struct rig r;

    (void)state;
    buf_init(&want, 4096);
    buf_init(&got, 4096);
    rig_init(&r, NULL, true);
    feed_answer(&r, 1000);
    assert_int_equal(ir_dump_res(&r.fold.res, &want), TG_OK);
    assert_non_null(memmem(buf_str(&want).p, want.n, "answer 0 calls", 14));
    assert_non_null(memmem(buf_str(&want).p, want.n, "9007199254740993", 16));
    rig_fini(&r);
    for (size_t n = 1; n < 45; n++) {
        rig_init(&r, NULL, true);
        feed_answer(&r, n);
        buf_clear(&got);
        assert_int_equal(ir_dump_res(&r.fold.res, &got), TG_OK);
        if (!str_eq(buf_str(&got), buf_str(&want)))
            fail_msg("%zu:\n%.*s", n, STR_ARG(buf_str(&got)));
        rig_fini(&r);
    }
    buf_fini(&want);
    buf_fini(&got);
}

/* A blank behind each second record makes it unlike the one before, so that none is taken the
 * short way; the events must be the same.  Padding of any length behind the choices is no
 * matter. */
static void
the_short_way_says_the_same(void **state)
{
    static const char *const texts[] = {"a", "b\\\"c",  "",     "\\u00e9", "\\ud83d\\ude00",
                                        "d", "\\ud83d", "}}]}", "e"};
    static const char *const places[][2] = {
        {"\"content\":\"", "\""},
        {"\"reasoning\":\"", "\""},
        {"\"refusal\":\"", "\""},
        {"\"tool_calls\":[{\"index\":3,\"id\":\"c\",\"function\":{\"name\":\"f\","
         "\"arguments\":\"",
         "\"}}]"}};
    static const char *const padding[] = {"", "a", "ab", "a\\\"", "\\\\", "}}]"};

    (void)state;
    for (size_t i = 0; i < COUNT(places); i++) {
        struct rig quick, slow;
        struct buf a, b;

        buf_init(&a, 1 << 16);
        buf_init(&b, 1 << 16);
        rig_init(&quick, &a, false);
        rig_init(&slow, &b, false);
        for (size_t k = 0; k < 3 * COUNT(texts); k++) {
            char record[512], spaced[520];

            (void)snprintf(record, sizeof record,
                           "{\"choices\":[{\"index\":0,\"delta\":{%s%s%s}}],"
                           "\"obfuscation\":\"%s\"}",
                           places[i][0], texts[k % COUNT(texts)], places[i][1],
                           padding[k < 12 ? 0 : k % COUNT(padding)]);
            (void)snprintf(spaced, sizeof spaced, "%s%s", record, k % 2 ? " " : "");
            assert_int_equal(feed(&quick, str_z(record)), TG_OK);
            assert_int_equal(feed(&slow, str_z(spaced)), TG_OK);
        }
        assert_int_equal(feed(&quick, STR("[DONE]")), TG_OK);
        assert_int_equal(feed(&slow, STR("[DONE]")), TG_OK);
        if (!str_eq(buf_str(&a), buf_str(&b)))
            fail_msg("\n%.*s\n%.*s", STR_ARG(buf_str(&a)), STR_ARG(buf_str(&b)));
        rig_fini(&quick);
        rig_fini(&slow);
        buf_fini(&a);
        buf_fini(&b);
    }
}

/* What looks like the record before but is not JSON, or is more than one string, is found. */
static void
the_short_way_is_not_fooled(void **state)
{
    static const char *const texts[] = {
        "a\"", "a\\", "\x01", "\xff", "a\" : \"b", "\\ud8", "\"},\"x\":{\"y\":\""};

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct rig r;
        char record[256];
        uint64_t n;
        tg_rc rc;

        rig_init(&r, NULL, false);
        for (int k = 0; k < 3; k++)
            assert_int_equal(feed(&r, STR(RECORD("{\"content\":\"ok\"}"))), TG_OK);
        n = r.n;
        (void)snprintf(record, sizeof record, RECORD("{\"content\":\"%s\"}"), texts[i]);
        rc = feed(&r, str_z(record));
        /* The last one is JSON of another shape, and its content is empty. */
        assert_int_equal(rc, i + 1 < COUNT(texts) ? TG_EPROTO : TG_OK);
        assert_int_equal(r.n, n);
        rig_fini(&r);
    }
}

static void
long_streams_cost_no_memory(void **state)
{
    static const char *const places[] = {
        "\"content\":", "\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":",
        "\"reasoning_details\":[{\"type\":\"reasoning.text\",\"text\":"};
    static const char *const ends[] = {"", "}}]", "}]"};

    (void)state;
    for (size_t i = 0; i < COUNT(places); i++) {
        struct rig r;
        size_t used = 0;

        rig_init(&r, NULL, false);
        assert_int_equal(feed(&r, STR(RECORD("{\"tool_calls\":[{\"index\":0,\"id\":\"c\","
                                             "\"function\":{\"name\":\"f\"}}]}"))),
                         TG_OK);
        for (int k = 0; k < 2000; k++) {
            feed_text(&r, places[i], STR("\"quoted\"\n"), ends[i]);
            feed_text(&r, places[i], STR("[1,2]"), ends[i]);
            if (k == 10)
                used = r.a.used;
        }
        assert_int_equal(r.a.used, used);
        assert_true(r.n >= 4000);
        rig_fini(&r);
    }
}

static void
what_is_held_is_bounded(void **state)
{
    static const char *const places[][2] = {
        {"\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":", "}}]"},
        {"\"reasoning_details\":[{\"type\":\"reasoning.text\",\"signature\":", "}]"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(places); i++) {
        char record[512];
        struct rig r;
        int n = 0;
        tg_rc rc;

        rig_init(&r, NULL, false);
        (void)snprintf(record, sizeof record, RECORD("{%s\"%064d\"%s}"), places[i][0], 7,
                       places[i][1]);
        while ((rc = feed(&r, str_z(record))) == TG_OK)
            assert_true(n++ < 100);
        assert_int_equal(rc, TG_ELIMIT);
        assert_string_equal(r.err.code, "upstream_response_too_large");
        assert_int_equal(r.err.origin, TG_FROM_UPSTREAM);
        rig_fini(&r);
    }
}

/* What a client is given for a foreign proof it gives back, and the proof is the same again,
 * with its text, however its library merged the stream. */
static void
proofs_survive_a_client(void **state)
{
    static const struct ir_block one = {
        .kind = IR_THINK, .text = STR("One."), .sig = STR("c2ln/+=="), .origin = "messages"};
    static const struct ir_block two = {.kind = IR_THINK,
                                        .sig = STR("b3BhcXVl"),
                                        .sig_id = STR("rs_1"),
                                        .origin = "responses",
                                        .redacted = true};
    const struct ir_block *const blocks[] = {&one, &two};
    struct dialect_enc enc = {.id = STR("i"), .model = STR("m")};
    struct ir_answer answer = {.stop = IR_STOP_END};
    struct ir_res res = {.answers = &answer, .n_answers = 1, .usage = IR_USAGE_UNKNOWN};
    struct ir_block first = one, second = two;
    struct json_member message;
    struct ir_req req = {0};
    struct tg_err err = {0};
    const struct ir_block *got;
    struct arena a;
    struct buf b, body;

    (void)state;
    arena_init(&a);
    buf_init(&b, 1 << 16);
    buf_init(&body, 1 << 16);
    enc.arena = &a;
    enc.state = calloc(1, chat->enc_size);
    first.next = &second;
    answer.blocks = &first;
    assert_int_equal(chat->encode_res(&enc, &res, &b), TG_OK);
    assert_true(json_path(buf_str(&b), "choices.0.message", &message));
    assert_int_equal(
        buf_printf(&body, "{\"model\":\"m\",\"messages\":[%.*s]}", STR_ARG(message.value)),
        TG_OK);
    if (chat->decode_req(&a, buf_str(&body), &req, &err) != TG_OK)
        fail_msg("%s", err.msg);
    got = req.msgs->blocks;
    for (size_t i = 0; i < COUNT(blocks); i++, got = got->next) {
        assert_non_null(got);
        assert_int_equal(got->kind, IR_THINK);
        assert_true(str_eq(got->text, blocks[i]->text));
        assert_true(str_eq(got->sig, blocks[i]->sig));
        assert_true(str_eq(got->sig_id, blocks[i]->sig_id));
        assert_string_equal(got->origin, blocks[i]->origin);
        assert_int_equal(got->redacted, blocks[i]->redacted);
    }
    free(enc.state);
    buf_fini(&b);
    buf_fini(&body);
    arena_fini(&a);
}

static void
errors_with_a_status(void **state)
{
    static const struct {
        unsigned status;
        const char *body;
        enum tg_err_kind kind;
        const char *msg;
    } rows[] = {
        {400, "{\"error\":{\"message\":\"bad\",\"type\":\"invalid_request_error\"}}",
         TG_ERR_INVALID_REQUEST, "bad"},
        {400, "{\"error\":{\"message\":\"This model's maximum context length is 5\"}}",
         TG_ERR_CONTEXT_LENGTH, "This model's maximum context length is 5"},
        {429, "{\"error\":{\"message\":\"m\",\"code\":\"insufficient_quota\"}}", TG_ERR_QUOTA,
         "m"},
        {429, "{\"error\":\"slow down\"}", TG_ERR_RATE_LIMIT, "slow down"},
        {404, "[{\"error\":{\"message\":\"m\",\"status\":\"NOT_FOUND\"}}]", TG_ERR_NOT_FOUND,
         "m"},
        {422, "{\"detail\":\"Field required\"}", TG_ERR_INVALID_REQUEST, "Field required"},
        {400, "{\"object\":\"error\",\"message\":\"m\",\"type\":\"BadRequestError\"}",
         TG_ERR_INVALID_REQUEST, "m"},
        {503, "{\"message\":\"busy\"}", TG_ERR_OVERLOADED, "busy"},
        {529, "<html>", TG_ERR_OVERLOADED, "the upstream answered with status 529"},
        {500, "", TG_ERR_UPSTREAM, "the upstream answered with status 500"},
        {502, "{\"error\":{\"message\":\"m\"}}", TG_ERR_UPSTREAM, "m"},
        {403, "{\"error\":{\"message\":\"m\"}}", TG_ERR_PERMISSION, "m"},
        {401, "{\"error\":{\"message\":\"Incorrect API key sk-12\",\"code\":\"x\"}}",
         TG_ERR_UPSTREAM, "the upstream refused the gateway's credentials"},
        {400, "{\"error\":{\"message\":\"Bad sk-12\",\"code\":\"invalid_api_key\"}}",
         TG_ERR_UPSTREAM, "the upstream refused the gateway's credentials"},
        {504, "{\"error\":false,\"message\":\"late\"}", TG_ERR_TIMEOUT, "late"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tg_err err = {0};

        chat->decode_error(rows[i].status, str_z(rows[i].body), &err);
        if (err.kind != rows[i].kind || strcmp(err.msg, rows[i].msg) != 0)
            fail_msg("%u %s: %s \"%s\"", rows[i].status, rows[i].body,
                     ir_err_kind_name(err.kind), err.msg);
        assert_int_not_equal(err.rc, TG_OK);
        assert_int_equal(err.origin, TG_FROM_UPSTREAM);
        assert_int_not_equal(err.http, 401);
    }
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
        cmocka_unit_test(cutting_does_not_matter),
        cmocka_unit_test(the_short_way_says_the_same),
        cmocka_unit_test(the_short_way_is_not_fooled),
        cmocka_unit_test(long_streams_cost_no_memory),
        cmocka_unit_test(what_is_held_is_bounded),
        cmocka_unit_test(proofs_survive_a_client),
        cmocka_unit_test(errors_with_a_status),
    };
    int failed = cmocka_run_group_tests_name("dialect/chat/answer", tests, setup, NULL);

    arena_thread_fini();
    return failed;
}
