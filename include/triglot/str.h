/* str.h -- borrowed text: a pointer and a length.
 *
 * A str never owns its bytes, need not be valid UTF-8 and may hold NUL.  Whoever passes one
 * says how long the bytes live.  NUL-terminated text exists only where libc wants it.
 */
#ifndef TRIGLOT_STR_H
#define TRIGLOT_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct str {
    const char *p; /* NULL only when n is 0 */
    size_t n;
};

/* A str of a string literal. */
#define STR(lit) ((struct str){"" lit, sizeof(lit) - 1})

/* printf("%.*s", STR_ARG(s)) */
#define STR_ARG(s) (int)(s).n, (s).p ? (s).p : ""

static inline struct str
str_of(const char *p, size_t n)
{
    return (struct str){p, n};
}

/* Borrows a NUL-terminated string; NULL gives the empty str. */
static inline struct str
str_z(const char *z)
{
    return (struct str){z, z ? strlen(z) : 0};
}

static inline bool
str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool
str_starts(struct str s, struct str prefix)
{
    return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

static inline bool
str_ends(struct str s, struct str suffix)
{
    return s.n >= suffix.n &&
           (suffix.n == 0 || memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

/* The part from byte `from` on; empty when from is past the end. */
static inline struct str
str_from(struct str s, size_t from)
{
    return from >= s.n ? (struct str){NULL, 0} : (struct str){s.p + from, s.n - from};
}

/* src/base/str.c */

/* str_ieq of two that have one length. */
bool str_ieq_n(const char *a, const char *b, size_t n);
/* ASCII case-insensitive equality (header names, tokens). */
static inline bool
str_ieq(struct str a, struct str b)
{
    return a.n == b.n && str_ieq_n(a.p, b.p, a.n);
}
/* Byte offset of the first c, or s.n. */
size_t str_find(struct str s, char c);
/* Without leading and trailing spaces and tabs. */
struct str str_trim(struct str s);
/* Cuts at the first `sep`: returns what stands before it, *rest becomes what stands after it
 * (empty when there was no separator). */
struct str str_cut(struct str s, char sep, struct str *rest);
/* Glob match where '*' stands for any run of bytes; nothing else is special.  Linear time. */
bool str_glob(struct str pattern, struct str s);
/* Comparison that takes the same time wherever two equally long strings differ. */
bool str_eq_const_time(struct str a, struct str b);

#endif
