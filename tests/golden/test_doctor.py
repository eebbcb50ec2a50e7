#!/usr/bin/env python3
"""`monomi doctor` and `monomi version`: each line has its level and words; a folder that cannot be written and too little
disk warn, with what to do, and warnings alone decide the exit code; made-up machines are told of word for word; JSON says the
same; how a store grows is told from its parts.

Mutants it kills: the exit code of a warning dropped; free and total disk space swapped; a database claimed present;
a damaged one called absent; the flag of an interface not read.
"""
import ctypes
import json
import os
import re
import shutil
import subprocess
import tempfile

MONOMI = os.environ["MONOMI"]
TOPICS = ["rights", "interfaces", "nftables", "cloud", "clock", "country", "AS", "disk", "memory", "processors", "huge pages"]


def doctor(prefix=(), options=(), topics=TOPICS, **environment):
    done = subprocess.run([*prefix, MONOMI, "doctor", *options], capture_output=True, text=True, check=False,
                          env={**os.environ, **environment})
    rows = [(line[:5].strip(), line[5:18].strip(), line[18:]) for line in done.stdout.splitlines()]
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
            rows = doctor(options=["--db", path], topics=TOPICS[:8] + ["store", "fsync"] + TOPICS[8:])
            assert re.fullmatch(r"\d+\.\d ms in .*", rows["fsync"][1]), rows
            told = int(re.search(r"(\d+) MiB", rows["store"][1]).group(1))
            assert abs(told - free) <= max(64, free // 50) and "DuckDB v" in rows["store"][1], rows
    done = subprocess.run([MONOMI, "doctor", "--db"], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "MON-CLI-004" in done.stderr, done


MACHINES = {  # name: files below its root, options, what is said of them
    "a small cloud machine, not root": ({
        "proc/self/status": "Name:\tx\nUid:\t1000\t1000\t1000\t1000\nCapEff:\t0000000000000000\n",
        "proc/meminfo": "MemTotal: 1000000 kB\nMemAvailable:  409600 kB\n",
        "proc/sys/net/ipv4/conf/all/rp_filter": "0\n", "proc/sys/net/ipv4/conf/ens5/rp_filter": "1\n",
        "sys/class/net/lo/operstate": "unknown\n", "sys/class/net/ens5/operstate": "up\n",
        "sys/class/net/ens5/mtu": "9001\n", "sys/class/net/ens5/flags": "0x1003\n",
        "sys/class/dmi/id/sys_vendor": "Amazon EC2\n",
        "sys/kernel/mm/transparent_hugepage/enabled": "always madvise [never]\n",
    }, ["--interface", "ens5"], """\
note rights       no CAP_NET_RAW: files can be analysed, interfaces not captured: as root they can
ok   interfaces   ens5
ok   link         ens5: up, MTU 9001
note reverse path ens5: strict, the kernel answers no packet whose way back is another: nothing for a capture, which sees them all
note reach        ens5: what a firewall on the way eats cannot be seen from here: `monomi sensor verify` here and \
`monomi sensor probe` on another host tell
note nftables     absent: this host answers probes, which tells scanners that it is there: apt-get install nftables
note cloud        Amazon EC2: its security groups drop what no rule lets in before this machine sees it, and public addresses \
are behind a 1:1 NAT: let everything in for the sensor's addresses there, say --nat or --nat-unknown, then see by \
`monomi sensor verify` what comes
warn memory       400 MiB available: give --memory 272M --shards 1, tables then spill to disk sooner
note huge pages   off, large tables are slower: echo madvise > /sys/kernel/mm/transparent_hugepage/enabled
"""),
    "a host of one's own, root": ({
        "proc/self/status": "Uid:\t0\t0\t0\t0\nCapEff:\t000001ffffffffff\n",
        "proc/meminfo": "MemAvailable:  8388608 kB\n", "sys/fs/cgroup/memory.max": "max\n",
        "proc/sys/net/ipv4/conf/all/rp_filter": "2\n", "proc/sys/net/ipv4/conf/eno1/rp_filter": "0\n",
        "sys/class/net/eno1/operstate": "up\n", "sys/class/net/eno1/mtu": "1500\n", "sys/class/net/eno1/flags": "0x1003\n",
        "sys/class/net/eno2/operstate": "down\n", "sys/class/net/eno2/mtu": "1500\n", "sys/class/net/eno2/flags": "0x1002\n",
        "sys/class/net/eno3/operstate": "down\n", "sys/class/net/eno3/mtu": "1500\n", "sys/class/net/eno3/flags": "0x1003\n",
        "sys/class/dmi/id/sys_vendor": "Supermicro\n", "usr/sbin/nft": "",
        "sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never\n",
    }, ["--interface", "eno1", "--interface", "eno2", "--interface", "eno3", "--interface", "eno4"], """\
ok   rights       may capture from interfaces (root, CAP_NET_RAW, CAP_NET_ADMIN)
ok   interfaces   eno1
ok   link         eno1: up, MTU 1500
ok   reverse path eno1: loose
note reach        eno1: what a firewall on the way eats cannot be seen from here: `monomi sensor verify` here and \
`monomi sensor probe` on another host tell
warn link         eno2: it is not set up, nothing comes: ip link set eno2 up
warn link         eno3: it is down, nothing comes: see to its cable or its peer
warn link         eno4: there is no such interface: `ip link` lists those there are
ok   nftables     there: `monomi sensor silence` can keep this host from answering
ok   cloud        none that is known; the machine's vendor is Supermicro
ok   memory       8192 MiB available
ok   huge pages   on: large tables cost fewer page walks
"""),
    "a machine that tells nothing": ({}, [], """\
note rights       no CAP_NET_RAW: files can be analysed, interfaces not captured: as root they can
note interfaces   none is up beside lo: files can be analysed, nothing captured: ip link set NAME up
note nftables     absent: this host answers probes, which tells scanners that it is there: apt-get install nftables
note cloud        unknown, as the firmware tells no vendor: in a cloud, open its security group and see by \
`monomi sensor verify` what comes
warn memory       unknown, as /proc/meminfo cannot be read: give --memory
note huge pages   off, large tables are slower: echo madvise > /sys/kernel/mm/transparent_hugepage/enabled
"""),
}
OF_ROOT = ("rights", "interfaces", "link", "offloads", "reverse path", "silence", "reach", "nftables", "cloud", "memory", "huge pages")
MARKS = {"chassis_asset_tag": {"7783-7084-3265-9085-8269-3286-77": "Microsoft Azure", "OracleCloud.com": "Oracle Cloud"},
         "product_name": {"Google Compute Engine": "Google Cloud", "OpenStack Nova": "an OpenStack cloud"},
         "sys_vendor": {"DigitalOcean": "DigitalOcean", "Hetzner": "Hetzner", "Vultr": "Vultr", "Alibaba Cloud": "Alibaba Cloud"}}


def put(root, files):
    for name, text in files.items():
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, 0o755)


def check_machines():
    for name, (files, options, said) in MACHINES.items():
        with tempfile.TemporaryDirectory() as root:
            put(root, files)
            words = [MONOMI, "doctor", "--root", root, "--country-db", "", "--as-db", "", *options]
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            told = "".join(line + "\n" for line in done.stdout.splitlines() if line[5:18].strip() in OF_ROOT)
            assert told == said, "%s:\n%s" % (name, told)
            rows = json.loads(subprocess.run([*words, "--format", "json"], capture_output=True, text=True, check=False).stdout)
            as_text = ["%-5s%-13s%s%s" % (r["level"], r["topic"], r["finding"], ": " + r["todo"] if r["todo"] else "") for r in rows
                       if r["topic"] in OF_ROOT]
            assert as_text == said.splitlines(), as_text
            assert all(set(r) == {"level", "topic", "finding", "todo"} and (r["todo"] or r["level"] == "ok") for r in rows), rows
    for file, marks in MARKS.items():
        for mark, cloud in marks.items():
            with tempfile.TemporaryDirectory() as root:
                put(root, {"sys/class/dmi/id/" + file: mark + "\n"})
                done = subprocess.run([MONOMI, "doctor", "--root", root], capture_output=True, text=True, check=False).stdout
                assert re.search(r"^note cloud +%s: " % re.escape(cloud), done, re.M), done


def check_clock():
    """As adjtimex(2) says: its state, or the flag STA_UNSYNC (64)."""
    room = ctypes.create_string_buffer(512)
    state = ctypes.CDLL(None, use_errno=True).adjtimex(room)
    status = ctypes.c_int.from_buffer(room, 40).value
    level, words = doctor()["clock"]
    assert (level == "warn") == (state == 5 or bool(status & 64)), (state, status, words)
    assert state < 0 or ("not synchronised" in words) == (level == "warn"), words


def check_growth():
    """From the parts of a store, and by the days that the configuration keeps them."""
    with tempfile.TemporaryDirectory() as folder:
        db, config = os.path.join(folder, "db"), os.path.join(folder, "monomi.yaml")
        sample = os.path.join(os.environ["SOURCE_DIR"], "samples", "scans.pcap")
        subprocess.run([MONOMI, "analyze", "--db", db, sample], check=True, capture_output=True)
        os.makedirs(os.path.join(db, "spool"), exist_ok=True)
        with open(os.path.join(db, "spool", "kept"), "wb") as f:
            f.write(bytes(3 << 20))
        topics = TOPICS[:8] + ["store", "fsync", "growth"] + TOPICS[8:]
        level, words = doctor(options=["--db", db], topics=topics)["growth"]
        assert level == "ok" and re.match(r"0 MiB a day of rows for 90 days, 3 MiB a day of packets for 14: (39|4\d) MiB more to come, ",
                                          words), words
        with open(config, "w", encoding="utf-8") as f:
            f.write("store: db\nretention: {detail: 7, segments: 36000}\n")
        level, words = doctor(options=["--config", config], topics=topics)["growth"]
        assert "for 7 days, 3 MiB a day of packets for 36000: " in words, words
        more, free = map(int, re.search(r"(\d+) MiB more to come, (\d+) free", words).groups())
        assert more > 100000 and (level == "warn") == (more >= free) and ("--retention" in words) == (level == "warn"), words
        with open(config, "w", encoding="utf-8") as f:
            f.write("stroe: db\n")
        done = subprocess.run([MONOMI, "doctor", "--config", config], capture_output=True, text=True, check=False)
        assert done.returncode == 2 and "1:1: there is no key 'stroe'" in done.stderr and not done.stdout, done


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


check_machines()
check_clock()
check_growth()
check_databases()
check_store()
check_disk()
check_processors()
check_rights()
check_version()
print("doctor and version: as said")
