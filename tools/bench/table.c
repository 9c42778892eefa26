/* table.c -- the result for people: a block for each load, one for all, one for the target. */
#include <math.h>

#include "bench/result.h"

/* Microseconds in a unit that keeps them short. */
static const char *
duration(int64_t ns, char out[16])
{
    double us = (double)ns / 1000;

    if (us < 1000)
        snprintf(out, 16, "%.1f us", us);
    else if (us < 1e6)
        snprintf(out, 16, "%.2f ms", us / 1e3);
    else
        snprintf(out, 16, "%.2f s", us / 1e6);
    return out;
}

static void
put_durations(const struct tally *t, FILE *out)
{
    static const char *const names[HIST_N] = {"first byte", "first event", "gap",
                                              "event latency", "call"};
    static const double q[] = {0.5, 0.9, 0.99, 0.999};
    bool head = false;
    char text[16];

    for (unsigned i = 0; i < HIST_N; i++) {
        const struct hist *h = &t->hist[i];

        if (h->n == 0)
            continue;
        if (!head)
            fprintf(out, "  %-14s %11s %11s %11s %11s %11s\n", "", "p50", "p90", "p99", "p99.9",
                    "max");
        head = true;
        fprintf(out, "  %-14s", names[i]);
        for (unsigned k = 0; k < 4; k++)
            fprintf(out, " %11s", duration(hist_quantile(h, q[k]), text));
        fprintf(out, " %11s\n", duration(h->max, text));
    }
}

static void
put_errors(const struct tally *t, FILE *out)
{
    if (t->failed + t->warmup_fails == 0)
        return;
    fputs("  failed        ", out);
    for (unsigned i = FAIL_NONE + 1; i < FAIL_N; i++)
        if (t->fails[i])
            fprintf(out, " %s %llu", fail_name(i), (unsigned long long)t->fails[i]);
    for (unsigned i = 0; i < TALLY_STATUS_N; i++)
        if (t->status[i])
            fprintf(out, " (status %u: %llu)", i, (unsigned long long)t->status[i]);
    if (t->warmup_fails)
        fprintf(out, " before the window %llu", (unsigned long long)t->warmup_fails);
    fprintf(out, "\n  first          %s\n", t->first_error);
}

static void
put_tally(const struct tally *t, double window_s, FILE *out)
{
    double s = window_s > 0 ? window_s : NAN;

    fprintf(
        out,
        "  calls          %llu completed, %llu failed, %llu open at the end, %.1f a second\n",
        (unsigned long long)t->completed, (unsigned long long)t->failed,
        (unsigned long long)t->open_at_end, (double)t->completed / s);
    if (t->events)
        fprintf(out, "  events         %llu, %.0f a second, %.2f MiB a second\n",
                (unsigned long long)t->events, (double)t->events / s,
                (double)t->bytes / s / (1 << 20));
    put_errors(t, out);
    put_durations(t, out);
}

static void
put_size(FILE *out, const char *before, double bytes)
{
    if (isfinite(bytes))
        fprintf(out, "%s%.1f MiB", before, bytes / (1 << 20));
}

static void
put_target(const struct result *r, FILE *out)
{
    fprintf(out, "target %llu%s\n", (unsigned long long)r->run->o->pid,
            r->run->target_exited ? " (ended before the run did)" : "");
    fprintf(out, "  cpu            %.3f s, %.1f%% of a core", r->cpu_s,
            100 * r->cpu_s / r->window_s);
    if (isfinite(r->cpu_us_per_event))
        fprintf(out, ", %.3f us an event", r->cpu_us_per_event);
    if (isfinite(r->cpu_us_per_call))
        fprintf(out, ", %.2f us a call", r->cpu_us_per_call);
    put_size(out, "\n  memory         ", r->rss_end);
    put_size(out, ", peak ", r->rss_peak);
    put_size(out, ", before ", r->rss_start);
    if (isfinite(r->rss_per_stream))
        fprintf(out, ", %.1f KiB a stream", r->rss_per_stream / 1024);
    put_size(out, ", growing an hour by ", r->rss_slope);
    fputs("\n", out);
}

void
result_table(const struct result *r, FILE *out)
{
    const struct run *run = r->run;

    for (unsigned i = 0; i < run->n_loads; i++) {
        const struct load_options *o = run->loads[i].o;

        fprintf(out, "%s %s, %.*s\n", o->dialect->name, o->whole ? "whole" : "streams",
                STR_ARG(o->url.text));
        put_tally(&run->loads[i].tally, r->window_s, out);
    }
    if (run->n_loads > 1) {
        fputs("all\n", out);
        put_tally(r->total, r->window_s, out);
    }
    if (run->o->pid)
        put_target(r, out);
    fprintf(out, "generator\n  cpu            %.1f%% of a core, %llu turns over 10 ms\n",
            100 * r->own_cpu_s / r->window_s,
            (unsigned long long)(run->turns_close - run->turns_open));
    if (run->stopped)
        fprintf(out, "stopped early: %s\n", run->stopped);
}
