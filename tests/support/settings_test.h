/* settings_test.h -- settings made from text, and what was said about it. */
#ifndef TESTS_SUPPORT_SETTINGS_TEST_H
#define TESTS_SUPPORT_SETTINGS_TEST_H

#include "policy/settings.h"

/* A cmocka set-up: no variable of the machine may decide a test. */
int clear_environment(void **state);

/* Messages of the last call of one of the three below. */
extern char said[16384];

/* NULL is zero configuration; the file is called f.yaml. */
tg_rc load(const char *text, struct settings **ret);
/* The same; a failure fails the test. */
struct settings *good(const char *text);
/* The text must be refused with exactly these messages. */
void expect(const char *text, const char *message);

#define assert_str(got, want) assert_true(str_eq((got), str_z(want)))

/* An upstream, a model of these settings, or NULL. */
const struct upstream_settings *upstream(const struct settings *s, const char *name);
const struct model_settings *model(const struct settings *s, const char *name);

/* The beginning of a file, to which lines of the one element follow. */
#define UP    "upstreams:\n  - name: up\n    "
#define MODEL "models:\n  - name: m\n    upstream: sim\n    "

#endif
