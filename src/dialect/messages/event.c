/* event.c -- events written as Messages stream records.
 *
 * One event makes none, one or two records.  A block is begun only when there is something of
 * it: an empty text makes no block, and reasoning that is nothing but a proof becomes
 * redacted_thinking, which can only be written when the proof is known, at its end.  How the
 * answer ended, and the figures, stand in one record at the end.
 *
 * Nearly all records are one piece of text between the same bytes, so they are written as
 * literals around it.
 *
 * Citations are not written: the encrypted index that makes one valid when the client sends it
 * back cannot be made here, and an invalid one would end a conversation that goes on with
 * Anthropic's models.
 *
 * Every thinking block has a signature before its end.  Thoughts without a proof get one that
 * proves nothing and that our own decoder takes away again, because clients drop a block that
 * has none and then lose the thoughts.
 *
 * Invariants
 *  (1) A record is appended whole or not at all.
 *  (2) Blocks are numbered densely from 0, one is open at a time, each has one stop.
 *  (3) No delta is empty.
 */
#include "dialect/messages/messages_int.h"

#include "base/hash.h"
#include "dialect/record.h"
#include "ir/envelope.h"

struct str
messages_proof(struct arena *a, const struct ir_block *think)
{
    struct ir_block none = {.kind = IR_THINK, .origin = MESSAGES_NAME};

    if (think->sig.n == 0 || !think->origin)
        return ir_seal(a, &none);
    /* An own one that looks sealed would be opened on its way back. */
    return messages_own(think->origin) && !str_starts(think->sig, STR("tg1:"))
               ? think->sig
               : ir_seal(a, think);
}

struct str
messages_call_id(const struct dialect_enc *e, struct str id, uint32_t index)
{
    if (id.n)
        return id;
    return arena_printf(e->arena, "toolu_%016llx_%u",
                        (unsigned long long)hash_add(HASH_EMPTY, e->id), index);
}

static void
begin_block(struct record *o, const struct messages_enc *st)
{
    record_put(
        o,
        STR("event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":"));
    record_uint(o, st->next);
    record_put(o, STR(",\"content_block\":"));
}

/* The start of a text or thinking block. */
static void
put_begin(struct record *o, struct messages_enc *st)
{
    if (st->begun)
        return;
    begin_block(o, st);
    record_put(o, st->kind == IR_THINK
                      ? STR("{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}}\n\n")
                      : STR("{\"type\":\"text\",\"text\":\"\",\"citations\":null}}\n\n"));
}

static void
begin_delta(struct record *o, const struct messages_enc *st, struct str delta)
{
    record_put(
        o,
        STR("event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":"));
    record_uint(o, st->next);
    record_put(o, delta);
}

static void
put_delta(struct record *o, const struct messages_enc *st, struct str text)
{
    switch (st->kind) {
    case IR_CALL:
        begin_delta(o, st,
                    STR(",\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\""));
        break;
    case IR_THINK:
        begin_delta(o, st, STR(",\"delta\":{\"type\":\"thinking_delta\",\"thinking\":\""));
        break;
    default:
        begin_delta(o, st, STR(",\"delta\":{\"type\":\"text_delta\",\"text\":\""));
        break;
    }
    record_text(o, text);
    record_put(o, STR("\"}}\n\n"));
}

static void
put_end(struct record *o, const struct messages_enc *st)
{
    record_put(
        o, STR("event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":"));
    record_uint(o, st->next);
    record_put(o, STR("}\n\n"));
}

static tg_rc
on_start(struct dialect_enc *e, struct record *o)
{
    struct json_out j;

    record_put(o, STR("event: message_start\ndata: "));
    record_json(o, &j);
    json_open(&j, '{');
    json_kv_str(&j, "type", STR("message_start"));
    json_key(&j, "message");
    json_open(&j, '{');
    messages_put_head(&j, e);
    json_open(&j, '[');
    json_close(&j);
    messages_put_stop(&j, (struct str){NULL, 0}, (struct str){NULL, 0});
    json_kv_null(&j, "diagnostics");
    json_key(&j, "usage");
    messages_put_usage(&j, &e->usage, true);
    json_close(&j);
    json_close(&j);
    record_json_end(o, &j);
    record_put(o, STR("\n\n"));
    return o->rc;
}

static tg_rc
on_open(struct dialect_enc *e, const struct ir_event *ev, struct record *o)
{
    struct messages_enc *st = e->state, next = *st;
    const struct ir_block *head = ev->head;

    if (st->open || !head)
        return TG_EPROTO;
    if (head->kind != IR_TEXT && head->kind != IR_THINK && head->kind != IR_CALL &&
        head->kind != IR_REFUSAL)
        return TG_EINVAL;
    next.open = true;
    next.begun = next.text = false;
    next.kind = (uint8_t)head->kind;
    next.block = ev->block;
    next.freeform = head->freeform;
    next.refused |= head->kind == IR_REFUSAL;
    if (head->kind == IR_CALL) {
        begin_block(o, &next);
        record_field(o, STR("{\"type\":\"tool_use\",\"id\":\""),
                     messages_call_id(e, head->id, next.next));
        record_field(o, STR(",\"name\":\""), head->name);
        record_put(o, STR(",\"input\":{},\"caller\":{\"type\":\"direct\"}}}\n\n"));
        if (head->freeform)
            put_delta(o, &next, STR("{\"input\":\""));
        next.begun = next.called = true;
    }
    if (o->rc == TG_OK)
        *st = next;
    return o->rc;
}

/* A piece of a free-form tool's text, inside the JSON string that the block's input is. */
static void
put_freeform(struct record *o, const struct messages_enc *st, struct str text)
{
    struct buf piece;

    buf_init(&piece, text.n * 6 + 1);
    if (o->rc == TG_OK)
        o->rc = json_escape(&piece, text);
    put_delta(o, st, buf_str(&piece));
    buf_fini(&piece);
}

static tg_rc
on_delta(struct dialect_enc *e, const struct ir_event *ev, struct record *o)
{
    struct messages_enc *st = e->state;

    if (!st->open || st->block != ev->block)
        return TG_EPROTO;
    if (ev->text.n == 0)
        return TG_OK;
    put_begin(o, st);
    if (st->freeform)
        put_freeform(o, st, ev->text);
    else
        put_delta(o, st, ev->text);
    if (o->rc == TG_OK)
        st->begun = st->text = true;
    return o->rc;
}

/* The end of a THINK block that has text or a proof. */
static void
put_proof(struct record *o, struct dialect_enc *e, const struct ir_block *head)
{
    struct messages_enc *st = e->state;
    struct str proof = messages_proof(e->arena, head);

    if (!st->begun && (!messages_own(head->origin) || head->redacted)) {
        begin_block(o, st);
        record_field(o, STR("{\"type\":\"redacted_thinking\",\"data\":\""), proof);
        record_put(o, STR("}}\n\n"));
        return;
    }
    put_begin(o, st);
    begin_delta(o, st, STR(",\"delta\":{\"type\":\"signature_delta\",\"signature\":\""));
    record_text(o, proof);
    record_put(o, STR("\"}}\n\n"));
}

static tg_rc
on_close(struct dialect_enc *e, const struct ir_event *ev, struct record *o)
{
    struct messages_enc *st = e->state;
    const struct ir_block unproved = {.kind = IR_THINK};
    bool think = st->kind == IR_THINK, proof = think && ev->head && ev->head->sig.n;

    if (!st->open || st->block != ev->block)
        return TG_EPROTO;
    if (think && (proof || st->begun))
        put_proof(o, e, proof ? ev->head : &unproved);
    else if (st->freeform)
        put_delta(o, st, STR("\"}"));
    if (st->begun || proof)
        put_end(o, st);
    if (o->rc != TG_OK)
        return o->rc;
    st->next += st->begun || proof;
    st->open = false;
    return TG_OK;
}

static tg_rc
on_end(struct dialect_enc *e, struct record *o)
{
    struct messages_enc *st = e->state;
    struct str reason = messages_stop_reason((enum ir_stop)st->stop, st->called, st->refused);
    struct json_out j;

    if (!st->stopped)
        return TG_EPROTO;
    record_put(o, STR("event: message_delta\ndata: "));
    record_json(o, &j);
    json_open(&j, '{');
    json_kv_str(&j, "type", STR("message_delta"));
    json_key(&j, "delta");
    json_open(&j, '{');
    messages_put_stop(&j, reason, st->stop_text);
    json_close(&j);
    json_key(&j, "usage");
    messages_put_usage(&j, &e->usage, false);
    json_close(&j);
    record_json_end(o, &j);
    record_put(o, STR("\n\n"));
    record_put(o, dialect_messages.stream_end);
    return o->rc;
}

tg_rc
messages_encode_ev(struct dialect_enc *e, const struct ir_event *ev, struct buf *b)
{
    struct messages_enc *st = e->state;
    struct record o = record_begin(b);
    tg_rc rc = TG_OK;

    if (ev->kind >= IR_EV_OPEN && ev->kind <= IR_EV_STOP && ev->choice > 0)
        return TG_EPROTO;
    switch (ev->kind) {
    case IR_EV_START:
        rc = on_start(e, &o);
        break;
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
        st->stopped = true;
        st->stop = (uint8_t)ev->stop;
        st->stop_text = ev->text.n ? arena_dup(e->arena, ev->text) : (struct str){NULL, 0};
        break;
    case IR_EV_USAGE:
        if (!ev->usage)
            return TG_EPROTO;
        e->usage = *ev->usage;
        break;
    case IR_EV_END:
        rc = on_end(e, &o);
        break;
    case IR_EV_ERROR:
        rc = ev->err ? messages_encode_error_record(ev->err, b) : TG_EPROTO;
        break;
    case IR_EV_NOTE:
    case IR_EV_KIND_N:
        break;
    }
    return record_end(&o, rc);
}
