# SPDX-License-Identifier: MIT
"""What the tests of `watch` share: TAP, a folder with upload trees, a watcher."""
import errno
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
GUARD = os.path.join(os.environ.get("EG_BUILD", os.path.join(ROOT, "build")), "execguard")
NOBODY = 65534
CODE = b"<?php echo 'COD' . 'E RAN'; ?>\n"
PICTURE = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(range(256)) * 20
count = failures = 0


def is_(name, good, detail=""):
    global count, failures
    count += 1
    failures += not good
    print("%s %d - %s" % ("ok" if good else "not ok", count, name), flush=True)
    if not good:
        print("".join("# %s\n" % line for line in str(detail)[-2000:].splitlines()), end="", flush=True)


def skip(name, why):
    global count
    count += 1
    print("ok %d - %s # SKIP %s" % (count, name, why), flush=True)


def skip_all(why):
    print("1..0 # SKIP " + why)
    sys.exit(0)


def done():
    print("1..%d" % count)
    sys.exit(failures != 0)


def needs():
    if os.getuid():
        skip_all("fanotify permission events need root")
    if not os.access(GUARD, os.X_OK):
        skip_all(GUARD + " is not built")


def within(seconds, good):
    """Wait for something; no test depends on how long it takes."""
    end = time.monotonic() + seconds
    while True:
        if good():
            return True
        if time.monotonic() > end:
            return False
        time.sleep(0.02)


def write(path, data, mode=0o644):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as f:
        f.write(data)


def read(path):
    """The file's bytes, or the name of the error."""
    try:
        with open(path, "rb") as f:
            return f.read()
    except OSError as e:
        return errno.errorcode[e.errno]


def as_nobody(do, *args):
    """Run do() in a process of another user; True when it returned."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            do(*args)
            status = 0
        except OSError as e:
            print("# as nobody: %s" % e, flush=True)
        finally:
            os._exit(status)
    return os.waitpid(pid, 0)[1] == 0


class Site:
    """Upload trees www/*/uploads, a folder outside of them, a policy."""

    def __init__(self, rules="", mode="enforce", quarantine=True, extra=""):
        self.folder = tempfile.mkdtemp(prefix="execguard-watch-", dir="/var/lib")
        os.chmod(self.folder, 0o755)
        self.outside = self.path("outside")
        self.quarantine = self.path("quarantine")
        self.events_file = self.path("events.jsonl")
        for name in ("www", "outside"):
            os.mkdir(self.path(name))
            os.chown(self.path(name), NOBODY, NOBODY)
        self.uploads = self.vhost("a")
        self.log = open(self.path("stderr"), "w+b")
        self.process = None
        self.policy(rules, mode, quarantine, extra)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def vhost(self, name):
        for folder in (self.path("www", name), self.path("www", name, "uploads")):
            os.makedirs(folder, exist_ok=True)
            os.chown(folder, NOBODY, NOBODY)
        return self.path("www", name, "uploads")

    def policy(self, rules="", mode="enforce", quarantine=True, extra=""):
        rules = rules or ("deny name scripts *.svg\n deny content php elf script\n"
                          "deny executable\n deny read scripts\n")
        if quarantine:
            rules += "quarantine %s\n" % self.quarantine
        write(self.path("p.policy"),
              ("mode %s\nexec { deny /bin/true }\nwrite { allow %s/www/*/uploads/** }\n"
               "uploads %s/www/*/uploads {\n%s}\nlog { rate 100000/s burst 16000 }\n%s"
               % (mode, self.folder, self.folder, rules, extra)).encode())

    def start(self, *options, expect_ready=True):
        mark = self.log.seek(0, 2)
        self.process = subprocess.Popen(
            [GUARD, "watch", "-p", self.path("p.policy"), "--events", self.events_file, *options],
            stderr=self.log, stdin=subprocess.DEVNULL, cwd="/")
        if expect_ready and not within(60, lambda: b"ready" in self.said(mark) or self.process.poll() is not None):
            print("# the watcher is not ready\n# " + self.said().decode(errors="replace"))
        return self

    def said(self, since=0):
        with open(self.path("stderr"), "rb") as f:
            f.seek(since)
            return f.read()

    def child(self):
        try:
            with open("/proc/%d/task/%d/children" % (self.process.pid, self.process.pid)) as f:
                return [int(word) for word in f.read().split()]
        except OSError:
            return []

    def events(self):
        try:
            with open(self.events_file, "rb") as f:
                return [json.loads(line) for line in f.read().splitlines()]
        except FileNotFoundError:
            return []

    def event(self, **fields):
        """Is there such an event, by now or soon?"""
        return within(20, lambda: any(all(e.get(k) == v for k, v in fields.items()) for e in self.events()))

    def gone(self, path):
        return within(30, lambda: not os.path.lexists(path))

    def stop(self):
        if not self.process:
            return None
        if self.process.poll() is None:
            self.process.terminate()
        status = self.process.wait(30)
        self.process = None
        return status

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)
