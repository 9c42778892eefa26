/* field.c -- reading the fields of a JSON request, with errors that name the field.
 *
 * Every reader names the place when it refuses.  Absent and null are the same thing in all
 * dialects, so the readers leave *ret as it was for both.
 */
#include "json/field.h"

#include <stdarg.h>
#include <stdio.h>

/* Names are the decoders' own and there is a handful of them in a place. */
enum { PLACE_BYTES = 512 };

/* Spells the chain out, root first.  As deep as the code that reads nests: a handful. */
static size_t
spell(const struct field_at *at, char *out, size_t size)
{
    size_t n = 0;
    int k;

    if (!at)
        return 0;
    n = spell(at->up, out, size);
    if (n >= size - 1)
        return n;
    k = at->name ? snprintf(out + n, size - n, "%s%s", n ? "." : "", at->name)
                 : snprintf(out + n, size - n, "%s%u", n ? "." : "", at->index);
    if (k < 0)
        return n;
    return n + (size_t)k < size ? n + (size_t)k : size - 1;
}

struct str
field_place(struct arena *a, const struct field_at *at)
{
    char out[PLACE_BYTES];

    return arena_dup(a, str_of(out, spell(at, out, sizeof out)));
}

tg_rc
field_refuse(const struct field_reader *r, const struct field_at *at, const char *code,
             const char *fmt, ...)
{
    char where[96] = "", text[256];
    va_list ap;

    va_start(ap, fmt);
    if (vsnprintf(text, sizeof text, fmt, ap) < 0)
        text[0] = '\0';
    va_end(ap);
    spell(at, where, sizeof where);
    if (!where[0])
        return tg_refuse(r->err, code, NULL, "%s", text);
    return tg_refuse(r->err, code, where, "'%s': %s", where, text);
}

tg_rc
field_refuse_type(const struct field_reader *r, const struct field_at *at, const char *want,
                  enum json_kind got)
{
    static const char *const names[] = {
        [JSON_NONE] = "nothing",   [JSON_NULL] = "null",        [JSON_FALSE] = "a boolean",
        [JSON_TRUE] = "a boolean", [JSON_NUMBER] = "a number",  [JSON_STRING] = "a string",
        [JSON_ARRAY] = "an array", [JSON_OBJECT] = "an object",
    };

    return field_refuse(r, at, "invalid_type", "expected %s, got %s", want, names[got]);
}

tg_rc
field_refuse_missing(const struct field_reader *r, const struct field_at *up, const char *name)
{
    struct field_at at = {up, name, 0};

    return field_refuse(r, &at, "missing_required_parameter", "this field is required");
}

tg_rc
field_pick(const struct field_reader *r, const struct field_at *at, struct str object,
           const char *const *names, unsigned n, struct json_member *ret)
{
    struct json_iter it;
    struct json_member m;

    for (unsigned i = 0; i < n; i++)
        ret[i] = (struct json_member){.kind = JSON_NONE};
    if (json_object(&it, object) != TG_OK)
        return field_refuse_type(r, at, "an object", json_kind_of(object));
    while (json_next(&it, &m))
        for (unsigned i = 0; i < n; i++)
            if (json_key_is(m.key, str_z(names[i]))) {
                ret[i] = m;
                break;
            }
    return TG_OK;
}

tg_rc
field_string(const struct field_reader *r, const struct field_at *at,
             const struct json_member *m, struct str *ret)
{
    if (!field_has(m))
        return TG_OK;
    if (m->kind != JSON_STRING)
        return field_refuse_type(r, at, "a string", m->kind);
    if (json_string(r->a, m->value, ret) != TG_OK)
        return field_refuse(r, at, "invalid_value",
                            "the string holds half of a surrogate pair");
    return TG_OK;
}

tg_rc
field_string_needed(const struct field_reader *r, const struct field_at *up, const char *name,
                    const struct json_member *m, struct str *ret)
{
    struct field_at at = {up, name, 0};
    struct str s = {NULL, 0};
    tg_rc rc;

    if (!field_has(m))
        return field_refuse_missing(r, up, name);
    rc = field_string(r, &at, m, &s);
    if (rc == TG_OK && s.n == 0)
        rc = field_refuse(r, &at, "invalid_value", "must not be empty");
    if (rc == TG_OK)
        *ret = s;
    return rc;
}

tg_rc
field_bool(const struct field_reader *r, const struct field_at *at, const struct json_member *m,
           bool *ret)
{
    if (!field_has(m))
        return TG_OK;
    if (m->kind != JSON_TRUE && m->kind != JSON_FALSE)
        return field_refuse_type(r, at, "a boolean", m->kind);
    *ret = m->kind == JSON_TRUE;
    return TG_OK;
}

tg_rc
field_int(const struct field_reader *r, const struct field_at *at, const struct json_member *m,
          int64_t min, int64_t max, int64_t *ret)
{
    int64_t v;
    tg_rc rc;

    if (!field_has(m))
        return TG_OK;
    if (m->kind != JSON_NUMBER)
        return field_refuse_type(r, at, "an integer", m->kind);
    rc = json_i64(m->value, &v);
    if (rc == TG_EINVAL)
        return field_refuse(r, at, "invalid_type", "expected an integer, got a fraction");
    if (rc != TG_OK || v < min || v > max)
        return field_refuse(r, at, "invalid_value", "must be from %lld to %lld", (long long)min,
                            (long long)max);
    *ret = v;
    return TG_OK;
}

tg_rc
field_check(const struct field_reader *r, struct str body)
{
    tg_rc rc = json_check(body, JSON_DEPTH_MAX, r->err);

    if (rc == TG_OK && json_kind_of(body) != JSON_OBJECT)
        rc = field_refuse(r, NULL, "invalid_type", "the request body must be a JSON object");
    return rc;
}
