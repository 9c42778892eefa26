/* adapt_lower_test.c -- free-form tools and tools of other providers as functions, and calls of
 * free-form tools turned back, however their arguments are cut.
 */
#include "base/utf8.h"
#include "ir/unfold.h"
#include "support/ir_gen.h"
#include "unit/ir/adapt_rig.h"
#include "json/write.h"

static void
want_lowered(struct rig *g)
{
    g->route.caps.custom_tools = false;
    rig_tool(g, (struct ir_tool){
                    .name = STR("patch"), .description = STR("Patches."), .freeform = true});
}

/* Pitfall D10, the way there. */
static void
freeform_tools_become_functions(void **state)
{
    struct rig g;
    struct ir_block *b;

    (void)state;
    rig_open(&g);
    want_lowered(&g);
    rig_tool(&g, (struct ir_tool){.name = STR("f"), .schema = STR("{}")});
    rig_say(&g, IR_USER, SAID("hi"));
    b = rig_say(&g, IR_MODEL, CALL("c1", "patch", "a\n\"b\"\\"));
    b->freeform = true;
    rig_add(&g, CALL("c2", "f", "{\"x\":1}"));
    b = rig_say(&g, IR_TOOL, RESULT("c1", "done"));
    b->freeform = true;
    rig_say(&g, IR_TOOL, RESULT("c2", "1"));
    rig_fit_ok(&g);
    assert_string_equal(
        rig_req(&g, &g.fitted),
        "model \"m\"\n"
        "tool name=\"patch\" description=\"Patches.\" schema={\"type\":\"object\","
        "\"properties\":{\"input\":{\"type\":\"string\"}},\"required\":[\"input\"]}\n"
        "tool name=\"f\" schema={}\n"
        "tool_choice auto\n"
        "user\n  text \"hi\"\n"
        "model\n"
        "  call id=\"c1\" name=\"patch\" \"{\\\"input\\\":\\\"a\\\\n\\\\\\\"b\\\\\\\"\\\\\\\\"
        "\\\"}\"\n"
        "  call id=\"c2\" name=\"f\" \"{\\\"x\\\":1}\"\n"
        "tool\n  result id=\"c1\" \"done\"\n"
        "tool\n  result id=\"c2\" \"1\"\n");
    assert_string_equal(rig_drops(&g), "");
    assert_non_null(g.adapt);
    /* The client's request is as it was. */
    assert_true(g.req.tools->freeform && g.req.msgs->next->blocks->freeform);
    rig_close(&g);
}

static void
a_grammar_goes_into_the_description(void **state)
{
    struct rig g;

    (void)state;
    rig_open(&g);
    g.route.caps.custom_tools = false;
    rig_tool(&g, (struct ir_tool){.name = STR("f")});
    rig_tool(&g, (struct ir_tool){.name = STR("patch"),
                                  .description = STR("d"),
                                  .freeform = true,
                                  .grammar = STR("{\"type\":\"grammar\",\"syntax\":\"lark\","
                                                 "\"definition\":\"start: \\\"X\\\"\"}")});
    rig_tool(&g, (struct ir_tool){.name = STR("plain"),
                                  .freeform = true,
                                  .grammar = STR("{\"type\":\"text\"}")});
    rig_fit_ok(&g);
    assert_true(str_eq(g.fitted.tools->next->description,
                       STR("d\n\nThe input must follow this grammar:\nstart: \"X\"")));
    assert_int_equal(g.fitted.tools->next->next->description.n, 0);
    assert_string_equal(rig_drops(&g), "tools.1.format");
    g.route.strict = true;
    assert_int_equal(rig_fit(&g), TG_EINVAL);
    assert_string_equal(g.err.param, "tools.1.format");
    rig_close(&g);
}

static void
what_fits_is_shared_and_costs_nothing(void **state)
{
    struct rig g;

    (void)state;
    rig_open(&g);
    rig_tool(&g, (struct ir_tool){.name = STR("patch"), .freeform = true});
    rig_say(&g, IR_USER, SAID("hi"));
    rig_say(&g, IR_MODEL, CALL("c1", "patch", "x"))->freeform = true;
    rig_say(&g, IR_TOOL, RESULT("c1", "done"));
    rig_fit_ok(&g);
    assert_null(g.adapt);
    assert_ptr_equal(g.fitted.tools, g.req.tools);
    assert_ptr_equal(g.fitted.msgs, g.req.msgs);
    assert_ptr_equal(ir_adapt_sink(g.adapt, false, &g.log), &g.log);
    assert_false(ir_adapt_over(g.adapt));
    rig_close(&g);
}

static void
tools_the_client_runs(void **state)
{
    static const char *const types[] = {"local_shell", "shell", "apply_patch"};
    struct rig g;

    (void)state;
    rig_open(&g);
    g.to = "messages";
    for (size_t i = 0; i < 3; i++)
        rig_tool(&g, (struct ir_tool){.name = str_z(types[i]),
                                      .hosted_by = "responses",
                                      .raw = STR("{\"type\":\"x\"}")});
    rig_tool(&g, (struct ir_tool){.name = STR("bash"),
                                  .hosted_by = "messages",
                                  .raw = STR("{}"),
                                  .schema = STR("{\"type\":\"object\"}")});
    rig_tool(&g, (struct ir_tool){.name = STR("image_generation"),
                                  .hosted_by = "responses",
                                  .raw = STR("{}")});
    rig_fit_ok(&g);
    for (const struct ir_tool *t = g.fitted.tools; t; t = t->next) {
        bool stays = str_eq(t->name, STR("bash")) || str_eq(t->name, STR("image_generation"));

        assert_int_equal(t->hosted_by != NULL, stays);
        assert_int_equal(t->raw.n > 0, stays);
        if (!stays)
            assert_true(t->schema.n && t->description.n);
    }
    assert_null(g.adapt);
    g.to = "responses";
    rig_fit_ok(&g);
    assert_non_null(g.fitted.tools->hosted_by);
    assert_null(g.fitted.tools->next->next->next->hosted_by);
    assert_true(str_eq(g.fitted.tools->next->next->next->schema, STR("{\"type\":\"object\"}")));
    rig_close(&g);
}

/* A call of the tool with these arguments, cut at two places. */
static const char *
answer_cut(struct rig *g, struct str name, struct str args, size_t one, size_t two)
{
    struct ir_block head = {.kind = IR_CALL, .id = STR("c"), .name = name};

    rig_answer(g, false);
    rig_put(g, (struct ir_event){.kind = IR_EV_START});
    rig_put_open(g, 0, 0, &head);
    rig_put_delta(g, 0, 0, str_of(args.p, one));
    rig_put_delta(g, 0, 0, str_of(args.p + one, two - one));
    rig_put_delta(g, 0, 0, str_from(args, two));
    rig_put_close(g, 0, 0);
    rig_put_stop(g, 0, IR_STOP_CALLS);
    rig_put_end(g);
    assert_non_null(g->fold.res.answers[0].blocks);
    return rig_res(g);
}

static void
expect_text(struct rig *g, struct str args, struct str text)
{
    for (size_t two = 0; two <= args.n; two++)
        for (size_t one = 0; one <= two; one++) {
            const struct ir_block *b;

            (void)answer_cut(g, STR("patch"), args, one, two);
            b = g->fold.res.answers[0].blocks;
            if (!b->freeform || !str_eq(b->text, text))
                fail_msg("%.*s cut at %zu and %zu: %.*s", STR_ARG(args), one, two,
                         STR_ARG(b->text));
        }
}

#define FFFD "\xef\xbf\xbd"

/* Pitfall D10, the way back: wrapped as asked for, wrapped badly, not wrapped. */
static void
calls_are_turned_back(void **state)
{
    static const struct {
        struct str args, text;
    } rows[] = {
        {STR("{\"input\":\"\"}"), STR("")},
        {STR("{\"input\":\"*** Begin\\n+a\\t\\\"q\\\" \\\\ \\/ \\b\\f\\r\"}"),
         STR("*** Begin\n+a\t\"q\" \\ / \b\f\r")},
        {STR(" {\n \"input\" :\t\"x\" } \n"), STR("x")},
        {STR("{\"input\":\"\\u00e9\\u20AC\\ud83d\\ude00 \xc3\xa9\xf0\x9f\x98\x80\"}"),
         STR("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 \xc3\xa9\xf0\x9f\x98\x80")},
        {STR("{\"input\":\"a\\u0000b\"}"), STR("a\0b")},
        {STR("{\"input\":\"\\ud83d\"}"), STR(FFFD)},
        {STR("{\"input\":\"\\ud83dx\\ude00\"}"), STR(FFFD "x" FFFD)},
        {STR("{\"input\":\"\\ud83d\\n\\ud83d\\ud83d\\ude00\"}"),
         STR(FFFD "\n" FFFD "\xf0\x9f\x98\x80")},
        {STR("{\"input\":\"a\\qb\\u12zc\"}"), STR("aqb" FFFD "zc")},
        {STR("{\"input\":\"\\u1\\n\\u2\""), STR(FFFD "\n" FFFD)},
        {STR("{\"input\":\"two\nlines\"}"), STR("two\nlines")},
        {STR("{\"input\":\"a\",\"why\":\"b\"}"), STR("a")},
        {STR("{\"input\":\"cut o"), STR("cut o")},
        {STR("{\"input\":\"cut \\"), STR("cut ")},
        {STR(""), STR("")},
        {STR("{}"), STR("")},
        {STR(" { } "), STR("")},
        {STR("{} x"), STR("{} x")},
        {STR("{\"patch\":\"a\"}"), STR("{\"patch\":\"a\"}")},
        {STR("{\"input\":{\"a\":1}}"), STR("{\"input\":{\"a\":1}}")},
        {STR("{ \"inp ut\":\"a\"}"), STR("{ \"inp ut\":\"a\"}")},
        {STR("{\"input"), STR("{\"input")},
        {STR("*** Begin Patch\n\"\\n\""), STR("*** Begin Patch\n\"\\n\"")},
        {STR("\xc3\xa9t\xc3\xa9"), STR("\xc3\xa9t\xc3\xa9")},
        {STR("\"x\""), STR("\"x\"")},
    };
    struct rig g;

    (void)state;
    rig_open(&g);
    want_lowered(&g);
    rig_fit_ok(&g);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect_text(&g, rows[i].args, rows[i].text);
    rig_close(&g);
}

/* White space before the text may go on for ever; what is held may not. */
static void
little_is_held(void **state)
{
    char args[4096];
    struct rig g;

    (void)state;
    rig_open(&g);
    want_lowered(&g);
    rig_fit_ok(&g);
    memset(args, ' ', sizeof args);
    args[0] = '{';
    (void)answer_cut(&g, STR("patch"), str_of(args, sizeof args), 1, 100);
    assert_true(str_eq(g.fold.res.answers[0].blocks->text, str_of(args, sizeof args)));
    rig_close(&g);
}

static void
other_calls_stay(void **state)
{
    struct rig g;

    (void)state;
    rig_open(&g);
    want_lowered(&g);
    rig_tool(&g, (struct ir_tool){.name = STR("f")});
    rig_fit_ok(&g);
    (void)answer_cut(&g, STR("f"), STR("{\"input\":\"a\"}"), 3, 5);
    assert_string_equal(rig_lines(&g), "start\n"
                                       "open 0.0 call id=\"c\" name=\"f\"\n"
                                       "delta 0.0 \"{\\\"i\"\n"
                                       "delta 0.0 \"np\"\n"
                                       "delta 0.0 \"ut\\\":\\\"a\\\"}\"\n"
                                       "close 0.0\n"
                                       "stop 0 calls\n"
                                       "usage input=3 output=7 cached=0 reasoning=0\n"
                                       "end\n");
    (void)answer_cut(&g, STR("patch"), STR("{\"input\":\"a\\nb\"}"), 3, 12);
    assert_string_equal(rig_lines(&g), "start\n"
                                       "open 0.0 call freeform id=\"c\" name=\"patch\"\n"
                                       "delta 0.0 \"a\"\n"
                                       "delta 0.0 \"\\nb\"\n"
                                       "close 0.0\n"
                                       "stop 0 calls\n"
                                       "usage input=3 output=7 cached=0 reasoning=0\n"
                                       "end\n");
    rig_close(&g);
}

/* Looks at the texts that pass: whole characters, and no longer than they may be. */
struct pieces {
    struct ir_sink sink, *next;
};

static tg_rc
look_at(struct ir_sink *sink, const struct ir_event *ev)
{
    struct pieces *p = LIST_ITEM(sink, struct pieces, sink);

    if (ev->kind == IR_EV_DELTA) {
        assert_true(utf8_valid(ev->text));
        assert_in_range(ev->text.n, 1, IR_PIECE_MAX);
    }
    return p->next->put(p->next, ev);
}

/* What a client's history would say of an answer, sent back as that answer, is the answer. */
static void
there_and_back_is_the_same(void **state)
{
    struct prng r = {7};

    (void)state;
    for (int i = 0; i < 300; i++) {
        struct ir_answer answer = {.stop = IR_STOP_CALLS};
        struct ir_res res = {&answer, 1, IR_USAGE_UNKNOWN}, native = res;
        struct pieces pieces;
        struct str text;
        struct rig g;

        rig_open(&g);
        want_lowered(&g);
        text = ir_gen_text(&g.a, &r, i % 10 == 1 ? 20000 : 60);
        rig_say(&g, IR_USER, SAID("hi"));
        for (int n = 0; n < 3; n++) {
            struct ir_block b = CALL("", "patch", "");

            b.id = arena_printf(&g.a, "c%d", n);
            b.freeform = n != 1;
            b.name = n == 1 ? STR("f") : b.name;
            b.text = n == 1 ? STR("{\"input\":\"a\"}") : text;
            if (n == 0)
                rig_say(&g, IR_MODEL, b);
            else
                rig_add(&g, b);
        }
        native.answers = arena_new(&g.a, struct ir_answer);
        *native.answers = (struct ir_answer){g.req.msgs->next->blocks, IR_STOP_CALLS, {0}};
        rig_fit_ok(&g);
        answer.blocks = g.fitted.msgs->next->blocks;
        assert_false(answer.blocks->freeform);
        (void)rig_answer(&g, false);
        pieces = (struct pieces){{look_at}, g.behind.next};
        g.behind.next = &pieces.sink;
        if (i % 2)
            assert_int_equal(ir_unfold(&res, &g.front.sink), TG_OK);
        else
            assert_int_equal(ir_gen_stream(&res, &r, 3, true, &g.front.sink), TG_OK);
        assert_string_equal(rig_res(&g), ir_gen_dump(&g.a, &native));
        rig_close(&g);
    }
}

/* Text without an escape leaves in pieces, and these end between characters. */
static void
long_texts_part_between_characters(void **state)
{
    (void)state;
    for (size_t shift = 0; shift < 4; shift++) {
        struct ir_block head = {.kind = IR_CALL, .id = STR("c"), .name = STR("patch")};
        struct ir_answer answer = {&head, IR_STOP_CALLS, {0}};
        struct ir_res res = {&answer, 1, IR_USAGE_UNKNOWN};
        static char args[7000];
        struct pieces pieces;
        struct rig g;
        size_t n = 10;

        memcpy(args, "{\"input\":\"xxx", 13);
        for (n += shift; n + 6 < sizeof args; n += 3)
            memcpy(args + n, "\xe2\x82\xac", 3);
        memcpy(args + n, "\"}", 2);
        head.text = str_of(args, n + 2);
        rig_open(&g);
        want_lowered(&g);
        rig_fit_ok(&g);
        (void)rig_answer(&g, true);
        pieces = (struct pieces){{look_at}, g.behind.next};
        g.behind.next = &pieces.sink;
        assert_int_equal(ir_unfold(&res, &g.front.sink), TG_OK);
        assert_true(str_eq(g.fold.res.answers[0].blocks->text, str_of(args + 10, n - 10)));
        rig_close(&g);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(freeform_tools_become_functions),
        cmocka_unit_test(a_grammar_goes_into_the_description),
        cmocka_unit_test(what_fits_is_shared_and_costs_nothing),
        cmocka_unit_test(tools_the_client_runs),
        cmocka_unit_test(calls_are_turned_back),
        cmocka_unit_test(little_is_held),
        cmocka_unit_test(other_calls_stay),
        cmocka_unit_test(there_and_back_is_the_same),
        cmocka_unit_test(long_texts_part_between_characters),
    };

    return cmocka_run_group_tests_name("ir/adapt_lower", tests, NULL, NULL);
}
