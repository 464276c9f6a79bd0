#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What must be true of a published tree at every instant, after every fault: one checker for all tests.

The signature is good (by gpgv and by repo-verify), every listed file is there with its size and hash, the
three documents are of one generation, Date never decreases, and nothing temporary is left behind.
"""
import argparse
import hashlib
import os
import re
import stat
import subprocess
import sys
import time
from email.utils import parsedate_to_datetime

DOCUMENTS = ("Release", "Release.gpg", "InRelease")
INDEXES = ("Packages", "Packages.gz", "Packages.xz", "Unpacked-Sizes", "Unpacked-Sizes.xz")
SUITE = "dists/stable"  # of the archives that tests make
STORE = ".hallmark"
CURRENT = "current"
TAKEN_OVER = "taken-over"  # a directory of another tool, which stays
STATE_FILES = {"lock", "cache", "state", "blocks", "stamps"}
GENERATION = re.compile(r"[0-9]{8}\Z")


class Broken(Exception):
    """An invariant does not hold."""


def require(condition, text):
    if not condition:
        raise Broken(text)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


# ---- What readers see ------------------------------------------------------------------------------

def view(root, directory=""):
    """The bytes of the three documents as a reader gets them, None for what is not there."""
    out = {}
    for name in DOCUMENTS:
        try:
            out[name] = read(os.path.join(root, directory, name))
        except FileNotFoundError:
            out[name] = None
    return out


def check_indexes(root, release):
    """Every index that is listed is served, and by its hash too; none else is. Their names."""
    found = listed(release) if release else {}
    for name in INDEXES:
        path = os.path.join(root, name)
        require(os.path.lexists(path) or name not in found, f"{name} is listed and not there")
        if name not in found:
            require(not os.path.exists(path), f"{name} is served and not listed")
            continue
        digest, size = found[name]
        for served in (path, os.path.join(root, "by-hash", "SHA256", digest)):
            data = read(served)
            require(len(data) == size and sha256(data) == digest, f"{served} is not what is listed: two generations")
    return [name for name in INDEXES if name in found]


def check_archive(root, release):
    """Every file that the Release of a suite lists is served, and by its hash too; none else is."""
    top = os.path.join(root, SUITE)
    found = listed(release)
    for name, (digest, size) in found.items():
        for served in (name, os.path.join(os.path.dirname(name), "by-hash", "SHA256", digest)):
            data = read(os.path.join(top, served))
            require(len(data) == size and sha256(data) == digest, f"{served} is not what is listed: two generations")
    for base, directories, names in os.walk(top):
        if "by-hash" in directories:
            directories.remove("by-hash")
        for name in names:
            path = os.path.relpath(os.path.join(base, name), top)
            require(path in found or path in DOCUMENTS, f"{path} is served and not listed")


def packages_of(root, release):
    """The files that the indexes of an archive list."""
    out = set()
    for name in listed(release):
        if name.endswith("/Packages"):
            text = read(os.path.join(root, SUITE, name)).decode()
            for stanza in filter(None, text.split("\n\n")):
                values = dict(line.split(": ", 1) for line in stanza.split("\n") if re.match(r"(Filename|SHA256): ", line))
                require(sha256(read(os.path.join(root, values["Filename"]))) == values["SHA256"],
                        f"{values['Filename']} is not what the index lists")
                out.add(values["Filename"])
    return out


def fields(release):
    """The fields of a Release, those of several lines as lists of lines."""
    out = {}
    name = None
    for line in release.decode("utf-8").split("\n"):
        if line.startswith(" "):
            out[name].append(line[1:])
        elif line:
            name, value = line.split(":", 1)
            require(name not in out, f"Release: {name} twice")
            out[name] = [value.strip()] if value.strip() else []
    return out


def date_of(release):
    return int(parsedate_to_datetime(fields(release)["Date"][0]).timestamp())


def listed(release, section="SHA256"):
    """{path: (digest, size)} of a Release."""
    out = {}
    for line in fields(release).get(section, []):
        digest, size, path = line.split(None, 2)
        require(path not in out, f"Release lists {path} twice")
        out[path] = (digest, int(size))
    return out


def clearsigned_text(in_release):
    """The text that InRelease signs."""
    match = re.match(rb"-----BEGIN PGP SIGNED MESSAGE-----\nHash: [A-Z0-9]+\n\n(.*)"
                     rb"-----BEGIN PGP SIGNATURE-----\n[^-]*-----END PGP SIGNATURE-----\n\Z", in_release, re.S)
    require(match, f"InRelease is not a whole clearsigned text ({len(in_release)} bytes)")
    return re.sub(rb"^- ", b"", match[1], flags=re.M)


class Checker:
    """Checks published trees; remembers the newest Date seen of each, and which bytes are well signed."""

    def __init__(self, keyring, repo_verify=None, floor=None):
        self.keyring = keyring
        self.repo_verify = repo_verify
        self.floor = floor or 0
        self.good = set()

    def published(self, root):
        """The tree is entirely one generation, and in order. Its Date."""
        documents = view(root)
        missing = [name for name in DOCUMENTS if documents[name] is None]
        require(not missing, f"not published: {', '.join(missing)}")
        self._links(root, check_indexes(root, documents["Release"]))
        require(clearsigned_text(documents["InRelease"]) == documents["Release"],
                "InRelease and Release differ: two generations")
        self._signatures(root, documents, self.repo_verify)
        self._files(root, documents["Release"])
        date = date_of(documents["Release"])
        require(date >= self.floor, f"Date went back from {self.floor} to {date}")
        return date

    def published_archive(self, root):
        """Likewise, for the layout of Debian's archive."""
        documents = view(root, SUITE)
        missing = [name for name in DOCUMENTS if documents[name] is None]
        require(not missing, f"not published: {', '.join(missing)}")
        target = os.readlink(os.path.join(root, "dists"))
        require(target == f"{STORE}/{CURRENT}/dists", f"dists leads to {target}")
        check_archive(root, documents["Release"])
        require(clearsigned_text(documents["InRelease"]) == documents["Release"],
                "InRelease and Release differ: two generations")
        self._signatures(os.path.join(root, SUITE), documents, None)
        date = date_of(documents["Release"])
        require(date >= self.floor, f"Date went back from {self.floor} to {date}")
        return date

    @staticmethod
    def _links(root, indexes):
        store = os.path.join(root, STORE)
        current = os.readlink(os.path.join(store, CURRENT))
        require(GENERATION.match(current), f"{STORE}/{CURRENT} leads to {current}")
        names = list(DOCUMENTS) + indexes + (["by-hash"] if indexes else [])
        for name in names:
            target = os.readlink(os.path.join(root, name))
            require(target == f"{STORE}/{CURRENT}/{name}", f"{name} leads to {target}")
        found = sorted(os.listdir(os.path.join(store, current)))
        require(found == sorted(names), f"the generation {current} holds {found}")
        for name in list(DOCUMENTS) + indexes:
            mode = os.lstat(os.path.join(store, current, name)).st_mode
            require(stat.S_ISREG(mode) and stat.S_IMODE(mode) == 0o644, f"{current}/{name}: mode {mode:o}")

    def _signatures(self, root, documents, repo_verify):
        key = sha256(b"".join(sha256(documents[name]).encode() for name in DOCUMENTS))
        if key in self.good:
            return
        for arguments in (["Release.gpg", "Release"], ["InRelease"]):
            run = subprocess.run(["gpgv", "--status-fd", "1", "--keyring", os.path.abspath(self.keyring)] + arguments,
                                 cwd=root, stdin=subprocess.DEVNULL, capture_output=True, check=False)
            require(run.returncode == 0 and b"[GNUPG:] VALIDSIG " in run.stdout,
                    f"gpgv {' '.join(arguments)}: {run.stderr.decode(errors='replace')}")
        if repo_verify:
            run = subprocess.run([repo_verify, "check", "--quiet", "--no-state", "--keyring", self.keyring, root],
                                 stdin=subprocess.DEVNULL, capture_output=True, check=False)
            require(run.returncode == 0, f"repo-verify: status {run.returncode}: {run.stderr.decode(errors='replace')}")
        self.good.add(key)

    @staticmethod
    def _files(root, release):
        for path, (digest, size) in listed(release).items():
            if path in INDEXES:
                continue
            full = os.path.join(root, path)
            require(os.path.isfile(full), f"{path} is listed and not there")
            data = read(full)
            require(len(data) == size, f"{path}: {len(data)} bytes, listed with {size}")
            require(sha256(data) == digest, f"{path}: its SHA256 is not the one that is listed")


# ---- What must not be left behind ------------------------------------------------------------------

def names_in(directory):
    try:
        return sorted(os.listdir(directory))
    except FileNotFoundError:
        return []


def leftovers(root=None, state=None, empty=()):
    """What there is beyond numbered generations, `current`, and the files of the state; anything at all in
    the directories EMPTY."""
    out = []
    if root:
        out += [f"{STORE}/{name}" for name in names_in(os.path.join(root, STORE))
                if name not in (CURRENT, TAKEN_OVER) and not GENERATION.match(name)]
        newest = max([name for name in names_in(os.path.join(root, STORE)) if GENERATION.match(name)], default=None)
        link = os.path.join(root, STORE, CURRENT)
        if newest and os.path.islink(link) and os.readlink(link) < newest:
            out.append(f"{STORE}/{newest}, newer than the current one")
    if state:
        out += [f"state: {name}" for name in names_in(state) if name not in STATE_FILES]
    for directory in empty:
        out += [f"{directory}: {name}" for name in names_in(directory)]
    return out


def mentions(pid, texts):
    """Whether the process's command line, environment, directory or descriptors hold one of TEXTS."""
    try:
        found = read(f"/proc/{pid}/cmdline") + b"\0" + read(f"/proc/{pid}/environ")
        for name in ["cwd"] + [f"fd/{fd}" for fd in os.listdir(f"/proc/{pid}/fd")]:
            found += b"\0" + os.fsencode(os.readlink(f"/proc/{pid}/{name}"))
    except OSError:
        return False  # gone meanwhile, or of somebody else
    return any(text in found for text in texts)


def is_ours(pid):
    """Whether it is one of the tools or of gpg's programs; not gpg-agent, which is to stay."""
    try:
        return re.match(rb"(lt-)?repo-|gpg(?!-agent)", read(f"/proc/{pid}/comm")) is not None
    except OSError:
        return False


def processes(*directories):
    """The processes that still work with DIRECTORIES."""
    texts = [os.fsencode(directory) for directory in directories]
    return [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if is_ours(pid) and mentions(pid, texts)]


def no_processes(*directories, seconds=3.0):
    """Nothing runs any more, a moment later at the latest."""
    deadline = time.monotonic() + seconds
    while left := processes(*directories):
        require(time.monotonic() < deadline, "still running: " + "; ".join(
            f"{pid} {read(f'/proc/{pid}/cmdline')!r}" for pid in left if os.path.exists(f"/proc/{pid}")))
        time.sleep(0.01)


# ---- By hand, and for tests in shell ---------------------------------------------------------------

def main():
    parser = argparse.ArgumentParser(description="Checks what must always be true of a published tree.")
    parser.add_argument("root", nargs="?")
    parser.add_argument("--keyring", help="public keys, binary: check what is published with them")
    parser.add_argument("--repo-verify", help="the program")
    parser.add_argument("--floor", help="a file that remembers the newest Date")
    parser.add_argument("--state", help="the state directory holds nothing temporary")
    parser.add_argument("--clean", action="store_true", help="the store holds nothing temporary")
    parser.add_argument("--empty", action="append", default=[], help="this directory is empty")
    parser.add_argument("--unused", action="append", default=[], help="no process works with this directory")
    given = parser.parse_args()
    try:
        if given.keyring:
            floor = int(read(given.floor)) if given.floor and os.path.exists(given.floor) else 0
            date = Checker(given.keyring, given.repo_verify, floor).published(given.root)
            if given.floor:
                with open(given.floor, "w", encoding="ascii") as file:
                    file.write(f"{date}\n")
        if given.unused:
            no_processes(*given.unused)
        left = leftovers(given.root if given.clean else None, given.state, given.empty)
        require(not left, f"left behind: {', '.join(left)}")
    except Broken as broken:
        print(f"invariant: {given.root or ''}: {broken}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
