/* mem.c -- the heap with the checks made once.
 *
 * Every size asked for here is bounded by configuration, so a failing malloc means that the
 * machine is out of memory.  There is no sensible way to unwind from that in the middle of a
 * request: the process says so on standard error and ends, and its parent starts another.
 */
#include "base/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

static _Thread_local uint64_t asked;

void
mem_exhausted(size_t n)
{
    fprintf(stderr, "triglot: out of memory: %zu bytes could not be had\n", n);
    abort();
}

void *
mem_alloc(size_t n)
{
    void *p = calloc(1, n ? n : 1);

    asked++;
    if (!p)
        mem_exhausted(n);
    return p;
}

void *
mem_alloc_lines(size_t n)
{
    void *p;

    n = (n + MEM_LINE - 1) & ~(size_t)(MEM_LINE - 1);
    p = aligned_alloc(MEM_LINE, n);
    asked++;
    if (!p)
        mem_exhausted(n);
    return memset(p, 0, n);
}

void *
mem_array(size_t n, size_t size)
{
    size_t total;

    if (__builtin_mul_overflow(n, size, &total))
        mem_exhausted(SIZE_MAX);
    return mem_alloc(total);
}

void *
mem_grow(void *p, size_t n)
{
    void *q = realloc(p, n ? n : 1);

    asked++;
    if (!q)
        mem_exhausted(n);
    return q;
}

uint64_t
mem_asked(void)
{
    return asked;
}

void
mem_free(void *p)
{
    free(p);
}

char *
mem_dup_z(struct str s)
{
    char *z = mem_alloc(s.n + 1);

    if (s.n)
        memcpy(z, s.p, s.n);
    return z;
}

void
mem_give_back(void)
{
#ifdef __GLIBC__
    (void)malloc_trim(0);
#endif
}
