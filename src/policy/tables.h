/* tables.h -- shorthand for the rows of the option tables.
 *
 * The tables (tables_*.c) are the only place where an option is described: key, type, default,
 * limits, help.  The loader, --dump-config and triglot.yaml(5) all read them, in their order.
 */
#ifndef POLICY_TABLES_H
#define POLICY_TABLES_H

#include "policy/settings_int.h"

#define KIB      INT64_C(1024)
#define MIB      (1024 * KIB)
#define GIB      (1024 * MIB)
#define DAY_MS   (24 * INT64_C(3600000))
#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

#define SECONDS(key_, at, text_, lo, hi, help_)                                                \
    {                                                                                          \
        .key = key_, .type = CONF_SECONDS, .offset = at, .text = text_, .min = lo, .max = hi,  \
        .help = help_                                                                          \
    }
#define BYTES(key_, at, text_, lo, hi, help_)                                                  \
    {                                                                                          \
        .key = key_, .type = CONF_BYTES, .offset = at, .text = text_, .min = lo, .max = hi,    \
        .help = help_                                                                          \
    }
#define INTEGER(key_, at, text_, lo, hi, help_)                                                \
    {                                                                                          \
        .key = key_, .type = CONF_INTEGER, .offset = at, .width = sizeof(int64_t),             \
        .text = text_, .min = lo, .max = hi, .help = help_                                     \
    }
#define SECTION(key_, at, table_, help_)                                                       \
    {                                                                                          \
        .key = key_, .type = CONF_SECTION, .offset = at, .table = table_, .help = help_        \
    }

#endif
