/* chat_tap.c -- fuzz target: any bytes as the records of a Chat stream.
 *
 * The first byte says whether usage was asked for; then each line is a record, a line that
 * begins with
 * '!' being one with a name.  What passes must be JSON or the end, and the verdict on a record
 * must not depend on the quick ways that earlier records opened: a second observer that forgets
 * what it remembered has to agree.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "triglot/dialect.h"
#include "json/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct dialect *d = dialect_find(STR("chat"));
    struct str rest = {(const char *)data, size}, whole = rest;
    struct dialect_tap t = {.usage = IR_USAGE_UNKNOWN}, slow, once;

    if (size == 0)
        return 0;
    t.keep_usage = data[0] & 1;
    slow = t;
    rest = str_from(rest, 1);
    while (rest.n) {
        struct str event = {NULL, 0}, line = str_cut(rest, '\n', &rest);
        struct tg_err err = {0}, err2 = {0};
        enum dialect_seen seen, seen2;
        char *exact;

        if (line.n && line.p[0] == '!')
            event = str_cut(str_from(line, 1), ' ', &line);
        /* At the end of an allocation, so that a read too far is seen. */
        exact = malloc(line.n ? line.n : 1);
        if (!exact)
            abort();
        if (line.n)
            memcpy(exact, line.p, line.n);
        line.p = exact;
        memset(slow.memory, 0, sizeof slow.memory);
        seen = d->tap_record(&t, event, line, &err);
        seen2 = d->tap_record(&slow, event, line, &err2);
        assert(seen == seen2);
        assert(t.events == slow.events && t.finished == slow.finished);
        assert(t.usage.input == slow.usage.input && t.usage.output == slow.usage.output);
        assert(seen < DIALECT_FAILED || err.rc != TG_OK);
        if (seen == DIALECT_PASS && !t.terminal)
            assert(json_check(line, JSON_DEPTH_MAX, NULL) == TG_OK);
        free(exact);
    }
    once = (struct dialect_tap){.usage = IR_USAGE_UNKNOWN};
    (void)d->tap_whole(&once, DIALECT_GENERATE, str_from(whole, 1));
    (void)d->tap_whole(&once, DIALECT_EMBED, str_from(whole, 1));
    (void)d->error_fits(str_from(whole, 1));
    return 0;
}
