/* call.c -- one call: the request out, the answer in, everything timed.
 *
 * The request's bytes are the same for every call of a load, so they are made once, and the
 * connection is driven here rather than through http/client, whose pool knows neither source
 * addresses nor small receive buffers.  Responses go through the same parser.
 *
 * A call's time is read once for each piece that arrives, from the clock and not from the
 * turn's beginning, because a turn may serve thousands of streams.
 *
 * What may go wrong is the list in tally.h.  A used connection may have been closed by the
 * server in the meantime: when it ends before any byte of the response, the request is sent
 * once more on a new one.
 */
#include "bench/call.h"

#include "base/clock.h"
#include "base/mem.h"

enum {
    HEAD_MAX = 65536,
    WHOLE_MAX = 64 << 20,
    ERROR_MAX = 4096 /* of the body of a failed call */
};

struct caller *
caller_new(struct load *l)
{
    struct caller *c = mem_new(struct caller);

    c->load = l;
    list_init(&c->node);
    arena_init(&c->arena);
    return c;
}

static void
drop_conn(struct caller *c)
{
    conn_close(c->conn);
    c->conn = NULL;
    c->used = false;
}

void
caller_free(struct caller *c)
{
    drop_conn(c);
    arena_fini(&c->arena);
    mem_free(c);
}

static void
expire(struct co_timer *t)
{
    struct caller *c = LIST_ITEM(t, struct caller, timer);

    c->expired = true;
    co_cancel(&c->scope, TG_EDEADLINE);
}

static void
wait_until(struct caller *c, co_time from)
{
    co_timer_set(&c->timer, from + (co_time)c->load->o->timeout_ms * NS_PER_MS);
}

static enum fail
failed(struct caller *c, enum fail f, const char *words)
{
    (void)tg_fail(&c->err, TG_EPROTO, TG_ERR_UPSTREAM, NULL, "%s", words);
    return f;
}

/* The body's reader, by what was asked for. */
static void
open_body(struct caller *c)
{
    const struct load *l = c->load;

    if (l->o->fast) {
        if (!l->o->whole)
            split_init(&c->split, l->o->dialect);
        return;
    }
    c->decode = arena_new(&c->arena, struct decode);
    decode_init(c->decode, l->o->dialect, l->choices, &c->arena, &c->watch);
}

static void
close_body(struct caller *c)
{
    if (c->decode)
        decode_fini(c->decode);
    if (c->split.words)
        split_fini(&c->split);
    c->decode = NULL;
    c->split = (struct split){0};
    buf_fini(&c->body);
}

static enum fail
take_head(struct caller *c)
{
    const struct load *l = c->load;
    struct str type;

    c->head = http_parser_head(c->parser);
    if (c->head->status < 200)
        return FAIL_NONE;
    if (c->head->status != 200) {
        buf_init(&c->body, ERROR_MAX);
        return FAIL_NONE;
    }
    type = http_header_get(c->head, STR("content-type"));
    type = str_trim(str_cut(type, ';', &(struct str){NULL, 0}));
    if (!str_ieq(type, l->o->whole ? STR("application/json") : STR("text/event-stream")))
        return failed(c, FAIL_PROTOCOL, "the answer is not of the content type asked for");
    buf_init(&c->body, WHOLE_MAX);
    open_body(c);
    return FAIL_NONE;
}

static enum fail
decoded(struct caller *c, enum fail f)
{
    if (f != FAIL_NONE)
        c->err = c->decode->err;
    c->over = c->decode->over;
    return f;
}

static enum fail
take_data(struct caller *c, struct str data, int64_t now_ns)
{
    if (c->head->status != 200) {
        (void)!buf_append(&c->body, data);
        return FAIL_NONE;
    }
    if (c->load->o->whole) {
        if (!c->decode || buf_append(&c->body, data) == TG_OK)
            return FAIL_NONE;
        return failed(c, FAIL_GRAMMAR, "the answer is larger than 64 MiB");
    }
    if (c->over)
        return FAIL_NONE;
    if (c->decode)
        return decoded(c, decode_piece(c->decode, data, now_ns));
    switch (split_feed(&c->split, data, now_ns, &c->watch)) {
    case SPLIT_OVER:
        c->over = true;
        return FAIL_NONE;
    case SPLIT_ERROR:
        return failed(c, FAIL_STREAM, "the stream ended with an error record");
    case SPLIT_TOO_LARGE:
        return failed(c, FAIL_GRAMMAR, "a record is larger than 64 MiB");
    default:
        return FAIL_NONE;
    }
}

/* The message is complete; now for the answer in it. */
static enum fail
take_end(struct caller *c, int64_t now_ns)
{
    if (c->head->status != 200) {
        struct str text = buf_str(&c->body);

        (void)tg_fail(&c->err, TG_EPROTO, TG_ERR_UPSTREAM, NULL, "status %u: %.*s",
                      c->head->status, (int)(text.n < 160 ? text.n : 160),
                      text.n ? text.p : "");
        return FAIL_STATUS;
    }
    if (c->load->o->whole)
        return c->decode ? decoded(c, decode_whole(c->decode, buf_str(&c->body))) : FAIL_NONE;
    if (c->over)
        return FAIL_NONE;
    if (c->decode)
        return decoded(c, decode_piece(c->decode, (struct str){NULL, 0}, now_ns));
    return failed(c, FAIL_TRUNCATED, "the stream ended before its last record");
}

/* A piece of the response.  *ret_end: it was the last. */
static enum fail
take_piece(struct caller *c, struct str piece, int64_t now_ns, bool *ret_end)
{
    enum fail f = FAIL_NONE;

    while (f == FAIL_NONE && !*ret_end) {
        enum http_step step;
        struct str data;

        if (http_parser_feed(c->parser, &piece, &step, &data, &c->err) != TG_OK)
            return FAIL_PROTOCOL;
        switch (step) {
        case HTTP_NEED_MORE:
            return FAIL_NONE;
        case HTTP_GOT_HEAD:
            f = take_head(c);
            break;
        case HTTP_DATA:
            f = take_data(c, data, now_ns);
            break;
        case HTTP_END:
            if (c->head->status < 200) { /* an interim response: the real one follows */
                c->parser = http_parser_response(&c->arena, HEAD_MAX, false);
                c->head = NULL;
                break;
            }
            *ret_end = true;
            c->spoilt = piece.n > 0;
            f = take_end(c, now_ns);
            break;
        }
    }
    return f;
}

/* The connection ended. */
static enum fail
take_eof(struct caller *c, int64_t now_ns, bool *ret_end)
{
    enum http_step step;

    c->spoilt = true;
    if (http_parser_eof(c->parser, &step, NULL) != TG_OK || !c->head || c->head->status < 200)
        return failed(c, FAIL_TRUNCATED,
                      c->bytes ? "the connection ended in the middle of the answer"
                               : "the connection ended without an answer");
    *ret_end = true;
    return take_end(c, now_ns);
}

/* Waits as long as a reader of that pace would.  S */
static tg_rc
pace(struct caller *c, int64_t now_ns)
{
    uint64_t rate = c->load->o->read_rate;
    co_time until;

    if (!rate)
        return TG_OK;
    if (!c->read_from_ns)
        c->read_from_ns = now_ns;
    until = c->read_from_ns + (co_time)((double)c->bytes / (double)rate * NS_PER_S);
    if (until <= now_ns)
        return TG_OK;
    wait_until(c, until);
    return co_sleep_until(until);
}

/* S */
static enum fail
read_answer(struct caller *c)
{
    struct tally *t = &c->load->tally;
    bool end = false;
    enum fail f = FAIL_NONE;

    while (f == FAIL_NONE && !end) {
        struct str piece;
        int64_t now_ns;

        wait_until(c, co_now());
        if (conn_read(c->conn, &piece, &c->err) != TG_OK)
            return FAIL_TRUNCATED;
        now_ns = co_now_exact();
        if (c->load->counting) {
            t->bytes += piece.n;
            if (!c->bytes && piece.n)
                hist_add(&t->hist[HIST_FIRST_BYTE], now_ns - c->watch.start_ns);
        }
        c->bytes += piece.n;
        f = piece.n ? take_piece(c, piece, now_ns, &end) : take_eof(c, now_ns, &end);
        conn_consume(c->conn, piece.n);
        if (f == FAIL_NONE && !end && pace(c, now_ns) != TG_OK)
            return FAIL_TRUNCATED;
    }
    return f;
}

/* S */
static enum fail
attempt(struct caller *c)
{
    struct load *l = c->load;
    struct str request = buf_str(&l->request);

    c->bytes = 0;
    c->head = NULL;
    c->over = c->spoilt = false;
    c->parser = http_parser_response(&c->arena, HEAD_MAX, false);
    wait_until(c, co_now());
    if (!c->conn) {
        if (load_connect(l, &c->conn, &c->err) != TG_OK)
            return FAIL_CONNECT;
        l->tally.connected += l->counting;
    }
    if (conn_putv(c->conn, &request, 1, &c->err) != TG_OK)
        return FAIL_TRUNCATED;
    return read_answer(c);
}

/* Attempts, within a scope of the call's own.  *ret_rc: why it was broken off, if it was.  S */
static enum fail
exchange(struct caller *c, tg_rc *ret_rc)
{
    enum fail f;

    co_scope_open(&c->scope, CO_NEVER);
    c->expired = false;
    co_timer_init(&c->timer, expire);
    if (c->conn && !conn_idle(c->conn))
        drop_conn(c);
    f = attempt(c);
    if (f == FAIL_TRUNCATED && c->used && c->bytes == 0 && co_cancelled() == TG_OK) {
        drop_conn(c);
        f = attempt(c);
    }
    co_timer_clear(&c->timer);
    (void)co_scope_close(&c->scope);
    if (f != FAIL_NONE && c->expired) {
        (void)failed(c, FAIL_TIMEOUT, "nothing arrived within the time allowed");
        f = FAIL_TIMEOUT;
    }
    *ret_rc = f == FAIL_NONE || c->expired ? TG_OK : co_cancelled();
    return f;
}

static void
completed(struct caller *c, int64_t due_ns)
{
    struct tally *t = &c->load->tally;
    int64_t ns = co_now_exact() - due_ns;

    t->run_calls++;
    if (!c->load->counting)
        return;
    t->completed++;
    hist_add(&t->hist[HIST_CALL], ns);
    if (c->load->o->whole && c->load->recent_first)
        hist_add(c->load->recent_first, ns);
}

enum fail
call_run(struct caller *c, int64_t due_ns)
{
    struct load *l = c->load;
    unsigned status;
    enum fail f;
    tg_rc rc;

    c->watch = (struct watch){.t = &l->tally,
                              .counting = &l->counting,
                              .recent_latency = l->recent_latency,
                              .recent_first = l->recent_first,
                              .start_ns = due_ns};
    c->read_from_ns = 0;
    c->err = (struct tg_err){0};
    f = exchange(c, &rc);
    status = c->head ? c->head->status : 0;
    if (f == FAIL_NONE)
        completed(c, due_ns);
    else if (rc == TG_OK)
        load_failed(l, f, status, str_z(c->err.msg));
    c->used = true;
    if (c->conn && ((f != FAIL_NONE && f != FAIL_STATUS) || c->spoilt || !c->head ||
                    !c->head->keep_alive || l->o->no_keep_alive))
        drop_conn(c);
    close_body(c);
    c->parser = NULL;
    c->head = NULL;
    arena_reset(&c->arena);
    return rc == TG_OK ? f : FAIL_NONE;
}
