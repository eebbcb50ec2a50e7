"""The generated telescope trace: gen.c of the captures' neighbour folder, compiled and run into the build folder."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness

GENERATOR = os.path.join(os.path.dirname(os.path.realpath(harness.CAPTURES)), "bench", "gen.c")


def trace(checks, n, seed=42):
    """Path of a trace of n packets, made at its first use; None where the generator is absent."""
    if not os.path.exists(GENERATOR):
        checks.skip("captures absent (trace generator)")
        return None
    folder = os.path.join(harness.BUILD_DIR, "traces")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "trace-%d-%d.pcap" % (n, seed))
    if not os.path.exists(path):
        program = os.path.join(folder, "gen.%d" % os.getpid())
        part = path + ".%d" % os.getpid()
        subprocess.run(["gcc", "-O2", GENERATOR, "-lm", "-o", program], check=True)
        subprocess.run([program, part, str(n), str(seed)], check=True, stderr=subprocess.DEVNULL)
        os.unlink(program)
        os.rename(part, path)
    return path
