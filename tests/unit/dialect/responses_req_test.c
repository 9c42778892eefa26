/* responses_req_test.c -- requests of the Responses dialect where a golden case would say
 * little: routing fields that stand twice, relaying byte for byte, long histories, proofs of
 * reasoning on their way back. */
#include "triglot/dialect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "ir/envelope.h"
#include "json/scan.h"

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

static const struct dialect *responses;

static void
what_cannot_be_routed_is_refused(void **state)
{
    static const struct {
        const char *body, *param, *code;
    } rows[] = {
        {"{}", "model", "missing_required_parameter"},
        {"{\"model\":\"a\",\"model\":\"b\"}", "model", "duplicate_parameter"},
        {"{\"model\":\"a\",\"m\\u006fdel\":\"b\"}", "model", "duplicate_parameter"},
        {"{\"model\":\"a\",\"stream\":true,\"stream\":true}", "stream", "duplicate_parameter"},
        {"{\"model\":7}", "model", "invalid_type"},
        {"{\"model\":\"\"}", "model", "invalid_value"},
        {"{\"model\":\"\\ud800\"}", "model", "invalid_value"},
        {"{\"model\":\"a\",\"stream\":1}", "stream", "invalid_type"},
        {"[]", "", "invalid_type"},
    };
    struct arena a;

    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dialect_view v = {0};
        struct tg_err err = {0};

        assert_int_equal(
            responses->scan_req(&a, DIALECT_GENERATE, str_z(rows[i].body), &v, &err),
            TG_EINVAL);
        assert_string_equal(err.param, rows[i].param);
        assert_string_equal(err.code, rows[i].code);
        assert_null(v.model.p);
    }
    arena_fini(&a);
}

static void
there_are_no_embeddings(void **state)
{
    struct dialect_view v = {0};
    struct tg_err err = {0};
    struct arena a;

    (void)state;
    arena_init(&a);
    assert_null(responses->upstream_path[DIALECT_EMBED]);
    assert_null(responses->decode_embed);
    assert_int_equal(responses->scan_req(&a, DIALECT_EMBED, STR("{\"model\":\"m\"}"), &v, &err),
                     TG_EINVAL);
    arena_fini(&a);
}

static void
relaying_changes_the_model_only(void **state)
{
    const struct str body = STR("{\"x\" : 1e400 ,\"model\":\"a\\u0062\", \"stream\":true}");
    struct str pieces[DIALECT_PIECES_MAX];
    struct dialect_view v = {0};
    struct tg_err err = {0};
    struct arena a;
    struct buf b;
    int n = 0;

    (void)state;
    arena_init(&a);
    buf_init(&b, 4096);
    assert_int_equal(responses->scan_req(&a, DIALECT_GENERATE, body, &v, &err), TG_OK);
    assert_true(str_eq(v.model, STR("ab")));
    assert_true(v.stream && v.wants_usage);
    responses->relay_req(&a, &v, STR("ab"), pieces, &n);
    assert_int_equal(n, 1);
    assert_true(pieces[0].p == body.p && pieces[0].n == body.n);
    responses->relay_req(&a, &v, STR("c\"d"), pieces, &n);
    for (int i = 0; i < n; i++)
        assert_int_equal(buf_append(&b, pieces[i]), TG_OK);
    assert_true(
        str_eq(buf_str(&b), STR("{\"x\" : 1e400 ,\"model\":\"c\\\"d\", \"stream\":true}")));
    buf_fini(&b);
    arena_fini(&a);
}

/* Many items in one turn: the list must not be walked from its head for each of them, or this
 * takes minutes. */
static void
a_long_turn_is_read_in_one_go(void **state)
{
    enum { N = 60000 };
    struct ir_req req = {0};
    struct tg_err err = {0};
    struct arena a;
    struct buf b;
    unsigned n = 0;

    (void)state;
    arena_init(&a);
    buf_init(&b, 64 << 20);
    assert_int_equal(buf_append(&b, STR("{\"model\":\"m\",\"input\":[")), TG_OK);
    for (int i = 0; i < N; i++)
        assert_int_equal(buf_printf(&b,
                                    "%s{\"type\":\"function_call\",\"call_id\":\"c%d\","
                                    "\"name\":\"f\",\"arguments\":\"{}\"}",
                                    i ? "," : "", i),
                         TG_OK);
    assert_int_equal(buf_append(&b, STR("]}")), TG_OK);
    assert_int_equal(responses->decode_req(&a, buf_str(&b), &req, &err), TG_OK);
    assert_int_equal(req.n_msgs, 1);
    for (const struct ir_block *i = req.msgs->blocks; i; i = i->next)
        n++;
    assert_int_equal(n, N);
    buf_fini(&b);
    arena_fini(&a);
}

/* pitfalls E2, E8: our envelope is opened, a provider's own blob is kept as it is, and a
 * foreign one never reaches a provider of this dialect. */
static void
proofs_come_back_to_their_maker(void **state)
{
    const struct ir_block foreign = {
        .kind = IR_THINK, .sig = STR("SIG+/="), .sig_id = STR("id"), .origin = "messages"};
    const struct dialect_route route = {.model = STR("m")};
    struct ir_drops drops = {0};
    struct ir_req req = {0};
    struct tg_err err = {0};
    const struct ir_block *b;
    struct str sealed;
    struct arena a;
    struct buf body, out;

    (void)state;
    arena_init(&a);
    buf_init(&body, 4096);
    buf_init(&out, 4096);
    sealed = ir_seal(&a, &foreign);
    assert_int_equal(
        buf_printf(&body,
                   "{\"model\":\"m\",\"input\":[{\"role\":\"user\",\"content\":\"x\"},"
                   "{\"type\":\"reasoning\",\"id\":\"rs_1\",\"summary\":[{\"type\":"
                   "\"summary_text\",\"text\":\"Hm.\"}],\"encrypted_content\":\"%.*s\"},"
                   "{\"type\":\"reasoning\",\"id\":\"rs_2\",\"summary\":[],"
                   "\"encrypted_content\":\"own/blob=\"}]}",
                   STR_ARG(sealed)),
        TG_OK);
    assert_int_equal(responses->decode_req(&a, buf_str(&body), &req, &err), TG_OK);
    b = req.msgs->next->blocks;
    assert_string_equal(b->origin, "messages");
    assert_true(str_eq(b->sig, foreign.sig) && str_eq(b->text, STR("Hm.")));
    b = b->next;
    assert_string_equal(b->origin, "responses");
    assert_true(str_eq(b->sig, STR("own/blob=")) && str_eq(b->sig_id, STR("rs_2")));
    assert_true(b->redacted);
    assert_int_equal(responses->encode_req(&a, &req, &route, &out, &drops, &err), TG_OK);
    assert_null(memmem(out.p, out.n, "SIG", 3));
    assert_null(memmem(out.p, out.n, "tg1:", 4));
    assert_non_null(memmem(out.p, out.n, "\"encrypted_content\":\"own/blob=\"", 31));
    assert_int_equal(drops.n, 1);
    assert_true(str_eq(drops.name[0], STR("reasoning")));
    buf_fini(&body);
    buf_fini(&out);
    arena_fini(&a);
}

/* A request too large for the buffer leaves nothing behind and says what it was. */
static void
a_full_buffer_is_left_empty(void **state)
{
    const struct dialect_route route = {.model = STR("m")};
    struct ir_drops drops = {0};
    struct ir_req req = {0};
    struct tg_err err = {0};
    struct arena a;
    unsigned refused = 0;

    (void)state;
    arena_init(&a);
    assert_int_equal(
        responses->decode_req(
            &a,
            STR("{\"model\":\"m\",\"input\":[{\"role\":\"user\",\"content\":\"a long text\"},{"
                "\"type\":\"function_call\",\"call_id\":\"c\",\"name\":\"f\",\"arguments\":"
                "\"\"}],"
                "\"tools\":[{\"type\":\"function\",\"name\":\"f\",\"parameters\":{}}]}"),
            &req, &err),
        TG_OK);
    for (size_t max = 1; max < 2000; max += 7) {
        struct buf b;
        tg_rc rc;

        buf_init(&b, max);
        rc = responses->encode_req(&a, &req, &route, &b, &drops, &err);
        assert_true(rc == TG_OK || (rc == TG_ELIMIT && b.n == 0 && err.msg[0]));
        refused += rc != TG_OK;
        buf_fini(&b);
    }
    assert_in_range(refused, 10, 280);
    arena_fini(&a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_routed_is_refused),
        cmocka_unit_test(there_are_no_embeddings),
        cmocka_unit_test(relaying_changes_the_model_only),
        cmocka_unit_test(a_long_turn_is_read_in_one_go),
        cmocka_unit_test(proofs_come_back_to_their_maker),
        cmocka_unit_test(a_full_buffer_is_left_empty),
    };

    responses = dialect_find(STR("responses"));
    return cmocka_run_group_tests_name("responses_req", tests, NULL, NULL);
}
