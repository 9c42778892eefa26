/* relay.c -- same dialect on both sides: bytes go through.
 *
 * The request body is sent as pieces of the client's own bytes.  A whole answer is read, looked
 * at (is it of the dialect, what did it use) and sent on unchanged.  A stream is cut into
 * records; the dialect's tap looks at each one and says pass, drop or failed; neighbouring
 * records that pass leave as one span in one write, so an upstream read costs one send whatever
 * it held.
 *
 * What is not byte for byte: comments and blank records are signs of life and stay here (the
 * client has heartbeats of its own); a record with id or retry fields, with a CR in it, or
 * ended by the end of the stream is written anew, because the client's bytes must not depend on
 * where the upstream's were cut, and because some SDKs break on id lines.
 *
 * A client that is slow is waited for between two pieces, when what the upstream sent so far
 * has been given back: memory that all connections share is not held for it.
 *
 * While a stream waits, what it costs is the stack it waits on and what its events need there.
 * So its state lies in the arena, and what happens once (the head, a failure) or never (a whole
 * answer) stands in functions of its own, whose frames come and go.
 *
 * Invariants
 *  (1) The status line leaves with the first record that passes, or with a heartbeat.
 *  (2) A stream that did not say that it is whole never gets the dialect's end record from us.
 */
#include "api/relay.h"

#include "api/stream.h"
#include "base/clock.h"
#include "http/sse.h"

enum { UPSTREAM_HEADERS_MAX = 16 };

/* In the order in which a record looks at it; the SSE reader begins with what each needs. */
struct relay {
    _Alignas(MEM_LINE) struct sse sse;
    struct exchange *x;
    struct http_call *call;
    struct str run; /* records of the current piece that pass and lie side by side      */
    bool tail;      /* the answer has ended, what comes is the rest of the HTTP message */
    struct dialect_tap tap;
};

/* Once a stream: apart, so that its frame is not part of what every event needs. */
static __attribute__((noinline)) tg_rc
commit_first(struct relay *r)
{
    struct http_header h[UPSTREAM_HEADERS_MAX];

    return stream_commit(r->x, h, upstream_response_headers(r->call, h, UPSTREAM_HEADERS_MAX));
}

static tg_rc
commit(struct relay *r)
{
    return r->x->committed ? TG_OK : commit_first(r);
}

static tg_rc
flush_run(struct relay *r)
{
    struct str run = r->run;
    tg_rc rc;

    r->run = (struct str){NULL, 0};
    if (run.n == 0)
        return TG_OK;
    rc = commit(r);
    return rc == TG_OK ? stream_queue(r->x, run) : rc;
}

/* Writes a record in the plain form: event, data, LF. */
static __attribute__((noinline)) tg_rc
pass_anew(struct relay *r, const struct sse_record *rec)
{
    struct buf b;
    tg_rc rc;

    buf_init(&b, r->sse.hold.max + 256);
    rc = sse_write(&b, rec->event, rec->data);
    if (rc == TG_OK)
        rc = commit(r);
    if (rc == TG_OK)
        rc = stream_queue(r->x, buf_str(&b));
    buf_fini(&b);
    return rc;
}

static tg_rc
pass(struct relay *r, const struct sse_record *rec, struct str piece)
{
    bool anew = rec->has_id_retry || r->sse.finishing || rec->has_cr;
    bool inside = rec->raw.p >= piece.p && rec->raw.p + rec->raw.n <= piece.p + piece.n;
    tg_rc rc;

    if (!anew && inside && r->run.n && r->run.p + r->run.n == rec->raw.p) {
        r->run.n += rec->raw.n;
        return TG_OK;
    }
    rc = flush_run(r);
    if (rc != TG_OK)
        return rc;
    if (anew)
        return rec->has_data ? pass_anew(r, rec) : TG_OK;
    r->run = rec->raw;
    return inside ? TG_OK
                  : flush_run(r); /* raw outside the piece lives until the next record */
}

/* The upstream's own error record: a real status while there is none yet, else passed on as the
 * last thing the client hears.  One about the gateway's credentials is told in our words. */
static __attribute__((noinline)) tg_rc
fail_by_record(struct relay *r, const struct sse_record *rec)
{
    struct exchange *x = r->x;
    struct exchange_headers h;
    tg_rc rc = flush_run(r);

    if (rc != TG_OK)
        return rc;
    x->end = END_UPSTREAM;
    if (x->err.code && strcmp(x->err.code, "upstream_auth") == 0)
        return TG_EPROTO;
    if (x->committed) {
        rc = pass_anew(r, rec);
        x->broken = true;
        return rc == TG_OK ? TG_EPROTO : rc;
    }
    exchange_headers(x, &h);
    exchange_header(&h, STR("content-type"), STR("application/json"));
    h.n += upstream_response_headers(r->call, h.v + h.n, EXCHANGE_HEADERS_MAX - h.n);
    return exchange_answer_with(x, x->dialect->error_status(&x->err), &h,
                                arena_dup(&x->arena, rec->data));
}

/* Does nothing follow this record in a stream that has ended?  Some dialects have a bare record
 * for that behind the one that ends the answer, which an upstream may or may not send. */
static bool
is_last(const struct dialect *d, const struct sse_record *rec)
{
    struct str end = str_from(d->stream_end, sizeof("data: ") - 1);

    return !str_starts(d->stream_end, STR("data: ")) ||
           str_eq(rec->data, str_trim(str_of(end.p, end.n - 2)));
}

/* Everything that one piece of the stream completes.  *ret_over: the exchange has its answer.
 */
static tg_rc
relay_records(struct relay *r, struct str piece, bool *ret_over)
{
    struct exchange *x = r->x;
    struct sse_record rec;
    tg_rc rc;

    while ((rc = sse_next(&r->sse, &rec, &x->err)) == TG_OK && rec.kind != SSE_NEED_MORE) {
        if (rec.kind == SSE_COMMENT)
            continue;
        switch (x->dialect->tap_record(&r->tap, rec.event, rec.data, &x->err)) {
        case DIALECT_PASS:
            rc = pass(r, &rec, piece);
            break;
        case DIALECT_DROP:
            break;
        case DIALECT_FAILED:
            *ret_over = true;
            return fail_by_record(r, &rec);
        case DIALECT_BROKEN:
            rc = flush_run(r);
            return rc == TG_OK ? TG_EPROTO : rc;
        }
        if (rc != TG_OK)
            return rc;
        if (r->tap.terminal && is_last(x->dialect, &rec)) {
            *ret_over = true;
            break;
        }
    }
    if (rc != TG_OK) {
        x->err.origin = TG_FROM_UPSTREAM;
        return flush_run(r) == TG_OK ? rc : TG_EGONE;
    }
    return flush_run(r);
}

/* The upstream's bytes have ended, cleanly as HTTP goes. */
static tg_rc
end_of_stream(struct relay *r)
{
    struct exchange *x = r->x;
    tg_rc rc = TG_OK;

    if (!r->tap.terminal && !r->tap.finished)
        return tg_upstream_fail(&x->err, TG_EPROTO, "upstream_truncated",
                                "the upstream's stream ended before the answer was complete");
    if (!r->tap.terminal && x->dialect->stream_end.n)
        rc = stream_write(x, x->dialect->stream_end);
    return rc == TG_OK ? stream_end(x) : rc;
}

/* The next piece.  Once the answer has ended the upstream has RELAY_TAIL_NS to end the stream
 * too: with the dialect's last record, or by the end of its body. */
static tg_rc
next_piece(struct relay *r, struct str *ret)
{
    tg_rc rc;

    if (r->tap.terminal && !r->tail) {
        r->tail = true;
        http_call_until(r->call, co_now() + RELAY_TAIL_NS);
    }
    rc = http_call_read(r->call, ret, &r->x->err);
    if (rc != TG_OK && r->tail && co_cancelled() == TG_OK) {
        *ret = (struct str){NULL, 0}; /* whatever it was: the answer is complete */
        rc = TG_OK;
    }
    return rc;
}

static tg_rc
relay_stream(struct exchange *x, struct http_call *call, bool keep_usage)
{
    struct relay *r = arena_new(&x->arena, struct relay);
    struct str piece;
    bool over = false;
    tg_rc rc;

    r->x = x;
    r->call = call;
    r->tap.keep_usage = keep_usage;
    r->tap.usage = IR_USAGE_UNKNOWN;
    sse_init(&r->sse, (size_t)x->settings->limits.event_bytes);
    do {
        rc = next_piece(r, &piece);
        if (rc != TG_OK)
            break;
        if (piece.n)
            sse_input(&r->sse, piece);
        else
            sse_finish(&r->sse);
        rc = relay_records(r, piece, &over);
        if (rc == TG_OK && !r->tap.terminal && !over && http_call_release(call))
            rc = stream_wait(x);
    } while (rc == TG_OK && !over && piece.n);
    if (rc == TG_OK && !x->reply.ended)
        rc = end_of_stream(r);
    x->usage = r->tap.usage;
    sse_fini(&r->sse);
    if (rc == TG_OK && r->tap.terminal)
        http_call_settle(call, co_now() + RELAY_TAIL_NS);
    if (r->tap.terminal)
        x->err = (struct tg_err){0}; /* whatever came behind: the answer is complete */
    return rc;
}

static __attribute__((noinline)) tg_rc
relay_whole(struct exchange *x, struct http_call *call, enum dialect_call kind)
{
    struct dialect_tap tap = {.usage = IR_USAGE_UNKNOWN};
    struct exchange_headers h;
    struct buf body;
    tg_rc rc;

    buf_init(&body, (size_t)x->settings->limits.response_bytes);
    rc = http_call_read_all(call, &body, &x->err);
    if (rc == TG_OK && !x->dialect->tap_whole(&tap, kind, buf_str(&body)))
        rc = tg_upstream_fail(&x->err, TG_EPROTO, "upstream_protocol",
                              "the upstream's answer is not what its dialect says");
    if (rc == TG_OK) {
        x->usage = tap.usage;
        exchange_headers(x, &h);
        exchange_header(&h, STR("content-type"),
                        http_header_get(call->head, STR("content-type")));
        h.n += upstream_response_headers(call, h.v + h.n, EXCHANGE_HEADERS_MAX - h.n);
        rc = exchange_answer_with(x, call->head->status, &h, buf_str(&body));
    }
    buf_fini(&body);
    return rc;
}

/* A status that is not 2xx. */
static __attribute__((noinline)) tg_rc
relay_error(struct exchange *x, struct upstream *u, struct http_call *call)
{
    struct dialect_tap tap = {.usage = IR_USAGE_UNKNOWN};
    struct exchange_headers h;
    struct tg_err told;
    struct buf body;
    bool fits = false;
    tg_rc rc;

    rc = upstream_error(u, call, &body, &fits, &x->err);
    exchange_show_error(x, u, buf_str(&body));
    if (rc != TG_OK || !fits) {
        buf_fini(&body);
        return rc == TG_OK ? x->err.rc : rc;
    }
    x->end = END_UPSTREAM;
    if (x->committed) { /* by a heartbeat: the status is gone, its words are not */
        told = x->err;
        if (x->dialect->tap_record(&tap, (struct str){NULL, 0}, buf_str(&body), &told) ==
            DIALECT_FAILED)
            x->err = told;
        buf_fini(&body);
        return TG_EPROTO;
    }
    exchange_headers(x, &h);
    exchange_header(&h, STR("content-type"), http_header_get(call->head, STR("content-type")));
    h.n += upstream_response_headers(call, h.v + h.n, EXCHANGE_HEADERS_MAX - h.n);
    rc = exchange_answer_with(x, call->head->status, &h, buf_str(&body));
    buf_fini(&body);
    return rc;
}

tg_rc
relay_check_type(struct exchange *x, const struct http_head *head, bool stream)
{
    struct str want = stream ? STR("text/event-stream") : STR("application/json");
    struct str got = http_header_get(head, STR("content-type"));

    if (http_has_type(head, want))
        return TG_OK;
    return tg_upstream_fail(&x->err, TG_EPROTO, "upstream_content_type",
                            "the upstream answered with content type \"%.*s\", expected %.*s",
                            got.n < 80 ? (int)got.n : 80, got.n ? got.p : "", STR_ARG(want));
}

static tg_rc
relay_response(struct exchange *x, struct upstream *u, struct http_call *call,
               const struct dialect_view *view)
{
    tg_rc rc;

    if (call->head->status >= 300)
        return relay_error(x, u, call);
    rc = relay_check_type(x, call->head, view->stream);
    if (rc != TG_OK)
        return rc;
    return view->stream ? relay_stream(x, call, view->wants_usage)
                        : relay_whole(x, call, view->call);
}

tg_rc
relay_run(struct exchange *x, struct upstream *u, const struct dialect_view *view,
          struct str model)
{
    struct str pieces[DIALECT_PIECES_MAX];
    struct upstream_request req = {
        .call = view->call,
        .stream = view->stream,
        .body = pieces,
        .request_id = str_z(x->id),
        .client_dialect = x->dialect,
        .client = x->req,
    };
    struct http_call call;
    tg_rc rc;

    x->dialect->relay_req(&x->arena, view, model, pieces, &req.n_body);
    x->attempts++;
    rc = upstream_send(x->set, u, &req, &call, &x->err);
    buf_fini(&x->body); /* sent: a long stream should not hold it */
    if (rc == TG_OK)
        rc = relay_response(x, u, &call, view);
    http_call_fini(&call);
    return rc;
}
