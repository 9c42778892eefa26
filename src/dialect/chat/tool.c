/* tool.c -- tools and tool_choice of a Chat request.
 *
 * Schemas stay spans of the request.  A choice of "allowed_tools" becomes a shorter list of
 * tools and a mode: the model sees what it may use.
 */
#include "dialect/chat/chat_int.h"

/* Names are looked up one by one, so their number is bounded. */
enum { TOOLS_MAX = 1024 };

static tg_rc
read_function(struct chat_dec *d, const struct field_at *at, struct str value,
              struct ir_tool *t)
{
    static const char *const keys[] = {"name", "description", "parameters"};
    struct field_at description = {at, keys[1], 0}, parameters = {at, keys[2], 0};
    struct json_member m[3];
    tg_rc rc = field_pick(&d->in, at, value, keys, 3, m);

    if (rc == TG_OK)
        rc = field_string_needed(&d->in, at, keys[0], &m[0], &t->name);
    if (rc == TG_OK)
        rc = field_string(&d->in, &description, &m[1], &t->description);
    if (rc != TG_OK || !field_has(&m[2]))
        return rc;
    if (m[2].kind != JSON_OBJECT)
        return field_refuse_type(&d->in, &parameters, "an object", m[2].kind);
    t->schema = m[2].value;
    return TG_OK;
}

static tg_rc
read_tool(struct chat_dec *d, const struct field_at *at, const struct json_member *tool,
          struct ir_tool *t)
{
    static const char *const keys[] = {"type", "function", "custom"};
    struct field_at type_at = {at, keys[0], 0}, inner = {at, keys[1], 0};
    struct json_member m[3];
    struct str type;
    tg_rc rc = field_pick(&d->in, at, tool->value, keys, 3, m);

    if (rc == TG_OK)
        rc = field_string_needed(&d->in, at, keys[0], &m[0], &type);
    if (rc != TG_OK)
        return rc;
    t->freeform = str_eq(type, STR("custom"));
    if (!t->freeform && !str_eq(type, STR("function")))
        return field_refuse(&d->in, &type_at, "invalid_value",
                            "must be \"function\" or \"custom\"");
    if (t->freeform)
        inner.name = keys[2];
    if (!field_has(&m[1 + t->freeform]))
        return field_refuse_missing(&d->in, at, inner.name);
    rc = read_function(d, &inner, m[1 + t->freeform].value, t);
    if (t->freeform)
        t->schema = (struct str){NULL, 0};
    return rc;
}

tg_rc
chat_read_tools(struct chat_dec *d, const struct json_member *tools)
{
    struct field_at at = {NULL, "tools", 0}, elem = {&at, NULL, 0};
    struct ir_tool **tail = &d->req->tools;
    struct json_iter it;
    struct json_member m;
    tg_rc rc = TG_OK;

    if (!field_has(tools))
        return TG_OK;
    if (json_array(&it, tools->value) != TG_OK)
        return field_refuse_type(&d->in, &at, "an array", tools->kind);
    for (; rc == TG_OK && json_next(&it, &m); elem.index++) {
        if (elem.index == TOOLS_MAX)
            return field_refuse(&d->in, &at, "invalid_value", "at most %d tools", TOOLS_MAX);
        *tail = arena_new(d->in.a, struct ir_tool);
        rc = read_tool(d, &elem, &m, *tail);
        tail = &(*tail)->next;
    }
    return rc;
}

static struct ir_tool *
find_tool(const struct ir_req *req, struct str name)
{
    struct ir_tool *t = req->tools;

    while (t && !str_eq(t->name, name))
        t = t->next;
    return t;
}

/* {"type":"function","function":{"name":...}} or the same with "custom". */
static tg_rc
read_named(struct chat_dec *d, const struct field_at *at, struct str value, struct str *ret)
{
    static const char *const keys[] = {"type", "function", "custom"};
    static const char *const name_key[] = {"name"};
    struct field_at type_at = {at, keys[0], 0}, inner = {at, keys[1], 0}, name_at;
    struct json_member m[3], name;
    struct str type;
    bool custom;
    tg_rc rc = field_pick(&d->in, at, value, keys, 3, m);

    if (rc == TG_OK)
        rc = field_string_needed(&d->in, at, keys[0], &m[0], &type);
    if (rc != TG_OK)
        return rc;
    custom = str_eq(type, STR("custom"));
    if (!custom && !str_eq(type, STR("function")))
        return field_refuse(&d->in, &type_at, "invalid_value",
                            "must be \"function\", \"custom\" or \"allowed_tools\"");
    if (custom)
        inner.name = keys[2];
    if (!field_has(&m[1 + custom]))
        return field_refuse_missing(&d->in, at, inner.name);
    rc = field_pick(&d->in, &inner, m[1 + custom].value, name_key, 1, &name);
    if (rc == TG_OK)
        rc = field_string_needed(&d->in, &inner, name_key[0], &name, ret);
    if (rc != TG_OK || find_tool(d->req, *ret))
        return rc;
    name_at = (struct field_at){&inner, name_key[0], 0};
    return field_refuse(&d->in, &name_at, "invalid_value", "no tool of that name in 'tools'");
}

static tg_rc
read_mode(struct chat_dec *d, const struct field_at *at, struct str word, bool may_be_none)
{
    if (str_eq(word, STR("auto")))
        d->req->tool_choice = IR_CHOICE_AUTO;
    else if (str_eq(word, STR("required")))
        d->req->tool_choice = IR_CHOICE_REQUIRED;
    else if (may_be_none && str_eq(word, STR("none")))
        d->req->tool_choice = IR_CHOICE_NONE;
    else
        return field_refuse(&d->in, at, "invalid_value", "must be \"auto\"%s or \"required\"",
                            may_be_none ? ", \"none\"" : "");
    return TG_OK;
}

static tg_rc
read_allowed(struct chat_dec *d, const struct field_at *up, const struct json_member *allowed)
{
    static const char *const keys[] = {"mode", "tools"};
    struct field_at at = {up, "allowed_tools", 0}, mode_at = {&at, keys[0], 0};
    struct field_at tools_at = {&at, keys[1], 0}, elem = {&tools_at, NULL, 0};
    struct ir_tool *list = NULL, **tail = &list;
    struct json_member m[2], tool;
    struct json_iter it;
    struct str word, name;
    tg_rc rc;

    if (!field_has(allowed))
        return field_refuse_missing(&d->in, up, at.name);
    rc = field_pick(&d->in, &at, allowed->value, keys, 2, m);
    if (rc == TG_OK)
        rc = field_string_needed(&d->in, &at, keys[0], &m[0], &word);
    if (rc == TG_OK)
        rc = read_mode(d, &mode_at, word, false);
    if (rc != TG_OK)
        return rc;
    if (!field_has(&m[1]))
        return field_refuse_missing(&d->in, &at, keys[1]);
    if (json_array(&it, m[1].value) != TG_OK)
        return field_refuse_type(&d->in, &tools_at, "an array", m[1].kind);
    for (; json_next(&it, &tool); elem.index++) {
        if (elem.index == TOOLS_MAX)
            return field_refuse(&d->in, &tools_at, "invalid_value", "at most %d tools",
                                TOOLS_MAX);
        rc = read_named(d, &elem, tool.value, &name);
        if (rc != TG_OK)
            return rc;
        *tail = arena_new(d->in.a, struct ir_tool);
        **tail = *find_tool(d->req, name);
        (*tail)->next = NULL;
        tail = &(*tail)->next;
    }
    if (!list)
        return field_refuse(&d->in, &tools_at, "empty_array", "at least one tool is needed");
    d->req->tools = list;
    return TG_OK;
}

tg_rc
chat_read_tool_choice(struct chat_dec *d, const struct json_member *choice)
{
    static const char *const keys[] = {"type", "allowed_tools"};
    struct field_at at = {NULL, "tool_choice", 0};
    struct json_member m[2];
    struct str word = {NULL, 0};
    tg_rc rc;

    if (!field_has(choice))
        return TG_OK;
    if (choice->kind == JSON_STRING) {
        rc = field_string(&d->in, &at, choice, &word);
        if (rc == TG_OK)
            rc = read_mode(d, &at, word, true);
    } else {
        rc = field_pick(&d->in, &at, choice->value, keys, 2, m);
        if (rc == TG_OK)
            rc = field_string_needed(&d->in, &at, keys[0], &m[0], &word);
        if (rc == TG_OK && str_eq(word, STR("allowed_tools"))) {
            rc = read_allowed(d, &at, &m[1]);
        } else if (rc == TG_OK) {
            rc = read_named(d, &at, choice->value, &d->req->tool_name);
            d->req->tool_choice = IR_CHOICE_NAMED;
        }
    }
    if (rc == TG_OK && !d->req->tools && d->req->tool_choice == IR_CHOICE_REQUIRED)
        rc = field_refuse(&d->in, &at, "invalid_value", "only allowed together with 'tools'");
    return rc;
}
