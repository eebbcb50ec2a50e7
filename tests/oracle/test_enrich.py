#!/usr/bin/python3
"""The databases that the build fetched, looked up by Python's reader of MaxMind DBs and by a search of the CSV's lines: the
same answers at random addresses and at both sides of the borders of 20,000 ranges of either family.

Mutants it kills: `<=` for `<` in ranges_lookup4, one bit too few in mmdb_lookup6, an IPv4 address looked up at ::ffff:0:0/96.
"""
import bisect
import csv
import ipaddress
import os
import random
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from harness import BUILD_DIR, SOURCE_DIR, Checks  # noqa: E402

FOLDER = os.path.join(SOURCE_DIR, "build", "databases")
COUNTRY, SYSTEMS = os.path.join(FOLDER, "country.mmdb"), os.path.join(FOLDER, "as.csv")


def read_ranges():
    rows = {4: [], 6: []}
    with open(SYSTEMS, encoding="utf-8", errors="replace", newline="") as f:
        for first, last, number, name in csv.reader(f):
            a = ipaddress.ip_address(first)
            rows[a.version].append((int(a), int(ipaddress.ip_address(last)), int(number), name))
    return rows


def addresses(rows):
    kinds = {4: ipaddress.IPv4Address, 6: ipaddress.IPv6Address}
    some = [ipaddress.IPv4Address(random.getrandbits(32)) for _ in range(60_000)]
    for version, kind in kinds.items():
        for first, last, _, _ in random.sample(rows[version], 20_000):
            some += [kind(v) for v in (first - 1, first, last, last + 1) if 0 <= v < 1 << kind(0).max_prefixlen]
    return [a for a in some if a.version == 4 or not a.ipv4_mapped]


def main():
    checks = Checks()
    if not os.path.exists(COUNTRY) or not os.path.exists(SYSTEMS):
        checks.skip("no databases in build/databases")
        return checks.finish()
    try:
        import maxminddb
    except ImportError:
        checks.skip("no python3-maxminddb")
        return checks.finish()
    random.seed(20261124)
    rows = read_ranges()
    starts = {version: [r[0] for r in rows[version]] for version in rows}
    asked = addresses(rows)
    done = subprocess.run([os.path.join(BUILD_DIR, "tests", "enrich-look"), COUNTRY, SYSTEMS],
                          input="".join(f"{a}\n" for a in asked), capture_output=True, text=True, check=False)
    answers = done.stdout.split("\n")[:-1]
    checks.equal("as many answers as addresses", len(answers), len(asked))
    countries = maxminddb.open_database(COUNTRY)
    wrong = known = 0
    for a, answer in zip(asked, answers):
        at = bisect.bisect_right(starts[a.version], int(a)) - 1
        row = rows[a.version][at] if at >= 0 and rows[a.version][at][1] >= int(a) else None
        country = (countries.get(str(a)) or {}).get("country_code", "--")
        got = answer.split(" ", 2)
        known += country != "--"
        if got[:2] != [country, str(row[2] if row else 0)] or (row is None) != (got[2] == "" and got[1] == "0"):
            wrong += 1
            if wrong < 6:
                print(f"{a}: {answer}, expected {country} {row}")
    checks.equal("wrong answers", wrong, 0)
    checks.true("most have a country", known > len(asked) // 2, known)
    return checks.finish()


sys.exit(main())
