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
    return tg_upstream_fail(d->err, TG_EPROTO, "upstream_protocol_error",
                            "the upstream's answer is not of the Responses dialect: %s", why);
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
responses_text_of(struct arena *tmp, const struct json_member *m)
{
    struct str s = {NULL, 0};

    if (m->kind == JSON_STRING && json_string(tmp, m->value, &s) != TG_OK)
        s = (struct str){NULL, 0};
    return s;
}

enum key {
    K_ID,
    K_TYPE,
    K_NAME,
    K_CALL_ID,
    K_CONTENT,
    K_ARGUMENTS,
    K_INPUT,
    K_SUMMARY,
    K_PROOF,
    K_COUNT
};

/* An item as it stands in a record, found in one walk: it may repeat a long text. */
struct item {
    struct json_member m[K_COUNT];
    enum ir_kind kind;
    bool custom; /* a call whose input is no JSON */
};

static void
read_item(struct str object, struct item *ret)
{
    static const struct str names[K_COUNT] = {
        [K_ID] = {"id", 2},
        [K_TYPE] = {"type", 4},
        [K_NAME] = {"name", 4},
        [K_CALL_ID] = {"call_id", 7},
        [K_CONTENT] = {"content", 7},
        [K_ARGUMENTS] = {"arguments", 9},
        [K_INPUT] = {"input", 5},
        [K_SUMMARY] = {"summary", 7},
        [K_PROOF] = {"encrypted_content", 17},
    };
    const struct json_member *type = &ret->m[K_TYPE];

    (void)!json_pick(object, names, K_COUNT, ret->m);
    ret->kind = IR_OPAQUE;
    ret->custom = false;
    if (type->kind != JSON_STRING)
        return;
    if (str_eq(type->value, STR("\"message\"")))
        ret->kind = IR_TEXT;
    else if (str_eq(type->value, STR("\"reasoning\"")))
        ret->kind = IR_THINK;
    else if (str_eq(type->value, STR("\"function_call\"")))
        ret->kind = IR_CALL;
    ret->custom = str_eq(type->value, STR("\"custom_tool_call\""));
    if (ret->custom)
        ret->kind = IR_CALL;
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

/* Opens a call when its name is there; at the item's end it must be. */
static tg_rc
begin_call(struct dialect_dec *d, struct arena *tmp, struct responses_seen *it,
           const struct item *item, bool must)
{
    struct responses_dec *st = d->state;
    struct responses_block *b = responses_need_block(d, it, 0, IR_CALL);
    struct ir_block head = {.kind = IR_CALL, .freeform = item->custom};

    if (b->opened)
        return TG_OK;
    head.name = responses_text_of(tmp, &item->m[K_NAME]);
    head.id = responses_text_of(tmp, &item->m[K_CALL_ID]);
    if (head.id.n == 0)
        head.id = responses_text_of(tmp, &item->m[K_ID]);
    if (head.name.n == 0)
        return must ? responses_broken(d, "a call without a name") : TG_OK;
    st->called = true;
    return responses_open_block(d, b, &head);
}

tg_rc
responses_on_added(struct dialect_dec *d, struct arena *tmp, uint32_t index, struct str object)
{
    struct responses_seen *it;
    struct item item;
    tg_rc rc;

    read_item(object, &item);
    rc = add_item(d, index, item.kind, responses_text_of(tmp, &item.m[K_ID]), &it);
    if (rc == TG_OK && it->kind == IR_CALL)
        rc = begin_call(d, tmp, it, &item, false);
    return rc;
}

static tg_rc
end_message(struct dialect_dec *d, struct arena *tmp, struct responses_seen *it,
            const struct item *item)
{
    const struct json_member *list = &item->m[K_CONTENT];
    struct json_member part;
    struct json_iter iter;
    uint32_t place = 0;
    tg_rc rc = TG_OK;

    if (list->kind == JSON_ARRAY && json_array(&iter, list->value) == TG_OK)
        while (rc == TG_OK && json_next(&iter, &part))
            rc = responses_on_part(d, tmp, it->index, place++, part.value);
    for (struct responses_block *b = it->blocks; b && rc == TG_OK; b = b->next)
        rc = responses_close_block(d, b, NULL);
    return rc;
}

static tg_rc
end_call(struct dialect_dec *d, struct arena *tmp, struct responses_seen *it,
         const struct item *item)
{
    struct responses_said said = {
        .text = responses_text_of(tmp, &item->m[item->custom ? K_INPUT : K_ARGUMENTS]),
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
             const struct json_member *list, bool summary)
{
    struct json_member part, text;
    struct json_iter iter;
    uint32_t place = 0;
    tg_rc rc = TG_OK;

    if (list->kind != JSON_ARRAY || json_array(&iter, list->value) != TG_OK)
        return TG_OK;
    while (rc == TG_OK && json_next(&iter, &part)) {
        struct responses_said said = {.whole = true};

        if (json_get(part.value, STR("text"), &text))
            said.text = responses_text_of(tmp, &text);
        rc = responses_on_thought(d, it->index, place++, summary, &said);
    }
    return rc;
}

static tg_rc
end_reasoning(struct dialect_dec *d, struct arena *tmp, struct responses_seen *it,
              const struct item *item)
{
    struct responses_block *b = responses_need_block(d, it, 0, IR_THINK);
    struct ir_block head = {.kind = IR_THINK};
    tg_rc rc = put_thoughts(d, tmp, it, &item->m[K_SUMMARY], true);

    if (rc == TG_OK)
        rc = put_thoughts(d, tmp, it, &item->m[K_CONTENT], false);
    if (rc != TG_OK)
        return rc;
    head.sig = responses_text_of(tmp, &item->m[K_PROOF]);
    if (head.sig.n == 0)
        return responses_close_block(d, b, NULL);
    head.origin = dialect_responses.name;
    head.sig_id = responses_text_of(tmp, &item->m[K_ID]);
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
end_item(struct dialect_dec *d, struct arena *tmp, struct responses_seen *it,
         const struct item *item)
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

static tg_rc
on_item(struct dialect_dec *d, struct arena *tmp, uint32_t index, const struct item *item)
{
    struct str id = responses_text_of(tmp, &item->m[K_ID]);
    struct responses_seen *it = responses_find_item(d->state, index, item->kind);
    tg_rc rc = TG_OK;

    /* A second item at the place of one that is done is another item, unless it is the same. */
    if (!it || (it->done && id.n && !str_eq(it->id, id)))
        rc = add_item(d, index, item->kind, id, &it);
    return rc == TG_OK ? end_item(d, tmp, it, item) : rc;
}

tg_rc
responses_on_item(struct dialect_dec *d, struct arena *tmp, uint32_t index, struct str object)
{
    struct item item;

    read_item(object, &item);
    return on_item(d, tmp, index, &item);
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
            struct responses_seen *it;
            struct item item;

            read_item(m.value, &item);
            it = find_id(st, responses_text_of(tmp, &item.m[K_ID]));
            if (!it || it->kind != item.kind)
                it = responses_find_item(st, index, item.kind);
            if (it)
                rc = end_item(d, tmp, it, &item);
            else if (index >= seen)
                rc = on_item(d, tmp, index, &item);
        }
    return rc == TG_OK ? close_all(d) : rc;
}
