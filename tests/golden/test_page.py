#!/usr/bin/env python3
"""The page of a summary: its sentences in both languages (page.txt), and that hostile file names stay text.

`test_page.py --update` writes page.txt anew. Mutants it kills: `<` not escaped in tools/page; a share taken of another
sum; English plural for one source; a policy whose hash is not that of the script.
"""
import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.environ.get("SOURCE_DIR") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HERE = os.path.join(ROOT, "tests", "golden")


def summary(**changes):
    classes = {"ignored": dict.fromkeys(["outgoing", "own", "local", "not_monitored"], 0),
               "undecoded": dict.fromkeys(["short", "malformed", "unsupported"], 0), "backscatter": 0, "p2p": 0, "scan": 0,
               "payload": 0, "misconfiguration": 0, "other": 0}
    row = {"file": None, "packets": 0, "bytes": 0, "link_types": [], "first": None, "last": None, "min": None, "max": None,
           "ipv4": 0, "ipv6": 0, "non_ip": 0, "tcp": 0, "udp": 0, "icmp": 0, "icmpv6": 0, "other_ip": 0, "fragments": 0,
           "sources": 0, "syn": 0, "synack": 0, "rst": 0, "truncated": 0, "accesses": 0, "attempts": 0, "tools": {},
           "flows": 0, "flow_digest": "0" * 32, "error": None}
    return {**row, **changes, "classes": {**classes, **changes.get("classes", {})}}


T0, T1, T2 = "2026-11-24T05:52:57.900000000Z", "2026-11-24T05:53:42.100000000Z", "2026-11-26T23:59:59.999999999Z"
CASES = [
    ("empty", 0, summary()),
    ("one", 0, summary(packets=1, sources=1, tcp=1, ipv4=1, first=T0, last=T0, min=T0, max=T0, classes={"other": 1})),
    ("telescope", 0, summary(packets=6574, sources=9, tcp=5940, udp=516, icmp=118, ipv4=6550, ipv6=24, accesses=5041, first=T0,
                             last=T1, min=T0, max=T1, classes={"scan": 4718, "backscatter": 1370, "payload": 486},
                             tools={"masscan": 2048, "zmap": 1600, "nmap": 1200, "hping3": 300, "unknown": 56})),
    ("damaged", 1, summary(packets=1000000, sources=123456, udp=1000000, ipv6=999, ipv4=999001, accesses=1, first=T2, last=T0,
                           min=T0, max=T2, tools={"unknown": 7, "mixed": 3},
                           classes={"undecoded": {"short": 311, "malformed": 1, "unsupported": 0}, "scan": 19000,
                                    "ignored": {"outgoing": 0, "own": 2, "local": 980685, "not_monitored": 1}})),
    ("damaged-twice", 2, summary(packets=10, sources=2, non_ip=10, first=T0, last=T1, min=T0, max=T1,
                                 classes={"ignored": {"outgoing": 0, "own": 0, "local": 10, "not_monitored": 0}})),
]


def sentences():
    lines = "\n".join(json.dumps({"name": n, "damaged": d, "summary": s}) for n, d, s in CASES)
    return subprocess.run(["node", os.path.join(HERE, "page.js"), ROOT], input=lines, capture_output=True, text=True,
                          check=True).stdout


def check_sentences():
    got, path = sentences(), os.path.join(HERE, "page.txt")
    if "--update" in sys.argv:
        with open(path, "w", encoding="utf-8") as f:
            f.write(got)
    with open(path, encoding="utf-8") as f:
        want = f.read()
    assert "undefined" not in got and "NaN" not in got, got
    assert got == want, f"sentences changed (test_page.py --update, then review):\n{got}"


def page_of(rows):
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as f:
        f.write("\n".join(json.dumps(r) for r in rows))
        f.flush()
        return subprocess.run([os.path.join(ROOT, "tools", "page"), f.name], capture_output=True, text=True, check=False)


def check_hostile_name():
    name = "</script><script>alert(1)</script><!--\u2028 ' \" & {{script}}"
    html = page_of([summary(file=name, error=name), summary()]).stdout
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.S).group(1)
    assert json.loads(data)["rows"][0]["file"] == name
    assert html.count("<script") == 2 and "<!--" not in data, "the name reached the markup"


def check_policy():
    html = page_of([summary(file="a"), summary()]).stdout
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html).group(1)
    for tag, pattern in (("script-src", r"<script>(.*?)</script>"), ("style-src", r"<style>(.*?)</style>")):
        digest = base64.b64encode(hashlib.sha256(re.search(pattern, html, re.S).group(1).encode()).digest()).decode()
        assert f"{tag} 'sha256-{digest}'" in policy, f"{tag}: the browser would refuse it"
    assert "default-src 'none'" in policy and not re.search(r"https?://(?!www\.w3\.org/)", html), "something is fetched"


def check_refusal():
    for rows in ([], [summary(file="a")]):
        done = page_of(rows)
        assert done.returncode == 1 and "is no summary" in done.stderr and not done.stdout, done


def main():
    check_hostile_name()
    check_policy()
    check_refusal()
    if not shutil.which("node"):
        print("SKIP: node absent")
        sys.exit(77)
    check_sentences()


main()
