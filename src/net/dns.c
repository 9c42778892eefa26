/* dns.c -- names to addresses behind a per-thread cache.
 *
 * A literal address is answered at once.  A name that is not in the cache is asked for on an
 * offload thread by the first caller; others that want it meanwhile wait for that answer.  When
 * the first caller is cancelled before the question was put, one of those who wait takes over.
 *
 * An entry's states
 *     empty -> asking -> good (30 s) -> stale (until an hour after the answer, used only when
 *     asking again fails) ; asking -> bad (5 s, the failure is repeated to all callers).
 *
 * The cache is a list, most recently used first, of at most 256 names: look-ups are made once
 * for each new connection, so that walking it is cheap next to what follows.
 */
#include "net/dns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"

enum { NAMES_MAX = 256, NAME_BYTES_MAX = 253 };

#define GOOD_NS  (30 * NS_PER_S)
#define STALE_NS (3600 * NS_PER_S)
#define BAD_NS   (5 * NS_PER_S)

struct answer {
    tg_rc rc;
    const char *why;
    unsigned n;
    struct dns_addr addrs[DNS_ADDRS_MAX];
};

struct name {
    struct list node;
    char *host;
    bool asking;
    co_time good_until, stale_until, bad_until;
    struct answer last;  /* last failure: rc and why */
    struct answer known; /* last success */
    struct list waiters;
};

struct waiter {
    struct list node;
    struct co_event event;
};

/* What the offload thread works on: no pointer into the cache. */
struct question {
    char host[NAME_BYTES_MAX + 1];
    struct answer answer;
};

static dns_resolve_fn *resolver = dns_resolve_blocking;
static _Thread_local struct list names;
static _Thread_local unsigned n_names;

void
dns_set_resolver(dns_resolve_fn *fn)
{
    resolver = fn ? fn : dns_resolve_blocking;
}

static const char *
gai_words(int gai)
{
    switch (gai) {
    case EAI_NONAME:
#ifdef EAI_NODATA
    case EAI_NODATA:
#endif
        return "there is no such name, or it has no address";
    case EAI_AGAIN:
        return "the name server did not answer";
    case EAI_FAIL:
        return "the name server failed";
    case EAI_MEMORY:
        return "out of memory";
    default:
        return "the system's resolver failed";
    }
}

tg_rc
dns_resolve_blocking(const char *host, struct dns_addr ret[DNS_ADDRS_MAX], unsigned *ret_n,
                     const char **ret_why)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG}, *list;
    unsigned n = 0;
    int gai = getaddrinfo(host, NULL, &hints, &list);

    if (gai == EAI_NONAME || gai == EAI_ADDRFAMILY) {
        /* AI_ADDRCONFIG hides loopback names on a host without a network. */
        hints.ai_flags = 0;
        gai = getaddrinfo(host, NULL, &hints, &list);
    }
    if (gai != 0) {
        *ret_why = gai_words(gai);
        return gai == EAI_AGAIN || gai == EAI_FAIL || gai == EAI_MEMORY || gai == EAI_SYSTEM
                   ? TG_EUNAVAIL
                   : TG_ENOTFOUND;
    }
    for (const struct addrinfo *a = list; a && n < DNS_ADDRS_MAX; a = a->ai_next) {
        if ((a->ai_family != AF_INET && a->ai_family != AF_INET6) ||
            a->ai_addrlen > sizeof ret[n].sa)
            continue;
        memcpy(&ret[n].sa, a->ai_addr, a->ai_addrlen);
        ret[n].len = a->ai_addrlen;
        n++;
    }
    freeaddrinfo(list);
    if (n == 0) {
        *ret_why = "it has no IPv4 or IPv6 address";
        return TG_ENOTFOUND;
    }
    *ret_n = n;
    return TG_OK;
}

static tg_rc
put_question(void *arg)
{
    struct question *q = arg;

    q->answer.rc = resolver(q->host, q->answer.addrs, &q->answer.n, &q->answer.why);
    return TG_OK;
}

static void
name_free(struct name *nm)
{
    list_del(&nm->node);
    n_names--;
    mem_free(nm->host);
    mem_free(nm);
}

/* The entry for host, made when missing, moved to the front; NULL when all are being asked for.
 */
static struct name *
name_get(const char *host)
{
    struct name *nm;

    if (!names.next)
        list_init(&names);
    LIST_FOREACH (it, &names) {
        nm = LIST_ITEM(it, struct name, node);
        if (strcmp(nm->host, host) == 0) {
            list_del(&nm->node);
            list_add_head(&names, &nm->node);
            return nm;
        }
    }
    if (n_names >= NAMES_MAX) {
        struct list *it = names.prev;

        while (it != &names && LIST_ITEM(it, struct name, node)->asking)
            it = it->prev;
        if (it == &names)
            return NULL;
        name_free(LIST_ITEM(it, struct name, node));
    }
    nm = mem_new(struct name);
    nm->host = mem_dup_z(str_z(host));
    nm->good_until = nm->stale_until = nm->bad_until = INT64_MIN;
    list_init(&nm->waiters);
    list_add_head(&names, &nm->node);
    n_names++;
    return nm;
}

static void
wake_waiters(struct name *nm)
{
    while (!list_empty(&nm->waiters)) {
        struct waiter *w = LIST_ITEM(list_first(&nm->waiters), struct waiter, node);

        list_del(&w->node);
        co_event_signal(&w->event);
    }
}

/* Asks, as the only one.  An error is the caller's own (cancelled, queue full).  S */
static tg_rc
name_ask(struct name *nm)
{
    struct question *q = mem_new(struct question);
    co_time now;
    tg_rc rc;

    snprintf(q->host, sizeof q->host, "%s", nm->host);
    nm->asking = true;
    rc = co_offload(put_question, q);
    nm->asking = false;
    now = co_now();
    if (rc == TG_OK && q->answer.rc == TG_OK) {
        nm->known = q->answer;
        nm->good_until = now + GOOD_NS;
        nm->stale_until = now + STALE_NS;
        nm->bad_until = INT64_MIN;
    } else if (rc == TG_OK) {
        nm->last = q->answer;
        nm->bad_until = now + BAD_NS;
    }
    mem_free(q);
    wake_waiters(nm);
    return rc;
}

/* S */
static tg_rc
name_wait(struct name *nm)
{
    struct waiter w = {.event = CO_EVENT_INIT};
    tg_rc rc;

    list_add_tail(&nm->waiters, &w.node);
    rc = co_event_wait(&w.event);
    list_del(&w.node);
    return rc;
}

void
dns_addr_set_port(struct dns_addr *a, uint16_t port)
{
    if (a->sa.ss_family == AF_INET)
        ((struct sockaddr_in *)&a->sa)->sin_port = htons(port);
    else
        ((struct sockaddr_in6 *)&a->sa)->sin6_port = htons(port);
}

static bool
parse_literal(const char *host, struct dns_addr *ret)
{
    struct sockaddr_in *in = (struct sockaddr_in *)&ret->sa;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&ret->sa;

    memset(&ret->sa, 0, sizeof ret->sa);
    if (inet_pton(AF_INET, host, &in->sin_addr) == 1) {
        in->sin_family = AF_INET;
        ret->len = sizeof *in;
        return true;
    }
    if (inet_pton(AF_INET6, host, &in6->sin6_addr) == 1) {
        in6->sin6_family = AF_INET6;
        ret->len = sizeof *in6;
        return true;
    }
    return false;
}

/* Copies host in lower case, without the brackets of an IPv6 literal. */
static bool
host_text(struct str host, char out[NAME_BYTES_MAX + 1])
{
    if (host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
        host = str_of(host.p + 1, host.n - 2);
    if (host.n == 0 || host.n > NAME_BYTES_MAX)
        return false;
    for (size_t i = 0; i < host.n; i++) {
        char c = host.p[i];

        if (c <= ' ' || c == 127)
            return false;
        out[i] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    out[host.n] = '\0';
    return true;
}

/* A usable answer for nm, asking or waiting as needed.  S */
static tg_rc
name_answer(const char *host, const struct answer **ret, struct tg_err *err)
{
    for (;;) {
        struct name *nm = name_get(host);
        co_time now = co_now();
        tg_rc rc;

        if (!nm)
            return tg_fail(err, TG_EUNAVAIL, TG_ERR_UPSTREAM, "dns",
                           "too many names are being looked up at once");
        if (now < nm->good_until) {
            *ret = &nm->known;
            return TG_OK;
        }
        if (now < nm->bad_until) {
            if (now < nm->stale_until) {
                *ret = &nm->known;
                return TG_OK;
            }
            return tg_fail(err, nm->last.rc, TG_ERR_UPSTREAM, "dns", "cannot find %s: %s", host,
                           nm->last.why ? nm->last.why : "no reason given");
        }
        rc = nm->asking ? name_wait(nm) : name_ask(nm);
        if (rc == TG_EUNAVAIL)
            return tg_fail(err, rc, TG_ERR_UPSTREAM, "dns",
                           "cannot look up %s: too much is waiting for the offload threads",
                           host);
        if (rc != TG_OK)
            return rc;
    }
}

tg_rc
dns_lookup(struct str host, uint16_t port, struct dns_addr ret[DNS_ADDRS_MAX], unsigned *ret_n,
           struct tg_err *err)
{
    char text[NAME_BYTES_MAX + 1];
    const struct answer *a = NULL;
    struct dns_addr literal;
    tg_rc rc;

    if (!host_text(host, text))
        return tg_fail(err, TG_ENOTFOUND, TG_ERR_UPSTREAM, "dns", "not a host name");
    if (parse_literal(text, &literal)) {
        ret[0] = literal;
        dns_addr_set_port(&ret[0], port);
        *ret_n = 1;
        return TG_OK;
    }
    rc = name_answer(text, &a, err);
    if (rc != TG_OK)
        return rc;
    for (unsigned i = 0; i < a->n; i++) {
        ret[i] = a->addrs[i];
        dns_addr_set_port(&ret[i], port);
    }
    *ret_n = a->n;
    return TG_OK;
}

void
dns_thread_fini(void)
{
    if (!names.next)
        return;
    while (!list_empty(&names))
        name_free(LIST_ITEM(list_first(&names), struct name, node));
}
