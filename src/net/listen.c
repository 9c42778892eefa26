/* listen.c -- listening sockets and the accept loop.
 *
 * The accept stays armed; its completions put descriptors into a queue, and the accepting
 * coroutine hands them on.
 *
 * Running out of descriptors must neither spin nor kill.  While accepting goes on, a reserve
 * descriptor is held.  When the kernel says EMFILE (or ENFILE, ENOBUFS, ENOMEM) the reserve is
 * let go, so that the rest of the process can still open something, and accepting stops for a
 * time that doubles from 10 ms to 1 s.  After it the reserve is taken again first: while that
 * fails no accept is submitted at all.
 */
#include "net/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "co/ring.h"
#include "net/dial.h"
#include "net/dns.h"

enum { BACKLOG = 4096, HOST_MAX = 255, QUEUE_FIRST = 64 };

#define PAUSE_MIN (10 * NS_PER_MS)
#define PAUSE_MAX NS_PER_S

/* "host:port" in two; false when it is not of that form. */
static bool
split_address(struct str address, char host[HOST_MAX + 1], uint16_t *ret_port)
{
    struct str h, p;
    uint64_t number;
    size_t colon = address.n;

    while (colon > 0 && address.p[colon - 1] != ':')
        colon--;
    if (colon == 0)
        return false;
    h = str_of(address.p, colon - 1);
    p = str_from(address, colon);
    if (h.n >= 2 && h.p[0] == '[' && h.p[h.n - 1] == ']')
        h = str_of(h.p + 1, h.n - 2);
    else if (str_find(h, ':') < h.n)
        return false;
    if (h.n == 0 || h.n > HOST_MAX || num_u64(p, 65535, &number) != TG_OK)
        return false;
    snprintf(host, HOST_MAX + 1, "%.*s", STR_ARG(h));
    *ret_port = (uint16_t)number;
    return true;
}

/* The addresses to try; those of "*" are the unspecified ones, IPv6 (which then takes IPv4 too)
 * before IPv4. */
static tg_rc
find_addresses(const char *host, struct dns_addr ret[DNS_ADDRS_MAX], unsigned *ret_n,
               const char **ret_why)
{
    if (strcmp(host, "*") != 0)
        return dns_resolve_blocking(host, ret, ret_n, ret_why);
    memset(ret, 0, 2 * sizeof ret[0]);
    ret[0].sa.ss_family = AF_INET6;
    ret[0].len = sizeof(struct sockaddr_in6);
    ret[1].sa.ss_family = AF_INET;
    ret[1].len = sizeof(struct sockaddr_in);
    *ret_n = 2;
    return TG_OK;
}

static int
open_one(const struct dns_addr *a, int v6only, int *ret_errno)
{
    int one = 1;
    int fd = socket(a->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        *ret_errno = errno;
        return -1;
    }
    if (a->sa.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof v6only);
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) != 0 ||
        bind(fd, (const struct sockaddr *)&a->sa, a->len) != 0 || listen(fd, BACKLOG) != 0) {
        *ret_errno = errno;
        close(fd);
        return -1;
    }
    return fd;
}

tg_rc
listen_open(struct str address, int *ret, struct tg_err *err)
{
    struct dns_addr addrs[DNS_ADDRS_MAX];
    char host[HOST_MAX + 1];
    const char *why = NULL;
    uint16_t port;
    unsigned n = 0;
    int fd = -1, e = EADDRNOTAVAIL;

    if (!split_address(address, host, &port))
        return tg_fail(
            err, TG_ECONFIG, TG_ERR_INTERNAL, "listen",
            "cannot listen on \"%.*s\": not of the form address:port, [address]:port "
            "or *:port",
            STR_ARG(address));
    if (find_addresses(host, addrs, &n, &why) != TG_OK)
        return tg_fail(err, TG_ECONFIG, TG_ERR_INTERNAL, "listen",
                       "cannot listen on \"%.*s\": %s", STR_ARG(address), why);
    for (unsigned i = 0; i < n && fd < 0; i++) {
        dns_addr_set_port(&addrs[i], port);
        fd = open_one(&addrs[i], strcmp(host, "*") != 0, &e);
    }
    if (fd < 0) {
        (void)tg_fail_sys(err, e, "cannot listen on \"%.*s\"", STR_ARG(address));
        if (err) {
            err->rc = TG_ECONFIG;
            err->code = "listen";
        }
        return TG_ECONFIG;
    }
    *ret = fd;
    return TG_OK;
}

void
listen_name(int fd, char *out, size_t n)
{
    struct sockaddr_storage sa = {0};
    socklen_t len = sizeof sa;

    if (getsockname(fd, (struct sockaddr *)&sa, &len) != 0)
        sa.ss_family = AF_UNSPEC;
    dial_address_text((const struct sockaddr *)&sa, out, n);
}

struct acceptor {
    struct ring_op op;
    struct co_event event;
    int *fds; /* accepted, not yet handed on */
    unsigned n, cap;
    int error; /* errno that ended the accept, 0 when it can simply go on */
};

static void
accept_done(struct ring_op *op, int32_t res, unsigned flags, unsigned bid)
{
    struct acceptor *a = LIST_ITEM(op, struct acceptor, op);

    (void)flags;
    (void)bid;
    if (res >= 0) {
        if (a->n == a->cap) {
            a->cap = a->cap ? 2 * a->cap : QUEUE_FIRST;
            a->fds = mem_grow(a->fds, a->cap * sizeof a->fds[0]);
        }
        a->fds[a->n++] = res;
    } else {
        a->error = -res;
    }
    co_event_signal(&a->event);
}

static void
hand_on(struct acceptor *a, void (*fn)(void *arg, int fd), void *arg)
{
    for (unsigned i = 0; i < a->n; i++)
        fn(arg, a->fds[i]);
    a->n = 0;
}

static bool
listener_broken(int e)
{
    return e == EBADF || e == ENOTSOCK || e == EINVAL || e == EOPNOTSUPP;
}

/* A connection that died before it was accepted, and the like: accept(2), "Error handling". */
static bool
error_of_peer(int e)
{
    switch (e) {
    case ECONNABORTED:
    case EINTR:
    case EAGAIN:
    case EPROTO:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EPERM:
    case ECANCELED:
        return true;
    default:
        return false;
    }
}

static int
reserve_open(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Sleeps, longer each time, until the reserve can be had again.  S */
static tg_rc
pause_accepting(int *reserve, co_time *pause_ns, uint64_t *pauses)
{
    tg_rc rc;

    if (*reserve >= 0)
        close(*reserve);
    do {
        ++*pauses;
        rc = co_sleep_until(co_now() + *pause_ns);
        *pause_ns = *pause_ns * 2 > PAUSE_MAX ? PAUSE_MAX : *pause_ns * 2;
        *reserve = rc == TG_OK ? reserve_open() : -1;
    } while (rc == TG_OK && *reserve < 0);
    return rc;
}

tg_rc
listen_accept(int listen_fd, void (*fn)(void *arg, int fd), void *arg, uint64_t *pauses)
{
    struct acceptor a = {.op = {.done = accept_done}, .event = CO_EVENT_INIT};
    struct ring *ring = co_ring();
    co_time pause_ns = PAUSE_MIN;
    int reserve = reserve_open();
    tg_rc rc = TG_OK;

    while (rc == TG_OK) {
        if (!a.op.in_flight)
            ring_accept(ring, &a.op, listen_fd);
        rc = co_event_wait(&a.event);
        if (a.n > 0)
            pause_ns = PAUSE_MIN;
        hand_on(&a, fn, arg);
        if (rc != TG_OK || a.error == 0)
            continue;
        if (listener_broken(a.error))
            rc = TG_EIO;
        else if (!error_of_peer(a.error))
            rc = pause_accepting(&reserve, &pause_ns, pauses);
        a.error = 0;
    }
    /* Connections that the kernel gave before it heard of the cancel are served like others. */
    ring_cancel(ring, &a.op);
    while (a.op.in_flight)
        co_event_wait_sure(&a.event);
    hand_on(&a, fn, arg);
    mem_free(a.fds);
    if (reserve >= 0)
        close(reserve);
    return rc;
}

void
listen_take_rest(int listen_fd, void (*fn)(void *arg, int fd), void *arg)
{
    int flags = fcntl(listen_fd, F_GETFL);
    int fd;

    if (flags == -1 || fcntl(listen_fd, F_SETFL, flags | O_NONBLOCK) != 0)
        return;
    while ((fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC)) >= 0)
        fn(arg, fd);
}
