/* id_test.c -- identifiers: their form, their spread, and that a fork does not repeat them. */
#include "base/id.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void
test_uuid7_form(void **state)
{
    char id[37], other[37];

    (void)state;
    /* The example of RFC 9562, appendix A.6: 2022-02-22 19:22:22 UTC is 017F22E2-79B0. */
    for (int i = 0; i < 200; i++) {
        id_uuid7(INT64_C(1645557742000) * 1000000, id);
        assert_int_equal(strlen(id), 36);
        assert_memory_equal(id, "017f22e2-79b0-7", 15);
        assert_non_null(strchr("89ab", id[19]));
        for (int k = 0; k < 36; k++) {
            if (k == 8 || k == 13 || k == 18 || k == 23)
                assert_int_equal(id[k], '-');
            else
                assert_true(isxdigit((unsigned char)id[k]) && !isupper((unsigned char)id[k]));
        }
    }
    id_uuid7(INT64_C(1645557742000) * 1000000, other);
    assert_string_not_equal(id, other);
    id_uuid7(-5, id);
    assert_memory_equal(id, "00000000-0000-7", 15);
}

static void
test_alnum_uses_all_letters(void **state)
{
    unsigned seen[256] = {0};
    char id[63];
    unsigned letters = 0;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        id_alnum(id, 62);
        assert_int_equal(strlen(id), 62);
        for (int k = 0; k < 62; k++)
            seen[(unsigned char)id[k]]++;
    }
    /* 1,000 of each are expected; a tenth off would be three standard deviations. */
    for (int c = 0; c < 256; c++) {
        if (!isalnum(c)) {
            assert_int_equal(seen[c], 0);
            continue;
        }
        letters++;
        assert_in_range(seen[c], 750, 1250);
    }
    assert_int_equal(letters, 62);
    id_alnum(id, 0);
    assert_string_equal(id, "");
}

static void
test_random_fills_all(void **state)
{
    unsigned char any[1000] = {0}, b[1000];

    (void)state;
    for (int i = 0; i < 16; i++) {
        id_random(b, sizeof b);
        for (size_t k = 0; k < sizeof b; k++)
            any[k] |= b[k];
    }
    for (size_t k = 0; k < sizeof any; k++)
        assert_true(any[k] != 0);
    id_random(b, 0);
}

static void
test_fork_does_not_repeat(void **state)
{
    char ours[33], theirs[33] = "";
    int fd[2], status;
    pid_t pid;

    (void)state;
    id_alnum(ours, 8); /* so that the block is filled and in use */
    assert_int_equal(pipe(fd), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        id_alnum(theirs, 32);
        _exit(write(fd[1], theirs, 32) == 32 ? 0 : 1);
    }
    id_alnum(ours, 32);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(read(fd[0], theirs, 32), 32);
    close(fd[0]);
    close(fd[1]);
    assert_string_not_equal(ours, theirs);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uuid7_form),
        cmocka_unit_test(test_alnum_uses_all_letters),
        cmocka_unit_test(test_random_fills_all),
        cmocka_unit_test(test_fork_does_not_repeat),
    };

    return cmocka_run_group_tests_name("base/id", tests, NULL, NULL);
}
