/* tool.c -- tools and tool_choice of a Messages request.
 *
 * Three sorts of tool: the client's own, with a schema; those whose schema Anthropic published
 * and the client runs (bash, text editor, memory), which go to other dialects as functions with
 * that schema; and those that the provider runs, which only their raw definition describes.
 */
#include "dialect/messages/messages_int.h"

/* Tools are looked up by name one by one, so their number is bounded. */
enum { TOOLS_MAX = 1024 };

#define OBJECT(props, needed)                                                                  \
    "{\"type\":\"object\",\"properties\":{" props "},\"required\":[" needed "]}"
#define P_STRING(name)  "\"" name "\":{\"type\":\"string\"}"
#define P_INTEGER(name) "\"" name "\":{\"type\":\"integer\"}"
#define P_RANGE(name)                                                                          \
    "\"" name "\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"},"                       \
    "\"minItems\":2,\"maxItems\":2}"
#define P_COMMAND(words) "\"command\":{\"type\":\"string\",\"enum\":[" words "]}"

/* Published tools by the beginning of their type, which ends in a date. */
static const struct {
    const char *type, *description, *schema;
} published[] = {
    {"bash_", "Run a command in a shell that keeps its state; restart begins a new one.",
     OBJECT(P_STRING("command") ",\"restart\":{\"type\":\"boolean\"}", "")},
    {"text_editor_", "View, create and edit text files.",
     OBJECT(
         P_COMMAND("\"view\",\"create\",\"str_replace\",\"insert\"") "," P_STRING("path") "," P_STRING("file_text") "," P_STRING(
             "old_str") "," P_STRING("new_str") "," P_INTEGER("insert_line") "," P_STRING("inse"
                                                                                          "rt_"
                                                                                          "tex"
                                                                                          "t") "," P_RANGE("view_range"),
         "\"command\",\"path\"")},
    {"memory_", "View, create and edit files of a memory directory that outlives the session.",
     OBJECT(
         P_COMMAND(
             "\"view\",\"create\",\"str_replace\",\"insert\",\"delete\","
             "\"rename\"") "," P_STRING("path") "," P_STRING("file_text") "," P_STRING("old_"
                                                                                       "str") "," P_STRING("new_str") "," P_INTEGER("insert_line") "," P_STRING("insert_text") "," P_RANGE("view_range") "," P_STRING("old_path") "," P_STRING("new_path"),
         "\"command\"")},
};

static tg_rc
read_custom(struct messages_dec *d, const struct field_at *at, struct str tool,
            struct ir_tool *t)
{
    /* eager_input_streaming asks how arguments are cut into pieces: nothing is lost with it. */
    static const char *const keys[] = {
        "name",          "description", "input_schema",         "strict",
        "cache_control", "type",        "eager_input_streaming"};
    struct field_at description = {at, keys[1], 0}, schema = {at, keys[2], 0};
    struct field_at strict_at = {at, keys[3], 0};
    struct json_member m[MESSAGES_COUNT(keys)];
    bool strict = false;
    tg_rc rc = messages_pick(d, at, tool, keys, MESSAGES_COUNT(keys), m);

    if (rc == TG_OK)
        rc = field_string_needed(&d->in, at, keys[0], &m[0], &t->name);
    if (rc == TG_OK)
        rc = field_string(&d->in, &description, &m[1], &t->description);
    if (rc == TG_OK)
        rc = field_bool(&d->in, &strict_at, &m[3], &strict);
    if (rc == TG_OK && field_has(&m[3]))
        t->strict = strict ? IR_YES : IR_NO;
    if (rc == TG_OK && !field_has(&m[2]))
        rc = field_refuse_missing(&d->in, at, keys[2]);
    else if (rc == TG_OK && m[2].kind != JSON_OBJECT)
        rc = field_refuse_type(&d->in, &schema, "an object", m[2].kind);
    if (rc != TG_OK)
        return rc;
    t->schema = m[2].value;
    return messages_read_cache(d, at, &m[4], &t->cache_ttl);
}

static tg_rc
read_hosted(struct messages_dec *d, const struct field_at *at, struct str type, struct str tool,
            struct ir_tool *t)
{
    static const char *const keys[] = {"name", "cache_control"};
    struct field_at name_at = {at, keys[0], 0};
    struct json_member m[2];
    tg_rc rc = field_pick(&d->in, at, tool, keys, 2, m);

    t->hosted_by = MESSAGES_NAME;
    t->raw = tool;
    t->name = type;
    for (size_t i = 0; rc == TG_OK && i < MESSAGES_COUNT(published); i++) {
        if (!str_starts(type, str_z(published[i].type)))
            continue;
        rc = field_string_needed(&d->in, at, keys[0], &m[0], &t->name);
        t->description = str_z(published[i].description);
        t->schema = str_z(published[i].schema);
        return rc == TG_OK ? messages_read_cache(d, at, &m[1], &t->cache_ttl) : rc;
    }
    if (rc == TG_OK && field_has(&m[0]) && m[0].kind != JSON_STRING)
        rc = field_refuse_type(&d->in, &name_at, "a string", m[0].kind);
    return rc;
}

static tg_rc
read_tool(struct messages_dec *d, const struct field_at *at, const struct json_member *tool,
          struct ir_tool *t)
{
    static const char *const keys[] = {"type"};
    struct field_at type_at = {at, keys[0], 0};
    struct str type = {NULL, 0};
    struct json_member m;
    tg_rc rc = field_pick(&d->in, at, tool->value, keys, 1, &m);

    if (rc == TG_OK)
        rc = field_string(&d->in, &type_at, &m, &type);
    if (rc != TG_OK)
        return rc;
    t->allowed = true;
    if (type.n == 0 || str_eq(type, STR("custom")))
        return read_custom(d, at, tool->value, t);
    return read_hosted(d, at, type, tool->value, t);
}

tg_rc
messages_read_tools(struct messages_dec *d, const struct json_member *tools)
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

/* The tool that a choice names: a provider's tool goes by its type inside. */
static const struct ir_tool *
find_tool(struct messages_dec *d, struct str name)
{
    struct str own;

    for (const struct ir_tool *t = d->req->tools; t; t = t->next) {
        if (str_eq(t->name, name))
            return t;
        own = t->hosted_by ? messages_text(d->in.a, t->raw, "name") : t->name;
        if (str_eq(own, name))
            return t;
    }
    return NULL;
}

tg_rc
messages_read_choice(struct messages_dec *d, const struct json_member *choice)
{
    static const char *const keys[] = {"type", "name", "disable_parallel_tool_use"};
    static const struct {
        const char *word;
        enum ir_choice choice;
    } words[] = {{"auto", IR_CHOICE_AUTO},
                 {"any", IR_CHOICE_REQUIRED},
                 {"tool", IR_CHOICE_NAMED},
                 {"none", IR_CHOICE_NONE}};
    struct field_at at = {NULL, "tool_choice", 0}, type_at = {&at, keys[0], 0};
    struct field_at name_at = {&at, keys[1], 0}, single_at = {&at, keys[2], 0};
    struct json_member m[MESSAGES_COUNT(keys)];
    struct str type = {NULL, 0}, name = {NULL, 0};
    const struct ir_tool *tool;
    bool single = false;
    size_t i = 0;
    tg_rc rc;

    if (!field_has(choice))
        return TG_OK;
    rc = messages_pick(d, &at, choice->value, keys, MESSAGES_COUNT(keys), m);
    if (rc == TG_OK)
        rc = field_string_needed(&d->in, &at, keys[0], &m[0], &type);
    if (rc == TG_OK)
        rc = field_bool(&d->in, &single_at, &m[2], &single);
    if (rc != TG_OK)
        return rc;
    while (i < MESSAGES_COUNT(words) && !str_eq(type, str_z(words[i].word)))
        i++;
    if (i == MESSAGES_COUNT(words))
        return field_refuse(&d->in, &type_at, "invalid_value",
                            "must be one of auto, any, tool, none");
    d->req->tool_choice_said = true;
    d->req->tool_choice = words[i].choice;
    d->req->parallel_calls = !single;
    if (words[i].choice == IR_CHOICE_NAMED) {
        rc = field_string_needed(&d->in, &at, keys[1], &m[1], &name);
        if (rc != TG_OK)
            return rc;
        tool = find_tool(d, name);
        if (!tool)
            return field_refuse(&d->in, &name_at, "invalid_value", "no such tool in 'tools'");
        d->req->tool_name = tool->name;
    }
    if (words[i].choice == IR_CHOICE_REQUIRED && !d->req->tools)
        return field_refuse(&d->in, &at, "invalid_value", "only allowed together with 'tools'");
    return TG_OK;
}
