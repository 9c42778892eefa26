/* sse_log.c -- a text form of the records of an SSE stream.
 *
 * Every record is checked for what holds of all of them: its fields lie in its raw bytes (or in
 * the joined data), and a record that lies in one piece is not copied.
 */
#include "support/sse_log.h"

#include <assert.h>
#include <stdlib.h>

#include "http/sse.h"

static void
put(struct buf *b, struct str s)
{
    tg_rc rc = buf_append(b, s);

    assert(rc == TG_OK);
    (void)rc;
}

static void
print(struct buf *log, const struct sse_record *r)
{
    if (r->kind == SSE_COMMENT) {
        assert(!r->has_data && !r->has_id_retry && r->event.n == 0 && r->data.n == 0);
        put(log, STR("comment\n"));
        return;
    }
    put(log, STR("event <"));
    put(log, r->event);
    put(log, STR(">"));
    if (r->has_id_retry)
        put(log, STR(" id"));
    if (r->has_data) {
        put(log, STR(" data <"));
        put(log, r->data);
        put(log, STR(">"));
    }
    put(log, STR("\n"));
}

static bool
inside(struct str s, struct str of)
{
    return s.n == 0 || (s.p >= of.p && s.p + s.n <= of.p + of.n);
}

static tg_rc
drain(struct sse *s, struct str piece, struct buf *log, struct buf *raws)
{
    struct sse_record r;
    struct tg_err err;
    tg_rc rc;

    for (;;) {
        rc = sse_next(s, &r, &err);
        if (rc != TG_OK) {
            assert(rc == TG_ELIMIT && strcmp(err.code, "event_too_large") == 0);
            assert(sse_next(s, &r, &err) == rc);
            put(log, STR("too large\n"));
            return rc;
        }
        if (r.kind == SSE_NEED_MORE)
            return TG_OK;
        assert(r.raw.n > 0 && inside(r.event, r.raw));
        assert(inside(r.raw, piece) || inside(r.raw, buf_str(&s->hold)));
        assert(inside(r.data, r.raw) || inside(r.data, buf_str(&s->joined)));
        print(log, &r);
        if (raws)
            put(raws, r.raw);
    }
}

tg_rc
sse_log(struct buf *log, struct buf *raws, struct str stream, size_t record_max,
        const size_t *cuts, size_t n_cuts)
{
    struct sse s;
    size_t from = 0;
    tg_rc rc = TG_OK;

    sse_init(&s, record_max);
    for (size_t i = 0; rc == TG_OK && i <= n_cuts; i++) {
        size_t to = i < n_cuts ? cuts[i] : stream.n;
        char *copy = malloc(to - from + 1);
        struct str piece = str_of(copy, to - from);

        if (to > from)
            memcpy(copy, stream.p + from, to - from);
        sse_input(&s, piece);
        rc = drain(&s, piece, log, raws);
        free(copy);
        from = to;
    }
    if (rc == TG_OK) {
        sse_finish(&s);
        rc = drain(&s, STR(""), log, raws);
    }
    sse_fini(&s);
    return rc;
}

bool
sse_raws_ok(struct str raws, struct str stream, const size_t *cuts, size_t n_cuts)
{
    size_t start = str_starts(stream, STR("\xef\xbb\xbf")) ? 3 : 0, at = 0, c = 0;

    for (size_t i = start; i < stream.n; i++) {
        while (c < n_cuts && cuts[c] < i)
            c++;
        if (stream.p[i] == '\n' && i > start && stream.p[i - 1] == '\r' && c < n_cuts &&
            cuts[c] == i &&
            (i - 1 == start || stream.p[i - 2] == '\r' || stream.p[i - 2] == '\n'))
            continue; /* behind a CR that ended a record at a cut */
        if (at == raws.n || raws.p[at++] != stream.p[i])
            return false;
    }
    return at == raws.n;
}
