/* pairs.c -- answers sent through two dialects. */
#include "support/pairs.h"

#include "base/list.h"
#include "base/utf8.h"
#include "ir/unfold.h"
#include "support/ir_gen.h"
#include "support/shapes.h"

static struct dialect_enc
encoder(struct arena *a, const struct dialect *d, const struct ir_req *req)
{
    return (struct dialect_enc){.req = req,
                                .id = arena_printf(a, "%sid1", d->id_prefix),
                                .model = STR("m"),
                                .created = 1700000000,
                                .stream_usage = true,
                                .usage = IR_USAGE_UNKNOWN,
                                .arena = a,
                                .state = arena_alloc(a, d->enc_size + 1, 16)};
}

static tg_rc
encode(struct ir_sink *sink, const struct ir_event *ev)
{
    struct pairs_enc *e = LIST_ITEM(sink, struct pairs_enc, encode);
    tg_rc rc = e->dialect->encode_ev(&e->enc, ev, &e->out);

    if (rc != TG_OK)
        (void)tg_fail(&e->err, rc, TG_ERR_INTERNAL, NULL,
                      "encode_ev of %s on event kind %d: %s", e->dialect->name, (int)ev->kind,
                      tg_rc_name(rc));
    return rc;
}

void
pairs_enc_init(struct pairs_enc *e, struct arena *a, const struct dialect *d, unsigned choices,
               const struct ir_req *req)
{
    *e = (struct pairs_enc){
        .encode = {encode}, .dialect = d, .enc = encoder(a, d, req), .in = &e->check.sink};
    buf_init(&e->out, PAIRS_BYTES_MAX);
    if (d->one_open) {
        ir_seq_init(&e->seq, a, PAIRS_BYTES_MAX, &e->encode, &e->err);
        ir_check_init(&e->check, choices, &e->seq.sink, &e->err);
    } else {
        ir_check_init(&e->check, choices, &e->encode, &e->err);
    }
}

void
pairs_enc_fini(struct pairs_enc *e)
{
    ir_seq_fini(&e->seq);
    buf_fini(&e->out);
}

static struct dialect_dec
decoder(struct arena *a, const struct dialect *d, struct ir_sink *sink, struct tg_err *err)
{
    return (struct dialect_dec){.sink = sink,
                                .arena = a,
                                .err = err,
                                .hold_max = PAIRS_BYTES_MAX,
                                .state = arena_alloc(a, d->dec_size + 1, 16)};
}

tg_rc
pairs_decode_stream(struct arena *a, const struct dialect *d, unsigned choices,
                    struct str stream, struct ir_sink *sink, struct tg_err *err)
{
    struct ir_check check = {0};
    struct dialect_dec dec = decoder(a, d, &check.sink, err);
    struct shape_record r;
    bool over = false;
    tg_rc rc = TG_OK;

    ir_check_init(&check, choices, sink, err);
    while (rc == TG_OK && shape_next(a, &stream, &r)) {
        /* What was decoded must not lie in the record. */
        char *event = arena_alloc(a, r.event.n + 1, 1), *data = arena_alloc(a, r.data.n + 1, 1);

        if (over && !str_eq(r.data, STR("[DONE]")))
            return tg_fail(err, TG_EPROTO, TG_ERR_INTERNAL, NULL,
                           "a record after the last one");
        if (over)
            break;
        if (r.event.n)
            memcpy(event, r.event.p, r.event.n);
        if (r.data.n)
            memcpy(data, r.data.p, r.data.n);
        rc = d->decode_record(&dec, str_of(event, r.event.n), str_of(data, r.data.n), &over);
        memset(event, '#', r.event.n);
        memset(data, '#', r.data.n);
        if (rc != TG_OK && err->rc == TG_OK)
            (void)tg_fail(err, rc, TG_ERR_INTERNAL, NULL, "%s, and no word why",
                          tg_rc_name(rc));
    }
    return rc == TG_OK && !over ? d->decode_eof(&dec) : rc;
}

tg_rc
pairs_decode_whole(struct arena *a, const struct dialect *d, unsigned choices, struct str body,
                   struct ir_sink *sink, struct tg_err *err)
{
    struct ir_check check = {0};
    struct dialect_dec dec = decoder(a, d, &check.sink, err);

    ir_check_init(&check, choices, sink, err);
    return d->decode_res(&dec, body);
}

tg_rc
pairs_encode_whole(struct arena *a, const struct dialect *d, const struct ir_req *req,
                   const struct ir_res *res, struct str *ret)
{
    struct dialect_enc enc = encoder(a, d, req);
    struct buf b;
    tg_rc rc;

    buf_init(&b, PAIRS_BYTES_MAX);
    rc = d->encode_res(&enc, res, &b);
    if (rc == TG_OK)
        *ret = arena_dup(a, buf_str(&b));
    buf_fini(&b);
    return rc;
}

struct splitter {
    struct ir_sink sink, *next;
};

static tg_rc
split(struct ir_sink *sink, const struct ir_event *ev)
{
    struct splitter *s = LIST_ITEM(sink, struct splitter, sink);
    struct ir_event piece = *ev;
    struct str rest = ev->text;

    if (ev->kind != IR_EV_DELTA)
        return s->next->put(s->next, ev);
    while (rest.n) {
        size_t n = utf8_seq(rest.p, rest.p + rest.n);
        tg_rc rc;

        piece.text = str_of(rest.p, n ? n : 1);
        rest = str_from(rest, n ? n : 1);
        rc = s->next->put(s->next, &piece);
        if (rc != TG_OK)
            return rc;
    }
    return TG_OK;
}

tg_rc
pairs_by_chars(const struct pairs_source *s, struct ir_sink *sink)
{
    struct splitter to = {{split}, sink};

    return ir_unfold(s->res, &to.sink);
}

tg_rc
pairs_at_random(const struct pairs_source *s, struct ir_sink *sink)
{
    struct prng r = {s->seed};

    return ir_gen_stream(s->res, &r, s->overlap, true, sink);
}

tg_rc
pairs_in_order(const struct pairs_source *s, struct ir_sink *sink)
{
    return ir_unfold(s->res, sink);
}

static const char *
say(struct arena *a, const char *where, const struct dialect *d, tg_rc rc,
    const struct tg_err *err)
{
    return arena_printf(a, "%s %s: %s: %s", d->name, where, tg_rc_name(rc), err->msg).p;
}

/* What a client makes of its stream. */
static const char *
read_back(struct arena *a, const struct dialect *d, unsigned choices, struct str stream,
          struct ir_res *ret)
{
    struct ir_fold fold;
    struct tg_err err = {0};
    tg_rc rc;

    ir_fold_init(&fold, a, choices, PAIRS_BYTES_MAX, &err);
    rc = pairs_decode_stream(a, d, choices, stream, &fold.sink, &err);
    *ret = fold.res;
    return rc == TG_OK ? NULL : say(a, "decode_record of what it encoded", d, rc, &err);
}

const char *
pairs_restream(struct arena *a, const struct dialect *from, const struct dialect *to,
               struct str stream, unsigned choices, struct ir_res *ret)
{
    struct tg_err err = {0};
    struct pairs_enc out;
    const char *why = NULL;
    tg_rc rc;

    pairs_enc_init(&out, a, to, choices, NULL);
    rc = pairs_decode_stream(a, from, choices, stream, out.in, &err);
    if (rc != TG_OK && out.err.rc != TG_OK)
        why = say(a, "encode_ev", to, rc, &out.err);
    else if (rc != TG_OK)
        why = say(a, "decode_record", from, rc, &err);
    else
        why = shape_check(a, to->name, buf_str(&out.out), true);
    if (!why)
        why = read_back(a, to, choices, buf_str(&out.out), ret);
    pairs_enc_fini(&out);
    return why;
}

const char *
pairs_stream(struct arena *a, const struct dialect *from, const struct dialect *to,
             const struct pairs_source *source, struct ir_res *ret)
{
    unsigned choices = source->res->n_answers;
    struct pairs_enc out;
    const char *why;
    tg_rc rc;

    pairs_enc_init(&out, a, from, choices, NULL);
    rc = source->put(source, out.in);
    if (rc != TG_OK)
        why = say(a, "encode_ev", from, rc, &out.err);
    else
        why = shape_check(a, from->name, buf_str(&out.out), true);
    if (!why && to)
        why = pairs_restream(a, from, to, buf_str(&out.out), choices, ret);
    else if (!why)
        why = read_back(a, from, choices, buf_str(&out.out), ret);
    pairs_enc_fini(&out);
    return why;
}

const char *
pairs_whole(struct arena *a, const struct dialect *from, const struct dialect *to,
            const struct ir_res *res, struct ir_res *ret)
{
    const struct dialect *const way[] = {from, to};
    struct ir_fold fold = {.res = *res};
    struct tg_err err = {0};
    struct str body;

    for (int i = 0; i < 2 && way[i]; i++) {
        struct ir_res now = fold.res;
        tg_rc rc = pairs_encode_whole(a, way[i], NULL, &now, &body);

        if (rc != TG_OK)
            return say(a, "encode_res", way[i], rc, &err);
        ir_fold_init(&fold, a, res->n_answers, PAIRS_BYTES_MAX, &err);
        rc = pairs_decode_whole(a, way[i], res->n_answers, body, &fold.sink, &err);
        if (rc != TG_OK)
            return say(a, "decode_res", way[i], rc, &err);
    }
    *ret = fold.res;
    return NULL;
}

const char *
pairs_client(struct arena *a, const struct dialect *d, const struct ir_req *req,
             const struct ir_res *res, bool whole, struct ir_res *ret)
{
    struct pairs_source source = {pairs_by_chars, res, 1, 1};
    struct ir_fold fold;
    struct tg_err err = {0};
    struct pairs_enc out;
    struct str body;
    const char *why;
    tg_rc rc;

    if (whole) {
        rc = pairs_encode_whole(a, d, req, res, &body);
        if (rc != TG_OK)
            return say(a, "encode_res", d, rc, &err);
        ir_fold_init(&fold, a, res->n_answers, PAIRS_BYTES_MAX, &err);
        rc = pairs_decode_whole(a, d, res->n_answers, body, &fold.sink, &err);
        *ret = fold.res;
        return rc == TG_OK ? NULL : say(a, "decode_res", d, rc, &err);
    }
    pairs_enc_init(&out, a, d, res->n_answers, req);
    rc = source.put(&source, out.in);
    if (rc != TG_OK)
        why = say(a, "encode_ev", d, rc, &out.err);
    else
        why = shape_check(a, d->name, buf_str(&out.out), true);
    if (!why)
        why = read_back(a, d, res->n_answers, buf_str(&out.out), ret);
    pairs_enc_fini(&out);
    return why;
}
