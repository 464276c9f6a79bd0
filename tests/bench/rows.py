# SPDX-License-Identifier: LGPL-2.1-or-later
"""The rows of the table: what is measured, against what, and the bound. Each checks first that what it measures does
what it should."""
import hashlib
import os
import shutil
import time

from measure import Case, Failure, call, say

MICRO = 1e6
RACY = 3  # seconds after which a file is believed to be at rest


def require(is_true, what):
    if not is_true:
        raise Failure(what)


def files_below(top):
    return [os.path.join(base, name) for base, _, names in os.walk(top) for name in names]


class Rows:
    """BENCH has the tools, keys and directories; see bench.py."""

    def __init__(self, bench, is_judged):
        self.b = bench
        self.is_judged = is_judged
        self.rows = []
        self.series = {}

    def add(self, name, n, value, unit, bound, others, costs):
        row = {"name": name, "n": n, "value": value, "unit": unit, "bound": bound if self.is_judged else None,
               "others": others, "costs": costs}
        self.rows.append(row)
        say("  %s: %.4g %s" % (name, value, unit))

    def point(self, name, n, cost):
        self.series.setdefault(name, []).append((n, cost["cpu"]))

    # ---- First runs ------------------------------------------------------------------------------

    def forget(self, root, state):
        def prepare():
            for path in (state, os.path.join(root, ".hallmark")):
                shutil.rmtree(path, ignore_errors=True)
            for name in ("dists", "Release", "Release.gpg", "InRelease"):
                if os.path.lexists(os.path.join(root, name)):
                    os.unlink(os.path.join(root, name))
        return prepare

    def check_blobs(self, pool):
        """The manifest against another implementation; and that a changed bit is found."""
        with open(pool.list, "w", encoding="ascii") as out, open(pool.blob + "/Release", encoding="utf-8") as file:
            lines = file.read().partition("\nSHA256:\n")[2].splitlines()
            for line in lines:
                if not line.startswith(" "):
                    break
                digest, _, path = line.split()
                out.write("%s  %s\n" % (digest, path))
        require(len(lines) >= pool.n, "the manifest lists %d files of %d" % (len(lines), pool.n))
        call(["sha256sum", "--status", "-c", pool.list], cwd=pool.blob)
        self.check_damage(pool)

    def check_damage(self, pool):
        victim = sorted(path for path in files_below(pool.blob) if path.endswith(".bin"))[0]
        data = bytearray(self.read(victim))
        data[len(data) // 2] ^= 1
        os.rename(victim, self.b.work + "/original")
        with open(victim, "wb") as file:
            file.write(data)
        try:
            call(self.b.verify("check", pool.blob))
            is_found = False
        except Failure as failure:
            is_found = "status 7" in str(failure)
        os.rename(self.b.work + "/original", victim)
        require(is_found, "a changed bit was not found")

    def first_run(self, pool, label, bound):
        """Files whose names promise no archive, which are only hashed; and packages, apart."""
        b = self.b
        state = b.work + "/state-" + pool.name
        cases = {
            "ours": Case(b.release("update", state + "-blob", "plain", pool.blob), self.forget(pool.blob, state + "-blob")),
            "ours, packages": Case(b.release("update", state + "-deb", "apt", pool.deb),
                                   self.forget(pool.deb, state + "-deb")),
            "stat": Case([b.probe, "stat", pool.blob]),
            "read": Case([b.probe, "read", pool.blob]),
            "one OpenSSL stream": Case([b.probe, "hash", pool.blob]),
        }
        if b.has("apt-ftparchive"):
            cases["apt-ftparchive"] = Case(["apt-ftparchive", "-o", "APT::FTPArchive::MD5=false", "-o",
                                            "APT::FTPArchive::SHA1=false", "-o", "APT::FTPArchive::SHA512=false",
                                            "packages", "pool"], cwd=pool.deb)
        cases.update(b.peers.first_run(pool))
        costs = b.meter.compare(cases, b.runs_for(pool.n))
        self.check_blobs(pool)
        self.check_indexes(pool)
        unit, scale = ("x OpenSSL", costs["one OpenSSL stream"]["cpu"]) if bound[0] == "ratio" else \
            ("us a package", pool.n / MICRO)
        others = {name: cost["cpu"] / scale for name, cost in costs.items() if name != "ours"}
        self.add("first run, " + label, pool.n, costs["ours"]["cpu"] / scale, unit, bound[1], others, costs)
        for name, cost in costs.items():
            self.point("first run: " + name, pool.n, cost)

    def check_indexes(self, pool):
        """What the index says of each package against the package; and the compressed forms against the index."""
        seen = {}
        directory = pool.deb + "/dists/stable/main/"
        for path in files_below(directory):
            if os.path.basename(path) == "Packages" and "by-hash" not in path:
                plain = self.read(path)
                require(call(["xz", "-dc", path + ".xz"]) == plain, path + ".xz: differs")
                require(call(["gzip", "-dc", path + ".gz"]) == plain, path + ".gz: differs")
                for stanza in plain.decode().split("\n\n"):
                    fields = dict(line.split(": ", 1) for line in stanza.split("\n") if ": " in line and line[0] != " ")
                    if fields:
                        seen[fields["Filename"]] = (int(fields["Size"]), fields["SHA256"])
        require(len(seen) == pool.n, "the indexes have %d packages of %d" % (len(seen), pool.n))
        for path, what in list(seen.items())[::max(1, pool.n // 1000)]:
            data = self.read(os.path.join(pool.deb, path))
            require(what == (len(data), hashlib.sha256(data).hexdigest()), path + ": the index says something else")

    @staticmethod
    def read(path):
        with open(path, "rb") as file:
            return file.read()

    # ---- Later runs ------------------------------------------------------------------------------

    def later_runs(self, pool):
        b = self.b
        state = b.work + "/state-" + pool.name + "-deb"
        update = b.release("update", state, "apt", pool.deb)
        time.sleep(RACY)
        call(update, env=b.env)
        before = os.readlink(pool.deb + "/dists")
        cases = {"ours": Case(update), "stat": Case([b.probe, "stat", pool.deb + "/pool"])}
        cases.update(b.peers.idle(pool))
        costs = b.meter.compare(cases, b.runs_for(pool.n))
        require(os.readlink(pool.deb + "/dists") == before, "something was published though nothing had changed")
        self.per_package("nothing changed", pool, costs, 6)
        self.added(pool, update)
        self.resign(pool, state)

    def per_package(self, name, pool, costs, bound):
        scale = pool.n / MICRO
        self.add(name, pool.n, costs["ours"]["cpu"] / scale, "us a package", bound,
                 {key: cost["cpu"] / scale for key, cost in costs.items() if key != "ours"}, costs)
        for key, cost in costs.items():
            self.point(name + ": " + key, pool.n, cost)

    def added(self, pool, update):
        b = self.b
        batch = [0]

        def prepare():
            extra = b.work + "/extra"
            shutil.rmtree(extra, ignore_errors=True)
            b.make_pool(extra, 900000 + 10 * batch[0], 10, 4096)
            batch[0] += 1
            for path in files_below(extra + "/deb/pool"):
                shutil.copy(path, pool.deb + "/pool/00")
            time.sleep(RACY)

        os.makedirs(pool.deb + "/pool/00", exist_ok=True)
        cases = {"ours": Case(update, prepare), "stat": Case([b.probe, "stat", pool.deb + "/pool"])}
        cases.update(b.peers.added(pool, b.work + "/extra"))
        costs = b.meter.compare(cases, b.runs_for(pool.n))
        pool.n += 10 * batch[0]
        self.check_indexes(pool)
        self.per_package("10 packages added", pool, costs, 10)

    def resign(self, pool, state):
        b = self.b
        text = pool.deb + "/dists/stable/Release"
        cases = {
            "ours": Case(b.release("resign", state, "apt", pool.deb)),
            "one gpg signature": Case(["gpg", "--homedir", b.gnupg, "--batch", "--quiet", "-u", b.key, "--armor",
                                       "--detach-sign", "-o", "-", text]),
        }
        costs = b.meter.compare(cases, b.runs_for(0))
        call(["gpgv", "--keyring", b.keyring, pool.deb + "/dists/stable/InRelease"])
        self.add("resign", pool.n, costs["ours"]["cpu"] / costs["one gpg signature"]["cpu"], "x a signature", 2,
                 {"wall": costs["ours"]["wall"] / costs["one gpg signature"]["wall"]}, costs)

    # ---- Readers ---------------------------------------------------------------------------------

    def verify_all(self, pool, label, bound):
        b = self.b
        openssl = ["sh", "-c", "find . -name '*.bin' -print0 | xargs -0 openssl dgst -sha256 -r"]
        cases = {"ours": Case(b.verify("check", pool.blob)),
                 "sha256sum -c": Case(["sha256sum", "--status", "-c", pool.list], cwd=pool.blob),
                 "openssl": Case(openssl, cwd=pool.blob)}
        costs = b.meter.compare(cases, b.runs_for(pool.n))
        theirs = costs["sha256sum -c"]
        self.add("verify all, " + label, pool.n, costs["ours"]["wall"] / theirs["wall"], "x sha256sum", bound,
                 {"CPU": costs["ours"]["cpu"] / theirs["cpu"], "openssl": costs["openssl"]["wall"] / theirs["wall"]}, costs)
        self.point("verify all: ours", pool.n, costs["ours"])
        self.point("verify all: sha256sum -c", pool.n, theirs)
        return costs["ours"]["memory"]

    def verify_one(self, pool):
        b = self.b
        path = sorted(path for path in files_below(pool.blob) if path.endswith(".bin"))[pool.n // 2]
        name = os.path.relpath(path, pool.blob)
        manifest = pool.blob + "/InRelease"
        theirs = "gpgv -q --keyring '%s' '%s' 2>/dev/null && openssl dgst -sha256 '%s' '%s'" % (b.keyring, manifest,
                                                                                               manifest, path)
        cases = {"ours": Case(b.verify("check", pool.blob, name)), "gpgv and openssl": Case(["sh", "-c", theirs])}
        costs = b.meter.compare(cases, b.runs_for(0))
        ratios = [costs["ours"][key] / costs["gpgv and openssl"][key] for key in ("cpu", "wall")]
        self.add("verify one", pool.n, ratios[0], "x gpgv, openssl", 1.15, {"wall": ratios[1]}, costs)
        return costs["ours"]["memory"]

    def start_up(self):
        """A repository of one small file."""
        b = self.b
        root = b.work + "/tiny"
        os.makedirs(root)
        with open(root + "/file.bin", "wb") as file:
            file.write(b"text\n")
        call(b.release("update", b.work + "/state-tiny", "plain", root), env=b.env)
        cases = {"ours": Case(b.verify("check", root)),
                 "gpgv": Case(["gpgv", "-q", "--keyring", b.keyring, root + "/InRelease"])}
        costs = b.meter.compare(cases, b.runs_for(0))
        self.add("start-up", 1, costs["ours"]["cpu"] / costs["gpgv"]["cpu"], "x gpgv", 1.2,
                 {"wall": costs["ours"]["wall"] / costs["gpgv"]["wall"]}, costs)

    def unpack(self, n_bytes, n_files):
        b = self.b
        root, out = b.work + "/unpack", b.work + "/out"
        os.makedirs(root)
        b.make_tree(root + "/tree-1.0.tar.gz", n_bytes, n_files)
        call(b.release("update", b.work + "/state-unpack", "plain", root), env=b.env)
        digest = call(["sha256sum", "tree-1.0.tar.gz"], cwd=root)
        with open(b.work + "/unpack.sha256", "wb") as file:
            file.write(digest)

        def prepare():
            shutil.rmtree(out, ignore_errors=True)
            shutil.rmtree(out + ".tar", ignore_errors=True)
            os.mkdir(out + ".tar")

        ours = b.verify("unpack", "--into=" + out, root, "tree-1.0.tar.gz")
        theirs = ["sh", "-c", "cd '%s' && sha256sum --status -c '%s/unpack.sha256' && tar -xzf tree-1.0.tar.gz -C '%s.tar'"
                  % (root, b.work, out)]
        call(["sh", "-c", "rm -rf '%s.tar' && mkdir '%s.tar'" % (out, out)])
        call(ours, env=b.env)
        call(theirs)
        call(["diff", "-r", out + "/tree" if os.path.isdir(out + "/tree") else out, out + ".tar/tree"])
        costs = b.meter.compare({"ours": Case(ours, prepare), "sha256sum, tar": Case(theirs, prepare)}, b.runs_for(0))
        prepare()
        ratios = [costs["ours"][key] / costs["sha256sum, tar"][key] for key in ("wall", "cpu")]
        self.add("unpack", n_files, ratios[0], "x sha256sum, tar", 1.0, {"CPU": ratios[1]}, costs)
