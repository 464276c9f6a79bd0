# SPDX-License-Identifier: LGPL-2.1-or-later
"""The benchmark; started by run.sh, which says in the environment where tools and keys are."""
import argparse
import os
import shutil
import sys

import pool as packages
import report
from measure import Failure, Meter, machine, say
from peers import Peers
from rows import Rows

BIG, SMALL = 65536, 4096  # medians of the sizes
HASHING = {"avx512": 0.18, "avx2": 0.30, "none": 1.05}
VERIFYING = {"avx512": 0.15, "avx2": 0.25, "none": 0.60}


class Pool:
    def __init__(self, bench, name, n, median):
        self.name, self.n = name, n
        top = os.path.join(bench.work, "pool-" + name)
        self.deb, self.blob, self.list = top + "/deb", top + "/blob", top + "/list"
        say("making %d packages around %d bytes" % (n, median))
        bench.make_pool(top, 0, n, median)


class Bench:
    def __init__(self, arguments, env):
        self.arguments = arguments
        self.work = arguments.work
        self.probe = env["BENCH_PROBE"]
        self.gnupg, self.key, self.keyring = env["BENCH_GNUPG"], env["BENCH_KEY"], env["BENCH_KEYRING"]
        self.tools = {"release": env["REPO_RELEASE"], "verify": env["REPO_VERIFY"]}
        self.env = dict(env)
        if arguments.no_sha_ni:
            self.env["OPENSSL_ia32cap"] = ":~0x20000000"
            os.environ.update(self.env)
        self.meter = Meter(self.probe, self.env, open(arguments.output + "/commands.log", "w", encoding="utf-8"))
        self.peers = Peers(self, arguments.all_peers)

    @staticmethod
    def has(name):
        return shutil.which(name) is not None

    @staticmethod
    def make_pool(top, first, n, median):
        packages.write_pool(top, first, n, median)

    @staticmethod
    def make_tree(path, n_bytes, n_files):
        packages.write_tree(path, n_bytes, n_files)

    def release(self, command, state, layout, root):
        return [self.tools["release"], command, "--key", self.key, "--gnupg-home", self.gnupg, "--state", state,
                "--config", self.work + "/etc", "--layout", layout] + (
                    ["--suite", "stable"] if layout == "apt" else []) + self.arguments.ours + [root]

    def verify(self, command, *words):
        return [self.tools["verify"], command, "--keyring", self.keyring, "--no-state"] + self.arguments.ours + list(words)

    def runs_for(self, n):
        if self.arguments.smoke:
            return 1
        return self.arguments.runs or (5 if n <= 10000 else 3)


def lanes(arguments):
    flags = machine()["flags"]
    if "sha_ni" in flags and not arguments.no_sha_ni:
        return "none"
    return "avx512" if "avx512vl" in flags else "avx2" if "avx2" in flags else "none"


def measure(bench, sizes):
    rows = Rows(bench, is_judged=not bench.arguments.smoke)
    kind = lanes(bench.arguments)
    n_big = 20 if bench.arguments.smoke else 1000
    big = Pool(bench, "big", n_big, BIG)
    rows.first_run(big, "big packages", ("ratio", HASHING[kind]))
    memory = rows.verify_all(big, "big packages", VERIFYING[kind])
    for n in sizes:
        small = Pool(bench, "small-%d" % n, n, SMALL)
        rows.first_run(small, "small packages", ("each", 60))
        memory = max(memory, rows.verify_all(small, "small packages", VERIFYING[kind]), rows.verify_one(small))
        rows.later_runs(small)
    rows.start_up()
    rows.unpack(*((1 << 20, 50) if bench.arguments.smoke else (103 << 20, 4176)))
    add_memory(rows, sizes[-1], memory)
    add_growth(rows)
    return rows


def add_memory(rows, n, client):
    most = max(max(cost["memory"] for name, cost in row["costs"].items() if name.startswith("ours"))
               for row in rows.rows if row["name"].startswith(("first run", "nothing", "10 packages", "resign")))
    theirs = [cost["memory"] for row in rows.rows for name, cost in row["costs"].items() if name == "apt-ftparchive"]
    others = {"apt-ftparchive": max(theirs) / 1024} if theirs else {}
    rows.add("peak memory, generator", n, most / 1024, "MiB", 32, others, {})
    rows.add("peak memory, client", n, client / 1024, "MiB", 12, {}, {})


def add_growth(rows):
    ours = report.exponent(rows.series.get("first run: ours", [])[1:])
    floor = report.exponent(rows.series.get("first run: one OpenSSL stream", [])[1:])
    if ours and floor:
        rows.add("growth of the first run", len(rows.series["first run: ours"]) - 1, ours / floor, "x the floor's exponent",
                 1.05, {"ours": ours, "floor": floor}, {})


def parse_arguments():
    parser = argparse.ArgumentParser(prog="run.sh")
    parser.add_argument("sizes", metavar="N", type=int, nargs="*", help="numbers of small packages (1000 10000 100000)")
    parser.add_argument("--smoke", action="store_true", help="small, once, and without judgement")
    parser.add_argument("--runs", type=int, default=0, help="measurements of each command (5; 3 above 10000)")
    parser.add_argument("--all-peers", action="store_true", help="reprepro and aptly over large pools too: hours")
    parser.add_argument("--no-sha-ni", action="store_true", help="as on a processor without instructions for SHA-256")
    parser.add_argument("--ours", action="append", default=[], metavar="OPTION", help="an option for our tools, repeatable")
    parser.add_argument("--output", default="bench-output", help="directory for JSON, curves and log (bench-output)")
    parser.add_argument("--work", default=os.environ.get("BENCH_WORK"), help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    sizes = sorted(arguments.sizes) or ([50] if arguments.smoke else [1000, 10000, 100000])
    os.makedirs(arguments.output, exist_ok=True)
    bench = Bench(arguments, os.environ)
    found = {"machine": machine(), "lanes": lanes(arguments), "sizes": sizes}
    try:
        rows = measure(bench, sizes)
    except Failure as failure:
        say("run.sh: %s" % failure)
        return 1
    found["rows"] = rows.rows
    report.write_json(arguments.output + "/bench.json", found)
    has_curves = report.draw(arguments.output + "/growth.svg", rows.series)
    print("%(cpu)s, %(cores)d cores, %(flags)s, load %(load).1f at the start" % found["machine"])
    print(report.table(rows.rows))
    print("%s/bench.json%s" % (arguments.output, " and growth.svg" if has_curves else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main())
