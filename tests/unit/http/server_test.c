/* server_test.c -- the server side of http over loopback sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "http/server.h"
#include "support/co_test.h"
#include "support/http_talk.h"
#include "support/net_test.h"

static void
test_cases(void **state)
{
    (void)state;
    talk_pair = net_test_pair;
    for (unsigned i = 0; i < talk_server_n; i++)
        talk_case_check(&talk_server_cases[i]);
}

/* A scope of the caller that ends is no fault of the client, and no 408. */
static tg_rc
cancel_body(void *arg)
{
    static const struct http_in_conf conf = {1024, 1000, 20 * NS_PER_S, 20 * NS_PER_S,
                                             20 * NS_PER_S};
    static const char head[] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na";
    struct http_head *h;
    struct co_scope scope;
    struct arena arena;
    struct tg_err err;
    struct http_in in;
    struct buf body;
    int fds[2];

    (void)arg;
    net_test_pair(fds);
    arena_init(&arena);
    buf_init(&body, conf.body_max);
    http_in_init(&in, sock_open(fds[0], NULL), &conf);
    co_scope_open(&scope, co_now() + 10 * NS_PER_MS);
    assert_int_equal(http_in_head(&in, &arena, &h, &err), TG_ECANCELED);
    assert_int_equal(co_scope_close(&scope), TG_EDEADLINE);
    assert_string_equal(err.code, "cancelled");

    arena_reset(&arena);
    http_in_init(&in, in.sock, &conf);
    net_test_write(fds[1], head, sizeof head - 1);
    assert_int_equal(http_in_head(&in, &arena, &h, &err), TG_OK);
    co_scope_open(&scope, CO_NEVER);
    co_cancel(&scope, TG_EGONE);
    assert_int_equal(http_in_body(&in, &body, &err), TG_ECANCELED);
    co_scope_close(&scope);
    assert_true(str_eq(buf_str(&body), STR("a"))); /* what was there came first */
    sock_close(in.sock);
    net_test_reset(fds[1]);
    buf_fini(&body);
    arena_fini(&arena);
    return TG_OK;
}

static void
test_cancel(void **state)
{
    (void)state;
    assert_int_equal(co_test_run(cancel_body, NULL), TG_OK);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_cancel),
    };

    return cmocka_run_group_tests_name("http/server", tests, NULL, NULL);
}
