/* str_test.c -- borrowed text. */
#include "triglot/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/prng.h"

static void
test_compare(void **state)
{
    (void)state;
    assert_true(str_eq(STR(""), str_z(NULL)));
    assert_true(str_eq(STR("a\0b"), str_of("a\0b", 3)));
    assert_false(str_eq(STR("ab"), STR("ac")));
    assert_false(str_eq(STR("ab"), STR("abc")));
    assert_true(str_ieq(STR("Content-TYPE"), STR("content-type")));
    assert_false(str_ieq(STR("@["), STR("`{")));
    assert_false(str_ieq(STR("\xc3\x89"), STR("\xc3\xa9")));
    assert_true(str_ieq(str_z(NULL), STR("")));
    assert_true(str_starts(STR("abc"), STR("ab")));
    assert_false(str_starts(STR("ab"), STR("abc")));
    assert_true(str_ends(STR("abc"), STR("bc")));
    assert_true(str_ends(STR("abc"), str_z(NULL)));
    assert_true(str_eq_const_time(STR("key"), STR("key")));
    assert_true(str_eq_const_time(str_z(NULL), STR("")));
    assert_false(str_eq_const_time(STR("key"), STR("kez")));
    assert_false(str_eq_const_time(STR("key"), STR("jey")));
    assert_false(str_eq_const_time(STR("key"), STR("keys")));
}

static void
test_parts(void **state)
{
    struct str rest;

    (void)state;
    assert_int_equal(str_find(STR("a.b.c"), '.'), 1);
    assert_int_equal(str_find(STR("abc"), '.'), 3);
    assert_int_equal(str_find(str_z(NULL), '.'), 0);
    assert_true(str_eq(str_from(STR("abc"), 1), STR("bc")));
    assert_int_equal(str_from(STR("abc"), 4).n, 0);
    assert_true(str_eq(str_trim(STR(" \t a b\t ")), STR("a b")));
    assert_int_equal(str_trim(STR(" \t ")).n, 0);
    assert_true(str_eq(str_trim(STR("\na")), STR("\na")));
    assert_true(str_eq(str_cut(STR("k=v=w"), '=', &rest), STR("k")));
    assert_true(str_eq(rest, STR("v=w")));
    assert_true(str_eq(str_cut(STR("kv"), '=', &rest), STR("kv")));
    assert_int_equal(rest.n, 0);
    assert_true(str_eq(str_cut(STR("k="), '=', &rest), STR("k")));
    assert_int_equal(rest.n, 0);
    rest = STR("a,b");
    assert_true(str_eq(str_cut(rest, ',', &rest), STR("a")));
    assert_true(str_eq(rest, STR("b")));
}

static void
test_glob_table(void **state)
{
    static const struct {
        const char *pattern, *text;
        bool match;
    } rows[] = {
        {"", "", true},
        {"", "a", false},
        {"*", "", true},
        {"*", "anything", true},
        {"**", "x", true},
        {"gpt-*", "gpt-5", true},
        {"gpt-*", "gpt-", true},
        {"gpt-*", "gpt", false},
        {"*-mini", "gpt-5-mini", true},
        {"*-mini", "-min", false},
        {"a*a", "a", false},
        {"a*a", "aa", true},
        {"a*b*c", "a-b-b-c", true},
        {"a*b*c", "a-c-b", false},
        {"*ab*", "aab", true},
        {"*aab", "aaab", true},
        {"a*bc*bc", "abc", false},
        {"a*bc*bc", "abcbc", true},
        {"a?c", "abc", false},
        {"a?c", "a?c", true},
        {"[a]", "a", false},
        {"claude-*-4-*", "claude-sonnet-4-5", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(str_glob(str_z(rows[i].pattern), str_z(rows[i].text)), rows[i].match);
}

/* The textbook definition, exponential, for short inputs. */
static bool
glob_slow(const char *p, const char *s)
{
    if (*p == '\0')
        return *s == '\0';
    if (*p == '*')
        return glob_slow(p + 1, s) || (*s && glob_slow(p, s + 1));
    return *p == *s && glob_slow(p + 1, s + 1);
}

static void
test_glob_against_definition(void **state)
{
    struct prng r = {7};

    (void)state;
    for (int i = 0; i < 20000; i++) {
        char p[8] = "", s[10] = "";
        size_t pn = prng_below(&r, 7), sn = prng_below(&r, 9);

        for (size_t k = 0; k < pn; k++)
            p[k] = "ab**"[prng_below(&r, 4)];
        for (size_t k = 0; k < sn; k++)
            s[k] = "ab"[prng_below(&r, 2)];
        assert_int_equal(str_glob(str_z(p), str_z(s)), glob_slow(p, s));
    }
}

/* Would take longer than the age of the universe if it were tried every way. */
static void
test_glob_is_linear(void **state)
{
    static char p[2001], s[20001];

    (void)state;
    for (int i = 0; i < 2000; i += 2) {
        p[i] = '*';
        p[i + 1] = 'a';
    }
    memset(s, 'a', 20000);
    p[1999] = 'b';
    assert_false(str_glob(str_z(p), str_z(s)));
    p[1999] = 'a';
    assert_true(str_glob(str_z(p), str_z(s)));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compare),        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_glob_table),     cmocka_unit_test(test_glob_against_definition),
        cmocka_unit_test(test_glob_is_linear),
    };

    return cmocka_run_group_tests_name("base/str", tests, NULL, NULL);
}
