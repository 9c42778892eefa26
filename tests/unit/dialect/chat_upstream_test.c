/* chat_upstream_test.c -- requests of other dialects, written for a Chat upstream.
 *
 * The encoder alone, as it is called when the hub has fitted a request to the model.  The
 * requests are built by hand, so that they hold what no Chat request can: results with
 * media, failed results, tools of other providers, foreign proofs, cache marks, a turn that the
 * client began for the model.  Requests that came as Chat are in the golden cases.
 */
#include "triglot/dialect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "json/scan.h"

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

static const struct dialect *chat;

static struct ir_req
request(const char *origin, struct ir_msg *msgs)
{
    return (struct ir_req){.model = STR("m"),
                           .parallel_calls = true,
                           .max_tokens = -1,
                           .seed = -1,
                           .top_logprobs = -1,
                           .think_budget = -1,
                           .choices = 1,
                           .origin = origin,
                           .msgs = msgs};
}

/* Everything that is looked at afterwards; nothing of it needs to be freed. */
struct made {
    tg_rc rc;
    struct tg_err err;
    char drops[256];
    char body[16384];
};

static const struct made *
make(const struct ir_req *req, const char *model, bool strict)
{
    static struct made m;
    struct dialect_route route = {.model = str_z(model), .strict = strict};
    struct ir_drops drops = {0};
    struct arena a;
    struct buf b;
    size_t n = 0;

    m = (struct made){0};
    arena_init(&a);
    buf_init(&b, sizeof m.body - 1);
    chat->caps(CAPS_SERVER_AUTO, route.model, &route.caps);
    m.rc = chat->encode_req(&a, req, &route, &b, &drops, &m.err);
    if (m.rc == TG_OK)
        assert_int_equal(json_check(buf_str(&b), JSON_DEPTH_MAX, NULL), TG_OK);
    else
        assert_int_equal(b.n, 0);
    if (b.n)
        memcpy(m.body, buf_str(&b).p, b.n);
    for (unsigned i = 0; i < drops.n; i++)
        n += (size_t)snprintf(m.drops + n, sizeof m.drops - n, "%s%.*s", n ? "," : "",
                              STR_ARG(drops.name[i]));
    buf_fini(&b);
    arena_fini(&a);
    return &m;
}

static void
expect(const struct ir_req *req, const char *model, const char *messages_and_more,
       const char *drops)
{
    const struct made *m = make(req, model, false);
    char want[8192];

    if (m->rc != TG_OK)
        fail_msg("%s", m->err.msg);
    (void)snprintf(want, sizeof want, "{\"model\":\"%s\",\"messages\":[%s}", model,
                   messages_and_more);
    if (strcmp(m->body, want) != 0)
        fail_msg("\n%s\n%s", m->body, want);
    if (strcmp(m->drops, drops) != 0)
        fail_msg("\n%s\n%s", m->drops, drops);
}

static void
refused(const struct ir_req *req, bool strict, const char *param)
{
    const struct made *m = make(req, "up", strict);

    assert_int_equal(m->rc, TG_EINVAL);
    assert_string_equal(m->err.code, "unsupported_parameter");
    assert_string_equal(m->err.param, param);
    assert_int_equal(m->err.http, 400);
}

#define USER "{\"role\":\"user\",\"content\":\"x\"}"

static void
results_come_first_and_their_media_behind(void **state)
{
    struct ir_media png = {.kind = IR_IMAGE, .mime = STR("image/png"), .data = STR("AA==")};
    struct ir_media pdf = {.kind = IR_DOCUMENT, .data = STR("BB=="), .name = STR("b.pdf")};
    struct ir_block image = {.kind = IR_MEDIA, .media = &png};
    struct ir_block file = {.kind = IR_MEDIA, .media = &pdf};
    struct ir_block seen = {.kind = IR_TEXT, .text = STR("Seen."), .next = &image};
    struct ir_block after = {.kind = IR_TEXT, .text = STR("Go on.")};
    struct ir_block second = {
        .kind = IR_RESULT, .id = STR("c2"), .text = STR("no"), .failed = true, .next = &after};
    struct ir_block first = {.kind = IR_RESULT, .id = STR("c1"), .sub = &seen, .next = &second};
    struct ir_block third = {.kind = IR_RESULT, .id = STR("c3"), .sub = &file};
    struct ir_block x = {.kind = IR_TEXT, .text = STR("x")};
    struct ir_msg last = {.role = IR_USER, .blocks = &x};
    struct ir_msg more = {.role = IR_TOOL, .blocks = &third, .next = &last};
    struct ir_msg msg = {.role = IR_USER, .blocks = &first, .next = &more};
    struct ir_req req = request("messages", &msg);

    (void)state;
    expect(&req, "up",
           "{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":\"Seen.\\n(The rest of this "
           "result is not text and stands in the next user message.)\"},"
           "{\"role\":\"tool\",\"tool_call_id\":\"c2\",\"content\":\"Error: no\"},"
           "{\"role\":\"tool\",\"tool_call_id\":\"c3\",\"content\":\"\\n(The rest of this "
           "result is not text and stands in the next user message.)\"},"
           "{\"role\":\"user\",\"content\":["
           "{\"type\":\"text\",\"text\":\"From the result of tool call c1:\"},"
           "{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,AA==\"}},"
           "{\"type\":\"text\",\"text\":\"From the result of tool call c3:\"},"
           "{\"type\":\"file\",\"file\":{\"filename\":\"b.pdf\",\"file_data\":"
           "\"data:application/pdf;base64,BB==\"}}]},"
           "{\"role\":\"user\",\"content\":\"Go on.\"}," USER "]",
           "");
}

static void
results_of_several_texts(void **state)
{
    struct ir_block b = {.kind = IR_TEXT, .text = STR("b")};
    struct ir_block a = {.kind = IR_TEXT, .text = STR("a"), .next = &b};
    struct ir_block result = {.kind = IR_RESULT, .id = STR("c1"), .sub = &a};
    struct ir_msg msg = {.role = IR_TOOL, .blocks = &result};
    struct ir_req req = request("responses", &msg);

    (void)state;
    expect(&req, "up",
           "{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":[{\"type\":\"text\","
           "\"text\":\"a\"},{\"type\":\"text\",\"text\":\"b\"}]}]",
           "");
    result.failed = true;
    expect(&req, "up", "{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":\"Error: ab\"}]",
           "");
}

/* What only its maker's API knows leaves no empty list behind, and is named. */
static void
results_of_nothing_that_can_be_carried(void **state)
{
    struct ir_block text = {.kind = IR_TEXT, .text = STR("a")};
    struct ir_block other = {.kind = IR_OPAQUE, .raw = STR("{}"), .origin = "messages"};
    struct ir_block first = {
        .kind = IR_OPAQUE, .raw = STR("{}"), .origin = "messages", .next = &other};
    struct ir_block result = {.kind = IR_RESULT, .id = STR("c1"), .sub = &first};
    struct ir_msg msg = {.role = IR_USER, .blocks = &result};
    struct ir_req req = request("messages", &msg);

    (void)state;
    expect(&req, "up", "{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":\"\"}]",
           "messages.0");
    other.next = &text;
    expect(&req, "up", "{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":\"a\"}]",
           "messages.0");
}

/* Blobs of another maker never reach this upstream; their text does, where it has a field. */
static void
foreign_proofs_stay_here(void **state)
{
    struct ir_block call = {.kind = IR_CALL, .id = STR("c1"), .name = STR("f")};
    struct ir_block said = {.kind = IR_TEXT, .text = STR("Ok."), .next = &call};
    struct ir_block blind = {.kind = IR_THINK,
                             .sig = STR("SECRET2"),
                             .redacted = true,
                             .origin = "messages",
                             .next = &said};
    struct ir_block think = {.kind = IR_THINK,
                             .text = STR("Hm."),
                             .sig = STR("SECRET1"),
                             .origin = "messages",
                             .next = &blind};
    struct ir_msg msg = {.role = IR_MODEL, .blocks = &think};
    struct ir_req req = request("messages", &msg);
    const struct made *m;
#define CALLS                                                                                  \
    "\"tool_calls\":[{\"id\":\"c1\",\"type\":\"function\",\"function\":{\"name\":\"f\","       \
    "\"arguments\":\"{}\"}}]}]"

    (void)state;
    expect(&req, "up",
           "{\"role\":\"assistant\",\"content\":\"Ok.\",\"reasoning_content\":\"Hm.\"," CALLS,
           "thinking");
    expect(&req, "gpt-5.1", "{\"role\":\"assistant\",\"content\":\"Ok.\"," CALLS, "thinking");
    /* A session that changes its model must not die of it. */
    m = make(&req, "up", true);
    assert_int_equal(m->rc, TG_OK);
    assert_null(strstr(m->body, "SECRET"));
}

static void
tools_that_a_provider_runs(void **state)
{
    struct ir_block x = {.kind = IR_TEXT, .text = STR("x")};
    struct ir_msg msg = {.role = IR_USER, .blocks = &x};
    struct ir_tool search = {.name = STR("web_search_20250305"),
                             .hosted_by = "messages",
                             .raw = STR("{\"type\":\"web_search_20250305\"}")};
    struct ir_tool own = {.name = STR("f"), .next = &search};
    struct ir_tool fetch = {.name = STR("web_fetch_20250910"),
                            .hosted_by = "messages",
                            .raw = STR("{\"type\":\"web_fetch_20250910\"}"),
                            .next = &own};
    struct ir_req req = request("messages", &msg);

    (void)state;
    req.tools = &fetch;
    expect(&req, "up",
           USER "],\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]",
           "tools.0,tools.2");
    refused(&req, true, "tools.0");
    req.tool_choice = IR_CHOICE_NAMED;
    req.tool_name = STR("web_search_20250305");
    refused(&req, false, "tool_choice");
    /* Nothing left to choose from. */
    req.tools = &search;
    req.tool_choice = IR_CHOICE_REQUIRED;
    refused(&req, false, "tool_choice");
    req.tool_choice = IR_CHOICE_NONE;
    req.tool_choice_said = true;
    req.parallel_calls = false;
    expect(&req, "up", USER "]", "tools.0");
}

static void
media_without_a_form(void **state)
{
    struct ir_media m = {.kind = IR_IMAGE, .file_id = STR("f1")};
    struct ir_block b = {.kind = IR_MEDIA, .media = &m};
    struct ir_block x = {.kind = IR_TEXT, .text = STR("x")};
    struct ir_msg second = {.role = IR_USER, .blocks = &b};
    struct ir_msg msg = {.role = IR_USER, .blocks = &x, .next = &second};
    struct ir_req req = request("messages", &msg);

    (void)state;
    refused(&req, false, "messages.1");
    m = (struct ir_media){.kind = IR_DOCUMENT, .url = STR("https://a.example/x.pdf")};
    refused(&req, false, "messages.1");
    req.origin = "responses";
    refused(&req, false, "input.1");
    m = (struct ir_media){.kind = IR_DOCUMENT, .file_id = STR("file_1")};
    refused(&req, false, "input.1");
    m = (struct ir_media){.kind = IR_AUDIO, .url = STR("https://a.example/x.wav")};
    refused(&req, false, "input.1");
    m = (struct ir_media){.kind = IR_DOCUMENT,
                          .text = STR("Once."),
                          .name = STR("Tale"),
                          .context = STR("for children")};
    expect(&req, "up",
           USER ",{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"Tale\\nfor "
                "children\\nOnce.\"}]}]",
           "");
    second.role = IR_SYSTEM;
    refused(&req, false, "input.1");
}

static void
a_turn_begun_for_the_model(void **state)
{
    struct ir_block x = {.kind = IR_TEXT, .text = STR("x")};
    struct ir_block begun = {.kind = IR_TEXT, .text = STR("{")};
    struct ir_msg last = {.role = IR_MODEL, .blocks = &begun};
    struct ir_msg msg = {.role = IR_USER, .blocks = &x, .next = &last};
    struct ir_req req = request("messages", &msg);

    (void)state;
    refused(&req, false, "messages.1");
    req.origin = "responses";
    refused(&req, false, "input.1");
    req.origin = "chat";
    refused(&req, false, "messages.1");
}

/* Only the last four count; models that do not know them are not sent them. */
static void
cache_marks(void **state)
{
    struct ir_block b[6];
    struct ir_msg msg = {.role = IR_USER, .blocks = b};
    struct ir_req req = request("messages", &msg);
    const struct made *m;
    unsigned n = 0;

    (void)state;
    for (unsigned i = 0; i < COUNT(b); i++)
        b[i] = (struct ir_block){.kind = IR_TEXT,
                                 .text = STR("x"),
                                 .cache_ttl = STR("1h"),
                                 .next = i + 1 < COUNT(b) ? &b[i + 1] : NULL};
    m = make(&req, "openai/gpt-5.6-mini", false);
    for (const char *p = m->body; (p = strstr(p, "prompt_cache_breakpoint")); p++)
        n++;
    assert_int_equal(n, 4);
    assert_null(strstr(m->body, "1h"));
    assert_string_equal(m->drops, "cache_control");
    assert_null(strstr(make(&req, "gpt-5.5", false)->body, "prompt_cache"));
    assert_null(strstr(make(&req, "up", false)->body, "prompt_cache"));
    refused(&req, true, "cache_control");
}

static void
parameters_in_words_of_the_dialect(void **state)
{
    static const struct {
        int64_t budget;
        const char *word;
    } budgets[] = {{1024, "low"},    {2048, "low"},  {2049, "medium"}, {8193, "high"},
                   {24577, "xhigh"}, {49153, "max"}, {0, "low"}};
    struct ir_ext ext = {.name = STR("container"), .value = STR("\"c\"")};
    struct ir_block x = {.kind = IR_TEXT, .text = STR("x")};
    struct ir_msg msg = {.role = IR_USER, .blocks = &x};
    struct ir_req req = request("messages", &msg);
    char user[200], want[64];

    (void)state;
    memset(user, 'u', sizeof user);
    req.user = str_of(user, sizeof user);
    req.format_schema = STR("{\"type\":\"object\"}");
    req.top_k = STR("40");
    req.service_tier = STR("standard_only");
    req.store = IR_YES;
    req.ext = &ext;
    req.max_tokens = 9;
    req.stop[req.n_stop++] = STR("s");
    req.stop[req.n_stop++] = STR("t");
    expect(&req, "up",
           USER "],\"max_tokens\":9,\"stop\":[\"s\",\"t\"],"
                "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":"
                "\"response\",\"schema\":{\"type\":\"object\"},\"strict\":true}},"
                "\"safety_identifier\":\"uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu_"
                "6869ceb47b68a0ed\",\"service_tier\":\"default\"",
           "top_k,container");
    refused(&req, true, "top_k");
    for (size_t i = 0; i < COUNT(budgets); i++) {
        req.think_budget = budgets[i].budget;
        (void)snprintf(want, sizeof want, "\"reasoning_effort\":\"%s\"", budgets[i].word);
        assert_non_null(strstr(make(&req, "up", false)->body, want));
    }
    req.effort = IR_EFFORT_MINIMAL;
    assert_non_null(strstr(make(&req, "up", false)->body, "\"reasoning_effort\":\"minimal\""));
}

/* With every bound below what is needed nothing is left behind. */
static void
a_full_buffer(void **state)
{
    struct ir_media png = {.kind = IR_IMAGE, .mime = STR("image/png"), .data = STR("AA==")};
    struct ir_block image = {.kind = IR_MEDIA, .media = &png};
    struct ir_block x = {.kind = IR_TEXT, .text = STR("x\n"), .next = &image};
    struct ir_msg msg = {.role = IR_USER, .blocks = &x};
    struct ir_req req = request("messages", &msg);
    const struct dialect_route route = {.model = STR("up")};
    size_t need = strlen(make(&req, "up", false)->body);
    struct arena a;

    (void)state;
    arena_init(&a);
    for (size_t max = 0; max <= need; max++) {
        struct ir_drops drops = {0};
        struct tg_err err = {0};
        struct buf b;
        tg_rc rc;

        buf_init(&b, max);
        rc = chat->encode_req(&a, &req, &route, &b, &drops, &err);
        assert_int_equal(rc, max < need ? TG_ELIMIT : TG_OK);
        assert_int_equal(b.n, max < need ? 0 : need);
        assert_int_equal(err.kind, max < need ? TG_ERR_TOO_LARGE : TG_ERR_NONE);
        buf_fini(&b);
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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_come_first_and_their_media_behind),
        cmocka_unit_test(results_of_several_texts),
        cmocka_unit_test(results_of_nothing_that_can_be_carried),
        cmocka_unit_test(foreign_proofs_stay_here),
        cmocka_unit_test(tools_that_a_provider_runs),
        cmocka_unit_test(media_without_a_form),
        cmocka_unit_test(a_turn_begun_for_the_model),
        cmocka_unit_test(cache_marks),
        cmocka_unit_test(parameters_in_words_of_the_dialect),
        cmocka_unit_test(a_full_buffer),
    };
    int failed = cmocka_run_group_tests_name("dialect/chat/upstream", tests, setup, NULL);

    arena_thread_fini();
    return failed;
}
