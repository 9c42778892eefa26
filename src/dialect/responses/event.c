/* event.c -- events written as the records of a Responses stream.
 *
 *   created, in_progress
 *   for each item:  output_item.added ... output_item.done
 *     message:      for each part: content_part.added, deltas, text.done, content_part.done
 *     reasoning:    when it has text: summary_part.added, deltas, text.done, part.done
 *     call:         deltas, arguments.done
 *   completed, incomplete or failed
 *
 * Text blocks that follow each other are parts of one message, so whether an item is done shows
 * only when the next block begins or the answer stops; then it is known too whether it was cut.
 * Blocks come one at a time (the sequencer sees to that).  Summaries get their part with the
 * first text, so reasoning that is only a proof has none.
 *
 * Invariants
 *  (1) Numbers run 0, 1, 2 ... over all records, signs of life included; every added has its
 *      done, unless the answer fails before.
 *  (2) A done record's text is that of the deltas before it, and the last record's output is
 *      the items that were said to be done.
 *  (3) Records are appended whole or not at all, and then nothing is remembered of them.
 */
#include "dialect/responses/enc_int.h"

enum {
    ITEMS_MAX = 4096,
    TEXT_MAX = 32 << 20 /* of one answer, kept for the last record */
};

/* The last item is whole, or as whole as it will get. */
static void
finish_item(struct responses_out *o, bool cut)
{
    struct responses_item *it = o->st->last;

    if (!o->st->item_open)
        return;
    it->cut = cut;
    responses_put_item_record(o, "response.output_item.done", it, false);
    o->st->item_open = false;
}

static void
open_item(struct responses_out *o, const struct ir_block *head)
{
    struct responses_item *it;

    finish_item(o, false);
    it = responses_new_item(o->e, o->st, head);
    responses_put_item_record(o, "response.output_item.added", it, true);
    if (o->r.rc != TG_OK)
        return;
    responses_link_item(o->st, it);
    o->st->item_open = true;
}

/* The part is added before it is written, and taken off again should that fail. */
static void
open_part(struct responses_out *o, enum ir_kind kind)
{
    struct responses_item *it = o->st->last;
    struct responses_part *before = it->last_part;
    struct responses_part *part = responses_add_part(o->e->arena, it, kind);

    responses_put_part_record(o, "response.content_part.added", it, part, true);
    if (o->r.rc == TG_OK)
        return;
    it->n_parts--;
    it->last_part = before;
    if (before)
        before->next = NULL;
    else
        it->parts = NULL;
}

static tg_rc
on_open(struct responses_out *o, const struct ir_event *ev)
{
    struct responses_enc *st = o->st;
    const struct ir_block *head = ev->head;
    bool spoken;

    if (!head || st->block_open || st->stopped)
        return TG_EPROTO;
    spoken = head->kind == IR_TEXT || head->kind == IR_REFUSAL;
    if (!spoken && head->kind != IR_THINK && head->kind != IR_CALL)
        return TG_EINVAL;
    if (st->n_items == ITEMS_MAX)
        return TG_ELIMIT;
    if (!spoken || !st->item_open || st->last->kind != IR_TEXT)
        open_item(o, head);
    if (o->r.rc == TG_OK && spoken)
        open_part(o, head->kind);
    if (o->r.rc != TG_OK)
        return o->r.rc;
    st->block_open = true;
    st->block = ev->block;
    st->delta_head = responses_delta_head(o, st->last);
    return TG_OK;
}

/* JSON on one line: a line break stands between two tokens and ends a record. */
static struct str
one_line(struct arena *a, struct str json)
{
    char *p;

    if (json.n == 0 || (!memchr(json.p, '\n', json.n) && !memchr(json.p, '\r', json.n)))
        return json;
    json = arena_dup(a, json);
    p = (char *)(uintptr_t)json.p;
    for (size_t i = 0; i < json.n; i++)
        if (p[i] == '\n' || p[i] == '\r')
            p[i] = ' ';
    return json;
}

static void
add_elements(struct arena *a, struct responses_text *list, struct str elements)
{
    if (list->n)
        responses_text_add(a, list, STR(","));
    responses_text_add(a, list, elements);
}

/* The array for a delta: what was held back, and its own. */
static struct str
logprobs_of(struct responses_out *o, const struct responses_part *p, struct str elements)
{
    struct arena *a = o->e->arena;
    struct str held = responses_text_join(a, &p->held);

    return arena_printf(a, "[%.*s%s%.*s]", STR_ARG(held), held.n && elements.n ? "," : "",
                        STR_ARG(elements));
}

/* Log probabilities are kept for the records that repeat the text.  Those of a token without
 * text (half of a character) go with the next one that has some: a delta is never empty. */
static tg_rc
on_delta(struct responses_out *o, const struct ir_event *ev)
{
    struct responses_enc *st = o->st;
    struct responses_item *it = st->last;
    struct responses_part *p = it && it->kind == IR_TEXT ? it->last_part : NULL;
    struct str elements = {NULL, 0}, logprobs = elements;

    if (!it || !st->block_open || st->block != ev->block)
        return TG_EPROTO;
    if (ev->logprobs.n && p && p->kind == IR_TEXT)
        elements = one_line(o->e->arena, responses_elements(ev->logprobs));
    if (ev->text.n > TEXT_MAX - st->bytes || elements.n > TEXT_MAX - st->bytes - ev->text.n)
        return TG_ELIMIT;
    if (ev->text.n) {
        if (it->kind == IR_THINK && it->text.n == 0)
            responses_put_summary_record(o, "response.reasoning_summary_part.added", it, true);
        if (p && (elements.n || p->held.n))
            logprobs = logprobs_of(o, p, elements);
        responses_put_delta(o, it, ev->text, logprobs);
        if (o->r.rc != TG_OK)
            return o->r.rc;
        responses_text_add(o->e->arena, p ? &p->text : &it->text, ev->text);
        st->bytes += ev->text.n;
        if (p)
            p->held = (struct responses_text){NULL, NULL, 0};
    } else if (elements.n) {
        add_elements(o->e->arena, &p->held, elements);
    }
    if (elements.n)
        add_elements(o->e->arena, &p->logprobs, elements);
    st->bytes += elements.n;
    return TG_OK;
}

/* Places that are not known become the text so far. */
static int64_t
characters(const struct responses_text *t)
{
    int64_t n = 0;

    for (const struct responses_piece *i = t->first; i; i = i->next)
        for (size_t k = 0; k < i->n; k++)
            n += ((unsigned char)i->p[k] & 0xc0) != 0x80;
    return n;
}

static tg_rc
on_note(struct responses_out *o, const struct ir_event *ev)
{
    struct responses_enc *st = o->st;
    struct responses_part *p = st->block_open ? st->last->last_part : NULL;
    struct ir_note *n;

    if (!ev->note || !p || p->kind != IR_TEXT || st->block != ev->block)
        return TG_EPROTO;
    if (p->n_notes == ITEMS_MAX)
        return TG_OK;
    n = arena_new(o->e->arena, struct ir_note);
    *n = (struct ir_note){.url = arena_dup(o->e->arena, ev->note->url),
                          .title = arena_dup(o->e->arena, ev->note->title),
                          .start = ev->note->start < 0 ? 0 : ev->note->start,
                          .end = ev->note->end < 0 ? characters(&p->text) : ev->note->end};
    responses_put_note_record(o, st->last, n);
    if (o->r.rc != TG_OK)
        return o->r.rc;
    *p->notes_tail = n;
    p->notes_tail = &n->next;
    p->n_notes++;
    return TG_OK;
}

/* Arguments that came as nothing are an empty object. */
static void
settle_call(struct responses_out *o, struct responses_item *it)
{
    static const struct str nothing;

    if (it->custom || it->text.n)
        return;
    responses_put_delta(o, it, STR("{}"), nothing);
    if (o->r.rc == TG_OK)
        responses_text_add(o->e->arena, &it->text, STR("{}"));
}

static tg_rc
on_close(struct responses_out *o, const struct ir_event *ev)
{
    struct responses_enc *st = o->st;
    struct responses_item *it = st->last;
    struct responses_text before;

    if (!st->block_open || st->block != ev->block)
        return TG_EPROTO;
    before = it->text;
    if (it->kind == IR_CALL)
        settle_call(o, it);
    if (it->kind == IR_TEXT)
        responses_end_part(o->e->arena, it->last_part);
    if (it->kind == IR_THINK && ev->head)
        it->proof = responses_proof(o->e->arena, ev->head);
    if (it->kind != IR_THINK || it->text.n)
        responses_put_text_done(o, it);
    if (it->kind == IR_THINK && it->text.n)
        responses_put_summary_record(o, "response.reasoning_summary_part.done", it, false);
    if (it->kind == IR_TEXT)
        responses_put_part_record(o, "response.content_part.done", it, it->last_part, false);
    st->block_open = false;
    if (o->r.rc != TG_OK)
        it->text = before;
    return o->r.rc;
}

static tg_rc
on_stop(struct responses_out *o, const struct ir_event *ev)
{
    struct responses_enc *st = o->st;

    if (st->block_open || st->stopped)
        return TG_EPROTO;
    finish_item(o, responses_status_of(ev->stop) == RESPONSES_INCOMPLETE);
    st->stop = ev->stop;
    st->stopped = true;
    return o->r.rc;
}

/* What is open is never said to be done: clients run a call, and keep a message, when they are
 * told that it is, and half of one must not be run. */
static tg_rc
on_error(struct responses_out *o, const struct ir_event *ev)
{
    struct responses_enc *st = o->st;

    if (!ev->err)
        return TG_EPROTO;
    if (!st->begun)
        return responses_encode_error_record(ev->err, o->r.b);
    st->n_items -= st->item_open;
    responses_put_object_record(o, "response.failed", RESPONSES_FAILED, ev->err);
    if (o->r.rc != TG_OK)
        st->n_items += st->item_open;
    return o->r.rc;
}

static tg_rc
on_end(struct responses_out *o)
{
    enum responses_status status = responses_status_of(o->st->stop);

    responses_put_object_record(
        o, status == RESPONSES_INCOMPLETE ? "response.incomplete" : "response.completed",
        status, NULL);
    record_put(&o->r, dialect_responses.stream_end);
    return o->r.rc;
}

static tg_rc
on_start(struct responses_out *o)
{
    responses_put_object_record(o, "response.created", RESPONSES_IN_PROGRESS, NULL);
    responses_put_object_record(o, "response.in_progress", RESPONSES_IN_PROGRESS, NULL);
    o->st->begun = true;
    return o->r.rc;
}

static tg_rc
encode(struct responses_out *o, const struct ir_event *ev)
{
    switch (ev->kind) {
    case IR_EV_START:
        return on_start(o);
    case IR_EV_OPEN:
        return on_open(o, ev);
    case IR_EV_DELTA:
        return on_delta(o, ev);
    case IR_EV_NOTE:
        return on_note(o, ev);
    case IR_EV_CLOSE:
        return on_close(o, ev);
    case IR_EV_STOP:
        return on_stop(o, ev);
    case IR_EV_USAGE:
        if (!ev->usage)
            return TG_EPROTO;
        o->e->usage = *ev->usage;
        return TG_OK;
    case IR_EV_END:
        return on_end(o);
    case IR_EV_ERROR:
        return on_error(o, ev);
    case IR_EV_KIND_N:
        break;
    }
    return TG_EPROTO;
}

tg_rc
responses_encode_ev(struct dialect_enc *e, const struct ir_event *ev, struct buf *b)
{
    struct responses_enc *st = e->state, saved = *st;
    struct responses_out o = {e, st, record_begin(b)};
    tg_rc rc;

    /* The dialect has one answer. */
    if (ev->kind >= IR_EV_OPEN && ev->kind <= IR_EV_STOP && ev->choice != 0)
        return TG_EPROTO;
    if (!st->begun && ev->kind != IR_EV_START && ev->kind != IR_EV_ERROR)
        return TG_EPROTO;
    rc = record_end(&o.r, encode(&o, ev));
    if (rc != TG_OK)
        *st = saved;
    return rc;
}

tg_rc
responses_encode_alive(struct dialect_enc *e, struct buf *b)
{
    struct responses_enc *st = e ? e->state : NULL;
    struct record r = record_begin(b);
    tg_rc rc;

    /* Clients take nothing before the answer has begun. */
    if (st && !st->begun)
        return TG_EPROTO;
    record_put(&r, STR("event: keepalive\ndata: {\"type\":\"keepalive\""));
    if (st) {
        record_put(&r, STR(",\"sequence_number\":"));
        record_uint(&r, st->seq);
    }
    record_put(&r, STR("}\n\n"));
    rc = record_end(&r, TG_OK);
    if (rc == TG_OK && st)
        st->seq++;
    return rc;
}
