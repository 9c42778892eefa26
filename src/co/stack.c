/* stack.c -- stacks for coroutines: where they come from, where they go, how deep they were
 * used.
 *
 * Stacks come from the kernel sixteen at a time (a slab) and are never given back one by one: a
 * stack that is not in use keeps its addresses, and its pages until co_stacks_give_back.  The
 * unused ones form a LIFO, so the next coroutine gets the stack that is most likely in the
 * cache. The bottom of that LIFO is cold (no pages): free[0..n_cold).  Trimming moves that
 * border up, some stacks a turn, and is done by the scheduler between turns, because a stack is
 * put into the pool by the coroutine that still runs on it.
 *
 * Below each stack lie four guard pages; four, because a frame in a library may be larger than
 * one page and would step over it.  Where the kernel can, guards are marks in the page table
 * and a slab is one mapping; elsewhere each guard is a mapping of its own, and vm.max_map_count
 * then bounds the number of stacks at about 32,000 a process (co_spawn reports TG_EUNAVAIL).
 *
 * The struct co lies at the top of its stack.  Tops are shifted by a few cache lines from stack
 * to stack; otherwise the busiest lines of all coroutines would fall into the same cache sets.
 *
 * With CO_PAINT (debug builds) a stack is filled with a pattern, and what is left of the
 * pattern at the coroutine's end tells how deep it went; the census keeps the deepest by name.
 */
#include "co/co_int.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

enum {
    PAGE = 4096,
    GUARD = 4 * PAGE,
    SLAB_STACKS = 16,
    COLORS = 8,
    COLOR_BYTES = 128,
    POOL_WARM = 64,   /* unused stacks that keep their pages in any case */
    TRIM_A_TURN = 32, /* stacks; each costs a system call */
    PAINT = 0xC5,
};

struct co_slab {
    struct co_slab *next;
    char *p;
};

void
co_stacks_init(struct co_stacks *p, size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    if (page < PAGE)
        page = PAGE;
    *p = (struct co_stacks){.bytes = (bytes + page - 1) & ~(page - 1), .light_guards = true};
    p->stride = p->bytes + ((GUARD + page - 1) & ~(page - 1));
}

/* The low end of stack i: each has its guard below it. */
static char *
slab_stack(const struct co_stacks *p, char *slab, unsigned i)
{
    return slab + i * p->stride + (p->stride - p->bytes);
}

void
co_stacks_fini(struct co_stacks *p)
{
    struct co_slab *slab;
    unsigned i;

    while ((slab = p->slabs) != NULL) {
        p->slabs = slab->next;
        for (i = 0; i < SLAB_STACKS; i++)
            fiber_stack_gone(slab_stack(p, slab->p, i), p->bytes);
        munmap(slab->p, p->stride * SLAB_STACKS);
        mem_free(slab);
    }
    mem_free(p->free);
    *p = (struct co_stacks){.bytes = 0};
}

static bool
guard(struct co_stacks *p, char *at)
{
    size_t n = p->stride - p->bytes;

    if (p->light_guards) {
        if (madvise(at, n, MADV_GUARD_INSTALL) == 0)
            return true;
        p->light_guards = false;
    }
    return mprotect(at, n, PROT_NONE) == 0;
}

static struct co *
top_of(const struct co_stacks *p, char *lo)
{
    size_t color = (size_t)((uintptr_t)lo / p->stride % COLORS) * COLOR_BYTES;
    size_t at = p->bytes - sizeof(struct co) - color;

    return (struct co *)(void *)(lo + (at & ~(size_t)63));
}

#ifdef CO_PAINT
enum { CENSUS_MAX = 256 };
static struct {
    const char *name;
    size_t bytes_max;
} census[CENSUS_MAX];
static pthread_mutex_t census_mx = PTHREAD_MUTEX_INITIALIZER;

static void
census_note(const char *name, size_t bytes)
{
    unsigned i;

    pthread_mutex_lock(&census_mx);
    for (i = 0; i < CENSUS_MAX; i++) {
        if (!census[i].name)
            census[i].name = name;
        if (strcmp(census[i].name, name) == 0) {
            if (bytes > census[i].bytes_max)
                census[i].bytes_max = bytes;
            break;
        }
    }
    pthread_mutex_unlock(&census_mx);
}

/* Runs on the stack that it looks at, below which nothing is live.  Word by word; a stack that
 * was never painted there (fresh pages are zero) has not been handed out yet. */
#if defined(CO_ASAN) || defined(CO_TSAN)
__attribute__((no_sanitize("address", "thread")))
#endif
static size_t
depth(const struct co *c)
{
    const unsigned char *p = (const unsigned char *)c->ctx.lo;

    while (p < (const unsigned char *)c && *p == PAINT)
        p++;
    return (size_t)((const unsigned char *)c - p);
}

/* The census needs the whole stack painted when the coroutine starts. */
static void
paint(struct co *c)
{
    memset(c->ctx.lo, PAINT, (size_t)((char *)c - c->ctx.lo));
}
#endif

void
co_stack_census(void (*row)(void *arg, const char *name, size_t bytes_max), void *arg)
{
#ifdef CO_PAINT
    unsigned i, n, best, done[CENSUS_MAX / 32] = {0};

    pthread_mutex_lock(&census_mx);
    for (n = 0; n < CENSUS_MAX && census[n].name; n++) {
    }
    for (;;) {
        best = n;
        for (i = 0; i < n; i++)
            if (!(done[i / 32] >> i % 32 & 1) &&
                (best == n || census[i].bytes_max > census[best].bytes_max))
                best = i;
        if (best == n)
            break;
        done[best / 32] |= 1u << best % 32;
        row(arg, census[best].name, census[best].bytes_max);
    }
    pthread_mutex_unlock(&census_mx);
#else
    (void)row, (void)arg;
#endif
}

static bool
slab_open(struct co_stacks *p)
{
    size_t n = p->stride * SLAB_STACKS;
    struct co_slab *slab;
    char *m;
    unsigned i;

    m = mmap(NULL, n, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
    if (m == MAP_FAILED)
        return false;
    /* A huge page under stacks would make every byte of them resident. */
    (void)madvise(m, n, MADV_NOHUGEPAGE);
    for (i = 0; i < SLAB_STACKS; i++) {
        if (!guard(p, m + i * p->stride)) {
            munmap(m, n);
            return false;
        }
    }
    slab = mem_new(struct co_slab);
    slab->p = m;
    slab->next = p->slabs;
    p->slabs = slab;
    p->n_total += SLAB_STACKS;
    if (p->n_total > p->cap_free) {
        p->cap_free = p->n_total * 2;
        p->free = mem_grow(p->free, p->cap_free * sizeof(*p->free));
    }
    for (i = SLAB_STACKS; i-- > 0;) {
        fiber_stack_new(slab_stack(p, m, i), p->bytes);
        p->free[p->n_free++] = slab_stack(p, m, i);
    }
    p->n_cold = p->n_free;
    return true;
}

struct co *
co_stack_get(struct co_stacks *p)
{
    struct co *c;
    char *lo;

    if (p->n_free == 0 && !slab_open(p))
        return NULL;
    lo = p->free[--p->n_free];
    if (p->n_cold > p->n_free)
        p->n_cold = p->n_free;
    fiber_stack_clean(lo, p->bytes);
    c = top_of(p, lo);
    c->ctx.lo = lo;
    c->ctx.bytes = p->bytes;
#ifdef CO_PAINT
    paint(c);
#endif
    /* The outermost frame starts right below the struct. */
    c->ctx.sp = co_frame(c, c);
    return c;
}

void
co_stack_put(struct co_stacks *p, struct co *c)
{
#ifdef CO_PAINT
    census_note(c->name, depth(c));
#endif
    p->free[p->n_free++] = c->ctx.lo;
}

void
co_stacks_give_back(void)
{
    co_self->stacks.cooling = true;
}

bool
co_stacks_trim(struct co_stacks *p)
{
    unsigned goal = p->n_free > POOL_WARM ? p->n_free - POOL_WARM : 0;

    if (!p->cooling)
        return false;
    for (unsigned i = 0; i < TRIM_A_TURN && p->n_cold < goal; i++, p->n_cold++)
        (void)madvise(p->free[p->n_cold], p->bytes, MADV_DONTNEED);
    p->cooling = p->n_cold < goal;
    return p->cooling;
}

void
co_stack_trim(const struct co_scope *s)
{
    const struct co *c = s->owner;
    uintptr_t sp = (uintptr_t)c->ctx.sp & ~(uintptr_t)(PAGE - 1);

    assert(c != co_self->cur);
#ifndef CO_PAINT
    if (sp > (uintptr_t)c->ctx.lo)
        (void)madvise(c->ctx.lo, sp - (uintptr_t)c->ctx.lo, MADV_DONTNEED);
#else
    (void)sp;
#endif
}
