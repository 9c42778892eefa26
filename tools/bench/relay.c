/* relay.c -- triglot-bench as a bare relay: the least that passing bytes on can cost here.
 *
 * Callbacks on the ring and nothing above it: no coroutine, no socket object, no HTTP, no heap
 * but one object for each connection.  A connection that is accepted gets one of its own to
 * the other end; the two are a pair of ways.  A way receives into the ring's shared buffers
 * and sends from those very buffers, one at a time and in order; the queue is a chain through
 * the table of slots, one slot for each buffer of the ring.  A buffer goes back to the ring
 * when all of it is sent.
 *
 * A way whose queue is long, in bytes or by its share of the buffers that are left, stops
 * receiving until the queue is empty.  Its share shrinks as others take theirs, so that slow
 * readers do not take all; thousands of them can, and then everybody waits until one reads.  A
 * way for which there was no buffer stands in line and is armed again after a turn that brought
 * some back.
 *
 * The end of one side is passed on, once its queue is sent, as the end of writing to the other.
 * A pair is over when both ways have ended or anything failed; it lives on until no operation
 * of it is in flight: settle looks after each of its completions.
 */
#include "bench/relay.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "co/ring.h"
#include "net/listen.h"

/* As large as a worker's (gate/worker.c), but more: what cannot be sent yet is kept in them. */
enum { BUFFERS = 1024, BUFFER_BYTES = 8192, HIGH_BYTES = 65536, SHARE = 8, NAME_BYTES = 64 };

#define ACCEPT_REST (10 * NS_PER_MS)

struct pair;

/* One direction. */
struct way {
    struct ring_op recv, send;
    struct pair *pair;
    int from, to;
    struct list starving;  /* in relay.starving, or in no list */
    unsigned first, last;  /* of the queue: buffers, as indices of relay.slots */
    unsigned n;            /* buffers in the queue */
    size_t bytes;          /* not yet sent, in the whole queue */
    bool ended, passed_on; /* the end of `from`: seen, told to `to` */
};

struct pair {
    struct way ways[2]; /* from the client, from the other end */
    struct ring_op connect;
    struct list link; /* in relay.pairs */
    bool failed;
};

struct slot {
    unsigned next;
    unsigned begin, end; /* what is to be sent of the buffer */
};

static struct relay {
    struct ring *ring;
    struct ring_op accept, signal;
    struct slot slots[BUFFERS];
    struct list pairs, starving;
    struct dns_addr to;
    int listen_fd, signal_fd;
    int64_t accept_at; /* when to accept (again); INT64_MAX: it is in flight */
    bool stopping;
} relay;

static void
push(struct way *w, unsigned bid, unsigned bytes)
{
    relay.slots[bid] = (struct slot){.end = bytes};
    if (w->n++ == 0)
        w->first = bid;
    else
        relay.slots[w->last].next = bid;
    w->last = bid;
    w->bytes += bytes;
}

static void
pop(struct way *w)
{
    unsigned bid = w->first;

    w->first = relay.slots[bid].next;
    w->n--;
    ring_buffer_return(relay.ring, bid);
}

/* Frees the pair if it is over and the kernel is done with it. */
static void
settle(struct pair *p)
{
    struct way *w;

    if (p->connect.in_flight || !(p->failed || (p->ways[0].passed_on && p->ways[1].passed_on)))
        return;
    for (w = p->ways; w < p->ways + 2; w++)
        if (w->recv.in_flight || w->send.in_flight)
            return;
    for (w = p->ways; w < p->ways + 2; w++) {
        while (w->n > 0)
            pop(w);
        close(w->from);
    }
    list_del(&p->link);
    mem_free(p);
}

static void
pair_fail(struct pair *p)
{
    p->failed = true;
    ring_cancel(relay.ring, &p->connect);
    for (struct way *w = p->ways; w < p->ways + 2; w++) {
        list_del(&w->starving);
        ring_cancel(relay.ring, &w->recv);
        ring_cancel(relay.ring, &w->send);
    }
}

static bool
way_full(const struct way *w)
{
    return w->bytes > HIGH_BYTES || w->n > 1 + ring_buffers_free(relay.ring) / SHARE;
}

/* Submits what is next, as the way now stands. */
static void
way_go_on(struct way *w)
{
    const struct slot *s = &relay.slots[w->first];

    if (w->pair->failed)
        return;
    if (w->n > 0) {
        if (!w->send.in_flight)
            ring_send(relay.ring, &w->send, w->to, ring_buffer(relay.ring, w->first) + s->begin,
                      s->end - s->begin);
        if (way_full(w))
            ring_cancel(relay.ring, &w->recv);
    } else if (w->ended) {
        if (!w->passed_on && shutdown(w->to, SHUT_WR) != 0)
            pair_fail(w->pair);
        w->passed_on = true;
    } else if (!w->recv.in_flight) {
        list_del(&w->starving);
        if (ring_buffers_free(relay.ring) > 0)
            ring_recv_many(relay.ring, &w->recv, w->from);
        else
            list_add_tail(&relay.starving, &w->starving);
    }
}

static void
recv_done(struct ring_op *op, int32_t res, unsigned flags, unsigned bid)
{
    struct way *w = LIST_ITEM(op, struct way, recv);

    if (flags & RING_BUFFER) {
        if (res > 0 && !w->pair->failed)
            push(w, bid, (unsigned)res);
        else
            ring_buffer_return(relay.ring, bid);
    }
    if (res == 0)
        w->ended = true;
    else if (res < 0 && res != -ENOBUFS && res != -ECANCELED)
        pair_fail(w->pair);
    way_go_on(w);
    settle(w->pair);
}

static void
send_done(struct ring_op *op, int32_t res, unsigned flags, unsigned bid)
{
    struct way *w = LIST_ITEM(op, struct way, send);
    struct slot *s = &relay.slots[w->first];

    (void)flags;
    (void)bid;
    if (res > 0) {
        w->bytes -= (unsigned)res;
        s->begin += (unsigned)res;
        if (s->begin == s->end)
            pop(w);
    } else {
        pair_fail(w->pair);
    }
    way_go_on(w);
    settle(w->pair);
}

static void
connect_done(struct ring_op *op, int32_t res, unsigned flags, unsigned bid)
{
    struct pair *p = LIST_ITEM(op, struct pair, connect);

    (void)flags;
    (void)bid;
    if (res < 0)
        pair_fail(p);
    way_go_on(&p->ways[0]);
    way_go_on(&p->ways[1]);
    settle(p);
}

static void
pair_open(int client)
{
    int one = 1, server = socket(relay.to.sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct pair *p;

    if (server < 0) {
        close(client);
        return;
    }
    p = mem_new(struct pair);
    for (struct way *w = p->ways; w < p->ways + 2; w++) {
        w->pair = p;
        w->recv.done = recv_done;
        w->send.done = send_done;
        list_init(&w->starving);
        w->from = w == p->ways ? client : server;
        w->to = w == p->ways ? server : client;
        (void)setsockopt(w->from, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    }
    list_add_tail(&relay.pairs, &p->link);
    p->connect.done = connect_done;
    ring_connect(relay.ring, &p->connect, server, (const struct sockaddr *)&relay.to.sa,
                 relay.to.len);
}

/* Whatever the error, most likely no descriptor was left, it is tried again soon. */
static void
accept_done(struct ring_op *op, int32_t res, unsigned flags, unsigned bid)
{
    (void)op;
    (void)bid;
    if (res >= 0 && relay.stopping)
        close(res);
    else if (res >= 0)
        pair_open(res);
    if (!(flags & RING_MORE) && !relay.stopping)
        relay.accept_at = res >= 0 ? 0 : ring_now(relay.ring) + ACCEPT_REST;
}

static void
signal_done(struct ring_op *op, int32_t res, unsigned flags, unsigned bid)
{
    (void)op;
    (void)res;
    (void)flags;
    (void)bid;
    relay.stopping = true;
    relay.accept_at = INT64_MAX;
    ring_cancel(relay.ring, &relay.accept);
    LIST_FOREACH_SAFE (it, next, &relay.pairs) {
        struct pair *p = LIST_ITEM(it, struct pair, link);

        pair_fail(p);
        settle(p);
    }
}

/* What a turn left to be tried again. */
static void
after_turn(void)
{
    unsigned n = ring_buffers_free(relay.ring);
    struct list *it;

    while (n-- > 0 && (it = list_first(&relay.starving)))
        way_go_on(LIST_ITEM(it, struct way, starving));
    if (relay.accept_at != INT64_MAX && relay.accept_at <= ring_now(relay.ring)) {
        relay.accept_at = INT64_MAX;
        ring_accept(relay.ring, &relay.accept, relay.listen_fd);
    }
}

static tg_rc
loop(struct tg_err *err)
{
    tg_rc rc = TG_OK;

    list_init(&relay.pairs);
    list_init(&relay.starving);
    relay.accept.done = accept_done;
    relay.signal.done = signal_done;
    ring_poll(relay.ring, &relay.signal, relay.signal_fd, POLLIN);
    while (rc == TG_OK && (!relay.stopping || ring_in_flight(relay.ring) > 0)) {
        after_turn();
        rc = ring_turn(relay.ring, relay.accept_at, err);
    }
    if (rc == TG_OK)
        ring_close(relay.ring);
    return rc;
}

tg_rc
relay_run(int listen_fd, const struct dns_addr *to, struct tg_err *err)
{
    const struct ring_conf conf = {.buffers = BUFFERS, .buffer_bytes = BUFFER_BYTES};
    char name[NAME_BYTES];
    sigset_t set;
    tg_rc rc;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    relay.to = *to;
    relay.listen_fd = listen_fd;
    relay.signal_fd = signalfd(-1, &set, SFD_CLOEXEC);
    if (relay.signal_fd < 0)
        return tg_fail_sys(err, errno, "signalfd failed");
    rc = ring_open(&relay.ring, &conf, err);
    if (rc == TG_OK) {
        listen_name(listen_fd, name, sizeof name);
        printf("listening on %s\n", name);
        fflush(stdout);
        rc = loop(err);
    }
    close(relay.signal_fd);
    return rc;
}
