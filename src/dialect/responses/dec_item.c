/* dec_item.c -- the items of an upstream's answer.
 *
 * An item is announced, spoken in pieces and repeated; what of that is new to its blocks is
 * found out in dec_block.c.
 *
 * A block opens with its first text, a call as soon as its name is known.  Items are found by
 * their place in the output, the newest first, because there are servers that give all of them
 * the same place.  The parts of a summary become one text with empty lines between.
 *
 * Records of tools that the provider ran are passed over.
 */
#include "dialect/responses/dec_int.h"

enum { ITEMS_MAX = 4096, ID_MAX = 256 };

tg_rc
responses_broken(struct dialect_dec *d, const char *why)
{
    (void)tg_fail(d->err, TG_EPROTO, TG_ERR_UPSTREAM, "upstream_protocol_error",
                  "the upstream's answer is not of the Responses dialect: %s", why);
    if (d->err)
        d->err->origin = TG_FROM_UPSTREAM;
    return TG_EPROTO;
}

tg_rc
responses_start(struct dialect_dec *d)
{
    struct responses_dec *st = d->state;

    if (st->started)
        return TG_OK;
    st->started = true;
    return d->sink->put(d->sink, &(struct ir_event){.kind = IR_EV_START});
}

struct responses_seen *
responses_find_item(const struct responses_dec *st, uint32_t index, enum ir_kind kind)
{
    struct responses_seen *it = st->newest;

    while (it && (it->index != index || it->kind != kind))
        it = it->older;
    return it;
}

struct str
responses_text_at(struct arena *tmp, struct str object, struct str name)
{
    struct str s = {NULL, 0};
    struct json_member m;

    if (json_get(object, name, &m) && m.kind == JSON_STRING &&
        json_string(tmp, m.value, &s) != TG_OK)
        s = (struct str){NULL, 0};
    return s;
}

static struct responses_seen *
find_id(const struct responses_dec *st, struct str id)
{
    struct responses_seen *it = id.n ? st->newest : NULL;

    while (it && !str_eq(it->id, id))
        it = it->older;
    return it;
}

static tg_rc
add_item(struct dialect_dec *d, uint32_t index, enum ir_kind kind, struct str id,
         struct responses_seen **ret)
{
    struct responses_dec *st = d->state;
    struct responses_seen *it;

    if (st->n_items == ITEMS_MAX)
        return responses_broken(d, "too many output items");
    it = arena_new(d->arena, struct responses_seen);
    it->index = index;
    it->kind = kind;
    if (id.n <= ID_MAX)
        it->id = arena_dup(d->arena, id);
    it->older = st->newest;
    st->newest = it;
    st->n_items++;
    *ret = it;
    return responses_start(d);
}

/* The item at that place that still speaks, or a new one for servers that do not announce. */
static tg_rc
need_item(struct dialect_dec *d, uint32_t index, enum ir_kind kind, struct responses_seen **ret)
{
    struct responses_seen *it = responses_find_item(d->state, index, kind);

    if (it) {
        *ret = it;
        return TG_OK;
    }
    return add_item(d, index, kind, (struct str){NULL, 0}, ret);
}

tg_rc
responses_on_text(struct dialect_dec *d, uint32_t index, uint32_t place, enum ir_kind kind,
                  const struct responses_said *said)
{
    struct responses_seen *it = NULL;
    struct responses_block *b;
    struct ir_block head = {.kind = kind};
    tg_rc rc = TG_OK;

    if (said->text.n == 0 && said->logprobs.n == 0)
        return TG_OK;
    if (kind == IR_CALL)
        it = responses_find_item(d->state, index, kind); /* without its name it cannot begin */
    else
        rc = need_item(d, index, IR_TEXT, &it);
    if (rc != TG_OK || !it)
        return rc;
    b = responses_need_block(d, it, place, kind);
    if (!b->opened && kind == IR_CALL)
        return TG_OK;
    if (!b->opened)
        rc = responses_open_block(d, b, &head);
    return rc == TG_OK ? responses_put_said(d, b, said) : rc;
}

tg_rc
responses_on_thought(struct dialect_dec *d, uint32_t index, uint32_t place, bool summary,
                     const struct responses_said *said)
{
    struct responses_seen *it;
    struct responses_block *b;
    struct ir_block head = {.kind = IR_THINK, .summary = summary};
    tg_rc rc;

    if (said->text.n == 0)
        return TG_OK;
    rc = need_item(d, index, IR_THINK, &it);
    if (rc != TG_OK)
        return rc;
    b = responses_need_block(d, it, place, IR_THINK);
    /* One voice an item: the first that spoke. */
    if (b->closed || (b->opened && (b->summary != summary || place < b->place)))
        return TG_OK;
    if (!b->opened) {
        b->summary = summary;
        b->place = place;
        head.origin = dialect_responses.name;
        head.sig_id = it->id;
        rc = responses_open_block(d, b, &head);
    } else if (place > b->place) {
        rc = responses_next_part(d, b, place, summary);
    }
    return rc == TG_OK ? responses_put_said(d, b, said) : rc;
}

static enum ir_kind
kind_of(struct str item)
{
    struct json_member m;

    if (!json_get(item, STR("type"), &m))
        return IR_OPAQUE;
    if (str_eq(m.value, STR("\"message\"")))
        return IR_TEXT;
    if (str_eq(m.value, STR("\"reasoning\"")))
        return IR_THINK;
    if (str_eq(m.value, STR("\"function_call\"")) ||
        str_eq(m.value, STR("\"custom_tool_call\"")))
        return IR_CALL;
    return IR_OPAQUE;
}

static bool
is_custom(struct str item)
{
    struct json_member m;

    return json_get(item, STR("type"), &m) && str_eq(m.value, STR("\"custom_tool_call\""));
}

/* Opens a call when its name is there; at the item's end it must be. */
static tg_rc
begin_call(struct dialect_dec *d, struct arena *tmp, struct responses_seen *it, struct str item,
           bool must)
{
    struct responses_dec *st = d->state;
    struct responses_block *b = responses_need_block(d, it, 0, IR_CALL);
    struct ir_block head = {.kind = IR_CALL, .freeform = is_custom(item)};

    if (b->opened)
        return TG_OK;
    head.name = responses_text_at(tmp, item, STR("name"));
    head.id = responses_text_at(tmp, item, STR("call_id"));
    if (head.id.n == 0)
        head.id = responses_text_at(tmp, item, STR("id"));
    if (head.name.n == 0)
        return must ? responses_broken(d, "a call without a name") : TG_OK;
    st->called = true;
    return responses_open_block(d, b, &head);
}

tg_rc
responses_on_added(struct dialect_dec *d, struct arena *tmp, uint32_t index, struct str item)
{
    struct responses_seen *it;
    tg_rc rc = add_item(d, index, kind_of(item), responses_text_at(tmp, item, STR("id")), &it);

    if (rc == TG_OK && it->kind == IR_CALL)
        rc = begin_call(d, tmp, it, item, false);
    return rc;
}

static tg_rc
end_message(struct dialect_dec *d, struct arena *tmp, struct responses_seen *it,
            struct str item)
{
    struct json_member list, part;
    struct json_iter iter;
    uint32_t place = 0;
    tg_rc rc = TG_OK;

    if (json_get(item, STR("content"), &list) && json_array(&iter, list.value) == TG_OK)
        while (rc == TG_OK && json_next(&iter, &part))
            rc = responses_on_part(d, tmp, it->index, place++, part.value);
    for (struct responses_block *b = it->blocks; b && rc == TG_OK; b = b->next)
        rc = responses_close_block(d, b, NULL);
    return rc;
}

static tg_rc
end_call(struct dialect_dec *d, struct arena *tmp, struct responses_seen *it, struct str item)
{
    struct responses_said said = {
        .text = responses_text_at(tmp, item, is_custom(item) ? STR("input") : STR("arguments")),
        .whole = true};
    tg_rc rc = begin_call(d, tmp, it, item, true);
    struct responses_block *b = it->blocks;

    if (rc == TG_OK)
        rc = responses_put_said(d, b, &said);
    return rc == TG_OK ? responses_close_block(d, b, NULL) : rc;
}

/* The parts of a list that repeats what reasoning said. */
static tg_rc
put_thoughts(struct dialect_dec *d, struct arena *tmp, struct responses_seen *it,
             struct str item, bool summary)
{
    struct json_member list, part;
    struct json_iter iter;
    uint32_t place = 0;
    tg_rc rc = TG_OK;

    if (json_get(item, summary ? STR("summary") : STR("content"), &list) &&
        json_array(&iter, list.value) == TG_OK)
        while (rc == TG_OK && json_next(&iter, &part)) {
            struct responses_said said = {
                .text = responses_text_at(tmp, part.value, STR("text")), .whole = true};

            rc = responses_on_thought(d, it->index, place++, summary, &said);
        }
    return rc;
}

static tg_rc
end_reasoning(struct dialect_dec *d, struct arena *tmp, struct responses_seen *it,
              struct str item)
{
    struct responses_block *b = responses_need_block(d, it, 0, IR_THINK);
    struct ir_block head = {.kind = IR_THINK};
    tg_rc rc = put_thoughts(d, tmp, it, item, true);

    if (rc == TG_OK)
        rc = put_thoughts(d, tmp, it, item, false);
    if (rc != TG_OK)
        return rc;
    head.sig = responses_text_at(tmp, item, STR("encrypted_content"));
    if (head.sig.n == 0)
        return responses_close_block(d, b, NULL);
    head.origin = dialect_responses.name;
    head.sig_id = responses_text_at(tmp, item, STR("id"));
    head.summary = b->opened && b->summary;
    head.redacted = !b->opened;
    if (!b->opened) {
        struct ir_block opening = {
            .kind = IR_THINK, .redacted = true, .origin = head.origin, .sig_id = head.sig_id};

        rc = responses_open_block(d, b, &opening);
    }
    return rc == TG_OK ? responses_close_block(d, b, &head) : rc;
}

static tg_rc
end_item(struct dialect_dec *d, struct arena *tmp, struct responses_seen *it, struct str item)
{
    if (it->done)
        return TG_OK;
    it->done = true;
    switch (it->kind) {
    case IR_TEXT:
        return end_message(d, tmp, it, item);
    case IR_CALL:
        return end_call(d, tmp, it, item);
    case IR_THINK:
        return end_reasoning(d, tmp, it, item);
    default:
        return TG_OK;
    }
}

tg_rc
responses_on_item(struct dialect_dec *d, struct arena *tmp, uint32_t index, struct str item)
{
    struct str id = responses_text_at(tmp, item, STR("id"));
    enum ir_kind kind = kind_of(item);
    struct responses_seen *it = responses_find_item(d->state, index, kind);
    tg_rc rc = TG_OK;

    /* A second item at the place of one that is done is another item, unless it is the same. */
    if (!it || (it->done && id.n && !str_eq(it->id, id)))
        rc = add_item(d, index, kind, id, &it);
    return rc == TG_OK ? end_item(d, tmp, it, item) : rc;
}

/* Everything that was not said to be done. */
static tg_rc
close_all(struct dialect_dec *d)
{
    struct responses_dec *st = d->state;
    tg_rc rc = TG_OK;

    for (struct responses_seen *it = st->newest; it && rc == TG_OK; it = it->older)
        for (struct responses_block *b = it->blocks; b && rc == TG_OK; b = b->next)
            rc = responses_close_block(d, b, NULL);
    return rc;
}

tg_rc
responses_on_output(struct dialect_dec *d, struct arena *tmp, struct str output)
{
    struct responses_dec *st = d->state;
    uint32_t seen = st->n_items, index = 0;
    struct json_iter iter;
    struct json_member m;
    tg_rc rc = responses_start(d);

    if (rc == TG_OK && output.n && json_array(&iter, output) == TG_OK)
        for (; rc == TG_OK && json_next(&iter, &m); index++) {
            struct responses_seen *it = find_id(st, responses_text_at(tmp, m.value, STR("id")));

            if (!it || it->kind != kind_of(m.value))
                it = responses_find_item(st, index, kind_of(m.value));
            if (it)
                rc = end_item(d, tmp, it, m.value);
            else if (index >= seen)
                rc = responses_on_item(d, tmp, index, m.value);
        }
    return rc == TG_OK ? close_all(d) : rc;
}
