/* plot.c -- a line plot as SVG.
 *
 * Coordinates are worked out here and written with one decimal; nothing is left to scripts. The
 * markup is well-formed XML, so that other tools can take the plots out of the page.
 */
#include "bench/plot.h"

#include <math.h>

enum { WIDTH = 760, HEIGHT = 240, LEFT = 76, RIGHT = 16, TOP = 30, BOTTOM = 34, TICKS = 5 };

struct frame {
    double x0, x1, y0, y1; /* y in logarithms for a logarithmic scale */
    bool log_y;
};

void
plot_text(const char *s, size_t n, FILE *out)
{
    for (size_t i = 0; i < n; i++) {
        switch (s[i]) {
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '&':
            fputs("&amp;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        default:
            fputc(s[i] >= ' ' && s[i] <= '~' ? s[i] : ' ', out);
        }
    }
}

static bool
shown(double v, bool log_y)
{
    return isfinite(v) && (log_y ? v > 0 : v >= 0);
}

/* False: there is nothing to show. */
static bool
find_frame(const struct plot *p, struct frame *f)
{
    double low = INFINITY, high = 0;

    for (unsigned k = 0; k < p->n_lines; k++) {
        for (unsigned i = 0; i < p->n; i++) {
            double v = p->lines[k].y[i];

            if (!shown(v, p->log_y))
                continue;
            low = v < low ? v : low;
            high = v > high ? v : high;
        }
    }
    if (!isfinite(low))
        return false;
    *f = (struct frame){.x0 = p->x[0], .x1 = p->x[p->n - 1], .log_y = p->log_y};
    if (f->x1 <= f->x0)
        f->x1 = f->x0 + 1;
    if (p->log_y) {
        f->y0 = floor(log10(low));
        f->y1 = ceil(log10(high));
        if (f->y1 <= f->y0)
            f->y1 = f->y0 + 1;
    } else {
        f->y1 = high > 0 ? high * 1.05 : 1;
    }
    return true;
}

static double
at_x(const struct frame *f, double x)
{
    return LEFT + (x - f->x0) / (f->x1 - f->x0) * (WIDTH - LEFT - RIGHT);
}

static double
at_y(const struct frame *f, double y)
{
    if (f->log_y)
        y = log10(y);
    return HEIGHT - BOTTOM - (y - f->y0) / (f->y1 - f->y0) * (HEIGHT - TOP - BOTTOM);
}

/* A step of 1, 2 or 5 times a power of ten that parts the range into about TICKS. */
static double
step_of(double range)
{
    double raw = range / TICKS, power = pow(10, floor(log10(raw))), lead = raw / power;

    return power * (lead > 5 ? 10 : lead > 2 ? 5 : lead > 1 ? 2 : 1);
}

static void
put_number(double v, FILE *out)
{
    if (v >= 1e6)
        fprintf(out, "%.4gM", v / 1e6);
    else if (v >= 1e4)
        fprintf(out, "%.4gk", v / 1e3);
    else
        fprintf(out, "%.4g", v);
}

static void
put_y_tick(const struct frame *f, double v, FILE *out)
{
    double y = at_y(f, v);

    fprintf(out,
            "<line class=\"g\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
            "<text class=\"t\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">",
            LEFT, WIDTH - RIGHT, y, y, LEFT - 6, y + 4);
    put_number(v, out);
    fputs("</text>\n", out);
}

static void
put_axes(const struct plot *p, const struct frame *f, FILE *out)
{
    double step = step_of(f->x1 - f->x0);
    unsigned n = (unsigned)(f->y1 - f->y0) + 1;

    if (f->log_y) {
        for (unsigned i = 0; i < n; i++)
            put_y_tick(f, pow(10, f->y0 + i), out);
    } else {
        double y_step = step_of(f->y1);

        n = (unsigned)(f->y1 / y_step) + 1;
        for (unsigned i = 0; i < n; i++)
            put_y_tick(f, i * y_step, out);
    }
    n = (unsigned)((f->x1 - f->x0) / step) + 2;
    for (unsigned i = 0; i < n; i++) {
        double v = (ceil(f->x0 / step) + i) * step;

        if (v > f->x1)
            break;
        fprintf(out, "<text class=\"t\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">",
                at_x(f, v), HEIGHT - BOTTOM + 16);
        put_number(v, out);
        fputs("</text>\n", out);
    }
    fprintf(out, "<text class=\"t\" x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n",
            WIDTH - RIGHT, HEIGHT - 4, p->x_unit);
    fprintf(out, "<text class=\"t\" x=\"%d\" y=\"%d\">%s</text>\n", 4, TOP - 12, p->y_unit);
}

static void
put_line(const struct plot *p, unsigned k, const struct frame *f, FILE *out)
{
    bool drawing = false;
    unsigned alone = 0; /* points since the pen was set down */

    fprintf(out, "<path class=\"l%u\" d=\"", k);
    for (unsigned i = 0; i < p->n; i++) {
        double v = p->lines[k].y[i];

        if (!shown(v, p->log_y)) {
            drawing = false;
            continue;
        }
        alone = drawing ? alone + 1 : 0;
        fprintf(out, "%c%.1f %.1f", drawing ? 'L' : 'M', at_x(f, p->x[i]), at_y(f, v));
        if (alone == 0) /* a point of its own must be seen too */
            fputs("h0.1", out);
        drawing = true;
    }
    fputs("\"/>\n", out);
}

void
plot_put(const struct plot *p, FILE *out)
{
    struct frame f;
    int x = WIDTH - RIGHT;

    fprintf(out, "<figure><figcaption>%s</figcaption>\n", p->title);
    if (p->n == 0 || !find_frame(p, &f)) {
        fputs("<p>Nothing was measured.</p></figure>\n", out);
        return;
    }
    fprintf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">\n", WIDTH, HEIGHT,
            p->title);
    put_axes(p, &f, out);
    for (unsigned k = 0; k < p->n_lines; k++)
        put_line(p, k, &f, out);
    for (unsigned k = p->n_lines; k-- > 0;) {
        fprintf(out, "<text class=\"n%u\" x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n", k,
                x, TOP - 12, p->lines[k].name);
        x -= 90;
    }
    fputs("</svg></figure>\n", out);
}
