#!/usr/bin/env python3
"""Fifty browsers watch a live sensor: tests/lib/watchers.c follows the stream and asks for what the pages ask for, while
live-send sends SYNs of many sources over a veth pair, and hostile clients do what hostile clients do.

Every answer is whole, every watcher hears of every second and of the commit, and every packet that was sent is in the
rows: none was lost. Nothing here asserts a time. `bench/watch` runs it for minutes at 100,000 packets a second over the
store of a week, prints how long answers took, without and with the hostile ones, and holds the figure to the bar.

A mutant that it kills, tried once: no room made for others by hanging up on who never asks.
"""
import argparse
import json
import multiprocessing
import os
import random
import resource
import selectors
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]
import harness  # noqa: E402
import netns  # noqa: E402
import observatory  # noqa: E402

TAG = "mow%d" % os.getpid()
SEND, DARK = TAG + "-send", TAG + "-dark"
MAC = "02:00:00:00:00:01"
MONITORED = "198.18.0.0/16"
WATCHERS, SOURCES = 50, 20000
BAR = 100  # ms, the 99th of a hundred answers


# ---- Namespaces ----
def down():
    netns.take_down(SEND, DARK)


def up():
    netns.veth(SEND, DARK, [MAC])


# ---- What pages ask for (web/src) ----
def pages(o):
    """The paths of a page each; those that are opened more often stand there more often."""
    day, before = "from=-24h", "from=-48h&to=-24h"
    always = ["/v1/status", "/v1/sensors?" + day, "/v1/rate?step=span&" + day]
    now = ["/v1/rate?step=span&from=-8d&to=-7d", "/v1/rate?step=span&" + before, "/v1/rate?step=10min&" + day,
           "/v1/rate?step=10min&" + before, "/v1/rate?step=day&from=-28d", "/v1/rate?step=day&from=-56d&to=-28d",
           "/v1/ports?%s&limit=8" % day, "/v1/countries?%s&limit=60" % day, "/v1/networks?%s&limit=4" % day, "/v1/tools?" + day]
    trend = ["/v1/classes?step=hour&" + day, "/v1/rate?step=10min&" + day, "/v1/rate?step=10min&" + before,
             "/v1/rate?step=span&" + before]
    ports = ["/v1/heat?" + day, "/v1/rate?" + day, "/v1/ports?%s&limit=50" % day]
    sources = ["/v1/sources?%s&limit=50" % day, "/v1/tools?" + day]
    found = [now] * 20 + [trend] * 4 + [ports] * 6 + [sources] * 6 + [["/v1/coverage?" + day]] * 2
    for row in o.get("/v1/ports?%s&limit=6" % day)["rows"]:
        at = "/v1/ports/%s/%s" % (row["protocol"], row["port"])
        found.append([at + "?" + day, at + "/history?step=10min&" + day, at + "/countries?%s&limit=8" % day,
                      at + "/networks?%s&limit=8" % day, at + "/tools?" + day, at + "/sources?%s&limit=15" % day])
    for row in o.get("/v1/sources?%s&limit=6" % day)["rows"]:
        found.append(["/v1/ip/" + row["source"], "/v1/ip/%s/history?step=hour&%s" % (row["source"], day)])
    return "".join(" ".join(always + page) + "\n" for page in found)


# ---- Who means harm ----
class Hostile:
    """Connections that never ask, ask a byte a second, ask and never read, send headers without an end, come and go."""
    KINDS = (("silent", 400), ("slow", 100), ("deaf", 40), ("deaf stream", 20), ("giant", 10), ("noise", 10), ("fleeting", 20))

    def __init__(self, port):
        self.port, self.random = port, random.Random(7)
        self.all = {}  # socket: (kind, when it was opened, bytes sent)
        self.opened = 0

    def open(self, kind):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        s.setblocking(False)
        s.connect_ex(("127.0.0.1", self.port))
        self.all[s] = [kind, time.monotonic(), 0]
        self.opened += 1

    def text(self, kind, sent):
        host = b"Host: 127.0.0.1:%d\r\n" % self.port
        if kind == "slow":
            return b"GET /v1/status HTTP/1.1\r\n" + host + b"X: " + b"x" * 1000
        if kind == "deaf":
            return b"GET /v1/sources?from=-24h&limit=1000 HTTP/1.1\r\n" + host + b"\r\n"
        if kind == "deaf stream":
            return b"GET /v1/stream HTTP/1.1\r\n" + host + b"\r\n"
        if kind == "giant":
            return b"GET / HTTP/1.1\r\n" + host + b"X: " + b"y" * 65536
        return self.random.randbytes(4096) if kind == "noise" else b""

    def act(self, s, kind, sent):
        whole = self.text(kind, sent)
        part = whole[sent:sent + 1] if kind == "slow" else whole if not sent or kind in ("deaf", "giant") else b""
        return s.send(part) if part else 0

    def gone(self, s):
        try:
            return s.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False

    def step(self):
        for kind, many in self.KINDS:
            for _ in range(many - sum(1 for v in self.all.values() if v[0] == kind)):
                self.open(kind)
        for s, state in list(self.all.items()):
            kind, since, sent = state
            try:
                state[2] += self.act(s, kind, sent)
                over = (kind == "fleeting" and time.monotonic() - since > 0.5) or self.gone(s)
            except BlockingIOError:
                continue
            except OSError:
                over = True
            if over:
                s.close()
                del self.all[s]

    def run(self, told):
        resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
        while not told.poll(1):
            self.step()
        told.send(self.opened)


def hostile(port):
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=Hostile(port).run, args=(theirs,), daemon=True)
    process.start()
    return process, ours


# ---- Watching ----
def start(name, *words, ns=None, **more):
    return subprocess.Popen([*(["ip", "netns", "exec", ns] if ns else []), os.path.join(harness.BUILD_DIR, "tests", name),
                             *map(str, words)], stdout=subprocess.PIPE, text=True, **more)


def watch(o, seconds, enough=None, warm=0):
    """What fifty watchers saw in so many seconds, or until `enough`."""
    watching = start("watchers", o.url.rsplit(":", 1)[1].rstrip("/"), WATCHERS, seconds, warm, stdin=subprocess.PIPE)
    watching.stdin.write(pages(o))
    watching.stdin.close()
    while enough and not enough():
        time.sleep(0.2)
    if enough:
        time.sleep(7)  # they heed it, at the latest 5 s after the one before
        watching.terminate()
    said = watching.stdout.read()
    if watching.wait():
        raise AssertionError("the watchers ended with %d" % watching.returncode)
    return json.loads(said)


def check_watched(checks, name, seen, commits):
    checks.equal("%s: every answer is whole" % name, (seen["failed"], seen["failure"]), (0, ""))
    checks.equal("%s: all follow the stream" % name, seen["streaming"], WATCHERS)
    checks.true("%s: all hear of commits" % name, seen["least_commits"] >= commits, seen)
    checks.true("%s: all hear live counters" % name, seen["least_lives"] > 0, seen)
    checks.true("%s: pages are asked for" % name, seen["page"]["n"] >= WATCHERS, seen)


class Load:
    """What the processes of an observatory took, in cores, and the machine's load."""

    def __init__(self, o):
        self.o, self.at = o, time.monotonic()
        self.used = self.look()

    def look(self):
        tick = os.sysconf("SC_CLK_TCK")
        return {role: self.times(pid) / tick for role, pid in self.o.roles().items()}

    @staticmethod
    def times(pid):
        with open("/proc/%d/stat" % pid, encoding="utf-8") as f:
            return sum(map(int, f.read().rsplit(")", 1)[1].split()[11:13]))

    def text(self):
        now, seconds = self.look(), time.monotonic() - self.at
        roles = ", ".join("%s %.2f" % (r, (now[r] - self.used.get(r, 0)) / seconds) for r in sorted(now))
        return "cores: %s; load %.2f of %d" % (roles, os.getloadavg()[0], os.cpu_count())


OPTIONS = ("--sensor", "dark", "--monitored", MONITORED)


def stored(db):
    """Packets in the rows of the sensor, and dropped before they could be."""
    said = harness.monomi("query", "--db", db, "--format", "csv", "SELECT (SELECT sum(packets) FROM rest.segments WHERE state = "
                          "'stored' AND path LIKE 'spool/dark.%'), (SELECT sum(dropped) FROM rest.coverage WHERE sensor = 'dark')")
    return tuple(int(n or 0) for n in said.out.split()[-1].split(","))


def end_and_count(checks, o, db, source, begun):
    """Both sides: what the kernel took from the sender, what the interface counted, what the rows have at the end."""
    source.terminate()
    said, _ = source.communicate()
    sent, seconds = int(said.split()[0]), float(said.split()[1])
    packets, lost = (now - then for now, then in zip(netns.came(), begun))
    checks.equal("sent and come", (sent, 0), (packets, lost))
    checks.equal("ends well", o.end(), (0, []))
    checks.equal("nothing waits", observatory.store_rest(db, "dark", *OPTIONS[2:]), [])
    rows, dropped = stored(db)
    checks.equal("in the rows, and dropped", (rows, dropped), (sent, 0))
    print("%d packets sent, %.0f a second; %d came, %d in the rows, %d dropped" %
          (sent, sent / seconds, packets, rows, dropped), flush=True)


def observe(db):
    netns.enter_until_end(DARK)
    o = observatory.Observatory(db, "--interface", "d0", *OPTIONS)
    o.wait("live counters", "/v1/live", lambda live: live["sensors"][0]["at"])
    return o


def send(rate):
    begun = netns.came()
    return start("live-send", "s0", MAC, 1 << 40, 7200, rate, 0, SOURCES, ns=SEND), begun


def commits_of(o):
    return o.get("/v1/status")["as_of"]


def run_short(checks, folder):
    """Until rows have come while all watch, hostile clients beside them."""
    time.sleep(max(0, 40 - time.time() % 60))  # rows come with the next minute
    db = os.path.join(folder, "db")
    o = observe(db)
    source, begun = send(5000)
    port = int(o.url.rsplit(":", 1)[1].rstrip("/"))
    process, pipe = hostile(port)
    before = commits_of(o)
    seen = watch(o, 600, lambda: commits_of(o) != before)
    pipe.send("enough")
    opened = pipe.recv()
    process.join()
    check_watched(checks, "watched", seen, 2)
    checks.true("hostile clients were there", opened > sum(n for _, n in Hostile.KINDS), opened)
    end_and_count(checks, o, db, source, begun)


# ---- bench/watch ----
def make_past(db, days):
    """The store that is watched: so many days of a made-up telescope, up to today."""
    end = int(time.time()) // 86400 * 86400
    made = subprocess.Popen([harness.MONOMI, "simulate", "--seed", "1", "--addresses", "198.18.0.0/24", "--from",
                             str(end - days * 86400), "--to", str(end), "--out", "-"], stdout=subprocess.PIPE)
    done = subprocess.run([harness.MONOMI, "analyze", "--db", db, "--sensor", "past", "--monitored", "198.18.0.0/24", "-"],
                          stdin=made.stdout, stdout=subprocess.DEVNULL, check=False)
    if made.wait() or done.returncode:
        sys.exit("bench/watch: the past cannot be made")


def print_seen(name, seen, load):
    print("%s\n  API: %d answers, p50 %.1f ms, p90 %.1f ms, p99 %.1f ms, most %.1f ms (%s)\n  pages: %d, p50 %.1f ms, p99 %.1f ms"
          "\n  %s" % (name, seen["api"]["n"], seen["api"]["p50"], seen["api"]["p90"], seen["api"]["p99"], seen["api"]["most"],
                      seen["slowest"], seen["page"]["n"], seen["page"]["p50"], seen["page"]["p99"], load), flush=True)


def run_bench(checks, folder, options):
    db = os.path.join(folder, "db")
    if options.days:
        make_past(db, options.days)
    o = observe(db)
    before = o.get("/v1/status")["packets"]
    source, begun = send(options.rate)
    o.wait("the first rows", "/v1/status", lambda s: s["packets"] > before)
    for name in ("fifty watchers", "the same beside hostile clients"):
        beside = hostile(int(o.url.rsplit(":", 1)[1].rstrip("/"))) if "hostile" in name else None
        load = Load(o)
        seen = watch(o, options.warm + options.seconds, warm=options.warm)
        print_seen(name, seen, load.text())
        check_watched(checks, name, seen, options.seconds // 60)
        checks.true("%s: p99 under %d ms" % (name, BAR), seen["api"]["p99"] < BAR, seen["api"])
        if beside:
            beside[1].send("enough")
            beside[0].join()
    end_and_count(checks, o, db, source, begun)


def main():
    parser = argparse.ArgumentParser(description="how long answers take while fifty watch")
    parser.add_argument("--bench", action="store_true", help="measure, instead of checking what needs no time")
    parser.add_argument("--seconds", type=int, default=185, help="of each of both runs")
    parser.add_argument("--warm", type=int, default=75, help="seconds before, in which everything is asked for the first time")
    parser.add_argument("--rate", type=int, default=100000, help="packets a second")
    parser.add_argument("--days", type=int, default=7, help="days that are stored before")
    options = parser.parse_args()
    netns.begin(("ip",), up, down)
    checks = harness.Checks()
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o711)
        run_bench(checks, folder, options) if options.bench else run_short(checks, folder)
        observatory.end_all()
    checks.finish()


if __name__ == "__main__":
    main()
