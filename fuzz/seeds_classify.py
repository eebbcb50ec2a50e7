#!/usr/bin/env python3
"""Writes the seeds of fuzz_classify into fuzz/corpus/classify/: rows of tests/golden/classes.txt.

usage: seeds_classify.py [FOLDER]

Each row over UDP with a payload becomes a head (link type 65535, see fuzz_classify.c), the long ones also cut by eight
bytes as a capture cuts them; every tenth of the others a frame. The same golden gives the same bytes.
"""
import os
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDEN = os.path.join(HERE, "..", "tests", "golden", "classes.txt")


def rows():
    with open(GOLDEN) as f:
        for line in f:
            if not line.startswith("#"):
                columns = line.rstrip("\n").split("\t")
                yield columns[0], bytes.fromhex(columns[-1])


def seed_of(packet, number):
    if len(packet) > 30 and packet[0] == 0x45 and packet[9] == 17 and packet[6] & 0x3F == 0:
        sport, dport = struct.unpack_from(">HH", packet, 20)
        return b"\xff\xff\0\0" + struct.pack("<HH", sport, dport) + packet[28:]
    return b"\x65\0\0\0" + packet if number % 10 == 0 else None


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "corpus", "classify")
    os.makedirs(folder, exist_ok=True)
    written = set()
    for number, (_, packet) in enumerate(rows()):
        seed = seed_of(packet, number)
        if seed and seed not in written:
            with open(os.path.join(folder, "row-%03d" % number), "wb") as f:
                f.write(seed)
            written.add(seed)
            if len(seed) > 1000:
                with open(os.path.join(folder, "row-%03d-cut" % number), "wb") as f:
                    f.write(seed[:2] + b"\1" + seed[3:-8])


main()
