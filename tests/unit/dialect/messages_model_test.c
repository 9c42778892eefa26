/* messages_model_test.c -- what models behind the Messages dialect are expected to take, and
 * requests that keep within it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/messages_out.h"

#define OLD      "claude-sonnet-4-5-20250929"
#define OLD_HEAD MESSAGES_TO(OLD)
#define USER     "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"
#define TOOL     ",\"tools\":[{\"name\":\"f\",\"input_schema\":{\"type\":\"object\"}}]"
#define TOOL_OUT "\"tools\":[{\"name\":\"f\",\"input_schema\":{\"type\":\"object\"}}],"

enum { L = CAPS_THINKING_LEVEL, B = CAPS_THINKING_BUDGET, N = CAPS_THINKING_NONE };

/* One row a family: thinking, system text, older thoughts, form of answers; whether it samples
 * and goes on with an answer. */
static void
families_and_servers(void **state)
{
    static const struct {
        enum caps_server server;
        const char *model;
        int thinking;
        enum caps_system system;
        enum caps_replay replay;
        enum caps_format format;
        bool sampling, prefill;
    } rows[] = {
#define CLAUDE(model, thinking, system, format, sampling, prefill)                             \
    {CAPS_SERVER_ANTHROPIC, model,    thinking, CAPS_SYSTEM_##system, CAPS_REPLAY_NEVER,       \
     CAPS_FORMAT_##format,  sampling, prefill}
        CLAUDE("claude-2.1", N, REMIND, PROMPT, true, true),
        CLAUDE("claude-3-5-haiku-20241022", N, REMIND, PROMPT, true, true),
        CLAUDE("claude-3-7-sonnet-20250219", B, REMIND, PROMPT, true, true),
        CLAUDE("claude-sonnet-4-20250514", B, REMIND, PROMPT, true, true),
        CLAUDE("claude-opus-4-0", B, REMIND, PROMPT, true, true),
        CLAUDE("claude-opus-4", B, REMIND, PROMPT, true, true),
        CLAUDE("claude-opus-4-1-20250805", B, REMIND, ONLY_SCHEMA, true, true),
        CLAUDE("us.anthropic.claude-haiku-4-5-20251001-v1:0", B, REMIND, ONLY_SCHEMA, true,
               true),
        CLAUDE("claude-opus-4-6", L, KEEP, ONLY_SCHEMA, true, false),
        CLAUDE("claude-sonnet-4-6", L, KEEP, ONLY_SCHEMA, true, false),
        CLAUDE("claude-opus-4-7", L, KEEP, ONLY_SCHEMA, false, false),
        CLAUDE("claude-fable-5", L, KEEP, ONLY_SCHEMA, false, false),
        CLAUDE("mythos-next", L, KEEP, ONLY_SCHEMA, false, false),
#undef CLAUDE
        {CAPS_SERVER_AUTO, "claude-opus-4-7", L, CAPS_SYSTEM_KEEP, CAPS_REPLAY_NEVER,
         CAPS_FORMAT_ONLY_SCHEMA, false, false},
        {CAPS_SERVER_OPENROUTER, "anthropic/claude-sonnet-4.5", B, CAPS_SYSTEM_REMIND,
         CAPS_REPLAY_NEVER, CAPS_FORMAT_ONLY_SCHEMA, true, true},
        {CAPS_SERVER_AUTO, "anything", L, CAPS_SYSTEM_REMIND, CAPS_REPLAY_NEVER,
         CAPS_FORMAT_ONLY_SCHEMA, true, true},
        {CAPS_SERVER_VLLM, "Qwen/Qwen3-32B", B, CAPS_SYSTEM_REMIND, CAPS_REPLAY_TOOL_TURNS,
         CAPS_FORMAT_PROMPT, true, false},
        {CAPS_SERVER_LLAMA_CPP, "m.gguf", B, CAPS_SYSTEM_REMIND, CAPS_REPLAY_TOOL_TURNS,
         CAPS_FORMAT_PROMPT, true, true},
        {CAPS_SERVER_OLLAMA, "llama3", N, CAPS_SYSTEM_REMIND, CAPS_REPLAY_TOOL_TURNS,
         CAPS_FORMAT_PROMPT, true, true},
        {CAPS_SERVER_OLLAMA, "qwen3:8b", B, CAPS_SYSTEM_REMIND, CAPS_REPLAY_TOOL_TURNS,
         CAPS_FORMAT_PROMPT, true, true},
        {CAPS_SERVER_LM_STUDIO, "m", B, CAPS_SYSTEM_REMIND, CAPS_REPLAY_TOOL_TURNS,
         CAPS_FORMAT_PROMPT, true, false},
        {CAPS_SERVER_DEEPSEEK, "deepseek-v4-pro", B, CAPS_SYSTEM_REMIND, CAPS_REPLAY_ALWAYS,
         CAPS_FORMAT_PROMPT, true, false},
        {CAPS_SERVER_AUTO, "deepseek-chat", B, CAPS_SYSTEM_REMIND, CAPS_REPLAY_ALWAYS,
         CAPS_FORMAT_PROMPT, true, false},
        /* A name alone does not make a Claude of what a local server has. */
        {CAPS_SERVER_VLLM, "my-claude-like", B, CAPS_SYSTEM_REMIND, CAPS_REPLAY_TOOL_TURNS,
         CAPS_FORMAT_PROMPT, true, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ir_caps c = messages_route(rows[i].server, rows[i].model).caps;

        if ((int)c.thinking != rows[i].thinking || c.system != rows[i].system ||
            c.replay != rows[i].replay || c.format != rows[i].format ||
            c.sampling != rows[i].sampling || c.prefill != rows[i].prefill)
            fail_msg("%s: thinking %d system %d replay %d format %d sampling %d prefill %d",
                     rows[i].model, c.thinking, c.system, c.replay, c.format, c.sampling,
                     c.prefill);
    }
}

/* The encoder goes by the route alone, so nothing may be left unsaid. */
static void
nothing_is_left_unsaid(void **state)
{
    (void)state;
    for (int server = 0; server < CAPS_SERVER_N; server++) {
        struct ir_caps c = messages_route((enum caps_server)server, "m").caps;

        assert_true(c.thinking && c.system && c.replay && c.format && c.orphans);
        assert_true(c.stop_max > 0 && c.stop_max <= IR_STOP_MAX);
        assert_int_equal(c.tool_name_max, 128);
        assert_true(c.cache_marks);
        assert_false(c.custom_tools);
        assert_true(c.format != CAPS_FORMAT_SCHEMA && c.format != CAPS_FORMAT_OBJECT);
    }
}

static void
budget_without_limit(struct arena *a, struct ir_req *req)
{
    messages_from_chat(a, req);
    req->max_tokens = -1;
    req->think_budget = 9000;
}

/* Pitfalls E7, D9. */
static void
thinking_is_asked_for_in_the_form_that_fits(void **state)
{
    struct messages_result r;

    (void)state;
    messages_expect(
        MESSAGES_IN(",\"thinking\":{\"type\":\"adaptive\",\"display\":\"summarized\"},"
                    "\"output_config\":{\"effort\":\"high\"}"),
        NULL,
        MESSAGES_HEAD MESSAGES_SAID
        ",\"thinking\":{\"type\":\"adaptive\",\"display\":\"summarized\"},"
        "\"output_config\":{\"effort\":\"high\"}}",
        "");
    messages_expect(MESSAGES_IN(",\"thinking\":{\"type\":\"disabled\"}"), NULL,
                    MESSAGES_HEAD MESSAGES_SAID ",\"thinking\":{\"type\":\"disabled\"}}", "");
    /* A budget becomes a level where levels are all that the model knows. */
    messages_expect(MESSAGES_IN(",\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":9000}"),
                    NULL,
                    MESSAGES_HEAD MESSAGES_SAID
                    ",\"thinking\":{\"type\":\"adaptive\",\"display\":\"summarized\"},"
                    "\"output_config\":{\"effort\":\"high\"}}",
                    "");
    /* A limit is made to leave room behind the budget, or the budget stays below the client's.
     */
    messages_expect_on(messages_route(CAPS_SERVER_AUTO, OLD), MESSAGES_IN(""),
                       budget_without_limit,
                       "{\"model\":\"" OLD "\",\"max_tokens\":17192," MESSAGES_SAID
                       ",\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":9000}}",
                       "");
    messages_expect_on(
        messages_route(CAPS_SERVER_AUTO, OLD),
        MESSAGES_IN(",\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":4096}"), NULL,
        OLD_HEAD MESSAGES_SAID ",\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":1836,"
                               "\"display\":\"summarized\"}}",
        "");
    messages_run(&r,
                 "{\"model\":\"m\",\"max_tokens\":40000," USER
                 ",\"output_config\":{\"effort\":\"high\"}}",
                 NULL, messages_route(CAPS_SERVER_AUTO, OLD));
    assert_int_equal(r.rc, TG_OK);
    assert_non_null(
        strstr(r.body.p, "\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":16384"));
    assert_null(strstr(r.body.p, "output_config"));
    messages_fini(&r);
    /* No room for the least budget. */
    messages_expect_on(messages_route(CAPS_SERVER_AUTO, OLD),
                       "{\"model\":\"m\",\"max_tokens\":1024," USER
                       ",\"output_config\":{\"effort\":\"high\"}}",
                       NULL,
                       "{\"model\":\"" OLD "\",\"max_tokens\":1024," MESSAGES_SAID
                       ",\"thinking\":{\"type\":\"disabled\"}}",
                       "thinking");
}

/* Pitfall D9: a forced choice wins over a budget, not over a level, and it is said. */
static void
a_forced_choice_and_thinking(void **state)
{
    (void)state;
    messages_expect_on(
        messages_route(CAPS_SERVER_AUTO, OLD),
        MESSAGES_IN(TOOL ",\"tool_choice\":{\"type\":\"any\"},"
                         "\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":1024}"),
        NULL,
        OLD_HEAD "\"tools\":[{\"name\":\"f\",\"input_schema\":{\"type\":\"object\"}}],"
                 "\"tool_choice\":{\"type\":\"any\"}," MESSAGES_SAID
                 ",\"thinking\":{\"type\":\"disabled\"}}",
        "thinking");
    messages_expect(
        MESSAGES_IN(
            TOOL ",\"tool_choice\":{\"type\":\"any\"},\"output_config\":{\"effort\":\"low\"}"),
        NULL,
        MESSAGES_HEAD TOOL_OUT "\"tool_choice\":{\"type\":\"any\"}," MESSAGES_SAID
                               ",\"thinking\":{\"type\":"
                               "\"adaptive\"},\"output_config\":{"
                               "\"effort\":\"low\"}}",
        "");
}

/* Pitfall E7: a model that cannot think is not asked to; that thoughts are not wanted goes
 * without saying. */
static void
a_model_that_does_not_think(void **state)
{
    static const char head[] = "{\"model\":\"llama3\",\"max_tokens\":2048," MESSAGES_SAID "}";

    (void)state;
    messages_expect_on(messages_route(CAPS_SERVER_OLLAMA, "llama3"),
                       MESSAGES_IN(",\"output_config\":{\"effort\":\"high\"}"),
                       messages_from_chat, head, "reasoning_effort");
    messages_expect_on(messages_route(CAPS_SERVER_OLLAMA, "llama3"),
                       MESSAGES_IN(",\"thinking\":{\"type\":\"disabled\"}"), NULL, head, "");
}

/* Pitfall B7; version 2026-10-21 of the dialect, and every newer model, refuses the fields. */
static void
sampling_is_left_to_newer_models(void **state)
{
    (void)state;
    messages_expect(MESSAGES_IN(",\"temperature\":0.5,\"top_p\":0.9,\"top_k\":3"), NULL,
                    MESSAGES_HEAD MESSAGES_SAID "}", "temperature top_p top_k");
    messages_expect(MESSAGES_IN(",\"temperature\":1.0,\"top_p\":0.99"), NULL,
                    MESSAGES_HEAD MESSAGES_SAID "}", "");
    messages_expect_refused(MESSAGES_STRICT, MESSAGES_IN(",\"temperature\":0.5"), NULL,
                            "temperature");
    /* Who thinks does not sample. */
    messages_expect_on(
        messages_route(CAPS_SERVER_AUTO, "claude-opus-4-6"),
        MESSAGES_IN(",\"output_config\":{\"effort\":\"low\"},\"temperature\":0.5,\"top_k\":3,"
                    "\"top_p\":0.9"),
        NULL,
        "{\"model\":\"claude-opus-4-6\",\"max_tokens\":2048," MESSAGES_SAID
        ",\"thinking\":{\"type\":\"adaptive\"},\"output_config\":{\"effort\":\"low\"}}",
        "temperature top_p top_k");
}

#define LOOP(thought)                                                                          \
    "{\"model\":\"m\",\"max_tokens\":4000,\"thinking\":{\"type\":\"enabled\","                 \
    "\"budget_tokens\":1024},\"messages\":[{\"role\":\"user\",\"content\":\"hi\"},"            \
    "{\"role\":\"assistant\",\"content\":[" thought "{\"type\":\"tool_use\",\"id\":\"t\","     \
    "\"name\":\"f\",\"input\":{}}]},{\"role\":\"user\",\"content\":[{\"type\":"                \
    "\"tool_result\",\"tool_use_id\":\"t\",\"content\":\"1\"}]}]}"

/* Pitfall E1. */
static void
lost_thoughts_turn_thinking_off(void **state)
{
    const struct dialect_route old = messages_route(CAPS_SERVER_AUTO, OLD);
    struct messages_result r;

    (void)state;
    messages_run(&r, LOOP(""), messages_from_chat, old);
    assert_non_null(strstr(r.body.p, "\"thinking\":{\"type\":\"disabled\"}"));
    assert_string_equal(r.drops.p, "reasoning_effort");
    messages_fini(&r);
    messages_run(&r, LOOP("{\"type\":\"thinking\",\"thinking\":\"Hm\",\"signature\":\"S=\"},"),
                 messages_from_chat, old);
    assert_non_null(strstr(r.body.p, "\"thinking\":{\"type\":\"enabled\""));
    assert_non_null(
        strstr(r.body.p, "{\"type\":\"thinking\",\"thinking\":\"Hm\",\"signature\":\"S=\"}"));
    messages_fini(&r);
    /* Servers that do not look at proofs do not miss them. */
    messages_run(&r, LOOP(""), messages_from_chat, messages_route(CAPS_SERVER_VLLM, "qwen3"));
    assert_non_null(strstr(r.body.p, "\"thinking\":{\"type\":\"enabled\""));
    assert_int_equal(r.drops.n, 0);
    messages_fini(&r);
}

#define CONVERSATION                                                                           \
    MESSAGES_TURNS(                                                                            \
        "{\"role\":\"system\",\"content\":\"one\"},{\"role\":\"user\",\"content\":\"hi\"},"    \
        "{\"role\":\"system\",\"content\":\"two\"},{\"role\":\"user\",\"content\":\"go\"}")

/* Pitfall B5: kept, in the user's words, or at the head. */
static void
system_text_in_mid_conversation(void **state)
{
    struct dialect_route merge = messages_route(CAPS_SERVER_VLLM, "qwen3");

    (void)state;
    messages_expect(CONVERSATION, NULL,
                    MESSAGES_HEAD
                    "\"system\":[{\"type\":\"text\",\"text\":\"one\"}],\"messages\":[{\"role\":"
                    "\"user\",\"content\":[{\"type\":\"text\",\"text\":\"hi\"}]},{\"role\":"
                    "\"system\",\"content\":[{\"type\":\"text\",\"text\":\"two\"}]},{\"role\":"
                    "\"user\",\"content\":[{\"type\":\"text\",\"text\":\"go\"}]}]}",
                    "");
    messages_expect_on(
        messages_route(CAPS_SERVER_ANTHROPIC, OLD), CONVERSATION, NULL,
        OLD_HEAD
        "\"system\":[{\"type\":\"text\",\"text\":\"one\"}],\"messages\":[{\"role\":\"user\","
        "\"content\":[{\"type\":\"text\",\"text\":\"hi\"},{\"type\":\"text\",\"text\":"
        "\"<system-reminder>\\ntwo\\n</system-reminder>\"},{\"type\":\"text\",\"text\":"
        "\"go\"}]}]}",
        "");
    merge.caps.system = CAPS_SYSTEM_MERGE;
    messages_expect_on(merge, CONVERSATION, NULL,
                       MESSAGES_TO("qwen3") "\"system\":[{\"type\":\"text\",\"text\":\"one\"},"
                                            "{\"type\":\"text\",\"text\":\"two\"}],\"messages\""
                                            ":[{\"role\":\"user\",\"content\":[{\"type\":"
                                            "\"text\",\"text\":\"hi\"}]},{\"role\":\"user\","
                                            "\"content\":[{\"type\":\"text\",\"text\":\"go\"}]}"
                                            "]}",
                       "");
}

#define PREFILL                                                                                \
    MESSAGES_TURNS("{\"role\":\"user\",\"content\":\"hi\"},{\"role\":\"assistant\","           \
                   "\"content\":\"{\"}")

static void
from_responses(struct arena *a, struct ir_req *req)
{
    (void)a;
    req->origin = "responses";
}

/* An answer to go on with: newer models refuse it, so it is refused by its place. */
static void
answers_to_go_on_with(void **state)
{
    (void)state;
    messages_expect_refused(MESSAGES_ANY, PREFILL, messages_from_chat, "messages.1");
    messages_expect_refused(MESSAGES_ANY, PREFILL, from_responses, "input.1");
    messages_expect_refused(messages_route(CAPS_SERVER_VLLM, "qwen3"), PREFILL,
                            messages_from_chat, "messages.1");
    messages_expect_on(messages_route(CAPS_SERVER_ANTHROPIC, OLD), PREFILL, messages_from_chat,
                       OLD_HEAD "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":"
                                "\"text\",\"text\":\"hi\"}]},{\"role\":\"assistant\","
                                "\"content\":[{\"type\":\"text\",\"text\":\"{\"}]}]}",
                       "");
    /* One from which nothing is left is none. */
    messages_expect(MESSAGES_TURNS("{\"role\":\"user\",\"content\":\"hi\"},{\"role\":"
                                   "\"assistant\",\"content\":\"\"}"),
                    messages_from_chat, MESSAGES_HEAD MESSAGES_SAID "}", "");
    /* A pause_turn is sent back as it came. */
    messages_expect(
        MESSAGES_TURNS("{\"role\":\"user\",\"content\":\"hi\"},{\"role\":\"assistant\","
                       "\"content\":[{\"type\":\"server_tool_use\",\"id\":\"s\",\"name\":"
                       "\"web_search\",\"input\":{}}]}"),
        NULL,
        MESSAGES_HEAD "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\","
                      "\"text\":\"hi\"}]},{\"role\":\"assistant\",\"content\":[{\"type\":"
                      "\"server_tool_use\",\"id\":\"s\",\"name\":\"web_search\",\"input\":{}}]}"
                      "]}",
        "");
}

/* Thoughts of another maker, with text, in three answers: a plain one, one that called, and one
 * that called behind words of the user beside the results, which begin no new turn. */
#define THOUGHT(n) "{\"type\":\"thinking\",\"thinking\":\"Hm " #n "\",\"signature\":\"X\"}"
#define USED(n)    "{\"type\":\"tool_use\",\"id\":\"t" #n "\",\"name\":\"f\",\"input\":{}}"
#define GAVE(n)                                                                                \
    "{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"t" #n "\","   \
    "\"content\":\"1\"}]}"
#define THOUGHTS                                                                               \
    MESSAGES_TURNS(                                                                            \
        "{\"role\":\"user\",\"content\":\"hi\"},{\"role\":\"assistant\","                      \
        "\"content\":[" THOUGHT(                                                               \
            1) ",{\"type\":\"text\",\"text\":\"a\"}]},"                                        \
               "{\"role\":\"user\",\"content\":\"go\"},{\"role\":\"assistant\","               \
               "\"content\":[" THOUGHT(2) "," USED(2) "]}," GAVE(                              \
                   2) ",{\"role\":\"user\","                                                   \
                      "\"content\":\"on\"},{\"role\":\"assistant\",\"content\":[" THOUGHT(     \
                          3) "," USED(3) "]}," GAVE(3))

static void
thoughts_of_responses(struct arena *a, struct ir_req *req)
{
    messages_from_chat(a, req);
    for (struct ir_msg *m = req->msgs; m; m = m->next)
        for (struct ir_block *b = m->blocks; b; b = b->next)
            if (b->kind == IR_THINK)
                b->origin = "responses";
}

static void
expect_replayed(struct dialect_route route, const char *which, const char *drops)
{
    struct messages_result r;
    const char *at;

    messages_run(&r, THOUGHTS, thoughts_of_responses, route);
    assert_int_equal(r.rc, TG_OK);
    for (at = r.body.p; (at = strstr(at, "\"thinking\":\"Hm ")); at++) {
        if (at[15] != *which++)
            fail_msg("%s", r.body.p);
        /* Never with a proof that its maker did not make. */
        assert_memory_equal(at + 16, "\",\"signature\":\"\"}", 17);
    }
    assert_int_equal(*which, '\0');
    assert_string_equal(r.drops.p, drops);
    messages_fini(&r);
}

/* Pitfalls E5, E6, E8: what a server does not have the proof of it gets as text, or not at all,
 * and what stays behind is said; never an error. */
static void
thoughts_of_others_by_the_route(void **state)
{
    (void)state;
    expect_replayed(messages_route(CAPS_SERVER_DEEPSEEK, "deepseek-v4-pro"), "123", "");
    expect_replayed(messages_route(CAPS_SERVER_VLLM, "qwen3"), "23", "messages.1.reasoning");
    expect_replayed(messages_route(CAPS_SERVER_ANTHROPIC, "claude-opus-4-7"), "",
                    "messages.1.reasoning messages.3.reasoning messages.6.reasoning");
}

/* Hints and switches that a model does not know. */
static void
what_a_route_does_not_take_is_said(void **state)
{
    static const char marked[] =
        "{\"model\":\"m\",\"max_tokens\":2048,\"messages\":[{\"role\":\"user\",\"content\":[{"
        "\"type\":\"text\",\"text\":\"hi\",\"cache_control\":{\"type\":\"ephemeral\"}}]}]}";
    struct dialect_route plain = messages_route(CAPS_SERVER_AUTO, "m");

    (void)state;
    plain.caps.cache_marks = false;
    messages_expect_on(plain, marked, NULL, MESSAGES_TO("m") MESSAGES_SAID "}",
                       "cache_control");
    messages_expect_on(plain, marked, messages_from_chat, MESSAGES_TO("m") MESSAGES_SAID "}",
                       "prompt_cache_breakpoint");
    messages_expect_on(
        messages_route(CAPS_SERVER_VLLM, "m"),
        MESSAGES_IN(TOOL ",\"tool_choice\":{\"type\":\"auto\",\"disable_parallel_tool_use\":"
                         "true}"),
        messages_from_chat,
        MESSAGES_TO("m") TOOL_OUT "\"tool_choice\":{\"type\":\"auto\"}," MESSAGES_SAID "}",
        "parallel_tool_calls");
    messages_expect_on(
        messages_route(CAPS_SERVER_VLLM, "m"),
        MESSAGES_IN(",\"output_config\":{\"format\":{\"type\":\"json_schema\",\"schema\":{}}}"),
        NULL, MESSAGES_TO("m") MESSAGES_SAID "}", "output_config.format");
}

static void
chat_search(struct arena *a, struct ir_req *req)
{
    messages_from_chat(a, req);
    req->tools = arena_new(a, struct ir_tool);
    *req->tools = (struct ir_tool){
        .name = STR("web_search"),
        .hosted_by = "responses",
        .raw = STR("{\"type\":\"web_search\",\"search_context_size\":\"low\",\"filters\":{"
                   "\"blocked_domains\":[\"a.example\"]}}"),
        .allowed = true};
}

static void
chat_search_forced(struct arena *a, struct ir_req *req)
{
    chat_search(a, req);
    req->tool_choice = IR_CHOICE_NAMED;
    req->tool_name = STR("web_search");
}

static void
a_search_where_there_is_none(void **state)
{
    const struct dialect_route none = messages_route(CAPS_SERVER_VLLM, "m");

    (void)state;
    messages_expect(MESSAGES_IN(""), chat_search,
                    MESSAGES_HEAD "\"tools\":[{\"type\":\"web_search_20250305\",\"name\":"
                                  "\"web_search\",\"blocked_domains\":[\"a.example\"]}]," //
                    MESSAGES_SAID "}",
                    "web_search_options.search_context_size");
    messages_expect_on(none, MESSAGES_IN(""), chat_search, MESSAGES_TO("m") MESSAGES_SAID "}",
                       "web_search_options");
    messages_expect_refused(none, MESSAGES_IN(""), chat_search_forced, "tool_choice");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(families_and_servers),
        cmocka_unit_test(nothing_is_left_unsaid),
        cmocka_unit_test(thinking_is_asked_for_in_the_form_that_fits),
        cmocka_unit_test(a_forced_choice_and_thinking),
        cmocka_unit_test(a_model_that_does_not_think),
        cmocka_unit_test(sampling_is_left_to_newer_models),
        cmocka_unit_test(lost_thoughts_turn_thinking_off),
        cmocka_unit_test(system_text_in_mid_conversation),
        cmocka_unit_test(answers_to_go_on_with),
        cmocka_unit_test(thoughts_of_others_by_the_route),
        cmocka_unit_test(what_a_route_does_not_take_is_said),
        cmocka_unit_test(a_search_where_there_is_none),
    };

    return cmocka_run_group_tests_name("dialect/messages_model", tests, NULL, NULL);
}
