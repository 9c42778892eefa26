/* gate_sim.c -- a whole gateway worker in a simulated network.
 *
 * worker_start makes a thread that calls co_run.  The linker puts __wrap_co_run in its place,
 * which runs the worker's main coroutine beside the test's script, in one scheduler on one
 * simulated ring.  The thread is new for each run, so all that is kept by thread (caches,
 * pools, blocks) begins empty and must be gone at the end.
 *
 * The log goes nowhere: its lines are counted by gate_fault.c.
 */
#include "support/gate_sim.h"

#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "co/ring.h"
#include "net/dns.h"
#include "support/gate_fault.h"
#include "support/ring_sim.h"

#define RUN_NS_MAX (300 * NS_PER_S)

static struct {
    struct worker *w;
    co_fn *inner, *script;
    void *inner_arg, *script_arg;
    bool over; /* the worker's main coroutine has ended */
    const struct gate_fault *early;
    char title[256];
} sim;

void
gate_sim_title(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(sim.title, sizeof sim.title, fmt, ap);
    va_end(ap);
}

void
gate_sim_die(const char *fmt, ...)
{
    va_list ap;

    (void)fprintf(stderr, "%s", sim.title);
    if (ring_sim_failed())
        (void)fprintf(stderr, " (%s)", ring_sim_failed_what());
    (void)fputs(": ", stderr);
    va_start(ap, fmt);
    (void)vfprintf(stderr, fmt, ap);
    va_end(ap);
    (void)fputc('\n', stderr);
    abort();
}

void
gate_sim_arm(const struct gate_fault *f)
{
    sim.early = f;
}

struct worker *
gate_sim_worker(void)
{
    return sim.w;
}

struct upstreams {
    unsigned idle, out, waiting;
};

static struct upstreams
upstreams(void)
{
    const struct upstream_set *set = sim.w->set;
    struct upstreams u = {0};

    for (unsigned i = 0; i < set->settings->n_upstreams; i++) {
        const struct pool_stats *p;

        if (!set->v[i].pool)
            continue;
        p = pool_stats(set->v[i].pool);
        u.idle += p->idle;
        u.out += p->out;
        u.waiting += p->waiting;
    }
    return u;
}

unsigned
gate_sim_idle(void)
{
    return sim.w->set ? upstreams().idle : 0;
}

static const char *
unrest(void)
{
    static char what[160];
    struct upstreams u;
    unsigned conns = sim.w->n_conns + sim.w->n_refusing;

    if (!sim.w->set)
        return "the worker has ended";
    u = upstreams();
    if (conns == 0 && u.out == 0 && u.waiting == 0 && sock_live() == u.idle &&
        ring_sim_in_flight() == 1 + u.idle)
        return NULL;
    (void)snprintf(what, sizeof what,
                   "%u client connections; upstream: %u out, %u idle, %u waited for; %u "
                   "sockets, %u operations in flight",
                   conns, u.out, u.idle, u.waiting, sock_live(), ring_sim_in_flight());
    return what;
}

const char *
gate_sim_quiet(co_time ns)
{
    co_time until = co_now() + ns;
    const char *what;

    while ((what = unrest()) != NULL && sim.w->set && co_now() < until)
        if (co_sleep_until(co_now() + NS_PER_MS) != TG_OK)
            break;
    return what;
}

static tg_rc
script(void *arg)
{
    tg_rc rc = sim.script(arg);

    if (sim.w->drain_stage == 0 && !sim.over)
        worker_drain(sim.w);
    return rc;
}

/* The worker's main coroutine, the script beside it. */
static tg_rc
body(void *arg)
{
    co_time began = co_now(), until;
    struct co_scope scripts;
    tg_rc rc, rc_script;

    (void)arg;
    co_scope_open(&scripts, CO_NEVER);
    rc = co_spawn(&scripts, "script", script, sim.script_arg);
    GATE_EXPECT(rc == TG_OK);
    rc = sim.inner(sim.inner_arg);
    sim.over = true;
    rc_script = co_join(&scripts);
    (void)co_scope_close(&scripts);
    if (rc_script != TG_OK)
        gate_sim_die("the script ended with %s", tg_rc_name(rc_script));
    until = co_now() + 2 * NS_PER_S;
    while ((sock_live() > 0 || ring_sim_in_flight() > 0) && co_now() < until)
        (void)!co_sleep_until(co_now() + NS_PER_MS);
    GATE_EXPECT(sim.w->relief.busy == 0);
    GATE_EXPECT(sock_live() == 0);
    GATE_EXPECT(ring_sim_in_flight() == 0);
    GATE_EXPECT(sock_stats()->held_bytes == 0);
    GATE_EXPECT(sock_stats()->unsent_bytes == 0);
    GATE_EXPECT(co_now() - began < RUN_NS_MAX);
    return rc;
}

tg_rc __real_co_run(const struct co_conf *conf, const char *name, co_fn *fn, void *arg,
                    struct tg_err *err);
tg_rc __wrap_co_run(const struct co_conf *conf, const char *name, co_fn *fn, void *arg,
                    struct tg_err *err);

tg_rc
__wrap_co_run(const struct co_conf *conf, const char *name, co_fn *fn, void *arg,
              struct tg_err *err)
{
    struct co_conf few = *conf;

    if (!sim.w)
        return __real_co_run(conf, name, fn, arg, err);
    few.recv_buffers = 16;
    few.recv_buffer_bytes = 1024;
    sim.inner = fn;
    sim.inner_arg = arg;
    if (sim.early)
        gate_fault_arm(sim.early);
    sim.early = NULL;
    return __real_co_run(&few, name, body, NULL, err);
}

static tg_rc
to_loopback(const char *host, struct dns_addr ret[DNS_ADDRS_MAX], unsigned *ret_n,
            const char **ret_why)
{
    struct sockaddr_in *in = (struct sockaddr_in *)&ret[0].sa;

    (void)host, (void)ret_why;
    in->sin_family = AF_INET;
    in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ret[0].len = sizeof *in;
    *ret_n = 1;
    return TG_OK;
}

static void
drop_log(void *arg, int fd, const char *p, size_t n)
{
    (void)arg, (void)fd, (void)p, (void)n;
}

static void
start(struct worker *w, const char *yaml)
{
    struct upstream_shared *shared;
    struct settings *s;
    struct tg_err err = {.rc = TG_OK};

    if (settings_load_text(str_z(yaml), "settings of the test", stderr, &s) != TG_OK)
        gate_sim_die("the settings are refused");
    if (upstream_shared_open(s, &shared, &err) != TG_OK)
        gate_sim_die("upstreams: %s", err.msg);
    w->shared = shared;
    w->listen_fd[0] = ring_sim_listen(GATE_SIM_PORT);
    w->n_listen = 1;
    if (worker_start(w, &err) != TG_OK)
        gate_sim_die("worker: %s", err.msg);
}

tg_rc
gate_sim_run(const char *yaml, uint64_t seed, co_fn *fn, void *arg)
{
    struct worker w = {.index = 0};
    long heap = gate_fault_heap();

    (void)signal(SIGUSR2, SIG_IGN); /* a worker's last word to the main thread */
    ring_sim_seed(seed);
    ring_sim_on_write(drop_log, NULL);
    dns_set_resolver(to_loopback);
    GATE_EXPECT(co_offload_start(0, 16, NULL) == TG_OK);
    sim.w = &w;
    sim.script = fn;
    sim.script_arg = arg;
    sim.over = false;
    start(&w, yaml);
    pthread_join(w.thread, NULL);
    (void)gate_fault_disarm();
    sem_destroy(&w.ready);
    sim.w = NULL;
    co_offload_stop();
    dns_set_resolver(NULL);
    ring_sim_on_write(NULL, NULL);
    GATE_EXPECT(ring_sim_open() == 0);
    arena_thread_fini(); /* what reading the settings has left in this thread's cache */
    if (gate_fault_heap() != heap)
        gate_sim_die("%ld blocks of the heap were not given back", gate_fault_heap() - heap);
    return w.rc;
}
