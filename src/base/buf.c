/* buf.c -- a growing byte buffer that has a largest size.
 *
 * Live bytes are p[off .. off + n).  Appending takes the free room behind them; when that is
 * short the live bytes move to the front (if enough was consumed there to pay for the move) or
 * the allocation doubles.
 *
 * Invariants
 *  (1) off + n <= cap, n <= max, cap <= max + max / 4 + CAP_FIRST.
 *  (2) n == 0 implies off == 0, so a drained buffer never moves anything.
 *  (3) A move of n bytes is preceded by at least n / 4 consumed ones.  The slack above max in
 * (1) is what keeps this true for a buffer that hovers just below its bound.
 */
#include "base/buf.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>

#include "base/mem.h"

enum { CAP_FIRST = 128, SPARE_MAX = 256 * 1024 };

static _Thread_local struct {
    char *p;
    size_t cap;
} spare;

void
buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

void
buf_fini(struct buf *b)
{
    mem_free(b->p);
    buf_init(b, b->max);
}

static size_t
cap_limit(size_t max)
{
    size_t limit;

    if (__builtin_add_overflow(max, max / 4 + CAP_FIRST, &limit))
        return SIZE_MAX;
    return limit;
}

static void
grow(struct buf *b, size_t want)
{
    size_t limit = cap_limit(b->max), cap = b->cap < CAP_FIRST ? CAP_FIRST : b->cap;

    while (cap < want || cap == b->cap)
        cap = cap > limit / 2 ? limit : cap * 2;
    if (b->off == 0) {
        b->p = mem_grow(b->p, cap);
    } else {
        char *p = mem_grow(NULL, cap);

        memcpy(p, b->p + b->off, b->n);
        mem_free(b->p);
        b->p = p;
        b->off = 0;
    }
    b->cap = cap;
}

/* Makes room for k more bytes behind the live ones, and for slack (0 or 1) bytes of scratch. */
static tg_rc
room(struct buf *b, size_t k, size_t slack)
{
    size_t free_n = b->cap - b->off - b->n, want;

    if (k > b->max - b->n)
        return TG_ELIMIT;
    if (free_n >= slack && k <= free_n - slack && b->p)
        return TG_OK;
    want = b->n + k + slack;
    if (b->off > 0 && want <= b->cap && b->off >= b->n / 4) {
        memmove(b->p, b->p + b->off, b->n);
        b->off = 0;
        return TG_OK;
    }
    grow(b, want);
    return TG_OK;
}

tg_rc
buf_reserve(struct buf *b, size_t n, char **ret)
{
    tg_rc rc = room(b, n, 0);

    if (rc == TG_OK)
        *ret = b->p + b->off + b->n;
    return rc;
}

void
buf_commit(struct buf *b, size_t k)
{
    assert(k <= b->cap - b->off - b->n && k <= b->max - b->n);
    b->n += k;
}

tg_rc
buf_append(struct buf *b, struct str s)
{
    tg_rc rc;

    if (s.n == 0)
        return TG_OK;
    rc = room(b, s.n, 0);
    if (rc != TG_OK)
        return rc;
    memcpy(b->p + b->off + b->n, s.p, s.n);
    b->n += s.n;
    return TG_OK;
}

tg_rc
buf_putc(struct buf *b, char c)
{
    tg_rc rc = room(b, 1, 0);

    if (rc != TG_OK)
        return rc;
    b->p[b->off + b->n] = c;
    b->n++;
    return TG_OK;
}

tg_rc
buf_printf(struct buf *b, const char *fmt, ...)
{
    size_t free_n = b->cap - b->off - b->n;
    va_list ap;
    int n;
    tg_rc rc;

    /* Most of the time what is free will do, and this is the only pass. */
    va_start(ap, fmt);
    n = vsnprintf(free_n ? b->p + b->off + b->n : NULL, free_n, fmt, ap);
    va_end(ap);
    if (n < 0)
        return TG_EINTERNAL;
    if ((size_t)n >= free_n || (size_t)n > b->max - b->n) {
        /* vsnprintf wants a place for its NUL, which max need not leave. */
        rc = room(b, (size_t)n, 1);
        if (rc != TG_OK)
            return rc;
        va_start(ap, fmt);
        vsnprintf(b->p + b->off + b->n, (size_t)n + 1, fmt, ap);
        va_end(ap);
    }
    b->n += (size_t)n;
    return TG_OK;
}

void
buf_consume(struct buf *b, size_t k)
{
    assert(k <= b->n);
    b->n -= k;
    b->off = b->n ? b->off + k : 0;
}

void
buf_clear(struct buf *b)
{
    b->off = b->n = 0;
}

void
buf_truncate(struct buf *b, size_t n)
{
    assert(n <= b->n);
    b->n = n;
    if (n == 0)
        b->off = 0;
}

void
buf_shrink(struct buf *b, size_t keep)
{
    if (b->n == 0 && b->cap > keep)
        buf_fini(b);
}

void
buf_borrow(struct buf *b)
{
    if (b->p || !spare.p || spare.cap > cap_limit(b->max))
        return;
    b->p = spare.p;
    b->cap = spare.cap;
    spare.p = NULL;
}

void
buf_return(struct buf *b)
{
    if (b->p && !spare.p && b->cap <= SPARE_MAX) {
        spare.p = b->p;
        spare.cap = b->cap;
        b->p = NULL;
    }
    buf_fini(b);
}

void
buf_thread_fini(void)
{
    mem_free(spare.p);
    spare.p = NULL;
}
