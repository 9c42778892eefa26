/* conn.h -- a connection to an upstream: plain or TLS, the same from outside.
 *
 * plain.c and tls.c each export one constructor; the caller does not know which it has.
 */
#ifndef NET_CONN_H
#define NET_CONN_H

#include <stdbool.h>

#include "base/list.h"
#include "net/sock.h"

struct conn;
struct pool;

struct conn_ops {
    tg_rc (*read)(struct conn *, co_time until, struct str *ret, struct tg_err *);
    void (*consume)(struct conn *, size_t n);
    tg_rc (*putv)(struct conn *, const struct str *v, int n, struct tg_err *);
    bool (*idle)(const struct conn *);
    void (*close)(struct conn *);
};

struct conn {
    const struct conn_ops *ops;
    struct sock *sock;
    co_time idle_until; /* pool: not to be used after this */
    unsigned uses;      /* requests sent on it */
    struct pool *pool;  /* pool: whose it is while it lies there idle */
    struct list pool_node;
};

/* As sock_read; n 0 is the end of the stream.  For TLS an end without close_notify is TG_EGONE
 * with code "tls_truncated".  S */
static inline tg_rc
conn_read(struct conn *c, struct str *ret, struct tg_err *err)
{
    return c->ops->read(c, CO_NEVER, ret, err);
}

/* As sock_read_until; else as conn_read.  S */
static inline tg_rc
conn_read_until(struct conn *c, co_time until, struct str *ret, struct tg_err *err)
{
    return c->ops->read(c, until, ret, err);
}

static inline void
conn_consume(struct conn *c, size_t n)
{
    c->ops->consume(c, n);
}

/* As sock_putv.  S */
static inline tg_rc
conn_putv(struct conn *c, const struct str *v, int n, struct tg_err *err)
{
    return c->ops->putv(c, v, n, err);
}

/* Nothing readable, nothing closed, nothing unsent: fit for another request. */
static inline bool
conn_idle(const struct conn *c)
{
    return c->ops->idle(c);
}

/* Closes at once (TLS: close_notify is queued first when possible) and frees.  Accepts NULL. */
static inline void
conn_close(struct conn *c)
{
    if (c)
        c->ops->close(c);
}

struct conn *conn_plain(struct sock *s); /* takes s */

#endif
