/* slope_test.c -- the line with the least squares. */
#include "bench/slope.h"

#include <math.h>

#include <cmocka.h>

#include "support/prng.h"

static void
test_exact_line(void **state)
{
    struct slope s = {0};
    double got;

    (void)state;
    for (int i = 0; i < 100; i++)
        slope_add(&s, 1e9 + 0.25 * i, 5e9 + 1000.0 * (0.25 * i));
    assert_true(slope_get(&s, &got));
    assert_true(fabs(got - 1000) < 1e-6);
}

static void
test_flat_and_falling(void **state)
{
    struct slope flat = {0}, falling = {0};
    double got;

    (void)state;
    for (int i = 0; i < 50; i++) {
        slope_add(&flat, i, 4096);
        slope_add(&falling, i, -3.0 * i);
    }
    assert_true(slope_get(&flat, &got));
    assert_true(fabs(got) < 1e-9);
    assert_true(slope_get(&falling, &got));
    assert_true(fabs(got + 3) < 1e-9);
}

static void
test_too_few(void **state)
{
    struct slope s = {0};
    double got = 42;

    (void)state;
    assert_false(slope_get(&s, &got));
    slope_add(&s, 1, 1);
    assert_false(slope_get(&s, &got));
    slope_add(&s, 1, 2); /* the same place */
    assert_false(slope_get(&s, &got));
    assert_true(got == 42);
    slope_add(&s, 2, 5);
    assert_true(slope_get(&s, &got));
    assert_true(fabs(got - 3.5) < 1e-12);
}

/* Against the textbook's sums, on noisy points. */
static void
test_noise(void **state)
{
    double sx = 0, sy = 0, sxx = 0, sxy = 0, got, want, n = 500;
    struct slope s = {0};
    struct prng r = {7};

    (void)state;
    for (int i = 0; i < 500; i++) {
        double x = i + (double)(prng_next(&r) % 100) / 100;
        double y = 7 * x + (double)(prng_next(&r) % 1000);

        slope_add(&s, x, y);
        sx += x;
        sy += y;
        sxx += x * x;
        sxy += x * y;
    }
    want = (n * sxy - sx * sy) / (n * sxx - sx * sx);
    assert_true(slope_get(&s, &got));
    assert_true(fabs(got - want) < 1e-6);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exact_line),
        cmocka_unit_test(test_flat_and_falling),
        cmocka_unit_test(test_too_few),
        cmocka_unit_test(test_noise),
    };

    return cmocka_run_group_tests_name("slope", tests, NULL, NULL);
}
