/* decode.c -- a stream or a whole answer read as a client reads it, and checked.
 *
 *     bytes -> sse -> the dialect's decoder -> the event grammar -> counted
 *
 * A failure is told apart by where it shows: at the end of the bytes the answer was cut off; in
 * a record it is either a breach of dialect or grammar, which the decoders call so, or an error
 * that the server described.
 */
#include "bench/decode.h"

#include "base/list.h"
#include "json/scan.h"

enum { RECORD_MAX = 64 << 20 };

static tg_rc
count(struct ir_sink *sink, const struct ir_event *ev)
{
    struct decode *d = LIST_ITEM(sink, struct decode, sink);

    if (ev->kind == IR_EV_DELTA && ev->text.n)
        watch_text(d->watch, d->now_ns, ev->text);
    return TG_OK;
}

/* Of a whole answer only the grammar is of interest: its text was not sent event by event. */
static tg_rc
pass(struct ir_sink *sink, const struct ir_event *ev)
{
    (void)sink;
    (void)ev;
    return TG_OK;
}

void
decode_init(struct decode *d, const struct dialect *dialect, unsigned choices, struct arena *a,
            struct watch *w)
{
    memset(d, 0, sizeof *d);
    d->dialect = dialect;
    d->watch = w;
    d->sink.put = count;
    ir_check_init(&d->check, choices, &d->sink, &d->err);
    sse_init(&d->sse, RECORD_MAX);
    d->dec = (struct dialect_dec){
        .sink = &d->check.sink,
        .arena = a,
        .err = &d->err,
        .hold_max = RECORD_MAX,
        .state = arena_alloc(a, dialect->dec_size ? dialect->dec_size : 1, 16),
    };
}

void
decode_fini(struct decode *d)
{
    sse_fini(&d->sse);
}

static enum fail
kind_of(const struct decode *d, bool in_record)
{
    const char *code = d->err.code ? d->err.code : "";

    if (!in_record && strcmp(code, "upstream_truncated") == 0)
        return FAIL_TRUNCATED;
    if (strcmp(code, "upstream_protocol_error") == 0 || strcmp(code, "event_too_large") == 0)
        return FAIL_GRAMMAR;
    return in_record ? FAIL_STREAM : FAIL_GRAMMAR;
}

enum fail
decode_piece(struct decode *d, struct str piece, int64_t now_ns)
{
    struct sse_record rec;
    tg_rc rc;

    d->now_ns = now_ns;
    if (piece.n)
        sse_input(&d->sse, piece);
    else
        sse_finish(&d->sse);
    while (!d->over) {
        bool ping;

        rc = sse_next(&d->sse, &rec, &d->err);
        if (rc != TG_OK)
            return kind_of(d, false);
        if (rec.kind == SSE_NEED_MORE)
            break;
        ping = rec.kind == SSE_COMMENT || str_eq(rec.event, STR("ping"));
        watch_record(d->watch, ping);
        if (rec.kind == SSE_COMMENT || !rec.has_data)
            continue;
        rc = d->dialect->decode_record(&d->dec, rec.event, rec.data, &d->over);
        if (rc != TG_OK && !piece.n && kind_of(d, true) == FAIL_GRAMMAR)
            return FAIL_TRUNCATED; /* half a record, given out because no more will come */
        if (rc != TG_OK)
            return kind_of(d, true);
    }
    if (piece.n || d->over)
        return FAIL_NONE;
    rc = d->dialect->decode_eof(&d->dec);
    d->over = rc == TG_OK;
    return rc == TG_OK ? FAIL_NONE : kind_of(d, false);
}

enum fail
decode_whole(struct decode *d, struct str body)
{
    tg_rc rc;

    d->sink.put = pass;
    if (json_check(body, JSON_DEPTH_MAX, NULL) != TG_OK) {
        (void)tg_fail(&d->err, TG_EPROTO, TG_ERR_UPSTREAM, "upstream_protocol_error",
                      "the answer is not valid JSON");
        return FAIL_GRAMMAR;
    }
    rc = d->dialect->decode_res(&d->dec, body);
    return rc == TG_OK ? FAIL_NONE : kind_of(d, true);
}
