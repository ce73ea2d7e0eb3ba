# SPDX-License-Identifier: MIT
"""A throw-away world for command lines that may be destructive, with real
interpreters: new mount, network, pid, ipc and uts namespaces, a tmpfs as root that
holds copies of them, the libraries (read-only), dash, and stubs for whatever else the
lines name.  What runs inside runs as nobody.

`enter()' starts the calling test again inside the namespaces, as its own pid 1.
"""
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get("EG_BUILD", os.path.join(HERE, "../../build")))
CORPORA = os.path.join(os.path.abspath(os.environ.get("EG_SHARED", os.path.join(HERE, "../../../shared"))), "corpora")
NOBODY = 65534
RECORD = "/w/record"

# Appends one line about itself to the record: its arguments, directory, where its
# descriptors lead, some variables; and prints its arguments.
STUB = r"""
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static char text[60000];
static size_t n;
static void add(const char *before, const char *s)
{
    for (; *before && n < sizeof text - 8; before++) text[n++] = *before;
    for (; *s && n < sizeof text - 8; s++) {
        if (*s == '\n' || *s == '\\') text[n++] = '\\';
        text[n++] = *s == '\n' ? 'n' : *s;
    }
}
int main(int argc, char **argv)
{
    char path[4200], name[32];
    int reads = 0;
    for (int i = 0; i < argc; i++) add(i ? "\t" : "", argv[i]);
    add("\tin ", getcwd(path, sizeof path) ? path : "?");
    for (int fd = 0; fd < 4; fd++) {
        snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
        ssize_t got = readlink(name, path, sizeof path - 1);
        path[got > 0 ? got : 0] = 0;
        if (fd == 0) reads = !strncmp(path, "pipe:", 5);
        if (!strncmp(path, "pipe:", 5)) path[4] = 0;
        add("\t", path);
    }
    static const char *const shown[] = { "LANG", "LC_ALL", "PATH", "PWD", "OLDPWD" };
    for (int i = 0; i < 5; i++)
        if (getenv(shown[i])) add("\t", shown[i]), add("=", getenv(shown[i]));
    text[n++] = '\n';
    int fd = open("/w/record", O_WRONLY | O_APPEND);
    if (fd < 0 || write(fd, text, n) != (ssize_t)n) return 99;
    for (int i = 0; i < argc; i++) dprintf(1, "%s|", argv[i]);
    dprintf(1, "\n");
    dprintf(2, "%s says so\n", argv[0]);
    while (reads && read(0, text, sizeof text) > 0) continue;
    return argc > 1 ? 3 : 0;
}
"""


def enter():
    """Go on inside, or say why not; returns only inside."""
    if os.environ.get("EG_INSIDE") == str(os.getppid()) or os.getpid() == 1:
        subprocess.run(["mount", "--make-rprivate", "/"], check=True)
        return
    if os.geteuid() != 0:
        print("1..0 # SKIP namespaces of this kind need root")
        sys.exit(0)
    flags = ["--mount", "--net", "--pid", "--ipc", "--uts", "--fork", "--kill-child"]
    if subprocess.run(["unshare", *flags, "true"], capture_output=True, check=False).returncode:
        print("1..0 # SKIP namespaces are not allowed here")
        sys.exit(0)
    os.execvp("unshare", ["unshare", *flags, sys.executable, "-B", os.path.abspath(sys.argv[0]), *sys.argv[1:]])


class World:
    """The root folder; `interpreters' are host paths that are copied to /usr/bin."""

    def __init__(self, interpreters):
        self.root = "/mnt"
        self.stubs = set()
        run = lambda *argv: subprocess.run(argv, check=True)
        run("mount", "-t", "tmpfs", "-o", "mode=755,size=600m", "none", self.root)
        for folder in ("proc", "dev", "tmp", "w", "usr/bin", "usr/lib", "usr/share", "usr/sbin", "etc", "opt/guard"):
            os.makedirs(self.path(folder))
        for name in ("bin", "sbin", "lib", "lib64", "lib32", "libx32"):
            if os.path.islink("/" + name):
                os.symlink(os.readlink("/" + name), self.path(name))
        for folder in ("usr/lib", "usr/lib64", "usr/share", "etc/php", "etc/alternatives"):
            if not os.path.isdir("/" + folder):
                continue
            os.makedirs(self.path(folder), exist_ok=True)
            run("mount", "--rbind", "/" + folder, self.path(folder))
            run("mount", "-o", "remount,bind,ro", self.path(folder))
        run("mount", "-t", "proc", "proc", self.path("proc"))
        for device in ("null", "zero", "urandom", "random"):
            open(self.path("dev/" + device), "w", encoding="ascii").close()
            run("mount", "--bind", "/dev/" + device, self.path("dev/" + device))
        if os.path.exists("/etc/ld.so.cache"):
            shutil.copy("/etc/ld.so.cache", self.path("etc/ld.so.cache"))
        for path in interpreters:
            shutil.copy(os.path.realpath(path), self.path("usr/bin/" + os.path.basename(path)))
        for name in ("execguard", "execguard-full", "libexecguard-preload.so", "execguard-line"):
            if os.path.exists(os.path.join(BUILD, name)):
                shutil.copy(os.path.join(BUILD, name), self.path("opt/guard/" + name))
        with open(self.path("w/stub.c"), "w", encoding="ascii") as f:
            f.write(STUB)
        run("gcc", "-Os", "-s", "-w", "-o", self.path("w/stub"), self.path("w/stub.c"))
        os.chmod(self.path("tmp"), 0o1777)

    def path(self, inside):
        return os.path.join(self.root, inside.lstrip("/"))

    def add_stub(self, path):
        """A program at this path, a file of its own; what is there already stays."""
        where = self.path(path)
        if len(os.path.basename(path)) > 200 or path.startswith(("/proc", "/dev", "/usr/lib", "/usr/share", "/lib")):
            return
        try:
            os.makedirs(os.path.dirname(where), exist_ok=True)
            if not os.path.lexists(where):
                shutil.copy(self.path("w/stub"), where)
                self.stubs.add(path)
        except OSError:
            pass

    def set_shell(self, real):
        """dash as /bin/sh, or the stub in its place, so that a shell is seen."""
        where = self.path("usr/bin/dash")
        if os.path.lexists(where):
            os.unlink(where)
        shutil.copy("/usr/bin/dash" if real else self.path("w/stub"), where)
        for name in ("sh", "bash"):
            link = self.path("usr/bin/" + name)
            if os.path.lexists(link):
                os.unlink(link)
            if name == "sh" or not real:
                os.symlink("dash", link)

    def compile(self, text):
        """The policy, as a file that the preload object takes."""
        with open(self.path("w/world.policy"), "w", encoding="utf-8") as f:
            f.write(text)
        done = self.run(["/opt/guard/execguard", "compile", "-p", "/w/world.policy", "-o", "/w/world.blob"], user=0)
        if done.returncode:
            raise RuntimeError(done.stderr.decode(errors="replace"))

    def clear_record(self):
        with open(self.path(RECORD), "wb"):
            pass
        os.chmod(self.path(RECORD), 0o666)

    def record(self):
        with open(self.path(RECORD), "rb") as f:
            return f.read().decode(errors="backslashreplace").split("\n")[:-1]

    def run(self, argv, guarded=False, user=NOBODY, timeout=300, env=None):
        environment = {"PATH": "/usr/bin:/usr/sbin", "HOME": "/tmp", **(env or {})}
        if guarded:
            environment.update(LD_PRELOAD="/opt/guard/libexecguard-preload.so", EXECGUARD_POLICY="/w/world.blob")

        def become():
            os.chroot(self.root)
            os.chdir("/w")
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
        return subprocess.run(argv, env=environment, preexec_fn=become, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=timeout, check=False)
