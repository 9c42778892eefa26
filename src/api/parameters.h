/* parameters.h -- a route's own rules about the fields of its upstream's requests. */
#ifndef API_PARAMETERS_H
#define API_PARAMETERS_H

#include "api/exchange.h"
#include "policy/route.h"

/* Replaces body, a JSON object in the upstream's dialect, by what the rules make of it; what
 * they drop is noted in x->drops.  TG_EINVAL (x->err filled): a rule refuses a field; body is
 * as it was. */
TG_MUST_USE tg_rc parameters_apply(struct exchange *x, const struct route *route,
                                   struct buf *body);

#endif
