/* ring_setup.c -- which rings this kernel has: the features that are asked for, newest first,
 * and those that can only be told from others.
 */
#include <stdio.h>
#include <sys/utsname.h>

#include "co/ring_int.h"
#include "co/ring_refused.h"

int
ring_setup(struct io_uring *u, unsigned entries, unsigned cq_entries)
{
    static const unsigned flags[] = {
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG |
            IORING_SETUP_NO_SQARRAY,
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
        IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
    };
    int rc = -EINVAL;
    unsigned i;

    for (i = 0; i < sizeof flags / sizeof flags[0] && rc == -EINVAL; i++) {
        struct io_uring_params p = {.flags = flags[i] | IORING_SETUP_CQSIZE |
                                             IORING_SETUP_CLAMP | IORING_SETUP_SUBMIT_ALL,
                                    .cq_entries = cq_entries};

        rc = io_uring_queue_init_params(entries, u, &p);
    }
    return rc;
}

/* Multishot receive cannot be asked for; it came with zero-copy send, which can. */
bool
ring_has_recv_many(struct io_uring *u)
{
    struct io_uring_probe *p;
    bool yes;

    if (u->flags & IORING_SETUP_DEFER_TASKRUN)
        return true;
    p = io_uring_get_probe_ring(u);
    yes = p && io_uring_opcode_supported(p, IORING_OP_SEND_ZC);
    io_uring_free_probe(p);
    return yes;
}

/* Kernels from 6.6 on, before 6.9, can deliver wrong descriptors from a multishot accept on a
 * ring whose task work is deferred. */
bool
ring_has_accept_many(const struct io_uring *u)
{
    unsigned k = ring_kernel();

    return !(u->flags & IORING_SETUP_DEFER_TASKRUN) || k < 6006 || k >= 6009;
}

void
ring_describe(char *out, size_t n)
{
    struct utsname un = {.release = "?"};
    struct io_uring u;
    struct io_uring_probe *p;
    struct tg_err err;
    int rc;

    (void)uname(&un);
    rc = ring_setup(&u, 4, 8);
    if (rc < 0) {
        (void)ring_refused(-rc, &err);
        (void)snprintf(out, n, "Linux %s: %s", un.release, err.msg);
        return;
    }
    p = io_uring_get_probe_ring(&u);
    (void)snprintf(out, n,
                   "Linux %s: deferred task work %s, multishot accept %s, multishot recv %s, "
                   "ring messages %s",
                   un.release, u.flags & IORING_SETUP_DEFER_TASKRUN ? "yes" : "no",
                   ring_has_accept_many(&u) ? "yes" : "no",
                   ring_has_recv_many(&u) ? "yes" : "no",
                   p && io_uring_opcode_supported(p, IORING_OP_MSG_RING) ? "yes" : "no");
    io_uring_free_probe(p);
    io_uring_queue_exit(&u);
}
