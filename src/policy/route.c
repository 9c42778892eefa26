/* route.c -- the model table, searched in order.
 *
 * Names without a star are looked at first, so that a file may list patterns and exceptions in
 * any order.  Of the patterns that match, the one with the most bytes that are no stars says
 * the most about the name; of equals the first in the file.
 */
#include "policy/route.h"

static size_t
literal_bytes(struct str pattern)
{
    size_t n = 0;

    for (size_t i = 0; i < pattern.n; i++)
        n += pattern.p[i] != '*';
    return n;
}

static bool
is_pattern(struct str name)
{
    return str_find(name, '*') < name.n;
}

static const struct model_settings *
best(const struct settings *s, struct str model)
{
    const struct model_settings *found = NULL;
    size_t found_n = 0;

    for (unsigned i = 0; i < s->n_models; i++) {
        const struct model_settings *m = &s->models[i];
        size_t n;

        if (!is_pattern(m->name)) {
            if (str_eq(m->name, model))
                return m;
            continue;
        }
        n = literal_bytes(m->name);
        if ((!found || n > found_n) && str_glob(m->name, model)) {
            found = m;
            found_n = n;
        }
    }
    return found;
}

tg_rc
route_find(const struct settings *s, struct str model, struct route *ret, struct tg_err *err)
{
    const struct model_settings *m = best(s, model);

    if (!m) {
        struct str shown = model.n > 128 ? str_of(model.p, 128) : model;

        tg_fail(err, TG_ENOTFOUND, TG_ERR_NOT_FOUND, "model_not_found",
                "the model \"%.*s%s\" does not exist here", STR_ARG(shown),
                model.n > shown.n ? "..." : "");
        if (err) {
            err->origin = TG_FROM_CLIENT;
            snprintf(err->param, sizeof err->param, "model");
        }
        return TG_ENOTFOUND;
    }
    *ret = (struct route){.upstream = m->upstream,
                          .model = m->model.n ? m->model : model,
                          .strict = m->strict,
                          .max_tokens = m->max_tokens,
                          .server = m->upstream->server,
                          .caps = {&m->upstream->caps, &m->caps},
                          .params = m->rules,
                          .n_params = m->n_parameters};
    return TG_OK;
}

void
route_caps(const struct route *r, struct ir_caps *caps)
{
    for (size_t i = 0; i < sizeof r->caps / sizeof r->caps[0]; i++) {
        if (r->caps[i])
            caps_apply(r->caps[i], caps);
    }
}
