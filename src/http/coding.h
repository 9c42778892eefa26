/* coding.h -- content codings (RFC 9110 section 8.4.1): gzip, deflate, br, zstd, identity;
 * stacked ones too.  Incremental; the inflated size is bounded and looked at after every 64
 * KiB. */
#ifndef HTTP_CODING_H
#define HTTP_CODING_H

#include "base/buf.h"
#include "http/message.h"
#include "triglot/err.h"

struct coding;

/* value: a Content-Encoding list such as "zstd" or "gzip, br" (at most 3).  *ret is NULL when
 * it comes to nothing (identity).  Unknown: TG_EINVAL, http 415, code
 * "unsupported_content_encoding". */
TG_MUST_USE tg_rc coding_new(struct str value, struct coding **ret, struct tg_err *err);
/* The same for all Content-Encoding fields of a head. */
TG_MUST_USE tg_rc coding_of(const struct http_head *h, struct coding **ret, struct tg_err *err);
void coding_free(struct coding *c); /* accepts NULL */
/* Decodes all of `in`, appending to out (whose max is the bound).  TG_ELIMIT past it (http 413,
 * code "request_too_large"), TG_EPROTO for corrupt data (http 400, code
 * "invalid_content_encoding"); out then holds what came before,
 * and every later call fails too.  Does not suspend: the time it
 * takes is bounded by what `in` can inflate to, so callers pass slices of CODING_SLICE bytes
 * and let others run in between. */
enum { CODING_SLICE = 1024 };
TG_MUST_USE tg_rc coding_feed(struct coding *c, struct str in, struct buf *out,
                              struct tg_err *err);
/* The input has ended: TG_EPROTO when the coded stream has not.  No input at all
 * is an empty body, which some peers label with a coding. */
TG_MUST_USE tg_rc coding_end(struct coding *c, struct tg_err *err);

#endif
