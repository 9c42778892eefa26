/* clock.h -- wall time for people and for headers.  Timeouts use co_now() (co/co.h), never
 * this. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#include "triglot/str.h"

#define NS_PER_S  INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)

int64_t clock_wall_ns(void);      /* CLOCK_REALTIME, Unix epoch */
int64_t clock_monotonic_ns(void); /* CLOCK_MONOTONIC; co layer and start-up only */

/* RFC 3339, UTC, milliseconds: "2026-11-21T10:31:43.123Z"; 24 bytes and NUL. */
void clock_rfc3339(int64_t wall_ns, char out[25]);
/* RFC 9110 section 5.6.7 IMF-fixdate: "Sat, 21 Nov 2026 10:31:43 GMT"; 29 bytes and NUL. */
void clock_http_date(int64_t wall_ns, char out[30]);

#endif
