/* chat_caps_test.c -- what is expected of the servers and models that speak Chat, and that
 * requests keep within it. */
#include "triglot/dialect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "json/scan.h"

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

static const struct dialect *chat;

static struct ir_caps
caps_of(enum caps_server server, const char *model)
{
    struct ir_caps caps = {0};

    chat->caps(server, str_z(model), &caps);
    return caps;
}

/* No field is left unsaid, whatever the server and the model. */
static void
everything_is_said(void **state)
{
    static const char *const models[] = {"m", "gpt-4o", "gpt-5.6", "o3", "deepseek-chat", ""};

    (void)state;
    for (int s = 0; s < CAPS_SERVER_N; s++)
        for (size_t i = 0; i < COUNT(models); i++) {
            struct ir_caps c = caps_of((enum caps_server)s, models[i]);

            assert_true(c.thinking && c.system && c.replay && c.format && c.orphans);
            assert_in_range(c.tool_name_max, 64, 128);
            assert_in_range(c.stop_max, 0, IR_STOP_MAX);
        }
}

/* pitfalls B7: what the families of OpenAI's own models take. */
static void
families_of_openai(void **state)
{
    enum {
        THINKS = 1,
        SAMPLES = 2,
        CUSTOM = 4,
        MARKS = 8,
        PROBS = 16,
        WEB = 32,
        PARALLEL = 64
    };
    static const struct {
        const char *model;
        unsigned flags, stop_max;
        enum caps_format format;
    } rows[] = {
        {"gpt-4o", SAMPLES | PROBS | PARALLEL, 4, CAPS_FORMAT_SCHEMA},
        {"ft:gpt-4o-mini:acme::1", SAMPLES | PROBS | PARALLEL, 4, CAPS_FORMAT_SCHEMA},
        {"openai/gpt-4.1-mini", SAMPLES | PROBS | PARALLEL, 4, CAPS_FORMAT_SCHEMA},
        {"gpt-4o-search-preview", WEB, 0, CAPS_FORMAT_SCHEMA},
        {"gpt-5-search-api", WEB, 0, CAPS_FORMAT_SCHEMA},
        {"gpt-4-turbo", SAMPLES | PROBS | PARALLEL, 4, CAPS_FORMAT_OBJECT},
        {"gpt-4", SAMPLES | PROBS | PARALLEL, 4, CAPS_FORMAT_PROMPT},
        {"o1", THINKS, 0, CAPS_FORMAT_SCHEMA},
        {"o3-2025-04-16", THINKS, 0, CAPS_FORMAT_SCHEMA},
        {"o4-mini", THINKS, 0, CAPS_FORMAT_SCHEMA},
        {"o1-mini", 0, 0, CAPS_FORMAT_PROMPT},
        {"gpt-5", THINKS | CUSTOM | PARALLEL, 0, CAPS_FORMAT_SCHEMA},
        {"gpt-5.1-codex", THINKS | CUSTOM | PARALLEL, 0, CAPS_FORMAT_SCHEMA},
        {"gpt-5-chat-latest", SAMPLES | PROBS | PARALLEL, 4, CAPS_FORMAT_SCHEMA},
        {"gpt-5.5", THINKS | CUSTOM | PARALLEL, 0, CAPS_FORMAT_SCHEMA},
        {"gpt-5.6", THINKS | CUSTOM | PARALLEL | MARKS, 0, CAPS_FORMAT_SCHEMA},
        {"gpt-5.6-mini", THINKS | CUSTOM | PARALLEL | MARKS, 0, CAPS_FORMAT_SCHEMA},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (int s = CAPS_SERVER_AUTO; s <= CAPS_SERVER_OPENAI; s++) {
            struct ir_caps c = caps_of((enum caps_server)s, rows[i].model);
            unsigned got = (c.thinking == CAPS_THINKING_LEVEL ? THINKS : 0) |
                           (c.sampling ? SAMPLES : 0) | (c.custom_tools ? CUSTOM : 0) |
                           (c.cache_marks ? MARKS : 0) | (c.logprobs ? PROBS : 0) |
                           (c.web_search ? WEB : 0) | (c.parallel_calls ? PARALLEL : 0);

            if (got != rows[i].flags || c.stop_max != rows[i].stop_max ||
                c.format != rows[i].format || c.replay != CAPS_REPLAY_NEVER ||
                !c.completion_tokens || c.prefill)
                fail_msg("%s: %x, not %x", rows[i].model, got, rows[i].flags);
        }
    /* The open models that bear the name are no models of its API. */
    assert_false(caps_of(CAPS_SERVER_AUTO, "gpt-oss-120b").completion_tokens);
    assert_true(caps_of(CAPS_SERVER_AUTO, "gpt-oss-120b").sampling);
    /* Nor is what somebody's own server calls so. */
    assert_false(caps_of(CAPS_SERVER_VLLM, "gpt-5").custom_tools);
    /* A model that is not known yet is of the newest kind. */
    assert_true(caps_of(CAPS_SERVER_OPENAI, "nova-1").custom_tools);
}

/* pitfalls B5, E5, J3 */
static void
servers_of_open_models(void **state)
{
    static const struct {
        enum caps_server server;
        const char *model;
        enum caps_system system;
        enum caps_replay replay;
        enum caps_format format;
        enum caps_thinking thinking;
        bool prefill, parallel, logprobs, developer;
        unsigned stop_max;
    } rows[] = {
        {CAPS_SERVER_AUTO, "qwen3", CAPS_SYSTEM_KEEP, CAPS_REPLAY_TOOL_TURNS,
         CAPS_FORMAT_SCHEMA, CAPS_THINKING_LEVEL, false, true, true, false, 4},
        {CAPS_SERVER_VLLM, "qwen3", CAPS_SYSTEM_MERGE, CAPS_REPLAY_TOOL_TURNS,
         CAPS_FORMAT_SCHEMA, CAPS_THINKING_LEVEL, false, true, true, false, 16},
        {CAPS_SERVER_LLAMA_CPP, "m", CAPS_SYSTEM_MERGE, CAPS_REPLAY_TOOL_TURNS,
         CAPS_FORMAT_SCHEMA, CAPS_THINKING_LEVEL, true, true, true, false, 16},
        {CAPS_SERVER_OLLAMA, "llama3.2:3b", CAPS_SYSTEM_KEEP, CAPS_REPLAY_NEVER,
         CAPS_FORMAT_SCHEMA, CAPS_THINKING_NONE, true, false, true, false, 16},
        {CAPS_SERVER_OLLAMA, "qwen3:8b", CAPS_SYSTEM_KEEP, CAPS_REPLAY_NEVER,
         CAPS_FORMAT_SCHEMA, CAPS_THINKING_LEVEL, true, false, true, false, 16},
        {CAPS_SERVER_LM_STUDIO, "m", CAPS_SYSTEM_MERGE, CAPS_REPLAY_NEVER,
         CAPS_FORMAT_ONLY_SCHEMA, CAPS_THINKING_LEVEL, false, false, false, false, 4},
        {CAPS_SERVER_OPENROUTER, "openai/gpt-5.6", CAPS_SYSTEM_KEEP, CAPS_REPLAY_TOOL_TURNS,
         CAPS_FORMAT_SCHEMA, CAPS_THINKING_LEVEL, true, true, true, true, 4},
        {CAPS_SERVER_DEEPSEEK, "deepseek-v4-pro", CAPS_SYSTEM_KEEP, CAPS_REPLAY_ALWAYS,
         CAPS_FORMAT_OBJECT, CAPS_THINKING_LEVEL, false, false, true, false, 16},
        {CAPS_SERVER_AUTO, "deepseek-reasoner", CAPS_SYSTEM_KEEP, CAPS_REPLAY_ALWAYS,
         CAPS_FORMAT_OBJECT, CAPS_THINKING_LEVEL, false, false, false, false, 16},
        {CAPS_SERVER_DEEPSEEK, "deepseek-chat", CAPS_SYSTEM_KEEP, CAPS_REPLAY_ALWAYS,
         CAPS_FORMAT_OBJECT, CAPS_THINKING_NONE, false, false, true, false, 16},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ir_caps c = caps_of(rows[i].server, rows[i].model);

        if (c.system != rows[i].system || c.replay != rows[i].replay ||
            c.format != rows[i].format || c.thinking != rows[i].thinking ||
            c.prefill != rows[i].prefill || c.parallel_calls != rows[i].parallel ||
            c.logprobs != rows[i].logprobs || c.developer_role != rows[i].developer ||
            c.stop_max != rows[i].stop_max || c.completion_tokens || c.custom_tools ||
            c.cache_marks || c.web_search || !c.sampling)
            fail_msg("row %zu: %s", i, rows[i].model);
    }
    assert_true(caps_of(CAPS_SERVER_OPENROUTER, "perplexity/sonar-pro").web_search);
    assert_true(caps_of(CAPS_SERVER_OPENROUTER, "z-ai/glm-5:online").web_search);
}

struct made {
    tg_rc rc;
    struct tg_err err;
    char drops[256];
    char body[8192];
};

/* The Chat request `body` (members behind the model), for an upstream with these caps. */
static const struct made *
make_of(const char *origin, const char *body, const struct ir_caps *caps, bool strict)
{
    static struct made m;
    struct dialect_route route = {.model = STR("up"), .strict = strict, .caps = *caps};
    struct ir_drops drops = {0};
    struct ir_req req = {0};
    struct arena a;
    struct buf b;
    size_t n = 0;

    m = (struct made){0};
    arena_init(&a);
    buf_init(&b, sizeof m.body - 1);
    if (dialect_find(str_z(origin))
            ->decode_req(&a, arena_printf(&a, "{\"model\":\"m\",%s}", body), &req, &m.err) !=
        TG_OK)
        fail_msg("%s: %s", body, m.err.msg);
    m.rc = chat->encode_req(&a, &req, &route, &b, &drops, &m.err);
    if (b.n)
        memcpy(m.body, buf_str(&b).p, b.n);
    for (unsigned i = 0; i < drops.n; i++)
        n += (size_t)snprintf(m.drops + n, sizeof m.drops - n, "%s%.*s", n ? "," : "",
                              STR_ARG(drops.name[i]));
    buf_fini(&b);
    arena_fini(&a);
    return &m;
}

static void
expect_of(const char *origin, const char *body, const struct ir_caps *caps, const char *want,
          const char *drops)
{
    const struct made *m = make_of(origin, body, caps, false);
    char all[4096];

    if (m->rc != TG_OK)
        fail_msg("%s: %s", body, m->err.msg);
    (void)snprintf(all, sizeof all, "{\"model\":\"up\",\"messages\":[%s}", want);
    if (strcmp(m->body, all) != 0 || strcmp(m->drops, drops) != 0)
        fail_msg("\n%s (%s)\n%s (%s)", m->body, m->drops, all, drops);
}

static void
expect(const char *body, const struct ir_caps *caps, const char *want, const char *drops)
{
    expect_of("chat", body, caps, want, drops);
}

#define USER "{\"role\":\"user\",\"content\":\"x\"}"
#define ASK  "\"messages\":[" USER "]"

/* pitfalls B7: what a model refuses is left out and said; what it would do anyway is no loss.
 */
static void
sampling(void **state)
{
    struct ir_caps caps = caps_of(CAPS_SERVER_AUTO, "up");

    (void)state;
    caps.sampling = false;
    expect(ASK ",\"temperature\":0.5,\"top_p\":0.9,\"presence_penalty\":1,"
               "\"frequency_penalty\":1,\"logit_bias\":{\"1\":2},\"top_k\":3,\"seed\":4",
           &caps, USER "],\"seed\":4",
           "temperature,top_p,top_k,presence_penalty,frequency_penalty,logit_bias");
    expect(ASK ",\"temperature\":1.0,\"top_p\":1,\"presence_penalty\":0", &caps, USER "]", "");
    assert_string_equal(make_of("chat", ASK ",\"temperature\":0.5", &caps, true)->err.param,
                        "temperature");
}

static void
limits_and_logprobs(void **state)
{
    struct ir_caps caps = caps_of(CAPS_SERVER_AUTO, "up");

    (void)state;
    expect(ASK ",\"max_completion_tokens\":9,\"logprobs\":true,\"top_logprobs\":2", &caps,
           USER "],\"max_tokens\":9,\"logprobs\":true,\"top_logprobs\":2", "");
    caps.completion_tokens = true;
    caps.logprobs = false;
    expect(ASK ",\"max_tokens\":9,\"logprobs\":true,\"top_logprobs\":2", &caps,
           USER "],\"max_completion_tokens\":9", "logprobs,top_logprobs");
    expect_of("responses",
              "\"input\":\"x\",\"include\":[\"message.output_text.logprobs\"],"
              "\"top_logprobs\":2",
              &caps, USER "]", "include.message.output_text.logprobs,top_logprobs");
    assert_int_equal(make_of("chat", ASK ",\"logprobs\":true", &caps, true)->rc, TG_EINVAL);
}

/* pitfalls E7 */
static void
thinking(void **state)
{
    static const struct {
        const char *effort;
        int tokens;
    } rows[] = {{"minimal", 2048}, {"low", 2048},    {"medium", 8192},
                {"high", 16384},   {"xhigh", 32768}, {"max", 65536}};
    struct ir_caps caps = caps_of(CAPS_SERVER_AUTO, "up");
    char body[256], want[256];

    (void)state;
    expect(ASK ",\"reasoning_effort\":\"high\"", &caps, USER "],\"reasoning_effort\":\"high\"",
           "");
    caps.thinking = CAPS_THINKING_NONE;
    expect(ASK ",\"reasoning_effort\":\"high\"", &caps, USER "]", "reasoning_effort");
    expect(ASK ",\"reasoning_effort\":\"none\"", &caps, USER "]", "");
    expect_of("responses", "\"input\":\"x\",\"reasoning\":{\"effort\":\"low\"}", &caps,
              USER "]", "reasoning.effort");
    expect_of("messages",
              "\"max_tokens\":4096," ASK
              ",\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":2000}",
              &caps, USER "],\"max_tokens\":4096", "thinking");
    caps.thinking = CAPS_THINKING_BUDGET;
    for (size_t i = 0; i < COUNT(rows); i++) {
        (void)snprintf(body, sizeof body, ASK ",\"reasoning_effort\":\"%s\"", rows[i].effort);
        (void)snprintf(want, sizeof want, USER "],\"reasoning\":{\"max_tokens\":%d}",
                       rows[i].tokens);
        expect(body, &caps, want, "");
    }
    expect(ASK ",\"reasoning_effort\":\"none\"", &caps,
           USER "],\"reasoning\":{\"effort\":\"none\"}", "");
}

/* pitfalls B5: [system, user, system] */
static void
system_text_behind_the_first_turn(void **state)
{
#define HISTORY                                                                                \
    "\"messages\":[{\"role\":\"developer\",\"content\":\"A.\"}," USER                          \
    ",{\"role\":\"assistant\",\"content\":\"y\"},{\"role\":\"developer\",\"name\":\"d\","      \
    "\"content\":[{\"type\":\"text\",\"text\":\"B.\"},{\"type\":\"text\",\"text\":\"C.\"}]}"   \
    ",{\"role\":\"user\",\"content\":\"z\"}]"
#define TURN "{\"role\":\"assistant\",\"content\":\"y\"}"
#define LAST "{\"role\":\"user\",\"content\":\"z\"}]"
    struct ir_caps caps = caps_of(CAPS_SERVER_AUTO, "up");

    (void)state;
    caps.developer_role = true;
    expect(HISTORY, &caps,
           "{\"role\":\"developer\",\"content\":\"A.\"}," USER "," TURN
           ",{\"role\":\"developer\",\"name\":\"d\",\"content\":[{\"type\":\"text\","
           "\"text\":\"B.\"},{\"type\":\"text\",\"text\":\"C.\"}]}," LAST,
           "");
    caps.system = CAPS_SYSTEM_MERGE;
    expect(HISTORY, &caps,
           "{\"role\":\"developer\",\"content\":\"A.\\n\\nB.\\n\\nC.\"}," USER "," TURN
           "," LAST,
           "messages.3.name");
    caps.developer_role = false;
    expect(HISTORY, &caps,
           "{\"role\":\"system\",\"content\":\"A.\\n\\nB.\\n\\nC.\"}," USER "," TURN "," LAST,
           "messages.3.name");
    caps.system = CAPS_SYSTEM_REMIND;
    expect(HISTORY, &caps,
           "{\"role\":\"system\",\"content\":\"A.\"}," USER "," TURN
           ",{\"role\":\"user\",\"content\":\"<system-reminder>\\nB.\\n\\nC.\\n"
           "</system-reminder>\"}," LAST,
           "messages.3.name");
    /* None at the head; two there; one that is as it must be. */
    caps.system = CAPS_SYSTEM_MERGE;
    expect("\"messages\":[" USER "," TURN ",{\"role\":\"system\",\"content\":\"B.\"}," LAST,
           &caps, "{\"role\":\"system\",\"content\":\"B.\"}," USER "," TURN "," LAST, "");
    expect("\"messages\":[{\"role\":\"system\",\"content\":\"A.\"},{\"role\":\"developer\","
           "\"content\":\"B.\"}," USER "]",
           &caps, "{\"role\":\"system\",\"content\":\"A.\\n\\nB.\"}," USER "]", "");
    expect("\"messages\":[{\"role\":\"system\",\"content\":\"A.\",\"name\":\"d\"}," USER "]",
           &caps, "{\"role\":\"system\",\"name\":\"d\",\"content\":\"A.\"}," USER "]", "");
}

/* pitfalls E5: thoughts of answers that called tools, since the user's last turn or always.
 * What tools answered is no turn of the user, though it stands in a message of his. */
static void
older_thoughts(void **state)
{
#define THINK(text) "{\"type\":\"thinking\",\"thinking\":\"" text "\",\"signature\":\"c2ln\"},"
#define M_CALL(id, thought)                                                                    \
    "{\"role\":\"assistant\",\"content\":[" thought "{\"type\":\"tool_use\",\"id\":\"" id      \
    "\",\"name\":\"f\",\"input\":{}}]}"
#define M_RESULT(id)                                                                           \
    "{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"" id          \
    "\",\"content\":\"r\"}]}"
#define M_SAID(thought)                                                                        \
    "{\"role\":\"assistant\",\"content\":[" thought "{\"type\":\"text\",\"text\":\"y\"}]}"
#define M_LOOP(a, b, c)                                                                        \
    "\"max_tokens\":9,\"messages\":[" USER "," M_CALL("c1", a) "," M_RESULT("c1") "," M_SAID(  \
        b) "," USER "," M_CALL("c2", c) "," M_RESULT("c2") "]"
#define CALL(id, thought)                                                                      \
    "{\"role\":\"assistant\",\"content\":null" thought ",\"tool_calls\":[{\"id\":\"" id        \
    "\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]}"
#define RESULT(id)    "{\"role\":\"tool\",\"tool_call_id\":\"" id "\",\"content\":\"r\"}"
#define SAID(thought) "{\"role\":\"assistant\",\"content\":\"y\"" thought "}"
#define T(text)       ",\"reasoning_content\":\"" text "\""
#define LOOP(a, b, c)                                                                          \
    USER "," CALL("c1", a) "," RESULT("c1") "," SAID(b) "," USER "," CALL("c2", c) "," RESULT( \
        "c2") "],\"max_tokens\":9"
    static const char thoughts[] = M_LOOP(THINK("1"), THINK("2"), THINK("3"));
    struct ir_caps caps = caps_of(CAPS_SERVER_AUTO, "up");
    const struct made *m;

    (void)state;
    caps.replay = CAPS_REPLAY_ALWAYS;
    expect_of("messages", thoughts, &caps, LOOP(T("1"), T("2"), T("3")), "thinking");
    caps.replay = CAPS_REPLAY_TOOL_TURNS;
    expect_of("messages", thoughts, &caps, LOOP("", "", T("3")), "thinking");
    caps.replay = CAPS_REPLAY_NEVER;
    expect_of("messages", thoughts, &caps, LOOP("", "", ""), "thinking");
    /* Nothing is lost, so nothing is said. */
    expect_of("messages", M_LOOP("", "", ""), &caps, LOOP("", "", ""), "");
    /* A strict route does not die of a change of models (pitfalls E8). */
    m = make_of("messages", thoughts, &caps, true);
    assert_int_equal(m->rc, TG_OK);
    assert_null(strstr(m->body, "c2ln"));
    /* What a client of the dialect sends back goes on, but not to who has no field for it. */
    expect("\"messages\":[" USER "," SAID(T("1")) "," USER "]", &caps,
           USER "," SAID("") "," USER "]", "reasoning");
    caps.replay = CAPS_REPLAY_TOOL_TURNS;
    expect("\"messages\":[" USER "," SAID(T("1")) "," USER "]", &caps,
           USER "," SAID(T("1")) "," USER "]", "");
}

static void
an_answer_to_go_on_with(void **state)
{
    struct ir_caps caps = caps_of(CAPS_SERVER_AUTO, "up");
    const struct made *m;

    (void)state;
    m = make_of("chat", "\"messages\":[" USER ",{\"role\":\"assistant\",\"content\":\"{\"}]",
                &caps, false);
    assert_int_equal(m->rc, TG_EINVAL);
    assert_string_equal(m->err.param, "messages.1");
    caps.prefill = true;
    expect("\"messages\":[" USER ",{\"role\":\"assistant\",\"content\":\"{\"}]", &caps,
           USER ",{\"role\":\"assistant\",\"content\":\"{\"}]", "");
}

static void
searching_the_web(void **state)
{
#define SEARCH                                                                                 \
    ",\"web_search_options\":{\"search_context_size\":\"low\",\"user_location\":{\"type\":"    \
    "\"approximate\",\"approximate\":{\"city\":\"Oslo\",\"country\":\"NO\"}}}"
    struct ir_caps caps = caps_of(CAPS_SERVER_AUTO, "up");

    (void)state;
    expect(ASK SEARCH, &caps, USER "]", "web_search_options");
    caps.web_search = true;
    expect(ASK SEARCH, &caps, USER "]" SEARCH, "");
    expect(ASK ",\"web_search_options\":{}", &caps, USER "],\"web_search_options\":{}", "");
    expect_of("responses",
              "\"input\":\"x\",\"tools\":[{\"type\":\"web_search\",\"search_context_size\":"
              "\"low\",\"user_location\":{\"type\":\"approximate\",\"city\":\"Oslo\","
              "\"country\":\"NO\",\"region\":null},\"filters\":{\"allowed_domains\":[\"a.no\"]}"
              "}]",
              &caps, USER "]" SEARCH, "tools.0.filters");
    expect_of("messages",
              "\"max_tokens\":9," ASK ",\"tools\":[{\"type\":\"web_search_20250305\",\"name\":"
              "\"web_search\",\"max_uses\":2,\"user_location\":{\"type\":\"approximate\","
              "\"city\":\"Oslo\"}}]",
              &caps,
              USER "],\"web_search_options\":{\"user_location\":{\"type\":\"approximate\","
                   "\"approximate\":{\"city\":\"Oslo\"}}},\"max_tokens\":9",
              "tools.0.max_uses");
}

static void
parallel_calls(void **state)
{
#define TOOLS "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]"
    struct ir_caps caps = caps_of(CAPS_SERVER_AUTO, "up");

    (void)state;
    caps.parallel_calls = false;
    expect(ASK "," TOOLS ",\"parallel_tool_calls\":false", &caps, USER "]," TOOLS,
           "parallel_tool_calls");
    expect_of("messages",
              "\"max_tokens\":9," ASK ",\"tools\":[{\"name\":\"f\",\"input_schema\":{}}],"
              "\"tool_choice\":{\"type\":\"auto\",\"disable_parallel_tool_use\":true}",
              &caps,
              USER "],\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\","
                   "\"parameters\":{}}}],\"tool_choice\":\"auto\",\"max_tokens\":9",
              "tool_choice.disable_parallel_tool_use");
    /* The old form has no such field, so it was not asked for. */
    expect(ASK ",\"functions\":[{\"name\":\"f\"}]", &caps, USER "]," TOOLS, "");
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
        cmocka_unit_test(everything_is_said),
        cmocka_unit_test(families_of_openai),
        cmocka_unit_test(servers_of_open_models),
        cmocka_unit_test(sampling),
        cmocka_unit_test(limits_and_logprobs),
        cmocka_unit_test(thinking),
        cmocka_unit_test(system_text_behind_the_first_turn),
        cmocka_unit_test(older_thoughts),
        cmocka_unit_test(an_answer_to_go_on_with),
        cmocka_unit_test(searching_the_web),
        cmocka_unit_test(parallel_calls),
    };
    int failed = cmocka_run_group_tests_name("dialect/chat/caps", tests, setup, NULL);

    arena_thread_fini();
    return failed;
}
