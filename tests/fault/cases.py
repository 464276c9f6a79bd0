# SPDX-License-Identifier: LGPL-2.1-or-later
"""The commands that the sweeps put faults into, each with what must be true after any of them."""
import fcntl
import os
import re
import shutil
import subprocess
import time
from dataclasses import dataclass, field

import invariant
from invariant import require

# Dates of the manifests: in the past, so that they are good now, and each later than the one before.
EPOCH = int(time.time()) - 200000
OLD, FAULTY, NEXT, LATER = EPOCH, EPOCH + 10, EPOCH + 20, EPOCH + 30
LIMIT = 60  # seconds that one command may take


@dataclass
class Tools:
    """What the sweeps work with; all paths are absolute."""
    tracer: str
    release: str
    verify: str
    mirror: str
    keyring: str
    key: str
    gnupg: str
    package: str  # an archive
    reference: str  # it, unpacked
    debs: list  # three packages for apt

    @classmethod
    def from_environment(cls):
        return cls(os.environ["FAULT_TRACER"], os.environ["REPO_RELEASE"], os.environ["REPO_VERIFY"],
                   os.environ["REPO_MIRROR"], os.environ["FAULT_KEYRING"], os.environ["FAULT_KEY"], os.environ["FAULT_GNUPG"],
                   os.environ["FAULT_PACKAGE"], os.environ["FAULT_REFERENCE"],
                   os.environ["FAULT_DEBS"].split())


class Place:
    """The directories of one run. STATE may be elsewhere."""

    def __init__(self, top, state=None):
        self.top = top
        self.root = os.path.join(top, "root")
        self.state = state or os.path.join(top, "state")
        self.tmp = os.path.join(top, "tmp")
        self.out = os.path.join(top, "out")

    def make(self):
        for path in (self.root, self.tmp, self.out):
            os.makedirs(path)

    def write(self, name, text):
        path = os.path.join(self.root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def copy_from(self, template):
        shutil.rmtree(self.top, ignore_errors=True)
        shutil.copytree(template.top, self.top, symlinks=True)


@dataclass
class Result:
    """What became of one run."""
    status: int
    errors: list
    hit: list = field(default_factory=list)  # [call, path] of the point, empty where it was not reached
    calls: list = field(default_factory=list)  # all [call, path]
    seconds: float = 0


def run(argv, place, epoch, cwd=None):
    environment = dict(os.environ, TMPDIR=place.tmp, SOURCE_DATE_EPOCH=str(epoch))
    start = time.monotonic()
    done = subprocess.run(argv, env=environment, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, check=False,
                          timeout=LIMIT)
    errors = done.stderr.decode(errors="replace").splitlines()
    status = done.returncode if done.returncode >= 0 else 128 - done.returncode
    return Result(status, errors, seconds=time.monotonic() - start)


def traced(tools, options, argv, place, epoch):
    """Runs ARGV under the tracer."""
    report = place.top + ".report"
    try:
        result = run([tools.tracer, "--report", report] + options + ["--"] + argv, place, epoch)
    except subprocess.TimeoutExpired:
        raise invariant.Broken(f"hangs after {invariant.read(report).decode(errors='replace')}") from None
    with open(report, encoding="utf-8", errors="replace") as file:
        for line in file:
            kind, *words = line.rstrip("\n").split(" ", 3)
            if kind == "hit":
                result.hit = words[1:]
            elif kind == "call":
                result.calls.append(words[1:])
    return result


def make_old(store):
    """So that the generations in STORE may be pruned."""
    for name in os.listdir(store):
        if name != invariant.CURRENT:
            os.utime(os.path.join(store, name), (OLD, OLD))


def is_locked(directory):
    try:
        with open(os.path.join(directory, "lock"), "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


class Publish:
    """A command of repo-release, and the old and the new state that it leads from and to."""
    is_publishing = True
    takes_packages = True  # from who puts them below pool

    def __init__(self, tools, name, verb="update"):
        self.tools = tools
        self.name = name
        self.verb = verb
        self.checker = invariant.Checker(tools.keyring, tools.verify)
        self.files = set()  # that NEW lists

    def command(self, place, verb=None):
        return [self.tools.release, verb or self.verb, "--key", self.tools.key, "--gnupg-home", self.tools.gnupg,
                "--config", "/nonexistent", "--state", place.state, "--keep-generations", "2", "--keep-for", "1s",
                place.root]

    def do(self, place, epoch, verb=None):
        result = run(self.command(place, verb), place, epoch)
        require(result.status == 0 and not result.errors,
                f"{verb or self.verb}: status {result.status}: {' '.join(result.errors)}")

    def prepare(self, place):
        """OLD, and what makes NEW differ from it."""
        place.make()
        place.write("pool/a.txt", "one\n")
        place.write("pool/b/b.txt", "two\n")
        shutil.copy(self.tools.package, os.path.join(place.root, "pool"))
        getattr(self, "prepare_" + self.name)(place)
        self.files = {os.path.relpath(os.path.join(base, name), place.root)
                      for base, _, names in os.walk(os.path.join(place.root, "pool")) for name in names}

    def prepare_first(self, place):
        pass

    def change(self, place):
        place.write("pool/a.txt", "another one\n")
        place.write("pool/c.txt", "three\n")
        os.remove(os.path.join(place.root, "pool/b/b.txt"))

    def prepare_changed(self, place):
        self.do(place, OLD - 20)
        place.write("pool/a.txt", "number one\n")
        self.do(place, OLD - 10)
        place.write("pool/b/b.txt", "number two\n")
        self.do(place, OLD)
        make_old(os.path.join(place.root, invariant.STORE))
        self.change(place)

    def prepare_indexed(self, place):
        """A flat apt repository, with an index by its hash of each generation."""
        os.makedirs(os.path.join(place.root, "pool/d"))
        for i, package in enumerate(self.tools.debs[:2]):
            shutil.copy(package, os.path.join(place.root, "pool/d"))
            self.do(place, OLD - 10 + 10 * i)
        shutil.copy(self.tools.debs[2], os.path.join(place.root, "pool/d"))
        self.change(place)

    def prepare_unindexed(self, place):
        """The last package for apt goes, and with it the index and the links to it."""
        self.prepare_indexed(place)
        self.do(place, OLD + 1)
        shutil.rmtree(os.path.join(place.root, "pool/d"))
        place.write("pool/more.txt", "four\n")

    def prepare_adopted(self, place):
        """What another tool published is plain files; one of the three is missing."""
        self.do(place, OLD)
        documents = invariant.view(place.root)
        shutil.rmtree(os.path.join(place.root, invariant.STORE))
        shutil.rmtree(place.state)
        for name in invariant.DOCUMENTS:
            os.remove(os.path.join(place.root, name))
            if name != "Release.gpg":
                lines = [line for line in documents[name].splitlines(True) if b" Unpacked-Sizes" not in line]
                with open(os.path.join(place.root, name), "wb") as file:
                    file.writelines(lines)
        for name in ("Unpacked-Sizes", "Unpacked-Sizes.xz", "by-hash"):
            os.remove(os.path.join(place.root, name))
        self.change(place)

    def prepare_resigned(self, place):
        self.do(place, OLD - 10, "update")

    def prepare_resumed(self, place):
        """A run was killed after it had published, before it could take a note of that."""
        self.prepare_resigned(place)
        points = traced(self.tools, ["--count", "--list"], self.command(place), place, OLD - 5)
        switch = [k for k, (call, path) in enumerate(points.calls, 1) if call == "renameat" and "/current" in path]
        traced(self.tools, ["--kill", str(switch[0] + 1)], self.command(place), place, OLD)

    def prepare_pruned(self, place):
        for i, epoch in enumerate((OLD - 20, OLD - 10, OLD)):
            place.write("pool/a.txt", f"number {i}\n")
            self.do(place, epoch, "update")
        store = os.path.join(place.root, invariant.STORE)
        for i in range(4, 6):  # more than are kept
            shutil.copytree(os.path.join(store, os.readlink(os.path.join(store, "current"))),
                            os.path.join(store, f"{i:08}"))
        os.remove(os.path.join(store, "current"))
        os.symlink(f"{5:08}", os.path.join(store, "current"))
        make_old(store)

    def old(self, place):
        return invariant.view(place.root)

    def settle(self, place, old):
        """The tree is entirely as before or entirely new: "old" or "new"."""
        documents = invariant.view(place.root)
        if documents == old:
            invariant.check_indexes(place.root, old["Release"])
            return "old"
        require(self.is_publishing and self.verb != "prune", "what is published has changed")
        date = self.checker.published(place.root)
        require(not old["Release"] or date > invariant.date_of(old["Release"]), "Date has not grown")
        got = set(invariant.listed(documents["Release"])) - set(invariant.INDEXES)
        require(got == self.files, f"the manifest lists {sorted(got)}, not {sorted(self.files)}")
        return "new"

    def leftovers(self, place):
        return invariant.leftovers(place.root, place.state, (place.out,))

    def kept(self, _place, left):
        """Those of LEFT that a run which has failed should not have left."""
        return left

    def after_next(self, place, old):
        """The next run does it and cleans up."""
        self.do(place, NEXT)
        require(self.settle(place, old) == ("new" if self.verb != "prune" else "old"), "the next run changed nothing")
        left = self.leftovers(place)
        require(not left, f"left behind after the next run: {', '.join(left)}")
        invariant.no_processes(place.top)
        require(not is_locked(place.state), "the lock is held")


class PublishArchive(Publish):
    """Likewise, in the layout of Debian's archive."""

    def command(self, place, verb=None):
        command = super().command(place, verb)
        return command[:-1] + ["--layout", "apt", "--suite", "stable", "--component", "main",
                               "--architecture", "amd64", place.root]

    def prepare(self, place):
        place.make()
        getattr(self, "prepare_" + self.name)(place)
        self.files = {f"pool/stable/{name}" for name in os.listdir(os.path.join(place.root, "pool/stable"))}

    def prepare_archive(self, place):
        os.makedirs(os.path.join(place.root, "pool/stable"))
        for i, package in enumerate(self.tools.debs[:2]):
            shutil.copy(package, os.path.join(place.root, "pool/stable"))
            self.do(place, OLD - 10 + 10 * i)
        shutil.copy(self.tools.debs[2], os.path.join(place.root, "pool/stable"))
        os.remove(os.path.join(place.root, "pool/stable", os.path.basename(self.tools.debs[0])))

    def prepare_exchanged(self, place):
        """dists is a directory that another tool made."""
        self.prepare_archive(place)
        dists = os.path.join(place.root, "dists")
        shutil.copytree(dists, dists + ".plain")
        os.remove(dists)
        os.rename(dists + ".plain", dists)
        shutil.rmtree(os.path.join(place.root, invariant.STORE))
        shutil.rmtree(place.state)

    def old(self, place):
        return invariant.view(place.root, invariant.SUITE)

    def settle(self, place, old):
        documents = invariant.view(place.root, invariant.SUITE)
        if documents == old:
            invariant.check_archive(place.root, old["Release"])
            return "old"
        date = self.checker.published_archive(place.root)
        require(date > invariant.date_of(old["Release"]), "Date has not grown")
        got = invariant.packages_of(place.root, documents["Release"])
        require(got == self.files, f"the indexes list {sorted(got)}, not {sorted(self.files)}")
        return "new"


class Mirror(Publish):
    """repo-mirror sync: from one publication of its source to the next one, with a file and a generation to remove."""
    takes_packages = False

    def __init__(self, tools, name="mirror"):
        super().__init__(tools, name, "sync")

    def command(self, place, verb=None):
        self.adopt_state(place)
        return [self.tools.mirror, "sync", "--keyring", self.tools.keyring, "--state", place.state, "--keep", "1s",
                self.source(place).root, place.root]

    @staticmethod
    def source(place):
        source = Place(os.path.join(place.top, "source"), os.path.join(place.top, "source-state"))
        source.tmp = place.tmp
        return source

    @staticmethod
    def own_state(place):
        """The mirror's directory in the state, which is named after its path."""
        digest = invariant.sha256(os.fsencode(os.path.realpath(place.root)))[:16]
        return os.path.join(place.state, "mirrors", "root-" + digest)

    def adopt_state(self, place):
        """What was copied with the template has another path now."""
        for name in invariant.names_in(os.path.join(place.state, "mirrors")):
            os.rename(os.path.join(place.state, "mirrors", name), self.own_state(place))

    def prepare(self, place):
        place.make()
        source = self.source(place)
        os.makedirs(source.root)
        self.prepare_source(place, source)
        store = os.path.join(place.root, invariant.STORE)
        make_old(store)
        self.files = {os.path.relpath(os.path.join(base, name), source.root)
                      for base, _, names in os.walk(os.path.join(source.root, "pool")) for name in names}

    def publish(self, place, epoch):
        """What is in the source; the mirror follows where that was in the past."""
        self.publisher().do(self.source(place), epoch)
        if epoch < OLD:
            command = self.command(place)
            result = run(command[:2] + ["--now", f"@{epoch + 10}", "--clock-skew", "7d"] + command[2:], place, epoch)
            require(result.status == 0 and not result.errors, f"sync: {result.status}: {result.errors}")

    def publisher(self):
        return Publish(self.tools, "first")

    def prepare_source(self, place, source):
        source.write("pool/a.txt", "one\n")
        source.write("pool/b/b.txt", "two\n")
        os.makedirs(os.path.join(source.root, "pool/d"))
        shutil.copy(self.tools.debs[0], os.path.join(source.root, "pool/d"))
        self.publish(place, OLD - 20)
        shutil.copy(self.tools.debs[1], os.path.join(source.root, "pool/d"))
        os.remove(os.path.join(source.root, "pool/b/b.txt"))
        self.publish(place, OLD - 10)
        shutil.copy(self.tools.debs[2], os.path.join(source.root, "pool/d"))
        os.remove(os.path.join(source.root, "pool/a.txt"))
        source.write("pool/c/c.txt", "three\n")
        self.publish(place, OLD)

    def settle(self, place, old):
        after = super().settle(place, old)
        if after == "old":
            self.checker._files(place.root, old["Release"])  # pylint: disable=protected-access
        return after

    def leftovers(self, place):
        out = invariant.leftovers(place.root, None, (place.out,))
        out += [f"root: {name}" for name in os.listdir(place.root) if name[0] == "." and name != invariant.STORE]
        out += [f"state: {name}" for name in invariant.names_in(self.own_state(place))
                if name not in ("lock", "cache", "mirror", "retired")]
        out += [f"state: {name}" for name in invariant.names_in(os.path.join(place.state, "verified"))
                if name != "lock" and not re.fullmatch("[0-9a-f]{64}", name)]
        return out

    def kept(self, place, left):
        """What was staged when the source failed is for the next run, and for us alone."""
        stage = os.path.join(place.root, invariant.STORE, ".stage")
        if f"{invariant.STORE}/.stage" not in left or os.stat(stage).st_mode & 0o77:
            return left
        parts = [name for name in os.listdir(stage) if name.startswith(".fetching")]
        return [name for name in left if name != f"{invariant.STORE}/.stage"] + parts

    def after_next(self, place, old):
        super().after_next(place, old)
        require(not is_locked(self.own_state(place)), "the lock is held")
        require(not os.path.exists(os.path.join(place.root, "pool/b")), "what has been of no use for long is there")


class MirrorArchive(Mirror, PublishArchive):
    """Likewise, of an archive."""

    def publisher(self):
        return PublishArchive(self.tools, "archive")

    def prepare_source(self, place, source):
        os.makedirs(os.path.join(source.root, "pool/stable"))
        for i, package in enumerate(self.tools.debs):
            shutil.copy(package, os.path.join(source.root, "pool/stable"))
            if i == 2:
                os.remove(os.path.join(source.root, "pool/stable", os.path.basename(self.tools.debs[0])))
            self.publish(place, OLD - 20 + 10 * i)

    def command(self, place, verb=None):
        return Mirror.command(self, place, verb)

    def settle(self, place, old):
        after = PublishArchive.settle(self, place, old)
        if after == "old":
            invariant.packages_of(place.root, old["Release"])
        return after


class Unpack:
    """repo-verify unpack: the destination is whole or not there."""
    name = "unpack"
    is_publishing = False
    takes_packages = True
    verb = "unpack"

    def __init__(self, tools):
        self.tools = tools
        self.publisher = Publish(tools, "first")

    def prepare(self, place):
        self.publisher.prepare(place)
        self.publisher.do(place, OLD)
        shutil.rmtree(place.state)

    def command(self, place, into="package"):
        return [self.tools.verify, "unpack", "--keyring", self.tools.keyring, "--state", place.state, "--into",
                os.path.join(place.out, into), place.root, "pool/" + os.path.basename(self.tools.package)]

    def old(self, place):
        return invariant.view(place.root)

    def settle(self, place, old, into="package"):
        require(invariant.view(place.root) == old, "the repository has changed")
        made = os.path.join(place.out, into)
        if not os.path.lexists(made):
            return "old"
        require(tree(made) == tree(self.tools.reference), "what was unpacked is not the whole package")
        return "new"

    def kept(self, _place, left):
        return left

    def leftovers(self, place):
        out = [f"out: {name}" for name in os.listdir(place.out) if not name.startswith("package")]
        verified = os.path.join(place.state, "verified")
        out += [f"state: {name}" for name in invariant.names_in(verified)
                if name != "lock" and not re.fullmatch("[0-9a-f]{64}", name)]
        return out

    def after_next(self, place, old):
        into = "package-2" if self.settle(place, old) == "new" else "package"
        result = run(self.command(place, into), place, NEXT)
        require(result.status == 0 and not result.errors, f"the next run: {result.status}: {result.errors}")
        require(self.settle(place, old, into) == "new", "the next run unpacked nothing")
        left = self.leftovers(place)
        require(not left, f"left behind after the next run: {', '.join(left)}")
        invariant.no_processes(place.top)


def tree(top):
    """{path: what it is} of all below TOP."""
    out = {}
    for base, directories, names in os.walk(top):
        for name in directories + names:
            path = os.path.join(base, name)
            if os.path.islink(path):
                what = ("link", os.readlink(path))
            elif os.path.isdir(path):
                what = ("directory", os.stat(path).st_mode & 0o777, int(os.stat(path).st_mtime))
            else:
                what = ("file", os.stat(path).st_mode & 0o777, int(os.stat(path).st_mtime), invariant.read(path))
            out[os.path.relpath(path, top)] = what
    return out


def all_cases(tools):
    return [Publish(tools, "changed"), Publish(tools, "first"), Publish(tools, "adopted"), Publish(tools, "indexed"),
            Publish(tools, "unindexed"), PublishArchive(tools, "archive"), PublishArchive(tools, "exchanged"),
            Publish(tools, "resigned", "resign"), Publish(tools, "resumed", "resign"),
            Publish(tools, "pruned", "prune"), Unpack(tools), Mirror(tools), MirrorArchive(tools, "mirror-archive")]
