/* unwrap.c -- the text of a free-form tool out of the arguments of the function that stood for
 * it: {"input":"..."}, as it arrives.
 *
 *   WRAP  --the quote of the text-->  TEXT  --its closing quote-->  BEHIND
 *     |  --}-->  NOTHING
 *     |             |
 *     +-------------+--anything else-->  PLAIN
 *
 * Up to the quote that opens the text the bytes are held, because a model may not have kept to
 * the form; then they and all that follows are the text as they stand (PLAIN).  Behind that
 * quote a backslash begins an escape, and what is no valid one stands for itself: the text has
 * gone out by then, so it is made the best of.  Behind the closing quote nothing matters.
 *
 * Empty arguments, and {} alone, are an empty text.
 */
#include "ir/adapt_int.h"

#include <assert.h>

#include "base/num.h"
#include "base/utf8.h"

enum { WRAP, NOTHING, TEXT, ESCAPE, HEX, BEHIND, PLAIN };

/* One run of the machine over one piece. */
struct run {
    struct adapt_unwrap *u;
    const struct ir_event *place;
    struct ir_sink *next;
    tg_rc rc;
};

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void
put_now(struct run *r, struct str text)
{
    struct ir_event ev = *r->place;

    if (text.n == 0 || r->rc != TG_OK)
        return;
    ev.kind = IR_EV_DELTA;
    ev.head = NULL;
    ev.text = text;
    ev.logprobs = (struct str){NULL, 0};
    r->rc = r->next->put(r->next, &ev);
}

/* What has been gathered, up to the last whole character. */
static void
flush(struct run *r, bool all)
{
    struct adapt_unwrap *u = r->u;
    size_t n = all ? u->n_out : utf8_floor(str_of(u->out, u->n_out), u->n_out);

    if (n == 0)
        n = u->n_out;
    put_now(r, str_of(u->out, n));
    u->n_out = (uint16_t)(u->n_out - n);
    memmove(u->out, u->out + n, u->n_out);
}

static void
gather(struct run *r, const char *p, size_t n)
{
    struct adapt_unwrap *u = r->u;

    if (u->n_out + n > ADAPT_PIECE_MAX)
        flush(r, false);
    assert(u->n_out + n <= ADAPT_PIECE_MAX);
    memcpy(u->out + u->n_out, p, n);
    u->n_out = (uint16_t)(u->n_out + n);
}

static void
gather_char(struct run *r, uint32_t cp)
{
    char bytes[4];
    size_t n = utf8_put(bytes, cp);

    if (n)
        gather(r, bytes, n);
    else
        gather(r, "\xef\xbf\xbd", 3);
}

/* A first half whose second did not come. */
static void
end_pair(struct run *r)
{
    if (r->u->high)
        gather_char(r, r->u->high);
    r->u->high = 0;
}

static void
end_hex(struct run *r)
{
    struct adapt_unwrap *u = r->u;
    uint16_t unit = u->unit;

    u->state = TEXT;
    if (u->high && unit >= 0xdc00 && unit <= 0xdfff) {
        gather_char(r, 0x10000 + (((uint32_t)u->high - 0xd800) << 10) + (unit - 0xdc00U));
        u->high = 0;
        return;
    }
    end_pair(r);
    if (unit >= 0xd800 && unit <= 0xdbff)
        u->high = unit;
    else
        gather_char(r, unit);
}

static void
take_escape(struct run *r, char c)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    const char *at = c ? strchr(from, c) : NULL;

    r->u->state = TEXT;
    if (c == 'u') {
        r->u->state = HEX;
        r->u->n_hex = 0;
        r->u->unit = 0;
        return;
    }
    end_pair(r);
    if (at)
        c = to[at - from];
    gather(r, &c, 1);
}

static void
take_hex(struct run *r, char c)
{
    struct adapt_unwrap *u = r->u;
    int v = num_hex_digit(c);

    if (v < 0) {
        /* No number: what stands there is passed over, and this byte is text again. */
        u->state = TEXT;
        end_pair(r);
        gather_char(r, 0xfffd);
        if (c == '"')
            u->state = BEHIND;
        else if (c == '\\')
            u->state = ESCAPE;
        else
            gather(r, &c, 1);
        return;
    }
    u->unit = (uint16_t)(u->unit << 4 | v);
    if (++u->n_hex == 4)
        end_hex(r);
}

/* Text up to the next quote or backslash; returns how much of it was read. */
static size_t
take_text(struct run *r, struct str text)
{
    size_t n = 0;

    while (n < text.n && n < ADAPT_PIECE_MAX / 2 && text.p[n] != '"' && text.p[n] != '\\')
        n++;
    if (n) {
        end_pair(r);
        gather(r, text.p, n);
        return n;
    }
    if (text.p[0] == '\\') {
        r->u->state = ESCAPE;
    } else {
        end_pair(r);
        r->u->state = BEHIND;
    }
    return 1;
}

/* The form was not kept to. */
static void
be_plain(struct run *r)
{
    r->u->state = PLAIN;
    put_now(r, str_of(r->u->held, r->u->n_held));
}

/* Returns how much was read: nothing of what does not fit. */
static size_t
take_wrap(struct run *r, char c)
{
    static const char form[] = "{\"input\":\"";
    struct adapt_unwrap *u = r->u;
    /* There is no white space inside the name. */
    bool between = u->state == NOTHING || u->n_form < 2 || u->n_form > 7;

    if (u->n_held == ADAPT_WRAP_MAX) {
        be_plain(r);
        return 0;
    }
    if (u->state == WRAP && c == form[u->n_form]) {
        if (++u->n_form == sizeof form - 1)
            u->state = TEXT;
    } else if (u->state == WRAP && c == '}' && u->n_form == 1) {
        u->state = NOTHING;
    } else if (!between || !is_space(c)) {
        be_plain(r);
        return 0;
    }
    u->held[u->n_held++] = c;
    return 1;
}

tg_rc
adapt_unwrap(struct adapt_unwrap *u, const struct ir_event *place, struct str text,
             struct ir_sink *next)
{
    struct run r = {u, place, next, TG_OK};

    while (text.n && r.rc == TG_OK) {
        size_t n = 1;

        switch (u->state) {
        case WRAP:
        case NOTHING:
            n = take_wrap(&r, text.p[0]);
            break;
        case TEXT:
            n = take_text(&r, text);
            break;
        case ESCAPE:
            take_escape(&r, text.p[0]);
            break;
        case HEX:
            take_hex(&r, text.p[0]);
            break;
        case PLAIN:
            n = text.n;
            put_now(&r, text);
            break;
        default:
            n = text.n;
            break;
        }
        text = str_from(text, n);
    }
    flush(&r, true);
    return r.rc;
}

tg_rc
adapt_unwrap_end(struct adapt_unwrap *u, const struct ir_event *place, struct ir_sink *next)
{
    struct run r = {u, place, next, TG_OK};

    if (u->state == WRAP && u->n_form > 0)
        be_plain(&r);
    end_pair(&r);
    flush(&r, true);
    return r.rc;
}
