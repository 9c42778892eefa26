#!/bin/sh
. "$(dirname "$0")/lib.sh"
cc=${CC:-cc}

h() { printf '#ifndef %s\n#define %s\n%s\n#endif\n' "$2" "$2" "$3" > "$1"; }
h src/base/a.h BASE_A_H '#include <stddef.h>
static inline size_t f(void) { return 1; }'
passes "$tools/check-headers" "$cc" -Iinclude -Isrc -Werror

h src/base/a.h BASE_A_H 'size_t f(void);'
fails 'src/base/a.h: does not compile alone' "$tools/check-headers" "$cc" -Iinclude -Isrc
h src/base/a.h A_H 'int f(void);'
fails 'src/base/a.h: its guard should be BASE_A_H' "$tools/check-headers" "$cc" -Iinclude -Isrc
echo 'struct a { int x; };' > src/base/a.h
fails 'does not compile alone' "$tools/check-headers" "$cc" -Iinclude -Isrc
