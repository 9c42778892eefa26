/* endpoints.c -- the table of endpoints and how one of them is run.
 *
 * A dialect brings its own endpoints: where it is served upstream, it is served here.  The rest
 * stands in a table.  A pattern that ends in '*' takes any rest of the path, slashes included
 * (model ids have them). The path alone decides the endpoint and the client's dialect; the
 * query is not looked at.  HEAD is served as GET without a body, OPTIONS is answered for every
 * known path.
 *
 * Invariant: the handler runs inside x->work and nowhere else is x->work open, so that whoever
 * stops an exchange finds either a handler to cancel or an answer already decided.
 */
#include "api/endpoints.h"

#include <string.h>

#include "api/stream.h"
#include "base/clock.h"

struct endpoint {
    const char *method, *path; /* path without the version where that may be left out */
    endpoint_fn *handle;
    const struct dialect *dialect; /* NULL: by the request's headers */
    bool versioned;                /* stands behind /v1, which clients may leave out */
};

static const struct endpoint endpoints[] = {
    {"POST", "/convert", api_convert, NULL, true},
    {"GET", "/models", api_models, NULL, true},
    {"GET", "/models/*", api_model, NULL, true},
    {"GET", "/", api_root, NULL, false},
    {"POST", "/api/event_logging/batch", api_telemetry, NULL, false},
    {"GET", "/health", api_health, NULL, false},
    {"GET", "/healthz", api_health, NULL, false},
    {"GET", "/livez", api_livez, NULL, false},
    {"GET", "/readyz", api_readyz, NULL, false},
    {"GET", "/version", api_version, NULL, false},
};

enum { N_FIXED = sizeof endpoints / sizeof endpoints[0], EACH_DIALECT = 3 };

/* A path that the dialect does not have stays NULL. */
static struct endpoint
of_dialect(const struct dialect *d, size_t which)
{
    struct endpoint e = {.method = "POST", .dialect = d, .versioned = true};

    switch (which) {
    case 0:
        e.path = d->upstream_path[DIALECT_GENERATE];
        e.handle = api_generate;
        break;
    case 1:
        e.path = d->stream_path;
        e.handle = api_generate_stream;
        break;
    default:
        e.path = d->upstream_path[DIALECT_EMBED];
        e.handle = api_embeddings;
    }
    return e;
}

/* The i-th of all endpoints; false behind the last. */
static bool
endpoint_at(size_t i, struct endpoint *ret)
{
    for (const struct dialect *const *d = dialect_all(); *d; d++, i -= EACH_DIALECT) {
        if (i < EACH_DIALECT) {
            *ret = of_dialect(*d, i);
            return true;
        }
    }
    if (i >= N_FIXED)
        return false;
    *ret = endpoints[i];
    return true;
}

/* Vendors' SDKs put these before the paths of their APIs. */
static const struct str prefixes[] = {STR("/openai"), STR("/anthropic")};

/* The path without a vendor's prefix and without a trailing slash. */
static struct str
plain_path(const struct http_head *req)
{
    struct str path = req->path;

    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        if (str_starts(path, prefixes[i]) && path.n > prefixes[i].n &&
            path.p[prefixes[i].n] == '/') {
            path = str_from(path, prefixes[i].n);
            break;
        }
    }
    return path.n > 1 && path.p[path.n - 1] == '/' ? str_of(path.p, path.n - 1) : path;
}

static bool
matches(struct str pattern, struct str path, struct str *ret_tail)
{
    struct str fixed = str_of(pattern.p, pattern.n - 1);

    if (pattern.p[pattern.n - 1] != '*')
        return str_eq(pattern, path);
    if (path.n <= fixed.n || !str_starts(path, fixed))
        return false;
    *ret_tail = str_from(path, fixed.n);
    return true;
}

static bool
path_matches(const struct endpoint *e, struct str path, struct str *ret_tail)
{
    if (!e->path)
        return false;
    if (e->versioned && str_starts(path, STR("/v1/")))
        path = str_from(path, 3);
    return matches(str_z(e->path), path, ret_tail);
}

/* The whole pattern, for the log. */
static const char *
route_name(struct exchange *x, const struct endpoint *e)
{
    return e->versioned ? arena_cat(&x->arena, STR("/v1"), str_z(e->path)).p : e->path;
}

static bool
method_matches(const struct endpoint *e, struct str method)
{
    return str_eq(str_z(e->method), method) ||
           (str_eq(method, STR("HEAD")) && strcmp(e->method, "GET") == 0);
}

/* "GET, HEAD, OPTIONS" for this path, or empty when no endpoint has it. */
static struct str
allowed(struct exchange *x)
{
    struct str list = {NULL, 0}, path = plain_path(x->req);
    struct endpoint e;

    for (size_t i = 0; endpoint_at(i, &e); i++) {
        if (!path_matches(&e, path, &x->tail))
            continue;
        list = arena_printf(&x->arena, "%.*s%s%s, ", STR_ARG(list), e.method,
                            strcmp(e.method, "GET") == 0 ? ", HEAD" : "");
        x->route = route_name(x, &e);
    }
    return list.n ? arena_printf(&x->arena, "%.*sOPTIONS", STR_ARG(list)) : list;
}

static tg_rc
answer_options(struct exchange *x, struct str allow)
{
    struct exchange_headers h;
    struct str asked = http_header_get(x->req, STR("access-control-request-headers"));

    exchange_headers(x, &h);
    exchange_header(&h, STR("allow"), allow);
    if (x->settings->cors.n_origins) {
        exchange_header(&h, STR("access-control-allow-methods"), allow);
        exchange_header(&h, STR("access-control-allow-headers"), asked);
        exchange_header(&h, STR("access-control-max-age"), STR("86400"));
    }
    return exchange_answer_with(x, 204, &h, (struct str){NULL, 0});
}

/* 405 with Allow, in the dialect's envelope; to a WebSocket 426, upon which its clients go on
 * by HTTP at once. */
static tg_rc
answer_not_allowed(struct exchange *x, struct str allow)
{
    struct exchange_headers h;
    struct buf body;
    tg_rc rc;

    tg_refuse(&x->err, "method_not_allowed", NULL, "%.*s is not served here; allowed: %.*s",
              x->req->method.n < 32 ? (int)x->req->method.n : 32, x->req->method.p,
              STR_ARG(allow));
    x->err.http =
        str_ieq(http_header_get(x->req, STR("upgrade")), STR("websocket")) ? 426 : 405;
    x->err.request_id = x->id;
    buf_init(&body, 4096);
    exchange_headers(x, &h);
    exchange_header(&h, STR("allow"), allow);
    exchange_header(&h, STR("content-type"), STR("application/json"));
    rc = x->dialect->encode_error(&x->err, &body);
    if (rc == TG_OK)
        rc = exchange_answer_with(x, x->err.http, &h, buf_str(&body));
    buf_fini(&body);
    return rc;
}

static tg_rc
answer_no_endpoint(struct exchange *x)
{
    struct str allow = allowed(x);

    if (allow.n && str_eq(x->req->method, STR("OPTIONS")))
        return answer_options(x, allow);
    if (allow.n)
        return answer_not_allowed(x, allow);
    tg_refuse(&x->err, "unknown_url", NULL, "unknown URL: %.*s",
              x->req->path.n < 200 ? (int)x->req->path.n : 200, x->req->path.p);
    x->err.kind = TG_ERR_NOT_FOUND;
    x->err.http = 404;
    return TG_ENOTFOUND;
}

static tg_rc
dispatch(struct exchange *x)
{
    struct str path = plain_path(x->req);
    struct endpoint e;

    for (size_t i = 0; endpoint_at(i, &e); i++) {
        if (!method_matches(&e, x->req->method) || !path_matches(&e, path, &x->tail))
            continue;
        x->route = route_name(x, &e);
        if (e.dialect)
            x->dialect = e.dialect;
        return e.handle(x);
    }
    return answer_no_endpoint(x);
}

void
endpoints_serve(struct exchange *x)
{
    tg_rc rc;

    stream_pulse_start(x);
    co_scope_open(&x->work, x->t_start + x->settings->timeouts.total_ms * NS_PER_MS);
    x->working = true;
    if (x->end != END_NONE) /* stopped before it began */
        co_cancel(&x->work, TG_ECANCELED);
    rc = dispatch(x);
    if (rc != TG_OK && x->work.cancelled == TG_EDEADLINE && x->end == END_NONE)
        x->end = END_TOTAL_TIMEOUT;
    x->working = false;
    (void)co_scope_close(&x->work);
    x->streaming = false; /* no heartbeat behind the last record */
    if (rc != TG_OK)
        exchange_fail(x);
    stream_pulse_stop(x);
}

tg_rc
endpoint_tail(struct exchange *x, struct str *ret)
{
    struct str raw = x->tail;
    char *out = arena_alloc(&x->arena, raw.n + 1, 1);
    size_t n = 0;

    for (size_t i = 0; i < raw.n; i++) {
        unsigned v = 0;

        if (raw.p[i] != '%') {
            out[n++] = raw.p[i];
            continue;
        }
        for (size_t k = 1; k <= 2; k++) {
            char c = i + k < raw.n ? raw.p[i + k] : 'x';
            unsigned d = c >= '0' && c <= '9'                 ? (unsigned)(c - '0')
                         : (c | 32) >= 'a' && (c | 32) <= 'f' ? (unsigned)((c | 32) - 'a') + 10
                                                              : 99;

            if (d == 99)
                return tg_refuse(&x->err, "invalid_path", NULL,
                                 "malformed percent escape in the path");
            v = v * 16 + d;
        }
        out[n++] = (char)v;
        i += 2;
    }
    *ret = str_of(out, n);
    return TG_OK;
}
