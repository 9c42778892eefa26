/* responses_codex_test.c -- a turn of the coding agent that speaks Responses, against upstreams
 * that do not.
 *
 * Its requests have tools that no other dialect knows; its parser of answers takes items from
 * output_item.done alone, wants whole figures, and ends well only at response.completed.  The
 * request goes through the hub to each dialect, an upstream's answer comes back the same way.
 */
#include "triglot/dialect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "dialect/request.h"
#include "ir/chain.h"
#include "support/shapes.h"
#include "json/scan.h"

enum { TEXT_MAX = 1 << 20 };

static const char body[] =
    "{\"model\":\"x\",\"instructions\":\"You are an agent.\",\"input\":["
    "{\"type\":\"message\",\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":"
    "\"Fix it.\"}]},"
    "{\"type\":\"custom_tool_call\",\"call_id\":\"call_1\",\"name\":\"apply_patch\",\"input\":"
    "\"*** Begin\\n\"},"
    "{\"type\":\"custom_tool_call_output\",\"call_id\":\"call_1\",\"output\":\"no such file\"},"
    "{\"type\":\"function_call\",\"call_id\":\"call_2\",\"namespace\":\"crm\",\"name\":"
    "\"find\","
    "\"arguments\":\"{}\"},"
    "{\"type\":\"function_call_output\",\"call_id\":\"call_2\",\"output\":[{\"type\":"
    "\"input_text\",\"text\":\"one \"},{\"type\":\"input_text\",\"text\":\"two\"}]}],"
    "\"tools\":[{\"type\":\"function\",\"name\":\"exec\",\"parameters\":{\"type\":\"object\"},"
    "\"strict\":false},"
    "{\"type\":\"custom\",\"name\":\"apply_patch\",\"description\":\"Edits "
    "files.\",\"format\":{"
    "\"type\":\"grammar\",\"syntax\":\"lark\",\"definition\":\"start: begin\"}},"
    "{\"type\":\"namespace\",\"name\":\"crm\",\"description\":\"d\",\"tools\":[{\"type\":"
    "\"function\",\"name\":\"find\",\"parameters\":{\"type\":\"object\"}}]},"
    "{\"type\":\"image_generation\"},{\"type\":\"tool_search\"},{\"type\":\"local_shell\"}],"
    "\"tool_choice\":\"auto\",\"parallel_tool_calls\":true,\"reasoning\":{\"effort\":"
    "\"medium\"},"
    "\"store\":false,\"stream\":true,\"include\":[\"reasoning.encrypted_content\"],"
    "\"prompt_cache_key\":\"k\"}";

/* A turn, from the request to the answer. */
struct turn {
    struct arena a;
    struct ir_req req;
    struct ir_adapt *adapt;
    struct ir_drops drops;
    struct tg_err err;
    struct buf upstream; /* the request that the upstream gets */
    struct ir_sink encode;
    struct dialect_enc enc;
    struct buf out; /* the answer that the client gets */
};

static const struct dialect *responses;

static tg_rc
encode_put(struct ir_sink *sink, const struct ir_event *ev)
{
    struct turn *t = (struct turn *)((char *)sink - offsetof(struct turn, encode));

    return responses->encode_ev(&t->enc, ev, &t->out);
}

static void
ask(struct turn *t, const struct dialect *to, bool strict)
{
    struct dialect_route route = {.model = STR("m"), .max_tokens = 4096, .strict = strict};

    *t = (struct turn){.encode = {encode_put}};
    arena_init(&t->a);
    buf_init(&t->upstream, TEXT_MAX);
    buf_init(&t->out, TEXT_MAX);
    to->caps(CAPS_SERVER_AUTO, route.model, &route.caps);
    if (responses->decode_req(&t->a, str_z(body), &t->req, &t->err) != TG_OK)
        fail_msg("%s", t->err.msg);
    if (dialect_put_request(&t->a, to, &t->req, &route, &t->upstream, &t->adapt, &t->drops,
                            &t->err) != TG_OK &&
        !strict)
        fail_msg("%s: %s", to->name, t->err.msg);
}

/* Records parted by line breaks, as they come from the upstream. */
static void
answer(struct turn *t, const struct dialect *from, const char *records)
{
    struct ir_chain chain;
    struct ir_chain_conf conf = {.adapt = t->adapt,
                                 .choices = 1,
                                 .stream = &t->encode,
                                 .one_open = true,
                                 .bytes_max = TEXT_MAX,
                                 .err = &t->err};
    struct dialect_dec dec = {.arena = &t->a,
                              .err = &t->err,
                              .hold_max = TEXT_MAX,
                              .state = arena_alloc(&t->a, from->dec_size, 16)};
    struct str rest = str_z(records);
    const char *why;
    bool over = false;
    tg_rc rc = TG_OK;

    t->enc = (struct dialect_enc){.req = &t->req,
                                  .id = STR("resp_1"),
                                  .model = STR("x"),
                                  .usage = IR_USAGE_UNKNOWN,
                                  .arena = &t->a,
                                  .state = arena_alloc(&t->a, responses->enc_size, 16)};
    ir_chain_open(&chain, &t->a, &conf);
    dec.sink = chain.sink;
    while (rest.n && rc == TG_OK && !over) {
        struct json_member m;
        struct str line = str_cut(rest, '\n', &rest), event = {NULL, 0};

        if (json_get(line, STR("type"), &m))
            event = str_of(m.value.p + 1, m.value.n - 2);
        rc = from->decode_record(&dec, event, line, &over);
    }
    if (rc == TG_OK && !over)
        rc = from->decode_eof(&dec);
    if (rc != TG_OK)
        fail_msg("%s: %s", from->name, t->err.msg);
    ir_chain_close(&chain);
    why = shape_responses(&t->a, buf_str(&t->out));
    if (why)
        fail_msg("%s: %s", from->name, why);
}

static void
forget(struct turn *t)
{
    buf_fini(&t->upstream);
    buf_fini(&t->out);
    arena_fini(&t->a);
}

static bool
has(const struct buf *b, const char *text)
{
    return b->n && memmem(b->p, b->n, text, strlen(text));
}

static bool
dropped(const struct turn *t, const char *name)
{
    for (unsigned i = 0; i < t->drops.n; i++)
        if (str_starts(t->drops.name[i], str_z(name)))
            return true;
    return false;
}

static const char *const others[] = {"chat", "messages"};

/* pitfalls D10, D11, D12 */
static void
its_request_reaches_every_upstream(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct turn t;

        ask(&t, dialect_find(str_z(others[i])), false);
        /* D10: the tool that takes text, its call and its result */
        assert_true(has(&t.upstream, "\"properties\":{\"input\":{\"type\":\"string\"}}"));
        assert_true(has(&t.upstream, "*** Begin"));
        assert_true(has(&t.upstream, "no such file"));
        assert_false(has(&t.upstream, "custom_tool_call"));
        /* D11: what the upstream cannot run is said, what it can call it gets */
        assert_true(has(&t.upstream, "\"name\":\"crm__find\""));
        assert_true(has(&t.upstream, "\"name\":\"exec\""));
        assert_true(has(&t.upstream, "\"name\":\"local_shell\""));
        assert_false(has(&t.upstream, "image_generation"));
        assert_true(dropped(&t, "tools.3") && dropped(&t, "tools.4"));
        /* D12: a result in parts */
        assert_true(has(&t.upstream, "one two"));
        forget(&t);
        ask(&t, dialect_find(str_z(others[i])), true);
        assert_int_equal(t.upstream.n, 0);
        assert_true(t.err.param[0] != '\0');
        forget(&t);
    }
}

/* Its parser: the figures must be there, and the items in output_item.done. */
static void
check_ending(struct turn *t, unsigned items)
{
    static const char *const figures[] = {"input_tokens", "output_tokens", "total_tokens",
                                          "input_tokens_details.cached_tokens",
                                          "output_tokens_details.reasoning_tokens"};
    struct str rest = buf_str(&t->out);
    struct shape_record r;
    unsigned done = 0, ended = 0;

    while (shape_next(&t->a, &rest, &r)) {
        struct json_member usage, m;

        done += str_eq(r.event, STR("response.output_item.done"));
        if (!str_eq(r.event, STR("response.completed")))
            continue;
        ended++;
        assert_true(json_path(r.data, "response.usage", &usage));
        for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
            assert_true(json_path(usage.value, figures[i], &m) && m.kind == JSON_NUMBER);
        assert_true(json_path(r.data, "response.id", &m) && m.kind == JSON_STRING);
    }
    assert_int_equal(done, items);
    assert_int_equal(ended, 1);
}

/* pitfall D10, the way back: the patch is text again, streamed as text; D11: the namespace is
 * one again. */
static void
its_answer_comes_back_from_chat(void **state)
{
    static const char records[] =
        "{\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"tool_calls\":[{"
        "\"index\":"
        "0,\"id\":\"c1\",\"type\":\"function\",\"function\":{\"name\":\"apply_patch\","
        "\"arguments\":\"{\\\"inp\"}}]}}]}\n"
        "{\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{"
        "\"arguments\":\"ut\\\": \\\"*** Begin\\\\n+\\\\u00e9\"}}]}}]}\n"
        "{\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{"
        "\"arguments\":\"!\\\"}\"}},{\"index\":1,\"id\":\"c2\",\"type\":\"function\","
        "\"function\":{\"name\":\"crm__find\",\"arguments\":\"{}\"}}]}}]}\n"
        "{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n"
        "{\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3,"
        "\"total_tokens\":10}}\n"
        "[DONE]";
    struct turn t;

    (void)state;
    ask(&t, dialect_find(STR("chat")), false);
    answer(&t, dialect_find(STR("chat")), records);
    assert_true(has(&t.out, "event: response.custom_tool_call_input.delta"));
    assert_true(has(&t.out,
                    "\"type\":\"custom_tool_call\",\"status\":\"completed\",\"call_id\":"
                    "\"c1\",\"name\":\"apply_patch\",\"input\":\"*** Begin\\n+é!\"}"));
    assert_true(has(&t.out, "\"namespace\":\"crm\",\"name\":\"find\",\"arguments\":\"{}\"}"));
    assert_false(has(&t.out, "\\\"inp"));
    check_ending(&t, 2);
    forget(&t);
}

static void
its_answer_comes_back_from_messages(void **state)
{
    static const char records[] =
        "{\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"type\":\"message\",\"role\":"
        "\"assistant\",\"content\":[],\"usage\":{\"input_tokens\":7,\"output_tokens\":0}}}\n"
        "{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"tool_"
        "use\","
        "\"id\":\"toolu_1\",\"name\":\"apply_patch\",\"input\":{}}}\n"
        "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"input_json_"
        "delta\","
        "\"partial_json\":\"{\\\"input\\\":\\\"*** \"}}\n"
        "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"input_json_"
        "delta\","
        "\"partial_json\":\"Begin\\\"}\"}}\n"
        "{\"type\":\"content_block_stop\",\"index\":0}\n"
        "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\"},\"usage\":{"
        "\"output_tokens\":3}}\n"
        "{\"type\":\"message_stop\"}";
    struct turn t;

    (void)state;
    ask(&t, dialect_find(STR("messages")), false);
    answer(&t, dialect_find(STR("messages")), records);
    assert_true(has(&t.out, "\"call_id\":\"toolu_1\",\"name\":\"apply_patch\",\"input\":"
                            "\"*** Begin\"}"));
    check_ending(&t, 1);
    forget(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_request_reaches_every_upstream),
        cmocka_unit_test(its_answer_comes_back_from_chat),
        cmocka_unit_test(its_answer_comes_back_from_messages),
    };

    responses = dialect_find(STR("responses"));
    return cmocka_run_group_tests_name("responses_codex", tests, NULL, NULL);
}
