/* request.h -- a client's request as the body for an upstream of any dialect. */
#ifndef DIALECT_REQUEST_H
#define DIALECT_REQUEST_H

#include "ir/adapt.h"

/* Fits req to route->caps (ir/adapt.h) and writes it in the words of `to`.  *ret_adapt turns
 * the answer back, NULL when there is nothing to turn.  Borrows req, which must outlive
 * *ret_adapt; errors and drops as dialect.encode_req. */
TG_MUST_USE tg_rc dialect_put_request(struct arena *a, const struct dialect *to,
                                      const struct ir_req *req,
                                      const struct dialect_route *route, struct buf *b,
                                      struct ir_adapt **ret_adapt, struct ir_drops *drops,
                                      struct tg_err *err);

#endif
