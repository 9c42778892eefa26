/* fold.c -- a stream of events folded into a whole response.
 *
 * Each choice keeps its blocks in the order they were opened, and apart from that a list of
 * those still open, which is what a delta looks through.  A block's text grows in the arena by
 * doubling: what is left behind is at most as much again as the text itself, and there is
 * nothing to free when a stream breaks.
 *
 * It is meant to stand behind the grammar checker, and is safe without it: an event that names
 * a choice or block it does not know is TG_EPROTO.
 */
#include "ir/fold.h"

#include "base/list.h"

struct open_block {
    struct ir_block *block;
    char *text;
    size_t n, cap;
    uint32_t number;
    struct open_block *next;
};

struct choice {
    struct ir_block **tail; /* where the next block is hooked in */
    struct open_block *open;
};

/* What an empty block costs of bytes_max, so that blocks without text are bounded too. */
enum { BLOCK_BYTES = sizeof(struct ir_block) + sizeof(struct open_block) };

static tg_rc
broken(struct ir_fold *f, const char *why)
{
    tg_rc rc = tg_fail(f->err, TG_EPROTO, TG_ERR_UPSTREAM, "upstream_protocol_error",
                       "the upstream's answer is out of order: %s", why);

    if (f->err)
        f->err->origin = TG_FROM_UPSTREAM;
    return rc;
}

static tg_rc
take_bytes(struct ir_fold *f, size_t n)
{
    tg_rc rc;

    if (n <= f->bytes_max - f->bytes) {
        f->bytes += n;
        return TG_OK;
    }
    rc = tg_fail(f->err, TG_ELIMIT, TG_ERR_UPSTREAM, "upstream_response_too_large",
                 "the upstream's answer is larger than the configured %zu bytes", f->bytes_max);
    if (f->err)
        f->err->origin = TG_FROM_UPSTREAM;
    return rc;
}

static tg_rc
open_block(struct ir_fold *f, struct choice *ch, const struct ir_event *ev)
{
    const struct ir_block *head = ev->head;
    struct open_block *o;
    tg_rc rc;

    if (!head)
        return broken(f, "a block without a head");
    rc = take_bytes(f, BLOCK_BYTES + head->id.n + head->name.n + head->raw.n);
    if (rc != TG_OK)
        return rc;
    o = arena_new(f->arena, struct open_block);
    o->number = ev->block;
    o->block = arena_new(f->arena, struct ir_block);
    *o->block = (struct ir_block){.kind = head->kind,
                                  .id = arena_dup(f->arena, head->id),
                                  .name = arena_dup(f->arena, head->name),
                                  .raw = arena_dup(f->arena, head->raw),
                                  .freeform = head->freeform};
    *ch->tail = o->block;
    ch->tail = &o->block->next;
    o->next = ch->open;
    ch->open = o;
    return TG_OK;
}

static struct open_block **
find_open(struct choice *ch, uint32_t number)
{
    struct open_block **at = &ch->open;

    while (*at && (*at)->number != number)
        at = &(*at)->next;
    return at;
}

static tg_rc
add_text(struct ir_fold *f, struct open_block *o, struct str text)
{
    tg_rc rc;

    if (!o)
        return broken(f, "text for a block that is not open");
    if (text.n == 0)
        return TG_OK;
    rc = take_bytes(f, text.n);
    if (rc != TG_OK)
        return rc;
    if (o->cap - o->n < text.n) {
        size_t cap = o->cap ? o->cap * 2 : 128;
        char *grown;

        while (cap - o->n < text.n)
            cap *= 2;
        grown = arena_alloc(f->arena, cap, 1);
        if (o->n)
            memcpy(grown, o->text, o->n);
        o->text = grown;
        o->cap = cap;
    }
    memcpy(o->text + o->n, text.p, text.n);
    o->n += text.n;
    return TG_OK;
}

static tg_rc
close_block(struct ir_fold *f, struct choice *ch, uint32_t number)
{
    struct open_block **at = find_open(ch, number), *o = *at;

    if (!o)
        return broken(f, "the end of a block that is not open");
    o->block->text = str_of(o->text, o->n);
    *at = o->next;
    return TG_OK;
}

static tg_rc
put(struct ir_sink *sink, const struct ir_event *ev)
{
    struct ir_fold *f = LIST_ITEM(sink, struct ir_fold, sink);
    struct choice *ch = f->state;

    if (ev->kind >= IR_EV_OPEN && ev->kind <= IR_EV_STOP) {
        if (ev->choice >= f->res.n_answers)
            return broken(f, "a choice that was not asked for");
        ch += ev->choice;
    }
    switch (ev->kind) {
    case IR_EV_OPEN:
        return open_block(f, ch, ev);
    case IR_EV_DELTA:
        return add_text(f, *find_open(ch, ev->block), ev->text);
    case IR_EV_CLOSE:
        return close_block(f, ch, ev->block);
    case IR_EV_STOP:
        f->res.answers[ev->choice].stop = ev->stop;
        return TG_OK;
    case IR_EV_USAGE:
        if (!ev->usage)
            return broken(f, "usage without figures");
        f->res.usage = *ev->usage;
        return TG_OK;
    case IR_EV_ERROR:
        if (!ev->err || ev->err->rc == TG_OK)
            return broken(f, "an error without a description");
        if (f->err)
            *f->err = *ev->err;
        return ev->err->rc;
    case IR_EV_START:
    case IR_EV_NOTE:
    case IR_EV_END:
        return TG_OK;
    case IR_EV_KIND_N:
        break;
    }
    return broken(f, "an event of no known kind");
}

void
ir_fold_init(struct ir_fold *f, struct arena *a, unsigned choices, size_t bytes_max,
             struct tg_err *err)
{
    struct choice *ch = arena_array(a, struct choice, choices);

    *f = (struct ir_fold){.sink = {put}, .arena = a, .err = err, .bytes_max = bytes_max};
    f->res.answers = arena_array(a, struct ir_answer, choices);
    f->res.n_answers = choices;
    f->res.usage = IR_USAGE_UNKNOWN;
    for (unsigned i = 0; i < choices; i++)
        ch[i].tail = &f->res.answers[i].blocks;
    f->state = ch;
}
