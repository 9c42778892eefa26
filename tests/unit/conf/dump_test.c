/* dump_test.c -- printing: YAML that reads back, origins, secrets, mdoc, and what needs a
 * restart. */
#include "conf/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/secret.h"

struct inner {
    struct str text;
    struct conf_pos at;
};

struct top {
    struct str text;
    bool flag;
    int64_t wait_ms, bytes;
    int mode;
    struct secret key;
    struct str *words;
    unsigned n_words;
    struct inner one;
    struct inner *many;
    unsigned n_many;
};

static const struct conf_name modes[] = {{"fast", 1}, {"slow", 0}, {NULL, 0}};
static const struct conf_row inner_rows[] = {
    {.key = "text",
     .type = CONF_STRING,
     .flags = CONF_REQUIRED,
     .offset = offsetof(struct inner, text),
     .help = "Inner text."},
};
static const struct conf_table inner_table = {
    .rows = inner_rows, .n = 1, .size = sizeof(struct inner)};
static bool
never(const void *section)
{
    (void)section;
    return false;
}
static const struct conf_row top_rows[] = {
    {.key = "text",
     .type = CONF_STRING,
     .flags = CONF_RESTART,
     .offset = offsetof(struct top, text),
     .text = "x",
     .help = "Some text."},
    {.key = "hidden",
     .type = CONF_BOOL,
     .offset = offsetof(struct top, flag),
     .applies = never,
     .only_for = "nobody",
     .help = "Hidden."},
    {.key = "flag", .type = CONF_BOOL, .offset = offsetof(struct top, flag), .help = "A flag."},
    {.key = "wait",
     .type = CONF_SECONDS,
     .flags = CONF_RESTART,
     .offset = offsetof(struct top, wait_ms),
     .text = "1.5",
     .max = 60000,
     .help = "Waits."},
    {.key = "bytes",
     .type = CONF_BYTES,
     .offset = offsetof(struct top, bytes),
     .text = "64KiB",
     .help = "Size."},
    {.key = "mode",
     .type = CONF_ENUM,
     .offset = offsetof(struct top, mode),
     .names = modes,
     .text = "slow",
     .help = "Mode."},
    {.key = "key", .type = CONF_SECRET, .offset = offsetof(struct top, key), .help = "Key."},
    {.key = "words",
     .type = CONF_STRINGS,
     .flags = CONF_RESTART,
     .offset = offsetof(struct top, words),
     .count_offset = offsetof(struct top, n_words),
     .help = "Words."},
    {.key = "one",
     .type = CONF_SECTION,
     .offset = offsetof(struct top, one),
     .table = &inner_table,
     .help = "One."},
    {.key = "many",
     .type = CONF_SECTIONS,
     .offset = offsetof(struct top, many),
     .count_offset = offsetof(struct top, n_many),
     .table = &inner_table,
     .default_note = "none",
     .help = "Many."},
};
static const struct conf_table table = {.rows = top_rows, .n = 10, .size = sizeof(struct top)};

struct loaded {
    struct top top;
    struct arena arena;
    struct conf_origins origins;
};

static void
load(struct loaded *l, const char *text)
{
    struct conf_diag d = {.out = stderr, .file = "f.yaml"};

    *l = (struct loaded){.top = {.flag = false}};
    arena_init(&l->arena);
    conf_origins_init(&l->origins);
    assert_int_equal(conf_load(str_z(text), &table, &l->top, &l->arena, &l->origins, &d),
                     TG_OK);
}

static void
unload(struct loaded *l)
{
    secret_fini(&l->top.key);
    conf_origins_fini(&l->origins);
    arena_fini(&l->arena);
}

static char *
dump(const struct loaded *l)
{
    char *text = NULL;
    size_t n;
    FILE *f = open_memstream(&text, &n);

    conf_dump(&table, &l->top, &l->origins, "f.yaml", f);
    fclose(f);
    return text;
}

static const char full[] = "text: \"q\\\" b\\\\ $$x \xc3\xa9\"\n"
                           "flag: true\n"
                           "mode: fast\n"
                           "key: ${TG_KEY}\n"
                           "words: [a, \"${TG_T}\"]\n"
                           "one: {text: o}\n"
                           "many:\n"
                           "  - text: m\n"
                           "  - text: n\n";

static void
test_dump(void **state)
{
    struct loaded l, again;
    char *text, *second;

    (void)state;
    setenv("TG_KEY", "canary-4711", 1);
    setenv("TG_T", "b c", 1);
    load(&l, full);
    text = dump(&l);
    assert_string_equal(text, "text: \"q\\\" b\\\\ $$x \xc3\xa9\"  # f.yaml:1\n"
                              "flag: true  # f.yaml:2\n"
                              "wait: 1.5  # default\n"
                              "bytes: 64KiB  # default\n"
                              "mode: fast  # f.yaml:3\n"
                              "key: \"***\"  # f.yaml:4, environment TG_KEY\n"
                              "words:  # f.yaml:5\n"
                              "  - \"a\"\n"
                              "  - \"b c\"\n"
                              "one:\n"
                              "  text: \"o\"  # f.yaml:6\n"
                              "many:  # f.yaml:8\n"
                              "  - text: \"m\"  # f.yaml:8\n"
                              "  - text: \"n\"  # f.yaml:9\n");
    /* Reads back as the same, and says the same but for the places. */
    load(&again, text);
    assert_int_equal(again.top.n_words, 2);
    assert_true(str_eq(again.top.text, l.top.text));
    assert_true(str_eq(again.top.many[1].text, l.top.many[1].text));
    second = dump(&again);
    assert_non_null(strstr(second, "bytes: 64KiB  # f.yaml:4\n"));
    free(second);
    free(text);
    unload(&again);
    unload(&l);
}

static void
test_dump_empty(void **state)
{
    struct loaded l;
    char *text;

    (void)state;
    load(&l, "one: {text: ''}\n");
    text = dump(&l);
    assert_non_null(strstr(text, "words: []  # default\n"));
    assert_non_null(strstr(text, "many: []  # default\n"));
    assert_non_null(strstr(text, "key: \"\"  # default\n"));
    free(text);
    unload(&l);
}

static void
test_mdoc(void **state)
{
    char *text = NULL;
    size_t n;
    FILE *f = open_memstream(&text, &n);

    (void)state;
    conf_mdoc(&table, f);
    fclose(f);
    assert_non_null(strstr(text, ".It Ic text\nSome text.\nText; default: x.\n"
                                 "A change needs a restart.\n.It Ic hidden\n"
                                 "Hidden.\nTrue or false; only for nobody.\n"));
    assert_non_null(strstr(text, ".It Ic wait\nWaits.\nSeconds, 0 to 60; default: 1.5.\n"));
    assert_non_null(strstr(text, ".It Ic mode\nMode.\nOne of fast or slow; default: slow.\n"));
    assert_non_null(strstr(text, ".It Ic many[].text\nInner text.\nText, required.\n"));
    free(text);
}

static void
test_restart(void **state)
{
    struct loaded a, b;
    char keys[64];

    (void)state;
    load(&a, "one: {text: a}\n");
    load(&b, "one: {text: b}\nflag: true\nbytes: 1\n");
    assert_false(conf_restart_differs(&table, &a.top, &b.top, keys, sizeof keys));
    assert_string_equal(keys, "");
    unload(&b);
    load(&b, "one: {text: b}\ntext: y\nwords: [a]\n");
    assert_true(conf_restart_differs(&table, &a.top, &b.top, keys, sizeof keys));
    assert_string_equal(keys, "text, words");
    assert_true(conf_restart_differs(&table, &a.top, &b.top, keys, 4));
    assert_string_equal(keys, "tex");
    unload(&a);
    load(&a, "one: {text: b}\ntext: y\nwords: [b]\nwait: 2\n");
    assert_true(conf_restart_differs(&table, &a.top, &b.top, keys, sizeof keys));
    assert_string_equal(keys, "wait, words");
    unload(&a);
    unload(&b);
}

/* A later origin of the same field wins, whatever the order of addresses. */
static void
test_origins(void **state)
{
    struct conf_origins o;
    char fields[100];

    (void)state;
    conf_origins_init(&o);
    assert_int_equal(conf_origin_of(&o, &fields[0]).source, CONF_DEFAULT);
    for (unsigned round = 1; round <= 2; round++) {
        for (unsigned i = 0; i < 100; i++) {
            unsigned k = i * 37 % 100;

            if (k % 2 == 0)
                conf_origins_add(&o, (struct conf_origin){.field = &fields[k],
                                                          .source = CONF_FILE,
                                                          .at = {k + 1, round}});
        }
    }
    conf_origins_sort(&o);
    for (unsigned k = 0; k < 100; k++) {
        struct conf_origin got = conf_origin_of(&o, &fields[k]);

        assert_int_equal(got.source, k % 2 == 0 ? CONF_FILE : CONF_DEFAULT);
        assert_int_equal(got.at.line, k % 2 == 0 ? k + 1 : 0);
        assert_int_equal(got.at.column, k % 2 == 0 ? 2 : 0);
    }
    conf_origins_fini(&o);
}

static void
test_library(void **state)
{
    (void)state;
    assert_int_equal(strncmp(conf_library(), "libyaml 0.", 10), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dump),    cmocka_unit_test(test_dump_empty),
        cmocka_unit_test(test_mdoc),    cmocka_unit_test(test_restart),
        cmocka_unit_test(test_origins), cmocka_unit_test(test_library),
    };

    return cmocka_run_group_tests_name("conf/dump", tests, NULL, NULL);
}
