/* alike.h -- records that are like the last one but for a piece of text.
 *
 * Nearly all records of a stream are deltas, and a delta differs from the one before it in its
 * text, sometimes in padding against eavesdroppers or in a running number, and in nothing else.
 * So one record is remembered as literals with holes between them, and a record that has the
 * same literals and in each hole a value of the same kind is as good as the one before: it is
 * JSON, it has the same members, and it means the same for other text.  What it costs is one
 * comparison and one look at the strings, instead of a check and several walks.
 *
 * The caller learns a record of which it knows that it did nothing but carry text, forgets when
 * another kind of record has come between, and does then for a record that matches what it did
 * for the one that it learned.
 */
#ifndef DIALECT_ALIKE_H
#define DIALECT_ALIKE_H

#include <stdbool.h>
#include <stdint.h>

#include "triglot/dialect.h"

enum { ALIKE_HOLES_MAX = 4, ALIKE_BYTES = 440 };

/* Begins as zeroes. */
struct alike {
    uint16_t literal[ALIKE_HOLES_MAX + 1]; /* how long: before each hole, behind the last */
    uint8_t kind[ALIKE_HOLES_MAX];
    uint8_t n;      /* holes; 0 = nothing is remembered */
    uint8_t text;   /* which of them is the text        */
    uint8_t misses; /* records learned since one matched */
    char bytes[ALIKE_BYTES];
} __attribute__((may_alias));

struct alike_text {
    struct str value; /* a JSON string with its quotes, checked */
    bool escapes;     /* there are backslashes in it            */
};

/* Remembers a record, which has passed json_check, by the place of its text: what stands
 * between the quotes of one of its strings, borrowed from the record.  With an empty text all
 * strings that are usually a delta's count as holes, for callers that do not look at them. What
 * does not fit, or did not help in many records, is forgotten instead. */
void alike_learn(struct alike *a, struct str record, struct str text);
static inline void
alike_forget(struct alike *a)
{
    a->n = 0;
}
/* Is this record like the one that was learned?  Then *ret, which may be NULL, is its text (of
 * the first hole, where none was named), borrowed from the record. */
bool alike_match(struct alike *a, struct str record, struct alike_text *ret);

/* The one of a tap, in its memory. */
static inline struct alike *
alike_of_tap(struct dialect_tap *t)
{
    _Static_assert(sizeof(struct alike) <= sizeof t->memory, "it fits");
    return (struct alike *)(void *)t->memory;
}

#endif
