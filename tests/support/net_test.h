/* net_test.h -- loopback sockets and waiting, for tests of the net layer. */
#ifndef TESTS_SUPPORT_NET_TEST_H
#define TESTS_SUPPORT_NET_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Two connected TCP sockets over loopback; [1] is non-blocking. */
void net_test_pair(int ret[2]);
/* A TCP listener on 127.0.0.1 and its port. */
int net_test_listen(uint16_t *ret_port);
/* A loopback port that refuses connections (bound, not listening); the fd keeps it so. */
int net_test_refusing(uint16_t *ret_port);
/* What can be read from a non-blocking fd now, dropped: bytes, 0 at EOF, -errno. */
long net_test_drain(int fd, size_t max);
/* Writes all of it at once or fails the test. */
void net_test_write(int fd, const void *p, size_t n);
/* Sends RST instead of FIN. */
void net_test_reset(int fd);

/* Lets the ring turn until cond(arg), at most 10 s; false when it did not come true.  S */
bool net_test_until(bool (*cond)(void *arg), void *arg);
/* The k-th byte of test stream number `stream`. */
unsigned char net_test_byte(unsigned stream, size_t k);
void net_test_fill(unsigned stream, size_t from, unsigned char *out, size_t n);

#endif
