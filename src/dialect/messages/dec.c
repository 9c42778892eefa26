/* dec.c -- the records of an upstream's stream.
 *
 * A record is told by the type in its data; the event's name only by ping and error, whose data
 * some servers leave bare.  Types that nobody knows are passed over, as clients do.  What one
 * record needs lives in an arena of its own, so that a long stream costs no memory.
 *
 * Nearly all records add a piece of text to a block.  One that did is learned, and those like
 * it (dialect/alike.h) add theirs to the same block without being looked at.
 */
#include "dialect/messages/messages_int.h"

/* The input of a call that stood in its start; {} there means that it is still to come. */
static tg_rc
keep_input(struct dialect_dec *d, struct str block, struct messages_in *in)
{
    struct json_iter it;
    struct json_member input, m;

    if (!json_get(block, STR("input"), &input) || json_object(&it, input.value) != TG_OK ||
        !json_next(&it, &m))
        return TG_OK;
    return messages_in_keep(d, input.value, &in->input);
}

static struct messages_in *
find_open(struct messages_dec_state *st, int64_t index)
{
    for (uint32_t i = st->n_open; i > 0; i--)
        if (st->open[i - 1].index == index)
            return &st->open[i - 1];
    return NULL;
}

static tg_rc
on_block_start(struct dialect_dec *d, int64_t index, struct str data)
{
    struct messages_in *in = NULL;
    struct json_member block;
    tg_rc rc;

    if (!json_get(data, STR("content_block"), &block) || block.kind != JSON_OBJECT)
        return messages_in_broken(d, "a block without a beginning");
    rc = messages_in_open(d, index, block.value, &in);
    /* Some servers put the first piece here. */
    if (rc == TG_OK && in->kind == IR_TEXT && !in->skip)
        rc =
            messages_in_text(d, in, messages_text(messages_in_scratch(d), block.value, "text"));
    else if (rc == TG_OK && in->kind == IR_THINK)
        rc = messages_in_text(d, in,
                              messages_text(messages_in_scratch(d), block.value, "thinking"));
    else if (rc == TG_OK && in->kind == IR_CALL)
        rc = keep_input(d, block.value, in);
    return rc;
}

static tg_rc
on_block_delta(struct dialect_dec *d, int64_t index, struct str data)
{
    static const struct {
        const char *type, *field;
        enum ir_kind kind;
    } rows[] = {{"\"text_delta\"", "text", IR_TEXT},
                {"\"input_json_delta\"", "partial_json", IR_CALL},
                {"\"thinking_delta\"", "thinking", IR_THINK}};
    struct messages_dec_state *st = d->state;
    struct messages_in *in = find_open(st, index);
    struct json_member delta, m;
    struct str text = {NULL, 0};

    if (!in)
        return messages_in_broken(d, "text for a block that is not open");
    if (in->skip || !json_get(data, STR("delta"), &delta) ||
        !json_get(delta.value, STR("type"), &m))
        return TG_OK;
    for (size_t i = 0; i < MESSAGES_COUNT(rows); i++) {
        if (in->kind != rows[i].kind || !str_eq(m.value, str_z(rows[i].type)) ||
            !json_get(delta.value, str_z(rows[i].field), &m) || m.kind != JSON_STRING)
            continue;
        if (json_string(messages_in_scratch(d), m.value, &text) != TG_OK)
            return messages_in_broken(d, "half of a surrogate pair");
        st->text_span = str_of(m.value.p + 1, m.value.n - 2);
        st->like = (uint32_t)(in - st->open);
        return messages_in_text(d, in, text);
    }
    if (str_eq(m.value, STR("\"signature_delta\"")) && in->kind == IR_THINK)
        return messages_in_keep(
            d, messages_text(messages_in_scratch(d), delta.value, "signature"), &in->sig);
    if (str_eq(m.value, STR("\"citations_delta\"")) &&
        json_get(delta.value, STR("citation"), &m))
        return messages_in_note(d, in, m.value);
    return TG_OK;
}

static tg_rc
on_block(struct dialect_dec *d, struct str what, struct str data)
{
    struct messages_in *in;
    struct json_member m;
    int64_t index = 0;

    if (!json_get(data, STR("index"), &m) || json_i64(m.value, &index) != TG_OK)
        return messages_in_broken(d, "a block without its number");
    if (str_eq(what, STR("start")))
        return on_block_start(d, index, data);
    if (str_eq(what, STR("delta")))
        return on_block_delta(d, index, data);
    if (!str_eq(what, STR("stop")))
        return TG_OK;
    in = find_open(d->state, index);
    return in ? messages_in_close(d, in)
              : messages_in_broken(d, "the end of a block that is not open");
}

static tg_rc
on_message(struct dialect_dec *d, struct str what, struct str data)
{
    struct messages_dec_state *st = d->state;
    struct json_member m, usage;
    tg_rc rc = TG_OK;

    if (str_eq(what, STR("start"))) {
        rc = messages_in_start(d);
        if (rc == TG_OK && json_path(data, "message.usage", &m))
            messages_read_usage(m.value, &st->usage);
        return rc;
    }
    if (!st->started)
        return messages_in_broken(d, "the end of a message that has not begun");
    if (str_eq(what, STR("stop")))
        return messages_in_end(d);
    if (str_eq(what, STR("delta"))) {
        if (json_get(data, STR("usage"), &usage))
            messages_read_usage(usage.value, &st->usage);
        if (json_get(data, STR("delta"), &m) && m.kind == JSON_OBJECT)
            rc = messages_in_stop(d, m.value);
    }
    return rc;
}

/* Is it a record like the learned one?  Then *ret is what came of it. */
static bool
take_alike(struct dialect_dec *d, struct str event, struct str data, tg_rc *ret)
{
    struct messages_dec_state *st = d->state;
    struct alike_text t;
    struct arena scratch;
    struct str text;
    bool taken = true;

    /* Only ping and error mean something by their name. */
    if ((event.n && event.p[0] != 'c') || !alike_match(&st->alike, data, &t))
        return false;
    if (!t.escapes) {
        text = str_of(t.value.p + 1, t.value.n - 2);
        *ret = messages_in_text(d, &st->open[st->like], text);
        return true;
    }
    arena_init(&scratch);
    taken = json_string(&scratch, t.value, &text) == TG_OK;
    if (taken)
        *ret = messages_in_text(d, &st->open[st->like], text);
    arena_fini(&scratch);
    return taken;
}

tg_rc
messages_decode_record(struct dialect_dec *d, struct str event, struct str data, bool *ret_over)
{
    struct messages_dec_state *st = d->state;
    struct arena scratch;
    struct json_member m;
    struct str type;
    tg_rc rc = TG_OK;

    *ret_over = st->over;
    if (st->over || data.n == 0 || str_eq(event, STR("ping")) ||
        str_starts(data, STR("[DONE]")))
        return TG_OK;
    if (take_alike(d, event, data, &rc))
        return rc;
    alike_forget(&st->alike);
    if (json_check(data, JSON_DEPTH_MAX, NULL) != TG_OK || json_kind_of(data) != JSON_OBJECT)
        return messages_in_broken(d, "a record that is not a JSON object");
    if (str_eq(event, STR("error")) || messages_error_is(data))
        return messages_read_error(0, data, d->err);
    if (!json_get(data, STR("type"), &m) || m.kind != JSON_STRING)
        return messages_in_broken(d, "a record without a type");
    type = str_of(m.value.p + 1, m.value.n - 2);
    arena_init(&scratch);
    st->scratch = &scratch;
    st->text_span.p = NULL;
    if (str_starts(type, STR("content_block_")))
        rc = on_block(d, str_from(type, strlen("content_block_")), data);
    else if (str_starts(type, STR("message_")))
        rc = on_message(d, str_from(type, strlen("message_")), data);
    st->scratch = NULL;
    arena_fini(&scratch);
    if (rc == TG_OK && st->text_span.p)
        alike_learn(&st->alike, data, st->text_span);
    *ret_over = st->over;
    return rc;
}

tg_rc
messages_decode_eof(struct dialect_dec *d)
{
    struct messages_dec_state *st = d->state;

    if (st->over)
        return TG_OK;
    if (st->started && st->said_stop)
        return messages_in_end(d);
    return messages_in_fail(d, TG_EPROTO, "upstream_truncated",
                            "the upstream's stream ended before its answer was whole");
}
