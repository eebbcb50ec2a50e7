#!/usr/bin/python3
"""Sums of months: made of the days that are over, gone with what they were made of, the same as the rows come to; and queries
over a year read them, not the parts of days: they answer as before when these are not there; queries about a source read the
days on which it was seen.

Killed mutants: no sums made; sums kept when a day of theirs changes; a sum that leaves a day out; a check that trusts them;
all days read for one source; a set of tuples left out of a fold.
"""
import itertools
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", part) for part in ("oracle", "lib")]
import harness
import store
import test_origin

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
             ("ip", "--param", "addresses=192.0.11.1,203.0.113.99"),
             ("ip-steps", "--param", "address=192.0.11.1", "--param", "since=2026-01-01T00:00:00Z", "--param",
              "until=2026-02-02T00:00:00Z")]
    before = [query(db, *what) for what in asked]
    checks.true("it was seen", all("2026-01-03" in b and "2026-01-04" not in b for b in before), before)
    gone = [p for p in store.parts_of(db) if "_month" not in p and "day=2026-01-03" not in p and "day=2026-02-03" not in p]
    for path in gone:
        os.rename(path, path + ".away")
    checks.equal("a source of one day", [query(db, *what) for what in asked], before)
    checks.true("one of all days", "MON-STO-111" in query(db, "ip", "--param", "addresses=192.0.11.1,192.0.12.1"))
    for path in gone:
        os.rename(path + ".away", path)


SPANS = ((None, None), ("2026-01-02", "2026-02-02"), ("2026-01-03", None), (None, "2026-01-04"), ("2026-01-03", "2026-01-03"))
SPANNED = {
    "countries": """SELECT country, sum(accesses)::UBIGINT AS accesses, sum(accesses) / sum(sum(accesses)) OVER () AS share,
        sum(packets)::UBIGINT AS packets, count(DISTINCT source) AS sources FROM flow WHERE %s GROUP BY country
        ORDER BY accesses DESC, packets DESC, country""",
    "top-sources": """SELECT source, sum(packets)::UBIGINT AS packets, sum(accesses)::UBIGINT AS accesses,
        count(DISTINCT day) AS days, count(DISTINCT sensor) AS sensors, min(first) AS first, max(last) AS last
        FROM flow WHERE %s GROUP BY source ORDER BY packets DESC, source LIMIT 7""",
}


def of_spans(checks, db):
    """Lists of sources of whole months and days beside them: what the rows come to."""
    checks.true("countries are told apart", query(db, "countries").count("\n") > 3, query(db, "countries"))
    asked_of = [(span, None) for span in SPANS] + [(SPANS[1], "alpha")]
    for ((begin, end), sensor), name in itertools.product(asked_of, SPANNED):
        given = [("from", begin), ("to", end), ("sensor", sensor), ("limit", "7")]
        asked = query(db, name, *[word for k, v in given if v for word in ("--param", "%s=%s" % (k, v))])
        held = ["day >= '%s'" % begin if begin else "true", "day <= '%s'" % end if end else "true",
                "sensor = '%s'" % sensor if sensor else "true"]
        checks.equal("%s from %s to %s at %s" % (name, begin, end, sensor), asked, query(db, SPANNED[name] % " AND ".join(held)))


LISTED = """WITH rows AS (SELECT (hash(i) %% %d)::UINTEGER * %d AS source, ((hash(i, 1) %% 1000)::BIGINT + i // 90000 * 10000000000)::UBIGINT
        AS packets, hash(i, 2) %% 5 = 0 AS asked, i %% 7 AS list FROM range(90100) t(i)),
    lists AS (SELECT list_sources(NULL, source, packets, asked) AS list FROM rows WHERE list < 6 GROUP BY list),
    given AS (SELECT list, NULL::UINTEGER AS source, NULL::UBIGINT AS packets, NULL::BOOLEAN AS asked FROM lists
        UNION ALL SELECT NULL, source, packets, asked FROM rows WHERE list = 6),
    sums AS (SELECT source, sum(packets)::UBIGINT AS packets FROM rows GROUP BY source),
    ranked AS (SELECT unnest(loudest_sources(list, source, packets, asked, 50), recursive := true) FROM given),
    wanted AS (SELECT source, packets FROM sums WHERE packets >= (SELECT min(packets) FROM (FROM sums ORDER BY packets DESC LIMIT 50))),
    everybody AS (SELECT unnest(loudest_sources(list, source, packets, asked, 1000000), recursive := true) FROM given)
    SELECT (SELECT count_sources(list, source, packets, asked) FROM given) - (SELECT count(DISTINCT source) FROM rows) AS a,
        (SELECT count_asking(list, source, packets, asked) FROM given) - (SELECT count(DISTINCT source) FROM rows WHERE asked) AS b,
        (SELECT count(*) FROM (FROM ranked EXCEPT ALL FROM wanted)) AS c, (SELECT count(*) FROM (FROM wanted EXCEPT ALL FROM ranked)) AS d,
        (SELECT count(*) FROM (FROM everybody EXCEPT ALL FROM sums)) AS e, (SELECT count(*) FROM (FROM sums EXCEPT ALL FROM everybody)) AS f,
        (SELECT count(*) FROM ranked) >= 50 AS g"""


def listed(checks, db):
    """The aggregates of lists against DuckDB's own: few sources and many, near each other and to the last address."""
    for sources, apart in ((60, 71582788), (3000, 1), (80000, 53687)):
        checks.equal("lists of %d sources" % sources, query(db, LISTED % (sources, apart)).splitlines()[1:], ["0,0,0,0,0,0,true"])


def ranked(checks, db):
    """What is asked by days comes to what it does by minutes, whose rows are not summed: of all protocols and of one."""
    spans = (("2026-01-01", "2026-02-03"), ("2026-01-03", "2026-02-02"), ("2026-02-02", "2026-02-04"))
    for (begin, end), protocol, name in itertools.product(spans, (None, "tcp"), ("country-ranks", "network-ranks", "source-ranks")):
        given = ["since=%sT00:00:00Z" % begin, "until=%sT00:00:00Z" % end, "limit=9"] + (["protocol=" + protocol] if protocol else [])
        if name != "source-ranks":
            given.append("before=2026-01-01T00:00:00Z")
        answers = [query(db, name, *[word for p in given + ["by=" + by] for word in ("--param", p)]) for by in ("day", "minute")]
        checks.true("%s: rows" % name, answers[1].count("\n") > 1, answers[1])
        checks.equal("%s of %s from %s to %s" % (name, protocol, begin, end), *answers)


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


def countries(folder, name, codes):
    """A database that places the sources of these tests."""
    path = os.path.join(folder, name)
    with open(path, "wb") as f:
        f.write(test_origin.mmdb({"192.0.%d.%d" % (net, host): codes[(net + host) % len(codes)] for net in range(8, 20)
                                  for host in range(1, 5)}))
    return path


def put(checks, db, files, known):
    """At a sensor whose number of addresses is known, and at one with IPv6."""
    for options in (("--sensor", "alpha", "--monitored", "198.51.100.0/28"), ("--sensor", "beta")):
        run = store.analyze(db, files, *options, "--country-db", known)
        checks.equal("stored %s" % " ".join(options), (run.code, run.err), (0, ""))


def main():
    checks = harness.Checks()
    with harness.scratch() as folder:
        db = os.path.join(folder, "db")
        files = [store.write(folder, "d%d.pcap" % i, store.frames(i, d * DAY, d * DAY + 900, 60, "192.0.%d.%%d" % (10 + i)))
                 for i, d in enumerate((0, 1, 2, 31, 32))]
        known = [countries(folder, "a.mmdb", ("BR", "DE", "TW")), countries(folder, "b.mmdb", ("DE", "BR"))]
        put(checks, db, files[:3], known[0])
        checks.equal("days that are over", sorted(set(m.split(",", 1)[1] for m in months(db))), ["2026-01-01,2026-01-03"])
        same_sums(checks, "first", db)
        put(checks, db, files[3:] + [scan(folder)], known[1])
        checks.equal("kinds", sorted(set(m.split(",")[0] for m in months(db))),
                     ["class_month", "origin_month4", "port_month", "source_month4", "source_month6"])
        checks.equal("months", sorted(set(m.split(",", 1)[1] for m in months(db))),
                     ["2026-01-01,2026-01-04", "2026-02-01,2026-02-02"])
        without_days(checks, db)
        of_one_day(checks, db)
        of_spans(checks, db)
        ranked(checks, db)
        listed(checks, db)
        folded(checks, db)
        put(checks, db, [store.write(folder, "late.pcap", store.frames(9, DAY + 600, DAY + 1000, 20))], known[0])
        same_sums(checks, "late", db)
        planted(checks, db)
    checks.finish()


main()
