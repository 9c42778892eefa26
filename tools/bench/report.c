/* report.c -- the result as one page of HTML: a table for each load, plots over time, and the
 * whole distribution of the durations.
 */
#include <math.h>

#include "base/clock.h"
#include "base/mem.h"
#include "bench/plot.h"
#include "bench/result.h"

static const char style[] =
    "body{font:15px/1.5 system-ui,sans-serif;max-width:820px;margin:2em auto;padding:0 1em;"
    "color:#222;background:#fff}\n"
    "h1{font-size:1.4em}h2{font-size:1.1em;margin-top:2em}\n"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums}\n"
    "th,td{text-align:right;padding:.15em .8em;border-bottom:1px solid #ddd}\n"
    "th:first-child,td:first-child{text-align:left}\n"
    "figure{margin:1.5em 0}figcaption{font-weight:600}svg{width:100%;height:auto}\n"
    "path{fill:none;stroke-width:1.6;stroke-linejoin:round;stroke-linecap:round}\n"
    ".l0{stroke:#1f6feb}.l1{stroke:#d29922}.l2{stroke:#cf222e}.l3{stroke:#8250df}\n"
    ".n0{fill:#1f6feb}.n1{fill:#b07d10}.n2{fill:#cf222e}.n3{fill:#8250df}\n"
    "text{font:12px system-ui,sans-serif}.t{fill:#666}.g{stroke:#e4e4e4}\n"
    "@media(prefers-color-scheme:dark){body{color:#ddd;background:#151515}.t{fill:#999}"
    ".g{stroke:#333}th,td{border-color:#333}}\n";

/* A column of the samples. */
static double *
column(const struct run *run, size_t offset, double factor)
{
    double *v = mem_array(run->n_samples + 1, sizeof *v);

    for (unsigned i = 0; i < run->n_samples; i++) {
        double got;

        memcpy(&got, (const char *)&run->samples[i] + offset, sizeof got);
        v[i] = got < 0 ? NAN : got * factor;
    }
    return v;
}

struct column_name {
    const char *name;
    size_t offset;
    double factor;
};

static void
put_plot(const struct run *run, const char *title, const char *y_unit, bool log_y,
         const struct column_name *names, unsigned n, FILE *out)
{
    double *x = column(run, offsetof(struct sample, at_s), 1), *y[PLOT_LINES_MAX];
    struct plot p = {.title = title,
                     .x_unit = "seconds",
                     .y_unit = y_unit,
                     .x = x,
                     .n = run->n_samples,
                     .n_lines = n,
                     .log_y = log_y};

    for (unsigned i = 0; i < n; i++) {
        y[i] = column(run, names[i].offset, names[i].factor);
        p.lines[i] = (struct plot_line){names[i].name, y[i]};
    }
    plot_put(&p, out);
    for (unsigned i = 0; i < n; i++)
        mem_free(y[i]);
    mem_free(x);
}

#define AT(member) offsetof(struct sample, member)
#define MIB        (1.0 / (1 << 20))

static void
put_plots(const struct run *run, FILE *out)
{
    static const struct column_name latency[] = {{"p50", AT(latency_us[0]), 1},
                                                 {"p90", AT(latency_us[1]), 1},
                                                 {"p99", AT(latency_us[2]), 1}};
    static const struct column_name first[] = {
        {"p50", AT(first_us[0]), 1}, {"p90", AT(first_us[1]), 1}, {"p99", AT(first_us[2]), 1}};
    static const struct column_name rates[] = {{"events", AT(events_per_s), 1},
                                               {"calls", AT(calls_per_s), 1}};
    static const struct column_name open[] = {{"open", AT(open), 1}};
    static const struct column_name rss[] = {{"resident", AT(rss_bytes), MIB}};
    static const struct column_name cpu[] = {{"target", AT(cpu_share), 100},
                                             {"generator", AT(own_cpu_share), 100}};

    put_plot(run, "Latency of events, by their timestamps", "microseconds", true, latency, 3,
             out);
    put_plot(run, "Time to the first event, or of whole calls", "microseconds", true, first, 3,
             out);
    put_plot(run, "Throughput", "a second", false, rates, 2, out);
    put_plot(run, "Calls under way", "calls", false, open, 1, out);
    put_plot(run, "Processor", "% of a core", false, cpu, 2, out);
    if (run->o->pid)
        put_plot(run, "Resident memory of the target", "MiB", false, rss, 1, out);
}

/* Durations by percentile: the x axis is the number of nines. */
static void
put_distribution(const struct tally *t, FILE *out)
{
    static const char *const names[HIST_N] = {"first byte", "first event", "", "event latency",
                                              "call"};
    enum { POINTS = 61 };
    double x[POINTS], y[PLOT_LINES_MAX][POINTS];
    struct plot p = {.title = "All durations by percentile",
                     .x_unit = "nines: 1 is 90%, 2 is 99%, 3 is 99.9%",
                     .y_unit = "microseconds",
                     .x = x,
                     .n = POINTS,
                     .log_y = true};

    for (unsigned i = 0; i < POINTS; i++)
        x[i] = 4.0 * i / (POINTS - 1);
    for (unsigned k = 0; k < HIST_N; k++) {
        const struct hist *h = &t->hist[k];

        if (h->n == 0 || !*names[k])
            continue;
        for (unsigned i = 0; i < POINTS; i++)
            y[p.n_lines][i] = (double)hist_quantile(h, 1 - pow(10, -x[i])) / 1000;
        p.lines[p.n_lines] = (struct plot_line){names[k], y[p.n_lines]};
        p.n_lines++;
    }
    plot_put(&p, out);
}

static void
put_cell(FILE *out, double v)
{
    if (isfinite(v))
        fprintf(out, "<td>%.1f</td>", v);
    else
        fputs("<td></td>", out);
}

static void
put_durations(const struct tally *t, FILE *out)
{
    static const double q[] = {0.5, 0.9, 0.99, 0.999};

    fputs("<table><tr><th>microseconds</th><th>count</th><th>p50</th><th>p90</th><th>p99</th>"
          "<th>p99.9</th><th>max</th></tr>\n",
          out);
    for (unsigned i = 0; i < HIST_N; i++) {
        const struct hist *h = &t->hist[i];

        if (h->n == 0)
            continue;
        fprintf(out, "<tr><td>%s</td><td>%llu</td>", hist_name(i), (unsigned long long)h->n);
        for (unsigned k = 0; k < 4; k++)
            put_cell(out, (double)hist_quantile(h, q[k]) / 1000);
        put_cell(out, (double)h->max / 1000);
        fputs("</tr>\n", out);
    }
    fputs("</table>\n", out);
}

static void
put_tally(const struct tally *t, double window_s, FILE *out)
{
    fprintf(out,
            "<p>%llu calls completed, %llu failed, %llu open at the end; %llu events; "
            "%.1f calls and %.1f events a second.</p>\n",
            (unsigned long long)t->completed, (unsigned long long)t->failed,
            (unsigned long long)t->open_at_end, (unsigned long long)t->events,
            window_s > 0 ? (double)t->completed / window_s : 0,
            window_s > 0 ? (double)t->events / window_s : 0);
    if (t->failed + t->warmup_fails) {
        fputs("<p>Failures:", out);
        for (unsigned i = FAIL_NONE + 1; i < FAIL_N; i++)
            if (t->fails[i])
                fprintf(out, " %s %llu;", fail_name(i), (unsigned long long)t->fails[i]);
        fputs(" the first: ", out);
        plot_text(t->first_error, strlen(t->first_error), out);
        fputs("</p>\n", out);
    }
    put_durations(t, out);
}

static void
put_target(const struct result *r, FILE *out)
{
    const struct {
        const char *name;
        double v;
    } rows[] = {
        {"CPU, seconds", r->cpu_s},
        {"CPU, microseconds an event", r->cpu_us_per_event},
        {"CPU, microseconds a call", r->cpu_us_per_call},
        {"memory at the start, MiB", r->rss_start * MIB},
        {"memory at the end, MiB", r->rss_end * MIB},
        {"memory at most, MiB", r->rss_peak * MIB},
        {"memory of an open stream, KiB", r->rss_per_stream / 1024},
        {"memory growth in an hour, KiB", r->rss_slope / 1024},
    };

    fprintf(out, "<h2>Process %llu</h2>\n<table>\n", (unsigned long long)r->run->o->pid);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (isfinite(rows[i].v))
            fprintf(out, "<tr><td>%s</td><td>%.3f</td></tr>\n", rows[i].name, rows[i].v);
    fputs("</table>\n", out);
}

void
result_report(const struct result *r, FILE *out)
{
    const struct run *run = r->run;
    char started[25];

    clock_rfc3339(run->started_wall_ns, started);
    fprintf(out,
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>"
            "<meta name=\"viewport\" content=\"width=device-width\"/>"
            "<title>triglot-bench, %s</title>\n<style>\n%s</style></head><body>\n"
            "<h1>triglot-bench</h1>\n<p>Begun %s, measured for %.1f seconds%s%s. The generator "
            "took %.1f%% of a core.</p>\n",
            started, style, started, r->window_s, run->stopped ? ", stopped early: " : "",
            run->stopped ? run->stopped : "",
            r->window_s > 0 ? 100 * r->own_cpu_s / r->window_s : 0);
    for (unsigned i = 0; i < run->n_loads; i++) {
        const struct load_options *o = run->loads[i].o;

        fprintf(out, "<h2>%s, %s, ", o->dialect->name, o->whole ? "whole" : "streams");
        plot_text(o->url.text.p, o->url.text.n, out);
        fputs("</h2>\n", out);
        put_tally(&run->loads[i].tally, r->window_s, out);
    }
    if (run->n_loads > 1) {
        fputs("<h2>All</h2>\n", out);
        put_tally(r->total, r->window_s, out);
    }
    if (run->o->pid)
        put_target(r, out);
    fputs("<h2>Over time</h2>\n", out);
    put_plots(run, out);
    put_distribution(r->total, out);
    fputs("</body></html>\n", out);
}
