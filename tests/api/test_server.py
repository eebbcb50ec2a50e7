#!/usr/bin/python3
"""The server among clients that are slow, hostile or foreign, with a reader that dies and a store that grows: who may ask,
what each answer is headed with, events, and that nothing a client does keeps the next one from its answer.

Killed mutants: any Host is taken, an Origin is not looked at, a stream that is told nothing of a commit, results that outlive
their commit, a query that is forgotten when its reader dies, a silent connection that is never ended, a commit that is shown
before what is wanted was asked for it, results that are forgotten with their commit, any number of queries that wait.
"""
import gzip
import json
import os
import re
import signal
import socket
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib")]
import harness
import server
import stores

SAMPLE = os.path.join(harness.SOURCE_DIR, "samples", "scans.pcap")
HEADERS = {"content-security-policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
           "x-content-type-options": "nosniff", "x-frame-options": "DENY", "referrer-policy": "no-referrer",
           "cross-origin-resource-policy": "same-origin"}
LIVE = {"at": 1795500000000, "sensors": [], "seconds": [[1795500000, 3, 2]], "minutes": [], "ports": [], "sources": [],
        "tools": [], "ignored": 0, "undecoded": 0, "simulated": False}


def analyze(db, sensor, *files):
    done = harness.analyze(files, "--db", db, "--sensor", sensor, "--monitored", "198.18.0.0/15,198.51.100.0/24")
    if done.code:
        raise AssertionError(done.err)


def who_may_ask(checks, s):
    def status(**headers):
        return s.ask("/v1/status", headers={k.replace("_", "-"): v for k, v in headers.items()}).status
    port = s.host.split(":")[1]
    for host in (s.host, "localhost", "LOCALHOST:" + port, "127.0.0.1", "[::1]:1", "localhost:9999"):
        checks.equal("Host: %s" % host, status(Host=host), 200)
    for host in ("example.org", "example.org:" + port, "127.0.0.1.example.org", "localhost.example.org", "127.0.0.2", "", "[::1",
                 "localhost:", "localhost:x", "localhost:80:80", "user@localhost", "localhost/", "::1", "0.0.0.0"):
        checks.equal("Host: %s" % host, status(Host=host), 403)
    checks.equal("own Origin", status(Origin="http://" + s.host), 200)
    for origin in ("http://example.org", "null", "https://" + s.host, "http://%s.example.org" % s.host, "http://localhost:1", "",
                   "file://", "http://" + s.host + "/"):
        checks.equal("Origin: %s" % origin, status(Origin=origin), 403)
    checks.equal("a foreign page's POST", s.ask("/v1/ip", "POST", {"Origin": "http://example.org"}, b'{"addresses":["192.0.2.1"]}').status, 403)
    checks.equal("no Host", s.raw(b"GET /v1/status HTTP/1.0\r\n\r\n").split(b" ")[1], b"403")
    checks.true("no Host in HTTP/1.1", s.raw(b"GET /v1/status HTTP/1.1\r\n\r\n").split(b" ")[1] in (b"400", b"403"))


def methods(checks, s):
    for method in ("PUT", "DELETE", "PATCH", "POST", "OPTIONS", "TRACE", "CONNECT", "BREW"):
        for path in ("/v1/status", "/", "/nothing"):
            answer = s.ask(path, method)
            checks.equal("%s %s" % (method, path), (answer.status, answer.headers.get("allow")), (405, "GET, HEAD"))
    answer = s.ask("/v1/ip")
    checks.equal("GET /v1/ip", (answer.status, answer.headers.get("allow")), (405, "POST"))
    for path in ("/v1/status", "/v1/ports", "/", "/metrics", "/v1/nothing", "/v1/stream", "/openapi.json"):
        head = s.ask(path, "HEAD")
        want = s.ask(path).headers if path != "/v1/stream" else head.headers
        checks.equal("HEAD %s" % path, (head.body, head.headers.get("content-type")), (b"", want["content-type"]))


def heads(checks, s):
    for path in ("/", "/v1/status", "/v1/nothing", "/v1/ports?limit=0", "/metrics", "/v1/ports?format=csv", "/assets/none.js", "/healthz"):
        answer = s.ask(path)
        checks.equal("headers of %s" % path, {k: answer.headers.get(k) for k in HEADERS}, HEADERS)
        checks.true("%s is cached by nobody" % path, answer.headers["cache-control"] in ("no-store", "no-cache"))


def pages(checks, s):
    plain = s.ask("/", headers={"Accept-Encoding": "identity"})
    checks.true("index.html", plain.status == 200 and b"<html" in plain.body and plain.headers["content-type"].startswith("text/html"))
    packed = s.ask("/", headers={"Accept-Encoding": "gzip, br"})
    checks.equal("packed", (packed.headers.get("content-encoding"), gzip.decompress(packed.body)), ("gzip", plain.body))
    refused = s.ask("/", headers={"Accept-Encoding": "gzip;q=0"})
    checks.equal("not packed", refused.body, plain.body)
    checks.equal("the pages' own paths", s.ask("/ports/tcp/23", headers={"Accept-Encoding": "identity"}).body, plain.body)
    again = s.ask("/", headers={"If-None-Match": plain.headers["etag"]})
    checks.equal("known already", (again.status, again.body), (304, b""))
    checks.equal("no such asset", s.ask("/assets/none.js").status, 404)
    checks.equal("no way out", s.ask("/../../../../etc/passwd").body, plain.body)
    for name in set(x for x in plain.text.replace("'", '"').split('"') if x.startswith("/assets/")):
        asset = s.ask(name, headers={"Accept-Encoding": "gzip"})
        checks.equal("%s may be kept" % name, (asset.status, asset.headers["cache-control"]), (200, "public, max-age=31536000, immutable"))


def garbage(checks, s):
    """Bytes that are no request, and requests that are too long: each ends in an answer of 4xx, or without a word."""
    host = b"Host: " + s.host.encode() + b"\r\n"
    for unfinished in (b"\0" * 4000, b"GET /v1/sta"):
        with s.socket() as c:
            c.sendall(unfinished)
    for name, data in (("noise", bytes(range(256)) * 64), ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
                       ("no version", b"GET /v1/status\r\n\r\n"), ("spaces", b"GET  /  HTTP/1.1\r\n" + host + b"\r\n"),
                       ("a long line", b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n" + host + b"\r\n"),
                       ("long headers", b"GET / HTTP/1.1\r\n" + host + b"X: " + b"y" * 100000 + b"\r\n\r\n"),
                       ("many headers", b"GET / HTTP/1.1\r\n" + host + b"X: y\r\n" * 20000 + b"\r\n"),
                       ("many parameters", b"GET /v1/ports?" + b"a=1&" * 5000 + b" HTTP/1.1\r\n" + host + b"\r\n"),
                       ("two lengths", b"POST /v1/ip HTTP/1.1\r\n" + host + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n{}{}{}"),
                       ("a length of nothing", b"POST /v1/ip HTTP/1.1\r\n" + host + b"Content-Length: -1\r\n\r\n"),
                       ("a huge length", b"POST /v1/ip HTTP/1.1\r\n" + host + b"Content-Length: 99999999999999999999\r\n\r\n"),
                       ("length and chunks", b"POST /v1/ip HTTP/1.1\r\n" + host + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
                       ("a chunk of nothing", b"POST /v1/ip HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n"),
                       ("a body that ends early", b"POST /v1/ip HTTP/1.1\r\n" + host + b"Content-Length: 500\r\n\r\n{"),
                       ("a zero in the path", b"GET /v1/status\0 HTTP/1.1\r\n" + host + b"\r\n")):
        out = s.raw(data)
        checks.true("%s" % name, not out or (out.startswith(b"HTTP/1.") and out.split(b" ")[1][:1] in (b"4", b"5")) or
                    (name in ("spaces", "two lengths", "a zero in the path", "no version", "length and chunks") and out.startswith(b"HTTP/1.")), out[:100])
    pipelined = s.raw((b"GET /v1/status HTTP/1.1\r\n" + host + b"\r\n") * 5)
    checks.equal("five requests in one", pipelined.count(b"HTTP/1.1 200"), 5)
    checks.equal("afterwards", s.ask("/v1/status").status, 200)


def crowds(checks, s):
    """More clients that say half a word than there are places: those who ask are answered all the same."""
    silent = []
    try:
        for _ in range(900):
            c = s.socket()
            c.sendall(b"GET /v1/status HTTP/1.1\r\nHost: ")
            silent.append(c)
        answers = [s.ask("/v1/status").status for _ in range(20)]
        checks.equal("beside 900 who say half a word", answers, [200] * 20)
        many = int([x for x in s.ask("/metrics").text.splitlines() if x.startswith("monomi_connections ")][0].split()[1])
        checks.true("places are left", many < 800, many)
    finally:
        for c in silent:
            c.close()
    lazy = []
    for _ in range(20):  # who ask for much and read nothing
        c = s.socket()
        c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        c.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 50)
        lazy.append(c)
    checks.equal("beside 20 who do not read", s.ask("/v1/status").status, 200)
    for c in lazy:
        c.close()


WANTED = ("/v1/status", "/v1/ports?limit=5", "/v1/rate?step=span&from=-24h", "/v1/ip/198.51.100.1")


def asked(s):
    return int(re.search(r"^monomi_queries_total (\d+)$", s.ask("/metrics").text, re.M).group(1))


def events(checks, s, db, made):
    first, second = server.Stream(s), server.Stream(s)
    before = first.wait("commit")
    checks.equal("what a listener hears first", (before, second.wait("commit")), ({"as_of": "2026-11-24T06:11:00Z"},) * 2)
    checks.equal("nothing is captured", s.ask("/v1/live").status, 404)
    s.live(LIVE)
    checks.equal("live", (first.wait("live"), second.wait("live")), (LIVE, LIVE))
    checks.equal("/v1/live", s.ask("/v1/live").json, LIVE)
    second.close()
    status = s.ask("/v1/status").json
    checks.equal("status", (status["capturing"], status["sensors"], status["simulated"]), (True, 1, False))
    for path in WANTED:
        s.ask(path)
    analyze(db, "more", made)
    now = first.wait("commit")
    checks.equal("a commit is told", now, {"as_of": "2026-11-24T08:00:00Z"})
    before = asked(s)
    answers = [s.ask(path).json for path in WANTED]
    checks.equal("what was wanted was asked ahead, for that commit", (asked(s) - before, answers[1]["to"], answers[2]["as_of"]),
                 (0, now["as_of"], now["as_of"]))
    status = answers[0]
    checks.equal("and seen", (status["as_of"], status["sensors"], status["simulated"]), ("2026-11-24T08:00:00Z", 2, True))
    back = server.Stream(s)
    checks.equal("who comes back hears of it", back.wait("commit"), now)
    back.close()
    first.close()


def counter(s, name):
    return int(re.search(r"^monomi_%s (\d+)$" % name, s.ask("/metrics").text, re.M).group(1))


def a_reader_that_hangs(checks, s, db):
    """What was asked before is answered, as of then, though no query ends any more."""
    as_of = s.ask(WANTED[1]).json["as_of"]
    with open("/proc/%d/task/%d/children" % (s.process.pid, s.process.pid), encoding="ascii") as f:
        reader = int(f.read().split()[0])
    os.kill(reader, signal.SIGSTOP)
    try:
        answers = [s.ask(path) for path in WANTED * 3]
        checks.equal("answered beside a reader that hangs", [a.status for a in answers], [200] * len(answers))
        checks.equal("as of then", {a.headers.get("x-monomi-as-of") for a in answers}, {as_of})
        checks.equal("its rows say so too", answers[1].json["as_of"], as_of)
    finally:
        os.kill(reader, signal.SIGCONT)


def greedy_clients(checks, s):
    """Who asks for what nobody asked before, and much of it, is refused past a number, and holds nobody else up."""
    got, counted = [], asked(s)
    for path in WANTED:
        s.ask(path)
    checks.equal("what is watched is there", asked(s), counted)

    def ask(i):
        got.append(s.ask("/v1/sources?from=2000-01-01&limit=%d" % (i + 1)))
    threads = [threading.Thread(target=ask, args=(i,)) for i in range(160)]
    with_them = counter(s, "queries_kept_total")
    for t in threads:
        t.start()
    answers = [s.ask(path).status for path in WANTED * 5]
    checks.equal("what is watched is answered beside them, from what is there", (answers, counter(s, "queries_kept_total") - with_them >= len(answers)),
                 ([200] * len(answers), True))
    checks.equal("and what is new", s.ask("/v1/ports/tcp/2222/history?from=-3h").status, 200)
    for t in threads:
        t.join()
    refused = [a for a in got if a.status == 503]
    checks.equal("each is answered or refused", sorted(set(a.status for a in got)) in ([200, 503], [200]), True)
    checks.equal("refused with a reason and a time", {(a.json["error"]["code"], a.headers.get("retry-after")) for a in refused} <=
                 {("MON-SRV-110", "5")}, True)
    checks.true("more than a number are refused", refused and counter(s, "queries_refused_total") == len(refused), len(refused))


def dying_readers(checks, s, db):
    """Requests that are on their way when the reader dies are answered by the next one."""
    got = []

    def ask(i):
        got.append(s.ask("/v1/sources?limit=%d" % (i + 1)).status)
    for kill in range(3):
        threads = [threading.Thread(target=ask, args=(20 * kill + i,)) for i in range(12)]
        for t in threads:
            t.start()
        s.kill_reader()
        for t in threads:
            t.join()
        checks.true("the reader is back", stores.wait_until(lambda: s.ask("/healthz").text in ("ok\n", "no live counters come\n")))
    checks.equal("all were answered", sorted(set(got)), [200])
    checks.true("what is wrong is said", s.ask("/healthz").text in ("ok\n", "no live counters come\n"))
    query = "from=2026-11-24&to=2026-11-24T08:00:00Z"
    rows = s.ask("/v1/rate?step=span&" + query).json["rows"][0]
    want = stores.query(db, "SELECT sum(accesses)::BIGINT AS n FROM flow")[0]["n"]
    checks.equal("the numbers", rows["accesses"], want)


def metrics(checks, s):
    text = s.ask("/metrics").text
    checks.true("it ends", text.endswith("# EOF\n"))
    for line in text.splitlines()[:-1]:
        checks.true("a line of metrics", line.startswith(("# TYPE monomi_", "# HELP monomi_", "monomi_")), line)
    values = dict(x.rsplit(" ", 1) for x in text.splitlines() if not x.startswith("#"))
    checks.true("they count", int(values["monomi_http_requests_total"]) > 100 and int(values["monomi_queries_kept_total"]) > 0)


def main():
    signal.alarm(600) # a server that never answers must not hold up all other tests
    checks = harness.Checks()
    if not os.path.exists(server.PROGRAM):
        checks.skip("serve-main is not built")
        checks.finish()
    with harness.scratch() as folder:
        db, made = os.path.join(folder, "db"), os.path.join(folder, "made.pcapng")
        done = harness.monomi("simulate", "--addresses", "198.51.100.0/24", "--from", "2026-11-24T07:30:00Z", "--to",
                              "2026-11-24T08:00:00Z", "--out", made)
        checks.equal("a made-up half hour", done.code, 0)
        analyze(db, "roof", SAMPLE)
        with server.Server(db) as s:
            for test in (who_may_ask, methods, heads, pages, garbage, crowds):
                test(checks, s)
            events(checks, s, db, made)
            a_reader_that_hangs(checks, s, db)
            greedy_clients(checks, s)
            dying_readers(checks, s, db)
            metrics(checks, s)
            listener = server.Stream(s)
            listener.wait("commit")
            said = s.stop()
            checks.equal("ends well, though one listens", (s.code, said), (0, ""))
    checks.finish()


main()
