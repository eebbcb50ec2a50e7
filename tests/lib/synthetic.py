"""Runs of `monomi simulate` for tests: telescopes of every size that see every population in a short span.

With the real rates a small telescope sees little in minutes; here the Internet is made small and the days busy. Odd seeds have
a sensor with faults: an outage, an address swapped for another, a clock set on and then back.
"""
import collections
import json
import os

import harness

SIZES = (1, 5, 256, 4096)
SEEDS = tuple(range(1, 11))
FROM = 1590969600  # 2020-06-01T00:00:00Z
SPAN = {1: 3600, 5: 3600, 256: 1200, 4096: 300}
PREFIXES = {1: ["203.0.113.77"], 5: ["198.51.100.8/30", "203.0.113.9"], 256: ["198.18.7.0/24"], 4096: ["198.18.16.0/20"]}
PREFIX6 = "2001:db8:77::/64"
SWAPPED = "192.0.2.200"

Case = collections.namedtuple("Case", "seed n prefixes monitored span params")
Made = collections.namedtuple("Made", "capture truth rows")


def listed(weights, factor):
    return " ".join("%s:%.3f" % (k, v * factor) for k, v in weights.items())


def parameters(seed, n):
    """The text of a --params file."""
    busy = max(1.0, 250.0 / n)
    lines = {
        "simulate.internet": 4096 * n,
        "sweep.daily": 4000 if n <= 256 else 300, "sweep.ports_most": 4, "sweep.rate_most": 60000, "sweep.past": 0,
        "split.daily": 300 if n <= 256 else 100, "split.sources_most": 500,
        "bots.vulnerable": 2000, "bots.begin": 300, "bots.rate": 8, "bots.lease": 0,
        "brute.daily": listed({445: 169, 1433: 42, 22: 28, 3389: 30}, busy), "brute.sources": 200,
        "exploit.udp": listed({123: 82, 53: 40, 1900: 25, 5060: 30, 161: 20, 389: 15, 11211: 10, 53413: 12, 19: 4, 47808: 2,
                               500: 4, 7777: 3}, busy),
        "exploit.tcp": listed({80: 30, 37215: 20}, busy), "exploit.sources": 60,
        "slow.daily": 150 * busy,
        "backscatter.daily": 12000000 // SPAN[n], "backscatter.rate_most": 4000,
        "reflection.daily": 30 / n, "reflection.rate_most": 60, "reflection.duration": 30,
        "misconfiguration.daily": 60 * busy, "p2p.daily": 60 * busy, "spoofed.daily": 60 * busy,
        "flood.daily": 60 / n, "flood.rate_most": 100, "flood.duration": 20,
        "v6.daily": 0.2,
        "synack.daily": 3000, "resets.daily": 3000, "stale.daily": 3000, "own.daily": 4000,
    }
    if seed % 2:
        span = SPAN[n]
        lines["sensor.outage"] = "%d=%d" % (FROM + span // 2, span // 10)
        lines["sensor.swap"] = "%d=%s" % (FROM + span // 4, SWAPPED)
        lines["sensor.swap_slot"] = "0:1"
        lines["sensor.clock_step"] = "%d=400 %d=-700" % (FROM + span // 3, FROM + 2 * span // 3)
    return "".join("%s = %s\n" % (k, "%.6f" % v if isinstance(v, float) else v) for k, v in lines.items())


def case(seed, n):
    prefixes = PREFIXES[n] + ([PREFIX6] if seed % 3 == 0 else [])
    monitored = prefixes + ([SWAPPED] if seed % 2 else [])
    return Case(seed, n, ",".join(prefixes), ",".join(monitored), SPAN[n], parameters(seed, n))


def make(c, folder, name="case", form="pcapng", rows=True, extra=""):
    """Runs it; the paths of what came out."""
    params = os.path.join(folder, name + ".params")
    with open(params, "w", encoding="utf-8") as f:
        f.write(c.params + extra)
    made = Made(*(os.path.join(folder, "%s.%s" % (name, end)) for end in (form, "truth", "rows")))
    run = harness.monomi("simulate", "--seed", c.seed, "--addresses", c.prefixes, "--from", FROM, "--to", FROM + c.span,
                         "--params", params, "--out", made.capture, "--truth", made.truth,
                         *(("--truth-rows", made.rows) if rows else ()))
    if run.code:
        raise AssertionError("simulate failed with %d: %s" % (run.code, run.err[-2000:]))
    return made


def truth(made):
    """The lines of a truth file."""
    with open(made.truth, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def rows(made):
    """table -> its rows as tuples of text, sorted."""
    tables = collections.defaultdict(list)
    with open(made.rows, encoding="utf-8") as f:
        for line in f:
            if not line.startswith("#"):
                table, *columns = line.rstrip("\n").split("\t")
                tables[table].append(tuple(columns))
    return {table: sorted(found) for table, found in tables.items()}
