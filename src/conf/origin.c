/* origin.c -- where each value came from: a sorted array of field addresses.
 *
 * Filled while loading, sorted once, then looked up by bisection.  A field may be added again
 * (an element of the program's own that replaces a default): the later entry wins, because the
 * sort keeps equal fields in the order of adding.
 */
#include "conf/conf.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

void
conf_origins_init(struct conf_origins *o)
{
    *o = (struct conf_origins){.sorted = true};
}

void
conf_origins_fini(struct conf_origins *o)
{
    mem_free(o->v);
    conf_origins_init(o);
}

void
conf_origins_add(struct conf_origins *o, struct conf_origin origin)
{
    if (o->n == o->cap) {
        o->cap = o->cap ? o->cap * 2 : 64;
        o->v = mem_grow(o->v, o->cap * sizeof *o->v);
    }
    o->v[o->n++] = origin;
    o->sorted = false;
}

static int
by_field(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t)((const struct conf_origin *)a)->field;
    uintptr_t y = (uintptr_t)((const struct conf_origin *)b)->field;

    return (x > y) - (x < y);
}

/* Merge sort from the bottom up: stable, which qsort does not promise. */
void
conf_origins_sort(struct conf_origins *o)
{
    struct conf_origin *from = o->v, *to;

    if (o->sorted)
        return;
    to = mem_array(o->cap, sizeof *to);
    for (size_t run = 1; run < o->n; run *= 2) {
        struct conf_origin *swap = from;

        for (size_t lo = 0; lo < o->n; lo += 2 * run) {
            size_t mid = lo + run < o->n ? lo + run : o->n;
            size_t end = lo + 2 * run < o->n ? lo + 2 * run : o->n;
            size_t i = lo, j = mid;

            for (size_t k = lo; k < end; k++) {
                bool left = i < mid && (j == end || by_field(&from[i], &from[j]) <= 0);

                to[k] = left ? from[i++] : from[j++];
            }
        }
        from = to;
        to = swap;
    }
    mem_free(to);
    o->v = from;
    o->sorted = true;
}

struct conf_origin
conf_origin_of(const struct conf_origins *o, const void *field)
{
    size_t lo = 0, hi = o->n;

    assert(o->sorted);
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if ((uintptr_t)o->v[mid].field <= (uintptr_t)field)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo > 0 && o->v[lo - 1].field == field)
        return o->v[lo - 1];
    return (struct conf_origin){.field = field, .source = CONF_DEFAULT};
}
