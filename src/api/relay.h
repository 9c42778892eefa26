/* relay.h -- a request and its answer passed through to an upstream of the client's own
 * dialect. */
#ifndef API_RELAY_H
#define API_RELAY_H

#include "api/exchange.h"
#include "base/clock.h"

/* Sends the body of `view` with the model replaced, and passes the answer on, whole or
 * streamed. x->body is let go as soon as it has been sent.  Failures are in x->err.  S */
TG_MUST_USE tg_rc relay_run(struct exchange *x, struct upstream *u,
                            const struct dialect_view *view, struct str model);

/* How long a finished stream's connection may take to end its body and so earn its way back to
 * the pool. */
#define RELAY_TAIL_NS (50 * NS_PER_MS)

/* A 2xx response of the wrong content type is an error: an event stream for streams, JSON
 * otherwise. */
TG_MUST_USE tg_rc relay_check_type(struct exchange *x, const struct http_head *head,
                                   bool stream);

#endif
