/* dump_test.c -- every field of the internal form shows up in its text, and only when said. */
#include "ir/dump.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void
compare(struct buf *b, const char *want)
{
    assert_int_equal(buf_putc(b, '\0'), TG_OK);
    assert_string_equal(buf_str(b).p, want);
    buf_fini(b);
}

static void
a_bare_request_is_short(void **state)
{
    struct ir_req req = {.model = STR("m"),
                         .choices = 1,
                         .parallel_calls = true,
                         .max_tokens = -1,
                         .seed = -1,
                         .top_logprobs = -1,
                         .think_budget = -1};
    struct buf b;

    (void)state;
    buf_init(&b, 4096);
    assert_int_equal(ir_dump_req(&req, &b), TG_OK);
    compare(&b, "model \"m\"\n");
}

static void
every_field_of_a_request_shows(void **state)
{
    struct ir_media image = {.kind = IR_IMAGE, .mime = STR("image/png"), .data = STR("AA")};
    struct ir_block part = {.kind = IR_MEDIA, .media = &image};
    struct ir_block result = {
        .kind = IR_RESULT, .id = STR("c1"), .name = STR("f"), .failed = true, .sub = &part};
    struct ir_msg tool = {.role = IR_TOOL, .blocks = &result};
    struct ir_block think = {.kind = IR_THINK,
                             .text = STR("hm"),
                             .sig = STR("S"),
                             .sig_id = STR("rs"),
                             .origin = "messages",
                             .summary = true};
    struct ir_msg model = {.role = IR_MODEL, .blocks = &think, .next = &tool};
    struct ir_block text = {.kind = IR_TEXT, .text = STR("be"), .cache_ttl = STR("5m")};
    struct ir_msg head = {.role = IR_SYSTEM,
                          .developer = true,
                          .name = STR("n"),
                          .blocks = &text,
                          .next = &model};
    struct ir_tool hosted = {.name = STR("web_search"),
                             .hosted_by = "responses",
                             .raw = STR("{\"type\":\"web_search\"}")};
    struct ir_tool fn = {.name = STR("f"),
                         .description = STR("d"),
                         .schema = STR("{}"),
                         .strict = IR_YES,
                         .cache_ttl = STR("1h"),
                         .allowed = true,
                         .next = &hosted};
    struct ir_ext ext = {.name = STR("x"), .value = STR("[1]")};
    struct ir_req req = {.model = STR("m"),
                         .stream = true,
                         .stream_usage = true,
                         .msgs = &head,
                         .n_msgs = 3,
                         .tools = &fn,
                         .tool_choice = IR_CHOICE_NAMED,
                         .tool_name = STR("f"),
                         .max_tokens = 5,
                         .seed = 6,
                         .choices = 2,
                         .stop = {STR("END")},
                         .n_stop = 1,
                         .format_schema = STR("{}"),
                         .format_name = STR("out"),
                         .format_description = STR("it"),
                         .format_strict = IR_NO,
                         .temperature = STR("0.50"),
                         .top_p = STR("1"),
                         .top_k = STR("40"),
                         .presence_penalty = STR("0.1"),
                         .frequency_penalty = STR("0.2"),
                         .logit_bias = STR("{\"1\":2}"),
                         .prediction = STR("{}"),
                         .logprobs = true,
                         .top_logprobs = 3,
                         .effort = IR_EFFORT_HIGH,
                         .think_budget = 2048,
                         .think_show = IR_YES,
                         .think_summary = STR("auto"),
                         .verbosity = STR("low"),
                         .user = STR("u"),
                         .metadata = STR("{\"a\":\"b\"}"),
                         .service_tier = STR("flex"),
                         .cache_key = STR("k"),
                         .store = IR_NO,
                         .ext = &ext};
    struct buf b;

    (void)state;
    buf_init(&b, 4096);
    assert_int_equal(ir_dump_req(&req, &b), TG_OK);
    compare(&b, "model \"m\"\n"
                "stream usage\n"
                "max_tokens 5\n"
                "seed 6\n"
                "choices 2\n"
                "stop \"END\"\n"
                "temperature 0.50\n"
                "top_p 1\n"
                "top_k 40\n"
                "presence_penalty 0.1\n"
                "frequency_penalty 0.2\n"
                "logit_bias {\"1\":2}\n"
                "prediction {}\n"
                "logprobs\n"
                "top_logprobs 3\n"
                "effort high\n"
                "think_budget 2048\n"
                "think_show yes\n"
                "think_summary \"auto\"\n"
                "verbosity \"low\"\n"
                "user \"u\"\n"
                "metadata {\"a\":\"b\"}\n"
                "service_tier \"flex\"\n"
                "cache_key \"k\"\n"
                "store no\n"
                "ext name=\"x\" value=[1]\n"
                "format name=\"out\" description=\"it\" strict=no schema={}\n"
                "tool name=\"f\" description=\"d\" strict=yes cache=\"1h\" schema={}\n"
                "tool name=\"web_search\" hosted_by=\"responses\" barred "
                "raw={\"type\":\"web_search\"}\n"
                "tool_choice named name=\"f\"\n"
                "parallel_calls no\n"
                "system developer name=\"n\"\n"
                "  text cache=\"5m\" \"be\"\n"
                "model\n"
                "  think summary origin=\"messages\" sig_id=\"rs\" sig=\"S\" \"hm\"\n"
                "tool\n"
                "  result id=\"c1\" name=\"f\" failed\n"
                "    media image mime=\"image/png\" data=\"AA\"\n");
}

static void
events_are_lines(void **state)
{
    struct ir_block call = {
        .kind = IR_CALL, .id = STR("c"), .name = STR("f"), .freeform = true};
    struct ir_block proof = {
        .kind = IR_THINK, .sig = STR("S\n"), .origin = "messages", .redacted = true};
    struct ir_note note = {.url = STR("u"), .title = STR("t"), .start = 1, .end = -1};
    struct ir_usage usage = {1, 2, 3, -1, 5};
    struct tg_err err = {.rc = TG_EPROTO, .kind = TG_ERR_UPSTREAM, .msg = "broke"};
    const struct ir_event evs[] = {
        {.kind = IR_EV_START},
        {.kind = IR_EV_OPEN, .block = 1, .head = &call},
        {.kind = IR_EV_DELTA, .choice = 1, .text = STR("a\"b")},
        {.kind = IR_EV_NOTE, .note = &note},
        {.kind = IR_EV_CLOSE, .block = 1},
        {.kind = IR_EV_CLOSE, .head = &proof},
        {.kind = IR_EV_DELTA, .text = STR("a"), .logprobs = STR("[1, 2]")},
        {.kind = IR_EV_STOP, .stop = IR_STOP_SEQUENCE, .text = STR("END")},
        {.kind = IR_EV_STOP, .stop = IR_STOP_PAUSE},
        {.kind = IR_EV_USAGE, .usage = &usage},
        {.kind = IR_EV_END},
        {.kind = IR_EV_ERROR, .err = &err},
    };
    struct buf b;

    (void)state;
    buf_init(&b, 4096);
    for (size_t i = 0; i < sizeof evs / sizeof evs[0]; i++)
        assert_int_equal(ir_dump_event(&evs[i], &b), TG_OK);
    compare(&b, "start\n"
                "open 0.1 call freeform id=\"c\" name=\"f\"\n"
                "delta 1.0 \"a\\\"b\"\n"
                "note 0.0 url=\"u\" title=\"t\" start=1\n"
                "close 0.1\n"
                "close 0.0 redacted origin=\"messages\" sig=\"S\\n\"\n"
                "delta 0.0 \"a\" logprobs=[1, 2]\n"
                "stop 0 sequence text=\"END\"\n"
                "stop 0 pause\n"
                "usage input=1 output=2 cached=3 reasoning=-1 cache_write=5\n"
                "end\n"
                "error upstream \"broke\"\n");
}

static void
a_full_buffer_is_told(void **state)
{
    struct ir_res res = {.usage = IR_USAGE_UNKNOWN};
    struct buf b;

    (void)state;
    buf_init(&b, 8);
    assert_int_equal(ir_dump_res(&res, &b), TG_ELIMIT);
    buf_fini(&b);
}

static void
names_are_never_null(void **state)
{
    (void)state;
    for (int i = 0; i < 64; i++) {
        assert_non_null(ir_kind_name((enum ir_kind)i));
        assert_non_null(ir_stop_name((enum ir_stop)i));
        assert_non_null(ir_evkind_name((enum ir_evkind)i));
        assert_non_null(ir_err_kind_name((enum tg_err_kind)i));
    }
    assert_string_equal(ir_evkind_name(IR_EV_NOTE), "note");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bare_request_is_short),
        cmocka_unit_test(every_field_of_a_request_shows),
        cmocka_unit_test(events_are_lines),
        cmocka_unit_test(a_full_buffer_is_told),
        cmocka_unit_test(names_are_never_null),
    };

    return cmocka_run_group_tests_name("ir/dump", tests, NULL, NULL);
}
