#!/usr/bin/env python3
"""The numbers of a capture as a user gets them (tools/summary) in a copy of the tree with this build's monomi: the sample's text, its JSON
and its page are of one run, the README shows what it prints, and a damaged capture still gives a page and exit code 1.

Mutants it kills: tools/summary losing the program's exit code; a page of another run; an excerpt in the README gone stale.
"""
import json
import os
import re
import shutil
import subprocess
import tempfile

ROOT = os.environ["SOURCE_DIR"]
MONOMI = os.environ["MONOMI"]


def copy_tree(folder):
    for name in ("tools", "web", "samples"):
        shutil.copytree(os.path.join(ROOT, name), os.path.join(folder, name))
    os.mkdir(os.path.join(folder, "build"))
    os.symlink(MONOMI, os.path.join(folder, "build", "monomi"))


def run(folder, *files):
    return subprocess.run([os.path.join(folder, "tools", "summary"), *files], capture_output=True, text=True, check=False)


def page_data(folder):
    with open(os.path.join(folder, "build", "summary.html"), encoding="utf-8") as f:
        return json.loads(re.search(r'id="data">(.*?)</script>', f.read(), re.S).group(1))


def check_sample(folder):
    done = run(folder)
    assert done.returncode == 0, done
    rows = page_data(folder)["rows"]
    assert page_data(folder)["sample"] is True and len(rows) == 2 and rows[-1]["file"] is None
    assert f"{rows[-1]['packets']:,} packets" in done.stdout and rows[-1]["flow_digest"] in done.stdout, done.stdout
    assert done.stdout.rstrip().splitlines()[-1] == f"page: {folder}/build/summary.html"
    return done.stdout


def check_readme(printed):
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as f:
        excerpt = re.search(r"```\n(samples/scans\.pcap: .*?)```", f.read(), re.S).group(1)
    stale = [line for line in excerpt.splitlines() if line not in ("", "…") and line not in printed]
    assert not stale, f"the README shows what is not printed: {stale}"


def check_damaged(folder):
    with open(os.path.join(ROOT, "samples", "scans.pcap"), "rb") as f:
        whole = f.read()
    cut = os.path.join(folder, "cut.pcap")
    with open(cut, "wb") as f:
        f.write(whole[:len(whole) // 2])
    done = run(folder, cut)
    data = page_data(folder)
    assert done.returncode == 1 and "MON-CAP-011" in done.stderr, done
    assert data["sample"] is False and "MON-CAP-011" in data["rows"][0]["error"] and data["rows"][-1]["packets"] > 0
    os.unlink(os.path.join(folder, "build", "summary.html"))
    usage = run(folder, "--no-such-option", cut)
    assert usage.returncode == 2 and not os.path.exists(os.path.join(folder, "build", "summary.html")), usage


def main():
    with tempfile.TemporaryDirectory() as folder:
        copy_tree(folder)
        check_readme(check_sample(folder))
        check_damaged(folder)
    print("text, JSON, page and README agree")


main()
