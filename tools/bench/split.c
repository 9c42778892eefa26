/* split.c -- a stream cut into records without decoding them.
 *
 * For streams that Triglot and its like write: lines end with LF or CRLF, a record's first line
 * tells its kind, and the text of an event comes behind the same bytes in every record of a
 * stream.  So each line costs one memchr, and a timestamp is looked for where the last one was
 * before the record is searched.
 *
 * A record is an event with content when it bears a timestamp, or when its kind says so.  The
 * records that repeat the whole text at the end (Responses) bear old timestamps, and are known
 * by their kind.
 */
#include "bench/split.h"

#include "upstream/sim_stamp.h"

enum { RECORD_MAX = 64 << 20 };

/* How a dialect's records begin. */
struct split_words {
    const char *dialect;
    struct str last[3], error[2], ping;
    struct str text;       /* with content */
    struct str text_holds; /* and this in it, "" = nothing */
};

static const struct split_words all_words[] = {
    {.dialect = "chat",
     .last = {{"data: [DONE]", 12}},
     .error = {{"data: {\"error\"", 14}, {"event: error", 12}},
     .text = {"data: {", 7},
     .text_holds = {"\"content\":\"", 11}},
    {.dialect = "responses",
     .last = {{"event: response.completed", 25}, {"event: response.incomplete", 26}},
     .error = {{"event: error", 12}, {"event: response.failed", 22}},
     .text = {"event: response.output_text.delta", 33}},
    {.dialect = "messages",
     .last = {{"event: message_stop", 19}},
     .error = {{"event: error", 12}},
     .ping = {"event: ping", 11},
     .text = {"event: content_block_delta", 26}},
};

void
split_init(struct split *s, const struct dialect *d)
{
    *s = (struct split){.words = &all_words[0]};
    for (size_t i = 0; i < sizeof all_words / sizeof all_words[0]; i++)
        if (strcmp(all_words[i].dialect, d->name) == 0)
            s->words = &all_words[i];
    buf_init(&s->hold, RECORD_MAX);
}

void
split_fini(struct split *s)
{
    buf_fini(&s->hold);
}

static bool
begins(struct str record, const struct str *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (words[i].n && str_starts(record, words[i]))
            return true;
    return false;
}

static bool
find_stamp(struct split *s, struct str record, int64_t *ret_ns)
{
    struct str rest = str_from(record, s->stamp_at);

    if (sim_stamp_get(rest, ret_ns))
        return true;
    for (rest = record; rest.n >= SIM_STAMP_BYTES; rest = str_from(rest, 1)) {
        rest = str_from(rest, str_find(rest, '@'));
        if (sim_stamp_get(rest, ret_ns)) {
            s->stamp_at = record.n - rest.n;
            return true;
        }
    }
    return false;
}

static bool
holds_text(const struct split_words *words, struct str record)
{
    const char *p;

    if (words->text_holds.n == 0)
        return true;
    p = memmem(record.p, record.n, words->text_holds.p, words->text_holds.n);
    if (!p)
        return false;
    p += words->text_holds.n;
    return p < record.p + record.n && *p != '"';
}

static enum split_end
take(struct split *s, struct str record, int64_t now_ns, struct watch *w)
{
    const struct split_words *words = s->words;
    bool ping = words->ping.n && str_starts(record, words->ping);
    int64_t stamp_ns;

    watch_record(w, ping || record.p[0] == ':');
    if (ping || record.p[0] == ':')
        return SPLIT_GOES_ON;
    if (begins(record, words->last, 3))
        return SPLIT_OVER;
    if (begins(record, words->error, 2))
        return SPLIT_ERROR;
    if (!str_starts(record, words->text))
        return SPLIT_GOES_ON;
    if (find_stamp(s, record, &stamp_ns)) {
        watch_event(w, now_ns);
        watch_stamp(w, now_ns, stamp_ns);
    } else if (holds_text(words, record)) {
        watch_event(w, now_ns);
    }
    return SPLIT_GOES_ON;
}

/* The record's last bytes, at its end. */
static enum split_end
take_end(struct split *s, struct str tail, int64_t now_ns, struct watch *w)
{
    struct str record = tail;
    enum split_end end = SPLIT_GOES_ON;

    if (s->hold.n) {
        if (buf_append(&s->hold, tail) != TG_OK)
            return SPLIT_TOO_LARGE;
        record = buf_str(&s->hold);
    }
    if (record.p && record.p[0] != '\n' && record.p[0] != '\r')
        end = take(s, record, now_ns, w);
    buf_clear(&s->hold);
    return end;
}

enum split_end
split_feed(struct split *s, struct str piece, int64_t now_ns, struct watch *w)
{
    const char *p = piece.p, *end = p + piece.n, *record = p;
    enum split_end what = SPLIT_GOES_ON;

    while (p < end && what == SPLIT_GOES_ON) {
        if (s->in_line) {
            p = memchr(p, '\n', (size_t)(end - p));
            if (!p)
                break;
            p++;
            s->in_line = false;
        } else if (*p == '\n') {
            p++;
            what = take_end(s, str_of(record, (size_t)(p - record)), now_ns, w);
            record = p;
        } else {
            s->in_line = *p != '\r';
            p++;
        }
    }
    if (what == SPLIT_GOES_ON && record < end &&
        buf_append(&s->hold, str_of(record, (size_t)(end - record))) != TG_OK)
        return SPLIT_TOO_LARGE;
    return what;
}
