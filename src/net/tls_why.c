/* tls_why.c -- why a handshake or a record failed, in words that say what to do.
 *
 * BearSSL gives one number.  For certificates the chain is read again to say which certificate
 * it was and what about it: the number alone does not tell expired from not yet valid, nor a
 * self-signed certificate from an unknown issuer.
 */
#include "net/tls_int.h"

#include <stdio.h>

#include "base/clock.h"

enum { DN_TEXT = 100 };

struct chain {
    struct x509 c[TLS_CHAIN_MAX];
    unsigned n;
};

static void
read_chain(const struct tls_x509 *x, struct chain *ret)
{
    ret->n = 0;
    while (ret->n < x->n_certs && x509_read(tls_x509_der(x, ret->n), &ret->c[ret->n]) == TG_OK)
        ret->n++;
}

static tg_rc
cert_fail(struct tg_err *err, const char *what, struct str dn, const char *tail)
{
    char subject[DN_TEXT];

    x509_dn_text(dn, subject, sizeof subject);
    return tg_fail(err, TG_EAUTH, TG_ERR_UPSTREAM, "tls_certificate", "%s: \"%s\"%s", what,
                   subject, tail);
}

static tg_rc
why_time(const struct tls_x509 *x, const struct chain *ch, struct tg_err *err)
{
    char when[25], tail[64];

    for (unsigned i = 0; i < ch->n; i++) {
        const struct x509 *c = &ch->c[i];

        if (x->now > c->not_after) {
            clock_rfc3339(c->not_after * NS_PER_S, when);
            snprintf(tail, sizeof tail, " was valid until %s", when);
            return cert_fail(err, "the certificate has expired", c->subject, tail);
        }
        if (x->now < c->not_before) {
            clock_rfc3339(c->not_before * NS_PER_S, when);
            snprintf(tail, sizeof tail, " is valid from %s on", when);
            return cert_fail(err, "the certificate is not yet valid", c->subject, tail);
        }
    }
    return tg_fail(err, TG_EAUTH, TG_ERR_UPSTREAM, "tls_certificate",
                   "a certificate's time has not come or is over");
}

static bool
anchor_named(const struct tls_trust *t, struct str dn)
{
    for (unsigned i = 0; i < t->n; i++)
        if (str_eq(str_of((const char *)t->anchors[i].dn.data, t->anchors[i].dn.len), dn))
            return true;
    return false;
}

static tg_rc
why_untrusted(const struct tls_x509 *x, const struct chain *ch, struct tg_err *err)
{
    const struct x509 *last;

    if (ch->n == 0)
        return tg_fail(err, TG_EAUTH, TG_ERR_UPSTREAM, "tls_certificate",
                       "the certificate is not trusted");
    last = &ch->c[ch->n - 1];
    if (anchor_named(x->trust, last->issuer))
        return cert_fail(err, "bad signature: not made by the trusted CA", last->issuer,
                         " (another CA of the same name, or a damaged certificate)");
    if (!str_eq(last->issuer, last->subject))
        return cert_fail(err, "unknown issuer", last->issuer,
                         " is not in the trust store (or the server does not send its "
                         "intermediate certificates)");
    if (ch->n == 1)
        return cert_fail(err, "self-signed certificate", last->subject,
                         " is not in the trust store");
    return cert_fail(err, "unknown issuer", last->subject,
                     ", the root that the server sends, is not in the trust store");
}

static tg_rc
why_name(const struct tls_x509 *x, const struct chain *ch, struct tg_err *err)
{
    char names[160];

    if (ch->n == 0 || !ch->c[0].has_san)
        return tg_fail(
            err, TG_EAUTH, TG_ERR_UPSTREAM, "tls_certificate",
            "wrong name: the certificate has no subject alternative name (the common "
            "name is not looked at), so it is not for %.*s",
            STR_ARG(x->name));
    x509_names_text(&ch->c[0], names, sizeof names);
    return tg_fail(err, TG_EAUTH, TG_ERR_UPSTREAM, "tls_certificate",
                   "wrong name: the certificate is for %s, not for %.*s", names,
                   STR_ARG(x->name));
}

/* The first certificate with a weak hash or another that cannot be verified. */
static tg_rc
why_signature(const struct chain *ch, unsigned verdict, struct tg_err *err)
{
    char tail[64];

    for (unsigned i = 0; i < ch->n; i++) {
        if (ch->c[i].weak_hash) {
            snprintf(tail, sizeof tail, " is signed with %s", ch->c[i].hash);
            return cert_fail(err, "weak hash", ch->c[i].subject, tail);
        }
    }
    if (verdict == BR_ERR_X509_BAD_SIGNATURE && ch->n > 0)
        return cert_fail(err, "bad signature on a certificate of the chain", ch->c[0].subject,
                         "");
    for (unsigned i = 0; i < ch->n; i++)
        if (!ch->c[i].hash || strcmp(ch->c[i].hash, "RSA-PSS") == 0)
            return cert_fail(err, "unsupported signature algorithm", ch->c[i].subject,
                             ch->c[i].hash ? " is signed with RSA-PSS" : "");
    return tg_fail(err, TG_EAUTH, TG_ERR_UPSTREAM, "tls_certificate",
                   "a certificate uses a key or a signature that this build cannot verify");
}

static tg_rc
why_weak_key(const struct chain *ch, struct tg_err *err)
{
    char key[24], tail[64];

    for (unsigned i = 0; i < ch->n; i++) {
        if (ch->c[i].key == X509_RSA && ch->c[i].key_bits < 8 * TLS_RSA_BYTES_MIN) {
            x509_key_text(&ch->c[i], key, sizeof key);
            snprintf(tail, sizeof tail, " has %s, at least %d bits are needed", key,
                     8 * TLS_RSA_BYTES_MIN);
            return cert_fail(err, "weak key", ch->c[i].subject, tail);
        }
    }
    return tg_fail(err, TG_EAUTH, TG_ERR_UPSTREAM, "tls_certificate",
                   "weak key: a certificate's key is too short");
}

static tg_rc
why_order(const struct chain *ch, struct tg_err *err)
{
    for (unsigned i = 0; i + 1 < ch->n; i++)
        if (!str_eq(ch->c[i].issuer, ch->c[i + 1].subject))
            return cert_fail(err, "the chain is out of order", ch->c[i].subject,
                             " is not followed by its issuer");
    return tg_fail(err, TG_EAUTH, TG_ERR_UPSTREAM, "tls_certificate",
                   "the chain is out of order");
}

static tg_rc
why_not_ca(const struct chain *ch, struct tg_err *err)
{
    for (unsigned i = 1; i < ch->n; i++)
        if (!ch->c[i].ca)
            return cert_fail(err, "the issuer is not a CA", ch->c[i].subject, "");
    return tg_fail(err, TG_EAUTH, TG_ERR_UPSTREAM, "tls_certificate",
                   "an issuer may not issue this certificate (CA flag or path length)");
}

static tg_rc
why_certificate(const struct tls_x509 *x, unsigned verdict, struct tg_err *err)
{
    struct chain ch;

    read_chain(x, &ch);
    switch (verdict) {
    case BR_ERR_X509_EXPIRED:
        return why_time(x, &ch, err);
    case BR_ERR_X509_NOT_TRUSTED:
        return why_untrusted(x, &ch, err);
    case BR_ERR_X509_BAD_SERVER_NAME:
        return why_name(x, &ch, err);
    case BR_ERR_X509_UNSUPPORTED:
    case BR_ERR_X509_BAD_SIGNATURE:
        return why_signature(&ch, verdict, err);
    case BR_ERR_X509_WEAK_PUBLIC_KEY:
        return why_weak_key(&ch, err);
    case BR_ERR_X509_DN_MISMATCH:
        return why_order(&ch, err);
    case BR_ERR_X509_NOT_CA:
        return why_not_ca(&ch, err);
    case BR_ERR_X509_FORBIDDEN_KEY_USAGE:
        return tg_fail(err, TG_EAUTH, TG_ERR_UPSTREAM, "tls_certificate",
                       "the certificate is not meant for servers (key usage)");
    case BR_ERR_X509_CRITICAL_EXTENSION:
        return tg_fail(err, TG_EAUTH, TG_ERR_UPSTREAM, "tls_certificate",
                       "a certificate has a critical extension that this build does not know "
                       "(name constraints, for example)");
    case BR_ERR_X509_LIMIT_EXCEEDED:
        return tg_fail(err, TG_EAUTH, TG_ERR_UPSTREAM, "tls_certificate",
                       "the chain is too long or a key in it is too large");
    case BR_ERR_X509_EMPTY_CHAIN:
        return tg_fail(err, TG_EAUTH, TG_ERR_UPSTREAM, "tls_certificate",
                       "the server sent no certificate");
    default:
        return tg_fail(err, TG_EAUTH, TG_ERR_UPSTREAM, "tls_certificate",
                       "malformed certificate (BearSSL error %u)", verdict);
    }
}

static const char *
alert_name(int alert)
{
    switch (alert) {
    case BR_ALERT_UNEXPECTED_MESSAGE:
        return "unexpected_message";
    case BR_ALERT_BAD_RECORD_MAC:
        return "bad_record_mac";
    case BR_ALERT_RECORD_OVERFLOW:
        return "record_overflow";
    case BR_ALERT_BAD_CERTIFICATE:
        return "bad_certificate";
    case BR_ALERT_CERTIFICATE_UNKNOWN:
        return "certificate_unknown";
    case BR_ALERT_ILLEGAL_PARAMETER:
        return "illegal_parameter";
    case BR_ALERT_ACCESS_DENIED:
        return "access_denied";
    case BR_ALERT_DECODE_ERROR:
        return "decode_error";
    case BR_ALERT_DECRYPT_ERROR:
        return "decrypt_error";
    case BR_ALERT_INTERNAL_ERROR:
        return "internal_error";
    case BR_ALERT_USER_CANCELED:
        return "user_canceled";
    case BR_ALERT_UNSUPPORTED_EXTENSION:
        return "unsupported_extension";
    default:
        return "other";
    }
}

enum { ALERT_UNRECOGNIZED_NAME = 112, ALERT_CERTIFICATE_REQUIRED = 116 };

static tg_rc
why_alert(int alert, const char *code, struct str name, struct str head, struct tg_err *err)
{
    /* A server that has settled on an old version finds none of our suites in it, and its alert
     * carries that version. */
    if (alert == BR_ALERT_HANDSHAKE_FAILURE && head.n >= 3 && head.p[1] == 3 && head.p[2] < 3)
        return tg_fail(err, TG_EPROTO, TG_ERR_UPSTREAM, code,
                       "the server refused the handshake: it speaks only TLS 1.1 or older; TLS "
                       "1.2 is needed");
    switch (alert) {
    case BR_ALERT_PROTOCOL_VERSION:
        return tg_fail(err, TG_EPROTO, TG_ERR_UPSTREAM, code,
                       "server requires TLS 1.3; this build speaks TLS 1.2 only (BearSSL)");
    case BR_ALERT_HANDSHAKE_FAILURE:
    case BR_ALERT_INSUFFICIENT_SECURITY:
        return tg_fail(err, TG_EPROTO, TG_ERR_UPSTREAM, code,
                       "the server refused the handshake: no cipher suite in common, or server "
                       "requires TLS 1.3; this build speaks TLS 1.2 only (BearSSL), ECDHE with "
                       "AES-GCM or ChaCha20");
    case BR_ALERT_NO_APPLICATION_PROTOCOL:
        return tg_fail(err, TG_EPROTO, TG_ERR_UPSTREAM, code,
                       "the server does not offer HTTP/1.1 (ALPN)");
    case ALERT_UNRECOGNIZED_NAME:
        return tg_fail(err, TG_EPROTO, TG_ERR_UPSTREAM, code,
                       "the server does not know the name %.*s", STR_ARG(name));
    case ALERT_CERTIFICATE_REQUIRED:
        return tg_fail(err, TG_EPROTO, TG_ERR_UPSTREAM, code,
                       "the server requires a client certificate");
    default:
        return tg_fail(err, TG_EPROTO, TG_ERR_UPSTREAM, code,
                       "the server ended the connection with TLS alert %d (%s)", alert,
                       alert_name(alert));
    }
}

static const char *
engine_words(int e)
{
    switch (e) {
    case BR_ERR_UNSUPPORTED_VERSION:
    case BR_ERR_BAD_VERSION:
        return "the server speaks only TLS 1.1 or older; TLS 1.2 is needed";
    case BR_ERR_BAD_LENGTH:
    case BR_ERR_TOO_LARGE:
        return "a TLS record of the server has a bad length";
    case BR_ERR_BAD_MAC:
        return "a TLS record of the server was damaged or forged";
    case BR_ERR_NO_RANDOM:
        return "the system gave no random bytes";
    case BR_ERR_UNKNOWN_TYPE:
        return "the server sent a TLS record of unknown type";
    case BR_ERR_UNEXPECTED:
        return "the server sent an unexpected TLS message";
    case BR_ERR_BAD_CIPHER_SUITE:
        return "the server chose a cipher suite that was not offered";
    case BR_ERR_BAD_SECRENEG:
        return "the server's renegotiation data is wrong";
    case BR_ERR_EXTRA_EXTENSION:
        return "the server answered with an extension that was not asked for";
    case BR_ERR_LIMIT_EXCEEDED:
        return "an element of the TLS handshake is too large";
    case BR_ERR_BAD_FINISHED:
        return "the TLS handshake was tampered with";
    case BR_ERR_RESUME_MISMATCH:
        return "the server resumed a session with other parameters";
    case BR_ERR_INVALID_ALGORITHM:
        return "the server chose a curve or a signature algorithm that was not offered";
    case BR_ERR_BAD_SIGNATURE:
        return "the server's handshake signature does not match its certificate";
    case BR_ERR_WRONG_KEY_USAGE:
        return "the certificate's key may not be used for this cipher suite";
    case BR_ERR_NO_CLIENT_AUTH:
        return "the server requires a client certificate";
    default:
        return NULL;
    }
}

tg_rc
tls_why(const br_ssl_engine_context *engine, const struct tls_x509 *x, struct str name,
        struct str head, struct tg_err *err)
{
    int e = br_ssl_engine_last_error(engine);
    const char *code = x ? "tls_handshake" : "tls_record";
    const char *words;

    if (x && x->verdict != 0 && e == (int)x->verdict)
        return why_certificate(x, x->verdict, err);
    if (e >= BR_ERR_RECV_FATAL_ALERT && e < BR_ERR_RECV_FATAL_ALERT + 256)
        return why_alert(e - BR_ERR_RECV_FATAL_ALERT, code, name, head, err);
    /* 20 to 23 are TLS's record types: anything else in front is not TLS. */
    if (x && head.n > 0 && (head.p[0] < 20 || head.p[0] > 23))
        return tg_fail(err, TG_EPROTO, TG_ERR_UPSTREAM, code,
                       "the server does not speak TLS on this port");
    words = engine_words(e);
    if (words)
        return tg_fail(err, TG_EPROTO, TG_ERR_UPSTREAM, code, "%s", words);
    return tg_fail(err, TG_EPROTO, TG_ERR_UPSTREAM, code, "TLS failed (BearSSL error %d)", e);
}
