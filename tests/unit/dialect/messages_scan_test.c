/* messages_scan_test.c -- routing fields, relayed bodies, and answers that pass by as bytes. */
#include "dialect/alike.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/arena.h"
#include "triglot/dialect.h"
#include "json/scan.h"

static const struct dialect *
dialect(void)
{
    return dialect_find(STR("messages"));
}

static void
routing_fields(void **state)
{
    struct dialect_view v = {.stream = false};
    struct tg_err err = {0};
    struct arena a;

    (void)state;
    arena_init(&a);
    assert_int_equal(
        dialect()->scan_req(&a, DIALECT_GENERATE,
                            STR(" {\"x\":[1],\"model\":\"a\\nb\",\"stream\":true}"), &v, &err),
        TG_OK);
    assert_true(str_eq(v.model, STR("a\nb")));
    assert_true(str_eq(v.model_span, STR("\"a\\nb\"")));
    assert_true(v.stream && v.wants_usage);
    assert_int_equal(dialect()->scan_req(&a, DIALECT_GENERATE,
                                         STR("{\"model\":\"m\",\"stream\":null}"), &v, &err),
                     TG_OK);
    assert_false(v.stream); /* absent and null are false: pitfall B8 */
    arena_fini(&a);
    arena_thread_fini();
}

static void
what_cannot_be_routed(void **state)
{
    static const struct {
        const char *body, *param;
    } rows[] = {
        {"", ""},
        {"[]", ""},
        {"{}", "model"},
        {"{\"model\":null}", "model"},
        {"{\"model\":\"\"}", "model"},
        {"{\"model\":7}", "model"},
        {"{\"model\":\"\\ud800\"}", "model"},
        {"{\"model\":\"a\",\"model\":\"b\"}", "model"},
        {"{\"model\":\"a\",\"mod\\u0065l\":\"b\"}", "model"},
        {"{\"model\":\"a\",\"stream\":1}", "stream"},
        {"{\"model\":\"a\",\"stream\":true,\"stream\":false}", "stream"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct dialect_view v = {.stream = false};
        struct tg_err err = {0};
        struct arena a;

        arena_init(&a);
        assert_int_equal(
            dialect()->scan_req(&a, DIALECT_GENERATE, str_z(rows[i].body), &v, &err),
            TG_EINVAL);
        assert_string_equal(err.param, rows[i].param);
        assert_null(v.model.p);
        arena_fini(&a);
    }
    arena_thread_fini();
}

#define DELTA(text)                                                                            \
    "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\","        \
    "\"text\":\"" text "\"}}"

static enum dialect_seen
tap(struct dialect_tap *t, const char *event, const char *data)
{
    struct tg_err err = {0};

    return dialect()->tap_record(t, str_z(event), str_z(data), &err);
}

/* The quick way must agree with the slow one, whatever stands in the place of the text. */
static void
like_records_are_judged_alike(void **state)
{
    static const char *const records[] = {
        DELTA("a"),
        DELTA(""),
        DELTA("\\\"}}"),
        DELTA("a\"}},{\"x\":{\"y\":\"b"),
        DELTA("\\"),
        DELTA("\\ud83d\\ude00"),
        DELTA("tab\there"),
        DELTA("\xff"),
        DELTA("a") " ",
        "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\","
        "\"text\":\"}}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
        struct dialect_tap quick = {.started = true, .usage = IR_USAGE_UNKNOWN}, slow = quick;
        bool fits = json_check(str_z(records[i]), JSON_DEPTH_MAX, NULL) == TG_OK;

        assert_int_equal(tap(&quick, "content_block_delta", DELTA("first")), DIALECT_PASS);
        assert_int_equal(tap(&quick, "content_block_delta", records[i]),
                         tap(&slow, "content_block_delta", records[i]));
        assert_int_equal(tap(&slow, "content_block_delta", records[i]),
                         fits ? DIALECT_PASS : DIALECT_BROKEN);
    }
}

/* A record under the name of a delta that is something else is looked at in full. */
static void
names_are_not_believed(void **state)
{
    struct dialect_tap t = {.started = true, .usage = IR_USAGE_UNKNOWN};

    (void)state;
    assert_int_equal(tap(&t, "content_block_delta",
                         "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},"
                         "\"usage\":{\"output_tokens\":3}}"),
                     DIALECT_PASS);
    assert_true(t.finished);
    assert_int_equal(t.usage.output, 3);
    assert_int_equal(tap(&t, "content_block_delta",
                         "{\"type\":\"error\",\"error\":{\"type\":\"api_error\","
                         "\"message\":\"x\"}}"),
                     DIALECT_FAILED);
    assert_true(t.failed);
}

static void
the_guess_is_given_up(void **state)
{
    struct dialect_tap t = {.started = true, .usage = IR_USAGE_UNKNOWN};
    char record[256];

    (void)state;
    for (int i = 0; i < 40; i++) {
        (void)snprintf(record, sizeof record,
                       "{\"type\":\"content_block_delta\",\"index\":%d,\"delta\":{\"type\":"
                       "\"text_delta\",\"text\":\"a\"}}",
                       i);
        assert_int_equal(tap(&t, "content_block_delta", record), DIALECT_PASS);
    }
    assert_int_equal(t.events, 40);
    assert_int_equal(alike_of_tap(&t)->n, 0);
}

/* More fresh input than 32 bits hold, with the cache's share told later. */
static void
large_figures(void **state)
{
    struct dialect_tap t = {.usage = IR_USAGE_UNKNOWN};

    (void)state;
    assert_int_equal(tap(&t, "message_start",
                         "{\"type\":\"message_start\",\"message\":{\"usage\":{"
                         "\"input_tokens\":9000000000,\"output_tokens\":1}}}"),
                     DIALECT_PASS);
    assert_int_equal(tap(&t, "message_delta",
                         "{\"type\":\"message_delta\",\"delta\":{},\"usage\":{"
                         "\"cache_read_input_tokens\":5,\"output_tokens\":2}}"),
                     DIALECT_PASS);
    assert_int_equal(t.usage.input, INT64_C(9000000005));
    assert_int_equal(t.usage.cached, 5);
    assert_false(t.finished);
}

static void
whole_answers(void **state)
{
    static const struct {
        const char *body;
        bool fits, failed;
        int64_t input;
    } rows[] = {
        {"{\"type\":\"message\",\"content\":[],\"stop_reason\":\"end_turn\",\"usage\":{"
         "\"input_tokens\":1,\"cache_read_input_tokens\":2}}",
         true, false, 3},
        {"{\"content\":[]}", true, false, -1},
        {"{\"type\":\"error\",\"error\":{\"message\":\"x\"}}", false, true, -1},
        {"{\"choices\":[]}", false, false, -1},
        {"[]", false, false, -1},
        {"", false, false, -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct dialect_tap t = {.usage = IR_USAGE_UNKNOWN};

        assert_int_equal(dialect()->tap_whole(&t, DIALECT_GENERATE, str_z(rows[i].body)),
                         rows[i].fits);
        assert_int_equal(t.failed, rows[i].failed);
        assert_int_equal(t.usage.input, rows[i].input);
        assert_false(dialect()->tap_whole(&t, DIALECT_EMBED, str_z(rows[i].body)));
    }
}

static void
errors_that_can_be_passed_on(void **state)
{
    (void)state;
    assert_true(dialect()->error_fits(
        STR("{\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"x\"}}")));
    assert_false(
        dialect()->error_fits(STR("{\"error\":{\"type\":\"api_error\",\"message\":\"x\"}}")));
    assert_false(dialect()->error_fits(STR("{\"type\":\"error\",\"error\":{\"type\":1}}")));
    assert_false(dialect()->error_fits(STR("<html>")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(routing_fields),
        cmocka_unit_test(what_cannot_be_routed),
        cmocka_unit_test(like_records_are_judged_alike),
        cmocka_unit_test(names_are_not_believed),
        cmocka_unit_test(the_guess_is_given_up),
        cmocka_unit_test(large_figures),
        cmocka_unit_test(whole_answers),
        cmocka_unit_test(errors_that_can_be_passed_on),
    };

    return cmocka_run_group_tests_name("dialect/messages_scan", tests, NULL, NULL);
}
