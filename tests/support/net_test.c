/* net_test.c -- loopback sockets and waiting, for tests of the net layer. */
#include "support/net_test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "co/co.h"

static void
need(bool ok, const char *what)
{
    if (ok)
        return;
    (void)fprintf(stderr, "net_test: %s: %s\n", what, strerror(errno));
    abort();
}

static int
bound(uint16_t *ret_port)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof sa;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    need(fd >= 0, "socket");
    need(bind(fd, (struct sockaddr *)&sa, sizeof sa) == 0, "bind");
    need(getsockname(fd, (struct sockaddr *)&sa, &n) == 0, "getsockname");
    *ret_port = ntohs(sa.sin_port);
    return fd;
}

int
net_test_listen(uint16_t *ret_port)
{
    int fd = bound(ret_port);

    need(listen(fd, 1024) == 0, "listen");
    return fd;
}

int
net_test_refusing(uint16_t *ret_port)
{
    return bound(ret_port);
}

void
net_test_pair(int ret[2])
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    uint16_t port;
    int lfd = net_test_listen(&port);

    sa.sin_port = htons(port);
    ret[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    need(ret[1] >= 0, "socket");
    need(connect(ret[1], (struct sockaddr *)&sa, sizeof sa) == 0, "connect");
    ret[0] = accept(lfd, NULL, NULL);
    need(ret[0] >= 0, "accept");
    need(fcntl(ret[1], F_SETFL, O_NONBLOCK) == 0, "fcntl");
    close(lfd);
}

long
net_test_drain(int fd, size_t max)
{
    static char room[65536];
    long total = 0;

    while (max > 0) {
        ssize_t k = read(fd, room, max < sizeof room ? max : sizeof room);

        if (k <= 0)
            return total > 0 ? total : k == 0 ? 0 : -errno;
        total += k;
        max -= (size_t)k;
    }
    return total;
}

void
net_test_write(int fd, const void *p, size_t n)
{
    need(write(fd, p, n) == (ssize_t)n, "write");
}

void
net_test_reset(int fd)
{
    struct linger hard = {.l_onoff = 1, .l_linger = 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(fd);
}

bool
net_test_until(bool (*cond)(void *arg), void *arg)
{
    co_time end = co_now_exact() + 10 * NS_PER_S;

    while (!cond(arg)) {
        if (co_now() > end || co_sleep_until(co_now() + NS_PER_MS / 2) != TG_OK)
            return false;
    }
    return true;
}

unsigned char
net_test_byte(unsigned stream, size_t k)
{
    uint64_t x = (k / 8 + 1) * UINT64_C(0x9E3779B97F4A7C15) ^
                 (uint64_t)(stream + 1) * UINT64_C(0xC2B2AE3D27D4EB4F);

    x ^= x >> 29;
    return (unsigned char)(x >> (k % 8 * 8));
}

void
net_test_fill(unsigned stream, size_t from, unsigned char *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = net_test_byte(stream, from + i);
}
