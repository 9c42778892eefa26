/* run.h -- all loads of a command line at once, the window they are measured in, and what is
 * sampled meanwhile. */
#ifndef BENCH_RUN_H
#define BENCH_RUN_H

#include "bench/load.h"
#include "bench/slope.h"
#include "bench/target.h"

enum { RUN_SAMPLES_MAX = 800 };

/* What the plots are made of: one stretch of time. */
struct sample {
    double at_s;      /* since the run began */
    double seconds;   /* length              */
    double rss_bytes; /* -1 = not known      */
    double cpu_share; /* likewise            */
    double own_cpu_share;
    double events_per_s, calls_per_s, open;
    double latency_us[3]; /* p50, p90, p99 of events; -1 = there were none */
    double first_us[3];
};

struct run {
    const struct options *o;
    struct load *loads;
    unsigned n_loads;
    struct co_event wake;
    struct co_timer timer;
    int64_t started_wall_ns;
    co_time begin, open_ns, close_ns; /* open_ns 0: the window has not opened yet */
    co_time opens_at;
    struct usage_cpu cpu_open, cpu_close;
    int64_t own_open_ns, own_close_ns, own_rss_peak;
    uint64_t turns_open, turns_close;
    int64_t rss_start, rss_end, rss_peak; /* -1 = not known */
    double rss_sum;
    uint64_t rss_n; /* samples of it in the window */
    struct slope rss_slope;
    bool target_seen, target_exited;
    const char *stopped; /* "interrupted", "max_errors", or NULL */
    tg_rc rc;            /* the first failure of the generator itself */
    struct tg_err err;

    /* sampling */
    struct sample *samples;
    unsigned n_samples;
    int64_t sample_ns; /* length of a sample */
    struct hist latency, first;
    struct {
        co_time at;
        uint64_t events, calls;
        struct usage_cpu cpu;
        bool cpu_known;
        int64_t own_ns;
    } last;
};

/* Makes the loads ready.  Blocking.  Errors: those of load_init. */
TG_MUST_USE tg_rc run_init(struct run *r, const struct options *o, struct tg_err *err);
/* Runs them; results are in *r.  Errors: those of co_run. */
TG_MUST_USE tg_rc run_all(struct run *r, struct tg_err *err);
void run_fini(struct run *r);

/* The window's length so far. */
double run_window_s(const struct run *r);
/* CPU time of this process. */
int64_t run_own_cpu_ns(int64_t *ret_rss_peak);

/* sample.c */

/* A coroutine (arg is the run) that samples until it is cancelled.  S */
tg_rc sample_run(void *arg);
/* Looks at memory and open calls now. */
void sample_memory(struct run *r);

#endif
