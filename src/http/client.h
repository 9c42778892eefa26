/* client.h -- one request to an upstream and its response.
 *
 *     http_call_init(&call, pool, &conf);
 *     rc = http_call_send(&call, &req, err);       request out, response head in
 *     while ((rc = http_call_read(&call, &piece, err)) == TG_OK && piece.n) ...
 *     http_call_fini(&call);
 */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include "base/arena.h"
#include "base/mem.h"
#include "http/coding.h"
#include "http/parser.h"
#include "net/pool.h"

struct http_call_conf {
    size_t head_max;       /* response head                                   */
    size_t inflated_max;   /* most bytes one read may inflate to              */
    co_time first_byte_ns; /* request sent to the response head; while a large request is being
                              sent, between two bursts of it                      */
    co_time idle_ns;       /* between two reads of the body                   */
};

struct http_request_out {
    struct str method, path; /* path with query */
    struct str host;         /* Host header */
    const struct http_header
        *headers; /* without Host, Content-Length, Connection, Accept-Encoding */
    unsigned n_headers;
    const struct str
        *body;  /* pieces, sent as one sized body; stay valid during http_call_send */
    int n_body; /* 0 = no body */
};

/* What every piece of a body looks at comes first, in two cache lines. */
struct http_call {
    _Alignas(MEM_LINE) const struct http_call_conf *conf;
    struct conn *conn;
    struct http_parser *parser;
    struct coding *coding;  /* NULL = identity                               */
    struct str piece;       /* read from conn, not yet parsed                */
    struct str out;         /* decoded, not yet returned                     */
    struct str coded;       /* parsed, not yet decoded                       */
    size_t pending_consume; /* parsed, not yet given back to conn            */
    co_time until;          /* no read of the body waits longer              */
    uint64_t bytes_in;
    bool dry;    /* all that was received has been parsed         */
    bool ended;  /* the response is complete                      */
    bool spoilt; /* the connection cannot be used again           */
    bool reused, retried;

    struct pool *pool;
    struct arena arena;     /* parser, response head                            */
    struct http_head *head; /* without Content-Encoding and Content-Length when coded */
    struct buf inflated;    /* what the last slice of a coded body gave      */
    co_time keep_ns;        /* idle lifetime the peer allows, 0 = the pool's */
    uint64_t bytes_out;
    co_time t_sent, t_first; /* request queued; first byte of the response   */
};
_Static_assert(offsetof(struct http_call, pool) <= 2 * MEM_LINE, "the lines are as said");

/* pool and conf are borrowed until http_call_fini. */
void http_call_init(struct http_call *c, struct pool *pool, const struct http_call_conf *conf);

/* Sends the request on a pooled connection and reads the response head; 1xx are skipped (a
 * bounded number).  A pooled connection that turns out dead before any byte of the response
 * came is replaced once by a fresh one.  Asks for identity. A response that comes before the
 * request has been sent is returned too; with an error status the rest of the request is then
 * not sent.  Errors, kind upstream unless noted: those of pool_get; "upstream_closed",
 * "upstream_protocol" (garbage, head too large, 101), timeout kind "upstream_timeout";
 * TG_EINVAL, kind internal, "invalid_upstream_request" for a method, path or header that must
 * not be sent; TG_ECANCELED when a scope of the caller was cancelled or its deadline passed.
 * After an error only http_call_fini may follow.  S */
TG_MUST_USE tg_rc http_call_send(struct http_call *c, const struct http_request_out *req,
                                 struct tg_err *err);
/* The next body bytes, decoded; n 0 is the end of a complete body.  Borrowed until the next
 * call of this, http_call_ready, http_call_release or http_call_fini.  Errors as above;
 * "upstream_truncated" when the body ends early, "upstream_protocol" when it is not what its
 * framing or coding says, "upstream_too_large" (TG_ELIMIT) past inflated_max.  S */
TG_MUST_USE tg_rc http_call_read(struct http_call *c, struct str *ret, struct tg_err *err);
/* No read of the body waits past that time, whatever conf allows between two of them: it fails
 * with "upstream_timeout". */
void http_call_until(struct http_call *c, co_time until);
/* The next http_call_read will return without waiting: bytes, the end or an error lie in what
 * has been received.  What has not been taken from the kernel yet does not count. */
bool http_call_ready(struct http_call *c);
/* Gives the memory of what has been received back to the connection, for a caller that will
 * wait for something else than the upstream.  False, and nothing done: there is more to read
 * without waiting. */
bool http_call_release(struct http_call *c);
/* Reads the whole body into out (its max is the bound: TG_ELIMIT, "upstream_too_large").  S */
TG_MUST_USE tg_rc http_call_read_all(struct http_call *c, struct buf *out, struct tg_err *err);
/* The caller has all it wants of the body: reads what may still come of it, until that time at
 * most, so that the connection can be kept.  What comes, and how, is nobody's concern; a caller
 * whose scopes have been cancelled goes on all the same.  S */
void http_call_settle(struct http_call *c, co_time until);
/* Connection back to the pool when the response was complete and it may be used again, else
 * closed at once.  Does not suspend. */
void http_call_fini(struct http_call *c);

#endif
