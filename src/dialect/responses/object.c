/* object.c -- the response object: what was asked for, and what came of it.
 *
 * It stands in the first two records of a stream, in the last one, and is the whole answer
 * where nothing is streamed.  Strict clients want every key, so all are always there, with the
 * dialect's default where the request said nothing.  Nothing is stored yet, and the object says
 * so.
 *
 * What it repeats of the request is bounded: a list of tools or instructions past ECHO_MAX is
 * left out, because they stand in it three times a stream.
 */
#include "dialect/responses/responses_int.h"

#include <stdio.h>

#include "dialect/openai.h"

enum { ECHO_MAX = 256 << 10 };

/* The request of a client that is not known, or speaks another dialect: nothing was said. */
static const struct ir_req *
request(const struct dialect_enc *e)
{
    static const struct ir_req none = {.parallel_calls = true,
                                       .max_tokens = -1,
                                       .seed = -1,
                                       .choices = 1,
                                       .top_logprobs = -1,
                                       .think_budget = -1};

    return e->req ? e->req : &none;
}

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

static void
put_tool(struct json_out *o, const struct ir_tool *t)
{
    struct str name = t->space.n ? str_from(t->name, t->space.n + 2) : t->name;

    json_open(o, '{');
    json_kv_str(o, "type", t->freeform ? STR("custom") : STR("function"));
    json_kv_str(o, "name", name);
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
        json_kv_str(o, "name", t->name);
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
    static const char *const efforts[] = {
        [IR_EFFORT_UNSAID] = "",         [IR_EFFORT_NONE] = "none",
        [IR_EFFORT_MINIMAL] = "minimal", [IR_EFFORT_LOW] = "low",
        [IR_EFFORT_MEDIUM] = "medium",   [IR_EFFORT_HIGH] = "high",
        [IR_EFFORT_XHIGH] = "xhigh",     [IR_EFFORT_MAX] = "max"};

    json_key(o, "reasoning");
    json_open(o, '{');
    kv_or_null(o, "effort", str_z(efforts[req->effort]));
    kv_or_null(o, "summary", req->think_summary);
    json_close(o);
}

/* What the request asked for. */
static void
put_echo(struct json_out *o, const struct ir_req *req)
{
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

static int64_t
known(int64_t v)
{
    return v < 0 ? 0 : v;
}

/* Figures that are not known are zeroes: clients require each one as a number. */
static void
put_usage(struct json_out *o, const struct ir_usage *u)
{
    json_key(o, "usage");
    json_open(o, '{');
    json_kv_int(o, "input_tokens", known(u->input));
    json_key(o, "input_tokens_details");
    json_open(o, '{');
    json_kv_int(o, "cached_tokens", known(u->cached));
    json_kv_int(o, "cache_write_tokens", known(u->cache_write));
    json_close(o);
    json_kv_int(o, "output_tokens", known(u->output));
    json_key(o, "output_tokens_details");
    json_open(o, '{');
    json_kv_int(o, "reasoning_tokens", known(u->reasoning));
    json_close(o);
    json_kv_int(o, "total_tokens", known(u->input) + known(u->output));
    json_close(o);
}

/* The words that clients act on; for what only we or the upstream can mend there is one. */
static struct str
error_code(const struct tg_err *err)
{
    const char *code;

    switch (err->kind) {
    case TG_ERR_NONE:
    case TG_ERR_TIMEOUT:
    case TG_ERR_UPSTREAM:
    case TG_ERR_INTERNAL:
        return STR("server_error");
    default:
        code = openai_error_code(err);
        return code ? str_z(code) : STR("invalid_prompt");
    }
}

static void
put_failure(struct json_out *o, const struct tg_err *err)
{
    char wait[64];

    json_key(o, "error");
    json_open(o, '{');
    json_kv_str(o, "code", error_code(err));
    json_key(o, "message");
    json_str_open(o);
    json_str_part(o, str_z(err->msg[0] ? err->msg : "the answer broke"));
    if (err->retry_after_ms > 0) {
        /* One client reads the delay out of these words and out of nothing else. */
        int n = snprintf(wait, sizeof wait, " Please try again in %lldms.",
                         (long long)err->retry_after_ms);

        json_str_part(o, str_of(wait, n > 0 ? (size_t)n : 0));
    }
    json_str_close(o);
    json_close(o);
}

static void
put_output(struct json_out *o, const struct responses_enc *st)
{
    const struct responses_item *it = st->items;

    json_key(o, "output");
    json_open(o, '[');
    for (unsigned i = 0; i < st->n_items; i++, it = it->next)
        responses_put_item(o, it, false);
    json_close(o);
}

enum responses_status
responses_status_of(enum ir_stop stop)
{
    return stop == IR_STOP_LENGTH || stop == IR_STOP_FILTER ? RESPONSES_INCOMPLETE
                                                            : RESPONSES_COMPLETED;
}

void
responses_put_object(struct json_out *o, const struct dialect_enc *e,
                     const struct responses_enc *st, enum responses_status status,
                     const struct tg_err *err)
{
    static const char *const words[] = {
        [RESPONSES_IN_PROGRESS] = "in_progress",
        [RESPONSES_COMPLETED] = "completed",
        [RESPONSES_INCOMPLETE] = "incomplete",
        [RESPONSES_FAILED] = "failed",
    };

    json_open(o, '{');
    json_kv_str(o, "id", e->id);
    json_kv_str(o, "object", STR("response"));
    json_kv_int(o, "created_at", e->created);
    json_kv_str(o, "status", str_z(words[status]));
    json_kv_bool(o, "background", false);
    json_kv_null(o, "completed_at");
    if (status == RESPONSES_FAILED)
        put_failure(o, err);
    else
        json_kv_null(o, "error");
    json_key(o, "incomplete_details");
    if (status == RESPONSES_INCOMPLETE) {
        json_open(o, '{');
        json_kv_str(o, "reason",
                    st->stop == IR_STOP_FILTER ? STR("content_filter")
                                               : STR("max_output_tokens"));
        json_close(o);
    } else {
        json_null(o);
    }
    json_kv_str(o, "model", e->model);
    put_output(o, st);
    put_echo(o, request(e));
    if (status == RESPONSES_IN_PROGRESS || status == RESPONSES_FAILED)
        json_kv_null(o, "usage");
    else
        put_usage(o, &e->usage);
    json_close(o);
}
