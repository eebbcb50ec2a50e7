#!/usr/bin/python3
"""Databases that are cut, flipped, or no files at all, given to `monomi doctor`: it says what they are or warns in one line.

Mutants it kills: no check of the tree against the file's length, no bound on a value's size, opening without O_NONBLOCK.
"""
import os
import random
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from harness import SOURCE_DIR, Checks, monomi  # noqa: E402

FOLDER = os.path.join(SOURCE_DIR, "build", "databases")
KINDS = {"country": ("country.mmdb", "--country-db"), "AS": ("as.csv", "--as-db")}


def line_of(kind, option, path):
    run = monomi("doctor", option, path, timeout=60, env={"MONOMI_COUNTRY_DB": "", "MONOMI_AS_DB": ""})
    lines = [line for line in run.out.splitlines() if line[5:].startswith(kind.ljust(11))]
    return run, lines[0] if len(lines) == 1 else None


def look(checks, name, kind, option, path, level=None):
    run, line = line_of(kind, option, path)
    checks.true(f"{name}: no crash", not run.crashed, run.err[-300:])
    checks.true(f"{name}: one line", line and line[:4] in ("ok  ", "note", "warn"), run.out)
    if level and line:
        checks.true(name, line[:4] in level, line)


def damage(checks, kind, whole, scratch):
    option = KINDS[kind][1]
    path = os.path.join(scratch, KINDS[kind][0])

    def write(data):
        with open(path, "wb") as f:
            f.write(data)
    for part in (0, 1, 13, 4096, len(whole) // 2, len(whole) - 1000, len(whole) - 1):
        write(whole[:part])
        look(checks, f"{kind} cut at {part}", kind, option, path, ["warn"] if kind == "country" or part < 14 else None)
    for n in range(24):
        data = bytearray(whole)
        for _ in range(1 + n % 3 * 50):
            at = random.randrange(len(data)) if n % 2 else len(data) - 1 - random.randrange(200)
            data[at] ^= 1 << random.randrange(8)
        write(data)
        look(checks, f"{kind} flipped, {n}", kind, option, path)
    write(whole)
    look(checks, f"{kind} whole", kind, option, path, ("ok  ", "note"))  # a note: it is old


def no_files(checks, scratch):
    fifo = os.path.join(scratch, "fifo")
    os.mkfifo(fifo)
    for kind, (_, option) in KINDS.items():
        for path in (fifo, scratch, "/dev/zero", "/dev/null"):
            look(checks, f"{kind}: {os.path.basename(path)}", kind, option, path, ["warn"])


def main():
    checks = Checks()
    random.seed(7)
    with tempfile.TemporaryDirectory() as scratch:
        no_files(checks, scratch)
        for kind, (name, _) in KINDS.items():
            try:
                with open(os.path.join(FOLDER, name), "rb") as f:
                    whole = f.read()
            except FileNotFoundError:
                checks.skip("no databases in build/databases")
                continue
            damage(checks, kind, whole[:3_000_000].rpartition(b"\n")[0] + b"\n" if kind == "AS" else whole, scratch)
    return checks.finish()


sys.exit(main())
