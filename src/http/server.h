/* server.h -- requests in, on one client connection. */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "base/arena.h"
#include "base/buf.h"
#include "http/message.h"
#include "http/parser.h"
#include "net/sock.h"

struct http_in_conf {
    size_t head_max, body_max;
    co_time keep_alive_ns; /* idle before the first byte of a request          */
    co_time head_ns;       /* from its first byte to the end of the head       */
    co_time body_idle_ns;  /* between two reads of the body                    */
};

/* One request at a time: http_in_head, then http_in_body (or not), then http_in_next. */
struct http_in {
    struct sock *sock; /* not owned */
    const struct http_in_conf *conf;
    struct http_parser *parser;
    struct http_head *head;
    bool body_done;  /* the whole message has been read */
    bool continued;  /* 100 Continue was sent           */
    co_time t_first; /* first byte of this request      */
};

void http_in_init(struct http_in *in, struct sock *s, const struct http_in_conf *conf);

/* Reads the next request's head into the arena.  Errors: TG_EGONE (clean end between requests,
 * or idle for keep_alive_ns: close quietly; err->http is 0), TG_EDEADLINE with http 408,
 * TG_EPROTO 400 (417 for an expectation other than 100-continue), TG_ELIMIT 431, TG_ECANCELED
 * when a scope of the caller was cancelled or its deadline passed.  After an error the
 * connection must be closed (sock_linger first).  S */
TG_MUST_USE tg_rc http_in_head(struct http_in *in, struct arena *a, struct http_head **ret,
                               struct tg_err *err);
/* Reads the whole body into out, content codings undone; out's max must be conf->body_max.
 * Sends 100 Continue first if it was asked for.  A length that is too large is refused before
 * anything is read.  Errors: 413 "request_too_large", 415, 400, 408 "request_timeout" in
 * err->http; TG_EGONE, TG_ECANCELED.  After an error the connection must be closed.  S */
TG_MUST_USE tg_rc http_in_body(struct http_in *in, struct buf *out, struct tg_err *err);
/* Has a byte of the request that http_in_head waits for been read? */
bool http_in_begun(const struct http_in *in);
/* Leaves this request: what is unread of its body is read and dropped when it is small (64
 * KiB). False: the connection cannot be used again (or the request asked for its end).  S */
bool http_in_next(struct http_in *in);

#endif
