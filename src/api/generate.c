/* generate.c -- endpoints that let a model work, in each dialect; embeddings.
 *
 * The body is read whole, because the model named in it decides the route.  Then: the simulated
 * model answers by events; an upstream of the client's dialect is relayed; to any other, and
 * for an answer in another, the hub translates.
 */
#include "api/asked.h"
#include "api/endpoints.h"
#include "api/parameters.h"
#include "api/relay.h"
#include "api/simulate.h"
#include "api/translate.h"
#include "policy/route.h"
#include "json/scan.h"

/* The body with "stream": true in the place of whatever it says; all dialects call it so.  What
 * is not an object is left for the dialect to refuse. */
static tg_rc
ask_for_stream(struct exchange *x)
{
    struct json_member m;
    struct json_iter it;
    struct buf body;
    tg_rc rc;

    if (json_check(buf_str(&x->body), JSON_DEPTH_MAX, NULL) != TG_OK ||
        json_object(&it, buf_str(&x->body)) != TG_OK)
        return TG_OK;
    buf_init(&body, x->body.max);
    rc = buf_append(&body, STR("{\"stream\":true"));
    while (rc == TG_OK && json_next(&it, &m)) {
        if (json_key_is(m.key, STR("stream")))
            continue;
        rc = buf_putc(&body, ',');
        if (rc == TG_OK)
            rc = buf_append(&body, m.whole);
    }
    if (rc == TG_OK)
        rc = buf_putc(&body, '}');
    if (rc != TG_OK) {
        buf_fini(&body);
        return tg_fail(&x->err, rc, TG_ERR_TOO_LARGE, "request_too_large",
                       "the request body is as large as it may be");
    }
    buf_fini(&x->body);
    x->body = body;
    return TG_OK;
}

static tg_rc
generate(struct exchange *x, enum dialect_call call)
{
    const struct dialect *asked_in = x->dialect, *answer = asked_in;
    struct dialect_view view = {0};
    struct route route;
    struct upstream *u;
    tg_rc rc;

    rc = exchange_body(x);
    if (rc == TG_OK && call == DIALECT_GENERATE)
        rc = asked_answer(x, &answer);
    if (rc == TG_OK && x->must_stream)
        rc = ask_for_stream(x);
    if (rc == TG_OK)
        rc = asked_in->scan_req(&x->arena, call, buf_str(&x->body), &view, &x->err);
    if (rc != TG_OK)
        return rc;
    x->asked_in = asked_in;
    x->dialect = answer;
    x->model = arena_dup(&x->arena, view.model);
    rc = route_find(x->settings, x->model, &route, &x->err);
    if (rc != TG_OK)
        return rc;
    u = upstream_get(x->set, route.upstream);
    x->t_routed = co_now();
    x->provider = u->conf->name;
    x->provider_model = route.model;
    x->streaming = view.stream;
    if (u->conf->kind == UPSTREAM_SIM)
        return simulate_run(x, call, &route);
    x->provider_dialect = u->dialect->name;
    if (!u->dialect->upstream_path[call])
        return tg_refuse(
            &x->err, "unsupported_route", "model",
            "model \"%.*s\" is served by upstream \"%.*s\", whose %s dialect has no "
            "such call",
            x->model.n < 64 ? (int)x->model.n : 64, x->model.p, STR_ARG(u->conf->name),
            u->dialect->name);
    if (call == DIALECT_GENERATE && (u->dialect != asked_in || u->dialect != answer))
        return translate_run(x, u, &route);
    if (route.n_params) {
        rc = parameters_apply(x, &route, &x->body);
        if (rc == TG_OK)
            rc = x->dialect->scan_req(&x->arena, call, buf_str(&x->body), &view, &x->err);
        if (rc != TG_OK)
            return rc;
    }
    return relay_run(x, u, &view, route.model);
}

tg_rc
api_generate(struct exchange *x)
{
    return generate(x, DIALECT_GENERATE);
}

tg_rc
api_generate_stream(struct exchange *x)
{
    x->must_stream = true;
    return generate(x, DIALECT_GENERATE);
}

tg_rc
api_embeddings(struct exchange *x)
{
    return generate(x, DIALECT_EMBED);
}
