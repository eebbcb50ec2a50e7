#!/usr/bin/python3
"""What can happen to a store from outside, each met with one clear sentence and nothing else lost: kill -9 at random
moments, a torn log of the database, a full disk, a torn snapshot, a part missing or damaged, another folder or a file in
its place, a newer schema, a folder that cannot be written, a lock that is held.

Kills the mutants in ../fault/mutants/store_damage-*.patch. MONOMI_STORE_EVERY=1: more rounds (long).
"""
import fcntl
import os
import random
import shutil
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", part) for part in ("lib", "golden")]
import harness
import store

# Who reads the parts of a table but those of rows, which the digest wants; None: nobody, or sums of months stand for them.
READERS = {"class_hour": None, "port_day": "SELECT sum(packets), sum(flows) FROM port_day", "port_month": "top-ports",
           "class_month": "SELECT sum(flows) FROM class_hour", "source_month4": "top-sources", "origin_month4": "countries", "source_month6": "top-sources",
           "attack_corsaro2": "rsdos-corsaro2", "attack_corsaro3": "rsdos-corsaro3", "attack": "SELECT count(*), sum(packets) FROM rest.attack",
           "attack_vector": None, "attack_state4": None, "attack_state6": None}
EVERY = os.environ.get("MONOMI_STORE_EVERY") == "1"


def refuses(checks, label, done, *words):
    """Exit 1 and one sentence with a code, in which these words stand."""
    store.one_sentence(checks, label, done)
    for word in words:
        checks.true("%s: says %s" % (label, word), word in done.err, done.err)


def tree(db):
    """Everything in a folder, to see that nothing was touched."""
    out = {}
    for base, folders, names in os.walk(db):
        for name in folders + names:
            path = os.path.join(base, name)
            if os.path.islink(path):
                out[path] = os.readlink(path)
            elif os.path.isfile(path):
                with open(path, "rb") as f:
                    out[path] = f.read()
    return out


def kills(checks, folder, runs, rng):
    """The program as it is shipped, killed at random moments until the run gets through."""
    db = os.path.join(folder, "kills")
    for i in range(40 if EVERY else 6):
        shutil.rmtree(db, ignore_errors=True)
        killed = 0
        for run in runs:
            begin = time.monotonic()
            for attempt in range(4):
                child = subprocess.Popen([harness.MONOMI, "analyze", "--summary", "json", "--db", db, *run.options,
                                          *run.files], stdin=open(run.stdin, "rb") if run.stdin else subprocess.DEVNULL,
                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                time.sleep(rng.random() * 0.25)
                child.send_signal(signal.SIGKILL)
                killed += child.wait() < 0
            done = run.start(db)
            checks.equal("kill -9, round %d: %s gets through" % (i, run.name), (done.code, done.err), (0, ""))
            del begin, attempt
        good, said = store.check(db)
        checks.true("kill -9, round %d (%d killed): checked" % (i, killed), good, said)
        checks.equal("kill -9, round %d: digest" % i, store.digest(db), runs[-1].want)


def crashed_with_log(folder, run):
    """A store whose last run was killed right after its commit, so that the database's log still holds it; or None."""
    log = os.path.join(folder, "steps")
    db = store.at(run, os.path.join(folder, "log"))
    run.start(db, env=store.stepped(db, log=log))
    steps = store.steps_of(log)
    os.unlink(log)
    synced = [s.number for s in steps if s.kind == "fsync" and s.path.endswith(".wal")]
    if not synced:
        return None
    store.at(run, db)
    run.start(db, env=store.stepped(db, "KILL", synced[-1] + 1))
    return db


def torn_log(checks, folder, run, rng):
    """The log of the database cut at many lengths, and with bits flipped: the commit is there, or it is not, or the store
    says that it is damaged; never half of it, and never a part less than before."""
    whole = crashed_with_log(folder, run)
    wal = os.path.join(whole or "", "hot.duckdb.wal")
    if not checks.true("a log after a crash", whole and os.path.exists(wal) and os.path.getsize(wal) > 100):
        return
    size = os.path.getsize(wal)
    cuts = sorted({0, 1, 7, 8, size - 1, size - 8, size // 2, *rng.sample(range(size), 60 if EVERY else 8)})
    db = os.path.join(folder, "torn")
    for cut in cuts:
        store.copied(whole, db)
        os.truncate(os.path.join(db, "hot.duckdb.wal"), cut)
        store.recovers(checks, "log cut at %d of %d" % (cut, size), run, db)
    for at in sorted(rng.sample(range(max(0, size - 400), size), 60 if EVERY else 10)):
        store.copied(whole, db)
        flip(os.path.join(db, "hot.duckdb.wal"), at, rng)
        before = store.parts_of(db)
        done = run.start(db)
        if done.code:
            refuses(checks, "log with bit flipped at %d of %d" % (at, size), done)
            checks.equal("log with bit flipped at %d: no part goes" % at, store.parts_of(db), before)
        else:
            checks.equal("log with bit flipped at %d: digest" % at, store.digest(db), run.want)
    shutil.rmtree(db)
    shutil.rmtree(whole)


def flip(path, at, rng):
    with open(path, "r+b") as f:
        f.seek(at)
        byte = f.read(1)[0]
        f.seek(at)
        f.write(bytes([byte ^ 1 << rng.randrange(8)]))


def full_disk(checks, folder, runs):
    """A tmpfs with less and less room: whatever does not fit is refused whole, and fits when there is room again."""
    mount = os.path.join(folder, "small")
    os.mkdir(mount)
    last = None
    for kilobytes in (64, 500, 900, 1300, 1700, 2200, 3000, 4000, 6000, 16000):
        if os.getuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%dk" % kilobytes, "tmpfs", mount],
                                         stderr=subprocess.DEVNULL, check=False).returncode:
            checks.skip("no right to mount")
            return
        try:
            db = os.path.join(mount, "db")
            for run in runs[:4]:
                label = "%d kB: %s" % (kilobytes, run.name)
                done = run.start(db, env={"TMPDIR": folder})
                last = done.code
                if done.code == 0:
                    continue
                refuses(checks, label, done)
                subprocess.run(["mount", "-o", "remount,size=64m", mount], check=True)
                if os.path.isdir(run.before):
                    good, said = store.check(db)
                    checks.true("%s: with room, checked" % label, good, said)
                    checks.true("%s: before or after" % label, store.digest(db) in run.allowed)
                done = run.start(db)
                checks.equal("%s: with room, made again" % label, (done.code, done.err), (0, ""))
                checks.equal("%s: digest" % label, store.digest(db), run.want)
                break
        finally:
            subprocess.run(["umount", mount], check=True)
    checks.equal("the largest has room", last, 0)


def snapshots(checks, folder, run):
    """The snapshot is made from the catalog: torn, it says so, and the next writer makes it good."""
    db = os.path.join(folder, "snapshot")
    current = os.path.join(db, "snapshot", "current")
    def cut():
        for name in os.listdir(current):
            os.truncate(os.path.join(current, name), 10)
    def dangling():
        os.unlink(current)
        os.symlink("nowhere", current)
    for name, damage in (("cut", cut), ("removed", lambda: shutil.rmtree(os.path.realpath(current))),
                         ("dangling", dangling), ("no link", lambda: os.unlink(current)),
                         ("no folder", lambda: shutil.rmtree(os.path.dirname(current)))):
        store.at(run, db)
        damage()
        done = harness.monomi("digest", "--db", db)
        refuses(checks, "snapshot %s: digest" % name, done, "snapshot")
        good, said = store.check(db)
        checks.true("snapshot %s: check finds it" % name, not good and "snapshot" in said, said)
        done = run.start(db)
        checks.equal("snapshot %s: the next writer" % name, (done.code, done.err), (0, ""))
        checks.equal("snapshot %s: digest" % name, store.digest(db), run.want)
        good, said = store.check(db)
        checks.true("snapshot %s: good again" % name, good, said)


def parts(checks, folder, run, other, rng):
    """A part missing, cut, or with a bit flipped: whoever needs it says which; `store check` finds it; other sensors'
    rows come and go as before."""
    db = os.path.join(folder, "parts")
    store.at(run, db)
    names = [os.path.relpath(p, db) for p in store.parts_of(db)]
    checks.true("there are parts", len(names) > 3, str(names))
    for i, name in enumerate(names):
        path = os.path.join(db, name)
        for damage, what in ((os.unlink, "missing"), (lambda p: os.truncate(p, os.path.getsize(p) // 2), "cut"),
                             (lambda p: os.truncate(p, 0), "empty"),
                             (lambda p: flip(p, rng.randrange(4, os.path.getsize(p) - 12), rng), "flipped")):
            if not EVERY and (i + len(what)) % 3:
                continue
            store.at(run, db)
            damage(path)
            label = "%s %s" % (name, what)
            good, said = store.check(db)
            checks.true("%s: check names it" % label, not good and name in said, said)
            table = name.split("/")[1]
            if table not in READERS:
                done = harness.monomi("digest", "--db", db)
            elif READERS[table]:
                done = harness.monomi("query", "--db", db, READERS[table])
            if what != "flipped" and READERS.get(table, True):
                refuses(checks, label, done, os.path.basename(name))
            if "sensor=%s" % other.options[1] not in name:
                done = other.start(db)
                checks.equal("%s: another sensor goes on" % label, (done.code, done.err), (0, ""))


def folders(checks, folder, run, capture):
    """What is no store is left alone."""
    file = os.path.join(folder, "file")
    with open(file, "w", encoding="ascii") as f:
        f.write("no store\n")
    home = os.path.join(folder, "home")
    os.mkdir(home)
    shutil.copy(file, os.path.join(home, "letter.txt"))
    good = store.at(run, os.path.join(folder, "good"))
    newer = store.copied(good, os.path.join(folder, "newer"))
    name = os.path.join(newer, "monomi-store")
    with open(name, encoding="ascii") as f:
        line = f.read()
    with open(name, "w", encoding="ascii") as f:
        f.write("monomi store 999\n")
    cases = [("a file", file, ()), ("a folder of something else", home, ()), ("a newer schema", newer, ("999",)),
             ("a file below a file", os.path.join(file, "db"), ())]
    for i, text in enumerate((b"", b"\xff\xfe", line[:-3].encode(), b"monomi store x\n", b"monomi store 0\n",
                              b"monomi store 18446744073709551617\n", b"a" * 5000)):
        damaged = store.copied(good, os.path.join(folder, "damaged-%d" % i))
        with open(os.path.join(damaged, "monomi-store"), "wb") as f:
            f.write(text)
        cases.append(("monomi-store with %.20r" % text, damaged, ()))
    gone = store.copied(good, os.path.join(folder, "gone"))
    os.unlink(os.path.join(gone, "monomi-store"))
    cases.append(("monomi-store removed", gone, ()))
    for label, db, words in cases:
        before = tree(db) if os.path.isdir(db) else None
        refuses(checks, "%s: analyze" % label, store.analyze(db, [capture]), *words)
        refuses(checks, "%s: digest" % label, harness.monomi("digest", "--db", db), *words)
        refuses(checks, "%s: check" % label, harness.monomi("store", "check", "--db", db), *words)
        if before is not None:
            checks.true("%s: untouched" % label, tree(db) == before)
    for command in (["digest"], ["store", "check"]):
        refuses(checks, "absent: %s" % command, harness.monomi(*command, "--db", os.path.join(folder, "absent")))
    checks.true("absent: not made by reading", not os.path.exists(os.path.join(folder, "absent")))


def read_only(checks, folder, run):
    """A store on a medium that cannot be written is read as any other, and says why it takes no more."""
    db = store.at(run, os.path.join(folder, "read-only"))
    if os.getuid() or subprocess.run(["mount", "--bind", db, db], stderr=subprocess.DEVNULL, check=False).returncode:
        checks.skip("no right to mount")
        return
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", db], check=True)
        refuses(checks, "read-only: analyze", run.start(db))
        checks.true("read-only: digest", store.digest(db) in run.allowed)
        good, said = store.check(db)
        checks.true("read-only: check", good, said)
    finally:
        subprocess.run(["umount", db], check=True)


def locks(checks, folder, run):
    """One process writes. A lock is held by a living process; what a dead one left is none."""
    db = store.at(run, os.path.join(folder, "lock"))
    with open(os.path.join(db, "lock"), "r+b") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        refuses(checks, "lock held", run.start(db), "process")
        checks.true("lock held: digest all the same", store.digest(db) in run.allowed)
        refuses(checks, "lock held: check", harness.monomi("store", "check", "--db", db), "process")
    with open(os.path.join(db, "lock"), "w", encoding="ascii") as f:
        f.write("4194303 analyze\n")
    done = run.start(db)
    checks.equal("lock of a dead process", (done.code, done.err), (0, ""))
    checks.equal("lock of a dead process: digest", store.digest(db), run.want)


def main():
    checks = store.checks_of_steps()
    rng = random.Random(20261124)
    with harness.scratch() as folder:
        runs = store.sequence(folder)
        store.undisturbed(checks, folder, runs)
        late, pipe = runs[3], runs[4]
        folders(checks, folder, late, runs[0].files[0])
        locks(checks, folder, late)
        read_only(checks, folder, late)
        snapshots(checks, folder, late)
        parts(checks, folder, late, pipe, rng)
        torn_log(checks, folder, late, rng)
        full_disk(checks, folder, runs)
        kills(checks, folder, runs, rng)
    checks.finish()


if __name__ == "__main__":
    main()
