#!/usr/bin/env python3
"""`monomi doctor --interface` on a veth pair of our own: a link that is down or up, offloads that merge packets and the line
that turns them off, addresses counted and never shown, the reverse-path filter, whether the host answers; the same by the
interfaces of a configuration file.

Mutants it kills, each tried once: `active` of the features taken for `available`; all's rp_filter not looked at.
"""
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness  # noqa: E402
from netns import begin, expect, faults, ip, take_down, told  # noqa: E402

HERE = "mod%d" % os.getpid()
ADDRESSES = ("198.18.7.1/24", "2001:db8:18::7/64")


def up():
    ip("netns", "add", HERE)
    ip("link", "set", "lo", "up", ns=HERE)
    ip("link", "add", "d0", "type", "veth", "peer", "name", "s0", ns=HERE)
    inside("sysctl", "-qw", "net.ipv6.conf.d0.addr_gen_mode=1")


def down():
    take_down(HERE)


def inside(*words, **more):
    return subprocess.run(["ip", "netns", "exec", HERE, *words], capture_output=True, text=True, check=False, **more)


def doctor(*options):
    """({topic: (level, finding, todo)} of d0, exit code)"""
    done = inside(harness.MONOMI, "doctor", "--format", "json", *options)
    for address in ADDRESSES:
        expect("no address is shown", address.split("/")[0] in done.stdout, False)
    rows = {r["topic"]: (r["level"], r["finding"], r["todo"]) for r in json.loads(done.stdout) if r["finding"].startswith("d0: ")}
    return rows, done.returncode


def offloads(**switch):
    for name, value in switch.items():
        subprocess.run(["ip", "netns", "exec", HERE, "ethtool", "-K", "d0", name, value], check=True, capture_output=True)
    return doctor("--interface", "d0")[0]["offloads"]


def run(folder):
    rows, code = doctor("--interface", "d0")
    expect("down", (rows, code), ({"link": ("warn", "d0: it is not set up, nothing comes", "ip link set d0 up")}, 1))
    ip("link", "set", "d0", "up", ns=HERE)
    rows, _ = doctor("--interface", "d0")
    expect("its peer is down", rows["link"], ("warn", "d0: it is lowerlayerdown, nothing comes", "see to its cable or its peer"))
    ip("link", "set", "s0", "up", ns=HERE)
    ip("link", "set", "d0", "mtu", "1400", ns=HERE)
    expect("up", doctor("--interface", "d0")[0]["link"], ("ok", "d0: up, MTU 1400", None))
    for address in ADDRESSES:
        ip("address", "add", address, "dev", "d0", *(["nodad"] if ":" in address else []), ns=HERE)
    expect("addresses", doctor("--interface", "d0")[0]["link"][1],
           "d0: up, MTU 1400; 2 addresses of its own: --own where they are not monitored")
    expect("nothing merges", offloads(gro="off"), ("ok", "d0: none that merges packets", None))
    expect("gro", offloads(gro="on"), ("warn", "d0: packets of a flow are merged before they are captured (gro), and count as one",
                                       "ethtool -K d0 gro off"))
    level, finding, todo = offloads(**{"rx-gro-list": "on"})
    expect("two of them", (level, "(gro, rx-gro-list)" in finding), ("warn", True))
    expect("the line that is told turns them off", (inside(*todo.split()).returncode, offloads()[0]), (0, "ok"))
    for all_, one, want in ((0, 0, "not looked at"), (0, 2, "loose"), (1, 0, "strict"), (1, 2, "loose")):
        inside("sysctl", "-qw", "net.ipv4.conf.all.rp_filter=%d" % all_, "net.ipv4.conf.d0.rp_filter=%d" % one)
        expect("rp_filter %d, %d" % (all_, one), want in doctor("--interface", "d0")[0]["reverse path"][1], True)
    check_silence(folder)


def check_silence(folder):
    level, finding, todo = doctor("--interface", "d0")[0]["silence"]
    expect("it answers", (level, "answers probes" in finding), ("note", True))
    done = inside(*todo.replace("monomi", harness.MONOMI, 1).split())
    expect("what is told silences it", (done.returncode, done.stderr), (0, ""))
    config = os.path.join(folder, "monomi.yaml")
    with open(config, "w", encoding="utf-8") as f:
        f.write("store: db\nsensors:\n  - {name: a, interface: d0}\n")
    rows, _ = doctor("--config", config)
    expect("the file's interface, and it answers nobody", rows["silence"], ("ok", "d0: this host answers nobody", None))
    expect("with all topics", set(rows), {"link", "offloads", "reverse path", "silence", "reach"})


def main():
    begin(("ip", "ethtool", "nft"), up, down)
    with tempfile.TemporaryDirectory() as folder:
        run(folder)
    return told(faults)


if __name__ == "__main__":
    sys.exit(main())
