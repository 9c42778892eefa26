/* slope.c -- the line with the least squares through points that come one by one.
 *
 * Welford's way for two variables: each point moves the means, and the sums of squares and
 * products grow by the product of its distances before and after the move.
 */
#include "bench/slope.h"

void
slope_add(struct slope *s, double x, double y)
{
    double dx, n;

    if (s->n == 0) {
        s->x0 = x;
        s->y0 = y;
    }
    x -= s->x0;
    y -= s->y0;
    n = (double)++s->n;
    dx = x - s->mean_x;
    s->mean_x += dx / n;
    s->mean_y += (y - s->mean_y) / n;
    s->sxx += dx * (x - s->mean_x);
    s->sxy += dx * (y - s->mean_y);
}

bool
slope_get(const struct slope *s, double *ret)
{
    if (s->n < 2 || s->sxx <= 0)
        return false;
    *ret = s->sxy / s->sxx;
    return true;
}
