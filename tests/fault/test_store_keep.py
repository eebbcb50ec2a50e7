#!/usr/bin/python3
"""Copies and retention: a backup made while a writer goes on is a whole store, restoring it gives the digest back, and
neither writes over anything; what is older than it may be kept goes, and nothing else; both stopped at any step. And small parts of
a day are joined once.
"""
import errno
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", part) for part in ("lib", "golden")]
import harness
import store

DAY = 86400


def command(name, db, *options, **more):
    return harness.monomi("store", name, "--db", db, *options, **more)


def well(checks, label, done):
    return checks.equal(label, (done.code, done.err), (0, ""))


def whole(checks, label, db, want):
    good, said = store.check(db)
    checks.true("%s: checked" % label, good and not store.notes(said), said)
    checks.equal("%s: digest" % label, store.digest(db), want)


def copies(checks, folder, runs):
    db, kept, back = (os.path.join(folder, name) for name in ("db", "kept", "back"))
    for run in runs[:4]:
        well(checks, "%s: stored" % run.name, run.start(db))
    want = store.digest(db)
    well(checks, "backup", command("backup", db, "--to", kept))
    whole(checks, "backup", kept, want)
    for label, target in (("a store", db), ("the backup again", kept), ("a folder with files", folder)):
        done = command("backup", db, "--to", target)
        store.one_sentence(checks, "backup into %s" % label, done)
        done = command("restore", target, "--from", kept)
        store.one_sentence(checks, "restore into %s" % label, done)
    checks.equal("refused copies touch nothing", store.digest(db), want)
    well(checks, "restore", command("restore", back, "--from", kept))
    whole(checks, "restore", back, want)
    for run in runs[4:]:
        well(checks, "%s: after the restore" % run.name, run.start(back))
    whole(checks, "after the restore", back, runs[-1].want)
    os.unlink(os.path.join(db, "hot.duckdb"))
    saved = os.path.join(folder, "saved")
    well(checks, "backup without a catalog", command("backup", db, "--to", saved))
    whole(checks, "backup without a catalog", saved, want)
    part = sorted(store.parts_of(saved))[0]
    os.unlink(part)
    done = command("backup", saved, "--to", os.path.join(folder, "short"))
    store.one_sentence(checks, "backup of a store without a part", done)
    checks.true("it names the part", os.path.basename(part) in done.err, done.err)
    checks.true("what was begun is no store", store.digest(os.path.join(folder, "short")).startswith("1 "))


def copies_while_written(checks, folder, runs):
    """One process stores, again and again into minutes that are there, so that parts are replaced; another copies."""
    db = os.path.join(folder, "busy")
    well(checks, "busy: begun", runs[0].start(db))
    late = [store.write(folder, "busy-%d.pcap" % i, store.frames(100 + i, -190, -100, 6)) for i in range(24)]
    writer = subprocess.Popen([harness.MONOMI, "analyze", "--summary", "json", "--db", db, *runs[0].options, *late],
                              stdout=subprocess.DEVNULL)
    made = 0
    while writer.poll() is None:
        kept = os.path.join(folder, "busy-%d" % made)
        done = command("backup", db, "--to", kept)
        if well(checks, "copy %d of a store at work" % made, done):
            good, said = store.check(kept)
            checks.true("copy %d: checked" % made, good, said)
        shutil.rmtree(kept, ignore_errors=True)
        made += 1
    checks.equal("the writer ends well", writer.returncode, 0)
    checks.true("copies were made meanwhile", made > 1, str(made))


def tables(db):
    """Rows by table, as the digest tells them."""
    return {line.split()[0]: int(line.split()[2]) for line in store.digest(db).splitlines()}


def expired(checks, folder):
    """Three sensors' days, 100, 40, 20 and 5 days before the day that is said to be now."""
    now = "2026-04-11"  # 100 days after the first packets
    base = store.MIDNIGHT
    db = os.path.join(folder, "old")
    packets = {age: [f._replace(ts=f.ts + (100 - age) * DAY * store.NS - DAY * store.NS) for f in
                     store.frames(age, 600, 900, 80)] for age in (100, 40, 20, 5)}
    files = {age: store.write(folder, "age-%d.pcap" % age, frames) for age, frames in packets.items()}
    checks.equal("now is 100 days after the first", base + 99 * DAY, 1775865600)
    for age, path in files.items():
        well(checks, "%d days old: stored" % age, store.analyze(db, [path], "--sensor", "alpha"))
    with open(files[20], "rb") as f:
        well(checks, "from standard input", store.analyze(db, ["-"], "--sensor", "beta", stdin=f))
    checks.equal("it is in the spool", len(os.listdir(os.path.join(db, "spool"))), 1)
    before = tables(db)
    alone = {}
    for age, path in files.items():
        one = os.path.join(folder, "one-%d" % age)
        well(checks, "%d days old: alone" % age, store.analyze(one, [path], "--sensor", "alpha"))
        alone[age] = tables(one)
    alone["pipe"] = alone[20]
    checks.equal("rows of the four days", before, {t: sum(alone[a][t] for a in alone) for t in before})
    well(checks, "nothing is old yet", command("expire", db, "--now", "2026-01-15"))
    checks.equal("nothing is old yet: rows", tables(db), before)
    whole(checks, "nothing is old yet", db, store.digest(db))
    untouched = store.copied(db, os.path.join(folder, "untouched"))

    for wrong in ("2026-04-09", "2126-01-01"):  # what was observed last is of 2026-04-06
        done = command("expire", db, "--now", wrong)
        store.one_sentence(checks, "a clock at %s" % wrong, done)
        checks.true("a clock at %s: which" % wrong, "MON-STO-014" in done.err, done.err)
        checks.equal("a clock at %s: nothing is taken out" % wrong, tables(db), before)
    done = command("expire", db, "--now", now, "--force")
    well(checks, "expire", done)
    want = {t: sum(alone[a][t] for a in ((20, "pipe", 5) if t == "flow_payload" else (40, 20, "pipe", 5))) for t in before}
    checks.equal("what is left", tables(db), want)
    whole(checks, "expired", db, store.digest(db))
    checks.equal("the spool is empty", os.listdir(os.path.join(db, "spool")), [])
    left = store.digest(db)
    checks.equal("of a day that is gone only sums are left", {p.split("parquet/")[1].split("/")[0] for p in folders_of(db)
                                                              if "day=2026-01-01" in p}, {"class_hour", "class_month", "port_day", "port_month"})
    well(checks, "expire again", command("expire", db, "--now", now, "--force"))
    checks.equal("expire again", store.digest(db), left)
    late = store.write(folder, "too-late.pcap", packets[100][:7])
    done = store.analyze(db, [late], "--sensor", "alpha")
    checks.true("a segment of a day that is gone", done.code == 1 and "too late" in done.out + done.err, done.out + done.err)
    checks.equal("it adds nothing", store.digest(db), left)
    whole(checks, "after it", db, left)
    later = store.write(folder, "later.pcap", packets[5][:7])
    well(checks, "a day that is kept goes on", store.analyze(db, [later], "--sensor", "beta"))
    for options in (("--detail", "10"), ("--payloads", "4")):
        store.copied(untouched, db)
        well(checks, "expire %s" % " ".join(options), command("expire", db, "--now", now, "--force", *options))
        good, said = store.check(db)
        checks.true("expire %s: checked" % " ".join(options), good, said)
    return untouched, now, left


def folders_of(db):
    return [base for base, _, _ in os.walk(os.path.join(db, "parquet"))]


def stopped(checks, folder, name, start, prepare, finish):
    """A command killed before each of its steps, and failing at some, then made again."""
    log = os.path.join(folder, "steps")
    db = prepare()
    checks.equal("%s: counted" % name, start(db, env=store.stepped(db, log=log)).code, 0)
    steps = store.steps_of(log)
    os.unlink(log)
    checks.true("%s: has steps" % name, len(steps) > 20, str(len(steps)))
    stride = 1 if os.environ.get("MONOMI_STORE_EVERY") == "1" else 4
    for act, error in (("KILL", None), ("FAIL", errno.ENOSPC), ("FAIL", errno.EIO)):
        for s in steps[(error or 0) % stride::stride if act == "KILL" else stride * 4]:
            label = "%s: %s at step %d (%s)" % (name, act, s.number, s.kind)
            db = prepare()
            done = start(db, env=store.stepped(db, act, s.number, error))
            if act == "KILL":
                checks.true("%s: is killed" % label, store.killed(done), done.err)
            elif done.code:
                store.one_sentence(checks, label, done)
            finish(label, db)


def stopped_copies(checks, folder, runs):
    source, target = os.path.join(folder, "source"), os.path.join(folder, "target")
    well(checks, "source", runs[0].start(source))
    want = store.digest(source)

    def prepare():
        shutil.rmtree(target, ignore_errors=True)
        return target

    def finish(label, db):
        if store.digest(db) != want:
            checks.true("%s: no store yet" % label, not os.path.exists(os.path.join(db, "monomi-store")))
        checks.equal("%s: the source" % label, store.digest(source), want)
    stopped(checks, folder, "backup", lambda db, **more: command("backup", source, "--to", db, **more), prepare, finish)


def stopped_expiry(checks, folder, untouched, now, left):
    before = store.digest(untouched)

    def finish(label, db):
        good, said = store.check(db)
        checks.true("%s: checked" % label, good, said)
        checks.true("%s: before or after" % label, store.digest(db) in (before, left))
        well(checks, "%s: made again" % label, command("expire", db, "--now", now, "--force"))
        checks.equal("%s: made again, digest" % label, store.digest(db), left)
        good, said = store.check(db)
        checks.true("%s: made again, checked" % label, good and not store.notes(said), said)
    stopped(checks, folder, "expire", lambda db, **more: command("expire", db, "--now", now, "--force", **more),
            lambda: store.copied(untouched, os.path.join(folder, "expiring")), finish)


def joined_over_midnight(checks, folder):
    """The commit that ends a day of many small parts joins them once. It did twice where it brought the eighth of them."""
    db, at_once = os.path.join(folder, "joined"), os.path.join(folder, "at-once")
    files = [store.write(folder, "part-%d.pcap" % i, store.frames(70 + i, 600 * i - 7200, 600 * i - 7000, 12)) for i in range(7)]
    files.append(store.write(folder, "over.pcap", store.frames(77, -200, 200, 40)))
    for file in files:
        well(checks, "over midnight: stored", store.analyze(db, [file]))
    well(checks, "over midnight: stored at once", store.analyze(at_once, files))
    whole(checks, "over midnight", db, store.digest(at_once))


def main():
    checks = store.checks_of_steps()
    with harness.scratch() as folder:
        runs = store.sequence(folder)
        store.undisturbed(checks, folder, runs)
        joined_over_midnight(checks, folder)
        copies(checks, folder, runs)
        copies_while_written(checks, folder, runs)
        stopped_copies(checks, folder, runs)
        stopped_expiry(checks, folder, *expired(checks, folder))
    checks.finish()


if __name__ == "__main__":
    main()
