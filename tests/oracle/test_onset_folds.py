#!/usr/bin/python3
"""Onsets of a store against those of onset-run, which gives the rows of the same simulated packets to the early mode one
after the other: who, when raised, with how much evidence, and what it came to. The store gets its packets at once; in pieces
that share their minutes, in any order; and in the order of time, a run each, over a midnight.
"""
import collections
import csv
import io
import os
import random
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]
import captures
import harness
import onsets

FROM, HOURS, PREFIX, SILENCE = 1590962400, 9, "198.18.16.0/22", 7200  # 2020-05-31T22:00:00Z: over a midnight, and longer than two silences
PARAMS = dict(onsets.OFF, **{
    "backscatter.daily": 12000, "backscatter.rate_least": 500, "backscatter.rate_most": 20000,
    "backscatter.duration_most": 9000, "synack.daily": 300, "resets.daily": 600, "stale.daily": 60,
    # Who answers a few of our own hosts: an onset, until no other host comes.
    "own.daily": 600, "own.hosts": 6, "own.servers": 60})


def onset_rows(db):
    run = harness.monomi("query", "--db", db, "--format", "csv", "--param", "since=2020-01-01", "--param", "until=2021-01-01",
                         "--param", "limit=100000", "onsets")
    if run.code:
        raise AssertionError(run.err)
    return [dict(r, raised=int(r["raised"]), settled=int(r["settled"] or 0)) for r in csv.DictReader(io.StringIO(run.out))]


def seconds_of(db):
    """When there were replies, by victim."""
    run, out = harness.monomi("query", "--db", db, "--format", "csv", "SELECT DISTINCT victim, epoch(second)::BIGINT FROM victim_second "
                              "ORDER BY ALL"), collections.defaultdict(list)
    for victim, second in list(csv.reader(io.StringIO(run.out)))[1:]:
        out[victim].append(int(second))
    return out


def check_silence(checks, name, rows, seconds):
    """Two hours after a reply, in which there was none."""
    for row in rows:
        if row["outcome"] == "silent":
            last = [s for s in seconds[row["victim"]] if s <= row["settled"]][-1]
            checks.equal("%s: %s fell silent" % (name, row["victim"]), row["settled"], last + SILENCE)


def check(checks, name, rows, victims):
    """Each victim's onsets; of several the first is held to the second, and how many there are."""
    by_victim = collections.defaultdict(list)
    for row in sorted(rows, key=lambda r: r["raised"]):
        by_victim[row["victim"]].append(row)
    raised = {who: v for who, v in victims.items() if v.onset}
    checks.equal("%s: who" % name, sorted(by_victim), sorted(raised))
    for who in set(by_victim) & set(raised):
        v, mine = raised[who], by_victim[who]
        checks.equal("%s: %s, how often and when" % (name, who), (len(mine), mine[0]["raised"]), v.raised[onsets.SHIPPED])
        confirmed = [r["settled"] for r in mine if r["outcome"] == "confirmed"]
        contradicted = [r["settled"] for r in mine if r["outcome"] == "contradicted"]
        checks.equal("%s: %s, outcomes" % (name, who), (confirmed[:1] or [0], contradicted[-1:] or [0]),
                     ([v.confirmed], [v.contradicted]))
        if not v.confirmed and not v.contradicted:
            checks.equal("%s: %s, evidence" % (name, who), float(mine[0]["evidence_bits"]), float(v.evidence))
            quiet = [r for r in mine if r["outcome"] == "silent"]
            checks.true("%s: %s, silence is two hours" % (name, who),
                        len(quiet) + ("under watch" == mine[-1]["outcome"]) == len(mine), mine)
            checks.true("%s: %s, no earlier than silence was" % (name, who), not quiet or quiet[-1]["settled"] <= v.silent, mine)


def cut(frames, folder, pieces, mixed):
    n, files = -(-len(frames) // pieces), []
    for i in range(pieces):
        files.append(os.path.join(folder, "piece%d.pcapng" % i))
        captures.write_pcapng(files[-1], frames[i::pieces] if mixed else frames[i * n:(i + 1) * n])
    return files


def main():
    checks = harness.Checks()
    ran = onsets.run(7, 22, 0, PARAMS, keep=True, at=(PREFIX, FROM, FROM + HOURS * 3600))
    with harness.scratch() as folder:
        params, made = os.path.join(folder, "params"), os.path.join(folder, "made.pcapng")
        with open(params, "w", encoding="utf-8") as f:
            f.write(onsets.text(PARAMS))
        run = harness.monomi("simulate", "--seed", "7", "--addresses", PREFIX, "--from", str(FROM), "--to", str(FROM + HOURS * 3600),
                             "--params", params, "--out", made)
        checks.equal("simulate", run.code, 0)
        frames = list(captures.read(made))
        seen = {}
        for name, pieces, mixed in (("at once", 1, False), ("in any order", 5, True), ("in the order of time", 8, False)):
            files = cut(frames, folder, pieces, mixed)
            if mixed:
                random.Random(3).shuffle(files)
            db = os.path.join(folder, "db " + name)
            for path in files:
                run = harness.monomi("analyze", "--db", db, "--monitored", PREFIX, path)
                checks.true("%s: analyze" % name, run.code == 0, run.err[-300:])
            seen[name] = onset_rows(db)
            check(checks, name, seen[name], ran.victims)
            check_silence(checks, name, seen[name], seconds_of(db))
        outcomes = collections.Counter(r["outcome"] for r in seen["at once"])
        checks.true("all outcomes are there: %r" % outcomes, len(outcomes) == 4 and outcomes["confirmed"] > 5, outcomes)
        for name in seen:
            odd = [r for r in seen[name] if r not in seen["at once"]]
            checks.true("%s: the same rows" % name, seen[name] == seen["at once"], "others: %r" % odd[:3])
    checks.finish()


if __name__ == "__main__":
    main()
