#!/usr/bin/env python3
"""Real floods with forged sources, as a live sensor sees them.

Three kinds of network namespaces: `net` is the Internet, from which hping3 floods and which routes; two of victims, that
answer; `dark` is the sensor, to which the replies to a sixteenth of all forged addresses come. `monomi run` listens there.
Everything runs at once for about 66 seconds; no packet leaves the namespaces.

Who answers: a Linux listener without SYN cookies and one with, nginx, a closed port, a closed UDP port (the kernel sends so
many ICMP errors a second and no more), dnsmasq. Of each the victim, port, kind, start, end and rate must be told, the rate
within its own interval. What is none: a sweep with SYN+ACKs, a flood from one port, and DNS and NTP answers that the
sensor's host asked for. Of each the rows, the attack and its verdict, corsaro's attack and the early mode's onset are looked
at; over IPv6 too, where the forged sources are all monitored ones.
"""
import concurrent.futures
import contextlib
import csv
import io
import json
import math
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]
import harness  # noqa: E402
import netns  # noqa: E402
import observatory  # noqa: E402
from netns import enter, ip  # noqa: E402

TAG = "mon%d" % os.getpid()
NET, PLAIN, COOKIES, DARK = (TAG + part for part in ("-net", "-plain", "-cookies", "-dark"))
TOOLS = ("ip", "nft", "sysctl", "hping3", "dnsmasq", "nginx")
MONITORED, SHARE = "16.0.0.0/4", 16
MONITORED6, VICTIM6, RATE6 = "2001:db8:64::", "2001:db8:cb::10", 20
OWN = "16.0.0.9"
FLOOD = "hping3 -q --rand-source {more} -i u{wait} -c {count} {to}"
SECONDS = 66

# name, address, hping3's options, packets a second, protocol, port, kind of what is seen
FLOODS = [
    ("a listener", "203.0.113.10", "-S -p 8080", 300, "tcp", 8080, "syn_ack"),
    ("a listener with cookies", "198.51.100.10", "-S -p 8080", 300, "tcp", 8080, "syn_ack"),
    ("nginx", "198.51.100.11", "-S -p 80", 300, "tcp", 80, "syn_ack"),
    ("a closed port", "203.0.113.11", "-S -p 81", 300, "tcp", 81, "rst"),
    ("a closed UDP port", "203.0.113.12", "-2 -p 9999 -d 30", 1500, "udp", 9999, "error"),
    ("dnsmasq", "203.0.113.13", "-2 -p 53 -d 30 -E {question}", 300, "udp", 53, "reply"),
]
LIMITED = "a closed UDP port"
FIXED = ("a flood from one port", "203.0.113.14", "-S -p 8080 -s 4444 -k", 300)
SWEEPS = [  # name, source, hping3's options: SYN+ACKs to monitored addresses at random
    ("a sweep from one port", "192.0.2.77", "-S -A -p 443 -s 51000 -k"),
    ("a sweep from many ports", "192.0.2.78", "-S -A -p 443"),
]
QUESTION = bytes.fromhex("123401000001000000000000" "076578616d706c650474657374" "0000010001")


def down():
    netns.take_down(NET, PLAIN, COOKIES, DARK)


def settings(ns, *pairs):
    # Not all can be set in a namespace on all kernels; what matters shows in what is asserted.
    subprocess.run(["ip", "netns", "exec", ns, "sysctl", "-qw", *pairs], check=True, capture_output=True)


def join(ns, name, here, there):
    """A pair from NET to a namespace, by whose far end everything goes."""
    ip("link", "add", name, "netns", NET, "type", "veth", "peer", "name", "e0", "netns", ns)
    ip("link", "set", name, "up", ns=NET)
    for word in ("lo", "e0"):
        ip("link", "set", word, "up", ns=ns)
    ip("address", "add", here + "/24", "dev", name, ns=NET)
    ip("address", "add", there + "/24", "dev", "e0", ns=ns)
    ip("route", "add", "default", "via", here, ns=ns)


def up():
    for ns in (NET, PLAIN, COOKIES, DARK):
        ip("netns", "add", ns)
        settings(ns, *("net.ipv4.conf.%s.rp_filter=0" % key for key in ("all", "default")),
                 *("net.ipv6.conf.%s.accept_dad=0" % key for key in ("all", "default")),
                 *("net.ipv6.conf.%s.router_solicitations=0" % key for key in ("all", "default")))
    ip("link", "set", "lo", "up", ns=NET)
    settings(NET, "net.ipv4.ip_forward=1", "net.ipv4.conf.all.send_redirects=0", "net.ipv4.conf.default.send_redirects=0")
    join(PLAIN, "plain", "203.0.113.1", "203.0.113.2")
    join(COOKIES, "cookies", "198.51.100.1", "198.51.100.2")
    join(DARK, "dark", "192.0.2.1", "192.0.2.2")
    ip("address", "add", OWN + "/32", "dev", "e0", ns=DARK)
    ip("route", "replace", "default", "via", "192.0.2.1", "src", OWN, ns=DARK)
    ip("route", "add", "default", "via", "192.0.2.2", ns=NET)
    for ns, addresses in ((PLAIN, range(10, 15)), (COOKIES, (10, 11))):
        for last in addresses:
            ip("address", "add", "%s.%d/32" % ("203.0.113" if ns == PLAIN else "198.51.100", last), "dev", "e0", ns=ns)
        settings(ns, "net.core.somaxconn=65535", "net.ipv4.tcp_max_syn_backlog=65535", "net.ipv4.tcp_synack_retries=1",
                 "net.ipv4.tcp_syncookies=%d" % (2 if ns == COOKIES else 0))
    up6()
    rules = "".join("add rule ip t out ip saddr %s ip daddr %s counter; " % (MONITORED, f[1]) for f in FLOODS)
    rules += "add rule ip t through ip daddr %s ip saddr 203.0.113.12 counter" % MONITORED
    subprocess.run(["ip", "netns", "exec", NET, "nft", "add table ip t; add chain ip t out { type filter hook output priority 0; }; "
                    "add chain ip t through { type filter hook forward priority 0; }; " + rules],
                   check=True, capture_output=True, text=True)


def up6():
    settings(NET, "net.ipv6.conf.all.forwarding=1")
    for ns, name, net in ((PLAIN, "plain", "2001:db8:cb::"), (DARK, "dark", "2001:db8:da::")):
        ip("address", "add", net + "1/64", "dev", name, "nodad", ns=NET)
        ip("address", "add", net + "10/64", "dev", "e0", "nodad", ns=ns)
        ip("-6", "route", "add", "default", "via", net + "1", ns=ns)
    ip("-6", "route", "add", MONITORED6 + "/112", "via", "2001:db8:da::10", ns=NET)


def answered():
    """By victim the packets that were sent in the name of a monitored address, and of the victim that is limited those that it
    sent back. (hping3's numbers are not even: half as many as a sixteenth have been seen.)"""
    found = {}
    for chain in ("out", "through"):
        said = subprocess.run(["ip", "netns", "exec", NET, "nft", "-j", "list", "chain", "ip", "t", chain], check=True,
                              capture_output=True).stdout
        rules = [r["rule"]["expr"] for r in json.loads(said)["nftables"] if "rule" in r]
        found.update((e[1]["match"]["right"], e[-1]["counter"]["packets"]) for e in rules)
    return found


# ---- Who answers ----
@contextlib.contextmanager
def inside(ns):
    with open("/proc/self/ns/net", "rb") as home:
        enter("/var/run/netns/" + ns)
        try:
            yield
        finally:
            enter("/proc/self/fd/%d" % home.fileno())


def listener(ns, address):
    with inside(ns):
        s = socket.create_server((address, 8080), backlog=65535, family=socket.AF_INET6 if ":" in address else socket.AF_INET)
    return s


def ntp_server():
    with inside(PLAIN):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind(("203.0.113.2", 123))

    def answer():
        with contextlib.suppress(OSError):
            while True:
                _, peer = s.recvfrom(512)
                s.sendto(struct.pack(">BBBb", 0x24, 2, 6, -20) + bytes(44), peer)
    threading.Thread(target=answer, daemon=True).start()
    return s


def daemons(folder):
    with open(os.path.join(folder, "nginx.conf"), "w", encoding="ascii") as f:
        f.write("user root; daemon off; pid %s/nginx.pid; error_log /dev/null; events {} http { access_log off; server { listen "
                "198.51.100.11:80 backlog=65535; return 204; } }" % folder)
    started = [(COOKIES, ["nginx", "-p", folder, "-c", os.path.join(folder, "nginx.conf")]),
               (PLAIN, ["dnsmasq", "-k", "-C", "/dev/null", "--no-resolv", "--no-hosts", "--user=root", "--pid-file=",
                        "--listen-address=203.0.113.13,203.0.113.2", "--bind-interfaces", "--address=/#/192.0.2.9"])]
    return [subprocess.Popen(["ip", "netns", "exec", ns, *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE) for ns, words in started]


def ask(server, port, question):
    """The sensor's host asks, as its resolver and its clock do. The answer's length, or 0."""
    with inside(DARK):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with s:
        s.settimeout(2)
        s.sendto(question, (server, port))
        try:
            return len(s.recv(512))
        except OSError:
            return 0


def ask_until(end):
    counts = [0, 0]
    while time.monotonic() < end:
        counts[0] += ask("203.0.113.2", 53, QUESTION) > 0
        counts[1] += ask("203.0.113.2", 123, b"\x23" + bytes(47)) > 0
        time.sleep(0.2)
    return counts


# ---- Floods ----
def in_net(words):
    return subprocess.Popen(["ip", "netns", "exec", NET, *words.split()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE)


class Flood:
    """hping3, and between which moments it sent how many packets a second."""

    def __init__(self, words, rate):
        self.count = rate * SECONDS
        self.begun = time.time()
        self.process = in_net(words.format(count=self.count, wait=1000000 // rate))
        self.ended = None

    def await_end(self):
        self.process.communicate(timeout=observatory.PATIENCE + 3 * SECONDS)
        self.ended = time.time()


def syn6(source, port):
    """An IPv6 packet with a SYN in the name of `source`."""
    addresses = socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, VICTIM6)
    tcp = struct.pack(">HHIIBBHHH", port, 8080, random.getrandbits(32), 0, 0x50, 2, 512, 0, 0)
    total = sum(struct.unpack(">26H", addresses + tcp)) + 6 + len(tcp)
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return b"\x60" + bytes(3) + struct.pack(">HBB", len(tcp), 6, 64) + addresses + tcp[:16] + struct.pack(">H", total ^ 0xffff) + tcp[18:]


def flood6(end):
    """In the names of monitored addresses drawn at random, until that moment; how many."""
    with inside(NET):
        s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
    sent = 0
    with s:
        while time.monotonic() < end:
            s.sendto(syn6(MONITORED6 + "%x" % random.randrange(1, 65536), random.randrange(1024, 65536)), (VICTIM6, 0))
            sent += 1
            time.sleep(1 / RATE6)
    return sent


def flood_all(folder):
    question = os.path.join(folder, "question")
    with open(question, "wb") as f:
        f.write(QUESTION)
    floods = {}
    for name, to, options, rate in [f[:4] for f in FLOODS] + [FIXED]:
        more = options.format(question=question)
        floods[name] = Flood(FLOOD.format(more=more, to=to, wait="{wait}", count="{count}"), rate)
    for name, source, options in SWEEPS:
        floods[name] = Flood("hping3 -q -a %s %s --rand-dest -I dark -i u{wait} -c {count} 16.x.x.x" % (source, options), 100)
    ends = [threading.Thread(target=f.await_end) for f in floods.values()]
    for t in ends:
        t.start()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        six = pool.submit(flood6, time.monotonic() + SECONDS)
        answers = ask_until(time.monotonic() + SECONDS)
        for t in ends:
            t.join()
        return floods, answers, six.result()


def icmp_sent():
    """ICMP errors that the victims' kernel has sent."""
    with inside(PLAIN):
        with open("/proc/net/snmp", encoding="ascii") as f:
            names, values = [line.split()[1:] for line in f if line.startswith("Icmp:")]
    return int(dict(zip(names, values))["OutDestUnreachs"])


# ---- What is told ----
def query(db, sql):
    done = harness.monomi("query", "--db", db, "--format", "csv", sql)
    if done.code:
        raise AssertionError(done.err)
    return list(csv.DictReader(io.StringIO(done.out)))


VICTIMS = """SELECT victim, kind, protocol, port, sum(packets) AS packets, sum(forged) AS forged, epoch(min(second)) AS first,
    epoch(max(second)) AS last FROM victim_second GROUP BY ALL ORDER BY packets DESC"""


def fresh_share(db, victim):
    """The share of forged pairs that are no repetition of one of the second before: a SYN+ACK is sent again after a second.
    Samples are the least pairs of a second, so that what is below the greatest of both seconds' would be in both."""
    bound = {}
    for row in query(db, "SELECT second, hex(sample) AS sample FROM rest.victim_second4 WHERE victim = ip4('%s')" % victim):
        elements = {int(row["sample"][i:i + 8], 16) for i in range(0, len(row["sample"]), 8)}
        bound[int(row["second"])] = elements, max(elements) if len(elements) == 8 else 1 << 32
    fresh = again = 0
    for second, (elements, _) in bound.items():
        before = [bound.get(second - back, (set(), 1 << 32)) for back in (1, 2)]
        comparable = {e for e in elements if all(e < most for _, most in before)}
        repeated = {e for e in comparable if any(e in seen for seen, _ in before)}
        again += len(repeated)
        fresh += len(comparable) - len(repeated)
    return fresh / (fresh + again)


def check_flood(checks, db, rows, flood, spec, ours, errors, told):
    name, victim, _, rate, protocol, port, kind = spec
    mine = [r for r in rows if r["victim"] == victim]
    if not checks.equal(name + ": what is seen", [(r["protocol"], int(r["port"]), r["kind"]) for r in mine], [(protocol, port, kind)]):
        return
    row = {k: float(v) for k, v in mine[0].items() if k in ("packets", "forged", "first", "last")}
    checks.true(name + ": begins", flood.begun - 1 <= row["first"] <= flood.begun + 5, str((flood.begun, row)))
    checks.true(name + ": ends", flood.ended - 6 <= row["last"] <= flood.ended + 3, str((flood.ended, row)))
    seconds = row["last"] - row["first"] + 1
    share = fresh_share(db, victim)
    distinct = row["forged"] * share
    interval = [SHARE * (distinct + z * math.sqrt(distinct)) / seconds for z in (-4, 4)]
    true_rate = SHARE * ours / (flood.ended - flood.begun - 1)  # it waits a second for what is answered
    print("%-24s %6d packets seen of %6d, %7.1f to %7.1f a second, true %7.1f" % (name, row["packets"], flood.count, *interval,
                                                                                  true_rate))
    checks.true(name + ": rate", interval[0] <= true_rate <= interval[1], str((interval, true_rate)))
    check_told(checks, name, (victim, protocol, port, kind), told, row, true_rate)
    checks.true(name + ": sent again", 0.4 < share < 0.6 if name == "a listener" else share > 0.98, str(share))
    if name == LIMITED:
        checks.true(name + ": is limited", errors < 0.9 * flood.count, str((errors, flood.count)))


def named(db, name):
    """Rows of a named query of attacks, by victim."""
    span = {"since": "2026-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z", **({} if "rsdos" in name else {"limit": 1000})}
    done = harness.monomi("query", "--db", db, "--format", "json", *(w for k, v in span.items() for w in ("--param", "%s=%s" % (k, v))), name)
    if done.code:
        raise AssertionError(done.err)
    found = {}
    for row in json.loads(done.out):
        found.setdefault(row["victim"], []).append(row)
    return found


def check_told(checks, name, spec, told, row, true_rate):
    """What is made of the rows of a flood: one attack, and an onset soon after it began."""
    victim, protocol, port, kind = spec
    attacks, onsets = (told[of].get(victim, []) for of in ("attacks", "onsets"))
    if checks.equal(name + ": one attack", [(a["verdict"], a["kind"], a["protocol"], a["port"]) for a in attacks],
                    [("attack", kind, protocol, port)]):
        a = attacks[0]
        if true_rate:  # twice as wide as it says: nineteen of twenty would do else, and there are six
            low, high = (a["rate"] + 2 * (a[edge] - a["rate"]) for edge in ("rate_low", "rate_high"))
            checks.true(name + ": rate as told", low <= true_rate <= high, str((low, true_rate, high)))
        else:
            checks.equal(name + ": no rate over IPv6", a["rate"], None)
    if checks.equal(name + ": one onset", [(o["outcome"], o["protocol"], o["port"]) for o in onsets],
                    [("confirmed", protocol, port)]):
        late = onsets[0]["raised"] - row["first"]
        checks.true(name + ": raised soon", 0 <= late <= 15, str(late))
    if ":" not in victim and kind != "reply":  # corsaro knows neither
        checks.equal(name + ": by corsaro's rules", [len(told[of].get(victim, [])) for of in ("rsdos-corsaro2", "rsdos-corsaro3")],
                     [1, 1])


def check_flood6(checks, rows, told, sent):
    name, spec = "a listener over IPv6", (VICTIM6, "tcp", 8080, "syn_ack")
    mine = [r for r in rows if r["victim"] == VICTIM6]
    if checks.equal(name + ": what is seen", [(r["protocol"], int(r["port"]), r["kind"]) for r in mine], [spec[1:]]):
        checks.true(name + ": all are seen", sent * 0.9 <= float(mine[0]["forged"]) <= sent * 2.1, str((sent, mine)))
        check_told(checks, name, spec, told, {"first": float(mine[0]["first"])}, None)


def check_quiet(checks, rows, db, answers, told):
    checks.true("the sensor's host was answered", min(answers) > 20, str(answers))
    checks.equal("what it asked for is none", [r for r in rows if r["victim"] == "203.0.113.2"], [])
    known = {f[1] for f in FLOODS} | {FIXED[1], VICTIM6} | {s[1] for s in SWEEPS}
    checks.equal("nobody else", [r for r in rows if r["victim"] not in known], [])
    checks.equal("nobody else has an attack or an onset", sorted((told["attacks"].keys() | told["onsets"].keys()) - known), [])
    # Verdicts ask for many ports that were forged: these have one each, however many addresses.
    for name, victim in [(FIXED[0], FIXED[1])] + [(s[0], s[1]) for s in SWEEPS]:
        row = query(db, "SELECT sum(packets) AS packets, max(forged - attackers) AS more FROM victim_second WHERE victim = '%s'"
                    % victim)[0]
        checks.true(name + ": is seen, one forged port", int(row["packets"]) > 500 and row["more"] == "0", str(row))
        checks.true(name + ": raises nothing", {a["verdict"] for a in told["attacks"].get(victim, [])} <= {"scan", "undecided"},
                    str(told["attacks"].get(victim)))
        checks.equal(name + ": no onset stands", [o for o in told["onsets"].get(victim, []) if o["outcome"] != "contradicted"], [])


def run(checks, folder):
    db = os.path.join(folder, "db")
    servers = [listener(PLAIN, "203.0.113.10"), listener(PLAIN, "203.0.113.14"), listener(COOKIES, "198.51.100.10"),
               listener(PLAIN, VICTIM6), ntp_server()]
    started = daemons(folder)
    with inside(DARK):
        o = observatory.Observatory(db, "--interface", "e0", "--sensor", "roof", "--monitored", MONITORED + "," + MONITORED6 + "/112")
        o.wait("live counters", "/v1/live", lambda live: live["sensors"][0]["at"])
    before = icmp_sent()
    floods, answers, sent6 = flood_all(folder)
    errors = icmp_sent() - before
    time.sleep(3)  # what is sent again
    with inside(DARK):
        checks.equal("ends well", o.end(), (0, []))
    for process in started:
        process.send_signal(signal.SIGTERM)
        process.communicate()
    for s in servers:
        s.close()
    ours, rows = answered(), query(db, VICTIMS)
    told = {of: named(db, of) for of in ("attacks", "onsets", "rsdos-corsaro2", "rsdos-corsaro3")}
    for spec in FLOODS:
        check_flood(checks, db, rows, floods[spec[0]], spec, ours[spec[1]], errors if spec[0] == LIMITED else 0, told)
    check_flood6(checks, rows, told, sent6)
    check_quiet(checks, rows, db, answers, told)


def main():
    netns.begin(TOOLS, up, down)
    checks = harness.Checks()
    with tempfile.TemporaryDirectory() as folder:
        run(checks, folder)
    checks.finish()


if __name__ == "__main__":
    main()
