/* answer_delta.c -- one element of "choices", of a stream or of a whole answer.
 *
 * A delta may hold several things at once; they are taken in the order in which a model makes
 * them: thoughts, content, refusal, citations, calls, and only then the end.  Null, an empty
 * text and an empty list are the same as nothing.  The thoughts may stand in up to three
 * fields, saying the same: the first of them that has text is taken.
 *
 * How likely tokens were is known of content alone: what a record with only thoughts, a refusal
 * or calls says of its tokens is left out.
 */
#include "dialect/chat/answer_int.h"
#include "dialect/openai.h"

struct delta {
    struct str reasoning, thinking; /* reasoning_content, reasoning */
    struct str details, content, refusal, notes, calls, function, audio, images;
    enum json_kind content_kind;
};

static void
set(struct str *to, const struct json_member *m, enum json_kind kind)
{
    if (m->kind == kind && m->value.n > 2)
        *to = m->value;
}

static struct delta
read_delta(struct str object)
{
    struct delta d = {0};
    struct json_iter it;
    struct json_member m;

    if (json_object(&it, object) != TG_OK)
        return d;
    while (json_next(&it, &m)) {
        if (m.kind <= JSON_NULL)
            continue;
        if (chat_key_is(m.key, STR("content"))) {
            if (m.value.n > 2)
                d.content = m.value;
            d.content_kind = m.kind;
        } else if (chat_key_is(m.key, STR("tool_calls"))) {
            set(&d.calls, &m, JSON_ARRAY);
        } else if (chat_key_is(m.key, STR("reasoning_content"))) {
            set(&d.reasoning, &m, JSON_STRING);
        } else if (chat_key_is(m.key, STR("reasoning"))) {
            set(&d.thinking, &m, JSON_STRING);
        } else if (chat_key_is(m.key, STR("reasoning_details"))) {
            set(&d.details, &m, JSON_ARRAY);
        } else if (chat_key_is(m.key, STR("refusal"))) {
            set(&d.refusal, &m, JSON_STRING);
        } else if (chat_key_is(m.key, STR("annotations"))) {
            set(&d.notes, &m, JSON_ARRAY);
        } else if (chat_key_is(m.key, STR("function_call"))) {
            set(&d.function, &m, JSON_OBJECT);
        } else if (chat_key_is(m.key, STR("audio"))) {
            set(&d.audio, &m, JSON_OBJECT);
        } else if (chat_key_is(m.key, STR("images"))) {
            set(&d.images, &m, JSON_ARRAY);
        }
    }
    return d;
}

static tg_rc
append(struct dialect_dec *dec, struct str *to, struct str more)
{
    tg_rc rc = chat_hold(dec, to->n + more.n);

    if (rc == TG_OK)
        *to = arena_printf(dec->arena, "%.*s%.*s", STR_ARG(*to), STR_ARG(more));
    return rc;
}

/* An element of reasoning_details; see think.c.  Values with their quotes. */
struct detail {
    struct str text, proof, id;
    bool summary, opaque;
};

static struct detail
read_detail(struct str object)
{
    struct detail d = {0};
    struct json_iter it;
    struct json_member m;

    if (json_object(&it, object) != TG_OK)
        return d;
    while (json_next(&it, &m)) {
        if (m.kind != JSON_STRING || m.value.n <= 2)
            continue;
        if (chat_key_is(m.key, STR("type"))) {
            d.summary = str_eq(m.value, STR("\"reasoning.summary\""));
            d.opaque = str_eq(m.value, STR("\"reasoning.encrypted\""));
        } else if (chat_key_is(m.key, STR("text")) || chat_key_is(m.key, STR("summary"))) {
            d.text = m.value;
        } else if (chat_key_is(m.key, STR("signature")) || chat_key_is(m.key, STR("data"))) {
            d.proof = m.value;
        } else if (chat_key_is(m.key, STR("id"))) {
            d.id = m.value;
        }
    }
    return d;
}

/* A proof belongs to the thoughts that are open, and makes a block of its own where none are.
 * The envelope of another gateway of our kind is opaque here: what it seals was made behind
 * this upstream. */
static tg_rc
take_proof(struct dialect_dec *dec, uint32_t choice, const struct detail *d)
{
    struct chat_answer *st = dec->state;
    struct chat_choice *ch = &st->choices[choice];
    bool anew = !ch->speaking || ch->kind != IR_THINK;
    tg_rc rc = chat_open_speech(dec, choice, IR_THINK, d->summary, d->opaque);

    st->odd = true;
    if (rc == TG_OK)
        rc = append(dec, &ch->proof.sig, chat_text(dec, d->proof));
    if (rc == TG_OK && d->id.n && ch->proof.sig_id.n == 0)
        rc = chat_keep(dec, d->id, &ch->proof.sig_id);
    ch->proof.origin = dialect_chat.name;
    if (!anew && d->opaque && !ch->proof.redacted)
        ch->proof.summary = true; /* what could be read was not the thoughts themselves */
    return rc;
}

static tg_rc
take_details(struct dialect_dec *dec, uint32_t choice, struct str details, bool text)
{
    struct json_iter it;
    struct json_member m;
    tg_rc rc = json_array(&it, details);

    if (rc != TG_OK)
        return TG_OK;
    while (rc == TG_OK && json_next(&it, &m)) {
        struct detail d = read_detail(m.value);

        if (text && d.text.n)
            rc = chat_speak(dec, choice, IR_THINK, d.summary, d.text);
        if (rc == TG_OK && d.proof.n)
            rc = take_proof(dec, choice, &d);
    }
    return rc;
}

/* Some servers send content as a list of parts also in answers. */
static tg_rc
take_parts(struct dialect_dec *dec, uint32_t choice, struct str parts)
{
    struct json_iter it, inner;
    struct json_member m, type, text, part;
    tg_rc rc = json_array(&it, parts);

    if (rc != TG_OK)
        return TG_OK;
    ((struct chat_answer *)dec->state)->odd = true;
    while (rc == TG_OK && json_next(&it, &m)) {
        if (json_kind_of(m.value) != JSON_OBJECT || !json_get(m.value, STR("type"), &type))
            continue;
        if (str_eq(type.value, STR("\"text\"")) && json_get(m.value, STR("text"), &text)) {
            rc = chat_speak(dec, choice, IR_TEXT, false, text.value);
        } else if (str_eq(type.value, STR("\"refusal\"")) &&
                   json_get(m.value, STR("refusal"), &text)) {
            rc = chat_speak(dec, choice, IR_REFUSAL, false, text.value);
        } else if (str_eq(type.value, STR("\"thinking\"")) &&
                   json_get(m.value, STR("thinking"), &text)) {
            if (text.kind == JSON_STRING)
                rc = chat_speak(dec, choice, IR_THINK, false, text.value);
            else if (json_array(&inner, text.value) == TG_OK)
                while (rc == TG_OK && json_next(&inner, &part))
                    if (json_get(part.value, STR("text"), &text))
                        rc = chat_speak(dec, choice, IR_THINK, false, text.value);
        }
    }
    return rc;
}

static int64_t
offset(struct str object, struct str name, uint32_t from)
{
    struct json_member m;
    int64_t v = -1;

    if (!json_get(object, name, &m) || json_i64(m.value, &v) != TG_OK || v < from)
        return -1;
    return v - from;
}

/* Citations are about the content that came so far, in Chat counted from its beginning. */
static tg_rc
take_notes(struct dialect_dec *dec, uint32_t choice, struct str notes)
{
    struct chat_answer *st = dec->state;
    struct chat_choice *ch = &st->choices[choice];
    struct ir_event ev = {.kind = IR_EV_NOTE, .choice = choice, .block = ch->block};
    struct json_member m, cite, member;
    struct json_iter it;
    tg_rc rc = json_array(&it, notes);

    if (rc != TG_OK || !ch->speaking || ch->kind != IR_TEXT)
        return TG_OK;
    while (rc == TG_OK && json_next(&it, &m)) {
        struct ir_note note = {0};

        if (json_kind_of(m.value) != JSON_OBJECT ||
            !json_get(m.value, STR("url_citation"), &cite) || cite.kind != JSON_OBJECT)
            continue;
        rc = chat_hold(dec, m.value.n);
        if (rc != TG_OK)
            break;
        if (json_get(cite.value, STR("url"), &member))
            (void)!json_string(dec->arena, member.value, &note.url);
        if (json_get(cite.value, STR("title"), &member))
            (void)!json_string(dec->arena, member.value, &note.title);
        if (json_get(cite.value, STR("content"), &member))
            (void)!json_string(dec->arena, member.value, &note.cited);
        note.start = offset(cite.value, STR("start_index"), ch->from);
        note.end = offset(cite.value, STR("end_index"), ch->from);
        ev.note = &note;
        rc = chat_put(dec, &ev);
    }
    return rc;
}

/* probs: the record's tokens, "" = not said. */
static tg_rc
take_delta(struct dialect_dec *dec, uint32_t choice, struct str object, struct str probs)
{
    struct delta d = read_delta(object);
    struct str thoughts = d.reasoning.n ? d.reasoning : d.thinking;
    bool speaks = d.content.n && d.content_kind == JSON_STRING;
    tg_rc rc = TG_OK;

    if (thoughts.n)
        rc = chat_speak(dec, choice, IR_THINK, false, thoughts);
    if (rc == TG_OK && d.details.n)
        rc = take_details(dec, choice, d.details, thoughts.n == 0);
    if (rc == TG_OK && speaks && probs.n)
        rc = chat_speak_probs(dec, choice, d.content, probs);
    else if (rc == TG_OK && speaks)
        rc = chat_speak(dec, choice, IR_TEXT, false, d.content);
    else if (rc == TG_OK && probs.n && !d.content.n && !thoughts.n && !d.details.n &&
             !d.refusal.n && !d.function.n && !d.calls.n && !d.audio.n)
        rc = chat_keep_probs(dec, choice, probs);
    else if (rc == TG_OK && d.content.n)
        rc = take_parts(dec, choice, d.content);
    if (rc == TG_OK && d.audio.n && !d.content.n)
        rc = chat_take_audio(dec, choice, d.audio);
    if (rc == TG_OK && d.images.n)
        rc = chat_take_images(dec, choice, d.images);
    if (rc == TG_OK && d.notes.n)
        rc = take_notes(dec, choice, d.notes);
    if (rc == TG_OK && d.refusal.n)
        rc = chat_speak(dec, choice, IR_REFUSAL, false, d.refusal);
    if (rc == TG_OK && d.function.n)
        rc = chat_take_function(dec, choice, d.function);
    if (rc == TG_OK && d.calls.n)
        rc = chat_take_calls(dec, choice, d.calls);
    return rc;
}

static enum ir_stop
stop_of(struct str reason)
{
    static const struct {
        const char *reason;
        enum ir_stop stop;
    } rows[] = {
        {"\"stop\"", IR_STOP_END},
        {"\"length\"", IR_STOP_LENGTH},
        {"\"max_tokens\"", IR_STOP_LENGTH},
        {"\"tool_calls\"", IR_STOP_CALLS},
        {"\"function_call\"", IR_STOP_CALLS},
        {"\"content_filter\"", IR_STOP_FILTER},
    };

    for (size_t i = 0; i < CHAT_COUNT(rows); i++)
        if (str_eq(reason, str_z(rows[i].reason)))
            return rows[i].stop;
    return IR_STOP_END;
}

/* Reasons that are none: the code of the error they stand for, or NULL. */
static const char *
error_of(struct str reason)
{
    if (str_eq(reason, STR("\"error\"")))
        return "upstream_error";
    if (str_eq(reason, STR("\"insufficient_system_resource\"")))
        return "server_is_overloaded";
    return NULL;
}

static tg_rc
take_finish(struct dialect_dec *dec, uint32_t choice, struct str reason, struct str matched)
{
    struct chat_answer *st = dec->state;
    struct chat_choice *ch = &st->choices[choice];
    tg_rc rc = chat_close_speech(dec, choice);

    if (rc == TG_OK)
        rc = chat_close_calls(dec, choice, true);
    st->odd = true;
    ch->stopped = true;
    ch->error = error_of(reason);
    ch->stop = stop_of(reason);
    if (ch->stop == IR_STOP_END && ch->n_calls > 0)
        ch->stop = IR_STOP_CALLS;
    else if (ch->stop == IR_STOP_CALLS && ch->n_calls == 0)
        ch->stop = IR_STOP_END;
    if (rc == TG_OK && ch->stop == IR_STOP_END && matched.n) {
        ch->stop = IR_STOP_SEQUENCE;
        rc = chat_keep(dec, matched, &ch->stop_text);
    }
    return rc;
}

/* Makes room for choice number index. */
static tg_rc
find_choice(struct dialect_dec *dec, int64_t index)
{
    struct chat_answer *st = dec->state;

    if (index < 0 || index >= IR_CHOICES_MAX)
        return chat_broke(dec, "a choice with an impossible index");
    if ((unsigned)index >= st->cap_choices) {
        unsigned cap =
            (unsigned)index < st->cap_choices * 2 ? st->cap_choices * 2 : (unsigned)index + 1;
        struct chat_choice *v = arena_array(dec->arena, struct chat_choice, cap);

        if (st->n_choices)
            memcpy(v, st->choices, st->n_choices * sizeof *v);
        st->choices = v;
        st->cap_choices = cap;
    }
    if ((unsigned)index >= st->n_choices)
        st->n_choices = (unsigned)index + 1;
    st->choices[index].seen = true;
    return TG_OK;
}

tg_rc
chat_take_choice(struct dialect_dec *dec, struct str element)
{
    struct chat_answer *st = dec->state;
    struct str delta = {NULL, 0}, finish = {NULL, 0}, matched = {NULL, 0}, probs = {NULL, 0};
    struct json_iter it;
    struct json_member m, tokens;
    int64_t index = 0;
    tg_rc rc;

    if (json_object(&it, element) != TG_OK)
        return chat_broke(dec, "a choice that is not an object");
    while (json_next(&it, &m)) {
        if (m.kind <= JSON_NULL)
            continue;
        if (chat_key_is(m.key, STR("delta")) || chat_key_is(m.key, STR("message"))) {
            delta = m.value;
        } else if (chat_key_is(m.key, STR("index"))) {
            if (m.value.n == 1)
                index = m.value.p[0] - '0';
            else if (json_i64(m.value, &index) != TG_OK)
                index = -1;
        } else if (chat_key_is(m.key, STR("finish_reason"))) {
            set(&finish, &m, JSON_STRING);
        } else if (chat_key_is(m.key, STR("stop_reason"))) {
            set(&matched, &m, JSON_STRING);
        } else if (chat_key_is(m.key, STR("logprobs"))) {
            if (m.kind == JSON_OBJECT && json_get(m.value, STR("content"), &tokens) &&
                tokens.kind == JSON_ARRAY && chat_elements(tokens.value).n)
                probs = tokens.value;
        } else if (chat_key_is(m.key, STR("usage")) && m.kind == JSON_OBJECT) {
            chat_read_usage(m.value, &st->usage);
        } else if (chat_key_is(m.key, STR("error")) && openai_error_is(m.value)) {
            return openai_take_error(dec, m.value);
        }
    }
    rc = find_choice(dec, index);
    if (rc == TG_OK && delta.n)
        rc = take_delta(dec, (uint32_t)index, delta, probs);
    if (rc == TG_OK && finish.n)
        rc = take_finish(dec, (uint32_t)index, finish, matched);
    return rc;
}
