/* co.h -- coroutines, scopes, timers, events, channels, offload.
 *
 * One scheduler a thread.  A coroutine has a stack of its own and runs until it calls something
 * marked S (suspends).  Structured: every coroutine belongs to a scope, a scope is closed in
 * the function that opened it, cancellation and deadlines belong to scopes.  The fourteen rules
 * are in ARCHITECTURE.md and each is a test in tests/unit/co.
 *
 * Every S call returns early with the reason once a scope that covers the caller is cancelled,
 * and goes on doing so (level-triggered) until that scope is closed.  A call that is waiting
 * when the cancel comes and whose result is there already returns the result; the next call
 * returns the reason.
 */
#ifndef CO_CO_H
#define CO_CO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "base/heap.h"
#include "base/list.h"
#include "triglot/err.h"

struct co;
struct co_sched;
struct ring;

typedef int64_t co_time; /* monotonic nanoseconds */
#define CO_NEVER INT64_MAX

typedef tg_rc co_fn(void *arg);

struct co_conf {
    unsigned stack_bytes;    /* 0 = 65536, without the guard page                         */
    unsigned coroutines_max; /* 0 = 65536; co_spawn beyond is TG_ELIMIT                   */
    unsigned turn_budget;    /* coroutines resumed between two looks at the ring; 0 = 256 */
    unsigned ring_entries, ring_cq_entries; /* see ring.h                                  */
    unsigned recv_buffers, recv_buffer_bytes;
};

/* Opens a ring on the calling thread, runs fn(arg) as the first coroutine under the name
 * `name`, and returns its result when it and all coroutines have ended.  Errors: those of
 * ring_open. */
TG_MUST_USE tg_rc co_run(const struct co_conf *conf, const char *name, co_fn *fn, void *arg,
                         struct tg_err *err);
/* The calling thread's scheduler, its ring; NULL outside co_run. */
struct co_sched *co_sched_self(void);
struct ring *co_ring(void);
/* Now, as read once a turn: cheap, at most one turn old. */
co_time co_now(void);
/* Now, read from the clock. */
co_time co_now_exact(void);

/* Lets other ready coroutines and the ring have a turn.  S */
TG_MUST_USE tg_rc co_yield(void);
TG_MUST_USE tg_rc co_sleep_until(co_time at); /* S */

/* Name given at spawn, for logs. */
const char *co_name(void);

struct co_stats {
    uint64_t spawned, switches, long_turns; /* long: a coroutine ran over 10 ms in one go */
    unsigned live, live_max, stacks_pooled;
    const char *longest_name; /* who held the longest turn */
    int64_t longest_ns;
};
/* On s's own thread only. */
const struct co_stats *co_stats(const struct co_sched *s);
/* Calls row for each coroutine name that had long turns.  On s's own thread only.  At most 32
 * names are told apart; the others are counted under "other".  In turns that many coroutines
 * share the first offence is counted under "several", those of the next ten seconds by name. */
void co_long_turns(const struct co_sched *s,
                   void (*row)(void *arg, const char *name, uint64_t count), void *arg);
/* Debug builds (stacks painted): deepest stack use in bytes by spawn name, most first; calls
 * row for each.  Release builds: calls nothing. */
void co_stack_census(void (*row)(void *arg, const char *name, size_t bytes_max), void *arg);
struct co_timer {
    struct heap_node node;           /* key: never later than at                      */
    co_time at;                      /* CO_NEVER while disarmed                       */
    void (*fire)(struct co_timer *); /* on the scheduler's stack: must not suspend */
};

struct co_scope {
    struct co_scope *up; /* next outer scope of the opener, or the one it was spawned into */
    struct co *owner;    /* opener                                                         */
    struct list kids;    /* coroutines spawned into it that still live                     */
    co_time deadline;    /* own or inherited, whichever is sooner                          */
    tg_rc cancelled;     /* reason, TG_OK while not cancelled                              */
    tg_rc first;         /* first failure of a kid                                         */
    uint32_t n_live;
    struct co *joiner;     /* opener while it waits in co_join or co_scope_close             */
    struct co_scope *work; /* private to co_cancel: scopes still to be visited               */
    bool timed;            /* private: the deadline is its own, its opener's timer is for it */
    bool closing;          /* private: kids that return TG_ECANCELED now do so because of us */
};

/* Opens a scope in the calling coroutine.  The struct belongs to the caller's frame and
 * outlives the children because close waits for them.  When the deadline passes the scope is
 * cancelled with TG_EDEADLINE. */
void co_scope_open(struct co_scope *s, co_time deadline);
/* Starts fn(arg) as a child.  It is made ready, not run.  name must be a literal.
 * TG_ELIMIT: too many coroutines; TG_EUNAVAIL: no memory for a stack; or the scope's cancel
 * reason. */
TG_MUST_USE tg_rc co_spawn(struct co_scope *s, const char *name, co_fn *fn, void *arg);
/* Waits until all children have ended (TG_OK) or one has failed (its code).  S */
TG_MUST_USE tg_rc co_join(struct co_scope *s);
/* Cancels the opener's body, all children and all scopes nested in them.  The first reason
 * stays. May be called from the same thread's callbacks too (timers, done functions). */
void co_cancel(struct co_scope *s, tg_rc why);
/* Cancels the children (TG_ECANCELED), waits for them whatever the state of outer scopes, pops
 * the scope.  Returns the scope's own cancel reason, else the first failure of a child, else
 * TG_OK.  S */
tg_rc co_scope_close(struct co_scope *s);
/* Gives the kernel back those pages of a stack that its coroutine, the opener of s, does not
 * use where it waits now.  One system call: for one that did deep work and is to wait for long
 * (a stream).  From another coroutine, timers and done functions. */
void co_stack_trim(const struct co_scope *s);
/* Gives the kernel back the pages of the stacks that are unused now, all but 64 of them, bit by
 * bit with the turns that follow.  Without it a stack keeps them for its next coroutine. */
void co_stacks_give_back(void);
/* The reason the next S call of the calling coroutine would return, else TG_OK. */
tg_rc co_cancelled(void);
/* Until this time (or co_unshield) the calling coroutine's S calls do not see the cancellation
 * of the scopes that are open now, so that cleanup may suspend.  Scopes opened meanwhile begin
 * afresh and are seen when cancelled; when the shield ends they inherit what it held off.  Not
 * nested: a second call only moves the time, which may not be CO_NEVER. */
void co_shield(co_time until);
void co_unshield(void);

/* fire is set by the caller once.  Set again moves it; CO_NEVER disarms.  It is disarmed when
 * it fires.  Must be cleared before its memory goes.  Moving a timer to a later time, as idle
 * timers are for every byte that arrives, costs two stores. */
void co_timer_init(struct co_timer *t, void (*fire)(struct co_timer *));
void co_timer_set(struct co_timer *t, co_time at);
void co_timer_clear(struct co_timer *t);

/* One waiter, auto-reset.  A signal without a waiter is kept (once). */
struct co_event {
    struct co *waiter;
    bool set;
};

#define CO_EVENT_INIT                                                                          \
    {                                                                                          \
        NULL, false                                                                            \
    }
TG_MUST_USE tg_rc co_event_wait(struct co_event *e); /* S */
/* Same, but gives up at `until` with TG_EDEADLINE, which co_cancelled tells from a deadline of
 * the caller's scopes.  For waits so frequent that opening a scope for each would be felt.  S
 */
TG_MUST_USE tg_rc co_event_wait_until(struct co_event *e, co_time until);
/* Same, but waits on although the caller is cancelled.  Only for what the kernel is sure to
 * answer soon (the completion of a cancelled operation).  S */
void co_event_wait_sure(struct co_event *e);
/* From coroutines, timers and done functions of the same thread. */
void co_event_signal(struct co_event *e);

/* Bounded queue of elements of one size, many senders and receivers on one thread, first come
 * first served. */
struct co_chan {
    char *slots; /* caller's storage: cap * size bytes */
    size_t size;
    unsigned cap, head, n;
    bool closed;
    struct list senders, receivers; /* waiting coroutines */
};

void co_chan_init(struct co_chan *c, void *storage, size_t size, unsigned cap);
/* TG_EGONE when closed.  S when full */
TG_MUST_USE tg_rc co_chan_send(struct co_chan *c, const void *elem);
/* TG_EUNAVAIL when full, TG_EGONE when closed.  Does not suspend. */
TG_MUST_USE tg_rc co_chan_try_send(struct co_chan *c, const void *elem);
/* TG_EGONE when closed and empty.  S when empty */
TG_MUST_USE tg_rc co_chan_recv(struct co_chan *c, void *elem);
void co_chan_close(struct co_chan *c); /* wakes all waiters */

/* All S.  On cancel they ask the kernel to cancel and return only after the operation's own
 * completion; a result that came first is returned.  Failures: TG_EIO with *ret_errno set. */
TG_MUST_USE tg_rc co_connect(int fd, const struct sockaddr *sa, socklen_t len, int *ret_errno);
TG_MUST_USE tg_rc co_poll(int fd, unsigned events, unsigned *ret_revents);
TG_MUST_USE tg_rc co_read(int fd, void *p, size_t n, size_t *ret_n, int *ret_errno);
TG_MUST_USE tg_rc co_write_all(int fd, const void *p, size_t n, int *ret_errno);

/* Process-wide offload threads.  start before the first co_offload, stop after the last.
 * threads 0: co_offload runs fn in place (simulator). */
TG_MUST_USE tg_rc co_offload_start(unsigned threads, unsigned queue_max, struct tg_err *err);
void co_offload_stop(void);
/* Runs fn(arg) on an offload thread and returns its result.  TG_EUNAVAIL: the queue is full.
 * Cancelled while queued: not run, the reason is returned.  Once it runs it is waited for,
 * because arg is in use.  S */
TG_MUST_USE tg_rc co_offload(tg_rc (*fn)(void *arg), void *arg);

/* Runs fn(post) on s's thread between coroutines; must not suspend.  From any thread; the
 * struct is the caller's until fn is called.  Posts run in the order they came. */
struct co_post {
    void (*fn)(struct co_post *);
    struct co_post *next; /* private */
};
void co_post(struct co_sched *s, struct co_post *p);

#endif
