# SPDX-License-Identifier: MIT
"""What the attack tests share: a folder per run, the ways of attaching, TAP.

MODES are the columns of the tables: none (unguarded), preload (a compiled policy
and LD_PRELOAD alone), exec and run (the verbs).
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("EG_BUILD", os.path.join(HERE, "../../build"))
GUARD = os.path.join(BUILD, "execguard")
PRELOAD = os.path.join(BUILD, "libexecguard-preload.so")
MODES = ("none", "preload", "exec", "run")
WATCH_READY = 60
NOBODY = 65534
LOG = "log { file %s ; rate 1000/s burst 10000 }\n"


def users():
    """As whom each test runs."""
    return [os.getuid()] if os.getuid() else [0, NOBODY]


def who(user):
    return {0: "root", NOBODY: "nobody"}.get(user, f"user {user}")


def read_table(name, columns):
    """Rows of a table: words separated by blanks, the last column is free text."""
    rows = []
    with open(os.path.join(HERE, name), encoding="ascii") as table:
        for number, line in enumerate(table, 1):
            if line.startswith("#") or not line.strip():
                continue
            words = line.rstrip("\n").split(None, len(columns) - 1)
            if len(words) != len(columns):
                sys.exit(f"{name}:{number}: wants {', '.join(columns)}")
            rows.append(dict(zip(columns, words)))
    return rows


class Root:
    """The folder of one test; root's policies may not lie below a folder that
    everybody can write."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="execguard-attack-", dir=None if os.getuid() else "/var/lib")
        os.chmod(self.folder, 0o755)
        os.mkdir(os.path.join(self.folder, "runs"), 0o755)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)


class Place:
    """A folder for one run: policy, home, a planting place, and events, which do
    not lie beside the policy since no worker may write there."""

    def __init__(self, root, name, user=0):
        self.user = user
        self.folder = tempfile.mkdtemp(prefix=f"{name}-", dir=root.path("runs"))
        os.chmod(self.folder, 0o755)
        self.plant = os.path.join(self.folder, "plant")
        self.home = os.path.join(self.folder, "home")
        self.mark = os.path.join(self.plant, "mark")
        self.events = os.path.join(self.folder, "log", "events.jsonl")
        for folder in self.plant, self.home, os.path.dirname(self.events):
            os.mkdir(folder)
        self.policies = 0
        self.watcher = self.watched = None

    def give_away(self):
        """Everything in here belongs to the user from now on."""
        if self.user == os.getuid():
            return
        for folder, folders, files in os.walk(self.folder):
            for name in ["."] + folders + files:
                os.chown(os.path.join(folder, name), self.user, self.user, follow_symlinks=False)

    def spawn(self, command, environment, stdin=None, timeout=60):
        """Status (None: it took too long), output and errors of a command."""
        user = self.user if self.user != os.getuid() else None
        try:
            done = subprocess.run(command, env=environment, cwd=self.plant, stdin=stdin or subprocess.DEVNULL,
                                  capture_output=True, timeout=timeout, check=False, user=user, group=user,
                                  extra_groups=None if user is None else [])
        except subprocess.TimeoutExpired:
            return None, "", "timed out"
        return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")

    def run(self, mode, policy, command, environment=None, stdin=None):
        """The same of a worker, attached by `mode` under the policy's text."""
        environment = dict({"PATH": "/usr/bin:/bin", "HOME": self.home, "LANG": "C"}, **(environment or {}))
        if "EXECGUARD_PRETEND" in os.environ:  # pretend.test
            environment["EXECGUARD_PRETEND"] = os.environ["EXECGUARD_PRETEND"]
        if mode != "none":
            self.policies += 1
            folder = self.folder
            if mode == "watch":  # root's, whoever the worker is
                folder = self.watched = tempfile.mkdtemp(prefix="watched-", dir=os.path.dirname(self.folder))
            file = os.path.join(folder, f"{self.policies}.policy")
            with open(file, "w", encoding="ascii") as text:
                text.write(policy + LOG % self.events)
            os.chmod(file, 0o644)
        self.give_away()
        if mode == "watch":
            self.watch(file)
        elif mode == "preload":
            blob = os.path.join(self.folder, f"{self.policies}.blob")
            status, _, errors = self.spawn([GUARD, "compile", "-p", file, "-o", blob],
                                           {"PATH": "/usr/bin:/bin", "HOME": self.home})
            if status:
                raise RuntimeError("compile: " + errors)
            environment.update(LD_PRELOAD=PRELOAD, EXECGUARD_POLICY=blob)
        elif mode != "none":
            command = [GUARD, mode, "-p", file, "--"] + command
        return self.spawn(command, environment, stdin)

    def watch(self, policy):
        """`execguard watch` beside what runs from now on."""
        self.watcher = subprocess.Popen([GUARD, "watch", "-p", policy, "--events", self.events], cwd="/",
                                        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        os.set_blocking(self.watcher.stderr.fileno(), False)
        said, end = b"", time.monotonic() + WATCH_READY
        while b"ready" not in said:
            said += self.watcher.stderr.read() or b""
            if self.watcher.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"watch: {said}")
            time.sleep(0.01)

    def got_in(self):
        return os.path.exists(self.mark) and os.path.getsize(self.mark) > 0

    def records(self):
        if not os.path.exists(self.events):
            return []
        with open(self.events, encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]

    def denials(self):
        return [r for r in self.records() if r["action"] == "deny"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.watcher:
            self.watcher.terminate()
            self.watcher.wait()
            self.watcher.stderr.close()
        if self.watched:
            shutil.rmtree(self.watched, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)


class Tap:
    """Test Anything Protocol."""

    def __init__(self):
        self.number = self.failed = 0

    def report(self, problem, name):
        """`problem`: None, or what is wrong."""
        self.number += 1
        if problem:
            self.failed += 1
            print(f"not ok {self.number} - {name}")
            self.note(problem)
        else:
            print(f"ok {self.number} - {name}", flush=True)

    def skip(self, name, reason):
        self.number += 1
        print(f"ok {self.number} - {name} # SKIP {reason}", flush=True)

    @staticmethod
    def note(text):
        print("\n".join("# " + line for line in text.splitlines()), flush=True)

    def done(self):
        print(f"1..{self.number}")
        return 1 if self.failed else 0
