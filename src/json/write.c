/* write.c -- JSON written straight into a buffer.
 *
 * Text is copied in runs: json_find_special jumps to the next byte that needs thought, and what
 * stands before it is appended at once.  Well-formed UTF-8 belongs to the run.
 *
 * Invariants
 *  (1) `comma` is set exactly when a value was completed at the current level.
 *  (2) Once rc is not TG_OK nothing is appended any more, but depth is still kept, so that a
 *      forgotten bracket is found in a run that failed too.
 */
#include "json/write.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/num.h"
#include "base/utf8.h"
#include "json/scan_int.h"

static const struct str replacement = {"\xef\xbf\xbd", 3};

static tg_rc
escape_byte(struct buf *b, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char letters[0x20] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    char out[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 0x0f]};
    char letter = c < 0x20 ? letters[c] : (char)c;

    if (!letter)
        return buf_append(b, str_of(out, 6));
    out[1] = letter;
    return buf_append(b, str_of(out, 2));
}

tg_rc
json_escape(struct buf *b, struct str s)
{
    const char *p = s.n ? s.p : "", *end = p + s.n, *run = p;
    tg_rc rc = TG_OK;

    while (p < end && rc == TG_OK) {
        unsigned char c;
        size_t n = 1;

        p = json_find_special(p, end);
        if (p == end)
            break;
        c = (unsigned char)*p;
        if (c >= 0x80) {
            n = utf8_seq(p, end);
            if (n > 0) {
                p += n;
                continue;
            }
        }
        rc = buf_append(b, str_of(run, (size_t)(p - run)));
        if (rc == TG_OK)
            rc = c >= 0x80 ? buf_append(b, replacement) : escape_byte(b, c);
        p++;
        run = p;
    }
    return rc == TG_OK ? buf_append(b, str_of(run, (size_t)(end - run))) : rc;
}

/* Where k more bytes may be written, or NULL once the writer has failed.  What is written
 * counts from put_end on.  One such pair a call keeps an event's many short pieces cheap. */
static inline char *
put_begin(struct json_out *o, size_t k)
{
    struct buf *b = o->b;
    char *p;

    if (o->rc != TG_OK)
        return NULL;
    if (k <= b->cap - b->off - b->n && k <= b->max - b->n && b->p)
        return b->p + b->off + b->n;
    o->rc = buf_reserve(b, k, &p);
    return o->rc == TG_OK ? p : NULL;
}

static inline void
put_end(struct json_out *o, const char *end)
{
    buf_commit(o->b, (size_t)(end - (o->b->p + o->b->off + o->b->n)));
}

static inline char *
copy(char *to, struct str s)
{
    if (s.n)
        memcpy(to, s.p, s.n);
    return to + s.n;
}

static void
put(struct json_out *o, struct str s)
{
    char *p = put_begin(o, s.n);

    if (p)
        put_end(o, copy(p, s));
}

static void
put_c(struct json_out *o, char c)
{
    put(o, str_of(&c, 1));
}

/* The separator, if one is due, and text between `before` and `after`: all in one step. Inlined
 * so that the literals around the text are single stores. */
static inline __attribute__((always_inline)) void
put_item(struct json_out *o, struct str before, struct str s, struct str after)
{
    char *p = put_begin(o, o->comma + before.n + s.n + after.n);

    if (p) {
        if (o->comma)
            *p++ = ',';
        put_end(o, copy(copy(copy(p, before), s), after));
    }
    o->comma = false;
}

/* A value that is text as it stands. */
static void
put_value(struct json_out *o, struct str s)
{
    put_item(o, STR(""), s, STR(""));
    o->comma = true;
}

void
json_begin(struct json_out *o, struct buf *b)
{
    o->b = b;
    o->rc = TG_OK;
    o->depth = 0;
    o->comma = false;
    o->held_n = 0;
}

void
json_open(struct json_out *o, char bracket)
{
    assert(bracket == '{' || bracket == '[');
    assert(o->depth < JSON_OUT_DEPTH);
    put_item(o, str_of(&bracket, 1), STR(""), STR(""));
    o->close[o->depth++] = bracket == '{' ? '}' : ']';
}

void
json_close(struct json_out *o)
{
    assert(o->depth > 0);
    put_c(o, o->close[--o->depth]);
    o->comma = true;
}

tg_rc
json_end(struct json_out *o)
{
    assert(o->depth == 0);
    return o->rc;
}

void
json_key(struct json_out *o, const char *key)
{
    put_item(o, STR("\""), str_z(key), STR("\":"));
}

void
json_key_str(struct json_out *o, struct str key)
{
    json_str(o, key);
    put_c(o, ':');
    o->comma = false;
}

void
json_str(struct json_out *o, struct str s)
{
    const char *p = s.n ? s.p : "";

    if (json_find_special(p, p + s.n) == p + s.n) {
        put_item(o, STR("\""), s, STR("\""));
    } else {
        put_item(o, STR("\""), STR(""), STR(""));
        if (o->rc == TG_OK)
            o->rc = json_escape(o->b, s);
        put_c(o, '"');
    }
    o->comma = true;
}

void
json_str_open(struct json_out *o)
{
    put_item(o, STR("\""), STR(""), STR(""));
    o->held_n = 0;
}

/* Adds bytes of *s to the held ones until they are a character or cannot become one. */
static void
complete_held(struct json_out *o, struct str *s)
{
    while (o->held_n > 0 && s->n > 0) {
        size_t n = o->held_n + 1u;

        o->held[n - 1] = s->p[0];
        if (utf8_seq(o->held, o->held + n) == n) {
            put(o, str_of(o->held, n));
            *s = str_from(*s, 1);
            o->held_n = 0;
        } else if (utf8_floor(str_of(o->held, n), n) == 0) {
            *s = str_from(*s, 1);
            o->held_n = (uint8_t)n;
        } else {
            /* The byte begins something else and stays where it is. */
            put(o, replacement);
            o->held_n = 0;
        }
    }
}

void
json_str_part(struct json_out *o, struct str s)
{
    size_t whole;

    complete_held(o, &s);
    whole = utf8_floor(s, s.n);
    if (o->rc == TG_OK)
        o->rc = json_escape(o->b, str_of(s.p, whole));
    /* All bytes of s went into held, or held is empty. */
    for (; whole < s.n; whole++)
        o->held[o->held_n++] = s.p[whole];
}

void
json_str_close(struct json_out *o)
{
    if (o->held_n > 0)
        put(o, replacement);
    o->held_n = 0;
    put_c(o, '"');
    o->comma = true;
}

void
json_int(struct json_out *o, int64_t v)
{
    char text[NUM_DIGITS], *end = text + sizeof text;
    char *p = num_digits(end, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, 1);

    if (v < 0)
        *--p = '-'; /* there is room: an int64_t has nineteen digits */
    put_value(o, str_of(p, (size_t)(end - p)));
}

void
json_bool_put(struct json_out *o, bool v)
{
    put_value(o, v ? STR("true") : STR("false"));
}

void
json_null(struct json_out *o)
{
    put_value(o, STR("null"));
}

/* The program never leaves the C locale, so the point is a point. */
void
json_double_put(struct json_out *o, double v)
{
    char text[32];

    if (!isfinite(v)) {
        json_null(o);
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    put_value(o, str_z(text));
}

void
json_raw(struct json_out *o, struct str value)
{
    put_value(o, value.n ? value : STR("null"));
}

void
json_kv_str(struct json_out *o, const char *key, struct str s)
{
    json_key(o, key);
    json_str(o, s);
}

void
json_kv_int(struct json_out *o, const char *key, int64_t v)
{
    json_key(o, key);
    json_int(o, v);
}

void
json_kv_bool(struct json_out *o, const char *key, bool v)
{
    json_key(o, key);
    json_bool_put(o, v);
}

void
json_kv_null(struct json_out *o, const char *key)
{
    json_key(o, key);
    json_null(o);
}

void
json_kv_raw(struct json_out *o, const char *key, struct str value)
{
    json_key(o, key);
    json_raw(o, value);
}
