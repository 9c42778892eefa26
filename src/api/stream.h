/* stream.h -- a client's event stream: commit barrier, heartbeats, write timeout. */
#ifndef API_STREAM_H
#define API_STREAM_H

#include "api/exchange.h"

/* Arms the exchange's pulse: from now on a client that takes nothing for write_timeout is
 * dropped and, once x->streaming is set, a heartbeat goes out whenever nothing else has for the
 * interval. The interval counts from x->t_start.  stream_pulse_stop before x goes. */
void stream_pulse_start(struct exchange *x);
void stream_pulse_stop(struct exchange *x);

/* Sends status and headers of an event stream if that has not happened (the first meaningful
 * event, or a heartbeat).  h adds headers; may be NULL.  Does not suspend. */
TG_MUST_USE tg_rc stream_commit(struct exchange *x, const struct http_header *h, unsigned n);
/* Whole records.  Commits if needed.  S (back-pressure) */
TG_MUST_USE tg_rc stream_write(struct exchange *x, struct str records);
/* The two halves of that: takes the records without suspending; waits while many are unsent. In
 * between the memory that they lie in can be let go.  The second is S. */
TG_MUST_USE tg_rc stream_queue(struct exchange *x, struct str records);
TG_MUST_USE tg_rc stream_wait(struct exchange *x);
/* The clean end.  Does not suspend. */
TG_MUST_USE tg_rc stream_end(struct exchange *x);

#endif
