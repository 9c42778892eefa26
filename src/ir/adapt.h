/* adapt.h -- a request fitted to what a model can take, and its answer fitted back.
 *
 * Between two dialects stands, besides the words, what the model behind the route knows at all
 * (triglot/caps.h).  What it lacks is expressed by what it has, and undone in the answer, so
 * that neither the client nor the codecs notice:
 *
 *   free-form tools   become functions with one text parameter, and back    lower.c, unwrap.c
 *   client-run tools  of another provider (bash, shell) become functions    lower.c
 *   tool names        too long or not legal are replaced, and restored      name.c
 *   stop sequences    beyond those it takes are looked for in the answer    stop.c
 *   calls, results    are paired                                            pair.c
 *   forms of answer   it cannot be held to are asked for in words           format.c
 */
#ifndef IR_ADAPT_H
#define IR_ADAPT_H

#include "base/arena.h"
#include "triglot/dialect.h"

struct ir_adapt;

/* *ret is req, changed where route->caps asks for it; what is not changed is shared with req,
 * which must outlive it.  `to` is the name of the upstream's dialect: tools of its own provider
 * stay what they are.  *ret_adapt is what the answer needs, NULL when it needs nothing; both in
 * the arena.  What is lost goes into drops; TG_EINVAL as dialect.encode_req: what would change
 * the meaning, and drops on a strict route. */
TG_MUST_USE tg_rc ir_adapt_req(struct arena *a, const struct ir_req *req, const char *to,
                               const struct dialect_route *route, struct ir_req *ret,
                               struct ir_adapt **ret_adapt, struct ir_drops *drops,
                               struct tg_err *err);

/* The sink to put an answer's events into, so that next sees them as the client's request has
 * it; stands behind the grammar checker.  `adapt` may be NULL: then next itself.  Once for each
 * answer; calling it again begins anew.  whole: the answer has arrived at once, so reading on
 * after a stop sequence costs nothing and brings the usage.  Suspends where next does. */
struct ir_sink *ir_adapt_sink(struct ir_adapt *adapt, bool whole, struct ir_sink *next);
/* The answer has been ended here (a stop sequence came): IR_EV_END has been put, the upstream
 * need not be read any further.  `adapt` may be NULL. */
bool ir_adapt_over(const struct ir_adapt *adapt);

#endif
