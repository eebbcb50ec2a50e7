#!/usr/bin/python3
"""The named queries over a store of the committed sample, word for word (queries/NAME.txt, made anew by --regenerate and
reviewed as text), and what must hold whatever the words: heads tell the columns that come, every column of every view is
explained, names of numbers are those of the program, the tools are those that `analyze` names.

Killed mutants: a class's name, a column left out of a head, the union of tuples, the probes of a protocol.
"""
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib"), HERE]
import harness
import make_captures
import stores

GOLDENS = os.path.join(HERE, "queries")
SAMPLE = os.path.join(harness.SOURCE_DIR, "samples", "scans.pcap")
SPAN = ["since=2026-11-24T06:00:00Z", "until=2026-11-24T06:11:00Z"]
PARAMS = {"ports-of-source": ["source=198.19.7.10"], "source": ["source=198.19.7.13"], "columns": ["view=flow"],
          "coverage-gaps": ["seconds=0.5"], "ip": ["addresses=198.19.7.10,198.19.7.13,192.0.2.1,2001:db8:19::1"],
          **dict.fromkeys(("rate-steps", "port-ranks", "country-ranks", "network-ranks", "class-steps", "heat", "source-ranks",
                           "tool-ranks", "victim-ranks", "attacks", "onsets", "infections", "infected",
                            "attack-counts", "sensitivity", "sensor-list", "coverage-ranges"), SPAN),
          "attack": ["address=198.19.50.80"], "attack-vectors": ["address=198.19.50.80"],
          **dict.fromkeys(("infection-steps", "infection-growth"), SPAN + ["step=minute"]),
          "attack-steps": SPAN + ["step=minute"], "attack-ranks": SPAN + ["by=port"],
          "port-one": SPAN + ["protocol=tcp", "port=23"], "port-steps": SPAN + ["protocol=tcp", "port=23", "step=10min"],
          "ip-steps": SPAN + ["address=198.19.7.10"], "search": SPAN + ["q=80"], "reply-steps": SPAN + ["step=10min"]}


def names():
    out = harness.monomi("query", "--list").out
    return [line for line in out.splitlines() if line and not line.startswith(" ")]


def head(name):
    with open(os.path.join(harness.SOURCE_DIR, "src", "store", "queries", name + ".sql"), encoding="utf-8") as f:
        return re.findall(r"^-- column ([^:]+):", f.read(), re.M)


def options(name):
    return [x for p in PARAMS.get(name, []) for x in ("--param", p)]


def goldens(checks, db, regenerate):
    for name in names():
        out = stores.query(db, name, *options(name), form="csv").replace(harness.SOURCE_DIR, "DIR")
        checks.equal("%s: head" % name, out.splitlines()[0].replace('"', "").split(","), head(name))
        golden = os.path.join(GOLDENS, name + ".txt")
        if regenerate:
            with open(golden, "w", encoding="utf-8") as f:
                f.write(out)
            continue
        with open(golden, encoding="utf-8") as f:
            checks.true("%s: words" % name, f.read() == out, "differs from %s:\n%s" % (golden, out))


def formats(checks, db):
    """One result in every form is the same result."""
    sql = "SELECT minute, source, port, icmp_type, packets, rules, ja4t FROM flow ORDER BY ALL"
    lines = stores.query(db, sql)
    checks.equal("json", json.loads(stores.query(db, sql, form="json")), lines)
    checks.equal("csv", stores.query(db, sql, form="csv").count("\n"), len(lines) + 1)
    table = stores.query(db, sql, form="table").splitlines()
    checks.equal("table", len(table), len(lines) + 2)
    part = os.path.join(os.path.dirname(db), "out.parquet")
    stores.write(db, sql, part)
    with open(part, "rb") as f:
        data = f.read()
    checks.equal("parquet", (data[:4], data[-4:]), (b"PAR1", b"PAR1"))


def dictionary(checks, db):
    rows = stores.query(db, "columns")
    for row in rows:
        checks.true("%s.%s is explained" % (row["view"], row["column"]), row["what"])
    views = {r["view"] for r in rows}
    checks.equal("every view is explained", {r["view"] for r in rows if not r["column"]}, views)


def names_of_numbers(checks, db, whole):
    classes = stores.query(db, "SELECT class_name(range) AS name FROM range(8)")
    checks.equal("classes", sorted(x["name"] for x in classes), sorted(whole["classes"]))
    with open(os.path.join(harness.SOURCE_DIR, "src", "classify", "rules.def"), encoding="utf-8") as f:
        rules = re.findall(r'^RULE\(\w+,\s*"([^"]+)"', f.read(), re.M)
    got = stores.query(db, "SELECT rule_name(range) AS name FROM range(%d)" % (len(rules) + 1))
    checks.equal("rules", [x["name"] for x in got], rules + [None])


def tools(checks, db, whole):
    got = {r["tool"]: r for r in stores.query(db, "tools")}
    checks.equal("packets by tool", {t: got[t]["packets"] for t in got}, {t: n for t, n in whole["tools"].items() if n})
    for source in stores.query(db, "SELECT DISTINCT source FROM flow"):
        one = harness.monomi("ip", "--db", db, "--format", "json", source["source"]).objects()[0]
        row = stores.query(db, "source", "--param", "source=" + source["source"])[0]
        checks.equal("%s: packets" % source["source"], one["packets"], row["packets"])
        checks.true("%s: tool" % source["source"], one["tool"] in got, one["tool"])
        checks.equal("%s: ports" % source["source"], sum(p["packets"] for p in one["ports"]) <= one["packets"], True)


def sums(checks, db, whole):
    """The same numbers by every way."""
    wanted = "SELECT sum(packets)::BIGINT AS packets, sum(accesses)::BIGINT AS accesses, sum(attempts)::BIGINT AS attempts"
    flow = stores.query(db, wanted + ", count(*) AS flows FROM flow")[0]
    checks.equal("flow", flow, dict({k: whole[k] for k in ("accesses", "attempts", "flows")}, packets=flow["packets"]))
    for view in ("class_hour", "port_day", "source_day"):
        got = stores.query(db, wanted + " FROM " + view)[0]
        checks.equal(view, got, {k: flow[k] for k in got})
    for name in ("countries", "networks"):
        got = stores.query(db, name, "--param", "limit=100000")
        checks.equal(name, (sum(r["accesses"] for r in got), sum(r["packets"] for r in got)), (flow["accesses"], flow["packets"]))
        sources = stores.query(db, "SELECT count(DISTINCT source) AS n FROM flow")[0]["n"]
        checks.equal("%s: sources" % name, sum(r["sources"] for r in got), sources)
    total = sum(r["accesses"] for r in stores.query(db, "top-ports", "--param", "limit=100000"))
    checks.true("top-ports", total <= flow["accesses"])


def main():
    checks = harness.Checks()
    regenerate = "--regenerate" in sys.argv
    os.makedirs(GOLDENS, exist_ok=True)
    with harness.scratch() as folder:
        db = os.path.join(folder, "db")
        whole = harness.analyze([SAMPLE], "--db", db, "--sensor", "roof", "--monitored", "198.18.0.0/15",
                                env={"MONOMI_COUNTRY_DB": "", "MONOMI_AS_DB": ""}).total()
        goldens(checks, db, regenerate)
        checks.equal("goldens without a query", sorted(set(x[:-4] for x in os.listdir(GOLDENS)) - set(names())), [])
        dictionary(checks, db)
        names_of_numbers(checks, db, whole)
        packets = harness.monomi("packets", "--db", db, "--source", "198.19.7.13", "--out", os.path.join(folder, "p.pcap"))
        checks.equal("a reader that names no tools opens all views", packets.code, 0)
        tools(checks, db, whole)
        sums(checks, db, whole)
        formats(checks, db)
        small, mixed = os.path.join(folder, "small.pcap"), os.path.join(folder, "mixed")
        make_captures.captures.write_pcap(small, make_captures.small())
        both = harness.analyze([small], "--db", mixed).total()
        sums(checks, mixed, both)
        tools(checks, mixed, both)
    checks.finish()


main()
