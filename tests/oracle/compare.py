"""Holds monomi's total line against the oracle's, and finds the first packet on which the two differ."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import captures
import harness
import packets
import rows
import verdicts

FIELDS = ("packets", "accesses", "attempts", "classes", "sources", "flows", "flow_digest", "victim_seconds",
          "victim_second_digest")
SENSOR = "proof"


def oracle(frames, scope=None, sensor=SENSOR):
    count = rows.Count(sensor, scope or verdicts.Scope())
    for frame in frames:
        count.frame(frame)
    return count.result()


def total(files, *options):
    run = harness.analyze(files, "--sensor", SENSOR, *options)
    if run.crashed or not run.out:
        raise AssertionError("monomi failed with %d: %s" % (run.code, run.err[-2000:]))
    return run.total()


def product(files, *options, merge=False):
    return picked(total(files, *options), merge)


def picked(result, merge=False):
    """The fields that both sides give, with reasons of zero packets left out on either. `merge`: frames of a link's own
    protocols (local) and of unknown ones (unsupported) are one number, where the oracle does not know all links."""
    out = {f: result[f] for f in FIELDS}
    classes = {k: {r: n for r, n in v.items() if n} if isinstance(v, dict) else v for k, v in result["classes"].items()}
    if merge:
        classes["no IP"] = classes["ignored"].pop("local", 0) + classes["undecoded"].pop("unsupported", 0)
    out["classes"] = classes
    return out


def differing(want, got):
    return [f for f in FIELDS if want[f] != got[f]]


def first_difference(frames, scope, options, folder):
    """The smallest run of frames found by halving on which both differ, as text for a human."""
    path = os.path.join(folder, "bisect.pcap")

    def differs(part):
        captures.write_pcap(path, part, nanoseconds=True)
        return differing(picked(oracle(part, scope)), product([path], *options))

    while len(frames) > 1:
        half = len(frames) // 2
        if differs(frames[:half]):
            frames = frames[:half]
        elif differs(frames[half:]):
            frames = frames[half:]
        else:
            break
    fields = differs(frames)
    text = ["%d frame(s), differing in %s" % (len(frames), ", ".join(fields) or "nothing alone")]
    for frame in frames[:3]:
        p = packets.decode(frame)
        v = verdicts.judge(p, scope)
        text.append("  link %d caplen %d wire %d: %s" % (frame.link, len(frame.data), frame.wirelen,
                                                          frame.data[:120].hex()))
        text.append("  oracle: %s %s access=%s rules=%#x tags=%#x status=%d proto=%d port=%d" %
                    (v.kind, v.reason, v.access, v.rules, v.tags, p.status, p.proto, p.dport))
    text.append("  oracle: %r" % {f: picked(oracle(frames, scope))[f] for f in fields})
    text.append("  monomi: %r" % {f: product([path], *options)[f] for f in fields})
    return "\n".join(text)
