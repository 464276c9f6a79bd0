# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whether a run syncs what it must, in the order in which it must: read off its system calls.

No file system shows every missing fsync(2): ext4's journal keeps names in their order, others do not. So this
holds the calls against the rule itself: what is renamed into place is synced before, and the directory after.
"""
import os
import re

CREATES = re.compile(r"(open|openat|creat)\Z")
WRITES = re.compile(r"(write|pwrite64|writev|pwritev|ftruncate)\Z")
LINKS = re.compile(r"(symlink|link)(at)?\Z")
RENAMES = re.compile(r"rename(at|at2)?\Z")
SYNCS = re.compile(r"f(data)?sync\Z")
REMOVES = re.compile(r"(unlink|unlinkat|rmdir)\Z")


def is_under(path, top):
    return path == top or path.startswith(top + "/")


class Order:
    """What is not synced yet."""

    def __init__(self):
        self.dirty = set()
        self.faults = []

    def require_clean(self, tops, why):
        left = sorted(path for path in self.dirty if any(is_under(path, top) for top in tops))
        if left:
            self.faults.append(f"{why}: not synced: {', '.join(left)}")

    def rename(self, path):
        """What was staged under the names that are in use for that becomes PATH."""
        parent, name = os.path.split(path)
        staged = [f"{parent}/.new-{name}", path + ".new", f"{parent}/.new-link"]
        staged += [top for top in self.dirty if re.search(r"/\.hallmark-[0-9a-f]{16}/tree\Z", top)]
        self.require_clean(staged, f"{path} is put into place")
        if name == "current":  # which makes all of it visible
            self.require_clean([os.path.dirname(parent)], "the generation is made current")
        self.dirty -= {top for top in self.dirty if any(is_under(top, old) for old in staged)}
        self.dirty.add(parent)

    def call(self, call, path):
        parent = os.path.dirname(path)
        if CREATES.match(call):
            self.dirty |= {path, parent}
        elif WRITES.match(call):
            self.dirty.add(path)
        elif call in ("mkdir", "mkdirat"):
            self.dirty |= {path, parent}
        elif LINKS.match(call) and "/.new-" not in path and not path.endswith("/taken-over"):  # both wait
            self.dirty.add(parent)
        elif RENAMES.match(call) and "/.old-" not in path:  # what is removed may come back
            self.rename(path)
        elif SYNCS.match(call):
            self.dirty.discard(path)
        elif call == "syncfs":  # the state may be on another file system
            top = "/".join(path.split("/")[:2])
            self.dirty = {path for path in self.dirty if not is_under(path, top)}
        elif REMOVES.match(call):
            self.dirty.discard(path)


def faults(points):
    """What is wrong with the order of the calls, [call, path] each."""
    order = Order()
    for call, path in points:
        # Locks, private files that have no name, and private GnuPG homes need not last; directories that may
        # exist already are not judged.
        if path.endswith(("/lock", "(deleted)", "/.")) or not path.startswith(("/root", "/state", "/out")):
            continue
        if call == "mkdir" and path.split("/")[1:2] != ["root"]:
            continue
        order.call(call, path)
    order.require_clean(["/root", "/state", "/out"], "at the end")
    return order.faults
