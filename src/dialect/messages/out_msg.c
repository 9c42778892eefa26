/* out_msg.c -- system text and messages for an upstream of this dialect.
 *
 * Here a conversation is turns of user and assistant, and what other dialects say in several
 * messages in a row is one turn.  A turn of the user begins with the results of tools, whatever
 * order the client had them in.  Empty texts are refused upstream, so they are left out; a turn
 * of the user from which nothing is left says so in words, one of the assistant is left out.
 *
 * System text at the head is the system field.  Later on it is, as the route says, a turn of
 * its own, more of the system field, or text of the user in a tag that tells it apart.  No turn
 * may stand between a call and its result; the hub has seen to that (ir/pair.c).
 *
 * Reasoning goes where its proof was made: a foreign proof would be refused, and so would
 * thoughts without one.  Servers that look at no proofs may be given the bare text, as the
 * route says.
 */
#include "dialect/messages/messages_int.h"

#include "ir/drops.h"
#include "ir/turn.h"

/* SIDE_HEAD is no turn: it has gone into the system field. */
enum side { SIDE_USER, SIDE_MODEL, SIDE_SYSTEM, SIDE_HEAD };

enum { MARKS_MAX = 4 };

static const char *const side_names[] = {"user", "assistant", "system"};

static enum side
side_of(const struct messages_out *o, const struct ir_msg *m)
{
    if (m->role == IR_MODEL)
        return SIDE_MODEL;
    if (m->role != IR_SYSTEM)
        return SIDE_USER;
    switch (o->route->caps.system) {
    case CAPS_SYSTEM_KEEP:
        return SIDE_SYSTEM;
    case CAPS_SYSTEM_MERGE:
        return SIDE_HEAD;
    default:
        return SIDE_USER;
    }
}

/* Will there be something of this block upstream? */
static bool
goes(const struct ir_block *b, bool replay)
{
    switch (b->kind) {
    case IR_TEXT:
    case IR_REFUSAL:
        return b->text.n > 0;
    case IR_THINK:
        return (messages_own(b->origin) && b->sig.n > 0) || (replay && b->text.n > 0);
    case IR_OPAQUE:
        return messages_own(b->origin);
    default:
        return true;
    }
}

/* How many marks are written with this block: its own, and those of a result's parts. */
static unsigned
marks_of(const struct ir_block *b)
{
    unsigned n = b->cache_ttl.n > 0 && b->kind != IR_THINK && goes(b, false) &&
                 (b->kind != IR_MEDIA || b->media);

    if (b->kind == IR_RESULT)
        for (const struct ir_block *p = b->sub; p; p = p->next)
            n += p->cache_ttl.n > 0 && (p->kind == IR_MEDIA ? p->media != NULL : p->text.n > 0);
    return n;
}

unsigned
messages_surplus_marks(const struct ir_req *req)
{
    unsigned n = 0;

    for (const struct ir_tool *t = req->tools; t; t = t->next)
        n += t->cache_ttl.n > 0 && t->allowed && !messages_own(t->hosted_by);
    for (const struct ir_msg *m = req->msgs; m; m = m->next)
        for (const struct ir_block *b = m->blocks; b; b = b->next)
            n += marks_of(b);
    return n > MARKS_MAX ? n - MARKS_MAX : 0;
}

void
messages_put_cache(struct messages_out *o, struct str ttl)
{
    if (ttl.n == 0)
        return;
    if (!o->route->caps.cache_marks || o->marks_skip > 0) {
        o->marks_skip -= o->marks_skip > 0;
        messages_drop(o, "%s",
                      messages_own(o->req->origin) ? "cache_control"
                                                   : "prompt_cache_breakpoint");
        return;
    }
    json_key(&o->j, "cache_control");
    json_open(&o->j, '{');
    json_kv_str(&o->j, "type", STR("ephemeral"));
    if (!str_eq(ttl, STR("5m")))
        json_kv_str(&o->j, "ttl", STR("1h"));
    json_close(&o->j);
}

static void
put_text(struct messages_out *o, struct str text, struct str ttl)
{
    json_open(&o->j, '{');
    json_kv_str(&o->j, "type", STR("text"));
    json_kv_str(&o->j, "text", text);
    messages_put_cache(o, ttl);
    json_close(&o->j);
}

static void
put_thought(struct messages_out *o, const struct ir_block *b)
{
    bool own = messages_own(b->origin) && b->sig.n > 0;

    json_open(&o->j, '{');
    if (own && b->redacted) {
        json_kv_str(&o->j, "type", STR("redacted_thinking"));
        json_kv_str(&o->j, "data", b->sig);
    } else {
        json_kv_str(&o->j, "type", STR("thinking"));
        json_kv_str(&o->j, "thinking", b->text);
        json_kv_str(&o->j, "signature", own ? b->sig : STR(""));
    }
    json_close(&o->j);
}

/* Calls of the deprecated form have no id; they pair with their results in order. */
static struct str
call_id(struct messages_out *o, struct str id, unsigned *counter)
{
    if (id.n)
        return messages_id(o->a, id);
    return arena_printf(o->a, "call_legacy_%u", (*counter)++);
}

static void
put_call(struct messages_out *o, const struct ir_block *b)
{
    json_open(&o->j, '{');
    json_kv_str(&o->j, "type", STR("tool_use"));
    json_kv_str(&o->j, "id", call_id(o, b->id, &o->calls));
    json_kv_str(&o->j, "name", b->name);
    json_key(&o->j, "input");
    messages_put_input(&o->j, b);
    messages_put_cache(o, b->cache_ttl);
    json_close(&o->j);
}

static void
put_result_parts(struct messages_out *o, const struct ir_block *parts)
{
    const struct ir_block *result = o->block;

    json_key(&o->j, "content");
    json_open(&o->j, '[');
    for (const struct ir_block *p = parts; p; p = p->next) {
        o->block = p;
        if (p->kind == IR_MEDIA && p->media)
            messages_put_media(o, p);
        else if (p->kind == IR_OPAQUE && messages_own(p->origin))
            json_raw(&o->j, p->raw);
        else if (p->kind == IR_OPAQUE)
            messages_drop(o, "%s", messages_path(o, o->msg, o->block).p);
        else if (p->text.n)
            put_text(o, p->text, p->cache_ttl);
    }
    o->block = result;
    json_close(&o->j);
}

static void
put_result(struct messages_out *o, const struct ir_block *b)
{
    json_open(&o->j, '{');
    json_kv_str(&o->j, "type", STR("tool_result"));
    json_kv_str(&o->j, "tool_use_id", call_id(o, b->id, &o->results));
    if (b->sub)
        put_result_parts(o, b->sub);
    else if (b->text.n)
        json_kv_str(&o->j, "content", b->text);
    if (b->failed)
        json_kv_bool(&o->j, "is_error", true);
    messages_put_cache(o, b->cache_ttl);
    json_close(&o->j);
}

static void
put_block(struct messages_out *o, const struct ir_block *b, bool tagged)
{
    switch (b->kind) {
    case IR_TEXT:
    case IR_REFUSAL:
        if (tagged)
            put_text(o,
                     arena_printf(o->a, "<system-reminder>\n%.*s\n</system-reminder>",
                                  STR_ARG(b->text)),
                     b->cache_ttl);
        else
            put_text(o, b->text, b->cache_ttl);
        break;
    case IR_THINK:
        put_thought(o, b);
        break;
    case IR_CALL:
        put_call(o, b);
        break;
    case IR_RESULT:
        put_result(o, b);
        break;
    case IR_MEDIA:
        if (b->media)
            messages_put_media(o, b);
        break;
    case IR_OPAQUE:
        json_raw(&o->j, b->raw);
        break;
    }
}

/* A block that stays behind, noted.  Foreign reasoning is never a reason to refuse: a
 * conversation that changed its model could not go on. */
static void
note_left(struct messages_out *o, const struct ir_block *b)
{
    if (b->kind == IR_THINK && (b->text.n || b->sig.n))
        ir_drop(o->drops, arena_printf(o->a, "%s.reasoning", messages_path(o, o->msg, NULL).p));
    else if (b->kind == IR_OPAQUE)
        messages_drop(o, "%s", messages_path(o, o->msg, o->block).p);
}

/* A turn that is being written. */
struct turn {
    enum side side;
    bool open;
};

static void
open_turn(struct messages_out *o, struct turn *t)
{
    if (t->open)
        return;
    t->open = true;
    json_open(&o->j, '{');
    json_kv_str(&o->j, "role", str_z(side_names[t->side]));
    json_key(&o->j, "content");
    json_open(&o->j, '[');
}

/* The messages from `from` to before `end`: the tools' results, or everything else. */
static void
put_pass(struct messages_out *o, struct turn *t, const struct ir_msg *from,
         const struct ir_msg *end, bool results)
{
    for (const struct ir_msg *m = from; m != end; m = m->next) {
        o->msg = m;
        for (const struct ir_block *b = m->blocks; b; b = b->next) {
            o->block = b;
            if ((b->kind == IR_RESULT) != results)
                continue;
            if (!goes(b, o->replay)) {
                note_left(o, b);
                continue;
            }
            open_turn(o, t);
            put_block(o, b, m->role == IR_SYSTEM && t->side == SIDE_USER);
        }
    }
}

static bool
calls(const struct ir_msg *from, const struct ir_msg *end)
{
    for (const struct ir_msg *m = from; m != end; m = m->next)
        for (const struct ir_block *b = m->blocks; b; b = b->next)
            if (b->kind == IR_CALL)
                return true;
    return false;
}

/* Does an answer rest in the middle of the provider's own tools' work?  It is sent back as it
 * is, for the provider to go on with. */
static bool
rests(const struct messages_out *o, const struct ir_msg *from, const struct ir_msg *end)
{
    const struct ir_block *last = NULL;

    for (const struct ir_msg *m = from; m != end; m = m->next)
        for (const struct ir_block *b = m->blocks; b; b = b->next)
            if (goes(b, o->replay))
                last = b;
    return last && last->kind == IR_OPAQUE;
}

/* False: nothing was left of it. */
static bool
put_turn(struct messages_out *o, enum side side, const struct ir_msg *from,
         const struct ir_msg *end, unsigned first)
{
    struct turn t = {side, false};

    o->replay = side == SIDE_MODEL && (o->route->caps.replay == CAPS_REPLAY_ALWAYS ||
                                       (o->route->caps.replay == CAPS_REPLAY_TOOL_TURNS &&
                                        first >= o->last_turn && calls(from, end)));
    put_pass(o, &t, from, end, true);
    put_pass(o, &t, from, end, false);
    if (!t.open && side == SIDE_USER) {
        open_turn(o, &t);
        put_text(o, STR("(no content)"), (struct str){NULL, 0});
    }
    if (t.open) {
        json_close(&o->j);
        json_close(&o->j);
    }
    return t.open;
}

/* Opened with the first block, so that without any there is no field. */
static void
put_system_of(struct messages_out *o, const struct ir_msg *m, bool *opened)
{
    for (const struct ir_block *b = m->blocks; b; b = b->next) {
        o->msg = m;
        o->block = b;
        if (!goes(b, false)) {
            note_left(o, b);
            continue;
        }
        if (!*opened) {
            json_key(&o->j, "system");
            json_open(&o->j, '[');
        }
        *opened = true;
        put_block(o, b, false);
        if (b->kind == IR_MEDIA)
            messages_refuse(o, "system text of the upstream's dialect is text alone", "%s",
                            messages_path(o, m, b).p);
    }
}

/* The system field; returns the first message that is not at the head. */
static const struct ir_msg *
put_system(struct messages_out *o, unsigned *ret_first)
{
    const struct ir_msg *m, *first;
    bool opened = false;
    unsigned n = 0;

    for (m = o->req->msgs; m && m->role == IR_SYSTEM; m = m->next, n++)
        put_system_of(o, m, &opened);
    first = m;
    for (; m; m = m->next)
        if (side_of(o, m) == SIDE_HEAD)
            put_system_of(o, m, &opened);
    if (opened)
        json_close(&o->j);
    *ret_first = n;
    return first;
}

/* Names of speakers, which have no place here. */
static void
drop_names(struct messages_out *o)
{
    for (const struct ir_msg *m = o->req->msgs; m; m = m->next)
        if (m->name.n)
            messages_drop(o, "%s.name", messages_path(o, m, NULL).p);
}

/* Here an assistant's turn at the end is a beginning to go on with.  A client in whose dialect
 * it is a whole answer (one that was cut off, say, and is asked for again) wants another. */
static void
put_go_on(struct messages_out *o)
{
    json_open(&o->j, '{');
    json_kv_str(&o->j, "role", STR("user"));
    json_kv_str(&o->j, "content", STR("Continue."));
    json_close(&o->j);
}

void
messages_put_messages(struct messages_out *o)
{
    const struct ir_msg *m, *end, *last = NULL;
    unsigned i = 0;
    bool prefill = false;

    drop_names(o);
    o->last_turn = ir_last_turn(o->req);
    m = put_system(o, &i);
    if (!m)
        messages_refuse(o, "a message of the user is needed behind the system text",
                        messages_from_responses(o) ? "input" : "messages");
    else if (m->role == IR_MODEL)
        messages_refuse(o, "the first message must be the user's", "%s",
                        messages_path(o, m, NULL).p);
    json_key(&o->j, "messages");
    json_open(&o->j, '[');
    for (; m; m = end) {
        enum side side = side_of(o, m);
        unsigned n = 0;

        for (end = m; end && side_of(o, end) == side; end = end->next)
            n++;
        if (side != SIDE_HEAD && put_turn(o, side, m, end, i)) {
            prefill = side == SIDE_MODEL && !rests(o, m, end);
            for (last = m; last->next != end;)
                last = last->next;
        }
        i += n;
    }
    if (prefill && o->req->fresh_turn)
        put_go_on(o);
    json_close(&o->j);
    if (prefill && !o->req->fresh_turn && !o->route->caps.prefill)
        messages_refuse(o, "the upstream's model does not go on with an answer", "%s",
                        messages_path(o, last, NULL).p);
}
