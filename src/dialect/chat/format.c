/* format.c -- response_format of a Chat request: what form the answer is to have.
 *
 * Clients write a schema in three ways, and all of them mean the same:
 *
 *   {"type":"json_schema","json_schema":{"name":...,"schema":{...}}}   the dialect's own
 *   {"type":"json_schema","name":...,"schema":{...}}                   as Responses has it
 *   {"type":"json_schema","json_schema":{"type":"object",...}}         the schema alone
 *
 * The last is told from the first by what it holds: a schema has none of the wrapper's words
 * but "description", and at least one of those that only schemas have.  The name, which some
 * upstreams demand and all of them restrict, is made up where there is none.
 */
#include "dialect/chat/chat_int.h"

#include "base/ascii.h"
#include "dialect/rest.h"

enum { NAME_MAX = 64 };

enum wrap { W_NAME, W_SCHEMA, W_STRICT, W_DESCRIPTION, W_COUNT };

static const char *const wrap_names[W_COUNT] = {"name", "schema", "strict", "description"};

/* Names as upstreams take them. */
static bool
is_name(struct str s)
{
    return s.n <= NAME_MAX && ascii_all(s, ascii_is_word);
}

static bool
is_bare_schema(const struct json_member w[W_COUNT], struct str object)
{
    static const char *const words[] = {"type",  "properties", "$ref",  "$defs", "anyOf",
                                        "oneOf", "allOf",      "items", "enum",  "const"};
    struct json_member m;

    if (field_has(&w[W_NAME]) || field_has(&w[W_SCHEMA]) || field_has(&w[W_STRICT]))
        return false;
    for (size_t i = 0; i < CHAT_COUNT(words); i++)
        if (json_get(object, str_z(words[i]), &m))
            return true;
    return false;
}

/* What stands around a schema; w are the members of the object at `at`. */
static tg_rc
read_wrap(struct chat_dec *d, const struct field_at *at, const struct json_member w[W_COUNT])
{
    struct field_at in[W_COUNT];
    bool strict = false;
    tg_rc rc;

    for (int i = 0; i < W_COUNT; i++)
        in[i] = (struct field_at){at, wrap_names[i], 0};
    rc = field_string(&d->in, &in[W_NAME], &w[W_NAME], &d->req->format_name);
    if (rc == TG_OK && !is_name(d->req->format_name))
        rc = field_refuse(&d->in, &in[W_NAME], "invalid_value",
                          "at most %d letters, digits, underscores and dashes", NAME_MAX);
    if (rc == TG_OK)
        rc = field_string(&d->in, &in[W_DESCRIPTION], &w[W_DESCRIPTION],
                          &d->req->format_description);
    if (rc == TG_OK)
        rc = field_bool(&d->in, &in[W_STRICT], &w[W_STRICT], &strict);
    if (rc != TG_OK)
        return rc;
    if (field_has(&w[W_STRICT]))
        d->req->format_strict = strict ? IR_YES : IR_NO;
    if (!field_has(&w[W_SCHEMA])) {
        d->req->format_json = true;
        return TG_OK;
    }
    if (w[W_SCHEMA].kind != JSON_OBJECT)
        return field_refuse_type(&d->in, &in[W_SCHEMA], "an object", w[W_SCHEMA].kind);
    d->req->format_schema = w[W_SCHEMA].value;
    return TG_OK;
}

/* format is the object at `at`, spec its member json_schema. */
static tg_rc
read_schema(struct chat_dec *d, const struct field_at *at, const struct json_member *format,
            const struct json_member *spec)
{
    struct field_at spec_at = {at, "json_schema", 0};
    struct json_member w[W_COUNT];
    tg_rc rc;

    if (field_has(spec)) {
        rc = field_pick(&d->in, &spec_at, spec->value, wrap_names, W_COUNT, w);
        if (rc == TG_OK && is_bare_schema(w, spec->value))
            d->req->format_schema = spec->value;
        else if (rc == TG_OK)
            rc = read_wrap(d, &spec_at, w);
        if (rc == TG_OK && !is_bare_schema(w, spec->value))
            rest_note(&d->in, d->req, &spec_at, spec->value, wrap_names, W_COUNT);
    } else {
        rc = field_pick(&d->in, at, format->value, wrap_names, W_COUNT, w);
        if (rc == TG_OK && !field_has(&w[W_SCHEMA]))
            rc = field_refuse_missing(&d->in, at, "json_schema");
        if (rc == TG_OK)
            rc = read_wrap(d, at, w);
    }
    if (rc == TG_OK && d->req->format_schema.n && d->req->format_name.n == 0)
        d->req->format_name = STR("response");
    return rc;
}

tg_rc
chat_read_format(struct chat_dec *d, const struct json_member *format)
{
    static const char *const keys[] = {"type", "json_schema"};
    struct field_at at = {NULL, "response_format", 0}, type_at = {&at, "type", 0};
    struct json_member m[2];
    struct str type = {NULL, 0};
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
        return read_schema(d, &at, format, &m[1]);
    return field_refuse(&d->in, &type_at, "invalid_value",
                        "must be \"text\", \"json_object\" or \"json_schema\"");
}
