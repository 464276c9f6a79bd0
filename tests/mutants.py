#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""For mutants.sh: takes single checks out of the code that decides, and sees whether a test notices.

mutants.list names the files, with the tests that must notice, and what may survive, with a reason. In each of
the files, each operand of a condition, of an "if" or a "return", is made to let everything pass; each limit of
base/limits.h is a thousand times what it was. A file is compiled beside the build tree, once, with all of its
variants, among which a variable of the environment chooses, and linked with what is there into unit tests and tools.
For each variant, the tests are run until one fails; one that never ends has failed.
"""

import argparse
import os
import re
import resource
import shlex
import subprocess
import sys
import tempfile

COMMENT = re.compile(r"/\*.*?\*/", re.S)
HEAD = re.compile(r"^((?:[a-z][\w \t*]*?[ *]))(\w+)\([^;{}]*\)\s*\{", re.M)

# Which variant runs: none for 0.
CHOOSER = """#include <stdlib.h>
static int mutant_chosen;
static __attribute__((constructor)) void mutant_choose(void)
{
    const char *text = getenv("HALLMARK_MUTANT");
    mutant_chosen = text ? atoi(text) : 0;
}
#line 1 "%s"
"""


def closing(text, at, pairs="()"):
    """The index of the bracket that closes the one at AT; strings and characters are skipped."""
    depth = 0
    while True:
        c = text[at]
        if c in "\"'":
            at += 1
            while text[at] != c:
                at += 2 if text[at] == "\\" else 1
        depth += (c == pairs[0]) - (c == pairs[1])
        if depth == 0:
            return at
        at += 1


def operands(text, operator, at=0):
    """The parts of TEXT from AT between OPERATOR at its top level, (start, end) of each; of ";" the first."""
    parts, start = [], at
    while at < len(text):
        if text[at] in "([{":
            at = closing(text, at, {"(": "()", "[": "[]", "{": "{}"}[text[at]])
        elif text[at] in "\"'":
            quote, at = text[at], at + 1
            while text[at] != quote:
                at += 2 if text[at] == "\\" else 1
        elif text.startswith(operator, at):
            parts.append((start, at))
            if operator == ";":
                return parts
            start = at = at + len(operator)
            continue
        at += 1
    return parts + [(start, len(text))]


class Mutant:
    def __init__(self, path, function, line, shown, edit):
        self.path, self.function, self.line, self.edit = path, function, line, edit
        self.shown = " ".join(shown.split())

    @property
    def key(self):
        return "%s %s: %s" % (self.path, self.function, self.shown)


def lenient(condition, value, offset):
    """Each operand of CONDITION as VALUE, where that alone decides nothing."""
    for start, end in operands(condition, "&&" if value == "1" else "||"):
        yield condition[start:end], (offset + start, offset + end, value)


def mutants_of(path, source):
    text = COMMENT.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), source)
    for head in HEAD.finditer(text):
        end = closing(text, head.end() - 1, "{}")
        for m in re.finditer(r"\b(?:if|return)\b\s*", text[head.end():end]):
            at = head.end() + m.end()
            if m.group().startswith("if"):
                close = closing(text, at)
                then = text[close + 1:close + 60].split()
                passes = then[:1] == ["return"] and then[1] in ("true;", "NULL;", "true", "NULL")
                found = lenient(text[at + 1:close], "1" if passes else "0", at + 1)
            else:
                condition = text[at:operands(text, ";", at)[0][1]]
                decides = "bool" in head.group(1) and re.search(r"&&|\|\||[=!<>]=|[<>] ", condition)
                if not decides or condition.startswith("error_set") or len(operands(condition, "?")) > 1:
                    continue
                either = operands(condition, "||")
                if len(either) > 2:
                    continue
                found = lenient(condition[:either[0][1]], "1", at)
            for shown, edit in found:
                yield Mutant(path, head.group(2), text.count("\n", 0, edit[0]) + 1, shown, edit)


def with_all(path, source, mutants):
    """SOURCE, which behaves like the mutant number HALLMARK_MUTANT, from 1."""
    for number, mutant in sorted(enumerate(mutants, 1), key=lambda m: -m[1].edit[0]):
        start, end, value = mutant.edit
        source = "%s(mutant_chosen == %d ? %s : !!(%s))%s" % (source[:start], number, value, source[start:end],
                                                              source[end:])
    return CHOOSER % path + source


def limits_of(path, source):
    for m in re.finditer(r"^#define (LIMITS_\w+)\s+(.+)$", source, re.M):
        yield Mutant(path, "limit", source.count("\n", 0, m.start()) + 1, m.group(1),
                     (m.start(2), m.end(2), "(1000 * (%s))" % m.group(2)))


def bound():
    """For what a variant may do that never ends."""
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    resource.setrlimit(resource.RLIMIT_CPU, (5, 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class Tree:
    """A build, and variants of it in WORK."""

    def __init__(self, source, build, work):
        self.source, self.build, self.work, self.linked = source, build, work, {}
        self.flags = shlex.split(self.variable("$(DEFS) $(libinternal_la_CPPFLAGS)"))
        self.libs = shlex.split(self.variable("$(libinternal_la_LIBADD) $(CMOCKA_LIBS)"))

    def variable(self, names):
        """What variables of the Makefile stand for."""
        rule = "print-variables:\n\t$(info @@ %s)@:\n" % names
        text = subprocess.run(["make", "-s", "-f", "Makefile", "-f", "-", "print-variables"], cwd=self.build, check=True,
                              input=rule, stdout=subprocess.PIPE, universal_newlines=True).stdout
        return next(line[3:] for line in text.splitlines() if line.startswith("@@ "))

    def path(self, *parts):
        return os.path.join(self.build, *parts)

    def users(self, limit):
        """The sources to compile for a change of a limit."""
        found = subprocess.run(["grep", "-rlw", "--include=*.c", limit.shown, "src"], cwd=self.source,
                               stdout=subprocess.PIPE, universal_newlines=True).stdout.split()
        return [os.path.join(self.source, p) for p in found]

    def compile(self, path, text, sources=None):
        """Objects, of the file PATH with TEXT, or of SOURCES which include it."""
        copy = os.path.join(self.work, "src", path[4:])
        os.makedirs(os.path.dirname(copy), exist_ok=True)
        with open(copy, "w", encoding="utf-8") as f:
            f.write(text)
        objects = []
        for where in sources or [copy]:
            objects.append(os.path.join(self.work, "%d.o" % len(objects)))
            subprocess.run(["gcc", "-std=gnu11", "-w", "-g", "-O1", "-I", os.path.join(self.work, "src"), "-I", self.build,
                            "-I", os.path.join(self.source, "include"), "-I", os.path.join(self.source, "src"),
                            *self.flags, "-c", where, "-o", objects[-1]], cwd=self.build, check=True)
        os.remove(copy)
        self.linked = {}
        return objects

    def link(self, name, inputs, objects):
        if name in self.linked:
            return self.linked[name]
        out = self.linked[name] = os.path.join(self.work, name)
        subprocess.run(["gcc", "-o", out, *inputs, *objects, self.path(".libs/libinternal.a"), *self.libs],
                       cwd=self.build, check=True)
        return out

    def run(self, test, objects, number):
        """Whether TEST passes with OBJECTS in the place of those of the library, as the mutant NUMBER."""
        env = dict(os.environ, HALLMARK_MUTANT=str(number), srcdir=self.source, top_builddir=self.build, LC_ALL="C")
        is_unit = test.startswith("unit/")
        if is_unit:
            name = os.path.basename(test)
            command = [self.link(name, [self.path("tests/unit/%s-%s.o" % (name, name))], objects)]
        else:
            command = [os.path.join(self.source, "tests", test + ".sh")]
            for tool in ("verify", "release", "mirror"):
                directory = self.path("src/tools")
                inputs = [os.path.join(directory, o) for o in sorted(os.listdir(directory))
                          if o.startswith("repo_%s-" % tool) and o.endswith(".o")]
                env["REPO_" + tool.upper()] = self.link("repo-" + tool, inputs, objects)
        try:
            with open(os.path.join(self.work, "out"), "w", encoding="utf-8") as out:
                return subprocess.run(command, cwd=self.build, env=env, stdin=subprocess.DEVNULL, stdout=out,
                                      stderr=subprocess.STDOUT, preexec_fn=bound if is_unit else None,
                                      timeout=60 if is_unit else 1800).returncode in (0, 77)
        except subprocess.TimeoutExpired:
            return False


def read_list(path):
    """FILE: TESTS, and below, indented, KEY: REASON of what may survive there."""
    files, known = [], {}
    with open(path, encoding="utf-8") as f:
        for line in f:
            if line.startswith("#") or not line.strip():
                continue
            if line[0] == " ":
                key, reason = line.strip().split(" -- ")
                known["%s %s" % (files[-1][0], key)] = reason
            else:
                name, tests = line.split(":")
                files.append((name, tests.split()))
    return files, known


def killers(tree, path, tests, mutants):
    """For each of the mutants of PATH, the first test that fails, or None."""
    with open(os.path.join(tree.source, path), encoding="utf-8") as f:
        source = f.read()
    objects = [] if path.endswith(".h") else tree.compile(path, with_all(path, source, mutants))
    for test in tests:
        if not tree.run(test, objects, 0):
            sys.exit("mutants.py: %s fails without any mutation" % test)
    if path.endswith(".h"):
        for mutant in mutants:
            start, end, new = mutant.edit
            try:
                objects = tree.compile(path, source[:start] + new + source[end:], tree.users(mutant))
            except subprocess.CalledProcessError:
                yield mutant, "the compiler, by an assertion"
                continue
            yield mutant, next((t for t in tests if not tree.run(t, objects, 0)), None)
        return
    for number, mutant in enumerate(mutants, 1):
        yield mutant, next((t for t in tests if not tree.run(t, objects, number)), None)


def main():
    parser = argparse.ArgumentParser(usage="mutants.sh [--build DIR] [--list] [--unit] [REGEX]")
    parser.add_argument("--build", default="build")
    parser.add_argument("--list", action="store_true", help="only show them")
    parser.add_argument("--unit", action="store_true", help="run no end-to-end tests")
    parser.add_argument("regex", nargs="?", default=".")
    args = parser.parse_args()
    tests_dir = os.path.dirname(os.path.abspath(__file__))
    source = os.path.dirname(tests_dir)
    files, known = read_list(os.path.join(tests_dir, "mutants.list"))
    work = tempfile.mkdtemp(prefix="hallmark-mutants.")
    tree = None if args.list else Tree(source, os.path.abspath(args.build), work)
    n = n_killed = 0
    survivors, unused = [], set(known)
    for path, tests in files:
        with open(os.path.join(source, path), encoding="utf-8") as f:
            found = list((limits_of if path.endswith(".h") else mutants_of)(path, f.read()))
        chosen = [m for m in found if re.search(args.regex, m.key)]
        unused.difference_update(m.key for m in found if m not in chosen)
        if args.unit:
            tests = [t for t in tests if t.startswith("unit/")]
        if args.list:
            print("\n".join("%s:%d %s" % (path, m.line, m.key) for m in chosen))
            continue
        for mutant, by in killers(tree, path, tests, chosen) if chosen else ():
            n += 1
            n_killed += by is not None
            if by is None:
                survivors.append(mutant.key)
            print("%-8s %s:%d %s [%s]" % ("killed" if by else "known" if mutant.key in known else "SURVIVED", path,
                                          mutant.line, mutant.key.split(" ", 1)[1],
                                          by or known.get(mutant.key, "no test fails")), flush=True)
    if args.list:
        return 0
    subprocess.run(["rm", "-rf", work], check=True)
    unknown = [s for s in survivors if s not in known]
    for key in known:
        if key in unused and not args.unit and key not in survivors:
            print("to be taken from the list, as it does not survive, or is not there: " + key)
    print("%d mutants, %d killed, %d survived for a reason, %d survived" %
          (n, n_killed, len(survivors) - len(unknown), len(unknown)))
    return 1 if unknown else 0


sys.exit(main())
