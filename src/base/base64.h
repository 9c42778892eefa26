/* base64.h -- bytes as text that headers and identifiers may hold, and back. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stdbool.h>

#include "base/arena.h"
#include "triglot/str.h"

/* Room for n bytes, which must be fewer than SIZE_MAX / 2. */
#define BASE64URL_SIZE(n) (((n) / 3 + 1) * 4)

/* Writes the base64url of s without padding (RFC 4648 section 5) at out, which has room for
 * BASE64URL_SIZE(s.n) bytes; returns the place behind it. */
char *base64url_put(char *out, struct str s);

/* Reads what base64url_put writes; the bytes are the arena's.  False: something else stands
 * there, as padding, or bits of no byte that are set. */
bool base64url_get(struct arena *a, struct str s, struct str *ret);
/* The same of base64 as people send it: of either alphabet, padded or not, in lines or not. */
bool base64_get(struct arena *a, struct str s, struct str *ret);

#endif
