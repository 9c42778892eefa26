/* shapes.c -- records of a stream, and the rules of Chat and Messages streams.
 *
 * The checkers read the records back with the path reader, field by field, and keep only what
 * the rules need.  The first violation ends a check.
 */
#include "support/shapes.h"

#include <stdio.h>

#include "base/buf.h"
#include "support/shapes_int.h"

bool
shape_next(struct arena *a, struct str *rest, struct shape_record *ret)
{
    struct shape_record r = {{NULL, 0}, {NULL, 0}};
    bool any = false;

    while (rest->n) {
        struct str line = str_cut(*rest, '\n', rest), value;
        struct str field = str_cut(line, ':', &value);

        if (line.n == 0 && any) {
            *ret = r;
            return true;
        }
        if (value.n && value.p[0] == ' ')
            value = str_from(value, 1);
        if (str_eq(field, STR("event"))) {
            r.event = value;
            any = true;
        } else if (str_eq(field, STR("data"))) {
            r.data = r.data.p ? arena_printf(a, "%.*s\n%.*s", STR_ARG(r.data), STR_ARG(value))
                              : value;
            any = true;
        }
    }
    *ret = r;
    return any;
}

const char *
shape_wrong(struct shape *s, const char *fmt, ...)
{
    char text[400];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return arena_printf(s->a, "record %u: %s: %.300s", s->n, text,
                        s->r.data.n ? arena_dup(s->a, s->r.data).p : "")
        .p;
}

bool
shape_record(struct shape *s)
{
    if (!shape_next(s->a, &s->rest, &s->r))
        return false;
    s->n++;
    return true;
}

enum json_kind
shape_kind(struct str value, const char *path)
{
    struct json_member m;

    return json_path(value, path, &m) ? m.kind : JSON_NONE;
}

struct str
shape_text(struct shape *s, struct str value, const char *path)
{
    struct json_member m;
    struct str text = {NULL, 0};

    if (json_path(value, path, &m) && m.kind == JSON_STRING &&
        json_string(s->a, m.value, &text) != TG_OK)
        text = (struct str){NULL, 0};
    return text;
}

struct str
shape_raw(struct str value, const char *path)
{
    struct json_member m;

    return json_path(value, path, &m) ? m.value : (struct str){NULL, 0};
}

int64_t
shape_int(struct str value, const char *path)
{
    struct json_member m;
    int64_t v = -1;

    if (!json_path(value, path, &m) || json_i64(m.value, &v) != TG_OK)
        return -1;
    return v;
}

enum { CHOICES_MAX = 8 };

struct chat_shape {
    struct shape s;
    bool usage;
    struct {
        bool begun, finished;
        int64_t calls;
    } choice[CHOICES_MAX];
    int64_t n_choices;
    struct str id;
    bool counted;
};

static const char *
chat_calls(struct chat_shape *c, struct str delta, int64_t choice)
{
    struct str calls = shape_raw(delta, "tool_calls");
    struct json_iter it;
    struct json_member m;
    unsigned n = 0;

    if (calls.n == 0)
        return NULL;
    if (json_array(&it, calls) != TG_OK)
        return shape_wrong(&c->s, "tool_calls is not an array");
    for (; json_next(&it, &m); n++) {
        int64_t index = shape_int(m.value, "index");
        bool custom = shape_kind(m.value, "custom") != JSON_NONE;
        bool name = shape_kind(m.value, custom ? "custom.name" : "function.name") != JSON_NONE;
        bool id = shape_kind(m.value, "id") != JSON_NONE;
        bool type = shape_kind(m.value, "type") != JSON_NONE;

        if (index < 0 || index > c->choice[choice].calls)
            return shape_wrong(&c->s, "tool_calls index %lld after %lld calls",
                               (long long)index, (long long)c->choice[choice].calls);
        if (index == c->choice[choice].calls) {
            c->choice[choice].calls++;
            if (!type || shape_text(&c->s, m.value, "id").n == 0 || !name ||
                shape_text(&c->s, m.value, custom ? "custom.name" : "function.name").n == 0)
                return shape_wrong(&c->s, "a call's first fragment lacks id, type or name");
        } else if (id || type || name) {
            return shape_wrong(&c->s, "a later fragment of a call repeats id, type or name");
        }
        if (shape_kind(m.value, custom ? "custom.input" : "function.arguments") != JSON_STRING)
            return shape_wrong(&c->s, "a fragment of a call without text");
    }
    return n ? NULL : shape_wrong(&c->s, "an empty tool_calls");
}

static const char *
chat_choice(struct chat_shape *c, struct str choice)
{
    int64_t i = shape_int(choice, "index");
    enum json_kind finish = shape_kind(choice, "finish_reason");
    struct str delta = shape_raw(choice, "delta");
    const char *why;

    if (i < 0 || i >= CHOICES_MAX)
        return shape_wrong(&c->s, "no index of a choice");
    if (i >= c->n_choices)
        c->n_choices = i + 1;
    if (shape_kind(choice, "delta") != JSON_OBJECT)
        return shape_wrong(&c->s, "a choice without delta");
    if (c->choice[i].finished)
        return shape_wrong(&c->s, "more of a choice after its finish_reason");
    if (!c->choice[i].begun && !str_eq(shape_text(&c->s, delta, "role"), STR("assistant")))
        return shape_wrong(&c->s, "a choice's first delta has no role");
    if (c->choice[i].begun && shape_kind(delta, "role") != JSON_NONE)
        return shape_wrong(&c->s, "the role twice");
    if (c->choice[i].begun && (shape_kind(delta, "content") == JSON_NULL ||
                               (shape_kind(delta, "content") == JSON_STRING &&
                                shape_text(&c->s, delta, "content").n == 0)))
        return shape_wrong(&c->s, "an empty delta");
    c->choice[i].begun = true;
    why = chat_calls(c, delta, i);
    if (why)
        return why;
    if (finish == JSON_STRING)
        c->choice[i].finished = true;
    else if (finish != JSON_NULL)
        return shape_wrong(&c->s, "no finish_reason, not even null");
    return NULL;
}

static const char *
chat_record(struct chat_shape *c)
{
    struct str data = c->s.r.data, choices = shape_raw(data, "choices");
    struct str id = shape_text(&c->s, data, "id");
    enum json_kind usage = shape_kind(data, "usage");
    struct json_iter it;
    struct json_member m;
    unsigned n = 0;

    if (c->s.r.event.n)
        return shape_wrong(&c->s, "a record with a name");
    if (json_check(data, JSON_DEPTH_MAX, NULL) != TG_OK)
        return shape_wrong(&c->s, "not JSON");
    if (!str_eq(shape_text(&c->s, data, "object"), STR("chat.completion.chunk")))
        return shape_wrong(&c->s, "object is not chat.completion.chunk");
    if (id.n == 0 || (c->id.n && !str_eq(id, c->id)))
        return shape_wrong(&c->s, "id is missing or changes");
    c->id = id;
    if (c->counted)
        return shape_wrong(&c->s, "a record after the usage");
    if (json_array(&it, choices) != TG_OK)
        return shape_wrong(&c->s, "no choices");
    for (; json_next(&it, &m); n++) {
        const char *why = chat_choice(c, m.value);

        if (why)
            return why;
    }
    if (!c->usage && usage != JSON_NONE)
        return shape_wrong(&c->s, "usage that nobody asked for");
    if (c->usage && n > 0 && usage != JSON_NULL)
        return shape_wrong(&c->s, "usage must be null before the last record");
    if (n == 0 && usage != JSON_OBJECT)
        return shape_wrong(&c->s, "neither choices nor usage");
    if (n == 0) {
        c->counted = true;
        if (shape_int(data, "usage.prompt_tokens") < 0 ||
            shape_int(data, "usage.completion_tokens") < 0 ||
            shape_int(data, "usage.total_tokens") !=
                shape_int(data, "usage.prompt_tokens") +
                    shape_int(data, "usage.completion_tokens"))
            return shape_wrong(&c->s, "usage does not add up");
    }
    return NULL;
}

const char *
shape_chat(struct arena *a, struct str stream, bool usage)
{
    struct chat_shape c = {.s = {.a = a, .rest = stream}, .usage = usage};
    bool done = false;

    while (shape_record(&c.s)) {
        const char *why;

        if (done)
            return shape_wrong(&c.s, "a record after [DONE]");
        if (str_eq(c.s.r.data, STR("[DONE]"))) {
            done = true;
            continue;
        }
        why = chat_record(&c);
        if (why)
            return why;
    }
    for (int64_t i = 0; i < c.n_choices; i++)
        if (!c.choice[i].finished)
            return shape_wrong(&c.s, "choice %lld has no finish_reason", (long long)i);
    if (c.n_choices == 0 || !done)
        return shape_wrong(&c.s, "no choice, or no [DONE]");
    return NULL;
}

struct messages_shape {
    struct shape s;
    bool started, open, called, delta, stopped;
    int64_t next; /* index of the next block */
    struct str type;
    struct buf input;
    unsigned n_sigs;
};

static const char *
messages_start(struct messages_shape *c)
{
    struct str m = shape_raw(c->s.r.data, "message");

    if (c->started)
        return shape_wrong(&c->s, "a second message_start");
    c->started = true;
    if (!str_eq(shape_text(&c->s, m, "type"), STR("message")) ||
        !str_eq(shape_text(&c->s, m, "role"), STR("assistant")) ||
        shape_text(&c->s, m, "id").n == 0 || shape_text(&c->s, m, "model").n == 0)
        return shape_wrong(&c->s, "message without type, role, id or model");
    if (!str_eq(shape_raw(m, "content"), STR("[]")) ||
        shape_kind(m, "stop_reason") != JSON_NULL ||
        shape_kind(m, "stop_sequence") != JSON_NULL)
        return shape_wrong(&c->s, "message must begin empty, its stop null");
    if (shape_int(m, "usage.input_tokens") < 0 || shape_int(m, "usage.output_tokens") < 0)
        return shape_wrong(&c->s, "message without usage");
    return NULL;
}

static const char *
messages_block(struct messages_shape *c)
{
    struct str b = shape_raw(c->s.r.data, "content_block");

    if (c->open)
        return shape_wrong(&c->s, "a second open block");
    if (c->delta)
        return shape_wrong(&c->s, "a block after message_delta");
    if (shape_int(c->s.r.data, "index") != c->next)
        return shape_wrong(&c->s, "index is not %lld", (long long)c->next);
    c->open = true;
    c->n_sigs = 0;
    buf_clear(&c->input);
    c->type = shape_text(&c->s, b, "type");
    if (str_eq(c->type, STR("tool_use"))) {
        c->called = true;
        if (shape_text(&c->s, b, "id").n == 0 || shape_text(&c->s, b, "name").n == 0 ||
            !str_eq(shape_raw(b, "input"), STR("{}")))
            return shape_wrong(&c->s, "tool_use without id, name or an empty input");
    } else if (str_eq(c->type, STR("text"))) {
        if (shape_kind(b, "text") != JSON_STRING || shape_text(&c->s, b, "text").n)
            return shape_wrong(&c->s, "a text block must begin with an empty text");
    } else if (str_eq(c->type, STR("thinking"))) {
        if (shape_kind(b, "thinking") != JSON_STRING ||
            shape_kind(b, "signature") != JSON_STRING)
            return shape_wrong(&c->s, "a thinking block must begin with empty fields");
    } else if (!str_eq(c->type, STR("redacted_thinking")) ||
               shape_text(&c->s, b, "data").n == 0) {
        return shape_wrong(&c->s, "a block of no known type, or without data");
    }
    return NULL;
}

static const char *
messages_delta(struct messages_shape *c)
{
    static const struct {
        const char *type, *field, *block;
    } rows[] = {{"text_delta", "delta.text", "text"},
                {"thinking_delta", "delta.thinking", "thinking"},
                {"signature_delta", "delta.signature", "thinking"},
                {"input_json_delta", "delta.partial_json", "tool_use"},
                {"citations_delta", "delta.citation.type", "text"}};
    struct str type = shape_text(&c->s, c->s.r.data, "delta.type"), text;

    if (!c->open || shape_int(c->s.r.data, "index") != c->next)
        return shape_wrong(&c->s, "a delta outside its block");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!str_eq(type, str_z(rows[i].type)))
            continue;
        if (!str_eq(c->type, str_z(rows[i].block)))
            return shape_wrong(&c->s, "a delta of another type than its block");
        text = shape_text(&c->s, c->s.r.data, rows[i].field);
        if (text.n == 0)
            return shape_wrong(&c->s, "an empty delta");
        if (c->n_sigs)
            return shape_wrong(&c->s, "a delta after the signature");
        c->n_sigs += i == 2;
        if (i == 3 && buf_append(&c->input, text) != TG_OK)
            return shape_wrong(&c->s, "an input that is too long for this check");
        return NULL;
    }
    return shape_wrong(&c->s, "a delta of no known type");
}

static const char *
messages_stop(struct messages_shape *c)
{
    if (!c->open || shape_int(c->s.r.data, "index") != c->next)
        return shape_wrong(&c->s, "a stop outside its block");
    if (c->input.n && (json_check(buf_str(&c->input), JSON_DEPTH_MAX, NULL) != TG_OK ||
                       buf_str(&c->input).p[0] != '{'))
        return shape_wrong(&c->s, "an input that is no JSON object");
    if (str_eq(c->type, STR("thinking")) && c->n_sigs != 1)
        return shape_wrong(&c->s, "a thinking block without a signature");
    c->open = false;
    c->next++;
    return NULL;
}

static const char *
messages_end(struct messages_shape *c)
{
    struct str reason = shape_text(&c->s, c->s.r.data, "delta.stop_reason");

    if (c->open || c->delta)
        return shape_wrong(&c->s, "message_delta with a block open, or twice");
    c->delta = true;
    if (reason.n == 0)
        return shape_wrong(&c->s, "no stop_reason");
    if (shape_int(c->s.r.data, "usage.output_tokens") < 0)
        return shape_wrong(&c->s, "no usage.output_tokens");
    if (c->called ? str_eq(reason, STR("end_turn")) : str_eq(reason, STR("tool_use")))
        return shape_wrong(&c->s, "stop_reason does not fit the blocks");
    if (str_eq(reason, STR("stop_sequence")) !=
        (shape_text(&c->s, c->s.r.data, "delta.stop_sequence").n > 0))
        return shape_wrong(&c->s, "stop_sequence does not fit stop_reason");
    return NULL;
}

static const char *
messages_record(struct messages_shape *c)
{
    static const struct {
        const char *type;
        const char *(*check)(struct messages_shape *);
    } rows[] = {{"message_start", messages_start},
                {"content_block_start", messages_block},
                {"content_block_delta", messages_delta},
                {"content_block_stop", messages_stop},
                {"message_delta", messages_end}};
    struct str type;

    if (json_check(c->s.r.data, JSON_DEPTH_MAX, NULL) != TG_OK)
        return shape_wrong(&c->s, "not JSON");
    type = shape_text(&c->s, c->s.r.data, "type");
    if (!str_eq(type, c->s.r.event))
        return shape_wrong(&c->s, "the record's name is not its type");
    if (c->stopped)
        return shape_wrong(&c->s, "a record after message_stop");
    if (str_eq(type, STR("ping")) && c->started)
        return NULL;
    if (!c->started && !str_eq(type, STR("message_start")))
        return shape_wrong(&c->s, "the first record is not message_start");
    if (str_eq(type, STR("message_stop"))) {
        c->stopped = true;
        return c->delta ? NULL : shape_wrong(&c->s, "no message_delta");
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (str_eq(type, str_z(rows[i].type)))
            return rows[i].check(c);
    return shape_wrong(&c->s, "a record of no known type");
}

const char *
shape_messages(struct arena *a, struct str stream)
{
    struct messages_shape c = {.s = {.a = a, .rest = stream}};
    const char *why = NULL;

    buf_init(&c.input, 64 << 20);
    while (!why && shape_record(&c.s))
        why = messages_record(&c);
    if (!why && !c.stopped)
        why = shape_wrong(&c.s, "no message_stop");
    buf_fini(&c.input);
    return why;
}

const char *
shape_check(struct arena *a, const char *dialect, struct str stream, bool usage)
{
    if (strcmp(dialect, "chat") == 0)
        return shape_chat(a, stream, usage);
    if (strcmp(dialect, "responses") == 0)
        return shape_responses(a, stream);
    return strcmp(dialect, "messages") == 0 ? shape_messages(a, stream) : NULL;
}
