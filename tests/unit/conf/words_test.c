/* words_test.c -- words beside numbers and beside true and false, and sections of such options:
 * what they read, how they are called in messages, in the dump and in the manual. */
#include "conf/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct wishes {
    int64_t most;
    int like;
};

struct top {
    struct wishes now, later;
};

static const struct conf_name unsaid[] = {{"auto", -1}, {NULL, 0}};
static const struct conf_name tri[] = {{"auto", 0}, {"true", 2}, {"false", 1}, {NULL, 0}};
static const struct conf_row wish_rows[] = {
    {.key = "most",
     .type = CONF_INTEGER,
     .offset = offsetof(struct wishes, most),
     .width = sizeof(int64_t),
     .names = unsaid,
     .text = "auto",
     .min = 1,
     .max = 16,
     .help = "Most."},
    {.key = "like",
     .type = CONF_ENUM,
     .offset = offsetof(struct wishes, like),
     .names = tri,
     .text = "auto",
     .help = "Like."},
};
static const struct conf_table wish_table = {
    .rows = wish_rows, .n = 2, .size = sizeof(struct wishes)};
static const struct conf_row top_rows[] = {
    {.key = "now",
     .type = CONF_SECTION,
     .flags = CONF_BRIEF,
     .offset = offsetof(struct top, now),
     .table = &wish_table,
     .help = "Now."},
    {.key = "later",
     .type = CONF_SECTION,
     .flags = CONF_TOLD,
     .type_note = "A section like the first",
     .offset = offsetof(struct top, later),
     .table = &wish_table,
     .help = "Later."},
};
static const struct conf_table table = {.rows = top_rows, .n = 2, .size = sizeof(struct top)};

struct loaded {
    struct top top;
    struct arena arena;
    struct conf_origins origins;
    char said[1024];
};

static tg_rc
load(struct loaded *l, const char *text)
{
    struct conf_diag d = {.file = "f.yaml"};
    tg_rc rc;

    *l = (struct loaded){.said = ""};
    d.out = fmemopen(l->said, sizeof l->said, "w");
    setvbuf(d.out, NULL, _IONBF, 0);
    arena_init(&l->arena);
    conf_origins_init(&l->origins);
    rc = conf_load(str_z(text), &table, &l->top, &l->arena, &l->origins, &d);
    fclose(d.out);
    return rc;
}

static void
unload(struct loaded *l)
{
    conf_origins_fini(&l->origins);
    arena_fini(&l->arena);
}

static void
test_values(void **state)
{
    struct loaded l;

    (void)state;
    assert_int_equal(load(&l, ""), TG_OK);
    assert_int_equal(l.top.now.most, -1);
    assert_int_equal(l.top.now.like, 0);
    unload(&l);
    assert_int_equal(
        load(&l, "now: {most: 16, like: true}\nlater: {most: auto, like: false}\n"), TG_OK);
    assert_int_equal(l.top.now.most, 16);
    assert_int_equal(l.top.now.like, 2);
    assert_int_equal(l.top.later.most, -1);
    assert_int_equal(l.top.later.like, 1);
    unload(&l);
}

static void
test_messages(void **state)
{
    static const char *const cases[][2] = {
        /* What a word stands for cannot be written as a number. */
        {"now: {most: -1}", "1:13: now.most must be auto or a whole number from 1 to 16; got "
                            "\"-1\"\n"},
        {"now: {most: atuo}", "1:13: now.most must be auto or a whole number from 1 to 16; got "
                              "\"atuo\" (did you mean \"auto\"?)\n"},
        {"now: {like: yes}",
         "1:13: now.like must be one of auto, true, false; got \"yes\" (did "
         "you mean \"true\"?)\n"},
        {"now: {like: off}",
         "1:13: now.like must be one of auto, true, false; got \"off\" (did "
         "you mean \"false\"?)\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char want[256];
        struct loaded l;

        assert_int_equal(load(&l, cases[i][0]), TG_ECONFIG);
        snprintf(want, sizeof want, "f.yaml:%s", cases[i][1]);
        assert_string_equal(l.said, want);
        unload(&l);
    }
}

static void
expect_dump(const char *text, const char *want)
{
    struct loaded l;
    char *got = NULL;
    size_t n;
    FILE *f = open_memstream(&got, &n);

    assert_int_equal(load(&l, text), TG_OK);
    conf_dump(&table, &l.top, &l.origins, "f.yaml", f);
    fclose(f);
    assert_string_equal(got, want);
    free(got);
    unload(&l);
}

/* A brief section shows what somebody set, and reads back. */
static void
test_dump(void **state)
{
    (void)state;
    expect_dump("", "now: {}  # default\n"
                    "later:\n"
                    "  most: auto  # default\n"
                    "  like: auto  # default\n");
    expect_dump("now: {}\nlater:\n  most: auto\n  like: auto\n", "now: {}  # default\n"
                                                                 "later:\n"
                                                                 "  most: auto  # f.yaml:3\n"
                                                                 "  like: auto  # f.yaml:4\n");
    expect_dump("now:\n  like: false\nlater:\n  most: 3\n", "now:\n"
                                                            "  like: false  # f.yaml:2\n"
                                                            "later:\n"
                                                            "  most: 3  # f.yaml:4\n"
                                                            "  like: auto  # default\n");
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
    assert_string_equal(text, ".It Ic now\nNow.\nA section.\n"
                              ".It Ic now.most\nMost.\n"
                              "A whole number, 1 to 16, or auto; default: auto.\n"
                              ".It Ic now.like\nLike.\n"
                              "One of auto, true or false; default: auto.\n"
                              ".It Ic later\nLater.\nA section like the first.\n");
    free(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_dump),
        cmocka_unit_test(test_mdoc),
    };

    return cmocka_run_group_tests_name("conf/words", tests, NULL, NULL);
}
