/* tally.c -- what is counted and timed of a load.
 *
 * Everything is counted at the moment it is seen, and only while the window is open; a stream
 * that crosses the window's edge gives what lies within.
 */
#include "bench/tally.h"

#include <assert.h>

#include "upstream/sim_stamp.h"

static const char *const fail_names[FAIL_N] = {
    [FAIL_NONE] = "none",           [FAIL_CONNECT] = "connect",  [FAIL_STATUS] = "status",
    [FAIL_TRUNCATED] = "truncated", [FAIL_GRAMMAR] = "grammar",  [FAIL_STREAM] = "stream",
    [FAIL_TIMEOUT] = "timeout",     [FAIL_PROTOCOL] = "protocol"};

static const char *const hist_names[HIST_N] = {[HIST_FIRST_BYTE] = "first_byte_us",
                                               [HIST_FIRST_EVENT] = "first_event_us",
                                               [HIST_GAP] = "gap_us",
                                               [HIST_LATENCY] = "event_latency_us",
                                               [HIST_CALL] = "call_us"};

const char *
fail_name(enum fail f)
{
    assert((unsigned)f < FAIL_N);
    return fail_names[f];
}

const char *
hist_name(unsigned which)
{
    assert(which < HIST_N);
    return hist_names[which];
}

void
tally_merge(struct tally *t, const struct tally *from)
{
    t->open_at_start += from->open_at_start;
    t->started += from->started;
    t->completed += from->completed;
    t->failed += from->failed;
    t->open_at_end += from->open_at_end;
    t->connected += from->connected;
    t->events += from->events;
    t->records += from->records;
    t->heartbeats += from->heartbeats;
    t->bytes += from->bytes;
    t->warmup_fails += from->warmup_fails;
    for (unsigned i = 0; i < FAIL_N; i++)
        t->fails[i] += from->fails[i];
    for (unsigned i = 0; i < TALLY_STATUS_N; i++)
        t->status[i] += from->status[i];
    if (!t->first_error[0])
        memcpy(t->first_error, from->first_error, sizeof t->first_error);
    t->open_max += from->open_max;
    t->open_sum += from->open_sum;
    if (from->open_samples > t->open_samples)
        t->open_samples = from->open_samples;
    for (unsigned i = 0; i < HIST_N; i++)
        hist_merge(&t->hist[i], &from->hist[i]);
}

void
watch_event(struct watch *w, int64_t now_ns)
{
    int64_t before_ns = w->last_ns;

    w->last_ns = now_ns;
    w->t->run_events++;
    if (!*w->counting)
        return;
    w->t->events++;
    if (before_ns) {
        hist_add(&w->t->hist[HIST_GAP], now_ns - before_ns);
        return;
    }
    hist_add(&w->t->hist[HIST_FIRST_EVENT], now_ns - w->start_ns);
    if (w->recent_first)
        hist_add(w->recent_first, now_ns - w->start_ns);
}

void
watch_stamp(struct watch *w, int64_t now_ns, int64_t stamp_ns)
{
    if (!*w->counting)
        return;
    hist_add(&w->t->hist[HIST_LATENCY], now_ns - stamp_ns);
    if (w->recent_latency)
        hist_add(w->recent_latency, now_ns - stamp_ns);
}

void
watch_text(struct watch *w, int64_t now_ns, struct str text)
{
    int64_t stamp_ns;

    watch_event(w, now_ns);
    while (text.n >= SIM_STAMP_BYTES) {
        size_t at = str_find(text, '@');

        text = str_from(text, at);
        if (sim_stamp_get(text, &stamp_ns)) {
            watch_stamp(w, now_ns, stamp_ns);
            text = str_from(text, SIM_STAMP_BYTES);
        } else {
            text = str_from(text, 1);
        }
    }
}

void
watch_record(struct watch *w, bool heartbeat)
{
    if (!*w->counting)
        return;
    w->t->records += !heartbeat;
    w->t->heartbeats += heartbeat;
}
