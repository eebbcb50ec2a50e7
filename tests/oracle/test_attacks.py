#!/usr/bin/python3
"""Attacks by our own rules: incidents of a store against those that a second implementation finds in the packets of simulated
telescopes: who, when, how many replies, how many of them distinct, and the verdict of DEFINITIONS 1. Distinct replies and
verdicts are exact where all pairs are at rest; else the estimate must lie in its bounds, and the verdict is exact too where one
second tells that there were ten addresses.
"""
import collections
import csv
import datetime
import io
import ipaddress
import os
import random
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]
import captures
import harness
import packets
import synthetic
import verdicts

FLOODS = "backscatter.rate_least = 2000\nbackscatter.rate_most = 20000\nbackscatter.daily = 3000\n"
NS, IDLE, LEAST, SAMPLE, IN_SECOND = 1000000000, 600, 10, 64, 8


def replies(frames, scope):
    found = collections.defaultdict(list)
    for frame in frames:
        p = packets.decode(frame)
        if p.src and verdicts.judge(p, scope).kind == "backscatter" and verdicts.victim(p):
            (victim, kind, protocol, port), forged = verdicts.victim(p)
            found[victim].append((p.ts // NS, protocol, kind, port, (p.dst, forged)))
    return found


def incidents(found):
    for victim, seen in found.items():
        seen.sort()
        cuts = [0] + [i for i in range(1, len(seen)) if seen[i][0] - seen[i - 1][0] > IDLE] + [len(seen)]
        for a, b in zip(cuts, cuts[1:]):
            yield str(ipaddress.ip_address(victim)), seen[a:b]


def verdict(seen, monitored):
    by_vector = collections.Counter((kind, protocol, port) for _, protocol, kind, port, _ in seen)
    kind, protocol, _ = by_vector.most_common(1)[0][0]
    pairs = {s[4] for s in seen}
    addresses, ports = len({a for a, _ in pairs}), len({p for _, p in pairs})
    attacked = len({s[3] for s in seen})
    udp = kind == 3 and protocol == 17
    if udp and addresses <= 3:
        return "reflection"
    if addresses < 10 or udp and monitored < 64:
        return "undecided"
    if kind == 3 and not udp:
        return "attack"
    if ports <= 3:
        return "scan" if attacked > 3 else "undecided"
    return "attack" if attacked <= 3 else "undecided"


def rows_of(seen):
    a_row = collections.defaultdict(set)
    for second, protocol, kind, port, pair in seen:
        a_row[second, protocol, kind, port].add(pair)
    return a_row.values()


def exact(seen):
    return max(map(len, rows_of(seen))) <= IN_SECOND and len({s[4] for s in seen}) <= SAMPLE


def certain(seen):
    """Ten addresses in one second, however few pairs were kept; of ports these cannot but tell whether they are few."""
    most = max(len({address for address, _ in pairs}) for pairs in rows_of(seen))
    ports = len({port for _, port in {s[4] for s in seen}})
    return most >= 10 and (ports <= 3 or ports >= most // 2)


def stored(db, since="2020-01-01", until="2021-01-01"):
    run = harness.monomi("query", "--db", db, "--format", "csv", "--param", "since=" + since, "--param", "until=" + until,
                         "--param", "limit=100000", "attacks")
    if run.code:
        raise AssertionError(run.err)
    return list(csv.DictReader(io.StringIO(run.out)))


def moment(text):
    return int(datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc).timestamp())


def check(checks, name, db, found, monitored):
    got = {(r["victim"], moment(r["first"])): r for r in stored(db)}
    seen_verdicts, estimates = collections.Counter(), 0
    for victim, seen in incidents(found):
        row, distinct = got.pop((victim, seen[0][0]), None), len({s[4] for s in seen})
        if exact(seen):
            if not checks.equal("%s: %s is told" % (name, victim), row is not None, distinct >= LEAST) or not row:
                continue
            checks.equal("%s: %s, distinct" % (name, victim), float(row["distinct_forged"]), float(distinct))
            checks.equal("%s: %s, verdict" % (name, victim), row["verdict"], verdict(seen, monitored))
            seen_verdicts[row["verdict"]] += 1
        elif checks.true("%s: %s is told" % (name, victim), row or distinct < 2 * LEAST) and row:
            estimates += 1
            if certain(seen):
                checks.equal("%s: %s, verdict of many" % (name, victim), row["verdict"], verdict(seen, monitored))
                seen_verdicts["many"] += 1
            checks.true("%s: %s, about as many" % (name, victim), 0.6 < float(row["distinct_forged"]) / distinct < 1.6,
                        "%s for %d" % (row["distinct_forged"], distinct))
        if row:
            checks.equal("%s: %s, last and packets" % (name, victim), (moment(row["last"]), int(row["packets"])),
                         (seen[-1][0], len(seen)))
    checks.equal(name + ": no others", sorted(got), [])
    checks.true(name + ": attacks of both sorts", seen_verdicts["attack"] > 3 and estimates > 3 and seen_verdicts["many"], "%s" % ((seen_verdicts, estimates),))


def dense(checks, folder):
    """A real flood of 9 s, of which 8 pairs a second are at rest."""
    path, db = os.path.join(harness.CAPTURES, "real-tools", "backscatter_synflood_80.pcap"), os.path.join(folder, "dense")
    if not os.path.exists(path):
        checks.skip("captures absent")
        return
    run = harness.monomi("analyze", "--db", db, path)
    checks.equal("dense: analyze", run.code, 0)
    ((victim, seen),) = incidents(replies(captures.read(path), verdicts.Scope([])))
    checks.true("dense: all is known of it", certain(seen) and not exact(seen))
    checks.equal("dense: verdict", [(r["victim"], r["verdict"]) for r in stored(db, "2026-11-24", "2026-11-25")],
                 [(victim, verdict(seen, 0))])
    checks.equal("dense: it is an attack", verdict(seen, 0), "attack")


def main():
    checks = harness.Checks()
    with harness.scratch() as folder:
        dense(checks, folder)
        c, db = synthetic.case(2, 256), os.path.join(folder, "db")
        made = synthetic.make(c, folder, rows=False, extra=FLOODS)
        # Over a midnight: 2020-06-01 goes on after ten minutes.
        frames = [f._replace(ts=f.ts - 600 * NS) for f in captures.read(made.capture)]
        found = replies(frames, verdicts.Scope(c.monitored.split(",")))
        whole = os.path.join(folder, "whole.pcapng")
        captures.write_pcapng(whole, frames)
        run = harness.monomi("analyze", "--db", db, "--monitored", c.monitored, whole)
        if checks.equal("analyze", (run.code, run.err), (0, "")):
            check(checks, "over midnight", db, found, 256)
        once = stored(db)
        shutil.rmtree(db)
        pieces = [frames[a::5] for a in range(5)]
        random.Random(1).shuffle(pieces)
        for i, piece in enumerate(pieces):
            path = os.path.join(folder, "piece%d.pcapng" % i)
            captures.write_pcapng(path, piece)
            harness.monomi("analyze", "--db", db, "--monitored", c.monitored, path)
        checks.equal("the same in five runs, each with every fifth packet", stored(db), once)
    checks.finish()


if __name__ == "__main__":
    main()
