/* http_log.h -- what the HTTP parser makes of bytes, as text, for any way of cutting them. */
#ifndef SUPPORT_HTTP_LOG_H
#define SUPPORT_HTTP_LOG_H

#include "base/buf.h"

enum http_log_kind { HTTP_LOG_REQUEST, HTTP_LOG_RESPONSE, HTTP_LOG_TO_HEAD };

enum { HTTP_LOG_HEAD_MAX = 4096 };

/* Reads messages one behind the other until the bytes or the first failure.  cuts are ascending
 * offsets.  Every piece lies in an allocation of its own that is freed before the next, so that
 * a sanitizer sees a str that outlives its piece.  Appends to log; returns the http status of
 * the failure, or 0. */
unsigned http_log(struct buf *log, enum http_log_kind kind, struct str bytes,
                  const size_t *cuts, unsigned n_cuts);
/* The same, cut behind every byte. */
unsigned http_log_bytewise(struct buf *log, enum http_log_kind kind, struct str bytes);

#endif
