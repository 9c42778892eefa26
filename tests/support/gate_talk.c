/* gate_talk.c -- a scripted client and a scripted upstream of a simulated gateway.
 *
 * The client parses strictly and by itself: what it does not understand is a fault, kept in the
 * answer.  The upstream reads a head and a sized body, looks for "stream":true in it, and says
 * its pieces.
 */
#include "support/gate_talk.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "net/listen.h"
#include "support/gate_sim.h"
#include "support/ring_sim.h"

enum { BODY_MAX = 1 << 20, REQUEST_MAX = 1 << 16, READ_MAX = 1024 };

#define ANSWER_NS_MAX (60 * NS_PER_S)

static const char *
find(struct str s, const char *what)
{
    return s.n ? memmem(s.p, s.n, what, strlen(what)) : NULL;
}

void
gate_answer_fini(struct gate_answer *a)
{
    buf_fini(&a->body);
    buf_fini(&a->got);
}

static bool
take_head(struct gate_answer *a)
{
    struct str got = buf_str(&a->got), head;
    const char *end = find(got, "\r\n\r\n"), *h;

    if (!end)
        return false;
    head = str_of(got.p, (size_t)(end - got.p) + 2);
    if (!str_starts(head, STR("HTTP/1.1 ")) || head.n < 14) {
        a->fault = "no status line";
        return false;
    }
    a->status = (unsigned)strtoul(head.p + 9, NULL, 10);
    a->stream = find(head, "\r\ncontent-type: text/event-stream") != NULL;
    a->chunked = find(head, "\r\nTransfer-Encoding: chunked\r\n") != NULL;
    if ((h = find(head, "\r\nContent-Length: ")) != NULL)
        a->left = strtoul(h + 18, NULL, 10);
    if (a->chunked == (h != NULL))
        a->fault = "its length is given twice or not at all";
    buf_consume(&a->got, head.n + 2);
    return !a->fault;
}

/* Moves up to `left` bytes from got to body. */
static void
take_bytes(struct gate_answer *a)
{
    struct str got = buf_str(&a->got);
    size_t n = got.n < a->left ? got.n : a->left;

    if (buf_append(&a->body, str_of(got.p, n)) != TG_OK)
        a->fault = "it is too long";
    buf_consume(&a->got, n);
    a->left -= n;
}

/* One chunk's head with what comes before and behind it; false when more is needed. */
static bool
take_chunk_head(struct gate_answer *a)
{
    struct str got = buf_str(&a->got);
    const char *end = find(got, "\r\n");
    char *stop;

    if (!end)
        return false;
    a->left = strtoul(got.p, &stop, 16);
    if (stop != end || stop == got.p) {
        a->fault = "no chunk size";
        return false;
    }
    if (a->left > 0) {
        buf_consume(&a->got, (size_t)(end - got.p) + 2);
        a->left += 2; /* its CRLF, checked below */
        return true;
    }
    if (got.n < (size_t)(end - got.p) + 4)
        return false;
    a->complete = true;
    buf_consume(&a->got, (size_t)(end - got.p) + 4);
    return true;
}

static void
parse(struct gate_answer *a)
{
    if (a->status == 0 && !take_head(a))
        return;
    if (!a->chunked) {
        take_bytes(a);
        a->complete = a->left == 0;
    }
    while (a->chunked && !a->complete && !a->fault) {
        if (a->left > 0) {
            take_bytes(a);
            if (a->left > 0)
                return;
            if (!str_ends(buf_str(&a->body), STR("\r\n")))
                a->fault = "no CRLF behind a chunk";
            buf_truncate(&a->body, a->body.n - 2);
        } else if (!take_chunk_head(a)) {
            return;
        }
    }
    if (a->complete && a->got.n > 0)
        a->fault = "bytes behind its end";
}

void
gate_client_open(struct gate_client *c)
{
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(GATE_SIM_PORT)};
    int fd = ring_sim_socket(), eno;
    tg_rc rc;

    ring_sim_spare(fd);
    rc = co_connect(fd, (struct sockaddr *)&sin, sizeof sin, &eno);
    if (rc != TG_OK || c->left) {
        ring_sim_close(fd);
        c->left = true;
        return;
    }
    c->fd = fd;
}

static tg_rc
say(struct gate_client *c, struct str s)
{
    int eno;

    return co_write_all(c->fd, s.p, s.n, &eno);
}

static void
take_answer(struct gate_client *c, struct gate_answer *a)
{
    char piece[READ_MAX];
    size_t n;
    int eno;
    tg_rc rc;

    while (!a->complete && !a->ended && !a->fault) {
        if (c->read_every && co_sleep_until(co_now() + c->read_every) != TG_OK)
            return;
        rc = co_read(c->fd, piece, sizeof piece, &n, &eno);
        if (rc != TG_OK && rc != TG_EIO)
            return;
        a->ended = rc == TG_EIO || n == 0;
        if (a->ended)
            break;
        if (buf_append(&a->got, str_of(piece, n)) != TG_OK)
            abort();
        parse(a);
    }
}

void
gate_client_ask(struct gate_client *c, struct str request, struct gate_answer *ret)
{
    size_t half = request.n / 3;
    tg_rc rc;

    buf_init(&ret->body, BODY_MAX);
    buf_init(&ret->got, BODY_MAX);
    if (c->left)
        return;
    co_scope_open(&c->scope, co_now() + ANSWER_NS_MAX);
    c->asks = true;
    rc = say(c, str_of(request.p, half));
    if (rc == TG_OK)
        rc = co_sleep_until(co_now() + NS_PER_MS);
    if (rc == TG_OK && !c->left)
        rc = say(c, str_from(request, half));
    if (rc == TG_OK || rc == TG_EIO)
        take_answer(c, ret);
    c->asks = false;
    if (co_scope_close(&c->scope) == TG_EDEADLINE)
        gate_sim_die(
            "the client has no end after 60 s; status %u, the body's last bytes: %.*s",
            ret->status,
            STR_ARG(str_from(buf_str(&ret->body), ret->body.n > 80 ? ret->body.n - 80 : 0)));
}

void
gate_client_leave(struct gate_client *c, bool reset)
{
    c->left = true;
    if (!c->fd)
        return;
    if (!reset) {
        ring_sim_shutdown(c->fd);
        return;
    }
    ring_sim_reset(c->fd);
    c->fd = 0;
    if (c->asks)
        co_cancel(&c->scope, TG_EGONE);
}

void
gate_client_close(struct gate_client *c)
{
    if (c->fd)
        ring_sim_close(c->fd);
    c->fd = 0;
}

/* Reads a request; false when the connection ends first. */
static bool
take_request(struct gate_peer *p, struct buf *got, bool *ret_stream)
{
    for (;;) {
        struct str s = buf_str(got);
        const char *end = find(s, "\r\n\r\n"), *h;
        size_t head, body = 0, n;
        char piece[READ_MAX];
        int eno;

        if (end) {
            head = (size_t)(end - s.p) + 4;
            h = find(str_of(s.p, head), "\r\nContent-Length: ");
            body = h ? strtoul(h + 18, NULL, 10) : 0;
            if (s.n >= head + body) {
                *ret_stream = find(s, "\"stream\":true") != NULL;
                buf_consume(got, head + body);
                return true;
            }
        }
        if (co_read(p->fd, piece, sizeof piece, &n, &eno) != TG_OK || n == 0)
            return false;
        p->busy = true;
        if (buf_append(got, str_of(piece, n)) != TG_OK)
            abort();
    }
}

/* Waits, and is hurried by the other side's leaving. */
static bool
still_there(const struct gate_peer *p, co_time until)
{
    struct co_scope sc;
    unsigned revents;
    tg_rc rc;

    co_scope_open(&sc, until);
    rc = co_poll(p->fd, POLLRDHUP, &revents);
    (void)co_scope_close(&sc);
    return rc == TG_EDEADLINE;
}

static bool
say_pieces(struct gate_peer *p, const struct gate_piece *piece)
{
    int eno;

    for (; piece->bytes.n; piece++) {
        if (piece->pause && !still_there(p, co_now() + piece->pause))
            return false;
        if (p->left || co_write_all(p->fd, piece->bytes.p, piece->bytes.n, &eno) != TG_OK)
            return false;
    }
    return true;
}

static tg_rc
peer_run(void *arg)
{
    struct gate_peer *p = arg;
    struct buf got;
    bool stream;

    buf_init(&got, REQUEST_MAX);
    co_scope_open(&p->scope, CO_NEVER);
    p->scoped = true;
    while (take_request(p, &got, &stream)) {
        p->up->requests++;
        if (!say_pieces(p, stream ? p->up->stream : p->up->whole))
            break;
        p->answered++;
        p->busy = false;
    }
    p->scoped = false;
    (void)co_scope_close(&p->scope);
    p->busy = false;
    p->gone = true;
    ring_sim_close(p->fd);
    buf_fini(&got);
    return TG_OK;
}

static void
on_accept(void *arg, int fd)
{
    struct gate_upstream *u = arg;
    struct gate_peer *p = &u->peers[u->n_peers];

    if (u->n_peers == GATE_PEERS_MAX)
        gate_sim_die("more than %d connections to the upstream", GATE_PEERS_MAX);
    *p = (struct gate_peer){.fd = fd, .up = u};
    if (co_spawn(u->scope, "script peer", peer_run, p) == TG_OK)
        u->n_peers++;
    else
        ring_sim_close(fd);
}

static tg_rc
upstream_run(void *arg)
{
    struct gate_upstream *u = arg;
    uint64_t pauses;

    (void)!listen_accept(u->listener, on_accept, u, &pauses);
    ring_sim_close(u->listener);
    return TG_OK;
}

void
gate_upstream_open(struct gate_upstream *u, unsigned port, struct co_scope *scope)
{
    u->scope = scope;
    u->listener = ring_sim_listen(port);
    ring_sim_spare(u->listener);
    if (co_spawn(scope, "script upstream", upstream_run, u) != TG_OK)
        gate_sim_die("no coroutine for the upstream");
}

unsigned
gate_upstream_busy(const struct gate_upstream *u)
{
    unsigned n = 0;

    for (unsigned i = 0; i < u->n_peers; i++)
        n += u->peers[i].busy;
    return n;
}

unsigned
gate_upstream_alive(const struct gate_upstream *u)
{
    unsigned n = 0;

    for (unsigned i = 0; i < u->n_peers; i++)
        n += !u->peers[i].gone;
    return n;
}

void
gate_upstream_leave(struct gate_upstream *u, bool reset)
{
    for (unsigned i = 0; i < u->n_peers; i++) {
        struct gate_peer *p = &u->peers[i];

        if (p->gone || p->left)
            continue;
        p->left = true;
        if (!reset) {
            ring_sim_shutdown(p->fd);
            continue;
        }
        ring_sim_reset(p->fd);
        if (p->scoped)
            co_cancel(&p->scope, TG_EGONE);
    }
}
