# SPDX-License-Identifier: LGPL-2.1-or-later
"""Three tiers: an origin that publishes all the time, two mirrors that copy it in loops, and clients. nginx serves the
origin and one mirror; the other mirror stands behind a server that lies, each time in another way.

Whatever a client accepts was published, under that name and with these bytes, and is never older than what it accepted
from there before; a client that knows the honest mirror always succeeds, whomever it asks first.
"""
import argparse
import collections
import hashlib
import http.server
import os
import re
import shutil
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../fault"))

import readers  # pylint: disable=wrong-import-position
from invariant import require  # pylint: disable=wrong-import-position

KEPT = 6  # packages in the origin's pool
PATIENCE = 3  # seconds that apt has with the liar
DOCUMENTS = ("InRelease", "Release", "Release.gpg")


class Liar(http.server.BaseHTTPRequestHandler):
    """Serves the mirror ROOT, or OLD, a copy of it that gets older and older, as MODE says."""
    protocol_version = "HTTP/1.1"
    root = old = mode = None

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        pass

    def read(self, top):
        path = os.path.normpath(top + "/" + self.path)
        require(path.startswith(top), self.path)
        try:
            with open(path, "rb") as file:
                return file.read()
        except OSError:
            return None

    def answer(self, data, length=None):
        self.send_response(200 if data is not None else 404)
        self.send_header("Content-Length", str(len(data or b"") if length is None else length))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data or b"")

    def do_GET(self):
        try:
            getattr(self, "lie_" + Liar.mode)()
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    do_HEAD = do_GET

    def lie_honest(self):
        self.answer(self.read(self.root))

    def lie_old(self):
        self.answer(self.read(self.old))

    def lie_mixed(self):
        """New manifests, and the rest of old."""
        self.answer(self.read(self.root if self.path.rpartition("/")[2] in DOCUMENTS else self.old))

    def lie_mixed_otherwise(self):
        self.answer(self.read(self.old if self.path.rpartition("/")[2] in DOCUMENTS else self.root))

    def lie_wrong(self):
        """One bit is another one."""
        data = bytearray(self.read(self.root) or b"")
        if data:
            data[len(data) // 2] ^= 1
        self.answer(bytes(data) if data else None)

    def lie_wrong_packages(self):
        if self.path.endswith(".deb"):
            self.lie_wrong()
        else:
            self.lie_honest()

    def lie_endless(self):
        self.send_response(200)
        self.end_headers()
        self.close_connection = True
        while self.command == "GET":
            self.wfile.write((self.read(self.root) or b"") + b"x" * 65536)

    def lie_slow(self):
        data = self.read(self.root)
        if data is None or self.command != "GET":
            self.answer(data)
            return
        self.answer(b"", len(data))
        mode = Liar.mode
        for byte in data:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            time.sleep(0.2)
            if Liar.mode != mode:
                break
        self.close_connection = True

    def lie_cut(self):
        data = self.read(self.root)
        if data is None:
            self.answer(None)
            return
        self.answer(data[:len(data) // 2], len(data))
        self.close_connection = True

    def lie_refuse(self):
        self.send_error(503)


MODES = [name[4:] for name in Liar.__dict__ if name.startswith("lie_")]


class History:
    """What was published: the digest of each version."""

    def __init__(self):
        self.lock = threading.Lock()
        self.digests = {}

    def add(self, version, data):
        with self.lock:
            self.digests[version] = hashlib.sha256(data).hexdigest()

    def check(self, directory, floor):
        """The version of the one package in DIRECTORY, which is at least FLOOR."""
        names = os.listdir(directory)
        require(len(names) == 1, "instead of a package there is %s" % names)
        match = re.fullmatch(r"moving_([0-9]+)\.0_all\.deb", names[0])
        require(match, "accepted: %s" % names[0])
        version = int(match[1])
        with open(os.path.join(directory, names[0]), "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        with self.lock:
            require(self.digests.get(version) == digest, "accepted: %s with the SHA256 %s" % (names[0], digest))
        require(version >= floor, "accepted: version %d after version %d" % (version, floor))
        return version


class Loop(threading.Thread):
    """Does its turn again and again; counts by what came of it."""

    def __init__(self, name):
        super().__init__(name=name, daemon=True)
        self.is_over = threading.Event()
        self.error = None
        self.turns = 0  # that were begun and ended
        self.counts = collections.Counter()

    def run(self):
        try:
            while not self.is_over.is_set():
                self.counts[self.turn()] += 1
                self.turns += 1
        except Exception as error:  # pylint: disable=broad-except
            self.error = error

    def turn(self):
        raise NotImplementedError

    @staticmethod
    def call(command, env=None, timeout=None, cwd=None):
        """The status, and all that was said; None for a status where it took too long."""
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  env=dict(os.environ, **(env or {})), check=False, timeout=timeout, cwd=cwd)
        except subprocess.TimeoutExpired:
            return None, ""
        return done.returncode, done.stdout.decode(errors="replace")


class Mirror(Loop):
    """repo-mirror sync. What the origin has just removed cannot be had, and the next turn helps."""

    def __init__(self, name, command):
        super().__init__(name)
        self.command = command

    def turn(self):
        status, said = self.call(self.command)
        require(status in (0, 1, 7), "%s: status %s: %s" % (self.name, status, said))
        time.sleep(0.1)
        return "synced" if status == 0 and said else "nothing new" if status == 0 else "failed"


class Client(Loop):
    """repo-verify fetch, which knows all LOCATIONS and asks them in turn; the last one is that of the mirror HONEST."""

    def __init__(self, name, history, top, command, locations, honest):
        super().__init__(name)
        self.history, self.top, self.honest = history, top, honest
        self.locations = locations
        self.command = command + ["--state", top + "/state-" + name, "--timeout", "1s", locations[0], "moving"]
        for location in locations[1:]:
            self.command += ["--mirror", location]
        self.floor = 0

    def fetch(self):
        directory = os.path.join(self.top, self.name)
        os.makedirs(directory)
        status, said = self.call(self.command + ["--output", directory])
        if status == 0:
            self.floor = self.history.check(directory, self.floor)
        require(status == 0 or os.listdir(directory) == [] or status == 1, "%s: refused and kept: %s" %
                (self.name, said))
        require(0 <= status < 64, "%s: status %d: %s" % (self.name, status, said))
        shutil.rmtree(directory)
        return status, said

    def turn(self):
        status, said = self.fetch()
        if status in (6, 7) and len(self.locations) > 1:
            # The other one has shown something newer before, when it did not lie: this one is to be as new first.
            before = self.honest.turns
            while self.honest.turns < before + 2 and not self.is_over.is_set():
                time.sleep(0.05)
            self.counts["waited for the honest one to be as new"] += 1
            status, said = self.fetch()
        require(status == 0 or self.is_over.is_set(), "%s: status %s, and there is an honest mirror: %s" %
                (self.name, status, said))
        if status == 0 and "warning: %s" % self.locations[0] in said:
            return "in spite of a lie"
        return "done" if status == 0 else "ended"


class Apt(Loop):
    """apt-get update and download."""

    def __init__(self, name, history, top, url, keyring, is_honest):
        super().__init__(name)
        self.history, self.top, self.is_honest = history, os.path.join(top, name), is_honest
        self.floor = 0
        self.env = {"APT_CONFIG": self.top + "/apt.conf"}
        for below in ("state/lists/partial", "cache/archives/partial", "etc/apt.conf.d", "etc/preferences.d",
                      "etc/trusted.gpg.d", "etc/sources.list.d", "log"):
            os.makedirs(os.path.join(self.top, below))
        architecture = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, check=True).stdout.decode()
        for path, text in (("apt.conf", readers.APT.format(top=self.top, architecture=architecture.strip())),
                           ("status", ""),
                           ("etc/sources.list", "deb [signed-by=%s] %s stable main\n" % (keyring, url))):
            with open(os.path.join(self.top, path), "w", encoding="ascii") as file:
                file.write(text)

    def turn(self):
        timeout = None if self.is_honest else PATIENCE
        status, said = self.call(["apt-get", "update"], self.env, timeout)
        is_good = status == 0 and not re.search("^(W|E|N|Err|Ign)[: ]", said, re.M)
        require(is_good or not self.is_honest, "%s: apt-get update: status %s: %s" % (self.name, status, said))
        directory = self.top + "/download"
        os.makedirs(directory)
        status, said = self.call(["apt-get", "download", "moving"], self.env, timeout, directory)
        require(status == 0 or not self.is_honest, "%s: apt-get download: status %s: %s" % (self.name, status, said))
        if status == 0:
            self.floor = self.history.check(directory, self.floor)
        shutil.rmtree(directory)
        return "updated and downloaded" if is_good and status == 0 else "downloaded" if status == 0 else "had nothing"


class Origin:
    """A pool in which one package gets newer and newer."""

    def __init__(self, root, command, history):
        self.root, self.command, self.history = root, command, history
        self.epoch = int(time.time()) - 200000
        self.n = 0
        os.makedirs(root + "/pool/main/m")

    def publish(self):
        self.n += 1
        path = self.root + "/pool/main/m/moving_%d.0_all.deb"
        readers.write_package(path % self.n, "%d.0" % self.n)
        with open(path % self.n, "rb") as file:
            self.history.add(self.n, file.read())
        if self.n > KEPT:
            os.remove(path % (self.n - KEPT))
        status, said = Loop.call(self.command + [self.root], {"SOURCE_DATE_EPOCH": str(self.epoch + self.n)})
        require(status == 0, "update: status %d: %s" % (status, said))


def check_loops(loops):
    for loop in loops:
        if loop.error:
            raise loop.error


def wait_for_turns(loops):
    """Until each one has done a whole turn that it began after now."""
    before = {loop: loop.turns for loop in loops}
    while any(loop.turns < before[loop] + 2 for loop in loops):
        check_loops(loops)
        time.sleep(0.05)


def serve_liar(root, old):
    Liar.root, Liar.old, Liar.mode = root, old, "honest"
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Liar)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return "http://127.0.0.1:%d" % server.server_address[1]


def serve(top, root):
    os.makedirs(top)
    server = readers.Server(top, root)
    return server, "http://127.0.0.1:%d" % server.port


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cycles", type=int, required=True, help="how often the liar lies in each way")
    parser.add_argument("--top", required=True)
    parser.add_argument("--keyring", required=True)
    parser.add_argument("--apt-keyring", help="let apt read as well, with these keys")
    parser.add_argument("--verify", required=True)
    parser.add_argument("--mirror", required=True)
    parser.add_argument("command", nargs="+", help="publishes the directory whose name follows")
    given = parser.parse_args()
    top, history = given.top, History()
    trust = ["--keyring", given.keyring, "--suite", "stable"]
    origin = Origin(top + "/origin", given.command, history)
    origin.publish()
    origin_server, origin_url = serve(top + "/nginx-origin", origin.root)
    copies = [top + "/one", top + "/two"]
    mirrors = [Mirror("mirror %d" % i, [given.mirror, "sync", "--state", copy + "-state", *trust, origin_url, copy])
               for i, copy in enumerate(copies)]
    for mirror in mirrors:
        require(mirror.turn() == "synced", "the first copy has failed")
    shutil.copytree(copies[1], top + "/old", symlinks=True)
    honest_server, honest = serve(top + "/nginx-honest", copies[0])
    liar = serve_liar(copies[1], top + "/old")
    fetch = [given.verify, "fetch", *trust]
    clients = [Client("liar-first", history, top, fetch, [liar, honest], mirrors[0]),
               Client("honest-only", history, top, fetch, [honest], mirrors[0])]
    if given.apt_keyring:
        clients += [Apt("apt-honest", history, top, honest, given.apt_keyring, True),
                    Apt("apt-liar", history, top, liar, given.apt_keyring, False)]
    loops = mirrors + clients
    try:
        for loop in loops:
            loop.start()
        for _ in range(given.cycles):
            for Liar.mode in MODES:
                origin.publish()
                origin.publish()
                wait_for_turns(clients)
        for loop in loops:
            loop.is_over.set()
        for loop in loops:
            loop.join()
        check_loops(loops)
        for mirror, copy in zip(mirrors, copies):
            require(mirror.turn() != "failed", "%s cannot be synced in the end" % mirror.name)
            status, said = Loop.call(["diff", "-r", origin.root + "/dists/stable/main", copy + "/dists/stable/main",
                                      "-x", "by-hash"])
            require(status == 0, "%s: differs: %s" % (mirror.name, said))
            status, said = Loop.call([given.mirror, "check", "--state", copy + "-state", *trust, copy])
            require(status == 0, "%s: check: %s" % (mirror.name, said))
    finally:
        origin_server.stop()
        honest_server.stop()
    require(mirrors[0].counts["synced"] and clients[0].counts["in spite of a lie"], "nothing has happened")
    print("%d publications, %d ways to lie" % (origin.n, len(MODES)))
    for loop in loops:
        print("%s: %s" % (loop.name, ", ".join("%d %s" % (n, what) for what, n in sorted(loop.counts.items()))))


if __name__ == "__main__":
    main()
