/* echo.c -- what the response object repeats of the request.
 *
 * Nothing is stored, and the object says so.  What is repeated is bounded: a list of tools or
 * instructions past ECHO_MAX is left out, because they stand in an answer three times.
 */
#include "dialect/responses/enc_int.h"

enum { ECHO_MAX = 256 << 10 };

static void
kv_or_null(struct json_out *o, const char *key, struct str text)
{
    if (text.n)
        json_kv_str(o, key, text);
    else
        json_kv_null(o, key);
}

static void
kv_raw_or(struct json_out *o, const char *key, struct str raw, struct str other)
{
    json_kv_raw(o, key, raw.n ? raw : other);
}

/* A field that only this dialect has, as it came. */
static void
put_ext(struct json_out *o, const struct ir_req *req, const char *key, struct str other)
{
    const struct ir_ext *x = req->ext;

    while (x && !str_eq(x->name, str_z(key)))
        x = x->next;
    json_kv_raw(o, key, x ? x->value : other);
}

static void
put_instructions(struct json_out *o, const struct ir_req *req)
{
    const struct ir_msg *m = req->msgs;

    if (m && m->instructions && m->blocks && m->blocks->text.n <= ECHO_MAX)
        json_kv_str(o, "instructions", m->blocks->text);
    else
        json_kv_null(o, "instructions");
}

/* Inside its namespace. */
static struct str
own_name(const struct ir_tool *t)
{
    return t->space.n ? str_from(t->name, t->space.n + 2) : t->name;
}

static void
put_tool(struct json_out *o, const struct ir_tool *t)
{
    json_open(o, '{');
    json_kv_str(o, "type", t->freeform ? STR("custom") : STR("function"));
    json_kv_str(o, "name", own_name(t));
    if (t->description.n || !t->freeform)
        kv_or_null(o, "description", t->description);
    if (t->freeform) {
        kv_raw_or(o, "format", t->grammar, STR("{\"type\":\"text\"}"));
    } else {
        kv_raw_or(o, "parameters", t->schema, STR("null"));
        if (t->strict == IR_UNSAID)
            json_kv_null(o, "strict");
        else
            json_kv_bool(o, "strict", t->strict == IR_YES);
    }
    json_close(o);
}

/* Neighbours of one namespace are one entry. */
static const struct ir_tool *
put_space(struct json_out *o, const struct ir_tool *t)
{
    struct str space = t->space;

    json_open(o, '{');
    json_kv_str(o, "type", STR("namespace"));
    json_kv_str(o, "name", space);
    json_kv_str(o, "description", STR(""));
    json_key(o, "tools");
    json_open(o, '[');
    for (; t && !t->hosted_by && str_eq(t->space, space); t = t->next)
        put_tool(o, t);
    json_close(o);
    json_close(o);
    return t;
}

static void
put_tools(struct json_out *o, const struct ir_req *req)
{
    const struct ir_tool *t;
    size_t n = 0;

    for (t = req->tools; t; t = t->next)
        n += t->description.n + t->schema.n + t->grammar.n + t->raw.n;
    json_key(o, "tools");
    json_open(o, '[');
    t = n <= ECHO_MAX ? req->tools : NULL;
    while (t) {
        if (t->space.n && !t->hosted_by) {
            t = put_space(o, t);
            continue;
        }
        if (!t->hosted_by)
            put_tool(o, t);
        else if (responses_is_own(t->hosted_by))
            json_raw(o, t->raw);
        t = t->next;
    }
    json_close(o);
}

static void
put_choice_of(struct json_out *o, const struct ir_tool *t)
{
    json_open(o, '{');
    if (t->hosted_by) {
        json_kv_str(o, "type", t->name);
    } else {
        json_kv_str(o, "type", t->freeform ? STR("custom") : STR("function"));
        json_kv_str(o, "name", own_name(t));
        if (t->space.n)
            json_kv_str(o, "namespace", t->space);
    }
    json_close(o);
}

static void
put_tool_choice(struct json_out *o, const struct ir_req *req)
{
    static const char *const modes[] = {[IR_CHOICE_AUTO] = "auto",
                                        [IR_CHOICE_NONE] = "none",
                                        [IR_CHOICE_REQUIRED] = "required",
                                        [IR_CHOICE_NAMED] = "required"};
    const struct ir_tool *t = req->tools;
    bool all = true;

    json_key(o, "tool_choice");
    if (req->tool_choice == IR_CHOICE_NAMED) {
        while (t && !str_eq(t->name, req->tool_name))
            t = t->next;
        if (t)
            put_choice_of(o, t);
        else
            json_str(o, STR("required"));
        return;
    }
    for (; t; t = t->next)
        all = all && t->allowed;
    if (all || req->tool_choice == IR_CHOICE_NONE) {
        json_str(o, str_z(modes[req->tool_choice]));
        return;
    }
    json_open(o, '{');
    json_kv_str(o, "type", STR("allowed_tools"));
    json_kv_str(o, "mode", str_z(modes[req->tool_choice]));
    json_key(o, "tools");
    json_open(o, '[');
    for (t = req->tools; t; t = t->next)
        if (t->allowed)
            put_choice_of(o, t);
    json_close(o);
    json_close(o);
}

static void
put_text(struct json_out *o, const struct ir_req *req)
{
    json_key(o, "text");
    json_open(o, '{');
    json_key(o, "format");
    json_open(o, '{');
    if (req->format_schema.n) {
        json_kv_str(o, "type", STR("json_schema"));
        json_kv_str(o, "name", req->format_name.n ? req->format_name : STR("response"));
        kv_or_null(o, "description", req->format_description);
        json_kv_raw(o, "schema", req->format_schema);
        json_kv_bool(o, "strict", req->format_strict == IR_YES);
    } else {
        json_kv_str(o, "type", req->format_json ? STR("json_object") : STR("text"));
    }
    json_close(o);
    json_kv_str(o, "verbosity", req->verbosity.n ? req->verbosity : STR("medium"));
    json_close(o);
}

static void
put_reasoning(struct json_out *o, const struct ir_req *req)
{
    json_key(o, "reasoning");
    json_open(o, '{');
    kv_or_null(o, "effort", str_z(responses_efforts[req->effort]));
    kv_or_null(o, "summary", req->think_summary);
    json_close(o);
}

void
responses_put_echo(struct json_out *o, const struct ir_req *req)
{
    static const struct ir_req none = {.parallel_calls = true,
                                       .max_tokens = -1,
                                       .seed = -1,
                                       .choices = 1,
                                       .top_logprobs = -1,
                                       .think_budget = -1};

    if (!req)
        req = &none;
    put_instructions(o, req);
    if (req->max_tokens >= 0)
        json_kv_int(o, "max_output_tokens", req->max_tokens);
    else
        json_kv_null(o, "max_output_tokens");
    put_ext(o, req, "max_tool_calls", STR("null"));
    kv_raw_or(o, "metadata", req->metadata, STR("{}"));
    json_kv_bool(o, "parallel_tool_calls", req->parallel_calls);
    json_kv_null(o, "previous_response_id");
    json_kv_null(o, "conversation");
    json_kv_null(o, "prompt");
    kv_or_null(o, "prompt_cache_key", req->cache_key);
    put_ext(o, req, "prompt_cache_retention", STR("null"));
    put_reasoning(o, req);
    kv_or_null(o, "safety_identifier", req->user);
    json_kv_str(o, "service_tier", req->service_tier.n ? req->service_tier : STR("default"));
    json_kv_bool(o, "store", false);
    kv_raw_or(o, "temperature", req->temperature, STR("1.0"));
    kv_raw_or(o, "presence_penalty", req->presence_penalty, STR("0"));
    kv_raw_or(o, "frequency_penalty", req->frequency_penalty, STR("0"));
    put_text(o, req);
    put_tool_choice(o, req);
    put_tools(o, req);
    json_kv_int(o, "top_logprobs", req->top_logprobs < 0 ? 0 : req->top_logprobs);
    kv_raw_or(o, "top_p", req->top_p, STR("1.0"));
    put_ext(o, req, "truncation", STR("\"disabled\""));
    json_kv_null(o, "user");
    json_kv_null(o, "access_programs");
}
