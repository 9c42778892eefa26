/* ir_gen.c -- random answers and random ways in which they may arrive.
 *
 * A stream is made by walking: each step picks a choice that has not stopped and does one thing
 * that the grammar allows there (open the next block, more of an open one, close an open one
 * that is finished, stop).  What is put is copied to its own allocation first and scribbled
 * over afterwards, so that a sink that keeps a borrowed string is found.
 */
#include "support/ir_gen.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "ir/dump.h"

enum { BLOCKS_MAX = 6, TEXT_MAX = 60, OVERLAP_MAX = 8 };

static bool
chance(struct prng *r, unsigned percent)
{
    return prng_below(r, 100) < percent;
}

struct str
ir_gen_text(struct arena *a, struct prng *r, size_t max)
{
    static const uint32_t from[] = {'a', 'z', ' ',    '"',    '\\',    '\n',     0x7f,   0x1f,
                                    '{', '}', 0x00e9, 0x20ac, 0x1f600, 0x10ffff, 0x2028, ','};
    char *p = arena_alloc(a, max + 4, 1);
    size_t n = 0, want = (size_t)prng_below(r, max + 1);

    while (n + 4 <= want)
        n += utf8_put(p + n, from[prng_below(r, sizeof from / sizeof from[0])]);
    return str_of(p, n);
}

static struct str
some(struct arena *a, struct prng *r)
{
    return chance(r, 50) ? ir_gen_text(a, r, 20) : (struct str){NULL, 0};
}

static struct ir_note *
gen_notes(struct arena *a, struct prng *r)
{
    struct ir_note *head = NULL, **tail = &head;

    while (chance(r, 30)) {
        struct ir_note *n = arena_new(a, struct ir_note);

        *n = (struct ir_note){.url = ir_gen_text(a, r, 20),
                              .title = some(a, r),
                              .cited = some(a, r),
                              .start = (int64_t)prng_below(r, 5) - 1,
                              .end = (int64_t)prng_below(r, 9) - 1};
        *tail = n;
        tail = &n->next;
    }
    return head;
}

static struct ir_block *
gen_block(struct arena *a, struct prng *r)
{
    static const enum ir_kind kinds[] = {IR_TEXT, IR_TEXT,    IR_THINK,  IR_CALL,
                                         IR_CALL, IR_REFUSAL, IR_OPAQUE, IR_MEDIA};
    struct ir_block *b = arena_new(a, struct ir_block);

    b->kind = kinds[prng_below(r, sizeof kinds / sizeof kinds[0])];
    if (b->kind != IR_OPAQUE && b->kind != IR_MEDIA && chance(r, 85))
        b->text = ir_gen_text(a, r, TEXT_MAX);
    switch (b->kind) {
    case IR_TEXT:
        b->notes = gen_notes(a, r);
        break;
    case IR_THINK:
        b->summary = chance(r, 30);
        if (chance(r, 60)) {
            b->sig = ir_gen_text(a, r, 20);
            b->sig_id = some(a, r);
            b->origin = "messages";
            b->redacted = b->text.n == 0;
        }
        break;
    case IR_CALL:
        b->id = arena_printf(a, "call_%llu", (unsigned long long)prng_next(r));
        b->name = STR("look");
        b->freeform = chance(r, 20);
        break;
    case IR_OPAQUE:
        b->raw = STR("{\"type\":\"web_search_call\"}");
        b->origin = "responses";
        break;
    case IR_MEDIA:
        b->media = arena_new(a, struct ir_media);
        *b->media = (struct ir_media){.kind = IR_IMAGE,
                                      .mime = STR("image/png"),
                                      .data = STR("AAAA"),
                                      .name = some(a, r)};
        break;
    default:
        break;
    }
    return b;
}

struct ir_res *
ir_gen_res(struct arena *a, struct prng *r, unsigned choices)
{
    struct ir_res *res = arena_new(a, struct ir_res);

    res->n_answers = choices;
    res->answers = arena_array(a, struct ir_answer, choices);
    for (unsigned i = 0; i < choices; i++) {
        struct ir_block **tail = &res->answers[i].blocks;

        for (uint64_t n = prng_below(r, BLOCKS_MAX + 1); n > 0; n--) {
            *tail = gen_block(a, r);
            tail = &(*tail)->next;
        }
        res->answers[i].stop = (enum ir_stop)(1 + prng_below(r, IR_STOP_FILTER));
        if (res->answers[i].stop == IR_STOP_SEQUENCE)
            res->answers[i].stop_text = some(a, r);
    }
    res->usage = IR_USAGE_UNKNOWN;
    if (chance(r, 70)) {
        int64_t *const v[] = {&res->usage.input, &res->usage.output, &res->usage.cached,
                              &res->usage.reasoning, &res->usage.cache_write};

        for (size_t i = 0; i < sizeof v / sizeof v[0]; i++)
            *v[i] = (int64_t)prng_below(r, 100) - 1;
    }
    return res;
}

/* A source of strings that are gone after the call. */
struct lender {
    char *lent[32];
    size_t size[32];
    unsigned n;
};

static struct str
lend(struct lender *l, struct str s)
{
    char *p;

    if (s.n == 0 || l->n == sizeof l->lent / sizeof l->lent[0])
        return s;
    p = mem_alloc(s.n);
    memcpy(p, s.p, s.n);
    l->lent[l->n] = p;
    l->size[l->n++] = s.n;
    return str_of(p, s.n);
}

static void
take_back(struct lender *l)
{
    while (l->n > 0) {
        l->n--;
        memset(l->lent[l->n], '#', l->size[l->n]);
        mem_free(l->lent[l->n]);
    }
}

struct open_gen {
    const struct ir_block *block;
    const struct ir_note *note; /* the next one to put */
    uint32_t number;
    size_t done; /* bytes of text put */
};

struct choice_gen {
    const struct ir_block *next;
    uint32_t opened;
    unsigned n_open;
    struct open_gen open[OVERLAP_MAX];
    bool stopped;
};

static tg_rc
put_open(struct choice_gen *c, uint32_t choice, struct ir_sink *sink)
{
    struct open_gen *o = &c->open[c->n_open++];
    struct lender l = {.n = 0};
    struct ir_block head = {.kind = c->next->kind,
                            .id = lend(&l, c->next->id),
                            .name = lend(&l, c->next->name),
                            .raw = lend(&l, c->next->raw),
                            .origin = c->next->kind == IR_THINK ? NULL : c->next->origin,
                            .summary = c->next->summary,
                            .freeform = c->next->freeform};
    struct ir_media media;
    struct ir_event ev = {
        .kind = IR_EV_OPEN, .choice = choice, .block = c->opened, .head = &head};
    tg_rc rc;

    if (c->next->media) {
        media = *c->next->media;
        media.mime = lend(&l, media.mime);
        media.data = lend(&l, media.data);
        media.name = lend(&l, media.name);
        head.media = &media;
    }
    *o = (struct open_gen){c->next, c->next->notes, c->opened++, 0};
    c->next = c->next->next;
    rc = sink->put(sink, &ev);
    take_back(&l);
    return rc;
}

/* A piece of text, a citation when the text is out, at last the end. */
static tg_rc
put_more(struct choice_gen *c, uint32_t choice, unsigned slot, struct prng *r,
         struct ir_sink *sink)
{
    struct open_gen *o = &c->open[slot];
    struct str rest = str_from(o->block->text, o->done);
    struct lender l = {.n = 0};
    struct ir_event ev = {.choice = choice, .block = o->number};
    struct ir_block proof = {.kind = IR_THINK};
    struct ir_note note;
    tg_rc rc;

    if (o->note && (rest.n == 0 || chance(r, 30))) {
        note = (struct ir_note){.url = lend(&l, o->note->url),
                                .title = lend(&l, o->note->title),
                                .cited = lend(&l, o->note->cited),
                                .start = o->note->start,
                                .end = o->note->end};
        o->note = o->note->next;
        ev.kind = IR_EV_NOTE;
        ev.note = &note;
    } else if (rest.n) {
        size_t n = utf8_floor(rest, 1 + (size_t)prng_below(r, 12));

        ev.kind = IR_EV_DELTA;
        ev.text = lend(&l, str_of(rest.p, n));
        o->done += n;
    } else {
        ev.kind = IR_EV_CLOSE;
        if (o->block->kind == IR_THINK && o->block->origin) {
            proof.sig = lend(&l, o->block->sig);
            proof.sig_id = lend(&l, o->block->sig_id);
            proof.origin = lend(&l, str_of(o->block->origin, strlen(o->block->origin) + 1)).p;
            proof.redacted = o->block->redacted;
            ev.head = &proof;
        }
        c->open[slot] = c->open[--c->n_open];
    }
    rc = sink->put(sink, &ev);
    take_back(&l);
    return rc;
}

static tg_rc
put_stop(struct choice_gen *c, uint32_t choice, const struct ir_answer *answer,
         struct ir_sink *sink)
{
    struct lender l = {.n = 0};
    struct ir_event ev = {.kind = IR_EV_STOP,
                          .choice = choice,
                          .stop = answer->stop,
                          .text = lend(&l, answer->stop_text)};
    tg_rc rc = sink->put(sink, &ev);

    c->stopped = true;
    take_back(&l);
    return rc;
}

/* May the next block of the choice be opened now? */
static bool
may_open(const struct choice_gen *c, unsigned overlap, bool calls)
{
    if (!c->next || c->n_open >= overlap)
        return false;
    return !calls || c->n_open == 0 ||
           (c->next->kind == IR_CALL && c->open[0].block->kind == IR_CALL);
}

tg_rc
ir_gen_stream(const struct ir_res *res, struct prng *r, unsigned overlap, bool calls,
              struct ir_sink *sink)
{
    struct choice_gen *all = mem_array(res->n_answers, sizeof *all);
    unsigned left = res->n_answers;
    struct ir_usage usage = res->usage;
    tg_rc rc = sink->put(sink, &(struct ir_event){.kind = IR_EV_START});

    if (overlap > OVERLAP_MAX)
        overlap = OVERLAP_MAX;
    for (unsigned i = 0; i < res->n_answers; i++)
        all[i].next = res->answers[i].blocks;
    while (left > 0 && rc == TG_OK) {
        uint32_t i = (uint32_t)prng_below(r, res->n_answers);
        struct choice_gen *c = &all[i];

        if (c->stopped)
            continue;
        if (may_open(c, overlap, calls) && (c->n_open == 0 || chance(r, 40))) {
            rc = put_open(c, i, sink);
        } else if (c->n_open) {
            rc = put_more(c, i, (unsigned)prng_below(r, c->n_open), r, sink);
        } else {
            rc = put_stop(c, i, &res->answers[i], sink);
            left--;
        }
    }
    mem_free(all);
    if (rc == TG_OK && (usage.input >= 0 || usage.output >= 0 || usage.cached >= 0 ||
                        usage.reasoning >= 0 || usage.cache_write >= 0))
        rc = sink->put(sink, &(struct ir_event){.kind = IR_EV_USAGE, .usage = &usage});
    return rc == TG_OK ? sink->put(sink, &(struct ir_event){.kind = IR_EV_END}) : rc;
}

const char *
ir_gen_dump(struct arena *a, const struct ir_res *res)
{
    struct buf b;
    const char *z;

    buf_init(&b, 64 << 20);
    if (ir_dump_res(res, &b) != TG_OK)
        abort();
    z = arena_dup(a, buf_str(&b)).p;
    buf_fini(&b);
    return z;
}
