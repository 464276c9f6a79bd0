# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a very large repository takes; started by scale.sh, which says in the environment where tools and keys are."""
import math
import os
import random
import sys
import time

import pool as packages
from measure import Case, Failure, Meter, call, machine, say

MEDIAN, LARGEST = 4096, 1 << 20
RACY = 3  # seconds after which a file is believed to be at rest


def head_of(name, size):
    """The header of the member NAME of SIZE bytes of an ar archive."""
    return b"%-16s%-12d%-6d%-6d%-8o%-10d`\n" % (name, packages.EPOCH, 0, 0, 0o100644, size)


def write_package(top, number):
    """Package NUMBER, nothing of which is compressed; its data are zeros, which take no room on the disk."""
    source = random.Random(number)
    name, text = packages.control(number, source)
    size = min(int(source.lognormvariate(math.log(MEDIAN), packages.SIGMA)), LARGEST)
    data_len = 512 + (size + 511) // 512 * 512 + 1024
    data = packages.ar([(b"debian-binary", b"2.0\n"), (b"control.tar", packages.tar([(b"./control", text)]))])
    data += head_of(b"data.tar", data_len) + packages.tar_header(b"./data", size)
    below = os.path.join(top, "pool", "%03x" % (number * 2654435761 >> 7 & 0xfff))
    os.makedirs(below, exist_ok=True)
    path = os.path.join(below, name)
    with open(path, "wb") as file:
        file.write(data)
        file.truncate(len(data) - 512 + data_len)
    return os.path.relpath(path, top)


class Scale:
    def __init__(self, env, n):
        self.n, self.env = n, dict(env)
        self.root, work = env["BENCH_WORK"] + "/root", env["BENCH_WORK"]
        self.meter = Meter(env["BENCH_PROBE"], self.env, open(work + "/log", "w", encoding="utf-8"))
        self.ours = ["--key", env["BENCH_KEY"], "--gnupg-home", env["BENCH_GNUPG"], "--state", work + "/state",
                     "--config", work + "/etc", "--layout", "apt", "--suite", "stable", self.root]
        self.release, self.verify = env["REPO_RELEASE"], [env["REPO_VERIFY"], "--keyring", env["BENCH_KEYRING"], "--no-state"]

    def measure(self, what, command):
        cost = self.meter.once(Case(command))
        print("%-28s %9.1f s CPU %9.1f s %9.2f us a package %7.0f MiB" %
              (what, cost["cpu"], cost["wall"], cost["cpu"] * 1e6 / self.n, cost["memory"] / 1024), flush=True)

    def update(self, what):
        time.sleep(RACY)
        self.measure(what, [self.release, "update"] + self.ours)

    def count(self):
        listed = call(self.verify + ["list", self.root], env=self.env).count(b"\n")
        if listed != self.n:
            raise Failure("%d packages are listed of %d" % (listed, self.n))

    def run(self):
        say("making %d packages" % self.n)
        last = None
        for number in range(self.n):
            last = write_package(self.root, number)
        self.update("first run")
        self.update("nothing changed")
        published = os.readlink(self.root + "/dists")
        self.update("nothing changed, again")
        if os.readlink(self.root + "/dists") != published:
            raise Failure("something was published though nothing had changed")
        for number in range(self.n, self.n + 10):
            write_package(self.root, number)
        self.n += 10
        self.update("10 packages added")
        self.measure("resign", [self.release, "resign"] + self.ours)
        self.count()
        self.measure("repo-verify check, one", self.verify + ["check", self.root, last])
        self.measure("repo-verify check, all", self.verify + ["check", self.root])


def main():
    print("%(cpu)s, %(cores)d cores, load %(load).1f at the start" % machine())
    try:
        Scale(os.environ, int(sys.argv[1])).run()
    except Failure as failure:
        say("scale.sh: %s" % failure)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
