#!/usr/bin/python3
"""Writes the seeds of fuzz_mmdb into fuzz/corpus/mmdb/: small databases of countries, of one and of both families.

usage: seeds_mmdb.py [FOLDER]

They are made as those of tests/oracle/test_origin.py; the same program gives the same bytes.
"""
import ipaddress
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "tests", part) for part in ("oracle", "lib", "golden")]
import test_origin

SEEDS = {
    "none": {},
    "one": {"192.0.2.1": "JP"},
    "some": {"192.0.2.1": "JP", "198.51.100.7": "US", "203.0.113.255": "BR"},
    "both": {"192.0.2.1": "JP", "2001:db8::1": "DE", "::ffff": "FR"},
}


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "corpus", "mmdb")
    os.makedirs(folder, exist_ok=True)
    for name, countries in SEEDS.items():
        with open(os.path.join(folder, name), "wb") as f:
            f.write(test_origin.mmdb({ipaddress.ip_address(a): code for a, code in countries.items()}))


main()
