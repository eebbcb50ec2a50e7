#!/usr/bin/python3
"""The API as it is served, over a store of the committed sample and of a simulated day: every resource answers as
/openapi.json says and docs/formats/api.md tells, each parameter is taken or refused with a sentence, pages of a list give each
row once, the forms of a list hold the same rows, the numbers are those of `monomi query`.

Killed mutants: a parameter that is passed over, a cursor that forgets its span, a row too many on a page, `before` of another
length, a column that the head does not tell.
"""
import csv
import io
import itertools
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib")]
import harness
import server
import stores

try:
    import jsonschema
except ImportError:
    jsonschema = None

SAMPLE = os.path.join(harness.SOURCE_DIR, "samples", "scans.pcap")
SPAN = "from=2026-11-24T06:00:00Z&to=2026-11-24T06:11:00Z"
BOTS = "from=2026-11-23&to=2026-11-24T06:11:00Z"
IN_PATH = {"protocol": "tcp", "port": "23", "address": "198.19.7.13"}
VICTIM = "198.19.50.80"
GOOD = {"from": ["-1d", "2026-11-24", "2026-11-24T06:00:00Z", "2026-11-24T15:00:00%2B09:00"], "to": ["2026-11-24T06:11:00Z"],
        "sensor": ["roof", "nobody"], "limit": ["1", "1000"], "country": ["jp", "ZZ"], "as": ["0", "4294967295"],
        "tool": ["zmap", "unknown"], "port": ["0", "65535"], "hours": ["0", "14"], "q": ["80", "%27%20OR%201=1--", "%E7%89%A9%E8%A6%8B", "%25"]}
BAD = {"from": ["", "tomorrow", "2026-13-01", "2026-11-24T25:00:00Z", "-24", "-99999999d", "2026-02-30", "1969-12-31", "2090-01-01"],
       "to": ["2026-11-23T00:00", "1970-01-01", "%00"], "sensor": ["", "a/b", "a%27b", "x" * 65], "cursor": ["", "1", "1.2", "1.2.3.4",
       "2.1.0", "0.99999999999.0", "0.1.99999999"], "verdict": ["attacks", "0", "attack%20scan", ""], "by": ["minute", "day", "sensor", ""], "limit": ["0", "1001", "-1", "1e3", "99999999999999999999"], "format": ["xml", ""],
       "family": ["mozi", ""], "of": ["sensor", ""], "grade": ["A", "b", ""], "outcome": ["open", "under%20watch"], "few": ["", "1"],
       "step": ["year", "minut", "minute%20hour"], "country": ["J", "JPN", "1A"], "as": ["4294967296", "AS1"], "tool": ["", "a%20b"],
       "port": ["65536", "x"], "hours": ["15", "-1", ""], "protocol": ["icmp", "6", "arp"], "q": ["", "x" * 101, "%FF", "%C0%80", "a%0Ab", "%ED%A0%80"]}


def make_store(folder):
    db, runs = os.path.join(folder, "db"), []
    for sensor, prefix, seed in (("made", "198.51.100.0/29", 5), ("six", "2001:db8:77::/64", 6)):
        made = os.path.join(folder, sensor + ".pcapng")
        runs.append(harness.monomi("simulate", "--seed", seed, "--addresses", prefix, "--from", "2026-11-23", "--to", "2026-11-24",
                                   "--out", made))
        runs.append(harness.analyze([made], "--db", db, "--sensor", sensor, "--monitored", prefix))
    runs.append(harness.analyze([SAMPLE], "--db", db, "--sensor", "roof", "--monitored", "198.18.0.0/15"))
    for run in runs:
        if run.code:
            raise AssertionError(run.err)
    return db


class Schemas:
    def __init__(self, document):
        self.document = document

    def faults(self, schema, value):
        resolver = jsonschema.RefResolver("", self.document)
        found = jsonschema.Draft202012Validator(schema, resolver=resolver,
                                                format_checker=jsonschema.FormatChecker()).iter_errors(value)
        return [e.message[:200] for e in itertools.islice(found, 3)]

    def of(self, operation, status, kind="application/json"):
        answers = operation["responses"]
        answer = answers.get(str(status), answers["default"])
        if "$ref" in answer:
            answer = self.document["components"]["responses"]["error"]
        return answer["content"][kind]["schema"]


def url_of(path, operation, **more):
    taken = {p["name"] for p in operation.get("parameters", [])}
    who = {"address": VICTIM} if path.startswith("/v1/attacks/") else {}
    url = re.sub(r"\{(\w+)\}", lambda m: dict(IN_PATH, **who)[m.group(1)], path)
    span = BOTS if path.startswith("/v1/infections") else SPAN # the sample has none
    query = [x for x in span.split("&") if x.split("=")[0] in taken and x.split("=")[0] not in more]
    query += ["q=80"] if "q" in taken and "q" not in more else []
    query += ["%s=%s" % pair for pair in more.items()]
    return url + ("?" + "&".join(query) if query else "")


def conforms(checks, schemas, name, answer, operation, status):
    checks.equal("%s: status" % name, answer.status, status)
    try:
        faults = schemas.faults(schemas.of(operation, answer.status), answer.json)
    except ValueError as e:
        faults = ["no JSON: %s: %r" % (e, answer.body[:100])]
    checks.equal("%s: as the document says" % name, faults, [])


def each_resource(checks, s, schemas):
    """Every path with the parameters it has, each with good values and bad ones."""
    for path, methods in schemas.document["paths"].items():
        operation = methods.get("get")
        if not operation or path in ("/v1/stream", "/v1/live", "/v1/packets", "/metrics", "/healthz"):
            continue
        answer = s.ask(url_of(path, operation))
        conforms(checks, schemas, path, answer, operation, 200)
        if "rows" in (answer.json if answer.status == 200 else {}) and "/corsaro" not in path and not path.endswith("/onsets"): # the store has none
            checks.true("%s: rows" % path, answer.json["rows"], answer.text[:200])
        for p in operation["parameters"]:
            name = p["name"]
            if p["in"] == "path":
                continue
            choices = p["schema"].get("enum", GOOD.get(name, []))
            for value in choices:
                if name != "format":
                    url = url_of(path, operation, **{name: value})
                    conforms(checks, schemas, url, s.ask(url), operation, 404 if value == "nobody" and path.endswith("/{port}") else 200)
            for value in (v for v in BAD[name] if v not in choices):
                url = url_of(path, operation, **{name: value})
                conforms(checks, schemas, url, s.ask(url), operation, 400)
            base = url_of(path, operation)
            twice = base + ("&" if "?" in base else "?") + "%s=%s&%s=%s" % ((name, (choices or ["1.2.3"])[0]) * 2)
            conforms(checks, schemas, twice, s.ask(twice), operation, 400)
        url = url_of(path, operation, nothing="1")
        conforms(checks, schemas, url, s.ask(url), operation, 400)
    for path in ("/v1/ports/tcp/65536", "/v1/ports/icmp/1", "/v1/ip/1.2.3", "/v1/ip/%3Cscript%3E", "/v1/ports/tcp/23/history?step=x"):
        checks.equal(path, s.ask(path).status, 400)
    for path in ("/v1", "/v1/", "/v1/nothing", "/v1/ports/tcp", "/v1/ports/tcp/23/", "/v1/ports//23", "/v1/ip/", "/v1/ports/tcp/1"):
        conforms(checks, schemas, path, s.ask(path), {"responses": {"default": {"$ref": ""}}}, 404)


def documented(checks, schemas):
    """docs/formats/api.md names the columns of each resource; its table and the program's are one."""
    with open(os.path.join(harness.SOURCE_DIR, "docs", "formats", "api.md"), encoding="utf-8") as f:
        rows = re.findall(r"^\| `([^`]+)`(.*?) \| (.*) \|$", f.read(), re.M)
    told = {}
    for resource, _, columns in rows:
        path = resource.split("?")[0]
        if path.startswith("…"):
            path = "/v1/ports/{protocol}/{port}" + path[1:]
        told[path] = set(itertools.chain.from_iterable(re.findall(r"\w+", x) for x in re.findall(r"`([^`/]+)`", columns)))
    for path, methods in schemas.document["paths"].items():
        operation = methods.get("get")
        if not operation or path in ("/openapi.json",):
            continue
        if path.startswith("/v1/ports/{protocol}/{port}/") and not told.get(path):
            continue # as its table without a port
        if not checks.true("%s is in docs/formats/api.md" % path, path in told):
            continue
        schema = operation["responses"]["200"]["content"].get("application/json", {}).get("schema", {})
        query = re.search(r'"rows".*?schemas/([a-z0-9-]+)', json.dumps(schema))
        if query and path in told:
            have = set(schemas.document["components"]["schemas"][query.group(1)]["properties"])
            checks.equal("%s: columns in docs/formats/api.md" % path, sorted(have - told[path]), [])
    checks.equal("resources of docs/formats/api.md that are none", sorted(p for p in told if p not in schemas.document["paths"]
                                                                        and p.startswith("/v1/")), [])


def paging(checks, s):
    """Pages of any size come to the same rows, whatever the form."""
    for path in ("/v1/sources?", "/v1/ports?", "/v1/countries?", "/v1/victims?", "/v1/ports/tcp/23/sources?", "/v1/coverage?"):
        base = path + "from=2026-11-22&to=2026-11-25"
        whole, seen, cursor, pages = s.ask(base + "&limit=1000").json, [], None, 0
        size = max(len(whole["rows"]) // 5, 1)
        while pages < 20:
            page = s.ask(base + "&limit=%d" % size + ("&cursor=" + cursor if cursor else "")).json
            seen += page["rows"]
            cursor, pages = page["next"], pages + 1
            checks.equal("%s: the page's span" % path, (page["from"], page["to"]), (whole["from"], whole["to"]))
            if not cursor:
                break
        checks.equal("%s: pages" % path, seen[:1000], whole["rows"])
        checks.equal("%s: no row twice" % path, len({json.dumps(r) for r in seen}), len(seen))
        table = list(csv.DictReader(io.StringIO(s.ask(base + "&limit=1000&format=csv").text)))
        lines = [json.loads(x) for x in s.ask(base + "&limit=1000&format=jsonl").text.splitlines()]
        checks.equal("%s: jsonl" % path, lines, [dict(r, simulated=True) for r in whole["rows"]])
        checks.equal("%s: csv" % path, [list(r) for r in table], [list(r) + ["simulated"] for r in whole["rows"]])
        checks.equal("%s: each row says that it is made up" % path, {r["simulated"] for r in table} - {"true"}, set())
    answer = s.ask("/v1/ports?limit=1&format=csv&" + SPAN)
    checks.true("a file says that packets are made up", "SIMULATED" in answer.headers["content-disposition"]
                and answer.headers["x-monomi-simulated"] == "true", answer.headers)
    rest = s.ask("/v1/ports?limit=1000&cursor=" + answer.headers["x-monomi-next"]).json["rows"]
    checks.equal("a file's next page", rest, s.ask("/v1/ports?limit=1000&" + SPAN).json["rows"][1:])


def all_rows(s, path):
    rows, cursor = [], ""
    while cursor is not None:
        page = s.ask("%s&limit=1000%s" % (path, cursor)).json
        rows, cursor = rows + page["rows"], page["next"] and "&cursor=" + page["next"]
    return rows


def infections(checks, s):
    """Lists, counts and steps of what behaves like bots come to the same; a filter keeps what it says."""
    rows = all_rows(s, "/v1/infections/sources?" + BOTS)
    checks.true("bots", len(rows) > 20 and {r["grade"] for r in rows} <= {"B", "C"}, rows[:2])
    for of, key in (("family", ("family", "grade")), ("country", ("country",)), ("network", ("as_number",))):
        ranks = s.ask("/v1/infections?limit=1000&of=%s&%s" % (of, BOTS)).json["rows"]
        want = {}
        for r in rows:
            who = tuple(r[k] for k in key)
            want[who] = want.get(who, 0) + 1
        checks.equal("bots by %s" % of, {tuple(r[k] for k in key): r["sources"] for r in ranks}, want)
        checks.equal("SYNs by %s" % of, sum(r["syns"] for r in ranks), sum(r["syns"] for r in rows))
    for grade in "BC":
        some = [r for r in rows if r["grade"] == grade]
        checks.equal("of grade %s" % grade, all_rows(s, "/v1/infections/sources?grade=%s&%s" % (grade, BOTS)), some)
        steps = s.ask("/v1/infections/steps?step=hour&grade=%s&%s" % (grade, BOTS)).json["rows"]
        checks.equal("SYNs of grade %s by step" % grade, sum(r["syns"] for r in steps), sum(r["syns"] for r in some))
    checks.equal("of a sensor that saw none", s.ask("/v1/infections/sources?sensor=six&" + BOTS).json["rows"], [])
    growth = s.ask("/v1/infections/growth?" + BOTS).json["rows"]
    checks.equal("growth", [(r["family"], r["steps"]) for r in growth], [("mirai", 24)])


def attacks(checks, s):
    """Lists, counts, ranks and steps of attacks come to the same, whatever is asked of them; a filter keeps what it says."""
    whole = "from=2026-11-22&to=2026-11-25"
    rows = all_rows(s, "/v1/attacks?" + whole)
    verdicts = {v: [r for r in rows if r["verdict"] == v] for v in ("attack", "scan", "reflection", "undecided")}
    checks.equal("verdicts", sum(map(len, verdicts.values())), len(rows))
    checks.true("attacks and others", verdicts["attack"] and len(rows) > len(verdicts["attack"]), {v: len(x) for v, x in verdicts.items()})
    counts = {(r["definition"], r["verdict"]): r for r in s.ask("/v1/attack-counts?" + whole).json["rows"]}
    for v, some in verdicts.items():
        checks.equal("by verdict %s" % v, all_rows(s, "/v1/attacks?verdict=%s&%s" % (v, whole)), some)
        told = counts.get(("monomi", v), {"attacks": 0, "victims": 0})
        checks.equal("counts of %s" % v, (told["attacks"], told["victims"]), (len(some), len({r["victim"] for r in some})))
        begun = s.ask("/v1/attack-steps?step=hour&verdict=%s&%s" % (v, whole)).json["rows"]
        checks.equal("%s that begin" % v, sum(r["begun"] for r in begun), len(some))
        for by, key in (("country", ("country",)), ("network", ("as_number",)), ("port", ("protocol", "port"))):
            ranks = s.ask("/v1/attack-ranks?limit=1000&by=%s&verdict=%s&%s" % (by, v, whole)).json["rows"]
            want = {}
            for r in some:
                who = tuple(r[k] for k in key)
                want[who] = want.get(who, 0) + 1
            checks.equal("%s by %s" % (v, by), {tuple(r[k] for k in key): r["attacks"] for r in ranks}, want)
    for name in ("corsaro2", "corsaro3"):
        checks.equal("counts of %s" % name, counts[name, None]["attacks"], len(s.ask("/v1/attacks/%s?%s" % (name, whole)).json["rows"]))
    one = verdicts["attack"][0]
    same = all_rows(s, "/v1/attacks?protocol=%s&port=%s&%s" % (one["protocol"], one["port"], whole))
    checks.equal("of one port", same, [r for r in rows if (r["protocol"], r["port"]) == (one["protocol"], one["port"])])
    mine = [r for r in s.ask("/v1/attacks/%s" % one["victim"]).json["rows"] if r["first"] == one["first"]]
    checks.equal("of one victim", mine, [one])
    vectors = [r for r in s.ask("/v1/attacks/%s/vectors" % one["victim"]).json["rows"] if r["attack"] == one["first"]]
    checks.equal("its vectors", sum(r["packets"] for r in vectors), one["packets"])
    minutes = s.ask("/v1/attacks/%s/history?step=minute&%s" % (VICTIM, SPAN)).json["rows"]
    checks.equal("its minutes", sum(r["packets"] for r in minutes), sum(r["packets"] for r in s.ask("/v1/attacks/" + VICTIM).json["rows"]))
    checks.equal("forged at most as many as came", [r for r in minutes + vectors if r["forged"] > r["packets"] or not r["forged"]], [])
    onsets = all_rows(s, "/v1/onsets?few=yes&" + whole)
    for who in {r["victim"] for r in onsets} | {VICTIM}:
        checks.equal("onsets at one victim", all_rows(s, "/v1/attacks/%s/onsets?few=yes&%s" % (who, whole)),
                     [r for r in onsets if r["victim"] == who])
    # N = 131072 + 8; docs/decisions/onset.md has 146 and 8739 of 65536 (tests/unit/detect_onset.c holds onset_sees to drawn floods).
    seen = s.ask("/v1/sensitivity?" + SPAN).json["rows"]
    checks.equal("sensitivity", [(r["addresses"], r["early_hour"], r["early_minute"]) for r in seen], [(131072, 73, 4370)])


def numbers(checks, s, db):
    """The same numbers by other ways."""
    day = "from=2026-11-23&to=2026-11-24"
    rate = s.ask("/v1/rate?step=span&" + day).json["rows"][0]
    hours = s.ask("/v1/rate?step=hour&" + day).json["rows"]
    want = stores.query(db, "rate-per-day", "--param", "from=2026-11-23", "--param", "to=2026-11-23")[0]
    checks.equal("rate", round(rate["rate"], 9), round(want["rate"], 9))
    checks.true("accesses where no number of addresses is known count, but in no rate", rate["accesses"] > want["accesses"])
    checks.equal("hours", (len(hours), sum(r["accesses"] for r in hours)), (24, rate["accesses"]))
    checks.true("bands", abs(rate["low"] + rate["high"] + rate["without"] - rate["rate"]) < 1e-6, rate)
    long = s.ask("/v1/rate?step=day&from=2026-11-21&to=2026-11-24").json["rows"]
    checks.equal("days", [r["accesses"] for r in long], [0, 0, rate["accesses"]])
    checks.equal("a gap", [r["observed"] for r in long[:2]], [0, 0])
    checks.equal("no rate of a gap", [r["rate"] for r in long[:2]], [None, None])
    for path, name in (("/v1/years", "figure-2-19"), ("/v1/years/bands", "figure-2-20")):
        checks.equal(path, s.ask(path + "?hours=9").json["rows"], stores.query(db, name, "--param", "hours=9"))
    for name in ("corsaro2", "corsaro3"):
        checks.equal(name, s.ask("/v1/attacks/%s?from=2026-11-22&to=2026-11-25" % name).json["rows"],
                     stores.query(db, "rsdos-" + name, "--param", "since=2026-11-22", "--param", "until=2026-11-25"))
    attacks(checks, s)
    infections(checks, s)
    ports = s.ask("/v1/ports?limit=1000&" + day).json["rows"]
    tops = stores.query(db, "top-ports", "--param", "from=2026-11-23", "--param", "to=2026-11-23", "--param", "limit=50")
    checks.equal("ports", [(r["protocol"], r["port"], r["accesses"]) for r in ports[:50]],
                 [(r["protocol"], r["port"], r["accesses"]) for r in tops])
    checks.equal("ranks", [r["rank"] for r in ports], list(range(1, len(ports) + 1)))
    first = ports[0]
    one = s.ask("/v1/ports/%s/%d?%s" % (first["protocol"], first["port"], day)).json
    checks.equal("one port", [one[k] for k in ("rank", "accesses", "rate", "sources", "share")],
                 [first[k] for k in ("rank", "accesses", "rate", "sources", "share")])
    senders = all_rows(s, "/v1/ports/%s/%d/sources?%s" % (first["protocol"], first["port"], day))
    # Who answered to that port, and asked nothing, sent to it too.
    checks.equal("its sources", (sum(r["accesses"] > 0 for r in senders), sum(r["accesses"] for r in senders)), (one["sources"], one["accesses"]))
    by_country = s.ask("/v1/countries?limit=1000&" + day).json["rows"]
    checks.equal("countries", sum(r["accesses"] for r in by_country), rate["accesses"])
    before = s.ask("/v1/ports?limit=1000&from=2026-11-24&to=2026-11-24T12:00:00Z").json
    noon = s.ask("/v1/ports?limit=1000&from=2026-11-23T12:00:00Z&to=2026-11-24").json["rows"]
    length = before["to"]
    checks.equal("nothing past what there is", length, "2026-11-24T06:11:00Z")
    late = {(r["protocol"], r["port"]): r["rate"] for r in all_rows(s, "/v1/ports?from=2026-11-23T17:49:00Z&to=2026-11-24")}
    checks.true("before", any(r["before_rank"] for r in before["rows"]) and noon and
                all(r["before_rate"] is None or abs(r["before_rate"] - late.get((r["protocol"], r["port"]), 0)) < 1e-9
                    for r in before["rows"]), before["rows"][:2])
    tools = {r["tool"]: r["packets"] for r in s.ask("/v1/tools?" + SPAN).json["rows"]}
    want = {r["tool"]: r["packets"] for r in stores.query(db, "tools", "--param", "from=2026-11-24")}
    checks.equal("tools", tools, want)
    ip = s.ask("/v1/ip/198.19.7.13").json
    want = stores.query(db, "source", "--param", "source=198.19.7.13")[0]
    checks.equal("an address", {k: ip[k] for k in want if k in ip}, {k: want[k] for k in want if k in ip})
    many = s.ask("/v1/ip", "POST", body=json.dumps({"addresses": ["198.19.7.13", "192.0.2.1"]})).json["rows"]
    checks.equal("many addresses", {r["address"]: r["seen"] for r in many}, {"198.19.7.13": True, "192.0.2.1": False})
    checks.equal("the same", [r for r in many if r["seen"]], [ip])


def bodies(checks, s):
    for body in (b"", b"{}", b"[]", b'{"addresses":[]}', b'{"addresses":["1.2.3.4/8"]}', b'{"addresses":[1]}', b'{"addresses":"1.2.3.4"}',
                 b'{"addresses":["1.2.3.4"],"x":1}', b'{"addresses":["1.2.3.4"]}x', b"\xff", b"[" * 60000, b"a" * 70000,
                 json.dumps({"addresses": ["192.0.2.1"] * 1001}).encode(), b'{"addresses":["1.2.3.4\\u0000"]}'):
        answer = s.ask("/v1/ip", "POST", body=body)
        checks.equal("a body as %r…" % body[:30], (answer.status, answer.json["error"]["code"]), (400, "MON-SRV-113"))
    most = s.ask("/v1/ip", "POST", body=json.dumps({"addresses": ["192.0.%d.%d" % (i // 256, i % 256) for i in range(1000)]}))
    checks.equal("1000 addresses", (most.status, len(most.json["rows"])), (200, 1000))


def main():
    checks = harness.Checks()
    if jsonschema is None or not os.path.exists(server.PROGRAM):
        checks.skip("python3-jsonschema absent" if jsonschema is None else "serve-main is not built")
        checks.finish()
    with harness.scratch() as folder:
        db = make_store(folder)
        with server.Server(db) as s:
            document = s.ask("/openapi.json")
            checks.equal("/openapi.json", document.status, 200)
            schemas = Schemas(document.json)
            for name, schema in document.json["components"]["schemas"].items():
                jsonschema.Draft202012Validator.check_schema(schema)
                checks.true("schema of %s" % name, schema)
            each_resource(checks, s, schemas)
            documented(checks, schemas)
            paging(checks, s)
            numbers(checks, s, db)
            bodies(checks, s)
            said = s.stop()
            checks.equal("ends well", (s.code, said), (0, ""))
    checks.finish()


main()
