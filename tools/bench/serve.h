/* serve.h -- triglot-bench as an upstream. */
#ifndef BENCH_SERVE_H
#define BENCH_SERVE_H

#include "bench/options.h"

/* Listens, prints the address, and answers until the process is ended.  Errors: those of
 * listen_open and co_run. */
TG_MUST_USE tg_rc serve_run(const struct options *o, struct tg_err *err);

#endif
