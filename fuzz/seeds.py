#!/usr/bin/env python3
"""Writes the seeds of the capture harnesses into fuzz/corpus/NAME/: small files, each with one thing that the format has.

usage: seeds.py [FOLDER]

The first byte is for the harness (fuzz_capture.h, fuzz_stream.c). The same run gives the same bytes.
"""
import gzip
import os
import struct
import sys

PACKET = bytes.fromhex("0200000000010200000000020800450000282a0000004006000001020304c6336401c350001712345678000000005002ffff00000000")


def pcap(magic=0xA1B2C3D4, order="<", minor=4, snap=65535, link=1, extra=b"", packets=3):
    out = struct.pack(order + "IHHIIII", magic, 2, minor, 0, 0, snap, link)
    for i in range(packets):
        data = PACKET[: len(PACKET) - i]
        out += struct.pack(order + "IIII", 1700000000 + i, i, len(data), len(PACKET)) + extra + data
    return out


def block(order, kind, body):
    body += b"\0" * (-len(body) % 4)
    total = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + total + body + total


def option(order, code, value):
    return struct.pack(order + "HH", code, len(value)) + value + b"\0" * (-len(value) % 4)


def section(order="<", major=1, minor=0):
    return block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, major, minor, -1))


def interface(order="<", link=1, snap=0, options=b""):
    return block(order, 1, struct.pack(order + "HHI", link, 0, snap) + options)


def enhanced(order="<", number=0, units=1700000000000000, data=PACKET, options=b""):
    head = struct.pack(order + "IIIII", number, units >> 32, units & 0xFFFFFFFF, len(data), len(data))
    return block(order, 6, head + data + b"\0" * (-len(data) % 4) + options)


def obsolete(order="<", units=5):
    return block(order, 2, struct.pack(order + "HHIIII", 0, 1, units >> 32, units & 0xFFFFFFFF, 8, 8) + PACKET[:8])


def simple(order="<", length=8):
    return block(order, 3, struct.pack(order + "I", length) + PACKET[:length])


def statistics(order="<", number=0, start=1, end=5):
    def moment(code, units):
        return option(order, code, struct.pack(order + "II", units >> 32, units & 0xFFFFFFFF))

    counts = b"".join(option(order, code, struct.pack(order + "Q", 3)) for code in (4, 5, 7))
    return block(order, 5, struct.pack(order + "III", number, 0, 5) + moment(2, start) + moment(3, end) + counts)


def pcapng_seeds():
    for name, o in (("little", "<"), ("big", ">")):
        end = option(o, 0, b"")
        nano = interface(o, 101, 64, option(o, 9, b"\x09") + option(o, 14, struct.pack(o + "q", 3600)) + end)
        binary = interface(o, 1, 0, option(o, 9, b"\x94") + option(o, 13, b"\x04") + end)
        flags = option(o, 1, b"comment") + option(o, 2, struct.pack(o + "I", 2 | 4 << 5)) + end
        yield name, section(o) + interface(o) + enhanced(o) + enhanced(o, units=1)
        yield name + "-interfaces", section(o) + nano + binary + enhanced(o, 0) + enhanced(o, 1)
        yield name + "-options", section(o) + interface(o) + enhanced(o, data=PACKET[:13], options=flags)
        yield name + "-old", section(o, 1, 2) + interface(o) + obsolete(o) + simple(o)
        own = option(o, 1, b"own: management of this sensor (monomi)")
        yield name + "-statistics", section(o) + interface(o) + enhanced(o, options=own) + statistics(o) + statistics(o, 0, 2)
        yield name + "-unknown", section(o) + interface(o) + block(o, 0xBAD, b"x" * 200) + block(o, 5, b"") + enhanced(o)
    yield "sections", section("<") + interface("<") + simple("<") + section(">") + interface(">", 113) + enhanced(">")
    yield "four-interfaces", section() + interface() * 4 + enhanced(number=3)


def pcap_seeds():
    for name, o in (("little", "<"), ("big", ">")):
        yield name + "-micro", pcap(order=o)
        yield name + "-nano", pcap(0xA1B23C4D, o)
        yield name + "-modified", pcap(0xA1B2CD34, o, extra=b"\0\0\0\1\x08\0\x04\0")
    yield "old", pcap(minor=2)
    yield "snap", pcap(snap=20)
    yield "fcs", pcap(link=0x24000001)
    yield "empty", pcap(packets=0)


def snoop(packets=3, pad=2, kind=4):
    out = b"snoop\0\0\0" + struct.pack(">II", 2, kind)
    for i in range(packets):
        data = PACKET[: len(PACKET) - i]
        out += struct.pack(">IIIIII", len(PACKET), len(data), 24 + len(data) + pad, 0, 1700000000 + i, i) + data + b"\0" * pad
    return out


def erf(kind=2, extensions=0, sub=2, packets=3, pad=0):
    out = b""
    for i in range(packets):
        more = b"".join(bytes([3 | (0x80 if k + 1 < extensions else 0)]) + b"\0" * 7 for k in range(extensions))
        body = more + b"\0" * sub + PACKET + b"\0" * pad
        out += struct.pack("<Q", 1700000000 + i << 32 | i << 20)
        out += struct.pack(">BBHHH", kind | (0x80 if extensions else 0), 4, 16 + len(body), 0, len(PACKET)) + body
    return out


def erf_seeds():
    yield "ethernet", erf()
    yield "extensions", erf(extensions=3)
    yield "hdlc", erf(1, sub=0, pad=6)
    yield "aal5", erf(4, sub=4)
    yield "ip", erf(22, sub=0)
    yield "cell", erf(3, sub=0)
    yield "mixed", erf(packets=1) + erf(48, packets=1) + erf(27, 1, 0, 1) + erf(11, packets=2)


def stream_seeds():
    for kind in range(4):
        for members in (1, 3, 200):
            yield "packed-%d-%d" % (kind, members), bytes([1 | kind << 1 | 6 << 5, members]) + pcap(packets=8)
    whole = gzip.compress(pcap(packets=2), 6, mtime=0)
    yield "gzip", b"\0" + whole
    yield "gzip-two", b"\x42" + gzip.compress(pcap()[:60], 6, mtime=0) + gzip.compress(pcap()[60:], 6, mtime=0)
    yield "gzip-padded", b"\x42" + whole + b"\0" * 32
    # Frames without compression, as no tool is needed to write them: RFC 8878 raw blocks, an lz4 frame of a stored block.
    raw = pcap(packets=1)
    yield "zstd", b"\x42" + bytes.fromhex("28b52ffd") + struct.pack("<BBI", 0x00, 0x50, len(raw) << 3 | 1)[:5] + raw
    yield "zstd-skip", b"\x42" + struct.pack("<II", 0x184D2A50, 3) + b"abc"
    yield "lz4", b"\x42" + bytes.fromhex("04224d18604082") + struct.pack("<I", len(raw) | 1 << 31) + raw + b"\0\0\0\0"


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")
    seeds = {"stream": list(stream_seeds())}
    for name, made in (("pcap", pcap_seeds()), ("pcapng", pcapng_seeds()), ("erf", erf_seeds()),
                       ("snoop", [("plain", snoop()), ("unpadded", snoop(pad=0)), ("fddi", snoop(1, 0, 8))])):
        seeds[name] = [(seed, b"\x42" + data) for seed, data in made]
    for name, made in seeds.items():
        os.makedirs(os.path.join(folder, name), exist_ok=True)
        for seed, data in made:
            with open(os.path.join(folder, name, seed), "wb") as f:
                f.write(data)


if __name__ == "__main__":
    main()
