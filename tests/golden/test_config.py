#!/usr/bin/env python3
"""The configuration file: the packaged example and every key of it in use are good; each error is told with its line, its
column and what is wanted; the command line wins; what a file says comes to the same rows as the options it stands for.

Mutants it kills, each tried once: columns counted from 0; the file's value preferred to the option's; paths left below the
working directory.
"""
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness  # noqa: E402
import observatory  # noqa: E402
import store  # noqa: E402

EXAMPLE = os.path.join(harness.SOURCE_DIR, "packaging", "monomi.yaml")
PAGE = os.path.join(harness.SOURCE_DIR, "docs", "formats", "config.md")
SAMPLE = os.path.join(harness.SOURCE_DIR, "samples", "scans.pcap")

# text, then what each line of the complaint has behind the file's name, in order
WRONG = [
    ("lisen: 127.0.0.1:1\n", ["1:1: there is no key 'lisen' here; is 'listen' meant?"]),
    ("store: x\nquux: 1\n", ["2:1: there is no key 'quux' here; there are store, listen, sensors"]),
    ("store: x\nstore: y\n", ["2:1: 'store' stands here a second time"]),
    ("store: [x, y]\n", ["1:8: 'store' wants a path"]),
    ("store:\n", ["'store' has no value: it wants a path"]),
    ("- a\n- b\n", ["1:1: a configuration is keys and their values"]),
    ("a: [1\nb: 2\n", ["this is not YAML"]),
    ("store: x\n---\nstore: y\n", ["a second document begins here"]),
    ("memory: much\n", ["1:9: memory: 'much' is no size; say 512M or 4G"]),
    ("shards: 0\n", ["1:9: shards: '0' is no number of shards from 1 to"]),
    ("simulate: perhaps\n", ["1:11: 'simulate' wants true or false, not 'perhaps'"]),
    ("listen: 192.0.2.1:80\n", ["1:9: listen: '192.0.2.1:80' is not this machine alone"]),
    ("seed: -1\n", ["1:7: seed: '-1' is no seed"]),
    ("retention:\n  payloads: 0\n  detial: 3\n", ["2:13: payloads: ", "3:3: there is no key 'detial' here; is 'detail' meant?"]),
    ("retention: 30\n", ["1:12: 'retention' wants keys and their values"]),
    ("sensors: eth0\n", ["1:10: 'sensors' wants a list of sensors"]),
    ("sensors:\n  - eth0\n", ["2:5: a sensor is keys and their values"]),
    ("sensors:\n  - name: a\n    monitored:\n      - 192.0.2.0/24\n      - 192.0.2.1/24\n    filter: tcp port\n",
     ["5:9: monitored: \"192.0.2.1/24\" has bits set", "6:13: filter: the filter does not compile"]),
    ("sensors:\n  - name: a/b\n    nat: {10.0.0.0/24: 192.0.2.0/25}\n    manage: tcp/0\n",
     ["2:11: name: 'a/b' cannot name a sensor", "3:11: nat: '10.0.0.0/24=192.0.2.0/25'", "4:13: manage: 'tcp/0'"]),
    ("sensors:\n  - answers: loud\n", ["2:14: answers: a sensor is silent, host-answers or syn-ack, not 'loud'"]),
    ("sensors:\n  - {name: a, interface: x}\n  - {name: a, interface: y}\n  - {interface: z}\n  - {name: b}\n",
     ["4:5: of several sensors each wants a name", "5:5: of several sensors each wants an interface",
      "3:12: two sensors have the name a"]),
    ("sensors: [" + ", ".join("{name: s%d, interface: i}" % i for i in range(17)) + "]\n", ["'sensors' has more than 16"]),
]


def run(*words, **more):
    done = subprocess.run([harness.MONOMI, "run", *words], capture_output=True, text=True, check=False, timeout=60, **more)
    return done.returncode, done.stdout, done.stderr


def write(folder, text):
    path = os.path.join(folder, "monomi.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def check_wrong(checks, folder):
    for text, wanted in WRONG:
        path = write(folder, text)
        for mode in ((), ("--check",)):
            code, out, err = run("--config", path, "--db", os.path.join(folder, "never"), *mode)
            lines = err.splitlines()
            checks.equal("%r %s: exit code, lines" % (text, mode), (code, out, len(lines)), (2, "", len(wanted)))
            for line, want in zip(lines, wanted):
                found = re.match(r"monomi: MON-[A-Z]+-\d{3}: %s:(\d+:\d+: .*)" % re.escape(path), line)
                checks.true("%r: %s" % (text, want), found and want in found.group(1), err)
    checks.true("nothing was begun", not os.path.exists(os.path.join(folder, "never")))
    code, _, err = run("--config", os.path.join(folder, "absent.yaml"), "--check")
    checks.equal("absent", (code, "MON-CLI-110" in err), (2, True))
    code, _, err = run("--config", folder, "--check")
    checks.equal("a folder", (code, "MON-CLI-110" in err), (2, True))


def uncommented(text):
    """The example with all that it shows in comments in use, but for what excludes what is in use."""
    lines = [re.sub(r"^(\s*)# (\s*(?:- )?[a-z0-9.-]+(?:/\d+)?:( .*)?)$", r"\1\2", line) for line in text.splitlines()]
    lines = [line for line in lines if not re.match(r"(pcap|simulate|seed|databases|  (country|as)):?", line)]
    return "\n".join(lines) + "\n"


def check_example(checks, folder):
    code, out, err = run("--config", EXAMPLE, "--check")
    checks.equal("the example", (code, out, err), (0, "good: %s\n" % EXAMPLE, ""))
    with open(EXAMPLE, encoding="utf-8") as f:
        whole = uncommented(f.read())
    keys = ("monitored", "own", "manage", "answers", "nat", "nat-unknown", "decapsulate", "filter", "memory", "shards", "retention", "detail")
    checks.equal("all of it is in use", [k for k in keys if not re.search(r"^\s*%s:" % k, whole, re.M)], [])
    code, _, err = run("--config", write(folder, whole), "--check")
    checks.equal("the whole example", (code, err), (0, ""))
    with open(PAGE, encoding="utf-8") as f:
        told = set(re.findall(r"^\| `([a-z-]+)` \|", f.read(), re.M))
    with open(os.path.join(harness.SOURCE_DIR, "src", "cli", "config.c"), encoding="utf-8") as f:
        keys = set(re.findall(r'^\t\{ "([a-z-]+)", KIND_', f.read(), re.M))
    checks.equal("the page tells every key", keys - told - {"payloads", "segments", "detail", "country", "as"}, set())


def check_wins(checks, folder):
    """Of what the file says the command line takes the place, and the rest stays."""
    path = write(folder, "listen: 192.0.2.1:1\nstore: below\n")
    code, _, err = run("--config", path, "--listen", "127.0.0.1:0", "--check")
    checks.equal("a wrong value is told all the same", (code, "1:9" in err), (2, True))
    two = write(folder, "store: x\nsensors:\n  - {name: a, interface: x}\n  - {name: b, interface: y}\n")
    code, _, err = run("--config", two, "--filter", "tcp", "--check")
    checks.equal("of which sensor?", (code, "MON-CLI-084" in err), (2, True))
    checks.equal("two are good", run("--config", two, "--check")[0], 0)
    code, _, err = run("--config", two, "--simulate", "--check")
    checks.equal("two telescopes cannot be made up", (code, "MON-CLI-086" in err), (2, True))
    one = write(folder, "store: x\nsensors:\n  - {name: a, interface: x, filter: udp}\n")
    checks.equal("another source", run("--config", one, "--simulate", "--filter", "tcp", "--check")[0], 0)
    code, _, err = run("--check")
    checks.equal("no store", (code, "MON-CLI-081" in err), (2, True))
    code, _, err = run("--db", "x", "--interface", "a", "--also", "--interface", "b", "--check")
    checks.equal("two without names", (code, "MON-CLI-085" in err), (2, True))


def check_rows(checks, folder):
    """A file in use: its paths, its sensor, its prefixes; the name is the command line's."""
    shutil.copy(SAMPLE, os.path.join(folder, "scans.pcap"))
    path = write(folder, "store: kept\nlisten: 127.0.0.1:0\npcap: [scans.pcap]\nmemory: 1G\nsensors:\n  - name: file\n"
                 "    monitored: [198.18.0.0/16, '2001:db8:18::/48']\n    filter: tcp\n")
    log = os.path.join(folder, "log")
    with open(log, "wb") as err:
        process = subprocess.Popen([harness.MONOMI, "run", "--config", path, "--sensor", "line"], stdout=subprocess.PIPE,
                                   stderr=err, cwd="/")
    o = observatory.Observatory.of(process, log)
    o.wait("the sample", "/v1/status", lambda s: s["packets"] > 0)
    checks.equal("ends well", o.end(), (0, []))
    again = os.path.join(folder, "again")
    done = store.analyze(again, [SAMPLE], "--monitored", "198.18.0.0/16,2001:db8:18::/48", "--filter", "tcp", "--sensor", "line")
    checks.equal("analyze", (done.code, done.err), (0, ""))
    checks.equal("rows as by options", store.digest(os.path.join(folder, "kept")), store.digest(again))


def main():
    checks = harness.Checks()
    with harness.scratch() as folder:
        check_wrong(checks, folder)
        check_example(checks, folder)
        check_wins(checks, folder)
        check_rows(checks, folder)
    checks.finish()


main()
