/* block.h -- queues of bytes made of pooled blocks.
 *
 * Bytes keep their address from the moment they are appended until they are consumed, so a
 * front piece may be lent to the kernel or to a reader while more is appended behind it. Blocks
 * come from and go back to a bounded per-thread cache; an empty queue holds none.
 */
#ifndef NET_BLOCK_H
#define NET_BLOCK_H

#include <stddef.h>

#include "triglot/str.h"

struct block;

struct block_queue {
    struct block *head, *tail; /* both NULL when empty */
    size_t n;                  /* bytes in the queue   */
};

/* Copies.  Never fails (running out of memory ends the process): the caller bounds the queue.
 */
void block_queue_append(struct block_queue *q, struct str bytes);
/* The contiguous bytes in front; empty when the queue is. */
struct str block_queue_front(const struct block_queue *q);
/* Drops n bytes of the front piece, n <= its length; with nothing behind them the block goes.
 */
void block_queue_consume(struct block_queue *q, size_t n);
/* Drops everything. */
void block_queue_clear(struct block_queue *q);

/* Gives the calling thread's cached blocks back to libc. */
void block_thread_fini(void);
/* Blocks of the calling thread that were taken from libc and not given back (tests). */
unsigned block_count(void);

#endif
