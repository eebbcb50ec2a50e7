#!/usr/bin/python3
"""The early mode on simulated telescopes, packets to rows to onsets: `make onsets` in short.

Floods are raised within few packets of the third at every size; days of hosts that only look like victims raise nothing,
though they do with a lower threshold, so that there was something to be taken in by. Mutants that this kills: the forged
port of a row left out, rows of a minute out of order, a sample without its ports, a threshold of two packets less.
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib")]
import harness
import onsets

CELLS = ((24, 100_000), (20, 1000), (16, 10_000), (12, 10), (12, 100_000))
# A day of what a telescope gets in months.
BUSY = """
synack.daily = 300
synack.ports_most = 3
resets.daily = 600
resets.addresses = 6
stale.daily = 200
stale.addresses = 3
own.daily = 2000
own.hosts = 3
"""
KINDS = {"synack_scan", "resets", "stale", "own", "reflection"}


def check_floods(checks):
    for i, (bits, rate) in enumerate(CELLS):
        cell = onsets.measure_cell(100 + i, bits, rate, 60)
        name = "/%d at %d packets/s" % (bits, rate)
        checks.true(name + ": floods", cell.attacks >= 30, cell.attacks)
        checks.true(name, onsets.cell_holds(cell), "raised %d of %d, delays %r" % (cell.raised, cell.attacks, cell.delays))
        checks.true(name + ": none before the third packet", cell.delays and cell.delays[0] >= 0, cell.delays[:3])


def check_nobody(checks):
    seen, lower = set(), 0
    for seed, bits in ((11, 24), (12, 20), (13, 16)):
        day = onsets.measure_month(seed, bits, days=1, extra=BUSY)
        seen |= set(day.hosts)
        lower += day.by_bits[0]
        checks.equal("/%d: false onsets" % bits, (day.false, day.guilty), (0, {}))
    checks.equal("who had a part", KINDS - seen, set())
    checks.true("with a lower threshold there are some", lower > 20, lower)


def main():
    checks = harness.Checks()
    check_floods(checks)
    check_nobody(checks)
    checks.finish()


main()
