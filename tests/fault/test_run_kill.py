#!/usr/bin/env python3
"""Roles of a running observatory, and now and then its parent, killed by -9 at random: it comes back each time, no moment
is stored twice or missed, and what the store has is what `analyze --db` makes of the same segments.

Nine kills; with MONOMI_KILL_SECONDS=600 (`make test-kill`) kills for so long, and each must be over within 5 seconds. It
prints the longest time until the page answered again.

It found that a keeper that was killed between two pieces it removed joined the rest under the name that the ledger had.
"""
import os
import random
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness  # noqa: E402
import observatory  # noqa: E402
import store  # noqa: E402

ROLES = ("keeper", "engine", "simulator", "reader", "server")
SECONDS = float(os.environ.get("MONOMI_KILL_SECONDS") or 0)
KILLS = 9
BOUND = 5
OPTIONS = ("--sensor", "simulated", "--monitored", "198.18.0.0/24")


def answers(o):
    return o.wait("an answer", "/v1/status", lambda s: s["packets"] > 0)


def kill(o, db, victim):
    """Kills a role or the parent; the observatory that goes on, and how long it was away."""
    began = time.monotonic()
    if victim == "parent":
        gone = list(o.roles().values())
        o.kill()
        while any(os.path.exists("/proc/%d/exe" % pid) for pid in gone):
            time.sleep(0.01)
        o = observatory.Observatory(db, "--simulate")
    else:
        pid = o.await_roles(ROLES)[victim]
        os.kill(pid, signal.SIGKILL)
        while o.roles().get(victim, pid) == pid:
            time.sleep(0.01)
    answers(o)
    return o, time.monotonic() - began


def run(checks, db):
    rng = random.Random(20261124)
    o = observatory.Observatory(db, "--simulate")
    answers(o)
    begun, kills, longest = time.monotonic(), 0, 0
    while kills < KILLS or time.monotonic() - begun < SECONDS:
        victim = rng.choice(ROLES + ("keeper", "keeper", "simulator", "parent"))
        o, away = kill(o, db, victim)
        kills += 1
        longest = max(longest, away)
        if SECONDS:
            checks.true("kill %d, of the %s: back" % (kills, victim), away <= BOUND, "after %.1f s" % away)
        time.sleep(rng.uniform(0, 1.5))
    checks.equal("ends well", o.end(), (0, []))
    print("%d kills, at most %.1f s until it answered again" % (kills, longest))
    checks.true("nothing was left out", "MON-DMN-028" not in o.said(), o.said())


def rows(db, text):
    return [line.split(",") for line in harness.monomi("query", "--db", db, "--format", "csv", text).out.splitlines()[1:]]


def minutes_of(path):
    begin, end = os.path.basename(path).split(".")[1].split("-")[:2]
    return int(end) - int(begin)


def check_store(checks, folder, db):
    good, said = store.check(db)
    checks.true("store check", good, said)
    kept = rows(db, "SELECT path, from_ns, to_ns FROM rest.segments WHERE state = 'stored' ORDER BY from_ns")
    checks.true("there are segments", len(kept) > 10, kept)
    overlaps = [(a, b) for a, b in zip(kept, kept[1:]) if int(b[1]) <= int(a[2])]
    checks.equal("no moment is stored twice", overlaps, [])
    checks.equal("none was refused", rows(db, "SELECT path, reason FROM rest.segments WHERE state <> 'stored'"), [])
    # What came minute by minute follows each other: whoever was killed, nothing is missing.
    live = [(int(k[1]), int(k[2])) for k in kept if minutes_of(k[0]) == 1]
    missing = [(a, b) for a, b in zip(live, live[1:]) if b[0] != a[1] + 1]
    checks.equal("nothing is missing", (missing, len(live) > 10), ([], True))
    again = os.path.join(folder, "again")
    done = store.analyze(again, [os.path.join(db, k[0]) for k in kept], *OPTIONS)
    checks.equal("analyze of the same segments", (done.code, done.err), (0, ""))
    checks.equal("digest", store.digest(db), store.digest(again))


def main():
    checks = harness.Checks()
    with harness.scratch() as folder:
        db = os.path.join(folder, "db")
        run(checks, db)
        check_store(checks, folder, db)
    checks.finish()


main()
