/* caps_test.c -- what the configuration says about capabilities, laid over what is expected. */
#include "policy/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "policy/settings_int.h"

static const struct ir_caps expected = {
    .thinking = CAPS_THINKING_LEVEL,
    .system = CAPS_SYSTEM_KEEP,
    .replay = CAPS_REPLAY_NEVER,
    .format = CAPS_FORMAT_SCHEMA,
    .orphans = CAPS_ORPHANS_FIX,
    .sampling = true,
    .prefill = true,
    .logprobs = true,
    .parallel_calls = true,
    .stop_max = 4,
    .tool_name_max = 64,
};

static void
assert_caps(const struct ir_caps *got, const struct ir_caps *want)
{
    assert_int_equal(got->thinking, want->thinking);
    assert_int_equal(got->system, want->system);
    assert_int_equal(got->replay, want->replay);
    assert_int_equal(got->format, want->format);
    assert_int_equal(got->orphans, want->orphans);
    assert_int_equal(got->custom_tools, want->custom_tools);
    assert_int_equal(got->developer_role, want->developer_role);
    assert_int_equal(got->completion_tokens, want->completion_tokens);
    assert_int_equal(got->sampling, want->sampling);
    assert_int_equal(got->cache_marks, want->cache_marks);
    assert_int_equal(got->prefill, want->prefill);
    assert_int_equal(got->logprobs, want->logprobs);
    assert_int_equal(got->web_search, want->web_search);
    assert_int_equal(got->parallel_calls, want->parallel_calls);
    assert_int_equal(got->stop_max, want->stop_max);
    assert_int_equal(got->tool_name_max, want->tool_name_max);
}

static struct settings *
load(const char *caps_of_upstream, const char *caps_of_model)
{
    struct settings *s = NULL;
    char text[2048];

    snprintf(text, sizeof text,
             "upstreams:\n  - {name: up, url: 'http://h', capabilities: {%s}}\n"
             "models:\n  - {name: m, upstream: up, capabilities: {%s}}\n",
             caps_of_upstream, caps_of_model);
    assert_int_equal(settings_load_text(str_z(text), "f.yaml", stderr, &s), TG_OK);
    return s;
}

/* What the sections make of `from`. */
static struct ir_caps
routed(const char *caps_of_upstream, const char *caps_of_model, struct ir_caps from)
{
    struct settings *s = load(caps_of_upstream, caps_of_model);
    struct route r;

    assert_int_equal(route_find(s, STR("m"), &r, NULL), TG_OK);
    route_caps(&r, &from);
    settings_unref(s);
    return from;
}

static void
test_nothing_said(void **state)
{
    struct ir_caps none = {.thinking = CAPS_THINKING_NONE}, got;
    struct route r = {.upstream = NULL};

    (void)state;
    got = routed("", "", expected);
    assert_caps(&got, &expected);
    got = routed("thinking: auto, prefill: auto, stop_max: auto", "prefill: auto", expected);
    assert_caps(&got, &expected);
    got = routed("", "", none);
    assert_caps(&got, &none);
    got = expected;
    route_caps(&r, &got); /* a route that knows of no sections */
    assert_caps(&got, &expected);
}

/* Each member, by its option: the rows and caps_apply mean the same one.  `want` differs from
 * `expected` in that member alone. */
struct one {
    const char *option;
    struct ir_caps want;
};

#define WITH(member, value)                                                                    \
    ({                                                                                         \
        struct ir_caps caps_ = expected;                                                       \
        caps_.member = (value);                                                                \
        caps_;                                                                                 \
    })

static void
test_each(void **state)
{
    const struct one each[] = {
        {"thinking: none", WITH(thinking, CAPS_THINKING_NONE)},
        {"system: remind", WITH(system, CAPS_SYSTEM_REMIND)},
        {"replay: tool_turns", WITH(replay, CAPS_REPLAY_TOOL_TURNS)},
        {"format: only_schema", WITH(format, CAPS_FORMAT_ONLY_SCHEMA)},
        {"orphans: reject", WITH(orphans, CAPS_ORPHANS_REJECT)},
        {"custom_tools: true", WITH(custom_tools, true)},
        {"developer_role: true", WITH(developer_role, true)},
        {"completion_tokens: true", WITH(completion_tokens, true)},
        {"sampling: false", WITH(sampling, false)},
        {"cache_marks: true", WITH(cache_marks, true)},
        {"prefill: false", WITH(prefill, false)},
        {"logprobs: false", WITH(logprobs, false)},
        {"web_search: true", WITH(web_search, true)},
        {"parallel_calls: false", WITH(parallel_calls, false)},
        {"stop_max: 0", WITH(stop_max, 0)},
        {"tool_name_max: 128", WITH(tool_name_max, 128)},
    };

    (void)state;
    assert_int_equal(sizeof each / sizeof each[0], settings_caps_table.n);
    for (size_t i = 0; i < sizeof each / sizeof each[0]; i++) {
        struct ir_caps got = routed(each[i].option, "", expected);

        assert_caps(&got, &each[i].want);
        got = routed("", each[i].option, expected);
        assert_caps(&got, &each[i].want);
    }
}

static void
test_words(void **state)
{
    struct ir_caps got;

    (void)state;
    got = routed("thinking: level, system: keep, replay: never, format: schema, orphans: fix",
                 "", (struct ir_caps){.custom_tools = true});
    assert_int_equal(got.thinking, CAPS_THINKING_LEVEL);
    assert_int_equal(got.system, CAPS_SYSTEM_KEEP);
    assert_int_equal(got.replay, CAPS_REPLAY_NEVER);
    assert_int_equal(got.format, CAPS_FORMAT_SCHEMA);
    assert_int_equal(got.orphans, CAPS_ORPHANS_FIX);
    assert_true(got.custom_tools);
    got =
        routed("thinking: budget, system: merge, replay: always, format: object", "", expected);
    assert_int_equal(got.thinking, CAPS_THINKING_BUDGET);
    assert_int_equal(got.system, CAPS_SYSTEM_MERGE);
    assert_int_equal(got.replay, CAPS_REPLAY_ALWAYS);
    assert_int_equal(got.format, CAPS_FORMAT_OBJECT);
    got = routed("format: prompt", "", expected);
    assert_int_equal(got.format, CAPS_FORMAT_PROMPT);
}

/* The model has the last word, and only on what it speaks of. */
static void
test_model_wins(void **state)
{
    struct ir_caps got;

    (void)state;
    got = routed("custom_tools: true, stop_max: 2, thinking: none",
                 "custom_tools: false, stop_max: 7", expected);
    assert_false(got.custom_tools);
    assert_int_equal(got.stop_max, 7);
    assert_int_equal(got.thinking, CAPS_THINKING_NONE);
    got = routed("sampling: false", "sampling: auto", expected);
    assert_false(got.sampling);
}

static void
test_server_of(void **state)
{
    static const struct {
        const char *host;
        enum caps_server server;
    } cases[] = {
        {"api.openai.com", CAPS_SERVER_OPENAI},
        {"API.OpenAI.com", CAPS_SERVER_OPENAI},
        {"api.anthropic.com", CAPS_SERVER_ANTHROPIC},
        {"openrouter.ai", CAPS_SERVER_OPENROUTER},
        {"api.deepseek.com", CAPS_SERVER_DEEPSEEK},
        {"", CAPS_SERVER_AUTO},
        {"openai.com", CAPS_SERVER_AUTO},
        {"api.openai.com.example.org", CAPS_SERVER_AUTO},
        {"notopenrouter.ai", CAPS_SERVER_AUTO},
        {"localhost", CAPS_SERVER_AUTO},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(caps_server_of(str_z(cases[i].host)), cases[i].server);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_said), cmocka_unit_test(test_each),
        cmocka_unit_test(test_words),        cmocka_unit_test(test_model_wins),
        cmocka_unit_test(test_server_of),
    };

    return cmocka_run_group_tests_name("policy/caps", tests, NULL, NULL);
}
