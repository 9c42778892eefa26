/* pool.h -- connections to one upstream of one worker: dialled when needed, kept when idle.
 *
 * Last in, first out; an idle connection is looked at (readable means closed or spoilt) before
 * it is handed out.  A limit on connections makes callers wait in order.  Single-threaded.
 */
#ifndef NET_POOL_H
#define NET_POOL_H

#include "net/conn.h"
#include "net/tls.h"

struct pool;

struct pool_conf {
    struct str
        host; /* name or literal address; borrowed for the pool's life, as all strs here */
    uint16_t port;
    struct tls_trust *trust;    /* NULL = plain; the pool takes a reference */
    struct str server_name;     /* TLS name */
    co_time connect_ns, tls_ns; /* budgets: each address, the handshake */
    co_time idle_ns;            /* default idle lifetime */
    unsigned connections_max;   /* 0 = no limit */
    unsigned idle_max;          /* kept idle at most; 0 = 1024 */
};

struct pool *pool_new(const struct pool_conf *conf);
/* Closes idle connections; those handed out are closed when they come back, and the pool is
 * freed with the last one. */
void pool_close(struct pool *p);

/* A connection: idle (*ret_reused true) unless `fresh`, else dialled: each address in turn
 * within the budget, then TLS.  Errors: kind upstream or timeout; codes "dns", "connect",
 * "connect_timeout", "tls_certificate", "tls_handshake", "tls_timeout".  S */
TG_MUST_USE tg_rc pool_get(struct pool *p, bool fresh, struct conn **ret, bool *ret_reused,
                           struct tg_err *err);
/* Gives it back for another request, for at most idle_ns (0 = the pool's own) from now; one
 * that is not idle is closed. */
void pool_put(struct pool *p, struct conn *c, co_time idle_ns);
/* Gives it back to be closed. */
void pool_drop(struct pool *p, struct conn *c);

struct pool_stats {
    uint64_t dialled, reused, stale, failed;
    unsigned idle, out, waiting;
};
const struct pool_stats *pool_stats(const struct pool *p);

#endif
