#!/bin/sh
# A dialect is a folder: a fourth one, made of the Chat dialect under another name, is added to a copy of the tree,
# and the build serves, translates and configures it without a change to any other file.
set -eu
repo=$(cd "$(dirname "$0")/../.." && pwd)
[ -x "$repo/build/release/triglot" ] || {
    echo 'no build/release/triglot'
    exit 77
}
command -v curl > /dev/null || {
    echo 'no curl'
    exit 77
}
dir=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill "$pid" 2> /dev/null || :; rm -rf "$dir"' EXIT
bad() {
    echo "$*"
    exit 1
}

# The copy keeps the objects and their times, so that only what the new folder changes is built.
mkdir -p "$dir/tree/build"
cd "$repo"
cp -a Makefile include src tools man "$dir/tree/"
mkdir -p "$dir/tree/vendor" && cp -a vendor/. "$dir/tree/vendor/"
cp -a build/release "$dir/tree/build/release"
cd "$dir/tree"
cp -a src src.before
mkdir src/dialect/dummy
for f in src/dialect/chat/*.[ch]; do
    name=$(basename "$f" | sed 's/chat/dummy/g')
    sed 's/chat/dummy/g; s/CHAT/DUMMY/g; s/Chat/Dummy/g' "$f" > "src/dialect/dummy/$name"
done
make -s -j"${JOBS:-2}" build/release/triglot > "$dir/log" 2>&1 || bad "does not build: $(tail -n 20 "$dir/log")"
tools/check-layers || bad 'breaks the layers'
diff -r -x dummy src src.before || bad 'another source was changed'

cat > "$dir/conf.yaml" <<'CONF'
listen: 127.0.0.1:0
workers: 1
upstreams: [{name: up, url: http://127.0.0.1:9/v1, dialect: dummy}]
models: [{name: far, upstream: up}]
CONF
unset OPENAI_API_KEY OPENAI_BASE_URL ANTHROPIC_API_KEY ANTHROPIC_BASE_URL
triglot=build/release/triglot
$triglot -t -c "$dir/conf.yaml" > "$dir/out" 2>&1 || bad "no upstream of dialect dummy: $(cat "$dir/out")"
$triglot --mdoc-dialects | grep -q '^\.It dummy$' || bad 'the manual does not name it'
$triglot -c "$dir/conf.yaml" > "$dir/log" 2>&1 &
pid=$!
# The daemon says in its log where it listens; the file is waited for as long as the daemon lives.
until port=$(sed -n 's/.*127\.0\.0\.1:\([1-9][0-9]*\).*/\1/p' "$dir/log" | head -n 1) && [ -n "$port" ]; do
    kill -0 "$pid" 2> /dev/null || bad "ended: $(cat "$dir/log")"
done
base=http://127.0.0.1:$port
curl -s "$base/v1/dummy/completions" -d '{"model":"sim","messages":[{"role":"user","content":"Hi"}]}' > "$dir/out"
grep -q '"id":"dummycmpl-' "$dir/out" || bad "not served: $(cat "$dir/out")"
curl -s "$base/v1/convert" -d '{"from":"dummy","to":"messages","kind":"request","payload":{"model":"sim","messages":[{"role":"user","content":"Hi"}]}}' > "$dir/out"
grep -q '"max_tokens"' "$dir/out" || bad "not translated: $(cat "$dir/out")"
