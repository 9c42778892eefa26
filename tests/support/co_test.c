/* co_test.c -- running test bodies as coroutines, and test bodies that are meant to die.
 *
 * A child leaves by _exit, so that no buffer is written twice and no leak check runs in it.
 */
#include "support/co_test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

tg_rc
co_test_run_conf(const struct co_conf *conf, co_fn *body, void *arg)
{
    struct tg_err err = {.rc = TG_OK};
    tg_rc rc = co_run(conf, "test", body, arg, &err);

    if (err.rc != TG_OK) {
        (void)fprintf(stderr, "co_run: %s\n", err.msg);
        abort();
    }
    return rc;
}

tg_rc
co_test_run(co_fn *body, void *arg)
{
    struct co_conf conf = {.recv_buffers = 64, .recv_buffer_bytes = 2048};

    return co_test_run_conf(&conf, body, arg);
}

tg_rc
co_test_wait_forever(void *arg)
{
    struct co_event never = CO_EVENT_INIT;

    (void)arg;
    return co_event_wait(&never);
}

void
co_test_yields(unsigned n)
{
    while (n-- > 0)
        if (co_yield() != TG_OK)
            abort();
}

int
co_test_run_apart(co_fn *body)
{
    pid_t pid = fork();
    int status;

    if (pid == 0)
        _exit(co_test_run(body, NULL) == TG_OK ? 0 : 1);
    return pid > 0 && waitpid(pid, &status, 0) == pid ? status : -1;
}

static int
collect(pid_t pid, int fd, char *out, size_t n)
{
    size_t have = 0;
    ssize_t k;
    char spill[256];
    int status;

    while ((k = have + 1 < n ? read(fd, out + have, n - 1 - have)
                             : read(fd, spill, sizeof spill)) > 0)
        if (have + 1 < n)
            have += (size_t)k;
    out[have] = '\0';
    close(fd);
    if (waitpid(pid, &status, 0) != pid)
        return -1;
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void
become_child(const int fds[2])
{
    struct rlimit none = {0, 0};

    close(fds[0]);
    dup2(fds[1], STDERR_FILENO);
    setrlimit(RLIMIT_CORE, &none);
    /* cmocka's and sanitizers' handlers would turn the signal into an exit. */
    signal(SIGABRT, SIG_DFL);
    signal(SIGSEGV, SIG_DFL);
}

int
co_test_dies(void (*body)(void), char *out, size_t n)
{
    int fds[2];
    pid_t pid;

    if (pipe(fds) != 0)
        return -1;
    pid = fork();
    if (pid == 0) {
        become_child(fds);
        body();
        _exit(0);
    }
    close(fds[1]);
    return collect(pid, fds[0], out, n);
}

int
co_test_co_dies(co_fn *body, char *out, size_t n)
{
    int fds[2];
    pid_t pid;

    if (pipe(fds) != 0)
        return -1;
    pid = fork();
    if (pid == 0) {
        become_child(fds);
        (void)co_test_run(body, NULL);
        _exit(0);
    }
    close(fds[1]);
    return collect(pid, fds[0], out, n);
}
