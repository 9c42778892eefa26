/* listen_test.c -- listening and accepting, and accepting while descriptors are short. */
#include "net/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "co/ring.h"
#include "support/co_test.h"
#include "support/net_test.h"

static int
listener(char name[64])
{
    struct tg_err err;
    int fd = -1;

    assert_int_equal(listen_open(STR("127.0.0.1:0"), &fd, &err), TG_OK);
    listen_name(fd, name, 64);
    return fd;
}

static int
connect_to(const char *name)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    sa.sin_port = htons((uint16_t)strtoul(strrchr(name, ':') + 1, NULL, 10));
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof sa), 0);
    return fd;
}

static void
expect_open(const char *address, const char *prefix)
{
    struct tg_err err = {.rc = TG_OK};
    char name[64];
    int fd = -1;

    assert_int_equal(listen_open(str_z(address), &fd, &err), TG_OK);
    listen_name(fd, name, sizeof name);
    assert_true(str_starts(str_z(name), str_z(prefix)));
    assert_null(strstr(name, ":0"));
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    close(fd);
}

static void
test_addresses(void **state)
{
    static const char *const bad[] = {"",         "8080",         ":8080",          "127.0.0.1",
                                      "1.2.3.4:", "127.0.0.1:x",  "::1:80",         "[::1]80",
                                      "[]:80",    "localhost:-1", "127.0.0.1:65536"};
    struct tg_err err;
    char name[64], text[160];
    int fd = -1, again = -1, probe;

    (void)state;
    expect_open("127.0.0.1:0", "127.0.0.1:");
    expect_open("localhost:0", "127.0.0.1:");
    probe = socket(AF_INET6, SOCK_STREAM, 0);
    expect_open("*:0", probe >= 0 ? "[::]:" : "0.0.0.0:");
    if (probe >= 0) {
        expect_open("[::1]:0", "[::1]:");
        close(probe);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(listen_open(str_z(bad[i]), &fd, &err), TG_ECONFIG);
        (void)snprintf(text, sizeof text, "cannot listen on \"%s\"", bad[i]);
        assert_non_null(strstr(err.msg, text));
    }
    assert_int_equal(listen_open(STR("192.0.2.1:80"), &fd, &err), TG_ECONFIG);
    assert_int_equal(err.sys_errno, EADDRNOTAVAIL);
    assert_int_equal(fd, -1);
    /* Several workers listen on the same one. */
    fd = listener(name);
    assert_int_equal(listen_open(str_z(name), &again, &err), TG_OK);
    close(fd);
    close(again);
}

struct accepting {
    int lfd;
    int fds[512];
    unsigned n;
    uint64_t pauses;
    tg_rc rc;
};

static void
on_accept(void *arg, int fd)
{
    struct accepting *a = arg;

    a->fds[a->n++] = fd;
}

static tg_rc
accept_all(void *arg)
{
    struct accepting *a = arg;

    a->rc = listen_accept(a->lfd, on_accept, a, &a->pauses);
    return TG_OK;
}

static void
close_accepted(struct accepting *a)
{
    while (a->n > 0)
        close(a->fds[--a->n]);
}

static bool
has_hundred(void *arg)
{
    return ((struct accepting *)arg)->n == 100;
}

static tg_rc
accept_body(void *arg)
{
    static struct accepting a;
    struct co_scope sc;
    char name[64];
    int fds[100];

    (void)arg;
    a.lfd = listener(name);
    co_scope_open(&sc, CO_NEVER);
    assert_int_equal(co_spawn(&sc, "accept", accept_all, &a), TG_OK);
    for (int i = 0; i < 100; i++)
        fds[i] = connect_to(name);
    assert_true(net_test_until(has_hundred, &a));
    assert_int_equal(a.pauses, 0);
    assert_int_equal(fcntl(a.fds[99], F_GETFD), FD_CLOEXEC);
    (void)co_scope_close(&sc);
    assert_int_equal(a.rc, TG_ECANCELED);
    assert_int_equal(ring_in_flight(co_ring()), 0);
    close_accepted(&a);
    for (int i = 0; i < 100; i++)
        close(fds[i]);

    /* Not a listener. */
    close(a.lfd);
    a.lfd = socket(AF_INET, SOCK_STREAM, 0);
    co_scope_open(&sc, CO_NEVER);
    assert_int_equal(co_spawn(&sc, "accept", accept_all, &a), TG_OK);
    assert_int_equal(co_join(&sc), TG_OK);
    (void)co_scope_close(&sc);
    assert_int_equal(a.rc, TG_EIO);
    close(a.lfd);
    return TG_OK;
}

static void
test_accept(void **state)
{
    (void)state;
    assert_int_equal(co_test_run(accept_body, NULL), TG_OK);
}

enum { CLIENTS = 40, ROOM = 10 };

static bool
paused(void *arg)
{
    return ((struct accepting *)arg)->pauses >= 3;
}

static bool
all_served(void *arg)
{
    struct accepting *a = arg;

    return a->n == CLIENTS;
}

#define CHECK(cond)                                                                            \
    do {                                                                                       \
        if (!(cond)) {                                                                         \
            (void)fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);                   \
            _exit(1);                                                                          \
        }                                                                                      \
    } while (0)

/* In a child, because the limit is the process's.  The clients' sockets are made before it. */
static tg_rc
short_body(void *arg)
{
    static struct accepting a;
    struct rlimit lim, was;
    struct co_scope sc;
    uint64_t submitted;
    char name[64];
    int next;

    (void)arg;
    a.lfd = listener(name);
    for (int i = 0; i < CLIENTS; i++)
        (void)connect_to(name); /* open until the child ends */
    next = open("/dev/null", O_RDONLY);
    close(next);
    CHECK(getrlimit(RLIMIT_NOFILE, &was) == 0);
    lim = was;
    lim.rlim_cur = (rlim_t)next + ROOM;
    CHECK(setrlimit(RLIMIT_NOFILE, &lim) == 0);

    co_scope_open(&sc, CO_NEVER);
    CHECK(co_spawn(&sc, "accept", accept_all, &a) == TG_OK);
    CHECK(net_test_until(paused, &a));
    CHECK(a.n >= ROOM - 1 && a.n < CLIENTS);
    /* The reserve leaves something for the log while accepting is paused. */
    CHECK((next = open("/dev/null", O_RDONLY)) >= 0);
    /* A tenth of a second without a free descriptor: no accept is even submitted. */
    submitted = ring_stats(co_ring())->submitted;
    CHECK(co_sleep_until(co_now() + 100 * NS_PER_MS) == TG_OK);
    CHECK(ring_stats(co_ring())->submitted == submitted);
    CHECK(a.pauses < 10);
    close(next);
    /* Room again: everybody who waited in the backlog is served. */
    CHECK(setrlimit(RLIMIT_NOFILE, &was) == 0);
    CHECK(net_test_until(all_served, &a));
    (void)co_scope_close(&sc);
    CHECK(a.rc == TG_ECANCELED);
    close_accepted(&a);
    return TG_OK;
}

static void
test_short_of_descriptors(void **state)
{
    (void)state;
    assert_int_equal(co_test_run_apart(short_body), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_accept),
        cmocka_unit_test(test_short_of_descriptors),
    };

    return cmocka_run_group_tests_name("net/listen", tests, NULL, NULL);
}
