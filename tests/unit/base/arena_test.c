/* arena_test.c -- arenas: zeroed, aligned, apart from each other, and back to the cache. */
#include "base/arena.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "support/prng.h"

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif
#ifdef WITH_ASAN
#include <sanitizer/asan_interface.h>
#endif

/* Every allocation is zeroed, aligned and keeps what was written whatever comes after it. */
static void
test_blocks_are_apart(void **state)
{
    enum { N = 2000 };
    static struct {
        unsigned char *p;
        size_t n;
    } got[N];
    struct prng r = {31};
    struct arena a;

    (void)state;
    arena_init(&a);
    for (int round = 0; round < 3; round++) {
        size_t total = 0;

        for (int i = 0; i < N; i++) {
            size_t align = (size_t)1 << prng_below(&r, 7);
            size_t n = prng_below(&r, prng_below(&r, 20) ? 100 : 9000);

            got[i].p = arena_alloc(&a, n, align);
            got[i].n = n;
            total += n;
            assert_int_equal((uintptr_t)got[i].p % align, 0);
            for (size_t k = 0; k < n; k++)
                assert_int_equal(got[i].p[k], 0);
            memset(got[i].p, 1 + i % 255, n);
        }
        assert_int_equal(a.used, total);
        for (int i = 0; i < N; i++) {
            for (size_t k = 0; k < got[i].n; k++)
                assert_int_equal(got[i].p[k], 1 + i % 255);
        }
        arena_reset(&a);
        assert_int_equal(a.used, 0);
    }
    arena_fini(&a);
    arena_thread_fini();
}

/* The size that an exact chunk shares with a usual one, and those around it. */
static void
test_sizes_around_a_chunk(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a);
    for (size_t n = 200; n < 4300; n++) {
        char *p = arena_alloc(&a, n, 8), *q = arena_alloc(&a, 1, 1);

        memset(p, 'p', n);
        *q = 'q';
        assert_int_equal(p[0], 'p');
        assert_int_equal(p[n - 1], 'p');
        arena_reset(&a);
    }
    arena_fini(&a);
    arena_thread_fini();
}

/* A large block does not make the arena give up the room left in its chunk. */
static void
test_large_block_keeps_chunk(void **state)
{
    struct arena a;
    char *p, *q;

    (void)state;
    arena_init(&a);
    p = arena_alloc(&a, 16, 16);
    (void)arena_alloc(&a, 100000, 16);
    q = arena_alloc(&a, 16, 16);
    assert_true(q > p && q - p < 200);
    arena_fini(&a);
    arena_thread_fini();
}

/* Nor for one of middling size, while much room is left. */
static void
test_middling_block_keeps_chunk(void **state)
{
    struct arena a;
    char *p, *q;

    (void)state;
    arena_init(&a);
    p = arena_alloc(&a, 200, 8);
    (void)arena_alloc(&a, 900, 8);
    q = arena_alloc(&a, 600, 8);
    assert_true(q > p && q - p < 1000);
    arena_fini(&a);
    arena_thread_fini();
}

/* What a little arena takes from libc is little, and a large one takes it in few pieces. */
static void
test_chunks_grow(void **state)
{
    struct arena a[100];
    uint64_t asked;

    (void)state;
    for (int i = 0; i < 100; i++) {
        arena_init(&a[i]);
        (void)arena_alloc(&a[i], 100, 8);
        assert_in_range(malloc_usable_size(a[i].chunk), 100, 1100);
    }
    asked = mem_asked();
    for (int i = 0; i < 64000 / 50; i++)
        (void)arena_alloc(&a[0], 50, 1);
    assert_in_range(mem_asked() - asked, 64000 / 4096, 64000 / 2048);
    for (int i = 0; i < 100; i++)
        arena_fini(&a[i]);
    arena_thread_fini();
}

static void
test_chunks_are_reused(void **state)
{
    struct arena a;
    void *first, *again;

    (void)state;
    arena_init(&a);
    first = arena_alloc(&a, 10, 1);
    arena_reset(&a);
    again = arena_alloc(&a, 10, 1);
    assert_ptr_equal(first, again);
    arena_fini(&a);
    arena_thread_fini();
}

static void
test_arrays_and_text(void **state)
{
    struct arena a;
    struct str s;
    uint64_t *v;
    char big[600];

    (void)state;
    arena_init(&a);
    v = arena_array(&a, uint64_t, 3);
    assert_int_equal(v[0] | v[1] | v[2], 0);
    assert_non_null(arena_array(&a, uint64_t, 0));
    *arena_new(&a, uint64_t) = 5;
    s = arena_dup(&a, str_of("a\0b", 3));
    assert_int_equal(s.n, 3);
    assert_memory_equal(s.p, "a\0b\0", 4);
    s = arena_dup(&a, str_of(NULL, 0));
    assert_int_equal(s.n, 0);
    assert_string_equal(s.p, "");
    s = arena_cat(&a, STR("ab"), str_of("c\0", 2));
    assert_true(str_eq(s, str_of("abc\0", 4)) && s.p[4] == '\0');
    s = arena_cat(&a, str_of(NULL, 0), STR("x"));
    assert_true(str_eq(s, STR("x")) && s.p[1] == '\0');
    s = arena_printf(&a, "%s-%d", "x", 7);
    assert_int_equal(s.n, 3);
    assert_string_equal(s.p, "x-7");
    memset(big, 'b', sizeof big);
    big[sizeof big - 1] = '\0';
    for (size_t n = 250; n < 260; n++) {
        s = arena_printf(&a, "%.*s", (int)n, big);
        assert_int_equal(s.n, n);
        assert_int_equal(strlen(s.p), n);
    }
    arena_fini(&a);
    arena_thread_fini();
}

#ifdef WITH_ASAN
static void
test_free_memory_is_poisoned(void **state)
{
    struct arena a;
    char *p;

    (void)state;
    arena_init(&a);
    p = arena_alloc(&a, 24, 8);
    assert_false(__asan_address_is_poisoned(p + 23));
    assert_true(__asan_address_is_poisoned(p + 24));
    (void)arena_alloc(&a, 24, 8);
    assert_true(__asan_address_is_poisoned(p + 24));
    arena_reset(&a);
    assert_true(__asan_address_is_poisoned(p));
    arena_fini(&a);
    arena_thread_fini();
}
#endif

/* Room is made by doubling, up to the most; what was there moves, what is behind it is zero. */
static void
arrays_grow(void **state)
{
    uint32_t *array = NULL, cap = 0;
    struct arena a;

    (void)state;
    arena_init(&a);
    for (uint32_t n = 0; n < 10; n++) {
        assert_true(arena_more(&a, array, n, cap, 10));
        assert_true(cap > n && cap <= 10);
        for (uint32_t i = 0; i < n; i++)
            assert_int_equal(array[i], i + 1);
        assert_int_equal(array[n], 0);
        array[n] = n + 1;
    }
    assert_false(arena_more(&a, array, 10, cap, 10));
    assert_int_equal(cap, 10);
    arena_fini(&a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_grow),
        cmocka_unit_test(test_blocks_are_apart),
        cmocka_unit_test(test_sizes_around_a_chunk),
        cmocka_unit_test(test_large_block_keeps_chunk),
        cmocka_unit_test(test_middling_block_keeps_chunk),
        cmocka_unit_test(test_chunks_grow),
        cmocka_unit_test(test_chunks_are_reused),
        cmocka_unit_test(test_arrays_and_text),
#ifdef WITH_ASAN
        cmocka_unit_test(test_free_memory_is_poisoned),
#endif
    };

    return cmocka_run_group_tests_name("base/arena", tests, NULL, NULL);
}
