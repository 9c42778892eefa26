/* block.c -- the content blocks of a Messages request.
 *
 * One row a type says in which roles a block may stand and who reads it.  Blocks that record
 * what a provider's own tools did are kept whole; only an upstream of this dialect can take
 * them.  A type that nobody knows is refused by its place.
 */
#include "dialect/messages/messages_int.h"

#include "ir/envelope.h"
#include "ir/text.h"

typedef tg_rc read_fn(struct messages_dec *, const struct messages_place *, struct str block);

static read_fn read_text, read_image, read_document, read_search, read_call, read_result,
    read_thinking, read_redacted, read_opaque;

static const struct block_type {
    const char *type;
    unsigned where;
    read_fn *read;
} types[] = {
    {"text", MESSAGES_IN_USER | MESSAGES_IN_MODEL | MESSAGES_IN_SYSTEM | MESSAGES_IN_RESULT,
     read_text},
    {"image", MESSAGES_IN_USER | MESSAGES_IN_RESULT, read_image},
    {"document", MESSAGES_IN_USER | MESSAGES_IN_MODEL | MESSAGES_IN_RESULT, read_document},
    {"search_result", MESSAGES_IN_USER | MESSAGES_IN_RESULT, read_search},
    {"tool_use", MESSAGES_IN_MODEL, read_call},
    {"tool_result", MESSAGES_IN_USER, read_result},
    {"thinking", MESSAGES_IN_MODEL, read_thinking},
    {"redacted_thinking", MESSAGES_IN_MODEL, read_redacted},
    {"server_tool_use", MESSAGES_IN_MODEL, read_opaque},
    {"web_search_tool_result", MESSAGES_IN_MODEL, read_opaque},
    {"web_fetch_tool_result", MESSAGES_IN_MODEL, read_opaque},
    {"code_execution_tool_result", MESSAGES_IN_MODEL, read_opaque},
    {"bash_code_execution_tool_result", MESSAGES_IN_MODEL, read_opaque},
    {"text_editor_code_execution_tool_result", MESSAGES_IN_MODEL, read_opaque},
    {"tool_search_tool_result", MESSAGES_IN_MODEL, read_opaque},
    {"advisor_tool_result", MESSAGES_IN_MODEL, read_opaque},
    {"mcp_tool_use", MESSAGES_IN_MODEL, read_opaque},
    {"mcp_tool_result", MESSAGES_IN_MODEL, read_opaque},
    {"mcp_tool_listing", MESSAGES_IN_MODEL, read_opaque},
    {"compaction", MESSAGES_IN_USER | MESSAGES_IN_MODEL, read_opaque},
    {"fallback", MESSAGES_IN_MODEL, read_opaque},
    {"container_upload", MESSAGES_IN_USER | MESSAGES_IN_MODEL, read_opaque},
    {"tool_reference", MESSAGES_IN_RESULT, read_opaque},
    {"browser_state", MESSAGES_IN_RESULT, read_opaque},
    {"tool_addition", MESSAGES_IN_SYSTEM, read_opaque},
    {"tool_removal", MESSAGES_IN_SYSTEM, read_opaque},
};

static const char *
where_name(unsigned where)
{
    switch (where) {
    case MESSAGES_IN_MODEL:
        return "an assistant message";
    case MESSAGES_IN_SYSTEM:
        return "a system message";
    case MESSAGES_IN_RESULT:
        return "a tool result";
    default:
        return "a user message";
    }
}

static tg_rc
read_block(struct messages_dec *d, const struct messages_place *p, struct str block)
{
    static const char *const keys[] = {"type"};
    struct field_at type_at = {p->at, keys[0], 0};
    struct json_member m;
    struct str type = {NULL, 0};
    tg_rc rc = field_pick(&d->in, p->at, block, keys, 1, &m);

    if (rc == TG_OK)
        rc = field_string_needed(&d->in, p->at, keys[0], &m, &type);
    if (rc != TG_OK)
        return rc;
    for (size_t i = 0; i < MESSAGES_COUNT(types); i++)
        if (str_eq(type, str_z(types[i].type))) {
            if (types[i].where & p->where)
                return types[i].read(d, p, block);
            return field_refuse(&d->in, &type_at, "invalid_value", "%s may not have %s blocks",
                                where_name(p->where), types[i].type);
        }
    return field_refuse(&d->in, p->at, "invalid_value", "not a type of content block");
}

/* What one block of the client's became stands where that stood; so does what is inside. */
static void
mark_part(struct ir_block *b, unsigned part)
{
    for (; b; b = b->next) {
        b->part = part;
        mark_part(b->sub, part);
    }
}

tg_rc
messages_read_content(struct messages_dec *d, const struct messages_place *p,
                      const struct json_member *content)
{
    struct field_at elem = {p->at, NULL, 0};
    struct messages_place inner = *p;
    struct json_iter it;
    struct json_member m;
    tg_rc rc = TG_OK;

    if (content->kind == JSON_STRING)
        return field_string(&d->in, p->at, content,
                            &messages_add_block(d, p->to, IR_TEXT)->text);
    if (json_array(&it, content->value) != TG_OK)
        return field_refuse_type(&d->in, p->at, "a string or an array of blocks",
                                 content->kind);
    inner.at = &elem;
    for (; rc == TG_OK && json_next(&it, &m); elem.index++) {
        struct ir_block **first = p->to->tail, **result = p->results ? p->results->tail : NULL;

        rc = read_block(d, &inner, m.value);
        mark_part(*first, elem.index + 1);
        if (result)
            mark_part(*result, elem.index + 1);
    }
    return rc;
}

static tg_rc
read_text(struct messages_dec *d, const struct messages_place *p, struct str block)
{
    /* The citations of an answer that comes back have told what they had to tell. */
    static const char *const keys[] = {"text", "cache_control", "type", "citations"};
    struct field_at text_at = {p->at, keys[0], 0};
    struct json_member m[MESSAGES_COUNT(keys)];
    struct ir_block *b = messages_add_block(d, p->to, IR_TEXT);
    tg_rc rc = messages_pick(d, p->at, block, keys, MESSAGES_COUNT(keys), m);

    if (rc == TG_OK && m[0].kind != JSON_STRING)
        rc = m[0].kind > JSON_NULL ? field_refuse_type(&d->in, &text_at, "a string", m[0].kind)
                                   : field_refuse_missing(&d->in, p->at, keys[0]);
    if (rc == TG_OK)
        rc = field_string(&d->in, &text_at, &m[0], &b->text);
    return rc == TG_OK ? messages_read_cache(d, p->at, &m[1], &b->cache_ttl) : rc;
}

static tg_rc
read_source(struct messages_dec *d, const struct messages_place *p, struct str block,
            bool document)
{
    static const char *const keys[] = {[MESSAGES_SOURCE] = "source",
                                       [MESSAGES_TITLE] = "title",
                                       [MESSAGES_CONTEXT] = "context",
                                       "cache_control",
                                       "type",
                                       "citations"};
    struct json_member m[MESSAGES_COUNT(keys)], on;
    struct ir_block **first = p->to->tail;
    tg_rc rc = messages_pick(d, p->at, block, keys, MESSAGES_COUNT(keys), m);

    if (rc == TG_OK)
        rc = messages_read_media(d, p->at, document, m, p->to);
    if (rc == TG_OK && field_has(&m[5]) && json_get(m[5].value, STR("enabled"), &on) &&
        on.kind == JSON_TRUE)
        messages_keep(d, p->at, STR("citations"), m[5].value);
    return rc == TG_OK ? messages_read_cache(d, p->at, &m[3], &(*first)->cache_ttl) : rc;
}

static tg_rc
read_image(struct messages_dec *d, const struct messages_place *p, struct str block)
{
    return read_source(d, p, block, false);
}

static tg_rc
read_document(struct messages_dec *d, const struct messages_place *p, struct str block)
{
    return read_source(d, p, block, true);
}

/* A hit of the client's own search: no other dialect has a part for it, so it becomes text. */
static tg_rc
read_search(struct messages_dec *d, const struct messages_place *p, struct str block)
{
    static const char *const keys[] = {"source", "title",         "content",
                                       "type",   "cache_control", "citations"};
    struct field_at content_at = {p->at, keys[2], 0};
    struct ir_block *texts = NULL, *b;
    struct messages_blocks parts = {&texts};
    struct messages_place inner = {&content_at, MESSAGES_IN_SYSTEM, &parts, NULL};
    struct str source = {NULL, 0}, title = {NULL, 0};
    struct json_member m[MESSAGES_COUNT(keys)];
    tg_rc rc = messages_pick(d, p->at, block, keys, MESSAGES_COUNT(keys), m);

    if (rc == TG_OK)
        rc = field_string_needed(&d->in, p->at, keys[0], &m[0], &source);
    if (rc == TG_OK)
        rc = field_string_needed(&d->in, p->at, keys[1], &m[1], &title);
    if (rc == TG_OK && m[2].kind != JSON_ARRAY)
        rc = field_refuse_type(&d->in, &content_at, "an array of text blocks", m[2].kind);
    if (rc == TG_OK)
        rc = messages_read_content(d, &inner, &m[2]);
    if (rc != TG_OK)
        return rc;
    b = messages_add_block(d, p->to, IR_TEXT);
    b->text = arena_printf(d->in.a, "%.*s\n%.*s\n%.*s", STR_ARG(title), STR_ARG(source),
                           STR_ARG(ir_text_of(d->in.a, texts)));
    return messages_read_cache(d, p->at, &m[4], &b->cache_ttl);
}

static tg_rc
read_call(struct messages_dec *d, const struct messages_place *p, struct str block)
{
    static const char *const keys[] = {"id",   "name",  "input", "cache_control",
                                       "type", "caller"};
    struct field_at input_at = {p->at, keys[2], 0};
    struct json_member m[MESSAGES_COUNT(keys)];
    struct ir_block *b = messages_add_block(d, p->to, IR_CALL);
    tg_rc rc = messages_pick(d, p->at, block, keys, MESSAGES_COUNT(keys), m);

    if (rc == TG_OK)
        rc = field_string_needed(&d->in, p->at, keys[0], &m[0], &b->id);
    if (rc == TG_OK)
        rc = field_string_needed(&d->in, p->at, keys[1], &m[1], &b->name);
    if (rc == TG_OK && field_has(&m[2]) && m[2].kind != JSON_OBJECT)
        rc = field_refuse_type(&d->in, &input_at, "an object", m[2].kind);
    if (rc != TG_OK)
        return rc;
    b->text = field_has(&m[2]) ? m[2].value : STR("{}");
    return messages_read_cache(d, p->at, &m[3], &b->cache_ttl);
}

static tg_rc
read_result(struct messages_dec *d, const struct messages_place *p, struct str block)
{
    static const char *const keys[] = {"tool_use_id", "content", "is_error", "cache_control",
                                       "type"};
    struct field_at content_at = {p->at, keys[1], 0}, error_at = {p->at, keys[2], 0};
    struct json_member m[MESSAGES_COUNT(keys)];
    struct ir_block *parts = NULL, *b = messages_add_block(d, p->results, IR_RESULT);
    struct messages_blocks to = {&parts};
    struct messages_place inner = {&content_at, MESSAGES_IN_RESULT, &to, NULL};
    tg_rc rc = messages_pick(d, p->at, block, keys, MESSAGES_COUNT(keys), m);

    if (rc == TG_OK)
        rc = field_string_needed(&d->in, p->at, keys[0], &m[0], &b->id);
    if (rc == TG_OK)
        rc = field_bool(&d->in, &error_at, &m[2], &b->failed);
    if (rc == TG_OK && field_has(&m[1]))
        rc = messages_read_content(d, &inner, &m[1]);
    if (rc != TG_OK)
        return rc;
    for (const struct ir_block *i = parts; i; i = i->next)
        if (i->kind != IR_TEXT)
            b->sub = parts;
    if (!b->sub)
        b->text = ir_text_of(d->in.a, parts);
    /* A mark on the last of texts that are one text now stands behind it as before. */
    for (const struct ir_block *i = b->sub ? NULL : parts; i; i = i->next)
        b->cache_ttl = i->cache_ttl.n ? i->cache_ttl : b->cache_ttl;
    return messages_read_cache(d, p->at, &m[3], &b->cache_ttl);
}

/* A signature is ours, sealed for another maker, or Anthropic's. */
static void
take_proof(struct messages_dec *d, struct str sig, bool redacted, struct ir_block *b)
{
    if (ir_unseal(d->in.a, sig, b)) {
        if (b->sig.n == 0)
            b->origin = NULL;
        return;
    }
    if (sig.n == 0)
        return;
    b->sig = sig;
    b->origin = MESSAGES_NAME;
    b->redacted = redacted;
}

static tg_rc
read_thinking(struct messages_dec *d, const struct messages_place *p, struct str block)
{
    static const char *const keys[] = {"thinking", "signature", "type"};
    struct field_at text_at = {p->at, keys[0], 0}, sig_at = {p->at, keys[1], 0};
    struct json_member m[MESSAGES_COUNT(keys)];
    struct ir_block *b = messages_add_block(d, p->to, IR_THINK);
    struct str sig = {NULL, 0}, text = {NULL, 0};
    tg_rc rc = messages_pick(d, p->at, block, keys, MESSAGES_COUNT(keys), m);

    if (rc == TG_OK)
        rc = field_string(&d->in, &text_at, &m[0], &text);
    if (rc == TG_OK)
        rc = field_string(&d->in, &sig_at, &m[1], &sig);
    if (rc != TG_OK)
        return rc;
    b->text = text;
    b->summary = true; /* what the API shows of its models' thoughts */
    take_proof(d, sig, false, b);
    return TG_OK;
}

static tg_rc
read_redacted(struct messages_dec *d, const struct messages_place *p, struct str block)
{
    static const char *const keys[] = {"data", "type"};
    struct json_member m[MESSAGES_COUNT(keys)];
    struct ir_block *b = messages_add_block(d, p->to, IR_THINK);
    struct str data = {NULL, 0};
    tg_rc rc = messages_pick(d, p->at, block, keys, MESSAGES_COUNT(keys), m);

    if (rc == TG_OK)
        rc = field_string_needed(&d->in, p->at, keys[0], &m[0], &data);
    if (rc == TG_OK)
        take_proof(d, data, true, b);
    return rc;
}

static tg_rc
read_opaque(struct messages_dec *d, const struct messages_place *p, struct str block)
{
    struct ir_block *b = messages_add_block(d, p->to, IR_OPAQUE);
    struct json_member m;

    if (json_get(block, STR("type"), &m))
        (void)!json_string(d->in.a, m.value, &b->name);
    b->raw = block;
    b->origin = MESSAGES_NAME;
    return TG_OK;
}
