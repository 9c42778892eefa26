/* utf8.c -- validating, writing and cutting UTF-8.
 *
 * Eight ASCII bytes are recognised at once; everything else goes through utf8_seq, which has
 * the whole table of well-formed sequences (Unicode, table 3-7) in its comparisons.
 */
#include "base/utf8.h"

bool
utf8_valid(struct str s)
{
    const char *p = s.p, *end;

    if (s.n == 0)
        return true;
    end = p + s.n;
    while (p < end) {
        uint64_t eight;
        size_t n;

        if (end - p >= 8) {
            memcpy(&eight, p, 8);
            if (!(eight & UINT64_C(0x8080808080808080))) {
                p += 8;
                continue;
            }
        }
        n = utf8_seq(p, end);
        if (n == 0)
            return false;
        p += n;
    }
    return true;
}

size_t
utf8_count(struct str s)
{
    const char *p = s.p, *end = p + s.n;
    size_t n = s.n;

    for (; end - p >= 8; p += 8) {
        uint64_t v;

        memcpy(&v, p, 8);
        v = v >> 7 & ~v >> 6 & UINT64_C(0x0101010101010101); /* one in each that continues */
        n -= v * UINT64_C(0x0101010101010101) >> 56;
    }
    for (; p < end; p++)
        n -= ((unsigned char)*p & 0xc0) == 0x80;
    return n;
}

size_t
utf8_put(char out[4], uint32_t cp)
{
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    if (cp < 0x800) {
        out[0] = (char)(0xc0 | cp >> 6);
        out[1] = (char)(0x80 | (cp & 0x3f));
        return 2;
    }
    if (cp < 0x10000) {
        if (cp >= 0xd800 && cp < 0xe000)
            return 0;
        out[0] = (char)(0xe0 | cp >> 12);
        out[1] = (char)(0x80 | (cp >> 6 & 0x3f));
        out[2] = (char)(0x80 | (cp & 0x3f));
        return 3;
    }
    if (cp > 0x10ffff)
        return 0;
    out[0] = (char)(0xf0 | cp >> 18);
    out[1] = (char)(0x80 | (cp >> 12 & 0x3f));
    out[2] = (char)(0x80 | (cp >> 6 & 0x3f));
    out[3] = (char)(0x80 | (cp & 0x3f));
    return 4;
}

/* How long a sequence that starts with c wants to be; 1 for what cannot start a longer one. */
static size_t
wanted(unsigned char c)
{
    if (c >= 0xc2 && c < 0xe0)
        return 2;
    if (c >= 0xe0 && c < 0xf0)
        return 3;
    return c >= 0xf0 && c <= 0xf4 ? 4 : 1;
}

size_t
utf8_floor(struct str s, size_t n)
{
    if (n > s.n)
        n = s.n;
    for (size_t back = 1; back <= 3 && back <= n; back++) {
        unsigned char c = (unsigned char)s.p[n - back];

        if ((c & 0xc0) != 0x80)
            return wanted(c) > back ? n - back : n;
    }
    return n;
}
