#!/usr/bin/env python3
"""Live capture on a real interface: every packet that was sent lies in exactly one piece, or is among the dropped.

Two network namespaces of our own joined by a veth pair: `send`, where numbered datagrams leave as fast as a core makes
them, and `dark`, where the capture role listens. Both end with the test, however it ends. Nothing here depends on how
fast the machine is: a slow one sends less. Skipped without root.

Mutants this kills, each tried once: drops of the kernel not taken; a tag not put back; outgoing packets kept, or refused by
the filter before they are looked at; own packets not marked; the marker of a dead writer not written; the time of a link
that is down taken for observed; what the kernel has yet to hand over lost at the end.
"""
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from netns import begin, came, expect, faults, ip, take_down, told, veth  # noqa: E402

BUILD = os.environ.get("BUILD_DIR", "build-test")
TAG = "mol%d" % os.getpid()
SEND, DARK = TAG + "-send", TAG + "-dark"
MAC = "02:00:00:00:00:01"
started = []


def inside(ns, *words, **more):  # ip becomes the command
    return subprocess.Popen(["ip", "netns", "exec", ns, *words], **more)


def down():
    for process in started:
        process.kill()
    take_down(SEND, DARK)


def up():
    veth(SEND, DARK, [MAC])


def tool(name):
    return os.path.join(BUILD, "tests", name)


def capture(folder, *options):
    os.makedirs(folder, exist_ok=True)
    process = inside(DARK, tool("live-capture"), "d0", folder, *options, stdout=subprocess.PIPE, text=True)
    started.append(process)
    if process.stdout.readline() != "ready\n":
        raise RuntimeError("the capture does not begin")
    return process


def end(process):
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=120)
    expect("capture ends", process.returncode, 0)
    lines = [line for line in out.splitlines() if line.startswith("{")]
    return json.loads(lines[-1]) if lines else {}


def sender(count, seconds, rate=0, tag=0):
    process = inside(SEND, tool("live-send"), "s0", MAC, str(count), str(seconds), str(rate), str(tag),
                     stdout=subprocess.PIPE, text=True)
    started.append(process)
    return process


def sent(process):
    out, _ = process.communicate(timeout=120)
    return int(out.split()[0]), float(out.split()[1])


def check(folder, *options):
    done = subprocess.run([tool("live-check"), folder, *options], capture_output=True, text=True)
    expect("every piece is whole", done.returncode, 0)
    return json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else {}, done.stdout.splitlines()[:-1]


def agree(found):
    """Markers say what pieces say."""
    expect("a marker for every minute of every writer", found["markers"], found["groups"])
    expect("received, by packets, statistics and markers", (found["packets"], found["received"], found["marked_received"]),
           lambda v: v[0] == v[1] == v[2])
    expect("dropped, by statistics and markers", (found["dropped"], found["marked_dropped"]), lambda v: v[0] == v[1])
    expect("observed, by statistics and markers", (found["observed"], found["marked_observed"]), lambda v: v[0] == v[1])


def before_the_tap():
    return came(ns=DARK)[1]


def cost(process, count):
    """CPU time a packet of each thread: the reader is the first."""
    tick, folder = os.sysconf("SC_CLK_TCK"), "/proc/%d/task" % process.pid
    for name, task in zip(("reading", "writing"), sorted(os.listdir(folder), key=int)):
        with open(os.path.join(folder, task, "stat")) as f:
            user, system = f.read().rsplit(")", 1)[1].split()[11:13]
        print("     %s: %.0f + %.0f ns a packet (user + system)" %
              (name, int(user) / tick * 1e9 / count, int(system) / tick * 1e9 / count))


def in_bulk():
    """The kernel takes large datagrams apart before the link, where that can be told to."""
    if not shutil.which("ethtool", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin"):
        return False
    words = ["ethtool", "-K", "s0", "tx-udp-segmentation", "off"]
    return subprocess.run(["ip", "netns", "exec", SEND, *words], capture_output=True).returncode == 0


def test_rate(root):
    """Nothing lost without being counted, at the highest rate that the sender reaches: by what it sent, by what the link
    counted, by what the pieces hold."""
    folder, lost, before = os.path.join(root, "rate"), before_the_tap(), came(ns=DARK)[0]
    process = capture(folder)
    count, seconds = sent(sender(1 << 26, 3, "bulk" if in_bulk() else 0))
    time.sleep(2)
    cost(process, count)
    status = end(process)
    found, _ = check(folder)
    lost, on_link = before_the_tap() - lost, came(ns=DARK)[0] - before
    print("     %d packets, %.0f a second; %d lost by the ring, %d before it" % (count, count / seconds, found["dropped"], lost))
    expect("came to the link", on_link + lost, lambda n: count <= n < count + 100)  # neighbours' own words too
    expect("found once", found["numbered"] - found["twice"], count - found["dropped"] - lost)
    expect("found twice", found["twice"], 0)
    expect("dropped, as the kernel says", found["dropped"], status["kernel_dropped"] + status["lost"])
    agree(found)


def test_full_ring(root):
    """A ring of 4 MiB and a reader that stands still: the gap is what the kernel counted."""
    folder, lost = os.path.join(root, "full"), before_the_tap()
    process = capture(folder, "ring=4194304")
    process.send_signal(signal.SIGSTOP)
    count, _ = sent(sender(100000, 60))
    process.send_signal(signal.SIGCONT)
    status = end(process)
    found, _ = check(folder)
    expect("dropped by the kernel", status["kernel_dropped"], lambda n: n > 0)
    expect("found and dropped", found["numbered"] + found["dropped"], count - (before_the_tap() - lost))
    expect("found twice", found["twice"], 0)
    agree(found)


def test_full_disk(root):
    """A disk of 400 kB: pieces are dropped whole and counted, and capturing goes on once there is room."""
    folder, lost = os.path.join(root, "disk"), before_the_tap()
    os.makedirs(folder)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "none", folder], check=True)
    try:
        process = capture(folder)
        source = sender(150000, 90, 50000)
        full, _ = sent(source)
        until = time.monotonic() + 60
        while os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize > 100000 and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(1)
        subprocess.run(["mount", "-o", "remount,size=64m", folder], check=True)
        status = end(process)
        found, _ = check(folder)
        expect("dropped for want of room", (status["lost"], found["marked_dropped"]), lambda v: v[1] > 0)
        expect("found and dropped", found["numbered"] + found["marked_dropped"], full - (before_the_tap() - lost))
        expect("found twice", found["twice"], 0)
        expect("a marker for every minute of every writer", found["markers"], found["groups"])
        expect("half-written files", [name for name in os.listdir(folder) if name.startswith(".")], [])
    finally:
        subprocess.run(["umount", folder])


def test_killed(root):
    """kill -9 at random, the socket gone with the process: what was synced is whole, the next start closes it."""
    folder = os.path.join(root, "killed")
    process, source = capture(folder), sender(1 << 26, 90, 20000)
    for _ in range(4):
        before = len(os.listdir(folder))
        while len(os.listdir(folder)) == before and source.poll() is None:
            time.sleep(0.01)
        time.sleep(random.uniform(0, 1.3))
        process.kill()
        process.wait()
        process = capture(folder)
    time.sleep(1)
    source.terminate()
    count, _ = sent(source)
    end(process)
    found, _ = check(folder)
    expect("found, of %d" % count, found["numbered"], lambda n: 0 < n <= count)
    expect("found twice", found["twice"], 0)
    expect("holes within a writer", found["holes"], lambda n: n <= found["dropped"])
    agree(found)


def test_socket_lives(root):
    """Readers killed over a socket that lives: no packet twice, and the last reader goes on where one was killed."""
    folder, lost = os.path.join(root, "socket"), before_the_tap()
    process = capture(folder, "kills=5")
    count, _ = sent(sender(1 << 26, 6, 20000))
    end(process)
    found, _ = check(folder)
    expect("found, of %d" % count, found["numbered"], lambda n: 0 < n <= count - (before_the_tap() - lost))
    expect("found twice", found["twice"], 0)
    expect("holes within a writer", found["holes"], lambda n: n <= found["dropped"])
    agree(found)


def test_vlan(root):
    folder = os.path.join(root, "vlan")
    process = capture(folder)
    count, _ = sent(sender(500, 60, 2000, 0xa005))  # priority 5, VLAN 5
    end(process)
    found, _ = check(folder)
    expect("tagged", (found["tagged"], found["tag"]), (count, 0xa005))
    expect("found", found["numbered"], count)
    folder = os.path.join(root, "vlan2")
    process = capture(folder, "filter=vlan 5 and udp dst port 9")
    count, _ = sent(sender(500, 60, 2000, 0xa005))
    end(process)
    expect("tagged ones pass the kernel's filter", check(folder)[0]["numbered"], count)
    expect("and what reads them filters by the tag", [filtered(folder, words) for words in
           ("vlan 5 and udp dst port 9", "vlan 6", "udp dst port 9")], [count, 0, 0])


def filtered(folder, words):
    """Packets of the pieces that pass a filter, as of any file."""
    done = subprocess.run([os.environ["MONOMI"], "analyze", "--summary", "json", "--filter", words, folder], capture_output=True,
                          text=True)
    return json.loads(done.stdout.splitlines()[-1])["packets"]


def test_filter(root):
    folder = os.path.join(root, "filter")
    process = capture(folder, "filter=udp and dst port 9 and less 30")
    sent(sender(500, 60, 2000))
    end(process)
    expect("refused by the filter", check(folder)[0]["packets"], 0)
    folder = os.path.join(root, "filter2")
    process = capture(folder, "filter=udp and dst port 9")
    count, _ = sent(sender(500, 60, 2000))
    end(process)
    expect("passed by the filter", check(folder)[0]["packets"], count)


SERVER = """
import socket
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.bind(("198.18.9.1", 53))
t = socket.create_server(("198.18.9.1", 80))
print("ready", flush=True)
data, peer = u.recvfrom(100)
u.sendto(b"answer", peer)
c, _ = t.accept()
c.recv(10)
c.sendall(b"hello")
c.close()
"""
CLIENT = """
import socket
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.bind(("0.0.0.0", 5353))
u.settimeout(60)
u.sendto(b"question", ("198.18.9.1", 53))
assert u.recvfrom(100)[0] == b"answer"
t = socket.create_connection(("198.18.9.1", 80), 60, ("0.0.0.0", 8080))
t.sendall(b"x")
assert t.recv(10) == b"hello"
"""
STRANGER = """
import socket
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.bind(("198.18.9.2", 53))
u.sendto(b"unasked", ("198.18.9.9", 5353))
u.sendto(b"unasked", ("198.18.9.9", 4444))
try:
    socket.create_connection(("198.18.9.9", 22), 5, ("198.18.9.2", 2222))
except OSError:
    pass
try:
    socket.create_connection(("198.18.9.9", 22), 5, ("198.18.9.3", 3333))
except OSError:
    pass
"""


def test_own(root):
    """Management by flow: what comes back on flows that the host opened is own, what strangers send is not, and nothing
    that the host sent is there. A listed peer is own."""
    folder = os.path.join(root, "own")
    ip("address", "add", "198.18.9.9/16", "dev", "d0", ns=DARK)
    for last in "123":
        ip("address", "add", "198.18.9.%s/16" % last, "dev", "s0", ns=SEND)
    process = capture(folder, "own=198.18.9.3", "filter=ip dst host 198.18.9.9")  # passes nothing that goes out
    server = inside(SEND, sys.executable, "-c", SERVER, stdout=subprocess.PIPE, text=True)
    started.append(server)
    server.stdout.readline()
    expect("the host's own connections work", inside(DARK, sys.executable, "-c", CLIENT).wait(60), 0)
    expect("strangers send", inside(SEND, sys.executable, "-c", STRANGER).wait(60), 0)
    status = end(process)
    _, lines = check(folder, "list")
    rows = [line.split() for line in lines]
    own = {(r[1], r[2], r[3], r[4]) for r in rows if r[0] == "own"}
    other = {(r[1], r[2], r[3], r[4]) for r in rows if r[0] == "not"}
    expect("own", sorted(own), sorted([("17", "198.18.9.1", "53", "5353"), ("6", "198.18.9.1", "80", "8080"),
                                       ("6", "198.18.9.3", "3333", "22")]))
    expect("not own", sorted(other), sorted([("17", "198.18.9.2", "53", "5353"), ("17", "198.18.9.2", "53", "4444"),
                                             ("6", "198.18.9.2", "2222", "22")]))
    expect("own packets end behind their ports", {r[5] for r in rows if r[0] == "own"}, {"38"})
    expect("seen going out", status["outgoing"], lambda n: n >= 6)


def test_link(root):
    """A link that goes down is a gap, one that is deleted the end."""
    folder = os.path.join(root, "link")
    begin = time.monotonic_ns()
    process = capture(folder)
    first, _ = sent(sender(500, 60, 5000))
    ip("link", "set", "d0", "down", ns=DARK)
    time.sleep(3)
    ip("link", "set", "d0", "up", ns=DARK)
    time.sleep(1.5)
    second, _ = sent(sender(500, 60, 5000))
    status = end(process)
    found, _ = check(folder)
    expect("found before and after", (found["packets"], status["up"]), (first + second, 1))
    expect("not observed for a second at least", found["observed"], lambda n: n < time.monotonic_ns() - begin - 10**9)
    agree(found)
    process = capture(os.path.join(root, "gone"))
    ip("link", "delete", "d0", ns=DARK)
    expect("a capture whose interface is gone says so", process.wait(60), 1)


def main():
    begin(("ip",), up, down)
    with tempfile.TemporaryDirectory() as root:
        tests = [test_rate, test_full_ring, test_full_disk, test_killed, test_socket_lives, test_vlan, test_filter, test_own, test_link]
        for test in tests:
            if len(sys.argv) < 2 or test.__name__[5:] in sys.argv[1:]:
                print(test.__name__)
                test(root)
    return told(faults)


if __name__ == "__main__":
    sys.exit(main())
