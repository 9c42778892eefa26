/* param_test.c -- rules about members of a body: reading them, and what they make of a body. */
#include "policy/param.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/prng.h"
#include "json/scan.h"

static struct arena arena;

static int
setup(void **state)
{
    (void)state;
    arena_init(&arena);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

#define assert_str(got, want)                                                                  \
    do {                                                                                       \
        struct str s_ = (got);                                                                 \
        if (!str_eq(s_, str_z(want)))                                                          \
            fail_msg("got  %.*s\nwant %s", STR_ARG(s_), want);                                 \
    } while (0)

static void
test_parse(void **state)
{
    struct param_rule r;
    struct tg_err err;

    (void)state;
    assert_int_equal(param_parse(&arena, STR("drop seed"), &r, &err), TG_OK);
    assert_int_equal(r.what, PARAM_DROP);
    assert_str(r.name, "seed");
    assert_string_equal(r.name.p, "seed");
    assert_str(r.top, "seed");
    assert_int_equal(r.sub.n, 0);
    assert_int_equal(param_parse(&arena, STR("  refuse   a-b.C_9  "), &r, &err), TG_OK);
    assert_int_equal(r.what, PARAM_REFUSE);
    assert_str(r.name, "a-b.C_9");
    assert_str(r.top, "a-b");
    assert_str(r.sub, "C_9");
    assert_int_equal(param_parse(&arena, STR("rename a b"), &r, &err), TG_OK);
    assert_int_equal(r.what, PARAM_RENAME);
    assert_str(r.to, "b");
    assert_int_equal(param_parse(&arena, STR("rename a.b a.c"), &r, &err), TG_OK);
    assert_str(r.to, "c");
    assert_int_equal(param_parse(&arena, STR("clamp t -0.5 1e1"), &r, &err), TG_OK);
    assert_int_equal(r.what, PARAM_CLAMP);
    assert_str(r.min.text, "-0.5");
    assert_false(r.min.whole);
    assert_str(r.max.text, "1e1");
    assert_int_equal(r.max.i, 10);
    assert_int_equal(param_parse(&arena, STR("clamp t 3 3"), &r, &err), TG_OK);
    assert_int_equal(param_parse(&arena, STR("default stop [\"a b\",  1]"), &r, &err), TG_OK);
    assert_int_equal(r.what, PARAM_DEFAULT);
    assert_str(r.value, "[\"a b\",  1]");
    assert_int_equal(r.object.n, 0);
    assert_int_equal(param_parse(&arena, STR("default a.b {\"c\": 1}"), &r, &err), TG_OK);
    assert_str(r.object, "{\"b\":{\"c\": 1}}");
}

#define VERBS "must begin with drop, refuse, rename, clamp or default"
#define NAMED                                                                                  \
    " must be letters, digits, \"_\" and \"-\" with at most one dot between them, at most 64 " \
    "bytes"

static void
test_parse_errors(void **state)
{
    static const char *const cases[][2] = {
        {" ", VERBS},
        {"forbid seed", VERBS},
        {"dorp seed", VERBS " (did you mean \"drop\"?)"},
        {"Drop seed", VERBS " (did you mean \"drop\"?)"},
        {"drop", "must read \"drop NAME\""},
        {"drop a b", "must read \"drop NAME\""},
        {"refuse", "must read \"refuse NAME\""},
        {"refuse a b", "must read \"refuse NAME\""},
        {"rename a", "must read \"rename NAME NEW\""},
        {"rename a b c", "must read \"rename NAME NEW\""},
        {"clamp a 1", "must read \"clamp NAME MIN MAX\""},
        {"clamp a 1 2 3", "must read \"clamp NAME MIN MAX\""},
        {"default a", "must read \"default NAME JSON\""},
        {"drop a.b.c", "NAME" NAMED},
        {"drop .a", "NAME" NAMED},
        {"drop a.", "NAME" NAMED},
        {"drop a\"b", "NAME" NAMED},
        {"drop caf\xc3\xa9", "NAME" NAMED},
        {"drop a234567890123456789012345678901234567890123456789012345678901234x",
         "NAME" NAMED},
        {"rename a b,c", "NEW" NAMED},
        {"drop stream", "\"stream\" is the gateway's own and no rule may name it"},
        {"rename x stream", "\"stream\" is the gateway's own and no rule may name it"},
        {"rename a.b c", "NEW must be a member of the same object as NAME"},
        {"rename a b.c", "NEW must be a member of the same object as NAME"},
        {"rename a.b c.b", "NEW must be a member of the same object as NAME"},
        {"rename a.b a.b", "NEW must be another name than NAME"},
        {"clamp a 0 x", "MIN and MAX must be JSON numbers"},
        {"clamp a .5 1", "MIN and MAX must be JSON numbers"},
        {"clamp a 0 1e999", "MIN and MAX must be JSON numbers"},
        {"clamp a 2 1", "MIN must not be above MAX"},
        {"clamp a 9007199254740993 9007199254740992", "MIN must not be above MAX"},
        {"default a {",
         "JSON must be one JSON value: invalid JSON at byte 1: the text ends inside an object"},
        {"default a null", "JSON must not be null, which says nothing"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct param_rule r = {.what = PARAM_CLAMP};
        struct tg_err err;

        assert_int_equal(param_parse(&arena, str_z(cases[i][0]), &r, &err), TG_EINVAL);
        if (strcmp(err.msg, cases[i][1]) != 0)
            fail_msg("%s: got  %s\nwant %s", cases[i][0], err.msg, cases[i][1]);
        assert_int_equal(r.what, PARAM_CLAMP);
        assert_int_equal(r.name.n, 0);
        assert_int_equal(param_parse(&arena, str_z(cases[i][0]), &r, NULL), TG_EINVAL);
    }
    {
        struct param_rule r;
        struct str longest = STR("drop a23456789012345678901234567890.2345678901234567890123456"
                                 "7890abcd");

        assert_int_equal(param_parse(&arena, longest, &r, NULL), TG_OK);
        assert_int_equal(r.name.n, 64);
    }
}

struct result {
    tg_rc rc;
    struct buf out;
    struct ir_drops drops;
    struct tg_err err;
};

/* rules: one a line. */
static unsigned
parse_all(const char *text, struct param_rule rules[PARAM_RULES_MAX])
{
    struct str rest = str_z(text);
    unsigned n = 0;

    while (rest.n) {
        struct tg_err err;

        if (param_parse(&arena, str_cut(rest, '\n', &rest), &rules[n++], &err) != TG_OK)
            fail_msg("%s: %s", text, err.msg);
    }
    return n;
}

static void
run(struct result *res, const char *text, bool strict, struct str body, size_t max)
{
    struct param_rule *rules = arena_array(&arena, struct param_rule, PARAM_RULES_MAX);
    unsigned n = parse_all(text, rules);

    *res = (struct result){.rc = TG_OK};
    buf_init(&res->out, max);
    assert_int_equal(buf_append(&res->out, STR("<")), TG_OK);
    res->rc = param_apply(rules, n, strict, body, &res->out, &res->drops, &res->err);
}

/* drops: names with a blank behind each. */
static void
expect(const char *rules, const char *body, const char *want, const char *drops)
{
    struct result r;
    struct str names = {NULL, 0};

    run(&r, rules, false, str_z(body), 1 << 20);
    if (r.rc != TG_OK)
        fail_msg("%s on %s: %s", rules, body, r.err.msg);
    if (!str_eq(str_from(buf_str(&r.out), 1), str_z(want)))
        fail_msg("%s on %s\ngot  %.*s\nwant %s", rules, body, STR_ARG(buf_str(&r.out)), want);
    for (unsigned i = 0; i < r.drops.n; i++)
        names = arena_printf(&arena, "%.*s%.*s ", STR_ARG(names), STR_ARG(r.drops.name[i]));
    if (!str_eq(names, str_z(drops)))
        fail_msg("%s on %s dropped %.*s", rules, body, STR_ARG(names));
    assert_int_equal(json_check(str_from(buf_str(&r.out), 1), 64, NULL), TG_OK);
    buf_fini(&r.out);
}

static void
refused(const char *rules, bool strict, const char *body, const char *code, const char *param,
        const char *message)
{
    struct result r;

    run(&r, rules, strict, str_z(body), 1 << 20);
    assert_int_equal(r.rc, TG_EINVAL);
    assert_int_equal(r.err.http, 400);
    assert_int_equal(r.err.origin, TG_FROM_CLIENT);
    assert_string_equal(r.err.code, code);
    assert_string_equal(r.err.param, param);
    assert_string_equal(r.err.msg, message);
    assert_str(buf_str(&r.out), "<");
    assert_int_equal(r.drops.n, 0);
    buf_fini(&r.out);
}

static void
test_drop(void **state)
{
    (void)state;
    expect("drop a", "{\"a\":1}", "{}", "a ");
    expect("drop a", "{\"a\":1,\"b\":2}", "{\"b\":2}", "a ");
    expect("drop b", "{\"a\":1,\"b\":{\"a\":[1,2]},\"c\":3}", "{\"a\":1,\"c\":3}", "b ");
    expect("drop c", "{\"a\":1,\"b\":2,\"c\":3}", "{\"a\":1,\"b\":2}", "c ");
    expect("drop a\ndrop b\ndrop c", "{\"a\":1,\"b\":2,\"c\":3}", "{}", "a b c ");
    expect("drop a\ndrop b", "{\"a\":1,\"b\":2,\"c\":3}", "{\"c\":3}", "a b ");
    expect("drop a", "{\"a\":1,\"a\":2}", "{}", "a ");
    /* An escape in a key changes nothing, a null says nothing. */
    expect("drop seed", "{\"s\\u0065ed\":1}", "{}", "seed ");
    expect("drop a", "{\"a\":null,\"b\":null}", "{\"b\":null}", "");
    /* Only what stands at that place. */
    expect("drop a", "{\"b\":{\"a\":1}}", "{\"b\":{\"a\":1}}", "");
    expect("drop b.a", "{\"a\":1,\"b\":{\"a\":1,\"c\":[]}}", "{\"a\":1,\"b\":{\"c\":[]}}",
           "b.a ");
    expect("drop b.a", "{\"b\":\"a\"}", "{\"b\":\"a\"}", "");
}

/* What no rule touches comes out byte for byte, blanks and all. */
static void
test_untouched(void **state)
{
    static const char odd[] = " {\n\t\"a\" :  1e+3 , \"\\u0062\":[ 1 ,{ } ] ,\"c\": "
                              "9007199254740993,\"o\" : { \"x\" : -0.10 , \"y\":2 } \r\n} \n";

    (void)state;
    expect("", odd, odd, "");
    expect("drop z\nrefuse o.z\nrename q r\nclamp a 1 2000\ndefault c 1\ndefault o.y 5", odd,
           odd, "");
    expect("drop z", "{}", "{}", "");
    expect("drop z", " { } ", " { } ", "");
    expect("drop b", odd,
           " {\n\t\"a\" :  1e+3 ,\"c\": 9007199254740993,\"o\" : { \"x\" : -0.10 , \"y\":2 } "
           "\r\n} \n",
           "b ");
    expect("drop a", odd,
           " { \"\\u0062\":[ 1 ,{ } ] ,\"c\": 9007199254740993,\"o\" : { \"x\" : -0.10 , "
           "\"y\":2 } \r\n} \n",
           "a ");
    expect("drop o.x", odd,
           " {\n\t\"a\" :  1e+3 , \"\\u0062\":[ 1 ,{ } ] ,\"c\": 9007199254740993,\"o\" : { "
           "\"y\":2 } \r\n} \n",
           "o.x ");
}

static void
test_refuse(void **state)
{
    (void)state;
    refused("refuse logit_bias", false, "{\"a\":1,\"logit_bias\":{}}", "unsupported_parameter",
            "logit_bias", "logit_bias is not supported for this model");
    refused("refuse a.b", true, "{\"a\":{\"b\":false}}", "unsupported_parameter", "a.b",
            "a.b is not supported for this model");
    expect("refuse a", "{\"b\":1}", "{\"b\":1}", "");
    expect("refuse a", "{\"a\":null,\"b\":1}", "{\"b\":1}", "");
}

static void
test_rename(void **state)
{
    (void)state;
    expect("rename max_completion_tokens max_tokens",
           "{\"max_completion_tokens\":9,\"model\":\"m\"}",
           "{\"model\":\"m\",\"max_tokens\":9}", "");
    expect("rename a b", "{\"a\":1}", "{\"b\":1}", "");
    expect("rename a b", "{\"c\":1}", "{\"c\":1}", "");
    /* The new name is taken, before or behind: never twice. */
    expect("rename a b", "{\"a\":1,\"b\":2}", "{\"b\":2}", "a ");
    expect("rename a b", "{\"b\":2,\"a\":1}", "{\"b\":2}", "a ");
    /* ... unless by a null. */
    expect("rename a b", "{\"a\":1,\"b\":null}", "{\"b\":1}", "");
    expect("rename a b", "{\"b\":null,\"a\":1}", "{\"b\":1}", "");
    expect("rename a b", "{\"a\":null,\"b\":2}", "{\"b\":2}", "");
    expect("rename a b", "{\"b\":null}", "{\"b\":null}", "");
    expect("rename a b", "{\"a\":1,\"a\":2}", "{\"b\":2}", "");
    expect("rename o.a o.b", "{\"o\":{\"a\":[1, 2],\"c\":0},\"a\":3}",
           "{\"o\":{\"c\":0,\"b\":[1, 2]},\"a\":3}", "");
}

static void
test_clamp(void **state)
{
    (void)state;
    expect("clamp t 0 1", "{\"t\":1.5}", "{\"t\":1}", "t ");
    expect("clamp t 0.10 1", "{\"t\": -3 }", "{\"t\": 0.10 }", "t ");
    expect("clamp t 0 1", "{\"t\":1.0,\"u\":0}", "{\"t\":1.0,\"u\":0}", "");
    expect("clamp t 0 1", "{\"t\":0e5}", "{\"t\":0e5}", "");
    expect("clamp t 0 1", "{\"t\":\"7\",\"u\":7}", "{\"t\":\"7\",\"u\":7}", "");
    expect("clamp t 0 1", "{\"t\":null}", "{\"t\":null}", "");
    expect("clamp t -5 5", "{\"t\":1e999}", "{\"t\":5}", "t ");
    expect("clamp t -5 5", "{\"t\":-1e999}", "{\"t\":-5}", "t ");
    /* Beyond what a double tells apart. */
    expect("clamp t 0 9007199254740992", "{\"t\":9007199254740993}", "{\"t\":9007199254740992}",
           "t ");
    expect("clamp o.t 0 1", "{\"o\":{\"t\":2}}", "{\"o\":{\"t\":1}}", "o.t ");
}

static void
test_default(void **state)
{
    (void)state;
    expect("default t 0.70", "{}", "{\"t\":0.70}", "");
    expect("default t 0.70", "{\"a\":1}", "{\"a\":1,\"t\":0.70}", "");
    expect("default t 0.70", "{\"a\":1\n}", "{\"a\":1,\"t\":0.70\n}", "");
    expect("default t 0.70", "{\"t\":0}", "{\"t\":0}", "");
    expect("default t 1", "{\"t\":null,\"a\":1}", "{\"a\":1,\"t\":1}", "");
    expect("default t {\"x\": [1, 2]}", "{}", "{\"t\":{\"x\": [1, 2]}}", "");
    expect("default o.a 1", "{}", "{\"o\":{\"a\":1}}", "");
    expect("default o.a 1\ndefault o.b 2", "{}", "{\"o\":{\"a\":1,\"b\":2}}", "");
    expect("default o.a 1", "{\"o\":{\"b\":2}}", "{\"o\":{\"b\":2,\"a\":1}}", "");
    expect("default o.a 1", "{\"o\":{\"a\":null}}", "{\"o\":{\"a\":1}}", "");
    expect("default o.a 1", "{\"o\":null}", "{\"o\":{\"a\":1}}", "");
    expect("default o.a 1", "{\"o\":\"auto\"}", "{\"o\":\"auto\"}", "");
    expect("default o.a 1", "{\"o\":{}}", "{\"o\":{\"a\":1}}", "");
}

/* Each rule sees what those before it made, and nothing of what those behind it make. */
static void
test_order(void **state)
{
    (void)state;
    expect("rename a b\nclamp b 0 5", "{\"a\":9}", "{\"b\":5}", "b ");
    expect("clamp b 0 5\nrename a b", "{\"a\":9}", "{\"b\":9}", "");
    expect("default a 9\nclamp a 0 5", "{}", "{\"a\":5}", "a ");
    expect("clamp a 0 5\ndefault a 9", "{}", "{\"a\":9}", "");
    expect("default a 9\nrename a b\nclamp b 0 5", "{}", "{\"b\":5}", "b ");
    expect("rename a b\ndefault b 1", "{\"a\":2}", "{\"b\":2}", "");
    expect("rename a b\ndefault a 1", "{\"a\":2}", "{\"b\":2,\"a\":1}", "");
    expect("drop a\ndefault a 1", "{\"a\":2}", "{\"a\":1}", "a ");
    expect("default a 1\ndrop a", "{}", "{}", "a ");
    expect("rename a b\nrename b c", "{\"a\":1}", "{\"c\":1}", "");
    expect("rename b c\nrename a b", "{\"a\":1,\"b\":2}", "{\"c\":2,\"b\":1}", "");
    expect("rename a b\nrename b c", "{\"a\":1,\"b\":2}", "{\"c\":2}", "a ");
    /* Across the levels. */
    expect("rename o p\ndrop p.x", "{\"o\":{\"x\":1,\"y\":2}}", "{\"p\":{\"y\":2}}", "p.x ");
    expect("drop o.x\nrename o p", "{\"o\":{\"x\":1,\"y\":2}}", "{\"p\":{\"y\":2}}", "o.x ");
    expect("rename o p\ndrop o.x", "{\"o\":{\"x\":1}}", "{\"p\":{\"x\":1}}", "");
    expect("drop o\ndefault o.a 1", "{\"o\":{\"x\":1}}", "{\"o\":{\"a\":1}}", "o ");
    expect("default o.a 1\nrename o p\nclamp p.a 2 3", "{}", "{\"p\":{\"a\":2}}", "p.a ");
    expect("rename o.a o.b\ndefault o.a 1\nclamp o.b 0 1", "{\"o\":{\"a\":7}}",
           "{\"o\":{\"b\":1,\"a\":1}}", "o.b ");
}

static void
test_strict(void **state)
{
    struct result r;

    (void)state;
    refused("drop seed", true, "{\"seed\":1}", "unsupported_parameter", "seed",
            "seed is not sent to the upstream of this model, and the route is strict");
    refused("drop o.seed", true, "{\"o\":{\"seed\":1}}", "unsupported_parameter", "o.seed",
            "o.seed is not sent to the upstream of this model, and the route is strict");
    refused("rename a b", true, "{\"a\":1,\"b\":2}", "unsupported_parameter", "a",
            "a is not sent to the upstream of this model, and the route is strict");
    refused("drop o.x\ndrop o", true, "{\"o\":{\"x\":1}}", "unsupported_parameter", "o.x",
            "o.x is not sent to the upstream of this model, and the route is strict");
    refused("refuse o.x\ndrop o", false, "{\"o\":{\"x\":1}}", "unsupported_parameter", "o.x",
            "o.x is not supported for this model");
    refused("clamp t 0 1.50", true, "{\"t\":2}", "invalid_value", "t",
            "t must be from 0 to 1.50 for this model");
    run(&r, "drop seed\nclamp t 0 1\nrename a b\ndefault d 1", true,
        STR("{\"seed\":null,\"t\":1,\"a\":2}"), 1 << 20);
    assert_int_equal(r.rc, TG_OK);
    assert_str(buf_str(&r.out), "<{\"t\":1,\"b\":2,\"d\":1}");
    buf_fini(&r.out);
}

static void
test_bad_bodies(void **state)
{
    static const char *const bodies[] = {
        "",          " ",    "[]",        "1",         "{",   "{\"a\"", "{\"a\":1",
        "{\"a\":1,", "null", "{\"a\" 1}", "{\"a\":1]", "{,}", "{a:1}"};

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct result r;

        run(&r, "default a.b 1\ndrop c", false, str_z(bodies[i]), 1 << 20);
        assert_int_equal(r.rc, TG_EINVAL);
        assert_string_equal(r.err.code, "invalid_json");
        assert_string_equal(r.err.msg, "the request's body is no JSON object");
        assert_str(buf_str(&r.out), "<");
        buf_fini(&r.out);
    }
    {
        struct result r;

        run(&r, "", false, (struct str){NULL, 0}, 64);
        assert_int_equal(r.rc, TG_EINVAL);
        buf_fini(&r.out);
    }
}

/* Every size of buffer: whole, or as it was. */
static void
test_full(void **state)
{
    static const char body[] = "{\"a\":1,\"o\":{\"x\":2}}";
    static const char want[] = "<{\"o\":{\"x\":1},\"b\":1,\"d\":\"long enough\"}";
    unsigned failed = 0;

    (void)state;
    for (size_t max = 1; max <= sizeof want; max++) {
        struct result r;

        run(&r, "rename a b\ndefault d \"long enough\"\nclamp o.x 0 1", false, str_z(body),
            max);
        if (max >= sizeof want - 1) {
            assert_int_equal(r.rc, TG_OK);
            assert_str(buf_str(&r.out), want);
        } else {
            assert_int_equal(r.rc, TG_ELIMIT);
            assert_int_equal(r.err.http, 413);
            assert_string_equal(r.err.code, "request_too_large");
            assert_str(buf_str(&r.out), "<");
            failed++;
        }
        buf_fini(&r.out);
    }
    assert_int_equal(failed, sizeof want - 2);
}

/* As many rules as a model may have, and the last of them counts. */
static void
test_most_rules(void **state)
{
    char text[PARAM_RULES_MAX * 16] = "";
    size_t n = 0;

    (void)state;
    for (unsigned i = 0; i < PARAM_RULES_MAX - 1; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "drop x%u\n", i);
    snprintf(text + n, sizeof text - n, "default z 1");
    expect(text, "{\"x62\":1,\"x63\":2}", "{\"x63\":2,\"z\":1}", "x62 ");
}

/* The walk that does all rules at once gives what a walk for each of them gives. */
static const char *const pool[] = {
    "drop a",        "drop b",          "rename a b",     "rename b a",  "rename c a",
    "clamp a 1 2",   "clamp b 3 4",     "default a 7",    "default b 8", "default o.a 5",
    "default o.b 0", "rename o.a o.b",  "rename o.b o.a", "drop o.a",    "clamp o.a 2 3",
    "rename o p",    "rename p o",      "default p.a 1",  "drop p.b",    "clamp p.a 3 9",
    "drop c",        "default c \"x\"", "rename p.a p.b", "drop o",
};

static const char *const bodies[] = {
    "{}",
    "{\"a\":1,\"b\":9,\"c\":0}",
    "{\"c\":4,\"o\":{\"a\":1,\"b\":2}}",
    "{\"o\":{\"b\":9},\"a\":null,\"p\":{\"a\":7}}",
    "{\"p\":null,\"o\":3,\"b\":5}",
    "{\"o\":{\"a\":null},\"p\":{\"b\":1},\"c\":\"s\"}",
    "{\"o\":{},\"a\":0,\"a\":5}",
};

static struct str
one_by_one(const struct param_rule *rules, unsigned n, const char *body, struct ir_drops *drops)
{
    struct str now = str_z(body);

    for (unsigned i = 0; i < n; i++) {
        struct buf out;

        buf_init(&out, 1 << 16);
        assert_int_equal(param_apply(&rules[i], 1, false, now, &out, drops, NULL), TG_OK);
        now = arena_dup(&arena, buf_str(&out));
        buf_fini(&out);
    }
    return now;
}

/* The same members with the same values; the order is free. */
static bool
same_object(struct str x, struct str y)
{
    struct json_member m, mine, other;
    struct json_iter it;
    size_t n = 0;

    assert_int_equal(json_object(&it, y), TG_OK);
    while (json_next(&it, &m))
        n++;
    assert_int_equal(json_object(&it, x), TG_OK);
    while (json_next(&it, &m)) {
        n--;
        /* Of a name that stands twice the last one counts. */
        if (!json_get(x, m.key, &mine) || !json_get(y, m.key, &other))
            return false;
        if (mine.kind == JSON_OBJECT && other.kind == JSON_OBJECT
                ? !same_object(mine.value, other.value)
                : !str_eq(mine.value, other.value))
            return false;
    }
    return n == 0;
}

static void
test_as_if_in_order(void **state)
{
    struct prng g = {.state = 20};

    (void)state;
    for (unsigned round = 0; round < 4000; round++) {
        const char *body = bodies[prng_below(&g, sizeof bodies / sizeof bodies[0])];
        unsigned n = 1 + (unsigned)prng_below(&g, 6);
        struct param_rule rules[6];
        struct ir_drops at_once = {.n = 0}, apart = {.n = 0};
        char said[256] = "";
        struct buf out;
        struct str want;

        for (unsigned i = 0, used = 0; i < n; i++) {
            const char *rule = pool[prng_below(&g, sizeof pool / sizeof pool[0])];

            assert_int_equal(param_parse(&arena, str_z(rule), &rules[i], NULL), TG_OK);
            used += (unsigned)snprintf(said + used, sizeof said - used, "%s; ", rule);
        }
        buf_init(&out, 1 << 16);
        assert_int_equal(param_apply(rules, n, false, str_z(body), &out, &at_once, NULL),
                         TG_OK);
        want = one_by_one(rules, n, body, &apart);
        if (!same_object(buf_str(&out), want))
            fail_msg("%son %s\ngot  %.*s\nwant %.*s", said, body, STR_ARG(buf_str(&out)),
                     STR_ARG(want));
        if (at_once.n != apart.n)
            fail_msg("%son %s: %u and %u dropped", said, body, at_once.n, apart.n);
        buf_fini(&out);
        arena_reset(&arena);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),      cmocka_unit_test(test_parse_errors),
        cmocka_unit_test(test_drop),       cmocka_unit_test(test_untouched),
        cmocka_unit_test(test_refuse),     cmocka_unit_test(test_rename),
        cmocka_unit_test(test_clamp),      cmocka_unit_test(test_default),
        cmocka_unit_test(test_order),      cmocka_unit_test(test_strict),
        cmocka_unit_test(test_bad_bodies), cmocka_unit_test(test_full),
        cmocka_unit_test(test_most_rules), cmocka_unit_test(test_as_if_in_order),
    };

    return cmocka_run_group_tests_name("policy/param", tests, setup, teardown);
}
