#!/usr/bin/env python3
"""The checks of the source find what they are for: each gets a small tree that is right and one with a fault planted."""
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.environ.get("SOURCE_DIR") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

GOOD = {
    "src/base/thing.h": "#pragma once\n#include <stdint.h>\n\nuint32_t base_thing_read(const uint8_t *p);\n",
    "src/packet/decode.h": '#pragma once\n#include "base/thing.h"\n',
    "src/track/track.c": '#include "packet/decode.h"\n\n/* free(p) in a comment is none */\nint track_row(int a)\n{\n'
                         "\tif (a > 1)\n\t\treturn a;\n\treturn 0;\n}\n",
}

# check, file, its text, what the check must say
FAULTS = [
    ("includes", "src/packet/ip.c", '#include "track/track.h"\n', "packet may not include track"),
    ("includes", "src/cli/x.c", '#include "packet/decode.h"\n', "cli may not include packet"),
    ("includes", "src/track/x.c", '#include "packet/walk.h"\n', "private to packet"),
    ("includes", "src/base/x.c", '#include "model/frame.h"\n', "base includes nothing but base"),
    ("includes", "src/track/x.c", '#include "decode.h"\n', "say the folder"),
    ("includes", "src/novel/x.c", "int x;\n", "not in tools/includes.txt"),
    ("banned", "src/track/x.c", "void *f(void)\n{\n\treturn malloc(3);\n}\n", "malloc()"),
    ("banned", "src/track/x.c", "void f(char *a, char *b)\n{\n\tstrcpy(a, b);\n}\n", "strcpy()"),
    ("banned", "src/track/x.c", "int f(char *p, int n, char *end)\n{\n\treturn p + n > end;\n}\n", "can wrap"),
    ("banned", "src/track/x.c", "int x; /* TO" "DO: more */\n", "left unfinished"),
    ("monitored", "src/track/x.c", "int f(struct packet *p)\n{\n\treturn p->dst.v4 & 1;\n}\n", "not in tools/monitored.txt"),
    ("monitored", "src/classify/classify.c", 'void f(struct packet *p)\n{\n\tprintf("%u", p->dst.v4);\n}\n', "formatter"),
    ("monitored", "src/classify/classify.c", "char *monitored_format(struct monitored4 a);\n", "is a formatter"),
    ("size", "src/track/x.c", "int f(int a)\n{\n" + "\ta++;\n" * 101 + "\treturn a;\n}\n", "f has 102 lines"),
    ("size", "src/track/x.c", "int x;\n" * 901, "split it"),
    ("format", "src/track/x.c", "int f(int a)\n{\n\tif(a)\n\t\treturn 1;\n\treturn 0;\n}\n", "is written"),
    ("format", "src/track/x.c", "int f(int a)\n{\n\treturn a;   \n}\n", "white space"),
    ("format", "src/track/x.c", "int f(int a)\n{\n\t\treturn a;\n}\n", "2 tabs where"),
    ("format", "src/track/x.c", "int abc = 1" + " + 1" * 40 + ";\n", "columns"),
    ("words", "docs/x.md", "see /ho" "me/somebody/file\n", "a machine's path"),
    ("words", "docs/x.md", "from https://registry.npm" "js.org/x\n", "registry's host"),
]


def plant(folder, files):
    for name, text in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)


def run(check, files):
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(os.path.join(ROOT, "tools"), os.path.join(folder, "tools"))
        shutil.copy(os.path.join(ROOT, ".clang-format"), folder)
        # The list of files that read monitored addresses names the real tree's.
        plant(folder, {**GOOD, "tools/monitored.txt": "src/classify/classify.c: x\n" if "src/classify/classify.c" in files else ""})
        plant(folder, files)
        done = subprocess.run([os.path.join(folder, "tools", "check-" + check)], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr


def skips(log, table):
    with tempfile.TemporaryDirectory() as folder:
        plant(folder, {"log": log, "table": table})
        return subprocess.run([os.path.join(ROOT, "tools", "skips"), folder + "/log", folder + "/table"], check=False,
                              capture_output=True).returncode


def check_skips():
    log = "1/2 Testing: a\nSKIP: not root\n2/2 Testing: b\nSKIP: captures absent\n"
    assert skips(log, "1 not root\n") == 0
    assert skips(log, "") == 1 and skips(log, "2 not root\n") == 1, "a count that differs passes"
    assert skips("1/1 Testing: a\n[  SKIPPED ] t_one\n", "") == 1, "a skip without a reason passes"
    assert skips("1/1 Testing: a\nok\n", "1 not root\n") == 1, "a test that runs again leaves its row"


def main():
    for check in sorted({f[0] for f in FAULTS}):
        code, output = run(check, {})
        assert code == 0, f"check-{check} fails on a tree without fault:\n{output}"
    for check, name, text, says in FAULTS:
        code, output = run(check, {name: text})
        assert code == 1 and says in output, f"check-{check} did not say '{says}' of {name}:\n{output}"
    check_skips()
    print(f"{len(FAULTS)} planted faults found")


if shutil.which("clang-format"):
    main()
else:
    print("SKIP: clang-format absent")
    sys.exit(77)
