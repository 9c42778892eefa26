/* cpus.c -- processors by affinity and by cgroup quota.
 *
 * A quota may stand in our own group or in any above it, and inside a container the path that
 * /proc/self/cgroup names may not exist below the mount, because the mount is already our
 * group. So every prefix of the path is tried, the root too, and what is missing is no limit.
 */
#include "policy/cpus.h"

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/num.h"
#include "triglot/str.h"

enum { CPUS_MAX = 4096 };

/* The first line of root + dir + path + file in line[n], without its newline. */
static bool
first_line(const char *root, const char *dir, struct str path, const char *file, char *line,
           int n, struct str *ret)
{
    char name[3072 + 512];
    FILE *f;
    bool ok;

    if (snprintf(name, sizeof name, "%s%s%.*s/%s", root, dir, STR_ARG(path), file) >=
        (int)sizeof name)
        return false;
    f = fopen(name, "re");
    if (!f)
        return false;
    ok = fgets(line, n, f) != NULL;
    fclose(f);
    *ret = str_z(ok ? line : "");
    *ret = str_of(ret->p, str_find(*ret, '\n'));
    return ok;
}

/* quota and period in microseconds to processors; "max" and -1 are no limit. */
static unsigned
whole(struct str quota, struct str period)
{
    uint64_t q, p, n;

    if (num_u64(quota, UINT32_MAX, &q) != TG_OK || num_u64(period, UINT32_MAX, &p) != TG_OK ||
        q == 0 || p == 0)
        return 0;
    n = (q + p - 1) / p;
    return n > CPUS_MAX ? CPUS_MAX : (unsigned)n;
}

static unsigned
quota_v2(const char *root, struct str path)
{
    char line[128];
    struct str text, period, quota;

    if (!first_line(root, "/sys/fs/cgroup", path, "cpu.max", line, sizeof line, &text))
        return 0;
    quota = str_cut(text, ' ', &period);
    return whole(quota, period);
}

static unsigned
quota_v1(const char *root, struct str path)
{
    static const char *const mounts[] = {"/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct"};
    char a[64], b[64];
    struct str quota, period;

    for (unsigned i = 0; i < 2; i++) {
        if (first_line(root, mounts[i], path, "cpu.cfs_quota_us", a, sizeof a, &quota) &&
            first_line(root, mounts[i], path, "cpu.cfs_period_us", b, sizeof b, &period))
            return whole(quota, period);
    }
    return 0;
}

static unsigned
smallest(const char *root, struct str path, unsigned (*quota)(const char *, struct str))
{
    unsigned least = 0;

    for (;;) {
        unsigned n = quota(root, path);

        if (n && (!least || n < least))
            least = n;
        if (path.n == 0)
            return least;
        while (path.n && path.p[path.n - 1] != '/')
            path.n--;
        if (path.n)
            path.n--;
    }
}

static bool
has_controller(struct str list, struct str name)
{
    while (list.n) {
        if (str_eq(str_cut(list, ',', &list), name))
            return true;
    }
    return false;
}

unsigned
cpus_quota(const char *root)
{
    char name[512], line[3072];
    unsigned least = 0;
    FILE *f;

    if (snprintf(name, sizeof name, "%s/proc/self/cgroup", root) >= (int)sizeof name)
        return 0;
    f = fopen(name, "re");
    if (!f)
        return 0;
    while (fgets(line, sizeof line, f)) {
        struct str rest = str_z(line), controllers, id;
        unsigned n = 0;

        rest.n = str_find(rest, '\n');
        id = str_cut(rest, ':', &rest);
        controllers = str_cut(rest, ':', &rest);
        if (str_eq(rest, STR("/")))
            rest.n = 0;
        if (str_eq(id, STR("0")) && controllers.n == 0)
            n = smallest(root, rest, quota_v2);
        else if (has_controller(controllers, STR("cpu")))
            n = smallest(root, rest, quota_v1);
        if (n && (!least || n < least))
            least = n;
    }
    fclose(f);
    return least;
}

/* The kernel's mask may be wider than cpu_set_t: it is asked with growing ones. */
static unsigned
by_affinity(void)
{
    for (int n = 1024; n <= 1 << 16; n *= 4) {
        cpu_set_t *set = CPU_ALLOC(n);
        size_t size = CPU_ALLOC_SIZE(n);
        int count = 0;

        if (!set)
            return 1;
        if (sched_getaffinity(0, size, set) == 0)
            count = CPU_COUNT_S(size, set);
        CPU_FREE(set);
        if (count > 0)
            return (unsigned)count;
    }
    return 1;
}

unsigned
cpus_available(void)
{
    unsigned n = by_affinity(), quota = cpus_quota("");

    return quota && quota < n ? quota : n;
}
