/* settings.c -- one configuration's life: read, completed, checked, shared, wiped.
 *
 * The order matters: the file fills the struct and says where each value came from, what is
 * built in is added behind it, and then everything is checked together, so that built-in
 * upstreams can be referred to and are held to the same rules.  After that nothing changes but
 * the count of references.
 */
#include "policy/settings.h"

#include <assert.h>

#include "base/clock.h"
#include "base/mem.h"
#include "policy/cpus.h"
#include "policy/settings_int.h"

static struct settings *
settings_new(const char *name)
{
    static unsigned generation;
    struct settings *s = mem_new(struct settings);

    arena_init(&s->arena);
    conf_origins_init(&s->origins);
    s->refs = 1;
    s->generation = __atomic_add_fetch(&generation, 1, __ATOMIC_RELAXED);
    s->loaded_at_s = clock_wall_ns() / NS_PER_S;
    s->loaded_at_s = clock_wall_ns() / NS_PER_S;
    s->file = arena_dup(&s->arena, str_z(name));
    return s;
}

static void
settings_free(struct settings *s)
{
    for (unsigned i = 0; i < s->n_upstreams; i++)
        secret_fini(&s->upstreams[i].key);
    conf_origins_fini(&s->origins);
    arena_fini(&s->arena);
    mem_free(s);
}

/* Takes s, whose own values are in, and hands it out when nothing is wrong with it. */
static tg_rc
finish(struct settings *s, bool zero, struct conf_diag *d, struct settings **ret)
{
    if (zero)
        settings_add_environment(s, d);
    settings_add_sim(s);
    conf_origins_sort(&s->origins);
    if (s->workers == 0)
        s->workers = cpus_available();
    settings_check(s, d);
    if (d->errors) {
        settings_free(s);
        return TG_ECONFIG;
    }
    *ret = s;
    return TG_OK;
}

tg_rc
settings_load_text(struct str text, const char *name, FILE *diag, struct settings **ret)
{
    struct settings *s = settings_new(name);
    struct conf_diag d = {.out = diag, .file = name};

    /* What is wrong is counted in d. */
    if (conf_load(text, &settings_table, s, &s->arena, &s->origins, &d) != TG_OK)
        d.errors += d.errors == 0;
    return finish(s, false, &d, ret);
}

static tg_rc
load_zero(FILE *diag, struct settings **ret)
{
    struct settings *s = settings_new("");
    struct conf_diag d = {.out = diag, .file = "triglot"};

    conf_defaults(&settings_table, s, &s->arena);
    return finish(s, true, &d, ret);
}

tg_rc
settings_load(const char *path, FILE *diag, struct settings **ret)
{
    struct tg_err err;
    struct buf text;
    tg_rc rc;

    if (!path)
        return load_zero(diag, ret);
    buf_init(&text, CONF_FILE_BYTES_MAX + 8192);
    rc = conf_read_file(path, false, CONF_FILE_BYTES_MAX, &text, &err);
    if (rc == TG_OK)
        rc = settings_load_text(buf_str(&text), path, diag, ret);
    else if (diag)
        fprintf(diag, "%s\n", err.msg);
    if (text.p)
        secret_wipe(text.p, text.cap);
    buf_fini(&text);
    return rc;
}

void
settings_ref(struct settings *s)
{
    __atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
}

void
settings_unref(struct settings *s)
{
    if (!s)
        return;
    assert(__atomic_load_n(&s->refs, __ATOMIC_RELAXED) > 0);
    if (__atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL) == 0)
        settings_free(s);
}

void
settings_dump(const struct settings *s, FILE *out)
{
    if (s->file.n)
        fprintf(out, "# Effective configuration of %.*s\n", STR_ARG(s->file));
    else
        fputs("# Effective configuration: no file\n", out);
    conf_dump(&settings_table, s, &s->origins, s->file.p, out);
}

bool
settings_needs_restart(const struct settings *old, const struct settings *now, char *ret_keys,
                       size_t n)
{
    return conf_restart_differs(&settings_table, old, now, ret_keys, n);
}

void
settings_mdoc(FILE *out)
{
    conf_mdoc(&settings_table, out);
}
