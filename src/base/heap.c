/* heap.c -- intrusive 4-ary min-heap of 64-bit keys.
 *
 * The children of index i stand at 4i+1 to 4i+4.  Four of them share a cache line of pointers,
 * so a heap of timers is about half as deep as a binary one and a sift touches fewer lines.
 *
 * Invariants
 *  (1) v[i]->slot == i + 1 for every i < n; a node outside any heap has slot 0.
 *  (2) v[i]->key >= v[parent(i)]->key.
 * Nodes with equal keys come out in no particular order.
 */
#include "base/heap.h"

#include <assert.h>

#include "base/mem.h"

enum { ARITY = 4, CAP_FIRST = 16 };

void
heap_init(struct heap *h)
{
    *h = (struct heap){NULL, 0, 0};
}

void
heap_fini(struct heap *h)
{
    for (size_t i = 0; i < h->n; i++)
        h->v[i]->slot = 0;
    mem_free(h->v);
    heap_init(h);
}

static void
put_at(struct heap *h, size_t i, struct heap_node *node)
{
    h->v[i] = node;
    node->slot = i + 1;
}

/* Finds node's place between the hole at i and the root. */
static void
sift_up(struct heap *h, size_t i, struct heap_node *node)
{
    while (i > 0) {
        size_t parent = (i - 1) / ARITY;

        if (h->v[parent]->key <= node->key)
            break;
        put_at(h, i, h->v[parent]);
        i = parent;
    }
    put_at(h, i, node);
}

/* Finds node's place between the hole at i and the leaves. */
static void
sift_down(struct heap *h, size_t i, struct heap_node *node)
{
    for (;;) {
        size_t first = i * ARITY + 1, least = first;
        size_t stop = first + ARITY < h->n ? first + ARITY : h->n;

        if (first >= h->n)
            break;
        for (size_t c = first + 1; c < stop; c++) {
            if (h->v[c]->key < h->v[least]->key)
                least = c;
        }
        if (h->v[least]->key >= node->key)
            break;
        put_at(h, i, h->v[least]);
        i = least;
    }
    put_at(h, i, node);
}

/* The node at index i changed its key or was just put there. */
static void
settle(struct heap *h, size_t i, struct heap_node *node)
{
    if (i > 0 && node->key < h->v[(i - 1) / ARITY]->key)
        sift_up(h, i, node);
    else
        sift_down(h, i, node);
}

void
heap_set(struct heap *h, struct heap_node *node, int64_t key)
{
    node->key = key;
    if (node->slot != 0) {
        assert(node->slot <= h->n && h->v[node->slot - 1] == node);
        settle(h, node->slot - 1, node);
        return;
    }
    if (h->n == h->cap) {
        h->cap = h->cap ? h->cap * 2 : CAP_FIRST;
        h->v = mem_grow(h->v, h->cap * sizeof *h->v);
    }
    h->n++;
    sift_up(h, h->n - 1, node);
}

void
heap_remove(struct heap *h, struct heap_node *node)
{
    size_t i;
    struct heap_node *last;

    if (node->slot == 0)
        return;
    assert(node->slot <= h->n && h->v[node->slot - 1] == node);
    i = node->slot - 1;
    node->slot = 0;
    h->n--;
    last = h->v[h->n];
    if (last != node)
        settle(h, i, last);
}

struct heap_node *
heap_min(const struct heap *h)
{
    return h->n ? h->v[0] : NULL;
}
