/* num.h -- numbers from text, strictly: no sign unless stated, no space, no overflow, whole
 * input; and their digits. */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include <stdint.h>

#include "triglot/rc.h"
#include "triglot/str.h"

/* Decimal digits only, at least one; TG_EINVAL otherwise, TG_ELIMIT above max.  Leading zeros
 * are allowed. */
TG_MUST_USE tg_rc num_u64(struct str s, uint64_t max, uint64_t *ret);
/* One optional '-' then digits.  TG_EINVAL, TG_ELIMIT. */
TG_MUST_USE tg_rc num_i64(struct str s, int64_t *ret);
/* A decimal fraction such as "0.25" or "15" (digits, at most one point with digits on both
 * sides, no exponent), in thousandths: "0.25" gives 250.  Digits past the third are cut.  max
 * is in thousandths too.  TG_EINVAL, TG_ELIMIT. */
TG_MUST_USE tg_rc num_milli(struct str s, uint64_t max, uint64_t *ret);

/* The value of a hexadecimal digit, -1 for any other character. */
static inline int
num_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum { NUM_DIGITS = 20 }; /* most that num_digits needs, unless more are asked for */
/* Writes the decimal digits of v before end, at least so many of them; returns where they
 * begin.  Async-signal-safe. */
char *num_digits(char *end, uint64_t v, unsigned least);

#endif
