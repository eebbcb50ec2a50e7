#!/usr/bin/env python3
"""`monomi run` from outside: captures come to the same rows as with `analyze`, a made-up telescope goes on where it was
ended, each role is locked in and is refused what it must not do (monomi-probe asks), a capture that kills its reader
twice is left out, and who is not root is told what is missing.

Mutants it kills, each tried once: the server not locked in; ptrace struck from `never` in confine.c; all of the store
readable by the engine; the descriptors of a role not closed; the past made anew although the store has it.
"""
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness  # noqa: E402
import observatory  # noqa: E402
import store  # noqa: E402

SAMPLE = os.path.join(harness.SOURCE_DIR, "samples", "scans.pcap")
MONITORED = ("--monitored", "198.18.0.0/16,2001:db8:18::/48")
PROBE = os.path.join(harness.BUILD_DIR, "tests", "monomi-probe")
ROOT = os.geteuid() == 0
NOBODY = 65534
USERS = {"keeper": 65440, "engine": 65441, "capture": 65442, "simulator": 65442, "reader": 65444, "server": 65445, "extract": 65446}
ALWAYS = [r"/dev/null", r"pipe:.*", r".*\.log"]
HELD = {
    "keeper": [r"{db}/lock", r"{db}/hot\.duckdb.*", r"{db}/parquet/.*", r"{db}/snapshot/.*", r"{db}/spool/.*", r"{db}/tried/.*",
               r"{db}/#\d+ \(deleted\)", r"{db}/.*\.tmp", r".*/scans\.pcap", r"{db}"],
    "engine": [r"anon_inode:inotify", r"socket:.*", r"{db}/spool/live/.*"],
    "capture": [r"socket:.*", r"{db}/spool/live/.*", r"/memfd:monomi-told.*"],
    "simulator": [r"{db}/spool/live/.*"],
    "reader": [r"socket:.*", r"{db}/snapshot/.*", r"{db}/parquet/.*", r"/memfd:.*", r"anon_inode:\[eventfd\]"],
    "extract": [r"socket:.*", r"{db}/snapshot/.*", r"{db}/parquet/.*", r"{db}/spool/.*", r"/memfd:.*", r".*/scans\.pcap"],
    "server": [r"socket:.*", r"anon_inode:\[eventp?o?l?l?f?d?\]", r"/memfd:.*"],
}


# ---- Captures ----
def check_files(checks, folder):
    whole, db = os.path.join(folder, "whole"), os.path.join(folder, "files")
    done = store.analyze(whole, [SAMPLE], *MONITORED)
    checks.equal("analyze", (done.code, done.err), (0, ""))
    packets = harness.monomi("query", "--db", whole, "--format", "csv", "SELECT sum(packets) FROM rest.windows").out.split()[-1]
    o = observatory.Observatory(db, "--pcap", SAMPLE, *MONITORED)
    checks.true("the first line is the address", re.fullmatch(r"http://127\.0\.0\.1:\d+/", o.url), o.url)
    status = o.wait("the sample", "/v1/status", lambda s: s["packets"] == int(packets))
    checks.equal("nothing is captured", (status["capturing"], status["simulated"]), (False, False))
    ports = o.get("/v1/ports?from=2026-01-01&to=2027-01-01&limit=3")["rows"]
    checks.true("ports", len(ports) == 3 and ports[0]["accesses"] > 0, ports)
    checks.equal("ends well", o.end(), (0, []))
    checks.equal("rows as by analyze", store.digest(db), store.digest(whole))
    good, said = store.check(db)
    checks.true("store check", good, said)


# ---- A telescope made up ----
def ranges(db):
    lines = harness.monomi("query", "--db", db, "--format", "csv", "SELECT from_ns, to_ns FROM rest.coverage ORDER BY 1").out
    return [tuple(map(int, line.split(","))) for line in lines.split()[1:]]


def check_simulated(checks, folder):
    db = os.path.join(folder, "made-up")
    end = 0
    for run in ("first", "second"):
        o = observatory.Observatory(db, "--simulate")
        live = o.wait("%s: live counters" % run, "/v1/live", lambda j: j["seconds"] and j["minutes"][-1]["packets"])
        checks.equal("%s: marked" % run, (live["simulated"], live["sensors"][0]["sensor"], live["sensors"][0]["addresses"]),
                     (True, "simulated", 256))
        now = o.wait("%s: a sealed minute" % run, "/v1/status", lambda s: s["as_of"] and s["packets"])
        checks.equal("%s: status" % run, (now["simulated"], now["capturing"]), (True, True))
        checks.equal("%s: ends well" % run, o.end(), (0, []))
        checks.equal("%s: nothing waits" % run, observatory.store_rest(db, "simulated", "--monitored", "198.18.0.0/24"), [])
        covered = ranges(db)
        checks.true("%s: goes on" % run, covered[-1][1] > end, covered)
        checks.true("%s: nothing between is missing" % run, not end or covered[-1][0] <= end, (covered, end))
        end = covered[-1][1]
    good, said = store.check(db)
    checks.true("made up: store check", good, said)
    span = "from_ns // 60000000000 AS a, to_ns // 60000000000 AS b"
    twice = harness.monomi("query", "--db", db, "--format", "csv",
                           "SELECT count(*) FROM (SELECT id, %s, from_ns, to_ns FROM rest.segments WHERE state = 'stored') x JOIN "
                           "rest.segments y ON x.id < y.id AND x.from_ns <= y.to_ns AND y.from_ns <= x.to_ns" % span).out
    checks.equal("no moment is made twice", twice.split()[-1], "0")


# ---- Locked in ----
def status_of(pid):
    with open("/proc/%d/status" % pid, encoding="utf-8") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


def check_role(checks, role, pid, db):
    try:
        status = status_of(pid)
        held = [os.readlink("/proc/%d/fd/%s" % (pid, fd)) for fd in os.listdir("/proc/%d/fd" % pid)]
    except FileNotFoundError:  # a descriptor closed meanwhile: the next look
        return False
    checks.equal("%s: seccomp and no new privileges" % role, (status["Seccomp"], status["NoNewPrivs"]), ("2", "1"))
    if ROOT:
        user = str(USERS[role])
        checks.equal("%s: a user of its own" % role, (status["Uid"].split(), status["Gid"].split(), status["Groups"].split()),
                     ([user] * 4, [user] * 4, []))
        allowed = "0000000000000000" if role == "server" else "0000000000000004"
        checks.equal("%s: capabilities" % role, (status["CapPrm"], status["CapEff"]), (allowed, allowed))
    patterns = [p.replace("{db}", re.escape(os.path.realpath(db))) for p in ALWAYS + HELD[role]]
    strange = [h for h in held if not any(re.fullmatch(p, h) for p in patterns)]
    checks.equal("%s: only its descriptors" % role, strange, [])
    return True


def check_roles(checks, o, names, db):
    for role in names:
        end = observatory.time.monotonic() + observatory.PATIENCE
        while observatory.time.monotonic() < end:
            pid = o.await_roles(names)[role]
            try:
                started = status_of(pid)["Seccomp"] == "2"  # before it, it has only opened what it needs
            except FileNotFoundError:
                started = False
            if started and check_role(checks, role, pid, db):
                break
            observatory.time.sleep(0.05)
        else:
            checks.true("%s: looked at" % role, False, o.said())


def check_confined(checks, folder):
    live = ("keeper", "engine", "simulator", "reader", "server")
    db = os.path.join(folder, "confined")
    o = observatory.Observatory(db, "--simulate")
    o.wait("live counters", "/v1/live", lambda j: True)
    check_roles(checks, o, live, db)
    checks.equal("confined: ends well", o.end(), (0, []))


def probes_of(o, roles, least):
    """{role: {what: how it went}} of all that the roles of a probe have said, when they have."""
    end = observatory.time.monotonic() + observatory.PATIENCE
    while observatory.time.monotonic() < end:
        found = {}
        for role, what, how in re.findall(r"^probe (\S+) (.*): (refused|ALLOWED)$", o.said(), re.M):
            found.setdefault(role, {})[what] = how
        if set(found) >= set(roles) and all(len(found[r]) >= least for r in roles):
            return found
        observatory.time.sleep(0.1)
    raise AssertionError("probes are missing\n" + o.said())


SYSTEM = {"socket", "fork", "execve", "ptrace", "kill", "setuid", "io_uring", "unshare"}
ELSEWHERE = {"read /etc/passwd", "read /proc/1/environ", "write /tmp"}
STORE = {"write the catalog", "make a file in the store"}
SEEN = {"read the catalog", "read the lock"}
PROBES = {"keeper": SYSTEM | ELSEWHERE, "reader": SYSTEM | ELSEWHERE | STORE, "extract": SYSTEM | ELSEWHERE | STORE}


def ask_packets(o, query):
    """Status, the answer's headers, and its bytes."""
    try:
        with urllib.request.urlopen(o.url + "v1/packets?" + query, timeout=observatory.PATIENCE) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as e:
        return e.code, e.headers, e.read()


def check_packets(checks, folder):
    """The packets behind a row are those of `monomi packets`, as many as are wanted; who looks for them is locked in."""
    db, theirs = (os.path.join(folder, n) for n in ("packets", "theirs.pcapng"))
    o = observatory.Observatory(db, "--pcap", SAMPLE, *MONITORED)
    o.wait("the sample", "/v1/status", lambda s: s["packets"] > 0)
    day = "&from=2026-11-24&to=2026-11-25"
    for query, option in (("source=198.19.7.12", ("--source", "198.19.7.12")), ("port=23", ("--port", "23")),
                          ("port=2323&protocol=tcp&source=198.19.7.12", ("--port", "2323", "--source", "198.19.7.12"))):
        status, headers, got = ask_packets(o, query + day)
        done = harness.monomi("packets", "--db", db, "--out", theirs, *option)
        checks.equal("packets: %s" % query, (status, done.code, done.err), (200, 0, ""))
        with open(theirs, "rb") as f:
            checks.true("packets of %s" % query, f.read() == got, len(got))
        checks.equal("and how many", int(headers["X-Monomi-Packets"]), harness.analyze([theirs]).total()["packets"])
    status, headers, got = ask_packets(o, "port=23&limit=5" + day)
    checks.equal("so many at the most", (status, headers["X-Monomi-Packets"], headers["X-Monomi-More"]), (200, "5", "1"))
    checks.equal("of all: too many", ask_packets(o, day[1:])[0], 400)
    checks.equal("of nobody", ask_packets(o, "source=192.0.2.9" + day)[0], 404)
    check_extract(checks, o, db, day)
    checks.equal("packets: ends well", o.end(), (0, []))


def check_extract(checks, o, db, day):
    """Stopped while it is at work, and looked at."""
    end = observatory.time.monotonic() + observatory.PATIENCE
    seen = False
    while not seen and observatory.time.monotonic() < end:
        asking = threading.Thread(target=ask_packets, args=(o, "port=23" + day))
        asking.start()
        while asking.is_alive() and not seen:
            pid = o.roles().get("extract")
            try:
                if not pid or status_of(pid)["Seccomp"] != "2":
                    continue
                os.kill(pid, signal.SIGSTOP)
                seen = check_role(checks, "extract", pid, db)
            except (FileNotFoundError, ProcessLookupError, KeyError):
                continue
            finally:
                if pid and os.path.exists("/proc/%d" % pid):
                    os.kill(pid, signal.SIGCONT)
        asking.join()
    checks.true("extract: looked at", seen, o.said())


def check_probes(checks, folder, name, roles, *options, before=()):
    db = os.path.join(folder, name)
    o = observatory.Observatory(db, *options, monomi=PROBE, before=before, env={"MONOMI_PROBE_DB": db})
    found = probes_of(o, roles, len(PROBES["keeper"]))
    for role in roles:
        want = PROBES.get(role, SYSTEM | ELSEWHERE | STORE | SEEN)
        checks.equal("%s is refused" % role, found[role], {what: "refused" for what in want})
    o.await_roles(roles)  # and works all the same
    if not before:  # it listens in a namespace of its own
        ask_packets(o, "port=23")
        checks.equal("extract is refused", probes_of(o, ("extract",), len(PROBES["keeper"]))["extract"],
                     {what: "refused" for what in PROBES["extract"]})
    checks.equal("%s: ends well" % name, o.end(), (0, []))
    if os.path.exists("/tmp/monomi-probe"):
        os.unlink("/tmp/monomi-probe")


# ---- A segment that kills its reader ----
def check_quarantine(checks, folder):
    db, poison = os.path.join(folder, "poisoned"), os.path.join(folder, "poison.pcap")
    with open(SAMPLE, "rb") as f, open(poison, "wb") as to:
        to.write(f.read()[:100000])
    o = observatory.Observatory(db, "--pcap", poison, SAMPLE, *MONITORED, monomi=PROBE,
                                env={"MONOMI_PROBE_POISON": "poison.pcap"})
    o.wait("the segment after it", "/v1/status", lambda s: s["packets"] > 5000)
    checks.equal("the status counts it", o.get("/v1/status")["refused"], 1)
    checks.equal("quarantine: ends well", o.end(), (0, []))
    checks.equal("it was tried twice", (o.said().count("MON-DMN-034: the keeper was ended"), o.said().count("MON-DMN-028")),
                 (2, 1))
    ledger = harness.monomi("query", "--db", db, "--format", "csv",
                            "SELECT state, reason FROM rest.segments WHERE path LIKE '%poison.pcap'").out.split("\n")[1]
    checks.equal("the ledger says why", ledger.replace(chr(34), ""), "refused,reading it ended the keeper twice")
    good, said = store.check(db)
    checks.true("quarantine: store check", good, said)


# ---- Not root ----
def check_nobody(checks, folder):
    os.chmod(folder, 0o777)
    more = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    if subprocess.run([harness.MONOMI, "version"], capture_output=True, check=False, **more).returncode:
        checks.skip("others may not run the program here")
        return
    copy = os.path.join(folder, "scans.pcap")
    subprocess.run(["cp", SAMPLE, copy], check=True)
    told = [subprocess.run([harness.MONOMI, "analyze", "--summary", "json", *MONITORED, copy], capture_output=True, check=False,
                           **who) for who in (more, {})]
    checks.equal("analyze tells nobody what it tells root", (told[0].returncode, told[0].stderr, told[0].stdout), (0, b"",
                 told[1].stdout))
    refused = subprocess.run([harness.MONOMI, "run", "--db", os.path.join(folder, "no"), "--interface", "lo", "--listen",
                              "127.0.0.1:0"], capture_output=True, text=True, check=False, **more)
    checks.true("who is not root is told what is missing", refused.returncode == 1 and refused.stderr.count("\n") == 1 and
                "CAP_NET_RAW" in refused.stderr, refused)
    db = os.path.join(folder, "nobody")
    o = observatory.Observatory(db, "--pcap", copy, *MONITORED, **more)
    o.wait("the sample", "/v1/status", lambda s: s["packets"] > 0)
    for role, pid in o.await_roles(("keeper", "reader", "server")).items():
        status = status_of(pid)
        checks.equal("nobody's %s" % role, (status["Seccomp"], status["NoNewPrivs"]), ("2", "1"))
    checks.equal("nobody: ends well", o.end(), (0, []))


def main():
    checks = harness.Checks()
    with harness.scratch() as folder:
        os.chmod(folder, 0o711)
        check_files(checks, folder)
        check_packets(checks, folder)
        check_simulated(checks, folder)
        check_confined(checks, folder)
        if os.path.exists(PROBE):
            check_probes(checks, folder, "probe", ("keeper", "engine", "simulator", "reader", "server"), "--simulate")
            check_quarantine(checks, folder)
        if os.path.exists(PROBE) and ROOT:
            up = ("unshare", "-n", "sh", "-c", 'ip link set lo up; exec "$@"', "sh")
            check_probes(checks, folder, "probe-live", ("keeper", "engine", "capture", "reader", "server"), "--interface",
                         "lo", before=up)
        if ROOT:
            check_nobody(checks, folder)
        else:
            checks.skip("not root")
    checks.finish()


main()
