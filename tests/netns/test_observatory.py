#!/usr/bin/env python3
"""From the wire to the API: a live sensor in a namespace of its own, scanned by the real zmap, masscan, nmap and hping3.

The live counters name each scan's source and tool within the minute, the rows do so once the minute is sealed, and every
packet that the interface's own counter saw was received, none dropped. It prints how long a packet took until the live
counters had it (median of ten), and asserts no time.

A mutant that it kills, tried once: the engine counting no marks of tools.
"""
import http.client
import json
import os
import statistics
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]
import harness  # noqa: E402
import netns  # noqa: E402
import observatory  # noqa: E402
import test_scans as net  # noqa: E402

SCANS = [  # name, command, tool, packets: exact, or the least
    ("zmap", net.ZMAP + "-p 443 -n 400 198.18.0.0/16", "zmap", 400),
    ("masscan", net.MASSCAN + "198.18.4.0/24 -p23,2323", "masscan", -512),
    ("nmap", net.FAST + "-sS -F 198.18.60.0/30", "nmap", -400),
    ("hping3", net.HPING + "-S -p ++1 -c 200 198.18.70.1", "hping3", 200),
]
PROBES = 10


# ---- How long a packet takes ----
class Stream(threading.Thread):
    """Follows /v1/stream: when the live counters first had so many packets of a source."""

    def __init__(self, url, source):
        super().__init__(daemon=True)
        self.source, self.seen, self.changed = source, {}, threading.Condition()
        host = url.split("/")[2]
        self.connection = http.client.HTTPConnection(host, timeout=observatory.PATIENCE)
        self.connection.request("GET", "/v1/stream", headers={"Accept": "text/event-stream"})
        self.answer = self.connection.getresponse()

    def run(self):
        for line in self.answer:
            if not line.startswith(b"data:") or b'"sources"' not in line:
                continue
            now = time.monotonic()
            for row in json.loads(line[5:])["sources"]:
                if row["address"] == self.source:
                    with self.changed:
                        for count in range(1, row["packets"] + 1):
                            self.seen.setdefault(count, now)
                        self.changed.notify_all()

    def when(self, count):
        with self.changed:
            if not self.changed.wait_for(lambda: count in self.seen, observatory.PATIENCE):
                raise AssertionError("packet %d never came to the page" % count)
            return self.seen[count]


def measure(url):
    source, took = net.source(30), []
    stream = Stream(url, source)
    stream.start()
    for i in range(PROBES):
        began = time.monotonic()
        net.scan("hping3 -q -a {src} -S -p 7 -c 1 198.18.71.1", source)
        took.append(stream.when(i + 1) - began)
        time.sleep(0.13 * (i % 7))
    print("packet to page: median %.2f s, most %.2f s of %d" % (statistics.median(took), max(took), PROBES))


# ---- Scans ----
def received():
    return netns.came()[0]


def is_enough(got, want):
    return got == want if want > 0 else got >= -want


def check_live(checks, o):
    want = {net.source(40 + i): scan for i, scan in enumerate(SCANS)}

    def holds(live):
        rows = {r["address"]: r for r in live["sources"]}
        return all(s in rows and is_enough(rows[s]["packets"], want[s][3]) for s in want)
    live = o.wait("all scans in the live counters", "/v1/live", holds)
    rows = {r["address"]: r for r in live["sources"]}
    for source, (name, _, tool, _) in want.items():
        checks.equal("%s: live tool" % name, rows[source]["tool"], tool)
    tools = {t["tool"]: t["sources"] for t in live["tools"]}
    checks.true("live tools", all(tools.get(s[2], 0) >= 1 for s in SCANS), tools)
    checks.equal("live: nothing dropped", live["sensors"][0]["dropped"], 0)


def check_rows(checks, o, sent):
    status = o.wait("the minute's rows", "/v1/status", lambda s: s["packets"] >= sent)
    checks.equal("one sensor, not made up", (status["sensors"], status["simulated"]), (1, False))
    for i, (name, _, tool, packets) in enumerate(SCANS):
        row = o.get("/v1/ip/" + net.source(40 + i))
        checks.true("%s: packets" % name, is_enough(row["packets"], packets), row)
        named = {t["tool"] if isinstance(t, dict) else t for t in row["tools"]}
        checks.equal("%s: tool" % name, named, {tool})
    sensor = o.get("/v1/sensors")["rows"][0]
    checks.equal("sensor", (sensor["sensor"], sensor["dropped"]), ("dark", 0))


def run(checks, folder):
    db = os.path.join(folder, "db")
    netns.enter_until_end(net.DARK)
    before = received()
    o = observatory.Observatory(db, "--interface", "d0", "--sensor", "dark", "--monitored", net.MONITORED)
    o.wait("live counters", "/v1/live", lambda live: live["sensors"][0]["at"])
    begun = received()
    measure(o.url)
    for i, (_, command, _, _) in enumerate(SCANS):
        net.scan_all(command, net.source(40 + i))
    check_live(checks, o)
    sent = sum(abs(s[3]) for s in SCANS) + PROBES
    check_rows(checks, o, sent)
    ending = received()
    checks.equal("ends well", o.end(), (0, []))
    seen = harness.monomi("query", "--db", db, "--format", "csv", "SELECT sum(packets), sum(packets) FILTER (state <> 'stored') "
                          "FROM rest.segments").out.split()[-1].split(",")
    bounds = (ending - begun, received() - before)  # what came while it started and ended may be on either side
    checks.true("every packet of the interface", bounds[0] <= int(seen[0]) <= bounds[1] and not seen[1], (seen, bounds))


def up():
    net.up()
    netns.ip("link", "set", "lo", "up", ns=net.DARK)


def main():
    netns.begin(net.TOOLS, up, net.down)
    checks = harness.Checks()
    with tempfile.TemporaryDirectory() as folder:
        run(checks, folder)
        observatory.end_all()
    checks.finish()


main()
