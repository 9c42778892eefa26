/* shapes.h -- what an event stream must look like on the wire, one check a dialect.
 *
 * Each takes a whole stream as it goes to a client and returns NULL, or what is wrong with it,
 * in the arena.  They know the dialects' rules and nothing of our codecs.
 */
#ifndef TESTS_SUPPORT_SHAPES_H
#define TESTS_SUPPORT_SHAPES_H

#include "base/arena.h"

struct shape_record {
    struct str event; /* "" when it has no name */
    struct str data;
};

/* The next record of an event stream; false at its end.  Comments are passed over, lines of
 * data are joined, a record that is cut off counts.  Into the arena where it must be joined. */
bool shape_next(struct arena *a, struct str *rest, struct shape_record *ret);

/* usage: it was asked for. */
const char *shape_chat(struct arena *a, struct str stream, bool usage);
const char *shape_responses(struct arena *a, struct str stream);
const char *shape_messages(struct arena *a, struct str stream);
/* The one of that name; NULL also when there is none. */
const char *shape_check(struct arena *a, const char *dialect, struct str stream, bool usage);

#endif
