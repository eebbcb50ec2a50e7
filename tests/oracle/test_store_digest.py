#!/usr/bin/python3
"""The same segments give the same store: `monomi digest --db` after any order, any grouping into runs, any number of
shards, with late segments, duplicates, packets out of order and a sensor whose clock jumps, equals what `monomi analyze`
says of all files together (DESIGN sections 3 and 7, invariant 2). The rows themselves are held to a second
implementation by test_flows.py.

Kills the mutants in ../fault/mutants/store_digest-*.patch.
"""
import os
import random
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", part) for part in ("oracle", "lib", "golden")]
import captures
import compare
import harness
import store
import trace

TABLES = {"flow": "flow_digest", "victim_second": "victim_second_digest", "flow_payload": "flow_payload_digest",
          "source_evidence": "source_evidence_digest"}
TRACE = int(os.environ.get("MONOMI_TRACE_PACKETS", "1000000")) // 50


def wanted(files, *options):
    """Digest by table of these files' packets as one."""
    total = harness.analyze(files, "--sensor", compare.SENSOR, *options).total()
    return {table: total[field] for table, field in TABLES.items()}


def stored(checks, name, folder, runs, *options):
    """Digest by table after these runs, each a list of files, into a new store; the store is checked."""
    db = os.path.join(folder, "db")
    shutil.rmtree(db, ignore_errors=True)
    for files in runs:
        done = store.analyze(db, files, "--sensor", compare.SENSOR, *options)
        checks.equal("%s: stored" % name, (done.code, done.err), (0, ""))
    good, said = store.check(db)
    checks.true("%s: checked" % name, good, said)
    return store.digests(db)


def check(checks, name, folder, want, runs, *options):
    got = stored(checks, name, folder, runs, *options)
    checks.equal(name, {t: got.get(t) for t in TABLES}, want)


def groupings(files, rng):
    """Ways to hand the same files to runs: all at once, each alone, in random orders and groups, some of them twice."""
    yield "in one run", [files]
    yield "each in a run", [[f] for f in files]
    yield "backwards", [[f] for f in files[::-1]]
    for i in range(2):
        mixed = rng.sample(files, len(files))
        cuts = sorted(rng.sample(range(1, len(mixed)), min(3, len(mixed) - 1)))
        yield "mixed %d" % i, [mixed[a:b] for a, b in zip([0] + cuts, cuts + [len(mixed)])]
    doubled = files + rng.sample(files, len(files) // 2)
    rng.shuffle(doubled)
    yield "some twice, in other runs", [[f] for f in doubled]
    yield "some twice, in one run", [doubled]


def parts(folder, name, frames, n, rng):
    """The frames in n files, cut anywhere."""
    cuts = sorted(rng.sample(range(1, len(frames)), n - 1))
    files = []
    for i, (a, b) in enumerate(zip([0] + cuts, cuts + [len(frames)])):
        files.append(store.write(folder, "%s-%d.pcap" % (name, i), frames[a:b]))
    return files


def several_ways(checks, name, folder, frames, rng, n=6):
    """One set of packets, however it comes: files, orders, shards."""
    whole = store.write(folder, name + ".pcap", frames)
    want = wanted([whole])
    check(checks, "%s: whole" % name, folder, want, [[whole]])
    files = parts(folder, name, frames, n, rng)
    for i, (way, runs) in enumerate(groupings(files, rng)):
        check(checks, "%s, %d parts, %s" % (name, n, way), folder, want, runs, "--shards", (1, 2, 7)[i % 3])
    shuffled = store.write(folder, name + "-shuffled.pcap", rng.sample(frames, len(frames)))
    check(checks, "%s: packets shuffled" % name, folder, want, [[shuffled]], "--shards", 2)
    hands = [store.write(folder, "%s-hand-%d.pcap" % (name, i), frames[i::3]) for i in range(3)]
    check(checks, "%s: dealt to three files, each over all minutes" % name, folder, want, [[h] for h in hands])
    for path in files + hands + [whole, shuffled]:
        os.unlink(path)


def generated(checks, folder, rng):
    path = trace.trace(checks, TRACE)
    if path:
        several_ways(checks, "trace", folder, list(captures.read(path)), rng)


def small_minutes(checks, folder, rng):
    """Every kind of packet over a midnight, IPv6 and victims among them."""
    several_ways(checks, "midnight", folder, store.frames(3, -400, 400, 600), rng)


def jumping_clock(checks, folder, rng):
    """A sensor whose clock goes back, stands still, and is years off for a while: rows are where the packets say."""
    base = store.frames(4, 0, 600, 240)
    day = 86400 * store.NS
    moved = [f._replace(ts=f.ts + (0, -day, 0, 400 * day, -3600 * store.NS, 0)[i // 40]) for i, f in enumerate(base)]
    several_ways(checks, "clock that jumps", folder, moved, rng, 5)
    early = [f._replace(ts=(i - 60) * 2 * store.NS) for i, f in enumerate(base[:120])]
    path = os.path.join(folder, "early.pcapng")
    captures.write_pcapng(path, early, offset=-400)
    check(checks, "both sides of 1970", folder, wanted([path]), [[path], [path]])


def encodings(checks, folder):
    """Compressed, the same segment: it is known. In another format: another segment, which counts."""
    frames = store.frames(5, 0, 100, 50)
    path = store.write(folder, "plain.pcap", frames)
    packed = path + ".gz"
    with open(packed, "wb") as out:
        subprocess.run(["gzip", "-nc", path], stdout=out, check=True)
    check(checks, "a file and its compressed form are one segment", folder, wanted([path]), [[path], [packed]])
    other = os.path.join(folder, "other.pcapng")
    captures.write_pcapng(other, frames)
    check(checks, "another format is another segment", folder, wanted([path, other]), [[path, other]])


def two_sensors(checks, folder):
    """The same packets at two sensors are two sensors' packets."""
    path = store.write(folder, "shared.pcap", store.frames(6, 0, 100, 50))
    db = os.path.join(folder, "two")
    alone = []
    for sensor in ("alpha", "beta"):
        one = os.path.join(folder, sensor)
        checks.equal("%s: alone" % sensor, store.analyze(one, [path], "--sensor", sensor).code, 0)
        checks.equal("%s: beside the other" % sensor, store.analyze(db, [path], "--sensor", sensor).code, 0)
        alone.append(store.digests(one))
    both = {t: "%032x" % ((int(alone[0][t], 16) + int(alone[1][t], 16)) % (1 << 128)) for t in TABLES}
    checks.equal("two sensors: the sum of each", {t: store.digests(db).get(t) for t in TABLES}, both)


def real(checks, folder, rng):
    """Every real capture that is whole, once by content, in one store: three orders."""
    seen, files = set(), []
    for path in harness.captures(checks):
        if os.path.getsize(path) > 4 << 20:
            continue
        run = harness.analyze([path], "--sensor", compare.SENSOR)
        name = run.objects()[0].get("segment") if run.code == 0 else None
        if name and name not in seen:
            seen.add(name)
            files.append(path)
    if not files:
        return
    checks.true("many captures", len(files) > 100, str(len(files)))
    want = wanted(files)
    for name, n in ("in one run", 1), ("in 7 runs", 7), ("in 23 runs", 23):
        mixed = rng.sample(files, len(files))
        check(checks, "%d real captures %s" % (len(files), name), folder, want, [mixed[i::n] for i in range(n)])


def main():
    checks = harness.Checks()
    rng = random.Random(20261124)
    with harness.scratch() as folder:
        encodings(checks, folder)
        two_sensors(checks, folder)
        small_minutes(checks, folder, rng)
        jumping_clock(checks, folder, rng)
        generated(checks, folder, rng)
        real(checks, folder, rng)
    checks.finish()


if __name__ == "__main__":
    main()
