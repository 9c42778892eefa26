/* heap.h -- intrusive 4-ary min-heap of 64-bit keys (timers).
 *
 * A node knows its slot, so removing and moving cost O(log n).  The heap owns only its array of
 * node pointers; nodes belong to the caller and must stay put while they are in.
 */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stddef.h>
#include <stdint.h>

struct heap_node {
    int64_t key;
    size_t slot; /* 0 = not in a heap, else index + 1 */
};

struct heap {
    struct heap_node **v;
    size_t n, cap;
};

void heap_init(struct heap *h);
void heap_fini(struct heap *h); /* forgets the nodes; each may then be put into another heap */
/* Inserts the node with this key, or moves it when it is in already. */
void heap_set(struct heap *h, struct heap_node *node, int64_t key);
/* No-op when the node is not in. */
void heap_remove(struct heap *h, struct heap_node *node);
/* The node with the smallest key, or NULL.  Stays in. */
struct heap_node *heap_min(const struct heap *h);

static inline int
heap_has(const struct heap_node *node)
{
    return node->slot != 0;
}

#endif
