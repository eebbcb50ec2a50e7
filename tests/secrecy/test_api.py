#!/usr/bin/python3
"""No monitored address leaves through a public output (DESIGN invariant 5). A capture to a few planted addresses, which also
stand in what is sent to them: payloads, sequence and acknowledgement numbers, quoted packets, names. Then every output there
is, of the API and of the commands that print numbers, is searched for each of them in every form that could be meant.

The search itself is held to finding each form, alone and within other text. The last line is the figure.

Killed mutants: payloads that are kept as sent, a query that gives `monitored`, an error that repeats what the store says.
"""
import base64
import ipaddress
import itertools
import json
import os
import re
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib"), os.path.join(HERE, "..", "golden"), HERE]
import harness
import packets as p
import server

CANARIES = ["203.0.113.77", "198.51.100.231", "192.0.2.158", "2001:db8:c0de:77::4d5e", "2001:db8:feed:1:2:3:4:a5"]
MONITORED = "203.0.113.77/32,198.51.100.231/32,192.0.2.158/32,2001:db8:c0de:77::/64,2001:db8:feed::/48"
BEGIN = 1795500000  # 2026-11-24T06:00:00Z


def base64_forms(raw):
    """What the bytes look like within base64, wherever they begin: the characters that depend on nothing else."""
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + raw + b"\0\0").decode()
        inner = whole[-(-8 * before // 6):8 * (before + len(raw)) // 6]
        if len(inner) >= 5:
            yield inner
            yield inner.replace("+", "-").replace("/", "_")


def forms(text):
    """label -> a form as text; compared without regard to case where letters are hexadecimal."""
    a = ipaddress.ip_address(text)
    big, small = a.packed, a.packed[::-1]
    found = {"text": [text, a.exploded, a.compressed], "reversed": [a.reverse_pointer, ".".join(reversed(text.split(".")))]}
    found["number"] = [str(int.from_bytes(raw, "big")) for raw in (big, small)]
    found["negative number"] = [str(int.from_bytes(raw, "big", signed=True)) for raw in (big, small) if raw[0] > 127]
    hexes = [raw.hex() for raw in (big, small)]
    found["hex"] = hexes + [s.join(re.findall("..", h)) for h in hexes for s in (":", "-", " ", "\\x", "%", ", 0x", "\\\\x")]
    found["UUID"] = ["-".join((h[:8], h[8:12], h[12:16], h[16:20], h[20:])) for h in hexes if len(h) == 32]
    if a.version == 4:
        mapped = ipaddress.ip_address("::ffff:" + text)
        found["mapped"] = ["::ffff:" + text, mapped.exploded, mapped.compressed, str(int(mapped)), mapped.packed.hex()]
        found["octal"] = [".".join("0%o" % x for x in big), ".".join("%03d" % x for x in big), ".".join("0x%x" % x for x in big)]
        found["list"] = [", ".join(str(x) for x in big), ",".join(str(x) for x in big)]
    else:
        found["groups"] = [":".join("%x" % x for x in struct.unpack(">8H", big))]
    found["base64"] = list(itertools.chain(base64_forms(big), base64_forms(small), base64_forms(text.encode())))
    return [(label, form.lower() if label != "base64" else form) for label, list_ in found.items() for form in set(list_)]


PATTERNS = [(c, label, form) for c in CANARIES for label, form in forms(c)]
RAW = [(c, "bytes", raw) for c in CANARIES for raw in (ipaddress.ip_address(c).packed, ipaddress.ip_address(c).packed[::-1])]


def leaks(body):
    """(canary, form) of what a piece of output holds. Numbers are whole numbers; hex is any run of digits."""
    text = body.decode("latin-1")
    low, found = text.lower(), []
    for canary, label, form in PATTERNS:
        where = text if label == "base64" else low
        at = where.find(form)
        while at >= 0:
            before, after = where[at - 1:at], where[at + len(form):at + len(form) + 1]
            whole = not (before.isdigit() or after.isdigit())
            if whole or label not in ("number", "negative number", "list", "text", "mapped", "octal", "reversed"):
                found.append((canary, label))
                break
            at = where.find(form, at + 1)
    return found + [(c, label) for c, label, raw in RAW if raw in body]


def the_search_finds(checks):
    for canary, label, form in PATTERNS:
        checks.true("%s as %s is found" % (canary, label), (canary, label) in leaks(('{"x":"' + form + '"}').encode()), form)
    for canary, label, raw in RAW:
        checks.true("%s as bytes is found" % canary, (canary, label) in leaks(b"abc" + raw + b"def"))
    near = b'{"a":"203.0.113.7","b":"1203.0.113.770","c":3405803852,"d":"2001:db8:c0de:77::4d5"}'
    checks.equal("neighbours are not", leaks(near), [])


def sent_to(dst):
    """Every way in which a packet can carry the address that it is sent to."""
    six, raw = ":" in dst, ipaddress.ip_address(dst).packed
    tail = int.from_bytes(raw[-4:], "big")
    swapped = int.from_bytes(raw[-4:][::-1], "big")
    tcp, udp = (p.tcp6, p.udp6) if six else (p.tcp, p.udp)
    a = ipaddress.ip_address(dst)
    texts = [dst, a.exploded, a.reverse_pointer, raw.hex(), raw[::-1].hex(), raw.hex().upper(), "0x" + raw.hex(), str(int(a)), str(swapped),
             base64.b64encode(raw).decode(), ":".join(re.findall("..", raw.hex()))]
    for i, sport in enumerate(range(41000, 41003)):
        src = ("2a00:1450::%x" if six else "100.20.30.%d") % (40 + i)
        at = {"src": src, "dst": dst}
        yield tcp(p.SYN, sport=sport, dport=23, seq=tail, **at)
        yield tcp(p.SYN, sport=sport, dport=2323, seq=swapped, **at)
        yield tcp(p.SYN | p.ACK, sport=80, dport=sport, ack=tail, seq=swapped, **at)
        yield tcp(p.RST, sport=443, dport=sport, seq=tail, **at)
        yield tcp(p.SYN, sport=sport, dport=8080, options=b"\xfd\x08" + raw[-4:] + b"\x01\x01", **at)
        yield udp(b"", sport=sport, dport=tail & 0xffff, **at)
        for text in texts:
            data = text.encode()
            yield tcp(p.PSH | p.ACK, b"GET http://%s/ HTTP/1.1\r\nHost: %s\r\n\r\n" % (data, data), sport=sport, dport=80, **at)
            yield udp(b"OPTIONS sip:100@%s SIP/2.0\r\nTo: %s\r\n\r\n" % (data, data), sport=sport, dport=5060, **at)
        for data in (raw, raw[::-1], raw[-4:], raw[-4:][::-1], b"\x12\x34\x01\x00\0\1\0\0\0\0\0\0" + bytes([len(dst)]) + dst.encode() + b"\0\0\1\0\1"):
            yield udp(b"head" + data + b"tail", sport=sport, dport=53, **at)
            yield tcp(p.PSH | p.ACK, data * 3, sport=sport, dport=445, **at)
        if not six:
            quoted = p.ip4(6, p.tcp_header(p.SYN, sport=sport, dport=80, seq=tail), src=dst, dst="100.20.40.%d" % i)
            yield p.icmp(3, 1, quoted[:28], **at)
            yield p.icmp(8, 0, raw * 8, **at)


def make_store(folder):
    capture, db = os.path.join(folder, "canary.pcap"), os.path.join(folder, "db")
    with open(capture, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))
        n = 0
        for dst in CANARIES:
            for packet in sent_to(dst):
                f.write(struct.pack("<IIII", BEGIN + n // 20, n % 20 * 1000, len(packet), len(packet)) + packet)
                n += 1
    return capture, db


def outputs_of_commands(db, capture):
    """(name, bytes) of what commands print for everybody."""
    names = [x for x in harness.monomi("query", "--list").out.splitlines() if x and not x.startswith(" ")]
    span = {"since": "2026-11-24T06:00:00Z", "until": "2026-11-24T07:00:00Z", "source": "100.20.30.40", "addresses": "100.20.30.40,100.20.30.41",
            "address": "100.20.30.40", "protocol": "tcp", "port": "23", "q": "80", "view": "flow"}
    for name in names:
        with open(os.path.join(harness.SOURCE_DIR, "src", "store", "queries", name + ".sql"), encoding="utf-8") as f:
            needed = re.findall(r"^-- param (\w+):", f.read(), re.M)
        options = [x for k in needed for x in ("--param", "%s=%s" % (k, span[k]))]
        for form in ("json", "csv"):
            run = harness.monomi("query", "--db", db, "--format", form, *options, name)
            yield "monomi query %s: exit %d" % (name, run.code), (run.out + run.err).encode("latin-1", "backslashreplace")
    for arguments in (("analyze", "--summary", "json", "--monitored", MONITORED, capture), ("analyze", "--monitored", MONITORED, capture),
                      ("digest", "--db", db), ("store", "check", "--db", db), ("query", "--db", db, "--format", "json", "FROM flow"),
                      ("query", "--db", db, "--format", "json", "FROM flow_payload"), ("query", "--db", db, "--format", "json", "FROM victim_second"),
                      ("query", "--db", db, "--format", "json", "FROM source_evidence"), ("ip", "--db", db, "100.20.30.40")):
        run = harness.monomi(*arguments)
        yield "monomi %s" % " ".join(arguments[:2]), (run.out + run.err).encode("latin-1", "backslashreplace")


def outputs_of_api(s, document):
    values = {"protocol": "tcp", "port": "23", "address": "100.20.30.40", "q": "100.20.30.40"}
    for path, methods in document["paths"].items():
        operation = methods.get("get")
        if not operation or path == "/v1/stream" or operation.get("x-monomi-audience") == "analysts":
            continue
        names = {x["name"] for x in operation.get("parameters", [])}
        url = re.sub(r"\{(\w+)\}", lambda m: values[m.group(1)], path)
        query = ["%s=%s" % x for x in (("from", "2026-11-24T05:00:00Z"), ("to", "2026-11-24T07:00:00Z"), ("limit", "1000")) if x[0] in names]
        query += ["q=" + values["q"]] if "q" in names else []
        for more in [[]] + [["format=" + f] for f in ("csv", "jsonl") if "format" in names] + [["step=minute"]] * ("step" in names) \
                + [["nothing=1"], ["sensor=%27%22"], ["limit=x"]]:
            yield url + "?" + "&".join(query + more), s.ask(url + "?" + "&".join(query + more))
    for q in ("203.0.113", "203.0.113.0/24", "198.51.100.0/24", "192.0.2.0/28", "local", "23", "canary", "100.20.30.0/24"):
        yield "search for %s" % q, s.ask("/v1/search?from=2026-11-24&q=" + q)
    many = ["100.20.30.%d" % i for i in range(40, 43)] + ["2a00:1450::28", "203.0.113.1"]
    yield "/v1/ip", s.ask("/v1/ip", "POST", body=json.dumps({"addresses": many}))
    for path in ("/", "/v1/nothing", "/index.html"):
        yield path, s.ask(path)


def main():
    checks = harness.Checks()
    if not os.path.exists(server.PROGRAM):
        checks.skip("serve-main is not built")
        checks.finish()
    the_search_finds(checks)
    searched = found = 0
    with harness.scratch() as folder:
        capture, db = make_store(folder)
        run = harness.analyze([capture], "--db", db, "--sensor", "canary", "--monitored", MONITORED)
        total = run.total()
        checks.true("the packets count", run.code == 0 and total["accesses"] > 100, run.err)

        def search(name, body):
            nonlocal searched, found
            hits = leaks(body)
            searched += 1
            found += len(hits)
            checks.equal(name, hits, [])
        for name, body in outputs_of_commands(db, capture):
            search(name, body)
        with server.Server(db) as s:
            document = s.ask("/openapi.json").json
            analysts = [path for path, methods in document["paths"].items() if "x-monomi-audience" in methods.get("get", {})]
            checks.equal("for analysts alone: the packets themselves", analysts, ["/v1/packets"])
            for path in ("/v1/packets?port=23", "/v1/packets"):  # refused here; what is said of that is for everybody
                search(path, s.ask(path).body)
            for name, answer in outputs_of_api(s, document):
                search(name, answer.body + json.dumps(answer.headers).encode())
            stream = server.Stream(s)
            search("/v1/stream", json.dumps(stream.wait("commit")).encode())
            stream.close()
            said = s.stop()
            search("what the server says of itself", said.encode())
    print("%d passed, %d failed" % (checks.passed, checks.failed))
    print("secrecy: %d outputs, %d addresses in %d forms: found %d times" % (searched, len(CANARIES), len(PATTERNS) + len(RAW), found))
    sys.exit(1 if checks.failed or found or searched < 100 else 0)


main()
