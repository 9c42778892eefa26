/* sim_schema.c -- a JSON value that obeys a JSON schema.
 *
 * The schema is read where it lies: constants and enumerated values come out as the bytes they
 * are. Understood are type (also a list), enum, const, properties, required,
 * additionalProperties, minProperties, maxProperties, items, prefixItems, minItems, maxItems,
 * uniqueItems, minimum, maximum, exclusiveMinimum and -Maximum (numbers, or the older
 * booleans), multipleOf, minLength, maxLength, common formats, anyOf and oneOf (the first
 * branch that can be obeyed), allOf with one element, and $ref within the document.
 *
 * Not looked at: pattern, not, if, dependent and pattern properties, and what stands beside
 * $ref, allOf, anyOf or oneOf, unless beside the last two there are properties: then those
 * count.
 *
 * Everything is bounded: depth, bytes made, nodes and bytes read.  Below a few levels optional
 * properties are left out, arrays are as short as they may be and branches without references
 * come first, so recursive schemas end.  What cannot be obeyed, or not within the bounds, is an
 * error that says why; it is never a wrong value.
 */
#include <stdio.h>

#include "upstream/sim_schema_int.h"

enum {
    DEPTH_MAX = 24,
    DEPTH_SPARE = 4, /* from here on only what must be */
    NODES_MAX = 4096,
    READ_MAX = 4 << 20,
    UNIQUE_TRIES = 64
};

static const char *const names[K_N] = {
    "$ref",
    "const",
    "enum",
    "type",
    "allOf",
    "anyOf",
    "oneOf",
    "properties",
    "required",
    "additionalProperties",
    "minProperties",
    "maxProperties",
    "items",
    "prefixItems",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "format",
};

static bool value(struct schema_gen *g, struct str schema, unsigned depth, bool object);

bool
schema_fail(struct schema_gen *g, const char *why)
{
    g->why = why;
    return false;
}

bool
schema_put(struct schema_gen *g, struct str s)
{
    return buf_append(g->out, s) == TG_OK || schema_fail(g, "the value would be too large");
}

/* One pass over the schema's members. */
static bool
read_node(struct schema_gen *g, struct str schema, struct schema_node **ret)
{
    struct schema_node *n = arena_new(g->a, struct schema_node);
    struct json_iter it;
    struct json_member m;

    g->read += schema.n;
    if (++g->nodes > NODES_MAX || g->read > READ_MAX)
        return schema_fail(g, "it is too large or too recursive");
    if (json_object(&it, schema) != TG_OK)
        return schema_fail(g, "a schema must be an object or a boolean");
    while (json_next(&it, &m))
        for (int k = 0; k < K_N; k++)
            if (json_key_is(m.key, str_z(names[k])))
                n->at[k] = m.value;
    *ret = n;
    return true;
}

/* One step of a JSON pointer (RFC 6901), its escapes undone. */
static struct str
pointer_step(struct schema_gen *g, struct str *rest)
{
    struct str raw = str_cut(*rest, '/', rest);
    char *p = arena_alloc(g->a, raw.n + 1, 1);
    size_t n = 0;

    for (size_t i = 0; i < raw.n; i++) {
        bool escape = raw.p[i] == '~' && i + 1 < raw.n;

        p[n++] = !escape ? raw.p[i] : raw.p[i + 1] == '1' ? '/' : '~';
        i += escape;
    }
    return str_of(p, n);
}

static bool
resolve(struct schema_gen *g, struct str ref, struct str *ret)
{
    struct str pointer, at = g->root;
    struct json_member m;

    if (json_string(g->a, ref, &pointer) != TG_OK || !str_starts(pointer, STR("#")))
        return schema_fail(g, "only references within the schema (#/...) can be followed");
    pointer = str_from(pointer, 1);
    if (pointer.n && pointer.p[0] != '/')
        return schema_fail(g, "only references by path (#/...) can be followed");
    pointer = str_from(pointer, 1);
    while (pointer.n) {
        struct str step = pointer_step(g, &pointer);
        bool there = false;

        g->read += at.n;
        if (g->read > READ_MAX)
            return schema_fail(g, "it is too large or too recursive");
        if (json_kind_of(at) == JSON_OBJECT)
            there = json_get(at, step, &m);
        else if (step.n < 8)
            there = json_path(at, arena_dup(g->a, step).p, &m);
        if (!there)
            return schema_fail(g, "a reference leads nowhere");
        at = m.value;
    }
    *ret = at;
    return true;
}

static bool
is_required(struct schema_gen *g, const struct schema_node *n, struct str raw_key)
{
    struct json_iter it;
    struct json_member m;
    struct str name;

    if (json_array(&it, n->at[K_REQUIRED]) != TG_OK)
        return false;
    g->read += n->at[K_REQUIRED].n;
    while (json_next(&it, &m))
        if (json_string(g->a, m.value, &name) == TG_OK && json_key_is(raw_key, name))
            return true;
    return false;
}

/* `"key":value`, with a comma before it when needed; nothing when it fails. */
static bool
member(struct schema_gen *g, struct str raw_key, struct str schema, int64_t *n_made,
       unsigned depth)
{
    size_t before = g->out->n;

    if (schema_put(g, *n_made ? STR(",\"") : STR("\"")) && schema_put(g, raw_key) &&
        schema_put(g, STR("\":")) && value(g, schema, depth + 1, false)) {
        ++*n_made;
        return true;
    }
    if (!g->where[0])
        snprintf(g->where, sizeof g->where, "%.*s", (int)(raw_key.n < 40 ? raw_key.n : 40),
                 raw_key.p);
    buf_truncate(g->out, before);
    return false;
}

/* Required names that properties does not have. */
static bool
other_required(struct schema_gen *g, const struct schema_node *n, int64_t *n_made,
               unsigned depth)
{
    struct str additional = n->at[K_ADDITIONAL];
    struct json_iter it;
    struct json_member m, there;
    struct str name;

    if (json_array(&it, n->at[K_REQUIRED]) != TG_OK)
        return true;
    while (json_next(&it, &m)) {
        g->read += n->at[K_PROPERTIES].n;
        if (g->read > READ_MAX)
            return schema_fail(g, "it is too large or too recursive");
        if (m.kind != JSON_STRING || json_string(g->a, m.value, &name) != TG_OK)
            return schema_fail(g, "required must be a list of names");
        if (json_get(n->at[K_PROPERTIES], name, &there))
            continue;
        if (json_kind_of(additional) == JSON_FALSE)
            return schema_fail(g, "a required property is not among those allowed");
        if (!member(g, str_of(m.value.p + 1, m.value.n - 2),
                    additional.n ? additional : STR("{}"), n_made, depth))
            return false;
    }
    return true;
}

static bool
object_value(struct schema_gen *g, const struct schema_node *n, unsigned depth)
{
    int64_t made = 0, min = schema_count(n, K_MIN_PROPERTIES, 0),
            max = schema_count(n, K_MAX_PROPERTIES, INT64_MAX);
    struct str additional = n->at[K_ADDITIONAL];
    struct json_iter it;
    struct json_member m;
    char key[24];

    if (!schema_put(g, STR("{")) || !other_required(g, n, &made, depth))
        return false;
    /* Required ones first, so that maxProperties never leaves one out. */
    for (int optional = 0; optional < 2; optional++) {
        if (json_object(&it, n->at[K_PROPERTIES]) != TG_OK)
            break;
        while (json_next(&it, &m)) {
            if (g->read > READ_MAX)
                return schema_fail(g, "it is too large or too recursive");
            if (is_required(g, n, m.key) == (bool)optional)
                continue;
            if (optional && (made >= max || (depth >= DEPTH_SPARE && made >= min)))
                break;
            if (!member(g, m.key, m.value, &made, depth) && !optional)
                return false;
            if (optional)
                g->where[0] = '\0';
        }
    }
    for (unsigned i = 1; made < min; i++) {
        if (json_kind_of(additional) == JSON_FALSE)
            return schema_fail(g, "minProperties asks for more than the properties allowed");
        snprintf(key, sizeof key, "extra_%u", i);
        if (!member(g, str_z(key), additional.n ? additional : STR("{}"), &made, depth))
            return false;
    }
    if (made > max)
        return schema_fail(g, "more properties are required than maxProperties allows");
    return schema_put(g, STR("}"));
}

/* Has the text from byte `at` on been made before, as one of the elements behind `from`? */
static bool
repeated(struct schema_gen *g, size_t from, size_t at)
{
    struct str all = str_from(buf_str(g->out), from), last = str_from(buf_str(g->out), at);
    struct str list;
    struct json_iter it;
    struct json_member m;

    if (at == from)
        return false;
    g->read += at - from;
    list = arena_printf(g->a, "%.*s]", (int)(at - from), all.p);
    (void)!json_array(&it, list);
    while (json_next(&it, &m))
        if (str_eq(m.value, last))
            return true;
    return false;
}

static bool
element(struct schema_gen *g, const struct schema_node *n, struct str schema, size_t from,
        unsigned depth)
{
    bool unique = json_kind_of(n->at[K_UNIQUE]) == JSON_TRUE;
    size_t at = g->out->n;

    for (int tries = 0; tries < UNIQUE_TRIES; tries++) {
        if (!value(g, schema, depth + 1, false))
            return false;
        if (!unique || !repeated(g, from, at))
            return true;
        if (g->read > READ_MAX)
            return schema_fail(g, "it is too large or too recursive");
        buf_truncate(g->out, at);
    }
    return schema_fail(g, "not enough different elements were found");
}

static bool
array_value(struct schema_gen *g, const struct schema_node *n, unsigned depth)
{
    int64_t min = schema_count(n, K_MIN_ITEMS, 0),
            max = schema_count(n, K_MAX_ITEMS, INT64_MAX), want;
    struct json_iter prefix = {.done = true};
    size_t from = g->out->n, before;
    struct json_member m;

    if (min > max)
        return schema_fail(g, "minItems is above maxItems");
    want = depth >= DEPTH_SPARE ? min : 2;
    want = want < min ? min : want > max ? max : want;
    if (json_array(&prefix, n->at[K_PREFIX_ITEMS]) != TG_OK)
        prefix.done = true;
    if (!schema_put(g, STR("[")))
        return false;
    for (int64_t i = 0; i < want; i++) {
        struct str schema = json_next(&prefix, &m) ? m.value : n->at[K_ITEMS];

        before = g->out->n;
        if (i > 0 && !schema_put(g, STR(",")))
            return false;
        if (!element(g, n, schema.n ? schema : STR("{}"), from, depth)) {
            if (i < min)
                return false;
            buf_truncate(g->out, before); /* as long as it may be */
            break;
        }
    }
    return schema_put(g, STR("]"));
}

static bool
first_branch(struct schema_gen *g, struct str branches, unsigned depth, bool object)
{
    size_t before = g->out->n;

    /* Deep down, branches without references come first. */
    for (int pass = depth >= DEPTH_SPARE ? 0 : 1; pass < 2; pass++) {
        struct json_iter it;
        struct json_member m;

        if (json_array(&it, branches) != TG_OK)
            return schema_fail(g, "anyOf and oneOf must be lists");
        while (json_next(&it, &m)) {
            if (pass == 0 && memmem(m.value.p, m.value.n, "\"$ref\"", 6))
                continue;
            g->where[0] = '\0';
            if (value(g, m.value, depth + 1, object))
                return true;
            buf_truncate(g->out, before);
            if (g->nodes > NODES_MAX || g->read > READ_MAX)
                return false;
        }
    }
    return g->why ? false : schema_fail(g, "none of its branches can be obeyed");
}

static bool
typed(struct schema_gen *g, const struct schema_node *n, unsigned depth, bool object)
{
    struct str type = schema_type(n, object);

    switch (schema_kind(type)) {
    case JSON_OBJECT:
        return object_value(g, n, depth);
    case JSON_ARRAY:
        return array_value(g, n, depth);
    case JSON_STRING:
        return schema_string(g, n);
    case JSON_NUMBER:
        return schema_number(g, n, str_eq(type, STR("\"integer\"")));
    case JSON_TRUE:
        return schema_put(g, sim_rng_below(&g->rng, 2) ? STR("true") : STR("false"));
    case JSON_NULL:
        return schema_put(g, STR("null"));
    default:
        return schema_fail(g, "its type is not one of JSON's");
    }
}

/* Recursion: at most DEPTH_MAX levels of value and one of the functions above. */
static bool
value(struct schema_gen *g, struct str schema, unsigned depth, bool object)
{
    struct str branches, target;
    struct json_iter it;
    struct json_member m;
    struct schema_node *n;

    if (depth > DEPTH_MAX)
        return schema_fail(g, "it is nested too deeply");
    if (json_kind_of(schema) == JSON_TRUE)
        return schema_put(g, object ? STR("{}") : STR("null"));
    if (json_kind_of(schema) == JSON_FALSE)
        return schema_fail(g, "a schema is false, which nothing obeys");
    if (!read_node(g, schema, &n))
        return false;
    if (n->at[K_REF].n)
        return resolve(g, n->at[K_REF], &target) && value(g, target, depth + 1, object);
    if (n->at[K_CONST].n)
        return schema_type_allows(n, n->at[K_CONST])
                   ? schema_put(g, n->at[K_CONST])
                   : schema_fail(g, "its const is not of its type");
    if (n->at[K_ENUM].n)
        return schema_enum(g, n);
    if (n->at[K_ALL_OF].n && !n->at[K_PROPERTIES].n) {
        if (json_array(&it, n->at[K_ALL_OF]) != TG_OK || !json_next(&it, &m))
            return schema_fail(g, "allOf must be a list");
        target = m.value;
        if (json_next(&it, &m))
            return schema_fail(g, "allOf with several schemas is not understood");
        return value(g, target, depth + 1, object);
    }
    branches = n->at[K_ANY_OF].n ? n->at[K_ANY_OF] : n->at[K_ONE_OF];
    if (branches.n && !n->at[K_PROPERTIES].n)
        return first_branch(g, branches, depth, object);
    return typed(g, n, depth, object);
}

tg_rc
sim_schema(struct arena *a, struct str schema, bool object, uint64_t seed, const char *what,
           struct str *ret, struct tg_err *err)
{
    struct schema_gen g = {.root = schema.n ? schema : STR("{}"), .rng = {seed}};
    struct arena scratch;
    struct buf out;
    tg_rc rc = TG_OK;
    bool made;

    arena_init(&scratch);
    buf_init(&out, SIM_SCHEMA_MAX);
    g.a = &scratch;
    g.out = &out;
    made = value(&g, g.root, 0, object);
    if (made && object && json_kind_of(buf_str(&out)) != JSON_OBJECT)
        made = schema_fail(&g, "it does not describe an object");
    if (made)
        *ret = arena_dup(a, buf_str(&out));
    else
        rc = tg_refuse(err, "invalid_schema", NULL,
                       "the simulated model cannot obey the schema of %s: %s%s%s%s", what,
                       g.where[0] ? "at property \"" : "", g.where, g.where[0] ? "\": " : "",
                       g.why);
    buf_fini(&out);
    arena_fini(&scratch);
    return rc;
}
