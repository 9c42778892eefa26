/* pairs_run.c -- running over pairs of dialects and telling what failed. */
#include "support/pairs_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static unsigned failures, runs;

int
pairs_begin(void **state)
{
    (void)state;
    failures = runs = 0;
    return 0;
}

void
pairs_settle(void)
{
    assert_true(runs > 0);
    assert_int_equal(failures, 0);
}

void
pairs_ran(void)
{
    runs++;
}

void
pairs_fault(const struct dialect *from, const struct dialect *to, const char *what,
            const char *fmt, ...)
{
    va_list ap;

    runs++;
    failures++;
    va_start(ap, fmt);
    (void)fprintf(stderr, "FAULT %s -> %s, %s: ", from->name, to->name, what);
    (void)vfprintf(stderr, fmt, ap);
    (void)fputc('\n', stderr);
    va_end(ap);
}

void
pairs_compare(const struct dialect *from, const struct dialect *to, const char *what,
              const char *why, const char *want, const char *got)
{
    size_t at = 0, from_at;

    runs++;
    if (why) {
        pairs_fault(from, to, what, "%s", why);
        return;
    }
    if (strcmp(want, got) == 0)
        return;
    while (want[at] == got[at])
        at++;
    from_at = at > 200 ? at - 200 : 0;
    pairs_fault(from, to, what, "differs at byte %zu\n--- want\n%.500s\n--- got\n%.500s\n---",
                at, want + from_at, got + from_at);
}

bool
pairs_answers(const struct dialect *from, const struct dialect *to)
{
    if (from->decode_record && to->decode_record && from->decode_res && to->decode_res &&
        from->decode_eof && to->decode_eof)
        return true;
    pairs_fault(from, to, "answers", "a decoder is missing");
    return false;
}

bool
pairs_requests_go(const struct dialect *from, const struct dialect *to)
{
    if (from->decode_req && to->decode_req && to->encode_req)
        return true;
    pairs_fault(from, to, "requests", "a codec is missing");
    return false;
}
