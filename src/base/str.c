/* str.c -- the operations on borrowed text that are too long for the header. */
#include "triglot/str.h"

static unsigned char
lower(char c)
{
    unsigned char u = (unsigned char)c;

    return u >= 'A' && u <= 'Z' ? (unsigned char)(u + ('a' - 'A')) : u;
}

bool
str_ieq_n(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (a[i] != b[i] && lower(a[i]) != lower(b[i]))
            return false;
    }
    return true;
}

size_t
str_find(struct str s, char c)
{
    const char *at = s.n ? memchr(s.p, c, s.n) : NULL;

    return at ? (size_t)(at - s.p) : s.n;
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct str
str_trim(struct str s)
{
    while (s.n && is_blank(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

struct str
str_cut(struct str s, char sep, struct str *rest)
{
    size_t at = str_find(s, sep);

    /* s was taken by value, so rest may be the variable it came from. */
    *rest = at < s.n ? str_from(s, at + 1) : (struct str){NULL, 0};
    return str_of(s.p, at);
}

/* Does `s` hold `piece` at or after `from`?  Returns the offset, or s.n + 1. */
static size_t
find_piece(struct str s, size_t from, struct str piece)
{
    const char *at;

    if (piece.n == 0)
        return from;
    if (from >= s.n)
        return s.n + 1;
    at = memmem(s.p + from, s.n - from, piece.p, piece.n);
    return at ? (size_t)(at - s.p) : s.n + 1;
}

/* The text before the first star must begin s and the text after the last one must end it. Each
 * piece in between is taken where it is found first: an earlier place leaves more room for the
 * rest, so nothing is ever tried twice.  memmem is linear, hence so is the whole. */
bool
str_glob(struct str pattern, struct str s)
{
    struct str rest, piece = str_cut(pattern, '*', &rest);
    size_t at = piece.n;

    if (piece.n == pattern.n)
        return str_eq(pattern, s);
    if (!str_starts(s, piece))
        return false;
    for (;;) {
        size_t star = str_find(rest, '*');

        if (star == rest.n)
            return s.n - at >= rest.n && str_ends(s, rest);
        piece = str_of(rest.p, star);
        at = find_piece(s, at, piece);
        if (at > s.n)
            return false;
        at += piece.n;
        rest = str_from(rest, star + 1);
    }
}

bool
str_eq_const_time(struct str a, struct str b)
{
    unsigned char diff = 0;

    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++) {
        diff |= (unsigned char)(a.p[i] ^ b.p[i]);
        /* Without this the compiler could see that a set bit never clears and leave early. */
        __asm__ volatile("" : "+r"(diff));
    }
    return diff == 0;
}
