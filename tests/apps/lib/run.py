# SPDX-License-Identifier: MIT
"""An application's tables, done once: unguarded, or guarded and compared with that."""
import json
import os
import re
import secrets
import sys
import time

import box
from ask import fill, wrong


class Run:
    """The tables, once: what each row said."""

    def __init__(self, app, tap, guarded):
        self.app, self.tap, self.guarded = app, tap, guarded
        self.where = "guarded" if guarded else "unguarded"
        self.pages = {}
        self.names = set()
        self.false = self.through = 0

    def check(self, good, what, note=""):
        self.tap.report(None if good else str(note) or "no", f"{self.app.name}, {self.where}: {what}")
        return good

    def act(self, actions):
        for what, request, seen, *status in actions:
            self.app.said()
            before = len(self.app.refusals())
            answer = request(self.app)
            problem = wrong(seen, answer, self.app)
            expected = status[0] if status else None
            if not problem and (answer.status != expected if expected else not 0 < answer.status < 400):
                problem = f"status {answer.status}"
            trouble = f"{problem}\n{answer}\n{self.app.said()}\n" if problem else ""
            if problem:
                trouble += "\n".join(map(json.dumps, self.app.refusals(before)[-5:]))
            self.check(not problem, what, trouble)
            status, text = self.app.normal(answer)
            if what in self.app.unordered:
                text = "\n".join(sorted(text.splitlines()))
            self.pages[what] = status, text

    def compare(self, bare):
        """The same pages and files as unguarded, and nothing refused."""
        odd = sorted(bare.names ^ self.names)
        self.check(not odd, "the files that it made are the same", "\n".join(odd[:40]))
        differ = [f"{what}\n{difference(bare.pages[what][1], page[1])}" for what, page in self.pages.items()
                  if page != bare.pages[what]]
        self.check(not differ, "the answers are the same as unguarded", "\n".join(differ))
        refused = self.app.refusals()
        self.false = len(refused)
        self.check(not refused, "nothing is refused in ordinary use", "\n".join(map(json.dumps, refused[:20])))

    def attack(self, attacks):
        self.app.plant()
        for what, request, evidence, told in attacks:
            self.app.kept["MARK"] = "m" + secrets.token_hex(8)
            before = len(self.app.refusals())
            answer = request(self.app)
            if callable(evidence):
                through = bool(evidence(self.app))
            else:
                through = wrong(evidence, answer, self.app) is None
            self.through += through
            if not self.guarded:
                self.check(through, f"attack: {what}: gets through", f"{answer}\n{self.app.said()}")
                continue
            self.check(not through, f"attack: {what}: does not get through", answer)
            pattern = fill(told, self.app)
            events, end = [], time.monotonic() + 10
            while not any(re.search(pattern, e) for e in events) and time.monotonic() < end:
                events = [json.dumps(e, separators=(",", ":"), ensure_ascii=False) for e in self.app.refusals(before)]
                time.sleep(0.02)
            self.check(any(re.search(pattern, e) for e in events), f"attack: {what}: an event names what was refused",
                       f"wanted {pattern}\n" + "\n".join(events) + f"\n{answer}")


def difference(old, new):
    """Where two texts part."""
    at = next((i for i, (a, b) in enumerate(zip(old, new)) if a != b), min(len(old), len(new)))
    return f"unguarded: ...{old[max(0, at - 60):at + 160]!r}\nguarded: ...{new[max(0, at - 60):at + 160]!r}"


def row(tap, app, *numbers):
    """The application's line of the table that `make check-apps' prints."""
    actions, false, bare, guarded, attacks = numbers
    line = f"{app.name}\t{actions}\t{false}\t{bare} of {attacks}\t{guarded} of {attacks}"
    folder = os.path.join(box.BUILD, "apps")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, os.path.basename(sys.argv[0]) + ".row"), "w", encoding="utf-8") as out:
        out.write(line + "\n")
    tap.note("application, actions, falsely refused, attacks through unguarded, guarded: " + line.replace("\t", ", "))
