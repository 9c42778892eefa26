/* cpus_test.c -- the cgroup's quota, read from a folder that looks like /proc and /sys. */
#include "policy/cpus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "triglot/str.h"

static char root[64];

/* Writes a file below root, folders and all. */
static void
put(const char *path, const char *text)
{
    char name[512];
    FILE *f;

    snprintf(name, sizeof name, "%s%s", root, path);
    for (char *slash = name + strlen(root) + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        (void)mkdir(name, 0700);
        *slash = '/';
    }
    f = fopen(name, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static int
fresh(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "/tmp/tg-cpus-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int
clean(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", root);
    return system(command);
}

static void
test_none(void **state)
{
    (void)state;
    assert_int_equal(cpus_quota(root), 0);
    put("/proc/self/cgroup", "0::/\n");
    assert_int_equal(cpus_quota(root), 0);
    put("/sys/fs/cgroup/cpu.max", "max 100000\n");
    assert_int_equal(cpus_quota(root), 0);
}

static void
test_v2(void **state)
{
    (void)state;
    put("/proc/self/cgroup", "0::/a/b\n");
    put("/sys/fs/cgroup/a/b/cpu.max", "250000 100000\n");
    assert_int_equal(cpus_quota(root), 3); /* two and a half */
    put("/sys/fs/cgroup/a/cpu.max", "100000 100000\n");
    assert_int_equal(cpus_quota(root), 1); /* the parent's is smaller */
    put("/sys/fs/cgroup/a/cpu.max", "max 100000\n");
    put("/sys/fs/cgroup/a/b/cpu.max", "5000 100000\n");
    assert_int_equal(cpus_quota(root), 1);
}

/* In a container the named path is outside of what is mounted: the mount itself counts. */
static void
test_v2_container(void **state)
{
    (void)state;
    put("/proc/self/cgroup", "0::/system.slice/docker-1.scope\n");
    put("/sys/fs/cgroup/cpu.max", "400000 100000\n");
    assert_int_equal(cpus_quota(root), 4);
}

static void
test_v1(void **state)
{
    (void)state;
    put("/proc/self/cgroup", "7:memory:/m\n4:cpu,cpuacct:/docker/x\n1:name=systemd:/\n");
    put("/sys/fs/cgroup/cpu,cpuacct/docker/x/cpu.cfs_quota_us", "-1\n");
    put("/sys/fs/cgroup/cpu,cpuacct/docker/x/cpu.cfs_period_us", "100000\n");
    assert_int_equal(cpus_quota(root), 0);
    put("/sys/fs/cgroup/cpu,cpuacct/docker/x/cpu.cfs_quota_us", "150000\n");
    assert_int_equal(cpus_quota(root), 2);
    /* cpuset and cpuacct alone are not the cpu controller. */
    put("/proc/self/cgroup", "4:cpuacct:/docker/x\n3:cpuset:/docker/x\n");
    assert_int_equal(cpus_quota(root), 0);
}

static void
test_garbage(void **state)
{
    (void)state;
    put("/proc/self/cgroup", "\n:\n::\nx\n0::/a\n");
    put("/sys/fs/cgroup/a/cpu.max", "lots\n");
    assert_int_equal(cpus_quota(root), 0);
    put("/sys/fs/cgroup/a/cpu.max", "100000 0\n");
    assert_int_equal(cpus_quota(root), 0);
    put("/sys/fs/cgroup/a/cpu.max", "");
    assert_int_equal(cpus_quota(root), 0);
    put("/sys/fs/cgroup/a/cpu.max", "4000000000 1\n");
    assert_int_equal(cpus_quota(root), 4096);
}

static void
test_available(void **state)
{
    long online = sysconf(_SC_NPROCESSORS_CONF);
    unsigned n = cpus_available();

    (void)state;
    assert_true(n >= 1);
    assert_true(n <= (unsigned)online);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_none, fresh, clean),
        cmocka_unit_test_setup_teardown(test_v2, fresh, clean),
        cmocka_unit_test_setup_teardown(test_v2_container, fresh, clean),
        cmocka_unit_test_setup_teardown(test_v1, fresh, clean),
        cmocka_unit_test_setup_teardown(test_garbage, fresh, clean),
        cmocka_unit_test(test_available),
    };

    return cmocka_run_group_tests_name("policy/cpus", tests, NULL, NULL);
}
