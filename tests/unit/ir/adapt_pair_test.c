/* adapt_pair_test.c -- calls and results of the history: put right or refused, and left alone
 * where they are in order (pitfall D7).
 */
#include "unit/ir/adapt_rig.h"

#define LOST "The tool was not run, or its result is lost."

/* The fitted messages, one word each: u, s, the ids of calls in (), of results in []; a failed
 * result has a ! behind. */
static const char *
shape(struct rig *g)
{
    struct str all = STR("");
    unsigned n = 0;

    for (const struct ir_msg *m = g->fitted.msgs; m; m = m->next, n++) {
        all = arena_printf(&g->a, "%.*s%s%s", STR_ARG(all), n ? " " : "",
                           m->role == IR_USER     ? "u"
                           : m->role == IR_SYSTEM ? "s"
                           : m->role == IR_MODEL  ? "m"
                                                  : "t");
        for (const struct ir_block *b = m->blocks; b; b = b->next)
            if (b->kind == IR_CALL)
                all = arena_printf(&g->a, "%.*s(%.*s)", STR_ARG(all), STR_ARG(b->id));
            else if (b->kind == IR_RESULT)
                all = arena_printf(
                    &g->a, "%.*s[%.*s=%.*s]", STR_ARG(all), STR_ARG(b->id),
                    STR_ARG(b->failed && str_eq(b->text, STR(LOST)) ? STR("!") : b->text));
    }
    assert_int_equal(n, g->fitted.n_msgs);
    return all.p;
}

/* The reverse: messages from such a line. */
static void
say_shape(struct rig *g, const char *line)
{
    struct str rest = str_z(line);

    while (rest.n) {
        struct str word = str_cut(rest, ' ', &rest);
        char role = word.p[0];
        bool first = true, parts = strcmp(g->req.origin, "messages") == 0;
        unsigned part = 0;

        word = str_from(word, 1);
        if (word.n == 0)
            rig_say(g, role == 'u' ? IR_USER : role == 's' ? IR_SYSTEM : IR_MODEL, SAID("x"));
        while (word.n) {
            bool call = word.p[0] == '(';
            struct str id = str_cut(str_from(word, 1), call ? ')' : ']', &word), text;
            struct ir_block b = {.kind = call ? IR_CALL : IR_RESULT, .name = STR("f")};

            b.id = str_cut(id, '=', &text);
            b.text = text;
            b.part = parts ? ++part : 0;
            if (first)
                rig_say(g, role == 'm' ? IR_MODEL : role == 'u' ? IR_USER : IR_TOOL, b);
            else
                rig_add(g, b);
            first = false;
        }
        if (role == 'u' && !first)
            rig_add(g, SAID("y"));
    }
}

static void
in_order_is_left_alone(void **state)
{
    static const char *const rows[] = {
        "u m u",
        "u m(a) t[a=1] m u",
        "u m(a)(b) t[a=1] t[b=2] u",
        "u m(a)(b) u[a=1][b=2] m(a) t[a=3]",
        "s u m(a) m(b) t[a=1] t[b=2] s",
        "u m(a) u[a=1] s m(b) u[b=2]",
        /* no ids, the same id twice: by place */
        "u m() t[=1] u",
        "u m(0)(0) t[0=1] t[0=2]",
        "u m(0)(0) t[0=1]",
        "u m()(a) t[a=1]",
        "u m(a) t[a=1] m() u",
        "",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (int reject = 0; reject < 2; reject++) {
            struct rig g;

            rig_open(&g);
            say_shape(&g, rows[i]);
            g.route.caps.orphans = reject ? CAPS_ORPHANS_REJECT : CAPS_ORPHANS_FIX;
            rig_fit_ok(&g);
            assert_string_equal(shape(&g), rows[i]);
            assert_string_equal(rig_drops(&g), "");
            rig_close(&g);
        }
}

static const struct {
    const char *client, *line, *fixed, *drops;
    const char *param; /* when refused; "" = it is put right all the same */
} faults[] = {
    {"chat", "u m(a)", "u m(a) t[a=!]", "", "messages.1"},
    {"chat", "u m(a) u", "u m(a) t[a=!] u", "", "messages.1"},
    {"chat", "u m(a)(b)(c) t[b=2] u", "u m(a)(b)(c) t[a=!] t[b=2] t[c=!] u", "", "messages.1"},
    {"responses", "u m(a) u m t[a=1]", "u m(a) t[a=!] u m t[a=1]", "", "input.1"},
    {"chat", "u m(a) t[a=1] t[a=2] u", "u m(a) t[a=2] u", "messages.2", "messages.2"},
    {"messages", "s u m(a) u[a=1][a=2] m", "s u m(a) t[a=2] u m", "messages.2.content.0",
     "messages.2.content.0"},
    {"messages", "s u m(a) u", "s u m(a) t[a=!] u", "", "messages.1.content.0"},
    {"chat", "u m(a)(b) t[b=2] t[a=1]", "u m(a)(b) t[a=1] t[b=2]", "", ""},
    {"chat", "u m(c)(a)(b) t[a=1] t[b=2] t[c=3]", "u m(c)(a)(b) t[c=3] t[a=1] t[b=2]", "", ""},
    {"chat", "u m(a) u t[a=1] m", "u m(a) t[a=1] u m", "", ""},
    {"chat", "u m(a) s t[a=1]", "u m(a) t[a=1] s", "", ""},
    {"chat", "u m(a) m(b) t[b=2] u", "u m(a) m(b) t[a=!] t[b=2] u", "", "messages.1"},
    {"chat", "u m(a) m(b) t[a=1] u", "u m(a) m(b) t[a=1] t[b=!] u", "", "messages.2"},
    /* results of calls that are not there stay */
    {"chat", "u m t[x=1] u", "u m t[x=1] u", "", ""},
    {"chat", "t[x=1] u m(a) t[x=2] t[a=1]", "t[x=1] u m(a) t[a=1] t[x=2]", "", ""},
    {"chat", "u m(a) t[x=2]", "u m(a) t[a=!] t[x=2]", "", "messages.1"},
    /* more than one turn */
    {"chat", "u m(a) u m(a) t[a=1] t[a=2] m(b) t[b=3] m(c)",
     "u m(a) t[a=!] u m(a) t[a=2] m(b) t[b=3] m(c) t[c=!]", "messages.4", "messages.1"},
};

static void
faults_are_put_right(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        struct rig g;
        const char *before;

        rig_open(&g);
        g.req.origin = faults[i].client;
        say_shape(&g, faults[i].line);
        before = rig_req(&g, &g.req);
        rig_fit_ok(&g);
        assert_string_equal(shape(&g), faults[i].fixed);
        assert_string_equal(rig_drops(&g), faults[i].drops);
        assert_null(g.adapt);
        assert_string_equal(rig_req(&g, &g.req), before);
        rig_close(&g);
    }
}

static void
or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        struct rig g;

        rig_open(&g);
        g.req.origin = faults[i].client;
        say_shape(&g, faults[i].line);
        g.route.caps.orphans = CAPS_ORPHANS_REJECT;
        assert_int_equal(rig_fit(&g), faults[i].param[0] ? TG_EINVAL : TG_OK);
        assert_string_equal(g.err.param, faults[i].param);
        assert_string_equal(rig_drops(&g), "");
        rig_close(&g);
    }
}

/* A strict route loses nothing: what is put in is no loss, what is left out is one. */
static void
strict_routes_lose_no_result(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        struct rig g;

        rig_open(&g);
        g.req.origin = faults[i].client;
        say_shape(&g, faults[i].line);
        g.route.strict = true;
        assert_int_equal(rig_fit(&g), faults[i].drops[0] ? TG_EINVAL : TG_OK);
        assert_string_equal(g.err.param, faults[i].drops);
        rig_close(&g);
    }
}

/* What is put in is a result of the call's kind; what is kept keeps all it has. */
static void
blocks_keep_what_they_have(void **state)
{
    struct ir_block part = {.kind = IR_TEXT, .text = STR("part")};
    struct rig g;

    (void)state;
    rig_open(&g);
    rig_say(&g, IR_MODEL, CALL("a", "patch", "x"))->freeform = true;
    rig_add(&g, CALL("b", "f", "{}"));
    rig_add(&g, SAID("said"));
    rig_say(&g, IR_TOOL, RESULT("b", ""))->sub = &part;
    rig_add(&g, SAID("more"));
    rig_fit_ok(&g);
    assert_string_equal(rig_req(&g, &g.fitted),
                        "model \"m\"\n"
                        "model\n"
                        "  call freeform id=\"a\" name=\"patch\" \"x\"\n"
                        "  call id=\"b\" name=\"f\" \"{}\"\n"
                        "  text \"said\"\n"
                        "tool\n  result freeform id=\"a\" name=\"patch\" failed \"" LOST "\"\n"
                        "tool\n  result id=\"b\"\n    text \"part\"\n"
                        "tool\n  text \"more\"\n");
    rig_close(&g);
}

/* A history made to be slow: as many calls as results, in the wrong order, in one turn. */
static void
long_turns_take_no_longer(void **state)
{
    enum { N = 100000 };
    struct ir_msg *msgs, *m;
    struct rig g;

    (void)state;
    rig_open(&g);
    msgs = arena_array(&g.a, struct ir_msg, 2 * N);
    for (unsigned i = 0; i < 2 * N; i++) {
        msgs[i].role = i < N ? IR_MODEL : IR_TOOL;
        msgs[i].blocks = arena_new(&g.a, struct ir_block);
        msgs[i].blocks->kind = i < N ? IR_CALL : IR_RESULT;
        msgs[i].blocks->id = arena_printf(&g.a, "call_%06u", i < N ? i : 2 * N - 1 - i);
        msgs[i].next = i + 1 < 2 * N ? &msgs[i + 1] : NULL;
    }
    g.req.msgs = msgs;
    g.req.n_msgs = 2 * N;
    rig_fit_ok(&g);
    assert_int_equal(g.fitted.n_msgs, 2 * N);
    m = g.fitted.msgs;
    for (unsigned i = 0; i < N; i++)
        m = m->next;
    for (unsigned i = 0; i < N; i++, m = m->next)
        assert_true(str_eq(m->blocks->id, msgs[i].blocks->id));
    rig_close(&g);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_order_is_left_alone),
        cmocka_unit_test(faults_are_put_right),
        cmocka_unit_test(or_refused),
        cmocka_unit_test(strict_routes_lose_no_result),
        cmocka_unit_test(blocks_keep_what_they_have),
        cmocka_unit_test(long_turns_take_no_longer),
    };

    return cmocka_run_group_tests_name("ir/adapt_pair", tests, NULL, NULL);
}
