/* alike.c -- records that are like the last one but for a piece of text.
 *
 * Learning goes from string to string.  One with a colon behind it is a key, and where the key
 * is in the table below, or the value is the text that the caller named, the value becomes a
 * hole.  The quotes around a hole belong to the literals, so a hole of a string ends at the
 * quote that the next literal begins with.  White space behind the record may differ too: some
 * servers pad with it.
 *
 * When guesses fail MISSES_MAX times in a row nothing is learned any more: some streams have no
 * two records alike.
 *
 * Invariants
 *  (1) The literals and a value for each hole, put one behind the other, are JSON with the
 *      members of the record that was learned: a hole ends where a quote, or what cannot
 *      continue a number, begins the next literal.
 *  (2) A record that matches is checked no less than by json_check.
 */
#include "dialect/alike.h"

#include "json/scan.h"

enum { MISSES_MAX = 8 };

enum { STRING, NUMBER };

/* Keys whose values may differ from record to record.  Nobody reads those that are not text. */
static const struct {
    struct str key;
    uint8_t kind;
    bool text;
} rows[] = {
    {{"obfuscation", 11}, STRING, false}, {{"sequence_number", 15}, NUMBER, false},
    {{"content", 7}, STRING, true},       {{"delta", 5}, STRING, true},
    {{"text", 4}, STRING, true},          {{"arguments", 9}, STRING, true},
    {{"partial_json", 12}, STRING, true}, {{"thinking", 8}, STRING, true},
    {{"reasoning", 9}, STRING, true},     {{"reasoning_content", 17}, STRING, true},
};

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static const char *
skip_blanks(const char *p, const char *end)
{
    while (p < end && (is_blank(*p) || *p == '\n' || *p == '\r'))
        p++;
    return p;
}

/* The record as it is taken apart. */
struct taking {
    struct alike *a;
    const char *from; /* of the literal that is running */
    size_t used;      /* of bytes */
    bool fits;
};

static void
end_literal(struct taking *t, const char *at)
{
    size_t n = (size_t)(at - t->from);

    if (!t->fits || n > ALIKE_BYTES - t->used) {
        t->fits = false;
        return;
    }
    memcpy(t->a->bytes + t->used, t->from, n);
    t->a->literal[t->a->n] = (uint16_t)n;
    t->used += n;
}

static void
add_hole(struct taking *t, uint8_t kind, const char *from, const char *to)
{
    if (t->a->n == ALIKE_HOLES_MAX) {
        t->fits = false;
        return;
    }
    end_literal(t, from);
    t->a->kind[t->a->n++] = kind;
    t->from = to;
}

/* p is behind the colon that follows key: makes a hole of the value if it may be one, and
 * returns where to go on. */
static const char *
take_value(struct taking *t, struct str key, struct str text, const char *p, const char *end)
{
    const char *stop;
    bool escapes;

    p = skip_blanks(p, end);
    if (p == end)
        return end;
    if (*p == '"' && p + 1 == text.p) {
        t->a->text = t->a->n;
        add_hole(t, STRING, text.p, text.p + text.n);
        return text.p + text.n + 1;
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!str_eq(key, rows[i].key) || (rows[i].text && text.p))
            continue;
        if (rows[i].kind == STRING && *p == '"') {
            stop = json_string_end(p + 1, end, &escapes);
            if (stop)
                add_hole(t, STRING, p + 1, stop - 1);
        } else {
            stop = rows[i].kind == NUMBER ? json_number_end(p, end) : NULL;
            if (stop)
                add_hole(t, NUMBER, p, stop);
        }
        return stop ? stop : p;
    }
    return p;
}

void
alike_learn(struct alike *a, struct str record, struct str text)
{
    const char *p = record.p, *end = record.p + record.n;
    struct taking t = {.a = a, .from = p, .fits = true};

    a->n = a->text = 0;
    if (a->misses >= MISSES_MAX || record.n == 0)
        return;
    a->misses++;
    while (end > p && is_blank(end[-1]))
        end--;
    while (t.fits && (p = memchr(p, '"', (size_t)(end - p)))) {
        struct str key = {p + 1, 0};
        bool escapes;

        p = json_string_end(p + 1, end, &escapes);
        if (!p)
            break;
        key.n = (size_t)(p - 1 - key.p);
        p = skip_blanks(p, end);
        if (p < end && *p == ':')
            p = take_value(&t, key, text, p + 1, end);
    }
    end_literal(&t, end);
    if (!t.fits)
        a->n = 0;
}

bool
alike_match(struct alike *a, struct str record, struct alike_text *ret)
{
    const char *p = record.p, *end = p + record.n, *literal = a->bytes;
    struct alike_text text = {.value = {NULL, 0}};

    if (a->n == 0)
        return false;
    for (unsigned i = 0;; i++) {
        size_t n = a->literal[i];
        const char *from;
        bool escapes;

        if ((size_t)(end - p) < n || memcmp(p, literal, n) != 0)
            return false;
        literal += n;
        from = p + n;
        if (i == a->n) {
            p = from;
            break;
        }
        if (a->kind[i] == NUMBER) {
            p = json_number_end(from, end);
            if (!p)
                return false;
            continue;
        }
        p = json_string_end(from, end, &escapes);
        if (!p)
            return false;
        if (i == a->text)
            text = (struct alike_text){str_of(from - 1, (size_t)(p - from) + 1), escapes};
        p--;
    }
    while (p < end && is_blank(*p))
        p++;
    if (p < end)
        return false;
    a->misses = 0;
    if (ret)
        *ret = text;
    return true;
}
