#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Splits DOCUMENT, a clearsigned one, into TEXT and SIGNATURE, for verifiers of detached signatures.

As lenient as RFC 4880 section 7 lets one be, and more, so that a comparison finds the most that they may
accept: anything may stand before and behind, headers and dashes are removed, blanks at line ends are dropped.
"""

import sys


def split(data):
    lines = data.split(b"\n")
    begin = next(i for i, l in enumerate(lines) if l.rstrip() == b"-----BEGIN PGP SIGNED MESSAGE-----")
    start = next(i for i in range(begin + 1, len(lines)) if not lines[i].strip()) + 1
    end = next(i for i in range(start, len(lines)) if lines[i].startswith(b"-----BEGIN PGP SIGNATURE"))
    last = next(i for i in range(end, len(lines)) if lines[i].startswith(b"-----END PGP SIGNATURE"))
    text = [l[2:] if l.startswith(b"- ") else l for l in lines[start:end]]
    return b"\r\n".join(l.rstrip(b" \t\r") for l in text), b"\n".join(lines[end:last + 1]) + b"\n"


def main():
    document, text, signature = sys.argv[1:]
    with open(document, "rb") as f:
        parts = split(f.read())
    for name, part in zip((text, signature), parts):
        with open(name, "wb") as f:
            f.write(part)


main()
