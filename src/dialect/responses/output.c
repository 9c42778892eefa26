/* output.c -- output items as they are built and as they are written.
 *
 * An answer is a list of items: messages with content parts, reasoning, calls.  What an item
 * says is kept until the end, because three more records and the last one repeat it.  Texts are
 * kept in pieces that never move, so a growing answer is copied once.
 *
 * Ids are made from the answer's own id and the item's place, so they are the same in every
 * record and differ between items.  Reasoning that came from a provider of this dialect keeps
 * the id under which that provider knows it.
 */
#include "dialect/responses/enc_int.h"

#include "ir/envelope.h"

enum { PIECE_MIN = 256, PIECE_MAX = 16384 };

void
responses_text_add(struct arena *a, struct responses_text *t, struct str s)
{
    while (s.n) {
        struct responses_piece *last = t->last;
        size_t n;

        if (!last || last->n == last->cap) {
            size_t cap = last && last->cap ? last->cap * 2 : PIECE_MIN;
            struct responses_piece *piece = arena_new(a, struct responses_piece);

            cap = cap > PIECE_MAX ? PIECE_MAX : cap;
            piece->cap = cap > s.n ? cap : s.n;
            piece->p = arena_alloc(a, piece->cap, 1);
            if (last)
                last->next = piece;
            else
                t->first = piece;
            t->last = last = piece;
        }
        n = last->cap - last->n < s.n ? last->cap - last->n : s.n;
        memcpy((char *)(uintptr_t)last->p + last->n, s.p, n);
        last->n += n;
        t->n += n;
        s = str_from(s, n);
    }
}

struct str
responses_text_join(struct arena *a, const struct responses_text *t)
{
    char *p, *to;

    if (!t->first)
        return (struct str){NULL, 0};
    if (!t->first->next)
        return str_of(t->first->p, t->first->n);
    to = p = arena_alloc(a, t->n, 1);
    for (const struct responses_piece *i = t->first; i; i = i->next) {
        memcpy(to, i->p, i->n);
        to += i->n;
    }
    return str_of(p, t->n);
}

void
responses_put_text(struct json_out *o, const struct responses_text *t)
{
    json_str_open(o);
    for (const struct responses_piece *i = t->first; i; i = i->next)
        json_str_part(o, str_of(i->p, i->n));
    json_str_close(o);
}

static const struct ir_tool *
find_tool(const struct dialect_enc *e, struct str name)
{
    const struct ir_tool *t = e->req ? e->req->tools : NULL;

    while (t && (t->hosted_by || !str_eq(t->name, name)))
        t = t->next;
    return t;
}

/* Two calls or items may not share an id, whatever the upstream did. */
static bool
is_taken(const struct responses_enc *st, enum ir_kind kind, struct str id)
{
    const struct responses_item *it = st->items;

    for (unsigned i = 0; i < st->n_items; i++, it = it->next)
        if (it->kind == kind && str_eq(kind == IR_CALL ? it->call_id : it->id, id))
            return true;
    return false;
}

static void
name_call(const struct dialect_enc *e, const struct responses_enc *st,
          const struct ir_block *head, struct str answer, struct responses_item *it)
{
    const struct ir_tool *tool = find_tool(e, head->name);

    it->call_id = arena_dup(e->arena, head->id);
    if (it->call_id.n == 0)
        it->call_id =
            arena_printf(e->arena, "call_%.*s_%u", STR_ARG(answer), (unsigned)it->index);
    else if (is_taken(st, IR_CALL, it->call_id))
        it->call_id =
            arena_printf(e->arena, "%.*s_%u", STR_ARG(it->call_id), (unsigned)it->index);
    it->name = arena_dup(e->arena, head->name);
    it->custom = head->freeform;
    if (tool && tool->space.n && head->name.n > tool->space.n + 2) {
        it->space = tool->space;
        it->name = str_from(it->name, tool->space.n + 2);
    }
}

struct responses_item *
responses_new_item(const struct dialect_enc *e, const struct responses_enc *st,
                   const struct ir_block *head)
{
    struct responses_item *it = arena_new(e->arena, struct responses_item);
    struct str answer = e->id, prefix = str_z(dialect_responses.id_prefix);
    const char *kind;

    if (str_starts(answer, prefix))
        answer = str_from(answer, prefix.n);
    it->kind = head->kind == IR_REFUSAL ? IR_TEXT : head->kind;
    it->index = st->n_items;
    if (it->kind == IR_CALL)
        name_call(e, st, head, answer, it);
    if (it->kind == IR_THINK && head->sig_id.n && responses_is_own(head->origin) &&
        !is_taken(st, IR_THINK, head->sig_id)) {
        it->id = arena_dup(e->arena, head->sig_id);
        return it;
    }
    kind = it->kind == IR_THINK  ? "rs"
           : it->kind == IR_TEXT ? "msg"
           : it->custom          ? "ctc"
                                 : "fc";
    it->id = arena_printf(e->arena, "%s_%.*s_%u", kind, STR_ARG(answer), (unsigned)it->index);
    return it;
}

void
responses_link_item(struct responses_enc *st, struct responses_item *it)
{
    if (st->n_items == 0)
        st->items = it;
    else
        st->last->next = it;
    st->last = it;
    st->n_items++;
}

struct responses_part *
responses_add_part(struct arena *a, struct responses_item *it, enum ir_kind kind)
{
    struct responses_part *p = arena_new(a, struct responses_part);

    p->kind = kind;
    p->logs = STR("[]");
    p->notes_tail = &p->notes;
    if (it->last_part)
        it->last_part->next = p;
    else
        it->parts = p;
    it->last_part = p;
    it->n_parts++;
    return p;
}

struct str
responses_proof(struct arena *a, const struct ir_block *think)
{
    struct ir_block shown = *think;

    if (think->sig.n == 0 || !think->origin)
        return (struct str){NULL, 0};
    /* A provider that is a gateway like this one hands out envelopes itself; one that is not
     * sealed once more would be opened here and not there. */
    if (responses_is_own(think->origin) && !str_starts(think->sig, STR("tg1:")))
        return arena_dup(a, think->sig);
    /* The text stands in the summary and comes back there. */
    shown.text = (struct str){NULL, 0};
    return ir_seal(a, &shown);
}

struct str
responses_elements(struct str array)
{
    array = str_trim(array);
    if (array.n < 2 || array.p[0] != '[')
        return (struct str){NULL, 0};
    return str_trim(str_of(array.p + 1, array.n - 2));
}

void
responses_end_part(struct arena *a, struct responses_part *p)
{
    if (p->logprobs.n)
        p->logs = arena_printf(a, "[%.*s]", STR_ARG(responses_text_join(a, &p->logprobs)));
}

void
responses_put_note(struct json_out *o, const struct ir_note *n)
{
    json_open(o, '{');
    json_kv_str(o, "type", STR("url_citation"));
    json_kv_int(o, "start_index", n->start);
    json_kv_int(o, "end_index", n->end);
    json_kv_str(o, "url", n->url);
    json_kv_str(o, "title", n->title);
    json_close(o);
}

void
responses_put_part(struct json_out *o, const struct responses_part *p, bool begun)
{
    static const struct responses_text nothing;
    const struct responses_text *text = begun ? &nothing : &p->text;

    json_open(o, '{');
    if (p->kind == IR_REFUSAL) {
        json_kv_str(o, "type", STR("refusal"));
        json_key(o, "refusal");
        responses_put_text(o, text);
        json_close(o);
        return;
    }
    json_kv_str(o, "type", STR("output_text"));
    json_key(o, "text");
    responses_put_text(o, text);
    json_key(o, "annotations");
    json_open(o, '[');
    for (const struct ir_note *n = begun ? NULL : p->notes; n; n = n->next)
        responses_put_note(o, n);
    json_close(o);
    json_kv_raw(o, "logprobs", begun ? STR("[]") : p->logs);
    json_close(o);
}

static void
put_call(struct json_out *o, const struct responses_item *it, bool begun)
{
    static const struct responses_text nothing;

    json_kv_str(o, "call_id", it->call_id);
    if (it->space.n)
        json_kv_str(o, "namespace", it->space);
    json_kv_str(o, "name", it->name);
    json_key(o, it->custom ? "input" : "arguments");
    responses_put_text(o, begun ? &nothing : &it->text);
}

static void
put_summary(struct json_out *o, const struct responses_item *it, bool begun)
{
    json_key(o, "summary");
    json_open(o, '[');
    if (!begun && it->text.n) {
        json_open(o, '{');
        json_kv_str(o, "type", STR("summary_text"));
        json_key(o, "text");
        responses_put_text(o, &it->text);
        json_close(o);
    }
    json_close(o);
    if (!begun && it->proof.n)
        json_kv_str(o, "encrypted_content", it->proof);
}

void
responses_put_item(struct json_out *o, const struct responses_item *it, bool begun)
{
    const struct responses_part *p = it->parts;

    json_open(o, '{');
    json_kv_str(o, "id", it->id);
    if (it->kind == IR_THINK) {
        /* A status is not for reasoning: clients send the item back as it is, and it is refused
         * there. */
        json_kv_str(o, "type", STR("reasoning"));
        put_summary(o, it, begun);
        json_close(o);
        return;
    }
    json_kv_str(o, "type",
                it->kind == IR_TEXT ? STR("message")
                : it->custom        ? STR("custom_tool_call")
                                    : STR("function_call"));
    json_kv_str(o, "status",
                begun     ? STR("in_progress")
                : it->cut ? STR("incomplete")
                          : STR("completed"));
    if (it->kind == IR_CALL) {
        put_call(o, it, begun);
        json_close(o);
        return;
    }
    json_kv_str(o, "role", STR("assistant"));
    json_key(o, "content");
    json_open(o, '[');
    for (unsigned i = 0; i < (begun ? 0 : it->n_parts); i++, p = p->next)
        responses_put_part(o, p, false);
    json_close(o);
    json_close(o);
}
