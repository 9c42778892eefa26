/* serve.c -- triglot-bench as an upstream: as little work for each event as can be.
 *
 * A coroutine for each connection reads requests and sends the script of the path's dialect.
 * Paced, each record is due at the stream's beginning plus its number of intervals, so delays
 * do not add up; all at once, records go out in pieces of 16 KiB.  A timestamp is the moment
 * its record is handed to the socket.
 *
 * A client that leaves ends its stream at once, also while it waits for its next record.
 */
#include "bench/serve.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "bench/script.h"
#include "co/co.h"
#include "http/reply.h"
#include "http/server.h"
#include "net/listen.h"
#include "upstream/sim_stamp.h"

enum { PIECE = 16384, BODY_MAX = 64 << 20, DIALECTS_MAX = 8, NAME_MAX_BYTES = 64 };

struct server {
    const struct options *o;
    struct co_scope scope;                  /* of the connections */
    struct script scripts[DIALECTS_MAX][2]; /* made when first asked for; [1] has usage */
    int fd;
    uint64_t pauses;
};

struct visit {
    struct server *server;
    struct sock *sock;
    struct http_in in;
    struct reply reply;
    struct arena arena;
    struct buf body;
    struct co_scope scope; /* of one answer */
    char *piece;           /* PIECE bytes and a record */
};

static const struct http_in_conf in_conf = {.head_max = 65536,
                                            .body_max = BODY_MAX,
                                            .keep_alive_ns = 3600 * NS_PER_S,
                                            .head_ns = 30 * NS_PER_S,
                                            .body_idle_ns = 30 * NS_PER_S};

static void
client_gone(void *arg, bool eof)
{
    struct visit *v = arg;

    (void)eof;
    co_cancel(&v->scope, TG_EGONE);
}

static tg_rc
fail(struct visit *v, const struct dialect *d, const struct tg_err *e)
{
    struct http_header type = {STR("content-type"), STR("application/json")};
    struct buf b;
    tg_rc rc;

    buf_init(&b, 65536);
    rc = d->encode_error(e, &b);
    if (rc == TG_OK)
        rc = reply_whole(&v->reply, d->error_status(e), &type, 1, buf_str(&b));
    buf_fini(&b);
    return rc;
}

/* Records from..to with the time of now, in v->piece.  S */
static tg_rc
send_records(struct visit *v, const struct script *s, size_t from, size_t to)
{
    size_t begin = from ? s->end[from - 1] : 0, n = s->end[to - 1] - begin;
    int64_t now_ns = co_now_exact();
    struct str piece;

    memcpy(v->piece, buf_str(&s->stream).p + begin, n);
    for (size_t k = from; k < to; k++)
        sim_stamp_put(v->piece + (s->stamp[k] - begin), now_ns);
    piece = str_of(v->piece, n);
    return reply_write(&v->reply, &piece, 1);
}

/* S */
static tg_rc
send_texts(struct visit *v, const struct script *s)
{
    co_time interval_ns = (co_time)v->server->o->interval_us * 1000, begin = co_now_exact();
    tg_rc rc = TG_OK;
    size_t k = 0;

    v->piece = mem_grow(v->piece, interval_ns || s->most > PIECE ? s->most : PIECE);
    while (rc == TG_OK && k < s->n) {
        size_t from = k++;

        if (interval_ns) {
            co_time at = begin + (co_time)from * interval_ns;

            if (at > co_now())
                rc = co_sleep_until(at);
        } else {
            while (k < s->n && s->end[k] - (from ? s->end[from - 1] : 0) <= PIECE)
                k++;
        }
        if (rc == TG_OK)
            rc = send_records(v, s, from, k);
        if (rc == TG_OK && !interval_ns)
            rc = co_yield();
    }
    return rc;
}

/* S */
static tg_rc
send_stream(struct visit *v, const struct script *s)
{
    static const struct http_header head[] = {
        {{"content-type", 12}, {"text/event-stream", 17}},
        {{"cache-control", 13}, {"no-cache", 8}},
    };
    struct str rest = str_from(buf_str(&s->stream), s->end[s->n - 1]);
    tg_rc rc;

    co_scope_open(&v->scope, CO_NEVER);
    sock_on_gone(v->sock, client_gone, v);
    rc = reply_start(&v->reply, 200, head, 2);
    if (rc == TG_OK)
        rc = send_texts(v, s);
    sock_on_gone(v->sock, NULL, NULL);
    (void)co_scope_close(&v->scope);
    if (rc == TG_OK)
        rc = reply_write(&v->reply, &rest, 1);
    return rc == TG_OK ? reply_end(&v->reply) : rc;
}

/* The dialect of the path: what it ends in. */
static const struct dialect *
dialect_of(struct str path, unsigned *ret_index)
{
    const struct dialect *const *all = dialect_all();

    for (*ret_index = 0; *ret_index < DIALECTS_MAX && all[*ret_index]; ++*ret_index)
        if (str_ends(path, str_z(all[*ret_index]->upstream_path[DIALECT_GENERATE])))
            return all[*ret_index];
    return NULL;
}

/* S */
static tg_rc
answer(struct visit *v, const struct http_head *head)
{
    struct http_header type = {STR("content-type"), STR("application/json")};
    const struct options *o = v->server->o;
    struct tg_err err = {0};
    struct dialect_view view;
    struct script *s;
    unsigned index;
    const struct dialect *d = dialect_of(head->path, &index);

    if (!d || !str_eq(head->method, STR("POST"))) {
        (void)tg_fail(&err, TG_ENOTFOUND, TG_ERR_NOT_FOUND, "not_found",
                      "there is nothing here but POST to the paths of the dialects");
        return fail(v, d ? d : dialect_find(STR("chat")), &err);
    }
    if (d->scan_req(&v->arena, DIALECT_GENERATE, buf_str(&v->body), &view, &err) != TG_OK)
        return fail(v, d, &err);
    s = &v->server->scripts[index][view.wants_usage];
    if (s->n == 0 && script_make(s, d, view.wants_usage, o->events, o->bytes) != TG_OK) {
        (void)tg_fail(&err, TG_ELIMIT, TG_ERR_INTERNAL, "too_large",
                      "--events times --bytes is too much");
        return fail(v, d, &err);
    }
    if (!view.stream)
        return reply_whole(&v->reply, 200, &type, 1, buf_str(&s->whole));
    return send_stream(v, s);
}

/* One request.  False: the connection is at its end.  S */
static bool
serve_one(struct visit *v)
{
    struct http_head *head;
    struct tg_err err;
    bool more;

    if (http_in_head(&v->in, &v->arena, &head, &err) != TG_OK)
        return false;
    buf_init(&v->body, BODY_MAX);
    reply_init(&v->reply, v->sock, head);
    more = http_in_body(&v->in, &v->body, &err) == TG_OK && answer(v, head) == TG_OK;
    buf_fini(&v->body);
    more = more && !v->reply.close && http_in_next(&v->in);
    arena_reset(&v->arena);
    return more;
}

static tg_rc
visit_run(void *arg)
{
    struct visit *v = arg;

    http_in_init(&v->in, v->sock, &in_conf);
    while (serve_one(v))
        continue;
    if (v->reply.ended)
        (void)!sock_flush(v->sock);
    sock_close(v->sock);
    arena_fini(&v->arena);
    mem_free(v->piece);
    mem_free(v);
    return TG_OK;
}

static void
accepted(void *arg, int fd)
{
    struct server *s = arg;
    struct visit *v = mem_new(struct visit);

    v->server = s;
    v->sock = sock_open(fd, NULL);
    arena_init(&v->arena);
    if (co_spawn(&s->scope, "visit", visit_run, v) != TG_OK) {
        sock_close(v->sock);
        mem_free(v);
    }
}

static tg_rc
serve_main(void *arg)
{
    struct server *s = arg;
    tg_rc rc;

    co_scope_open(&s->scope, CO_NEVER);
    rc = listen_accept(s->fd, accepted, s, &s->pauses);
    (void)co_scope_close(&s->scope);
    return rc;
}

tg_rc
serve_run(const struct options *o, struct tg_err *err)
{
    static struct server s;
    struct co_conf conf = {.recv_buffers = 1024,
                           .recv_buffer_bytes = 4096,
                           .ring_entries = 4096,
                           .coroutines_max = OPTIONS_CONNECTIONS_MAX + 1024};
    char name[NAME_MAX_BYTES];
    tg_rc rc = listen_open(str_z(o->serve), &s.fd, err);

    if (rc != TG_OK)
        return rc;
    s.o = o;
    signal(SIGPIPE, SIG_IGN);
    listen_name(s.fd, name, sizeof name);
    printf("listening on %s\n", name);
    fflush(stdout);
    rc = co_run(&conf, "serve", serve_main, &s, err);
    close(s.fd);
    return rc;
}
