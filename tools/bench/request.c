/* request.c -- what a load sends and where to: made once, before the run.
 *
 * A body from a file is decoded as the server will decode it, so that a mistake in it shows
 * here and not as a run of failures, and so that the number of answers it asks for is known to
 * the grammar check.
 */
#include "bench/load.h"

#include "base/clock.h"
#include "conf/conf.h"
#include "json/write.h"

enum { BODY_MAX = 64 << 20, HOST_MAX = 255 };

static tg_rc
no(struct tg_err *err, const char *what, const char *why)
{
    return tg_fail(err, TG_ECONFIG, TG_ERR_INVALID_REQUEST, "options", "%s: %s", what, why);
}

/* A short question. */
static tg_rc
make_body(const struct load_options *o, struct buf *b)
{
    struct json_out j;
    bool responses = strcmp(o->dialect->name, "responses") == 0;

    json_begin(&j, b);
    json_open(&j, '{');
    json_kv_str(&j, "model", str_z(o->model));
    json_kv_bool(&j, "stream", !o->whole);
    if (strcmp(o->dialect->name, "messages") == 0)
        json_kv_int(&j, "max_tokens", 65536);
    if (responses) {
        json_kv_str(&j, "input", STR("hello"));
    } else {
        json_key(&j, "messages");
        json_open(&j, '[');
        json_open(&j, '{');
        json_kv_str(&j, "role", STR("user"));
        json_kv_str(&j, "content", STR("hello"));
        json_close(&j);
        json_close(&j);
    }
    json_close(&j);
    return json_end(&j);
}

static tg_rc
check_body(struct load *l, struct str body, struct tg_err *err)
{
    struct ir_req req;
    struct arena a;
    tg_rc rc;

    arena_init(&a);
    rc = l->o->dialect->decode_req(&a, body, &req, err);
    if (rc == TG_OK && req.stream == l->o->whole)
        rc = no(err, "--body",
                req.stream ? "it asks for a stream, --whole for none"
                           : "it asks for no stream, which needs --whole");
    else if (rc == TG_OK)
        l->choices = req.choices ? req.choices : 1;
    else
        tg_err_prefix(err, "--body");
    arena_fini(&a);
    return rc;
}

static tg_rc
put_head(const struct load_options *o, size_t body_n, struct buf *b)
{
    bool versioned = str_ends(o->url.path, STR("/v1"));
    struct str host = o->url.host;
    bool v6 = str_find(host, ':') < host.n;
    tg_rc rc;

    rc = buf_printf(b,
                    "POST %.*s%s%s HTTP/1.1\r\nhost: %s%.*s%s:%u\r\ncontent-type: "
                    "application/json\r\ncontent-length: %zu\r\naccept: %s\r\n",
                    STR_ARG(o->url.path), versioned ? "" : "/v1",
                    o->dialect->upstream_path[DIALECT_GENERATE], v6 ? "[" : "", STR_ARG(host),
                    v6 ? "]" : "", o->url.port, body_n,
                    o->whole ? "application/json" : "text/event-stream");
    for (const char *const *p = o->dialect->upstream_headers; rc == TG_OK && p && *p; p += 2)
        rc = buf_printf(b, "%s: %s\r\n", p[0], p[1]);
    for (unsigned i = 0; rc == TG_OK && i < o->n_headers; i++)
        rc = buf_printf(b, "%.*s: %.*s\r\n", STR_ARG(o->headers[i].name),
                        STR_ARG(o->headers[i].value));
    if (rc == TG_OK)
        rc = buf_printf(b, "%s\r\n", o->no_keep_alive ? "connection: close\r\n" : "");
    return rc;
}

static tg_rc
make_request(struct load *l, struct tg_err *err)
{
    const struct load_options *o = l->o;
    struct buf body;
    tg_rc rc;

    l->choices = 1;
    buf_init(&body, BODY_MAX);
    rc = o->body_file ? conf_read_file(o->body_file, false, BODY_MAX, &body, err)
                      : make_body(o, &body);
    if (rc == TG_OK)
        rc = check_body(l, buf_str(&body), err);
    if (rc == TG_OK) {
        rc = put_head(o, body.n, &l->request);
        if (rc == TG_OK)
            rc = buf_append(&l->request, buf_str(&body));
        if (rc != TG_OK)
            rc = no(err, "--body", "the request is too large");
    }
    buf_fini(&body);
    return rc;
}

static tg_rc
resolve(const char *host, uint16_t port, struct dns_addr ret[DNS_ADDRS_MAX], unsigned *ret_n,
        struct tg_err *err)
{
    const char *why = "no such host";
    tg_rc rc = dns_resolve_blocking(host, ret, ret_n, &why);

    if (rc != TG_OK)
        return no(err, host, why ? why : "no such host");
    for (unsigned i = 0; i < *ret_n; i++)
        dns_addr_set_port(&ret[i], port);
    return TG_OK;
}

static tg_rc
find_addresses(struct load *l, struct tg_err *err)
{
    const struct load_options *o = l->o;
    char host[HOST_MAX + 1];
    tg_rc rc;

    if (o->url.host.n > HOST_MAX)
        return no(err, "URL", "the host's name is too long");
    snprintf(host, sizeof host, "%.*s", STR_ARG(o->url.host));
    rc = resolve(host, o->url.port, l->addrs, &l->n_addrs, err);
    for (unsigned i = 0; rc == TG_OK && i < o->n_sources; i++) {
        struct dns_addr found[DNS_ADDRS_MAX];
        unsigned n;

        rc = resolve(o->sources[i], 0, found, &n, err);
        if (rc == TG_OK)
            l->sources[i] = found[0];
    }
    return rc;
}

tg_rc
load_init(struct load *l, const struct load_options *o, struct tg_err *err)
{
    tg_rc rc;

    memset(l, 0, sizeof *l);
    l->o = o;
    l->left = o->requests;
    list_init(&l->idle);
    buf_init(&l->request, BODY_MAX + 65536);
    rc = make_request(l, err);
    if (rc == TG_OK)
        rc = find_addresses(l, err);
    if (rc == TG_OK && o->url.tls) {
        rc = tls_trust_load(str_z(o->ca_file), &l->trust, err);
        if (rc == TG_OK)
            l->session = tls_session_new();
    }
    if (rc != TG_OK)
        load_fini(l);
    return rc;
}

void
load_fini(struct load *l)
{
    buf_fini(&l->request);
    if (l->trust) {
        tls_trust_unref(l->trust);
        tls_session_free(l->session);
    }
    l->trust = NULL;
}
