/* in.c -- an upstream's answer as events: what stream and whole answer share.
 *
 * Blocks come numbered by the upstream, and some of them are not for other dialects (what its
 * own tools did): those are skipped, and the rest is numbered anew.  A block's proof and a
 * call's input that stood whole in its start are kept until the block ends.  How the answer
 * ended and its figures may come in several records; they are put at the end.
 *
 * Invariants
 *  (1) Every block that was opened is closed before the stop, also when the upstream forgot.
 *  (2) A call that closes without arguments has been given "{}".
 *  (3) What is kept for later never passes hold_max.
 */
#include "base/utf8.h"
#include "dialect/messages/messages_int.h"

struct arena *
messages_in_scratch(const struct dialect_dec *d)
{
    return ((struct messages_dec_state *)d->state)->scratch;
}

tg_rc
messages_in_fail(struct dialect_dec *d, tg_rc rc, const char *code, const char *what)
{
    return tg_upstream_fail(d->err, rc, code, "%s", what);
}

tg_rc
messages_in_broken(struct dialect_dec *d, const char *why)
{
    return tg_upstream_fail(d->err, TG_EPROTO, "upstream_protocol_error",
                            "the upstream's answer is not of the Messages dialect: %s", why);
}

struct str
messages_text(struct arena *a, struct str object, const char *name)
{
    struct str s = {NULL, 0};
    struct json_member m;

    if (json_get(object, str_z(name), &m) && m.kind == JSON_STRING)
        (void)!json_string(a, m.value, &s);
    return s;
}

static tg_rc
put(struct dialect_dec *d, const struct ir_event *ev)
{
    return d->sink->put(d->sink, ev);
}

tg_rc
messages_in_keep(struct dialect_dec *d, struct str s, struct str *ret)
{
    struct messages_dec_state *st = d->state;

    if (s.n > d->hold_max - st->held)
        return messages_in_fail(d, TG_ELIMIT, "upstream_response_too_large",
                                "the upstream's answer has more to be kept than is allowed");
    st->held += s.n;
    *ret = arena_dup(d->arena, s);
    return TG_OK;
}

tg_rc
messages_in_start(struct dialect_dec *d)
{
    struct messages_dec_state *st = d->state;

    if (st->started)
        return messages_in_broken(d, "the message began twice");
    st->started = true;
    st->usage = MESSAGES_USAGE_UNKNOWN;
    return put(d, &(struct ir_event){.kind = IR_EV_START});
}

/* What to do with a type of block. */
static const struct {
    const char *type;
    enum ir_kind kind;
    bool redacted;
} kinds[] = {
    {"text", IR_TEXT, false},
    {"thinking", IR_THINK, false},
    {"redacted_thinking", IR_THINK, true},
    {"tool_use", IR_CALL, false},
};

static tg_rc
put_open(struct dialect_dec *d, struct messages_in *in, struct str block)
{
    struct messages_dec_state *st = d->state;
    struct ir_block head = {.kind = in->kind};
    struct ir_event ev = {.kind = IR_EV_OPEN, .block = st->next_block, .head = &head};
    tg_rc rc = TG_OK;

    in->block = st->next_block++;
    if (in->kind == IR_CALL) {
        st->called = true;
        head.id = messages_text(messages_in_scratch(d), block, "id");
        head.name = messages_text(messages_in_scratch(d), block, "name");
        if (head.name.n == 0)
            return messages_in_broken(d, "a tool use without a name");
    } else if (in->kind == IR_THINK) {
        head.summary = true;
        head.redacted = in->redacted;
        if (in->redacted)
            rc = messages_in_keep(d, messages_text(messages_in_scratch(d), block, "data"),
                                  &in->sig);
        else
            rc = messages_in_keep(d, messages_text(messages_in_scratch(d), block, "signature"),
                                  &in->sig);
    }
    return rc == TG_OK ? put(d, &ev) : rc;
}

tg_rc
messages_in_open(struct dialect_dec *d, int64_t index, struct str block,
                 struct messages_in **ret)
{
    struct messages_dec_state *st = d->state;
    struct messages_in *in;
    struct str type = messages_text(messages_in_scratch(d), block, "type");
    tg_rc rc = TG_OK;

    if (!st->started)
        return messages_in_broken(d, "a block before the message began");
    if (!arena_more(d->arena, st->open, st->n_open, st->cap_open, MESSAGES_OPEN_MAX))
        return messages_in_broken(d, "too many blocks open at once");
    for (uint32_t i = 0; i < st->n_open; i++)
        if (st->open[i].index == index)
            return messages_in_broken(d, "a block began twice");
    in = &st->open[st->n_open];
    *in = (struct messages_in){.index = index, .skip = true};
    for (size_t i = 0; i < MESSAGES_COUNT(kinds); i++)
        if (str_eq(type, str_z(kinds[i].type))) {
            in->kind = kinds[i].kind;
            in->redacted = kinds[i].redacted;
            in->skip = false;
        }
    if (!in->skip)
        rc = put_open(d, in, block);
    if (rc != TG_OK)
        return rc;
    st->n_open++;
    *ret = in;
    return TG_OK;
}

tg_rc
messages_in_text(struct dialect_dec *d, struct messages_in *in, struct str text)
{
    if (in->skip || text.n == 0)
        return TG_OK;
    in->text = true;
    if (in->kind == IR_TEXT)
        in->chars += (int64_t)utf8_count(text);
    return put(d, &(struct ir_event){.kind = IR_EV_DELTA, .block = in->block, .text = text});
}

/* Only what lies on the web can be cited in another dialect; the rest points into documents of
 * the request by numbers that mean nothing there. */
tg_rc
messages_in_note(struct dialect_dec *d, struct messages_in *in, struct str citation)
{
    struct str type = messages_text(messages_in_scratch(d), citation, "type");
    struct ir_note note = {.title = messages_text(messages_in_scratch(d), citation, "title"),
                           .cited =
                               messages_text(messages_in_scratch(d), citation, "cited_text"),
                           .start = 0,
                           .end = in->chars};

    if (str_eq(type, STR("web_search_result_location")))
        note.url = messages_text(messages_in_scratch(d), citation, "url");
    else if (str_eq(type, STR("search_result_location")))
        note.url = messages_text(messages_in_scratch(d), citation, "source");
    if (!str_eq(type, STR("web_search_result_location")) && !str_starts(note.url, STR("http")))
        return TG_OK;
    if (in->skip || in->kind != IR_TEXT)
        return TG_OK;
    return put(d, &(struct ir_event){.kind = IR_EV_NOTE, .block = in->block, .note = &note});
}

tg_rc
messages_in_close(struct dialect_dec *d, struct messages_in *in)
{
    struct messages_dec_state *st = d->state;
    struct ir_block head = {.kind = IR_THINK,
                            .sig = in->sig,
                            .origin = MESSAGES_NAME,
                            .redacted = in->redacted,
                            .summary = true};
    struct ir_event ev = {.kind = IR_EV_CLOSE, .block = in->block};
    tg_rc rc = TG_OK;

    if (in->kind == IR_CALL && !in->skip && !in->text)
        rc = messages_in_text(d, in, in->input.n ? in->input : STR("{}"));
    if (rc == TG_OK && in->kind == IR_THINK && in->sig.n)
        ev.head = &head;
    if (rc == TG_OK && !in->skip)
        rc = put(d, &ev);
    if (rc != TG_OK)
        return rc;
    memmove(in, in + 1, (size_t)(&st->open[st->n_open] - (in + 1)) * sizeof *in);
    st->n_open--;
    return TG_OK;
}

tg_rc
messages_in_stop(struct dialect_dec *d, struct str object)
{
    static const struct {
        const char *reason;
        enum ir_stop stop;
    } reasons[] = {
        {"end_turn", IR_STOP_END},           {"max_tokens", IR_STOP_LENGTH},
        {"stop_sequence", IR_STOP_SEQUENCE}, {"tool_use", IR_STOP_CALLS},
        {"refusal", IR_STOP_FILTER},         {"model_context_window_exceeded", IR_STOP_LENGTH},
        {"pause_turn", IR_STOP_PAUSE},       {"compaction", IR_STOP_END},
    };
    struct messages_dec_state *st = d->state;
    struct str reason = messages_text(messages_in_scratch(d), object, "stop_reason");
    struct json_member m;
    tg_rc rc;

    if (reason.n == 0)
        return TG_OK;
    st->said_stop = true;
    st->stop = IR_STOP_END;
    for (size_t i = 0; i < MESSAGES_COUNT(reasons); i++)
        if (str_eq(reason, str_z(reasons[i].reason)))
            st->stop = reasons[i].stop;
    rc = messages_in_keep(d, messages_text(messages_in_scratch(d), object, "stop_sequence"),
                          &st->stop_text);
    if (rc == TG_OK && json_get(object, STR("stop_details"), &m) && m.kind == JSON_OBJECT)
        rc = messages_in_keep(d, messages_text(messages_in_scratch(d), m.value, "explanation"),
                              &st->explanation);
    return rc;
}

/* Why the upstream's filter stopped the answer, as a block of its own. */
static tg_rc
put_refusal(struct dialect_dec *d)
{
    struct messages_dec_state *st = d->state;
    struct ir_block head = {.kind = IR_REFUSAL};
    struct ir_event ev = {.kind = IR_EV_OPEN, .block = st->next_block++, .head = &head};
    tg_rc rc = put(d, &ev);

    ev = (struct ir_event){.kind = IR_EV_DELTA, .block = ev.block, .text = st->explanation};
    if (rc == TG_OK)
        rc = put(d, &ev);
    ev = (struct ir_event){.kind = IR_EV_CLOSE, .block = ev.block};
    return rc == TG_OK ? put(d, &ev) : rc;
}

tg_rc
messages_in_end(struct dialect_dec *d)
{
    struct messages_dec_state *st = d->state;
    struct ir_usage usage = messages_usage_in(&st->usage);
    struct ir_event stop = {.kind = IR_EV_STOP, .stop = st->said_stop ? st->stop : IR_STOP_END};
    tg_rc rc = TG_OK;

    while (rc == TG_OK && st->n_open > 0)
        rc = messages_in_close(d, &st->open[0]);
    if (rc == TG_OK && stop.stop == IR_STOP_FILTER && st->explanation.n)
        rc = put_refusal(d);
    if (stop.stop == IR_STOP_END && st->called)
        stop.stop = IR_STOP_CALLS;
    else if (stop.stop == IR_STOP_CALLS && !st->called)
        stop.stop = IR_STOP_END; /* of tools that the provider ran */
    if (stop.stop == IR_STOP_SEQUENCE)
        stop.text = st->stop_text;
    if (rc == TG_OK)
        rc = put(d, &stop);
    if (rc == TG_OK && (usage.input >= 0 || usage.output >= 0))
        rc = put(d, &(struct ir_event){.kind = IR_EV_USAGE, .usage = &usage});
    if (rc == TG_OK)
        rc = put(d, &(struct ir_event){.kind = IR_EV_END});
    st->over = true;
    return rc;
}
