/* mem_test.c -- the heap: zeroed memory, and an end with a message when there is none. */
#include "base/mem.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void
test_zeroed(void **state)
{
    unsigned char *p = mem_alloc(1000);
    uint64_t *v = mem_array(100, sizeof *v);
    void *none = mem_array(0, 8), *empty = mem_alloc(0);

    (void)state;
    for (int i = 0; i < 1000; i++)
        assert_int_equal(p[i], 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(v[i], 0);
    assert_non_null(none);
    assert_non_null(empty);
    mem_free(p);
    mem_free(v);
    mem_free(none);
    mem_free(empty);
    mem_free(NULL);
}

static void
test_lines(void **state)
{
    struct {
        char bytes[100];
    } * p[8];
    uint64_t asked = mem_asked();

    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        p[i] = mem_new_lines(__typeof__(*p[0]));
        assert_int_equal((uintptr_t)p[i] % MEM_LINE, 0);
        for (unsigned k = 0; k < sizeof *p[i]; k++)
            assert_int_equal(p[i]->bytes[k], 0);
        memset(p[i], 1, sizeof *p[i]);
    }
    assert_int_equal(mem_asked() - asked, 8);
    for (unsigned i = 0; i < 8; i++)
        mem_free(p[i]);
}

static void
test_grow_keeps_bytes(void **state)
{
    char *p = mem_grow(NULL, 4);

    (void)state;
    memcpy(p, "abcd", 4);
    p = mem_grow(p, 100000);
    assert_memory_equal(p, "abcd", 4);
    p = mem_grow(p, 0);
    assert_non_null(p);
    mem_free(p);
}

static void
test_dup(void **state)
{
    char *z = mem_dup_z(str_of("a\0b", 3)), *e = mem_dup_z(str_of(NULL, 0));

    (void)state;
    assert_memory_equal(z, "a\0b\0", 4);
    assert_string_equal(e, "");
    mem_free(z);
    mem_free(e);
}

/* The product does not fit: must never become a small allocation. */
static void
test_overflow_aborts(void **state)
{
    int pipe_fd[2], status;
    char said[200] = "";
    pid_t pid;

    (void)state;
    assert_int_equal(pipe(pipe_fd), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        signal(SIGABRT, SIG_DFL);
        dup2(pipe_fd[1], STDERR_FILENO);
        close(pipe_fd[1]);
        mem_array(SIZE_MAX / 8, 9);
        _exit(0);
    }
    close(pipe_fd[1]);
    assert_true(read(pipe_fd[0], said, sizeof said - 1) > 0);
    close(pipe_fd[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_non_null(strstr(said, "out of memory"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zeroed),           cmocka_unit_test(test_lines),
        cmocka_unit_test(test_grow_keeps_bytes), cmocka_unit_test(test_dup),
        cmocka_unit_test(test_overflow_aborts),
    };

    return cmocka_run_group_tests_name("base/mem", tests, NULL, NULL);
}
