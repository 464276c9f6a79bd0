# SPDX-License-Identifier: LGPL-2.1-or-later
"""The benchmark of the network; started by network.sh, which says in the environment where tools, keys and the served
directory are. Everybody fetches the same files into an empty directory; ours are verified besides."""
import argparse
import os
import shutil
import statistics
import sys

import pool as packages
import report
from measure import Case, Failure, Meter, call, machine, say

BOUND = 1.5
MEDIAN = 4096
LAYOUTS = ("apt", "plain")


def require(is_true, what):
    if not is_true:
        raise Failure(what)


def ratio(costs, name, others, key):
    """The median of what NAME takes in a turn, by what the better curl takes in the same one."""
    best = [min(costs[other]["runs"][turn][key] for other in others if other.startswith("curl"))
            for turn in range(len(costs[name]["runs"]))]
    return statistics.median(one[key] / least for one, least in zip(costs[name]["runs"], best))


class Network:
    def __init__(self, arguments, env):
        self.env, self.arguments = env, arguments
        self.work, self.served, self.url = env["BENCH_WORK"], env["BENCH_SERVED"], env["BENCH_URL"]
        self.meter = Meter(env["BENCH_PROBE"], dict(env), open(arguments.output + "/network.log", "w", encoding="utf-8"))
        self.files = {}
        self.n_used = 0

    def tool(self, tool, command, name, *words):
        """In the directory of NAME, of which the state's name comes."""
        return self.case(name, [self.env[tool], command, "--keyring", self.env["BENCH_KEYRING"], "--state",
                                self.work + "/" + name + "-state", *words])

    def publish(self, layout, n):
        """Two repositories of the same packages; what they hold, by path."""
        root = os.path.join(self.served, layout)
        shutil.copytree(self.work + "/pool/deb", root)
        call([self.env["REPO_RELEASE"], "update", "--key", self.env["BENCH_KEY"], "--gnupg-home", self.env["BENCH_GNUPG"],
              "--state", self.work + "/publisher-" + layout, "--config", self.work + "/etc", "--layout", layout] +
             (["--suite", "stable"] if layout == "apt" else []) + [root])
        found = {}
        for base, _, names in os.walk(root + "/pool"):
            for name in names:
                path = os.path.join(base, name)
                found[os.path.relpath(path, root)] = path
        require(len(found) == n, "there are %d packages of %d" % (len(found), n))
        self.files[layout] = found
        with open(self.work + "/%s.curl" % layout, "w", encoding="ascii") as curl, \
                open(self.work + "/%s.urls" % layout, "w", encoding="ascii") as urls:
            for path in sorted(found):
                urls.write("%s/%s/%s\n" % (self.url, layout, path))
                curl.write('url = "%s/%s/%s"\noutput = "%s"\n' % (self.url, layout, path, os.path.basename(path)))

    def empty(self, name):
        """A function that makes NAME a new directory, and waits until the disk is quiet. What was there is moved away and
        not removed: ext4 without a journal takes a hundred times as long for a file where others have been removed."""
        path = self.work + "/" + name

        def prepare():
            for used in (path, path + "-state"):
                if os.path.exists(used):
                    self.n_used += 1
                    os.rename(used, "%s/used-%d" % (self.work, self.n_used))
            os.mkdir(path)
            os.sync()
        return prepare

    def case(self, name, command):
        return Case(command, self.empty(name), self.work + "/" + name)

    def others(self, layout):
        urls = self.work + "/%s.urls" % layout
        cases = {}
        for parallel in (8, 50):
            cases["curl %d" % parallel] = self.case(
                "curl %d" % parallel, ["curl", "-q", "--silent", "--fail", "--parallel", "--parallel-max", parallel,
                                       "--config", self.work + "/%s.curl" % layout])
        if shutil.which("aria2c") and self.arguments.all_peers:
            cases["aria2c"] = self.case("aria2c", ["aria2c", "--no-conf", "-q", "-j8", "-i", urls])
        if shutil.which("wget2") and self.arguments.all_peers:
            cases["wget2"] = self.case("wget2", ["wget2", "--no-config", "-q", "--max-threads=8", "-i", urls])
        return cases

    def ours(self, layout):
        url = "%s/%s" % (self.url, layout)
        suite = ["--suite", "stable"] if layout == "apt" else []
        return {"mirror": self.tool("REPO_MIRROR", "sync", "mirror", *suite, url, "copy"),
                "fetch": self.tool("REPO_VERIFY", "fetch", "fetch", *suite, url, *sorted(self.files[layout])),
                "check": self.tool("REPO_VERIFY", "check", "check", *suite, url)}

    def check(self, layout, names):
        """Everybody has the same bytes."""
        for path, original in self.files[layout].items():
            with open(original, "rb") as file:
                data = file.read()
            for name in names:
                below = "copy/" + path if name == "mirror" else os.path.basename(path)
                with open(os.path.join(self.work, name, below), "rb") as file:
                    require(file.read() == data, "%s: %s differs" % (name, path))

    def measure(self, layout, n, rows):
        self.publish(layout, n)
        say("fetching %d packages of the layout %s" % (n, layout))
        others, ours = self.others(layout), self.ours(layout)
        costs = self.meter.compare(dict(others, **ours), self.arguments.runs)
        self.check(layout, [name for name in costs if name != "check"])
        for name in ours:
            for key in ("wall", "cpu"):
                rows.append({"name": "%s, %s, %s" % (name, layout, key), "n": n, "unit": "x curl",
                             "bound": None if self.arguments.smoke else BOUND, "costs": costs,
                             "value": ratio(costs, name, others, key),
                             "others": {other: ratio(costs, other, others, key) for other in others}})


def parse_arguments():
    parser = argparse.ArgumentParser(prog="network.sh")
    parser.add_argument("n", metavar="N", type=int, nargs="?", default=1000, help="number of packages (1000)")
    parser.add_argument("--runs", type=int, default=9, help="measurements of each command (9)")
    parser.add_argument("--smoke", action="store_true", help="once, without judgement")
    parser.add_argument("--all-peers", action="store_true", help="aria2c and wget2 too, which take longer than curl")
    parser.add_argument("--layout", choices=LAYOUTS, action="append", help="only this one")
    parser.add_argument("--output", default="bench-output", help="directory for JSON and log (bench-output)")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    if arguments.smoke:
        arguments.runs = 1
    os.makedirs(arguments.output, exist_ok=True)
    network = Network(arguments, os.environ)
    found = {"machine": machine(), "n": arguments.n, "rows": []}
    try:
        packages.write_pool(network.work + "/pool", 0, arguments.n, MEDIAN)
        for layout in arguments.layout or LAYOUTS:
            network.measure(layout, arguments.n, found["rows"])
    except Failure as failure:
        say("network.sh: %s" % failure)
        return 1
    report.write_json(arguments.output + "/network.json", found)
    print("%(cpu)s, %(cores)d cores, load %(load).1f at the start" % found["machine"])
    print(report.table(found["rows"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
