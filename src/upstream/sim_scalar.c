/* sim_scalar.c -- types, enumerations, numbers and strings that obey a schema.
 *
 * Numbers are doubles here, as in most schemas' authors' minds; values that are given come out
 * as the bytes they are.
 */
#include <math.h>
#include <stdio.h>

#include "upstream/sim_schema_int.h"
#include "json/write.h"

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

static double
number_or(const struct schema_node *n, enum keyword k, double otherwise)
{
    double v;

    return json_double(n->at[k], &v) == TG_OK ? v : otherwise;
}

int64_t
schema_count(const struct schema_node *n, enum keyword k, int64_t otherwise)
{
    int64_t v;

    return json_i64(n->at[k], &v) == TG_OK && v >= 0 ? v : otherwise;
}

enum json_kind
schema_kind(struct str quoted)
{
    static const struct {
        struct str name;
        enum json_kind kind;
    } rows[] = {
        {{"\"object\"", 8}, JSON_OBJECT}, {{"\"array\"", 7}, JSON_ARRAY},
        {{"\"string\"", 8}, JSON_STRING}, {{"\"integer\"", 9}, JSON_NUMBER},
        {{"\"number\"", 8}, JSON_NUMBER}, {{"\"boolean\"", 9}, JSON_TRUE},
        {{"\"null\"", 6}, JSON_NULL},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        if (str_eq(quoted, rows[i].name))
            return rows[i].kind;
    return JSON_NONE;
}

/* The name of the type to make, in quotes: the first of a list that is not null.  Empty: the
 * schema does not say. */
static struct str
type_of(const struct schema_node *n)
{
    struct str type = n->at[K_TYPE], first = {NULL, 0};
    struct json_iter it;
    struct json_member m;

    if (json_kind_of(type) != JSON_ARRAY)
        return type;
    (void)!json_array(&it, type);
    while (json_next(&it, &m)) {
        if (first.n == 0 || str_eq(first, STR("\"null\"")))
            first = m.value;
    }
    return first;
}

static struct str
guess_type(const struct schema_node *n, bool object)
{
    static const struct {
        enum keyword from, to;
        struct str type;
    } rows[] = {
        {K_PROPERTIES, K_MAX_PROPERTIES, {"\"object\"", 8}},
        {K_ITEMS, K_UNIQUE, {"\"array\"", 7}},
        {K_MINIMUM, K_MULTIPLE, {"\"number\"", 8}},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        for (int k = (int)rows[i].from; k <= (int)rows[i].to; k++)
            if (n->at[k].n)
                return rows[i].type;
    return object ? STR("\"object\"") : STR("\"string\"");
}

bool
schema_type_allows(const struct schema_node *n, struct str v)
{
    struct str type = n->at[K_TYPE];
    enum json_kind kind = json_kind_of(v);
    struct json_iter it;
    struct json_member m;
    int64_t whole;

    if (type.n == 0)
        return true;
    if (kind == JSON_FALSE)
        kind = JSON_TRUE;
    if (json_array(&it, type) != TG_OK)
        return schema_kind(type) == kind &&
               (!str_eq(type, STR("\"integer\"")) || json_i64(v, &whole) != TG_EINVAL);
    while (json_next(&it, &m))
        if (schema_kind(m.value) == kind)
            return true;
    return false;
}

bool
schema_enum(struct schema_gen *g, const struct schema_node *n)
{
    struct json_iter it;
    struct json_member m;
    uint64_t fit = 0, pick;

    for (int pass = 0; pass < 2; pass++) {
        if (json_array(&it, n->at[K_ENUM]) != TG_OK)
            return schema_fail(g, "enum must be a list");
        pick = pass ? sim_rng_below(&g->rng, fit) : 0;
        while (json_next(&it, &m)) {
            if (!schema_type_allows(n, m.value))
                continue;
            if (pass && pick-- == 0)
                return schema_put(g, m.value);
            fit += pass == 0;
        }
        if (fit == 0)
            return schema_fail(g, "no value of its enum is of its type");
    }
    return schema_fail(g, "enum must be a list");
}

struct range {
    double lo, hi;
    bool lo_out, hi_out; /* the bound itself is not in */
};

static struct range
range_of(const struct schema_node *n)
{
    struct range r = {number_or(n, K_MINIMUM, -INFINITY), number_or(n, K_MAXIMUM, INFINITY),
                      false, false};
    double lo = number_or(n, K_EX_MINIMUM, -INFINITY),
           hi = number_or(n, K_EX_MAXIMUM, INFINITY);

    if (json_kind_of(n->at[K_EX_MINIMUM]) == JSON_TRUE)
        r.lo_out = true;
    if (json_kind_of(n->at[K_EX_MAXIMUM]) == JSON_TRUE)
        r.hi_out = true;
    if (lo >= r.lo && isfinite(lo)) {
        r.lo = lo;
        r.lo_out = true;
    }
    if (hi <= r.hi && isfinite(hi)) {
        r.hi = hi;
        r.hi_out = true;
    }
    return r;
}

/* Bounds where there are none: a span of 100 that has 0 to 100 in it if it can. */
static void
bound(struct range *r)
{
    if (!isfinite(r->lo) && !isfinite(r->hi)) {
        r->lo = 0;
        r->hi = 100;
    } else if (!isfinite(r->hi)) {
        r->hi = r->lo + 100;
    } else if (!isfinite(r->lo)) {
        r->lo = r->hi >= 1 ? 0 : r->hi - 100;
    }
}

static bool
in_range(const struct range *r, double v)
{
    return (r->lo_out ? v > r->lo : v >= r->lo) && (r->hi_out ? v < r->hi : v <= r->hi);
}

static bool
put_number(struct schema_gen *g, double v)
{
    struct json_out o;

    if (fabs(v) < 9007199254740992.0 && v == floor(v)) {
        json_begin(&o, g->out);
        json_int(&o, (int64_t)v);
    } else {
        json_begin(&o, g->out);
        json_double_put(&o, v);
    }
    return json_end(&o) == TG_OK || schema_fail(g, "the value would be too large");
}

/* A multiple of step in the range, tried from a random one on. */
static bool
stepped(struct schema_gen *g, const struct range *r, double step, bool integer)
{
    double first = ceil(r->lo / step), n = floor(r->hi / step) - first;

    if (n >= 0) {
        double from = (double)sim_rng_below(&g->rng, n < 100 ? (uint64_t)n + 1 : 100);

        for (int tries = 0; tries < 128; tries++) {
            double v = (first + from) * step;

            if (in_range(r, v) && (!integer || v == floor(v)))
                return put_number(g, v);
            from = from >= n ? 0 : from + 1;
        }
    }
    return schema_fail(g, "no number is within its bounds");
}

bool
schema_number(struct schema_gen *g, const struct schema_node *n, bool integer)
{
    struct range r = range_of(n);
    double step = number_or(n, K_MULTIPLE, 0), v, neat;

    bound(&r);
    if (step > 0)
        return stepped(g, &r, step, integer);
    if (integer)
        return stepped(g, &r, 1, true);
    v = r.lo + (r.hi - r.lo) * (double)(1 + sim_rng_below(&g->rng, 9)) / 10;
    neat = round(v * 100) / 100;
    if (in_range(&r, neat))
        v = neat;
    if (!in_range(&r, v))
        return schema_fail(g, "no number is within its bounds");
    return put_number(g, v);
}

static struct str
formatted(struct str format)
{
    static const struct {
        struct str name, text;
    } rows[] = {
        {{"\"date-time\"", 11}, {"2024-05-17T09:30:00Z", 20}},
        {{"\"date\"", 6}, {"2024-05-17", 10}},
        {{"\"time\"", 6}, {"09:30:00Z", 9}},
        {{"\"duration\"", 10}, {"PT15M", 5}},
        {{"\"email\"", 7}, {"ada@example.com", 15}},
        {{"\"hostname\"", 10}, {"example.com", 11}},
        {{"\"ipv4\"", 6}, {"192.0.2.1", 9}},
        {{"\"ipv6\"", 6}, {"2001:db8::1", 11}},
        {{"\"uuid\"", 6}, {"0f8fad5b-d9cb-469f-a165-70867728950e", 36}},
        {{"\"uri\"", 5}, {"https://example.com/", 20}},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        if (str_eq(format, rows[i].name))
            return rows[i].text;
    return (struct str){NULL, 0};
}

/* ASCII, so that bytes are characters. */
bool
schema_string(struct schema_gen *g, const struct schema_node *n)
{
    static const char *const words[] = {"river",  "lantern", "harbour",
                                        "copper", "quiet",   "seven"};
    int64_t min = schema_count(n, K_MIN_LENGTH, 0),
            max = schema_count(n, K_MAX_LENGTH, INT64_MAX);
    struct str text = formatted(n->at[K_FORMAT]);
    int64_t made = 0;

    if (min > max)
        return schema_fail(g, "minLength is above maxLength");
    if (text.n) {
        if ((int64_t)text.n < min || (int64_t)text.n > max)
            return schema_fail(g, "its format does not fit its length");
        return schema_put(g, STR("\"")) && schema_put(g, text) && schema_put(g, STR("\""));
    }
    if (!schema_put(g, STR("\"")))
        return false;
    do {
        text = str_z(words[sim_rng_below(&g->rng, COUNT(words))]);
        if (made > 0 && made < max) {
            if (!schema_put(g, STR(" ")))
                return false;
            made++;
        }
        if ((int64_t)text.n > max - made)
            text.n = (size_t)(max - made);
        if (!schema_put(g, text))
            return false;
        made += (int64_t)text.n;
    } while (made < min);
    return schema_put(g, STR("\""));
}

struct str
schema_type(const struct schema_node *n, bool object)
{
    struct str type = type_of(n);

    return type.n ? type : guess_type(n, object);
}
