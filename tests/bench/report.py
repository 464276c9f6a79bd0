# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the benchmark found: a table, JSON, and the curves of growth."""
import json
import math
import shutil
import subprocess


def text_of(value):
    return "-" if value is None else "%.3g" % value if value < 1000 else "%.0f" % value


def verdict(row):
    if row["bound"] is None or row["value"] is None:
        return ""
    return "reached" if row["value"] <= row["bound"] else "MISSED"


def table(rows):
    lines = [("what", "N", "ours", "unit", "bound", "", "compared in the same run")]
    for row in rows:
        others = ", ".join("%s %s" % (name, text_of(value)) for name, value in row["others"].items())
        lines.append((row["name"], str(row["n"]), text_of(row["value"]), row["unit"], text_of(row["bound"]),
                      verdict(row), others))
    widths = [max(len(line[i]) for line in lines) for i in range(6)]
    return "\n".join("  ".join(line[i].ljust(widths[i]) for i in range(6)) + "  " + line[6] for line in lines)


def exponent(points):
    """Of the power of N that fits POINTS, pairs of N and a cost, best; None where there are too few."""
    logs = [(math.log(n), math.log(cost)) for n, cost in points if cost > 0]
    if len({x for x, _ in logs}) < 2:
        return None
    mean_x = sum(x for x, _ in logs) / len(logs)
    mean_y = sum(y for _, y in logs) / len(logs)
    return sum((x - mean_x) * (y - mean_y) for x, y in logs) / sum((x - mean_x) ** 2 for x, _ in logs)


def write_json(path, found):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(found, file, indent=1, sort_keys=True)
        file.write("\n")


def draw(path, series):
    """SERIES: points by name. False where there is no gnuplot, or nothing to draw."""
    lines = {name: sorted(points) for name, points in series.items() if len(points) > 1}
    if not shutil.which("gnuplot") or not lines:
        return False
    script = ["set terminal svg size 900,600 noenhanced", 'set output "%s"' % path, "set logscale xy", "set grid",
              "set key left top", 'set xlabel "packages"', 'set ylabel "CPU seconds"',
              "plot " + ", ".join('"-" with linespoints title "%s"' % name for name in lines)]
    for points in lines.values():
        script += ["%d %g" % point for point in points] + ["e"]
    subprocess.run(["gnuplot"], input="\n".join(script).encode(), check=True)
    return True
