#!/usr/bin/python3
"""`monomi store check` finds what is planted: for each thing that it claims to hold at rest, a store in which just that is
wrong. And it finds nothing in stores that are right (the other tests of the store call it all the time).
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", part) for part in ("lib", "golden")]
import harness
import store


def sql(db, text):
    return store.sql(os.path.join(db, "hot.duckdb"), text)


def part_of(db, table):
    """The first part of a table: (path in the folder, whole path)."""
    name = sql(db, "SELECT path FROM parts WHERE table_name = '%s' ORDER BY id LIMIT 1" % table).strip()
    return name, os.path.join(db, name)


def rewritten(db, table, select):
    """A part replaced by what `select` makes of it (FROM old), and the catalog told how long it is."""
    name, path = part_of(db, table)
    store.sql("", "COPY (WITH old AS (FROM read_parquet('%s', hive_partitioning = false)) %s) TO '%s.new' (FORMAT parquet)" %
              (path, select, path))
    os.rename(path + ".new", path)
    sql(db, "UPDATE parts SET bytes = %d, digest = NULL WHERE path = '%s'" % (os.path.getsize(path), name))


def change(table, column, value):
    """The first row of a part with another value in a column."""
    return lambda db: rewritten(
        db, table, "SELECT * REPLACE (CASE WHEN row_number() OVER () = 1 THEN %s ELSE %s END AS %s) FROM old" %
        (value, column, column))


def again(table):
    """A row that is there twice."""
    return lambda db: rewritten(db, table, "FROM old UNION ALL (FROM old LIMIT 1)")


def statement(text):
    return lambda db: sql(db, text)


def cut(table):
    return lambda db: os.truncate(part_of(db, table)[1], 100)


def snapshot(table, select):
    def plant(db):
        path = os.path.join(os.path.realpath(os.path.join(db, "snapshot", "current")), table + ".parquet")
        store.sql("", "COPY (WITH old AS (FROM read_parquet('%s')) %s) TO '%s.new' (FORMAT parquet)" % (path, select, path))
        os.rename(path + ".new", path)
    return plant


def spooled(db):
    for name in os.listdir(os.path.join(db, "spool")):
        os.unlink(os.path.join(db, "spool", name))


# name, what is planted, the checks that must find it (others may too), a word of what is said
PLANTS = [
    ("a part is missing", lambda db: os.unlink(part_of(db, "flow4")[1]), ("files", "rows"), "part-"),
    ("a part is short", cut("flow6"), ("files", "rows"), "bytes"),
    ("a part has a row more than told", statement("UPDATE parts SET rows = rows + 1 WHERE table_name = 'victim_second4'"),
     ("rows",), "rows"),
    ("a part's minutes are told wrongly", statement("UPDATE parts SET to_minute = to_minute + 1 WHERE table_name = 'flow4'"),
     ("rows",), "minutes"),
    ("a row of another day", change("flow4", "minute", "minute + 1440"), ("rows", "digests"), "another day"),
    ("a packet more", change("flow4", "packets", "packets + 1"), ("digests",), "minute"),
    ("another port", change("flow6", "port", "port + 1"), ("digests",), "minute"),
    ("another SYN", change("flow4", "syn", "CASE WHEN syn IS NULL THEN repeat('\\x01', 24)::BLOB END"), ("digests",), "minute"),
    ("another content", change("flow_payload4", "content", "uuid()"), ("digests",), "minute"),
    ("a victim's packet", change("victim_second4", "packets", "packets + 1"), ("digests",), "minute"),
    ("a window with another sum", statement("UPDATE windows SET attempts = attempts + 1 WHERE minute = (SELECT min(minute) "
                                            "FROM windows)"), ("digests",), "minute"),
    ("a window's digest", statement("UPDATE windows SET payload_digest = uuid() WHERE minute = (SELECT min(minute) FROM "
                                    "windows)"), ("digests",), "minute"),
    ("a window gone", statement("DELETE FROM windows WHERE minute = (SELECT min(minute) FROM windows)"),
     ("digests", "minutes"), "minute"),
    ("a window without packets or segment", statement("INSERT INTO windows BY NAME SELECT * REPLACE (5 AS minute) FROM windows "
                                                      "LIMIT 1"), ("digests", "minutes"), "minute 5"),
    ("a window twice", statement("INSERT INTO windows FROM windows LIMIT 1"), ("minutes",), "2 windows"),
    ("a key twice", again("flow4"), ("keys", "digests", "rows"), "keys"),
    ("a victim twice", again("victim_second4"), ("keys",), "keys"),
    ("a content twice", again("flow_payload4"), ("keys",), "keys"),
    ("more destinations than packets", change("flow4", "destinations", "packets + 1"), ("bounds",), "flow4"),
    ("more attempts than accesses", change("flow4", "attempts", "coalesce(accesses, packets) + 1"), ("bounds",), "flow4"),
    ("a second past the minute", change("flow4", "last", "60"), ("bounds",), "flow4"),
    ("TTLs the wrong way round", change("flow4", "ttl_max", "0"), ("bounds",), "flow4"),
    ("lengths the wrong way round", change("flow6", "length_max", "0"), ("bounds",), "flow6"),
    ("more bytes than can be", change("flow4", "bytes", "packets * 65536"), ("bounds",), "flow4"),
    ("no packets", change("flow_payload4", "packets", "0"), ("bounds",), "flow_payload4"),
    ("more attackers than packets", change("victim_second4", "attackers", "packets + 1"), ("bounds",), "victim_second4"),
    ("less forged than attackers", change("victim_second4", "forged", "0"), ("bounds",), "victim_second4"),
    ("a kind that cannot be", change("victim_second4", "kind", "4"), ("bounds",), "victim_second4"),
    ("a kind taken away", change("victim_second4", "kind", "NULL"), ("digests",), "minute"),
    ("another pair in a sample", change("victim_second4", "sample", "'\\x00\\x00\\x00\\x00'::BLOB"), ("digests",), "minute"),
    ("a sample of more than was forged", change("victim_second4", "sample", "sample || sample"), ("bounds",), "victim_second4"),
    ("evidence without a set", change("source_evidence4", "tuple_set", "NULL"), ("bounds",), "source_evidence4"),
    ("evidence with ports the wrong way round", change("source_evidence4", "sport_max", "0"), ("bounds",), "source_evidence4"),
    ("a segment twice", statement("INSERT INTO segments BY NAME SELECT * REPLACE (99 AS id) FROM segments LIMIT 1"),
     ("ledger",), "2 times"),
    ("a number twice", statement("INSERT INTO segments BY NAME SELECT * REPLACE (repeat('0', 32) AS segment) FROM segments "
                                 "LIMIT 1"), ("ledger",), "2 segments"),
    ("a segment of no state", statement("UPDATE segments SET state = 'lost' WHERE id = 1"), ("ledger",), "contradicts"),
    ("a segment that ends before it begins", statement("UPDATE segments SET to_ns = from_ns - 1 WHERE id = 1"),
     ("ledger", "coverage"), "contradicts"),
    ("a counter that would give a number again", statement("UPDATE meta SET value = 1 WHERE key = 'part'"), ("ledger",),
     "counter"),
    ("a part of two names", statement("INSERT INTO parts FROM parts LIMIT 1"), ("ledger",), "named 2 times"),
    ("a part in another day's folder", statement("UPDATE parts SET day = day + 1 WHERE id = (SELECT min(id) FROM parts)"), ("ledger", "rows"),
     "elsewhere"),
    ("a minute that no segment has", statement("DELETE FROM segment_minutes WHERE minute = (SELECT min(minute) FROM "
                                               "segment_minutes)"), ("minutes",), "no segment"),
    ("a minute that has no window", statement("INSERT INTO segment_minutes SELECT id, minute + 1 FROM segment_minutes WHERE "
                                              "minute = (SELECT max(minute) FROM segment_minutes)"), ("minutes",),
     "no window"),
    ("a minute of no segment", statement("INSERT INTO segment_minutes SELECT 77, min(minute) FROM segment_minutes"),
     ("minutes",), "77"),
    ("a minute outside of its segment", statement("UPDATE segments SET from_ns = from_ns + 120000000000, to_ns = to_ns + "
                                                  "120000000000 WHERE id = 1"), ("minutes", "coverage"), "outside"),
    ("coverage that nothing covers", statement("UPDATE coverage SET to_ns = to_ns + 1"), ("coverage",), "coverage"),
    ("coverage that is missing", statement("DELETE FROM coverage WHERE sensor = 'beta'"), ("coverage",), "beta"),
    ("coverage twice", statement("INSERT INTO coverage FROM coverage LIMIT 1"), ("coverage",), "overlap"),
    ("a sensor unknown", statement("DELETE FROM sensors WHERE sensor = 'beta'"), ("sensors",), "beta"),
    ("a sensor's hash", statement("UPDATE sensors SET hash = hash + 1 WHERE sensor = 'beta'"), ("sensors",), "beta"),
    ("a segment of the spool missing", spooled, ("spool",), "spool/"),
    ("the catalog went on without its snapshot", statement("UPDATE segments SET bytes = bytes + 1 WHERE id = 1"),
     ("snapshot",), "segments"),
    ("the snapshot lacks a part", snapshot("parts", "FROM old LIMIT 3"), ("snapshot",), "parts"),
    ("the snapshot has another window", snapshot("windows", "SELECT * REPLACE (flows + 1 AS flows) FROM old"), ("snapshot",),
     "windows"),
    ("the snapshot is of another commit", lambda db: (os.unlink(os.path.join(db, "snapshot", "current")),
                                                      os.symlink("1", os.path.join(db, "snapshot", "current"))),
     ("snapshot",), "commit"),
]


def faults(said):
    return {line.split()[1]: line for line in said.splitlines() if line.startswith("fault")}


def main():
    checks = harness.Checks()
    with harness.scratch() as folder:
        db = os.path.join(folder, "good")
        for run in store.sequence(folder):
            checks.equal("%s: stored" % run.name, run.start(db).code, 0)
        good, said = store.check(db)
        checks.true("nothing planted, nothing found", good and not faults(said), said)
        planted = os.path.join(folder, "planted")
        for name, plant, found_by, word in PLANTS:
            store.copied(db, planted)
            plant(planted)
            good, said = store.check(planted)
            found = faults(said)
            checks.true("%s: found" % name, not good and set(found_by) <= set(found), said)
            checks.true("%s: says '%s'" % (name, word), word in " ".join(found.values()), said)
    checks.finish()


if __name__ == "__main__":
    main()
