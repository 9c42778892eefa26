/* mem.h -- the heap, for objects whose life is neither an exchange nor a buffer.
 *
 * Sizes asked for are bounded by configuration, so running out is answered by ending the
 * process with a message; there is no NULL to check.  The caller owns what it gets.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

#include "triglot/str.h"

enum { MEM_LINE = 64 }; /* bytes of a cache line on the processors that matter here */

void *mem_alloc(size_t n) __attribute__((malloc, returns_nonnull)); /* zeroed */
#define mem_new(type) ((type *)mem_alloc(sizeof(type)))
/* The same, beginning with a cache line: for a type that is laid out by them. */
void *mem_alloc_lines(size_t n) __attribute__((malloc, returns_nonnull));
#define mem_new_lines(type) ((type *)mem_alloc_lines(sizeof(type)))
/* Overflow-checked, zeroed; n may be 0. */
void *mem_array(size_t n, size_t size) __attribute__((returns_nonnull));
/* realloc: p may be NULL.  New bytes are not zeroed. */
void *mem_grow(void *p, size_t n) __attribute__((returns_nonnull));
void mem_free(void *p);                                         /* accepts NULL */
char *mem_dup_z(struct str s) __attribute__((returns_nonnull)); /* NUL-terminated copy */
/* Gives pages of the heap that hold nothing back to the kernel, where libc can.  Takes
 * some milliseconds for 40 MB; who asks for memory meanwhile may have to wait. */
void mem_give_back(void);
/* How often the calling thread has asked for memory by the above, arenas and buffers included.
 * For tests: an event that passes by asks for none. */
uint64_t mem_asked(void);
/* Says on standard error that n bytes could not be had, and aborts.  For code that gets memory
 * from elsewhere (mmap) and has no other way out either. */
void mem_exhausted(size_t n) __attribute__((noreturn, cold));

#endif
