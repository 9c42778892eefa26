/* join.h -- one text out of many, whose number is not known beforehand.
 *
 * Pieces are noted while they are found and copied once at the end, so that a text of n pieces
 * costs what it holds; appending them one by one would cost the square of that.
 */
#ifndef BASE_JOIN_H
#define BASE_JOIN_H

#include <stddef.h>

#include "base/arena.h"
#include "triglot/str.h"

struct join_piece;

/* Zeroed it is empty. */
struct join {
    struct join_piece *first, *last;
    size_t n; /* bytes so far */
};

/* Notes a piece; its bytes are borrowed until join_text.  Empty ones are passed over. */
void join_add(struct arena *a, struct join *j, struct str piece);
/* All pieces one behind the other, in the arena; a single one is not copied and borrows what it
 * borrowed.  "" without any. */
struct str join_text(struct arena *a, const struct join *j);

#endif
