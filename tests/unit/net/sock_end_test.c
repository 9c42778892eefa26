/* sock_end_test.c -- how sockets end: peers that leave in every phase, and closing. */
#include "net/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "co/ring.h"
#include "net/block.h"
#include "support/co_test.h"
#include "support/net_test.h"

enum { BUFFER_BYTES = 2048 };

static bool
all_freed(void *arg)
{
    (void)arg;
    return sock_live() == 0 && ring_in_flight(co_ring()) == 0;
}

static void
expect_clean(void)
{
    assert_true(net_test_until(all_freed, NULL));
    assert_int_equal(sock_stats()->held_bytes, 0);
    assert_int_equal(sock_stats()->unsent_bytes, 0);
    assert_int_equal(ring_buffers_free(co_ring()), 64);
    sock_thread_fini();
    assert_int_equal(block_count(), 0);
}

static void
run(co_fn *body)
{
    assert_int_equal(co_test_run(body, NULL), TG_OK);
}

struct flood {
    int fd;
    size_t sent;
    unsigned full; /* times in a row that nothing could be sent */
};

static bool
flood_stuck(void *arg)
{
    struct flood *f = arg;
    unsigned char piece[10000];
    bool any = false;

    for (;;) {
        ssize_t k;

        net_test_fill(2, f->sent, piece, sizeof piece);
        k = write(f->fd, piece, sizeof piece);
        if (k <= 0)
            break;
        f->sent += (size_t)k;
        any = true;
    }
    f->full = any ? 0 : f->full + 1;
    return f->full > 100;
}

struct gone {
    unsigned eof, error;
    struct sock *close; /* closed from within the hook */
};

static void
on_gone(void *arg, bool eof)
{
    struct gone *g = arg;

    if (eof)
        g->eof++;
    else
        g->error++;
    if (g->close) {
        sock_close(g->close);
        g->close = NULL;
    }
}

static bool
gone_any(void *arg)
{
    struct gone *g = arg;

    return g->eof + g->error > 0;
}

static bool
gone_error(void *arg)
{
    return ((struct gone *)arg)->error > 0;
}

static tg_rc
gone_body(void *arg)
{
    struct gone g = {0};
    struct sock *s;
    struct str in;
    int fds[2];

    (void)arg;
    /* The peer closes, with bytes in front that nobody has read. */
    net_test_pair(fds);
    s = sock_open(fds[0], NULL);
    sock_on_gone(s, on_gone, &g);
    net_test_write(fds[1], "bye", 3);
    close(fds[1]);
    assert_true(net_test_until(gone_any, &g));
    assert_int_equal(g.eof, 1);
    assert_int_equal(g.error, 0);
    assert_true(sock_readable(s));
    assert_int_equal(sock_read(s, &in), TG_OK);
    assert_int_equal(in.n, 3);
    sock_consume(s, 3);
    assert_int_equal(sock_read(s, &in), TG_OK);
    assert_int_equal(in.n, 0);
    sock_close(s);

    /* The peer resets. */
    g = (struct gone){0};
    net_test_pair(fds);
    s = sock_open(fds[0], NULL);
    sock_on_gone(s, on_gone, &g);
    net_test_reset(fds[1]);
    assert_true(net_test_until(gone_any, &g));
    assert_int_equal(g.error, 1);
    assert_int_equal(sock_read(s, &in), TG_EGONE);
    /* Told again to whoever asks later, at once. */
    sock_on_gone(s, on_gone, &g);
    assert_int_equal(g.error, 2);
    sock_close(s);

    /* Closed from within the hook. */
    g = (struct gone){0};
    net_test_pair(fds);
    g.close = s = sock_open(fds[0], NULL);
    sock_on_gone(s, on_gone, &g);
    close(fds[1]);
    assert_true(net_test_until(gone_any, &g));
    assert_int_equal(g.eof, 1);
    expect_clean();
    return TG_OK;
}

static void
test_gone(void **state)
{
    (void)state;
    run(gone_body);
}

static tg_rc
gone_paused_body(void *arg)
{
    struct sock_conf conf = {.read_high = 10000};
    struct gone g = {0};
    struct flood f = {0};
    struct sock *s;
    int fds[2];

    /* While paused the receive cannot tell. */
    (void)arg;
    net_test_pair(fds);
    s = sock_open(fds[0], &conf);
    sock_on_gone(s, on_gone, &g);
    f.fd = fds[1];
    assert_true(net_test_until(flood_stuck, &f));
    assert_int_equal(g.eof + g.error, 0);
    net_test_reset(fds[1]);
    assert_true(net_test_until(gone_any, &g));
    assert_int_equal(g.error, 1);
    sock_close(s);

    g = (struct gone){0};
    net_test_pair(fds);
    s = sock_open(fds[0], &conf);
    sock_on_gone(s, on_gone, &g);
    /* More than the mark, less than what the kernel holds: the FIN arrives behind it. */
    f = (struct flood){0};
    for (int i = 0; i < 5; i++) {
        static char piece[10000];

        net_test_write(fds[1], piece, sizeof piece);
    }
    close(fds[1]);
    assert_true(net_test_until(gone_any, &g));
    assert_int_equal(g.eof, 1);
    sock_close(s);
    expect_clean();
    return TG_OK;
}

static void
test_gone_paused(void **state)
{
    (void)state;
    run(gone_paused_body);
}

static tg_rc
gone_send_body(void *arg)
{
    struct gone g = {0};
    struct sock *s;
    int fds[2];

    /* The peer ended its sending side first, as a half-closing client does; then it goes away
     * altogether, which only a send can find out. */
    (void)arg;
    net_test_pair(fds);
    s = sock_open(fds[0], NULL);
    sock_on_gone(s, on_gone, &g);
    shutdown(fds[1], SHUT_WR);
    assert_true(net_test_until(gone_any, &g));
    assert_int_equal(g.eof, 1);
    assert_int_equal(g.error, 0);
    close(fds[1]);
    while (sock_put_now(s, STR("tick")) == TG_OK)
        assert_int_equal(co_sleep_until(co_now() + NS_PER_MS), TG_OK);
    assert_true(net_test_until(gone_error, &g));
    assert_int_equal(g.error, 1);
    assert_int_equal(sock_put(s, STR("x")), TG_EGONE);
    assert_int_equal(sock_unsent(s), 0);
    assert_false(sock_writable(s));
    sock_close(s);
    expect_clean();
    return TG_OK;
}

static void
test_gone_send(void **state)
{
    (void)state;
    run(gone_send_body);
}

struct reader {
    struct sock *s;
    tg_rc rc;
    size_t n;
};

static tg_rc
read_once(void *arg)
{
    struct reader *r = arg;
    struct str in = {NULL, 99};

    r->rc = sock_read(r->s, &in);
    r->n = in.n;
    return TG_OK;
}

static tg_rc
not_gone_while_reading_body(void *arg)
{
    struct gone g = {0};
    struct reader r = {0};
    struct co_scope sc;
    int fds[2];

    (void)arg;
    net_test_pair(fds);
    r.s = sock_open(fds[0], NULL);
    sock_on_gone(r.s, on_gone, &g);
    co_scope_open(&sc, CO_NEVER);
    assert_int_equal(co_spawn(&sc, "reader", read_once, &r), TG_OK);
    assert_int_equal(co_yield(), TG_OK);
    close(fds[1]);
    assert_int_equal(co_join(&sc), TG_OK);
    assert_int_equal(r.rc, TG_OK);
    assert_int_equal(r.n, 0);
    assert_int_equal(g.eof + g.error, 0);
    assert_int_equal(co_scope_close(&sc), TG_OK);
    sock_close(r.s);

    /* A cancelled reader goes away without bytes; the sock is as good as before. */
    net_test_pair(fds);
    r.s = sock_open(fds[0], NULL);
    co_scope_open(&sc, CO_NEVER);
    assert_int_equal(co_spawn(&sc, "reader", read_once, &r), TG_OK);
    assert_int_equal(co_yield(), TG_OK);
    assert_int_equal(co_scope_close(&sc), TG_OK);
    assert_int_equal(r.rc, TG_ECANCELED);
    net_test_write(fds[1], "late", 4);
    assert_int_equal(read_once(&r), TG_OK);
    assert_int_equal(r.rc, TG_OK);
    assert_int_equal(r.n, 4);
    sock_close(r.s);
    close(fds[1]);
    expect_clean();
    return TG_OK;
}

static void
test_not_gone_while_reading(void **state)
{
    (void)state;
    run(not_gone_while_reading_body);
}

static tg_rc
close_body(void *arg)
{
    static char much[1 << 20];
    struct sock *s;
    int fds[2], fd;

    /* With a receive, a send that waits and a poll in flight. */
    (void)arg;
    for (int i = 0; i < 3; i++) {
        struct sock_conf conf = {.read_high = 1000};
        struct flood f = {0};

        net_test_pair(fds);
        fd = fds[0];
        s = sock_open(fd, &conf);
        if (i > 0) {
            f.fd = fds[1];
            assert_true(net_test_until(flood_stuck, &f));
        }
        for (int k = 0; k < 8; k++)
            assert_int_equal(sock_put_now(s, str_of(much, sizeof much)), TG_OK);
        if (i < 2)
            assert_int_equal(co_sleep_until(co_now() + 5 * NS_PER_MS), TG_OK);
        sock_close(s);
        if (i == 0)
            assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC * 0);
        assert_true(net_test_until(all_freed, NULL));
        assert_int_equal(fcntl(fd, F_GETFD), -1);
        assert_int_equal(errno, EBADF);
        close(fds[1]);
    }
    sock_close(NULL);
    expect_clean();
    return TG_OK;
}

static void
test_close_in_flight(void **state)
{
    (void)state;
    run(close_body);
}

static tg_rc
close_sent_body(void *arg)
{
    char got[8];
    struct sock *s;
    int fds[2];

    (void)arg;
    net_test_pair(fds);
    s = sock_open(fds[0], NULL);
    assert_int_equal(sock_put_now(s, STR("last")), TG_OK);
    sock_close_sent(s);
    assert_true(net_test_until(all_freed, NULL));
    assert_int_equal(read(fds[1], got, sizeof got), 4);
    assert_memory_equal(got, "last", 4);
    assert_int_equal(read(fds[1], got, sizeof got), 0);
    close(fds[1]);
    expect_clean();
    return TG_OK;
}

static void
test_close_sent(void **state)
{
    (void)state;
    run(close_sent_body);
}

enum { ANSWER_BYTES = 200000 };

static tg_rc
linger_body(void *arg)
{
    static unsigned char answer[ANSWER_BYTES];
    struct flood f = {0};
    struct co_scope sc;
    struct sock *s;
    size_t got = 0;
    long k;
    int fds[2];

    /* The peer goes on sending while the final answer is on its way: without the polite end the
     * unread bytes would turn into a reset that can overtake the answer. */
    (void)arg;
    net_test_pair(fds);
    s = sock_open(fds[0], NULL);
    f.fd = fds[1];
    assert_true(net_test_until(flood_stuck, &f));
    co_scope_open(&sc, CO_NEVER);
    assert_int_equal(sock_put_now(s, str_of((char *)answer, sizeof answer)), TG_OK);
    sock_linger(s, co_now() + 200 * NS_PER_MS);
    while ((k = net_test_drain(fds[1], 70000)) > 0)
        got += (size_t)k;
    assert_int_equal(k, 0); /* EOF, not ECONNRESET */
    assert_int_equal(got, ANSWER_BYTES);
    close(fds[1]);
    sock_close(s);
    assert_int_equal(co_scope_close(&sc), TG_OK);
    expect_clean();
    return TG_OK;
}

static void
test_linger(void **state)
{
    (void)state;
    run(linger_body);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gone),
        cmocka_unit_test(test_gone_paused),
        cmocka_unit_test(test_gone_send),
        cmocka_unit_test(test_not_gone_while_reading),
        cmocka_unit_test(test_close_in_flight),
        cmocka_unit_test(test_close_sent),
        cmocka_unit_test(test_linger),
    };

    return cmocka_run_group_tests_name("net/sock ends", tests, NULL, NULL);
}
