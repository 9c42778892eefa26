/* base64.c -- three bytes are four digits; what is left at the end is two or three. */
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

/* The value of a digit of either alphabet, or -1. */
static int
value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '-' || c == '+' ? 62 : c == '_' || c == '/' ? 63 : -1;
}

/* Bytes read so far, and bits that have not yet made one. */
struct reader {
    char *start, *to;
    unsigned bits, n;
};

static struct reader
begin(struct arena *a, struct str s)
{
    char *start = arena_alloc(a, s.n / 4 * 3 + 3, 1);

    return (struct reader){.start = start, .to = start};
}

static bool
add(struct reader *r, char c)
{
    int v = value(c);

    if (v < 0)
        return false;
    r->bits = (r->bits << 6 | (unsigned)v) & 0xfff;
    r->n += 6;
    if (r->n >= 8) {
        r->n -= 8;
        *r->to++ = (char)(r->bits >> r->n & 0xff);
    }
    return true;
}

static struct str
bytes_of(const struct reader *r)
{
    return str_of(r->start, (size_t)(r->to - r->start));
}

bool
base64url_get(struct arena *a, struct str s, struct str *ret)
{
    struct reader r;

    if (s.n % 4 == 1)
        return false;
    r = begin(a, s);
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '+' || s.p[i] == '/' || !add(&r, s.p[i]))
            return false;
    *ret = bytes_of(&r);
    return (r.bits & ((1u << r.n) - 1)) == 0;
}

bool
base64_get(struct arena *a, struct str s, struct str *ret)
{
    struct reader r = begin(a, s);

    while (s.n && s.p[s.n - 1] == '=')
        s.n--;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != '\r' && s.p[i] != '\n' && !add(&r, s.p[i]))
            return false;
    *ret = bytes_of(&r);
    return true;
}
