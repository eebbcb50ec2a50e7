#!/usr/bin/python3
"""What must hold for any capture, whatever is in it: sums of the JSON, its shape, order of times, one object a file.
Runs over the real captures (MONOMI_CAPTURES_MORE may name further folders, separated by colons) and over small.pcap.

Killed mutants: a packet counted under two classes or under none; the total not the sum of its files; a key renamed.
"""
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", part) for part in ("lib", "oracle")]
import harness

KEYS = {"file", "packets", "bytes", "link_types", "first", "last", "min", "max", "ipv4", "ipv6", "non_ip", "tcp", "udp",
        "icmp", "icmpv6", "other_ip", "fragments", "sources", "syn", "synack", "rst", "truncated", "accesses", "attempts",
        "classes", "tools", "flows", "flow_digest", "error"}
CLASSES = {"ignored", "undecoded", "backscatter", "p2p", "scan", "payload", "misconfiguration", "other"}
REASONS = {"ignored": {"outgoing", "own", "local", "not_monitored"},
           "undecoded": {"short", "malformed", "unsupported"}}
TOOLS = {"zmap", "xmap", "masscan", "nmap", "hping3", "mirai", "unicornscan", "hajime", "mixed", "unknown"}
TIME = re.compile(r"^\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$")
SUMMED = ("packets", "bytes", "ipv4", "ipv6", "non_ip", "tcp", "udp", "icmp", "icmpv6", "other_ip", "fragments", "syn",
          "synack", "rst", "truncated", "accesses")


def plain(value):
    """Sum of an object of integers that may hold one level of objects."""
    return sum(plain(v) if isinstance(v, dict) else v for v in value.values())


def shape(checks, label, o):
    checks.true("%s: keys" % label, KEYS <= set(o), "missing %s" % sorted(KEYS - set(o)))
    checks.true("%s: classes" % label, set(o["classes"]) == CLASSES, str(sorted(o["classes"])))
    for kind, reasons in REASONS.items():
        checks.true("%s: reasons of %s" % (label, kind), set(o["classes"][kind]) <= reasons)
    checks.true("%s: tools" % label, set(o["tools"]) <= TOOLS, str(o["tools"]))
    checks.true("%s: digest" % label, re.fullmatch("[0-9a-f]{32}", o["flow_digest"]))
    for key in ("first", "last", "min", "max"):
        checks.true("%s: %s" % (label, key), o[key] is None if not o["packets"] else TIME.match(o[key] or ""))


def sums(checks, label, o):
    n = o["packets"]
    checks.equal("%s: layers" % label, o["ipv4"] + o["ipv6"] + o["non_ip"], n)
    checks.equal("%s: transports" % label, o["tcp"] + o["udp"] + o["icmp"] + o["icmpv6"] + o["other_ip"],
                 o["ipv4"] + o["ipv6"])
    checks.equal("%s: classes" % label, plain(o["classes"]), n)
    checks.true("%s: attempts" % label, (o["attempts"] > 0) == (o["accesses"] > 0) and o["attempts"] <= o["accesses"],
                "%d attempts, %d accesses" % (o["attempts"], o["accesses"]))
    counted = n - plain(o["classes"]["ignored"])
    for key in ("flows", "accesses"):
        checks.true("%s: %s" % (label, key), o[key] <= counted, "%d of %d" % (o[key], counted))
    checks.true("%s: tools" % label, plain(o["tools"]) <= n)
    for key in ("fragments", "sources", "truncated", "syn", "synack", "rst"):
        checks.true("%s: %s" % (label, key), 0 <= o[key] <= n)
    if n and "+" not in o["min"][1:]:
        checks.true("%s: times" % label, o["min"] <= min(o["first"], o["last"]) <= max(o["first"], o["last"]) <= o["max"])


def run_over(checks, files):
    run = harness.analyze(files)
    if not checks.true("no crash over %d files" % len(files), run.code in (0, 1) and not run.crashed, run.err[-2000:]):
        return
    objects = run.objects()
    checks.equal("files", [o["file"] for o in objects], files + [None])
    for o in objects:
        label = os.path.basename(o["file"] or "total")
        shape(checks, label, o)
        sums(checks, label, o)
    for key in SUMMED:
        checks.equal("total of %s" % key, objects[-1][key], sum(o[key] for o in objects[:-1]))
    damaged = [o["file"] for o in objects[:-1] if o["error"]]
    checks.equal("exit code with %d damaged" % len(damaged), run.code, 1 if damaged else 0)


def folders_of_user():
    for folder in filter(None, os.environ.get("MONOMI_CAPTURES_MORE", "").split(":")):
        for base, _, names in os.walk(folder):
            for name in sorted(names):
                if re.search(r"\.(pcap|pcapng|cap|erf|snoop|dmp)(\.(gz|xz|zst|lz4))?$", name):
                    yield os.path.join(base, name)


def main():
    checks = harness.Checks()
    run_over(checks, [os.path.join(HERE, "small.pcap")])
    real = harness.captures(checks)
    if real:
        run_over(checks, real)
    more = list(folders_of_user())
    for i in range(0, len(more), 400):
        run_over(checks, more[i:i + 400])
    checks.finish()


if __name__ == "__main__":
    main()
