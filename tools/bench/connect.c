/* connect.c -- a connection of a load: from the next source address, slow or not, TLS or not.
 */
#include "bench/load.h"

#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/conn.h"
#include "net/dial.h"

/* A slow reader's buffers, so that what it does not take stays with the server soon. */
enum { SLOW_RECEIVE = 4096, SLOW_READ = 4096 };

static tg_rc
no_socket(int e, struct tg_err *err)
{
    const char *hint = e == EMFILE          ? " (raise the limit with ulimit -n)"
                       : e == EADDRNOTAVAIL ? " (out of ports: add --source addresses)"
                                            : "";

    return tg_fail(err, TG_EUNAVAIL, TG_ERR_UPSTREAM, "connect", "no connection: %s%s",
                   strerrordesc_np(e), hint);
}

/* The next source address of the family, if there is one. */
static bool
bind_source(struct load *l, int fd, int family, int *ret_errno)
{
    int one = 1;

    for (unsigned i = 0; i < l->o->n_sources; i++) {
        const struct dns_addr *a = &l->sources[l->next_source++ % l->o->n_sources];

        if (a->sa.ss_family != family)
            continue;
        /* The port is chosen at connect, so that one may serve several destinations. */
        setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
        if (bind(fd, (const struct sockaddr *)&a->sa, a->len) == 0)
            return true;
        *ret_errno = errno;
        return false;
    }
    return true;
}

/* S */
static tg_rc
connect_one(struct load *l, const struct dns_addr *a, int *ret_fd, int *ret_errno)
{
    int size = SLOW_RECEIVE, fd = socket(a->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    tg_rc rc = TG_EIO;

    if (fd < 0) {
        *ret_errno = errno;
        return TG_EIO;
    }
    if (l->o->read_rate)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (bind_source(l, fd, a->sa.ss_family, ret_errno))
        rc = co_connect(fd, (const struct sockaddr *)&a->sa, a->len, ret_errno);
    if (rc == TG_OK)
        *ret_fd = fd;
    else
        close(fd);
    return rc;
}

tg_rc
load_connect(struct load *l, struct conn **ret, struct tg_err *err)
{
    struct sock_conf slow = {.read_high = SLOW_READ};
    struct sock *s;
    int fd = -1, e = 0;
    tg_rc rc = TG_EIO;

    for (unsigned i = 0; i < l->n_addrs && rc == TG_EIO; i++)
        rc = connect_one(l, &l->addrs[i], &fd, &e);
    if (rc == TG_EIO)
        return no_socket(e, err);
    if (rc != TG_OK)
        return rc;
    s = sock_open(fd, l->o->read_rate ? &slow : NULL);
    if (!l->trust) {
        *ret = conn_plain(s);
        return TG_OK;
    }
    return tls_connect(s, l->trust, l->o->url.host, l->session, ret, NULL, err);
}
