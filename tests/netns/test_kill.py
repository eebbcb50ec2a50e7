#!/usr/bin/env python3
"""Roles of a live observatory, the capture among them, and now and then its parent, killed by -9 at random while numbered
datagrams come: it comes back each time, no packet is found twice, each that is missing is missing where coverage has a gap
(or says that it was dropped), and what the store has is what `analyze --db` makes of the same segments.

Seven kills; with MONOMI_KILL_SECONDS=600 (`make test-kill`) kills for so long, and each must be over within 5 seconds: the
API answers, and live counters tell of what came after. It prints the longest time.
"""
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]
import harness  # noqa: E402
import netns  # noqa: E402
import observatory  # noqa: E402
import store  # noqa: E402

TAG = "mok%d" % os.getpid()
SEND, DARK = TAG + "-send", TAG + "-dark"
MAC = "02:00:00:00:00:01"
OPTIONS = ("--sensor", "dark", "--monitored", "198.18.0.0/16")
ROLES = ("keeper", "engine", "capture", "reader", "server")
SECONDS = float(os.environ.get("MONOMI_KILL_SECONDS") or 0)
KILLS = 7
RATE = 2000
BOUND = 5


def up():
    netns.veth(SEND, DARK, [MAC])


def down():
    netns.take_down(SEND, DARK)


def observe(db):
    return observatory.Observatory(db, "--interface", "d0", *OPTIONS)


def await_service(o, moment):
    """The API answers, and live counters have what came after `moment` (s since 1970)."""
    o.wait("an answer", "/v1/status", lambda s: True)
    o.wait("live counters", "/v1/live", lambda j: j["at"] > moment * 1000)


def kill(o, db, victim):
    """Kills a role or the parent; the observatory that goes on, and how long it was away."""
    began, moment = time.monotonic(), time.time()
    if victim == "parent":
        gone = list(o.roles().values())
        o.kill()
        while any(os.path.exists("/proc/%d/exe" % pid) for pid in gone):
            time.sleep(0.01)
        o = observe(db)
    else:
        pid = o.await_roles(ROLES)[victim]
        os.kill(pid, signal.SIGKILL)
        while o.roles().get(victim, pid) == pid:
            time.sleep(0.01)
    await_service(o, moment)
    return o, time.monotonic() - began


def run(checks, db):
    rng = random.Random(20261124)
    o = observe(db)
    await_service(o, time.time())
    source = subprocess.Popen(["ip", "netns", "exec", SEND, os.path.join(harness.BUILD_DIR, "tests", "live-send"), "s0", MAC,
                               str(1 << 26), "7200", str(RATE)], stdout=subprocess.PIPE, text=True)
    begun, kills, longest = time.monotonic(), 0, {}
    victims = ["capture", "keeper", "parent", "engine", "capture", "server", "reader"]
    while kills < KILLS or time.monotonic() - begun < SECONDS:
        victim = victims.pop() if victims else rng.choice(ROLES + ("capture", "keeper", "parent"))
        o, away = kill(o, db, victim)
        kills += 1
        longest[victim] = max(longest.get(victim, 0), away)
        if SECONDS:
            checks.true("kill %d, of the %s: back" % (kills, victim), away <= BOUND, "after %.1f s" % away)
        time.sleep(rng.uniform(0, 1.5))
    source.terminate()
    sent = int(source.communicate()[0].split()[0])
    time.sleep(1)
    checks.equal("ends well", o.end(), (0, []))
    print("%d kills, at most so long until it served again: %s" % (kills, ", ".join("%s %.1f s" % x for x in longest.items())))
    checks.true("nothing was left out", "MON-DMN-028" not in o.said(), o.said())
    return sent


def rows(db, text):
    return [line.split(",") for line in harness.monomi("query", "--db", db, "--format", "csv", text).out.splitlines()[1:]]


def check_packets(checks, db, sent):
    """Between two packets that follow each other by time, those that are missing lie in what was not observed."""
    done, found = observatory.numbered(db, "dark")
    checks.equal("packets", (done.code, done.err), (0, ""))
    checks.equal("found twice", [n for n, times in found.items() if len(times) > 1], [])
    ranges = [(int(a), int(b), int(d)) for a, b, d in rows(db, "SELECT from_ns, to_ns, dropped FROM rest.coverage ORDER BY 1")]
    checks.true("gaps", len(ranges) > 1, ranges)
    dropped = sum(d for _, _, d in ranges)
    kept = sorted((n, times[0]) for n, times in found.items())
    unsaid = []
    for (n, t), (m, u) in zip(kept, kept[1:]):
        observed = sum(max(0, min(b + 1, u) - max(a, t)) for a, b, _ in ranges)
        if m > n + 1 and observed >= u - t:
            unsaid.append((m - n - 1, t, u))
    missing = sent - len(found)
    print("%d sent, %d found, %d said to be dropped, the others in %d gaps" % (sent, len(found), dropped, len(ranges) - 1))
    checks.true("what is missing in covered time is said to be dropped", sum(x[0] for x in unsaid) <= dropped, (dropped, unsaid[:5]))
    checks.true("most is there", missing < sent // 2, (missing, sent))
    outside = [t for _, t in kept if not any(a <= t <= b for a, b, _ in ranges)]
    checks.equal("packets outside of coverage", outside[:5], [])


def check_store(checks, folder, db):
    good, said = store.check(db)
    checks.true("store check", good, said)
    kept = rows(db, "SELECT path FROM rest.segments WHERE state = 'stored' ORDER BY from_ns")
    checks.equal("none was refused", rows(db, "SELECT path, reason FROM rest.segments WHERE state <> 'stored'"), [])
    again = os.path.join(folder, "again")
    done = store.analyze(again, [os.path.join(db, k[0]) for k in kept], *OPTIONS)
    checks.equal("analyze of the same segments", (done.code, done.err), (0, ""))
    checks.equal("digest", store.digest(db), store.digest(again))


def main():
    netns.begin(("ip",), up, down)
    netns.enter_until_end(DARK)
    checks = harness.Checks()
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o711)
        db = os.path.join(folder, "db")
        sent = run(checks, db)
        checks.equal("nothing waits", observatory.store_rest(db, "dark", *OPTIONS[2:]), [])
        check_packets(checks, db, sent)
        check_store(checks, folder, db)
        observatory.end_all()
    checks.finish()


main()
