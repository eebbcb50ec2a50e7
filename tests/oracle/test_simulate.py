#!/usr/bin/python3
"""The truth of the simulator against analysis: ten seeds at 1, 5, 256 and 4,096 addresses.

The simulator says what it meant, without any of the code that reads; so both must agree on every total, and the second
implementation (rows.py) on every row. Mutants that this kills: a class left out, a minute lost, a set that counts twice, a
late minute that is not derived again, a victim taken from the wrong side of a quote, sweeps that last longer than those have
that are under way at the beginning.
"""
import hashlib
import ipaddress
import json
import os
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]
import captures
import harness
import rows
import synthetic
import verdicts

# Rows by the second implementation, which is slow, at every size.
BY_ROWS = {(1, 1), (6, 1), (2, 5), (3, 5), (3, 256), (4, 256), (5, 4096)}
# MD5 of captures by (seed, addresses): the same on every machine and by every compiler. A change of a population changes them.
GOLDEN = {(6, 5): "1d6f0bcea3d555f2e751e126fca1140c", (3, 256): "c8c7b0c1fd0fa6561b1bca65a74e493e"}

POPULATIONS = {"sweep", "bots", "brute_force", "exploit", "slow_scan", "split_scan", "attack", "reflection",
               "misconfiguration", "p2p", "spoofed", "flood", "decoys", "v6", "synack_scan", "resets", "stale", "own"}


def classes_of(summary):
    """Classes with packets, reasons summed up."""
    found = {k: sum(v.values()) if isinstance(v, dict) else v for k, v in summary["classes"].items()}
    return {k: n for k, n in found.items() if n}


def check_totals(checks, name, c, made, total):
    run = harness.analyze([made.capture], "--sensor", "sim", "--monitored", c.monitored)
    if not checks.true(name + ": analyze", run.code == 0 and run.out, run.err[-500:]):
        return
    got = run.objects()[0]
    for field in ("packets", "accesses", "attempts", "flows", "victim_seconds", "flow_payloads"):
        checks.equal("%s: %s" % (name, field), got[field], total[field])
    checks.equal(name + ": classes", classes_of(got), total["classes"])
    checks.equal(name + ": says SIMULATED", got["simulated"], True)


def check_sums(checks, name, lines):
    """The totals are the sums of the lines."""
    total, parts = lines[-1], [x for x in lines if "population" in x]
    for field in ("packets", "bytes", "accesses", "unseen"):
        checks.equal("%s: %s of all lines" % (name, field), sum(x[field] for x in parts), total[field])
    checks.equal(name + ": none without room", (total["not_begun"], total["not_sent_again"]), (0, 0))


def address_text(a):
    return str(ipaddress.ip_address(a))


def flow_text(key, row):
    minute, source, proto, port, kind = key
    return tuple(map(str, (minute, address_text(source), port, proto, rows.CLASS_NUMBER[kind] if isinstance(kind, str)
                           else kind, row.packets, row.column("accesses"), len(row.destinations), len(row.attempts), row.bytes,
                           row.length_min, row.length_max, row.ttl_min, row.ttl_max, row.first, row.last, row.tcp_flags)))


def check_rows(checks, name, c, made):
    count = rows.Count("sim", verdicts.Scope(c.monitored.split(","), [], []))
    for frame in captures.read(made.capture):
        count.frame(frame)
    want = synthetic.rows(made)
    flows = sorted(flow_text(k, r) for k, r in count.flows.items())
    victims = sorted(tuple(map(str, (second, address_text(victim), protocol, port, kind) + r.values()[:8]))
                     for (second, victim, kind, protocol, port), r in count.victims.items())
    for table, got in (("flow", flows), ("victim_second", victims)):
        odd = sorted(set(got) ^ set(want.get(table, [])))
        checks.true("%s: rows of %s" % (name, table), got == want.get(table, []), "%d differ, first %r" % (len(odd), odd[:2]))


def check_deterministic(checks, folder):
    c = synthetic.case(6, 5)
    made = [synthetic.make(c, folder, "again%d" % i) for i in range(2)]
    first, second = (open(m.capture, "rb").read() for m in made)
    checks.true("the same seed gives the same bytes", first == second)
    for case, want in GOLDEN.items():
        with open(synthetic.make(synthetic.case(*case), folder, "golden").capture, "rb") as f:
            checks.equal("the same bytes on every machine", hashlib.md5(f.read()).hexdigest(), want)
    for a, b in zip(*map(synthetic.truth, made)):
        checks.equal("the same truth", a, b)
    other = synthetic.make(c._replace(seed=16), folder, "other")
    checks.true("another seed gives others", open(other.capture, "rb").read() != first)


def check_independent(checks, folder):
    """Without one population the others do as before."""
    c = synthetic.case(6, 256)
    less = synthetic.make(c, folder, "less", extra="brute.daily =\np2p.daily = 0\nbackscatter.daily = 0\n")
    more = synthetic.make(c, folder, "more")
    gone = {"brute", "p2p", "backscatter"}
    # Who is still at it when the run ends is told in no order.
    kept = [sorted(json.dumps(x) for x in synthetic.truth(m) if "population" in x and x["population"] not in gone)
            for m in (less, more)]
    checks.equal("a population less changes no other", *kept)


def check_formats(checks, folder):
    c = synthetic.case(2, 256)
    digests = set()
    for form in ("pcapng", "pcap", "pcapng.zst", "pcap.zst"):
        run = harness.analyze([synthetic.make(c, folder, "form", form).capture], "--monitored", c.monitored)
        checks.equal(form + " says SIMULATED", run.total()["simulated"], True)
        digests.add(run.total()["flow_digest"])
    checks.equal("one digest in all formats", len(digests), 1)


def check_level(checks, folder):
    """A week has no step at its start: what is under way then is as much as later. (Seeds are fixed, so it is one number.)"""
    for seed in ("1", "2", "3"):
        path, db = (os.path.join(folder, "week" + part) for part in (".pcap.zst", ".db"))
        shutil.rmtree(db, ignore_errors=True)
        harness.monomi("simulate", "--seed", seed, "--addresses", "198.18.0.0/28", "--from", "2020-01-06", "--to", "2020-01-13",
                       "--out", path)
        harness.analyze([path], "--db", db, "--monitored", "198.18.0.0/28")
        said = harness.monomi("query", "--db", db, "--format", "csv", "SELECT sum(accesses) FROM class_hour GROUP BY hour ORDER BY hour")
        hours = [int(x) for x in said.out.splitlines()[1:]]
        checks.equal("seed %s: hours" % seed, len(hours), 168)
        rest = sum(hours[48:]) / 120
        for name, begin in (("six hours", hours[:6]), ("day", hours[:24]), ("two days", hours[:48])):
            ratio = sum(begin) / len(begin) / rest
            checks.true("seed %s: the first %s" % (seed, name), 0.88 < ratio < 1.12, "%.3f" % ratio)


def main():
    checks = harness.Checks()
    seen = set()
    with harness.scratch() as folder:
        for n in synthetic.SIZES:
            for seed in synthetic.SEEDS:
                c, name = synthetic.case(seed, n), "seed %d, %d addresses" % (seed, n)
                made = synthetic.make(c, folder)
                lines = synthetic.truth(made)
                seen |= {x["kind"] for x in lines}
                check_sums(checks, name, lines)
                check_totals(checks, name, c, made, lines[-1])
                if (seed, n) in BY_ROWS:
                    check_rows(checks, name, c, made)
        checks.equal("populations that had a part", POPULATIONS - seen, set())
        check_deterministic(checks, folder)
        check_independent(checks, folder)
        check_formats(checks, folder)
        check_level(checks, folder)
    checks.finish()


main()
