/* block.c -- queues of bytes made of pooled blocks.
 *
 * Two sizes.  A stream that sends one event at a time needs a small block for some
 * microseconds; one that is behind, or that is in a burst, gets large ones so that each send
 * carries much.  The cache keeps at most half a mebibyte of each size, so that a steady load
 * allocates nothing and a past peak is not kept for ever.
 *
 * Invariants
 *  (1) A queue with n == 0 owns no block.
 *  (2) Every block of a queue but the head starts at offset 0; every block but the tail is
 * full. (3) Bytes never move.
 */
#include "net/block.h"

#include <assert.h>
#include <stdint.h>

#include "base/mem.h"

struct block {
    struct block *next;
    uint32_t cap, off, end; /* live bytes are data[off, end) */
    char data[];
};

enum {
    SMALL_BYTES = 4096 - sizeof(struct block) - 16, /* with libc's header: below one page */
    LARGE_BYTES = 16384 - sizeof(struct block) - 16,
    SMALL_KEPT = 128,
    LARGE_KEPT = 32,
};

struct block_cache {
    struct block *free;
    unsigned n;
};

static _Thread_local struct block_cache cache_small, cache_large;
static _Thread_local unsigned blocks_total;

static struct block *
block_get(size_t want)
{
    bool small = want <= SMALL_BYTES;
    struct block_cache *c = small ? &cache_small : &cache_large;
    struct block *b = c->free;

    if (b) {
        c->free = b->next;
        c->n--;
    } else {
        b = mem_grow(NULL, sizeof *b + (small ? SMALL_BYTES : LARGE_BYTES));
        b->cap = small ? SMALL_BYTES : LARGE_BYTES;
        blocks_total++;
    }
    b->next = NULL;
    b->off = b->end = 0;
    return b;
}

static void
block_put(struct block *b)
{
    bool small = b->cap == SMALL_BYTES;
    struct block_cache *c = small ? &cache_small : &cache_large;

    if (c->n >= (small ? SMALL_KEPT : LARGE_KEPT)) {
        mem_free(b);
        blocks_total--;
        return;
    }
    b->next = c->free;
    c->free = b;
    c->n++;
}

void
block_queue_append(struct block_queue *q, struct str bytes)
{
    while (bytes.n > 0) {
        struct block *b = q->tail;
        size_t k;

        if (!b || b->end == b->cap) {
            b = block_get(bytes.n + q->n);
            if (q->tail)
                q->tail->next = b;
            else
                q->head = b;
            q->tail = b;
        }
        k = b->cap - b->end;
        if (k > bytes.n)
            k = bytes.n;
        memcpy(b->data + b->end, bytes.p, k);
        b->end += (uint32_t)k;
        q->n += k;
        bytes = str_from(bytes, k);
    }
}

struct str
block_queue_front(const struct block_queue *q)
{
    const struct block *b = q->head;

    return b ? str_of(b->data + b->off, b->end - b->off) : str_of(NULL, 0);
}

void
block_queue_consume(struct block_queue *q, size_t n)
{
    struct block *b = q->head;

    if (n == 0)
        return;
    assert(b && n <= b->end - b->off);
    b->off += (uint32_t)n;
    q->n -= n;
    if (b->off < b->end)
        return;
    q->head = b->next;
    if (!q->head)
        q->tail = NULL;
    block_put(b);
}

void
block_queue_clear(struct block_queue *q)
{
    while (q->head)
        block_queue_consume(q, q->head->end - q->head->off);
}

static void
cache_drain(struct block_cache *c)
{
    while (c->free) {
        struct block *b = c->free;

        c->free = b->next;
        mem_free(b);
        blocks_total--;
    }
    c->n = 0;
}

void
block_thread_fini(void)
{
    cache_drain(&cache_small);
    cache_drain(&cache_large);
}

unsigned
block_count(void)
{
    return blocks_total;
}
