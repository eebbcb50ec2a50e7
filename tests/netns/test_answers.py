#!/usr/bin/env python3
"""How a live sensor answers is found, kept and told: by live counters, metrics, and coverage, a piece at a time.

`outside` probes, `host` is the sensor's host with services on ports 22 and 80. First nothing is said: the host answers, and
so it is told; a reset that follows a SYN-ACK of the host is an answer to us and makes no row, one out of nowhere does. Then
`answers: silent` with who manages it: the rule is there before the first packet is read, comes back when somebody takes it
away, and coverage tells what was between. Then silence is wanted, but nobody was named who is still let in: nothing is
locked out, and the sensor is told to answer. Skipped without root or without nft.

Mutants it kills, each tried once: a mode that is always silent; a rule that is looked at once alone; a mode that no piece tells;
resets after our SYN-ACK taken for backscatter; a rule made although nobody would be let in.
"""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]
import harness  # noqa: E402
import netns  # noqa: E402
import observatory  # noqa: E402
import stores  # noqa: E402

TAG = "moa%d" % os.getpid()
OUTSIDE, HOST = TAG + "-out", TAG + "-host"
OPTIONS = ("--sensor", "dark", "--monitored", "198.18.9.9")
started = []

# A SYN to 80 by hand: the kernel here knows nothing of it and resets the SYN-ACK. Then a reset of a connection that never was.
HALF_OPEN = """
import socket, struct
def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    total = (total >> 16) + (total & 0xffff)
    return ~(total + (total >> 16)) & 0xffff
def segment(sport, dport, flags):
    head = struct.pack("!HHLLBBHHH", sport, dport, 1000, 0, 0x50, flags, 1024, 0, 0)
    pseudo = socket.inet_aton("198.18.9.1") + socket.inet_aton("198.18.9.9") + struct.pack("!BBH", 0, 6, len(head))
    return head[:16] + struct.pack("!H", checksum(pseudo + head)) + head[18:]
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
s.sendto(segment(40001, 80, 2), ("198.18.9.9", 0))
s.sendto(segment(40002, 80, 4), ("198.18.9.9", 0))
"""


def up():
    netns.pair((OUTSIDE, "s0", "198.18.9.1/24"), (HOST, "d0", "198.18.9.9/24"))


def down():
    observatory.end_all()
    for process in started:
        process.kill()
    netns.take_down(OUTSIDE, HOST)


def python(ns, program, *words):
    done = subprocess.run(["ip", "netns", "exec", ns, sys.executable, "-c", program, *words], capture_output=True, text=True,
                          timeout=120)
    return done.stdout.strip()


def connect(port, wait=20):
    return python(OUTSIDE, netns.CONNECT, "198.18.9.9", str(port), str(wait))


def nft(*words):
    return subprocess.run(["nft", *words], capture_output=True, text=True)


def mode_of(live):
    return live["sensors"][0]["mode"]


def metrics(o):
    with urllib.request.urlopen(o.url.rstrip("/") + "/metrics", timeout=30) as answer:
        return answer.read().decode()


def observe(db, *more):
    return observatory.Observatory(db, "--interface", "d0", *OPTIONS, *more)


def modes(db):
    return [r["mode"] for r in stores.query(db, "SELECT mode FROM rest.coverage ORDER BY from_ns")]


def rest(db):
    """Everything that was captured is stored."""
    observatory.store_rest(db, "dark", *OPTIONS[2:])


def test_as_it_is_found(checks, folder):
    db = os.path.join(folder, "found")
    o = observe(db)
    o.wait("live counters", "/v1/live", lambda j: mode_of(j) == "host-answers")
    checks.true("metrics", 'monomi_sensor_mode{sensor="dark",mode="host-answers"} 1\n' in metrics(o), metrics(o))
    checks.equal("the host answers", connect(443), "refused")
    python(OUTSIDE, HALF_OPEN)
    seen = o.wait("what was sent", "/v1/live", lambda j: sum(m["accesses"] for m in j["minutes"]) >= 2)
    o.wait("the pieces of it", "/v1/live", lambda j: j["at"] > seen["at"] + 2000)
    checks.equal("ends well", o.end(), (0, []))
    rest(db)
    checks.equal("coverage", set(modes(db)), {"host-answers"})
    rows = stores.query(db, "SELECT class, sum(packets)::INTEGER AS packets FROM flow WHERE protocol = 'tcp' GROUP BY class ORDER BY class")
    checks.equal("a reset after our SYN-ACK is no backscatter, one out of nowhere is",
                 {r["class"]: r["packets"] for r in rows}.get("backscatter"), 1)
    out = os.path.join(folder, "found.pcap")
    harness.monomi("packets", "--db", db, "--sensor", "dark", "--port", "tcp/80", "--out", out)


def test_kept_silent(checks, folder):
    db = os.path.join(folder, "kept")
    o = observe(db, "--answers", "silent", "--manage", "tcp/22")
    o.wait("live counters", "/v1/live", lambda j: mode_of(j) == "silent")
    checks.true("metrics", 'mode="silent"} 1\n' in metrics(o), metrics(o))
    checks.equal("nobody is answered", connect(80, 2), "nothing")
    checks.equal("but management", connect(22), "connected")
    nft("insert", "rule", "inet", "monomi", "on_d0", "iifname", "d0", "accept")  # lets all in
    o.wait("a rule put right", "/v1/status", lambda s: "iifname \"d0\" accept" not in nft("list", "table", "inet", "monomi").stdout)
    checks.equal("nobody is answered again", connect(80, 2), "nothing")
    checks.equal("ends well", o.end(), (0, []))
    rest(db)
    checks.equal("coverage", set(modes(db)), {"silent"})
    nft("delete", "table", "inet", "monomi")


def test_change(checks, folder):
    """Somebody else makes it silent, and answer again, while it runs."""
    db = os.path.join(folder, "change")
    harness.monomi("sensor", "silence", "--interface", "d0", "--no-management")
    o = observe(db)
    o.wait("live counters", "/v1/live", lambda j: mode_of(j) == "silent")
    nft("delete", "table", "inet", "monomi")
    o.wait("the change", "/v1/live", lambda j: mode_of(j) == "host-answers")
    checks.true("it was said", "MON-DMN-055: sensor dark on d0: host-answers" in o.said(), o.said())
    checks.equal("ends well", o.end(), (0, []))
    rest(db)
    checks.true("coverage tells of the time it answered", "host-answers" in modes(db), modes(db))


def test_nobody_named(checks, folder):
    db = os.path.join(folder, "nobody")
    o = observe(db, "--answers", "silent")
    o.wait("live counters", "/v1/live", lambda j: mode_of(j) == "host-answers")
    checks.equal("nobody is locked out", connect(22), "connected")
    checks.true("why", "no management was named" in o.said(), o.said())
    checks.equal("ends well", o.end(), (0, []))


def main():
    netns.begin(("ip", "nft"), up, down)
    netns.enter_until_end(HOST)
    checks = harness.Checks()
    server = subprocess.Popen([sys.executable, "-c", netns.SERVE], stdout=subprocess.PIPE, text=True)
    started.append(server)
    server.stdout.readline()
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o711)
        test_as_it_is_found(checks, folder)
        test_kept_silent(checks, folder)
        test_change(checks, folder)
        test_nobody_named(checks, folder)
        observatory.end_all()
    checks.finish()


main()
