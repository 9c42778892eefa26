/* parser_body.c -- the body of a message: framing, chunk by chunk.
 *
 * In the body llhttp does the framing and stops at every chunk size, every span of data, every
 * chunk's end and the end, so that data is handed out where it lies.  The bytes in between
 * (sizes, extensions, trailers) are looked at once more here, since llhttp puts no bound on
 * them.
 *
 * A stream of events is thousands of small chunks, each of which usually comes whole.  Between
 * two chunks llhttp remembers nothing of those before, so a chunk that lies there whole, with
 * nothing but digits in its size line, is passed by it.  Any other is llhttp's.
 *
 * Invariants: those of parser.c; and between two chunks `chunk_line` counts the line end behind
 * the data, on both ways.
 */
#include "http/parser_int.h"

#include "base/num.h"

enum { CHUNK_LINE_MAX = 1024, CHUNK_DIGITS = 7 };

/* Chunk sizes and their extensions, and the line ends around them. */
static tg_rc
check_chunk_line(struct http_parser *p, struct str s, struct tg_err *err)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (p->saw_cr != (c == '\n') || c >= 0x7f || (c < ' ' && !memchr("\t\r\n", c, 3)))
            return parser_fail(p, TG_EPROTO, "bad chunk size line", err);
        if (++p->chunk_line > CHUNK_LINE_MAX)
            return parser_fail(p, TG_EPROTO, "a chunk extension is too long", err);
        p->saw_cr = c == '\r';
    }
    return TG_OK;
}

static tg_rc
check_trailers(struct http_parser *p, struct str s, struct tg_err *err)
{
    struct str view = s;
    enum scan_result r;
    size_t used;

    if (view.n > p->head_max - p->head_n)
        view.n = p->head_max - p->head_n;
    r = scan_bytes(&p->scan, view, &used);
    if (r == SCAN_BAD || r == SCAN_MANY)
        return parser_fail_scan(p, r, err);
    if (view.n < s.n)
        return parser_fail(p, TG_ELIMIT, "the trailers are too large", err);
    p->head_n += used;
    return TG_OK;
}

/* One stop of llhttp: a chunk size, a span of data, the end, or the end of the input. */
static tg_rc
step_body(struct http_parser *p, struct str *input, struct tg_err *err)
{
    const char *start = input->p ? input->p : "";
    llhttp_errno_t e;
    size_t used;
    tg_rc rc = TG_OK;

    if (llhttp_get_errno(&p->ll) == HPE_PAUSED)
        llhttp_resume(&p->ll);
    p->data = (struct str){NULL, 0};
    p->at_size = p->between = false;
    e = llhttp_execute(&p->ll, start, input->n);
    used = e == HPE_OK ? input->n : (size_t)(llhttp_get_error_pos(&p->ll) - start);
    if (p->chunked && !p->data.n) {
        struct str framing = str_of(start, used);

        rc = p->in_trailers ? check_trailers(p, framing, err)
                            : check_chunk_line(p, framing, err);
    }
    if (rc != TG_OK)
        return rc;
    if (e != HPE_OK && e != HPE_PAUSED)
        return parser_fail(p, TG_EPROTO, llhttp_get_error_reason(&p->ll), err);
    *input = str_from(*input, used);
    if (p->at_size) {
        p->chunk_line = 0;
        if (p->ll.content_length == 0) {
            p->in_trailers = true;
            scan_init(&p->scan, SCAN_TRAILERS);
        }
    }
    return TG_OK;
}

/* A chunk that lies whole in front of the input, and is not the last one: its data. */
static bool
whole_chunk(struct str *input, struct str *ret_data)
{
    struct str in = *input;
    size_t i = 0, n = 0;
    int digit;

    for (; i < in.n && i < CHUNK_DIGITS && (digit = num_hex_digit(in.p[i])) >= 0; i++)
        n = n << 4 | (size_t)digit;
    if (n == 0 || in.n < i + 2 + n + 2 || memcmp(in.p + i, "\r\n", 2) != 0 ||
        memcmp(in.p + i + 2 + n, "\r\n", 2) != 0)
        return false;
    *ret_data = str_of(in.p + i + 2, n);
    *input = str_from(in, i + 2 + n + 2);
    return true;
}

tg_rc
parser_feed_body(struct http_parser *p, struct str *input, enum http_step *ret_step,
                 struct str *ret_data, struct tg_err *err)
{
    tg_rc rc;

    for (;;) {
        bool last = input->n == 0;

        if (p->between && last) {
            *ret_step = HTTP_NEED_MORE;
            return TG_OK;
        }
        if (p->between && whole_chunk(input, ret_data)) {
            *ret_step = HTTP_DATA;
            return TG_OK;
        }
        rc = step_body(p, input, err);
        if (rc != TG_OK)
            return rc;
        if (p->data.n) {
            *ret_data = p->data;
            *ret_step = HTTP_DATA;
            return TG_OK;
        }
        if (p->complete) {
            p->state = PARSER_DONE;
            *ret_step = HTTP_END;
            return TG_OK;
        }
        if (last) {
            *ret_step = HTTP_NEED_MORE;
            return TG_OK;
        }
    }
}
