/* clock.c -- reading the clocks, and writing a time for people and for headers.
 *
 * The calendar is computed here: libc's functions take locks and look at the time zone files.
 * Days are counted from 1 March, so that the leap day is the last of a year and the lengths of
 * months follow one linear formula.  The range of int64_t nanoseconds is 1677 to 2262; the
 * arithmetic is exact for all of it, and a year has always four digits.
 */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

struct civil {
    unsigned year, month, day;  /* month 1 to 12 */
    unsigned weekday;           /* 0 is Sunday */
    unsigned hour, minute, sec; /* UTC */
    unsigned ms;
};

static int64_t
read_clock(clockid_t id)
{
    struct timespec ts;

    /* Cannot fail for these two clocks and a valid pointer. */
    (void)clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

int64_t
clock_wall_ns(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t
clock_monotonic_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

static struct civil
civil_of(int64_t wall_ns)
{
    int64_t ms = wall_ns / NS_PER_MS - (wall_ns % NS_PER_MS < 0);
    int64_t days = ms / 86400000 - (ms % 86400000 < 0);
    unsigned in_day = (unsigned)(ms - days * 86400000);
    /* Days since 1 March of the year 0: positive in the whole range. */
    unsigned d = (unsigned)(days + 719468);
    unsigned era = d / 146097, in_era = d % 146097;
    unsigned y = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    unsigned in_year = in_era - (365 * y + y / 4 - y / 100);
    unsigned m = (5 * in_year + 2) / 153; /* 0 is March */

    return (struct civil){
        .year = era * 400 + y + (m >= 10),
        .month = m < 10 ? m + 3 : m - 9,
        .day = in_year - (153 * m + 2) / 5 + 1,
        .weekday = (d + 3) % 7, /* 1 March of the year 0 was a Wednesday */
        .hour = in_day / 3600000,
        .minute = in_day / 60000 % 60,
        .sec = in_day / 1000 % 60,
        .ms = in_day % 1000,
    };
}

void
clock_rfc3339(int64_t wall_ns, char out[25])
{
    struct civil c = civil_of(wall_ns);

    /* The remainders do nothing but tell the compiler how wide each number is. */
    snprintf(out, 25, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", c.year % 10000, c.month % 100,
             c.day % 100, c.hour % 100, c.minute % 100, c.sec % 100, c.ms % 1000);
}

void
clock_http_date(int64_t wall_ns, char out[30])
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct civil c = civil_of(wall_ns);

    snprintf(out, 30, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT", days + c.weekday * 3,
             c.day % 100, months + (c.month - 1) * 3, c.year % 10000, c.hour % 100,
             c.minute % 100, c.sec % 100);
}
