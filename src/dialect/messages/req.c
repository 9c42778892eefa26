/* req.c -- a Messages request decoded.
 *
 * The top level is picked apart in one pass; messages, media and tools have files of their own.
 * What only this dialect knows is kept aside by name (messages_keep), so that an encoder of
 * another one reports what is lost: fields at the top with their values, fields further down
 * by their place alone.
 */
#include "dialect/messages/messages_int.h"

#include "dialect/body.h"
#include "dialect/rest.h"

enum field {
    F_MODEL,
    F_STREAM,
    F_MAX_TOKENS,
    F_SYSTEM,
    F_MESSAGES,
    F_TOOLS,
    F_TOOL_CHOICE,
    F_THINKING,
    F_OUTPUT_CONFIG,
    F_OUTPUT_FORMAT,
    F_STOP,
    F_TEMPERATURE,
    F_TOP_P,
    F_TOP_K,
    F_METADATA,
    F_TIER,
    F_SPEED,
    F_COUNT
};

static const char *const names[F_COUNT] = {
    [F_MODEL] = "model",
    [F_STREAM] = "stream",
    [F_MAX_TOKENS] = "max_tokens",
    [F_SYSTEM] = "system",
    [F_MESSAGES] = "messages",
    [F_TOOLS] = "tools",
    [F_TOOL_CHOICE] = "tool_choice",
    [F_THINKING] = "thinking",
    [F_OUTPUT_CONFIG] = "output_config",
    [F_OUTPUT_FORMAT] = "output_format",
    [F_STOP] = "stop_sequences",
    [F_TEMPERATURE] = "temperature",
    [F_TOP_P] = "top_p",
    [F_TOP_K] = "top_k",
    [F_METADATA] = "metadata",
    [F_TIER] = "service_tier",
    [F_SPEED] = "speed",
};

void
messages_keep(struct messages_dec *d, const struct field_at *at, struct str name,
              struct str value)
{
    struct ir_ext *e = arena_new(d->in.a, struct ir_ext);
    struct str up = field_place(d->in.a, at);

    e->name = up.n ? arena_printf(d->in.a, "%.*s.%.*s", STR_ARG(up), STR_ARG(name)) : name;
    e->value = value;
    *d->ext_tail = e;
    d->ext_tail = &e->next;
}

tg_rc
messages_pick(struct messages_dec *d, const struct field_at *at, struct str object,
              const char *const *fields, unsigned n, struct json_member *ret)
{
    struct json_iter it;
    struct json_member m;

    for (unsigned i = 0; i < n; i++)
        ret[i] = (struct json_member){.kind = JSON_NONE};
    if (json_object(&it, object) != TG_OK)
        return field_refuse_type(&d->in, at, "an object", json_kind_of(object));
    while (json_next(&it, &m)) {
        unsigned i = 0;

        while (i < n && !json_key_is(m.key, str_z(fields[i])))
            i++;
        if (i < n)
            ret[i] = m;
        else if (!rest_is_silent(&m))
            messages_keep(d, at, rest_key(d->in.a, m.key), m.value);
    }
    return TG_OK;
}

tg_rc
messages_read_cache(struct messages_dec *d, const struct field_at *up,
                    const struct json_member *mark, struct str *ret_ttl)
{
    static const char *const keys[] = {"ttl"};
    struct field_at at = {up, "cache_control", 0}, ttl_at = {&at, keys[0], 0};
    struct str ttl = STR("5m");
    struct json_member m;
    tg_rc rc;

    if (!field_has(mark))
        return TG_OK;
    rc = field_pick(&d->in, &at, mark->value, keys, 1, &m);
    if (rc == TG_OK)
        rc = field_string(&d->in, &ttl_at, &m, &ttl);
    if (rc == TG_OK && !str_eq(ttl, STR("5m")) && !str_eq(ttl, STR("1h")))
        rc = field_refuse(&d->in, &ttl_at, "invalid_value", "must be \"5m\" or \"1h\"");
    if (rc == TG_OK)
        *ret_ttl = ttl;
    return rc;
}

static const struct {
    const char *word;
    enum ir_effort effort;
} efforts[] = {{"low", IR_EFFORT_LOW},
               {"medium", IR_EFFORT_MEDIUM},
               {"high", IR_EFFORT_HIGH},
               {"xhigh", IR_EFFORT_XHIGH},
               {"max", IR_EFFORT_MAX}};

static tg_rc
read_format(struct messages_dec *d, const struct field_at *at, const struct json_member *format)
{
    static const char *const keys[] = {"type", "schema"};
    struct field_at type_at = {at, keys[0], 0}, schema_at = {at, keys[1], 0};
    struct json_member m[2];
    struct str type = {NULL, 0};
    tg_rc rc;

    if (!field_has(format))
        return TG_OK;
    rc = messages_pick(d, at, format->value, keys, 2, m);
    if (rc == TG_OK)
        rc = field_string_needed(&d->in, at, keys[0], &m[0], &type);
    if (rc != TG_OK)
        return rc;
    if (!str_eq(type, STR("json_schema")))
        return field_refuse(&d->in, &type_at, "invalid_value", "must be \"json_schema\"");
    if (!field_has(&m[1]))
        return field_refuse_missing(&d->in, at, keys[1]);
    if (m[1].kind != JSON_OBJECT)
        return field_refuse_type(&d->in, &schema_at, "an object", m[1].kind);
    /* The other dialects want a name, and obey a schema only when told that it is strict. */
    d->req->format_schema = m[1].value;
    d->req->format_name = STR("response");
    d->req->format_strict = IR_YES;
    return TG_OK;
}

static tg_rc
read_output(struct messages_dec *d, const struct json_member *f)
{
    static const char *const keys[] = {"effort", "format"};
    struct field_at at = {NULL, names[F_OUTPUT_CONFIG], 0}, effort_at = {&at, keys[0], 0};
    struct field_at format_at = {&at, keys[1], 0};
    struct field_at old_at = {NULL, names[F_OUTPUT_FORMAT], 0};
    struct str word = {NULL, 0};
    struct json_member m[2];
    tg_rc rc = read_format(d, &old_at, &f[F_OUTPUT_FORMAT]);

    if (rc != TG_OK || !field_has(&f[F_OUTPUT_CONFIG]))
        return rc;
    rc = messages_pick(d, &at, f[F_OUTPUT_CONFIG].value, keys, 2, m);
    if (rc == TG_OK)
        rc = read_format(d, &format_at, &m[1]);
    if (rc == TG_OK)
        rc = field_string(&d->in, &effort_at, &m[0], &word);
    if (rc != TG_OK || word.n == 0)
        return rc;
    for (size_t i = 0; i < MESSAGES_COUNT(efforts); i++)
        if (str_eq(word, str_z(efforts[i].word))) {
            d->req->effort = efforts[i].effort;
            return TG_OK;
        }
    return field_refuse(&d->in, &effort_at, "invalid_value",
                        "must be one of low, medium, high, xhigh, max");
}

enum ir_effort
messages_effort_of(int64_t budget)
{
    static const struct {
        int64_t upto;
        enum ir_effort effort;
    } steps[] = {{2048, IR_EFFORT_LOW},
                 {8192, IR_EFFORT_MEDIUM},
                 {24576, IR_EFFORT_HIGH},
                 {49152, IR_EFFORT_XHIGH}};

    for (size_t i = 0; i < MESSAGES_COUNT(steps); i++)
        if (budget <= steps[i].upto)
            return steps[i].effort;
    return IR_EFFORT_MAX;
}

/* After read_output: an effort that was said is kept, unless thinking is off. */
static tg_rc
read_thinking(struct messages_dec *d, const struct json_member *thinking)
{
    static const char *const keys[] = {"type", "budget_tokens", "display"};
    struct field_at at = {NULL, names[F_THINKING], 0}, type_at = {&at, keys[0], 0};
    struct field_at budget_at = {&at, keys[1], 0}, display_at = {&at, keys[2], 0};
    struct str type = {NULL, 0}, display = {NULL, 0};
    struct ir_req *req = d->req;
    struct json_member m[3];
    tg_rc rc;

    if (!field_has(thinking))
        return TG_OK;
    rc = messages_pick(d, &at, thinking->value, keys, 3, m);
    if (rc == TG_OK)
        rc = field_string_needed(&d->in, &at, keys[0], &m[0], &type);
    if (rc == TG_OK)
        rc = field_string(&d->in, &display_at, &m[2], &display);
    if (rc != TG_OK)
        return rc;
    if (str_eq(type, STR("disabled")) || str_eq(type, STR("between_tools"))) {
        req->effort = IR_EFFORT_NONE;
        if (!str_eq(type, STR("disabled")))
            messages_keep(d, &at, str_z(keys[0]), m[0].value);
        return TG_OK;
    }
    if (str_eq(type, STR("enabled"))) {
        if (!field_has(&m[1]))
            return field_refuse_missing(&d->in, &at, keys[1]);
        rc = field_int(&d->in, &budget_at, &m[1], 1024, INT32_MAX, &req->think_budget);
        if (rc != TG_OK)
            return rc;
        if (req->effort == IR_EFFORT_UNSAID)
            req->effort = messages_effort_of(req->think_budget);
        req->think_show = IR_YES;
    } else if (!str_eq(type, STR("adaptive"))) {
        return field_refuse(&d->in, &type_at, "invalid_value",
                            "must be one of enabled, adaptive, disabled, between_tools");
    }
    if (str_eq(display, STR("summarized")))
        req->think_show = IR_YES;
    else if (str_eq(display, STR("omitted")))
        req->think_show = IR_NO;
    else if (display.n)
        return field_refuse(&d->in, &display_at, "invalid_value",
                            "must be \"summarized\" or \"omitted\"");
    return TG_OK;
}

static tg_rc
read_stop(struct messages_dec *d, const struct json_member *stop)
{
    struct field_at at = {NULL, names[F_STOP], 0}, elem = {&at, NULL, 0};
    struct json_iter it;
    struct json_member m;

    if (!field_has(stop))
        return TG_OK;
    if (json_array(&it, stop->value) != TG_OK)
        return field_refuse_type(&d->in, &at, "an array of strings", stop->kind);
    for (; json_next(&it, &m); elem.index++) {
        struct str s = {NULL, 0};
        tg_rc rc;

        if (elem.index == IR_STOP_MAX)
            return field_refuse(&d->in, &at, "invalid_value", "at most %d stop sequences",
                                IR_STOP_MAX);
        if (m.kind != JSON_STRING)
            return field_refuse_type(&d->in, &elem, "a string", m.kind);
        rc = field_string(&d->in, &elem, &m, &s);
        if (rc == TG_OK && s.n == 0)
            rc = field_refuse(&d->in, &elem, "invalid_value", "must not be empty");
        if (rc != TG_OK)
            return rc;
        d->req->stop[d->req->n_stop++] = s;
    }
    return TG_OK;
}

/* Kept as written, so that 0.30 stays 0.30. */
static tg_rc
read_sampling(struct messages_dec *d, const struct json_member *f)
{
    const struct {
        enum field field;
        double max;
        struct str *to;
    } rows[] = {{F_TEMPERATURE, 1, &d->req->temperature},
                {F_TOP_P, 1, &d->req->top_p},
                {F_TOP_K, INT32_MAX, &d->req->top_k}};

    for (size_t i = 0; i < MESSAGES_COUNT(rows); i++) {
        const struct json_member *m = &f[rows[i].field];
        struct field_at at = {NULL, names[rows[i].field], 0};
        double v = 0;

        if (!field_has(m))
            continue;
        if (m->kind != JSON_NUMBER)
            return field_refuse_type(&d->in, &at, "a number", m->kind);
        if (json_double(m->value, &v) != TG_OK || v < 0 || v > rows[i].max)
            return field_refuse(&d->in, &at, "invalid_value", "must be from 0 to %.0f",
                                rows[i].max);
        *rows[i].to = m->value;
    }
    return TG_OK;
}

/* metadata, service_tier and speed.  Tiers go by the names of the other dialects inside. */
static tg_rc
read_service(struct messages_dec *d, const struct json_member *f)
{
    static const char *const keys[] = {"user_id"};
    struct field_at meta = {NULL, names[F_METADATA], 0}, user = {&meta, keys[0], 0};
    struct field_at tier_at = {NULL, names[F_TIER], 0}, speed_at = {NULL, names[F_SPEED], 0};
    struct str tier = {NULL, 0}, speed = {NULL, 0};
    struct json_member m;
    tg_rc rc = TG_OK;

    if (field_has(&f[F_METADATA])) {
        rc = messages_pick(d, &meta, f[F_METADATA].value, keys, 1, &m);
        if (rc == TG_OK)
            rc = field_string(&d->in, &user, &m, &d->req->user);
    }
    if (rc == TG_OK)
        rc = field_string(&d->in, &tier_at, &f[F_TIER], &tier);
    if (rc == TG_OK)
        rc = field_string(&d->in, &speed_at, &f[F_SPEED], &speed);
    if (rc != TG_OK)
        return rc;
    d->req->service_tier = str_eq(tier, STR("standard_only")) ? STR("default") : tier;
    if (str_eq(speed, STR("fast")))
        d->req->service_tier = STR("priority");
    return TG_OK;
}

static tg_rc
read_basics(struct messages_dec *d, const struct json_member *f)
{
    struct field_at stream = {NULL, names[F_STREAM], 0}, max = {NULL, names[F_MAX_TOKENS], 0};
    tg_rc rc = field_string_needed(&d->in, NULL, names[F_MODEL], &f[F_MODEL], &d->req->model);

    if (rc == TG_OK)
        rc = field_bool(&d->in, &stream, &f[F_STREAM], &d->req->stream);
    if (rc == TG_OK && !field_has(&f[F_MAX_TOKENS]))
        rc = field_refuse_missing(&d->in, NULL, names[F_MAX_TOKENS]);
    if (rc == TG_OK)
        rc = field_int(&d->in, &max, &f[F_MAX_TOKENS], 0, INT32_MAX, &d->req->max_tokens);
    /* Filling the cache and answering nothing: no other dialect can ask for that. */
    if (rc == TG_OK && d->req->max_tokens == 0)
        rc = field_refuse(&d->in, &max, "unsupported_value",
                          "0 is for upstreams of this dialect only");
    d->req->stream_usage = true;
    return rc;
}

tg_rc
messages_decode_req(struct arena *a, struct str body, struct ir_req *ret, struct tg_err *err)
{
    struct ir_req req = body_request(MESSAGES_NAME);
    struct messages_dec d = {.in = {a, err}, .req = &req, .ext_tail = &req.ext};
    struct json_member f[F_COUNT];
    tg_rc rc = field_check(&d.in, body);

    if (rc == TG_OK)
        rc = messages_pick(&d, NULL, body, names, F_COUNT, f);
    if (rc == TG_OK)
        rc = read_basics(&d, f);
    if (rc == TG_OK)
        rc = read_output(&d, f);
    if (rc == TG_OK)
        rc = read_thinking(&d, &f[F_THINKING]);
    if (rc == TG_OK)
        rc = read_stop(&d, &f[F_STOP]);
    if (rc == TG_OK)
        rc = read_sampling(&d, f);
    if (rc == TG_OK)
        rc = read_service(&d, f);
    if (rc == TG_OK)
        rc = messages_read_system(&d, &f[F_SYSTEM]);
    if (rc == TG_OK)
        rc = messages_read_messages(&d, &f[F_MESSAGES]);
    if (rc == TG_OK)
        rc = messages_read_tools(&d, &f[F_TOOLS]);
    if (rc == TG_OK)
        rc = messages_read_choice(&d, &f[F_TOOL_CHOICE]);
    if (rc == TG_OK)
        *ret = req;
    return rc;
}
