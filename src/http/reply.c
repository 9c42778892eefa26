/* reply.c -- one response out.
 *
 * The head is put together in a scratch of the thread and copied into the sock's queue in the
 * same breath, so that no connection owns a buffer for it.  A short body leaves in the same
 * send.
 *
 * A chunk (size, bytes, CRLF) enters the queue without a suspension in between: a timer that
 * puts a heartbeat with reply_write_now therefore never gets into the middle of one.
 *
 * What may go wrong: the peer is gone (TG_EGONE from the sock), or the caller's headers do not
 * fit REPLY_HEAD_MAX (TG_ELIMIT, nothing sent).
 */
#include "http/reply.h"

#include <assert.h>

#include "base/clock.h"
#include "base/num.h"

#include "http/scan.h"

enum { PIECES_MAX = 14, CHUNK_HEAD_MAX = 24 };

static _Thread_local struct {
    int64_t second; /* that date is of */
    char date[30];
    size_t n;
    bool full; /* something did not fit */
    char head[REPLY_HEAD_MAX];
} scratch;

static const struct str crlf = STR("\r\n");

static void
put(struct str s)
{
    if (s.n > sizeof scratch.head - scratch.n) {
        scratch.full = true;
        return;
    }
    if (s.n)
        memcpy(scratch.head + scratch.n, s.p, s.n);
    scratch.n += s.n;
}

static void
put_number(uint64_t v)
{
    char text[NUM_DIGITS], *end = text + sizeof text, *p = num_digits(end, v, 1);

    put(str_of(p, (size_t)(end - p)));
}

static void
put_date(void)
{
    int64_t now = clock_wall_ns(), second = now / NS_PER_S;

    if (second != scratch.second || scratch.date[0] == '\0') {
        clock_http_date(now, scratch.date);
        scratch.second = second;
    }
    put(STR("Date: "));
    put(str_of(scratch.date, sizeof scratch.date - 1));
    put(crlf);
}

static bool
name_ok(struct str name)
{
    for (size_t i = 0; i < name.n; i++)
        if (!scan_is_token((unsigned char)name.p[i]))
            return false;
    return name.n > 0;
}

/* What this file decides on itself. */
static bool
is_ours(struct str name)
{
    return str_ieq(name, STR("content-length")) || str_ieq(name, STR("transfer-encoding")) ||
           str_ieq(name, STR("connection")) || str_ieq(name, STR("date"));
}

static void
put_headers(const struct http_header *h, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (!name_ok(h[i].name) || !http_value_ok(h[i].value) || is_ours(h[i].name))
            continue;
        put(h[i].name);
        put(STR(": "));
        put(h[i].value);
        put(crlf);
    }
}

static bool
has_no_body(unsigned status)
{
    return status < 200 || status == 204 || status == 304;
}

/* Into the scratch.  length: of the body, or NULL when it is not known. */
static tg_rc
make_head(struct reply *r, unsigned status, const struct http_header *h, unsigned n,
          const uint64_t *length)
{
    scratch.n = 0;
    scratch.full = false;
    put(STR("HTTP/1.1 "));
    put_number(status);
    put(STR(" "));
    put(http_reason(status));
    put(crlf);
    put_date();
    put_headers(h, n);
    if (length && !has_no_body(status)) {
        put(STR("Content-Length: "));
        put_number(*length);
        put(crlf);
    } else if (r->chunked) {
        put(STR("Transfer-Encoding: chunked\r\n"));
    }
    if (r->close)
        put(STR("Connection: close\r\n"));
    else if (r->http10)
        put(STR("Connection: keep-alive\r\n"));
    put(crlf);
    return scratch.full ? TG_ELIMIT : TG_OK;
}

void
reply_init(struct reply *r, struct sock *s, const struct http_head *req)
{
    *r = (struct reply){.sock = s, .close = true};
    if (req) {
        r->http10 = req->minor == 0;
        r->head_only = str_eq(req->method, STR("HEAD"));
        r->close = !req->keep_alive;
    }
}

tg_rc
reply_whole(struct reply *r, unsigned status, const struct http_header *h, unsigned n,
            struct str body)
{
    uint64_t length = body.n;
    struct str v[2];
    tg_rc rc;

    assert(!r->started);
    rc = make_head(r, status, h, n, &length);
    if (rc != TG_OK)
        return rc;
    r->started = r->ended = true;
    r->status = (uint16_t)status;
    v[0] = str_of(scratch.head, scratch.n);
    v[1] = body;
    if (r->head_only || has_no_body(status))
        return sock_putv(r->sock, v, 1);
    r->body_bytes = body.n;
    return sock_putv(r->sock, v, 2);
}

tg_rc
reply_start(struct reply *r, unsigned status, const struct http_header *h, unsigned n)
{
    tg_rc rc;

    assert(!r->started && !has_no_body(status));
    r->chunked = !r->http10;
    r->until_close = r->http10;
    if (r->until_close)
        r->close = true;
    rc = make_head(r, status, h, n, NULL);
    if (rc != TG_OK)
        return rc;
    r->started = true;
    r->status = (uint16_t)status;
    return sock_put_now(r->sock, str_of(scratch.head, scratch.n));
}

/* By hand: this is needed for every event, and printf takes more of the stack than all the
 * rest.
 */
static struct str
chunk_head(char text[CHUNK_HEAD_MAX], size_t size)
{
    size_t i = CHUNK_HEAD_MAX;

    text[--i] = '\n';
    text[--i] = '\r';
    do
        text[--i] = "0123456789abcdef"[size & 15];
    while (size >>= 4);
    return str_of(text + i, CHUNK_HEAD_MAX - i);
}

/* More pieces than fit one call. */
static tg_rc
put_many(struct reply *r, struct str head, const struct str *v, int n)
{
    tg_rc rc = sock_put_now(r->sock, head);

    if (rc == TG_OK)
        rc = sock_putv_now(r->sock, v, n);
    return rc == TG_OK ? sock_put_now(r->sock, crlf) : rc;
}

/* Never suspends. */
static tg_rc
put_chunk(struct reply *r, const struct str *v, int n)
{
    struct str all[PIECES_MAX + 2], head;
    char text[CHUNK_HEAD_MAX];
    size_t total = 0;

    assert(r->started && !r->ended);
    for (int i = 0; i < n; i++) {
        total += v[i].n;
        if (i < PIECES_MAX)
            all[i + 1] = v[i];
    }
    if (total == 0 || r->head_only)
        return TG_OK;
    r->body_bytes += total;
    if (!r->chunked)
        return sock_putv_now(r->sock, v, n);
    head = chunk_head(text, total);
    if (n > PIECES_MAX)
        return put_many(r, head, v, n);
    all[0] = head;
    all[n + 1] = crlf;
    return sock_putv_now(r->sock, all, n + 2);
}

tg_rc
reply_write_now(struct reply *r, struct str bytes)
{
    return put_chunk(r, &bytes, 1);
}

tg_rc
reply_wait(struct reply *r)
{
    tg_rc rc = sock_wait_low(r->sock);

    return rc == TG_EGONE ? rc : TG_OK;
}

tg_rc
reply_write(struct reply *r, const struct str *v, int n)
{
    tg_rc rc = put_chunk(r, v, n);

    return rc == TG_OK ? reply_wait(r) : rc;
}

tg_rc
reply_end(struct reply *r)
{
    assert(r->started && !r->ended);
    r->ended = true;
    if (!r->chunked || r->head_only)
        return TG_OK;
    return sock_put_now(r->sock, STR("0\r\n\r\n"));
}
