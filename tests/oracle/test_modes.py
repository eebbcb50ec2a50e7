#!/usr/bin/python3
"""Rates never mix answer modes (DEFINITIONS 1): a sensor that answers as hosts do beside a silent one adds to counts and to
no rate; asked for alone it has its own; one that was now so, now so has none; ranges of different modes never overlap.

Mutants it kills, each tried once: rates of all sensors whose N is known; a mode that `--answers` does not reach; a sensor's
mode taken as its last; ranges of different modes left to overlap.
"""
import os
import struct
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness
import store
import stores

SAMPLE = os.path.join(harness.SOURCE_DIR, "samples", "scans.pcap")
WIDE, NARROW = "198.18.0.0/16", "198.18.0.0/17"
SPANS = ({"since": "2026-11-24T06:00:00Z", "until": "2026-11-24T06:20:00Z"},
         {"since": "2026-11-24T00:00:00Z", "until": "2026-11-25T00:00:00Z", "by": "day"})
OF_SPAN = {"rate-steps": {"step": "span"}, "port-ranks": {}, "country-ranks": {}, "network-ranks": {},
           "port-one": {"protocol": "tcp", "port": "23"}, "port-steps": {"protocol": "tcp", "port": "23", "step": "day"}}
OF_ALL = ("rate-per-day", "figure-2-19", "figure-2-20")
RATES = ("rate", "low", "high", "without", "address_days", "before_rate", "accesses", "ports_low", "ports_high", "without_port")


def cut(path, at, folder):
    """A capture as two, at so many seconds after its first packet."""
    with open(path, "rb") as f:
        data = f.read()
    parts, position, first = [data[:24], data[:24]], 24, None
    while position < len(data):
        seconds, part, length, _ = struct.unpack_from("<IIII", data, position)
        first = seconds if first is None else first
        parts[seconds - first >= at] += data[position:position + 16 + length]
        position += 16 + length
    paths = [os.path.join(folder, "part%d.pcap" % i) for i in range(2)]
    for p, data in zip(paths, parts):
        with open(p, "wb") as f:
            f.write(data)
    return paths


def add(db, sensor, files, monitored, *options):
    done = store.analyze(db, files, "--sensor", sensor, "--monitored", monitored, *options)
    if done.code:
        raise AssertionError(done.err)


def words(parameters):
    return [w for k, v in parameters.items() for w in ("--param", "%s=%s" % (k, v))]


def key(row):
    return tuple(row.get(k) for k in ("moment", "protocol", "port", "country", "as_number", "day", "year"))


def answers(db, sensor=None):
    """{(query, parameters, row): its rates}, and whether any is told."""
    only = {"sensor": sensor} if sensor else {}
    found = {}
    for name, more in OF_SPAN.items():
        for span in SPANS:
            for row in stores.query(db, name, *words({**span, **more, **only})):
                found[name, str(span), key(row)] = row
    for name in OF_ALL:
        for row in stores.query(db, name, *words(only)):
            found[name, "", key(row)] = row
    return found


def rates(found):
    """Accesses are rates in the yearly figures alone."""
    return {k: {c: v for c, v in row.items() if c in RATES and (c != "accesses" or k[0].startswith("figure"))}
            for k, row in found.items()}


def told(found):
    return any(v for row in rates(found).values() for c, v in row.items())


def coverage(db, sensor):
    return stores.query(db, "SELECT from_ns, to_ns, mode FROM rest.coverage WHERE sensor = '%s' ORDER BY from_ns" % sensor)


def check_apart(checks, folder):
    alone, other, both = (os.path.join(folder, n) for n in ("alone", "other", "both"))
    add(alone, "dark", [SAMPLE], WIDE)
    add(other, "host", [SAMPLE], NARROW, "--answers", "host-answers")
    add(both, "dark", [SAMPLE], WIDE)
    add(both, "host", [SAMPLE], NARROW, "--answers", "host-answers")
    want, got = answers(alone), answers(both)
    checks.true("rates are told", told(want))
    for key, row in rates(want).items():
        checks.equal("%s %s %s: rates of the silent sensor" % key, rates(got).get(key), row)
    spans = [k for k in want if k[0] == "rate-steps"]
    checks.true("counts are of both", all(got[k]["accesses"] > want[k]["accesses"] for k in spans))
    checks.equal("one that answers has its own", rates(answers(both, "host")), rates(answers(other)))
    status = stores.query(both, "status")[0]
    checks.equal("status: what rates are told of", (status["mode"], status["apart"]), ("silent", 1))
    status = stores.query(other, "status")[0]
    checks.equal("status of one alone", (status["mode"], status["apart"]), ("host-answers", 0))
    modes = {r["sensor"]: r["mode"] for r in stores.query(both, "sensor-list", *words(SPANS[0]))}
    checks.equal("sensors", modes, {"dark": "silent", "host": "host-answers"})
    good, said = store.check(both)
    checks.true("store check", good, said)


def check_mixed(checks, folder):
    db = os.path.join(folder, "mixed")
    first, second = cut(SAMPLE, 20, folder)
    add(db, "dark", [first], WIDE)
    add(db, "dark", [second], WIDE, "--answers", "host-answers")
    checks.equal("ranges", [r["mode"] for r in coverage(db, "dark")], ["silent", "host-answers"])
    found = answers(db)
    checks.true("no rate of one that was now so, now so", not told(found), rates(found))
    listed = stores.query(db, "sensor-list", *words(SPANS[0]))
    checks.equal("it is called so", [(r["mode"], r["rate"]) for r in listed], [("mixed", None)])
    status = stores.query(db, "status")[0]
    checks.equal("status", (status["mode"], status["apart"]), (None, 1))
    ranges = stores.query(db, "coverage-ranges", *words({k: v for k, v in SPANS[0].items()}))
    checks.equal("coverage tells both", [r["mode"] for r in ranges], ["silent", "host-answers"])


def check_overlap(checks, folder):
    """All of the time, and then again what lies within it by another mode: one range has it."""
    db = os.path.join(folder, "overlap")
    first, second = cut(SAMPLE, 20, folder)
    for path, mode in ((second, "host-answers"), (SAMPLE, "silent"), (first, "syn-ack")):
        add(db, "dark", [path], WIDE, "--answers", mode)
    ranges = coverage(db, "dark")
    checks.true("no two ranges overlap", all(a["to_ns"] < b["from_ns"] for a, b in zip(ranges, ranges[1:])), ranges)
    good, said = store.check(db)
    checks.true("store check of ranges that met", good, said)


def main():
    checks = harness.Checks()
    done = harness.monomi("analyze", "--answers", "loud", SAMPLE)
    checks.true("a mode that is none", done.code == 2 and "MON-CLI-026" in done.err, done.err)
    with tempfile.TemporaryDirectory() as folder:
        check_apart(checks, folder)
        check_mixed(checks, folder)
        check_overlap(checks, folder)
    checks.finish()


main()
