"""What the programs under tests/ share: running monomi, counting checks, finding the captures.

A test prints a line for each failed check and one closing line; exit 0 passed, 1 failed, 77 skipped.
"""
import json
import os
import subprocess
import sys
import tempfile

SOURCE_DIR = os.environ.get("SOURCE_DIR") or os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD_DIR = os.environ.get("BUILD_DIR") or os.path.join(SOURCE_DIR, "build")
MONOMI = os.environ.get("MONOMI") or os.path.join(BUILD_DIR, "monomi")
CAPTURES = os.environ.get("MONOMI_CAPTURES") or os.path.join(SOURCE_DIR, "..", "shared", "captures")
SANITIZER = ("AddressSanitizer", "LeakSanitizer", "runtime error:", "ThreadSanitizer", "MemorySanitizer")


class Run:
    """One finished run of monomi."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    @property
    def crashed(self):
        return self.code < 0 or self.code > 2 or any(x in self.err for x in SANITIZER)

    def objects(self):
        return [json.loads(line) for line in self.out.splitlines()]

    def total(self):
        return self.objects()[-1]


def monomi(*arguments, stdin=subprocess.DEVNULL, data=None, timeout=600, env=None):
    given = {"input": data} if data is not None else {"stdin": stdin}
    environment = dict(os.environ, **(env or {}))
    done = subprocess.run([MONOMI, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=timeout, env=environment, check=False, **given)
    return Run(done.returncode, done.stdout.decode("utf-8", "backslashreplace"),
               done.stderr.decode("utf-8", "backslashreplace"))


def analyze(files, *options, **more):
    return monomi("analyze", "--summary", "json", *options, *files, **more)


class Checks:
    def __init__(self):
        self.passed = self.failed = 0
        self.notes = []

    def true(self, name, condition, detail=""):
        if condition:
            self.passed += 1
        else:
            self.failed += 1
            print("FAIL %s%s" % (name, ": %s" % detail if detail else ""), flush=True)
        return bool(condition)

    def equal(self, name, got, want):
        return self.true(name, got == want, "got %r, want %r" % (got, want))

    def skip(self, reason):
        self.notes.append(reason)
        print("SKIP: %s" % reason, flush=True)

    def finish(self):
        print("%d passed, %d failed%s" % (self.passed, self.failed,
                                          "".join("; skipped: " + x for x in self.notes)))
        if self.failed:
            sys.exit(1)
        sys.exit(0 if self.passed else 77)


def captures(checks, *folders):
    """Paths of the real captures in these folders (all without), [] and a loud note where they are absent."""
    if not os.path.isdir(CAPTURES):
        checks.skip("captures absent")
        return []
    found = []
    for folder in folders or sorted(os.listdir(CAPTURES)):
        root = os.path.join(CAPTURES, folder)
        for base, _, names in os.walk(root):
            found += [os.path.join(base, n) for n in sorted(names) if not n.endswith((".tsv", ".txt", ".md"))]
    return found


def scratch():
    """A folder for this run's files, in the build folder where there is one; removed at exit of the `with`."""
    return tempfile.TemporaryDirectory(prefix="monomi-test-", dir=BUILD_DIR if os.path.isdir(BUILD_DIR) else None)
