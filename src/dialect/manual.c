/* manual.c -- the carry tables as the list of triglot-dialects(7).
 *
 * One item a feature: who can ask for it, then a line for each dialect of upstreams.  Dialects
 * stand in the order of the registry.
 */
#include "dialect/manual.h"

#include "triglot/dialect.h"

enum { WIDTH_MAX = 78 };

static const char *const features[] = {
#define X(name, text) text,
    CARRY_FEATURES(X)
#undef X
};

static const char *const marks[] = {[CARRY_ABSENT] = "not said",
                                    [CARRY_KEPT] = "kept",
                                    [CARRY_CHANGED] = "changed",
                                    [CARRY_DROPPED] = "dropped",
                                    [CARRY_REFUSED] = "refused"};

/* Lines of at most WIDTH_MAX bytes, as the manual's linter wants them. */
static tg_rc
put_wrapped(struct buf *b, struct str text)
{
    size_t line = 0;
    tg_rc rc = TG_OK;

    while (text.n && rc == TG_OK) {
        struct str word = str_of(text.p, str_find(text, ' '));
        bool fits = line + 1 + word.n <= WIDTH_MAX;

        if (line)
            rc = buf_putc(b, fits ? ' ' : '\n');
        line = line && fits ? line + 1 + word.n : word.n;
        if (rc == TG_OK)
            rc = buf_append(b, word);
        text = str_from(text, word.n < text.n ? word.n + 1 : word.n);
    }
    return rc == TG_OK ? buf_putc(b, '\n') : rc;
}

static tg_rc
put_feature(struct buf *b, size_t i)
{
    const char *between = "";
    tg_rc rc = buf_printf(b, ".It %s\nAsked for by ", features[i]);

    for (const struct dialect *const *d = dialect_all(); *d && rc == TG_OK; d++) {
        if (!(*d)->carry[i].asks)
            continue;
        rc = buf_printf(b, "%s%s", between, (*d)->name);
        between = ", ";
    }
    if (rc == TG_OK)
        rc = buf_append(b, STR(".\n.Bl -tag -width responses -compact\n"));
    for (const struct dialect *const *d = dialect_all(); *d && rc == TG_OK; d++) {
        const struct carry_cell *cell = &(*d)->carry[i];

        rc = buf_printf(b, ".It %s\n%s.\n", (*d)->name, marks[cell->mark]);
        if (rc == TG_OK && cell->note)
            rc = put_wrapped(b, str_z(cell->note));
    }
    return rc == TG_OK ? buf_append(b, STR(".El\n")) : rc;
}

tg_rc
dialect_manual(struct buf *b)
{
    tg_rc rc = TG_OK;

    for (size_t i = 0; i < CARRY_FEATURE_N && rc == TG_OK; i++)
        rc = put_feature(b, i);
    return rc;
}
