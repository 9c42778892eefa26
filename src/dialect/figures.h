/* figures.h -- the counts of a usage object, found in one walk. */
#ifndef DIALECT_FIGURES_H
#define DIALECT_FIGURES_H

#include <stddef.h>
#include <stdint.h>

#include "triglot/str.h"

enum { FIGURES_MAX = 8 };

struct figure {
    struct str member; /* of the usage object                                            */
    struct str inner;  /* of the object that the member is; empty: the member is the count */
    int64_t *to;       /* stays what it is where there is no such count                  */
};

/* usage has passed json_check.  n <= FIGURES_MAX; a later row wins over an earlier one with the
 * same target.  Negative counts, and those beyond INT64_MAX / 4, are none. */
void figures_read(struct str usage, const struct figure *rows, size_t n);

#endif
