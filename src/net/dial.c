/* dial.c -- a connected socket to a host. */
#include "net/dial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/dns.h"

enum { ADDRESS_TEXT = 64 };

void
dial_address_text(const struct sockaddr *sa, char *out, size_t n)
{
    char host[INET6_ADDRSTRLEN] = "?";

    if (sa->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)sa;

        inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
        snprintf(out, n, "%s:%u", host, ntohs(in->sin_port));
    } else if (sa->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sa;

        inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof host);
        snprintf(out, n, "[%s]:%u", host, ntohs(in6->sin6_port));
    } else {
        snprintf(out, n, "-");
    }
}

/* One address.  TG_EIO with *ret_errno; TG_EDEADLINE when its time is up; or the reason of an
 * outer scope with *ret_outer true.  S */
static tg_rc
dial_one(const struct dns_addr *a, co_time each_ns, int *ret_fd, int *ret_errno,
         bool *ret_outer)
{
    struct co_scope sc;
    tg_rc rc;
    int fd = socket(a->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        *ret_errno = errno;
        return TG_EIO;
    }
    co_scope_open(&sc, co_now() + each_ns);
    rc = co_connect(fd, (const struct sockaddr *)&a->sa, a->len, ret_errno);
    co_scope_close(&sc);
    if (rc == TG_OK) {
        *ret_fd = fd;
        return TG_OK;
    }
    close(fd);
    *ret_outer = rc != TG_EIO && co_cancelled() != TG_OK;
    return rc;
}

static tg_rc
dial_failed(const struct dns_addr *last, struct str host, unsigned n, tg_rc rc, int sys_errno,
            struct tg_err *err)
{
    char where[ADDRESS_TEXT];
    char more[48] = "";

    dial_address_text((const struct sockaddr *)&last->sa, where, sizeof where);
    if (n > 1)
        snprintf(more, sizeof more, ", the last of %u addresses", n);
    if (rc == TG_EDEADLINE)
        return tg_fail(err, rc, TG_ERR_TIMEOUT, "connect_timeout",
                       "no connection to %.*s (%s%s) within the time allowed", STR_ARG(host),
                       where, more);
    (void)tg_fail(err, TG_EUNAVAIL, TG_ERR_UPSTREAM, "connect",
                  "no connection to %.*s (%s%s): %s", STR_ARG(host), where, more,
                  sys_errno == EMFILE || sys_errno == ENFILE ? "too many open files"
                                                             : strerrordesc_np(sys_errno));
    if (err)
        err->sys_errno = sys_errno;
    return TG_EUNAVAIL;
}

tg_rc
dial(struct str host, uint16_t port, co_time each_ns, int *ret_fd, struct tg_err *err)
{
    struct dns_addr addrs[DNS_ADDRS_MAX];
    unsigned n = 0, i;
    bool outer = false;
    int sys_errno = 0;
    tg_rc rc = dns_lookup(host, port, addrs, &n, err);

    if (rc != TG_OK)
        return rc;
    for (i = 0; i < n; i++) {
        rc = dial_one(&addrs[i], each_ns, ret_fd, &sys_errno, &outer);
        if (rc == TG_OK || outer)
            return rc;
    }
    return dial_failed(&addrs[n - 1], host, n, rc, sys_errno, err);
}
