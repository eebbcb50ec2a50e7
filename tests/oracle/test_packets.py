#!/usr/bin/python3
"""`monomi packets` gives exactly the packets that make up a row: analysed by themselves they make that one row, and the
digests of all rows so made add up to the store's. A segment that is gone, or is another file now, is told.

Killed mutants: the class not looked at, `to` included, ICMP's code not looked at, the name of the segment not checked.
"""
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", part) for part in ("lib", "golden")]
import harness
import make_captures
import stores

SENSOR = "roof"
MODULO = 1 << 128


def selectors(row):
    """The key of a row of flow as options of `packets`."""
    given = ["--minute", row["minute"].replace(" ", "T"), "--sensor", row["sensor"], "--source", row["source"],
             "--protocol", row["protocol"], "--class", row["class"]]
    if row["port"] is not None:
        given += ["--port", row["port"]]
    if row["icmp_type"] is not None:
        given += ["--type", "%d/%d" % (row["icmp_type"], row["icmp_code"])]
    return given


def packets(db, out, *options):
    return harness.monomi("packets", "--db", db, "--out", out, *options)


def rows_are_their_packets(checks, name, folder, capture, options):
    db, out = os.path.join(folder, name + ".db"), os.path.join(folder, "row.pcapng")
    whole = harness.analyze([capture], "--db", db, "--sensor", SENSOR, *options).total()
    rows = stores.query(db, "SELECT * FROM flow")
    checks.equal("%s: rows" % name, len(rows), whole["flows"])
    digest = 0
    for row in rows:
        done = packets(db, out, *selectors(row))
        checks.equal("%s: %s: exit" % (name, row["source"]), (done.code, done.err), (0, ""))
        alone = harness.analyze([out], "--sensor", SENSOR, *options).total()
        told = [alone[k] for k in ("packets", "accesses", "attempts", "flows")]
        checks.equal("%s: %s port %s" % (name, row["source"], row["port"]), told,
                     [row["packets"], row["accesses"], row["attempts"], 1])
        digest = (digest + int(alone["flow_digest"], 16)) % MODULO
    checks.equal("%s: all rows together" % name, "%032x" % digest, whole["flow_digest"])
    return db


def lost(checks, folder, capture):
    """Two segments, one of which is moved away, then replaced."""
    db, out = os.path.join(folder, "lost.db"), os.path.join(folder, "lost.pcapng")
    first, second = os.path.join(folder, "first.pcap"), os.path.join(folder, "second.pcap")
    frames = make_captures.small()
    make_captures.captures.write_pcap(first, frames[:9])
    make_captures.captures.write_pcap(second, frames[9:])
    harness.analyze([first, second], "--db", db)
    both = packets(db, out)
    checks.equal("both: exit", (both.code, both.err), (0, ""))
    every = harness.analyze([out]).total()["packets"]
    os.rename(second, second + ".away")
    done = packets(db, out)
    checks.equal("moved away: exit", done.code, 1)
    checks.true("moved away: one sentence", done.err.count("\n") == 1 and "MON-DMN-010" in done.err, done.err)
    checks.true("moved away: the others are there", 0 < harness.analyze([out]).total()["packets"] < every)
    shutil.copy(first, second)
    done = packets(db, out)
    checks.equal("replaced: exit", done.code, 1)
    checks.true("replaced: one sentence", done.err.count("\n") == 1 and "MON-DMN-010" in done.err, done.err)
    os.replace(second + ".away", second)
    checks.equal("back again: exit", packets(db, out).code, 0)


def piped(checks, folder, capture):
    """A pipe takes the packets; a limit holds."""
    db = os.path.join(folder, "piped.db")
    harness.analyze([capture], "--db", db)
    done = subprocess.run([harness.MONOMI, "packets", "--db", db, "--limit", "5"], capture_output=True, check=False)
    checks.equal("pipe: exit", (done.returncode, done.stderr), (0, b""))
    checks.equal("pipe: limit", harness.monomi("analyze", "--summary", "json", "-", data=done.stdout).total()["packets"], 5)


def main():
    checks = harness.Checks()
    with harness.scratch() as folder:
        small = os.path.join(folder, "small.pcap")
        make_captures.captures.write_pcap(small, make_captures.small())
        for name, capture, options in (
                ("small", small, []), ("monitored", small, ["--monitored", "198.51.100.0/24,2001:db8:1::/48"]),
                ("filter", small, ["--filter", "ip and not port 22", "--decapsulate"]),
                ("scans", os.path.join(harness.SOURCE_DIR, "samples", "scans.pcap"), ["--own", "198.18.63.5"])):
            rows_are_their_packets(checks, name, folder, capture, options)
        lost(checks, folder, small)
        piped(checks, folder, small)
    checks.finish()


main()
