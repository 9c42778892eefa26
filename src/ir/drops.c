/* drops.c -- the list of what an encoder could not carry.
 *
 * A name is noted once however often the field stands in the request.  The list is short, so it
 * is searched from the front.  Names are borrowed: literals, or texts of the exchange's arena.
 */
#include "ir/drops.h"

void
ir_drop(struct ir_drops *d, struct str name)
{
    for (unsigned i = 0; i < d->n; i++)
        if (str_eq(d->name[i], name))
            return;
    if (d->n == IR_DROPS_MAX)
        d->more = true;
    else
        d->name[d->n++] = name;
}

tg_rc
ir_drop_or_refuse(const struct dialect_route *route, struct ir_drops *drops, struct tg_err *err,
                  struct str name)
{
    char param[sizeof err->param];
    size_t n = name.n < sizeof param ? name.n : sizeof param - 1;

    if (!route->strict) {
        ir_drop(drops, name);
        return TG_OK;
    }
    if (n)
        memcpy(param, name.p, n);
    param[n] = '\0';
    return tg_refuse(err, "unsupported_parameter", param,
                     "the upstream of this model has no equivalent of %s, and the route is "
                     "strict",
                     param);
}
