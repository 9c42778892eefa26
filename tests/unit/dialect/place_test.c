/* place_test.c -- the places that errors and x-triglot-dropped name, in the client's own count:
 * decoders join items and part turns, and fitting adds messages, which no client knows of. */
#include "dialect/request.h"
#include "triglot/dialect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "ir/adapt.h"

#define ONE_CALL(id)                                                                           \
    "{\"type\":\"function_call\",\"call_id\":\"" id "\",\"name\":\"f\",\"arguments\":\"{}\"},"
#define ONE_OUTPUT(id)                                                                         \
    "{\"type\":\"function_call_output\",\"call_id\":\"" id "\",\"output\":\"ok\"},"
#define TWO_OUTPUTS ONE_CALL("a") ONE_CALL("b") ONE_OUTPUT("a") ONE_OUTPUT("b")
#define FILE_ITEM(id)                                                                          \
    "{\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"t\"},"                \
    "{\"type\":\"input_image\",\"file_id\":\"" id "\"}]}"
#define M_HEAD "{\"model\":\"m\",\"max_tokens\":9,"
#define M_FILE                                                                                 \
    "{\"type\":\"text\",\"text\":\"t\"},{\"type\":\"image\",\"source\":{\"type\":\"file\","    \
    "\"file_id\":\"f\"}}"
#define M_USE(id)    "{\"type\":\"tool_use\",\"id\":\"" id "\",\"name\":\"f\",\"input\":{}}"
#define M_RESULT(id) "{\"type\":\"tool_result\",\"tool_use_id\":\"" id "\",\"content\":\"ok\"}"
#define M_TURNS                                                                                \
    "{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":[" M_USE(       \
        "a") "," M_USE("b") "]},"
#define M_MARK   "\"cache_control\":{\"type\":\"ephemeral\"}"
#define M_MARKED "{\"type\":\"text\",\"text\":\"t\"," M_MARK "}"
#define C_CALL                                                                                 \
    "{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"tool_calls\":[{"          \
    "\"id\":\"a\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]"  \
    "},"
#define C_AUDIO                                                                                \
    "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"t\"},{\"type\":"            \
    "\"input_audio\",\"input_audio\":{\"data\":\"AAAA\",\"format\":\"wav\"}}]}"

static const struct row {
    const char *from, *to, *body, *place;
    bool dropped; /* the place is of a drop, else of a refusal */
} rows[] = {
    {"responses", "chat",
     "{\"model\":\"m\",\"instructions\":\"i\",\"input\":[" FILE_ITEM("f") "]}",
     "input.0.content.1", false},
    {"responses", "chat", "{\"model\":\"m\",\"input\":[" TWO_OUTPUTS FILE_ITEM("f") "]}",
     "input.4.content.1", false},
    {"responses", "messages",
     "{\"model\":\"m\",\"input\":[{\"role\":\"user\",\"content\":\"q\"}," TWO_OUTPUTS FILE_ITEM(
         "f") "]}",
     "input.5.content.1", false},
    {"responses", "messages",
     "{\"model\":\"m\",\"input\":[{\"role\":\"user\",\"content\":\"q\"}," ONE_CALL(
         "a") "{\"type\":\"function_call_output\",\"call_id\":\"a\",\"output\":[{\"type\":"
              "\"input_text\",\"text\":\"t\"},{\"type\":\"input_image\",\"file_id\":\"f\"}]}]}",
     "input.2.output.1", false},
    {"messages", "chat",
     M_HEAD "\"system\":\"s\",\"messages\":[{\"role\":\"user\",\"content\":[" M_FILE "]}]}",
     "messages.0.content.1", false},
    {"messages", "responses",
     M_HEAD "\"system\":\"s\",\"messages\":[{\"role\":\"user\",\"content\":[" M_FILE "]}]}",
     "messages.0.content.1", false},
    {"messages", "chat",
     M_HEAD "\"messages\":[" M_TURNS "{\"role\":\"user\",\"content\":[" M_RESULT(
         "a") "," M_RESULT("b") "," M_FILE "]}]}",
     "messages.2.content.3", false},
    {"messages", "responses",
     M_HEAD "\"messages\":[" M_TURNS "{\"role\":\"user\",\"content\":[" M_RESULT(
         "a") "," M_RESULT("b") "," M_FILE "]}]}",
     "messages.2.content.3", false},
    {"chat", "responses", "{\"model\":\"m\",\"messages\":[" C_CALL C_AUDIO "]}",
     "messages.2.content.1", false},
    {"chat", "messages",
     "{\"model\":\"m\",\"response_format\":{\"type\":\"json_object\"},\"messages\":[" C_AUDIO
     "]}",
     "messages.0.content.1", false},
    {"chat", "responses",
     "{\"model\":\"m\",\"messages\":[" C_CALL
     "{\"role\":\"user\",\"name\":\"n\",\"content\":\"t\"}]}",
     "messages.2.name", true},
    {"chat", "messages",
     "{\"model\":\"m\",\"response_format\":{\"type\":\"json_object\"},\"messages\":[{"
     "\"role\":\"user\",\"name\":\"n\",\"content\":\"t\"}]}",
     "messages.0.name", true},
    {"responses", "chat",
     "{\"model\":\"m\",\"instructions\":\"i\",\"input\":[{\"role\":\"user\",\"content\":\"q\"},"
     "{\"type\":\"web_search_call\",\"id\":\"w\",\"status\":\"completed\"},{\"role\":"
     "\"user\",\"content\":\"t\"}]}",
     "input.1", true},
    {"responses", "messages",
     "{\"model\":\"m\",\"input\":[{\"role\":\"user\",\"content\":\"q\"}," TWO_OUTPUTS
     "{\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"t\"},{\"type\":"
     "\"input_image\",\"image_url\":\"https://h/i.png\",\"detail\":\"low\"}]}]}",
     "input.5.content.1.detail", true},
    {"messages", "responses",
     M_HEAD "\"system\":\"s\",\"messages\":[" M_TURNS
            "{\"role\":\"user\",\"content\":[" M_RESULT("a") "," M_RESULT(
                "b") ",{\"type\":\"container_upload\",\"file_id\":\"f\"}]}]}",
     "messages.2.content.2", true},
    {"messages", "chat",
     M_HEAD "\"system\":\"s\",\"messages\":[" M_TURNS
            "{\"role\":\"user\",\"content\":[" M_RESULT("a") "," M_RESULT(
                "b") ",{\"type\":\"container_upload\",\"file_id\":\"f\"}]}]}",
     "messages.2.content.2", true},
    /* what was neither carried nor refused */
    {"chat", "responses",
     "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"q\"}],"
     "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"n\",\"schema\":"
     "{\"type\":\"object\"},\"examples\":[1]}}}",
     "response_format.json_schema.examples", true},
    {"responses", "chat",
     "{\"model\":\"m\",\"input\":[{\"role\":\"assistant\",\"phase\":\"commentary\",\"content\":"
     "\"q\"},{\"role\":\"user\",\"content\":\"q\"}]}",
     "input.phase", true},
    {"messages", "responses",
     M_HEAD "\"system\":[{\"type\":\"text\",\"text\":\"s\"," M_MARK "}],\"messages\":[{"
            "\"role\":\"user\",\"content\":\"q\"}]}",
     "cache_control", true},
    {"messages", "chat",
     M_HEAD "\"messages\":[" M_TURNS "{\"role\":\"user\",\"content\":[" M_RESULT(
         "a") ",{\"type\":\"tool_result\","
              "\"tool_use_id\":\"b\",\"content\":[{\"type\":\"text\",\"text\":\"t\"," M_MARK
              "}]}]}]}",
     "cache_control", true},
    {"messages", "chat",
     M_HEAD "\"messages\":[" M_TURNS "{\"role\":\"user\",\"content\":[" M_RESULT(
         "a") ",{\"type\":\"tool_result\","
              "\"tool_use_id\":\"b\",\"content\":[{\"type\":\"tool_reference\",\"tool_name\":"
              "\"f\"}]}]}]}",
     "messages.2.content.1", true},
    {"messages", "messages",
     M_HEAD "\"messages\":[{\"role\":\"user\",\"content\":[" M_MARKED "," M_MARKED "," M_MARKED
            "," M_MARKED "," M_MARKED "]}]}",
     "cache_control", true},
    {"chat", "responses",
     "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"name\":\"n\",\"content\":"
     "\"s\"},{\"role\":\"user\",\"content\":\"q\"}]}",
     "messages.0.name", true},
    {"chat", "responses",
     "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\","
     "\"text\":\"q\",\"cache_control\":{\"type\":\"ephemeral\"}}]}]}",
     "messages.0.content.0.cache_control", true},
    {"chat", "chat",
     "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"q\",\"weight\":1,"
     "\"prefix\":false}]}",
     "messages.0.weight", true},
    {"chat", "messages",
     "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"q\"}],\"tools\":[{"
     "\"type\":\"function\",\"function\":{\"name\":\"f\",\"examples\":[1]}}]}",
     "tools.0.function.examples", true},
    {"responses", "chat",
     "{\"model\":\"m\",\"input\":\"q\",\"include\":[\"reasoning.encrypted_content\","
     "\"file_search_call.results\"]}",
     "include.file_search_call.results", true},
    {"responses", "messages",
     "{\"model\":\"m\",\"input\":\"q\",\"tools\":[{\"type\":\"function\",\"name\":\"f\","
     "\"defer_loading\":true}]}",
     "tools.0.defer_loading", true},
    {"responses", "chat",
     "{\"model\":\"m\",\"input\":\"q\",\"tools\":[{\"type\":\"function\",\"name\":\"f\","
     "\"output_schema\":{\"type\":\"object\"}}]}",
     "tools.0.output_schema", true},
    {"responses", "chat",
     "{\"model\":\"m\",\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_file\","
     "\"filename\":\"a.pdf\",\"file_data\":\"JVBE\",\"detail\":\"high\"}]}]}",
     "input.0.content.0.detail", true},
    {"responses", "chat",
     "{\"model\":\"m\",\"input\":[" ONE_CALL(
         "a") "{\"type\":\"function_call_output\","
              "\"call_id\":\"a\",\"output\":[{\"type\":\"input_text\",\"text\":\"t\","
              "\"prompt_cache_breakpoint\":{\"mode\":\"explicit\"}}]}]}",
     "cache_control", true},
};

/* The list of what was dropped, for a message of the test. */
static const char *
list_of(struct arena *a, const struct ir_drops *drops)
{
    struct str list = STR("");

    for (unsigned i = 0; i < drops->n; i++)
        list =
            arena_printf(a, "%.*s%s%.*s", STR_ARG(list), i ? "," : "", STR_ARG(drops->name[i]));
    return list.n ? list.p : "";
}

static const char *
place_named(struct arena *a, const struct row *row, bool *ret_dropped)
{
    const struct dialect *from = dialect_find(str_z(row->from));
    const struct dialect *to = dialect_find(str_z(row->to));
    struct dialect_route route = {.model = STR("m"), .max_tokens = 4096};
    struct ir_drops drops = {.n = 0};
    struct ir_adapt *adapt = NULL;
    struct tg_err err = {0};
    struct ir_req req;
    struct buf b;
    tg_rc rc;

    to->caps(CAPS_SERVER_AUTO, route.model, &route.caps);
    if (from->decode_req(a, str_z(row->body), &req, &err) != TG_OK)
        return arena_printf(a, "decode_req: %s", err.msg).p;
    buf_init(&b, 1 << 16);
    rc = dialect_put_request(a, to, &req, &route, &b, &adapt, &drops, &err);
    buf_fini(&b);
    *ret_dropped = rc == TG_OK;
    return rc == TG_OK ? list_of(a, &drops) : arena_printf(a, "%s", err.param).p;
}

static void
places_are_the_clients(void **state)
{
    unsigned n_wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *got, *at;
        bool dropped = false;
        struct arena a;

        arena_init(&a);
        got = place_named(&a, &rows[i], &dropped);
        at = dropped ? strstr(got, rows[i].place) : got;
        if (dropped != rows[i].dropped || !at ||
            (dropped ? at[strlen(rows[i].place)] != '\0' && at[strlen(rows[i].place)] != ','
                     : strcmp(got, rows[i].place) != 0)) {
            print_error("row %zu, %s to %s: %s %s, not %s\n", i, rows[i].from, rows[i].to,
                        dropped ? "dropped" : "refused", got, rows[i].place);
            n_wrong++;
        }
        arena_fini(&a);
    }
    assert_int_equal(n_wrong, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_the_clients),
    };

    return cmocka_run_group_tests_name("place", tests, NULL, NULL);
}
