/* hash_test.c -- FNV-1a by its published vectors; texts that are fitted into so many bytes. */
#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/utf8.h"

static void
test_vectors(void **state)
{
    (void)state;
    assert_true(hash_add(HASH_EMPTY, STR("")) == UINT64_C(0xcbf29ce484222325));
    assert_true(hash_add(HASH_EMPTY, STR("a")) == UINT64_C(0xaf63dc4c8601ec8c));
    assert_true(hash_add(HASH_EMPTY, STR("foobar")) == UINT64_C(0x85944171f73967e8));
    assert_true(hash_add(hash_add(HASH_EMPTY, STR("foo")), STR("bar")) ==
                UINT64_C(0x85944171f73967e8));
}

static void
test_fit(void **state)
{
    static const char id[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    struct arena a;
    struct str all = str_z(id), got;

    (void)state;
    arena_init(&a);
    assert_true(hash_fit(&a, all, sizeof id - 1).p == id); /* as it is */
    got = hash_fit(&a, all, sizeof id - 2);
    assert_int_equal(got.n, sizeof id - 2);
    assert_true(str_starts(got, str_of(id, sizeof id - 2 - 17)));
    assert_true(str_eq(got, hash_fit(&a, all, sizeof id - 2)));
    assert_false(str_eq(got, hash_fit(&a, STR("0123456789abcdefghijklmnopqrstuvwxyZ"), 35)));
    assert_int_equal(hash_fit(&a, all, 17).n, 17);
    for (size_t max = 17; max < 24; max++) { /* never in the midst of a character */
        got = hash_fit(&a,
                       STR("\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"
                           "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"),
                       max);
        assert_true(utf8_valid(got));
        assert_true(got.n <= max && got.n + 3 > max);
    }
    arena_fini(&a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_vectors),
                                       cmocka_unit_test(test_fit)};

    return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
