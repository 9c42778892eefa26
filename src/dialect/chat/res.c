/* res.c -- a whole response written as a Chat completion, and usage both ways.
 *
 * The dialect has one content, one refusal and one list of calls for a message, so blocks of a
 * kind are joined in their order.  Content and refusal are always there, null when there is
 * none; tool_calls is absent when there are none, because clients ask whether it is there.
 */
#include "dialect/chat/chat_int.h"

struct str
chat_finish_reason(enum ir_stop stop)
{
    switch (stop) {
    case IR_STOP_LENGTH:
        return STR("length");
    case IR_STOP_CALLS:
        return STR("tool_calls");
    case IR_STOP_FILTER:
        return STR("content_filter");
    case IR_STOP_NONE:
    case IR_STOP_END:
    case IR_STOP_SEQUENCE:
        break;
    }
    return STR("stop");
}

static int64_t
known(int64_t v)
{
    return v < 0 ? 0 : v;
}

void
chat_put_usage(struct json_out *o, const struct ir_usage *u)
{
    json_open(o, '{');
    json_kv_int(o, "prompt_tokens", known(u->input));
    json_kv_int(o, "completion_tokens", known(u->output));
    json_kv_int(o, "total_tokens", known(u->input) + known(u->output));
    if (u->cached >= 0) {
        json_key(o, "prompt_tokens_details");
        json_open(o, '{');
        json_kv_int(o, "cached_tokens", u->cached);
        json_close(o);
    }
    if (u->reasoning >= 0) {
        json_key(o, "completion_tokens_details");
        json_open(o, '{');
        json_kv_int(o, "reasoning_tokens", u->reasoning);
        json_close(o);
    }
    json_close(o);
}

void
chat_read_usage(struct str usage, struct ir_usage *u)
{
    /* The last row is what some upstreams have instead of the details. */
    const struct {
        const char *path;
        int64_t *to;
    } rows[] = {
        {"prompt_tokens", &u->input},
        {"completion_tokens", &u->output},
        {"prompt_cache_hit_tokens", &u->cached},
        {"prompt_tokens_details.cached_tokens", &u->cached},
        {"completion_tokens_details.reasoning_tokens", &u->reasoning},
    };
    struct json_member m;
    int64_t v;

    for (size_t i = 0; i < CHAT_COUNT(rows); i++)
        if (json_path(usage, rows[i].path, &m) && m.kind == JSON_NUMBER &&
            json_i64(m.value, &v) == TG_OK && v >= 0)
            *rows[i].to = v;
}

/* The texts of all blocks of a kind as one string, or null when there is none. */
static void
put_joined(struct json_out *o, const char *key, const struct ir_block *b, enum ir_kind kind)
{
    bool any = false;

    json_key(o, key);
    for (; b; b = b->next) {
        if (b->kind != kind)
            continue;
        if (!any)
            json_str_open(o);
        any = true;
        json_str_part(o, b->text);
    }
    if (any)
        json_str_close(o);
    else
        json_null(o);
}

static void
put_call(struct json_out *o, const struct ir_block *b)
{
    struct str text = b->text.n || b->freeform ? b->text : STR("{}");

    json_open(o, '{');
    json_kv_str(o, "id", b->id);
    json_kv_str(o, "type", b->freeform ? STR("custom") : STR("function"));
    json_key(o, b->freeform ? "custom" : "function");
    json_open(o, '{');
    json_kv_str(o, "name", b->name);
    json_kv_str(o, b->freeform ? "input" : "arguments", text);
    json_close(o);
    json_close(o);
}

static bool
has(const struct ir_block *b, enum ir_kind kind)
{
    while (b && b->kind != kind)
        b = b->next;
    return b != NULL;
}

static void
put_message(struct json_out *o, const struct ir_block *blocks)
{
    json_open(o, '{');
    json_kv_str(o, "role", STR("assistant"));
    if (has(blocks, IR_CALL) || has(blocks, IR_REFUSAL) || has(blocks, IR_TEXT))
        put_joined(o, "content", blocks, IR_TEXT);
    else
        json_kv_str(o, "content", STR(""));
    put_joined(o, "refusal", blocks, IR_REFUSAL);
    if (has(blocks, IR_THINK))
        put_joined(o, "reasoning_content", blocks, IR_THINK);
    if (has(blocks, IR_CALL)) {
        json_key(o, "tool_calls");
        json_open(o, '[');
        for (const struct ir_block *b = blocks; b; b = b->next)
            if (b->kind == IR_CALL)
                put_call(o, b);
        json_close(o);
    }
    json_close(o);
}

static bool
speakable(const struct ir_res *res)
{
    for (unsigned i = 0; i < res->n_answers; i++)
        for (const struct ir_block *b = res->answers[i].blocks; b; b = b->next)
            if (b->kind != IR_TEXT && b->kind != IR_THINK && b->kind != IR_CALL &&
                b->kind != IR_REFUSAL)
                return false;
    return true;
}

tg_rc
chat_encode_res(struct dialect_enc *e, const struct ir_res *res, struct buf *b)
{
    size_t before = b->n;
    struct json_out o;
    tg_rc rc;

    if (!speakable(res))
        return TG_EINVAL;
    json_begin(&o, b);
    json_open(&o, '{');
    json_kv_str(&o, "id", e->id);
    json_kv_str(&o, "object", STR("chat.completion"));
    json_kv_int(&o, "created", e->created);
    json_kv_str(&o, "model", e->model);
    json_key(&o, "choices");
    json_open(&o, '[');
    for (unsigned i = 0; i < res->n_answers; i++) {
        json_open(&o, '{');
        json_kv_int(&o, "index", i);
        json_key(&o, "message");
        put_message(&o, res->answers[i].blocks);
        json_kv_null(&o, "logprobs");
        json_kv_str(&o, "finish_reason", chat_finish_reason(res->answers[i].stop));
        json_close(&o);
    }
    json_close(&o);
    if (res->usage.input >= 0 || res->usage.output >= 0) {
        json_key(&o, "usage");
        chat_put_usage(&o, &res->usage);
    }
    json_close(&o);
    e->usage = res->usage;
    rc = json_end(&o);
    if (rc != TG_OK)
        buf_truncate(b, before);
    return rc;
}
