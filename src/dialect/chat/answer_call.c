/* answer_call.c -- the tool calls of an upstream's answer.
 *
 * Servers disagree on everything here: which fragment names the call, whether an index or an id
 * is sent, and whether they are sent again.  Which call a fragment belongs to is found out in
 * this order:
 *
 *   an index           the call with that index; but a new one when the fragment has a name
 *                      and another id, and the arguments of the old one are whole
 *   an id              the call with that id, else a new one
 *   neither            in a whole answer a new call; with a name, a new call unless the last
 *                      one is still without a name or arguments; else the call at the
 *                      fragment's position, where several came together, or the last one
 *
 * A call is opened when its name is known; arguments that came earlier are kept for it.  It is
 * closed when its arguments are whole JSON and something else begins, or at the end.  So calls
 * that come one after the other are closed one after the other, and calls whose fragments come
 * mixed stay open together.
 */
#include <stdio.h>

#include "dialect/chat/answer_int.h"

enum { CALLS_MAX = 1024 };

/* A fragment's members. */
struct fragment {
    int64_t index;             /* -1 = none */
    struct str id, name, text; /* values with their quotes; empty = absent, null or "" */
    enum json_kind text_kind;
    bool freeform;
};

void
chat_follow(struct chat_call *c, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        char k = text.p[i];

        if (c->in_string) {
            if (c->escaped)
                c->escaped = false;
            else if (k == '\\')
                c->escaped = true;
            else if (k == '"')
                c->in_string = false;
        } else if (k == '"') {
            c->in_string = true;
        } else if (k == '{' || k == '[') {
            c->begun = true;
            c->depth++;
        } else if ((k == '}' || k == ']') && c->depth > 0) {
            c->depth--;
        }
    }
}

static bool
is_whole(const struct chat_call *c)
{
    return c->begun && c->depth == 0 && !c->in_string && !c->freeform;
}

static tg_rc
close_call(struct dialect_dec *dec, struct chat_call *c)
{
    const struct ir_event ev = {.kind = IR_EV_CLOSE, .choice = c->choice, .block = c->block};

    c->state = CHAT_CALL_CLOSED;
    return chat_put(dec, &ev);
}

tg_rc
chat_close_calls(struct dialect_dec *dec, uint32_t choice, bool all)
{
    struct chat_answer *st = dec->state;
    tg_rc rc = TG_OK;

    for (unsigned i = 0; i < st->n_calls && rc == TG_OK; i++) {
        struct chat_call *c = &st->calls[i];

        if (c->choice != choice)
            continue;
        if (c->state == CHAT_CALL_OPEN && (all || is_whole(c)))
            rc = close_call(dec, c);
        else if (c->state == CHAT_CALL_WAITING && all)
            rc = chat_broke(dec, "a tool call without a name");
    }
    return rc;
}

static tg_rc
add_call(struct dialect_dec *dec, uint32_t choice, const struct fragment *f,
         struct chat_call **ret)
{
    struct chat_answer *st = dec->state;
    struct chat_call *c;

    if (st->n_calls == CALLS_MAX)
        return chat_broke(dec, "too many tool calls");
    if (st->n_calls == st->cap_calls) {
        unsigned cap = st->cap_calls ? st->cap_calls * 2 : 4;
        struct chat_call *v = arena_array(dec->arena, struct chat_call, cap);

        if (st->n_calls)
            memcpy(v, st->calls, st->n_calls * sizeof *v);
        st->calls = v;
        st->cap_calls = cap;
    }
    c = &st->calls[st->n_calls++];
    *c = (struct chat_call){.key = f->index, .choice = choice, .freeform = f->freeform};
    st->odd = true;
    *ret = c;
    return f->id.n ? chat_keep(dec, f->id, &c->id) : TG_OK;
}

static struct chat_call *
last_of(struct chat_answer *st, uint32_t choice)
{
    for (unsigned i = st->n_calls; i > 0; i--)
        if (st->calls[i - 1].choice == choice)
            return &st->calls[i - 1];
    return NULL;
}

/* The call of a fragment, or NULL: a new one. */
static struct chat_call *
find_call(struct dialect_dec *dec, uint32_t choice, const struct fragment *f, unsigned position,
          bool alone)
{
    struct chat_answer *st = dec->state;
    struct chat_call *last = last_of(st, choice);
    struct str id = {NULL, 0};

    if (f->id.n)
        id = chat_text(dec, f->id);
    for (unsigned i = st->n_calls; i > 0 && (f->index >= 0 || id.n); i--) {
        struct chat_call *c = &st->calls[i - 1];

        if (c->choice != choice || (f->index >= 0 ? c->key != f->index : !str_eq(c->id, id)))
            continue;
        if (f->index >= 0 && id.n && c->id.n && f->name.n && is_whole(c) && !str_eq(c->id, id))
            return NULL;
        return c;
    }
    if (f->index >= 0 || id.n || !last || st->whole)
        return NULL;
    if (f->name.n)
        return last->state == CHAT_CALL_WAITING || (!last->begun && !last->freeform) ? last
                                                                                     : NULL;
    if (alone)
        return last;
    for (unsigned i = 0; i < st->n_calls; i++)
        if (st->calls[i].choice == choice && position-- == 0)
            return &st->calls[i];
    return last;
}

/* An id for a call that got none: the same for the same answer, another in the next one. */
static struct str
make_id(struct dialect_dec *dec, const struct chat_call *c)
{
    const struct chat_answer *st = dec->state;

    return arena_printf(dec->arena, "call_%.*s%s%u", STR_ARG(st->id), st->id.n ? "_" : "",
                        (unsigned)(c - st->calls));
}

static tg_rc
put_args(struct dialect_dec *dec, struct chat_call *c, struct str value, struct str text)
{
    struct chat_answer *st = dec->state;
    const struct ir_event place = {.choice = c->choice, .block = c->block};

    chat_follow(c, text);
    st->last_call = (unsigned)(c - st->calls) + 1;
    return chat_put_text(dec, &place, value, text);
}

static tg_rc
open_call(struct dialect_dec *dec, struct chat_call *c)
{
    struct chat_answer *st = dec->state;
    struct chat_choice *ch = &st->choices[c->choice];
    struct ir_block head = {.kind = IR_CALL, .freeform = c->freeform};
    struct ir_event ev = {.kind = IR_EV_OPEN, .choice = c->choice, .head = &head};
    struct str held = str_of(c->held, c->held_n);
    tg_rc rc = chat_close_speech(dec, c->choice);

    if (rc == TG_OK)
        rc = chat_close_calls(dec, c->choice, false);
    if (rc != TG_OK)
        return rc;
    if (c->id.n == 0)
        c->id = make_id(dec, c);
    head.id = c->id;
    head.name = c->name;
    c->block = ev.block = ch->next_block++;
    c->state = CHAT_CALL_OPEN;
    ch->n_calls++;
    rc = chat_put(dec, &ev);
    c->held = NULL;
    c->held_n = 0;
    return rc == TG_OK && held.n ? put_args(dec, c, held, held) : rc;
}

static tg_rc
keep_args(struct dialect_dec *dec, struct chat_call *c, struct str text)
{
    tg_rc rc = chat_hold(dec, text.n);

    ((struct chat_answer *)dec->state)->odd = true;
    if (rc != TG_OK || text.n == 0)
        return rc;
    if (c->held_cap - c->held_n < text.n) {
        size_t cap = c->held_cap ? c->held_cap * 2 : 128;
        char *p;

        while (cap - c->held_n < text.n)
            cap *= 2;
        p = arena_alloc(dec->arena, cap, 1);
        if (c->held_n)
            memcpy(p, c->held, c->held_n);
        c->held = p;
        c->held_cap = cap;
    }
    memcpy(c->held + c->held_n, text.p, text.n);
    c->held_n += text.n;
    return TG_OK;
}

static bool
is_blank(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != ' ' && s.p[i] != '\n' && s.p[i] != '\r' && s.p[i] != '\t')
            return false;
    return true;
}

static tg_rc
take_args(struct dialect_dec *dec, struct chat_call *c, const struct fragment *f)
{
    /* Against the letter some servers send the object itself. */
    struct str text = f->text_kind == JSON_STRING ? chat_text(dec, f->text) : f->text;

    if (!c->begun && !c->freeform && str_eq(text, STR("null")))
        return TG_OK;
    switch (c->state) {
    case CHAT_CALL_WAITING:
        return keep_args(dec, c, text);
    case CHAT_CALL_OPEN:
        ((struct chat_answer *)dec->state)->odd |= f->text_kind != JSON_STRING;
        return put_args(dec, c, f->text, text);
    case CHAT_CALL_CLOSED:
        break;
    }
    if (is_blank(text))
        return TG_OK;
    return chat_broke(dec, "more arguments for a tool call that was whole");
}

static tg_rc
take_fragment(struct dialect_dec *dec, uint32_t choice, const struct fragment *f,
              unsigned position, bool alone)
{
    struct chat_answer *st = dec->state;
    struct chat_call *c = find_call(dec, choice, f, position, alone);
    tg_rc rc = TG_OK;

    if (!c)
        rc = add_call(dec, choice, f, &c);
    if (rc != TG_OK || !c)
        return rc;
    if (c->state == CHAT_CALL_WAITING) {
        c->freeform |= f->freeform;
        if (c->id.n == 0 && f->id.n)
            rc = chat_keep(dec, f->id, &c->id);
        if (rc == TG_OK && f->name.n)
            rc = chat_keep(dec, f->name, &c->name);
        if (rc == TG_OK && c->name.n)
            rc = open_call(dec, c);
        st->odd = true;
    }
    if (rc == TG_OK && f->text.n)
        rc = take_args(dec, c, f);
    return rc;
}

/* A string that is not empty. */
static void
pick(const struct json_member *m, struct str *ret)
{
    if (m->kind == JSON_STRING && m->value.n > 2)
        *ret = m->value;
}

static void
read_inner(struct str object, struct fragment *f)
{
    struct json_iter it;
    struct json_member m;

    if (json_object(&it, object) != TG_OK)
        return;
    while (json_next(&it, &m)) {
        if (chat_key_is(m.key, STR("name"))) {
            pick(&m, &f->name);
        } else if (chat_key_is(m.key, STR("arguments")) || chat_key_is(m.key, STR("input"))) {
            pick(&m, &f->text);
            if (m.kind == JSON_OBJECT)
                f->text = m.value;
            f->text_kind = m.kind;
        }
    }
}

static struct fragment
read_fragment(struct str element)
{
    struct fragment f = {.index = -1};
    struct json_iter it;
    struct json_member m;

    if (json_object(&it, element) != TG_OK)
        return f;
    while (json_next(&it, &m)) {
        if (chat_key_is(m.key, STR("function"))) {
            read_inner(m.value, &f);
        } else if (chat_key_is(m.key, STR("custom")) && m.kind == JSON_OBJECT) {
            f.freeform = true;
            read_inner(m.value, &f);
        } else if (chat_key_is(m.key, STR("index"))) {
            if (m.kind != JSON_NUMBER || json_i64(m.value, &f.index) != TG_OK || f.index < 0)
                f.index = -1;
        } else if (chat_key_is(m.key, STR("id"))) {
            pick(&m, &f.id);
        } else if (chat_key_is(m.key, STR("name"))) {
            pick(&m, &f.name);
        } else if (chat_key_is(m.key, STR("arguments"))) {
            pick(&m, &f.text);
            f.text_kind = m.kind;
        }
    }
    return f;
}

tg_rc
chat_take_calls(struct dialect_dec *dec, uint32_t choice, struct str calls)
{
    struct json_iter it;
    struct json_member m, next;
    bool more, alone;
    tg_rc rc = TG_OK;

    if (json_array(&it, calls) != TG_OK)
        return TG_OK;
    more = json_next(&it, &m);
    for (unsigned position = 0; more && rc == TG_OK; position++, m = next) {
        struct fragment f = read_fragment(m.value);

        more = json_next(&it, &next);
        alone = position == 0 && !more;
        rc = take_fragment(dec, choice, &f, position, alone);
    }
    return rc;
}

tg_rc
chat_take_function(struct dialect_dec *dec, uint32_t choice, struct str call)
{
    struct fragment f = {.index = 0};

    read_inner(call, &f);
    return f.name.n || f.text.n ? take_fragment(dec, choice, &f, 0, true) : TG_OK;
}
