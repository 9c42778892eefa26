/* event_put.c -- the records of a Responses stream, as bytes.
 *
 * Every record has a name that is also its "type", and a number.  Deltas are most of a stream
 * and are put together from spans: what stands before the number, what stands between it and
 * the text (the same for all deltas of a block), the text, the end.  The others go through the
 * JSON writer.
 *
 * What a record repeats of a request is raw JSON and may hold line breaks, which would end the
 * record; between tokens a blank is as good.
 */
#include "dialect/responses/enc_int.h"

/* The beginning of a record, up to the number. */
static void
begin(struct responses_out *out, struct json_out *j, const char *type)
{
    record_put(&out->r, STR("event: "));
    record_put(&out->r, str_z(type));
    record_put(&out->r, STR("\ndata: "));
    record_json(&out->r, j);
    json_open(j, '{');
    json_kv_str(j, "type", str_z(type));
    json_kv_int(j, "sequence_number", (int64_t)out->st->seq++);
}

static void
end(struct responses_out *out, struct json_out *j)
{
    json_close(j);
    record_json_end(&out->r, j);
    record_put(&out->r, STR("\n\n"));
}

/* A record about an item: its id and place, and where in it. */
static void
begin_in(struct responses_out *out, struct json_out *j, const char *type,
         const struct responses_item *it, const char *inner, unsigned index)
{
    begin(out, j, type);
    json_kv_str(j, "item_id", it->id);
    json_kv_int(j, "output_index", it->index);
    if (inner)
        json_kv_int(j, inner, index);
}

void
responses_put_item_record(struct responses_out *out, const char *event,
                          const struct responses_item *it, bool begun)
{
    struct json_out j;

    begin(out, &j, event);
    json_kv_int(&j, "output_index", it->index);
    json_key(&j, "item");
    responses_put_item(&j, it, begun);
    end(out, &j);
}

void
responses_put_part_record(struct responses_out *out, const char *event,
                          const struct responses_item *it, const struct responses_part *p,
                          bool begun)
{
    struct json_out j;

    begin_in(out, &j, event, it, "content_index", it->n_parts - 1);
    json_key(&j, "part");
    responses_put_part(&j, p, begun);
    end(out, &j);
}

void
responses_put_summary_record(struct responses_out *out, const char *event,
                             const struct responses_item *it, bool begun)
{
    static const struct responses_text nothing;
    struct json_out j;

    begin_in(out, &j, event, it, "summary_index", 0);
    json_key(&j, "part");
    json_open(&j, '{');
    json_kv_str(&j, "type", STR("summary_text"));
    json_key(&j, "text");
    responses_put_text(&j, begun ? &nothing : &it->text);
    json_close(&j);
    end(out, &j);
}

void
responses_put_note_record(struct responses_out *out, const struct responses_item *it,
                          const struct ir_note *n)
{
    struct json_out j;

    begin_in(out, &j, "response.output_text.annotation.added", it, "content_index",
             it->n_parts - 1);
    json_kv_int(&j, "annotation_index", it->last_part->n_notes);
    json_key(&j, "annotation");
    responses_put_note(&j, n);
    end(out, &j);
}

static void
join_lines(struct buf *b, size_t from)
{
    char *p = b->n > from ? b->p + b->off + from : NULL;

    for (size_t i = 0; p && i < b->n - from; i++)
        if (p[i] == '\n' || p[i] == '\r')
            p[i] = ' ';
}

void
responses_put_object_record(struct responses_out *out, const char *event,
                            enum responses_status status, const struct tg_err *err)
{
    struct json_out j;
    size_t from;

    begin(out, &j, event);
    from = out->r.b->n;
    json_key(&j, "response");
    responses_put_object(&j, out->e, out->st, status, err);
    join_lines(out->r.b, from);
    end(out, &j);
}

/* What speaks, and in which words. */
enum voice { SAYS, REFUSES, THINKS, CALLS, CALLS_CUSTOM };

static const struct voice_words {
    struct str delta;       /* the record up to the number             */
    struct str tail;        /* behind the text                         */
    const char *done, *key; /* the record that repeats it, and where   */
    const char *inner;      /* what its place inside the item is called */
} voices[] = {
#define DELTA(type)                                                                            \
    {                                                                                          \
        "event: " type "\ndata: {\"type\":\"" type "\",\"sequence_number\":",                  \
            sizeof("event: " type "\ndata: {\"type\":\"" type "\",\"sequence_number\":") - 1   \
    }
#define TAIL(text)                                                                             \
    {                                                                                          \
        text, sizeof(text) - 1                                                                 \
    }
    [SAYS] = {DELTA("response.output_text.delta"), TAIL("\",\"logprobs\":[]}\n\n"),
              "response.output_text.done", "text", "content_index"},
    [REFUSES] = {DELTA("response.refusal.delta"), TAIL("\"}\n\n"), "response.refusal.done",
                 "refusal", "content_index"},
    [THINKS] = {DELTA("response.reasoning_summary_text.delta"), TAIL("\"}\n\n"),
                "response.reasoning_summary_text.done", "text", "summary_index"},
    [CALLS] = {DELTA("response.function_call_arguments.delta"), TAIL("\"}\n\n"),
               "response.function_call_arguments.done", "arguments", NULL},
    [CALLS_CUSTOM] = {DELTA("response.custom_tool_call_input.delta"), TAIL("\"}\n\n"),
                      "response.custom_tool_call_input.done", "input", NULL},
#undef DELTA
#undef TAIL
};

static enum voice
voice_of(const struct responses_item *it)
{
    if (it->kind == IR_CALL)
        return it->custom ? CALLS_CUSTOM : CALLS;
    if (it->kind == IR_THINK)
        return THINKS;
    return it->last_part->kind == IR_REFUSAL ? REFUSES : SAYS;
}

struct str
responses_delta_head(const struct responses_out *out, const struct responses_item *it)
{
    struct arena *a = out->e->arena;
    const char *inner = voices[voice_of(it)].inner;
    unsigned index = it->kind == IR_TEXT ? it->n_parts - 1 : 0;
    struct str id = it->id;
    struct buf b;

    /* Ids of ours need no escapes; a provider's may. */
    buf_init(&b, id.n * 6);
    if (json_escape(&b, id) == TG_OK)
        id = arena_dup(a, buf_str(&b));
    buf_fini(&b);
    if (!inner)
        return arena_printf(a, ",\"item_id\":\"%.*s\",\"output_index\":%u,\"delta\":\"",
                            STR_ARG(id), (unsigned)it->index);
    return arena_printf(a, ",\"item_id\":\"%.*s\",\"output_index\":%u,\"%s\":%u,\"delta\":\"",
                        STR_ARG(id), (unsigned)it->index, inner, index);
}

void
responses_put_delta(struct responses_out *out, const struct responses_item *it, struct str text,
                    struct str logprobs)
{
    const struct voice_words *v = &voices[voice_of(it)];

    record_put(&out->r, v->delta);
    record_uint(&out->r, out->st->seq++);
    record_put(&out->r, out->st->delta_head);
    record_text(&out->r, text);
    if (logprobs.n == 0) {
        record_put(&out->r, v->tail);
        return;
    }
    record_put(&out->r, STR("\",\"logprobs\":"));
    record_raw(&out->r, logprobs);
    record_put(&out->r, STR("}\n\n"));
}

void
responses_put_text_done(struct responses_out *out, const struct responses_item *it)
{
    const struct voice_words *v = &voices[voice_of(it)];
    bool part = it->kind == IR_TEXT;
    struct json_out j;

    begin_in(out, &j, v->done, it, v->inner, part ? it->n_parts - 1 : 0);
    json_key(&j, v->key);
    responses_put_text(&j, part ? &it->last_part->text : &it->text);
    if (voice_of(it) == SAYS)
        json_kv_raw(&j, "logprobs", it->last_part->logs);
    end(out, &j);
}
