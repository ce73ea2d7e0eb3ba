#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Python's own ways to run a command: `ways.py WAY MARK`, `ways.py --list`, and
`ways.py --allowed PROGRAM`, which runs an allowed program in each way."""
import asyncio
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


def ctypes_popen():
    popen = ctypes.CDLL(None).popen
    popen.restype = ctypes.c_void_p
    return popen(line.encode(), b"r") or sys.exit(0)


def env_perl5opt():
    env = dict(os.environ, PERL5OPT="-Mevil", PERL5LIB=os.environ["WAY_DIR"])
    subprocess.run(["/usr/bin/perl", "-e", "1"], env=env, check=False)



def env_preload():
    env = dict(os.environ, LD_PRELOAD=os.environ["WAY_DIR"] + "/evil.so")
    subprocess.run(["/usr/bin/perl", "-e", "1"], env=env, check=False)


def putenv_preload():
    os.environ["LD_PRELOAD"] = os.environ["WAY_DIR"] + "/evil.so"
    os.system("/bin/true")
    subprocess.run(["/usr/bin/perl", "-e", "1"], check=False)


async def finish(started):
    await (await started).wait()


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
    "env_perl5opt": env_perl5opt,
    "env_preload": env_preload,
    "putenv_preload": putenv_preload,
    "asyncio_shell": lambda: asyncio.run(finish(asyncio.create_subprocess_shell(line))),
    "asyncio_exec": lambda: asyncio.run(finish(asyncio.create_subprocess_exec(*sh))),
    "posix_spawnp": lambda: os.waitpid(os.posix_spawnp("sh", sh, os.environ), 0),
    "posix_spawn_setsid": lambda: os.waitpid(os.posix_spawn(sh[0], sh, {}, setsid=True), 0),
    "execvpe": lambda: in_child(lambda: os.execvpe("sh", sh, {"PATH": "/bin"})),
    "user_and_session": lambda: subprocess.run(sh, start_new_session=True, umask=0o77, check=False),
    "stdin": lambda: subprocess.run(["sh"], input=line.encode(), check=False),
    "ctypes_popen": lambda: ctypes.CDLL(None).pclose(ctypes.c_void_p(ctypes_popen())),
}


def status_of(argv):
    pid = os.fork()
    if pid == 0:
        os.execv(argv[0], argv)
    return os.waitpid(pid, 0)[1]


def output_of(run):
    done = run()
    return done.returncode, done.stdout, done.stderr


def allowed(program):
    argv = [program, "3", "a b;c", "$x"]
    pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "check": False, "input": b"input"}
    runs = {
        "execv": lambda: status_of(argv),
        "missing": lambda: output_of(lambda: subprocess.run(["/nonexistent/program"], **pipe)),
        "posix_spawn": lambda: os.waitpid(os.posix_spawn(program, argv, os.environ), 0)[1],
        "run": lambda: output_of(lambda: subprocess.run(argv, **pipe)),
        "run_close_fds_off": lambda: output_of(lambda: subprocess.run(argv, close_fds=False, **pipe)),
        "run_cwd": lambda: output_of(lambda: subprocess.run(argv, cwd="/", **pipe)),
        "run_environment": lambda: output_of(lambda: subprocess.run(argv, env={}, **pipe)),
        "run_session": lambda: output_of(lambda: subprocess.run(argv, start_new_session=True, **pipe)),
        "spawnv": lambda: os.spawnv(os.P_WAIT, program, argv),
    }
    for name, run in runs.items():
        try:
            print(name, run(), flush=True)
        except OSError as error:
            print(name, error, flush=True)


if sys.argv[1] == "--allowed":
    allowed(mark)
elif sys.argv[1] == "--list":
    print("\n".join(sorted(ways)))
else:
    try:
        ways[sys.argv[1]]()
    except OSError as error:
        print(error, file=sys.stderr)
