#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A web server that lies, for the tests: server.py ROOT [--tls CERT KEY [--old-tls|--weak]] [--mute].

Listens on a free port of 127.0.0.1 and prints it. Serves the files below ROOT as HTTP/1.1 does, with
strong ETags, ranges and If-Range, and writes a line for each request to ROOT.log:

    METHOD PATH [range=VALUE] [auth=VALUE] [if-range] [if-none-match] [if-modified-since] [accept-encoding=VALUE] [via PROXYURL]

The file ROOT.rules says what is done otherwise: lines of a regular expression for the path and the name of
a lie with its arguments. The first that matches counts; with "N*" before the name, only the first N times.
"""
import email.utils
import gzip
import os
import re
import shutil
import socket
import socketserver
import ssl
import struct
import sys
import threading
import time
import urllib.parse

ROOT = sys.argv[1]
LOCK = threading.Lock()
COUNTS = {}
ENDLESS = 1 << 16


class Closed(Exception):
    """The connection is to be closed."""


def rule_for(path):
    """The lie that is due for PATH: name and arguments."""
    try:
        with open(ROOT + ".rules", encoding="ascii") as rules:
            lines = rules.read().splitlines()
    except FileNotFoundError:
        return ["honest"]
    for number, line in enumerate(lines):
        regex, *words = line.split()
        if not re.fullmatch(regex, path):
            continue
        times = re.fullmatch(r"(\d+)\*(.*)", words[0])
        if times:
            key = (lines[0], number, line)
            with LOCK:
                COUNTS[key] = COUNTS.get(key, 0) + 1
                if COUNTS[key] > int(times[1]):
                    continue
            words[0] = times[2]
        return words
    return ["honest"]


def etag_of(stat):
    return '"%x-%x"' % (stat.st_mtime_ns, stat.st_size)


class Handler(socketserver.BaseRequestHandler):
    """One connection."""

    def handle(self):
        self.buffer = b""
        try:
            while self.one_request():
                pass
        except (Closed, ConnectionError, ssl.SSLError, TimeoutError, OSError):
            pass

    def send(self, data):
        self.request.sendall(data)

    def one_request(self):
        while b"\r\n\r\n" not in self.buffer:
            data = self.request.recv(65536)
            if not data:
                return False
            self.buffer += data
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        self.method, target, _ = lines[0].split(" ")
        self.headers = {}
        for line in lines[1:]:
            name, value = line.split(":", 1)
            self.headers[name.lower()] = value.strip()
        self.proxied = target if target.startswith("http://") else ""
        if self.proxied:
            target = "/" + target.split("/", 3)[3]
        self.path = urllib.parse.unquote(target)
        self.log()
        name, *args = rule_for(self.path)
        getattr(self, "lie_" + name)(*args)
        return True

    def log(self):
        words = [self.method, self.path]
        for name, key in (("range", "range"), ("authorization", "auth"), ("accept-encoding", "accept-encoding"),
                          ("proxy-authorization", "proxy-auth")):
            if name in self.headers:
                words.append("%s=%s" % (key, self.headers[name].replace(" ", "_")))
        for name in ("if-range", "if-none-match", "if-modified-since"):
            if name in self.headers:
                words.append(name)
        if self.proxied:
            words.append("via=" + self.proxied)
        with LOCK, open(ROOT + ".log", "a", encoding="utf-8") as log:
            log.write(" ".join(words) + "\n")

    # ---- Honest ---------------------------------------------------------------------------------

    def body(self, path=None):
        """The file's bytes and ETag, or None."""
        name = os.path.join(ROOT, (path or self.path).lstrip("/"))
        try:
            with open(name, "rb") as file:
                return file.read(), etag_of(os.stat(name))
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None

    def answer(self, status, data, *headers, reason="Said", length=True):
        lines = ["HTTP/1.1 %s %s" % (status, reason)] + list(headers)
        if length:
            lines.append("Content-Length: %d" % len(data))
        head = "\r\n".join(lines) + "\r\n\r\n"
        self.send(head.encode("latin-1") + (b"" if self.method == "HEAD" else data))

    def lie_honest(self, path=None, etag=None):
        found = self.body(path)
        if not found:
            self.answer(404, b"<html>not here</html>")
            return
        data, own = found
        etag = etag or own
        if self.headers.get("if-none-match") == etag:
            self.answer(304, b"", "ETag: " + etag, length=False)
            return
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("range", ""))
        if wanted and self.headers.get("if-range", etag) == etag:
            start = int(wanted[1])
            if start >= len(data):
                self.answer(416, b"", "Content-Range: bytes */%d" % len(data))
                return
            self.answer(206, data[start:], "ETag: " + etag,
                        "Content-Range: bytes %d-%d/%d" % (start, len(data) - 1, len(data)))
            return
        self.answer(200, data, "ETag: " + etag, "Accept-Ranges: bytes")

    # ---- Lies -----------------------------------------------------------------------------------

    def lie_other(self, path):
        """Another file's bytes."""
        self.lie_honest(path)

    def lie_status(self, status, *headers):
        """Another status; "_" in HEADERS is a blank."""
        self.answer(int(status), b"", *[h.replace("_", " ") for h in headers])

    def lie_meanwhile(self, path, source):
        """Not a lie: but somebody puts the file SOURCE at PATH before it is answered."""
        shutil.copyfile(os.path.join(ROOT, source), path)
        self.lie_honest()

    def lie_unchanged(self):
        """304, whatever has changed; and the file where nobody has asked for changes."""
        if "if-none-match" in self.headers or "if-modified-since" in self.headers:
            self.answer(304, b"", length=False)
        else:
            self.lie_honest()

    def lie_dated(self, seconds, *headers):
        """Not a lie: Last-Modified and, so many SECONDS later, Date in place of an ETag; "none": no Date."""
        found = self.body()
        if not found:
            self.lie_honest()
            return
        modified = int(os.stat(os.path.join(ROOT, self.path.lstrip("/"))).st_mtime)
        lines = ["Last-Modified: " + email.utils.formatdate(modified, usegmt=True)] + [h.replace("_", " ") for h in headers]
        if seconds != "none":
            lines.append("Date: " + email.utils.formatdate(modified + int(seconds), usegmt=True))
        since = self.headers.get("if-modified-since")
        if since and not since.endswith(" GMT"):
            raise Closed
        if since and email.utils.parsedate_to_datetime(since).timestamp() >= modified:
            self.answer(304, b"", *lines, length=False)
        else:
            self.answer(200, found[0], *lines)

    def lie_head_refused(self):
        """405 to HEAD."""
        if self.method == "HEAD":
            self.answer(405, b"")
        else:
            self.lie_honest()

    def lie_page(self):
        """The page of a captive portal."""
        self.answer(200, b"<html>Please log in</html>", "Content-Type: text/html")

    def lie_endless(self):
        """A chunked body without an end."""
        self.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        data = (self.body() or (b"", ""))[0]
        if data:
            self.send(b"%x\r\n%s\r\n" % (len(data), data))
        while True:
            self.send(b"%x\r\n%s\r\n" % (ENDLESS, b"x" * ENDLESS))

    def lie_endless_unsized(self):
        """A body until the end of a connection that does not end."""
        self.send(b"HTTP/1.1 200 OK\r\n\r\n" + (self.body() or (b"", ""))[0])
        while True:
            self.send(b"x" * ENDLESS)

    def lie_large(self, size):
        """A body of SIZE bytes, announced."""
        self.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % int(size))
        while True:
            self.send(b"x" * ENDLESS)

    def lie_drip(self):
        """A byte now and then."""
        data = (self.body() or (b"x" * 1000, ""))[0]
        self.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(data))
        for byte in data:
            self.send(bytes([byte]))
            time.sleep(0.25)

    def lie_drip_headers(self):
        """A byte of the headers now and then."""
        for byte in b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 10000:
            self.send(bytes([byte]))
            time.sleep(0.25)

    def lie_stall(self):
        """Headers, and then nothing."""
        self.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        time.sleep(600)

    def lie_silence(self):
        """Nothing at all."""
        time.sleep(600)

    def lie_raw(self, *lines):
        """These header lines ("_" is a blank) and the body, then the end."""
        head = "\r\n".join(line.replace("_", " ") for line in lines)
        self.send(head.encode("latin-1") + b"\r\n\r\n" + (self.body() or (b"x" * 100, ""))[0])
        raise Closed

    def lie_bad_chunks(self, size):
        """A chunk of the size SIZE."""
        self.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + size.encode() + b"\r\n")
        self.send((self.body() or (b"", ""))[0] + b"\r\n0\r\n\r\n")
        raise Closed

    def lie_headers(self):
        """Headers without an end."""
        self.send(b"HTTP/1.1 200 OK\r\n")
        while True:
            self.send(b"X-More: " + b"x" * 8000 + b"\r\n")

    def lie_interim(self):
        """Interim answers without an end."""
        while True:
            self.send(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 50)

    def lie_redirect(self, to, status="302"):
        """To TO, in which %PATH% and %PORT% stand for what they say."""
        to = to.replace("%PATH%", self.path).replace("%PORT%", str(PORT))
        self.answer(int(status), b"moved", "Location: " + to)

    def lie_hops(self, left):
        """LEFT redirects, and then the file."""
        self.answer(302, b"", "Location: /hop/%d%s" % (int(left) - 1, self.path))

    def lie_hop(self):
        """What /hop/N/PATH says."""
        _, _, left, path = self.path.split("/", 3)
        if int(left):
            self.answer(302, b"", "Location: /hop/%d/%s" % (int(left) - 1, path))
        else:
            self.lie_honest("/" + path)

    def lie_gzip(self):
        """Compressed by Content-Encoding, as nobody has asked for."""
        self.answer(200, gzip.compress((self.body() or (b"", ""))[0]), "Content-Encoding: gzip")

    def lie_bomb(self):
        """Many zeros in a small Content-Encoding."""
        self.answer(200, gzip.compress(bytes(100 << 20)), "Content-Encoding: gzip")

    def lie_said_gzip(self):
        """The bytes as they are, and said to be encoded."""
        self.answer(200, self.body()[0], "Content-Encoding: gzip")

    def lie_cut(self, n, etag=None):
        """The first N bytes, and the end of the connection; a range is honoured."""
        if "range" in self.headers:
            self.lie_honest(None, etag)
            return
        data, own = self.body()
        self.send(b"HTTP/1.1 200 OK\r\nETag: %s\r\nContent-Length: %d\r\n\r\n" %
                  ((etag or own).encode(), len(data)) + data[:int(n)])
        raise Closed

    def lie_cut_always(self, n):
        """Likewise, whatever was asked for."""
        self.headers.pop("range", None)
        self.lie_cut(n)

    def lie_cut_and_splice(self, n, path):
        """Likewise, but the rest is of the file PATH, with the same ETag."""
        if "range" in self.headers:
            own, self.headers["if-range"] = self.body()[1], self.body()[1]
            self.lie_honest(path, own)
            return
        self.lie_cut(n)

    def lie_cut_and_change(self, n):
        """Likewise, but by then it is another file, and that is said."""
        if "range" in self.headers:
            del self.headers["range"]
            self.lie_honest(None, '"another"')
            return
        self.lie_cut(n)

    def lie_cut_and_shift(self, n):
        """Likewise, but the range begins elsewhere."""
        if "range" not in self.headers:
            self.lie_cut(n)
            return
        data, etag = self.body()
        self.answer(206, data[1:], "ETag: " + etag, "Content-Range: bytes 1-%d/%d" % (len(data) - 1, len(data)))

    def lie_partial(self):
        """206, although nobody has asked for a part."""
        data, etag = self.body()
        self.answer(206, data, "ETag: " + etag, "Content-Range: bytes 0-%d/%d" % (len(data) - 1, len(data)))

    def lie_flip(self):
        """One bit is another one."""
        data = bytearray(self.body()[0])
        data[len(data) // 2] ^= 1
        self.answer(200, bytes(data))

    def lie_reset(self):
        """The connection is reset in the middle."""
        data = self.body()[0]
        self.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(data) + data[:10])
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Closed

    def lie_auth(self, value):
        """401 without "Authorization: Basic VALUE"."""
        if self.headers.get("authorization") == "Basic " + value:
            self.lie_honest()
        else:
            self.answer(401, b"", 'WWW-Authenticate: Basic realm="test"')


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass

    def finish_request(self, request, client_address):
        request.settimeout(120)
        if "--mute" in sys.argv:
            time.sleep(600)
        if CONTEXT:
            try:
                request = CONTEXT.wrap_socket(request, server_side=True)
            except (ssl.SSLError, OSError):
                return
        super().finish_request(request, client_address)


CONTEXT = None
if "--tls" in sys.argv:
    at = sys.argv.index("--tls")
    CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if "--old-tls" in sys.argv:
        CONTEXT.set_ciphers("ALL:@SECLEVEL=0")
        CONTEXT.minimum_version = ssl.TLSVersion.TLSv1
        CONTEXT.maximum_version = ssl.TLSVersion.TLSv1_1
    if "--weak" in sys.argv:
        CONTEXT.set_ciphers("ALL:@SECLEVEL=0")
    CONTEXT.load_cert_chain(sys.argv[at + 1], sys.argv[at + 2])
SERVER = Server(("127.0.0.1", 0), Handler)
PORT = SERVER.server_address[1]
print(PORT, flush=True)
SERVER.serve_forever()
