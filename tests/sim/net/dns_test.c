/* dns_test.c -- how long the cache of names believes what, in virtual time. */
#include "net/dns.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "support/co_test.h"
#include "support/ring_sim.h"

static unsigned asked;
static tg_rc answer_rc;
static uint32_t answer_addr;

static tg_rc
resolve(const char *host, struct dns_addr ret[DNS_ADDRS_MAX], unsigned *ret_n,
        const char **ret_why)
{
    struct sockaddr_in *in = (struct sockaddr_in *)&ret[0].sa;

    (void)host;
    asked++;
    if (answer_rc != TG_OK) {
        *ret_why = "the test says so";
        return answer_rc;
    }
    in->sin_family = AF_INET;
    in->sin_addr.s_addr = htonl(answer_addr);
    ret[0].len = sizeof *in;
    *ret_n = 1;
    return TG_OK;
}

/* The address found, 0 when none. */
static uint32_t
look(void)
{
    struct dns_addr addrs[DNS_ADDRS_MAX];
    struct tg_err err;
    unsigned n = 0;

    if (dns_lookup(STR("api.test"), 443, addrs, &n, &err) != TG_OK)
        return 0;
    assert_int_equal(n, 1);
    return ntohl(((struct sockaddr_in *)&addrs[0].sa)->sin_addr.s_addr);
}

static void
pass(int64_t seconds)
{
    assert_int_equal(co_sleep_until(co_now() + seconds * NS_PER_S), TG_OK);
}

static tg_rc
life_body(void *arg)
{
    (void)arg;
    dns_set_resolver(resolve);
    answer_rc = TG_OK;
    answer_addr = 1;
    assert_int_equal(look(), 1);
    answer_addr = 2;
    pass(29);
    assert_int_equal(look(), 1);
    assert_int_equal(asked, 1);
    pass(2);
    assert_int_equal(look(), 2);
    assert_int_equal(asked, 2);

    /* The resolver fails: the old address serves for an hour, and it is asked every 5 s at
     * most. */
    answer_rc = TG_EUNAVAIL;
    pass(31);
    assert_int_equal(look(), 2);
    assert_int_equal(look(), 2);
    assert_int_equal(asked, 3);
    pass(6);
    assert_int_equal(look(), 2);
    assert_int_equal(asked, 4);
    pass(3500);
    assert_int_equal(look(), 2);
    pass(100);
    assert_int_equal(look(), 0);
    asked = 0;
    assert_int_equal(look(), 0);
    assert_int_equal(asked, 0);

    /* And is back. */
    answer_rc = TG_OK;
    answer_addr = 3;
    pass(6);
    assert_int_equal(look(), 3);
    dns_thread_fini();
    dns_set_resolver(NULL);
    return TG_OK;
}

static void
test_life(void **state)
{
    (void)state;
    ring_sim_seed(1);
    assert_int_equal(co_offload_start(0, 0, NULL), TG_OK);
    assert_int_equal(co_test_run(life_body, NULL), TG_OK);
    co_offload_stop();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_life)};

    return cmocka_run_group_tests_name("net/dns (simulated)", tests, NULL, NULL);
}
