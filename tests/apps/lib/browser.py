# SPDX-License-Identifier: MIT
"""As much of a browser as a test of a web application needs: cookies, redirects, forms
with their hidden fields, files."""
import html.parser
import http.cookiejar
import re
import secrets
import urllib.error
import urllib.parse
import urllib.request


class Answer:
    """A page: where it came from in the end, its status, type, bytes and text.  A status of
    0: no answer."""

    def __init__(self, url, status, kind, data):
        self.url, self.status, self.kind, self.data = url, status, kind, data
        self.text = data.decode(errors="replace")

    def __str__(self):
        if self.kind.startswith(("image/", "application/zip", "application/x-g")):
            return f"{self.status} {self.url} {self.kind} {len(self.data)} bytes"
        words = re.sub(r"(?is)<(script|style).*?</\1>|<[^>]*>", " ", self.text)
        return f"{self.status} {self.url} {self.kind} {' '.join(words.split())[:1500]}"


class Forms(html.parser.HTMLParser):
    """The forms of a page: attributes, and the fields that would be sent as they are."""

    def __init__(self, text):
        super().__init__()
        self.forms = []
        self.inside = None  # the form that is open
        self.select = self.area = None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.inside = {"attrs": attrs, "fields": {}, "buttons": {}}
            self.forms.append(self.inside)
        if not self.inside:
            return
        name = attrs.get("name")
        fields = self.inside["fields"]
        if tag == "input" and name:
            kind = attrs.get("type", "text").lower()
            if kind in ("submit", "image", "button"):
                self.inside["buttons"].setdefault(name, attrs.get("value", ""))
            elif kind in ("checkbox", "radio"):
                if "checked" in attrs:
                    fields[name] = attrs.get("value", "on")
            elif kind != "file":
                fields[name] = attrs.get("value", "")
        elif tag == "button" and name:
            self.inside["buttons"].setdefault(name, attrs.get("value", ""))
        elif tag == "textarea" and name:
            self.area = name
            fields[name] = ""
        elif tag == "select" and name:
            self.select = name
        elif tag == "option" and self.select:
            if "selected" in attrs or self.select not in fields:
                fields[self.select] = attrs.get("value", "")

    def handle_data(self, data):
        if self.area and self.inside:
            self.inside["fields"][self.area] += data

    def handle_endtag(self, tag):
        if tag == "form":
            self.inside = None
        elif tag == "textarea":
            self.area = None
        elif tag == "select":
            self.select = None


def find_form(text, key):
    """The form whose id, name, class or action holds `key`, or which has a field of that name."""
    for form in Forms(text).forms:
        attrs = form["attrs"]
        if key in (attrs.get("id"), attrs.get("name")) or key in attrs.get("class", "").split() \
                or key in attrs.get("action", "") or key in form["fields"]:
            return form
    return None


def multipart(fields, files):
    """Type and body; `files`: field -> (name, bytes, type)."""
    mark = "x" + secrets.token_hex(12)
    parts = []
    for name, value in fields:
        parts.append(f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode())
    for name, (filename, data, kind) in files.items():
        parts.append(f'--{mark}\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n'
                     f"Content-Type: {kind}\r\n\r\n".encode() + data + b"\r\n")
    return f"multipart/form-data; boundary={mark}", b"".join(parts) + f"--{mark}--\r\n".encode()


def pairs(fields):
    """A value that is a list stands for several fields of the name."""
    return [(name, str(v)) for name, value in fields.items()
            for v in (value if isinstance(value, (list, tuple)) else [value])]


class Browser:
    """One visitor of http://127.0.0.1."""

    def __init__(self, port):
        self.base = "http://127.0.0.1" + ("" if port == 80 else f":{port}")
        self.forget()

    def forget(self):
        """A new visitor: no cookies, no page."""
        self.cookies = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))
        self.page = None

    def open(self, path, data=None, headers=None):
        url = urllib.parse.urljoin(self.page.url if self.page else self.base + "/", path)
        url = urllib.parse.quote(url, safe="/:?&=%#+;,@!$'()*~[]|")
        request = urllib.request.Request(url, data, dict({"User-Agent": "visitor"}, **(headers or {})))
        try:
            with self.opener.open(request, timeout=60) as got:
                answer = Answer(got.url, got.status, got.headers.get("Content-Type", ""), got.read())
        except urllib.error.HTTPError as error:
            answer = Answer(error.url, error.code, error.headers.get("Content-Type", ""), error.read())
        except (OSError, ValueError) as error:
            return Answer(url, 0, "", repr(error).encode())
        if answer.kind.startswith("text/html"):
            self.page = answer
        return answer

    def get(self, path, headers=None):
        return self.open(path, None, headers)

    def post(self, path, fields, files=None, headers=None):
        if files:
            kind, data = multipart(pairs(fields), files)
        else:
            kind, data = "application/x-www-form-urlencoded", urllib.parse.urlencode(pairs(fields)).encode()
        return self.open(path, data, dict({"Content-Type": kind}, **(headers or {})))

    def submit(self, path, key, fields, files=None, button=None):
        """Opens the page (None: the one that is open), fills in its form and sends it."""
        if path is not None:
            page = self.get(path)
        page = self.page
        form = find_form(page.text, key) if page else None
        if not form:
            return Answer(path, 0, "", f"no form {key} on {page}".encode())
        filled = dict(form["fields"])
        if button:
            filled[button] = form["buttons"].get(button, "")
        filled.update(fields)
        filled = {name: value for name, value in filled.items() if value is not None}
        action = form["attrs"].get("action") or page.url
        if form["attrs"].get("method", "get").lower() == "post":
            return self.post(action, filled, files)
        action = action.partition("?")[0]
        return self.get(action + "?" + urllib.parse.urlencode(pairs(filled)))
