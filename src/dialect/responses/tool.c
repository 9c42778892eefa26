/* tool.c -- tools and tool_choice of a Responses request.
 *
 * Schemas and grammars stay spans of the request.  Tools of a namespace become tools of their
 * own with the namespace in front of the name; they remember it, so that the client gets its
 * names back.  Tools that the provider runs are kept whole, for providers that know them.
 */
#include "dialect/responses/in_int.h"
#include "dialect/rest.h"

/* Names are looked up one by one, so their number is bounded. */
enum { TOOLS_MAX = 1024 };

static struct ir_tool *
add_tool(struct responses_reader *r)
{
    struct ir_tool *t = arena_new(r->in.a, struct ir_tool);

    t->allowed = true;
    *r->tools = t;
    r->tools = &t->next;
    r->n_tools++;
    return t;
}

enum key { K_TYPE, K_NAME, K_DESCRIPTION, K_PARAMETERS, K_STRICT, K_FORMAT, K_TOOLS, K_COUNT };

static const char *const keys[K_COUNT] = {
    [K_TYPE] = "type",
    [K_NAME] = "name",
    [K_DESCRIPTION] = "description",
    [K_PARAMETERS] = "parameters",
    [K_STRICT] = "strict",
    [K_FORMAT] = "format",
    [K_TOOLS] = "tools",
};

/* function and custom */
static tg_rc
read_client_tool(struct responses_reader *r, const struct field_at *at,
                 const struct json_member *m, bool custom, struct str space)
{
    struct field_at description_at = {at, keys[K_DESCRIPTION], 0};
    struct field_at strict_at = {at, keys[K_STRICT], 0}, parameters_at = {at, "parameters", 0};
    struct ir_tool *t = add_tool(r);
    bool strict = false;
    tg_rc rc = field_string_needed(&r->in, at, keys[K_NAME], &m[K_NAME], &t->name);

    if (rc == TG_OK)
        rc = field_string(&r->in, &description_at, &m[K_DESCRIPTION], &t->description);
    if (rc == TG_OK)
        rc = field_bool(&r->in, &strict_at, &m[K_STRICT], &strict);
    if (rc != TG_OK)
        return rc;
    t->name = responses_flat_name(r->in.a, space, t->name);
    t->space = space;
    t->freeform = custom;
    if (custom) {
        if (m[K_FORMAT].kind == JSON_OBJECT)
            t->grammar = m[K_FORMAT].value;
        return TG_OK;
    }
    if (field_has(&m[K_STRICT]))
        t->strict = strict ? IR_YES : IR_NO;
    if (field_has(&m[K_PARAMETERS]) && m[K_PARAMETERS].kind != JSON_OBJECT)
        return field_refuse_type(&r->in, &parameters_at, "an object", m[K_PARAMETERS].kind);
    if (field_has(&m[K_PARAMETERS]))
        t->schema = m[K_PARAMETERS].value;
    return TG_OK;
}

static tg_rc read_list(struct responses_reader *r, const struct field_at *at,
                       const struct json_member *tools, struct str space);

static tg_rc
read_tool(struct responses_reader *r, const struct field_at *at, const struct json_member *tool,
          struct str space)
{
    struct field_at type_at = {at, keys[K_TYPE], 0}, tools_at = {at, keys[K_TOOLS], 0};
    struct json_member m[K_COUNT];
    struct ir_tool *t;
    struct str type, name;
    tg_rc rc = field_pick(&r->in, at, tool->value, keys, K_COUNT, m);

    if (rc == TG_OK)
        rc = field_string_needed(&r->in, at, keys[K_TYPE], &m[K_TYPE], &type);
    if (rc != TG_OK)
        return rc;
    if (str_eq(type, STR("function")) || str_eq(type, STR("custom")) ||
        str_eq(type, STR("namespace")))
        rest_note(&r->in, r->req, at, tool->value, keys, K_COUNT);
    if (str_eq(type, STR("function")) || str_eq(type, STR("custom")))
        return read_client_tool(r, at, m, str_eq(type, STR("custom")), space);
    if (space.n)
        return field_refuse(&r->in, &type_at, "invalid_value",
                            "must be \"function\" or \"custom\" in a namespace");
    if (str_eq(type, STR("namespace"))) {
        rc = field_string_needed(&r->in, at, keys[K_NAME], &m[K_NAME], &name);
        if (rc == TG_OK && !field_has(&m[K_TOOLS]))
            rc = field_refuse_missing(&r->in, at, keys[K_TOOLS]);
        if (field_has(&m[K_DESCRIPTION]))
            rest_add(&r->in, r->req, at, str_z(keys[K_DESCRIPTION]), m[K_DESCRIPTION].value);
        return rc == TG_OK ? read_list(r, &tools_at, &m[K_TOOLS], name) : rc;
    }
    t = add_tool(r);
    t->name = type;
    t->hosted_by = dialect_responses.name;
    t->raw = tool->value;
    return TG_OK;
}

/* Once more for a namespace, and no deeper. */
static tg_rc
read_list(struct responses_reader *r, const struct field_at *at,
          const struct json_member *tools, struct str space)
{
    struct field_at elem = {at, NULL, 0};
    struct json_iter it;
    struct json_member m;
    tg_rc rc = TG_OK;

    if (json_array(&it, tools->value) != TG_OK)
        return field_refuse_type(&r->in, at, "an array", tools->kind);
    for (; rc == TG_OK && json_next(&it, &m); elem.index++) {
        if (r->n_tools == TOOLS_MAX)
            return field_refuse(&r->in, at, "invalid_value", "at most %d tools", TOOLS_MAX);
        rc = read_tool(r, &elem, &m, space);
    }
    return rc;
}

tg_rc
responses_read_tools(struct responses_reader *r, const struct field_at *at,
                     const struct json_member *tools)
{
    return field_has(tools) ? read_list(r, at, tools, (struct str){NULL, 0}) : TG_OK;
}

static tg_rc
read_mode(struct responses_reader *r, const struct field_at *at, struct str word, bool none)
{
    if (str_eq(word, STR("auto")))
        r->req->tool_choice = IR_CHOICE_AUTO;
    else if (str_eq(word, STR("required")))
        r->req->tool_choice = IR_CHOICE_REQUIRED;
    else if (none && str_eq(word, STR("none")))
        r->req->tool_choice = IR_CHOICE_NONE;
    else
        return field_refuse(&r->in, at, "invalid_value", "must be \"auto\"%s or \"required\"",
                            none ? ", \"none\"" : "");
    return TG_OK;
}

/* The tool that {"type", "name"} means: by name for a client's, by type for a provider's. */
static tg_rc
find_tool(struct responses_reader *r, const struct field_at *at, struct str value,
          struct ir_tool **ret)
{
    static const char *const inner[] = {"type", "name", "namespace"};
    struct field_at type_at = {at, inner[0], 0}, name_at = {at, inner[1], 0};
    struct field_at space_at = {at, inner[2], 0};
    struct str type, name = {NULL, 0}, space = {NULL, 0};
    struct json_member m[3];
    bool client;
    tg_rc rc = field_pick(&r->in, at, value, inner, 3, m);

    if (rc == TG_OK)
        rc = field_string_needed(&r->in, at, inner[0], &m[0], &type);
    if (rc != TG_OK)
        return rc;
    client = str_eq(type, STR("function")) || str_eq(type, STR("custom"));
    if (client)
        rc = field_string_needed(&r->in, at, inner[1], &m[1], &name);
    if (rc == TG_OK)
        rc = field_string(&r->in, &space_at, &m[2], &space);
    if (rc != TG_OK)
        return rc;
    name = client ? responses_flat_name(r->in.a, space, name) : type;
    for (struct ir_tool *t = r->req->tools; t; t = t->next)
        if (client == !t->hosted_by &&
            (str_eq(t->name, name) ||
             (client && t->space.n && str_eq(str_from(t->name, t->space.n + 2), name)))) {
            *ret = t;
            return TG_OK;
        }
    return field_refuse(&r->in, client ? &name_at : &type_at, "invalid_value",
                        "no such tool in 'tools'");
}

static tg_rc
read_allowed(struct responses_reader *r, const struct field_at *at, struct str value)
{
    static const char *const inner[] = {"mode", "tools"};
    struct field_at mode_at = {at, inner[0], 0}, tools_at = {at, inner[1], 0};
    struct field_at elem = {&tools_at, NULL, 0};
    struct json_member m[2], one;
    struct json_iter it;
    struct ir_tool *t;
    struct str word;
    tg_rc rc = field_pick(&r->in, at, value, inner, 2, m);

    if (rc == TG_OK)
        rc = field_string_needed(&r->in, at, inner[0], &m[0], &word);
    if (rc == TG_OK)
        rc = read_mode(r, &mode_at, word, false);
    if (rc != TG_OK)
        return rc;
    if (!field_has(&m[1]))
        return field_refuse_missing(&r->in, at, inner[1]);
    if (json_array(&it, m[1].value) != TG_OK)
        return field_refuse_type(&r->in, &tools_at, "an array", m[1].kind);
    for (t = r->req->tools; t; t = t->next)
        t->allowed = false;
    for (; json_next(&it, &one); elem.index++) {
        if (elem.index == TOOLS_MAX)
            return field_refuse(&r->in, &tools_at, "invalid_value", "at most %d tools",
                                TOOLS_MAX);
        rc = find_tool(r, &elem, one.value, &t);
        if (rc != TG_OK)
            return rc;
        t->allowed = true;
    }
    if (elem.index == 0)
        return field_refuse(&r->in, &tools_at, "empty_array", "at least one tool is needed");
    return TG_OK;
}

tg_rc
responses_read_tool_choice(struct responses_reader *r, const struct json_member *choice)
{
    struct field_at at = {NULL, "tool_choice", 0};
    struct str word = {NULL, 0};
    struct json_member type;
    struct ir_tool *t = NULL;
    tg_rc rc;

    if (!field_has(choice))
        return TG_OK;
    r->req->tool_choice_said = true;
    if (choice->kind == JSON_STRING) {
        rc = field_string(&r->in, &at, choice, &word);
        if (rc == TG_OK)
            rc = read_mode(r, &at, word, true);
    } else if (choice->kind == JSON_OBJECT && json_get(choice->value, STR("type"), &type) &&
               str_eq(type.value, STR("\"allowed_tools\""))) {
        rc = read_allowed(r, &at, choice->value);
    } else {
        rc = find_tool(r, &at, choice->value, &t);
        if (rc == TG_OK && t) {
            r->req->tool_choice = IR_CHOICE_NAMED;
            r->req->tool_name = t->name;
        }
    }
    if (rc == TG_OK && !r->req->tools && r->req->tool_choice == IR_CHOICE_REQUIRED)
        rc = field_refuse(&r->in, &at, "invalid_value", "only allowed together with 'tools'");
    return rc;
}
