/* answer_put.c -- the ground of reading answers: text out of JSON, events into the sink, and
 * the one block of text, thoughts or refusal that a choice has open at a time.
 *
 * Text with escapes is written into one scratch area that grows to the longest piece and is
 * used again for each, so that a long stream costs the arena nothing.  What must outlive its
 * record is copied, and counted against the bound.
 */
#include "base/utf8.h"
#include "dialect/chat/answer_int.h"
#include "ir/unfold.h"

tg_rc
chat_broke(struct dialect_dec *dec, const char *why)
{
    return tg_upstream_fail(dec->err, TG_EPROTO, "upstream_protocol_error",
                            "the upstream's answer is not of the Chat dialect: %s", why);
}

tg_rc
chat_hold(struct dialect_dec *dec, size_t n)
{
    struct chat_answer *st = dec->state;
    if (n <= dec->hold_max && st->held <= dec->hold_max - n) {
        st->held += n;
        return TG_OK;
    }
    return tg_upstream_fail(
        dec->err, TG_ELIMIT, "upstream_response_too_large",
        "the upstream's answer holds back more than the configured %zu bytes", dec->hold_max);
}

static uint32_t
hex4(const char *p)
{
    uint32_t v = 0;

    for (int i = 0; i < 4; i++) {
        unsigned char c = (unsigned char)p[i];

        v = v << 4 | (c <= '9' ? c - 48U : (c | 0x20U) - 87U);
    }
    return v;
}

/* p is behind "\u" and at four digits; returns the place behind the character. */
static const char *
put_escape_u(const char *p, const char *end, char **to)
{
    uint32_t cp = hex4(p), low;

    p += 4;
    if (cp >= 0xd800 && cp <= 0xdbff && end - p >= 6 && p[0] == '\\' && p[1] == 'u') {
        low = hex4(p + 2);
        if (low >= 0xdc00 && low <= 0xdfff) {
            cp = 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
            p += 6;
        }
    }
    if (cp >= 0xd800 && cp <= 0xdfff)
        cp = 0xfffd;
    *to += utf8_put(*to, cp);
    return p;
}

/* The text was checked, so escapes are well formed; no escape is shorter than its character. */
static struct str
unescape(char *out, struct str in)
{
    static const char from[] = "bfnrt", into[] = "\b\f\n\r\t";
    const char *p = in.p, *end = p + in.n;
    char *to = out;

    while (p < end) {
        const char *stop = memchr(p, '\\', (size_t)(end - p)), *found;
        size_t n = (size_t)((stop ? stop : end) - p);

        memcpy(to, p, n);
        to += n;
        p += n;
        if (!stop || end - p < 2)
            break;
        if (p[1] == 'u' && end - p >= 6) {
            p = put_escape_u(p + 2, end, &to);
            continue;
        }
        found = memchr(from, p[1], sizeof from - 1);
        *to++ = found ? into[found - from] : p[1];
        p += 2;
    }
    return str_of(out, (size_t)(to - out));
}

struct str
chat_text(struct dialect_dec *dec, struct str value)
{
    struct chat_answer *st = dec->state;
    struct str in = {NULL, 0};

    if (value.n < 2 || value.p[0] != '"')
        return in;
    in = str_of(value.p + 1, value.n - 2);
    if (!memchr(in.p, '\\', in.n))
        return in;
    if (st->scratch_cap < in.n) {
        size_t cap = st->scratch_cap ? st->scratch_cap * 2 : 256;

        while (cap < in.n)
            cap *= 2;
        st->scratch = arena_alloc(dec->arena, cap, 1);
        st->scratch_cap = cap;
    }
    return unescape(st->scratch, in);
}

tg_rc
chat_keep(struct dialect_dec *dec, struct str value, struct str *ret)
{
    struct str text = chat_text(dec, value);
    tg_rc rc = chat_hold(dec, text.n);

    if (rc == TG_OK)
        *ret = arena_dup(dec->arena, text);
    return rc;
}

tg_rc
chat_put(struct dialect_dec *dec, const struct ir_event *ev)
{
    struct chat_answer *st = dec->state;

    st->n_put++;
    return dec->sink->put(dec->sink, ev);
}

tg_rc
chat_put_text(struct dialect_dec *dec, const struct ir_event *place, struct str value,
              struct str text)
{
    struct chat_answer *st = dec->state;
    struct ir_event ev = {.kind = IR_EV_DELTA, .choice = place->choice, .block = place->block};

    if (text.n == 0)
        return TG_OK;
    st->text_span = value.n >= 2 ? str_of(value.p + 1, value.n - 2) : value;
    st->last = ev;
    if (text.n > IR_PIECE_MAX) {
        st->odd = true;
        return ir_put_text(dec->sink, &ev, text);
    }
    ev.text = text;
    return chat_put(dec, &ev);
}

tg_rc
chat_close_speech(struct dialect_dec *dec, uint32_t choice)
{
    struct chat_answer *st = dec->state;
    struct chat_choice *ch = &st->choices[choice];
    struct ir_event ev = {.kind = IR_EV_CLOSE, .choice = choice, .block = ch->block};

    if (!ch->speaking)
        return TG_OK;
    ch->speaking = false;
    if (ch->kind == IR_THINK && ch->proof.sig.n)
        ev.head = &ch->proof;
    return chat_put(dec, &ev);
}

tg_rc
chat_open_speech(struct dialect_dec *dec, uint32_t choice, enum ir_kind kind, bool summary,
                 bool redacted)
{
    struct chat_answer *st = dec->state;
    struct chat_choice *ch = &st->choices[choice];
    const struct ir_block head = {.kind = kind, .summary = summary, .redacted = redacted};
    struct ir_event ev = {.kind = IR_EV_OPEN, .choice = choice, .head = &head};
    tg_rc rc;

    if (ch->speaking && ch->kind == kind)
        return TG_OK;
    rc = chat_close_speech(dec, choice);
    if (rc == TG_OK)
        rc = chat_close_calls(dec, choice, false);
    if (rc != TG_OK)
        return rc;
    ch->block = ev.block = ch->next_block++;
    ch->kind = kind;
    ch->speaking = true;
    ch->from = ch->chars;
    ch->proof = head;
    return chat_put(dec, &ev);
}

tg_rc
chat_speak(struct dialect_dec *dec, uint32_t choice, enum ir_kind kind, bool summary,
           struct str value)
{
    struct chat_answer *st = dec->state;
    struct chat_choice *ch = &st->choices[choice];
    struct ir_event place = {.choice = choice};
    struct str text = chat_text(dec, value);
    tg_rc rc = TG_OK;

    if (text.n == 0)
        return TG_OK;
    /* What follows a proof is another block's. */
    if (kind == IR_THINK && ch->speaking && ch->kind == kind && ch->proof.sig.n)
        rc = chat_close_speech(dec, choice);
    if (rc == TG_OK)
        rc = chat_open_speech(dec, choice, kind, summary, false);
    if (rc != TG_OK)
        return rc;
    place.block = ch->block;
    if (kind == IR_TEXT)
        ch->chars += chat_count_chars(text);
    st->last_call = 0;
    return chat_put_text(dec, &place, value, text);
}
