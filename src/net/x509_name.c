/* x509_name.c -- the names in a certificate: which hosts they cover, and certificates in words.
 */
#include <stdio.h>

#include "net/der.h"
#include "net/x509.h"

static bool
name_covers(struct str pattern, struct str host)
{
    struct str parent;

    if (!str_starts(pattern, STR("*.")))
        return pattern.n > 0 && str_ieq(pattern, host);
    pattern = str_from(pattern, 2);
    if (str_find(pattern, '.') == pattern.n || str_find(pattern, '*') < pattern.n)
        return false;
    if (str_find(host, '.') == 0)
        return false;
    parent = str_from(host, str_find(host, '.') + 1);
    return parent.n > 0 && str_ieq(pattern, parent);
}

bool
x509_covers(const struct x509 *c, struct str host)
{
    struct str rest = c->san, name;
    unsigned tag;

    if (str_ends(host, STR(".")))
        host.n--;
    while (rest.n > 0 && der_next(&rest, &tag, &name, NULL))
        if (tag == DER_DNSNAME && name_covers(name, host))
            return true;
    return false;
}

/* Appends what fits, printable ASCII only, and keeps the text terminated. */
static void
add_text(char *out, size_t n, size_t *at, struct str s)
{
    for (size_t i = 0; i < s.n && *at + 1 < n; i++) {
        unsigned char ch = (unsigned char)s.p[i];

        out[(*at)++] = ch >= ' ' && ch < 127 ? (char)ch : '?';
    }
    if (n > 0)
        out[*at < n ? *at : n - 1] = '\0';
}

void
x509_names_text(const struct x509 *c, char *out, size_t n)
{
    struct str rest = c->san, name;
    size_t at = 0;
    unsigned tag;

    add_text(out, n, &at, STR(""));
    while (rest.n > 0 && der_next(&rest, &tag, &name, NULL)) {
        if (tag != DER_DNSNAME)
            continue;
        if (at + name.n + 8 > n) {
            add_text(out, n, &at, STR(", ..."));
            break;
        }
        if (at > 0)
            add_text(out, n, &at, STR(", "));
        add_text(out, n, &at, name);
    }
    if (at == 0)
        add_text(out, n, &at, STR("none"));
}

static const char *
attribute_name(struct str oid)
{
    if (oid.n == 3 && oid.p[0] == 0x55 && oid.p[1] == 0x04) {
        switch (oid.p[2]) {
        case 3:
            return "CN";
        case 6:
            return "C";
        case 7:
            return "L";
        case 8:
            return "ST";
        case 10:
            return "O";
        case 11:
            return "OU";
        default:
            break;
        }
    }
    return NULL;
}

void
x509_dn_text(struct str dn, char *out, size_t n)
{
    struct str names, set, pair, oid, value;
    const char *label;
    size_t at = 0;
    unsigned tag;

    add_text(out, n, &at, STR(""));
    if (!der_take(&dn, DER_SEQUENCE, &names))
        return;
    while (names.n > 0 && der_take(&names, DER_SET, &set)) {
        while (set.n > 0 && der_take(&set, DER_SEQUENCE, &pair)) {
            if (!der_take(&pair, DER_OID, &oid) || !der_next(&pair, &tag, &value, NULL))
                return;
            label = attribute_name(oid);
            if (!label || tag == DER_BMPSTRING)
                continue;
            if (at > 0)
                add_text(out, n, &at, STR(", "));
            add_text(out, n, &at, str_z(label));
            add_text(out, n, &at, STR("="));
            add_text(out, n, &at, value);
        }
    }
}

void
x509_key_text(const struct x509 *c, char *out, size_t n)
{
    if (c->key == X509_RSA)
        snprintf(out, n, "RSA %u", c->key_bits);
    else if (c->key == X509_EC && c->curve)
        snprintf(out, n, "EC %s", c->curve);
    else if (c->key == X509_EC)
        snprintf(out, n, "EC %u", c->key_bits);
    else
        snprintf(out, n, "unknown");
}
