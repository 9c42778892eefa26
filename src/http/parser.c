/* parser.c -- HTTP/1 messages out of bytes.
 *
 * A head is gathered whole before it is understood: scan.c finds its end and checks its shape
 * as the bytes come, then llhttp reads all of it in one go (strict, no leniency flag is ever
 * set), then head.c decides on what llhttp leaves open: version, target, Host, lengths,
 * connection.  A message passes only when all of them agree on it.
 *
 * The body is parser_body.c's.
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

#include "http/head.h"
#include "http/parser_int.h"

enum { GATHER_FIRST = 512 };

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

tg_rc
parser_fail(struct http_parser *p, tg_rc rc, const char *why, struct tg_err *err)
{
    p->state = PARSER_FAILED;
    p->rc = rc;
    p->http = rc == TG_ELIMIT ? 431 : 400;
    p->why = why ? why : "not HTTP/1";
    return tell(p, err);
}

tg_rc
parser_fail_scan(struct http_parser *p, enum scan_result r, struct tg_err *err)
{
    if (r == SCAN_MANY)
        return parser_fail(p, TG_ELIMIT, "too many header fields", err);
    return parser_fail(p, TG_EPROTO, p->scan.why, err);
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
        return parser_fail(p, TG_EPROTO, llhttp_get_error_reason(&p->ll), err);
    if (h->n_headers != p->scan.fields)
        return parser_fail(p, TG_EPROTO, "ambiguous header fields", err);
    while (str_starts(raw, STR("\r\n")))
        raw = str_from(raw, 2);
    line = str_of(raw.p, str_find(raw, '\r'));
    why = p->request ? head_request(h, line) : head_response(h, line, p->to_head);
    if (why)
        return parser_fail(p, TG_EPROTO, why, err);
    if (p->complete !=
        (h->framing == HTTP_NO_BODY || (h->framing == HTTP_SIZED && h->length == 0)))
        return parser_fail(p, TG_EPROTO, "ambiguous length of the body", err);
    p->chunked = h->framing == HTTP_CHUNKED;
    p->state = p->complete ? PARSER_DONE : PARSER_BODY;
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
        return parser_fail_scan(p, r, err);
    if (r == SCAN_MORE && view.n < input->n)
        return parser_fail(p, TG_ELIMIT, "the head is too large", err);
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

tg_rc
http_parser_feed(struct http_parser *p, struct str *input, enum http_step *ret_step,
                 struct str *ret_data, struct tg_err *err)
{
    switch ((enum parser_state)p->state) {
    case PARSER_HEAD:
        return feed_head(p, input, ret_step, err);
    case PARSER_BODY:
        return parser_feed_body(p, input, ret_step, ret_data, err);
    case PARSER_DONE:
        *ret_step = HTTP_END;
        return TG_OK;
    case PARSER_FAILED:
        break;
    }
    return tell(p, err);
}

tg_rc
http_parser_eof(struct http_parser *p, enum http_step *ret_step, struct tg_err *err)
{
    if (p->state == PARSER_FAILED)
        return tell(p, err);
    if (p->state == PARSER_BODY && p->head.framing == HTTP_UNTIL_CLOSE)
        p->state = PARSER_DONE;
    if (p->state == PARSER_DONE) {
        *ret_step = HTTP_END;
        return TG_OK;
    }
    return tg_fail(err, TG_EGONE, TG_ERR_INVALID_REQUEST, "connection_closed",
                   "the connection was closed in the middle of a message");
}

struct http_head *
http_parser_head(struct http_parser *p)
{
    assert(p->state == PARSER_BODY || p->state == PARSER_DONE);
    return &p->head;
}

bool
http_parser_begun(const struct http_parser *p)
{
    return p->state != PARSER_HEAD || scan_begun(&p->scan);
}
