/* result.c -- figures that are worked out from a run's counts. */
#include "bench/result.h"

#include <math.h>

#include "base/clock.h"
#include "base/mem.h"

/* Fewer streams weigh less than what a process takes for other reasons. */
#define STREAMS_MIN  10.0
#define HOUR_S       3600.0
#define SLOPE_FROM_S 60.0

static double
per(double what, double n)
{
    return n > 0 ? what / n : NAN;
}

static double
known(int64_t v)
{
    return v >= 0 ? (double)v : NAN;
}

static void
work_out_target(struct result *r)
{
    const struct run *run = r->run;
    double open = per(r->total->open_sum, (double)r->total->open_samples), slope;

    r->cpu_s = (double)target_cpu_between(&run->cpu_open, &run->cpu_close) / 1e9;
    r->cpu_user_s = (double)(run->cpu_close.user_ns - run->cpu_open.user_ns) / 1e9;
    r->cpu_system_s = (double)(run->cpu_close.system_ns - run->cpu_open.system_ns) / 1e9;
    r->cpu_us_per_event = per(r->cpu_s * 1e6, (double)r->total->events);
    r->cpu_us_per_call = per(r->cpu_s * 1e6, (double)r->total->completed);
    r->rss_start = known(run->rss_start);
    r->rss_end = known(run->rss_end);
    r->rss_peak = known(run->rss_peak);
    if (open >= STREAMS_MIN)
        r->rss_per_stream = (per(run->rss_sum, (double)run->rss_n) - r->rss_start) / open;
    if (r->window_s >= SLOPE_FROM_S && slope_get(&run->rss_slope, &slope))
        r->rss_slope = slope * HOUR_S;
}

void
result_init(struct result *r, const struct run *run)
{
    *r = (struct result){.run = run,
                         .total = mem_new(struct tally),
                         .window_s = run_window_s(run),
                         .cpu_s = NAN,
                         .cpu_user_s = NAN,
                         .cpu_system_s = NAN,
                         .cpu_us_per_event = NAN,
                         .cpu_us_per_call = NAN,
                         .rss_start = NAN,
                         .rss_end = NAN,
                         .rss_peak = NAN,
                         .rss_per_stream = NAN,
                         .rss_slope = NAN};
    for (unsigned i = 0; i < run->n_loads; i++)
        tally_merge(r->total, &run->loads[i].tally);
    r->own_cpu_s = (double)(run->own_close_ns - run->own_open_ns) / 1e9;
    r->own_us_per_event = per(r->own_cpu_s * 1e6, (double)r->total->events);
    if (run->o->pid)
        work_out_target(r);
}

void
result_fini(struct result *r)
{
    mem_free(r->total);
}
