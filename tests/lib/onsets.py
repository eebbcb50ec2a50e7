"""The early mode measured: delays at floods whose rate is known, and months in which nobody is flooded.

Both run the whole path by onset-run (tests/oracle/onset_run.c): packets of the simulator, rows, onsets. What is false the
simulator's truth says: an onset at who is no victim of its `backscatter`.
"""
import collections
import json
import os
import random
import statistics
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor

import harness

PROGRAM = os.environ.get("ONSET_RUN") or os.path.join(harness.BUILD_DIR, "tests", "onset-run")
FROM = 1577836800  # 2020-01-01T00:00:00Z
RATES = (10, 100, 1000, 10_000, 100_000, 1_000_000)
SIZES = (24, 20, 16, 12)
BITS = (5, 11, 17, 23, 29, 35)
SHIPPED = BITS.index(17)
OBSERVABLE = 3.0  # distinct packets an hour

OFF = dict.fromkeys("sweep.daily bots.vulnerable slow.daily split.daily backscatter.daily reflection.daily misconfiguration.daily "
                    "p2p.daily spoofed.daily flood.daily v6.daily synack.daily resets.daily stale.daily own.daily".split(), 0)
OFF.update({"brute.daily": "", "exploit.udp": "", "exploit.tcp": ""})

Victim = collections.namedtuple("Victim", "first third packets onset evidence confirmed contradicted silent raised")  # s; first and
# third ns; raised: by threshold, how often and when first
Ran = collections.namedtuple("Ran", "victims truth packets rows")


def prefix(bits):
    return "10.0.0.0/%d" % bits


def hourly(rate, bits):
    """Distinct packets of a flood that a telescope of this size expects."""
    return rate * 2.0 ** (32 - bits) / 2 ** 32 * 3600


def text(params):
    return "".join("%s = %s\n" % x for x in params.items())


def run(seed, bits, seconds, params, keep=False, extra="", at=None):
    """`at`: prefix, beginning and end, in place of what `bits` and `seconds` say."""
    where = at or (prefix(bits), FROM, FROM + int(seconds))
    with tempfile.TemporaryDirectory(prefix="monomi-onsets-") as folder:
        params_path, truth_path = os.path.join(folder, "params"), os.path.join(folder, "truth")
        with open(params_path, "w", encoding="utf-8") as f:
            f.write(text({**OFF, **params}) + extra)
        done = subprocess.run([PROGRAM, str(seed), *map(str, where), params_path, truth_path,
                               *(["keep"] if keep else [])], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if done.returncode:
            raise AssertionError("onset-run ended with %d: %s" % (done.returncode, done.stderr.decode()[-500:]))
        with open(truth_path, encoding="utf-8") as f:
            truth = [json.loads(x) for x in f]
    victims = {}
    *lines, last = done.stdout.decode().splitlines()
    for line in lines:
        who, *fields = line.split()
        victims[who] = Victim(*map(int, fields[:8]), [tuple(map(int, x.split(":"))) for x in fields[8:]])
    return Ran(victims, truth, *map(int, last.split()[1:]))


# ---- Delays ----
Cell = collections.namedtuple("Cell", "bits rate hourly attacks raised confirmed delays by_bits")


def cells():
    return [(bits, rate) for bits in SIZES for rate in RATES if hourly(rate, bits) >= OBSERVABLE]


def measure_cell(seed, bits, rate, attacks, extra=""):
    """Floods of one rate, long enough for 25 packets each; those that began in time. Delays from the third packet, s."""
    wait = 3600 / hourly(rate, bits)
    life = max(60, 25 * wait)
    span = max(2 * life, 3600)
    params = {"backscatter.daily": "%.3f" % (attacks * 86400 / span), "backscatter.rate_least": rate - 1,
              "backscatter.rate_most": rate - 1, "backscatter.duration_least": int(life) - 1,
              "backscatter.duration_most": int(life) - 1, "backscatter.vectors": 0}
    ran = run(seed, bits, span + life + 60, params, keep=True, extra=extra)
    begun = {}
    for line in ran.truth:
        if line["kind"] == "attack":
            begun[line["who"]] = begun.get(line["who"], []) + [line]
    n, confirmed, delays, by_bits = 0, 0, [], [[] for _ in BITS]
    for who, lines in begun.items():
        v = ran.victims.get(who)
        if len(lines) > 1 or lines[0]["begun"] > (FROM + span) * 10 ** 9 or not v or not v.third:
            continue
        n += 1
        confirmed += v.confirmed > 0
        third = v.third // 10 ** 9
        for i, (raised, at) in enumerate(v.raised):
            if raised:
                by_bits[i].append((at - third) / wait)
        if v.onset:
            delays.append(v.onset - third)
    return Cell(bits, rate, hourly(rate, bits), n, len(delays), confirmed, sorted(delays), by_bits)


def join_cells(parts):
    first = parts[0]
    return first._replace(attacks=sum(p.attacks for p in parts), raised=sum(p.raised for p in parts),
                          confirmed=sum(p.confirmed for p in parts),
                          delays=sorted(sum((p.delays for p in parts), [])),
                          by_bits=[sum((p.by_bits[i] for p in parts), []) for i in range(len(BITS))])


def quantile(values, q):
    """Of sorted values."""
    return values[min(len(values) - 1, int(q * len(values)))] if values else float("nan")


def cell_holds(c):
    """Nearly all are raised; half within the wait for the fourth packet, nine of ten within that for five more."""
    wait = 3600 / c.hourly
    return (c.raised >= 0.95 * c.attacks and quantile(c.delays, 0.5) <= 1 + 1.2 * wait and
            quantile(c.delays, 0.9) <= 1 + 5 * wait)


# ---- Months of nobody ----
Month = collections.namedtuple("Month", "seed bits packets rows false by_bits hosts guilty levels")


def levels(seed, bits):
    """How much of each nuisance a month has: each over its own wide range, by the seed."""
    r = random.Random(seed)
    n = 2.0 ** (32 - bits)

    def log(least, most):
        return least * (most / least) ** r.random()
    return {
        "synack.daily": "%.3f" % log(2, 40), "synack.rate_most": int(log(2000, 200_000)), "synack.ports_most": r.choice((1, 2, 3)),
        "synack.duration": int(log(600, 10_000)),
        "resets.daily": "%.3f" % log(10, 1000), "resets.addresses": r.choice((1, 2, 3)), "resets.wait_least": int(log(2, 60)),
        "stale.daily": "%.3f" % log(2, 100), "stale.addresses": r.choice((1, 1, 2)), "stale.wait_least": int(log(2, 60)),
        "own.daily": "%.3f" % log(50, 20_000), "own.hosts": r.choice((1, 2, 3)), "own.servers": r.choice((3, 12, 40)),
        "reflection.daily": "%.6f" % (log(0.2, 3) / n), "reflection.rate_most": int(log(100, 2000)),
        "reflection.duration": int(log(60, 600)),
        "misconfiguration.daily": "%.6f" % (log(1000, 10_000) / n), "p2p.daily": "%.6f" % (log(1000, 10_000) / n),
    }


def measure_month(seed, bits, days=30, extra=""):
    params = levels(seed, bits)
    ran = run(seed, bits, days * 86400, params, extra=extra)
    flooded = {x["who"] for x in ran.truth if x["kind"] == "attack"}
    kinds = {x["who"]: x["kind"] for x in ran.truth if "who" in x}
    hosts = collections.Counter(x["kind"] for x in ran.truth if "population" in x)
    false, by_bits, guilty = 0, [0] * len(BITS), collections.Counter()
    for who, v in ran.victims.items():
        if who in flooded:
            continue
        for i, (raised, _) in enumerate(v.raised):
            by_bits[i] += raised
        if v.raised[SHIPPED][0]:
            false += v.raised[SHIPPED][0]
            guilty[kinds.get(who, "other")] += 1
    return Month(seed, bits, ran.packets, ran.rows, false, by_bits, dict(hosts), dict(guilty), params)


def months(first_seed, n, days=30, extra=""):
    return [(first_seed * 1000 + i, SIZES[i % len(SIZES)], days, extra) for i in range(n)]


# ---- All ----
def parallel(jobs, workers=2):
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda job: job[0](*job[1:]), jobs))


def median(values):
    return statistics.median(values) if values else float("nan")
