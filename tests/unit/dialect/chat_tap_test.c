/* chat_tap_test.c -- the observer of a passing stream.
 *
 * What it says of whole streams is in the golden cases.  Here: that its quick look finds what
 * there is to find wherever it lies and however it is spaced, that it finds nothing in texts
 * that only look like it, and the table of error words.
 */
#include "triglot/dialect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "json/scan.h"

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

static const struct dialect *chat;
static const struct str no_name = {NULL, 0};

static struct dialect_tap
started(void)
{
    struct dialect_tap t = {.usage = IR_USAGE_UNKNOWN};
    struct tg_err err = {0};

    assert_int_equal(
        chat->tap_record(&t, no_name, STR("{\"choices\":[{\"index\":0,\"delta\":{}}]}"), &err),
        DIALECT_PASS);
    assert_true(t.started);
    assert_false(t.finished);
    return t;
}

/* A record in which `members` comes behind `pad` bytes of text, in an allocation of its size.
 */
static char *
padded(const char *members, int pad, struct str *ret)
{
    char *p = NULL;
    int n =
        asprintf(&p, "{\"x\":\"%.*s\"%s}", pad,
                 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", members);
    char *exact;

    assert_true(n > 0);
    exact = malloc((size_t)n);
    assert_non_null(exact);
    memcpy(exact, p, (size_t)n);
    free(p);
    *ret = str_of(exact, (size_t)n);
    return exact;
}

static void
found_at_every_offset(void **state)
{
    static const struct {
        const char *members;
        bool usage, finished, failed, second;
    } rows[] = {
        {",\"usage\":{\"prompt_tokens\":5}", true, false, false, false},
        {",\"usage\" \n:\t{\"prompt_tokens\":5}", true, false, false, false},
        {",\"choices\":[{\"index\":0,\"finish_reason\":\"stop\"}]", false, true, false, false},
        {",\"choices\":[{\"finish_reason\" : \"stop\" , \"index\":0}]", false, true, false,
         false},
        {",\"error\":{\"message\":\"m\"}", false, false, true, false},
        {",\"error\" : \"m\"", false, false, true, false},
        {",\"choices\":[{\"index\":1}]", false, false, false, true},
        {",\"choices\":[{\"index\" : 1}]", false, false, false, true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (int pad = 0; pad <= 40; pad++) {
            struct dialect_tap t = started();
            struct tg_err err = {0};
            struct str data;
            char *p = padded(rows[i].members, pad, &data);

            t.keep_usage = true;
            assert_int_equal(chat->tap_record(&t, no_name, data, &err),
                             rows[i].failed ? DIALECT_FAILED : DIALECT_PASS);
            assert_int_equal(t.usage.input, rows[i].usage ? 5 : -1);
            assert_true(t.finished == rows[i].finished);
            assert_true(t.failed == rows[i].failed);
            if (rows[i].second) { /* one of two has ended */
                assert_int_equal(
                    chat->tap_record(&t, no_name,
                                     STR("{\"choices\":[{\"finish_reason\":\"stop\"}]}"), &err),
                    DIALECT_PASS);
                assert_false(t.finished);
            }
            free(p);
        }
}

static void
look_alikes_pass(void **state)
{
    static const char *const rows[] = {
        "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\\\"usage\\\":{\\\"prompt_"
        "tokens\\\":1}\"}}]}",
        "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"error\"},\"finish_reason\":null}]"
        "}",
        "{\"choices\":[{\"index\":0,\"delta\":{\"usage\":{\"prompt_tokens\":1}}}]}",
        "{\"choices\":[{\"index\":0,\"delta\":{\"error\":{\"message\":\"x\"}}}]}",
        "{\"error\":null,\"usage\":null,\"choices\":[{\"index\":0}]}",
        "{\"error\":false,\"choices\":[{\"index\":0}]}",
        "{\"error\":\"\",\"choices\":[{\"index\":0}]}",
        "{\"error\":0,\"choices\":[{\"index\":0}]}",
        "{\"err\\u006fr2\":1,\"finish_reasons\":1,\"usages\":{},\"choices\":[{\"index\":0}]}",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dialect_tap t = started();
        struct tg_err err = {0};

        print_message("%s\n", rows[i]);
        assert_int_equal(chat->tap_record(&t, no_name, str_z(rows[i]), &err), DIALECT_PASS);
        assert_int_equal(t.usage.input, -1);
        assert_false(t.finished);
        assert_false(t.failed);
        assert_int_equal(t.events, 2);
    }
}

static void
what_is_not_json_is_broken(void **state)
{
    static const char *const rows[] = {"x",       "{",    "{\"a\":1}}", "{\"a\":\"\xff\"}",
                                       "null",    "[]",   "1",          "\"s\"",
                                       "{'a':1}", "[DON", "{\"a\":01}"};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (int first = 0; first < 2; first++) {
            struct dialect_tap t = {.usage = IR_USAGE_UNKNOWN};
            struct tg_err err = {0};

            if (!first)
                t = started();
            print_message("%s\n", rows[i]);
            assert_int_equal(chat->tap_record(&t, no_name, str_z(rows[i]), &err),
                             DIALECT_BROKEN);
            assert_int_equal(err.rc, TG_EPROTO);
            assert_int_equal(err.origin, TG_FROM_UPSTREAM);
            assert_true(t.failed);
        }
}

/* A record that is like the one before is judged by its text alone.  Whatever comes behind an
 * ordinary record must be judged as if nothing had come before it. */
static void
what_came_before_changes_nothing(void **state)
{
#define HEAD "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\""
#define TAIL "\"},\"finish_reason\":null}]}"
    static const char *const rows[] = {
        HEAD TAIL,
        HEAD "x" TAIL,
        HEAD "\\n\\u00e9 漢 \\\\" TAIL,
        HEAD "\\" TAIL,
        HEAD "\\\\\\" TAIL,
        HEAD "\"" TAIL,
        HEAD "\",\"usage\":{\"prompt_tokens\":1},\"a\":\"" TAIL,
        HEAD "\"},\"finish_reason\":\"stop\"},{\"index\":0,\"delta\":{\"content\":\"" TAIL,
        HEAD "\n" TAIL,
        HEAD "\xff" TAIL,
        HEAD "\xe6\xbc" TAIL,
        HEAD "\\x" TAIL,
        HEAD "\\u12" TAIL,
        HEAD TAIL " ",
        HEAD TAIL "}",
        HEAD "x" TAIL HEAD "x" TAIL,
        HEAD,
        TAIL,
        HEAD "\"}}]}",
        "{\"id\":\"d\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"x" TAIL,
        HEAD "x\"},\"finish_reason\":\"stop\"}]}",
        "{\"error\":{\"message\":\"" HEAD,
        "{\"error\":{\"message\":\"m\"}}",
    };
    static const char *const before[] = {HEAD "first" TAIL, HEAD TAIL, HEAD "a\\\"b" TAIL};
#undef HEAD
#undef TAIL

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t k = 0; k < COUNT(before); k++) {
            struct dialect_tap fresh = started(), primed = started();
            struct tg_err err = {0};
            size_t n = strlen(rows[i]);
            char *exact = malloc(n + 1);

            assert_non_null(exact);
            memcpy(exact, rows[i], n);
            print_message("%s\n", rows[i]);
            assert_int_equal(chat->tap_record(&primed, no_name, str_z(before[k]), &err),
                             DIALECT_PASS);
            primed.events--;
            assert_int_equal(chat->tap_record(&primed, no_name, str_of(exact, n), &err),
                             chat->tap_record(&fresh, no_name, str_of(exact, n), &err));
            assert_int_equal(primed.events, fresh.events);
            assert_true(primed.finished == fresh.finished);
            assert_int_equal(primed.usage.input, fresh.usage.input);
            /* and it still works afterwards */
            assert_int_equal(chat->tap_record(&primed, no_name, str_z(before[0]), &err),
                             DIALECT_PASS);
            assert_int_equal(chat->tap_record(&primed, no_name, str_z(before[0]), &err),
                             DIALECT_PASS);
            free(exact);
        }
}

static void
nothing_counts_before_the_first_choice(void **state)
{
    struct dialect_tap t = {.usage = IR_USAGE_UNKNOWN};
    struct tg_err err = {0};

    (void)state;
    assert_int_equal(chat->tap_record(&t, no_name,
                                      STR("{\"choices\":[],\"prompt_filter_results\":[]}"),
                                      &err),
                     DIALECT_PASS);
    assert_int_equal(chat->tap_record(&t, no_name, STR(": ping"), &err), DIALECT_DROP);
    assert_int_equal(chat->tap_record(&t, no_name, no_name, &err), DIALECT_DROP);
    assert_false(t.started);
    assert_int_equal(t.events, 0);
}

static void
error_words(void **state)
{
    static const struct {
        const char *error;
        enum tg_err_kind kind;
        const char *code, *msg;
    } rows[] = {
        {"{\"message\":\"m\",\"type\":\"insufficient_quota\",\"code\":\"insufficient_quota\"}",
         TG_ERR_QUOTA, "insufficient_quota", "m"},
        {"{\"message\":\"m\",\"type\":\"invalid_request_error\",\"code\":\"context_length_"
         "exceeded\"}",
         TG_ERR_CONTEXT_LENGTH, "context_length_exceeded", "m"},
        {"{\"message\":\"m\",\"type\":\"requests\",\"code\":\"rate_limit_exceeded\"}",
         TG_ERR_RATE_LIMIT, "rate_limit_exceeded", "m"},
        {"{\"message\":\"m\",\"type\":\"overloaded_error\"}", TG_ERR_OVERLOADED,
         "server_is_overloaded", "m"},
        {"{\"message\":\"m\",\"code\":\"some_vendor_code\",\"type\":\"authentication_error\"}",
         TG_ERR_UPSTREAM, "upstream_auth", "the upstream refused the gateway's credentials"},
        {"{\"message\":\"m\",\"code\":429}", TG_ERR_RATE_LIMIT, "rate_limit_exceeded", "m"},
        {"{\"message\":\"m\",\"code\":null,\"status\":503}", TG_ERR_OVERLOADED,
         "server_is_overloaded", "m"},
        {"{\"message\":\"m\",\"type\":\"server_error\"}", TG_ERR_UPSTREAM, "server_error", "m"},
        {"{\"message\":\"the prompt is too long: 9 "
         "tokens\",\"type\":\"BadRequestError\",\"code\":400}",
         TG_ERR_CONTEXT_LENGTH, "context_length_exceeded", "the prompt is too long: 9 tokens"},
        {"{\"message\":\"two\\nlines \\u00e9\",\"type\":\"invalid_request_error\"}",
         TG_ERR_INVALID_REQUEST, NULL, "two?lines é"},
        {"\"plain\"", TG_ERR_UPSTREAM, "upstream_error", "plain"},
        {"true", TG_ERR_UPSTREAM, "upstream_error",
         "the upstream reported an error without saying which"},
        {"{\"message\":7,\"code\":[],\"type\":{}}", TG_ERR_UPSTREAM, "upstream_error",
         "the upstream reported an error without saying which"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dialect_tap t = {.usage = IR_USAGE_UNKNOWN};
        struct tg_err err = {0};
        char data[512];

        (void)snprintf(data, sizeof data, "{\"error\":%s}", rows[i].error);
        print_message("%s\n", data);
        assert_int_equal(chat->tap_record(&t, no_name, str_z(data), &err), DIALECT_FAILED);
        assert_int_equal(err.kind, rows[i].kind);
        if (rows[i].code)
            assert_string_equal(err.code, rows[i].code);
        else
            assert_null(err.code);
        assert_string_equal(err.msg, rows[i].msg);
        assert_int_equal(err.origin, TG_FROM_UPSTREAM);
        assert_true(err.rc != TG_OK);
        assert_int_equal(err.http, tg_err_http(rows[i].kind));
    }
}

static void
long_messages_are_cut(void **state)
{
    struct dialect_tap t = {.usage = IR_USAGE_UNKNOWN};
    struct tg_err err = {0};
    char data[4096];

    (void)state;
    (void)snprintf(data, sizeof data, "{\"error\":{\"message\":\"%02000d\"}}", 7);
    assert_int_equal(chat->tap_record(&t, no_name, str_z(data), &err), DIALECT_FAILED);
    assert_int_equal(strlen(err.msg), sizeof err.msg - 1);
}

static void
whole_responses(void **state)
{
    static const struct {
        const char *body;
        enum dialect_call call;
        bool ok, finished, failed;
        int64_t input;
    } rows[] = {
        {"{\"choices\":[{\"index\":0,\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":"
         "4}}",
         DIALECT_GENERATE, true, true, false, 4},
        {" {\"choices\":[{\"index\":0,\"finish_reason\":null}]}\n", DIALECT_GENERATE, true,
         false, false, -1},
        {"{\"choices\":[{\"index\":0,\"finish_reason\":\"stop\"},{\"index\":1}]}",
         DIALECT_GENERATE, true, false, false, -1},
        {"{\"choices\":[],\"error\":null}", DIALECT_GENERATE, true, false, false, -1},
        {"{\"choices\":{}}", DIALECT_GENERATE, false, false, false, -1},
        {"{\"data\":[]}", DIALECT_GENERATE, false, false, false, -1},
        {"{\"error\":{\"message\":\"m\"}}", DIALECT_GENERATE, false, false, true, -1},
        {"[]", DIALECT_GENERATE, false, false, false, -1},
        {"<html>", DIALECT_GENERATE, false, false, false, -1},
        {"{\"data\":[],\"usage\":{\"prompt_tokens\":2,\"total_tokens\":2}}", DIALECT_EMBED,
         true, true, false, 2},
        {"{\"choices\":[]}", DIALECT_EMBED, false, false, false, -1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dialect_tap t = {.usage = IR_USAGE_UNKNOWN};

        print_message("%s\n", rows[i].body);
        assert_true(chat->tap_whole(&t, rows[i].call, str_z(rows[i].body)) == rows[i].ok);
        assert_true(t.finished == rows[i].finished);
        assert_true(t.failed == rows[i].failed);
        assert_int_equal(t.usage.input, rows[i].input);
    }
}

static void
errors_that_fit(void **state)
{
    (void)state;
    assert_true(chat->error_fits(STR("{\"error\":{\"message\":\"m\",\"type\":null}}")));
    assert_true(chat->error_fits(STR(" { \"error\" : {\"message\":\"\"} } ")));
    assert_false(chat->error_fits(STR("{\"error\":{\"message\":1}}")));
    assert_false(chat->error_fits(STR("{\"error\":\"m\"}")));
    assert_false(chat->error_fits(STR("{\"detail\":\"m\"}")));
    assert_false(chat->error_fits(STR("<html>")));
    assert_false(chat->error_fits(STR("")));
}

static int
setup(void **state)
{
    (void)state;
    chat = dialect_find(STR("chat"));
    return chat ? 0 : -1;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(found_at_every_offset),
        cmocka_unit_test(look_alikes_pass),
        cmocka_unit_test(what_is_not_json_is_broken),
        cmocka_unit_test(what_came_before_changes_nothing),
        cmocka_unit_test(nothing_counts_before_the_first_choice),
        cmocka_unit_test(error_words),
        cmocka_unit_test(long_messages_are_cut),
        cmocka_unit_test(whole_responses),
        cmocka_unit_test(errors_that_fit),
    };
    int failed = cmocka_run_group_tests_name("dialect/chat/tap", tests, setup, NULL);

    arena_thread_fini();
    return failed;
}
