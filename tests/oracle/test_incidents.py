#!/usr/bin/python3
"""Early warning on simulated months: `make incidents` in short, and the rules to beat held to a second implementation.
"""
import math
import os
import random
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib")]
import harness
import incidents

FEW_PORTS = "tail = 300\nincidents = 6\n"
SAMPLE = os.environ.get("CHANGEFINDER_SAMPLE") or os.path.join(HERE, "..", "..", "..", "shared", "captures", "sensor999_count.csv")


def check_year(checks, n, months):
    with tempfile.NamedTemporaryFile("w", suffix=".params") as f:
        f.write(FEW_PORTS)
        f.flush()
        run = incidents.run(7, n, months, f.name)
    score = incidents.score([run], months)
    name = "N = %d: " % n
    checks.true(name + "incidents", len(run.incidents) >= 4 * months, len(run.incidents))
    checks.true(name + "recall", score.recall >= 0.9, [i for i in run.incidents if i.delay < 0])
    checks.true(name + "false warnings where nothing happens", run.null_false <= 2, run.null_false)
    checks.true(name + "false warnings beside incidents", run.false <= len(run.incidents) / 4, run.false)
    checks.true(name + "second events", sum(i.again for i in run.incidents) <= 1, [i for i in run.incidents if i.again])
    checks.true(name + "delay over that of a CUSUM that knows", score.ratio <= 2.5, score.ratio)
    back = [i for i in run.incidents if i.kind == "returning scanner" and i.delay >= 0]
    checks.true(name + "who comes back is known", sum(i.resembled > 0 for i in back) * 2 >= len(back), back)


# ---- ChangeFinder, written a second time: numbers as matrices, by Gauss and Jordan with a least solution ----
def solve(a, b):
    """The least-squares solution of least length of a symmetric 2 × 2 system [[p, q], [q, p]]: by its eigenvectors (1, ±1)."""
    p, q = a
    out = [0.0, 0.0]
    for sign in (1, -1):
        value = p + sign * q
        if abs(value) > 1.5e-8 * (abs(p) + abs(q)):
            part = (b[0] + sign * b[1]) / 2 / value
            out[0] += part
            out[1] += sign * part
    return out


def sdar(x, r=0.005):
    mu, c, s, score = 0.0, [0.0] * 3, 0.0, [0.0] * len(x)
    for t in range(2, len(x)):
        mu = (1 - r) * mu + r * x[t]
        c = [(1 - r) * c[j] + r * (x[t] - mu) * (x[t - j] - mu) for j in range(3)]
        w = solve((c[0], c[1]), c[1:])
        guess = mu + sum(w[j] * (x[t - 1 - j] - mu) for j in range(2))
        s = (1 - r) * s + r * (x[t] - guess) ** 2
        score[t] = (math.log(2 * math.pi * s) + (x[t] - guess) ** 2 / s) / 2 if s > 0 else 0.0
    return score


def smooth(x, width):
    return [sum(x[max(0, t - width + 1):t + 1]) / min(t + 1, width) for t in range(len(x))]


def changefinder(x):
    return smooth(sdar(smooth(sdar(x), 10)), 5)


def ported(x):
    done = subprocess.run([incidents.program(), "changefinder"], input="\n".join(map(repr, x)), check=True, stdout=subprocess.PIPE,
                          text=True)
    return [float(v) for v in done.stdout.split()]


def check_changefinder(checks):
    r = random.Random(3)
    x = [r.gauss(1000 if t < 400 else 1600, 80) for t in range(700)]
    mine, theirs = ported(x), changefinder(x)
    checks.equal("ChangeFinder: scores", len(mine), len(theirs))
    far = [(t, a, b) for t, (a, b) in enumerate(zip(mine, theirs)) if t >= 15 and abs(a - b) > 1e-6 * max(1, abs(b))]
    checks.equal("ChangeFinder: where both differ", far[:5], [])
    if not os.path.exists(SAMPLE):
        print("NOT CHECKED: the published 15 alerts of ChangeFinder; their counts (sensor999_count.csv of the authors' repository) "
              "are not at hand: CHANGEFINDER_SAMPLE=file")
        return
    with open(SAMPLE) as f:
        rows = [line.strip().replace('"', "").split(",") for line in f][1:]
    alerts = set()
    for column in (1, 2):
        alerts |= {row[0] for row, score in zip(rows, ported([float(row[column]) for row in rows])) if score > 3}
    checks.equal("ChangeFinder: bins and packets of the sample", (len(rows), sum(int(row[1]) for row in rows)), (432, 27656024))
    checks.equal("ChangeFinder: published alerts", sorted(alerts),
                 ["201906010%d" % t for t in (230, 240, 250, 300, 310)] +
                 ["201906030%d" % t for t in (110, 120, 130, 140, 150, 250, 300, 310, 320, 330)])


def main():
    checks = harness.Checks()
    check_changefinder(checks)
    check_year(checks, 5, 12)
    checks.finish()


main()
