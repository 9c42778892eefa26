/* analyzer.h -- what clang's analyzer cannot see across files; put before every file that tools/clang-tidy looks at.
 *
 * The functions that make an error return a code that is never TG_OK. Without knowing that, the analyzer walks on
 * into code that only success reaches, with outputs that a failure leaves untouched.
 */
#ifndef TOOLS_ANALYZER_H
#define TOOLS_ANALYZER_H

#include "triglot/err.h"

static inline tg_rc
analyzer_failed(tg_rc rc)
{
    if (rc == TG_OK)
        __builtin_unreachable();
    return rc;
}

#define tg_fail(...)          analyzer_failed(tg_fail(__VA_ARGS__))
#define tg_upstream_fail(...) analyzer_failed(tg_upstream_fail(__VA_ARGS__))
#define tg_refuse(...)        analyzer_failed(tg_refuse(__VA_ARGS__))
#define tg_fail_sys(...)      analyzer_failed(tg_fail_sys(__VA_ARGS__))

#endif
