/* run.c -- all loads of a command line at once, and the window they are measured in.
 *
 *     begin --ramp, warm-up--> open --duration or --requests--> close
 *
 * One window serves all loads, so that what the target spends can be set against all that it
 * did.  A load that ends sooner stops counting by itself.  When the window closes, first the
 * clocks are read, then what is open is broken off.
 *
 * Signals only set a flag that the sampler looks at: it comes by four times a second.
 */
#include "bench/run.h"

#include <assert.h>
#include <signal.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/mem.h"
#include "bench/call.h"
#include "net/sock.h"

enum { SAMPLES_WANTED = 400, SPARE_COROUTINES = 1024 };

static volatile sig_atomic_t interrupted;

static void
on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

static void
on_timer(struct co_timer *t)
{
    co_event_signal(&LIST_ITEM(t, struct run, timer)->wake);
}

int64_t
run_own_cpu_ns(int64_t *ret_rss_peak)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    if (ret_rss_peak)
        *ret_rss_peak = (int64_t)u.ru_maxrss * 1024;
    return ((int64_t)u.ru_utime.tv_sec + u.ru_stime.tv_sec) * NS_PER_S +
           ((int64_t)u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000;
}

double
run_window_s(const struct run *r)
{
    return r->open_ns ? (double)(r->close_ns - r->open_ns) / NS_PER_S : 0;
}

tg_rc
run_init(struct run *r, const struct options *o, struct tg_err *err)
{
    uint64_t most_ms = 0;
    tg_rc rc = TG_OK;

    memset(r, 0, sizeof *r);
    r->o = o;
    r->loads = mem_array(o->n_loads, sizeof r->loads[0]);
    r->samples = mem_array(RUN_SAMPLES_MAX, sizeof r->samples[0]);
    r->rss_start = r->rss_end = r->rss_peak = -1;
    for (unsigned i = 0; rc == TG_OK && i < o->n_loads; i++) {
        const struct load_options *lo = &o->loads[i];
        struct load *l = &r->loads[i];
        uint64_t ms = lo->duration_ms + lo->ramp_ms + lo->warmup_ms;

        rc = load_init(l, lo, err);
        if (rc != TG_OK)
            break;
        r->n_loads++;
        l->wake = &r->wake;
        if (o->report) {
            l->recent_latency = &r->latency;
            l->recent_first = &r->first;
        }
        if (ms > most_ms)
            most_ms = ms;
    }
    r->sample_ns = (int64_t)most_ms * NS_PER_MS / SAMPLES_WANTED;
    if (rc == TG_OK && o->pid && !target_cpu(o->pid, &r->cpu_open))
        rc = tg_fail(err, TG_ECONFIG, TG_ERR_INVALID_REQUEST, "options",
                     "--pid: there is no process %llu", (unsigned long long)o->pid);
    if (rc != TG_OK)
        run_fini(r);
    return rc;
}

void
run_fini(struct run *r)
{
    for (unsigned i = 0; i < r->n_loads; i++)
        load_fini(&r->loads[i]);
    mem_free(r->loads);
    mem_free(r->samples);
    r->loads = NULL;
    r->samples = NULL;
    r->n_loads = 0;
}

/* What is counted by others, at one end of the window. */
static void
read_clocks(struct run *r, struct usage_cpu *cpu, int64_t *own_ns, uint64_t *turns)
{
    if (r->o->pid && !r->target_exited)
        r->target_exited = !target_cpu(r->o->pid, cpu);
    *own_ns = run_own_cpu_ns(&r->own_rss_peak);
    *turns = co_stats(co_sched_self())->long_turns;
}

static void
open_window(struct run *r)
{
    r->open_ns = r->close_ns = co_now_exact();
    read_clocks(r, &r->cpu_open, &r->own_open_ns, &r->turns_open);
    r->cpu_close = r->cpu_open;
    for (unsigned i = 0; i < r->n_loads; i++)
        if (!r->loads[i].ended)
            load_window_open(&r->loads[i]);
    sample_memory(r);
}

/* Again for every load that ends; the last one counts. */
static void
close_window(struct run *r)
{
    sample_memory(r);
    r->close_ns = co_now_exact();
    read_clocks(r, &r->cpu_close, &r->own_close_ns, &r->turns_close);
}

/* When the load's part of the window ends. */
static co_time
ends_at(const struct run *r, const struct load *l)
{
    return l->o->duration_ms ? r->open_ns + (co_time)l->o->duration_ms * NS_PER_MS : CO_NEVER;
}

static void
end_load(struct load *l)
{
    load_window_close(l);
    l->over = true;
    if (l->begun && !l->ended)
        co_cancel(&l->scope, TG_ECANCELED);
}

/* Opens and closes what is due; the time of what comes next. */
static co_time
act(struct run *r, bool stop)
{
    co_time now = co_now_exact(), next = CO_NEVER;
    bool due = false;

    if (!r->open_ns && !stop) {
        if (now < r->opens_at)
            return r->opens_at;
        open_window(r);
    }
    for (unsigned i = 0; i < r->n_loads; i++) {
        struct load *l = &r->loads[i];
        co_time at = ends_at(r, l);

        due |= l->counting && (stop || at <= now);
        if (l->counting && at > now && at < next)
            next = at;
    }
    if (due)
        close_window(r);
    for (unsigned i = 0; i < r->n_loads; i++)
        if (stop || ends_at(r, &r->loads[i]) <= now)
            end_load(&r->loads[i]);
    return next;
}

static bool
all_ended(const struct run *r)
{
    bool ended = true;

    for (unsigned i = 0; i < r->n_loads; i++)
        ended &= r->loads[i].ended;
    return ended;
}

static const char *
why_stop(const struct run *r)
{
    uint64_t fails = 0;

    for (unsigned i = 0; i < r->n_loads; i++)
        fails += r->loads[i].fails;
    if (r->o->max_errors && fails >= r->o->max_errors)
        return "max_errors";
    return interrupted ? "interrupted" : NULL;
}

/* S */
static tg_rc
wait_for_end(struct run *r)
{
    bool last_request = false;
    tg_rc rc = TG_OK;

    while (rc == TG_OK && !all_ended(r)) {
        if (!r->stopped)
            r->stopped = why_stop(r);
        co_timer_set(&r->timer, act(r, r->stopped != NULL));
        if (!all_ended(r))
            rc = co_event_wait(&r->wake);
    }
    /* The last to end may have been a load of --requests, which ends by itself. */
    for (unsigned i = 0; i < r->n_loads; i++)
        last_request |= r->loads[i].o->requests != 0;
    if (last_request && r->open_ns && !r->stopped)
        close_window(r);
    return rc;
}

static tg_rc
run_main(void *arg)
{
    struct run *r = arg;
    struct co_scope scope;
    tg_rc rc = TG_OK;

    co_timer_init(&r->timer, on_timer);
    r->begin = r->last.at = co_now_exact();
    r->opens_at = r->begin;
    for (unsigned i = 0; i < r->n_loads; i++) {
        struct load *l = &r->loads[i];
        co_time ready = (co_time)(l->o->ramp_ms + l->o->warmup_ms) * NS_PER_MS;

        l->begin = r->begin;
        if (r->begin + ready > r->opens_at)
            r->opens_at = r->begin + ready;
    }
    if (r->o->pid && target_rss(r->o->pid, &r->rss_start))
        r->rss_end = r->rss_peak = r->rss_start;
    (void)act(r, false);
    co_scope_open(&scope, CO_NEVER);
    for (unsigned i = 0; rc == TG_OK && i < r->n_loads; i++)
        rc = co_spawn(&scope, "load", load_run, &r->loads[i]);
    if (rc == TG_OK)
        rc = co_spawn(&scope, "sample", sample_run, r);
    if (rc == TG_OK)
        rc = wait_for_end(r);
    co_timer_clear(&r->timer);
    for (unsigned i = 0; i < r->n_loads; i++)
        load_window_close(&r->loads[i]);
    (void)co_scope_close(&scope);
    return rc;
}

tg_rc
run_all(struct run *r, struct tg_err *err)
{
    struct co_conf conf = {.recv_buffers = 1024,
                           .recv_buffer_bytes = 16384,
                           .ring_entries = 4096,
                           .coroutines_max = SPARE_COROUTINES};
    struct sigaction sa = {.sa_handler = on_signal};
    bool tls = false;
    tg_rc rc;

    for (unsigned i = 0; i < r->n_loads; i++) {
        const struct load_options *o = r->loads[i].o;

        conf.coroutines_max += o->connections  ? (unsigned)o->connections
                               : o->rate_milli ? OPTIONS_CONNECTIONS_MAX
                                               : 1;
        tls |= o->url.tls;
    }
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    sa.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &sa, NULL);
    r->started_wall_ns = clock_wall_ns();
    if (tls) {
        rc = co_offload_start(1, 4096, err);
        if (rc != TG_OK)
            return rc;
    }
    rc = co_run(&conf, "bench", run_main, r, err);
    if (tls)
        co_offload_stop();
    if (rc == TG_OK)
        sock_thread_fini();
    arena_thread_fini();
    return rc;
}
