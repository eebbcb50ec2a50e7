#!/usr/bin/python3
"""Source addresses that behave like bots: the named queries infections, infected, infection-steps and infection-growth against a
second implementation that reads the packets: a simulated epidemic whose truth is known, seen by two sensors, with planted sources on
either side of every rule (forged floods, wandering TTLs, one minute, chance hits of rules), and tools that are no bots.

Killed mutants: a flood that is counted, a grade B for a single minute, Hajime by chance, an interval that forgets the spread.
"""
import collections
import datetime
import ipaddress
import math
import os
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]
import captures
import harness
import packets
import rows
import stores
import synthetic
import verdicts

NS = 1000000000
SENSORS = {"left": "198.18.7.0/25", "right": "198.18.7.128/25"}
EPIDEMIC = "bots.vulnerable = 9000\nbots.begin = 60\nbots.doubling = 6\nbots.rate = 50\nbots.lease = 24\n"
FAMILIES = {"mirai": ("MIRAI", 32, (23, 2323)), "hajime": ("HAJIME", 15, (23,))}
Bot = collections.namedtuple("Bot", "grade syns minutes sensors ports usual ttl_min ttl_max first last")


# ---- what is planted ----
def syn(second, src, dst, dport, seq=None, window=4321, ttl=50, sport=40000):
    src, dst = ipaddress.ip_address(src).packed, ipaddress.ip_address(dst).packed
    seq = int.from_bytes(dst, "big") if seq is None else seq
    tcp = struct.pack(">HHIIBBHHH", sport, dport, seq, 0, 0x50, 2, window, 0, 0)
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40, 7, 0, ttl, 6, 0, src, dst)
    data = bytes(12) + b"\x08\0" + ip + tcp
    return captures.Frame((synthetic.FROM + second) * NS, 1, data, len(data), 0, False)


def planted():
    a, b, right = "198.18.7.%d", "198.18.7.200", "198.18.7.1%d9"
    hajime = {"seq": 0x12340000, "window": 14600}
    plain = {"seq": 0x12345678, "window": 14600}
    out = []
    for n in range(150): # a flood whose sources are forged: one packet each, all alike
        out.append(syn(130 + n % 40, "7.7.%d.%d" % (n // 100, n % 100 + 1), right % (3 + n % 3), 23, window=777, ttl=61))
    for n in range(99): # as many as may be: not one
        out.append(syn(190 + n % 40, "7.8.0.%d" % (n + 1), right % (3 + n % 3), 23, window=778, ttl=61))
    for n in range(120): # alike but for the TTL: none
        out.append(syn(250 + n % 40, "7.9.0.%d" % (n + 1), right % 3, 23, window=779, ttl=40 + n % 20))
    out += [syn(131, "7.7.0.1", right % k, 23, window=777, ttl=61) for k in (3, 4, 5)] # one of the forged sends three more
    out += [syn(10 + k, "9.0.0.1", a % k, 23) for k in range(5)]                      # five SYNs in a minute, one sensor: C
    out += [syn(10, "9.0.0.2", a % 1, 23), syn(11, "9.0.0.2", b, 23), syn(12, "9.0.0.2", a % 2, 37215)] # a minute, two sensors: B
    out += [syn(60 * k, "9.0.0.3", a % k, 23, ttl=50 + 4 * (k % 2)) for k in range(4)] # TTLs 4 apart: C
    out += [syn(60 * k, "9.0.0.4", a % k, 2323, ttl=50 + 3 * (k % 2)) for k in range(4)] # 3 apart: B
    out += [syn(60 * k, "9.0.0.5", a % 1 if k % 2 else b, 23, ttl=50 + 9 * (k % 2)) for k in range(4)] # each sensor's own path: B
    out += [syn(60, "9.0.0.6", a % 1, 23)] * 5 + [syn(120, "9.0.0.6", a % 1, 23)]       # sent again: two SYNs, C
    out += [syn(k, "9.0.0.7", a % k, 23, seq=99) for k in range(6)] + [syn(70, "9.0.0.7", a % 7, 23)] # one of seven: may be chance
    out += [syn(k, "9.0.0.8", a % k, 23, seq=99) for k in range(20)] + [syn(70, "9.0.0.8", a % 7, 23), syn(71, "9.0.0.8", a % 8, 23)]
    out += [syn(60 * k, "9.1.0.1", a % k, 23, **hajime) for k in range(4)]            # Hajime: B
    out += [syn(60, "9.1.0.2", a % 1, 23, **hajime)]                                 # one SYN is chance
    out += [syn(60 * k, "9.1.0.3", a % k, 5358, **hajime) for k in range(2)]          # two of two: 2^-30
    out += [syn(60 * k, "9.1.0.4", a % k, 23, **hajime) for k in range(2)] + [syn(61, "9.1.0.4", a % 9, 23, **plain)] # two of three: more
    out += [syn(60 * k, "9.1.0.5", a % k, 23, **hajime) for k in range(6)] + [syn(65 + k, "9.1.0.5", a % k, 80, **plain) for k in range(7)]
    return out


# ---- the second implementation ----
def flows(frames, monitored):
    table = collections.defaultdict(rows.Flow)
    scope = verdicts.Scope([monitored])
    for frame in frames:
        p = packets.decode(frame)
        if p.version != 4 or p.proto != packets.TCP:
            continue
        v = verdicts.judge(p, scope)
        if v.kind not in ("ignored", "undecoded"):
            second = p.ts // NS
            table[second // 60, p.src, p.dport, v.kind].count(p, v, second % 60)
    return table


def kept_rows(family, tables):
    """(sensor, minute, source, port) -> row of scans with the family's rule that no flood explains."""
    bit = 1 << verdicts.RULES[FAMILIES[family][0]]
    marked = {(s, m, src, port): f for s, t in tables.items() for (m, src, port, kind), f in t.items()
              if kind == "scan" and f.accesses and f.rules & bit}
    alike = collections.defaultdict(set)
    key = lambda k, f: (k[0], k[1], k[3], f.ttl_min, f.column("syn")) if len(f.attempts) <= 2 and f.ttl_min == f.ttl_max else None
    for k, f in marked.items():
        alike[key(k, f)].add(k[2])
    return {k: f for k, f in marked.items() if key(k, f) is None or len(alike[key(k, f)]) < 100}


def proven(family, syns, probes):
    bits = FAMILIES[family][1]
    improbable = math.comb(probes, syns) < 1e-9 * 2 ** (bits * syns)
    if bits == 32:
        return improbable or 2 * syns >= probes
    return improbable and syns >= 2 and 2 * syns >= probes


def bots(tables):
    found, steps = {}, collections.defaultdict(set)
    probes = collections.Counter()
    for t in tables.values():
        for (_, src, _, _), f in t.items():
            probes[src] += len(f.attempts)
    for family, (_, _, known) in FAMILIES.items():
        mine = collections.defaultdict(dict)
        for k, f in kept_rows(family, tables).items():
            mine[k[2]][k] = f
        for src, some in mine.items():
            syns = sum(len(f.attempts) for f in some.values())
            if not proven(family, syns, probes[src]):
                continue
            paths = collections.defaultdict(list)
            for k, f in some.items():
                paths[k[0]] += [f.ttl_min, f.ttl_max]
                steps[family, k[1]].add(src)
            minutes, sensors = {k[1] for k in some}, set(paths)
            steady = all(max(t) - min(t) <= 3 for t in paths.values())
            grade = "B" if syns >= 3 and steady and (len(minutes) > 1 or len(sensors) > 1) else "C"
            found[str(ipaddress.ip_address(src)), family] = Bot(
                grade, syns, len(minutes), len(sensors), sorted({k[3] for k in some})[:16],
                round(sum(len(f.attempts) for k, f in some.items() if k[3] in known) / syns, 6),
                min(f.ttl_min for f in some.values()), max(f.ttl_max for f in some.values()),
                min(k[1] * 60 + f.first for k, f in some.items()), max(k[1] * 60 + f.last for k, f in some.items()))
    return found, steps


# ---- growth: both parameters by Newton's method, and Student's t by its integral ----
def regression(ts, ys):
    a, b = math.log(sum(ys) / len(ys)), 0.0
    for _ in range(200):
        mu = [math.exp(a + b * t) for t in ts]
        g0, g1 = sum(y - m for y, m in zip(ys, mu)), sum(t * (y - m) for t, y, m in zip(ts, ys, mu))
        h00, h01, h11 = sum(mu), sum(t * m for t, m in zip(ts, mu)), sum(t * t * m for t, m in zip(ts, mu))
        det = h00 * h11 - h01 * h01
        da, db = (h11 * g0 - h01 * g1) / det, (h00 * g1 - h01 * g0) / det
        a, b = a + da, b + db
    residual = [(y - m) / math.sqrt(m) for y, m in zip(ys, mu)]
    chi = sum(r * r for r in residual)
    lagged = min(sum(x * y for x, y in zip(residual, residual[1:])) / chi, 0.9)
    dispersion = max(chi / (len(ts) - 2), 1) * max((1 + lagged) / (1 - lagged), 1)
    return b, math.sqrt(dispersion * h00 / det), dispersion


def student(f):
    scale = math.exp(math.lgamma((f + 1) / 2) - math.lgamma(f / 2)) / math.sqrt(f * math.pi)
    area, x, step = 0.0, 0.0, 1e-3
    while area < 0.475:
        area += scale * (1 + (x + step / 2) ** 2 / f) ** (-(f + 1) / 2) * step
        x += step
    return x


def check_growth(checks, db, span, steps, minutes):
    got = {r["family"]: r for r in stores.query(db, "infection-growth", *span, "--param", "step=minute")}
    for family, row in got.items():
        ys = [len(steps.get((family, m), ())) for m in minutes]
        hours = (minutes[-1] - minutes[0]) / 60
        ts = [(m - (minutes[0] + minutes[-1]) / 2) / 60 for m in minutes]
        b, error, dispersion = regression(ts, ys)
        width = student(len(ts) - 2) * error
        near = lambda x, y, by: math.isclose(x, y, rel_tol=by)
        checks.equal("%s: steps and mean" % family, (row["steps"], round(row["mean"], 9)), (len(ys), round(sum(ys) / len(ys), 9)))
        checks.true("%s: dispersion" % family, near(row["dispersion"], dispersion, 1e-6), "%s, %s" % (row, dispersion))
        if abs(b) > 20:
            continue # a growth of -1 to all places
        checks.true("%s: growth over %.2f h" % (family, hours), near(1 + row["hourly"], math.exp(b), 1e-6), "%s, %s" % (row, b))
        checks.true("%s: interval" % family, near(math.log1p(row["hourly_high"]) - math.log1p(row["hourly_low"]), 2 * width, 0.01), "%s, %s" % (row, width))
        checks.equal("%s: doubles" % family, row["doubling"] is not None, b > width)
        if row["doubling"] is not None:
            ends = [row[k] for k in ("doubling", "doubling_low", "doubling_high")]
            want = [math.log(2) / x for x in (b, b + width, b - width)]
            checks.true("%s: doubling time" % family, all(near(x, y, 0.05) for x, y in zip(ends, want)), "%s, %s" % (ends, want))
    return got


# ---- what the store says ----
def second(text):
    return int(datetime.datetime.fromisoformat(text.rstrip("Z")).replace(tzinfo=datetime.timezone.utc).timestamp())


def check_lists(checks, db, span, want):
    listed = stores.query(db, "infected", *span, "--param", "limit=100000")
    got = {(r["source"], r["family"]): Bot(*(second(r[k]) if k in ("first", "last") else r[k] for k in Bot._fields)) for r in listed}
    odd = sorted(k for k in set(got) | set(want) if got.get(k) != want.get(k))
    checks.true("infected: %d" % len(want), not odd, "%d differ; %s: got %s, want %s" % (
        len(odd), odd[:1], got.get(odd[0]) if odd else "", want.get(odd[0]) if odd else ""))
    checks.equal("each once", len(listed), len(got))
    checks.equal("in order", [(r["grade"], -r["syns"]) for r in listed], sorted((r["grade"], -r["syns"]) for r in listed))
    counted = collections.Counter((k[1], b.grade) for k, b in want.items())
    told = {(r["family"], r["grade"]): r["sources"] for r in stores.query(db, "infections", *span)}
    checks.equal("counts", told, dict(counted))
    one = stores.query(db, "infected", *span, "--param", "family=hajime", "--param", "grade=B")
    checks.equal("of one family and grade", len(one), counted["hajime", "B"])


def check_change(checks, db, before, now):
    """Beside the span before, with Wilson's interval."""
    since, half, until = (datetime.datetime.fromtimestamp(t, datetime.timezone.utc).isoformat()[:19] for t in (
        synthetic.FROM, synthetic.FROM + 600, synthetic.FROM + 1200))
    rows_ = stores.query(db, "infections", "--param", "since=" + half, "--param", "until=" + until, "--param", "before=" + since,
                         "--param", "family=mirai")
    for r in rows_:
        x, n = now[r["grade"]], now[r["grade"]] + before[r["grade"]]
        checks.equal("grade %s: now and before" % r["grade"], (r["sources"], r["before_sources"]), (x, n - x))
        p, z = x / n, 1.959964
        ends = [(p + z * z / 2 / n + s * z * math.sqrt(p * (1 - p) / n + z * z / 4 / n / n)) / (1 + z * z / n) for s in (-1, 1)]
        for name, value in zip(("change", "change_low", "change_high"), [p / (1 - p) - 1] + [e / (1 - e) - 1 for e in ends]):
            checks.true("grade %s: %s" % (r["grade"], name), abs(r[name] - value) < 2e-6 * (1 + value), "%s, %s" % (r[name], value))
    checks.equal("grades beside before", len(rows_), 2)


def halves(tables, begin):
    return {s: {k: f for k, f in t.items() if begin <= k[0] < begin + 10} for s, t in tables.items()}


def of_mirai(tables):
    return collections.Counter(b.grade for (_, family), b in bots(tables)[0].items() if family == "mirai")


def tools_are_none(checks, folder):
    """Captures of real scanners: nothing of them is a bot."""
    paths = [p for p in harness.captures(checks, "real-tools") if os.path.basename(p).startswith(("masscan_", "hping_", "nmap_", "zmap"))]
    if not paths:
        return
    db = os.path.join(folder, "tools")
    harness.analyze(paths, "--db", db)
    checks.equal("no tool is a bot", stores.query(db, "infected", "--param", "since=2000-01-01", "--param", "until=2030-01-01"), [])


def main():
    checks = harness.Checks()
    with harness.scratch() as folder:
        c, db = synthetic.case(2, 256), os.path.join(folder, "db")
        made = synthetic.make(c, folder, rows=False, extra=EPIDEMIC)
        frames = list(captures.read(made.capture))
        meant = sum(x["packets"] for x in synthetic.truth(made) if x["kind"] == "bots")
        seen = [p for p in map(packets.decode, frames) if p.version == 4 and p.proto == packets.TCP and p.flags == packets.SYN
                and p.seq == int.from_bytes(p.dst, "big")]
        checks.equal("packets of bots in the truth", len(seen), meant)
        frames = sorted(frames + planted(), key=lambda f: f.ts)
        whole = os.path.join(folder, "whole.pcapng")
        captures.write_pcapng(whole, frames)
        tables = {}
        for sensor, prefix in SENSORS.items():
            run = harness.monomi("analyze", "--db", db, "--sensor", sensor, "--monitored", prefix, whole)
            checks.equal("analyze", run.code, 0)
            tables[sensor] = flows(frames, prefix)
        want, steps = bots(tables)
        span = ["--param", "since=2020-06-01", "--param", "until=2020-06-01T00:20:00"]
        check_lists(checks, db, span, want)
        epidemic = {str(ipaddress.ip_address(p.src)) for p in seen}
        checks.equal("bots of the truth that are not told", sorted(epidemic - {a for a, _ in want}), [])
        forged = {a for a, _ in want if a.startswith("7.7.")}
        checks.equal("of the flood's sources", forged, {"7.7.0.1"})
        checks.true("grades", min(sum(b.grade == g for b in want.values()) for g in "BC") > 50, str(collections.Counter(b.grade for b in want.values())))
        got = collections.Counter()
        for r in stores.query(db, "infection-steps", *span, "--param", "step=minute"):
            got[r["family"], second(r["moment"]) // 60] += r["sources"]
        checks.equal("steps", dict(got), {k: len(v) for k, v in steps.items()})
        start = synthetic.FROM // 60
        left = bots({"left": tables["left"]})[1] # the floods came to the other
        growth = check_growth(checks, db, [*span, "--param", "sensor=left"], left, list(range(start, start + 20)))
        doubling = growth["mirai"]["doubling"]
        checks.true("it doubles in about the minutes that were meant", doubling and 3 < 60 * doubling < 15, str(growth["mirai"]))
        check_change(checks, db, of_mirai(halves(tables, start)), of_mirai(halves(tables, start + 10)))
        tools_are_none(checks, folder)
    checks.finish()


if __name__ == "__main__":
    main()
