/* ring_refused.c -- why the kernel will not give us a ring, in words that help.
 *
 * The error number alone says little: EPERM is a sysctl or a container's seccomp profile,
 * EINVAL a kernel that lacks a feature.  The settings that decide are read to tell them apart.
 */
#include "co/ring_refused.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

/* First character of a small file, or '\0'. */
static char
first_char(const char *path)
{
    char c = '\0';
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return '\0';
    if (read(fd, &c, 1) != 1)
        c = '\0';
    close(fd);
    return c;
}

static const char *
number(const char *p, unsigned *ret)
{
    for (*ret = 0; *p >= '0' && *p <= '9'; p++)
        *ret = *ret * 10 + (unsigned)(*p - '0');
    return p;
}

unsigned
ring_kernel(void)
{
    struct utsname u;
    unsigned major, minor;
    const char *p;

    if (uname(&u) != 0)
        return 0;
    p = number(u.release, &major);
    if (*p != '.')
        return 0;
    (void)number(p + 1, &minor);
    return major * 1000 + minor;
}

static tg_rc
refused_permission(struct tg_err *err)
{
    switch (first_char("/proc/sys/kernel/io_uring_disabled")) {
    case '2':
        return tg_fail(err, TG_EUNAVAIL, TG_ERR_INTERNAL, "io_uring_refused",
                       "the kernel refuses io_uring because kernel.io_uring_disabled is 2; "
                       "allow it with `sysctl kernel.io_uring_disabled=0`");
    case '1':
        return tg_fail(err, TG_EUNAVAIL, TG_ERR_INTERNAL, "io_uring_refused",
                       "the kernel refuses io_uring because kernel.io_uring_disabled is 1; "
                       "put this user into the group whose number is in "
                       "kernel.io_uring_group, or `sysctl kernel.io_uring_disabled=0`");
    default:
        return tg_fail(err, TG_EUNAVAIL, TG_ERR_INTERNAL, "io_uring_refused",
                       "io_uring is blocked by a seccomp filter, as container runtimes do by "
                       "default; run with a profile that allows io_uring_setup, io_uring_enter "
                       "and io_uring_register");
    }
}

tg_rc
ring_refused(int sys_errno, struct tg_err *err)
{
    struct utsname u = {.release = "?"};
    struct rlimit lim = {0, 0};
    tg_rc rc;

    (void)uname(&u);
    switch (sys_errno) {
    case EPERM:
    case EACCES:
        rc = refused_permission(err);
        break;
    case ENOSYS:
        rc = tg_fail(err, TG_EUNAVAIL, TG_ERR_INTERNAL, "io_uring_refused",
                     "there is no io_uring here: the kernel (%s) was built without "
                     "CONFIG_IO_URING, or a sandbox or seccomp filter hides it; Linux 6.1 or "
                     "later with io_uring is needed",
                     u.release);
        break;
    case ENOMEM:
        (void)getrlimit(RLIMIT_MEMLOCK, &lim);
        rc =
            tg_fail(err, TG_EUNAVAIL, TG_ERR_INTERNAL, "io_uring_refused",
                    "the kernel has no memory for the ring; the locked memory limit "
                    "(RLIMIT_MEMLOCK) is %llu KiB, raise it with `ulimit -l` or LimitMEMLOCK=, "
                    "or make the ring smaller",
                    (unsigned long long)lim.rlim_cur / 1024);
        break;
    case EINVAL:
        rc = tg_fail(err, TG_EUNAVAIL, TG_ERR_INTERNAL, "io_uring_refused",
                     "the kernel (%s) is too old: its io_uring lacks what is needed; Linux 6.1 "
                     "or later is needed",
                     u.release);
        break;
    case EMFILE:
    case ENFILE:
        rc =
            tg_fail(err, TG_EUNAVAIL, TG_ERR_INTERNAL, "io_uring_refused",
                    "no file descriptor is left for the ring; raise the limit with `ulimit -n` "
                    "or LimitNOFILE=");
        break;
    default:
        rc = tg_fail_sys(err, sys_errno, "io_uring_setup failed");
        break;
    }
    if (err)
        err->sys_errno = sys_errno;
    return rc == TG_EIO ? TG_EUNAVAIL : rc;
}
