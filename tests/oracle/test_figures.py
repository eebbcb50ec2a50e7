#!/usr/bin/python3
"""The yearly figures: five simulated years of three sensors come out as the series that they were made of (DEFINITIONS 8).

An arithmetic test: of the divisor, since one sensor is down a third of the time and one changes its address; of the bands; of the
years' borders. Mutants that it kills: a divisor of calendar days (east shows two thirds), of addresses ever seen (west
shows half), a port-less packet among port 0, a year that begins an hour late. The whole is `make figures`; here it is the first
day of each month.
"""
import csv
import io
import os
import subprocess
import sys
import xml.etree.ElementTree

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib")]
import harness

SERIES = {  # year: total, ports to 1023, from 1024, without a port
    2016: (1692.0, 1075.5, 606.4, 10.1), 2017: (1893.0, 1054.9, 826.9, 11.2), 2018: (2752.8, 1034.0, 1702.8, 16.0),
    2019: (4192.0, 1325.9, 2844.8, 21.3), 2020: (6506.4, 1527.7, 4931.1, 47.6),
}
COLUMNS = ("ports_low", "ports_high", "without_port")
BOUND = 0.02
# A sensor's count in a day is whole, and what is without a port is some ten: half a packet of each of twelve days.
SMALL = 1.0


def query(db, name, *options):
    run = harness.monomi("query", "--db", db, "--format", "csv", *options, name)
    if run.code:
        raise AssertionError(run.err)
    return {int(r["year"]): {k: float(v) for k, v in r.items() if k != "year"} for r in csv.DictReader(io.StringIO(run.out))}


def close(checks, name, got, want, slack=0.0):
    return checks.true(name, abs(got - want) <= BOUND * want + slack, "%.2f is not within 2 %% of %.1f" % (got, want))


def check(checks, label, total, bands, slack):
    checks.equal(label + ": years", (sorted(total), sorted(bands)), (sorted(SERIES),) * 2)
    for year, (whole, *parts) in SERIES.items():
        close(checks, "%s: %d" % (label, year), total[year]["accesses"], whole, slack)
        for column, want in zip(COLUMNS, parts):
            close(checks, "%s: %d, %s" % (label, year, column), bands[year][column], want, slack)
        # Each number is rounded to a tenth.
        checks.true("%s: %d, bands add up" % (label, year),
                    abs(sum(bands[year][c] for c in COLUMNS) - total[year]["accesses"]) <= 0.2, str((total[year], bands[year])))


def check_drawings(checks, folder):
    for name in ("figure-2-19", "figure-2-20"):
        with open(os.path.join(folder, name + ".svg"), encoding="utf-8") as f:
            text = f.read()
        checks.true(name + ".svg is well formed", xml.etree.ElementTree.fromstring(text).tag.endswith("svg"))
        checks.true(name + ".svg says SIMULATED", "SIMULATED" in text)


def main():
    checks = harness.Checks()
    with harness.scratch() as scratch:
        folder = os.path.join(scratch, "figures")
        done = subprocess.run([os.path.join(harness.SOURCE_DIR, "tools", "figures"), folder, "1"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, timeout=800,
                              env=dict(os.environ, MONOMI=harness.MONOMI))
        if not checks.equal("tools/figures ends well: " + done.stderr[-500:], done.returncode, 0):
            checks.finish()
        checks.true("it says SIMULATED", done.stdout.startswith("SIMULATED"))
        checks.true("13.3 s", "in 2020 one every 13.3 s" in done.stdout, done.stdout[-200:])
        db = os.path.join(folder, "db")
        total = query(db, "figure-2-19")
        check(checks, "all sensors", total, query(db, "figure-2-20"), 0.0)
        checks.equal("seconds an access in 2020", round(86400 / total[2020]["accesses"], 1), 13.3)
        for sensor in ("north", "east", "west"):
            only = ("--param", "sensor=" + sensor)
            check(checks, sensor, query(db, "figure-2-19", *only), query(db, "figure-2-20", *only), SMALL)
        check_drawings(checks, folder)
    checks.finish()


main()
