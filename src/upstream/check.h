/* check.h -- `triglot check-upstream URL`: what a connection to an upstream is like, or why
 * there is none.
 */
#ifndef UPSTREAM_CHECK_H
#define UPSTREAM_CHECK_H

/* Connects twice, over TLS when the URL says https, and asks for the URL.  Prints host,
 * addresses, TLS version, suite, resumption and chain to standard output; the exact reason of a
 * failure to standard error.  ca_file and server_name may be NULL.  Returns the exit status: 0,
 * or 1 after a failure, 2 for a URL that is none.  Runs its own scheduler: not to be called in
 * one. */
int check_upstream_main(const char *url, const char *ca_file, const char *server_name);

#endif
