/* up_item.c -- messages written as the input items of a Responses upstream.
 *
 * A message becomes one message item for its texts and media, and an item of its own for each
 * call, result and piece of reasoning between them, in the order of the blocks.  Ids of calls
 * are kept; one that is too long for the upstream is shortened by a rule that needs no memory,
 * so that the call and its result still match, after a restart too.
 *
 * Reasoning goes back in one of two ways.  To providers that prove theirs, with the proof; what
 * others made is left out whole, because it would be refused.  To servers that want the bare
 * thoughts of their models again (caps.replay) as text, whoever made it, and without any proof,
 * which they would not understand.
 */
#include "dialect/responses/up_int.h"

#include "base/hash.h"
#include "ir/drops.h"
#include "ir/turn.h"

enum { CALL_ID_MAX = 64, CUSTOM_MAX = 256 };

struct items {
    struct responses_writer *w;
    unsigned msg;                  /* number of the message  */
    unsigned last_turn;            /* of the user's last message, plus one */
    unsigned legacy;               /* calls without an id    */
    unsigned unanswered;           /* results without one    */
    struct str custom[CUSTOM_MAX]; /* ids of the last calls of free-form tools, as a ring */
    unsigned n_custom;
};

static const struct ir_block *
find_kind(const struct ir_block *b, enum ir_kind kind)
{
    while (b && b->kind != kind)
        b = b->next;
    return b;
}

/* Does the history end in words of the model, for it to go on with? */
static bool
is_prefill(const struct ir_msg *m)
{
    const struct ir_block *b = m->blocks;

    while (b && b->next)
        b = b->next;
    return m->role == IR_MODEL && !m->next && b && b->kind == IR_TEXT;
}

/* The first block behind b that is no part of a message. */
static const struct ir_block *
end_of_parts(const struct ir_block *b)
{
    while (b && responses_is_part(b))
        b = b->next;
    return b;
}

static void
write_role(struct items *i, const struct ir_msg *m)
{
    bool developer = m->developer && i->w->route->caps.developer_role;

    json_kv_str(&i->w->o, "role",
                m->role == IR_MODEL    ? STR("assistant")
                : m->role != IR_SYSTEM ? STR("user")
                : developer            ? STR("developer")
                                       : STR("system"));
}

/* The parts from b on, up to a block that is none, as one message.  *b goes behind them.  An
 * answer to go on with says so by its status, which only the long form of a message has. */
static tg_rc
write_message(struct items *i, const struct ir_msg *m, const struct ir_block **b,
              unsigned *part)
{
    struct responses_writer *w = i->w;
    struct json_out *o = &w->o;
    const struct ir_block *first = *b, *end = end_of_parts(first);
    bool model = m->role == IR_MODEL;
    bool unfinished = !end && is_prefill(m) && !w->req->fresh_turn;
    bool marked = first->cache_ttl.n && w->route->caps.cache_marks && !model;
    bool one = first->kind == IR_TEXT && !marked && !unfinished && first->next == end;
    tg_rc rc = TG_OK;

    json_open(o, '{');
    json_kv_str(o, "type", STR("message"));
    if (unfinished) {
        json_kv_str(o, "id", arena_printf(w->a, "msg_%u_%u", i->msg, *part));
        json_kv_str(o, "status", STR("incomplete"));
    }
    write_role(i, m);
    json_key(o, "content");
    if (one) {
        if (first->cache_ttl.n)
            rc = responses_drop_mark(w);
        json_str(o, first->text);
        *b = first->next;
        ++*part;
    } else {
        json_open(o, '[');
        for (; rc == TG_OK && *b != end; *b = (*b)->next, ++*part)
            rc = responses_write_part(w, *b, model, m);
        json_close(o);
    }
    json_close(o);
    return rc;
}

static tg_rc
write_call(struct items *i, const struct ir_block *b)
{
    struct json_out *o = &i->w->o;
    struct str id = b->id.n ? b->id : arena_printf(i->w->a, "call_legacy_%u", i->legacy++);

    json_open(o, '{');
    json_kv_str(o, "type", b->freeform ? STR("custom_tool_call") : STR("function_call"));
    json_kv_str(o, "call_id", hash_fit(i->w->a, id, CALL_ID_MAX));
    json_kv_str(o, "name", b->name);
    if (b->freeform)
        json_kv_str(o, "input", b->text);
    else
        json_kv_str(o, "arguments", b->text.n ? b->text : STR("{}"));
    json_close(o);
    if (b->freeform)
        i->custom[i->n_custom++ % CUSTOM_MAX] = id;
    return b->cache_ttl.n ? responses_drop_mark(i->w) : TG_OK;
}

/* Some dialects do not say with a result what kind of tool it is of. */
static bool
is_custom(const struct items *i, const struct ir_block *b)
{
    unsigned n = i->n_custom < CUSTOM_MAX ? i->n_custom : CUSTOM_MAX;

    if (b->freeform)
        return true;
    for (unsigned k = 0; k < n; k++)
        if (str_eq(i->custom[k], b->id))
            return true;
    return false;
}

/* Text of a result with a mark on it. */
static tg_rc
write_marked(struct items *i, const struct ir_msg *m, const struct ir_block *b)
{
    struct ir_block text = {.kind = IR_TEXT, .text = b->text, .cache_ttl = b->cache_ttl};
    tg_rc rc;

    json_open(&i->w->o, '[');
    if (b->failed)
        responses_write_plain(&i->w->o, STR("Error:"));
    rc = responses_write_part(i->w, &text, false, m);
    json_close(&i->w->o);
    return rc;
}

static tg_rc
write_parts(struct items *i, const struct ir_msg *m, const struct ir_block *b)
{
    struct responses_writer *w = i->w;
    tg_rc rc = TG_OK;

    json_open(&w->o, '[');
    if (b->failed)
        responses_write_plain(&w->o, STR("Error:"));
    for (const struct ir_block *s = b->sub; s && rc == TG_OK; s = s->next) {
        struct ir_block copy = *s;

        /* A mark on the result is one behind its last part. */
        if (!s->next && copy.cache_ttl.n == 0)
            copy.cache_ttl = b->cache_ttl;
        if (responses_is_part(s))
            rc = responses_write_part(w, &copy, false, m);
        else
            rc = responses_drop(w, "%s", responses_path(w, m, s).p);
    }
    json_close(&w->o);
    return rc;
}

static tg_rc
write_result(struct items *i, const struct ir_msg *m, const struct ir_block *b)
{
    struct json_out *o = &i->w->o;
    struct str id = b->id.n ? b->id : arena_printf(i->w->a, "call_legacy_%u", i->unanswered++);
    tg_rc rc = TG_OK;

    json_open(o, '{');
    json_kv_str(o, "type",
                is_custom(i, b) ? STR("custom_tool_call_output") : STR("function_call_output"));
    json_kv_str(o, "call_id", hash_fit(i->w->a, id, CALL_ID_MAX));
    json_key(o, "output");
    if (b->sub) {
        rc = write_parts(i, m, b);
    } else if (b->cache_ttl.n && i->w->route->caps.cache_marks) {
        rc = write_marked(i, m, b);
    } else {
        if (b->cache_ttl.n)
            rc = responses_drop_mark(i->w);
        json_str_open(o);
        if (b->failed)
            json_str_part(o, STR("Error: "));
        json_str_part(o, b->text);
        json_str_close(o);
    }
    json_close(o);
    return rc;
}

static void
write_thought(struct json_out *o, const char *list, const char *type, struct str text)
{
    json_key(o, list);
    json_open(o, '[');
    if (text.n) {
        json_open(o, '{');
        json_kv_str(o, "type", str_z(type));
        json_kv_str(o, "text", text);
        json_close(o);
    }
    json_close(o);
}

/* Reasoning of this dialect's providers, as they gave it. */
static void
write_proven(struct json_out *o, const struct ir_block *b)
{
    static const struct str nothing;

    json_open(o, '{');
    json_kv_str(o, "type", STR("reasoning"));
    if (b->sig_id.n)
        json_kv_str(o, "id", b->sig_id);
    write_thought(o, "summary", "summary_text", b->summary ? b->text : nothing);
    if (b->text.n && !b->summary)
        write_thought(o, "content", "reasoning_text", b->text);
    json_kv_str(o, "encrypted_content", b->sig);
    json_close(o);
}

/* May the bare text of this message's thoughts go back? */
static bool
replays(const struct items *i, const struct ir_msg *m)
{
    switch (i->w->route->caps.replay) {
    case CAPS_REPLAY_ALWAYS:
        return true;
    case CAPS_REPLAY_TOOL_TURNS:
        return i->msg >= i->last_turn && find_kind(m->blocks, IR_CALL);
    default:
        return false;
    }
}

static void
write_reasoning(struct items *i, const struct ir_msg *m, const struct ir_block *b,
                unsigned part)
{
    const struct ir_caps *caps = &i->w->route->caps;
    bool proven = b->sig.n && responses_is_own(b->origin) &&
                  caps->replay <= CAPS_REPLAY_NEVER && caps->thinking != CAPS_THINKING_NONE;
    bool text = !proven && b->text.n && replays(i, m);
    struct json_out *o = &i->w->o;

    if (proven)
        write_proven(o, b);
    if (text) {
        json_open(o, '{');
        json_kv_str(o, "type", STR("reasoning"));
        json_kv_str(o, "id", arena_printf(i->w->a, "rs_%u_%u", i->msg, part));
        json_key(o, "summary");
        json_open(o, '[');
        json_close(o);
        write_thought(o, "content", "reasoning_text", b->text);
        json_close(o);
    }
    if (!proven && (!text || b->sig.n))
        ir_drop(i->w->drops, str_z(responses_word(i->w, "reasoning", "reasoning", "thinking")));
}

static tg_rc
write_opaque(struct items *i, const struct ir_msg *m, const struct ir_block *b)
{
    struct responses_writer *w = i->w;

    if (!responses_is_own(b->origin))
        return responses_drop(w, "%s", responses_path(w, m, b).p);
    json_raw(&w->o, b->raw);
    return TG_OK;
}

static tg_rc
write_blocks(struct items *i, const struct ir_msg *m)
{
    const struct ir_block *b = m->blocks;
    unsigned part = 0;
    tg_rc rc = TG_OK;

    while (b && rc == TG_OK) {
        if (responses_is_part(b)) {
            rc = write_message(i, m, &b, &part);
            continue;
        }
        if (b->kind == IR_CALL)
            rc = write_call(i, b);
        else if (b->kind == IR_RESULT)
            rc = write_result(i, m, b);
        else if (b->kind == IR_THINK)
            write_reasoning(i, m, b, part);
        else
            rc = write_opaque(i, m, b);
        b = b->next;
        part++;
    }
    return rc;
}

static tg_rc
refuse_prefill(struct responses_writer *w, struct str path)
{
    return tg_refuse(w->err, "unsupported_parameter", path.p,
                     "'%s': the upstream begins a new answer, it cannot go on with one that "
                     "the client began for the model",
                     path.p);
}

static tg_rc
write_msg(struct items *i, const struct ir_msg *m, bool led)
{
    struct responses_writer *w = i->w;
    tg_rc rc = TG_OK;

    if (m->name.n)
        rc = responses_drop(w, "%s.name", responses_path(w, m, NULL).p);
    if (rc != TG_OK)
        return rc;
    if (is_prefill(m) && !w->req->fresh_turn && !w->route->caps.prefill)
        return refuse_prefill(w, responses_path(w, m, NULL));
    if (m->role == IR_SYSTEM && led && w->route->caps.system == CAPS_SYSTEM_REMIND)
        return responses_write_reminder(w, m);
    return write_blocks(i, m);
}

tg_rc
responses_write_input(struct responses_writer *w)
{
    struct items *i = arena_new(w->a, struct items);
    bool led = false;
    tg_rc rc = TG_OK;

    i->w = w;
    i->last_turn = ir_last_turn(w->req);
    json_open(&w->o, '[');
    for (const struct ir_msg *m = w->req->msgs; m && rc == TG_OK; m = m->next, i->msg++) {
        led |= m->role != IR_SYSTEM;
        if (w->merged ? m->role != IR_SYSTEM : i->msg >= w->n_skip)
            rc = write_msg(i, m, led);
    }
    json_close(&w->o);
    return rc;
}
