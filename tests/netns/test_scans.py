#!/usr/bin/env python3
"""Scans made anew with the real zmap, masscan, nmap and hping3, and what monomi calls them.

Two network namespaces of our own joined by a veth pair: `scan`, where the tools run, each from an address of its own,
and `dark`, which has no address, so nobody answers; tcpdump listens there. No packet leaves: neither has another
interface. Each tool is bounded in packets and in time; the namespaces and all in them end with the test, however it
ends. Skipped without root or without the tools.

The tool must be named where its headers say so (DEFINITIONS 2); elsewhere `unknown` or its own name is right and any
other name is wrong. The whole capture is also rewritten as behind one-to-one NAT and must come to the same rows.

Mutants this kills, each tried once: those of tests/oracle/test_tools.py, and Nmap's port of each try taken for another
run (`within 32` made `within 1`).
"""
import concurrent.futures
import os
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "oracle"), os.path.join(HERE, "..", "lib")]
import test_tools as truth  # noqa: E402
from netns import begin, ip, take_down, told  # noqa: E402

TAG = "mon%d" % os.getpid()
SCAN, DARK = TAG + "-scan", TAG + "-dark"
MAC = "02:00:00:00:00:01"
TOOLS = ("ip", "tcpdump", "zmap", "masscan", "nmap", "hping3")
MONITORED = "198.18.0.0/16,2001:db8:18::/48"
SIX = "2001:db8:ffff::7"

ZMAP = "zmap -q -b /dev/null -i s0 -G %s -o /dev/null -c 1 -r 3000 --source-ip={src} " % MAC
DNS = "1234010000010000000000000776657273696f6e0462696e640000100003"
MASSCAN = "masscan --adapter-ip {src} -e s0 --router-mac %s --wait 0 --rate 3000 " % MAC.replace(":", "-")
NMAP = "nmap -n -e s0 -S {src} -Pn -T5 --min-rate 1000 "
FAST = NMAP + "--max-retries 0 "
HPING = "hping3 -q -a {src} -i u1000 "

# (name, command, names that are right). {src} is the scan's own address; a list runs one after the other.
SCANS = [
    ("zmap syn", ZMAP + "-p 443 -n 400 198.18.0.0/16", {"zmap"}),
    ("zmap few", ZMAP + "-p 22 -n 3 198.18.0.0/16", {"zmap"}),
    ("zmap udp", ZMAP + "-M udp -p 53 -n 300 --probe-args=hex:" + DNS + " 198.18.0.0/16", {"zmap"}),
    ("zmap icmp", ZMAP + "-M icmp_echoscan -n 300 198.18.0.0/16", {"zmap"}),
    ("zmap several probes", ZMAP + "-P 3 -p 8080 -n 200 198.18.0.0/16", {"zmap"}),
    ("masscan syn", MASSCAN + "198.18.4.0/24 -p23,2323", {"masscan"}),
    ("masscan vertical", MASSCAN + "198.18.9.9 -p1-512", {"masscan"}),
    ("masscan few", MASSCAN + "198.18.9.8/31 -p80", {"masscan"}),
    ("masscan source port", MASSCAN + "198.18.10.0/24 -p443 --source-port 61000", {"masscan"}),
    ("masscan ttl", MASSCAN + "198.18.11.0/24 -p443 --ttl 55", {"masscan"}),
    ("masscan sctp", MASSCAN + "198.18.12.0/24 -pS:36412", {"masscan"}),
    ("masscan udp", MASSCAN + "198.18.13.0/24 -pU:161", {"unknown"}),
    ("masscan ping", MASSCAN + "198.18.14.0/24 --ping", {"unknown"}),
    ("nmap -sS", FAST + "-sS -F 198.18.60.0/30", {"nmap"}),
    ("nmap -sS with retries", NMAP + "-sS --max-retries 3 --top-ports 20 198.18.60.8/30", {"nmap"}),
    ("nmap -sS one port", FAST + "-sS -p80 198.18.61.0/25", {"nmap"}),
    ("nmap -sS source port", FAST + "-sS -g 53 --top-ports 40 198.18.61.200", {"nmap"}),
    ("nmap -sS ttl", FAST + "-sS --ttl 210 --top-ports 40 198.18.61.201", {"nmap"}),
    ("nmap -sS badsum", FAST + "-sS --badsum --top-ports 40 198.18.61.202", {"nmap"}),
    ("nmap -sS data", FAST + "-sS --data-length 24 --top-ports 40 198.18.61.203", {"nmap"}),
    ("nmap -sS slow", "nmap -n -e s0 -S {src} -Pn -sS --max-retries 1 --scan-delay 20ms -p1-30 198.18.61.204", {"nmap"}),
    ("nmap -sF", FAST + "-sF --top-ports 50 198.18.62.0/31", {"nmap"}),
    ("nmap -sX", FAST + "-sX --top-ports 50 198.18.62.2/31", {"nmap"}),
    ("nmap -sN", FAST + "-sN --top-ports 50 198.18.62.4/31", {"unknown", "nmap"}),
    ("nmap -sA", FAST + "-sA --top-ports 50 198.18.62.6/31", {"unknown", "nmap"}),
    ("nmap -sW", FAST + "-sW --top-ports 50 198.18.62.8/31", {"unknown", "nmap"}),
    ("nmap -sM", FAST + "-sM --top-ports 50 198.18.62.10/31", {"unknown", "nmap"}),
    ("nmap -sU", FAST + "-sU --top-ports 50 198.18.62.12/31", {"unknown", "nmap"}),
    ("nmap -sO", FAST + "-sO 198.18.62.14", {"unknown", "nmap"}),
    ("nmap -sY", FAST + "-sY --top-ports 10 198.18.62.16/30", {"unknown", "nmap"}),
    ("nmap -sn", "nmap -n -e s0 -S {src} -sn -PE -PP -PS443 -PA80 -T5 198.18.62.32/28", {"unknown", "nmap"}),
    ("nmap --scanflags", FAST + "-sS --scanflags SYNPSH --top-ports 50 198.18.62.64/31", {"unknown", "nmap"}),
    ("nmap -f", FAST + "-sS -f --top-ports 50 198.18.62.66/31", {"unknown", "nmap"}),
    ("nmap -O", FAST + "-O --top-ports 10 198.18.62.68/30", {"unknown", "nmap"}),
    ("hping3 -S", HPING + "-S -p ++1 -c 200 198.18.70.1", {"hping3"}),
    ("hping3 one port", HPING + "-S -p 443 -c 60 198.18.70.2", {"hping3"}),
    ("hping3 few", HPING + "-S -p ++8000 -c 4 198.18.70.6", {"hping3"}),
    ("hping3 -F", HPING + "-F -p 443 -c 60 198.18.70.3", {"unknown"}),
    ("hping3 --udp", HPING + "-2 -p 53 -c 60 198.18.70.4", {"unknown"}),
    ("hping3 ping", HPING + "-1 -c 60 198.18.70.5", {"unknown"}),
    ("masscan, then zmap", [MASSCAN + "198.18.15.0/24 -p80", ZMAP + "-p 80 -n 256 198.18.0.0/16"], {"mixed"}),
    # Kernel sockets choose their source by the route to their destination.
    ("nmap -sT", "nmap -n -Pn -T5 --max-retries 0 -sT -p22,80,443 198.18.200.0/27", {"unknown"}),
    ("a client", ("bash", "-c", "for i in {1..20}; do echo x >/dev/udp/198.18.201.$i/9; done"), {"unknown"}),
]
ROUTED = {"nmap -sT": "198.18.200.0/24", "a client": "198.18.201.0/24"}
V6 = ("nmap -6", "nmap -6 -n -e s0 -Pn -T5 --max-retries 0 -sS -p22,80,443 2001:db8:18::100/123", {"unknown", "nmap"})


def source(i):
    return "198.19.%d.%d" % (7 + i // 200, 10 + i % 200)


def down():
    take_down(SCAN, DARK)


def up():
    for ns in (SCAN, DARK):
        ip("netns", "add", ns)
        for key in ("all", "default"):
            subprocess.run(["ip", "netns", "exec", ns, "sysctl", "-qw", "net.ipv6.conf.%s.disable_ipv6=1" % key], check=True)
    ip("link", "add", "s0", "netns", SCAN, "type", "veth", "peer", "name", "d0", "netns", DARK)
    ip("link", "set", "d0", "address", MAC, ns=DARK)
    ip("link", "set", "d0", "up", ns=DARK)
    for word in ("lo", "s0"):
        ip("link", "set", word, "up", ns=SCAN)
    ip("address", "add", "198.19.0.2/16", "dev", "s0", ns=SCAN)
    ip("route", "add", "198.18.0.0/16", "via", "198.19.0.1", "dev", "s0", ns=SCAN)
    ip("neighbor", "replace", "198.19.0.1", "lladdr", MAC, "dev", "s0", "nud", "permanent", ns=SCAN)
    for i, (name, _, _) in enumerate(SCANS):  # nmap sends from addresses of its interface only
        ip("address", "add", source(i) + "/32", "dev", "s0", ns=SCAN)
        if name in ROUTED:
            ip("route", "add", ROUTED[name], "via", "198.19.0.1", "dev", "s0", "src", source(i), ns=SCAN)
    subprocess.run(["ip", "netns", "exec", SCAN, "sysctl", "-qw", "net.ipv6.conf.s0.disable_ipv6=0"], check=True)
    ip("address", "add", SIX + "/64", "dev", "s0", "nodad", ns=SCAN)
    ip("route", "add", "2001:db8:18::/48", "via", "2001:db8:ffff::1", ns=SCAN)
    ip("neighbor", "replace", "2001:db8:ffff::1", "lladdr", MAC, "dev", "s0", "nud", "permanent", ns=SCAN)


def scan(command, src):
    """Runs a tool for at most 12 seconds; masscan may stay after its last packet and is ended by its process id."""
    words = command.format(src=src).split() if isinstance(command, str) else command
    tool = subprocess.Popen(["ip", "netns", "exec", SCAN, *words], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=tempfile.gettempdir())
    try:
        tool.communicate(timeout=5 if words[0] == "masscan" else 12)
    except subprocess.TimeoutExpired:
        tool.kill()
        tool.communicate()


def scan_all(commands, src):
    for command in commands if isinstance(commands, list) else [commands]:
        scan(command, src)


def capture(path):
    log = open(path + ".log", "w")
    listener = subprocess.Popen(
        ["ip", "netns", "exec", DARK, "tcpdump", "-q", "-n", "-i", "d0", "-s", "512", "-B", "8192", "-U", "-Z", "root", "-w",
         path, "dst net 198.18.0.0/16 or dst net 2001:db8:18::/48"], stderr=log)
    for _ in range(100):
        time.sleep(0.05)
        if "listening" in open(path + ".log").read():
            return listener
    raise RuntimeError("tcpdump does not listen: " + open(path + ".log").read())


def run_scans(path):
    listener = capture(path)
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        jobs = [pool.submit(scan_all, command, source(i)) for i, (_, command, _) in enumerate(SCANS)]
        jobs.append(pool.submit(scan_all, V6[1], SIX))
        for job in jobs:
            job.result()
    time.sleep(1)
    listener.send_signal(signal.SIGINT)
    listener.wait(10)


def check(path, faults):
    every = [(name, source(i), right) for i, (name, _, right) in enumerate(SCANS)] + [(V6[0], SIX, V6[2])]
    for name, src, right in every:
        line = truth.analyze([path], "--monitored", MONITORED, "--filter", "src host " + src)[path]
        names = set(line["tools"])
        verdict = "ok"
        if line["packets"] < 2:
            verdict = "FAIL: the tool sent only %d packets" % line["packets"]
        elif not names <= right:
            verdict = "FAIL: %s is right" % " or ".join(sorted(right))
        if verdict != "ok":
            faults.append("%s: %s" % (name, verdict))
        print("%-22s %5d packets  %-28s %s" % (name, line["packets"], line["tools"], verdict))


def main():
    begin(TOOLS, up, down)
    faults = []
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "dark.pcap")
        run_scans(path)
        check(path, faults)
        truth.check_nat({path: truth.analyze([path], "--monitored", MONITORED)[path]}, faults)
    print("%d scans, %d faults" % (len(SCANS) + 1, len(faults)))
    return told(faults)


if __name__ == "__main__":
    sys.exit(main())
