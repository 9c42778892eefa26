/* skip.c -- getting past an object or array without looking inside.
 *
 * Brackets are counted, those in strings are not.  With SSE2 the text is taken in blocks of 64
 * bytes, and a block becomes four words with one bit a byte: quotes, backslashes, opening and
 * closing brackets.  Quotes behind a backslash are struck out; the running parity of the others
 * tells which bytes are inside a string.  What is left to do is a step for each bracket,
 * however many members and strings there are, which is what makes this faster than going from
 * token to token (tool schemas are hardly anything but tokens).
 *
 * The last block is copied and filled with blanks, so nothing is read past the end.
 */
#include "json/scan_int.h"

const char *
json_skip_nested_plain(const char *p, const char *end)
{
    size_t depth = 0;

    for (;;) {
        bool escapes;

        p = json_find_bracket(p, end);
        if (p == end)
            return NULL;
        if (*p == '"') {
            p = json_skip_string(p + 1, end, &escapes);
            if (!p)
                return NULL;
            continue;
        }
        depth += (*p | 0x20) == '{' ? 1 : (size_t)-1;
        p++;
        if (depth == 0)
            return p;
    }
}

#ifdef __SSE2__

enum { BLOCK = 64 };

struct masks {
    uint64_t quote, backslash, open, close;
};

static inline uint64_t
mask_of(__m128i equal, int part)
{
    return (uint64_t)(unsigned)_mm_movemask_epi8(equal) << (16 * part);
}

static inline struct masks
read_block(const char *p)
{
    struct masks m = {0, 0, 0, 0};

    for (int i = 0; i < BLOCK / 16; i++) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
        __m128i folded = _mm_or_si128(v, _mm_set1_epi8(0x20)); /* [ to {, ] to } */

        m.quote |= mask_of(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')), i);
        m.backslash |= mask_of(_mm_cmpeq_epi8(v, _mm_set1_epi8('\\')), i);
        m.open |= mask_of(_mm_cmpeq_epi8(folded, _mm_set1_epi8('{')), i);
        m.close |= mask_of(_mm_cmpeq_epi8(folded, _mm_set1_epi8('}')), i);
    }
    return m;
}

/* The bytes that a backslash takes the meaning from.  *carry: the first byte of this block is
 * one, and then whether the first of the next is. */
static inline uint64_t
escaped(uint64_t backslash, uint64_t *carry)
{
    uint64_t found = *carry;

    backslash &= ~*carry;
    *carry = 0;
    while (backslash) {
        uint64_t bit = backslash & -backslash;

        found |= bit << 1;
        *carry = bit >> 63;
        backslash &= ~(bit | bit << 1);
    }
    return found;
}

/* Bit i of the result is the parity of bits 0 to i. */
static inline uint64_t
parity_upto(uint64_t v)
{
    for (int shift = 1; shift < 64; shift *= 2)
        v ^= v << shift;
    return v;
}

const char *
json_skip_nested(const char *p, const char *end)
{
    uint64_t in_string = 0,
             carry = 0; /* in_string: all ones when the last block ended in one */
    size_t depth = 0;

    if (end - p >= 2 && p[1] == *p + 2)
        return p + 2; /* {} or [] */
    for (; p < end; p += BLOCK) {
        uint64_t strings, both;
        struct masks m;
        size_t n;

        if (in_string && !carry) { /* maybe a long one: nothing in it matters */
            p = json_find_quote(p, end);
            if (p == end)
                break;
        }
        n = (size_t)(end - p);
        if (n >= BLOCK) {
            m = read_block(p);
        } else {
            char last[BLOCK];

            memset(last, ' ', BLOCK);
            memcpy(last, p, n);
            m = read_block(last);
        }
        strings = parity_upto(m.quote & ~escaped(m.backslash, &carry)) ^ in_string;
        in_string = 0 - (strings >> 63);
        m.open &= ~strings;
        m.close &= ~strings;
        for (both = m.open | m.close; both; both &= both - 1) {
            depth += m.open & both & -both ? 1 : (size_t)-1;
            if (depth == 0)
                return p + __builtin_ctzll(both) + 1;
        }
        if (n <= BLOCK)
            break;
    }
    return NULL;
}

#else

const char *
json_skip_nested(const char *p, const char *end)
{
    return json_skip_nested_plain(p, end);
}

#endif
