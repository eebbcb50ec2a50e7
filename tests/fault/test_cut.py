#!/usr/bin/python3
"""Every format cut at every byte: what came before the damage is counted, the damage is told with its offset, the exit
code is 1, and nothing crashes (DESIGN section 7, invariant 7).

Killed mutants: a cut record delivered as if whole; damage at the end of a file taken for its clean end; an object left
out for a file that cannot be read.
"""
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", part) for part in ("oracle", "lib", "golden")]
import formats
import harness
import make_captures

BATCH = 200


def cuts_of(folder, path):
    """A file for each length from 0 to one byte short of the whole."""
    with open(path, "rb") as f:
        data = f.read()
    made = []
    for n in range(len(data)):
        made.append(os.path.join(folder, "%s.%06d" % (os.path.basename(path), n)))
        with open(made[-1], "wb") as f:
            f.write(data[:n])
    return made


def sums_agree(o):
    classes = sum(sum(v.values()) if isinstance(v, dict) else v for v in o["classes"].values())
    layers = o["ipv4"] + o["ipv6"] + o["non_ip"]
    transports = o["tcp"] + o["udp"] + o["icmp"] + o["icmpv6"] + o["other_ip"]
    return classes == layers == o["packets"] and transports == o["ipv4"] + o["ipv6"]


def told_where(error):
    return error is None or bool(re.search(r"\bMON-CAP-\d{3}\b", error) and re.search(r"\d", error.split("MON-CAP-")[-1][4:]))


def objects_of(checks, name, files):
    """One object a file, in order; a batch that crashes is repeated file by file to name the one that did it."""
    out = []
    for i in range(0, len(files), BATCH):
        part = files[i:i + BATCH]
        run = harness.analyze(part, "--shards", 1)
        if not checks.true("%s: exit code of cuts" % name, run.code in (0, 1) and not run.crashed, run.err[-500:]):
            for path in part:
                one = harness.analyze([path])
                checks.true("%s: no crash" % os.path.basename(path), not one.crashed, one.err[-1500:])
            continue
        objects = run.objects()
        checks.equal("%s: objects" % name, [o["file"] for o in objects], part + [None])
        checks.equal("%s: total" % name, objects[-1]["packets"], sum(o["packets"] for o in objects[:-1]))
        out += objects[:-1]
    return out


def cut(checks, name, path, folder, whole, clean_ends):
    """clean_ends: how many cuts are no damage, because they fall between two records and nothing can tell."""
    files = cuts_of(folder, path)
    before, unharmed = 0, 0
    for file, o in zip(files, objects_of(checks, name, files)):
        label = os.path.basename(file)
        checks.true("%s: packets %d after %d" % (label, o["packets"], before), before <= o["packets"] <= whole)
        before = o["packets"]
        checks.true("%s: sums" % label, sums_agree(o))
        checks.true("%s: sentence with an offset" % label, told_where(o["error"]), repr(o["error"]))
        unharmed += o["error"] is None
    checks.equal("%s: cuts that are no damage" % name, unharmed, clean_ends)
    for file in files[::max(1, len(files) // 9)]:
        run = harness.analyze([file])
        checks.equal("%s: exit code" % os.path.basename(file), run.code, 0 if run.objects()[0]["error"] is None else 1)
    for file in files:
        os.unlink(file)


def main():
    checks = harness.Checks()
    frames = make_captures.small()[3:8]
    n = len(frames)
    # Between records: pcap and snoop after the file header and each record but the last; ERF has no header; pcapng after
    # each block that is not the last (a section header, an interface description and n packets; 3 sections).
    ends = {"pcap": n, "snoop": n, "erf": n - 1, "pcapng": 1 + n}
    with harness.scratch() as folder:
        for name, path in formats.plain(folder, frames).items():
            clean = ends[name.rsplit(".", 1)[1]] + (4 if name.startswith("sections") else 0)
            cut(checks, name, path, folder, n, clean)
        for name, path in formats.compressed(folder, frames).items():
            cut(checks, name, path, folder, n, 0)
    checks.finish()


if __name__ == "__main__":
    main()
