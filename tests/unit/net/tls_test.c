/* tls_test.c -- TLS against real servers on loopback: verdicts with their reasons, and bytes.
 */
#include "net/tls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "co/ring.h"
#include "net/dial.h"
#include "support/co_test.h"
#include "support/net_test.h"
#include "support/net_tls.h"

struct call {
    uint16_t port;
    const char *name;
    struct tls_trust *trust;
    struct tls_session *session;
    tg_rc rc;
    struct tg_err err;
    struct tls_info info;
    struct conn *conn;
};

static struct tls_trust *test_trust;

static struct tls_trust *
load(const char *name)
{
    struct tls_trust *t = NULL;
    struct tg_err err;

    assert_int_equal(tls_trust_load(str_z(net_tls_file(name, "crt")), &t, &err), TG_OK);
    return t;
}

static int
set_up(void **state)
{
    (void)state;
    (void)net_tls_certs();
    test_trust = load("ca");
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    tls_trust_unref(test_trust);
    return 0;
}

static bool
all_freed(void *arg)
{
    (void)arg;
    return sock_live() == 0 && ring_in_flight(co_ring()) == 0;
}

/* Dials and shakes hands; c->conn is set when c->rc is TG_OK. */
static void
shake(struct call *c)
{
    int fd = -1;

    c->conn = NULL;
    c->rc = dial(STR("127.0.0.1"), c->port, 5 * NS_PER_S, &fd, &c->err);
    assert_int_equal(c->rc, TG_OK);
    c->rc = tls_connect(sock_open(fd, NULL), c->trust ? c->trust : test_trust, str_z(c->name),
                        c->session, &c->conn, &c->info, &c->err);
}

static void
run(co_fn *body, void *arg)
{
    assert_int_equal(co_offload_start(2, 64, NULL), TG_OK);
    assert_int_equal(co_test_run(body, arg), TG_OK);
    co_offload_stop();
}

static tg_rc
shake_body(void *arg)
{
    struct call *c = arg;

    shake(c);
    conn_close(c->conn);
    assert_true(net_test_until(all_freed, NULL));
    sock_thread_fini();
    return TG_OK;
}

struct row {
    const char *server;   /* whose certificate       */
    const char *words[8]; /* for openssl s_server    */
    const char *name;     /* asked for, or localhost */
    tg_rc rc;
    const char *code, *reason; /* what the message must contain */
};

#define WEAK_OK "-cipher", "DEFAULT@SECLEVEL=0"

static const struct row rows[] = {
    {"valid", {NULL}, NULL, TG_OK, NULL, NULL},
    {"valid", {NULL}, "LocalHost.", TG_OK, NULL, NULL},
    {"valid", {NULL}, "a.wild.test", TG_OK, NULL, NULL},
    {"valid-ec", {NULL}, NULL, TG_OK, NULL, NULL},
    {"valid-ec384", {NULL}, NULL, TG_OK, NULL, NULL},
    {"chain", {NULL}, NULL, TG_OK, NULL, NULL},
    {"valid", {"-cipher", "ECDHE-RSA-CHACHA20-POLY1305"}, NULL, TG_OK, NULL, NULL},
    {"valid", {"-cipher", "ECDHE-RSA-AES256-GCM-SHA384"}, NULL, TG_OK, NULL, NULL},
    {"valid", {"-alpn", "http/1.1"}, NULL, TG_OK, NULL, NULL},
    {"valid",
     {NULL},
     "b.a.wild.test",
     TG_EAUTH,
     "tls_certificate",
     "wrong name: the certificate is for localhost, api.test, *.wild.test, not for "
     "b.a.wild.test"},
    {"valid", {NULL}, "wild.test", TG_EAUTH, "tls_certificate", "wrong name"},
    {"valid", {NULL}, "127.0.0.1", TG_EAUTH, "tls_certificate", "is an IP address"},
    {"valid", {NULL}, "::1", TG_EAUTH, "tls_certificate", "is an IP address"},
    {"expired",
     {NULL},
     NULL,
     TG_EAUTH,
     "tls_certificate",
     "the certificate has expired: \"O=Triglot test, CN=localhost\" was valid until "
     "2021-01-01"},
    {"not-yet",
     {NULL},
     NULL,
     TG_EAUTH,
     "tls_certificate",
     "the certificate is not yet valid: \"O=Triglot test, CN=localhost\" is valid from "
     "2045-01-01"},
    {"wrong-name",
     {NULL},
     NULL,
     TG_EAUTH,
     "tls_certificate",
     "wrong name: the certificate is for other.test, www.other.test, not for localhost"},
    {"cn-only", {NULL}, NULL, TG_EAUTH, "tls_certificate", "no subject alternative name"},
    {"nul-name", {NULL}, NULL, TG_EAUTH, "tls_certificate", "wrong name"},
    {"client-only", {NULL}, NULL, TG_EAUTH, "tls_certificate", "not meant for servers"},
    {"unknown-ca",
     {NULL},
     NULL,
     TG_EAUTH,
     "tls_certificate",
     "unknown issuer: \"O=Triglot test, CN=Unknown root\""},
    {"unknown-root", {NULL}, NULL, TG_EAUTH, "tls_certificate", "unknown issuer"},
    {"impostor-ca", {NULL}, NULL, TG_EAUTH, "tls_certificate", "bad signature"},
    {"no-inter",
     {NULL},
     NULL,
     TG_EAUTH,
     "tls_certificate",
     "unknown issuer: \"O=Triglot test, CN=Test intermediate\" is not in the trust store (or "
     "the "
     "server does not send its intermediate"},
    {"swapped", {NULL}, NULL, TG_EAUTH, "tls_certificate", "out of order"},
    {"self-signed", {NULL}, NULL, TG_EAUTH, "tls_certificate", "self-signed certificate"},
    {"weak-key",
     {WEAK_OK},
     NULL,
     TG_EAUTH,
     "tls_certificate",
     "weak key: \"O=Triglot test, CN=localhost\" has RSA 1024"},
    {"sha1",
     {WEAK_OK},
     NULL,
     TG_EAUTH,
     "tls_certificate",
     "weak hash: \"O=Triglot test, CN=localhost\" is signed with SHA-1"},
    {"not-ca",
     {NULL},
     NULL,
     TG_EAUTH,
     "tls_certificate",
     "the issuer is not a CA: \"O=Triglot test, CN=Not a CA\""},
    {"name-constraint", {NULL}, NULL, TG_EAUTH, "tls_certificate", "critical extension"},
    {"valid", {"-tls1_3"}, NULL, TG_EPROTO, "tls_handshake", "requires TLS 1.3"},
    {"valid", {"-tls1_1", WEAK_OK}, NULL, TG_EPROTO, "tls_handshake", "only TLS 1.1 or older"},
    {"valid",
     {"-cipher", "AES128-SHA"},
     NULL,
     TG_EPROTO,
     "tls_handshake",
     "no cipher suite in common"},
    {"valid", {"-alpn", "h2"}, NULL, TG_EPROTO, "tls_handshake", "does not offer HTTP/1.1"},
};

static void
test_verdicts(void **state)
{
    unsigned wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *r = &rows[i];
        struct call c = {.name = r->name ? r->name : "localhost"};
        const char *words[10];
        unsigned n = 0;
        pid_t pid;

        while (r->words[n]) {
            words[n] = r->words[n];
            n++;
        }
        words[n] = NULL;
        pid = net_tls_openssl(r->server, words, &c.port);
        run(shake_body, &c);
        net_tls_kill(pid);
        if (c.rc == r->rc && (r->rc == TG_OK || (strcmp(c.err.code, r->code) == 0 &&
                                                 strstr(c.err.msg, r->reason) != NULL)))
            continue;
        wrong++;
        print_error("row %zu (%s, %s): %s %s: %s\n", i, r->server, c.name, tg_rc_name(c.rc),
                    c.rc != TG_OK && c.err.code ? c.err.code : "-",
                    c.rc != TG_OK ? c.err.msg : "accepted");
    }
    assert_int_equal(wrong, 0);
}

static void
test_not_tls(void **state)
{
    struct call c = {.name = "localhost"};
    struct net_tls_server *s = net_tls_start(NET_TLS_PLAIN, &c.port);

    (void)state;
    run(shake_body, &c);
    net_tls_stop(s);
    assert_int_equal(c.rc, TG_EPROTO);
    assert_string_equal(c.err.code, "tls_handshake");
    assert_non_null(strstr(c.err.msg, "does not speak TLS"));

    s = net_tls_start(NET_TLS_HANGUP, &c.port);
    run(shake_body, &c);
    net_tls_stop(s);
    assert_int_equal(c.rc, TG_EGONE);
    assert_non_null(strstr(c.err.msg, "during the TLS handshake"));
}

static tg_rc
info_body(void *arg)
{
    struct call *c = arg;

    shake(c);
    assert_int_equal(c->rc, TG_OK);
    conn_close(c->conn);
    assert_string_equal(c->info.version, "TLS 1.2");
    assert_string_equal(c->info.suite, "ECDHE-RSA-AES256-GCM-SHA384");
    assert_false(c->info.resumed);
    assert_int_equal(c->info.n_chain, 2);
    assert_string_equal(c->info.chain[0].subject, "O=Triglot test, CN=localhost");
    assert_string_equal(c->info.chain[0].issuer, "O=Triglot test, CN=Test intermediate");
    assert_string_equal(c->info.chain[0].key, "RSA 2048");
    assert_string_equal(c->info.chain[0].not_after, "2048-01-01T00:00:00.000Z");
    assert_string_equal(c->info.chain[1].issuer, "O=Triglot test, CN=Test root");

    /* Again, with what the first left. */
    shake(c);
    assert_int_equal(c->rc, TG_OK);
    conn_close(c->conn);
    assert_true(c->info.resumed);
    assert_int_equal(c->info.n_chain, 0);
    return TG_OK;
}

static void
test_info_and_resumption(void **state)
{
    static const char *const words[] = {"-cipher", "ECDHE-RSA-AES256-GCM-SHA384", NULL};
    struct call c = {.name = "localhost", .session = tls_session_new()};
    pid_t pid = net_tls_openssl("chain", words, &c.port);

    (void)state;
    run(info_body, &c);
    net_tls_kill(pid);
    /* A server that has forgotten the session makes a full handshake. */
    pid = net_tls_openssl("chain", words, &c.port);
    run(info_body, &c);
    net_tls_kill(pid);
    tls_session_free(c.session);
}

enum { MEGABYTE = 1 << 20 };

static tg_rc
send_megabyte(void *arg)
{
    struct conn *c = arg;
    unsigned char piece[9000];
    struct str v[2];
    size_t n;
    tg_rc rc = TG_OK;

    for (size_t at = 0; at < MEGABYTE && rc == TG_OK; at += n) {
        n = 1 + at % sizeof piece;
        if (n > MEGABYTE - at)
            n = MEGABYTE - at;
        net_test_fill(7, at, piece, n);
        v[0] = str_of((char *)piece, n / 3);
        v[1] = str_from(str_of((char *)piece, n), n / 3);
        rc = conn_putv(c, v, 2, NULL);
    }
    return rc;
}

static tg_rc
megabyte_body(void *arg)
{
    struct call *c = arg;
    struct co_scope sc;
    struct str in;
    size_t got = 0;

    shake(c);
    assert_int_equal(c->rc, TG_OK);
    assert_true(conn_idle(c->conn));
    co_scope_open(&sc, co_now() + 60 * NS_PER_S);
    assert_int_equal(co_spawn(&sc, "send", send_megabyte, c->conn), TG_OK);
    while (got < MEGABYTE) {
        assert_int_equal(conn_read(c->conn, &in, &c->err), TG_OK);
        assert_true(in.n > 0);
        for (size_t i = 0; i < in.n; i++)
            assert_int_equal((unsigned char)in.p[i], net_test_byte(7, got + i));
        got += in.n;
        conn_consume(c->conn, in.n);
    }
    assert_int_equal(co_join(&sc), TG_OK);
    assert_int_equal(co_scope_close(&sc), TG_OK);
    assert_true(conn_idle(c->conn));
    conn_close(c->conn);
    assert_true(net_test_until(all_freed, NULL));
    return TG_OK;
}

static void
test_megabyte(void **state)
{
    struct call c = {.name = "localhost"};
    struct net_tls_server *s = net_tls_start(NET_TLS_ECHO, &c.port);

    (void)state;
    run(megabyte_body, &c);
    net_tls_stop(s);
}

struct ending {
    struct call call;
    char text[16];
    size_t n;
    tg_rc rc;
};

static tg_rc
ending_body(void *arg)
{
    struct ending *e = arg;
    struct str ask = STR("GET / HTTP/1.1\r\n\r\n"), in;

    shake(&e->call);
    assert_int_equal(e->call.rc, TG_OK);
    assert_int_equal(conn_putv(e->call.conn, &ask, 1, NULL), TG_OK);
    while ((e->rc = conn_read(e->call.conn, &in, &e->call.err)) == TG_OK && in.n > 0) {
        assert_true(e->n + in.n < sizeof e->text);
        memcpy(e->text + e->n, in.p, in.n);
        e->n += in.n;
        conn_consume(e->call.conn, in.n);
    }
    assert_false(conn_idle(e->call.conn));
    conn_close(e->call.conn);
    return TG_OK;
}

static void
ending(enum net_tls_mode mode, struct ending *e)
{
    struct net_tls_server *s;

    *e = (struct ending){.call = {.name = "localhost"}};
    s = net_tls_start(mode, &e->call.port);
    run(ending_body, e);
    net_tls_stop(s);
}

static void
test_endings(void **state)
{
    struct ending e;

    (void)state;
    ending(NET_TLS_ANSWER, &e);
    assert_int_equal(e.rc, TG_OK);
    assert_string_equal(e.text, "whole");

    ending(NET_TLS_CUT, &e);
    assert_string_equal(e.text, "half");
    assert_int_equal(e.rc, TG_EGONE);
    assert_string_equal(e.call.err.code, "tls_truncated");

    ending(NET_TLS_GARBAGE, &e);
    assert_int_equal(e.n, 0);
    assert_int_equal(e.rc, TG_EPROTO);
    assert_string_equal(e.call.err.code, "tls_record");
    assert_non_null(strstr(e.call.err.msg, "damaged or forged"));
}

enum { CROWD = 200 };

struct crowd {
    uint16_t port;
    unsigned done, ticks;
    int64_t worker_ns, process_ns;
};

static int64_t
cpu_ns(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static tg_rc
one_of_crowd(void *arg)
{
    struct crowd *cr = arg;
    struct call *c = calloc(1, sizeof *c);
    struct str ask = STR("GET / HTTP/1.0\r\n\r\n"), in;

    assert_non_null(c);
    c->name = "localhost";
    c->port = cr->port;
    shake(c);
    assert_int_equal(c->rc, TG_OK);
    assert_int_equal(conn_putv(c->conn, &ask, 1, NULL), TG_OK);
    assert_int_equal(conn_read(c->conn, &in, NULL), TG_OK);
    assert_true(str_starts(in, STR("HTTP/1.0 200")));
    conn_close(c->conn);
    free(c);
    cr->done++;
    return TG_OK;
}

static tg_rc
tick(void *arg)
{
    struct crowd *cr = arg;

    while (cr->done < CROWD && co_sleep_until(co_now() + NS_PER_MS) == TG_OK)
        cr->ticks++;
    return TG_OK;
}

static tg_rc
crowd_body(void *arg)
{
    struct crowd *cr = arg;
    struct co_scope sc;

    cr->worker_ns = cpu_ns(CLOCK_THREAD_CPUTIME_ID);
    cr->process_ns = cpu_ns(CLOCK_PROCESS_CPUTIME_ID);
    co_scope_open(&sc, co_now() + 120 * NS_PER_S);
    for (unsigned i = 0; i < CROWD; i++)
        assert_int_equal(co_spawn(&sc, "handshake", one_of_crowd, cr), TG_OK);
    assert_int_equal(co_spawn(&sc, "tick", tick, cr), TG_OK);
    assert_int_equal(co_join(&sc), TG_OK);
    assert_int_equal(co_scope_close(&sc), TG_OK);
    cr->worker_ns = cpu_ns(CLOCK_THREAD_CPUTIME_ID) - cr->worker_ns;
    cr->process_ns = cpu_ns(CLOCK_PROCESS_CPUTIME_ID) - cr->process_ns;
    assert_true(net_test_until(all_freed, NULL));
    return TG_OK;
}

/* The servers are other processes, so what this one spends beyond the worker is handshakes. The
 * same done in place shows what the worker is spared. */
static void
crowd(unsigned threads, struct crowd *cr)
{
    pid_t pid = net_tls_openssl("valid", NULL, &cr->port);

    assert_int_equal(co_offload_start(threads, 64, NULL), TG_OK);
    assert_int_equal(co_test_run(crowd_body, cr), TG_OK);
    co_offload_stop();
    net_tls_kill(pid);
    assert_int_equal(cr->done, CROWD);
}

static void
test_crowd(void **state)
{
    struct crowd away = {0}, in_place = {0};
    int64_t arithmetic;

    (void)state;
    crowd(2, &away);
    crowd(0, &in_place);
    arithmetic = away.process_ns - away.worker_ns;
    print_message(
        "%u handshakes: worker %lld us each, offload %lld us each, %u ticks; in place "
        "%lld us each, %u ticks\n",
        CROWD, (long long)(away.worker_ns / 1000 / CROWD),
        (long long)(arithmetic / 1000 / CROWD), away.ticks,
        (long long)(in_place.worker_ns / 1000 / CROWD), in_place.ticks);
    assert_true(away.worker_ns * 3 < in_place.worker_ns * 2);
    assert_true(away.ticks >= 20);
}

static void
test_trust_files(void **state)
{
    struct tls_trust *t = NULL;
    struct tg_err err;

    (void)state;
    assert_int_equal(tls_trust_anchors(test_trust), 1);
    assert_int_equal(tls_trust_skipped(test_trust), 0);
    t = load("mixed");
    assert_int_equal(tls_trust_anchors(t), 1);
    assert_int_equal(tls_trust_skipped(t), 2);
    tls_trust_ref(t);
    tls_trust_unref(t);
    tls_trust_unref(t);
    t = NULL;
    assert_int_equal(tls_trust_load(str_z(net_tls_file("useless", "crt")), &t, &err),
                     TG_ECONFIG);
    assert_non_null(strstr(err.msg, "2 skipped"));
    assert_int_equal(tls_trust_load(str_z(net_tls_file("ca", "key")), &t, &err), TG_ECONFIG);
    assert_int_equal(tls_trust_load(STR("/nowhere.pem"), &t, &err), TG_ECONFIG);
    assert_non_null(strstr(err.msg, "/nowhere.pem"));
    assert_null(t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trust_files), cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_not_tls),     cmocka_unit_test(test_info_and_resumption),
        cmocka_unit_test(test_megabyte),    cmocka_unit_test(test_endings),
        cmocka_unit_test(test_crowd),
    };

    return cmocka_run_group_tests_name("net/tls", tests, set_up, tear_down);
}
