/* enc_msg.c -- the messages of a request for a Chat upstream.
 *
 * A tool's results are messages of their own and must follow the turn with the calls at once,
 * so in a run of messages that holds results these come first, then one user message with the
 * media that the results held (a tool message has room for text alone), then what the user said
 * besides.  A turn of nothing but text goes as a plain string, because not every server takes
 * parts.
 *
 * System text behind the first turn stays where it is, or becomes text of the user, or goes to
 * the head: servers that refuse it elsewhere take one system message, so then there is one.
 */
#include "dialect/chat/enc_int.h"

#include "base/hash.h"
#include "ir/turn.h"

static bool
is_text(const struct ir_block *b)
{
    return b->kind == IR_TEXT;
}

/* Must this content be a list of parts? */
static bool
needs_parts(const struct chat_out *out, const struct ir_block *b)
{
    unsigned n = 0;

    for (; b; b = b->next) {
        if (b->kind == IR_RESULT || b->kind == IR_OPAQUE)
            continue;
        if (!is_text(b) || (b->cache_ttl.n && out->route->caps.cache_marks))
            return true;
        n++;
    }
    return n > 1;
}

/* What no message has a place for, told or refused. */
static tg_rc
pass_over(struct chat_out *out, const struct ir_msg *m, const struct ir_block *b)
{
    if (b->kind == IR_OPAQUE)
        return chat_drop(out, chat_path(out, m, b));
    return chat_refuse(out, chat_path(out, m, b),
                       "a message of this role cannot hold such content here");
}

/* "content" of a system or user message; results stand elsewhere. */
static tg_rc
put_content(struct chat_out *out, const struct ir_msg *m)
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
            rc = pass_over(out, m, b);
        } else if (parts) {
            rc = chat_put_part(out, b, m);
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
put_plain(struct chat_out *out, const struct ir_msg *m)
{
    tg_rc rc;

    json_open(&out->o, '{');
    json_kv_str(&out->o, "role",
                m->role != IR_SYSTEM                              ? STR("user")
                : m->developer && out->route->caps.developer_role ? STR("developer")
                                                                  : STR("system"));
    if (m->name.n)
        json_kv_str(&out->o, "name", m->name);
    rc = put_content(out, m);
    json_close(&out->o);
    return rc;
}

/* More of a text that is put together from several messages' text. */
static tg_rc
put_text_of(struct chat_out *out, const struct ir_msg *m, bool *any)
{
    tg_rc rc = TG_OK;

    if (m->name.n)
        rc =
            chat_drop(out, arena_printf(out->a, "%.*s.name", STR_ARG(chat_path(out, m, NULL))));
    for (const struct ir_block *b = m->blocks; b && rc == TG_OK; b = b->next) {
        if (!is_text(b)) {
            rc = pass_over(out, m, b);
            continue;
        }
        if (*any && b->text.n)
            json_str_part(&out->o, STR("\n\n"));
        *any |= b->text.n > 0;
        json_str_part(&out->o, b->text);
        if (b->cache_ttl.n)
            rc = chat_drop(out, STR("cache_control"));
    }
    return rc;
}

/* All system text as one message. */
static tg_rc
put_merged(struct chat_out *out)
{
    bool developer = out->route->caps.developer_role, any = false;
    tg_rc rc = TG_OK;

    for (const struct ir_msg *m = out->req->msgs; m; m = m->next)
        developer &= m->role != IR_SYSTEM || m->developer;
    json_open(&out->o, '{');
    json_kv_str(&out->o, "role", developer ? STR("developer") : STR("system"));
    json_key(&out->o, "content");
    json_str_open(&out->o);
    for (const struct ir_msg *m = out->req->msgs; m && rc == TG_OK; m = m->next)
        if (m->role == IR_SYSTEM)
            rc = put_text_of(out, m, &any);
    json_str_close(&out->o);
    json_close(&out->o);
    return rc;
}

static tg_rc
put_reminder(struct chat_out *out, const struct ir_msg *m)
{
    bool any = false;
    tg_rc rc;

    json_open(&out->o, '{');
    json_kv_str(&out->o, "role", STR("user"));
    json_key(&out->o, "content");
    json_str_open(&out->o);
    json_str_part(&out->o, STR("<system-reminder>\n"));
    rc = put_text_of(out, m, &any);
    json_str_part(&out->o, STR("\n</system-reminder>"));
    json_str_close(&out->o);
    json_close(&out->o);
    return rc;
}

/* Is there system text that is not the first message? */
static bool
must_merge(const struct chat_out *out)
{
    const struct ir_msg *m = out->req->msgs;

    if (out->route->caps.system != CAPS_SYSTEM_MERGE || !m)
        return false;
    for (m = m->next; m; m = m->next)
        if (m->role == IR_SYSTEM)
            return true;
    return false;
}

static bool
has_parts(const struct ir_block *result)
{
    return chat_first(result->sub, IR_MEDIA) != NULL;
}

static bool
has_texts(const struct ir_block *result)
{
    const struct ir_block *first = chat_first(result->sub, IR_TEXT);

    return first && chat_first(first->next, IR_TEXT);
}

/* A result's message.  More than one text stays more than one part, unless something has to be
 * said in front; a result of which nothing can be carried is an empty text. */
static tg_rc
put_result(struct chat_out *out, const struct ir_msg *m, const struct ir_block *r)
{
    bool error = r->failed, parts = !error && has_texts(r) && !has_parts(r);
    tg_rc rc = TG_OK;

    json_open(&out->o, '{');
    json_kv_str(&out->o, "role", STR("tool"));
    json_kv_str(&out->o, "tool_call_id", hash_fit(out->a, r->id, CHAT_ID_MAX));
    json_key(&out->o, "content");
    if (parts) {
        json_open(&out->o, '[');
        for (const struct ir_block *b = r->sub; b && rc == TG_OK; b = b->next)
            if (is_text(b))
                rc = chat_put_part(out, b, m);
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
    for (const struct ir_block *b = r->sub; b && rc == TG_OK; b = b->next)
        if (b->kind == IR_OPAQUE)
            rc = pass_over(out, m, b);
    if (rc == TG_OK && r->cache_ttl.n)
        rc = chat_drop(out, STR("cache_control"));
    return rc;
}

/* The media of the results in [from, end). */
static tg_rc
put_result_media(struct chat_out *out, const struct ir_msg *from, const struct ir_msg *end)
{
    bool any = false;
    tg_rc rc = TG_OK;

    for (const struct ir_msg *m = from; m != end; m = m->next)
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
            json_str_part(&out->o, hash_fit(out->a, r->id, CHAT_ID_MAX));
            json_str_part(&out->o, STR(":"));
            json_str_close(&out->o);
            json_close(&out->o);
            for (const struct ir_block *b = r->sub; b && rc == TG_OK; b = b->next)
                if (b->kind == IR_MEDIA)
                    rc = chat_put_part(out, b, m);
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
    tg_rc rc = TG_OK;

    while (end && (end->role == IR_TOOL || end->role == IR_USER) &&
           chat_first(end->blocks, IR_RESULT)) {
        for (const struct ir_block *b = end->blocks; b && rc == TG_OK; b = b->next)
            if (b->kind == IR_RESULT)
                rc = put_result(out, end, b);
        end = end->next;
        ++*i;
    }
    if (rc == TG_OK)
        rc = put_result_media(out, from, end);
    for (const struct ir_msg *m = from; m != end && rc == TG_OK; m = m->next)
        for (const struct ir_block *b = m->blocks; b; b = b->next)
            if (b->kind != IR_RESULT) {
                rc = put_plain(out, m);
                break;
            }
    *at = end;
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

static tg_rc
put_message(struct chat_out *out, const struct ir_msg *m, unsigned i, bool led)
{
    if (m->role == IR_SYSTEM && led && out->route->caps.system == CAPS_SYSTEM_REMIND)
        return put_reminder(out, m);
    if (m->role != IR_MODEL)
        return put_plain(out, m);
    if (!m->next && !out->req->fresh_turn && !chat_first(m->blocks, IR_CALL) &&
        !out->route->caps.prefill)
        return chat_refuse(out, chat_path(out, m, NULL),
                           "the upstream begins a new turn, it cannot continue one that the "
                           "client began for the model");
    return chat_put_turn(out, m, i);
}

tg_rc
chat_put_messages(struct chat_out *out)
{
    const struct ir_msg *m = out->req->msgs;
    bool merged = must_merge(out), led = false;
    unsigned i = 0;
    tg_rc rc = TG_OK;

    count_marks(out);
    out->last_turn = ir_last_turn(out->req);
    json_key(&out->o, "messages");
    json_open(&out->o, '[');
    if (merged)
        rc = put_merged(out);
    while (m && rc == TG_OK) {
        led |= m->role != IR_SYSTEM;
        if ((m->role == IR_TOOL || m->role == IR_USER) && chat_first(m->blocks, IR_RESULT)) {
            rc = put_results(out, &m, &i);
            continue;
        }
        if (m->role != IR_SYSTEM || !merged)
            rc = put_message(out, m, i, led);
        m = m->next;
        i++;
    }
    json_close(&out->o);
    return rc;
}
