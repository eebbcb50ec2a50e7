"""What the measuring scripts share: timed runs, the generated traces, the floor program."""
import os
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CACHE = os.path.join(ROOT, "build", "bench")
MONOMI = os.path.join(ROOT, "build", "monomi")
TOOLS = os.environ.get("MONOMI_BENCH") or os.path.join(os.path.dirname(ROOT), "shared", "bench")


class Run:
    """One finished process: seconds of wall and CPU time, peak resident bytes, its output."""

    def __init__(self, command, **options):
        with tempfile.TemporaryFile() as out:
            start = time.monotonic()
            child = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL, **options)
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            self.wall = time.monotonic() - start
            self.cpu = usage.ru_utime + usage.ru_stime
            self.rss = usage.ru_maxrss * 1024
            self.code = child.returncode
            out.seek(0)
            self.out = out.read().decode(errors="replace")


def built(name, *flags):
    target = os.path.join(CACHE, name)
    source = os.path.join(TOOLS, name + ".c")
    if not os.path.exists(target) or os.path.getmtime(target) < os.path.getmtime(source):
        subprocess.run(["gcc", "-w", *flags[:1], source, "-o", target, *flags[1:]], check=True)
    return target


def trace(packets, scale=1.0):
    path = os.path.join(CACHE, f"{packets}-{scale:g}.pcap")
    if not os.path.exists(path):
        print(f"generating {packets:,} packets ...", file=sys.stderr)
        subprocess.run([built("gen", "-O2", "-lm"), path + ".part", str(packets), "42", str(scale)], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.rename(path + ".part", path)
    return path


def mib(n):
    return f"{n / (1 << 20):,.0f} MiB"


def have_tools():
    """Is the trace generator there? Says so when not."""
    if os.path.exists(os.path.join(TOOLS, "gen.c")):
        os.makedirs(CACHE, exist_ok=True)
        return True
    print(f"SKIP: no trace generator in {TOOLS}; set MONOMI_BENCH to the folder with gen.c and floor.c")
    return False
