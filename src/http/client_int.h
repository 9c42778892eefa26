/* client_int.h -- what client.c and client_send.c share. */
#ifndef HTTP_CLIENT_INT_H
#define HTTP_CLIENT_INT_H

#include "http/client.h"

/* Fill *err and return rc: for what an upstream did; for a response that the parser or a
 * decoder refused (its words are kept, its code is not); for a caller that was cancelled. */
tg_rc call_fail(struct tg_err *err, tg_rc rc, const char *code, const char *what);
tg_rc call_bad_response(struct tg_err *err, tg_rc rc, const char *code);
tg_rc call_cancelled(struct tg_err *err);

/* Closes the connection and forgets what it lent. */
void call_drop_conn(struct http_call *c);
/* The next piece from the connection, if one comes until then; at its end piece stays empty.
 * The failure is the connection's.  S */
tg_rc call_receive(struct http_call *c, co_time until, struct tg_err *err);
/* One step of the parser over the piece. */
tg_rc call_parse(struct http_call *c, enum http_step *step, struct str *data,
                 struct tg_err *err);
/* Makes something to return out of what has been received: out, or ended.  Neither: more must
 * be received.  Does not suspend. */
tg_rc call_fill(struct http_call *c, struct tg_err *err);

#endif
