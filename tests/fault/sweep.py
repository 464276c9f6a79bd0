#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Puts a fault into every file-changing system call of every command that publishes or unpacks.

sweep.py kill: the command, alone or with all its processes, is killed at the call. sweep.py errors: the call fails, is
interrupted, or does half of its work. Run by tests/e2e/fault_*.sh, which set the environment.
"""
import argparse
import collections
import concurrent.futures
import os
import random
import re
import sys
import threading
import traceback

import cases
import durability
import invariant
from invariant import Broken, require

ERRORS = ("ENOSPC", "EIO", "EDQUOT", "EMFILE", "EROFS")
# What POSIX lets end with EINTR on local files. The others never do there.
INTERRUPTIBLE = re.compile(r"(open|openat|creat|write|pwrite64|writev|fsync|fdatasync|ftruncate|read|pread64|flock|"
                           r"recvmsg|recvfrom|sendmsg)\Z")
# Between a command and its helpers: each of these is interrupted by its number among its like, which other processes
# do not change.
BETWEEN = ("sendmsg", "recvmsg", "recvfrom", "flock")
# What the dynamic loader reads for dlopen(3), and does not try again.
LIBRARY = re.compile(r"\.so(\.|\Z)|/ld\.so\.cache\Z")
SYNCS = ("fsync", "fdatasync", "syncfs")
REMOVALS = ("unlink", "unlinkat", "rmdir")
WRITES = ("write", "pwrite64", "read", "pread64")
REASON = re.compile(r"repo-(release|verify|mirror): .|hallmark: out of memory")
# After these, what others see is another one than before. All else only makes what has no name yet.
VISIBLE = re.compile(r"(rename|link|symlink|unlink|mkdir|rmdir)(at|at2)?\Z")
# In these, the short form also lets calls fail that change nothing.
SWEPT_WHOLE = ("changed", "resigned", "unpack", "mirror")
# Of these cases, the short form tries only what is about the tree, and each error at another call.
MINOR = ("first", "adopted", "unindexed", "archive", "exchanged")


class Sweep:
    """All points of some cases, several at once."""

    stride = 1  # of the kills
    stride_other = 17  # in the short form, of the failures of calls that read or do something else

    def __init__(self, tools, work, jobs, is_long):
        self.tools = tools
        self.work = work
        self.is_long = is_long
        self.pool = concurrent.futures.ThreadPoolExecutor(jobs)
        self.local = threading.local()
        self.numbers = iter(range(10 ** 6))
        self.lock = threading.Lock()
        self.counts = collections.Counter()
        self.failures = []

    def place(self):
        """The directory of this thread."""
        if not hasattr(self.local, "place"):
            with self.lock:
                number = next(self.numbers)
            self.local.place = cases.Place(os.path.join(self.work, f"run{number}"))
        return self.local.place

    def template(self, case):
        place = cases.Place(os.path.join(self.work, "template-" + case.name))
        case.prepare(place)
        return place

    def points(self, case, template, sets=("change",)):
        """Every [call, path] of a run without a fault."""
        place = self.place()
        place.copy_from(template)
        options = ["--count", "--list"] + options_of(sets, place)
        result = cases.traced(self.tools, options, case.command(place), place, cases.FAULTY)
        require(result.status == 0, f"{case.name} without a fault: {result.status}: {result.errors}")
        return [[call, path.replace(place.top, "")] for call, path in (words + [""] * (2 - len(words))
                                                                       for words in result.calls)]

    def submit(self, judge, case, template, fault, sets=("change",)):
        return self.pool.submit(self.one, judge, case, template, fault, sets)

    def one(self, judge, case, template, fault, sets):
        """One run with one fault, and the next run."""
        place = self.place()
        hit = []
        try:
            place.copy_from(template)
            old = case.old(place)
            result = cases.traced(self.tools, [f"--{fault[0]}", fault[1]] + options_of(sets, place),
                                  case.command(place), place, cases.FAULTY)
            hit = result.hit
            if not hit:
                self.count("not reached")
                return
            hit += [""] * (2 - len(hit))
            self.count(judge(case, place, old, fault, result))
            case.after_next(place, old)
            require_empty_tmp(place, fault, hit)
        except Exception as broken:  # a timeout, too, is the point's
            where = " ".join(hit).replace(place.top, "")
            why = str(broken) if isinstance(broken, Broken) else traceback.format_exc()
            with self.lock:
                self.failures.append(f"{case.name}: {' '.join(fault)}: {where}: {why}")

    def count(self, what):
        with self.lock:
            self.counts[what] += 1

    def finish(self, futures):
        for future in futures:
            future.result()
        self.pool.shutdown()
        for failure in sorted(self.failures)[:100]:
            print("FAIL", failure)
        return not self.failures


def options_of(sets, place):
    out = [option for name in sets for option in (("--set", "other", "--call", name) if name in BETWEEN else
                                                  ("--set", name))]
    # What the dynamic linker does before the program starts is not ours.
    return out if sets == ("change",) else out + ["--from", os.path.basename(place.top)]


def require_empty_tmp(place, fault, hit):
    """Of a private home of gpg, nothing is left, unless all processes are killed that could remove it, or
    removing it is what fails."""
    left = invariant.names_in(place.tmp)
    require(not left or fault[0] == "kill" or is_removal(hit, place), f"left behind: {left}")


def is_removal(hit, place):
    """Whether a call is part of removing what is no longer needed."""
    call, path = hit
    # It begins with a look at the directory that holds what goes.
    return call in REMOVALS or "/.old-" in path or (call == "newfstatat" and path.endswith("/.")) or (
        (path == place.tmp or path.startswith((place.tmp + "/", place.out + "/"))) and
        call in ("openat", "newfstatat", "getdents64", "close"))


# ---- Killing ---------------------------------------------------------------------------------------

def judge_kill(case, place, old, fault, result):
    require(result.status == 128 + 9, f"status {result.status} instead of being killed: {result.errors}")
    invariant.no_processes(place.top)
    if fault[0] == "kill-one":  # what guards it has removed it
        left = [name for name in case.leftovers(place) if name.startswith("out")]
        require(not left, f"left behind: {', '.join(left)}")
    return f"killed, found {case.settle(place, old)}"


def is_passed_over(sweep, case, k, call):
    """Of all cases but the first, the short form tries a share, others in each run: of the calls whose effect others
    can see all or one in two, of the rest one in four."""
    if sweep.is_long or case.name == "changed":
        return False
    if VISIBLE.match(call) or call in SYNCS:
        return case.name not in ("unpack", "mirror") and (k + sweep.offset) % 2 != 0
    return (k + sweep.offset) % 4 != 0


def is_wanted(sweep, case, path):
    """The short form passes over what is the same in all cases: private GnuPG homes, the state."""
    if sweep.is_long or case.name == "changed":
        return True
    if case.name == "resumed":
        return False
    return path.startswith("/root" if case.name in MINOR else ("/root", "/state", "/out"))


def sweep_kill(sweep, chosen):
    futures = []
    for case in chosen:
        template = sweep.template(case)
        points = sweep.points(case, template)
        sweep.failures += [f"{case.name}: {fault}" for fault in durability.faults(points)]
        # Of a private GnuPG home, and of a staging directory, nothing is left where only the command itself is killed.
        faults = [(kind, str(k)) for k, (call, path) in enumerate(points, 1)
                  if is_wanted(sweep, case, path) and not is_passed_over(sweep, case, k, call)
                  for kind in ("kill", "kill-one")
                  if sweep.is_long or case.verb == "unpack" or (kind == "kill-one") == path.startswith("/tmp")]
        faults = faults[::sweep.stride]
        print(f"{case.name}: {len(faults)} kills at {len(points)} points")
        futures += [sweep.submit(judge_kill, case, template, fault) for fault in faults]
    return futures


# ---- Errors ----------------------------------------------------------------------------------------

def judge_interruption(case, place, old, fault, result):
    """EINTR and half of the work change nothing."""
    call, path = result.hit
    if not INTERRUPTIBLE.match(call) or LIBRARY.search(path) or path in ("/dev/null", "/dev/tty") or path.startswith("pipe:") or (
            fault[0] == "short" and path.startswith("socket:")):
        # Another one than in the run that counted; a library; a device; a pipe inside of a library; a packet, which
        # no kernel delivers in halves.
        return judge_error(case, place, old, fault, result)
    require(result.status == 0 and not result.errors, f"status {result.status}: {' '.join(result.errors)}")
    after = case.settle(place, old)
    require(after == "new" or case.verb == "prune", "succeeded, but what is published is old")
    left = case.leftovers(place)
    require(not left, f"left behind: {', '.join(left)}")
    return "interrupted" if fault[0] == "fail" else "shortened"


def judge_error(case, place, old, fault, result):
    name = fault[1].split(":")[1] if fault[0] == "fail" else "less"
    call = result.hit[0]
    after = case.settle(place, old)
    if result.status == 0:
        require(after == "new" or case.verb == "prune", f"{name} succeeded, but what is there is old")
        # Of all that is synced, only the digest cache is a convenience.
        require(call not in SYNCS or "the digest cache cannot be kept" in "".join(result.errors),
                f"{name} was ignored, exit 0 means durable")
        outcome = "succeeded"
    else:
        require(result.status in (1, 3), f"{name}: status {result.status}: {' '.join(result.errors)}")
        require(len(result.errors) == 1 and REASON.match(result.errors[0]),
                f"{name}: not one line that tells the reason: {result.errors}")
        outcome = f"failed, found {after}"
    invariant.no_processes(place.top)
    # Nothing staged outlives a run that was not killed, unless it is removing that fails, or the next one wants it.
    left = case.leftovers(place)
    left = case.kept(place, left) if result.status != 0 else left
    require(not left or is_removal(result.hit, place) or "out of memory" in "".join(result.errors),
            f"{name}: left behind at once: {', '.join(left)} ({result.status}: {' '.join(result.errors)})")
    return f"{name} {outcome}"


def errors_for(sweep, case, k, call, path):
    """The faults to try at one call that changes something."""
    if not is_wanted(sweep, case, path) or is_passed_over(sweep, case, k, call):
        return
    names = ERRORS if sweep.is_long else (ERRORS[(k + len(case.name)) % len(ERRORS)],)
    if call in SYNCS and "EIO" not in names:
        names = (*names, "EIO")
    for name in names:
        yield judge_error, ("fail", f"{k}:{name}")
    if not sweep.is_long and case.name in (*MINOR, "indexed", "resigned", "mirror", "mirror-archive"):
        return
    if INTERRUPTIBLE.match(call):
        yield judge_interruption, ("fail", f"{k}:EINTR")
    if call in WRITES:
        yield judge_interruption, ("short", str(k))


def errors_for_other(sweep, k, call):
    """The faults to try at a call that reads, or does anything else."""
    if not sweep.is_long and k % sweep.stride_other:
        return
    name = "EMFILE" if re.match(r"open|pipe|socket", call) else "EIO"
    if call in ("mmap", "clone", "fork", "vfork"):
        name = "ENOMEM"
    yield judge_error, ("fail", f"{k}:{name}")
    if INTERRUPTIBLE.match(call):
        yield judge_interruption, ("fail", f"{k}:EINTR")
    if call in WRITES:
        yield judge_interruption, ("short", str(k))


def sweep_errors(sweep, chosen):
    futures = []
    for case in chosen:
        template = sweep.template(case)
        points = sweep.points(case, template)
        faults = [fault for k, (call, path) in enumerate(points, 1) for fault in errors_for(sweep, case, k, call, path)]
        futures += [sweep.submit(judge, case, template, fault) for judge, fault in faults]
        text = f"{case.name}: {len(faults)} faults at {len(points)} points that change files"
        for kind in ("read", "other"):
            if not sweep.is_long and case.name not in SWEPT_WHOLE:
                continue
            points = sweep.points(case, template, (kind,))
            faults = [fault for k, (call, _) in enumerate(points, 1)
                      for fault in errors_for_other(sweep, k, call)]
            futures += [sweep.submit(judge, case, template, fault, (kind,)) for judge, fault in faults]
            text += f", {len(faults)} at {len(points)} that {'read' if kind == 'read' else 'do other things'}"
        for name in BETWEEN if sweep.is_long or case.name in SWEPT_WHOLE else ():
            points = sweep.points(case, template, (name,))
            futures += [sweep.submit(judge_interruption, case, template, ("fail", f"{k}:EINTR"), (name,))
                        for k, _ in enumerate(points, 1)]
            text += f", {len(points)} {name}"
        print(text)
    return futures


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("mode", choices=("kill", "errors"))
    parser.add_argument("--work", required=True)
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--only", default="", help="a regular expression for names of cases")
    parser.add_argument("--jobs", type=int, default=(os.cpu_count() or 1) + 1)
    parser.add_argument("--stride", type=int, default=1, help="try only each so many-th kill")
    parser.add_argument("--stride-other", type=int, default=Sweep.stride_other,
                        help="fail only each so many-th call that changes nothing")
    given = parser.parse_args()
    tools = cases.Tools.from_environment()
    sweep = Sweep(tools, given.work, given.jobs, given.long)
    sweep.stride = given.stride
    sweep.stride_other = given.stride_other
    sweep.offset = random.randrange(4)
    cases.Publish.is_long = cases.Unpack.is_long = given.long
    chosen = [case for case in cases.all_cases(tools) if re.search(given.only, case.name)]
    futures = (sweep_kill if given.mode == "kill" else sweep_errors)(sweep, chosen)
    is_good = sweep.finish(futures)
    total = sum(sweep.counts.values())
    print(f"{len(futures)} points tried:", ", ".join(f"{n} {what}" for what, n in sorted(sweep.counts.items())))
    require(total > 0, "no point was tried")
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
