#!/usr/bin/env python3
"""HUP under traffic: a configuration with an error changes nothing; a good one holds from the beginning of a minute on, for
what it changes alone, and every packet that was sent is found exactly once, on the side of that minute where it belongs.

Two links carry numbered datagrams to 198.18.0.0/16. At first the lower half is monitored; then all of it, and a second sensor
begins; then a filter leaves out the upper half again, management is told, and the second sensor ends. The packets behind
the rows must be: all of the lower half, of the upper half those of the minutes between, each once.

Mutants it kills, each tried once: the change made at once; captures begun anew whatever changed; the filter of the next
configuration set at once; all roles begun anew; a keeper that is ending takes later minutes too.
"""
import os
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness  # noqa: E402
import observatory  # noqa: E402
from netns import begin, came, expect, faults, take_down, told, veth  # noqa: E402

TAG = "mos%d" % os.getpid()
SEND, DARK = TAG + "-send", TAG + "-dark"
MACS = ("02:00:00:00:00:01", "02:00:00:00:00:03")
RATE = 1000
MINUTE = 60 * 10**9
started = []

FIRST = """store: db
listen: 127.0.0.1:0
shards: 1
memory: 1G
sensors:
  - {name: one, interface: d0, monitored: 198.18.0.0/17}
"""
BAD = FIRST.replace("198.18.0.0/17", "198.18.0.1/17").replace("listen", "lisen")
NOWHERE = FIRST + "  - {name: two, interface: nowhere}\n"
MOVED = FIRST.replace("store: db", "store: other")
SECOND = FIRST.replace("198.18.0.0/17", "198.18.0.0/16") + "  - {name: two, interface: d1, monitored: 198.18.0.0/16}\n"
THIRD = FIRST.replace("198.18.0.0/17", "198.18.0.0/16, manage: tcp/22, filter: dst net 198.18.0.0/17")


def up():
    veth(SEND, DARK, MACS)


def down():
    observatory.end_all()
    for process in started:
        process.kill()
    take_down(SEND, DARK)


def sender(link):
    words = ["ip", "netns", "exec", SEND, os.path.join(harness.BUILD_DIR, "tests", "live-send"), "s%d" % link, MACS[link],
             str(1 << 26), "600", str(RATE)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    started.append(process)
    return process


def sent(process):
    process.terminate()
    return int(process.communicate(timeout=60)[0].split()[0])


def lost(link):
    return came("d%d" % link, DARK)[1]


class Watched:
    def __init__(self, folder):
        self.path = os.path.join(folder, "monomi.yaml")
        self.write(FIRST)
        log = os.path.join(folder, "log")
        with open(log, "wb") as err:
            process = subprocess.Popen(["ip", "netns", "exec", DARK, harness.MONOMI, "run", "--config", self.path],
                                       stdout=subprocess.PIPE, stderr=err)
        self.o = observatory.Observatory.of(process, log)

    def write(self, text):
        with open(self.path, "w", encoding="utf-8") as f:
            f.write(text)

    def roles(self):
        """{(role, sensor): pid}"""
        return {(words[2], words[3]): pid for pid, words in observatory.children(self.o.process.pid).items()
                if words[1:2] == ["role"]}

    def await_that(self, what, holds):
        end = time.monotonic() + 300
        while time.monotonic() < end and self.o.process.poll() is None:
            if holds():
                return
            time.sleep(0.05)
        raise RuntimeError("%s never came\n%s" % (what, self.o.said()))

    def hang_up(self, text, said):
        """HUP with this file; waits for one more line that has `said`."""
        before = self.o.said().count(said)
        self.write(text)
        self.o.process.send_signal(signal.SIGHUP)
        self.await_that(said, lambda: self.o.said().count(said) > before)

    def await_change(self, keeper, wanted):
        """Until the keeper that read by the old file is another one, and all runs that should."""
        self.await_that("the change", lambda: self.roles().get(("keeper", ""), keeper) != keeper and
                        set(self.roles()) == set(wanted))


def packets(folder, sensor):
    done, found = observatory.numbered(os.path.join(folder, "db"), sensor)
    expect("packets of %s" % sensor, (done.code, done.err), (0, ""))
    return found


def is_upper(number):
    return number * 40503 & 0x8000 != 0


def check_once(what, found, count, missing):
    """Every number below `count` that should be there is, once; as many as the link lost may miss."""
    expect("%s: twice" % what, [n for n, times in found.items() if len(times) > 1], [])
    absent = [n for n in range(count) if n not in found and not is_upper(n)]
    expect("%s: missing of %d" % (what, count), len(absent), lambda n: n <= missing)


def check_sides(found, count):
    """The upper half is there in whole minutes, and in all of them between the first and the last."""
    upper = sorted((times[0], n) for n, times in found.items() if is_upper(n))
    lower = sorted((times[0], n) for n, times in found.items() if not is_upper(n))
    expect("of both halves", (len(upper), len(lower)), lambda v: v[0] > RATE and v[1] > RATE)
    if not upper or not lower:
        return
    begin, end = upper[0][0] // MINUTE * MINUTE, (upper[-1][0] // MINUTE + 1) * MINUTE
    first = min(n for t, n in lower if t >= begin)
    last = max(n for t, n in lower if t < end)
    wrong = [n for n in range(count) if is_upper(n) and ((first < n < last) != (n in found)) and
             abs(n - first) > 4 and abs(n - last) > 4]  # of those between two of the lower half nobody knows the time
    expect("on the wrong side of a minute", wrong, [])
    expect("it began within a minute's first moments, and ended with one", (upper[0][0] - begin, end - upper[-1][0]),
           lambda v: 0 <= v[0] < 2 * 10**8 and 0 < v[1] < 2 * 10**8)
    expect("before, between and after", (lower[0][0] < begin, end < lower[-1][0]), (True, True))


ONE = {("keeper", ""), ("engine", ""), ("reader", ""), ("server", ""), ("capture", "one")}
TWO = ONE | {("capture", "two")}


def check_refused(w):
    before = w.roles()
    for text, code in ((BAD, "MON-CLI-112"), (NOWHERE, "MON-CAP-061"), (MOVED, "MON-DMN-035")):
        lines = w.o.said().count("\n")
        w.hang_up(text, code)
        expect("refused by one line, %s" % code, (w.o.said().count("\n") - lines, "all goes on as it was" in w.o.said()), (1, True))
    w.hang_up(FIRST, "MON-DMN-039")  # the same again
    time.sleep(0.5)
    expect("and nothing has changed", w.roles(), before)
    return before


def run(folder):
    w = Watched(folder)
    w.await_that("all roles", lambda: set(w.roles()) == ONE)
    losses = lost(0), lost(1)
    first = sender(0)
    before = check_refused(w)
    keeper = before[("keeper", "")]
    w.hang_up(SECOND, "MON-DMN-039")
    second = sender(1)
    w.await_change(keeper, TWO)
    middle = w.roles()
    expect("what was not touched goes on", [k for k in sorted(before) if middle[k] != before[k]], [("engine", ""), ("keeper", "")])
    time.sleep(1)
    keeper = w.roles()[("keeper", "")]
    counts = [None, sent(second)]
    time.sleep(2)  # until its last packets are in the ring's hands
    w.hang_up(THIRD, "MON-DMN-039")
    w.await_change(keeper, ONE)
    ending = w.roles()
    expect("management begins the capture anew", [k for k in sorted(ending) if middle[k] != ending[k]],
           [("capture", "one"), ("engine", ""), ("keeper", "")])
    time.sleep(3)
    counts[0] = sent(first)
    time.sleep(2)
    expect("ends well", w.o.end(), (0, []))
    expect("nobody died", w.o.said().count("MON-DMN-034"), 0)
    states = harness.monomi("query", "--db", os.path.join(folder, "db"), "--format", "csv",
                            "SELECT DISTINCT state FROM rest.segments").out.split()[1:]
    expect("segments", states, ["stored"])
    one, two = packets(folder, "one"), packets(folder, "two")
    check_once("one", one, counts[0], lost(0) - losses[0])
    check_sides(one, counts[0])
    check_once("two", two, counts[1], lost(1) - losses[1])
    expect("two: its upper half too", sum(map(is_upper, two)), lambda n: 0 <= sum(map(is_upper, range(counts[1]))) - n <=
           lost(1) - losses[1])
    done = harness.monomi("store", "check", "--db", os.path.join(folder, "db"))
    expect("store check", done.code, 0)


def main():
    begin(("ip",), up, down)
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o711)
        run(folder)
    return told(faults)


if __name__ == "__main__":
    sys.exit(main())
