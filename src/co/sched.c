/* sched.c -- the scheduler: ready list, turns, posts.
 *
 * A turn: up to turn_budget ready coroutines run, posts run, the ring submits and waits once
 * and its completions mark coroutines ready, timers that are due fire.  Completions, timers and
 * posts never resume a coroutine; they only put it at the end of the ready list, so coroutines
 * run in the order in which they became ready and a callback never finds one in mid-air.
 *
 * A coroutine that suspends switches straight to the next ready one, and to the scheduler's own
 * stack only when the list or the turn's budget is used up.
 *
 * With hundreds of streams each coroutine's memory has left the cache when its turn comes, and
 * waiting for it is most of what an event costs outside the kernel.  So a wake-up only writes
 * to the coroutine, which nobody has to wait for, and while one runs the frames of the next are
 * on their way.
 *
 * When the ring fails (a completion was lost) nothing can be unwound: what is suspended may be
 * named by operations in the kernel.  co_run then returns the error and leaves ring and stacks
 * where they are; the worker must end.
 */
#include "co/co_int.h"

#include "base/clock.h"
#include "base/mem.h"

_Thread_local struct co_sched *co_self;
#ifdef CO_TSAN
_Thread_local void *co_fiber_dead;
#endif

enum {
    STACK_BYTES = 65536,
    COROUTINES_MAX = 65536,
    TURN_BUDGET = 256,
    FRAME_LINES = 12,
};

#define DRAIN_NS NS_PER_S

void
co_ready(struct co_sched *s, struct co *c)
{
    c->state = CO_READY;
    c->next = NULL;
    s->n_ready++;
    if (s->ready_tail)
        s->ready_tail->next = c;
    else
        s->ready_head = c;
    s->ready_tail = c;
}

/* Asks for the innermost frames of a coroutine that is to run soon. */
static inline void
fetch_frames(const struct co *c)
{
    for (int i = 0; i < FRAME_LINES; i++)
        __builtin_prefetch((const char *)c->ctx.sp + i * MEM_LINE);
}

static inline struct co *
take_ready(struct co_sched *s)
{
    struct co *c = s->ready_head;

    assert(c->state == CO_READY);
    s->ready_head = c->next;
    if (s->ready_head)
        fetch_frames(s->ready_head);
    else
        s->ready_tail = NULL;
    s->n_ready--;
    assert(s->ready_head || s->n_ready == 0);
    c->state = CO_RUNNING;
    s->cur = c;
    s->budget--;
    s->stats.switches++;
    return c;
}

/* Leaves c, whose state says what is to become of it, for the next ready coroutine or for the
 * scheduler.  Returns when c runs again; never when it is dead. */
static inline void
leave(struct co_sched *s, struct co *c, bool last)
{
    struct co_ctx *to;

    if (--s->watch.left == 0)
        co_watch_ran(s, c);
    if (s->ready_head && s->budget > 0) {
        to = &take_ready(s)->ctx;
        if (to == &c->ctx)
            return;
    } else {
        if (s->watch.left != s->watch.together)
            co_watch_ran(s, c); /* a group ends with its turn */
        s->cur = NULL;
        to = &s->ctx;
    }
    fiber_leave(&c->ctx, to, last);
    co_switch(&c->ctx.sp, to->sp);
    fiber_arrive(&c->ctx);
}

tg_rc
co_park(struct co *c, co_interrupt_fn *interrupt, void *waits_on)
{
    c->interrupt = interrupt;
    c->waits_on = waits_on;
    c->state = CO_PARKED;
    leave(co_self, c, false);
    return c->wake_rc;
}

void
co_wake(struct co *c, tg_rc rc)
{
    /* To look at c here would be to wait for it.  One that was not parked is found out in
     * take_ready: it is not ready when its turn comes, or it has cut off the list behind it. */
#ifdef CO_CHECKED
    assert(c->state == CO_PARKED);
#endif
    c->wake_rc = rc;
    co_ready(co_self, c);
}

tg_rc
co_yield(void)
{
    struct co *c = co_cur();
    tg_rc rc = co_reason(c);

    if (rc != TG_OK)
        return rc;
    co_ready(co_self, c);
    leave(co_self, c, false);
    return co_reason(c);
}

_Noreturn void
co_main(struct co *c)
{
    struct co_sched *s = co_self;

    fiber_begin(&s->ctx);
    co_leave_scope(c, c->fn(c->arg));
    c->state = CO_DEAD;
    s->stats.live--;
    co_stack_put(&s->stacks, c);
    leave(s, c, true);
    __builtin_unreachable();
}

tg_rc
co_spawn_in(struct co_sched *s, struct co_scope *scope, const char *name, co_fn *fn, void *arg)
{
    struct co *c;
    struct co_ctx ctx;

    if (scope->cancelled != TG_OK)
        return scope->cancelled;
    if (s->stats.live >= s->coroutines_max)
        return TG_ELIMIT;
    c = co_stack_get(&s->stacks);
    if (!c)
        return TG_EUNAVAIL;
    ctx = c->ctx;
    *c = (struct co){
        .ctx = ctx, .name = name, .fn = fn, .arg = arg, .scope = scope, .home = scope};
    co_timers_open(c);
    fiber_open(&c->ctx, name);
    list_add_tail(&scope->kids, &c->kid);
    scope->n_live++;
    s->stats.spawned++;
    if (++s->stats.live > s->stats.live_max)
        s->stats.live_max = s->stats.live;
    co_ready(s, c);
    return TG_OK;
}

/* The wake-up happens under the lock: a scheduler that has taken the post may end at once, and
 * must not do so while its ring is being woken. */
void
co_post(struct co_sched *s, struct co_post *p)
{
    p->next = NULL;
    pthread_mutex_lock(&s->post_mx);
    *s->post_tail = p;
    s->post_tail = &p->next;
    if (!atomic_exchange(&s->posted, true))
        ring_wake(s->ring);
    pthread_mutex_unlock(&s->post_mx);
}

static void
run_posts(struct co_sched *s)
{
    struct co_post *p, *next;

    if (!atomic_load_explicit(&s->posted, memory_order_acquire))
        return;
    pthread_mutex_lock(&s->post_mx);
    p = s->post_head;
    s->post_head = NULL;
    s->post_tail = &s->post_head;
    atomic_store(&s->posted, false);
    pthread_mutex_unlock(&s->post_mx);
    for (; p; p = next) {
        next = p->next;
        p->fn(p);
    }
}

static void
run_ready(struct co_sched *s)
{
    struct co *c;

    s->budget = s->turn_budget;
    if (!s->ready_head)
        return;
    co_watch_turn(s);
    c = take_ready(s);
    fiber_leave(&s->ctx, &c->ctx, false);
    co_switch(&s->ctx.sp, c->ctx.sp);
    fiber_arrive(&s->ctx);
}

static tg_rc
look_at_ring(struct co_sched *s, int64_t latest, struct tg_err *err)
{
    const struct heap_node *first = heap_min(&s->timers);
    int64_t until = latest;
    tg_rc rc;

    if (s->ready_head)
        until = INT64_MIN;
    else if (first && first->key < until)
        until = first->key;
    rc = ring_turn(s->ring, until, err);
    s->now = ring_now(s->ring);
    co_timers_fire(s);
    return rc;
}

static tg_rc
loop(struct co_sched *s, struct tg_err *err)
{
    int64_t give_up;
    tg_rc rc = TG_OK;

    for (;;) {
        run_ready(s);
        run_posts(s);
        if (s->stats.live == 0)
            break;
        rc = look_at_ring(s, co_stacks_trim(&s->stacks) ? INT64_MIN : INT64_MAX, err);
        if (rc != TG_OK)
            return rc;
    }
    /* Operations that callers with done functions of their own have cancelled and left behind.
     */
    give_up = s->now + DRAIN_NS;
    while (rc == TG_OK && ring_in_flight(s->ring) > 0 && s->now < give_up) {
        rc = look_at_ring(s, give_up, err);
        run_posts(s);
    }
    if (rc == TG_OK && ring_in_flight(s->ring) > 0)
        rc =
            tg_fail(err, TG_EINTERNAL, TG_ERR_INTERNAL, NULL,
                    "%u ring operations were still in flight when the last coroutine had ended",
                    ring_in_flight(s->ring));
    return rc;
}

static void
sched_init(struct co_sched *s, const struct co_conf *conf)
{
    s->coroutines_max = conf->coroutines_max ? conf->coroutines_max : COROUTINES_MAX;
    s->turn_budget = conf->turn_budget ? conf->turn_budget : TURN_BUDGET;
    co_stacks_init(&s->stacks, conf->stack_bytes ? conf->stack_bytes : STACK_BYTES);
    heap_init(&s->timers);
    co_scope_root(&s->root);
    pthread_mutex_init(&s->post_mx, NULL);
    s->post_tail = &s->post_head;
    co_watch_init(&s->watch);
    s->now = ring_now(s->ring);
    fiber_adopt(&s->ctx);
}

tg_rc
co_run(const struct co_conf *conf, const char *name, co_fn *fn, void *arg, struct tg_err *err)
{
    struct ring_conf rconf = {.entries = conf->ring_entries,
                              .cq_entries = conf->ring_cq_entries,
                              .buffers = conf->recv_buffers,
                              .buffer_bytes = conf->recv_buffer_bytes};
    struct co_sched *s;
    struct ring *ring;
    tg_rc rc;

    assert(!co_self && "co_run inside co_run");
    rc = ring_open(&ring, &rconf, err);
    if (rc != TG_OK)
        return rc;
    s = mem_new(struct co_sched);
    s->ring = ring;
    sched_init(s, conf);
    co_self = s;
    co_overflow_open();
    rc = co_spawn_in(s, &s->root, name, fn, arg);
    if (rc != TG_OK)
        (void)tg_fail(err, rc, TG_ERR_INTERNAL, NULL, "no memory for the first stack");
    else
        rc = loop(s, err);
    co_overflow_close();
    co_self = NULL;
    if (s->stats.live > 0 || ring_in_flight(ring) > 0)
        return rc;
    if (rc == TG_OK)
        rc = s->root_rc;
    ring_close(ring);
    co_stacks_fini(&s->stacks);
    heap_fini(&s->timers);
    pthread_mutex_destroy(&s->post_mx);
    mem_free(s);
    return rc;
}

struct co_sched *
co_sched_self(void)
{
    return co_self;
}

struct ring *
co_ring(void)
{
    return co_self ? co_self->ring : NULL;
}

co_time
co_now(void)
{
    return co_self->now;
}

co_time
co_now_exact(void)
{
    return ring_now(co_self->ring);
}

const char *
co_name(void)
{
    return co_cur()->name;
}

const struct co_stats *
co_stats(const struct co_sched *s)
{
    struct co_stats *stats = (struct co_stats *)&s->stats;

    stats->stacks_pooled = s->stacks.n_free;
    return stats;
}
