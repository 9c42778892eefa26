/* enc_msg.c -- the messages of a request for a Chat upstream.
 *
 * A model's turn is one message however its blocks were mixed: content, refusal, reasoning and
 * calls have a field each.  A tool's results are messages of their own and must follow the turn
 * with the calls at once, so in a run of messages that holds results these come first, then one
 * user message with the media that the results held (a tool message has room for text alone),
 * then what the user said besides.
 *
 * A turn of nothing but text goes as a plain string, because not every server takes parts.
 */
#include "dialect/chat/enc_int.h"

static bool
is_text(const struct ir_block *b)
{
    return b->kind == IR_TEXT;
}

static const struct ir_block *
find(const struct ir_block *b, enum ir_kind kind)
{
    while (b && b->kind != kind)
        b = b->next;
    return b;
}

/* Must this content be a list of parts? */
static bool
needs_parts(const struct chat_out *out, const struct ir_block *b)
{
    unsigned n = 0;

    for (; b; b = b->next) {
        if (b->kind == IR_RESULT || b->kind == IR_OPAQUE)
            continue;
        if (!is_text(b) || (b->cache_ttl.n && out->takes_marks))
            return true;
        n++;
    }
    return n > 1;
}

/* What no message has a place for, told or refused. */
static tg_rc
pass_over(struct chat_out *out, const struct ir_block *b, unsigned i)
{
    if (b->kind == IR_OPAQUE)
        return chat_drop(out, chat_path(out, i, ".content"));
    return chat_refuse(out, chat_path(out, i, ".content"),
                       "a message of this role cannot hold such content here");
}

/* "content" of a system or user message; results stand elsewhere. */
static tg_rc
put_content(struct chat_out *out, const struct ir_msg *m, unsigned i)
{
    bool parts = needs_parts(out, m->blocks), user = m->role != IR_SYSTEM;
    tg_rc rc = TG_OK;

    json_key(&out->o, "content");
    if (parts)
        json_open(&out->o, '[');
    else
        json_str_open(&out->o);
    for (const struct ir_block *b = m->blocks; b && rc == TG_OK; b = b->next) {
        if (b->kind == IR_RESULT)
            continue;
        if (!is_text(b) && (!user || b->kind != IR_MEDIA)) {
            rc = pass_over(out, b, i);
        } else if (parts) {
            rc = chat_put_part(out, b, i);
        } else {
            json_str_part(&out->o, b->text);
            if (b->cache_ttl.n)
                rc = chat_drop(out, STR("cache_control"));
        }
    }
    if (parts)
        json_close(&out->o);
    else
        json_str_close(&out->o);
    return rc;
}

static tg_rc
put_plain(struct chat_out *out, const struct ir_msg *m, unsigned i)
{
    tg_rc rc;

    json_open(&out->o, '{');
    json_kv_str(&out->o, "role",
                m->role != IR_SYSTEM ? STR("user")
                : m->developer       ? STR("developer")
                                     : STR("system"));
    if (m->name.n)
        json_kv_str(&out->o, "name", m->name);
    rc = put_content(out, m, i);
    json_close(&out->o);
    return rc;
}

static bool
has_parts(const struct ir_block *result)
{
    return find(result->sub, IR_MEDIA) != NULL;
}

/* A result's message.  More than one text stays more than one part, unless something has to be
 * said in front. */
static tg_rc
put_result(struct chat_out *out, const struct ir_block *r)
{
    bool error = r->failed, parts = !error && r->sub && r->sub->next && !has_parts(r);
    tg_rc rc = TG_OK;

    json_open(&out->o, '{');
    json_kv_str(&out->o, "role", STR("tool"));
    json_kv_str(&out->o, "tool_call_id", chat_short(out->a, r->id));
    json_key(&out->o, "content");
    if (parts) {
        json_open(&out->o, '[');
        for (const struct ir_block *b = r->sub; b && rc == TG_OK; b = b->next)
            if (is_text(b))
                rc = chat_put_part(out, b, 0);
        json_close(&out->o);
    } else {
        json_str_open(&out->o);
        if (error)
            json_str_part(&out->o, STR("Error: "));
        json_str_part(&out->o, r->text);
        for (const struct ir_block *b = r->text.n ? NULL : r->sub; b; b = b->next)
            if (is_text(b))
                json_str_part(&out->o, b->text);
        if (has_parts(r))
            json_str_part(&out->o, STR("\n(The rest of this result is not text and stands in "
                                       "the next user message.)"));
        json_str_close(&out->o);
    }
    json_close(&out->o);
    if (rc == TG_OK && r->cache_ttl.n)
        rc = chat_drop(out, STR("cache_control"));
    return rc;
}

/* The media of the results in [from, end). */
static tg_rc
put_result_media(struct chat_out *out, const struct ir_msg *from, const struct ir_msg *end,
                 unsigned i)
{
    bool any = false;
    tg_rc rc = TG_OK;

    for (const struct ir_msg *m = from; m != end; m = m->next, i++)
        for (const struct ir_block *r = m->blocks; r && rc == TG_OK; r = r->next) {
            if (r->kind != IR_RESULT || !has_parts(r))
                continue;
            if (!any) {
                json_open(&out->o, '{');
                json_kv_str(&out->o, "role", STR("user"));
                json_key(&out->o, "content");
                json_open(&out->o, '[');
                any = true;
            }
            json_open(&out->o, '{');
            json_kv_str(&out->o, "type", STR("text"));
            json_key(&out->o, "text");
            json_str_open(&out->o);
            json_str_part(&out->o, STR("From the result of tool call "));
            json_str_part(&out->o, chat_short(out->a, r->id));
            json_str_part(&out->o, STR(":"));
            json_str_close(&out->o);
            json_close(&out->o);
            for (const struct ir_block *b = r->sub; b && rc == TG_OK; b = b->next)
                if (b->kind == IR_MEDIA)
                    rc = chat_put_part(out, b, i);
        }
    if (any) {
        json_close(&out->o);
        json_close(&out->o);
    }
    return rc;
}

/* Messages from *at on that are results, and the user's words between or behind them. */
static tg_rc
put_results(struct chat_out *out, const struct ir_msg **at, unsigned *i)
{
    const struct ir_msg *from = *at, *end = from;
    unsigned first = *i;
    tg_rc rc = TG_OK;

    while (end && (end->role == IR_TOOL || end->role == IR_USER) &&
           find(end->blocks, IR_RESULT)) {
        for (const struct ir_block *b = end->blocks; b && rc == TG_OK; b = b->next)
            if (b->kind == IR_RESULT)
                rc = put_result(out, b);
        end = end->next;
        ++*i;
    }
    if (rc == TG_OK)
        rc = put_result_media(out, from, end, first);
    for (const struct ir_msg *m = from; m != end && rc == TG_OK; m = m->next, first++)
        for (const struct ir_block *b = m->blocks; b; b = b->next)
            if (b->kind != IR_RESULT) {
                rc = put_plain(out, m, first);
                break;
            }
    *at = end;
    return rc;
}

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
    json_kv_str(&out->o, "id", chat_short(out->a, b->id));
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

/* The turn's reasoning.  OpenAI's own models have no field for it in this dialect; a foreign
 * proof never goes out. */
static void
put_think(struct chat_out *out, const struct ir_block *blocks)
{
    bool text = false, ours = false, lost = false;
    uint32_t index = 0;

    for (const struct ir_block *b = blocks; b; b = b->next) {
        if (b->kind != IR_THINK)
            continue;
        text |= b->text.n > 0;
        ours |= is_ours(b);
        lost |= (b->sig.n && !is_ours(b)) || out->of_openai;
    }
    if (lost)
        ir_drop(out->drops, out->req->origin && strcmp(out->req->origin, "messages") == 0
                                ? STR("thinking")
                                : STR("reasoning"));
    if (out->of_openai)
        return;
    if (text)
        put_joined(&out->o, "reasoning_content", blocks, IR_THINK);
    if (!ours)
        return;
    json_key(&out->o, "reasoning_details");
    json_open(&out->o, '[');
    for (const struct ir_block *b = blocks; b; b = b->next) {
        if (b->kind != IR_THINK || !is_ours(b))
            continue;
        if (b->text.n) {
            json_open(&out->o, '{');
            json_kv_str(&out->o, "type",
                        b->summary ? STR("reasoning.summary") : STR("reasoning.text"));
            json_kv_str(&out->o, b->summary ? "summary" : "text", b->text);
            if (!b->summary)
                json_kv_str(&out->o, "signature", b->sig);
            json_kv_int(&out->o, "index", index);
            json_close(&out->o);
        }
        if (b->text.n == 0 || b->summary)
            chat_put_proof(&out->o, NULL, b, index);
        index++;
    }
    json_close(&out->o);
}

static tg_rc
put_model_content(struct chat_out *out, const struct ir_block *blocks, unsigned i)
{
    bool parts = false;
    tg_rc rc = TG_OK;

    for (const struct ir_block *b = blocks; b; b = b->next)
        parts |= is_text(b) && b->cache_ttl.n && out->takes_marks;
    if (!find(blocks, IR_TEXT)) {
        if (find(blocks, IR_CALL) || find(blocks, IR_REFUSAL))
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
            if (is_text(b))
                rc = chat_put_part(out, b, i);
        json_close(&out->o);
    }
    for (const struct ir_block *b = blocks; b && rc == TG_OK; b = b->next)
        if (b->cache_ttl.n && (!is_text(b) || !parts))
            rc = chat_drop(out, STR("cache_control"));
    return rc;
}

static tg_rc
put_model(struct chat_out *out, const struct ir_msg *m, unsigned i)
{
    tg_rc rc;

    json_open(&out->o, '{');
    json_kv_str(&out->o, "role", STR("assistant"));
    if (m->name.n)
        json_kv_str(&out->o, "name", m->name);
    rc = put_model_content(out, m->blocks, i);
    if (find(m->blocks, IR_REFUSAL))
        put_joined(&out->o, "refusal", m->blocks, IR_REFUSAL);
    put_think(out, m->blocks);
    if (find(m->blocks, IR_CALL)) {
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
            rc = chat_drop(out, chat_path(out, i, ".content"));
    }
    json_close(&out->o);
    return rc;
}

/* Only the last four marks count for a server. */
static void
count_marks(struct chat_out *out)
{
    enum { MARKS_MAX = 4 };
    unsigned n = 0;

    for (const struct ir_msg *m = out->req->msgs; m; m = m->next)
        for (const struct ir_block *b = m->blocks; b; b = b->next)
            n += b->cache_ttl.n && (is_text(b) || b->kind == IR_MEDIA);
    out->marks_skipped = n > MARKS_MAX ? n - MARKS_MAX : 0;
}

tg_rc
chat_put_messages(struct chat_out *out)
{
    const struct ir_msg *m = out->req->msgs, *next;
    unsigned i = 0;
    tg_rc rc = TG_OK;

    count_marks(out);
    json_key(&out->o, "messages");
    json_open(&out->o, '[');
    while (m && rc == TG_OK) {
        if ((m->role == IR_TOOL || m->role == IR_USER) && find(m->blocks, IR_RESULT)) {
            rc = put_results(out, &m, &i);
            continue;
        }
        next = m->next;
        if (m->role != IR_MODEL) {
            rc = put_plain(out, m, i);
        } else if (!next && out->req->origin && strcmp(out->req->origin, "messages") == 0 &&
                   !find(m->blocks, IR_CALL)) {
            rc = chat_refuse(out, chat_path(out, i, ""),
                             "the upstream begins a new turn, it cannot continue one that the "
                             "client began for the model");
        } else {
            rc = put_model(out, m, i);
        }
        m = next;
        i++;
    }
    json_close(&out->o);
    return rc;
}
