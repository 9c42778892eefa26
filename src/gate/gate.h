/* gate.h -- the running daemon: listeners, workers, signals, drain, reload. */
#ifndef GATE_GATE_H
#define GATE_GATE_H

#include "policy/settings.h"
#include "triglot/err.h"

/* Binds the listeners, starts one worker thread a worker, serves until SIGTERM or SIGINT has
 * been obeyed (or a worker failed), and returns.  Takes the caller's reference of s.  SIGHUP
 * loads config_path anew (NULL: zero configuration).  The calling thread must be the only one.
 */
TG_MUST_USE tg_rc gate_run(struct settings *s, const char *config_path, struct tg_err *err);

#endif
