/* item.c -- the input items of a Responses request, as messages.
 *
 * The dialect has a flat list where the others have messages: a turn of the model is reasoning,
 * text and calls one after another.  They are gathered into one message until something else
 * comes, or a second text follows a text; calls stay together whatever lies between them,
 * because other dialects want all results behind the message that has all the calls.
 *
 * Records of tools that a provider runs are carried as they are; a provider of this dialect can
 * read them, another one is not shown them.  What needs stored state is refused.
 */
#include "dialect/responses/in_int.h"
#include "dialect/rest.h"

enum key {
    K_TYPE,
    K_ROLE,
    K_CONTENT,
    K_ID,
    K_CALL_ID,
    K_NAME,
    K_NAMESPACE,
    K_ARGUMENTS,
    K_INPUT,
    K_OUTPUT,
    K_TOOLS,
    K_COUNT
};

static const char *const keys[K_COUNT] = {
    [K_TYPE] = "type",           [K_ROLE] = "role",
    [K_CONTENT] = "content",     [K_ID] = "id",
    [K_CALL_ID] = "call_id",     [K_NAME] = "name",
    [K_NAMESPACE] = "namespace", [K_ARGUMENTS] = "arguments",
    [K_INPUT] = "input",         [K_OUTPUT] = "output",
    [K_TOOLS] = "tools",
};

/* One item being read. */
struct item {
    struct responses_reader *r;
    const struct field_at *at;
    struct str raw, type;
    const struct json_member *m;
};

struct ir_msg *
responses_add_msg(struct responses_reader *r, enum ir_role role)
{
    struct ir_msg *msg = arena_new(r->in.a, struct ir_msg);

    msg->role = role;
    msg->place = r->place;
    *r->tail = r->last = msg;
    r->block = &msg->blocks;
    r->spoke = r->called = false;
    r->tail = &msg->next;
    r->req->n_msgs++;
    return msg;
}

struct str
responses_flat_name(struct arena *a, struct str space, struct str name)
{
    if (space.n == 0)
        return name;
    return arena_printf(a, "%.*s__%.*s", STR_ARG(space), STR_ARG(name));
}

/* The end of the list of blocks of the model's message that this item belongs to. */
static struct ir_block **
model_tail(struct responses_reader *r, bool text)
{
    if (!r->last || r->last->role != IR_MODEL)
        responses_add_msg(r, IR_MODEL);
    for (; *r->block; r->block = &(*r->block)->next) {
        r->spoke |= (*r->block)->kind == IR_TEXT || (*r->block)->kind == IR_REFUSAL;
        r->called |= (*r->block)->kind == IR_CALL;
    }
    if (text && r->spoke && !r->called)
        responses_add_msg(r, IR_MODEL);
    return r->block;
}

static struct ir_block *
new_block(struct responses_reader *r, enum ir_kind kind)
{
    struct ir_block *b = arena_new(r->in.a, struct ir_block);

    b->kind = kind;
    b->place = r->place;
    return b;
}

static tg_rc
text_of(const struct item *i, enum key key, struct str *ret)
{
    struct field_at at = {i->at, keys[key], 0};

    return field_string(&i->r->in, &at, &i->m[key], ret);
}

static tg_rc
text_needed(const struct item *i, enum key key, struct str *ret)
{
    return field_string_needed(&i->r->in, i->at, keys[key], &i->m[key], ret);
}

/* Which part of its work the model said this in.  Every message of a history may have one, so
 * it is told once for all, not by place. */
static void
note_phase(const struct item *i)
{
    struct field_at input = {NULL, "input", 0};
    struct json_member m;

    if (i->r->phase || !json_get(i->raw, STR("phase"), &m) || !field_has(&m))
        return;
    i->r->phase = true;
    rest_add(&i->r->in, i->r->req, &input, STR("phase"), m.value);
}

static tg_rc
read_message(const struct item *i)
{
    static const struct {
        const char *name;
        enum ir_role role;
        bool developer;
    } roles[] = {{"user", IR_USER, false},
                 {"assistant", IR_MODEL, false},
                 {"system", IR_SYSTEM, false},
                 {"developer", IR_SYSTEM, true}};
    struct field_at role_at = {i->at, keys[K_ROLE], 0}, at = {i->at, keys[K_CONTENT], 0};
    struct ir_block *blocks = NULL;
    struct ir_msg *msg;
    struct str role;
    size_t k = 0;
    tg_rc rc = text_needed(i, K_ROLE, &role);

    if (rc != TG_OK)
        return rc;
    while (k < RESPONSES_COUNT(roles) && !str_eq(role, str_z(roles[k].name)))
        k++;
    if (k == RESPONSES_COUNT(roles))
        return field_refuse(&i->r->in, &role_at, "invalid_value",
                            "must be one of user, assistant, system, developer");
    if (!field_has(&i->m[K_CONTENT]))
        return field_refuse_missing(&i->r->in, i->at, keys[K_CONTENT]);
    rc = responses_read_parts(i->r, &at, &i->m[K_CONTENT], &blocks);
    if (rc != TG_OK)
        return rc;
    if (roles[k].role == IR_MODEL) {
        note_phase(i);
        *model_tail(i->r, true) = blocks;
        return TG_OK;
    }
    msg = responses_add_msg(i->r, roles[k].role);
    msg->developer = roles[k].developer;
    msg->blocks = blocks;
    return TG_OK;
}

static tg_rc
read_call(const struct item *i)
{
    bool custom = str_eq(i->type, STR("custom_tool_call"));
    struct ir_block *b = new_block(i->r, IR_CALL);
    struct str space = {NULL, 0};
    tg_rc rc = text_needed(i, K_CALL_ID, &b->id);

    b->freeform = custom;
    if (rc == TG_OK)
        rc = text_needed(i, K_NAME, &b->name);
    if (rc == TG_OK)
        rc = text_of(i, K_NAMESPACE, &space);
    if (rc == TG_OK)
        rc = text_of(i, custom ? K_INPUT : K_ARGUMENTS, &b->text);
    if (rc != TG_OK)
        return rc;
    b->name = responses_flat_name(i->r->in.a, space, b->name);
    *model_tail(i->r, false) = b;
    return TG_OK;
}

/* Parts that are nothing but texts are one text. */
static void
settle_result(struct arena *a, struct ir_block *b)
{
    size_t n = 0;
    char *p;

    for (const struct ir_block *s = b->sub; s; s = s->next) {
        if (s->kind != IR_TEXT)
            return;
        n += s->text.n;
    }
    /* A mark on the last of texts that are one text now stands behind it as before. */
    for (const struct ir_block *s = b->sub; s; s = s->next)
        b->cache_ttl = s->cache_ttl.n ? s->cache_ttl : b->cache_ttl;
    if (b->sub && !b->sub->next) {
        b->text = b->sub->text;
        b->sub = NULL;
        return;
    }
    b->text.p = p = arena_alloc(a, n, 1);
    b->text.n = n;
    for (const struct ir_block *s = b->sub; s; s = s->next) {
        if (s->text.n)
            memcpy(p, s->text.p, s->text.n);
        p += s->text.n;
    }
    b->sub = NULL;
}

static tg_rc
read_output(const struct item *i)
{
    struct field_at at = {i->at, keys[K_OUTPUT], 0};
    struct ir_block *b = new_block(i->r, IR_RESULT);
    struct str space = {NULL, 0};
    tg_rc rc = text_needed(i, K_CALL_ID, &b->id);

    b->freeform = str_eq(i->type, STR("custom_tool_call_output"));
    if (rc == TG_OK)
        rc = text_of(i, K_NAME, &b->name);
    if (rc == TG_OK)
        rc = text_of(i, K_NAMESPACE, &space);
    if (rc != TG_OK)
        return rc;
    if (b->name.n)
        b->name = responses_flat_name(i->r->in.a, space, b->name);
    if (!field_has(&i->m[K_OUTPUT]))
        return field_refuse_missing(&i->r->in, i->at, keys[K_OUTPUT]);
    rc = responses_read_parts(i->r, &at, &i->m[K_OUTPUT], &b->sub);
    if (rc != TG_OK)
        return rc;
    settle_result(i->r->in.a, b);
    responses_add_msg(i->r, IR_TOOL)->blocks = b;
    return TG_OK;
}

static tg_rc
read_reasoning(const struct item *i)
{
    struct ir_block *b = NULL;
    tg_rc rc = responses_read_think(i->r, i->at, i->raw, &b);

    if (b)
        b->place = i->r->place;
    if (rc == TG_OK && b)
        *model_tail(i->r, false) = b;
    return rc;
}

static tg_rc
read_opaque(const struct item *i)
{
    struct ir_block *b = new_block(i->r, IR_OPAQUE);

    b->name = i->type;
    b->raw = i->raw;
    b->origin = dialect_responses.name;
    *model_tail(i->r, false) = b;
    return TG_OK;
}

static tg_rc
read_more_tools(const struct item *i)
{
    struct field_at at = {i->at, keys[K_TOOLS], 0};

    return responses_read_tools(i->r, &at, &i->m[K_TOOLS]);
}

static tg_rc
refuse_stored(const struct item *i)
{
    struct field_at at = {i->at, i->type.n ? keys[K_TYPE] : keys[K_ID], 0};

    return field_refuse(&i->r->in, &at, "unsupported_parameter",
                        "this item needs stored state, which is not kept on this route");
}

static tg_rc
refuse_unsupported(const struct item *i)
{
    struct field_at at = {i->at, keys[K_TYPE], 0};

    return field_refuse(&i->r->in, &at, "unsupported_parameter",
                        "items of this type are only for a provider of the same dialect");
}

static const struct {
    const char *type;
    tg_rc (*read)(const struct item *);
} types[] = {
    {"message", read_message},
    {"function_call", read_call},
    {"function_call_output", read_output},
    {"custom_tool_call", read_call},
    {"custom_tool_call_output", read_output},
    {"reasoning", read_reasoning},
    {"item_reference", refuse_stored},
    {"additional_tools", read_more_tools},
    {"compaction", read_opaque},
    {"compaction_trigger", refuse_unsupported},
    {"configuration_update", refuse_unsupported},
    {"file_search_call", read_opaque},
    {"web_search_call", read_opaque},
    {"code_interpreter_call", read_opaque},
    {"image_generation_call", read_opaque},
    {"computer_call", read_opaque},
    {"computer_call_output", read_opaque},
    {"mcp_call", read_opaque},
    {"mcp_list_tools", read_opaque},
    {"mcp_approval_request", read_opaque},
    {"mcp_approval_response", read_opaque},
    {"tool_search_call", read_opaque},
    {"tool_search_output", read_opaque},
    {"local_shell_call", read_opaque},
    {"local_shell_call_output", read_opaque},
    {"shell_call", read_opaque},
    {"shell_call_output", read_opaque},
    {"apply_patch_call", read_opaque},
    {"apply_patch_call_output", read_opaque},
    {"program", read_opaque},
    {"program_output", read_opaque},
};

static tg_rc
read_item(struct responses_reader *r, const struct field_at *at, const struct json_member *item)
{
    struct field_at type_at = {at, keys[K_TYPE], 0};
    struct json_member m[K_COUNT];
    struct item i = {.r = r, .at = at, .raw = item->value, .m = m};
    tg_rc rc = field_pick(&r->in, at, item->value, keys, K_COUNT, m);

    if (rc == TG_OK)
        rc = field_string(&r->in, &type_at, &m[K_TYPE], &i.type);
    if (rc != TG_OK)
        return rc;
    if (i.type.n == 0 && field_has(&m[K_ROLE]))
        return read_message(&i);
    if (i.type.n == 0 && field_has(&m[K_ID]))
        return refuse_stored(&i);
    if (i.type.n == 0)
        return field_refuse_missing(&r->in, at, keys[K_TYPE]);
    for (size_t k = 0; k < RESPONSES_COUNT(types); k++)
        if (str_eq(i.type, str_z(types[k].type)))
            return types[k].read(&i);
    return field_refuse(&r->in, &type_at, "invalid_value", "not a type of input item");
}

tg_rc
responses_read_input(struct responses_reader *r, const struct json_member *input)
{
    struct field_at at = {NULL, "input", 0}, elem = {&at, NULL, 0};
    struct json_iter it;
    struct json_member m;
    tg_rc rc = TG_OK;

    if (!field_has(input))
        return field_refuse_missing(&r->in, NULL, "input");
    if (input->kind == JSON_STRING)
        return responses_read_parts(r, &at, input, &responses_add_msg(r, IR_USER)->blocks);
    if (json_array(&it, input->value) != TG_OK)
        return field_refuse_type(&r->in, &at, "a string or an array", input->kind);
    for (; rc == TG_OK && json_next(&it, &m); elem.index++) {
        r->place = elem.index + 1;
        rc = read_item(r, &elem, &m);
    }
    if (rc == TG_OK && elem.index == 0)
        rc = field_refuse(&r->in, &at, "empty_array", "at least one item is needed");
    return rc;
}
