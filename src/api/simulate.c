/* simulate.c -- requests that the simulated model answers: decoded by the client's dialect,
 * generated as events, told by the client's dialect. */
#include "api/simulate.h"

#include "api/answer.h"
#include "api/asked.h"
#include "upstream/sim.h"

static tg_rc
embed(struct exchange *x, const struct sim_params *params)
{
    struct dialect_enc enc = {.model = x->model, .arena = &x->arena};
    struct ir_embed_req req = {0};
    struct ir_embed_res res = {0};
    struct buf body;
    tg_rc rc;

    rc = x->dialect->decode_embed(&x->arena, buf_str(&x->body), &req, &x->err);
    if (rc == TG_OK)
        rc = sim_embed(&x->arena, params, &req, &res, &x->err);
    if (rc != TG_OK)
        return rc;
    x->usage = res.usage;
    buf_init(&body, (size_t)x->settings->limits.response_bytes);
    rc = x->dialect->encode_embed(&enc, &req, &res, &body);
    if (rc == TG_OK)
        rc = exchange_answer(x, 200, STR("application/json"), buf_str(&body));
    buf_fini(&body);
    return rc;
}

static tg_rc
generate(struct exchange *x, const struct sim_params *params)
{
    struct ir_req *req = arena_new(&x->arena, struct ir_req);
    struct answer *a = arena_new(&x->arena, struct answer);
    tg_rc rc;

    rc = asked_decode(x, &x->arena, req);
    if (rc != TG_OK)
        return rc;
    x->attempts++;
    answer_open(a, x, req, NULL, true);
    return answer_close(a, sim_generate(&x->arena, params, req, a->chain.sink, &x->err));
}

tg_rc
simulate_run(struct exchange *x, enum dialect_call call, const struct route *route)
{
    struct sim_params params;
    tg_rc rc;

    rc = sim_params(&route->upstream->sim, http_header_get(x->req, STR("x-triglot-sim")),
                    &params, &x->err);
    if (rc != TG_OK)
        return rc;
    return call == DIALECT_EMBED ? embed(x, &params) : generate(x, &params);
}
