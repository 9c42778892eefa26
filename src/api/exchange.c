/* exchange.c -- answering: headers that every answer has, whole answers, errors in the client's
 * dialect.
 *
 * Invariants
 *  (1) Nothing is written to a client that has left, and no status after a stream was
 * committed. (2) An error in mid-stream is the last record: no clean end follows, the
 * connection closes.
 */
#include "api/exchange.h"

#include <stdio.h>

#include "api/stream.h"
#include "base/base64.h"

/* Of an upstream's error body so much is shown: its header value is at most 4 KiB. */
enum { SHOWN_ERROR_MAX = 3072, ERROR_BODY_MAX = 32768 };

static const char *const end_names[END_N] = {
    [END_NONE] = "-",
    [END_CLIENT] = "client",
    [END_WRITE_TIMEOUT] = "write_timeout",
    [END_TOTAL_TIMEOUT] = "total_timeout",
    [END_DRAIN] = "drain",
    [END_UPSTREAM] = "upstream",
};

const char *
exchange_end_name(enum exchange_end end)
{
    return end_names[end];
}

void
exchange_header(struct exchange_headers *h, struct str name, struct str value)
{
    for (unsigned i = 0; i < h->n; i++)
        if (str_ieq(h->v[i].name, name))
            return;
    if (h->n < EXCHANGE_HEADERS_MAX && value.n)
        h->v[h->n++] = (struct http_header){name, value};
}

const struct dialect *
exchange_dialect(const struct exchange *x)
{
    for (const struct dialect *const *d = dialect_all(); *d; d++)
        if (x->req && (*d)->mark_header && http_header_get(x->req, str_z((*d)->mark_header)).p)
            return *d;
    return dialect_find(STR("chat"));
}

/* The origin to allow, or empty: Fetch standard, section 3.2. */
static struct str
cors_origin(const struct exchange *x)
{
    struct str origin = x->req ? http_header_get(x->req, STR("origin")) : (struct str){NULL, 0};

    if (origin.n == 0)
        return origin;
    for (unsigned i = 0; i < x->settings->cors.n_origins; i++) {
        struct str o = x->settings->cors.origins[i];

        if (str_eq(o, STR("*")))
            return o;
        if (str_eq(o, origin))
            return origin;
    }
    return (struct str){NULL, 0};
}

/* x-triglot-dropped: names only, as many as there is room for. */
static void
exchange_dropped(struct exchange *x, struct exchange_headers *h)
{
    struct str list = {NULL, 0};

    if (!x->drops || x->drops->n == 0)
        return;
    for (unsigned i = 0; i < x->drops->n; i++)
        list = arena_printf(&x->arena, "%.*s%s%.*s", STR_ARG(list), list.n ? ", " : "",
                            STR_ARG(x->drops->name[i]));
    if (x->drops->more)
        list = arena_printf(&x->arena, "%.*s, ...", STR_ARG(list));
    exchange_header(h, STR("x-triglot-dropped"), list);
}

void
exchange_headers(struct exchange *x, struct exchange_headers *h)
{
    struct str origin = cors_origin(x);

    h->n = 0;
    exchange_header(h, STR("x-request-id"), str_z(x->id));
    if (x->dialect->id_header)
        exchange_header(h, str_z(x->dialect->id_header), str_z(x->id));
    exchange_dropped(x, h);
    for (unsigned i = 0; i < x->n_shown; i++)
        exchange_header(h, x->shown[i].name, x->shown[i].value);
    exchange_header(h, STR("x-upstream-error"), x->upstream_error);
    if (x->upstream_error_cut)
        exchange_header(h, STR("x-upstream-error-truncated"), STR("true"));
    if (origin.n) {
        exchange_header(h, STR("access-control-allow-origin"), origin);
        exchange_header(h, STR("access-control-expose-headers"),
                        STR("x-request-id, retry-after, x-triglot-dropped, x-upstream-error, "
                            "x-upstream-error-truncated"));
    }
    if (x->settings->cors.n_origins)
        exchange_header(h, STR("vary"), STR("origin"));
}

/* Does text hold the key, as it is or with backslashes in it?  A beginning of the key at the
 * end of the text counts, for the text may have been cut. */
static bool
holds_key(struct str text, struct str key)
{
    for (size_t i = 0; key.n && i < text.n; i++) {
        size_t at = i, same = 0;

        for (; at < text.n && same < key.n; at++) {
            if (text.p[at] == key.p[same])
                same++;
            else if (text.p[at] != '\\' || same == 0)
                break;
        }
        if (same == key.n || (at == text.n && same >= 4))
            return true;
    }
    return false;
}

void
exchange_show_error(struct exchange *x, const struct upstream *u, struct str body)
{
    struct str part = str_of(body.p, body.n < SHOWN_ERROR_MAX ? body.n : SHOWN_ERROR_MAX);
    char *out;

    if (!x->settings->debug.upstream_error_header || body.n == 0 ||
        holds_key(body, secret_reveal(&u->conf->key)))
        return;
    out = arena_alloc(&x->arena, BASE64URL_SIZE(part.n), 1);
    x->upstream_error = str_of(out, (size_t)(base64url_put(out, part) - out));
    x->upstream_error_cut = part.n < body.n;
}

tg_rc
exchange_answer_with(struct exchange *x, unsigned status, const struct exchange_headers *h,
                     struct str body)
{
    x->reply.close = x->reply.close || x->draining;
    if (x->t_first == 0)
        x->t_first = co_now();
    x->last_out = co_now();
    return reply_whole(&x->reply, status, h->v, h->n, body);
}

tg_rc
exchange_answer(struct exchange *x, unsigned status, struct str type, struct str body)
{
    struct exchange_headers h;

    exchange_headers(x, &h);
    exchange_header(&h, STR("content-type"), type);
    return exchange_answer_with(x, status, &h, body);
}

void
exchange_stop(struct exchange *x, enum exchange_end end, tg_rc why)
{
    if (x->end == END_NONE)
        x->end = end;
    if (x->working)
        co_cancel(&x->work, why);
}

tg_rc
exchange_body(struct exchange *x)
{
    tg_rc rc = http_in_body(x->in, &x->body, &x->err);

    if (rc == TG_EGONE && x->end == END_NONE)
        x->end = END_CLIENT;
    if (rc != TG_OK)
        x->reply.close = true;
    return rc;
}

/* What a client is told when the work was stopped from outside. */
static void
describe_end(struct exchange *x)
{
    switch (x->end) {
    case END_TOTAL_TIMEOUT:
        tg_fail(&x->err, TG_EDEADLINE, TG_ERR_TIMEOUT, "total_timeout",
                "the request took longer than the configured total of %lld ms",
                (long long)x->settings->timeouts.total_ms);
        break;
    case END_DRAIN:
        tg_fail(&x->err, TG_ECANCELED, TG_ERR_OVERLOADED, "shutting_down",
                "the gateway is shutting down; try again");
        break;
    default:
        if (x->err.kind == TG_ERR_NONE)
            tg_fail(&x->err, TG_EINTERNAL, TG_ERR_INTERNAL, "internal",
                    "the request could not be completed");
        break;
    }
}

static void
fail_in_stream(struct exchange *x)
{
    struct buf record;
    tg_rc rc;

    buf_init(&record, (size_t)x->settings->limits.event_bytes);
    x->broken = true;
    rc = x->encode_error ? x->encode_error(x->encode_error_arg, &record)
                         : x->dialect->encode_error_record(&x->err, &record);
    if (rc == TG_OK)
        rc = reply_write_now(&x->reply, buf_str(&record));
    if (rc == TG_OK && x->encode_error && x->dialect->error_is_end)
        (void)!reply_end(&x->reply);
    buf_fini(&record);
}

static void
fail_with_status(struct exchange *x)
{
    struct exchange_headers h;
    struct buf body;
    char seconds[24];

    buf_init(&body, ERROR_BODY_MAX);
    exchange_headers(x, &h);
    exchange_header(&h, STR("content-type"), STR("application/json"));
    if (x->err.retry_after_ms > 0) {
        snprintf(seconds, sizeof(seconds), "%lld",
                 (long long)((x->err.retry_after_ms + 999) / 1000));
        exchange_header(&h, STR("retry-after"), str_z(seconds));
    }
    if (x->dialect->encode_error(&x->err, &body) != TG_OK)
        buf_clear(&body);
    if (exchange_answer_with(x, x->dialect->error_status(&x->err), &h, buf_str(&body)) != TG_OK)
        x->broken = true;
    buf_fini(&body);
}

void
exchange_fail(struct exchange *x)
{
    if (x->end == END_NONE && x->err.origin == TG_FROM_UPSTREAM)
        x->end = END_UPSTREAM;
    if (x->end == END_CLIENT || x->end == END_WRITE_TIMEOUT)
        x->broken = true;
    if (x->broken)
        return; /* nobody to tell, or told already */
    describe_end(x);
    x->err.request_id = x->id;
    if (x->committed)
        fail_in_stream(x);
    else if (x->reply.started)
        x->broken = true;
    else
        fail_with_status(x);
}
