#!/usr/bin/python3
"""The library that stops a program at a durable step (steps.c) does what the tests of the store rely on: it sees each
kind of step below its folder and no other, in order; it kills before a step, halves a write, and fails one or all.
"""
import errno
import os
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib")]
import harness
import store

PROGRAM = """
import os, sys
os.chdir(sys.argv[1])
def step(do):
    try:
        return do()
    except OSError as e:
        print(e.errno)
fd = os.open("a", os.O_WRONLY | os.O_CREAT, 0o644)
step(lambda: print("wrote", os.write(fd, b"0123456789")))
step(lambda: os.pwrite(fd, b"ab", 4))
step(lambda: os.fsync(fd))
step(lambda: os.ftruncate(fd, 20))
step(lambda: os.rename("a", "b"))
step(lambda: os.symlink("b", "c"))
step(lambda: os.link("b", "d"))
step(lambda: os.unlink("d"))
step(lambda: os.mkdir("e"))
step(lambda: os.rmdir("e"))
step(lambda: os.fsync(os.open(".", os.O_RDONLY)))
os.write(os.open(sys.argv[1] + "-outside", os.O_WRONLY | os.O_CREAT, 0o644), b"not counted")
"""
KINDS = ["create", "write", "write", "fsync", "truncate", "rename", "symlink", "link", "unlink", "mkdir", "rmdir", "fsync"]


def run(folder, name, **more):
    inside = os.path.join(os.path.realpath(folder), name)
    os.mkdir(inside)
    env = dict(os.environ, **store.stepped(inside, **more))
    done = subprocess.run([sys.executable, "-c", PROGRAM, inside], env=env, stdout=subprocess.PIPE, check=False)
    left = {}
    for entry in os.scandir(inside):
        if entry.is_file():
            with open(entry.path, "rb") as f:
                left[entry.name] = f.read()
    return done.returncode, done.stdout.decode().split("\n")[:-1], left


def main():
    checks = store.checks_of_steps()
    whole = b"0123ab6789" + bytes(10)
    with harness.scratch() as folder:
        log = os.path.join(folder, "log")
        checks.equal("undisturbed", run(folder, "a", log=log), (0, ["wrote 10"], {"b": whole, "c": whole}))
        checks.equal("the kinds, in order", [s.kind for s in store.steps_of(log)], KINDS)
        checks.equal("a positioned write", store.steps_of(log)[2][2:4], (2, 4))
        killed = [run(folder, "k%d" % n, act="KILL", number=n) for n in range(1, len(KINDS) + 1)]
        checks.equal("each is killed", {k[0] for k in killed}, {-signal.SIGKILL})
        checks.equal("before the first step", killed[0][2], {})
        checks.equal("before the second", killed[1][2], {"a": b""})
        checks.equal("before the rename", sorted(killed[5][2]), ["a"])
        checks.equal("past the last", run(folder, "z", act="KILL", number=len(KINDS) + 1)[0], 0)
        checks.equal("half a write", run(folder, "s", act="SHORT", number=2)[::2], (-signal.SIGKILL, {"a": b"01234"}))
        checks.equal("a short count", run(folder, "t", act="TEAR", number=2)[1], ["wrote 5"])
        checks.equal("one fails", run(folder, "f", act="FAIL", number=4, error=errno.EIO)[:2], (0, ["wrote 10", "5"]))
        full = run(folder, "u", act="FULL", number=2)[1]
        checks.equal("no room from there on, but for what makes some", full,
                     [str(errno.ENOSPC)] * 5 + [str(errno.ENOSPC)] * 2 + ["2"] + [str(errno.ENOSPC)] + ["2"] +
                     [str(errno.ENOSPC)])
    checks.finish()


if __name__ == "__main__":
    main()
