#!/usr/bin/python3
"""Power lost at each durable step. A killed program leaves all it wrote with the kernel; a machine that loses power leaves
what was synced, and of the rest whatever it pleases. Each run is recorded once (steps.c), and the folder is laid out as it
may lie on the disk after step N:

  strict   only what was synced: contents by fsync of the file, names by fsync of their folder
  ordered  all names, as a journal keeps them, but of contents only what was synced
  torn     all names, and of the writes not yet synced some

From each the store must come back as after a crash; and what a run that ended well had stored must be there.
A file's own fsync is taken to keep the name under which it was made (the database relies on it, file systems do it).

Kills the mutants in ../fault/mutants/store_power-*.patch. With MONOMI_STORE_EVERY=1 no step is left out (long); with
MONOMI_STORE_RUN=late that run alone.
"""
import concurrent.futures
import hashlib
import os
import random
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", part) for part in ("lib", "golden")]
import harness
import store

EVERY = os.environ.get("MONOMI_STORE_EVERY") == "1"
ONLY = os.environ.get("MONOMI_STORE_RUN")
WORKERS = 2


class File:
    def __init__(self, content=b""):
        self.now = bytearray(content)
        self.synced = bytes(content)
        self.since = []  # changes since: (offset, bytes), or (length, None) for a truncation

    def change(self, offset, data):
        apply(self.now, offset, data)
        self.since.append((offset, data))

    def sync(self):
        self.synced, self.since = bytes(self.now), []

    def torn(self, rng):
        if not self.since:
            return self.synced
        content = bytearray(self.synced)
        for change in self.since:
            if rng.random() < 0.5:
                apply(content, *change)
        return bytes(content)


def apply(content, offset, data):
    if data is None:
        del content[offset:]
        content.extend(bytes(offset - len(content)))
    else:
        content.extend(bytes(max(0, offset - len(content))))
        content[offset:offset + len(data)] = data


class Disk:
    """Names are paths below the store: a File, a link's target (text), or None for a folder."""

    def __init__(self, db):
        self.root = os.path.realpath(db)
        self.now = {}
        for base, folders, names in os.walk(db):
            for name in folders + names:
                path = os.path.join(base, name)
                self.now[os.path.relpath(path, db)] = node(path)
        if os.path.isdir(db):
            self.now["."] = None
        self.durable = dict(self.now)

    def name(self, path):
        return os.path.relpath(path, self.root)

    def step(self, kind, offset, path, data):
        names = [self.name(x) if x.startswith("/") else x for x in path.split("\t")]
        name = names[0]
        if kind == "create":
            if isinstance(self.now.get(name), File):
                self.now[name].change(0, None)
            else:
                self.now[name] = File()
        elif kind == "write":
            self.now[name].change(offset, data)
        elif kind == "truncate":
            self.now[name].change(offset, None)
        elif kind == "fsync":
            self.sync(name)
        elif kind == "rename":
            self.rename(*names)
        elif kind == "link":
            self.now[name] = self.now[names[1]]
        elif kind == "symlink":
            self.now[name] = path.split("\t")[1]
        elif kind in ("unlink", "rmdir"):
            self.now.pop(name, None)
        elif kind == "mkdir":
            self.now.setdefault(name, None)

    def rename(self, to, old):
        for name in [n for n in self.now if n == old or n.startswith(old + "/")]:
            self.now[to + name[len(old):]] = self.now.pop(name)

    def sync(self, name):
        if isinstance(self.now.get(name), File):
            self.now[name].sync()
            if self.now[name] not in self.durable.values():
                self.durable[name] = self.now[name]
            return
        def below(other):
            return other != "." and (os.path.dirname(other) or ".") == name
        for gone in [n for n in self.durable if below(n) and self.durable[n] is not self.now.get(n, self)]:
            del self.durable[gone]
        self.durable.update({n: v for n, v in self.now.items() if below(n)})

    def layout(self, mode, rng):
        """name -> bytes, text (a link) or None (a folder)."""
        names = self.durable if mode == "strict" else self.now
        out = {}
        for name, what in names.items():
            if isinstance(what, File):
                what = what.torn(rng) if mode == "torn" else what.synced
            out[name] = what
        return {n: w for n, w in out.items() if n == "." or reachable(n, out)}


def node(path):
    if os.path.islink(path):
        return os.readlink(path)
    if os.path.isdir(path):
        return None
    with open(path, "rb") as f:
        return File(f.read())


def reachable(name, names):
    above = os.path.dirname(name)
    return not above or (above in names and reachable(above, names))


def lay(layout, db):
    for name in sorted(layout):
        path, what = os.path.join(db, name), layout[name]
        if what is None:
            os.makedirs(path, exist_ok=True)
        elif isinstance(what, str):
            os.symlink(what, path)
        else:
            with open(path, "wb") as f:
                f.write(what)


def identity(layout):
    h = hashlib.sha256()
    for name in sorted(layout):
        what = layout[name]
        h.update(b"%s\0%s\0" % (name.encode(), type(what).__name__.encode()))
        h.update(hashlib.sha256(what if isinstance(what, bytes) else str(what).encode()).digest())
    return h.digest()


def recorded(log):
    """(kind, offset, path, bytes) of each step of a log with data."""
    with open(log, "rb") as f:
        while line := f.readline():
            _, kind, size, offset, path = line.decode().rstrip("\n").split(" ", 4)
            yield kind, int(offset), path, f.read(int(size)) if kind == "write" else None


def states(run, db, log, rng):
    """Each way the disk may lie after each step, once: (label, layout, whether the run had ended)."""
    disk = Disk(run.before)
    disk.root = os.path.realpath(db)
    seen = {identity(disk.layout("ordered", rng))}
    steps = list(recorded(log))
    for i, step in enumerate(steps, 1):
        disk.step(*step)
        ended = i == len(steps)
        for mode in ("strict", "ordered", "torn"):
            layout = disk.layout(mode, rng)
            key = identity(layout)
            if (key not in seen or ended) and "." in layout:
                seen.add(key)
                yield "%s: %s after step %d (%s)" % (run.name, mode, i, step[0]), layout, ended


def power_lost(checks, folder, run, number, state):
    label, layout, ended = state
    db = os.path.join(folder, "power-%d" % number)
    lay(layout, db)
    if ended:
        checks.equal("%s: what was stored stays" % label, store.digest(db), run.want)
    store.recovers(checks, label, run, db)


def every_state(checks, folder, run, rng):
    log = os.path.join(folder, "steps")
    db = store.at(run, os.path.join(folder, "recorded"))
    done = run.start(db, env=store.stepped(db, log=log, data=True))
    checks.equal("%s: recorded" % run.name, done.code, 0)
    found = list(states(run, db, log, rng)) if os.path.getsize(log) else []
    os.unlink(log)
    taken = [s for i, s in enumerate(found) if EVERY or s[2] or i % 11 == len(run.name) % 11]
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        for _ in pool.map(lambda x: power_lost(checks, folder, run, *x), enumerate(taken)):
            pass
    print("%s: %d states of the disk, %d tried" % (run.name, len(found), len(taken)), flush=True)


def main():
    checks = store.checks_of_steps()
    rng = random.Random(20261124)
    with harness.scratch() as folder:
        runs = store.sequence(folder)
        store.undisturbed(checks, folder, runs)
        for run in runs:
            if not ONLY or ONLY == run.name:
                every_state(checks, folder, run, rng)
    checks.finish()


if __name__ == "__main__":
    main()
