/* parameters.c -- a route's own rules, applied to the body that is about to be sent.
 *
 * The rules speak of the upstream's fields, so they come last, after translation; and they hold
 * for relayed bodies too, which without rules are not touched.
 */
#include "api/parameters.h"

#include "policy/param.h"

tg_rc
parameters_apply(struct exchange *x, const struct route *route, struct buf *body)
{
    struct buf changed;
    tg_rc rc;

    if (route->n_params == 0)
        return TG_OK;
    if (!x->drops)
        x->drops = arena_new(&x->arena, struct ir_drops);
    buf_init(&changed, body->max);
    rc = param_apply(route->params, route->n_params, route->strict, buf_str(body), &changed,
                     x->drops, &x->err);
    if (rc != TG_OK) {
        buf_fini(&changed);
        return rc;
    }
    buf_fini(body);
    *body = changed;
    return TG_OK;
}
