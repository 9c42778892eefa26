/* parser.c -- HTTP/1 messages out of bytes.
 *
 * A head is gathered whole before it is understood: scan.c finds its end and checks its shape
 * as the bytes come, then llhttp reads all of it in one go (strict, no leniency flag is ever
 * set), then head.c decides on what llhttp leaves open: version, target, Host, lengths,
 * connection.  A message passes only when all of them agree on it.
 *
 * In the body llhttp does the framing and stops at every chunk size, every span of data, every
 * chunk's end and the end, so that data is handed out where it lies.  The bytes in between
 * (sizes, extensions, trailers) are looked at once more here, since llhttp puts no bound on
 * them.
 *
 * A stream of events is thousands of small chunks, each of which usually comes whole.  Between
 * two chunks llhttp remembers nothing of those before, so a chunk that lies there whole, with
 * nothing but digits in its size line, is passed by it.  Any other is llhttp's.
 *
 *     HEAD -> BODY -> DONE          any error: FAILED, for good
 *
 * Invariants
 *  (1) The outcome depends on the bytes, not on the cuts between pieces.
 *  (2) The head lies in one run of arena memory; its strs point into it.
 *  (3) llhttp never gets a byte behind the end of the message.
 *
 * What llhttp 9.2.1 lets through by itself, each refused here: other codings before "chunked",
 * chunked in HTTP/1.0, versions 0.9 and 2.0, runs of spaces in the request line, LF before it,
 * "*" for any method, CONNECT, RTSP and ICE, fragments, a missing Host, endless chunk
 * extensions.
 */
#include "http/parser.h"

#include <assert.h>
#include <llhttp.h>

#include "base/mem.h"
#include "http/head.h"
#include "http/scan.h"

enum { CHUNK_LINE_MAX = 1024, CHUNK_DIGITS = 7, GATHER_FIRST = 512 };

enum state { HEAD, BODY, DONE, FAILED };

/* What every piece of a body looks at comes first, in two cache lines. */
struct http_parser {
    _Alignas(MEM_LINE) llhttp_t ll;
    struct str data; /* span that llhttp just reported */
    uint8_t state;   /* enum state */
    bool in_trailers, at_size, saw_cr;
    bool chunked;
    bool between;  /* llhttp is at the end of a chunk and the start of the next */
    bool complete; /* llhttp has seen the end */
    bool request, to_head;
    unsigned chunk_line; /* bytes of the current size line */

    tg_rc rc; /* the sticky failure */
    uint16_t http;
    const char *why;
    struct arena *arena;
    size_t head_max; /* bytes of head and trailers allowed */
    size_t head_n;   /* and seen */
    char *gathered;  /* head so far, when it comes in pieces */
    size_t gathered_n, gathered_cap;
    struct scan scan;
    struct http_head head;
};

static struct http_parser *
of(llhttp_t *ll)
{
    return (struct http_parser *)((char *)ll - offsetof(struct http_parser, ll));
}

static int
on_field(llhttp_t *ll, const char *at, size_t n)
{
    struct http_parser *p = of(ll);

    if (p->in_trailers)
        return HPE_OK;
    p->head.headers[p->head.n_headers].name = str_of(at, n);
    return HPE_OK;
}

/* llhttp takes some values apart (a list of codings comes in several spans); a value is all
 * from its first byte to its last. */
static int
on_value(llhttp_t *ll, const char *at, size_t n)
{
    struct http_parser *p = of(ll);
    struct str *value = &p->head.headers[p->head.n_headers].value;

    if (p->in_trailers)
        return HPE_OK;
    if (value->p)
        *value = str_of(value->p, (size_t)(at + n - value->p));
    else
        *value = str_of(at, n);
    return HPE_OK;
}

static int
on_value_complete(llhttp_t *ll)
{
    struct http_parser *p = of(ll);
    struct http_header *h = &p->head.headers[p->head.n_headers];

    if (p->in_trailers)
        return HPE_OK;
    h->value = str_trim(h->value);
    p->head.n_headers++;
    return HPE_OK;
}

/* 1 says that no body follows, whatever the fields say. */
static int
on_headers_complete(llhttp_t *ll)
{
    ll->upgrade = 0; /* a request to change the protocol is answered like any other */
    return of(ll)->to_head ? 1 : 0;
}

static int
on_chunk_header(llhttp_t *ll)
{
    of(ll)->at_size = true;
    return HPE_PAUSED;
}

static int
on_body(llhttp_t *ll, const char *at, size_t n)
{
    of(ll)->data = str_of(at, n);
    return HPE_PAUSED;
}

static int
on_chunk_complete(llhttp_t *ll)
{
    struct http_parser *p = of(ll);

    p->between = !p->in_trailers; /* which end the last chunk */
    return p->between ? HPE_PAUSED : HPE_OK;
}

static int
on_message_complete(llhttp_t *ll)
{
    of(ll)->complete = true;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_header_value_complete = on_value_complete,
    .on_headers_complete = on_headers_complete,
    .on_chunk_header = on_chunk_header,
    .on_chunk_complete = on_chunk_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

static struct http_parser *
parser_new(struct arena *a, size_t head_max, bool request)
{
    struct http_parser *p = arena_new(a, struct http_parser);

    llhttp_init(&p->ll, request ? HTTP_REQUEST : HTTP_RESPONSE, &settings);
    scan_init(&p->scan, request ? SCAN_REQUEST : SCAN_RESPONSE);
    p->arena = a;
    p->request = request;
    p->head_max = head_max;
    return p;
}

struct http_parser *
http_parser_request(struct arena *a, size_t head_max)
{
    return parser_new(a, head_max, true);
}

struct http_parser *
http_parser_response(struct arena *a, size_t head_max, bool head_request)
{
    struct http_parser *p = parser_new(a, head_max, false);

    p->to_head = head_request;
    return p;
}

static tg_rc
tell(const struct http_parser *p, struct tg_err *err)
{
    const char *code = p->rc == TG_ELIMIT ? "headers_too_large" : "bad_http";

    tg_fail(err, p->rc, TG_ERR_INVALID_REQUEST, code, "%s: %s",
            p->request ? "malformed request" : "malformed response", p->why);
    if (err)
        err->http = p->http;
    return p->rc;
}

static tg_rc
fail(struct http_parser *p, tg_rc rc, const char *why, struct tg_err *err)
{
    p->state = FAILED;
    p->rc = rc;
    p->http = rc == TG_ELIMIT ? 431 : 400;
    p->why = why ? why : "not HTTP/1";
    return tell(p, err);
}

static tg_rc
fail_scan(struct http_parser *p, enum scan_result r, struct tg_err *err)
{
    if (r == SCAN_MANY)
        return fail(p, TG_ELIMIT, "too many header fields", err);
    return fail(p, TG_EPROTO, p->scan.why, err);
}

static void
gather(struct http_parser *p, struct str s)
{
    size_t cap = p->gathered_cap ? p->gathered_cap : GATHER_FIRST;

    while (cap < p->gathered_n + s.n)
        cap *= 2;
    if (cap > p->gathered_cap) {
        char *to = arena_alloc(p->arena, cap, 1);

        if (p->gathered_n)
            memcpy(to, p->gathered, p->gathered_n);
        p->gathered = to;
        p->gathered_cap = cap;
    }
    if (s.n)
        memcpy(p->gathered + p->gathered_n, s.p, s.n);
    p->gathered_n += s.n;
}

/* raw is the whole head in the arena. */
static tg_rc
read_head(struct http_parser *p, struct str raw, struct tg_err *err)
{
    struct http_head *h = &p->head;
    const char *why;
    llhttp_errno_t e;
    struct str line;

    h->headers = arena_array(p->arena, struct http_header, p->scan.fields);
    e = llhttp_execute(&p->ll, raw.p, raw.n);
    if (e != HPE_OK && !(e == HPE_PAUSED && p->complete))
        return fail(p, TG_EPROTO, llhttp_get_error_reason(&p->ll), err);
    if (h->n_headers != p->scan.fields)
        return fail(p, TG_EPROTO, "ambiguous header fields", err);
    while (str_starts(raw, STR("\r\n")))
        raw = str_from(raw, 2);
    line = str_of(raw.p, str_find(raw, '\r'));
    why = p->request ? head_request(h, line) : head_response(h, line, p->to_head);
    if (why)
        return fail(p, TG_EPROTO, why, err);
    if (p->complete !=
        (h->framing == HTTP_NO_BODY || (h->framing == HTTP_SIZED && h->length == 0)))
        return fail(p, TG_EPROTO, "ambiguous length of the body", err);
    p->chunked = h->framing == HTTP_CHUNKED;
    p->state = p->complete ? DONE : BODY;
    return TG_OK;
}

static tg_rc
feed_head(struct http_parser *p, struct str *input, enum http_step *ret_step,
          struct tg_err *err)
{
    struct str view = *input, raw;
    enum scan_result r;
    size_t used;
    tg_rc rc;

    if (view.n > p->head_max - p->head_n)
        view.n = p->head_max - p->head_n;
    r = scan_bytes(&p->scan, view, &used);
    if (r == SCAN_BAD || r == SCAN_MANY)
        return fail_scan(p, r, err);
    if (r == SCAN_MORE && view.n < input->n)
        return fail(p, TG_ELIMIT, "the head is too large", err);
    p->head_n += used;
    view.n = used;
    *input = str_from(*input, used);
    if (r == SCAN_END && p->gathered_n == 0) {
        raw = arena_dup(p->arena, view);
    } else {
        gather(p, view);
        raw = str_of(p->gathered, p->gathered_n);
    }
    *ret_step = HTTP_NEED_MORE;
    if (r == SCAN_MORE)
        return TG_OK;
    rc = read_head(p, raw, err);
    if (rc == TG_OK)
        *ret_step = HTTP_GOT_HEAD;
    return rc;
}

/* Chunk sizes and their extensions, and the line ends around them. */
static tg_rc
check_chunk_line(struct http_parser *p, struct str s, struct tg_err *err)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (p->saw_cr != (c == '\n') || c >= 0x7f || (c < ' ' && !memchr("\t\r\n", c, 3)))
            return fail(p, TG_EPROTO, "bad chunk size line", err);
        if (++p->chunk_line > CHUNK_LINE_MAX)
            return fail(p, TG_EPROTO, "a chunk extension is too long", err);
        p->saw_cr = c == '\r';
    }
    return TG_OK;
}

static tg_rc
check_trailers(struct http_parser *p, struct str s, struct tg_err *err)
{
    struct str view = s;
    enum scan_result r;
    size_t used;

    if (view.n > p->head_max - p->head_n)
        view.n = p->head_max - p->head_n;
    r = scan_bytes(&p->scan, view, &used);
    if (r == SCAN_BAD || r == SCAN_MANY)
        return fail_scan(p, r, err);
    if (view.n < s.n)
        return fail(p, TG_ELIMIT, "the trailers are too large", err);
    p->head_n += used;
    return TG_OK;
}

/* One stop of llhttp: a chunk size, a span of data, the end, or the end of the input. */
static tg_rc
step_body(struct http_parser *p, struct str *input, struct tg_err *err)
{
    const char *start = input->p ? input->p : "";
    llhttp_errno_t e;
    size_t used;
    tg_rc rc = TG_OK;

    if (llhttp_get_errno(&p->ll) == HPE_PAUSED)
        llhttp_resume(&p->ll);
    p->data = (struct str){NULL, 0};
    p->at_size = p->between = false;
    e = llhttp_execute(&p->ll, start, input->n);
    used = e == HPE_OK ? input->n : (size_t)(llhttp_get_error_pos(&p->ll) - start);
    if (p->chunked && !p->data.n) {
        struct str framing = str_of(start, used);

        rc = p->in_trailers ? check_trailers(p, framing, err)
                            : check_chunk_line(p, framing, err);
    }
    if (rc != TG_OK)
        return rc;
    if (e != HPE_OK && e != HPE_PAUSED)
        return fail(p, TG_EPROTO, llhttp_get_error_reason(&p->ll), err);
    *input = str_from(*input, used);
    if (p->at_size) {
        p->chunk_line = 0;
        if (p->ll.content_length == 0) {
            p->in_trailers = true;
            scan_init(&p->scan, SCAN_TRAILERS);
        }
    }
    return TG_OK;
}

static int
hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A chunk that lies whole in front of the input, and is not the last one: its data. */
static bool
whole_chunk(struct str *input, struct str *ret_data)
{
    struct str in = *input;
    size_t i = 0, n = 0;
    int digit;

    for (; i < in.n && i < CHUNK_DIGITS && (digit = hex_value(in.p[i])) >= 0; i++)
        n = n << 4 | (size_t)digit;
    if (n == 0 || in.n < i + 2 + n + 2 || memcmp(in.p + i, "\r\n", 2) != 0 ||
        memcmp(in.p + i + 2 + n, "\r\n", 2) != 0)
        return false;
    *ret_data = str_of(in.p + i + 2, n);
    *input = str_from(in, i + 2 + n + 2);
    return true;
}

static tg_rc
feed_body(struct http_parser *p, struct str *input, enum http_step *ret_step,
          struct str *ret_data, struct tg_err *err)
{
    tg_rc rc;

    for (;;) {
        bool last = input->n == 0;

        if (p->between && last) {
            *ret_step = HTTP_NEED_MORE;
            return TG_OK;
        }
        if (p->between && whole_chunk(input, ret_data)) {
            *ret_step = HTTP_DATA;
            return TG_OK;
        }
        rc = step_body(p, input, err);
        if (rc != TG_OK)
            return rc;
        if (p->data.n) {
            *ret_data = p->data;
            *ret_step = HTTP_DATA;
            return TG_OK;
        }
        if (p->complete) {
            p->state = DONE;
            *ret_step = HTTP_END;
            return TG_OK;
        }
        if (last) {
            *ret_step = HTTP_NEED_MORE;
            return TG_OK;
        }
    }
}

tg_rc
http_parser_feed(struct http_parser *p, struct str *input, enum http_step *ret_step,
                 struct str *ret_data, struct tg_err *err)
{
    switch ((enum state)p->state) {
    case HEAD:
        return feed_head(p, input, ret_step, err);
    case BODY:
        return feed_body(p, input, ret_step, ret_data, err);
    case DONE:
        *ret_step = HTTP_END;
        return TG_OK;
    case FAILED:
        break;
    }
    return tell(p, err);
}

tg_rc
http_parser_eof(struct http_parser *p, enum http_step *ret_step, struct tg_err *err)
{
    if (p->state == FAILED)
        return tell(p, err);
    if (p->state == BODY && p->head.framing == HTTP_UNTIL_CLOSE)
        p->state = DONE;
    if (p->state == DONE) {
        *ret_step = HTTP_END;
        return TG_OK;
    }
    return tg_fail(err, TG_EGONE, TG_ERR_INVALID_REQUEST, "connection_closed",
                   "the connection was closed in the middle of a message");
}

struct http_head *
http_parser_head(struct http_parser *p)
{
    assert(p->state == BODY || p->state == DONE);
    return &p->head;
}

bool
http_parser_begun(const struct http_parser *p)
{
    return p->state != HEAD || scan_begun(&p->scan);
}
