/* short_test.c -- sockets when the runtime is short of something: room in the ring's queues,
 * shared buffers, descriptors.
 *
 * Peers are plain sockets of the kernel's, written to and read from without the ring, so that
 * all of them may have done something before the ring is looked at once.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "co/ring.h"
#include "net/dial.h"
#include "net/listen.h"
#include "net/pool.h"
#include "support/co_test.h"
#include "support/net_test.h"

enum { PAIRS = 100, BYTES = 20000, PIECE = 500 };

static bool
all_freed(void *arg)
{
    (void)arg;
    return sock_live() == 0 && ring_in_flight(co_ring()) == 0;
}

struct echo {
    struct sock *s;
    int peer;
    unsigned id;
    size_t echoed, sent, received;
};

static tg_rc
echo(void *arg)
{
    struct echo *e = arg;
    struct str in;
    tg_rc rc;

    while ((rc = sock_read(e->s, &in)) == TG_OK && in.n > 0) {
        rc = sock_put(e->s, in);
        if (rc != TG_OK)
            break;
        e->echoed += in.n;
        sock_consume(e->s, in.n);
    }
    return rc == TG_OK ? sock_flush(e->s) : rc;
}

static void
peer_writes(struct echo *e)
{
    unsigned char piece[PIECE];

    if (e->sent == BYTES)
        return;
    net_test_fill(e->id, e->sent, piece, sizeof piece);
    net_test_write(e->peer, piece, sizeof piece);
    e->sent += sizeof piece;
    if (e->sent == BYTES)
        assert_int_equal(shutdown(e->peer, SHUT_WR), 0);
}

static void
peer_reads(struct echo *e)
{
    unsigned char piece[4096];
    ssize_t n;

    while ((n = read(e->peer, piece, sizeof piece)) > 0)
        for (ssize_t i = 0; i < n; i++)
            assert_int_equal(piece[i], net_test_byte(e->id, e->received++));
}

static bool
all_echoed(void *arg)
{
    struct echo *e = arg;
    bool all = true;

    for (unsigned i = 0; i < PAIRS; i++) {
        peer_reads(&e[i]);
        all = all && e[i].received == BYTES;
    }
    return all;
}

static tg_rc
echo_body(void *arg)
{
    static struct echo e[PAIRS];
    const struct co_conf *conf = arg;
    struct co_scope sc;

    memset(e, 0, sizeof e);
    co_scope_open(&sc, co_now() + 60 * NS_PER_S);
    for (unsigned i = 0; i < PAIRS; i++) {
        int fds[2];

        net_test_pair(fds);
        e[i] = (struct echo){.s = sock_open(fds[0], NULL), .peer = fds[1], .id = i};
        assert_int_equal(co_spawn(&sc, "echo", echo, &e[i]), TG_OK);
    }
    /* All peers write before the ring is looked at: as if the thread had been stopped. */
    for (size_t sent = 0; sent < BYTES; sent += PIECE) {
        for (unsigned i = 0; i < PAIRS; i++)
            peer_writes(&e[i]);
        assert_int_equal(co_yield(), TG_OK);
        for (unsigned i = 0; i < PAIRS; i++)
            peer_reads(&e[i]);
    }
    assert_true(net_test_until(all_echoed, e));
    assert_int_equal(co_join(&sc), TG_OK);
    assert_int_equal(co_scope_close(&sc), TG_OK);
    for (unsigned i = 0; i < PAIRS; i++) {
        assert_int_equal(e[i].echoed, BYTES);
        sock_close(e[i].s);
        close(e[i].peer);
    }
    assert_true(net_test_until(all_freed, NULL));
    assert_int_equal(ring_buffers_free(co_ring()), conf->recv_buffers);
    assert_int_equal(sock_stats()->held_bytes, 0);
    if (conf->ring_cq_entries)
        assert_true(ring_stats(co_ring())->cq_overflows > 0);
    else
        assert_true(ring_stats(co_ring())->enobufs > 0);
    sock_thread_fini();
    return TG_OK;
}

static void
test_queues_overflow(void **state)
{
    struct co_conf conf = {
        .ring_entries = 8, .ring_cq_entries = 16, .recv_buffers = 64, .recv_buffer_bytes = 512};

    (void)state;
    assert_int_equal(co_test_run_conf(&conf, echo_body, &conf), TG_OK);
}

static void
test_buffers_run_out(void **state)
{
    struct co_conf conf = {.recv_buffers = 4, .recv_buffer_bytes = 512};

    (void)state;
    assert_int_equal(co_test_run_conf(&conf, echo_body, &conf), TG_OK);
}

static void
test_all_at_once(void **state)
{
    struct co_conf conf = {
        .ring_entries = 8, .ring_cq_entries = 16, .recv_buffers = 4, .recv_buffer_bytes = 256};

    (void)state;
    assert_int_equal(co_test_run_conf(&conf, echo_body, &conf), TG_OK);
}

enum { CLIENTS = 200 };

struct accepting {
    int lfd;
    unsigned n;
    int fds[CLIENTS];
    uint64_t pauses;
};

static void
on_accept(void *arg, int fd)
{
    struct accepting *a = arg;

    assert_true(a->n < CLIENTS);
    a->fds[a->n++] = fd;
}

static tg_rc
accept_all(void *arg)
{
    struct accepting *a = arg;

    return listen_accept(a->lfd, on_accept, a, &a->pauses);
}

static bool
all_accepted(void *arg)
{
    return ((struct accepting *)arg)->n == CLIENTS;
}

/* More connections wait in the kernel's queue than the ring's can tell of. */
static tg_rc
accept_body(void *arg)
{
    static struct accepting a;
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int clients[CLIENTS];
    struct co_scope sc;
    uint16_t port;

    (void)arg;
    a = (struct accepting){.lfd = net_test_listen(&port)};
    sa.sin_port = htons(port);
    co_scope_open(&sc, CO_NEVER);
    assert_int_equal(co_spawn(&sc, "accept", accept_all, &a), TG_OK);
    assert_int_equal(co_yield(), TG_OK);
    for (unsigned i = 0; i < CLIENTS; i++) {
        clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(clients[i], (struct sockaddr *)&sa, sizeof sa), 0);
    }
    assert_true(net_test_until(all_accepted, &a));
    assert_int_equal(a.pauses, 0);
    (void)co_scope_close(&sc);
    assert_int_equal(ring_in_flight(co_ring()), 0);
    for (unsigned i = 0; i < CLIENTS; i++) {
        close(a.fds[i]);
        close(clients[i]);
    }
    close(a.lfd);
    return TG_OK;
}

static void
test_accept_overflows(void **state)
{
    struct co_conf conf = {.ring_entries = 8, .ring_cq_entries = 16};

    (void)state;
    assert_int_equal(co_test_run_conf(&conf, accept_body, NULL), TG_OK);
}

#define CHECK(cond)                                                                            \
    do {                                                                                       \
        if (!(cond)) {                                                                         \
            (void)fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);                   \
            _exit(1);                                                                          \
        }                                                                                      \
    } while (0)

/* In a child, because the limit is the process's.  Connections that are open go on; one that
 * was given back idle is used; a new one is refused with the reason, and had when there is room
 * again. */
static tg_rc
no_descriptors_body(void *arg)
{
    struct pool_conf conf = {.host = STR("127.0.0.1"), .connections_max = 2};
    struct rlimit was, none;
    struct conn *a, *b;
    struct pool *p;
    struct tg_err err;
    bool reused;
    int lfd, fd;

    (void)arg;
    lfd = net_test_listen(&conf.port);
    p = pool_new(&conf);
    CHECK(pool_get(p, false, &a, &reused, &err) == TG_OK);
    CHECK(getrlimit(RLIMIT_NOFILE, &was) == 0);
    none = was;
    none.rlim_cur = 0;
    CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
    for (int i = 0; i < 5; i++) {
        memset(&err, 0, sizeof err);
        CHECK(pool_get(p, false, &b, &reused, &err) == TG_EUNAVAIL);
        CHECK(strcmp(err.code, "connect") == 0);
        CHECK(err.sys_errno == EMFILE);
        CHECK(strstr(err.msg, "too many open files"));
        CHECK(dial(conf.host, conf.port, NS_PER_S, &fd, &err) == TG_EUNAVAIL);
    }
    CHECK(pool_stats(p)->failed == 5);
    pool_put(p, a, 0);
    CHECK(pool_get(p, false, &a, &reused, &err) == TG_OK);
    CHECK(reused);
    CHECK(setrlimit(RLIMIT_NOFILE, &was) == 0);
    CHECK(pool_get(p, false, &b, &reused, &err) == TG_OK);
    CHECK(!reused);
    pool_drop(p, a);
    pool_drop(p, b);
    pool_close(p);
    close(lfd);
    CHECK(net_test_until(all_freed, NULL));
    sock_thread_fini();
    return TG_OK;
}

static void
test_no_descriptors(void **state)
{
    (void)state;
    assert_int_equal(co_test_run_apart(no_descriptors_body), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_queues_overflow), cmocka_unit_test(test_buffers_run_out),
        cmocka_unit_test(test_all_at_once),     cmocka_unit_test(test_accept_overflows),
        cmocka_unit_test(test_no_descriptors),
    };

    return cmocka_run_group_tests_name("net, short of something", tests, NULL, NULL);
}
