/* answer.h -- an answer that is made as events (ir.h) and told in the client's dialect. */
#ifndef API_ANSWER_H
#define API_ANSWER_H

#include "api/exchange.h"
#include "policy/route.h"

/* Lets the simulated model answer x->body.  S */
TG_MUST_USE tg_rc answer_sim(struct exchange *x, enum dialect_call call,
                             const struct route *route);

#endif
