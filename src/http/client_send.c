/* client_send.c -- the request out, the response head in.
 *
 * The request head and a body of ordinary size are queued in one call and leave in one send.  A
 * large request is sent by a second coroutine in bursts, while this one already waits for the
 * response: an upstream that refuses a body (413) answers before it has read it, and may never
 * read the rest.  The timer for the response starts again with every burst.
 *
 * What may go wrong: see client.h.  A used connection may have been closed by the peer while
 * the request was under way; without a byte of response the request cannot have been answered,
 * and it is sent once more on a new connection.
 */
#include "http/client.h"

#include <assert.h>

#include "base/clock.h"
#include "base/num.h"
#include "base/secret.h"
#include "http/client_int.h"
#include "http/scan.h"

enum {
    INTERIM_MAX = 8, /* 1xx responses before the real one             */
    BURST = 32768,   /* of a large request, between two looks around  */
    BURST_PIECES = 8,
    HEAD_EXTRA = 160 /* request head besides the caller's strings     */
};

static bool
is_cancel(tg_rc rc)
{
    return rc == TG_EDEADLINE || rc == TG_ECANCELED;
}

static bool
token_ok(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!scan_is_token((unsigned char)s.p[i]))
            return false;
    return s.n > 0;
}

static bool
no_space(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] > '~')
            return false;
    return s.n > 0;
}

static bool
request_ok(const struct http_request_out *req)
{
    if (!token_ok(req->method) || !no_space(req->path) || !no_space(req->host))
        return false;
    for (unsigned i = 0; i < req->n_headers; i++)
        if (!token_ok(req->headers[i].name) || !http_value_ok(req->headers[i].value))
            return false;
    return true;
}

struct text {
    char *p;
    size_t n, cap;
};

static void
put(struct text *t, struct str s)
{
    assert(s.n <= t->cap - t->n);
    if (s.n)
        memcpy(t->p + t->n, s.p, s.n);
    t->n += s.n;
}

static void
put_number(struct text *t, uint64_t v)
{
    char text[NUM_DIGITS], *end = text + sizeof text, *p = num_digits(end, v, 1);

    put(t, str_of(p, (size_t)(end - p)));
}

/* The request head, in the arena. */
static struct str
make_head(struct arena *a, const struct http_request_out *req, size_t body_n)
{
    struct text t = {.cap = HEAD_EXTRA + req->method.n + req->path.n + req->host.n};

    for (unsigned i = 0; i < req->n_headers; i++)
        t.cap += req->headers[i].name.n + req->headers[i].value.n + 4;
    t.p = arena_alloc(a, t.cap, 1);
    put(&t, req->method);
    put(&t, STR(" "));
    put(&t, req->path);
    put(&t, STR(" HTTP/1.1\r\nHost: "));
    put(&t, req->host);
    for (unsigned i = 0; i < req->n_headers; i++) {
        put(&t, STR("\r\n"));
        put(&t, req->headers[i].name);
        put(&t, STR(": "));
        put(&t, req->headers[i].value);
    }
    put(&t, STR("\r\nAccept-Encoding: identity"));
    /* A method that usually has a body says so when it has none (RFC 9110 section 8.6). */
    if (req->n_body > 0 || str_starts(req->method, STR("P"))) {
        put(&t, STR("\r\nContent-Length: "));
        put_number(&t, body_n);
    }
    put(&t, STR("\r\n\r\n"));
    return str_of(t.p, t.n);
}

/* One attempt: request out, response head in. */
struct attempt {
    struct http_call *c;
    const struct str *v; /* the request */
    int n;
    size_t total;
    bool head_request;
    bool sent, expired;
    struct co_scope scope;
    struct co_timer timer;
};

static void
expire(struct co_timer *t)
{
    struct attempt *a = (struct attempt *)((char *)t - offsetof(struct attempt, timer));

    a->expired = true;
    co_cancel(&a->scope, TG_EDEADLINE);
}

static void
progress(struct attempt *a)
{
    co_timer_set(&a->timer, co_now() + a->c->conf->first_byte_ns);
}

/* In bursts; the first one holds the head. */
static tg_rc
send_request(void *arg)
{
    struct attempt *a = arg;
    struct http_call *c = a->c;
    size_t off = 0; /* sent of v[i] */
    int i = 0;

    while (i < a->n) {
        struct str burst[BURST_PIECES];
        size_t room = BURST;
        int n = 0;
        tg_rc rc;

        while (i < a->n && n < BURST_PIECES && room > 0) {
            struct str s = str_from(a->v[i], off);

            if (s.n > room) {
                s.n = room;
                off += room;
            } else {
                off = 0;
                i++;
            }
            room -= s.n;
            burst[n++] = s;
        }
        rc = conn_putv(c->conn, burst, n, NULL);
        if (rc != TG_OK)
            return rc;
        c->bytes_out += BURST - room;
        progress(a);
    }
    a->sent = true;
    c->t_sent = co_now();
    return TG_OK;
}

/* Up to and with the head of one response.  S */
static tg_rc
read_one_head(struct http_call *c, bool head_request, struct tg_err *err)
{
    enum http_step step = HTTP_NEED_MORE;
    struct str data;
    tg_rc rc;

    c->parser = http_parser_response(&c->arena, c->conf->head_max, head_request);
    while (step != HTTP_GOT_HEAD) {
        if (c->piece.n == 0) {
            rc = call_receive(c, CO_NEVER, err);
            if (is_cancel(rc))
                return rc;
            if (rc == TG_EGONE || rc == TG_EIO || (rc == TG_OK && c->piece.n == 0))
                return call_fail(err, TG_EGONE, "upstream_closed",
                                 "closed the connection before it answered");
            if (rc != TG_OK)
                return rc;
        }
        rc = call_parse(c, &step, &data, err);
        if (rc != TG_OK)
            return rc;
    }
    c->head = http_parser_head(c->parser);
    return TG_OK;
}

/* Skips 1xx.  S */
static tg_rc
read_head(struct attempt *a, struct tg_err *err)
{
    struct http_call *c = a->c;
    struct str data;

    for (int i = 0; i <= INTERIM_MAX; i++) {
        enum http_step step = HTTP_NEED_MORE;
        tg_rc rc = read_one_head(c, a->head_request, err);

        if (rc != TG_OK || c->head->status >= 200)
            return rc;
        if (c->head->status == 101)
            return call_fail(err, TG_EPROTO, "upstream_protocol",
                             "switched to another protocol");
        rc = call_parse(c, &step, &data, err);
        if (rc != TG_OK)
            return rc;
        assert(step == HTTP_END); /* 1xx has no body */
    }
    return call_fail(err, TG_EPROTO, "upstream_protocol", "sent too many interim responses");
}

/* "Keep-Alive: timeout=5, max=100": a second less than the peer allows, so that it does not
 * close just when a request is on its way. */
static void
read_keep_alive(struct http_call *c)
{
    struct str rest = http_header_get(c->head, STR("keep-alive"));

    while (rest.n) {
        struct str value, name = str_cut(str_cut(rest, ',', &rest), '=', &value);
        uint64_t seconds;

        if (!str_ieq(str_trim(name), STR("timeout")) ||
            num_u64(str_trim(value), 86400, &seconds) != TG_OK)
            continue;
        if (seconds <= 1)
            c->spoilt = true;
        else
            c->keep_ns = ((co_time)seconds - 1) * NS_PER_S;
    }
}

/* What the coded form was is nobody's business behind this. */
static void
hide_coding(struct http_head *h)
{
    unsigned n = 0;

    for (unsigned i = 0; i < h->n_headers; i++)
        if (!str_ieq(h->headers[i].name, STR("content-encoding")) &&
            !str_ieq(h->headers[i].name, STR("content-length")))
            h->headers[n++] = h->headers[i];
    h->n_headers = n;
}

static tg_rc
take_head(struct http_call *c, struct tg_err *err)
{
    tg_rc rc;

    if (!c->head->keep_alive)
        c->spoilt = true;
    read_keep_alive(c);
    if (c->head->framing == HTTP_NO_BODY)
        return call_fill(c, err);
    rc = coding_of(c->head, &c->coding, err);
    if (rc != TG_OK)
        return call_bad_response(err, TG_EPROTO, "upstream_protocol");
    if (c->coding)
        hide_coding(c->head);
    if (c->head->framing != HTTP_SIZED && http_has_type(c->head, STR("text/event-stream")))
        sock_ack_lazily(c->conn->sock);
    return TG_OK;
}

/* A request of ordinary size is sent at once.  That the peer does not take it is no failure
 * yet: its answer may be there to read.  S */
static tg_rc
send_and_read_head(struct attempt *a, struct tg_err *err)
{
    tg_rc rc;

    if (a->total <= BURST) {
        rc = send_request(a);
        if (is_cancel(rc))
            return rc;
    } else {
        rc = co_spawn(&a->scope, "http_send", send_request, a);
        if (rc != TG_OK)
            return tg_fail(err, rc, TG_ERR_OVERLOADED, "overloaded",
                           "no coroutine to send the request");
    }
    rc = read_head(a, err);
    /* A success that comes early still wants the rest of the request. */
    if (rc == TG_OK && !a->sent && a->c->head->status < 400) {
        rc = co_join(&a->scope);
        if (!is_cancel(rc))
            rc = TG_OK;
    }
    return rc;
}

static tg_rc
exchange(struct attempt *a, struct tg_err *err)
{
    tg_rc rc;

    co_scope_open(&a->scope, CO_NEVER);
    co_timer_init(&a->timer, expire);
    progress(a);
    rc = send_and_read_head(a, err);
    /* Closing waits for the sender, which must not arm the timer again behind its back. */
    co_scope_close(&a->scope);
    co_timer_clear(&a->timer);
    if (!a->sent)
        a->c->spoilt = true;
    if (rc != TG_OK && co_cancelled() != TG_OK)
        return call_cancelled(err); /* whatever the reason of that looks like */
    if (is_cancel(rc) && a->expired)
        return call_fail(err, TG_EDEADLINE, "upstream_timeout",
                         "did not answer within the time allowed");
    return rc;
}

static tg_rc
try_once(struct http_call *c, const struct http_request_out *req, const struct str *v, int n,
         size_t total, struct tg_err *err)
{
    struct attempt a = {.c = c, .v = v, .n = n, .total = total};
    tg_rc rc;

    a.head_request = str_eq(req->method, STR("HEAD"));
    c->spoilt = false;
    c->t_sent = co_now();
    rc = pool_get(c->pool, c->retried, &c->conn, &c->reused, err);
    if (rc != TG_OK) {
        c->conn = NULL;
        return co_cancelled() != TG_OK ? call_cancelled(err) : rc;
    }
    rc = exchange(&a, err);
    if (rc == TG_OK)
        rc = take_head(c, err);
    return rc;
}

/* Twice where the connection that was kept turns out to be dead.  S */
static tg_rc
try_twice(struct http_call *c, const struct http_request_out *req, const struct str *v, int n,
          size_t total, struct tg_err *err)
{
    tg_rc rc = try_once(c, req, v, n, total, err);

    if (rc == TG_EGONE && c->conn && c->reused && c->bytes_in == 0) {
        call_drop_conn(c);
        c->retried = true;
        if (err)
            *err = (struct tg_err){.rc = TG_OK}; /* of the first try nothing is told */
        rc = try_once(c, req, v, n, total, err);
    }
    return rc;
}

tg_rc
http_call_send(struct http_call *c, const struct http_request_out *req, struct tg_err *err)
{
    struct arena request; /* not kept while the answer comes, which may take minutes */
    struct str *v;
    size_t total = 0;
    tg_rc rc;

    assert(!c->conn && !c->head);
    if (!request_ok(req))
        return tg_fail(err, TG_EINVAL, TG_ERR_INTERNAL, "invalid_upstream_request",
                       "the request for the upstream holds a character that must not be sent");
    for (int i = 0; i < req->n_body; i++)
        total += req->body[i].n;
    arena_init(&request);
    v = arena_array(&request, struct str, (size_t)req->n_body + 1);
    v[0] = make_head(&request, req, total);
    for (int i = 0; i < req->n_body; i++)
        v[i + 1] = req->body[i];
    rc = try_twice(c, req, v, req->n_body + 1, total + v[0].n, err);
    secret_wipe((char *)v[0].p, v[0].n); /* a credential is in it */
    arena_fini(&request);
    if (rc != TG_OK)
        call_drop_conn(c);
    return rc;
}
