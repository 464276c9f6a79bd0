#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Publishes a pool again and again while somebody replaces, appends to, cuts, overwrites, renames and removes
its files. What is listed must be a state that the file of that name was in at some instant, as a whole.
"""
import argparse
import collections
import ctypes
import hashlib
import os
import random
import re
import select
import shutil
import struct
import subprocess
import sys
import threading
import time

import invariant
from invariant import require

BIG = 2 << 20  # long enough to be changed while it is read
SMALL = 20000
FILES = [f"pool/{directory}/{name}" for directory in ("a", "b") for name in
         ("big-1.bin", "big-2.bin", "big-3.bin", "big-4.bin", "big-5.bin", "s-1.bin", "s-2.bin", "s-3.bin")]
ARCHIVE = "pool/a/package-1.0.tar.gz"


class Watch:
    """inotify(7): tells when somebody opens a file."""
    IN_OPEN = 0x20

    def __init__(self, *directories):
        libc = ctypes.CDLL(None, use_errno=True)
        self.fd = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        self.directories = {libc.inotify_add_watch(self.fd, os.fsencode(path), self.IN_OPEN): name
                            for name, path in directories}
        require(self.fd >= 0 and -1 not in self.directories, "inotify does not work here")

    def opened(self, seconds):
        """The files that have been opened, waiting for the first one."""
        out = []
        if not select.select([self.fd], [], [], seconds)[0]:
            return out
        data = os.read(self.fd, 65536)
        while data:
            watch, _mask, _cookie, length = struct.unpack_from("iIII", data)
            name = data[16:16 + length].rstrip(b"\0").decode()
            out.append(f"{self.directories[watch]}/{name}")
            data = data[16 + length:]
        return out

    def forget(self):
        """What was opened by ourselves."""
        self.opened(0)


class Hostile(threading.Thread):
    """Changes files; notes every state of every file before it can be seen."""

    def __init__(self, root, archives, n_changes, seed):
        super().__init__()
        self.root = root
        self.archives = archives
        self.n_changes = n_changes
        self.random = random.Random(seed)
        self.states = set()  # (path, digest)
        self.content = {}
        self.done = collections.Counter()
        self.error = None
        os.makedirs(os.path.join(root, "pool/a"))
        os.makedirs(os.path.join(root, "pool/b"))
        for path in FILES:
            self.replace(path)
        self.replace_archive(ARCHIVE)
        self.watch = Watch(*[(name, self.path(name)) for name in ("pool/a", "pool/b")])

    def path(self, name):
        return os.path.join(self.root, name)

    def note(self, name, data):
        """DATA is about to be what NAME holds."""
        self.states.add((name, hashlib.sha256(data).hexdigest(), len(data)))
        self.content[name] = data

    def fresh(self, name):
        """A content that never was: a number, and what follows from it."""
        number = self.random.getrandbits(64)
        block = hashlib.sha512(b"%d" % number).digest() * 16
        return block * ((BIG if "big" in name else SMALL) // len(block) + self.random.randrange(3))

    def put(self, name, data):
        hidden = self.path(os.path.join(os.path.dirname(name), ".new"))
        with open(hidden, "wb") as file:
            file.write(data)
        os.rename(hidden, self.path(name))

    def replace(self, name):
        data = self.fresh(name)
        self.note(name, data)
        self.put(name, data)

    def replace_archive(self, _name):
        data = self.random.choice(self.archives)
        self.note(ARCHIVE, data)
        self.put(ARCHIVE, data)

    def append(self, name):
        tail = self.fresh("small")
        self.note(name, self.content[name] + tail)
        with open(self.path(name), "ab", buffering=0) as file:
            file.write(tail)

    def cut(self, name):
        self.note(name, self.content[name][:self.random.randrange(len(self.content[name]) + 1)])
        os.truncate(self.path(name), len(self.content[name]))

    def overwrite(self, name):
        """The same length, in steps from the end: who reads meanwhile gets an old beginning and a new end."""
        old = self.content[name]
        new = self.fresh(name)
        new = (new * (len(old) // len(new) + 1))[:len(old)]
        step = max(len(old) // 4, 1)
        with open(self.path(name), "r+b", buffering=0) as file:
            for start in range(len(old) - len(old) % step, -1, -step):
                self.note(name, old[:start] + new[start:])
                os.pwrite(file.fileno(), new[start:start + step], start)

    def rename(self, name):
        other = self.random.choice(FILES)
        if other != name:
            self.note(other, self.content.pop(name))
            os.rename(self.path(name), self.path(other))

    def remove(self, name):
        del self.content[name]
        os.remove(self.path(name))

    def move_directory(self, _name):
        os.rename(self.path("pool/b"), self.path("pool/.b"))
        time.sleep(self.random.random() / 100)
        os.rename(self.path("pool/.b"), self.path("pool/b"))

    def change(self, name, kinds):
        what = self.random.choice(kinds) if name in self.content else self.replace
        what(name)
        if len(self.content.get(name, b"")) > 2 * BIG:
            self.replace(name)
        self.done[what.__name__] += 1
        self.watch.forget()

    def run(self):
        anything = (self.replace, self.append, self.cut, self.overwrite, self.rename, self.remove, self.replace_archive,
                    self.move_directory)
        under_the_reader = (self.overwrite, self.overwrite, self.overwrite, self.append, self.cut, self.replace,
                            self.remove)
        try:
            while sum(self.done.values()) < self.n_changes:
                # In turn so dense that nothing can be read in peace, and so sparse that something can.
                is_dense = time.time() % 2 < 1
                opened = [name for name in self.watch.opened(0.005 if is_dense else 0.05) if name in self.content]
                if opened and self.random.random() < (0.8 if is_dense else 0.2):
                    name = opened[-1]
                    self.change(name, (self.replace_archive,) if name == ARCHIVE else under_the_reader)
                elif not opened and (is_dense or self.random.random() < 0.2):
                    self.change(self.random.choice(FILES), anything)
        except Exception as error:
            self.error = error


def publish(argv):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=120)
    errors = done.stderr.decode(errors="replace").splitlines()
    require(done.returncode in (0, 1), f"update: status {done.returncode}: {errors}")
    require(len(errors) == done.returncode, f"update: status {done.returncode}, and {errors}")
    return done.returncode, re.sub(r"pool/[^ :]*", "FILE", "".join(errors))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--changes", type=int, required=True)
    parser.add_argument("--root", required=True)
    parser.add_argument("--archive", action="append", default=[])
    parser.add_argument("--keyring", required=True)
    parser.add_argument("--seed", type=int, default=time.time_ns())
    parser.add_argument("command", nargs="+")
    given = parser.parse_args()
    print(f"seed {given.seed}")
    hostile = Hostile(given.root, [invariant.read(name) for name in given.archive], given.changes, given.seed)
    outcomes = collections.Counter()
    n_listed = 0
    previous = None
    hostile.start()
    while True:
        is_over = not hostile.is_alive()
        status, reason = publish(given.command)
        outcomes["published" if status == 0 else reason] += 1
        documents = invariant.view(given.root)
        if documents["Release"] == previous or not documents["Release"]:
            require(not is_over or status == 0, "the pool is at rest, and not published")
        else:
            require(status == 0, "a run that failed has published")
            previous = documents["Release"]
            for path, (digest, size) in invariant.listed(previous).items():
                if path in invariant.INDEXES:
                    continue
                require((path, digest, size) in hostile.states,
                        f"{path} is listed with {digest} and {size} bytes, which it never was")
                n_listed += 1
        if is_over:
            break
    if hostile.error:
        raise hostile.error
    invariant.Checker(given.keyring).published(given.root)
    kinds = ", ".join(f"{n} {what}" for what, n in sorted(hostile.done.items()))
    print(f"{sum(hostile.done.values())} changes: {kinds}")
    print(f"{sum(outcomes.values())} runs, {n_listed} listed files were all states that had been there:")
    for reason, n in outcomes.most_common():
        print(f"  {n} {reason}")
    require(outcomes["published"] >= 3 and n_listed > 10, "too few runs were successful to show anything")
    shutil.rmtree(given.root)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except invariant.Broken as broken:
        print(f"hostile_pool: {broken}", file=sys.stderr)
        os._exit(1)  # the hostile thread may still run
