/* sock_int.h -- what sock.c, sock_read.c and sock_write.c share. */
#ifndef NET_SOCK_INT_H
#define NET_SOCK_INT_H

#include "net/block.h"
#include "net/sock.h"

#include "base/list.h"
#include "base/mem.h"
#include "co/ring.h"

enum {
    SOCK_SHARED_MAX = 4, /* shared buffers that a reader on its way may have queued */
    SOCK_CALM = 4        /* below it one buffer is received at a time */
};

struct sock_chunk {
    uint32_t bid, n;
};

/* In the order in which a stream looks at it: the first cache line for everybody, then one for
 * each direction. */
struct sock {
    _Alignas(MEM_LINE) struct ring *ring;
    struct ring_op recv;
    struct co_event readable;
    uint64_t bytes_in;
    int fd;
    uint8_t n_shared;
    uint8_t calm; /* receives in a row that left the kernel with nothing, up to SOCK_CALM */
    uint8_t pins; /* callbacks on the stack that still look at the struct */
    bool reader_here : 1;  /* waits in sock_read, or was woken and has not run yet  */
    bool writer_here : 1;  /* waits in sock_put or sock_flush                       */
    bool eof : 1;          /* receive returned 0                                    */
    bool left : 1;         /* poll saw the peer end its sending side while paused   */
    bool broken : 1;       /* poll saw an error or a hang-up                        */
    bool paused : 1;       /* receive stopped by the high mark                      */
    bool write_failed : 1; /* nothing more can be sent                              */
    bool told_eof : 1;     /* gone hook was called so                               */
    bool told_error : 1;
    bool blocking_tried : 1; /* O_NONBLOCK was taken off fd                         */
    bool draining : 1;       /* sock_close_sent: closes when out is empty           */
    bool closed : 1;
    bool acks_lazily : 1; /* sock_ack_lazily was called                             */
    bool acks_asked : 1;  /* the kernel has been asked to, once at least            */
    uint8_t acks_lost;    /* times in a row that the kernel had gone back to its usual way */
    uint16_t acks_left;   /* receives until it is looked at again                          */
    int32_t read_errno;   /* what ended the receive, 0 while none */

    _Alignas(MEM_LINE) struct sock_chunk shared[SOCK_SHARED_MAX]; /* in front of spill */
    struct block_queue spill;
    uint32_t shared_off; /* consumed of shared[0] */
    uint32_t read_high;

    _Alignas(MEM_LINE) struct ring_op send;
    struct block_queue out;
    co_time stalled_since;
    uint64_t bytes_out;
    uint32_t write_high, write_low;

    struct co_event writable;
    uint32_t wake_at;    /* writer wakes when unsent is at most this */
    struct list starved; /* in the thread's list while no shared buffer was to be had */
    struct ring_op poll;
    sock_gone_fn *gone;
    void *gone_arg;
    struct co_timer drain_timer;
    char *peer; /* text, made when first asked for */
};
_Static_assert(offsetof(struct sock, shared) == MEM_LINE &&
                   offsetof(struct sock, send) == 2 * MEM_LINE &&
                   offsetof(struct sock, writable) == 3 * MEM_LINE,
               "the lines are as said");

/* One for each worker. */
struct sock_thread {
    struct list starved; /* first come, first served                                 */
    unsigned live;       /* socks not freed                                          */
    unsigned free_max;   /* most shared buffers ever seen free: how many there are   */
    struct sock_stats stats;
};
extern _Thread_local struct sock_thread sock_thread;

/* sock.c */
void sock_pin(struct sock *s);
/* Frees s when it is closed, nothing is in flight and nobody is on the stack with it. */
void sock_unpin(struct sock *s);
/* Tells the hook, unless a reader is about to find out by reading. */
void sock_tell_gone(struct sock *s, bool eof);
/* O_NONBLOCK makes the ring answer -EAGAIN; takes it off, true the first time. */
bool sock_make_blocking(struct sock *s);

/* sock_read.c */
ring_done_fn sock_recv_done, sock_poll_done;
void sock_arm(struct sock *s);        /* starts the receive unless there is a reason not to */
void sock_drop_input(struct sock *s); /* gives all buffers and blocks back */

/* sock_write.c */
ring_done_fn sock_send_done;
void sock_drop_output(struct sock *s); /* takes unsent bytes out of the tallies */

#endif
