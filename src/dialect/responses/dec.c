/* dec.c -- an upstream's answer in the Responses dialect, as events.
 *
 * A record is what its "type" says it is.  The few fields that matter are found in one walk and
 * handed to the readers of dec_item.c; types that nobody here knows are passed over.  What a
 * record's escapes hold lives as long as the record.
 *
 * Nearly all records are the next piece of some text.  One that was is learned, and those like
 * it (dialect/alike.h) are taken for the next piece of the same text without another look.
 *
 * The answer is whole when completed or incomplete has come, whatever follows; without one of
 * them the end of the bytes is a truncation.  failed and error are errors wherever they come.
 */
#include "dialect/openai.h"
#include "dialect/responses/dec_int.h"

enum key {
    K_OUTPUT_INDEX,
    K_CONTENT_INDEX,
    K_SUMMARY_INDEX,
    K_DELTA,
    K_TEXT,
    K_REFUSAL,
    K_ARGUMENTS,
    K_INPUT,
    K_LOGPROBS,
    K_ITEM,
    K_PART,
    K_ANNOTATION,
    K_RESPONSE,
    K_ERROR,
    K_COUNT
};

static const struct str keys[K_COUNT] = {
#define KEY(text)                                                                              \
    {                                                                                          \
        text, sizeof(text) - 1                                                                 \
    }
    [K_OUTPUT_INDEX] = KEY("output_index"),
    [K_CONTENT_INDEX] = KEY("content_index"),
    [K_SUMMARY_INDEX] = KEY("summary_index"),
    [K_DELTA] = KEY("delta"),
    [K_TEXT] = KEY("text"),
    [K_REFUSAL] = KEY("refusal"),
    [K_ARGUMENTS] = KEY("arguments"),
    [K_INPUT] = KEY("input"),
    [K_LOGPROBS] = KEY("logprobs"),
    [K_ITEM] = KEY("item"),
    [K_PART] = KEY("part"),
    [K_ANNOTATION] = KEY("annotation"),
    [K_RESPONSE] = KEY("response"),
    [K_ERROR] = KEY("error"),
#undef KEY
};

/* One record being read. */
struct record {
    struct dialect_dec *d;
    struct arena tmp;
    struct json_member m[K_COUNT];
    const struct responses_kind *kind;
    bool piece; /* it was the next piece of the text `at`, and nothing else */
    struct responses_like at;
};

enum what {
    W_ALIVE,
    W_ADDED,
    W_TEXT,    /* of a message's part or a call */
    W_THOUGHT, /* a summary */
    W_CONTENT, /* raw reasoning */
    W_PART,
    W_SUMMARY_PART,
    W_NOTE,
    W_ITEM,
    W_END,
    W_ERROR
};

static const struct responses_kind {
    const char *type;
    enum what what;
    enum key key; /* of the text */
    enum ir_kind of;
    bool whole;
} kinds[] = {
    {"response.output_text.delta", W_TEXT, K_DELTA, IR_TEXT, false},
    {"response.function_call_arguments.delta", W_TEXT, K_DELTA, IR_CALL, false},
    {"response.reasoning_summary_text.delta", W_THOUGHT, K_DELTA, IR_THINK, false},
    {"response.reasoning_text.delta", W_CONTENT, K_DELTA, IR_THINK, false},
    {"response.reasoning.delta", W_CONTENT, K_DELTA, IR_THINK, false},
    {"response.custom_tool_call_input.delta", W_TEXT, K_DELTA, IR_CALL, false},
    {"response.refusal.delta", W_TEXT, K_DELTA, IR_REFUSAL, false},
    {"response.output_text.done", W_TEXT, K_TEXT, IR_TEXT, true},
    {"response.function_call_arguments.done", W_TEXT, K_ARGUMENTS, IR_CALL, true},
    {"response.reasoning_summary_text.done", W_THOUGHT, K_TEXT, IR_THINK, true},
    {"response.reasoning_text.done", W_CONTENT, K_TEXT, IR_THINK, true},
    {"response.reasoning.done", W_CONTENT, K_TEXT, IR_THINK, true},
    {"response.custom_tool_call_input.done", W_TEXT, K_INPUT, IR_CALL, true},
    {"response.refusal.done", W_TEXT, K_REFUSAL, IR_REFUSAL, true},
    {"response.output_text.annotation.added", W_NOTE, K_ANNOTATION, IR_TEXT, false},
    {"response.content_part.done", W_PART, K_PART, IR_TEXT, true},
    {"response.reasoning_summary_part.done", W_SUMMARY_PART, K_PART, IR_THINK, true},
    {"response.output_item.added", W_ADDED, K_ITEM, IR_TEXT, false},
    {"response.output_item.done", W_ITEM, K_ITEM, IR_TEXT, true},
    {"response.created", W_ALIVE, K_RESPONSE, IR_TEXT, false},
    {"response.queued", W_ALIVE, K_RESPONSE, IR_TEXT, false},
    {"response.in_progress", W_ALIVE, K_RESPONSE, IR_TEXT, false},
    {"response.completed", W_END, K_RESPONSE, IR_TEXT, true},
    {"response.incomplete", W_END, K_RESPONSE, IR_TEXT, true},
    {"response.failed", W_END, K_RESPONSE, IR_TEXT, true},
    {"error", W_ERROR, K_ERROR, IR_TEXT, true},
};

static uint32_t
index_at(const struct record *r, enum key key)
{
    int64_t v = 0;

    if (r->m[key].kind != JSON_NUMBER || json_i64(r->m[key].value, &v) != TG_OK || v < 0 ||
        v > UINT32_MAX)
        return 0;
    return (uint32_t)v;
}

static tg_rc
text_at(struct record *r, enum key key, struct str *ret)
{
    *ret = (struct str){NULL, 0};
    if (r->m[key].kind != JSON_STRING)
        return TG_OK;
    if (json_string(&r->tmp, r->m[key].value, ret) != TG_OK)
        return responses_broken(r->d, "a text holds half of a surrogate pair");
    return TG_OK;
}

/* A response object, found in one walk: it may repeat a long text. */
enum part { P_ERROR, P_STATUS, P_DETAILS, P_OUTPUT, P_USAGE, P_COUNT };

static void
read_response(struct str object, struct json_member ret[P_COUNT])
{
    static const struct str names[P_COUNT] = {[P_ERROR] = {"error", 5},
                                              [P_STATUS] = {"status", 6},
                                              [P_DETAILS] = {"incomplete_details", 18},
                                              [P_OUTPUT] = {"output", 6},
                                              [P_USAGE] = {"usage", 5}};

    (void)!json_pick(object, names, P_COUNT, ret);
}

/* Why it ended.  The status says so, or where there is none, that details are there. */
static tg_rc
stop_of(struct dialect_dec *d, const struct json_member m[P_COUNT], enum ir_stop *ret)
{
    const struct responses_dec *st = d->state;
    struct json_member reason;
    bool details = m[P_DETAILS].kind == JSON_OBJECT &&
                   json_get(m[P_DETAILS].value, STR("reason"), &reason);
    struct str status = m[P_STATUS].value;

    if (m[P_STATUS].kind != JSON_STRING)
        status = details ? STR("\"incomplete\"") : STR("\"completed\"");
    *ret = st->called ? IR_STOP_CALLS : IR_STOP_END;
    if (str_eq(status, STR("\"completed\"")))
        return TG_OK;
    if (!str_eq(status, STR("\"incomplete\"")))
        return responses_broken(d, "a status that does not end an answer");
    if (details && str_eq(reason.value, STR("\"content_filter\"")))
        *ret = IR_STOP_FILTER;
    else if (!details || !str_eq(reason.value, STR("\"steered\"")))
        *ret = IR_STOP_LENGTH;
    return TG_OK;
}

/* The response object at the end of an answer, or all of one. */
static tg_rc
on_response(struct dialect_dec *d, struct arena *tmp, const struct json_member m[P_COUNT])
{
    struct responses_dec *st = d->state;
    struct ir_usage usage = IR_USAGE_UNKNOWN;
    struct ir_event ev = {.kind = IR_EV_STOP};
    struct str output = {NULL, 0};
    tg_rc rc;

    if (m[P_ERROR].kind != JSON_NONE && openai_error_is(m[P_ERROR].value))
        return openai_take_error(d, m[P_ERROR].value);
    if (m[P_STATUS].kind == JSON_STRING && str_eq(m[P_STATUS].value, STR("\"failed\"")))
        return openai_take_error(d, STR("{}"));
    if (m[P_OUTPUT].kind == JSON_ARRAY)
        output = m[P_OUTPUT].value;
    rc = responses_on_output(d, tmp, output);
    if (rc == TG_OK)
        rc = stop_of(d, m, &ev.stop);
    if (rc == TG_OK)
        rc = d->sink->put(d->sink, &ev);
    if (rc != TG_OK)
        return rc;
    if (m[P_USAGE].kind == JSON_OBJECT)
        responses_read_usage(m[P_USAGE].value, &usage);
    ev = (struct ir_event){.kind = IR_EV_USAGE, .usage = &usage};
    if (usage.input >= 0 || usage.output >= 0)
        rc = d->sink->put(d->sink, &ev);
    if (rc != TG_OK)
        return rc;
    st->over = true;
    ev = (struct ir_event){.kind = IR_EV_END};
    return d->sink->put(d->sink, &ev);
}

static tg_rc
put_text(struct dialect_dec *d, const struct responses_like *at,
         const struct responses_said *said)
{
    const struct responses_kind *k = at->kind;

    if (k->what != W_TEXT)
        return responses_on_thought(d, at->index, at->place, k->what == W_THOUGHT, said);
    return responses_on_text(d, at->index, k->of == IR_CALL ? 0 : at->place, k->of, said);
}

static tg_rc
on_text(struct record *r)
{
    const struct responses_kind *k = r->kind;
    const struct json_member *logprobs = &r->m[K_LOGPROBS];
    struct responses_said said = {.whole = k->whole};
    tg_rc rc = text_at(r, k->key, &said.text);

    if (rc != TG_OK)
        return rc;
    r->at = (struct responses_like){
        .kind = k,
        .index = index_at(r, K_OUTPUT_INDEX),
        .place = index_at(r, k->what == W_THOUGHT ? K_SUMMARY_INDEX : K_CONTENT_INDEX),
    };
    if (k->of == IR_TEXT && logprobs->kind == JSON_ARRAY && logprobs->value.n > 2)
        said.logprobs = logprobs->value;
    r->piece = !k->whole && said.text.n && !said.logprobs.n;
    return put_text(r->d, &r->at, &said);
}

static tg_rc
on_summary_part(struct record *r)
{
    struct responses_said said = {.whole = true};
    struct json_member m;

    if (json_get(r->m[K_PART].value, STR("text"), &m) && m.kind == JSON_STRING &&
        json_string(&r->tmp, m.value, &said.text) != TG_OK)
        return responses_broken(r->d, "a text holds half of a surrogate pair");
    return responses_on_thought(r->d, index_at(r, K_OUTPUT_INDEX), index_at(r, K_SUMMARY_INDEX),
                                true, &said);
}

static tg_rc
on_record(struct record *r, struct str data)
{
    uint32_t index = index_at(r, K_OUTPUT_INDEX), place = index_at(r, K_CONTENT_INDEX);
    struct str value = r->m[r->kind->key].value;
    struct json_member m[P_COUNT];

    if (r->kind->what != W_ALIVE && r->kind->what != W_ERROR && r->kind->key >= K_ITEM &&
        r->m[r->kind->key].kind != JSON_OBJECT)
        return responses_broken(r->d, "a record without what it is about");
    switch (r->kind->what) {
    case W_ALIVE:
        return responses_start(r->d);
    case W_ADDED:
        return responses_on_added(r->d, &r->tmp, index, value);
    case W_TEXT:
    case W_THOUGHT:
    case W_CONTENT:
        return on_text(r);
    case W_PART:
        return responses_on_part(r->d, &r->tmp, index, place, value);
    case W_SUMMARY_PART:
        return on_summary_part(r);
    case W_NOTE:
        return responses_on_note(r->d, &r->tmp, index, place, value);
    case W_ITEM:
        return responses_on_item(r->d, &r->tmp, index, value);
    case W_END:
        read_response(value, m);
        if (strcmp(r->kind->type, "response.failed") == 0)
            return openai_take_error(r->d, m[P_ERROR].kind != JSON_NONE ? m[P_ERROR].value
                                                                        : STR("{}"));
        return on_response(r->d, &r->tmp, m);
    case W_ERROR:
        return openai_take_error(r->d, openai_error_is(value) ? value : data);
    }
    return TG_OK;
}

static const struct responses_kind *
find_kind(struct str type)
{
    for (size_t i = 0; i < RESPONSES_COUNT(kinds); i++)
        if (str_eq(type, str_z(kinds[i].type)))
            return &kinds[i];
    return NULL;
}

/* Keys as they are written: no server escapes them. */
static void
pick(struct record *r, struct str data)
{
    struct json_iter it;
    struct json_member m;

    if (json_object(&it, data) != TG_OK)
        return;
    while (json_next(&it, &m))
        for (int i = 0; i < K_COUNT; i++)
            if (str_eq(m.key, keys[i])) {
                r->m[i] = m;
                break;
            }
}

/* Is it a record like the learned one?  Then *ret is what came of it. */
static bool
take_alike(struct dialect_dec *d, struct str data, tg_rc *ret)
{
    struct responses_dec *st = d->state;
    struct responses_said said = {.whole = false};
    struct alike_text t;
    struct arena tmp;
    bool taken;

    if (!alike_match(&st->alike, data, &t))
        return false;
    if (!t.escapes) {
        said.text = str_of(t.value.p + 1, t.value.n - 2);
        *ret = put_text(d, &st->like, &said);
        return true;
    }
    arena_init(&tmp);
    taken = json_string(&tmp, t.value, &said.text) == TG_OK;
    if (taken)
        *ret = put_text(d, &st->like, &said);
    arena_fini(&tmp);
    return taken;
}

static void
learn(struct responses_dec *st, const struct record *r, struct str data)
{
    struct str value = r->m[r->kind->key].value;

    st->like = r->at;
    alike_learn(&st->alike, data, str_of(value.p + 1, value.n - 2));
}

/* One that is none of those. */
static tg_rc
read_record(struct dialect_dec *d, struct str event, struct str data)
{
    struct responses_dec *st = d->state;
    struct record r = {.d = d};
    struct str type;
    tg_rc rc;

    if (json_check(data, JSON_DEPTH_MAX, NULL) != TG_OK)
        return responses_broken(d, "a record that is not JSON");
    if (json_kind_of(data) != JSON_OBJECT)
        return responses_broken(d, "a record that is not an object");
    type = responses_type_of(data);
    r.kind = find_kind(type.n ? type : event);
    pick(&r, data);
    if (openai_error_is(r.m[K_ERROR].value))
        return openai_take_error(d, r.m[K_ERROR].value);
    if (!r.kind)
        return TG_OK;
    arena_init(&r.tmp);
    rc = on_record(&r, data);
    arena_fini(&r.tmp);
    if (rc == TG_OK && r.piece && type.n)
        learn(st, &r, data);
    return rc;
}

tg_rc
responses_decode_record(struct dialect_dec *d, struct str event, struct str data,
                        bool *ret_over)
{
    struct responses_dec *st = d->state;
    tg_rc rc;

    *ret_over = st->over;
    if (st->over || data.n == 0 || data.p[0] == ':' || str_starts(data, STR("[DONE]")) ||
        str_eq(event, STR("ping")))
        return TG_OK;
    if (take_alike(d, data, &rc))
        return rc;
    alike_forget(&st->alike);
    rc = read_record(d, event, data);
    *ret_over = st->over;
    return rc;
}

tg_rc
responses_decode_eof(struct dialect_dec *d)
{
    const struct responses_dec *st = d->state;

    if (st->over)
        return TG_OK;
    return tg_upstream_fail(d->err, TG_EPROTO, "upstream_truncated",
                            "the upstream's stream ended before the answer was complete");
}

tg_rc
responses_decode_res(struct dialect_dec *d, struct str body)
{
    struct json_member m[P_COUNT];
    struct arena tmp;
    tg_rc rc;

    if (json_check(body, JSON_DEPTH_MAX, NULL) != TG_OK || json_kind_of(body) != JSON_OBJECT)
        return responses_broken(d, "it is not a JSON object");
    read_response(body, m);
    if (m[P_ERROR].kind != JSON_NONE && openai_error_is(m[P_ERROR].value))
        return openai_take_error(d, m[P_ERROR].value);
    if (m[P_OUTPUT].kind != JSON_ARRAY)
        return responses_broken(d, "it has no output");
    arena_init(&tmp);
    rc = on_response(d, &tmp, m);
    arena_fini(&tmp);
    return rc;
}
