#!/usr/bin/python3
"""Attacks by the definitions of corsaro 2 and 3: `rsdos-corsaro2` and `rsdos-corsaro3` of a store give what a second
implementation finds in the packets: on simulated telescopes, the generated trace and every real capture.

A store that got its packets in many files in any order, over several runs, across midnights, must hold the same attacks as one
that got them at once. The whole trace of gen.c, with its 173 victims: MONOMI_TRACE_PACKETS=10000000.
"""
import csv
import io
import os
import random
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]
import captures
import harness
import packets
import rsdos
import synthetic
import trace
import udp
import verdicts

NUMBERS = {"tcp": 6, "udp": 17, "icmp": 1}
FULL = int(os.environ.get("MONOMI_TRACE_PACKETS", "1000000"))
DAY = 86400
NS = 1000000000
FLOODS = "backscatter.rate_least = 2000\nbackscatter.rate_most = 20000\nbackscatter.daily = 4000\n"


def stored(db, corsaro):
    run = harness.monomi("query", "--db", db, "--format", "csv", "rsdos-corsaro%d" % corsaro)
    if run.code:
        raise AssertionError(run.err)
    return sorted(rsdos.Attack(r["victim"], NUMBERS.get(r["protocol"]) or int(r["protocol"]), int(r["first"]), int(r["last"]),
                               int(r["packets"]), int(r["bytes"]), int(r["max_ppm"]))
                  for r in csv.DictReader(io.StringIO(run.out)))


def analyze(checks, name, db, files, *options):
    run = harness.monomi("analyze", "--db", db, "--summary", "json", *options, *files)
    return checks.true(name + ": analyze --db", run.code in (0, 1) and not run.crashed, run.err[-500:])


def compare(checks, name, db, found):
    """How many attacks there are, by either definition."""
    counts = []
    for corsaro in (2, 3):
        want, got = rsdos.attacks(found, corsaro), stored(db, corsaro)
        odd = sorted(set(want) ^ set(got))
        checks.true("%s: corsaro %d, %d attacks" % (name, corsaro, len(want)), want == got, "%d found, first that differ %r" %
                    (len(got), odd[:3]))
        counts.append(len(want))
    return counts


def simulated(checks, folder):
    seen = 0
    for n, seed in ((256, 1), (4096, 7)):
        c, db = synthetic.case(seed, n), os.path.join(folder, "db")
        made = synthetic.make(c, folder, rows=False, extra=FLOODS)
        name = "seed %d, %d addresses" % (seed, n)
        if not analyze(checks, name, db, [made.capture], "--monitored", c.monitored):
            continue
        found = list(rsdos.replies(captures.read(made.capture), verdicts.Scope(c.monitored.split(","))))
        seen += sum(compare(checks, name, db, found))
        shutil.rmtree(db)
    checks.true("simulated telescopes see attacks", seen > 20, seen)


def generated(checks, folder):
    path = trace.trace(checks, FULL)
    if not path:
        return
    db = os.path.join(folder, "db")
    if analyze(checks, "trace", db, [path]):
        two, three = compare(checks, "trace of %d packets" % FULL, db, list(rsdos.replies(rsdos.likely(captures.read(path)))))
        print("trace of %d packets: %d and %d attacks" % (FULL, two, three))
        checks.true("trace: as many as are known", FULL != 10000000 or two == 173, two)
    shutil.rmtree(db)


def readable(path):
    """The frames of a capture, where the oracle knows all that is in it; else none."""
    frames = captures.frames_of(path)
    odd = any(p.l4 and p.proto == packets.UDP and udp.beyond(p) for p in map(packets.decode, frames))
    return [] if odd or "decode-nsh" in path or not {f.link for f in frames} <= packets.READABLE_LINKS else frames


def real(checks, folder):
    """All captures in one store, where those of one time meet."""
    files, found, db = [], [], os.path.join(folder, "db")
    for path in harness.captures(checks):
        frames = readable(path)
        if frames:
            files.append(path)
            found += rsdos.replies(frames)
    if not files or not analyze(checks, "captures", db, files):
        return
    compare(checks, "%d captures" % len(files), db, found)
    shutil.rmtree(db)


def in_any_order(checks, folder):
    """Floods over two midnights, cut into files by time and packet, given in any order over several runs."""
    made = synthetic.make(synthetic.case(2, 256), folder, rows=False, extra=FLOODS)
    frames = [f._replace(ts=f.ts + (DAY - 600) * NS) for f in captures.read(made.capture)]
    far = [f._replace(ts=f.ts + DAY * NS) for f in frames[:len(frames) // 2]]
    frames = sorted(frames + far)
    found = list(rsdos.replies(rsdos.likely(frames), verdicts.Scope(["198.18.7.0/24"])))
    for seed in range(2):
        rng, db = random.Random(seed), os.path.join(folder, "db")
        cuts = [0] + sorted(rng.randrange(len(frames)) for _ in range(4)) + [len(frames)]
        pieces = [frames[a:b] for a, b in zip(cuts, cuts[1:])]
        pieces += [pieces[0][::2], pieces.pop(0)[1::2]] # these share minutes
        files = []
        for i, piece in enumerate(pieces):
            files.append(os.path.join(folder, "piece%d.pcapng" % i))
            captures.write_pcapng(files[-1], piece)
        rng.shuffle(files)
        while files:
            n = rng.randrange(1, 4)
            analyze(checks, "pieces", db, files[:n], "--monitored", "198.18.7.0/24")
            files = files[n:]
        counts = compare(checks, "pieces in any order, %d" % seed, db, found)
        checks.true("they are attacks", min(counts) > 20, counts)
        shutil.rmtree(db)


def main():
    checks = harness.Checks()
    with harness.scratch() as folder:
        simulated(checks, folder)
        in_any_order(checks, folder)
        generated(checks, folder)
        real(checks, folder)
    checks.finish()


if __name__ == "__main__":
    main()
