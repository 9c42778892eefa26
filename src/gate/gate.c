/* gate.c -- the daemon's main thread: opens listeners, starts workers, obeys signals.
 *
 * It owns no connection.  All signals are blocked everywhere and taken here one by one:
 *   SIGTERM, SIGINT, SIGUSR1   drain; a second one ends at once
 *   SIGHUP                     reload: read and check everything, then hand it to the workers,
 * or keep the old one SIGUSR2                    (own use) a worker has ended
 *
 * Invariant: workers get a new configuration only after all of it has been found good.
 */
#include "gate/gate.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "co/co.h"
#include "gate/worker.h"
#include "net/listen.h"

enum { OFFLOAD_THREADS = 2, OFFLOAD_QUEUE = 4096 };

struct gate {
    const char *config_path;
    struct upstream_shared *shared; /* current configuration */
    struct worker *workers;
    unsigned n_workers, n_started;
    unsigned terms; /* how often it was asked to end */
};

static void
take_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
    sigaddset(set, SIGUSR1);
    sigaddset(set, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* The address that the first worker got (port 0 picks one) is used by the others. */
static tg_rc
open_listener(struct gate *g, struct str address, struct tg_err *err)
{
    char name[128] = "";
    tg_rc rc = TG_OK;

    for (unsigned i = 0; rc == TG_OK && i < g->n_workers; i++) {
        struct worker *w = &g->workers[i];

        rc = listen_open(i == 0 ? address : str_z(name), &w->listen_fd[w->n_listen], err);
        if (rc != TG_OK)
            break;
        if (i == 0)
            listen_name(w->listen_fd[w->n_listen], name, sizeof(name));
        w->n_listen++;
    }
    return rc;
}

static tg_rc
open_listeners(struct gate *g, const struct settings *s, struct tg_err *err)
{
    tg_rc rc = TG_OK;

    if (s->n_listen > WORKER_LISTENERS_MAX)
        return tg_fail(err, TG_ECONFIG, TG_ERR_INTERNAL, "listen",
                       "at most %d addresses can be listened on", WORKER_LISTENERS_MAX);
    for (unsigned i = 0; rc == TG_OK && i < s->n_listen; i++)
        rc = open_listener(g, s->listen[i], err);
    return rc;
}

static void
say_listening(const struct gate *g)
{
    const struct worker *w = &g->workers[0];
    struct log_line l;

    for (unsigned i = 0; i < w->n_listen; i++) {
        char name[128];

        listen_name(w->listen_fd[i], name, sizeof(name));
        log_begin(&l, LOG_INFO, "listening");
        log_str(&l, "address", str_z(name));
        log_int(&l, "workers", g->n_workers);
        log_str(&l, "config", str_z(g->config_path));
        log_int(&l, "pid", getpid());
        log_end(&l);
    }
}

static tg_rc
start_workers(struct gate *g, struct tg_err *err)
{
    for (unsigned i = 0; i < g->n_workers; i++) {
        struct worker *w = &g->workers[i];
        tg_rc rc;

        w->index = i;
        w->shared = g->shared;
        upstream_shared_ref(g->shared);
        rc = worker_start(w, err);
        if (rc != TG_OK) {
            upstream_shared_unref(g->shared);
            return rc;
        }
        g->n_started++;
        if (worker_ended(w)) {
            *err = w->err;
            return w->rc != TG_OK ? w->rc : TG_EINTERNAL;
        }
    }
    return TG_OK;
}

static void
say_reload_failed(const struct gate *g, struct str why)
{
    struct log_line l;

    log_begin(&l, LOG_ERROR, "config_reload_failed");
    log_str(&l, "config", str_z(g->config_path));
    log_str(&l, "reason", why);
    log_end(&l);
}

/* What a running process cannot take up. */
static void
warn_restart(const struct settings *old, const struct settings *now)
{
    struct log_line l;
    char keys[128];

    if (!settings_needs_restart(old, now, keys, sizeof(keys)))
        return;
    log_begin(&l, LOG_WARN, "config_needs_restart");
    log_str(&l, "keys", str_z(keys));
    log_end(&l);
}

static void
reload(struct gate *g)
{
    struct upstream_shared *sh;
    struct settings *s;
    struct tg_err err = {0};
    struct log_line l;

    if (settings_load(g->config_path, stderr, &s) != TG_OK) {
        say_reload_failed(g, STR("the file has errors; see above"));
        return;
    }
    if (upstream_shared_open(s, &sh, &err) != TG_OK) {
        say_reload_failed(g, str_z(err.msg));
        return;
    }
    warn_restart(upstream_shared_settings(g->shared), s);
    log_setup(s->log.format, s->log.level);
    for (unsigned i = 0; i < g->n_started; i++)
        if (!worker_ended(&g->workers[i]))
            worker_reload(&g->workers[i], sh);
    upstream_shared_unref(g->shared);
    g->shared = sh;
    log_begin(&l, LOG_INFO, "config_reloaded");
    log_str(&l, "config", str_z(g->config_path));
    log_int(&l, "generation", s->generation);
    log_end(&l);
}

static void
drain(struct gate *g)
{
    struct log_line l;

    g->terms++;
    log_begin(&l, LOG_INFO, g->terms == 1 ? "draining" : "ending");
    log_end(&l);
    for (unsigned i = 0; i < g->n_started; i++) {
        if (worker_ended(&g->workers[i]))
            continue;
        if (g->terms == 1)
            worker_drain(&g->workers[i]);
        else if (g->terms == 2)
            worker_drain_fast(&g->workers[i]);
    }
}

static bool
all_ended(const struct gate *g)
{
    for (unsigned i = 0; i < g->n_started; i++)
        if (!worker_ended(&g->workers[i]))
            return false;
    return true;
}

static void
obey_signals(struct gate *g, const sigset_t *set)
{
    while (!all_ended(g)) {
        int sig = 0;

        if (sigwait(set, &sig) != 0)
            continue;
        if (sig == SIGHUP)
            reload(g);
        else if (sig != SIGUSR2)
            drain(g);
        else if (g->terms == 0)
            drain(g); /* a worker failed: the others finish what they have */
    }
}

/* Waits for all workers; the first failure is the gate's. */
static tg_rc
join_workers(struct gate *g, struct tg_err *err)
{
    tg_rc rc = TG_OK;

    for (unsigned i = 0; i < g->n_started; i++) {
        struct worker *w = &g->workers[i];

        pthread_join(w->thread, NULL);
        sem_destroy(&w->ready);
        if (rc == TG_OK && w->rc != TG_OK) {
            rc = w->rc;
            *err = w->err;
        }
    }
    return rc;
}

tg_rc
gate_run(struct settings *s, const char *config_path, struct tg_err *err)
{
    struct gate g = {.config_path = config_path, .n_workers = s->workers};
    sigset_t set;
    struct tg_err late = {0};
    tg_rc rc;

    take_signals(&set);
    log_setup(s->log.format, s->log.level);
    rc = upstream_shared_open(s, &g.shared, err);
    if (rc != TG_OK)
        return rc;
    g.workers = mem_array(g.n_workers, sizeof(struct worker));
    rc = open_listeners(&g, s, err);
    if (rc == TG_OK)
        rc = co_offload_start(OFFLOAD_THREADS, OFFLOAD_QUEUE, err);
    if (rc != TG_OK)
        goto out_free;
    rc = start_workers(&g, err);
    if (rc == TG_OK) {
        say_listening(&g);
    } else {
        drain(&g);
        drain(&g);
    }
    obey_signals(&g, &set);
    if (join_workers(&g, &late) != TG_OK && rc == TG_OK) {
        rc = late.rc != TG_OK ? late.rc : TG_EINTERNAL;
        *err = late;
    }
    co_offload_stop();
out_free:
    mem_free(g.workers);
    upstream_shared_unref(g.shared);
    return rc;
}
