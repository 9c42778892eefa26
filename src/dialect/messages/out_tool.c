/* out_tool.c -- tools and tool_choice for an upstream of this dialect.
 *
 * A schema must be an object of type "object" here; one that says less gets what is missing and
 * stays otherwise as it is.  Web search is the one provider's tool that has a counterpart;
 * others stay behind, which is noted, and refused when the choice asks for one of them.  Tools
 * that take no JSON, and tools of another provider that the client runs, the hub has made into
 * functions.
 */
#include "dialect/messages/messages_int.h"

#include "ir/turn.h"

static bool
is_web_search(const struct ir_tool *t)
{
    return t->hosted_by && str_starts(t->name, STR("web_search"));
}

/* Ours, a function, or one with a counterpart. */
static bool
goes(const struct messages_out *o, const struct ir_tool *t)
{
    return !t->hosted_by || messages_own(t->hosted_by) ||
           (is_web_search(t) && o->route->caps.web_search);
}

/* The object with more members in front of its own. */
static struct str
with_members(struct arena *a, const char *more, struct str object)
{
    struct json_iter it;
    struct json_member m;
    bool any = json_object(&it, object) == TG_OK && json_next(&it, &m);

    return arena_printf(a, "{%s%s%.*s", more, any ? "," : "", (int)object.n - 1, object.p + 1);
}

static void
put_schema(struct messages_out *o, struct str schema)
{
    struct json_member m;

    if (json_kind_of(schema) != JSON_OBJECT)
        schema = STR("{}");
    if (!json_get(schema, STR("type"), &m))
        schema = with_members(o->a,
                              json_get(schema, STR("properties"), &m)
                                  ? "\"type\":\"object\""
                                  : "\"type\":\"object\",\"properties\":{}",
                              schema);
    json_kv_raw(&o->j, "input_schema", schema);
}

static void
put_function(struct messages_out *o, const struct ir_tool *t)
{
    json_open(&o->j, '{');
    json_kv_str(&o->j, "name", t->name);
    if (t->description.n)
        json_kv_str(&o->j, "description", t->description);
    put_schema(o, t->schema);
    if (t->strict == IR_YES)
        json_kv_bool(&o->j, "strict", true);
    messages_put_cache(o, t->cache_ttl);
    json_close(&o->j);
}

/* Place of a provider's tool in the client's request.  Chat has none but the search, and that
 * not among its tools. */
static struct str
place_of(struct messages_out *o, unsigned index)
{
    if (o->req->origin && strcmp(o->req->origin, "chat") == 0)
        return STR("web_search_options");
    return arena_printf(o->a, "tools.%u", index);
}

/* A search in the form that Responses has for it, in this dialect's words. */
static void
put_web_search(struct messages_out *o, const struct ir_tool *t, unsigned index)
{
    struct json_iter it;
    struct json_member m;

    json_open(&o->j, '{');
    json_kv_str(&o->j, "type", STR("web_search_20250305"));
    json_kv_str(&o->j, "name", STR("web_search"));
    if (json_path(t->raw, "filters.allowed_domains", &m) && m.kind == JSON_ARRAY)
        json_kv_raw(&o->j, "allowed_domains", m.value);
    else if (json_path(t->raw, "filters.blocked_domains", &m) && m.kind == JSON_ARRAY)
        json_kv_raw(&o->j, "blocked_domains", m.value);
    if (json_get(t->raw, STR("user_location"), &m) && m.kind == JSON_OBJECT)
        json_kv_raw(&o->j, "user_location", m.value);
    json_close(&o->j);
    if (json_object(&it, t->raw) != TG_OK)
        return;
    while (json_next(&it, &m))
        if (m.kind > JSON_NULL && !json_key_is(m.key, STR("type")) &&
            !json_key_is(m.key, STR("filters")) && !json_key_is(m.key, STR("user_location")))
            messages_drop(o, "%.*s.%.*s", STR_ARG(place_of(o, index)), STR_ARG(m.key));
}

/* The name by which this dialect calls the tool that was chosen. */
static struct str
chosen(const struct messages_out *o)
{
    struct str name = o->req->tool_name;

    for (const struct ir_tool *t = o->req->tools; t; t = t->next) {
        if (!str_eq(t->name, name))
            continue;
        if (messages_own(t->hosted_by))
            return messages_text(o->a, t->raw, "name");
        return is_web_search(t) ? STR("web_search") : name;
    }
    return name;
}

static void
put_choice(struct messages_out *o)
{
    static const char *const words[] = {[IR_CHOICE_AUTO] = "auto",
                                        [IR_CHOICE_NONE] = "none",
                                        [IR_CHOICE_REQUIRED] = "any",
                                        [IR_CHOICE_NAMED] = "tool"};
    const struct ir_req *req = o->req;
    bool single = !req->parallel_calls && req->tool_choice != IR_CHOICE_NONE;

    if (single && !o->route->caps.parallel_calls) {
        if (!ir_one_call_form(req))
            messages_drop(o, "%s",
                          messages_own(req->origin) ? "tool_choice.disable_parallel_tool_use"
                                                    : "parallel_tool_calls");
        single = false;
    }
    if (!req->tool_choice_said && req->tool_choice == IR_CHOICE_AUTO && !single)
        return;
    json_key(&o->j, "tool_choice");
    json_open(&o->j, '{');
    json_kv_str(&o->j, "type", str_z(words[req->tool_choice]));
    if (req->tool_choice == IR_CHOICE_NAMED)
        json_kv_str(&o->j, "name", chosen(o));
    if (single)
        json_kv_bool(&o->j, "disable_parallel_tool_use", true);
    json_close(&o->j);
}

void
messages_put_tools(struct messages_out *o)
{
    const struct ir_req *req = o->req;
    unsigned n = 0, i = 0;
    bool all = true;

    /* Some decoders leave them all unmarked when there is no such choice. */
    for (const struct ir_tool *t = req->tools; t; t = t->next)
        all &= !t->allowed;
    for (const struct ir_tool *t = req->tools; t; t = t->next, i++) {
        if (goes(o, t)) {
            n += all || t->allowed;
            continue;
        }
        if (req->tool_choice == IR_CHOICE_NAMED && str_eq(req->tool_name, t->name))
            messages_refuse(o, "the upstream does not have this tool", "tool_choice");
        messages_drop(o, "%.*s", STR_ARG(place_of(o, i)));
    }
    if (n == 0) {
        if (messages_choice_forced(req))
            messages_refuse(o, "the upstream has none of the tools", "tool_choice");
        return;
    }
    json_key(&o->j, "tools");
    json_open(&o->j, '[');
    i = 0;
    for (const struct ir_tool *t = req->tools; t; t = t->next, i++) {
        if (!goes(o, t) || !(all || t->allowed))
            continue;
        if (messages_own(t->hosted_by))
            json_raw(&o->j, t->raw);
        else if (is_web_search(t))
            put_web_search(o, t, i);
        else
            put_function(o, t);
    }
    json_close(&o->j);
    put_choice(o);
}
