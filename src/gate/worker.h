/* worker.h -- one thread: its scheduler, listeners, connections, and what the main thread may
 * ask of it. */
#ifndef GATE_WORKER_H
#define GATE_WORKER_H

#include <pthread.h>
#include <semaphore.h>

#include "api/exchange.h"
#include "base/list.h"
#include "co/co.h"
#include "gate/logsink.h"
#include "gate/relief.h"
#include "upstream/upstream.h"

enum { WORKER_LISTENERS_MAX = 16 };

struct worker {
    unsigned index;
    pthread_t thread, main_thread;
    struct upstream_shared *shared; /* to begin with; the worker's own reference */
    int listen_fd[WORKER_LISTENERS_MAX];
    unsigned n_listen, n_accepting; /* the first of them belong to their acceptors */

    /* the worker's thread only */
    struct upstream_set *set; /* current configuration */
    struct co_scope accepting, serving;
    struct list conns; /* struct conn_in */
    unsigned n_conns, n_refusing;
    bool draining;
    bool accepts;              /* the accepting scope is open */
    struct co_event wake_main; /* the main coroutine looks at what changed */
    struct co_timer drain_timer;
    int drain_stage;
    struct logsink log;
    struct relief relief;
    uint64_t accept_pauses, refused;

    /* the main thread asks by these */
    struct co_sched *sched; /* valid once ready has been posted */
    struct co_post drain_post, fast_post;
    tg_rc rc; /* why it ended; valid once `ended` */
    struct tg_err err;
    sem_t ready; /* posted when it serves or has failed to start */
    bool ready_posted;
    int ended; /* atomic */
};

/* Starts the thread and waits until it serves or has failed (worker_ended).  The listeners are
 * open and become the worker's, and so does the reference `shared`. */
TG_MUST_USE tg_rc worker_start(struct worker *w, struct tg_err *err);
bool worker_ended(const struct worker *w);
/* From the main thread, while the worker has not ended. */
void worker_reload(struct worker *w, struct upstream_shared *sh); /* takes a reference of sh */
void worker_drain(struct worker *w);                              /* SIGTERM      */
void worker_drain_fast(struct worker *w);                         /* second one   */

#endif
