/* fold.c -- a stream of events folded into a whole response.
 *
 * Each choice keeps its blocks in the order they were opened, and apart from that a list of
 * those still open, which is what a delta looks through.  A block's text grows in the arena by
 * doubling: what is left behind is at most as much again as the text itself, and there is
 * nothing to free when a stream breaks.  Citations are kept in the order they came, and lists
 * of log probabilities become one list.
 *
 * It is meant to stand behind the grammar checker, and is safe without it: an event that names
 * a choice or block it does not know is TG_EPROTO.
 */
#include "ir/fold.h"

#include "base/list.h"

/* Bytes that grow by doubling. */
struct grown {
    char *p;
    size_t n, cap;
};

struct open_block {
    struct ir_block *block;
    struct ir_note **note_tail;
    struct grown text, logprobs; /* logprobs: an array without its closing bracket */
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
    return tg_upstream_fail(f->err, TG_EPROTO, "upstream_protocol_error",
                            "the upstream's answer is out of order: %s", why);
}

static tg_rc
take_bytes(struct ir_fold *f, size_t n)
{
    if (n <= f->bytes_max - f->bytes) {
        f->bytes += n;
        return TG_OK;
    }
    return tg_upstream_fail(f->err, TG_ELIMIT, "upstream_response_too_large",
                            "the upstream's answer is larger than the configured %zu bytes",
                            f->bytes_max);
}

/* Bytes of the texts that a copy of a head takes along. */
static size_t
head_bytes(const struct ir_block *h)
{
    const struct ir_media *m = h->media;
    size_t n = h->id.n + h->name.n + h->raw.n + h->sig.n + h->sig_id.n;

    if (m)
        n += sizeof *m + m->mime.n + m->data.n + m->url.n + m->file_id.n + m->text.n +
             m->name.n + m->context.n + m->detail.n + m->format.n;
    return n;
}

static const char *
copy_origin(struct arena *a, const char *origin)
{
    return origin ? arena_dup(a, str_z(origin)).p : NULL;
}

static struct ir_media *
copy_media(struct arena *a, const struct ir_media *m)
{
    struct ir_media *copy;

    if (!m)
        return NULL;
    copy = arena_new(a, struct ir_media);
    *copy = (struct ir_media){.kind = m->kind,
                              .mime = arena_dup(a, m->mime),
                              .data = arena_dup(a, m->data),
                              .url = arena_dup(a, m->url),
                              .file_id = arena_dup(a, m->file_id),
                              .text = arena_dup(a, m->text),
                              .name = arena_dup(a, m->name),
                              .context = arena_dup(a, m->context),
                              .detail = arena_dup(a, m->detail),
                              .format = arena_dup(a, m->format)};
    return copy;
}

static tg_rc
open_block(struct ir_fold *f, struct choice *ch, const struct ir_event *ev)
{
    const struct ir_block *head = ev->head;
    struct open_block *o;
    tg_rc rc;

    if (!head)
        return broken(f, "a block without a head");
    rc = take_bytes(f, BLOCK_BYTES + head_bytes(head));
    if (rc != TG_OK)
        return rc;
    o = arena_new(f->arena, struct open_block);
    o->number = ev->block;
    o->block = arena_new(f->arena, struct ir_block);
    *o->block = (struct ir_block){.kind = head->kind,
                                  .id = arena_dup(f->arena, head->id),
                                  .name = arena_dup(f->arena, head->name),
                                  .raw = arena_dup(f->arena, head->raw),
                                  .sig = arena_dup(f->arena, head->sig),
                                  .sig_id = arena_dup(f->arena, head->sig_id),
                                  .origin = copy_origin(f->arena, head->origin),
                                  .redacted = head->redacted,
                                  .summary = head->summary,
                                  .freeform = head->freeform,
                                  .media = copy_media(f->arena, head->media)};
    o->note_tail = &o->block->notes;
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
grow(struct ir_fold *f, struct grown *g, struct str more)
{
    tg_rc rc = take_bytes(f, more.n);

    if (rc != TG_OK || more.n == 0)
        return rc;
    if (g->cap - g->n < more.n) {
        size_t cap = g->cap ? g->cap * 2 : 128;
        char *p;

        while (cap - g->n < more.n)
            cap *= 2;
        p = arena_alloc(f->arena, cap, 1);
        if (g->n)
            memcpy(p, g->p, g->n);
        g->p = p;
        g->cap = cap;
    }
    memcpy(g->p + g->n, more.p, more.n);
    g->n += more.n;
    return TG_OK;
}

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The elements of an array behind those of the arrays before. */
static tg_rc
add_logprobs(struct ir_fold *f, struct open_block *o, struct str array)
{
    tg_rc rc;

    if (o->block->kind != IR_TEXT || array.n < 2 || array.p[0] != '[' ||
        !str_ends(array, STR("]")))
        return broken(f, "log probabilities that are no list or of no text");
    array = str_of(array.p + 1, array.n - 2);
    while (array.n && is_space(array.p[0]))
        array = str_from(array, 1);
    while (array.n && is_space(array.p[array.n - 1]))
        array.n--;
    if (array.n == 0)
        return TG_OK;
    rc = grow(f, &o->logprobs, o->logprobs.n ? STR(",") : STR("["));
    return rc == TG_OK ? grow(f, &o->logprobs, array) : rc;
}

static tg_rc
add_delta(struct ir_fold *f, struct open_block *o, const struct ir_event *ev)
{
    tg_rc rc;

    if (!o)
        return broken(f, "text for a block that is not open");
    rc = grow(f, &o->text, ev->text);
    return rc == TG_OK && ev->logprobs.n ? add_logprobs(f, o, ev->logprobs) : rc;
}

static tg_rc
add_note(struct ir_fold *f, struct open_block *o, const struct ir_note *note)
{
    struct ir_note *copy;
    tg_rc rc;

    if (!o || o->block->kind != IR_TEXT || !note)
        return broken(f, "a citation in a block that is not open text");
    rc = take_bytes(f, sizeof *note + note->url.n + note->title.n + note->cited.n);
    if (rc != TG_OK)
        return rc;
    copy = arena_new(f->arena, struct ir_note);
    *copy = (struct ir_note){.url = arena_dup(f->arena, note->url),
                             .title = arena_dup(f->arena, note->title),
                             .cited = arena_dup(f->arena, note->cited),
                             .start = note->start,
                             .end = note->end};
    *o->note_tail = copy;
    o->note_tail = &copy->next;
    return TG_OK;
}

/* What is known of a THINK block only at its end.  The flags may have been said before. */
static tg_rc
add_proof(struct ir_fold *f, struct ir_block *b, const struct ir_block *proof)
{
    tg_rc rc = take_bytes(f, proof->sig.n + proof->sig_id.n);

    if (rc != TG_OK)
        return rc;
    if (proof->sig.n)
        b->sig = arena_dup(f->arena, proof->sig);
    if (proof->sig_id.n)
        b->sig_id = arena_dup(f->arena, proof->sig_id);
    if (proof->origin)
        b->origin = copy_origin(f->arena, proof->origin);
    b->redacted |= proof->redacted;
    b->summary |= proof->summary;
    return TG_OK;
}

static tg_rc
close_block(struct ir_fold *f, struct choice *ch, const struct ir_event *ev)
{
    struct open_block **at = find_open(ch, ev->block), *o = *at;
    tg_rc rc = TG_OK;

    if (!o)
        return broken(f, "the end of a block that is not open");
    if (ev->head && o->block->kind == IR_THINK)
        rc = add_proof(f, o->block, ev->head);
    if (rc == TG_OK && o->logprobs.n)
        rc = grow(f, &o->logprobs, STR("]"));
    o->block->text = str_of(o->text.p, o->text.n);
    o->block->logprobs = str_of(o->logprobs.p, o->logprobs.n);
    *at = o->next;
    return rc;
}

static tg_rc
stop_choice(struct ir_fold *f, const struct ir_event *ev)
{
    struct ir_answer *answer = &f->res.answers[ev->choice];
    tg_rc rc = take_bytes(f, ev->text.n);

    if (rc != TG_OK)
        return rc;
    answer->stop = ev->stop;
    if (ev->text.n)
        answer->stop_text = arena_dup(f->arena, ev->text);
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
        return add_delta(f, *find_open(ch, ev->block), ev);
    case IR_EV_NOTE:
        return add_note(f, *find_open(ch, ev->block), ev->note);
    case IR_EV_CLOSE:
        return close_block(f, ch, ev);
    case IR_EV_STOP:
        return stop_choice(f, ev);
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
