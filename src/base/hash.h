/* hash.h -- FNV-1a with 64 bits: tells texts apart, hides nothing.
 *
 * The same on every machine and in every version, for what is made of it is sent and comes
 * back.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdint.h>

#include "base/arena.h"
#include "triglot/str.h"

#define HASH_EMPTY UINT64_C(0xcbf29ce484222325)

/* The hash of what hash stands for with s behind it. */
uint64_t hash_add(uint64_t hash, struct str s);

/* s as it is when it has at most max bytes; else its beginning, '_' and its hash, cut in front
 * of a character and no longer than that.  Depends on s alone.  max is at least 17. */
struct str hash_fit(struct arena *a, struct str s, size_t max);

#endif
