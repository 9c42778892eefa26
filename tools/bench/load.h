/* load.h -- one load: what it sends, where to, and who is sending. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <sys/socket.h>

#include "base/buf.h"
#include "base/list.h"
#include "bench/options.h"
#include "bench/tally.h"
#include "co/co.h"
#include "net/dns.h"
#include "net/tls.h"

struct load {
    const struct load_options *o;
    struct buf request; /* head and body: the same for every call */
    unsigned choices;   /* answers that the request asks for      */
    struct dns_addr addrs[DNS_ADDRS_MAX];
    unsigned n_addrs;
    struct dns_addr sources[OPTIONS_SOURCES_MAX];
    unsigned next_source;
    struct tls_trust *trust; /* https, else NULL */
    struct tls_session *session;
    struct tally tally;
    struct hist *recent_latency,
        *recent_first;     /* since the last sample; NULL without a report */
    struct list idle;      /* callers without a call, last used first */
    struct co_event *wake; /* the run's: something has changed */
    bool counting;         /* the window is open for this load */
    bool over;             /* its last call has begun          */
    bool begun, ended;
    uint64_t open;         /* calls under way */
    uint64_t fails;        /* of the whole run */
    uint64_t left;         /* calls still to begin, with --requests */
    co_time begin;         /* when the run began */
    struct co_scope scope; /* of its callers */
    struct co_event freed; /* a caller has become idle, where they are limited */
};

/* Makes the request and finds the addresses.  Blocking: before the ring.  Errors say what is
 * wrong and with which option. */
TG_MUST_USE tg_rc load_init(struct load *l, const struct load_options *o, struct tg_err *err);
void load_fini(struct load *l);

/* Begins to count what happens from now on; ends it. */
void load_window_open(struct load *l);
void load_window_close(struct load *l);

/* A coroutine (arg is the load) that makes the calls until --requests have been made or it is
 * cancelled.  S */
tg_rc load_run(void *arg);

/* A connection to the server, TLS included.  Errors as those of dial and tls_connect.  S */
TG_MUST_USE tg_rc load_connect(struct load *l, struct conn **ret, struct tg_err *err);

/* A call failed.  words: what happened, for the first of them. */
void load_failed(struct load *l, enum fail f, unsigned status, struct str words);

#endif
