#!/usr/bin/python3
"""Rows are a function of packets: `monomi analyze` against an independent count in Python, whatever the number of
shards, the split into files, the order of packets, the memory and the encoding (DESIGN sections 3 and 7, invariant 2).

Which mutants this test kills is in ../fault/mutants/.
"""
import os
import random
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", part) for part in ("oracle", "lib", "golden")]
import captures
import compare
import harness
import make_captures
import trace
import verdicts

FULL = int(os.environ.get("MONOMI_TRACE_PACKETS", "1000000"))
SMALL = FULL // 10
HOUR = 3600 * 1000000000


# What has no second implementation must at least not depend on how it was come by: equal for equal rows.
# The list of samples alone may miss some where memory is little, and then says so.
ALIKE = ("bytes", "flow_payloads", "flow_payload_digest", "payloads", "source_evidence", "source_evidence_digest", "tools",
         "tool_sources")
first_seen = {}


def check(checks, name, want, files, *options):
    total = compare.total(files, *options)
    got = compare.picked(total)
    for field in compare.FIELDS:
        checks.equal("%s: %s" % (name, field), got[field], want[field])
    first = first_seen.setdefault((want["flow_digest"], want["packets"]), total)
    for field in ALIKE:
        if field == "payloads" and total["payloads_left_out"] and "--memory" in options:
            continue
        checks.true("%s: %s as before" % (name, field), total[field] == first[field],
                    "%.200s" % ((total[field], first[field]),))


def full_trace(checks):
    path = trace.trace(checks, FULL)
    if path:
        want = compare.picked(compare.oracle(captures.read(path)))
        for shards in (1, 2, 7):
            check(checks, "trace of %d packets, %d shards" % (FULL, shards), want, [path], "--shards", shards)
        check(checks, "trace of %d packets, little memory" % FULL, want, [path], "--shards", "1", "--memory", "16M")


def real_tools(checks, folder):
    darknets = {}
    for path in harness.captures(checks, "real-tools"):
        name = os.path.basename(path)
        if not darknets:
            darknets = truth(os.path.join(os.path.dirname(path), "truth.tsv"))
        frames = list(captures.read(path))
        for options, scope in ((), verdicts.Scope()), *monitored(darknets.get(name, "")):
            want = compare.picked(compare.oracle(frames, scope))
            got = compare.product([path], *options)
            if not checks.true("%s %s" % (name, " ".join(options)), got == want):
                print(compare.first_difference(frames, scope, options, folder))


def truth(path):
    with open(path, encoding="utf-8") as f:
        rows = [line.rstrip("\n").split("\t") for line in f]
    column = rows[0].index("darknet")
    return {r[0]: r[column] for r in rows[1:]}


def monitored(darknet):
    if "/" in darknet:
        yield ("--monitored", darknet), verdicts.Scope([darknet])


def splits(checks, frames, want, folder, rng):
    """Any split into ranges, in any order of ranges, gives the same total."""
    for parts in (2, 3, 11):
        cuts = sorted(rng.sample(range(1, len(frames)), parts - 1))
        files = []
        for i, (a, b) in enumerate(zip([0] + cuts, cuts + [len(frames)])):
            files.append(os.path.join(folder, "part-%d-%d.pcap" % (parts, i)))
            captures.write_pcap(files[-1], frames[a:b])
        rng.shuffle(files)
        for shards in (1, 3):
            check(checks, "%d parts in random order, %d shards" % (parts, shards), want, files, "--shards", shards)


def orders(checks, frames, want, folder, rng):
    """Packets far out of order make minutes late; those are derived again, and no row changes."""
    path = os.path.join(folder, "order.pcap")
    near = list(frames)
    for i in range(0, len(near) - 1, 2):
        near[i], near[i + 1] = near[i + 1], near[i]
    far = rng.sample(frames, len(frames))
    stray = list(frames)
    for i in rng.sample(range(len(stray)), 20):
        stray.append(stray[i])
        stray[i] = None
    stray = [x for x in stray if x]
    for name, order in ("neighbours swapped", near), ("backwards", frames[::-1]), ("shuffled", far), \
            ("20 packets at the end", stray):
        captures.write_pcap(path, order)
        for options in ((), ("--shards", 2), ("--shards", "1", "--memory", "16M")):
            check(checks, "%s %s" % (name, " ".join(map(str, options))), want, [path], *options)


def routers(checks, folder):
    """ICMP errors of many routers about few victims: rows of a victim are one, whichever shard its errors' sources have."""
    error = make_captures.frames()[11]
    frames = []
    for i in range(3000):
        data = bytearray(error)
        data[26:30] = (0x51000000 + i * 7919).to_bytes(4, "big")
        data[58:62] = (0xCB007100 + i % 5).to_bytes(4, "big")
        frames.append(captures.Frame(10**18 + i * 90000000, 1, bytes(data), len(data), 0, False))
    want = compare.picked(compare.oracle(frames))
    checks.true("routers: few rows for many", want["victim_seconds"] < 1500 < want["flows"], str(want))
    path = os.path.join(folder, "routers.pcap")
    for name, order in ("in order", frames), ("backwards", frames[::-1]):
        captures.write_pcap(path, order)
        for shards in (1, 2, 7):
            check(checks, "routers %s, %d shards" % (name, shards), want, [path], "--shards", shards)


def epochs(checks, frames, folder):
    """Times that break arithmetic: the first and last of 64 bits, both sides of 1970, and one minute into each."""
    latest = (1 << 63) - 2 * 10**8  # 64 bits of a capture's ticks do not span both ends to the nanosecond
    moments = [-(1 << 63), -(1 << 63) + 1, latest, latest - 60 * 10**9]
    moments += [k * 30 * 10**9 + d for k in range(-7, 8) for d in (-1, 0, 1)]
    path = os.path.join(folder, "epochs.pcapng")
    for name, times in ("ascending", sorted(moments)), ("descending", sorted(moments)[::-1]), ("as they come", moments), \
            ("first minute alone", [0, 1, 59 * 10**9]), ("minute before 1970 alone", [-1, -10**9]), \
            ("last minute alone", [(1 << 63) - 1]), ("first of all alone", [-(1 << 63)]), \
            ("across 1970, none late", [(i - 200) * 10**9 for i in range(400)]):
        moved = [frames[i]._replace(ts=times[i % len(times)]) for i in range(400)]
        captures.write_pcapng(path, moved, offset=min(times) // 10**9)
        want = compare.picked(compare.oracle(moved))
        for shards in (1, 3):
            check(checks, "epochs %s, %d shards" % (name, shards), want, [path], "--shards", shards)


def spills(checks, name, frames, folder, *choices):
    """Tables that are full hand over their partial rows, and the seal merges them: rows stay exact."""
    path = os.path.join(folder, "spills.pcap")
    captures.write_pcap(path, frames, nanoseconds=True)
    want = compare.picked(compare.oracle(frames))
    for options in choices:
        label = "%s %s" % (name, " ".join(map(str, options)))
        check(checks, label, want, [path], *options)
        run = harness.analyze([path], "--sensor", compare.SENSOR, *options)
        checks.true("%s: it spills" % label, run.total()["spills"] > 0)


def one_minute(checks, folder):
    """An hour's packets in one minute, so that its rows do not fit the least memory."""
    path = trace.trace(checks, 300000)
    if path:
        frames = list(captures.read(path))
        start = frames[0].ts // 60000000000 * 60000000000
        frames = [f._replace(ts=start + (f.ts - start) // 61) for f in frames]
        spills(checks, "one minute in little memory", frames, folder, ("--shards", 1, "--memory", "16M"),
               ("--shards", 2, "--memory", "32M"))


def dictionary(checks, folder):
    """One source that sends a SYN with other options to every port: more profiles than a window's dictionary holds, all in
    one partition of the spill. It once ended the analysis."""
    rng = random.Random(9)
    frames = []
    for i in range(9000):
        options = b"".join(bytes([rng.randrange(5, 250), 2]) for _ in range(8))
        data = make_captures.tcp("192.0.2.1", "198.51.100.%d" % (i % 200 + 1), 40000, 1 + i, 2, options=options)
        frames.append(captures.Frame(make_captures.START * 10**9 + i * 5000000, 1, data, len(data), 0, False))
    spills(checks, "9000 profiles of one source", frames, folder, ("--shards", 1))


def ties(checks, folder):
    """SYNs of one row at one moment: its profile is the least of them, in whatever order they come."""
    frames = []
    for i in range(12):
        options = bytes([2, 4, 5, 180 - i, 1, 1, 1, i % 3])
        data = make_captures.tcp("192.0.2.1", "198.51.100.1", 40000, 22, 2, window=1000 + i % 4, options=options)
        frames.append(captures.Frame(make_captures.START * 10**9 + i // 6, 1, data, len(data), 0, False))
    want = compare.picked(compare.oracle(frames))
    path = os.path.join(folder, "ties.pcap")
    rng = random.Random(4)
    for i in range(8):
        captures.write_pcap(path, frames, nanoseconds=True)
        check(checks, "ties, order %d" % i, want, [path])
        rng.shuffle(frames)


def lengths(checks, folder):
    """Frames whose headers claim 4 GB each: bytes stop at 48 bits. The carry once reached the pairs of the row, and six of
    them ended the program."""
    for flags, n in (255, 420000), (18, 66000):
        data = bytearray(make_captures.tcp("192.0.2.1", "198.51.100.1", 40000, 22, flags))
        data[16:18] = bytes(2)  # a length left to the card: the frame's, which the record says
        frames = [captures.Frame(make_captures.START * 10**9, 1, bytes(data), 0xFFFFFFFF, 0, False)] * n
        path = os.path.join(folder, "lengths.pcap")
        captures.write_pcap(path, frames)
        want = compare.picked(compare.oracle(frames))
        for shards in (1, 2):
            check(checks, "lengths, flags %#x, %d shards" % (flags, shards), want, [path], "--shards", shards)


def hours(checks, frames, folder, rng):
    """The same packets spread over days, some of them hours late."""
    moved = [f._replace(ts=f.ts + rng.choice((0, 1, 26)) * HOUR) for f in frames]
    want = compare.picked(compare.oracle(moved))
    path = os.path.join(folder, "hours.pcap")
    captures.write_pcap(path, moved)
    for options in ((), ("--shards", 2), ("--shards", "1", "--memory", "16M")):
        check(checks, "hours late %s" % " ".join(map(str, options)), want, [path], *options)


def twice(checks, frames, folder):
    """A file given twice counts twice, in whatever order: without a store there is no ledger to refuse it."""
    a, b = os.path.join(folder, "a.pcap"), os.path.join(folder, "b.pcap")
    half = len(frames) // 2
    captures.write_pcap(a, frames[:half])
    captures.write_pcap(b, frames[half:])
    want = compare.picked(compare.oracle(frames + frames[:half]))
    for files in ([a, b, a], [b, a, a], [a, a, b]):
        check(checks, "a file given twice: %s" % " ".join(map(os.path.basename, files)), want, files)


def encodings(checks, frames, want, folder):
    """The same packets in another format are the same rows."""
    plain = os.path.join(folder, "plain.pcap")
    captures.write_pcap(plain, frames)
    made = []
    for name, writer in (("big-endian.pcap", lambda p: captures.write_pcap(p, frames, ">")),
                         ("nanoseconds.pcap", lambda p: captures.write_pcap(p, frames, "<", True)),
                         ("big-endian-ns.pcap", lambda p: captures.write_pcap(p, frames, ">", True)),
                         ("little.pcapng", lambda p: captures.write_pcapng(p, frames)),
                         ("big.pcapng", lambda p: captures.write_pcapng(p, frames, ">")),
                         ("sections.pcapng", lambda p: captures.write_pcapng(p, frames, "<", 5))):
        made.append(os.path.join(folder, name))
        writer(made[-1])
    for tool in (["gzip", "-1"], ["zstd", "-1q"], ["xz", "-0"], ["lz4", "-1q"]):
        for source in plain, made[3]:
            made.append("%s.%s" % (source, tool[0]))
            with open(made[-1], "wb") as out:
                subprocess.run(tool + ["-c", source], stdout=out, check=True)
    for path in made:
        check(checks, os.path.basename(path), want, [path])
    with open(plain, "rb") as f:
        run = harness.analyze(["-"], "--sensor", compare.SENSOR, stdin=f)
    checks.equal("standard input", compare.picked(run.total()), want)


def as_ipv6(frame):
    """The same packet over IPv6: addresses mapped into 2001:db8::/32, options and fragments left out."""
    d = frame.data
    if len(d) < 34 or d[12:15] != b"\x08\0\x45" or d[20] & 0x3F or d[21]:
        return None
    total = int.from_bytes(d[16:18], "big")
    if total < 20 or len(d) < 14 + total or d[23] not in (6, 17):
        return None
    net = bytes.fromhex("20010db800000000")
    head = b"\x60\0\0\0" + (total - 20).to_bytes(2, "big") + d[23:24] + d[22:23]
    data = d[:12] + b"\x86\xdd" + head + net + b"\0\0\0\1" + d[26:30] + net + b"\0\0\0\2" + d[30:34] + d[34:14 + total]
    return frame._replace(data=data, wirelen=len(data))


def ipv6(checks, frames, folder):
    mapped = [x for x in map(as_ipv6, frames) if x]
    want = compare.picked(compare.oracle(mapped))
    path = os.path.join(folder, "six.pcap")
    captures.write_pcap(path, mapped)
    for options in ((), ("--shards", 7), ("--shards", "1", "--memory", "16M")):
        check(checks, "over IPv6 %s" % " ".join(map(str, options)), want, [path], *options)


def main():
    checks = harness.Checks()
    rng = random.Random(20261124)
    with harness.scratch() as folder:
        real_tools(checks, folder)
        small = trace.trace(checks, SMALL)
        if small:
            frames = list(captures.read(small))
            want = compare.picked(compare.oracle(frames))
            splits(checks, frames, want, folder, rng)
            orders(checks, frames, want, folder, rng)
            hours(checks, frames, folder, rng)
            epochs(checks, frames, folder)
            twice(checks, frames, folder)
            encodings(checks, frames, want, folder)
            ipv6(checks, frames, folder)
        routers(checks, folder)
        dictionary(checks, folder)
        ties(checks, folder)
        lengths(checks, folder)
        one_minute(checks, folder)
        full_trace(checks)
    checks.finish()


if __name__ == "__main__":
    main()
