/* settings_check.c -- what no single row can see: URLs, rules, references, fields against each
 * other.
 *
 * A field that loading refused (CONF_BAD) is passed over here, and a reference is not called
 * unknown while the name of any upstream is missing: one mistake gives one message.
 */
#include "policy/settings_int.h"
#include "policy/url.h"

struct checker {
    struct settings *s;
    struct conf_diag *d;
    bool names_known; /* each upstream has a name */
};

static bool
usable(const struct checker *c, const void *field)
{
    return conf_origin_of(&c->s->origins, field).source != CONF_BAD;
}

/* The place of a value, or of the section around it when the value is a default. */
static struct conf_pos
place(const struct checker *c, const void *field, struct conf_pos section)
{
    struct conf_pos at = conf_origin_of(&c->s->origins, field).at;

    return at.line ? at : section;
}

static const struct conf_pos nowhere = {0, 0};

enum { QUOTE_MAX = 320 };

/* A value for a message, cut when long; one that a variable had a part in is shown as the
 * variable, since it may have been meant for a key. */
static const char *
quote(const struct checker *c, const void *field, struct str value, char out[QUOTE_MAX])
{
    struct conf_origin o = conf_origin_of(&c->s->origins, field);

    if (o.env.n)
        snprintf(out, QUOTE_MAX, "${%.*s}", STR_ARG(o.env));
    else
        snprintf(out, QUOTE_MAX, "%.*s", STR_ARG(value));
    return out;
}

static void
check_listen(struct checker *c)
{
    struct settings *s = c->s;

    for (unsigned i = 0; usable(c, &s->listen) && i < s->n_listen; i++) {
        struct tg_err err;
        struct str host;
        uint16_t port;
        char text[QUOTE_MAX];

        if (url_parse_listen(s->listen[i], &host, &port, &err) != TG_OK)
            conf_error(c->d, place(c, &s->listen[i], nowhere), "listen: \"%s\" %s",
                       quote(c, &s->listen[i], s->listen[i], text), err.msg);
        for (unsigned j = 0; j < i; j++) {
            if (str_eq(s->listen[i], s->listen[j]))
                conf_error(c->d, place(c, &s->listen[i], nowhere),
                           "listen: \"%s\" is there twice",
                           quote(c, &s->listen[i], s->listen[i], text));
        }
    }
}

static void
check_origins(struct checker *c)
{
    struct settings *s = c->s;

    for (unsigned i = 0; usable(c, &s->cors.origins) && i < s->cors.n_origins; i++) {
        struct str text = s->cors.origins[i];
        char shown[QUOTE_MAX];
        struct url url;

        if (str_eq(text, STR("*")))
            continue;
        if (url_parse(text, &url, NULL) != TG_OK || url.path.n || text.n != url.text.n)
            conf_error(c->d, place(c, &s->cors.origins[i], nowhere),
                       "cors.origins: \"%s\" must be \"*\" or scheme://host[:port] without a "
                       "path or slash behind it",
                       quote(c, &s->cors.origins[i], text, shown));
    }
}

static void
check_limits(struct checker *c)
{
    struct settings *s = c->s;

    if (s->limits.stream_low_bytes >= s->limits.stream_high_bytes &&
        usable(c, &s->limits.stream_low_bytes) && usable(c, &s->limits.stream_high_bytes))
        conf_error(c->d,
                   place(c, &s->limits.stream_low_bytes,
                         place(c, &s->limits.stream_high_bytes, nowhere)),
                   "limits.stream_low_bytes must be less than limits.stream_high_bytes");
}

/* A key goes into a header field: a control byte would end the field and begin another. */
static void
check_key(struct checker *c, struct upstream_settings *u, unsigned i)
{
    struct conf_origin from = conf_origin_of(&c->s->origins, &u->key);
    struct str key = secret_reveal(&u->key);
    char where[160];

    if (from.source == CONF_ENV)
        snprintf(where, sizeof where, "environment variable %.*s", STR_ARG(from.env));
    else
        snprintf(where, sizeof where, "upstreams[%u].key", i);
    for (size_t k = 0; k < key.n; k++) {
        unsigned char b = (unsigned char)key.p[k];

        if (b > 0x20 && b < 0x7f)
            continue;
        conf_error(c->d, place(c, &u->key, u->at),
                   "%s holds %s at byte %zu; a key is visible ASCII without blanks", where,
                   b == ' '   ? "a blank"
                   : b < 0x80 ? "a control byte"
                              : "a byte beyond ASCII",
                   k + 1);
        return;
    }
}

/* Text in the arena is NUL-terminated. */
static void
check_ca_file(struct checker *c, struct upstream_settings *u, unsigned i)
{
    struct tg_err err;
    struct buf text;

    if (u->ca_file.n == 0 || !usable(c, &u->ca_file))
        return;
    buf_init(&text, 16 * 1024 * 1024 + 8192);
    if (conf_read_file(u->ca_file.p, true, 16 * 1024 * 1024, &text, &err) != TG_OK)
        conf_error(c->d, place(c, &u->ca_file, u->at), "upstreams[%u].ca_file: %s", i, err.msg);
    else if (!memmem(buf_str(&text).p, buf_str(&text).n, "-----BEGIN", 10))
        conf_error(c->d, place(c, &u->ca_file, u->at),
                   "upstreams[%u].ca_file: %s: holds no PEM certificate", i, u->ca_file.p);
    buf_fini(&text);
}

static void
check_url(struct checker *c, struct upstream_settings *u, unsigned i)
{
    struct tg_err err;
    struct url url;

    if (!usable(c, &u->url) || !usable(c, &u->kind))
        return;
    if (u->url.n == 0) {
        conf_error(c->d, place(c, &u->url, u->at), "upstreams[%u].url is missing", i);
        return;
    }
    if (url_parse(u->url, &url, &err) != TG_OK) {
        conf_error(c->d, place(c, &u->url, u->at), "upstreams[%u].url %s", i, err.msg);
        return;
    }
    u->url = url.text;
    u->tls = url.tls;
    u->host = url.host;
    u->port = url.port;
    u->base_path = url.path;
    if (u->server_said == CAPS_SERVER_AUTO)
        u->server = caps_server_of(u->host);
    if (url.tls && url.host_is_ip && u->server_name.n == 0 && usable(c, &u->server_name))
        conf_error(
            c->d, place(c, &u->url, u->at),
            "upstreams[%u].url has an IP address as its host, which cannot be checked "
            "against a certificate; set server_name to the name that the certificate is for",
            i);
}

static void
check_server_name(struct checker *c, struct upstream_settings *u, unsigned i)
{
    struct str host;
    struct tg_err err;
    char text[256 + 8];
    uint16_t port;
    bool name = true;

    if (u->server_name.n == 0 || !usable(c, &u->server_name))
        return;
    /* A name is what a listen address may have before its port, and not a star or an address.
     */
    snprintf(text, sizeof text, "%.*s:1", STR_ARG(u->server_name));
    name = url_parse_listen(str_z(text), &host, &port, &err) == TG_OK &&
           !str_eq(host, STR("*")) && host.n == u->server_name.n &&
           strspn(text, "0123456789.") < host.n;
    if (!name)
        conf_error(c->d, place(c, &u->server_name, u->at),
                   "upstreams[%u].server_name must be a host name", i);
}

/* What a simulated upstream does not say itself is what the top-level section says. */
static void
inherit_sim(struct checker *c, struct upstream_settings *u)
{
    const struct sim_settings *top = &c->s->sim;
    const struct {
        int64_t *field;
        int64_t value;
    } pairs[] = {{&u->sim.first_token_ms, top->first_token_ms},
                 {&u->sim.tokens_per_second, top->tokens_per_second},
                 {&u->sim.tokens, top->tokens},
                 {&u->sim.seed, top->seed}};

    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if (conf_origin_of(&c->s->origins, pairs[i].field).source == CONF_DEFAULT)
            *pairs[i].field = pairs[i].value;
    }
    if (conf_origin_of(&c->s->origins, &u->sim.stamp).source == CONF_DEFAULT)
        u->sim.stamp = top->stamp;
}

static void
check_upstreams(struct checker *c)
{
    struct settings *s = c->s;

    for (unsigned i = 0; i < s->n_upstreams; i++) {
        struct upstream_settings *u = &s->upstreams[i];
        char text[QUOTE_MAX];

        if (!usable(c, &u->name)) {
            c->names_known = false;
        } else {
            for (unsigned j = 0; j < i; j++) {
                if (str_eq(u->name, s->upstreams[j].name))
                    conf_error(c->d, place(c, &u->name, u->at),
                               "upstreams[%u].name \"%s\" is taken by upstreams[%u]", i,
                               quote(c, &u->name, u->name, text), j);
            }
        }
        u->server = u->server_said;
        if (u->kind == UPSTREAM_SIM) {
            inherit_sim(c, u);
            continue;
        }
        check_url(c, u, i);
        check_key(c, u, i);
        if (u->tls) {
            check_ca_file(c, u, i);
            check_server_name(c, u, i);
        }
    }
}

/* param_parse quotes nothing, so no variable's contents get into a message. */
static void
read_rules(struct checker *c, struct model_settings *m, unsigned i)
{
    m->rules = arena_array(&c->s->arena, struct param_rule, m->n_parameters);
    for (unsigned k = 0; usable(c, &m->parameters) && k < m->n_parameters; k++) {
        struct tg_err err;

        if (param_parse(&c->s->arena, m->parameters[k], &m->rules[k], &err) != TG_OK)
            conf_error(c->d, place(c, &m->parameters[k], m->at),
                       "models[%u].parameters[%u]: %s", i, k, err.msg);
    }
}

static void
check_models(struct checker *c)
{
    struct settings *s = c->s;

    for (unsigned i = 0; i < s->n_models; i++) {
        struct model_settings *m = &s->models[i];
        struct conf_guess guess;
        char hint[256], text[QUOTE_MAX];

        for (unsigned j = 0; usable(c, &m->name) && j < i; j++) {
            if (str_eq(m->name, s->models[j].name))
                conf_error(c->d, place(c, &m->name, m->at),
                           "models[%u].name \"%s\" is taken by models[%u]", i,
                           quote(c, &m->name, m->name, text), j);
        }
        read_rules(c, m, i);
        if (!usable(c, &m->upstream_name))
            continue;
        m->upstream = settings_upstream(s, m->upstream_name);
        if (m->upstream || !c->names_known)
            continue;
        conf_guess_init(&guess, m->upstream_name);
        for (unsigned j = 0; j < s->n_upstreams; j++)
            conf_guess_offer(&guess, s->upstreams[j].name);
        conf_error(c->d, place(c, &m->upstream_name, m->at),
                   "models[%u].upstream: there is no upstream \"%s\"%s", i,
                   quote(c, &m->upstream_name, m->upstream_name, text),
                   conf_guess_text(&guess, hint, sizeof hint));
    }
}

void
settings_check(struct settings *s, struct conf_diag *d)
{
    struct checker c = {
        .s = s,
        .d = d,
        .names_known = usable(&(struct checker){.s = s}, &s->upstreams),
    };

    check_listen(&c);
    check_origins(&c);
    check_limits(&c);
    check_upstreams(&c);
    check_models(&c);
}
