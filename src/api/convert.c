/* convert.c -- POST /v1/convert: translation without calling anyone.
 *
 * Body {from, to, kind, payload}: kind request, response or stream.  A request's or response's
 * payload is a JSON object, a stream's is its text.  The answer is {payload, dropped}, the
 * payload in the same form.  It goes through the same codecs, checker, sequencer and fold as
 * live traffic; an answer is told as to a request that said nothing.
 */
#include "api/endpoints.h"
#include "api/translate.h"
#include "base/clock.h"
#include "dialect/body.h"
#include "dialect/request.h"
#include "http/sse.h"
#include "ir/chain.h"
#include "json/field.h"
#include "json/write.h"

struct conversion {
    struct exchange *x;
    const struct dialect *from, *to;
    struct str payload; /* as it stands in the body */
    struct ir_req req;  /* stands in for the request of an answer */
    struct ir_drops drops;
    struct dialect_enc enc;
    struct dialect_dec dec;
    struct ir_chain chain;
    struct ir_sink stream;
    struct buf out;
};

static tg_rc
stream_put(struct ir_sink *sink, const struct ir_event *ev)
{
    struct conversion *c = LIST_ITEM(sink, struct conversion, stream);

    return c->to->encode_ev(&c->enc, ev, &c->out);
}

static void
codecs_open(struct conversion *c, bool stream)
{
    struct exchange *x = c->x;
    size_t bytes_max = (size_t)x->settings->limits.response_bytes;
    struct ir_chain_conf conf = {.choices = 1,
                                 .stream = stream ? &c->stream : NULL,
                                 .one_open = c->to->one_open,
                                 .arrived = !stream,
                                 .bytes_max = bytes_max,
                                 .err = &x->err};

    c->req = body_request(c->to->name);
    c->enc = (struct dialect_enc){
        .req = &c->req,
        .id = arena_printf(&x->arena, "%sconvert", c->to->id_prefix),
        .model = STR("converted"),
        .created = x->wall_start / NS_PER_S,
        .stream_usage = true,
        .usage = IR_USAGE_UNKNOWN,
        .arena = &x->arena,
        .state = arena_alloc(&x->arena, c->to->enc_size + 1, 16),
    };
    c->stream.put = stream_put;
    ir_chain_open(&c->chain, &x->arena, &conf);
    c->dec = (struct dialect_dec){
        .sink = c->chain.sink,
        .arena = &x->arena,
        .err = &x->err,
        .hold_max = bytes_max,
        .state = arena_alloc(&x->arena, c->from->dec_size + 1, 16),
    };
}

static tg_rc
convert_request(struct conversion *c)
{
    struct exchange *x = c->x;
    struct dialect_route route = {.max_tokens = 0};
    struct ir_adapt *adapt;
    tg_rc rc;

    rc = c->from->decode_req(&x->arena, c->payload, &c->req, &x->err);
    route.model = c->req.model;
    c->to->caps(CAPS_SERVER_AUTO, route.model, &route.caps);
    if (rc == TG_OK)
        rc = dialect_put_request(&x->arena, c->to, &c->req, &route, &c->out, &adapt, &c->drops,
                                 &x->err);
    return rc;
}

static tg_rc
convert_response(struct conversion *c)
{
    tg_rc rc;

    codecs_open(c, false);
    rc = c->from->decode_res(&c->dec, c->payload);
    if (rc == TG_OK) {
        c->enc.usage = c->chain.fold->res.usage;
        rc = c->to->encode_res(&c->enc, &c->chain.fold->res, &c->out);
    }
    ir_chain_close(&c->chain);
    return rc;
}

static tg_rc
convert_stream(struct conversion *c)
{
    struct exchange *x = c->x;
    struct str text;
    struct sse sse;
    bool over = false;
    tg_rc rc;

    rc = json_string(&x->arena, c->payload, &text);
    if (rc != TG_OK)
        return tg_refuse(&x->err, "invalid_type", "payload", "a stream is given as a string");
    codecs_open(c, true);
    sse_init(&sse, (size_t)x->settings->limits.event_bytes);
    sse_input(&sse, text);
    rc = translate_records(c->from, &c->dec, &sse, &over);
    sse_finish(&sse);
    if (rc == TG_OK && !over)
        rc = translate_records(c->from, &c->dec, &sse, &over);
    if (rc == TG_OK && !over)
        rc = c->from->decode_eof(&c->dec);
    sse_fini(&sse);
    ir_chain_close(&c->chain);
    return rc;
}

static tg_rc
answer(struct conversion *c, bool text)
{
    struct exchange *x = c->x;
    struct json_out o;
    struct buf body;
    tg_rc rc;

    buf_init(&body, (size_t)x->settings->limits.response_bytes);
    json_begin(&o, &body);
    json_open(&o, '{');
    json_key(&o, "payload");
    if (text)
        json_str(&o, buf_str(&c->out));
    else
        json_raw(&o, buf_str(&c->out));
    json_key(&o, "dropped");
    json_open(&o, '[');
    for (unsigned i = 0; i < c->drops.n; i++)
        json_str(&o, c->drops.name[i]);
    json_close(&o);
    json_close(&o);
    rc = json_end(&o);
    if (rc == TG_OK)
        rc = exchange_answer(x, 200, STR("application/json"), buf_str(&body));
    buf_fini(&body);
    return rc;
}

static tg_rc
pick_dialect(const struct field_reader *r, const char *name, const struct json_member *m,
             const struct dialect **ret)
{
    struct field_at at = {NULL, name, 0};
    struct str text = {NULL, 0};
    tg_rc rc = field_string_needed(r, NULL, name, m, &text);

    if (rc != TG_OK)
        return rc;
    *ret = dialect_find(text);
    return *ret ? TG_OK : field_refuse(r, &at, "invalid_value", "no dialect of that name");
}

tg_rc
api_convert(struct exchange *x)
{
    static const char *const names[] = {"from", "to", "kind", "payload"};
    struct conversion *c = arena_new(&x->arena, struct conversion);
    struct field_reader r = {&x->arena, &x->err};
    struct json_member m[4];
    struct str kind = {NULL, 0};
    tg_rc rc;

    c->x = x;
    rc = exchange_body(x);
    if (rc == TG_OK)
        rc = field_check(&r, buf_str(&x->body));
    if (rc == TG_OK)
        rc = field_pick(&r, NULL, buf_str(&x->body), names, 4, m);
    if (rc == TG_OK)
        rc = pick_dialect(&r, names[0], &m[0], &c->from);
    if (rc == TG_OK)
        rc = pick_dialect(&r, names[1], &m[1], &c->to);
    if (rc == TG_OK)
        rc = field_string_needed(&r, NULL, names[2], &m[2], &kind);
    if (rc == TG_OK && !field_has(&m[3]))
        rc = field_refuse_missing(&r, NULL, names[3]);
    if (rc != TG_OK)
        return rc;
    c->payload = m[3].value;
    buf_init(&c->out, (size_t)x->settings->limits.response_bytes);
    if (str_eq(kind, STR("request")))
        rc = convert_request(c);
    else if (str_eq(kind, STR("response")))
        rc = convert_response(c);
    else if (str_eq(kind, STR("stream")))
        rc = convert_stream(c);
    else
        rc = tg_refuse(&x->err, "invalid_value", "kind",
                       "must be one of request, response, stream");
    if (rc == TG_OK)
        rc = answer(c, str_eq(kind, STR("stream")));
    buf_fini(&c->out);
    return rc;
}
