#!/usr/bin/env python3
"""`monomi doctor` and `monomi version`: each line has its level and words; a folder that cannot be written and too little
disk warn, with what to do, and warnings alone decide the exit code.

Mutants it kills: the exit code of a warning dropped; free and total disk space swapped; a database claimed present.
"""
import os
import re
import shutil
import subprocess
import tempfile

MONOMI = os.environ["MONOMI"]
TOPICS = ["rights", "interfaces", "databases", "disk", "memory", "processors", "huge pages"]


def doctor(prefix=(), **environment):
    done = subprocess.run([*prefix, MONOMI, "doctor"], capture_output=True, text=True, check=False,
                          env={**os.environ, **environment})
    rows = [(line[:5].strip(), line[5:16].strip(), line[16:]) for line in done.stdout.splitlines()]
    assert [r[1] for r in rows] == TOPICS, done
    assert all(r[0] in ("ok", "note", "warn") and r[2] for r in rows), done
    assert done.returncode == (1 if any(r[0] == "warn" for r in rows) else 0), done
    return {topic: (level, words) for level, topic, words in rows}


def check_disk():
    with tempfile.TemporaryDirectory() as folder:
        level, words = doctor(TMPDIR=folder)["disk"]
        free = shutil.disk_usage(folder).free >> 20
        told = int(re.search(r"(\d+) MiB", words).group(1))
        assert abs(told - free) <= max(64, free // 50), f"{words}: the system says {free} MiB"
        assert level == ("ok" if told >= 4096 else "warn")
    level, words = doctor(TMPDIR="/nonexistent")["disk"]
    assert level == "warn" and "set TMPDIR" in words, words


def check_processors():
    cpu = min(os.sched_getaffinity(0))
    level, words = doctor(["taskset", "-c", str(cpu)])["processors"]
    assert words.startswith("1") and (level == "note") == (os.cpu_count() > 1), words


def check_rights():
    level, words = doctor(["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--reuid=65534", "--clear-groups"]
                          if os.geteuid() == 0 else [])["rights"]
    assert level == "note" and "files can be analysed" in words, words


def check_version():
    done = subprocess.run([MONOMI, "version"], capture_output=True, text=True, check=True)
    versions = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    assert re.fullmatch(r"\d+\.\d+\.\d+", versions["monomi"]) and versions["schema"].isdigit(), versions
    zstd = subprocess.run(["zstd", "--version"], capture_output=True, text=True, check=True).stdout
    assert f"v{versions['zstd']}" in zstd, "the version of zstd is not the library's"
    assert subprocess.run([MONOMI, "--version"], capture_output=True, text=True, check=True).stdout == done.stdout
    for command in ("version", "doctor"):
        wrong = subprocess.run([MONOMI, command, "x"], capture_output=True, text=True, check=False)
        assert wrong.returncode == 2 and "MON-CLI-006" in wrong.stderr and wrong.stderr.count("\n") == 1, wrong


check_disk()
check_processors()
check_rights()
check_version()
level, words = doctor()["databases"]
assert level == "note" and "unknown" in words, words
print("doctor and version: as said")
