/* drops.c -- the list of what an encoder could not carry.
 *
 * A name is noted once however often the field stands in the request.  The list is short, so it
 * is searched from the front.  Names may be a client's own words (fields that nobody knows),
 * and the list goes into a header: so each is cut to a bound, and what a header's value or a
 * list of names cannot hold becomes a question mark.
 */
#include "ir/drops.h"

static bool
is_plain(char c)
{
    return c > ' ' && c <= '~' && c != ',';
}

void
ir_drop(struct ir_drops *d, struct str name)
{
    char clean[IR_DROP_BYTES_MAX];
    size_t n = name.n < sizeof clean ? name.n : sizeof clean;
    char *to = d->text + d->n_text;

    for (size_t i = 0; i < n; i++)
        clean[i] = is_plain(name.p[i]) ? name.p[i] : '?';
    for (unsigned i = 0; i < d->n; i++)
        if (str_eq(d->name[i], str_of(clean, n)))
            return;
    if (d->n == IR_DROPS_MAX || n > sizeof d->text - d->n_text) {
        d->more = true;
        return;
    }
    if (n)
        memcpy(to, clean, n);
    d->name[d->n++] = str_of(to, n);
    d->n_text += (unsigned)n;
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
