/* settings_tables.c -- every option: key, type, default, limits, help.
 *
 * These rows are the only place where an option is described; the loader, --dump-config and
 * triglot.yaml(5) all read them.  The order here is the order of the dump and of the page.
 */
#include "policy/settings_int.h"

#define KIB      INT64_C(1024)
#define MIB      (1024 * KIB)
#define GIB      (1024 * MIB)
#define DAY_MS   (24 * INT64_C(3600000))
#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

/* Where a member of one of settings' anonymous structs lies inside that struct. */
#define IN(part, member)                                                                       \
    (offsetof(struct settings, part.member) - offsetof(struct settings, part))
#define UP(member)  offsetof(struct upstream_settings, member)
#define SIM(member) offsetof(struct sim_settings, member)

#define SECONDS(key_, at, text_, lo, hi, help_)                                                \
    {                                                                                          \
        .key = key_, .type = CONF_SECONDS, .offset = at, .text = text_, .min = lo, .max = hi,  \
        .help = help_                                                                          \
    }
#define BYTES(key_, at, text_, lo, hi, help_)                                                  \
    {                                                                                          \
        .key = key_, .type = CONF_BYTES, .offset = at, .text = text_, .min = lo, .max = hi,    \
        .help = help_                                                                          \
    }
#define INTEGER(key_, at, text_, lo, hi, help_)                                                \
    {                                                                                          \
        .key = key_, .type = CONF_INTEGER, .offset = at, .width = sizeof(int64_t),             \
        .text = text_, .min = lo, .max = hi, .help = help_                                     \
    }
#define SECTION(key_, at, table_, help_)                                                       \
    {                                                                                          \
        .key = key_, .type = CONF_SECTION, .offset = at, .table = table_, .help = help_        \
    }

static const struct conf_name log_formats[] = {
    {"json", LOG_JSON}, {"logfmt", LOG_LOGFMT}, {NULL, 0}};
static const struct conf_name log_levels[] = {{"error", LOG_ERROR},
                                              {"warn", LOG_WARN},
                                              {"info", LOG_INFO},
                                              {"debug", LOG_DEBUG},
                                              {NULL, 0}};
static const struct conf_name dialects[] = {
    {"chat", 0}, {"responses", 1}, {"messages", 2}, {NULL, 0}};
static const struct conf_name upstream_types[] = {
    {"http", UPSTREAM_HTTP}, {"sim", UPSTREAM_SIM}, {NULL, 0}};

/* Upstreams: what makes sense where. */

static bool
is_http(const void *section)
{
    const struct upstream_settings *u = section;

    return u->kind == UPSTREAM_HTTP;
}

static bool
is_https(const void *section)
{
    const struct upstream_settings *u = section;

    return is_http(u) &&
           str_ieq(str_of(u->url.p, u->url.n < 8 ? u->url.n : 8), STR("https://"));
}

static bool
is_sim(const void *section)
{
    return !is_http(section);
}

static const struct conf_row sim_rows[] = {
    INTEGER("first_token_ms", SIM(first_token_ms), "100", 0, 600000,
            "Milliseconds before the first token of an answer."),
    INTEGER("tokens_per_second", SIM(tokens_per_second), "50", 0, 1000000,
            "Pace of an answer; 0 is as fast as the client reads."),
    INTEGER("tokens", SIM(tokens), "64", 0, 1000000, "Length of an answer in tokens."),
    INTEGER("seed", SIM(seed), "1", 0, INT64_MAX,
            "What the text is made from: the same seed and request give the same answer."),
};
static const struct conf_table sim_table = {
    .rows = sim_rows, .n = COUNT(sim_rows), .size = sizeof(struct sim_settings)};

static const struct conf_row upstream_rows[] = {
    {.key = "name",
     .type = CONF_STRING,
     .flags = CONF_REQUIRED,
     .offset = UP(name),
     .min = 1,
     .max = 128,
     .help = "What models refer to and what logs show.\nNames are unique."},
    {.key = "type",
     .type = CONF_ENUM,
     .offset = UP(kind),
     .names = upstream_types,
     .text = "http",
     .help = "A server that is reached over HTTP, or a simulated model inside the daemon."},
    {.key = "url",
     .type = CONF_STRING,
     .offset = UP(url),
     .max = 2048,
     .applies = is_http,
     .only_for = "type: http",
     .default_note = "none, must be set",
     .help = "Base URL, with the version part that the server's paths begin with.\n"
             "The scheme is http or https; user names, queries and fragments are refused."},
    {.key = "dialect",
     .type = CONF_CHOICE,
     .offset = UP(dialect),
     .names = dialects,
     .text = "chat",
     .help = "The API that the server speaks: OpenAI Chat Completions, OpenAI Responses or "
             "Anthropic Messages."},
    {.key = "key",
     .type = CONF_SECRET,
     .offset = UP(key),
     .applies = is_http,
     .only_for = "type: http",
     .default_note = "none",
     .help = "API key to send.\nUse a variable or\n.Ql file:/path\n"
             "rather than the key itself; one newline at the end of the file is dropped."},
    {.key = "ca_file",
     .type = CONF_STRING,
     .offset = UP(ca_file),
     .applies = is_https,
     .only_for = "https URLs",
     .default_note = "the system's certificates",
     .help = "Certificates, as PEM, that the server's chain must lead to."},
    {.key = "server_name",
     .type = CONF_STRING,
     .offset = UP(server_name),
     .max = 253,
     .applies = is_https,
     .only_for = "https URLs",
     .default_note = "the host of the URL",
     .help = "Name that is sent to the server and that its certificate must be for.\n"
             "Required when the host of the URL is an IP address, because addresses in "
             "certificates cannot be checked."},
    {.key = "connections_max",
     .type = CONF_INTEGER,
     .offset = UP(connections_max),
     .width = sizeof(int64_t),
     .text = "0",
     .max = 1000000,
     .applies = is_http,
     .only_for = "type: http",
     .help = "Open connections to this upstream for each worker; requests beyond wait.\n"
             "0 is no limit."},
    {.key = "sim",
     .type = CONF_SECTION,
     .offset = UP(sim),
     .table = &sim_table,
     .applies = is_sim,
     .only_for = "type: sim",
     .help = "How this simulated model behaves.\nWhat is not set is taken from the top-level\n"
             ".Ic sim\nsection."},
};
const struct conf_table settings_upstream_table = {
    .rows = upstream_rows,
    .n = COUNT(upstream_rows),
    .size = sizeof(struct upstream_settings),
    .pos_at = 1 + UP(at),
};

static const struct conf_row model_rows[] = {
    {.key = "name",
     .type = CONF_STRING,
     .flags = CONF_REQUIRED,
     .offset = offsetof(struct model_settings, name),
     .min = 1,
     .max = 256,
     .help = "What clients ask for.\nA star stands for any run of characters, anywhere in the "
             "name; a name that begins with one must be quoted.\nAn exact name wins over "
             "patterns, and of those the one with the most characters that are no stars."},
    {.key = "upstream",
     .type = CONF_STRING,
     .flags = CONF_REQUIRED,
     .offset = offsetof(struct model_settings, upstream_name),
     .min = 1,
     .max = 128,
     .help = "Name of the upstream that serves it."},
    {.key = "model",
     .type = CONF_STRING,
     .offset = offsetof(struct model_settings, model),
     .max = 256,
     .default_note = "what the client asked for",
     .help = "What the upstream is asked for."},
    {.key = "strict",
     .type = CONF_BOOL,
     .offset = offsetof(struct model_settings, strict),
     .text = "false",
     .help =
         "A request field that the upstream's dialect cannot carry is refused with 400 instead "
         "of being dropped and named in\n.Ql x-triglot-dropped ."},
    {.key = "max_tokens",
     .type = CONF_INTEGER,
     .offset = offsetof(struct model_settings, max_tokens),
     .width = sizeof(int64_t),
     .text = "8192",
     .min = 1,
     .max = 10000000,
     .help =
         "Answer length to ask for when the client said none and the upstream's dialect needs "
         "one (messages)."},
};
const struct conf_table settings_model_table = {
    .rows = model_rows,
    .n = COUNT(model_rows),
    .size = sizeof(struct model_settings),
    .pos_at = 1 + offsetof(struct model_settings, at),
};

static const struct conf_row log_rows[] = {
    {.key = "format",
     .type = CONF_ENUM,
     .offset = IN(log, format),
     .names = log_formats,
     .text = "json",
     .help = "One JSON object a line, or key=value pairs."},
    {.key = "level",
     .type = CONF_ENUM,
     .offset = IN(log, level),
     .names = log_levels,
     .text = "info",
     .help = "The least urgent lines that are written.\nAccess lines are written at info."},
};

static const struct conf_row cors_rows[] = {
    {.key = "origins",
     .type = CONF_STRINGS,
     .offset = IN(cors, origins),
     .count_offset = IN(cors, n_origins),
     .default_note = "none, no CORS headers are sent",
     .help =
         "Origins such as\n.Ql https://app.example.com\nwhose pages may call the API from a "
         "browser, or\n.Ql \\(dq*\\(dq\nfor all."},
};

static const struct conf_row drain_rows[] = {
    SECONDS("delay", IN(drain, delay_ms), "5", 0, DAY_MS,
            "After SIGTERM, connections are still accepted for this long while\n"
            ".Ql /readyz\nalready says 503, so that a load balancer can look elsewhere."),
    SECONDS("timeout", IN(drain, timeout_ms), "600", 0, DAY_MS,
            "Then running exchanges may finish for this long; what is left is ended with the\n"
            "dialect's own error."),
};

static const struct conf_row limit_rows[] = {
    BYTES("head_bytes", IN(limits, head_bytes), "32KiB", KIB, MIB,
          "Request line and headers of a request; beyond it is a 431."),
    BYTES("body_bytes", IN(limits, body_bytes), "64MiB", KIB, GIB,
          "Request body, as sent and after a content coding is undone; beyond it is a 413."),
    INTEGER("connections", IN(limits, connections), "32768", 1, 1000000,
            "Client connections for each worker; beyond it is a 503 with retry-after."),
    BYTES("stream_high_bytes", IN(limits, stream_high_bytes), "64KiB", 4 * KIB, 64 * MIB,
          "When a client has this much unsent, its upstream is no longer read."),
    BYTES("stream_low_bytes", IN(limits, stream_low_bytes), "16KiB", 0, 64 * MIB,
          "When it is down to this, reading goes on.\nMust be less than\n"
          ".Ic stream_high_bytes ."),
    BYTES("response_head_bytes", IN(limits, response_head_bytes), "64KiB", KIB, MIB,
          "Status line and headers of an upstream's response."),
    BYTES("response_bytes", IN(limits, response_bytes), "64MiB", KIB, GIB,
          "An upstream's response that is no stream."),
    BYTES("event_bytes", IN(limits, event_bytes), "64MiB", KIB, GIB,
          "One event of an upstream's stream."),
};

static const struct conf_row timeout_rows[] = {
    SECONDS("head_seconds", IN(timeouts, head_ms), "10", 10, DAY_MS,
            "From the first byte of a request to the end of its headers; beyond it is a 408."),
    SECONDS("body_idle_seconds", IN(timeouts, body_idle_ms), "30", 10, DAY_MS,
            "Between two pieces of a request body; beyond it is a 408."),
    SECONDS("keep_alive_seconds", IN(timeouts, keep_alive_ms), "75", 10, DAY_MS,
            "A client connection without a request is closed after this long."),
    SECONDS("connect_seconds", IN(timeouts, connect_ms), "10", 10, DAY_MS,
            "Connecting to each address of an upstream."),
    SECONDS("tls_seconds", IN(timeouts, tls_ms), "10", 10, DAY_MS,
            "The TLS handshake with an upstream."),
    SECONDS("first_byte_seconds", IN(timeouts, first_byte_ms), "600", 10, DAY_MS,
            "From the request sent to the headers of the response."),
    SECONDS("idle_seconds", IN(timeouts, idle_ms), "300", 10, DAY_MS,
            "Between two pieces of an upstream's response."),
    SECONDS("total_seconds", IN(timeouts, total_ms), "3600", 10, DAY_MS, "A whole exchange."),
    SECONDS("pool_idle_seconds", IN(timeouts, pool_idle_ms), "30", 10, DAY_MS,
            "An unused connection to an upstream is closed after this long."),
};

#define PART(name)                                                                             \
    static const struct conf_table name##_table = {.rows = name##_rows, .n = COUNT(name##_rows)}

PART(log);
PART(cors);
PART(drain);
PART(limit);
PART(timeout);

static const struct conf_row rows[] = {
    {.key = "listen",
     .type = CONF_STRINGS,
     .flags = CONF_RESTART,
     .offset = offsetof(struct settings, listen),
     .count_offset = offsetof(struct settings, n_listen),
     .text = "127.0.0.1:8080",
     .min = 1,
     .max = 16,
     .help = "Addresses to accept connections on:\n.Ql host:port ,\n.Ql [v6]:port\nor\n"
             ".Ql *:port .\nPort 0 picks a free one."},
    {.key = "workers",
     .type = CONF_INTEGER,
     .flags = CONF_RESTART,
     .offset = offsetof(struct settings, workers),
     .width = sizeof(unsigned),
     .min = 1,
     .max = 256,
     .default_note =
         "one for each processor that the affinity mask and the cgroup's quota allow",
     .help = "Worker threads."},
    SECONDS(
        "heartbeat_seconds", offsetof(struct settings, heartbeat_ms), "15", 0, 3600000,
        "A stream on which nothing was sent for this long gets a heartbeat, counted from the\n"
        "moment the request was accepted.\n0 turns heartbeats off."),
    SECONDS("write_timeout_seconds", offsetof(struct settings, write_timeout_ms), "60", 10,
            DAY_MS,
            "A client that takes no byte of what waits for it for this long is dropped."),
    {.key = "fin_is_gone",
     .type = CONF_BOOL,
     .offset = offsetof(struct settings, fin_is_gone),
     .text = "true",
     .help = "Whether a client that ends only its sending side counts as having left."},
    SECTION("log", offsetof(struct settings, log), &log_table, "Log lines, on standard error."),
    SECTION("cors", offsetof(struct settings, cors), &cors_table,
            "Cross-origin requests of browsers."),
    SECTION("limits", offsetof(struct settings, limits), &limit_table,
            "Bounds, each with its own answer to what exceeds it."),
    SECTION("timeouts", offsetof(struct settings, timeouts), &timeout_table,
            "Each phase of an exchange has a budget of its own."),
    SECTION("drain", offsetof(struct settings, drain), &drain_table, "What SIGTERM begins."),
    SECTION("sim", offsetof(struct settings, sim), &sim_table,
            "How the built-in simulated model behaves, unless a request says otherwise."),
    {.key = "upstreams",
     .type = CONF_SECTIONS,
     .offset = offsetof(struct settings, upstreams),
     .count_offset = offsetof(struct settings, n_upstreams),
     .table = &settings_upstream_table,
     .max = SETTINGS_UPSTREAMS_MAX,
     .spare = SETTINGS_UPSTREAMS_SPARE,
     .default_note = "only sim",
     .help = "Where requests go.\nThe upstream\n.Ql sim\nalways exists."},
    {.key = "models",
     .type = CONF_SECTIONS,
     .offset = offsetof(struct settings, models),
     .count_offset = offsetof(struct settings, n_models),
     .table = &settings_model_table,
     .max = SETTINGS_MODELS_MAX,
     .spare = SETTINGS_MODELS_SPARE,
     .default_note = "only sim and sim-*",
     .help = "Which upstream serves which model name."},
};

const struct conf_table settings_table = {
    .rows = rows, .n = COUNT(rows), .size = sizeof(struct settings)};
