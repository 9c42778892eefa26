/* messages_out_test.c -- requests to an upstream of the Messages dialect.
 *
 * A request is decoded from this dialect's own JSON, changed where another dialect would
 * differ, encoded as the hub would have it done, and compared as bytes together with the names
 * of what was dropped.  What the model takes is what is expected of a Claude that no one knows
 * by name, unless the route says it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "support/messages_out.h"
#include "triglot/dialect.h"
#include "json/scan.h"

static void
own_fields_come_back(void **state)
{
    (void)state;
    messages_expect_on(
        messages_route(CAPS_SERVER_AUTO, "claude-opus-4-6"),
        MESSAGES_IN(",\"stream\":true,\"stop_sequences\":[\"a\"],\"temperature\":0.30,"
                    "\"top_p\":1.0,\"top_k\":4,\"metadata\":{\"user_id\":\"u\"},"
                    "\"service_tier\":\"standard_only\",\"container\":\"c\""),
        NULL,
        "{\"model\":\"claude-opus-4-6\",\"max_tokens\":2048,\"stream\":true," MESSAGES_SAID
        ",\"stop_sequences\":[\"a\"],\"temperature\":0.30,\"top_p\":1.0,\"top_k\":4,"
        "\"metadata\":{\"user_id\":\"u\"},\"service_tier\":\"standard_only\","
        "\"container\":\"c\"}",
        "");
    messages_expect(
        MESSAGES_IN(
            ",\"output_config\":{\"format\":{\"type\":\"json_schema\",\"schema\":{\"a\": 1}}}"),
        NULL,
        MESSAGES_HEAD MESSAGES_SAID ",\"output_config\":{\"format\":{\"type\":\"json_schema\","
                                    "\"schema\":{\"a\": 1}}}}",
        "");
}

static void
everything_dropped(struct arena *a, struct ir_req *req)
{
    messages_from_chat(a, req);
    req->seed = 1;
    req->presence_penalty = STR("0.5");
    req->frequency_penalty = STR("0"); /* says nothing */
    req->logit_bias = STR("{\"1\":2}");
    req->prediction = STR("{}");
    req->logprobs = true;
    req->top_logprobs = 2;
    req->verbosity = STR("low");
    req->cache_key = STR("k");
    req->temperature = STR("1.5");
    req->service_tier = STR("flex");
    req->metadata = STR("{\"a\":\"b\"}");
    req->store = IR_YES;
    req->msgs->name = STR("ann");
    req->user = STR("ann@example.com");
    req->ext = arena_new(a, struct ir_ext);
    req->ext->name = STR("moderation");
    req->ext->value = STR("true");
}

static void
drops_are_named(void **state)
{
    struct messages_result r;

    (void)state;
    messages_expect(
        MESSAGES_IN(""), everything_dropped,
        MESSAGES_HEAD MESSAGES_SAID
        ",\"metadata\":{\"user_id\":\"user_140369096a6caa05\"},\"service_tier\":"
        "\"standard_only\"}",
        "messages.0.name temperature service_tier moderation seed presence_penalty logit_bias "
        "prediction logprobs top_logprobs verbosity metadata store prompt_cache_key");
    messages_expect_refused(MESSAGES_STRICT, MESSAGES_IN(""), everything_dropped,
                            "messages.0.name");
    /* Nothing is left of a person's address. */
    messages_run(&r, MESSAGES_IN(""), everything_dropped,
                 (struct dialect_route){.strict = false});
    assert_null(memmem(r.body.p, r.body.n, "ann", 3));
    messages_fini(&r);
}

static void
two_answers(struct arena *a, struct ir_req *req)
{
    messages_from_chat(a, req);
    req->choices = 2;
}

static void
model_first(struct arena *a, struct ir_req *req)
{
    messages_from_chat(a, req);
    req->msgs->role = IR_MODEL;
}

static void
system_only(struct arena *a, struct ir_req *req)
{
    messages_from_chat(a, req);
    req->msgs->role = IR_SYSTEM;
}

static void
text_wanted(struct arena *a, struct ir_req *req)
{
    messages_from_chat(a, req);
    req->ext = arena_new(a, struct ir_ext);
    req->ext->name = STR("modalities");
    req->ext->value = STR("[\"text\"]");
}

static void
speech_wanted(struct arena *a, struct ir_req *req)
{
    text_wanted(a, req);
    req->ext->value = STR("[\"text\", \"audio\"]");
    req->media_out = true;
}

static void
what_changes_the_meaning_is_refused(void **state)
{
    (void)state;
    messages_expect_refused(MESSAGES_ANY, MESSAGES_IN(""), two_answers, "n");
    messages_expect_refused(MESSAGES_ANY, MESSAGES_IN(""), model_first, "messages.0");
    messages_expect_refused(MESSAGES_ANY, MESSAGES_IN(""), system_only, "messages");
    messages_expect_refused(MESSAGES_ANY, MESSAGES_IN(""), speech_wanted, "modalities");
    messages_expect(MESSAGES_IN(""), text_wanted, MESSAGES_HEAD MESSAGES_SAID "}", "");
}

static void
limit_open(struct arena *a, struct ir_req *req)
{
    messages_from_chat(a, req);
    req->max_tokens = -1;
}

static void
a_limit_is_supplied(void **state)
{
    struct messages_result r;

    (void)state;
    messages_expect(MESSAGES_IN(""), limit_open,
                    "{\"model\":\"claude-next\",\"max_tokens\":8192," MESSAGES_SAID "}", "");
    messages_run(&r, MESSAGES_IN(""), limit_open,
                 (struct dialect_route){.model = STR("x"), .max_tokens = 77});
    assert_non_null(strstr(r.body.p, "\"max_tokens\":77,"));
    messages_fini(&r);
}

#define TOOL     ",\"tools\":[{\"name\":\"f\",\"input_schema\":{\"type\":\"object\"}}]"
#define TOOL_OUT ",\"tools\":[{\"name\":\"f\",\"input_schema\":{\"type\":\"object\"}}]"
#define TOOLS_HEAD(choice)                                                                     \
    MESSAGES_HEAD "\"tools\":[{\"name\":\"f\",\"input_schema\":{\"type\":\"object\"}}]" choice \
                  "," MESSAGES_SAID

static void
chat_results(struct arena *a, struct ir_req *req)
{
    struct ir_msg *m = req->msgs->next->next;

    /* user, model, user: the user's text stands in front of the results. */
    messages_from_chat(a, req);
    m->next->next = arena_new(a, struct ir_msg);
    *m->next->next = *m;
    m->next->next->next = NULL;
    req->msgs->next->next = m->next;
    m->next->blocks->id = STR("functions.f:0");
    req->msgs->next->blocks->id = STR("functions.f:0");
    req->msgs->next->blocks->text = STR(" ");
}

/* Pitfalls B2, D1, D4. */
static void
results_stand_first_and_ids_are_legal(void **state)
{
    (void)state;
    messages_expect(
        MESSAGES_TURNS(
            "{\"role\":\"user\",\"content\":\"hi\"},{\"role\":\"assistant\",\"content\":[{"
            "\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{\"a\":1}}]},"
            "{\"role\":\"user\",\"content\":\"and\"},{\"role\":\"user\",\"content\":[{"
            "\"type\":\"tool_result\",\"tool_use_id\":\"t\",\"is_error\":true,"
            "\"content\":\"no\"}]}"),
        chat_results,
        MESSAGES_HEAD
        "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":"
        "\"hi\"}]},{\"role\":\"assistant\",\"content\":[{\"type\":\"tool_use\",\"id\":"
        "\"functions_f_0_4be0e962e9dcd7b8\",\"name\":\"f\",\"input\":{}}]},"
        "{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":"
        "\"functions_f_0_4be0e962e9dcd7b8\",\"content\":\"no\",\"is_error\":true},"
        "{\"type\":\"text\",\"text\":\"and\"}]}]}",
        "");
}

static void
arguments_as_text(struct arena *a, struct ir_req *req)
{
    static const char *const texts[] = {"", "null", " {\"n\": 12345678901234567} ",
                                        "{\"a\":", "[1]"};
    struct ir_block **tail = &req->msgs->next->blocks;

    messages_from_chat(a, req);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        *tail = arena_new(a, struct ir_block);
        **tail = (struct ir_block){.kind = IR_CALL, .name = STR("f"), .text = str_z(texts[i])};
        tail = &(*tail)->next;
    }
}

/* Pitfalls D4, D5; calls of the deprecated form have no ids. */
static void
arguments_become_objects(void **state)
{
    (void)state;
    messages_expect(
        MESSAGES_TURNS(
            "{\"role\":\"user\",\"content\":\"hi\"},{\"role\":\"assistant\",\"content\":"
            "\"x\"},{\"role\":\"user\",\"content\":\"go\"}"),
        arguments_as_text,
        MESSAGES_HEAD
        "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":"
        "\"hi\"}]},{\"role\":\"assistant\",\"content\":["
        "{\"type\":\"tool_use\",\"id\":\"call_legacy_0\",\"name\":\"f\",\"input\":{}},"
        "{\"type\":\"tool_use\",\"id\":\"call_legacy_1\",\"name\":\"f\",\"input\":{}},"
        "{\"type\":\"tool_use\",\"id\":\"call_legacy_2\",\"name\":\"f\",\"input\":"
        "{\"n\": 12345678901234567}},"
        "{\"type\":\"tool_use\",\"id\":\"call_legacy_3\",\"name\":\"f\",\"input\":"
        "{\"_raw\":\"{\\\"a\\\":\"}},"
        "{\"type\":\"tool_use\",\"id\":\"call_legacy_4\",\"name\":\"f\",\"input\":"
        "{\"_raw\":\"[1]\"}}]},{\"role\":\"user\",\"content\":[{\"type\":\"text\","
        "\"text\":\"go\"}]}]}",
        "");
}

static void
thoughts_of_others(struct arena *a, struct ir_req *req)
{
    struct ir_block *b = req->msgs->next->blocks;

    messages_from_chat(a, req);
    b->origin = "responses";
    (void)a;
}

/* Pitfall E8: never an error, never upstream. */
static void
foreign_thoughts_stay_behind(void **state)
{
    struct messages_result r;

    (void)state;
    messages_expect(
        MESSAGES_TURNS(
            "{\"role\":\"user\",\"content\":\"hi\"},{\"role\":\"assistant\",\"content\":["
            "{\"type\":\"thinking\",\"thinking\":\"Hm\",\"signature\":\"blob\"},"
            "{\"type\":\"thinking\",\"thinking\":\"unsigned\",\"signature\":\"\"},"
            "{\"type\":\"redacted_thinking\",\"data\":\"own\"},"
            "{\"type\":\"text\",\"text\":\"\"}]},{\"role\":\"user\",\"content\":\"\"}"),
        thoughts_of_others,
        MESSAGES_HEAD
        "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":"
        "\"hi\"}]},{\"role\":\"assistant\",\"content\":[{\"type\":\"redacted_thinking\","
        "\"data\":\"own\"}]},{\"role\":\"user\",\"content\":[{\"type\":\"text\","
        "\"text\":\"(no content)\"}]}]}",
        "messages.1.reasoning");
    messages_run(
        &r,
        MESSAGES_TURNS(
            "{\"role\":\"user\",\"content\":\"hi\"},{\"role\":\"assistant\",\"content\":["
            "{\"type\":\"thinking\",\"thinking\":\"Hm\",\"signature\":\"blob\"}]}"),
        thoughts_of_others, (struct dialect_route){.strict = true});
    assert_int_equal(r.rc, TG_OK);
    assert_null(strstr(r.body.p, "blob"));
    messages_fini(&r);
}

static void
tools_of_others(struct arena *a, struct ir_req *req)
{
    static const struct ir_tool tools[] = {
        {.name = STR("f"), .schema = STR("{\"required\":[]}"), .allowed = true},
        {.name = STR("g"), .strict = IR_YES, .description = STR("d"), .allowed = true},
        {.name = STR("barred"), .schema = STR("{}")},
        {.name = STR("web_search"),
         .hosted_by = "responses",
         .raw =
             STR("{\"type\":\"web_search\",\"filters\":{\"allowed_domains\":[\"a.example\"]},"
                 "\"search_context_size\":\"low\",\"user_location\":{\"type\":"
                 "\"approximate\",\"city\":\"Bern\"}}"),
         .allowed = true},
        {.name = STR("computer"), .hosted_by = "responses", .raw = STR("{}"), .allowed = true},
    };
    struct ir_tool **tail = &req->tools;

    messages_from_chat(a, req);
    req->origin = "responses";
    for (size_t i = 0; i < sizeof tools / sizeof tools[0]; i++) {
        *tail = arena_new(a, struct ir_tool);
        **tail = tools[i];
        tail = &(*tail)->next;
    }
    req->parallel_calls = false;
}

static void
computer_forced(struct arena *a, struct ir_req *req)
{
    tools_of_others(a, req);
    req->tool_choice = IR_CHOICE_NAMED;
    req->tool_name = STR("computer");
}

static void
no_tools_none_chosen(struct arena *a, struct ir_req *req)
{
    messages_from_chat(a, req);
    req->tool_choice = IR_CHOICE_NONE;
    req->tool_choice_said = true;
    req->parallel_calls = false;
}

/* Pitfalls D8, D11. */
static void
tools_in_this_dialect(void **state)
{
    (void)state;
    messages_expect(
        MESSAGES_IN(""), tools_of_others,
        MESSAGES_HEAD
        "\"tools\":[{\"name\":\"f\",\"input_schema\":{\"type\":\"object\","
        "\"properties\":{},\"required\":[]}},{\"name\":\"g\",\"description\":\"d\","
        "\"input_schema\":{\"type\":\"object\",\"properties\":{}},\"strict\":true},"
        "{\"type\":\"web_search_20250305\",\"name\":\"web_search\",\"allowed_domains\":["
        "\"a.example\"],\"user_location\":{\"type\":\"approximate\",\"city\":\"Bern\"}}],"
        "\"tool_choice\":{\"type\":\"auto\",\"disable_parallel_tool_use\":true}," MESSAGES_SAID
        "}",
        "tools.4 tools.3.search_context_size");
    messages_expect_refused(MESSAGES_STRICT, MESSAGES_IN(""), tools_of_others, "tools.4");
    messages_expect_refused(MESSAGES_ANY, MESSAGES_IN(""), computer_forced, "tool_choice");
    messages_expect(MESSAGES_IN(""), no_tools_none_chosen, MESSAGES_HEAD MESSAGES_SAID "}", "");
    messages_expect(MESSAGES_IN(TOOL ",\"tool_choice\":{\"type\":\"none\"}"), NULL,
                    TOOLS_HEAD(",\"tool_choice\":{\"type\":\"none\"}") "}", "");
    messages_expect(MESSAGES_IN(TOOL ",\"tool_choice\":{\"type\":\"tool\",\"name\":\"f\"}"),
                    NULL, TOOLS_HEAD(",\"tool_choice\":{\"type\":\"tool\",\"name\":\"f\"}") "}",
                    "");
}

static void
with_media(struct arena *a, struct ir_req *req, struct ir_media m)
{
    struct ir_block *b = req->msgs->blocks;

    messages_from_chat(a, req);
    b->kind = IR_MEDIA;
    b->part = 1;
    b->media = arena_new(a, struct ir_media);
    *b->media = m;
}

#define MEDIA(name, ...)                                                                       \
    static void name(struct arena *a, struct ir_req *req)                                      \
    {                                                                                          \
        with_media(a, req, (struct ir_media){__VA_ARGS__});                                    \
    }
MEDIA(jpg, .kind = IR_IMAGE, .mime = STR("image/jpg"), .data = STR("AAAA"),
      .detail = STR("high"))
MEDIA(misnamed, .kind = IR_IMAGE, .mime = STR("image/jpeg"), .data = STR("iVBORw0KGgoAAAA"))
MEDIA(tiff, .kind = IR_IMAGE, .mime = STR("image/tiff"), .data = STR("AAAA"))
MEDIA(linked, .kind = IR_IMAGE, .url = STR("https://e.example/x"), .detail = STR("auto"))
MEDIA(stored, .kind = IR_IMAGE, .file_id = STR("file-1"))
MEDIA(sound, .kind = IR_AUDIO, .data = STR("AAAA"), .format = STR("wav"))
MEDIA(pdf, .kind = IR_DOCUMENT, .data = STR("JVBERi0xLjc="), .name = STR("a.pdf"))
MEDIA(pdf_as_image, .kind = IR_IMAGE, .mime = STR("application/pdf"), .data = STR("JVBERi0x"))
MEDIA(text_file, .kind = IR_DOCUMENT, .mime = STR("text/markdown"), .data = STR("IyBIw6k="),
      .context = STR("c"))
MEDIA(office, .kind = IR_DOCUMENT, .mime = STR("application/msword"), .data = STR("AAAA"))

#define PART(part) MESSAGES_HEAD "\"messages\":[{\"role\":\"user\",\"content\":[" part "]}]}"

/* Pitfalls K1, K2. */
static void
media_in_this_dialect(void **state)
{
    (void)state;
    messages_expect(MESSAGES_IN(""), jpg,
                    PART("{\"type\":\"image\",\"source\":{\"type\":\"base64\",\"media_type\":"
                         "\"image/jpeg\",\"data\":\"AAAA\"}}"),
                    "messages.0.content.0.detail");
    messages_expect(MESSAGES_IN(""), misnamed,
                    PART("{\"type\":\"image\",\"source\":{\"type\":\"base64\",\"media_type\":"
                         "\"image/png\",\"data\":\"iVBORw0KGgoAAAA\"}}"),
                    "");
    messages_expect(MESSAGES_IN(""), linked,
                    PART("{\"type\":\"image\",\"source\":{\"type\":\"url\",\"url\":"
                         "\"https://e.example/x\"}}"),
                    "");
    messages_expect(
        MESSAGES_IN(""), pdf,
        PART("{\"type\":\"document\",\"source\":{\"type\":\"base64\",\"media_type\":"
             "\"application/pdf\",\"data\":\"JVBERi0xLjc=\"},\"title\":\"a.pdf\"}"),
        "");
    messages_expect(
        MESSAGES_IN(""), pdf_as_image,
        PART("{\"type\":\"document\",\"source\":{\"type\":\"base64\",\"media_type\":"
             "\"application/pdf\",\"data\":\"JVBERi0x\"}}"),
        "");
    messages_expect(MESSAGES_IN(""), text_file,
                    PART("{\"type\":\"document\",\"source\":{\"type\":\"text\",\"media_type\":"
                         "\"text/plain\",\"data\":\"# H\xc3\xa9\"},\"context\":\"c\"}"),
                    "");
    messages_expect_refused(MESSAGES_ANY, MESSAGES_IN(""), tiff, "messages.0.content.0");
    messages_expect_refused(MESSAGES_ANY, MESSAGES_IN(""), stored, "messages.0.content.0");
    messages_expect_refused(MESSAGES_ANY, MESSAGES_IN(""), sound, "messages.0.content.0");
    messages_expect_refused(MESSAGES_ANY, MESSAGES_IN(""), office, "messages.0.content.0");
}

#define MARK(ttl) "\"cache_control\":{\"type\":\"ephemeral\",\"ttl\":\"" ttl "\"}"

static void
only_the_last_four_cache_marks_go(void **state)
{
    (void)state;
    messages_expect(
        "{\"model\":\"m\",\"max_tokens\":2048,\"tools\":[{\"name\":\"f\",\"input_schema\":{"
        "\"type\":\"object\"}," MARK(
            "5m") "}],\"system\":[{\"type\":\"text\",\"text\":"
                  "\"s\"," MARK("1h") "}],\"messages\":[{\"role\":\"user\","
                                      "\"content\":[{\"type\":\"text\","
                                      "\"text\":\"a\"," MARK(
                                          "5m") "},{\"type\":\"text\",\"text\":"
                                                "\"b\"," MARK("5m") "},{"
                                                                    "\"type\":"
                                                                    "\"text\","
                                                                    "\"text\":"
                                                                    "\"c\""
                                                                    "," MARK("5"
                                                                             "m") "}]}]}",
        NULL,
        MESSAGES_HEAD
        "\"tools\":[{\"name\":\"f\",\"input_schema\":{\"type\":\"object\"}}],\"system\":"
        "[{\"type\":\"text\",\"text\":\"s\"," MARK(
            "1h") "}],\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\","
                  "\"text\":\"a\",\"cache_control\":{\"type\":\"ephemeral\"}},"
                  "{\"type\":\"text\",\"text\":\"b\",\"cache_control\":{\"type\":"
                  "\"ephemeral\"}},{\"type\":\"text\",\"text\":\"c\","
                  "\"cache_control\":{\"type\":\"ephemeral\"}}]}]}",
        "cache_control");
}

/* What the provider's own tools did goes back to its maker, and to nobody else. */
static void
opaque_blocks(void **state)
{
    (void)state;
    messages_expect(
        MESSAGES_TURNS(
            "{\"role\":\"user\",\"content\":\"hi\"},{\"role\":\"assistant\",\"content\":[{"
            "\"type\":\"server_tool_use\", \"id\":\"s\",\"name\":\"web_search\","
            "\"input\":{}}]}"),
        NULL,
        MESSAGES_HEAD
        "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":"
        "\"hi\"}]},{\"role\":\"assistant\",\"content\":[{\"type\":\"server_tool_use\", "
        "\"id\":\"s\",\"name\":\"web_search\",\"input\":{}}]}]}",
        "");
    messages_expect(
        MESSAGES_TURNS(
            "{\"role\":\"user\",\"content\":\"hi\"},{\"role\":\"assistant\",\"content\":[{"
            "\"type\":\"server_tool_use\",\"id\":\"s\",\"name\":\"web_search\","
            "\"input\":{}},{\"type\":\"text\",\"text\":\"x\"}]},{\"role\":\"user\","
            "\"content\":\"go\"}"),
        thoughts_of_others,
        MESSAGES_HEAD
        "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":"
        "\"hi\"}]},{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":"
        "\"x\"}]},{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"go\"}]}]}",
        "messages.1.content.0");
}

static void
a_full_buffer_is_told(void **state)
{
    const struct dialect *d = dialect_find(STR("messages"));
    const struct dialect_route route = {.model = STR("m")};
    struct ir_drops drops = {.n = 0};
    struct ir_req req;
    struct tg_err err = {0};
    struct arena a;

    (void)state;
    arena_init(&a);
    assert_int_equal(d->decode_req(&a, STR(MESSAGES_IN(TOOL)), &req, &err), TG_OK);
    for (size_t max = 0; max < 120; max++) {
        struct buf b;

        buf_init(&b, max);
        assert_int_equal(d->encode_req(&a, &req, &route, &b, &drops, &err), TG_ELIMIT);
        assert_int_equal(err.kind, TG_ERR_TOO_LARGE);
        assert_int_equal(b.n, 0);
        buf_fini(&b);
    }
    arena_fini(&a);
    arena_thread_fini();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_fields_come_back),
        cmocka_unit_test(drops_are_named),
        cmocka_unit_test(what_changes_the_meaning_is_refused),
        cmocka_unit_test(a_limit_is_supplied),
        cmocka_unit_test(results_stand_first_and_ids_are_legal),
        cmocka_unit_test(arguments_become_objects),
        cmocka_unit_test(foreign_thoughts_stay_behind),
        cmocka_unit_test(tools_in_this_dialect),
        cmocka_unit_test(media_in_this_dialect),
        cmocka_unit_test(only_the_last_four_cache_marks_go),
        cmocka_unit_test(opaque_blocks),
        cmocka_unit_test(a_full_buffer_is_told),
    };

    return cmocka_run_group_tests_name("dialect/messages_out", tests, NULL, NULL);
}
