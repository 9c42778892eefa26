/* tls_x509.c -- the X.509 engine that the TLS engine asks: BearSSL's `minimal`, and a wrapper.
 *
 * `minimal` decides about trust: signatures, dates, CA flags, key sizes, anchors.  It is not
 * given the server's name, because it would fall back to the common name.  The wrapper keeps a
 * bounded copy of the chain and, once `minimal` has accepted it, demands that a subject
 * alternative name of the first certificate covers the name and that an extended key usage, if
 * there is one, allows servers.  The copy also serves the words for a failure.
 *
 * Runs on an offload thread during the handshake; touches nothing but its own memory and the
 * shared, read-only anchors.
 */
#include "net/tls_int.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"

/* Days from 0000-01-01 to 1970-01-01, BearSSL's day zero to Unix's. */
enum { DAYS_BEFORE_EPOCH = 719528 };

static struct tls_x509 *
self(const br_x509_class **ctx)
{
    return LIST_ITEM(ctx, struct tls_x509, vtable);
}

static void
on_start_chain(const br_x509_class **ctx, const char *server_name)
{
    struct tls_x509 *x = self(ctx);

    (void)server_name; /* what was sent as SNI; x->name is what counts */
    buf_clear(&x->der);
    x->n_certs = 0;
    x->too_much = false;
    x->verdict = 0;
    x->minimal.vtable->start_chain(&x->minimal.vtable, NULL);
}

static void
on_start_cert(const br_x509_class **ctx, uint32_t length)
{
    struct tls_x509 *x = self(ctx);

    if (x->n_certs >= TLS_CHAIN_MAX)
        x->too_much = true;
    x->minimal.vtable->start_cert(&x->minimal.vtable, length);
}

static void
on_append(const br_x509_class **ctx, const unsigned char *p, size_t n)
{
    struct tls_x509 *x = self(ctx);

    if (!x->too_much && buf_append(&x->der, str_of((const char *)p, n)) != TG_OK)
        x->too_much = true;
    x->minimal.vtable->append(&x->minimal.vtable, p, n);
}

static void
on_end_cert(const br_x509_class **ctx)
{
    struct tls_x509 *x = self(ctx);

    if (!x->too_much)
        x->end[x->n_certs++] = (uint32_t)x->der.n;
    x->minimal.vtable->end_cert(&x->minimal.vtable);
}

static unsigned
own_check(const struct tls_x509 *x)
{
    struct x509 c;

    if (x->too_much)
        return BR_ERR_X509_LIMIT_EXCEEDED;
    if (x->n_certs == 0)
        return BR_ERR_X509_EMPTY_CHAIN;
    if (x509_read(tls_x509_der(x, 0), &c) != TG_OK)
        return BR_ERR_X509_UNEXPECTED;
    if (!x509_covers(&c, x->name))
        return BR_ERR_X509_BAD_SERVER_NAME;
    if (c.has_eku && !c.eku_server)
        return BR_ERR_X509_FORBIDDEN_KEY_USAGE;
    return 0;
}

static unsigned
on_end_chain(const br_x509_class **ctx)
{
    struct tls_x509 *x = self(ctx);

    x->verdict = x->minimal.vtable->end_chain(&x->minimal.vtable);
    if (x->verdict == 0)
        x->verdict = own_check(x);
    return x->verdict;
}

static const br_x509_pkey *
on_get_pkey(const br_x509_class *const *ctx, unsigned *usages)
{
    const struct tls_x509 *x = LIST_ITEM(ctx, struct tls_x509, vtable);

    return x->minimal.vtable->get_pkey(&x->minimal.vtable, usages);
}

static const br_x509_class tls_x509_class = {
    .context_size = sizeof(struct tls_x509),
    .start_chain = on_start_chain,
    .start_cert = on_start_cert,
    .append = on_append,
    .end_cert = on_end_cert,
    .end_chain = on_end_chain,
    .get_pkey = on_get_pkey,
};

void
tls_x509_init(struct tls_x509 *x, br_ssl_engine_context *engine, const struct tls_trust *trust,
              struct str name, int64_t now_s)
{
    *x = (struct tls_x509){.trust = trust, .name = name, .now = now_s};
    x->vtable = &tls_x509_class;
    buf_init(&x->der, TLS_CHAIN_BYTES_MAX);
    br_x509_minimal_init(&x->minimal, &br_sha256_vtable, trust->anchors, trust->n);
    br_x509_minimal_set_hash(&x->minimal, br_sha256_ID, &br_sha256_vtable);
    br_x509_minimal_set_hash(&x->minimal, br_sha384_ID, &br_sha384_vtable);
    br_x509_minimal_set_hash(&x->minimal, br_sha512_ID, &br_sha512_vtable);
    br_x509_minimal_set_rsa(&x->minimal, br_ssl_engine_get_rsavrfy(engine));
    br_x509_minimal_set_ecdsa(&x->minimal, br_ssl_engine_get_ec(engine),
                              br_ssl_engine_get_ecdsa(engine));
    br_x509_minimal_set_minrsa(&x->minimal, TLS_RSA_BYTES_MIN);
    br_x509_minimal_set_time(&x->minimal, (uint32_t)(now_s / 86400 + DAYS_BEFORE_EPOCH),
                             (uint32_t)(now_s % 86400));
}

void
tls_x509_fini(struct tls_x509 *x)
{
    buf_fini(&x->der);
}

struct str
tls_x509_der(const struct tls_x509 *x, unsigned i)
{
    uint32_t from = i > 0 ? x->end[i - 1] : 0;

    return str_of(buf_str(&x->der).p + from, x->end[i] - from);
}

void
tls_x509_info(const struct tls_x509 *x, struct tls_info *info)
{
    struct x509 c;

    for (unsigned i = 0; i < x->n_certs && i < sizeof info->chain / sizeof info->chain[0];
         i++) {
        struct tls_cert_info *out = &info->chain[i];

        if (x509_read(tls_x509_der(x, i), &c) != TG_OK)
            return;
        x509_dn_text(c.subject, out->subject, sizeof out->subject);
        x509_dn_text(c.issuer, out->issuer, sizeof out->issuer);
        clock_rfc3339(c.not_after * NS_PER_S, out->not_after);
        x509_key_text(&c, out->key, sizeof out->key);
        info->n_chain = i + 1;
    }
}
