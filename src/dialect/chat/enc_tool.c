/* enc_tool.c -- tools of a request for a Chat upstream.
 *
 * Functions and free-form tools have forms of their own.  Of what a provider runs the dialect
 * has the search of the web alone, as an option of the whole request; the rest is passed over
 * and said, unless the request insists on it.
 */
#include "dialect/chat/enc_int.h"

/* {"type":"grammar","syntax":...,"definition":...} has one level more here. */
static void
put_format(struct json_out *o, struct str flat)
{
    static const char *const inner[] = {"definition", "syntax"};
    struct json_member m;

    if (!json_get(flat, STR("syntax"), &m)) {
        json_kv_raw(o, "format", flat);
        return;
    }
    json_key(o, "format");
    json_open(o, '{');
    json_kv_str(o, "type", STR("grammar"));
    json_key(o, "grammar");
    json_open(o, '{');
    for (size_t i = 0; i < CHAT_COUNT(inner); i++)
        if (json_get(flat, str_z(inner[i]), &m))
            json_kv_raw(o, inner[i], m.value);
    json_close(o);
    json_close(o);
}

static void
put_tool(struct chat_out *out, const struct ir_tool *t)
{
    struct json_out *o = &out->o;

    json_open(o, '{');
    json_kv_str(o, "type", t->freeform ? STR("custom") : STR("function"));
    json_key(o, t->freeform ? "custom" : "function");
    json_open(o, '{');
    json_kv_str(o, "name", t->name);
    if (t->description.n)
        json_kv_str(o, "description", t->description);
    if (t->freeform && t->grammar.n)
        put_format(o, t->grammar);
    if (!t->freeform && t->schema.n)
        json_kv_raw(o, "parameters", t->schema);
    if (!t->freeform && t->strict != IR_UNSAID)
        json_kv_bool(o, "strict", t->strict == IR_YES);
    json_close(o);
    json_close(o);
}

static void
put_named(struct chat_out *out, const struct ir_tool *t)
{
    json_open(&out->o, '{');
    json_kv_str(&out->o, "type", t->freeform ? STR("custom") : STR("function"));
    json_key(&out->o, t->freeform ? "custom" : "function");
    json_open(&out->o, '{');
    json_kv_str(&out->o, "name", t->name);
    json_close(&out->o);
    json_close(&out->o);
}

/* Is there a choice that bars some of the tools?  Where none is marked, there is none. */
static bool
has_barred(const struct ir_req *req)
{
    bool allowed = false, barred = false;

    for (const struct ir_tool *t = req->tools; t; t = t->next) {
        allowed |= t->allowed;
        barred |= !t->allowed;
    }
    return allowed && barred;
}

/* Is there one among the allowed that can be named? */
static bool
has_allowed(const struct ir_req *req)
{
    for (const struct ir_tool *t = req->tools; t; t = t->next)
        if (t->allowed && !t->hosted_by)
            return true;
    return false;
}

static void
put_allowed(struct chat_out *out)
{
    json_key(&out->o, "tool_choice");
    json_open(&out->o, '{');
    json_kv_str(&out->o, "type", STR("allowed_tools"));
    json_key(&out->o, "allowed_tools");
    json_open(&out->o, '{');
    json_kv_str(&out->o, "mode",
                out->req->tool_choice == IR_CHOICE_REQUIRED ? STR("required") : STR("auto"));
    json_key(&out->o, "tools");
    json_open(&out->o, '[');
    for (const struct ir_tool *t = out->req->tools; t; t = t->next)
        if (t->allowed && !t->hosted_by)
            put_named(out, t);
    json_close(&out->o);
    json_close(&out->o);
    json_close(&out->o);
}

static tg_rc
put_choice(struct chat_out *out)
{
    const struct ir_req *req = out->req;
    const struct ir_tool *t = req->tools;

    switch (req->tool_choice) {
    case IR_CHOICE_NAMED:
        while (t && (t->hosted_by || !str_eq(t->name, req->tool_name)))
            t = t->next;
        if (!t)
            return chat_refuse(out, STR("tool_choice"),
                               "the upstream's dialect has no tool of that kind");
        json_key(&out->o, "tool_choice");
        put_named(out, t);
        return TG_OK;
    case IR_CHOICE_NONE:
        json_kv_str(&out->o, "tool_choice", STR("none"));
        return TG_OK;
    case IR_CHOICE_AUTO:
    case IR_CHOICE_REQUIRED:
        break;
    }
    if (has_barred(req) && has_allowed(req))
        put_allowed(out);
    else if (has_barred(req) && req->tool_choice == IR_CHOICE_REQUIRED)
        return chat_refuse(out, STR("tool_choice"),
                           "none of the allowed tools can be offered by the upstream");
    else if (has_barred(req))
        json_kv_str(&out->o, "tool_choice", STR("none"));
    else if (req->tool_choice == IR_CHOICE_REQUIRED)
        json_kv_str(&out->o, "tool_choice", STR("required"));
    else if (req->tool_choice_said)
        json_kv_str(&out->o, "tool_choice", STR("auto"));
    return TG_OK;
}

/* A tool that the provider runs. */
static tg_rc
put_hosted(struct chat_out *out, const struct ir_tool *t, unsigned i)
{
    if (chat_is_search(t) && out->route->caps.web_search)
        return chat_put_search(out, t, i);
    if (chat_came_as(out, dialect_chat.name))
        return chat_drop(out, STR("web_search_options"));
    return chat_drop(out, arena_printf(out->a, "tools.%u", i));
}

static tg_rc
put_parallel(struct chat_out *out)
{
    if (out->req->parallel_calls)
        return TG_OK;
    if (out->route->caps.parallel_calls) {
        json_kv_bool(&out->o, "parallel_tool_calls", false);
        return TG_OK;
    }
    /* Who asks with "functions" has not asked for this. */
    if (chat_is_legacy(out->req))
        return TG_OK;
    return chat_drop(out, chat_said(out, "parallel_tool_calls", "parallel_tool_calls",
                                    "tool_choice.disable_parallel_tool_use"));
}

tg_rc
chat_put_tools(struct chat_out *out)
{
    unsigned n = 0, i = 0;
    tg_rc rc = TG_OK;

    for (const struct ir_tool *t = out->req->tools; t && rc == TG_OK; t = t->next) {
        if (t->cache_ttl.n)
            rc = chat_drop(out, STR("cache_control"));
        if (t->hosted_by)
            continue;
        if (n++ == 0) {
            json_key(&out->o, "tools");
            json_open(&out->o, '[');
        }
        put_tool(out, t);
    }
    if (n)
        json_close(&out->o);
    for (const struct ir_tool *t = out->req->tools; t && rc == TG_OK; t = t->next, i++)
        if (t->hosted_by)
            rc = put_hosted(out, t, i);
    if (rc != TG_OK)
        return rc;
    if (n == 0) {
        if (out->req->tool_choice == IR_CHOICE_NAMED ||
            out->req->tool_choice == IR_CHOICE_REQUIRED)
            return chat_refuse(out, STR("tool_choice"),
                               "none of the tools can be offered by the upstream");
        return TG_OK;
    }
    rc = put_choice(out);
    return rc == TG_OK ? put_parallel(out) : rc;
}
