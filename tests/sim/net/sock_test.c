/* sock_test.c -- sockets on the simulated ring: a thousand short runs, each from its seed.
 *
 * Pairs of sockets send to each other in both directions at once, in pieces, with marks and
 * buffer pools of random size, readers that dawdle, short transfers, and cancels that race.  In
 * every run what arrives is what was sent, and nothing is left over.  In half of the runs an
 * operation fails or an end closes early; then what arrives is a prefix, and nothing is left
 * over either.  A wake-up that gets lost shows as the simulator's deadlock.
 */
#include "net/sock.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "co/ring.h"
#include "net/block.h"
#include "support/net_test.h"
#include "support/ring_sim.h"

/* The sockets under test exist in the simulator only. */
int
close(int fd)
{
    if (fd < RING_SIM_FD)
        return (int)syscall(SYS_close, fd);
    ring_sim_close(fd);
    return 0;
}

int
shutdown(int fd, int how)
{
    if (fd >= RING_SIM_FD && how != SHUT_RD)
        ring_sim_shutdown(fd);
    return 0;
}

int
setsockopt(int fd, int level, int name, const void *v, socklen_t n)
{
    (void)fd, (void)level, (void)name, (void)v, (void)n;
    return 0;
}

enum { RUNS = 1000, PAIRS_MAX = 4 };

static uint64_t
pick(uint64_t n)
{
    return ring_sim_random(n);
}

struct end {
    struct sock *s;
    unsigned out_stream, in_stream;
    size_t out_total, in_total; /* to be sent, to be expected */
    size_t out, in;
    bool quits; /* closes half-way */
    bool dawdles;
    unsigned gone;
    tg_rc rc;
};

static struct end ends[2 * PAIRS_MAX];
static uint64_t seed;
static bool disturbed; /* what arrives may be cut short */

static void
die(const char *what)
{
    (void)fprintf(stderr, "seed %llu: %s\n", (unsigned long long)seed, what);
    abort();
}
#define EXPECT(cond)                                                                           \
    do {                                                                                       \
        if (!(cond))                                                                           \
            die(#cond);                                                                        \
    } while (0)

static tg_rc
dawdle(void)
{
    return pick(3) ? co_yield() : co_sleep_until(co_now() + (co_time)pick(200000));
}

static tg_rc
send_all(void *arg)
{
    struct end *e = arg;
    unsigned char piece[3000];
    tg_rc rc = TG_OK;

    while (e->out < e->out_total && rc == TG_OK) {
        size_t n = 1 + pick(sizeof piece);
        struct str v[2];

        if (n > e->out_total - e->out)
            n = e->out_total - e->out;
        net_test_fill(e->out_stream, e->out, piece, n);
        v[0] = str_of((char *)piece, n / 2);
        v[1] = str_from(str_of((char *)piece, n), n / 2);
        rc = pick(8) ? sock_putv(e->s, v, 2) : sock_put_now(e->s, str_of((char *)piece, n));
        if (rc == TG_OK || rc != TG_EGONE)
            e->out += n;
        if (rc == TG_OK && pick(4) == 0)
            rc = dawdle();
    }
    return rc == TG_OK ? sock_flush(e->s) : rc;
}

static void
on_gone(void *arg, bool eof)
{
    struct end *e = arg;

    (void)eof;
    e->gone++;
}

/* Reads to the end of what is to come, or to the end of the connection. */
static tg_rc
read_all(struct end *e)
{
    struct str in;
    tg_rc rc = TG_OK;

    while (e->in < e->in_total && (rc = sock_read(e->s, &in)) == TG_OK && in.n > 0) {
        size_t n = 1 + pick(in.n);

        EXPECT(e->in + in.n <= e->in_total);
        if (e->dawdles)
            rc = dawdle(); /* the bytes stay where they are */
        for (size_t i = 0; i < n; i++)
            EXPECT((unsigned char)in.p[i] == net_test_byte(e->in_stream, e->in + i));
        e->in += n;
        sock_consume(e->s, n);
        if (rc != TG_OK || (e->quits && e->in > e->in_total / 2))
            break;
    }
    return rc;
}

static tg_rc
live(void *arg)
{
    struct end *e = arg;
    struct co_scope sc;

    co_scope_open(&sc, pick(20) || !disturbed ? CO_NEVER : co_now() + (co_time)pick(300000));
    sock_on_gone(e->s, on_gone, e);
    EXPECT(co_spawn(&sc, "send", send_all, e) == TG_OK);
    e->rc = read_all(e);
    if (e->rc == TG_OK && e->in == e->in_total && !e->quits)
        e->rc = co_join(&sc);
    (void)co_scope_close(&sc);
    if (pick(2))
        sock_close(e->s);
    else
        sock_close_sent(e->s);
    return TG_OK;
}

static struct sock *
open_end(int fd)
{
    struct sock_conf conf = {.read_high = 1 + pick(20000),
                             .write_high = 1 + pick(20000),
                             .write_low = 1 + pick(9000)};

    return sock_open(fd, &conf);
}

static void
make_pair(struct end *a, struct end *b, unsigned i)
{
    int fds[2];

    ring_sim_pair(fds);
    *a = (struct end){.s = open_end(fds[0]),
                      .out_stream = 2 * i,
                      .in_stream = 2 * i + 1,
                      .out_total = pick(30000),
                      .in_total = pick(30000),
                      .dawdles = pick(2)};
    *b = (struct end){.s = open_end(fds[1]),
                      .out_stream = 2 * i + 1,
                      .in_stream = 2 * i,
                      .out_total = a->in_total,
                      .in_total = a->out_total,
                      .dawdles = pick(2)};
    if (disturbed)
        a->quits = pick(4) == 0;
}

static tg_rc
one_run(void *arg)
{
    static const int hard[] = {ECONNRESET, EPIPE, ETIMEDOUT, EIO, ENOMEM};
    unsigned pairs = 1 + (unsigned)pick(PAIRS_MAX);
    unsigned free_before = ring_buffers_free(co_ring());
    struct co_scope sc;

    (void)arg;
    co_scope_open(&sc, CO_NEVER);
    for (unsigned i = 0; i < pairs; i++) {
        make_pair(&ends[2 * i], &ends[2 * i + 1], i);
        EXPECT(co_spawn(&sc, "a", live, &ends[2 * i]) == TG_OK);
        EXPECT(co_spawn(&sc, "b", live, &ends[2 * i + 1]) == TG_OK);
    }
    if (disturbed)
        ring_sim_fail(1 + pick(60), hard[pick(sizeof hard / sizeof hard[0])]);
    else if (seed % 4 == 2)
        ring_sim_fail(1 + pick(60), EINTR);
    EXPECT(co_join(&sc) == TG_OK);
    EXPECT(co_scope_close(&sc) == TG_OK);
    for (unsigned i = 0; i < 2 * pairs && !disturbed; i++) {
        EXPECT(ends[i].rc == TG_OK);
        EXPECT(ends[i].in == ends[i].in_total);
        EXPECT(ends[i].out == ends[i].out_total);
    }
    /* sock_close_sent may take its second. */
    for (int i = 0; i < 40 && (sock_live() > 0 || ring_in_flight(co_ring()) > 0); i++)
        EXPECT(co_sleep_until(co_now() + 100000000) == TG_OK);
    EXPECT(sock_live() == 0);
    EXPECT(ring_in_flight(co_ring()) == 0);
    EXPECT(ring_buffers_free(co_ring()) == free_before);
    EXPECT(sock_stats()->held_bytes == 0);
    EXPECT(sock_stats()->unsent_bytes == 0);
    return TG_OK;
}

static void
run_seed(uint64_t n)
{
    struct co_conf conf = {0};
    struct tg_err err = {.rc = TG_OK};

    seed = n;
    ring_sim_seed(n);
    disturbed = n % 2 == 1;
    conf.turn_budget = 1 + (unsigned)pick(8);
    conf.recv_buffers = 1U << pick(6);
    conf.recv_buffer_bytes = 64U << pick(6);
    ring_sim_knobs()->short_pct = (unsigned)pick(100);
    ring_sim_knobs()->socket_bytes = 1 + pick(30000);
    if (co_run(&conf, "sim", one_run, NULL, &err) != TG_OK)
        die(err.msg);
    EXPECT(ring_sim_open() == 0);
    sock_thread_fini();
    EXPECT(block_count() == 0);
}

static void
test_many_seeds(void **state)
{
    const char *only = getenv("SEED");

    (void)state;
    if (only) {
        run_seed(strtoull(only, NULL, 10));
        return;
    }
    for (uint64_t n = 1; n <= RUNS; n++)
        run_seed(n);
    /* The runs did meet what they are about. */
    assert_true(sock_stats()->starved > RUNS / 10);
    assert_true(sock_stats()->paused > RUNS / 10);
}

/* One buffer, taken by a sock that nobody reads and given back at once, by chance before or
 * after the other one is told that there was none: the other must be armed again in both cases.
 */
static tg_rc
starve_race(void *arg)
{
    struct sock *a, *b, *pa, *pb;
    struct str in;
    int fa[2], fb[2];

    (void)arg;
    ring_sim_pair(fa);
    ring_sim_pair(fb);
    a = open_end(fa[0]);
    b = open_end(fb[0]);
    pa = open_end(fa[1]);
    pb = open_end(fb[1]);

    EXPECT(sock_put_now(pa, STR("a")) == TG_OK);
    EXPECT(sock_put_now(pb, STR("b")) == TG_OK);
    EXPECT(sock_read(b, &in) == TG_OK && in.n == 1);
    sock_close(a);
    sock_close(b);
    sock_close(pa);
    sock_close(pb);
    return TG_OK;
}

static void
test_starve_race(void **state)
{
    struct co_conf conf = {.recv_buffers = 1, .recv_buffer_bytes = 64};

    (void)state;
    for (seed = 1; seed <= 200; seed++) {
        struct tg_err err = {.rc = TG_OK};

        ring_sim_seed(seed);
        if (co_run(&conf, "race", starve_race, NULL, &err) != TG_OK)
            die(err.msg);
    }
    sock_thread_fini();
}

/* Nobody reads: the receive stops at the mark, and goes on at half of it. */
static tg_rc
pausing(void *arg)
{
    enum { MARK = 10000, MANY = 200000 };
    struct sock_conf conf = {.read_high = MARK};
    static char many[MANY];
    struct sock *s, *peer;
    size_t held, waiting;
    struct str in;
    int fds[2];

    (void)arg;
    ring_sim_pair(fds);
    s = sock_open(fds[0], &conf);
    peer = open_end(fds[1]);
    EXPECT(sock_put_now(peer, str_of(many, MANY)) == TG_OK);
    EXPECT(co_sleep_until(co_now() + 100000000) == TG_OK);
    held = sock_stats()->held_bytes;
    EXPECT(held > MARK && held <= MARK + 8 * ring_buffer_bytes(co_ring()));
    waiting = ring_sim_waiting(fds[0]) + sock_unsent(peer);
    EXPECT(waiting + held == MANY);
    while (sock_stats()->held_bytes > MARK / 2 + 1) {
        size_t over = sock_stats()->held_bytes - MARK / 2 - 1;

        EXPECT(sock_read(s, &in) == TG_OK);
        sock_consume(s, in.n < over ? in.n : over);
    }
    EXPECT(co_sleep_until(co_now() + 100000000) == TG_OK);
    EXPECT(ring_sim_waiting(fds[0]) + sock_unsent(peer) == waiting);
    EXPECT(sock_read(s, &in) == TG_OK);
    sock_consume(s, 1);
    EXPECT(co_sleep_until(co_now() + 100000000) == TG_OK);
    EXPECT(ring_sim_waiting(fds[0]) + sock_unsent(peer) < waiting);
    EXPECT(sock_stats()->held_bytes > MARK);
    sock_close(s);
    sock_close(peer);
    return TG_OK;
}

static void
test_pausing(void **state)
{
    struct co_conf conf = {.recv_buffers = 64, .recv_buffer_bytes = 1024};
    uint64_t paused = sock_stats()->paused;

    (void)state;
    for (seed = 1; seed <= 50; seed++) {
        struct tg_err err = {.rc = TG_OK};

        ring_sim_seed(seed);
        ring_sim_knobs()->cancel = RING_SIM_CANCEL_WINS;
        if (co_run(&conf, "pausing", pausing, NULL, &err) != TG_OK)
            die(err.msg);
    }
    assert_true(sock_stats()->paused == paused + 100);
    sock_thread_fini();
}

/* The end comes when the last byte is out, or after a second when it cannot get out. */
static tg_rc
close_sent(void *arg)
{
    const size_t *room = arg;
    co_time began = co_now();
    struct sock *s;
    int fds[2];

    ring_sim_pair(fds);
    s = open_end(fds[0]);
    EXPECT(sock_put_now(s, STR("last words")) == TG_OK);
    sock_close_sent(s);
    while (sock_live() > 0)
        EXPECT(co_sleep_until(co_now() + 1000000) == TG_OK);
    if (*room > 0) {
        EXPECT(co_now() - began < 500000000);
        EXPECT(ring_sim_waiting(fds[1]) == 10);
    } else {
        EXPECT(co_now() - began >= 1000000000);
        EXPECT(co_now() - began < 1100000000);
    }
    ring_sim_close(fds[1]);
    return TG_OK;
}

static void
test_close_sent(void **state)
{
    struct co_conf conf = {.recv_buffers = 4, .recv_buffer_bytes = 64};
    struct tg_err err = {.rc = TG_OK};

    (void)state;
    for (size_t room = 0; room < 2; room++) {
        ring_sim_seed(1);
        ring_sim_knobs()->socket_bytes = room * 100;
        if (co_run(&conf, "close", close_sent, &room, &err) != TG_OK)
            die(err.msg);
        EXPECT(ring_sim_open() == 0);
    }
    sock_thread_fini();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_seeds), cmocka_unit_test(test_starve_race),
        cmocka_unit_test(test_pausing), cmocka_unit_test(test_close_sent)};

    return cmocka_run_group_tests_name("net/sock (simulated)", tests, NULL, NULL);
}
