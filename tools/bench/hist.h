/* hist.h -- a histogram of durations with a bounded relative error.
 *
 * Log-linear: values below 256 ns have a slot each, above that every power of two is parted
 * into 128 slots.  A percentile is the middle of its slot, so it is off by at most 0.4%.
 */
#ifndef BENCH_HIST_H
#define BENCH_HIST_H

#include <stdint.h>

enum {
    HIST_SUB_BITS = 7,
    HIST_VALUE_BITS = 43, /* larger values (2.4 hours) share the last slot */
    HIST_SLOTS = (HIST_VALUE_BITS - HIST_SUB_BITS + 1) << HIST_SUB_BITS
};

struct hist {
    uint64_t n;
    int64_t min, max; /* exact; 0 while n is 0 */
    double sum;
    uint64_t slot[HIST_SLOTS];
};

/* A zeroed struct is an empty histogram.  ns below 0 counts as 0. */
void hist_add(struct hist *h, int64_t ns);
/* Adds all of from to h. */
void hist_merge(struct hist *h, const struct hist *from);
void hist_clear(struct hist *h);
/* The value that the share q (0 to 1) of all values do not exceed; 0 when there is none. */
int64_t hist_quantile(const struct hist *h, double q);
double hist_mean(const struct hist *h);

#endif
