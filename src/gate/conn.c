/* conn.c -- a client connection: read a request, let it be answered, log it, again.
 *
 * One coroutine a connection.  While an exchange is worked on, the socket's gone hook watches
 * for the client leaving and cancels the work; between exchanges the connection is idle and may
 * be closed from outside.  A connection whose answer is not complete, or whose request cannot
 * be read to its end, is closed: with an orderly end when the client should still see what was
 * said.
 *
 * Above the configured number of connections a client is told 503 with a retry-after and
 * closed; above a further margin it is closed without a word.
 */
#include "gate/conn.h"

#include <unistd.h>

#include "api/endpoints.h"
#include "api/stream.h"
#include "base/ascii.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/mem.h"
#include "gate/access.h"

enum { REFUSING_MAX = 64 };

#define LINGER_NS (2 * NS_PER_S)
#define REFUSE_NS (1 * NS_PER_S)

/* Section 3.2 of triglot(8): letters, digits, dot, underscore, hyphen; at most 128. */
static bool
request_id_ok(struct str id)
{
    if (id.n == 0 || id.n > EXCHANGE_ID_MAX)
        return false;
    return ascii_all(id, ascii_is_dotted);
}

static void
take_request_id(struct exchange *x)
{
    struct str given =
        x->req ? http_header_get(x->req, STR("x-request-id")) : (struct str){NULL, 0};

    if (request_id_ok(given)) {
        x->id = arena_dup(&x->arena, given).p;
    } else {
        char *id = arena_alloc(&x->arena, 37, 1);

        id_uuid7(x->wall_start, id);
        x->id = id;
    }
}

/* The client left: EOF, reset, or a send that failed. */
static void
client_gone(void *arg, bool eof)
{
    struct exchange *x = arg;

    if (eof && !x->settings->fin_is_gone)
        return;
    exchange_stop(x, END_CLIENT, TG_EGONE);
}

/* The end of the last answer could not be sent: the client waits for it, not for us. */
static void
idle_gone(void *arg, bool eof)
{
    struct conn_in *c = arg;

    if (!eof)
        co_cancel(&c->scope, TG_EGONE);
}

static void
exchange_init(struct exchange *x, struct conn_in *c)
{
    memset(x, 0, sizeof(*x));
    x->set = c->w->set;
    upstream_set_ref(x->set);
    x->settings = x->set->settings;
    x->sock = c->sock;
    x->in = &c->in;
    x->dialect = dialect_find(STR("chat"));
    x->usage = IR_USAGE_UNKNOWN;
    arena_init(&x->arena);
    arena_init(&x->request);
    buf_init(&x->body, (size_t)x->settings->limits.body_bytes);
    x->bytes_in_start = sock_bytes_in(c->sock);
}

static void
exchange_begin(struct exchange *x, struct conn_in *c)
{
    x->t_start = co_now();
    x->wall_start = clock_wall_ns();
    x->draining = c->w->draining;
    x->dialect = exchange_dialect(x);
    take_request_id(x);
    reply_init(&x->reply, c->sock, x->req);
}

static void
exchange_fini(struct exchange *x)
{
    buf_fini(&x->body);
    arena_fini(&x->request);
    arena_fini(&x->arena);
    upstream_set_unref(x->set);
    x->set = NULL;
}

static struct http_in_conf
in_conf(const struct settings *s)
{
    return (struct http_in_conf){
        .head_max = (size_t)s->limits.head_bytes,
        .body_max = (size_t)s->limits.body_bytes,
        .keep_alive_ns = s->timeouts.keep_alive_ms * NS_PER_MS,
        .head_ns = s->timeouts.head_ms * NS_PER_MS,
        .body_idle_ns = s->timeouts.body_idle_ms * NS_PER_MS,
    };
}

/* One request and its answer.  False: the connection is at its end; *ret_linger: orderly. */
static bool
serve_one(struct conn_in *c, bool *ret_linger)
{
    struct exchange *x = &c->x;
    struct http_in_conf conf;
    struct http_head *head;
    bool again = false;
    tg_rc rc;

    exchange_init(x, c);
    conf = in_conf(x->settings);
    c->in.conf = &conf;
    c->idle = true;
    sock_on_gone(c->sock, idle_gone, c);
    rc = http_in_head(&c->in, &x->arena, &head, &x->err);
    sock_on_gone(c->sock, NULL, NULL);
    c->idle = false;
    if (rc == TG_EGONE || rc == TG_ECANCELED) { /* nobody there, or an idle one let go */
        *ret_linger = false;
        goto out;
    }
    if (rc == TG_OK)
        x->req = head;
    relief_came(&c->w->relief);
    exchange_begin(x, c);
    if (rc == TG_OK) {
        sock_on_gone(c->sock, client_gone, x);
        endpoints_serve(x);
        sock_on_gone(c->sock, NULL, NULL);
        again = !x->broken && x->reply.ended && !x->reply.close &&
                x->end != END_WRITE_TIMEOUT && http_in_next(&c->in);
    } else {
        x->reply.close = true;
        exchange_fail(x);
    }
    *ret_linger = x->end != END_CLIENT && x->end != END_WRITE_TIMEOUT;
    access_log(x);
    relief_left(&c->w->relief);
out:
    exchange_fini(x);
    return again;
}

/* Lets what is queued leave, for as long as the client keeps taking bytes. */
static void
send_rest(struct conn_in *c)
{
    co_time write_ns = c->w->set->settings->write_timeout_ms * NS_PER_MS;
    struct co_scope sc;
    tg_rc rc = TG_OK;

    while (sock_unsent(c->sock) > 0 && rc == TG_OK) {
        co_scope_open(&sc, co_now() + write_ns);
        rc = sock_flush(c->sock);
        (void)co_scope_close(&sc);
        if (rc == TG_EDEADLINE && co_now() - sock_stalled_since(c->sock) < write_ns)
            rc = TG_OK;
    }
}

static void
serve(struct conn_in *c)
{
    struct sock_conf sc = {
        .write_high = (size_t)c->w->set->settings->limits.stream_high_bytes,
        .write_low = (size_t)c->w->set->settings->limits.stream_low_bytes,
    };
    bool linger = false;

    c->sock = sock_open(c->fd, &sc);
    (void)sock_peer(c->sock); /* while there is one: the access line comes after the end */
    http_in_init(&c->in, c->sock, NULL);
    co_scope_open(&c->scope, CO_NEVER);
    while (serve_one(c, &linger))
        if (c->w->draining)
            break;
    if (c->x.end != END_CLIENT && c->x.end != END_WRITE_TIMEOUT)
        send_rest(c);
    if (linger)
        sock_linger(c->sock, co_now() + LINGER_NS);
    (void)co_scope_close(&c->scope);
    sock_close(c->sock);
}

static tg_rc
conn_run(void *arg)
{
    struct conn_in *c = arg;

    serve(c);
    list_del(&c->node);
    c->w->n_conns--;
    if (c->w->draining)
        co_event_signal(&c->w->wake_main);
    mem_free(c);
    return TG_OK;
}

/* Too many: say so and close.  Its own coroutine, because the client may be slow to listen. */
static tg_rc
refuse_run(void *arg)
{
    struct conn_in *c = arg;
    struct worker *w = c->w;

    c->sock = sock_open(c->fd, NULL);
    exchange_init(&c->x, c);
    exchange_begin(&c->x, c);
    tg_fail(&c->x.err, TG_EUNAVAIL, TG_ERR_OVERLOADED, "too_many_connections",
            "the gateway has as many connections as it may have; try again");
    c->x.err.retry_after_ms = 1000;
    c->x.reply.close = true;
    exchange_fail(&c->x);
    sock_linger(c->sock, co_now() + REFUSE_NS);
    access_log(&c->x);
    exchange_fini(&c->x);
    sock_close(c->sock);
    w->n_refusing--;
    mem_free(c);
    return TG_OK;
}

static tg_rc
start(struct worker *w, struct conn_in *c)
{
    if ((int64_t)w->n_conns >= w->set->settings->limits.connections) {
        w->refused++;
        if (w->n_refusing >= REFUSING_MAX ||
            co_spawn(&w->serving, "refuse", refuse_run, c) != TG_OK)
            return TG_EUNAVAIL;
        w->n_refusing++;
        return TG_OK;
    }
    if (co_spawn(&w->serving, "conn", conn_run, c) != TG_OK)
        return TG_EUNAVAIL;
    list_add_tail(&w->conns, &c->node);
    w->n_conns++;
    return TG_OK;
}

void
conn_accept(struct worker *w, int fd)
{
    struct conn_in *c = mem_new_lines(struct conn_in);

    c->w = w;
    c->fd = fd;
    list_init(&c->node);
    if (start(w, c) != TG_OK) {
        close(fd);
        mem_free(c);
    }
}

void
conn_close_idle(struct worker *w)
{
    LIST_FOREACH (it, &w->conns) {
        struct conn_in *c = LIST_ITEM(it, struct conn_in, node);

        if (c->idle && !sock_readable(c->sock) && !http_in_begun(&c->in))
            co_cancel(&c->scope, TG_ECANCELED);
    }
}

void
conn_stop_all(struct worker *w)
{
    LIST_FOREACH (it, &w->conns) {
        struct conn_in *c = LIST_ITEM(it, struct conn_in, node);

        if (c->x.working)
            exchange_stop(&c->x, END_DRAIN, TG_ECANCELED);
        else if (c->idle)
            co_cancel(&c->scope, TG_ECANCELED);
    }
}
