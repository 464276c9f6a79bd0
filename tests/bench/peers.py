# SPDX-License-Identifier: LGPL-2.1-or-later
"""Other publishers of packages, where they are installed: reprepro and aptly, with databases of their own; their cost
grows so fast that they are left out of large pools unless asked for."""
import json
import os
import shutil

from measure import Case, call, say

LARGEST = 2000


class Peers:
    def __init__(self, bench, is_patient):
        self.b = bench
        self.is_patient = is_patient
        for name in ("createrepo_c", "reprepro", "aptly", "apt-ftparchive"):
            if not shutil.which(name):
                say("%s is not installed: left out" % name)
            elif name == "createrepo_c":
                say("createrepo_c reads rpm packages only, of which the pools have none: left out")

    def wanted(self, name, n):
        if not shutil.which(name):
            return False
        if n > LARGEST and not self.is_patient:
            say("%s: left out above %d packages (--all-peers includes it)" % (name, LARGEST))
            return False
        return True

    @staticmethod
    def packages(pool):
        return sorted(os.path.join(base, name) for base, _, names in os.walk(pool.deb + "/pool") for name in names)

    def in_lists(self, command, paths, base):
        """A script that runs COMMAND over all of PATHS, in as few processes as arguments allow."""
        name = base + ".list"
        with open(name, "w", encoding="utf-8") as file:
            file.write("".join(path + "\0" for path in paths))
        return Case(["sh", "-c", "xargs -0 -a '%s' %s >/dev/null" % (name, command)])

    # ---- reprepro --------------------------------------------------------------------------------

    def reprepro(self, pool, paths):
        base = self.b.work + "/reprepro-" + pool.name
        return self.in_lists("reprepro -b '%s' includedeb stable" % base, paths, base)

    def reset_reprepro(self, pool):
        base = self.b.work + "/reprepro-" + pool.name

        def prepare():
            shutil.rmtree(base, ignore_errors=True)
            os.makedirs(base + "/conf")
            with open(base + "/conf/distributions", "w", encoding="ascii") as file:
                file.write("Codename: stable\nArchitectures: amd64\nComponents: main\n")
        return prepare

    # ---- aptly -----------------------------------------------------------------------------------

    def aptly(self, pool, paths):
        base = self.b.work + "/aptly-" + pool.name
        config = base + ".conf"
        with open(config, "w", encoding="ascii") as file:
            json.dump({"rootDir": base, "gpgDisableSign": True, "architectures": ["amd64"]}, file)
        tool = "aptly -config='%s' " % config
        with open(base + ".list", "w", encoding="utf-8") as file:
            file.write("".join(path + "\0" for path in paths))
        script = ("xargs -0 -a '%s.list' %srepo add r >/dev/null && { %spublish update -skip-signing stable || "
                  "%spublish repo -skip-signing -distribution=stable r; } >/dev/null 2>&1" % (base, tool, tool, tool))
        return Case(["sh", "-c", script])

    def reset_aptly(self, pool):
        base = self.b.work + "/aptly-" + pool.name

        def prepare():
            shutil.rmtree(base, ignore_errors=True)
            call(["aptly", "-config=" + base + ".conf", "repo", "create", "-component=main", "r"])
        return prepare

    # ---- Rows ------------------------------------------------------------------------------------

    def all_of(self, pool, with_reset):
        cases = {}
        paths = self.packages(pool)
        if self.wanted("reprepro", pool.n):
            cases["reprepro"] = self.reprepro(pool, paths)
            cases["reprepro"].prepare = self.reset_reprepro(pool) if with_reset else None
        if self.wanted("aptly", pool.n):
            cases["aptly"] = self.aptly(pool, paths)
            cases["aptly"].prepare = self.reset_aptly(pool) if with_reset else None
        return cases

    def first_run(self, pool):
        return self.all_of(pool, True)

    def idle(self, pool):
        return self.all_of(pool, False)

    def added(self, pool, extra):
        """They are given the new packages only; each turn finds the batch that our turn has just brought."""
        cases = {}
        find = "find '%s/deb/pool' -name '*.deb' -print0 | " % extra
        for name, case in self.all_of(pool, False).items():
            case.command[2] = find + case.command[2].replace("xargs -0 -a '%s' " % self.list_of(name, pool), "xargs -0 ")
            cases[name] = case
        return cases

    def list_of(self, name, pool):
        return self.b.work + "/%s-%s.list" % (name, pool.name)
