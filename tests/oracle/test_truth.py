#!/usr/bin/python3
"""The summary against tshark's facts of every real capture: packets, layers, sources, times, truncation, fragments.

facts.tsv has a row a file. What differs must be in differences.tsv, a row each, with the packet, its bytes, the rule that
settles it and the reason; a row there that no longer differs fails as well, so that the table stays true. Before that the
comparison itself is tried on a summary that was changed.
"""
import csv
import datetime
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib")]
import harness

TABLE = os.path.join(HERE, "differences.tsv")
MOST = 20  # more than this many and it is the decoder that needs work, not the table

SAME = {
    "packets": "packets", "ipv4": "outer_ip4", "ipv6": "outer_ip6", "non_ip": "nonip", "tcp": "outer_tcp",
    "udp": "outer_udp", "icmp": "outer_icmp", "icmpv6": "outer_icmp6", "sources": "uniq_outer_src",
    "truncated": "truncated",
}
# The facts count these on the innermost layer: comparable where TCP is in no tunnel.
INNERMOST = ("syn", "synack", "rst")


def rows_of(path):
    with open(path, encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))


def moment(text):
    """Seconds with nine decimals, as the facts write them, of RFC 3339; without a packet: nothing."""
    if text is None:
        return ""
    whole, fraction = text.rstrip("Z").split(".")
    seconds = datetime.datetime.fromisoformat(whole).replace(tzinfo=datetime.timezone.utc) - datetime.datetime(
        1970, 1, 1, tzinfo=datetime.timezone.utc)
    total = (seconds.days * 86400 + seconds.seconds) * 10**9 + int(fraction)
    return "%s%d.%09d" % ("-" if total < 0 else "", abs(total) // 10**9, abs(total) % 10**9)


def theirs(fact):
    """The facts in the summary's words."""
    values = {ours: fact[column] for ours, column in SAME.items()}
    values["fragments"] = str(int(fact["frag4"]) + int(fact["frag6"]))
    values["first"], values["last"] = fact["first_ts"], fact["last_ts"]
    if fact["inner_tcp"] == fact["outer_tcp"]:
        values.update((name, fact[name]) for name in INNERMOST)
    return values


def differences(summary, facts):
    """{(file, field): (ours, theirs)} over all files; field "*" where tshark delivered no packet at all but we did."""
    found = {}
    for name, fact in facts.items():
        if fact["packets"] == "0" and summary[name]["packets"]:
            found[name, "*"] = (str(summary[name]["packets"]), "0")
            continue
        for field, want in theirs(fact).items():
            got = moment(summary[name][field]) if field in ("first", "last") else str(summary[name][field])
            if got != want:
                found[name, field] = (got, want)
    return found


def judge(checks, summary, facts, listed):
    found = differences(summary, facts)
    for key, (got, want) in sorted(found.items()):
        checks.true("%s: %s is explained" % key, listed.get(key) == (got, want),
                    "%s, tshark %s; listed: %s" % (got, want, listed.get(key)))
    for key in sorted(set(listed) - set(found)):
        checks.true("%s: %s still differs" % key, False, "take the row out of differences.tsv")
    checks.true("every file was compared", len(summary) == len(facts), "%d of %d" % (len(summary), len(facts)))


def try_comparison(checks, summary, facts, listed):
    """A changed number, a stale row and a lost file must all be noticed."""
    name = next(iter(facts))
    changed = {**summary, name: {**summary[name], "udp": summary[name]["udp"] + 1}}
    lost = {key: value for key, value in summary.items() if key != name}
    stale = {**listed, (name, "udp"): ("0", "1")}
    for what, arguments in (("a changed number", (changed, facts, listed)), ("a stale row", (summary, facts, stale))):
        trial = harness.Checks()
        trial.true = lambda _, condition, detail="", trial=trial: setattr(trial, "failed", trial.failed + (not condition))
        judge(trial, *arguments)
        checks.true("the comparison notices " + what, trial.failed == 1, "%d faults" % trial.failed)
    checks.true("the comparison notices a lost file", set(facts) - set(lost) == {name})


def main():
    checks = harness.Checks()
    table = rows_of(TABLE)
    checks.true("differences.tsv is short", len(table) < MOST, "%d rows" % len(table))
    for row in table:
        checks.true("%s: a row has all its columns" % row["file"], all(row.values()), str(row))
    if not os.path.isdir(harness.CAPTURES):
        checks.skip("captures absent")
        checks.finish()
    facts = {row["file"]: row for row in rows_of(os.path.join(harness.CAPTURES, "facts.tsv"))}
    listed = {(row["file"], row["field"]): (row["ours"], row["theirs"]) for row in table}
    paths = {os.path.join(harness.CAPTURES, name): name for name in facts}
    run = harness.analyze(paths, "--shards", "1")
    checks.true("no crash", not run.crashed, run.err[:500])
    summary = {paths[o["file"]]: o for o in run.objects() if o["file"] is not None}
    if checks.equal("an object a file", sorted(summary), sorted(facts)):
        try_comparison(checks, summary, facts, listed)
        judge(checks, summary, facts, listed)
    checks.finish()


main()
