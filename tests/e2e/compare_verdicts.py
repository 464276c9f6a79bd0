#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Compares the verdicts in FILE, lines of CASE, OURS, GPGV and SQV, with the differences that are explained on
standard input, lines of "CASES WHO: REASON", with a "+" before them where we are the one that accepts.
"""

import fnmatch
import sys

WHO = ("gpgv", "sqv")


def explanations():
    for line in sys.stdin:
        head, reason = line.strip().split(": ", 1)
        lenient = head.startswith("+")
        cases, who = head.lstrip("+").split()
        yield lenient, cases, WHO if who == "both" else (who,), reason, set()


def main():
    known = list(explanations())
    problems, n, n_lenient, differing = [], 0, 0, 0
    with open(sys.argv[1], encoding="utf-8") as f:
        verdicts = [line.rstrip("\n").split("\t") for line in f]
    for case, ours, *theirs in verdicts:
        for who, verdict in zip(WHO, theirs):
            n += verdict != "-"
            if verdict in ("-", ours):
                continue
            differing += 1
            n_lenient += ours == "yes"
            for lenient, cases, whom, reason, used in known:
                if lenient == (ours == "yes") and who in whom and fnmatch.fnmatch(case, cases):
                    used.add(who)
                    print("differs %s: %s %s, we %s: %s" % (case, who, "accepts" if verdict == "yes" else
                                                            "refuses", "do not", reason))
                    break
            else:
                problems.append("%s: %s says %s, we say %s, and no reason is known" %
                                (case, who, verdict, ours))
    asked = {who for i, who in enumerate(WHO) if any(v[2 + i] != "-" for v in verdicts)}
    for _, cases, whom, _, used in known:
        problems += ["%s: %s and we agree, although a reason for not doing so is given" % (cases, who)
                     for who in whom if who in asked and who not in used]
    print("%d verdicts compared; %d differ, all explained; where we alone accept: %d" %
          (n, differing, n_lenient) if not problems else "\n".join(problems))
    return 1 if problems else 0


sys.exit(main())
