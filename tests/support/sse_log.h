/* sse_log.h -- what the SSE reader makes of a stream, as text, for any way of cutting it. */
#ifndef SUPPORT_SSE_LOG_H
#define SUPPORT_SSE_LOG_H

#include "base/buf.h"

/* Reads the stream in the pieces that the ascending cuts make, each in an allocation of its
 * own. Appends one line a record to log, and all raws one behind the other to raws (may be
 * NULL). Returns TG_OK or the reader's failure. */
tg_rc sse_log(struct buf *log, struct buf *raws, struct str stream, size_t record_max,
              const size_t *cuts, size_t n_cuts);
/* Are the raws the stream, save for its BOM and for each LF behind a CR that ends a record at a
 * cut? */
bool sse_raws_ok(struct str raws, struct str stream, const size_t *cuts, size_t n_cuts);

#endif
