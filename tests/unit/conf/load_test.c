/* load_test.c -- a file into a struct: every type, every kind of error with its exact place.
 *
 * The table here is the test's own, since this layer knows no option by name.
 */
#include "conf/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/secret.h"

enum color { RED, GREEN = 5 };

struct item {
    struct str name;
    struct secret key;
    int64_t size;
    bool special;
    struct str only_special;
    struct conf_pos at;
};

struct top {
    struct str text, choice;
    bool flag;
    unsigned small;
    int64_t big, wait_ms, bytes;
    enum color color;
    struct secret secret;
    struct str *words;
    unsigned n_words;
    struct {
        int64_t deep;
    } inner;
    struct item *items;
    unsigned n_items;
};

static bool
is_special(const void *section)
{
    return ((const struct item *)section)->special;
}

static const struct conf_name colors[] = {{"red", RED}, {"green", GREEN}, {NULL, 0}};
static const struct conf_row item_rows[] = {
    {.key = "name",
     .type = CONF_STRING,
     .flags = CONF_REQUIRED,
     .offset = offsetof(struct item, name),
     .min = 1,
     .max = 8,
     .help = "Name."},
    {.key = "key", .type = CONF_SECRET, .offset = offsetof(struct item, key), .help = "Key."},
    {.key = "size",
     .type = CONF_INTEGER,
     .offset = offsetof(struct item, size),
     .width = sizeof(int64_t),
     .text = "3",
     .help = "Size."},
    {.key = "special",
     .type = CONF_BOOL,
     .offset = offsetof(struct item, special),
     .help = "Special."},
    {.key = "only_special",
     .type = CONF_STRING,
     .offset = offsetof(struct item, only_special),
     .applies = is_special,
     .only_for = "special: true",
     .help = "Only."},
};
static const struct conf_table item_table = {.rows = item_rows,
                                             .n = 5,
                                             .size = sizeof(struct item),
                                             .pos_at = 1 + offsetof(struct item, at)};
static const struct conf_row inner_rows[] = {
    {.key = "deep",
     .type = CONF_INTEGER,
     .width = sizeof(int64_t),
     .min = -5,
     .max = 5,
     .help = "Deep."},
};
static const struct conf_table inner_table = {.rows = inner_rows, .n = 1};
static const struct conf_row top_rows[] = {
    {.key = "text",
     .type = CONF_STRING,
     .offset = offsetof(struct top, text),
     .text = "dflt",
     .help = "T."},
    {.key = "choice",
     .type = CONF_CHOICE,
     .offset = offsetof(struct top, choice),
     .names = colors,
     .text = "red",
     .help = "C."},
    {.key = "flag", .type = CONF_BOOL, .offset = offsetof(struct top, flag), .help = "F."},
    {.key = "small",
     .type = CONF_INTEGER,
     .flags = CONF_RESTART,
     .offset = offsetof(struct top, small),
     .width = sizeof(unsigned),
     .text = "2",
     .min = 1,
     .max = 9,
     .help = "S."},
    {.key = "big",
     .type = CONF_INTEGER,
     .offset = offsetof(struct top, big),
     .width = sizeof(int64_t),
     .help = "B."},
    {.key = "wait_seconds",
     .type = CONF_SECONDS,
     .offset = offsetof(struct top, wait_ms),
     .text = "15",
     .max = 60000,
     .help = "W."},
    {.key = "bytes",
     .type = CONF_BYTES,
     .offset = offsetof(struct top, bytes),
     .text = "4KiB",
     .min = 1024,
     .max = 1048576,
     .help = "B."},
    {.key = "color",
     .type = CONF_ENUM,
     .offset = offsetof(struct top, color),
     .names = colors,
     .text = "green",
     .help = "C."},
    {.key = "secret",
     .type = CONF_SECRET,
     .offset = offsetof(struct top, secret),
     .help = "S."},
    {.key = "words",
     .type = CONF_STRINGS,
     .flags = CONF_RESTART,
     .offset = offsetof(struct top, words),
     .count_offset = offsetof(struct top, n_words),
     .text = "one",
     .min = 1,
     .max = 3,
     .help = "W."},
    {.key = "inner",
     .type = CONF_SECTION,
     .offset = offsetof(struct top, inner),
     .table = &inner_table,
     .help = "I."},
    {.key = "items",
     .type = CONF_SECTIONS,
     .offset = offsetof(struct top, items),
     .count_offset = offsetof(struct top, n_items),
     .table = &item_table,
     .max = 2,
     .spare = 1,
     .help = "I."},
};
static const struct conf_table top_table = {
    .rows = top_rows, .n = 12, .size = sizeof(struct top)};

struct loaded {
    struct top top;
    struct arena arena;
    struct conf_origins origins;
    struct conf_diag diag;
    char *said;
    size_t said_n;
    tg_rc rc;
};

static void
load(struct loaded *l, struct str text)
{
    *l = (struct loaded){.diag = {.file = "f.yaml"}};
    arena_init(&l->arena);
    conf_origins_init(&l->origins);
    l->diag.out = open_memstream(&l->said, &l->said_n);
    l->rc = conf_load(text, &top_table, &l->top, &l->arena, &l->origins, &l->diag);
    fclose(l->diag.out);
}

static void
unload(struct loaded *l)
{
    secret_fini(&l->top.secret);
    for (unsigned i = 0; i < l->top.n_items; i++)
        secret_fini(&l->top.items[i].key);
    conf_origins_fini(&l->origins);
    arena_fini(&l->arena);
    free(l->said);
}

/* Loads text, which must give exactly these messages. */
static void
expect(const char *text, const char *said)
{
    struct loaded l;

    load(&l, str_z(text));
    assert_string_equal(l.said, said);
    assert_int_equal(l.rc, said[0] ? TG_ECONFIG : TG_OK);
    unload(&l);
}

#define assert_str(got, want)                                                                  \
    do {                                                                                       \
        struct str s_ = (got);                                                                 \
        assert_int_equal(s_.n, strlen(want));                                                  \
        assert_memory_equal(s_.p, want, s_.n);                                                 \
    } while (0)

static void
test_defaults(void **state)
{
    static const char *const empty[] = {"",
                                        "\n",
                                        "# nothing\n",
                                        "---\n",
                                        "~\n",
                                        "{}\n",
                                        "text:\nwords: ~\nitems:\ninner: null\n",
                                        "\xef\xbb\xbf"};

    (void)state;
    for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++) {
        struct loaded l;

        load(&l, str_z(empty[i]));
        assert_string_equal(l.said, "");
        assert_int_equal(l.rc, TG_OK);
        assert_str(l.top.text, "dflt");
        assert_str(l.top.choice, "red");
        assert_false(l.top.flag);
        assert_int_equal(l.top.small, 2);
        assert_int_equal(l.top.big, 0);
        assert_int_equal(l.top.wait_ms, 15000);
        assert_int_equal(l.top.bytes, 4096);
        assert_int_equal(l.top.color, GREEN);
        assert_int_equal(secret_reveal(&l.top.secret).n, 0);
        assert_int_equal(l.top.n_words, 1);
        assert_str(l.top.words[0], "one");
        assert_int_equal(l.top.n_items, 0);
        assert_non_null(l.top.items); /* the spare */
        assert_int_equal(conf_origin_of(&l.origins, &l.top.text).source, CONF_DEFAULT);
        unload(&l);
    }
}

static void
test_values(void **state)
{
    struct loaded l;

    (void)state;
    setenv("TG_T", "7", 1);
    load(&l, STR("text: 'a: \"b\" $$ \xc3\xa9'\n"
                 "choice: green\n"
                 "flag: true\n"
                 "small: ${TG_T}\n"
                 "big: -9223372036854775808\n"
                 "wait_seconds: 500ms\n"
                 "bytes: \"64KiB\"\n"
                 "color: red\n"
                 "secret: s3cret${TG_T}\n"
                 "words: [x, \"${TG_T}\"]\n"
                 "inner: {deep: -5}\n"
                 "items:\n"
                 "- name: a\n"
                 "  size: 1\n"
                 "- {name: b, special: true, only_special: yes, key: k}\n"));
    assert_string_equal(l.said, "");
    assert_int_equal(l.rc, TG_OK);
    assert_str(l.top.text, "a: \"b\" $ \xc3\xa9");
    assert_str(l.top.choice, "green");
    assert_true(l.top.flag);
    assert_int_equal(l.top.small, 7);
    assert_true(l.top.big == INT64_MIN);
    assert_int_equal(l.top.wait_ms, 500);
    assert_int_equal(l.top.bytes, 65536);
    assert_int_equal(l.top.color, RED);
    assert_str(secret_reveal(&l.top.secret), "s3cret7");
    assert_int_equal(l.top.n_words, 2);
    assert_str(l.top.words[1], "7");
    assert_int_equal(l.top.inner.deep, -5);
    assert_int_equal(l.top.n_items, 2);
    assert_str(l.top.items[0].name, "a");
    assert_int_equal(l.top.items[0].size, 1);
    assert_int_equal(l.top.items[0].at.line, 13);
    assert_int_equal(l.top.items[0].at.column, 3);
    assert_int_equal(l.top.items[1].size, 3);
    assert_str(l.top.items[1].only_special, "yes");
    assert_str(secret_reveal(&l.top.items[1].key), "k");
    assert_int_equal(conf_origin_of(&l.origins, &l.top.small).at.line, 4);
    assert_int_equal(conf_origin_of(&l.origins, &l.top.small).at.column, 8);
    assert_str(conf_origin_of(&l.origins, &l.top.small).env, "TG_T");
    assert_int_equal(conf_origin_of(&l.origins, &l.top.flag).env.n, 0);
    assert_int_equal(conf_origin_of(&l.origins, &l.top.words[1]).at.column, 12);
    assert_int_equal(conf_origin_of(&l.origins, &l.top.items[0].size).source, CONF_FILE);
    assert_int_equal(conf_origin_of(&l.origins, &l.top.items[1].size).source, CONF_DEFAULT);
    unload(&l);
}

static void
test_scalar_is_list(void **state)
{
    struct loaded l;

    (void)state;
    load(&l, STR("words: just one\n"));
    assert_int_equal(l.rc, TG_OK);
    assert_int_equal(l.top.n_words, 1);
    assert_str(l.top.words[0], "just one");
    unload(&l);
}

static void
test_wrong_values(void **state)
{
    static const char *const cases[][2] = {
        {"flag: yes", "1:7: flag must be true or false; got \"yes\" (did you mean \"true\"?)"},
        {"flag: False",
         "1:7: flag must be true or false; got \"False\" (did you mean \"false\"?)"},
        {"small: 0", "1:8: small must be a whole number from 1 to 9; got \"0\""},
        {"small: 10", "1:8: small must be a whole number from 1 to 9; got \"10\""},
        {"small: 1.5", "1:8: small must be a whole number from 1 to 9; got \"1.5\""},
        {"big: 9223372036854775808",
         "1:6: big must be a whole number; got \"9223372036854775808\""},
        {"wait_seconds: 61",
         "1:15: wait_seconds must be 0 to 60 seconds (such as 15, 0.5, 500ms, "
         "15s, 2m); got \"61\""},
        {"bytes: 1KB",
         "1:8: bytes must be 1KiB to 1MiB bytes (such as 65536, 64KiB, 64MiB); got "
         "\"1KB\""},
        {"color: gren",
         "1:8: color must be one of red, green; got \"gren\" (did you mean \"green\"?)"},
        {"choice: blue", "1:9: choice must be one of red, green; got \"blue\""},
        {"text: \"a\\nb\"", "1:7: text must be text without control characters, at most 4096 "
                            "bytes; got \"a?b\""},
        {"items: [{name: 123456789}]", "1:16: items[0].name must be text that is not empty, "
                                       "without control characters, at most "
                                       "8 bytes; got \"123456789\""},
        {"items: [{name: ''}]", "1:16: items[0].name must be text that is not empty, without "
                                "control characters, at most "
                                "8 bytes; got \"\""},
        {"inner:\n  deep: 6", "2:9: inner.deep must be a whole number from -5 to 5; got \"6\""},
        {"words: [a, '']",
         "1:12: words[1] must be text or a list of texts, none of them empty; "
         "got \"\""},
    };
    char want[512], text[256];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(text, sizeof text, "%s\n", cases[i][0]);
        snprintf(want, sizeof want, "f.yaml:%s\n", cases[i][1]);
        expect(text, want);
    }
}

static void
test_wrong_shapes(void **state)
{
    (void)state;
    expect("[a]\n", "f.yaml:1:1: the file must be a section of keys; got a list\n");
    expect("flag: [true]\n", "f.yaml:1:7: flag must be true or false; got a list\n");
    expect("flag: {a: b}\n", "f.yaml:1:7: flag must be true or false; got a section of keys\n");
    expect(
        "words: {a: b}\n",
        "f.yaml:1:8: words must be text or a list of texts, none of them empty; got a section "
        "of keys\n");
    expect("words: [[a]]\n", "f.yaml:1:9: words[0] must be text or a list of texts, none of "
                             "them empty; got a list\n");
    expect("words: []\n", "f.yaml:1:8: words must not be empty\n");
    expect("words: [a, b, c, d]\n", "f.yaml:1:8: words may have at most 3 elements; got 4\n");
    expect("inner: 5\n", "f.yaml:1:8: inner must be a section of keys; got \"5\"\n");
    expect("items: {name: a}\n", "f.yaml:1:8: items must be a list of sections, each beginning "
                                 "with \"- \"; got a section "
                                 "of keys\n");
    expect("items: [a]\n", "f.yaml:1:9: items[0] must be a section of keys; got \"a\"\n");
    expect("items: [{name: a}, {name: b}, {name: c}]\n",
           "f.yaml:1:8: items may have at most 2 elements; got 3\n");
}

static void
test_keys(void **state)
{
    (void)state;
    expect("txet: a\n", "f.yaml:1:1: unknown key \"txet\" (did you mean \"text\"?)\n");
    expect("wait: 1\n", "f.yaml:1:1: unknown key \"wait\" (did you mean \"wait_seconds\"?)\n");
    expect("inner:\n  zzz: 1\n",
           "f.yaml:2:3: unknown key \"zzz\" in inner; known here: deep\n");
    expect("flag: true\ntext: a\nflag: false\n", "f.yaml:3:1: flag is set twice\n");
    expect("items:\n  - size: 1\n", "f.yaml:2:5: items[0].name is missing\n");
    expect("items:\n  - name:\n", "f.yaml:2:5: items[0].name is missing\n");
    expect("items:\n  -\n", "f.yaml:2:4: items[0].name is missing\n");
    expect("items:\n  - name: a\n    only_special: b\n",
           "f.yaml:3:5: items[0].only_special is only for special: true\n");
    expect("items:\n  - name: a\n    only_special: ''\n", "");
    expect("\"te\\nxt\": 1\n", "f.yaml:1:1: unknown key \"te?xt\" (did you mean \"text\"?)\n");
}

static void
test_yaml_refused(void **state)
{
    (void)state;
    expect("text: &a b\n",
           "f.yaml:1:7: \"&a\" is a YAML anchor, which is not supported; put the "
           "text in quotes if it is meant as such\n");
    expect("text: *a\n", "f.yaml:1:7: *a is a YAML alias, which is not supported; a value that "
                         "begins with a star must be quoted: \"*a\"\n");
    expect("text: *\n", "f.yaml:1:7: a value that begins with a star must be quoted: \"*\"\n");
    expect(
        "text: !!str a\n",
        "f.yaml:1:7: \"tag:yaml.org,2002:str\" is a YAML tag, which is not supported; put the "
        "text in quotes if it is meant as such\n");
    expect("inner: {<<: {deep: 1}}\n",
           "f.yaml:1:9: merge keys (<<) are not supported\n"
           "f.yaml:1:9: unknown key \"<<\" in inner; known here: deep\n");
    expect("text: a\n---\ntext: b\n", "f.yaml:2:1: a second document; a file holds one\n");
    expect("? [a]\n: b\n", "f.yaml:1:3: a key must be a plain word\n");
    expect("text: a: b\n",
           "f.yaml:1:8: not valid YAML: mapping values are not allowed in this context\n");
    expect(
        "text: \"a\n",
        "f.yaml:2:1: not valid YAML: while scanning a quoted scalar, found unexpected end of "
        "stream\n");
    expect("text: a\n\tflag: true\n",
           "f.yaml:2:1: not valid YAML: while scanning a plain scalar, found a tab character "
           "that violates indentation\n");
    expect("words: [${A}]\n", "f.yaml:1:10: not valid YAML: while parsing a flow sequence, did "
                              "not find expected ',' or "
                              "']'; inside [] and {} a value with ${...} must be quoted\n");
    expect("text: \xff\n", "f.yaml:1:1: not valid YAML: invalid leading UTF-8 octet\n");
    expect("text: [[[[[[[[[[[[[[[[[[[[[[[\n", "f.yaml:1:22: nested too deeply\n");
}

static void
test_environment(void **state)
{
    (void)state;
    unsetenv("TG_NONE");
    setenv("TG_T", "canary-value", 1);
    expect("text: a\nchoice: ${TG_NONE}\n",
           "f.yaml:2:9: choice: environment variable TG_NONE is not set; set it, or write "
           "${TG_NONE:-} if it may be missing\n");
    expect("words: [a, '${TG_NONE}']\n",
           "f.yaml:1:12: words[1]: environment variable TG_NONE is not set; set it, or write "
           "${TG_NONE:-} if it may be missing\n");
    /* What a variable holds is not shown: it may have been meant for another option. */
    expect("small: ${TG_T}\n", "f.yaml:1:8: small must be a whole number from 1 to 9; got "
                               "\"${TG_T}\" with its variables replaced\n");
}

static void
test_secrets(void **state)
{
    char path[] = "/tmp/tg-conf-XXXXXX", text[128];
    int fd = mkstemp(path);
    struct loaded l;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "from a file\r\n\n", 14), 14);
    snprintf(text, sizeof text, "secret: file:%s\n", path);
    load(&l, str_z(text));
    assert_string_equal(l.said, "");
    assert_str(secret_reveal(&l.top.secret), "from a file\r\n"); /* one newline only */
    unload(&l);

    assert_int_equal(ftruncate(fd, 13), 0);
    load(&l, str_z(text));
    assert_str(secret_reveal(&l.top.secret), "from a file");
    unload(&l);

    assert_int_equal(ftruncate(fd, 0), 0);
    load(&l, str_z(text));
    assert_non_null(strstr(l.said, "f.yaml:1:9: secret: "));
    assert_non_null(strstr(l.said, ": is empty\n"));
    unload(&l);
    close(fd);
    unlink(path);

    expect("secret: file:/nonexistent/key\n",
           "f.yaml:1:9: secret: /nonexistent/key: No such file or directory\n");
    expect("secret: file:/\n", "f.yaml:1:9: secret: /: is a directory\n");
    expect("secret: file:/dev/zero\n",
           "f.yaml:1:9: secret: /dev/zero: is not a regular file\n");
    expect("secret: 'file:'\n",
           "f.yaml:1:9: secret: \"file:\" must be followed by the path of a file\n");
    expect("secret: [canary]\n",
           "f.yaml:1:9: secret must be text, ${VARIABLE} or file:/path; got a list\n");
}

/* All errors, up to twenty, then one line more. */
static void
test_many(void **state)
{
    char text[1024] = "";
    size_t n = 0;
    unsigned lines = 0;
    struct loaded l;

    (void)state;
    expect("flag: 1\nsmall: x\ninner: {deep: y, more: z}\n",
           "f.yaml:1:7: flag must be true or false; got \"1\" (did you mean \"true\"?)\n"
           "f.yaml:2:8: small must be a whole number from 1 to 9; got \"x\"\n"
           "f.yaml:3:15: inner.deep must be a whole number from -5 to 5; got \"y\"\n"
           "f.yaml:3:18: unknown key \"more\" in inner; known here: deep\n");
    for (int i = 0; i < 30; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "qq%d: 1\n", i);
    load(&l, str_z(text));
    assert_int_equal(l.rc, TG_ECONFIG);
    for (const char *p = l.said; (p = strchr(p, '\n')) != NULL; p++)
        lines++;
    assert_int_equal(lines, CONF_ERRORS_MAX + 1);
    assert_non_null(strstr(l.said, "f.yaml:20:1: "));
    assert_null(strstr(l.said, "f.yaml:21:1: "));
    assert_non_null(strstr(l.said, "f.yaml: more than 20 errors; the rest are not shown\n"));
    unload(&l);
}

/* A field in error keeps its default and says so. */
static void
test_bad_origin(void **state)
{
    struct loaded l;

    (void)state;
    load(&l, STR("small: x\nitems: [{size: 1}]\n"));
    assert_int_equal(l.top.small, 2);
    assert_int_equal(conf_origin_of(&l.origins, &l.top.small).source, CONF_BAD);
    assert_int_equal(l.top.n_items, 1);
    assert_int_equal(conf_origin_of(&l.origins, &l.top.items[0].name).source, CONF_BAD);
    assert_int_equal(conf_origin_of(&l.origins, &l.top.items[0].size).source, CONF_FILE);
    unload(&l);
}

static void
test_bounds(void **state)
{
    size_t n = CONF_FILE_BYTES_MAX + 1;
    char *text = malloc(n), *env = malloc(60001);
    struct loaded l;

    (void)state;
    memset(text, '#', n);
    load(&l, str_of(text, n));
    assert_string_equal(l.said, "f.yaml: larger than 1048576 bytes\n");
    unload(&l);
    load(&l, str_of(text, n - 1));
    assert_string_equal(l.said, "");
    unload(&l);

    /* Two of them are more than one value may be. */
    memset(env, 'x', 60000);
    env[60000] = '\0';
    setenv("TG_LONG", env, 1);
    expect("text: ${TG_LONG}${TG_LONG}\n", "f.yaml:1:7: text: the value is too long\n");
    unsetenv("TG_LONG");
    free(env);
    free(text);
}

static void
test_guess(void **state)
{
    static const char *const cases[][3] = {
        {"dialct", "dialect", "x"},
        {"ulr", "url", "x"},
        {"chatt", "chat", "x"},
        {"completely", "other", NULL},
        {"a", "b", NULL},
        {"", "x", NULL},
        {"heartbeat", "heartbeat_seconds", "x"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct conf_guess g;

        conf_guess_init(&g, str_z(cases[i][0]));
        conf_guess_offer(&g, str_z(cases[i][1]));
        assert_int_equal(g.best.n > 0, cases[i][2] != NULL);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),       cmocka_unit_test(test_values),
        cmocka_unit_test(test_scalar_is_list), cmocka_unit_test(test_wrong_values),
        cmocka_unit_test(test_wrong_shapes),   cmocka_unit_test(test_keys),
        cmocka_unit_test(test_yaml_refused),   cmocka_unit_test(test_environment),
        cmocka_unit_test(test_secrets),        cmocka_unit_test(test_many),
        cmocka_unit_test(test_bad_origin),     cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_guess),
    };

    return cmocka_run_group_tests_name("conf/load", tests, NULL, NULL);
}
