#!/bin/sh
# The command line: what goes where, which status, and that the manual pages say the same as the program.
# TRIGLOT names the program; the release build if not.
set -eu
repo=$(cd "$(dirname "$0")/../.." && pwd)
triglot=${TRIGLOT:-$repo/build/release/triglot}
[ -x "$triglot" ] || {
    echo "no $triglot"
    exit 77
}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
unset OPENAI_API_KEY OPENAI_BASE_URL ANTHROPIC_API_KEY ANTHROPIC_BASE_URL
bad() {
    echo "$*"
    exit 1
}

# runs STATUS ARGS...: leaves out and err.
runs() {
    want=$1
    shift
    got=0
    "$triglot" "$@" > out 2> err || got=$?
    [ "$got" = "$want" ] || bad "triglot $*: status $got, not $want: $(cat out err)"
}
silent() { [ ! -s "$1" ] || bad "should be empty: $(cat "$1")"; }
says() { grep -qF -- "$2" "$1" || bad "should say '$2': $(cat "$1")"; }

# What was asked for goes to standard output.
runs 0 --help
says out 'Usage: triglot'
silent err
cp out help
runs 0 -h
cmp -s out help || bad '-h and --help differ'
runs 0 --version
[ "$(sed -n 1p out)" = "triglot $(sed -n 's/^VERSION := //p' "$repo/Makefile")" ] || bad "version: $(cat out)"
for library in llhttp BearSSL cJSON libyaml zlib zstd brotli compiler kernel; do says out $library; done
silent err
[ ! -e /dev/full ] || if "$triglot" --help > /dev/full 2> err; then bad 'a full disk is no success'; fi

# What cannot be understood goes to standard error with status 2.
for args in --nonsense -c 'check-upstream' 'check-upstream a b' 'check-upstream --ca-file' nonsense; do
    runs 2 $args
    silent out
    says err 'Try "triglot --help"'
done
runs 2 chek-upstream
says err 'did you mean "check-upstream"?'

# The configuration.
runs 1 -t -c missing.yaml
silent out
says err 'missing.yaml: No such file or directory'
printf 'workers: 1\nlisen: 127.0.0.1:1\n' > bad.yaml
runs 1 -t -c bad.yaml
says err 'bad.yaml:2:1: unknown key "lisen" (did you mean "listen"?)'
runs 1 -c bad.yaml
runs 1 --dump-config -c bad.yaml
printf 'workers: 1\nupstreams: [{name: u, url: "http://h", key: "${K}"}]\n' > good.yaml
runs 1 -t -c good.yaml
says err 'good.yaml:2:45: upstreams[0].key: environment variable K is not set'
export K=sk-canary-4711
runs 0 --check --config good.yaml
says out 'good.yaml: the configuration is fine'
silent err
runs 0 --dump-config -c good.yaml
says out 'workers: 1  # good.yaml:1'
says out 'key: "***"  # good.yaml:2, environment K'
! grep -q canary out || bad 'the dump shows a key'

# Every option is in triglot(8), and every option of triglot(8) is the program's.
grep -o -- '--[a-z][a-z-]*' help | sed 's/^--//' | sort -u > program
sed -n 's/^\.It Fl/Fl/p' "$repo/man/triglot.8" | grep -o 'Fl -[a-z-]*' | sed 's/^Fl -//' | sort -u > page
diff program page || bad 'the options of --help (<) and of triglot(8) (>) differ'

# triglot.yaml(5) and triglot-dialects(7) hold what the program generates.
"$repo/tools/man-generate" -n "$triglot" || bad 'run tools/man-generate'
