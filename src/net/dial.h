/* dial.h -- a connected socket to a host: look up, try each address in turn. */
#ifndef NET_DIAL_H
#define NET_DIAL_H

#include <stdint.h>

#include "co/co.h"
#include "triglot/err.h"
#include "triglot/str.h"

/* Each address gets at most each_ns; one that refuses is followed by the next at once.  The fd
 * is the caller's.  Errors, kind upstream or timeout: those of dns_lookup; TG_EUNAVAIL with
 * code "connect" (sys_errno of the last address), TG_EDEADLINE with "connect_timeout"; or the
 * reason of a cancelled scope, err untouched.  S */
TG_MUST_USE tg_rc dial(struct str host, uint16_t port, co_time each_ns, int *ret_fd,
                       struct tg_err *err);

/* "127.0.0.1:80" or "[::1]:80"; out of at least 64 bytes. */
struct sockaddr;
void dial_address_text(const struct sockaddr *sa, char *out, size_t n);

#endif
