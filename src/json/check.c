/* check.c -- is this text exactly one JSON value?
 *
 * One pass, no recursion: what encloses the current place is one bit a level (object or array)
 * in two words, which is why 128 levels is the most.  Between tokens the checker is in one of
 * these states:
 *
 *   VALUE     a value must stand here
 *   ELEMENT   just behind '[': a value, or ']'
 *   MEMBER    just behind '{': a key, or '}'
 *   KEY       behind a comma in an object: a key
 *   AFTER     a value has ended: a comma or the closing bracket; at depth 0, the end of the
 * text
 *
 * A failing step leaves in `why` what is wrong and returns the place where, so that the message
 * can name the byte.  The text itself is never quoted: it may be a prompt.
 */
#include "json/scan.h"

#include <string.h>

#include "base/utf8.h"
#include "json/scan_int.h"

enum state { VALUE, ELEMENT, MEMBER, KEY, AFTER };

struct check {
    const char *end;
    const char *why; /* set once a step has failed */
    uint64_t objects[JSON_DEPTH_MAX / 64];
    unsigned depth, depth_max;
    bool too_deep;
    bool escapes; /* a backslash was met in a string */
    enum state state;
};

static const char *
wrong(struct check *c, const char *at, const char *why)
{
    c->why = why;
    return at;
}

static bool
in_object(const struct check *c)
{
    return c->objects[(c->depth - 1) / 64] >> ((c->depth - 1) % 64) & 1;
}

static bool
is_hex(char ch)
{
    return (unsigned char)(ch - '0') < 10 || (unsigned char)((ch | 0x20) - 'a') < 6;
}

/* p is at a backslash. */
static const char *
check_escape(struct check *c, const char *p)
{
    if (c->end - p < 2)
        return wrong(c, c->end, "the text ends inside a string");
    switch (p[1]) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return p + 2;
    case 'u':
        for (int i = 2; i < 6; i++) {
            if (p + i == c->end)
                return wrong(c, c->end, "the text ends inside a string");
            if (!is_hex(p[i]))
                return wrong(c, p, "\\u must be followed by four hexadecimal digits");
        }
        return p + 6;
    default:
        return wrong(c, p, "no such escape in a string");
    }
}

/* p is behind the opening quote; returns the place behind the closing one. */
static const char *
check_string(struct check *c, const char *p)
{
    for (;;) {
        unsigned char ch;

        p = json_find_special(p, c->end);
        if (p == c->end)
            return wrong(c, p, "the text ends inside a string");
        ch = (unsigned char)*p;
        if (ch == '"')
            return p + 1;
        if (ch == '\\') {
            c->escapes = true;
            p = check_escape(c, p);
            if (c->why)
                return p;
            continue;
        }
        if (ch < 0x20)
            return wrong(c, p, "a control character in a string must be escaped");
        /* Characters outside ASCII tend to come in runs. */
        do {
            size_t n = utf8_seq(p, c->end);

            if (n == 0)
                return wrong(c, p, "a string is not valid UTF-8");
            p += n;
        } while (p < c->end && (unsigned char)*p >= 0x80);
    }
}

const char *
json_string_end(const char *p, const char *end, bool *ret_escapes)
{
    struct check c = {.end = end};

    p = check_string(&c, p);
    *ret_escapes = c.escapes;
    return c.why ? NULL : p;
}

static const char *
check_key(struct check *c, const char *p)
{
    if (*p != '"')
        return wrong(c, p, "expected a key in double quotes");
    p = check_string(c, p + 1);
    if (c->why)
        return p;
    p = json_skip_space(p, c->end);
    if (p == c->end)
        return wrong(c, p, "the text ends inside an object");
    if (*p != ':')
        return wrong(c, p, "expected ':' after a key");
    c->state = VALUE;
    return p + 1;
}

static const char *
check_open(struct check *c, const char *p)
{
    uint64_t bit = UINT64_C(1) << (c->depth % 64), *word = &c->objects[c->depth / 64 % 2];

    if (c->depth == c->depth_max) {
        c->too_deep = true;
        return wrong(c, p, "nested too deeply");
    }
    *word = *p == '{' ? *word | bit : *word & ~bit;
    c->depth++;
    c->state = *p == '{' ? MEMBER : ELEMENT;
    return p + 1;
}

static const char *
check_close(struct check *c, const char *p)
{
    c->depth--;
    c->state = AFTER;
    return p + 1;
}

static const char *
check_value(struct check *c, const char *p)
{
    const char *after;

    switch (*p) {
    case '"':
        c->state = AFTER;
        return check_string(c, p + 1);
    case '{':
    case '[':
        return check_open(c, p);
    case ']':
        if (c->state == ELEMENT)
            return check_close(c, p);
        return wrong(c, p, "expected a value");
    case 'n':
    case 't':
    case 'f':
        after = json_skip_word(p, c->end);
        break;
    case '-':
    case '0' ... '9':
        after = json_skip_number(p, c->end);
        if (!after)
            return wrong(c, p, "not a JSON number");
        break;
    default:
        return wrong(c, p, "expected a value");
    }
    if (!after)
        return wrong(c, p, "expected a value");
    c->state = AFTER;
    return after;
}

/* Behind a value inside an object or array. */
static const char *
check_after(struct check *c, const char *p)
{
    bool object = in_object(c);

    if (*p == ',') {
        c->state = object ? KEY : VALUE;
        return p + 1;
    }
    if (*p == (object ? '}' : ']'))
        return check_close(c, p);
    return wrong(c, p, object ? "expected ',' or '}'" : "expected ',' or ']'");
}

static const char *
check_text(struct check *c, const char *p)
{
    for (;;) {
        p = json_skip_space(p, c->end);
        if (p == c->end)
            break;
        switch (c->state) {
        case VALUE:
        case ELEMENT:
            p = check_value(c, p);
            break;
        case MEMBER:
            p = *p == '}' ? check_close(c, p) : check_key(c, p);
            break;
        case KEY:
            p = check_key(c, p);
            break;
        case AFTER:
            if (c->depth == 0)
                return wrong(c, p, "something follows the value");
            p = check_after(c, p);
            break;
        }
        if (c->why)
            return p;
    }
    if (c->depth > 0)
        return wrong(c, p,
                     in_object(c) ? "the text ends inside an object"
                                  : "the text ends inside an array");
    return c->state == AFTER ? p : wrong(c, p, "there is no value");
}

/* RFC 8259 section 8.1 lets a parser ignore a byte order mark.  We refuse: what we pass on
 * would begin with it, and upstreams refuse it in less helpful words. */
static bool
has_bom(struct str text)
{
    return str_starts(text, STR("\xef\xbb\xbf")) || str_starts(text, STR("\xff\xfe")) ||
           str_starts(text, STR("\xfe\xff"));
}

tg_rc
json_check(struct str text, unsigned depth_max, struct tg_err *err)
{
    const char *begin = text.n ? text.p : "", *at;
    struct check c = {
        .end = begin + text.n,
        .depth_max = depth_max < JSON_DEPTH_MAX ? depth_max : JSON_DEPTH_MAX,
    };

    if (has_bom(text))
        return tg_refuse(
            err, "invalid_json", NULL,
            "invalid JSON at byte 0: a byte order mark (BOM); send UTF-8 without it");
    at = check_text(&c, begin);
    if (!c.why)
        return TG_OK;
    if (c.too_deep) {
        (void)tg_refuse(err, "json_too_deep", NULL,
                        "JSON is nested deeper than %u levels at byte %zu", c.depth_max,
                        (size_t)(at - begin));
        if (err)
            err->rc = TG_ELIMIT;
        return TG_ELIMIT;
    }
    return tg_refuse(err, "invalid_json", NULL, "invalid JSON at byte %zu: %s",
                     (size_t)(at - begin), c.why);
}
