#!/usr/bin/python3
"""--memory bounds the whole process with --db, from 224M and 48M a shard on, and less is refused: a trace whose rows would
take more, analysed and stored in that much, by one shard, two and four; tables are handed over to a file, and the rows are
the same as with plenty.

Mutants it kills: a batch that is not bounded, memory of tables that is not shared out between the analysis and the store,
small tables in huge pages, small tables that keep their pages when they are emptied.
"""
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness  # noqa: E402
import trace  # noqa: E402

PACKETS = 5000000
BOUND = 320 << 20


def stored(checks, name, path, db, *options):
    """The most bytes that a run had in memory, and its total."""
    with tempfile.TemporaryFile() as out:
        run = subprocess.Popen([harness.MONOMI, "analyze", "--db", db, "--summary", "json", *options, path], stdout=out)
        _, status, usage = os.wait4(run.pid, 0)
        run.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        total = json.loads(out.read().splitlines()[-1])
    checks.true(name + " ends well", run.returncode == 0, run.returncode)
    return usage.ru_maxrss * 1024, total


def refused(checks, path, folder):
    """With less than the least that can bound the process nothing is begun."""
    for shards, memory in (1, 271), (4, 415):
        db = os.path.join(folder, "refused")
        run = harness.monomi("analyze", "--db", db, "--memory", "%dM" % memory, "--shards", str(shards), path)
        checks.equal("%d shards in %d MiB: refused" % (shards, memory), (run.code, "MON-CLI-019" in run.err, "%d MiB" % (memory + 1)
                                                                       in run.err, os.path.exists(db)), (2, True, True, False))


def main():
    checks = harness.Checks()
    path = trace.trace(checks, PACKETS)
    if not path:
        checks.finish()
    with tempfile.TemporaryDirectory(prefix="monomi-memory-") as folder:
        plenty = os.path.join(folder, "plenty")
        refused(checks, path, folder)
        need, _ = stored(checks, "plenty", path, plenty, "--memory", "4G", "--shards", "2")
        checks.true("a bound that is felt", need > BOUND, need)
        rows = harness.monomi("digest", "--db", plenty).out
        for shards, memory in (1, 272), (2, 320), (4, 416):
            name, db = "%d shards in %d MiB" % (shards, memory), os.path.join(folder, str(shards))
            took, total = stored(checks, name, path, db, "--memory", "%dM" % memory, "--shards", str(shards))
            checks.true(name + ": within", took <= memory << 20, took)
            if shards <= 2:
                checks.true(name + ": tables were handed over", total["spills"] > 0, total["spills"])
            checks.true(name + ": the same rows", harness.monomi("digest", "--db", db).out == rows)
    checks.finish()


main()
