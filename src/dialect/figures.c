/* figures.c -- the counts of a usage object, found in one walk.
 *
 * Every dialect has a table of where its counts stand; two of the places are nested, so
 * one walk finds all outer members, and the inner ones are looked up where there is an object.
 */
#include "dialect/figures.h"

#include <assert.h>

#include "json/scan.h"

/* A sum of a few counts fits when each is at most a quarter of the most. */
static void
take(const struct json_member *m, int64_t *to)
{
    int64_t v;

    if (m->kind == JSON_NUMBER && json_i64(m->value, &v) == TG_OK && v >= 0 &&
        v <= INT64_MAX / 4)
        *to = v;
}

void
figures_read(struct str usage, const struct figure *rows, size_t n)
{
    struct json_member found[FIGURES_MAX] = {0}, m;
    struct json_iter it;

    assert(n <= FIGURES_MAX);
    if (json_object(&it, usage) != TG_OK)
        return;
    while (json_next(&it, &m))
        for (size_t i = 0; i < n; i++)
            if (json_key_is(m.key, rows[i].member))
                found[i] = m;
    for (size_t i = 0; i < n; i++) {
        if (rows[i].inner.n == 0)
            take(&found[i], rows[i].to);
        else if (found[i].kind == JSON_OBJECT && json_get(found[i].value, rows[i].inner, &m))
            take(&m, rows[i].to);
    }
}
