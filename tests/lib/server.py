"""A server and its reader for tests (tests/api/serve_main.c), and HTTP spoken by hand."""
import http.client
import json
import os
import signal
import socket
import subprocess
import urllib.parse

import harness

PROGRAM = os.path.join(harness.BUILD_DIR, "tests", "serve-main")
PATIENCE = 120  # seconds that a loaded machine may take for anything


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, {k.lower(): v for k, v in headers}, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")


class Server:
    def __init__(self, db):
        self.process = subprocess.Popen([PROGRAM, db], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.url = self.process.stdout.readline().decode().strip()
        parsed = urllib.parse.urlsplit(self.url)
        self.address = (parsed.hostname, parsed.port)
        self.host = "%s:%d" % self.address

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def ask(self, path, method="GET", headers=None, body=None):
        c = http.client.HTTPConnection(*self.address, timeout=PATIENCE)
        try:
            c.request(method, path, body=body, headers=headers or {})
            r = c.getresponse()
            return Answer(r.status, r.getheaders(), r.read())
        finally:
            c.close()

    def socket(self):
        return socket.create_connection(self.address, timeout=PATIENCE)

    def raw(self, data):
        """Sends bytes, and reads to the end that comes of it: "" when the connection was closed without a word."""
        out = b""
        with self.socket() as s:
            try:
                s.sendall(data)
                s.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            try:
                while some := s.recv(65536):
                    out += some
            except ConnectionError:
                pass
        return out

    def live(self, counters):
        self.process.stdin.write(json.dumps(counters).encode() + b"\n")
        self.process.stdin.flush()

    def kill_reader(self):
        self.process.send_signal(signal.SIGUSR1)

    def stop(self):
        """What it said on its way out; exit code in `code`."""
        if self.process.stdin.closed:
            return ""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.stdin.close()
        said = self.process.stderr.read().decode()
        self.process.stdout.close()
        self.process.stderr.close()
        self.code = self.process.wait(PATIENCE)
        return said


class Stream:
    """Server-sent events, as a browser's EventSource reads them."""

    def __init__(self, server, path="/v1/stream"):
        self.c = http.client.HTTPConnection(*server.address, timeout=PATIENCE)
        self.c.request("GET", path, headers={"Accept": "text/event-stream"})
        self.answer = self.c.getresponse()

    def next(self):
        """(event, data) of the next event; comments are passed over."""
        event, data = "message", []
        while True:
            line = self.answer.readline().decode().rstrip("\n")
            if not line and data:
                return event, json.loads("\n".join(data))
            if line.startswith("event:"):
                event = line[6:].strip()
            elif line.startswith("data:"):
                data.append(line[5:].strip())

    def wait(self, wanted):
        while True:
            event, data = self.next()
            if event == wanted:
                return data

    def close(self):
        self.c.close()
