/* num.c -- numbers from text, and their digits.
 *
 * The whole input is looked at before a verdict: text that is not a number is TG_EINVAL even
 * when it begins with more digits than fit, because the caller's words to the peer differ.
 */
#include "base/num.h"

#include <stdbool.h>

static bool
all_digits(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    }
    return s.n > 0;
}

/* s is all digits. */
static bool
add_digits(struct str s, uint64_t *v)
{
    for (size_t i = 0; i < s.n; i++) {
        if (__builtin_mul_overflow(*v, 10, v) ||
            __builtin_add_overflow(*v, (uint64_t)(s.p[i] - '0'), v))
            return false;
    }
    return true;
}

tg_rc
num_u64(struct str s, uint64_t max, uint64_t *ret)
{
    uint64_t v = 0;

    if (!all_digits(s))
        return TG_EINVAL;
    if (!add_digits(s, &v) || v > max)
        return TG_ELIMIT;
    *ret = v;
    return TG_OK;
}

tg_rc
num_i64(struct str s, int64_t *ret)
{
    bool minus = s.n > 0 && s.p[0] == '-';
    uint64_t v;
    tg_rc rc = num_u64(minus ? str_from(s, 1) : s, (uint64_t)INT64_MAX + minus, &v);

    if (rc != TG_OK)
        return rc;
    *ret = minus ? (int64_t)(0 - v) : (int64_t)v;
    return TG_OK;
}

tg_rc
num_milli(struct str s, uint64_t max, uint64_t *ret)
{
    size_t point = str_find(s, '.');
    struct str whole = str_of(s.p, point), part = str_from(s, point + 1);
    uint64_t v = 0;

    if (!all_digits(whole) || (point < s.n && !all_digits(part)))
        return TG_EINVAL;
    if (!add_digits(whole, &v))
        return TG_ELIMIT;
    for (size_t i = 0; i < 3; i++) {
        struct str digit = i < part.n ? str_of(part.p + i, 1) : STR("0");

        if (!add_digits(digit, &v))
            return TG_ELIMIT;
    }
    if (v > max)
        return TG_ELIMIT;
    *ret = v;
    return TG_OK;
}

char *
num_digits(char *end, uint64_t v, unsigned least)
{
    char *p = end;

    for (; v > 0 || (size_t)(end - p) < least; v /= 10)
        *--p = (char)('0' + v % 10);
    return p;
}
