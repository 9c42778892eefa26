/* reply.h -- one response out, on a client connection. */
#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H

#include "http/message.h"
#include "net/sock.h"
#include "triglot/err.h"

enum { REPLY_HEAD_MAX = 16384 };

struct reply {
    struct sock *sock; /* not owned */
    uint64_t body_bytes;
    uint16_t status;
    bool http10 : 1, head_only : 1; /* from the request; head_only: answer to HEAD   */
    bool close : 1;                 /* announce and expect the end of the connection */
    bool started : 1, ended : 1;    /* head queued; body complete                    */
    bool chunked : 1, until_close : 1;
};

/* req NULL: the request could not be read; answers as HTTP/1.1 and closes. */
void reply_init(struct reply *r, struct sock *s, const struct http_head *req);

/* A whole response: status line, Date, Content-Length, Connection, the given headers, body
 * (body is left out for HEAD, 204, 304).  S */
TG_MUST_USE tg_rc reply_whole(struct reply *r, unsigned status, const struct http_header *h,
                              unsigned n, struct str body);
/* Head of a response whose length is not known: chunked, for HTTP/1.0 until close.  Queued at
 * once, never suspends. */
TG_MUST_USE tg_rc reply_start(struct reply *r, unsigned status, const struct http_header *h,
                              unsigned n);
/* Body bytes, one chunk for all pieces together; empty ones write nothing.  TG_EGONE is the
 * only error.  S (back-pressure; see reply_wait) */
TG_MUST_USE tg_rc reply_write(struct reply *r, const struct str *v, int n);
/* The same without suspending: for timers, and for bytes whose memory is to be let go before
 * waiting. */
TG_MUST_USE tg_rc reply_write_now(struct reply *r, struct str bytes);
/* The back-pressure of reply_write.  Not told when the caller is cancelled, which its next call
 * that waits will be: what is queued has been said, and must not be followed by an error when
 * it was the end.  S */
TG_MUST_USE tg_rc reply_wait(struct reply *r);
/* The terminating chunk.  Not called after a failure: then the body stays unterminated and the
 * connection is closed.  Queued at once, never suspends: behind it nothing more can be told, so
 * nobody may be stopped there. */
TG_MUST_USE tg_rc reply_end(struct reply *r);

/* Header values that hold CR, LF or NUL are left out of a reply, never sent. */

#endif
