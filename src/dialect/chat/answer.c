/* answer.c -- an upstream's answer in the Chat dialect, as events.
 *
 * A stream and a whole answer differ in "delta" and "message" and in little else, so both go
 * the same way.  What ends a choice is kept until the stream's end is sure ([DONE], or the end
 * of the bytes), because usage and, with careless servers, more text may still come; the open
 * blocks are closed at once.
 *
 * Most records of a stream differ from the one before only in the piece of text they carry
 * (dialect/alike.h).  One that did nothing but add text to an open block is learned; a record
 * like it adds its text to the same block, as nothing else has come in between.
 *
 * Invariants
 *  (1) Nothing is put after IR_EV_END; a failure is told by err and the code alone.
 *  (2) Only text that passed json_check is looked into.
 *  (3) What is kept for later never exceeds hold_max.
 */
#include "dialect/chat/answer_int.h"

#include "base/ascii.h"
#include "dialect/openai.h"

enum { ID_MAX = 24 };

static struct chat_answer *
begin(struct dialect_dec *dec)
{
    struct chat_answer *st = dec->state;

    if (!st->begun) {
        st->begun = true;
        st->usage = IR_USAGE_UNKNOWN;
    }
    st->n_put = 0;
    st->odd = false;
    return st;
}

/* Remembers the end of the answer's id, without what no id may hold. */
static void
note_id(struct dialect_dec *dec, struct str value)
{
    struct chat_answer *st = dec->state;
    struct str text = chat_text(dec, value);
    char out[ID_MAX];
    size_t n = 0;

    for (size_t i = text.n > ID_MAX ? text.n - ID_MAX : 0; i < text.n; i++) {
        char c = text.p[i];

        if (ascii_is_alnum(c))
            out[n++] = c;
    }
    st->id = arena_dup(dec->arena, str_of(out, n));
}

static tg_rc
take_choices(struct dialect_dec *dec, struct str choices)
{
    struct chat_answer *st = dec->state;
    const struct ir_event start = {.kind = IR_EV_START};
    struct json_iter it;
    struct json_member m;
    tg_rc rc = TG_OK;

    if (json_array(&it, choices) != TG_OK)
        return chat_broke(dec, "choices are not an array");
    while (rc == TG_OK && json_next(&it, &m)) {
        if (!st->started)
            rc = chat_put(dec, &start);
        st->started = true;
        if (rc == TG_OK)
            rc = chat_take_choice(dec, m.value);
    }
    return rc;
}

static bool
is_known(const struct ir_usage *u)
{
    return u->input >= 0 || u->output >= 0 || u->cached >= 0 || u->reasoning >= 0 ||
           u->cache_write >= 0;
}

/* What llama.cpp tells of its work, of which usage can be made where none is sent. */
static void
read_timings(struct str timings, struct ir_usage *u)
{
    struct json_member m;
    int64_t cached = 0, fresh = -1, made = -1;

    if (json_get(timings, STR("cache_n"), &m) && json_i64(m.value, &cached) == TG_OK)
        u->cached = cached = cached > 0 ? cached : 0;
    if (json_get(timings, STR("prompt_n"), &m) && json_i64(m.value, &fresh) == TG_OK &&
        fresh >= 0)
        u->input = fresh + cached;
    if (json_get(timings, STR("predicted_n"), &m) && json_i64(m.value, &made) == TG_OK &&
        made >= 0)
        u->output = made;
}

/* One object, checked. */
static tg_rc
take_object(struct dialect_dec *dec, struct str data)
{
    struct chat_answer *st = dec->state;
    struct str choices = {NULL, 0}, id = {NULL, 0}, timings = {NULL, 0}, error;
    struct json_iter it;
    struct json_member m, inner;

    if (json_object(&it, data) != TG_OK)
        return chat_broke(dec, "a record that is not an object");
    while (json_next(&it, &m)) {
        if (m.kind <= JSON_NULL)
            continue;
        if (chat_key_is(m.key, STR("choices"))) {
            choices = m.value;
        } else if (chat_key_is(m.key, STR("id"))) {
            id = m.value;
        } else if (chat_key_is(m.key, STR("usage"))) {
            if (m.kind == JSON_OBJECT) {
                chat_read_usage(m.value, &st->usage);
                st->timed = false;
            }
        } else if (chat_key_is(m.key, STR("x_groq"))) {
            if (m.kind == JSON_OBJECT && json_get(m.value, STR("usage"), &inner) &&
                inner.kind == JSON_OBJECT)
                chat_read_usage(inner.value, &st->usage);
        } else if (chat_key_is(m.key, STR("timings"))) {
            timings = m.value;
        } else if (chat_key_is(m.key, STR("error")) && openai_error_is(m.value)) {
            return openai_take_error(dec, m.value);
        }
    }
    if (timings.n && (st->timed || !is_known(&st->usage))) {
        read_timings(timings, &st->usage);
        st->timed = true;
    }
    if (id.n && st->id.n == 0 && !st->started)
        note_id(dec, id);
    if (choices.n)
        return take_choices(dec, choices);
    return openai_find_error(data, &error) ? openai_take_error(dec, error) : TG_OK;
}

/* The answer ended with an error that it does not describe. */
static tg_rc
end_broken(struct dialect_dec *dec, const char *code)
{
    bool busy = strcmp(code, "server_is_overloaded") == 0;
    tg_rc rc = tg_fail(dec->err, TG_EUNAVAIL, busy ? TG_ERR_OVERLOADED : TG_ERR_UPSTREAM, code,
                       busy ? "the upstream ran out of resources in the middle of its answer"
                            : "the upstream's answer ended with an error that it does not "
                              "describe");

    if (dec->err)
        dec->err->origin = TG_FROM_UPSTREAM;
    return rc;
}

static tg_rc
end_choice(struct dialect_dec *dec, uint32_t index)
{
    struct chat_answer *st = dec->state;
    struct chat_choice *ch = &st->choices[index];
    struct ir_event ev = {.kind = IR_EV_STOP, .choice = index};
    tg_rc rc;

    if (!ch->seen)
        return TG_OK;
    rc = chat_close_speech(dec, index);
    if (rc == TG_OK)
        rc = chat_close_calls(dec, index, true);
    if (rc == TG_OK && ch->error)
        rc = end_broken(dec, ch->error);
    if (rc != TG_OK)
        return rc;
    if (!ch->stopped || (ch->stop == IR_STOP_END && ch->n_calls))
        ch->stop = ch->n_calls ? IR_STOP_CALLS : IR_STOP_END;
    ev.stop = ch->stop;
    if (ch->stop == IR_STOP_SEQUENCE)
        ev.text = ch->stop_text;
    return chat_put(dec, &ev);
}

static tg_rc
end_answer(struct dialect_dec *dec)
{
    struct chat_answer *st = dec->state;
    struct ir_event ev = {.kind = IR_EV_USAGE, .usage = &st->usage};
    tg_rc rc = TG_OK;

    if (!st->started)
        return chat_broke(dec, "it ended before it began");
    for (uint32_t i = 0; i < st->n_choices && rc == TG_OK; i++)
        rc = end_choice(dec, i);
    if (rc == TG_OK && is_known(&st->usage))
        rc = chat_put(dec, &ev);
    ev = (struct ir_event){.kind = IR_EV_END};
    if (rc == TG_OK)
        rc = chat_put(dec, &ev);
    st->over = true;
    return rc;
}

static tg_rc
take_alike(struct dialect_dec *dec, const struct alike_text *t)
{
    struct chat_answer *st = dec->state;
    struct str value = t->value, inside = str_of(value.p + 1, value.n - 2);
    struct str text = t->escapes ? chat_text(dec, value) : inside;
    struct chat_choice *ch = &st->choices[st->like.choice];
    struct ir_event ev = st->like;

    if (text.n == 0)
        return TG_OK;
    if (st->like_call)
        chat_follow(&st->calls[st->like_call - 1], text);
    else if (ch->kind == IR_TEXT)
        ch->chars += chat_count_chars(text);
    if (text.n > 1024)
        return chat_put_text(dec, &ev, value, text);
    ev.text = text;
    return dec->sink->put(dec->sink, &ev);
}

/* Learns a record that did nothing but add a piece of text. */
static void
learn(struct chat_answer *st, struct str data)
{
    alike_forget(&st->alike);
    if (st->n_put != 1 || st->odd || st->last.kind != IR_EV_DELTA)
        return;
    st->like = st->last;
    st->like_call = st->last_call;
    alike_learn(&st->alike, data, st->text_span);
}

tg_rc
chat_decode_record(struct dialect_dec *dec, struct str event, struct str data, bool *ret_over)
{
    struct chat_answer *st = begin(dec);
    struct alike_text text;
    struct str error;
    tg_rc rc;

    if (st->over || data.n == 0 || data.p[0] == ':')
        return TG_OK;
    if (event.n && (str_eq(event, STR("ping")) || str_eq(event, STR("keepalive"))))
        return TG_OK;
    if (str_starts(data, STR("[DONE]"))) {
        rc = end_answer(dec);
        if (rc == TG_OK)
            *ret_over = true;
        return rc;
    }
    if (event.n == 0 && alike_match(&st->alike, data, &text))
        return take_alike(dec, &text);
    if (json_check(data, JSON_DEPTH_MAX, NULL) != TG_OK)
        return chat_broke(dec, "a record that is not JSON");
    if (event.n && str_eq(event, STR("error")))
        return openai_take_error(dec, openai_find_error(data, &error) ? error : data);
    st->last.kind = IR_EV_KIND_N;
    rc = take_object(dec, data);
    if (rc == TG_OK)
        learn(st, data);
    return rc;
}

tg_rc
chat_decode_eof(struct dialect_dec *dec)
{
    struct chat_answer *st = begin(dec);
    bool whole = st->started;
    if (st->over)
        return TG_OK;
    for (unsigned i = 0; i < st->n_choices; i++)
        whole &= !st->choices[i].seen || st->choices[i].stopped;
    if (whole)
        return end_answer(dec);
    return tg_upstream_fail(dec->err, TG_EPROTO, "upstream_truncated",
                            "the upstream's stream ended before the answer was complete");
}

tg_rc
chat_decode_res(struct dialect_dec *dec, struct str body)
{
    struct chat_answer *st = begin(dec);
    tg_rc rc;

    st->whole = true;
    if (json_check(body, JSON_DEPTH_MAX, NULL) != TG_OK)
        return chat_broke(dec, "it is not JSON");
    rc = take_object(dec, body);
    if (rc == TG_OK && !st->started)
        return chat_broke(dec, "it has no choices");
    return rc == TG_OK ? end_answer(dec) : rc;
}
