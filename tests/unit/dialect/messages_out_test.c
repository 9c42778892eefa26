/* messages_out_test.c -- requests to an upstream of the Messages dialect.
 *
 * A request is decoded from this dialect's own JSON, changed where another dialect would
 * differ, encoded, and compared as bytes together with the names of what was dropped.
 */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "dialect/request.h"
#include "triglot/dialect.h"
#include "json/scan.h"

typedef void change_fn(struct arena *, struct ir_req *);

struct result {
    struct arena a;
    struct str body, drops;
    struct tg_err err;
    tg_rc rc;
};

static void
run(struct result *r, const char *json, change_fn *change, struct dialect_route route)
{
    const struct dialect *d = dialect_find(STR("messages"));
    struct ir_drops drops = {.n = 0};
    struct ir_req req = {.n_msgs = 0};
    struct ir_adapt *adapt = NULL;
    struct buf b, names;

    *r = (struct result){.rc = TG_OK};
    arena_init(&r->a);
    buf_init(&b, 1 << 20);
    buf_init(&names, 1 << 12);
    if (d->decode_req(&r->a, str_z(json), &req, &r->err) != TG_OK)
        fail_msg("%s: %s", json, r->err.msg);
    if (route.model.n == 0)
        route.model = STR("claude-next");
    if (change)
        change(&r->a, &req);
    assert_int_equal(buf_append(&b, STR("kept")), TG_OK);
    d->caps(CAPS_SERVER_AUTO, route.model, &route.caps);
    r->rc = dialect_put_request(&r->a, d, &req, &route, &b, &adapt, &drops, &r->err);
    if (r->rc == TG_OK)
        assert_int_equal(json_check(str_from(buf_str(&b), 4), JSON_DEPTH_MAX, NULL), TG_OK);
    else
        assert_int_equal(b.n, 4); /* the buffer is as it was */
    r->body = arena_dup(&r->a, str_from(buf_str(&b), 4));
    for (unsigned i = 0; i < drops.n; i++)
        assert_int_equal(buf_printf(&names, "%s%.*s", i ? " " : "", STR_ARG(drops.name[i])),
                         TG_OK);
    r->drops = arena_dup(&r->a, buf_str(&names));
    buf_fini(&b);
    buf_fini(&names);
}

static void
fini(struct result *r)
{
    arena_fini(&r->a);
    arena_thread_fini();
}

#define USER "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"
#define HEAD "{\"model\":\"claude-next\",\"max_tokens\":2048,"
#define SAID                                                                                   \
    "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"hi\"}]}]"
#define IN(more) "{\"model\":\"m\",\"max_tokens\":2048," USER more "}"

/* The body and the drops that come of it. */
static void
expect(const char *json, change_fn *change, const char *body, const char *drops)
{
    struct result r;

    run(&r, json, change, (struct dialect_route){.strict = false});
    if (r.rc != TG_OK)
        fail_msg("%s: %s", json, r.err.msg);
    assert_string_equal(r.body.n ? r.body.p : "", body);
    assert_string_equal(r.drops.n ? r.drops.p : "", drops);
    fini(&r);
}

static void
expect_refused(const char *json, change_fn *change, bool strict, const char *param)
{
    struct result r;

    run(&r, json, change, (struct dialect_route){.strict = strict});
    assert_int_equal(r.rc, TG_EINVAL);
    assert_string_equal(r.err.param, param);
    assert_int_equal(r.err.kind, TG_ERR_INVALID_REQUEST);
    fini(&r);
}

static void
foreign(struct arena *a, struct ir_req *req)
{
    (void)a;
    req->origin = "chat";
}

static void
own_fields_come_back(void **state)
{
    (void)state;
    expect(IN(",\"stream\":true,\"stop_sequences\":[\"a\"],\"temperature\":0.30,\"top_p\":1.0,"
              "\"top_k\":4,\"metadata\":{\"user_id\":\"u\"},\"service_tier\":\"standard_only\","
              "\"container\":\"c\""),
           NULL,
           HEAD "\"stream\":true," SAID
                ",\"stop_sequences\":[\"a\"],\"temperature\":0.30,\"top_p\":1.0,\"top_k\":4,"
                "\"metadata\":{\"user_id\":\"u\"},\"service_tier\":\"standard_only\","
                "\"container\":\"c\"}",
           "");
    expect(
        IN(",\"output_config\":{\"format\":{\"type\":\"json_schema\",\"schema\":{\"a\": 1}}}"),
        NULL,
        HEAD SAID ",\"output_config\":{\"format\":{\"type\":\"json_schema\","
                  "\"schema\":{\"a\": 1}}}}",
        "");
}

static void
everything_dropped(struct arena *a, struct ir_req *req)
{
    foreign(a, req);
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
    req->format_json = true;
    req->msgs->name = STR("ann");
    req->user = STR("ann@example.com");
    req->ext = arena_new(a, struct ir_ext);
    req->ext->name = STR("moderation");
    req->ext->value = STR("true");
}

static void
drops_are_named(void **state)
{
    struct result r;

    (void)state;
    expect(
        IN(""), everything_dropped,
        HEAD "\"system\":[{\"type\":\"text\",\"text\":\"Answer with a single JSON object and "
             "nothing else.\"}]," SAID ",\"temperature\":1,\"metadata\":{\"user_id\":"
             "\"user_140369096a6caa05\"},\"service_tier\":\"standard_only\"}",
        "messages.0.name temperature service_tier moderation seed presence_penalty logit_bias "
        "prediction logprobs top_logprobs verbosity metadata store prompt_cache_key "
        "response_format");
    expect_refused(IN(""), everything_dropped, true, "messages.0.name");
    /* Nothing is left of a person's address. */
    run(&r, IN(""), everything_dropped, (struct dialect_route){.strict = false});
    assert_null(memmem(r.body.p, r.body.n, "ann", 3));
    fini(&r);
}

static void
two_answers(struct arena *a, struct ir_req *req)
{
    foreign(a, req);
    req->choices = 2;
}

static void
model_first(struct arena *a, struct ir_req *req)
{
    foreign(a, req);
    req->msgs->role = IR_MODEL;
}

static void
system_only(struct arena *a, struct ir_req *req)
{
    foreign(a, req);
    req->msgs->role = IR_SYSTEM;
}

static void
what_changes_the_meaning_is_refused(void **state)
{
    (void)state;
    expect_refused(IN(""), two_answers, false, "n");
    expect_refused(IN(""), model_first, false, "messages.0");
    expect_refused(IN(""), system_only, false, "messages");
}

static void
limit_open(struct arena *a, struct ir_req *req)
{
    foreign(a, req);
    req->max_tokens = -1;
}

static void
limit_open_thinking(struct arena *a, struct ir_req *req)
{
    limit_open(a, req);
    req->think_budget = 9000;
}

static void
a_limit_is_supplied(void **state)
{
    struct result r;

    (void)state;
    expect(IN(""), limit_open, "{\"model\":\"claude-next\",\"max_tokens\":8192," SAID "}", "");
    run(&r, IN(""), limit_open, (struct dialect_route){.model = STR("x"), .max_tokens = 77});
    assert_non_null(strstr(r.body.p, "\"max_tokens\":77,"));
    fini(&r);
    expect(IN(""), limit_open_thinking,
           "{\"model\":\"claude-next\",\"max_tokens\":17192," SAID
           ",\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":9000}}",
           "");
}

#define TOOL     ",\"tools\":[{\"name\":\"f\",\"input_schema\":{\"type\":\"object\"}}]"
#define TOOL_OUT ",\"tools\":[{\"name\":\"f\",\"input_schema\":{\"type\":\"object\"}}]"
#define TOOLS_HEAD(choice)                                                                     \
    HEAD "\"tools\":[{\"name\":\"f\",\"input_schema\":{\"type\":\"object\"}}]" choice "," SAID

static void
old_model(struct result *r, const char *json)
{
    run(r, json, NULL, (struct dialect_route){.model = STR("claude-sonnet-4-5-20250929")});
    assert_int_equal(r->rc, TG_OK);
}

/* Pitfalls E7, D9, E1. */
static void
thinking_is_asked_for_in_the_form_that_fits(void **state)
{
    struct result r;

    (void)state;
    expect(IN(",\"thinking\":{\"type\":\"adaptive\",\"display\":\"summarized\"},"
              "\"output_config\":{\"effort\":\"high\"}"),
           NULL,
           HEAD SAID ",\"thinking\":{\"type\":\"adaptive\",\"display\":\"summarized\"},"
                     "\"output_config\":{\"effort\":\"high\"}}",
           "");
    expect(IN(",\"thinking\":{\"type\":\"disabled\"}"), NULL,
           HEAD SAID ",\"thinking\":{\"type\":\"disabled\"}}", "");
    /* The budget stays below the limit that the client said. */
    expect(IN(",\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":4096}"), NULL,
           HEAD SAID ",\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":2047,"
                     "\"display\":\"summarized\"}}",
           "");
    /* A forced choice wins over a budget, not over a level. */
    expect(IN(TOOL ",\"tool_choice\":{\"type\":\"any\"},"
                   "\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":1024}"),
           NULL,
           TOOLS_HEAD(",\"tool_choice\":{\"type\":\"any\"}") ",\"thinking\":{\"type\":"
                                                             "\"disabled\"}}",
           "thinking");
    expect(
        IN(TOOL ",\"tool_choice\":{\"type\":\"any\"},\"output_config\":{\"effort\":\"low\"}"),
        NULL,
        TOOLS_HEAD(",\"tool_choice\":{\"type\":\"any\"}") ",\"thinking\":{\"type\":"
                                                          "\"adaptive\"},\"output_config\":{"
                                                          "\"effort\":\"low\"}}",
        "");
    /* Who thinks does not sample. */
    expect(IN(",\"output_config\":{\"effort\":\"low\"},\"temperature\":0.5,\"top_k\":3,"
              "\"top_p\":0.9"),
           NULL,
           HEAD SAID ",\"thinking\":{\"type\":\"adaptive\"},\"output_config\":{\"effort\":"
                     "\"low\"}}",
           "temperature top_p top_k");
    old_model(&r, "{\"model\":\"m\",\"max_tokens\":40000," USER
                  ",\"output_config\":{\"effort\":\"high\"}}");
    assert_non_null(
        strstr(r.body.p, "\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":16384"));
    assert_null(strstr(r.body.p, "output_config"));
    fini(&r);
}

#define LOOP(thought)                                                                          \
    "{\"model\":\"m\",\"max_tokens\":4000,\"thinking\":{\"type\":\"enabled\","                 \
    "\"budget_tokens\":1024},\"messages\":[{\"role\":\"user\",\"content\":\"hi\"},"            \
    "{\"role\":\"assistant\",\"content\":[" thought "{\"type\":\"tool_use\",\"id\":\"t\","     \
    "\"name\":\"f\",\"input\":{}}]},{\"role\":\"user\",\"content\":[{\"type\":"                \
    "\"tool_result\",\"tool_use_id\":\"t\",\"content\":\"1\"}]}]}"

static void
lost_thoughts_turn_thinking_off(void **state)
{
    struct result r;

    (void)state;
    run(&r, LOOP(""), foreign, (struct dialect_route){.strict = false});
    assert_non_null(strstr(r.body.p, "\"thinking\":{\"type\":\"disabled\"}"));
    assert_string_equal(r.drops.p, "reasoning_effort");
    fini(&r);
    run(&r, LOOP("{\"type\":\"thinking\",\"thinking\":\"Hm\",\"signature\":\"S=\"},"), foreign,
        (struct dialect_route){.strict = false});
    assert_non_null(strstr(r.body.p, "\"thinking\":{\"type\":\"enabled\""));
    assert_non_null(
        strstr(r.body.p, "{\"type\":\"thinking\",\"thinking\":\"Hm\",\"signature\":\"S=\"}"));
    fini(&r);
}

#define TURNS(turns) "{\"model\":\"m\",\"max_tokens\":2048,\"messages\":[" turns "]}"

static void
chat_results(struct arena *a, struct ir_req *req)
{
    struct ir_msg *m = req->msgs->next->next;

    /* user, model, user: the user's text stands in front of the results. */
    foreign(a, req);
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
    expect(TURNS("{\"role\":\"user\",\"content\":\"hi\"},{\"role\":\"assistant\",\"content\":[{"
                 "\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{\"a\":1}}]},"
                 "{\"role\":\"user\",\"content\":\"and\"},{\"role\":\"user\",\"content\":[{"
                 "\"type\":\"tool_result\",\"tool_use_id\":\"t\",\"is_error\":true,"
                 "\"content\":\"no\"}]}"),
           chat_results,
           HEAD "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":"
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
    static const char *const texts[] = {"",        "null", " {\"n\": 12345678901234567} ",
                                        "{\"a\":", "[1]",  "free \"text\""};
    struct ir_block **tail = &req->msgs->next->blocks;

    foreign(a, req);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        *tail = arena_new(a, struct ir_block);
        **tail = (struct ir_block){
            .kind = IR_CALL, .name = STR("f"), .text = str_z(texts[i]), .freeform = i == 5};
        tail = &(*tail)->next;
    }
}

/* Pitfalls D4, D5; calls of the deprecated form have no ids. */
static void
arguments_become_objects(void **state)
{
    (void)state;
    expect(TURNS("{\"role\":\"user\",\"content\":\"hi\"},{\"role\":\"assistant\",\"content\":"
                 "\"x\"}"),
           arguments_as_text,
           HEAD "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":"
                "\"hi\"}]},{\"role\":\"assistant\",\"content\":["
                "{\"type\":\"tool_use\",\"id\":\"call_legacy_0\",\"name\":\"f\",\"input\":{}},"
                "{\"type\":\"tool_use\",\"id\":\"call_legacy_1\",\"name\":\"f\",\"input\":{}},"
                "{\"type\":\"tool_use\",\"id\":\"call_legacy_2\",\"name\":\"f\",\"input\":"
                "{\"n\": 12345678901234567}},"
                "{\"type\":\"tool_use\",\"id\":\"call_legacy_3\",\"name\":\"f\",\"input\":"
                "{\"_raw\":\"{\\\"a\\\":\"}},"
                "{\"type\":\"tool_use\",\"id\":\"call_legacy_4\",\"name\":\"f\",\"input\":"
                "{\"_raw\":\"[1]\"}},"
                "{\"type\":\"tool_use\",\"id\":\"call_legacy_5\",\"name\":\"f\",\"input\":"
                "{\"input\":\"free \\\"text\\\"\"}}]}]}",
           "");
}

static void
thoughts_of_others(struct arena *a, struct ir_req *req)
{
    struct ir_block *b = req->msgs->next->blocks;

    foreign(a, req);
    b->origin = "responses";
    (void)a;
}

/* Pitfall E8: never an error, never upstream. */
static void
foreign_thoughts_stay_behind(void **state)
{
    struct result r;

    (void)state;
    expect(TURNS("{\"role\":\"user\",\"content\":\"hi\"},{\"role\":\"assistant\",\"content\":["
                 "{\"type\":\"thinking\",\"thinking\":\"Hm\",\"signature\":\"blob\"},"
                 "{\"type\":\"thinking\",\"thinking\":\"unsigned\",\"signature\":\"\"},"
                 "{\"type\":\"redacted_thinking\",\"data\":\"own\"},"
                 "{\"type\":\"text\",\"text\":\"\"}]},{\"role\":\"user\",\"content\":\"\"}"),
           thoughts_of_others,
           HEAD
           "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":"
           "\"hi\"}]},{\"role\":\"assistant\",\"content\":[{\"type\":\"redacted_thinking\","
           "\"data\":\"own\"}]},{\"role\":\"user\",\"content\":[{\"type\":\"text\","
           "\"text\":\"(no content)\"}]}]}",
           "messages.1.reasoning");
    run(&r,
        TURNS("{\"role\":\"user\",\"content\":\"hi\"},{\"role\":\"assistant\",\"content\":["
              "{\"type\":\"thinking\",\"thinking\":\"Hm\",\"signature\":\"blob\"}]}"),
        thoughts_of_others, (struct dialect_route){.strict = true});
    assert_int_equal(r.rc, TG_OK);
    assert_null(strstr(r.body.p, "blob"));
    fini(&r);
}

/* Pitfall B5. */
static void
system_text_in_mid_conversation(void **state)
{
    static const char json[] = TURNS(
        "{\"role\":\"system\",\"content\":\"one\"},{\"role\":\"user\",\"content\":\"hi\"},"
        "{\"role\":\"system\",\"content\":\"two\"},{\"role\":\"user\",\"content\":\"go\"}");
    struct result r;

    (void)state;
    expect(json, NULL,
           HEAD "\"system\":[{\"type\":\"text\",\"text\":\"one\"}],\"messages\":[{\"role\":"
                "\"user\",\"content\":[{\"type\":\"text\",\"text\":\"hi\"}]},{\"role\":"
                "\"system\",\"content\":[{\"type\":\"text\",\"text\":\"two\"}]},{\"role\":"
                "\"user\",\"content\":[{\"type\":\"text\",\"text\":\"go\"}]}]}",
           "");
    run(&r, json, NULL, (struct dialect_route){.model = STR("qwen3")});
    assert_non_null(strstr(r.body.p,
                           "{\"type\":\"text\",\"text\":\"<system>\\ntwo\\n</system>\"},"
                           "{\"type\":\"text\",\"text\":\"go\"}]}]}"));
    fini(&r);
}

static void
tools_of_others(struct arena *a, struct ir_req *req)
{
    static const struct ir_tool tools[] = {
        {.name = STR("f"), .schema = STR("{\"required\":[]}"), .allowed = true},
        {.name = STR("g"), .strict = IR_YES, .description = STR("d"), .allowed = true},
        {.name = STR("barred"), .schema = STR("{}")},
        {.name = STR("patch"),
         .freeform = true,
         .description = STR("Patches."),
         .grammar =
             STR("{\"type\":\"grammar\",\"syntax\":\"lark\",\"definition\":\"start: X\"}"),
         .allowed = true},
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

    foreign(a, req);
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
    foreign(a, req);
    req->tool_choice = IR_CHOICE_NONE;
    req->tool_choice_said = true;
    req->parallel_calls = false;
}

/* Pitfalls D8, D10, D11. */
static void
tools_in_this_dialect(void **state)
{
    (void)state;
    expect(IN(""), tools_of_others,
           HEAD
           "\"tools\":[{\"name\":\"f\",\"input_schema\":{\"type\":\"object\","
           "\"properties\":{},\"required\":[]}},{\"name\":\"g\",\"description\":\"d\","
           "\"input_schema\":{\"type\":\"object\",\"properties\":{}},\"strict\":true},"
           "{\"name\":\"patch\",\"description\":\"Patches.\\n\\nThe input must follow this "
           "grammar:\\nstart: X\",\"input_schema\":{\"type\":\"object\",\"properties\":{"
           "\"input\":{\"type\":\"string\"}},\"required\":[\"input\"]}},"
           "{\"type\":\"web_search_20250305\",\"name\":\"web_search\",\"allowed_domains\":["
           "\"a.example\"],\"user_location\":{\"type\":\"approximate\",\"city\":\"Bern\"}}],"
           "\"tool_choice\":{\"type\":\"auto\",\"disable_parallel_tool_use\":true}," SAID "}",
           "tools.5 tools.3.format tools.4.search_context_size");
    expect_refused(IN(""), tools_of_others, true, "tools.5");
    expect_refused(IN(""), computer_forced, false, "tool_choice");
    expect(IN(""), no_tools_none_chosen, HEAD SAID "}", "");
    expect(IN(TOOL ",\"tool_choice\":{\"type\":\"none\"}"), NULL,
           TOOLS_HEAD(",\"tool_choice\":{\"type\":\"none\"}") "}", "");
    expect(IN(TOOL ",\"tool_choice\":{\"type\":\"tool\",\"name\":\"f\"}"), NULL,
           TOOLS_HEAD(",\"tool_choice\":{\"type\":\"tool\",\"name\":\"f\"}") "}", "");
}

static void
with_media(struct arena *a, struct ir_req *req, struct ir_media m)
{
    struct ir_block *b = req->msgs->blocks;

    foreign(a, req);
    b->kind = IR_MEDIA;
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

#define PART(part) HEAD "\"messages\":[{\"role\":\"user\",\"content\":[" part "]}]}"

/* Pitfalls K1, K2. */
static void
media_in_this_dialect(void **state)
{
    (void)state;
    expect(IN(""), jpg,
           PART("{\"type\":\"image\",\"source\":{\"type\":\"base64\",\"media_type\":"
                "\"image/jpeg\",\"data\":\"AAAA\"}}"),
           "messages.0.content.0.detail");
    expect(IN(""), misnamed,
           PART("{\"type\":\"image\",\"source\":{\"type\":\"base64\",\"media_type\":"
                "\"image/png\",\"data\":\"iVBORw0KGgoAAAA\"}}"),
           "");
    expect(IN(""), linked,
           PART("{\"type\":\"image\",\"source\":{\"type\":\"url\",\"url\":"
                "\"https://e.example/x\"}}"),
           "");
    expect(IN(""), pdf,
           PART("{\"type\":\"document\",\"source\":{\"type\":\"base64\",\"media_type\":"
                "\"application/pdf\",\"data\":\"JVBERi0xLjc=\"},\"title\":\"a.pdf\"}"),
           "");
    expect(IN(""), pdf_as_image,
           PART("{\"type\":\"document\",\"source\":{\"type\":\"base64\",\"media_type\":"
                "\"application/pdf\",\"data\":\"JVBERi0x\"}}"),
           "");
    expect(IN(""), text_file,
           PART("{\"type\":\"document\",\"source\":{\"type\":\"text\",\"media_type\":"
                "\"text/plain\",\"data\":\"# H\xc3\xa9\"},\"context\":\"c\"}"),
           "");
    expect_refused(IN(""), tiff, false, "messages.0.content.0");
    expect_refused(IN(""), stored, false, "messages.0.content.0");
    expect_refused(IN(""), sound, false, "messages.0.content.0");
    expect_refused(IN(""), office, false, "messages.0.content.0");
}

#define MARK(ttl) "\"cache_control\":{\"type\":\"ephemeral\",\"ttl\":\"" ttl "\"}"

static void
only_the_last_four_cache_marks_go(void **state)
{
    (void)state;
    expect("{\"model\":\"m\",\"max_tokens\":2048,\"tools\":[{\"name\":\"f\",\"input_schema\":{"
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
           HEAD
           "\"tools\":[{\"name\":\"f\",\"input_schema\":{\"type\":\"object\"}}],\"system\":"
           "[{\"type\":\"text\",\"text\":\"s\"," MARK(
               "1h") "}],\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\","
                     "\"text\":\"a\",\"cache_control\":{\"type\":\"ephemeral\"}},"
                     "{\"type\":\"text\",\"text\":\"b\",\"cache_control\":{\"type\":"
                     "\"ephemeral\"}},{\"type\":\"text\",\"text\":\"c\","
                     "\"cache_control\":{\"type\":\"ephemeral\"}}]}]}",
           "");
}

/* What the provider's own tools did goes back to its maker, and to nobody else. */
static void
opaque_blocks(void **state)
{
    (void)state;
    expect(TURNS("{\"role\":\"user\",\"content\":\"hi\"},{\"role\":\"assistant\",\"content\":[{"
                 "\"type\":\"server_tool_use\", \"id\":\"s\",\"name\":\"web_search\","
                 "\"input\":{}}]}"),
           NULL,
           HEAD "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":"
                "\"hi\"}]},{\"role\":\"assistant\",\"content\":[{\"type\":\"server_tool_use\", "
                "\"id\":\"s\",\"name\":\"web_search\",\"input\":{}}]}]}",
           "");
    expect(TURNS("{\"role\":\"user\",\"content\":\"hi\"},{\"role\":\"assistant\",\"content\":[{"
                 "\"type\":\"server_tool_use\",\"id\":\"s\",\"name\":\"web_search\","
                 "\"input\":{}},{\"type\":\"text\",\"text\":\"x\"}]}"),
           thoughts_of_others,
           HEAD "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":"
                "\"hi\"}]},{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":"
                "\"x\"}]}]}",
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
    assert_int_equal(d->decode_req(&a, STR(IN(TOOL)), &req, &err), TG_OK);
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
        cmocka_unit_test(thinking_is_asked_for_in_the_form_that_fits),
        cmocka_unit_test(lost_thoughts_turn_thinking_off),
        cmocka_unit_test(results_stand_first_and_ids_are_legal),
        cmocka_unit_test(arguments_become_objects),
        cmocka_unit_test(foreign_thoughts_stay_behind),
        cmocka_unit_test(system_text_in_mid_conversation),
        cmocka_unit_test(tools_in_this_dialect),
        cmocka_unit_test(media_in_this_dialect),
        cmocka_unit_test(only_the_last_four_cache_marks_go),
        cmocka_unit_test(opaque_blocks),
        cmocka_unit_test(a_full_buffer_is_told),
    };

    return cmocka_run_group_tests_name("dialect/messages_out", tests, NULL, NULL);
}
