/* watch.c -- the watchdog: which coroutines hold their thread for long.
 *
 * It reads the processor's tick counter, which is cheaper than a clock, and looks at the clock
 * only when a run seems long.  The tick rate is taken from all the time since the scheduler
 * started, so it needs no calibration.  Even the counter costs several times what a switch does
 * (virtual machines), so only the first runs of a turn are timed one by one; in a crowded turn
 * the others are timed eight together.  When eight together were long, they are counted under
 * "several", and for some seconds every run is timed by itself, which names a repeated
 * offender.
 */
#include <string.h>

#include "base/clock.h"
#include "co/co_int.h"

enum {
    TIMED_ALONE = 32, /* runs of a turn that are always timed one by one */
    TIMED_TOGETHER = 8,
};

#define LONG_NS       (10 * NS_PER_MS)
#define SUSPICIOUS_NS (10 * NS_PER_S)
#define FIRST_GUESS   100000 /* ticks; below 10 ms on any processor, corrected at once */

static inline uint64_t
ticks(void)
{
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
    uint64_t v;

    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(v));
    return v;
#else
    return (uint64_t)clock_monotonic_ns();
#endif
}

void
co_watch_init(struct co_watch *w)
{
    w->run_long = FIRST_GUESS;
    w->ticks_0 = ticks();
    w->ns_0 = clock_monotonic_ns();
}

static void
run_was_long(struct co_sched *s, const char *name, uint64_t t)
{
    struct co_watch *w = &s->watch;
    double ticks_per_ns, ns;
    int64_t since = clock_monotonic_ns() - w->ns_0;
    unsigned i;

    ticks_per_ns = (double)(t - w->ticks_0) / (double)(since > 0 ? since : 1);
    w->run_long = (uint64_t)(ticks_per_ns * (double)LONG_NS);
    ns = (double)(t - w->run_began) / ticks_per_ns;
    if (ns < (double)LONG_NS)
        return;
    if (w->together > 1) {
        name = "several";
        w->suspicious_until = s->now + SUSPICIOUS_NS;
    }
    s->stats.long_turns++;
    if ((int64_t)ns > s->stats.longest_ns) {
        s->stats.longest_ns = (int64_t)ns;
        s->stats.longest_name = name;
    }
    for (i = 0; i < CO_LONG_NAMES - 1; i++)
        if (!w->names[i].name || strcmp(w->names[i].name, name) == 0)
            break;
    if (!w->names[i].name)
        w->names[i].name = i == CO_LONG_NAMES - 1 ? "other" : name;
    w->names[i].count++;
}

static void
start(struct co_sched *s, uint64_t t)
{
    struct co_watch *w = &s->watch;
    bool crowded = s->turn_budget - s->budget >= TIMED_ALONE && s->now >= w->suspicious_until;

    w->run_began = t;
    w->together = w->left = crowded ? TIMED_TOGETHER : 1;
}

void
co_watch_turn(struct co_sched *s)
{
    start(s, ticks());
}

void
co_watch_ran(struct co_sched *s, const struct co *c)
{
    uint64_t t = ticks();

    if (t - s->watch.run_began > s->watch.run_long)
        run_was_long(s, c->name, t);
    start(s, t);
}

void
co_long_turns(const struct co_sched *s,
              void (*row)(void *arg, const char *name, uint64_t count), void *arg)
{
    const struct co_watch *w = &s->watch;
    unsigned i;

    for (i = 0; i < CO_LONG_NAMES && w->names[i].name; i++)
        row(arg, w->names[i].name, w->names[i].count);
}
