"""What the tests of the store share: small captures whose segments meet in minutes, runs into a store, and the numbered
steps of fault/steps.c.
"""
import collections
import os
import random
import shutil
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", part) for part in ("oracle", "golden", "lib")]
import captures
import harness
import make_captures
import test_cli

MIDNIGHT = make_captures.START + 86400  # 2026-01-02T00:00:00Z
NS = 1000000000
STEPS = os.path.join(harness.BUILD_DIR, "tests", "monomi-steps.so")
Step = collections.namedtuple("Step", "number kind size offset path")


def frames(seed, begin, end, count=40, sources="192.0.2.%d"):
    """So many packets of every kind from `begin` to `end` (seconds from MIDNIGHT), in order; few sources, so that rows of
    several segments meet in one key."""
    rng = random.Random(seed)
    kinds = make_captures.frames()
    out = []
    for moment in sorted(rng.uniform(begin, end) for _ in range(count)):
        data = rng.choice(kinds) if rng.random() < 0.7 else make_captures.tcp(
            sources % rng.randrange(1, 5), make_captures.DARK4 % rng.randrange(1, 9), 40000, rng.choice((22, 23, 80)),
            make_captures.SYN, options=make_captures.MSS)
        out.append(captures.Frame(int((MIDNIGHT + moment) * NS) // 1000 * 1000, captures.LINK_ETHERNET, data,
                                  max(len(data), 60), 0, False))
    return out


def write(folder, name, packets):
    path = os.path.join(folder, name)
    captures.write_pcap(path, packets)
    return path


def analyze(db, files, *options, **more):
    return harness.monomi("analyze", "--summary", "json", "--db", db, *options, *files, **more)


def digest(db, **more):
    """The digest of a store's rows as text, or None with what was said instead."""
    run = harness.monomi("digest", "--db", db, **more)
    return run.out if run.code == 0 else "%d %s" % (run.code, run.err)


def digests(db):
    """The same by table; {} where the store cannot be read."""
    return dict(line.split()[:2] for line in harness.monomi("digest", "--db", db).out.splitlines())


def check(db):
    """`store check`: (passed, what it said)."""
    run = harness.monomi("store", "check", "--db", db)
    return run.code == 0, run.out + run.err


def stepped(db, act=None, number=0, error=None, log=None, data=False):
    """The environment that numbers the steps below `db`, and does `act` at one of them."""
    env = {"LD_PRELOAD": STEPS, "MONOMI_STEPS_IN": os.path.realpath(db)}
    if act:
        env["MONOMI_STEP"] = "%s=%d" % (act, number)
    if error:
        env["MONOMI_STEP_ERRNO"] = str(error)
    if log:
        env["MONOMI_STEPS_LOG"] = log
    if data:
        env["MONOMI_STEPS_DATA"] = "1"
    return env


def steps_of(log):
    """The steps that a run logged, without their data."""
    out = []
    if os.path.exists(log):
        with open(log, encoding="utf-8") as f:
            for line in f:
                number, kind, size, offset, path = line.rstrip("\n").split(" ", 4)
                out.append(Step(int(number), kind, int(size), int(offset), path))
    return out


def parts_of(db):
    """Every file below parquet/, sorted."""
    found = []
    for base, _, names in os.walk(os.path.join(db, "parquet")):
        found += [os.path.join(base, name) for name in names]
    return sorted(found)


def notes(said):
    """What `store check` says that is no fault: what a crash left for the next writer."""
    return [line for line in said.splitlines() if line.startswith("ok") and len(line.split()) > 2]


def sql(file, text):
    """Statements to a database ("": in memory): what the last one gave, tabs between columns."""
    done = subprocess.run([os.path.join(harness.BUILD_DIR, "tests", "monomi-sql"), file], input=text.encode(),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode:
        raise AssertionError("%s: %s" % (text, done.stderr.decode()))
    return done.stdout.decode()


def copied(db, to):
    """A copy of a store as it lies there."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(db, to, symlinks=True)
    return to


def killed(run):
    return run.code == -signal.SIGKILL


class Run:
    """One run of the sequence: its arguments, and the store before and after it when nothing disturbs."""

    def __init__(self, name, sensor, files, stdin=None):
        self.name, self.stdin = name, stdin
        self.options = ["--sensor", sensor, "--shards", "1"]
        self.files = files
        self.before = self.want = self.allowed = None

    def start(self, db, **more):
        if self.stdin:
            with open(self.stdin, "rb") as f:
                return analyze(db, ["-"], *self.options, stdin=f, **more)
        return analyze(db, self.files, *self.options, **more)


def sequence(folder):
    """Segments that share minutes, one of two days, one that is late, one seen before, another sensor's, a pipe's."""
    made = {name: write(folder, name + ".pcap", frames(seed, begin, end, count))
            for seed, name, begin, end, count in (
                (1, "evening", -200, -90, 30), (2, "midnight", -110, 70, 40), (3, "late", -170, -150, 12),
                (4, "other", -150, 40, 30), (5, "pipe", 100, 200, 20), (6, "more", 30, 170, 20))}
    return [
        Run("first", "alpha", [made["evening"]]),
        Run("two days", "alpha", [made["midnight"]]),
        Run("another sensor", "beta", [made["other"]]),
        Run("late", "alpha", [made["late"]]),
        Run("standard input", "beta", ["-"], made["pipe"]),
        Run("two files", "beta", [made["more"], made["evening"]]),
        Run("again", "alpha", [made["midnight"], made["evening"]]),
    ]


def undisturbed(checks, folder, runs):
    """Runs the sequence once, and keeps the store as it lay before each run."""
    db = os.path.join(folder, "whole")
    last = digest(db)
    for i, run in enumerate(runs):
        run.before = os.path.join(folder, "before-%d" % i)
        if os.path.isdir(db):
            copied(db, run.before)
        done = run.start(db)
        checks.equal("%s: ends well" % run.name, (done.code, done.err), (0, ""))
        good, said = check(db)
        checks.true("%s: checked" % run.name, good, said)
        run.allowed = {last, digest(db)}
        last = run.want = digest(db)
    checks.equal("again: adds nothing", len(runs[-1].allowed), 1)
    checks.equal("each other run adds rows", [len(r.allowed) for r in runs[:-1]], [2] * (len(runs) - 1))


def checks_of_steps():
    """Checks for a test that numbers steps; where that cannot be, it is skipped."""
    checks = harness.Checks()
    if not os.path.exists(STEPS):
        checks.skip("monomi-steps is not built")
        checks.finish()
    return checks


def at(run, db):
    """The store as it lay before the run, as `db`."""
    if os.path.isdir(run.before):
        return copied(run.before, db)
    shutil.rmtree(db, ignore_errors=True)
    return db


def one_sentence(checks, label, done):
    """A failure that was met: exit 1 and one line with a code."""
    checks.true("%s: one sentence" % label, done.code == 1 and done.err.count("\n") == 1 and test_cli.CODE.search(done.err),
                "%d %s" % (done.code, done.err))


def recovers(checks, label, run, db, thorough=True):
    """Whatever happened to the store, it is the one before the run or after it, and the run can be made again."""
    good, said = check(db) if os.path.exists(os.path.join(db, "monomi-store")) else (True, "")
    checks.true("%s: check passes" % label, good, said)
    if os.path.isdir(run.before):
        found = digest(db)
        checks.true("%s: before or after" % label, found in run.allowed or len(run.files) > 1, found)
    again = run.start(db)
    checks.equal("%s: made again" % label, (again.code, again.err), (0, ""))
    checks.equal("%s: digest" % label, digest(db), run.want)
    if thorough:
        good, said = check(db)
        checks.true("%s: check passes afterwards" % label, good and not notes(said), said)
    shutil.rmtree(db, ignore_errors=True)
