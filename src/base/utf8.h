/* utf8.h -- UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "triglot/str.h"

bool utf8_valid(struct str s);
/* Writes 1 to 4 bytes for a scalar value, returns how many; 0 for a surrogate or above 10FFFF.
 */
size_t utf8_put(char out[4], uint32_t cp);
/* How many characters a well-formed text has; of any other, its bytes that continue none. */
size_t utf8_count(struct str s);
/* The longest prefix of at most n bytes that does not end inside a sequence.  That holds for
 * the end of s too: with n == s.n it leaves out a sequence whose rest has not arrived yet. */
size_t utf8_floor(struct str s, size_t n);

/* Length of the well-formed sequence that starts at p (p < end), or 0.  Inline because text
 * that is not ASCII passes here character by character. */
static inline size_t
utf8_seq(const char *p, const char *end)
{
    const unsigned char *u = (const unsigned char *)p;
    size_t left = (size_t)(end - p);
    unsigned char c = u[0], lo = 0x80, hi = 0xbf;

    if (c < 0x80)
        return 1;
    if (c < 0xc2 || left < 2)
        return 0;
    if (c < 0xe0)
        return (u[1] & 0xc0) == 0x80 ? 2 : 0;
    if (c < 0xf0) {
        if (c == 0xe0)
            lo = 0xa0; /* below: overlong */
        else if (c == 0xed)
            hi = 0x9f; /* above: a surrogate */
        return left >= 3 && u[1] >= lo && u[1] <= hi && (u[2] & 0xc0) == 0x80 ? 3 : 0;
    }
    if (c > 0xf4)
        return 0;
    if (c == 0xf0)
        lo = 0x90; /* below: overlong */
    else if (c == 0xf4)
        hi = 0x8f; /* above: past U+10FFFF */
    return left >= 4 && u[1] >= lo && u[1] <= hi && (u[2] & 0xc0) == 0x80 &&
                   (u[3] & 0xc0) == 0x80
               ? 4
               : 0;
}

#endif
