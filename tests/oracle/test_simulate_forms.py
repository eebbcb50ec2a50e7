#!/usr/bin/python3
"""Do the simulator's populations behave as those that they are named after? Headers against captures of the real tools; the tools
that analysis names; each address and port of a sweep once; SYN-ACKs sent again when a Linux does; an epidemic that doubles
in the time published; days and nights.

Mutants that this kills: an option left out, a window of another version, a sweep that leaves addresses out, delays that do
not double, growth by another law.
"""
import collections
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]
import captures
import harness
import packets
import rows
import synthetic

NOBODY = """sweep.daily = 0\nsplit.daily = 0\nbots.begin = 0\nbrute.daily =\nexploit.udp =\nexploit.tcp =\nslow.daily = 0
backscatter.daily = 0\nreflection.daily = 0\nmisconfiguration.daily = 0\np2p.daily = 0\nspoofed.daily = 0\nflood.daily = 0
v6.daily = 0\nsynack.daily = 0\nresets.daily = 0\nstale.daily = 0\nown.daily = 0\n"""
SWEEP = """simulate.internet = 1048576\nsweep.daily = 20000\nsweep.udp = 0\nsweep.icmp = 0\nsweep.ports_most = 1
sweep.rate_least = 20000\nsweep.rate_most = 20000\nsweep.past = 0\n"""

# What makes each form; the real tool's capture; the tool that is named.
FORMS = {
    "zmap < 4.1": (SWEEP + "sweep.forms = 0:1", "zmap_syn80_n5000.pcap", "zmap"),
    "zmap windows": (SWEEP + "sweep.forms = 1:1", "zmap4_syn80.pcap", "zmap"),
    "zmap linux": (SWEEP + "sweep.forms = 2:1", "zmap4_syn443_linux.pcap", "zmap"),
    "zmap bsd": (SWEEP + "sweep.forms = 3:1", None, "zmap"),
    "zmap smallest": (SWEEP + "sweep.forms = 4:1", None, "zmap"),
    "masscan 1.3.2": (SWEEP + "sweep.forms = 5:1", "masscan_syn_23_2323.pcap", "masscan"),
    "masscan 1.3.9": (SWEEP + "sweep.forms = 6:1", "masscan_head_23_2323.pcap", "masscan"),
    "nmap": (SWEEP + "sweep.forms = 7:1", "nmap_sS_p80_slash22.pcap", "nmap"),
    "mirai": ("simulate.internet = 1048576\nbots.vulnerable = 100\nbots.begin = 50\nbots.rate = 20", None, "mirai"),
    "linux": ("simulate.internet = 1048576\nsplit.daily = 5000\nsplit.sources_most = 64\nsplit.rate = 20000", "nmap_sT_connect.pcap",
              "unknown"),
    "hping3": ("flood.daily = 20\nflood.rate_most = 200\nflood.decoys = 0", "hping_synflood_direct.pcap", None),
}
N, SPAN = 256, 600


def run(folder, params, n=N, span=SPAN, seed=4):
    c = synthetic.Case(seed, n, synthetic.PREFIXES[n][0] if n != 5 else ",".join(synthetic.PREFIXES[5]), "", span, NOBODY + params)
    return synthetic.make(c, folder, rows=False)


def read(path):
    return [packets.decode(f) for f in captures.read(path)]


def shape(found):
    """What all SYNs of a list have in common."""
    syns = [p for p in found if p.proto == packets.TCP and p.flags == packets.SYN]
    # Without the flag of an ip.id that happens to be zero.
    profiles = {x[:5] + bytes([x[5] & ~rows.SYN_ID_ZERO]) + x[6:] for x in map(rows.syn_profile, syns)}
    runs = collections.defaultdict(set)
    for p in syns:
        runs[p.src, p.dport].add(p.sport)
    low16 = lambda p: (int.from_bytes(p.dst, "big") ^ p.dport ^ p.seq) & 0xFFFF
    return {
        "profiles": profiles, "masscan id": all(p.ip_id == low16(p) for p in syns),
        "zmap id": all(p.ip_id == 54321 for p in syns), "seq is destination": all(p.seq == int.from_bytes(p.dst, "big") for p in syns),
        "acks": any(p.ack for p in syns), "ephemeral": all(p.sport >= 1024 for p in syns),
    }, syns


def check_real(checks, name, made, real):
    ours, syns = shape(read(made.capture))
    theirs, captured = shape(read(real))
    checks.equal(name + ": SYNs like those of " + os.path.basename(real), ours, theirs)
    least, most = min(p.ttl for p in captured), max(p.ttl for p in captured)
    checks.true(name + ": TTL after 8 to 24 hops", all(least - 24 <= p.ttl <= most - 8 for p in syns),
                "%d from %s" % (most, sorted({p.ttl for p in syns})))


def check_tool(checks, name, made, tool):
    total = harness.analyze([made.capture], "--monitored", synthetic.PREFIXES[N][0]).total()
    # A source with few probes is not named yet.
    few = total["tools"].get("unknown", 0) if tool != "unknown" else 0
    checks.true("%s: named %s" % (name, tool), total["tools"].get(tool, 0) + few == total["packets"] and few < total["packets"] / 5,
                str(total["tools"]))


def check_forms(checks, folder):
    real = os.path.join(harness.CAPTURES, "real-tools")
    if not os.path.isdir(real):
        checks.skip("captures absent")
    for name, (params, capture, tool) in FORMS.items():
        made = run(folder, params)
        if capture and os.path.isdir(real):
            check_real(checks, name, made, os.path.join(real, capture))
        if tool:
            check_tool(checks, name, made, tool)


def check_sweep(checks, folder):
    """Sweeps that ended in time sent each address one probe a port."""
    made = run(folder, SWEEP.replace("sweep.ports_most = 1", "sweep.ports_most = 3") + "sweep.forms = 5:1")
    whole = [x for x in synthetic.truth(made) if x["kind"] == "sweep" and x["ends"] < (synthetic.FROM + SPAN) * 10**9]
    checks.true("sweeps that ended", len(whole) > 5, str(len(whole)))
    for x in whole:
        checks.equal("sweep %d: a probe for each address and port" % x["incident"], x["packets"], N * x["ports"])


def check_again(checks, folder):
    """SYN-ACKs come 0, 1, 3, 7, 15, 31 s after the first, and with cookies once."""
    base = "simulate.internet = 65536\nbackscatter.daily = 2000\nbackscatter.rate_most = 300\nbackscatter.vectors = 0\n"
    for reply, want in (("0", [0, 1, 3, 7, 15, 31]), ("1", [0])):
        seen = collections.defaultdict(list)
        for p in read(run(folder, base + "backscatter.replies = %s:1" % reply).capture):
            seen[p.src, p.dst, p.sport, p.dport, p.ack].append(p.ts)
        early = [t for t in seen.values() if t[0] < (synthetic.FROM + SPAN - 40) * 10**9]
        checks.true("reply %s: seen" % reply, len(early) > 50, str(len(early)))
        checks.true("reply %s: sent after %s s" % (reply, want), all([(x - t[0]) / 1e9 for x in t] == want for t in early))


def check_epidemic(checks, folder):
    """Doubling every 76 minutes while few are infected (DEFINITIONS 8)."""
    made = run(folder, "simulate.internet = 16777216\nbots.vulnerable = 10000000\nbots.begin = 200\nbots.doubling = 76\nbots.rate = 64\n"
               "bots.cure = 100000", span=6 * 76 * 60)
    counts = collections.Counter((p.ts // 10**9 - synthetic.FROM) // (76 * 60) for p in read(made.capture))
    ratios = [counts[i + 1] / counts[i] for i in range(5)]
    # Countries wake up and go to sleep meanwhile, which moves single steps.
    mean = (counts[5] / counts[0]) ** (1 / 5)
    checks.true("the epidemic doubles in 76 minutes", 1.85 < mean < 2.15 and min(ratios) > 1.7, "%.2f: %s" % (mean, ratios))


def check_days(checks, folder):
    """People's machines sleep at night: hours of a day differ by half, weekends are quieter."""
    made = run(folder, "brute.daily = 445:200", span=14 * 86400)
    hours, days = collections.Counter(), collections.Counter()
    for f in captures.read(made.capture):
        second = f.ts // 10**9
        hours[second // 3600 % 24] += 1
        days[(second // 86400 + 4) % 7] += 1
    checks.true("hours differ", max(hours.values()) > 1.3 * min(hours.values()), str(sorted(hours.items())))
    weekend, week = (days[0] + days[6]) / 2, sum(days[i] for i in range(2, 6)) / 4
    checks.true("weekends are quieter", 0.85 < weekend / week < 0.98, "%.3f" % (weekend / week))
    per_day = sum(hours.values()) / 14 / N
    checks.true("200 attempts a day and address, of three SYNs each", abs(per_day / 600 - 1) < 0.05, "%.1f" % per_day)


def main():
    checks = harness.Checks()
    with harness.scratch() as folder:
        for check in (check_forms, check_sweep, check_again, check_epidemic, check_days):
            check(checks, folder)
    checks.finish()


main()
