#!/bin/sh
. "$(dirname "$0")/lib.sh"

write src/json/tree.c '#include <cjson/cJSON.h>'
write src/co/ring.c '#include <liburing.h>'
write src/co/ring_int.h '#include <liburing.h>'
write src/net/tls.c '#include <bearssl.h>'
write src/net/trust.c '#include <bearssl.h>'
write src/http/parser.c '#include <llhttp.h>'
passes "$tools/check-style"

write src/co/co.c '#include <liburing.h>'
fails 'src/co/co.c:2: <liburing is for src/co/ring*.[ch] only' "$tools/check-style"
write src/co/co.c
write src/http/h.c '#include <cjson/cJSON.h>'
fails 'cJSON.h is for src/json only' "$tools/check-style"
write src/http/h.c '#include <bearssl.h>'
fails 'bearssl is for' "$tools/check-style"
write src/http/h.c '#include <yaml.h>'
fails 'yaml.h is for src/conf only' "$tools/check-style"
write src/http/h.c
write src/net/n.c '#include <llhttp.h>'
fails 'llhttp.h is for src/http only' "$tools/check-style"

for word in TODO FIXME XXX; do
    write src/net/n.c "int x; /* $word: later */"
    fails 'src/net/n.c:2: a task is an issue' "$tools/check-style"
done
write src/net/n.c 'int x; '
fails 'blank at the end' "$tools/check-style"
write src/net/n.c "$(printf '\tint x;')"
fails 'tab' "$tools/check-style"
echo 'int x;' > src/net/n.c
fails 'src/net/n.c:1: no opening comment' "$tools/check-style"

lines() { awk -v n="$1" 'BEGIN { while (n--) print "int x;" }'; }
write src/net/n.c "$(lines 1300)"
fails 'src/net/n.c: 1301 lines, 1200 allowed' "$tools/check-style"
write src/net/n.c "$(lines 900)"
passes "$tools/check-style"
"$tools/check-style" | grep -q 'n.c: warning: 901 lines'
write src/net/n.c 'void' 'f(void)' '{' "$(lines 71)" '}'
passes "$tools/check-style"
"$tools/check-style" | grep -q 'warning: a function of 71 lines'
