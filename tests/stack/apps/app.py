# SPDX-License-Identifier: MIT
"""The pages of README in this folder, for WSGI.  DELIBERATELY VULNERABLE."""
import html
import os
import subprocess
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import cgi


def page(form):
    return f"<p>Hello {html.escape(form.getfirst('name', 'visitor'))}</p>\n"


def lookup(form):
    try:
        with os.popen(f"getent hosts {form.getfirst('host')} 2>/dev/null") as pipe:
            return "answer: " + pipe.read()
    except OSError as error:
        return f"no answer: {error.strerror}"


def list_(form):
    done = subprocess.run(["/usr/bin/getent", "hosts", form.getfirst("host")], capture_output=True, text=True,
                          check=False)
    return "answer: " + done.stdout


def form_(form):
    return "".join(f"{name}={form.getfirst(name)}\n" for name in sorted(form) if name != "do")


def keep(form):
    path = "/tmp/app-" + form.getfirst("id")
    with open(path, "a", encoding="ascii") as out:
        out.write("seen\n")
    with open(path, encoding="ascii") as lines:
        visits = len(lines.readlines())
    if visits > 1:
        os.unlink(path)
    return f"visits: {visits}\n"


def upload(form):
    try:
        with open("/srv/www/uploads/" + os.path.basename(form["file"].filename), "wb") as out:
            out.write(form["file"].file.read())
    except OSError:
        return "refused\n"
    return "stored\n"


def mail(form):
    text = f"To: {form.getfirst('to')}\nSubject: {form.getfirst('subject')}\n\nby python\n"
    try:
        done = subprocess.run(["/usr/sbin/sendmail", "-t", "-i"], input=text, text=True, check=False)
    except OSError:
        return "not sent\n"
    return "not sent\n" if done.returncode else "sent\n"


PAGES = {"page": page, "lookup": lookup, "list": list_, "form": form_, "keep": keep, "upload": upload, "mail": mail}


def application(environ, start_response):
    form = cgi.FieldStorage(fp=environ["wsgi.input"], environ=environ, keep_blank_values=True)
    do = form.getfirst("do", "page")
    kind = "text/html" if do == "page" else "text/plain"
    body = PAGES[do](form).encode()
    start_response("200 OK", [("Content-Type", kind), ("Content-Length", str(len(body)))])
    return [body]
