#!/usr/bin/python3
"""What monomi says, word for word: one file in cli/ for each case, made anew by `test_cli.py --regenerate` and reviewed
as text. What holds for all cases whatever the words (exit codes, at most 4 lines on stderr, a stable code) is asserted
beside the comparison, so that no regeneration can break it.

Killed mutants: an exit code changed, the whole help printed at a usage error, an error without its code.
"""
import json
import os
import re
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", part) for part in ("lib", "oracle")]
import harness
import make_captures
import stores

GOLDENS = os.path.join(HERE, "cli")
SMALL = "small.pcap"
CODE = re.compile(r"MON-[A-Z]+-\d{3}")

# name: (exit code, arguments, standard input or None). Files are made by prepare() in the folder the program runs in.
CASES = {
    "help": (0, ["--help"], None),
    "help-analyze": (0, ["analyze", "--help"], None),
    "help-ip": (0, ["ip", "--help"], None),
    "ip-no-db": (2, ["ip", "192.0.2.1"], None),
    "ip-nothing": (2, ["ip", "--db", "store"], None),
    "ip-prefix": (2, ["ip", "--db", "store", "192.0.2.0/24"], None),
    "ip-word": (2, ["ip", "--db", "store", "localhost"], None),
    "ip-format": (2, ["ip", "--db", "store", "--format", "xml", "192.0.2.1"], None),
    "ip-folder": (1, ["ip", "--db", "folder", "192.0.2.1"], None),
    "ip-never": (0, ["ip", "--db", "store", "--country-db", "", "--as-db", "", "192.0.2.1"], None),
    "help-sensor": (0, ["sensor", "--help"], None),
    "sensor-nothing": (2, ["sensor"], None),
    "sensor-word": (2, ["sensor", "listen"], None),
    "sensor-no-interface": (2, ["sensor", "check"], None),
    "sensor-no-management": (2, ["sensor", "silence", "--interface", "lo"], None),
    "sensor-manage": (2, ["sensor", "silence", "--interface", "lo", "--manage", "tcp/99999"], None),
    "sensor-no-key": (2, ["sensor", "probe", "--to", "192.0.2.1"], None),
    "sensor-no-file": (1, ["sensor", "probe", "--to", "192.0.2.1", "--key", "nowhere"], None),
    "sensor-argument": (2, ["sensor", "check", "--interface", "lo", "more"], None),
    "help-packets": (0, ["packets", "--help"], None),
    "packets-no-db": (2, ["packets"], None),
    "packets-argument": (2, ["packets", "--db", "store", "all"], None),
    "packets-minute": (2, ["packets", "--db", "store", "--minute", "2026-01-01T00:00:07"], None),
    "packets-time": (2, ["packets", "--db", "store", "--from", "yesterday"], None),
    "packets-source": (2, ["packets", "--db", "store", "--source", "192.0.2.0/24"], None),
    "packets-class": (2, ["packets", "--db", "store", "--class", "scans"], None),
    "packets-port": (2, ["packets", "--db", "store", "--port", "65536"], None),
    "packets-type": (2, ["packets", "--db", "store", "--type", "8/x"], None),
    "packets-folder": (1, ["packets", "--db", "folder", "--out", "out.pcapng"], None),
    "packets-none": (0, ["packets", "--db", "store", "--out", "out.pcapng"], None),
    "help-query": (0, ["query", "--help"], None),
    "query-list": (0, ["query", "--list"], None),
    "query-no-db": (2, ["query", "columns"], None),
    "query-nothing": (2, ["query", "--db", "store"], None),
    "query-two": (2, ["query", "--db", "store", "columns", "columns"], None),
    "query-unknown": (2, ["query", "--db", "store", "colums"], None),
    "query-format": (2, ["query", "--db", "store", "--format", "xml", "columns"], None),
    "query-param": (2, ["query", "--db", "store", "--param", "limit", "columns"], None),
    "query-time": (2, ["query", "--db", "store", "--time", "0", "columns"], None),
    "query-memory": (2, ["query", "--db", "store", "--memory", "1M", "columns"], None),
    "query-absent": (1, ["query", "--db", "absent", "columns"], None),
    "query-file": (1, ["query", "--db", "junk", "columns"], None),
    "query-folder": (1, ["query", "--db", "folder", "columns"], None),
    "query-newer": (1, ["query", "--db", "newer", "columns"], None),
    "query-missing-param": (1, ["query", "--db", "store", "SELECT $x"], None),
    "query-unknown-param": (1, ["query", "--db", "store", "--param", "y=1", "top-ports"], None),
    "query-columns": (0, ["query", "--db", "store", "columns"], None),
    "help-doctor": (0, ["doctor", "--help"], None),
    "help-simulate": (0, ["simulate", "--help"], None),
    "help-store": (0, ["store", "--help"], None),
    "store-nothing": (2, ["store"], None),
    "store-unknown": (2, ["store", "mend", "--db", "store"], None),
    "store-no-db": (2, ["store", "check"], None),
    "store-word": (2, ["store", "check", "--db", "store", "store"], None),
    "store-option": (2, ["store", "check", "--hard"], None),
    "store-backup-nowhere": (2, ["store", "backup", "--db", "store"], None),
    "store-restore-nothing": (2, ["store", "restore", "--db", "new"], None),
    "store-date": (2, ["store", "expire", "--db", "store", "--now", "2026-13-01"], None),
    "store-days": (2, ["store", "expire", "--db", "store", "--detail", "-1"], None),
    "store-absent": (1, ["store", "check", "--db", "absent"], None),
    "simulate-list": (0, ["simulate", "--list"], None),
    "simulate-nothing": (2, ["simulate"], None),
    "simulate-no-output": (2, ["simulate", "--addresses", "198.51.100.0/24", "--from", "0", "--to", "9"], None),
    "simulate-seed": (2, ["simulate", "--seed", "x"], None),
    "simulate-time": (2, ["simulate", "--from", "2020-13-01"], None),
    "simulate-argument": (2, ["simulate", "now"], None),
    "simulate-backwards": (1, ["simulate", "--addresses", "198.51.100.0/24", "--from", "9", "--to", "3", "--truth", "x"], None),
    "simulate-many": (1, ["simulate", "--addresses", "10.0.0.0/7", "--from", "0", "--to", "3", "--truth", "x"], None),
    "simulate-overlap": (1, ["simulate", "--addresses", "10.0.0.0/24,10.0.0.128/25", "--from", "0", "--to", "3", "--truth", "x"],
                         None),
    "simulate-unknown": (1, ["simulate", "--addresses", "10.0.0.0/24", "--from", "0", "--to", "3", "--truth", "x", "--params",
                             "junk"], None),
    "simulate-params": (1, ["simulate", "--addresses", "10.0.0.0/24", "--from", "0", "--to", "3", "--truth", "x", "--params",
                            "params"], None),
    "simulate-absent": (1, ["simulate", "--addresses", "10.0.0.0/24", "--from", "0", "--to", "3", "--truth", "absent/x"], None),
    "help-version": (0, ["version", "--help"], None),
    "no-command": (2, [], None),
    "unknown-command": (2, ["analyse", SMALL], None),
    "version-argument": (2, ["version", "now"], None),
    "no-file": (2, ["analyze"], None),
    "unknown-option": (2, ["analyze", "--colour", SMALL], None),
    "option-without-value": (2, ["analyze", SMALL, "--shards"], None),
    "shards-zero": (2, ["analyze", "--shards", "0", SMALL], None),
    "shards-word": (2, ["analyze", "--shards", "two", SMALL], None),
    "memory-word": (2, ["analyze", "--memory", "much", SMALL], None),
    "memory-tiny": (2, ["analyze", "--memory", "1", SMALL], None),
    "memory-store": (2, ["analyze", "--db", "folder", "--memory", "319M", "--shards", "2", SMALL], None),
    "summary-word": (2, ["analyze", "--summary", "xml", SMALL], None),
    "monitored-word": (2, ["analyze", "--monitored", "here", SMALL], None),
    "monitored-host-bits": (2, ["analyze", "--monitored", "198.51.100.1/24", SMALL], None),
    "monitored-empty": (2, ["analyze", "--monitored", "", SMALL], None),
    "own-word": (2, ["analyze", "--own", "192.0.2.300", SMALL], None),
    "nat-lengths": (2, ["analyze", "--nat", "10.0.0.0/8=198.51.100.0/24", SMALL], None),
    "nat-families": (2, ["analyze", "--nat", "10.0.0.0/24=2001:db8::/120", SMALL], None),
    "nat-half": (2, ["analyze", "--nat", "10.0.0.0/8", SMALL], None),
    "filter-word": (2, ["analyze", "--filter", "tcp and and", SMALL], None),
    "absent-file": (1, ["analyze", "absent.pcap"], None),
    "absent-file-json": (1, ["analyze", "--summary", "json", "absent.pcap", SMALL], None),
    "empty-folder": (1, ["analyze", "--summary", "json", "empty"], None),
    "folder": (0, ["analyze", "--summary", "json", "folder"], None),
    "zero-bytes": (1, ["analyze", "--summary", "json", "zero.pcap"], None),
    "junk": (1, ["analyze", "--summary", "json", "junk"], None),
    "junk-text": (1, ["analyze", "junk"], None),
    "cut": (1, ["analyze", "cut.pcap"], None),
    "cut-json": (1, ["analyze", "--summary", "json", "cut.pcap"], None),
    "no-packets": (0, ["analyze", "none.pcap"], None),
    "no-packets-json": (0, ["analyze", "--summary", "json", "none.pcap"], None),
    "small": (0, ["analyze", SMALL], None),
    "small-json": (0, ["analyze", "--summary", "json", SMALL], None),
    "small-monitored": (0, ["analyze", "--monitored", "198.51.100.0/24", "--sensor", "roof", SMALL], None),
    "small-monitored-json": (0, ["analyze", "--summary", "json", "--monitored", "198.51.100.0/29,2001:db8:1::/48", SMALL],
                             None),
    "small-own-json": (0, ["analyze", "--summary", "json", "--own", "192.0.2.1,192.0.2.2", SMALL], None),
    "small-filter-json": (0, ["analyze", "--summary", "json", "--filter", "tcp port 22", SMALL], None),
    "dash": (0, ["analyze", "--summary", "json", "-"], SMALL),
    "dash-junk": (1, ["analyze", "--summary", "json", "-"], "junk"),
    "dash-nothing": (1, ["analyze", "--summary", "json", "-"], "zero.pcap"),
    "two-files-json": (0, ["analyze", "--summary", "json", "first.pcap", "second.pcap"], None),
}


def prepare(folder):
    stores.empty(os.path.join(folder, "store"))
    os.makedirs(os.path.join(folder, "newer"))
    with open(os.path.join(folder, "newer", "monomi-store"), "w", encoding="ascii") as f:
        f.write("monomi store 999\n")
    os.mkdir(os.path.join(folder, "empty"))
    os.mkdir(os.path.join(folder, "folder"))
    frames = make_captures.small()
    for name, part in ((SMALL, frames), ("none.pcap", []), ("first.pcap", frames[:9]), ("second.pcap", frames[9:]),
                       ("folder/b.pcap", frames[9:]), ("folder/a.pcap", frames[:9])):
        make_captures.captures.write_pcap(os.path.join(folder, name), part)
    with open(os.path.join(folder, SMALL), "rb") as f:
        whole = f.read()
    for name, data in (("cut.pcap", whole[:-7]), ("zero.pcap", b""), ("junk", bytes(range(256))),
                       ("params", b"# a comment\nbots.rate = 1\n bots.rates = 2\n")):
        with open(os.path.join(folder, name), "wb") as f:
            f.write(data)


def run(folder, arguments, stdin):
    with open(os.path.join(folder, stdin) if stdin else os.devnull, "rb") as source:
        done = subprocess.run([os.path.abspath(harness.MONOMI), *arguments], cwd=folder, stdin=source,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, check=False)
    return harness.Run(done.returncode, done.stdout.decode(), done.stderr.decode())


def shown(arguments, stdin, result):
    """The case as a transcript that reads like a terminal's, JSON a key a line (the program prints an object a line)."""
    words = " ".join("'%s'" % a if not a or " " in a else a for a in arguments)
    out = result.out
    if "json" in arguments:
        out = "".join(json.dumps(x, indent=1) + "\n" for x in result.objects())
    text = "$ monomi %s%s\n%s" % (words, " < " + stdin if stdin else "", out)
    if result.err:
        text += "--- stderr\n" + result.err
    return text + "--- exit %d\n" % result.code


def general(checks, name, code, result):
    checks.equal("%s: exit code" % name, result.code, code)
    checks.true("%s: no crash" % name, not result.crashed, result.err[-800:])
    checks.true("%s: at most 4 lines on stderr" % name, result.err.count("\n") <= 4)
    if code == 2:
        checks.true("%s: nothing on stdout" % name, not result.out)
    if code:
        checks.true("%s: a stable code" % name, CODE.search(result.err) or CODE.search(result.out))
    if code == 0:
        checks.true("%s: nothing on stderr" % name, not result.err, result.err)


def cases(checks, folder, regenerate):
    for name, (code, arguments, stdin) in CASES.items():
        result = run(folder, arguments, stdin)
        general(checks, name, code, result)
        golden = os.path.join(GOLDENS, name + ".txt")
        text = shown(arguments, stdin, result)
        if regenerate:
            with open(golden, "w", encoding="utf-8") as f:
                f.write(text)
            continue
        try:
            with open(golden, encoding="utf-8") as f:
                want = f.read()
        except FileNotFoundError:
            want = "(no golden)"
        checks.true("%s: words" % name, text == want, "differs from %s:\n%s" % (os.path.relpath(golden, HERE), text))


def orphans(checks):
    have = {x[:-4] for x in os.listdir(GOLDENS)}
    checks.equal("goldens without a case", sorted(have - set(CASES)), [])


def closed_pipe(checks, folder):
    """A reader that leaves early ends the program quietly: by SIGPIPE or with an error, never with a crash or a hang."""
    for arguments in (["analyze", SMALL], ["analyze", "--summary", "json"] + [SMALL] * 3000):
        process = subprocess.Popen([os.path.abspath(harness.MONOMI), *arguments], cwd=folder, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdout.close()
        err = process.stderr.read().decode()
        code = process.wait(timeout=120)
        checks.true("closed pipe: exit", code in (0, 1, -signal.SIGPIPE), str(code))
        checks.true("closed pipe: quiet", err.count("\n") <= 4, err[-400:])


def full_device(checks, folder):
    """Output that cannot be written is a failure, not a success."""
    if not os.path.exists("/dev/full"):
        checks.skip("no /dev/full")
        return
    with open("/dev/full", "w", encoding="utf-8") as full:
        for arguments in (["analyze", SMALL], ["analyze", "--summary", "json", SMALL], ["version"]):
            done = subprocess.run([os.path.abspath(harness.MONOMI), *arguments], cwd=folder, stdout=full,
                                  stderr=subprocess.PIPE, timeout=60, check=False)
            checks.equal("full device, %s: exit code" % arguments[0], done.returncode, 1)


def follow(checks, folder):
    """A file of zero bytes that grows is no damage: --follow waits, and counts what comes."""
    grows = os.path.join(folder, "grows.pcap")
    with open(os.path.join(folder, SMALL), "rb") as f:
        whole = f.read()
    with open(grows, "wb"):
        pass
    process = subprocess.Popen([os.path.abspath(harness.MONOMI), "analyze", "--summary", "json", "--follow", grows],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        process.wait(timeout=0.7)
        checks.true("follow: waits at an empty file", False, "it ended with %d" % process.returncode)
    except subprocess.TimeoutExpired:
        with open(grows, "ab") as f:
            for i in range(0, len(whole), 100):
                f.write(whole[i:i + 100])
                f.flush()
        process.send_signal(signal.SIGINT) if not waited(process, 1.5) else None
    out, err = process.communicate(timeout=60)
    lines = out.decode().splitlines()
    if checks.true("follow: prints its numbers at the end", bool(lines), err.decode()[-400:]):
        total = json.loads(lines[-1])
        checks.equal("follow: packets", total["packets"], len(make_captures.small()))
        checks.equal("follow: error", total["error"], None)


def waited(process, seconds):
    try:
        process.wait(timeout=seconds)
        return True
    except subprocess.TimeoutExpired:
        return False


def committed(checks):
    """small.pcap in the tree is what its script makes."""
    with harness.scratch() as folder:
        path = os.path.join(folder, SMALL)
        make_captures.captures.write_pcap(path, make_captures.small())
        with open(path, "rb") as made, open(os.path.join(HERE, SMALL), "rb") as kept:
            checks.true("small.pcap is what make_captures.py makes", made.read() == kept.read())


def main():
    checks = harness.Checks()
    regenerate = "--regenerate" in sys.argv[1:]
    os.makedirs(GOLDENS, exist_ok=True)
    with harness.scratch() as folder:
        prepare(folder)
        cases(checks, folder, regenerate)
        closed_pipe(checks, folder)
        full_device(checks, folder)
        follow(checks, folder)
    orphans(checks)
    committed(checks)
    checks.finish()


if __name__ == "__main__":
    main()
