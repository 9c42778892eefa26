/* ring_sender.c -- a message to the ring of another thread, from a small ring of the sending
 * thread's own (MSG_RING).
 *
 * The small ring is opened with the first message and goes with its thread.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/mem.h"
#include "co/ring_int.h"

enum { SENDER_ENTRIES = 4 };

static _Thread_local struct io_uring *sender;
static pthread_key_t sender_key;
static pthread_once_t sender_once = PTHREAD_ONCE_INIT;

static void
sender_free(void *p)
{
    io_uring_queue_exit(p);
    mem_free(p);
}

static void
sender_key_make(void)
{
    if (pthread_key_create(&sender_key, sender_free) != 0)
        abort();
}

static struct io_uring *
sender_get(void)
{
    struct io_uring *u;

    if (sender)
        return sender;
    pthread_once(&sender_once, sender_key_make);
    u = mem_new(struct io_uring);
    if (io_uring_queue_init(SENDER_ENTRIES, u, 0) < 0) {
        mem_free(u);
        return NULL;
    }
    (void)io_uring_ring_dontfork(u);
    (void)pthread_setspecific(sender_key, u);
    sender = u;
    return u;
}

bool
ring_send_wake(int ring_fd)
{
    struct io_uring *u = sender_get();
    struct io_uring_sqe *sqe;
    struct io_uring_cqe *cqe;
    int rc;

    if (!u)
        return false;
    sqe = io_uring_get_sqe(u);
    if (!sqe)
        return false;
    io_uring_prep_msg_ring(sqe, ring_fd, 0, RING_TAG_WAKE, 0);
    rc = io_uring_submit(u);
    if (rc < 0)
        return false;
    do
        rc = io_uring_wait_cqe(u, &cqe);
    while (rc == -EINTR);
    if (rc < 0)
        return false;
    rc = cqe->res;
    io_uring_cqe_seen(u, cqe);
    return rc >= 0;
}
