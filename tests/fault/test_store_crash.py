#!/usr/bin/python3
"""Stops a run into a store at each of its durable steps (write, fsync, rename, unlink, symlink, mkdir …; the database's
own too, a commit being some of them), and fails each. After every one: the store opens, `store check` passes, its digest is
the one before the run or the one after, the same run again ends well, and then the digest is that of a run that nothing
disturbed (DESIGN sections 3 and 7).

Kills the mutants in ../fault/mutants/store_crash-*.patch. With MONOMI_STORE_EVERY=1 no step is left out (long); with
MONOMI_STORE_RUN=late that run alone.
"""
import concurrent.futures
import errno
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", part) for part in ("lib", "golden")]
import harness
import store

EVERY = os.environ.get("MONOMI_STORE_EVERY") == "1"
ONLY = os.environ.get("MONOMI_STORE_RUN")
WORKERS = 2
# In the short form killed at every so many steps: a new store, minutes that are derived again, parts joined.
WHOLE = {"first": 12, "late": 5, "compact": 8}
# In the short form: of the steps of other runs every 54th, and for each way to fail every so many. `make test-long` has all.
STRIDES = {"KILL": 54, "SHORT": 43, "FAIL": 35, "FULL": 61, "TEAR": 79}


def chosen(steps, act, whole, turn):
    """Numbers of the steps to do `act` at."""
    at = [s.number for s in steps if act not in ("SHORT", "TEAR") or s.kind == "write"]
    if EVERY or (whole and act == "KILL"):
        return at if EVERY else at[::whole]
    return at[turn % STRIDES[act]::STRIDES[act]]


def stopped(checks, folder, run, act, number, error=None):
    label = "%s: %s at step %d%s" % (run.name, act, number, " (%s)" % errno.errorcode[error] if error else "")
    db = store.at(run, os.path.join(folder, "%s-%d-%s" % (act, number, error)))
    done = run.start(db, env=store.stepped(db, act, number, error))
    if act in ("KILL", "SHORT"):
        checks.true("%s: is killed" % label, store.killed(done), "%d %s" % (done.code, done.err))
    elif done.code:
        store.one_sentence(checks, label, done)
    store.recovers(checks, label, run, db, thorough=EVERY or number % 5 == 0)


def every_step(checks, folder, run, turn):
    log = os.path.join(folder, "steps")
    db = store.at(run, os.path.join(folder, "counted"))
    done = run.start(db, env=store.stepped(db, log=log))
    checks.equal("%s: counted" % run.name, done.code, 0)
    steps = store.steps_of(log)
    os.unlink(log)
    checks.true("%s: has steps" % run.name, steps or run.name == "again")
    acts = []
    for act in STRIDES:
        for i, number in enumerate(chosen(steps, act, WHOLE.get(run.name), turn)):
            for error in (errno.EIO, errno.ENOSPC) if EVERY else (errno.EIO,) if i % 2 else (errno.ENOSPC,):
                acts.append((act, number, error if act == "FAIL" else None))
    acts = sorted(set(acts), key=str)
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        for _ in pool.map(lambda a: stopped(checks, folder, run, *a), acts):
            pass
    kinds = {s.kind for s in steps}
    print("%s: %d steps (%s), %d stops" % (run.name, len(steps), " ".join(sorted(kinds)), len(acts)), flush=True)


class Compaction(store.Run):
    """`monomi store compact`: other files, the same rows."""

    def start(self, db, **more):
        return harness.monomi("store", "compact", "--db", db, **more)


def compactions(checks, folder):
    """Parts of a day that are joined by a command, and by the commit with which there are too many."""
    db = os.path.join(folder, "small")
    files = [store.write(folder, "small-%d.pcap" % i, store.frames(50 + i, 200 * i, 200 * i + 90, 12)) for i in range(8)]
    each = [store.Run("eighth", "alpha", [file]) for file in files]
    for i, run in enumerate(each):
        if i == 2:
            command = Compaction("compact", "alpha", [])
            command.before = store.copied(db, os.path.join(folder, "two"))
            command.want = store.digest(db)
            command.allowed = {command.want}
        before, parts = store.digest(db), len(store.parts_of(db))
        run.before = store.copied(db, os.path.join(folder, "seven")) if i == 7 else None
        checks.equal("small %d: ends well" % i, run.start(db).code, 0)
    each[7].want = store.digest(db)
    each[7].allowed = {before, each[7].want}
    checks.true("eight parts are joined", len(store.parts_of(db)) < parts, "%d of %d" % (len(store.parts_of(db)), parts))
    good, said = store.check(db)
    checks.true("joined by a commit: checked", good and not store.notes(said), said)
    two = store.copied(command.before, os.path.join(folder, "joined"))
    checks.equal("compact: ends well", command.start(two).code, 0)
    checks.true("two parts are joined", len(store.parts_of(two)) < len(store.parts_of(command.before)))
    checks.equal("compact: digest", store.digest(two), command.want)
    good, said = store.check(two)
    checks.true("compact: checked", good and not store.notes(said), said)
    return [command, each[7]]


def main():
    checks = store.checks_of_steps()
    with harness.scratch() as folder:
        runs = store.sequence(folder)
        store.undisturbed(checks, folder, runs)
        runs += compactions(checks, folder)
        for turn, run in enumerate(runs):
            if not ONLY or ONLY == run.name:
                every_step(checks, folder, run, turn)
    checks.finish()


if __name__ == "__main__":
    main()
