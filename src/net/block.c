/* block.c -- queues of bytes made of pooled blocks.
 *
 * Three sizes.  A stream that sends one event at a time needs a small block for some
 * microseconds; one that is behind, or that is in a burst, gets large ones so that each send
 * carries much; in between is what a shared receive buffer of the usual size holds, for those
 * that are copied aside one by one.  The cache keeps at most half a mebibyte of each size, so
 * that a steady load allocates nothing and a past peak is not kept for ever.
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

enum { SIZES = 3, KEPT_BYTES = 1 << 19 };

/* The first and the last with libc's header fill whole pages. */
static const uint32_t sizes[SIZES] = {
    4096 - sizeof(struct block) - 16,
    8192,
    16384 - sizeof(struct block) - 16,
};

static _Thread_local struct {
    struct block *free;
    unsigned n;
} cache[SIZES];
static _Thread_local unsigned blocks_total;

/* The smallest size that holds so many bytes, or the largest. */
static unsigned
size_for(size_t bytes)
{
    unsigned i = 0;

    while (i < SIZES - 1 && bytes > sizes[i])
        i++;
    return i;
}

/* For a queue of so many bytes. */
static struct block *
block_get(size_t want)
{
    unsigned i = size_for(want);
    struct block *b = cache[i].free;

    if (b) {
        cache[i].free = b->next;
        cache[i].n--;
    } else {
        b = mem_grow(NULL, sizeof *b + sizes[i]);
        b->cap = sizes[i];
        blocks_total++;
    }
    b->next = NULL;
    b->off = b->end = 0;
    return b;
}

static void
block_put(struct block *b)
{
    unsigned i = size_for(b->cap);

    if (cache[i].n >= KEPT_BYTES / sizes[i]) {
        mem_free(b);
        blocks_total--;
        return;
    }
    b->next = cache[i].free;
    cache[i].free = b;
    cache[i].n++;
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

void
block_thread_fini(void)
{
    for (unsigned i = 0; i < SIZES; i++) {
        while (cache[i].free) {
            struct block *b = cache[i].free;

            cache[i].free = b->next;
            mem_free(b);
            blocks_total--;
        }
        cache[i].n = 0;
    }
}

unsigned
block_count(void)
{
    return blocks_total;
}
