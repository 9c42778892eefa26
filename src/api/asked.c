/* asked.c -- a client may ask in one dialect and be answered in another.
 *
 * The path says what the request is in; a header may name another dialect for the answer: one
 * that knows more kinds of events, or one that the code behind the client reads better.  From
 * then on x->dialect is that of the answer, and everything that is told, errors included, is
 * told in it.
 */
#include "api/asked.h"

#define HEADER "x-response-format"

static tg_rc
refuse_name(struct exchange *x)
{
    struct str list = {NULL, 0};

    for (const struct dialect *const *d = dialect_all(); *d; d++)
        list =
            arena_printf(&x->arena, "%.*s%s%s", STR_ARG(list), list.n ? ", " : "", (*d)->name);
    return tg_refuse(&x->err, "invalid_value", HEADER, "'" HEADER "': must be one of %.*s",
                     STR_ARG(list));
}

tg_rc
asked_answer(struct exchange *x, const struct dialect **ret)
{
    struct str name = http_header_get(x->req, STR(HEADER));
    const struct dialect *d = name.n ? dialect_find(name) : x->dialect;

    if (!d)
        return refuse_name(x);
    *ret = d;
    return TG_OK;
}

tg_rc
asked_decode(struct exchange *x, struct arena *a, struct ir_req *ret)
{
    tg_rc rc = x->asked_in->decode_req(a, buf_str(&x->body), ret, &x->err);

    if (rc == TG_OK && ret->choices > 1 && x->dialect != x->asked_in && x->dialect->one_choice)
        rc = tg_refuse(&x->err, "unsupported_value", HEADER,
                       "'" HEADER "': an answer in the %s dialect holds one choice, not %u",
                       x->dialect->name, ret->choices);
    return rc;
}
