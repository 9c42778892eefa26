/* relay.h -- triglot-bench as a bare relay. */
#ifndef BENCH_RELAY_H
#define BENCH_RELAY_H

#include "net/dns.h"

/* Prints the address of listen_fd (borrowed), and passes bytes between each connection to it
 * and one of its own to *to, until SIGTERM or SIGINT, which the thread then has blocked.
 * Once in a process.  Errors: those of ring_open and ring_turn; after the latter the ring is
 * left open, since the kernel may still use what it was given. */
TG_MUST_USE tg_rc relay_run(int listen_fd, const struct dns_addr *to, struct tg_err *err);

#endif
