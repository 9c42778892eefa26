/* shapes_test.c -- the checks of a stream's shape, checked: good streams pass, and each of many
 * small faults is found. */
#include "support/shapes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/pairs_cases.h"

/* A fault: the first place where `from` stands becomes `to`. */
struct flaw {
    const char *from, *to;
};

static struct str
with_flaw(struct arena *a, struct str stream, const struct flaw *f)
{
    const char *at = strstr(stream.p, f->from);

    if (!at)
        fail_msg("there is no %s in the stream", f->from);
    return arena_printf(a, "%.*s%s%s", (int)(at - stream.p), stream.p, f->to,
                        at + strlen(f->from));
}

static struct str
good(struct arena *a, const char *dialect)
{
    for (unsigned i = 0; i < pairs_n_cuts; i++)
        if (strcmp(pairs_cuts[i].dialect, dialect) == 0)
            return arena_dup(a, str_z(pairs_cuts[i].stream));
    fail_msg("no stream of %s", dialect);
    return (struct str){NULL, 0};
}

static void
check(const char *dialect, struct str stream, const struct flaw *flaws, size_t n)
{
    struct arena a;
    const char *why;

    arena_init(&a);
    why = shape_check(&a, dialect, stream, true);
    if (why)
        fail_msg("a good stream: %s", why);
    for (size_t i = 0; i < n; i++) {
        struct str bad = with_flaw(&a, stream, &flaws[i]);

        if (!shape_check(&a, dialect, bad, true))
            fail_msg("%s: not found: %s became %s", dialect, flaws[i].from, flaws[i].to);
    }
    for (size_t at = 0; at < stream.n; at++)
        if (at + 2 < stream.n && memcmp(stream.p + at, "\n\n", 2) == 0 &&
            !shape_check(&a, dialect, str_of(stream.p, at + 2), true))
            fail_msg("%s: cut off after %zu of %zu bytes, and not found", dialect, at + 2,
                     stream.n);
    arena_fini(&a);
}

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

static void
chat_faults_are_found(void **state)
{
    /* As it goes to a client that asked for usage: every record but the last says null. */
    static const char stream[] =
        "data: "
        "{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\","
        "\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},"
        "\"finish_reason\":null}],\"usage\":null}\n\n"
        "data: "
        "{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\","
        "\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"},\"finish_reason\":null}],"
        "\"usage\":null}\n\n"
        "data: "
        "{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\","
        "\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"call_a\","
        "\"type\":\"function\",\"function\":{\"name\":\"look\",\"arguments\":\"\"}}]},"
        "\"finish_reason\":null}],\"usage\":null}\n\n"
        "data: "
        "{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\","
        "\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,"
        "\"function\":{\"arguments\":\"{}\"}}]},\"finish_reason\":null}],\"usage\":null}\n\n"
        "data: "
        "{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\","
        "\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}],"
        "\"usage\":null}\n\n"
        "data: "
        "{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\","
        "\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2,"
        "\"total_tokens\":3}}\n\n"
        "data: [DONE]\n\n";
    static const struct flaw flaws[] = {
        {"data: {", "event: x\ndata: {"},
        {"\"id\":\"c\"", "\"id\":\"d\""},
        {"chat.completion.chunk", "chat.completion"},
        {"\"role\":\"assistant\",", ""},
        {"\"delta\":{\"content\":\"Hi\"}",
         "\"delta\":{\"role\":\"assistant\",\"content\":\"Hi\"}"},
        {"\"content\":\"Hi\"", "\"content\":\"\""},
        {"\"content\":\"Hi\"", "\"content\":null"},
        {"\"finish_reason\":null", "\"other\":null"},
        {"\"usage\":null", "\"usage\":{}"},
        {",\"usage\":null", ""},
        {"\"index\":0,\"id\"", "\"index\":1,\"id\""},
        {"\"id\":\"call_a\",", ""},
        {"\"type\":\"function\",", ""},
        {"\"name\":\"look\",", ""},
        {"\"name\":\"look\"", "\"name\":\"\""},
        {"{\"index\":0,\"function\"", "{\"index\":0,\"id\":\"call_a\",\"function\""},
        {"{\"index\":0,\"function\":{", "{\"index\":0,\"function\":{\"name\":null,"},
        {"{\"index\":0,\"function\"", "{\"index\":0,\"type\":\"function\",\"function\""},
        {"[{\"index\":0,\"function\":{\"arguments\":\"{}\"}}]", "[]"},
        {"\"function\":{\"arguments\":\"{}\"}", "\"function\":{}"},
        {"\"finish_reason\":\"tool_calls\"", "\"finish_reason\":null"},
        {"\"content\":\"Hi\"},\"finish_reason\":null",
         "\"content\":\"Hi\"},\"finish_reason\":\"stop\""},
        {"\"total_tokens\":3", "\"total_tokens\":4"},
        {"\"choices\":[],", ""},
        {"data: [DONE]\n\n", "data: [DONE]\n\ndata: [DONE]\n\n"},
        {"data: [DONE]", "data: {}"},
    };
    struct arena a;

    (void)state;
    check("chat", str_z(stream), flaws, COUNT(flaws));
    arena_init(&a);
    assert_non_null(shape_chat(&a, str_z(stream), false));
    arena_fini(&a);
}

static void
responses_faults_are_found(void **state)
{
    static const struct flaw flaws[] = {
        {"event: response.created", "event: response.in_progress"},
        {"\"sequence_number\":3", "\"sequence_number\":4"},
        {"\"type\":\"response.created\"", "\"type\":\"response.in_progress\""},
        {"\"id\":\"resp_1\"", "\"id\":\"resp_2\""},
        {"\"output\":[]", "\"output\":[1]"},
        {"\"output_index\":0", "\"output_index\":1"},
        {"\"content\":[]", "\"content\":null"},
        {"\"annotations\":[]", "\"annotations\":null"},
        {"\"content_index\":0", "\"content_index\":1"},
        {"\"item_id\":\"msg_1\"", "\"item_id\":\"msg_2\""},
        {"\"delta\":\"Let me\"", "\"delta\":\"Let us\""},
        {"\"delta\":\"Let me\"", "\"delta\":\"\""},
        {"\"text\":\"Let me look.\"", "\"text\":\"Let me look\""},
        {"\"part\":{\"type\":\"output_text\",\"text\":\"Let me look.\"",
         "\"part\":{\"type\":\"output_text\",\"text\":\"Let me\""},
        {"\"status\":\"completed\",\"content\":[{\"type\":\"output_text\",\"text\":\"Let me "
         "look.\"",
         "\"status\":\"completed\",\"content\":[{\"type\":\"output_text\",\"text\":\"Let me\""},
        {"event: response.output_text.done\ndata: {\"type\":\"response.output_text.done\"",
         "event: keepalive\ndata: {\"type\":\"keepalive\""},
        {"event: response.content_part.done\ndata: {\"type\":\"response.content_part.done\"",
         "event: keepalive\ndata: {\"type\":\"keepalive\""},
        {"event: response.output_item.done\ndata: {\"type\":\"response.output_item.done\"",
         "event: keepalive\ndata: {\"type\":\"keepalive\""},
        {"event: response.content_part.added\ndata: {\"type\":\"response.content_part.added\"",
         "event: keepalive\ndata: {\"type\":\"keepalive\""},
        {"event: response.function_call_arguments.done\ndata: "
         "{\"type\":\"response.function_call_arguments.done\"",
         "event: keepalive\ndata: {\"type\":\"keepalive\""},
        {"event: response.in_progress\ndata: {\"type\":\"response.in_progress\"",
         "event: ping\ndata: {\"type\":\"ping\""},
        {"\"id\":\"fc_a\"", "\"id\":\"msg_1\""},
        {"\"call_id\":\"call_a\",", ""},
        {"\"call_id\":\"call_b\"", "\"call_id\":\"call_a\""},
        {"\"name\":\"look\",", ""},
        {"\"arguments\":\"\"", "\"arguments\":null"},
        {"\"arguments\":\"{\\\"id\\\": 1}\"", "\"arguments\":\"{}\""},
        {"\"arguments\":\"{\\\"id\\\": 1}\",\"status\":\"completed\"}}",
         "\"arguments\":\"{\\\"id\\\":1}\",\"status\":\"completed\"}}"},
        {"\"delta\":\": 1}\"", "\"delta\":\": 1\""},
        {"\"status\":\"completed\",\"model\"", "\"status\":\"incomplete\",\"model\""},
        {"\"output\":[{", "\"output\":[{\"x\":1,"},
        {"\"cached_tokens\":20", "\"cached\":20"},
        {"\"total_tokens\":154", "\"total_tokens\":155"},
        {"data: [DONE]\n\n", "data: [DONE]\n\ndata: [DONE]\n\n"},
        {"event: response.created", "data: [DONE]\n\nevent: response.created"},
    };
    struct arena a;
    struct str stream;
    const char *mark;

    (void)state;
    arena_init(&a);
    stream = good(&a, "responses");
    /* [DONE] may be missing, so that is no cut. */
    mark = strstr(stream.p, "data: [DONE]");
    assert_non_null(mark);
    assert_null(shape_responses(&a, str_of(stream.p, (size_t)(mark - stream.p))));
    for (size_t i = 0; i < COUNT(flaws); i++)
        if (!shape_responses(&a, with_flaw(&a, stream, &flaws[i])))
            fail_msg("not found: %s became %s", flaws[i].from, flaws[i].to);
    check("responses", str_of(stream.p, (size_t)(mark - stream.p)), flaws, 0);
    arena_fini(&a);
}

static void
messages_faults_are_found(void **state)
{
    static const char stream[] =
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\","
        "\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":[],"
        "\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{\"input_tokens\":1,"
        "\"output_tokens\":1}}}\n\n"
        "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,"
        "\"content_block\":{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}}\n\n"
        "event: ping\ndata: {\"type\":\"ping\"}\n\n"
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,"
        "\"delta\":{\"type\":\"thinking_delta\",\"thinking\":\"Hm\"}}\n\n"
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,"
        "\"delta\":{\"type\":\"signature_delta\",\"signature\":\"S\"}}\n\n"
        "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n"
        "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":1,"
        "\"content_block\":{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{}}}"
        "\n\n"
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":1,"
        "\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"{}\"}}\n\n"
        "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":1}\n\n"
        "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":"
        "\"tool_use\",\"stop_sequence\":null},\"usage\":{\"output_tokens\":2}}\n\n"
        "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
    static const struct flaw flaws[] = {
        {"event: message_start", "event: ping"},
        {"event: message_start\n", ""},
        {"\"type\":\"message_start\"", "\"type\":\"ping\""},
        {"\"id\":\"msg_1\",", ""},
        {"\"model\":\"m\",", ""},
        {"\"content\":[]", "\"content\":null"},
        {"\"stop_reason\":null,", ""},
        {"\"input_tokens\":1,", ""},
        {"\"index\":0", "\"index\":1"},
        {"\"index\":1", "\"index\":2"},
        {"\"thinking\":\"\",", ""},
        {",\"signature\":\"\"", ""},
        {"thinking_delta", "text_delta"},
        {"\"thinking\":\"Hm\"", "\"thinking\":\"\""},
        {"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,"
         "\"delta\":{\"type\":\"signature_delta\",\"signature\":\"S\"}}\n\n",
         ""},
        {"thinking_delta\",\"thinking\":\"Hm\"", "signature_delta\",\"signature\":\"S\""},
        {"event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n",
         ""},
        {"\"index\":0}\n\n", "\"index\":1}\n\n"},
        {"\"id\":\"t\",", ""},
        {"\"name\":\"f\",", ""},
        {"\"input\":{}", "\"input\":{\"a\":1}"},
        {"\"partial_json\":\"{}\"", "\"partial_json\":\"{\""},
        {"\"partial_json\":\"{}\"", "\"partial_json\":\"\""},
        {"\"partial_json\":\"{}\"", "\"partial_json\":\"[]\""},
        {"\"stop_reason\":\"tool_use\"", "\"stop_reason\":\"end_turn\""},
        {"\"stop_reason\":\"tool_use\"", "\"stop_reason\":null"},
        {"\"stop_sequence\":null},\"usage\"", "\"stop_sequence\":\"x\"},\"usage\""},
        {"\"usage\":{\"output_tokens\":2}", "\"usage\":{}"},
        {"event: message_stop", "event: ping\ndata: {}\n\nevent: message_stop"},
        {"event: message_delta",
         "event: message_start\ndata: {\"type\":\"message_start\"}\n\nevent: message_delta"},
        {"event: message_stop",
         "event: later\ndata: {\"type\":\"later\"}\n\nevent: message_stop"},
        {"{\"type\":\"message_stop\"}\n\n",
         "{\"type\":\"message_stop\"}\n\nevent: ping\ndata: {\"type\":\"ping\"}\n\n"},
    };

    (void)state;
    check("messages", str_z(stream), flaws, COUNT(flaws));
}

static void
records_are_split(void **state)
{
    struct str rest =
        STR(": hello\n\nevent: a\ndata:1\n\n\ndata: x\ndata: y\n\nevent: b\n\ndata: cut");
    static const char *const want[][2] = {{"a", "1"}, {"", "x\ny"}, {"b", ""}, {"", "cut"}};
    struct shape_record r;
    struct arena a;

    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < COUNT(want); i++) {
        assert_true(shape_next(&a, &rest, &r));
        assert_true(str_eq(r.event, str_z(want[i][0])));
        assert_true(str_eq(r.data, str_z(want[i][1])));
    }
    assert_false(shape_next(&a, &rest, &r));
    arena_fini(&a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chat_faults_are_found),
        cmocka_unit_test(responses_faults_are_found),
        cmocka_unit_test(messages_faults_are_found),
        cmocka_unit_test(records_are_split),
    };
    int failed = cmocka_run_group_tests_name("dialect/shapes", tests, NULL, NULL);

    arena_thread_fini();
    return failed;
}
