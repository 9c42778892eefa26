/* pairs_run.h -- running over pairs of dialects and telling what failed.
 *
 * Failures are counted and told one a line, dialects and case first, so that one run says all.
 */
#ifndef TESTS_SUPPORT_PAIRS_RUN_H
#define TESTS_SUPPORT_PAIRS_RUN_H

#include "support/pairs.h"

#define FOR_PAIRS(from, to)                                                                    \
    for (const struct dialect *const *p_##from = dialect_all(), *from; (from = *p_##from);     \
         p_##from++)                                                                           \
        for (const struct dialect *const *p_##to = dialect_all(), *to; (to = *p_##to); p_##to++)

/* A cmocka set-up, and what must end every test: something was compared, and nothing failed. */
int pairs_begin(void **state);
void pairs_settle(void);
/* Something was looked at. */
void pairs_ran(void);
void pairs_fault(const struct dialect *from, const struct dialect *to, const char *what,
                 const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* why, or where the texts differ. */
void pairs_compare(const struct dialect *from, const struct dialect *to, const char *what,
                   const char *why, const char *want, const char *got);
/* Do both have the codecs for answers, for requests from one to the other?  False is a fault.
 */
bool pairs_answers(const struct dialect *from, const struct dialect *to);
bool pairs_requests_go(const struct dialect *from, const struct dialect *to);

#endif
