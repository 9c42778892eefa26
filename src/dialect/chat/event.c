/* event.c -- events written as Chat stream records.
 *
 * One event makes none, one or two records.  A choice's first record says the role; it is made
 * of the choice's first block, because an answer that begins with a tool call has null content.
 * Tool calls are numbered densely in the order they begin, and id, type and name stand in a
 * call's first fragment only: SDK helpers take a second one for another call.
 *
 * Nearly all records are one piece of text between the same bytes, so records are written as
 * literals around it.  What stands before the choices (id, time, model) is the same throughout
 * the stream; it is kept in the state after the first record when it is short enough.
 *
 * Some blocks are kept until they close: thoughts, because the proof that comes then is sealed
 * together with their text; and the arguments of a call that is free-form for the client and
 * wrapped as {"input":...} for the upstream, because only the whole can be unwrapped.
 *
 * Invariants
 *  (1) A record is appended whole or not at all.
 *  (2) A call that closes without arguments has been given "{}".
 */
#include <stdio.h>

#include "dialect/chat/chat_int.h"

struct out {
    struct buf *b;
    tg_rc rc;
};

static void
put(struct out *o, struct str s)
{
    if (o->rc == TG_OK)
        o->rc = buf_append(o->b, s);
}

static void
put_uint(struct out *o, uint32_t v)
{
    char text[10], *p = text + sizeof text;

    do {
        *--p = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    put(o, str_of(p, (size_t)(text + sizeof text - p)));
}

/* `,"key":"text"` */
static void
put_field(struct out *o, struct str key, struct str text)
{
    put(o, key);
    if (o->rc == TG_OK)
        o->rc = json_escape(o->b, text);
    put(o, STR("\""));
}

static void
put_head(struct out *o, const struct dialect_enc *e)
{
    struct chat_enc *st = e->state;
    size_t from = o->b->n;
    struct str head;
    char created[32];

    if (st->head_n) {
        put(o, str_of(st->head, st->head_n));
        return;
    }
    snprintf(created, sizeof created, "%lld", (long long)e->created);
    put_field(o, STR("data: {\"id\":\""), e->id);
    put(o, STR(",\"object\":\"chat.completion.chunk\",\"created\":"));
    put(o, str_z(created));
    put_field(o, STR(",\"model\":\""), e->model);
    put(o, STR(",\"choices\":["));
    head = str_from(buf_str(o->b), from);
    if (o->rc == TG_OK && head.n <= sizeof st->head) {
        memcpy(st->head, head.p, head.n);
        st->head_n = (uint16_t)head.n;
    }
}

/* Up to and with the brace that opens the delta. */
static void
begin(struct out *o, const struct dialect_enc *e, uint32_t choice)
{
    put_head(o, e);
    put(o, STR("{\"index\":"));
    put_uint(o, choice);
    put(o, STR(",\"delta\":{"));
}

static void
end(struct out *o, const struct dialect_enc *e, struct str finish)
{
    put(o, STR("},\"logprobs\":null,\"finish_reason\":"));
    if (finish.n) {
        put(o, STR("\""));
        put(o, finish);
        put(o, STR("\""));
    } else {
        put(o, STR("null"));
    }
    put(o, e->stream_usage ? STR("}],\"usage\":null}\n\n") : STR("}]}\n\n"));
}

static struct chat_open *
find_open(struct chat_enc *st, const struct ir_event *ev)
{
    for (uint32_t i = st->n_open; i > 0; i--)
        if (st->open[i - 1].block == ev->block && st->open[i - 1].choice == ev->choice)
            return &st->open[i - 1];
    return NULL;
}

/* The most text of one block that is kept for its end: thoughts past it are sealed without
 * their text, a call past it is a failure. */
enum { HELD_THINK_MAX = 256 << 10, HELD_CALL_MAX = 16 << 20 };

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
    h->more |= text.n > (blk->wrapped ? HELD_CALL_MAX : HELD_THINK_MAX) - h->n;
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

/* Is text of this block kept? */
static bool
is_held(const struct dialect_enc *e, const struct chat_open *blk)
{
    return e->arena && (blk->kind == IR_THINK || blk->wrapped);
}

/* The beginning of a call: `"tool_calls":[{...}]`. */
static void
put_call(struct out *o, const struct dialect_enc *e, const struct chat_open *blk,
         const struct ir_block *head)
{
    if (chat_is_legacy(e->req)) {
        put_field(o, STR("\"function_call\":{\"name\":\""), head->name);
        put(o, STR(",\"arguments\":\"\"}"));
        return;
    }
    put(o, STR("\"tool_calls\":[{\"index\":"));
    put_uint(o, blk->call);
    put_field(o, STR(",\"id\":\""), head->id);
    if (blk->freeform) {
        put_field(o, STR(",\"type\":\"custom\",\"custom\":{\"name\":\""), head->name);
        put(o, STR(",\"input\":\"\"}}]"));
    } else {
        put_field(o, STR(",\"type\":\"function\",\"function\":{\"name\":\""), head->name);
        put(o, STR(",\"arguments\":\"\"}}]"));
    }
}

/* The old form has room for one call in an answer. */
static bool
is_silent(const struct dialect_enc *e, const struct chat_open *blk)
{
    return blk->kind == IR_OPAQUE ||
           (blk->kind == IR_CALL && blk->call > 0 && chat_is_legacy(e->req));
}

static tg_rc
on_open(struct dialect_enc *e, const struct ir_event *ev, struct out *o)
{
    struct chat_enc *st = e->state;
    struct chat_open *blk = &st->open[st->n_open];
    bool first = !st->begun[ev->choice];

    if (st->n_open == IR_OPEN_MAX || !ev->head)
        return TG_EPROTO;
    *blk = (struct chat_open){.block = ev->block,
                              .choice = (uint8_t)ev->choice,
                              .kind = (uint8_t)ev->head->kind,
                              .freeform = ev->head->freeform,
                              .call = st->calls[ev->choice]};
    if (blk->kind == IR_CALL && !blk->freeform && e->arena) {
        const struct ir_tool *t = chat_find_tool(e->req, ev->head->name);

        blk->freeform = blk->wrapped = t && t->freeform;
    }
    switch (ev->head->kind) {
    case IR_OPAQUE:
        st->n_open++;
        return TG_OK;
    case IR_CALL:
        if (is_silent(e, blk))
            break;
        begin(o, e, ev->choice);
        if (first)
            put(o, STR("\"role\":\"assistant\",\"content\":null,"));
        put_call(o, e, blk, ev->head);
        end(o, e, (struct str){NULL, 0});
        break;
    case IR_TEXT:
    case IR_THINK:
    case IR_REFUSAL:
        if (!first)
            break;
        begin(o, e, ev->choice);
        put(o, ev->head->kind == IR_REFUSAL
                   ? STR("\"role\":\"assistant\",\"content\":null,\"refusal\":\"\"")
                   : STR("\"role\":\"assistant\",\"content\":\"\""));
        end(o, e, (struct str){NULL, 0});
        break;
    default:
        return TG_EINVAL;
    }
    if (o->rc != TG_OK)
        return o->rc;
    if (ev->head->kind == IR_CALL)
        st->calls[ev->choice]++;
    else if (ev->head->kind == IR_TEXT)
        st->from[ev->choice] = st->chars[ev->choice];
    st->begun[ev->choice] = true;
    st->n_open++;
    return TG_OK;
}

/* One record with more of an open block. */
static void
put_delta(struct out *o, const struct dialect_enc *e, const struct chat_open *blk,
          struct str text)
{
    begin(o, e, blk->choice);
    switch (blk->kind) {
    case IR_CALL:
        if (chat_is_legacy(e->req)) {
            put_field(o, STR("\"function_call\":{\"arguments\":\""), text);
            put(o, STR("}"));
            break;
        }
        put(o, STR("\"tool_calls\":[{\"index\":"));
        put_uint(o, blk->call);
        put_field(o,
                  blk->freeform ? STR(",\"custom\":{\"input\":\"")
                                : STR(",\"function\":{\"arguments\":\""),
                  text);
        put(o, STR("}}]"));
        break;
    case IR_THINK:
        put_field(o, STR("\"reasoning_content\":\""), text);
        break;
    case IR_REFUSAL:
        put_field(o, STR("\"refusal\":\""), text);
        break;
    default:
        put_field(o, STR("\"content\":\""), text);
        break;
    }
    end(o, e, (struct str){NULL, 0});
}

static tg_rc
on_delta(struct dialect_enc *e, const struct ir_event *ev, struct out *o)
{
    struct chat_open *blk = find_open(e->state, ev);

    if (!blk)
        return TG_EPROTO;
    if (ev->text.n == 0 || is_silent(e, blk))
        return TG_OK;
    if (!blk->wrapped)
        put_delta(o, e, blk, ev->text);
    if (o->rc != TG_OK)
        return o->rc;
    blk->text = true;
    if (is_held(e, blk))
        hold(e, blk, ev->text);
    else if (blk->kind == IR_TEXT)
        ((struct chat_enc *)e->state)->chars[blk->choice] += chat_count_chars(ev->text);
    return TG_OK;
}

/* What a wrapped call's arguments hold, or as they are when they are not that. */
static void
put_wrapped(struct out *o, struct dialect_enc *e, const struct chat_open *blk)
{
    const struct chat_held *h = *find_held(e->state, blk);
    struct str text = h ? str_of(h->p, h->n) : STR("");

    if (h && h->more) {
        o->rc = TG_EPROTO;
        return;
    }
    (void)chat_unwrap(e->arena, text, &text);
    if (text.n)
        put_delta(o, e, blk, text);
}

/* The proof of thoughts that are over. */
static void
put_proof(struct out *o, struct dialect_enc *e, const struct chat_open *blk,
          const struct ir_block *head)
{
    const struct chat_held *h = *find_held(e->state, blk);
    struct chat_enc *st = e->state;
    struct ir_block think = *head;
    struct json_out j;

    if (h && !h->more)
        think.text = str_of(h->p, h->n);
    begin(o, e, blk->choice);
    put(o, STR("\"reasoning_details\":["));
    if (o->rc == TG_OK) {
        json_begin(&j, o->b);
        chat_put_proof(&j, e->arena, &think, st->proofs);
        o->rc = json_end(&j);
    }
    put(o, STR("]"));
    end(o, e, (struct str){NULL, 0});
    st->proofs += o->rc == TG_OK;
}

static tg_rc
on_note(struct dialect_enc *e, const struct ir_event *ev, struct out *o)
{
    const struct chat_enc *st = e->state;
    const struct chat_open *blk = find_open(e->state, ev);
    struct json_out j;

    if (!blk || !ev->note || blk->kind != IR_TEXT)
        return TG_EPROTO;
    begin(o, e, ev->choice);
    put(o, STR("\"annotations\":["));
    if (o->rc == TG_OK) {
        json_begin(&j, o->b);
        chat_put_note(&j, ev->note, st->from[ev->choice], st->chars[ev->choice]);
        o->rc = json_end(&j);
    }
    put(o, STR("]"));
    end(o, e, (struct str){NULL, 0});
    return o->rc;
}

static tg_rc
on_close(struct dialect_enc *e, const struct ir_event *ev, struct out *o)
{
    struct chat_enc *st = e->state;
    struct chat_open *blk = find_open(st, ev);
    struct chat_held **held;
    size_t behind;

    if (!blk)
        return TG_EPROTO;
    if (blk->kind == IR_CALL && !blk->freeform && !blk->text && !is_silent(e, blk))
        put_delta(o, e, blk, STR("{}"));
    else if (blk->wrapped && !is_silent(e, blk))
        put_wrapped(o, e, blk);
    else if (blk->kind == IR_THINK && ev->head && ev->head->origin && e->arena)
        put_proof(o, e, blk, ev->head);
    if (o->rc != TG_OK)
        return o->rc;
    held = find_held(st, blk);
    if (*held)
        *held = (*held)->next;
    behind = (size_t)(&st->open[st->n_open] - (blk + 1));
    memmove(blk, blk + 1, behind * sizeof *blk);
    st->n_open--;
    return TG_OK;
}

static tg_rc
on_stop(struct dialect_enc *e, const struct ir_event *ev, struct out *o)
{
    struct chat_enc *st = e->state;

    if (!st->begun[ev->choice]) {
        begin(o, e, ev->choice);
        put(o, STR("\"role\":\"assistant\",\"content\":\"\""));
        end(o, e, (struct str){NULL, 0});
    }
    begin(o, e, ev->choice);
    end(o, e, chat_finish_reason(ev->stop, chat_is_legacy(e->req)));
    st->begun[ev->choice] |= o->rc == TG_OK;
    return o->rc;
}

static tg_rc
on_usage(struct dialect_enc *e, const struct ir_event *ev, struct out *o)
{
    struct json_out j;

    if (!ev->usage)
        return TG_EPROTO;
    e->usage = *ev->usage;
    if (!e->stream_usage)
        return TG_OK;
    put_head(o, e);
    put(o, STR("],\"usage\":"));
    if (o->rc == TG_OK) {
        json_begin(&j, o->b);
        chat_put_usage(&j, ev->usage);
        o->rc = json_end(&j);
    }
    put(o, STR("}\n\n"));
    return o->rc;
}

tg_rc
chat_encode_ev(struct dialect_enc *e, const struct ir_event *ev, struct buf *b)
{
    struct out o = {b, TG_OK};
    size_t before = b->n;
    tg_rc rc = TG_OK;

    if (ev->kind >= IR_EV_OPEN && ev->kind <= IR_EV_STOP && ev->choice >= IR_CHOICES_MAX)
        return TG_EPROTO;
    switch (ev->kind) {
    case IR_EV_OPEN:
        rc = on_open(e, ev, &o);
        break;
    case IR_EV_DELTA:
        rc = on_delta(e, ev, &o);
        break;
    case IR_EV_CLOSE:
        rc = on_close(e, ev, &o);
        break;
    case IR_EV_STOP:
        rc = on_stop(e, ev, &o);
        break;
    case IR_EV_USAGE:
        rc = on_usage(e, ev, &o);
        break;
    case IR_EV_ERROR:
        rc = ev->err ? chat_encode_error_record(ev->err, b) : TG_EPROTO;
        break;
    case IR_EV_END:
        rc = buf_append(b, dialect_chat.stream_end);
        break;
    case IR_EV_NOTE:
        rc = on_note(e, ev, &o);
        break;
    case IR_EV_START:
    case IR_EV_KIND_N:
        break;
    }
    if (rc != TG_OK)
        buf_truncate(b, before);
    return rc;
}
