/* list.h -- intrusive doubly linked list.
 *
 * The head is a node too; an empty list points at itself.  A node that is in no list points at
 * itself after list_init or list_del, so list_del twice does no harm.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next, *prev;
};

#define LIST_ITEM(node, type, member) ((type *)((char *)(node)-offsetof(type, member)))
#define LIST_FOREACH(it, head)        for (struct list *it = (head)->next; it != (head); it = it->next)
#define LIST_FOREACH_SAFE(it, tmp, head)                                                       \
    for (struct list *it = (head)->next, *tmp = it->next; it != (head);                        \
         it = tmp, tmp = it->next)

static inline void
list_init(struct list *l)
{
    l->next = l->prev = l;
}

static inline bool
list_empty(const struct list *l)
{
    return l->next == l;
}

static inline void
list_add_tail(struct list *head, struct list *node)
{
    node->prev = head->prev;
    node->next = head;
    head->prev->next = node;
    head->prev = node;
}

static inline void
list_add_head(struct list *head, struct list *node)
{
    list_add_tail(head->next, node);
}

static inline void
list_del(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    node->next = node->prev = node;
}

/* First node, or NULL when empty. */
static inline struct list *
list_first(struct list *head)
{
    return head->next == head ? NULL : head->next;
}

#endif
