/* diag.c -- messages that name the place, and guesses at what was meant.
 *
 * A message is one line on the stream; whatever text of the file is quoted in it loses its
 * control bytes first, so that a file cannot forge lines or drive a terminal.
 *
 * Distance is Levenshtein's with transpositions of neighbours, over at most 63 bytes: longer
 * names are nobody's typing error.
 */
#include "conf/conf.h"

#include <stdarg.h>

#include "base/utf8.h"

enum { MESSAGE_MAX = 768, WORD_MAX = 63 };

__attribute__((format(printf, 4, 0))) static void
say(struct conf_diag *d, struct conf_pos at, const char *kind, const char *fmt, va_list ap)
{
    char text[MESSAGE_MAX];
    size_t n;

    if (vsnprintf(text, sizeof text, fmt, ap) < 0)
        text[0] = '\0';
    n = utf8_floor(str_z(text), strlen(text));
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            text[i] = '?';
    }
    if (at.line)
        fprintf(d->out, "%s:%u:%u: %s%.*s\n", d->file, at.line, at.column, kind, (int)n, text);
    else
        fprintf(d->out, "%s: %s%.*s\n", d->file, kind, (int)n, text);
}

void
conf_error(struct conf_diag *d, struct conf_pos at, const char *fmt, ...)
{
    va_list ap;

    d->errors++;
    if (!d->out || d->errors > CONF_ERRORS_MAX + 1)
        return;
    if (d->errors == CONF_ERRORS_MAX + 1) {
        fprintf(d->out, "%s: more than %d errors; the rest are not shown\n", d->file,
                CONF_ERRORS_MAX);
        return;
    }
    va_start(ap, fmt);
    say(d, at, "", fmt, ap);
    va_end(ap);
}

void
conf_warn(struct conf_diag *d, struct conf_pos at, const char *fmt, ...)
{
    va_list ap;

    if (d->warnings++ >= CONF_ERRORS_MAX || !d->out)
        return;
    va_start(ap, fmt);
    say(d, at, "warning: ", fmt, ap);
    va_end(ap);
}

static unsigned
least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Three rows of the usual table: the one before the last is what a transposition looks at. */
static unsigned
distance(struct str a, struct str b)
{
    unsigned rows[3][WORD_MAX + 1];
    unsigned *older = rows[0], *old = rows[1], *now = rows[2];

    for (unsigned j = 0; j <= b.n; j++)
        old[j] = j;
    for (unsigned i = 1; i <= a.n; i++) {
        unsigned *spare = older;

        now[0] = i;
        for (unsigned j = 1; j <= b.n; j++) {
            unsigned change = a.p[i - 1] != b.p[j - 1];

            now[j] = least(least(old[j] + 1, now[j - 1] + 1), old[j - 1] + change);
            if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1])
                now[j] = least(now[j], older[j - 2] + 1);
        }
        older = old;
        old = now;
        now = spare;
    }
    return old[b.n];
}

void
conf_guess_init(struct conf_guess *g, struct str got)
{
    *g = (struct conf_guess){.got = got, .distance = UINT32_MAX};
}

void
conf_guess_offer(struct conf_guess *g, struct str name)
{
    unsigned d, shorter;

    if (g->got.n == 0 || name.n == 0 || g->got.n > WORD_MAX || name.n > WORD_MAX)
        return;
    shorter = (unsigned)(g->got.n < name.n ? g->got.n : name.n);
    d = distance(g->got, name);
    /* One slip in a short word, two in a usual one, three in a long one. */
    if (d >= shorter || d > (shorter < 4 ? 1u : shorter < 12 ? 2u : 3u)) {
        if (shorter < 3 || !(str_starts(name, g->got) || str_starts(g->got, name)))
            return;
        d = WORD_MAX + d; /* any slip is a better guess than a beginning */
    }
    if (d < g->distance) {
        g->distance = d;
        g->best = name;
    }
}

const char *
conf_guess_text(const struct conf_guess *g, char *out, size_t n)
{
    if (g->best.n)
        snprintf(out, n, " (did you mean \"%.*s\"?)", STR_ARG(g->best));
    else
        out[0] = '\0';
    return out;
}
