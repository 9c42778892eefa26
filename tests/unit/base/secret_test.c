/* secret_test.c -- secrets: revealed as given, kept out of core dumps, gone afterwards. */
#include "base/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void
test_reveal(void **state)
{
    char text[] = "sk-12345";
    struct secret s, none;
    static char big[10000];

    (void)state;
    secret_init(&s, str_z(text));
    memset(text, 0, sizeof text);
    assert_true(str_eq(secret_reveal(&s), STR("sk-12345")));
    secret_fini(&s);
    assert_int_equal(secret_reveal(&s).n, 0);
    secret_fini(&s);
    secret_init(&none, str_of(NULL, 0));
    assert_int_equal(secret_reveal(&none).n, 0);
    secret_fini(&none);
    memset(big, 'k', sizeof big);
    secret_init(&s, str_of(big, sizeof big));
    assert_true(str_eq(secret_reveal(&s), str_of(big, sizeof big)));
    secret_fini(&s);
}

static void
test_wipe(void **state)
{
    char b[16] = "0123456789abcde";

    (void)state;
    secret_wipe(b + 2, 10);
    assert_memory_equal(b, "01\0\0\0\0\0\0\0\0\0\0cde", 16);
    secret_wipe(NULL, 0);
}

/* The mapping that holds the secret has the flag "dd" (do not dump) in smaps. */
static void
test_not_dumped(void **state)
{
    struct secret s;
    FILE *f = fopen("/proc/self/smaps", "r");
    char line[512];
    uintptr_t at;
    int inside = 0, found = 0;

    (void)state;
    if (!f)
        skip();
    secret_init(&s, STR("hidden"));
    at = (uintptr_t)secret_reveal(&s).p;
    while (fgets(line, sizeof line, f)) {
        char *dash = strchr(line, '-');
        uintptr_t lo = strtoul(line, NULL, 16);

        if (dash && dash - line >= 8 && dash - line <= 16)
            inside = at >= lo && at < strtoul(dash + 1, NULL, 16);
        else if (inside && strncmp(line, "VmFlags:", 8) == 0)
            found = strstr(line, " dd") != NULL ? 1 : -1;
    }
    fclose(f);
    secret_fini(&s);
    if (found == 0)
        skip();
    assert_int_equal(found, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reveal),
        cmocka_unit_test(test_wipe),
        cmocka_unit_test(test_not_dumped),
    };

    return cmocka_run_group_tests_name("base/secret", tests, NULL, NULL);
}
