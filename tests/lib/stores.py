"""Stores for tests: made by `monomi analyze --db`, or laid out by hand in the documented form (docs/formats/store.md)."""
import hashlib
import os
import subprocess
import time

import harness

IDENTITY = "monomi store %d\n"


def schema():
    out = harness.monomi("version").out
    return int(next(line.split()[1] for line in out.splitlines() if line.startswith("schema ")))


def empty(folder):
    """A store that nothing was ever committed to."""
    os.makedirs(os.path.join(folder, "snapshot"))
    with open(os.path.join(folder, "monomi-store"), "w", encoding="ascii") as f:
        f.write(IDENTITY % schema())
    return folder


def query(db, text, *options, form="jsonl", **more):
    """The rows of a query as dicts; fails loudly."""
    done = harness.monomi("query", "--db", db, "--format", form, *options, text, **more)
    if done.code:
        raise AssertionError("%s: exit %d: %s" % (text, done.code, done.err))
    return done.objects() if form == "jsonl" else done.out


def lay_out(folder, scratch, parts, snapshot):
    """A store by hand: `parts` maps (table, day, sensor) to a SELECT, `snapshot` a file's name to one. The SELECTs are
    run by monomi itself over an empty store in `scratch`."""
    empty(folder)
    tool = os.path.join(scratch, "tool")
    if not os.path.isdir(tool):
        empty(tool)
    rows = []
    for n, ((table, day, sensor), select) in enumerate(sorted(parts.items()), 1):
        path = "parquet/%s/day=%s/sensor=%s/part-%d.parquet" % (table, day, sensor, n)
        os.makedirs(os.path.dirname(os.path.join(folder, path)))
        write(tool, select, os.path.join(folder, path))
        rows.append("SELECT %d::UBIGINT AS id, '%s' AS table_name, DATE '%s' AS \"day\", '%s' AS sensor, '%s' AS path, "
                    "1::UBIGINT AS rows, 1::UBIGINT AS bytes, 0 AS from_minute, 0 AS to_minute"
                    % (n, table, day, sensor, path))
    current = os.path.join(folder, "snapshot", "1")
    os.mkdir(current)
    write(tool, " UNION ALL ".join(rows), os.path.join(current, "parts.parquet"))
    for name, columns in tables(tool).items():
        select = snapshot.get(name, "SELECT %s WHERE false" % ", ".join(
            "NULL::%s AS \"%s\"" % (kind, column) for column, kind in columns))
        if name != "parts":
            write(tool, select, os.path.join(current, name + ".parquet"))
    os.symlink("1", os.path.join(folder, "snapshot", "current"))
    return folder


def tables(tool):
    """The snapshot's files with their columns, as the views of an empty store have them."""
    found = {}
    for row in query(tool, "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE schema_name = 'rest' "
                           "ORDER BY table_name, column_index"):
        found.setdefault(row["table_name"], []).append((row["column_name"], row["data_type"]))
    return {name: columns for name, columns in found.items() if "day" not in dict(columns) or name == "parts"}


def write(tool, select, path):
    done = harness.monomi("query", "--db", tool, "--format", "parquet", "--out", path, select)
    if done.code:
        raise AssertionError("%s: %s" % (select, done.err))


def digest(folder):
    """Of every byte, name and time of change of what lies in a folder."""
    h = hashlib.sha256()
    for base, folders, names in sorted(os.walk(folder)):
        folders.sort()
        for name in sorted(names + folders):
            path = os.path.join(base, name)
            h.update(("%s %r\n" % (os.path.relpath(path, folder), os.lstat(path).st_mtime_ns)).encode())
            if os.path.isfile(path) and not os.path.islink(path):
                with open(path, "rb") as f:
                    h.update(f.read())
    return h.hexdigest()


def leftovers(folder):
    return sorted(x for x in os.listdir(folder) if x.startswith("monomi-query"))


def children(pid):
    out = subprocess.run(["ps", "--ppid", str(pid), "-o", "pid="], capture_output=True, text=True, check=False).stdout
    return out.split()


def wait_until(what, seconds=60):
    """Asks until it is so: True, or False when it never was."""
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
