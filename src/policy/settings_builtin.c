/* settings_builtin.c -- upstreams and models that no file names.
 *
 * The simulated model is always there, behind whatever the file says: its names are added last,
 * each only when the file does not use it.  Without a file, the environment's usual variables
 * for the two providers make an upstream each.
 *
 * A base URL in the environment is often the address of a gateway, perhaps of this very one: a
 * variable that names our own default address is passed over, since a request would go round in
 * circles.
 */
#include "policy/settings_int.h"
#include "policy/url.h"

#include <stdlib.h>

struct upstream_settings *
settings_upstream(const struct settings *s, struct str name)
{
    for (unsigned i = 0; i < s->n_upstreams; i++) {
        if (str_eq(s->upstreams[i].name, name))
            return &s->upstreams[i];
    }
    return NULL;
}

static void
origin(struct settings *s, const void *field, enum conf_source source, const char *env)
{
    conf_origins_add(&s->origins,
                     (struct conf_origin){.field = field, .source = source, .env = str_z(env)});
}

/* The arrays have room for what this file adds (SETTINGS_*_SPARE). */
static struct upstream_settings *
add_upstream(struct settings *s, struct str name, enum upstream_kind kind)
{
    struct upstream_settings *u = &s->upstreams[s->n_upstreams++];

    conf_defaults(&settings_upstream_table, u, &s->arena);
    u->name = name;
    u->kind = kind;
    origin(s, &u->name, CONF_BUILTIN, NULL);
    origin(s, &u->kind, CONF_BUILTIN, NULL);
    return u;
}

static void
add_model(struct settings *s, struct str name, struct str upstream)
{
    struct model_settings *m = &s->models[s->n_models];

    for (unsigned i = 0; i < s->n_models; i++) {
        if (str_eq(s->models[i].name, name))
            return;
    }
    s->n_models++;
    conf_defaults(&settings_model_table, m, &s->arena);
    m->name = name;
    m->upstream_name = upstream;
    origin(s, &m->name, CONF_BUILTIN, NULL);
    origin(s, &m->upstream_name, CONF_BUILTIN, NULL);
}

void
settings_add_sim(struct settings *s)
{
    if (!settings_upstream(s, STR("sim")))
        add_upstream(s, STR("sim"), UPSTREAM_SIM);
    add_model(s, STR("sim"), STR("sim"));
    add_model(s, STR("sim-*"), STR("sim"));
}

struct provider {
    const char *name, *dialect, *url;
    enum caps_server server;
    const char *key_env, *url_env;
    bool adds_v1; /* by its custom the variable holds the server without the version part */
    const char *models[6];
};

static const struct provider providers[] = {
    {"openai",
     "chat",
     "https://api.openai.com/v1",
     CAPS_SERVER_OPENAI,
     "OPENAI_API_KEY",
     "OPENAI_BASE_URL",
     false,
     {"gpt-*", "o1*", "o3*", "o4*", "chatgpt-*", "text-embedding-*"}},
    {"anthropic",
     "messages",
     "https://api.anthropic.com/v1",
     CAPS_SERVER_ANTHROPIC,
     "ANTHROPIC_API_KEY",
     "ANTHROPIC_BASE_URL",
     true,
     {"claude-*"}},
};

static bool
is_ourselves(const struct settings *s, const struct url *url)
{
    struct str host;
    uint16_t port;

    for (unsigned i = 0; i < s->n_listen; i++) {
        if (url_parse_listen(s->listen[i], &host, &port, NULL) != TG_OK || port != url->port)
            continue;
        if (str_ieq(url->host, host) || str_ieq(url->host, STR("localhost")))
            return true;
    }
    return false;
}

/* The provider's URL from the environment into u->url; its origin too.  What answers at another
 * address than the provider's need not be the provider. */
static void
take_url(struct settings *s, struct upstream_settings *u, const struct provider *p,
         struct conf_diag *d)
{
    const char *env = getenv(p->url_env);
    struct tg_err err;
    struct url url;

    u->url = str_z(p->url);
    u->server_said = p->server;
    origin(s, &u->url, CONF_BUILTIN, NULL);
    origin(s, &u->server_said, CONF_BUILTIN, NULL);
    if (!env || !*env)
        return;
    if (url_parse(str_z(env), &url, &err) != TG_OK) {
        conf_error(d, (struct conf_pos){0, 0}, "environment variable %s %s", p->url_env,
                   err.msg);
        return;
    }
    if (is_ourselves(s, &url)) {
        conf_warn(d, (struct conf_pos){0, 0},
                  "environment variable %s names this gateway itself and is not used",
                  p->url_env);
        return;
    }
    u->url = arena_printf(&s->arena, "%.*s%s", STR_ARG(url.text),
                          p->adds_v1 && url.path.n == 0 ? "/v1" : "");
    u->server_said = CAPS_SERVER_AUTO;
    origin(s, &u->url, CONF_ENV, p->url_env);
    origin(s, &u->server_said, CONF_DEFAULT, NULL);
}

void
settings_add_environment(struct settings *s, struct conf_diag *d)
{
    for (size_t i = 0; i < sizeof providers / sizeof providers[0]; i++) {
        const struct provider *p = &providers[i];
        const char *key = getenv(p->key_env);
        struct upstream_settings *u;

        if (!key || !*key)
            continue;
        u = add_upstream(s, str_z(p->name), UPSTREAM_HTTP);
        u->dialect = str_z(p->dialect);
        origin(s, &u->dialect, CONF_BUILTIN, NULL);
        take_url(s, u, p, d);
        secret_init(&u->key, str_z(key));
        origin(s, &u->key, CONF_ENV, p->key_env);
        for (size_t m = 0; m < 6 && p->models[m]; m++)
            add_model(s, str_z(p->models[m]), str_z(p->name));
    }
}
