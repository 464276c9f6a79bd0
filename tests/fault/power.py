#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Cuts the power of a file system at every system call that changes it, and after the end.

EXT4_IOC_SHUTDOWN stops all writing to a loop-mounted image: with flag 2 nothing is kept that was not
synced, with flag 1 the journal is, but not the data that belongs to it. XFS has the same request. Run by
tests/e2e/fault_power_loss.sh as root, in a mount namespace of its own.
"""
import argparse
import fcntl
import os
import re
import shutil
import struct
import subprocess
import sys
import time

import cases
import invariant
import sweep
from invariant import require

EXT4_IOC_SHUTDOWN = 0x8004587D
MODELS = {"ext4": [(flag, options) for flag in (1, 2) for options in ("", "noauto_da_alloc")],
          "xfs": [(1, "nouuid"), (2, "nouuid")]}  # the images are copies of one
IMAGE_MIB = {"ext4": 12, "xfs": 300}
MKFS = {"ext4": ("mkfs.ext4", "-q", "-F", "-b", "1024", "-J", "size=1", "-E", "lazy_itable_init=0"),
        "xfs": ("mkfs.xfs", "-q", "-f")}


def call(*argv):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    require(done.returncode == 0, f"{' '.join(argv)}: {done.stderr.decode(errors='replace')}")


class Disk(cases.Place):
    """Directories of which the tree and the destination are on a file system of their own; the state is on
    another one, so that syncing it does not help, or on the same."""

    def __init__(self, base, is_together, kind):
        self.base = base
        self.kind = kind
        self.image = os.path.join(base, "image")
        super().__init__(os.path.join(base, "disk"))
        self.tmp = os.path.join(base, "tmp")
        if not is_together:
            self.state = os.path.join(base, "state")
        self.stash = os.path.join(base, "stash")

    def make(self):
        for path in (self.root, self.out):
            os.makedirs(path)
        os.makedirs(self.tmp)

    def format(self):
        os.makedirs(self.top)
        with open(self.image, "wb"):
            os.truncate(self.image, IMAGE_MIB[self.kind] << 20)
        call(*MKFS[self.kind], self.image)

    def mount(self, options=""):
        call("mount", "-o", ",".join(filter(None, ("loop", options))), self.image, self.top)

    def unmount(self):
        """Who was killed may still be on its way out."""
        for _ in range(100):
            try:
                return call("umount", self.top)
            except invariant.Broken as broken:
                if "busy" not in str(broken):
                    raise
                time.sleep(0.05)
        return call("umount", self.top)

    def cut(self, flag):
        fd = os.open(self.top, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.ioctl(fd, EXT4_IOC_SHUTDOWN, struct.pack("I", flag))
        os.close(fd)

    def put_away(self):
        """The packages are not on the disk yet."""
        shutil.move(os.path.join(self.root, "pool"), self.stash)

    def bring(self):
        """Somebody copies the packages into the tree, and syncs nothing."""
        shutil.rmtree(os.path.join(self.root, "pool"), ignore_errors=True)
        shutil.copytree(self.stash, os.path.join(self.root, "pool"))

    def copy_from(self, template):
        """What TEMPLATE was when it was unmounted."""
        if os.path.ismount(self.top):
            self.unmount()
        shutil.rmtree(self.base, ignore_errors=True)
        os.makedirs(self.top)
        os.makedirs(self.tmp)
        call("cp", "--sparse=always", template.image, self.image)
        if os.path.exists(template.stash):
            shutil.copytree(template.stash, self.stash)
        if not self.state.startswith(self.top) and os.path.exists(template.state):
            shutil.copytree(template.state, self.state)


class PowerSweep(sweep.Sweep):
    """The points of power cuts."""
    is_together = False
    kind = "ext4"

    def place(self):
        if not hasattr(self.local, "place"):
            with self.lock:
                number = next(self.numbers)
            self.local.place = Disk(os.path.join(self.work, f"run{number}"), self.is_together, self.kind)
        return self.local.place

    def template(self, case):
        name = f"template-{case.name}-{next(self.numbers)}"
        place = Disk(os.path.join(self.work, name), self.is_together, self.kind)
        shutil.rmtree(place.base, ignore_errors=True)
        os.makedirs(place.base)
        place.format()
        place.mount(MODELS[self.kind][0][1])
        case.prepare(place)
        if case.takes_packages:
            place.put_away()
        place.unmount()
        return place

    def points(self, case, template, sets=("change",)):
        """Every [call, path] of a run without a fault."""
        place = self.place()
        place.copy_from(template)
        place.mount(MODELS[self.kind][0][1])
        if case.takes_packages:
            place.bring()
        result = cases.traced(self.tools, ["--count", "--list"], case.command(place), place, cases.FAULTY)
        place.unmount()
        require(result.status == 0, f"{case.name} without a fault: {result.status}: {result.errors}")
        return [[name, path.replace(place.base, "")] for name, path in result.calls]

    def one(self, judge, case, template, fault, sets):
        """One cut: FAULT is (point or "end", flag, mount options)."""
        point, flag, options = fault
        place = self.place()
        hit = [point]
        try:
            place.copy_from(template)
            place.mount(options)
            if case.takes_packages:
                place.bring()
            old = case.old(place)
            if point == "end":
                result = cases.run(case.command(place), place, cases.FAULTY)
                require(result.status == 0, f"status {result.status}: {result.errors}")
                place.cut(flag)
            else:
                power = ["--power", f"{point}:{flag}:{place.top}"]
                result = cases.traced(self.tools, power, case.command(place), place, cases.FAULTY)
                hit = result.hit
                if not hit:
                    place.unmount()
                    self.count("not reached")
                    return
            place.unmount()
            place.mount(options)
            self.count(judge(case, place, old, point))
            if case.takes_packages:
                place.bring()
            case.after_next(place, old)
            place.unmount()
        except Exception as broken:
            model = f"flag {flag} {options}".strip()
            where = " ".join(hit).replace(place.base, "")
            with self.lock:
                self.failures.append(f"{case.name}: cut {point}, {model}: {where}: {type(broken).__name__}: {broken}")


def judge(case, place, old, point):
    after = case.settle(place, old)
    require(point != "end" or after == "new" or case.verb == "prune", "exit status 0 and the power cut: it is old")
    return f"{'after the end' if point == 'end' else 'cut'}, found {after}"


def is_on_disk(path):
    return path.startswith("/disk/")


def submit_all(power, chosen, is_long):
    futures = []
    models_of_all = MODELS[power.kind]
    for case in chosen:
        template = power.template(case)
        faults = [("end", flag, options) for flag, options in models_of_all]
        text = ""
        if is_long or case.name in ("changed", "adopted", "unpack"):
            points = power.points(case, template)
            wanted = [k for k, (_, path) in enumerate(points, 1)
                      if is_on_disk(path) or (is_long and "/tmp/" not in path)]
            models = {k: models_of_all if is_long else models_of_all[k % len(models_of_all):][:1] for k in wanted}
            faults += [(str(k), *model) for k in wanted for model in models[k]]
            text = f" at {len(wanted)} of {len(points)} points and"
        print(f"{case.name}: {len(faults)} power cuts{text} after the end")
        futures += [power.submit(judge, case, template, fault) for fault in faults]
    return futures


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", required=True)
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--probe", action="store_true", help="only try whether it can be done here")
    parser.add_argument("--only", default="")
    parser.add_argument("--filesystem", choices=("ext4", "xfs"), default="ext4")
    parser.add_argument("--jobs", type=int, default=(os.cpu_count() or 1) + 1)
    given = parser.parse_args()
    if given.probe:
        disk = Disk(os.path.join(given.work, "probe-" + given.filesystem), True, given.filesystem)
        os.makedirs(disk.base)
        disk.format()
        disk.mount(MODELS[given.filesystem][-1][1])
        disk.cut(2)
        disk.unmount()
        return 0
    tools = cases.Tools.from_environment()
    is_good = True
    n_points = 0
    for is_together in (False, True) if given.long else (False,):
        power = PowerSweep(tools, os.path.join(given.work, f"{given.filesystem}-{is_together}"), given.jobs, given.long)
        power.is_together = is_together
        power.kind = given.filesystem
        chosen = [case for case in cases.all_cases(tools) if re.search(given.only, case.name)]
        chosen = [case for case in chosen if case.name != "resumed"]
        futures = submit_all(power, chosen, given.long)
        is_good = power.finish(futures) and is_good
        n_points += sum(power.counts.values())
        where = "on the same" if is_together else "on another"
        print(f"{given.filesystem}: {len(futures)} power cuts, the state {where} file system:",
              ", ".join(f"{n} {what}" for what, n in sorted(power.counts.items())))
    require(n_points > 0, "no point was tried")
    return 0 if is_good else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (invariant.Broken, OSError) as error:
        print(f"power: {error}", file=sys.stderr)
        sys.exit(1)
