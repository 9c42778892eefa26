/* translate.c -- two dialects, one hub: decode, encode, send, decode, encode.
 *
 * The client's dialect makes an ir_req of the body; the upstream's makes its own body of that.
 * The answer's records become events one by one, and what one upstream read brought leaves in
 * one write.  Codecs never suspend: records gather in the answer's buffer and are written
 * between reads.
 *
 * The ir_req borrows the text of the request's body, and a dialect may echo parts of it in its
 * last record.  Still the body goes once a streamed answer begins: what the answer needs of it
 * is copied (ir/keep.h).
 */
#include "api/translate.h"

#include "api/answer.h"
#include "api/asked.h"
#include "api/parameters.h"
#include "api/relay.h"
#include "dialect/request.h"
#include "http/sse.h"
#include "ir/keep.h"
#include "json/scan.h"

enum { SHOWN_MAX = 16 };

struct translation {
    struct exchange *x;
    struct upstream *u;
    struct ir_req req;
    struct ir_adapt *adapt; /* what of the request must be undone in the answer */
    struct dialect_dec dec;
    struct answer answer;
    struct sse sse;
};

static tg_rc
upstream_broke(struct exchange *x, const char *code, const char *what)
{
    return tg_upstream_fail(&x->err, TG_EPROTO, code, "%s", what);
}

tg_rc
translate_records(const struct dialect *from, struct dialect_dec *dec, struct sse *sse,
                  bool *ret_over)
{
    struct sse_record rec;
    tg_rc rc;

    while ((rc = sse_next(sse, &rec, dec->err)) == TG_OK && rec.kind != SSE_NEED_MORE) {
        if (rec.kind == SSE_COMMENT || !rec.has_data)
            continue;
        rc = from->decode_record(dec, rec.event, rec.data, ret_over);
        if (rc != TG_OK || *ret_over)
            break;
    }
    return rc;
}

static tg_rc
take_stream(struct translation *t, struct http_call *call)
{
    struct exchange *x = t->x;
    struct str piece;
    bool over = false;
    tg_rc rc;

    sse_init(&t->sse, (size_t)x->settings->limits.event_bytes);
    do {
        rc = http_call_read(call, &piece, &x->err);
        if (rc != TG_OK)
            break;
        if (piece.n)
            sse_input(&t->sse, piece);
        else
            sse_finish(&t->sse);
        rc = translate_records(t->u->dialect, &t->dec, &t->sse, &over);
        over |= ir_adapt_over(t->adapt);
        if (rc == TG_OK && !over && piece.n == 0)
            rc = t->u->dialect->decode_eof(&t->dec);
        if (rc == TG_OK && !over && http_call_release(call))
            rc = answer_flush(&t->answer);
    } while (rc == TG_OK && !over && piece.n);
    sse_fini(&t->sse);
    return rc;
}

static __attribute__((noinline)) tg_rc
take_whole(struct translation *t, struct http_call *call)
{
    struct exchange *x = t->x;
    struct str text;
    struct buf body;
    tg_rc rc;

    buf_init(&body, (size_t)x->settings->limits.response_bytes);
    rc = http_call_read_all(call, &body, &x->err);
    text = buf_str(&body);
    if (rc == TG_OK && json_check(text, JSON_DEPTH_MAX, NULL) != TG_OK)
        rc = upstream_broke(x, "upstream_protocol", "the upstream's answer is not valid JSON");
    if (rc == TG_OK)
        rc = t->u->dialect->decode_res(&t->dec, text);
    buf_fini(&body);
    return rc;
}

/* Copies the upstream's headers that a client may see: they outlive the call. */
static __attribute__((noinline)) void
show_headers(struct exchange *x, const struct http_call *call)
{
    struct http_header h[SHOWN_MAX];

    x->n_shown = upstream_response_headers(call, h, SHOWN_MAX);
    x->shown = arena_array(&x->arena, struct http_header, x->n_shown);
    for (unsigned i = 0; i < x->n_shown; i++)
        x->shown[i] = (struct http_header){arena_dup(&x->arena, h[i].name),
                                           arena_dup(&x->arena, h[i].value)};
}

/* A status that is not 2xx, in the client's words. */
static __attribute__((noinline)) tg_rc
take_error(struct translation *t, struct http_call *call)
{
    struct exchange *x = t->x;
    struct buf body;
    bool fits = false;
    tg_rc rc;

    rc = upstream_error(t->u, call, &body, &fits, &x->err);
    exchange_show_error(x, t->u, buf_str(&body));
    if (rc == TG_OK && fits) {
        int64_t retry_after_ms = x->err.retry_after_ms;

        x->err.http = 0;
        t->u->dialect->decode_error(call->head->status, buf_str(&body), &x->err);
        if (x->err.raw.n)
            x->err.raw = arena_dup(&x->arena, x->err.raw);
        x->err.retry_after_ms = retry_after_ms;
    }
    buf_fini(&body);
    if (rc != TG_OK)
        return rc;
    x->end = END_UPSTREAM;
    return x->err.rc != TG_OK ? x->err.rc : TG_EPROTO;
}

static tg_rc
take_response(struct translation *t, struct http_call *call)
{
    struct exchange *x = t->x;
    tg_rc rc;

    show_headers(x, call);
    if (call->head->status >= 300)
        return take_error(t, call);
    rc = relay_check_type(x, call->head, t->req.stream);
    if (rc != TG_OK)
        return rc;
    answer_open(&t->answer, x, &t->req, t->adapt, false);
    t->dec = (struct dialect_dec){
        .sink = t->answer.chain.sink,
        .arena = &x->arena,
        .err = &x->err,
        .hold_max = (size_t)x->settings->limits.response_bytes,
        .state =
            arena_alloc(&x->arena, t->u->dialect->dec_size ? t->u->dialect->dec_size : 1, 16),
    };
    rc = t->req.stream ? take_stream(t, call) : take_whole(t, call);
    if (rc != TG_OK && x->err.origin == TG_FROM_US && x->err.kind == TG_ERR_UPSTREAM)
        x->err.origin = TG_FROM_UPSTREAM;
    rc = answer_close(&t->answer, rc);
    if (rc == TG_OK && !ir_adapt_over(t->adapt))
        http_call_settle(call, co_now() + RELAY_TAIL_NS);
    return rc;
}

/* The upstream's body, from the client's. */
static __attribute__((noinline)) tg_rc
make_body(struct translation *t, const struct route *route, struct buf *out)
{
    struct exchange *x = t->x;
    struct dialect_route dr = {
        .model = route->model, .strict = route->strict, .max_tokens = route->max_tokens};
    tg_rc rc;

    t->u->dialect->caps(route->server, route->model, &dr.caps);
    route_caps(route, &dr.caps);
    rc = asked_decode(x, &x->request, &t->req);
    if (rc == TG_OK)
        rc = dialect_put_request(&x->request, t->u->dialect, &t->req, &dr, out, &t->adapt,
                                 x->drops, &x->err);
    return rc == TG_OK ? parameters_apply(x, route, out) : rc;
}

/* The names of what was dropped, out of the request's arena. */
static struct ir_drops *
keep_drops(struct arena *a, const struct ir_drops *d)
{
    struct ir_drops *kept;

    if (!d || d->n == 0)
        return NULL;
    kept = arena_new(a, struct ir_drops);
    for (unsigned i = 0; i < d->n; i++)
        ir_drop(kept, d->name[i]);
    kept->more = d->more;
    return kept;
}

/* The upstream has the request, and a stream may last for long: the body and what was made of
 * it go, but for what the answer needs.  What undoes adaptations names parts of all that. */
static void
let_go(struct translation *t)
{
    struct exchange *x = t->x;

    if (t->adapt)
        return;
    x->drops = keep_drops(&x->arena, x->drops);
    ir_keep(&x->arena, &t->req, &t->req);
    arena_reset(&x->request);
    buf_fini(&x->body);
}

tg_rc
translate_run(struct exchange *x, struct upstream *u, const struct route *route)
{
    struct translation *t = arena_new(&x->arena, struct translation);
    struct buf body;
    struct str piece;
    struct upstream_request req = {
        .call = DIALECT_GENERATE,
        .body = &piece,
        .n_body = 1,
        .request_id = str_z(x->id),
        .client_dialect = x->asked_in,
        .client = x->req,
    };
    struct http_call call;
    tg_rc rc;

    t->x = x;
    t->u = u;
    x->drops = arena_new(&x->request, struct ir_drops);
    buf_init(&body, (size_t)x->settings->limits.body_bytes);
    rc = make_body(t, route, &body);
    if (rc != TG_OK) {
        buf_fini(&body);
        return rc;
    }
    piece = buf_str(&body);
    req.stream = t->req.stream;
    x->attempts++;
    rc = upstream_send(x->set, u, &req, &call, &x->err);
    buf_fini(&body);
    if (rc == TG_OK && t->req.stream)
        let_go(t);
    if (rc == TG_OK)
        rc = take_response(t, &call);
    http_call_fini(&call);
    return rc;
}
