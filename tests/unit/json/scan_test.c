/* scan_test.c -- iterators, lookup and paths. */
#include "json/scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include <cjson/cJSON.h>

#include "support/json_gen.h"

static void
assert_str(struct str got, const char *want)
{
    if (!str_eq(got, str_z(want)))
        fail_msg("got \"%.*s\", want \"%s\"", STR_ARG(got), want);
}

static void
test_object(void **state)
{
    static const struct {
        const char *key, *value, *whole;
        enum json_kind kind;
    } rows[] = {
        {"a", "1.50", "\"a\" : 1.50", JSON_NUMBER},
        {"b\\n", "\"x\\\"}y\"", "\"b\\n\":\"x\\\"}y\"", JSON_STRING},
        {"", "{ \"c\" : [ ] }", "\"\":{ \"c\" : [ ] }", JSON_OBJECT},
        {"d", "[1,[2,\"]\"]]", "\"d\":[1,[2,\"]\"]]", JSON_ARRAY},
        {"e", "null", "\"e\":null", JSON_NULL},
        {"f", "true", "\"f\":true", JSON_TRUE},
        {"g", "false", "\"g\":\nfalse", JSON_FALSE},
        {"h", "-0", "\"h\":-0", JSON_NUMBER},
    };
    struct str text =
        STR(" { \"a\" : 1.50 , \"b\\n\":\"x\\\"}y\",\"\":{ \"c\" : [ ] },"
            "\"d\":[1,[2,\"]\"]],\"e\":null,\"f\":true,\"g\":\nfalse\t,\"h\":-0}");
    struct json_member m;
    struct json_iter it;
    size_t n = 0;

    (void)state;
    assert_int_equal(json_check(text, 128, NULL), TG_OK);
    assert_int_equal(json_object(&it, text), TG_OK);
    while (json_next(&it, &m)) {
        assert_true(n < sizeof rows / sizeof *rows);
        assert_str(m.key, rows[n].key);
        assert_str(m.value, rows[n].value);
        assert_str(m.whole, rows[n].whole);
        assert_int_equal(m.kind, rows[n].kind);
        n++;
    }
    assert_int_equal(it.rc, TG_OK);
    assert_int_equal(n, sizeof rows / sizeof *rows);
    assert_false(json_next(&it, &m));
}

static void
test_array(void **state)
{
    struct json_member m;
    struct json_iter it;

    (void)state;
    assert_int_equal(json_array(&it, STR("[ \"a\" , 2,[] ]")), TG_OK);
    assert_true(json_next(&it, &m));
    assert_str(m.value, "\"a\"");
    assert_str(m.whole, "\"a\"");
    assert_int_equal(m.key.n, 0);
    assert_true(json_next(&it, &m));
    assert_str(m.value, "2");
    assert_true(json_next(&it, &m));
    assert_int_equal(m.kind, JSON_ARRAY);
    assert_false(json_next(&it, &m));
    assert_int_equal(it.rc, TG_OK);
    assert_int_equal(json_array(&it, STR("[ ]")), TG_OK);
    assert_false(json_next(&it, &m));
    assert_int_equal(it.rc, TG_OK);
}

static void
test_wrong_kind(void **state)
{
    static const char *const rows[] = {"", " ", "1", "null", "\"{\"", "]", "}"};
    struct json_member m;
    struct json_iter it;

    (void)state;
    assert_int_equal(json_object(&it, STR("[]")), TG_EINVAL);
    assert_false(json_next(&it, &m));
    assert_int_equal(it.rc, TG_EINVAL);
    assert_int_equal(json_array(&it, STR("{}")), TG_EINVAL);
    assert_int_equal(json_array(&it, str_of(NULL, 0)), TG_EINVAL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(json_object(&it, str_z(rows[i])), TG_EINVAL);
        assert_int_equal(json_array(&it, str_z(rows[i])), TG_EINVAL);
        assert_false(json_get(str_z(rows[i]), STR("a"), &m));
    }
}

static void
test_kind_of(void **state)
{
    (void)state;
    assert_int_equal(json_kind_of(STR("")), JSON_NONE);
    assert_int_equal(json_kind_of(str_of(NULL, 0)), JSON_NONE);
    assert_int_equal(json_kind_of(STR(" \n\t")), JSON_NONE);
    assert_int_equal(json_kind_of(STR(" \r{")), JSON_OBJECT);
    assert_int_equal(json_kind_of(STR("[")), JSON_ARRAY);
    assert_int_equal(json_kind_of(STR("\"")), JSON_STRING);
    assert_int_equal(json_kind_of(STR("-")), JSON_NUMBER);
    assert_int_equal(json_kind_of(STR("0")), JSON_NUMBER);
    assert_int_equal(json_kind_of(STR("9")), JSON_NUMBER);
    assert_int_equal(json_kind_of(STR("n")), JSON_NULL);
    assert_int_equal(json_kind_of(STR("t")), JSON_TRUE);
    assert_int_equal(json_kind_of(STR("f")), JSON_FALSE);
    assert_int_equal(json_kind_of(STR("+")), JSON_NONE);
    assert_int_equal(json_kind_of(STR("\xff")), JSON_NONE);
    assert_int_equal(json_kind_of(STR("\0")), JSON_NONE);
}

static void
test_get(void **state)
{
    struct str o = STR("{\"a\":1,\"b\":2,\"\\u0061\":3,\"B\":4,\"x\\ny\":5,\"\":6,"
                       "\"\\ud83d\\ude00\":7,\"\\ud800\":8,\"nul\\u0000\":9,\"b\\\\n\":10}");
    static const struct {
        struct str name;
        const char *value; /* NULL: not there */
    } rows[] = {
        {STR("a"), "3"},     {STR("b"), "2"},        {STR("B"), "4"},
        {STR("x\ny"), "5"},  {STR(""), "6"},         {STR("\xf0\x9f\x98\x80"), "7"},
        {STR("nul\0"), "9"}, {STR("b\\n"), "10"},    {STR("nul"), NULL},
        {STR("b\n"), NULL},  {STR("\\u0061"), NULL}, {STR("x\\ny"), NULL},
        {STR("A"), NULL},    {STR("aa"), NULL},      {STR("\xed\xa0\x80"), NULL},
    };

    (void)state;
    assert_int_equal(json_check(o, 128, NULL), TG_OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct json_member m = {.kind = JSON_NONE};

        assert_int_equal(json_get(o, rows[i].name, &m), rows[i].value != NULL);
        if (rows[i].value)
            assert_str(m.value, rows[i].value);
        else
            assert_int_equal(m.kind, JSON_NONE);
    }
}

static void
test_key_is(void **state)
{
    (void)state;
    assert_true(json_key_is(str_of(NULL, 0), str_of(NULL, 0)));
    assert_true(json_key_is(STR("type"), STR("type")));
    assert_true(json_key_is(STR("t\\u0079pe"), STR("type")));
    assert_true(json_key_is(STR("\\/"), STR("/")));
    assert_true(json_key_is(STR("\\\\"), STR("\\")));
    assert_false(json_key_is(STR("\\\\"), STR("\\\\")));
    assert_false(json_key_is(STR("types"), STR("type")));
    assert_false(json_key_is(STR("typ"), STR("type")));
    assert_false(json_key_is(STR("t\\u0079p"), STR("type")));
    assert_false(json_key_is(STR("t\\u0079pes"), STR("type")));
    /* Malformed, from a text that was not checked. */
    assert_false(json_key_is(STR("ty\\"), STR("ty")));
    assert_false(json_key_is(STR("ty\\q"), STR("tyq")));
    assert_false(json_key_is(STR("\\u00"), STR("a")));
    assert_false(json_key_is(STR("\\ud83d\\u"), STR("a")));
}

static void
test_path(void **state)
{
    struct str v =
        STR(" {\"choices\":[{\"delta\":{\"content\":\"hi\"}},{\"0\":7}],\"0\":[[1,2],3]} ");
    static const struct {
        const char *path, *value;
    } rows[] = {
        {"choices.0.delta.content", "\"hi\""},
        {"choices.1.0", "7"},
        {"0.0.1", "2"},
        {"0.1", "3"},
        {"0.00001", "3"},
        {"choices.2", NULL},
        {"choices.-1", NULL},
        {"choices.x", NULL},
        {"choices.0.delta.content.x", NULL},
        {"0.1.0", NULL},
        {"nothing", NULL},
        {"0.99999999999999999999999999", NULL},
    };
    struct json_member m;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(json_path(v, rows[i].path, &m), rows[i].value != NULL);
        if (rows[i].value)
            assert_str(m.value, rows[i].value);
    }
    assert_true(json_path(v, "", &m));
    assert_int_equal(m.kind, JSON_OBJECT);
    assert_int_equal(m.value.n, v.n - 2);
    assert_false(json_path(STR(" "), "", &m));
}

/* Walks everything; the number of values seen, or -1 when an iterator complains. */
static long
walk(struct str value, enum json_kind kind)
{
    struct json_member m;
    struct json_iter it;
    long n = 1;

    if (kind != JSON_OBJECT && kind != JSON_ARRAY)
        return 1;
    if ((kind == JSON_OBJECT ? json_object(&it, value) : json_array(&it, value)) != TG_OK)
        return -1;
    while (json_next(&it, &m)) {
        long k = walk(m.value, m.kind);

        if (k < 0)
            return -1;
        n += k;
    }
    return it.rc == TG_OK ? n : -1;
}

static long
count(const cJSON *v)
{
    long n = 1;

    for (const cJSON *c = v->child; c; c = c->next)
        n += count(c);
    return n;
}

/* The iterators see as many values as cJSON does, and each member that json_get finds is the
 * last of its name. */
static void
test_generated(void **state)
{
    struct prng r = {8};
    struct buf b;

    (void)state;
    buf_init(&b, 1 << 20);
    for (int i = 0; i < 3000; i++) {
        struct str text;
        cJSON *doc;

        buf_clear(&b);
        json_gen(&r, &b, 5);
        text = buf_str(&b);
        doc = cJSON_ParseWithLength(text.p, text.n);
        assert_non_null(doc);
        assert_int_equal(walk(text, json_kind_of(text)), count(doc));
        if (cJSON_IsObject(doc)) {
            for (const cJSON *c = doc->child; c; c = c->next) {
                const cJSON *last = c;
                struct json_member m;

                for (const cJSON *d = c->next; d; d = d->next) {
                    if (strcmp(d->string, c->string) == 0)
                        last = d;
                }
                assert_true(json_get(text, str_z(c->string), &m));
                if (cJSON_IsNumber(last)) {
                    double v;

                    assert_int_equal(json_double(m.value, &v), TG_OK);
                    assert_true(v == last->valuedouble);
                } else if (cJSON_IsString(last)) {
                    struct arena a;
                    struct str s;

                    arena_init(&a);
                    assert_int_equal(json_string(&a, m.value, &s), TG_OK);
                    assert_str(s, last->valuestring);
                    arena_fini(&a);
                }
            }
        }
        cJSON_Delete(doc);
    }
    buf_fini(&b);
    arena_thread_fini();
}

/* Texts nobody checked: cut anywhere, or with a byte changed.  Nothing is asserted but that the
 * walk ends and stays inside (ASan); where json_check agrees with a text, so must the walk. */
static void
test_unchecked_is_safe(void **state)
{
    struct prng r = {3};
    struct buf b;

    (void)state;
    buf_init(&b, 1 << 20);
    for (int i = 0; i < 4000; i++) {
        struct str text;
        char *copy;
        struct json_member m;
        long n;

        buf_clear(&b);
        json_gen(&r, &b, 4);
        text = str_of(b.p, prng_below(&r, b.n + 1));
        copy = malloc(text.n ? text.n : 1);
        memcpy(copy, text.p, text.n);
        text.p = copy;
        if (text.n)
            copy[prng_below(&r, text.n)] = "{}[],:\"\\ n0-"[prng_below(&r, 12)];
        n = walk(text, json_kind_of(text));
        if (json_check(text, 128, NULL) == TG_OK)
            assert_true(n > 0);
        (void)json_get(text, STR("a"), &m);
        (void)json_path(text, "a.0.b", &m);
        free(copy);
    }
    buf_fini(&b);
}

static void
test_stops_on_bad(void **state)
{
    static const char *const rows[] = {
        "{",           "{\"a\"",     "{\"a\":",     "{\"a\":1",   "{\"a\":1,",   "{\"a\":1,}",
        "{\"a\" 1}",   "{a:1}",      "{\"a\":tru}", "{\"a\":01}", "{\"a\":1 2}", "{\"a\":\"",
        "{\"a\":\"\\", "{\"a\":[1}", "{\"a\":x}",   "{,}",        "{\"a\":}",    "{]",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct json_member m;
        struct json_iter it;
        unsigned n = 0;

        assert_int_equal(json_object(&it, str_z(rows[i])), TG_OK);
        while (json_next(&it, &m))
            assert_true(n++ < 2);
        if (it.rc != TG_EINVAL)
            fail_msg("%s", rows[i]);
        assert_false(json_next(&it, &m));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_object),
        cmocka_unit_test(test_array),
        cmocka_unit_test(test_wrong_kind),
        cmocka_unit_test(test_kind_of),
        cmocka_unit_test(test_get),
        cmocka_unit_test(test_key_is),
        cmocka_unit_test(test_path),
        cmocka_unit_test(test_generated),
        cmocka_unit_test(test_unchecked_is_safe),
        cmocka_unit_test(test_stops_on_bad),
    };

    return cmocka_run_group_tests_name("json/scan", tests, NULL, NULL);
}
