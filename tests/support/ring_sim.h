/* ring_sim.h -- the simulated ring: ring.h without a kernel, from a seed.
 *
 * A program linked with ring_sim*.o instead of ring.o has sockets that exist in memory only,
 * and time that stands still while anything can happen and then jumps to the next thing that
 * will. One ring at a time in the process.  The same seed and the same calls give the same run.
 *
 * Descriptors made here start at RING_SIM_FD.  Reads and writes on smaller ones go to the
 * kernel. A program linked with --wrap=close,shutdown,setsockopt,getsockopt may use those on
 * both kinds; with --wrap=socket it gets simulated sockets only.
 *
 * Threads are not simulated: co_offload_start(0, ...) runs jobs in place.  When nothing can
 * ever happen again, ring_turn fails with TG_EINTERNAL and a message that begins with
 * "deadlock".
 */
#ifndef TESTS_SUPPORT_RING_SIM_H
#define TESTS_SUPPORT_RING_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RING_SIM_FD = 1 << 20 };

enum ring_sim_cancel {
    RING_SIM_CANCEL_RACE,  /* by chance */
    RING_SIM_CANCEL_WINS,  /* whenever it is possible */
    RING_SIM_CANCEL_LOSES, /* whenever the target could complete by itself */
};

struct ring_sim_knobs {
    unsigned short_pct;   /* sends and receives cut short, of 100; default 30          */
    int64_t delay_max_ns; /* latest completion of what could complete at once; 50 us   */
    size_t socket_bytes;  /* bytes on the way in one direction before sends wait; 64 Ki */
    enum ring_sim_cancel cancel;
    bool accept_once; /* accept is not multishot, as on some kernels               */
};

/* Forgets all sockets and planned faults, sets time to 1 s, knobs to their defaults.  No ring
 * may be open. */
void ring_sim_seed(uint64_t seed);
struct ring_sim_knobs *ring_sim_knobs(void);
/* A number below n from the same generator (n > 0). */
uint64_t ring_sim_random(uint64_t n);

/* Two connected stream sockets. */
void ring_sim_pair(int ret_fds[2]);
/* A socket that is not connected yet; ring_connect takes it to the listener of its port. */
int ring_sim_socket(void);
/* Accepts connections to this port of any address. */
int ring_sim_listen(unsigned port);
/* As close(2): takes effect when no operation on it is in flight any more, for the ring holds a
 * reference.  The peer reads EOF, and its sends then fail with EPIPE. */
void ring_sim_close(int fd);
/* The peer gets ECONNRESET instead; what was on the way is lost. */
void ring_sim_reset(int fd);
/* The peer reads EOF; the other direction stays open. */
void ring_sim_shutdown(int fd);
/* Bytes sent to fd and not yet received. */
size_t ring_sim_waiting(int fd);
unsigned ring_sim_open(void); /* sockets not closed */

/* Bytes written to descriptors of the kernel go to fn instead; NULL takes it back. */
typedef void ring_sim_write_fn(void *arg, int fd, const char *p, size_t n);
void ring_sim_on_write(ring_sim_write_fn *fn, void *arg);

/* Faults are planned one at a time; planning another, or one with n = 0, takes the last back.
 *
 * The n-th operation submitted from now on (1 = next) fails with this errno and does nothing
 * else. */
void ring_sim_fail(uint64_t n, int sys_errno);
/* The n-th completion that an operation would have by itself from now on is this errno instead,
 * and the operation is over: how a multishot fails after it has brought something. */
void ring_sim_fail_result(uint64_t n, int sys_errno);
/* The n-th completion from now on that moves bytes moves a single one. */
void ring_sim_fail_short(uint64_t n);
/* The n-th socket(2) from now on fails. */
void ring_sim_fail_socket(uint64_t n, int sys_errno);
/* The planned fault has happened. */
bool ring_sim_failed(void);
/* What it hit, in words: "send on socket 3", "send on descriptor 2" (of the kernel). */
const char *ring_sim_failed_what(void);
/* Operations on this descriptor, and on those accepted from it, are the test's own: no fault
 * counts or hits them. */
void ring_sim_spare(int fd);
/* Operations submitted since the seed. */
uint64_t ring_sim_ops(void);
/* Operations in flight, the spared ones left out. */
unsigned ring_sim_in_flight(void);

#endif
