/* sample.c -- what is looked at four times a second: memory, open calls, the plots' points, the
 * progress line.
 *
 * A sample for the plots is as long as it must be for a few hundred to cover the run.  When
 * the run turns out longer than was known, every second one is dropped and they become twice as
 * long.
 */
#include "bench/run.h"

#include <unistd.h>

#include "base/clock.h"

#define TICK (250 * NS_PER_MS)

static void
count_open(struct load *l)
{
    if (!l->counting)
        return;
    if (l->open > l->tally.open_max)
        l->tally.open_max = l->open;
    l->tally.open_sum += (double)l->open;
    l->tally.open_samples++;
}

void
sample_memory(struct run *r)
{
    bool measuring = false;
    int64_t rss;

    for (unsigned i = 0; i < r->n_loads; i++) {
        measuring |= r->loads[i].counting;
        count_open(&r->loads[i]);
    }
    if (!r->o->pid || r->target_exited)
        return;
    if (!target_rss(r->o->pid, &rss) || rss == 0) {
        r->target_exited = true;
        return;
    }
    r->rss_end = rss;
    if (rss > r->rss_peak)
        r->rss_peak = rss;
    if (measuring) {
        r->rss_sum += (double)rss;
        r->rss_n++;
        slope_add(&r->rss_slope, (double)co_now_exact() / NS_PER_S, (double)rss);
    }
}

static void
quantiles(struct hist *h, double ret[3])
{
    static const double q[3] = {0.5, 0.9, 0.99};

    for (unsigned i = 0; i < 3; i++)
        ret[i] = h->n ? (double)hist_quantile(h, q[i]) / 1000 : -1;
    hist_clear(h);
}

static void
halve(struct run *r)
{
    unsigned n = 0;

    for (unsigned i = 1; i < r->n_samples; i += 2)
        r->samples[n++] = r->samples[i];
    r->n_samples = n;
    r->sample_ns *= 2;
}

/* Takes the stretch since the last sample. */
static void
take_sample(struct run *r)
{
    co_time now = co_now_exact();
    double seconds = (double)(now - r->last.at) / NS_PER_S;
    int64_t own_ns = run_own_cpu_ns(NULL);
    uint64_t events = 0, calls = 0;
    struct usage_cpu cpu;
    bool known = r->o->pid && !r->target_exited && target_cpu(r->o->pid, &cpu);
    struct sample s = {.at_s = (double)(now - r->begin) / NS_PER_S,
                       .seconds = seconds,
                       .rss_bytes = r->o->pid && !r->target_exited ? (double)r->rss_end : -1,
                       .cpu_share = -1,
                       .own_cpu_share = (double)(own_ns - r->last.own_ns) / 1e9 / seconds};

    for (unsigned i = 0; i < r->n_loads; i++) {
        events += r->loads[i].tally.run_events;
        calls += r->loads[i].tally.run_calls;
        s.open += (double)r->loads[i].open;
    }
    s.events_per_s = (double)(events - r->last.events) / seconds;
    s.calls_per_s = (double)(calls - r->last.calls) / seconds;
    if (known && r->last.cpu_known)
        s.cpu_share = (double)target_cpu_between(&r->last.cpu, &cpu) / 1e9 / seconds;
    quantiles(&r->latency, s.latency_us);
    quantiles(&r->first, s.first_us);
    r->last.at = now;
    r->last.events = events;
    r->last.calls = calls;
    r->last.own_ns = own_ns;
    r->last.cpu_known = known;
    if (known)
        r->last.cpu = cpu;
    if (r->n_samples == RUN_SAMPLES_MAX)
        halve(r);
    r->samples[r->n_samples++] = s;
}

/* One line, written over and over. */
static void
show_progress(const struct run *r)
{
    const struct sample *s = &r->samples[r->n_samples - 1];
    uint64_t fails = 0;

    for (unsigned i = 0; i < r->n_loads; i++)
        fails += r->loads[i].fails;
    fprintf(stderr, "\r\033[K%s %.1f s  %.0f open  %.0f events/s  %.0f calls/s  %llu failed",
            r->open_ns ? "measuring" : "warming up", s->at_s, s->open, s->events_per_s,
            s->calls_per_s, (unsigned long long)fails);
    if (s->cpu_share >= 0)
        fprintf(stderr, "  target %.0f%% %.1f MiB", 100 * s->cpu_share,
                s->rss_bytes / (1 << 20));
    fprintf(stderr, "  self %.0f%% ", 100 * s->own_cpu_share);
    fflush(stderr);
}

tg_rc
sample_run(void *arg)
{
    struct run *r = arg;
    bool progress = !r->o->quiet && isatty(STDERR_FILENO);
    co_time at = co_now();
    tg_rc rc = TG_OK;

    if (r->sample_ns < TICK)
        r->sample_ns = TICK;
    r->last.own_ns = run_own_cpu_ns(NULL);
    while (rc == TG_OK) {
        at += TICK;
        rc = co_sleep_until(at);
        if (rc != TG_OK)
            break;
        sample_memory(r);
        if (co_now() - r->last.at >= r->sample_ns - TICK / 2) {
            take_sample(r);
            if (progress)
                show_progress(r);
        }
        co_event_signal(&r->wake);
    }
    if (progress)
        fputs("\r\033[K", stderr);
    return TG_OK;
}
