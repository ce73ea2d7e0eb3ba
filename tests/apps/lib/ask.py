# SPDX-License-Identifier: MIT
"""What the rows of an application's tables are made of: requests, each a function of the
running application, and what must be seen of an answer.  The head of app.py has the list."""
import email
import re
import string
import time

from browser import Answer


def fill(value, app):
    """$NAME in text, and in what holds text."""
    if isinstance(value, str):
        return string.Template(value).safe_substitute(app.kept)
    if isinstance(value, dict):
        return {fill(name, app): fill(v, app) for name, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(fill(v, app) for v in value)
    return value


def get(path, headers=None):
    return lambda app: app.browser.get(fill(path, app), fill(headers or {}, app))


def post(path, files=None, fields=None, headers=None, **named):
    fields = dict(fields or {}, **named)
    return lambda app: app.browser.post(fill(path, app), fill(fields, app), fill(files, app), fill(headers or {}, app))


def form(path, key, files=None, fields=None, button=None, **named):
    fields = dict(fields or {}, **named)
    return lambda app: app.browser.submit(fill(path, app), key, fill(fields, app), fill(files, app), button)


def visitor():
    def request(app):
        app.browser.forget()
        return Answer("", 200, "", b"a new visitor")
    return request


def command(*words, account="www-data", environment=None):
    """Root's commands are the machine's own: nobody guards them."""
    return lambda app: app.run_command(fill(list(words), app), account, environment or {})


def plain(data):
    """A mail's header and its text parts, decoded."""
    got = email.message_from_bytes(data)
    parts = [part.get_payload(decode=True) for part in got.walk() if part.get_content_maintype() == "text"]
    return b"\n\n".join([data.partition(b"\n\n")[0]] + parts)


def mail(name, **patterns):
    def request(app):
        return app.keep(app.next_mail(name), patterns)
    return request


def keep(request, **patterns):
    return lambda app: app.keep(request(app), patterns)


def steps(*requests):
    def request(app):
        answer = None
        for one in requests:
            answer = one(app)
        return answer
    return request


def pause(seconds):
    """For what an application tells apart by the second."""
    def request(_):
        time.sleep(seconds)
        return Answer("", 200, "", b"")
    return request


def file(path):
    def request(app):
        name = fill(path, app)
        try:
            with open(name, "rb") as opened:
                return Answer(name, 200, "file", opened.read())
        except OSError as error:
            return Answer(name, 404, "", str(error).encode())
    return request


# --- what is seen ---

def wrong(seen, answer, app):
    """None, or what is wrong with the answer."""
    if isinstance(seen, tuple):
        return next(filter(None, (wrong(one, answer, app) for one in seen)), None)
    if callable(seen):
        return seen(answer)
    pattern = fill(seen, app) if seen else ""
    text = answer.text
    if answer.kind.startswith("text/html"):
        text = text.replace("&nbsp;", " ").replace("&#39;", "'")
    if pattern.startswith("!"):
        return f"{pattern[1:]} is seen" if re.search(pattern[1:], text, re.S) else None
    return None if re.search(pattern, text, re.S) else f"{pattern} is not seen"


def begins(data, at=0):
    """For a row: these bytes stand there."""
    return lambda answer: None if answer.data[at:at + len(data)] == data else f"{data} is not at {at}"
