/* offload.c -- threads for what blocks: names, files, databases, arithmetic over a millisecond.
 *
 * One bounded queue and one set of threads for the process.  A job lies in the frame of the
 * coroutine that waits for it.  Its state changes under the queue's lock only, so a cancel
 * either takes a queued job out, and then no thread will see it, or finds it running and leaves
 * it: the coroutine then stays suspended until the thread posts the job back to its scheduler.
 */
#include "co/co_int.h"

#include <signal.h>
#include <string.h>

#include "base/mem.h"

struct job {
    struct list node;
    struct co_post post;
    struct co_sched *sched;
    struct co *co;
    tg_rc (*fn)(void *arg);
    void *arg;
    tg_rc rc;
    bool queued;
};

enum { THREAD_STACK_BYTES = 1 << 20 };

static struct {
    pthread_mutex_t mx;
    pthread_cond_t more;
    struct list queue;
    unsigned n_queued, queue_max;
    unsigned n_threads;
    pthread_t *threads;
    bool started, stopping;
} pool = {.mx = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER};

/* On the scheduler's thread. */
static void
job_back(struct co_post *p)
{
    struct job *j = LIST_ITEM(p, struct job, post);

    co_wake(j->co, TG_OK);
}

static void *
work(void *arg)
{
    struct list *node;
    struct job *j;

    (void)arg;
    pthread_mutex_lock(&pool.mx);
    for (;;) {
        node = list_first(&pool.queue);
        if (!node && pool.stopping)
            break;
        if (!node) {
            pthread_cond_wait(&pool.more, &pool.mx);
            continue;
        }
        j = LIST_ITEM(node, struct job, node);
        list_del(node);
        pool.n_queued--;
        j->queued = false;
        pthread_mutex_unlock(&pool.mx);
        j->rc = j->fn(j->arg);
        co_post(j->sched, &j->post);
        pthread_mutex_lock(&pool.mx);
    }
    pthread_mutex_unlock(&pool.mx);
    return NULL;
}

/* Signals are the main thread's business, except those that tell of a fault in this thread. */
static int
start_thread(pthread_t *ret)
{
    pthread_attr_t attr;
    sigset_t all, before;
    int eno;

    sigfillset(&all);
    sigdelset(&all, SIGSEGV);
    sigdelset(&all, SIGBUS);
    sigdelset(&all, SIGFPE);
    sigdelset(&all, SIGILL);
    pthread_attr_init(&attr);
    (void)pthread_attr_setstacksize(&attr, THREAD_STACK_BYTES);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    eno = pthread_create(ret, &attr, work, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return eno;
}

tg_rc
co_offload_start(unsigned threads, unsigned queue_max, struct tg_err *err)
{
    int eno = 0;

    assert(!pool.started);
    pool.started = true;
    pool.stopping = false;
    pool.queue_max = queue_max;
    pool.n_queued = pool.n_threads = 0;
    list_init(&pool.queue);
    pool.threads = mem_array(threads, sizeof(*pool.threads));
    while (pool.n_threads < threads && eno == 0) {
        eno = start_thread(&pool.threads[pool.n_threads]);
        if (eno == 0)
            pool.n_threads++;
    }
    if (eno == 0)
        return TG_OK;
    co_offload_stop();
    return tg_fail_sys(err, eno, "cannot start offload thread %u of %u", pool.n_threads + 1,
                       threads);
}

void
co_offload_stop(void)
{
    unsigned i;

    assert(pool.started);
    pthread_mutex_lock(&pool.mx);
    pool.stopping = true;
    pthread_cond_broadcast(&pool.more);
    pthread_mutex_unlock(&pool.mx);
    for (i = 0; i < pool.n_threads; i++)
        pthread_join(pool.threads[i], NULL);
    mem_free(pool.threads);
    pool.threads = NULL;
    pool.started = false;
}

static void
job_interrupt(struct co *c, tg_rc why)
{
    struct job *j = c->waits_on;
    bool mine;

    pthread_mutex_lock(&pool.mx);
    mine = j->queued;
    if (mine) {
        list_del(&j->node);
        pool.n_queued--;
        j->queued = false;
    }
    pthread_mutex_unlock(&pool.mx);
    if (mine)
        co_wake(c, why);
}

tg_rc
co_offload(tg_rc (*fn)(void *arg), void *arg)
{
    struct co *c = co_cur();
    struct job j = {.post = {.fn = job_back}, .sched = co_self, .co = c, .fn = fn, .arg = arg};
    tg_rc rc = co_reason(c);

    assert(pool.started && "co_offload before co_offload_start");
    if (rc != TG_OK)
        return rc;
    if (pool.n_threads == 0)
        return fn(arg);
    j.queued = true;
    pthread_mutex_lock(&pool.mx);
    if (pool.n_queued >= pool.queue_max) {
        pthread_mutex_unlock(&pool.mx);
        return TG_EUNAVAIL;
    }
    pool.n_queued++;
    list_add_tail(&pool.queue, &j.node);
    pthread_cond_signal(&pool.more);
    pthread_mutex_unlock(&pool.mx);
    rc = co_park(c, job_interrupt, &j);
    return rc != TG_OK ? rc : j.rc;
}
