#!/usr/bin/env python3
"""`monomi doctor` and `monomi version`: each line has its level and words; a folder that cannot be written and too little
disk warn, with what to do, and warnings alone decide the exit code.

Mutants it kills: the exit code of a warning dropped; free and total disk space swapped; a database claimed present;
a damaged one called absent.
"""
import os
import re
import shutil
import subprocess
import tempfile

MONOMI = os.environ["MONOMI"]
TOPICS = ["rights", "interfaces", "country", "AS", "disk", "memory", "processors", "huge pages"]


def doctor(prefix=(), options=(), topics=TOPICS, **environment):
    done = subprocess.run([*prefix, MONOMI, "doctor", *options], capture_output=True, text=True, check=False,
                          env={**os.environ, **environment})
    rows = [(line[:5].strip(), line[5:16].strip(), line[16:]) for line in done.stdout.splitlines()]
    assert [r[1] for r in rows] == topics, done
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


def check_databases():
    with tempfile.TemporaryDirectory() as folder:
        csv = os.path.join(folder, "as.csv")
        with open(csv, "w", encoding="utf-8") as f:
            f.write("192.0.2.0,192.0.2.255,64496,Example\n")
        os.utime(csv, (86400 * 365, 86400 * 365))
        rows = doctor(MONOMI_COUNTRY_DB="", options=["--as-db", csv])
        assert rows["country"][0] == "note" and "unknown" in rows["country"][1], rows
        level, words = rows["AS"]
        digest = subprocess.run(["/usr/bin/python3", "-c", "import sys, xxhash; print(xxhash.xxh3_128_hexdigest(open("
                                 "sys.argv[1], 'rb').read())[:8])", csv], capture_output=True, text=True, check=True).stdout.strip()
        assert level == "note" and "1971-01-01" in words and "a newer one" in words and digest in words, words
        os.utime(csv)
        assert doctor(MONOMI_COUNTRY_DB="", options=["--as-db", csv])["AS"][0] == "ok"
        with open(csv, "a", encoding="utf-8") as f:
            f.write("192.0.2.0\n")
        level, words = doctor(MONOMI_COUNTRY_DB="", MONOMI_AS_DB=csv)["AS"]
        assert level == "warn" and "line 2" in words and csv in words, words
        level, words = doctor(MONOMI_AS_DB="", MONOMI_COUNTRY_DB=csv)["country"]
        assert level == "warn" and "no MaxMind DB" in words, words
        level, words = doctor(MONOMI_AS_DB="", MONOMI_COUNTRY_DB=os.path.join(folder, "none"))["country"]
        assert level == "warn" and "there is no database" in words, words


def check_store():
    with tempfile.TemporaryDirectory() as folder:
        free = shutil.disk_usage(folder).free >> 20
        for path in (folder, os.path.join(folder, "not", "yet")):
            rows = doctor(options=["--db", path], topics=TOPICS[:5] + ["store"] + TOPICS[5:])
            told = int(re.search(r"(\d+) MiB", rows["store"][1]).group(1))
            assert abs(told - free) <= max(64, free // 50) and "DuckDB v" in rows["store"][1], rows
    done = subprocess.run([MONOMI, "doctor", "--db"], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "MON-CLI-004" in done.stderr, done


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
    assert versions["duckdb"].startswith("1."), versions
    assert f"v{versions['zstd']}" in zstd, "the version of zstd is not the library's"
    assert subprocess.run([MONOMI, "--version"], capture_output=True, text=True, check=True).stdout == done.stdout
    for command in ("version", "doctor"):
        wrong = subprocess.run([MONOMI, command, "x"], capture_output=True, text=True, check=False)
        assert wrong.returncode == 2 and "MON-CLI-006" in wrong.stderr and wrong.stderr.count("\n") == 1, wrong


check_databases()
check_store()
check_disk()
check_processors()
check_rights()
check_version()
print("doctor and version: as said")
