# SPDX-License-Identifier: LGPL-2.1-or-later
"""Synthetic packages for the benchmark: always the same ones for the same arguments.

pool.py DIR FIRST N MEDIAN writes the packages number FIRST to FIRST + N - 1: Debian packages below DIR/deb/pool, with
sizes that are distributed log-normally around MEDIAN bytes, and hard links to the same bytes, whose names promise
no archive, below DIR/blob. pool.py --tree FILE BYTES FILES writes a tarball.
"""
import gzip
import math
import os
import random
import sys

SIGMA = 1.6  # of Debian's own packages, about
LARGEST = 16 << 20
WORDS = """lib data tool fast small python network file graph image sound editor server client module support common
system library development""".split()
EPOCH = 1600000000


def tar_header(name, size, kind=b"0"):
    header = bytearray(512)
    fields = ((0, name), (100, b"0000755" if kind == b"5" else b"0000644"), (108, b"0000000"), (116, b"0000000"),
              (124, b"%011o" % size), (136, b"%011o" % EPOCH), (148, b" " * 8), (156, kind), (257, b"ustar\x0000"),
              (265, b"root"), (297, b"root"))
    for offset, text in fields:
        header[offset:offset + len(text)] = text
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


def tar(members):
    out = [part for name, data in members
           for part in (tar_header(name, len(data)), data, b"\0" * (-len(data) % 512))]
    return b"".join(out) + b"\0" * 1024


def ar(members):
    out = [b"!<arch>\n"]
    for name, data in members:
        out += [b"%-16s%-12d%-6d%-6d%-8o%-10d`\n" % (name, EPOCH, 0, 0, 0o100644, len(data)), data,
                b"\n" if len(data) % 2 else b""]
    return b"".join(out)


def words(source, n):
    return " ".join(source.choice(WORDS) for _ in range(n))


def control(number, source):
    depends = ", ".join("pkg%06d (>= 1.%d)" % (source.randrange(100000), source.randrange(30))
                        for _ in range(source.randrange(1, 8)))
    lines = "".join(" %s\n" % words(source, 10) for _ in range(source.randrange(1, 6)))
    name = "pkg%06d" % number
    version = "1.%d-%d" % (number % 40, number % 9)
    architecture = "amd64" if number % 3 else "all"
    text = ("Package: %s\nVersion: %s\nArchitecture: %s\nMaintainer: Some Maintainer <%x@example.org>\n"
            "Installed-Size: %d\nDepends: %s\nSection: %s\nPriority: optional\nMulti-Arch: same\n"
            "Homepage: https://example.org/%s\nDescription: %s\n%s" %
            (name, version, architecture, source.getrandbits(32), number % 5000, depends, source.choice(WORDS), name,
             words(source, 6), lines))
    return "%s_%s_%s.deb" % (name, version, architecture), text.encode()


def package(number, median, noise):
    """The name of package NUMBER and its bytes, whose data do not compress."""
    source = random.Random(number)
    name, text = control(number, source)
    head = [(b"debian-binary", b"2.0\n"), (b"control.tar.gz", gzip.compress(tar([(b"./control", text)]), 1, mtime=0))]
    size = min(int(source.lognormvariate(math.log(median), SIGMA)), LARGEST) - 1200
    start = source.randrange(len(noise) // 2)
    data = noise[start:start + max(size, 1)]
    payload = tar([(b"./usr/", b"")]) if size < 1 else tar([(b"./data", data)])
    return name, ar(head + [(b"data.tar.gz", gzip.compress(payload, 1, mtime=0) if size < 65536 else stored(payload))])


def stored(data):
    """A gzip member whose blocks are not compressed: what does not compress anyway, written fast."""
    return gzip.compress(data, 0, mtime=0)


def write_pool(top, first, n, median):
    noise = random.Random(7).randbytes(2 * LARGEST)
    for number in range(first, first + n):
        name, data = package(number, median, noise)
        below = "%02x" % (number * 2654435761 >> 7 & 0xff)
        path = os.path.join(top, "deb/pool", below, name)
        blob = os.path.join(top, "blob", below, "%06d.bin" % number)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.makedirs(os.path.dirname(blob), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)
        os.link(path, blob)


def write_tree(path, n_bytes, n_files):
    """A tarball, gzipped fast, of N_FILES files in directories of 40, N_BYTES together."""
    source = random.Random(3)
    sizes = [source.lognormvariate(0, SIGMA) for _ in range(n_files)]
    scale = n_bytes / sum(sizes)
    text = words(source, 200000).encode()
    with gzip.open(path, "wb", compresslevel=1) as out:
        for number, size in enumerate(sizes):
            if number % 40 == 0:
                out.write(tar_header(b"tree/%03d/" % (number // 40), 0, b"5"))
            size = int(size * scale)
            start = source.randrange(1000)
            data = (text[start:] * (size // (len(text) - 1000) + 1))[:size]
            out.write(tar_header(b"tree/%03d/%02d" % (number // 40, number % 40), size) + data + b"\0" * (-size % 512))
        out.write(b"\0" * 1024)
    os.utime(path, (EPOCH, EPOCH))


if __name__ == "__main__":
    if sys.argv[1] == "--tree":
        write_tree(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        write_pool(sys.argv[1], *map(int, sys.argv[2:5]))
