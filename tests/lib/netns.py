"""What tests in network namespaces share: to begin and end with namespaces of their own, whatever happens between."""
import atexit
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys

faults = []


def skip(reason):
    print("SKIP: " + reason)
    sys.exit(77)


def expect(what, got, want):
    ok = want(got) if callable(want) else got == want
    print("%s %s: %s" % ("ok  " if ok else "FAIL", what, got))
    if not ok:
        faults.append("%s: %s" % (what, got))


def told(faults):
    """Names the faults; the exit code."""
    for fault in faults:
        print("FAIL: " + fault)
    return 1 if faults else 0


def ip(*words, ns=None):
    return subprocess.run(["ip", *(["-n", ns] if ns else []), *words], check=True, capture_output=True, text=True).stdout


def pair(*ends):
    """Two namespaces that a pair of interfaces joins: (namespace, interface, address) of each."""
    (one, first, _), (other, second, _) = ends
    for ns in (one, other):
        ip("netns", "add", ns)
    ip("link", "add", first, "netns", one, "type", "veth", "peer", "name", second, "netns", other)
    for ns, name, address in ends:
        ip("address", "add", address, "dev", name, ns=ns)
        ip("link", "set", name, "up", ns=ns)
        ip("link", "set", "lo", "up", ns=ns)


# Programs for a namespace: a host with two open ports; who tries one of a host (address, port, seconds).
SERVE = """
import socket
a = [socket.create_server(("0.0.0.0", int(p))) for p in ("22", "80")]
print("ready", flush=True)
while True:
    a[0].accept()
"""
CONNECT = """
import socket, sys
s = socket.socket()
s.settimeout(float(sys.argv[3]))
try:
    s.connect((sys.argv[1], int(sys.argv[2])))
    print("connected")
except ConnectionRefusedError:
    print("refused")
except OSError:
    print("nothing")
"""


def take_down(*namespaces):
    """Ends all that runs in them, and them."""
    for ns in namespaces:
        for pid in subprocess.run(["ip", "netns", "pids", ns], capture_output=True, text=True).stdout.split():
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                pass
        subprocess.run(["ip", "netns", "delete", ns], capture_output=True)


NEW_NET = 0x40000000  # CLONE_NEWNET


def enter(path):
    """This process goes into the namespace."""
    with open(path, "rb") as f:
        if ctypes.CDLL(None, use_errno=True).setns(f.fileno(), NEW_NET):
            raise OSError(ctypes.get_errno(), "setns")


def enter_until_end(ns):
    """The same by name, and out of it again before `down` ends all that is in there."""
    with open("/proc/self/ns/net", "rb") as f:
        home = os.dup(f.fileno())
    atexit.register(enter, "/proc/self/fd/%d" % home)
    enter("/var/run/netns/" + ns)


def veth(send, dark, macs):
    """Two namespaces, and between them links s0 to d0, s1 to d1, … where only what a test sends passes."""
    for ns in (send, dark):
        ip("netns", "add", ns)
        for key in ("all", "default"):
            subprocess.run(["ip", "netns", "exec", ns, "sysctl", "-qw", "net.ipv6.conf.%s.disable_ipv6=1" % key], check=True)
        ip("link", "set", "lo", "up", ns=ns)
    for i, mac in enumerate(macs):
        ip("link", "add", "s%d" % i, "netns", send, "type", "veth", "peer", "name", "d%d" % i, "netns", dark)
        ip("link", "set", "d%d" % i, "address", mac, ns=dark)
        ip("link", "set", "d%d" % i, "up", ns=dark)
        ip("link", "set", "s%d" % i, "up", ns=send)


def came(link="d0", ns=None):
    """Packets that came to a link, and those that the kernel lost on the way, before any socket saw them."""
    counters = json.loads(ip("-j", "-s", "link", "show", link, ns=ns))[0]["stats64"]["rx"]
    return counters["packets"], counters["dropped"] + counters["errors"]


def begin(tools, up, down):
    """Makes the namespaces by `up`; `down` comes at the end of the test, however it ends. Skips where neither can be."""
    if os.geteuid() != 0:
        skip("not root, network namespaces need it")
    missing = [t for t in tools if not shutil.which(t, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")]
    if missing:
        skip("absent: " + " ".join(missing))
    atexit.register(down)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    try:
        up()
    except subprocess.CalledProcessError as e:
        skip("network namespaces cannot be made: %s" % e.stderr)
