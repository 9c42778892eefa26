/* plot.h -- a line plot as SVG, to stand inside a page of HTML. */
#ifndef BENCH_PLOT_H
#define BENCH_PLOT_H

#include <stdbool.h>
#include <stdio.h>

enum { PLOT_LINES_MAX = 4 };

struct plot_line {
    const char *name;
    const double *y; /* one for each x; what is negative or not finite is left out */
};

/* One plot: n points along x, up to four lines over it.  log_y: a logarithmic scale, from the
 * smallest to the largest value; else from 0. */
struct plot {
    const char *title, *x_unit, *y_unit;
    const double *x; /* ascending */
    unsigned n;
    struct plot_line lines[PLOT_LINES_MAX];
    unsigned n_lines;
    bool log_y;
};

/* The colours are classes l0 to l3, g for the grid and t for text: the page's style has them.
 * A plot without any value is a short paragraph that says so. */
void plot_put(const struct plot *p, FILE *out);

/* Text with what has a meaning in HTML escaped. */
void plot_text(const char *s, size_t n, FILE *out);

#endif
