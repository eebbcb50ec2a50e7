"""What the tests of the store share: small captures whose segments meet in minutes, runs into a store, and the numbered
steps of fault/steps.c.
"""
import collections
import os
import random
import shutil
import signal
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", part) for part in ("oracle", "golden", "lib")]
import captures
import harness
import make_captures

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


def check(db):
    """`store check`: (passed, what it said)."""
    run = harness.monomi("store", "check", "--db", db)
    return run.code == 0, run.out + run.err


def stepped(db, act=None, number=0, error=None, log=None, data=False):
    """The environment that numbers the steps below `db`, and does `act` at one of them."""
    env = {"LD_PRELOAD": STEPS, "MONOMI_STEPS_IN": os.path.realpath(db)}
    if "asan" in harness.BUILD_DIR:
        env["ASAN_OPTIONS"] = "verify_asan_link_order=0"
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


def copied(db, to):
    """A copy of a store as it lies there."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(db, to, symlinks=True)
    return to


def killed(run):
    return run.code == -signal.SIGKILL
