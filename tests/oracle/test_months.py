#!/usr/bin/python3
"""Sums of months: made of the days that are over, gone with what they were made of, the same as the rows come to; and queries
over a year read them, not the parts of days: they answer as before when these are not there; queries about a source read the
days on which it was seen.

Killed mutants: no sums made; sums kept when a day of theirs changes; a sum that leaves a day out; a check that trusts them;
all days read for one source; a set of tuples left out of a fold.
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", part) for part in ("oracle", "lib")]
import harness
import store

DAY = 86400
NAMED = ("figure-2-19", "figure-2-20", "rate-per-day", "classes", "top-ports", "top-sources", "countries", "networks")
SOURCES = """SELECT day, sensor, source, sum(packets), sum(accesses), sum(attempts), sum(bytes), min(minute::BIGINT * 60 + first),
    max(minute::BIGINT * 60 + last), bit_or(1::UTINYINT << class),
    sum(CASE WHEN class IN (3, 4, 5) AND protocol = 6 THEN packets ELSE 0 END) FROM flow%d GROUP BY ALL"""
MADE = """SELECT day, sensor, source, packets, accesses, attempts, bytes, first, last, classes, probes_tcp FROM rest.source_day%d"""


def query(db, *what):
    run = harness.monomi("query", "--db", db, "--format", "csv", *what)
    return run.out if run.code == 0 else "%d %s" % (run.code, run.err)


def months(db):
    return query(db, "SELECT table_name, day, \"to\"::DATE FROM part WHERE contains(table_name, '_month') ORDER BY "
                 "ALL").splitlines()[1:]


def same_sums(checks, name, db):
    for version in (4, 6):
        rows, made = SOURCES % version, MADE % version
        checks.equal("%s: sums of sources, IPv%d" % (name, version), query(
            db, "SELECT (SELECT count(*) FROM (%s)) > 0, (SELECT count(*) FROM (%s EXCEPT ALL %s)), (SELECT count(*) FROM "
            "(%s EXCEPT ALL %s))" % (made, made, rows, rows, made)).splitlines()[1:], ["true,0,0"])
    good, said = store.check(db)
    checks.true("%s: checked" % name, good and not store.notes(said), said)


def without_days(checks, db):
    """All that is asked of a year is in the sums, but for the last day."""
    before = {name: query(db, name) for name in NAMED}
    last = "day=2026-02-03"
    gone = [p for p in store.parts_of(db) if "_month" not in p and last not in p]
    for path in gone:
        os.rename(path, path + ".away")
    for name in NAMED:
        checks.equal("%s reads sums of months" % name, query(db, name), before[name])
    checks.true("which rows do not", "MON-STO-111" in query(db, "SELECT count(DISTINCT source) FROM flow"))
    for path in gone:
        os.rename(path + ".away", path)
    checks.true("parts of a month are not of its days", "\n" in before["top-ports"] and before["top-ports"] != query(
        db, "top-ports", "--param", "from=2026-01-03"))
    some = query(db, "top-ports", "--param", "from=2026-01-03", "--param", "to=2026-02-02", "--param", "limit=5")
    rows = query(db, "SELECT protocol_name(protocol) AS protocol, port, sum(accesses)::UBIGINT AS accesses FROM port_day WHERE day "
                 "BETWEEN '2026-01-03' AND '2026-02-02' AND has_port(protocol) GROUP BY ALL ORDER BY accesses DESC, protocol, "
                 "port LIMIT 5")
    checks.equal("part of a month", [line.rsplit(",", 1)[0] for line in some.split()[1:]], rows.split()[1:])


def of_one_day(checks, db):
    """A source that was seen on one day: parts of the others that are over are not opened."""
    asked = [("source", "--param", "source=192.0.11.1"), ("ports-of-source", "--param", "source=192.0.11.1"),
             ("ip", "--param", "addresses=192.0.11.1,203.0.113.99")]
    before = [query(db, *what) for what in asked]
    checks.true("it was seen", all("2026-01-03" in b and "2026-01-04" not in b for b in before), before)
    gone = [p for p in store.parts_of(db) if "_month" not in p and "day=2026-01-03" not in p and "day=2026-02-03" not in p]
    for path in gone:
        os.rename(path, path + ".away")
    checks.equal("a source of one day", [query(db, *what) for what in asked], before)
    checks.true("one of all days", "MON-STO-111" in query(db, "ip", "--param", "addresses=192.0.11.1,192.0.12.1"))
    for path in gone:
        os.rename(path + ".away", path)


def scan(folder):
    """One source, a few probes an hour of day 1, each with ZMap's id: only all hours' tuples together name it."""
    frames = []
    for i in range(6):
        frame = store.make_captures.tcp("192.0.77.1", store.make_captures.DARK4 % (i + 1), 40000, 80, store.make_captures.SYN,
                                        ident=54321)
        frames.append(store.captures.Frame(int((store.MIDNIGHT + DAY + 1800 * i + 1000) * store.NS), 1, frame, max(len(frame), 60),
                                           0, False))
    return store.write(folder, "scan.pcap", frames)


LISTS = """SELECT tool(coalesce(marks, []), tcp, udp, icmp, other) AS tool, count(*) AS source_days, sum(packets)::UBIGINT AS packets
    FROM (SELECT source, day, sum(packets) AS packets, sum(probes_tcp)::UBIGINT AS tcp, sum(probes_udp)::UBIGINT AS udp,
        sum(probes_icmp)::UBIGINT AS icmp, sum(probes_other)::UBIGINT AS other FROM source_day GROUP BY ALL)
    LEFT JOIN (SELECT source, day, list(mark) AS marks FROM (SELECT ip_of4(source) AS source, day, mark FROM rest.marks4 UNION ALL
        SELECT ip_of6(source), day, mark FROM rest.marks6) GROUP BY ALL) USING (source, day)
    GROUP BY ALL ORDER BY packets DESC, tool"""


def folded(checks, db):
    """Evidence that is folded as it is read names the tools that lists of it name."""
    named = query(db, "tools")
    checks.true("tools are seen", "\nzmap," in named, named)
    checks.equal("tools", named, query(db, LISTS))


def planted(checks, db):
    """A sum that is wrong."""
    path = [p for p in store.parts_of(db) if "/port_month/" in p][0]
    store.sql("", "COPY (SELECT * REPLACE (packets + 1 AS packets) FROM read_parquet('%s', hive_partitioning = false)) TO '%s.new' (FORMAT parquet)" % (path, path))
    os.rename(path + ".new", path)
    relative = os.path.relpath(path, db)
    store.sql(os.path.join(db, "hot.duckdb"), "UPDATE parts SET bytes = %d, digest = NULL WHERE path = '%s'" % (
        os.path.getsize(path), relative))
    good, said = store.check(db)
    checks.true("a wrong sum is found", not good and "differs from the sums of its days" in said, said)


def put(checks, db, files):
    """At a sensor whose number of addresses is known, and at one with IPv6."""
    for options in (("--sensor", "alpha", "--monitored", "198.51.100.0/28"), ("--sensor", "beta")):
        run = store.analyze(db, files, *options)
        checks.equal("stored %s" % " ".join(options), (run.code, run.err), (0, ""))


def main():
    checks = harness.Checks()
    with harness.scratch() as folder:
        db = os.path.join(folder, "db")
        files = [store.write(folder, "d%d.pcap" % i, store.frames(i, d * DAY, d * DAY + 900, 60, "192.0.%d.%%d" % (10 + i)))
                 for i, d in enumerate((0, 1, 2, 31, 32))]
        put(checks, db, files[:3])
        checks.equal("days that are over", sorted(set(m.split(",", 1)[1] for m in months(db))), ["2026-01-01,2026-01-03"])
        same_sums(checks, "first", db)
        put(checks, db, files[3:] + [scan(folder)])
        checks.equal("kinds", sorted(set(m.split(",")[0] for m in months(db))),
                     ["class_month", "port_month", "source_month4", "source_month6"])
        checks.equal("months", sorted(set(m.split(",", 1)[1] for m in months(db))),
                     ["2026-01-01,2026-01-04", "2026-02-01,2026-02-02"])
        without_days(checks, db)
        of_one_day(checks, db)
        folded(checks, db)
        put(checks, db, [store.write(folder, "late.pcap", store.frames(9, DAY + 600, DAY + 1000, 20))])
        same_sums(checks, "late", db)
        planted(checks, db)
    checks.finish()


main()
