#!/bin/sh
. "$(dirname "$0")/lib.sh"
command -v mandoc > /dev/null || {
    echo 'mandoc is not here'
    exit 77
}

mkdir man
page() { printf '.Dd March 1, 2026\n.Dt TRIGLOT 8\n.Os\n.Sh NAME\n.Nm triglot\n.Nd gateway\n.Sh DESCRIPTION\n%s\n' "$1"; }
page 'It runs.
.Sh SEE ALSO
.Xr triglot.yaml 5' > man/triglot.8
passes "$tools/man-lint"
page '.Foo bar' > man/triglot.8
fails 'skipping unknown macro' "$tools/man-lint"
