/* tool.c -- tools and tool_choice of a Chat request, and the forms that they replaced.
 *
 * Schemas stay spans of the request.  A choice of "allowed_tools" marks the tools that it names
 * and is a mode besides: an upstream that has no such choice is shown those alone.
 *
 * A tool that came in "functions" keeps its bytes in raw; that marks the request as one whose
 * answer must tell calls in the old form.
 */
#include "dialect/chat/chat_int.h"
#include "dialect/rest.h"

#include "ir/turn.h"

/* Names are looked up one by one, so their number is bounded. */
enum { TOOLS_MAX = 1024 };

/* {"type":"grammar","grammar":{...}} is flat in the internal form. */
static struct str
flat_format(struct arena *a, struct str format)
{
    struct json_member type, grammar, member;
    struct json_iter it;
    struct json_out o;
    struct str ret;
    struct buf b;

    if (!json_get(format, STR("grammar"), &grammar) || !json_get(format, STR("type"), &type) ||
        json_object(&it, grammar.value) != TG_OK)
        return format;
    buf_init(&b, format.n + 64);
    json_begin(&o, &b);
    json_open(&o, '{');
    json_kv_raw(&o, "type", type.value);
    while (json_next(&it, &member))
        if (json_key_is(member.key, STR("syntax")))
            json_kv_raw(&o, "syntax", member.value);
        else if (json_key_is(member.key, STR("definition")))
            json_kv_raw(&o, "definition", member.value);
    json_close(&o);
    ret = json_end(&o) == TG_OK ? arena_dup(a, buf_str(&b)) : format;
    buf_fini(&b);
    return ret;
}

static tg_rc
read_function(struct chat_dec *d, const struct field_at *at, struct str value,
              struct ir_tool *t)
{
    static const char *const keys[] = {"name", "description", "parameters", "strict", "format"};
    struct field_at description = {at, keys[1], 0}, parameters = {at, keys[2], 0};
    struct field_at strict_at = {at, keys[3], 0}, format = {at, keys[4], 0};
    struct json_member m[5];
    bool strict = false;
    tg_rc rc = field_pick(&d->in, at, value, keys, 5, m);

    if (rc == TG_OK)
        rc = field_string_needed(&d->in, at, keys[0], &m[0], &t->name);
    if (rc == TG_OK)
        rc = field_string(&d->in, &description, &m[1], &t->description);
    if (rc != TG_OK)
        return rc;
    rest_note(&d->in, d->req, at, value, keys, 5);
    if (t->freeform) {
        if (field_has(&m[4]) && m[4].kind != JSON_OBJECT)
            return field_refuse_type(&d->in, &format, "an object", m[4].kind);
        t->grammar = field_has(&m[4]) ? flat_format(d->in.a, m[4].value) : t->grammar;
        return TG_OK;
    }
    rc = field_bool(&d->in, &strict_at, &m[3], &strict);
    if (rc == TG_OK && field_has(&m[3]))
        t->strict = strict ? IR_YES : IR_NO;
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
    struct str type = {NULL, 0};
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
    rest_note(&d->in, d->req, at, tool->value, keys, 3);
    return read_function(d, &inner, m[1 + t->freeform].value, t);
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
        (*tail)->allowed = true;
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
    struct str type = {NULL, 0};
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
    for (struct ir_tool *t = d->req->tools; t; t = t->next)
        t->allowed = false;
    for (; json_next(&it, &tool); elem.index++) {
        if (elem.index == TOOLS_MAX)
            return field_refuse(&d->in, &tools_at, "invalid_value", "at most %d tools",
                                TOOLS_MAX);
        rc = read_named(d, &elem, tool.value, &name);
        if (rc != TG_OK)
            return rc;
        find_tool(d->req, name)->allowed = true;
    }
    if (elem.index == 0)
        return field_refuse(&d->in, &tools_at, "empty_array", "at least one tool is needed");
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
    d->req->tool_choice_said = true;
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

static tg_rc
read_function_choice(struct chat_dec *d, const struct json_member *choice)
{
    static const char *const keys[] = {"name"};
    struct field_at at = {NULL, "function_call", 0}, name_at = {&at, keys[0], 0};
    struct str word = {NULL, 0};
    struct json_member m;
    tg_rc rc;

    if (!field_has(choice))
        return TG_OK;
    d->req->tool_choice_said = true;
    if (choice->kind == JSON_STRING) {
        rc = field_string(&d->in, &at, choice, &word);
        return rc == TG_OK ? read_mode(d, &at, word, true) : rc;
    }
    rc = field_pick(&d->in, &at, choice->value, keys, 1, &m);
    if (rc == TG_OK)
        rc = field_string_needed(&d->in, &at, keys[0], &m, &d->req->tool_name);
    if (rc == TG_OK && !find_tool(d->req, d->req->tool_name))
        rc = field_refuse(&d->in, &name_at, "invalid_value",
                          "no function of that name in 'functions'");
    d->req->tool_choice = IR_CHOICE_NAMED;
    return rc;
}

tg_rc
chat_read_functions(struct chat_dec *d, const struct json_member *functions,
                    const struct json_member *choice)
{
    struct field_at at = {NULL, "functions", 0}, elem = {&at, NULL, 0};
    struct field_at choice_at = {NULL, "function_call", 0};
    struct ir_tool **tail = &d->req->tools;
    struct json_iter it;
    struct json_member m;
    tg_rc rc = TG_OK;

    if (!field_has(functions))
        return field_has(choice) ? field_refuse(&d->in, &choice_at, "invalid_value",
                                                "only allowed together with 'functions'")
                                 : TG_OK;
    if (d->req->tools)
        return field_refuse(&d->in, &at, "invalid_value",
                            "may not stand together with 'tools', which replaced it");
    if (json_array(&it, functions->value) != TG_OK)
        return field_refuse_type(&d->in, &at, "an array", functions->kind);
    for (; rc == TG_OK && json_next(&it, &m); elem.index++) {
        if (elem.index == TOOLS_MAX)
            return field_refuse(&d->in, &at, "invalid_value", "at most %d functions",
                                TOOLS_MAX);
        *tail = arena_new(d->in.a, struct ir_tool);
        (*tail)->allowed = true;
        (*tail)->raw = m.value;
        rc = read_function(d, &elem, m.value, *tail);
        tail = &(*tail)->next;
    }
    if (rc == TG_OK && elem.index == 0)
        return field_refuse(&d->in, &at, "empty_array", "at least one function is needed");
    /* The old form has room for one call in an answer. */
    d->req->parallel_calls = false;
    return rc == TG_OK ? read_function_choice(d, choice) : rc;
}

bool
chat_is_legacy(const struct ir_req *req)
{
    return ir_one_call_form(req);
}
