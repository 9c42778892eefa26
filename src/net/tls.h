/* tls.h -- TLS 1.2 to upstreams by BearSSL.
 *
 * ECDHE with AEAD suites only, RSA of at least 2048 bits, SHA-256 and better, name check
 * against SANs only, renegotiation refused, ALPN http/1.1, session resumption by id.  The
 * engine does no I/O; this file pumps it.  Handshake arithmetic runs on offload threads.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "net/conn.h"

struct tls_trust; /* trust anchors, read-only, shared between threads, reference-counted */

/* Reads PEM certificates.  ca_file "" is the system's store.  Anchors that BearSSL cannot use
 * or that have expired are skipped and counted.  TG_ECONFIG when the file cannot be read or
 * holds no usable anchor.  Blocking: start-up, reload, or an offload thread. */
TG_MUST_USE tg_rc tls_trust_load(struct str ca_file, struct tls_trust **ret,
                                 struct tg_err *err);
void tls_trust_ref(struct tls_trust *t);
void tls_trust_unref(struct tls_trust *t);
unsigned tls_trust_anchors(const struct tls_trust *t);
unsigned tls_trust_skipped(const struct tls_trust *t);

/* Last session of one upstream, for resumption; owned by the pool (one thread). */
struct tls_session;
struct tls_session *tls_session_new(void);
void tls_session_free(struct tls_session *s);

/* What was negotiated, for check-upstream and logs. */
struct tls_info {
    char version[16]; /* "TLS 1.2" */
    char suite[64];   /* "ECDHE-RSA-AES128-GCM-SHA256" style name */
    bool resumed;
    unsigned n_chain;
    struct tls_cert_info {
        char subject[160], issuer[160];
        char not_after[25]; /* RFC 3339 */
        char key[24];       /* "RSA 2048", "EC P-256" */
    } chain[6];
};

/* Handshake over a connected sock, which is taken whatever the outcome.  name is checked
 * against the certificate.  session may be NULL.  ret_info may be NULL (the chain is gathered
 * only when it is not).  A name that is an IP address is refused: certificates are checked for
 * DNS names only, so such an upstream needs a server name.  Errors: TG_EAUTH with code
 * "tls_certificate" and the exact reason (expired, not yet valid, wrong name, unknown issuer,
 * self-signed, weak key, CA:false issuer, ...); TG_EPROTO with "tls_handshake" (a server that
 * needs TLS 1.3 gets a message that says so); TG_EGONE.  S */
TG_MUST_USE tg_rc tls_connect(struct sock *s, struct tls_trust *trust, struct str name,
                              struct tls_session *session, struct conn **ret,
                              struct tls_info *ret_info, struct tg_err *err);

#endif
