/* translate.h -- a request and its answer through an upstream of another dialect. */
#ifndef API_TRANSLATE_H
#define API_TRANSLATE_H

#include "api/exchange.h"
#include "http/sse.h"
#include "policy/route.h"

/* Decodes x->body by the dialect it was asked in, asks the upstream in its own, tells the
 * answer in the one that the client wants.  What could not be carried is in x->drops.  S */
TG_MUST_USE tg_rc translate_run(struct exchange *x, struct upstream *u,
                                const struct route *route);

/* Decodes every record that the input of sse completes so far.  *ret_over: the dialect's last
 * one was among them.  Errors: those of sse_next and decode_record, in dec->err. */
TG_MUST_USE tg_rc translate_records(const struct dialect *from, struct dialect_dec *dec,
                                    struct sse *sse, bool *ret_over);

#endif
