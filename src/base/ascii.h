/* ascii.h -- classes of ASCII characters, whatever the locale; bytes above 127 are in none. */
#ifndef BASE_ASCII_H
#define BASE_ASCII_H

#include <stdbool.h>

#include "triglot/str.h"

static inline bool
ascii_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool
ascii_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool
ascii_is_alnum(char c)
{
    return ascii_is_letter(c) || ascii_is_digit(c);
}

/* Letters, digits, '_' and '-': what names and ids may hold everywhere. */
static inline bool
ascii_is_word(char c)
{
    return ascii_is_alnum(c) || c == '_' || c == '-';
}

/* Words with dots in them: versions, codes, hosts. */
static inline bool
ascii_is_dotted(char c)
{
    return ascii_is_word(c) || c == '.';
}

/* Are all bytes of s such?  True of "". */
static inline bool
ascii_all(struct str s, bool (*is)(char c))
{
    for (size_t i = 0; i < s.n; i++)
        if (!is(s.p[i]))
            return false;
    return true;
}

#endif
