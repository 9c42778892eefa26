/* pool.c -- connections to one upstream of one worker.
 *
 * `total` counts what the limit is about: connections handed out, idle, and being dialled.  A
 * caller beyond the limit queues; whoever gives a connection or its place back serves the first
 * in the queue directly (a connection, or the right to dial), so nobody overtakes.
 *
 * An idle connection keeps its receive armed.  When its peer closes it, or says anything, or
 * its time is up, it is closed, so that descriptors are not held for connections that are of no
 * use. One that is handed out is looked at once more; the race that remains (the peer closes
 * while the request is on its way) is for the caller, who may ask again with `fresh`.
 */
#include "net/pool.h"

#include <assert.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/dial.h"

enum { IDLE_MAX = 1024 };

#define CONNECT_NS (10 * NS_PER_S)
#define IDLE_NS    (60 * NS_PER_S)

struct pool {
    struct pool_conf conf;
    char *host, *server_name; /* copies */
    struct tls_session *session;
    struct list idle; /* most recently used first */
    struct list waiters;
    struct co_timer expiry;
    struct pool_stats stats;
    unsigned total; /* out + idle + dialling */
    bool closed;
};

struct waiter {
    struct list node;
    struct co_event event;
    bool fresh;        /* wants a place, not a used connection */
    bool served;       /* has a place: counted in total for it */
    struct conn *conn; /* and perhaps a connection in it       */
};

static void expire(struct co_timer *t);

struct pool *
pool_new(const struct pool_conf *conf)
{
    struct pool *p = mem_new(struct pool);

    p->conf = *conf;
    p->host = mem_dup_z(conf->host);
    p->conf.host = str_z(p->host);
    p->server_name = mem_dup_z(conf->server_name.n > 0 ? conf->server_name : conf->host);
    p->conf.server_name = str_z(p->server_name);
    if (p->conf.connect_ns <= 0)
        p->conf.connect_ns = CONNECT_NS;
    if (p->conf.tls_ns <= 0)
        p->conf.tls_ns = CONNECT_NS;
    if (p->conf.idle_ns <= 0)
        p->conf.idle_ns = IDLE_NS;
    if (p->conf.idle_max == 0)
        p->conf.idle_max = IDLE_MAX;
    if (p->conf.trust) {
        tls_trust_ref(p->conf.trust);
        p->session = tls_session_new();
    }
    list_init(&p->idle);
    list_init(&p->waiters);
    co_timer_init(&p->expiry, expire);
    return p;
}

static void
free_if_unused(struct pool *p)
{
    if (!p->closed || p->total > 0 || p->stats.waiting > 0)
        return;
    co_timer_clear(&p->expiry);
    if (p->conf.trust) {
        tls_trust_unref(p->conf.trust);
        tls_session_free(p->session);
    }
    mem_free(p->host);
    mem_free(p->server_name);
    mem_free(p);
}

/* Takes an idle connection off the list. */
static void
unidle(struct pool *p, struct conn *c)
{
    sock_on_gone(c->sock, NULL, NULL);
    list_del(&c->pool_node);
    c->pool = NULL;
    p->stats.idle--;
}

static struct waiter *
first_waiter(struct pool *p)
{
    struct list *node = list_first(&p->waiters);

    return node ? LIST_ITEM(node, struct waiter, node) : NULL;
}

static void
serve(struct waiter *w, struct conn *c)
{
    list_del(&w->node);
    w->served = true;
    w->conn = c;
    co_event_signal(&w->event);
}

/* A place has come free: the first who waits gets it.  May free p. */
static void
release_place(struct pool *p)
{
    struct waiter *w = first_waiter(p);

    if (w && !p->closed) {
        serve(w, NULL);
        return;
    }
    p->total--;
    free_if_unused(p);
}

static void
idle_gone(void *arg, bool eof)
{
    struct conn *c = arg;
    struct pool *p = c->pool;

    (void)eof;
    p->stats.stale++;
    unidle(p, c);
    conn_close(c);
    release_place(p);
}

static void
expire(struct co_timer *t)
{
    struct pool *p = LIST_ITEM(t, struct pool, expiry);
    co_time now = co_now(), next = CO_NEVER;

    LIST_FOREACH_SAFE (it, tmp, &p->idle) {
        struct conn *c = LIST_ITEM(it, struct conn, pool_node);

        if (c->idle_until <= now) {
            unidle(p, c);
            conn_close(c);
            p->total--;
        } else if (c->idle_until < next) {
            next = c->idle_until;
        }
    }
    co_timer_set(&p->expiry, next);
}

void
pool_close(struct pool *p)
{
    if (!p)
        return;
    assert(!p->closed);
    p->closed = true;
    while (!list_empty(&p->idle)) {
        struct conn *c = LIST_ITEM(list_first(&p->idle), struct conn, pool_node);

        unidle(p, c);
        conn_close(c);
        p->total--;
    }
    while (!list_empty(&p->waiters)) {
        struct waiter *w = first_waiter(p);

        list_del(&w->node);
        co_event_signal(&w->event);
    }
    free_if_unused(p);
}

/* The place is the caller's.  S */
static tg_rc
dial_in(struct pool *p, struct conn **ret, struct tg_err *err)
{
    struct co_scope sc;
    struct sock *s;
    bool expired;
    tg_rc rc;
    int fd;

    rc = dial(p->conf.host, p->conf.port, p->conf.connect_ns, &fd, err);
    if (rc != TG_OK)
        return rc;
    s = sock_open(fd, NULL);
    if (!p->conf.trust) {
        *ret = conn_plain(s);
        return TG_OK;
    }
    co_scope_open(&sc, co_now() + p->conf.tls_ns);
    rc = tls_connect(s, p->conf.trust, p->conf.server_name, p->session, ret, NULL, err);
    co_scope_close(&sc);
    expired = rc == TG_EDEADLINE && co_cancelled() == TG_OK;
    if (expired)
        return tg_fail(err, TG_EDEADLINE, TG_ERR_TIMEOUT, "tls_timeout",
                       "the TLS handshake with %s did not end within the time allowed",
                       p->host);
    return rc;
}

static struct conn *
take_idle(struct pool *p)
{
    co_time now = co_now();

    while (!list_empty(&p->idle)) {
        struct conn *c = LIST_ITEM(list_first(&p->idle), struct conn, pool_node);

        unidle(p, c);
        if (conn_idle(c) && c->idle_until > now)
            return c;
        p->stats.stale++;
        conn_close(c);
        p->total--;
    }
    return NULL;
}

/* Waits for a connection (*ret_conn) or a place (*ret_conn NULL).  S */
static tg_rc
wait_turn(struct pool *p, bool fresh, struct conn **ret_conn)
{
    struct waiter w = {.event = CO_EVENT_INIT, .fresh = fresh};
    tg_rc rc;

    list_add_tail(&p->waiters, &w.node);
    p->stats.waiting++;
    rc = co_event_wait(&w.event);
    p->stats.waiting--;
    list_del(&w.node);
    if (w.served) {
        *ret_conn = w.conn;
        return TG_OK;
    }
    return rc != TG_OK ? rc : TG_EGONE;
}

/* Room for one more, or an idle one's place taken for a caller who wants a fresh one. */
static bool
take_place(struct pool *p)
{
    if (p->conf.connections_max > 0 && p->total >= p->conf.connections_max) {
        struct conn *c;

        if (list_empty(&p->idle))
            return false;
        c = LIST_ITEM(p->idle.prev, struct conn, pool_node);
        unidle(p, c);
        conn_close(c);
        p->total--;
    }
    p->total++;
    return true;
}

/* A connection that needs no dialling, or a place for one (*ret NULL).  S */
static tg_rc
conn_or_place(struct pool *p, bool fresh, struct conn **ret, struct tg_err *err)
{
    struct conn *c = NULL;
    tg_rc rc;

    if (!fresh && (c = take_idle(p)) != NULL) {
        *ret = c;
        return TG_OK;
    }
    *ret = NULL;
    if (list_empty(&p->waiters) && take_place(p))
        return TG_OK;
    rc = wait_turn(p, fresh, &c);
    if (rc == TG_OK && c && !conn_idle(c)) {
        p->stats.stale++;
        conn_close(c);
        c = NULL;
    }
    if (rc == TG_EGONE && p->closed) {
        free_if_unused(p);
        return tg_fail(err, TG_EGONE, TG_ERR_UPSTREAM, "connect",
                       "the upstream was closed while waiting for a connection");
    }
    if (rc == TG_OK)
        *ret = c;
    else
        free_if_unused(p);
    return rc;
}

tg_rc
pool_get(struct pool *p, bool fresh, struct conn **ret, bool *ret_reused, struct tg_err *err)
{
    struct conn *c;
    tg_rc rc = conn_or_place(p, fresh, &c, err);
    bool reused;

    if (rc != TG_OK)
        return rc;
    reused = c != NULL;
    if (reused) {
        p->stats.reused++;
    } else {
        rc = dial_in(p, &c, err);
        if (rc != TG_OK) {
            p->stats.failed++;
            release_place(p);
            return rc;
        }
        p->stats.dialled++;
    }
    p->stats.out++;
    c->uses++;
    *ret = c;
    *ret_reused = reused;
    return TG_OK;
}

void
pool_drop(struct pool *p, struct conn *c)
{
    p->stats.out--;
    conn_close(c);
    release_place(p);
}

void
pool_put(struct pool *p, struct conn *c, co_time idle_ns)
{
    struct waiter *w = first_waiter(p);

    if (p->closed || !conn_idle(c) || (w && w->fresh) || p->stats.idle >= p->conf.idle_max) {
        pool_drop(p, c);
        return;
    }
    p->stats.out--;
    if (w) {
        serve(w, c);
        return;
    }
    c->idle_until =
        co_now() + (idle_ns > 0 && idle_ns < p->conf.idle_ns ? idle_ns : p->conf.idle_ns);
    c->pool = p;
    list_add_head(&p->idle, &c->pool_node);
    p->stats.idle++;
    if (c->idle_until < p->expiry.at)
        co_timer_set(&p->expiry, c->idle_until);
    sock_on_gone(c->sock, idle_gone, c);
}

const struct pool_stats *
pool_stats(const struct pool *p)
{
    return &p->stats;
}
