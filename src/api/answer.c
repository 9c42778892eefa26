/* answer.c -- events of a model, told in the client's dialect.
 *
 * The model (so far the simulated one) puts events into a chain of sinks: the grammar check,
 * then either the stream, where the client's dialect encodes each event and the bytes are
 * queued, or the fold, which builds a whole response that is encoded at the end.
 */
#include "api/answer.h"

#include <stdio.h>

#include "api/stream.h"
#include "base/clock.h"
#include "base/id.h"
#include "ir/event.h"
#include "ir/fold.h"
#include "upstream/sim.h"

struct stream_sink {
    struct ir_sink sink;
    struct exchange *x;
    struct dialect_enc *enc;
    struct buf out;
};

static tg_rc
stream_put(struct ir_sink *sink, const struct ir_event *ev)
{
    struct stream_sink *s = LIST_ITEM(sink, struct stream_sink, sink);
    tg_rc rc;

    if (ev->kind == IR_EV_ERROR) {
        s->x->err = *ev->err;
        return ev->err->rc;
    }
    if (ev->kind == IR_EV_USAGE)
        s->x->usage = *ev->usage;
    rc = s->x->dialect->encode_ev(s->enc, ev, &s->out);
    if (rc == TG_OK && s->out.n)
        rc = stream_write(s->x, buf_str(&s->out));
    buf_clear(&s->out);
    return rc;
}

static void
encoder_init(struct exchange *x, struct dialect_enc *enc)
{
    char random[25];

    id_alnum(random, 24);
    *enc = (struct dialect_enc){
        .id = arena_printf(&x->arena, "%s%s", x->dialect->id_prefix, random),
        .model = x->model,
        .created = x->wall_start / NS_PER_S,
        .usage = IR_USAGE_UNKNOWN,
        .state = arena_alloc(&x->arena, x->dialect->enc_size ? x->dialect->enc_size : 1, 16),
    };
}

/* Generates into `next` behind the grammar check. */
static tg_rc
generate(struct exchange *x, const struct sim_params *params, const struct ir_req *req,
         struct ir_sink *next)
{
    struct ir_check *check = arena_new(&x->arena, struct ir_check);

    ir_check_init(check, req->choices, next, &x->err);
    x->attempts++;
    return sim_generate(&x->arena, params, req, &check->sink, &x->err);
}

static tg_rc
answer_stream(struct exchange *x, const struct sim_params *params, const struct ir_req *req,
              struct dialect_enc *enc)
{
    struct stream_sink s = {.sink = {stream_put}, .x = x, .enc = enc};
    tg_rc rc;

    enc->stream_usage = req->stream_usage;
    buf_init(&s.out, (size_t)x->settings->limits.event_bytes);
    rc = generate(x, params, req, &s.sink);
    buf_fini(&s.out);
    return rc == TG_OK ? stream_end(x) : rc;
}

static tg_rc
answer_whole(struct exchange *x, const struct sim_params *params, const struct ir_req *req,
             struct dialect_enc *enc)
{
    struct ir_fold fold;
    struct buf body;
    tg_rc rc;

    ir_fold_init(&fold, &x->arena, req->choices, (size_t)x->settings->limits.response_bytes,
                 &x->err);
    rc = generate(x, params, req, &fold.sink);
    if (rc != TG_OK)
        return rc;
    x->usage = fold.res.usage;
    buf_init(&body, (size_t)x->settings->limits.response_bytes);
    rc = x->dialect->encode_res(enc, &fold.res, &body);
    if (rc == TG_OK)
        rc = exchange_answer(x, 200, STR("application/json"), buf_str(&body));
    buf_fini(&body);
    return rc;
}

static tg_rc
answer_embed(struct exchange *x, const struct sim_params *params, struct dialect_enc *enc)
{
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
    rc = x->dialect->encode_embed(enc, &req, &res, &body);
    if (rc == TG_OK)
        rc = exchange_answer(x, 200, STR("application/json"), buf_str(&body));
    buf_fini(&body);
    return rc;
}

tg_rc
answer_sim(struct exchange *x, enum dialect_call call, const struct route *route)
{
    struct sim_params params;
    struct dialect_enc enc;
    struct ir_req req = {0};
    tg_rc rc;

    rc = sim_params(&route->upstream->sim, http_header_get(x->req, STR("x-triglot-sim")),
                    &params, &x->err);
    if (rc != TG_OK)
        return rc;
    encoder_init(x, &enc);
    if (call == DIALECT_EMBED)
        return answer_embed(x, &params, &enc);
    rc = x->dialect->decode_req(&x->arena, buf_str(&x->body), &req, &x->err);
    if (rc != TG_OK)
        return rc;
    return req.stream ? answer_stream(x, &params, &req, &enc)
                      : answer_whole(x, &params, &req, &enc);
}
