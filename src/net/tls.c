/* tls.c -- the TLS handshake with an upstream.
 *
 * Each step (received bytes in, records out) runs on an offload thread, because a step may hold
 * a signature or a key exchange of a millisecond or more; the coroutine waits, and nothing else
 * has the engine.  Afterwards the connection is tls_conn.c's, on the worker.
 *
 * Memory: 37 KB a connection, of which 33 KB are the engine's two record buffers.  What only
 * the handshake needs is freed after it.
 */
#include "net/tls.h"
#include "net/tls_int.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/mem.h"
#include "base/secret.h"

enum { HANDSHAKE_OUT_MAX = 65536 };

#define SESSION_LIFE_S 3600
#define QUEUE_FULL_NS  (2 * NS_PER_MS)

struct tls_session {
    br_ssl_session_parameters params;
    int64_t until; /* Unix seconds; 0 = none */
};

struct handshake {
    struct tls_conn *t;
    struct tls_trust *trust;
    struct tls_session *session;       /* or NULL; the worker's alone   */
    br_ssl_session_parameters offered; /* copy of it, when tried_resume */
    struct tls_x509 x509;
    struct str in;  /* received, borrowed from the sock */
    size_t used;    /* of in                            */
    struct buf out; /* to be sent                       */
    char head[3];   /* first bytes received             */
    uint8_t n_head;
    bool overflow; /* more to send than there should be */
    bool tried_resume;
    char name[TLS_NAME_MAX + 1];
};

struct tls_session *
tls_session_new(void)
{
    return mem_new(struct tls_session);
}

void
tls_session_free(struct tls_session *s)
{
    if (!s)
        return;
    secret_wipe(s, sizeof *s);
    mem_free(s);
}

static br_ssl_engine_context *
engine_of(struct tls_conn *t)
{
    return &t->cc.eng;
}

/* Puts received bytes in and takes records out until neither goes on.  Offload thread. */
static tg_rc
step(void *arg)
{
    struct handshake *h = arg;
    br_ssl_engine_context *eng = engine_of(h->t);

    for (;;) {
        unsigned st = br_ssl_engine_current_state(eng);
        unsigned char *p;
        size_t n;

        if (st & BR_SSL_SENDREC) {
            p = br_ssl_engine_sendrec_buf(eng, &n);
            if (buf_append(&h->out, str_of((char *)p, n)) != TG_OK)
                h->overflow = true;
            br_ssl_engine_sendrec_ack(eng, n);
        } else if ((st & BR_SSL_RECVREC) && !(st & BR_SSL_SENDAPP) && h->used < h->in.n) {
            p = br_ssl_engine_recvrec_buf(eng, &n);
            if (n > h->in.n - h->used)
                n = h->in.n - h->used;
            memcpy(p, h->in.p + h->used, n);
            br_ssl_engine_recvrec_ack(eng, n);
            h->used += n;
        } else {
            return TG_OK;
        }
    }
}

/* With the offload queue full, waits for room for as long as the caller's scope allows.  S */
static tg_rc
offload(tg_rc (*fn)(void *arg), struct handshake *h)
{
    tg_rc rc;

    while ((rc = co_offload(fn, h)) == TG_EUNAVAIL) {
        rc = co_sleep_until(co_now() + QUEUE_FULL_NS);
        if (rc != TG_OK)
            break;
    }
    return rc;
}

static tg_rc
receive(struct handshake *h, struct tg_err *err)
{
    struct sock *s = h->t->conn.sock;
    tg_rc rc = sock_read(s, &h->in);

    if (rc == TG_OK && h->in.n > 0) {
        for (size_t i = 0; i < h->in.n && h->n_head < sizeof h->head; i++)
            h->head[h->n_head++] = h->in.p[i];
        h->used = 0;
        rc = offload(step, h);
        if (rc == TG_OK)
            sock_consume(s, h->used);
        h->in = str_of(NULL, 0);
        return rc;
    }
    if (rc == TG_OK || rc == TG_EGONE || rc == TG_EIO)
        return tg_fail(err, TG_EGONE, TG_ERR_UPSTREAM, "tls_handshake",
                       "the server closed the connection during the TLS handshake");
    return rc;
}

static void
set_suites(br_ssl_engine_context *eng)
{
    static const uint16_t suites_aes_first[] = {
        BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        BR_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        BR_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        BR_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        BR_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    };
    static const uint16_t suites_chacha_first[] = {
        BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        BR_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        BR_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        BR_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        BR_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    };

    /* Without the CPU's AES, constant-time AES in software is the slow one. */
    if (br_aes_x86ni_ctr_get_vtable() || br_aes_pwr8_ctr_get_vtable())
        br_ssl_engine_set_suites(eng, suites_aes_first,
                                 sizeof suites_aes_first / sizeof suites_aes_first[0]);
    else
        br_ssl_engine_set_suites(eng, suites_chacha_first,
                                 sizeof suites_chacha_first / sizeof suites_chacha_first[0]);
}

/* What all engines start as.  Made once: choosing implementations asks the CPU what it can do,
 * and in a virtual machine that question alone takes tens of microseconds. */
static br_ssl_client_context blank;
static pthread_once_t blank_once = PTHREAD_ONCE_INIT;

/* Everything by hand: BearSSL's full profile would switch on old versions, CBC and static RSA.
 * The "default" implementations are the fastest that the CPU has. */
static void
make_blank(void)
{
    static const char *protocols[] = {"http/1.1"};
    br_ssl_engine_context *eng = &blank.eng;

    br_ssl_client_zero(&blank);
    br_ssl_engine_set_versions(eng, BR_TLS12, BR_TLS12);
    set_suites(eng);
    br_ssl_engine_set_hash(eng, br_sha256_ID, &br_sha256_vtable);
    br_ssl_engine_set_hash(eng, br_sha384_ID, &br_sha384_vtable);
    br_ssl_engine_set_hash(eng, br_sha512_ID, &br_sha512_vtable);
    br_ssl_engine_set_prf_sha256(eng, &br_tls12_sha256_prf);
    br_ssl_engine_set_prf_sha384(eng, &br_tls12_sha384_prf);
    br_ssl_engine_set_default_aes_gcm(eng);
    br_ssl_engine_set_default_chapol(eng);
    br_ssl_engine_set_default_ec(eng);
    br_ssl_engine_set_default_rsavrfy(eng);
    br_ssl_engine_set_default_ecdsa(eng);
    br_ssl_engine_set_protocol_names(eng, protocols, 1);
    br_ssl_engine_set_all_flags(eng, BR_OPT_NO_RENEGOTIATION | BR_OPT_FAIL_ON_ALPN_MISMATCH);
}

/* Lower case, without a final dot; IP addresses are refused. */
static tg_rc
set_name(struct handshake *h, struct str name, struct tg_err *err)
{
    unsigned char addr[16];

    if (str_ends(name, STR(".")))
        name.n--;
    if (name.n == 0 || name.n > TLS_NAME_MAX)
        return tg_fail(err, TG_EAUTH, TG_ERR_UPSTREAM, "tls_certificate",
                       "no certificate can be checked for an empty or overlong server name");
    for (size_t i = 0; i < name.n; i++) {
        char ch = name.p[i];

        h->name[i] = ch >= 'A' && ch <= 'Z' ? (char)(ch + 32) : ch;
    }
    h->name[name.n] = '\0';
    if (h->name[0] == '[' || inet_pton(AF_INET, h->name, addr) == 1 ||
        inet_pton(AF_INET6, h->name, addr) == 1)
        return tg_fail(err, TG_EAUTH, TG_ERR_UPSTREAM, "tls_certificate",
                       "%s is an IP address: certificates are checked for DNS names only, so a "
                       "server name must be configured",
                       h->name);
    return TG_OK;
}

/* Makes the engine ready with its first flight.  Offload thread: seeding its generator asks the
 * CPU too. */
static tg_rc
begin(void *arg)
{
    struct handshake *h = arg;
    struct tls_conn *t = h->t;
    br_ssl_engine_context *eng = engine_of(t);
    int64_t now = clock_wall_ns() / NS_PER_S;
    unsigned char seed[32];

    pthread_once(&blank_once, make_blank);
    t->cc = blank;
    br_ssl_engine_set_buffers_bidi(eng, t->io, BR_SSL_BUFSIZE_INPUT,
                                   t->io + BR_SSL_BUFSIZE_INPUT, BR_SSL_BUFSIZE_OUTPUT);
    tls_x509_init(&h->x509, eng, h->trust, str_z(h->name), now);
    br_ssl_engine_set_x509(eng, &h->x509.vtable);
    if (h->tried_resume)
        br_ssl_engine_set_session_parameters(eng, &h->offered);
    id_random(seed, sizeof seed);
    br_ssl_engine_inject_entropy(eng, seed, sizeof seed);
    secret_wipe(seed, sizeof seed);
    /* A failure stays in the engine. */
    if (!br_ssl_client_reset(&t->cc, h->name, h->tried_resume))
        return TG_OK;
    return step(h);
}

/* S */
static tg_rc
shake(struct handshake *h, struct tg_err *err)
{
    struct sock *s = h->t->conn.sock;
    br_ssl_engine_context *eng = engine_of(h->t);
    tg_rc rc = offload(begin, h);

    if (rc != TG_OK)
        return rc;
    for (;;) {
        unsigned st = br_ssl_engine_current_state(eng);

        if (st & BR_SSL_CLOSED)
            return tls_why(eng, &h->x509, str_z(h->name), str_of(h->head, h->n_head), err);
        if (h->overflow)
            return tg_fail(err, TG_EPROTO, TG_ERR_UPSTREAM, "tls_handshake",
                           "the TLS handshake is too long");
        if (h->out.n > 0) {
            rc = sock_put(s, buf_str(&h->out));
            buf_clear(&h->out);
            /* A server that refuses closes: its reason may still be there to read. */
            if (rc != TG_OK && rc != TG_EGONE)
                return rc;
        }
        if (st & BR_SSL_SENDAPP)
            return TG_OK;
        rc = receive(h, err);
        if (rc != TG_OK)
            return rc;
    }
}

static const char *
suite_name(unsigned suite)
{
    switch (suite) {
    case BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256:
        return "ECDHE-ECDSA-AES128-GCM-SHA256";
    case BR_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256:
        return "ECDHE-RSA-AES128-GCM-SHA256";
    case BR_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384:
        return "ECDHE-ECDSA-AES256-GCM-SHA384";
    case BR_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384:
        return "ECDHE-RSA-AES256-GCM-SHA384";
    case BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256:
        return "ECDHE-ECDSA-CHACHA20-POLY1305";
    case BR_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256:
        return "ECDHE-RSA-CHACHA20-POLY1305";
    default:
        return "unknown";
    }
}

/* After a good handshake: keeps the session, says what was negotiated. */
static void
finish(struct handshake *h, struct tls_info *info)
{
    struct tls_session *session = h->session;
    br_ssl_engine_context *eng = engine_of(h->t);
    br_ssl_session_parameters now;
    bool resumed;

    br_ssl_engine_get_session_parameters(eng, &now);
    resumed = h->tried_resume && now.session_id_len > 0 &&
              now.session_id_len == h->offered.session_id_len &&
              memcmp(now.session_id, h->offered.session_id, now.session_id_len) == 0;
    if (session && !resumed) {
        session->params = now;
        session->until =
            now.session_id_len > 0 ? clock_wall_ns() / NS_PER_S + SESSION_LIFE_S : 0;
    }
    if (info) {
        *info = (struct tls_info){.resumed = resumed};
        snprintf(info->version, sizeof info->version, "%s",
                 br_ssl_engine_get_version(eng) == BR_TLS12 ? "TLS 1.2" : "unknown");
        snprintf(info->suite, sizeof info->suite, "%s", suite_name(now.cipher_suite));
        if (!resumed)
            tls_x509_info(&h->x509, info);
    }
    secret_wipe(&now, sizeof now);
}

tg_rc
tls_connect(struct sock *s, struct tls_trust *trust, struct str name,
            struct tls_session *session, struct conn **ret, struct tls_info *ret_info,
            struct tg_err *err)
{
    struct handshake *h = mem_new(struct handshake);
    tg_rc rc;

    h->t = tls_conn_new(s);
    buf_init(&h->out, HANDSHAKE_OUT_MAX);
    h->trust = trust;
    h->session = session;
    if (session && session->until > clock_wall_ns() / NS_PER_S) {
        h->offered = session->params;
        h->tried_resume = true;
    }
    rc = set_name(h, name, err);
    if (rc == TG_OK)
        rc = shake(h, err);
    if (rc == TG_OK) {
        finish(h, ret_info);
        /* Only a renegotiation would ask it again, and that is refused. */
        br_ssl_engine_set_x509(engine_of(h->t), NULL);
        *ret = &h->t->conn;
    } else {
        /* A session that the server chokes on must not be tried for ever. */
        if (session && h->tried_resume)
            session->until = 0;
        sock_close(s);
        tls_conn_free(h->t);
    }
    tls_x509_fini(&h->x509);
    buf_fini(&h->out);
    secret_wipe(&h->offered, sizeof h->offered);
    mem_free(h);
    return rc;
}
