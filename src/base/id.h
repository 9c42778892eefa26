/* id.h -- random bytes and identifiers from the kernel's generator (getrandom, buffered a
 * thread). */
#ifndef BASE_ID_H
#define BASE_ID_H

#include <stddef.h>
#include <stdint.h>

void id_random(void *out, size_t n);
/* RFC 9562 version 7 UUID of this wall time in the usual 36 characters, and NUL. */
void id_uuid7(int64_t wall_ns, char out[37]);
/* n characters of [a-zA-Z0-9], and NUL (chatcmpl-..., call_...). */
void id_alnum(char *out, size_t n);

#endif
