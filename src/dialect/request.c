/* request.c -- the two steps from a client's request to an upstream's body: the hub fits it to
 * what the model can take, the upstream's dialect writes it.
 *
 * They stand together here so that live traffic, conversion without a call and the tests cannot
 * differ.
 */
#include "dialect/request.h"

tg_rc
dialect_put_request(struct arena *a, const struct dialect *to, const struct ir_req *req,
                    const struct dialect_route *route, struct buf *b,
                    struct ir_adapt **ret_adapt, struct ir_drops *drops, struct tg_err *err)
{
    struct ir_adapt *adapt = NULL;
    struct ir_req fitted;
    tg_rc rc = ir_adapt_req(a, req, to->name, route, &fitted, &adapt, drops, err);

    if (rc == TG_OK)
        rc = to->encode_req(a, &fitted, route, b, drops, err);
    if (rc == TG_OK)
        *ret_adapt = adapt;
    return rc;
}
