/* sim_schema_test.c -- values made for schemas obey them.
 *
 * What is made is judged by a checker of its own, a plain reading of the keywords over trees,
 * that shares nothing with the maker.  Each schema is tried with many seeds.
 */
#include "upstream/sim_int.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "json/tree.h"

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

typedef const struct json_node node;

static bool valid(node *root, node *schema, node *v);

static bool
same(node *a, node *b)
{
    if (a->kind != b->kind || a->n != b->n)
        return false;
    if (a->kind == JSON_STRING && !str_eq(a->text, b->text))
        return false;
    if (a->kind == JSON_NUMBER && a->number != b->number)
        return false;
    for (node *x = a->child, *y = b->child; x; x = x->next, y = y->next)
        if (!str_eq(x->key, y->key) || !same(x, y))
            return false;
    return true;
}

static bool
is_type(node *type, node *v)
{
    static const char *const names[] = {
        [JSON_NULL] = "null",     [JSON_FALSE] = "boolean", [JSON_TRUE] = "boolean",
        [JSON_NUMBER] = "number", [JSON_STRING] = "string", [JSON_ARRAY] = "array",
        [JSON_OBJECT] = "object",
    };

    if (type->kind == JSON_ARRAY) {
        for (node *t = type->child; t; t = t->next)
            if (is_type(t, v))
                return true;
        return false;
    }
    if (str_eq(type->text, STR("integer")))
        return v->kind == JSON_NUMBER && v->number == floor(v->number);
    return str_eq(type->text, str_z(names[v->kind]));
}

static node *
follow(node *root, struct str ref)
{
    char name[64];

    assert_true(str_starts(ref, STR("#")));
    ref = str_from(ref, 1);
    while (ref.n) {
        struct str step;

        ref = str_from(ref, 1);
        step = str_cut(ref, '/', &ref);
        if (ref.n)
            ref = (struct str){ref.p - 1, ref.n + 1};
        (void)snprintf(name, sizeof name, "%.*s", STR_ARG(step));
        if (root->kind == JSON_ARRAY) {
            root = root->child;
            for (int i = atoi(name); i > 0; i--)
                root = root->next;
        } else {
            root = json_node_get(root, name);
        }
        assert_non_null(root);
    }
    return root;
}

static bool
valid_object(node *root, node *s, node *v)
{
    node *props = json_node_get(s, "properties"), *required = json_node_get(s, "required");
    node *extra = json_node_get(s, "additionalProperties");
    node *min = json_node_get(s, "minProperties"), *max = json_node_get(s, "maxProperties");
    char name[256];

    for (node *r = required ? required->child : NULL; r; r = r->next) {
        (void)snprintf(name, sizeof name, "%.*s", STR_ARG(r->text));
        if (!json_node_get(v, name))
            return false;
    }
    for (node *m = v->child; m; m = m->next) {
        node *p;

        (void)snprintf(name, sizeof name, "%.*s", STR_ARG(m->key));
        for (node *o = m->next; o; o = o->next)
            if (str_eq(o->key, m->key))
                return false; /* twice */
        p = props ? json_node_get(props, name) : NULL;
        if (!p)
            p = extra;
        if (p && !valid(root, p, m))
            return false;
    }
    return (!min || v->n >= min->number) && (!max || v->n <= max->number);
}

static bool
valid_array(node *root, node *s, node *v)
{
    node *items = json_node_get(s, "items"), *prefix = json_node_get(s, "prefixItems");
    node *min = json_node_get(s, "minItems"), *max = json_node_get(s, "maxItems");
    node *unique = json_node_get(s, "uniqueItems"), *p = prefix ? prefix->child : NULL;

    for (node *e = v->child; e; e = e->next) {
        node *schema = p ? p : items;

        p = p ? p->next : NULL;
        if (schema && !valid(root, schema, e))
            return false;
        for (node *o = e->next; o && unique && unique->kind == JSON_TRUE; o = o->next)
            if (same(e, o))
                return false;
    }
    return (!min || v->n >= min->number) && (!max || v->n <= max->number);
}

static bool
valid_number(node *s, double v)
{
    node *min = json_node_get(s, "minimum"), *max = json_node_get(s, "maximum");
    node *lo = json_node_get(s, "exclusiveMinimum"), *hi = json_node_get(s, "exclusiveMaximum");
    node *step = json_node_get(s, "multipleOf");

    if (step && fabs(remainder(v, step->number)) > 1e-9)
        return false;
    if (lo &&
        (lo->kind == JSON_TRUE ? v <= min->number : lo->kind == JSON_NUMBER && v <= lo->number))
        return false;
    if (hi &&
        (hi->kind == JSON_TRUE ? v >= max->number : hi->kind == JSON_NUMBER && v >= hi->number))
        return false;
    return (!min || v >= min->number) && (!max || v <= max->number);
}

static bool
valid_string(node *s, struct str v)
{
    node *min = json_node_get(s, "minLength"), *max = json_node_get(s, "maxLength");
    size_t n = 0;

    for (size_t i = 0; i < v.n; i++)
        n += ((unsigned char)v.p[i] & 0xc0) != 0x80;
    return (!min || n >= min->number) && (!max || n <= max->number);
}

static bool
valid_any(node *root, node *s, node *v)
{
    static const char *const names[] = {"anyOf", "oneOf", "allOf"};

    for (size_t i = 0; i < COUNT(names); i++) {
        node *list = json_node_get(s, names[i]);
        unsigned fit = 0;

        if (!list)
            continue;
        for (node *b = list->child; b; b = b->next)
            fit += valid(root, b, v);
        if (fit == 0 || (i == 2 && fit != list->n))
            return false;
    }
    return true;
}

static bool
valid(node *root, node *s, node *v)
{
    node *ref, *type, *constant, *list, *e;

    if (s->kind != JSON_OBJECT)
        return s->kind == JSON_TRUE;
    ref = json_node_get(s, "$ref");
    if (ref)
        return valid(root, follow(root, ref->text), v);
    type = json_node_get(s, "type");
    if (type && !is_type(type, v))
        return false;
    constant = json_node_get(s, "const");
    if (constant && !same(constant, v))
        return false;
    list = json_node_get(s, "enum");
    for (e = list ? list->child : NULL; e && !same(e, v); e = e->next)
        continue;
    if (list && !e)
        return false;
    if (v->kind == JSON_OBJECT && !valid_object(root, s, v))
        return false;
    if (v->kind == JSON_ARRAY && !valid_array(root, s, v))
        return false;
    if (v->kind == JSON_NUMBER && !valid_number(s, v->number))
        return false;
    if (v->kind == JSON_STRING && !valid_string(s, v->text))
        return false;
    return valid_any(root, s, v);
}

static void
values_obey(void **state)
{
    static const char *const rows[] = {
        "",
        "{}",
        "true",
        "{\"type\":\"string\"}",
        "{\"type\":\"string\",\"minLength\":30}",
        "{\"type\":\"string\",\"maxLength\":3}",
        "{\"type\":\"string\",\"maxLength\":0}",
        "{\"type\":\"string\",\"minLength\":7,\"maxLength\":7}",
        "{\"type\":\"string\",\"minLength\":5000}",
        "{\"minLength\":3,\"maxLength\":3}",
        "{\"type\":\"boolean\"}",
        "{\"type\":\"null\"}",
        "{\"type\":\"integer\"}",
        "{\"type\":\"integer\",\"minimum\":-5,\"maximum\":-3}",
        "{\"type\":\"integer\",\"exclusiveMinimum\":4,\"exclusiveMaximum\":6}",
        "{\"type\":\"integer\",\"minimum\":4,\"exclusiveMinimum\":true,\"maximum\":5}",
        "{\"type\":\"integer\",\"minimum\":0.5,\"maximum\":1.5}",
        "{\"type\":\"integer\",\"minimum\":1000000}",
        "{\"type\":\"integer\",\"maximum\":-1000000}",
        "{\"type\":\"integer\",\"multipleOf\":7,\"minimum\":50,\"maximum\":60}",
        "{\"type\":\"integer\",\"multipleOf\":0.5,\"minimum\":2.5,\"maximum\":3}",
        "{\"type\":\"number\"}",
        "{\"type\":\"number\",\"minimum\":0,\"maximum\":1}",
        "{\"type\":\"number\",\"exclusiveMinimum\":0,\"exclusiveMaximum\":0.001}",
        "{\"type\":\"number\",\"minimum\":2.5,\"maximum\":2.5}",
        "{\"type\":\"number\",\"multipleOf\":0.25,\"minimum\":1}",
        "{\"minimum\":3,\"maximum\":4}",
        "{\"type\":[\"null\",\"integer\"],\"minimum\":3}",
        "{\"type\":[\"string\",\"null\"]}",
        "{\"enum\":[\"a\",2,null,{\"x\":[1]}]}",
        "{\"type\":\"integer\",\"enum\":[\"a\",2,null,7]}",
        "{\"const\":{\"deep\":[1,{\"x\":null}]}}",
        "{\"type\":\"array\"}",
        "{\"type\":\"array\",\"items\":{\"type\":\"integer\"},\"minItems\":5}",
        "{\"type\":\"array\",\"items\":{\"type\":\"integer\"},\"maxItems\":1}",
        "{\"type\":\"array\",\"maxItems\":0}",
        "{\"type\":\"array\",\"items\":false}",
        "{\"type\":\"array\",\"uniqueItems\":true,\"minItems\":3,\"items\":{\"enum\":[1,2,3]}}",
        "{\"type\":\"array\",\"prefixItems\":[{\"type\":\"string\"},{\"type\":\"integer\"}],"
        "\"items\":"
        "{\"type\":\"null\"},\"minItems\":4}",
        "{\"type\":\"object\"}",
        "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"},\"b\":{\"type\":"
        "\"integer\"}},"
        "\"required\":[\"b\"]}",
        "{\"type\":\"object\",\"properties\":{\"a\":false,\"b\":{\"type\":\"integer\"}}}",
        "{\"type\":\"object\",\"required\":[\"x\",\"y\"]}",
        "{\"type\":\"object\",\"required\":[\"x\"],\"additionalProperties\":{\"type\":"
        "\"integer\"}}",
        "{\"type\":\"object\",\"properties\":{\"q\\\"\\u00e9\":{\"type\":\"null\"}},"
        "\"required\":[\"q\\\"é\"],"
        "\"additionalProperties\":false}",
        "{\"type\":\"object\",\"minProperties\":3}",
        "{\"type\":\"object\",\"maxProperties\":1,\"properties\":{\"a\":{},\"b\":{},\"c\":{}},"
        "\"required\":"
        "[\"b\"]}",
        "{\"properties\":{\"a\":{\"type\":\"array\",\"items\":{\"properties\":{\"b\":{\"type\":"
        "\"number\"}},"
        "\"required\":[\"b\"]}}},\"required\":[\"a\"]}",
        "{\"anyOf\":[{\"type\":\"string\",\"minLength\":4,\"maxLength\":2},{\"type\":"
        "\"integer\"}]}",
        "{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]}",
        "{\"oneOf\":[{\"type\":\"integer\",\"minimum\":5},{\"type\":\"null\"}]}",
        "{\"allOf\":[{\"$ref\":\"#/$defs/a\"}],\"$defs\":{\"a\":{\"type\":\"integer\"}}}",
        "{\"$ref\":\"#/definitions/x/"
        "1\",\"definitions\":{\"x\":[false,{\"type\":\"boolean\"}]}}",
        /* recursive: a list, a tree, and one that ends only below the surface */
        "{\"$ref\":\"#/$defs/"
        "l\",\"$defs\":{\"l\":{\"type\":\"object\",\"properties\":{\"v\":{\"type\":"
        "\"integer\"},\"next\":{\"anyOf\":[{\"$ref\":\"#/$defs/"
        "l\"},{\"type\":\"null\"}]}},\"required\":["
        "\"v\",\"next\"],\"additionalProperties\":false}}}",
        "{\"$ref\":\"#/$defs/"
        "t\",\"$defs\":{\"t\":{\"type\":\"object\",\"properties\":{\"kids\":{\"type\":"
        "\"array\",\"items\":{\"$ref\":\"#/$defs/t\"}},\"left\":{\"$ref\":\"#/$defs/"
        "t\"}},\"required\":["
        "\"kids\"]}}}",
        "{\"type\":\"object\",\"properties\":{\"a\":{\"anyOf\":[{\"$ref\":\"#\"},{\"type\":"
        "\"null\"}]},\"b\":{"
        "\"anyOf\":[{\"$ref\":\"#\"},{\"type\":\"null\"}]}},\"required\":[\"a\",\"b\"]}",
        "{\"type\":\"string\",\"format\":\"date-time\",\"minLength\":20,\"maxLength\":20}",
        "{\"type\":\"string\",\"format\":\"uuid\",\"minLength\":36,\"maxLength\":36}",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (uint64_t seed = 0; seed < 40; seed++) {
            struct json_node *schema, *value;
            struct str text = {NULL, 0};
            struct tg_err err = {0};
            struct arena a;

            arena_init(&a);
            if (sim_schema(&a, str_z(rows[i]), false, seed, "s", &text, &err) != TG_OK)
                fail_msg("%s: %s", rows[i], err.msg);
            assert_int_equal(
                json_tree(&a, *rows[i] ? str_z(rows[i]) : STR("{}"), &schema, &err), TG_OK);
            if (json_tree(&a, text, &value, &err) != TG_OK || !valid(schema, schema, value))
                fail_msg("%s: %.*s", rows[i], STR_ARG(text));
            arena_fini(&a);
        }
}

/* Numbers that are given come out as they were written. */
static void
given_values_keep_their_bytes(void **state)
{
    static const struct {
        const char *schema, *want;
    } rows[] = {
        {"{\"const\":9007199254740993}", "9007199254740993"},
        {"{\"const\":1.50e0 }", "1.50e0"},
        {"{\"enum\":[ \"\\u00e9\" ]}", "\"\\u00e9\""},
        {"{\"type\":\"integer\",\"enum\":[9007199254740993]}", "9007199254740993"},
        {"{\"properties\":{\"a\\/b\":{\"const\":1}}}", "{\"a\\/b\":1}"},
    };
    struct arena a;

    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str text = {NULL, 0};

        assert_int_equal(sim_schema(&a, str_z(rows[i].schema), false, 1, "s", &text, NULL),
                         TG_OK);
        assert_true(str_eq(text, str_z(rows[i].want)));
    }
    arena_fini(&a);
}

static void
what_cannot_be_obeyed_is_an_error(void **state)
{
    static const struct {
        const char *schema, *says;
    } rows[] = {
        {"false", "false"},
        {"7", "object or a boolean"},
        {"{\"type\":\"integer\",\"minimum\":2,\"maximum\":1}", "bounds"},
        {"{\"type\":\"integer\",\"minimum\":0.2,\"maximum\":0.8}", "bounds"},
        {"{\"type\":\"integer\",\"exclusiveMinimum\":1,\"exclusiveMaximum\":2}", "bounds"},
        {"{\"type\":\"number\",\"exclusiveMinimum\":1,\"maximum\":1}", "bounds"},
        {"{\"type\":\"integer\",\"multipleOf\":7,\"minimum\":50,\"maximum\":55}", "bounds"},
        {"{\"type\":\"string\",\"minLength\":5,\"maxLength\":4}", "minLength"},
        {"{\"type\":\"string\",\"minLength\":100000}", "too large"},
        {"{\"type\":\"string\",\"format\":\"uuid\",\"maxLength\":5}", "format"},
        {"{\"type\":\"array\",\"minItems\":2,\"maxItems\":1}", "minItems"},
        {"{\"type\":\"array\",\"minItems\":1,\"items\":false}", "false"},
        {"{\"type\":\"array\",\"minItems\":9999999}", "too large"},
        {"{\"type\":\"array\",\"minItems\":4,\"uniqueItems\":true,\"items\":{\"enum\":[1,2,3]}"
         "}",
         "different"},
        {"{\"type\":\"object\",\"required\":[\"x\"],\"additionalProperties\":false}",
         "required"},
        {"{\"type\":\"object\",\"minProperties\":1,\"additionalProperties\":false}",
         "minProperties"},
        {"{\"type\":\"object\",\"maxProperties\":1,\"required\":[\"a\",\"b\"]}",
         "maxProperties"},
        {"{\"type\":\"object\",\"properties\":{\"bad\":{\"enum\":[]}},\"required\":[\"bad\"]}",
         "bad"},
        {"{\"type\":\"date\"}", "type"},
        {"{\"type\":\"string\",\"const\":1}", "const"},
        {"{\"type\":\"string\",\"enum\":[1]}", "enum"},
        {"{\"anyOf\":[false,{\"type\":\"integer\",\"minimum\":2,\"maximum\":1}]}", "bounds"},
        {"{\"anyOf\":[]}", "branches"},
        {"{\"allOf\":[{},{}]}", "allOf"},
        {"{\"$ref\":\"http://example.com/x\"}", "reference"},
        {"{\"$ref\":\"#/nowhere\"}", "nowhere"},
        {"{\"$ref\":\"#\"}", "deep"},
        {"{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#\"}},\"required\":[\"a\"]}",
         "deep"},
    };
    struct arena a;

    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str text = {NULL, 0};
        struct tg_err err = {0};

        if (sim_schema(&a, str_z(rows[i].schema), false, 1, "THIS", &text, &err) != TG_EINVAL)
            fail_msg("%s: %.*s", rows[i].schema, STR_ARG(text));
        assert_string_equal(err.code, "invalid_schema");
        assert_non_null(strstr(err.msg, "THIS"));
        if (!strstr(err.msg, rows[i].says))
            fail_msg("%s: %s", rows[i].schema, err.msg);
    }
    arena_fini(&a);
}

static void
arguments_are_objects(void **state)
{
    struct arena a;
    struct str text = {NULL, 0};
    struct tg_err err = {0};

    (void)state;
    arena_init(&a);
    assert_int_equal(sim_schema(&a, STR(""), true, 1, "s", &text, &err), TG_OK);
    assert_true(str_eq(text, STR("{}")));
    assert_int_equal(sim_schema(&a, STR("{\"description\":\"x\"}"), true, 1, "s", &text, &err),
                     TG_OK);
    assert_true(str_eq(text, STR("{}")));
    assert_int_equal(sim_schema(&a, STR("{\"type\":\"array\"}"), true, 1, "s", &text, &err),
                     TG_EINVAL);
    assert_non_null(strstr(err.msg, "object"));
    arena_fini(&a);
}

/* Schemas that would take long are given up in bounded time and memory. */
static void
heavy_schemas_are_given_up(void **state)
{
    struct arena a;
    struct buf b;
    struct str text = {NULL, 0};
    struct tg_err err = {0};
    tg_rc rc = TG_OK;

    (void)state;
    arena_init(&a);
    buf_init(&b, 64 << 20);
    /* a tree of two branches a level that may not end */
    assert_int_equal(sim_schema(&a,
                                STR("{\"properties\":{\"a\":{\"$ref\":\"#\"},\"b\":{\"$ref\":"
                                    "\"#\"}},\"required\":[\"a\","
                                    "\"b\"]}"),
                                true, 1, "s", &text, &err),
                     TG_EINVAL);
    /* many branches that all fail in the end */
    assert_int_equal(
        sim_schema(
            &a,
            STR("{\"anyOf\":[{\"$ref\":\"#\"},{\"$ref\":\"#\"},{\"$ref\":\"#\"},{\"$ref\":"
                "\"#\"}]}"),
            false, 1, "s", &text, &err),
        TG_EINVAL);
    /* ten thousand properties, all required */
    rc |= buf_append(&b, STR("{\"properties\":{"));
    for (int i = 0; i < 10000; i++)
        rc |= buf_printf(&b, "%s\"p%d\":{}", i ? "," : "", i);
    rc |= buf_append(&b, STR("},\"required\":["));
    for (int i = 0; i < 10000; i++)
        rc |= buf_printf(&b, "%s\"p%d\"", i ? "," : "", i);
    rc |= buf_append(&b, STR("]}"));
    assert_int_equal(rc, TG_OK);
    assert_int_equal(sim_schema(&a, buf_str(&b), true, 1, "s", &text, &err), TG_EINVAL);
    assert_non_null(strstr(err.msg, "too large"));
    assert_true(a.used < 1 << 20);
    buf_fini(&b);
    arena_fini(&a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_obey),
        cmocka_unit_test(given_values_keep_their_bytes),
        cmocka_unit_test(what_cannot_be_obeyed_is_an_error),
        cmocka_unit_test(arguments_are_objects),
        cmocka_unit_test(heavy_schemas_are_given_up),
    };
    int failed = cmocka_run_group_tests_name("upstream/sim_schema", tests, NULL, NULL);

    arena_thread_fini();
    return failed;
}
