#!/bin/sh
. "$(dirname "$0")/lib.sh"

prog() { printf '#!/bin/sh\n%s\n' "$2" > "$1"; chmod +x "$1"; }
# closing EXPECTED-LINE EXPECTED-STATUS MODE ARGS...
closing() {
    want=$1 status=$2
    shift 2
    rc=0
    out=$(TIMEOUT=1 "$tools/run-tests" "$@" 2>&1) || rc=$?
    last=$(printf '%s\n' "$out" | tail -n 1)
    if [ "$last" != "$want" ] || [ $rc != "$status" ]; then
        printf 'wanted "%s" and %s, got %s and:\n%s\n' "$want" "$status" $rc "$out"
        exit 1
    fi
}

prog good 'echo "[==========] 3 test(s) run."; echo "[  PASSED  ] 3 test(s)."'
prog mixed 'echo "[  PASSED  ] 1 test(s)."; echo "[  SKIPPED ] 2 test(s), listed below:";
            echo "[  FAILED  ] group: 4 test(s), listed below:"; exit 4'
prog crash 'echo "[  PASSED  ] 3 test(s)."; kill -SEGV $$'
prog leak 'echo "[  PASSED  ] 3 test(s)."; exit 23'
prog silent 'exit 0'
prog hang 'sleep 20'
closing '3 passed, 0 failed, 0 skipped' 0 cmocka ./good
closing '4 passed, 4 failed, 2 skipped' 1 cmocka ./good ./mixed
closing '3 passed, 1 failed, 0 skipped' 1 cmocka ./crash
closing '3 passed, 1 failed, 0 skipped' 1 cmocka ./leak
closing '0 passed, 1 failed, 0 skipped' 1 cmocka ./silent
closing '0 passed, 1 failed, 0 skipped' 1 cmocka ./hang
closing '0 passed, 1 failed, 0 skipped' 1 cmocka ./not-there
closing '1 passed, 1 failed, 0 skipped' 1 program ./good ./leak

# Several at a time: the same lines and the same sum, in whatever order.
JOBS=3
export JOBS
closing '4 passed, 5 failed, 2 skipped' 1 cmocka ./good ./mixed ./silent
closing '1 passed, 1 failed, 0 skipped' 1 program ./good ./leak
closing '0 passed, 2 failed, 0 skipped' 1 cmocka ./hang ./not-there
unset JOBS

prog node 'echo "# tests 9"; echo "# pass 5"; echo "# fail 1"; echo "# cancelled 1"; echo "# skipped 2"; exit 1'
prog plain 'echo "smuggling: 7 passed, 0 failed, 1 skipped"; echo "3 passed, 0 failed"'
closing '5 passed, 2 failed, 2 skipped' 1 tap e2e ./node
closing '10 passed, 0 failed, 1 skipped' 0 tap e2e ./plain
closing '0 passed, 1 failed, 0 skipped' 1 tap e2e ./silent

prog skip 'echo why; exit 77'
closing '0 passed, 0 failed, 1 skipped' 0 one guard ./skip
closing '1 passed, 0 failed, 0 skipped' 0 one guard ./silent

# A tally adds up over calls.
"$tools/run-tests" --tally t cmocka ./good > /dev/null
"$tools/run-tests" --tally t cmocka ./mixed > /dev/null || :
closing '4 passed, 4 failed, 2 skipped' 1 --tally t total
closing '0 passed, 0 failed, 0 skipped' 1 --tally none total
