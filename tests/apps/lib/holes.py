# SPDX-License-Identifier: MIT
"""What attackers do with holes.php and holes.cgi, as rows of a table of attacks (app.py).

    ATTACKS = holes.php("/plugins/holes.php", "/var/lib/wiki/media", "/usr/share/wiki/plugins")
    ATTACKS = holes.perl("/cgi-bin/holes.cgi", "/srv/tools")

url: where holes.php or holes.cgi answers; tree: an upload tree of the policy; code: a folder of the
application's code that its user may write (by its mode) and the policy does not grant.
prepare() and plant() are called by the application's functions of these names.
"""
import os
import shutil
import subprocess
import time

import box
import picture
from app import get, mail, post, steps

GOT_IN = "/tmp/got-in"
ID = r"uid=33\(www-data\)"
CODE = b"<?php echo 'RAN BY ' . php_sapi_name() . ' '; system('id'); ?>\n"
RAN = "RAN BY fpm-fcgi"
DASH = r'"program":"/usr/bin/dash"'
LIBRARY = box.PRIVATE + "/payload.so"
# Loaded by LD_PRELOAD, it starts a command.
PAYLOAD = """
#include <stdlib.h>
#include <unistd.h>
__attribute__((constructor)) static void run(void)
{
    if (!getenv("PAYLOAD_RAN")) {
        setenv("PAYLOAD_RAN", "1", 1);
        unsetenv("LD_PRELOAD");
        (void)!system("id >/tmp/got-in");
    }
}
"""
MSMTP = "account default\nhost 127.0.0.1\nport 25\nfrom x@stack.test\nauth plain\nuser x\ntls off\n" \
    "passwordeval \"id >/tmp/got-in; echo x\"\n"


def prepare():
    """Once, before both runs."""
    source = box.put(box.PRIVATE + "/payload.c", PAYLOAD)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", LIBRARY, source], check=True)


def plant(target):
    """Installs the holes, as root, so that nothing else is wrong with them."""
    if target.endswith(".php"):
        box.copy("tests/apps/lib/holes.php", target)
    else:
        box.copy("tests/apps/lib/holes.cgi", target, 0o755)
    if os.path.exists(GOT_IN):
        os.unlink(GOT_IN)


def got_in(_):
    """Did a command write its file?"""
    try:
        with open(GOT_IN, encoding="ascii") as file:
            said = file.read()
        os.unlink(GOT_IN)
        return "uid=" in said
    except FileNotFoundError:
        return False


def judged(path):
    """What a file holds is judged a moment after its last close."""
    def request(app):
        end = time.monotonic() + 20
        while app.guarded and os.path.exists(path) and time.monotonic() < end:
            time.sleep(0.02)
    return request


def left_by_others(path, data, *requests):
    """Another program (FTP, a tenant, a backup) puts a file there."""
    def request(app):
        with open(path, "wb") as file:
            file.write(data)
        shutil.chown(path, "www-data", "www-data")
        return steps(*requests)(app)
    return request


def library():
    with open(LIBRARY, "rb") as file:
        return file.read()


def id_program():
    with open("/usr/bin/id", "rb") as file:
        return file.read()


class Page:
    """Where the holes answer."""

    def __init__(self, url, refused=None):
        """`refused`: the event when id may not be started."""
        self.url, self.refused = url, refused

    def hole(self, do, **fields):
        return post(self.url, fields=dict(fields, do=do))

    def store(self, path, data):
        """`data`: bytes, or a function that reads them when it is needed."""
        return lambda app: post(self.url, fields={"do": "store", "path": path},
                                files={"file": ("file", data() if callable(data) else data, "image/png")})(app)

    def command(self, name, do, words, refused=None):
        """A row: this hole starts these words, and the answer shows what id says."""
        return name, self.hole(do, c=words), ID, refused or self.refused


def php(url, tree, code):
    run = r'"action":"deny".*"(program|inner)":"/usr/bin/id"|"line":"id'
    page = Page(url, run)
    hole, store, command = page.hole, page.store, page.command
    preload = "putenv('LD_PRELOAD=/tmp/payload.so'); mail('anne@stack.test', 'x', 'x');"
    return (
        # a visitor's words in a line
        ("a command after a semicolon", hole("size", size="10x10 /dev/null; id #", path="x"), ID,
         r'"construct":"sequence"'),
        ("a command in $( )", hole("size", size="10x10 $$(id >/tmp/got-in) #", path="x"), got_in,
         r'"construct":"command-substitution"'),
        ("a command in backticks", hole("size", size="`id >/tmp/got-in`", path="x"), got_in,
         r'"construct":"command-substitution"'),
        ("a redirection of convert's picture", steps(
            hole("size", size=f"10x10 rose: png:- >{code}/redirected.php #", path="x"), get(url)),
         lambda app: os.path.exists(code + "/redirected.php"), r'"kind":"(write|shell)"'),
        ("-write, convert's own way to make a file",
         hole("size", size=f"10x10 rose: -write {code}/written.png", path="rose:"),
         lambda app: os.path.exists(code + "/written.png"), r'images\.policy:\d+","reason":"arguments"'),
        # PHP's own functions
        command("system()", "system", "id"),
        command("exec()", "exec", "id"),
        command("passthru()", "passthru", "/usr/bin/id"),
        command("shell_exec()", "shell_exec", "id"),
        command("popen()", "popen", "id"),
        command("proc_open() of a line", "proc_open", "id"),
        command("proc_open() of words, no environment", "array", "/usr/bin/id"),
        command("a shell by proc_open()", "array", "/bin/sh|-c|id; id", DASH),
        command("a shell by another name", "array", "/proc/self/root/bin/sh|-c|id; id", DASH),
        command("the loader runs a program", "array", "/lib64/ld-linux-x86-64.so.2|/usr/bin/id",
                r'"program":"[^"]*(ld-linux|/usr/bin/id)'),
        command("eval() of a visitor's words", "eval", "echo `id`;"),
        # programs brought along
        ("a program of their own", steps(
            store("/tmp/own", id_program), hole("eval", c="chmod('/tmp/own', 0755);"),
            hole("array", c="/tmp/own")), ID, r'"program":"/tmp/own"'),
        # the environment
        ("mail() with LD_PRELOAD", steps(store("/tmp/payload.so", library), hole("eval", c=preload)), got_in,
         r'"variable":"LD_PRELOAD"'),
        ("mail() whose fifth argument names a configuration", steps(
            hole("write", path="/tmp/conf", c=MSMTP), hole("eval", c="chmod('/tmp/conf', 0600);"),
            hole("mail", c="-C/tmp/conf")), got_in, r'mail\.policy:\d+","reason":"arguments"'),
        # what is left in upload trees
        ("upload of a script", steps(store(tree + "/shell.php", CODE), hole("include", path=tree + "/shell.php")), RAN,
         r'"kind":"name".*"path":"[^"]*/shell\.php"'),
        ("upload of a script by a name in capitals", steps(
            store(tree + "/shell.PhTmL", CODE), hole("include", path=tree + "/shell.PhTmL")), RAN,
         r'"kind":"name".*shell\.PhTmL'),
        ("upload of a picture with code", steps(
            store(tree + "/code.png", picture.png(comment=CODE)), judged(tree + "/code.png"),
            hole("include", path=tree + "/code.png")), RAN,
         r'"kind":"content".*code\.png'),
        ("upload of a server's settings", store(tree + "/.htaccess", b"AddHandler application/x-httpd-php .png\n"),
         lambda app: os.path.exists(tree + "/.htaccess"), r'"kind":"name".*\.htaccess'),
        ("include of a script that another program left there", left_by_others(
            tree + "/left.php", CODE, hole("include", path=tree + "/left.php")), RAN,
         r'"reason":"read-script".*left\.php'),
        # the application's own code
        ("a new file of code", steps(
            hole("write", path=code + "/new.php", c=CODE.decode()), hole("include", path=code + "/new.php")), RAN,
         r'"path":"[^"]*/new\.php"'),
        ("upload past the tree", steps(
            store(tree + "/../" + os.path.relpath(code, os.path.dirname(tree)) + "/past.php", CODE),
            hole("include", path=code + "/past.php")), RAN, r'past\.php'),
        # code that lies where the policy lets the worker write: it may run, and starts nothing
        ("include of code in a session's file, and its command", steps(
            hole("write", path="/tmp/session", c=CODE.decode()), hole("include", path="/tmp/session")), ID, run),
    )


def php_after(url, tree):
    """What the same plugin is for still works: the twins of the attacks."""
    page = Page(url)
    hole = page.hole
    return (
        ("the plugin's own upload of a picture", page.store(tree + "/twin.png", picture.png()), "^stored"),
        ("the plugin's own picture in another size", hole("size", size="10x10", path=tree + "/twin.png"), "sized: 0"),
        ("mail from an address", hole("mail", c="-fanne@stack.test"), "^sent"),
        ("that mail", mail("anne"), "A question"),
        ("a file in /tmp", hole("write", path="/tmp/twin", c="<?php echo 'ordinary', ' code';"), "^written"),
        ("include of it", hole("include", path="/tmp/twin"), "ordinary code"),
    )


def perl(url, code):
    """`code`: a folder that the worker's user owns and the policy does not grant."""
    run = r'"action":"deny".*("(program|inner)":"/usr/bin/id"|"line":"id)'
    shell = r'"action":"deny".*"construct":'
    page = Page(url, run)
    hole, store, command = page.hole, page.store, page.command
    return (
        command("a command after a semicolon", "lookup", "localhost; id", shell),
        ("a command in $( )", hole("lookup", c="$$(id >/tmp/got-in)"), got_in, shell),
        command("a command after a line's end", "lookup", "localhost\nid", shell),
        command("system of a line", "system", "id; id", shell),
        command("system of words", "words", "/usr/bin/id"),
        command("backticks", "qx", "id"),
        command("open of a visitor's name", "open", "id|"),
        command("exec", "exec", "/usr/bin/id"),
        command("execve(2) itself", "syscall", "/usr/bin/id"),
        command("a shell by execve(2)", "syscall", "/bin/sh|-c|id; id", DASH),
        command("eval of a visitor's words", "eval", "`id`"),
        command("perl -e", "words", "/usr/bin/perl|-e|print qx(id)", r'"program":"/usr/bin/perl"'),
        ("a program of their own", steps(store("/tmp/own", id_program), hole("words", c="/tmp/own")), ID,
         r'"program":"/tmp/own"'),
        command("the loader runs it", "words", "/lib64/ld-linux-x86-64.so.2|/tmp/own", r"ld-linux|/tmp/own"),
        ("mail from an address that holds an option", steps(
            hole("write", path="/tmp/conf", c=MSMTP), hole("eval", c="chmod 0600, '/tmp/conf'"),
            hole("mail", c="x@stack.test -C/tmp/conf")), got_in, r'mail\.policy:\d+","reason":"arguments"'),
        ("sendmail with LD_PRELOAD", steps(
            store("/tmp/payload.so", library),
            hole("eval", c="$$ENV{LD_PRELOAD} = '/tmp/payload.so'; system '/usr/sbin/sendmail', '-t', '-i'")), got_in,
         r'"variable":"LD_PRELOAD"'),
        ("a new program beside the site's own", hole("write", path=code + "/new.cgi", c="#!/bin/sh\nid\n"),
         lambda app: os.path.exists(code + "/new.cgi"), r'"path":"[^"]*/new\.cgi"'),
        ("code left in /tmp, and its command", steps(
            hole("write", path="/tmp/left.pl", c="print 'RAN '; system 'id'; 1"), hole("require", path="/tmp/left.pl")),
         ID, run),
    )


def perl_after(url):
    """What the same program is for still works: the twins of the attacks."""
    hole = Page(url).hole
    return (
        ("mail from an address", hole("mail", c="anne@stack.test"), "the page goes on"),
        ("that mail", mail("anne"), "a question"),
        ("a file in /tmp", hole("write", path="/tmp/twin.pl", c="print 'ordinary', ' code'; 1"), "^written"),
        ("code from it", hole("require", path="/tmp/twin.pl"), "ordinary code"),
    )
