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

/* The beginning of a call: `"tool_calls":[{...}]`. */
static void
put_call(struct out *o, const struct chat_open *blk, const struct ir_block *head)
{
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
    switch (ev->head->kind) {
    case IR_CALL:
        begin(o, e, ev->choice);
        if (first)
            put(o, STR("\"role\":\"assistant\",\"content\":null,"));
        put_call(o, blk, ev->head);
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
    if (ev->text.n == 0)
        return TG_OK;
    put_delta(o, e, blk, ev->text);
    blk->text |= o->rc == TG_OK;
    return o->rc;
}

static tg_rc
on_close(struct dialect_enc *e, const struct ir_event *ev, struct out *o)
{
    struct chat_enc *st = e->state;
    struct chat_open *blk = find_open(st, ev);
    size_t behind;

    if (!blk)
        return TG_EPROTO;
    if (blk->kind == IR_CALL && !blk->freeform && !blk->text)
        put_delta(o, e, blk, STR("{}"));
    if (o->rc != TG_OK)
        return o->rc;
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
    end(o, e, chat_finish_reason(ev->stop));
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
    case IR_EV_START:
    case IR_EV_NOTE:
    case IR_EV_KIND_N:
        break;
    }
    if (rc != TG_OK)
        buf_truncate(b, before);
    return rc;
}
