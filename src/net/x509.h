/* x509.h -- a certificate read for people and for the name check.
 *
 * Pure: no I/O, no clock, no allocation.  Trust is BearSSL's business (tls_x509.c); this reads
 * what BearSSL does not give: the alternative names, the extended key usage, and what an error
 * message has to say.  RFC 5280.
 */
#ifndef NET_X509_H
#define NET_X509_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "triglot/rc.h"
#include "triglot/str.h"

struct x509 {
    struct str issuer, subject;    /* DER of the names, borrowed from the input  */
    struct str san;                /* GeneralNames inside the extension          */
    int64_t not_before, not_after; /* Unix seconds                               */
    enum { X509_OTHER, X509_RSA, X509_EC } key;
    unsigned key_bits;
    const char *curve; /* "P-256", NULL when not EC or unknown                */
    const char *hash;  /* of the signature: "SHA-256"; NULL when unknown      */
    bool weak_hash;    /* SHA-1, MD5, MD2                                     */
    bool ca;           /* basic constraints say so                            */
    bool has_san, has_eku;
    bool eku_server; /* server authentication or any                        */
};

/* TG_EPROTO when der is not a certificate.  The result borrows from der. */
TG_MUST_USE tg_rc x509_read(struct str der, struct x509 *ret);

/* Whether one of the certificate's dNSName entries covers host: equal without regard to case,
 * or
 * `*.` for exactly one leading label in front of at least two more (RFC 6125 section 6.4.3).
 * The common name is never looked at. */
bool x509_covers(const struct x509 *c, struct str host);
/* "a.example, *.b.example", cut with "..." when long; "none" without any. */
void x509_names_text(const struct x509 *c, char *out, size_t n);
/* "C=DE, O=Example, CN=Root": printable ASCII only. */
void x509_dn_text(struct str dn, char *out, size_t n);
/* "RSA 2048", "EC P-256". */
void x509_key_text(const struct x509 *c, char *out, size_t n);

#endif
