/* settings_errors_test.c -- values that are wrong, each with its exact message and place. */
#include "policy/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/settings_test.h"

/* The folders of src/dialect, whichever they are: ", a, b, c". */
static const char dialect_words[] =
#define X(name) ", " #name
#include "dialects.inc"
#undef X
    ;

static void
test_upstream_errors(void **state)
{
    char wrong_dialect[512];

    (void)state;
    snprintf(wrong_dialect, sizeof wrong_dialect,
             "f.yaml:4:14: upstreams[0].dialect must be one of %s; got \"chatt\" (did you mean "
             "\"chat\"?)\n",
             dialect_words + 2);
    expect(UP "dialect: chat\n", "f.yaml:2:5: upstreams[0].url is missing\n");
    expect(UP "url: h:80\n",
           "f.yaml:3:10: upstreams[0].url must begin with http:// or https://\n");
    expect(UP "url: http://me:canary@h\n",
           "f.yaml:3:10: upstreams[0].url must not hold a user name or password; credentials "
           "belong in \"key\"\n");
    expect(UP "url: http://h\n    dialect: chatt\n", wrong_dialect);
    expect(UP "url: http://h\n    ca_file: x\n",
           "f.yaml:4:5: upstreams[0].ca_file is only for https URLs\n");
    expect(UP "url: http://h\n    server_name: x\n",
           "f.yaml:4:5: upstreams[0].server_name is only for https URLs\n");
    expect(UP "url: https://h\n    ca_file: /nonexistent.pem\n",
           "f.yaml:4:14: upstreams[0].ca_file: /nonexistent.pem: No such file or directory\n");
    expect(UP "url: https://h\n    ca_file: Makefile\n",
           "f.yaml:4:14: upstreams[0].ca_file: Makefile: holds no PEM certificate\n");
    expect(
        UP "url: https://10.0.0.1\n",
        "f.yaml:3:10: upstreams[0].url has an IP address as its host, which cannot be checked "
        "against a certificate; set server_name to the name that the certificate is for\n");
    expect(UP "url: https://[::1]\n    server_name: 10.0.0.1\n",
           "f.yaml:4:18: upstreams[0].server_name must be a host name\n");
    expect(UP "url: http://h\n    sim: {seed: 1}\n",
           "f.yaml:4:5: upstreams[0].sim is only for type: sim\n");
    expect(UP "type: sim\n    key: canary\n",
           "f.yaml:4:5: upstreams[0].key is only for type: http\n");
    expect("upstreams:\n  - {name: a, url: 'http://h'}\n  - {name: a, url: 'http://h'}\n",
           "f.yaml:3:12: upstreams[1].name \"a\" is taken by upstreams[0]\n");
}

static enum caps_server
server_of(const char *lines)
{
    enum caps_server server;
    char text[256];
    struct settings *s;

    snprintf(text, sizeof text, UP "%s", lines);
    s = good(text);
    server = upstream(s, "up")->server;
    settings_unref(s);
    return server;
}

static void
test_server(void **state)
{
    static const char *const words[CAPS_SERVER_N] = {
        [CAPS_SERVER_AUTO] = "auto",           [CAPS_SERVER_OPENAI] = "openai",
        [CAPS_SERVER_ANTHROPIC] = "anthropic", [CAPS_SERVER_VLLM] = "vllm",
        [CAPS_SERVER_OLLAMA] = "ollama",       [CAPS_SERVER_LLAMA_CPP] = "llama.cpp",
        [CAPS_SERVER_LM_STUDIO] = "lmstudio",  [CAPS_SERVER_OPENROUTER] = "openrouter",
        [CAPS_SERVER_DEEPSEEK] = "deepseek",
    };

    (void)state;
    for (unsigned i = 0; i < CAPS_SERVER_N; i++) {
        char lines[128];

        snprintf(lines, sizeof lines, "url: http://127.0.0.1:11434/v1\n    server: %s\n",
                 words[i]);
        assert_int_equal(server_of(lines), i);
    }
    /* Without a word, a well-known host tells, and nothing else does. */
    assert_int_equal(server_of("url: https://api.openai.com/v1\n"), CAPS_SERVER_OPENAI);
    assert_int_equal(server_of("url: https://Api.OpenAI.com/v1\n    server: auto\n"),
                     CAPS_SERVER_OPENAI);
    assert_int_equal(server_of("url: http://api.openai.com:8080\n"), CAPS_SERVER_OPENAI);
    assert_int_equal(server_of("url: https://openrouter.ai/api/v1\n"), CAPS_SERVER_OPENROUTER);
    assert_int_equal(server_of("url: http://127.0.0.1:11434/v1\n"), CAPS_SERVER_AUTO);
    assert_int_equal(server_of("url: http://h/api.openai.com\n"), CAPS_SERVER_AUTO);
    /* The word is stronger than the host, and a simulated model may play a server too. */
    assert_int_equal(server_of("url: https://api.openai.com/v1\n    server: vllm\n"),
                     CAPS_SERVER_VLLM);
    assert_int_equal(server_of("type: sim\n    server: ollama\n"), CAPS_SERVER_OLLAMA);
    expect(UP "url: http://h\n    server: olama\n",
           "f.yaml:4:13: upstreams[0].server must be one of auto, openai, anthropic, vllm, "
           "ollama, llama.cpp, lmstudio, openrouter, deepseek; got \"olama\" (did you mean "
           "\"ollama\"?)\n");
}

static void
test_caps_errors(void **state)
{
    (void)state;
    expect(MODEL "capabilities:\n      thinking: budgets\n",
           "f.yaml:5:17: models[0].capabilities.thinking must be one of auto, level, budget, "
           "none; got \"budgets\" (did you mean \"budget\"?)\n");
    expect(MODEL "capabilities:\n      custom_tools: yes\n",
           "f.yaml:5:21: models[0].capabilities.custom_tools must be one of auto, true, false; "
           "got \"yes\" (did you mean \"true\"?)\n");
    expect(
        MODEL "capabilities:\n      stop_max: 17\n",
        "f.yaml:5:17: models[0].capabilities.stop_max must be auto or a whole number from 0 to "
        "16; got \"17\"\n");
    expect(
        MODEL "capabilities:\n      tool_name_max: 8\n",
        "f.yaml:5:22: models[0].capabilities.tool_name_max must be auto or a whole number from "
        "16 to 1024; got \"8\"\n");
    expect(MODEL "capabilities:\n      thinkin: none\n",
           "f.yaml:5:7: unknown key \"thinkin\" in models[0].capabilities (did you mean "
           "\"thinking\"?)\n");
    expect(MODEL "capabilities: none\n",
           "f.yaml:4:19: models[0].capabilities must be a section of keys; got \"none\"\n");
    expect(UP "url: http://h\n    capabilities: {format: json}\n",
           "f.yaml:4:28: upstreams[0].capabilities.format must be one of auto, schema, object, "
           "only_schema, prompt; got \"json\"\n");
}

static void
test_parameter_errors(void **state)
{
    (void)state;
    expect(
        MODEL "parameters:\n      - drop seed\n      - dorp seed\n",
        "f.yaml:6:9: models[0].parameters[1]: must begin with drop, refuse, rename, clamp or "
        "default (did you mean \"drop\"?)\n");
    expect(MODEL "parameters: clamp t 1\n",
           "f.yaml:4:17: models[0].parameters[0]: must read \"clamp NAME MIN MAX\"\n");
    expect(
        MODEL "parameters: [refuse a.b.c, rename a b.c, clamp t 2 1, default x null, drop "
              "stream]\n",
        "f.yaml:4:18: models[0].parameters[0]: NAME must be letters, digits, \"_\" and \"-\" "
        "with at most one dot between them, at most 64 bytes\n"
        "f.yaml:4:32: models[0].parameters[1]: NEW must be a member of the same object as "
        "NAME\n"
        "f.yaml:4:46: models[0].parameters[2]: MIN must not be above MAX\n"
        "f.yaml:4:59: models[0].parameters[3]: JSON must not be null, which says nothing\n"
        "f.yaml:4:75: models[0].parameters[4]: \"stream\" is the gateway's own and no rule may "
        "name it\n");
    expect(MODEL "parameters: {drop: seed}\n",
           "f.yaml:4:17: models[0].parameters must be text or a list of texts, none of them "
           "empty; got a section of keys\n");
    expect(MODEL "parameters: ['']\n",
           "f.yaml:4:18: models[0].parameters[0] must be text or a list of texts, none of them "
           "empty; got \"\"\n");
    /* What a variable holds is not shown. */
    setenv("TG_T", "canary", 1);
    expect(
        MODEL "parameters: \"${TG_T}\"\n",
        "f.yaml:4:17: models[0].parameters[0]: must begin with drop, refuse, rename, clamp or "
        "default\n");
}

static void
test_heartbeat_errors(void **state)
{
    (void)state;
    expect(
        "heartbeat_events: comments\nheartbeat_event_seconds: 0\n",
        "f.yaml:1:19: heartbeat_events must be one of auto, comment, event, both, off; got "
        "\"comments\" (did you mean \"comment\"?)\n"
        "f.yaml:2:26: heartbeat_event_seconds must be 0.01 to 3600 seconds (such as 15, 0.5, "
        "500ms, 15s, 2m); got \"0\"\n");
}

/* A key goes into a header: nothing that could end the line, and the key is never shown. */
static void
test_key_errors(void **state)
{
    (void)state;
    expect(
        UP "url: http://h\n    key: \"canary\\r\\nx: y\"\n",
        "f.yaml:4:10: upstreams[0].key holds a control byte at byte 7; a key is visible ASCII "
        "without blanks\n");
    expect(
        UP "url: http://h\n    key: canary two\n",
        "f.yaml:4:10: upstreams[0].key holds a blank at byte 7; a key is visible ASCII without "
        "blanks\n");
    expect(
        UP "url: http://h\n    key: canary\xc3\xa9\n",
        "f.yaml:4:10: upstreams[0].key holds a byte beyond ASCII at byte 7; a key is visible "
        "ASCII without blanks\n");
    setenv("OPENAI_API_KEY", "canary\n", 1);
    expect(NULL,
           "triglot: environment variable OPENAI_API_KEY holds a control byte at byte 7; a "
           "key is visible ASCII without blanks\n");
}

static void
test_other_errors(void **state)
{
    (void)state;
    expect("models:\n  - name: m\n    upstream: simm\n",
           "f.yaml:3:15: models[0].upstream: there is no upstream \"simm\" (did you mean "
           "\"sim\"?)\n");
    expect("models:\n  - {name: m, upstream: sim}\n  - {name: m, upstream: sim}\n",
           "f.yaml:3:12: models[1].name \"m\" is taken by models[0]\n");
    expect("models:\n  - name: m\n", "f.yaml:2:5: models[0].upstream is missing\n");
    /* The upstream's own mistake is the only message. */
    expect("upstreams:\n  - url: http://h\nmodels:\n  - {name: m, upstream: up}\n",
           "f.yaml:2:5: upstreams[0].name is missing\n");
    expect(
        "listen: 8080\n",
        "f.yaml:1:9: listen: \"8080\" must be host:port, such as 127.0.0.1:8080, [::1]:8080 or "
        "*:8080\n");
    expect("listen:\n  - a:1\n  - a:1\n", "f.yaml:3:5: listen: \"a:1\" is there twice\n");
    expect("cors:\n  origins: [\"*\", http://h/]\n",
           "f.yaml:2:18: cors.origins: \"http://h/\" must be \"*\" or scheme://host[:port] "
           "without "
           "a path or slash behind it\n");
    expect("limits:\n  stream_low_bytes: 64KiB\n",
           "f.yaml:2:21: limits.stream_low_bytes must be less than limits.stream_high_bytes\n");
    expect("limits:\n  stream_high_bytes: 16KiB\n",
           "f.yaml:2:22: limits.stream_low_bytes must be less than limits.stream_high_bytes\n");
    expect("lisen: a:1\n", "f.yaml:1:1: unknown key \"lisen\" (did you mean \"listen\"?)\n");
    expect("workers: 0\nheartbeat_seconds: -1\n",
           "f.yaml:1:10: workers must be a whole number from 1 to 256; got \"0\"\n"
           "f.yaml:2:20: heartbeat_seconds must be 0 to 3600 seconds (such as 15, 0.5, 500ms, "
           "15s, "
           "2m); got \"-1\"\n");
    /* What a variable holds is not shown. */
    setenv("TG_T", "canary", 1);
    expect("listen: ${TG_T}\nmodels:\n  - {name: m, upstream: \"${TG_T}\"}\n",
           "f.yaml:1:9: listen: \"${TG_T}\" must be host:port, such as 127.0.0.1:8080, "
           "[::1]:8080 or *:8080\n"
           "f.yaml:3:25: models[0].upstream: there is no upstream \"${TG_T}\"\n");
    expect("a: b: c\n",
           "f.yaml:1:5: not valid YAML: mapping values are not allowed in this context\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_upstream_errors, clear_environment),
        cmocka_unit_test_setup(test_server, clear_environment),
        cmocka_unit_test_setup(test_caps_errors, clear_environment),
        cmocka_unit_test_setup(test_parameter_errors, clear_environment),
        cmocka_unit_test_setup(test_heartbeat_errors, clear_environment),
        cmocka_unit_test_setup(test_key_errors, clear_environment),
        cmocka_unit_test_setup(test_other_errors, clear_environment),
    };

    return cmocka_run_group_tests_name("policy/settings_errors", tests, NULL, NULL);
}
