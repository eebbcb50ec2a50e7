#!/usr/bin/python3
"""A store of an older schema is read as it is, brought up to date by its first writer in one commit, and the same as before;
a newer one is refused. tests/golden/store-schema-N.tar.gz was made by the last program whose catalog had schema N; the rows of
victims of both are of schema 2, which knew no kinds.
"""
import os
import shutil
import sys
import tarfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", part) for part in ("lib", "golden")]
import harness
import store

DIGESTS = {
    1: {"flow": "89dce857e246b0893050d606ae75a49b", "flow_payload": "87f505b719788f336bf9ab321b2a8e75",
        "victim_second": "666dcf12edb5beab1ca741976a056a59", "source_evidence": "d2334a73720b5f84b2795413ba6e7da3"},
    4: {"flow": "b6933d1c041359e1c338ac26112e8c0a", "flow_payload": "3a1616fa099b4ff4c90f69bc1ade49f2",
        "victim_second": "7c7700806b1af405ba85d417c2f81708", "source_evidence": "c23d70aa771ec0046bee4c5b8bbca110"},
}
VICTIMS = """SELECT count(*) FILTER (kind IS NULL AND forged = attackers AND ttl_min IS NULL), count(kind) FILTER (forged >= attackers AND
    length_max >= length_min AND ttl_max > 0), count(*) FROM victim_second"""


def unpacked(folder, old):
    shutil.rmtree(os.path.join(folder, "store"), ignore_errors=True)
    with tarfile.open(os.path.join(HERE, "..", "golden", "store-schema-%d.tar.gz" % old)) as archive:
        archive.extractall(folder)
    return os.path.join(folder, "store")


def writer(db, **more):
    """A writer that has nothing to add."""
    return harness.monomi("store", "expire", "--db", db, "--now", "2026-01-03", **more)


def schema(db):
    return store.sql(os.path.join(db, "hot.duckdb"), "SELECT value FROM meta WHERE key = 'schema'").strip()


def victims(db):
    """Rows of victims without a kind, with one, all."""
    done = harness.monomi("query", "--db", db, "--format", "csv", VICTIMS)
    return [int(x) for x in done.out.splitlines()[1].split(",")] if done.code == 0 else done.err


def older(checks, folder, old):
    db = unpacked(folder, old)
    checks.equal("read as it is", store.digests(db), DIGESTS[old])
    done = harness.monomi("query", "--db", db, "SELECT sum(packets) FROM flow")
    checks.equal("queried as it is", (done.code, done.err), (0, ""))
    found = victims(db)
    checks.true("victims of schema %d have no kind" % old, 0 < found[0] == found[2], str(found))
    store.one_sentence(checks, "checked only once it is of today", harness.monomi("store", "check", "--db", db))
    checks.equal("none of that is a writer", schema(db), str(old))
    done = writer(db)
    checks.equal("a writer", (done.code, done.err), (0, ""))
    checks.equal("brings it up to date", schema(db), "6")
    checks.equal("and changes no row", store.digests(db), DIGESTS[old])
    checks.equal("nor victims", victims(db), found)
    good, said = store.check(db)
    checks.true("checked", good and not store.notes(said), said)
    more = store.write(folder, "more.pcap", store.frames(23, -60, 60, 20))
    done = store.analyze(db, [more], "--sensor", "alpha")
    checks.equal("goes on, into minutes that are there", (done.code, done.err), (0, ""))
    good, said = store.check(db)
    checks.true("and is checked", good and not store.notes(said), said)
    done = harness.monomi("query", "--db", db, "SELECT count(*) > 0, count(country), max(as_number) FROM flow")
    checks.equal("old and new parts are queried together", (done.code, done.err), (0, ""))
    mixed = victims(db)
    left = old == 1  # of the other all minutes with victims are
    checks.true("minutes derived again have kinds", left <= mixed[0] < found[0] and mixed[0] + mixed[1] == mixed[2], str(mixed))
    before = store.digests(db)
    done = harness.monomi("store", "compact", "--db", db)
    checks.equal("parts old and new are joined", (done.code, done.err, victims(db), store.digests(db)), (0, "", mixed, before))
    good, said = store.check(db)
    checks.true("joined, and checked", good and not store.notes(said), said)


def stopped(checks, folder, old):
    """Killed before any step of the migration it is of the one schema or of the other."""
    log = os.path.join(folder, "steps")
    db = unpacked(folder, old)
    checks.equal("counted", writer(db, env=store.stepped(db, log=log)).code, 0)
    steps = store.steps_of(log)
    checks.true("has steps", len(steps) > 20, str(len(steps)))
    for s in steps[::3 if old == 1 else 7]:
        db = unpacked(folder, old)
        checks.true("killed at step %d" % s.number, store.killed(writer(db, env=store.stepped(db, "KILL", s.number))))
        done = writer(db)
        checks.equal("step %d (%s): made again" % (s.number, s.kind), (done.code, done.err), (0, ""))
        checks.equal("step %d: rows" % s.number, store.digests(db), DIGESTS[old])
        good, said = store.check(db)
        checks.true("step %d: checked" % s.number, good and not store.notes(said), said)


def newer(checks, folder):
    db = unpacked(folder, 1)
    writer(db)
    store.sql(os.path.join(db, "hot.duckdb"), "UPDATE meta SET value = 99 WHERE key = 'schema'")
    for name, done in (("a writer", writer(db)), ("check", harness.monomi("store", "check", "--db", db))):
        store.one_sentence(checks, "newer: %s" % name, done)
        checks.true("newer: %s says which" % name, "99" in done.err, done.err)
    checks.equal("newer: it is left as it is", schema(db), "99")


def main():
    checks = store.checks_of_steps()
    with harness.scratch() as folder:
        for old in DIGESTS:
            older(checks, folder, old)
            stopped(checks, folder, old)
            os.remove(os.path.join(folder, "steps"))
        newer(checks, folder)
    checks.finish()


if __name__ == "__main__":
    main()
