/* heap_test.c -- the timer heap against a plain array that is searched. */
#include "base/heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/prng.h"

enum { N = 300 };

static void
assert_sound(const struct heap *h)
{
    for (size_t i = 0; i < h->n; i++) {
        assert_int_equal(h->v[i]->slot, i + 1);
        if (i > 0)
            assert_true(h->v[(i - 1) / 4]->key <= h->v[i]->key);
    }
}

static void
test_empty(void **state)
{
    struct heap h;
    struct heap_node node = {0, 0};

    (void)state;
    heap_init(&h);
    assert_null(heap_min(&h));
    heap_remove(&h, &node);
    assert_false(heap_has(&node));
    heap_fini(&h);
}

static void
test_extreme_keys(void **state)
{
    struct heap h;
    struct heap_node low = {0, 0}, high = {0, 0}, zero = {0, 0};

    (void)state;
    heap_init(&h);
    heap_set(&h, &high, INT64_MAX);
    heap_set(&h, &zero, 0);
    heap_set(&h, &low, INT64_MIN);
    assert_ptr_equal(heap_min(&h), &low);
    heap_remove(&h, &low);
    assert_ptr_equal(heap_min(&h), &zero);
    heap_remove(&h, &zero);
    assert_ptr_equal(heap_min(&h), &high);
    heap_fini(&h);
    assert_false(heap_has(&high));
}

/* Inserts, moves and removes at random; the smallest key must always be the true one. */
static void
test_against_model(void **state)
{
    static struct heap_node nodes[N];
    struct prng r = {12345};
    struct heap h;

    (void)state;
    heap_init(&h);
    for (int step = 0; step < 20000; step++) {
        struct heap_node *node = &nodes[prng_below(&r, N)];
        const struct heap_node *least = NULL;
        size_t in = 0;

        if (prng_below(&r, 3) == 0)
            heap_remove(&h, node);
        else
            heap_set(&h, node, (int64_t)prng_below(&r, 1000) - 500);
        for (int i = 0; i < N; i++) {
            if (!heap_has(&nodes[i]))
                continue;
            in++;
            if (!least || nodes[i].key < least->key)
                least = &nodes[i];
        }
        assert_int_equal(h.n, in);
        if (least)
            assert_int_equal(heap_min(&h)->key, least->key);
        else
            assert_null(heap_min(&h));
        if (step % 100 == 0)
            assert_sound(&h);
    }
    heap_fini(&h);
}

static void
test_drains_in_order(void **state)
{
    static struct heap_node nodes[N];
    struct prng r = {99};
    struct heap h;
    int64_t last = INT64_MIN;

    (void)state;
    heap_init(&h);
    for (int i = 0; i < N; i++)
        heap_set(&h, &nodes[i], (int64_t)prng_below(&r, 50));
    for (int i = 0; i < N; i++) {
        struct heap_node *min = heap_min(&h);

        assert_true(min->key >= last);
        last = min->key;
        heap_remove(&h, min);
        assert_false(heap_has(min));
    }
    assert_null(heap_min(&h));
    heap_fini(&h);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_extreme_keys),
        cmocka_unit_test(test_against_model),
        cmocka_unit_test(test_drains_in_order),
    };

    return cmocka_run_group_tests_name("base/heap", tests, NULL, NULL);
}
