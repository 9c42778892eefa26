/* sock_test.c -- sockets over loopback: bytes, marks, shared buffers. */
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

enum { ECHO_BYTES = 300000 };

static tg_rc
echo_server(void *arg)
{
    struct sock *s = arg;
    struct str in;
    tg_rc rc;

    while ((rc = sock_read(s, &in)) == TG_OK && in.n > 0) {
        rc = sock_put(s, in);
        if (rc != TG_OK)
            break;
        sock_consume(s, in.n);
    }
    if (rc == TG_OK)
        rc = sock_flush(s);
    sock_close(s);
    return rc;
}

static tg_rc
echo_send(void *arg)
{
    struct sock *s = arg;
    unsigned char piece[7001];
    tg_rc rc = TG_OK;
    size_t n;

    for (size_t at = 0; at < ECHO_BYTES && rc == TG_OK; at += n) {
        n = 1 + at % sizeof piece;
        if (n > ECHO_BYTES - at)
            n = ECHO_BYTES - at;
        net_test_fill(1, at, piece, n);
        rc = sock_put(s, str_of((char *)piece, n));
    }
    return rc;
}

static tg_rc
echo_body(void *arg)
{
    struct co_scope sc;
    struct sock *s;
    struct str in;
    size_t got = 0;
    int fds[2];

    (void)arg;
    net_test_pair(fds);
    s = sock_open(fds[1], NULL); /* non-blocking: must not matter */
    co_scope_open(&sc, CO_NEVER);
    assert_int_equal(co_spawn(&sc, "echo", echo_server, sock_open(fds[0], NULL)), TG_OK);
    assert_int_equal(co_spawn(&sc, "send", echo_send, s), TG_OK);
    while (got < ECHO_BYTES) {
        size_t take;

        assert_int_equal(sock_read(s, &in), TG_OK);
        assert_true(in.n > 0);
        take = in.n > 3 && got % 2 ? in.n / 2 : in.n;
        for (size_t i = 0; i < take; i++)
            assert_int_equal((unsigned char)in.p[i], net_test_byte(1, got + i));
        got += take;
        sock_consume(s, take);
    }
    assert_int_equal(sock_bytes_in(s), ECHO_BYTES);
    assert_int_equal(sock_bytes_out(s), ECHO_BYTES);
    assert_true(str_starts(sock_peer(s), STR("127.0.0.1:")));
    sock_close(s);
    assert_int_equal(co_join(&sc), TG_OK);
    assert_int_equal(co_scope_close(&sc), TG_OK);
    expect_clean();
    return TG_OK;
}

static void
test_echo(void **state)
{
    (void)state;
    run(echo_body);
}

struct writer {
    struct sock *s;
    size_t most, put;
    unsigned waited;
    bool done;
};

enum { PUT_BYTES = 5000, WRITE_TOTAL = 16 << 20, W_HIGH = 20000, W_LOW = 8000 };

static tg_rc
write_much(void *arg)
{
    struct writer *w = arg;
    static char piece[PUT_BYTES];
    tg_rc rc = TG_OK;

    while (w->put < WRITE_TOTAL && rc == TG_OK) {
        size_t before = sock_unsent(w->s);

        rc = sock_put(w->s, str_of(piece, sizeof piece));
        w->put += sizeof piece;
        if (rc == TG_OK && before + sizeof piece > W_HIGH) {
            assert_true(sock_unsent(w->s) <= W_LOW);
            w->waited++;
        }
        if (sock_unsent(w->s) > w->most)
            w->most = sock_unsent(w->s);
    }
    w->done = true;
    return rc;
}

static bool
writer_stuck(void *arg)
{
    struct writer *w = arg;

    if (sock_unsent(w->s) > w->most)
        w->most = sock_unsent(w->s);
    return sock_unsent(w->s) > W_LOW && sock_stalled_since(w->s) != CO_NEVER &&
           co_now() - sock_stalled_since(w->s) > 20 * NS_PER_MS;
}

static tg_rc
write_marks_body(void *arg)
{
    struct sock_conf conf = {.write_high = W_HIGH, .write_low = W_LOW};
    struct writer w = {.s = NULL};
    struct co_scope sc;
    size_t got = 0;
    int fds[2];

    (void)arg;
    net_test_pair(fds);
    w.s = sock_open(fds[0], &conf);
    assert_int_equal(sock_stalled_since(w.s), CO_NEVER);
    co_scope_open(&sc, CO_NEVER);
    assert_int_equal(co_spawn(&sc, "writer", write_much, &w), TG_OK);
    assert_true(net_test_until(writer_stuck, &w));
    assert_false(w.done);
    assert_true(w.most <= W_HIGH + PUT_BYTES);
    assert_int_equal(sock_stats()->unsent_bytes, sock_unsent(w.s));
    while (got < WRITE_TOTAL) {
        long k = net_test_drain(fds[1], 100000);

        if (k > 0)
            got += (size_t)k;
        else
            assert_int_equal(k, -EAGAIN);
        if (w.done && got >= w.put)
            break;
        assert_int_equal(co_yield(), TG_OK);
    }
    assert_int_equal(co_join(&sc), TG_OK);
    assert_int_equal(co_scope_close(&sc), TG_OK);
    assert_true(w.most <= W_HIGH + PUT_BYTES);
    assert_true(w.waited > 0);
    assert_int_equal(sock_flush(w.s), TG_OK);
    assert_int_equal(sock_bytes_out(w.s), w.put);
    assert_int_equal(sock_stalled_since(w.s), CO_NEVER);
    sock_close(w.s);
    close(fds[1]);
    expect_clean();
    return TG_OK;
}

static void
test_write_marks(void **state)
{
    (void)state;
    run(write_marks_body);
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

static tg_rc
read_pause_body(void *arg)
{
    struct sock_conf conf = {.read_high = 30000};
    struct flood f = {0};
    struct sock *s;
    struct str in;
    size_t got = 0;
    uint64_t most;
    int fds[2];

    (void)arg;
    net_test_pair(fds);
    f.fd = fds[1];
    s = sock_open(fds[0], &conf);
    assert_true(net_test_until(flood_stuck, &f));
    most = sock_stats()->held_bytes;
    assert_true(most > 30000);
    assert_true(most <= 30000 + BUFFER_BYTES);
    assert_true(f.sent > most);
    assert_int_equal(sock_stats()->paused, 1);
    assert_int_equal(ring_buffers_free(co_ring()), 64);
    close(fds[1]);
    for (;;) {
        assert_int_equal(sock_read(s, &in), TG_OK);
        if (in.n == 0)
            break;
        for (size_t i = 0; i < in.n; i++)
            assert_int_equal((unsigned char)in.p[i], net_test_byte(2, got + i));
        got += in.n;
        sock_consume(s, in.n);
    }
    assert_int_equal(got, f.sent);
    sock_close(s);
    expect_clean();
    return TG_OK;
}

static void
test_read_pause(void **state)
{
    (void)state;
    run(read_pause_body);
}

enum { CALM_HIGH = 3 * BUFFER_BYTES };

static void
read_events(struct sock *s, int fd)
{
    uint64_t before = 0;
    struct str in;

    for (int i = 0; i < 100; i++) {
        if (i == 10)
            before = ring_stats(co_ring())->submitted;
        net_test_write(fd, "event", 5);
        for (size_t n = 0; n < 5; n += in.n) {
            assert_int_equal(sock_read(s, &in), TG_OK);
            assert_true(in.n > 0);
            sock_consume(s, in.n);
        }
    }
    assert_int_equal(ring_stats(co_ring())->submitted, before);
}

/* A reader that keeps up costs one operation for any number of receives.  When it falls behind,
 * what one run of that operation brings is kept; from then on what is under way is one buffer,
 * until it keeps up again. */
static tg_rc
calm_body(void *arg)
{
    struct sock_conf conf = {.read_high = CALM_HIGH};
    struct sock *s;
    struct str in;
    int fds[2];

    (void)arg;
    net_test_pair(fds);
    s = sock_open(fds[0], &conf);
    for (int round = 0; round < 2; round++) {
        struct flood f = {.fd = fds[1]};
        bool drained = false;

        read_events(s, f.fd);
        assert_true(net_test_until(flood_stuck, &f));
        assert_true(sock_stats()->held_bytes <= CALM_HIGH + 64 * BUFFER_BYTES);
        for (size_t got = 0; got < f.sent; got += in.n) {
            assert_int_equal(sock_read(s, &in), TG_OK);
            sock_consume(s, in.n);
            assert_int_equal(co_yield(), TG_OK);
            drained = drained || sock_stats()->held_bytes <= CALM_HIGH;
            assert_true(!drained || sock_stats()->held_bytes <= CALM_HIGH + BUFFER_BYTES);
        }
        assert_true(drained);
    }
    sock_close(s);
    close(fds[1]);
    expect_clean();
    return TG_OK;
}

static void
test_calm(void **state)
{
    (void)state;
    run(calm_body);
}

enum { SENDERS = 100, SENDER_BYTES = 40000 };

struct stream {
    unsigned id;
    struct sock *in, *out;
    size_t got;
};

static tg_rc
stream_send(void *arg)
{
    struct stream *st = arg;
    unsigned char piece[1000];
    tg_rc rc = TG_OK;

    for (size_t at = 0; at < SENDER_BYTES && rc == TG_OK; at += sizeof piece) {
        net_test_fill(st->id, at, piece, sizeof piece);
        rc = sock_put(st->out, str_of((char *)piece, sizeof piece));
    }
    if (rc == TG_OK)
        rc = sock_flush(st->out);
    return rc;
}

static tg_rc
stream_receive(void *arg)
{
    struct stream *st = arg;
    struct str in;

    while (st->got < SENDER_BYTES) {
        assert_int_equal(sock_read(st->in, &in), TG_OK);
        assert_true(in.n > 0);
        for (size_t i = 0; i < in.n; i++)
            assert_int_equal((unsigned char)in.p[i], net_test_byte(st->id, st->got + i));
        st->got += in.n;
        /* Some are slow with a borrowed buffer in their hands. */
        if (st->id % 7 == 0)
            assert_int_equal(co_yield(), TG_OK);
        sock_consume(st->in, in.n);
    }
    return TG_OK;
}

static tg_rc
starve_body(void *arg)
{
    static struct stream streams[SENDERS];
    uint64_t starved = sock_stats()->starved;
    struct co_scope sc;

    (void)arg;
    memset(streams, 0, sizeof streams);
    co_scope_open(&sc, co_now() + 60 * NS_PER_S);
    for (unsigned i = 0; i < SENDERS; i++) {
        int fds[2];

        net_test_pair(fds);
        streams[i] = (struct stream){
            .id = i, .in = sock_open(fds[0], NULL), .out = sock_open(fds[1], NULL)};
        assert_int_equal(co_spawn(&sc, "receive", stream_receive, &streams[i]), TG_OK);
        assert_int_equal(co_spawn(&sc, "send", stream_send, &streams[i]), TG_OK);
    }
    assert_int_equal(co_join(&sc), TG_OK);
    assert_int_equal(co_scope_close(&sc), TG_OK);
    for (unsigned i = 0; i < SENDERS; i++) {
        assert_int_equal(streams[i].got, SENDER_BYTES);
        sock_close(streams[i].in);
        sock_close(streams[i].out);
    }
    assert_true(sock_stats()->starved > starved);
    assert_true(net_test_until(all_freed, NULL));
    assert_int_equal(ring_buffers_free(co_ring()), 4);
    sock_thread_fini();
    return TG_OK;
}

static void
test_starving(void **state)
{
    struct co_conf conf = {.recv_buffers = 4, .recv_buffer_bytes = 512};

    (void)state;
    assert_int_equal(co_test_run_conf(&conf, starve_body, NULL), TG_OK);
}

/* A reader that sits on a shared buffer for ever must not keep others from being armed again.
 */
static tg_rc
starve_beside_sitter_body(void *arg)
{
    struct sock *sitter, *other;
    struct flood f = {0};
    struct str in;
    size_t got = 0;
    int a[2], b[2];

    (void)arg;
    net_test_pair(a);
    net_test_pair(b);
    sitter = sock_open(a[0], NULL);
    other = sock_open(b[0], NULL);
    net_test_write(a[1], "sit", 3);
    assert_int_equal(sock_read(sitter, &in), TG_OK); /* borrowed and kept */
    f.fd = b[1];
    while (f.sent < 100000)
        (void)flood_stuck(&f);
    while (got < f.sent) {
        struct str bytes;

        assert_int_equal(sock_read(other, &bytes), TG_OK);
        assert_true(bytes.n > 0);
        got += bytes.n;
        sock_consume(other, bytes.n);
    }
    assert_int_equal(in.n, 3);
    assert_memory_equal(in.p, "sit", 3);
    sock_consume(sitter, 3);
    sock_close(sitter);
    sock_close(other);
    close(a[1]);
    close(b[1]);
    assert_true(net_test_until(all_freed, NULL));
    sock_thread_fini();
    return TG_OK;
}

static void
test_starving_beside_sitter(void **state)
{
    struct co_conf conf = {.recv_buffers = 2, .recv_buffer_bytes = 512};

    (void)state;
    assert_int_equal(co_test_run_conf(&conf, starve_beside_sitter_body, NULL), TG_OK);
}

/* Readers are lent shared buffers, but only while there are enough for others. */
static tg_rc
lending_body(void *arg)
{
    enum { SITTERS = 8 };
    struct sock *s[SITTERS];
    struct str in[SITTERS];
    int peer[SITTERS];
    char text[16];

    (void)arg;
    for (int i = 0; i < SITTERS; i++) {
        int fds[2];

        net_test_pair(fds);
        s[i] = sock_open(fds[0], NULL);
        peer[i] = fds[1];
        (void)snprintf(text, sizeof text, "word%d", i);
        net_test_write(peer[i], text, 5);
        assert_int_equal(sock_read(s[i], &in[i]), TG_OK); /* and sits on it */
        if (i == 0) {
            assert_int_equal(ring_buffers_free(co_ring()), 7);
            assert_int_equal(sock_stats()->held_bytes, 0);
        }
    }
    assert_int_equal(ring_buffers_free(co_ring()), 2);
    assert_int_equal(sock_stats()->held_bytes, 5 * (SITTERS - 6));
    for (int i = 0; i < SITTERS; i++) {
        (void)snprintf(text, sizeof text, "word%d", i);
        assert_int_equal(in[i].n, 5);
        assert_memory_equal(in[i].p, text, 5);
        sock_close(s[i]);
        close(peer[i]);
    }
    assert_true(net_test_until(all_freed, NULL));
    assert_int_equal(ring_buffers_free(co_ring()), 8);
    assert_int_equal(sock_stats()->held_bytes, 0);
    sock_thread_fini();
    return TG_OK;
}

static void
test_lending(void **state)
{
    struct co_conf conf = {.recv_buffers = 8, .recv_buffer_bytes = 512};

    (void)state;
    assert_int_equal(co_test_run_conf(&conf, lending_body, NULL), TG_OK);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_echo),       cmocka_unit_test(test_write_marks),
        cmocka_unit_test(test_read_pause), cmocka_unit_test(test_calm),
        cmocka_unit_test(test_starving),   cmocka_unit_test(test_starving_beside_sitter),
        cmocka_unit_test(test_lending),
    };

    return cmocka_run_group_tests_name("net/sock", tests, NULL, NULL);
}
