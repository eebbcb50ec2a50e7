"""What every check needs: the files of the tree, and C source without its comments and strings."""
import fnmatch
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def files(*patterns):
    """Paths relative to the root: tracked and new ones in a clone, all that is no build folder in a tarball."""
    try:
        names = subprocess.run(["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard"], check=True,
                               capture_output=True, text=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        names = [os.path.relpath(os.path.join(d, f), ROOT) for d, _, fs in os.walk(ROOT) for f in fs]
        names = [n for n in names if not re.match(r"(build|\.git|\.cache)|(.*/)?(node_modules|__pycache__)/", n)]
    return sorted(n for n in names if os.path.isfile(os.path.join(ROOT, n))
                  and (not patterns or any(fnmatch.fnmatch(n, p) for p in patterns)))


def text(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as f:
        return f.read()


_TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def code(source):
    """The same text, line for line, with comments blanked and strings emptied."""
    def blank(m):
        token = m.group(0)
        if token[0] == "/":
            return " " + "\n" * token.count("\n")
        return token[0] * 2
    return _TOKEN.sub(blank, source)


def finish(name, faults, looked_at):
    """Prints the faults (file:line: sentence) and ends the program."""
    for fault in faults:
        print(fault)
    if not looked_at:
        sys.exit(f"{name}: looked at nothing: the check itself is broken")
    print(f"{name}: {looked_at} files, {len(faults)} faults")
    sys.exit(1 if faults else 0)
