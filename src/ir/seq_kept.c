/* seq_kept.c -- keeps what an event lends until it can be put: copies, counted.
 *
 * A head's texts lie behind the struct that holds it; a mark's behind the mark.
 */
#include "ir/seq_kept.h"

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

tg_rc
seq_broken(struct ir_seq *s, const char *why)
{
    return tg_upstream_fail(s->err, TG_EPROTO, "upstream_protocol_error",
                            "the upstream's answer is out of order: %s", why);
}

static tg_rc
take_bytes(struct ir_seq *s, size_t *cost, size_t n)
{
    if (n <= s->held_max - s->held) {
        s->held += n;
        *cost += n;
        return TG_OK;
    }
    return tg_upstream_fail(
        s->err, TG_ELIMIT, "upstream_protocol_error",
        "the upstream's blocks overlap by more than the configured %zu bytes", s->held_max);
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

tg_rc
seq_keep(struct ir_seq *s, struct list *to, const struct ir_event *ev)
{
    size_t cost = 0, n = head_bytes(ev->head);
    tg_rc rc = take_bytes(s, &cost, sizeof(struct seq_kept) + n);
    struct seq_kept *k;

    if (rc != TG_OK)
        return rc;
    k = mem_alloc(sizeof *k + n);
    k->cost = cost;
    k->number = ev->block;
    k->head = copy_head(ev->head, (char *)(k + 1));
    buf_init(&k->text, s->held_max);
    list_init(&k->marks);
    list_add_tail(to, &k->list);
    return TG_OK;
}

static tg_rc
keep_mark(struct ir_seq *s, struct seq_kept *k, struct kept_mark **ret, size_t n)
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
keep_note(struct ir_seq *s, struct seq_kept *k, const struct ir_note *note)
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
keep_delta(struct ir_seq *s, struct seq_kept *k, const struct ir_event *ev)
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
keep_proof(struct ir_seq *s, struct seq_kept *k, const struct ir_block *proof)
{
    size_t n = head_bytes(proof);
    tg_rc rc = take_bytes(s, &k->cost, sizeof *proof + n);

    if (rc != TG_OK)
        return rc;
    k->proof = mem_alloc(sizeof *proof + n);
    *k->proof = copy_head(proof, (char *)(k->proof + 1));
    return TG_OK;
}

tg_rc
seq_keep_more(struct ir_seq *s, struct seq_kept *k, const struct ir_event *ev)
{
    tg_rc rc = TG_OK;

    switch (ev->kind) {
    case IR_EV_DELTA:
        return keep_delta(s, k, ev);
    case IR_EV_NOTE:
        return ev->note ? keep_note(s, k, ev->note)
                        : seq_broken(s, "a citation without its source");
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

void
seq_kept_free(struct ir_seq *s, struct seq_kept *k)
{
    LIST_FOREACH_SAFE (it, tmp, &k->marks)
        free_mark(s, LIST_ITEM(it, struct kept_mark, list));
    s->held -= k->cost;
    list_del(&k->list);
    buf_fini(&k->text);
    mem_free(k->proof);
    mem_free(k);
}

tg_rc
seq_kept_put(struct ir_seq *s, const struct seq_kept *k, uint32_t number)
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
