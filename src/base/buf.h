/* buf.h -- a growing byte buffer that has a largest size.
 *
 * Bytes are appended behind and consumed in front.  Growing past `max` is TG_ELIMIT and leaves
 * the contents as they were.  Memory comes from malloc and is kept until buf_fini or
 * buf_shrink, so a buffer that is filled and emptied over and over allocates once.  A pointer
 * into the buffer is valid until the next call that appends; what is appended must not lie in
 * the buffer itself.
 *
 * TG_ELIMIT is the only error of the calls below (and TG_EINTERNAL of buf_printf, when libc
 * cannot format).
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>

#include "triglot/rc.h"
#include "triglot/str.h"

struct buf {
    char *p;    /* start of the allocation, NULL before the first byte */
    size_t off; /* consumed bytes in front */
    size_t n;   /* live bytes from p + off */
    size_t cap; /* bytes allocated; may pass max by a quarter, so that moves stay rare */
    size_t max; /* live bytes allowed */
};

void buf_init(struct buf *b, size_t max); /* allocates nothing yet */
void buf_fini(struct buf *b);             /* frees; b is as after buf_init with the same max */

/* The live bytes.  Borrowed. */
static inline struct str
buf_str(const struct buf *b)
{
    return (struct str){b->p ? b->p + b->off : NULL, b->n};
}

TG_MUST_USE tg_rc buf_append(struct buf *b, struct str s);
TG_MUST_USE tg_rc buf_putc(struct buf *b, char c);
TG_MUST_USE tg_rc buf_printf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Makes room for n more bytes and returns where they go in *ret; buf_commit then adds k <= n.
 */
TG_MUST_USE tg_rc buf_reserve(struct buf *b, size_t n, char **ret);
void buf_commit(struct buf *b, size_t k);
/* Drops k <= n bytes in front. */
void buf_consume(struct buf *b, size_t k);
/* Empties, keeps the memory. */
void buf_clear(struct buf *b);
/* Cuts back to the first n live bytes. */
void buf_truncate(struct buf *b, size_t n);
/* Empty and larger than keep bytes: gives the memory back. */
void buf_shrink(struct buf *b, size_t keep);

/* For buffers that are filled and emptied without a suspension in between: one allocation
 * serves all of a thread's.  buf_borrow gives b, which has none yet, the thread's spare memory
 * if that is there; buf_return empties b and makes its memory the spare one, or frees it. */
void buf_borrow(struct buf *b);
void buf_return(struct buf *b);
/* Frees the calling thread's (end of a worker, tests). */
void buf_thread_fini(void);

#endif
