/* co_test.h -- running test bodies as coroutines, and test bodies that are meant to die. */
#ifndef TESTS_SUPPORT_CO_TEST_H
#define TESTS_SUPPORT_CO_TEST_H

#include <stddef.h>

#include "co/co.h"

/* Runs body(arg) as the first coroutine with default settings and returns its result; anything
 * that keeps the scheduler from starting or ending ends the test program with a message. */
tg_rc co_test_run(co_fn *body, void *arg);
tg_rc co_test_run_conf(const struct co_conf *conf, co_fn *body, void *arg);

/* For bodies: waits until it is cancelled (arg is not looked at); yields n times, which must
 * succeed. */
tg_rc co_test_wait_forever(void *arg);
void co_test_yields(unsigned n);

/* co_test_run in a child process, for a body that changes what the process may have.  0 when it
 * returned TG_OK, else another number. */
int co_test_run_apart(co_fn *body);

/* Runs body in a child process, with standard error collected into out (NUL-terminated).
 * Returns the signal that ended the child, or 0 when it exited. */
int co_test_dies(void (*body)(void), char *out, size_t n);

/* The same for a coroutine's body: it is expected to abort. */
int co_test_co_dies(co_fn *body, char *out, size_t n);

#endif
