/* enc_turn.c -- a turn of the model, in the history for a Chat upstream.
 *
 * It is one message however its blocks were mixed: content, refusal, reasoning and calls have a
 * field each.  The reasoning goes along where the server wants it back (route->caps.replay),
 * with the proofs that an upstream of this dialect gave.
 */
#include "dialect/chat/enc_int.h"

#include "base/hash.h"
#include "ir/drops.h"

static void
put_joined(struct json_out *o, const char *key, const struct ir_block *b, enum ir_kind kind)
{
    json_key(o, key);
    json_str_open(o);
    for (; b; b = b->next)
        if (b->kind == kind)
            json_str_part(o, b->text);
    json_str_close(o);
}

static void
put_call(struct chat_out *out, const struct ir_block *b)
{
    struct str text = b->text.n || b->freeform ? b->text : STR("{}");

    json_open(&out->o, '{');
    json_kv_str(&out->o, "id", hash_fit(out->a, b->id, CHAT_ID_MAX));
    json_kv_str(&out->o, "type", b->freeform ? STR("custom") : STR("function"));
    json_key(&out->o, b->freeform ? "custom" : "function");
    json_open(&out->o, '{');
    json_kv_str(&out->o, "name", b->name);
    json_kv_str(&out->o, b->freeform ? "input" : "arguments", text);
    json_close(&out->o);
    json_close(&out->o);
}

/* Is the proof of this block one that an upstream of this dialect may see? */
static bool
is_ours(const struct ir_block *b)
{
    return b->sig.n && b->origin && strcmp(b->origin, dialect_chat.name) == 0;
}

/* May the text of thoughts without such a proof go back to the model?  A client of the dialect
 * has chosen itself what it sends back. */
static bool
replays(const struct chat_out *out, const struct ir_msg *m, unsigned i)
{
    switch (out->route->caps.replay) {
    case CAPS_REPLAY_ALWAYS:
        return true;
    case CAPS_REPLAY_TOOL_TURNS:
        return chat_came_as(out, dialect_chat.name) ||
               (i >= out->last_turn && chat_first(m->blocks, IR_CALL));
    default:
        return false;
    }
}

static void
put_details(struct json_out *o, const struct ir_block *blocks)
{
    uint32_t index = 0;

    json_key(o, "reasoning_details");
    json_open(o, '[');
    for (const struct ir_block *b = blocks; b; b = b->next) {
        if (b->kind != IR_THINK || !is_ours(b))
            continue;
        if (b->text.n) {
            json_open(o, '{');
            json_kv_str(o, "type",
                        b->summary ? STR("reasoning.summary") : STR("reasoning.text"));
            json_kv_str(o, b->summary ? "summary" : "text", b->text);
            if (!b->summary)
                json_kv_str(o, "signature", b->sig);
            json_kv_int(o, "index", index);
            json_close(o);
        }
        if (b->text.n == 0 || b->summary)
            chat_put_proof(o, NULL, b, index);
        index++;
    }
    json_close(o);
}

/* The turn's reasoning.  A foreign proof never goes out; nor does anything where the server has
 * no field for it, which is what never replaying means here. */
static void
put_think(struct chat_out *out, const struct ir_msg *m, unsigned i)
{
    bool any = replays(out, m, i), own = out->route->caps.replay != CAPS_REPLAY_NEVER;
    bool text = false, proof = false, lost = false;

    for (const struct ir_block *b = m->blocks; b; b = b->next) {
        bool ours = own && is_ours(b);

        if (b->kind != IR_THINK)
            continue;
        text |= (any || ours) && b->text.n;
        proof |= ours;
        lost |= !ours && (!any || b->sig.n);
    }
    if (lost)
        ir_drop(out->drops, chat_said(out, "reasoning", "reasoning", "thinking"));
    if (text) {
        json_key(&out->o, "reasoning_content");
        json_str_open(&out->o);
        for (const struct ir_block *b = m->blocks; b; b = b->next)
            if (b->kind == IR_THINK && (any || is_ours(b)))
                json_str_part(&out->o, b->text);
        json_str_close(&out->o);
    }
    if (proof)
        put_details(&out->o, m->blocks);
}

static tg_rc
put_content(struct chat_out *out, const struct ir_msg *m)
{
    const struct ir_block *blocks = m->blocks;
    bool parts = false;
    tg_rc rc = TG_OK;

    for (const struct ir_block *b = blocks; b; b = b->next)
        parts |= b->kind == IR_TEXT && b->cache_ttl.n && out->route->caps.cache_marks;
    if (!chat_first(blocks, IR_TEXT)) {
        if (chat_first(blocks, IR_CALL) || chat_first(blocks, IR_REFUSAL))
            json_kv_null(&out->o, "content");
        else
            json_kv_str(&out->o, "content", STR(""));
        return TG_OK;
    }
    if (!parts) {
        put_joined(&out->o, "content", blocks, IR_TEXT);
    } else {
        json_key(&out->o, "content");
        json_open(&out->o, '[');
        for (const struct ir_block *b = blocks; b && rc == TG_OK; b = b->next)
            if (b->kind == IR_TEXT)
                rc = chat_put_part(out, b, m);
        json_close(&out->o);
    }
    for (const struct ir_block *b = blocks; b && rc == TG_OK; b = b->next)
        if (b->cache_ttl.n && (b->kind != IR_TEXT || !parts))
            rc = chat_drop(out, STR("cache_control"));
    return rc;
}

tg_rc
chat_put_turn(struct chat_out *out, const struct ir_msg *m, unsigned i)
{
    tg_rc rc;

    json_open(&out->o, '{');
    json_kv_str(&out->o, "role", STR("assistant"));
    if (m->name.n)
        json_kv_str(&out->o, "name", m->name);
    rc = put_content(out, m);
    if (chat_first(m->blocks, IR_REFUSAL))
        put_joined(&out->o, "refusal", m->blocks, IR_REFUSAL);
    put_think(out, m, i);
    if (chat_first(m->blocks, IR_CALL)) {
        json_key(&out->o, "tool_calls");
        json_open(&out->o, '[');
        for (const struct ir_block *b = m->blocks; b; b = b->next)
            if (b->kind == IR_CALL)
                put_call(out, b);
        json_close(&out->o);
    }
    for (const struct ir_block *b = m->blocks; b && rc == TG_OK; b = b->next) {
        if (b->kind == IR_OPAQUE && b->origin && strcmp(b->origin, dialect_chat.name) == 0 &&
            str_eq(b->name, STR("audio")))
            json_kv_raw(&out->o, "audio", b->raw);
        else if (b->kind == IR_OPAQUE || b->kind == IR_MEDIA || b->kind == IR_RESULT)
            rc = chat_drop(out, chat_path(out, m, b));
    }
    json_close(&out->o);
    return rc;
}
