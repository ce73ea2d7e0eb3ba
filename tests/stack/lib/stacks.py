# SPDX-License-Identifier: MIT
"""The stacks of the table: how each server is configured, and what guards it."""
import json
import os
import subprocess

import box
import fpm
import unit
from stack import Stack, UPLOADS

INSTALLED = "/usr/local/share/execguard/policies"
APACHE_MODULES = "/usr/lib/apache2/modules"


UPLOAD_RULES = f"""include "writes"
write {{ allow {UPLOADS}/** }}
uploads {UPLOADS} {{
    deny name scripts
    deny executable
}}
"""


def site_policy(name, events, more="exec { allow /usr/bin/getent hosts <host> }"):
    """The policy of a site: the installed one, its own lines, where events go."""
    return box.put(f"/etc/execguard/{name}.policy", f"""include "{INSTALLED}/{name}.policy"
log {{ file {events} }}
{UPLOAD_RULES}{more}""")


def shared():
    """What every stack finds: the application, a place for uploads, mail."""
    for folder in "/srv/www", "/srv/www/html", "/srv/app":
        box.make(folder)
    box.make(UPLOADS, 0o755, "www-data")
    box.make("/var/log/execguard", 0o1777)
    box.make("/var/cache/execguard-www", 0o700, "www-data")
    apps = "tests/stack/apps/"
    box.copy(apps + "app.pl", "/usr/lib/cgi-bin/app.cgi", 0o755)
    box.copy(apps + "app.php", "/srv/www/html/app.php")
    for name in "app.py", "app.js", "config.ru":
        box.copy(apps + name, "/srv/app/" + name)
    os.symlink("../bin/msmtp", "/usr/sbin/sendmail")
    box.put("/etc/msmtprc", "account default\nhost 127.0.0.1\nport 25\nfrom www-data@stack.test\n"
            "tls off\nauth off\nset_from_header on\n")


class Apache(Stack):
    """Apache from a configuration in one file."""
    modules = ()
    port = 8010
    application = "/cgi-bin/app.cgi"
    page = "/usr/lib/cgi-bin/app.cgi"
    mpm = "event"

    def configuration(self):
        raise NotImplementedError

    def start(self, guarded):
        folder = f"/run/apache2/{self.label}"
        box.make(folder, 0o755, "www-data")
        lines = [f"LoadModule {m}_module {APACHE_MODULES}/mod_{m}.so"
                 for m in (f"mpm_{self.mpm}", "authz_core", "alias", "env", "mime") + self.modules]
        lines += [f"ServerName localhost\nTypesConfig /dev/null\nListen 127.0.0.1:{self.port}\nPidFile {folder}/pid",
                  "User www-data\nGroup www-data\nErrorLog /dev/stderr\nDocumentRoot /srv/www/html",
                  "StartServers 1", "<Directory />\nRequire all granted\n</Directory>", self.configuration()]
        if guarded:
            lines += [f"Include /etc/apache2/conf-available/{os.path.basename(e)}" for e in self.examples]
        config = box.put(f"/etc/apache2/{self.label}.conf", "\n".join(lines) + "\n")
        command = ["/usr/sbin/apache2", "-D", "FOREGROUND", "-f", config]
        self.run(box.Server(f"{self.label} {'guarded' if guarded else 'bare'}", command), self.port)


class ApacheCgi(Apache):
    """mod_cgi or mod_cgid, each with its way of running many."""
    attach = "SetEnv, preload"
    examples = ("apache/execguard.conf",)

    def __init__(self, module, mpm, port, lines=""):
        super().__init__("apache" + module)
        self.name, self.modules, self.mpm, self.port = f"Apache mod_{module}, Perl", (module,), mpm, port
        self.lines = lines

    def prepare(self):
        site_policy("cgi", "/var/log/execguard/cgi.jsonl", 'include "mail"')
        self.events = "/var/log/execguard/cgi.jsonl"
        box.copy("examples/apache/execguard.conf", "/etc/apache2/conf-available/execguard.conf")
        subprocess.run([box.GUARD, "compile", "-p", "cgi", "-o", "/etc/execguard/cgi.blob"], check=True)

    def configuration(self):
        return 'ScriptAlias "/cgi-bin/" "/usr/lib/cgi-bin/"\n' + self.lines


class ApacheFcgid(Apache):
    name = "Apache mod_fcgid, PHP"
    attach = "FcgidWrapper, exec"
    examples = ("apache/php-fcgid.conf",)
    modules = ("fcgid",)
    port = 8012
    application = "/app.php"
    page = "/srv/www/html/app.php"

    def prepare(self):
        site_policy("php-cgi", self.events)
        box.copy("examples/apache/php-fcgid.conf", "/etc/apache2/conf-available/php-fcgid.conf")

    def start(self, guarded):
        self.bare = not guarded
        super().start(guarded)

    def configuration(self):
        lines = "FcgidIPCDir /run/apache2/apachefcgid/ipc\nFcgidProcessTableFile /run/apache2/apachefcgid/table\n"
        if self.bare:
            lines += ('<Directory "/srv/www/html">\nOptions +ExecCGI\nAddHandler fcgid-script .php\n'
                      'FcgidWrapper "/usr/bin/php-cgi" .php\n</Directory>\n')
        return lines


class Lighttpd(Stack):
    name = "lighttpd, Perl CGI"
    application = "/cgi-bin/app.cgi"
    page = "/usr/lib/cgi-bin/app.cgi"
    bare = 'server.modules += ( "mod_cgi" )\ncgi.assign = ( ".cgi" => "/usr/bin/perl" )\n'

    def __init__(self, label, attach, examples, port):
        super().__init__(label)
        self.attach, self.examples, self.port = attach, examples, port

    def prepare(self):
        site_policy("cgi", "/var/log/execguard/cgi.jsonl", 'include "mail"')
        self.events = "/var/log/execguard/cgi.jsonl"
        for example in self.examples:
            if example.endswith(".conf"):
                box.copy("examples/" + example, "/etc/lighttpd/conf-enabled/" + os.path.basename(example))
            else:
                box.copy("examples/" + example, "/usr/local/lib/execguard/" + os.path.basename(example), 0o755)
        subprocess.run([box.GUARD, "compile", "-p", "cgi", "-o", "/etc/execguard/cgi.blob"], check=True)

    def start(self, guarded):
        text = (f'server.bind = "127.0.0.1"\nserver.port = {self.port}\nserver.document-root = "/srv/www/html"\n'
                'server.username = "www-data"\nserver.groupname = "www-data"\n'
                'server.modules = ( "mod_alias" )\nalias.url = ( "/cgi-bin/" => "/usr/lib/cgi-bin/" )\n')
        text += f'include "/etc/lighttpd/conf-enabled/{os.path.basename(self.examples[0])}"\n' if guarded else self.bare
        config = box.put(f"/etc/lighttpd/{self.label}.conf", text)
        name = f"{self.label} {'guarded' if guarded else 'bare'}"
        self.run(box.Server(name, ["/usr/sbin/lighttpd", "-D", "-f", config]), self.port)


class Nginx(Stack):
    """nginx in front of a FastCGI socket."""
    script = ""
    socket = ""

    def nginx(self):
        config = box.put(f"/etc/nginx/{self.label}.conf", f"""
user www-data; worker_processes 1; pid /run/nginx/{self.label}.pid; daemon off; error_log stderr;
events {{ worker_connections 64; }}
http {{
    access_log off; client_body_temp_path /var/lib/nginx/{self.label};
    server {{
        listen 127.0.0.1:{self.port};
        root /srv/www/html;
        location / {{
            include /etc/nginx/fastcgi_params;
            fastcgi_param SCRIPT_FILENAME {self.script};
            fastcgi_pass unix:{self.socket};
        }}
    }}
}}
""")
        self.run(box.Server(f"nginx for {self.label}", ["/usr/sbin/nginx", "-c", config]), self.port)


class Fcgiwrap(Nginx):
    name = "nginx, fcgiwrap, Perl"
    attach = "drop-in, run"
    examples = ("fcgiwrap/execguard.conf",)
    port = 8015
    script = page = "/usr/lib/cgi-bin/app.cgi"
    socket = "/run/fcgiwrap.socket"

    def prepare(self):
        site_policy("perl-cgi", self.events)
        box.copy("examples/fcgiwrap/execguard.conf", "/etc/systemd/system/fcgiwrap.service.d/execguard.conf")

    def start(self, guarded):
        self.run(unit.behind_socket("fcgiwrap.service", self.socket, guarded))
        self.nginx()


class PhpFpm(Nginx):
    name = "nginx, php-fpm"
    attach = "drop-in, run"
    examples = ("php-fpm/execguard.conf",)
    port = 8016
    script = page = "/srv/www/html/app.php"
    socket = "/run/php/www.sock"

    def pool(self, extra=""):
        fpm.master()
        fpm.pool("www", "www-data", self.socket, "listen.owner = www-data\n" + extra)

    def prepare(self):
        site_policy("php-fpm", "/var/log/execguard/phpfpm.jsonl")
        self.pool()
        box.copy("examples/php-fpm/execguard.conf", "/etc/systemd/system/php8.2-fpm.service.d/execguard.conf")

    def start(self, guarded):
        self.run(unit.Unit("php8.2-fpm.service", guarded))
        self.nginx()


class PhpFpmEnv(PhpFpm):
    attach = "env[] of the pool"
    examples = ("php-fpm/pool-env.conf",)
    uploads = False
    request = False  # only what the workers start is guarded, and PHP tells that nothing
    port = 8017

    def prepare(self):
        super().prepare()
        self.events = "/var/log/execguard/phpfpmenv.jsonl"
        site_policy("php-fpm", self.events)
        subprocess.run([box.GUARD, "compile", "-p", "php-fpm", "-o", "/etc/execguard/php-fpm.blob"], check=True)

    def start(self, guarded):
        with open(f"{box.SOURCE}/examples/php-fpm/pool-env.conf", encoding="utf-8") as text:
            self.pool(text.read() if guarded else "")
        self.run(unit.Unit("php8.2-fpm.service", False))
        self.nginx()

    def tells(self, event):
        # the shell runs, and what it wants to start is refused
        return event.get("program") == "/usr/bin/id" and event.get("exe") == "/usr/bin/dash"


class Service(Stack):
    """A server of its own, by its unit and our drop-in."""
    attach = "drop-in, run"

    def __init__(self, unit_name, name, policy, port):
        super().__init__(unit_name)
        self.unit, self.name, self.policy, self.port = unit_name, name, policy, port

    def prepare(self):
        site_policy(self.policy, self.events)
        box.copy(f"examples/{self.unit}/{self.unit}.service", f"/etc/systemd/system/{self.unit}.service")
        box.copy(f"examples/{self.unit}/execguard.conf", f"/etc/systemd/system/{self.unit}.service.d/execguard.conf")

    def start(self, guarded):
        self.run(unit.Unit(self.unit + ".service", guarded), self.port)


class Container(Stack):
    """The Dockerfile's ENTRYPOINT and CMD, as its USER, in this machine."""
    name = "container, gunicorn"
    attach = "ENTRYPOINT, run"
    examples = ("container/Dockerfile",)
    port = 8080

    def prepare(self):
        site_policy("container", self.events,
                    'include "mail"\nexec { allow /usr/bin/getent hosts <host> }')
        box.user("worker", 1000)
        os.chown(UPLOADS, 1000, 1000)

    def start(self, guarded):
        words = {}
        with open(f"{box.SOURCE}/examples/container/Dockerfile", encoding="utf-8") as text:
            for line in text:
                word, _, rest = line.strip().partition(" ")
                words[word] = rest
        name, _, value = words["ENV"].partition("=")
        box.make(value, 0o700, "worker")
        command = (json.loads(words["ENTRYPOINT"]) if guarded else []) + json.loads(words["CMD"])
        number = int(words["USER"].split(":")[0])
        self.run(box.Server("container", command, {name: value}, account=number), self.port)


UWSGI = Service("uwsgi", "uWSGI", "python-wsgi", 8001)
PUMA = Service("puma", "puma", "ruby", 8003)
STACKS = (
    ApacheCgi("cgi", "prefork", 8010),
    ApacheCgi("cgid", "event", 8011, "ScriptSock /run/apache2/apachecgid/sock"),
    ApacheFcgid(),
    Lighttpd("lighttpd", "wrapper, exec", ("lighttpd/execguard.conf", "lighttpd/guarded-perl"), 8013),
    Lighttpd("lighttpdpreload", "setenv, preload", ("lighttpd/execguard-preload.conf",), 8014),
    Fcgiwrap(),
    PhpFpm(),
    PhpFpmEnv(),
    Service("gunicorn", "gunicorn", "python-wsgi", 8000),
    UWSGI,
    Service("node", "Node.js", "node", 8002),
    PUMA,
    Container(),
)
