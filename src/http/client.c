/* client.c -- one request to an upstream and its response: life, failures, the response's body.
 *
 * Bytes of the response are parsed where they lie.  A piece that the connection lent is given
 * back when all of it has been parsed and the caller asks for more; until then whatever the
 * parser found in it (`out`, or `coded` for the decoder) stays valid.
 *
 *     conn -> piece -> parser -> coded -> decoder -> inflated = out -> caller
 *                             `-> out (identity)
 *
 * A connection goes back to the pool only when the response is complete by its own framing, the
 * request has left, nothing follows the response, and neither side asked for the end.
 *
 * What may go wrong: see client.h.  How the request leaves and the head comes is in
 * client_send.c.
 */
#include "http/client.h"

#include <assert.h>

#include "http/client_int.h"

enum { SLICE = 256 }; /* coded bytes decoded at once */

void
http_call_init(struct http_call *c, struct pool *pool, const struct http_call_conf *conf)
{
    *c = (struct http_call){.pool = pool, .conf = conf, .until = CO_NEVER};
    arena_init(&c->arena);
    buf_init(&c->inflated, conf->inflated_max);
}

tg_rc
call_fail(struct tg_err *err, tg_rc rc, const char *code, const char *what)
{
    tg_fail(err, rc, rc == TG_EDEADLINE ? TG_ERR_TIMEOUT : TG_ERR_UPSTREAM, code,
            "the upstream %s", what);
    if (err)
        err->origin = TG_FROM_UPSTREAM;
    return rc;
}

/* What the parser or a decoder says about a client's message, said about an upstream's. */
tg_rc
call_bad_response(struct tg_err *err, tg_rc rc, const char *code)
{
    if (err) {
        err->kind = TG_ERR_UPSTREAM;
        err->http = tg_err_http(TG_ERR_UPSTREAM);
        err->origin = TG_FROM_UPSTREAM;
        err->rc = rc;
        err->code = code;
        tg_err_prefix(err, "bad response of the upstream");
    }
    return rc;
}

tg_rc
call_cancelled(struct tg_err *err)
{
    return tg_fail(err, TG_ECANCELED, TG_ERR_INTERNAL, "cancelled", "the request was given up");
}

void
call_drop_conn(struct http_call *c)
{
    if (c->conn)
        pool_drop(c->pool, c->conn);
    c->conn = NULL;
    c->piece = c->coded = c->out = (struct str){NULL, 0};
    c->pending_consume = 0;
}

/* The next piece from the connection; at its end piece stays empty.  S */
tg_rc
call_receive(struct http_call *c, co_time until, struct tg_err *err)
{
    tg_rc rc;

    conn_consume(c->conn, c->pending_consume);
    c->pending_consume = 0;
    rc = conn_read_until(c->conn, until, &c->piece, err);
    if (rc != TG_OK) {
        c->piece = (struct str){NULL, 0};
        return rc;
    }
    if (c->bytes_in == 0 && c->piece.n)
        c->t_first = co_now();
    c->bytes_in += c->piece.n;
    c->dry = false;
    return TG_OK;
}

tg_rc
call_parse(struct http_call *c, enum http_step *step, struct str *data, struct tg_err *err)
{
    size_t before = c->piece.n;
    tg_rc rc = http_parser_feed(c->parser, &c->piece, step, data, err);

    if (rc != TG_OK) {
        c->spoilt = true;
        return call_bad_response(err, TG_EPROTO, "upstream_protocol");
    }
    c->pending_consume += before - c->piece.n;
    return TG_OK;
}

static tg_rc
end_coding(struct http_call *c, struct tg_err *err)
{
    if (c->coding && coding_end(c->coding, err) != TG_OK) {
        c->spoilt = true;
        return call_bad_response(err, TG_EGONE, "upstream_truncated");
    }
    return TG_OK;
}

/* Decodes a slice of what has been parsed. */
static tg_rc
inflate_slice(struct http_call *c, struct tg_err *err)
{
    struct str slice = str_of(c->coded.p, c->coded.n < SLICE ? c->coded.n : SLICE);
    tg_rc rc;

    buf_clear(&c->inflated);
    rc = coding_feed(c->coding, slice, &c->inflated, err);
    if (rc != TG_OK && c->inflated.n == 0) { /* else what came before it goes first */
        c->spoilt = true;
        return call_bad_response(err, rc,
                                 rc == TG_ELIMIT ? "upstream_too_large" : "upstream_protocol");
    }
    if (rc == TG_OK)
        c->coded = str_from(c->coded, slice.n);
    c->out = buf_str(&c->inflated);
    return TG_OK;
}

/* Makes something to return out of what has been received: out, or ended.  Neither: more must
 * be received.  Does not suspend. */
tg_rc
call_fill(struct http_call *c, struct tg_err *err)
{
    enum http_step step = HTTP_NEED_MORE;
    struct str data;
    tg_rc rc;

    for (;;) {
        if (c->out.n || c->ended || c->dry)
            return TG_OK;
        if (c->coded.n) {
            rc = inflate_slice(c, err);
            if (rc != TG_OK)
                return rc;
            continue;
        }
        rc = call_parse(c, &step, &data, err);
        if (rc != TG_OK)
            return rc;
        if (step == HTTP_NEED_MORE) {
            c->dry = true;
            return TG_OK;
        }
        if (step == HTTP_DATA) {
            *(c->coding ? &c->coded : &c->out) = data;
        } else if (step == HTTP_END) {
            rc = end_coding(c, err);
            if (rc != TG_OK)
                return rc;
            c->ended = true;
            if (c->piece.n)
                c->spoilt = true; /* bytes that nobody asked for */
        }
    }
}

/* The connection has ended: at the end of the body, or in the middle of it. */
static tg_rc
at_eof(struct http_call *c, struct tg_err *err)
{
    enum http_step step = HTTP_NEED_MORE;
    tg_rc rc;

    c->spoilt = true;
    if (http_parser_eof(c->parser, &step, err) != TG_OK)
        return call_fail(err, TG_EGONE, "upstream_truncated",
                         "closed the connection in the middle of its answer");
    rc = end_coding(c, err);
    if (rc == TG_OK)
        c->ended = true;
    return rc;
}

/* S */
static tg_rc
receive_body(struct http_call *c, struct tg_err *err)
{
    co_time idle = co_now() + c->conf->idle_ns;
    tg_rc rc = call_receive(c, idle < c->until ? idle : c->until, err);

    if (rc == TG_OK)
        return c->piece.n ? TG_OK : at_eof(c, err);
    c->spoilt = true;
    if (co_cancelled() != TG_OK)
        return call_cancelled(err);
    if (rc == TG_EDEADLINE)
        return call_fail(err, rc, "upstream_timeout", "sent nothing within the time allowed");
    return call_fail(err, TG_EGONE, "upstream_truncated",
                     "broke the connection in the middle of its answer");
}

tg_rc
http_call_read(struct http_call *c, struct str *ret, struct tg_err *err)
{
    tg_rc rc;

    assert(c->conn && c->head);
    for (;;) {
        rc = call_fill(c, err);
        if (rc == TG_OK && !c->out.n && !c->ended) {
            rc = receive_body(c, err);
            if (rc == TG_OK)
                continue;
        }
        if (rc == TG_OK) {
            *ret = c->out;
            c->out = (struct str){NULL, 0};
        }
        return rc;
    }
}

bool
http_call_ready(struct http_call *c)
{
    return call_fill(c, NULL) != TG_OK || c->out.n || c->ended;
}

bool
http_call_release(struct http_call *c)
{
    if (http_call_ready(c))
        return false;
    conn_consume(c->conn, c->pending_consume);
    c->pending_consume = 0;
    return true;
}

tg_rc
http_call_read_all(struct http_call *c, struct buf *out, struct tg_err *err)
{
    struct str piece;
    tg_rc rc;

    while ((rc = http_call_read(c, &piece, err)) == TG_OK && piece.n)
        if (buf_append(out, piece) != TG_OK)
            return call_fail(err, TG_ELIMIT, "upstream_too_large",
                             "sent an answer that is too large");
    return rc;
}

void
http_call_until(struct http_call *c, co_time until)
{
    c->until = until;
}

void
http_call_settle(struct http_call *c, co_time until)
{
    struct str piece = STR("more");

    if (!c->conn || c->ended || c->spoilt)
        return;
    co_shield(until);
    http_call_until(c, until);
    while (!c->ended && piece.n && http_call_read(c, &piece, NULL) == TG_OK)
        continue;
    co_unshield();
}

void
http_call_fini(struct http_call *c)
{
    if (c->conn && c->head && !c->spoilt)
        (void)http_call_ready(c); /* the last chunk may lie there unread */
    if (c->conn && c->ended && !c->out.n && !c->spoilt) {
        conn_consume(c->conn, c->pending_consume);
        pool_put(c->pool, c->conn, c->keep_ns);
        c->conn = NULL;
    }
    call_drop_conn(c);
    coding_free(c->coding);
    buf_fini(&c->inflated);
    arena_fini(&c->arena);
}
