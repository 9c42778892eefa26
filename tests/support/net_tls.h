/* net_tls.h -- TLS servers for tests: openssl s_server processes, and one of our own on a
 * thread for what no polite server does.
 */
#ifndef TESTS_SUPPORT_NET_TLS_H
#define TESTS_SUPPORT_NET_TLS_H

#include <stdint.h>
#include <sys/types.h>

/* Makes the certificates and returns their folder (below build/). */
const char *net_tls_certs(void);
/* "<folder>/<name>.<ext>" in a static buffer of which there are eight. */
const char *net_tls_file(const char *name, const char *ext);

/* openssl s_server with name.crt, name.key and, if it exists, name.more, and these further
 * words (at most 10, NULL at the end; words may be NULL), accepting on a free port.  Returns
 * its pid. */
pid_t net_tls_openssl(const char *name, const char *const *words, uint16_t *ret_port);
void net_tls_kill(pid_t pid);

enum net_tls_mode {
    NET_TLS_ECHO,    /* sends everything back until close_notify, and answers that */
    NET_TLS_ANSWER,  /* reads some, answers "whole", ends politely                 */
    NET_TLS_CUT,     /* reads some, answers "half", closes without close_notify    */
    NET_TLS_GARBAGE, /* reads some, sends a forged record                          */
    NET_TLS_PLAIN,   /* speaks HTTP without TLS                                    */
    NET_TLS_HANGUP,  /* closes as soon as something came                           */
};

struct net_tls_server;
/* Serves connections one after the other with valid.crt; sessions are cached. */
struct net_tls_server *net_tls_start(enum net_tls_mode mode, uint16_t *ret_port);
/* Waits for the connection being served, frees. */
void net_tls_stop(struct net_tls_server *s);

#endif
