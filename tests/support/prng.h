/* prng.h -- numbers that look random and are the same in every run (xorshift64*). */
#ifndef TESTS_SUPPORT_PRNG_H
#define TESTS_SUPPORT_PRNG_H

#include <stdint.h>

struct prng {
    uint64_t state; /* not 0 */
};

static inline uint64_t
prng_next(struct prng *r)
{
    r->state ^= r->state >> 12;
    r->state ^= r->state << 25;
    r->state ^= r->state >> 27;
    return r->state * UINT64_C(0x2545f4914f6cdd1d);
}

/* 0 to n - 1; n > 0. */
static inline uint64_t
prng_below(struct prng *r, uint64_t n)
{
    return (prng_next(r) >> 16) % n;
}

#endif
