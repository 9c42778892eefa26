/* target.c -- CPU time and resident memory of a process, read from /proc.
 *
 * /proc/PID/stat has user and system time in clock ticks, also of threads that have ended.
 * /proc/PID/task/TID/schedstat has nanoseconds, of threads that live.  So the nanoseconds are
 * taken unless they have fallen behind the ticks: then threads have ended in between.
 */
#include "bench/target.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/num.h"

enum { FILE_MAX = 1024, PATH_LEN = 64 };

static bool
read_file(const char *path, char out[FILE_MAX])
{
    FILE *f = fopen(path, "re");
    size_t n;

    if (!f)
        return false;
    n = fread(out, 1, FILE_MAX - 1, f);
    fclose(f);
    out[n] = '\0';
    return n > 0;
}

/* The word number i, from 0; words are parted by blanks. */
static bool
word(struct str s, unsigned i, int64_t *ret)
{
    uint64_t v;

    for (; i > 0; i--)
        (void)str_cut(s, ' ', &s);
    s = str_cut(s, ' ', &(struct str){NULL, 0});
    if (s.n && s.p[s.n - 1] == '\n')
        s.n--;
    if (num_u64(s, INT64_MAX, &v) != TG_OK)
        return false;
    *ret = (int64_t)v;
    return true;
}

static int64_t
exact_ns(uint64_t pid)
{
    char path[PATH_LEN + 300], text[FILE_MAX];
    int64_t sum = 0, ns;
    struct dirent *e;
    DIR *d;

    snprintf(path, sizeof path, "/proc/%llu/task", (unsigned long long)pid);
    d = opendir(path);
    if (!d)
        return -1;
    while (sum >= 0 && (e = readdir(d)) != NULL) {
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/proc/%llu/task/%s/schedstat", (unsigned long long)pid,
                 e->d_name);
        if (!read_file(path, text))
            continue;
        if (word(str_z(text), 0, &ns))
            sum += ns;
        else
            sum = -1;
    }
    closedir(d);
    return sum ? sum : -1;
}

bool
target_cpu(uint64_t pid, struct usage_cpu *ret)
{
    char path[PATH_LEN], text[FILE_MAX];
    int64_t user, system, tick_ns = NS_PER_S / sysconf(_SC_CLK_TCK);
    const char *behind_name;

    snprintf(path, sizeof path, "/proc/%llu/stat", (unsigned long long)pid);
    if (!read_file(path, text))
        return false;
    /* The second field is a name that may hold anything; the fourteenth is user time. */
    behind_name = strrchr(text, ')');
    if (!behind_name || !word(str_z(behind_name), 12, &user) ||
        !word(str_z(behind_name), 13, &system))
        return false;
    *ret = (struct usage_cpu){user * tick_ns, system * tick_ns, exact_ns(pid)};
    return true;
}

bool
target_rss(uint64_t pid, int64_t *ret_bytes)
{
    char path[PATH_LEN], text[FILE_MAX];
    int64_t pages;

    snprintf(path, sizeof path, "/proc/%llu/statm", (unsigned long long)pid);
    if (!read_file(path, text) || !word(str_z(text), 1, &pages))
        return false;
    *ret_bytes = pages * sysconf(_SC_PAGESIZE);
    return true;
}

int64_t
target_cpu_between(const struct usage_cpu *from, const struct usage_cpu *to)
{
    int64_t ticks = to->user_ns + to->system_ns - from->user_ns - from->system_ns;
    int64_t two_ticks = 2 * NS_PER_S / sysconf(_SC_CLK_TCK);

    if (from->exact_ns >= 0 && to->exact_ns >= 0 &&
        to->exact_ns - from->exact_ns + two_ticks >= ticks)
        return to->exact_ns - from->exact_ns;
    return ticks;
}
