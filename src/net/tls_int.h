/* tls_int.h -- what the tls*.c files share. */
#ifndef NET_TLS_INT_H
#define NET_TLS_INT_H

#include <stdatomic.h>

#include "base/arena.h"
#include "base/buf.h"
#include "net/tls.h"
#include "net/x509.h"

#include <bearssl.h>

enum {
    TLS_RSA_BYTES_MIN = 256,
    TLS_RSA_BYTES_MAX = 512,
    TLS_CHAIN_MAX = 10,
    TLS_CHAIN_BYTES_MAX = 65536,
    TLS_NAME_MAX = 253,
};

struct tls_trust {
    atomic_uint refs;
    struct arena arena; /* names and keys */
    br_x509_trust_anchor *anchors;
    unsigned n, cap, skipped;
};

/* A connection (tls_conn.c). */
struct tls_conn {
    struct conn conn;
    br_ssl_client_context cc;
    unsigned char io[BR_SSL_BUFSIZE_BIDI];
};

extern const struct conn_ops tls_conn_ops;
struct tls_conn *tls_conn_new(struct sock *s); /* without a set-up engine */
void tls_conn_free(struct tls_conn *t);        /* wipes; leaves the sock alone */

/* An X.509 engine for BearSSL: its `minimal` one, and around it what that lacks (tls_x509.c).
 */
struct tls_x509 {
    const br_x509_class *vtable; /* first: BearSSL knows the context by it */
    br_x509_minimal_context minimal;
    const struct tls_trust *trust;
    struct str name;             /* to be covered by the first certificate */
    int64_t now;                 /* Unix seconds                            */
    struct buf der;              /* the chain as sent                       */
    uint32_t end[TLS_CHAIN_MAX]; /* of each certificate in der  */
    unsigned n_certs;
    bool too_much;
    unsigned verdict; /* BR_ERR_X509_*, 0 = trusted or not yet known */
};

/* engine has its hashes and signature code set; trust and name are borrowed. */
void tls_x509_init(struct tls_x509 *x, br_ssl_engine_context *engine,
                   const struct tls_trust *trust, struct str name, int64_t now_s);
void tls_x509_fini(struct tls_x509 *x);
struct str tls_x509_der(const struct tls_x509 *x, unsigned i);
void tls_x509_info(const struct tls_x509 *x, struct tls_info *info);

/* tls_why.c: the failed engine's error as words.  x is NULL after the handshake; head is the
 * beginning of what the server sent first: record type and version, RFC 5246 section 6.2.1. */
tg_rc tls_why(const br_ssl_engine_context *engine, const struct tls_x509 *x, struct str name,
              struct str head, struct tg_err *err);

#endif
