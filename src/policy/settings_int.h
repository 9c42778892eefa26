/* settings_int.h -- between the files of settings: tables, checks, what is built in. */
#ifndef POLICY_SETTINGS_INT_H
#define POLICY_SETTINGS_INT_H

#include "policy/settings.h"

enum {
    SETTINGS_UPSTREAMS_MAX = 256,
    SETTINGS_MODELS_MAX = 4096,
    SETTINGS_UPSTREAMS_SPARE = 3, /* sim, openai, anthropic */
    SETTINGS_MODELS_SPARE = 9,    /* sim, sim-*, and theirs */
};

extern const struct conf_table settings_table;          /* tables_top.c      */
extern const struct conf_table settings_upstream_table; /* tables_upstream.c */
extern const struct conf_table settings_sim_table;      /* tables_upstream.c */
extern const struct conf_table settings_model_table;    /* tables_model.c    */
extern const struct conf_table settings_caps_table;     /* tables_caps.c     */

/* Splits URLs, reads parameter rules, checks each value that more than its row has a say in,
 * and binds models to upstreams.  Skips what loading already complained about.  Problems go to
 * d. */
void settings_check(struct settings *s, struct conf_diag *d);

/* Adds the upstream "sim" and its models unless the file has them. */
void settings_add_sim(struct settings *s);
/* Adds the upstreams of zero configuration for which the environment has a key. */
void settings_add_environment(struct settings *s, struct conf_diag *d);

/* The upstream of that name, or NULL. */
struct upstream_settings *settings_upstream(const struct settings *s, struct str name);

#endif
