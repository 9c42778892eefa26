/* tls_trust.c -- trust anchors from a PEM file.
 *
 * The file is read whole (bounded), decoded object by object, and each certificate's name and
 * key are copied into one arena that is never written again.  What BearSSL could not use anyway
 * is left out and counted: other key types, RSA below 2048 or above 4096 bits, other curves,
 * and anchors whose own time is over, because BearSSL does not look at an anchor's dates.
 */
#include "net/tls_int.h"

#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"

enum {
    FILE_BYTES_MAX = 16 << 20,
    CERT_BYTES_MAX = 65536,
    ANCHORS_MAX = 4096,
};

static const char system_store[] = "/etc/ssl/certs/ca-certificates.crt";

struct loader {
    struct tls_trust *trust;
    struct buf der; /* of the object being decoded */
    bool cert;      /* which is a certificate      */
    bool too_big;
    struct buf dn;
    int64_t now;
};

static void
take_der(void *arg, const void *p, size_t n)
{
    struct loader *l = arg;

    if (l->cert && buf_append(&l->der, str_of(p, n)) != TG_OK)
        l->too_big = true;
}

static void
take_dn(void *arg, const void *p, size_t n)
{
    struct loader *l = arg;

    if (buf_append(&l->dn, str_of(p, n)) != TG_OK)
        l->too_big = true;
}

static unsigned char *
keep(struct tls_trust *t, const unsigned char *p, size_t n)
{
    return (unsigned char *)arena_dup(&t->arena, str_of((const char *)p, n)).p;
}

static bool
key_usable(const br_x509_pkey *k)
{
    if (k->key_type == BR_KEYTYPE_RSA)
        return k->key.rsa.nlen >= TLS_RSA_BYTES_MIN && k->key.rsa.nlen <= TLS_RSA_BYTES_MAX;
    return k->key_type == BR_KEYTYPE_EC &&
           (k->key.ec.curve == BR_EC_secp256r1 || k->key.ec.curve == BR_EC_secp384r1 ||
            k->key.ec.curve == BR_EC_secp521r1);
}

static void
add_anchor(struct loader *l, const br_x509_pkey *k, bool ca)
{
    struct tls_trust *t = l->trust;
    struct str dn = buf_str(&l->dn);
    br_x509_trust_anchor *a;

    if (t->n == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 256;
        t->anchors = mem_grow(t->anchors, t->cap * sizeof t->anchors[0]);
    }
    a = &t->anchors[t->n++];
    *a = (br_x509_trust_anchor){.flags = ca ? BR_X509_TA_CA : 0, .pkey = *k};
    a->dn.data = keep(t, (const unsigned char *)dn.p, dn.n);
    a->dn.len = dn.n;
    if (k->key_type == BR_KEYTYPE_RSA) {
        a->pkey.key.rsa.n = keep(t, k->key.rsa.n, k->key.rsa.nlen);
        a->pkey.key.rsa.e = keep(t, k->key.rsa.e, k->key.rsa.elen);
    } else {
        a->pkey.key.ec.q = keep(t, k->key.ec.q, k->key.ec.qlen);
    }
}

/* One certificate, whole in l->der. */
static void
certificate_done(struct loader *l)
{
    br_x509_decoder_context dec;
    const br_x509_pkey *k;
    struct str der = buf_str(&l->der);
    struct x509 c;

    buf_clear(&l->dn);
    br_x509_decoder_init(&dec, take_dn, l);
    br_x509_decoder_push(&dec, der.p, der.n);
    k = br_x509_decoder_get_pkey(&dec);
    if (l->too_big || !k || !key_usable(k) || x509_read(der, &c) != TG_OK ||
        c.not_after < l->now || l->trust->n >= ANCHORS_MAX)
        l->trust->skipped++;
    else
        add_anchor(l, k, br_x509_decoder_isCA(&dec) != 0);
}

static void
decode_pem(struct loader *l, struct str text)
{
    br_pem_decoder_context pem;
    const char *name;
    size_t k;

    br_pem_decoder_init(&pem);
    while (text.n > 0) {
        k = br_pem_decoder_push(&pem, text.p, text.n);
        text = str_from(text, k);
        switch (br_pem_decoder_event(&pem)) {
        case BR_PEM_BEGIN_OBJ:
            name = br_pem_decoder_name(&pem);
            l->cert = strcmp(name, "CERTIFICATE") == 0 || strcmp(name, "X509 CERTIFICATE") == 0;
            l->too_big = false;
            buf_clear(&l->der);
            br_pem_decoder_setdest(&pem, take_der, l);
            break;
        case BR_PEM_END_OBJ:
            if (l->cert)
                certificate_done(l);
            l->cert = false;
            break;
        case BR_PEM_ERROR:
            if (l->cert)
                l->trust->skipped++;
            l->cert = false;
            break;
        default:
            break;
        }
    }
}

static tg_rc
read_file(const char *path, struct buf *text, struct tg_err *err)
{
    FILE *f = fopen(path, "re");
    tg_rc rc = TG_OK;
    char *p;
    size_t k;
    int e = errno;

    if (!f) {
        (void)tg_fail_sys(err, e, "cannot read the certificates in %s", path);
        if (err)
            err->rc = TG_ECONFIG;
        return TG_ECONFIG;
    }
    while (rc == TG_OK && (rc = buf_reserve(text, 65536, &p)) == TG_OK) {
        k = fread(p, 1, 65536, f);
        buf_commit(text, k);
        if (k == 0)
            break;
    }
    e = ferror(f) ? EIO : 0;
    fclose(f);
    if (rc != TG_OK)
        return tg_fail(err, TG_ECONFIG, TG_ERR_INTERNAL, "ca_file", "%s is larger than %d MiB",
                       path, FILE_BYTES_MAX >> 20);
    if (e != 0) {
        (void)tg_fail_sys(err, e, "cannot read the certificates in %s", path);
        if (err)
            err->rc = TG_ECONFIG;
        return TG_ECONFIG;
    }
    return TG_OK;
}

tg_rc
tls_trust_load(struct str ca_file, struct tls_trust **ret, struct tg_err *err)
{
    char *path = mem_dup_z(ca_file.n > 0 ? ca_file : str_z(system_store));
    struct tls_trust *t = mem_new(struct tls_trust);
    struct loader l = {.trust = t, .now = clock_wall_ns() / NS_PER_S};
    struct buf text;
    tg_rc rc;

    atomic_init(&t->refs, 1);
    arena_init(&t->arena);
    buf_init(&text, FILE_BYTES_MAX);
    buf_init(&l.der, CERT_BYTES_MAX);
    buf_init(&l.dn, CERT_BYTES_MAX);
    rc = read_file(path, &text, err);
    if (rc == TG_OK) {
        decode_pem(&l, buf_str(&text));
        if (t->n == 0)
            rc = tg_fail(err, TG_ECONFIG, TG_ERR_INTERNAL, "ca_file",
                         "%s holds no usable certificate (%u skipped: expired, or of a kind "
                         "that BearSSL does not support)",
                         path, t->skipped);
    }
    buf_fini(&text);
    buf_fini(&l.der);
    buf_fini(&l.dn);
    mem_free(path);
    if (rc != TG_OK) {
        tls_trust_unref(t);
        return rc;
    }
    *ret = t;
    return TG_OK;
}

void
tls_trust_ref(struct tls_trust *t)
{
    atomic_fetch_add(&t->refs, 1);
}

void
tls_trust_unref(struct tls_trust *t)
{
    if (!t || atomic_fetch_sub(&t->refs, 1) != 1)
        return;
    mem_free(t->anchors);
    arena_fini(&t->arena);
    mem_free(t);
}

unsigned
tls_trust_anchors(const struct tls_trust *t)
{
    return t->n;
}

unsigned
tls_trust_skipped(const struct tls_trust *t)
{
    return t->skipped;
}
