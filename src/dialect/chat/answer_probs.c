/* answer_probs.c -- how likely the tokens of an upstream's answer were.
 *
 * They come as a list beside the text: with a record's text in a stream, with all of it in a
 * whole answer.  Inside they go with the text they are about, so a long text is parted where
 * one token ends and the next begins.  Servers that hold back text which ends in the middle of
 * a character send tokens without text; these wait for the text that follows.
 *
 * The lengths are the server's word: where its tokens make another text than the one that it
 * sent, what is left of them goes with the last piece.
 */
#include "base/utf8.h"
#include "dialect/chat/answer_int.h"
#include "ir/unfold.h"

enum { PROBS_MAX = 16384 }; /* bytes of a list that go with one piece of text */

/* Bytes of UTF-8 that a JSON string stands for. */
static size_t
text_bytes(struct str value)
{
    const char *p = value.p + 1, *end = value.p + value.n - 1;
    size_t n = 0;

    for (; p < end; p++, n++) {
        if (*p != '\\' || ++p == end || *p != 'u' || end - p < 5)
            continue;
        /* A pair makes four bytes of two escapes. */
        if (p[1] != '0')
            n += (p[1] == 'd' || p[1] == 'D') && p[2] >= '8' ? 1 : 2;
        else if (p[2] != '0')
            n += p[2] >= '8' ? 2 : 1;
        else if (p[3] >= '8')
            n++;
        p += 4;
    }
    return n;
}

/* Bytes of text that a token stands for. */
static size_t
token_bytes(struct str token)
{
    struct json_member m, byte;
    struct json_iter it;
    size_t n = 0;

    if (json_kind_of(token) != JSON_OBJECT)
        return 0;
    if (json_get(token, STR("bytes"), &m) && json_array(&it, m.value) == TG_OK) {
        while (json_next(&it, &byte))
            n++;
        return n;
    }
    return json_get(token, STR("token"), &m) && m.kind == JSON_STRING ? text_bytes(m.value) : 0;
}

tg_rc
chat_keep_probs(struct dialect_dec *dec, uint32_t choice, struct str list)
{
    struct chat_answer *st = dec->state;
    struct str *kept = &st->choices[choice].probs, inner = chat_elements(list);
    tg_rc rc = inner.n ? chat_hold(dec, kept->n + inner.n) : TG_OK;

    if (rc == TG_OK && inner.n)
        *kept = arena_printf(dec->arena, "%.*s%s%.*s", STR_ARG(*kept), kept->n ? "," : "",
                             STR_ARG(inner));
    return rc;
}

/* The tokens as a list again, valid until the next call. */
static struct str
as_list(struct dialect_dec *dec, struct str tokens)
{
    struct chat_answer *st = dec->state;

    if (tokens.n == 0)
        return tokens;
    if (st->list_cap < tokens.n + 2) {
        st->list_cap = (tokens.n + 2) * 2;
        st->list = arena_alloc(dec->arena, st->list_cap, 1);
    }
    st->list[0] = '[';
    memcpy(st->list + 1, tokens.p, tokens.n);
    st->list[tokens.n + 1] = ']';
    return str_of(st->list, tokens.n + 2);
}

static tg_rc
put_piece(struct dialect_dec *dec, struct ir_event *ev, struct str text, struct str tokens)
{
    bool whole = text.n <= IR_PIECE_MAX;
    size_t cut = whole ? text.n : utf8_floor(text, IR_PIECE_MAX);
    tg_rc rc;

    ev->text = str_of(text.p, cut);
    ev->logprobs = as_list(dec, tokens);
    rc = chat_put(dec, ev);
    return rc == TG_OK && !whole ? ir_put_text(dec->sink, ev, str_from(text, cut)) : rc;
}

static tg_rc
put_pieces(struct dialect_dec *dec, struct ir_event *ev, struct str text, struct str list)
{
    struct str tokens = {NULL, 0};
    struct json_iter it;
    struct json_member m;
    size_t bytes = 0;
    tg_rc rc = json_array(&it, list);

    while (rc == TG_OK && json_next(&it, &m)) {
        size_t more = token_bytes(m.value), cut = utf8_floor(text, bytes);

        if (tokens.n && cut == bytes && cut && cut < text.n &&
            (tokens.n + m.value.n > PROBS_MAX || bytes + more > IR_PIECE_MAX)) {
            rc = put_piece(dec, ev, str_of(text.p, cut), tokens);
            text = str_from(text, cut);
            tokens = (struct str){NULL, 0};
            bytes = 0;
        }
        if (tokens.n == 0)
            tokens = m.value;
        tokens.n = (size_t)(m.value.p + m.value.n - tokens.p);
        bytes += more;
    }
    return rc == TG_OK ? put_piece(dec, ev, text, tokens) : rc;
}

tg_rc
chat_speak_probs(struct dialect_dec *dec, uint32_t choice, struct str value, struct str list)
{
    struct chat_answer *st = dec->state;
    struct chat_choice *ch = &st->choices[choice];
    struct ir_event ev = {.kind = IR_EV_DELTA, .choice = choice};
    struct str text = chat_text(dec, value);
    tg_rc rc;

    if (text.n == 0)
        return chat_keep_probs(dec, choice, list);
    rc = chat_open_speech(dec, choice, IR_TEXT, false, false);
    if (rc == TG_OK && ch->probs.n) {
        rc = chat_keep_probs(dec, choice, list);
        list = arena_printf(dec->arena, "[%.*s]", STR_ARG(ch->probs));
        ch->probs = (struct str){NULL, 0};
    }
    if (rc != TG_OK)
        return rc;
    st->odd = true;
    ev.block = ch->block;
    ch->chars += chat_count_chars(text);
    if (text.n <= IR_PIECE_MAX && list.n <= PROBS_MAX) {
        ev.text = text;
        ev.logprobs = list;
        return chat_put(dec, &ev);
    }
    return put_pieces(dec, &ev, text, list);
}
