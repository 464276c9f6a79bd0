#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Readers fetch from nginx, and real apt does, while generations are published one after the other.

Every InRelease must be one that was published, whole; a Release and a Release.gpg may be of two generations,
which their reader notices, and then a retry helps; a reader who asks "anything newer?" is never told no when
there is; nobody ever gets something older than what was current when he asked; and the index that an InRelease
lists is there by its hash. apt-get update has nothing to complain about.
"""
import argparse
import ctypes
import hashlib
import http.client
import io
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import threading
import time
from email.utils import parsedate_to_datetime

import invariant
from invariant import require

CONFIGURATION = """
daemon off;
worker_processes 2;
{user}
pid {top}/nginx.pid;
error_log {top}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {top}/body;
    proxy_temp_path {top}/proxy;
    fastcgi_temp_path {top}/fastcgi;
    uwsgi_temp_path {top}/uwsgi;
    scgi_temp_path {top}/scgi;
    keepalive_requests 100000;
    server {{ listen 127.0.0.1:{port}; root {root}; }}
}}
"""


APT = """
#clear APT::Update;
#clear Acquire::Languages;
Dir "{top}";
Dir::Etc "{top}/etc";
Dir::State "{top}/state";
Dir::State::status "{top}/status";
Dir::Cache "{top}/cache";
Dir::Log "{top}/log";
APT::Architecture "{architecture}";
APT::Sandbox::User "";
APT::Update::Error-Mode "any";
Acquire::Check-Date "true";
Acquire::Check-Valid-Until "true";
Acquire::AllowInsecureRepositories "false";
Acquire::GzipIndexes "false";
Acquire::Retries "0";
"""


def write_package(path, version):
    """A .deb of this version, of one small file."""
    def tar(**files):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
            for name, text in files.items():
                member = tarfile.TarInfo("./" + name)
                member.size = len(text)
                archive.addfile(member, io.BytesIO(text.encode()))
        return out.getvalue()

    control = f"Package: moving\nVersion: {version}\nArchitecture: all\nMaintainer: N <n@example.org>\nDescription: t\n"
    members = {"debian-binary": b"2.0\n", "control.tar": tar(control=control), "data.tar": tar(file=version)}
    with open(path, "wb") as file:
        file.write(b"!<arch>\n")
        for name, data in members.items():
            file.write(f"{name:16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(data):<10}`\n".encode())
            file.write(data + b"\n" * (len(data) % 2))


def digest(data):
    return hashlib.sha256(data).digest()


def die_with_parent():
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


class Server:
    """nginx that serves ROOT."""

    def __init__(self, top, root):
        self.log = os.path.join(top, "error.log")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        configuration = os.path.join(top, "nginx.conf")
        with open(configuration, "w", encoding="ascii") as file:
            user = "user root;" if os.geteuid() == 0 else ""
            file.write(CONFIGURATION.format(top=top, root=root, port=self.port, user=user))
        self.process = subprocess.Popen([shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin"), "-p", top, "-e",
                                         self.log, "-c", configuration], stdin=subprocess.DEVNULL,
                                        preexec_fn=die_with_parent)
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            require(self.process.poll() is None, "nginx has ended")
            time.sleep(0.05)
        raise invariant.Broken("nginx does not answer")

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Reader(threading.Thread):
    """One who fetches all the time, over one connection."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.is_over = threading.Event()
        self.seen = []  # what check() gets, each once
        self.error = None

    def get(self, name, headers=None, wanted=(200,)):
        self.connection.request("GET", "/" + name, headers=headers or {})
        answer = self.connection.getresponse()
        data = answer.read()
        require(answer.status in wanted, f"{name}: HTTP status {answer.status}")
        return answer, data

    def run(self):
        try:
            while not self.is_over.is_set():
                start = time.monotonic()
                self.seen.append((start, *self.fetch()))
                time.sleep(0.02)
        except Exception as error:
            self.error = error

    def fetch(self):
        raise NotImplementedError


class InlineReader(Reader):
    """InRelease."""

    def fetch(self):
        return (digest(self.get("InRelease")[1]),)

    def check(self, history):
        for start, found in self.seen:
            history.check("InRelease", found, start)
        return {"InRelease fetched": len(self.seen)}


class ConditionalReader(Reader):
    """InRelease, if it is newer than the one at hand: as apt and every cache do."""
    validators = None
    body = None
    n_same = 0

    def fetch(self):
        answer, data = self.get("InRelease", self.validators, (200, 304))
        if answer.status == 304:
            self.n_same += 1
        else:
            self.body = digest(data)
            # Two within one second of the clock would have the same, and the second never be fetched.
            date = invariant.date_of(invariant.clearsigned_text(data))
            changed = parsedate_to_datetime(answer.headers["Last-Modified"]).timestamp()
            require(changed == date, f"Last-Modified is {changed - date:.0f} s after Date")
            self.validators = {"If-Modified-Since": answer.headers["Last-Modified"]}
        return (self.body,)

    def check(self, history):
        for start, found in self.seen:
            history.check("InRelease", found, start)
        return {"asked whether it is newer": len(self.seen), "told that it is not": self.n_same}


class DetachedReader(Reader):
    """Release, then Release.gpg."""

    def fetch(self):
        return digest(self.get("Release")[1]), digest(self.get("Release.gpg")[1])

    def check(self, history):
        n_mixed = in_turn = longest = 0
        for start, release, signature in self.seen:
            is_mixed = history.check("Release", release, start) != history.check("Release.gpg", signature, start)
            n_mixed += is_mixed
            in_turn = in_turn + 1 if is_mixed else 0
            longest = max(longest, in_turn)
        # Release.gpg of another generation is a bad signature over this one, so it cannot go unnoticed.
        require(longest <= 2, f"{longest} times in turn, Release and Release.gpg did not fit")
        return {"Release and Release.gpg fetched": len(self.seen), "of two generations, so tried again": n_mixed}


class HashReader(Reader):
    """InRelease, then an index that it lists, by its hash."""

    def fetch(self):
        document = self.get("InRelease")[1]
        wanted = invariant.listed(invariant.clearsigned_text(document))["Packages.xz"][0]
        index = self.get("by-hash/SHA256/" + wanted)[1]
        require(invariant.sha256(index) == wanted, f"torn: by-hash/SHA256/{wanted} holds something else")
        return (digest(document),)

    def check(self, history):
        for start, found in self.seen:
            history.check("InRelease", found, start)
        return {"an index fetched by its hash": len(self.seen)}


class AptReader(Reader):
    """apt-get update."""

    def __init__(self, port, top, keyring):
        super().__init__(port)
        self.top = top
        self.prefix = f"127.0.0.1:{port}_._"
        for name in ("state/lists/partial", "cache/archives/partial", "etc/apt.conf.d", "etc/preferences.d",
                     "etc/trusted.gpg.d", "etc/sources.list.d", "log"):
            os.makedirs(os.path.join(top, name))
        architecture = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, check=True).stdout.decode()
        for name, text in (("apt.conf", APT.format(top=top, architecture=architecture.strip())), ("status", ""),
                           ("etc/sources.list", f"deb [signed-by={keyring}] http://127.0.0.1:{port} ./\n")):
            with open(os.path.join(top, name), "w", encoding="ascii") as file:
                file.write(text)

    def fetch(self):
        done = subprocess.run(["apt-get", "update"], stdin=subprocess.DEVNULL, capture_output=True, check=False,
                              env=dict(os.environ, APT_CONFIG=os.path.join(self.top, "apt.conf")))
        said = (done.stdout + done.stderr).decode(errors="replace")
        require(done.returncode == 0 and not re.search("^(W|E|N|Err|Ign)[: ]", said, re.M),
                f"apt-get update: status {done.returncode}: {said}")
        lists = os.path.join(self.top, "state/lists", self.prefix)
        return tuple(digest(invariant.read(lists + name)) for name in ("InRelease", "Packages"))

    def check(self, history):
        for start, document, index in self.seen:
            number = history.check("InRelease", document, start)
            require(history.indexes[number] == index, "apt has an index of another generation")
        return {"apt-get update": len(self.seen)}


class History:
    """What was published, and when it was there at the latest."""

    def __init__(self, root):
        self.root = root
        self.indexes = []  # digests of Packages
        self.index = {name: {} for name in invariant.DOCUMENTS}
        self.published = []

    def add(self):
        """The current generation; it was not there before the last call."""
        for name, data in invariant.view(self.root).items():
            self.index[name].setdefault(digest(data), len(self.published))
        self.indexes.append(digest(invariant.read(os.path.join(self.root, "Packages"))))
        self.published.append(time.monotonic())

    def check(self, name, found, start):
        """FOUND was asked for at START. The number of its generation."""
        require(found in self.index[name], f"torn: {name} is none of those that were published")
        number = self.index[name][found]
        if number + 1 < len(self.published):
            require(self.published[number + 1] > start,
                    f"stale: {name} of generation {number}, asked for {start - self.published[number + 1]:.3f} s after "
                    f"the next one was published")
        return number


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--publications", type=int, required=True)
    parser.add_argument("--top", required=True, help="a directory for nginx")
    parser.add_argument("--root", required=True)
    parser.add_argument("--apt-keyring", help="let apt read as well, with these keys")
    parser.add_argument("command", nargs="+")
    given = parser.parse_args()
    history = History(given.root)
    epoch = int(time.time()) - 200000
    pool = os.path.join(given.root, "pool")

    def publish(number):
        write_package(os.path.join(pool, f"moving_{number}.0_all.deb"), f"{number}.0")
        if number >= 3:
            os.remove(os.path.join(pool, f"moving_{number - 3}.0_all.deb"))
        done = subprocess.run(given.command, env=dict(os.environ, SOURCE_DATE_EPOCH=str(epoch + number)), check=False,
                              stdin=subprocess.DEVNULL, capture_output=True)
        require(done.returncode == 0 and not done.stderr, f"update: {done.returncode}: {done.stderr.decode()}")
        history.add()

    os.makedirs(pool)
    publish(0)
    server = Server(given.top, given.root)
    readers = [kind(server.port) for kind in (InlineReader, DetachedReader, DetachedReader, ConditionalReader,
                                              HashReader)]
    if given.apt_keyring:
        readers += [AptReader(server.port, os.path.join(given.top, f"apt-{n}"), given.apt_keyring) for n in range(2)]
    try:
        for reader in readers:
            reader.start()
        for number in range(1, given.publications + 1):
            publish(number)
        for reader in readers:
            reader.is_over.set()
        for reader in readers:
            reader.join()
    finally:
        server.stop()
    totals = {}
    for reader in readers:
        if reader.error:
            raise reader.error
        for what, n in reader.check(history).items():
            totals[what] = totals.get(what, 0) + n
    errors = invariant.read(server.log)
    require(not errors, f"nginx: {errors.decode(errors='replace')[:500]}")
    print(f"{given.publications} publications, 0 torn, 0 stale, 0 failures:",
          ", ".join(f"{n} times {what}" for what, n in totals.items()))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except invariant.Broken as broken:
        print(f"readers: {broken}", file=sys.stderr)
        sys.exit(1)
