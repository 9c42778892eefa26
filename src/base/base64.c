/* base64.c -- three bytes are four letters; what is left at the end is two or three. */
#include "base/base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

char *
base64url_put(char *out, struct str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    size_t n = s.p ? s.n : 0;

    for (; n >= 3; n -= 3, p += 3) {
        *out++ = digits[p[0] >> 2];
        *out++ = digits[(p[0] & 3) << 4 | p[1] >> 4];
        *out++ = digits[(p[1] & 15) << 2 | p[2] >> 6];
        *out++ = digits[p[2] & 63];
    }
    if (n == 0)
        return out;
    *out++ = digits[p[0] >> 2];
    if (n == 1) {
        *out++ = digits[(p[0] & 3) << 4];
    } else {
        *out++ = digits[(p[0] & 3) << 4 | p[1] >> 4];
        *out++ = digits[(p[1] & 15) << 2];
    }
    return out;
}
