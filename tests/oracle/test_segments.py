#!/usr/bin/python3
"""Same segments, same digest: whatever the order in which files come, how they are grouped into runs, how often, by how many
shards and with how little memory, a store's rows are those of all packets read as one. With segments that meet in minutes,
packets out of order, a clock that jumps a year and back, and one file of standard input.

Killed mutants: ../fault/mutants/segments-*.patch.
"""
import os
import random
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", part) for part in ("oracle", "lib")]
import harness
import store

YEAR = 365 * 86400
ROWS = (("flow", "flow_digest", "flows"), ("flow_payload", "flow_payload_digest", "flow_payloads"),
        ("victim_second", "victim_second_digest", "victim_seconds"),
        ("source_evidence", "source_evidence_digest", "source_evidence"))


def segments(folder):
    """Files whose minutes meet, at midnight too; the last two are out of order."""
    spans = ((-130, -20), (-40, 70), (65, 200), (130, 135), (190, 420), (3590, 3700))
    files = [store.write(folder, "s%d.pcap" % i, store.frames(i, *span, count=80)) for i, span in enumerate(spans)]
    jump = store.frames(20, 10, 60, 30) + store.frames(21, YEAR, YEAR + 90, 30) + store.frames(22, 60, 100, 30) + \
        store.frames(23, -YEAR, -YEAR + 60, 30) + store.frames(24, 0, 30, 30)
    files.append(store.write(folder, "jump.pcap", jump))
    mixed = store.frames(30, 300, 1300, 200)
    random.Random(7).shuffle(mixed)
    files.append(store.write(folder, "mixed.pcap", mixed))
    return files


def wanted(files):
    total = harness.analyze(files).total()
    return "".join("%-16s %s %d\n" % (table, total[digest], total[rows]) for table, digest, rows in ROWS)


def groups(rng, files):
    """The files in some order, cut into runs."""
    files = files[:]
    rng.shuffle(files)
    out = []
    while files:
        n = rng.randrange(1, len(files) + 1)
        out.append(files[:n])
        files = files[n:]
    return out


def rolled_up(checks, name, db):
    """Rollups are what the rows come to, key by key."""
    sums = "sum(packets), sum(accesses), sum(attempts), sum(bytes)"
    for table, keys, of_rows in (
            ("class_hour", "day, sensor, hour, protocol, class, band",
             "day, sensor, floor(minute / 60)::INTEGER, protocol, class, band_of(protocol, port)"),
            ("port_day", "day, sensor, protocol, port, class", "day, sensor, protocol, port, class")):
        rolled = "SELECT %s, %s, sum(flows) FROM %s GROUP BY %s" % (keys, sums, table, keys)
        rows = "SELECT %s, %s, count(*) FROM (SELECT * EXCLUDE source FROM flow4 UNION ALL SELECT * EXCLUDE source FROM flow6)" \
            " GROUP BY %s" % (of_rows, sums, of_rows)
        run = harness.monomi("query", "--db", db, "--format", "csv", "SELECT (SELECT count(*) FROM (%s)) > 0, (SELECT count(*) "
                             "FROM (%s EXCEPT %s)), (SELECT count(*) FROM (%s EXCEPT %s))" % (
                                 rolled, rolled, rows, rows, rolled))
        checks.equal("%s: %s is the sum of rows" % (name, table), run.out.splitlines()[1:], ["true,0,0"] if run.code == 0
                     else run.err)


def any_order(checks, folder, files, want):
    rng = random.Random(11)
    for turn in range(8):
        db = os.path.join(folder, "order%d" % turn)
        options = ("--shards", rng.choice((1, 2, 5)), "--memory", rng.choice(("464M", "1G")))
        told = []
        for group in groups(rng, files):
            again = rng.sample(files, 2)  # some are there already, some come again later, some twice in one run
            run = store.analyze(db, group + again, *options)
            checks.equal("%s: exit" % group, (run.code, run.err), (0, ""))
            told += [o["stored"] for o in run.objects()[:-1]]
        checks.equal("order %d, each is added once" % turn, told.count("added"), len(files))
        checks.equal("order %d" % turn, store.digest(db), want)
        rolled_up(checks, "order %d" % turn, db)


def standard_input(checks, folder, files, want):
    db = os.path.join(folder, "stream")
    for i, path in enumerate(files):
        if i % 2:
            run = store.analyze(db, [path])
        else:
            with open(path, "rb") as f:
                run = store.analyze(db, ["-"], data=f.read())
        checks.equal("%s of a stream or not" % path, (run.code, run.objects()[0]["stored"]), (0, "added"))
    checks.equal("with streams", store.digest(db), want)


def too_late(checks, folder):
    """A stored segment that is gone, or another file now: what shares minutes with it is refused whole."""
    first = store.write(folder, "first.pcap", store.frames(41, 0, 100))
    second = store.write(folder, "second.pcap", store.frames(42, 90, 200))
    apart = store.write(folder, "apart.pcap", store.frames(43, 600, 700))
    db = os.path.join(folder, "late")
    store.analyze(db, [first])
    kept = open(first, "rb").read()
    for name, change in (("gone", None), ("another", kept[:-1] + bytes((kept[-1] ^ 1,)))):
        os.unlink(first)
        if change:
            with open(first, "wb") as f:
                f.write(change)
        before = store.digest(db)
        run = store.analyze(db, [second])
        checks.equal("%s: refused" % name, (run.code, run.objects()[0]["stored"]), (1, "refused"))
        checks.true("%s: says which" % name, "MON-DMN-006" in run.out and "first.pcap" in run.out, run.out)
        checks.equal("%s: nothing of it is there" % name, store.digest(db), before)
        with open(first, "wb") as f:
            f.write(kept)
    other = store.analyze(db, [second], "--own", "192.0.2.1")
    checks.equal("other options: refused", (other.code, other.objects()[0]["stored"]), (1, "refused"))
    run = store.analyze(db, [apart, second])
    checks.equal("back again", [o["stored"] for o in run.objects()[:-1]], ["added", "added"])
    checks.equal("as if nothing had been", store.digest(db), wanted([first, second, apart]))


def main():
    checks = harness.Checks()
    with harness.scratch() as folder:
        files = segments(folder)
        want = wanted(files)
        any_order(checks, folder, files, want)
        standard_input(checks, folder, files, want)
        too_late(checks, folder)
    checks.finish()


main()
