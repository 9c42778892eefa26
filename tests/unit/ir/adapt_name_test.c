/* adapt_name_test.c -- names of tools that a model does not take: replaced by rule, never two
 * alike, and given back in the answer.
 */
#include "unit/ir/adapt_rig.h"

#define TEN  "abcdefghij"
#define LONG TEN TEN TEN TEN TEN TEN TEN /* 70 bytes */

static struct str
shown(const struct rig *g, unsigned i)
{
    const struct ir_tool *t = g->fitted.tools;

    while (i-- > 0)
        t = t->next;
    return t->name;
}

/* The answer calls a tool by that name: by which does the client see it? */
static struct str
called(struct rig *g, struct str name)
{
    struct ir_block head = {.kind = IR_CALL, .id = STR("c"), .name = name};

    (void)rig_answer(g, false);
    rig_put(g, (struct ir_event){.kind = IR_EV_START});
    rig_put_open(g, 0, 0, &head);
    rig_put_delta(g, 0, 0, STR("{}"));
    rig_put_close(g, 0, 0);
    rig_put_stop(g, 0, IR_STOP_CALLS);
    rig_put_end(g);
    return g->fold.res.answers[0].blocks->name;
}

/* Pitfall D3. */
static void
long_names_are_shortened_and_restored(void **state)
{
    struct rig g;
    struct str name;

    (void)state;
    rig_open(&g);
    rig_tool(&g, (struct ir_tool){.name = STR("short")});
    rig_tool(&g, (struct ir_tool){.name = STR(LONG)});
    rig_tool(&g, (struct ir_tool){.name = STR(LONG "x")});
    g.req.tool_choice = IR_CHOICE_NAMED;
    g.req.tool_name = STR(LONG);
    rig_say(&g, IR_USER, SAID("hi"));
    rig_say(&g, IR_MODEL, CALL("c1", LONG, "{}"));
    rig_add(&g, CALL("c2", LONG "gone", "{}"));
    rig_add(&g, CALL("c3", "short", "{}"));
    rig_say(&g, IR_TOOL, RESULT("c1", "1"))->name = STR(LONG);
    rig_say(&g, IR_TOOL, RESULT("c2", "2"));
    rig_say(&g, IR_TOOL, RESULT("c3", "3"));
    rig_fit_ok(&g);
    name = shown(&g, 1);
    assert_true(str_eq(shown(&g, 0), STR("short")));
    assert_int_equal(name.n, 64);
    assert_true(str_starts(name, STR(TEN TEN TEN TEN TEN "abcde_")));
    assert_int_equal(strspn(name.p + 56, "0123456789abcdef"), 8);
    assert_false(str_eq(name, shown(&g, 2)));
    assert_true(str_eq(g.fitted.tool_name, name));
    assert_true(str_eq(g.fitted.msgs->next->blocks->name, name));
    assert_int_equal(g.fitted.msgs->next->blocks->next->name.n, 64);
    assert_true(str_eq(g.fitted.msgs->next->blocks->next->next->name, STR("short")));
    assert_true(str_eq(g.fitted.msgs->next->next->blocks->name, name));
    assert_true(str_eq(g.req.tools->next->name, STR(LONG)));
    assert_true(str_eq(called(&g, name), STR(LONG)));
    assert_true(str_eq(called(&g, shown(&g, 2)), STR(LONG "x")));
    assert_true(str_eq(called(&g, STR("short")), STR("short")));
    assert_true(str_eq(called(&g, STR("made_up")), STR("made_up")));
    rig_close(&g);
}

/* The rule is part of conversations that go on elsewhere, so it must not change. */
static void
the_rule_is_fixed(void **state)
{
    struct rig g;

    (void)state;
    rig_open(&g);
    rig_tool(&g, (struct ir_tool){.name = STR(LONG)});
    rig_tool(&g, (struct ir_tool){.name = STR("a.b")});
    rig_fit_ok(&g);
    assert_true(str_eq(shown(&g, 0), STR(TEN TEN TEN TEN TEN "abcde_530571ff")));
    assert_true(str_eq(shown(&g, 1), STR("a_b_e27bcb35")));
    rig_close(&g);
}

static void
names_with_other_characters(void **state)
{
    struct rig g;

    (void)state;
    rig_open(&g);
    rig_tool(&g, (struct ir_tool){.name = STR("web.search")});
    rig_tool(&g, (struct ir_tool){.name = STR("caf\xc3\xa9")});
    rig_tool(&g, (struct ir_tool){.name = STR("web_search")});
    rig_tool(&g, (struct ir_tool){
                     .name = STR("a.provider's"), .hosted_by = "chat", .raw = STR("{}")});
    rig_fit_ok(&g);
    assert_true(str_starts(shown(&g, 0), STR("web_search_")));
    assert_true(str_starts(shown(&g, 1), STR("caf___")));
    assert_true(str_eq(shown(&g, 2), STR("web_search")));
    assert_true(str_eq(shown(&g, 3), STR("a.provider's")));
    assert_true(str_eq(called(&g, shown(&g, 0)), STR("web.search")));
    assert_true(str_eq(called(&g, shown(&g, 1)), STR("caf\xc3\xa9")));
    rig_close(&g);
}

static void
the_bound_is_the_routes(void **state)
{
    static const unsigned bounds[] = {8, 9, 10, 40, 64, 69};
    struct rig g;

    (void)state;
    rig_open(&g);
    rig_tool(&g, (struct ir_tool){.name = STR(LONG)});
    rig_tool(&g, (struct ir_tool){.name = STR(LONG "x")});
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
        g.route.caps.tool_name_max = bounds[i];
        rig_fit_ok(&g);
        assert_int_equal(shown(&g, 0).n, bounds[i] < 9 ? 9 : bounds[i]);
        assert_false(str_eq(shown(&g, 0), shown(&g, 1)));
    }
    g.route.caps.tool_name_max = 71;
    rig_fit_ok(&g);
    assert_null(g.adapt);
    g.route.caps.tool_name_max = 0;
    rig_fit_ok(&g);
    assert_null(g.adapt);
    rig_close(&g);
}

/* A tool that bears the very name that another would get. */
static void
a_taken_name_is_not_given(void **state)
{
    struct rig g, other;

    (void)state;
    rig_open(&g);
    rig_tool(&g, (struct ir_tool){.name = STR(LONG)});
    rig_fit_ok(&g);
    rig_open(&other);
    rig_tool(&other, (struct ir_tool){.name = STR(LONG)});
    rig_tool(&other, (struct ir_tool){.name = shown(&g, 0)});
    rig_tool(&other, (struct ir_tool){.name = STR(LONG)});
    rig_fit_ok(&other);
    assert_false(str_eq(shown(&other, 0), shown(&g, 0)));
    assert_true(str_eq(shown(&other, 1), shown(&g, 0)));
    assert_true(str_eq(shown(&other, 2), shown(&other, 0)));
    assert_true(str_eq(called(&other, shown(&g, 0)), shown(&g, 0)));
    assert_true(str_eq(called(&other, shown(&other, 0)), STR(LONG)));
    rig_close(&other);
    rig_close(&g);
}

struct tried {
    struct str shown, name;
};

static int
by_shown(const void *a, const void *b)
{
    return memcmp(((const struct tried *)a)->shown.p, ((const struct tried *)b)->shown.p, 64);
}

/* The first keeps the name that both would get; longer ones stand before them. */
static void
expect_apart(struct str one, struct str two, struct str both)
{
    struct rig g;

    rig_open(&g);
    rig_tool(&g, (struct ir_tool){.name = STR(LONG "123456789")});
    rig_tool(&g, (struct ir_tool){.name = STR(LONG "12345678")});
    rig_tool(&g, (struct ir_tool){.name = one});
    rig_tool(&g, (struct ir_tool){.name = two});
    rig_say(&g, IR_USER, SAID("hi"));
    rig_say(&g, IR_MODEL, (struct ir_block){.kind = IR_CALL, .name = one});
    rig_say(&g, IR_MODEL, (struct ir_block){.kind = IR_CALL, .name = two});
    rig_fit_ok(&g);
    assert_true(str_eq(shown(&g, 2), both));
    assert_false(str_eq(shown(&g, 2), shown(&g, 3)));
    assert_true(str_eq(called(&g, shown(&g, 2)), one));
    assert_true(str_eq(called(&g, shown(&g, 3)), two));
    assert_true(str_eq(g.fitted.msgs->next->blocks->name, shown(&g, 2)));
    assert_true(str_eq(g.fitted.msgs->next->next->blocks->name, shown(&g, 3)));
    rig_close(&g);
}

/* Two names that get the same hash: found by trying names until two do. */
static void
colliding_hashes_go_apart(void **state)
{
    enum { TRIES = 300000 };
    struct tried *tried = calloc(TRIES, sizeof *tried);
    unsigned found = 0;
    struct rig g;

    (void)state;
    assert_non_null(tried);
    rig_open(&g);
    for (unsigned i = 0; i < TRIES; i++) {
        g.req.tools = NULL;
        tried[i].name = arena_printf(&g.a, LONG "%u", i);
        rig_tool(&g, (struct ir_tool){.name = tried[i].name});
        rig_fit_ok(&g);
        tried[i].shown = shown(&g, 0);
    }
    qsort(tried, TRIES, sizeof *tried, by_shown);
    for (unsigned i = 1; i < TRIES; i++) {
        if (by_shown(&tried[i - 1], &tried[i]) != 0)
            continue;
        found++;
        expect_apart(tried[i - 1].name, tried[i].name, tried[i].shown);
        expect_apart(tried[i].name, tried[i - 1].name, tried[i].shown);
    }
    assert_in_range(found, 1, 100);
    free(tried);
    rig_close(&g);
}

/* However the tools are ordered, every name is found again. */
static void
many_names(void **state)
{
    enum { N = 40 };
    struct rig g;

    (void)state;
    rig_open(&g);
    for (int i = N; i > 0; i--)
        rig_tool(&g, (struct ir_tool){.name = arena_printf(&g.a, "%s%0*d", LONG, i % 3, i)});
    rig_say(&g, IR_USER, SAID("hi"));
    rig_say(&g, IR_MODEL, SAID("x"));
    for (const struct ir_tool *t = g.req.tools; t; t = t->next)
        rig_add(&g, (struct ir_block){.kind = IR_CALL, .name = t->name});
    rig_fit_ok(&g);
    for (unsigned i = 0; i < N; i++) {
        const struct ir_block *b = g.fitted.msgs->next->blocks->next;
        const struct ir_tool *t = g.req.tools;

        for (unsigned k = 0; k < i; k++) {
            b = b->next;
            t = t->next;
        }
        assert_true(str_eq(b->name, shown(&g, i)));
        assert_true(str_eq(called(&g, shown(&g, i)), t->name));
    }
    rig_close(&g);
}

/* A free-form tool with a long name: both are undone. */
static void
names_and_wrapping_together(void **state)
{
    struct ir_block head = {.kind = IR_CALL, .id = STR("c")};
    struct rig g;

    (void)state;
    rig_open(&g);
    g.route.caps.custom_tools = false;
    rig_tool(&g, (struct ir_tool){.name = STR(LONG), .freeform = true});
    rig_fit_ok(&g);
    head.name = shown(&g, 0);
    (void)rig_answer(&g, false);
    rig_put(&g, (struct ir_event){.kind = IR_EV_START});
    rig_put_open(&g, 0, 0, &head);
    rig_put_delta(&g, 0, 0, STR("{\"input\":\"x\"}"));
    rig_put_close(&g, 0, 0);
    rig_put_stop(&g, 0, IR_STOP_CALLS);
    rig_put_end(&g);
    assert_string_equal(rig_res(&g),
                        "answer 0 calls\n  call freeform id=\"c\" name=\"" LONG "\" \"x\"\n"
                        "usage input=3 output=7 cached=0 reasoning=0\n");
    rig_close(&g);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_names_are_shortened_and_restored),
        cmocka_unit_test(the_rule_is_fixed),
        cmocka_unit_test(names_with_other_characters),
        cmocka_unit_test(the_bound_is_the_routes),
        cmocka_unit_test(a_taken_name_is_not_given),
        cmocka_unit_test(colliding_hashes_go_apart),
        cmocka_unit_test(many_names),
        cmocka_unit_test(names_and_wrapping_together),
    };

    return cmocka_run_group_tests_name("ir/adapt_name", tests, NULL, NULL);
}
