/* target.h -- CPU time and resident memory of a process, read from /proc. */
#ifndef BENCH_TARGET_H
#define BENCH_TARGET_H

#include <stdbool.h>
#include <stdint.h>

struct usage_cpu {
    int64_t user_ns, system_ns; /* in whole clock ticks */
    int64_t exact_ns;           /* all threads that live, by the scheduler; -1 = not kept */
};

/* False: there is no such process.  Reads a few small files that the kernel makes on the spot,
 * two more for each thread. */
bool target_cpu(uint64_t pid, struct usage_cpu *ret);
bool target_rss(uint64_t pid, int64_t *ret_bytes);

/* CPU time between two readings. */
int64_t target_cpu_between(const struct usage_cpu *from, const struct usage_cpu *to);

#endif
