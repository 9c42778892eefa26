/* script.c -- answers made beforehand, by the encoders that Triglot itself uses.
 *
 * Every text event begins with the place of a timestamp, filled in when it is sent.  Records
 * are all kept, and not one repeated, because the Responses dialect numbers them.
 */
#include "bench/script.h"

#include <assert.h>

#include "base/arena.h"
#include "base/mem.h"
#include "upstream/sim_stamp.h"

#define SCRIPT_MAX (UINT64_C(1) << 30)

struct making {
    struct script *s;
    const struct dialect *d;
    struct dialect_enc enc;
    struct str text; /* of one event */
};

static tg_rc
put(struct making *m, const struct ir_event *ev)
{
    return m->d->encode_ev(&m->enc, ev, &m->s->stream);
}

static tg_rc
put_texts(struct making *m, size_t events)
{
    struct script *s = m->s;
    tg_rc rc = TG_OK;

    for (size_t i = 0; rc == TG_OK && i < events; i++) {
        size_t before = s->stream.n;
        struct str record;

        rc = put(m, &(struct ir_event){.kind = IR_EV_DELTA, .text = m->text});
        if (rc != TG_OK)
            break;
        record = str_from(buf_str(&s->stream), before);
        while (record.n && !str_starts(record, str_of(m->text.p, SIM_STAMP_BYTES)))
            record = str_from(record, 1);
        assert(record.n); /* no dialect escapes a timestamp */
        s->stamp[i] = s->stream.n - record.n;
        s->end[i] = s->stream.n;
        before = i ? s->end[i - 1] : 0;
        if (s->end[i] - before > s->most)
            s->most = s->end[i] - before;
    }
    return rc;
}

static tg_rc
put_stream(struct making *m, size_t events, bool usage)
{
    struct ir_block head = {.kind = IR_TEXT};
    struct ir_usage tokens = {
        .input = 1, .output = (int64_t)events, .cached = 0, .reasoning = 0, .cache_write = -1};
    tg_rc rc = put(m, &(struct ir_event){.kind = IR_EV_START});

    if (rc == TG_OK)
        rc = put(m, &(struct ir_event){.kind = IR_EV_OPEN, .head = &head});
    if (rc == TG_OK)
        rc = put_texts(m, events);
    if (rc == TG_OK)
        rc = put(m, &(struct ir_event){.kind = IR_EV_CLOSE});
    if (rc == TG_OK)
        rc = put(m, &(struct ir_event){.kind = IR_EV_STOP, .stop = IR_STOP_END});
    if (rc == TG_OK && usage)
        rc = put(m, &(struct ir_event){.kind = IR_EV_USAGE, .usage = &tokens});
    return rc == TG_OK ? put(m, &(struct ir_event){.kind = IR_EV_END}) : rc;
}

static tg_rc
put_whole(struct making *m, size_t events, size_t bytes)
{
    struct ir_block block = {.kind = IR_TEXT};
    struct ir_answer answer = {.blocks = &block, .stop = IR_STOP_END};
    struct ir_res res = {.answers = &answer,
                         .n_answers = 1,
                         .usage = {.input = 1,
                                   .output = (int64_t)events,
                                   .cached = 0,
                                   .reasoning = 0,
                                   .cache_write = -1}};
    char *text = mem_array(events, bytes);
    tg_rc rc;

    for (size_t i = 0; i < events; i++)
        memcpy(text + i * bytes, m->text.p, bytes);
    block.text = str_of(text, events * bytes);
    rc = m->d->encode_res(&m->enc, &res, &m->s->whole);
    mem_free(text);
    return rc;
}

static struct dialect_enc
encoder(const struct dialect *d, bool usage, struct arena *a)
{
    return (struct dialect_enc){
        .id = arena_printf(a, "%sbench", d->id_prefix),
        .model = STR("bench"),
        .stream_usage = usage,
        .usage = IR_USAGE_UNKNOWN,
        .arena = a,
        .state = arena_alloc(a, d->enc_size ? d->enc_size : 1, 16),
    };
}

tg_rc
script_make(struct script *s, const struct dialect *d, bool usage, size_t events, size_t bytes)
{
    struct making m = {.s = s, .d = d};
    char *text = mem_alloc(bytes);
    struct arena a;
    tg_rc rc;

    assert(events >= 1 && bytes >= SIM_STAMP_BYTES);
    memset(text, 'x', bytes);
    sim_stamp_put(text, 0);
    m.text = str_of(text, bytes);
    *s = (struct script){.n = events};
    s->end = mem_array(events, sizeof s->end[0]);
    s->stamp = mem_array(events, sizeof s->stamp[0]);
    buf_init(&s->stream, SCRIPT_MAX);
    buf_init(&s->whole, SCRIPT_MAX);
    arena_init(&a);
    m.enc = encoder(d, usage, &a);
    rc = put_stream(&m, events, usage);
    m.enc = encoder(d, usage, &a);
    if (rc == TG_OK)
        rc = put_whole(&m, events, bytes);
    arena_fini(&a);
    mem_free(text);
    if (rc != TG_OK)
        script_free(s);
    return rc;
}

void
script_free(struct script *s)
{
    buf_fini(&s->stream);
    buf_fini(&s->whole);
    mem_free(s->end);
    mem_free(s->stamp);
    *s = (struct script){0};
}
