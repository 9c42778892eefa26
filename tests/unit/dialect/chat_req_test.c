/* chat_req_test.c -- requests that are refused, and where the error says it lies; requests at
 * the edge of what is accepted.  What ordinary requests become is in the golden cases. */
#include "triglot/dialect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

static const struct dialect *chat;

#define M      "\"model\":\"m\""
#define U      "{\"role\":\"user\",\"content\":\"x\"}"
#define BASE   "{" M ",\"messages\":[" U "]"
#define MSG(m) "{" M ",\"messages\":[" U "," m "]}"
#define TOOLS  ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]"

#define NAME_65 "01234567890123456789012345678901234567890123456789012345678901234"

static void
refused_generate(void **state)
{
    static const struct {
        const char *body, *param, *code;
    } rows[] = {
        {"nope", "", "invalid_json"},
        {"{\"messages\":[" U "]}", "model", "missing_required_parameter"},
        {"{" M "}", "messages", "missing_required_parameter"},
        {"{" M ",\"messages\":{}}", "messages", "invalid_type"},
        {"{" M ",\"messages\":[]}", "messages", "empty_array"},
        {"{" M ",\"messages\":[1]}", "messages.0", "invalid_type"},
        {MSG("{\"content\":\"x\"}"), "messages.1.role", "missing_required_parameter"},
        {MSG("{\"role\":\"alien\",\"content\":\"x\"}"), "messages.1.role", "invalid_value"},
        {MSG("{\"role\":\"user\"}"), "messages.1.content", "missing_required_parameter"},
        {MSG("{\"role\":\"user\",\"content\":null}"), "messages.1.content",
         "missing_required_parameter"},
        {MSG("{\"role\":\"user\",\"content\":7}"), "messages.1.content", "invalid_type"},
        {MSG("{\"role\":\"user\",\"content\":\"\\udc00\"}"), "messages.1.content",
         "invalid_value"},
        {MSG("{\"role\":\"user\",\"content\":[\"x\"]}"), "messages.1.content.0",
         "invalid_type"},
        {MSG("{\"role\":\"user\",\"content\":[{\"text\":\"x\"}]}"), "messages.1.content.0.type",
         "missing_required_parameter"},
        {MSG("{\"role\":\"user\",\"content\":[{\"type\":\"text\"}]}"),
         "messages.1.content.0.text", "missing_required_parameter"},
        {MSG("{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":1}]}"),
         "messages.1.content.0.text", "invalid_type"},
        {MSG("{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":\"u\"}]}"),
         "messages.1.content.0.image_url", "invalid_type"},
        {MSG("{\"role\":\"system\",\"content\":[{\"type\":\"image_url\",\"image_url\":{}}]}"),
         "messages.1.content.0.type", "invalid_value"},
        {MSG("{\"role\":\"user\",\"content\":[{\"type\":\"refusal\",\"refusal\":\"x\"}]}"),
         "messages.1.content.0.type", "invalid_value"},
        {MSG("{\"role\":\"tool\",\"content\":\"x\"}"), "messages.1.tool_call_id",
         "missing_required_parameter"},
        {MSG("{\"role\":\"tool\",\"tool_call_id\":\"c\",\"content\":[{\"type\":\"image_url\","
             "\"image_"
             "url\":{}}]}"),
         "messages.1.content.0.type", "invalid_value"},
        {MSG("{\"role\":\"assistant\"}"), "messages.1.content", "missing_required_parameter"},
        {MSG("{\"role\":\"assistant\",\"tool_calls\":{}}"), "messages.1.tool_calls",
         "invalid_type"},
        {MSG("{\"role\":\"assistant\",\"tool_calls\":[{\"type\":\"function\"}]}"),
         "messages.1.tool_calls.0.id", "missing_required_parameter"},
        {MSG("{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"c\",\"type\":\"rocket\"}]}"),
         "messages.1.tool_calls.0.type", "invalid_value"},
        {MSG("{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"c\",\"type\":\"custom\"}]}"),
         "messages.1.tool_calls.0.custom", "missing_required_parameter"},
        {MSG("{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"c\",\"function\":{"
             "\"arguments\":\"\"}}]}"),
         "messages.1.tool_calls.0.function.name", "missing_required_parameter"},
        {MSG("{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"c\",\"function\":{\"name\":"
             "\"f\","
             "\"arguments\":{}}}]}"),
         "messages.1.tool_calls.0.function.arguments", "invalid_type"},
        {BASE ",\"stream\":\"yes\"}", "stream", "invalid_type"},
        {BASE ",\"stream_options\":[]}", "stream_options", "invalid_type"},
        {BASE ",\"stream_options\":{\"include_usage\":1}}", "stream_options.include_usage",
         "invalid_type"},
        {BASE ",\"max_tokens\":0}", "max_tokens", "invalid_value"},
        {BASE ",\"max_tokens\":1.5}", "max_tokens", "invalid_type"},
        {BASE ",\"max_tokens\":\"5\"}", "max_tokens", "invalid_type"},
        {BASE ",\"max_completion_tokens\":1e400}", "max_completion_tokens", "invalid_value"},
        {BASE ",\"n\":0}", "n", "invalid_value"},
        {BASE ",\"n\":129}", "n", "invalid_value"},
        {BASE ",\"seed\":9223372036854775808}", "seed", "invalid_value"},
        {BASE ",\"temperature\":2.1}", "temperature", "invalid_value"},
        {BASE ",\"top_p\":-0.1}", "top_p", "invalid_value"},
        {BASE ",\"frequency_penalty\":\"0\"}", "frequency_penalty", "invalid_type"},
        {BASE ",\"presence_penalty\":1e400}", "presence_penalty", "invalid_value"},
        {BASE ",\"stop\":7}", "stop", "invalid_type"},
        {BASE ",\"stop\":\"\"}", "stop", "invalid_value"},
        {BASE ",\"stop\":[\"a\",7]}", "stop.1", "invalid_type"},
        {BASE ",\"stop\":[1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8]}", "stop.0", "invalid_type"},
        {BASE
         ",\"stop\":[\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\","
         "\"1\",\"1\",\"1\",\"1\",\"1\"]}",
         "stop", "invalid_value"},
        {BASE ",\"response_format\":\"json\"}", "response_format", "invalid_type"},
        {BASE ",\"response_format\":{}}", "response_format.type", "missing_required_parameter"},
        {BASE ",\"response_format\":{\"type\":\"xml\"}}", "response_format.type",
         "invalid_value"},
        {BASE ",\"response_format\":{\"type\":\"json_schema\"}}", "response_format.json_schema",
         "missing_required_parameter"},
        /* D-33: names that upstreams would refuse, and what is no form of a schema */
        {BASE
         ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"a b\","
         "\"schema\":{}}}}",
         "response_format.json_schema.name", "invalid_value"},
        {BASE ",\"response_format\":{\"type\":\"json_schema\",\"name\":\"" NAME_65
              "\",\"schema\":{}}}",
         "response_format.name", "invalid_value"},
        {BASE ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":7,"
              "\"schema\":{}}}}",
         "response_format.json_schema.name", "invalid_type"},
        {BASE ",\"response_format\":{\"type\":\"json_schema\",\"schema\":\"x\"}}",
         "response_format.schema", "invalid_type"},
        {BASE ",\"response_format\":{\"type\":\"json_schema\",\"name\":\"x\"}}",
         "response_format.json_schema", "missing_required_parameter"},
        {BASE ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":\"x\"}}",
         "response_format.json_schema", "invalid_type"},
        {BASE ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"r\","
              "\"schema\":[]}}}",
         "response_format.json_schema.schema", "invalid_type"},
        {BASE ",\"tools\":{}}", "tools", "invalid_type"},
        {BASE ",\"tools\":[{}]}", "tools.0.type", "missing_required_parameter"},
        {BASE ",\"tools\":[{\"type\":\"web_search\"}]}", "tools.0.type", "invalid_value"},
        {BASE ",\"tools\":[{\"type\":\"function\"}]}", "tools.0.function",
         "missing_required_parameter"},
        {BASE ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"\"}}]}",
         "tools.0.function.name", "invalid_value"},
        {BASE ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":["
              "]}}]}",
         "tools.0.function.parameters", "invalid_type"},
        {BASE ",\"tools\":[{\"type\":\"custom\",\"custom\":{}}]}", "tools.0.custom.name",
         "missing_required_parameter"},
        {BASE ",\"tool_choice\":\"required\"}", "tool_choice", "invalid_value"},
        {BASE TOOLS ",\"tool_choice\":\"any\"}", "tool_choice", "invalid_value"},
        {BASE TOOLS ",\"tool_choice\":[]}", "tool_choice", "invalid_type"},
        {BASE TOOLS ",\"tool_choice\":{\"type\":\"function\"}}", "tool_choice.function",
         "missing_required_parameter"},
        {BASE TOOLS ",\"tool_choice\":{\"type\":\"tool\",\"name\":\"f\"}}", "tool_choice.type",
         "invalid_value"},
        {BASE TOOLS ",\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"g\"}}}",
         "tool_choice.function.name", "invalid_value"},
        {BASE TOOLS
         ",\"tool_choice\":{\"type\":\"allowed_tools\",\"allowed_tools\":{\"mode\":\"none\","
         "\"tools\":[]}}}",
         "tool_choice.allowed_tools.mode", "invalid_value"},
        {BASE TOOLS
         ",\"tool_choice\":{\"type\":\"allowed_tools\",\"allowed_tools\":{\"mode\":\"auto\","
         "\"tools\":[]}}}",
         "tool_choice.allowed_tools.tools", "empty_array"},
        {BASE TOOLS
         ",\"tool_choice\":{\"type\":\"allowed_tools\",\"allowed_tools\":{\"mode\":\"auto\","
         "\"tools\":[{\"type\":\"custom\",\"custom\":{\"name\":\"z\"}}]}}}",
         "tool_choice.allowed_tools.tools.0.custom.name", "invalid_value"},
        {BASE ",\"parallel_tool_calls\":\"no\"}", "parallel_tool_calls", "invalid_type"},
        {BASE ",\"functions\":[]}", "functions", "empty_array"},
        {BASE ",\"functions\":{}}", "functions", "invalid_type"},
        {BASE ",\"functions\":[{}]}", "functions.0.name", "missing_required_parameter"},
        {BASE TOOLS ",\"functions\":[{\"name\":\"f\"}]}", "functions", "invalid_value"},
        {BASE ",\"function_call\":\"auto\"}", "function_call", "invalid_value"},
        {BASE ",\"functions\":[{\"name\":\"f\"}],\"function_call\":{\"name\":\"g\"}}",
         "function_call.name", "invalid_value"},
        {BASE ",\"reasoning_effort\":\"huge\"}", "reasoning_effort", "invalid_value"},
        /* D-31: one wish in two forms */
        {BASE ",\"reasoning_effort\":\"low\",\"reasoning\":{\"effort\":\"high\"}}",
         "reasoning.effort", "invalid_value"},
        {BASE ",\"reasoning_effort\":\"low\",\"reasoning\":{\"enabled\":false}}",
         "reasoning.enabled", "invalid_value"},
        {BASE ",\"reasoning\":{\"effort\":\"huge\"}}", "reasoning.effort", "invalid_value"},
        {BASE ",\"reasoning\":{\"summary\":true}}", "reasoning.summary", "invalid_type"},
        {BASE ",\"reasoning\":{\"max_tokens\":-1}}", "reasoning.max_tokens", "invalid_value"},
        {BASE ",\"reasoning\":\"high\"}", "reasoning", "invalid_type"},
        {BASE ",\"max_response_tokens\":0}", "max_response_tokens", "invalid_value"},
        {BASE ",\"max_output_tokens\":\"9\"}", "max_output_tokens", "invalid_type"},
        {BASE ",\"top_logprobs\":21}", "top_logprobs", "invalid_value"},
        {BASE ",\"logit_bias\":[]}", "logit_bias", "invalid_type"},
        {BASE ",\"metadata\":\"x\"}", "metadata", "invalid_type"},
        {BASE ",\"user\":1}", "user", "invalid_type"},
        {BASE ",\"store\":\"no\"}", "store", "invalid_type"},
        {MSG("{\"role\":\"user\",\"content\":\"x\",\"name\":[]}"), "messages.1.name",
         "invalid_type"},
        {MSG("{\"role\":\"assistant\",\"reasoning_content\":{},\"content\":\"x\"}"),
         "messages.1.reasoning_content", "invalid_type"},
        {MSG("{\"role\":\"assistant\",\"reasoning_details\":{},\"content\":\"x\"}"),
         "messages.1.reasoning_details", "invalid_type"},
#define IMAGE(url)                                                                             \
    MSG("{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":"      \
        "\"" url "\"}}]}")
        {IMAGE("data:image/png,AA"), "messages.1.content.0.image_url.url", "invalid_value"},
        {IMAGE("data:image/png;base64,"), "messages.1.content.0.image_url.url",
         "invalid_value"},
        {IMAGE("data:image/png;base64"), "messages.1.content.0.image_url.url", "invalid_value"},
        {IMAGE("file:///etc/passwd"), "messages.1.content.0.image_url.url", "invalid_value"},
        {IMAGE("http://"), "messages.1.content.0.image_url.url", "invalid_value"},
        {MSG("{\"role\":\"user\",\"content\":[{\"type\":\"input_audio\",\"input_audio\":{"
             "\"data\":\"AA==\"}}]}"),
         "messages.1.content.0.input_audio.format", "missing_required_parameter"},
        {MSG("{\"role\":\"user\",\"content\":[{\"type\":\"file\",\"file\":{}}]}"),
         "messages.1.content.0.file.file_data", "missing_required_parameter"},
        {MSG("{\"role\":\"user\",\"content\":[{\"type\":\"file\",\"file\":{\"file_id\":\"f\","
             "\"file_data\":\"AA==\"}}]}"),
         "messages.1.content.0.file.file_id", "invalid_value"},
    };
    struct arena a;

    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ir_req req = {.choices = 77};
        struct tg_err err = {0};

        if (chat->decode_req(&a, str_z(rows[i].body), &req, &err) != TG_EINVAL)
            fail_msg("not refused: %s", rows[i].body);
        if (strcmp(err.param, rows[i].param) != 0 || strcmp(err.code, rows[i].code) != 0)
            fail_msg("%s: %s, %s, %s", rows[i].body, err.param, err.code, err.msg);
        assert_int_equal(err.http, 400);
        assert_int_equal(err.origin, TG_FROM_CLIENT);
        assert_int_equal(req.choices, 77); /* untouched */
    }
    arena_fini(&a);
}

static void
accepted_edges(void **state)
{
    static const char *const rows[] = {
        BASE "}",
        BASE ",\"stream\":null,\"n\":null,\"stop\":null,\"tools\":null,\"tool_choice\":null}",
        BASE ",\"tools\":[],\"tool_choice\":\"auto\"}",
        BASE ",\"tool_choice\":\"none\"}",
        BASE ",\"stop\":[]}",
        BASE
        ",\"max_tokens\":1e3,\"temperature\":2,\"top_p\":1.0,\"seed\":-9223372036854775808}",
        BASE ",\"response_format\":{\"type\":\"text\"}}",
        BASE ",\"response_format\":null}",
        MSG("{\"role\":\"user\",\"content\":[]}"),
        MSG("{\"role\":\"user\",\"content\":\"\"}"),
        MSG("{\"role\":\"assistant\",\"content\":\"\"}"),
        MSG("{\"role\":\"assistant\",\"content\":null,\"audio\":{\"id\":\"a\"}}"),
        MSG("{\"role\":\"tool\",\"tool_call_id\":\"c\",\"content\":\"\"}"),
        "{" M ",\"messages\":1,\"messages\":[" U "]}",
    };
    struct arena a;

    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ir_req req = {0};
        struct tg_err err = {0};

        if (chat->decode_req(&a, str_z(rows[i]), &req, &err) != TG_OK)
            fail_msg("%s: %s", rows[i], err.msg);
        assert_true(req.n_msgs >= 1 && req.choices == 1 && req.seed >= -1);
    }
    arena_fini(&a);
}

static void
refused_embed(void **state)
{
    static const struct {
        const char *body, *param, *code;
    } rows[] = {
        {"[]", "", "invalid_type"},
        {"{\"input\":\"x\"}", "model", "missing_required_parameter"},
        {"{" M "}", "input", "missing_required_parameter"},
        {"{" M ",\"input\":7}", "input", "invalid_type"},
        {"{" M ",\"input\":\"\"}", "input", "invalid_value"},
        {"{" M ",\"input\":[]}", "input", "empty_array"},
        {"{" M ",\"input\":[\"a\",\"\"]}", "input.1", "invalid_value"},
        {"{" M ",\"input\":[\"a\",{}]}", "input.1", "invalid_type"},
        {"{" M ",\"input\":\"a\",\"dimensions\":0}", "dimensions", "invalid_value"},
        {"{" M ",\"input\":\"a\",\"encoding_format\":\"hex\"}", "encoding_format",
         "invalid_value"},
    };
    struct arena a;

    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ir_embed_req req = {0};
        struct tg_err err = {0};

        if (chat->decode_embed(&a, str_z(rows[i].body), &req, &err) != TG_EINVAL)
            fail_msg("not refused: %s", rows[i].body);
        if (strcmp(err.param, rows[i].param) != 0 || strcmp(err.code, rows[i].code) != 0)
            fail_msg("%s: %s, %s, %s", rows[i].body, err.param, err.code, err.msg);
    }
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
        cmocka_unit_test(refused_generate),
        cmocka_unit_test(accepted_edges),
        cmocka_unit_test(refused_embed),
    };
    int failed = cmocka_run_group_tests_name("dialect/chat/req", tests, setup, NULL);

    arena_thread_fini();
    return failed;
}
