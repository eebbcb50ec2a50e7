"""`monomi run` for tests: started in a folder, asked over HTTP, its roles looked at in /proc, ended whatever happens."""
import atexit
import json
import os
import signal
import struct
import subprocess
import time
import urllib.request

import harness

PATIENCE = 120  # seconds for what a loaded machine does late
running = []


def children(pid):
    """The processes that a process has started: {pid: words of its command line}."""
    found = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open("/proc/%s/stat" % name, encoding="utf-8") as f:
                parent = int(f.read().rsplit(")", 1)[1].split()[1])
            if parent == pid:
                with open("/proc/%s/cmdline" % name, "rb") as f:
                    found[int(name)] = f.read().decode().split("\0")[:-1]
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


class Observatory:
    def __init__(self, db, *options, monomi=None, env=None, before=(), **more):
        words = [*before, monomi or harness.MONOMI, "run", "--db", db, "--listen", "127.0.0.1:0", *options]
        self.log = db.rstrip("/") + ".log"
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL,
                                            env=dict(os.environ, **(env or {})), **more)
        self.begun()

    @classmethod
    def of(cls, process, log):
        """One that was started otherwise."""
        self = cls.__new__(cls)
        self.process, self.log = process, log
        self.begun()
        return self

    def begun(self):
        running.append(self)
        self.url = self.process.stdout.readline().decode().strip()

    def get(self, path, timeout=30):
        with urllib.request.urlopen(self.url.rstrip("/") + path, timeout=timeout) as answer:
            return json.loads(answer.read())

    def wait(self, what, path, holds):
        """The answer to `path` once it holds; fails the test when it never does."""
        end, answer = time.monotonic() + PATIENCE, None
        while time.monotonic() < end and self.process.poll() is None:
            try:
                answer = self.get(path)
                if holds(answer):
                    return answer
            except OSError:  # refused, 503, 404: not yet
                pass
            time.sleep(0.1)
        raise AssertionError("%s never came: %r\n%s" % (what, answer, self.said()))

    def roles(self):
        """{role: pid} of what runs now."""
        return {words[2]: pid for pid, words in children(self.process.pid).items() if words[1:2] == ["role"]}

    def await_roles(self, names):
        end = time.monotonic() + PATIENCE
        while set(self.roles()) != set(names):
            if time.monotonic() > end:
                raise AssertionError("roles are %r\n%s" % (self.roles(), self.said()))
            time.sleep(0.05)
        return self.roles()

    def said(self):
        with open(self.log, encoding="utf-8", errors="backslashreplace") as f:
            return f.read()

    def end(self):
        """Asks it to end; its exit code, and the processes that it left."""
        roles = self.roles()
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            return None, []
        return code, [pid for pid in roles.values() if os.path.exists("/proc/%d/exe" % pid)]

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()  # its roles die with it
            self.process.wait()


def store_rest(db, sensor, *options):
    """Has what waits of a sensor stored, which a keeper that was ended had no time for; what still waits then."""
    live = os.path.join(db, "spool", "live", sensor)
    if os.listdir(live):
        o = Observatory(db, "--sensor", sensor, *options)
        end = time.monotonic() + PATIENCE
        while os.listdir(live) and time.monotonic() < end:
            time.sleep(0.2)
        o.end()
    return os.listdir(live)


def numbered(db, sensor):
    """How `monomi packets` of a sensor ended, and {number: [ns, …]} of live-send's datagrams behind its rows."""
    out = os.path.join(os.path.dirname(db), sensor + ".pcap")
    done = harness.monomi("packets", "--db", db, "--sensor", sensor, "--out", out)
    with open(out, "rb") as f:
        data = f.read()
    found, at = {}, 24
    scale = 1 if data[:4] in (b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d") else 1000
    while at < len(data):
        seconds, part, length, _ = struct.unpack_from("<IIII", data, at)
        number = struct.unpack_from(">Q", data, at + 16 + 42)[0]
        at += 16 + length
        found.setdefault(number, []).append(seconds * 10**9 + part * scale)
    return done, found


def end_all():
    for o in running:
        o.kill()


atexit.register(end_all)
