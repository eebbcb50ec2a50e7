#!/usr/bin/python3
"""A store of an older schema is read as it is, brought up to date by its first writer in one commit, and the same as before;
a newer one is refused. tests/golden/store-schema-1.tar.gz was made by the last program whose catalog had schema 1.
"""
import os
import shutil
import sys
import tarfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", part) for part in ("lib", "golden")]
import harness
import store

OLD = os.path.join(HERE, "..", "golden", "store-schema-1.tar.gz")
DIGEST = {"flow": "89dce857e246b0893050d606ae75a49b", "flow_payload": "87f505b719788f336bf9ab321b2a8e75",
          "victim_second": "666dcf12edb5beab1ca741976a056a59", "source_evidence": "d2334a73720b5f84b2795413ba6e7da3"}


def unpacked(folder):
    shutil.rmtree(os.path.join(folder, "store"), ignore_errors=True)
    with tarfile.open(OLD) as archive:
        archive.extractall(folder)
    return os.path.join(folder, "store")


def writer(db, **more):
    """A writer that has nothing to add."""
    return harness.monomi("store", "expire", "--db", db, "--now", "2026-01-03", **more)


def schema(db):
    return store.sql(os.path.join(db, "hot.duckdb"), "SELECT value FROM meta WHERE key = 'schema'").strip()


def older(checks, folder):
    db = unpacked(folder)
    checks.equal("read as it is", store.digests(db), DIGEST)
    done = harness.monomi("query", "--db", db, "SELECT sum(packets) FROM flow")
    checks.equal("queried as it is", (done.code, done.err), (0, ""))
    store.one_sentence(checks, "checked only once it is of today", harness.monomi("store", "check", "--db", db))
    checks.equal("none of that is a writer", schema(db), "1")
    done = writer(db)
    checks.equal("a writer", (done.code, done.err), (0, ""))
    checks.equal("brings it up to date", schema(db), "4")
    checks.equal("and changes no row", store.digests(db), DIGEST)
    good, said = store.check(db)
    checks.true("checked", good and not store.notes(said), said)
    more = store.write(folder, "more.pcap", store.frames(23, -60, 60, 20))
    done = store.analyze(db, [more], "--sensor", "alpha")
    checks.equal("goes on, into minutes that are there", (done.code, done.err), (0, ""))
    good, said = store.check(db)
    checks.true("and is checked", good and not store.notes(said), said)
    done = harness.monomi("query", "--db", db, "SELECT count(*) > 0, count(country), max(as_number) FROM flow")
    checks.equal("old and new parts are queried together", (done.code, done.err), (0, ""))


def stopped(checks, folder):
    """Killed before any step of the migration it is of the one schema or of the other."""
    log = os.path.join(folder, "steps")
    db = unpacked(folder)
    checks.equal("counted", writer(db, env=store.stepped(db, log=log)).code, 0)
    steps = store.steps_of(log)
    checks.true("has steps", len(steps) > 20, str(len(steps)))
    for s in steps[::3]:
        db = unpacked(folder)
        checks.true("killed at step %d" % s.number, store.killed(writer(db, env=store.stepped(db, "KILL", s.number))))
        done = writer(db)
        checks.equal("step %d (%s): made again" % (s.number, s.kind), (done.code, done.err), (0, ""))
        checks.equal("step %d: rows" % s.number, store.digests(db), DIGEST)
        good, said = store.check(db)
        checks.true("step %d: checked" % s.number, good and not store.notes(said), said)


def newer(checks, folder):
    db = unpacked(folder)
    writer(db)
    store.sql(os.path.join(db, "hot.duckdb"), "UPDATE meta SET value = 99 WHERE key = 'schema'")
    for name, done in (("a writer", writer(db)), ("check", harness.monomi("store", "check", "--db", db))):
        store.one_sentence(checks, "newer: %s" % name, done)
        checks.true("newer: %s says which" % name, "99" in done.err, done.err)
    checks.equal("newer: it is left as it is", schema(db), "99")


def main():
    checks = store.checks_of_steps()
    with harness.scratch() as folder:
        older(checks, folder)
        stopped(checks, folder)
        newer(checks, folder)
    checks.finish()


if __name__ == "__main__":
    main()
