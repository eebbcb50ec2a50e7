#!/usr/bin/env python3
"""monomi sensor: a host kept silent, and what a firewall on the way ate, in network namespaces of our own.

`outside` is who probes, `host` the sensor's host with services on two ports. Skipped without root or without nft.

Mutants this kills, each tried once: a table that does not drop; one that drops answers to the host's own connections;
probes of another key taken.
"""
import os
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import netns  # noqa: E402
from netns import begin, expect, faults, take_down, told  # noqa: E402

MONOMI = os.environ.get("MONOMI", "build-test/monomi")
TAG = "mos%d" % os.getpid()
OUTSIDE, HOST = TAG + "-out", TAG + "-host"
started = []


def inside(ns, *words, **more):
    process = subprocess.Popen(["ip", "netns", "exec", ns, *words], stdout=subprocess.PIPE, text=True, **more)
    started.append(process)
    return process


def run(ns, *words):
    process = inside(ns, *words)
    out, _ = process.communicate(timeout=120)
    return process.returncode, out


def down():
    for process in started:
        process.kill()
    take_down(OUTSIDE, HOST)


def up():
    netns.pair((OUTSIDE, "s0", "198.18.9.1/24"), (HOST, "d0", "198.18.9.9/24"))


def connect(ns, to, port, wait=20):
    """What a connection comes to; only where nothing should come is the wait short."""
    return run(ns, sys.executable, "-c", netns.CONNECT, to, str(port), str(wait))[1].strip()


def sensor(ns, *words):
    return run(ns, MONOMI, "sensor", *words)


def test_silence():
    server = inside(HOST, sys.executable, "-c", netns.SERVE)
    server.stdout.readline()
    other = inside(OUTSIDE, sys.executable, "-c", netns.SERVE)
    other.stdout.readline()
    expect("a default host answers", connect(OUTSIDE, "198.18.9.9", 443), "refused")
    expect("check says so", sensor(HOST, "check", "--interface", "d0")[0], 1)
    expect("silence without a word on management", sensor(HOST, "silence", "--interface", "d0")[0], 2)
    expect("silence", sensor(HOST, "silence", "--interface", "d0", "--manage", "tcp/22")[0], 0)
    expect("check says so", sensor(HOST, "check", "--interface", "d0")[0], 0)
    expect("a closed port answers nothing", connect(OUTSIDE, "198.18.9.9", 443, 2), "nothing")
    expect("nor does an open one", connect(OUTSIDE, "198.18.9.9", 80, 2), "nothing")
    expect("management gets in", connect(OUTSIDE, "198.18.9.9", 22), "connected")
    expect("the host gets out", connect(HOST, "198.18.9.1", 22), "connected")
    expect("and hears refusals", connect(HOST, "198.18.9.1", 443), "refused")
    expect("a second time for a peer", sensor(HOST, "silence", "--interface", "d0", "--manage", "198.18.9.1")[0], 0)
    expect("who gets in everywhere", connect(OUTSIDE, "198.18.9.9", 80), "connected")
    run(HOST, "nft", "insert rule inet monomi on_d0 accept")
    expect("a table somebody changed is not silence", sensor(HOST, "check", "--interface", "d0")[0], 1)
    expect("answer", sensor(HOST, "answer")[0], 0)
    expect("answers again", connect(OUTSIDE, "198.18.9.9", 443), "refused")
    for process in (server, other):
        process.kill()


WALL = """
table inet wall {
    chain out {
        type filter hook output priority 0
        tcp dport { 23, 445 } drop
        udp dport 53 drop
        icmp type echo-request drop
    }
}
"""


def verify(key, other_key=None):
    listener = inside(HOST, MONOMI, "sensor", "verify", "--interface", "d0", "--key", key, "--seconds", "300")
    listener.stdout.readline()
    code, _ = sensor(OUTSIDE, "probe", "--to", "198.18.9.9", "--key", other_key or key)
    expect("probes are sent", code, 0)
    listener.send_signal(signal.SIGINT)
    out, _ = listener.communicate(timeout=120)
    came, eaten = out.split("did not come:")
    return listener.returncode, came, eaten


def test_reach(folder):
    key, other = (os.path.join(folder, name) for name in ("key", "other"))
    for path in (key, other):
        with open(path, "wb") as f:
            f.write(os.urandom(32))
    sensor(HOST, "silence", "--interface", "d0", "--no-management")  # behind what captures see
    code, came, eaten = verify(key)
    expect("everything comes where nothing is between", (code, eaten.split()), (0, ["none"]))
    expect("and is listed", came, lambda text: "echo request" in text and " 53413" in text and " 37215" in text)
    run(OUTSIDE, "nft", "-f", write(folder, WALL))
    code, _, eaten = verify(key)
    expect("what a firewall eats is listed", (code, eaten.split()), (1, "echo request tcp 23 445 udp 53".split()))
    code, came, _ = verify(key, other)
    expect("probes of another key are none", (code, "none" in came), (1, True))


def write(folder, text):
    path = os.path.join(folder, "rules")
    with open(path, "w") as f:
        f.write(text)
    return path


def main():
    begin(("ip", "nft"), up, down)
    test_silence()
    with tempfile.TemporaryDirectory() as folder:
        test_reach(folder)
    return told(faults)


if __name__ == "__main__":
    sys.exit(main())
