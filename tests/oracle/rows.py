#!/usr/bin/python3
"""Independent count of a capture's rows: what `monomi analyze --summary json` must print, written from DESIGN and
DEFINITIONS without a line of the program. It reads tables.def and rules.def for the order and width of columns only.

usage: rows.py [--sensor NAME] [--monitored PREFIX,...] [--own PREFIX,...] [--nat CAPTURED=PUBLIC,...] FILE...
"""
import argparse
import json
import os
import re
import struct
import sys

import xxhash

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import captures
import packets
import verdicts

MINUTE = 60 * 1000000000
WIDTHS = {"u8": "B", "u16": "H", "u32": "I", "u64": "Q", "addr": "16s", "syn": "24s", "set": "I", "sample": "33s"}


class Table:
    """Columns of one table of tables.def: names in order and the struct that packs a row's canonical bytes."""

    def __init__(self, name, leading):
        self.names, layout = [], ">"
        for kind, column, width in re.findall(r"^(KEY|COL)\(%s,\s*(\w+),\s*(\w+)" % name,
                                              verdicts.source_text("model/tables.def"), re.M):
            self.names.append(column)
            layout += WIDTHS[width]
        if self.names[:len(leading)] != leading:
            raise SystemExit("rows.py: the key of table %s is not the one this oracle was written for" % name)
        self.pack = struct.Struct(layout).pack


class Digest:
    """Sum mod 2^128 of XXH3-128 (seed 0) over rows."""

    def __init__(self):
        self.sum = 0
        self.rows = 0

    def add(self, row):
        self.sum += xxhash.xxh3_128_intdigest(row)
        self.rows += 1

    def text(self):
        return "%032x" % (self.sum & (1 << 128) - 1)


class Distinct:
    """A set that costs nothing while it holds at most one member: nearly all rows do."""

    __slots__ = ("one", "many")

    def __init__(self):
        self.one = None
        self.many = None

    def add(self, x):
        if self.many is not None:
            self.many.add(x)
        elif self.one is None:
            self.one = x
        elif self.one != x:
            self.many = {self.one, x}

    def __len__(self):
        return len(self.many) if self.many is not None else int(self.one is not None)


def address16(a):
    return a if len(a) == 16 else b"\0" * 10 + b"\xff\xff" + a


class Flow:
    __slots__ = ("packets", "bytes", "destinations", "attempts", "accesses", "first", "last", "ttl_min", "ttl_max",
                 "length_min", "length_max", "tcp_flags", "rules", "tags", "syn")

    def __init__(self):
        self.packets = self.accesses = self.bytes = self.tcp_flags = self.rules = self.tags = 0
        self.destinations, self.attempts = Distinct(), Distinct()
        self.first = self.ttl_min = 255
        self.length_min = 65535
        self.last = self.ttl_max = self.length_max = 0
        self.syn = None

    def count(self, p, v, second):
        self.packets += 1
        self.bytes += p.ip_len
        self.destinations.add(p.dst)
        if v.access:
            self.accesses += 1
            self.attempts.add((p.sport, p.dst))
        if second < self.first:
            self.first = second
        if second > self.last:
            self.last = second
        if p.ttl < self.ttl_min:
            self.ttl_min = p.ttl
        if p.ttl > self.ttl_max:
            self.ttl_max = p.ttl
        length = min(p.ip_len, 65535)
        if length < self.length_min:
            self.length_min = length
        if length > self.length_max:
            self.length_max = length
        self.tcp_flags |= p.flags
        self.rules |= v.rules
        self.tags |= v.tags
        if p.flags & (packets.SYN | packets.ACK | packets.RST) == packets.SYN:
            seen = (p.ts, syn_profile(p))
            if self.syn is None or seen < self.syn:
                self.syn = seen

    def column(self, name):
        value = min(self.bytes, BYTES_MAX) if name == "bytes" else getattr(self, name)
        if name == "syn":
            return value[1] if value else b"\0" * 24
        return len(value) if isinstance(value, Distinct) else value


SYN_DF, SYN_ID_ZERO, SYN_ECN, SYN_ACK_NONZERO, SYN_BAD_OPTIONS, SYN_MANY_OPTIONS, SYN_DATA, SYN_PRESENT = (
    1 << i for i in range(8))
SYN_KINDS = 17


def syn_profile(p):
    """src/model/syn.h: window, MSS, window scale, flags, number of option kinds, kinds: 24 bytes."""
    mss, scale, kinds, bad = syn_options(p.options)
    flags = SYN_PRESENT
    if p.version == 4:
        flags |= SYN_DF * p.df | SYN_ID_ZERO * (p.ip_id == 0)
    flags |= SYN_ECN * bool(p.flags & (packets.ECE | packets.CWR)) | SYN_ACK_NONZERO * bool(p.ack)
    flags |= SYN_BAD_OPTIONS * (bad or p.options_cut) | SYN_MANY_OPTIONS * (len(kinds) > SYN_KINDS)
    flags |= SYN_DATA * bool(p.payload)
    kinds = kinds[:SYN_KINDS]
    return struct.pack(">HHBBB17s", p.window, mss, scale, flags, len(kinds), kinds)


def syn_options(options):
    """(MSS, window scale, kinds in order, whether a length contradicts what is there): RFC 9293 3.1, RFC 7323."""
    mss, scale, kinds, at = 0, 255, bytearray(), 0
    while at < len(options):
        kind = options[at]
        kinds.append(kind)
        if kind == 0:
            break
        if kind == 1:
            at += 1
            continue
        left = len(options) - at
        if left < 2 or options[at + 1] < 2 or options[at + 1] > left:
            return mss, scale, bytes(kinds), True
        size = options[at + 1]
        if kind == 2 and size == 4:
            mss = options[at + 2] << 8 | options[at + 3]
        elif kind == 3 and size == 3:
            scale = options[at + 2]
        at += size
    return mss, scale, bytes(kinds), False


BYTES_MAX = (1 << 48) - 1  # where the sum of lengths stops, see tables.def


class VictimSecond:
    __slots__ = ("packets", "bytes", "attackers", "forged", "length_min", "length_max", "ttl_min", "ttl_max")

    def __init__(self):
        self.packets = self.bytes = self.length_max = self.ttl_max = 0
        self.attackers, self.forged = Distinct(), Distinct()
        self.length_min, self.ttl_min = 65535, 255

    def count(self, p, port):
        length = min(p.ip_len, 65535)
        self.packets += 1
        self.bytes += p.ip_len
        self.attackers.add(p.dst)
        self.forged.add((p.dst, port))
        self.length_min, self.length_max = min(self.length_min, length), max(self.length_max, length)
        self.ttl_min, self.ttl_max = min(self.ttl_min, p.ttl), max(self.ttl_max, p.ttl)

    def values(self):
        pairs = self.forged.many or {self.forged.one}
        return (self.packets, min(self.bytes, BYTES_MAX), len(self.attackers), len(self.forged), self.length_min,
                self.length_max, self.ttl_min, self.ttl_max, sample(pairs))


def element(address, port):
    """A pair's place in a sample (src/model/reply.h): 16 bits of the address's hash, the port, and the murmur3 finalizer."""
    x = xxhash.xxh3_64_intdigest(address16(address)) >> 48 << 16 | port
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        x = (x ^ x >> shift) * factor & 0xFFFFFFFF
    return x ^ x >> 16


def sample(pairs):
    least = sorted({element(*p) for p in pairs})[:8]
    return struct.pack(">B8I", len(least), *least + [0] * (8 - len(least)))


class Count:
    """Everything the oracle says of one run: sums, classes, and the rows of all its files together."""

    def __init__(self, sensor, scope):
        self.scope = scope
        self.sensor = xxhash.xxh3_64_intdigest(sensor.encode())
        self.packets = self.accesses = self.attempts = 0
        self.classes = dict.fromkeys(verdicts.CLASSES, 0)
        self.reasons = {}
        self.flows, self.victims = {}, {}
        self.sources = set()
        self.unreadable_links = set()

    def file(self, path):
        try:
            for frame in captures.read(path):
                self.frame(frame)
        except captures.Damaged as e:
            return str(e)
        return None

    def frame(self, frame):
        p = packets.decode(frame)
        v = verdicts.judge(p, self.scope)
        if frame.link not in packets.READABLE_LINKS:
            self.unreadable_links.add(frame.link)
        self.packets += 1
        self.classes[v.kind] += 1
        if v.reason:
            key = v.kind, v.reason
            self.reasons[key] = self.reasons.get(key, 0) + 1
        if v.access:
            self.accesses += 1
        if p.src:
            self.sources.add(p.src)
        if makes_row(p, v):
            self.row(p, v)

    def row(self, p, v):
        minute, rest = divmod(p.ts, MINUTE)
        key = minute, p.src, p.proto, p.dport, CLASS_NUMBER[v.kind]
        row = self.flows.get(key)
        if row is None:
            row = self.flows[key] = Flow()
        row.count(p, v, rest // 1000000000)
        if v.kind == "backscatter":
            self.victim_second(p)

    def victim_second(self, p):
        found = verdicts.victim(p)
        if found is None:
            return
        who, port = found
        key = (p.ts // 1000000000,) + who
        row = self.victims.get(key)
        if row is None:
            row = self.victims[key] = VictimSecond()
        row.count(p, port)

    def flow_rows(self, table):
        """Canonical bytes of each flow row."""
        names = table.names[6:]
        for (minute, source, protocol, port, kind), row in self.flows.items():
            yield table.pack(minute & 0xFFFFFFFF, self.sensor, address16(source), port, protocol, kind,
                             *[row.column(n) for n in names])

    def result(self):
        flow_digest = Digest()
        for row in self.flow_rows(FLOW):
            flow_digest.add(row)
        victim_digest = Digest()
        for (second, victim, kind, protocol, port), row in self.victims.items():
            victim_digest.add(VICTIM.pack(second & 0xFFFFFFFF, self.sensor, address16(victim), kind, protocol, port,
                                          *row.values()))
        classes = dict(self.classes)
        for kind in ("ignored", "undecoded"):
            classes[kind] = {r: n for (k, r), n in sorted(self.reasons.items()) if k == kind}
        return {"packets": self.packets, "accesses": self.accesses,
                "attempts": sum(len(r.attempts) for r in self.flows.values()), "classes": classes,
                "sources": len(self.sources), "flows": flow_digest.rows, "flow_digest": flow_digest.text(),
                "victim_seconds": victim_digest.rows, "victim_second_digest": victim_digest.text()}


CLASS_NUMBER = {name: i for i, name in enumerate(verdicts.CLASSES)}
FLOW = Table("flow", ["minute", "sensor", "source", "port", "protocol", "class"])
VICTIM = Table("victim_second", ["second", "sensor", "victim", "kind", "protocol", "port", "packets", "bytes", "attackers", "forged",
                                 "length_min", "length_max", "ttl_min", "ttl_max", "sample"])


def makes_row(p, v):
    """Ignored packets are nobody's business, undecoded ones have no header to make a key of: both are counts only."""
    return bool(p.src) and v.kind not in ("ignored", "undecoded")


def parse_arguments(argv):
    def listed(text):
        return [x for x in text.split(",") if x]
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--sensor", default="")
    a.add_argument("--monitored", type=listed, default=[])
    a.add_argument("--own", type=listed, default=[])
    a.add_argument("--nat", type=listed, default=[])
    a.add_argument("files", nargs="+")
    return a.parse_args(argv)


def main(argv):
    a = parse_arguments(argv)
    count = Count(a.sensor, verdicts.Scope(a.monitored, a.own, [x.split("=") for x in a.nat]))
    for path in a.files:
        error = count.file(path)
        if error:
            print("rows.py: %s: %s" % (path, error), file=sys.stderr)
    print(json.dumps(count.result()))


if __name__ == "__main__":
    main(sys.argv[1:])
