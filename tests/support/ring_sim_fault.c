/* ring_sim_fault.c -- faults of the simulated ring, and libc's calls on simulated descriptors.
 *
 * A plan is one fault that counts things of one kind down to the one it hits: operations as
 * they are submitted, completions as they come, completions that move bytes, sockets as they
 * are made.  Operations on spared descriptors are passed over, so that a scripted peer in the
 * same network is never the one that fails.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "support/ring_sim_int.h"

static void
plan(enum sim_plan what, uint64_t n, int sys_errno)
{
    sim_world.plan.what = n > 0 ? what : SIM_NO_FAULT;
    sim_world.plan.left = n;
    sim_world.plan.sys_errno = sys_errno;
}

void
ring_sim_fail(uint64_t n, int sys_errno)
{
    plan(SIM_SUBMIT, n, sys_errno);
}

void
ring_sim_fail_result(uint64_t n, int sys_errno)
{
    plan(SIM_COMPLETE, n, sys_errno);
}

void
ring_sim_fail_short(uint64_t n)
{
    plan(SIM_SHORT, n, 0);
}

void
ring_sim_fail_socket(uint64_t n, int sys_errno)
{
    plan(SIM_SOCKET, n, sys_errno);
}

bool
ring_sim_failed(void)
{
    return sim_world.plan.what != SIM_NO_FAULT && sim_world.plan.left == 0;
}

void
ring_sim_spare(int fd)
{
    struct sim_sock *s = sim_sock_of(fd);

    if (s)
        s->spared = true;
}

const char *
ring_sim_failed_what(void)
{
    return ring_sim_failed() ? sim_world.plan.hit : "nothing";
}

bool
sim_spared(const struct sim_rec *c)
{
    const struct sim_sock *s = sim_sock_of(c->fd);

    return s && s->spared;
}

/* Counts one thing of this kind, done to c; true when it is the one. */
static bool
hit(enum sim_plan what, const struct sim_rec *c)
{
    static const char *const kinds[] = {[SIM_ACCEPT] = "accept",
                                        [SIM_CONNECT] = "connect",
                                        [SIM_RECV_MANY] = "multishot receive",
                                        [SIM_RECV_ONCE] = "single receive",
                                        [SIM_RECV] = "receive",
                                        [SIM_SEND] = "send",
                                        [SIM_POLL] = "poll"};

    if (sim_world.plan.what != what || sim_world.plan.left == 0 || (c && sim_spared(c)) ||
        --sim_world.plan.left > 0)
        return false;
    if (!c)
        (void)snprintf(sim_world.plan.hit, sizeof sim_world.plan.hit, "socket(2)");
    else if (c->fd < RING_SIM_FD)
        (void)snprintf(sim_world.plan.hit, sizeof sim_world.plan.hit, "%s on descriptor %d",
                       kinds[c->kind], c->fd);
    else
        (void)snprintf(sim_world.plan.hit, sizeof sim_world.plan.hit, "%s on socket %d",
                       kinds[c->kind], c->fd - RING_SIM_FD);
    return true;
}

void
sim_fault_submitted(struct sim_rec *c)
{
    if (hit(SIM_SUBMIT, c))
        c->fault = sim_world.plan.sys_errno;
}

int
sim_fault_completes(const struct sim_rec *c)
{
    return hit(SIM_COMPLETE, c) ? sim_world.plan.sys_errno : 0;
}

size_t
sim_fault_most(const struct sim_rec *c)
{
    bool moves = c->kind == SIM_RECV_MANY || c->kind == SIM_RECV_ONCE || c->kind == SIM_RECV ||
                 c->kind == SIM_SEND;

    return moves && hit(SIM_SHORT, c) ? 1 : 0;
}

int
sim_fault_socket(void)
{
    return hit(SIM_SOCKET, NULL) ? sim_world.plan.sys_errno : 0;
}

/* What --wrap puts in the place of libc's calls. */

int __real_close(int fd) __attribute__((weak));
int __real_shutdown(int fd, int how) __attribute__((weak));
int __real_setsockopt(int fd, int level, int name, const void *v, socklen_t n)
    __attribute__((weak));
int __real_getsockopt(int fd, int level, int name, void *v, socklen_t *n) __attribute__((weak));
int __wrap_close(int fd);
int __wrap_shutdown(int fd, int how);
int __wrap_setsockopt(int fd, int level, int name, const void *v, socklen_t n);
int __wrap_getsockopt(int fd, int level, int name, void *v, socklen_t *n);
int __wrap_socket(int domain, int type, int protocol);

int
__wrap_close(int fd)
{
    if (fd < RING_SIM_FD)
        return __real_close(fd);
    if (!sim_sock_of(fd)) {
        errno = EBADF;
        return -1;
    }
    ring_sim_close(fd);
    return 0;
}

int
__wrap_shutdown(int fd, int how)
{
    if (fd < RING_SIM_FD)
        return __real_shutdown(fd, how);
    if (how != SHUT_RD)
        ring_sim_shutdown(fd);
    return 0;
}

int
__wrap_setsockopt(int fd, int level, int name, const void *v, socklen_t n)
{
    return fd < RING_SIM_FD ? __real_setsockopt(fd, level, name, v, n) : 0;
}

int
__wrap_getsockopt(int fd, int level, int name, void *v, socklen_t *n)
{
    if (fd < RING_SIM_FD)
        return __real_getsockopt(fd, level, name, v, n);
    memset(v, 0, *n);
    return 0;
}

int
__wrap_socket(int domain, int type, int protocol)
{
    int eno = sim_fault_socket();

    (void)domain, (void)type, (void)protocol;
    if (eno) {
        errno = eno;
        return -1;
    }
    return ring_sim_socket();
}
