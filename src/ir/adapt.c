/* adapt.c -- the steps that fit a request to a model, in order, and the sink that undoes them.
 */
#include "ir/adapt.h"

tg_rc
ir_adapt_req(struct arena *a, const struct ir_req *req, const struct dialect_route *route,
             struct ir_req *ret, struct ir_adapt **ret_adapt, struct ir_drops *drops,
             struct tg_err *err)
{
    (void)a, (void)route, (void)drops, (void)err;
    *ret = *req;
    *ret_adapt = NULL;
    return TG_OK;
}

struct ir_sink *
ir_adapt_sink(struct ir_adapt *adapt, bool whole, struct ir_sink *next, struct tg_err *err)
{
    (void)adapt, (void)whole, (void)err;
    return next;
}

bool
ir_adapt_over(const struct ir_adapt *adapt)
{
    (void)adapt;
    return false;
}
