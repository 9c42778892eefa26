/* x509.c -- a certificate read: what stands where in it.
 *
 * No recursion: the shape of a certificate is fixed.
 */
#include "net/x509.h"

#include "net/der.h"

static bool
digits2(const char *p, int *ret)
{
    if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
        return false;
    *ret = (p[0] - '0') * 10 + (p[1] - '0');
    return true;
}

/* Days from 1970-01-01 to a date of the Gregorian calendar. */
static int64_t
days_of(int64_t year, int month, int day)
{
    int64_t y = year - (month <= 2), era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static bool
read_time(struct str *in, int64_t *ret)
{
    struct str t;
    unsigned tag;
    int f[7] = {0}; /* century, year, month, day, hour, minute, second */
    int from;
    int64_t year;

    if (!der_next(in, &tag, &t, NULL))
        return false;
    if (tag == DER_UTCTIME && t.n == 13)
        from = 1;
    else if (tag == DER_GENTIME && t.n == 15)
        from = 0;
    else
        return false;
    for (int i = from; i < 7; i++)
        if (!digits2(t.p + 2 * (i - from), &f[i]))
            return false;
    if (t.p[t.n - 1] != 'Z' || f[2] < 1 || f[2] > 12 || f[3] < 1 || f[3] > 31 || f[4] > 23 ||
        f[5] > 59 || f[6] > 60)
        return false;
    /* RFC 5280 section 4.1.2.5.1: two digits are 1950 to 2049. */
    year = from == 0 ? f[0] * 100 + f[1] : f[1] + (f[1] >= 50 ? 1900 : 2000);
    *ret = days_of(year, f[2], f[3]) * 86400 + f[4] * 3600 + f[5] * 60 + f[6];
    return true;
}

static bool
oid_is(struct str oid, const char *bytes, size_t n)
{
    return str_eq(oid, str_of(bytes, n));
}
#define OID_IS(oid, lit) oid_is((oid), "" lit, sizeof(lit) - 1)

static void
read_signature(struct str oid, struct x509 *c)
{
    static const struct {
        const char *oid;
        size_t n;
        const char *hash;
        bool weak;
    } known[] = {
        {"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", 9, "SHA-256", false},
        {"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c", 9, "SHA-384", false},
        {"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d", 9, "SHA-512", false},
        {"\x2a\x86\x48\xce\x3d\x04\x03\x02", 8, "SHA-256", false},
        {"\x2a\x86\x48\xce\x3d\x04\x03\x03", 8, "SHA-384", false},
        {"\x2a\x86\x48\xce\x3d\x04\x03\x04", 8, "SHA-512", false},
        {"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05", 9, "SHA-1", true},
        {"\x2a\x86\x48\xce\x3d\x04\x01", 7, "SHA-1", true},
        {"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04", 9, "MD5", true},
        {"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x02", 9, "MD2", true},
        {"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a", 9, "RSA-PSS", false},
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (oid_is(oid, known[i].oid, known[i].n)) {
            c->hash = known[i].hash;
            c->weak_hash = known[i].weak;
            return;
        }
    }
}

/* Bits of an unsigned INTEGER's magnitude. */
static unsigned
integer_bits(struct str n)
{
    unsigned bits, top;

    while (n.n > 0 && n.p[0] == 0)
        n = str_from(n, 1);
    if (n.n == 0)
        return 0;
    bits = (unsigned)(n.n - 1) * 8;
    for (top = (unsigned char)n.p[0]; top; top >>= 1)
        bits++;
    return bits;
}

static bool
read_key(struct str spki, struct x509 *c)
{
    struct str algorithm, oid, bits, seq, n;

    if (!der_take(&spki, DER_SEQUENCE, &algorithm) || !der_take(&algorithm, DER_OID, &oid) ||
        !der_take(&spki, DER_BITS, &bits) || bits.n < 1)
        return false;
    bits = str_from(bits, 1);
    if (OID_IS(oid, "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01")) {
        if (!der_take(&bits, DER_SEQUENCE, &seq) || !der_take(&seq, DER_INTEGER, &n))
            return false;
        c->key = X509_RSA;
        c->key_bits = integer_bits(n);
    } else if (OID_IS(oid, "\x2a\x86\x48\xce\x3d\x02\x01")) {
        c->key = X509_EC;
        c->key_bits = bits.n > 1 ? (unsigned)(bits.n - 1) * 4 : 0;
        if (!der_take(&algorithm, DER_OID, &oid))
            return true;
        if (OID_IS(oid, "\x2a\x86\x48\xce\x3d\x03\x01\x07"))
            c->curve = "P-256";
        else if (OID_IS(oid, "\x2b\x81\x04\x00\x22"))
            c->curve = "P-384";
        else if (OID_IS(oid, "\x2b\x81\x04\x00\x23"))
            c->curve = "P-521";
    }
    return true;
}

static bool
read_usages(struct str value, struct x509 *c)
{
    struct str seq, oid;

    if (!der_take(&value, DER_SEQUENCE, &seq))
        return false;
    c->has_eku = true;
    while (seq.n > 0) {
        if (!der_take(&seq, DER_OID, &oid))
            return false;
        if (OID_IS(oid, "\x2b\x06\x01\x05\x05\x07\x03\x01") || OID_IS(oid, "\x55\x1d\x25\x00"))
            c->eku_server = true;
    }
    return true;
}

static bool
read_extension(struct str ext, struct x509 *c)
{
    struct str oid, value, seq, flag;

    if (!der_take(&ext, DER_OID, &oid))
        return false;
    (void)der_take(&ext, DER_BOOLEAN, &flag); /* critical: BearSSL's business */
    if (!der_take(&ext, DER_OCTETS, &value))
        return false;
    if (OID_IS(oid, "\x55\x1d\x11")) {
        if (!der_take(&value, DER_SEQUENCE, &c->san))
            return false;
        c->has_san = true;
    } else if (OID_IS(oid, "\x55\x1d\x13")) {
        if (!der_take(&value, DER_SEQUENCE, &seq))
            return false;
        c->ca = der_take(&seq, DER_BOOLEAN, &flag) && flag.n == 1 && flag.p[0] != 0;
    } else if (OID_IS(oid, "\x55\x1d\x25")) {
        return read_usages(value, c);
    }
    return true;
}

static bool
read_extensions(struct str tbs, struct x509 *c)
{
    struct str body, list, ext;
    unsigned tag;

    /* In front of them only the two unique identifiers may stand: [1] and [2]. */
    while (tbs.n > 0) {
        if (!der_next(&tbs, &tag, &body, NULL))
            return false;
        if (tag != DER_EXTENSIONS)
            continue;
        if (!der_take(&body, DER_SEQUENCE, &list))
            return false;
        while (list.n > 0)
            if (!der_take(&list, DER_SEQUENCE, &ext) || !read_extension(ext, c))
                return false;
    }
    return true;
}

tg_rc
x509_read(struct str der, struct x509 *ret)
{
    struct x509 c = {0};
    struct str cert, tbs, body, oid;
    unsigned tag;

    if (!der_take(&der, DER_SEQUENCE, &cert) || !der_take(&cert, DER_SEQUENCE, &tbs))
        return TG_EPROTO;
    if (!der_take(&cert, DER_SEQUENCE, &body) || !der_take(&body, DER_OID, &oid))
        return TG_EPROTO;
    read_signature(oid, &c);

    (void)der_take(&tbs, DER_VERSION, &body);
    if (!der_take(&tbs, DER_INTEGER, &body) || !der_take(&tbs, DER_SEQUENCE, &body) ||
        !der_next(&tbs, &tag, &body, &c.issuer) || tag != DER_SEQUENCE)
        return TG_EPROTO;
    if (!der_take(&tbs, DER_SEQUENCE, &body) || !read_time(&body, &c.not_before) ||
        !read_time(&body, &c.not_after))
        return TG_EPROTO;
    if (!der_next(&tbs, &tag, &body, &c.subject) || tag != DER_SEQUENCE ||
        !der_take(&tbs, DER_SEQUENCE, &body) || !read_key(body, &c) ||
        !read_extensions(tbs, &c))
        return TG_EPROTO;
    *ret = c;
    return TG_OK;
}
