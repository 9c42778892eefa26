/* hist.c -- a histogram of durations with a bounded relative error.
 *
 * A value of b > 8 bits is cut to its upper 8, of which the first is always set: the slot is
 * those 8 bits plus 128 for each bit that was cut off.  Smallest and largest value are kept
 * exactly, and no percentile is reported outside of them.
 */
#include "bench/hist.h"

#include <math.h>
#include <string.h>

enum { SUB = 1 << HIST_SUB_BITS };

static unsigned
slot_of(uint64_t v)
{
    unsigned bits, cut;

    if (v >> HIST_VALUE_BITS)
        v = (UINT64_C(1) << HIST_VALUE_BITS) - 1;
    bits = v ? 64 - (unsigned)__builtin_clzll(v) : 0;
    cut = bits > HIST_SUB_BITS + 1 ? bits - HIST_SUB_BITS - 1 : 0;
    return cut * SUB + (unsigned)(v >> cut);
}

static int64_t
middle_of(unsigned slot)
{
    unsigned cut = slot < 2 * SUB ? 0 : slot / SUB - 1;
    int64_t low = (int64_t)(slot - cut * SUB) << cut;

    return low + ((INT64_C(1) << cut) - 1) / 2;
}

void
hist_add(struct hist *h, int64_t ns)
{
    if (ns < 0)
        ns = 0;
    h->slot[slot_of((uint64_t)ns)]++;
    if (h->n == 0 || ns < h->min)
        h->min = ns;
    if (ns > h->max)
        h->max = ns;
    h->sum += (double)ns;
    h->n++;
}

void
hist_merge(struct hist *h, const struct hist *from)
{
    if (from->n == 0)
        return;
    for (unsigned i = 0; i < HIST_SLOTS; i++)
        h->slot[i] += from->slot[i];
    if (h->n == 0 || from->min < h->min)
        h->min = from->min;
    if (from->max > h->max)
        h->max = from->max;
    h->sum += from->sum;
    h->n += from->n;
}

void
hist_clear(struct hist *h)
{
    if (h->n)
        memset(h, 0, sizeof *h);
}

int64_t
hist_quantile(const struct hist *h, double q)
{
    double rank = ceil(q * (double)h->n);
    uint64_t want = rank < 1 ? 1 : (uint64_t)rank, seen = 0;
    int64_t v;
    unsigned i = 0;

    if (h->n == 0)
        return 0;
    if (want > h->n)
        want = h->n;
    while ((seen += h->slot[i]) < want)
        i++;
    v = middle_of(i);
    return v < h->min ? h->min : v > h->max ? h->max : v;
}

double
hist_mean(const struct hist *h)
{
    return h->n ? h->sum / (double)h->n : 0;
}
