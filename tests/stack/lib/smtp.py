# SPDX-License-Identifier: MIT
"""A mail server on 127.0.0.1:25 that puts every mail into /var/mail/NAME, for clients
such as msmtp.  mail.test has real ones."""
import os
import socketserver
import threading

MAILBOXES = "/var/mail"


class Conversation(socketserver.StreamRequestHandler):
    """One connection; RFC 5321 as far as a client asks."""

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def handle(self):
        names = []
        self.say("220 stack.test ESMTP")
        for line in self.rfile:
            verb = line.strip().upper()
            if verb.startswith(b"RCPT TO:"):
                names.append(line.decode().split("<")[1].split(">")[0].split("@")[0])
                self.say("250 ok")
            elif verb == b"DATA":
                self.say("354 go on")
                text = b""
                for part in self.rfile:
                    if part == b".\r\n":
                        break
                    text += part
                for name in names:
                    with open(os.path.join(MAILBOXES, os.path.basename(name)), "ab") as mailbox:
                        mailbox.write(b"From worker\n" + text.replace(b"\r\n", b"\n") + b"\n")
                names = []
                self.say("250 delivered")
            elif verb == b"QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")


def start():
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 25), Conversation)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
