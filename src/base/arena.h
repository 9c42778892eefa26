/* arena.h -- memory that is freed all at once.
 *
 * An arena hands out zeroed, aligned memory from chunks and never returns NULL: bodies, depth
 * and counts are bounded at the door (limits in policy/settings.h), so what is asked for here
 * is bounded too, and a failing malloc ends the process with a message.  Chunks of the usual
 * sizes (1 KiB at first, up to 4 later) come from and go back to a bounded per-thread cache;
 * larger requests get a chunk of their own. Free memory is poisoned under ASan.  Not
 * thread-safe: an arena belongs to one coroutine.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "triglot/str.h"

struct arena_chunk;

struct arena {
    struct arena_chunk *chunk; /* newest first */
    size_t used;               /* bytes handed out since init or reset */
    unsigned n;                /* private: chunks that were not made to measure */
};

void arena_init(struct arena *a);  /* allocates nothing yet */
void arena_reset(struct arena *a); /* frees everything; the arena can be used again */
void arena_fini(struct arena *a);

/* Zeroed.  align is a power of two of at most 64. */
void *arena_alloc(struct arena *a, size_t n, size_t align)
    __attribute__((malloc, alloc_size(2), returns_nonnull));
#define arena_new(a, type) ((type *)arena_alloc((a), sizeof(type), _Alignof(type)))
/* Overflow-checked array; n may be 0. */
#define arena_array(a, type, n)                                                                \
    ((type *)arena_alloc_array((a), (n), sizeof(type), _Alignof(type)))
void *arena_alloc_array(struct arena *a, size_t n, size_t size, size_t align);

/* Room for one more behind n of an array that has room for cap of them (NULL and 0 at first).
 * array and cap are variables: where there is no room they get a copy, twice as large and
 * zeroed behind the n.  False, and nothing is done, when n has come to max. */
#define arena_more(a, array, n, cap, max)                                                      \
    arena_more_at((a), &(array), (n), &(cap), (max), sizeof *(array),                          \
                  _Alignof(__typeof__(*(array))))
bool arena_more_at(struct arena *a, void *array_at, uint32_t n, uint32_t *cap, uint32_t max,
                   size_t size, size_t align);

/* Copies, NUL-terminated behind the last byte for libc's sake. */
struct str arena_dup(struct arena *a, struct str s);
/* The same of two texts, one behind the other. */
struct str arena_cat(struct arena *a, struct str s, struct str t);
struct str arena_printf(struct arena *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), nonnull(2)));

/* Gives the calling thread's cached chunks back to libc (end of a worker, tests). */
void arena_thread_fini(void);

#endif
