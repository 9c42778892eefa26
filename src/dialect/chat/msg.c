/* msg.c -- the messages of a Chat request.
 *
 * One row a role says which parts its content may have, whether it may be missing, and what it
 * becomes.  A tool's result is one block however many parts its text came in.
 *
 * The call form that tool_calls replaced has no ids: they are made by counting, and a result
 * goes to the call before it when the names agree.
 */
#include "dialect/chat/chat_int.h"
#include "dialect/rest.h"
#include "ir/text.h"

enum part { PART_TEXT = 1, PART_REFUSAL = 2, PART_MEDIA = 4 };

static const struct role {
    const char *name;
    enum ir_role role;
    unsigned parts;
    bool optional; /* the content */
} roles[] = {
    {"developer", IR_SYSTEM, PART_TEXT, false},
    {"system", IR_SYSTEM, PART_TEXT, false},
    {"user", IR_USER, PART_TEXT | PART_MEDIA, false},
    {"assistant", IR_MODEL, PART_TEXT | PART_REFUSAL, true},
    {"tool", IR_TOOL, PART_TEXT, false},
    {"function", IR_TOOL, PART_TEXT, true},
};

static const struct part_type {
    const char *type;
    enum part part;
    enum ir_kind kind;
    const char *field; /* that holds the part */
} part_types[] = {
    {"text", PART_TEXT, IR_TEXT, "text"},
    {"refusal", PART_REFUSAL, IR_REFUSAL, "refusal"},
    {"image_url", PART_MEDIA, IR_MEDIA, "image_url"},
    {"input_audio", PART_MEDIA, IR_MEDIA, "input_audio"},
    {"file", PART_MEDIA, IR_MEDIA, "file"},
    {"video_url", PART_MEDIA, IR_MEDIA, "video_url"},
};

enum field {
    F_ROLE,
    F_CONTENT,
    F_REFUSAL,
    F_TOOL_CALLS,
    F_TOOL_CALL_ID,
    F_NAME,
    F_FUNCTION_CALL,
    F_REASONING_CONTENT,
    F_REASONING,
    F_DETAILS,
    F_AUDIO,
    F_COUNT
};

static const char *const names[F_COUNT] = {
    [F_ROLE] = "role",
    [F_CONTENT] = "content",
    [F_REFUSAL] = "refusal",
    [F_TOOL_CALLS] = "tool_calls",
    [F_TOOL_CALL_ID] = "tool_call_id",
    [F_NAME] = "name",
    [F_FUNCTION_CALL] = "function_call",
    [F_REASONING_CONTENT] = "reasoning_content",
    [F_REASONING] = "reasoning",
    [F_DETAILS] = "reasoning_details",
    [F_AUDIO] = "audio",
};

struct ir_block *
chat_add_block(struct chat_dec *d, struct chat_blocks *to, enum ir_kind kind)
{
    struct ir_block *b = arena_new(d->in.a, struct ir_block);

    b->kind = kind;
    *to->tail = b;
    to->tail = &b->next;
    return b;
}

static tg_rc
read_part(struct chat_dec *d, const struct field_at *at, const struct role *role,
          const struct json_member *part, struct chat_blocks *to)
{
    enum { TYPE, MARK = 7, N_KEYS };
    static const char *const keys[N_KEYS] = {
        "type",        "text", "refusal",   "image_url",
        "input_audio", "file", "video_url", "prompt_cache_breakpoint"};
    struct field_at type_at = {at, "type", 0};
    const struct part_type *t = NULL;
    struct json_member m[N_KEYS];
    struct str type = {NULL, 0};
    struct ir_block *b;
    tg_rc rc = field_pick(&d->in, at, part->value, keys, N_KEYS, m);

    if (rc == TG_OK)
        rc = field_string_needed(&d->in, at, "type", &m[TYPE], &type);
    if (rc != TG_OK)
        return rc;
    for (size_t i = 0; i < CHAT_COUNT(part_types); i++) {
        if (str_eq(type, str_z(part_types[i].type))) {
            struct field_at field_at = {at, part_types[i].field, 0};

            t = &part_types[i];
            if (!(role->parts & t->part))
                break;
            if (!field_has(&m[i + 1])) /* the keys stand in the order of the types */
                return field_refuse_missing(&d->in, at, t->field);
            b = chat_add_block(d, to, t->kind);
            b->part = at->index + 1;
            rest_note(&d->in, d->req, at, part->value, keys, N_KEYS);
            b->cache_ttl = chat_cache_ttl(m[MARK].value);
            if (t->kind != IR_MEDIA)
                return field_string(&d->in, &field_at, &m[i + 1], &b->text);
            return chat_read_media(d, &field_at, type, &m[i + 1], b);
        }
    }
    if (!t)
        return field_refuse(&d->in, &type_at, "invalid_value", "not a type of content part");
    return field_refuse(&d->in, &type_at, "invalid_value", "a %s message may not have %s parts",
                        role->name, t->type);
}

static tg_rc
read_content(struct chat_dec *d, const struct field_at *up, const struct role *role,
             const struct json_member *content, struct chat_blocks *to)
{
    struct field_at at = {up, names[F_CONTENT], 0}, elem = {&at, NULL, 0};
    struct json_iter it;
    struct json_member m;
    tg_rc rc = TG_OK;

    if (!field_has(content))
        return role->optional ? TG_OK : field_refuse_missing(&d->in, up, names[F_CONTENT]);
    if (content->kind == JSON_STRING)
        return field_string(&d->in, &at, content, &chat_add_block(d, to, IR_TEXT)->text);
    if (json_array(&it, content->value) != TG_OK)
        return field_refuse_type(&d->in, &at, "a string or an array of parts", content->kind);
    for (; rc == TG_OK && json_next(&it, &m); elem.index++)
        rc = read_part(d, &elem, role, &m, to);
    return rc;
}

static tg_rc
read_call(struct chat_dec *d, const struct field_at *at, const struct json_member *call,
          struct chat_blocks *to)
{
    static const char *const keys[] = {"id", "type", "function", "custom"};
    static const char *const function_keys[] = {"name", "arguments"};
    static const char *const custom_keys[] = {"name", "input"};
    struct json_member m[4], inner[2];
    struct field_at inner_at = {at, "function", 0}, type_at = {at, "type", 0}, text_at;
    struct str type = STR("function");
    struct ir_block *b = chat_add_block(d, to, IR_CALL);
    tg_rc rc = field_pick(&d->in, at, call->value, keys, 4, m);

    if (rc == TG_OK)
        rc = field_string_needed(&d->in, at, "id", &m[0], &b->id);
    if (rc == TG_OK)
        rc = field_string(&d->in, &type_at, &m[1], &type);
    if (rc != TG_OK)
        return rc;
    b->freeform = str_eq(type, STR("custom"));
    if (!b->freeform && !str_eq(type, STR("function")))
        return field_refuse(&d->in, &type_at, "invalid_value",
                            "must be \"function\" or \"custom\"");
    if (b->freeform)
        inner_at.name = "custom";
    if (!field_has(&m[2 + b->freeform]))
        return field_refuse_missing(&d->in, at, inner_at.name);
    rc = field_pick(&d->in, &inner_at, m[2 + b->freeform].value,
                    b->freeform ? custom_keys : function_keys, 2, inner);
    if (rc == TG_OK)
        rc = field_string_needed(&d->in, &inner_at, "name", &inner[0], &b->name);
    text_at = (struct field_at){&inner_at, b->freeform ? "input" : "arguments", 0};
    return rc == TG_OK ? field_string(&d->in, &text_at, &inner[1], &b->text) : rc;
}

static tg_rc
read_calls(struct chat_dec *d, const struct field_at *up, const struct json_member *calls,
           struct chat_blocks *to)
{
    struct field_at at = {up, names[F_TOOL_CALLS], 0}, elem = {&at, NULL, 0};
    struct json_iter it;
    struct json_member m;
    tg_rc rc = TG_OK;

    if (!field_has(calls))
        return TG_OK;
    if (json_array(&it, calls->value) != TG_OK)
        return field_refuse_type(&d->in, &at, "an array", calls->kind);
    for (; rc == TG_OK && json_next(&it, &m); elem.index++)
        rc = read_call(d, &elem, &m, to);
    return rc;
}

/* The call form that tool_calls replaced, in histories that are older. */
static tg_rc
read_function_call(struct chat_dec *d, const struct field_at *up,
                   const struct json_member *call, struct chat_blocks *to)
{
    static const char *const keys[] = {"name", "arguments"};
    struct field_at at = {up, names[F_FUNCTION_CALL], 0}, text_at = {&at, keys[1], 0};
    struct json_member m[2];
    struct ir_block *b;
    tg_rc rc;

    if (!field_has(call))
        return TG_OK;
    b = chat_add_block(d, to, IR_CALL);
    b->id = arena_printf(d->in.a, "call_legacy_%u", d->n_legacy++);
    d->legacy = b;
    rc = field_pick(&d->in, &at, call->value, keys, 2, m);
    if (rc == TG_OK)
        rc = field_string_needed(&d->in, &at, keys[0], &m[0], &b->name);
    return rc == TG_OK ? field_string(&d->in, &text_at, &m[1], &b->text) : rc;
}

static tg_rc
read_assistant(struct chat_dec *d, const struct field_at *at, const struct role *role,
               const struct json_member *f, struct chat_blocks *to)
{
    enum field think = field_has(&f[F_REASONING_CONTENT]) ? F_REASONING_CONTENT : F_REASONING;
    struct field_at refusal = {at, names[F_REFUSAL], 0};
    struct field_at reasoning = {at, names[think], 0};
    struct ir_block *b;
    tg_rc rc = chat_read_think(d, &reasoning, &f[think], &f[F_DETAILS], to);

    if (rc == TG_OK)
        rc = read_content(d, at, role, &f[F_CONTENT], to);
    if (rc == TG_OK && field_has(&f[F_REFUSAL]))
        rc = field_string(&d->in, &refusal, &f[F_REFUSAL],
                          &chat_add_block(d, to, IR_REFUSAL)->text);
    if (rc == TG_OK)
        rc = read_function_call(d, at, &f[F_FUNCTION_CALL], to);
    if (rc == TG_OK)
        rc = read_calls(d, at, &f[F_TOOL_CALLS], to);
    if (rc == TG_OK && field_has(&f[F_AUDIO])) {
        b = chat_add_block(d, to, IR_OPAQUE);
        b->name = str_z(names[F_AUDIO]);
        b->raw = f[F_AUDIO].value;
        b->origin = dialect_chat.name;
    }
    return rc;
}

static tg_rc
read_result(struct chat_dec *d, const struct field_at *at, const struct role *role,
            const struct json_member *f, struct chat_blocks *to)
{
    struct ir_block *first = NULL, *b;
    struct chat_blocks parts = {&first};
    struct field_at name_at = {at, names[F_NAME], 0};
    struct str id = {NULL, 0}, name = {NULL, 0};
    tg_rc rc;

    if (str_eq(str_z(role->name), STR("tool")))
        rc = field_string_needed(&d->in, at, names[F_TOOL_CALL_ID], &f[F_TOOL_CALL_ID], &id);
    else
        rc = field_string_needed(&d->in, at, names[F_NAME], &f[F_NAME], &name);
    if (rc == TG_OK)
        rc = field_string(&d->in, &name_at, &f[F_NAME], &name);
    if (rc == TG_OK)
        rc = read_content(d, at, role, &f[F_CONTENT], &parts);
    if (rc != TG_OK)
        return rc;
    b = chat_add_block(d, to, IR_RESULT);
    if (id.n) {
        b->id = id;
    } else if (d->legacy && str_eq(d->legacy->name, name)) {
        b->id = d->legacy->id;
        d->legacy = NULL;
    } else {
        b->id = arena_printf(d->in.a, "call_legacy_%u", d->n_legacy++);
    }
    b->name = name;
    if (first && !first->next)
        b->cache_ttl = first->cache_ttl;
    b->text = ir_text_of(d->in.a, first);
    return TG_OK;
}

static tg_rc
read_message(struct chat_dec *d, const struct field_at *at, const struct json_member *message,
             struct ir_msg *msg)
{
    /* The citations of an answer that comes back have told what they had to tell. */
    static const char *const told[] = {
        "role",  "content",       "refusal",           "tool_calls", "tool_call_id",
        "name",  "function_call", "reasoning_content", "reasoning",  "reasoning_details",
        "audio", "annotations"};
    struct field_at role_at = {at, names[F_ROLE], 0}, name_at = {at, names[F_NAME], 0};
    struct json_member f[F_COUNT];
    const struct role *role = NULL;
    struct chat_blocks to = {&msg->blocks};
    struct str name;
    tg_rc rc = field_pick(&d->in, at, message->value, names, F_COUNT, f);

    if (rc == TG_OK)
        rc = field_string_needed(&d->in, at, names[F_ROLE], &f[F_ROLE], &name);
    if (rc != TG_OK)
        return rc;
    for (size_t i = 0; i < CHAT_COUNT(roles); i++)
        if (str_eq(name, str_z(roles[i].name)))
            role = &roles[i];
    if (!role)
        return field_refuse(
            &d->in, &role_at, "invalid_value",
            "must be one of system, developer, user, assistant, tool, function");
    rest_note(&d->in, d->req, at, message->value, told, CHAT_COUNT(told));
    msg->role = role->role;
    msg->developer = str_eq(name, STR("developer"));
    if (role->role == IR_TOOL)
        return read_result(d, at, role, f, &to);
    rc = field_string(&d->in, &name_at, &f[F_NAME], &msg->name);
    if (rc != TG_OK)
        return rc;
    if (role->role != IR_MODEL)
        return read_content(d, at, role, &f[F_CONTENT], &to);
    rc = read_assistant(d, at, role, f, &to);
    if (rc == TG_OK && !msg->blocks)
        rc = field_refuse_missing(&d->in, at, names[F_CONTENT]);
    return rc;
}

tg_rc
chat_read_messages(struct chat_dec *d, const struct json_member *messages)
{
    struct field_at at = {NULL, "messages", 0}, elem = {&at, NULL, 0};
    struct ir_msg **tail = &d->req->msgs;
    struct json_iter it;
    struct json_member m;
    tg_rc rc = TG_OK;

    if (!field_has(messages))
        return field_refuse_missing(&d->in, NULL, "messages");
    if (json_array(&it, messages->value) != TG_OK)
        return field_refuse_type(&d->in, &at, "an array", messages->kind);
    for (; rc == TG_OK && json_next(&it, &m); elem.index++) {
        *tail = arena_new(d->in.a, struct ir_msg);
        (*tail)->place = elem.index + 1;
        rc = read_message(d, &elem, &m, *tail);
        tail = &(*tail)->next;
    }
    d->req->n_msgs = elem.index;
    if (rc == TG_OK && elem.index == 0)
        rc = field_refuse(&d->in, &at, "empty_array", "at least one message is needed");
    return rc;
}
