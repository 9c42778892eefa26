/* talk_test.c -- the scripted exchanges over simulated sockets, for many seeds.
 *
 * Sends and receives come short, completions late and out of order.  What client and server
 * make of it must be what they make of it over loopback: the expected logs are the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "net/dial.h"
#include "support/http_talk.h"
#include "support/ring_sim.h"

/* These stand in for libc's, so that the net layer's calls reach simulated descriptors. */

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
    if (fd < RING_SIM_FD)
        return (int)syscall(SYS_shutdown, fd, how);
    if (how != SHUT_RD)
        ring_sim_shutdown(fd);
    return 0;
}

tg_rc
dial(struct str host, uint16_t port, co_time each_ns, int *ret_fd, struct tg_err *err)
{
    (void)host;
    (void)port;
    (void)each_ns;
    return talk_dial(ret_fd, err);
}

/* TALK_SEEDS=n runs more. */
static unsigned
seeds(unsigned usual)
{
    const char *s = getenv("TALK_SEEDS");

    return s ? (unsigned)strtoul(s, NULL, 10) : usual;
}

static void
run_all(const struct talk_case *cases, unsigned n, unsigned n_seeds)
{
    talk_pair = ring_sim_pair;
    for (unsigned i = 0; i < n; i++)
        for (unsigned seed = 1; seed <= n_seeds; seed++) {
            struct buf log;

            ring_sim_seed(seed);
            ring_sim_knobs()->short_pct = seed % 4 == 0 ? 95 : seed % 4 * 20;
            ring_sim_knobs()->socket_bytes = seed % 3 == 0 ? 3000 : 65536;
            ring_sim_knobs()->delay_max_ns = seed % 5 == 0 ? 200000 : 5000;
            buf_init(&log, 1 << 20);
            talk_case_run(&cases[i], &log);
            if (!str_eq(buf_str(&log), str_z(cases[i].expected)))
                fail_msg("%s, seed %u:\n%.*s\n-- expected:\n%s", cases[i].name, seed,
                         STR_ARG(buf_str(&log)), cases[i].expected);
            assert_int_equal(ring_sim_open(), 0);
            buf_fini(&log);
        }
}

static void
test_server(void **state)
{
    (void)state;
    run_all(talk_server_cases, talk_server_n, seeds(200));
}

static void
test_client(void **state)
{
    (void)state;
    run_all(talk_client_cases, talk_client_n, seeds(200));
}

static void
test_client_slow(void **state)
{
    (void)state;
    run_all(talk_client_slow_cases, talk_client_slow_n, seeds(200));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_server),
        cmocka_unit_test(test_client),
        cmocka_unit_test(test_client_slow),
    };

    return cmocka_run_group_tests_name("http/talk", tests, NULL, NULL);
}
