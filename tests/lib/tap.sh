# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Test Anything Protocol for script tests.  A test starts with
#
#     . "$(dirname "$0")/../lib/tap.sh"
#
# and then has: $EG_ROOT (the source tree), $EG_BUILD and $EG_SHARED as absolute
# paths, $TAP_DIR (an empty folder that vanishes at the end), and the functions
# below.  It ends with `tap_done`, which prints the plan and sets the status.

set -u

EG_ROOT=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
EG_BUILD=${EG_BUILD:-$EG_ROOT/build}
EG_SHARED=${EG_SHARED:-$(dirname "$EG_ROOT")/shared}
export EG_ROOT EG_BUILD EG_SHARED

TAP_DIR=$(mktemp -d "${TMPDIR:-/tmp}/eg-test.XXXXXX") || exit 1
tap_count=0
tap_failures=0
tap_main=$$

# Subshells inherit the trap in some shells; only the test itself may clean up.
tap_cleanup() {
    [ "$(exec sh -c 'echo $PPID')" = "$tap_main" ] || return 0
    chmod -R u+rwX "$TAP_DIR" 2>/dev/null
    rm -rf "$TAP_DIR"
}
trap tap_cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# diag TEXT: comment lines for whoever reads a failure.
diag() {
    printf '%s\n' "$*" | sed 's/^/# /'
}

# diag_file FILE [LINES]: the end of a file as comment lines.
diag_file() {
    [ -e "$1" ] && tail -n "${2:-40}" "$1" | sed 's/^/# | /'
}

# ok NAME / not_ok NAME [DETAIL]: one result.  NAME is a sentence.
ok() {
    tap_count=$((tap_count + 1))
    echo "ok $tap_count - $1"
}

not_ok() {
    tap_count=$((tap_count + 1))
    tap_failures=$((tap_failures + 1))
    echo "not ok $tap_count - $1"
    [ $# -lt 2 ] || diag "$2"
}

# skip NAME REASON: this one cannot be tested here.
skip() {
    tap_count=$((tap_count + 1))
    echo "ok $tap_count - $1 # SKIP $2"
}

# skip_all REASON: nothing of this file can be tested here; ends the test.
skip_all() {
    echo "1..0 # SKIP $1"
    exit 0
}

# is NAME GOT EXPECTED: equal strings.
is() {
    if [ "$2" = "$3" ]; then
        ok "$1"
    else
        not_ok "$1" "expected: $3
     got: $2"
    fi
}

# like NAME TEXT ERE: some line of the text matches the extended pattern.
like() {
    if printf '%s\n' "$2" | grep -Eq -- "$3"; then
        ok "$1"
    else
        not_ok "$1" "no line matches: $3
in: $2"
    fi
}

# unlike NAME TEXT ERE: no line of the text matches.
unlike() {
    if printf '%s\n' "$2" | grep -Eq -- "$3"; then
        not_ok "$1" "a line matches: $3
in: $2"
    else
        ok "$1"
    fi
}

# run COMMAND...: run it with no input; its output goes to $TAP_DIR/out and
# $TAP_DIR/err, its status to $status.
run() {
    status=0
    "$@" </dev/null >"$TAP_DIR/out" 2>"$TAP_DIR/err" || status=$?
}

# check NAME COMMAND...: the command succeeds.
check() {
    tap_name=$1
    shift
    run "$@"
    if [ "$status" -eq 0 ]; then
        ok "$tap_name"
    else
        not_ok "$tap_name" "status $status from: $*"
        diag_file "$TAP_DIR/out"
        diag_file "$TAP_DIR/err"
    fi
}

# check_status NAME STATUS COMMAND...: the command ends with this status.
check_status() {
    tap_name=$1
    tap_want=$2
    shift 2
    run "$@"
    if [ "$status" -eq "$tap_want" ]; then
        ok "$tap_name"
    else
        not_ok "$tap_name" "status $status, expected $tap_want, from: $*"
        diag_file "$TAP_DIR/out"
        diag_file "$TAP_DIR/err"
    fi
}

# have PROGRAM: is it installed?
have() {
    command -v "$1" >/dev/null 2>&1
}

# tap_done: the plan; ends the test.
tap_done() {
    echo "1..$tap_count"
    [ "$tap_failures" -eq 0 ] || exit 1
    exit 0
}
