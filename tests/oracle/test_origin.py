#!/usr/bin/python3
"""Country and AS in the rows of a store: databases made here say them of some sources, and each row of flows and victims has
what they say, with the digests of both; what they do not know is NULL; rows' own digests do not depend on them.

Mutants it kills: the answer of the address before, a run of an address not ended at a chunk's end, the digests exchanged.
"""
import csv
import io
import ipaddress
import os
import struct
import sys
import tempfile

import xxhash

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from harness import SOURCE_DIR, Checks, monomi  # noqa: E402

SAMPLE = os.path.join(SOURCE_DIR, "samples", "scans.pcap")


def text(s):
    return bytes([0x40 | len(s)]) + s.encode()


def number(n):
    return b"\xc4" + struct.pack(">I", n)


def mmdb(countries):
    """{address: code} as a MaxMind DB of whole addresses of both families."""
    nodes, data, at = [[None, None]], b"", {}
    for address, code in countries.items():
        at.setdefault(code, len(data))
        if at[code] == len(data):
            data += b"\xe1" + text("country_code") + text(code)
        a = ipaddress.ip_address(address)
        bits = int(a)
        node = 0
        for i in range(127, -1, -1):
            bit = bits >> i & 1
            if i == 0:
                nodes[node][bit] = ("data", at[code])
            elif nodes[node][bit] is None:
                nodes.append([None, None])
                nodes[node][bit] = len(nodes) - 1
            if i:
                node = nodes[node][bit]
    value = lambda c: len(nodes) if c is None else len(nodes) + 16 + c[1] if isinstance(c, tuple) else c
    tree = b"".join(value(c).to_bytes(3, "big") for node in nodes for c in node)
    meta = {"binary_format_major_version": 2, "node_count": len(nodes), "record_size": 24, "ip_version": 6}
    body = bytes([0xe0 | len(meta)]) + b"".join(text(k) + number(v) for k, v in meta.items())
    return tree + bytes(16) + data + b"\xab\xcd\xefMaxMind.com" + body


def rows(checks, db, sql):
    run = monomi("query", "--db", db, "--format", "csv", sql)
    checks.equal("query", run.code, 0)
    return list(csv.DictReader(io.StringIO(run.out)))


def keep(checks, folder, name, options):
    db = os.path.join(folder, name)
    run = monomi("analyze", "--summary", "json", "--db", db, *options, SAMPLE)
    checks.true(f"{name}: kept", run.code == 0 and not run.err, run.err)
    return db


def check_table(checks, db, table, column, country, system, digests):
    got = rows(checks, db, f"SELECT {column} AS who, f.country, f.as_number, f.country_db, f.as_db FROM {table} f")
    checks.true(f"{table}: has rows", len(got) > 20, len(got))
    wrong = [r for r in got if (r["country"], r["as_number"]) != (country.get(r["who"], ""), system.get(r["who"], ""))]
    checks.true(f"{table}: country and AS of each row", not wrong, wrong[:3])
    checks.equal(f"{table}: digests", {(r["country_db"].replace("-", ""), r["as_db"].replace("-", "")) for r in got}, {digests})
    checks.true(f"{table}: some known", any(r["country"] for r in got))


def main():
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        plain = keep(checks, folder, "plain", [])
        known = sorted({r["who"] for r in rows(checks, plain, "SELECT source AS who FROM flow UNION SELECT victim FROM victim_second")},
                       key=lambda a: int(ipaddress.ip_address(a)))
        checks.true("NULL without databases", not [r for r in rows(
            checks, plain, "SELECT country, as_number, country_db, as_db FROM flow4") if any(r.values())])
        v4 = [a for a in known if ":" not in a]
        country = {a: ("JP", "NZ", "BR")[i % 3] for i, a in enumerate(known) if i % 4 != 3}
        system = {a: str(64496 + i) for i, a in enumerate(v4) if i % 3 != 2}
        country_db, as_db = os.path.join(folder, "c.mmdb"), os.path.join(folder, "a.csv")
        with open(country_db, "wb") as f:
            f.write(mmdb(country))
        with open(as_db, "w", encoding="ascii") as f:
            f.writelines(f"{a},{a},{n},x\n" for a, n in system.items())
        digests = []
        for path in (country_db, as_db):
            with open(path, "rb") as f:
                digests.append(xxhash.xxh3_128_hexdigest(f.read()))
        db = keep(checks, folder, "placed", ["--country-db", country_db, "--as-db", as_db])
        check_table(checks, db, "flow4", "ip_of4(f.source)", country, system, tuple(digests))
        check_table(checks, db, "rest.victim_second4", "ip_of4(f.victim)", country, system, tuple(digests))
        checks.equal("digests of rows", monomi("digest", "--db", db).out, monomi("digest", "--db", plain).out)
        with open(as_db, "a", encoding="ascii") as f:
            f.write("x\n")
        run = monomi("analyze", "--db", os.path.join(folder, "bad"), "--as-db", as_db, SAMPLE)
        checks.true("a bad database", run.code == 1 and "MON-ENR-007" in run.err and run.err.count("\n") == 1, run.err)
        run = monomi("analyze", "--db", os.path.join(folder, "none"), "--country-db", os.path.join(folder, "absent"), SAMPLE)
        checks.true("an absent database", run.code == 1 and "MON-ENR-001" in run.err, run.err)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
