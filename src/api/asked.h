/* asked.h -- the dialect of a request, and the one that its client wants to be answered in. */
#ifndef API_ASKED_H
#define API_ASKED_H

#include "api/exchange.h"

/* The dialect of the answer: by the request header x-response-format, else that of the path.
 * TG_EINVAL when the header names none. */
TG_MUST_USE tg_rc asked_answer(struct exchange *x, const struct dialect **ret);

/* Decodes x->body, in the dialect that it was asked in; ret borrows from the body and lies in
 * a. Errors: those of dialect.decode_req, and TG_EINVAL when the dialect of the answer cannot
 * hold what was asked for. */
TG_MUST_USE tg_rc asked_decode(struct exchange *x, struct arena *a, struct ir_req *ret);

#endif
