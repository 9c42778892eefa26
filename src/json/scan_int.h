/* scan_int.h -- what the files of this folder share: finding the next byte that
 * matters.
 *
 * Nearly all bytes of a request or a stream event are the inside of strings, so the speed of
 * everything here is the speed of running over bytes that mean nothing.  Sixteen at a time with
 * SSE2 where the compiler has it (every x86-64), eight at a time in a 64-bit word elsewhere and
 * for the last bytes.  Nothing is ever read at or past `end`.
 *
 * Three sets of bytes are looked for:
 *   special   the quote, the backslash, below 0x20, above 0x7f    (checking and writing
 * strings) quote     the quote, the backslash                            (skipping checked
 * strings) bracket   the quote, brackets and braces                      (skipping whole
 * values)
 */
#ifndef JSON_SCAN_INT_H
#define JSON_SCAN_INT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "triglot/str.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define JSON_ONES  (~UINT64_C(0) / 255) /* 0x01 in every byte */
#define JSON_HIGHS (JSON_ONES * 0x80)

/* The bit 0x80 of every byte of v that equals c.  A borrow may add bits above the lowest true
 * one, never below it, and only the lowest is used. */
static inline uint64_t
json_word_eq(uint64_t v, unsigned char c)
{
    uint64_t x = v ^ (JSON_ONES * c);

    return (x - JSON_ONES) & ~x & JSON_HIGHS;
}

static inline uint64_t
json_word_special(uint64_t v)
{
    uint64_t control = (v - JSON_ONES * 0x20) & ~v & JSON_HIGHS;

    return json_word_eq(v, '"') | json_word_eq(v, '\\') | control | (v & JSON_HIGHS);
}

static inline uint64_t
json_word_quote(uint64_t v)
{
    return json_word_eq(v, '"') | json_word_eq(v, '\\');
}

/* Brackets and braces differ from each other by the bit 0x20 alone. */
static inline uint64_t
json_word_bracket(uint64_t v)
{
    uint64_t folded = v | JSON_ONES * 0x20;

    return json_word_eq(folded, '{') | json_word_eq(folded, '}') | json_word_eq(v, '"');
}

/* The first eight bytes with the first one lowest. */
static inline uint64_t
json_load(const char *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof v);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

static inline bool
json_byte_special(unsigned char c)
{
    return c == '"' || c == '\\' || c < 0x20 || c > 0x7f;
}

static inline bool
json_byte_quote(unsigned char c)
{
    return c == '"' || c == '\\';
}

static inline bool
json_byte_bracket(unsigned char c)
{
    return (c | 0x20) == '{' || (c | 0x20) == '}' || c == '"';
}

#ifdef __SSE2__
static inline unsigned
json_wide_special(__m128i v)
{
    /* Seen as signed, bytes above 0x7f are below 0x20 too. */
    __m128i m = _mm_cmplt_epi8(v, _mm_set1_epi8(0x20));

    m = _mm_or_si128(m, _mm_cmpeq_epi8(v, _mm_set1_epi8('"')));
    m = _mm_or_si128(m, _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
    return (unsigned)_mm_movemask_epi8(m);
}

static inline unsigned
json_wide_quote(__m128i v)
{
    __m128i m = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));

    m = _mm_or_si128(m, _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
    return (unsigned)_mm_movemask_epi8(m);
}

static inline unsigned
json_wide_bracket(__m128i v)
{
    __m128i folded = _mm_or_si128(v, _mm_set1_epi8(0x20));
    __m128i m = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));

    m = _mm_or_si128(m, _mm_cmpeq_epi8(folded, _mm_set1_epi8('{')));
    m = _mm_or_si128(m, _mm_cmpeq_epi8(folded, _mm_set1_epi8('}')));
    return (unsigned)_mm_movemask_epi8(m);
}

#define JSON_FIND_WIDE(set)                                                                    \
    for (; end - p >= 16; p += 16) {                                                           \
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);                         \
        unsigned found = json_wide_##set(v);                                                   \
                                                                                               \
        if (found)                                                                             \
            return p + __builtin_ctz(found);                                                   \
    }
#else
#define JSON_FIND_WIDE(set)
#endif

/* json_find_<set>(p, end): the first byte of the set in [p, end), or end.  json_findw_<set> is
 * the same without SSE2, so that a test on any machine can compare the two. */
#define JSON_FIND(set)                                                                         \
    static inline const char *json_findw_##set(const char *p, const char *end)                 \
    {                                                                                          \
        for (; end - p >= 8; p += 8) {                                                         \
            uint64_t found = json_word_##set(json_load(p));                                    \
                                                                                               \
            if (found)                                                                         \
                return p + __builtin_ctzll(found) / 8;                                         \
        }                                                                                      \
        while (p < end && !json_byte_##set((unsigned char)*p))                                 \
            p++;                                                                               \
        return p;                                                                              \
    }                                                                                          \
    static inline const char *json_find_##set(const char *p, const char *end)                  \
    {                                                                                          \
        JSON_FIND_WIDE(set)                                                                    \
        return json_findw_##set(p, end);                                                       \
    }

JSON_FIND(special)
JSON_FIND(quote)
JSON_FIND(bracket)

static inline bool
json_is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* Mostly there is none, and that is one comparison. */
static inline const char *
json_skip_space(const char *p, const char *end)
{
    while (p < end && (unsigned char)*p <= ' ' && json_is_space(*p))
        p++;
    return p;
}

/* p is behind the opening quote of a string: the place behind the closing one, or NULL.  Says
 * in *ret_escapes whether a backslash was met.  Looks at neither escapes nor UTF-8. */
static inline const char *
json_skip_string(const char *p, const char *end, bool *ret_escapes)
{
    *ret_escapes = false;
    for (;;) {
        p = json_find_quote(p, end);
        if (p == end)
            return NULL;
        if (*p == '"')
            return p + 1;
        *ret_escapes = true;
        if (end - p < 2)
            return NULL;
        p += 2;
    }
}

static inline const char *
json_skip_digits(const char *p, const char *end)
{
    while (p < end && (unsigned char)(*p - '0') < 10)
        p++;
    return p;
}

/* Behind the number that starts at p (RFC 8259 section 6), or NULL. */
static inline const char *
json_skip_number(const char *p, const char *end)
{
    const char *from;

    if (p < end && *p == '-')
        p++;
    from = p;
    p = json_skip_digits(p, end);
    if (p == from || (*from == '0' && p - from > 1))
        return NULL;
    if (p < end && *p == '.') {
        from = ++p;
        p = json_skip_digits(p, end);
        if (p == from)
            return NULL;
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < end && (*p == '+' || *p == '-'))
            p++;
        from = p;
        p = json_skip_digits(p, end);
        if (p == from)
            return NULL;
    }
    return p;
}

/* Behind null, true or false when it stands at p, else NULL. */
static inline const char *
json_skip_word(const char *p, const char *end)
{
    struct str rest = {p, (size_t)(end - p)};

    if (str_starts(rest, STR("null")) || str_starts(rest, STR("true")))
        return p + 4;
    return str_starts(rest, STR("false")) ? p + 5 : NULL;
}

/* p is at an opening bracket: the place behind the one that closes it, or NULL (skip.c).  The
 * text was checked; on another one the answer may be any place in it.  json_skip_nested_plain
 * is the same without SSE2, for a test to compare. */
const char *json_skip_nested(const char *p, const char *end);
const char *json_skip_nested_plain(const char *p, const char *end);

/* The value without white space around it (value.c). */
struct str json_trim(struct str value);

#endif
