/* ring_refused.h -- why the kernel will not give us a ring, in words that help. */
#ifndef CO_RING_REFUSED_H
#define CO_RING_REFUSED_H

#include "triglot/err.h"

/* Fills err for a failed io_uring_setup: likely cause and remedy, from sys_errno (positive) and
 * from what the kernel's settings under /proc say.  Returns TG_EUNAVAIL. */
tg_rc ring_refused(int sys_errno, struct tg_err *err);

/* The running kernel's release as major * 1000 + minor, 0 when it cannot be told. */
unsigned ring_kernel(void);

#endif
