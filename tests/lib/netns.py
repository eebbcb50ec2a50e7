"""What tests in network namespaces share: to begin and end with namespaces of their own, whatever happens between."""
import atexit
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


def take_down(*namespaces):
    """Ends all that runs in them, and them."""
    for ns in namespaces:
        for pid in subprocess.run(["ip", "netns", "pids", ns], capture_output=True, text=True).stdout.split():
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                pass
        subprocess.run(["ip", "netns", "delete", ns], capture_output=True)


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
