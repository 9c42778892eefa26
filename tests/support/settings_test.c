/* settings_test.c -- settings made from text, and what was said about it. */
#include "support/settings_test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

int
clear_environment(void **state)
{
    (void)state;
    unsetenv("OPENAI_API_KEY");
    unsetenv("OPENAI_BASE_URL");
    unsetenv("ANTHROPIC_API_KEY");
    unsetenv("ANTHROPIC_BASE_URL");
    return 0;
}

char said[16384];

tg_rc
load(const char *text, struct settings **ret)
{
    FILE *f = fmemopen(said, sizeof said, "w");
    tg_rc rc;

    memset(said, 0, sizeof said);
    setvbuf(f, NULL, _IONBF, 0);
    rc = text ? settings_load_text(str_z(text), "f.yaml", f, ret) : settings_load(NULL, f, ret);
    fclose(f);
    return rc;
}

struct settings *
good(const char *text)
{
    struct settings *s = NULL;

    if (load(text, &s) != TG_OK)
        fail_msg("%s", said);
    return s;
}

void
expect(const char *text, const char *message)
{
    struct settings *s = NULL;

    assert_int_equal(load(text, &s), TG_ECONFIG);
    assert_null(s);
    assert_string_equal(said, message);
}

const struct upstream_settings *
upstream(const struct settings *s, const char *name)
{
    for (unsigned i = 0; i < s->n_upstreams; i++) {
        if (str_eq(s->upstreams[i].name, str_z(name)))
            return &s->upstreams[i];
    }
    return NULL;
}

const struct model_settings *
model(const struct settings *s, const char *name)
{
    for (unsigned i = 0; i < s->n_models; i++) {
        if (str_eq(s->models[i].name, str_z(name)))
            return &s->models[i];
    }
    return NULL;
}
