/* worker.c -- a worker thread: accepts, serves, reloads, drains.
 *
 * The main coroutine starts the log writer and one acceptor a listener, then sleeps on an event
 * and acts when something has changed.  Requests from the main thread come as posts that set a
 * field and signal that event, so all state is touched by this thread alone.
 *
 * Drain: readyz says 503 at once and answers announce the end of their connection; after
 * drain.delay accepting stops (what waits in the kernel's queue is still taken) and idle
 * connections are closed; after drain.timeout more, exchanges are ended with their dialect's
 * terminal error.  A second request skips to that last step.
 *
 *   SERVING -> DELAY -> FINISHING -> ENDING -> gone
 */
#include "gate/worker.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "gate/conn.h"
#include "net/dns.h"
#include "net/listen.h"
#include "net/sock.h"

/* Shared by all connections.  The kernel takes them in turn, so every one becomes resident and
 * is out of the processor's cache when its turn comes again: no more of them than a burst
 * needs. */
enum { RECV_BUFFERS = 256, RECV_BUFFER_BYTES = 8192 };

enum { SERVING, DELAY, FINISHING, ENDING, GONE };

#define ENDING_NS (3 * NS_PER_S) /* for terminal errors to reach the clients */

static void
set_stage(struct worker *w, int stage)
{
    if (stage > w->drain_stage)
        w->drain_stage = stage;
    co_event_signal(&w->wake_main);
}

static void
drain_timer(struct co_timer *t)
{
    struct worker *w = LIST_ITEM(t, struct worker, drain_timer);

    set_stage(w, w->drain_stage + 1);
}

static void
on_drain(struct co_post *p)
{
    set_stage(LIST_ITEM(p, struct worker, drain_post), DELAY);
}

static void
on_fast(struct co_post *p)
{
    set_stage(LIST_ITEM(p, struct worker, fast_post), ENDING);
}

struct reload {
    struct co_post post;
    struct worker *w;
    struct upstream_shared *to; /* reference */
};

static void
on_reload(struct co_post *p)
{
    struct reload *r = LIST_ITEM(p, struct reload, post);
    struct upstream_set *old = r->w->set;

    r->w->set = upstream_set_open(r->to);
    upstream_set_unref(old);
    upstream_shared_unref(r->to);
    mem_free(r);
}

static void
accepted(void *arg, int fd)
{
    conn_accept(arg, fd);
}

struct acceptor {
    struct worker *w;
    int fd;
};

/* The worker ends, for one that serves without accepting would only be waited for. */
static void
cannot_accept(struct worker *w, const char *why)
{
    if (w->drain_stage != SERVING)
        return;
    w->rc = tg_fail(&w->err, TG_EIO, TG_ERR_INTERNAL, "listener", "%s", why);
    set_stage(w, DELAY);
}

static tg_rc
accept_run(void *arg)
{
    struct acceptor *a = arg;
    tg_rc rc;

    rc = listen_accept(a->fd, accepted, a->w, &a->w->accept_pauses);
    listen_take_rest(a->fd, accepted, a->w);
    close(a->fd);
    if (rc == TG_EIO)
        cannot_accept(a->w, "a listener failed and cannot accept any more");
    return TG_OK;
}

/* A coroutine of its own: cancelling the scope it opens must not reach the main one. */
static tg_rc
accepting_run(void *arg)
{
    struct worker *w = arg;
    struct acceptor acceptors[WORKER_LISTENERS_MAX];
    tg_rc rc = TG_OK;

    co_scope_open(&w->accepting, CO_NEVER);
    w->accepts = true;
    for (unsigned i = 0; rc == TG_OK && i < w->n_listen; i++) {
        acceptors[i] = (struct acceptor){w, w->listen_fd[i]};
        rc = co_spawn(&w->accepting, "accept", accept_run, &acceptors[i]);
        w->n_accepting += rc == TG_OK;
    }
    if (rc == TG_OK)
        (void)!co_join(&w->accepting);
    else
        cannot_accept(w, "no coroutine to accept connections with");
    (void)co_scope_close(&w->accepting);
    w->accepts = false;
    co_event_signal(&w->wake_main);
    return rc;
}

/* Does what entering a stage asks for.  Each stage is entered once and in order. */
static void
enter(struct worker *w, int stage)
{
    const struct settings *s = w->set->settings;

    switch (stage) {
    case DELAY:
        w->draining = true;
        LIST_FOREACH (it, &w->conns)
            LIST_ITEM(it, struct conn_in, node)->x.draining = true;
        co_timer_set(&w->drain_timer, co_now() + s->drain.delay_ms * NS_PER_MS);
        break;
    case FINISHING:
        if (w->accepts)
            co_cancel(&w->accepting, TG_ECANCELED);
        conn_close_idle(w);
        co_timer_set(&w->drain_timer, co_now() + s->drain.timeout_ms * NS_PER_MS);
        break;
    case ENDING:
        conn_stop_all(w);
        co_timer_set(&w->drain_timer, co_now() + ENDING_NS);
        break;
    default:
        co_timer_clear(&w->drain_timer);
        break;
    }
}

/* Until all connections have ended or the last stage is over. */
static void
main_loop(struct worker *w)
{
    int stage = SERVING;

    for (;;) {
        while (stage < w->drain_stage)
            enter(w, ++stage);
        if (stage >= FINISHING && !w->accepts && w->n_conns == 0)
            break;
        if (stage >= GONE || co_event_wait(&w->wake_main) != TG_OK)
            break;
    }
    co_timer_clear(&w->drain_timer);
}

static void
post_ready(struct worker *w)
{
    if (!w->ready_posted)
        sem_post(&w->ready);
    w->ready_posted = true;
}

static void
log_stack(void *arg, const char *name, size_t bytes_max)
{
    const struct worker *w = arg;
    struct log_line l;

    log_begin(&l, LOG_INFO, "stack");
    log_int(&l, "worker", w->index);
    log_str(&l, "coroutine", str_z(name));
    log_int(&l, "bytes_max", (int64_t)bytes_max);
    log_end(&l);
}

/* What went by that nobody was told of. */
static void
log_end_of_worker(struct worker *w)
{
    const struct co_stats *co = co_stats(co_sched_self());
    struct log_line l;

    log_begin(&l, LOG_INFO, "worker_ended");
    log_int(&l, "worker", w->index);
    log_int(&l, "coroutines_max", co->live_max);
    log_int(&l, "long_turns", (int64_t)co->long_turns);
    log_str(&l, "longest_turn", str_z(co->longest_name));
    log_ms(&l, "longest_turn_ms", co->longest_ns);
    log_int(&l, "accept_pauses", (int64_t)w->accept_pauses);
    log_int(&l, "refused", (int64_t)w->refused);
    log_int(&l, "memory_given_back", w->relief.given_back);
    log_int(&l, "log_lines_lost", (int64_t)log_dropped());
    log_end(&l);
    co_stack_census(log_stack, w);
}

static tg_rc
serve(struct worker *w)
{
    struct co_scope logging;
    tg_rc rc = TG_OK;

    co_scope_open(&logging, CO_NEVER);
    rc = co_spawn(&logging, "log", logsink_run, &w->log);
    co_scope_open(&w->serving, CO_NEVER);
    if (rc == TG_OK)
        rc = co_spawn(&w->serving, "relief", relief_run, &w->relief);
    if (rc == TG_OK)
        rc = co_spawn(&w->serving, "accepting", accepting_run, w);
    if (rc == TG_OK) {
        post_ready(w);
        main_loop(w);
    }
    (void)co_scope_close(&w->serving);
    upstream_set_unref(w->set);
    w->set = NULL;
    log_end_of_worker(w);
    logsink_close(&w->log);
    (void)!co_join(&logging);
    (void)co_scope_close(&logging);
    return rc;
}

static tg_rc
worker_main(void *arg)
{
    struct worker *w = arg;
    tg_rc rc;

    w->sched = co_sched_self();
    list_init(&w->conns);
    co_timer_init(&w->drain_timer, drain_timer);
    w->set = upstream_set_open(w->shared);
    upstream_shared_unref(w->shared);
    w->shared = NULL;
    logsink_init(&w->log);
    rc = serve(w);
    logsink_fini(&w->log);
    return rc;
}

static void *
thread_main(void *arg)
{
    struct worker *w = arg;
    const struct settings *s = upstream_shared_settings(w->shared);
    struct co_conf conf = {
        .coroutines_max = (unsigned)s->limits.connections + 4096,
        .recv_buffers = RECV_BUFFERS,
        .recv_buffer_bytes = RECV_BUFFER_BYTES,
    };
    struct tg_err err = {0};
    tg_rc rc;

    rc = co_run(&conf, "worker", worker_main, w, &err);
    if (rc != TG_OK && w->rc == TG_OK) {
        w->rc = rc;
        w->err = err;
    }
    if (rc == TG_OK)
        sock_thread_fini();
    for (unsigned i = w->n_accepting; i < w->n_listen; i++)
        close(w->listen_fd[i]);
    upstream_shared_unref(w->shared); /* it never came to run */
    dns_thread_fini();
    arena_thread_fini();
    buf_thread_fini();
    __atomic_store_n(&w->ended, 1, __ATOMIC_RELEASE);
    pthread_kill(w->main_thread, SIGUSR2);
    post_ready(w);
    return NULL;
}

tg_rc
worker_start(struct worker *w, struct tg_err *err)
{
    int e;

    w->main_thread = pthread_self();
    w->drain_post.fn = on_drain;
    w->fast_post.fn = on_fast;
    sem_init(&w->ready, 0, 0);
    e = pthread_create(&w->thread, NULL, thread_main, w);
    if (e)
        return tg_fail_sys(err, e, "cannot start a worker thread");
    while (sem_wait(&w->ready) != 0)
        continue;
    return TG_OK;
}

bool
worker_ended(const struct worker *w)
{
    return __atomic_load_n(&w->ended, __ATOMIC_ACQUIRE) != 0;
}

void
worker_reload(struct worker *w, struct upstream_shared *sh)
{
    struct reload *r = mem_new(struct reload);

    upstream_shared_ref(sh);
    *r = (struct reload){.post = {.fn = on_reload}, .w = w, .to = sh};
    co_post(w->sched, &r->post);
}

void
worker_drain(struct worker *w)
{
    co_post(w->sched, &w->drain_post);
}

void
worker_drain_fast(struct worker *w)
{
    co_post(w->sched, &w->fast_post);
}
