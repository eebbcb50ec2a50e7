#!/usr/bin/python3
"""The truth of the simulator against a store: every row of flow, victim_second and flow_payload, for ten seeds at 1, 5, 256 and
4,096 addresses, as `monomi query` gives them back.

In some cases the capture is dealt out to three files, so that every minute is shared, and these are added one after another in
three runs, the last first. Mutants that this kills: a row written twice, a column that a part restores wrongly, a shared minute
that is only added to, an IPv6 address whose order is lost at rest, a set summed up instead of united.
"""
import csv
import io
import ipaddress
import os
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]
import captures
import harness
import synthetic

DEALT_OUT = {(2, 1), (5, 5), (4, 256), (1, 256), (7, 4096)}
PROTOCOLS = {"icmp": 1, "ipip": 4, "tcp": 6, "udp": 17, "ipv6": 41, "gre": 47, "esp": 50, "icmpv6": 58, "sctp": 132}

COLUMNS = """port, protocol, class, packets, accesses, destinations, attempts, bytes, length_min, length_max, ttl_min, ttl_max,
    first, last, tcp_flags"""
QUERIES = {
    "flow": "SELECT minute, ip_of4(source) AS who, %s FROM flow4 UNION ALL SELECT minute, ip_of6(source), %s FROM flow6"
            % (COLUMNS, COLUMNS),
    "victim_second": """SELECT epoch(second)::BIGINT, victim, protocol, coalesce(port, 0),
        list_position(['syn_ack', 'rst', 'error', 'reply'], kind) - 1, packets, bytes, attackers, forged, length_min, length_max,
        ttl_min, ttl_max FROM victim_second""",
    "flow_payload": """SELECT epoch(minute)::BIGINT // 60, source, port, protocol, packets, bytes, destinations,
        epoch("first")::BIGINT % 60, epoch("last")::BIGINT % 60 FROM flow_payload""",
}
ADDRESS = 1
PROTOCOL = {"flow": 3, "victim_second": 2, "flow_payload": 3}


def stored(db, table):
    run = harness.monomi("query", "--db", db, "--format", "csv", QUERIES[table])
    if run.code:
        raise AssertionError(run.err)
    found = []
    for row in list(csv.reader(io.StringIO(run.out)))[1:]:
        row[ADDRESS] = str(ipaddress.ip_address(row[ADDRESS]))
        row[PROTOCOL[table]] = str(PROTOCOLS.get(row[PROTOCOL[table]], row[PROTOCOL[table]]))
        found.append(tuple(row))
    return sorted(found)


def deal_out(folder, capture):
    """Three files, each with every third packet."""
    frames = list(captures.read(capture))
    paths = [os.path.join(folder, "part%d.pcapng" % i) for i in range(3)]
    for i, path in enumerate(paths):
        captures.write_pcapng(path, frames[i::3])
    return paths


def add(checks, name, db, c, files):
    run = harness.monomi("analyze", "--db", db, "--sensor", "sim", "--monitored", c.monitored, "--summary", "json", *files)
    return checks.true(name + ": analyze --db", run.code == 0, run.err[-500:])


def check_mark(checks, name, db, marked):
    for command, what in (("query", "SELECT 1"), ("ip", "12.0.0.1")):
        run = harness.monomi(command, "--db", db, what)
        checks.equal("%s: %s says SIMULATED" % (name, command), (run.code, "SIMULATED" in run.err), (0, marked))


def check_packets(checks, name, folder, db, c, total):
    """The packets behind the rows of a class, written out: as many as were meant, and still marked."""
    path = os.path.join(folder, "out.pcapng")
    run = harness.monomi("packets", "--db", db, "--class", "backscatter", "--out", path)
    if checks.equal(name + ": packets", (run.code, run.err), (0, "")):
        got = harness.analyze([path], "--monitored", c.monitored).total()
        checks.equal(name + ": packets of backscatter", got["packets"], total["classes"].get("backscatter", 0))
        checks.true(name + ": still SIMULATED", got["simulated"] is True)


def check(checks, folder, c):
    name, db = "seed %d, %d addresses" % (c.seed, c.n), os.path.join(folder, "db")
    made = synthetic.make(c, folder)
    runs = [[made.capture]]
    if (c.seed, c.n) in DEALT_OUT:
        name += ", dealt out"
        runs = [[path] for path in reversed(deal_out(folder, made.capture))]
    for files in runs:
        if not add(checks, name, db, c, files):
            return
    want, total = synthetic.rows(made), synthetic.truth(made)[-1]
    checks.equal(name + ": rows in the truth", len(want["flow"]), total["flows"])
    for table in QUERIES:
        got, meant = stored(db, table), want.get(table, [])
        odd = sorted(set(got) ^ set(meant))
        checks.true("%s: %s, %d rows" % (name, table, len(meant)), got == meant,
                    "%d rows, %d differ, first %r" % (len(got), len(odd), odd[:2]))
    if c.seed <= 2:
        # Parts that are dealt out were written without the mark.
        check_mark(checks, name, db, len(runs) == 1)
    if c.seed <= 2 and len(runs) == 1:
        check_packets(checks, name, folder, db, c, total)
    shutil.rmtree(db)


def main():
    checks = harness.Checks()
    with harness.scratch() as folder:
        for n in synthetic.SIZES:
            for seed in synthetic.SEEDS:
                check(checks, folder, synthetic.case(seed, n))
    checks.finish()


main()
