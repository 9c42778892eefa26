/* sse.c -- server-sent events (HTML Living Standard, section 9.2).
 *
 * A record is everything up to and with a blank line.  Its end is looked for in the piece at
 * hand; when it is there and nothing is held from before, the record is a span of the piece.
 * Otherwise the piece is appended to `hold`, and the search goes on in the next one: what the
 * last held byte was says whether the next begins a line.  A found record is then cut into
 * lines and fields in a second pass, which touches only bytes that are in the cache.
 *
 * Nearly all records lie whole in a piece, end their lines with LF and have no field but an
 * event and one line of data, each with a blank behind the colon.  Those are read in one pass
 * by a short way of their own, which gives up at the first thing that is otherwise.
 *
 * Both kinds of line end are looked for with memchr.  The places of the next LF and the next CR
 * are remembered for the whole piece, so that a stream that uses only one of them is not
 * searched for the other again and again.
 *
 * Invariants
 *  (1) hold never has a whole record in it, except between two calls when `returned` is set.
 *  (2) The records and their fields do not depend on the cuts between pieces; raw only as sse.h
 *      says.
 *  (3) At most record_max + 1 bytes are held, and as many joined.
 *
 * What may go wrong: a record longer than record_max.
 */
#include "http/sse.h"

#include <assert.h>

enum { KEEP = 4096 }; /* an empty buffer larger than this is given back */

/* The next LF and the next CR of a run of bytes, or its end. */
struct ends {
    const char *lf, *cr;
};

static const struct str bom = STR("\xef\xbb\xbf");

void
sse_init(struct sse *s, size_t record_max)
{
    size_t hold_max = record_max == SIZE_MAX ? record_max : record_max + 1;

    *s = (struct sse){.record_max = record_max};
    buf_init(&s->hold, hold_max);
    buf_init(&s->joined, hold_max);
}

void
sse_fini(struct sse *s)
{
    buf_fini(&s->hold);
    buf_fini(&s->joined);
}

static const char *
find(const char *p, const char *end, char c)
{
    const char *at = p < end ? memchr(p, c, (size_t)(end - p)) : NULL;

    return at ? at : end;
}

/* The first LF or CR from p on, or end.  *e holds for some place at or before p. */
static inline const char *
line_end(struct ends *e, const char *p, const char *end)
{
    if (e->lf < p)
        e->lf = find(p, end, '\n');
    if (e->cr < p)
        e->cr = find(p, end, '\r');
    return e->lf < e->cr ? e->lf : e->cr;
}

void
sse_input(struct sse *s, struct str piece)
{
    assert(s->input.n == 0);
    if (piece.n == 0)
        return;
    s->input = piece;
    s->lf = s->cr = NULL; /* not looked for */
}

void
sse_finish(struct sse *s)
{
    s->finishing = true;
}

static void
advance(struct sse *s, size_t n)
{
    s->input.p += n;
    s->input.n -= n;
}

static tg_rc
add_data(struct sse *s, struct sse_record *r, struct str value)
{
    tg_rc rc;

    if (!r->has_data) {
        r->has_data = true;
        r->data = value;
        return TG_OK;
    }
    if (s->joined.n == 0) { /* the second line, or all before were empty */
        rc = buf_append(&s->joined, r->data);
        if (rc != TG_OK)
            return rc;
    }
    rc = buf_putc(&s->joined, '\n');
    if (rc == TG_OK)
        rc = buf_append(&s->joined, value);
    r->data = buf_str(&s->joined);
    return rc;
}

static tg_rc
add_field(struct sse *s, struct sse_record *r, struct str line)
{
    struct str name, value;

    if (line.p[0] == ':')
        return TG_OK;
    r->kind = SSE_EVENT;
    name = str_cut(line, ':', &value);
    if (value.n && value.p[0] == ' ')
        value = str_from(value, 1);
    if (str_eq(name, STR("data")))
        return add_data(s, r, value);
    if (str_eq(name, STR("event")))
        r->event = value;
    else if (str_eq(name, STR("id")) || str_eq(name, STR("retry")))
        r->has_id_retry = true;
    return TG_OK;
}

/* Fills in *r from the whole record raw; e holds for its start. */
static tg_rc
read_record(struct sse *s, struct str raw, struct ends e, struct sse_record *r)
{
    const char *p = raw.p, *end = raw.p + raw.n;

    *r = (struct sse_record){.kind = SSE_COMMENT, .raw = raw};
    while (p < end) {
        const char *at = line_end(&e, p, end);

        if (at > end)
            at = end; /* e is that of a whole piece */
        r->has_cr |= at < end && *at == '\r';
        if (at > p) {
            tg_rc rc = add_field(s, r, str_of(p, (size_t)(at - p)));

            if (rc != TG_OK)
                return rc;
        }
        p = at + 1;
        if (at < end && *at == '\r' && p < end && *p == '\n')
            p++;
    }
    return TG_OK;
}

/* Strips a BOM that may be cut; false when more bytes must come to tell. */
static bool
at_start(struct sse *s)
{
    while (s->hold.n < bom.n && s->input.n && s->input.p[0] == bom.p[s->hold.n]) {
        if (buf_append(&s->hold, str_of(s->input.p, 1)) != TG_OK)
            break;
        advance(s, 1);
    }
    if (s->hold.n == bom.n)
        buf_clear(&s->hold);
    else if (s->input.n == 0 && !s->finishing)
        return false;
    s->started = true;
    return true;
}

/* Looks for the end of the record in the input; *ret_n is how many of its bytes belong to it.
 */
static bool
find_record(struct sse *s, size_t *ret_n)
{
    const char *p = s->input.p, *end = p + s->input.n;
    struct str held = buf_str(&s->hold);
    char last = held.p && held.n ? held.p[held.n - 1] : '\n';
    struct ends e = {s->lf, s->cr};
    bool line_start = last == '\n' || last == '\r', found = false;

    if (last == '\r' && p < end && *p == '\n')
        p++;
    while (!found && p < end) {
        const char *at = line_start ? p : line_end(&e, p, end);

        if (at == end)
            break;
        if (*at != '\n' && *at != '\r') {
            line_start = false;
            continue;
        }
        found = line_start;
        line_start = true;
        p = at + 1;
        if (*at == '\r' && p < end && *p == '\n')
            p++;
        else if (*at == '\r' && p == end)
            s->skip_lf = found;
    }
    s->lf = e.lf;
    s->cr = e.cr;
    *ret_n = (size_t)(p - s->input.p);
    return found;
}

static tg_rc
too_large(struct sse *s, struct tg_err *err)
{
    s->rc = TG_ELIMIT;
    return tg_fail(err, TG_ELIMIT, TG_ERR_UPSTREAM, "event_too_large",
                   "an event of the stream is larger than %zu bytes", s->record_max);
}

/* The record is hold and n bytes of the input. */
static tg_rc
take_record(struct sse *s, size_t n, struct ends before, struct sse_record *ret,
            struct tg_err *err)
{
    struct str raw = str_of(s->input.p, n);
    bool crlf = n >= 2 && raw.p[n - 1] == '\n' && raw.p[n - 2] == '\r';

    if (s->hold.n + n - crlf > s->record_max)
        return too_large(s, err);
    if (s->hold.n) {
        if (buf_append(&s->hold, raw) != TG_OK)
            return too_large(s, err);
        raw = buf_str(&s->hold);
        before =
            (struct ends){find(raw.p, raw.p + raw.n, '\n'), find(raw.p, raw.p + raw.n, '\r')};
        s->returned = true;
    }
    if (n)
        advance(s, n);
    return read_record(s, raw, before, ret) == TG_OK ? TG_OK : too_large(s, err);
}

/* The short way: see above.  False leaves everything as it was. */
static bool
next_plain(struct sse *s, struct sse_record *ret)
{
    static const struct str data = STR("data: "), event = STR("event: ");
    const char *p = s->input.p, *end = p + s->input.n;
    struct sse_record r = {.kind = SSE_EVENT, .raw = {p, 0}};

    if (s->cr < p)
        s->cr = find(p, end, '\r');
    while (p < end && *p != '\n') {
        const char *lf = memchr(p, '\n', (size_t)(end - p));
        struct str line = {p, lf ? (size_t)(lf - p) : 0};

        if (!lf || lf > s->cr)
            return false;
        if (!r.has_data && str_starts(line, data)) {
            r.has_data = true;
            r.data = str_of(p + data.n, line.n - data.n);
        } else if (!r.event.p && str_starts(line, event)) {
            r.event = str_of(p + event.n, line.n - event.n);
        } else {
            return false;
        }
        p = lf + 1;
    }
    if (p == end || p == r.raw.p)
        return false;
    r.raw.n = (size_t)(p + 1 - r.raw.p);
    if (r.raw.n > s->record_max)
        return false;
    s->input = str_of(p + 1, (size_t)(end - p) - 1);
    *ret = r;
    return true;
}

static tg_rc
next_any(struct sse *s, struct sse_record *ret, struct tg_err *err)
{
    struct ends before;
    size_t n;

    if (s->rc != TG_OK)
        return too_large(s, err);
    if (s->returned) {
        buf_clear(&s->hold);
        buf_shrink(&s->hold, KEEP);
        s->returned = false;
    }
    buf_clear(&s->joined);
    buf_shrink(&s->joined, KEEP);
    ret->kind = SSE_NEED_MORE;
    if (!s->started && !at_start(s))
        return TG_OK;
    if (s->skip_lf && s->input.n) {
        s->skip_lf = false;
        if (s->input.p[0] == '\n')
            advance(s, 1);
    }
    before = (struct ends){s->lf, s->cr};
    if (s->input.n && find_record(s, &n))
        return take_record(s, n, before, ret, err);
    if (s->hold.n + s->input.n > s->record_max)
        return too_large(s, err);
    if (buf_append(&s->hold, s->input) != TG_OK)
        return too_large(s, err);
    s->input = (struct str){NULL, 0};
    if (s->finishing && s->hold.n)
        return take_record(s, 0, before, ret, err);
    return TG_OK;
}

tg_rc
sse_next(struct sse *s, struct sse_record *ret, struct tg_err *err)
{
    tg_rc rc;

    if (s->usual) {
        if (s->input.n == 0 && !s->finishing) {
            ret->kind = SSE_NEED_MORE;
            return TG_OK;
        }
        if (s->input.n && next_plain(s, ret))
            return TG_OK;
    }
    rc = next_any(s, ret, err);
    s->usual = rc == TG_OK && s->started && !s->skip_lf && s->hold.n == 0 && s->joined.n == 0;
    return rc;
}

/* Cuts *rest at its first line break and returns what stood before; *more says whether there
 * was one. */
static struct str
next_line(struct str *rest, bool *more)
{
    struct str s = *rest;
    const char *end = s.n ? s.p + s.n : s.p;
    const char *lf = find(s.p, end, '\n'), *at = find(s.p, lf, '\r');

    *more = at < end;
    if (*more)
        *rest = str_from(s, (size_t)(at - s.p) + 1 + (*at == '\r' && lf == at + 1 && lf < end));
    return str_of(s.p, (size_t)(at - s.p));
}

static tg_rc
put_line(struct buf *b, struct str name, struct str value)
{
    tg_rc rc = buf_append(b, name);

    if (rc == TG_OK)
        rc = buf_append(b, value);
    return rc == TG_OK ? buf_putc(b, '\n') : rc;
}

tg_rc
sse_write(struct buf *b, struct str event, struct str data)
{
    size_t n = b->n;
    bool more = false;
    tg_rc rc = TG_OK;

    if (event.n)
        rc = put_line(b, STR("event: "), next_line(&event, &more));
    do {
        struct str line = next_line(&data, &more);

        if (rc == TG_OK)
            rc = put_line(b, STR("data: "), line);
    } while (more && rc == TG_OK);
    if (rc == TG_OK)
        rc = buf_putc(b, '\n');
    if (rc != TG_OK)
        buf_truncate(b, n);
    return rc;
}
