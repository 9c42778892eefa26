/* pairs_rules_test.c -- requests of one dialect for an upstream of another, where a rule of the
 * upstream's must be kept: what is written, what is named as dropped, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "triglot/dialect.h"
#include "json/scan.h"

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

struct written {
    struct arena a;
    struct buf b;
    struct ir_drops drops;
    struct tg_err err;
    struct ir_caps caps;
    tg_rc rc;
};

static void
begin(struct written *w, const char *to, const char *model)
{
    *w = (struct written){.rc = TG_OK};
    arena_init(&w->a);
    buf_init(&w->b, 1 << 20);
    dialect_find(str_z(to))->caps(CAPS_SERVER_AUTO, str_z(model), &w->caps);
}

static void
put(struct written *w, const char *from, const char *to, const char *body)
{
    struct dialect_route route = {.model = STR("m"), .max_tokens = 4096, .caps = w->caps};
    struct ir_req *req = arena_new(&w->a, struct ir_req);

    if (dialect_find(str_z(from))->decode_req(&w->a, str_z(body), req, &w->err) != TG_OK)
        fail_msg("%s: %s", body, w->err.msg);
    w->rc = dialect_find(str_z(to))->encode_req(&w->a, req, &route, &w->b, &w->drops, &w->err);
    if (w->rc == TG_OK)
        assert_int_equal(json_check(buf_str(&w->b), JSON_DEPTH_MAX, NULL), TG_OK);
}

static void
end(struct written *w)
{
    buf_fini(&w->b);
    arena_fini(&w->a);
}

static unsigned
count(const struct written *w, const char *text)
{
    const char *p = w->b.p, *limit = w->b.p + w->b.n;
    unsigned n = 0;

    while (p < limit && (p = memmem(p, (size_t)(limit - p), text, strlen(text)))) {
        p += strlen(text);
        n++;
    }
    return n;
}

static bool
dropped(const struct written *w, const char *name)
{
    for (unsigned i = 0; i < w->drops.n; i++)
        if (str_eq(w->drops.name[i], str_z(name)))
            return true;
    return false;
}

static void
refused(const char *from, const char *to, const char *body, const char *param)
{
    struct written w;

    begin(&w, to, "m");
    put(&w, from, to, body);
    if (w.rc != TG_EINVAL || strcmp(w.err.param, param) != 0)
        fail_msg("%s -> %s: rc %d, param '%s', not '%s'\n%.*s", from, to, (int)w.rc,
                 w.err.param, param, STR_ARG(buf_str(&w.b)));
    end(&w);
}

#define RESPONSES_TOOLS(mode)                                                                  \
    "{\"model\":\"x\",\"input\":\"Hi\",\"tools\":[{\"type\":\"function\",\"name\":\"f\","      \
    "\"parameters\":{\"type\":\"object\"}},{\"type\":\"file_search\",\"vector_store_ids\":["   \
    "\"v\"]}],\"tool_choice\":{\"type\":\"allowed_tools\",\"mode\":\"" mode                    \
    "\",\"tools\":[{\"type\":\"file_search\"}]}}"
#define RESPONSES_SEARCH(mode)                                                                 \
    "{\"model\":\"x\",\"input\":\"Hi\",\"tools\":[{\"type\":\"function\",\"name\":\"f\","      \
    "\"parameters\":{\"type\":\"object\"}},{\"type\":\"web_search\"}],\"tool_choice\":{"       \
    "\"type\":\"allowed_tools\",\"mode\":\"" mode "\",\"tools\":[{\"type\":\"web_search\"}]}}"

static void
allowed_tools_that_cannot_be_sent(void **state)
{
    struct written w;

    (void)state;
    refused("responses", "chat", RESPONSES_TOOLS("required"), "tool_choice");
    begin(&w, "chat", "m");
    put(&w, "responses", "chat", RESPONSES_TOOLS("auto"));
    assert_int_equal(w.rc, TG_OK);
    assert_int_equal(count(&w, "\"tool_choice\":\"none\""), 1);
    end(&w);
    begin(&w, "responses", "m");
    w.caps.web_search = false;
    put(&w, "responses", "responses", RESPONSES_SEARCH("auto"));
    assert_int_equal(w.rc, TG_OK);
    assert_int_equal(count(&w, "\"tool_choice\":\"none\""), 1);
    end(&w);
    begin(&w, "responses", "m");
    w.caps.web_search = false;
    put(&w, "responses", "responses", RESPONSES_SEARCH("required"));
    assert_int_equal(w.rc, TG_EINVAL);
    assert_string_equal(w.err.param, "tool_choice");
    end(&w);
}

/* An upstream of Messages refuses a fifth mark, wherever it stands. */
static void
marks_in_results_count(void **state)
{
#define IMAGE                                                                                  \
    "{\"type\":\"input_image\",\"image_url\":\"https://e.example/x\","                         \
    "\"prompt_cache_breakpoint\":{\"mode\":\"explicit\"}}"
    struct written w;

    (void)state;
    begin(&w, "messages", "claude-sonnet-4-5");
    w.caps.cache_marks = true;
    put(&w, "responses", "messages",
        "{\"model\":\"x\",\"input\":[{\"role\":\"user\",\"content\":\"Hi\"},{\"type\":"
        "\"function_call\",\"call_id\":\"c\",\"name\":\"f\",\"arguments\":\"{}\"},{\"type\":"
        "\"function_call_output\",\"call_id\":\"c\",\"output\":[" IMAGE "," IMAGE "," IMAGE
        "," IMAGE "]},{\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"a\","
        "\"prompt_cache_breakpoint\":{\"mode\":\"explicit\"}}]}]}");
    assert_int_equal(w.rc, TG_OK);
    assert_int_equal(count(&w, "\"cache_control\""), 4);
    end(&w);
}

static void
what_has_no_place_is_refused_by_its_path(void **state)
{
#define DOCUMENT(content)                                                                      \
    "{\"model\":\"x\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":[{"        \
    "\"type\":\"text\",\"text\":\"a\"},{\"type\":\"document\",\"source\":{\"type\":"           \
    "\"content\",\"content\":[" content "]}}]}]}"
    static const char *const contents[] = {
        DOCUMENT(""), DOCUMENT("{\"type\":\"image\",\"source\":{\"type\":\"url\",\"url\":"
                               "\"https://e.example/x\"}}")};

    (void)state;
    refused("responses", "messages",
            "{\"model\":\"x\",\"input\":[{\"role\":\"system\",\"content\":[{\"type\":"
            "\"input_text\",\"text\":\"a\"},{\"type\":\"input_image\",\"image_url\":"
            "\"https://e.example/x\"}]},{\"role\":\"user\",\"content\":\"Hi\"}]}",
            "input.0.content.1");
    for (size_t i = 0; i < COUNT(contents); i++) {
        refused("messages", "chat", contents[i], "messages.0.content.1");
        refused("messages", "responses", contents[i], "messages.0.content.1");
    }
}

/* A Responses client that ends with an answer wants another one: that is how a turn which was
 * cut off is asked for again.  A foreign item that stays behind changes nothing of that. */
static void
a_whole_answer_at_the_end_is_no_prefill(void **state)
{
    struct written w;

    (void)state;
    begin(&w, "messages", "claude-sonnet-4-6");
    w.caps.prefill = false;
    put(&w, "responses", "messages",
        "{\"model\":\"x\",\"input\":[{\"role\":\"user\",\"content\":\"Hi\"},{\"role\":"
        "\"assistant\",\"content\":\"Well\"},{\"type\":\"web_search_call\",\"id\":\"ws_1\","
        "\"status\":\"completed\",\"action\":{\"type\":\"search\",\"query\":\"q\"}}]}");
    assert_int_equal(w.rc, TG_OK);
    assert_int_equal(count(&w, "{\"role\":\"user\",\"content\":\"Continue.\"}]"), 1);
    end(&w);
    begin(&w, "chat", "m");
    w.caps.prefill = false;
    put(&w, "responses", "chat",
        "{\"model\":\"x\",\"input\":[{\"role\":\"user\",\"content\":\"Hi\"},{\"role\":"
        "\"assistant\",\"content\":\"Well\"}]}");
    assert_int_equal(w.rc, TG_OK);
    assert_int_equal(count(&w, "Continue."), 0);
    end(&w);
}

static void
parameters(void **state)
{
    struct written w;

    (void)state;
    begin(&w, "messages", "claude-3-5-haiku-latest");
    w.caps.sampling = true;
    put(&w, "chat", "messages",
        "{\"model\":\"x\",\"top_k\":-1,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}");
    assert_int_equal(w.rc, TG_OK);
    assert_int_equal(count(&w, "top_k"), 0);
    assert_true(dropped(&w, "top_k"));
    end(&w);
    for (int way = 0; way < 2; way++) {
        const char *to = way ? "messages" : "responses";

        begin(&w, to, "m");
        w.caps.parallel_calls = false;
        put(&w, "chat", to,
            "{\"model\":\"x\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],"
            "\"functions\":[{\"name\":\"f\",\"parameters\":{\"type\":\"object\"}}]}");
        assert_int_equal(w.rc, TG_OK);
        assert_false(dropped(&w, "parallel_tool_calls"));
        end(&w);
    }
}

/* Figures that cannot be added are none. */
static void
usage_that_cannot_be(void **state)
{
    static const struct {
        const char *dialect, *body;
    } rows[] = {
        {"chat", "{\"id\":\"c\",\"object\":\"chat.completion\",\"choices\":[{\"index\":0,"
                 "\"message\":{\"role\":\"assistant\",\"content\":\"a\"},\"finish_reason\":"
                 "\"stop\"}],\"usage\":{\"prompt_tokens\":9223372036854775807,"
                 "\"completion_tokens\":9223372036854775807}}"},
        {"responses", "{\"id\":\"r\",\"object\":\"response\",\"status\":\"completed\","
                      "\"output\":[],\"usage\":{\"input_tokens\":9223372036854775807,"
                      "\"output_tokens\":9223372036854775807}}"},
        {"messages", "{\"id\":\"m\",\"type\":\"message\",\"role\":\"assistant\",\"content\":["
                     "{\"type\":\"text\",\"text\":\"a\"}],\"stop_reason\":\"end_turn\","
                     "\"usage\":{\"input_tokens\":9223372036854775807,\"output_tokens\":"
                     "9223372036854775807}}"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dialect_tap tap = {.usage = IR_USAGE_UNKNOWN};

        assert_true(dialect_find(str_z(rows[i].dialect))
                        ->tap_whole(&tap, DIALECT_GENERATE, str_z(rows[i].body)));
        assert_true(tap.usage.input <= INT64_MAX / 4 && tap.usage.output <= INT64_MAX / 4);
    }
}

/* What is said beside results begins no turn: the thoughts in front of the calls go back. */
static void
thoughts_of_this_turn_go_back(void **state)
{
    static const char *const names[] = {"chat", "responses", "messages"};
    static const char body[] =
        "{\"model\":\"x\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}"
        ","
        "{\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\",\"thinking\":\"Hmm.\","
        "\"signature\":\"\"},{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{}}]}"
        ","
        "{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"t\","
        "\"content\":\"1\"},{\"type\":\"text\",\"text\":\"Go on\"}]}]}";

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        struct written w;

        begin(&w, names[i], "m");
        w.caps.replay = CAPS_REPLAY_TOOL_TURNS;
        put(&w, "messages", names[i], body);
        assert_int_equal(w.rc, TG_OK);
        if (count(&w, "Hmm.") != 1)
            fail_msg("%s: %.*s", names[i], STR_ARG(buf_str(&w.b)));
        end(&w);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allowed_tools_that_cannot_be_sent),
        cmocka_unit_test(marks_in_results_count),
        cmocka_unit_test(what_has_no_place_is_refused_by_its_path),
        cmocka_unit_test(a_whole_answer_at_the_end_is_no_prefill),
        cmocka_unit_test(parameters),
        cmocka_unit_test(usage_that_cannot_be),
        cmocka_unit_test(thoughts_of_this_turn_go_back),
    };

    return cmocka_run_group_tests_name("pairs_rules", tests, NULL, NULL);
}
