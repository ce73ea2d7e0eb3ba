# SPDX-License-Identifier: MIT
"""Variables that run code, tried on the programs that read them.

One case: the variables, the program with its arguments, and what is planted.  In
all texts @PLANT@ is the folder of planted files, @MARK@ the program that makes
the mark, @SO@ the shared object that makes it, @FILE@ the mark.
"""
import os
import shutil

PYTHON = "/usr/bin/python3"
GIT = "/usr/bin/git"
WRITE_PERL = "open(my $f, '>', '@FILE@'); print $f \"in\\n\"; close $f; 1;\n"
WRITE_PYTHON = "open('@FILE@', 'w').write('in')\n"
WRITE_EARLY = "import posix\nposix.write(posix.open('@FILE@', posix.O_WRONLY | posix.O_CREAT, 420), b'in')\n"
WRITE_RUBY = "File.write('@FILE@', 'in')\n"
WRITE_NODE = "require('fs').writeFileSync('@FILE@', 'in');\n"
WRITE_PHP = "<?php file_put_contents('@FILE@', 'in');\n"
WRITE_SHELL = "echo in > @FILE@\n"
WRITE_TCL = "set f [open @FILE@ w]; puts $f in; close $f\n"


class Kit:
    """Plants what a case needs."""

    def __init__(self, root, place):
        self.root, self.place = root, place

    def fill(self, text):
        for name, value in (("@PLANT@", self.place.plant), ("@MARK@", self.root.path("mark")),
                            ("@SO@", self.root.path("mark.so")), ("@FILE@", self.place.mark)):
            text = text.replace(name, value)
        return text

    def write(self, name, text):
        path = os.path.join(self.place.plant, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="ascii") as file:
            file.write(self.fill(text))
        return path

    def copy(self, what, name):
        path = os.path.join(self.place.plant, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        shutil.copy(self.root.path(what), path)
        return path

    def gconv(self):
        """A character set X-EVIL, whose converter is the planted object."""
        self.write("gconv-modules", "module X-EVIL// INTERNAL evil 1\nmodule INTERNAL X-EVIL// evil 1\n")
        self.copy("mark.so", "evil.so")


class Case:
    """values: the variables.  files: planted texts by name.  objects, programs:
    names under which the shared object and the program are planted.  also: other
    programs that the victim starts.  shells: programs that start a shell.  keep:
    what the program itself sets for its children; None: other rules stop it too."""

    def __init__(self, values, program, words=(), files=None, objects=(), programs=(), also=(), shells=(),
                 stdin="", environment=None, prepare=None, keep=()):
        self.values, self.program, self.files = values, program, files or {}
        self.words = words.split() if isinstance(words, str) else list(words)
        self.objects, self.programs, self.also, self.shells = objects, programs, list(also), list(shells)
        self.stdin, self.environment, self.extra = stdin, environment or {}, prepare
        self.names = list(values)
        self.keep = ["BASH_FUNC_*" if "%" in n else n for n in values] + list(keep or [])
        self.tries_keep = keep is not None

    def prepare(self, kit):
        for name, text in self.files.items():
            kit.write(name, text)
        for name in self.objects:
            kit.copy("mark.so", name)
        for name in self.programs:
            kit.copy("mark", name)
        if self.extra:
            self.extra(kit)
        return {n: kit.fill(v) for n, v in self.values.items()}


def repository(kit):
    """A git repository with a change, made by hand: git itself may be guarded."""
    kit.write("repo/.git/HEAD", "ref: refs/heads/main\n")
    kit.write("repo/.git/config", "[core]\n\trepositoryformatversion = 0\n[user]\n\tname = a\n\temail = a@example.org\n")
    kit.write("repo/.git/objects/info/keep", "")
    kit.write("repo/.git/refs/heads/keep.lock", "")
    kit.write("repo/file", "text\n")


IN_REPO = ["-C", "@PLANT@/repo"]
PYTHONS = [PYTHON, ["-B", "-c", "1"]]
CASES = [
    # The loader.
    Case({"LD_PRELOAD": "@SO@"}, "/bin/true"),
    Case({"LD_AUDIT": "@SO@"}, "/bin/true"),
    Case({"GCONV_PATH": "@PLANT@"}, "/usr/bin/iconv", "-f X-EVIL -t UTF-8 /dev/null", prepare=Kit.gconv),
    # Shells.
    Case({"BASH_ENV": "@PLANT@/rc"}, "/bin/bash", ["-c", "true"], {"rc": WRITE_SHELL}),
    Case({"ENV": "@PLANT@/rc"}, "/bin/dash", ["-i", "-c", "true"], {"rc": WRITE_SHELL}),
    Case({"BASH_FUNC_test%%": "() { echo in > @FILE@; }"}, "/bin/bash", ["-c", "test 1"]),
    Case({"PS4": "$(@MARK@)"}, "/bin/dash", "-x", stdin="true\n"),
    Case({"PS1": "$(@MARK@)"}, "/bin/dash", "-i", stdin="true\n"),
    Case({"PROMPT_COMMAND": "@MARK@"}, "/bin/bash", "--norc -i", stdin="true\n"),
    Case({"PS0": "$(@MARK@)"}, "/bin/bash", "--norc -i", stdin="true\n"),
    Case({"CDPATH": "@PLANT@/other"}, "/bin/bash", ["-c", "cd sub && . ./code"], {"other/sub/code": WRITE_SHELL}),
    Case({"BASHOPTS": "extdebug", "BASH_ENV": "@PLANT@/rc"}, "/bin/bash", ["-c", "true"], {"rc": WRITE_SHELL}),
    Case({"BASH_LOADABLES_PATH": "@PLANT@/lib"}, "/bin/bash", ["-c", "enable -f evil evil"], objects=["lib/evil"]),
    Case({"SHELL": "@MARK@"}, "/usr/bin/script", "-c true /dev/null"),
    # Interpreters.
    Case({"PERL5OPT": "-Mevil", "PERL5LIB": "@PLANT@"}, "/usr/bin/perl", "-e 1", {"evil.pm": WRITE_PERL}),
    Case({"PERL5LIB": "@PLANT@"}, "/usr/bin/perl", ["-e", "use strict;"], {"strict.pm": WRITE_PERL}),
    Case({"PERLLIB": "@PLANT@"}, "/usr/bin/perl", ["-e", "use strict;"], {"strict.pm": WRITE_PERL}),
    Case({"PERL5DB": "BEGIN { " + WRITE_PERL.strip() + " }"}, "/usr/bin/perl", "-d -e 1"),
    Case({"HARNESS_PERL_SWITCHES": "-I@PLANT@ -Mevil"}, "/usr/bin/prove", "@PLANT@/t.t",
         {"evil.pm": WRITE_PERL, "t.t": "print qq(1..1\\nok 1\\n)"}, also=["/usr/bin/perl"], keep=["PERL5LIB"]),
    Case({"PYTHONPATH": "@PLANT@"}, *PYTHONS, {"sitecustomize.py": WRITE_PYTHON}),
    Case({"PYTHONSTARTUP": "@PLANT@/start.py"}, PYTHON, "-B -i", {"start.py": WRITE_PYTHON}),
    Case({"PYTHONUSERBASE": "@PLANT@"}, *PYTHONS,
         {"lib/python3.11/site-packages/evil.pth": "import os; " + WRITE_PYTHON}),
    Case({"PYTHONBREAKPOINT": "evil.run"}, PYTHON, ["-B", "-c", "breakpoint()"],
         {"evil.py": "def run():\n    " + WRITE_PYTHON}),
    Case({"PYTHONHOME": "@PLANT@"}, *PYTHONS, {"lib/python3.11/encodings/__init__.py": WRITE_EARLY,
                                              "lib/python3.11/os.py": ""}),
    Case({"PYTHONWARNINGS": "all::antigravity.Any", "BROWSER": "@MARK@ %s"}, *PYTHONS),
    Case({"PYTHONPLATLIBDIR": "../@PLANT@"}, *PYTHONS, {"python3.11/encodings/__init__.py": WRITE_EARLY,
                                                         "python3.11/os.py": ""}),
    Case({"_PYTHON_SYSCONFIGDATA_NAME": "evil"}, PYTHON,
         ["-B", "-c", "import sysconfig; sysconfig.get_config_vars()"], {"evil.py": WRITE_PYTHON}),
    Case({"BROWSER": "@MARK@ %s"}, PYTHON, "-B -m webbrowser http://127.0.0.1/"),
    Case({"RUBYOPT": "-r@PLANT@/evil.rb"}, "/usr/bin/ruby", "-e 1", {"evil.rb": WRITE_RUBY}),
    Case({"RUBYLIB": "@PLANT@"}, "/usr/bin/ruby", "-rset -e 1", {"set.rb": WRITE_RUBY}),
    Case({"IRBRC": "@PLANT@/evil.rb"}, "/usr/bin/irb", "", {"evil.rb": WRITE_RUBY}, also=["/usr/bin/ruby"]),
    Case({"RAKEOPT": "-f@PLANT@/evil.rb"}, "/usr/bin/rake", "", {"evil.rb": WRITE_RUBY}, also=["/usr/bin/ruby"]),
    Case({"NODE_OPTIONS": "--require @PLANT@/evil.js"}, "/usr/bin/node", "-e 1", {"evil.js": WRITE_NODE}),
    Case({"NODE_PATH": "@PLANT@"}, "/usr/bin/node", ["-e", "require('evil')"], {"evil.js": WRITE_NODE},
         environment={"HOME": "/nonexistent"}),
    Case({"NODE_REPL_EXTERNAL_MODULE": "@PLANT@/evil.js"}, "/usr/bin/node", "-i", {"evil.js": WRITE_NODE}),
    Case({"npm_config_node_options": "--require @PLANT@/evil.js"}, "/usr/bin/npm", "run --prefix @PLANT@ x",
         {"evil.js": WRITE_NODE, "package.json": '{"scripts": {"x": "node -e 1"}}'}, also=["/usr/bin/node"],
         keep=["npm_config_*", "NODE_OPTIONS", "SHELL", "EDITOR"], shells=["/usr/bin/node"]),
    Case({"PHPRC": "@PLANT@"}, "/usr/bin/php", "@PLANT@/page.php",
         {"php.ini": "auto_prepend_file = @PLANT@/evil.inc\n", "evil.inc": WRITE_PHP, "page.php": "hello\n"}),
    Case({"PHP_INI_SCAN_DIR": "@PLANT@/ini"}, "/usr/bin/php", "@PLANT@/page.php",
         {"ini/a.ini": "auto_prepend_file = @PLANT@/evil.inc\n", "evil.inc": WRITE_PHP, "page.php": "hello\n"}),
    Case({"JAVA_TOOL_OPTIONS": "-agentpath:@SO@"}, "/usr/bin/java", "-version"),
    Case({"_JAVA_OPTIONS": "-agentpath:@SO@"}, "/usr/bin/java", "-version"),
    Case({"JDK_JAVA_OPTIONS": "-agentpath:@SO@"}, "/usr/bin/java", "-version"),
    Case({"TCLLIBPATH": "@PLANT@"}, "/usr/bin/tclsh", "@PLANT@/main.tcl",
         {"main.tcl": "catch {package require evil}", "pkgIndex.tcl": WRITE_TCL}),
    Case({"TCL_LIBRARY": "@PLANT@"}, "/usr/bin/tclsh", "@PLANT@/main.tcl", {"main.tcl": "", "init.tcl": WRITE_TCL}),
    Case({"LUA_INIT": "io.open('@FILE@', 'w'):write('in')"}, "/usr/bin/lua", ["-e", ""]),
    # not where it runs: `.' is in gawk's own path
    Case({"AWKPATH": "@PLANT@/lib"}, "/usr/bin/gawk", "-f evil.awk /dev/null",
         {"lib/evil.awk": 'BEGIN { print "in" > "@FILE@" }'}),
    # Compilers and builders.
    Case({"MAKEFLAGS": "--eval=$(file >@FILE@,in)"}, "/usr/bin/make", "-f /dev/null"),
    Case({"GNUMAKEFLAGS": "--eval=$(file >@FILE@,in)"}, "/usr/bin/make", "-f /dev/null"),
    Case({"MAKEFILES": "@PLANT@/mk"}, "/usr/bin/make", "-f /dev/null", {"mk": "$(file >@FILE@,in)\n"}),
    Case({"CC": "@MARK@"}, "/usr/bin/make", "-C @PLANT@ -f /dev/null x.o", {"x.c": "int x;\n"}),
    Case({"CXX": "@MARK@"}, "/usr/bin/make", "-C @PLANT@ -f /dev/null x.o", {"x.cc": "int x;\n"}),
    Case({"COMPILER_PATH": "@PLANT@/bin"}, "/usr/bin/gcc", "-S -o /dev/null @PLANT@/x.c", {"x.c": "int x;\n"},
         programs=["bin/cc1"]),
    Case({"GCC_EXEC_PREFIX": "@PLANT@/"}, "/usr/bin/gcc", "-S -o /dev/null @PLANT@/x.c", {"x.c": "int x;\n"},
         programs=["cc1", "x86_64-linux-gnu/12/cc1"]),
    Case({"VALGRIND_LIB": "@PLANT@"}, "/usr/bin/valgrind", "/bin/true", also=["/usr/bin/valgrind.bin"], keep=None,
         programs=["memcheck-amd64-linux", "memcheck-arm64-linux"]),
    Case({"CMAKE_TOOLCHAIN_FILE": "@PLANT@/evil.cmake"}, "/usr/bin/cmake", "-S @PLANT@ -B @PLANT@/b",
         {"CMakeLists.txt": "cmake_minimum_required(VERSION 3.5)\nproject(x NONE)\n",
          "evil.cmake": "file(WRITE @FILE@ in)\n"}),
    # Version control.
    Case({"GIT_SSH": "@MARK@"}, GIT, "ls-remote ssh://127.0.0.1:1/x"),
    Case({"GIT_SSH_COMMAND": "@MARK@"}, GIT, "ls-remote ssh://127.0.0.1:1/x", shells=[GIT]),
    Case({"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.sshCommand", "GIT_CONFIG_VALUE_0": "@MARK@"}, GIT,
         "ls-remote ssh://127.0.0.1:1/x", shells=[GIT]),
    Case({"GIT_CONFIG_PARAMETERS": "'core.sshCommand=@MARK@'"}, GIT, "ls-remote ssh://127.0.0.1:1/x", shells=[GIT]),
    Case({"GIT_CONFIG_GLOBAL": "@PLANT@/config"}, GIT, "ls-remote ssh://127.0.0.1:1/x",
         {"config": "[core]\n\tsshCommand = @MARK@\n"}, shells=[GIT]),
    Case({"XDG_CONFIG_HOME": "@PLANT@"}, GIT, "ls-remote ssh://127.0.0.1:1/x",
         {"git/config": "[core]\n\tsshCommand = @MARK@\n"}, shells=[GIT]),
    Case({"GIT_PROXY_COMMAND": "@MARK@"}, GIT, "ls-remote git://127.0.0.1:1/x"),
    Case({"GIT_ALLOW_PROTOCOL": "ext"}, GIT, ["ls-remote", "ext::@MARK@"],
         also=["/usr/lib/git-core/git", "/usr/lib/git-core/git-remote-ext"]),
    Case({"GIT_EXEC_PATH": "@PLANT@/bin"}, GIT, "evil", programs=["bin/git-evil"]),
    Case({"GIT_EXTERNAL_DIFF": "@MARK@"}, GIT, "diff --no-index --ext-diff /etc/hostname /etc/passwd", shells=[GIT]),
    Case({"GIT_EDITOR": "@MARK@"}, GIT, IN_REPO + ["commit", "--allow-empty"], prepare=repository),
    Case({"VISUAL": "@MARK@"}, GIT, IN_REPO + ["commit", "--allow-empty"], prepare=repository,
         environment={"TERM": "xterm"}),
    Case({"EDITOR": "@MARK@"}, GIT, IN_REPO + ["commit", "--allow-empty"], prepare=repository),
    Case({"GIT_ASKPASS": "@MARK@"}, GIT, "credential fill", stdin="protocol=https\nhost=example.org\n\n"),
    Case({"SSH_ASKPASS": "@MARK@"}, GIT, "credential fill", stdin="protocol=https\nhost=example.org\n\n"),
    # Pagers, editors, askers.
    Case({"LESSOPEN": "|@MARK@ %s"}, "/usr/bin/less", "/etc/hostname", shells=["/usr/bin/less"]),
    Case({"LESSKEYIN": "@PLANT@/key"}, "/usr/bin/less", "/etc/hostname", {"key": "#env\nLESSOPEN=|@MARK@ %s\n"},
         shells=["/usr/bin/less"]),
    Case({"VIMINIT": "call writefile(['in'], '@FILE@') | qa!"}, "/usr/bin/vim", "-c qa!"),
    Case({"EXINIT": "call writefile(['in'], '@FILE@') | qa!"}, "/usr/bin/vim", "-c qa!"),
    Case({"VIMRUNTIME": "@PLANT@"}, "/usr/bin/vim", "-c qa!",
         {"defaults.vim": "call writefile(['in'], '@FILE@')\n", "filetype.vim": "call writefile(['in'], '@FILE@')\n"}),
    Case({"SSH_SK_HELPER": "@MARK@"}, "/usr/bin/ssh-keygen", "-t ed25519-sk -f @PLANT@/key -N x"),
    # Archives, transfers, mail.
    Case({"TAR_OPTIONS": "--use-compress-program=@MARK@"}, "/bin/tar", "-cf @PLANT@/x.tar /etc/hostname",
         shells=["/bin/tar"]),
    Case({"ZIPOPT": "-T -TT @MARK@"}, "/usr/bin/zip", "-q @PLANT@/x.zip /etc/hostname", shells=["/usr/bin/zip"]),
    Case({"CURL_HOME": "@PLANT@"}, "/usr/bin/curl", "-s file:///etc/passwd", {".curlrc": "output = @FILE@\n"}),
    Case({"WGETRC": "@PLANT@/rc"}, "/usr/bin/wget", "-q -O /dev/null http://127.0.0.1:1/",
         {"rc": "use_askpass = @MARK@\n"}),
    Case({"GNUPGHOME": "@PLANT@/gpg"}, "/usr/bin/gpg", "--batch --passphrase x --quick-generate-key a",
         {"gpg/gpg.conf": "agent-program @MARK@\n"}),
    # Libraries that load plugins.
    Case({"OPENSSL_CONF": "@PLANT@/cnf"}, "/usr/bin/openssl", "rand 1",
         {"cnf": "openssl_conf = a\n[a]\nproviders = b\n[b]\nevil = c\n[c]\nmodule = @SO@\nactivate = 1\n"}),
    Case({"OPENSSL_MODULES": "@PLANT@"}, "/usr/bin/openssl", "list -providers -provider evil", objects=["evil.so"]),
    Case({"OPENSSL_ENGINES": "@PLANT@"}, "/usr/bin/openssl", "engine evil", objects=["evil.so"]),
    Case({"GIO_EXTRA_MODULES": "@PLANT@"}, "/usr/bin/gio", "info file:///", objects=["libevil.so"]),
    Case({"GIO_MODULE_DIR": "@PLANT@"}, "/usr/bin/gio", "info file:///", objects=["libevil.so"]),
    Case({"XTABLES_LIBDIR": "@PLANT@"}, "/usr/sbin/iptables", "-A INPUT -m evil", objects=["libxt_evil.so"]),
    Case({"TC_LIB_DIR": "@PLANT@"}, "/usr/sbin/tc", "qdisc add dev lo root evil", objects=["q_evil.so"]),
    Case({"DBUS_SESSION_BUS_ADDRESS": "unixexec:path=@MARK@"}, "/usr/bin/dbus-send", "--dest=a.b / a.b.c"),
    Case({"DBUS_SYSTEM_BUS_ADDRESS": "unixexec:path=@MARK@"}, "/usr/bin/dbus-send", "--system --dest=a.b / a.b.c"),
    # Text processing, tools with helpers.
    Case({"GROFF_BIN_PATH": "@PLANT@/bin"}, "/usr/bin/groff", "-Tascii /dev/null",
         programs=["bin/troff", "bin/grotty"]),
    Case({"GROFF_COMMAND_PREFIX": "evil"}, "/usr/bin/groff", "-Tascii /dev/null", programs=["eviltroff"],
         environment={"PATH": "@PLANT@"}),
    Case({"GROFF_FONT_PATH": "@PLANT@"}, "/usr/bin/groff", "-Tevil /dev/null",
         {"devevil/DESC": "res 240\nunitwidth 240\nhor 1\nvert 1\nsizes 10 0\nfonts 1 R\ntcommand\npostpro @MARK@\n"},
         also=["/usr/bin/troff"]),
    Case({"KUBECONFIG": "@PLANT@/kube"}, "/usr/bin/kubectl", "get pods", {"kube": """apiVersion: v1
kind: Config
current-context: a
contexts: [{name: a, context: {cluster: a, user: a}}]
clusters: [{name: a, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: a, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: "@MARK@", interactiveMode: Never}}}]
"""}),
    Case({"DOCKER_CONFIG": "@PLANT@"}, "/usr/local/bin/docker", "evil", programs=["cli-plugins/docker-evil"]),
]
