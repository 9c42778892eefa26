/* hash.c -- FNV-1a. */
#include "base/hash.h"

#include <assert.h>
#include <inttypes.h>

#include "base/utf8.h"

enum { HASH_TAIL = 17 }; /* '_' and sixteen digits */

uint64_t
hash_add(uint64_t hash, struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        hash = (hash ^ (unsigned char)s.p[i]) * UINT64_C(0x100000001b3);
    return hash;
}

struct str
hash_fit(struct arena *a, struct str s, size_t max)
{
    assert(max >= HASH_TAIL);
    if (s.n <= max)
        return s;
    return arena_printf(a, "%.*s_%016" PRIx64, (int)utf8_floor(s, max - HASH_TAIL), s.p,
                        hash_add(HASH_EMPTY, s));
}
