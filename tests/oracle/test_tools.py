#!/usr/bin/env python3
"""Names of tools against what really sent the packets: the captures of real-tools/ and the benign ones beside them.

A tool is named where its headers say so, `unknown` stands where they do not (DEFINITIONS 2), a wrong name is wrong. Each
capture of real-tools/ is then rewritten as a sensor behind one-to-one NAT would have it (10/8 in place of the monitored
prefix, also in the packets that ICMP errors quote) and must come to the same rows with the map.

Mutants this kills, each tried once: ip.id 54320; masscan's formula without the port; ZMap's options without one profile;
Nmap's rule without FIN and Xmas, or with half of the probes as share; hping3 with an ack of 0, or not behind the gate;
the NAT map not applied, applied with the captured prefix, or not applied to quotes.
"""
import json
import os
import struct
import subprocess
import sys
import tempfile

ROOT = os.environ.get("SOURCE_DIR") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CAPTURES = os.environ.get("MONOMI_CAPTURES") or os.path.join(ROOT, "..", "shared", "captures")
MONOMI = os.environ.get("MONOMI") or os.path.join(ROOT, "build", "monomi")

UNKNOWN = "unknown"
# capture -> tool; all its packets come from sources of that verdict. What is not here is `unknown`.
NAMED = {
    "hping_scan_mode": "hping3",
    "masscan_head_23_2323": "masscan", "masscan_spoofrange": "masscan", "masscan_syn_23_2323": "masscan",
    "masscan_vertical_1-4096": "masscan",
    "nmap_decoy": "nmap", "nmap_sF_fin": "nmap", "nmap_sS_p80_slash22": "nmap", "nmap_sS_top100_x16": "nmap",
    "nmap_sX_xmas": "nmap",
    "zmap4_syn443_linux": "zmap", "zmap4_syn80": "zmap", "zmap_icmpecho_n3000": "zmap", "zmap_syn80_n5000": "zmap",
    "zmap_udp53_n3000": "zmap",
}
# Scans in captures of other things: a source that sends ip.id 54321 in both of its two probes.
SCANS = {"dos-amplification/amp.dns.RRSIG.fragmented.pcap": {"zmap": 2}}
MONITORED = ["198.18.0.0/16", "44.16.0.0/16", "2001:db8:18::/48"]
SAME = ("packets", "accesses", "attempts", "classes", "tools", "quote_mismatches", "flows", "flow_digest", "victim_second_digest")


def analyze(files, *options):
    run = subprocess.run([MONOMI, "analyze", "--summary", "json", *options, *files], capture_output=True, text=True)
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    by_file = {line["file"]: line for line in lines if line["file"]}
    assert len(by_file) == len(files), run.stderr
    return by_file


def captures(folder):
    base = os.path.join(CAPTURES, folder)
    return sorted(os.path.join(base, f) for f in os.listdir(base) if not f.endswith((".tsv", ".txt", ".md")))


def check_named(results, faults):
    for path, line in results.items():
        name = os.path.splitext(os.path.basename(path))[0]
        want = NAMED.get(name, UNKNOWN)
        if set(line["tools"]) != {want}:
            faults.append("%s: %s where %s is right" % (name, line["tools"], want))


def check_benign(faults):
    folders = sorted(f for f in os.listdir(CAPTURES) if os.path.isdir(os.path.join(CAPTURES, f)) and f != "real-tools")
    seen = 0
    for folder in folders:
        for path, line in analyze(captures(folder)).items():
            named = {tool: n for tool, n in line["tools"].items() if tool != UNKNOWN}
            key = os.path.join(folder, os.path.basename(path))
            if named != SCANS.get(key, {}):
                faults.append("%s: %s where %s is right" % (key, named, SCANS.get(key, {})))
            seen += 1
    return seen


def private(address):
    """198.18.x.y as 10.18.x.y; other addresses as they are."""
    return b"\x0a" + address[1:] if address[:2] == b"\xc6\x12" else address


def rewrite_ip(frame, at):
    """The destination of the packet at `at`, and the source of what it quotes."""
    if frame[at] >> 4 != 4 or len(frame) < at + 20:
        return
    frame[at + 16:at + 20] = private(bytes(frame[at + 16:at + 20]))
    inner = at + 4 * (frame[at] & 15) + 8
    if frame[at + 9] == 1 and frame[inner - 8] in (3, 4, 5, 11, 12) and len(frame) >= inner + 20:
        frame[inner + 12:inner + 16] = private(bytes(frame[inner + 12:inner + 16]))


def rewrite(path, out):
    """A copy of a little-endian pcap of Ethernet frames with the monitored prefix made private."""
    with open(path, "rb") as f:
        data = f.read()
    assert data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") and data[20:24] == b"\1\0\0\0", path
    with open(out, "wb") as f:
        f.write(data[:24])
        at = 24
        while at < len(data):
            size = struct.unpack_from("<I", data, at + 8)[0]
            frame = bytearray(data[at + 16:at + 16 + size])
            if frame[12:14] == b"\x08\0":
                rewrite_ip(frame, 14)
            f.write(data[at:at + 16] + frame)
            at += 16 + size


def check_nat(results, faults):
    options = ["--monitored", ",".join(MONITORED)]
    with tempfile.TemporaryDirectory() as folder:
        copies = {}
        for path in results:
            copies[path] = os.path.join(folder, os.path.basename(path))
            rewrite(path, copies[path])
        mapped = analyze(list(copies.values()), *options, "--nat", "10.18.0.0/16=198.18.0.0/16")
        for path, line in results.items():
            other = mapped[copies[path]]
            for field in SAME:
                if line[field] != other[field]:
                    faults.append("%s behind NAT: %s is %s, not %s" % (os.path.basename(path), field, other[field],
                                                                       line[field]))


def main():
    if not os.path.isdir(os.path.join(CAPTURES, "real-tools")):
        print("SKIP: captures absent")
        return 77
    faults = []
    results = analyze(captures("real-tools"), "--monitored", ",".join(MONITORED))
    check_named(results, faults)
    check_nat(results, faults)
    benign = check_benign(faults)
    for fault in faults:
        print("FAIL: " + fault)
    print("%d captures of real tools, %d others, %d faults" % (len(results), benign, len(faults)))
    return 1 if faults or len(results) < 30 else 0


if __name__ == "__main__":
    sys.exit(main())
