/* secret.h -- text that must not be seen.
 *
 * There is no way to print one.  Its memory is excluded from core dumps where the kernel allows
 * it and wiped when it is let go.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include "triglot/str.h"

struct secret {
    char *p; /* private to secret.c */
    size_t n;
};

void secret_init(struct secret *s,
                 struct str text);  /* copies; text stays the caller's to wipe */
void secret_fini(struct secret *s); /* wipes; accepts an empty one */
/* The text, for the one place that must send it.  Borrowed. */
struct str secret_reveal(const struct secret *s);
/* Overwrites n bytes in a way the compiler keeps. */
void secret_wipe(void *p, size_t n);

#endif
