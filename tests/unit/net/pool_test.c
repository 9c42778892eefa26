/* pool_test.c -- names, dialling, and pooled connections over loopback. */
#include "net/pool.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "co/ring.h"
#include "net/dial.h"
#include "net/dns.h"
#include "support/co_test.h"
#include "support/net_test.h"
#include "support/net_tls.h"

static bool
all_freed(void *arg)
{
    (void)arg;
    return sock_live() == 0 && ring_in_flight(co_ring()) == 0;
}

static void
run(co_fn *body)
{
    assert_int_equal(co_offload_start(2, 64, NULL), TG_OK);
    assert_int_equal(co_test_run(body, NULL), TG_OK);
    co_offload_stop();
    dns_set_resolver(NULL);
}

static void
end(void)
{
    assert_true(net_test_until(all_freed, NULL));
    sock_thread_fini();
    dns_thread_fini();
}

/* Written by offload threads, read when they are idle. */
static struct {
    unsigned asked;
    tg_rc rc;
    unsigned n;
    in_addr_t addrs[3];
} fake;

static tg_rc
fake_resolve(const char *host, struct dns_addr ret[DNS_ADDRS_MAX], unsigned *ret_n,
             const char **ret_why)
{
    fake.asked++;
    if (strcmp(host, "api.test") != 0 || fake.rc != TG_OK) {
        *ret_why = "the test says so";
        return fake.rc != TG_OK ? fake.rc : TG_ENOTFOUND;
    }
    for (unsigned i = 0; i < fake.n; i++) {
        struct sockaddr_in *in = (struct sockaddr_in *)&ret[i].sa;

        in->sin_family = AF_INET;
        in->sin_addr.s_addr = htonl(fake.addrs[i]);
        ret[i].len = sizeof *in;
    }
    *ret_n = fake.n;
    return TG_OK;
}

static void
fake_set(tg_rc rc, in_addr_t a, in_addr_t b)
{
    fake.asked = 0;
    fake.rc = rc;
    fake.n = b ? 2 : 1;
    fake.addrs[0] = a;
    fake.addrs[1] = b;
    dns_set_resolver(fake_resolve);
}

static tg_rc
look_up(void *arg)
{
    struct dns_addr addrs[DNS_ADDRS_MAX];
    unsigned n;

    (void)arg;
    return dns_lookup(STR("Api.Test"), 443, addrs, &n, NULL);
}

static tg_rc
dns_body(void *arg)
{
    struct dns_addr addrs[DNS_ADDRS_MAX];
    struct co_scope sc;
    struct tg_err err;
    unsigned n = 0;

    (void)arg;
    /* Literals ask nobody. */
    fake_set(TG_EUNAVAIL, 0, 0);
    assert_int_equal(dns_lookup(STR("127.0.0.1"), 80, addrs, &n, NULL), TG_OK);
    assert_int_equal(n, 1);
    assert_int_equal(ntohs(((struct sockaddr_in *)&addrs[0].sa)->sin_port), 80);
    assert_int_equal(dns_lookup(STR("[::1]"), 81, addrs, &n, NULL), TG_OK);
    assert_int_equal(addrs[0].sa.ss_family, AF_INET6);
    assert_int_equal(fake.asked, 0);

    /* Twenty who ask at once cost one look-up, and so does the next. */
    fake_set(TG_OK, INADDR_LOOPBACK, INADDR_LOOPBACK + 1);
    co_scope_open(&sc, CO_NEVER);
    for (int i = 0; i < 20; i++)
        assert_int_equal(co_spawn(&sc, "look up", look_up, NULL), TG_OK);
    assert_int_equal(co_join(&sc), TG_OK);
    assert_int_equal(co_scope_close(&sc), TG_OK);
    assert_int_equal(dns_lookup(STR("api.test"), 8443, addrs, &n, NULL), TG_OK);
    assert_int_equal(n, 2);
    assert_int_equal(ntohs(((struct sockaddr_in *)&addrs[1].sa)->sin_port), 8443);
    assert_int_equal(fake.asked, 1);

    /* A failure is remembered too. */
    assert_int_equal(dns_lookup(STR("no.test"), 80, addrs, &n, &err), TG_ENOTFOUND);
    assert_string_equal(err.code, "dns");
    assert_string_equal(err.msg, "cannot find no.test: the test says so");
    assert_int_equal(dns_lookup(STR("no.test"), 80, addrs, &n, &err), TG_ENOTFOUND);
    assert_int_equal(fake.asked, 2);
    assert_int_equal(dns_lookup(STR(""), 80, addrs, &n, &err), TG_ENOTFOUND);
    assert_int_equal(dns_lookup(STR("a b"), 80, addrs, &n, &err), TG_ENOTFOUND);

    /* The cache is bounded and goes on working when full. */
    for (int i = 0; i < 600; i++) {
        char host[24];

        (void)snprintf(host, sizeof host, "n%d.test", i);
        assert_int_equal(dns_lookup(str_z(host), 80, addrs, &n, NULL), TG_ENOTFOUND);
    }
    dns_set_resolver(NULL);
    assert_int_equal(dns_lookup(STR("localhost"), 80, addrs, &n, &err), TG_OK);
    end();
    return TG_OK;
}

static void
test_dns(void **state)
{
    (void)state;
    run(dns_body);
}

static tg_rc
dial_body(void *arg)
{
    struct tg_err err;
    struct co_scope sc;
    uint16_t port, closed_port;
    int lfd = net_test_listen(&port), closed = net_test_refusing(&closed_port), fd;

    (void)arg;
    /* Nobody listens on the first address: the second is tried at once. */
    fake_set(TG_OK, INADDR_LOOPBACK + 1, INADDR_LOOPBACK);
    assert_int_equal(dial(STR("api.test"), port, 5 * NS_PER_S, &fd, &err), TG_OK);
    close(fd);
    assert_int_equal(dial(STR("127.0.0.1"), closed_port, 5 * NS_PER_S, &fd, &err), TG_EUNAVAIL);
    assert_string_equal(err.code, "connect");
    assert_int_equal(err.sys_errno, ECONNREFUSED);
    assert_non_null(strstr(err.msg, "Connection refused"));
    /* A cancelled caller gets its own reason. */
    co_scope_open(&sc, CO_NEVER);
    co_cancel(&sc, TG_EGONE);
    assert_int_equal(dial(STR("127.0.0.1"), port, 5 * NS_PER_S, &fd, &err), TG_EGONE);
    (void)co_scope_close(&sc);
    close(lfd);
    close(closed);
    end();
    return TG_OK;
}

static void
test_dial(void **state)
{
    (void)state;
    run(dial_body);
}

/* A listener whose backlog is full drops further SYNs: a connect that never ends. */
static tg_rc
dial_timeout_body(void *arg)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct tg_err err;
    uint16_t port;
    int lfd = net_test_refusing(&port), fill[4], fd;
    co_time began;

    (void)arg;
    assert_int_equal(listen(lfd, 0), 0);
    sa.sin_port = htons(port);
    for (int i = 0; i < 4; i++) {
        fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)connect(fill[i], (struct sockaddr *)&sa, sizeof sa);
    }
    began = co_now();
    assert_int_equal(dial(STR("127.0.0.1"), port, 50 * NS_PER_MS, &fd, &err), TG_EDEADLINE);
    assert_string_equal(err.code, "connect_timeout");
    assert_int_equal(err.http, 504);
    assert_true(co_now_exact() - began >= 50 * NS_PER_MS);
    for (int i = 0; i < 4; i++)
        close(fill[i]);
    close(lfd);
    end();
    return TG_OK;
}

static void
test_dial_timeout(void **state)
{
    (void)state;
    run(dial_timeout_body);
}

struct server {
    int lfd;
    struct pool *pool;
};

static struct server
serve(unsigned max, co_time idle_ns)
{
    struct server s;
    uint16_t port;

    s.lfd = net_test_listen(&port);
    s.pool = pool_new(&(struct pool_conf){
        .host = STR("127.0.0.1"), .port = port, .connections_max = max, .idle_ns = idle_ns});
    return s;
}

static struct conn *
get(struct server *s, bool fresh, bool want_reused)
{
    struct conn *c = NULL;
    struct tg_err err;
    bool reused;

    assert_int_equal(pool_get(s->pool, fresh, &c, &reused, &err), TG_OK);
    assert_int_equal(reused, want_reused);
    return c;
}

static bool
one_stale(void *arg)
{
    return pool_stats(arg)->stale == 1;
}

static bool
readable(void *arg)
{
    return sock_readable(arg);
}

static tg_rc
pool_body(void *arg)
{
    struct server s = serve(0, 0);
    struct conn *a, *b;
    int peer_a, peer_b;

    (void)arg;
    a = get(&s, false, false);
    peer_a = accept(s.lfd, NULL, NULL);
    b = get(&s, false, false);
    peer_b = accept(s.lfd, NULL, NULL);
    assert_int_equal(pool_stats(s.pool)->out, 2);
    pool_put(s.pool, a, 0);
    pool_put(s.pool, b, 0);
    assert_int_equal(pool_stats(s.pool)->idle, 2);
    /* Last in, first out; fresh means fresh. */
    assert_ptr_equal(get(&s, false, true), b);
    assert_int_equal(b->uses, 2);
    pool_put(s.pool, b, 0);
    a = get(&s, true, false);
    close(accept(s.lfd, NULL, NULL));
    pool_drop(s.pool, a);
    assert_int_equal(pool_stats(s.pool)->dialled, 3);

    /* The peer closes an idle one: it goes at once. */
    close(peer_b);
    assert_true(net_test_until(one_stale, s.pool));
    assert_int_equal(pool_stats(s.pool)->idle, 1);

    /* The peer says something unasked for: not handed out again, not taken back. */
    a = get(&s, false, true);
    net_test_write(peer_a, "HTTP/1.1 408", 12);
    assert_true(net_test_until(readable, a->sock));
    pool_put(s.pool, a, 0);
    assert_int_equal(pool_stats(s.pool)->idle, 0);
    close(peer_a);

    /* The same while it is idle. */
    a = get(&s, false, false);
    peer_a = accept(s.lfd, NULL, NULL);
    pool_put(s.pool, a, 0);
    net_test_write(peer_a, "x", 1);
    assert_true(net_test_until(readable, a->sock));
    b = get(&s, false, false);
    assert_int_equal(pool_stats(s.pool)->stale, 2);
    pool_drop(s.pool, b);
    close(peer_a);

    /* Closed with one handed out: freed with it. */
    a = get(&s, false, false);
    b = get(&s, false, false);
    pool_put(s.pool, b, 0);
    pool_close(s.pool);
    pool_put(s.pool, a, 0);
    close(s.lfd);
    end();
    return TG_OK;
}

static void
test_pool(void **state)
{
    (void)state;
    run(pool_body);
}

static bool
none_idle(void *arg)
{
    return pool_stats(arg)->idle == 0;
}

static tg_rc
expiry_body(void *arg)
{
    struct server s = serve(0, 10 * NS_PER_S);
    struct conn *a, *b;

    (void)arg;
    a = get(&s, false, false);
    b = get(&s, false, false);
    pool_put(s.pool, a, 0);
    pool_put(s.pool, b, 20 * NS_PER_MS); /* its server says so */
    assert_int_equal(pool_stats(s.pool)->idle, 2);
    while (pool_stats(s.pool)->idle == 2)
        assert_int_equal(co_sleep_until(co_now() + NS_PER_MS), TG_OK);
    assert_ptr_equal(get(&s, false, true), a);
    pool_put(s.pool, a, 5 * NS_PER_MS);
    assert_true(net_test_until(none_idle, s.pool));
    assert_int_equal(pool_stats(s.pool)->stale, 0);
    pool_close(s.pool);
    close(s.lfd);
    end();
    return TG_OK;
}

static void
test_expiry(void **state)
{
    (void)state;
    run(expiry_body);
}

struct claim {
    struct server *s;
    bool fresh;
    unsigned number;
    struct conn *conn;
    bool reused;
    tg_rc rc;
};

static unsigned order[8], n_order;

static tg_rc
claim(void *arg)
{
    struct claim *c = arg;
    struct tg_err err;

    c->rc = pool_get(c->s->pool, c->fresh, &c->conn, &c->reused, &err);
    if (c->rc == TG_OK)
        order[n_order++] = c->number;
    return TG_OK;
}

static bool
three_waiting(void *arg)
{
    return pool_stats(arg)->waiting == 3;
}

static tg_rc
limit_body(void *arg)
{
    struct server s = serve(2, 0);
    struct claim c[3] = {
        {.s = &s, .number = 0}, {.s = &s, .number = 1, .fresh = true}, {.s = &s, .number = 2}};
    struct co_scope sc, sc_given_up;
    struct claim given_up = {.s = &s};
    struct conn *a = get(&s, false, false), *b = get(&s, false, false);

    (void)arg;
    n_order = 0;
    co_scope_open(&sc, CO_NEVER);
    for (int i = 0; i < 3; i++)
        assert_int_equal(co_spawn(&sc, "claim", claim, &c[i]), TG_OK);
    assert_true(net_test_until(three_waiting, s.pool));

    /* One whose time is up leaves the queue. */
    co_scope_open(&sc_given_up, co_now() + 5 * NS_PER_MS);
    assert_int_equal(claim(&given_up), TG_OK);
    (void)co_scope_close(&sc_given_up);
    assert_int_equal(given_up.rc, TG_EDEADLINE);
    assert_int_equal(pool_stats(s.pool)->waiting, 3);

    /* The first gets the connection itself; the second, who wants a fresh one, its place. */
    pool_put(s.pool, a, 0);
    pool_put(s.pool, b, 0);
    while (n_order < 2)
        assert_int_equal(co_yield(), TG_OK);
    assert_ptr_equal(c[0].conn, a);
    assert_true(c[0].reused);
    assert_false(c[1].reused);
    assert_int_equal(pool_stats(s.pool)->waiting, 1);
    pool_drop(s.pool, c[0].conn);
    assert_int_equal(co_join(&sc), TG_OK);
    assert_int_equal(co_scope_close(&sc), TG_OK);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(order[i], i);
    assert_int_equal(pool_stats(s.pool)->out, 2);

    /* At the limit with an idle one, a fresh one takes its place. */
    pool_put(s.pool, c[1].conn, 0);
    a = get(&s, true, false);
    pool_drop(s.pool, a);
    pool_drop(s.pool, c[2].conn);

    /* A failed dial gives its place back. */
    close(s.lfd);
    for (int i = 0; i < 4; i++) {
        struct claim failing = {.s = &s};

        assert_int_equal(claim(&failing), TG_OK);
        assert_int_equal(failing.rc, TG_EUNAVAIL);
    }
    assert_int_equal(pool_stats(s.pool)->failed, 4);
    pool_close(s.pool);
    end();
    return TG_OK;
}

static void
test_limit(void **state)
{
    (void)state;
    run(limit_body);
}

static tg_rc
closed_waiting_body(void *arg)
{
    struct server s = serve(1, 0);
    struct claim c = {.s = &s};
    struct conn *a = get(&s, false, false);
    struct co_scope sc;

    (void)arg;
    co_scope_open(&sc, CO_NEVER);
    assert_int_equal(co_spawn(&sc, "claim", claim, &c), TG_OK);
    assert_int_equal(co_yield(), TG_OK);
    pool_close(s.pool);
    assert_int_equal(co_join(&sc), TG_OK);
    assert_int_equal(co_scope_close(&sc), TG_OK);
    assert_int_equal(c.rc, TG_EGONE);
    pool_drop(s.pool, a);
    close(s.lfd);
    end();
    return TG_OK;
}

static void
test_closed_waiting(void **state)
{
    (void)state;
    run(closed_waiting_body);
}

static tg_rc
tls_body(void *arg)
{
    struct tls_trust *trust = NULL;
    struct pool_conf conf = {.host = STR("127.0.0.1"), .server_name = STR("localhost")};
    struct net_tls_server *server;
    struct tg_err err;
    struct pool *p;
    struct conn *c;
    bool reused;
    uint16_t silent_port;
    int silent;

    (void)arg;
    (void)net_tls_certs();
    assert_int_equal(tls_trust_load(str_z(net_tls_file("ca", "crt")), &trust, &err), TG_OK);
    conf.trust = trust;
    server = net_tls_start(NET_TLS_ECHO, &conf.port);
    p = pool_new(&conf);
    tls_trust_unref(trust); /* the pool has its own */
    assert_int_equal(pool_get(p, false, &c, &reused, &err), TG_OK);
    pool_put(p, c, 0);
    assert_int_equal(pool_get(p, false, &c, &reused, &err), TG_OK);
    assert_true(reused);
    pool_drop(p, c);
    pool_close(p);
    assert_true(net_test_until(all_freed, NULL));
    net_tls_stop(server);

    /* A server that accepts and says nothing. */
    assert_int_equal(tls_trust_load(str_z(net_tls_file("ca", "crt")), &trust, &err), TG_OK);
    silent = net_test_listen(&silent_port);
    conf.port = silent_port;
    conf.trust = trust;
    conf.tls_ns = 30 * NS_PER_MS;
    p = pool_new(&conf);
    assert_int_equal(pool_get(p, false, &c, &reused, &err), TG_EDEADLINE);
    assert_string_equal(err.code, "tls_timeout");
    assert_int_equal(pool_stats(p)->failed, 1);
    pool_close(p);
    tls_trust_unref(trust);
    close(silent);
    end();
    return TG_OK;
}

static void
test_tls(void **state)
{
    (void)state;
    run(tls_body);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dns),
        cmocka_unit_test(test_dial),
        cmocka_unit_test(test_dial_timeout),
        cmocka_unit_test(test_pool),
        cmocka_unit_test(test_expiry),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_closed_waiting),
        cmocka_unit_test(test_tls),
    };

    return cmocka_run_group_tests_name("net/pool", tests, NULL, NULL);
}
