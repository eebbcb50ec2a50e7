#!/usr/bin/python3
"""Rows of every real capture: each file that the oracle can read gives the oracle's counts, classes, flows and digest.

Files with other link types, or cut before their first packet, are left out and counted in the closing line.
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]
import captures
import compare
import harness
import packets
import udp
import verdicts

SMALL = os.path.join(HERE, "..", "golden", "small.pcap")

# Files whose difference is the oracle's own limit, with the reason.
LEFT_OUT = {
    "tunnel/suricata-verif__decode-nsh-type1_input.pcap": "IP behind a network service header",
}


def main():
    checks = harness.Checks()
    left = 0
    scope = verdicts.Scope()
    with harness.scratch() as folder:
        for path in [SMALL] + harness.captures(checks):
            name = os.path.relpath(path, harness.CAPTURES)
            frames = captures.frames_of(path)
            decoded = [packets.decode(f) for f in frames]
            if name in LEFT_OUT or not frames or not {f.link for f in frames} <= packets.READABLE_LINKS or \
                    any(p.l4 and p.proto == packets.UDP and udp.beyond(p) for p in decoded):
                left += 1
                continue
            merge = any(p.foreign for p in decoded)
            want = compare.picked(compare.oracle(frames, scope), merge)
            got = compare.product([path], merge=merge)
            if not checks.true(name, got == want, "differs in %s" % ", ".join(compare.differing(want, got))):
                if len({f.link for f in frames}) == 1:
                    print(compare.first_difference(frames, scope, (), folder))
    print("%d files left out" % left)
    checks.finish()


if __name__ == "__main__":
    main()
