/* value.c -- what a scalar's bytes stand for.
 *
 * Numbers are read from their decimal digits, not by way of a double: an integer is exact or
 * refused.  For that a number is taken apart into its significant digits (without leading and
 * trailing zeros) and a power of ten.
 */
#include "json/scan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "json/scan_int.h"

struct str
json_trim(struct str value)
{
    while (value.n && json_is_space(value.p[0])) {
        value.p++;
        value.n--;
    }
    while (value.n && json_is_space(value.p[value.n - 1]))
        value.n--;
    return value;
}

/* Four hexadecimal digits at p, or UINT32_MAX. */
static uint32_t
read_hex4(const char *p, const char *end)
{
    uint32_t v = 0;

    if (end - p < 4)
        return UINT32_MAX;
    for (int i = 0; i < 4; i++) {
        unsigned char digit = (unsigned char)(p[i] - '0');
        unsigned char letter = (unsigned char)((p[i] | 0x20) - 'a');

        if (digit >= 10 && letter >= 6)
            return UINT32_MAX;
        v = v << 4 | (digit < 10 ? digit : letter + 10u);
    }
    return v;
}

/* p is at "\u".  Writes the character to out and returns its length; *ret_p goes behind the
 * escape, or the pair of escapes for a character beyond U+FFFF.  0: malformed or half a pair.
 */
static size_t
read_unicode(const char *p, const char *end, char out[4], const char **ret_p)
{
    uint32_t cp = read_hex4(p + 2, end), low;

    if (cp == UINT32_MAX)
        return 0;
    *ret_p = p + 6;
    if (cp < 0xd800 || cp > 0xdbff)
        return utf8_put(out, cp);
    p += 6;
    if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
        return 0;
    low = read_hex4(p + 2, end);
    if (low < 0xdc00 || low > 0xdfff)
        return 0;
    *ret_p = p + 6;
    return utf8_put(out, 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00));
}

/* p is at a backslash, end the end of the string's inside.  As read_unicode. */
static size_t
read_escape(const char *p, const char *end, char out[4], const char **ret_p)
{
    static const char plain[256] = {['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
                                    ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t'};

    if (end - p < 2)
        return 0;
    if (p[1] == 'u')
        return read_unicode(p, end, out, ret_p);
    out[0] = plain[(unsigned char)p[1]];
    *ret_p = p + 2;
    return out[0] ? 1 : 0;
}

bool
json_key_spells(struct str raw_key, struct str name)
{
    const char *p, *end;
    size_t at = 0;

    /* An escape is longer than what it stands for, so a key as long as the name has none,
     * unless it is another key. */
    if (raw_key.n < name.n)
        return false;
    if (raw_key.n == name.n && !str_eq(raw_key, name))
        return false;
    if (str_find(raw_key, '\\') == raw_key.n)
        return raw_key.n == name.n;
    p = raw_key.p;
    end = p + raw_key.n;
    while (p < end) {
        char out[4] = {*p};
        size_t n = 1;

        if (*p == '\\')
            n = read_escape(p, end, out, &p);
        else
            p++;
        if (n == 0 || n > name.n - at || memcmp(out, name.p + at, n) != 0)
            return false;
        at += n;
    }
    return at == name.n;
}

tg_rc
json_string(struct arena *a, struct str value, struct str *ret)
{
    struct str in = json_trim(value);
    const char *p, *end;
    bool escapes;
    char *text;
    size_t n = 0;

    if (in.n < 2 || in.p[0] != '"')
        return TG_EINVAL;
    end = in.p + in.n;
    if (json_skip_string(in.p + 1, end, &escapes) != end)
        return TG_EINVAL;
    p = in.p + 1;
    end--;
    if (!escapes) {
        *ret = str_of(p, (size_t)(end - p));
        return TG_OK;
    }
    text = arena_alloc(a, (size_t)(end - p), 1);
    while (p < end) {
        const char *stop = json_find_quote(p, end);
        size_t k = (size_t)(stop - p);

        memcpy(text + n, p, k);
        n += k;
        p = stop;
        if (p < end) {
            char out[4];

            k = read_escape(p, end, out, &p);
            if (k == 0)
                return TG_EINVAL;
            memcpy(text + n, out, k);
            n += k;
        }
    }
    *ret = str_of(text, n);
    return TG_OK;
}

tg_rc
json_bool(struct str value, bool *ret)
{
    value = json_trim(value);
    if (str_eq(value, STR("true")))
        *ret = true;
    else if (str_eq(value, STR("false")))
        *ret = false;
    else
        return TG_EINVAL;
    return TG_OK;
}

/* More significant digits than any double needs to be read exactly (767), and a few. */
enum { DIGITS_MAX = 780 };

struct decimal {
    bool minus;
    bool more;  /* digits past DIGITS_MAX that are not all zero were left out */
    unsigned n; /* digits[0 .. n), the first and (unless more) the last not '0'; 0 for zero */
    int64_t power; /* value = digits * 10^power */
    char digits[DIGITS_MAX];
};

/* The exponent's value, held within what the length of no text can make up for. */
static int64_t
read_exponent(const char *p, const char *end)
{
    bool minus = p < end && *p == '-';
    int64_t v = 0;

    if (p < end && (*p == '-' || *p == '+'))
        p++;
    for (; p < end; p++) {
        if (v < INT64_C(1) << 50)
            v = v * 10 + (*p - '0');
    }
    return minus ? -v : v;
}

static void
add_digit(struct decimal *d, char digit, bool in_fraction)
{
    if (d->n == 0 && digit == '0') {
        d->power -= in_fraction;
        return;
    }
    if (d->n < DIGITS_MAX) {
        d->digits[d->n++] = digit;
        d->power -= in_fraction;
        return;
    }
    d->more |= digit != '0';
    d->power += !in_fraction;
}

static tg_rc
read_decimal(struct str value, struct decimal *d)
{
    const char *p, *end;
    bool in_fraction = false;

    value = json_trim(value);
    if (value.n == 0)
        return TG_EINVAL;
    p = value.p;
    end = p + value.n;
    if (json_skip_number(p, end) != end)
        return TG_EINVAL;
    d->minus = *p == '-';
    d->more = false;
    d->n = 0;
    d->power = 0;
    for (p += d->minus; p < end && *p != 'e' && *p != 'E'; p++) {
        if (*p == '.')
            in_fraction = true;
        else
            add_digit(d, *p, in_fraction);
    }
    if (p < end)
        d->power += read_exponent(p + 1, end);
    while (!d->more && d->n > 0 && d->digits[d->n - 1] == '0') {
        d->n--;
        d->power++;
    }
    return TG_OK;
}

/* What nearly all integers are: a few digits and nothing else. */
static bool
read_plain(struct str value, int64_t *ret)
{
    int64_t v = 0;

    if (value.n == 0 || value.n > 18 || (value.p[0] == '0' && value.n > 1))
        return false;
    for (size_t i = 0; i < value.n; i++) {
        unsigned char digit = (unsigned char)(value.p[i] - '0');

        if (digit > 9)
            return false;
        v = v * 10 + digit;
    }
    *ret = v;
    return true;
}

tg_rc
json_i64(struct str value, int64_t *ret)
{
    struct decimal d;
    uint64_t v = 0;
    tg_rc rc;

    if (read_plain(value, ret))
        return TG_OK;
    rc = read_decimal(value, &d);
    if (rc != TG_OK)
        return rc;
    if (d.n > 0 && d.power < 0)
        return TG_EINVAL;
    if (d.n > 0) {
        if (d.more || d.power > 19 || (int64_t)d.n + d.power > 19)
            return TG_ELIMIT;
        for (unsigned i = 0; i < d.n; i++)
            v = v * 10 + (uint64_t)(d.digits[i] - '0');
        for (int64_t i = 0; i < d.power; i++)
            v *= 10;
    }
    if (v > (uint64_t)INT64_MAX + d.minus)
        return TG_ELIMIT;
    *ret = d.minus ? (int64_t)(0 - v) : (int64_t)v;
    return TG_OK;
}

/* strtod gets an integer and an exponent: no point, so no locale has a say. */
tg_rc
json_double(struct str value, double *ret)
{
    struct decimal d;
    char text[DIGITS_MAX + 32], *p = text;
    int64_t power;
    double v;
    tg_rc rc = read_decimal(value, &d);

    if (rc != TG_OK)
        return rc;
    if (d.minus)
        *p++ = '-';
    if (d.n == 0)
        *p++ = '0';
    memcpy(p, d.digits, d.n);
    p += d.n;
    power = d.n ? d.power : 0;
    if (d.more) {
        /* Any digit behind the 780th only says "a little more than this". */
        *p++ = '1';
        power--;
    }
    if (power > 99999)
        power = 99999;
    else if (power < -99999)
        power = -99999;
    snprintf(p, (size_t)(text + sizeof text - p), "e%d", (int)power);
    v = strtod(text, NULL);
    if (!isfinite(v))
        return TG_ELIMIT;
    *ret = v;
    return TG_OK;
}
