#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes hostile archives, and some good ones, under the directory that is given.

Each file is named after the case that it is an example of. The list that is printed, and written to
the file "list" beside them, has a line for each: name, exit status wanted of unpacking (0 or 9),
exit status wanted of a check (0 or 8), and a part of the reason that must be given ("-" for none),
separated by tabs.
"""

import bz2
import gzip
import io
import lzma
import os
import struct
import sys
import tarfile
import zlib

MTIME = 1700000000
BLOCK = 512
END = b"\0" * (2 * BLOCK)


class Tar:
    """Builds a tar archive out of raw blocks."""

    def __init__(self):
        self.data = bytearray()

    def header(self, name, kind=b"0", size=0, mode=0o644, link=b"", mtime=MTIME, size_field=None,
               mtime_field=None, uid=0, magic=b"ustar\x0000", checksum=None, dev=b"", prefix=b""):
        if isinstance(name, str):
            name = name.encode()
        if isinstance(link, str):
            link = link.encode()
        size_field = b"%011o\0" % size if size_field is None else size_field
        mtime_field = b"%011o\0" % mtime if mtime_field is None else mtime_field
        block = bytearray(BLOCK)
        struct.pack_into("100s8s8s8s12s12s8s1s100s8s32s32s8s8s155s", block, 0, name, b"%07o\0" % mode,
                         b"%07o\0" % uid, b"%07o\0" % uid, size_field, mtime_field, b" " * 8, kind,
                         link, magic, b"root", b"root", dev, dev, prefix)
        total = sum(block) if checksum is None else checksum
        block[148:156] = b"%06o\0 " % total
        self.data += block
        return self

    def body(self, data):
        self.data += data + b"\0" * (-len(data) % BLOCK)
        return self

    def file(self, name, data=b"data\n", **more):
        return self.header(name, size=len(data), **more).body(data)

    def dir(self, name, mode=0o755, **more):
        return self.header(name, kind=b"5", mode=mode, **more)

    def symlink(self, name, target, **more):
        return self.header(name, kind=b"2", link=target, mode=0o777, **more)

    def hardlink(self, name, target, **more):
        return self.header(name, kind=b"1", link=target, **more)

    def pax(self, kind=b"x", **records):
        """Records by their keyword, with "_" for "."."""
        return self.pax_records([(k.replace("_", ".").encode(), v) for k, v in records.items()],
                                kind)

    def pax_records(self, records, kind=b"x"):
        body = b""
        for key, value in records:
            value = value if isinstance(value, bytes) else value.encode()
            length = len(key) + len(value) + 3
            while length != len(b"%d %s=%s\n" % (length, key, value)):
                length = len(b"%d %s=%s\n" % (length, key, value))
            body += b"%d %s=%s\n" % (length, key, value)
        return self.header("PaxHeader", kind=kind, size=len(body)).body(body)

    def long(self, kind, text):
        """A GNU long name (L) or long link (K)."""
        text += b"\0"
        return self.header("././@LongLink", kind=kind, size=len(text),
                           magic=b"ustar  \0").body(text)

    def raw(self, data):
        self.data += data
        return self

    def end(self):
        return bytes(self.data) + END


CASES = []


def case(name, unpack, check, reason="-"):
    """Registers a function that returns the bytes of an archive."""
    def register(function):
        CASES.append((name, unpack, check, reason, function))
        return function
    return register


def gz(data):
    return gzip.compress(data, mtime=0)


def tar_case(name, unpack, check, reason, tar):
    CASES.append((name + ".tar.gz", unpack, check, reason, lambda: gz(tar.end())))


# ---- names that lead out ----

tar_case("A01-dotdot", 9, 0, '".."', Tar().file("../x"))
tar_case("A01-dotdot-only", 9, 0, '".."', Tar().dir("../"))
tar_case("A01-dotdot-last", 9, 0, '".."', Tar().dir("d/").dir("d/.."))
tar_case("A01-dotdot-behind-dot", 9, 0, '".."', Tar().file("./../x"))
tar_case("A01-dotdot-pax", 9, 0, '".."', Tar().pax(path="../x").file("x"))
tar_case("A01-dotdot-gnu", 9, 0, '".."', Tar().long(b"L", b"../x").file("x", magic=b"ustar  \0"))
tar_case("A01-dotdot-global-pax", 0, 0, "-", Tar().pax(b"g", path="../x").file("x"))
tar_case("A01-dotdot-in-prefix", 9, 0, '".."', Tar().file("y", prefix=b".."))
tar_case("A01-dotdot-pax-of-directory", 9, 0, '".."', Tar().pax(path="d/../..").dir("x/"))
tar_case("A01-dotdot-of-symlink", 9, 0, '".."', Tar().symlink("../l", "x"))
tar_case("A01-dotdot-of-hardlink", 9, 0, '".."', Tar().file("f").hardlink("../h", "f"))
tar_case("A02-absolute-in-prefix", 9, 0, "absolute", Tar().file("hallmark-escaped", prefix=b"/tmp"))
tar_case("A02-slashes", 9, 0, "absolute", Tar().dir("//"))
tar_case("A02-absolute", 9, 0, "absolute", Tar().file("/tmp/hallmark-escaped"))
tar_case("A02-absolute-behind-dot", 9, 0, "absolute", Tar().file(".//tmp/hallmark-escaped"))
tar_case("A03-down-and-up", 9, 0, '".."', Tar().dir("d/").file("d/../../x"))
tar_case("A03-down-and-up-inside", 9, 0, '".."', Tar().dir("d/").file("d/../x"))

# ---- links ----

tar_case("A04-through-absolute-symlink", 9, 0, "leaves the tree",
         Tar().symlink("l", "/tmp").file("l/hallmark-escaped"))
tar_case("A04-through-relative-symlink", 9, 0, "leaves the tree",
         Tar().symlink("l", "..").file("l/hallmark-escaped"))
tar_case("A04-through-inside-symlink", 9, 0, "something else",
         Tar().dir("d/").symlink("l", "d").file("l/x"))
tar_case("A04-deep", 9, 0, "leaves the tree", Tar().symlink("a/b/l", "../../../x"))
tar_case("A04-empty-target", 9, 0, "empty", Tar().symlink("l", ""))
tar_case("A04-around-a-link", 9, 0, "goes up again",
         Tar().dir("p/").symlink("p/q", ".").symlink("l", "p/q/../.."))
tar_case("A04-around-a-missing-name", 9, 0, "goes up again", Tar().symlink("l", "p/../x"))
tar_case("A04-many-crossings", 9, 0, "goes up again", Tar().dir("p/").symlink("l", "p/../" * 17))
tar_case("A06-directory-replaced", 9, 0, "leaves the tree",
         Tar().dir("d/").symlink("d", "/tmp").file("d/hallmark-escaped"))
tar_case("A06-directory-replaced-inside", 9, 0, "something else",
         Tar().dir("d/").dir("e/").symlink("d", "e").file("d/x"))
tar_case("A06-file-replaced-by-directory", 9, 0, "something else", Tar().file("d").dir("d/").file("d/x"))
tar_case("A04-chain-of-symlinks", 9, 0, "goes up again",
         Tar().symlink("a", ".").symlink("b", "a/..").file("b/hallmark-escaped"))
tar_case("A04-through-later-directory", 9, 0, "something else",
         Tar().symlink("l", "d").dir("d/").file("l/x"))
tar_case("A07-hardlink-to-dotdot-inside", 9, 0, "hard link", Tar().file("f").hardlink("h", "d/../f"))
tar_case("A07-hardlink-gnu-long", 9, 0, "hard link",
         Tar().long(b"K", b"../../etc/passwd").hardlink("h", "x", magic=b"ustar  \0"))
tar_case("A07-hardlink-pax", 9, 0, "hard link", Tar().pax(linkpath="/etc/passwd").hardlink("h", "x"))
tar_case("A07-hardlink-absolute", 9, 0, "hard link", Tar().hardlink("h", "/etc/passwd"))
tar_case("A07-hardlink-relative", 9, 0, "hard link", Tar().hardlink("h", "../../etc/passwd"))
tar_case("A07-hardlink-through-symlink", 9, 0, "-",
         Tar().symlink("l", "d").hardlink("h", "l/passwd"))
tar_case("A07-hardlink-to-symlink", 9, 0, "no file",
         Tar().file("f").symlink("l", "f").hardlink("h", "l"))
tar_case("A07-hardlink-with-data", 9, 0, "holds data",
         Tar().file("f").pax(comment="pax").header("h", kind=b"1", link="f", size=5)
         .body(b"evil\n"))
tar_case("A07-hardlink-then-file", 9, 0, "twice",
         Tar().file("f").hardlink("h", "f").file("h", b"evil\n"))
tar_case("A07-hardlink-to-later-file", 9, 0, "no file", Tar().hardlink("h", "f").file("f"))
tar_case("A07-hardlink-to-directory", 9, 0, "no file", Tar().dir("d/").hardlink("h", "d"))
tar_case("A07-hardlink-to-itself", 9, 0, "no file", Tar().hardlink("h", "h"))
tar_case("A07-hardlink-over-file", 9, 0, "twice", Tar().file("f").file("h").hardlink("h", "f"))
tar_case("A07-hardlink-without-target", 9, 0, "hard link", Tar().hardlink("h", "./"))
tar_case("A09-symlink-then-file", 9, 0, "something else",
         Tar().file("target").symlink("l", "target").file("l", b"evil\n"))
tar_case("A09-file-then-symlink", 9, 0, "something else",
         Tar().file("l").symlink("l", "target"))
tar_case("A09-file-twice", 9, 0, "twice", Tar().file("f").file("f", b"evil\n"))
tar_case("A09-file-twice-other-spelling", 9, 0, "twice", Tar().file("f").file("./f", b"evil\n"))
tar_case("A09-file-twice-shorter", 9, 0, "twice", Tar().file("f").file("f", b"dat"))
tar_case("A09-file-twice-longer", 9, 0, "twice", Tar().file("f").file("f", b"data\nevil"))
tar_case("A09-file-twice-other-mode", 9, 0, "twice", Tar().file("f").file("f", mode=0o755))
tar_case("A09-hardlink-then-same-file", 9, 0, "twice", Tar().file("f").hardlink("h", "f").file("h"))
tar_case("A09-symlink-twice", 9, 0, "something else", Tar().symlink("l", "a").symlink("l", "b"))
tar_case("A09-file-then-directory", 9, 0, "something else", Tar().file("f").dir("f/"))
tar_case("A09-directory-then-file", 9, 0, "twice", Tar().dir("f/").file("f"))
tar_case("A09-file-as-directory", 9, 0, "something else", Tar().file("f").file("f/g"))
tar_case("A09-symlink-then-directory", 9, 0, "something else", Tar().symlink("l", "d").dir("l/"))

# ---- types and what hangs on files ----

tar_case("A10-set-id-and-sticky", 0, 0, "-",
         Tar().dir("d/", mode=0o7777).file("d/f", mode=0o6777).file("d/g", mode=0)
         .file("d/h", mode=0o4755))
tar_case("A11-character-device", 9, 0, "device", Tar().header("null", kind=b"3", dev=b"0000001\0"))
tar_case("A11-block-device", 9, 0, "device", Tar().header("sda", kind=b"4", dev=b"0000010\0"))
tar_case("A12-fifo", 9, 0, "fifo", Tar().header("fifo", kind=b"6"))
tar_case("A11-device-with-data", 9, 8, "-",
         Tar().header("null", kind=b"3", dev=b"0000001\0", size=5).body(b"data\n"))
tar_case("A12-contiguous-file", 0, 0, "-", Tar().file("f", kind=b"7"))
tar_case("A15-apple-double", 0, 0, "-", Tar().file("._f", b"\0\5\x16\7" + b"\0" * 100).file("f"))
tar_case("A14-capability", 0, 0, "-",
         Tar().pax_records([(b"SCHILY.xattr.security.capability",
                             struct.pack("<IIIII", 0x02000001, 0x400, 0, 0, 0))])
         .file("f", mode=0o755))
tar_case("A15-xattr-acl-flags-owner", 0, 0, "-",
         Tar().pax_records([(b"SCHILY.xattr.user.evil", b"1"), (b"SCHILY.acl.access",
                            b"user::rw-,user:12345:rwx:12345,group::r--,mask::rwx,other::r--"),
                            (b"SCHILY.fflags", b"nodump,sappnd"), (b"uid", b"12345"),
                            (b"gid", b"12345"), (b"uname", b"daemon")]).file("f"))

# ---- names ----

tar_case("A17-case-twins", 0, 0, "-", Tar().file("Makefile", b"1\n").file("makefile", b"2\n"))
tar_case("A17-case-twin-directories", 0, 0, "-", Tar().file("Sub/f", b"1\n").file("sub/f", b"2\n"))
tar_case("A17-normal-form-twins", 0, 0, "-",
         Tar().file("\u00e9", b"1\n").file("e\u0301", b"2\n"))
tar_case("A18-newline", 9, 0, "printable", Tar().file("a\nb"))
tar_case("A18-escape", 9, 0, "printable", Tar().file("a\x1b[31mb"))
tar_case("A18-not-utf8", 9, 0, "printable", Tar().file(b"caf\xe9"))
tar_case("A18-not-utf8-gnu", 9, 0, "printable",
         Tar().long(b"L", b"caf\xe9").file("x", magic=b"ustar  \0"))
tar_case("A18-not-utf8-pax", 9, 8, "-", Tar().pax(path=b"caf\xe9").file("x"))
tar_case("A18-not-utf8-pax-binary", 9, 0, "printable",
         Tar().pax_records([(b"hdrcharset", b"BINARY"), (b"path", b"caf\xe9")]).file("x"))
tar_case("A18-right-to-left", 9, 0, "printable", Tar().file("a\u202egpj.exe"))
tar_case("A18-newline-in-target", 9, 0, "printable", Tar().symlink("l", "a\nb"))
tar_case("A19-component-5000", 9, 0, "-", Tar().pax(path="x" * 5000).file("x"))
tar_case("A19-component-256", 9, 0, "255", Tar().pax(path="x" * 256).file("x"))
tar_case("A19-component-255", 0, 0, "-", Tar().pax(path="x" * 255).file("x"))
tar_case("A19-long-name-100000", 9, 0, "4095",
         Tar().long(b"L", b"x/" * 49999 + b"x").file("x", magic=b"ustar  \0"))
tar_case("A19-path-4096", 9, 0, "4095", Tar().pax(path="/".join(["x" * 204] * 20)[:4096]).file("x"))
tar_case("A19-target-4096", 9, 0, "4095", Tar().pax(linkpath="x" * 4096).symlink("l", "x"))
tar_case("A19-depth-65", 9, 0, "64", Tar().pax(path="/".join("d" * 65)).file("x"))
tar_case("A19-depth-64", 0, 0, "-", Tar().pax(path="/".join("e" * 64)).file("x"))

# ---- limits ----


def many_entries():
    tar = Tar()
    for i in range(2000):
        tar.file("f%d" % i, b"")
    return tar


tar_case("A21-2000-entries", 0, 0, "-", many_entries())


def sparse(real_size, chunks):
    """A GNU sparse file, format 1.0: the map stands before the data."""
    table = b"%d\n" % len(chunks) + b"".join(b"%d\n%d\n" % (o, len(d)) for o, d in chunks)
    body = table + b"\0" * (-len(table) % BLOCK) + b"".join(d for o, d in chunks)
    tar = Tar().pax_records([(b"GNU.sparse.major", b"1"), (b"GNU.sparse.minor", b"0"),
                             (b"GNU.sparse.name", b"sparse"),
                             (b"GNU.sparse.realsize", b"%d" % real_size)])
    return tar.header("GNUSparseFile.0/sparse", size=len(body)).body(body)


tar_case("A22-sparse-1TiB", 9, 0, "bytes", sparse(1 << 40, [(0, b"x" * 512)]))
tar_case("A22-sparse-small", 0, 0, "-", sparse(1 << 20, [(0, b"a" * 512), (1 << 19, b"b" * 1024)]))
tar_case("A22-sparse-backwards", 9, 8, "-",
         sparse(1 << 20, [(1 << 19, b"a" * 512), (0, b"b" * 512)]))
tar_case("A22-sparse-beyond-its-size", 9, 8, "-", sparse(512, [(1 << 19, b"a" * 512)]))


@case("A23-4GiB-of-zeros.tar.gz", 9, 8, "times its size")
def bomb():
    """One part of 64 MiB is compressed, and repeated."""
    size, part = 4 << 30, b"\0" * (64 << 20)
    head = bytes(Tar().header("zeros", size_field=b"%011o " % (size - 1)).data)
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = compressor.compress(head) + compressor.flush(zlib.Z_FULL_FLUSH)
    again = compressor.compress(part) + compressor.flush(zlib.Z_FULL_FLUSH)
    last = compressor.compress(END) + compressor.flush(zlib.Z_FINISH)
    crc = zlib.crc32(head)
    for _ in range(64):
        crc = zlib.crc32(part, crc)
    crc = zlib.crc32(END, crc)
    length = (len(head) + size + len(END)) & 0xffffffff
    return (b"\x1f\x8b\x08\0\0\0\0\0\2\3" + first + again * 64 + last +
            struct.pack("<II", crc, length))


@case("A23-xz-of-zeros.tar.xz", 9, 8, "times its size")
def bomb_xz():
    size = 256 << 20
    compressor = lzma.LZMACompressor()
    out = compressor.compress(bytes(Tar().header("zeros", size=size).data))
    for _ in range(256):
        out += compressor.compress(b"\0" * (1 << 20))
    return out + compressor.compress(END) + compressor.flush()


@case("A23-nested.tar.xz", 9, 8, "not a tar")
def nested_xz():
    return lzma.compress(lzma.compress(Tar().file("x").end()))


@case("A23-nested.tar.gz", 9, 8, "not a tar")
def nested_gz():
    return gz(gz(Tar().file("x").end()))


tar_case("A24-pax-size-20-digits", 9, 8, "-", Tar().pax(size="99999999999999999999").file("x"))
tar_case("A24-pax-size-2-63-less-1", 9, 8, "-", Tar().pax(size="9223372036854775807").file("x"))
tar_case("A24-pax-size-negative", 9, 8, "-", Tar().pax(size="-5").file("x"))
tar_case("A24-base256-huge", 9, 8, "-",
         Tar().header("x", size_field=b"\x80" + b"\0" * 3 + b"\x7f" + b"\xff" * 7).body(b"data"))
tar_case("A24-base256-negative", 9, 8, "-",
         Tar().header("x", size_field=b"\xff" * 12).body(b"data"))
tar_case("A24-base256-good", 0, 0, "-",
         Tar().header("x", size_field=b"\x80" + b"\0" * 10 + b"\x04").body(b"data"))

# ---- damage ----

GOOD = Tar().dir("d/").file("d/f", b"1234567890" * 5000).symlink("d/l", "f").hardlink("d/h", "d/f")


def damaged(name, unpack, check, reason, function):
    CASES.append((name, unpack, check, reason, function))


damaged("A25-empty.tar.gz", 9, 8, "empty", lambda: b"")
damaged("A25-empty.tar", 9, 8, "empty", lambda: b"")
damaged("A25-compressed-nothing.tar.gz", 9, 8, "not a tar", lambda: gz(b""))
damaged("A25-garbage.tar.gz", 9, 8, "compression", lambda: bytes(range(256)) * 64)
damaged("A25-garbage.tar", 9, 8, "not a tar", lambda: bytes(range(256)) * 64)
damaged("A25-text.tar", 9, 8, "not a tar", lambda: b"<html>not found</html>\n" * 100)
damaged("A25-wrong-compressor.tar.gz", 9, 8, "compression", lambda: lzma.compress(GOOD.end()))
damaged("A25-wrong-compressor.tar.xz", 9, 8, "compression", lambda: gz(GOOD.end()))
damaged("A25-compressed-as-plain.tar", 9, 8, "not a tar", lambda: gz(GOOD.end()))
damaged("A25-plain-as-compressed.tar.gz", 9, 8, "compression", GOOD.end)
damaged("A25-truncated-in-file.tar", 9, 8, "-", lambda: GOOD.end()[:4 * BLOCK])
damaged("A25-truncated-in-header.tar", 9, 8, "-", lambda: GOOD.end()[:-2 * BLOCK - 100])
damaged("A25-truncated-before-end.tar", 9, 8, "truncated", lambda: bytes(GOOD.data))
damaged("A25-one-zero-block.tar", 9, 8, "truncated", lambda: bytes(GOOD.data) + b"\0" * BLOCK)
damaged("A25-zeros-in-last-file.tar", 9, 8, "truncated",
        lambda: bytes(Tar().file("zeros", b"\0" * 4096).data))
damaged("A25-something-behind-end.tar", 9, 8, "follows", lambda: GOOD.end() + b"evil" * 128)
damaged("A25-second-archive-behind-end.tar", 9, 8, "follows", lambda: GOOD.end() * 2)
damaged("A25-bad-header-checksum.tar", 9, 8, "checksum",
        lambda: Tar().file("a").file("b", checksum=1).end())
for suffix, compress in (("gz", gz), ("bz2", bz2.compress), ("xz", lzma.compress),
                         ("lzma", lambda d: lzma.compress(d, lzma.FORMAT_ALONE))):
    def make(function, compress=compress):
        return lambda: function(compress(GOOD.end()))
    damaged("A25-truncated.tar." + suffix, 9, 8, "truncated or corrupt", make(lambda d: d[:-3]))
    damaged("A25-cut-in-half.tar." + suffix, 9, 8, "-", make(lambda d: d[:len(d) // 2]))
    damaged("A25-trailing-bytes.tar." + suffix, 9, 8, "-", make(lambda d: d + b"evil"))
    damaged("ok-good.tar." + suffix, 0, 0, "-", make(lambda d: d))
    if suffix != "lzma":  # which has neither a checksum nor members
        damaged("A25-bit-flip-in-checksum.tar." + suffix, 9, 8, "-",
                make(lambda d: d[:-6] + bytes([d[-6] ^ 1]) + d[-5:]))
        half = len(GOOD.end()) // 2 // BLOCK * BLOCK
        damaged("ok-two-members.tar." + suffix, 0, 0, "-",
                lambda compress=compress, half=half:
                compress(GOOD.end()[:half]) + compress(GOOD.end()[half:]))

tar_case("A27-directory-000", 0, 0, "-",
         Tar().dir("d/", mode=0).file("d/f").dir("d/e/", mode=0o500).file("d/e/f"))
tar_case("A28-slash-with-data", 9, 8, "-", Tar().file("fs/", b"data\n"))
tar_case("A28-empty-name", 9, 0, "empty", Tar().file(""))
tar_case("A28-empty-component", 9, 0, "empty", Tar().file("a//b"))
tar_case("A28-dot-component", 9, 0, '"."', Tar().file("a/./b"))
tar_case("A28-root-is-file", 9, 0, "-", Tar().file("."))
tar_case("A28-root-is-symlink", 9, 0, "tree itself", Tar().symlink("./", "d"))
tar_case("A29-mtime-negative", 0, 0, "-", Tar().pax(mtime="-86400.5").file("f"))
tar_case("A29-mtime-year-10000", 0, 0, "-", Tar().pax(mtime="253402300800").file("f"))
tar_case("A29-mtime-huge", 0, 0, "-", Tar().pax(mtime="9223372036854775807").file("f"))
tar_case("A29-mtime-base256", 0, 0, "-",
         Tar().header("f", mtime_field=b"\xff" * 12))

# ---- .deb ----

CONTROL = (b"Package: hello\nVersion: 1\nArchitecture: all\n"
           b"Maintainer: A <a@example.org>\nDescription: x\n")


def member(name, data, size=None, end=b"`\n", pad=b"\n", name_field=None):
    if name_field is None:
        name_field = name.encode()
    size_field = b"%d" % len(data) if size is None else size
    header = struct.pack("16s12s6s6s8s10s2s", name_field.ljust(16), b"%d  " % MTIME, b"0     ",
                         b"0     ", b"100644  ", size_field.ljust(10), end)
    return header + data + (pad if len(data) % 2 else b"")


def control_tar(tar=None):
    return gz((tar or Tar().dir("./").file("./control", CONTROL)).end())


def data_tar(tar=None):
    return (tar or Tar().dir("./").dir("./usr/").file("./usr/hello")).end()


def many_files():
    """More names than fit into one message, and one of each kind that a package may hold."""
    tar = Tar().dir("./").dir("./usr/").file("./usr/file").symlink("./usr/link", "file")
    tar.hardlink("./usr/hard", "./usr/file").dir("./empty/")
    for i in range(5000):
        tar.file("./usr/%d" % i, b"")
    return tar


def deb(*members, magic=b"!<arch>\n"):
    return magic + b"".join(members)


# Exactly as large as a control file may be.
LARGE_CONTROL = CONTROL + b"X-Numbers: " + b" ".join(b"%d" % i for i in range(80000))
LARGE_CONTROL += b"\nX-Padding: "
LARGE_CONTROL += b"x" * (524288 - 1 - len(LARGE_CONTROL)) + b"\n"

VERSION = member("debian-binary", b"2.0\n")
CONTROL_GZ = member("control.tar.gz", control_tar())
DATA_XZ = member("data.tar.xz", lzma.compress(data_tar()))
EXTRA = member("x", b"x")


def deb_case(name, unpack, reason, *members, magic=b"!<arch>\n"):
    data = deb(*members, magic=magic)
    CASES.append((name + ".deb", unpack, 8 if unpack else 0, reason, lambda: data))


def control_case(name, reason, control):
    deb_case(name, 9, reason, VERSION, control, DATA_XZ)


def data_case(name, reason, *data):
    deb_case(name, 9, reason, VERSION, CONTROL_GZ, *data)


deb_case("A30-extra-member-first", 9, "debian-binary", EXTRA, VERSION, CONTROL_GZ, DATA_XZ)
data_case("A30-extra-member-middle", "data.tar", EXTRA, DATA_XZ)
data_case("A30-extra-member-last", "behind", DATA_XZ, EXTRA)
data_case("A30-two-data-members", "behind", DATA_XZ, DATA_XZ)
data_case("A30-bytes-behind", "behind", DATA_XZ, b"\n\n")
data_case("A30-no-data", "truncated")
deb_case("A30-underscore-member", 9, "control.tar", VERSION,
         member("_x", b"x"), CONTROL_GZ, DATA_XZ)
deb_case("A30-other-order", 9, "control.tar", VERSION, DATA_XZ, CONTROL_GZ)
deb_case("A30-no-control", 9, "control.tar", VERSION, DATA_XZ)
data_case("A30-length-too-long", "truncated", member("data.tar", data_tar(), b"99999999"))
control_case("A30-length-negative", "bad member header", member("control.tar.gz", b"x", b"-4"))
control_case("A30-length-not-a-number", "bad member header",
             member("control.tar.gz", b"x", b"0x10"))
control_case("A30-length-empty", "bad member header", member("control.tar.gz", b"", b""))
control_case("A30-bad-header-end", "bad member header",
             member("control.tar.gz", control_tar(), end=b"XX"))
control_case("A30-bad-padding", "padding", member("control.tar.gz", b"odd", pad=b"X"))
control_case("A30-long-name-64MB", "-",
             member("x", b"", b"67108864", name_field=b"#1/67108864") + CONTROL_GZ)
control_case("A30-long-name-table", "control.tar", member("//", b"control.tar.gz/\n"))
control_case("A30-control-is-link", "no file control",
             member("control.tar.gz", control_tar(Tar().symlink("./control", "control"))))
control_case("A30-control-is-missing", "no file control",
             member("control.tar.gz", control_tar(Tar().dir("./"))))
control_case("A30-control-twice", "is there twice", member(
    "control.tar.gz", control_tar(Tar().file("./control", CONTROL).file("control", CONTROL))))
control_case("A30-control-linked-over", "is there twice", member("control.tar.gz", control_tar(
    Tar().file("./x", CONTROL).file("./control", CONTROL).hardlink("control", "x"))))
control_case("A30-control-in-other-words", "has a path with", member("control.tar.gz", control_tar(
    Tar().file("./control", CONTROL).file("a/../control", CONTROL))))
control_case("A30-control-with-nul", "a hole or a NUL",
             member("control.tar.gz", control_tar(Tar().file("./control", CONTROL + b"\0"))))
control_case("A30-control-too-large", "more than 524288 bytes",
             member("control.tar.gz", control_tar(Tar().file("./control", b"x" * 524289))))
control_case("A30-control-is-truncated", "control.tar",
             member("control.tar.gz", control_tar()[:-5]))
deb_case("A30-version-3", 9, "debian-binary",
         member("debian-binary", b"3.0\n"), CONTROL_GZ, DATA_XZ)
deb_case("A30-version-long", 9, "debian-binary",
         member("debian-binary", b"2." + b"0" * 100 + b"\n"), CONTROL_GZ, DATA_XZ)
data_case("A30-nested-ar", "not a tar", member("data.tar", deb(VERSION, CONTROL_GZ, DATA_XZ)))
data_case("A30-data-in-other-compression", "compression",
          member("data.tar.gz", lzma.compress(data_tar())))
data_case("A30-unknown-suffix", "data.tar", member("data.tar.br", data_tar()))
deb_case("A30-no-magic", 9, "not a .deb", VERSION, CONTROL_GZ, DATA_XZ, magic=b"!<thin>\n")
deb_case("A30-empty", 9, "not a .deb", magic=b"")
deb_case("A30-only-magic", 9, "truncated")
deb_case("ok-deb", 0, "-", VERSION, CONTROL_GZ, DATA_XZ)
deb_case("ok-deb-large-control", 0, "-", VERSION, member(
    "control.tar.gz", control_tar(Tar().file("./control", LARGE_CONTROL))), DATA_XZ)
deb_case("ok-deb-slashes", 0, "-", member("debian-binary/", b"2.1\n"),
         member("control.tar/", Tar().file("control", CONTROL).end()),
         member("data.tar/", data_tar()))
deb_case("ok-deb-empty-data", 0, "-", VERSION, CONTROL_GZ, member("data.tar.gz", gz(Tar().end())))
deb_case("ok-deb-files", 0, "-", VERSION, CONTROL_GZ, member("data.tar.gz", gz(many_files().end())))
CASES.append(("A01-newline.deb", 9, 0, "not printable",
              lambda: deb(VERSION, CONTROL_GZ, member("data.tar", data_tar(
                  Tar().file("./a\nb").file("./c d").file("/e"))))))
CASES.append(("A01-dotdot.deb", 9, 0, '".."',
              lambda: deb(VERSION, CONTROL_GZ,
                          member("data.tar", data_tar(Tar().file("../x"))))))

# ---- what must be accepted ----

tar_case("ok-nothing", 0, 0, "-", Tar())
tar_case("ok-dots", 0, 0, "-", Tar().dir("./", mode=0o777).dir("./d/").file("././d/f"))
tar_case("ok-no-directories", 0, 0, "-", Tar().file("a/b/c/f").file("a/b/g").file("h"))
tar_case("ok-directory-later", 0, 0, "-", Tar().file("a/f").dir("a/", mode=0o700).dir("a/"))
tar_case("ok-utf8-ustar", 0, 0, "-", Tar().file("gr\u00fc\u00dfe/\u65e5\u672c.txt"))
tar_case("ok-utf8-pax", 0, 0, "-",
         Tar().pax(path="gr\u00fc\u00dfe/\u65e5\u672c.txt").file("x")
         .pax(linkpath="\u65e5").symlink("l", "x"))
tar_case("ok-symlinks", 0, 0, "-",
         Tar().symlink("a/l", "../b/f").file("b/f").symlink("d", "b").symlink("dangling", "nowhere")
         .symlink("c", "b/../b/f").symlink("self", "self").symlink("dot", ".")
         .symlink("slash", "b/"))
tar_case("ok-hardlinks", 0, 0, "-", Tar().file("a/f").hardlink("b/g", "a/f").hardlink("h", "./a/f"))
tar_case("ok-global-pax-header", 0, 0, "-", Tar().pax(b"g", comment="0123456789").file("f"))
tar_case("ok-file-twice", 0, 0, "-",
         Tar().file("f", b"x" * 200000).file("e", b"").file("./f", b"x" * 200000).file("e", b""))
tar_case("ok-old-tar", 0, 0, "-", Tar().file("f", magic=b"\0" * 8).dir("d/", magic=b"\0" * 8))
damaged("ok-plain.tar", 0, 0, "-", GOOD.end)
damaged("ok-padded.tar", 0, 0, "-", lambda: GOOD.end() + b"\0" * 8192)
damaged("ok-xz-padding.tar.xz", 0, 0, "-", lambda: lzma.compress(GOOD.end()) + b"\0" * 8)


@case("ok-tarfile-gnu.tar.gz", 0, 0)
def from_tarfile_gnu():
    return from_tarfile(tarfile.GNU_FORMAT)


@case("ok-tarfile-pax.tar.gz", 0, 0)
def from_tarfile_pax():
    return from_tarfile(tarfile.PAX_FORMAT)


def from_tarfile(form):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as tar:
        info = tarfile.TarInfo("n" * 120 + "/\u00e4" * 10)
        info.size = 100000
        info.mtime = 1700000000.5 if form == tarfile.PAX_FORMAT else MTIME
        tar.addfile(info, io.BytesIO(b"x" * 100000))
    return gz(out.getvalue())


def main():
    directory = sys.argv[1]
    os.makedirs(directory, exist_ok=True)
    lines = []
    for name, unpack, check, reason, function in CASES:
        with open(os.path.join(directory, name), "wb") as f:
            f.write(function())
        lines.append("%s\t%d\t%d\t%s\n" % (name, unpack, check, reason))
    with open(os.path.join(directory, "list"), "w") as f:
        f.writelines(lines)
    sys.stdout.writelines(lines)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: make_archives.py DIRECTORY")
    main()
