/* upstream.h -- the providers of one configuration, as a worker uses them.
 *
 * upstream_shared is what all threads read: the settings and the trust anchors that belong to
 * them.  upstream_set is one worker's own: a connection pool for each http upstream.  A reload
 * makes new ones; an exchange holds the set it began with until it ends.
 */
#ifndef UPSTREAM_UPSTREAM_H
#define UPSTREAM_UPSTREAM_H

#include "http/client.h"
#include "net/pool.h"
#include "policy/settings.h"
#include "triglot/dialect.h"

struct upstream_shared;

struct upstream {
    const struct upstream_settings *conf;
    const struct dialect *dialect; /* what it speaks */
    struct pool *pool;             /* NULL for sim   */
    struct str host_header;        /* "host:port"    */
};

struct upstream_set {
    struct upstream_shared *shared;
    const struct settings *settings;
    struct upstream *v; /* same order as settings->upstreams */
    unsigned refs;
    struct http_call_conf call_conf;
};

/* Takes the caller's reference of s whatever the outcome.  Reads CA files: blocking. TG_ECONFIG
 * when one cannot be used or a dialect is not built in. */
TG_MUST_USE tg_rc upstream_shared_open(struct settings *s, struct upstream_shared **ret,
                                       struct tg_err *err);
void upstream_shared_ref(struct upstream_shared *sh);   /* from any thread */
void upstream_shared_unref(struct upstream_shared *sh); /* accepts NULL */
const struct settings *upstream_shared_settings(const struct upstream_shared *sh);

/* One worker's set, with one reference; takes a reference of sh. */
struct upstream_set *upstream_set_open(struct upstream_shared *sh);
void upstream_set_ref(struct upstream_set *set);
/* With the last reference idle connections are closed. */
void upstream_set_unref(struct upstream_set *set);
struct upstream *upstream_get(struct upstream_set *set, const struct upstream_settings *conf);

/* A request to an upstream in its own dialect. */
struct upstream_request {
    enum dialect_call call;
    bool stream;            /* an event stream is asked for      */
    const struct str *body; /* pieces; valid during the call     */
    int n_body;
    struct str request_id;
    const struct dialect *client_dialect; /* what the client speaks */
    /* Headers that may go through are taken from it; NULL = none. */
    const struct http_head *client;
};

/* Sends it, reads the response head into *call (initialised here; the caller calls
 * http_call_fini whatever the outcome).  Redirects are an error: 502 "upstream_redirect". Other
 * statuses are the caller's to look at.  Errors: those of http_call_send.  S */
TG_MUST_USE tg_rc upstream_send(struct upstream_set *set, struct upstream *u,
                                const struct upstream_request *req, struct http_call *call,
                                struct tg_err *err);

/* A response that is not 2xx: reads its body (at most 64 KiB) into body and fills err by
 * status. *ret_fits tells that body is an error in the upstream's own dialect, fit to be passed
 * on as it is.  Returns TG_OK, or the reason why nothing can be told to anyone (cancelled).  S
 */
TG_MUST_USE tg_rc upstream_error(const struct upstream *u, struct http_call *call,
                                 struct buf *body, bool *ret_fits, struct tg_err *err);

/* Response headers that may be shown to a client: retry-after, rate limits, processing time;
 * the upstream's request id under x-upstream-request-id.  At most max into ret; returns how
 * many. They live as long as the call. */
unsigned upstream_response_headers(const struct http_call *call, struct http_header *ret,
                                   unsigned max);

#endif
