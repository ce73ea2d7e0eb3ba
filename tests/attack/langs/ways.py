#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Python's own ways to run a command; `ways.py WAY MARK` or `ways.py --list`."""
import ctypes
import os
import pty
import subprocess
import sys

mark = sys.argv[2] if len(sys.argv) > 2 else ""
line = f"echo in > {mark}"
sh = ["/bin/sh", "-c", line]


def in_child(f):
    pid = os.fork()
    if pid == 0:
        try:
            f()
        finally:
            os._exit(1)
    os.waitpid(pid, 0)


def raw_ctypes():
    nr = 59 if os.uname().machine == "x86_64" else 221
    argv = (ctypes.c_char_p * 4)(b"sh", b"-c", line.encode(), None)
    envp = (ctypes.c_char_p * 1)(None)
    in_child(lambda: ctypes.CDLL(None).syscall(nr, b"/bin/sh", argv, envp))


def env_pythonpath():
    env = dict(os.environ, PYTHONPATH=os.environ["WAY_DIR"])
    subprocess.run(["/usr/bin/perl", "-e", "1"], env=dict(env, PERL5OPT="-Mevil", PERL5LIB=os.environ["WAY_DIR"]), check=False)


ways = {
    "os_system": lambda: os.system(line),
    "os_popen": lambda: os.popen(line).read(),
    "shell_true": lambda: subprocess.run(line, shell=True, check=False),
    "run_list": lambda: subprocess.run(sh, check=False),
    "run_close_fds_off": lambda: subprocess.run(sh, close_fds=False, check=False),
    "executable": lambda: subprocess.run(["true", "-c", line], executable="/bin/sh", check=False),
    "cwd_relative": lambda: subprocess.run(["./sh", "-c", line], cwd="/bin", check=False),
    "getoutput": lambda: subprocess.getoutput(line),
    "posix_spawn": lambda: os.waitpid(os.posix_spawn(sh[0], sh, os.environ), 0),
    "spawnv": lambda: os.spawnv(os.P_WAIT, sh[0], sh),
    "execv": lambda: in_child(lambda: os.execv(sh[0], sh)),
    "execve_fd": lambda: in_child(lambda: os.execve(os.open("/bin/sh", os.O_RDONLY), sh, os.environ)),
    "pty_spawn": lambda: pty.spawn(sh, lambda fd: b""),
    "ctypes_system": lambda: ctypes.CDLL(None).system(line.encode()),
    "ctypes_execv": lambda: in_child(
        lambda: ctypes.CDLL(None).execv(b"/bin/sh", (ctypes.c_char_p * 4)(b"sh", b"-c", line.encode(), None))
    ),
    "ctypes_syscall": raw_ctypes,
    "env_perl5opt": env_pythonpath,
}
if sys.argv[1] == "--list":
    print("\n".join(sorted(ways)))
else:
    try:
        ways[sys.argv[1]]()
    except OSError as error:
        print(error, file=sys.stderr)
