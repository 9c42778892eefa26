/* listen.h -- listening sockets and the accept loop's pieces. */
#ifndef NET_LISTEN_H
#define NET_LISTEN_H

#include "co/co.h"
#include "triglot/err.h"
#include "triglot/str.h"

/* Opens a TCP listener "127.0.0.1:8080", "[::1]:8080", "*:8080", "localhost:8080" (numeric or
 * resolvable: blocking, start-up only) with SO_REUSEPORT and SO_REUSEADDR, CLOEXEC.  Port 0
 * picks one.  Returns the fd in *ret.  TG_ECONFIG with the address in the message. */
TG_MUST_USE tg_rc listen_open(struct str address, int *ret, struct tg_err *err);
/* Bound address as text with the real port; out of at least 64 bytes. */
void listen_name(int fd, char *out, size_t n);

/* Accepts until cancelled: calls fn for every connection (which takes fd and must not suspend).
 * EMFILE, ENFILE, ENOBUFS, ENOMEM pause accepting for a growing time (10 ms to 1 s) and count;
 * a reserve fd is opened so that the log can still speak.  S: returns the cancel reason or
 * TG_EIO when the listener is broken. */
TG_MUST_USE tg_rc listen_accept(int listen_fd, void (*fn)(void *arg, int fd), void *arg,
                                uint64_t *pauses);

/* Takes what already waits in the kernel's queue, without waiting: before a listener is closed.
 */
void listen_take_rest(int listen_fd, void (*fn)(void *arg, int fd), void *arg);

#endif
