/* json_gen.h -- random JSON texts from a seed. */
#ifndef TESTS_SUPPORT_JSON_GEN_H
#define TESTS_SUPPORT_JSON_GEN_H

#include "base/buf.h"
#include "support/prng.h"

/* Appends one valid JSON value with white space of every kind in and around it.  Depth is at
 * most `depth`; keys repeat now and then; numbers fit a double. */
void json_gen(struct prng *r, struct buf *b, unsigned depth);

#endif
