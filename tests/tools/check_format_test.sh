#!/bin/sh
. "$(dirname "$0")/lib.sh"
case $(clang-format --version 2> /dev/null) in
*' 14.'*) ;;
*)
    echo 'clang-format 14 is not here'
    exit 77
    ;;
esac

cp "$repo/.clang-format" .
printf '/* x.c -- test */\nint\nf(void)\n{\n    return 1;\n}\n' > src/base/x.c
passes "$tools/check-format"
printf '/* x.c -- test */\nint f(void) {\n  return 1; }\n' > src/base/x.c
fails 'src/base/x.c:2' "$tools/check-format"
