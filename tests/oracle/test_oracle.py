#!/usr/bin/python3
"""The oracle itself is held against a third party: tshark's facts of the real captures, where it reads the link type.

Its count of packets, source addresses and SYNs must be tshark's; what may differ is named below with the reason.
"""
import csv
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]
import captures
import harness
import packets

# file: (column, reason). tshark opens UDP tunnels and encrypted or guessed layers; the oracle reads the outermost.
DIFFERENT = {
    # Total length 11 < 20: a header that contradicts itself has no addresses to trust here.
    "file-format/ipv4-malformed.pcap": ("uniq_outer_src",),
    "fragments/frag-12.pcap": ("frag6",),  # a fragment header quoted in an ICMPv6 error
    "tunnel/suricata-verif__decode-nsh-type1_input.pcap": ("outer_ip4", "uniq_outer_src"),  # NSH is not read here
}


def facts(root):
    with open(os.path.join(root, "facts.tsv"), encoding="utf-8") as f:
        return list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))


def counted(path):
    n = dict.fromkeys(("packets", "outer_ip4", "outer_ip6", "frag4", "frag6", "truncated"), 0)
    sources, links = set(), set()
    try:
        for frame in captures.read(path):
            p = packets.decode(frame)
            links.add(frame.link)
            n["packets"] += 1
            n["outer_ip4"] += p.outer_version == 4
            n["outer_ip6"] += p.outer_version == 6
            n["frag4"] += p.version == 4 and p.fragment
            n["frag6"] += p.version == 6 and p.fragment
            n["truncated"] += p.truncated
            if p.src:
                sources.add(p.src)
    except captures.Damaged:
        pass
    n["uniq_outer_src"] = len(sources)
    return n, links <= packets.READABLE_LINKS


def main():
    checks = harness.Checks()
    if not os.path.isdir(harness.CAPTURES):
        checks.skip("captures absent")
        checks.finish()
    for row in facts(harness.CAPTURES):
        if row["filetype"] not in ("pcap", "pcapng", "nsecpcap", "modpcap") or row["tshark_rc"] != "0":
            continue
        got, readable = counted(os.path.join(harness.CAPTURES, row["file"]))
        if readable:
            for column, value in got.items():
                if column not in DIFFERENT.get(row["file"], ()):
                    checks.equal("%s: %s" % (row["file"], column), str(value), row[column])
    checks.finish()


if __name__ == "__main__":
    main()
