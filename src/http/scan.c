/* scan.c -- the shape of a message head (RFC 9112 sections 2.2, 3, 5).
 *
 * A state machine over bytes:
 *
 *     EMPTY -> START -> LINE_LF -> LINE -> NAME -> VALUE -> LINE_LF -> LINE ... -> END_LF ->
 * end
 *
 * EMPTY skips the few empty lines that some clients send behind a body.  LINE is the beginning
 * of a line: another field, or the CR of the empty line; LINE_LF waits for the LF behind a CR.
 * The parser behind this one (llhttp) has its own opinion of the same bytes; a message passes
 * only when both agree.
 *
 * What may go wrong: nothing but the verdicts of scan.h.  Limits on bytes are the caller's.
 */
#include "http/scan.h"

#include "http/message.h"

enum { EMPTY, EMPTY_LF, FIRST, START, LINE_LF, LINE, NAME, VALUE, END_LF };

enum { EMPTY_LINES_MAX = 4 };

enum { TOKEN = 1, TEXT = 2, PLAIN = 4 }; /* classes: field names, field values, start lines */

static const uint8_t classes[256] = {
    ['\t'] = TEXT,
    [' '] = TEXT | PLAIN,
    ['"'] = TEXT | PLAIN,
    ['('] = TEXT | PLAIN,
    [')'] = TEXT | PLAIN,
    [','] = TEXT | PLAIN,
    ['/'] = TEXT | PLAIN,
    [':' ... '@'] = TEXT | PLAIN,
    ['[' ... ']'] = TEXT | PLAIN,
    ['{'] = TEXT | PLAIN,
    ['}'] = TEXT | PLAIN,
    ['!'] = TOKEN | TEXT | PLAIN,
    ['#' ... '\''] = TOKEN | TEXT | PLAIN,
    ['*' ... '+'] = TOKEN | TEXT | PLAIN,
    ['-' ... '.'] = TOKEN | TEXT | PLAIN,
    ['0' ... '9'] = TOKEN | TEXT | PLAIN,
    ['A' ... 'Z'] = TOKEN | TEXT | PLAIN,
    ['^' ... 'z'] = TOKEN | TEXT | PLAIN,
    ['|'] = TOKEN | TEXT | PLAIN,
    ['~'] = TOKEN | TEXT | PLAIN,
    [0x80 ... 0xff] = TEXT,
};

bool
scan_is_token(unsigned char c)
{
    return classes[c] & TOKEN;
}

void
scan_init(struct scan *s, enum scan_kind kind)
{
    *s = (struct scan){.kind = (uint8_t)kind};
    s->state = kind == SCAN_REQUEST ? EMPTY : kind == SCAN_RESPONSE ? FIRST : LINE;
}

bool
scan_begun(const struct scan *s)
{
    return s->state > FIRST;
}

/* The first byte that is not of the class. */
static size_t
skip(struct str s, size_t i, uint8_t class)
{
    while (i < s.n && (classes[(unsigned char)s.p[i]] & class))
        i++;
    return i;
}

static enum scan_result
bad(struct scan *s, const char *why)
{
    s->why = why;
    return SCAN_BAD;
}

/* Before the start line, and its first byte. */
static enum scan_result
first_byte(struct scan *s, char c)
{
    if (s->state == EMPTY && c == '\r') {
        if (++s->empty_lines > EMPTY_LINES_MAX)
            return bad(s, "too many empty lines before the request");
        s->state = EMPTY_LF;
        return SCAN_MORE;
    }
    if (s->state == EMPTY_LF) {
        s->state = EMPTY;
        return c == '\n' ? SCAN_MORE : bad(s, "CR without LF");
    }
    if (s->kind == SCAN_RESPONSE ? c != 'H' : c < 'A' || c > 'Z')
        return bad(s, "this is not HTTP/1");
    s->state = START;
    return SCAN_MORE;
}

/* The first byte of a line behind the start line. */
static enum scan_result
line_byte(struct scan *s, char c)
{
    if (c == '\r')
        s->state = END_LF;
    else if (c == ' ' || c == '\t')
        return bad(s, "a header line begins with white space");
    else if (!scan_is_token((unsigned char)c))
        return bad(s, "a header line begins with a character that no name has");
    else if (s->fields++ == HTTP_HEADERS_MAX)
        return SCAN_MANY;
    else
        s->state = NAME;
    return SCAN_MORE;
}

enum scan_result
scan_bytes(struct scan *s, struct str bytes, size_t *ret_used)
{
    uint8_t start_class = s->kind == SCAN_REQUEST ? PLAIN : TEXT;
    enum scan_result r = SCAN_MORE;
    size_t i = 0;

    while (i < bytes.n && r == SCAN_MORE) {
        switch (s->state) {
        case EMPTY:
        case EMPTY_LF:
        case FIRST:
            r = first_byte(s, bytes.p[i++]);
            break;
        case START: /* inside the start line */
        case VALUE:
            i = skip(bytes, i, s->state == VALUE ? TEXT : start_class);
            if (i == bytes.n)
                break;
            if (bytes.p[i++] == '\r')
                s->state = LINE_LF;
            else
                r = bad(s, bytes.p[i - 1] == '\n' ? "LF without CR" : "control character");
            break;
        case LINE_LF:
            r = bytes.p[i++] == '\n' ? SCAN_MORE : bad(s, "CR without LF");
            s->state = LINE;
            break;
        case NAME:
            i = skip(bytes, i, TOKEN);
            if (i == bytes.n)
                break;
            s->state = VALUE;
            if (bytes.p[i++] != ':')
                r = bad(s, "a header name holds a character that is not allowed there");
            break;
        case LINE:
            r = line_byte(s, bytes.p[i++]);
            break;
        default: /* END_LF */
            r = bytes.p[i++] == '\n' ? SCAN_END : bad(s, "CR without LF");
        }
    }
    *ret_used = i;
    return r;
}
