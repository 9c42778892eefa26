/* secret.c -- text that must not be seen.
 *
 * Secrets are few (one for each key in the configuration), so each has pages of its own,
 * straight from mmap: no neighbour shares them, MADV_DONTDUMP keeps them out of core files, and
 * libc's allocator never gets the bytes back to hand them to somebody else.  Both are best
 * effort: a kernel that refuses the advice costs nothing but that protection.
 */
#include "base/secret.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"

static size_t
mapped_size(size_t n)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    return (n + page - 1) / page * page;
}

void
secret_init(struct secret *s, struct str text)
{
    size_t size = mapped_size(text.n);
    void *p;

    *s = (struct secret){NULL, 0};
    if (text.n == 0)
        return;
    p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        mem_exhausted(size);
    (void)madvise(p, size, MADV_DONTDUMP);
    memcpy(p, text.p, text.n);
    *s = (struct secret){p, text.n};
}

void
secret_fini(struct secret *s)
{
    if (s->p) {
        secret_wipe(s->p, s->n);
        (void)munmap(s->p, mapped_size(s->n));
    }
    *s = (struct secret){NULL, 0};
}

struct str
secret_reveal(const struct secret *s)
{
    return str_of(s->p, s->n);
}

void
secret_wipe(void *p, size_t n)
{
    if (n)
        explicit_bzero(p, n);
}
