#!/bin/sh
. "$(dirname "$0")/lib.sh"

write src/net/n.c '/* strcpy(a, b) and' ' * malloc(1) */' 'const char *s = "sprintf(x) \" gets(y)";' 'x->free(p); y.read(q);' \
    'my_malloc(3); // poll(1)' 'int freeze(int);' "char c = '\"'; ok(c);"
write src/base/m.c 'void *p = malloc(3); free(p); read(0, 0, 0);'
write src/net/dns.c 'int r = getaddrinfo(a, b, c, d);'
passes "$tools/check-banned"

for f in strcpy strcat sprintf strncpy strtok gets atoi strtol sscanf gmtime localtime alloca; do
    write src/base/x.c "/* why */ $f (a);"
    fails "src/base/x.c:2: $f is banned" "$tools/check-banned"
done
write src/base/x.c
for f in malloc free calloc realloc; do
    write src/http/h.c "x = $f(3);"
    fails "src/http/h.c:2: $f is for base and co" "$tools/check-banned"
done
for f in read write recv send poll sleep getaddrinfo; do
    write src/http/h.c "if ($f(3)) { }"
    fails "src/http/h.c:2: $f blocks a worker" "$tools/check-banned"
done
write src/http/h.c "int x; /* a */ free(p); /* b"
fails 'h.c:2: free is for' "$tools/check-banned"
