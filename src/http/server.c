/* server.c -- requests in, on one client connection.
 *
 * Every wait for bytes has a deadline of its own.  Whether it was that which passed, or one of
 * the caller's scopes was cancelled, is told by the caller's state.
 *
 * Bytes behind the request in hand stay in the sock: they are the next request, sent without
 * waiting for an answer to this one.
 *
 * What may go wrong is what server.h lists.  After an error nobody knows where the next request
 * would begin, so the connection ends.
 */
#include "http/server.h"

#include <assert.h>

#include "http/coding.h"

enum { DROP_MAX = 65536, YIELD_BYTES = 256 * 1024, RESERVE_MAX = 256 * 1024 };

void
http_in_init(struct http_in *in, struct sock *s, const struct http_in_conf *conf)
{
    *in = (struct http_in){.sock = s, .conf = conf};
}

/* TG_EDEADLINE is returned for the deadline of this wait only, a cancelled caller gets
 * TG_ECANCELED. n 0 is EOF.  S */
static tg_rc
read_within(struct http_in *in, co_time deadline, struct str *ret)
{
    tg_rc rc = sock_read_until(in->sock, deadline, ret);

    return rc != TG_OK && co_cancelled() != TG_OK ? TG_ECANCELED : rc;
}

static tg_rc
from_client(tg_rc rc, struct tg_err *err)
{
    if (err)
        err->origin = TG_FROM_CLIENT;
    return rc;
}

/* The read failed: for which the caller gets what? */
static tg_rc
read_failed(tg_rc rc, const char *what, struct tg_err *err)
{
    switch (rc) {
    case TG_EDEADLINE:
        tg_fail(err, rc, TG_ERR_TIMEOUT, "request_timeout",
                "the %s did not arrive within the time allowed", what);
        if (err)
            err->http = 408;
        break;
    case TG_ECANCELED:
        tg_fail(err, rc, TG_ERR_OVERLOADED, "cancelled", "the server gave the request up");
        return rc;
    default:
        tg_fail(err, TG_EGONE, TG_ERR_INVALID_REQUEST, "client_gone",
                "the client closed the connection");
        if (err)
            err->http = 0;
        rc = TG_EGONE;
    }
    return from_client(rc, err);
}

/* The parser has found the end of the head. */
static tg_rc
accept_head(struct http_in *in, struct http_head **ret, struct tg_err *err)
{
    struct http_head *h = http_parser_head(in->parser);
    unsigned expects = http_header_count(h, STR("expect"));
    struct str none = {NULL, 0}, data;
    enum http_step step = HTTP_NEED_MORE;
    tg_rc rc;

    if (h->minor == 1 && expects > 0 && (expects > 1 || !h->expect_continue)) {
        tg_fail(err, TG_EPROTO, TG_ERR_INVALID_REQUEST, "expectation_failed",
                "only \"Expect: 100-continue\" is understood");
        if (err)
            err->http = 417;
        return from_client(TG_EPROTO, err);
    }
    in->head = h;
    if (h->framing == HTTP_NO_BODY || (h->framing == HTTP_SIZED && h->length == 0)) {
        rc = http_parser_feed(in->parser, &none, &step, &data, err);
        if (rc != TG_OK)
            return from_client(rc, err);
        in->body_done = step == HTTP_END;
    }
    *ret = h;
    return TG_OK;
}

tg_rc
http_in_head(struct http_in *in, struct arena *a, struct http_head **ret, struct tg_err *err)
{
    co_time deadline = co_now() + in->conf->keep_alive_ns;
    enum http_step step = HTTP_NEED_MORE;
    struct str piece, rest, data;
    tg_rc rc;

    assert(!in->parser);
    in->parser = http_parser_request(a, in->conf->head_max);
    in->head = NULL;
    in->body_done = in->continued = false;
    for (;;) {
        bool begun = http_parser_begun(in->parser);

        rc = read_within(in, deadline, &piece);
        if (rc == TG_EDEADLINE && !begun)
            rc = TG_EGONE; /* idle: nothing that deserves an answer */
        if (rc != TG_OK || piece.n == 0)
            return read_failed(rc != TG_OK ? rc : TG_EGONE, "request head", err);
        rest = piece;
        rc = http_parser_feed(in->parser, &rest, &step, &data, err);
        if (rc != TG_OK)
            return from_client(rc, err);
        sock_consume(in->sock, piece.n - rest.n);
        if (!begun && http_parser_begun(in->parser)) {
            in->t_first = co_now();
            deadline = in->t_first + in->conf->head_ns;
        }
        if (step == HTTP_GOT_HEAD)
            return accept_head(in, ret, err);
    }
}

static tg_rc
too_large(const struct http_in *in, struct tg_err *err)
{
    tg_fail(err, TG_ELIMIT, TG_ERR_TOO_LARGE, "request_too_large",
            "the request body is larger than %zu bytes", in->conf->body_max);
    return from_client(TG_ELIMIT, err);
}

/* A body on its way in. */
struct body {
    struct coding *coding; /* NULL = identity */
    struct buf *out;
    size_t yielded_at; /* bytes in out when others last had a turn */
};

/* Inflates in slices, and lets others run when a lot has come of it.  S */
static tg_rc
decode(struct body *b, struct str data, struct tg_err *err)
{
    while (data.n) {
        struct str slice = str_of(data.p, data.n < CODING_SLICE ? data.n : CODING_SLICE);
        tg_rc rc = coding_feed(b->coding, slice, b->out, err);

        if (rc == TG_OK && b->out->n - b->yielded_at > YIELD_BYTES) {
            b->yielded_at = b->out->n;
            if (co_yield() != TG_OK)
                return read_failed(TG_ECANCELED, "", err);
        }
        if (rc != TG_OK)
            return rc;
        data = str_from(data, slice.n);
    }
    return TG_OK;
}

/* Feeds one piece; *ret_done at the end of the message.  S */
static tg_rc
take_piece(struct http_in *in, struct str *piece, struct body *b, bool *ret_done,
           struct tg_err *err)
{
    enum http_step step = HTTP_NEED_MORE;
    struct str data;

    do {
        tg_rc rc = http_parser_feed(in->parser, piece, &step, &data, err);

        if (rc == TG_OK && step == HTTP_DATA) {
            rc = b->coding ? decode(b, data, err) : buf_append(b->out, data);
            if (rc == TG_ELIMIT && !b->coding)
                return too_large(in, err);
        }
        if (rc != TG_OK)
            return rc;
    } while (step == HTTP_DATA);
    *ret_done = step == HTTP_END;
    return TG_OK;
}

static tg_rc
read_body(struct http_in *in, struct body *b, struct tg_err *err)
{
    struct str piece, rest;
    bool done = false;
    tg_rc rc;

    while (!done) {
        rc = read_within(in, co_now() + in->conf->body_idle_ns, &piece);
        if (rc != TG_OK || piece.n == 0)
            return read_failed(rc != TG_OK ? rc : TG_EGONE, "request body", err);
        rest = piece;
        rc = take_piece(in, &rest, b, &done, err);
        if (rc != TG_OK)
            return from_client(rc, err);
        sock_consume(in->sock, piece.n - rest.n);
    }
    in->body_done = true;
    return b->coding ? from_client(coding_end(b->coding, err), err) : TG_OK;
}

tg_rc
http_in_body(struct http_in *in, struct buf *out, struct tg_err *err)
{
    const struct http_head *h = in->head;
    struct body b = {.out = out};
    char *room;
    tg_rc rc;

    assert(h && out->max == in->conf->body_max);
    if (in->body_done)
        return TG_OK;
    if (h->framing == HTTP_SIZED && h->length > in->conf->body_max)
        return too_large(in, err);
    rc = coding_of(h, &b.coding, err);
    if (rc != TG_OK)
        return from_client(rc, err);
    if (h->framing == HTTP_SIZED && !b.coding)
        rc = buf_reserve(out, h->length < RESERVE_MAX ? (size_t)h->length : RESERVE_MAX, &room);
    if (rc == TG_OK && h->expect_continue) {
        in->continued = true;
        rc = sock_put(in->sock, STR("HTTP/1.1 100 Continue\r\n\r\n"));
        if (rc != TG_OK)
            rc = read_failed(co_cancelled() != TG_OK ? TG_ECANCELED : TG_EGONE, "", err);
    }
    if (rc == TG_OK)
        rc = read_body(in, &b, err);
    coding_free(b.coding);
    return rc;
}

/* Reads and drops the rest of the body when that is cheap.  S */
static bool
drop_body(struct http_in *in)
{
    enum http_step step = HTTP_NEED_MORE;
    struct str piece, rest, data;
    size_t dropped = 0;

    /* Who waits for 100 Continue may send the body or leave it out: nobody can tell which bytes
     * come next. */
    if (in->head->expect_continue && !in->continued)
        return false;
    if (in->head->framing == HTTP_SIZED && in->head->length > DROP_MAX)
        return false;
    while (dropped <= DROP_MAX) {
        if (read_within(in, co_now() + in->conf->body_idle_ns, &piece) != TG_OK || piece.n == 0)
            return false;
        rest = piece;
        do {
            if (http_parser_feed(in->parser, &rest, &step, &data, NULL) != TG_OK)
                return false;
        } while (step == HTTP_DATA);
        dropped += piece.n - rest.n;
        sock_consume(in->sock, piece.n - rest.n);
        if (step == HTTP_END)
            return true;
    }
    return false;
}

bool
http_in_next(struct http_in *in)
{
    bool usable = in->head && in->head->keep_alive && (in->body_done || drop_body(in));

    in->parser = NULL;
    in->head = NULL;
    return usable;
}

bool
http_in_begun(const struct http_in *in)
{
    return in->parser && http_parser_begun(in->parser);
}
