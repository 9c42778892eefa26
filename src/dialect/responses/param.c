/* param.c -- the parameters of a Responses request that are values or small objects. */
#include "dialect/responses/in_int.h"
#include "dialect/rest.h"

static tg_rc
read_number(struct responses_reader *r, const struct json_member *f, enum responses_field field,
            int min, int max, struct str *ret)
{
    const struct json_member *m = &f[field];
    struct field_at at = {NULL, responses_fields[field], 0};
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
    struct field_at max_at = {NULL, responses_fields[F_MAX_TOKENS], 0};
    struct field_at top_at = {NULL, responses_fields[F_TOP_LOGPROBS], 0};
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
    struct field_at at = {NULL, responses_fields[F_TEXT], 0}, format_at = {&at, "format", 0};
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
    struct field_at at = {up, "effort", 0};
    struct str word = {NULL, 0};
    tg_rc rc = field_string(&r->in, &at, m, &word);

    if (rc != TG_OK || !field_has(m))
        return rc;
    for (int i = IR_EFFORT_NONE; i <= IR_EFFORT_MAX; i++)
        if (str_eq(word, str_z(responses_efforts[i]))) {
            r->req->effort = (enum ir_effort)i;
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
    struct field_at at = {NULL, responses_fields[F_REASONING], 0};
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
        responses_add_ext(r, STR("reasoning.context"), m[3].value);
    if (field_has(&m[4]))
        responses_add_ext(r, STR("reasoning.mode"), m[4].value);
    return TG_OK;
}

/* Two of the things to include are known here; the others are of tools that a provider runs. */
static tg_rc
read_include(struct responses_reader *r, const struct json_member *include)
{
    struct field_at at = {NULL, responses_fields[F_INCLUDE], 0}, elem = {&at, NULL, 0};
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
        else if (!str_eq(m.value, STR("\"reasoning.encrypted_content\"")))
            rest_add(&r->in, r->req, &at, str_of(m.value.p + 1, m.value.n - 2), m.value);
    }
    return TG_OK;
}

static tg_rc
read_rest(struct responses_reader *r, const struct json_member *f)
{
    struct ir_req *req = r->req;
    struct field_at at = {NULL, responses_fields[F_METADATA], 0};
    const struct {
        enum responses_field field;
        struct str *to;
    } texts[] = {{F_USER, &req->user},
                 {F_SAFETY, &req->user},
                 {F_SERVICE_TIER, &req->service_tier},
                 {F_CACHE_KEY, &req->cache_key}};
    bool store = false;
    tg_rc rc = TG_OK;

    for (size_t i = 0; rc == TG_OK && i < RESPONSES_COUNT(texts); i++) {
        at.name = responses_fields[texts[i].field];
        rc = field_string(&r->in, &at, &f[texts[i].field], texts[i].to);
    }
    at.name = responses_fields[F_STORE];
    if (rc == TG_OK)
        rc = field_bool(&r->in, &at, &f[F_STORE], &store);
    if (rc != TG_OK)
        return rc;
    if (field_has(&f[F_STORE]))
        req->store = tri(store);
    at.name = responses_fields[F_METADATA];
    if (field_has(&f[F_METADATA]) && f[F_METADATA].kind != JSON_OBJECT)
        return field_refuse_type(&r->in, &at, "an object", f[F_METADATA].kind);
    if (field_has(&f[F_METADATA]))
        req->metadata = f[F_METADATA].value;
    at.name = responses_fields[F_STREAM_OPTIONS];
    if (field_has(&f[F_STREAM_OPTIONS]) && f[F_STREAM_OPTIONS].kind != JSON_OBJECT)
        return field_refuse_type(&r->in, &at, "an object", f[F_STREAM_OPTIONS].kind);
    if (field_has(&f[F_TRUNCATION]) && !str_eq(f[F_TRUNCATION].value, STR("\"disabled\"")))
        responses_add_ext(r, str_z(responses_fields[F_TRUNCATION]), f[F_TRUNCATION].value);
    return TG_OK;
}

tg_rc
responses_read_params(struct responses_reader *r, const struct json_member *f)
{
    tg_rc rc = read_numbers(r, f);

    if (rc == TG_OK)
        rc = read_text(r, &f[F_TEXT]);
    if (rc == TG_OK)
        rc = read_reasoning(r, &f[F_REASONING]);
    if (rc == TG_OK)
        rc = read_include(r, &f[F_INCLUDE]);
    if (rc == TG_OK)
        rc = read_rest(r, f);
    return rc;
}
