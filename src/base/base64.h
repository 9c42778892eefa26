/* base64.h -- bytes as text that headers and identifiers may hold. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "triglot/str.h"

/* Room for n bytes, which must be fewer than SIZE_MAX / 2. */
#define BASE64URL_SIZE(n) (((n) / 3 + 1) * 4)

/* Writes the base64url of s without padding (RFC 4648 section 5) at out, which has room for
 * BASE64URL_SIZE(s.n) bytes; returns the place behind it. */
char *base64url_put(char *out, struct str s);

#endif
