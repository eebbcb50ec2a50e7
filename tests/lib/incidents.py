"""Runs of `incidents-run` and what they come to: early warning and the rules to beat on a simulated year."""
import collections
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor

KINDS = ("worm start", "slow worm", "coordinated scan", "new payload", "port sweep", "country shift", "returning scanner")
RIVALS = ("3-sigma", "EWMA", "GreyNoise", "ChangeFinder")
RECALL, RECALL_KIND, FALSE_A_YEAR, RATIO = 0.95, 0.80, 6, 2

Incident = collections.namedtuple("Incident", "kind multiple hours delay again oracle rivals resembled")
Run = collections.namedtuple("Run", "seed n null_false incidents false notices")


def program():
    return os.path.join(os.environ["BUILD_DIR"], "tests", "incidents-run")


def lines(*args):
    done = subprocess.run([program(), *map(str, args)], check=True, stdout=subprocess.PIPE, text=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


def run(seed, n, months, params):
    null = lines(seed, n, months, params, "null")
    thresholds = [line[2] for line in null if line[0] == "rival"]
    ran = lines(seed, n, months, params, "incidents", *thresholds)
    found = [Incident(x[1], float(x[2]), float(x[3]), float(x[4]), int(x[5]), float(x[6]), [float(v) for v in x[7:11]], int(x[11]))
             for x in ran if x[0] == "incident"]
    count = [sum(x[0] == "false" for x in y) for y in (null, ran)]
    return Run(seed, n, count[0], found, count[1], int(null[-1][4]))


def runs(seeds, sizes, months, params, workers=2):
    jobs = [(seed, n, months, params) for n in sorted(sizes, reverse=True) for seed in seeds]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda job: run(*job), jobs))


def lost(delay, i):
    """A miss counts as the whole duration."""
    return delay if 0 <= delay <= i.hours else i.hours


Kind = collections.namedtuple("Kind", "kind n raised ours oracle rivals")


def by_kind(incidents):
    for kind in KINDS:
        of = [i for i in incidents if i.kind == kind]
        if of:
            def mean(values):
                return sum(values) / len(of)
            yield Kind(kind, len(of), sum(i.delay >= 0 for i in of), mean([lost(i.delay, i) for i in of]),
                       mean([lost(i.oracle, i) for i in of]),
                       [mean([lost(i.rivals[k], i) for i in of]) for k in range(len(RIVALS))])


Score = collections.namedtuple("Score", "recall least precision null_false ratio kinds worse faults")


def score(all_runs, months):
    incidents = [i for r in all_runs for i in r.incidents]
    kinds = list(by_kind(incidents))
    raised = sum(i.delay >= 0 for i in incidents)
    false = sum(r.false for r in all_runs)
    most = max((r.null_false for r in all_runs), default=0)
    ratio = sum(lost(i.delay, i) for i in incidents) / max(sum(lost(i.oracle, i) for i in incidents), 1e-9)
    recall, least = raised / max(len(incidents), 1), min((k.raised / k.n for k in kinds), default=0)
    worse = [k.kind for k in kinds if k.ours > min(k.rivals)]
    faults = [text for wrong, text in (
        (recall < RECALL, "recall below %.2f" % RECALL), (least < RECALL_KIND, "a kind's recall below %.2f" % RECALL_KIND),
        (most > FALSE_A_YEAR * months / 12, "more than %d false warnings in 12 null months" % FALSE_A_YEAR),
        (worse, "slower than the best rule to beat: " + ", ".join(worse)), (ratio > RATIO, "delay over twice that of a CUSUM")) if wrong]
    return Score(recall, least, raised / max(raised + false, 1), most, ratio, kinds, worse, faults)
