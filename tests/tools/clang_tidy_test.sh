#!/bin/sh
. "$(dirname "$0")/lib.sh"
command -v clang-tidy > /dev/null || {
    echo 'clang-tidy is not here'
    exit 77
}

cp "$repo/.clang-tidy" .
cp -R "$repo/include" .
write src/base/x.c '#include "triglot/err.h"' 'int f(int *p);' 'int' 'f(int *p)' '{' '    return p ? *p : 0;' '}'
passes "$tools/clang-tidy" src/base/x.c -- -Iinclude
write src/base/x.c 'int f(int *p);' 'int' 'f(int *p)' '{' '    return p ? 0 : *p;' '}'
fails 'clang-analyzer-core.NullDereference' "$tools/clang-tidy" src/base/x.c -- -Iinclude

# A failure that tg_fail makes is no success: with analyzer.h the value read below is always set.
write src/base/x.c '#include "triglot/err.h"' 'int f(int n, struct tg_err *e);' 'static tg_rc' \
    'g(int n, int *ret, struct tg_err *e)' '{' '    if (n)' \
    '        return tg_fail(e, TG_EPROTO, TG_ERR_INTERNAL, "x", "no");' '    *ret = 1;' '    return TG_OK;' '}' \
    'int' 'f(int n, struct tg_err *e)' '{' '    int v;' '    return g(n, &v, e) == TG_OK ? v : 0;' '}'
passes "$tools/clang-tidy" src/base/x.c -- -Iinclude -include "$tools/analyzer.h"
fails 'garbage' "$tools/clang-tidy" src/base/x.c -- -Iinclude
