/* tables_upstream.c -- the options of an upstream, and those of the simulated model. */
#include "policy/tables.h"

#define UP(member)  offsetof(struct upstream_settings, member)
#define SIM(member) offsetof(struct sim_settings, member)

/* The folders of src/dialect. */
static const struct conf_name dialects[] = {
#define X(name) {#name, 0},
#include "dialects.inc"
#undef X
    {NULL, 0}};
static const struct conf_name servers[] = {
    {"auto", CAPS_SERVER_AUTO},           {"openai", CAPS_SERVER_OPENAI},
    {"anthropic", CAPS_SERVER_ANTHROPIC}, {"vllm", CAPS_SERVER_VLLM},
    {"ollama", CAPS_SERVER_OLLAMA},       {"llama.cpp", CAPS_SERVER_LLAMA_CPP},
    {"lmstudio", CAPS_SERVER_LM_STUDIO},  {"openrouter", CAPS_SERVER_OPENROUTER},
    {"deepseek", CAPS_SERVER_DEEPSEEK},   {NULL, 0}};
_Static_assert(COUNT(servers) == CAPS_SERVER_N + 1, "each server has a word");
static const struct conf_name upstream_types[] = {
    {"http", UPSTREAM_HTTP}, {"sim", UPSTREAM_SIM}, {NULL, 0}};

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
    {.key = "stamp",
     .type = CONF_BOOL,
     .offset = SIM(stamp),
     .text = "false",
     .help = "Begin each event of a text with the time at which it was made, for load "
             "generators:\n.Ql @ ,\n19 digits that are nanoseconds of the system's monotonic "
             "clock, and\n.Ql @ .\nJSON that was asked for and arguments of calls stay as they "
             "are."},
};
const struct conf_table settings_sim_table = {
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
     .type_note = "A dialect that is built in",
     .help = "The API that the server speaks, such as\n.Ql chat\n(OpenAI Chat Completions),\n"
             ".Ql responses\n(OpenAI Responses) or\n.Ql messages\n(Anthropic Messages)."},
    {.key = "server",
     .type = CONF_ENUM,
     .offset = UP(server_said),
     .names = servers,
     .text = "auto",
     .help =
         "The program or the provider behind the URL.\nServers that speak one dialect differ "
         "in what they know of it, and requests are fitted to that; see\n"
         ".Sx Capabilities .\n.Ql auto\n"
         "knows the hosts api.openai.com, api.anthropic.com, openrouter.ai and "
         "api.deepseek.com; for others only the model's name tells."},
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
     .table = &settings_sim_table,
     .applies = is_sim,
     .only_for = "type: sim",
     .help = "How this simulated model behaves.\nWhat is not set is taken from the top-level\n"
             ".Ic sim\nsection."},
    {.key = "capabilities",
     .type = CONF_SECTION,
     .flags = CONF_BRIEF,
     .offset = UP(caps),
     .table = &settings_caps_table,
     .help = "What all models of this upstream can take; see\n.Sx Capabilities .\n"
             "A model's own section of this name has the last word."},
};
const struct conf_table settings_upstream_table = {
    .rows = upstream_rows,
    .n = COUNT(upstream_rows),
    .size = sizeof(struct upstream_settings),
    .pos_at = 1 + UP(at),
};
