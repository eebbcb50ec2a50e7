#!/usr/bin/env python3
"""tools/fetch in a tree of its own, without a network: what is pinned is laid down, anything else is refused whole."""
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from harness import SOURCE_DIR, Checks  # noqa: E402


def package(path, files):
    with tarfile.open(path, "w:gz") as out:
        for name, text in files.items():
            info = tarfile.TarInfo("package/" + name)
            info.size = len(text)
            out.addfile(info, io.BytesIO(text))
    with open(path, "rb") as f:
        return hashlib.sha512(f.read()).hexdigest()


def fetch(tree, packages):
    done = subprocess.run([os.path.join(tree, "tools", "fetch"), "thing"], capture_output=True, text=True, check=False,
                          env=dict(os.environ, MONOMI_PACKAGES=packages))
    return done.returncode, done.stderr


def read(tree, name):
    try:
        with open(os.path.join(tree, "build", "thing", name), "rb") as f:
            return f.read()
    except FileNotFoundError:
        return None


def main():
    checks = Checks()
    with tempfile.TemporaryDirectory() as tree:
        packages = os.path.join(tree, "packages")
        os.makedirs(os.path.join(tree, "tools"))
        os.mkdir(packages)
        shutil.copy(os.path.join(SOURCE_DIR, "tools", "fetch"), os.path.join(tree, "tools"))
        pins = os.path.join(tree, "tools", "fetched.txt")
        one = package(os.path.join(packages, "scope-thing-1.0.tgz"), {"lib/a.so": b"library", "LICENSE": b"free"})
        with open(pins, "w", encoding="ascii") as f:
            f.write(f"thing any @scope/thing@1.0 2026-01-02 {one} lib/a.so LICENSE lib/a.so=b LICENSE=b\nother any no@2 - 00 x\nthing vax no@1 - 00 x\n")
        code, err = fetch(tree, packages)
        checks.true("what is pinned is laid down", code == 0 and read(tree, "a.so") == b"library" and read(tree, "LICENSE"), err)
        checks.equal("two files under one name are appended", read(tree, "b"), b"libraryfree")
        checks.equal("files are dated", os.path.getmtime(os.path.join(tree, "build", "thing", "b")) // 86400 * 86400, 1767312000)
        checks.true("what is there is not fetched again", fetch(tree, os.path.join(tree, "none"))[0] == 0)

        package(os.path.join(packages, "scope-thing-1.1.tgz"), {"lib/a.so": b"planted", "LICENSE": b"free"})
        with open(pins, "w", encoding="ascii") as f:
            f.write(f"thing any @scope/thing@1.1 2026-01-02 {one} lib/a.so LICENSE\n")
        code, err = fetch(tree, packages)
        checks.true("another package than the pinned is refused", code == 1 and "is not what tools/fetched.txt pins" in err, err)
        checks.true("what was there stays", read(tree, "a.so") == b"library")

        with open(pins, "w", encoding="ascii") as f:
            f.write(f"thing any @scope/thing@1.0 2026-01-02 {one} lib/b.so\n")
        code, err = fetch(tree, packages)
        checks.true("a package that lacks a file is refused", code == 1 and "lacks lib/b.so" in err, err)
        left = sorted(os.listdir(os.path.join(tree, "build")))
        checks.true("nothing else is left", left == ["fetch.lock", "thing"], left)
    return checks.finish()


sys.exit(main())
