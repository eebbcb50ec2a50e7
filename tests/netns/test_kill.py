#!/usr/bin/env python3
"""Roles of a live observatory, the capture among them, and now and then its parent, killed by -9 at random while numbered
datagrams come: it comes back each time, no packet is found twice, each that is missing is missing where coverage has a gap
(or says that it was dropped), and what the store has is what `analyze --db` makes of the same segments.

What came is not taken from what was found: a witness, a socket of its own on the same link, writes down the number of each
datagram and the kernel's stamp, which is the one that the capture sees. So it is known when each that is missing came, and in
each range of coverage there are no more of these than the range says were dropped.

Mutants it kills, each tried once: a capture that begins to observe a second before its first packet; one that tells of time
still to come; one that does not heed when its socket was opened (as it was until this test).

Seven kills; with MONOMI_KILL_SECONDS=600 (`make test-kill`) kills for so long, and each must be over within 5 seconds: the
API answers, and live counters tell of what came after. It prints the longest time.
"""
import bisect
import os
import random
import signal
import struct
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


WITNESS = """
import signal, socket, struct, sys
ended = []
signal.signal(signal.SIGTERM, lambda *_: ended.append(1))
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
s.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
s.setsockopt(socket.SOL_SOCKET, 35, 1)  # SO_TIMESTAMPNS
s.bind(("d0", 0x0800))
s.settimeout(0.2)
print("ready", flush=True)
with open(sys.argv[1], "wb") as out:
    while not ended:
        try:
            data, more, _, where = s.recvmsg(64, 64)
        except TimeoutError:
            continue
        if where[2] != 4 and data[23] == 17 and data[36:38] == b"\\0\\x09":  # not sent; UDP to port 9
            seconds, part = struct.unpack("qq", more[0][2])
            out.write(data[42:50] + struct.pack(">q", seconds * 10**9 + part))
print(struct.unpack("II", s.getsockopt(263, 6, 8))[1])  # SOL_PACKET, PACKET_STATISTICS: lost
"""


class Witness:
    """{number: the kernel's stamp (ns)} of all datagrams that came to the link."""

    def __init__(self, path):
        self.path = path
        self.process = subprocess.Popen([sys.executable, "-c", WITNESS, path], stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()

    def end(self):
        self.process.terminate()
        lost = int(self.process.communicate(timeout=120)[0])
        with open(self.path, "rb") as f:
            return dict(struct.iter_unpack(">Qq", f.read())), lost


def run(checks, db, witness):
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
    came, unseen = witness.end()
    checks.equal("the witness saw all that was sent", (len(came), unseen), (sent, 0))
    checks.equal("ends well", o.end(), (0, []))
    print("%d kills, at most so long until it served again: %s" % (kills, ", ".join("%s %.1f s" % x for x in longest.items())))
    checks.true("nothing was left out", "MON-DMN-028" not in o.said(), o.said())
    return came


def rows(db, text):
    return [line.split(",") for line in harness.monomi("query", "--db", db, "--format", "csv", text).out.splitlines()[1:]]


def check_packets(checks, db, came):
    """Of those that came in a range of coverage no more are missing than the range says were dropped."""
    done, found = observatory.numbered(db, "dark")
    checks.equal("packets", (done.code, done.err), (0, ""))
    checks.equal("found twice", [n for n, times in found.items() if len(times) > 1], [])
    checks.equal("found with another stamp than the witness's",
                 [(n, times[0] - came.get(n, 0)) for n, times in found.items() if times[0] != came.get(n)][:5], [])
    ranges = [(int(a), int(b), int(d)) for a, b, d in rows(db, "SELECT from_ns, to_ns, dropped FROM rest.coverage ORDER BY 1")]
    checks.true("gaps", len(ranges) > 1, ranges)
    starts = [a for a, _, _ in ranges]
    missing, in_gaps, outside = [[] for _ in ranges], 0, 0
    for n, at in came.items():
        k = bisect.bisect_right(starts, at) - 1
        inside = k >= 0 and at <= ranges[k][1]
        if n in found:
            outside += not inside
        elif inside:
            missing[k].append(at)
        else:
            in_gaps += 1
    for (a, b, dropped), lost in zip(ranges, missing):
        if len(lost) > dropped:
            checks.true("range of %.3f s" % ((b - a) / 1e9), False, "%d are missing, from %.3f to %.3f s of it; %d said to be dropped"
                        % (len(lost), (min(lost) - a) / 1e9, (max(lost) - a) / 1e9, dropped))
    print("%d came, %d found; %d missing in %d gaps, %d in covered time, where %d are said to be dropped"
          % (len(came), len(found), in_gaps, len(ranges) - 1, sum(map(len, missing)), sum(d for _, _, d in ranges)))
    checks.true("what is missing in covered time is said to be dropped", all(len(m) <= r[2] for m, r in zip(missing, ranges)))
    checks.equal("found outside of coverage", outside, 0)
    checks.true("most is there", len(came) - len(found) < len(came) // 2, (len(found), len(came)))


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
        came = run(checks, db, Witness(os.path.join(folder, "witness")))
        checks.equal("nothing waits", observatory.store_rest(db, "dark", *OPTIONS[2:]), [])
        check_packets(checks, db, came)
        check_store(checks, folder, db)
        observatory.end_all()
    checks.finish()


main()
