# SPDX-License-Identifier: MIT
"""A real application, unguarded and then guarded by the policy of examples/apps.

A test is a subclass of App (PhpApp: nginx, php-fpm and the drop-in of examples/php-fpm)
and two tables, which read as the list of what was exercised:

    ACTIONS = (
        ("log in", form("/wp-login.php", "loginform", log="admin", pwd="..."), "Dashboard"),
        ("read the feed", get("/feed/"), "<rss"),
        ("run the scheduled tasks", command("/usr/bin/php", "cron.php"), "done"),
        ("get the link by mail", mail("admin", link=r"(http://\\S+key=\\S+)"), "password"),
    )
    ATTACKS = (
        ("system() with a visitor's words", get("/evil.php?c=id"), "uid=33", r'"program":"/usr/bin/id"'),
    )

    sys.exit(app.main(Wiki(), ACTIONS, ATTACKS, AFTER))

AFTER (may be left out) is a table like ACTIONS, of what must still work after the attacks:
above all what the vulnerable plugin is for.

A row of ACTIONS: what is done, the request, what must be seen: a pattern (re, DOTALL), a
tuple of them that must all be seen, or a function of the answer that returns None or what
is wrong.  A pattern that begins with `!' must not be seen.  An answer with a status of 400
or more is wrong unless the row has a fourth column: the status.

Requests (each a function of the running application; strings may hold $NAME, which stands
for what an earlier row kept):
    get(path)                               a page
    post(path, field=value, ...)            posted fields; fields={...} for other names
    form(path, key, field=value, ...)       opens the page, fills in the form whose id, name,
                                            class, action or field is `key`, and sends it with
                                            its hidden fields; path None: the page that is open;
                                            files={field: (name, bytes, type)}, button=NAME
    visitor()                               a new visitor: no cookies from now on
    command(program, word, ...)             as www-data, as a line of its crontab would; guarded
                                            too (App.cron: the policy's name) unless account is root; the answer is
                                            status 200 (its own status was 0) and its output;
                                            account=NAME, environment={...}
    mail(name, key=pattern, ...)            waits for the next mail to NAME and keeps the group
    keep(request, key=pattern, ...)         does the request and keeps what the pattern's first
                                            group finds, for $key
    steps(request, ...)                     several, the last one's answer counts
    pause(seconds)                          for what is told apart by the second
    file(path)                              a file of the machine as the answer's text

For what must be seen of files: begins(bytes, at=0), and picture.sized(width, height).

ATTACKS: what is done, the request, the evidence that it got through (as above, or a
function of the application that returns true), and a pattern that must be found in one
of the events (JSON) that the guarded attack makes.  Unguarded each gets through, guarded
none, and the answer is a page all the same.  $MARK is new for each attack.  App.plant()
adds the vulnerable plugin before them, in both runs.

App has name, policy (of examples/apps; copied to /etc/execguard/POLICY.policy by guard()),
trees (folders whose file names must be the same after the ordinary use of both runs),
volatile (pairs of pattern and replacement: what differs between two runs of the same page
anyway), unordered (actions that list what may have happened in the same second: their
lines may come in any order), prepare() (once), reset() (before each run: data as after the installation),
server() (nginx's lines inside `server { }') and start(guarded), stop().  host_files(PACKAGE,
under) copies what a package brought into this machine's /var.
"""
import os
import re
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "../../stack/lib"))
import box  # noqa: E402
import browser  # noqa: E402
import fpm  # noqa: E402
import picture  # noqa: E402
import smtp  # noqa: E402
import unit  # noqa: E402
# The rows of a test's tables: it takes them from here.
from ask import begins, command, file, fill, form, get, keep, mail, pause, plain, post, steps  # noqa: E402,F401
from ask import visitor  # noqa: E402,F401
from browser import Answer  # noqa: E402
from run import Run, row  # noqa: E402


class App:
    """See the head of this file."""
    name = "?"
    policy = "?"
    installed_as = "?"  # the name that the drop-in of examples/ gives to `-p'
    cron = None  # the policy of commands; None: the application's own
    port = 80  # the machine is the application's own
    events = "/var/log/execguard/php-fpm.jsonl"  # as the policy says
    trees = ()
    volatile = ()
    unordered = ()

    def __init__(self):
        self.running = []
        self.kept = {}
        self.browser = browser.Browser(self.port)
        self.guarded = False
        self.boxes = {}
        self.heard = {}

    # --- for subclasses

    def prepare(self):
        """Once."""

    def reset(self):
        """Before each run: the data as they are after the installation."""

    def server(self):
        return ""

    def start(self, guarded):
        raise NotImplementedError

    def plant(self):
        """The vulnerable plugin, as an administrator installs it."""

    # --- the machine

    @staticmethod
    def host_files(package, under):
        """What a package brought below a folder of /var, into this machine's."""
        listed = subprocess.run(["dpkg-query", f"--admindir={box.HOST}/var/lib/dpkg", "-L", package],
                                stdout=subprocess.PIPE, check=True).stdout
        names = b"\n".join(path[1:] for path in listed.splitlines() if path.startswith(under.encode()))
        packed = subprocess.run(["tar", "-C", box.HOST, "--no-recursion", "-T", "-", "-c"], input=names,
                                stdout=subprocess.PIPE, check=True).stdout
        subprocess.run(["tar", "-C", "/", "-xp"], input=packed, check=True)

    def guard(self):
        """The site's policies to where the examples look for them."""
        box.make("/var/log/execguard", 0o755)
        for source, name in ((self.policy, self.installed_as), (self.cron, self.cron)):
            if source:
                box.copy(f"examples/apps/{source}.policy", f"/etc/execguard/{name}.policy")
                box.make("/var/log/execguard/cron", 0o755, "www-data")

    def start_nginx(self):
        config = box.put("/etc/nginx/app.conf", f"""
user www-data; worker_processes 1; pid /run/nginx/app.pid; daemon off; error_log stderr;
events {{ worker_connections 64; }}
http {{
    include /etc/nginx/mime.types;
    access_log off; client_body_temp_path /var/lib/nginx/app; client_max_body_size 20m;
    server {{
        listen 127.0.0.1:{self.port};
        {self.server()}
    }}
}}
""")
        self.serve(box.Server("nginx", ["/usr/sbin/nginx", "-c", config]), self.port)

    def serve(self, server, port=None):
        self.running.append(server)
        if port:
            getattr(server, "server", server).wait_for(lambda: box.listens(port))

    def stop(self):
        while self.running:
            self.running.pop().stop()

    def said(self):
        """What the servers said since they were asked last."""
        lines = []
        for server in self.running:
            server = getattr(server, "server", server)
            text = server.said()
            lines += [line[:400] for line in text[self.heard.get(server.log, 0):].splitlines()[-8:]]
            self.heard[server.log] = len(text)
        return "\n".join(lines)

    def run_command(self, words, account, environment):
        if self.guarded and account != "root":
            words = [box.GUARD, "run", "-p", self.cron or self.installed_as, "--"] + words
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              check=False, user=account, group=account, extra_groups=[], cwd="/",
                              env=dict({"PATH": box.PATH, "LANG": "C", "HOME": "/var/www",
                                        "XDG_CACHE_HOME": f"/var/cache/execguard-{account}"}, **environment))
        return Answer(" ".join(words), 500 if done.returncode else 200, "", done.stdout)

    def mails(self, name):
        try:
            with open(f"/var/mail/{name}", "rb") as mailbox:
                return mailbox.read().split(b"From worker\n")[1:]
        except FileNotFoundError:
            return []

    def skip_mail(self):
        """What was sent so far counts as read."""
        self.boxes = {name: len(self.mails(name)) for name in os.listdir("/var/mail")}

    def next_mail(self, name, seconds=20):
        """The next mail to `name` after those that were read."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            mails = self.mails(name)
            read = self.boxes.get(name, 0)
            if len(mails) > read:
                self.boxes[name] = read + 1
                return Answer(f"/var/mail/{name}", 200, "mail", plain(mails[read]))
            time.sleep(0.05)
        return Answer(f"/var/mail/{name}", 0, "", b"no mail came")

    def keep(self, answer, patterns):
        for name, pattern in patterns.items():
            found = re.search(fill(pattern, self), answer.text, re.S)
            if not found:
                return Answer(answer.url, 0, "", f"{pattern} is not in {answer}".encode())
            self.kept[name] = found[1].replace("&amp;", "&")
        return answer

    def normal(self, answer):
        """The page without what differs each time."""
        if answer.kind.startswith("image/"):  # a program may put the time into it
            return answer.status, str(picture.size(answer.data))
        text = answer.text
        for pattern, replacement in self.volatile:
            text = re.sub(pattern, replacement, text, flags=re.S)
        return answer.status, text

    def listing(self):
        """The names in the trees, without what differs each time."""
        names = set()
        for tree in self.trees:
            for folder, _, files in os.walk(tree):
                for name in files:
                    path = os.path.join(folder, name)
                    for pattern, replacement in self.volatile:
                        path = re.sub(pattern, replacement, path)
                    names.add(path)
        return names

    def refusals(self, since=0):
        """Refused, or in log mode to be refused, after the first `since'."""
        events = box.events(self.events) + self.cron_events()
        return [e for e in events if e["action"] in ("deny", "would-deny")][since:]

    @staticmethod
    def cron_events():
        folder = "/var/log/execguard/cron"
        found = []
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
            found += box.events(os.path.join(folder, name))
        return found


class PhpApp(App):
    """nginx and php-fpm with one pool, guarded by examples/php-fpm/execguard.conf."""
    installed_as = "php-fpm"
    socket = "/run/php/www.sock"
    pool = ""  # more lines of the pool
    children = 3

    def start(self, guarded):
        fpm.master()
        fpm.pool("www", "www-data", self.socket, "listen.owner = www-data\n" + self.pool, self.children)
        box.copy("examples/php-fpm/execguard.conf", "/etc/systemd/system/php8.2-fpm.service.d/execguard.conf")
        self.serve(unit.Unit("php8.2-fpm.service", guarded))
        self.start_nginx()


class CgiApp(App):
    """nginx and fcgiwrap, guarded by examples/fcgiwrap/execguard.conf."""
    installed_as = "perl-cgi"
    socket = "/run/fcgiwrap.socket"
    events = "/var/log/execguard/perl-cgi/events.jsonl"

    def guard(self):
        super().guard()
        box.copy("examples/fcgiwrap/execguard.conf", "/etc/systemd/system/fcgiwrap.service.d/execguard.conf")
        box.make("/var/log/execguard/perl-cgi", 0o755, "www-data")

    def cgi_bin(self):
        """nginx's lines for /usr/lib/cgi-bin.  Perl's hashes keep their order, so that pages can be
        compared."""
        return f"""
        location ~ ^/cgi-bin/(?<program>[a-z]+\\.(cgi|pl))$ {{
            include /etc/nginx/fastcgi_params;
            fastcgi_param PERL_HASH_SEED 0;
            fastcgi_param PERL_PERTURB_KEYS 0;
            fastcgi_param SCRIPT_FILENAME /usr/lib/cgi-bin/$program;
            fastcgi_pass unix:{self.socket};
        }}
"""

    def start(self, guarded):
        self.serve(unit.behind_socket("fcgiwrap.service", self.socket, guarded))
        self.start_nginx()


def enter():
    """The private machine, with mail."""
    box.enter()
    smtp.start()
    os.symlink("../bin/msmtp", "/usr/sbin/sendmail")
    box.put("/etc/msmtprc", "account default\nhost 127.0.0.1\nport 25\nfrom www-data@stack.test\n"
            "tls off\nauth off\nset_from_header on\n")
    for account in ("www-data",):
        box.make(f"/var/cache/execguard-{account}", 0o700, account)


def main(app, actions, attacks, after=()):
    """Both runs; the test's status.  enter() was called before `app` was made."""
    tap = box.Tap()
    runs = []
    app.prepare()
    app.guard()
    for name in filter(None, (app.installed_as, app.cron)):
        done = subprocess.run([box.GUARD, "check", name], capture_output=True, text=True, check=False)
        bad = done.returncode or "error" in done.stderr
        tap.report(done.stderr if bad else None, f"{app.name}: the policy {name} is valid")
        if done.stderr:
            tap.note(done.stderr)
    try:
        for guarded in False, True:
            run = Run(app, tap, guarded)
            runs.append(run)
            app.guarded = guarded
            app.kept = {"PORT": str(app.port)}
            app.skip_mail()
            app.reset()
            app.browser.forget()
            app.start(guarded)
            run.act(actions)
            run.names = app.listing()
            if guarded:
                run.compare(runs[0])
            run.attack(attacks)
            app.skip_mail()
            run.act(after)
            run.check(all(getattr(s, "server", s).alive() for s in app.running), "the servers live on")
            app.stop()
    except RuntimeError as error:
        tap.report(str(error), f"{app.name}: servers start and stop")
    finally:
        try:
            app.stop()
        except RuntimeError as error:
            tap.report(str(error), f"{app.name}: servers stop")
    if len(runs) == 2:
        row(tap, app, len(actions), runs[1].false, runs[0].through, runs[1].through, len(attacks))
    return tap.done()
