# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# What the command's tests share.  Root's policies may not lie below /tmp, which
# others can write: root tests in /run.

if [ "$(id -u)" -eq 0 ]; then
    TMPDIR=/run
    export TMPDIR
fi
. "$(dirname "$0")/../lib/tap.sh"

umask 022
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
chmod 755 "$TAP_DIR"
GUARD=$EG_BUILD/execguard
XDG_CACHE_HOME=$TAP_DIR/cache
export XDG_CACHE_HOME
# A worker cannot make files beside the guard's, in the folder of the policy.
mkdir "$TAP_DIR/w"
MARK=$TAP_DIR/w/mark
export GUARD MARK
[ -x "$GUARD" ] || skip_all "$GUARD is not built"

# policy NAME: standard input becomes $TAP_DIR/NAME.policy; its path is $P.
policy() {
    P=$TAP_DIR/$1.policy
    rm -f "$P"
    cat >"$P"
}

# refuses NAME ERE: with the policy $P, exec ends with 125 before the worker
# started, and says something that matches.
refuses() {
    rm -f "$MARK"
    run "$GUARD" exec -p "$P" -- /usr/bin/touch "$MARK"
    if [ "$status" -ne 125 ]; then
        not_ok "$1" "status $status, expected 125"
        diag_file "$TAP_DIR/err"
    elif [ -e "$MARK" ]; then
        not_ok "$1" "the worker was started"
    else
        like "$1" "$(cat "$TAP_DIR/err")" "$2"
    fi
}
