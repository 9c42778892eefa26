/* models.c -- the models that the configuration names.
 *
 * The list has the names without a wildcard; a single model is looked up as a request's would
 * be, so a name that a pattern serves is found too.
 */
#include "api/endpoints.h"
#include "policy/route.h"

enum { LIST_BYTES_MAX = 4 * 1024 * 1024 };

typedef tg_rc encode_fn(struct exchange *x, const struct ir_model *v, unsigned n,
                        struct buf *out);

static tg_rc
answer(struct exchange *x, encode_fn *encode, const struct ir_model *v, unsigned n)
{
    struct buf body;
    tg_rc rc;

    buf_init(&body, LIST_BYTES_MAX);
    rc = encode(x, v, n, &body);
    if (rc == TG_OK)
        rc = exchange_answer(x, 200, STR("application/json"), buf_str(&body));
    buf_fini(&body);
    return rc;
}

static tg_rc
encode_list(struct exchange *x, const struct ir_model *v, unsigned n, struct buf *out)
{
    return x->dialect->encode_models(v, n, out);
}

static tg_rc
encode_one(struct exchange *x, const struct ir_model *v, unsigned n, struct buf *out)
{
    (void)n;
    return x->dialect->encode_model(v, out);
}

tg_rc
api_models(struct exchange *x)
{
    const struct settings *s = x->settings;
    struct ir_model *v = arena_array(&x->arena, struct ir_model, s->n_models);
    unsigned n = 0;

    for (unsigned i = 0; i < s->n_models; i++) {
        const struct model_settings *m = &s->models[i];

        if (str_find(m->name, '*') == m->name.n)
            v[n++] = (struct ir_model){
                .id = m->name, .owner = m->upstream->name, .created = s->loaded_at_s};
    }
    return answer(x, encode_list, v, n);
}

tg_rc
api_model(struct exchange *x)
{
    struct ir_model m = {.created = x->settings->loaded_at_s};
    struct route route;
    tg_rc rc;

    rc = endpoint_tail(x, &m.id);
    if (rc == TG_OK)
        rc = route_find(x->settings, m.id, &route, &x->err);
    if (rc != TG_OK)
        return rc;
    m.owner = route.upstream->name;
    return answer(x, encode_one, &m, 1);
}
