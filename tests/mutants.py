#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""For mutants.sh: takes single checks out of the code that decides, and sees whether a test notices.

mutants.list names the files, with the tests that must notice, and what may survive, with a reason. In each of
the files, each operand of a condition, of an "if" or a "return", is made to let everything pass; each limit of
base/limits.h is a thousand times what it was. A variant is compiled beside the build tree, linked with what is
there into unit tests and tools, and the tests are run until one fails; one that never ends has failed.
"""

import argparse
import os
import re
import resource
import shlex
import subprocess
import sys
import tempfile
import time

COMMENT = re.compile(r"/\*.*?\*/", re.S)
HEAD = re.compile(r"^(?:[a-z][\w \t*]*?[ *])(\w+)\([^;{}]*\)\s*\{", re.M)


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
    def __init__(self, path, function, line, shown, edits):
        self.path, self.function, self.line, self.edits = path, function, line, edits
        self.shown = " ".join(shown.split())

    @property
    def key(self):
        return "%s %s: %s" % (self.path, self.function, self.shown)


def lenient(condition, value, offset):
    """Each operand of CONDITION as VALUE, where that alone decides nothing."""
    for start, end in operands(condition, "&&" if value == "1" else "||"):
        yield condition[start:end], (offset + start, offset + end, " %s " % value)


def mutants_of(path, source):
    text = COMMENT.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), source)
    for head in HEAD.finditer(text):
        end = closing(text, head.end() - 1, "{}")
        for m in re.finditer(r"\b(?:if|return)\b\s*", text[head.end():end]):
            at = head.end() + m.end()
            line = text.count("\n", 0, at) + 1
            if m.group().startswith("if"):
                close = closing(text, at)
                then = text[close + 1:close + 60].split()
                passes = then[:1] == ["return"] and then[1] in ("true;", "NULL;", "true", "NULL")
                found = lenient(text[at + 1:close], "1" if passes else "0", at + 1)
            else:
                stop = operands(text, ";", at)[0][1]
                condition = text[at:stop]
                decides = re.search(r"&&|\|\||[=!<>]=|[<>] ", condition)
                if not decides or condition.startswith("error_set") or len(operands(condition, "?")) > 1:
                    continue
                either = operands(condition, "||")
                if len(either) > 1:
                    condition = condition[:either[0][1]]
                    if len(either) > 2:
                        continue
                found = lenient(condition, "1", at)
            for shown, edit in found:
                yield Mutant(path, head.group(1), line, shown, [edit])


def limits_of(path, source):
    for m in re.finditer(r"^#define (LIMITS_\w+)\s+(.+)$", source, re.M):
        value = m.group(2)
        large = "(1000 * (%s))" % value
        yield Mutant(path, "limit", source.count("\n", 0, m.start()) + 1, m.group(1),
                     [(m.start(2), m.end(2), large)])


def bound():
    """No loop without an end takes all memory."""
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))


class Tree:
    """A build, and variants of it in WORK."""

    def __init__(self, source, build, work):
        self.source, self.build, self.work = source, build, work
        self.flags = shlex.split(self.variable("$(DEFS) $(libinternal_la_CPPFLAGS)"))
        self.libs = shlex.split(self.variable("$(libinternal_la_LIBADD) $(CMOCKA_LIBS)"))

    def variable(self, names):
        """What variables of the Makefile stand for."""
        rule = "print-variables:\n\t$(info %s)@:\n" % names
        return subprocess.run(["make", "-s", "-f", "Makefile", "-f", "-", "print-variables"], cwd=self.build, check=True,
                              input=rule, stdout=subprocess.PIPE, universal_newlines=True).stdout

    def path(self, *parts):
        return os.path.join(self.build, *parts)

    def users(self, mutant):
        """The sources to compile: of a header, all that have the limit."""
        if mutant.path.endswith(".c"):
            return [mutant.path]
        found = subprocess.run(["grep", "-rlw", "--include=*.c", "--include=*.h", mutant.shown, "src"],
                               cwd=self.source, stdout=subprocess.PIPE, universal_newlines=True).stdout.split()
        return [p for p in found if p.endswith(".c")]

    def compile(self, mutant, text):
        copy = os.path.join(self.work, "src", mutant.path[4:])
        os.makedirs(os.path.dirname(copy), exist_ok=True)
        with open(copy, "w", encoding="utf-8") as f:
            f.write(text)
        objects = []
        for user in self.users(mutant):
            where = copy if user == mutant.path else os.path.join(self.source, user)
            objects.append(os.path.join(self.work, "%d.o" % len(objects)))
            done = subprocess.run(["gcc", "-std=gnu11", "-w", "-g", "-O1", "-I", os.path.join(self.work, "src"), "-I",
                                   self.build, "-I", os.path.join(self.source, "include"), "-I",
                                   os.path.join(self.source, "src"), *self.flags, "-c", where, "-o", objects[-1]],
                                  cwd=self.build, stderr=subprocess.PIPE, universal_newlines=True)
            if done.returncode:
                return None, done.stderr
        os.remove(copy)
        return objects, ""

    def link(self, name, inputs, objects):
        out = os.path.join(self.work, name)
        subprocess.run(["gcc", "-o", out, *inputs, *objects, self.path(".libs/libinternal.a"), *self.libs],
                       cwd=self.build, check=True)
        return out

    def run(self, test, objects):
        """Whether TEST passes with OBJECTS in the place of those of the library."""
        env = dict(os.environ, srcdir=self.source, top_builddir=self.build, LC_ALL="C")
        if test.startswith("unit/"):
            name = os.path.basename(test)
            command = [self.link(name, [self.path("tests/unit/%s-%s.o" % (name, name))], objects)]
        else:
            command = [os.path.join(self.source, "tests", test + ".sh")]
            for tool in ("verify", "release"):
                directory = self.path("src/tools")
                inputs = [os.path.join(directory, o) for o in sorted(os.listdir(directory))
                          if o.startswith("repo_%s-" % tool) and o.endswith(".o")]
                env["REPO_" + tool.upper()] = self.link("repo-" + tool, inputs, objects)
        try:
            with open(os.path.join(self.work, "out"), "w", encoding="utf-8") as out:
                return subprocess.run(command, cwd=self.build, env=env, stdin=subprocess.DEVNULL, stdout=out,
                                      stderr=subprocess.STDOUT, preexec_fn=bound,
                                      timeout=60 if test.startswith("unit/") else 1800).returncode in (0, 77)
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


def try_one(tree, mutant, source, tests):
    text = source
    for start, end, new in mutant.edits:
        text = text[:start] + new + text[end:]
    objects, message = tree.compile(mutant, text)
    if objects is None:
        return "does not compile: " + message.splitlines()[0]
    for test in tests:
        if not tree.run(test, objects):
            return test
    return None


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
            text = f.read()
        if args.unit:
            tests = [t for t in tests if t.startswith("unit/")]
        for mutant in (limits_of if path.endswith(".h") else mutants_of)(path, text):
            if not re.search(args.regex, mutant.key):
                unused.discard(mutant.key)
                continue
            n += 1
            if args.list:
                print("%s:%d %s" % (path, mutant.line, mutant.key))
                continue
            began = time.monotonic()
            by = try_one(tree, mutant, text, tests)
            n_killed += by is not None
            if by is None:
                survivors.append(mutant.key)
            print("%-8s %s:%d %s [%s, %.0f s]" % ("killed" if by else "known" if mutant.key in known else "SURVIVED",
                  path, mutant.line, mutant.key.split(" ", 1)[1], by or known.get(mutant.key, "no test fails"),
                  time.monotonic() - began), flush=True)
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
