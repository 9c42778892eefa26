/* res.c -- a whole response written as a Chat completion, and usage both ways.
 *
 * The dialect has one content, one refusal and one list of calls for a message, so blocks of a
 * kind are joined in their order.  Content and refusal are always there, null when there is
 * none; tool_calls is absent when there are none, because clients ask whether it is there.
 * Blocks that only another dialect can read are left out.
 */
#include "base/utf8.h"
#include "dialect/chat/chat_int.h"
#include "dialect/figures.h"

struct str
chat_finish_reason(enum ir_stop stop, bool legacy)
{
    switch (stop) {
    case IR_STOP_LENGTH:
        return STR("length");
    case IR_STOP_CALLS:
        return legacy ? STR("function_call") : STR("tool_calls");
    case IR_STOP_FILTER:
        return STR("content_filter");
    default: /* ended, at a stop sequence, or to be continued by the client */
        return STR("stop");
    }
}

uint32_t
chat_count_chars(struct str s)
{
    return (uint32_t)utf8_count(s);
}

void
chat_put_note(struct json_out *o, const struct ir_note *note, uint32_t base, uint32_t end)
{
    json_open(o, '{');
    json_kv_str(o, "type", STR("url_citation"));
    json_key(o, "url_citation");
    json_open(o, '{');
    json_kv_int(o, "start_index", note->start >= 0 ? base + note->start : base);
    json_kv_int(o, "end_index", note->end >= 0 ? base + note->end : end);
    json_kv_str(o, "title", note->title);
    json_kv_str(o, "url", note->url);
    json_close(o);
    json_close(o);
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
    if (u->cached >= 0 || u->cache_write >= 0) {
        json_key(o, "prompt_tokens_details");
        json_open(o, '{');
        json_kv_int(o, "cached_tokens", known(u->cached));
        if (u->cache_write >= 0)
            json_kv_int(o, "cache_write_tokens", u->cache_write);
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
    /* The third row is what some upstreams have instead of the details. */
    const struct figure rows[] = {
        {STR("prompt_tokens"), STR(""), &u->input},
        {STR("completion_tokens"), STR(""), &u->output},
        {STR("prompt_cache_hit_tokens"), STR(""), &u->cached},
        {STR("prompt_tokens_details"), STR("cached_tokens"), &u->cached},
        {STR("prompt_tokens_details"), STR("cache_write_tokens"), &u->cache_write},
        {STR("completion_tokens_details"), STR("reasoning_tokens"), &u->reasoning},
    };

    figures_read(usage, rows, CHAT_COUNT(rows));
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
put_function(struct json_out *o, const char *key, struct str name, struct str args)
{
    json_key(o, key);
    json_open(o, '{');
    json_kv_str(o, "name", name);
    json_kv_str(o, "arguments", args.n ? args : STR("{}"));
    json_close(o);
}

static void
put_call(struct json_out *o, const struct ir_block *b)
{
    json_open(o, '{');
    json_kv_str(o, "id", b->id);
    json_kv_str(o, "type", b->freeform ? STR("custom") : STR("function"));
    if (b->freeform) {
        json_key(o, "custom");
        json_open(o, '{');
        json_kv_str(o, "name", b->name);
        json_kv_str(o, "input", b->text);
        json_close(o);
    } else {
        put_function(o, "function", b->name, b->text);
    }
    json_close(o);
}

static const struct ir_block *
first(const struct ir_block *b, enum ir_kind kind)
{
    while (b && b->kind != kind)
        b = b->next;
    return b;
}

static bool
has(const struct ir_block *b, enum ir_kind kind)
{
    return first(b, kind) != NULL;
}

static void
put_think(struct json_out *o, const struct dialect_enc *e, const struct ir_block *blocks)
{
    uint32_t n = 0;

    if (!has(blocks, IR_THINK))
        return;
    put_joined(o, "reasoning_content", blocks, IR_THINK);
    for (const struct ir_block *b = blocks; b; b = b->next) {
        if (b->kind != IR_THINK || (!b->sig.n && !b->sig_id.n) || !b->origin || !e->arena)
            continue;
        if (n == 0) {
            json_key(o, "reasoning_details");
            json_open(o, '[');
        }
        chat_put_proof(o, e->arena, b, n++);
    }
    if (n)
        json_close(o);
}

static void
put_notes(struct json_out *o, const struct ir_block *blocks)
{
    uint32_t base = 0, n = 0;

    for (const struct ir_block *b = blocks; b; b = b->next) {
        uint32_t chars;

        if (b->kind != IR_TEXT)
            continue;
        chars = chat_count_chars(b->text);
        for (const struct ir_note *note = b->notes; note; note = note->next) {
            if (n++ == 0) {
                json_key(o, "annotations");
                json_open(o, '[');
            }
            chat_put_note(o, note, base, base + chars);
        }
        base += chars;
    }
    if (n)
        json_close(o);
}

static void
put_calls(struct json_out *o, const struct dialect_enc *e, const struct ir_block *blocks)
{
    const struct ir_block *call = first(blocks, IR_CALL);

    if (!call)
        return;
    if (chat_is_legacy(e->req)) {
        put_function(o, "function_call", call->name, call->text);
        return;
    }
    json_key(o, "tool_calls");
    json_open(o, '[');
    for (; call; call = first(call->next, IR_CALL))
        put_call(o, call);
    json_close(o);
}

static void
put_message(struct json_out *o, const struct dialect_enc *e, const struct ir_block *blocks)
{
    json_open(o, '{');
    json_kv_str(o, "role", STR("assistant"));
    if (has(blocks, IR_CALL) || has(blocks, IR_REFUSAL) || has(blocks, IR_TEXT))
        put_joined(o, "content", blocks, IR_TEXT);
    else
        json_kv_str(o, "content", STR(""));
    put_joined(o, "refusal", blocks, IR_REFUSAL);
    put_think(o, e, blocks);
    put_notes(o, blocks);
    put_calls(o, e, blocks);
    json_close(o);
}

struct str
chat_elements(struct str list)
{
    struct str ret = {NULL, 0};
    struct json_iter it;
    struct json_member m;

    if (json_array(&it, list) != TG_OK)
        return ret;
    while (json_next(&it, &m)) {
        if (ret.n == 0)
            ret = m.value;
        ret.n = (size_t)(m.value.p + m.value.n - ret.p);
    }
    return ret;
}

/* The tokens of all content, one list. */
static void
put_probs(struct json_out *o, const struct ir_block *blocks)
{
    bool any = false;

    json_key(o, "logprobs");
    for (const struct ir_block *b = blocks; b; b = b->next) {
        struct str tokens = {NULL, 0};

        if (b->kind == IR_TEXT && b->logprobs.n)
            tokens = chat_elements(b->logprobs);
        if (tokens.n == 0)
            continue;
        if (!any) {
            json_open(o, '{');
            json_key(o, "content");
            json_open(o, '[');
        }
        any = true;
        json_raw(o, tokens);
    }
    if (!any) {
        json_null(o);
        return;
    }
    json_close(o);
    json_kv_null(o, "refusal");
    json_close(o);
}

static bool
speakable(const struct ir_res *res)
{
    for (unsigned i = 0; i < res->n_answers; i++)
        for (const struct ir_block *b = res->answers[i].blocks; b; b = b->next)
            if (b->kind == IR_MEDIA || b->kind == IR_RESULT)
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
        put_message(&o, e, res->answers[i].blocks);
        put_probs(&o, res->answers[i].blocks);
        json_kv_str(&o, "finish_reason",
                    chat_finish_reason(res->answers[i].stop, chat_is_legacy(e->req)));
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
