/* tally.h -- what is counted and timed of a load. */
#ifndef BENCH_TALLY_H
#define BENCH_TALLY_H

#include <stdbool.h>

#include "bench/hist.h"
#include "triglot/str.h"

/* How a call can fail. */
enum fail {
    FAIL_NONE,
    FAIL_CONNECT,
    FAIL_STATUS,
    FAIL_TRUNCATED,
    FAIL_GRAMMAR,
    FAIL_STREAM,
    FAIL_TIMEOUT,
    FAIL_PROTOCOL,
    FAIL_N
};
const char *fail_name(enum fail f);

enum { TALLY_STATUS_N = 600, TALLY_WORDS = 200 };

enum { HIST_FIRST_BYTE, HIST_FIRST_EVENT, HIST_GAP, HIST_LATENCY, HIST_CALL, HIST_N };
/* "first_byte_us" and so on. */
const char *hist_name(unsigned which);

struct tally {
    uint64_t open_at_start, started, completed, failed, open_at_end;
    uint64_t connected;
    uint64_t events, records, heartbeats, bytes;
    uint64_t fails[FAIL_N], warmup_fails;
    uint64_t status[TALLY_STATUS_N];
    char first_error[TALLY_WORDS]; /* "" = none */
    uint64_t open_max;
    double open_sum; /* of samples */
    uint64_t open_samples;
    struct hist hist[HIST_N];
    uint64_t run_events, run_calls; /* of the whole run, for the plots */
};

/* Adds all of from to t; open_max is added too, since loads run at the same time. */
void tally_merge(struct tally *t, const struct tally *from);

/* One stream as it is watched.  Zero it, then set what is above the line. */
struct watch {
    struct tally *t;
    const bool *counting;                       /* the window is open                       */
    struct hist *recent_latency, *recent_first; /* since the last sample, or NULL */
    int64_t start_ns;
    /* -- */
    int64_t last_ns; /* of the last event; 0 = none yet */
};

/* An event with content arrived at now_ns. */
void watch_event(struct watch *w, int64_t now_ns);
/* It bore this timestamp. */
void watch_stamp(struct watch *w, int64_t now_ns, int64_t stamp_ns);
/* Counts and times every timestamp in an event's text. */
void watch_text(struct watch *w, int64_t now_ns, struct str text);
void watch_record(struct watch *w, bool heartbeat);

#endif
