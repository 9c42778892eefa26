/* req.c -- a Chat request decoded.
 *
 * The top level is picked apart in one pass; messages and tools have files of their own.  Tool
 * schemas and media stay the spans they are.  Sampling parameters are checked for type and
 * range but have no place in the internal form: whoever serves from it (the simulated model)
 * samples nothing.
 */
#include "dialect/chat/chat_int.h"

enum field {
    F_MODEL,
    F_STREAM,
    F_STREAM_OPTIONS,
    F_MESSAGES,
    F_TOOLS,
    F_TOOL_CHOICE,
    F_PARALLEL,
    F_MAX_TOKENS,
    F_MAX_COMPLETION,
    F_SEED,
    F_N,
    F_STOP,
    F_FORMAT,
    F_FUNCTIONS,
    F_FUNCTION_CALL,
    F_TEMPERATURE,
    F_TOP_P,
    F_FREQUENCY,
    F_PRESENCE,
    F_COUNT
};

static const char *const names[F_COUNT] = {
    [F_MODEL] = "model",
    [F_STREAM] = "stream",
    [F_STREAM_OPTIONS] = "stream_options",
    [F_MESSAGES] = "messages",
    [F_TOOLS] = "tools",
    [F_TOOL_CHOICE] = "tool_choice",
    [F_PARALLEL] = "parallel_tool_calls",
    [F_MAX_TOKENS] = "max_tokens",
    [F_MAX_COMPLETION] = "max_completion_tokens",
    [F_SEED] = "seed",
    [F_N] = "n",
    [F_STOP] = "stop",
    [F_FORMAT] = "response_format",
    [F_FUNCTIONS] = "functions",
    [F_FUNCTION_CALL] = "function_call",
    [F_TEMPERATURE] = "temperature",
    [F_TOP_P] = "top_p",
    [F_FREQUENCY] = "frequency_penalty",
    [F_PRESENCE] = "presence_penalty",
};

static tg_rc
read_stream(struct chat_dec *d, const struct json_member *f)
{
    static const char *const option_names[] = {"include_usage"};
    struct field_at stream = {NULL, names[F_STREAM], 0};
    struct field_at options = {NULL, names[F_STREAM_OPTIONS], 0};
    struct field_at usage = {&options, option_names[0], 0};
    struct json_member m;
    tg_rc rc = field_bool(&d->in, &stream, &f[F_STREAM], &d->req->stream);

    if (rc != TG_OK || !field_has(&f[F_STREAM_OPTIONS]))
        return rc;
    rc = field_pick(&d->in, &options, f[F_STREAM_OPTIONS].value, option_names, 1, &m);
    return rc == TG_OK ? field_bool(&d->in, &usage, &m, &d->req->stream_usage) : rc;
}

static tg_rc
add_stop(struct chat_dec *d, const struct field_at *at, const struct json_member *m)
{
    struct str s = {NULL, 0};
    tg_rc rc;

    if (m->kind != JSON_STRING)
        return field_refuse_type(&d->in, at, "a string", m->kind);
    rc = field_string(&d->in, at, m, &s);
    if (rc == TG_OK && s.n == 0)
        rc = field_refuse(&d->in, at, "invalid_value", "a stop sequence must not be empty");
    if (rc == TG_OK)
        d->req->stop[d->req->n_stop++] = s;
    return rc;
}

static tg_rc
read_stop(struct chat_dec *d, const struct json_member *stop)
{
    struct field_at at = {NULL, names[F_STOP], 0}, elem = {&at, NULL, 0};
    struct json_iter it;
    struct json_member m;
    tg_rc rc = TG_OK;

    if (!field_has(stop))
        return TG_OK;
    if (stop->kind == JSON_STRING)
        return add_stop(d, &at, stop);
    if (json_array(&it, stop->value) != TG_OK)
        return field_refuse_type(&d->in, &at, "a string or an array of strings", stop->kind);
    for (; rc == TG_OK && json_next(&it, &m); elem.index++) {
        if (elem.index == IR_STOP_MAX)
            return field_refuse(&d->in, &at, "invalid_value", "at most %d stop sequences",
                                IR_STOP_MAX);
        rc = add_stop(d, &elem, &m);
    }
    return rc;
}

static tg_rc
read_json_schema(struct chat_dec *d, const struct field_at *up, const struct json_member *spec)
{
    static const char *const keys[] = {"name", "schema"};
    struct field_at at = {up, "json_schema", 0}, schema_at = {&at, "schema", 0};
    struct json_member m[2];
    struct str name;
    tg_rc rc;

    if (!field_has(spec))
        return field_refuse_missing(&d->in, up, "json_schema");
    rc = field_pick(&d->in, &at, spec->value, keys, 2, m);
    if (rc == TG_OK)
        rc = field_string_needed(&d->in, &at, "name", &m[0], &name);
    if (rc != TG_OK)
        return rc;
    if (!field_has(&m[1])) {
        d->req->format_json = true;
        return TG_OK;
    }
    if (m[1].kind != JSON_OBJECT)
        return field_refuse_type(&d->in, &schema_at, "an object", m[1].kind);
    d->req->format_schema = m[1].value;
    return TG_OK;
}

static tg_rc
read_format(struct chat_dec *d, const struct json_member *format)
{
    static const char *const keys[] = {"type", "json_schema"};
    struct field_at at = {NULL, names[F_FORMAT], 0}, type_at = {&at, "type", 0};
    struct json_member m[2];
    struct str type;
    tg_rc rc;

    if (!field_has(format))
        return TG_OK;
    rc = field_pick(&d->in, &at, format->value, keys, 2, m);
    if (rc == TG_OK)
        rc = field_string_needed(&d->in, &at, "type", &m[0], &type);
    if (rc != TG_OK)
        return rc;
    if (str_eq(type, STR("text")))
        return TG_OK;
    if (str_eq(type, STR("json_object"))) {
        d->req->format_json = true;
        return TG_OK;
    }
    if (str_eq(type, STR("json_schema")))
        return read_json_schema(d, &at, &m[1]);
    return field_refuse(&d->in, &type_at, "invalid_value",
                        "must be \"text\", \"json_object\" or \"json_schema\"");
}

/* Both limits bind when both are said. */
static tg_rc
read_numbers(struct chat_dec *d, const struct json_member *f)
{
    int64_t a = -1, b = -1, n = 1, seed = 0;
    tg_rc rc;

#define INT(field, min, max, ret)                                                              \
    if (rc == TG_OK) {                                                                         \
        struct field_at at = {NULL, names[field], 0};                                          \
                                                                                               \
        rc = field_int(&d->in, &at, &f[field], min, max, ret);                                 \
    }
    rc = TG_OK;
    INT(F_MAX_TOKENS, 1, INT32_MAX, &a)
    INT(F_MAX_COMPLETION, 1, INT32_MAX, &b)
    INT(F_N, 1, IR_CHOICES_MAX, &n)
    INT(F_SEED, INT64_MIN, INT64_MAX, &seed)
#undef INT
    if (rc != TG_OK)
        return rc;
    d->req->max_tokens = b < 0 || (a >= 0 && a < b) ? a : b;
    d->req->choices = (unsigned)n;
    if (field_has(&f[F_SEED]))
        d->req->seed = seed & INT64_MAX; /* below zero means "not said" inside */
    return TG_OK;
}

static tg_rc
check_sampling(const struct chat_dec *d, const struct json_member *f)
{
    static const struct {
        enum field field;
        int min, max;
    } rows[] = {
        {F_TEMPERATURE, 0, 2}, {F_TOP_P, 0, 1}, {F_FREQUENCY, -2, 2}, {F_PRESENCE, -2, 2}};

    for (size_t i = 0; i < CHAT_COUNT(rows); i++) {
        const struct json_member *m = &f[rows[i].field];
        struct field_at at = {NULL, names[rows[i].field], 0};
        double v = 0;

        if (!field_has(m))
            continue;
        if (m->kind != JSON_NUMBER)
            return field_refuse_type(&d->in, &at, "a number", m->kind);
        if (json_double(m->value, &v) != TG_OK || v < rows[i].min || v > rows[i].max)
            return field_refuse(&d->in, &at, "invalid_value", "must be from %d to %d",
                                rows[i].min, rows[i].max);
    }
    return TG_OK;
}

/* The forms that tools replaced: their answers have another shape, which is not made here. */
static tg_rc
refuse_functions(const struct chat_dec *d, const struct json_member *f)
{
    static const enum field old[] = {F_FUNCTIONS, F_FUNCTION_CALL};

    for (size_t i = 0; i < CHAT_COUNT(old); i++) {
        struct field_at at = {NULL, names[old[i]], 0};

        if (field_has(&f[old[i]]))
            return field_refuse(&d->in, &at, "unsupported_parameter",
                                "deprecated; use 'tools' and 'tool_choice'");
    }
    return TG_OK;
}

tg_rc
chat_decode_req(struct arena *a, struct str body, struct ir_req *ret, struct tg_err *err)
{
    struct ir_req req = {.parallel_calls = true, .max_tokens = -1, .seed = -1, .choices = 1};
    struct chat_dec d = {.in = {a, err}, .req = &req};
    struct field_at parallel = {NULL, names[F_PARALLEL], 0};
    struct json_member f[F_COUNT];
    tg_rc rc = field_check(&d.in, body);

    if (rc == TG_OK)
        rc = field_pick(&d.in, NULL, body, names, F_COUNT, f);
    if (rc == TG_OK)
        rc = field_string_needed(&d.in, NULL, names[F_MODEL], &f[F_MODEL], &req.model);
    if (rc == TG_OK)
        rc = refuse_functions(&d, f);
    if (rc == TG_OK)
        rc = read_stream(&d, f);
    if (rc == TG_OK)
        rc = read_numbers(&d, f);
    if (rc == TG_OK)
        rc = check_sampling(&d, f);
    if (rc == TG_OK)
        rc = read_stop(&d, &f[F_STOP]);
    if (rc == TG_OK)
        rc = read_format(&d, &f[F_FORMAT]);
    if (rc == TG_OK)
        rc = chat_read_messages(&d, &f[F_MESSAGES]);
    if (rc == TG_OK)
        rc = chat_read_tools(&d, &f[F_TOOLS]);
    if (rc == TG_OK)
        rc = chat_read_tool_choice(&d, &f[F_TOOL_CHOICE]);
    if (rc == TG_OK)
        rc = field_bool(&d.in, &parallel, &f[F_PARALLEL], &req.parallel_calls);
    if (rc == TG_OK)
        *ret = req;
    return rc;
}
