#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Runs a command where system calls are missing: without.py NAME... -- COMMAND.

A seccomp filter answers ENOSYS to the named calls, as a kernel without the
feature does; it stays on everything that the command starts.
"""
import ctypes
import ctypes.util
import errno
import os
import platform
import sys

NUMBERS = {
    "seccomp": {"x86_64": 317, "aarch64": 277},
    "landlock_create_ruleset": {"x86_64": 444, "aarch64": 444},
    "landlock_restrict_self": {"x86_64": 446, "aarch64": 446},
}
ALLOW, ERRNO, NO_NEW_PRIVS = 0x7FFF0000, 0x00050000, 3


def main():
    end = sys.argv.index("--")
    library = ctypes.CDLL(ctypes.util.find_library("seccomp"))
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(ALLOW)))
    if os.geteuid() == 0:
        library.seccomp_attr_set(context, NO_NEW_PRIVS, ctypes.c_uint32(0))
    for name in sys.argv[1:end]:
        number = NUMBERS[name][platform.machine()]
        if library.seccomp_rule_add(context, ctypes.c_uint32(ERRNO | errno.ENOSYS), number, ctypes.c_uint32(0)):
            sys.exit(f"without.py: no rule for {name}")
    if library.seccomp_load(context):
        sys.exit("without.py: cannot load the filter")
    command = sys.argv[end + 1:]
    os.execvp(command[0], command)


main()
