/* options.h -- the command line of triglot-bench. */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include <stdio.h>

#include "base/arena.h"
#include "http/message.h"
#include "policy/url.h"
#include "triglot/dialect.h"

enum {
    OPTIONS_LOADS_MAX = 16,
    OPTIONS_HEADERS_MAX = 32,
    OPTIONS_SOURCES_MAX = 64,
    OPTIONS_CONNECTIONS_MAX = 65000
};

/* One load: what stands in front of one URL. */
struct load_options {
    struct url url;
    const struct dialect *dialect;
    bool whole, fast, no_keep_alive;
    const char *model;
    uint64_t connections; /* 0 = not said          */
    uint64_t rate_milli;  /* calls in 1,000 s; 0 = closed loop */
    uint64_t duration_ms; /* 0 = until `requests`  */
    uint64_t requests;    /* 0 = until `duration`  */
    uint64_t warmup_ms, ramp_ms;
    uint64_t read_rate; /* bytes a second, 0 = no limit */
    uint64_t timeout_ms;
    const char *body_file, *ca_file; /* NULL = none */
    struct http_header headers[OPTIONS_HEADERS_MAX];
    unsigned n_headers;
    const char *sources[OPTIONS_SOURCES_MAX]; /* numeric addresses */
    unsigned n_sources;
};

struct options {
    struct load_options loads[OPTIONS_LOADS_MAX];
    unsigned n_loads;
    uint64_t pid;              /* 0 = none */
    const char *json, *report; /* NULL = none */
    uint64_t max_errors;       /* 0 = no limit */
    bool quiet, help, version;
    const char *serve;            /* NULL = no server */
    const char *relay, *relay_to; /* NULL = no relay; else both, well formed */
    uint64_t events, interval_us, bytes;
};

enum { OPTIONS_WHY = 256 };

/* Reads argv (without the program's name), which is borrowed.  False: why says in one line what
 * is wrong and names the option. */
bool options_parse(int argc, char *const *argv, struct options *ret, char why[OPTIONS_WHY]);
/* The text of --help. */
void options_help(FILE *out);

#endif
