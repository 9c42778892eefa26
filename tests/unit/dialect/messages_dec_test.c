/* messages_dec_test.c -- answers of an upstream of the Messages dialect, as events.
 *
 * A stream is written one record a line; the record's name is its type.  What comes out is
 * compared as the text dump of the events, and all of it passes the grammar checker.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "ir/dump.h"
#include "ir/event.h"
#include "triglot/dialect.h"
#include "json/scan.h"

struct run {
    struct ir_sink sink;
    struct ir_check check;
    struct arena a;
    struct buf out;
    struct tg_err err;
    struct dialect_dec dec;
    bool over;
    tg_rc rc;
};

static tg_rc
note(struct ir_sink *sink, const struct ir_event *ev)
{
    struct run *r = (struct run *)sink;

    return ir_dump_event(ev, &r->out);
}

static void
begin(struct run *r, size_t hold_max)
{
    const struct dialect *d = dialect_find(STR("messages"));

    *r = (struct run){.sink = {note}};
    arena_init(&r->a);
    buf_init(&r->out, 1 << 20);
    ir_check_init(&r->check, 1, &r->sink, &r->err);
    r->dec = (struct dialect_dec){.sink = &r->check.sink,
                                  .arena = &r->a,
                                  .err = &r->err,
                                  .hold_max = hold_max,
                                  .state = arena_alloc(&r->a, d->dec_size, 16)};
}

static void
end(struct run *r)
{
    buf_fini(&r->out);
    arena_fini(&r->a);
    arena_thread_fini();
}

static void
feed(struct run *r, const char *lines)
{
    const struct dialect *d = dialect_find(STR("messages"));
    struct str rest = str_z(lines);

    while (rest.n && r->rc == TG_OK) {
        struct str line = str_cut(rest, '\n', &rest), type = {NULL, 0};
        struct json_member m;

        if (json_check(line, JSON_DEPTH_MAX, NULL) == TG_OK &&
            json_get(line, STR("type"), &m) && m.kind == JSON_STRING)
            type = str_of(m.value.p + 1, m.value.n - 2);
        r->rc = d->decode_record(&r->dec, type, line, &r->over);
    }
    if (r->rc == TG_OK)
        r->rc = d->decode_eof(&r->dec);
}

static void
expect(const char *lines, const char *events)
{
    struct run r;

    begin(&r, 1 << 20);
    feed(&r, lines);
    if (r.rc != TG_OK)
        fail_msg("%s: %s", lines, r.err.msg);
    assert_string_equal(arena_dup(&r.a, buf_str(&r.out)).p, events);
    end(&r);
}

static void
expect_whole(const char *body, const char *events)
{
    const struct dialect *d = dialect_find(STR("messages"));
    struct run r;

    begin(&r, 1 << 20);
    r.rc = d->decode_res(&r.dec, str_z(body));
    if (r.rc != TG_OK)
        fail_msg("%s: %s", body, r.err.msg);
    assert_string_equal(arena_dup(&r.a, buf_str(&r.out)).p, events);
    end(&r);
}

static void
expect_failure(const char *lines, tg_rc rc, enum tg_err_kind kind, const char *code)
{
    struct run r;

    begin(&r, 64);
    feed(&r, lines);
    assert_int_equal(r.rc, rc);
    assert_int_equal(r.err.kind, kind);
    assert_string_equal(r.err.code ? r.err.code : "", code);
    assert_int_equal(r.err.origin, TG_FROM_UPSTREAM);
    end(&r);
}

#define START                                                                                  \
    "{\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"content\":[],\"usage\":{"     \
    "\"input_tokens\":10,\"cache_creation_input_tokens\":3,\"cache_read_input_tokens\":20,"    \
    "\"output_tokens\":1}}}\n"
#define BLOCK(i, block)                                                                        \
    "{\"type\":\"content_block_start\",\"index\":" #i ",\"content_block\":{" block "}}\n"
#define DELTA(i, delta)                                                                        \
    "{\"type\":\"content_block_delta\",\"index\":" #i ",\"delta\":{" delta "}}\n"
#define TEXT(i, text) DELTA(i, "\"type\":\"text_delta\",\"text\":\"" text "\"")
#define ARGS(i, text) DELTA(i, "\"type\":\"input_json_delta\",\"partial_json\":\"" text "\"")
#define CLOSE(i)      "{\"type\":\"content_block_stop\",\"index\":" #i "}\n"
#define STOP(reason)                                                                           \
    "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"" reason "\",\"stop_sequence\":" \
    "null},\"usage\":{\"output_tokens\":15}}\n"
#define OVER  "{\"type\":\"message_stop\"}\n"
#define USAGE "usage input=33 output=15 cached=20 reasoning=-1 cache_write=3\n"

static void
text_and_usage(void **state)
{
    (void)state;
    /* Pitfalls F4, F5: totals, the last figure wins. */
    expect(START BLOCK(0, "\"type\":\"text\",\"text\":\"\"") "{\"type\":\"ping\"}\n" TEXT(
               0, "Hi") TEXT(0, "") TEXT(0, "\\ud83d\\ude00") CLOSE(0) STOP("end_turn") OVER,
           "start\nopen 0.0 text\ndelta 0.0 \"Hi\"\ndelta 0.0 \"\xf0\x9f\x98\x80\"\nclose 0.0\n"
           "stop 0 end\n" USAGE "end\n");
    /* Figures that are known only at the end, and a second record about the end. */
    expect("{\"type\":\"message_start\",\"message\":{}}\n" STOP(
               "max_tokens") "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":null},"
                             "\"usage\":{\"input_tokens\":7,\"output_tokens\":2,"
                             "\"output_tokens_details\":{\"thinking_tokens\":1}}}\n" OVER,
           "start\nstop 0 length\nusage input=7 output=2 cached=-1 reasoning=1\nend\n");
}

static void
calls(void **state)
{
    (void)state;
    /* Pitfalls D4 and A10; input that stands whole in the start. */
    expect(START BLOCK(0, "\"type\":\"tool_use\",\"id\":\"t1\",\"name\":\"f\",\"input\":{}")
               ARGS(0, "") ARGS(0, "{\\\"n\\\":") ARGS(0, "1}") CLOSE(0)
                   BLOCK(1, "\"type\":\"tool_use\",\"id\":\"t2\",\"name\":\"g\",\"input\":{}")
                       CLOSE(1) BLOCK(
                           2, "\"type\":\"tool_use\",\"id\":\"t3\",\"name\":\"h\",\"input\":"
                              "{\"a\": 12345678901234567}") CLOSE(2) STOP("end_turn") OVER,
           "start\nopen 0.0 call id=\"t1\" name=\"f\"\ndelta 0.0 \"{\\\"n\\\":\"\n"
           "delta 0.0 \"1}\"\nclose 0.0\nopen 0.1 call id=\"t2\" name=\"g\"\ndelta 0.1 \"{}\"\n"
           "close 0.1\nopen 0.2 call id=\"t3\" name=\"h\"\n"
           "delta 0.2 \"{\\\"a\\\": 12345678901234567}\"\nclose 0.2\nstop 0 calls\n" USAGE
           "end\n");
}

static void
thoughts(void **state)
{
    (void)state;
    /* Pitfalls E2, E3, E4: whole signatures, the last one wins, redacted ones apart. */
    expect(START BLOCK(0, "\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"")
               DELTA(0, "\"type\":\"thinking_delta\",\"thinking\":\"Hm\"")
                   DELTA(0, "\"type\":\"signature_delta\",\"signature\":\"one\"")
                       DELTA(0, "\"type\":\"signature_delta\",\"signature\":\"Eq+/=\"") CLOSE(0)
                           BLOCK(1, "\"type\":\"redacted_thinking\",\"data\":\"Em\"") CLOSE(1)
                               BLOCK(2, "\"type\":\"thinking\",\"thinking\":\"\"")
                                   DELTA(2, "\"type\":\"signature_delta\",\"signature\":\"S\"")
                                       CLOSE(2) STOP("end_turn") OVER,
           "start\nopen 0.0 think summary\ndelta 0.0 \"Hm\"\n"
           "close 0.0 summary origin=\"messages\" sig=\"Eq+/=\"\n"
           "open 0.1 think redacted summary\n"
           "close 0.1 redacted summary origin=\"messages\" sig=\"Em\"\n"
           "open 0.2 think summary\nclose 0.2 summary origin=\"messages\" sig=\"S\"\n"
           "stop 0 end\n" USAGE "end\n");
}

static void
tools_of_the_provider_are_passed_over(void **state)
{
    (void)state;
    /* The numbers that others see stay dense (pitfall A12); web citations become notes. */
    expect(START BLOCK(0, "\"type\":\"server_tool_use\",\"id\":\"s\",\"name\":\"web_search\","
                          "\"input\":{}") ARGS(0, "{}") CLOSE(0)
               BLOCK(1, "\"type\":\"web_search_tool_result\",\"tool_use_id\":\"s\","
                        "\"content\":[]") CLOSE(1) BLOCK(2, "\"type\":\"text\",\"text\":\"\"")
                   TEXT(2, "\\u00e9 is")
                       DELTA(2, "\"type\":\"citations_delta\",\"citation\":{\"type\":"
                                "\"web_search_result_location\",\"url\":\"https://e.example\","
                                "\"title\":\"E\",\"cited_text\":\"c\"}")
                           DELTA(2, "\"type\":\"citations_delta\",\"citation\":{\"type\":"
                                    "\"char_location\",\"document_index\":0}") CLOSE(2)
                               BLOCK(3, "\"type\":\"hologram\"")
                                   DELTA(3, "\"type\":\"news_delta\"") CLOSE(3) STOP("tool_use")
                                       OVER,
           "start\nopen 0.0 text\ndelta 0.0 \"\xc3\xa9 is\"\n"
           "note 0.0 url=\"https://e.example\" title=\"E\" cited=\"c\" start=0 end=4\n"
           "close 0.0\nstop 0 end\n" USAGE "end\n");
}

/* Pitfall A11: each reason keeps its meaning. */
static void
how_it_ends(void **state)
{
    static const struct {
        const char *reason;
        enum ir_stop stop;
    } rows[] = {
        {"end_turn", IR_STOP_END},     {"max_tokens", IR_STOP_LENGTH},
        {"refusal", IR_STOP_FILTER},   {"model_context_window_exceeded", IR_STOP_LENGTH},
        {"pause_turn", IR_STOP_PAUSE}, {"compaction", IR_STOP_END},
        {"a_new_one", IR_STOP_END}};
    char lines[512], events[128];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        (void)snprintf(lines, sizeof lines,
                       "{\"type\":\"message_start\"}\n{\"type\":\"message_delta\",\"delta\":{"
                       "\"stop_reason\":\"%s\"}}\n" OVER,
                       rows[i].reason);
        (void)snprintf(events, sizeof events, "start\nstop 0 %s\nend\n",
                       ir_stop_name(rows[i].stop));
        expect(lines, events);
    }
    expect(
        "{\"type\":\"message_start\"}\n{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":"
        "\"stop_sequence\",\"stop_sequence\":\"END\"}}\n" OVER,
        "start\nstop 0 sequence text=\"END\"\nend\n");
    expect(
        "{\"type\":\"message_start\"}\n{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":"
        "\"refusal\",\"stop_details\":{\"type\":\"refusal\",\"explanation\":\"No.\"}}}\n" OVER,
        "start\nopen 0.0 refusal\ndelta 0.0 \"No.\"\nclose 0.0\nstop 0 filter\nend\n");
}

static void
oddities_are_taken(void **state)
{
    (void)state;
    /* No stop of the block, no message_stop, text in the start, [DONE]. */
    expect(START BLOCK(0, "\"type\":\"text\",\"text\":\"a\"") STOP("end_turn") "[DONE]\n",
           "start\nopen 0.0 text\ndelta 0.0 \"a\"\nclose 0.0\nstop 0 end\n" USAGE "end\n");
    /* No reason at all, but an end. */
    expect("{\"type\":\"message_start\"}\n" OVER OVER, "start\nstop 0 end\nend\n");
    /* Blocks that overlap. */
    expect(START BLOCK(0, "\"type\":\"text\"") BLOCK(5, "\"type\":\"text\"") TEXT(0, "a")
               TEXT(5, "b") CLOSE(5) CLOSE(0) STOP("end_turn") OVER,
           "start\nopen 0.0 text\nopen 0.1 text\ndelta 0.0 \"a\"\ndelta 0.1 \"b\"\nclose 0.1\n"
           "close 0.0\nstop 0 end\n" USAGE "end\n");
}

static void
failures(void **state)
{
    (void)state;
    expect_failure("{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":"
                   "\"Overloaded\"}}",
                   TG_EUNAVAIL, TG_ERR_OVERLOADED, "server_is_overloaded");
    expect_failure(START "{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\","
                         "\"message\":\"prompt is too long: 9 tokens > 8\"}}",
                   TG_EINVAL, TG_ERR_CONTEXT_LENGTH, "context_length_exceeded");
    expect_failure(START, TG_EPROTO, TG_ERR_UPSTREAM, "upstream_truncated");
    expect_failure("", TG_EPROTO, TG_ERR_UPSTREAM, "upstream_truncated");
    expect_failure("nonsense", TG_EPROTO, TG_ERR_UPSTREAM, "upstream_protocol_error");
    expect_failure("[]", TG_EPROTO, TG_ERR_UPSTREAM, "upstream_protocol_error");
    expect_failure("{}", TG_EPROTO, TG_ERR_UPSTREAM, "upstream_protocol_error");
    expect_failure(START START, TG_EPROTO, TG_ERR_UPSTREAM, "upstream_protocol_error");
    expect_failure(OVER, TG_EPROTO, TG_ERR_UPSTREAM, "upstream_protocol_error");
    expect_failure(BLOCK(0, "\"type\":\"text\""), TG_EPROTO, TG_ERR_UPSTREAM,
                   "upstream_protocol_error");
    expect_failure(START TEXT(0, "a"), TG_EPROTO, TG_ERR_UPSTREAM, "upstream_protocol_error");
    expect_failure(START CLOSE(0), TG_EPROTO, TG_ERR_UPSTREAM, "upstream_protocol_error");
    expect_failure(START BLOCK(0, "\"type\":\"text\"") BLOCK(0, "\"type\":\"text\""), TG_EPROTO,
                   TG_ERR_UPSTREAM, "upstream_protocol_error");
    expect_failure(START BLOCK(0, "\"type\":\"text\"") TEXT(0, "\\ud800"), TG_EPROTO,
                   TG_ERR_UPSTREAM, "upstream_protocol_error");
    expect_failure(START BLOCK(0, "\"type\":\"tool_use\",\"id\":\"t\""), TG_EPROTO,
                   TG_ERR_UPSTREAM, "upstream_protocol_error");
    /* 65 bytes of a signature, where 64 may be kept. */
    expect_failure(START BLOCK(0, "\"type\":\"redacted_thinking\",\"data\":"
                                  "\"0123456789012345678901234567890123456789012345678901234567"
                                  "8901234\""),
                   TG_ELIMIT, TG_ERR_UPSTREAM, "upstream_response_too_large");
}

static void
too_many_open_blocks(void **state)
{
    struct run r;
    struct buf lines;

    (void)state;
    begin(&r, 1 << 20);
    buf_init(&lines, 1 << 20);
    assert_int_equal(buf_append(&lines, STR(START)), TG_OK);
    for (int i = 0; i < 33; i++)
        assert_int_equal(buf_printf(&lines,
                                    "{\"type\":\"content_block_start\",\"index\":%d,"
                                    "\"content_block\":{\"type\":\"text\"}}\n",
                                    i),
                         TG_OK);
    feed(&r, arena_dup(&r.a, buf_str(&lines)).p);
    assert_int_equal(r.rc, TG_EPROTO);
    buf_fini(&lines);
    end(&r);
}

static void
whole_answers(void **state)
{
    (void)state;
    expect_whole(
        "{\"id\":\"msg_1\",\"type\":\"message\",\"content\":[{\"type\":\"thinking\","
        "\"thinking\":\"Hm\",\"signature\":\"S\"},{\"type\":\"redacted_thinking\","
        "\"data\":\"R\"},{\"type\":\"text\",\"text\":\"a\\nb\",\"citations\":[{\"type\":"
        "\"web_search_result_location\",\"url\":\"https://e.example\",\"title\":\"E\","
        "\"cited_text\":\"c\"}]},{\"type\":\"server_tool_use\",\"id\":\"s\",\"name\":"
        "\"web_search\",\"input\":{}},{\"type\":\"tool_use\",\"id\":\"t\",\"name\":"
        "\"f\",\"input\":{ \"n\":1.0}},{\"type\":\"tool_use\",\"id\":\"u\",\"name\":"
        "\"g\",\"input\":{ }}],\"stop_reason\":\"tool_use\",\"usage\":{"
        "\"input_tokens\":1,\"cache_read_input_tokens\":2,\"output_tokens\":3}}",
        "start\nopen 0.0 think summary\ndelta 0.0 \"Hm\"\n"
        "close 0.0 summary origin=\"messages\" sig=\"S\"\n"
        "open 0.1 think redacted summary\n"
        "close 0.1 redacted summary origin=\"messages\" sig=\"R\"\n"
        "open 0.2 text\ndelta 0.2 \"a\\nb\"\n"
        "note 0.2 url=\"https://e.example\" title=\"E\" cited=\"c\" start=0 end=3\n"
        "close 0.2\nopen 0.3 call id=\"t\" name=\"f\"\ndelta 0.3 \"{ \\\"n\\\":1.0}\"\n"
        "close 0.3\nopen 0.4 call id=\"u\" name=\"g\"\ndelta 0.4 \"{ }\"\nclose 0.4\n"
        "stop 0 calls\nusage input=3 output=3 cached=2 reasoning=-1\nend\n");
    expect_whole("{\"content\":[]}", "start\nstop 0 end\nend\n");
}

static void
whole_failures(void **state)
{
    static const struct {
        const char *body;
        enum tg_err_kind kind;
    } rows[] = {
        {"<html>", TG_ERR_UPSTREAM},
        {"{\"choices\":[]}", TG_ERR_UPSTREAM},
        {"{\"content\":\"x\"}", TG_ERR_UPSTREAM},
        {"{\"content\":[1]}", TG_ERR_UPSTREAM},
        {"{\"content\":[{\"type\":\"text\",\"text\":1}]}", TG_ERR_UPSTREAM},
        {"{\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\",\"message\":\"s\"}}",
         TG_ERR_RATE_LIMIT},
    };
    const struct dialect *d = dialect_find(STR("messages"));

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct run r;

        begin(&r, 1 << 20);
        assert_int_not_equal(d->decode_res(&r.dec, str_z(rows[i].body)), TG_OK);
        assert_int_equal(r.err.kind, rows[i].kind);
        assert_int_equal(r.err.origin, TG_FROM_UPSTREAM);
        end(&r);
    }
}

static void
error_bodies(void **state)
{
    static const struct {
        unsigned status;
        const char *body;
        enum tg_err_kind kind;
        const char *msg;
    } rows[] = {
        {402, "{\"type\":\"error\",\"error\":{\"type\":\"billing_error\",\"message\":\"pay\"}}",
         TG_ERR_QUOTA, "pay"},
        {529, "<html>busy", TG_ERR_OVERLOADED,
         "the upstream reported an error without saying which"},
        {400, "{\"error\":\"a plain text\"}", TG_ERR_INVALID_REQUEST, "a plain text"},
        {413, "{\"error\":{\"type\":\"request_too_large\",\"message\":\"big\"}}",
         TG_ERR_TOO_LARGE, "big"},
        {500, "{\"error\":{\"type\":\"new\",\"message\":\"x\"}}", TG_ERR_UPSTREAM, "x"},
        {404, "{\"error\":{\"message\":\"no model\"}}", TG_ERR_NOT_FOUND, "no model"},
        {400, "{\"error\":{\"message\":\"exceeds the context window\"}}", TG_ERR_CONTEXT_LENGTH,
         "exceeds the context window"},
        {409, "{\"type\":\"error\",\"error\":{\"type\":\"conflict_error\",\"message\":\"c\"}}",
         TG_ERR_INVALID_REQUEST, "c"},
    };
    const struct dialect *d = dialect_find(STR("messages"));

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tg_err err = {0};

        d->decode_error(rows[i].status, str_z(rows[i].body), &err);
        assert_int_not_equal(err.rc, TG_OK);
        assert_int_equal(err.kind, rows[i].kind);
        assert_string_equal(err.msg, rows[i].msg);
        assert_int_equal(err.origin, TG_FROM_UPSTREAM);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_and_usage),
        cmocka_unit_test(calls),
        cmocka_unit_test(thoughts),
        cmocka_unit_test(tools_of_the_provider_are_passed_over),
        cmocka_unit_test(how_it_ends),
        cmocka_unit_test(oddities_are_taken),
        cmocka_unit_test(failures),
        cmocka_unit_test(too_many_open_blocks),
        cmocka_unit_test(whole_answers),
        cmocka_unit_test(whole_failures),
        cmocka_unit_test(error_bodies),
    };

    return cmocka_run_group_tests_name("dialect/messages_dec", tests, NULL, NULL);
}
