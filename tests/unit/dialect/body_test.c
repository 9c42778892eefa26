/* body_test.c -- routing fields found in a body, and bodies made of pieces of another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "dialect/body.h"

struct look {
    struct str seen[4];
    unsigned n;
};

static tg_rc
look(void *arg, const struct json_member *m, struct dialect_view *view, struct tg_err *err)
{
    struct look *l = arg;

    if (str_eq(m->key, STR("bad")))
        return tg_refuse(err, "invalid_value", "bad", "'bad': no");
    assert_true(l->n < 4);
    l->seen[l->n++] = m->key;
    view->options_span = m->value;
    return TG_OK;
}

static void
fields_are_found(void **state)
{
    static const char body[] =
        " {\"x\":1,\"mod\\u0065l\" : \"a\\u00e9\",\"y\":[{\"model\":2}],\"stream\":true}";
    struct dialect_view v = {.call = DIALECT_GENERATE, .wants_usage = true};
    struct look l = {.n = 0};
    struct arena a;

    (void)state;
    arena_init(&a);
    assert_int_equal(body_scan(&a, str_z(body), look, &l, &v, NULL), TG_OK);
    assert_true(str_eq(v.model, STR("a\xc3\xa9")));
    assert_true(str_eq(v.model_span, STR("\"a\\u00e9\"")));
    assert_true(v.stream && v.wants_usage);
    assert_int_equal(l.n, 2);
    assert_true(str_eq(l.seen[1], STR("y")));
    assert_true(str_eq(v.options_span, STR("[{\"model\":2}]")));
    /* Embeddings do not stream, so there the field is one like others. */
    v = (struct dialect_view){.call = DIALECT_EMBED};
    l.n = 0;
    assert_int_equal(body_scan(&a, str_z(body), look, &l, &v, NULL), TG_OK);
    assert_false(v.stream);
    assert_int_equal(l.n, 3);
    arena_fini(&a);
    arena_thread_fini();
}

static void
what_cannot_be_routed_is_refused(void **state)
{
    static const struct {
        const char *body, *param, *code;
    } rows[] = {
        {"{", "", "invalid_json"},
        {"[]", "", "invalid_type"},
        {"{}", "model", "missing_required_parameter"},
        {"{\"model\":1}", "model", "invalid_type"},
        {"{\"model\":\"\"}", "model", "invalid_value"},
        {"{\"model\":\"a\",\"m\\u006fdel\":\"a\"}", "model", "duplicate_parameter"},
        {"{\"model\":\"a\",\"stream\":false,\"stream\":true}", "stream", "duplicate_parameter"},
        {"{\"model\":\"a\",\"stream\":\"yes\"}", "stream", "invalid_type"},
        {"{\"model\":\"a\",\"bad\":1}", "bad", "invalid_value"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct dialect_view v = {.call = DIALECT_GENERATE};
        struct tg_err err = {0};
        struct look l = {.n = 0};
        struct arena a;

        arena_init(&a);
        assert_int_not_equal(body_scan(&a, str_z(rows[i].body), look, &l, &v, &err), TG_OK);
        assert_string_equal(err.param, rows[i].param);
        assert_string_equal(err.code, rows[i].code);
        arena_fini(&a);
    }
    arena_thread_fini();
}

static void
expect_pieces(const char *body, const struct body_edit *edits, int n, const char *want)
{
    struct str pieces[DIALECT_PIECES_MAX];
    struct buf b;
    int made = 0;

    body_pieces(str_z(body), edits, n, pieces, &made);
    buf_init(&b, 256);
    for (int i = 0; i < made; i++) {
        assert_true(pieces[i].n > 0 || edits);
        assert_int_equal(buf_append(&b, pieces[i]), TG_OK);
    }
    assert_true(str_eq(buf_str(&b), str_z(want)));
    buf_fini(&b);
}

static void
bodies_are_edited(void **state)
{
    static const char body[] = "{\"model\":\"m\",\"a\":null}";
    struct dialect_view v = {.call = DIALECT_GENERATE};
    struct body_edit edits[3];
    struct arena a;

    (void)state;
    arena_init(&a);
    assert_int_equal(body_scan(&a, str_z(body), NULL, NULL, &v, NULL), TG_OK);
    assert_false(body_edit_model(&a, &v, STR("m"), &edits[0]));
    expect_pieces(body, edits, 0, body);
    assert_true(body_edit_model(&a, &v, STR("x\"\n"), &edits[0]));
    expect_pieces(body, edits, 1, "{\"model\":\"x\\\"\\n\",\"a\":null}");
    edits[1] = (struct body_edit){v.model_span.p + v.model_span.n, 0, STR(",\"b\":1")};
    edits[2] = (struct body_edit){body + sizeof body - 1, 0, STR(" ")};
    expect_pieces(body, edits, 3, "{\"model\":\"x\\\"\\n\",\"b\":1,\"a\":null} ");
    edits[0] = (struct body_edit){body, sizeof body - 1, STR("{}")};
    expect_pieces(body, edits, 1, "{}");
    arena_fini(&a);
    arena_thread_fini();
}

static void
a_new_request_says_nothing(void **state)
{
    struct ir_req req = body_request("messages");

    (void)state;
    assert_string_equal(req.origin, "messages");
    assert_true(req.parallel_calls && !req.stream && !req.tool_choice_said);
    assert_int_equal(req.choices, 1);
    assert_true(req.max_tokens == -1 && req.seed == -1 && req.top_logprobs == -1 &&
                req.think_budget == -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_found),
        cmocka_unit_test(what_cannot_be_routed_is_refused),
        cmocka_unit_test(bodies_are_edited),
        cmocka_unit_test(a_new_request_says_nothing),
    };

    return cmocka_run_group_tests_name("dialect/body", tests, NULL, NULL);
}
