/* version.h -- which libraries this layer uses. */
#ifndef NET_VERSION_H
#define NET_VERSION_H

/* "BearSSL (AES-NI, ...)": BearSSL has no version to ask for, so the fast paths that its build
 * has are named instead.  Static per thread. */
const char *net_libraries(void);

#endif
