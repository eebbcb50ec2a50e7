#!/usr/bin/python3
"""--memory bounds the whole process with --db, from 224M and 48M a shard on: a trace whose rows would take more, analysed and
stored in that much, by one shard, two and four; the rows are the same as with plenty.

Mutants it kills: a batch that is not bounded, memory of tables that is not shared out between the analysis and the store,
small tables in huge pages, small tables that keep their pages when they are emptied.
"""
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness  # noqa: E402
import trace  # noqa: E402

PACKETS = 5000000
BOUND = 320 << 20


def peak(checks, name, path, db, *options):
    """Most bytes that a run had in memory."""
    run = subprocess.Popen([harness.MONOMI, "analyze", "--db", db, *options, path], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(run.pid, 0)
    run.returncode = os.waitstatus_to_exitcode(status)
    checks.true(name + " ends well", run.returncode == 0, run.returncode)
    return usage.ru_maxrss * 1024


def main():
    checks = harness.Checks()
    path = trace.trace(checks, PACKETS)
    if not path:
        checks.finish()
    with tempfile.TemporaryDirectory(prefix="monomi-memory-") as folder:
        plenty = os.path.join(folder, "plenty")
        need = peak(checks, "plenty", path, plenty, "--memory", "4G", "--shards", "2")
        checks.true("a bound that is felt", need > BOUND, need)
        rows = harness.monomi("digest", "--db", plenty).out
        for shards, memory in (1, 272), (2, 320), (4, 416):
            name, db = "%d shards in %d MiB" % (shards, memory), os.path.join(folder, str(shards))
            took = peak(checks, name, path, db, "--memory", "%dM" % memory, "--shards", str(shards))
            checks.true(name + ": within", took <= memory << 20, took)
            checks.true(name + ": the same rows", harness.monomi("digest", "--db", db).out == rows)
    checks.finish()


main()
