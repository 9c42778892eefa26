/* slope.h -- the line with the least squares through points that come one by one. */
#ifndef BENCH_SLOPE_H
#define BENCH_SLOPE_H

#include <stdbool.h>
#include <stdint.h>

/* Zeroed, it has no points.  Sums are of differences to the first point and to the running
 * means, so that large offsets cost no precision. */
struct slope {
    uint64_t n;
    double x0, y0;
    double mean_x, mean_y, sxx, sxy;
};

void slope_add(struct slope *s, double x, double y);
/* Rise of y for each unit of x; false while fewer than two different x are known. */
bool slope_get(const struct slope *s, double *ret);

#endif
