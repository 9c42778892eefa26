# Shared by the tests of the guards: a scratch tree, and two assertions.
# Each test shows that its guard passes what is right and fails, with the right words, on what is wrong.
set -eu
repo=$(cd "$(dirname "$0")/../.." && pwd)
tools=$repo/tools
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
mkdir -p include/triglot src/base src/co src/dialect/chat src/dialect/messages src/net src/http src/json tests tools
printf '/* str.h -- test */\n#ifndef TRIGLOT_STR_H\n#define TRIGLOT_STR_H\nstruct str;\n#endif\n' > include/triglot/str.h
printf '/* x.c -- test */\n' > src/base/x.c
: > Makefile

# write FILE LINE...: a source with an opening comment and these lines.
write() {
    file=$1
    shift
    { echo "/* $file -- test */"; printf '%s\n' "$@"; } > "$file"
}
passes() {
    if ! out=$("$@" 2>&1); then
        printf 'should pass: %s\n%s\n' "$*" "$out"
        exit 1
    fi
}
# fails WORDS COMMAND...
fails() {
    words=$1
    shift
    if out=$("$@" 2>&1); then
        printf 'should fail with "%s": %s\n%s\n' "$words" "$*" "$out"
        exit 1
    fi
    case $out in
    *"$words"*) ;;
    *)
        printf 'should say "%s": %s\n%s\n' "$words" "$*" "$out"
        exit 1
        ;;
    esac
}
