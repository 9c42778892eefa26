/* pairs_canon.c -- what is left of an answer or a request when what one of two dialects cannot
 * say is taken out.
 *
 * The losses are those that the mapping of the dialects marks: nothing else may differ.  A
 * proof of reasoning that was sealed on the way is opened again, so that it must have arrived
 * whole.
 */
#include <stdlib.h>

#include "ir/dump.h"
#include "ir/envelope.h"
#include "support/ir_gen.h"
#include "support/pairs.h"

enum {
    LOSS_ORDER = 1,    /* one text, one refusal, one reasoning, then the calls */
    LOSS_SEQUENCE = 2, /* a stop sequence is a plain end                       */
    LOSS_REFUSAL = 4,  /* a refusal is text, and the stop says so              */
    LOSS_CITED = 8,    /* citations do not quote                               */
    LOSS_NOTES = 16,   /* no citations                                         */
};

static unsigned
losses_of(const struct dialect *d)
{
    static const struct {
        const char *name;
        unsigned losses;
    } rows[] = {{"chat", LOSS_ORDER | LOSS_SEQUENCE | LOSS_CITED},
                {"responses", LOSS_SEQUENCE | LOSS_CITED},
                {"messages", LOSS_REFUSAL | LOSS_NOTES}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(d->name, rows[i].name) == 0)
            return rows[i].losses;
    return 0;
}

static struct str
join(struct arena *a, struct str x, struct str y)
{
    char *p;

    if (x.n == 0 || y.n == 0)
        return x.n ? x : y;
    p = arena_alloc(a, x.n + y.n, 1);
    memcpy(p, x.p, x.n);
    memcpy(p + x.n, y.p, y.n);
    return str_of(p, x.n + y.n);
}

static struct ir_note *
canon_notes(struct arena *a, const struct ir_note *n, unsigned losses)
{
    struct ir_note *head = NULL, **tail = &head;

    for (; n && !(losses & LOSS_NOTES); n = n->next) {
        struct ir_note *copy = arena_new(a, struct ir_note);

        *copy = *n;
        copy->next = NULL;
        if (losses & LOSS_CITED)
            copy->cited = (struct str){NULL, 0};
        *tail = copy;
        tail = &copy->next;
    }
    return head;
}

static struct ir_block *
canon_block(struct arena *a, const struct ir_block *b, unsigned losses)
{
    struct ir_block *c = arena_new(a, struct ir_block);

    *c = *b;
    c->next = NULL;
    c->notes = canon_notes(a, b->notes, losses);
    if (b->kind == IR_REFUSAL && (losses & LOSS_REFUSAL))
        c->kind = IR_TEXT;
    if (b->kind == IR_CALL && b->text.n == 0 && !b->freeform)
        c->text = STR("{}");
    if (b->kind == IR_THINK) {
        while (ir_unseal(a, c->sig, c))
            ;
        /* A stream tells the id of the item before that of its maker is known. */
        c->sig_id = (struct str){NULL, 0};
        c->redacted = c->text.n == 0;
        c->summary = false; /* shown as one or the other, as clients like it */
        if (c->sig.n == 0)
            c->origin = NULL;
    }
    return c;
}

/* A block that says nothing. */
static bool
silent(const struct ir_block *b)
{
    switch (b->kind) {
    case IR_TEXT:
    case IR_REFUSAL:
        return b->text.n == 0 && !b->notes;
    case IR_THINK:
        return b->text.n == 0 && b->sig.n == 0;
    default:
        return false;
    }
}

/* Blocks of a kind as one, where the dialect has one. */
static struct ir_block **
append_kind(struct arena *a, struct ir_block **tail, struct ir_block *from, enum ir_kind kind)
{
    struct ir_block *one = NULL;

    for (; from; from = from->next) {
        struct ir_block *copy;

        if (from->kind != kind)
            continue;
        if (one && kind != IR_CALL && (kind != IR_THINK || !one->sig.n || !from->sig.n)) {
            struct ir_note **end = &one->notes;

            one->text = join(a, one->text, from->text);
            if (from->sig.n) {
                one->sig = from->sig;
                one->sig_id = from->sig_id;
                one->origin = from->origin;
            }
            one->redacted &= from->redacted;
            while (*end)
                end = &(*end)->next;
            *end = from->notes;
            continue;
        }
        copy = arena_new(a, struct ir_block);
        *copy = *from;
        copy->next = NULL;
        *tail = one = copy;
        tail = &copy->next;
    }
    return tail;
}

static void
canon_answer(struct arena *a, const struct ir_answer *from, unsigned losses,
             struct ir_answer *to)
{
    struct ir_block *all = NULL, **tail = &all;
    bool called = false, refused = false;

    *to = *from;
    for (const struct ir_block *b = from->blocks; b; b = b->next) {
        struct ir_block *c = canon_block(a, b, losses);

        called |= b->kind == IR_CALL;
        refused |= b->kind == IR_REFUSAL;
        if (silent(c))
            continue;
        *tail = c;
        tail = &c->next;
    }
    to->blocks = all;
    if (losses & LOSS_ORDER) {
        static const enum ir_kind order[] = {IR_THINK, IR_TEXT, IR_REFUSAL, IR_CALL};

        tail = &to->blocks;
        for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
            tail = append_kind(a, tail, all, order[i]);
        *tail = NULL;
    }
    if ((losses & LOSS_SEQUENCE) && to->stop == IR_STOP_SEQUENCE) {
        to->stop = IR_STOP_END;
        to->stop_text = (struct str){NULL, 0};
    }
    if (refused && (losses & LOSS_REFUSAL))
        to->stop = IR_STOP_FILTER;
    if (called && to->stop == IR_STOP_END)
        to->stop = IR_STOP_CALLS;
}

const char *
pairs_canon(struct arena *a, const struct ir_res *res, const struct dialect *from,
            const struct dialect *to)
{
    unsigned losses = losses_of(from) | losses_of(to);
    struct ir_res out = *res;
    int64_t *const figures[] = {&out.usage.input, &out.usage.output, &out.usage.cached,
                                &out.usage.reasoning, &out.usage.cache_write};

    out.answers = arena_array(a, struct ir_answer, res->n_answers);
    for (unsigned i = 0; i < res->n_answers; i++)
        canon_answer(a, &res->answers[i], losses, &out.answers[i]);
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        if (*figures[i] < 0)
            *figures[i] = 0;
    return ir_gen_dump(a, &out);
}

/* A result's text, whether it stands in one place or in parts. */
static struct str
result_text(struct arena *a, const struct ir_block *b)
{
    struct str text = b->text;

    for (const struct ir_block *part = b->sub; part; part = part->next)
        if (part->kind == IR_TEXT)
            text = join(a, text, part->text);
    return text;
}

static void
canon_req_block(struct arena *a, const struct ir_msg *m, const struct ir_block *b,
                struct buf *out)
{
    static const char *const roles[] = {"system", "user", "model", "tool"};
    struct ir_res one = {.n_answers = 1, .usage = IR_USAGE_UNKNOWN};
    struct ir_answer answer = {.blocks = canon_block(a, b, 0)};
    struct str text;

    one.answers = &answer;
    if (silent(answer.blocks))
        return;
    answer.blocks->cache_ttl = (struct str){NULL, 0};
    answer.blocks->sig_id = (struct str){NULL, 0};
    if (b->media && str_eq(b->media->detail, STR("auto"))) {
        answer.blocks->media = arena_new(a, struct ir_media);
        *answer.blocks->media = *b->media;
        answer.blocks->media->detail = (struct str){NULL, 0};
    }
    if (b->kind == IR_RESULT) {
        answer.blocks->text = result_text(a, b);
        answer.blocks->name = (struct str){NULL, 0};
        answer.blocks->sub = NULL;
    }
    text = str_z(ir_gen_dump(a, &one));
    (void)str_cut(text, '\n', &text); /* the answer's line */
    text = str_cut(text, '\n', &(struct str){NULL, 0});
    if (buf_printf(out, "%s%.*s\n", b->kind == IR_RESULT ? "tool" : roles[m->role],
                   STR_ARG(text)) != TG_OK)
        abort();
    for (const struct ir_block *part = b->sub; part; part = part->next)
        if (part->kind == IR_MEDIA)
            canon_req_block(a, m, part, out);
}

const char *
pairs_canon_req(struct arena *a, const struct ir_req *req)
{
    /* What a free-form tool is where tools take JSON. */
    const struct str wrapped = STR("{\"type\":\"object\",\"properties\":{\"input\":{\"type\":"
                                   "\"string\"}},\"required\":[\"input\"]}");
    struct buf b;
    tg_rc rc = TG_OK;
    const char *z;

    buf_init(&b, PAIRS_BYTES_MAX);
    for (const struct ir_msg *m = req->msgs; m; m = m->next)
        for (const struct ir_block *blk = m->blocks; blk; blk = blk->next)
            canon_req_block(a, m, blk, &b);
    for (const struct ir_tool *t = req->tools; t && rc == TG_OK; t = t->next)
        rc = buf_printf(&b, "tool %.*s: %.*s %.*s\n", STR_ARG(t->name), STR_ARG(t->description),
                        STR_ARG(t->freeform ? wrapped : t->schema));
    if (rc == TG_OK)
        rc = buf_printf(&b, "choice %d %.*s, parallel %d, max %lld, stream %d, choices %u\n",
                        (int)req->tool_choice, STR_ARG(req->tool_name), req->parallel_calls,
                        (long long)req->max_tokens, req->stream, req->choices);
    if (rc == TG_OK)
        rc = buf_printf(&b, "format %.*s, effort %d, user %.*s\n", STR_ARG(req->format_schema),
                        (int)req->effort, STR_ARG(req->user));
    if (rc != TG_OK)
        abort();
    z = arena_dup(a, buf_str(&b)).p;
    buf_fini(&b);
    return z;
}

static bool
listed(const struct ir_drops *drops, const char *names)
{
    struct str rest = str_z(names);

    while (rest.n) {
        struct str name = str_cut(rest, ' ', &rest);

        for (unsigned i = 0; i < drops->n; i++)
            if (str_starts(drops->name[i], name))
                return true;
    }
    return drops->more;
}

const char *
pairs_lost(struct arena *a, const struct ir_req *x, const struct ir_req *y,
           const struct ir_drops *drops)
{
    /* said before, said after, names that a client may know it by */
    const struct {
        bool before, after;
        const char *names;
    } rows[] = {
        {x->seed >= 0, y->seed >= 0, "seed"},
        {x->temperature.n, y->temperature.n, "temperature"},
        {x->top_p.n, y->top_p.n, "top_p"},
        {x->top_k.n, y->top_k.n, "top_k"},
        {x->presence_penalty.n, y->presence_penalty.n, "presence_penalty"},
        {x->frequency_penalty.n, y->frequency_penalty.n, "frequency_penalty"},
        {x->logit_bias.n, y->logit_bias.n, "logit_bias"},
        {x->prediction.n, y->prediction.n, "prediction"},
        {x->logprobs, y->logprobs, "logprobs include"},
        {x->top_logprobs >= 0, y->top_logprobs >= 0, "top_logprobs"},
        {x->verbosity.n, y->verbosity.n, "verbosity text.verbosity"},
        {x->metadata.n, y->metadata.n, "metadata"},
        {x->service_tier.n, y->service_tier.n, "service_tier"},
        {x->cache_key.n, y->cache_key.n, "prompt_cache_key"},
        {x->n_stop > 0, y->n_stop > 0, "stop stop_sequences"},
        {x->store == IR_YES, y->store == IR_YES, "store"},
        {x->format_json, y->format_json, "response_format text.format"},
        {x->user.n, y->user.n, "user safety_identifier metadata.user_id"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].before && !rows[i].after && !listed(drops, rows[i].names))
            return rows[i].names;
    for (const struct ir_ext *e = x->ext; e; e = e->next) {
        const struct ir_ext *still = y->ext;
        const char *name = arena_dup(a, e->name).p;

        while (still && !str_eq(still->name, e->name))
            still = still->next;
        if (!still && !listed(drops, name))
            return name;
    }
    return NULL;
}
