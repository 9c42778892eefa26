/* scan.c -- walking objects and arrays, and looking members up.
 *
 * The iterator stands between members.  To get past a value that is an object or array it
 * counts brackets outside strings; what is inside is not looked at, because json_check has seen
 * it.  On a text that was never checked that may miss an error, or stop with TG_EINVAL at
 * another place than json_check would, and that is all: every step compares with the end of the
 * text.
 */
#include "json/scan.h"

#include "json/scan_int.h"

static const uint8_t kinds[256] = {
    ['n'] = JSON_NULL,  ['f'] = JSON_FALSE,  ['t'] = JSON_TRUE,   ['"'] = JSON_STRING,
    ['['] = JSON_ARRAY, ['{'] = JSON_OBJECT, ['-'] = JSON_NUMBER, ['0' ... '9'] = JSON_NUMBER,
};

enum json_kind
json_kind_of(struct str value)
{
    for (size_t i = 0; i < value.n; i++) {
        if (!json_is_space(value.p[i]))
            return (enum json_kind)kinds[(unsigned char)value.p[i]];
    }
    return JSON_NONE;
}

const char *
json_number_end(const char *p, const char *end)
{
    return json_skip_number(p, end);
}

/* p is at the value's first byte (p < end). */
static inline const char *
skip_value(const char *p, const char *end, enum json_kind kind)
{
    bool escapes;

    switch (kind) {
    case JSON_STRING:
        return json_skip_string(p + 1, end, &escapes);
    case JSON_ARRAY:
    case JSON_OBJECT:
        return json_skip_nested(p, end);
    case JSON_NUMBER:
        return json_skip_number(p, end);
    case JSON_NULL:
    case JSON_TRUE:
    case JSON_FALSE:
        return json_skip_word(p, end);
    case JSON_NONE:
        break;
    }
    return NULL;
}

static tg_rc
begin(struct json_iter *it, struct str value, bool object)
{
    const char *p = value.n ? value.p : "", *end = p + value.n;

    p = json_skip_space(p, end);
    *it = (struct json_iter){.p = p, .end = end, .object = object, .first = true};
    if (p == end || *p != (object ? '{' : '[')) {
        it->done = true;
        it->rc = TG_EINVAL;
        return TG_EINVAL;
    }
    it->p++;
    return TG_OK;
}

tg_rc
json_object(struct json_iter *it, struct str value)
{
    return begin(it, value, true);
}

tg_rc
json_array(struct json_iter *it, struct str value)
{
    return begin(it, value, false);
}

static bool
stop(struct json_iter *it, tg_rc rc)
{
    it->done = true;
    it->rc = rc;
    return false;
}

/* Reads "key" : and returns the place of the value, or NULL. */
static inline const char *
read_key(const char *p, const char *end, struct str *ret)
{
    const char *after;
    bool escapes;

    if (*p != '"')
        return NULL;
    after = json_skip_string(p + 1, end, &escapes);
    if (!after)
        return NULL;
    *ret = str_of(p + 1, (size_t)(after - p) - 2);
    after = json_skip_space(after, end);
    if (after == end || *after != ':')
        return NULL;
    return json_skip_space(after + 1, end);
}

/* Inlined into the loops of this file, which is where most members are passed over. */
static inline __attribute__((always_inline)) bool
next(struct json_iter *it, struct json_member *ret)
{
    const char *end = it->end, *p, *whole, *after;
    struct str key = {NULL, 0};
    enum json_kind kind;

    if (it->done)
        return false;
    p = json_skip_space(it->p, end);
    if (p == end)
        return stop(it, TG_EINVAL);
    if (*p == (it->object ? '}' : ']'))
        return stop(it, TG_OK);
    if (!it->first) {
        if (*p != ',')
            return stop(it, TG_EINVAL);
        p = json_skip_space(p + 1, end);
    }
    whole = p;
    if (it->object && p < end)
        p = read_key(p, end, &key);
    if (!p || p == end)
        return stop(it, TG_EINVAL);
    kind = (enum json_kind)kinds[(unsigned char)*p];
    after = skip_value(p, end, kind);
    if (!after)
        return stop(it, TG_EINVAL);
    it->p = after;
    it->first = false;
    ret->key = key;
    ret->value = str_of(p, (size_t)(after - p));
    ret->kind = kind;
    ret->whole = str_of(whole, (size_t)(after - whole));
    return true;
}

bool
json_next(struct json_iter *it, struct json_member *ret)
{
    return next(it, ret);
}

bool
json_get(struct str object, struct str name, struct json_member *ret)
{
    struct json_iter it;
    struct json_member m, found = {.kind = JSON_NONE};

    if (json_object(&it, object) != TG_OK)
        return false;
    while (next(&it, &m)) {
        if (json_key_is(m.key, name))
            found = m;
    }
    if (it.rc != TG_OK || found.kind == JSON_NONE)
        return false;
    *ret = found;
    return true;
}

bool
json_pick(struct str object, const struct str *names, unsigned n, struct json_member *ret)
{
    struct json_iter it;
    struct json_member m;

    for (unsigned i = 0; i < n; i++)
        ret[i].kind = JSON_NONE;
    if (json_object(&it, object) != TG_OK)
        return false;
    while (next(&it, &m))
        for (unsigned i = 0; i < n; i++)
            if (json_key_is(m.key, names[i])) {
                ret[i] = m;
                break;
            }
    for (unsigned i = 0; i < n && it.rc != TG_OK; i++)
        ret[i].kind = JSON_NONE;
    return it.rc == TG_OK;
}

/* The element with this index, written in decimal digits. */
static bool
get_element(struct str array, struct str index, struct json_member *ret)
{
    struct json_iter it;
    uint64_t want = 0;

    if (index.n == 0 || index.n > 18)
        return false;
    for (size_t i = 0; i < index.n; i++) {
        if (index.p[i] < '0' || index.p[i] > '9')
            return false;
        want = want * 10 + (uint64_t)(index.p[i] - '0');
    }
    if (json_array(&it, array) != TG_OK)
        return false;
    for (uint64_t i = 0; json_next(&it, ret); i++) {
        if (i == want)
            return true;
    }
    return false;
}

bool
json_path(struct str value, const char *path, struct json_member *ret)
{
    struct str rest = str_z(path);
    struct json_member m = {.value = json_trim(value)};

    m.whole = m.value;
    m.kind = json_kind_of(m.value);
    while (rest.n > 0) {
        struct str step = str_cut(rest, '.', &rest);
        bool there =
            m.kind == JSON_ARRAY ? get_element(m.value, step, &m) : json_get(m.value, step, &m);

        if (!there)
            return false;
    }
    if (m.kind == JSON_NONE)
        return false;
    *ret = m;
    return true;
}
