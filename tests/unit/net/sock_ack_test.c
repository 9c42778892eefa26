/* sock_ack_test.c -- lazy acknowledgements, as the kernel tells them: the test asks it how it
 * would acknowledge the next segment, after bytes that come one segment at a time.
 */
#include "net/sock.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/co_test.h"
#include "support/net_test.h"

enum { LOOK = 32 }; /* receives, as in sock_read.c */

struct pair {
    struct sock *s;
    int peer;
};

static bool
acks_at_once(void *arg)
{
    struct pair *p = arg;
    int at_once = -1;
    socklen_t n = sizeof at_once;

    assert_int_equal(getsockopt(sock_fd(p->s), IPPROTO_TCP, TCP_QUICKACK, &at_once, &n), 0);
    return at_once == 1;
}

/* So many segments of one byte, each read before the next is sent. */
static void
segments(struct pair *p, unsigned n)
{
    struct str in;

    while (n-- > 0) {
        net_test_write(p->peer, "x", 1);
        assert_int_equal(sock_read(p->s, &in), TG_OK);
        assert_int_equal(in.n, 1);
        sock_consume(p->s, 1);
    }
}

/* One segment, and nothing behind it until the kernel has lost patience. */
static void
pause_in(struct pair *p)
{
    segments(p, 1);
    if (!acks_at_once(p))
        assert_true(net_test_until(acks_at_once, p));
}

static tg_rc
lazy_body(void *arg)
{
    struct pair p;
    int fds[2];

    (void)arg;
    net_test_pair(fds);
    p = (struct pair){sock_open(fds[1], NULL), fds[0]};
    sock_ack_lazily(p.s);
    segments(&p, LOOK - 1);
    assert_true(acks_at_once(&p)); /* not from the beginning */
    segments(&p, 1);
    assert_false(acks_at_once(&p));
    sock_ack_lazily(p.s); /* for the next stream on the connection: changes nothing */

    /* The kernel is asked again after as many receives, and after twice as many when that was
     * in vain. */
    for (unsigned i = 1; i <= 3; i++) {
        pause_in(&p);
        segments(&p, (LOOK << (i - 1)) - 1 - 1);
        assert_true(acks_at_once(&p));
        segments(&p, 1);
        assert_int_equal(acks_at_once(&p), false);
    }
    sock_close(p.s);
    close(p.peer);
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
        cmocka_unit_test(test_lazy),
    };

    return cmocka_run_group_tests_name("net/sock acknowledging", tests, NULL, NULL);
}
