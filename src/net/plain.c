/* plain.c -- a connection without TLS: the sock itself. */
#include "net/conn.h"

#include "base/mem.h"

static tg_rc
plain_fail(tg_rc rc, struct tg_err *err)
{
    if (rc == TG_EGONE)
        return tg_fail(err, rc, TG_ERR_UPSTREAM, "connection_lost",
                       "the connection was reset by the server");
    if (rc == TG_EIO)
        return tg_fail(err, rc, TG_ERR_UPSTREAM, "connection_lost", "the connection failed");
    return rc;
}

static tg_rc
plain_read(struct conn *c, co_time until, struct str *ret, struct tg_err *err)
{
    tg_rc rc = sock_read_until(c->sock, until, ret);

    return rc == TG_OK ? rc : plain_fail(rc, err);
}

static void
plain_consume(struct conn *c, size_t n)
{
    sock_consume(c->sock, n);
}

static tg_rc
plain_putv(struct conn *c, const struct str *v, int n, struct tg_err *err)
{
    tg_rc rc = sock_putv(c->sock, v, n);

    return rc == TG_OK ? rc : plain_fail(rc, err);
}

static bool
plain_idle(const struct conn *c)
{
    return !sock_readable(c->sock) && sock_writable(c->sock) && sock_unsent(c->sock) == 0;
}

static void
plain_close(struct conn *c)
{
    sock_close(c->sock);
    mem_free(c);
}

static const struct conn_ops plain_ops = {
    .read = plain_read,
    .consume = plain_consume,
    .putv = plain_putv,
    .idle = plain_idle,
    .close = plain_close,
};

struct conn *
conn_plain(struct sock *s)
{
    struct conn *c = mem_new(struct conn);

    c->ops = &plain_ops;
    c->sock = s;
    list_init(&c->pool_node);
    return c;
}
