/* simulate.h -- requests that the simulated model answers. */
#ifndef API_SIMULATE_H
#define API_SIMULATE_H

#include "api/exchange.h"
#include "policy/route.h"

/* Lets the simulated model answer x->body.  S */
TG_MUST_USE tg_rc simulate_run(struct exchange *x, enum dialect_call call,
                               const struct route *route);

#endif
