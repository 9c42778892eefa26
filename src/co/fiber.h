/* fiber.h -- telling sanitizers and Valgrind about stacks and switches.
 *
 * Nothing in a plain build.  Under AddressSanitizer each switch names the stack switched to and
 * keeps the fake stack of the one left (NULL for the last time, which frees it).  Under
 * ThreadSanitizer each coroutine is a fiber.  Valgrind is told of each stack once.
 */
#ifndef CO_FIBER_H
#define CO_FIBER_H

#include <stdbool.h>
#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define CO_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CO_ASAN 1
#endif
#endif

#if defined(__SANITIZE_THREAD__)
#define CO_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CO_TSAN 1
#endif
#endif

#ifdef CO_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#endif
#ifdef CO_TSAN
#include <sanitizer/tsan_interface.h>
#endif
#ifdef __has_include
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#define CO_VALGRIND 1
#endif
#endif

/* Builds for tests, in which nothing is too dear to be checked at once. */
#if defined(CO_PAINT) || defined(CO_ASAN) || defined(CO_TSAN)
#define CO_CHECKED 1
#endif

/* What is saved of a stack that is not running. */
struct co_ctx {
    void *sp;
    char *lo; /* the stack, for sanitizers and the overflow report */
    size_t bytes;
#ifdef CO_ASAN
    void *fake;
#endif
#ifdef CO_TSAN
    void *tsan;
#endif
};

#ifdef CO_TSAN
/* The fiber that ended with the last switch; it cannot be destroyed before (sched.c). */
extern _Thread_local void *co_fiber_dead __attribute__((visibility("hidden")));

static inline void
fiber_bury(void)
{
    if (co_fiber_dead) {
        __tsan_destroy_fiber(co_fiber_dead);
        co_fiber_dead = NULL;
    }
}
#endif

/* The memory of a stack came from the kernel, or is about to go back. */
static inline void
fiber_stack_new(char *lo, size_t bytes)
{
    (void)lo, (void)bytes;
#ifdef CO_ASAN
    __lsan_register_root_region(lo, bytes);
#endif
#ifdef CO_VALGRIND
    (void)VALGRIND_STACK_REGISTER(lo, lo + bytes);
#endif
}

static inline void
fiber_stack_gone(char *lo, size_t bytes)
{
    (void)lo, (void)bytes;
#ifdef CO_ASAN
    __lsan_unregister_root_region(lo, bytes);
    __asan_unpoison_memory_region(lo, bytes);
#endif
}

/* A stack is about to serve a new coroutine: frames that never returned left poison. */
static inline void
fiber_stack_clean(char *lo, size_t bytes)
{
    (void)lo, (void)bytes;
#ifdef CO_ASAN
    __asan_unpoison_memory_region(lo, bytes);
#endif
}

static inline void
fiber_open(struct co_ctx *x, const char *name)
{
    (void)x, (void)name;
#ifdef CO_ASAN
    x->fake = NULL;
#endif
#ifdef CO_TSAN
    x->tsan = __tsan_create_fiber(0);
    __tsan_set_fiber_name(x->tsan, name);
#endif
}

/* The calling thread's own stack becomes a context. */
static inline void
fiber_adopt(struct co_ctx *x)
{
    (void)x;
#ifdef CO_TSAN
    x->tsan = __tsan_get_current_fiber();
#endif
}

/* Directly before the switch; last: `from` never runs again. */
static inline void
fiber_leave(struct co_ctx *from, struct co_ctx *to, bool last)
{
    (void)from, (void)to, (void)last;
#ifdef CO_ASAN
    __sanitizer_start_switch_fiber(last ? NULL : &from->fake, to->lo, to->bytes);
#endif
#ifdef CO_TSAN
    if (last)
        co_fiber_dead = from->tsan;
    __tsan_switch_to_fiber(to->tsan, 0);
#endif
}

/* Directly after the switch back to x. */
static inline void
fiber_arrive(struct co_ctx *x)
{
    (void)x;
#ifdef CO_ASAN
    __sanitizer_finish_switch_fiber(x->fake, NULL, NULL);
#endif
#ifdef CO_TSAN
    fiber_bury();
#endif
}

/* First thing on a new stack.  sched's bounds are learned here, from the first coroutine, which
 * is entered from the scheduler. */
static inline void
fiber_begin(struct co_ctx *sched)
{
    (void)sched;
#ifdef CO_ASAN
    const void *lo;
    size_t bytes;

    __sanitizer_finish_switch_fiber(NULL, &lo, &bytes);
    if (!sched->lo) {
        sched->lo = (char *)lo;
        sched->bytes = bytes;
    }
#endif
#ifdef CO_TSAN
    fiber_bury();
#endif
}

#endif
