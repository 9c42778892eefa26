/* sim_stamp.c -- timestamps inside the text of a simulated answer.
 *
 * Of fixed width, so that a reader who knows where one stood finds the next in the same place,
 * and of characters that no dialect escapes.
 */
#include "upstream/sim_stamp.h"

#include "base/num.h"

void
sim_stamp_put(char out[SIM_STAMP_BYTES], int64_t ns)
{
    uint64_t v = ns > 0 ? (uint64_t)ns : 0;

    out[0] = out[SIM_STAMP_BYTES - 1] = '@';
    num_digits(out + SIM_STAMP_BYTES - 1, v, SIM_STAMP_DIGITS);
}

bool
sim_stamp_get(struct str s, int64_t *ret_ns)
{
    uint64_t v = 0;

    if (s.n < SIM_STAMP_BYTES || s.p[0] != '@' || s.p[SIM_STAMP_BYTES - 1] != '@')
        return false;
    for (int i = 1; i <= SIM_STAMP_DIGITS; i++) {
        unsigned digit = (unsigned char)s.p[i] - (unsigned)'0';

        if (digit > 9)
            return false;
        v = v * 10 + digit;
    }
    if (v > INT64_MAX)
        return false;
    *ret_ns = (int64_t)v;
    return true;
}
