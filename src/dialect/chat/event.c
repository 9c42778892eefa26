/* event.c -- events written as Chat stream records.
 *
 * One event makes none, one or two records.  A choice's first record says the role; it is made
 * of the choice's first block, because an answer that begins with a tool call has null content.
 * Tool calls are numbered densely in the order they begin.
 *
 * Thoughts are kept until they close, because the proof that comes then is sealed together with
 * their text.
 *
 * Invariants
 *  (1) A record is appended whole or not at all.
 *  (2) A call that closes without arguments has been given "{}".
 */
#include "dialect/chat/chunk.h"
#include "dialect/openai.h"

/* The most text of one block of thoughts that is kept; past it they are sealed without. */
enum { HELD_MAX = 256 << 10 };

static const struct str nothing = {NULL, 0};

static struct chat_open *
find_open(struct chat_enc *st, const struct ir_event *ev)
{
    for (uint32_t i = st->n_open; i > 0; i--)
        if (st->open[i - 1].block == ev->block && st->open[i - 1].choice == ev->choice)
            return &st->open[i - 1];
    return NULL;
}

static struct chat_held **
find_held(struct chat_enc *st, const struct chat_open *blk)
{
    struct chat_held **at = &st->held;

    while (*at && ((*at)->choice != blk->choice || (*at)->block != blk->block))
        at = &(*at)->next;
    return at;
}

static void
hold(struct dialect_enc *e, const struct chat_open *blk, struct str text)
{
    struct chat_held **at = find_held(e->state, blk), *h = *at;

    if (!h) {
        h = *at = arena_new(e->arena, struct chat_held);
        h->choice = blk->choice;
        h->block = blk->block;
    }
    h->more |= text.n > HELD_MAX - h->n;
    if (h->more)
        return;
    if (h->cap - h->n < text.n) {
        size_t cap = h->cap ? h->cap * 2 : 256;
        char *p;

        while (cap - h->n < text.n)
            cap *= 2;
        p = arena_alloc(e->arena, cap, 1);
        if (h->n)
            memcpy(p, h->p, h->n);
        h->p = p;
        h->cap = cap;
    }
    memcpy(h->p + h->n, text.p, text.n);
    h->n += text.n;
}

/* The old form has room for one call in an answer. */
static bool
is_silent(const struct dialect_enc *e, const struct chat_open *blk)
{
    return blk->kind == IR_OPAQUE ||
           (blk->kind == IR_CALL && blk->call > 0 && chat_is_legacy(e->req));
}

static tg_rc
on_open(struct dialect_enc *e, const struct ir_event *ev, struct record *r)
{
    struct chat_enc *st = e->state;
    struct chat_written *choice = &st->choices[ev->choice];
    bool first = !choice->begun;
    struct chat_open *blk;

    if (!ev->head || !arena_more(e->arena, st->open, st->n_open, st->cap_open, IR_OPEN_MAX))
        return TG_EPROTO;
    blk = &st->open[st->n_open];
    *blk = (struct chat_open){.block = ev->block,
                              .choice = (uint8_t)ev->choice,
                              .kind = (uint8_t)ev->head->kind,
                              .freeform = ev->head->freeform,
                              .call = choice->calls};
    switch (ev->head->kind) {
    case IR_OPAQUE:
        st->n_open++;
        return TG_OK;
    case IR_CALL:
        if (!is_silent(e, blk))
            chat_chunk_call(r, e, blk, ev->head, first);
        break;
    case IR_TEXT:
    case IR_THINK:
    case IR_REFUSAL:
        if (first)
            chat_chunk_role(r, e, ev->choice, ev->head->kind);
        break;
    default:
        return TG_EINVAL;
    }
    if (r->rc != TG_OK)
        return r->rc;
    if (ev->head->kind == IR_CALL)
        choice->calls++;
    else if (ev->head->kind == IR_TEXT)
        choice->from = choice->chars;
    choice->begun = true;
    st->n_open++;
    return TG_OK;
}

static tg_rc
on_delta(struct dialect_enc *e, const struct ir_event *ev, struct record *r)
{
    struct chat_enc *st = e->state;
    struct chat_open *blk = find_open(st, ev);
    struct str probs;

    if (!blk)
        return TG_EPROTO;
    probs = blk->kind == IR_TEXT ? ev->logprobs : nothing;
    if ((ev->text.n == 0 && probs.n == 0) || is_silent(e, blk))
        return TG_OK;
    chat_chunk_text(r, e, blk, ev->text, probs);
    if (r->rc != TG_OK)
        return r->rc;
    blk->text = true;
    if (blk->kind == IR_THINK)
        hold(e, blk, ev->text);
    else if (blk->kind == IR_TEXT)
        st->choices[blk->choice].chars += chat_count_chars(ev->text);
    return TG_OK;
}

static tg_rc
on_note(struct dialect_enc *e, const struct ir_event *ev, struct record *r)
{
    const struct chat_open *blk = find_open(e->state, ev);

    if (!blk || !ev->note || blk->kind != IR_TEXT)
        return TG_EPROTO;
    chat_chunk_note(r, e, ev->choice, ev->note);
    return TG_OK;
}

static tg_rc
on_close(struct dialect_enc *e, const struct ir_event *ev, struct record *r)
{
    struct chat_enc *st = e->state;
    struct chat_open *blk = find_open(st, ev);
    struct chat_held **held;
    size_t behind;

    if (!blk)
        return TG_EPROTO;
    held = find_held(st, blk);
    if (blk->kind == IR_CALL && !blk->freeform && !blk->text && !is_silent(e, blk)) {
        chat_chunk_text(r, e, blk, STR("{}"), nothing);
    } else if (blk->kind == IR_THINK && ev->head && ev->head->origin) {
        struct ir_block think = *ev->head;

        if (*held && !(*held)->more)
            think.text = str_of((*held)->p, (*held)->n);
        chat_chunk_proof(r, e, blk, &think, st->proofs);
        st->proofs += r->rc == TG_OK;
    }
    if (r->rc != TG_OK)
        return r->rc;
    if (*held)
        *held = (*held)->next;
    behind = (size_t)(&st->open[st->n_open] - (blk + 1));
    memmove(blk, blk + 1, behind * sizeof *blk);
    st->n_open--;
    return TG_OK;
}

static tg_rc
on_stop(struct dialect_enc *e, const struct ir_event *ev, struct record *r)
{
    struct chat_enc *st = e->state;

    if (!st->choices[ev->choice].begun)
        chat_chunk_role(r, e, ev->choice, IR_TEXT);
    chat_chunk_open(r, e, ev->choice);
    chat_chunk_close(r, e, chat_finish_reason(ev->stop, chat_is_legacy(e->req)), nothing);
    st->choices[ev->choice].begun |= r->rc == TG_OK;
    return TG_OK;
}

static tg_rc
on_usage(struct dialect_enc *e, const struct ir_event *ev, struct record *r)
{
    if (!ev->usage)
        return TG_EPROTO;
    e->usage = *ev->usage;
    if (e->stream_usage)
        chat_chunk_usage(r, e, ev->usage);
    return TG_OK;
}

tg_rc
chat_encode_error_record(const struct tg_err *err, struct buf *b)
{
    struct record r = record_begin(b);

    record_put(&r, STR("data: "));
    if (r.rc == TG_OK)
        r.rc = openai_encode_error(err, b);
    record_put(&r, STR("\n\n"));
    return record_end(&r, TG_OK);
}

/* Makes room for a choice in the state.  False when there are not so many. */
static bool
know_choice(struct dialect_enc *e, uint32_t choice)
{
    struct chat_enc *st = e->state;

    if (choice >= IR_CHOICES_MAX)
        return false;
    for (; st->n_choices <= choice; st->n_choices++)
        if (!arena_more(e->arena, st->choices, st->n_choices, st->cap_choices, IR_CHOICES_MAX))
            return false;
    return true;
}

tg_rc
chat_encode_ev(struct dialect_enc *e, const struct ir_event *ev, struct buf *b)
{
    struct record r = record_begin(b);
    tg_rc rc = TG_OK;

    if (ev->kind >= IR_EV_OPEN && ev->kind <= IR_EV_STOP && !know_choice(e, ev->choice))
        return TG_EPROTO;
    switch (ev->kind) {
    case IR_EV_OPEN:
        rc = on_open(e, ev, &r);
        break;
    case IR_EV_DELTA:
        rc = on_delta(e, ev, &r);
        break;
    case IR_EV_CLOSE:
        rc = on_close(e, ev, &r);
        break;
    case IR_EV_STOP:
        rc = on_stop(e, ev, &r);
        break;
    case IR_EV_USAGE:
        rc = on_usage(e, ev, &r);
        break;
    case IR_EV_ERROR:
        rc = ev->err ? chat_encode_error_record(ev->err, b) : TG_EPROTO;
        break;
    case IR_EV_END:
        record_put(&r, dialect_chat.stream_end);
        break;
    case IR_EV_NOTE:
        rc = on_note(e, ev, &r);
        break;
    case IR_EV_START:
    case IR_EV_KIND_N:
        break;
    }
    return record_end(&r, rc);
}
