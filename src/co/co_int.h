/* co_int.h -- what the files of src/co share and nobody else sees.
 *
 * A coroutine is in exactly one of four states.  READY ones are linked in the scheduler's ready
 * list; a PARKED one is reachable only through what it waits on (an event, a channel, an
 * operation, a timer, a scope), and `interrupt` is how a cancel takes it off there.
 */
#ifndef CO_CO_INT_H
#define CO_CO_INT_H

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/heap.h"
#include "base/list.h"
#include "co/co.h"
#include "co/fiber.h"
#include "co/ring.h"

/* switch_ARCH.S.  Saves the callee-saved registers and floating-point control words on the
 * current stack, its pointer in *save_sp, and goes on where `sp` was saved. */
void co_switch(void **save_sp, void *sp);
/* Builds, below top (16-byte aligned), the frame that co_switch resumes into co_main(c). */
void *co_frame(void *top, struct co *c);
_Noreturn void co_main(struct co *c);

enum co_state { CO_READY, CO_RUNNING, CO_PARKED, CO_DEAD };

/* Called for a parked coroutine when a reason appears: takes it off what it waits for and wakes
 * it with the reason, or asks for that to happen, or does nothing when it cannot be hurried. */
typedef void co_interrupt_fn(struct co *c, tg_rc why);

/* Lies at the top of its own stack, so that a parked coroutine touches no other page.  What
 * waking and waiting look at comes first, and fills two cache lines. */
struct co {
    struct co_ctx ctx;
    struct co *next; /* ready list */
    enum co_state state;
    tg_rc wake_rc; /* what co_park returns */
    tg_rc reason;  /* see co_reason */
    co_interrupt_fn *interrupt;
    void *waits_on;            /* for interrupt */
    co_time wait_until;        /* of the wait it is in, CO_NEVER = that has no limit */
    struct co_timer deadlines; /* no later than that and those of the scopes it has opened */
    struct co_scope *scope;    /* innermost scope that covers it: opened by it, else home */
    struct co_scope *shield;   /* innermost scope when it was shielded, NULL without a shield */
    struct co_scope *home;     /* spawned into */
    struct list kid;           /* in home->kids */
    const char *name;
    co_fn *fn;
    void *arg;
    struct co_timer shield_timer;
};

struct co_stacks {
    char **free; /* LIFO of usable low ends */
    unsigned n_free, cap_free;
    unsigned n_cold; /* free[0..n_cold) hold no resident pages */
    bool cooling;    /* n_cold is to reach all but the warm ones */
    unsigned n_total;
    size_t bytes, stride;
    bool light_guards; /* guards are page table marks (Linux 6.13), not mappings */
    struct co_slab *slabs;
};

enum { CO_LONG_NAMES = 32 };

/* See watch.c. */
struct co_watch {
    unsigned together, left; /* runs that are timed together, and how many are to come */
    uint64_t run_began;      /* processor ticks */
    uint64_t run_long;       /* so many are long */
    co_time suspicious_until;
    uint64_t ticks_0; /* when the scheduler started, by both clocks */
    int64_t ns_0;
    struct {
        const char *name;
        uint64_t count;
    } names[CO_LONG_NAMES];
};

struct co_sched {
    struct co *cur;
    struct co *ready_head, *ready_tail;
    unsigned n_ready;  /* in that list; see co_wake */
    unsigned budget;   /* resumptions left in this turn */
    struct co_ctx ctx; /* the scheduler's own stack */
    co_time now;
    struct ring *ring;
    struct co_watch watch;
    struct heap timers;
    struct co_stats stats;
    struct co_stacks stacks;
    unsigned coroutines_max, turn_budget;
    struct co_scope root;
    tg_rc root_rc;
    pthread_mutex_t post_mx;
    struct co_post *post_head, **post_tail;
    atomic_bool posted;
};

extern _Thread_local struct co_sched *co_self __attribute__((visibility("hidden")));

static inline struct co *
co_cur(void)
{
    assert(co_self && co_self->cur && "a call that suspends, outside of a coroutine");
    return co_self->cur;
}

/* What co_reason is to say, from the scopes: what the innermost one has, because a cancel marks
 * all scopes nested in the cancelled one.  Under a shield, what was open then is not looked at.
 */
static inline tg_rc
co_reason_of_scopes(const struct co *c)
{
    return c->scope == c->shield ? TG_OK : c->scope->cancelled;
}

/* The reason that an S call of c returns, TG_OK for none.  Kept with the coroutine, for a scope
 * lies in memory that nothing else looks at for as long as all is well. */
static inline tg_rc
co_reason(const struct co *c)
{
#ifdef CO_CHECKED
    assert(c->reason == co_reason_of_scopes(c));
#endif
    return c->reason;
}

/* sched.c */

/* Suspends the current coroutine until co_wake.  interrupt NULL: cancellation does not reach
 * it. Returns the rc given to co_wake. */
tg_rc co_park(struct co *c, co_interrupt_fn *interrupt, void *waits_on);
/* Makes a parked coroutine ready. */
void co_wake(struct co *c, tg_rc rc);
void co_ready(struct co_sched *s, struct co *c);

/* watch.c: co_watch_turn before the first run of a turn, and co_watch_ran when watch.left runs
 * or the turn are over, of which c was the last. */
void co_watch_init(struct co_watch *w);
void co_watch_turn(struct co_sched *s);
void co_watch_ran(struct co_sched *s, const struct co *c);

/* stack.c */
void co_stacks_init(struct co_stacks *p, size_t bytes);
void co_stacks_fini(struct co_stacks *p);
/* A stack with a struct co at its top, of which only ctx is filled.  NULL: no memory. */
struct co *co_stack_get(struct co_stacks *p);
/* May be called on the stack itself, which stays usable until the next co_stack_get or
 * co_stacks_trim. */
void co_stack_put(struct co_stacks *p, struct co *c);
/* Does a part of what co_stacks_give_back asked for; true: there is more.  On the scheduler's
 * stack. */
bool co_stacks_trim(struct co_stacks *p);

/* overflow.c: once a thread. */
void co_overflow_open(void);
void co_overflow_close(void);

/* scope.c */
void co_scope_root(struct co_scope *s);
/* Sets up the timers of a coroutine that is about to live. */
void co_timers_open(struct co *c);
/* The timer for deadlines is to fire at `at` or before. */
void co_deadline_by(struct co *c, co_time at);
tg_rc co_spawn_in(struct co_sched *s, struct co_scope *scope, const char *name, co_fn *fn,
                  void *arg);
/* The coroutine's function has returned rc: leaves its scope. */
void co_leave_scope(struct co *c, tg_rc rc);

/* timer.c: fires what is due at s->now. */
void co_timers_fire(struct co_sched *s);

#endif
