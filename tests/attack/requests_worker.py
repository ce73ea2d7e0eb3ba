# SPDX-License-Identifier: MIT
"""A server's worker in every awkward position: each scene serves requests of its own
clients and has a command line refused, which names what must be told of it.

    requests_worker.py SCENE HELPER

Lines are "x;SCENE.WHAT"; requests.test knows what WHAT of each scene must say.
"""
import array
import ctypes
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading

libc = ctypes.CDLL(None, use_errno=True)
SCENE = sys.argv[1]
listener = socket.socket(socket.AF_UNIX)
listener.bind("")
listener.listen(4096)
clients = []


def http(client, path="/", close=True, more=""):
    return (f"GET {path} HTTP/1.1\r\nHost: site\r\nX-Real-IP: {client}\r\n{more}"
            f"{'Connection: close' if close else 'A: b'}\r\n\r\n").encode()


def record(kind, content):
    return struct.pack(">BBHHBB", 1, kind, 1, len(content), 0, 0) + content


def params(pairs):
    def length(n):
        return bytes([n]) if n < 128 else struct.pack(">I", n | 1 << 31)
    return b"".join(length(len(n)) + length(len(v)) + n + v for n, v in pairs)


def fastcgi(client, keep=False, more=()):
    body = params([(b"REMOTE_ADDR", client.encode()), (b"SCRIPT_FILENAME", b"/srv/a.php"), *more])
    out = record(1, bytes([0, 1, keep, 0, 0, 0, 0, 0]))
    for at in range(0, len(body), 60000):
        out += record(4, body[at:at + 60000])
    return out + record(4, b"")


def connect():
    client = socket.socket(socket.AF_UNIX)
    client.connect(listener.getsockname())
    clients.append(client)
    return listener.accept()[0]


def serve(head, connection=None):
    """Takes a request, whole."""
    connection = connection or connect()
    client = clients[-1]
    sender = threading.Thread(target=client.sendall, args=(head,))
    sender.start()
    got = 0
    while got < len(head):
        got += len(connection.recv(8192))
    sender.join()
    return connection


def refused(what, more=""):
    os.system(f"x;{SCENE}.{what}{more}")


def one():
    refused("before")
    a = serve(http("192.0.2.1"))
    refused("during")
    a.close()
    refused("after")


def event_loop():
    a = serve(http("192.0.2.1", "/?q=alpha"))
    b = serve(http("192.0.2.2", "/?q=beta"))
    refused("nobody")
    refused("second", " beta")
    refused("both", " alpha beta")
    a.close()
    refused("left")
    b.close()
    refused("none")


def kept_alive():
    a = serve(http("192.0.2.1", "/?q=alpha", close=False))
    refused("only")
    b = serve(http("192.0.2.2"))
    refused("idle")
    refused("matched", " alpha")
    b.close()
    clients.pop()
    serve(http("192.0.2.3", close=False), a)
    refused("next")


def threads():
    turn = threading.Barrier(3)

    def work(client):
        connection = serve(http(client))
        turn.wait()
        refused(client)
        turn.wait()
        connection.close()
    both = []
    for client in "192.0.2.1", "192.0.2.2":
        both.append(threading.Thread(target=work, args=(client,)))
        both[-1].start()
        while both[-1].is_alive() and turn.n_waiting < len(both):
            pass
    turn.wait()
    refused("other")  # neither's: a thread that serves nobody
    turn.wait()
    for thread in both:
        thread.join()


def helper_thread():
    """A pool of threads that works for an event loop."""
    a = serve(http("192.0.2.1"))
    thread = threading.Thread(target=refused, args=("pool",))
    thread.start()
    thread.join()
    a.close()


def missed_close():
    a = serve(http("192.0.2.1"))
    fd = a.detach()
    client = socket.socket(socket.AF_UNIX)
    client.connect(listener.getsockname())
    clients.append(client)
    libc.close_range(fd, fd, 0)
    refused("closed")
    # another connection under the same number
    b = serve(http("192.0.2.2"), listener.accept()[0])
    assert b.fileno() == fd
    refused("next")


def reused():
    """A descriptor whose closing nobody saw becomes a pipe, which holds a head."""
    fd = connect().detach()
    libc.close_range(fd, fd, 0)
    reader, writer = os.pipe()
    os.dup2(reader, fd)
    os.write(writer, http("203.0.113.66"))
    os.read(fd, 8192)
    refused("pipe")
    a, b = socket.socketpair()
    os.dup2(a.fileno(), fd)
    b.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    os.read(fd, 8192)
    refused("pair")


def leaked():
    """Connections whose numbers become other files', unseen, and are closed later."""
    null = os.open("/dev/null", os.O_RDONLY)
    fds = []
    for i in range(100):
        fds.append(serve(http(f"10.0.0.{i}", close=i % 2)).detach())
        os.dup2(null, fds[-1])
    refused("none")
    a = serve(http("192.0.2.1"))
    refused("next")
    for fd in fds:
        os.read(fd, 1)
        os.close(fd)
    refused("still")
    a.close()
    refused("closed")


def duplicate():
    a = serve(http("192.0.2.1"))
    copy = a.dup()
    refused("during")
    a.close()
    refused("closed")
    copy.close()


def forked():
    a = serve(http("192.0.2.1"))
    pid = os.fork()
    if pid == 0:
        refused("child")
        a.close()
        os._exit(0)
    os.waitpid(pid, 0)
    refused("parent")
    a.close()
    pid = os.fork()
    if pid == 0:
        refused("later")
        os._exit(0)
    os.waitpid(pid, 0)
    # the parent accepts, a child reads
    b = connect()
    pid = os.fork()
    if pid == 0:
        serve(http("192.0.2.2"), b)
        refused("reader")
        os._exit(0)
    b.close()
    os.waitpid(pid, 0)
    refused("acceptor")


def spawned():
    """subprocess closes all descriptors in a child that shares this memory (vfork)."""
    a = serve(http("192.0.2.1"))
    try:
        subprocess.run(["/bin/sh", "-c", "x;spawned.child"], check=False)
    except OSError:
        pass
    refused("parent")
    a.close()


def passed():
    """A connection that another process accepted."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        connection = connect()
        clients[-1].sendall(http("192.0.2.1"))
        socket.send_fds(theirs, [b"x"], [connection.fileno()])
        theirs.recv(1)
        os._exit(0)
    theirs.close()
    _, fds, _, _ = socket.recv_fds(ours, 1, 4)
    connection = socket.socket(fileno=fds[0])
    connection.recv(8192)
    refused("during")
    connection.close()
    refused("after")
    # what was passed may also be anything else
    pair = socket.socketpair()
    ours2, theirs2 = socket.socketpair()
    with open("/etc/hostname", "rb") as file:
        theirs2.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [file.fileno(), 0]))])
    _, fds, _, _ = socket.recv_fds(ours2, 1, 4)
    for fd in fds:
        os.close(fd)
    refused("other")
    pair[0].close()
    os.kill(pid, signal.SIGTERM)
    os.waitpid(pid, 0)


def limit():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def crowd():
    """Thousands of clients at once; afterwards all is as it was."""
    count = min(10000, limit() // 2 - 100)
    a = [serve(http(f"10.0.{i // 256}.{i % 256}")) for i in range(count)]
    refused("during")
    for connection in a:
        connection.close()
    for client in clients:
        client.close()
    clients.clear()
    refused("after")
    last = serve(http("192.0.2.1"))
    refused("next")
    last.close()


def high_number():
    """A descriptor's number far from the others."""
    hard = limit()
    null = os.open("/dev/null", os.O_RDONLY)
    while os.dup(null) < min(hard, 65536) - 4:
        pass
    a = serve(http("192.0.2.1"))
    refused("high")
    a.close()
    refused("closed")


def slow():
    """Heads that nobody ends take no place from those that are whole."""
    for _ in range(200):
        a = connect()
        clients[-1].sendall(b"GET / HTTP/1.1\r\nX-Real-IP: 203.0.113.9\r\n")
        a.recv(8192)
        clients.append(a)
    last = serve(fastcgi("192.0.2.1"))
    refused("whole")
    last.close()


def fast():
    """FastCGI: kept connections, huge params, the script that goes on after its answer."""
    a = serve(fastcgi("192.0.2.1", keep=True))
    refused("first")
    serve(fastcgi("192.0.2.2", keep=True), a)
    refused("second")
    a.close()
    b = serve(fastcgi("192.0.2.3", more=[(b"HTTP_COOKIE", b"x" * 40000)]))
    refused("huge")
    b.close()
    refused("goes-on")
    c = connect()
    refused("next")
    c.close()
    d = serve(fastcgi("192.0.2.4", more=[(b"HTTP_COOKIE", b"x" * 90000)]))
    refused("endless")
    d.close()


def peeked():
    a = connect()
    clients[-1].sendall(http("192.0.2.1"))
    for _ in range(3):
        a.recv(20, socket.MSG_PEEK)
    refused("peeked")
    a.recv(8192)
    refused("read")


def program():
    """What an allowed program without our object is refused, under a supervisor."""
    a = serve(http("192.0.2.1", "/?q=x"))
    subprocess.run([sys.argv[2], "/usr/bin/id"], check=False)
    a.close()
    subprocess.run([sys.argv[2], "/usr/bin/whoami"], check=False)
    a = serve(http("192.0.2.1"))
    b = serve(http("192.0.2.2"))
    subprocess.run([sys.argv[2], "/usr/bin/tty"], check=False)
    a.close()
    b.close()


def lie():
    """Native code points the supervisor at what it likes."""
    call, requests = 0x45474331, 5
    for address in 0, 1, 0xffffffffffffffff, ctypes.addressof(ctypes.create_string_buffer(64)), 0x7fffffffe000:
        libc.prctl(ctypes.c_int(call), ctypes.c_long(requests), ctypes.c_ulong(address), ctypes.c_ulong(7), 0)
    subprocess.run([sys.argv[2], "/usr/bin/id"], check=False)


globals()[SCENE]()
print("done", flush=True)
