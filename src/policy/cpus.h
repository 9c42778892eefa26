/* cpus.h -- how many processors this process may use. */
#ifndef POLICY_CPUS_H
#define POLICY_CPUS_H

/* The smaller of the scheduler's affinity mask and the cgroup's quota rounded up; at least 1.
 */
unsigned cpus_available(void);

/* The quota alone, in whole processors rounded up, 0 when there is none.  Reads
 * proc/self/cgroup and sys/fs/cgroup below root ("" for the real ones; tests bring a folder of
 * their own): cgroup v2 cpu.max or v1 cpu.cfs_quota_us, the smallest on the way from our group
 * to the root. */
unsigned cpus_quota(const char *root);

#endif
