/* tls_conn.c -- a TLS connection after its handshake: BearSSL's engine, pumped on the worker.
 *
 * The engine does no I/O.  It is asked what it can do, gives a buffer, and is told how much
 * went in or out.  Reading lends out the engine's own buffer of decrypted bytes.  Writing fills
 * a record, encrypts it and queues it on the sock.  No engine call spans a suspension, so one
 * coroutine may read while another writes.
 *
 * An end of the stream is only good when close_notify came first; else it is TG_EGONE with code
 * "tls_truncated", and whether the message was complete is for HTTP's framing to say.
 */
#include "net/tls_int.h"

#include "base/mem.h"
#include "base/secret.h"

static br_ssl_engine_context *
engine_of(struct tls_conn *t)
{
    return &t->cc.eng;
}

static struct tls_conn *
tls_of(struct conn *c)
{
    return LIST_ITEM(c, struct tls_conn, conn);
}

/* Queues what the engine has to send.  The engine is told it went out whatever the sock says.
 */
static tg_rc
send_records(struct tls_conn *t)
{
    br_ssl_engine_context *eng = engine_of(t);
    unsigned char *p;
    size_t n;
    tg_rc rc = TG_OK;

    while ((p = br_ssl_engine_sendrec_buf(eng, &n)) != NULL) {
        if (rc == TG_OK)
            rc = sock_put_now(t->conn.sock, str_of((char *)p, n));
        br_ssl_engine_sendrec_ack(eng, n);
    }
    return rc;
}

static tg_rc
lost(tg_rc rc, struct tg_err *err)
{
    if (rc == TG_EGONE || rc == TG_EIO)
        return tg_fail(err, TG_EGONE, TG_ERR_UPSTREAM, "connection_lost",
                       "the connection was reset by the server");
    return rc;
}

/* The engine is closed: by close_notify (n 0), or by an error. */
static tg_rc
closed(struct tls_conn *t, struct str *ret, struct tg_err *err)
{
    if (br_ssl_engine_last_error(engine_of(t)) != BR_ERR_OK)
        return tls_why(engine_of(t), NULL, str_of(NULL, 0), str_of(NULL, 0), err);
    *ret = str_of(NULL, 0);
    return TG_OK;
}

static tg_rc
tls_read(struct conn *c, co_time until, struct str *ret, struct tg_err *err)
{
    struct tls_conn *t = tls_of(c);
    br_ssl_engine_context *eng = engine_of(t);
    unsigned char *p;
    struct str in;
    size_t n;
    tg_rc rc;

    for (;;) {
        p = br_ssl_engine_recvapp_buf(eng, &n);
        if (p) {
            *ret = str_of((char *)p, n);
            return TG_OK;
        }
        /* Alerts and the answer to close_notify; that they cannot be sent is no reason to lose
         * what the server has said. */
        (void)send_records(t);
        if (br_ssl_engine_current_state(eng) & BR_SSL_CLOSED)
            return closed(t, ret, err);
        rc = sock_read_until(c->sock, until, &in);
        if (rc != TG_OK)
            return lost(rc, err);
        if (in.n == 0)
            return tg_fail(err, TG_EGONE, TG_ERR_UPSTREAM, "tls_truncated",
                           "the server closed the connection without TLS close_notify");
        p = br_ssl_engine_recvrec_buf(eng, &n);
        if (!p)
            continue;
        if (n > in.n)
            n = in.n;
        memcpy(p, in.p, n);
        br_ssl_engine_recvrec_ack(eng, n);
        sock_consume(c->sock, n);
    }
}

static void
tls_consume(struct conn *c, size_t n)
{
    if (n > 0)
        br_ssl_engine_recvapp_ack(engine_of(tls_of(c)), n);
}

/* Encrypts one piece into records and queues them; a last partial record stays in the engine.
 */
static tg_rc
seal(struct tls_conn *t, struct str s)
{
    br_ssl_engine_context *eng = engine_of(t);
    unsigned char *p;
    size_t room;
    tg_rc rc = TG_OK;

    while (s.n > 0 && rc == TG_OK) {
        p = br_ssl_engine_sendapp_buf(eng, &room);
        if (!p) {
            rc = send_records(t);
            p = br_ssl_engine_sendapp_buf(eng, &room);
        }
        if (rc == TG_OK && !p)
            rc = TG_EGONE;
        if (rc != TG_OK)
            break;
        if (room > s.n)
            room = s.n;
        memcpy(p, s.p, room);
        br_ssl_engine_sendapp_ack(eng, room);
        s = str_from(s, room);
    }
    return rc;
}

static tg_rc
tls_putv(struct conn *c, const struct str *v, int n, struct tg_err *err)
{
    struct tls_conn *t = tls_of(c);
    tg_rc rc = TG_OK;

    for (int i = 0; i < n && rc == TG_OK; i++)
        rc = seal(t, v[i]);
    if (rc == TG_OK) {
        br_ssl_engine_flush(engine_of(t), 0);
        rc = send_records(t);
    }
    /* Waits while too much is unsent. */
    if (rc == TG_OK)
        rc = sock_putv(c->sock, NULL, 0);
    return rc == TG_OK ? rc : lost(rc, err);
}

static bool
tls_idle(const struct conn *c)
{
    const struct tls_conn *t = LIST_ITEM(c, struct tls_conn, conn);

    return br_ssl_engine_current_state(&t->cc.eng) == (BR_SSL_SENDAPP | BR_SSL_RECVREC) &&
           !sock_readable(c->sock) && sock_writable(c->sock) && sock_unsent(c->sock) == 0;
}

struct tls_conn *
tls_conn_new(struct sock *s)
{
    struct tls_conn *t = mem_grow(NULL, sizeof *t);

    /* The record buffers are left alone: pages that small records never reach stay untouched.
     */
    memset(t, 0, offsetof(struct tls_conn, io));
    t->conn.ops = &tls_conn_ops;
    t->conn.sock = s;
    list_init(&t->conn.pool_node);
    return t;
}

void
tls_conn_free(struct tls_conn *t)
{
    secret_wipe(t, sizeof *t);
    mem_free(t);
}

static void
tls_close(struct conn *c)
{
    struct tls_conn *t = tls_of(c);

    if (!(br_ssl_engine_current_state(engine_of(t)) & BR_SSL_CLOSED) &&
        sock_unsent(c->sock) == 0) {
        br_ssl_engine_close(engine_of(t));
        (void)send_records(t);
        sock_close_sent(c->sock);
    } else {
        sock_close(c->sock);
    }
    tls_conn_free(t);
}

const struct conn_ops tls_conn_ops = {
    .read = tls_read,
    .consume = tls_consume,
    .putv = tls_putv,
    .idle = tls_idle,
    .close = tls_close,
};
