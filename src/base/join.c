/* join.c -- pieces of text as a list, and the text that they make.
 *
 * A piece costs one small node; the bytes move once.
 */
#include "base/join.h"

#include <string.h>

struct join_piece {
    struct join_piece *next;
    struct str text;
};

void
join_add(struct arena *a, struct join *j, struct str piece)
{
    struct join_piece *p;

    if (piece.n == 0)
        return;
    p = arena_new(a, struct join_piece);
    p->text = piece;
    if (j->last)
        j->last->next = p;
    else
        j->first = p;
    j->last = p;
    j->n += piece.n;
}

struct str
join_text(struct arena *a, const struct join *j)
{
    char *start, *to;

    if (!j->first)
        return (struct str){NULL, 0};
    if (!j->first->next)
        return j->first->text;
    to = start = arena_alloc(a, j->n, 1);
    for (const struct join_piece *p = j->first; p; p = p->next) {
        memcpy(to, p->text.p, p->text.n);
        to += p->text.n;
    }
    return str_of(start, j->n);
}
