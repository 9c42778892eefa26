/* upstream.c -- providers: what threads share, what a worker owns.
 *
 * The shared part is made once for a configuration, by the main thread, because reading trust
 * anchors blocks.  A set is made from it on each worker; its pools are single-threaded.
 * Upstreams with the same CA file share one set of anchors.
 *
 * Invariants
 *  (1) settings outlive every set: a set holds the shared part, which holds the settings.
 *  (2) A pool outlives every call made through it, because an exchange holds its set.
 */
#include "upstream/upstream.h"

#include <stdatomic.h>

#include "base/clock.h"
#include "base/mem.h"

struct upstream_shared {
    struct settings *settings;
    struct tls_trust **trust; /* one for each upstream, NULL = plain */
    atomic_uint refs;
};

static tg_rc
trust_of(const struct upstream_shared *sh, unsigned i, struct tls_trust **ret,
         struct tg_err *err)
{
    const struct upstream_settings *u = &sh->settings->upstreams[i];

    for (unsigned k = 0; k < i; k++) {
        if (sh->trust[k] && str_eq(sh->settings->upstreams[k].ca_file, u->ca_file)) {
            tls_trust_ref(sh->trust[k]);
            *ret = sh->trust[k];
            return TG_OK;
        }
    }
    return tls_trust_load(u->ca_file, ret, err);
}

tg_rc
upstream_shared_open(struct settings *s, struct upstream_shared **ret, struct tg_err *err)
{
    struct upstream_shared *sh = mem_new(struct upstream_shared);
    tg_rc rc;

    sh->settings = s;
    atomic_init(&sh->refs, 1);
    sh->trust = mem_array(s->n_upstreams, sizeof(struct tls_trust *));
    for (unsigned i = 0; i < s->n_upstreams; i++) {
        const struct upstream_settings *u = &s->upstreams[i];

        if (u->kind == UPSTREAM_HTTP && !dialect_find(u->dialect)) {
            rc = tg_fail(err, TG_ECONFIG, TG_ERR_INTERNAL, "dialect",
                         "upstream \"%.*s\": this build does not speak dialect \"%.*s\"",
                         STR_ARG(u->name), STR_ARG(u->dialect));
            goto out_unref;
        }
        if (!u->tls)
            continue;
        rc = trust_of(sh, i, &sh->trust[i], err);
        if (rc != TG_OK) {
            tg_err_prefix(err, "upstream \"%.*s\"", STR_ARG(u->name));
            goto out_unref;
        }
    }
    *ret = sh;
    return TG_OK;

out_unref:
    upstream_shared_unref(sh);
    return rc;
}

void
upstream_shared_ref(struct upstream_shared *sh)
{
    atomic_fetch_add_explicit(&sh->refs, 1, memory_order_relaxed);
}

void
upstream_shared_unref(struct upstream_shared *sh)
{
    if (!sh || atomic_fetch_sub_explicit(&sh->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (unsigned i = 0; i < sh->settings->n_upstreams; i++)
        if (sh->trust[i])
            tls_trust_unref(sh->trust[i]);
    mem_free(sh->trust);
    settings_unref(sh->settings);
    mem_free(sh);
}

const struct settings *
upstream_shared_settings(const struct upstream_shared *sh)
{
    return sh->settings;
}

static struct pool *
open_pool(const struct settings *s, const struct upstream_settings *u, struct tls_trust *trust)
{
    struct pool_conf pc = {
        .host = u->host,
        .port = u->port,
        .trust = trust,
        .server_name = u->server_name.n ? u->server_name : u->host,
        .connect_ns = s->timeouts.connect_ms * NS_PER_MS,
        .tls_ns = s->timeouts.tls_ms * NS_PER_MS,
        .idle_ns = s->timeouts.pool_idle_ms * NS_PER_MS,
        .connections_max = (unsigned)u->connections_max,
    };

    return pool_new(&pc);
}

/* RFC 9112 section 3.2: the port is left out when it is the scheme's own. */
static struct str
host_header(const struct upstream_settings *u)
{
    bool v6 = str_find(u->host, ':') < u->host.n;
    bool own_port = u->port == (u->tls ? 443 : 80);
    char text[300];
    int n;

    n = own_port ? snprintf(text, sizeof(text), v6 ? "[%.*s]" : "%.*s", STR_ARG(u->host))
                 : snprintf(text, sizeof(text), v6 ? "[%.*s]:%u" : "%.*s:%u", STR_ARG(u->host),
                            (unsigned)u->port);
    if (n < 0 || (size_t)n >= sizeof(text))
        n = 0;
    return str_z(mem_dup_z(str_of(text, (size_t)n)));
}

struct upstream_set *
upstream_set_open(struct upstream_shared *sh)
{
    const struct settings *s = sh->settings;
    struct upstream_set *set = mem_new(struct upstream_set);

    upstream_shared_ref(sh);
    set->shared = sh;
    set->settings = s;
    set->refs = 1;
    set->call_conf = (struct http_call_conf){
        .head_max = (size_t)s->limits.response_head_bytes,
        .inflated_max = (size_t)s->limits.response_bytes,
        .first_byte_ns = s->timeouts.first_byte_ms * NS_PER_MS,
        .idle_ns = s->timeouts.idle_ms * NS_PER_MS,
    };
    set->v = mem_array(s->n_upstreams, sizeof(struct upstream));
    for (unsigned i = 0; i < s->n_upstreams; i++) {
        struct upstream *u = &set->v[i];

        u->conf = &s->upstreams[i];
        u->dialect = dialect_find(u->conf->dialect);
        if (u->conf->kind != UPSTREAM_HTTP)
            continue;
        u->pool = open_pool(s, u->conf, sh->trust[i]);
        u->host_header = host_header(u->conf);
    }
    return set;
}

void
upstream_set_ref(struct upstream_set *set)
{
    set->refs++;
}

void
upstream_set_unref(struct upstream_set *set)
{
    if (!set || --set->refs > 0)
        return;
    for (unsigned i = 0; i < set->settings->n_upstreams; i++) {
        if (set->v[i].pool)
            pool_close(set->v[i].pool);
        mem_free((char *)set->v[i].host_header.p);
    }
    mem_free(set->v);
    upstream_shared_unref(set->shared);
    mem_free(set);
}

struct upstream *
upstream_get(struct upstream_set *set, const struct upstream_settings *conf)
{
    return &set->v[conf - set->settings->upstreams];
}
