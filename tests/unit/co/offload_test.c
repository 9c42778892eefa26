/* offload_test.c -- offload threads, posts and wake-ups from other threads.
 *
 * Jobs are held at a gate (a semaphore), so the tests decide when a thread is busy.
 */
#include <cmocka.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "co/ring.h"
#include "support/co_test.h"

struct job {
    sem_t entered, go;
    atomic_int runs;
    tg_rc rc, returns;
    pthread_t thread;
};

static void
job_init(struct job *j, tg_rc returns)
{
    sem_init(&j->entered, 0, 0);
    sem_init(&j->go, 0, 0);
    atomic_init(&j->runs, 0);
    j->rc = 1;
    j->returns = returns;
}

static tg_rc
held(void *arg)
{
    struct job *j = arg;

    atomic_fetch_add(&j->runs, 1);
    j->thread = pthread_self();
    sem_post(&j->entered);
    while (sem_wait(&j->go) != 0) {
    }
    return j->returns;
}

static tg_rc
offloads(void *arg)
{
    struct job *j = arg;

    j->rc = co_offload(held, j);
    return TG_OK;
}

static void
yields(unsigned n)
{
    while (n-- > 0)
        assert_int_equal(co_yield(), TG_OK);
}

static void
start(unsigned threads, unsigned queue_max)
{
    struct tg_err err;

    assert_int_equal(co_offload_start(threads, queue_max, &err), TG_OK);
}

static tg_rc
queue_body(void *arg)
{
    struct job j[4];
    struct co_scope s;
    unsigned i;

    (void)arg;
    for (i = 0; i < 4; i++)
        job_init(&j[i], i == 1 ? TG_EPROTO : TG_OK);
    co_scope_open(&s, CO_NEVER);
    assert_int_equal(co_spawn(&s, "offloads", offloads, &j[0]), TG_OK);
    yields(1);
    while (sem_wait(&j[0].entered) != 0) { /* the one thread is busy now */
    }
    for (i = 1; i < 4; i++)
        assert_int_equal(co_spawn(&s, "offloads", offloads, &j[i]), TG_OK);
    yields(2);
    assert_int_equal(j[3].rc, TG_EUNAVAIL); /* two are queued, the third is too many */
    assert_int_equal(j[1].rc, 1);
    for (i = 0; i < 3; i++)
        sem_post(&j[i].go);
    assert_int_equal(co_join(&s), TG_OK);
    assert_int_equal(j[0].rc, TG_OK);
    assert_int_equal(j[1].rc, TG_EPROTO);
    assert_int_equal(j[2].rc, TG_OK);
    assert_int_equal(atomic_load(&j[3].runs), 0);
    assert_false(pthread_equal(j[0].thread, pthread_self()));
    return co_scope_close(&s);
}

static void
the_queue_is_bounded(void **state)
{
    (void)state;
    start(1, 2);
    assert_int_equal(co_test_run(queue_body, NULL), TG_OK);
    co_offload_stop();
}

static tg_rc
cancel_body(void *arg)
{
    struct job running, queued;
    struct co_scope s;

    (void)arg;
    job_init(&running, TG_OK);
    job_init(&queued, TG_OK);
    co_scope_open(&s, CO_NEVER);
    assert_int_equal(co_spawn(&s, "running", offloads, &running), TG_OK);
    yields(1);
    while (sem_wait(&running.entered) != 0) {
    }
    assert_int_equal(co_spawn(&s, "queued", offloads, &queued), TG_OK);
    yields(1);
    co_cancel(&s, TG_EGONE);
    co_shield(co_now() + 60 * NS_PER_S);
    yields(2);
    assert_int_equal(queued.rc, TG_EGONE); /* taken out, never run */
    assert_int_equal(running.rc, 1);       /* waited for, because its argument is in use */
    assert_int_equal(s.n_live, 1);
    sem_post(&running.go);
    while (s.n_live > 0)
        yields(1);
    co_unshield();
    assert_int_equal(running.rc, TG_OK); /* its result wins */
    assert_int_equal(atomic_load(&queued.runs), 0);
    return co_scope_close(&s) == TG_EGONE ? TG_OK : TG_EINTERNAL;
}

static void
a_queued_job_is_cancelled_a_running_one_waited_for(void **state)
{
    (void)state;
    start(1, 8);
    assert_int_equal(co_test_run(cancel_body, NULL), TG_OK);
    co_offload_stop();
}

static tg_rc
here(void *arg)
{
    *(pthread_t *)arg = pthread_self();
    return TG_ELIMIT;
}

static tg_rc
in_place_body(void *arg)
{
    pthread_t where;

    (void)arg;
    assert_int_equal(co_offload(here, &where), TG_ELIMIT);
    assert_true(pthread_equal(where, pthread_self()));
    return TG_OK;
}

static void
without_threads_jobs_run_in_place(void **state)
{
    (void)state;
    start(0, 0);
    assert_int_equal(co_test_run(in_place_body, NULL), TG_OK);
    co_offload_stop();
}

static tg_rc
unstarted_body(void *arg)
{
    pthread_t where;

    (void)arg;
    return co_offload(here, &where);
}

static void
offload_before_start_is_a_mistake(void **state)
{
    char text[2048];

    (void)state;
    assert_int_equal(co_test_co_dies(unstarted_body, text, sizeof text), SIGABRT);
    assert_non_null(strstr(text, "co_offload before co_offload_start"));
}

static tg_rc
counts(void *arg)
{
    atomic_fetch_add((atomic_int *)arg, 1);
    return TG_OK;
}

static tg_rc
offloads_many(void *arg)
{
    unsigned i;
    tg_rc rc;

    for (i = 0; i < 200; i++) {
        rc = co_offload(counts, arg);
        if (rc != TG_OK)
            return rc;
    }
    return TG_OK;
}

static tg_rc
storm_body(void *arg)
{
    struct co_scope s;
    unsigned i;

    co_scope_open(&s, CO_NEVER);
    for (i = 0; i < 8; i++)
        assert_int_equal(co_spawn(&s, "offloads", offloads_many, arg), TG_OK);
    assert_int_equal(co_join(&s), TG_OK);
    return co_scope_close(&s);
}

static void
many_jobs_all_come_back(void **state)
{
    atomic_int n = 0;

    (void)state;
    start(3, 8);
    assert_int_equal(co_test_run(storm_body, &n), TG_OK);
    co_offload_stop();
    assert_int_equal(atomic_load(&n), 1600);
}

enum { POSTERS = 3, POSTS = 500 };

struct poster;

struct numbered {
    struct co_post post;
    struct poster *by;
    unsigned i;
};

struct poster {
    struct co_sched *sched;
    pthread_t thread;
    struct numbered posts[POSTS];
    unsigned next; /* on the scheduler's thread: the number that is due */
    struct co_event *done;
    unsigned *left;
};

static void
posted(struct co_post *p)
{
    struct numbered *n = LIST_ITEM(p, struct numbered, post);

    assert_int_equal(n->i, n->by->next); /* in the order they were posted */
    n->by->next++;
    if (--*n->by->left == 0)
        co_event_signal(n->by->done);
}

static void *
posts(void *arg)
{
    struct poster *p = arg;
    unsigned i;

    for (i = 0; i < POSTS; i++) {
        p->posts[i] = (struct numbered){.post = {.fn = posted}, .by = p, .i = i};
        co_post(p->sched, &p->posts[i].post);
    }
    return NULL;
}

static tg_rc
posts_body(void *arg)
{
    static struct poster p[POSTERS];
    struct co_event done = CO_EVENT_INIT;
    unsigned i, left = POSTERS * POSTS;
    uint64_t wakes = ring_stats(co_ring())->wakes;

    (void)arg;
    for (i = 0; i < POSTERS; i++) {
        p[i] = (struct poster){.sched = co_sched_self(), .done = &done, .left = &left};
        assert_int_equal(pthread_create(&p[i].thread, NULL, posts, &p[i]), 0);
    }
    assert_int_equal(co_event_wait(&done), TG_OK);
    for (i = 0; i < POSTERS; i++) {
        pthread_join(p[i].thread, NULL);
        assert_int_equal(p[i].next, POSTS);
    }
    /* Wake-ups are not lost, and a storm of posts is not a storm of wake-ups. */
    assert_in_range(ring_stats(co_ring())->wakes - wakes, 1, POSTERS * POSTS);
    assert_int_equal(ring_in_flight(co_ring()), 0);
    return TG_OK;
}

static void
posts_from_threads_keep_their_order(void **state)
{
    (void)state;
    assert_int_equal(co_test_run(posts_body, NULL), TG_OK);
}

struct one_post {
    struct co_post post;
    struct co_event e;
};

static void
one_posted(struct co_post *p)
{
    co_event_signal(&LIST_ITEM(p, struct one_post, post)->e);
}

static tg_rc
own_thread_body(void *arg)
{
    struct one_post one = {.post = {.fn = one_posted}, .e = CO_EVENT_INIT};

    (void)arg;
    co_post(co_sched_self(), &one.post);
    assert_false(one.e.set); /* between coroutines, not at once */
    return co_event_wait(&one.e);
}

static void
a_post_from_the_own_thread(void **state)
{
    (void)state;
    assert_int_equal(co_test_run(own_thread_body, NULL), TG_OK);
}

static void *
wakes_once(void *arg)
{
    ring_wake(arg);
    return NULL;
}

static tg_rc
coalesce_body(void *arg)
{
    struct ring *r = co_ring();
    pthread_t t[8];
    unsigned i;

    (void)arg;
    for (i = 0; i < 8; i++) {
        assert_int_equal(pthread_create(&t[i], NULL, wakes_once, r), 0);
        pthread_join(t[i], NULL);
    }
    yields(4);
    assert_int_equal(ring_stats(r)->wakes, 1); /* none was taken in between */
    assert_int_equal(pthread_create(&t[0], NULL, wakes_once, r), 0);
    pthread_join(t[0], NULL);
    yields(4);
    assert_int_equal(ring_stats(r)->wakes, 2);
    return TG_OK;
}

static void
wakes_are_coalesced(void **state)
{
    struct co_conf conf = {.turn_budget = 1};

    (void)state;
    assert_int_equal(co_test_run_conf(&conf, coalesce_body, NULL), TG_OK);
}

static tg_rc
no_message_body(void *arg)
{
    struct ring *r = co_ring();
    struct rlimit before, none;
    struct co_scope s;
    pthread_t t;

    /* A thread that cannot have a ring of its own to send from. */
    (void)arg;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 3;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_int_equal(pthread_create(&t, NULL, wakes_once, r), 0);
    pthread_join(t, NULL);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    co_scope_open(&s, co_now() + 10 * NS_PER_S);
    while (ring_stats(r)->wakes == 0 && co_cancelled() == TG_OK)
        yields(1);
    assert_int_equal(ring_stats(r)->wakes, 1);
    assert_int_equal(co_scope_close(&s), TG_OK);

    /* And the next wake-up, by message again, works as before. */
    assert_int_equal(pthread_create(&t, NULL, wakes_once, r), 0);
    pthread_join(t, NULL);
    while (ring_stats(r)->wakes == 1)
        yields(1);
    return TG_OK;
}

static void
without_messages_an_eventfd_wakes(void **state)
{
    (void)state;
    assert_int_equal(co_test_run(no_message_body, NULL), TG_OK);
}

static void *
runs_storm(void *arg)
{
    if (co_test_run(storm_body, arg) != TG_OK)
        atomic_store((atomic_int *)arg, -1000000);
    return NULL;
}

static void
schedulers_share_the_offload_threads(void **state)
{
    pthread_t t[2];
    atomic_int n = 0;
    unsigned i;

    (void)state;
    start(2, 64);
    for (i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&t[i], NULL, runs_storm, &n), 0);
    for (i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
    co_offload_stop();
    assert_int_equal(atomic_load(&n), 3200);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_queue_is_bounded),
        cmocka_unit_test(a_queued_job_is_cancelled_a_running_one_waited_for),
        cmocka_unit_test(without_threads_jobs_run_in_place),
        cmocka_unit_test(offload_before_start_is_a_mistake),
        cmocka_unit_test(many_jobs_all_come_back),
        cmocka_unit_test(posts_from_threads_keep_their_order),
        cmocka_unit_test(a_post_from_the_own_thread),
        cmocka_unit_test(wakes_are_coalesced),
        cmocka_unit_test(without_messages_an_eventfd_wakes),
        cmocka_unit_test(schedulers_share_the_offload_threads),
    };

    return cmocka_run_group_tests_name("co offload", tests, NULL, NULL);
}
