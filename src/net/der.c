/* der.c -- reads elements of DER, and never looks past what it was given. */
#include "net/der.h"

bool
der_next(struct str *in, unsigned *ret_tag, struct str *ret_body, struct str *ret_all)
{
    const unsigned char *p = (const unsigned char *)in->p;
    size_t head = 2, len;

    if (in->n < 2 || (p[0] & 0x1f) == 0x1f)
        return false;
    len = p[1];
    if (len >= 0x80) {
        size_t k = len & 0x7f;

        if (k == 0 || k > 3 || in->n < 2 + k)
            return false;
        len = 0;
        for (size_t i = 0; i < k; i++)
            len = len << 8 | p[2 + i];
        head += k;
    }
    if (len > in->n - head)
        return false;
    *ret_tag = p[0];
    *ret_body = str_of(in->p + head, len);
    if (ret_all)
        *ret_all = str_of(in->p, head + len);
    *in = str_from(*in, head + len);
    return true;
}

bool
der_take(struct str *in, unsigned tag, struct str *ret_body)
{
    struct str rest = *in, body;
    unsigned got;

    if (!der_next(&rest, &got, &body, NULL) || got != tag)
        return false;
    *in = rest;
    *ret_body = body;
    return true;
}
