/* settings.h -- the whole configuration, typed and checked.
 *
 * Read once, then immutable and shared by reference: a reload makes a new one, and an exchange
 * keeps the one it began with.  Every field here is one row of an option table (tables_*.c),
 * which gives its key, type, default, limits, unit, whether a reload takes it up, and its help;
 * the rows also generate the option list of triglot.yaml(5) and --dump-config.
 */
#ifndef POLICY_SETTINGS_H
#define POLICY_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/secret.h"
#include "conf/conf.h"
#include "policy/caps.h"
#include "policy/param.h"
#include "triglot/err.h"

enum upstream_kind { UPSTREAM_HTTP, UPSTREAM_SIM };

/* What the simulated model does unless a request's x-triglot-sim header says otherwise. */
struct sim_settings {
    int64_t first_token_ms;    /* delay before the first token            */
    int64_t tokens_per_second; /* 0 = as fast as the client reads         */
    int64_t tokens;            /* length of an answer                     */
    int64_t seed;
    bool stamp; /* text begins with the time, see upstream/sim_stamp.h */
};

struct upstream_settings {
    struct str name;
    enum upstream_kind kind; /* key "type": http (default) or sim       */
    struct str url;          /* as configured, no trailing slash        */
    bool tls;                /* scheme https                            */
    struct str host;         /* without brackets                        */
    uint16_t port;
    struct str base_path;         /* "/v1", or "" */
    struct str dialect;           /* a name of src/dialect                   */
    enum caps_server server_said; /* key "server"                       */
    enum caps_server server;      /* that, else the one the host tells       */
    struct caps_settings caps;    /* key "capabilities"                 */
    struct secret key;            /* empty = none                            */
    struct str ca_file;           /* "" = system trust store                 */
    struct str server_name;       /* TLS name; "" = host                     */
    int64_t connections_max;      /* per worker, 0 = no limit                */
    struct sim_settings sim;      /* kind sim                                */
    struct conf_pos at;           /* in the file; line 0 = not from it       */
};

struct model_settings {
    struct str name; /* may hold '*'                            */
    struct str upstream_name;
    const struct upstream_settings *upstream;
    struct str model;          /* "" = what the client asked for          */
    bool strict;               /* refuse what would be dropped            */
    int64_t max_tokens;        /* where the dialect needs one             */
    struct caps_settings caps; /* key "capabilities"               */
    struct str *parameters;    /* rules as configured              */
    unsigned n_parameters;
    struct param_rule *rules; /* n_parameters of them              */
    struct conf_pos at;       /* in the file; line 0 = not from it       */
};

/* What keeps a silent stream alive.  Chat has comments only; Messages has a ping, which takes
 * the place of comments. */
enum heartbeat_mode {
    HEARTBEAT_AUTO,    /* BOTH for clients that count records only, COMMENT for others */
    HEARTBEAT_COMMENT, /* SSE comments                                                */
    HEARTBEAT_EVENT,   /* Responses: typed keepalive records                          */
    HEARTBEAT_BOTH,
    HEARTBEAT_OFF
};

struct settings {
    struct arena arena; /* owns everything below */
    unsigned refs;      /* atomic */
    unsigned generation;
    int64_t loaded_at_s;         /* Unix seconds */
    struct str file;             /* "" = zero configuration */
    struct conf_origins origins; /* of each field, for the dump */

    struct str *listen; /* "host:port", "[v6]:port" */
    unsigned n_listen;
    unsigned workers; /* resolved: at least 1 */

    int64_t heartbeat_ms; /* 0 = off */
    enum heartbeat_mode heartbeat_mode;
    int64_t heartbeat_event_ms; /* between typed keepalive records */
    int64_t write_timeout_ms;   /* a client that takes nothing for this long is dropped */
    bool fin_is_gone;           /* a client's half-close counts as leaving */

    struct {
        enum log_format format;
        enum log_level level;
    } log;

    struct {
        struct str *origins; /* "*" or exact origins; none = no CORS headers */
        unsigned n_origins;
    } cors;

    struct {
        int64_t head_bytes;          /* 32 KiB: request head                            */
        int64_t body_bytes;          /* 64 MiB: request body, as sent and inflated      */
        int64_t connections;         /* per worker                                      */
        int64_t stream_high_bytes;   /* 64 KiB: unsent bytes above which reading stops */
        int64_t stream_low_bytes;    /* 16 KiB: and below which it goes on             */
        int64_t response_head_bytes; /* 64 KiB: an upstream's response head          */
        int64_t response_bytes;      /* 64 MiB: an upstream's whole response            */
        int64_t event_bytes;         /* 64 MiB: one event of an upstream's stream       */
    } limits;

    struct {
        int64_t head_ms;       /* 10 s: first byte of a request to the end of its head */
        int64_t body_idle_ms;  /* 30 s: between two reads of a request body            */
        int64_t keep_alive_ms; /* 75 s: idle client connection                         */
        int64_t connect_ms;    /* 10 s                                                 */
        int64_t tls_ms;        /* 10 s                                                 */
        int64_t first_byte_ms; /* 600 s: request sent to response head                 */
        int64_t idle_ms;       /* 300 s: between two reads of a response               */
        int64_t total_ms;      /* 3600 s: a whole exchange                             */
        int64_t pool_idle_ms;  /* 30 s: unused upstream connection                     */
    } timeouts;

    struct {
        int64_t delay_ms;   /* keep accepting after SIGTERM, readyz says 503 */
        int64_t timeout_ms; /* then streams may finish for this long         */
    } drain;

    struct {
        bool upstream_error_header; /* x-upstream-error on failed answers */
    } debug;

    struct sim_settings sim; /* the built-in upstream "sim" */

    struct upstream_settings *upstreams; /* always has "sim" */
    unsigned n_upstreams;
    struct model_settings *models; /* in order; sim and sim-* are last unless taken */
    unsigned n_models;
};

/* Reads a file, or builds the zero-configuration settings when path is NULL (built-in sim,
 * OpenAI and Anthropic upstreams when their keys are in the environment).  *ret has one
 * reference. All problems found are printed to diag, each as file:line:column: message,
 * warnings too. TG_ECONFIG when there is an error. */
TG_MUST_USE tg_rc settings_load(const char *path, FILE *diag, struct settings **ret);
/* The same from text in memory; name stands for the file in messages and in ret->file. */
TG_MUST_USE tg_rc settings_load_text(struct str text, const char *name, FILE *diag,
                                     struct settings **ret);
void settings_ref(struct settings *s);   /* from any thread */
void settings_unref(struct settings *s); /* accepts NULL; wipes secrets with the last one */
/* The effective configuration as YAML with the origin of each value in a comment (default,
 * file:line, environment); secrets as ***. */
void settings_dump(const struct settings *s, FILE *out);
/* Whether the two differ in an option that only a restart takes up; the keys, "listen,
 * workers", in ret_keys[n]. */
bool settings_needs_restart(const struct settings *old, const struct settings *now,
                            char *ret_keys, size_t n);
/* The option tables as mdoc for triglot.yaml(5). */
void settings_mdoc(FILE *out);

#endif
