/* gate_run.c -- an exchange with one fault in a simulated gateway, then one without. */
#include "support/gate_run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "gate/conn.h"
#include "support/gate_sim.h"
#include "support/ring_sim.h"

static void
show(const struct gate_answer *a)
{
    (void)fprintf(stderr, "status %u%s%s%s, body:\n%.*s\n", a->status,
                  a->complete ? ", complete" : "", a->ended ? ", ended" : "",
                  a->fault ? a->fault : "", STR_ARG(buf_str(&a->body)));
}

/* Nothing has failed that a client would notice: what can be done again has been, accepting
 * goes on after a pause, a log that nobody takes is no client's concern. */
static bool
harmless(const struct gate_fault *f)
{
    const char *what = ring_sim_failed_what();
    bool again = f->sys_errno == EINTR || f->sys_errno == ENOBUFS || f->sys_errno == ECANCELED;

    if (!gate_fault_happened() || f->kind == GATE_FAULT_SHORT)
        return true;
    if (f->kind != GATE_FAULT_SUBMIT && f->kind != GATE_FAULT_RESULT)
        return false;
    if (strncmp(what, "multishot receive", 17) == 0 || strncmp(what, "single receive", 14) == 0)
        return again;
    if (strncmp(what, "send on descriptor", 18) == 0)
        return true;
    if (strncmp(what, "send", 4) == 0)
        return f->sys_errno == EINTR;
    return strncmp(what, "accept", 6) == 0;
}

static void
ask(struct gate_run *r, struct gate_client *c)
{
    static char request[GATE_BODY_MAX + 512];
    bool again = true;

    (void)snprintf(request, sizeof request,
                   "POST %s HTTP/1.1\r\nhost: gw\r\ncontent-length: %zu\r\n\r\n%s", r->k->path,
                   strlen(r->k->body), r->k->body);
    *c = (struct gate_client){.read_every = 4 * NS_PER_MS};
    gate_client_open(c);
    for (unsigned i = 0; i < r->k->calls && again; i++) {
        struct gate_answer a = {0};
        const char *why;

        gate_client_ask(c, str_z(request), &a);
        why = gate_kind_wrong(r->k, &a, r->must || (!c->left && harmless(&r->fault)), c->left);
        if (why) {
            show(&a);
            gate_sim_die("the client's answer: %s", why);
        }
        r->answers += a.status != 0;
        r->beaten = r->beaten || gate_kind_beaten(&a);
        again = a.complete && !c->left;
        gate_answer_fini(&a);
    }
}

struct other {
    struct gate_run *r;
    struct gate_client *c;
};

static tg_rc
ask_beside(void *arg)
{
    struct other *o = arg;

    ask(o->r, o->c);
    gate_client_close(o->c);
    return TG_OK;
}

static void
exchange(struct gate_run *r, bool must)
{
    struct other others[2];
    struct co_scope scope;

    r->must = must;
    r->answers = 0;
    r->lines = gate_fault_access_lines();
    co_scope_open(&scope, CO_NEVER);
    for (unsigned i = 0; i < r->k->others; i++) {
        others[i] = (struct other){r, &r->others[i]};
        GATE_EXPECT(co_spawn(&scope, "script other", ask_beside, &others[i]) == TG_OK);
    }
    ask(r, &r->client);
    (void)!co_join(&scope);
    (void)co_scope_close(&scope);
}

static void
settle(struct gate_run *r)
{
    co_time until;
    const char *what;

    if (r->left_at) {
        while (gate_upstream_busy(&r->up) && co_now() < r->left_at + 100 * NS_PER_MS)
            (void)!co_sleep_until(co_now() + NS_PER_MS);
        if (gate_upstream_busy(&r->up))
            gate_sim_die("the upstream was not told within 100 ms that the client has left");
    }
    gate_client_close(&r->client);
    what = gate_sim_quiet(8 * NS_PER_S);
    if (what)
        gate_sim_die("not quiet: %s", what);
    GATE_EXPECT(gate_fault_access_lines() - r->lines >= r->answers);
    GATE_EXPECT(gate_fault_access_lines() - r->lines <= r->k->calls * (1 + r->k->others));
    GATE_EXPECT(gate_fault_false_lines() == 0);
    GATE_EXPECT(r->answers == 0 || gate_sim_worker()->relief.busy_max > 0);
    until = co_now() + 10 * NS_PER_MS;
    while (gate_upstream_alive(&r->up) != gate_sim_idle() && co_now() < until)
        (void)!co_sleep_until(co_now() + NS_PER_MS);
    if (gate_upstream_alive(&r->up) != gate_sim_idle())
        gate_sim_die("%u connections at the upstream, %u idle in the pool",
                     gate_upstream_alive(&r->up), gate_sim_idle());
}

/* Sees whether the gateway has ever as much for a client as it may. */
static tg_rc
watch(void *arg)
{
    struct gate_run *r = arg;
    tg_rc rc;

    do {
        LIST_FOREACH (it, &gate_sim_worker()->conns) {
            const struct conn_in *c = LIST_ITEM(it, struct conn_in, node);

            r->held = r->held || (c->sock && sock_unsent(c->sock) > 4096);
        }
        rc = co_sleep_until(co_now() + NS_PER_MS);
    } while (rc == TG_OK);
    return rc;
}

static tg_rc
script(void *arg)
{
    struct gate_run *r = arg;
    struct co_scope scope;

    ring_sim_knobs()->socket_bytes = 1024;
    ring_sim_knobs()->cancel = r->seed % 3;
    ring_sim_knobs()->accept_once = r->seed % 2 == 0;
    co_scope_open(&scope, CO_NEVER);
    gate_upstream_open(&r->up, GATE_UPSTREAM_PORT, &scope);
    GATE_EXPECT(gate_sim_quiet(NS_PER_S) == NULL);
    if (r->fault.kind == GATE_FAULT_NONE)
        GATE_EXPECT(co_spawn(&scope, "script watch", watch, r) == TG_OK);
    gate_fault_arm(&r->fault);
    exchange(r, r->fault.kind == GATE_FAULT_NONE);
    if (r->then_again)
        settle(r);
    r->hit = gate_fault_disarm();
    if (r->then_again) {
        r->left_at = 0;
        exchange(r, true);
        settle(r);
    }
    gate_client_close(&r->client);
    (void)co_scope_close(&scope);
    return TG_OK;
}

void
gate_run(struct gate_run *r, const struct gate_kind *k, const struct gate_fault *f,
         uint64_t seed)
{
    tg_rc rc;

    *r = (struct gate_run){.k = k, .fault = *f, .seed = seed, .then_again = true};
    r->up.stream = gate_kinds_stream;
    r->up.whole = gate_kinds_whole;
    r->fault.arg = r;
    rc = gate_sim_run(gate_kinds_settings, seed, script, r);
    if (rc != TG_OK)
        gate_sim_die("the worker ended with %s", tg_rc_name(rc));
}

uint64_t
gate_run_seed(void)
{
    const char *s = getenv("GATE_SEED");

    return s ? strtoull(s, NULL, 10) : 3;
}

static void
series(const struct gate_kind *k, const char *what, struct gate_fault f, uint64_t least,
       uint64_t seed)
{
    static struct gate_run r;

    f.n = 0;
    do {
        f.n++;
        gate_sim_title("%s, %s, n %llu, seed %llu", k->name, what, (unsigned long long)f.n,
                       (unsigned long long)seed);
        gate_run(&r, k, &f, seed);
    } while (r.hit);
    (void)printf("%s, %s: %llu\n", k->name, what, (unsigned long long)f.n - 1);
    if (f.n - 1 < least)
        gate_sim_die("fewer than %llu to fail", (unsigned long long)least);
}

void
gate_run_series(const char *what, struct gate_fault f, uint64_t least, unsigned seeds)
{
    for (uint64_t seed = gate_run_seed(); seeds-- > 0; seed++)
        for (unsigned i = 0; i < GATE_KINDS; i++)
            series(&gate_kinds[i], what, f, least, seed);
}
