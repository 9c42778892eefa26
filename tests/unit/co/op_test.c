/* op_test.c -- ring operations on the real ring: results, cancels, buffers, full queues. */
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "co/ring.h"
#include "co/ring_refused.h"
#include "support/co_test.h"

static void
yields(unsigned n)
{
    while (n-- > 0)
        assert_int_equal(co_yield(), TG_OK);
}

static void
sockets(int fds[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
}

/* An operation with a done function of the test's own. */
struct watched {
    struct ring_op op;
    struct co_event e;
    unsigned calls, buffers;
    int32_t res[64];
    unsigned flags[64];
    unsigned held[64]; /* buffers not given back, n_held of them */
    unsigned n_held;
    bool hold;
};

static void
watched_done(struct ring_op *op, int32_t res, unsigned flags, unsigned bid)
{
    struct watched *w = LIST_ITEM(op, struct watched, op);

    w->res[w->calls % 64] = res;
    w->flags[w->calls % 64] = flags;
    w->calls++;
    if (flags & RING_BUFFER) {
        w->buffers++;
        if (w->hold)
            w->held[w->n_held++] = bid;
        else
            ring_buffer_return(co_ring(), bid);
    }
    co_event_signal(&w->e);
}

#define WATCHED                                                                                \
    {                                                                                          \
        .op = {.done = watched_done}, .e = CO_EVENT_INIT                                       \
    }

struct filler {
    int fd;
    size_t n;
};

static tg_rc
writes_much(void *arg)
{
    static char big[1 << 20];
    struct filler *f = arg;
    int eno;

    return co_write_all(f->fd, big, f->n, &eno);
}

static tg_rc
pipe_body(void *arg)
{
    static char buf[65536];
    struct filler f = {.n = 1 << 20};
    struct co_scope s;
    size_t n, sum = 0;
    int fds[2], eno = 0;

    (void)arg;
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    f.fd = fds[1];
    co_scope_open(&s, CO_NEVER);
    assert_int_equal(co_spawn(&s, "writer", writes_much, &f), TG_OK);
    while (sum < f.n) {
        assert_int_equal(co_read(fds[0], buf, sizeof buf, &n, &eno), TG_OK);
        assert_true(n > 0);
        sum += n;
    }
    assert_int_equal(co_join(&s), TG_OK);
    close(fds[1]);
    assert_int_equal(co_read(fds[0], buf, sizeof buf, &n, &eno), TG_OK);
    assert_int_equal(n, 0);
    close(fds[0]);
    assert_int_equal(co_read(fds[0], buf, 1, &n, &eno), TG_EIO);
    assert_int_equal(eno, EBADF);
    return co_scope_close(&s);
}

static void
reads_and_writes(void **state)
{
    (void)state;
    assert_int_equal(co_test_run(pipe_body, NULL), TG_OK);
}

static tg_rc
poll_body(void *arg)
{
    struct co_scope s;
    unsigned revents = 0;
    int fds[2];

    (void)arg;
    sockets(fds);
    assert_int_equal(co_poll(fds[0], POLLOUT, &revents), TG_OK);
    assert_true(revents & POLLOUT);
    co_scope_open(&s, co_now() + NS_PER_MS);
    assert_int_equal(co_poll(fds[0], POLLIN, &revents), TG_EDEADLINE);
    assert_int_equal(co_scope_close(&s), TG_EDEADLINE);
    close(fds[1]);
    assert_int_equal(co_poll(fds[0], POLLIN | POLLRDHUP, &revents), TG_OK);
    assert_true(revents & POLLRDHUP);
    close(fds[0]);
    return TG_OK;
}

static void
polls(void **state)
{
    (void)state;
    assert_int_equal(co_test_run(poll_body, NULL), TG_OK);
}

static tg_rc
connect_body(void *arg)
{
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct watched w = WATCHED;
    socklen_t len = sizeof sin;
    int lfd, fd, i, eno = 0;

    (void)arg;
    lfd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(lfd, (struct sockaddr *)&sin, sizeof sin), 0);
    assert_int_equal(getsockname(lfd, (struct sockaddr *)&sin, &len), 0);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(co_connect(fd, (struct sockaddr *)&sin, len, &eno), TG_EIO);
    assert_int_equal(eno, ECONNREFUSED);
    close(fd);

    assert_int_equal(listen(lfd, 16), 0);
    ring_accept(co_ring(), &w.op, lfd);
    for (i = 0; i < 3; i++) {
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(co_connect(fd, (struct sockaddr *)&sin, len, &eno), TG_OK);
        while (w.calls == (unsigned)i)
            assert_int_equal(co_event_wait(&w.e), TG_OK);
        assert_true(w.res[i] > 0);
        close(w.res[i]);
        close(fd);
        if (!(w.flags[i] & RING_MORE)) /* kernels on which multishot accept is not sound */
            ring_accept(co_ring(), &w.op, lfd);
    }
    ring_cancel(co_ring(), &w.op);
    while (w.op.in_flight)
        co_event_wait_sure(&w.e);
    close(lfd);
    return TG_OK;
}

static void
connects_and_accepts(void **state)
{
    (void)state;
    assert_int_equal(co_test_run(connect_body, NULL), TG_OK);
}

static tg_rc
cancel_body(void *arg)
{
    struct watched w = WATCHED;
    char c;
    int fds[2];

    (void)arg;
    sockets(fds);
    /* The cancel first. */
    ring_recv(co_ring(), &w.op, fds[0], &c, 1);
    assert_true(w.op.in_flight);
    ring_cancel(co_ring(), &w.op);
    ring_cancel(co_ring(), &w.op); /* asked once */
    co_event_wait_sure(&w.e);
    assert_int_equal(w.res[0], -ECANCELED);
    assert_false(w.op.in_flight);

    /* The result first: the bytes are there when the operation is submitted. */
    assert_int_equal(write(fds[1], "x", 1), 1);
    ring_recv(co_ring(), &w.op, fds[0], &c, 1);
    ring_cancel(co_ring(), &w.op);
    co_event_wait_sure(&w.e);
    assert_int_equal(w.res[1], 1);

    /* Not in flight: nothing happens. */
    ring_cancel(co_ring(), &w.op);
    yields(3);
    assert_int_equal(w.calls, 2);
    assert_int_equal(ring_in_flight(co_ring()), 0);
    close(fds[0]);
    close(fds[1]);
    return TG_OK;
}

static void
cancels_in_both_orders(void **state)
{
    struct co_conf conf = {.turn_budget = 1};

    (void)state;
    assert_int_equal(co_test_run_conf(&conf, cancel_body, NULL), TG_OK);
}

static tg_rc
buffers_body(void *arg)
{
    struct watched w = WATCHED;
    struct ring *r = co_ring();
    char block[400];
    unsigned i;
    int fds[2];

    (void)arg;
    memset(block, 'q', sizeof block);
    sockets(fds);
    assert_int_equal(ring_buffers_free(r), 4);
    assert_int_equal(ring_buffer_bytes(r), 64);
    w.hold = true;
    ring_recv_many(r, &w.op, fds[0]);
    assert_int_equal(write(fds[1], block, sizeof block), sizeof block);
    while (w.op.in_flight)
        assert_int_equal(co_event_wait(&w.e), TG_OK);
    /* Four buffers taken, then none is left; that is not the end of the stream. */
    assert_int_equal(w.n_held, 4);
    assert_int_equal(w.res[w.calls - 1], -ENOBUFS);
    assert_int_equal(ring_stats(r)->enobufs, 1);
    assert_int_equal(ring_buffers_free(r), 0);
    for (i = 0; i < 4; i++) {
        assert_int_equal(w.res[i], 64);
        assert_memory_equal(ring_buffer(r, w.held[i]), block, 64);
        ring_buffer_return(r, w.held[i]);
    }
    assert_int_equal(ring_buffers_free(r), 4);
    w.hold = false;
    w.calls = 0;
    ring_recv_many(r, &w.op, fds[0]);
    while (w.op.in_flight || w.calls == 0) {
        for (i = 0; i < w.calls && w.res[i] > 0; i++) {
        }
        if (i < w.calls && w.res[i] == -ENOBUFS && !w.op.in_flight)
            break;
        if (w.buffers == 4 + 3) /* 400 = 4 * 64 + 2 * 64 + 16 */
            break;
        assert_int_equal(co_event_wait(&w.e), TG_OK);
    }
    assert_int_equal(w.buffers, 4 + 3);
    close(fds[1]);
    while (w.op.in_flight)
        assert_int_equal(co_event_wait(&w.e), TG_OK);
    assert_int_equal(w.res[w.calls - 1], 0);
    assert_int_equal(ring_buffers_free(r), 4);
    close(fds[0]);
    return TG_OK;
}

static void
no_buffers_means_rearm(void **state)
{
    struct co_conf conf = {.recv_buffers = 4, .recv_buffer_bytes = 64};

    (void)state;
    assert_int_equal(co_test_run_conf(&conf, buffers_body, NULL), TG_OK);
}

enum { POLLS = 300 };

static tg_rc
small_body(void *arg)
{
    static struct watched w[POLLS];
    struct ring *r = co_ring();
    unsigned i, round, done;
    int fds[2];

    (void)arg;
    sockets(fds);
    for (round = 0; round < 3; round++) {
        /* More than both queues hold, all completing at once. */
        for (i = 0; i < POLLS; i++) {
            w[i] = (struct watched)WATCHED;
            ring_poll(r, &w[i].op, fds[0], POLLIN);
        }
        yields(3);
        assert_int_equal(ring_in_flight(r), POLLS);
        assert_int_equal(write(fds[1], "x", 1), 1);
        while (ring_in_flight(r) > 0)
            yields(1);
        for (i = done = 0; i < POLLS; i++)
            done += w[i].calls == 1 && w[i].res[0] > 0;
        assert_int_equal(done, POLLS);
        /* Again, and now all of them cancelled. */
        assert_int_equal(read(fds[0], &(char){0}, 1), 1);
        for (i = 0; i < POLLS; i++) {
            w[i] = (struct watched)WATCHED;
            ring_poll(r, &w[i].op, fds[0], POLLIN);
        }
        for (i = 0; i < POLLS; i++)
            ring_cancel(r, &w[i].op);
        while (ring_in_flight(r) > 0)
            yields(1);
        for (i = done = 0; i < POLLS; i++)
            done += w[i].calls == 1 && w[i].res[0] == -ECANCELED;
        assert_int_equal(done, POLLS);
    }
    assert_true(ring_stats(r)->submitted == ring_stats(r)->completed);
    close(fds[0]);
    close(fds[1]);
    return TG_OK;
}

static void
full_queues_lose_nothing(void **state)
{
    struct co_conf conf = {.ring_entries = 8, .ring_cq_entries = 16, .turn_budget = 1};

    (void)state;
    assert_int_equal(co_test_run_conf(&conf, small_body, NULL), TG_OK);
}

static void
refusals_name_cause_and_remedy(void **state)
{
    static const struct {
        int eno;
        const char *cause, *remedy;
    } t[] = {
        {EPERM, "io_uring", "allow"},
        {ENOSYS, "no io_uring here", "Linux 6.1"},
        {ENOMEM, "no memory", "LimitMEMLOCK"},
        {EINVAL, "too old", "Linux 6.1 or later is needed"},
        {EMFILE, "file descriptor", "ulimit -n"},
        {EIO, "io_uring_setup failed", ""},
    };
    struct tg_err err;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof t / sizeof t[0]; i++) {
        memset(&err, 0, sizeof err);
        assert_int_equal(ring_refused(t[i].eno, &err), TG_EUNAVAIL);
        assert_int_equal(err.sys_errno, t[i].eno);
        assert_non_null(strstr(err.msg, t[i].cause));
        assert_non_null(strstr(err.msg, t[i].remedy));
        assert_int_equal(ring_refused(t[i].eno, NULL), TG_EUNAVAIL);
    }
    assert_true(ring_kernel() > 5000);
}

static void
describes_the_kernel(void **state)
{
    char line[256];

    (void)state;
    ring_describe(line, sizeof line);
    assert_true(strncmp(line, "Linux ", 6) == 0);
    assert_non_null(strstr(line, "multishot recv yes"));
    assert_null(strchr(line, '\n'));
}

static void
out_of_descriptors(void)
{
    struct co_conf conf = {.recv_buffers = 0};
    struct tg_err err;

    while (dup(0) >= 0) {
    }
    if (co_run(&conf, "test", pipe_body, NULL, &err) == TG_EUNAVAIL && err.sys_errno == EMFILE)
        (void)fprintf(stderr, "refused: %s", err.msg);
}

static void
a_refused_ring_is_reported(void **state)
{
    char text[1024];

    (void)state;
    assert_int_equal(co_test_dies(out_of_descriptors, text, sizeof text), 0);
    assert_non_null(strstr(text, "refused: no file descriptor is left for the ring"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes),
        cmocka_unit_test(polls),
        cmocka_unit_test(connects_and_accepts),
        cmocka_unit_test(cancels_in_both_orders),
        cmocka_unit_test(no_buffers_means_rearm),
        cmocka_unit_test(full_queues_lose_nothing),
        cmocka_unit_test(refusals_name_cause_and_remedy),
        cmocka_unit_test(describes_the_kernel),
        cmocka_unit_test(a_refused_ring_is_reported),
    };

    return cmocka_run_group_tests_name("co operations", tests, NULL, NULL);
}
