/* res.c -- a whole response written as a message, and what stream and message share.
 *
 * All keys that clients take for granted are there, null where there is nothing.  The dialect
 * has no block for a refusal: it is text, and the stop reason tells.
 */
#include "dialect/messages/messages_int.h"

struct str
messages_stop_reason(enum ir_stop stop, bool called, bool refused)
{
    switch (stop) {
    case IR_STOP_LENGTH:
        return STR("max_tokens");
    case IR_STOP_CALLS:
        return STR("tool_use");
    case IR_STOP_FILTER:
        return STR("refusal");
    case IR_STOP_SEQUENCE:
        return STR("stop_sequence");
    case IR_STOP_PAUSE:
        return STR("pause_turn");
    case IR_STOP_NONE:
    case IR_STOP_END:
        break;
    }
    /* Upstreams that end normally although they called. */
    if (called)
        return STR("tool_use");
    return refused ? STR("refusal") : STR("end_turn");
}

static void
put_or_null(struct json_out *j, const char *key, struct str s)
{
    if (s.n)
        json_kv_str(j, key, s);
    else
        json_kv_null(j, key);
}

void
messages_put_stop(struct json_out *j, struct str reason, struct str sequence)
{
    bool named = str_eq(reason, STR("stop_sequence"));

    put_or_null(j, "stop_reason", reason);
    put_or_null(j, "stop_sequence", named ? sequence : (struct str){NULL, 0});
    json_key(j, "stop_details");
    if (str_eq(reason, STR("refusal"))) {
        json_open(j, '{');
        json_kv_str(j, "type", STR("refusal"));
        json_kv_null(j, "category");
        json_kv_null(j, "explanation");
        json_close(j);
    } else {
        json_null(j);
    }
    json_kv_null(j, "container");
}

void
messages_put_head(struct json_out *j, const struct dialect_enc *e)
{
    json_kv_str(j, "id", e->id);
    json_kv_str(j, "type", STR("message"));
    json_kv_str(j, "role", STR("assistant"));
    json_kv_str(j, "model", e->model);
    json_key(j, "content");
}

static void
put_text(struct json_out *j, const struct ir_block *b)
{
    if (b->text.n == 0)
        return;
    json_open(j, '{');
    json_kv_str(j, "type", STR("text"));
    json_kv_str(j, "text", b->text);
    json_kv_null(j, "citations");
    json_close(j);
}

static void
put_thought(struct json_out *j, const struct dialect_enc *e, const struct ir_block *b)
{
    bool own = messages_own(b->origin);
    struct str proof = messages_proof(e->arena, b);

    if (b->text.n == 0 && b->sig.n == 0)
        return;
    json_open(j, '{');
    if (b->text.n == 0 && (!own || b->redacted)) {
        json_kv_str(j, "type", STR("redacted_thinking"));
        json_kv_str(j, "data", proof);
    } else {
        json_kv_str(j, "type", STR("thinking"));
        json_kv_str(j, "thinking", b->text);
        json_kv_str(j, "signature", proof);
    }
    json_close(j);
}

static void
put_call(struct json_out *j, const struct dialect_enc *e, const struct ir_block *b,
         uint32_t index)
{
    json_open(j, '{');
    json_kv_str(j, "type", STR("tool_use"));
    json_kv_str(j, "id", messages_call_id(e, b->id, index));
    json_kv_str(j, "name", b->name);
    json_key(j, "input");
    messages_put_input(j, b);
    json_key(j, "caller");
    json_open(j, '{');
    json_kv_str(j, "type", STR("direct"));
    json_close(j);
    json_close(j);
}

static tg_rc
put_blocks(struct json_out *j, const struct dialect_enc *e, const struct ir_block *blocks,
           bool *ret_called, bool *ret_refused)
{
    uint32_t index = 0;

    for (const struct ir_block *b = blocks; b; b = b->next, index++)
        switch (b->kind) {
        case IR_REFUSAL:
            *ret_refused = true;
            put_text(j, b);
            break;
        case IR_TEXT:
            put_text(j, b);
            break;
        case IR_THINK:
            put_thought(j, e, b);
            break;
        case IR_CALL:
            *ret_called = true;
            put_call(j, e, b, index);
            break;
        default:
            return TG_EINVAL;
        }
    return TG_OK;
}

tg_rc
messages_encode_res(struct dialect_enc *e, const struct ir_res *res, struct buf *b)
{
    const struct ir_answer none = {.stop = IR_STOP_END};
    const struct ir_answer *answer = res->n_answers ? &res->answers[0] : &none;
    bool called = false, refused = false;
    size_t before = b->n;
    struct json_out j;
    tg_rc rc, wrote;

    json_begin(&j, b);
    json_open(&j, '{');
    messages_put_head(&j, e);
    json_open(&j, '[');
    rc = put_blocks(&j, e, answer->blocks, &called, &refused);
    json_close(&j);
    messages_put_stop(&j, messages_stop_reason(answer->stop, called, refused),
                      answer->stop_text);
    json_kv_null(&j, "diagnostics");
    json_key(&j, "usage");
    messages_put_usage(&j, &res->usage, true);
    json_close(&j);
    wrote = json_end(&j);
    if (rc == TG_OK)
        rc = wrote;
    if (rc != TG_OK)
        buf_truncate(b, before);
    else
        e->usage = res->usage;
    return rc;
}
