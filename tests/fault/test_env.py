#!/usr/bin/python3
"""Every failure that the environment can give, at every place it can give it: the N-th allocation, read, write, open,
temporary file, random number, for N = 1, 2, 3 … until a run is not reached by it (of the hundreds of writes of a run
that spills, every seventh). Each run ends with numbers or one
clean sentence; it never crashes, and all it took it gives back. Short and interrupted reads and writes change nothing.

The program is monomi-fault, the same with env_fault.c in place of the real env. Killed mutants: an unchecked
allocation, a block not freed on an error path, a short write taken for a whole one, an error of the spill swallowed.
"""
import errno
import os
import random
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", part) for part in ("oracle", "lib", "golden")]
import formats
import harness
import make_captures
import synthetic
import test_cli
import test_cut

PROGRAM = os.environ.get("MONOMI_FAULT_PROGRAM", os.path.join(harness.BUILD_DIR, "tests", "monomi-fault"))
LIMIT = 20000  # a run that reaches more calls than this is no small run


class Outcome:
    def __init__(self, run, report):
        self.run, self.report = run, report


def run(folder, arguments, fault=None, number=errno.EIO):
    report = os.path.join(folder, "report")
    if os.path.exists(report):
        os.unlink(report)
    given = {"MONOMI_FAULT_REPORT": report, "MONOMI_FAULT_ERRNO": str(number), "TMPDIR": folder}
    if fault:
        given["MONOMI_FAULT"] = fault
    harness.MONOMI, saved = PROGRAM, harness.MONOMI
    try:
        done = harness.monomi(*arguments, env=given, timeout=60)
    finally:
        harness.MONOMI = saved
    try:
        with open(report, encoding="ascii") as f:
            counts = {k: int(v) for k, v in (line.split() for line in f)}
    except FileNotFoundError:
        counts = None
    return Outcome(done, counts)


def clean(checks, label, outcome):
    """Ended by itself, gave all back, and said at most one sentence with a code."""
    o = outcome.run
    good = checks.true("%s: no crash" % label, not o.crashed and o.code in (0, 1), "%d %s" % (o.code, o.err[-1500:]))
    if good and checks.true("%s: report" % label, outcome.report is not None):
        checks.equal("%s: blocks left" % label, outcome.report["live"], 0)
        checks.equal("%s: files left open" % label, outcome.report["files"], 0)
    if good and o.code == 1:
        text = o.err + o.out
        checks.true("%s: a code" % label, test_cli.CODE.search(text), text[-400:])
        checks.true("%s: at most 4 lines" % label, o.err.count("\n") <= 4, o.err)
    return good


def every(checks, folder, name, arguments, kind, number, stride=1):
    """Fails call 1, 2, 3 … of one kind (with a stride only some of them). Returns how many there were."""
    whole = run(folder, arguments)
    if not clean(checks, "%s: without a fault" % name, whole) or not checks.equal("%s: ends well" % name, whole.run.code, 0):
        return 0
    n = 1
    while n < LIMIT:
        label = "%s: %s %d" % (name, kind, n)
        outcome = run(folder, arguments, "%s=%d" % (kind, n), number)
        if not clean(checks, label, outcome):
            return n
        if not outcome.report["fired"]:
            break
        if outcome.run.code == 0:
            # Some failures may be survived (an optional huge page, a close): then nothing may be missing.
            checks.equal("%s: survived, and whole" % label, outcome.run.out, whole.run.out)
        n += stride
    checks.true("%s: reaches %s" % (name, kind), n > 1 or kind in ("temporary", "write"))
    return n - 1


def spilling(folder):
    """A capture of many sources, so that the smallest memory spills; and the arguments that make it."""
    rng = random.Random(5)
    base = make_captures.small()
    frames = []
    for i in range(150000):
        frame = rng.choice(base[:10])
        data = bytearray(frame.data)
        data[26:30] = rng.randrange(1 << 24, 0xDF000000).to_bytes(4, "big")
        frames.append(frame._replace(data=bytes(data), ts=make_captures.START * 1000000000 + i * 400000))
    path = os.path.join(folder, "spill.pcap")
    make_captures.captures.write_pcap(path, frames)
    return ["analyze", "--summary", "json", "--shards", "1", "--memory", "16M", path]


def small_runs(checks, folder):
    frames = make_captures.small()
    made = formats.plain(folder, frames)
    made.update(formats.compressed(folder, frames, ("little.pcap",)))
    for name in ("little.pcap", "little.pcapng", "little.pcap.gz", "little.pcap.zst", "little.pcap.xz", "little.pcap.lz4"):
        arguments = ["analyze", "--summary", "json", "--shards", "1", made[name]]
        for kind, number in (("alloc", errno.ENOMEM), ("read", errno.EIO), ("open", errno.EMFILE), ("stat", errno.EIO),
                             ("random", errno.ENOSYS), ("close", errno.EIO)):
            every(checks, folder, name, arguments, kind, number)
    two = ["analyze", "--summary", "text", "--shards", "2", "--monitored", "198.51.100.0/24", "--filter", "ip or ip6",
           made["little.pcap"], made["big.pcapng"]]
    every(checks, folder, "two files, two shards", two, "alloc", errno.ENOMEM)


def spill_runs(checks, folder):
    arguments = spilling(folder)
    whole = run(folder, arguments)
    if not checks.true("spill: it spills", whole.report and whole.report["write"] > 0, str(whole.report)):
        return
    for kind, number, stride in (("write", errno.ENOSPC, 7), ("write", errno.EIO, 41), ("read", errno.EIO, 23),
                                 ("temporary", errno.ENOSPC, 1), ("alloc", errno.ENOMEM, 19)):
        failed_runs = every(checks, folder, "spill", arguments, kind, number, stride)
        checks.true("spill: %s was reached" % kind, failed_runs > 0)
    short = run(folder, arguments, "short")
    clean(checks, "spill, short counts", short)
    checks.equal("spill, short counts: same numbers", short.run.out, whole.run.out)


def simulate_runs(checks, folder):
    """The simulator writes three files; none of them may be half there and nothing said."""
    c = synthetic.case(3, 5)
    params = os.path.join(folder, "sim.params")
    with open(params, "w", encoding="utf-8") as f:
        f.write(c.params)
    out = [os.path.join(folder, "sim" + end) for end in (".pcapng.zst", ".truth", ".rows")]
    arguments = ["simulate", "--seed", 3, "--addresses", c.prefixes, "--from", synthetic.FROM, "--to", synthetic.FROM + 60,
                 "--params", params, "--out", out[0], "--truth", out[1], "--truth-rows", out[2]]
    for kind, number in (("alloc", errno.ENOMEM), ("write", errno.ENOSPC), ("open", errno.EMFILE), ("read", errno.EIO),
                         ("close", errno.EIO)):
        every(checks, folder, "simulate", arguments, kind, number)


def short_counts(checks, folder):
    frames = make_captures.small() * 40
    made = formats.plain(folder, frames)
    made.update(formats.compressed(folder, frames))
    for name, path in made.items():
        arguments = ["analyze", "--summary", "json", path]
        whole, short = run(folder, arguments), run(folder, arguments, "short")
        clean(checks, "%s, short counts" % name, short)
        checks.equal("%s, short counts: same numbers" % name, short.run.out, whole.run.out)


def damaged_runs(checks, folder):
    """Error paths must give back what they took, too: damaged files, absent files, with nothing else failing."""
    frames = make_captures.small()[3:8]
    made = formats.plain(folder, frames)
    made.update(formats.compressed(folder, frames))
    for name, path in made.items():
        for file in test_cut.cuts_of(folder, path)[::7]:
            clean(checks, os.path.basename(file), run(folder, ["analyze", "--summary", "json", file]))
            os.unlink(file)
    for case in ("absent-file", "unknown-option", "memory-word", "filter-word", "nat-lengths", "no-command", "help-analyze"):
        outcome = run(folder, test_cli.CASES[case][1])
        if outcome.report is not None:
            checks.equal("%s: blocks left" % case, outcome.report["live"], 0)


def main():
    checks = harness.Checks()
    if not os.path.exists(PROGRAM):
        checks.skip("monomi-fault is not built")
        checks.finish()
    with harness.scratch() as folder:
        short_counts(checks, folder)
        damaged_runs(checks, folder)
        small_runs(checks, folder)
        simulate_runs(checks, folder)
        spill_runs(checks, folder)
    checks.finish()


if __name__ == "__main__":
    main()
