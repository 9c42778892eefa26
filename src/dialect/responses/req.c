/* req.c -- a Responses request decoded.
 *
 * The top level is walked once: a field with a row goes to its reader, what keeps state at the
 * provider is refused by name (it would be ignored elsewhere, and the answer would be another
 * one), everything else is kept raw, so that it can be carried or named as dropped.  Fields are
 * read in the order of the rows, not of the body, because the choice of a tool is checked
 * against the tools.
 */
#include "dialect/responses/responses_int.h"

enum field {
    F_MODEL,
    F_STREAM,
    F_INSTRUCTIONS,
    F_INPUT,
    F_TOOLS,
    F_TOOL_CHOICE,
    F_PARALLEL,
    F_MAX_TOKENS,
    F_TEMPERATURE,
    F_TOP_P,
    F_PRESENCE,
    F_FREQUENCY,
    F_TOP_LOGPROBS,
    F_TEXT,
    F_REASONING,
    F_INCLUDE,
    F_METADATA,
    F_USER,
    F_SAFETY,
    F_SERVICE_TIER,
    F_CACHE_KEY,
    F_STORE,
    F_STREAM_OPTIONS,
    F_TRUNCATION,
    F_PREVIOUS,
    F_CONVERSATION,
    F_PROMPT,
    F_BACKGROUND,
    F_COUNT
};

static const char *const names[F_COUNT] = {
    [F_MODEL] = "model",
    [F_STREAM] = "stream",
    [F_INSTRUCTIONS] = "instructions",
    [F_INPUT] = "input",
    [F_TOOLS] = "tools",
    [F_TOOL_CHOICE] = "tool_choice",
    [F_PARALLEL] = "parallel_tool_calls",
    [F_MAX_TOKENS] = "max_output_tokens",
    [F_TEMPERATURE] = "temperature",
    [F_TOP_P] = "top_p",
    [F_PRESENCE] = "presence_penalty",
    [F_FREQUENCY] = "frequency_penalty",
    [F_TOP_LOGPROBS] = "top_logprobs",
    [F_TEXT] = "text",
    [F_REASONING] = "reasoning",
    [F_INCLUDE] = "include",
    [F_METADATA] = "metadata",
    [F_USER] = "user",
    [F_SAFETY] = "safety_identifier",
    [F_SERVICE_TIER] = "service_tier",
    [F_CACHE_KEY] = "prompt_cache_key",
    [F_STORE] = "store",
    [F_STREAM_OPTIONS] = "stream_options",
    [F_TRUNCATION] = "truncation",
    [F_PREVIOUS] = "previous_response_id",
    [F_CONVERSATION] = "conversation",
    [F_PROMPT] = "prompt",
    [F_BACKGROUND] = "background",
};

static void
add_ext(struct responses_reader *r, struct str name, struct str value)
{
    struct ir_ext *x = arena_new(r->in.a, struct ir_ext), **to = &r->req->ext;

    x->name = name;
    x->value = value;
    while (*to)
        to = &(*to)->next;
    *to = x;
}

/* One pass: the known fields into f, the others into the bag.  A name that stands twice counts
 * once, the last time. */
static tg_rc
pick(struct responses_reader *r, struct str body, struct json_member f[F_COUNT])
{
    enum { EXT_MAX = 64 };
    unsigned n_ext = 0;
    struct json_iter it;
    struct json_member m;
    struct str name;

    for (int i = 0; i < F_COUNT; i++)
        f[i] = (struct json_member){.kind = JSON_NONE};
    if (json_object(&it, body) != TG_OK)
        return field_refuse_type(&r->in, NULL, "an object", json_kind_of(body));
    while (json_next(&it, &m)) {
        int i = 0;

        while (i < F_COUNT && !json_key_is(m.key, str_z(names[i])))
            i++;
        if (i < F_COUNT) {
            f[i] = m;
            continue;
        }
        if (m.kind == JSON_NULL)
            continue;
        if (n_ext++ == EXT_MAX)
            return field_refuse(&r->in, NULL, "invalid_value",
                                "more than %d fields that are not known", EXT_MAX);
        if (json_string(r->in.a, str_of(m.key.p - 1, m.key.n + 2), &name) != TG_OK)
            name = m.key;
        add_ext(r, name, m.value);
    }
    return TG_OK;
}

/* What needs something to have been kept. */
static tg_rc
refuse_state(const struct responses_reader *r, const struct json_member *f)
{
    static const enum field kept[] = {F_PREVIOUS, F_CONVERSATION, F_PROMPT, F_BACKGROUND};

    for (size_t i = 0; i < RESPONSES_COUNT(kept); i++) {
        struct field_at at = {NULL, names[kept[i]], 0};

        if (field_has(&f[kept[i]]) && f[kept[i]].kind != JSON_FALSE)
            return field_refuse(&r->in, &at, "unsupported_parameter",
                                "needs stored state, which is not kept on this route");
    }
    return TG_OK;
}

static tg_rc
read_number(struct responses_reader *r, const struct json_member *f, enum field field, int min,
            int max, struct str *ret)
{
    const struct json_member *m = &f[field];
    struct field_at at = {NULL, names[field], 0};
    double v = 0;

    if (!field_has(m))
        return TG_OK;
    if (m->kind != JSON_NUMBER)
        return field_refuse_type(&r->in, &at, "a number", m->kind);
    if (json_double(m->value, &v) != TG_OK || v < min || v > max)
        return field_refuse(&r->in, &at, "invalid_value", "must be from %d to %d", min, max);
    *ret = m->value;
    return TG_OK;
}

static tg_rc
read_numbers(struct responses_reader *r, const struct json_member *f)
{
    struct ir_req *req = r->req;
    struct field_at max_at = {NULL, names[F_MAX_TOKENS], 0};
    struct field_at top_at = {NULL, names[F_TOP_LOGPROBS], 0};
    tg_rc rc = field_int(&r->in, &max_at, &f[F_MAX_TOKENS], 1, INT32_MAX, &req->max_tokens);

    if (rc == TG_OK)
        rc = field_int(&r->in, &top_at, &f[F_TOP_LOGPROBS], 0, 20, &req->top_logprobs);
    if (rc == TG_OK)
        rc = read_number(r, f, F_TEMPERATURE, 0, 2, &req->temperature);
    if (rc == TG_OK)
        rc = read_number(r, f, F_TOP_P, 0, 1, &req->top_p);
    if (rc == TG_OK)
        rc = read_number(r, f, F_PRESENCE, -2, 2, &req->presence_penalty);
    if (rc == TG_OK)
        rc = read_number(r, f, F_FREQUENCY, -2, 2, &req->frequency_penalty);
    req->logprobs = req->logprobs || req->top_logprobs > 0;
    return rc;
}

static enum ir_tri
tri(bool v)
{
    return v ? IR_YES : IR_NO;
}

static tg_rc
read_schema(struct responses_reader *r, const struct field_at *at, const struct json_member *m)
{
    struct field_at schema_at = {at, "schema", 0}, description_at = {at, "description", 0};
    struct field_at strict_at = {at, "strict", 0};
    struct ir_req *req = r->req;
    bool strict = false;
    tg_rc rc = field_string_needed(&r->in, at, "name", &m[1], &req->format_name);

    if (rc == TG_OK)
        rc = field_string(&r->in, &description_at, &m[3], &req->format_description);
    if (rc == TG_OK)
        rc = field_bool(&r->in, &strict_at, &m[4], &strict);
    if (rc != TG_OK)
        return rc;
    if (!field_has(&m[2]))
        return field_refuse_missing(&r->in, at, "schema");
    if (m[2].kind != JSON_OBJECT)
        return field_refuse_type(&r->in, &schema_at, "an object", m[2].kind);
    req->format_schema = m[2].value;
    if (field_has(&m[4]))
        req->format_strict = tri(strict);
    return TG_OK;
}

static tg_rc
read_text(struct responses_reader *r, const struct json_member *text)
{
    static const char *const keys[] = {"format", "verbosity"};
    static const char *const inner[] = {"type", "name", "schema", "description", "strict"};
    struct field_at at = {NULL, names[F_TEXT], 0}, format_at = {&at, "format", 0};
    struct field_at type_at = {&format_at, "type", 0}, verbosity_at = {&at, "verbosity", 0};
    struct json_member m[2], f[5];
    struct str type;
    tg_rc rc;

    if (!field_has(text))
        return TG_OK;
    rc = field_pick(&r->in, &at, text->value, keys, 2, m);
    if (rc == TG_OK)
        rc = field_string(&r->in, &verbosity_at, &m[1], &r->req->verbosity);
    if (rc != TG_OK || !field_has(&m[0]))
        return rc;
    rc = field_pick(&r->in, &format_at, m[0].value, inner, 5, f);
    if (rc == TG_OK)
        rc = field_string_needed(&r->in, &format_at, "type", &f[0], &type);
    if (rc != TG_OK || str_eq(type, STR("text")))
        return rc;
    if (str_eq(type, STR("json_schema")))
        return read_schema(r, &format_at, f);
    r->req->format_json = str_eq(type, STR("json_object"));
    if (r->req->format_json)
        return TG_OK;
    return field_refuse(&r->in, &type_at, "invalid_value",
                        "must be \"text\", \"json_object\" or \"json_schema\"");
}

static tg_rc
read_effort(struct responses_reader *r, const struct field_at *up, const struct json_member *m)
{
    static const struct {
        const char *word;
        enum ir_effort effort;
    } words[] = {
        {"none", IR_EFFORT_NONE}, {"minimal", IR_EFFORT_MINIMAL},
        {"low", IR_EFFORT_LOW},   {"medium", IR_EFFORT_MEDIUM},
        {"high", IR_EFFORT_HIGH}, {"xhigh", IR_EFFORT_XHIGH},
        {"max", IR_EFFORT_MAX},
    };
    struct field_at at = {up, "effort", 0};
    struct str word = {NULL, 0};
    tg_rc rc = field_string(&r->in, &at, m, &word);

    if (rc != TG_OK || !field_has(m))
        return rc;
    for (size_t i = 0; i < RESPONSES_COUNT(words); i++)
        if (str_eq(word, str_z(words[i].word))) {
            r->req->effort = words[i].effort;
            return TG_OK;
        }
    return field_refuse(&r->in, &at, "invalid_value",
                        "must be none, minimal, low, medium, high, xhigh or max");
}

/* A summary that is not asked for is not shown; that is this dialect's default. */
static tg_rc
read_reasoning(struct responses_reader *r, const struct json_member *reasoning)
{
    static const char *const keys[] = {"effort", "summary", "generate_summary", "context",
                                       "mode"};
    struct field_at at = {NULL, names[F_REASONING], 0};
    struct json_member m[5];
    tg_rc rc;

    if (!field_has(reasoning))
        return TG_OK;
    rc = field_pick(&r->in, &at, reasoning->value, keys, 5, m);
    if (rc == TG_OK)
        rc = read_effort(r, &at, &m[0]);
    for (unsigned i = 1; rc == TG_OK && i <= 2; i++) {
        struct field_at summary_at = {&at, keys[i], 0};

        if (r->req->think_summary.n == 0)
            rc = field_string(&r->in, &summary_at, &m[i], &r->req->think_summary);
    }
    if (rc != TG_OK)
        return rc;
    r->req->think_show = tri(r->req->think_summary.n > 0);
    if (field_has(&m[3]))
        add_ext(r, STR("reasoning.context"), m[3].value);
    if (field_has(&m[4]))
        add_ext(r, STR("reasoning.mode"), m[4].value);
    return TG_OK;
}

/* Only one of the things to include changes what is asked of a model. */
static tg_rc
read_include(struct responses_reader *r, const struct json_member *include)
{
    struct field_at at = {NULL, names[F_INCLUDE], 0}, elem = {&at, NULL, 0};
    struct json_iter it;
    struct json_member m;

    if (!field_has(include))
        return TG_OK;
    if (json_array(&it, include->value) != TG_OK)
        return field_refuse_type(&r->in, &at, "an array", include->kind);
    for (; json_next(&it, &m); elem.index++) {
        if (m.kind != JSON_STRING)
            return field_refuse_type(&r->in, &elem, "a string", m.kind);
        if (str_eq(m.value, STR("\"message.output_text.logprobs\"")))
            r->req->logprobs = true;
    }
    return TG_OK;
}

static tg_rc
read_rest(struct responses_reader *r, const struct json_member *f)
{
    struct ir_req *req = r->req;
    struct field_at at = {NULL, names[F_METADATA], 0};
    const struct {
        enum field field;
        struct str *to;
    } texts[] = {{F_USER, &req->user},
                 {F_SAFETY, &req->user},
                 {F_SERVICE_TIER, &req->service_tier},
                 {F_CACHE_KEY, &req->cache_key}};
    bool store = false;
    tg_rc rc = TG_OK;

    for (size_t i = 0; rc == TG_OK && i < RESPONSES_COUNT(texts); i++) {
        at.name = names[texts[i].field];
        rc = field_string(&r->in, &at, &f[texts[i].field], texts[i].to);
    }
    at.name = names[F_STORE];
    if (rc == TG_OK)
        rc = field_bool(&r->in, &at, &f[F_STORE], &store);
    if (rc != TG_OK)
        return rc;
    if (field_has(&f[F_STORE]))
        req->store = tri(store);
    at.name = names[F_METADATA];
    if (field_has(&f[F_METADATA]) && f[F_METADATA].kind != JSON_OBJECT)
        return field_refuse_type(&r->in, &at, "an object", f[F_METADATA].kind);
    if (field_has(&f[F_METADATA]))
        req->metadata = f[F_METADATA].value;
    at.name = names[F_STREAM_OPTIONS];
    if (field_has(&f[F_STREAM_OPTIONS]) && f[F_STREAM_OPTIONS].kind != JSON_OBJECT)
        return field_refuse_type(&r->in, &at, "an object", f[F_STREAM_OPTIONS].kind);
    if (field_has(&f[F_TRUNCATION]) && !str_eq(f[F_TRUNCATION].value, STR("\"disabled\"")))
        add_ext(r, str_z(names[F_TRUNCATION]), f[F_TRUNCATION].value);
    return TG_OK;
}

static tg_rc
read_instructions(struct responses_reader *r, const struct json_member *m)
{
    struct field_at at = {NULL, names[F_INSTRUCTIONS], 0};
    struct str text = {NULL, 0};
    struct ir_msg *msg;
    tg_rc rc = field_string(&r->in, &at, m, &text);

    if (rc != TG_OK || text.n == 0)
        return rc;
    msg = responses_add_msg(r, IR_SYSTEM);
    msg->instructions = true;
    msg->blocks = arena_new(r->in.a, struct ir_block);
    msg->blocks->kind = IR_TEXT;
    msg->blocks->text = text;
    return TG_OK;
}

tg_rc
responses_decode_req(struct arena *a, struct str body, struct ir_req *ret, struct tg_err *err)
{
    struct ir_req req = {.parallel_calls = true,
                         .max_tokens = -1,
                         .seed = -1,
                         .choices = 1,
                         .top_logprobs = -1,
                         .think_budget = -1,
                         .stream_usage = true,
                         .origin = dialect_responses.name};
    struct responses_reader r = {
        .in = {a, err}, .req = &req, .tail = &req.msgs, .tools = &req.tools};
    struct field_at stream_at = {NULL, names[F_STREAM], 0};
    struct field_at tools_at = {NULL, names[F_TOOLS], 0};
    struct field_at parallel_at = {NULL, names[F_PARALLEL], 0};
    struct json_member f[F_COUNT];
    tg_rc rc = field_check(&r.in, body);

    if (rc == TG_OK)
        rc = pick(&r, body, f);
    if (rc == TG_OK)
        rc = field_string_needed(&r.in, NULL, names[F_MODEL], &f[F_MODEL], &req.model);
    if (rc == TG_OK)
        rc = refuse_state(&r, f);
    if (rc == TG_OK)
        rc = field_bool(&r.in, &stream_at, &f[F_STREAM], &req.stream);
    if (rc == TG_OK)
        rc = read_instructions(&r, &f[F_INSTRUCTIONS]);
    if (rc == TG_OK)
        rc = responses_read_tools(&r, &tools_at, &f[F_TOOLS]);
    if (rc == TG_OK)
        rc = responses_read_input(&r, &f[F_INPUT]);
    if (rc == TG_OK)
        rc = responses_read_tool_choice(&r, &f[F_TOOL_CHOICE]);
    if (rc == TG_OK)
        rc = field_bool(&r.in, &parallel_at, &f[F_PARALLEL], &req.parallel_calls);
    if (rc == TG_OK)
        rc = read_numbers(&r, f);
    if (rc == TG_OK)
        rc = read_text(&r, &f[F_TEXT]);
    if (rc == TG_OK)
        rc = read_reasoning(&r, &f[F_REASONING]);
    if (rc == TG_OK)
        rc = read_include(&r, &f[F_INCLUDE]);
    if (rc == TG_OK)
        rc = read_rest(&r, f);
    if (rc == TG_OK)
        *ret = req;
    return rc;
}
