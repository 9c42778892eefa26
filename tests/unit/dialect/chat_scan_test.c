/* chat_scan_test.c -- what is found in a request without decoding it, and what is relayed.
 *
 * Relaying is checked twice: against the expected body, and by the rule that the body without
 * the edited places is the client's, byte for byte.
 */
#include "triglot/dialect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "json/scan.h"

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

static const struct dialect *chat;

static void
relay(struct arena *a, const struct dialect_view *v, struct str model, struct buf *out)
{
    struct str pieces[DIALECT_PIECES_MAX];
    int n = 0;

    buf_clear(out);
    chat->relay_req(a, v, model, pieces, &n);
    assert_in_range(n, 1, DIALECT_PIECES_MAX);
    for (int i = 0; i < n; i++) {
        assert_true(pieces[i].n > 0);
        assert_int_equal(buf_append(out, pieces[i]), TG_OK);
    }
}

#define USAGE "\"stream_options\":{\"include_usage\":true}"

static void
relayed_bodies(void **state)
{
    static const struct {
        const char *body, *model, *want;
        enum dialect_call call;
    } rows[] = {
        /* nothing to do: not a byte changes */
        {"{\"model\":\"m\"}", "m", "{\"model\":\"m\"}", DIALECT_GENERATE},
        {" \n{ \"model\" : \"m\" , \"model2\":1e400 }\t", "m",
         " \n{ \"model\" : \"m\" , \"model2\":1e400 }\t", DIALECT_GENERATE},
        /* the same name, written otherwise: the client's bytes stay */
        {"{\"model\":\"\\u006d\"}", "m", "{\"model\":\"\\u006d\"}", DIALECT_GENERATE},
        /* the model only */
        {"{\"model\":\"m\",\"a\":9007199254740993}", "x",
         "{\"model\":\"x\",\"a\":9007199254740993}", DIALECT_GENERATE},
        {"{\"mod\\u0065l\" :  \"m\"  ,\"a\":1,\"a\":2}", "q\"\\\n漢",
         "{\"mod\\u0065l\" :  \"q\\\"\\\\\\n漢\"  ,\"a\":1,\"a\":2}", DIALECT_GENERATE},
        {"{\"model\":\"m\",\"stream\":false}", "x", "{\"model\":\"x\",\"stream\":false}",
         DIALECT_GENERATE},
        {"{\"model\":\"m\",\"stream\":null}", "x", "{\"model\":\"x\",\"stream\":null}",
         DIALECT_GENERATE},
        {"{\"n\":{\"model\":\"m\",\"stream\":true},\"model\":\"m\"}", "x",
         "{\"n\":{\"model\":\"m\",\"stream\":true},\"model\":\"x\"}", DIALECT_GENERATE},
        /* streams: usage asked for */
        {"{\"model\":\"m\",\"stream\":true}", "m",
         "{\"model\":\"m\"," USAGE ",\"stream\":true}", DIALECT_GENERATE},
        {"{\"stream\":true,\"model\":\"m\"}", "xyz",
         "{\"stream\":true,\"model\":\"xyz\"," USAGE "}", DIALECT_GENERATE},
        {"{\"stream\":true,\"model\":\"m\",\"stream_options\":{}}", "m",
         "{\"stream\":true,\"model\":\"m\"," USAGE "}", DIALECT_GENERATE},
        {"{\"stream\":true,\"stream_options\": {  } ,\"model\":\"m\"}", "x",
         "{\"stream\":true,\"stream_options\": {\"include_usage\":true  } ,\"model\":\"x\"}",
         DIALECT_GENERATE},
        {"{\"stream\":true,\"stream_options\":{\"o\":1},\"model\":\"m\"}", "x",
         "{\"stream\":true,\"stream_options\":{\"include_usage\":true,\"o\":1},\"model\":"
         "\"x\"}",
         DIALECT_GENERATE},
        {"{\"stream\":true,\"stream_options\":null,\"model\":\"m\"}", "m",
         "{\"stream\":true," USAGE ",\"model\":\"m\"}", DIALECT_GENERATE},
        {"{\"stream\":true,\"stream_options\":{\"include_usage\" : false },\"model\":\"m\"}",
         "m",
         "{\"stream\":true,\"stream_options\":{\"include_usage\" : true },\"model\":\"m\"}",
         DIALECT_GENERATE},
        {"{\"stream\":true,\"stream_options\":{\"include_usage\":null},\"model\":\"m\"}", "m",
         "{\"stream\":true,\"stream_options\":{\"include_usage\":true},\"model\":\"m\"}",
         DIALECT_GENERATE},
        {"{\"stream\":true,\"stream_options\":{\"include_usage\":true},\"model\":\"m\"}", "m",
         "{\"stream\":true,\"stream_options\":{\"include_usage\":true},\"model\":\"m\"}",
         DIALECT_GENERATE},
        /* not a stream: options stay what they are */
        {"{\"stream_options\":null,\"model\":\"m\"}", "m",
         "{\"stream_options\":null,\"model\":\"m\"}", DIALECT_GENERATE},
        /* embeddings: only the model has a meaning */
        {"{\"model\":\"m\",\"stream\":true,\"stream\":7,\"stream_options\":[]}", "x",
         "{\"model\":\"x\",\"stream\":true,\"stream\":7,\"stream_options\":[]}", DIALECT_EMBED},
    };
    struct arena a;
    struct buf out;

    (void)state;
    arena_init(&a);
    buf_init(&out, 4096);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dialect_view v = {0}, again = {0};
        struct tg_err err = {0};

        print_message("%s\n", rows[i].body);
        if (chat->scan_req(&a, rows[i].call, str_z(rows[i].body), &v, &err) != TG_OK)
            fail_msg("%s", err.msg);
        relay(&a, &v, str_z(rows[i].model), &out);
        if (!str_eq(buf_str(&out), str_z(rows[i].want)))
            fail_msg("\n%.*s\n%s", STR_ARG(buf_str(&out)), rows[i].want);
        /* What was made asks for usage and names the model. */
        assert_int_equal(chat->scan_req(&a, rows[i].call, buf_str(&out), &again, &err), TG_OK);
        assert_true(str_eq(again.model, str_z(rows[i].model)));
        assert_true(again.stream == v.stream);
        if (again.stream)
            assert_true(again.wants_usage);
    }
    buf_fini(&out);
    arena_fini(&a);
}

static void
deep_nesting_is_kept_up_to_the_limit(void **state)
{
    enum { DEEP = JSON_DEPTH_MAX - 1 };
    struct arena a;
    struct buf body, out;

    (void)state;
    arena_init(&a);
    buf_init(&body, 4096);
    buf_init(&out, 4096);
    for (int extra = 0; extra < 2; extra++) {
        struct dialect_view v = {0};
        struct tg_err err = {0};
        tg_rc rc = TG_OK;

        buf_clear(&body);
        rc |= buf_append(&body, STR("{\"x\":"));
        for (int i = 0; i < DEEP + extra; i++)
            rc |= buf_putc(&body, '[');
        for (int i = 0; i < DEEP + extra; i++)
            rc |= buf_putc(&body, ']');
        rc |= buf_append(&body, STR(",\"model\":\"m\"}"));
        assert_int_equal(rc, TG_OK);
        rc = chat->scan_req(&a, DIALECT_GENERATE, buf_str(&body), &v, &err);
        if (extra) {
            assert_int_equal(rc, TG_ELIMIT);
            assert_int_equal(err.kind, TG_ERR_INVALID_REQUEST);
            continue;
        }
        assert_int_equal(rc, TG_OK);
        relay(&a, &v, STR("m"), &out);
        assert_true(str_eq(buf_str(&out), buf_str(&body)));
    }
    buf_fini(&body);
    buf_fini(&out);
    arena_fini(&a);
}

static void
refused_requests_name_the_field(void **state)
{
    static const struct {
        const char *body, *param, *code;
    } rows[] = {
        {"", "", "invalid_json"},
        {"{", "", "invalid_json"},
        {"[]", "", "invalid_type"},
        {"\"model\"", "", "invalid_type"},
        {"{}", "model", "missing_required_parameter"},
        {"{\"model\":1}", "model", "invalid_type"},
        {"{\"model\":null}", "model", "missing_required_parameter"},
        {"{\"model\":\"\"}", "model", "invalid_value"},
        {"{\"model\":\"\\ud800\"}", "model", "invalid_value"},
        {"{\"model\":\"a\",\"model\":\"b\"}", "model", "duplicate_parameter"},
        {"{\"model\":\"a\",\"m\\u006fdel\":\"b\"}", "model", "duplicate_parameter"},
        {"{\"model\":\"a\",\"stream\":1}", "stream", "invalid_type"},
        {"{\"model\":\"a\",\"stream\":\"true\"}", "stream", "invalid_type"},
        {"{\"model\":\"a\",\"stream\":true,\"stream\":false}", "stream", "duplicate_parameter"},
        {"{\"model\":\"a\",\"stream_options\":1}", "stream_options", "invalid_type"},
        {"{\"model\":\"a\",\"stream_options\":{},\"stream_options\":{}}", "stream_options",
         "duplicate_parameter"},
        {"{\"model\":\"a\",\"stream_options\":{\"include_usage\":1}}",
         "stream_options.include_usage", "invalid_type"},
        {"{\"model\":\"a\",\"stream_options\":{\"include_usage\":true,\"include_usage\":false}"
         "}",
         "stream_options.include_usage", "duplicate_parameter"},
    };
    struct arena a;

    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dialect_view v = {.stream = true};
        struct tg_err err = {0};

        print_message("%s\n", rows[i].body);
        assert_int_equal(chat->scan_req(&a, DIALECT_GENERATE, str_z(rows[i].body), &v, &err),
                         TG_EINVAL);
        assert_string_equal(err.param, rows[i].param);
        assert_string_equal(err.code, rows[i].code);
        assert_int_equal(err.http, 400);
        assert_int_equal(err.origin, TG_FROM_CLIENT);
        assert_true(v.stream && v.model.n == 0); /* untouched */
    }
    arena_fini(&a);
}

static int
setup(void **state)
{
    (void)state;
    chat = dialect_find(STR("chat"));
    return chat ? 0 : -1;
}

static void
registry_knows_its_folders(void **state)
{
    (void)state;
    assert_string_equal(chat->name, "chat");
    assert_null(dialect_find(STR("cha")));
    assert_null(dialect_find(STR("chatt")));
    assert_null(dialect_find(STR("")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relayed_bodies),
        cmocka_unit_test(deep_nesting_is_kept_up_to_the_limit),
        cmocka_unit_test(refused_requests_name_the_field),
        cmocka_unit_test(registry_knows_its_folders),
    };
    int failed = cmocka_run_group_tests_name("dialect/chat/scan", tests, setup, NULL);

    arena_thread_fini();
    return failed;
}
