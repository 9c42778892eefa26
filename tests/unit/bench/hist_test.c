/* hist_test.c -- percentiles of the histogram against the sorted values themselves. */
#include "bench/hist.h"

#include <math.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/prng.h"

enum { N = 20000 };

static const double quantiles[] = {0, 0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1};

static int
compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* The definition: the smallest value that the share q of all values do not exceed. */
static int64_t
exact(const int64_t *sorted, size_t n, double q)
{
    size_t rank = (size_t)ceil(q * (double)n);

    return sorted[rank ? rank - 1 : 0];
}

static void
check(int64_t *values, size_t n)
{
    struct hist *h = calloc(1, sizeof *h);
    double sum = 0;

    for (size_t i = 0; i < n; i++) {
        hist_add(h, values[i]);
        sum += (double)values[i];
    }
    qsort(values, n, sizeof *values, compare);
    assert_int_equal(h->n, n);
    assert_int_equal(h->min, values[0]);
    assert_int_equal(h->max, values[n - 1]);
    assert_true(fabs(hist_mean(h) - sum / (double)n) <= 1e-9 * sum);
    for (size_t i = 0; i < sizeof quantiles / sizeof quantiles[0]; i++) {
        double want = (double)exact(values, n, quantiles[i]);
        double got = (double)hist_quantile(h, quantiles[i]);

        if (fabs(got - want) > 0.01 * want)
            fail_msg("q %g: %g, not %g", quantiles[i], got, want);
    }
    free(h);
}

static void
test_percentiles(void **state)
{
    int64_t *v = calloc(N, sizeof *v);
    struct prng r = {7};

    (void)state;
    for (unsigned shape = 0; shape < 5; shape++) {
        for (size_t i = 0; i < N; i++) {
            uint64_t x = prng_next(&r);

            switch (shape) {
            case 0:
                v[i] = (int64_t)(x % 300); /* exact slots and just above */
                break;
            case 1:
                v[i] = (int64_t)(x % 10000000);
                break;
            case 2:
                v[i] = (int64_t)(x >> (22 + x % 40)); /* all magnitudes */
                break;
            case 3:
                v[i] = x % 1000 ? 50000 : 900000000; /* rare and late */
                break;
            default:
                v[i] = 123456789;
            }
        }
        check(v, N);
    }
    check(v, 1);
    free(v);
}

/* Every value of a range falls into a slot whose middle is near enough, and no slot before its
 * time: quantile 0.5 of one value is clipped to it, so two are put in. */
static void
test_error_bound(void **state)
{
    struct hist *h = calloc(1, sizeof *h);

    (void)state;
    for (int bits = 1; bits < 43; bits++) {
        for (int64_t d = -2; d <= 2; d++) {
            int64_t v = (INT64_C(1) << bits) + d;
            int64_t got;

            if (v < 0)
                continue;
            hist_clear(h);
            hist_add(h, 0);
            hist_add(h, v);
            hist_add(h, INT64_C(1) << 50);
            got = hist_quantile(h, 0.5);
            if (fabs((double)(got - v)) > 0.005 * (double)v)
                fail_msg("%lld came back as %lld", (long long)v, (long long)got);
        }
    }
    free(h);
}

static void
test_edges(void **state)
{
    struct hist *h = calloc(1, sizeof *h), *other = calloc(1, sizeof *other);

    (void)state;
    assert_int_equal(hist_quantile(h, 0.5), 0);
    assert_true(hist_mean(h) == 0);
    hist_merge(h, other);
    assert_int_equal(h->n, 0);
    hist_add(h, -5); /* clocks of two cores */
    assert_int_equal(h->min, 0);
    assert_int_equal(h->max, 0);
    hist_add(other, INT64_MAX); /* past the last slot: still counted, and exact as maximum */
    hist_add(other, 1000);
    hist_merge(h, other);
    assert_int_equal(h->n, 3);
    assert_int_equal(h->min, 0);
    assert_int_equal(h->max, INT64_MAX);
    assert_int_equal(hist_quantile(h, 0.5), hist_quantile(other, 0.5));
    assert_true(hist_quantile(h, 1) >= INT64_C(1) << 42);
    hist_clear(h);
    assert_int_equal(h->n, 0);
    assert_int_equal(hist_quantile(h, 1), 0);
    free(h);
    free(other);
}

/* Two halves merged are as good as the whole. */
static void
test_merge(void **state)
{
    struct hist *all = calloc(1, sizeof *all), *a = calloc(1, sizeof *a),
                *b = calloc(1, sizeof *b);
    struct prng r = {7};

    (void)state;
    for (unsigned i = 0; i < 5000; i++) {
        int64_t v = (int64_t)(prng_next(&r) >> 30);

        hist_add(all, v);
        hist_add(i % 3 ? a : b, v);
    }
    hist_merge(a, b);
    assert_int_equal(a->n, all->n);
    assert_int_equal(a->max, all->max);
    assert_int_equal(a->min, all->min);
    assert_memory_equal(a->slot, all->slot, sizeof a->slot);
    free(all);
    free(a);
    free(b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_percentiles),
        cmocka_unit_test(test_error_bound),
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_merge),
    };

    return cmocka_run_group_tests_name("hist", tests, NULL, NULL);
}
