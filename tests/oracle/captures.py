"""Capture files for the oracle: a reader and writers of their own, sharing nothing with the program under test.

read(path) yields Frame tuples. Formats: pcap (both byte orders, microseconds and nanoseconds, the "modified" record
header), pcapng (sections, interfaces, enhanced, simple and obsolete packet blocks); plain, gzip, xz, zstd, lz4.
"""
import collections
import gzip
import lzma
import struct
import subprocess

Frame = collections.namedtuple("Frame", "ts link data wirelen fcs outgoing")

LINK_ETHERNET = 1


class Damaged(Exception):
    """The file ends or contradicts itself; the frames before it were yielded."""


def plain_bytes(path):
    with open(path, "rb") as f:
        head = f.read(6)
    if head[:2] == b"\x1f\x8b":
        with gzip.open(path) as f:
            return f.read()
    if head == b"\xfd7zXZ\0":
        with lzma.open(path) as f:
            return f.read()
    tool = {b"\x28\xb5\x2f\xfd": "zstd", b"\x04\x22\x4d\x18": "lz4"}.get(head[:4])
    if tool:
        return subprocess.run([tool, "-dcq", str(path)], stdout=subprocess.PIPE, check=True).stdout
    with open(path, "rb") as f:
        return f.read()


def read(path):
    data = plain_bytes(path)
    if data[:4] == b"\x0a\x0d\x0d\x0a":
        return read_pcapng(data)
    return read_pcap(data)


PCAP_MAGICS = {0xA1B2C3D4: (1000, 16), 0xA1B23C4D: (1, 16), 0xA1B2CD34: (1000, 24)}


def frames_of(path):
    """All frames of a file, up to where it is damaged."""
    frames = []
    try:
        for frame in read(path):
            frames.append(frame)
    except Damaged:
        pass
    return frames


def read_pcap(data):
    if len(data) < 24:
        raise Damaged("file header cut")
    for order in "<>":
        magic, = struct.unpack_from(order + "I", data)
        if magic in PCAP_MAGICS:
            break
    else:
        raise Damaged("no pcap magic")
    unit, header = PCAP_MAGICS[magic]
    link_field, = struct.unpack_from(order + "I", data, 20)
    link = link_field & 0xFFFF
    # Bits 28-31 give the length of the check sequence in 16-bit words when bit 26 is set (pcap draft, section 4).
    fcs = (link_field >> 28) * 2 if link_field & 0x04000000 else 0
    record = struct.Struct(order + "IIII").unpack_from
    at, size = 24, len(data)
    while at < size:
        if size - at < header:
            raise Damaged("record header cut at %d" % at)
        sec, sub, caplen, wirelen = record(data, at)
        at += header
        if size - at < caplen:
            raise Damaged("record cut at %d" % at)
        yield Frame(sec * 1000000000 + sub * unit, link, data[at:at + caplen], wirelen, fcs, False)
        at += caplen


def pcapng_options(order, data, at, end):
    found = {}
    while end - at >= 4:
        code, length = struct.unpack_from(order + "HH", data, at)
        at += 4
        if code == 0 or length > end - at:
            break
        found.setdefault(code, data[at:at + length])
        at += (length + 3) & ~3
    return found


class Interface:
    def __init__(self, order, body):
        self.link, _, self.snaplen = struct.unpack_from(order + "HHI", body)
        options = pcapng_options(order, body, 8, len(body))
        resolution = options.get(9, b"\6")[0]
        self.per_second = 1 << (resolution & 0x7F) if resolution & 0x80 else 10 ** resolution
        self.offset = struct.unpack(order + "q", options[14])[0] if len(options.get(14, b"")) == 8 else 0
        self.fcs = options[13][0] if options.get(13) else 0

    def time(self, high, low):
        ticks = high << 32 | low
        ns = (ticks // self.per_second + self.offset) * 1000000000 \
            + ticks % self.per_second * 1000000000 // self.per_second
        return max(-1 << 63, min(ns, (1 << 63) - 1))  # as many as 64 bits hold, and the nearest end past them


def read_pcapng(data):
    at, size, order, interfaces = 0, len(data), "<", []
    while at < size:
        if size - at < 12:
            raise Damaged("block cut at %d" % at)
        if data[at:at + 4] == b"\x0a\x0d\x0d\x0a":
            order = "<" if data[at + 8:at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            interfaces = []
        kind, total = struct.unpack_from(order + "II", data, at)
        if total < 12 or total % 4 or total > size - at:
            raise Damaged("block length at %d" % at)
        body = data[at + 8:at + total - 4]
        at += total
        if kind == 1:
            interfaces.append(Interface(order, body))
        elif kind in (2, 3, 6):
            yield packet_block(kind, order, body, interfaces)


def packet_block(kind, order, body, interfaces):
    if kind == 3:
        face = interfaces[0]
        wirelen, = struct.unpack_from(order + "I", body)
        caplen = min(wirelen, face.snaplen or wirelen, len(body) - 4)
        return Frame(0, face.link, body[4:4 + caplen], wirelen, face.fcs, False)
    if kind == 6:
        number, high, low, caplen, wirelen = struct.unpack_from(order + "IIIII", body)
    else:
        number, _, high, low, caplen, wirelen = struct.unpack_from(order + "HHIIII", body)
    if number >= len(interfaces) or caplen > len(body) - 20:
        raise Damaged("packet block")
    face = interfaces[number]
    options = pcapng_options(order, body, 20 + ((caplen + 3) & ~3), len(body))
    flags = struct.unpack(order + "I", options[2])[0] if len(options.get(2, b"")) == 4 else 0
    return Frame(face.time(high, low), face.link, body[20:20 + caplen], wirelen, face.fcs, flags & 3 == 2)


# ---- writers, for re-encodings of the same packets ----

def write_pcap(path, frames, order="<", nanoseconds=False):
    """Plain pcap of frames that share one link type."""
    unit = 1 if nanoseconds else 1000
    link = frames[0].link if frames else LINK_ETHERNET
    pack = struct.Struct(order + "IIII").pack
    with open(path, "wb") as f:
        f.write(struct.pack(order + "IHHiIII", 0xA1B23C4D if nanoseconds else 0xA1B2C3D4, 2, 4, 0, 0, 262144, link))
        for x in frames:
            f.write(pack(x.ts // 1000000000, x.ts % 1000000000 // unit, len(x.data), x.wirelen) + x.data)


def pcapng_block(order, kind, body):
    body += bytes(-len(body) % 4)
    total = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + total + body + total


def write_pcapng(path, frames, order="<", sections=1, offset=0):
    """pcapng with nanosecond times from `offset` seconds on (so that times before 1970 can be told); with sections > 1
    the frames are spread over that many sections in turn."""
    link = frames[0].link if frames else LINK_ETHERNET
    share = -(-len(frames) // sections) or 1
    with open(path, "wb") as f:
        for start in range(0, max(len(frames), 1), share):
            f.write(pcapng_block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1)))
            f.write(pcapng_block(order, 1, struct.pack(order + "HHI", link, 0, 0) +
                                 struct.pack(order + "HHB3xHHqHH", 9, 1, 9, 14, 8, offset, 0, 0)))
            for x in frames[start:start + share]:
                ticks = x.ts - offset * 1000000000
                f.write(pcapng_block(order, 6, struct.pack(order + "IIIII", 0, ticks >> 32, ticks & 0xFFFFFFFF,
                                                           len(x.data), x.wirelen) + x.data))


def write_snoop(path, frames):
    """RFC 1761; datalink 4 is Ethernet."""
    with open(path, "wb") as f:
        f.write(b"snoop\0\0\0" + struct.pack(">II", 2, 4))
        for x in frames:
            padded = x.data + bytes(-len(x.data) % 4)
            f.write(struct.pack(">IIIIII", x.wirelen, len(x.data), 24 + len(padded), 0, x.ts // 1000000000,
                                x.ts % 1000000000 // 1000) + padded)


def write_erf(path, frames):
    """Endace records of type 2 (Ethernet): time in 2^-32 s, little-endian; two bytes of padding before the frame,
    whose wire length counts the check sequence that was not captured."""
    with open(path, "wb") as f:
        for x in frames:
            ticks = x.ts // 1000000000 << 32 | (x.ts % 1000000000 << 32) // 1000000000
            f.write(struct.pack("<Q", ticks) +
                    struct.pack(">BBHHHH", 2, 4, 18 + len(x.data), 0, x.wirelen + 4, 0) + x.data)
