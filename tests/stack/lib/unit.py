# SPDX-License-Identifier: MIT
"""Runs a service as systemd would, from Debian's unit and an example's drop-in, for
machines whose process 1 is something else.  It knows what those files use; another
setting is an error, so that none is passed over in silence.
"""
import os
import re
import shlex
import socket
import subprocess
import threading

import box

FOLDERS = ("/etc/systemd/system", "/lib/systemd/system")
# What has no meaning here: order, documentation, restarts.
IGNORED = {"Description", "Documentation", "After", "Before", "Wants", "Requires", "WantedBy", "Also", "KillMode",
           "Restart", "RestartSec", "TimeoutStopSec", "PrivateTmp", "OOMPolicy", "KillSignal", "ConditionPathExists",
           "ListenStream", "SocketMode", "SocketUser", "SocketGroup", "ExecStartPost", "ExecStopPost", "PIDFile",
           "StandardError", "SyslogIdentifier"}
KNOWN = {"Type", "ExecStart", "ExecStartPre", "ExecReload", "ExecStop", "User", "Group", "Environment",
         "EnvironmentFile", "WorkingDirectory", "RuntimeDirectory", "NotifyAccess", "AmbientCapabilities",
         "UMask", "LimitNOFILE", "CacheDirectory"}
LISTS = {"ExecStart", "ExecStartPre", "Environment", "EnvironmentFile", "ExecReload", "ExecStop"}


class Settings(dict):
    """The [Service] of a unit with its drop-ins: an empty value forgets a list."""

    def read(self, path):
        with open(path, encoding="utf-8") as text:
            lines = text.read().replace("\\\n", " ").splitlines()
        section = ""
        for number, line in enumerate(lines, 1):
            line = line.strip()
            if not line or line[0] in "#;":
                continue
            if line[0] == "[":
                section = line
                continue
            name, _, value = (part.strip() for part in line.partition("="))
            if section == "[Install]" or name in IGNORED:
                continue
            if name not in KNOWN:
                raise RuntimeError(f"{path}:{number}: this runner does not know {name}=")
            if name in LISTS:
                self[name] = self.get(name, []) + [value] if value else []
            else:
                self[name] = value


def find(unit):
    for folder in FOLDERS:
        if os.path.exists(os.path.join(folder, unit)):
            return os.path.join(folder, unit)
    raise RuntimeError(f"no unit {unit}")


def words(line, environment):
    """A command line: ${NAME} is one word, $NAME splits, as systemd does it."""
    result = []
    for word in shlex.split(line.lstrip("-"), comments=False):
        if re.fullmatch(r"\$\w+", word):
            result += environment.get(word[1:], "").split()
        else:
            result.append(re.sub(r"\$\{(\w+)\}", lambda m: environment.get(m[1], ""), word))
    return result


class Unit:
    """A started service.  `drop_in`: do those of /etc/systemd/system/NAME.d count?"""

    def __init__(self, name, drop_in=True, listen=None):
        settings = Settings()
        settings.read(find(name))
        folder = f"/etc/systemd/system/{name}.d"
        if drop_in:
            for file in sorted(os.listdir(folder)):
                settings.read(os.path.join(folder, file))
        self.name = name
        self.settings = settings
        self.main = None
        self.environment = {"PATH": box.PATH, "LANG": "C"}
        for path in settings.get("EnvironmentFile", []):
            if os.path.exists(path.lstrip("-")):
                with open(path.lstrip("-"), encoding="utf-8") as text:
                    self.set(line.strip() for line in text if line.strip() and line[0] != "#")
        for line in settings.get("Environment", []):
            self.set(shlex.split(line))
        self.account = settings.get("User")
        for kind, where in ("RuntimeDirectory", "/run"), ("CacheDirectory", "/var/cache"):
            for folder in settings.get(kind, "").split():
                box.make(f"{where}/{folder}", 0o755, self.account)
                self.environment[kind.replace("Directory", "").upper() + "_DIRECTORY"] = f"{where}/{folder}"
        for line in settings.get("ExecStartPre", []):
            subprocess.run(words(line, self.environment), check=True, env=self.environment)
        self.ready = threading.Event()
        notify = None
        if settings.get("Type") == "notify":
            notify = self.listen_for_ready()
        (command,) = settings["ExecStart"]
        self.server = box.Server(name, self.start_command(command, listen), self.environment,
                                 settings.get("WorkingDirectory", "/"), self.account,
                                 pass_fds=(3,) if listen else (),
                                 preexec=None if not listen else lambda: hand_over(listen))
        self.main = self.server.pid
        if notify:
            self.server.wait_for(self.ready.is_set)

    def set(self, assignments):
        for assignment in assignments:
            name, _, value = assignment.partition("=")
            self.environment[name] = value.strip('"')

    @staticmethod
    def start_command(line, listen):
        # LISTEN_PID is known only in the process itself
        prefix = ["/bin/sh", "-c", 'LISTEN_PID=$$ LISTEN_FDS=1; export LISTEN_PID LISTEN_FDS; exec "$@"', "sh"]
        return (prefix if listen else []) + shlex.split(line)

    def listen_for_ready(self):
        """READY=1 from the main process, or with NotifyAccess=all from its children."""
        path = f"/run/notify-{self.name}"
        if os.path.exists(path):
            os.unlink(path)
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notify.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        notify.bind(path)
        os.chmod(path, 0o777)
        self.environment["NOTIFY_SOCKET"] = path

        def read():
            while True:
                text, ancillary, _, _ = notify.recvmsg(4096, 64)
                sender = int.from_bytes(ancillary[0][2][:4], "little")
                if sender != self.main and self.settings.get("NotifyAccess") != "all":
                    continue
                for line in text.decode().splitlines():
                    if line.startswith("MAINPID="):
                        self.main = int(line[8:])
                    if line == "READY=1":
                        self.ready.set()

        threading.Thread(target=read, daemon=True).start()
        return notify

    def reload(self):
        for line in self.settings["ExecReload"]:
            subprocess.run(words(line, dict(self.environment, MAINPID=str(self.main))), check=True)

    def stop(self):
        return self.server.stop()


def behind_socket(name, path, drop_in=True):
    """A service that gets the socket it listens on from its socket unit."""
    if os.path.exists(path):
        os.unlink(path)
    with socket.socket(socket.AF_UNIX) as listen:
        listen.bind(path)
        os.chmod(path, 0o777)
        listen.listen(64)
        return Unit(name, drop_in, listen)


def hand_over(listen):
    """Descriptor 3 is the socket, as the socket unit would have made it."""
    os.dup2(listen.fileno(), 3)
    os.set_inheritable(3, True)
