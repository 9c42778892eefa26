/* chunk.c -- the records that a Chat stream is made of.
 *
 * Every record repeats id, time and model, which are the same throughout the stream: what
 * stands before the choices is kept in the state after the first record, when it is short
 * enough.  id, type and name stand in a call's first fragment only: SDK helpers take a second
 * one for another call.
 */
#include "dialect/chat/chunk.h"

#include <stdio.h>

static const struct str nothing = {NULL, 0};

static void
put_head(struct record *r, const struct dialect_enc *e)
{
    struct chat_enc *st = e->state;
    size_t from = r->b->n;
    struct str head;
    char created[32];

    if (st->head_n) {
        record_put(r, str_of(st->head, st->head_n));
        return;
    }
    snprintf(created, sizeof created, "%lld", (long long)e->created);
    record_field(r, STR("data: {\"id\":\""), e->id);
    record_put(r, STR(",\"object\":\"chat.completion.chunk\",\"created\":"));
    record_put(r, str_z(created));
    record_field(r, STR(",\"model\":\""), e->model);
    record_put(r, STR(",\"choices\":["));
    head = str_from(buf_str(r->b), from);
    if (r->rc == TG_OK && head.n <= sizeof st->head) {
        memcpy(st->head, head.p, head.n);
        st->head_n = (uint16_t)head.n;
    }
}

void
chat_chunk_open(struct record *r, const struct dialect_enc *e, uint32_t choice)
{
    put_head(r, e);
    record_put(r, STR("{\"index\":"));
    record_uint(r, choice);
    record_put(r, STR(",\"delta\":{"));
}

void
chat_chunk_close(struct record *r, const struct dialect_enc *e, struct str finish,
                 struct str probs)
{
    if (probs.n) {
        record_put(r, STR("},\"logprobs\":{\"content\":"));
        record_raw(r, probs);
        record_put(r, STR(",\"refusal\":null},\"finish_reason\":"));
    } else {
        record_put(r, STR("},\"logprobs\":null,\"finish_reason\":"));
    }
    if (finish.n) {
        record_put(r, STR("\""));
        record_put(r, finish);
        record_put(r, STR("\""));
    } else {
        record_put(r, STR("null"));
    }
    record_put(r, e->stream_usage ? STR("}],\"usage\":null}\n\n") : STR("}]}\n\n"));
}

void
chat_chunk_role(struct record *r, const struct dialect_enc *e, uint32_t choice,
                enum ir_kind kind)
{
    chat_chunk_open(r, e, choice);
    record_put(r, kind == IR_REFUSAL
                      ? STR("\"role\":\"assistant\",\"content\":null,\"refusal\":\"\"")
                      : STR("\"role\":\"assistant\",\"content\":\"\""));
    chat_chunk_close(r, e, nothing, nothing);
}

/* `"tool_calls":[{...}]` */
static void
put_call(struct record *r, const struct dialect_enc *e, const struct chat_open *blk,
         const struct ir_block *head)
{
    if (chat_is_legacy(e->req)) {
        record_field(r, STR("\"function_call\":{\"name\":\""), head->name);
        record_put(r, STR(",\"arguments\":\"\"}"));
        return;
    }
    record_put(r, STR("\"tool_calls\":[{\"index\":"));
    record_uint(r, blk->call);
    record_field(r, STR(",\"id\":\""), head->id);
    if (blk->freeform) {
        record_field(r, STR(",\"type\":\"custom\",\"custom\":{\"name\":\""), head->name);
        record_put(r, STR(",\"input\":\"\"}}]"));
    } else {
        record_field(r, STR(",\"type\":\"function\",\"function\":{\"name\":\""), head->name);
        record_put(r, STR(",\"arguments\":\"\"}}]"));
    }
}

void
chat_chunk_call(struct record *r, const struct dialect_enc *e, const struct chat_open *blk,
                const struct ir_block *head, bool first)
{
    chat_chunk_open(r, e, blk->choice);
    if (first)
        record_put(r, STR("\"role\":\"assistant\",\"content\":null,"));
    put_call(r, e, blk, head);
    chat_chunk_close(r, e, nothing, nothing);
}

static void
put_arguments(struct record *r, const struct dialect_enc *e, const struct chat_open *blk,
              struct str text)
{
    if (chat_is_legacy(e->req)) {
        record_field(r, STR("\"function_call\":{\"arguments\":\""), text);
        record_put(r, STR("}"));
        return;
    }
    record_put(r, STR("\"tool_calls\":[{\"index\":"));
    record_uint(r, blk->call);
    record_field(r,
                 blk->freeform ? STR(",\"custom\":{\"input\":\"")
                               : STR(",\"function\":{\"arguments\":\""),
                 text);
    record_put(r, STR("}}]"));
}

void
chat_chunk_text(struct record *r, const struct dialect_enc *e, const struct chat_open *blk,
                struct str text, struct str probs)
{
    chat_chunk_open(r, e, blk->choice);
    switch (blk->kind) {
    case IR_CALL:
        put_arguments(r, e, blk, text);
        break;
    case IR_THINK:
        record_field(r, STR("\"reasoning_content\":\""), text);
        break;
    case IR_REFUSAL:
        record_field(r, STR("\"refusal\":\""), text);
        break;
    default:
        record_field(r, STR("\"content\":\""), text);
        break;
    }
    chat_chunk_close(r, e, nothing, probs);
}

void
chat_chunk_proof(struct record *r, const struct dialect_enc *e, const struct chat_open *blk,
                 const struct ir_block *think, uint32_t index)
{
    struct json_out o;

    chat_chunk_open(r, e, blk->choice);
    record_put(r, STR("\"reasoning_details\":["));
    record_json(r, &o);
    chat_put_proof(&o, e->arena, think, index);
    record_json_end(r, &o);
    record_put(r, STR("]"));
    chat_chunk_close(r, e, nothing, nothing);
}

void
chat_chunk_note(struct record *r, const struct dialect_enc *e, uint32_t choice,
                const struct ir_note *note)
{
    const struct chat_written *of = &((const struct chat_enc *)e->state)->choices[choice];
    struct json_out o;

    chat_chunk_open(r, e, choice);
    record_put(r, STR("\"annotations\":["));
    record_json(r, &o);
    chat_put_note(&o, note, of->from, of->chars);
    record_json_end(r, &o);
    record_put(r, STR("]"));
    chat_chunk_close(r, e, nothing, nothing);
}

void
chat_chunk_usage(struct record *r, const struct dialect_enc *e, const struct ir_usage *u)
{
    struct json_out o;

    put_head(r, e);
    record_put(r, STR("],\"usage\":"));
    record_json(r, &o);
    /* Figures that nobody has told are not none. */
    if (u->input < 0 && u->output < 0)
        json_raw(&o, STR("null"));
    else
        chat_put_usage(&o, u);
    record_json_end(r, &o);
    record_put(r, STR("}\n\n"));
}
