/* dns.h -- names to addresses: getaddrinfo on offload threads behind a per-thread cache. */
#ifndef NET_DNS_H
#define NET_DNS_H

#include <stdint.h>
#include <sys/socket.h>

#include "co/co.h"
#include "triglot/err.h"
#include "triglot/str.h"

enum { DNS_ADDRS_MAX = 8 };

struct dns_addr {
    struct sockaddr_storage sa;
    socklen_t len;
};

/* Addresses of host (name or literal) with port, in the order to try.  Cached 30 s, stale ones
 * used for an hour when the resolver fails, failures cached 5 s; at most 256 names a thread.
 * Several callers asking at once share one look-up.  TG_ENOTFOUND / TG_EUNAVAIL, kind upstream,
 * code "dns".  S */
TG_MUST_USE tg_rc dns_lookup(struct str host, uint16_t port, struct dns_addr ret[DNS_ADDRS_MAX],
                             unsigned *ret_n, struct tg_err *err);
void dns_thread_fini(void);

/* Asks for host: fills at most DNS_ADDRS_MAX addresses, whose port is set later.  Runs on an
 * offload thread.  TG_ENOTFOUND: there is no such name; TG_EUNAVAIL: no answer; *ret_why is
 * then a literal saying why. */
typedef tg_rc dns_resolve_fn(const char *host, struct dns_addr ret[DNS_ADDRS_MAX],
                             unsigned *ret_n, const char **ret_why);
/* The usual one: getaddrinfo.  Blocking: start-up or an offload thread. */
dns_resolve_fn dns_resolve_blocking;
void dns_addr_set_port(struct dns_addr *a, uint16_t port);
/* Replaces getaddrinfo (NULL: puts it back).  Process-wide, set while nobody looks up (tests).
 */
void dns_set_resolver(dns_resolve_fn *fn);

#endif
