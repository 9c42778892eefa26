/* settings_test.c -- the options as a whole: defaults, references, what is built in, the dump.
 */
#include "policy/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "support/settings_test.h"

static char *
dump(const struct settings *s)
{
    char *text = NULL;
    size_t n;
    FILE *f = open_memstream(&text, &n);

    settings_dump(s, f);
    fclose(f);
    return text;
}

static void
test_defaults(void **state)
{
    struct settings *s = good("");

    (void)state;
    assert_str(s->file, "f.yaml");
    assert_int_equal(s->refs, 1);
    assert_int_equal(s->n_listen, 1);
    assert_true(s->loaded_at_s > 1700000000);
    assert_str(s->listen[0], "127.0.0.1:8080");
    assert_true(s->workers >= 1);
    assert_int_equal(s->heartbeat_ms, 15000);
    assert_int_equal(s->heartbeat_mode, HEARTBEAT_AUTO);
    assert_int_equal(s->heartbeat_event_ms, 120000);
    assert_int_equal(s->write_timeout_ms, 60000);
    assert_true(s->fin_is_gone);
    assert_false(s->debug.upstream_error_header);
    assert_int_equal(s->log.format, LOG_JSON);
    assert_int_equal(s->log.level, LOG_INFO);
    assert_int_equal(s->cors.n_origins, 0);
    assert_int_equal(s->limits.head_bytes, 32 << 10);
    assert_int_equal(s->limits.body_bytes, 64 << 20);
    assert_int_equal(s->limits.stream_high_bytes, 64 << 10);
    assert_int_equal(s->limits.stream_low_bytes, 16 << 10);
    assert_int_equal(s->limits.response_head_bytes, 64 << 10);
    assert_int_equal(s->limits.response_bytes, 64 << 20);
    assert_int_equal(s->limits.event_bytes, 64 << 20);
    assert_int_equal(s->timeouts.head_ms, 10000);
    assert_int_equal(s->timeouts.body_idle_ms, 30000);
    assert_int_equal(s->timeouts.keep_alive_ms, 75000);
    assert_int_equal(s->timeouts.connect_ms, 10000);
    assert_int_equal(s->timeouts.tls_ms, 10000);
    assert_int_equal(s->timeouts.first_byte_ms, 600000);
    assert_int_equal(s->timeouts.idle_ms, 300000);
    assert_int_equal(s->timeouts.total_ms, 3600000);
    assert_int_equal(s->timeouts.pool_idle_ms, 30000);
    assert_int_equal(s->drain.delay_ms, 5000);
    assert_int_equal(s->drain.timeout_ms, 600000);
    assert_int_equal(s->n_upstreams, 1);
    assert_str(s->upstreams[0].name, "sim");
    assert_int_equal(s->upstreams[0].kind, UPSTREAM_SIM);
    assert_int_equal(s->upstreams[0].server, CAPS_SERVER_AUTO);
    assert_int_equal(s->upstreams[0].caps.stop_max, -1);
    assert_int_equal(s->n_models, 2);
    assert_int_equal(s->models[0].max_tokens, 8192);
    assert_int_equal(s->models[0].caps.tool_name_max, -1);
    assert_int_equal(s->models[0].n_parameters, 0);
    assert_ptr_equal(model(s, "sim")->upstream, &s->upstreams[0]);
    assert_ptr_equal(model(s, "sim-*")->upstream, &s->upstreams[0]);
    settings_unref(s);
}

/* Every part of a file, key by key. */
static const char whole_file[] =
    "listen: [127.0.0.1:8080, '[::1]:0']\n"
    "workers: 1\n"
    "heartbeat_seconds: 0.5\n"
    "heartbeat_events: both\n"
    "heartbeat_event_seconds: 30\n"
    "write_timeout_seconds: 2m\n"
    "fin_is_gone: false\n"
    "log: {format: logfmt, level: debug}\n"
    "cors: {origins: ['https://app.example.com', 'http://localhost:3000']}\n"
    "limits: {head_bytes: 8KiB, connections: 10, stream_high_bytes: 8KiB, "
    "stream_low_bytes: 0}\n"
    "timeouts: {head_seconds: 1, total_seconds: 2h}\n"
    "drain: {delay: 0, timeout: 1}\n"
    "debug: {upstream_error_header: true}\n"
    "sim: {first_token_ms: 1, tokens_per_second: 0, tokens: 3, seed: 4}\n"
    "upstreams:\n"
    "  - name: up\n"
    "    url: http://127.0.0.1:9200/v1/\n"
    "    dialect: chat\n"
    "    key: ${UP_KEY}\n"
    "    server: llama.cpp\n"
    "    capabilities: {thinking: budget, custom_tools: true, stop_max: 2}\n"
    "    connections_max: 7\n"
    "  - name: tls\n"
    "    url: https://10.0.0.1:8443\n"
    "    dialect: messages\n"
    "    server_name: api.example.com\n"
    "    ca_file: ${CA}\n"
    "  - {name: slow, type: sim, sim: {tokens: 9}}\n"
    "models:\n"
    "  - name: mock-*\n"
    "    upstream: up\n"
    "    model: mock-1\n"
    "    capabilities: {custom_tools: false}\n"
    "    parameters: [drop seed, 'default stop [\"x\"]']\n"
    "  - {name: sim, upstream: slow}\n";

static void
test_whole_file(void **state)
{
    static const char pem[] = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n";
    char path[] = "/tmp/tg-ca-XXXXXX";
    const struct upstream_settings *u;
    const struct model_settings *m;
    struct settings *s;
    int fd = mkstemp(path);

    (void)state;
    setenv("UP_KEY", "sk-canary-1", 1);
    setenv("CA", path, 1);
    assert_int_equal(write(fd, pem, sizeof pem - 1), sizeof pem - 1);
    close(fd);
    s = good(whole_file);
    unsetenv("UP_KEY");
    unsetenv("CA");
    unlink(path);
    assert_int_equal(s->n_listen, 2);
    assert_int_equal(s->workers, 1);
    assert_int_equal(s->heartbeat_ms, 500);
    assert_int_equal(s->heartbeat_mode, HEARTBEAT_BOTH);
    assert_int_equal(s->heartbeat_event_ms, 30000);
    assert_int_equal(s->write_timeout_ms, 120000);
    assert_false(s->fin_is_gone);
    assert_true(s->debug.upstream_error_header);
    assert_int_equal(s->log.format, LOG_LOGFMT);
    assert_int_equal(s->log.level, LOG_DEBUG);
    assert_int_equal(s->cors.n_origins, 2);
    assert_int_equal(s->limits.head_bytes, 8192);
    assert_int_equal(s->limits.connections, 10);
    assert_int_equal(s->limits.stream_low_bytes, 0);
    assert_int_equal(s->timeouts.head_ms, 1000);
    assert_int_equal(s->timeouts.total_ms, 7200000);
    assert_int_equal(s->drain.delay_ms, 0);
    assert_int_equal(s->sim.seed, 4);

    u = upstream(s, "up");
    assert_int_equal(u->kind, UPSTREAM_HTTP);
    assert_str(u->url, "http://127.0.0.1:9200/v1");
    assert_false(u->tls);
    assert_str(u->host, "127.0.0.1");
    assert_int_equal(u->port, 9200);
    assert_str(u->base_path, "/v1");
    assert_str(u->dialect, "chat");
    assert_str(secret_reveal(&u->key), "sk-canary-1");
    assert_int_equal(u->connections_max, 7);
    assert_int_equal(u->server, CAPS_SERVER_LLAMA_CPP);
    assert_int_equal(u->caps.thinking, CAPS_THINKING_BUDGET);
    assert_int_equal(u->caps.custom_tools, IR_YES);
    assert_int_equal(u->caps.sampling, IR_UNSAID);
    assert_int_equal(u->caps.stop_max, 2);
    u = upstream(s, "tls");
    assert_true(u->tls);
    assert_str(u->base_path, "");
    assert_str(u->server_name, "api.example.com");
    u = upstream(s, "slow");
    assert_int_equal(u->sim.tokens, 9);
    assert_int_equal(u->sim.seed, 4); /* from the top */
    assert_int_equal(upstream(s, "sim")->sim.tokens, 3);

    m = model(s, "mock-*");
    assert_str(m->model, "mock-1");
    assert_int_equal(m->caps.custom_tools, IR_NO);
    assert_int_equal(m->n_parameters, 2);
    assert_int_equal(m->rules[0].what, PARAM_DROP);
    assert_str(m->rules[1].value, "[\"x\"]");
    assert_ptr_equal(model(s, "mock-*")->upstream, upstream(s, "up"));
    assert_ptr_equal(model(s, "sim")->upstream, upstream(s, "slow"));
    assert_ptr_equal(model(s, "sim-*")->upstream, upstream(s, "sim"));
    assert_int_equal(s->n_models, 3);
    settings_unref(s);
}

static void
test_files(void **state)
{
    struct settings *s = NULL;
    char path[] = "/tmp/tg-settings-XXXXXX", text[128] = "";
    int fd = mkstemp(path);
    FILE *f = fmemopen(text, sizeof text, "w");

    (void)state;
    assert_int_equal(settings_load("/nonexistent/triglot.yaml", f, &s), TG_ECONFIG);
    fclose(f);
    assert_string_equal(text, "/nonexistent/triglot.yaml: No such file or directory\n");
    assert_null(s);
    assert_int_equal(write(fd, "workers: 3\n", 11), 11);
    close(fd);
    assert_int_equal(settings_load(path, stderr, &s), TG_OK);
    assert_int_equal(s->workers, 3);
    assert_str(s->file, path);
    settings_unref(s);
    unlink(path);
    /* A file says everything: keys in the environment add nothing to it. */
    setenv("OPENAI_API_KEY", "k", 1);
    s = good("");
    assert_int_equal(s->n_upstreams, 1);
    settings_unref(s);
}

static void
test_zero_bare(void **state)
{
    struct settings *s = good(NULL);

    (void)state;
    assert_int_equal(s->file.n, 0);
    assert_str(s->listen[0], "127.0.0.1:8080");
    assert_int_equal(s->n_upstreams, 1);
    assert_int_equal(s->n_models, 2);
    settings_unref(s);
    setenv("OPENAI_API_KEY", "", 1);
    s = good(NULL);
    assert_int_equal(s->n_upstreams, 1);
    settings_unref(s);
}

static void
test_zero_keys(void **state)
{
    static const char *const openai[] = {"gpt-*", "o1*",       "o3*",
                                         "o4*",   "chatgpt-*", "text-embedding-*"};
    const struct upstream_settings *u;
    struct settings *s;

    (void)state;
    setenv("OPENAI_API_KEY", "sk-o", 1);
    setenv("ANTHROPIC_API_KEY", "sk-a", 1);
    s = good(NULL);
    assert_int_equal(s->n_upstreams, 3);
    u = upstream(s, "openai");
    assert_int_equal(u->server, CAPS_SERVER_OPENAI);
    assert_str(u->url, "https://api.openai.com/v1");
    assert_str(u->host, "api.openai.com");
    assert_str(u->base_path, "/v1");
    assert_int_equal(u->port, 443);
    assert_true(u->tls);
    assert_str(u->dialect, "chat");
    assert_str(secret_reveal(&u->key), "sk-o");
    for (size_t i = 0; i < sizeof openai / sizeof openai[0]; i++)
        assert_ptr_equal(model(s, openai[i])->upstream, u);
    u = upstream(s, "anthropic");
    assert_int_equal(u->server, CAPS_SERVER_ANTHROPIC);
    assert_str(u->url, "https://api.anthropic.com/v1");
    assert_str(u->dialect, "messages");
    assert_str(secret_reveal(&u->key), "sk-a");
    assert_ptr_equal(model(s, "claude-*")->upstream, u);
    assert_ptr_equal(model(s, "sim-*")->upstream, upstream(s, "sim"));
    assert_int_equal(s->n_models, 9);
    settings_unref(s);

    unsetenv("OPENAI_API_KEY");
    s = good(NULL);
    assert_null(upstream(s, "openai"));
    assert_null(model(s, "gpt-*"));
    assert_non_null(upstream(s, "anthropic"));
    settings_unref(s);
}

static void
test_zero_urls(void **state)
{
    struct settings *s;

    (void)state;
    setenv("OPENAI_API_KEY", "k", 1);
    setenv("ANTHROPIC_API_KEY", "k", 1);
    setenv("OPENAI_BASE_URL", "http://127.0.0.1:9200/x/", 1);
    setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9201", 1);
    s = good(NULL);
    assert_str(upstream(s, "openai")->url, "http://127.0.0.1:9200/x");
    assert_false(upstream(s, "openai")->tls);
    assert_str(upstream(s, "openai")->base_path, "/x");
    /* What answers there need not be the provider. */
    assert_int_equal(upstream(s, "openai")->server, CAPS_SERVER_AUTO);
    /* By its own custom this variable goes without the version part. */
    assert_str(upstream(s, "anthropic")->url, "http://127.0.0.1:9201/v1");
    settings_unref(s);

    setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9201/proxy", 1);
    setenv("OPENAI_BASE_URL", "", 1);
    s = good(NULL);
    assert_str(upstream(s, "openai")->url, "https://api.openai.com/v1");
    assert_int_equal(upstream(s, "openai")->server, CAPS_SERVER_OPENAI);
    assert_str(upstream(s, "anthropic")->url, "http://127.0.0.1:9201/proxy");
    settings_unref(s);

    /* Our own address would send requests in circles. */
    setenv("OPENAI_BASE_URL", "http://localhost:8080/v1", 1);
    s = good(NULL);
    assert_string_equal(said,
                        "triglot: warning: environment variable OPENAI_BASE_URL names this "
                        "gateway itself and is not used\n");
    assert_str(upstream(s, "openai")->url, "https://api.openai.com/v1");
    settings_unref(s);

    setenv("OPENAI_BASE_URL", "api.openai.com", 1);
    expect(NULL, "triglot: environment variable OPENAI_BASE_URL must begin with http:// or "
                 "https://\n");
}

/* A file may take the names of what is built in. */
static void
test_sim_taken(void **state)
{
    struct settings *s = good("upstreams:\n  - {name: sim, url: 'http://h/v1'}\n"
                              "models:\n  - {name: 'sim-*', upstream: sim, model: x}\n");

    (void)state;
    assert_int_equal(s->n_upstreams, 1);
    assert_int_equal(s->upstreams[0].kind, UPSTREAM_HTTP);
    assert_int_equal(s->n_models, 2);
    assert_str(model(s, "sim-*")->model, "x");
    assert_ptr_equal(model(s, "sim")->upstream, &s->upstreams[0]);
    settings_unref(s);
}

/* What stands behind "  # " is where a value came from; the rest must read back. */
static void
strip_comments(char *text)
{
    char *out = text;

    for (char *line = text; *line;) {
        size_t n = strcspn(line, "\n");
        char *comment = memmem(line, n, "  # ", 4);
        size_t keep = comment ? (size_t)(comment - line) : n;

        if (line[0] != '#') {
            memmove(out, line, keep);
            out += keep;
            *out++ = '\n';
        }
        line += n + (line[n] == '\n');
    }
    *out = '\0';
}

static void
test_dump(void **state)
{
    struct settings *s, *again;
    char *text, *second;

    (void)state;
    setenv("OPENAI_API_KEY", "sk-canary-4711", 1);
    setenv("ANTHROPIC_API_KEY", "sk-canary-4712", 1);
    setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1", 1);
    s = good(NULL);
    text = dump(s);
    assert_null(strstr(text, "canary"));
    assert_non_null(strstr(text, "    key: \"***\"  # environment OPENAI_API_KEY\n"));
    assert_non_null(
        strstr(text, "    url: \"http://127.0.0.1:1/v1\"  # environment OPENAI_BASE_URL\n"));
    assert_non_null(strstr(text, "  - name: \"openai\"  # built in\n"));
    assert_non_null(strstr(text, "    server: anthropic  # built in\n"));
    assert_non_null(strstr(text, "    server: auto  # default\n"));
    assert_non_null(strstr(text, "    capabilities: {}  # default\n"));
    assert_non_null(strstr(text, "    parameters: []  # default\n"));
    assert_non_null(strstr(text, "heartbeat_seconds: 15  # default\n"));
    strip_comments(text);
    again = good(text);
    second = dump(again);
    strip_comments(second);
    assert_string_equal(text, second);
    free(second);
    free(text);
    settings_unref(again);
    settings_unref(s);

    setenv("UP_KEY", "sk-canary-4713", 1);
    s = good("workers: 2\n" UP "url: http://h\n    key: ${UP_KEY}\n");
    text = dump(s);
    assert_null(strstr(text, "canary"));
    assert_non_null(strstr(text, "workers: 2  # f.yaml:1\n"));
    assert_non_null(strstr(text, "    key: \"***\"  # f.yaml:5, environment UP_KEY\n"));
    free(text);
    settings_unref(s);
}

static void
test_dump_rules(void **state)
{
    struct settings *s, *again;
    char *text, *second;

    (void)state;
    s = good("heartbeat_events: off\n" MODEL "capabilities: {prefill: false, stop_max: 1, "
             "thinking: auto}\n    parameters:\n      - drop seed\n"
             "      - 'default stop [\"$$x\"]'\n");
    text = dump(s);
    assert_non_null(strstr(text, "heartbeat_events: off  # f.yaml:1\n"
                                 "heartbeat_event_seconds: 120  # default\n"));
    assert_non_null(strstr(text, "    capabilities:\n"
                                 "      thinking: auto  # f.yaml:5\n"
                                 "      prefill: false  # f.yaml:5\n"
                                 "      stop_max: 1  # f.yaml:5\n"
                                 "    parameters:  # f.yaml:7\n"
                                 "      - \"drop seed\"\n"
                                 "      - \"default stop [\\\"$$x\\\"]\"\n"));
    strip_comments(text);
    again = good(text);
    assert_str(model(again, "m")->rules[1].value, "[\"$x\"]");
    second = dump(again);
    strip_comments(second);
    assert_string_equal(text, second);
    free(second);
    free(text);
    settings_unref(again);
    settings_unref(s);
}

static void
test_refs(void **state)
{
    struct settings *s = good(""), *other = good("");

    (void)state;
    assert_true(s->generation != other->generation);
    settings_ref(s);
    assert_int_equal(s->refs, 2);
    settings_unref(s);
    assert_int_equal(s->refs, 1);
    assert_str(s->listen[0], "127.0.0.1:8080");
    settings_unref(s);
    settings_unref(other);
    settings_unref(NULL);
}

static void
test_restart(void **state)
{
    struct settings *a = good("workers: 1\n"), *b = good("workers: 1\nheartbeat_seconds: 1\n");
    struct settings *c = good("workers: 2\nlisten: a:1\n");
    char keys[64];

    (void)state;
    assert_false(settings_needs_restart(a, b, keys, sizeof keys));
    assert_true(settings_needs_restart(a, c, keys, sizeof keys));
    assert_string_equal(keys, "listen, workers");
    settings_unref(a);
    settings_unref(b);
    settings_unref(c);
}

/* The manual page holds the option list as generated; triglot --mdoc-options prints it anew. */
static void
test_page(void **state)
{
    static const char from[] = ".\\\" options: begin\n", to[] = ".\\\" options: end\n";
    char *want = NULL, *page, *begin, *end;
    size_t want_n;
    struct buf file;
    struct tg_err err;
    FILE *f = open_memstream(&want, &want_n);

    (void)state;
    settings_mdoc(f);
    fclose(f);
    buf_init(&file, 1 << 20);
    if (conf_read_file("man/triglot.yaml.5", true, 1 << 19, &file, &err) != TG_OK)
        fail_msg("%s", err.msg);
    page = mem_dup_z(buf_str(&file));
    begin = strstr(page, from);
    assert_non_null(begin);
    begin += sizeof from - 1;
    end = strstr(begin, to);
    assert_non_null(end);
    *end = '\0';
    assert_string_equal(begin, want);
    mem_free(page);
    buf_fini(&file);
    free(want);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_defaults, clear_environment),
        cmocka_unit_test_setup(test_whole_file, clear_environment),
        cmocka_unit_test_setup(test_files, clear_environment),
        cmocka_unit_test_setup(test_zero_bare, clear_environment),
        cmocka_unit_test_setup(test_zero_keys, clear_environment),
        cmocka_unit_test_setup(test_zero_urls, clear_environment),
        cmocka_unit_test_setup(test_sim_taken, clear_environment),
        cmocka_unit_test_setup(test_dump, clear_environment),
        cmocka_unit_test_setup(test_dump_rules, clear_environment),
        cmocka_unit_test_setup(test_refs, clear_environment),
        cmocka_unit_test_setup(test_restart, clear_environment),
        cmocka_unit_test(test_page),
    };

    return cmocka_run_group_tests_name("policy/settings", tests, NULL, NULL);
}
