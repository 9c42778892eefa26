/* route_test.c -- which upstream a model name goes to. */
#include "policy/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const char text[] = "upstreams:\n"
                           "  - {name: a, url: 'http://a'}\n"
                           "  - {name: b, url: 'http://b'}\n"
                           "  - {name: c, url: 'http://c', dialect: messages}\n"
                           "models:\n"
                           "  - {name: gpt-*, upstream: a}\n"
                           "  - {name: gpt-4*, upstream: b}\n"
                           "  - {name: '*-mini', upstream: c}\n"
                           "  - {name: gpt-4o, upstream: c, model: real-4o}\n"
                           "  - {name: 'org/*:free', upstream: b, model: m}\n"
                           "  - {name: aaa*bb, upstream: a}\n"
                           "  - {name: aa*bbb, upstream: b}\n";

static struct settings *settings;

static int
setup(void **state)
{
    (void)state;
    return settings_load_text(str_z(text), "f.yaml", stderr, &settings);
}

static int
teardown(void **state)
{
    (void)state;
    settings_unref(settings);
    return 0;
}

static void
expect(const char *model, const char *upstream, const char *asked)
{
    struct tg_err err = {.rc = TG_OK};
    struct route r;

    assert_int_equal(route_find(settings, str_z(model), &r, &err), TG_OK);
    if (!str_eq(r.upstream->name, str_z(upstream)) || !str_eq(r.model, str_z(asked)))
        fail_msg("%s went to %.*s as %.*s", model, STR_ARG(r.upstream->name), STR_ARG(r.model));
}

static void
test_precedence(void **state)
{
    (void)state;
    expect("gpt-3", "a", "gpt-3");
    expect("gpt-4", "b", "gpt-4");
    expect("gpt-4-turbo", "b", "gpt-4-turbo");
    expect("gpt-4o", "c", "real-4o");        /* exact, though listed after two patterns */
    expect("gpt-4o-x", "b", "gpt-4o-x");     /* exact is not a prefix */
    expect("gpt-4-mini", "b", "gpt-4-mini"); /* 5 literal bytes each: the first in the file */
    expect("gpt-5-mini", "c", "gpt-5-mini"); /* 5 beat 4 */
    expect("org/x:free", "b", "m");
    expect("aaabbb", "a", "aaabbb"); /* equally long: the first */
    expect("sim", "sim", "sim");
    expect("sim-fast", "sim", "sim-fast");
    expect("gpt-*", "a", "gpt-*"); /* a pattern is no exact name */
}

/* What else the settings say of a model goes with the route. */
static void
test_carries(void **state)
{
    static const char two[] = "upstreams:\n"
                              "  - {name: a, url: 'http://a', server: vllm}\n"
                              "models:\n"
                              "  - {name: m, upstream: a, strict: true, max_tokens: 5,\n"
                              "     parameters: [drop seed, refuse n]}\n"
                              "  - {name: n, upstream: a}\n";
    struct settings *s = NULL;
    struct route r;

    (void)state;
    assert_int_equal(settings_load_text(str_z(two), "f.yaml", stderr, &s), TG_OK);
    assert_int_equal(route_find(s, STR("m"), &r, NULL), TG_OK);
    assert_true(r.strict);
    assert_int_equal(r.max_tokens, 5);
    assert_int_equal(r.server, CAPS_SERVER_VLLM);
    assert_ptr_equal(r.caps[0], &r.upstream->caps);
    assert_ptr_equal(r.caps[1], &s->models[0].caps);
    assert_int_equal(r.n_params, 2);
    assert_int_equal(r.params[1].what, PARAM_REFUSE);
    assert_int_equal(route_find(s, STR("n"), &r, NULL), TG_OK);
    assert_int_equal(r.n_params, 0);
    assert_int_equal(route_find(s, STR("sim"), &r, NULL), TG_OK);
    assert_int_equal(r.n_params, 0);
    assert_int_equal(r.server, CAPS_SERVER_AUTO);
    settings_unref(s);
}

static void
test_not_found(void **state)
{
    static const char *const names[] = {"", "gpt", "simx", "GPT-4o", "org/x:paid", "*", "mini"};
    char longest[512];

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct route r = {.upstream = NULL};
        struct tg_err err;

        assert_int_equal(route_find(settings, str_z(names[i]), &r, &err), TG_ENOTFOUND);
        assert_int_equal(err.kind, TG_ERR_NOT_FOUND);
        assert_int_equal(err.http, 404);
        assert_int_equal(err.origin, TG_FROM_CLIENT);
        assert_string_equal(err.code, "model_not_found");
        assert_string_equal(err.param, "model");
        assert_null(r.upstream);
        assert_int_equal(route_find(settings, str_z(names[i]), &r, NULL), TG_ENOTFOUND);
    }
    memset(longest, 'x', sizeof longest);
    {
        struct route r;
        struct tg_err err;

        assert_int_equal(route_find(settings, str_of(longest, sizeof longest), &r, &err),
                         TG_ENOTFOUND);
        assert_non_null(strstr(err.msg, "xxx...\" does not exist here"));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_precedence),
        cmocka_unit_test(test_carries),
        cmocka_unit_test(test_not_found),
    };

    return cmocka_run_group_tests_name("policy/route", tests, setup, teardown);
}
