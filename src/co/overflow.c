/* overflow.c -- names the coroutine whose stack overflowed, before the process ends.
 *
 * A stack that runs over touches its guard pages.  The handler runs on a stack of its own,
 * which each thread that runs coroutines has; any other fault is left to whoever had the signal
 * before.
 */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/num.h"
#include "co/co_int.h"

enum { ALT_BYTES = 32768 };

static struct sigaction segv_before;
static pthread_mutex_t segv_mx = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local stack_t alt_before;
static _Thread_local char *alt;

static char *
put_z(char *to, const char *end, const char *z)
{
    while (*z && to < end)
        *to++ = *z++;
    return to;
}

static char *
put_n(char *to, const char *end, size_t n)
{
    char digits[NUM_DIGITS + 1];

    digits[NUM_DIGITS] = '\0';
    return put_z(to, end, num_digits(digits + NUM_DIGITS, n, 1));
}

/* Only async-signal-safe calls. */
static void
on_segv(int sig, siginfo_t *info, void *ucontext)
{
    const struct co_sched *s = co_self;
    const struct co *c = s ? s->cur : NULL;
    const char *addr = info->si_addr;
    char line[256], *p = line;
    const char *end = line + sizeof line - 1;

    (void)ucontext;
    if (c && addr < c->ctx.lo && addr >= c->ctx.lo - (s->stacks.stride - s->stacks.bytes)) {
        p = put_z(p, end, "triglot: coroutine ");
        p = put_z(p, end, c->name);
        p = put_z(p, end, " overflowed its stack of ");
        p = put_n(p, end, s->stacks.bytes);
        p = put_z(p, end, " bytes");
        *p++ = '\n';
        (void)!write(STDERR_FILENO, line, (size_t)(p - line));
        abort();
    }
    /* Not ours: the instruction runs again under the handler that was there before. */
    (void)sigaction(sig, &segv_before, NULL);
}

/* The handler is the process's, and others (test frames) may have set theirs meanwhile. */
static void
segv_install(void)
{
    struct sigaction sa = {.sa_sigaction = on_segv, .sa_flags = SA_SIGINFO | SA_ONSTACK}, now;

    sigemptyset(&sa.sa_mask);
    pthread_mutex_lock(&segv_mx);
    if (sigaction(SIGSEGV, NULL, &now) == 0 && now.sa_sigaction != on_segv) {
        segv_before = now;
        (void)sigaction(SIGSEGV, &sa, NULL);
    }
    pthread_mutex_unlock(&segv_mx);
}

void
co_overflow_open(void)
{
    stack_t ss = {.ss_size = ALT_BYTES};

    segv_install();
    alt = mem_alloc(ALT_BYTES);
    ss.ss_sp = alt;
    (void)sigaltstack(&ss, &alt_before);
}

void
co_overflow_close(void)
{
    if (alt_before.ss_sp == NULL)
        alt_before.ss_flags = SS_DISABLE;
    (void)sigaltstack(&alt_before, NULL);
    mem_free(alt);
    alt = NULL;
}
