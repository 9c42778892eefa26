/* clock_test.c -- calendar arithmetic against known instants and against libc. */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "support/prng.h"

static void
test_known(void **state)
{
    static const struct {
        int64_t ns;
        const char *rfc3339, *http;
    } rows[] = {
        {0, "1970-01-01T00:00:00.000Z", "Thu, 01 Jan 1970 00:00:00 GMT"},
        {-1, "1969-12-31T23:59:59.999Z", "Wed, 31 Dec 1969 23:59:59 GMT"},
        {INT64_C(784111777) * NS_PER_S, "1994-11-06T08:49:37.000Z",
         "Sun, 06 Nov 1994 08:49:37 GMT"},
        {INT64_C(951782400) * NS_PER_S, "2000-02-29T00:00:00.000Z",
         "Tue, 29 Feb 2000 00:00:00 GMT"},
        {INT64_C(1795257103) * NS_PER_S + 123999999, "2026-11-21T10:31:43.123Z",
         "Sat, 21 Nov 2026 10:31:43 GMT"},
        {INT64_C(4107542399) * NS_PER_S, "2100-02-28T23:59:59.000Z",
         "Sun, 28 Feb 2100 23:59:59 GMT"},
        {INT64_C(4107542400) * NS_PER_S, "2100-03-01T00:00:00.000Z",
         "Mon, 01 Mar 2100 00:00:00 GMT"},
        {INT64_MAX, "2262-04-11T23:47:16.854Z", "Fri, 11 Apr 2262 23:47:16 GMT"},
        {INT64_MIN, "1677-09-21T00:12:43.145Z", "Tue, 21 Sep 1677 00:12:43 GMT"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[30];

        clock_rfc3339(rows[i].ns, out);
        assert_string_equal(out, rows[i].rfc3339);
        clock_http_date(rows[i].ns, out);
        assert_string_equal(out, rows[i].http);
    }
}

static void
test_against_libc(void **state)
{
    struct prng r = {77};

    (void)state;
    for (int i = 0; i < 100000; i++) {
        int64_t ns = (int64_t)prng_next(&r);
        time_t sec = ns / NS_PER_S - (ns % NS_PER_S < 0);
        char want[64], got[30];
        struct tm tm;

        gmtime_r(&sec, &tm);
        strftime(want, sizeof want, "%a, %d %b %Y %H:%M:%S GMT", &tm);
        clock_http_date(ns, got);
        assert_string_equal(got, want);
    }
}

static void
test_clocks_run(void **state)
{
    int64_t a = clock_monotonic_ns(), b = clock_monotonic_ns();

    (void)state;
    assert_true(a > 0 && b >= a);
    assert_true(clock_wall_ns() > INT64_C(1700000000) * NS_PER_S);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_against_libc),
        cmocka_unit_test(test_clocks_run),
    };

    return cmocka_run_group_tests_name("base/clock", tests, NULL, NULL);
}
