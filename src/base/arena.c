/* arena.c -- chunks of three sizes, a bounded cache of them a thread, and chunks of their own
 * for what is large.
 *
 * An arena begins with small chunks, and after some they are of twice the size, up to the
 * largest: one that stays small, as that of a stream that waits, then holds little that it does
 * not use, and one that grows does so in few steps.
 *
 * The newest chunk of these sizes stands first in an arena's list and is the one that small
 * requests are cut from.  A request that does not fit there gets an exact chunk of its own,
 * linked behind the first, when it is large or when the first still has much room: so at most a
 * quarter of any chunk is lost.
 *
 * Invariants
 *  (1) Free bytes of a chunk (used .. size) are poisoned under ASan, as are the bytes of a
 * cached chunk.  Between two allocations stands a poisoned gap, so that running over one is
 * seen. (2) Memory is zeroed when it is handed out, not when it comes back: most of a chunk's
 * bytes are then written while they are in the cache of the processor anyway.
 *
 * A chunk goes back to the cache of the thread that resets the arena, which need not be the one
 * that filled it (work that was offloaded); chunks carry no thread of their own, so that is
 * fine.
 */
#include "base/arena.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/mem.h"

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif

#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
static const size_t gap = 16;
#else
static const size_t gap = 0;
#endif

enum {
    SIZES = 3,
    EACH_SIZE = 4,          /* chunks of an arena before they become larger */
    CHUNK_FIRST = 1024,     /* with its header, and libc's */
    CACHED_BYTES = 1 << 18, /* kept a thread, of each size */
    OWN_CHUNK = 1024,       /* a larger request that does not fit gets a chunk of its own */
    ALIGN_MAX = 64,
    FEW = 4 /* elements that arena_more begins with */
};

struct arena_chunk {
    struct arena_chunk *next;
    size_t size; /* of data */
    size_t used;
    char data[];
};

static _Thread_local struct {
    struct arena_chunk *first;
    unsigned n;
} cache[SIZES];

/* Bytes of data in a chunk of the i-th size. */
static size_t
usual_size(unsigned i)
{
    return ((size_t)CHUNK_FIRST << i) - sizeof(struct arena_chunk) - 16;
}

/* Which of the sizes that is, or SIZES: a chunk of its own. */
static unsigned
which_size(size_t size)
{
    unsigned i = 0;

    while (i < SIZES && size != usual_size(i))
        i++;
    return i;
}

static void
poison(char *p, size_t n)
{
#ifdef ARENA_ASAN
    __asan_poison_memory_region(p, n);
#else
    (void)p;
    (void)n;
#endif
}

static void
unpoison(char *p, size_t n)
{
#ifdef ARENA_ASAN
    __asan_unpoison_memory_region(p, n);
#else
    (void)p;
    (void)n;
#endif
}

static struct arena_chunk *
chunk_new(size_t size)
{
    unsigned i = which_size(size);
    struct arena_chunk *c;
    size_t total;

    if (i < SIZES && cache[i].first) {
        c = cache[i].first;
        cache[i].first = c->next;
        cache[i].n--;
    } else {
        if (__builtin_add_overflow(size, sizeof *c, &total))
            mem_exhausted(size);
        c = mem_grow(NULL, total);
        c->size = size;
        poison(c->data, size);
    }
    c->next = NULL;
    c->used = 0;
    return c;
}

static void
chunk_free(struct arena_chunk *c)
{
    unpoison(c->data, c->size);
    mem_free(c);
}

static void
chunk_put(struct arena_chunk *c)
{
    unsigned i = which_size(c->size);

    if (i == SIZES || cache[i].n >= (unsigned)CACHED_BYTES / CHUNK_FIRST >> i) {
        chunk_free(c);
        return;
    }
    poison(c->data, c->size);
    c->next = cache[i].first;
    cache[i].first = c;
    cache[i].n++;
}

void
arena_thread_fini(void)
{
    for (unsigned i = 0; i < SIZES; i++) {
        while (cache[i].first) {
            struct arena_chunk *c = cache[i].first;

            cache[i].first = c->next;
            chunk_free(c);
        }
        cache[i].n = 0;
    }
}

void
arena_init(struct arena *a)
{
    *a = (struct arena){.chunk = NULL};
}

void
arena_reset(struct arena *a)
{
    while (a->chunk) {
        struct arena_chunk *c = a->chunk;

        a->chunk = c->next;
        chunk_put(c);
    }
    a->used = 0;
    a->n = 0;
}

void
arena_fini(struct arena *a)
{
    arena_reset(a);
}

/* Cuts n bytes off the chunk, or NULL when they do not fit. */
static char *
cut(struct arena_chunk *c, size_t n, size_t align)
{
    uintptr_t at = (uintptr_t)(c->data + c->used);
    size_t skip = (size_t)(-at & (align - 1)), left = c->size - c->used;
    char *p;

    if (skip > left || n > left - skip)
        return NULL;
    p = c->data + c->used + skip;
    left -= skip + n;
    c->used += skip + n + (left < gap ? left : gap);
    return p;
}

/* n bytes do not fit into the first chunk: shall they have one of their own? */
static bool
wants_own(const struct arena_chunk *first, size_t n)
{
    return n > OWN_CHUNK || (first && which_size(first->size) < SIZES &&
                             first->size - first->used > first->size / 4);
}

static char *
cut_from_own(struct arena *a, size_t n, size_t align)
{
    struct arena_chunk *c;
    size_t size;

    if (__builtin_add_overflow(n, align + gap, &size))
        mem_exhausted(n);
    size += which_size(size) < SIZES; /* chunk_put tells chunks apart by their size */
    c = chunk_new(size);
    if (a->chunk) {
        c->next = a->chunk->next;
        a->chunk->next = c;
    } else {
        a->chunk = c;
    }
    return cut(c, n, align);
}

static char *
cut_from_next(struct arena *a, size_t n, size_t align)
{
    unsigned i = a->n++ / EACH_SIZE;
    struct arena_chunk *c;

    while (i < SIZES - 1 && n + align + gap > usual_size(i))
        i++;
    c = chunk_new(usual_size(i < SIZES ? i : SIZES - 1));
    c->next = a->chunk;
    a->chunk = c;
    return cut(c, n, align);
}

void *
arena_alloc(struct arena *a, size_t n, size_t align)
{
    char *p = NULL;

    assert(align && align <= ALIGN_MAX && (align & (align - 1)) == 0);
    if (a->chunk)
        p = cut(a->chunk, n, align);
    if (!p)
        p = wants_own(a->chunk, n) ? cut_from_own(a, n, align) : cut_from_next(a, n, align);
    unpoison(p, n);
    a->used += n;
    return memset(p, 0, n);
}

void *
arena_alloc_array(struct arena *a, size_t n, size_t size, size_t align)
{
    size_t total;

    if (__builtin_mul_overflow(n, size, &total))
        mem_exhausted(SIZE_MAX);
    return arena_alloc(a, total, align);
}

bool
arena_more_at(struct arena *a, void *array_at, uint32_t n, uint32_t *cap, uint32_t max,
              size_t size, size_t align)
{
    uint32_t more = *cap ? *cap * 2 : FEW;
    void *old, *p;

    if (n >= max)
        return false;
    if (n < *cap)
        return true;
    if (more > max)
        more = max;
    p = arena_alloc_array(a, more, size, align);
    memcpy(&old, array_at, sizeof old);
    if (n)
        memcpy(p, old, n * size);
    memcpy(array_at, &p, sizeof p);
    *cap = more;
    return true;
}

struct str
arena_cat(struct arena *a, struct str s, struct str t)
{
    char *p = arena_alloc(a, s.n + t.n + 1, 1);

    if (s.n)
        memcpy(p, s.p, s.n);
    if (t.n)
        memcpy(p + s.n, t.p, t.n);
    return str_of(p, s.n + t.n);
}

struct str
arena_dup(struct arena *a, struct str s)
{
    return arena_cat(a, s, str_of(NULL, 0));
}

struct str
arena_printf(struct arena *a, const char *fmt, ...)
{
    char small[256], *p;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(small, sizeof small, fmt, ap);
    va_end(ap);
    if (n < 0)
        n = 0;
    p = arena_alloc(a, (size_t)n + 1, 1);
    if ((size_t)n < sizeof small) {
        memcpy(p, small, (size_t)n);
    } else {
        va_start(ap, fmt);
        vsnprintf(p, (size_t)n + 1, fmt, ap);
        va_end(ap);
    }
    return str_of(p, (size_t)n);
}
