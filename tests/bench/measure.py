# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs commands in turns, and reports the medians of what they cost as whole processes: CPU time (user and system),
wall time, and the most memory they had at once. Daemons that they use, such as gpg-agent, are not counted."""
import os
import statistics
import subprocess
import sys


class Failure(Exception):
    """A command did not do what it should."""


class Case:
    """One of the commands that are compared. PREPARE, a function, runs before each measurement, unmeasured."""

    def __init__(self, command, prepare=None, cwd=None, env=None):
        self.command = [str(word) for word in command]
        self.prepare = prepare
        self.cwd = cwd
        self.env = env


class Meter:
    def __init__(self, probe, env, log):
        self.probe = probe
        self.env = env
        self.log = log

    def once(self, case):
        if case.prepare:
            case.prepare()
        env = dict(self.env, **(case.env or {}))
        done = subprocess.run([self.probe, "run"] + case.command, cwd=case.cwd, env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
        text = done.stderr.decode("utf-8", "replace")
        head, _, last = text.rstrip("\n").rpartition("\n")
        words = last.split()
        self.log.write("%s\n%s\n%s\n" % (" ".join(case.command)[:300], head, last))
        if len(words) != 6 or words[1] != "0":
            raise Failure("%s: status %s: %s" % (" ".join(case.command)[:300], words[1:2], head.strip()[-2000:]))
        user, system, wall, memory = map(int, words[2:])
        return {"cpu": (user + system) / 1e6, "wall": wall / 1e6, "memory": memory}

    def compare(self, cases, runs):
        """CASES, a dictionary by names, measured RUNS times in turns; the same dictionary of medians."""
        found = {name: [] for name in cases}
        for number in range(runs):
            names = list(cases) if number % 2 == 0 else list(reversed(list(cases)))
            for name in names:
                found[name].append(self.once(cases[name]))
        out = {}
        for name, all_runs in found.items():
            out[name] = {key: statistics.median(one[key] for one in all_runs) for key in ("cpu", "wall")}
            out[name]["memory"] = max(one["memory"] for one in all_runs)
            out[name]["runs"] = all_runs
        return out


def call(command, **options):
    """Runs COMMAND, which must succeed; its standard output."""
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False, **options)
    if done.returncode:
        raise Failure("%s: status %d: %s" % (" ".join(map(str, command))[:300], done.returncode,
                                              done.stderr.decode("utf-8", "replace")[-2000:]))
    return done.stdout


def say(text):
    print(text, file=sys.stderr, flush=True)


def machine():
    """What the numbers depend on."""
    flags, model = set(), "unknown"
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
            for line in file:
                key, _, value = line.partition(":")
                if key.strip() == "flags":
                    flags = set(value.split())
                elif key.strip() == "model name":
                    model = value.strip()
    except OSError:
        pass
    wanted = ("avx2", "avx512f", "avx512vl", "sha_ni")
    return {"cpu": model, "flags": [flag for flag in wanted if flag in flags], "cores": len(os.sched_getaffinity(0)),
            "load": os.getloadavg()[0], "kernel": os.uname().release}
