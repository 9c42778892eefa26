/* id.c -- random bytes and identifiers.
 *
 * Bytes come from getrandom in blocks, a block a thread, so that an identifier does not cost a
 * system call.  Bytes that were given out are wiped from the block.  A child made by fork would
 * own a copy of the block and give out the same identifiers as its parent; a fork handler
 * empties it there.
 */
#include "base/id.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { BLOCK = 256 }; /* getrandom gives up to 256 bytes whole, whatever signals arrive */

static _Thread_local struct {
    unsigned char bytes[BLOCK];
    size_t left; /* the last `left` bytes are unused */
} pool;

static void
fill(void *out, size_t n)
{
    ssize_t got;

    do
        got = getrandom(out, n, 0);
    while (got < 0 && errno == EINTR);
    if (got != (ssize_t)n) {
        /* Ids that can be guessed would open one tenant's objects to another. */
        fputs("triglot: the kernel gives no random bytes\n", stderr);
        abort();
    }
}

static void
forget_block(void)
{
    explicit_bzero(&pool, sizeof pool);
}

static void
watch_fork(void)
{
    if (pthread_atfork(NULL, NULL, forget_block) != 0)
        abort();
}

void
id_random(void *out, size_t n)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    unsigned char *to = out;

    while (n > 0) {
        size_t k;

        if (pool.left == 0) {
            pthread_once(&once, watch_fork);
            fill(pool.bytes, BLOCK);
            pool.left = BLOCK;
        }
        k = n < pool.left ? n : pool.left;
        memcpy(to, pool.bytes + BLOCK - pool.left, k);
        memset(pool.bytes + BLOCK - pool.left, 0, k);
        pool.left -= k;
        to += k;
        n -= k;
    }
}

/* RFC 9562 section 5.7: 48 bits of milliseconds, version, 12 random bits, variant, 62 more. */
void
id_uuid7(int64_t wall_ns, char out[37])
{
    static const char hex[] = "0123456789abcdef";
    uint64_t ms = wall_ns > 0 ? (uint64_t)wall_ns / 1000000 : 0;
    unsigned char b[16];
    char *p = out;

    id_random(b + 6, sizeof b - 6);
    for (int i = 0; i < 6; i++)
        b[i] = (unsigned char)(ms >> (40 - 8 * i));
    b[6] = (unsigned char)(0x70 | (b[6] & 0x0f));
    b[8] = (unsigned char)(0x80 | (b[8] & 0x3f));
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *p++ = '-';
        *p++ = hex[b[i] >> 4];
        *p++ = hex[b[i] & 0x0f];
    }
    *p = '\0';
}

void
id_alnum(char *out, size_t n)
{
    static const char set[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    const unsigned fair = 256 / 62 * 62; /* bytes above would favour the first letters */
    size_t i = 0;

    while (i < n) {
        unsigned char c;

        id_random(&c, 1);
        if (c < fair)
            out[i++] = set[c % 62];
    }
    out[n] = '\0';
}
