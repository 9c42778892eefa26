/* tables_top.c -- the options at the top level and in its plain sections. */
#include "policy/tables.h"

/* Where a member of one of settings' anonymous structs lies inside that struct. */
#define IN(part, member)                                                                       \
    (offsetof(struct settings, part.member) - offsetof(struct settings, part))

static const struct conf_name log_formats[] = {
    {"json", LOG_JSON}, {"logfmt", LOG_LOGFMT}, {NULL, 0}};
static const struct conf_name log_levels[] = {{"error", LOG_ERROR},
                                              {"warn", LOG_WARN},
                                              {"info", LOG_INFO},
                                              {"debug", LOG_DEBUG},
                                              {NULL, 0}};
static const struct conf_name heartbeat_modes[] = {
    {"auto", HEARTBEAT_AUTO}, {"comment", HEARTBEAT_COMMENT}, {"event", HEARTBEAT_EVENT},
    {"both", HEARTBEAT_BOTH}, {"off", HEARTBEAT_OFF},         {NULL, 0}};

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
            "Then running exchanges may finish for this long; what is left is ended with the "
            "dialect's own error."),
};

static const struct conf_row debug_rows[] = {
    {.key = "upstream_error_header",
     .type = CONF_BOOL,
     .offset = IN(debug, upstream_error_header),
     .text = "false",
     .help =
         "Whether a client is given the body of an upstream's error in the header\n"
         ".Li x-upstream-error ,\nas base64url of at most 4 KiB;\n"
         ".Li x-upstream-error-truncated\nsays that it was cut.\n"
         "A body that holds the upstream's key is not shown.\n"
         "Such bodies are for the eyes of those who run the gateway: keep it off where others "
         "use it."},
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
PART(debug);
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
        "A stream on which nothing was sent for this long gets a heartbeat, counted from the "
        "moment the request was accepted.\n0 turns heartbeats off."),
    {.key = "heartbeat_events",
     .type = CONF_ENUM,
     .offset = offsetof(struct settings, heartbeat_mode),
     .names = heartbeat_modes,
     .text = "auto",
     .help =
         "What a heartbeat is on a stream of Chat or Responses.\n"
         ".Ql comment\nis an SSE comment, which clients skip.\n"
         ".Ql event\nis a record of the type keepalive, for clients whose idle timers comments "
         "do not reset; it exists in Responses streams only, and only once the answer has "
         "begun: before that, and in Chat streams, comments take its place.\n"
         ".Ql both\nis both, each at its own interval.\n"
         ".Ql off\nturns heartbeats off.\n"
         ".Ql auto\nis both for clients whose User-Agent begins with\n"
         ".Ql codex ,\nand comments for all others.\n"
         "Messages has an event of its own, ping, and always uses that, save for\n"
         ".Ql off ."},
    SECONDS("heartbeat_event_seconds", offsetof(struct settings, heartbeat_event_ms), "120", 10,
            3600000,
            "Where keepalive records are sent, a stream on which no record was sent for this "
            "long gets one."),
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
    SECTION("debug", offsetof(struct settings, debug), &debug_table,
            "What helps to find faults and is off otherwise."),
    SECTION("sim", offsetof(struct settings, sim), &settings_sim_table,
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
