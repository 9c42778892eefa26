/* seq.c -- one open block at a time.
 *
 * At any moment at most one block is open downstream, the front.  What comes for it passes;
 * what comes for a block that was opened later is kept with that block: its head, its text in
 * one buffer, its citations and log probabilities with their place in the text, and whether it
 * has closed. When the front closes, the oldest kept block is opened downstream and what was
 * kept of it follows; if it had closed already it closes, and the next one's turn comes at
 * once.
 *
 * Empty deltas end here: some sources send them, and no client is any the wiser for one.
 *
 * Numbers downstream are our own count of the blocks opened there, so they are dense and in
 * order of opening.  An answer's stop cannot come before all its blocks have closed, and when
 * all have closed none is kept any more: so stop, usage and end wait for nothing, and nothing
 * passes them.  An error passes at once, and what is kept then is thrown away: the answer is
 * lost, and its rest would only delay the news.
 *
 * Invariants
 *  (1) held counts every byte kept, bookkeeping included, so that a block without text costs
 *      too; it never exceeds held_max.
 *  (2) The front was opened before every kept block, and the list is in order of opening.
 */
#include "ir/seq.h"

#include "base/list.h"
#include "base/mem.h"
#include "ir/unfold.h"

/* A citation kept, or the log probabilities of a part of the text; the texts lie behind the
 * struct. */
struct kept_mark {
    struct list list;
    bool cites;
    struct ir_note note;
    struct str logprobs;
    size_t from, at; /* bytes of text before what it is about, and before it */
    size_t cost;
};

/* A block kept; the texts of its heads lie behind the struct that holds them. */
struct kept {
    struct list list;
    uint32_t number; /* the source's */
    struct ir_block head;
    struct ir_block *proof; /* the head of its CLOSE, or NULL */
    bool closed;
    struct buf text;
    struct list marks;
    size_t cost; /* of everything but the marks */
};

struct seq_state {
    bool front_open;
    uint32_t front;  /* the source's number of it      */
    uint32_t opened; /* blocks opened downstream       */
    struct list kept;
};

static tg_rc
broken(struct ir_seq *s, const char *why)
{
    tg_rc rc = tg_fail(s->err, TG_EPROTO, TG_ERR_UPSTREAM, "upstream_protocol_error",
                       "the upstream's answer is out of order: %s", why);

    if (s->err)
        s->err->origin = TG_FROM_UPSTREAM;
    return rc;
}

static tg_rc
take_bytes(struct ir_seq *s, size_t *cost, size_t n)
{
    tg_rc rc;

    if (n <= s->held_max - s->held) {
        s->held += n;
        *cost += n;
        return TG_OK;
    }
    rc = tg_fail(s->err, TG_ELIMIT, TG_ERR_UPSTREAM, "upstream_protocol_error",
                 "the upstream's blocks overlap by more than the configured %zu bytes",
                 s->held_max);
    if (s->err)
        s->err->origin = TG_FROM_UPSTREAM;
    return rc;
}

static struct str
move_text(char **p, struct str s)
{
    struct str moved = {*p, s.n};

    if (s.n)
        memcpy(*p, s.p, s.n);
    *p += s.n;
    return moved;
}

static size_t
head_bytes(const struct ir_block *h)
{
    const struct ir_media *m = h->media;
    size_t n = h->id.n + h->name.n + h->raw.n + h->sig.n + h->sig_id.n +
               (h->origin ? strlen(h->origin) + 1 : 0);

    if (m)
        n += sizeof *m + m->mime.n + m->data.n + m->url.n + m->file_id.n + m->text.n +
             m->name.n + m->context.n + m->detail.n + m->format.n;
    return n;
}

/* Copies what an event's head says; texts, media and origin go to p, which has room for
 * head_bytes(h) and is aligned for a struct ir_media. */
static struct ir_block
copy_head(const struct ir_block *h, char *p)
{
    struct ir_block to = {.kind = h->kind,
                          .redacted = h->redacted,
                          .summary = h->summary,
                          .freeform = h->freeform};

    if (h->media) {
        struct ir_media *m = (struct ir_media *)(void *)p;
        struct str *const texts[] = {&m->mime, &m->data,    &m->url,    &m->file_id, &m->text,
                                     &m->name, &m->context, &m->detail, &m->format};

        *m = *h->media;
        p += sizeof *m;
        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
            *texts[i] = move_text(&p, *texts[i]);
        to.media = m;
    }
    to.id = move_text(&p, h->id);
    to.name = move_text(&p, h->name);
    to.raw = move_text(&p, h->raw);
    to.sig = move_text(&p, h->sig);
    to.sig_id = move_text(&p, h->sig_id);
    if (h->origin)
        to.origin = move_text(&p, str_of(h->origin, strlen(h->origin) + 1)).p;
    return to;
}

static tg_rc
keep_block(struct ir_seq *s, const struct ir_event *ev)
{
    struct seq_state *st = s->state;
    size_t cost = 0, n = head_bytes(ev->head);
    tg_rc rc = take_bytes(s, &cost, sizeof(struct kept) + n);
    struct kept *k;

    if (rc != TG_OK)
        return rc;
    k = mem_alloc(sizeof *k + n);
    k->cost = cost;
    k->number = ev->block;
    k->head = copy_head(ev->head, (char *)(k + 1));
    buf_init(&k->text, s->held_max);
    list_init(&k->marks);
    list_add_tail(&st->kept, &k->list);
    return TG_OK;
}

static tg_rc
keep_mark(struct ir_seq *s, struct kept *k, struct kept_mark **ret, size_t n)
{
    size_t cost = 0;
    tg_rc rc = take_bytes(s, &cost, sizeof(struct kept_mark) + n);

    if (rc != TG_OK)
        return rc;
    *ret = mem_alloc(sizeof **ret + n);
    (*ret)->cost = cost;
    (*ret)->from = (*ret)->at = k->text.n;
    list_add_tail(&k->marks, &(*ret)->list);
    return TG_OK;
}

static tg_rc
keep_note(struct ir_seq *s, struct kept *k, const struct ir_note *note)
{
    struct kept_mark *mark;
    tg_rc rc = keep_mark(s, k, &mark, note->url.n + note->title.n + note->cited.n);
    char *p;

    if (rc != TG_OK)
        return rc;
    p = (char *)(mark + 1);
    mark->cites = true;
    mark->note = (struct ir_note){.url = move_text(&p, note->url),
                                  .title = move_text(&p, note->title),
                                  .cited = move_text(&p, note->cited),
                                  .start = note->start,
                                  .end = note->end};
    return TG_OK;
}

static tg_rc
keep_delta(struct ir_seq *s, struct kept *k, const struct ir_event *ev)
{
    struct kept_mark *mark;
    tg_rc rc = take_bytes(s, &k->cost, ev->text.n);
    char *p;

    if (rc == TG_OK)
        rc = buf_append(&k->text, ev->text);
    if (rc == TG_OK && ev->logprobs.n) {
        rc = keep_mark(s, k, &mark, ev->logprobs.n);
        if (rc != TG_OK)
            return rc;
        p = (char *)(mark + 1);
        mark->from -= ev->text.n;
        mark->logprobs = move_text(&p, ev->logprobs);
    }
    return rc;
}

static tg_rc
keep_proof(struct ir_seq *s, struct kept *k, const struct ir_block *proof)
{
    size_t n = head_bytes(proof);
    tg_rc rc = take_bytes(s, &k->cost, sizeof *proof + n);

    if (rc != TG_OK)
        return rc;
    k->proof = mem_alloc(sizeof *proof + n);
    *k->proof = copy_head(proof, (char *)(k->proof + 1));
    return TG_OK;
}

/* More of a block whose turn has not come. */
static tg_rc
keep_more(struct ir_seq *s, struct kept *k, const struct ir_event *ev)
{
    tg_rc rc = TG_OK;

    switch (ev->kind) {
    case IR_EV_DELTA:
        return keep_delta(s, k, ev);
    case IR_EV_NOTE:
        return ev->note ? keep_note(s, k, ev->note)
                        : broken(s, "a citation without its source");
    default:
        if (ev->head)
            rc = keep_proof(s, k, ev->head);
        k->closed = rc == TG_OK;
        return rc;
    }
}

static void
free_mark(struct ir_seq *s, struct kept_mark *mark)
{
    s->held -= mark->cost;
    list_del(&mark->list);
    mem_free(mark);
}

static void
free_kept(struct ir_seq *s, struct kept *k)
{
    LIST_FOREACH_SAFE (it, tmp, &k->marks)
        free_mark(s, LIST_ITEM(it, struct kept_mark, list));
    s->held -= k->cost;
    list_del(&k->list);
    buf_fini(&k->text);
    mem_free(k->proof);
    mem_free(k);
}

/* Text, log probabilities and citations of k, in the order they came. */
static tg_rc
let_out_text(struct ir_seq *s, const struct kept *k, uint32_t number)
{
    struct str text = buf_str(&k->text);
    size_t done = 0;
    tg_rc rc = TG_OK;

    LIST_FOREACH (it, &k->marks) {
        const struct kept_mark *mark = LIST_ITEM(it, struct kept_mark, list);
        struct ir_event ev = {.kind = IR_EV_NOTE, .block = number, .note = &mark->note};

        rc = ir_put_text(s->next, &ev, str_from(str_of(text.p, mark->from), done));
        done = mark->at;
        if (!mark->cites)
            ev = (struct ir_event){.kind = IR_EV_DELTA,
                                   .block = number,
                                   .text = str_from(str_of(text.p, mark->at), mark->from),
                                   .logprobs = mark->logprobs};
        if (rc == TG_OK)
            rc = s->next->put(s->next, &ev);
        if (rc != TG_OK)
            return rc;
    }
    return ir_put_text(s->next, &(struct ir_event){.block = number}, str_from(text, done));
}

/* The oldest kept blocks, up to and with the first that is still open: that one becomes the
 * front.  What fails stays kept for ir_seq_fini. */
static tg_rc
let_out(struct ir_seq *s)
{
    struct seq_state *st = s->state;
    struct list *first;

    while (!st->front_open && (first = list_first(&st->kept))) {
        struct kept *k = LIST_ITEM(first, struct kept, list);
        struct ir_event ev = {.kind = IR_EV_OPEN, .block = st->opened++, .head = &k->head};
        tg_rc rc = s->next->put(s->next, &ev);

        if (rc == TG_OK)
            rc = let_out_text(s, k, ev.block);
        if (rc == TG_OK && k->closed) {
            ev.kind = IR_EV_CLOSE;
            ev.head = k->proof;
            rc = s->next->put(s->next, &ev);
        }
        if (rc != TG_OK)
            return rc;
        st->front_open = !k->closed;
        st->front = k->number;
        free_kept(s, k);
    }
    return TG_OK;
}

static tg_rc
on_open(struct ir_seq *s, const struct ir_event *ev)
{
    struct seq_state *st = s->state;
    struct ir_event out = *ev;

    if (!ev->head)
        return broken(s, "a block without a head");
    if (st->front_open)
        return keep_block(s, ev);
    st->front_open = true;
    st->front = ev->block;
    out.block = st->opened++;
    return s->next->put(s->next, &out);
}

static tg_rc
on_more(struct ir_seq *s, const struct ir_event *ev)
{
    struct seq_state *st = s->state;
    struct ir_event out = *ev;
    tg_rc rc;

    if (ev->kind == IR_EV_DELTA && ev->text.n == 0 && ev->logprobs.n == 0)
        return TG_OK;
    if (st->front_open && st->front == ev->block) {
        out.block = st->opened - 1;
        if (ev->kind != IR_EV_CLOSE)
            return s->next->put(s->next, &out);
        st->front_open = false;
        rc = s->next->put(s->next, &out);
        return rc == TG_OK ? let_out(s) : rc;
    }
    for (struct list *it = st->kept.prev; it != &st->kept; it = it->prev) {
        struct kept *k = LIST_ITEM(it, struct kept, list);

        if (k->number == ev->block && !k->closed)
            return keep_more(s, k, ev);
    }
    return broken(s, "more of a block that is not open");
}

static void
forget(struct ir_seq *s)
{
    struct seq_state *st = s->state;

    if (!st)
        return;
    LIST_FOREACH_SAFE (it, tmp, &st->kept)
        free_kept(s, LIST_ITEM(it, struct kept, list));
}

static tg_rc
put(struct ir_sink *sink, const struct ir_event *ev)
{
    struct ir_seq *s = LIST_ITEM(sink, struct ir_seq, sink);
    struct seq_state *st = s->state;

    if (ev->kind >= IR_EV_OPEN && ev->kind <= IR_EV_STOP && ev->choice != 0)
        return broken(s, "a choice that was not asked for");
    switch (ev->kind) {
    case IR_EV_OPEN:
        return on_open(s, ev);
    case IR_EV_DELTA:
    case IR_EV_NOTE:
    case IR_EV_CLOSE:
        return on_more(s, ev);
    case IR_EV_STOP:
    case IR_EV_USAGE:
    case IR_EV_END:
        if (st->front_open || !list_empty(&st->kept))
            return broken(s, "it ended with a block open");
        break;
    case IR_EV_ERROR:
        forget(s);
        break;
    case IR_EV_START:
    case IR_EV_KIND_N:
        break;
    }
    return s->next->put(s->next, ev);
}

void
ir_seq_init(struct ir_seq *s, struct arena *a, size_t held_max, struct ir_sink *next,
            struct tg_err *err)
{
    struct seq_state *st = arena_new(a, struct seq_state);

    list_init(&st->kept);
    *s = (struct ir_seq){
        .sink = {put}, .next = next, .arena = a, .err = err, .held_max = held_max, .state = st};
}

void
ir_seq_fini(struct ir_seq *s)
{
    forget(s);
}
