/* result.h -- what came out of a run, written down. */
#ifndef BENCH_RESULT_H
#define BENCH_RESULT_H

#include <stdio.h>

#include "bench/run.h"

/* What is worked out once for all three forms.  Figures that could not be had are NAN. */
struct result {
    const struct run *run;
    struct tally *total; /* owned */
    double window_s;
    double cpu_s, cpu_user_s, cpu_system_s;
    double cpu_us_per_event, cpu_us_per_call;
    double rss_start, rss_end, rss_peak, rss_per_stream, rss_slope;
    double own_cpu_s, own_us_per_event;
};

void result_init(struct result *r, const struct run *run);
void result_fini(struct result *r);

/* One line of JSON with its newline. */
TG_MUST_USE tg_rc result_json(const struct result *r, FILE *out, struct tg_err *err);
/* For people, on a terminal. */
void result_table(const struct result *r, FILE *out);
/* report.c: one page of HTML with its plots inside. */
void result_report(const struct result *r, FILE *out);

#endif
