# SPDX-License-Identifier: MIT
"""What is asked of every stack, unguarded and guarded.

A stack is an object with a name, the way of attaching, the files of examples/ that it
uses, and start(guarded), which returns the address of its application.  Everything
else is here: ask() fills one row of the table.
"""
import os
import random
import time
import urllib.error
import urllib.parse
import urllib.request

import box

UPLOADS = "/srv/www/uploads"
COLUMNS = ("injection refused", "upload refused", "ordinary use unchanged", "mail delivered")

# Ordinary use: a name, the query, posted fields.
PAGES = (
    ("page", {"do": "page", "name": "A <b> & ü"}, None),
    ("lookup", {"do": "lookup", "host": "127.0.0.1"}, None),
    ("list", {"do": "list", "host": "127.0.0.1"}, None),
    ("form", {}, {"do": "form", "b": "2 & 3", "a": "it's; `id` $(id)"}),
    ("first visit", {"do": "keep", "id": "7"}, None),
    ("second visit", {"do": "keep", "id": "7"}, None),
)
INJECTIONS = ("127.0.0.1;id", "127.0.0.1|id", "$(id)", "`id`", "127.0.0.1\nid", "127.0.0.1 && id",
              "x;/usr/bin/id", "x;/proc/self/root/usr/bin/id")
PICTURE = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0"
SCRIPTS = ("shell.php", "shell.PhP", "shell.php.jpg", "shell.phtml", "shell.pl", ".htaccess")


class Stack:
    name = "?"
    attach = "?"
    examples = ()  # files of examples/, used as they are
    application = "/"
    port = 0
    page = None  # the script's path, for the event's request; None: a server without scripts
    mail = "yes"  # what the mail column must say
    events = None
    uploads = True  # is what writes the file guarded?
    # Does the event name the script and the client?
    request = True

    def __init__(self, label=None):
        self.label = label or type(self).__name__.lower()  # what its files are called by
        self.running = []
        self.seen = 0
        self.events = f"/var/log/execguard/{self.label}.jsonl"

    def prepare(self):
        """Once: configuration, users, the application."""

    def start(self, guarded):
        raise NotImplementedError

    def stop(self):
        while self.running:
            self.running.pop().stop()

    def run(self, server, port=None):
        """A server that start() made; waits until its port is open."""
        self.running.append(server)
        if port:
            server = getattr(server, "server", server)
            server.wait_for(lambda: box.listens(port))
        return server

    # --- asking

    def url(self, query=None):
        return f"http://127.0.0.1:{self.port}{self.application}" + \
            ("?" + urllib.parse.urlencode(query) if query else "")

    def fetch(self, query=None, post=None, headers=None, raw=None):
        """Status and text of a page; a status of 0: no answer."""
        data = urllib.parse.urlencode(post).encode() if post is not None else raw
        request = urllib.request.Request(self.url(query), data, headers or {})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read().decode(errors="replace")
        except urllib.error.HTTPError as error:
            return error.code, "(an error page)"
        except OSError as error:
            return 0, str(error)

    def upload(self, name, content):
        """Posts a file; is it there, with this content?"""
        mark = "x" + "".join(random.choices("0123456789abcdef", k=24))
        body = (f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
                "Content-Type: application/octet-stream\r\n\r\n").encode() + content + f"\r\n--{mark}--\r\n".encode()
        self.fetch({"do": "upload"}, raw=body, headers={"Content-Type": f"multipart/form-data; boundary={mark}"})
        path = os.path.join(UPLOADS, name)
        try:
            with open(path, "rb") as file:
                there = file.read() == content
            os.unlink(path)
            return there
        except OSError:
            return False

    def delivered(self, subject):
        """Does a mail that the page sends reach the mailbox?"""
        self.fetch({"do": "mail", "to": "admin@localhost", "subject": subject})
        end = time.monotonic() + 20
        while time.monotonic() < end:
            if os.path.exists("/var/mail/admin"):
                with open("/var/mail/admin", encoding="utf-8", errors="replace") as mailbox:
                    if f"Subject: {subject}\n" in mailbox.read():
                        return True
            time.sleep(0.05)
        return False

    def inject(self):
        """The injections that ran."""
        return [text for text in INJECTIONS if "uid=" in self.fetch({"do": "lookup", "host": text})[1]]

    def more(self):
        """Pairs of what only this stack can be asked, and what is wrong (or None)."""
        return ()

    def tells(self, event):
        """Is it the event of that injection?"""
        return "127.0.0.1;id" in event.get("line", "")

    def denials(self):
        """Refusals since the guarded start; stacks may share a file."""
        return [e for e in box.events(self.events)[self.seen:] if e["action"] == "deny"]


class Row:
    """One line of the table, and the assertions behind it."""

    def __init__(self, tap, stack):
        self.tap = tap
        self.stack = stack
        self.cells = dict.fromkeys(COLUMNS, "-")

    def check(self, good, what, note=""):
        good = bool(good)
        self.tap.report(None if good else (str(note) or "no"), f"{self.stack.name}, {self.stack.attach}: {what}")
        return good

    def ask(self):
        stack = self.stack
        stack.prepare()
        try:
            stack.start(False)
            bare = [stack.fetch(query, post) for _, query, post in PAGES]
            injected = stack.inject()
            planted = stack.upload("bare.php", b"<?php system('id');")
            stack.stop()
            wrong = [name for (name, _, _), (status, text) in zip(PAGES, bare) if status != 200 or not text.strip()]
            self.check(not wrong, "every ordinary page answers unguarded", f"{wrong}: {bare}")
            self.check("127.0.0.1;id" in injected, "unguarded, an injected command runs", injected)
            self.check(planted, "unguarded, a script can be uploaded")

            stack.seen = len(box.events(stack.events))
            stack.start(True)
            guarded = [stack.fetch(query, post) for _, query, post in PAGES]
            differ = [f"{name}: {a} is now {b}" for (name, _, _), a, b in zip(PAGES, bare, guarded) if a != b]
            same = self.check(not differ, "ordinary pages are the same guarded", "\n".join(differ + self.trouble()))
            refused = self.ask_injections()
            again = [stack.fetch(query, post) for _, query, post in PAGES]
            same &= self.check(again == bare, "after the attacks they still are", again)
            self.cells["injection refused"] = "yes" if refused else "NO"
            self.cells["ordinary use unchanged"] = "yes" if same else "NO"
            self.ask_upload()
            self.ask_mail()
            self.ask_more()
        except RuntimeError as error:
            self.check(False, "runs", error)
        finally:
            try:
                stack.stop()
            except RuntimeError as error:
                self.check(False, "stops", error)
        return self

    def trouble(self):
        """What may explain a failure: what the servers said, what was refused."""
        lines = [str(e) for e in self.stack.denials()[-5:]]
        for server in self.stack.running:
            lines += getattr(server, "server", server).said().splitlines()[-15:]
        return lines

    def ask_injections(self):
        stack = self.stack
        good = self.check(not stack.inject(), "no injected command runs", stack.inject())
        status, text = stack.fetch({"do": "lookup", "host": "127.0.0.1;id"})
        good &= self.check(status == 200 and "answer" in text, "the attacked page answers", (status, text))
        told = [e for e in stack.denials() if stack.tells(e)]
        good &= self.check(told, "an event names what was refused", "\n".join(self.trouble()))
        if told and stack.request:
            request = told[-1].get("request", {})
            page = request.get("script", "").endswith(stack.page) if stack.page else \
                request.get("uri", "").startswith(stack.application + "?do=lookup&") and "script" not in request
            self.check(page and request.get("remote") == "127.0.0.1", "and the script and the client", told[-1])
            self.check(told[-1].get("source") == "QUERY_STRING:host", "and the parameter that brought it", told[-1])
        return good

    def ask_upload(self):
        """A picture passes, a script does not, whatever its name looks like."""
        stack = self.stack
        if not stack.uploads:
            self.cells["upload refused"] = "not covered"
            return
        kept = stack.upload("picture.png", PICTURE)
        planted = [name for name in SCRIPTS if stack.upload(name, b"<?php system('id');")]
        self.check(kept, "a picture can be uploaded guarded", "\n".join(self.trouble()))
        self.check(not planted, "no script can be uploaded guarded", planted)
        self.cells["upload refused"] = "yes" if kept and not planted else "NO"

    def ask_mail(self):
        sent = self.stack.delivered(f"{self.stack.label} guarded")
        self.cells["mail delivered"] = "yes" if sent else "NO"
        self.check(sent, "mail is delivered guarded", "\n".join(self.trouble()))

    def ask_more(self):
        """What only this stack can be asked."""
        for name, problem in self.stack.more():
            self.check(not problem, name, problem)

    def line(self):
        stack = self.stack
        return [stack.name, stack.attach] + [self.cells[c] for c in COLUMNS]


def table(rows):
    """The rows as text, columns aligned."""
    lines = [["stack", "way of attaching"] + list(COLUMNS)] + [row.line() for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines)
