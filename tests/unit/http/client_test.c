/* client_test.c -- the client side of http over loopback sockets. */
#include "http/client.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/clock.h"
#include "co/ring.h"
#include "net/dial.h"
#include "support/co_test.h"
#include "support/http_talk.h"
#include "support/net_test.h"

static const struct talk_step *script; /* of the next connection, when no case runs */
static struct co_scope *script_scope;
static struct talk script_talk;

/* Stands in for the one in net: every connection has a scripted peer. */
tg_rc
dial(struct str host, uint16_t port, co_time each_ns, int *ret_fd, struct tg_err *err)
{
    int fds[2];

    (void)host;
    (void)port;
    (void)each_ns;
    if (!script)
        return talk_dial(ret_fd, err);
    net_test_pair(fds);
    script_talk = (struct talk){script, sock_open(fds[1], NULL), NULL};
    *ret_fd = fds[0];
    return co_spawn(script_scope, "upstream", talk_run, &script_talk);
}

static void
test_cases(void **state)
{
    (void)state;
    script = NULL;
    talk_pair = net_test_pair;
    for (unsigned i = 0; i < talk_client_n; i++)
        talk_case_check(&talk_client_cases[i]);
}

static const struct http_call_conf conf = {1024, 1 << 20, 20 * NS_PER_S, 20 * NS_PER_S};
static const struct pool_conf up = {.host = {"up", 2}, .port = 80};
static const struct http_request_out get = {{"GET", 3}, {"/", 1}, {"up", 2}, NULL, 0, NULL, 0};

/* Runs fn with an upstream that follows the steps. */
static void
with_upstream(const struct talk_step *steps, void (*fn)(struct pool *pool))
{
    struct pool *pool = pool_new(&up);
    struct co_scope scope;

    co_scope_open(&scope, CO_NEVER);
    script = steps;
    script_scope = &scope;
    fn(pool);
    pool_close(pool);
    assert_int_equal(co_join(&scope), TG_OK);
    co_scope_close(&scope);
    script = NULL;
}

/* http_call_ready tells what lies in the piece at hand, so that all of it can leave at once. */
static void
ready(struct pool *pool)
{
    static const char *const expected[] = {"a", "b", "c", "d"};
    struct http_call call;
    struct str piece;

    http_call_init(&call, pool, &conf);
    assert_int_equal(http_call_send(&call, &get, NULL), TG_OK);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(http_call_read(&call, &piece, NULL), TG_OK);
        assert_true(str_eq(piece, str_z(expected[i])));
        /* c is the last of its piece, although the start of a chunk lies behind it */
        assert_int_equal(http_call_ready(&call), i != 2);
    }
    assert_false(call.ended && call.out.n);
    assert_int_equal(http_call_read(&call, &piece, NULL), TG_OK);
    assert_int_equal(piece.n, 0);
    assert_true(call.ended);
    assert_int_equal(http_call_read(&call, &piece, NULL), TG_OK);
    assert_int_equal(piece.n, 0);
    http_call_fini(&call);
    assert_int_equal(pool_stats(pool)->idle, 1);
}

static tg_rc
ready_body(void *arg)
{
    (void)arg;
    with_upstream(
        STEPS(WAIT("\r\n\r\n"),
              SEND("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n"
                   "1\r\nc\r\n1\r"),
              SLEEP(20), SEND("\nd\r\n0\r\n\r\n"), TO_EOF),
        ready);
    return TG_OK;
}

static void
test_ready(void **state)
{
    (void)state;
    assert_int_equal(co_test_run(ready_body, NULL), TG_OK);
}

/* Who is to wait for something else gives back what was received: shared buffers lie under it.
 */
static void
release(struct pool *pool)
{
    unsigned all = ring_buffers_free(co_ring());
    struct http_call call;
    struct str piece;

    http_call_init(&call, pool, &conf);
    assert_int_equal(http_call_send(&call, &get, NULL), TG_OK);
    assert_int_equal(http_call_read(&call, &piece, NULL), TG_OK);
    assert_true(str_eq(piece, STR("a")));
    assert_false(http_call_release(&call));
    assert_int_equal(http_call_read(&call, &piece, NULL), TG_OK);
    assert_true(str_eq(piece, STR("b")));
    assert_int_equal(ring_buffers_free(co_ring()), all - 1);
    assert_true(http_call_release(&call));
    assert_int_equal(ring_buffers_free(co_ring()), all);
    assert_true(http_call_release(&call));
    assert_int_equal(http_call_read(&call, &piece, NULL), TG_OK);
    assert_true(str_eq(piece, STR("c")));
    assert_false(http_call_release(&call)); /* the end is there */
    assert_int_equal(http_call_read(&call, &piece, NULL), TG_OK);
    assert_int_equal(piece.n, 0);
    http_call_fini(&call);
    assert_int_equal(pool_stats(pool)->idle, 1);
}

static tg_rc
release_body(void *arg)
{
    (void)arg;
    with_upstream(
        STEPS(WAIT("\r\n\r\n"),
              SEND("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n"
                   "1\r"),
              SLEEP(20), SEND("\nc\r\n0\r\n\r\n"), TO_EOF),
        release);
    return TG_OK;
}

static void
test_release(void **state)
{
    (void)state;
    assert_int_equal(co_test_run(release_body, NULL), TG_OK);
}

/* The last chunk that nobody read does not cost the connection. */
static void
fini_early(struct pool *pool)
{
    struct http_call call;
    struct str piece;

    http_call_init(&call, pool, &conf);
    assert_int_equal(http_call_send(&call, &get, NULL), TG_OK);
    assert_int_equal(http_call_read(&call, &piece, NULL), TG_OK);
    http_call_fini(&call);
    assert_int_equal(pool_stats(pool)->idle, 1);
    /* A body that was left in the middle does. */
    http_call_init(&call, pool, &conf);
    assert_int_equal(http_call_send(&call, &get, NULL), TG_OK);
    assert_true(call.reused);
    http_call_fini(&call);
    assert_int_equal(pool_stats(pool)->idle, 0);
}

static tg_rc
fini_early_body(void *arg)
{
    (void)arg;
    with_upstream(STEPS(WAIT("\r\n\r\n"),
                        SEND("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                             "1\r\na\r\n0\r\n\r\n"),
                        WAIT("\r\n\r\n"), SEND("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na"),
                        TO_EOF),
                  fini_early);
    return TG_OK;
}

static void
test_fini_early(void **state)
{
    (void)state;
    assert_int_equal(co_test_run(fini_early_body, NULL), TG_OK);
}

/* A cancelled caller gets TG_ECANCELED wherever it waits, and the upstream sees the end. */
static void
cancel_in_head(struct pool *pool)
{
    struct http_call call;
    struct co_scope scope;
    struct tg_err err;

    http_call_init(&call, pool, &conf);
    co_scope_open(&scope, co_now() + 10 * NS_PER_MS);
    assert_int_equal(http_call_send(&call, &get, &err), TG_ECANCELED);
    assert_int_equal(co_scope_close(&scope), TG_EDEADLINE);
    assert_string_equal(err.code, "cancelled");
    http_call_fini(&call);
    assert_int_equal(pool_stats(pool)->out, 0);
}

static void
cancel_in_body(struct pool *pool)
{
    struct http_call call;
    struct co_scope scope;
    struct tg_err err;
    struct str piece;

    http_call_init(&call, pool, &conf);
    co_scope_open(&scope, CO_NEVER);
    assert_int_equal(http_call_send(&call, &get, &err), TG_OK);
    assert_int_equal(http_call_read(&call, &piece, &err), TG_OK);
    assert_true(str_eq(piece, STR("a")));
    co_cancel(&scope, TG_EGONE);
    assert_int_equal(http_call_read(&call, &piece, &err), TG_ECANCELED);
    co_scope_close(&scope);
    http_call_fini(&call);
    assert_int_equal(pool_stats(pool)->out, 0);
    assert_int_equal(pool_stats(pool)->idle, 0);
}

static tg_rc
cancel_body(void *arg)
{
    (void)arg;
    with_upstream(STEPS(WAIT("\r\n\r\n"), TO_EOF), cancel_in_head);
    with_upstream(
        STEPS(WAIT("\r\n\r\n"), SEND("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na"), TO_EOF),
        cancel_in_body);
    return TG_OK;
}

static void
test_cancel(void **state)
{
    (void)state;
    assert_int_equal(co_test_run(cancel_body, NULL), TG_OK);
}

#define FIVE(s)  s s s s s
#define CHUNKS   FIVE(FIVE(FIVE("1\r\nx\r\n"))) /* 750 bytes, a segment each */
#define HEAD(of) "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: " of "\r\n\r\n"

static unsigned lazily; /* pieces of a body after which the kernel put off acknowledging */

static void
count_lazily(struct pool *pool)
{
    struct http_call call;
    struct str piece;

    lazily = 0;
    http_call_init(&call, pool, &conf);
    assert_int_equal(http_call_send(&call, &get, NULL), TG_OK);
    do {
        int at_once = 1;
        socklen_t n = sizeof at_once;

        assert_int_equal(http_call_read(&call, &piece, NULL), TG_OK);
        getsockopt(sock_fd(call.conn->sock), IPPROTO_TCP, TCP_QUICKACK, &at_once, &n);
        lazily += !at_once;
    } while (piece.n);
    http_call_fini(&call);
}

/* Only a stream of events is acknowledged lazily. */
static tg_rc
lazy_body(void *arg)
{
    (void)arg;
    with_upstream(STEPS(WAIT("\r\n\r\n"), SEND(HEAD("Text/Event-Stream; charset=utf-8")),
                        TRICKLE(CHUNKS), SEND("0\r\n\r\n"), TO_EOF),
                  count_lazily);
    assert_true(lazily > 0);
    with_upstream(STEPS(WAIT("\r\n\r\n"), SEND(HEAD("application/json")), TRICKLE(CHUNKS),
                        SEND("0\r\n\r\n"), TO_EOF),
                  count_lazily);
    assert_int_equal(lazily, 0);
    return TG_OK;
}

static void
test_lazy(void **state)
{
    (void)state;
    assert_int_equal(co_test_run(lazy_body, NULL), TG_OK);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),   cmocka_unit_test(test_ready),
        cmocka_unit_test(test_release), cmocka_unit_test(test_fini_early),
        cmocka_unit_test(test_cancel),  cmocka_unit_test(test_lazy),
    };

    return cmocka_run_group_tests_name("http/client", tests, NULL, NULL);
}
