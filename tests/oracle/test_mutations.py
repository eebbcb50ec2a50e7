#!/usr/bin/python3
"""Hostile packets: frames of the real captures with bytes changed, cut, lengthened and spliced at random, a seeded and
fixed set; every count and row must be the oracle's. A difference is halved down to one frame and shown in full.

MONOMI_MUTATIONS sets how many frames are made (60000). Killed mutants: ../fault/mutants/, those of decode and classify.
"""
import os
import random
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", part) for part in ("oracle", "lib", "golden")]
import captures
import compare
import harness
import make_captures
import packets
import udp
import verdicts

FRAMES = int(os.environ.get("MONOMI_MUTATIONS", "60000"))
BYTES = (0, 1, 4, 5, 6, 17, 20, 40, 41, 44, 58, 64, 127, 128, 132, 254, 255)
HEADERS = 90  # most mutations fall into the headers

# Frames on which the program once differed: link type, bytes on the wire, captured bytes.
FOUND = (
    # A later fragment whose own options are cut is undecoded (short) before it is a fragment.
    (228, 76, "4700004c000100e21006f75714a80101c0a8010204"),
    # Neighbour discovery is local also where the capture cuts it behind its type.
    (1, 78, "82a29234732664007a9f8f4a86dd6000000000183afffe8000000000000066116afffe5b8f4afe8000010000000002235"
            "5fffe9c73268800b4"),
    # An authentication header that is cut is the last header there is, in IPv6 as in IPv4.
    (229, 192, "6000000000e93340fe80000000000000000097de00007d06cc4d87c004f0c90fb1e31d7f06dad318590be205c43450100000"
               "df780000000000000000"),
)


def found(checks, folder):
    path = os.path.join(folder, "found.pcap")
    for link, wirelen, text in FOUND:
        frames = [captures.Frame(10**18, link, bytes.fromhex(text), wirelen, 0, False)]
        captures.write_pcap(path, frames)
        checks.equal("found earlier: %s" % text[:40], compare.product([path]), compare.picked(compare.oracle(frames)))


def readable(frame):
    """Whether the oracle has an opinion of all that is in the frame."""
    p = packets.decode(frame)
    return not p.foreign and not (p.l4 and p.proto == packets.UDP and udp.beyond(p))


def seeds(checks):
    """A few frames of each file, by link type: the oracle's kind of frame only."""
    by_link = {captures.LINK_ETHERNET: make_captures.small()}
    for path in harness.captures(checks):
        try:
            frames = list(captures.read(path))[:40]
        except (captures.Damaged, OSError, ValueError, EOFError):
            continue
        for frame in frames:
            if frame.link in packets.READABLE_LINKS and not frame.fcs and not frame.outgoing:
                by_link.setdefault(frame.link, []).append(frame)
    return by_link


def place(rng, data):
    return rng.randrange(min(len(data), HEADERS) if rng.random() < 0.9 else len(data))


def mutated(rng, frame, pool):
    data = bytearray(frame.data)
    wirelen = frame.wirelen
    for _ in range(rng.choice((0, 1, 1, 2, 3, 6))):
        if not data:
            break
        kind = rng.random()
        if kind < 0.35:
            data[place(rng, data)] ^= 1 << rng.randrange(8)
        elif kind < 0.65:
            data[place(rng, data)] = rng.choice(BYTES)
        elif kind < 0.75:
            at = place(rng, data)
            data[at:at + 2] = rng.randrange(65536).to_bytes(2, "big")
        elif kind < 0.9:
            del data[rng.randrange(len(data)):]
            wirelen = max(wirelen, len(data)) if rng.random() < 0.7 else len(data)
        else:
            other = rng.choice(pool).data
            at = place(rng, data)
            data[at:] = other[at:at + 200]
            wirelen = max(wirelen, len(data))
    return frame._replace(data=bytes(data), wirelen=max(wirelen, len(data)), ts=rng.randrange(40) * 7 * 10**9 + 10**18)


def main():
    checks = harness.Checks()
    rng = random.Random(3)
    by_link = seeds(checks)
    everything = [f for pool in by_link.values() for f in pool]
    scope = verdicts.Scope()
    with harness.scratch() as folder:
        found(checks, folder)
        path = os.path.join(folder, "mutated.pcap")
        for link, pool in sorted(by_link.items()):
            n = FRAMES // 2 if link == captures.LINK_ETHERNET else FRAMES // 2 // max(1, len(by_link) - 1)
            frames = [mutated(rng, rng.choice(pool), everything if rng.random() < 0.3 else pool) for _ in range(n)]
            frames = [f for f in frames if readable(f)]
            captures.write_pcap(path, frames, nanoseconds=True)
            want, got = compare.picked(compare.oracle(frames, scope)), compare.product([path])
            if not checks.true("link type %d: %d frames" % (link, n), got == want,
                               "differs in %s" % ", ".join(compare.differing(want, got))):
                print(compare.first_difference(frames, scope, (), folder))
    checks.finish()


if __name__ == "__main__":
    main()
