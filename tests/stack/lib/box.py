# SPDX-License-Identifier: MIT
"""A machine of one's own for a test: mount, network, process, IPC and host name
namespaces, with private /etc, /usr/local, /usr/sbin, /var, /run, /srv, /home and /tmp
in memory.  execguard is installed there by `make install`, so that the files of
examples/ are used as they are, at the paths that they name and on their own ports.
When the test ends, however it ends, the kernel ends its processes and forgets its
files; the host sees neither.

    import box
    box.enter()             # the rest of the test runs inside, as process 1
"""
import ctypes
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.realpath(os.path.join(HERE, "../../.."))
BUILD = os.path.realpath(os.environ.get("EG_BUILD", os.path.join(ROOT, "build")))
sys.path.insert(0, os.path.join(ROOT, "tests/attack"))
from attach import Tap  # noqa: E402  pylint: disable=wrong-import-position,unused-import

PRIVATE = "/mnt"  # where the memory is mounted, inside
SOURCE = PRIVATE + "/source"  # the repository, inside
PACKAGES = PRIVATE + "/packages"  # what download() brought
HOST = PRIVATE + "/host"  # to read what packages brought: the host's own /var and /usr/lib/cgi-bin
GUARD = "/usr/local/bin/execguard"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18
libc = ctypes.CDLL(None, use_errno=True)


def skip_all(reason):
    print(f"1..0 # SKIP {reason}")
    sys.exit(0)


def mount(source, target, kind=None, flags=0, data=None):
    words = [w.encode() if w else None for w in (source, target, kind, data)]
    if libc.mount(words[0], words[1], words[2], ctypes.c_ulong(flags), words[3]):
        error = ctypes.get_errno()
        raise OSError(error, f"mount {source} on {target}: {os.strerror(error)}")


def bind(source, target, read_only=False):
    mount(source, target, None, MS_BIND | MS_REC)
    if read_only:
        mount(None, target, None, MS_BIND | MS_REMOUNT | MS_RDONLY)


def mirror(folder):
    """A folder in memory with the host's entries, each bound on an empty one of the
    same name, takes the place of `folder`: new names can be made beside them.  cgi-bin is
    left empty."""
    private = PRIVATE + "/mirror" + folder.replace("/", "-")
    os.makedirs(private)
    for entry in os.scandir(folder):
        target = os.path.join(private, entry.name)
        if entry.name == "cgi-bin":
            continue
        if entry.is_symlink():
            os.symlink(os.readlink(entry.path), target)
            continue
        if entry.is_dir():
            os.mkdir(target)
        else:
            os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o755))
        bind(entry.path, target)
    bind(private, folder)


def make(folder, mode=0o755, owner=None):
    """A folder, its parents too; `owner`: a user's name."""
    os.makedirs(folder, exist_ok=True)
    os.chmod(folder, mode)
    if owner:
        shutil.chown(folder, owner, owner)


def put(path, text, mode=0o644, owner=None):
    """A file with this text."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)
    if owner:
        shutil.chown(path, owner, owner)
    return path


def copy(source, target, mode=0o644, owner=None):
    """A file of the repository, as it is; the folder is made."""
    os.makedirs(os.path.dirname(target), exist_ok=True)
    shutil.copyfile(os.path.join(SOURCE, source), target)
    os.chmod(target, mode)
    if owner:
        shutil.chown(target, owner, owner)
    return target


def download(*names):
    """Packages that cannot be installed beside each other; before enter(), since the
    machine has no network.  Kept in the build folder."""
    if "EG_BOX" in os.environ or os.getuid() != 0:
        return
    folder = BUILD + "/debs"
    os.makedirs(folder, exist_ok=True)
    missing = [n for n in names if not any(f.startswith(n + "_") for f in os.listdir(folder))]
    if not missing:
        return
    for refresh in False, True:
        if refresh:
            subprocess.run(["apt-get", "-q", "update"], capture_output=True, check=False)
        done = subprocess.run(["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download"] + missing, cwd=folder,
                              capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return
    print("Bail out! apt-get download: " + done.stderr.strip().replace("\n", " "))
    sys.exit(1)


def unpack(name, *paths):
    """Puts these files and folders of a downloaded package into the machine."""
    target = f"{PRIVATE}/unpacked/{name}"
    (package,) = [f for f in os.listdir(PACKAGES) if f.startswith(name + "_")]
    if not os.path.isdir(target):
        os.makedirs(target)
        subprocess.run(["dpkg", "-x", f"{PACKAGES}/{package}", target], check=True)
    for path in paths:
        subprocess.run(["cp", "-a", "--", target + path, os.path.dirname(path)], check=True)


def enter():
    """Starts this test again in namespaces of its own, and builds the machine."""
    if os.getuid() != 0:
        skip_all("a machine of one's own needs root")
    if not os.access(os.path.join(BUILD, "execguard"), os.X_OK):
        skip_all(f"{BUILD}/execguard is not built")
    if "EG_BOX" not in os.environ:
        environment = dict(os.environ, EG_BOX="1", PYTHONDONTWRITEBYTECODE="1")
        os.execvpe("unshare", ["unshare", "--mount", "--net", "--pid", "--ipc", "--uts", "--fork",
                               "--kill-child", "--mount-proc", sys.executable] + sys.argv, environment)
    del os.environ["EG_BOX"]
    os.umask(0o022)
    for name in list(os.environ):
        if name not in ("EG_BUILD", "EG_SHARED", "LANG"):
            del os.environ[name]
    os.environ.update(PATH=PATH, LANG="C", HOME="/root")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    mount(None, "/", None, MS_REC | MS_PRIVATE)
    mount("box", PRIVATE, "tmpfs", 0, "mode=755")
    os.mkdir(SOURCE)
    bind(ROOT, SOURCE)
    os.mkdir(PACKAGES)
    if os.path.isdir(BUILD + "/debs"):
        bind(BUILD + "/debs", PACKAGES)
    for folder in "/var", "/usr/lib/cgi-bin":
        os.makedirs(HOST + folder)
        if os.path.isdir(folder):
            bind(folder, HOST + folder, read_only=True)
    install()
    build_etc()
    build_var()
    mirror("/usr/sbin")
    mirror("/usr/lib")
    make("/usr/lib/cgi-bin")
    bind(PRIVATE + "/usr-local", "/usr/local")
    for folder in "srv", "home":
        make(f"{PRIVATE}/{folder}")
        bind(f"{PRIVATE}/{folder}", "/" + folder)
    mount("box", "/run", "tmpfs", 0, "mode=755")
    mount("box", "/tmp", "tmpfs", 0, "mode=1777")
    for folder in "lock", "php", "nginx", "apache2", "execguard":
        make("/run/" + folder)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    socket.sethostname("stack.test")


def install():
    """What `make install` installs, to /usr/local of the machine; nothing is built."""
    done = subprocess.run(["make", "-s", "-C", ROOT, "-o", "all", "install", "DEPS=skip", f"BUILD={BUILD}",
                           f"DESTDIR={PRIVATE}/installed"], capture_output=True, text=True, check=False,
                          env={"PATH": PATH})
    if done.returncode:
        sys.exit(f"make install: {done.stdout}{done.stderr}")
    os.rename(f"{PRIVATE}/installed/usr/local", f"{PRIVATE}/usr-local")
    for folder in "sbin", "etc":
        make(f"{PRIVATE}/usr-local/{folder}")


def build_etc():
    shutil.copytree("/etc", PRIVATE + "/etc", symlinks=True, ignore_dangling_symlinks=True)
    for folder, folders, files in os.walk("/etc"):
        for name in ["."] + folders + files:
            path = os.path.join(folder, name)
            seen = os.lstat(path)
            os.chown(PRIVATE + path, seen.st_uid, seen.st_gid, follow_symlinks=False)
    make(PRIVATE + "/etc/execguard")
    bind(PRIVATE + "/etc", "/etc")
    put("/etc/hostname", "stack.test\n")
    put("/etc/hosts", "127.0.0.1 localhost stack.test\n::1 localhost\n")
    put("/etc/resolv.conf", "")


def build_var():
    """The folders that Debian's packages bring, empty."""
    for name, mode, owner in (
            ("cache", 0o755, None), ("cache/nginx", 0o755, None), ("lib", 0o755, None), ("local", 0o755, None),
            ("lib/nginx", 0o755, None), ("lib/php", 0o755, None), ("lib/php/sessions", 0o1733, None),
            ("lib/apache2/fcgid", 0o755, "www-data"), ("log", 0o755, None), ("log/apache2", 0o755, None),
            ("log/nginx", 0o755, None), ("log/lighttpd", 0o750, "www-data"), ("log/execguard", 0o755, None),
            ("mail", 0o755, None), ("spool", 0o755, None), ("tmp", 0o1777, None), ("www", 0o755, None),
            ("www/html", 0o755, None)):
        make(f"{PRIVATE}/var/{name}", mode, owner)
    shutil.chown(PRIVATE + "/var/mail", group="mail")
    os.chmod(PRIVATE + "/var/mail", 0o2775)
    os.symlink("/run", PRIVATE + "/var/run")
    os.symlink("/run/lock", PRIVATE + "/var/lock")
    bind(PRIVATE + "/var", "/var")


def user(name, number, home=None):
    """A user and group of this machine."""
    home = home or f"/home/{name}"
    for file, line in (("/etc/passwd", f"{name}:x:{number}:{number}::{home}:/usr/sbin/nologin\n"),
                       ("/etc/group", f"{name}:x:{number}:\n"), ("/etc/shadow", f"{name}:*:19000:0:99999:7:::\n")):
        with open(file, "a", encoding="ascii") as text:
            text.write(line)
    if home.startswith("/home/"):
        make(home, 0o755, name)


class Server:
    """A program that runs until stop().  Its output lands in a file."""

    def __init__(self, name, command, environment=None, cwd="/", account=None, pass_fds=(), preexec=None):
        self.name = name
        self.log = f"{PRIVATE}/{name.replace(' ', '-').replace('/', '-')}.log"
        extra = {}
        if account:
            extra = {"user": account, "group": account, "extra_groups": []}
        with open(self.log, "ab") as output:
            self.process = subprocess.Popen(  # pylint: disable=consider-using-with
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=cwd, start_new_session=True,
                env=dict({"PATH": PATH, "LANG": "C"}, **(environment or {})), pass_fds=pass_fds,
                preexec_fn=preexec, **extra)
        self.pid = self.process.pid

    def said(self):
        with open(self.log, encoding="utf-8", errors="replace") as text:
            return text.read()

    def alive(self):
        return self.process.poll() is None

    def wait_for(self, ready, seconds=60):
        """Until ready() is true; a server that ended before is an error."""
        end = time.monotonic() + seconds
        while not ready():
            if not self.alive():
                raise RuntimeError(f"{self.name} ended with {self.process.returncode}:\n{self.said()}")
            if time.monotonic() > end:
                raise RuntimeError(f"{self.name} does not answer:\n{self.said()}")
            time.sleep(0.02)
        return self

    def stop(self, how=signal.SIGTERM):
        """The status that it ended with."""
        if self.alive():
            self.process.send_signal(how)
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise RuntimeError(f"{self.name} did not stop:\n{self.said()}") from None


def listens(address):
    """Is somebody there?  A port of 127.0.0.1, or the path of a socket."""
    family = socket.AF_INET if isinstance(address, int) else socket.AF_UNIX
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(("127.0.0.1", address) if isinstance(address, int) else address)
            return True
        except OSError:
            return False


def events(path):
    """The events of a JSON lines file."""
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def is_set_id(path):
    return bool(os.stat(path).st_mode & (stat.S_ISUID | stat.S_ISGID))
