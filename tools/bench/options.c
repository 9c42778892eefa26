/* options.c -- the command line of triglot-bench.
 *
 * A table has a row for each option: where its value goes, its kind and its limits.  getopt is
 * of no use here, because options belong to the URL behind them and '+' begins a new set.
 *
 * A set begins with the defaults.  Only the length of the run is taken from the set before when
 * it is not said, since loads that run at the same time mostly should end at the same time.
 */
#include "bench/options.h"

#include <arpa/inet.h>
#include <stdarg.h>

#include "base/num.h"

enum kind { FLAG, COUNT_OF, SECONDS, TEXT, HEADER, SOURCE, DIALECT };

struct row {
    const char *name, *arg, *help;
    enum kind kind;
    bool of_load; /* in struct load_options, else in struct options */
    size_t offset;
    uint64_t min, max; /* COUNT_OF: as is; SECONDS: in thousandths */
};

#define LOAD(member) true, offsetof(struct load_options, member)
#define RUN(member)  false, offsetof(struct options, member)
#define DAYS(n)      ((n)*UINT64_C(86400000))
#define TERA         UINT64_C(1000000000000)

static const struct row rows[] = {
    {"dialect", "NAME", "chat, responses or messages; default: chat", DIALECT, LOAD(dialect), 0,
     0},
    {"whole", NULL, "whole answers instead of streams", FLAG, LOAD(whole), 0, 0},
    {"model", "NAME", "what to ask for; default: sim", TEXT, LOAD(model), 0, 0},
    {"connections", "N", "so many calls at a time; default: 1", COUNT_OF, LOAD(connections), 1,
     OPTIONS_CONNECTIONS_MAX},
    {"rate", "CALLS", "so many calls begin each second, whatever becomes of them", SECONDS,
     LOAD(rate_milli), 1, 1000000000},
    {"duration", "SECONDS", "length of the measurement; default: 10", SECONDS,
     LOAD(duration_ms), 1, DAYS(30)},
    {"requests", "N", "end after so many calls instead", COUNT_OF, LOAD(requests), 1, TERA},
    {"warmup", "SECONDS", "before the measurement, not counted", SECONDS, LOAD(warmup_ms), 0,
     DAYS(1)},
    {"ramp", "SECONDS", "begin the connections evenly over this time", SECONDS, LOAD(ramp_ms),
     0, DAYS(1)},
    {"body", "FILE", "send this request", TEXT, LOAD(body_file), 0, 0},
    {"header", "'NAME: VALUE'", "send this header too; repeatable", HEADER, LOAD(headers), 0,
     0},
    {"source", "ADDRESS", "connect from this address; repeatable, taken in turn", SOURCE,
     LOAD(sources), 0, 0},
    {"no-keep-alive", NULL, "a new connection for every call", FLAG, LOAD(no_keep_alive), 0, 0},
    {"read-rate", "BYTES", "take at most so many bytes a second of each stream", COUNT_OF,
     LOAD(read_rate), 1, TERA},
    {"fast", NULL, "split streams into records without decoding them", FLAG, LOAD(fast), 0, 0},
    {"timeout", "SECONDS", "fail when nothing arrives for so long; default: 60", SECONDS,
     LOAD(timeout_ms), 1, DAYS(1)},
    {"ca-file", "FILE", "for https: trust these certificates", TEXT, LOAD(ca_file), 0, 0},
    {"pid", "PID", "watch CPU time and memory of this process", COUNT_OF, RUN(pid), 1,
     INT32_MAX},
    {"json", "FILE", "the result as a line of JSON; - is standard output", TEXT, RUN(json), 0,
     0},
    {"report", "FILE", "the result as an HTML page", TEXT, RUN(report), 0, 0},
    {"quiet", NULL, "no table and no progress line", FLAG, RUN(quiet), 0, 0},
    {"max-errors", "N", "stop when so many calls have failed", COUNT_OF, RUN(max_errors), 1,
     TERA},
    {"serve", "ADDRESS:PORT", "be an upstream instead", TEXT, RUN(serve), 0, 0},
    {"relay", "ADDRESS:PORT", "be a bare relay to the address that follows", TEXT, RUN(relay),
     0, 0},
    {"events", "N", "serve: events in an answer; default: 50", COUNT_OF, RUN(events), 1,
     1000000},
    {"interval", "MICROSECONDS", "serve: time between events; default: 0, all at once",
     COUNT_OF, RUN(interval_us), 0, UINT64_C(3600000000)},
    {"bytes", "N", "serve: text of an event; default: 32", COUNT_OF, RUN(bytes), 21, 65536},
    {"help", NULL, "print this and exit", FLAG, RUN(help), 0, 0},
    {"version", NULL, "print the version and exit", FLAG, RUN(version), 0, 0},
};

enum { N_ROWS = sizeof rows / sizeof rows[0] };

static bool no(char why[OPTIONS_WHY], const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static bool
no(char why[OPTIONS_WHY], const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, OPTIONS_WHY, fmt, ap);
    va_end(ap);
    return false;
}

static const struct row *
find_row(struct str name)
{
    for (size_t i = 0; i < N_ROWS; i++)
        if (str_eq(name, str_z(rows[i].name)))
            return &rows[i];
    return NULL;
}

static bool
set_count(const struct row *r, const char *value, uint64_t *field, char why[OPTIONS_WHY])
{
    uint64_t v;

    if (num_u64(str_z(value), r->max, &v) != TG_OK || v < r->min)
        return no(why, "--%s must be a whole number from %llu to %llu, not \"%.40s\"", r->name,
                  (unsigned long long)r->min, (unsigned long long)r->max, value);
    *field = v;
    return true;
}

static bool
set_seconds(const struct row *r, const char *value, uint64_t *field, char why[OPTIONS_WHY])
{
    uint64_t v;

    if (num_milli(str_z(value), r->max, &v) != TG_OK || v < r->min)
        return no(why, "--%s must be a number from %s to %llu, not \"%.40s\"", r->name,
                  r->min ? "0.001" : "0", (unsigned long long)(r->max / 1000), value);
    *field = v;
    return true;
}

static bool
set_header(struct load_options *l, const char *value, char why[OPTIONS_WHY])
{
    static const char *const ours[] = {"host", "content-length", "connection",
                                       "transfer-encoding"};
    struct str rest, name = str_cut(str_z(value), ':', &rest);

    rest = str_trim(rest);
    if (name.n == 0 || name.n == strlen(value) ||
        strcspn(value, " \t\r\n()<>@,;\\\"/[]?={}") < name.n || !http_value_ok(rest))
        return no(why, "--header must be of the form \"name: value\", not \"%.40s\"", value);
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        if (str_ieq(name, str_z(ours[i])))
            return no(why, "--header %s is set by the connection itself", ours[i]);
    if (l->n_headers == OPTIONS_HEADERS_MAX)
        return no(why, "--header: at most %d", OPTIONS_HEADERS_MAX);
    l->headers[l->n_headers++] = (struct http_header){name, rest};
    return true;
}

static bool
set_source(struct load_options *l, const char *value, char why[OPTIONS_WHY])
{
    unsigned char address[sizeof(struct in6_addr)];

    if (inet_pton(AF_INET, value, address) != 1 && inet_pton(AF_INET6, value, address) != 1)
        return no(why, "--source must be an IP address, not \"%.40s\"", value);
    if (l->n_sources == OPTIONS_SOURCES_MAX)
        return no(why, "--source: at most %d", OPTIONS_SOURCES_MAX);
    l->sources[l->n_sources++] = value;
    return true;
}

static bool
set(const struct row *r, const char *value, struct options *o, struct load_options *l,
    char why[OPTIONS_WHY])
{
    void *field = (r->of_load ? (char *)l : (char *)o) + r->offset;

    switch (r->kind) {
    case FLAG:
        *(bool *)field = true;
        return true;
    case COUNT_OF:
        return set_count(r, value, field, why);
    case SECONDS:
        return set_seconds(r, value, field, why);
    case HEADER:
        return set_header(l, value, why);
    case SOURCE:
        return set_source(l, value, why);
    case DIALECT:
        l->dialect = dialect_find(str_z(value));
        return l->dialect || no(why,
                                "--dialect must be chat, responses or messages, not "
                                "\"%.40s\"",
                                value);
    case TEXT:
        if (!*value)
            return no(why, "--%s must not be empty", r->name);
        *(const char **)field = value;
        return true;
    }
    return false;
}

static void
set_defaults(struct load_options *l)
{
    *l = (struct load_options){
        .dialect = dialect_find(STR("chat")), .model = "sim", .timeout_ms = 60000};
}

/* A URL ends a set. */
static bool
end_load(const char *text, struct options *o, struct load_options *l, char why[OPTIONS_WHY])
{
    const struct load_options *before = o->n_loads ? &o->loads[o->n_loads - 1] : NULL;
    struct tg_err err;

    if (o->n_loads == OPTIONS_LOADS_MAX)
        return no(why, "at most %d loads", OPTIONS_LOADS_MAX);
    if (url_parse(str_z(text), &l->url, &err) != TG_OK)
        return no(why, "\"%.80s\": %s", text, err.msg);
    if (l->duration_ms && l->requests)
        return no(why, "--duration and --requests exclude each other");
    if (l->ca_file && !l->url.tls)
        return no(why, "--ca-file is for https URLs");
    if (!l->duration_ms && !l->requests)
        l->duration_ms = before && before->duration_ms ? before->duration_ms : 10000;
    o->loads[o->n_loads++] = *l;
    return true;
}

/* What is no option when --relay was given. */
static bool
end_relay(const char *text, struct options *o, char why[OPTIONS_WHY])
{
    if (o->relay_to)
        return no(why, "\"%.80s\": --relay takes one address to relay to", text);
    o->relay_to = text;
    return true;
}

static bool
check_address(const char *what, const char *text, bool reachable, char why[OPTIONS_WHY])
{
    struct tg_err err;
    struct str host;
    uint16_t port;

    if (url_parse_listen(str_z(text), &host, &port, &err) != TG_OK)
        return no(why, "%s \"%.80s\": %s", what, text, err.msg);
    if (reachable && (port == 0 || str_eq(host, STR("*"))))
        return no(why, "%s \"%.80s\": must have a host and a port", what, text);
    return true;
}

static bool
check_relay(const struct options *o, char why[OPTIONS_WHY])
{
    if (o->serve)
        return no(why, "--serve and --relay exclude each other");
    if (o->n_loads > 0)
        return no(why, "--relay takes no URL");
    if (!o->relay_to)
        return no(why, "--relay needs the address to relay to, such as 127.0.0.1:8080, behind "
                       "its own");
    return check_address("--relay", o->relay, false, why) &&
           check_address("--relay to", o->relay_to, true, why);
}

/* What only the whole command line shows. */
static bool
check_all(const struct options *o, const char *of_load, bool open, char why[OPTIONS_WHY])
{
    if (o->help || o->version)
        return true;
    if (of_load && (o->serve || o->relay))
        return no(why, "--%s is for loads, not for --%s", of_load,
                  o->serve ? "serve" : "relay");
    if (o->serve && !o->relay)
        return o->n_loads == 0 || no(why, "--serve takes no URL");
    if (open && !o->relay)
        return no(why, "a URL is missing at the end");
    if (o->events != 50 || o->interval_us || o->bytes != 32)
        return no(why, "--events, --interval and --bytes are for --serve");
    return !o->relay || check_relay(o, why);
}

static bool
take_option(int argc, char *const *argv, int *i, bool open, struct options *o,
            struct load_options *l, const char **of_load, char why[OPTIONS_WHY])
{
    struct str value, name = str_cut(str_z(argv[*i] + 2), '=', &value);
    const struct row *r = find_row(name);
    bool attached = name.n < strlen(argv[*i] + 2);

    if (!r)
        return no(why, "unknown option \"%.40s\"", argv[*i]);
    if (r->of_load && !open)
        return no(why, "--%s must stand in front of its URL", r->name);
    if (r->of_load)
        *of_load = r->name;
    if (!r->arg)
        return attached ? no(why, "--%s takes no value", r->name) : set(r, "", o, l, why);
    if (!attached && *i + 1 == argc)
        return no(why, "--%s needs a value", r->name);
    return set(r, attached ? (value.p ? value.p : "") : argv[++*i], o, l, why);
}

bool
options_parse(int argc, char *const *argv, struct options *ret, char why[OPTIONS_WHY])
{
    struct load_options l;
    const char *of_load = NULL; /* the last such option */
    bool open = true;           /* a URL is still to come */

    *ret = (struct options){.events = 50, .bytes = 32};
    set_defaults(&l);
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) == 0) {
            if (!take_option(argc, argv, &i, open, ret, &l, &of_load, why))
                return false;
        } else if (strcmp(argv[i], "+") == 0) {
            if (open)
                return no(why, "\"+\" needs a URL in front of it");
            open = true;
            set_defaults(&l);
        } else if (argv[i][0] == '-') {
            return no(why, "unknown option \"%.40s\"", argv[i]);
        } else if (ret->relay) {
            if (!end_relay(argv[i], ret, why))
                return false;
        } else {
            if (!open)
                return no(why, "\"%.80s\": loads are parted by \"+\"", argv[i]);
            if (!end_load(argv[i], ret, &l, why))
                return false;
            open = false;
        }
    }
    return check_all(ret, of_load, open, why);
}

void
options_help(FILE *out)
{
    fputs(
        "Usage: triglot-bench [OPTIONS] URL [+ [OPTIONS] URL ...]\n"
        "       triglot-bench --serve ADDRESS:PORT [--events N] [--interval MICROSECONDS] "
        "[--bytes N]\n"
        "       triglot-bench --relay ADDRESS:PORT TO\n"
        "\n"
        "Sends requests to a server of language models and measures how it answers.  Options\n"
        "belong to the URL behind them; \"+\" begins another load that runs at the same "
        "time.\n"
        "\n",
        out);
    for (size_t i = 0; i < N_ROWS; i++) {
        char left[48];

        snprintf(left, sizeof left, "--%s%s%s", rows[i].name, rows[i].arg ? " " : "",
                 rows[i].arg ? rows[i].arg : "");
        fprintf(out, "  %-26s  %s\n", left, rows[i].help);
    }
    fputs("\nManual page: triglot-bench(1).\n", out);
}
