/* shapes_responses.c -- the rules of a Responses stream.
 *
 * Items and their parts are kept with the text that their deltas made, so that every .done can
 * be held against it; an item's last form is kept as bytes and held against the terminal
 * event's output.
 */
#include <stdio.h>

#include "base/buf.h"
#include "support/shapes_int.h"

enum { ITEMS_MAX = 256, PARTS_MAX = 16 };

struct part {
    bool open, summary;
    struct str type;
    struct buf text;
    bool text_done;
    int64_t notes;
};

struct item {
    struct str id, type, call_id;
    bool done;
    struct str last; /* of output_item.done, raw */
    struct part parts[PARTS_MAX];
    int64_t n_content, n_summary; /* parts that began, of both kinds */
    struct buf args;
    bool args_done;
};

struct resp_shape {
    struct shape s;
    struct str type, id;
    struct item *items;
    int64_t n_items;
    bool created, over, done_mark;
};

static const char *
wrong(struct resp_shape *c, const char *why)
{
    return shape_wrong(&c->s, "%s", why);
}

static struct item *
item_at(struct resp_shape *c)
{
    int64_t i = shape_int(c->s.r.data, "output_index");
    struct item *it = i >= 0 && i < c->n_items ? &c->items[i] : NULL;

    if (!it || it->done || !str_eq(shape_text(&c->s, c->s.r.data, "item_id"), it->id))
        return NULL;
    return it;
}

/* Content parts come from the front of parts, summary parts from behind. */
static struct part *
part_at(struct resp_shape *c, struct item *it, bool summary)
{
    int64_t i = shape_int(c->s.r.data, summary ? "summary_index" : "content_index");
    struct part *p;

    if (!it || i < 0 || i >= (summary ? it->n_summary : it->n_content))
        return NULL;
    p = summary ? &it->parts[PARTS_MAX - 1 - i] : &it->parts[i];
    return p->open ? p : NULL;
}

static const char *
on_lifecycle(struct resp_shape *c)
{
    struct str r = shape_raw(c->s.r.data, "response");
    struct str id = shape_text(&c->s, r, "id");

    if (!str_eq(shape_text(&c->s, r, "object"), STR("response")) || id.n == 0)
        return wrong(c, "no response object");
    if (c->id.n && !str_eq(id, c->id))
        return wrong(c, "the response's id changes");
    c->id = id;
    return NULL;
}

static const char *
on_created(struct resp_shape *c)
{
    const char *why = on_lifecycle(c);

    if (why)
        return why;
    if (c->created || c->s.n != 1)
        return wrong(c, "response.created must be first and once");
    c->created = true;
    if (!str_eq(shape_raw(c->s.r.data, "response.output"), STR("[]")))
        return wrong(c, "output must begin empty");
    return NULL;
}

static const char *
on_added(struct resp_shape *c)
{
    struct item *it = &c->items[c->n_items];
    struct str v = shape_raw(c->s.r.data, "item");

    if (c->n_items == ITEMS_MAX)
        return wrong(c, "more items than this check can hold");
    if (shape_int(c->s.r.data, "output_index") != c->n_items)
        return wrong(c, "output_index is not dense");
    it->id = shape_text(&c->s, v, "id");
    it->type = shape_text(&c->s, v, "type");
    it->call_id = shape_text(&c->s, v, "call_id");
    if (it->id.n == 0 || it->type.n == 0)
        return wrong(c, "an item without id or type");
    for (int64_t i = 0; i < c->n_items; i++)
        if (str_eq(c->items[i].id, it->id) ||
            (it->call_id.n && str_eq(c->items[i].call_id, it->call_id)))
            return wrong(c, "an id twice");
    if (str_eq(it->type, STR("message")) && !str_eq(shape_raw(v, "content"), STR("[]")))
        return wrong(c, "a message must begin with content []");
    if (str_eq(it->type, STR("function_call")) &&
        (shape_kind(v, "arguments") != JSON_STRING || shape_text(&c->s, v, "arguments").n ||
         it->call_id.n == 0 || shape_text(&c->s, v, "name").n == 0))
        return wrong(c, "a call must begin with call_id, name and arguments \"\"");
    if (str_eq(it->type, STR("reasoning")) && !str_eq(shape_raw(v, "summary"), STR("[]")))
        return wrong(c, "reasoning must begin with summary []");
    buf_init(&it->args, 64 << 20);
    c->n_items++;
    return NULL;
}

static const char *
on_part_added(struct resp_shape *c)
{
    bool summary = str_eq(c->type, STR("response.reasoning_summary_part.added"));
    int64_t i = shape_int(c->s.r.data, summary ? "summary_index" : "content_index");
    struct item *it = item_at(c);
    struct part *p;

    if (!it)
        return wrong(c, "a part of an item that is not open");
    if (i != (summary ? it->n_summary : it->n_content) ||
        it->n_content + it->n_summary == PARTS_MAX)
        return wrong(c, "the part's index is not dense");
    p = summary ? &it->parts[PARTS_MAX - 1 - i] : &it->parts[i];
    p->open = true;
    p->summary = summary;
    p->type = shape_text(&c->s, c->s.r.data, "part.type");
    if (p->type.n == 0)
        return wrong(c, "a part without type");
    if (str_eq(p->type, STR("output_text")) &&
        !str_eq(shape_raw(c->s.r.data, "part.annotations"), STR("[]")))
        return wrong(c, "output_text must begin with annotations []");
    buf_init(&p->text, 64 << 20);
    if (summary)
        it->n_summary++;
    else
        it->n_content++;
    return NULL;
}

static const char *
on_part_done(struct resp_shape *c)
{
    bool summary = str_eq(c->type, STR("response.reasoning_summary_part.done"));
    struct part *p = part_at(c, item_at(c), summary);
    const char *field = p && str_eq(p->type, STR("refusal")) ? "part.refusal" : "part.text";
    int64_t notes = 0;
    struct json_iter it;
    struct json_member m;

    if (!p)
        return wrong(c, "the end of a part that is not open");
    if (!str_eq(shape_text(&c->s, c->s.r.data, field), buf_str(&p->text)))
        return wrong(c, "a part's text is not that of its deltas");
    if (!p->text_done)
        return wrong(c, "the part ended before its text was said to be done");
    if (json_array(&it, shape_raw(c->s.r.data, "part.annotations")) == TG_OK)
        while (json_next(&it, &m))
            notes++;
    if (notes != p->notes)
        return wrong(c, "a part's annotations are not those that were added");
    p->open = false;
    return NULL;
}

static const char *
on_note(struct resp_shape *c)
{
    struct part *p = part_at(c, item_at(c), false);

    if (!p || !str_eq(p->type, STR("output_text")))
        return wrong(c, "an annotation outside a text part");
    if (shape_int(c->s.r.data, "annotation_index") != p->notes)
        return wrong(c, "annotation_index is not dense");
    p->notes++;
    return NULL;
}

/* Events with text: which part or argument it belongs to. */
static const struct row {
    const char *stem;  /* of the event's type, before .delta or .done */
    const char *whole; /* field of the text in .done */
    const char *part;  /* type of the part, NULL: the item's arguments */
} rows[] = {{"response.output_text", "text", "output_text"},
            {"response.refusal", "refusal", "refusal"},
            {"response.reasoning_text", "text", "reasoning_text"},
            {"response.reasoning_summary_text", "text", "summary_text"},
            {"response.function_call_arguments", "arguments", NULL},
            {"response.custom_tool_call_input", "input", NULL}};

static const char *
on_text(struct resp_shape *c, const struct row *row, bool done)
{
    struct item *it = item_at(c);
    bool summary = row->part && strcmp(row->part, "summary_text") == 0;
    struct part *p = row->part ? part_at(c, it, summary) : NULL;
    struct buf *text = p ? &p->text : it ? &it->args : NULL;
    bool *text_done = p ? &p->text_done : it ? &it->args_done : NULL;
    struct str said = shape_text(&c->s, c->s.r.data, done ? row->whole : "delta");

    if (!it || (row->part && (!p || !str_eq(p->type, str_z(row->part)))))
        return wrong(c, "text for a part that is not open");
    if (*text_done)
        return wrong(c, "text after its end");
    if (done) {
        *text_done = true;
        return str_eq(said, buf_str(text))
                   ? NULL
                   : wrong(c, "the whole text is not that of its deltas");
    }
    if (said.n == 0)
        return wrong(c, "an empty delta");
    return buf_append(text, said) == TG_OK ? NULL : wrong(c, "too long for this check");
}

/* Parts of the finished item against those that were streamed. */
static const char *
check_parts(struct resp_shape *c, const struct item *it, struct str v, bool summary)
{
    int64_t n = 0, want = summary ? it->n_summary : it->n_content;
    struct json_iter iter;
    struct json_member m;

    if (json_array(&iter, shape_raw(v, summary ? "summary" : "content")) == TG_OK)
        for (; json_next(&iter, &m); n++) {
            const struct part *p =
                n < want ? &it->parts[summary ? PARTS_MAX - 1 - n : n] : NULL;
            const char *field = p && str_eq(p->type, STR("refusal")) ? "refusal" : "text";

            if (!p)
                return wrong(c, "the finished item has a part that was not streamed");
            if (p->open)
                return wrong(c, "the item ended with a part open");
            if (!str_eq(shape_text(&c->s, m.value, field), buf_str(&p->text)))
                return wrong(c, "the finished item's text is not that of its deltas");
        }
    return n == want ? NULL : wrong(c, "the finished item lacks a part");
}

static const char *
on_done(struct resp_shape *c)
{
    int64_t i = shape_int(c->s.r.data, "output_index");
    struct item *it = i >= 0 && i < c->n_items ? &c->items[i] : NULL;
    struct str v = shape_raw(c->s.r.data, "item");
    const char *why;

    if (!it || it->done)
        return wrong(c, "the end of an item that is not open");
    if (!str_eq(shape_text(&c->s, v, "id"), it->id) ||
        !str_eq(shape_text(&c->s, v, "type"), it->type) ||
        !str_eq(shape_text(&c->s, v, "call_id"), it->call_id))
        return wrong(c, "id, type or call_id of an item changed");
    if (str_eq(it->type, STR("function_call")) || str_eq(it->type, STR("custom_tool_call"))) {
        bool fn = str_eq(it->type, STR("function_call"));

        if (!it->args_done)
            return wrong(c, "the call ended before its arguments were said to be done");
        if (!str_eq(shape_text(&c->s, v, fn ? "arguments" : "input"), buf_str(&it->args)))
            return wrong(c, "the finished call's arguments are not those of its deltas");
        if (fn && json_check(buf_str(&it->args), JSON_DEPTH_MAX, NULL) != TG_OK)
            return wrong(c, "arguments that are not JSON");
    }
    why = check_parts(c, it, v, false);
    if (!why)
        why = check_parts(c, it, v, true);
    it->done = true;
    it->last = v;
    return why;
}

static const char *
on_terminal(struct resp_shape *c)
{
    struct str output = shape_raw(c->s.r.data, "response.output");
    struct str status = shape_text(&c->s, c->s.r.data, "response.status");
    const char *why = on_lifecycle(c);
    struct json_iter it;
    struct json_member m;
    int64_t n = 0;

    if (why)
        return why;
    c->over = true;
    if (!str_eq(status, str_from(c->type, strlen("response."))))
        return wrong(c, "status is not that of the event");
    if (json_array(&it, output) != TG_OK)
        return wrong(c, "no output");
    for (; json_next(&it, &m); n++)
        if (n >= c->n_items || !c->items[n].done || !str_eq(m.value, c->items[n].last))
            return wrong(c, "output is not the list of finished items");
    /* What a failure left open is in nothing that is said to be done. */
    if (n != c->n_items &&
        !(str_eq(status, STR("failed")) && n + 1 == c->n_items && !c->items[n].done))
        return wrong(c, "output lacks an item");
    if (shape_kind(c->s.r.data, "response.usage") == JSON_OBJECT &&
        (shape_int(c->s.r.data, "response.usage.input_tokens_details.cached_tokens") < 0 ||
         shape_int(c->s.r.data, "response.usage.output_tokens_details.reasoning_tokens") < 0 ||
         shape_int(c->s.r.data, "response.usage.total_tokens") !=
             shape_int(c->s.r.data, "response.usage.input_tokens") +
                 shape_int(c->s.r.data, "response.usage.output_tokens")))
        return wrong(c, "usage lacks a field or does not add up");
    return NULL;
}

static const char *
on_event(struct resp_shape *c)
{
    static const struct {
        const char *type;
        const char *(*check)(struct resp_shape *);
    } events[] = {{"response.created", on_created},
                  {"response.queued", on_lifecycle},
                  {"response.in_progress", on_lifecycle},
                  {"response.output_item.added", on_added},
                  {"response.output_item.done", on_done},
                  {"response.content_part.added", on_part_added},
                  {"response.content_part.done", on_part_done},
                  {"response.reasoning_summary_part.added", on_part_added},
                  {"response.reasoning_summary_part.done", on_part_done},
                  {"response.output_text.annotation.added", on_note},
                  {"response.completed", on_terminal},
                  {"response.incomplete", on_terminal},
                  {"response.failed", on_terminal}};

    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
        if (str_eq(c->type, str_z(events[i].type)))
            return events[i].check(c);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct str stem = str_z(rows[i].stem);

        if (str_starts(c->type, stem) && str_eq(str_from(c->type, stem.n), STR(".delta")))
            return on_text(c, &rows[i], false);
        if (str_starts(c->type, stem) && str_eq(str_from(c->type, stem.n), STR(".done")))
            return on_text(c, &rows[i], true);
    }
    return str_eq(c->type, STR("keepalive")) ? NULL : wrong(c, "an event of no known type");
}

static const char *
on_record(struct resp_shape *c)
{
    struct str data = c->s.r.data;

    if (str_eq(data, STR("[DONE]"))) {
        if (!c->over || c->done_mark)
            return wrong(c, "[DONE] before the terminal event, or twice");
        c->done_mark = true;
        return NULL;
    }
    if (c->over)
        return wrong(c, "an event after the terminal one");
    if (json_check(data, JSON_DEPTH_MAX, NULL) != TG_OK)
        return wrong(c, "not JSON");
    c->type = shape_text(&c->s, data, "type");
    if (!str_eq(c->type, c->s.r.event))
        return wrong(c, "the record's name is not its type");
    if (shape_int(data, "sequence_number") != (int64_t)c->s.n - 1)
        return wrong(c, "sequence_number does not count the events");
    if (!c->created && !str_eq(c->type, STR("response.created")))
        return wrong(c, "the first event is not response.created");
    return on_event(c);
}

const char *
shape_responses(struct arena *a, struct str stream)
{
    struct resp_shape c = {.s = {.a = a, .rest = stream}};
    const char *why = NULL;

    c.items = arena_array(a, struct item, ITEMS_MAX);
    while (!why && shape_record(&c.s))
        why = on_record(&c);
    if (!why && !c.over)
        why = wrong(&c, "no terminal event");
    for (int64_t i = 0; i < c.n_items; i++) {
        buf_fini(&c.items[i].args);
        for (int p = 0; p < PARTS_MAX; p++)
            buf_fini(&c.items[i].parts[p].text);
    }
    return why;
}
