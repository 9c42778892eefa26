/* sim_stamp.h -- timestamps inside the text of a simulated answer, for load generators. */
#ifndef UPSTREAM_SIM_STAMP_H
#define UPSTREAM_SIM_STAMP_H

#include <stdbool.h>
#include <stdint.h>

#include "triglot/str.h"

/* "@", 19 digits, "@": nanoseconds of CLOCK_MONOTONIC. */
enum { SIM_STAMP_DIGITS = 19, SIM_STAMP_BYTES = SIM_STAMP_DIGITS + 2 };

void sim_stamp_put(char out[SIM_STAMP_BYTES], int64_t ns);
/* Does s begin with one? */
bool sim_stamp_get(struct str s, int64_t *ret_ns);

#endif
