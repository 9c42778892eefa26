/* record.c -- the parts of writing records that are not worth a copy in every caller. */
#include "dialect/record.h"

#include "base/num.h"

void
record_uint(struct record *r, uint64_t v)
{
    char text[NUM_DIGITS], *end = text + sizeof text, *p = num_digits(end, v, 1);

    record_put(r, str_of(p, (size_t)(end - p)));
}

void
record_raw(struct record *r, struct str value)
{
    while (value.n && r->rc == TG_OK) {
        size_t n = 0;

        while (n < value.n && value.p[n] != '\n' && value.p[n] != '\r')
            n++;
        record_put(r, str_of(value.p, n));
        if (n < value.n)
            record_put(r, STR(" "));
        value = str_from(value, n + 1);
    }
}

tg_rc
record_end(struct record *r, tg_rc rc)
{
    if (rc == TG_OK)
        rc = r->rc;
    if (rc != TG_OK)
        buf_truncate(r->b, r->before);
    return rc;
}
