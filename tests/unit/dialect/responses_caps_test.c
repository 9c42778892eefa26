/* responses_caps_test.c -- what is expected of servers that speak Responses, and that a request
 * keeps within it: each capability is taken away once, and what it was about is gone and named.
 */
#include "triglot/dialect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "json/scan.h"

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

static const struct dialect *responses;

static struct ir_caps
caps_of(enum caps_server server, const char *model)
{
    struct ir_caps caps;

    responses->caps(server, str_z(model), &caps);
    return caps;
}

static void
families_of_models(void **state)
{
    static const struct {
        const char *model;
        bool sampling, thinks, custom, marks, logprobs;
    } rows[] = {
        {"o3", false, true, false, false, false},
        {"o4-mini-2025-04-16", false, true, false, false, false},
        {"gpt-5", false, true, true, false, false},
        {"gpt-5.5-pro", false, true, true, false, false},
        {"gpt-5.6", false, true, true, true, false},
        {"openai/gpt-6-mini", false, true, true, true, false},
        {"gpt-5-chat-latest", true, false, false, false, true},
        {"gpt-4o-mini", true, false, false, false, true},
        {"gpt-4.1", true, false, false, false, true},
        {"some-model", true, true, true, false, true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (enum caps_server s = CAPS_SERVER_AUTO; s <= CAPS_SERVER_OPENAI; s++) {
            struct ir_caps caps = caps_of(s, rows[i].model);

            if (caps.sampling != rows[i].sampling || caps.custom_tools != rows[i].custom ||
                caps.cache_marks != rows[i].marks || caps.logprobs != rows[i].logprobs ||
                (caps.thinking != CAPS_THINKING_NONE) != rows[i].thinks)
                fail_msg("%s", rows[i].model);
        }
}

/* Nothing is left unsaid, no server takes stop sequences, and the local ones know functions
 * alone. */
static void
every_server(void **state)
{
    (void)state;
    for (int s = 0; s < CAPS_SERVER_N; s++) {
        struct ir_caps caps = caps_of((enum caps_server)s, "qwen3");
        bool local = s == CAPS_SERVER_VLLM || s == CAPS_SERVER_OLLAMA ||
                     s == CAPS_SERVER_LLAMA_CPP || s == CAPS_SERVER_LM_STUDIO;

        assert_true(caps.thinking && caps.system && caps.replay && caps.format && caps.orphans);
        assert_true(caps.tool_name_max >= 64);
        assert_int_equal(caps.stop_max, 0);
        if (local)
            assert_false(caps.custom_tools || caps.web_search || caps.cache_marks);
    }
    assert_false(caps_of(CAPS_SERVER_OPENROUTER, "openai/gpt-5").custom_tools);
    assert_int_equal(caps_of(CAPS_SERVER_VLLM, "m").format, CAPS_FORMAT_ONLY_SCHEMA);
    assert_int_equal(caps_of(CAPS_SERVER_LLAMA_CPP, "m").format, CAPS_FORMAT_PROMPT);
    assert_int_equal(caps_of(CAPS_SERVER_OLLAMA, "llama3.2").thinking, CAPS_THINKING_NONE);
    assert_int_equal(caps_of(CAPS_SERVER_OLLAMA, "qwen3:8b").thinking, CAPS_THINKING_LEVEL);
}

struct written {
    struct arena a;
    struct buf b;
    struct ir_drops drops;
    struct tg_err err;
    tg_rc rc;
};

static void
write_request(struct written *w, const char *from, const char *body, struct ir_caps caps)
{
    struct dialect_route route = {.model = STR("m"), .caps = caps};
    struct ir_req *req;

    *w = (struct written){.rc = TG_OK};
    arena_init(&w->a);
    buf_init(&w->b, 1 << 20);
    req = arena_new(&w->a, struct ir_req);
    if (dialect_find(str_z(from))->decode_req(&w->a, str_z(body), req, &w->err) != TG_OK)
        fail_msg("%s", w->err.msg);
    w->rc = responses->encode_req(&w->a, req, &route, &w->b, &w->drops, &w->err);
    if (w->rc == TG_OK)
        assert_int_equal(json_check(buf_str(&w->b), JSON_DEPTH_MAX, NULL), TG_OK);
    else
        assert_int_equal(w->b.n, 0);
}

static void
forget(struct written *w)
{
    buf_fini(&w->b);
    arena_fini(&w->a);
}

static bool
has(const struct written *w, const char *text)
{
    return w->b.n && memmem(w->b.p, w->b.n, text, strlen(text));
}

static bool
dropped(const struct written *w, const char *name)
{
    for (unsigned i = 0; i < w->drops.n; i++)
        if (str_eq(w->drops.name[i], str_z(name)))
            return true;
    return false;
}

#define CHAT(rest)                                                                             \
    "{\"model\":\"x\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]," rest "}"
#define MESSAGES(rest)                                                                         \
    "{\"model\":\"x\",\"max_tokens\":50,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]" \
    "," rest "}"
#define TOOL "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]"

/* With the capability the text is there and nothing is dropped, without it the reverse. */
static void
each_capability_is_kept_to(void **state)
{
    enum { SAMPLING, THINKING, LOGPROBS, SEARCH, PARALLEL, MARKS };
    static const struct {
        int cap;
        const char *from, *body, *text, *drop;
    } rows[] = {
        {SAMPLING, "chat", CHAT("\"temperature\":0.5"), "\"temperature\":0.5", "temperature"},
        {SAMPLING, "messages", MESSAGES("\"top_p\":0.5"), "\"top_p\":0.5", "top_p"},
        {THINKING, "chat", CHAT("\"reasoning_effort\":\"low\""), "\"effort\":\"low\"",
         "reasoning_effort"},
        {THINKING, "responses",
         "{\"model\":\"x\",\"input\":\"Hi\",\"reasoning\":{\"effort\":\"high\"}}",
         "\"effort\":\"high\"", "reasoning.effort"},
        {THINKING, "messages",
         MESSAGES("\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":1024}"),
         "\"effort\":\"low\"", "thinking"},
        {THINKING, "responses",
         "{\"model\":\"x\",\"input\":\"Hi\",\"reasoning\":{\"summary\":\"auto\"}}",
         "\"summary\":\"auto\"", "reasoning.summary"},
        {LOGPROBS, "chat", CHAT("\"logprobs\":true"), "message.output_text.logprobs",
         "logprobs"},
        {LOGPROBS, "responses",
         "{\"model\":\"x\",\"input\":\"Hi\",\"include\":[\"message.output_text.logprobs\"]}",
         "message.output_text.logprobs", "include.message.output_text.logprobs"},
        {SEARCH, "chat", CHAT("\"web_search_options\":{}"), "{\"type\":\"web_search\"}",
         "web_search_options"},
        {SEARCH, "messages",
         MESSAGES("\"tools\":[{\"type\":\"web_search_20260318\",\"name\":\"web_search\"}]"),
         "{\"type\":\"web_search\"}", "tools.0"},
        {PARALLEL, "chat", CHAT(TOOL ",\"parallel_tool_calls\":false"),
         "\"parallel_tool_calls\":false", "parallel_tool_calls"},
        {MARKS, "messages",
         "{\"model\":\"x\",\"max_tokens\":50,\"messages\":[{\"role\":\"user\",\"content\":[{"
         "\"type\":\"text\",\"text\":\"Hi\",\"cache_control\":{\"type\":\"ephemeral\"}}]}]}",
         "prompt_cache_breakpoint", "cache_control"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (int on = 0; on < 2; on++) {
            struct ir_caps caps = caps_of(CAPS_SERVER_AUTO, "gpt-5.6");
            struct written w;

            caps.sampling = on || rows[i].cap != SAMPLING;
            caps.logprobs = on || rows[i].cap != LOGPROBS;
            caps.web_search = on || rows[i].cap != SEARCH;
            caps.parallel_calls = on || rows[i].cap != PARALLEL;
            caps.cache_marks = on || rows[i].cap != MARKS;
            if (!on && rows[i].cap == THINKING)
                caps.thinking = CAPS_THINKING_NONE;
            write_request(&w, rows[i].from, rows[i].body, caps);
            assert_int_equal(w.rc, TG_OK);
            if (has(&w, rows[i].text) != on || dropped(&w, rows[i].drop) == on ||
                w.drops.n != (on ? 0U : 1U))
                fail_msg("%s %d: %.*s; %u dropped, %.*s", rows[i].drop, on,
                         STR_ARG(buf_str(&w.b)), w.drops.n,
                         w.drops.n ? (int)w.drops.name[0].n : 0,
                         w.drops.n ? w.drops.name[0].p : "");
            forget(&w);
        }
}

/* pitfall B5: system text behind the first turn. */
static void
system_text_goes_where_the_model_takes_it(void **state)
{
    static const char body[] =
        "{\"model\":\"x\",\"messages\":[{\"role\":\"developer\",\"content\":\"A.\"},{\"role\":"
        "\"user\",\"content\":\"Hi\"},{\"role\":\"assistant\",\"content\":\"Yes?\"},{\"role\":"
        "\"system\",\"content\":[{\"type\":\"text\",\"text\":\"B\"},{\"type\":\"text\","
        "\"text\":"
        "\"C\"}]},{\"role\":\"user\",\"content\":\"Hi\"}]}";
    struct ir_caps caps = caps_of(CAPS_SERVER_AUTO, "m");
    struct written w;

    (void)state;
    write_request(&w, "chat", body, caps);
    assert_true(has(&w, "\"instructions\":\"A.\""));
    assert_true(has(&w, "\"role\":\"system\",\"content\":[{\"type\":\"input_text\""));
    forget(&w);
    caps.system = CAPS_SYSTEM_MERGE;
    write_request(&w, "chat", body, caps);
    assert_true(has(&w, "\"instructions\":\"A.\\n\\nB\\n\\nC\""));
    assert_false(has(&w, "\"role\":\"system\""));
    forget(&w);
    caps.system = CAPS_SYSTEM_REMIND;
    write_request(&w, "chat", body, caps);
    assert_true(has(&w, "\"instructions\":\"A.\""));
    assert_true(has(&w, "{\"type\":\"message\",\"role\":\"user\",\"content\":"
                        "\"<system-reminder>\\nB\\nC\\n</system-reminder>\"}"));
    forget(&w);
    /* A role that the model does not know is the other one. */
    caps = caps_of(CAPS_SERVER_AUTO, "m");
    caps.developer_role = false;
    write_request(&w, "chat",
                  "{\"model\":\"x\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"},{"
                  "\"role\":\"developer\",\"content\":\"A.\"},{\"role\":\"user\",\"content\":"
                  "\"Hi\"}]}",
                  caps);
    assert_true(has(&w, "\"role\":\"system\",\"content\":\"A.\""));
    assert_false(has(&w, "developer"));
    forget(&w);
}

/* pitfalls E5, E8: bare thoughts go back to servers that want them, of whichever turn, without
 * anybody's proof; a proof goes to its maker alone. */
static void
thoughts_go_back_as_the_server_wants_them(void **state)
{
    static const char body[] =
        "{\"model\":\"x\",\"input\":[{\"role\":\"user\",\"content\":\"Hi\"},"
        "{\"type\":\"reasoning\",\"id\":\"rs_1\",\"summary\":[],\"content\":[{\"type\":"
        "\"reasoning_text\",\"text\":\"Old.\"}]},{\"role\":\"assistant\",\"content\":\"Yes?\"},"
        "{\"role\":\"user\",\"content\":\"Look\"},"
        "{\"type\":\"reasoning\",\"id\":\"rs_2\",\"summary\":[{\"type\":\"summary_text\","
        "\"text\":\"New.\"}],\"encrypted_content\":\"blob=\"},{\"type\":\"function_call\","
        "\"call_id\":\"c\",\"name\":\"f\",\"arguments\":\"{}\"},{\"type\":"
        "\"function_call_output\",\"call_id\":\"c\",\"output\":\"x\"}]}";
    static const struct {
        enum caps_replay replay;
        bool old_text, new_text, proof, drop;
    } rows[] = {{CAPS_REPLAY_NEVER, false, true, true, true},
                {CAPS_REPLAY_TOOL_TURNS, false, true, false, true},
                {CAPS_REPLAY_ALWAYS, true, true, false, true}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ir_caps caps = caps_of(CAPS_SERVER_AUTO, "m");
        struct written w;

        caps.replay = rows[i].replay;
        write_request(&w, "responses", body, caps);
        assert_int_equal(w.rc, TG_OK);
        assert_int_equal(has(&w, "Old."), rows[i].old_text);
        assert_int_equal(has(&w, "New."), rows[i].new_text);
        assert_int_equal(has(&w, "blob="), rows[i].proof);
        assert_int_equal(has(&w, "\"summary_text\""), rows[i].proof);
        assert_int_equal(dropped(&w, "reasoning"), rows[i].drop);
        forget(&w);
    }
    /* A model that does not think would refuse a proof, and the wish for one. */
    struct ir_caps caps = caps_of(CAPS_SERVER_AUTO, "gpt-4o");
    struct written w;

    write_request(&w, "responses", body, caps);
    assert_false(has(&w, "encrypted_content"));
    forget(&w);
}

/* An answer to go on with is refused, or sent as one that is not finished. */
static void
an_answer_begun_by_the_client(void **state)
{
    static const char body[] =
        "{\"model\":\"x\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":"
        "\"Count\"},{\"role\":\"assistant\",\"content\":\"One,\"}]}";
    struct ir_caps caps = caps_of(CAPS_SERVER_AUTO, "m");
    struct written w;

    (void)state;
    write_request(&w, "messages", body, caps);
    assert_int_equal(w.rc, TG_EINVAL);
    assert_string_equal(w.err.param, "messages.1");
    forget(&w);
    caps.prefill = true;
    write_request(&w, "messages", body, caps);
    assert_int_equal(w.rc, TG_OK);
    assert_true(has(&w, "\"status\":\"incomplete\",\"role\":\"assistant\",\"content\":[{"
                        "\"type\":\"output_text\",\"text\":\"One,\",\"annotations\":[]}]}"));
    forget(&w);
}

/* What a request insists on is not left out. */
static void
a_choice_that_cannot_be_kept_is_refused(void **state)
{
    static const char *const choices[] = {"{\"type\":\"any\"}",
                                          "{\"type\":\"tool\",\"name\":\"web_search\"}"};
    struct ir_caps caps = caps_of(CAPS_SERVER_AUTO, "m");

    (void)state;
    caps.web_search = false;
    for (size_t i = 0; i < COUNT(choices); i++) {
        struct written w;
        char body[512];

        (void)snprintf(body, sizeof body,
                       MESSAGES("\"tools\":[{\"type\":\"web_search_20260318\",\"name\":"
                                "\"web_search\"}],\"tool_choice\":%s"),
                       choices[i]);
        write_request(&w, "messages", body, caps);
        assert_int_equal(w.rc, TG_EINVAL);
        assert_string_equal(w.err.param, "tool_choice");
        forget(&w);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(families_of_models),
        cmocka_unit_test(every_server),
        cmocka_unit_test(each_capability_is_kept_to),
        cmocka_unit_test(system_text_goes_where_the_model_takes_it),
        cmocka_unit_test(thoughts_go_back_as_the_server_wants_them),
        cmocka_unit_test(an_answer_begun_by_the_client),
        cmocka_unit_test(a_choice_that_cannot_be_kept_is_refused),
    };

    responses = dialect_find(STR("responses"));
    return cmocka_run_group_tests_name("responses_caps", tests, NULL, NULL);
}
