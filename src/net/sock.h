/* sock.h -- a connected stream socket on the ring.
 *
 * Reading: one multishot receive into the worker's shared buffers.  While the reader waits,
 * bytes are handed to it where they lie; while it is busy elsewhere they are copied aside (at
 * most `read_high` and what was under way, then the kernel's window closes), so that a stream
 * that waits never holds a shared buffer. Writing: a bounded queue and one send in flight.
 * Putting bytes does not wait for the kernel; it suspends only while more than `write_high`
 * bytes are unsent, until they are `write_low`.
 *
 * The struct is allocated here and frees itself: sock_close shuts the connection down at once,
 * and the memory goes when the kernel has answered for the last operation.
 */
#ifndef NET_SOCK_H
#define NET_SOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "co/co.h"
#include "triglot/err.h"
#include "triglot/str.h"

struct sock;

struct sock_conf {
    size_t read_high;             /* 0 = 8 KiB */
    size_t write_high, write_low; /* 0 = 64 KiB, 16 KiB */
};

/* Takes fd (non-blocking not needed), sets TCP_NODELAY, starts reading.  Never fails: an
 * unusable fd shows at the first read. */
struct sock *sock_open(int fd, const struct sock_conf *conf);
/* Shuts down both ways, cancels what is in flight, closes fd after the last completion.  Unsent
 * bytes are dropped.  Accepts NULL.  Does not suspend. */
void sock_close(struct sock *s);
/* The same, but what is queued may still leave first, for at most a second (TLS close_notify).
 * Does not suspend. */
void sock_close_sent(struct sock *s);
/* Polite end after a final answer that the peer must see although it may still be sending:
 * sends what is queued, shuts the write side, reads and drops until EOF or `until`.  S.  Then
 * close. */
void sock_linger(struct sock *s, co_time until);

/* The next bytes, borrowed until sock_consume of all of them or the next sock_read; n 0 is EOF.
 * What is not consumed is returned again.  Errors: TG_EGONE (reset), TG_EIO.  S */
TG_MUST_USE tg_rc sock_read(struct sock *s, struct str *ret);
/* The same, but waits until then at most: TG_EDEADLINE, as co_event_wait_until.  S */
TG_MUST_USE tg_rc sock_read_until(struct sock *s, co_time until, struct str *ret);
void sock_consume(struct sock *s, size_t n);
/* Bytes (or EOF, or an error) are there now. */
bool sock_readable(const struct sock *s);

/* Copies behind what is queued and starts sending.  S while over the high mark: returns when at
 * the low mark.  TG_EGONE once the peer has reset or a send failed. */
TG_MUST_USE tg_rc sock_put(struct sock *s, struct str bytes);
/* Several pieces as one; the same otherwise. */
TG_MUST_USE tg_rc sock_putv(struct sock *s, const struct str *v, int n);
/* The same but never suspend and go past the mark: for timers, and for bytes whose memory is to
 * be let go before waiting.  TG_EGONE as above. */
TG_MUST_USE tg_rc sock_put_now(struct sock *s, struct str bytes);
TG_MUST_USE tg_rc sock_putv_now(struct sock *s, const struct str *v, int n);
/* What a put does at its end: while over the high mark, waits for the low one.  S */
TG_MUST_USE tg_rc sock_wait_low(struct sock *s);
/* Until everything is sent.  S */
TG_MUST_USE tg_rc sock_flush(struct sock *s);
size_t sock_unsent(const struct sock *s);
/* No send has failed yet. */
bool sock_writable(const struct sock *s);
/* Since when bytes wait without any having been sent; CO_NEVER when none wait. */
co_time sock_stalled_since(const struct sock *s);

/* Called when EOF or an error arrives while nobody waits in sock_read, or when a send fails:
 * how a disconnect is noticed in every phase.  eof: the peer only ended its sending side.  On
 * the scheduler's stack: must not suspend; may close the sock.  When it has already happened
 * the call comes from within sock_on_gone.  At most once for EOF and once for an error (eof
 * false) until sock_on_gone is called again.  NULL turns it off. */
typedef void sock_gone_fn(void *arg, bool eof);
void sock_on_gone(struct sock *s, sock_gone_fn *fn, void *arg);

/* The peer's segments are to be acknowledged two at a time, once some have come.  For a peer
 * that sends many small ones and gets nothing back (a stream of events): Linux acknowledges
 * each at once, and that packet's way through two stacks is a good part of what an event costs.
 * A peer that waits for it before it sends more (Nagle's algorithm) is held up by 40 ms now and
 * then, less and less often. */
void sock_ack_lazily(struct sock *s);

int sock_fd(const struct sock *s);
uint64_t sock_bytes_in(const struct sock *s);
uint64_t sock_bytes_out(const struct sock *s);
/* Peer address as text "127.0.0.1:4711", "[::1]:4711"; borrowed from the sock. */
struct str sock_peer(struct sock *s);

/* Sockets of this thread not yet freed (tests, drain). */
unsigned sock_live(void);

/* Per-thread tallies for tests and metrics. */
struct sock_stats {
    uint64_t starved;      /* receives that found no shared buffer         */
    uint64_t paused;       /* times a receive was stopped by the high mark */
    uint64_t held_bytes;   /* copied aside now                             */
    uint64_t unsent_bytes; /* queued to send now                          */
};
const struct sock_stats *sock_stats(void);
/* Frees what the thread has cached (end of a worker, tests).  No sock may be live. */
void sock_thread_fini(void);

#endif
