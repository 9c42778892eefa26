/* call.c -- one request to an http upstream: its headers, its status, what of it may be shown.
 *
 * Request headers are built from nothing: content type, accept, the upstream's own credential,
 * a request id, and a short list of the client's that carry no credential.  Response headers
 * are taken through the list below and no other way.  Bodies of failed calls are read up to 64
 * KiB; whether they may be passed on is the dialect's verdict.
 */
#include "upstream/upstream.h"

#include "base/num.h"
#include "http/message.h"

enum { ERROR_BODY_MAX = 65536, REQUEST_HEADERS_MAX = 24 };

#ifndef TRIGLOT_VERSION
#define TRIGLOT_VERSION "dev"
#endif

/* Of the client's headers, these go through to the upstream. */
static const struct str request_through[] = {
    STR("traceparent"), STR("tracestate"),    STR("idempotency-key"),
    STR("openai-beta"), STR("x-triglot-sim"), /* an upstream that is a Triglot too */
};

static const struct str response_through[] = {
    STR("retry-after"),          STR("retry-after-ms"), STR("x-should-retry"),
    STR("openai-processing-ms"), STR("openai-version"), STR("openai-model"),
};

static const struct str response_prefixes[] = {
    STR("x-ratelimit-"),
    STR("anthropic-ratelimit-"),
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool
has_prefix_i(struct str s, struct str prefix)
{
    return s.n >= prefix.n && str_ieq(str_of(s.p, prefix.n), prefix);
}

/* The client's header of that name, else `otherwise` unless that is empty. */
static unsigned
take_header(struct http_header *h, unsigned n, const struct http_head *client, struct str name,
            struct str otherwise)
{
    struct str v = client ? http_header_get(client, name) : (struct str){NULL, 0};

    if (v.n == 0)
        v = otherwise;
    if (v.n && n < REQUEST_HEADERS_MAX)
        h[n++] = (struct http_header){name, v};
    return n;
}

/* What the upstream's dialect asks for; a client's own values only within the dialect. */
static unsigned
dialect_headers(const struct dialect *d, const struct upstream_request *req,
                struct http_header *h, unsigned n)
{
    const struct http_head *client = req->client_dialect == d ? req->client : NULL;
    const char *const *p;

    for (p = d->upstream_headers; p && *p; p += 2)
        n = take_header(h, n, client, str_z(p[0]), str_z(p[1]));
    for (p = d->through_headers; client && p && *p; p++)
        n = take_header(h, n, client, str_z(*p), (struct str){NULL, 0});
    return n;
}

/* *ret_key is the arena's copy of the credential, for the caller to wipe. */
static unsigned
request_headers(struct arena *a, const struct upstream *u, const struct upstream_request *req,
                struct http_header *h, struct str *ret_key)
{
    const struct dialect *d = u->dialect;
    unsigned n = 0;

    h[n++] = (struct http_header){STR("content-type"), STR("application/json")};
    h[n++] = (struct http_header){STR("accept"), req->stream ? STR("text/event-stream")
                                                             : STR("application/json")};
    h[n++] = (struct http_header){STR("user-agent"), STR("triglot/" TRIGLOT_VERSION)};
    h[n++] = (struct http_header){STR("x-request-id"), req->request_id};
    *ret_key = (struct str){NULL, 0};
    if (u->conf->key.n) {
        *ret_key = arena_cat(a, str_z(d->auth_prefix), secret_reveal(&u->conf->key));
        h[n++] = (struct http_header){str_z(d->auth_header), *ret_key};
    }
    for (size_t i = 0; req->client && i < COUNT(request_through); i++)
        n = take_header(h, n, req->client, request_through[i], (struct str){NULL, 0});
    return dialect_headers(d, req, h, n);
}

tg_rc
upstream_send(struct upstream_set *set, struct upstream *u, const struct upstream_request *req,
              struct http_call *call, struct tg_err *err)
{
    struct http_header h[REQUEST_HEADERS_MAX];
    struct http_request_out out;
    struct arena scratch;
    struct str key;
    tg_rc rc;

    http_call_init(call, u->pool, &set->call_conf);
    arena_init(&scratch);
    out = (struct http_request_out){
        .method = STR("POST"),
        .path = arena_cat(&scratch, u->conf->base_path,
                          str_z(u->dialect->upstream_path[req->call])),
        .host = u->host_header,
        .headers = h,
        .n_headers = request_headers(&scratch, u, req, h, &key),
        .body = req->body,
        .n_body = req->n_body,
    };
    rc = http_call_send(call, &out, err);
    secret_wipe((char *)key.p, key.n);
    arena_fini(&scratch);
    if (rc == TG_OK && call->head->status >= 300 && call->head->status < 400)
        rc = tg_fail(err, TG_EPROTO, TG_ERR_UPSTREAM, "upstream_redirect",
                     "the upstream answered with a redirect (%u), which is not followed",
                     call->head->status);
    if (rc != TG_OK && err->origin == TG_FROM_US && err->kind != TG_ERR_INTERNAL)
        err->origin = TG_FROM_UPSTREAM;
    return rc;
}

/* What a status says when the body says nothing.  Of the statuses that a client acts on only
 * 429 keeps its meaning without a body in the dialect; the others say that the upstream is
 * broken. */
static void
err_of_status(unsigned status, const struct http_head *head, struct tg_err *err)
{
    uint64_t seconds;

    if (status == 429)
        tg_fail(err, TG_EUNAVAIL, TG_ERR_RATE_LIMIT, "rate_limit_exceeded",
                "the upstream is limiting requests");
    else
        tg_fail(err, TG_EPROTO, TG_ERR_UPSTREAM, "upstream_error",
                "the upstream answered with status %u and no error in its dialect", status);
    err->origin = TG_FROM_UPSTREAM;
    if (num_u64(http_header_get(head, STR("retry-after")), 86400, &seconds) == TG_OK)
        err->retry_after_ms = (int64_t)seconds * 1000;
}

tg_rc
upstream_error(const struct upstream *u, struct http_call *call, struct buf *body,
               bool *ret_fits, struct tg_err *err)
{
    struct tg_err ignored = {0};
    unsigned status = call->head->status;
    tg_rc rc;

    buf_init(body, ERROR_BODY_MAX);
    rc = http_call_read_all(call, body, &ignored);
    if (rc != TG_OK && co_cancelled() != TG_OK)
        return co_cancelled();
    err_of_status(status, call->head, err);
    *ret_fits = rc == TG_OK && u->dialect->error_fits(buf_str(body));
    if (*ret_fits)
        err->http = (uint16_t)status;
    return TG_OK;
}

static bool
may_show(struct str name)
{
    for (size_t i = 0; i < COUNT(response_through); i++)
        if (str_ieq(name, response_through[i]))
            return true;
    for (size_t i = 0; i < COUNT(response_prefixes); i++)
        if (has_prefix_i(name, response_prefixes[i]))
            return true;
    return false;
}

unsigned
upstream_response_headers(const struct http_call *call, struct http_header *ret, unsigned max)
{
    unsigned n = 0;

    for (unsigned i = 0; i < call->head->n_headers && n < max; i++) {
        struct http_header h = call->head->headers[i];

        if (str_ieq(h.name, STR("x-request-id")) || str_ieq(h.name, STR("request-id")))
            ret[n++] = (struct http_header){STR("x-upstream-request-id"), h.value};
        else if (may_show(h.name))
            ret[n++] = h;
    }
    return n;
}
