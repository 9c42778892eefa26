/* answer.c -- events of a model, told in the client's dialect.
 *
 * Events pass the hub's chain of sinks (ir/chain.h).  A streaming client's dialect encodes each
 * into the out buffer; for the others the fold builds a whole response that is encoded at the
 * end.
 *
 * Records of several events leave in one write (answer_flush), so that an upstream read costs
 * one send whatever it held, and so that no codec is ever suspended in mid-event.  The memory
 * they gather in is the thread's, not the answer's: a stream that waits holds none of it.
 */
#include "api/answer.h"

#include "api/stream.h"
#include "base/clock.h"
#include "base/id.h"

/* The encoder knows what of the stream is open and closes it first. */
static tg_rc
encode_error(void *arg, struct buf *record)
{
    struct answer *a = arg;
    struct ir_event ev = {.kind = IR_EV_ERROR, .err = &a->x->err};

    return a->x->dialect->encode_ev(&a->enc, &ev, record);
}

static tg_rc
stream_put(struct ir_sink *sink, const struct ir_event *ev)
{
    struct answer *a = LIST_ITEM(sink, struct answer, stream);
    tg_rc rc;

    if (ev->kind == IR_EV_ERROR) {
        a->x->err = *ev->err;
        return ev->err->rc;
    }
    if (ev->kind == IR_EV_START) {
        a->x->encode_error = encode_error;
        a->x->encode_error_arg = a;
        a->x->enc = &a->enc;
    }
    if (ev->kind == IR_EV_USAGE)
        a->x->usage = a->enc.usage = *ev->usage;
    if (ev->kind == IR_EV_END)
        a->enc.now = clock_wall_ns() / NS_PER_S;
    buf_borrow(&a->out);
    rc = a->x->dialect->encode_ev(&a->enc, ev, &a->out);
    if (rc != TG_OK && a->x->err.kind == TG_ERR_NONE)
        tg_fail(&a->x->err, rc, TG_ERR_UPSTREAM, "upstream_protocol_error",
                "the answer cannot be told in the %s dialect", a->x->dialect->name);
    /* The last record is left to answer_close: whoever is stopped while waiting for the client
     * could only tell it of an error, behind the end. */
    return rc == TG_OK && a->eager && ev->kind != IR_EV_END ? answer_flush(a) : rc;
}

static void
encoder_open(struct answer *a)
{
    struct exchange *x = a->x;
    char random[25];

    id_alnum(random, 24);
    a->enc = (struct dialect_enc){
        .req = a->req,
        .id = arena_cat(&x->arena, str_z(x->dialect->id_prefix), str_z(random)),
        .model = x->model,
        .created = x->wall_start / NS_PER_S,
        .stream_usage = a->req->stream_usage,
        .usage = IR_USAGE_UNKNOWN,
        .arena = &x->arena,
        .state = arena_alloc(&x->arena, x->dialect->enc_size ? x->dialect->enc_size : 1, 16),
    };
}

void
answer_open(struct answer *a, struct exchange *x, const struct ir_req *req,
            struct ir_adapt *adapt, bool eager)
{
    struct ir_chain_conf conf = {.adapt = adapt,
                                 .choices = req->choices,
                                 .stream = req->stream ? &a->stream : NULL,
                                 .one_open = x->dialect->one_open,
                                 .arrived = !req->stream,
                                 .bytes_max = (size_t)x->settings->limits.response_bytes,
                                 .err = &x->err};

    a->x = x;
    a->req = req;
    a->eager = eager;
    a->stream.put = stream_put;
    encoder_open(a);
    buf_init(&a->out, (size_t)x->settings->limits.event_bytes);
    ir_chain_open(&a->chain, &x->arena, &conf);
}

/* Never suspends. */
static tg_rc
hand_over(struct answer *a)
{
    tg_rc rc = a->out.n > 0 ? stream_queue(a->x, buf_str(&a->out)) : TG_OK;

    buf_return(&a->out);
    return rc;
}

tg_rc
answer_flush(struct answer *a)
{
    tg_rc rc = hand_over(a);

    return rc == TG_OK ? stream_wait(a->x) : rc;
}

static tg_rc
send_whole(struct answer *a)
{
    struct exchange *x = a->x;
    struct buf body;
    tg_rc rc;

    x->usage = a->enc.usage = a->chain.fold->res.usage;
    a->enc.now = clock_wall_ns() / NS_PER_S;
    buf_init(&body, (size_t)x->settings->limits.response_bytes);
    rc = x->dialect->encode_res(&a->enc, &a->chain.fold->res, &body);
    if (rc == TG_OK)
        rc = exchange_answer(x, 200, STR("application/json"), buf_str(&body));
    else
        tg_fail(&x->err, rc, TG_ERR_UPSTREAM, "upstream_protocol_error",
                "the answer cannot be told in the %s dialect", x->dialect->name);
    buf_fini(&body);
    return rc;
}

tg_rc
answer_close(struct answer *a, tg_rc rc)
{
    tg_rc flushed = hand_over(a);

    if (rc == TG_OK)
        rc = flushed;
    if (rc == TG_OK)
        rc = a->req->stream ? stream_end(a->x) : send_whole(a);
    ir_chain_close(&a->chain);
    buf_fini(&a->out);
    return rc;
}
