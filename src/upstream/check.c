/* check.c -- `triglot check-upstream URL`.
 *
 * Goes the way that a request goes (look-up, each address in turn, TLS, one HTTP exchange),
 * with the same code and the same verdicts, and says at each step what it found.  Two
 * connections are made, because the second shows whether the server resumes sessions.
 */
#include "upstream/check.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/num.h"
#include "co/co.h"
#include "net/conn.h"
#include "net/dial.h"
#include "net/dns.h"
#include "net/tls.h"

enum { STATUS_LINE_MAX = 256, ADDRESS_TEXT = 64, REQUEST_MAX = 8192 };

#define CONNECT_NS (10 * NS_PER_S)
#define ANSWER_NS  (15 * NS_PER_S)

struct check {
    struct str host, authority, path;
    uint16_t port;
    bool tls;
    struct str server_name;
    struct tls_trust *trust;
    struct tls_session *session;
    struct tg_err err;
};

/* scheme://host[:port][/path]; IPv6 literals in brackets. */
static bool
parse_url(const char *url, struct check *k)
{
    struct str s = str_z(url), port = {NULL, 0};
    uint64_t number;
    size_t slash, colon;

    if (str_starts(s, STR("https://"))) {
        k->tls = true;
        s = str_from(s, 8);
    } else if (str_starts(s, STR("http://"))) {
        s = str_from(s, 7);
    } else {
        return false;
    }
    slash = str_find(s, '/');
    k->authority = k->host = str_of(s.p, slash);
    k->path = slash < s.n ? str_from(s, slash) : STR("/");
    if (k->host.n > 0 && k->host.p[0] == '[') {
        size_t end = str_find(k->host, ']');

        if (end == k->host.n)
            return false;
        port = str_from(k->host, end + 1);
        if (port.n > 0 && port.p[0] != ':')
            return false;
        k->host = str_of(k->host.p + 1, end - 1);
        port = str_from(port, 1);
    } else {
        colon = str_find(k->host, ':');
        port = str_from(k->host, colon + 1);
        k->host = str_of(k->host.p, colon);
    }
    k->port = k->tls ? 443 : 80;
    if (port.n > 0) {
        if (num_u64(port, 65535, &number) != TG_OK)
            return false;
        k->port = (uint16_t)number;
    }
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 127)
            return false;
    return k->host.n > 0 && str_find(k->authority, '@') == k->authority.n;
}

static tg_rc
show_addresses(struct check *k)
{
    struct dns_addr addrs[DNS_ADDRS_MAX];
    char text[ADDRESS_TEXT];
    unsigned n;
    tg_rc rc = dns_lookup(k->host, k->port, addrs, &n, &k->err);

    if (rc != TG_OK)
        return rc;
    printf("host: %.*s\n", STR_ARG(k->host));
    for (unsigned i = 0; i < n; i++) {
        dial_address_text((const struct sockaddr *)&addrs[i].sa, text, sizeof text);
        printf("address: %s\n", text);
    }
    return TG_OK;
}

static tg_rc
open_conn(struct check *k, struct conn **ret, struct tls_info *ret_info)
{
    struct sock *s;
    int fd;
    tg_rc rc = dial(k->host, k->port, CONNECT_NS, &fd, &k->err);

    if (rc != TG_OK)
        return rc;
    s = sock_open(fd, NULL);
    if (!k->tls) {
        *ret = conn_plain(s);
        return TG_OK;
    }
    return tls_connect(s, k->trust, k->server_name, k->session, ret, ret_info, &k->err);
}

static void
show_tls(const struct tls_info *info)
{
    printf("tls: %s\nsuite: %s\n", info->version, info->suite);
    for (unsigned i = 0; i < info->n_chain; i++) {
        const struct tls_cert_info *c = &info->chain[i];

        printf("certificate %u: %s\n  issuer: %s\n  valid until: %s\n  key: %s\n", i,
               c->subject, c->issuer, c->not_after, c->key);
    }
}

/* The first line of the answer to GET. */
static tg_rc
ask(struct check *k, struct conn *c, char out[STATUS_LINE_MAX])
{
    struct buf request;
    struct str v, in;
    size_t n = 0;
    tg_rc rc;

    buf_init(&request, REQUEST_MAX);
    rc = buf_printf(&request,
                    "GET %.*s HTTP/1.1\r\nhost: %.*s\r\nuser-agent: triglot\r\n"
                    "connection: close\r\n\r\n",
                    STR_ARG(k->path), STR_ARG(k->authority));
    v = buf_str(&request);
    if (rc == TG_OK)
        rc = conn_putv(c, &v, 1, &k->err);
    buf_fini(&request);
    while (rc == TG_OK) {
        rc = conn_read(c, &in, &k->err);
        if (rc != TG_OK || in.n == 0)
            break;
        for (size_t i = 0; i < in.n && n < STATUS_LINE_MAX - 1; i++) {
            if (in.p[i] == '\r' || in.p[i] == '\n') {
                out[n] = '\0';
                return TG_OK;
            }
            out[n++] = in.p[i] >= ' ' && in.p[i] < 127 ? in.p[i] : '?';
        }
        conn_consume(c, in.n);
        if (n == STATUS_LINE_MAX - 1)
            break;
    }
    out[n] = '\0';
    if (rc == TG_OK)
        rc = tg_fail(&k->err, TG_EPROTO, TG_ERR_UPSTREAM, "status_line",
                     "the server did not answer with an HTTP status line");
    return rc;
}

/* Both connections; what is learned goes to standard output as it is learned. */
static tg_rc
check_connections(struct check *k)
{
    struct tls_info info;
    struct conn *c;
    char status[STATUS_LINE_MAX];
    tg_rc rc = show_addresses(k);

    if (rc == TG_OK)
        rc = open_conn(k, &c, &info);
    if (rc != TG_OK)
        return rc;
    if (k->tls)
        show_tls(&info);
    rc = ask(k, c, status);
    conn_close(c);
    if (rc != TG_OK)
        return rc;
    printf("GET %.*s: %s\n", STR_ARG(k->path), status);
    if (!k->tls)
        return TG_OK;
    info.resumed = false;
    rc = open_conn(k, &c, &info);
    if (rc != TG_OK)
        return rc;
    printf("session resumed: %s\n", info.resumed ? "yes" : "no");
    conn_close(c);
    return TG_OK;
}

static tg_rc
check_main(void *arg)
{
    struct check *k = arg;
    struct co_scope sc;
    tg_rc rc;

    co_scope_open(&sc, co_now() + 4 * CONNECT_NS + ANSWER_NS);
    rc = check_connections(k);
    co_scope_close(&sc);
    if (rc == TG_EDEADLINE && k->err.rc == TG_OK)
        rc = tg_fail(&k->err, rc, TG_ERR_TIMEOUT, "timeout", "no answer in time");
    dns_thread_fini();
    return rc;
}

static tg_rc
check_run(struct check *k)
{
    struct co_conf conf = {.recv_buffers = 16, .recv_buffer_bytes = 16384};
    tg_rc rc = co_offload_start(1, 16, &k->err);

    if (rc != TG_OK)
        return rc;
    rc = co_run(&conf, "check", check_main, k, &k->err);
    co_offload_stop();
    if (rc == TG_OK || sock_live() == 0)
        sock_thread_fini();
    return rc;
}

int
check_upstream_main(const char *url, const char *ca_file, const char *server_name)
{
    struct check k = {.err = {.rc = TG_OK}};
    tg_rc rc = TG_OK;

    if (!parse_url(url, &k)) {
        (void)fprintf(stderr, "check-upstream: \"%s\" is not an http or https URL\n", url);
        return 2;
    }
    k.server_name = server_name ? str_z(server_name) : k.host;
    if (k.tls) {
        rc = tls_trust_load(str_z(ca_file), &k.trust, &k.err);
        k.session = tls_session_new();
    }
    if (rc == TG_OK && k.tls)
        printf("trust store: %u anchors, %u skipped\n", tls_trust_anchors(k.trust),
               tls_trust_skipped(k.trust));
    if (rc == TG_OK)
        rc = check_run(&k);
    tls_session_free(k.session);
    tls_trust_unref(k.trust);
    if (rc == TG_OK) {
        printf("verdict: usable\n");
        return 0;
    }
    printf("verdict: not usable\n");
    (void)fflush(stdout);
    (void)fprintf(stderr, "check-upstream: %s: %s\n", k.err.code ? k.err.code : "failed",
                  k.err.msg[0] ? k.err.msg : tg_rc_name(rc));
    return 1;
}
