/* up_tool.c -- tools and their choice written for a Responses upstream.
 *
 * A function that says nothing about strictness says so here as strict:false, because this
 * dialect's silence means "try strict" and the others' does not.  Tools that a provider runs go
 * to providers that know them; searching the web is the one that every dialect can ask for: a
 * Chat client's wish has this dialect's form already, Messages has words of its own for it.
 */
#include "dialect/responses/up_int.h"
#include "ir/turn.h"
#include "json/scan.h"

static void
write_function(struct responses_writer *w, const struct ir_tool *t)
{
    struct json_out *o = &w->o;

    json_open(o, '{');
    json_kv_str(o, "type", t->freeform ? STR("custom") : STR("function"));
    json_kv_str(o, "name", t->name);
    if (t->description.n)
        json_kv_str(o, "description", t->description);
    if (t->freeform) {
        if (t->grammar.n)
            json_kv_raw(o, "format", t->grammar);
    } else {
        json_kv_raw(o, "parameters",
                    t->schema.n ? t->schema : STR("{\"type\":\"object\",\"properties\":{}}"));
        json_kv_bool(o, "strict", t->strict == IR_YES);
    }
    json_close(o);
}

static bool
is_search(const struct ir_tool *t)
{
    return t->hosted_by && str_starts(t->name, STR("web_search"));
}

static bool
is_foreign_search(const struct ir_tool *t)
{
    return is_search(t) && strcmp(t->hosted_by, "messages") == 0;
}

/* Does this tool reach the upstream? */
static bool
is_sent(const struct responses_writer *w, const struct ir_tool *t)
{
    if (!t->hosted_by)
        return true;
    if (is_search(t) && !w->route->caps.web_search)
        return false;
    return responses_is_own(t->hosted_by) || is_foreign_search(t);
}

/* One that does not, in the client's words; what the request insists on is refused. */
static tg_rc
drop_tool(struct responses_writer *w, const struct ir_tool *t, unsigned index)
{
    if (w->req->tool_choice == IR_CHOICE_NAMED && str_eq(t->name, w->req->tool_name))
        return tg_refuse(w->err, "unsupported_parameter", "tool_choice",
                         "'tool_choice': the upstream does not have this tool");
    if (is_search(t) && responses_came_as(w, "chat"))
        return responses_drop(w, "web_search_options");
    return responses_drop(w, "tools.%u", index);
}

static tg_rc
write_search(struct responses_writer *w, const struct ir_tool *t, unsigned index)
{
    struct json_out *o = &w->o;
    struct json_member m;
    tg_rc rc = TG_OK;

    json_open(o, '{');
    json_kv_str(o, "type", STR("web_search"));
    if (json_get(t->raw, STR("allowed_domains"), &m) && m.kind == JSON_ARRAY) {
        json_key(o, "filters");
        json_open(o, '{');
        json_kv_raw(o, "allowed_domains", m.value);
        json_close(o);
    }
    if (json_get(t->raw, STR("user_location"), &m) && m.kind == JSON_OBJECT)
        json_kv_raw(o, "user_location", m.value);
    json_close(o);
    if (json_get(t->raw, STR("blocked_domains"), &m) && m.kind == JSON_ARRAY)
        rc = responses_drop(w, "tools.%u.blocked_domains", index);
    if (rc == TG_OK && json_get(t->raw, STR("max_uses"), &m) && m.kind == JSON_NUMBER)
        rc = responses_drop(w, "tools.%u.max_uses", index);
    return rc;
}

static tg_rc
write_tool(struct responses_writer *w, const struct ir_tool *t, unsigned index)
{
    tg_rc rc = TG_OK;

    if (t->cache_ttl.n)
        rc = responses_drop(w, "tools.%u.cache_control", index);
    if (rc != TG_OK)
        return rc;
    if (!is_sent(w, t))
        return drop_tool(w, t, index);
    if (!t->hosted_by)
        write_function(w, t);
    else if (is_foreign_search(t))
        return write_search(w, t, index);
    else
        json_raw(&w->o, t->raw);
    return TG_OK;
}

static void
write_choice_of(struct json_out *o, const struct ir_tool *t)
{
    json_open(o, '{');
    if (t->hosted_by) {
        json_kv_str(o, "type", is_foreign_search(t) ? STR("web_search") : t->name);
    } else {
        json_kv_str(o, "type", t->freeform ? STR("custom") : STR("function"));
        json_kv_str(o, "name", t->name);
    }
    json_close(o);
}

static tg_rc
write_choice(struct responses_writer *w)
{
    static const char *const modes[] = {[IR_CHOICE_AUTO] = "auto",
                                        [IR_CHOICE_NONE] = "none",
                                        [IR_CHOICE_REQUIRED] = "required",
                                        [IR_CHOICE_NAMED] = "required"};
    const struct ir_req *req = w->req;
    const struct ir_tool *t, *named = NULL;
    struct json_out *o = &w->o;
    bool all = true, any = false;

    for (t = req->tools; t; t = t->next) {
        all = all && (t->allowed || !is_sent(w, t));
        any = any || (t->allowed && is_sent(w, t));
        if (is_sent(w, t) && str_eq(t->name, req->tool_name))
            named = t;
    }
    if (req->tool_choice == IR_CHOICE_AUTO && all && !req->tool_choice_said)
        return TG_OK;
    json_key(o, "tool_choice");
    if (req->tool_choice == IR_CHOICE_NAMED && named) {
        write_choice_of(o, named);
        return TG_OK;
    }
    if (all || req->tool_choice == IR_CHOICE_NONE) {
        json_str(o, str_z(modes[req->tool_choice]));
        return TG_OK;
    }
    if (!any && req->tool_choice == IR_CHOICE_AUTO) {
        json_str(o, STR("none"));
        return TG_OK;
    }
    if (!any)
        return tg_refuse(w->err, "unsupported_parameter", "tool_choice",
                         "'tool_choice': the upstream has none of the allowed tools");
    json_open(o, '{');
    json_kv_str(o, "type", STR("allowed_tools"));
    json_kv_str(o, "mode", str_z(modes[req->tool_choice]));
    json_key(o, "tools");
    json_open(o, '[');
    for (t = req->tools; t; t = t->next)
        if (t->allowed && is_sent(w, t))
            write_choice_of(o, t);
    json_close(o);
    json_close(o);
    return TG_OK;
}

/* None of the tools goes along. */
static tg_rc
check_no_tools(struct responses_writer *w)
{
    if (w->req->tool_choice != IR_CHOICE_REQUIRED && w->req->tool_choice != IR_CHOICE_NAMED)
        return TG_OK;
    return tg_refuse(w->err, "unsupported_parameter", "tool_choice",
                     "'tool_choice': the upstream has none of the tools");
}

tg_rc
responses_write_tools(struct responses_writer *w)
{
    unsigned index = 0, sent = 0;
    tg_rc rc = TG_OK;

    for (const struct ir_tool *t = w->req->tools; t; t = t->next)
        sent += is_sent(w, t);
    if (sent) {
        json_key(&w->o, "tools");
        json_open(&w->o, '[');
    }
    for (const struct ir_tool *t = w->req->tools; t && rc == TG_OK; t = t->next)
        rc = write_tool(w, t, index++);
    if (rc != TG_OK)
        return rc;
    if (!sent)
        return check_no_tools(w);
    json_close(&w->o);
    rc = write_choice(w);
    if (rc != TG_OK || w->req->parallel_calls)
        return rc;
    if (!w->route->caps.parallel_calls && ir_one_call_form(w->req))
        return TG_OK;
    if (!w->route->caps.parallel_calls)
        return responses_drop(w, "%s",
                              responses_word(w, "parallel_tool_calls", "parallel_tool_calls",
                                             "tool_choice.disable_parallel_tool_use"));
    json_kv_bool(&w->o, "parallel_tool_calls", false);
    return TG_OK;
}
